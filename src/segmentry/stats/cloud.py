"""One cloud without groups, as much like a table as can be: what segments must be tighter than to be more than a cut.

Traits of one cloud can be cut just as reproducibly: along the line on which they rise and fall together, or across the
spread of each. So a reference is drawn with the values of every column (exactly, only in another order), its gaps where
they are, and the correlations of the columns, but from a single normal cloud behind them (a Gaussian copula). The
correlations are matched by the iterations of Ruscio & Kaczetow 2008, "Simulating multivariate nonnormal data using an
iterative algorithm". A single cloud as the null of clustering is that of Liu and others 2008 (SigClust).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segmentry.stats.descent import Floats, Ints

_ROUNDS = 8
_STEPS = 20  # a column of so few different values is no number that a normal cloud could have
_LEAST = 1e-6  # eigenvalue of correlations: below it a column follows from the others


@dataclass(frozen=True)
class Cloud:
    """Draws tables like one.

    Attributes:
        rows: (n, p) the table.
        known: (n, p) what of it is known; gaps stay where they are.
        ordered: the columns whose values have an order; they follow the cloud.
        blocks: columns that are shuffled together, for themselves, since their values have none.
        axes: (q, q) factor of the correlations behind the ordered columns.
    """

    rows: Floats
    known: npt.NDArray[np.bool_]
    ordered: tuple[int, ...]
    blocks: tuple[tuple[int, ...], ...]
    axes: Floats

    def draw(self, rng: np.random.Generator) -> Floats:
        """(n, p) another table."""
        drawn = self.rows.copy()
        behind = rng.normal(size=(len(self.rows), len(self.ordered))) @ self.axes
        for column, height in zip(self.ordered, behind.T, strict=True):
            _in_order_of(height, drawn[:, column], self.known[:, column])
        for block in self.blocks:
            columns = np.array(block)
            _shuffle(drawn, np.flatnonzero(self.known[:, columns].all(axis=1)), columns, rng)
        return drawn


def cloud_like(
    rows: Floats, known: npt.NDArray[np.bool_], blocks: Sequence[int], ordered: npt.NDArray[np.bool_], seed: int
) -> Cloud:
    """The cloud behind a table.

    Args:
        rows: (n, p). known: (n, p) whether each value is known.
        blocks: (p,) columns with the same number belong to one trait.
        ordered: (p,) whether the values of a column have an order; columns of a trait with several have none.
        seed: of the draws by which the correlations are matched.
    """
    numbers = list(dict.fromkeys(blocks))
    members = [tuple(j for j, block in enumerate(blocks) if block == number) for number in numbers]
    alone = tuple(m[0] for m in members if len(m) == 1 and ordered[m[0]])
    rest = tuple(m for m in members if len(m) > 1 or not ordered[m[0]])
    wanted = _correlations(rows[:, list(alone)], known[:, list(alone)])
    behind = wanted.copy()
    for step in range(_ROUNDS if len(alone) > 1 else 0):
        cloud = Cloud(rows, known, alone, (), _axes(behind))
        made = cloud.draw(np.random.default_rng([seed, step]))
        behind = np.clip(behind + wanted - _correlations(made[:, list(alone)], known[:, list(alone)]), -0.999, 0.999)
        np.fill_diagonal(behind, 1.0)
    return Cloud(rows, known, alone, rest, _axes(behind))


def groups_like(
    rows: Floats, known: npt.NDArray[np.bool_], blocks: Sequence[int], labels: Ints, rng: np.random.Generator
) -> Floats:
    """(n, p) another table of the same groups and no more: the null of further groups (McLachlan 1987).

    In each group numbers are normal with its means and covariances, other traits are shuffled; gaps stay where they
    are. ``labels`` (n,) are the groups; the rest as for :func:`cloud_like`.
    """
    members = [np.flatnonzero(np.asarray(blocks) == block) for block in dict.fromkeys(blocks)]
    alone = np.array([m[0] for m in members if len(m) == 1], dtype=np.int64)
    smooth = alone[[len(np.unique(rows[known[:, j], j])) > _STEPS for j in alone]]
    drawn = rows.copy()
    for group in np.unique(labels):
        at = np.flatnonzero(labels == group)
        own, seen = rows[at][:, smooth], known[at][:, smooth]
        count = np.maximum(seen.sum(axis=0), 1)
        mean = np.where(seen, own, 0.0).sum(axis=0) / count
        spread = np.sqrt(np.where(seen, (own - mean) ** 2, 0.0).sum(axis=0) / count)
        behind = rng.normal(size=own.shape) @ _axes(_correlations(own, seen))
        drawn[at[:, None], smooth] = np.where(seen, mean + spread * behind, own)
        for block in members:
            if block[0] not in smooth:
                _shuffle(drawn, at[known[at][:, block].all(axis=1)], block, rng)
    return drawn


def _shuffle(drawn: Floats, at: Ints, block: Ints, rng: np.random.Generator) -> None:
    """Exchange what is known of a trait among the rows ``at``; gaps stay where they are."""
    drawn[at[:, None], block] = drawn[rng.permutation(at)[:, None], block]


def _in_order_of(height: Floats, column: Floats, known: npt.NDArray[np.bool_]) -> None:
    """Give the known values of a column another order: the lowest where ``height`` is lowest."""
    at = np.flatnonzero(known)
    column[at[np.argsort(height[at], kind="stable")]] = np.sort(column[at])


def _correlations(rows: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """(q, q) Pearson correlations over the rows of which both are known."""
    seen = known.astype(np.float64)
    values = np.where(known, rows, 0.0)
    values = np.where(known, values - values.sum(axis=0) / np.maximum(seen.sum(axis=0), 1.0), 0.0)
    spread = np.sqrt((values**2).T @ seen)  # of each column where the other is known
    scale = spread * spread.T
    found: Floats = values.T @ values / np.where(scale > 0, scale, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def _axes(correlations: Floats) -> Floats:
    """(q, q) a factor A of the nearest possible correlations, so that normal rows times A have them."""
    if not len(correlations):
        return np.empty((0, 0))
    values, directions = np.linalg.eigh(correlations)
    axes = np.sqrt(np.maximum(values, _LEAST))[:, None] * directions.T
    scaled: Floats = axes / np.sqrt((axes**2).sum(axis=0))
    return scaled
