"""Solutions beside each other: what becomes of a segment when there are more of them, and how segments differ.

Segment level stability across solutions after Dolnicar & Leisch (2017), "Using segment level stability to select
target segments in data-driven market segmentation studies", Marketing Letters 28.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentry.stats.descent import Floats, Ints


@dataclass(frozen=True)
class Across:
    """From one solution to the next.

    Attributes:
        flows: (before, after) weight that goes from each segment to each segment of the next solution.
        entropy_stability: (after,) SLSA: 1 minus the entropy of where the members of a segment come from, over its
            largest possible value. 1: all from one segment, so it was there before or was split off; 0: from all alike.
        comes_back: (before,) the largest Jaccard index that a segment has with one of the next solution.
    """

    flows: Floats
    entropy_stability: Floats
    comes_back: Floats


def across(before: Ints, after: Ints, shape: tuple[int, int], weights: Floats) -> Across:
    """Compare two solutions of the same rows.

    Args:
        before: (n,) labels from 0. after: (n,) likewise. shape: how many segments each has. weights: (n,).

    >>> found = across(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2]), (2, 3), np.ones(4))
    >>> found.entropy_stability.tolist(), found.comes_back.tolist()
    ([1.0, 1.0, 1.0], [0.5, 1.0])
    """
    flows = np.bincount(before * shape[1] + after, weights, shape[0] * shape[1]).reshape(shape).astype(np.float64)
    totals = flows.sum(axis=0)
    shares = flows / np.where(totals > 0, totals, 1.0)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=0)
    most = np.log(shape[0]) if shape[0] > 1 else 1.0
    union = flows.sum(axis=1, keepdims=True) + totals - flows
    jaccard = (flows / np.where(union > 0, union, 1.0)).max(axis=1)
    return Across(flows, np.abs(1 - entropy / most), jaccard)


def contrasts(values: Floats, labels: Ints, weights: Floats, k: int) -> Floats:
    """(k, k, t) how far the means of every two segments are apart, in pooled standard deviations (Cohen's d), unsigned.

    Args:
        values: (n, t) traits, NaN where not known. labels: (n,). weights: (n,).

    0 where a trait is known for fewer than two members of a segment, or does not vary within segments.
    """
    n, means, variances = (np.zeros((k, values.shape[1])) for _ in range(3))
    for i in range(k):
        rows, weight = values[labels == i], weights[labels == i, None]
        known = np.isfinite(rows)
        w = np.where(known, weight, 0.0)
        n[i] = w.sum(axis=0)
        per = np.where(n[i] > 0, n[i], 1.0)
        means[i] = (w * np.where(known, rows, 0.0)).sum(axis=0) / per
        variances[i] = (w * np.where(known, rows - means[i], 0.0) ** 2).sum(axis=0) / per
        n[i] = np.where(known.sum(axis=0) < 2, 0.0, n[i])
    both = (n[:, None] > 0) & (n[None] > 0)
    total = np.where(both, n[:, None] + n[None], 1.0)
    pooled = (n[:, None] * variances[:, None] + n[None] * variances[None]) / total
    gaps = np.abs(means[:, None] - means[None])
    told = both & (gaps > 0)
    # a trait without any variance within two segments tells them apart by itself: by 100, as much as is ever said
    spread = np.sqrt(np.maximum(pooled, 1e-4 * gaps**2))
    found: Floats = np.where(told, gaps, 0.0) / np.where(told, spread, 1.0)
    return found
