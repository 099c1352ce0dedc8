"""Raking: weights that make a sample agree with known margins of a population.

Iterative proportional fitting (Deming & Stephan 1940): every margin in turn is met by one factor per level, until all
hold at once. Weights far above the mean are trimmed, and what that takes from a level the others of it make up for
(Battaglia, Izrael, Hoaglin & Frankel 2009). Where both cannot be had, the verdict says how far the margins are missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentry.errors import FitError
from segmentry.stats.sampling import design_effect

Floats = NDArray[np.float64]
TOLERANCE = 1e-6  # of a share: what no report shows


@dataclass(frozen=True)
class Margin:
    """What is known of a population: ``codes`` (n,) say which level each row is in (-1: not known), ``shares``
    (levels,) the share of the population that each level holds, on any scale."""

    name: str
    codes: NDArray[np.int64]
    shares: Floats


@dataclass(frozen=True)
class Raked:
    """Weights that were fitted to margins.

    Attributes:
        weights: (n,) with the sum of those given.
        converged: whether every margin holds within 1e-6 of a share.
        gap: largest distance of a weighted share from its margin.
        rounds: passes over all margins.
        trimmed: rows whose weight is at the limit.
        design_effect: n times the sum of squared weights over the square of their sum (Kish 1965): how much more an
            estimate varies than from as many rows of equal weight.
    """

    weights: Floats
    converged: bool
    gap: float
    rounds: int
    trimmed: int
    design_effect: float

    @property
    def verdict(self) -> str:
        """The same in a sentence."""
        if self.converged:
            return f"The margins of the market hold; the design effect is {self.design_effect:.2f}."
        return (
            f"The margins of the market are missed by up to {100 * self.gap:.2f} points: "
            f"{self.trimmed} weights are at their limit, or margins contradict each other."
        )


def rake(weights: ArrayLike, margins: Sequence[Margin], *, trim: float = 5.0, most_rounds: int = 500) -> Raked:
    """Fit weights to margins.

    Rows whose level is not known keep their share of the weight in that margin. ``trim`` is the largest weight as a
    multiple of the mean one (5: Kalton & Flores-Cervantes 2003 name 4 to 6 as usual). O(rounds margins n).

    Raises :class:`FitError` when a level of the population has nobody in the sample, or a weight is not above zero.

    >>> rake([1.0, 1, 1, 1], [Margin("sex", np.array([0, 0, 0, 1]), np.array([0.5, 0.5]))]).weights.round(6)
    array([0.666667, 0.666667, 0.666667, 2.      ])
    """
    given = np.asarray(weights, dtype=np.float64)
    if not np.isfinite(given).all() or (given <= 0).any():
        raise FitError("Weights to rake must be numbers above zero.", fix="Leave rows without weight out.")
    targets = [_target(margin, given) for margin in margins]
    total, limit = float(given.sum()), trim * float(given.mean())
    found, gap, rounds = given, np.inf, 0
    while rounds < most_rounds:
        rounds += 1
        for margin, target in zip(margins, targets, strict=True):
            known = margin.codes >= 0
            held = np.bincount(margin.codes[known], found[known], len(target))
            factors = np.divide(target, held, out=np.ones_like(target), where=held > 0)
            found = np.where(known, found * factors[margin.codes], found)
        found = np.minimum(found, limit)
        before, gap = gap, max((_gap(m, t, found, total) for m, t in zip(margins, targets, strict=True)), default=0.0)
        if gap <= TOLERANCE or abs(before - gap) <= TOLERANCE * 1e-6:
            break
    at_limit = int((found >= limit * (1 - 1e-9)).sum())
    found = found * (total / found.sum())
    return Raked(found, gap <= TOLERANCE, gap, rounds, at_limit, design_effect(found))


def _target(margin: Margin, weights: Floats) -> Floats:
    """The weight that each level should hold: its share of the weight of the rows whose level is known."""
    known = margin.codes >= 0
    there = np.bincount(margin.codes[known], weights[known], len(margin.shares))
    missing = np.flatnonzero((there <= 0) & (margin.shares > 0))
    if len(missing):
        raise FitError(
            f"The margin {margin.name}: nobody in the sample is in {len(missing)} of its {len(margin.shares)} levels.",
            why="A level without people can be given no weight.",
            fix="Join the level with another one in the market data, or draw a larger sample.",
        )
    return np.asarray(margin.shares / margin.shares.sum() * weights[known].sum(), dtype=np.float64)


def _gap(margin: Margin, target: Floats, weights: Floats, total: float) -> float:
    known = margin.codes >= 0
    held = np.bincount(margin.codes[known], weights[known], len(target))
    return float(np.abs(held - target).max() / total)
