"""Several methods beside each other, on the same customers and traits: what each finds, how far they agree.

A method is advised for what the traits are before what it found: categories need k-prototypes, answers to a survey
latent classes; categories as yes/no columns in k-means are the last resort. Among methods that suit alike the one with
the stronger verdict is advised, then the more stable one. A cut that is only ours comes after all that is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from segmentry import config
from segmentry.errors import FitError
from segmentry.placement import exact
from segmentry.segment.fitting import Learning
from segmentry.segment.variables import FEW_VALUES
from segmentry.segmentation import Segmentation
from segmentry.stats.stability import adjusted_rand

if TYPE_CHECKING:
    import pandas as pd  # half a second to import, which reading commands do without

Nature = Literal["numbers", "answers", "mixed"]

_VERDICTS = ("natural", "reproducible", "constructive")
_MADE, _ABLE, _LAST = 0, 1, 2
# How a method suits traits, and why.
_SUITS: Mapping[str, Mapping[Nature, tuple[int, str]]] = {
    "kmeans": {
        "numbers": (_MADE, "made for numbers"),
        "answers": (_ABLE, "takes answers for numbers"),
        "mixed": (_LAST, "the last resort here: categories enter as yes/no columns, which it takes for numbers"),
    },
    "kprototypes": {
        "numbers": (_ABLE, "k-means that allows gaps, where there is no category"),
        "answers": (_ABLE, "knows the most frequent answers of a segment, not how probable each is"),
        "mixed": (_MADE, "made for numbers and categories together"),
    },
    "latent_classes": {
        "numbers": (_LAST, "the last resort here: amounts enter as bands"),
        "answers": (_MADE, "made for answers and categories"),
        "mixed": (_ABLE, "takes numbers as bands"),
    },
    "mixtures": {
        "numbers": (_MADE, "made for numbers whose groups overlap or differ in size"),
        "answers": (_LAST, "the last resort here: answers in steps are no clouds"),
        "mixed": (_ABLE, "knows the numbers only"),
    },
}
_Fit = Callable[[str, Any, Learning], Segmentation]


def compared(own: Segmentation, settings: Any, learning: Learning, fit: _Fit) -> list[dict[str, Any]]:
    """A row per method as plain JSON values, that of the settings first.

    Each has ``method``, ``k``, ``verdict``, ``mean_ari`` and ``min_jaccard`` (stability), ``smallest`` (share of the
    smallest segment), ``agreement`` (adjusted Rand index with every other method, over those whom both place),
    ``left_out`` (traits that it does not take), ``suits`` (how it suits these traits), ``problem`` (why it found
    nothing; then the figures are missing), ``advised`` and ``why``.
    """
    found: dict[str, Segmentation] = {settings.method: own}
    problems: dict[str, str] = {}
    for method in settings.others:
        try:
            found[method] = fit(own.name, _in_turn(method, settings, own), learning)
        except FitError as error:
            problems[method] = error.args[0]
    placed = {name: _placed(each, learning.sample) for name, each in found.items()}
    wanted = sorted({trait for each in found.values() for trait, _ in each.traits})
    nature = nature_of(wanted, learning)
    rows = [_row(method, each, wanted, nature) for method, each in found.items()]
    for row in rows:
        row["agreement"] = {
            other: _agreement(placed[row["method"]], labels)
            for other, labels in placed.items()
            if other != row["method"]
        }
    rows += [{"method": m, "suits": _SUITS[m][nature][1], "problem": why} for m, why in problems.items()]
    best, why = advised(rows, nature)
    return [{**row, "advised": row["method"] == best, "why": why if row["method"] == best else ""} for row in rows]


def advised(rows: Sequence[Mapping[str, Any]], nature: Nature) -> tuple[str, str]:
    """The method to take, and why, of rows of :func:`compared` of which at least one found something.

    >>> row = {"k": 3, "mean_ari": 0.9, "verdict": "natural"}
    >>> rows = [{**row, "method": "kmeans"}, {**row, "method": "kprototypes"}]
    >>> advised(rows, "mixed")[0], advised(rows, "numbers")[0]
    ('kprototypes', 'kmeans')
    """

    def order(row: Mapping[str, Any]) -> tuple[bool, int, int, float]:
        verdict = _VERDICTS.index(row["verdict"])
        return verdict == 2, _SUITS[row["method"]][nature][0], verdict, -row["mean_ari"]

    best = min((row for row in rows if "k" in row), key=order)
    method, found = str(best["method"]), f"its {best['k']} segments are {best['verdict']}"
    if best["verdict"] == "constructive":
        found = f"no method found segments that come back, and of its cut into {best['k']} neither do all"
    return method, f"{method} is {_SUITS[method][nature][1]}; {found} (mean ARI {best['mean_ari']:.2f})."


def nature_of(names: Sequence[str], learning: Learning) -> Nature:
    """What the traits are: numbers, answers (categories, yes/no, few steps), or both."""
    answers = [learning.specs[n].kind != "number" or learning.sample[n].dropna().nunique() <= FEW_VALUES for n in names]
    return "answers" if all(answers) else ("mixed" if any(answers) else "numbers")


def _in_turn(method: str, settings: Any, own: Segmentation) -> Any:
    """The settings of another method on the same traits; what ``auto`` means is what the first took."""
    shared = {
        key: value
        for key, value in settings.model_dump().items()
        if key in config.METHODS[method].model_fields and key not in ("method", "compare")
    }
    traits = tuple(name for name, _ in own.traits) if settings.traits == ("auto",) else settings.traits
    return config.METHODS[method].model_validate({**shared, "method": method, "traits": traits})


def _row(method: str, found: Segmentation, wanted: Sequence[str], nature: Nature) -> dict[str, Any]:
    report = found.report
    taken = next(row for row in report["panel"] if row["k"] == report["k"])
    own = {name for name, _ in found.traits}
    return {
        "method": method,
        "k": report["k"],
        "verdict": report["verdict"],
        "mean_ari": taken["mean_ari"],
        "min_jaccard": min(row["jaccard"] for row in report["judged"]),
        "smallest": exact(min(row["share"] for row in report["judged"])),
        "left_out": [name for name in wanted if name not in own],
        "suits": _SUITS[method][nature][1],
        "problem": "",
    }


def _placed(found: Segmentation, sample: pd.DataFrame) -> Any:
    """(n,) the segment of everybody of the sample by the frozen rule, -1 for none."""
    names = {name: i for i, name in enumerate(found.names)}
    placed = replace(found, population="").assign(sample.reset_index(drop=True))["segment"]
    return placed.map(names).fillna(-1).to_numpy(dtype=np.int64)


def _agreement(one: Any, other: Any) -> float | None:
    both = (one >= 0) & (other >= 0)
    return exact(adjusted_rand(one[both], other[both])) if both.any() else None
