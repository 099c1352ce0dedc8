"""Cut points that respect ties: equal customers always score equal."""

from __future__ import annotations

import numpy as np

from segmentry.placement import exact
from segmentry.segment.fitting import Numbers


def even_cuts(values: Numbers, bands: int, weights: Numbers | None = None) -> tuple[float, ...]:
    """Cut points that split values into at most ``bands`` bands of nearly equal size; a value on a cut is in the upper.

    All customers with the same value fall into the same band. Where one value is held by more than its share (in most
    shops two of three customers bought once), it gets a band of its own, and the rest is split evenly over the bands
    that are left; quantiles would put several cuts on that value and leave bands empty. A value of weight 3
    counts as three.

    >>> even_cuts(np.array([1.0] * 65 + [2] * 15 + [3] * 8 + [4] * 4 + [5] * 4 + [9] * 4), 5)
    (2.0, 3.0, 4.0, 5.0)
    """
    levels, inverse = np.unique(values, return_inverse=True)
    counts = np.bincount(inverse, weights)
    cuts: list[float] = []
    left = float(counts.sum())
    taken = 0.0
    for i in range(len(levels) - 1):
        taken += float(counts[i])
        remaining_bands = bands - len(cuts)
        if remaining_bands <= 1:
            break
        target = left / remaining_bands
        beyond = taken + float(counts[i + 1])
        # close the band here when that is nearer to its share than taking the next value in as well
        if abs(taken - target) <= abs(beyond - target):
            cuts.append(exact(float(levels[i + 1])))
            left -= taken
            taken = 0.0
    return tuple(cuts)


def spread_scores(bands: int, best: int) -> tuple[int, ...]:
    """Scores 1 to ``best`` for fewer bands than that, evenly spread, rising; one band alone gets the middle.

    >>> spread_scores(5, 5), spread_scores(3, 5), spread_scores(1, 5)
    ((1, 2, 3, 4, 5), (1, 3, 5), (3,))
    """
    if bands == 1:
        return ((best + 1) // 2,)
    return tuple(1 + round(i * (best - 1) / (bands - 1)) for i in range(bands))
