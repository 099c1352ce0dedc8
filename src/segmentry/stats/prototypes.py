"""k-prototypes: segments of customers by numbers and categories together, with gaps in the data allowed.

Huang 1998, "Extensions to the k-means algorithm for clustering large data sets with categorical values". A prototype is
a mean of every number and the most frequent level of every category. The distance of a row from a prototype is the sum
of squared differences of the numbers and ``gamma`` for every category that differs.

What is unknown of a row is left out of its distance, which is scaled up by (traits / known traits) so that rows of all
kinds count alike (Dixon 1979, "Pattern recognition with partly missing data"; also Gower 1971).

Huang moves one row after the other. Here all rows move at once (Lloyd), as a product of matrices: a mismatch is one
less the product of two yes/no columns. Of many starts the best goes on: single prototypes jump (Fränti 2018) until that
brings nothing more.

A table has the numbers first, then a column per category with the codes of its levels, 0, 1 and so on; what is not
known is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from segmentry.errors import FitError
from segmentry.stats.descent import TIE, Distinct, Floats, Ints, checked_weights
from segmentry.stats.finding import Finder, Partition

# Distinct rows on which starts and jumps are tried; the best is then followed on all.
SEARCH_ROWS = 4_000
_PATIENCE = 12  # jumps in a row that bring nothing
_QUICK = 4  # starts, and jumps in vain, on a bootstrap sample, where only the segments matter
_SAME = 1e-3  # costs closer than one part in a thousand count as equally good
_UNKNOWN = -1  # the code of a level that is not known
_PRODUCT = 250_000  # multiplications that BLAS leaves to one thread, see descent


@dataclass(frozen=True)
class Prototypes:
    """k prototypes: (k, p) means of the numbers and (k, q) codes of the levels."""

    numbers: Floats
    modes: Ints

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class PrototypesSolution(Partition):
    """One solution; the largest segment comes first, equal sizes in the order of their prototypes.

    Attributes:
        prototypes: in the units and codes of the input. A label is that of the closest, the lowest index within 1e-9.
        cost: weighted sum of the distances to the prototypes (Huang's P).
        gamma: what a category that differs adds to a distance.
        sizes: 0 where all that are close to a prototype are as close to another.
    """

    prototypes: Prototypes
    cost: float
    gamma: float

    @property
    def loss(self) -> float:
        """The cost."""
        return self.cost

    def classify(self, rows: Floats) -> Ints:
        """(m,) segment of other rows: the closest prototype, the lowest index within 1e-9."""
        return _closest(distances(rows, self.prototypes, self.gamma))


@dataclass(frozen=True)
class PrototypesFinder(Finder[PrototypesSolution]):
    """k-prototypes for the panel of evidence.

    Attributes:
        categories: how many of the last columns are codes.
        gamma: what a category that differs adds to a squared distance, for all samples the same.
    """

    categories: int
    gamma: float

    def solve(self, rows: Floats, weights: Floats, k: int, starts: int, seed: int) -> PrototypesSolution:
        return kprototypes(
            rows, k, categories=self.categories, weights=weights, gamma=self.gamma, starts=starts, seed=seed
        )

    def table(self, rows: ArrayLike, weights: ArrayLike | None) -> Distinct:
        found = _compress(rows, self.categories, weights)
        values = found.table()
        counts = np.bincount(found.inverse, minlength=len(values)).astype(np.float64)
        weight = checked_weights(weights, len(found.inverse))
        return Distinct(values, found.weights, counts, found.inverse, weight, np.zeros(values.shape[1]))

    def again(self, data: Distinct, k: int, starts: int, rng: np.random.Generator) -> PrototypesSolution:
        """A few starts far apart, and fewer jumps: they find the segments that many starts find."""
        k, few = min(k, self.most(data)), min(starts, _QUICK)
        table = _compress(data.values, self.categories, data.weights)
        table.gamma = self.gamma
        found, _, replications = _search(table, k, few, rng, patience=_QUICK)
        return _settled(table, found, few, replications, 0)

    def ordered(self, rows: Floats) -> npt.NDArray[np.bool_]:
        """Numbers are, and so are categories of two levels."""
        numbers = np.arange(rows.shape[1]) < rows.shape[1] - self.categories
        found: npt.NDArray[np.bool_] = numbers | (np.nanmax(rows, axis=0) <= 1)
        return found

    def space(self, rows: Floats) -> Floats:
        """The numbers, and a column per level so scaled that a mismatch is as far as ``gamma``; means for gaps."""
        p = rows.shape[1] - self.categories
        columns = list(rows[:, :p].T)
        for codes in rows[:, p:].T:
            for level in np.unique(codes[~np.isnan(codes)]):
                columns.append(np.where(np.isnan(codes), np.nan, (codes == level) * (self.gamma / 2) ** 0.5))
        points = np.column_stack(columns)
        known = ~np.isnan(points)
        means = np.where(known, points, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return np.where(known, points, means)


def kprototypes(
    rows: ArrayLike,
    k: int,
    *,
    categories: int,
    weights: ArrayLike | None = None,
    gamma: float | None = None,
    starts: int | Sequence[Prototypes] = 25,
    seed: int = 0,
) -> PrototypesSolution:
    """Cluster rows of numbers and categories into k segments of the smallest cost that can be found.

    The same rows, weights and seed give the same answer whatever their order. O(starts iterations u k (p + levels))
    for u distinct rows.

    Args:
        rows: (n, p + q) numbers, each on a scale of about 1 (the caller standardises), then codes; NaN where not known.
        k: number of segments, at least 1.
        categories: q, how many of the last columns are codes.
        weights: (n,) customers per row, at least 0, default 1.
        gamma: what a category that differs adds to a squared distance, above 0; default :func:`balanced`.
        starts: independent starts, at least 1; or the first prototypes themselves.
        seed: at least 0.

    Raises:
        FitError: a row of which nothing is known, infinite values, or fewer distinct rows than segments.

    >>> kprototypes([[0.0, 0], [0.1, 0], [5.0, 1], [np.nan, 1]], 2, categories=1).labels
    array([0, 0, 1, 1])
    """
    if k < 1 or (isinstance(starts, int) and starts < 1):
        raise FitError(f"k-prototypes with {k} segments and {starts} starts.", why="Both must be at least 1.")
    table = _compress(rows, categories, weights)
    table.gamma = balanced(table.table(), categories, table.weights) if gamma is None else gamma
    active = table.part(np.flatnonzero(table.weights > 0))
    if len(active.weights) < k:
        raise FitError(
            f"{k} segments were asked for, but the {len(table.inverse)} rows hold only {len(active.weights)} different"
            " combinations of values.",
            why="Equal rows cannot be told apart, so each segment needs at least one combination of its own.",
            fix=f"Ask for at most {len(active.weights)} segments, or add traits that tell these customers apart.",
        )
    best, made, replications = _search(active, k, starts, np.random.default_rng([seed, k]))
    return _settled(table, best, made, replications, seed)


def balanced(rows: ArrayLike, categories: int, weights: ArrayLike | None = None) -> float:
    """The gamma with which a category weighs like a number: mean variance over mean Gini impurity.

    Szepannek 2018, "clustMixType". Huang took a third to two thirds of the standard deviation, by eye. 1 where there
    are no numbers (which is k-modes) or no categories.

    >>> balanced([[0.0, 0], [2.0, 1]], 1)
    2.0
    """
    x = np.asarray(rows, dtype=np.float64)
    w = checked_weights(weights, len(x))
    p = x.shape[1] - categories
    each = [(column[~np.isnan(column)], w[~np.isnan(column)]) for column in x.T]
    variances = [_variance(*column) for column in each[:p]]
    impurities = [_impurity(*column) for column in each[p:]]
    if not sum(variances) or not sum(impurities):
        return 1.0
    return float(np.mean(variances) / np.mean(impurities))


def _variance(x: Floats, w: Floats) -> float:
    total = w.sum()
    return float(w @ (x - w @ x / total) ** 2 / total) if total else 0.0


def _impurity(codes: Floats, w: Floats) -> float:
    shares = np.bincount(codes.astype(np.int64), w) / w.sum() if w.sum() else np.ones(1)
    return float(1 - shares @ shares)


def distances(rows: ArrayLike, prototypes: Prototypes, gamma: float) -> Floats:
    """(k, n) distance of every row from every prototype, summed left to right as the database does it."""
    x = np.asarray(rows, dtype=np.float64)
    p = prototypes.numbers.shape[1]
    unknown = np.isnan(x)
    total = np.zeros((len(prototypes), len(x)))
    for j, column in enumerate(x.T):
        if j < p:
            gap = column - prototypes.numbers[:, j, None]
            term = gap * gap
        else:
            term = np.where(column != prototypes.modes[:, j - p, None], gamma, 0.0)
        total += np.where(unknown[:, j], 0.0, term)
    scaled: Floats = total * (x.shape[1] / (~unknown).sum(axis=1))
    return scaled


def _closest(found: Floats) -> Ints:
    labels: Ints = (found <= found.min(axis=0) + TIE).argmax(axis=0).astype(np.int64)
    return labels


# --------------------------------------------------------------------------------------------------------------------


class _Rows:
    """The distinct rows, in an order that does not depend on that of the input, and their columns for products.

    ``columns`` are (2 p + levels, u): the number (0 where not known), whether it is known, and one yes/no column per
    level. A distance is then a product of them with factors of the prototype, see :meth:`factors`.
    """

    def __init__(self, x: Floats, codes: Ints, weights: Floats, inverse: Ints, levels: Sequence[int]) -> None:
        self.x, self.codes, self.weights, self.inverse = x, codes, weights, inverse
        self.levels = list(levels)
        self.gamma = 1.0
        self.known = ~np.isnan(x)
        counts = self.known.sum(axis=1) + (codes >= 0).sum(axis=1)
        self.scale = (x.shape[1] + codes.shape[1]) / counts
        filled = np.where(self.known, x, 0.0)
        each = [codes[:, [j]] == np.arange(n) for j, n in enumerate(self.levels)]
        self.columns = np.ascontiguousarray(np.hstack([filled, self.known, *each]).T, dtype=np.float64)
        self.squares = (filled**2).sum(axis=1)
        self.categories = (codes >= 0).sum(axis=1)
        self.ends = np.cumsum([0, *self.levels]) + 2 * x.shape[1]

    def table(self) -> Floats:
        """The rows as they were given."""
        return np.hstack([self.x, np.where(self.codes >= 0, self.codes, np.nan)])

    def part(self, at: Ints) -> _Rows:
        """Some of the rows, which stand for no rows of the input."""
        found = _Rows(self.x[at], self.codes[at], self.weights[at], self.inverse[:0], self.levels)
        found.gamma = self.gamma
        return found

    def factors(self, prototypes: Prototypes) -> Floats:
        """(k, 2 p + levels): their product with a row is its distance, less a constant of the row and its scale."""
        c = prototypes.numbers
        chosen = [
            prototypes.modes[:, [j]] == np.arange(n) for j, n in enumerate(self.levels)
        ]  # a code that no row has matches nothing
        return np.hstack([-2 * c, c * c, *(-self.gamma * one for one in chosen)])

    def blocks(self, k: int) -> list[slice]:
        size = max(1, _PRODUCT // (len(self.columns) * k))
        return [slice(at, at + size) for at in range(0, len(self.x), size)]

    def distances(self, prototypes: Prototypes) -> Floats:
        """(k, u) distances."""
        factors, constant = self.factors(prototypes), self.squares + self.gamma * self.categories
        found = np.empty((len(prototypes), len(self.x)))
        for block in self.blocks(len(prototypes)):
            np.matmul(factors, self.columns[:, block], out=found[:, block])
        found += constant
        found *= self.scale
        return np.maximum(found, 0.0, out=found)

    def prototypes(self, labels: Ints, k: int) -> Prototypes:
        """The best prototypes of given segments: weighted means and most frequent levels."""
        heavy = self.weights * self.scale
        sums = np.zeros((k, len(self.columns)))
        for block in self.blocks(k):
            own = (labels[block] == np.arange(k)[:, None]) * heavy[block]
            sums += own @ self.columns[:, block].T
        p = self.x.shape[1]
        known = sums[:, p : 2 * p]
        means = np.where(known > 0, sums[:, :p] / np.where(known > 0, known, 1.0), 0.0)
        modes = [
            (sums[:, a:b] >= sums[:, a:b].max(axis=1, keepdims=True) * (1 - 1e-12)).argmax(axis=1)  # ties: the first
            for a, b in zip(self.ends[:-1], self.ends[1:], strict=True)
        ]
        return Prototypes(means, np.stack(modes, axis=1).astype(np.int64) if modes else np.empty((k, 0), np.int64))


def _compress(rows: ArrayLike, categories: int, weights: ArrayLike | None) -> _Rows:
    table = np.asarray(rows, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape or not 0 <= categories <= table.shape[1]:
        raise FitError(
            f"The table to cluster has the shape {table.shape}, {categories} columns of it categories.",
            why="Clustering needs at least one row and one column.",
            fix="Check the population and the traits of this segmentation.",
        )
    if np.isinf(table).any():
        raise FitError("A number to cluster is infinite.", why="Its distance is, too.", fix="Count it as not known.")
    unknown = np.isnan(table).all(axis=1)
    if unknown.any():
        raise FitError(
            f"Of {int(unknown.sum())} of {len(table)} rows nothing is known.",
            why="They belong nowhere.",
            fix="Leave them out before clustering.",
        )
    p = table.shape[1] - categories
    x, c = table[:, :p], np.where(np.isnan(table[:, p:]), _UNKNOWN, table[:, p:]).astype(np.int64)
    weight = checked_weights(weights, len(x))
    keys = [*c.T[::-1], *np.where(np.isnan(x), np.inf, x + 0.0).T[::-1]]
    order = np.lexsort(keys)
    new = np.zeros(len(x), dtype=bool)
    new[0] = True
    for key in keys:
        new[1:] |= key[order][1:] != key[order][:-1]
    inverse = np.empty(len(x), dtype=np.int64)
    inverse[order] = new.cumsum() - 1
    first = order[new]
    summed = np.bincount(inverse, weight, len(first)).astype(np.float64)
    return _Rows(x[first], c[first], summed, inverse, [int(column.max(initial=-1)) + 1 for column in c.T])


def _search(
    rows: _Rows, k: int, starts: int | Sequence[Prototypes], rng: np.random.Generator, patience: int = _PATIENCE
) -> tuple[Prototypes, int, int]:
    """The best prototypes found, how many starts were made, and how many of them were as good as the best of them."""
    part = rows
    if len(rows.x) > SEARCH_ROWS:
        part = rows.part(np.sort(rng.choice(len(rows.x), SEARCH_ROWS, replace=False)))
    firsts = [_plus_plus(part, k, rng) for _ in range(starts)] if isinstance(starts, int) else starts
    tried = [_descend(part, first, 1e-4) for first in firsts]
    costs = np.array([cost for _, cost in tried])
    best = _jumps(part, tried[int(costs.argmin())][0], rng, patience)
    replications = int((costs <= costs.min() * (1 + _SAME) + 1e-12).sum())
    return _descend(rows, best, 1e-9)[0], len(tried), replications


def _jumps(part: _Rows, best: Prototypes, rng: np.random.Generator, patience: int) -> Prototypes:
    """Let one prototype after the other jump to a far row, as long as that lowers the cost."""
    best, cost = _descend(part, best, 1e-6)
    stall = patience if 1 < len(best) < len(part.x) else 0
    while stall:
        away = part.distances(best)
        dropped = int(rng.integers(len(best)))
        others = np.delete(away, dropped, axis=0).min(axis=0)
        drawn = _draw(others * part.weights, rng)
        found, reached = _descend(part, _replaced(part, best, dropped, drawn), 1e-4)
        if reached < cost * (1 - 1e-6):
            best, cost = _descend(part, found, 1e-6)
            stall = patience
        else:
            stall -= 1
    return best


def _descend(rows: _Rows, prototypes: Prototypes, tolerance: float) -> tuple[Prototypes, float]:
    """Lloyd's algorithm until a round lowers the cost by less than ``tolerance`` of it; prototypes and their cost."""
    before = np.inf
    while True:
        away = rows.distances(prototypes)
        labels = away.argmin(axis=0)
        least = away.min(axis=0) * rows.weights
        cost = float(least.sum())
        if not cost < before * (1 - tolerance):
            return prototypes, cost
        before = cost
        for empty in np.flatnonzero(np.bincount(labels, minlength=len(prototypes)) == 0):
            worst = int(least.argmax())  # a segment that nobody is closest to takes the row that is worst off
            labels[worst], least[worst] = empty, 0.0
        prototypes = rows.prototypes(labels, len(prototypes))


def _plus_plus(rows: _Rows, k: int, rng: np.random.Generator) -> Prototypes:
    """First prototypes far apart: rows drawn by their distance from those drawn before (k-means++)."""
    common = rows.prototypes(np.zeros(len(rows.x), np.int64), 1)
    found = _row(rows, common, _draw(rows.weights, rng))
    closest = rows.distances(found)[0]
    for _ in range(1, k):
        new = _row(rows, common, _draw(closest * rows.weights, rng))
        found = Prototypes(np.vstack([found.numbers, new.numbers]), np.vstack([found.modes, new.modes]))
        closest = np.minimum(closest, rows.distances(new)[0])
    return found


def _row(rows: _Rows, common: Prototypes, at: int) -> Prototypes:
    """A row as a prototype; what is not known of it is that of everybody."""
    numbers = np.where(rows.known[at], rows.columns[: rows.x.shape[1], at], common.numbers[0])
    return Prototypes(numbers[None], np.where(rows.codes[at] >= 0, rows.codes[at], common.modes[0])[None])


def _replaced(rows: _Rows, prototypes: Prototypes, dropped: int, at: int) -> Prototypes:
    numbers, modes = prototypes.numbers.copy(), prototypes.modes.copy()
    new = _row(rows, Prototypes(numbers[[dropped]], modes[[dropped]]), at)
    numbers[dropped], modes[dropped] = new.numbers[0], new.modes[0]
    return Prototypes(numbers, modes)


def _draw(mass: Floats, rng: np.random.Generator) -> int:
    cumulated = mass.cumsum()
    at = np.searchsorted(cumulated, rng.random() * cumulated[-1], side="right")
    return int(min(at, len(cumulated) - 1))


def _settled(rows: _Rows, found: Prototypes, starts: int, replications: int, seed: int) -> PrototypesSolution:
    """Order the segments; labels are the closest prototypes, as the database finds them."""
    k = len(found)
    table = rows.table()
    labels = _closest(distances(table, found, rows.gamma))
    sizes = np.bincount(labels, rows.weights, k)
    order = np.lexsort([*found.modes.T[::-1], *found.numbers.round(9).T[::-1], -sizes.round(9)])
    ordered = Prototypes(found.numbers[order], found.modes[order])
    away = distances(table, ordered, rows.gamma)
    labels = _closest(away)
    return PrototypesSolution(
        prototypes=ordered,
        labels=labels[rows.inverse],
        cost=float((away[labels, np.arange(len(labels))] * rows.weights).sum()),
        gamma=float(rows.gamma),
        sizes=np.bincount(labels, rows.weights, k).astype(np.float64),
        starts=starts,
        replications=replications,
        seed=seed,
    )
