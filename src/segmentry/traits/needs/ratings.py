"""Ratings: importance of needs and satisfaction with them, recommendation (NPS), satisfaction (CSAT), effort (CES).

Answers in numbers or in words, on whatever scale, become points from 0 to 10. Of every question a customer's latest
answer counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import ibis
import ibis.expr.types as ir

from segmentry.catalogue import TRAITS, Trait, member
from segmentry.config import Survey
from segmentry.config.survey_needs import AUTO, NONE
from segmentry.errors import ConfigError
from segmentry.stats.likert import scale_of
from segmentry.traits.known import KEY, Expression, Part
from segmentry.traits.needs.answers import ASKED, Question, latest, levels_of

NEED_MEASURES = ("importance", "satisfaction")
_PREFIXES = {
    "importance": "importance_of_",
    "satisfaction": "satisfaction_with_",
    "opportunity": "opportunity_in_",
    "benefit": "benefit_of_",
}
_LONGEST = max(_PREFIXES.values(), key=len)
_MOST_POINTS = 10.0
_LOWEST = -5  # scales run from -5 to 5 or within 0 to 10; other numbers, such as 99, say that there is no answer
_SURE = 0.9  # of the answers have to stand on the scale, for a question to be recognised by its wording
_LEAST_ITEMS = 2  # of a matrix
_PROMOTER, _PASSIVE = 9, 7  # Reichheld 2003, "The one number you need to grow"
# What questions say, in the languages of stats/likert.py.
_WORDS = {
    "importance": r"how important|importance of|wie wichtig|quelle importance|à quel point.* important|importancia",
    "satisfaction": r"satisfied|satisfaction|zufrieden|satisfait|satisfech",
    "nps": r"\brecommend|weiterempfehlen|empfehlen|recommand|recomend",
    "csat": r"satisfied|satisfaction|zufrieden|satisfait|satisfech",
    "ces": r"made it easy|how easy (was|is|did)|wie (einfach|leicht) war|leicht gemacht|été facile|fue fácil",
}
_STATED = re.compile(r"(\d{1,2})\s*=")  # (0 = not at all, 10 = extremely)
_FROM_TO = re.compile(r"(?:from|scale of|von|de)\s+(\d{1,2})\s+(?:to|bis|à|a)\s+(\d{1,2})")
_NUMBER = re.compile(r"([+-]?\d{1,3})(?:[.,]0+)?(?![\d.,]).*", re.DOTALL)


@dataclass(frozen=True)
class Rating:
    """One question that rates something.

    ``measure`` is importance, satisfaction, nps, csat or ces; ``need`` what is rated (empty for the last three).
    ``points`` gives each answer on the scale its points from 0 to 10; ``astray`` counts the answers that are on none.
    """

    measure: str
    need: str
    question: Question
    points: Mapping[str, float]
    answers: int
    astray: int

    @property
    def trait(self) -> Trait:
        """The trait that it gives."""
        return of_need(self.measure, self.need) if self.need else TRAITS[self.measure]


def ratings(answers: ir.Table, questions: Sequence[Question], surveys: Mapping[str, Survey]) -> list[Rating]:
    """Every question that rates something: those that segmentry.yaml names, and those whose wording is plain."""
    drafts = _each_once(
        [d for name in dict.fromkeys(q.survey for q in questions) for d in _drafts(name, questions, surveys)]
    )
    levels = levels_of(answers, [d.question for d in drafts])
    found = []
    for battery in _batteries(drafts):
        first = battery[0]
        given = surveys.get(first.question.survey, Survey()).ranges.get(first.measure)
        range_ = (0, 10) if first.measure == "nps" else given or _stated(first.question.wording)
        together = list(dict.fromkeys(a for d in battery for a in levels[d.question.key]))
        points = points_of(together, range_)
        for draft in battery:
            own = levels[draft.question.key]
            total, on = sum(own.values()), sum(n for answer, n in own.items() if answer in points)
            if on and (draft.sure or on >= _SURE * total):
                here = {answer: points[answer] for answer in own if answer in points}
                found.append(Rating(draft.measure, draft.need, draft.question, here, total, total - on))
    return found


def points_of(answers: Sequence[str], range_: tuple[int, int] | None) -> dict[str, float]:
    """Points from 0 to 10 of each answer that is on the scale; ``range_`` is its worst and its best number.

    >>> points_of(["1", "3", "5 - Very important", "7"], (1, 5))
    {'1': 0.0, '3': 5.0, '5 - Very important': 10.0}
    >>> points_of(["Satisfied", "Very satisfied", "Zufrieden", "blue", "Neutral", "Very dissatisfied"], None)
    {'Satisfied': 7.5, 'Very satisfied': 10.0, 'Zufrieden': 7.5, 'Neutral': 5.0, 'Very dissatisfied': 0.0}
    """
    numbers = {a: int(found[1]) for a in answers if (found := _NUMBER.fullmatch(a.strip()))}
    made: dict[str, float] = {}
    turned = range_ is not None and range_[0] > range_[1]
    if range_ is not None:
        low, high = sorted(range_)
        made = {a: (n - low) / (high - low) for a, n in numbers.items() if low <= n <= high}
    rest = [a for a in answers if a not in numbers or (range_ is None and _LOWEST <= numbers[a] <= _MOST_POINTS)]
    scale = scale_of(rest)
    if scale is not None:
        made |= {a: (n - scale.low) / (scale.points - 1) for a, n in scale.numbers.items()}
    return {a: round(_MOST_POINTS * (1 - made[a] if turned else made[a]), 6) for a in answers if a in made}


# Which questions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Draft:
    measure: str
    need: str
    question: Question
    sure: bool  # segmentry.yaml says so


def _drafts(survey: str, questions: Sequence[Question], surveys: Mapping[str, Survey]) -> Iterator[_Draft]:
    mine = [q for q in questions if q.survey == survey]
    settings = surveys.get(survey, Survey())
    for measure in NEED_MEASURES:
        yield from _of_needs(measure, getattr(settings, measure), mine)
    for measure in ("nps", "csat", "ces"):
        wanted = getattr(settings, measure)
        if wanted == AUTO:
            alone = [q for q in mine if not q.label and re.search(_WORDS[measure], q.wording.casefold())]
            if len(alone) == 1:  # of two that sound alike nobody knows which one is meant
                yield _Draft(measure, "", alone[0], False)
        elif wanted != NONE:
            yield from (_Draft(measure, "", q, True) for q in mine if q.code == wanted)


def _each_once(drafts: Sequence[_Draft]) -> list[_Draft]:
    """Every question once: what segmentry.yaml says of it wins over its wording.

    Raises :class:`ConfigError` when segmentry.yaml says two things of it.
    """
    found: dict[str, _Draft] = {}
    for draft in sorted(drafts, key=lambda d: not d.sure):
        before = found.setdefault(draft.question.key, draft)
        if before is not draft and draft.sure:
            one, other = (f"{d.measure} of {d.need}" if d.need else d.measure for d in (before, draft))
            raise ConfigError(
                f"segmentry.yaml surveys.{draft.question.survey}: {draft.question.code} is both {one} and {other}.",
                why="A question asks one thing.",
                fix="Keep one of them.",
            )
    return [d for d in drafts if found[d.question.key] is d]


def _of_needs(measure: str, given: object, mine: Sequence[Question]) -> Iterator[_Draft]:
    if isinstance(given, str):
        if given == AUTO:
            named = [q for q in mine if q.label and re.search(_WORDS[measure], q.stem.casefold())]
            stems = [q.stem for q in named]
            asked = [q for q in named if stems.count(q.stem) >= _LEAST_ITEMS]
        else:
            asked = [] if given == NONE else [q for q in mine if fnmatchcase(q.code, given)]
        yield from (_Draft(measure, q.label or q.code, q, given != AUTO) for q in asked)
        return
    assert isinstance(given, Mapping)
    for need, codes in given.items():
        for product, code in ({"": codes} if isinstance(codes, str) else codes).items():
            name = need_of(need, product)
            yield from (_Draft(measure, name, q, True) for q in mine if q.code == code)


def need_of(need: str, product: str) -> str:
    """The name of a need where a product has to meet it."""
    return f"{need} for {product}" if product else need


def of_need(measure: str, need: str) -> Trait:
    """The trait of a measure for a need; its name ends alike for every measure, however long the need is.

    >>> of_need("importance", "Low prices").name, of_need("benefit", "Low prices").name
    ('importance_of_low_prices', 'benefit_of_low_prices')
    """
    ending = member(f"{_LONGEST}*", need).name.removeprefix(_LONGEST)
    return replace(member(f"{_PREFIXES[measure]}*", need), name=_PREFIXES[measure] + ending)


def ending_of(measure: str, trait: str) -> str | None:
    """What a trait of a measure says it is about; None for another trait.

    >>> ending_of("importance", "importance_of_low_prices"), ending_of("importance", "satisfaction_with_low_prices")
    ('low_prices', None)
    """
    prefix = _PREFIXES[measure]
    return trait.removeprefix(prefix) if trait.startswith(prefix) else None


def _batteries(drafts: Sequence[_Draft]) -> list[list[_Draft]]:
    """Questions that are answered on one scale: those of a measure and a survey with the same words above them."""
    found: dict[tuple[str, str, str], list[_Draft]] = {}
    for draft in drafts:
        found.setdefault((draft.question.survey, draft.measure, draft.question.stem), []).append(draft)
    return list(found.values())


def _stated(wording: str) -> tuple[int, int] | None:
    """The ends of the scale where the wording of a question tells them.

    >>> _stated("How important is this? (0 = not at all, 10 = extremely)"), _stated("Please rate us from 1 to 5.")
    ((0, 10), (1, 5))
    """
    told = [int(n) for n in _STATED.findall(wording)]
    if not told and (between := _FROM_TO.search(wording.casefold())):
        told = [int(between[1]), int(between[2])]
    if len(set(told)) < 2 or max(told) - min(told) > 10:
        return None
    return min(told), max(told)


# Their traits ---------------------------------------------------------------------------------------------------------


def traits_of(answers: ir.Table, found: Sequence[Rating]) -> Part:
    """The traits of ratings, and the opportunity of every need that has both of its ratings."""
    if not found:
        return Part()
    described: dict[str, Trait] = {}
    for rating in found:
        described.setdefault(rating.trait.name, rating.trait)
    columns = {name: f"rated_{i}" for i, name in enumerate(described)}
    made: dict[Trait, Expression] = {trait: _column(columns[name]) for name, trait in described.items()}
    if "nps" in columns:
        made[TRAITS["nps_group"]] = _nps_group(columns["nps"])
    for need in dict.fromkeys(r.need for r in found if r.need):
        both = [columns.get(of_need(measure, need).name) for measure in NEED_MEASURES]
        if both[0] is not None and both[1] is not None:
            made[of_need("opportunity", need)] = _opportunity(both[0], both[1])
    return Part(passes=(_wide(answers, found, columns),), traits=made, notes=tuple(_notes(found)))


def _notes(found: Sequence[Rating]) -> Iterator[str]:
    for rating in found:
        if rating.astray:
            yield (
                f"surveys.{rating.question.survey}: {rating.astray:,} of {rating.answers:,} answers to "
                f"{rating.question.code} ({rating.trait.title}) are on no scale and do not count."
            )


def _wide(answers: ir.Table, found: Sequence[Rating], columns: Mapping[str, str]) -> ir.Table:
    """One row per customer with the points of the latest answer to every question that rates something."""
    alike: dict[tuple[tuple[str, float], ...], list[str]] = {}
    for rating in found:
        alike.setdefault(tuple(sorted(rating.points.items())), []).append(rating.question.key)
    rows = answers.filter(answers[ASKED].isin([r.question.key for r in found]))
    pointed = [(rows[ASKED].isin(keys), rows["answer"].cases(*scale)) for scale, keys in alike.items()]
    places = [(r.question.key, columns[r.trait.name]) for r in found]
    rows = rows.mutate(points=ibis.cases(*pointed).cast("float64"), rated=rows[ASKED].cases(*places))
    newest = latest(rows.filter(rows["points"].notnull()), "rated")
    values = {column: newest["points"].max(where=newest["rated"] == column) for column in columns.values()}
    return newest.group_by(KEY).agg(**values)


def _column(name: str) -> Expression:
    return lambda row: row[name]


def _nps_group(column: str) -> Expression:
    def group(row: ir.Table) -> ir.Value:
        score = row[column]
        promoter, passive = (score >= _PROMOTER, "promoter"), (score >= _PASSIVE, "passive")
        return ibis.cases(promoter, passive, (score.notnull(), "detractor"))

    return group


def _opportunity(important: str, satisfied: str) -> Expression:
    """Ulwick 2002, "Turn customer input into innovation": importance + max(importance - satisfaction, 0)."""

    def opportunity(row: ir.Table) -> ir.Value:
        importance, satisfaction = row[important], row[satisfied]
        return importance + (importance > satisfaction).ifelse(importance - satisfaction, satisfaction - satisfaction)

    return opportunity
