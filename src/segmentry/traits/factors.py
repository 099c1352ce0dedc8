"""Factors behind the rating items of surveys that segmentry.yaml says nothing about.

Learned once: how many there are by parallel analysis, which item loads where by maximum likelihood and varimax, and the
weights of the items in the scores (``stats/scales.py``). Then frozen. A reverse-coded item shows as a negative loading.
An item that is not answered counts as answered like the average; who answered fewer than half has no score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from segmentry.catalogue import TRAITS, member
from segmentry.config import Survey
from segmentry.errors import FitError
from segmentry.stats.likert import scale_of
from segmentry.stats.scales import Factors, Moments, explore, parallel_analysis, reliability, score_weights
from segmentry.traits import answers
from segmentry.traits.answers import Block, Question
from segmentry.traits.known import KEY, Known, Part, Settings, column, combine, nothing

LEAST_ITEMS, MOST_ITEMS = 6, 60
LEAST_RESPONDENTS = 100  # Gorsuch (1983), "Factor Analysis", chapter 16: never fewer
_LEAST_MEMBERS = 2  # a factor of one item is that item
_STRONGEST = 3  # items that a description shows
_DIGITS = 9  # of frozen numbers

Asked = Mapping[str, Mapping[str, Question]]


# Learning -------------------------------------------------------------------------------------------------------------


def settings(of: Settings) -> dict[str, list[str]]:
    """What the model depends on: the questions of each survey that are spoken for."""
    return {name: sorted(_named(survey)) for name, survey in of.surveys.items()}


def ready(known: Known) -> bool:
    """Whether there is a matrix of rating items that nothing is said about."""
    rows = answers.rows_of(known)
    return rows is not None and any(_candidates(known, answers.questions(rows)))


def learn(known: Known, seed: int) -> dict[str, Any]:
    """The factors of every such matrix; :class:`FitError` where none of them has any."""
    rows = answers.rows_of(known)
    assert rows is not None
    found: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for block in _candidates(known, answers.questions(rows)):
        numbered = sum(len(f["factors"]) for f in found if f["survey"] == block.survey)
        try:
            found.append(_explored(rows, block, seed, before=numbered))
        except FitError as error:
            refused.append({"survey": block.survey, "items": list(block.items), "why": str(error)})
    if not found:
        raise FitError(
            "; ".join(f"Survey {r['survey']}, {r['items'][0]} to {r['items'][-1]}: {r['why']}" for r in refused)
        )
    return {"blocks": found, "refused": refused}


def _candidates(known: Known, asked: Asked) -> Iterator[Block]:
    for survey, of in asked.items():
        taken = _named(known.settings.surveys[survey]) if survey in known.settings.surveys else set()
        free = [question for code, question in of.items() if code not in taken]
        for block in answers.blocks(survey, free):
            if LEAST_ITEMS <= len(block.items) <= MOST_ITEMS:
                yield block


def _named(survey: Survey) -> set[str]:
    """All that the settings of a survey name."""
    return set(_texts(survey.model_dump(mode="json")))


def _texts(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from (str(key), *_texts(value))
    elif isinstance(data, Sequence):
        for value in data:
            yield from _texts(value)


def _explored(rows: ir.Table, block: Block, seed: int, *, before: int) -> dict[str, Any]:
    """The factors of one matrix as plain data; ``before`` so many of its survey have a number already."""
    people = answers.in_columns(
        answers.latest(rows, block.survey, dict.fromkeys(block.items, block.numbers)), block.items
    )
    items = [people[answers.column_of(i)] for i in range(len(block.items))]
    sums = answers.sums_of(people, {"all": items})["all"]
    if sums.respondents < LEAST_RESPONDENTS:
        raise FitError(
            f"{sums.respondents} respondents answered all {len(items)} items.",
            why=f"Factors take at least {LEAST_RESPONDENTS}.",
            fix="Ask more people, or declare the scales under `surveys`.",
        )
    of = sums.moments()
    horn = parallel_analysis(of, seed=seed)
    factors = _clear(of, min(horn.factors, len(items) // 2))
    weights, members = score_weights(of, factors), factors.members()
    made = []
    for f in range(factors.loadings.shape[1]):
        made.append(
            {
                "name": member("factor_*", f"{block.survey} {before + f + 1}").name,
                "description": _description(block, members[f], float(factors.explained[f])),
                "explained": _rounded(factors.explained[f]),
                "reliability": _reliability(of, block, members[f]),
                "items": {block.items[i]: _rounded(factors.loadings[i, f]) for i, _ in members[f]},
                "loadings": _listed(factors.loadings[:, f]),
                "weights": _listed(weights[:, f]),
            }
        )
    return {
        "survey": block.survey,
        "items": list(block.items),
        "wordings": list(block.wordings),
        "low": block.low,
        "high": block.high,
        "steps": dict(block.numbers),
        "respondents": of.respondents,
        "straight_lined": sums.straight,
        "means": _listed(of.means),
        "deviations": _listed(np.sqrt(of.covariance.diagonal())),
        "eigenvalues": _listed(horn.eigenvalues),
        "thresholds": _listed(horn.thresholds),
        "factors": made,
    }


def _clear(of: Moments, number: int) -> Factors:
    """So many factors, or fewer, each with at least two items of its own."""
    for count in range(number, 0, -1):
        factors = explore(of, count)
        if all(len(members) >= _LEAST_MEMBERS for members in factors.members()):
            return factors
    raise FitError(
        "The items have no structure.",
        why="Their answers go together no more than those of random answers (parallel analysis).",
        fix="Declare the scales under `surveys` if the items were made to measure something.",
    )


def _reliability(of: Moments, block: Block, members: Sequence[tuple[int, bool]]) -> dict[str, Any]:
    """Of the items of a factor as one scale, those with negative loadings turned round."""
    places = [i for i, _ in members]
    signs = np.array([-1.0 if turned else 1.0 for _, turned in members])
    covariance = of.covariance[np.ix_(places, places)] * np.outer(signs, signs)
    found = reliability(Moments(of.means[places] * signs, covariance, of.respondents))
    return answers.figures(found, [block.items[i] for i in places])


def _description(block: Block, members: Sequence[tuple[int, bool]], explained: float) -> str:
    """A factor in the words of its strongest items."""
    high, low = ("agrees", "disagrees") if block.family == "agreement" else ("rates high", "rates low")
    shown = members[:_STRONGEST]
    said = [
        f"{word}: " + ", ".join(f"'{block.wordings[i]}'" for i, turned in shown if turned is against)
        for word, against in ((high, False), (low, True))
        if any(turned is against for _, turned in shown)
    ]
    return f"{'; '.join(said)} (factor found in the survey {block.survey}, {100 * explained:.0f} % of its answers)."


def _rounded(value: float) -> float:
    return round(float(value), _DIGITS)


def _listed(values: Sequence[float] | np.ndarray[Any, Any]) -> list[float]:
    return [_rounded(value) for value in values]


# Scores ---------------------------------------------------------------------------------------------------------------


def traits(known: Known, rows: ir.Table, asked: Asked) -> Part:
    """A trait for each factor that was learned and whose items are answered by then."""
    found = known.learned.get("factors", {}).get("blocks", ())
    return combine(*(_scores(known, rows, block, asked) for block in found if _holds(known, block)))


def _holds(known: Known, block: Mapping[str, Any]) -> bool:
    """Whether nothing has been said about the items since, or a frozen segmentation needs their factors."""
    said = _named(known.settings.surveys[block["survey"]]) if block["survey"] in known.settings.surveys else set()
    return said.isdisjoint(block["items"]) or any(factor["name"] in known.also for factor in block["factors"])


def _scores(known: Known, rows: ir.Table, block: Mapping[str, Any], asked: Asked) -> Part:
    traits = {
        f["name"]: replace(TRAITS["factor_*"], name=f["name"], description=f["description"], member="")
        for f in block["factors"]
    }
    given = asked.get(block["survey"], {})
    if given.keys().isdisjoint(block["items"]):  # a factor that a frozen segmentation needs stays, with nobody on it
        return Part(traits={traits[name]: nothing for name in traits if name in known.also})
    steps = _steps(block, [a for item in block["items"] if item in given for a in given[item].answers])
    people = answers.in_columns(
        answers.latest(rows, block["survey"], dict.fromkeys(block["items"], steps)), block["items"]
    )
    p = len(block["items"])
    standard: list[ir.FloatingValue] = [
        ((people[answers.column_of(i)].cast("float64") - block["means"][i]) / block["deviations"][i]).fill_null(0.0)
        for i in range(p)
    ]
    enough = answers.answered_of(people, range(p)) * 2 >= p
    scores = {
        factor["name"]: enough.ifelse(
            reduce(add, (value * weight for value, weight in zip(standard, factor["weights"], strict=True))),
            ibis.null("float64"),
        )
        for factor in block["factors"]
    }
    made = {trait: column(name) for name, trait in traits.items()}
    shared = {key: block[key] for key in ("survey", "respondents", "straight_lined")}
    evidence = {
        f["name"]: {
            **shared,
            "explained": f["explained"],
            "items": list(f["items"]),
            "loading": f["items"],
            **f["reliability"],
        }
        for f in block["factors"]
    }
    return Part(passes=(people.select(KEY, **scores),), traits=made, evidence=evidence)


def _steps(block: Mapping[str, Any], given: Sequence[str]) -> Mapping[str, int]:
    """The numbers of answers, also of wordings that came later (another language), if they stand on the same scale."""
    now = scale_of([*block["steps"], *given])
    same = now is not None and (now.low, now.low + now.points - 1) == (block["low"], block["high"])
    return {**now.numbers, **block["steps"]} if now is not None and same else block["steps"]
