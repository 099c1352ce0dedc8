"""Psychographic traits: scores on the scales that segmentry.yaml declares.

A score is the mean of the items answered (Likert 1932), so that it stays on the numbers of the answers; too few of them
give none (half, unless declared otherwise: the half rule of Fairclough and Cella 1996). Factors of surveys without
scales are in ``factors.py``, interests in ``interests.py``, habits of answering in ``response_style.py``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import TRAITS, Model, Trait, lookup, member
from segmentry.config import FILE_NAME, Scale, Survey
from segmentry.errors import ConfigError, FitError, did_you_mean
from segmentry.stats.likert import is_no_opinion, scale_of
from segmentry.stats.scales import reliability
from segmentry.traits import answers, factors, interests, response_style
from segmentry.traits.answers import Question, Sums
from segmentry.traits.known import KEY, Expression, Known, Part, column, combine, nothing

_WORDINGS = 3  # that a description shows
_NUMBER = re.compile(r"\s*([+-]?\d+)(?:[.,]0+)?(?:\D.*)?")


def traits(known: Known) -> Part:
    """The psychographic traits whose data are there."""
    rows = answers.rows_of(known)
    asked = {} if rows is None else answers.questions(rows)
    parts = [interests.traits(known)]
    for survey, settings in known.settings.surveys.items():
        parts.append(_kept(known, _scales(rows, survey, settings, asked)))
    if rows is not None:
        parts += [response_style.traits(rows, asked), factors.traits(known, rows, asked)]
    return combine(*parts)


def _kept(known: Known, part: Part) -> Part:
    """A scale that a frozen segmentation needs stays, with nobody on it, where its answers are not there by then."""
    needed = {name: trait for name in part.absent if name in known.also and (trait := lookup(name))}
    absent = {name: why for name, why in part.absent.items() if name not in needed}
    return replace(part, traits={**part.traits, **dict.fromkeys(needed.values(), nothing)}, absent=absent)


# Scales ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Read:
    """A scale whose answers have numbers, from ``low`` to ``high``."""

    name: str
    scale: Scale
    low: int
    high: int
    numbers: Mapping[str, Mapping[str, int]]  # by item

    @property
    def trait(self) -> str:
        return member("scale_*", self.name).name

    def values(self, row: ir.Table, places: Mapping[str, int]) -> list[ir.NumericValue]:
        """The items over a row of :func:`answers.in_columns`, those that are reverse-coded turned round."""
        given = {item: row[answers.column_of(places[item])] for item in self.scale.items}
        return [self.low + self.high - value if item in self.scale.reverse else value for item, value in given.items()]


def _scales(rows: ir.Table | None, survey: str, settings: Survey, asked: Mapping[str, Mapping[str, Question]]) -> Part:
    """A trait for each scale of a survey; all of them share one pass over its answers."""
    names = {name: member("scale_*", name).name for name in settings.scales}
    if rows is None or survey not in asked:
        why = f"there are no answers to a survey '{survey}' by then"
        why += f"; there are {', '.join(sorted(asked))}" if asked else ""
        return Part(absent=dict.fromkeys(names.values(), why))
    read: list[_Read] = []
    absent: dict[str, str] = {}
    numbers: dict[str, Mapping[str, int]] = {}
    for name, scale in settings.scales.items():
        found = _numbers(name, scale, asked[survey])
        if isinstance(found, str):
            absent[names[name]] = found
        elif clash := next((item for item, steps in found.numbers.items() if numbers.get(item, steps) != steps), None):
            absent[names[name]] = f"another scale reads the answers to {clash} by other numbers: read both alike"
        else:
            numbers |= found.numbers
            read.append(found)
    if not read:
        return Part(absent=absent)
    places = {item: i for i, item in enumerate(numbers)}
    people = answers.in_columns(answers.latest(rows, survey, numbers), list(numbers))
    sums = answers.sums_of(people, {r.trait: r.values(people, places) for r in read if len(r.scale.items) > 1})
    evidence = {trait: _evidence(trait, found, read, survey) for trait, found in sums.items()}
    scores = people.select(KEY, **{r.trait: _score(r, people, places) for r in read})
    made: dict[Trait, Expression] = {_declared(r, survey, asked[survey]): column(r.trait) for r in read}
    return Part(passes=(scores,), traits=made, absent=absent, evidence=evidence)


def _numbers(name: str, scale: Scale, asked: Mapping[str, Question]) -> _Read | str:
    """How the answers to the items are read; a reason where that is not known."""
    unknown = next((item for item in scale.items if item not in asked), None)
    if unknown is not None:
        return f"nobody has answered the question '{unknown}' by then. {did_you_mean(unknown, asked)}"
    given = {item: asked[item].answers for item in scale.items}
    if scale.answers:
        steps = {_folded(text): i for i, text in enumerate(scale.answers, 1)}
        low, high = 1, len(scale.answers)
        numbers = {item: {a: steps[_folded(a)] for a in of if _folded(a) in steps} for item, of in given.items()}
    elif scale.range:
        low, high = scale.range
        numbers = {item: _in_range(of, low, high) for item, of in given.items()}
    else:
        found = scale_of({a for of in given.values() for a in of})
        if found is None:
            return f"the answers to its items stand on no scale that is known, such as {_examples(given)}. {_SAY}"
        low, high = found.low, found.low + found.points - 1
        numbers = {item: {a: found.numbers[a] for a in of if a in found.numbers} for item, of in given.items()}
    for item, of in given.items():
        if not answers.stands_on(of, numbers[item]):
            lost = {a: n for a, n in of.items() if a not in numbers[item] and not is_no_opinion(a)}
            return f"many answers to {item} do not stand on its scale, such as {_examples({item: lost})}. {_SAY}"
    return _Read(name, scale, low, high, numbers)


_SAY = "Write its steps as `answers`, the lowest first, or its numbers as `range`"


def _in_range(given: Mapping[str, int], low: int, high: int) -> dict[str, int]:
    """The numbers of answers such as 4, 4.0 and '4 - agree'; of answers in words, those of a scale of as many steps."""
    found = {a: int(m[1]) for a in given if (m := _NUMBER.fullmatch(a))}
    if not found and (scale := scale_of(given)) and scale.points == high - low + 1:
        found = {a: n - scale.low + low for a, n in scale.numbers.items()}
    return {a: n for a, n in found.items() if low <= n <= high}


def _examples(given: Mapping[str, Mapping[str, int]]) -> str:
    return ", ".join(f"'{a}'" for a in dict.fromkeys(a for of in given.values() for a in list(of)[:2]))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _score(read: _Read, row: ir.Table, places: Mapping[str, int]) -> ir.FloatingValue:
    """The mean of the items answered, where they are enough."""
    values = read.values(row, places)
    answered = answers.answered_of(row, [places[item] for item in read.scale.items])
    total: ir.NumericValue = reduce(add, (value.fill_null(0) for value in values))
    enough = answered >= math.ceil(read.scale.least_answered * len(values))
    return enough.ifelse(engine.ratio(total, answered), ibis.null("float64"))


def _declared(read: _Read, survey: str, asked: Mapping[str, Question]) -> Trait:
    """The trait of a scale, described by what it was declared as, else by its items."""
    of, items = TRAITS["scale_*"], read.scale.items
    wordings = dict(zip(items, answers.own_part([asked[i].wording for i in items]), strict=True))
    shown = [f"{'not ' if i in read.scale.reverse else ''}'{wordings[i]}'" for i in items[:_WORDINGS]]
    more = f" and {len(items) - _WORDINGS} more" if len(items) > _WORDINGS else ""
    text = read.scale.description or f"Score on the scale '{read.name.replace('_', ' ')}'"
    text = f"{text.rstrip('.')}: agreement with {', '.join(shown)}{more} (survey {survey})."
    return replace(
        of,
        name=read.trait,
        model=Model(read.scale.model),
        description=text,
        unit=f"{read.low} to {read.high}",
        member="",
    )


def _evidence(trait: str, found: Sums, read: Sequence[_Read], survey: str) -> dict[str, Any]:
    """How reliable a scale is, as plain data."""
    scale = next(r.scale for r in read if r.trait == trait)
    told: dict[str, Any] = {"survey": survey, "items": list(scale.items), "reverse": list(scale.reverse)}
    told |= {"respondents": found.respondents, "straight_lined": found.straight}
    try:
        of = reliability(found.moments())
    except FitError as error:
        return {**told, "refused": str(error)}
    return {**told, **answers.figures(of, scale.items)}


def check(rows: ir.Table | None, surveys: Mapping[str, Survey]) -> None:
    """Raise :class:`ConfigError` for an item of a scale that nobody ever answered in a survey that people answered.

    ``rows`` are all answers collected, of any day: an item that was asked later is no mistake.
    """
    if rows is None or not any(settings.scales for settings in surveys.values()):
        return
    found = answers.codes(rows)
    for survey, settings in surveys.items():
        for name, scale in settings.scales.items():
            for item in scale.items:
                if survey in found and item not in found[survey]:
                    raise ConfigError(
                        f"{FILE_NAME} surveys.{survey}.scales.{name}.items: the survey has no question '{item}'.",
                        why=did_you_mean(item, found[survey]),
                        fix="`segmentry show responses` lists answers with their questions.",
                    )
