"""Needs: benefits sought, importance of needs and satisfaction with them, recommendation, effort, reasons ticked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from segmentry.catalogue import Trait
from segmentry.config import Survey
from segmentry.config.survey_needs import AUTO, MEASURES, NONE, TASK
from segmentry.errors import FitError
from segmentry.traits.known import Known, Part, Settings, combine
from segmentry.traits.needs import best_worst, choices, ratings
from segmentry.traits.needs.answers import Question, answers_of, questions_of


def traits(known: Known) -> Part:
    """The traits of what customers answered in surveys, as of the latest answer known."""
    answers = answers_of(known)
    if answers is None:
        return Part()
    questions, surveys = questions_of(answers), known.settings.surveys
    rated = ratings.ratings(answers, questions, surveys)
    return combine(
        best_worst.traits_of(_exercises(known)),
        ratings.traits_of(answers, rated),
        choices.traits_of(known, answers, questions, surveys),
        Part(notes=tuple(_unanswered(questions, surveys))),
    )


def _unanswered(questions: Sequence[Question], surveys: Mapping[str, Survey]) -> Iterator[str]:
    """What segmentry.yaml names and nobody has answered yet: a slip of the pen, or a question to come."""
    for name, survey in surveys.items():
        codes = [q.code for q in questions if q.survey == name]
        for key, code in _named(survey):
            if not any(fnmatchcase(c, code) for c in codes):
                given = f"Answered are: {', '.join(codes[:8])}." if codes else "No answer is of that survey."
                yield f"surveys.{name}.{key}: nobody has answered '{code}'. {given}"


def _named(survey: Survey) -> Iterator[tuple[str, str]]:
    """The questions that a survey's settings name, as (key, code or pattern)."""
    for key in MEASURES:
        given = getattr(survey, key)
        if isinstance(given, dict):
            for codes in given.values():
                yield from ((key, code) for code in ([codes] if isinstance(codes, str) else codes.values()))
        elif given not in (AUTO, NONE):
            yield key, given
    yield from (("choices", choice.question) for choice in survey.choices.values())
    if survey.best_worst is not None:
        ends = (survey.best_worst.best, survey.best_worst.worst, survey.best_worst.shown)
        yield from (("best_worst", end.replace(TASK, "*")) for end in ends if end is not None)
        if survey.best_worst.version is not None:
            yield "best_worst.version", survey.best_worst.version


def _exercises(known: Known) -> list[best_worst.Exercise]:
    """The exercises that somebody has answered; each is built once, for learning and for the traits."""
    found: list[best_worst.Exercise] = known.found_once("exercises", lambda: _built(known))
    return found


def _built(known: Known) -> list[best_worst.Exercise]:
    answers = answers_of(known)
    if answers is None:
        return []
    questions = questions_of(answers)
    found: list[best_worst.Exercise] = []
    for name, survey in known.settings.surveys.items():
        if survey.best_worst is None:
            continue
        design = known.settings.designs.get(name)
        made = best_worst.exercise(name, survey.best_worst, design, answers, questions, len(found))
        if made is not None and made.usable.possible:
            found.append(made)
    return found


# The model `benefits` -------------------------------------------------------------------------------------------------


def settings(given: Settings) -> dict[str, Any]:
    """The exercises that segmentry.yaml names, with their designs."""
    exercises = {name: s.best_worst.model_dump() for name, s in given.surveys.items() if s.best_worst is not None}
    return {"best_worst": exercises, "designs": {name: given.designs.get(name) for name in exercises}}


def ready(known: Known) -> bool:
    """Whether somebody has answered a best-worst exercise."""
    return bool(_exercises(known))


def learn(known: Known, seed: int) -> dict[str, Any]:
    """Utilities of the benefits to everybody, by survey: a multinomial logit with standard errors.

    Raises :class:`FitError` when the choices do not tell them.
    """
    del seed  # nothing is left to chance
    found = _exercises(known)
    if not found:
        raise FitError("Nobody has answered a best-worst exercise.", fix="Name one under surveys: best_worst.")
    return {each.survey: best_worst.utilities(each) for each in found}


# What is rated --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RatedNeed:
    """A need whose importance and satisfaction are both traits; ``product`` where it was asked of one."""

    name: str
    product: str
    importance: str
    satisfaction: str


def rated_needs(traits: Sequence[Trait], surveys: Mapping[str, Survey]) -> list[RatedNeed]:
    """The needs that have both of their ratings, in the order of the traits."""
    of_product = {}
    for survey in surveys.values():
        for given in (survey.importance, survey.satisfaction):
            for need, codes in given.items() if isinstance(given, dict) else ():
                for product in codes if isinstance(codes, dict) else ("",):
                    of_product[ratings.of_need("importance", ratings.need_of(need, product)).name] = (need, product)
    satisfied = {ratings.ending_of("satisfaction", trait.name): trait.name for trait in traits}
    found = []
    for trait in traits:
        ending = ratings.ending_of("importance", trait.name)
        if ending is not None and ending in satisfied:
            need, product = of_product.get(trait.name, (trait.value, ""))
            found.append(RatedNeed(need, product, trait.name, satisfied[ending]))
    return found
