"""Trees of two-way splits that are grown with a corrected test and pruned on held-out rows.

A split is the one that takes away most of the squared error (Breiman et al. 1984, CART; for shares that is Gini's
index), among cuts of ordered values and two-way groupings of categories. It must pass a chi-squared test after
Bonferroni's correction for all splits that were looked at (Kass 1980, CHAID), and what the splits below a node bring
must show on rows that the tree has not seen (Quinlan 1987, reduced error pruning). What is missing goes the way that
tells more, and that way is part of the split.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
ALPHA = 0.05
HELD_OUT = 0.3  # share of the rows that a tree is pruned on


@dataclass(frozen=True)
class Feature:
    """One variable as codes: 0 to ``levels`` - 1, and ``levels`` where it is missing; (n,) values.

    ``ordered``: codes rise with the values, and only cuts between neighbours are splits.
    """

    codes: Codes
    levels: int
    ordered: bool


@dataclass(frozen=True)
class Node:
    """A node of a tree, or a leaf where ``left`` is None.

    ``left_codes`` are the codes of the feature that go left; all other codes go right. ``mean`` is that of the target's
    columns, ``weight`` the total weight of the rows that the tree was grown on.
    """

    mean: tuple[float, ...]
    weight: float
    feature: int = -1
    left_codes: frozenset[int] = frozenset()
    left: Node | None = None
    right: Node | None = None
    p: float = 1.0  # corrected, of its split


@dataclass(frozen=True)
class Limits:
    """How far a tree may grow: ``least`` is the least share of all weight in a leaf."""

    least: float = 0.05
    most: int = 8
    depth: int = 4


def grow(features: Sequence[Feature], target: Floats, weights: Floats, limits: Limits, seed: int) -> tuple[Node, float]:
    """A tree of the target, pruned on rows that were held out; and the share of the target's variance that leaves
    explain there, with the means of the other rows.

    ``target`` is (n, c): one column for a number or a share, one of zeros and ones per category. The rows to hold out
    are drawn by ``seed``. Means and weights of the nodes are those of all rows.
    """
    held = np.random.default_rng(seed).permutation(len(target)) < HELD_OUT * len(target)
    root = _grown(features, target, weights, ~held, limits)
    root = _pruned(root, features, target, weights, held)
    explained = _explained(root, features, target, weights, held)
    return _measured(root, features, target, weights, np.ones(len(target), dtype=bool)), explained


def _explained(
    root: Node, features: Sequence[Feature], target: Floats, weights: Floats, held: npt.NDArray[np.bool_]
) -> float:
    w, y = weights[held, None], target[held]
    means = np.array([leaf.mean for leaf, _ in leaves(root)])[place(root, features)[held]]
    spread = float((w * (y - (w * y).sum(axis=0) / w.sum()) ** 2).sum())
    return 1 - float((w * (y - means) ** 2).sum()) / spread if spread > 0 else 0.0


def stump(feature: Feature, target: Floats, weights: Floats, least: float) -> frozenset[int] | None:
    """The codes of the side with the higher mean of the best single split; None where there is none.

    Both sides have at least the share ``least`` of the weight; rows of weight 0 have no say.
    """
    rows = np.flatnonzero(weights > 0)
    w, y = weights[rows], target[rows]
    mean = np.average(y, axis=0, weights=w)
    found, _ = _cut(feature, rows, w, y, mean, least * float(w.sum()))
    if found is None or found[0] <= 0:
        return None
    left = np.isin(feature.codes[rows], list(found[1]))
    higher = np.average(y[left, 0], weights=w[left]) >= np.average(y[~left, 0], weights=w[~left])
    return found[1] if higher else frozenset(range(feature.levels + 1)) - found[1]


def leaves(
    node: Node, path: tuple[tuple[Node, bool], ...] = ()
) -> Iterator[tuple[Node, tuple[tuple[Node, bool], ...]]]:
    """Every leaf from left to right, with the nodes above it and whether the way to it is their left one."""
    if node.left is None or node.right is None:
        yield node, path
        return
    yield from leaves(node.left, (*path, (node, True)))
    yield from leaves(node.right, (*path, (node, False)))


def place(root: Node, features: Sequence[Feature]) -> Codes:
    """The number of the leaf, from left to right, of every row."""
    found = np.full(len(features[0].codes), -1, dtype=np.int64)
    for number, (_, path) in enumerate(leaves(root)):
        inside = np.ones(len(found), dtype=bool)
        for node, left in path:
            inside &= _goes_left(node, features) == left
        found[inside] = number
    return found


def _goes_left(node: Node, features: Sequence[Feature]) -> npt.NDArray[np.bool_]:
    feature = features[node.feature]
    table = np.zeros(feature.levels + 1, dtype=bool)
    table[list(node.left_codes)] = True
    return table[feature.codes]


@dataclass(frozen=True, eq=False)
class _Open:
    """A leaf that may still be split, and how."""

    rows: npt.NDArray[np.int64]
    depth: int
    at: tuple[bool, ...]  # the way to it
    gain: float
    feature: int
    left_codes: frozenset[int]
    p: float


def _grown(
    features: Sequence[Feature], target: Floats, weights: Floats, used: npt.NDArray[np.bool_], limits: Limits
) -> Node:
    """Best first: the split that brings most is made next, until there are enough leaves."""
    rows = np.flatnonzero(used)
    least = limits.least * float(weights[rows].sum())
    splits: dict[tuple[bool, ...], _Open] = {}
    found = [_best(features, target, weights, rows, (), least)]
    waiting: list[_Open] = []
    while len(splits) + 1 < limits.most:
        waiting += [split for split in found if split is not None and split.p < ALPHA]
        if not waiting:
            break
        chosen = max(waiting, key=lambda split: split.gain)
        waiting.remove(chosen)
        found = []
        splits[chosen.at] = chosen
        left = np.isin(features[chosen.feature].codes[chosen.rows], list(chosen.left_codes))
        if chosen.depth + 1 < limits.depth:
            for way, part in ((True, chosen.rows[left]), (False, chosen.rows[~left])):
                found.append(_best(features, target, weights, part, (*chosen.at, way), least))
    return _built(splits, ())


def _built(splits: dict[tuple[bool, ...], _Open], at: tuple[bool, ...]) -> Node:
    split = splits.get(at)
    if split is None:
        return Node((), 0.0)
    left, right = _built(splits, (*at, True)), _built(splits, (*at, False))
    return Node((), 0.0, split.feature, split.left_codes, left, right, split.p)


def _best(
    features: Sequence[Feature],
    target: Floats,
    weights: Floats,
    rows: npt.NDArray[np.int64],
    at: tuple[bool, ...],
    least: float,
) -> _Open | None:
    """The split of these rows that takes away most squared error; None where there is none."""
    w, y = weights[rows], target[rows]
    total = float(w.sum())
    if total < 2 * least or total == 0:
        return None
    mean = (w[:, None] * y).sum(axis=0) / total
    spread = (w[:, None] * (y - mean) ** 2).sum(axis=0) / total
    if not (spread > 0).any():
        return None
    best: tuple[float, int, frozenset[int], Floats] | None = None
    tried = 0
    for number, feature in enumerate(features):
        found, count = _cut(feature, rows, w, y, mean, least)
        tried += count
        if found is not None and (best is None or found[0] > best[0] * (1 + 1e-12)):
            best = (found[0], number, found[1], found[2])
    if best is None:
        return None
    gain, number, codes, between = best
    if len(spread) == 1:  # the sums of a side vary so where it says nothing of the target, however rows were drawn
        statistic = total * float(between[0]) / float(((w * (y[:, 0] - mean[0])) ** 2).sum())
    else:  # Pearson's statistic of a table of two sides by c categories, worth the people that Kish 1965 says
        statistic = total / float((w**2).sum()) * float((between[mean > 0] / mean[mean > 0]).sum())
    from scipy.stats import chi2  # noqa: PLC0415  # a second that reading commands do without

    p = min(1.0, float(chi2.sf(statistic, max(1, len(spread) - 1))) * tried)
    return _Open(rows, len(at), at, gain, number, codes, p)


def _cut(
    feature: Feature, rows: npt.NDArray[np.int64], w: Floats, y: Floats, mean: Floats, least: float
) -> tuple[tuple[float, frozenset[int], Floats] | None, int]:
    """The best two-way split by one feature (gain, codes to the left, gain by column), and how many were tried."""
    size = feature.levels + 1
    codes = feature.codes[rows]
    weight: Floats = np.bincount(codes, weights=w, minlength=size).astype(np.float64)
    centred = w[:, None] * (y - mean)
    sums = np.column_stack([np.bincount(codes, weights=c, minlength=size) for c in centred.T])
    there = np.flatnonzero(weight[: feature.levels] > 0).astype(np.int64)
    missing = weight[feature.levels]
    if len(there) + (missing > 0) < 2:
        return None, 0
    if not feature.ordered:
        means = sums[there] / weight[there, None]
        column = int(np.argmax((weight[there, None] * means**2).sum(axis=0)))
        there = there[np.argsort(means[:, column], kind="stable")]  # Breiman 1984: the best grouping is a cut in it
    below, sums_below = weight[there].cumsum(), sums[there].cumsum(axis=0)
    # the last of them is everybody who is known against those who are not
    options = [(below, sums_below, False)]
    if missing > 0:
        options.append((below[:-1] + missing, sums_below[:-1] + sums[feature.levels], True))
    total, best, tried = float(w.sum()), None, 0
    for left, left_sums, with_missing in options:
        right = total - left
        allowed = (left >= least) & (right >= least) & (right > 0)
        tried += int(allowed.sum())
        if not allowed.any():
            continue
        # centred sums: what is left of the mean is minus what is right of it
        divisor = np.where(allowed, left * right / total, 1.0)
        between = np.where(allowed[:, None], left_sums**2 / divisor[:, None], -1.0)
        gains = between.sum(axis=1)
        at = int(np.argmax(gains))
        if best is None or gains[at] > best[0] * (1 + 1e-12):
            best = (float(gains[at]), _sides(feature, there, at, weight, with_missing=with_missing), between[at])
    return best, tried


def _sides(feature: Feature, there: Codes, at: int, weight: Floats, *, with_missing: bool) -> frozenset[int]:
    """The codes that go left; those that these rows do not have go where they belong or where most rows go."""
    left = {int(code) for code in there[: at + 1]}
    heavier = weight[there[: at + 1]].sum() * 2 >= weight.sum()
    gone = set(range(feature.levels)) - {int(code) for code in there}
    if feature.ordered:
        left |= {code for code in gone if at + 1 < len(there) and code < there[at + 1]}
        left |= gone if at + 1 == len(there) else set()
    elif heavier:
        left |= gone
    if with_missing or (weight[feature.levels] == 0 and heavier):
        left.add(feature.levels)
    return frozenset(left)


def _pruned(
    node: Node, features: Sequence[Feature], target: Floats, weights: Floats, held: npt.NDArray[np.bool_]
) -> Node:
    """The tree without splits that bring nothing on the rows held out; the means come from the others."""
    trained = _measured(node, features, target, weights, ~held)
    return _without_idle(trained, features, target, weights, np.flatnonzero(held))[0]


def _without_idle(
    node: Node, features: Sequence[Feature], target: Floats, weights: Floats, rows: npt.NDArray[np.int64]
) -> tuple[Node, float]:
    """The node pruned, and its squared error on the rows."""
    own = float((weights[rows, None] * (target[rows] - np.array(node.mean)) ** 2).sum())
    if node.left is None or node.right is None:
        return node, own
    left = np.isin(features[node.feature].codes[rows], list(node.left_codes))
    one, error_one = _without_idle(node.left, features, target, weights, rows[left])
    two, error_two = _without_idle(node.right, features, target, weights, rows[~left])
    if error_one + error_two >= own:
        return Node(node.mean, node.weight), own
    return replace(node, left=one, right=two), error_one + error_two


def _measured(
    node: Node, features: Sequence[Feature], target: Floats, weights: Floats, inside: npt.NDArray[np.bool_]
) -> Node:
    """The same tree with the means and weights of some rows."""
    total = float(weights[inside].sum())
    mean = (weights[inside, None] * target[inside]).sum(axis=0) / total if total > 0 else np.zeros(target.shape[1])
    found = replace(node, mean=tuple(float(m) for m in mean), weight=total)
    if node.left is None or node.right is None:
        return found
    left = _goes_left(node, features)
    return replace(
        found,
        left=_measured(node.left, features, target, weights, inside & left),
        right=_measured(node.right, features, target, weights, inside & ~left),
    )
