"""Would the same segments come back if the customers were sampled anew?

Global stability compares whole solutions (Dolnicar & Leisch 2010, "Evaluation of structure and reproducibility of
cluster solutions using the bootstrap"). Segment level stability looks at each segment of one solution (Hennig 2007,
"Cluster-wise assessment of cluster stability"). Both draw bootstrap samples, cluster each, and assign all rows to the
segment they are most like. How a sample is clustered is the finder's business (``finding``), and part of the
measurement. Segment level stability across solutions looks at where the members of a segment of k segments come from in
the solution with fewer (Dolnicar & Leisch 2017, "Using segment level stability to select target segments in
data-driven market segmentation studies").
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from segmentry.errors import FitError
from segmentry.stats.clustering import KMeansFinder
from segmentry.stats.descent import Distinct, Floats, Ints
from segmentry.stats.finding import Finder, Solution, require_distinct

Progress = Callable[[int, int], None]

FEWEST_ROWS = 10  # below, a bootstrap sample holds only six different rows and says nothing
WORKERS = min(4, os.cpu_count() or 1)
HIGH, VALID, DOUBTFUL = 0.85, 0.75, 0.60  # Hennig 2007, section 4; fpc::clusterboot
_KMEANS = KMeansFinder()


@dataclass(frozen=True)
class Resampling:
    """How a stability was measured; without it the figures mean nothing.

    Attributes:
        pairs: pairs of bootstrap samples.
        starts: starts on each sample, the best is kept.
        seed: at least 0; the same seed gives the same figures.
        more: further pairs for a number of segments whose mean is too close to a limit to call.
    """

    pairs: int = 50
    starts: int = 25
    seed: int = 0
    more: int = 0


@dataclass(frozen=True)
class GlobalStability:
    """Adjusted Rand index of pairs of bootstrap solutions, for each number of segments.

    Attributes:
        ari: for each k, (pairs,) indices; 1 is the same solution twice, 0 what chance gives.
        how: the pairs, starts and seed behind the figures.
    """

    ari: Mapping[int, Floats]
    how: Resampling

    def mean(self, k: int) -> float:
        """Mean over the pairs."""
        return float(self.ari[k].mean())

    def median(self, k: int) -> float:
        """Median over the pairs."""
        return float(np.median(self.ari[k]))

    def quantiles(self, k: int, at: tuple[float, ...] = (0.05, 0.25, 0.75, 0.95)) -> tuple[float, ...]:
        """Quantiles over the pairs."""
        return tuple(float(q) for q in np.quantile(self.ari[k], at))


@dataclass(frozen=True)
class SegmentStability:
    """How well each segment of one solution comes back in bootstrap samples.

    Attributes:
        jaccard: (k,) mean over the 2 x pairs samples of the best Jaccard index that any new segment has with this one.
        how: the pairs, starts and seed behind the figures.
    """

    jaccard: Floats
    how: Resampling

    @property
    def verdicts(self) -> tuple[str, ...]:
        """For each segment "high" (at least .85), "valid" (.75), "weak" or "do not trust" (below .60)."""
        return tuple(trust(value) for value in self.jaccard)


def trust(jaccard: float) -> str:
    """The word for a segment's mean Jaccard index.

    >>> [trust(value) for value in (0.9, 0.8, 0.7, 0.5)]
    ['high', 'valid', 'weak', 'do not trust']
    """
    if jaccard >= HIGH:
        return "high"
    if jaccard >= VALID:
        return "valid"
    return "weak" if jaccard >= DOUBTFUL else "do not trust"


def global_stability(
    x: ArrayLike,
    ks: Iterable[int],
    *,
    weights: ArrayLike | None = None,
    pairs: int = 50,
    starts: int = 25,
    seed: int = 0,
    finder: Finder[Any] = _KMEANS,
    progress: Progress | None = None,
) -> GlobalStability:
    """Cluster pairs of bootstrap samples and compare how they group all rows.

    Args:
        x: (n, p) complete numbers on comparable scales; n at least 10.
        ks: numbers of segments, each at least 1.
        weights: (n,) customers per row. They weigh in the clustering; the index counts rows.
        pairs, starts, seed: see ``Resampling``.
        finder: how segments are found, by default k-means.
        progress: called with (samples done, samples in all).

    Raises:
        FitError: fewer than 10 rows, missing values, fewer distinct rows than segments.

    The figures of one k do not depend on which other ks are asked for. O(pairs starts iterations u k p) for each k,
    with u distinct rows: pass a sample of at most some thousand rows.
    """
    how = Resampling(pairs, starts, seed)
    ari, _ = measure(finder, finder.table(x, weights), list(ks), {}, how, progress)
    return GlobalStability(ari, how)


def segment_stability(
    x: ArrayLike,
    solution: Solution,
    *,
    weights: ArrayLike | None = None,
    pairs: int = 50,
    starts: int = 25,
    seed: int = 0,
    finder: Finder[Any] = _KMEANS,
    progress: Progress | None = None,
) -> SegmentStability:
    """For each segment of a solution, how much of it comes back when bootstrap samples are clustered.

    Args:
        x: (n, p) the table that was clustered.
        solution: what the finder made of it.
        weights, pairs, starts, seed, finder, progress: as for ``global_stability``.

    Raises:
        FitError: as ``global_stability``, or the solution is of another table.
    """
    data = finder.table(x, weights)
    if solution.labels.shape != data.inverse.shape:
        raise FitError(
            f"The solution labels {len(solution.labels)} rows, the table has {len(data.inverse)}.",
            why="Stability is judged on the table that was clustered.",
            fix="Pass the same rows to the finder and to segment_stability.",
        )
    how = Resampling(pairs, starts, seed)
    _, jaccard = measure(finder, data, [solution.k], {solution.k: of_distinct(data, solution)}, how, progress)
    return SegmentStability(jaccard[solution.k], how)


def of_distinct(data: Distinct, solution: Solution) -> Ints:
    """(u,) labels of the distinct rows."""
    labels = np.zeros(len(data.values), dtype=np.int64)
    labels[data.inverse] = solution.labels
    return labels


def measure(
    finder: Finder[Any],
    data: Distinct,
    ks: list[int],
    original: Mapping[int, Ints],
    how: Resampling,
    progress: Progress | None,
    *,
    further: bool = False,
) -> tuple[dict[int, Floats], dict[int, Floats]]:
    """Both stabilities from the same bootstrap samples.

    Args:
        original: for each k of interest, (u,) labels of the solution whose segments are judged; may be empty.
        further: draw the pairs ``how.more`` that come after the first.

    Returns:
        For each k, (pairs,) adjusted Rand indices; for each k of ``original``, (k,) mean best Jaccard indices.
    """
    require_measurable(data, ks, how)
    ari: dict[int, list[float]] = {k: [] for k in ks}
    jaccard: dict[int, list[Floats]] = {k: [] for k in original}
    samples = 2 * (how.more if further else how.pairs)
    drawn = range(2 * how.pairs, 2 * how.pairs + samples) if further else range(samples)
    before: dict[int, Ints] = {}
    with ThreadPoolExecutor(WORKERS) as pool:  # numpy works outside the interpreter lock; samples share nothing
        for sample, labels in enumerate(pool.map(partial(_bootstrap_labels, finder, data, ks, how), drawn)):
            if sample % 2:
                for k in ks:
                    ari[k].append(adjusted_rand_of_counts(_contingency(before[k], labels[k], data.counts, (k, k))))
            for k, segments in original.items():
                jaccard[k].append(_best_jaccard(_contingency(segments, labels[k], data.counts, (k, k))))
            before = labels
            if progress is not None:
                progress(sample + 1, samples)
    means = {k: np.mean(values, axis=0) for k, values in jaccard.items()}
    return {k: np.array(values) for k, values in ari.items()}, means


def require_measurable(data: Distinct, ks: list[int], how: Resampling) -> None:
    """Raise FitError if stability cannot be measured."""
    if len(data.inverse) < FEWEST_ROWS:
        raise FitError(
            f"There are only {len(data.inverse)} rows.",
            why=f"Whether segments would come back in another sample cannot be judged from fewer than {FEWEST_ROWS}.",
            fix="Widen the population, or set segments by rules instead.",
        )
    if min(ks, default=0) < 1 or how.pairs < 1 or how.starts < 1:
        raise FitError(
            f"Stability of {ks} segments from {how.pairs} pairs of samples and {how.starts} starts.",
            why="Each of these numbers must be at least 1.",
        )
    require_distinct(data, max(ks))


def _bootstrap_labels(
    finder: Finder[Any], data: Distinct, ks: list[int], how: Resampling, sample: int
) -> dict[int, Ints]:
    """Draw one bootstrap sample, cluster it for every k, and place all distinct rows."""
    n = len(data.inverse)
    drawn = np.bincount(np.random.default_rng([how.seed, sample]).integers(n, size=n), minlength=n)
    weights: Floats = np.bincount(data.inverse, drawn * data.row_weights, len(data.values)).astype(np.float64)
    resample = data.weighted(weights if weights.any() else data.weights)  # all zero only if nearly all weights are
    labels = {}
    for k in ks:
        found = finder.again(resample, k, how.starts, np.random.default_rng([how.seed, sample, k]))
        labels[k] = found.classify(data.values)
    return labels


def adjusted_rand(a: ArrayLike, b: ArrayLike) -> float:
    """Agreement of two groupings of the same rows, corrected for chance (Hubert & Arabie 1985, eq. 5).

    Args:
        a: (n,) labels, integers from 0. b: (n,) likewise. The names of the labels do not matter.

    >>> adjusted_rand([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    """
    return adjusted_rand_of_counts(_contingency(np.asarray(a), np.asarray(b)))


def adjusted_rand_of_counts(table: Floats) -> float:
    """:func:`adjusted_rand` of groupings that are given as the (groups, other groups) counts of their rows."""

    def pairs(counts: Floats) -> float:
        return float((counts * (counts - 1)).sum()) / 2

    both, in_a, in_b = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    everything = pairs(table.sum(keepdims=True))
    if in_a == in_b and in_a in (0.0, everything):  # all rows apart, or all together, in both
        return 1.0
    expected = in_a * in_b / everything
    return (both - expected) / ((in_a + in_b) / 2 - expected)


def best_jaccard(original: ArrayLike, other: ArrayLike) -> Floats:
    """(k,) for each segment of ``original`` the largest Jaccard index with any segment of ``other``.

    >>> best_jaccard([0, 0, 0, 1], [1, 1, 0, 0]).round(3)
    array([0.667, 0.5  ])
    """
    return _best_jaccard(_contingency(np.asarray(original), np.asarray(other)))


def _contingency(a: Ints, b: Ints, counts: Floats | None = None, shape: tuple[int, int] | None = None) -> Floats:
    rows, columns = shape or (int(a.max()) + 1, int(b.max()) + 1)
    table: Floats = np.bincount(a * columns + b, counts, rows * columns).astype(np.float64)
    return table.reshape(rows, columns)


def _best_jaccard(table: Floats) -> Floats:
    union = table.sum(axis=1, keepdims=True) + table.sum(axis=0) - table
    jaccard: Floats = (table / np.where(union > 0, union, 1.0)).max(axis=1)
    return jaccard
