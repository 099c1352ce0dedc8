"""Are there gaps between the segments, or are the borders drawn through the crowd?

Natural segments are regions of high density with few customers in between (Dolnicar & Leisch 2010); k-means cuts up a
cloud without any gap just as readily. So we count: on the line between the centres of two segments, how many of their
customers live around its middle, compared with around the centres? In a single cloud that is about as many, or more.
Two normal groups of standard deviation 1 give about 0.67 at distance 3, 0.33 at 4, 0.13 at 5 and 0.05 at 6.

The same count in clouds without groups, as many rows with the same variances and directions, guards against small or
wide tables in which k-means finds gaps by chance (the reference of the gap statistic: Tibshirani and others 2001).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from segmentry.stats.clustering import best_of_starts
from segmentry.stats.descent import Floats, Ints, compress, nearest
from segmentry.stats.finding import means_of

GAP = 0.5  # at most half as dense on the border as at the thinner of the two centres
CLOUDS = 20  # to be below all of 20 by chance has a probability of 1 in 21
_ZONE = 0.15  # half the width of the zones, in units of the distance between the centres
_NONE = 1.0  # the ratio where it cannot be measured: no evidence of a gap
_CLOUD_STARTS = 5


@dataclass(frozen=True)
class Gaps:
    """How empty the borders between segments are.

    Attributes:
        border: density on the border relative to the centres, for the pair of segments with the least of a gap. 0 is a
            clean gap, 1 and above is none.
        cloud_border: the smallest such figure in 20 clouds without groups; None if ``border`` says already that there
            is no gap.
    """

    border: float
    cloud_border: float | None

    @property
    def real(self) -> bool:
        """True if every two segments have a gap between them, wider than chance makes one."""
        return self.border <= GAP and self.cloud_border is not None and self.border < self.cloud_border


def find_gaps(rows: Floats, labels: Ints, k: int, weights: Floats, rng: np.random.Generator) -> Gaps:
    """Measure the gaps between k segments, whatever method found them.

    The clouds are cut by k-means, whose borders go where a cloud happens to be thin.

    Args:
        rows: (n, p) the customers as points. weights: (n,) customers per row.
        labels: (n,) segment of each.
        rng: smooths steps and draws the clouds.

    O(20 clouds, 5 starts each, iterations n k p) if the borders look empty, else O(n k p).
    """
    smooth = _smoothed(rows, rng)
    centres = means_of(rows, labels, weights, k)
    if not np.isfinite(centres).all():  # a segment without members has no border
        return Gaps(_NONE, None)
    border = border_density(smooth, labels, centres, weights)
    if border > GAP:
        return Gaps(border, None)
    axes = _axes(smooth, weights)
    return Gaps(border, min(_cloud_border(axes, len(rows), k, rng) for _ in range(CLOUDS)))


def border_density(rows: Floats, labels: Ints, centres: Floats, weights: Floats) -> float:
    """The largest ratio, over all pairs of segments, of the density midway between them to that at the thinner centre.

    Pairs with other segments in between have next to nobody midway, so the largest ratio belongs to neighbours.
    """
    largest = 0.0
    for i, j in itertools.combinations(range(len(centres)), 2):
        line = centres[j] - centres[i]
        length = float(line @ line)
        if length == 0:  # two centres in one place
            return max(largest, _NONE)
        members = (labels == i) | (labels == j)
        along = (rows[members] - centres[i]) @ line / length
        weight = weights[members]
        at_i, midway, at_j = (float(weight[np.abs(along - at) <= _ZONE].sum()) for at in (0.0, 0.5, 1.0))
        thinner = min(at_i, at_j)
        largest = max(largest, midway / thinner if thinner > 0 else _NONE)
    return largest


def _smoothed(rows: Floats, rng: np.random.Generator) -> Floats:
    """Spread each value of a column that takes few over the space around it.

    Answers in steps have gaps between the steps that say nothing about groups. A yes/no answer becomes two adjacent
    blocks of a histogram, without a gap.
    """
    smooth = rows.copy()
    for j in range(rows.shape[1]):
        levels, level = np.unique(rows[:, j], return_inverse=True)
        if 1 < len(levels) < len(rows) / 2:
            middle = (levels[1:] + levels[:-1]) / 2
            low = np.concatenate([[2 * levels[0] - middle[0]], middle])
            high = np.concatenate([middle, [2 * levels[-1] - middle[-1]]])
            smooth[:, j] = low[level] + (high - low)[level] * rng.random(len(rows))
    return smooth


def _axes(rows: Floats, weights: Floats) -> Floats:
    """(p, p) principal axes of the rows, each as long as half the side of a uniform box of the same variance."""
    centred = rows - weights @ rows / weights.sum()
    variances, directions = np.linalg.eigh((centred * weights[:, None]).T @ centred / weights.sum())
    # A uniform variable on [-a, a] has the variance a^2 / 3.
    axes: Floats = np.sqrt(3 * np.maximum(variances, 0))[:, None] * directions.T
    return axes


def _cloud_border(axes: Floats, n: int, k: int, rng: np.random.Generator) -> float:
    """``border_density`` of k segments of n rows drawn uniformly from a box: a cloud without groups."""
    data = compress(rng.uniform(-1, 1, size=(n, len(axes))) @ axes)
    centres = best_of_starts(data, k, _CLOUD_STARTS, "lloyd", rng)
    labels, _ = nearest(data.values, centres)
    return border_density(data.values, labels, centres, data.weights)
