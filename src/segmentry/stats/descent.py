"""Many k-means descents at once: the engine under ``clustering`` and ``stability``.

Three ideas make it quick. Equal rows are one row with a weight (survey answers repeat a lot). All starts descend
together, as one matrix product per block of rows. And a block is small enough to stay in the processor's cache, which
also keeps BLAS on one thread, so the answer does not depend on how many cores there are.

Symbols: n rows, u distinct rows, p columns, k segments, s starts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentry.errors import FitError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TIE = 1e-9  # squared distances closer than this are equal, and the lowest index wins (DESIGN, law 9)
# OpenBLAS starts threads for products of more than 4 * 65,536 multiplications (its interface/gemm.c).
_PRODUCT = 250_000
_MOVES = 16  # rows that are tried after one look at all
_LANES, _CELLS = 64, 65_536  # centres, or distances, that are handled together: enough to outweigh the interpreter


@dataclass(frozen=True)
class Distinct:
    """The distinct rows of a table, in lexical order, so that the order of the input does not matter.

    Attributes:
        values: (u, p) distinct rows minus ``origin``.
        weights: (u,) summed weight of the equal rows; above zero.
        counts: (u,) number of equal rows.
        inverse: (n,) for every input row, the index of its distinct row.
        row_weights: (n,) weight of every input row.
        origin: (p,) weighted mean of the input, taken off so that far away data lose no precision.
    """

    values: Floats
    weights: Floats
    counts: Floats
    inverse: Ints
    row_weights: Floats
    origin: Floats

    @cached_property
    def squares(self) -> Floats:
        """(u,) squared length of every row."""
        squares: Floats = np.einsum("ij,ij->i", self.values, self.values)
        return squares

    @cached_property
    def total(self) -> float:
        """Sum of squares about the weighted mean."""
        return float(self.weights @ self.squares)

    @cached_property
    def spread(self) -> float:
        """Root mean square distance per column from the mean: the yardstick of tolerances."""
        return math.sqrt(self.total / (float(self.weights.sum()) * self.values.shape[1]))

    def weighted(self, weights: Floats) -> Distinct:
        """The distinct rows under other weights (u,), less those of weight zero; it stands for no input rows."""
        kept, none = weights > 0, self.inverse[:0]
        return Distinct(self.values[kept], weights[kept], self.counts[kept], none, self.row_weights[:0], self.origin)


def compress(x: ArrayLike, weights: ArrayLike | None = None, *, centred: bool = True) -> Distinct:
    """Check a table and reduce it to its distinct rows.

    Args:
        x: (n, p) numbers, complete and finite. The caller scales the columns.
        weights: (n,) not negative, default 1 each. Rows of weight zero keep their place but shape nothing.
        centred: take off the mean, for distances; codes stay as they are, with an ``origin`` of zeros.

    Raises:
        FitError: no rows or columns, missing or infinite values, or weights that do not fit.
    """
    rows = np.asarray(x, dtype=np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise FitError(
            f"The table to cluster has the shape {rows.shape}.",
            why="Clustering needs at least one row and one column.",
            fix="Check the population and the traits of this segmentation.",
        )
    bad = ~np.isfinite(rows)
    if bad.any():
        raise FitError(
            f"{int(bad.any(axis=1).sum())} of {len(rows)} rows have a missing or infinite value"
            f" (first in column {int(bad.any(axis=0).argmax()) + 1}).",
            why="A distance to an unknown value is unknown.",
            fix="Fill in the gaps or leave out these rows before clustering.",
        )
    weight = checked_weights(weights, len(rows))
    values, inverse = np.unique(rows + 0.0, axis=0, return_inverse=True)  # + 0.0 makes -0.0 equal to 0.0
    inverse = inverse.ravel().astype(np.int64)
    summed: Floats = np.bincount(inverse, weight, len(values)).astype(np.float64)
    origin = np.array([summed @ column for column in values.T]) / summed.sum() * centred
    counts = np.bincount(inverse, minlength=len(values)).astype(np.float64)
    return Distinct(values - origin, summed, counts, inverse, weight, origin)


def checked_weights(weights: ArrayLike | None, n: int) -> Floats:
    """(n,) weights, 1 each by default; :class:`FitError` where one is negative or missing, or all are 0."""
    if weights is None:
        return np.ones(n)
    weight = np.asarray(weights, dtype=np.float64)
    if weight.shape != (n,) or not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise FitError(
            f"The weights of {n} rows are negative, missing, all zero, or {weight.shape} in number.",
            why="A weight says how many customers a row stands for.",
            fix="Give one number of at least 0 per row, and at least one above 0.",
        )
    return weight


def nearest(values: Floats, centres: Floats) -> tuple[Ints, Floats]:
    """The closest centre of every row and its squared distance, exactly as assignment in the database does it.

    Squares are summed left to right over the columns, and the lowest index within ``TIE`` of the smallest wins.

    Args:
        values: (n, p). centres: (k, p).

    Returns:
        (n,) index of the centre and (n,) squared distance.
    """
    squared = np.zeros((len(centres), len(values)))
    for j in range(values.shape[1]):
        squared += (values[:, j] - centres[:, j, None]) ** 2
    labels = (squared <= squared.min(axis=0) + TIE).argmax(axis=0).astype(np.int64)
    return labels, squared[labels, np.arange(len(values))]


def random_rows(data: Distinct, k: int, starts: int, rng: np.random.Generator) -> Floats:
    """(s, k, p) first centres: k different rows drawn by weight (Forgy's start, the one of the published studies)."""
    # Gumbel's trick: the k largest of log w + Gumbel noise are a weighted draw without replacement.
    keys = np.log(data.weights) + rng.gumbel(size=(starts, len(data.values)))
    drawn: Floats = data.values[np.argpartition(-keys, k - 1, axis=1)[:, :k]]
    return drawn


def plus_plus(data: Distinct, k: int, starts: int, rng: np.random.Generator) -> Floats:
    """(s, k, p) first centres far apart: k-means++ (Arthur & Vassilvitskii 2007), best of 2 + ln k candidates."""
    trials = 2 + int(math.log(k))
    centres = np.empty((starts, k, data.values.shape[1]))
    cumulated = data.weights.cumsum()
    for s in range(starts):
        first = _draw(cumulated, rng.random(1))[0]
        centres[s, 0] = data.values[first]
        closest = _squared_to(data, data.values[[first]])[0]
        for j in range(1, k):
            candidates = _draw((closest * data.weights).cumsum(), rng.random(trials))
            left = np.minimum(_squared_to(data, data.values[candidates]), closest)
            best = int((left @ data.weights).argmin())
            centres[s, j], closest = data.values[candidates[best]], left[best]
    return centres


def swapped(data: Distinct, centres: Floats, starts: int, rng: np.random.Generator) -> Floats:
    """(s, k, p) variations of one solution: a random centre jumps to a row far from the others (Fränti 2018).

    Args:
        centres: (k, p) the solution to vary.
    """
    varied = np.repeat(centres[None], starts, axis=0)
    squared = _squared_to(data, centres)
    for s, dropped in enumerate(rng.integers(len(centres), size=starts)):
        others = np.delete(squared, dropped, axis=0).min(axis=0) if len(centres) > 1 else squared[0]
        varied[s, dropped] = data.values[_draw((others * data.weights).cumsum(), rng.random(1))[0]]
    return varied


def _draw(cumulated: Floats, uniform: Floats) -> Ints:
    at = np.searchsorted(cumulated, uniform * cumulated[-1], side="right")
    drawn: Ints = np.minimum(at, len(cumulated) - 1).astype(np.int64)
    return drawn


def _squared_to(data: Distinct, points: Floats) -> Floats:
    """(m, u) squared distances from m points to all rows."""
    lengths = np.einsum("ij,ij->i", points, points)
    squared: Floats = np.maximum(lengths[:, None] + data.squares - 2 * points @ data.values.T, 0)
    return squared


def descend(data: Distinct, centres: Floats, *, tolerance: float, moves: bool) -> tuple[Floats, Floats]:
    """Lloyd's algorithm from many starts, each followed down to its local optimum.

    Args:
        data: the rows.
        centres: (s, k, p) first centres, one set per start.
        tolerance: a start is done when none of its centres moves further, in units of ``data.spread``.
        moves: then also move single rows while that lowers the SSE (Hartigan 1975). Where rows are heavy or segments
            small, Lloyd stops early: on the McDonald's survey the optimum is found ten times as often with moves.

    Returns:
        (s, k, p) centres and (s,) sum of squared errors. O(iterations s k u p) time, O(k u) memory.
    """
    starts, k, _ = centres.shape
    lanes = max(1, max(_LANES, _CELLS // len(data.values)) // k)
    blocks = _Blocks(data, lanes * k)
    final, errors = np.empty_like(centres), np.empty(starts)
    for at in range(0, starts, lanes):
        lane = slice(at, at + lanes)
        final[lane] = _descend(blocks, centres[lane].copy(), tolerance, moves)
        errors[lane] = blocks.errors(final[lane])
    return final, errors


class _Blocks:
    """The rows cut into blocks, each with a column of ones: so products with them yield distances, sums and weights."""

    def __init__(self, data: Distinct, lanes: int) -> None:
        self.data = data
        ones = np.column_stack([data.values, np.ones(len(data.values))])
        size = max(1, _PRODUCT // (lanes * ones.shape[1]))
        cuts = range(0, len(ones), size)
        self.across = [np.ascontiguousarray(ones[at : at + size].T) for at in cuts]
        self.weighted = [ones[at : at + size] * data.weights[at : at + size, None] for at in cuts]

    def _scorer(self, centres: Floats) -> Floats:
        """(s k, p + 1) factors: their product with a row is half its squared distance, less a constant of the row."""
        s, k, p = centres.shape
        ties = 1e-11 * self.data.spread**2 * np.arange(k)  # makes exact ties go to the lowest index
        lengths = 0.5 * (centres * centres).sum(axis=2) + ties
        return np.concatenate([-centres, lengths[..., None]], axis=2).reshape(s * k, p + 1)

    def sums(self, centres: Floats) -> Floats:
        """(s, k, p + 1) weighted sums of the rows closest to each centre, and in the last column their weight."""
        s, k, p = centres.shape
        scorer, sums = self._scorer(centres), np.zeros((s * k, p + 1))
        for across, weighted in zip(self.across, self.weighted, strict=True):
            scores = (scorer @ across).reshape(s, k, -1)
            own = (scores == scores.min(axis=1, keepdims=True)).reshape(s * k, -1)
            sums += own.astype(np.float64) @ weighted
        return sums.reshape(s, k, p + 1)

    def errors(self, centres: Floats) -> Floats:
        """(s,) weighted sum of squared distances of the rows to their closest centre."""
        s, k, _ = centres.shape
        scorer, half = self._scorer(centres), np.zeros(s)
        for across, weighted in zip(self.across, self.weighted, strict=True):
            half += (scorer @ across).reshape(s, k, -1).min(axis=1) @ weighted[:, -1]
        return np.maximum(self.data.total + 2 * half, 0.0)


def _descend(blocks: _Blocks, centres: Floats, tolerance: float, moves: bool) -> Floats:
    data = blocks.data
    active = np.arange(len(centres))
    for _ in range(1000):  # a guard against cycles of rounding: noise of 5,000 x 8 needs about 200
        before = centres[active]
        sums = blocks.sums(before)
        _fill_empty(data, before, sums)
        weight = sums[..., -1:]
        centres[active] = after = sums[..., :-1] / weight
        done = np.abs(after - before).max(axis=(1, 2)) <= tolerance * data.spread
        if moves:
            for s in np.flatnonzero(done):
                done[s] = not _move(data, centres[active[s]], weight[s, :, 0].copy())
        active = active[~done]
        if not len(active):
            break
    return centres


def _fill_empty(data: Distinct, centres: Floats, sums: Floats) -> None:
    """Give every centre without rows the row that is worst off, one after the other."""
    if (sums[..., -1] > 0).all():
        return
    for s in np.unique(np.nonzero(sums[..., -1] <= 0)[0]):
        closest = _squared_to(data, centres[s]).min(axis=0) * data.weights
        for j in np.flatnonzero(sums[s, :, -1] <= 0):
            worst = int(closest.argmax())
            sums[s, j, :-1], sums[s, j, -1], closest[worst] = data.values[worst], 1.0, 0.0


def _move(data: Distinct, centres: Floats, weight: Floats) -> bool:
    """Move up to ``_MOVES`` rows to another segment, the most gainful first, each only if it lowers the SSE by then.

    A row of weight w at squared distance d leaves a segment of weight W: SSE falls by d w W / (W - w). It enters
    another one: SSE rises by d w W / (W + w) (Hartigan 1975; Telgarsky & Vattani 2010).

    Args:
        centres: (k, p) a solution where Lloyd has come to rest; changed in place.
        weight: (k,) of its segments; changed in place.

    Returns:
        False if no row was moved.
    """
    squared = _squared_to(data, centres)
    u = np.arange(len(data.values))
    own = (squared <= squared.min(axis=0) + 2e-11 * len(centres) * data.spread**2).argmax(axis=0)  # ties as in _Blocks
    rest = weight[own] - data.weights
    alone = rest <= 1e-9 * weight[own]
    fall = np.where(alone, 0.0, squared[own, u] * weight[own] / np.where(alone, 1.0, rest))
    rise = squared * (weight[:, None] / (weight[:, None] + data.weights))
    rise[own, u] = np.inf
    gain = (fall - rise.min(axis=0)) * data.weights
    least = 1e-9 * data.total  # a smaller gain is not worth a step
    rows = np.flatnonzero(gain > least)
    moved = False
    for row in rows[gain[rows].argsort(kind="stable")[::-1][:_MOVES]]:
        a, w, x = own[row], data.weights[row], data.values[row]
        if weight[a] - w <= 1e-9 * weight[a]:
            continue
        distance = ((centres - x) ** 2).sum(axis=1)
        cost = distance * weight / (weight + w)
        cost[a] = np.inf
        b = int(cost.argmin())
        if (distance[a] * weight[a] / (weight[a] - w) - cost[b]) * w > least:
            centres[a] += (centres[a] - x) * (w / (weight[a] - w))
            centres[b] += (x - centres[b]) * (w / (weight[b] + w))
            weight[a] -= w
            weight[b] += w
            moved = True
    return moved
