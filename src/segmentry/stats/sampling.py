"""How many to draw of each stratum, what unequal weights cost, and how near a sample is to its base."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def allocate(sizes: ArrayLike, total: int, *, power: float = 0.5) -> Ints:
    """How many to draw of each stratum of a base.

    Power allocation (Bankier 1988): proportional to size^power, so that a small stratum is seen well enough to be
    described and a large one still gets most. Of a stratum no more are drawn than it has; what it leaves goes to the
    others. Sums to ``total``, or to all there are.

    >>> allocate([8100, 900, 10], 200)
    array([146,  49,   5])
    """
    there = np.asarray(sizes, dtype=np.int64)
    total = min(total, int(there.sum()))
    wanted = np.zeros(len(there))
    open_ = there > 0
    left = float(total)
    while open_.any():
        share = np.where(open_, np.maximum(there, 1) ** power, 0.0)
        offered = left * share / share.sum()
        full = open_ & (offered >= there)
        if not full.any():
            wanted[open_] = offered[open_]
            break
        wanted[full] = there[full]
        left -= float(there[full].sum())
        open_ &= ~full
    drawn = np.floor(wanted + 1e-9).astype(np.int64)
    rest = total - int(drawn.sum())
    order = np.lexsort([np.arange(len(there)), -(wanted - drawn)])
    for i in order[drawn[order] < there[order]][:rest]:
        drawn[i] += 1
    return drawn


def design_effect(weights: Floats) -> float:
    """By how much estimates from these weights vary more than from equal ones (Kish 1965): n sum(w^2) / sum(w)^2."""
    return float(len(weights) * (weights**2).sum() / weights.sum() ** 2)


def difference(values: Floats, weights: Floats, base_mean: float, base_sd: float) -> float | None:
    """Standardised mean difference of a sample from its base, in standard deviations of the base.

    ``values`` are the known ones. None where nothing is known, or the base does not vary while the sample agrees.
    """
    if not len(values):
        return None
    gap = float(np.average(values, weights=weights)) - base_mean
    if base_sd <= 0:
        return None if abs(gap) <= 1e-9 * max(1.0, abs(base_mean)) else float(np.copysign(np.inf, gap))
    return gap / base_sd


def self_weighting(weights: Floats, rows: int) -> Ints:
    """Indices of ``rows`` rows in which every row comes as often as its weight asks, to within one.

    Systematic sampling with probability proportional to size (Madow 1949), from the middle of the first step: figures
    of the rows taken are weighted figures of those given.

    >>> self_weighting(np.array([3.0, 1.0]), 4)
    array([0, 0, 0, 1])
    """
    upper = weights.cumsum()
    points = (np.arange(rows) + 0.5) * (upper[-1] / rows)
    return np.minimum(np.searchsorted(upper, points, side="right"), len(weights) - 1).astype(np.int64)
