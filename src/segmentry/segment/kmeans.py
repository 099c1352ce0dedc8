"""K-means: groups of similar customers by the traits that form them.

The traits are prepared as ``variables`` says. The number of segments is chosen by the panel of ``stats.choosing``
(Dolnicar, Grün & Leisch 2018); where nothing is reproducible the report says that the segments are a constructive cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from segmentry.catalogue import Trait
from segmentry.config import KMeans
from segmentry.errors import FitError
from segmentry.placement import Nearest, Prep, exact
from segmentry.segment.fitting import Fitted, Learning, Numbers, prepared, quantile
from segmentry.segment.variables import MOST, going_round, levels, number, variables
from segmentry.segmentation import Segment
from segmentry.stats import choosing, clustering

KS = range(2, 9)
# The panel needs hundreds of clusterings: it works on this many customers; the chosen k is then fitted on all.
PANEL_ROWS = 2_000
STARTS = 25
# Without a list: what describes how somebody buys, in few traits; many correlated ones would weigh double.
DEFAULT = ("recency_days", "frequency", "monetary", "average_order_value", "return_rate", "discount_share")


def fit(settings: KMeans, learning: Learning) -> Fitted:
    """Choose the number of segments (or take the one given), cluster the sample, freeze centres and preparation.

    Raises :class:`FitError` when fewer different customers than segments are there, or no trait varies.
    """
    chosen = variables(settings.traits, DEFAULT, learning)
    warnings = going_round(settings.traits, learning)
    if len(chosen) > MOST:
        warnings.append(f"{len(chosen)} traits are many for k-means: distances blur. Choose the 5 to 12 that matter.")
    # Who will be placed as "no data" must not form segments.
    known = learning.sample[[t.name for t in chosen]].notna().sum(axis=1)
    learning = learning.only(known * 2 >= len(chosen))
    if learning.sample.empty:
        raise FitError(f"{learning.where}: no customer has half of these traits: {', '.join(t.name for t in chosen)}.")
    prep, used = _preparation(chosen, learning, warnings)
    data = prepared(prep, learning.sample)
    asked = None if settings.segments == "auto" else settings.segments
    evidence, verdict = _choose(data, learning, asked)
    solution = _solution(data, asked, verdict, learning, warnings)
    k, weights = solution.k, learning.row_weights
    distances = np.sqrt(((data - solution.centres[solution.labels]) ** 2).sum(axis=1))
    within = [(distances[solution.labels == i], weights[solution.labels == i]) for i in range(k)]
    rule = Nearest(
        prep,
        tuple(tuple(exact(float(c)) for c in centre) for centre in solution.centres),
        tuple(exact(quantile(away, 0.5, weight)) for away, weight in within),
        tuple(exact(_limit(away, weight)) for away, weight in within),
    )
    segments = tuple(Segment(name=f"Group {i + 1}", criteria="closest to the segment's centre") for i in range(k))
    return Fitted(
        rule,
        segments,
        {
            "k": k,
            "asked": asked,
            "verdict": verdict.structure,
            "because": verdict.sentence,
            "panel": [_row(option) for option in evidence.options],
            "passed": list(verdict.passed),
            "sse": solution.sse,
            "sizes": [round(n) for n in solution.sizes],
            "traits": used,
            "warnings": warnings,
        },
    )


def _choose(data: Numbers, learning: Learning, asked: int | None) -> tuple[choosing.Panel, choosing.Verdict]:
    """The evidence on the numbers of segments, and what the default rule makes of it."""
    how = replace(choosing.INTERACTIVE, seed=learning.seed)
    ks = [asked] if asked else KS
    weights = learning.row_weights
    evidence = choosing.panel(data, ks, weights=weights, how=how, max_rows=PANEL_ROWS, progress=learning.progress)
    return evidence, choosing.decide(evidence)


def _solution(
    data: Numbers, asked: int | None, verdict: choosing.Verdict, learning: Learning, warnings: list[str]
) -> clustering.KMeansSolution:
    """The best solution on the whole sample, of the largest accepted number whose segments are all large enough.

    The panel saw a part of the sample; on the whole of it a handful of strangers can take a segment of their own.
    """
    wanted = [asked] if asked else sorted({verdict.k, *verdict.passed}, reverse=True)
    wanted = [k for k in wanted if asked or k <= verdict.k] + ([] if asked else list(range(verdict.k - 1, 1, -1)))
    for k in dict.fromkeys(wanted):
        solution = clustering.kmeans(data, k, weights=learning.row_weights, starts=STARTS, seed=learning.seed)
        smallest = float(solution.sizes.min() / solution.sizes.sum())
        if smallest >= choosing.MIN_SHARE:
            if k != (asked or verdict.k):
                warnings.append(f"{verdict.k} segments were taken down to {k}: of more, one holds under 5 % of all.")
            return solution
    warnings.append(f"The smallest of the {solution.k} segments holds only {100 * smallest:.1f} % of the customers.")
    return solution


def _row(option: choosing.Option) -> dict[str, Any]:
    return {
        "k": option.k,
        "ari": [exact(float(a)) for a in option.ari],
        "mean_ari": exact(option.mean_ari),
        "jaccard": [exact(float(j)) for j in option.jaccard],
        "min_jaccard": exact(option.min_jaccard),
        "smallest_share": exact(option.smallest_share),
        "sse": exact(option.solution.loss),
        "failures": list(option.failures),
    }


def _limit(distances: Numbers, weights: Numbers) -> float:
    """Beyond this there is no good fit: half as far again as 99 of 100 members, so that only strangers fall out."""
    return 1.5 * quantile(distances, 0.99, weights) if distances.max() > 0 else 1.0


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
            warnings.append(f"{trait.name} is the same for everybody (or not known) and was left out.")
    if not prep:
        raise FitError(
            f"{learning.where}: all customers are the same in {', '.join(t.name for t in chosen)}.",
            why="There is nothing to form segments from.",
            fix="Choose traits that differ between customers; `segmentry show traits` lists them.",
        )
    return tuple(prep), used
