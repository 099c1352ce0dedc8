"""Latent classes: groups of people who answer alike (Lazarsfeld & Henry 1968), from categories and yes/no traits.

The model is ``stats.latent``: within a class answers are independent, and what was not answered adds nothing. A number
enters by bands, since the model knows answers, not amounts. The number of classes is chosen as ``choose``
says; what BIC alone would take (Nylund, Asparouhov & Muthén 2007) is told beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from segmentry.catalogue import Trait
from segmentry.config import LatentClasses
from segmentry.errors import FitError
from segmentry.placement import NOT_ANSWERED, Classes, Item, exact, figure
from segmentry.segment.choose import choose
from segmentry.segment.fitting import Fitted, Learning, Numbers, quantile, worked_out
from segmentry.segment.variables import (
    FEW_VALUES,
    going_round,
    known,
    known_by_half,
    same_for_everybody,
    too_many,
    variables,
)
from segmentry.segmentation import Segment
from segmentry.stats import latent

FEWEST = 2
MOST_ANSWERS = 20  # of a category; with more of them classes would differ in answers that hardly anybody gives
# Where the bands of a number end. Fifths: on simulated answers of 4,000 people to MaxDiff tasks they find more of the
# planted classes than quarters do (adjusted Rand index .70 against .65), eighths hardly more (.72).
_BANDS = (0.2, 0.4, 0.6, 0.8)

Codes = npt.NDArray[np.int64]


def fit(settings: LatentClasses, learning: Learning) -> Fitted:
    """Choose the number of classes (or take the one given), fit them, freeze the probabilities of the answers.

    Raises :class:`FitError` when the answers cannot tell so many classes apart, or no trait varies.
    """
    chosen = variables(settings.traits, (), learning)
    warnings = [*going_round(settings.traits, learning), *too_many(chosen, "latent classes", "5 to 20")]
    items, codes, learning = _answers(chosen, learning, warnings)
    finder = latent.LatentFinder(tuple(_answers_of(item) for item in items), tuple(bool(item.cuts) for item in items))
    most = finder.most(finder.table(codes, learning.row_weights))
    asked = None if settings.segments == "auto" else settings.segments
    _require(asked or FEWEST, most, len(items), learning)
    selected = choose(finder, codes.astype(np.float64), learning, settings, forming=[item.trait for item in items])
    model = selected.solution.model
    rule = _rule(items, codes, learning.row_weights, model)
    return Fitted(
        rule,
        tuple(Segment(name=f"Group {i + 1}", criteria="most probable given the answers") for i in range(model.k)),
        {
            **selected.report,
            "because": f"{selected.report['because']} {_by_bic(selected.report['panel'])} {_clearness(model)}",
            "log_likelihood": exact(model.log_likelihood),
            "aic": exact(model.aic),
            "bic": exact(model.bic),
            "icl": exact(model.icl),
            "entropy": exact(model.relative_entropy),
            "replications": model.replications,
            "starts": model.starts,
            "traits": [item.trait for item in items],
            "warnings": [*warnings, *selected.warnings, *_doubts(model)],
        },
    )


def _by_bic(panel: Sequence[Mapping[str, Any]]) -> str:
    """What the information criterion alone says."""
    best = min(panel, key=lambda row: float(row["bic"]))
    if len(panel) == 1:
        return f"Its BIC is {best['bic']:.0f}."
    return f"By BIC alone it would be {best['k']} classes (of {panel[0]['k']} to {panel[-1]['k']})."


_CLEAR, _FAIR = 0.8, 0.6  # Clark & Muthén 2009: relative entropy from where classes are told apart well, fairly


def _clearness(model: latent.LatentClasses) -> str:
    """How well the answers tell in which class somebody is."""
    clear = model.relative_entropy
    how = "well" if clear >= _CLEAR else "fairly" if clear >= _FAIR else "badly"
    return f"The answers tell the classes apart {how} (relative entropy {clear:.2f}; 1: nobody could be in another)."


def _doubts(model: latent.LatentClasses) -> list[str]:
    """What speaks against trusting the search."""
    found = []
    if model.replications == 1:
        found.append(
            f"Only 1 of {model.starts} starts found this likelihood, so another seed may find other segments: "
            "fewer segments are surer."
        )
    if not model.converged:
        found.append("The search had not come to rest when it was stopped: fewer segments are surer.")
    if model.relative_entropy < _FAIR:
        found.append(
            "Many people could as well be in another class: use the fit of each, or fewer segments, or traits whose "
            "answers differ more."
        )
    return found


def _require(k: int, most: int, items: int, learning: Learning) -> None:
    if k > most:
        raise FitError(
            f"{learning.where}: {k} latent classes were asked for; the answers to {items} "
            f"{'trait' if items == 1 else 'traits'} can tell only {most} apart.",
            why="There must be more patterns of answers, and more that occur, than the classes have probabilities.",
            fix="Ask for fewer segments, or add traits.",
        )


# From traits to answers -----------------------------------------------------------------------------------------------


def _answers(
    chosen: Sequence[Trait], learning: Learning, warnings: list[str]
) -> tuple[tuple[Item, ...], Codes, Learning]:
    """The items, still without probabilities, and the codes of those of whom at least half of the items are known."""
    items = [item for trait in chosen if (item := _item(trait, learning, warnings)) is not None]
    if not items:
        raise FitError(
            f"{learning.where}: no trait has two different answers.",
            why=f"Looked at: {', '.join(t.name for t in chosen)}.",
            fix="Choose traits that customers differ in; `segmentry show traits` lists them.",
        )
    codes = _coded(items, learning)
    kept = [j for j in range(len(items)) if not _says_the_same(items, codes, j, warnings)]
    codes, items = codes[:, kept], [items[j] for j in kept]
    kept_rows = known_by_half(list((codes != NOT_ANSWERED).T), [item.trait for item in items], learning)
    return tuple(items), codes[kept_rows], learning.only(kept_rows)


def _item(trait: Trait, learning: Learning, warnings: list[str]) -> Item | None:
    """How a trait becomes answers; None, with a warning, where it has not two of them."""
    answered = learning.sample[trait.name].dropna()
    item = None
    if trait.kind == "number":
        item = _banded(trait, learning, warnings)
    elif trait.kind == "category":
        counts = answered.value_counts()
        # of equally frequent ones the first by name, so that the order of the rows does not matter
        levels = sorted(map(str, counts.index), key=lambda level: (-int(counts[level]), level))
        if len(levels) > MOST_ANSWERS:
            share = float(counts[levels[:MOST_ANSWERS]].sum() / counts.sum())
            warnings.append(
                f"{trait.name}: of {len(levels)} different answers the {MOST_ANSWERS} most frequent count "
                f"({100 * share:.0f} % of all); the others count as not known."
            )
        if len(levels) > 1:
            item = Item(trait.name, (), levels=tuple(levels[:MOST_ANSWERS]))
    elif answered.nunique() > 1:
        item = Item(trait.name, ())
    if item is None:
        warnings.append(same_for_everybody(trait.name))
    return item


def _banded(trait: Trait, learning: Learning, warnings: list[str]) -> Item | None:
    """A number as answers: each of a few different values is one, of many every fifth of the customers."""
    name, kept = trait.name, known(trait, learning)
    values, weights = (
        learning.sample[name].to_numpy(dtype=np.float64, na_value=np.nan)[kept],
        learning.row_weights[kept],
    )
    different = np.unique(values)
    if len(different) < 2:
        return None
    if len(different) <= FEW_VALUES:
        return Item(name, (), cuts=tuple(exact(float(value)) for value in different[1:]))
    ends = {q for share in _BANDS if (q := quantile(values, share, weights)) > different[0]}
    cuts = tuple(exact(cut) for cut in sorted(ends or {float(different[1])}))
    told = ", ".join(figure(cut) for cut in cuts)
    warnings.append(
        f"{name} is a number and enters as {len(cuts) + 1} bands, cut at {told}: latent classes know whether answers "
        "differ, not by how much. For amounts use kmeans or mixtures."
    )
    return Item(name, (), cuts=cuts)


def _coded(items: Sequence[Item], learning: Learning) -> Codes:
    """(n, p) the answers of the sample, by the expression that also places the base."""
    made = worked_out(
        learning.sample,
        (item.trait for item in items),
        lambda traits: [item.code(traits).fill_null(NOT_ANSWERED) for item in items],
    )
    return made.to_numpy(dtype=np.int64)


def _says_the_same(items: Sequence[Item], codes: Codes, j: int, warnings: list[str]) -> bool:
    """Whether an item only repeats one before it: to the model it would be a second witness."""
    for i in range(j):
        both = codes[(codes[:, i] != NOT_ANSWERED) & (codes[:, j] != NOT_ANSWERED)][:, [i, j]]
        width = int(both[:, 1].max(initial=0)) + 1
        pairs = np.unique(both[:, 0] * width + both[:, 1])  # one number a pair: rows take fifty times as long to sort
        answers = min(_answers_of(items[i]), _answers_of(items[j]))
        one_to_one = len(np.unique(pairs // width)) == len(np.unique(pairs % width)) == len(pairs) >= answers
        if one_to_one:
            warnings.append(f"{items[j].trait} is left out: it says the same as {items[i].trait}.")
            return True
    return False


def _answers_of(item: Item) -> int:
    return len(item.levels) or len(item.cuts) + 1 if item.levels or item.cuts else 2


# From classes to a rule -----------------------------------------------------------------------------------------------


def _rule(items: Sequence[Item], codes: Codes, weights: Numbers, model: latent.LatentClasses) -> Classes:
    """The rule that places by a model, and how unlike its class somebody may be.

    To every class one person is added who answers like everybody (the Bayes constant of Vermunt & Magidson 2016), so
    that an answer that nobody of a class gave is rare there, not impossible.
    """
    members = model.shares * model.respondents
    with_logs = []
    for item, column, table in zip(items, codes.T, model.probabilities, strict=True):
        given = column != NOT_ANSWERED
        counts = np.bincount(column[given], weights[given], table.shape[1]) + 1.0
        smoothed = (members[:, None] * table + counts / counts.sum()) / (members[:, None] + 1.0)
        with_logs.append(replace(item, logs=tuple(tuple(exact(float(v)) for v in row) for row in np.log(smoothed))))
    rule = Classes(tuple(exact(float(v)) for v in np.log(model.shares)), tuple(with_logs), limit=0.0)
    return replace(rule, limit=exact(_limit(rule.person_fit(codes), weights)))


def _limit(person_fit: Numbers, weights: Numbers) -> float:
    """Below this there is no good fit: half as far again as 99 of 100 members, so that only strangers fall out."""
    return min(1.5 * quantile(person_fit, 0.01, weights), -1.0)
