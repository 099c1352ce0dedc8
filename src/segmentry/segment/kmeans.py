"""K-means: groups of similar customers by the traits that form them.

Amounts and counts are skewed: they are cut off at their 0.5 and 99.5 % quantiles and put on a log scale when that takes
skewness away, then every trait counts the same (z-scores). The number of segments is chosen by the panel of
``stats.choosing`` (Dolnicar, Grün & Leisch 2018); where nothing is reproducible the report says that the segments are
a constructive cut.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from segmentry.catalogue import Trait
from segmentry.config import KMeans
from segmentry.errors import FitError, did_you_mean
from segmentry.placement import Nearest, Prep, exact
from segmentry.segment.fitting import Fitted, Learning, Numbers, prepared
from segmentry.segmentation import Segment
from segmentry.stats import choosing, clustering

KS = range(2, 9)
# The panel needs hundreds of clusterings: it works on this many customers; the chosen k is then fitted on all.
PANEL_ROWS = 2_000
STARTS = 25
_CUT_OFF = 0.005
# Without a list: what describes how somebody buys, in few traits; many correlated ones would weigh double.
DEFAULT = ("recency_days", "frequency", "monetary", "average_order_value", "return_rate", "discount_share")
_MOST = 20
_MOST_LEVELS = 8


def fit(settings: KMeans, learning: Learning) -> Fitted:
    """Choose the number of segments (or take the one given), cluster the sample, freeze centres and preparation.

    Raises :class:`FitError` when fewer different customers than segments are there, or no trait varies.
    """
    chosen, warnings = _variables(settings, learning)
    # Who will be placed as "no data" must not form segments.
    known = learning.sample[[t.name for t in chosen]].notna().sum(axis=1)
    learning = replace(learning, sample=learning.sample[known * 2 >= len(chosen)])
    if learning.sample.empty:
        raise FitError(f"{learning.where}: no customer has half of these traits: {', '.join(t.name for t in chosen)}.")
    prep, used = _preparation(chosen, learning, warnings)
    data = prepared(prep, learning.sample)
    asked = None if settings.segments == "auto" else settings.segments
    evidence, verdict = _choose(data, learning, asked)
    solution = _solution(data, asked, verdict, learning.seed, warnings)
    k = solution.k
    distances = np.sqrt(((data - solution.centres[solution.labels]) ** 2).sum(axis=1))
    rule = Nearest(
        prep,
        tuple(tuple(exact(float(c)) for c in centre) for centre in solution.centres),
        tuple(exact(float(np.median(distances[solution.labels == i]))) for i in range(k)),
        tuple(exact(_limit(distances[solution.labels == i])) for i in range(k)),
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
            "sizes": [int(n) for n in solution.sizes],
            "traits": used,
            "warnings": warnings,
        },
    )


def _choose(data: Numbers, learning: Learning, asked: int | None) -> tuple[choosing.Panel, choosing.Verdict]:
    """The evidence on the numbers of segments, and what the default rule makes of it."""
    how = replace(choosing.INTERACTIVE, seed=learning.seed)
    ks = [asked] if asked else KS
    evidence = choosing.panel(data, ks, how=how, max_rows=PANEL_ROWS, progress=learning.progress)
    return evidence, choosing.decide(evidence)


def _solution(
    data: Numbers, asked: int | None, verdict: choosing.Verdict, seed: int, warnings: list[str]
) -> clustering.KMeansSolution:
    """The best solution on the whole sample, of the largest accepted number whose segments are all large enough.

    The panel saw a part of the sample; on the whole of it a handful of strangers can take a segment of their own.
    """
    wanted = [asked] if asked else sorted({verdict.k, *verdict.passed}, reverse=True)
    wanted = [k for k in wanted if asked or k <= verdict.k] + ([] if asked else list(range(verdict.k - 1, 1, -1)))
    for k in dict.fromkeys(wanted):
        solution = clustering.kmeans(data, k, starts=STARTS, seed=seed)
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
        "sse": exact(option.solution.sse),
        "failures": list(option.failures),
    }


def _limit(distances: Numbers) -> float:
    """Beyond this there is no good fit: half as far again as 99 of 100 members, so that only strangers fall out."""
    return 1.5 * float(np.quantile(distances, 0.99)) if distances.max() > 0 else 1.0


def _variables(settings: KMeans, learning: Learning) -> tuple[list[Trait], list[str]]:
    """The traits that the patterns of the config mean, and warnings about those left out."""
    warnings: list[str] = []
    if settings.traits == ("auto",):
        names = [n for n in DEFAULT if n in learning.specs]
        names = names or [n for n, s in learning.specs.items() if s.kind != "category"][:_MOST]
    else:
        names = [n for pattern in settings.traits for n in _matches(pattern, learning)]
    found = [learning.specs[n] for n in dict.fromkeys(names)]
    if not found:
        raise FitError(f"{learning.where}: there is no numeric trait to form segments from.")
    if len(found) > _MOST:
        warnings.append(f"{len(found)} traits are many for k-means: distances blur. Choose the 5 to 12 that matter.")
    return found, warnings


def _matches(pattern: str, learning: Learning) -> list[str]:
    """Names of the traits that a pattern such as ``behavioral.*`` or ``spend_*`` means."""
    model, _, rest = pattern.rpartition(".")
    hits = [
        n for n, spec in learning.specs.items() if fnmatch.fnmatchcase(n, rest) and (not model or spec.model == model)
    ]
    if not hits:
        allowed = [*learning.specs, *(f"{m}.*" for m in {s.model.value for s in learning.specs.values()})]
        raise FitError(
            f"{learning.where}.traits: '{pattern}' matches no trait.",
            why=did_you_mean(pattern, allowed),
            fix=f"`segmentry show traits` lists all {len(learning.specs)}.",
        )
    return hits


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
        made = _levels(trait, learning) if trait.kind == "category" else _number(trait, learning)
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


def _number(trait: Trait, learning: Learning) -> list[Prep]:
    values = learning.sample[trait.name].to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[np.isfinite(values)]
    if known.size == 0 or known.min() == known.max():
        return []
    low, high = (float(q) for q in np.quantile(known, [_CUT_OFF, 1 - _CUT_OFF]))
    if low == high:  # one value nearly everywhere: the cut-off would leave nothing
        low, high = float(known.min()), float(known.max())
    clipped = np.clip(known, low, high)
    logged = np.sign(clipped) * np.log1p(np.abs(clipped))
    log = trait.kind == "number" and abs(_skewness(logged)) < abs(_skewness(clipped))
    scaled = logged if log else clipped
    return [
        Prep(
            trait.name,
            fill=exact(float(np.median(known))),
            centre=exact(float(scaled.mean())),
            scale=exact(float(scaled.std())),
            low=exact(low),
            high=exact(high),
            log=bool(log),
        )
    ]


def _levels(trait: Trait, learning: Learning) -> list[Prep]:
    """One yes/no column per frequent level, scaled so that the trait as a whole weighs like one number."""
    counts = learning.sample[trait.name].value_counts()
    levels = [str(level) for level in counts.index[:_MOST_LEVELS]]
    if len(levels) < 2:
        return []
    shares = {level: float((learning.sample[trait.name] == level).mean()) for level in levels}
    spread = sum(p * (1 - p) for p in shares.values()) ** 0.5
    return [
        Prep(trait.name, fill=0.0, centre=exact(p), scale=exact(spread), low=0.0, high=1.0, level=level)
        for level, p in shares.items()
    ]


def _skewness(values: Numbers) -> float:
    spread = values.std()
    return float((((values - values.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0
