"""k-prototypes: groups of similar customers by numbers and categories together, where some are not known of everybody.

Numbers are prepared as ``variables`` says, but what is not known is not filled in: it is left out of the distance
(``stats.prototypes``). Categories and yes/no traits count as they are. How many segments there are is chosen by the
panel of evidence (``choose``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from segmentry.catalogue import Trait
from segmentry.config import KPrototypes
from segmentry.errors import FitError
from segmentry.placement import NO, YES, Category, Prep, Prototypes, exact
from segmentry.segment.choose import choose
from segmentry.segment.fitting import Fitted, Learning, Numbers, prepared, reach
from segmentry.segment.redundant import redundant
from segmentry.segment.variables import (
    going_round,
    known,
    number,
    placeable,
    require_difference,
    same_for_everybody,
    too_many,
    variables,
)
from segmentry.segmentation import Segment
from segmentry.stats import prototypes

if TYPE_CHECKING:
    import pandas as pd  # half a second to import, which reading commands do without

# Without a list: how somebody buys, in few traits of both kinds.
DEFAULT = ("recency_days", "frequency", "monetary", "average_order_value", "top_category", "preferred_channel")
MOST_LEVELS = 30  # with more of them hardly anybody has the most frequent one


def fit(settings: KPrototypes, learning: Learning) -> Fitted:
    """Choose the number of segments (or take the one given), find prototypes on the sample, freeze them.

    Raises :class:`FitError` when fewer different customers than segments are there, or no trait varies.
    """
    warnings = going_round(settings.traits, learning)
    chosen = _variables(settings, learning, warnings)
    learning = placeable(chosen, learning)
    prep, levels = _preparation(chosen, learning, warnings)
    used = [*(p.trait for p in prep), *levels]
    learning = placeable([learning.specs[name] for name in used], learning)
    rows = _rows(prep, levels, learning)
    if not levels:
        warnings.append("There is no category among the traits: k-prototypes is then k-means that allows gaps.")
    weights = learning.row_weights
    gamma = prototypes.balanced(rows, len(levels), weights) if settings.gamma == "auto" else settings.gamma
    finder = prototypes.PrototypesFinder(len(levels), exact(gamma))
    selected = choose(finder, rows, learning, settings, forming=used)
    solution = selected.solution
    if not solution.sizes.all():
        raise FitError(
            f"{learning.where}: of {solution.k} segments {int((solution.sizes == 0).sum())} would be empty.",
            why="Too few customers differ in what is known of them.",
            fix="Ask for fewer segments, or add traits that tell these customers apart.",
        )
    away = prototypes.distances(rows, solution.prototypes, solution.gamma)
    distances = np.sqrt(away[solution.labels, np.arange(len(rows))])
    typical, limit = reach(distances, solution.labels, weights, solution.k)
    rule = Prototypes(
        prep,
        tuple(
            Category(name, learning.specs[name].kind, tuple(found[int(code)] for code in codes))
            for (name, found), codes in zip(levels.items(), solution.prototypes.modes.T, strict=True)
        ),
        exact(solution.gamma),
        tuple(tuple(exact(float(c)) for c in centre) for centre in solution.prototypes.numbers),
        typical,
        limit,
    )
    segments = tuple(Segment(name=f"Group {i + 1}", criteria="closest to the prototype") for i in range(solution.k))
    own = {
        "cost": solution.cost,
        "gamma": solution.gamma,
        "replications": solution.replications,
        "starts": solution.starts,
    }
    return Fitted(
        rule, segments, {**selected.report, **own, "traits": used, "warnings": [*warnings, *selected.warnings]}
    )


def _variables(settings: KPrototypes, learning: Learning, warnings: list[str]) -> list[Trait]:
    chosen = variables(settings.traits, DEFAULT, learning, categories=True)
    warnings += too_many(chosen, "k-prototypes: distances blur", "5 to 12")
    wide = [t for t in chosen if t.kind == "category" and learning.sample[t.name].nunique() > MOST_LEVELS]
    if settings.traits == ("auto",):
        return [t for t in chosen if t not in wide]
    for trait in wide:
        warnings.append(
            f"{trait.name} has {learning.sample[trait.name].nunique()} levels, so most customers differ in it from"
            " every prototype. Group the levels, or leave it out."
        )
    return chosen


def _preparation(
    chosen: Sequence[Trait], learning: Learning, warnings: list[str]
) -> tuple[tuple[Prep, ...], dict[str, list[str]]]:
    """How numbers are prepared, and the levels of the categories, in the order of their codes."""
    prep: list[Prep] = []
    levels: dict[str, list[str]] = {}
    for trait in chosen:
        if trait.kind == "number":
            made = number(trait, learning)
            prep += made
        else:
            found = sorted(_levels(trait, learning).dropna().unique())
            made = found if len(found) > 1 else []
            if made:
                levels[trait.name] = found
        if not made:
            warnings.append(same_for_everybody(trait.name))
    if prep:
        kept = redundant(prepared(prep, learning.sample), [p.trait for p in prep], learning.row_weights, warnings)
        prep = [p for p, keep in zip(prep, kept, strict=True) if keep]
    require_difference([*prep, *levels], chosen, learning)
    return tuple(prep), levels


def _levels(trait: Trait, learning: Learning) -> pd.Series:
    values = learning.sample[trait.name].astype(object)
    known = values.notna()
    if trait.kind == "boolean":
        return values.where(~known, values.eq(True).map({True: YES, False: NO})).where(known, None)
    return values.where(~known, values.astype(str)).where(known, None)


def _rows(prep: Sequence[Prep], levels: dict[str, list[str]], learning: Learning) -> Numbers:
    """The table of the finder: prepared numbers, then codes, NaN where not known."""
    columns = []
    if prep:
        numbers = prepared(prep, learning.sample)
        for j, p in enumerate(prep):
            columns.append(np.where(known(learning.specs[p.trait], learning), numbers[:, j], np.nan))
    for name, found in levels.items():
        codes = {level: float(i) for i, level in enumerate(found)}
        columns.append(_levels(learning.specs[name], learning).map(codes).to_numpy(dtype=np.float64, na_value=np.nan))
    return np.column_stack(columns)
