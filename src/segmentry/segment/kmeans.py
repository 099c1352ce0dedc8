"""K-means: groups of similar customers by the traits that form them.

The traits are prepared as ``variables`` says. The number of segments is chosen as ``choose`` says; where nothing
is reproducible the report says that the segments are a constructive cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from segmentry.catalogue import Trait
from segmentry.config import KMeans
from segmentry.placement import Nearest, Prep, exact
from segmentry.segment.choose import choose
from segmentry.segment.fitting import Fitted, Learning, prepared, reach
from segmentry.segment.variables import (
    going_round,
    levels,
    number,
    placeable,
    require_difference,
    same_for_everybody,
    too_many,
    variables,
)
from segmentry.segmentation import Segment
from segmentry.stats.clustering import KMeansFinder

# Without a list: what describes how somebody buys, in few traits; many correlated ones would weigh double.
DEFAULT = ("recency_days", "frequency", "monetary", "average_order_value", "return_rate", "discount_share")


def fit(settings: KMeans, learning: Learning) -> Fitted:
    """Choose the number of segments (or take the one given), cluster the sample, freeze centres and preparation.

    Raises :class:`FitError` when fewer different customers than segments are there, or no trait varies.
    """
    chosen = variables(settings.traits, DEFAULT, learning)
    warnings = [
        *going_round(settings.traits, learning),
        *too_many(chosen, "k-means: distances blur", "5 to 12"),
    ]
    learning = placeable(chosen, learning)
    prep, used = _preparation(chosen, learning, warnings)
    data = prepared(prep, learning.sample)
    traits = [p.trait for p in prep]
    selected = choose(
        KMeansFinder(), data, learning, settings, forming=used, blocks=[traits.index(trait) for trait in traits]
    )
    solution = selected.solution
    k = solution.k
    distances = np.sqrt(((data - solution.centres[solution.labels]) ** 2).sum(axis=1))
    typical, limit = reach(distances, solution.labels, learning.row_weights, k)
    rule = Nearest(
        prep,
        tuple(tuple(exact(float(c)) for c in centre) for centre in solution.centres),
        typical,
        limit,
    )
    segments = tuple(Segment(name=f"Group {i + 1}", criteria="closest to the segment's centre") for i in range(k))
    return Fitted(
        rule,
        segments,
        {
            **selected.report,
            "sse": solution.sse,
            "traits": used,
            "warnings": [*warnings, *selected.warnings],
        },
    )


def _preparation(
    chosen: Sequence[Trait], learning: Learning, warnings: list[str]
) -> tuple[tuple[Prep, ...], list[str]]:
    prep: list[Prep] = []
    used: list[str] = []
    mixed = [t.name for t in chosen if t.kind == "category"]
    if mixed:
        warnings.append(
            f"{', '.join(mixed)}: categories count as yes/no columns, which k-means treats as numbers. "
            "Read the result with care, or use numeric traits only."
        )
    for trait in chosen:
        made = levels(trait, learning) if trait.kind == "category" else number(trait, learning)
        if made:
            prep += made
            used.append(trait.name)
        else:
            warnings.append(same_for_everybody(trait.name))
    if all(t.kind == "boolean" for t in chosen):
        # Answers share a scale already; z-scores would let the rare ones weigh most (Dolnicar et al. 2018, 6.3).
        prep = [replace(p, scale=1.0) for p in prep]
    require_difference(prep, chosen, learning)
    return tuple(prep), used
