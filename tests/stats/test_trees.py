"""Trees of two-way splits: what is planted is found, noise is not, and what is missing has a way of its own."""

from __future__ import annotations

import numpy as np

from segmentry.stats.trees import Feature, Limits, grow, leaves, place


def _planted(n: int = 4000, seed: int = 1) -> tuple[list[Feature], np.ndarray, np.ndarray]:
    """Half of those with code 6 or more of the first feature and level 2 of the second; a tenth of the others."""
    rng = np.random.default_rng(seed)
    number, level, noise = rng.integers(0, 10, n), rng.integers(0, 4, n), rng.integers(0, 16, n)
    share = np.where((number >= 6) & (level == 2), 0.6, 0.1)
    features = [Feature(number, 10, ordered=True), Feature(level, 4, ordered=False), Feature(noise, 16, ordered=True)]
    return features, (rng.random(n) < share).astype(float)[:, None], number


def test_planted_conditions_are_found_to_the_cut():
    features, target, _ = _planted()
    root, explained = grow(features, target, np.ones(len(target)), Limits(), seed=1)
    best, path = max(leaves(root), key=lambda leaf: leaf[0].mean)
    asked = {node.feature: node.left_codes if left else frozenset(range(11)) - node.left_codes for node, left in path}
    assert set(asked) == {0, 1}
    assert asked[0] & set(range(10)) == {6, 7, 8, 9}
    assert asked[1] & set(range(4)) == {2}
    assert 0.5 < best.mean[0] < 0.7
    assert 0.1 < explained < 0.4


def test_every_row_is_in_one_leaf_and_weights_count_like_repeated_rows():
    features, target, _ = _planted(1500)
    weights = np.random.default_rng(2).integers(1, 4, 1500).astype(float)
    root, _ = grow(features, target, weights, Limits(), seed=1)
    found = place(root, features)
    each = list(leaves(root))
    assert set(found) == set(range(len(each)))
    for number, (leaf, _) in enumerate(each):
        inside = found == number
        assert leaf.weight == weights[inside].sum()
        assert abs(leaf.mean[0] - np.average(target[inside, 0], weights=weights[inside])) < 1e-12


def test_noise_is_not_split():
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        features = [Feature(rng.integers(0, 8, 800), 8, ordered=bool(i % 2)) for i in range(6)]
        root, _ = grow(features, rng.integers(0, 2, (800, 1)).astype(float), np.ones(800), Limits(), seed)
        found += root.left is not None
    assert found <= 2


def test_those_of_whom_a_trait_is_missing_are_told_from_the_others():
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 5, 2000)  # 4: missing
    target = np.where(codes == 4, 5.0, 1.0)[:, None] + rng.normal(0, 0.5, (2000, 1))
    root, explained = grow([Feature(codes, 4, ordered=True)], target, np.ones(2000), Limits(), seed=1)
    assert sorted(round(leaf.mean[0]) for leaf, _ in leaves(root)) == [1, 5]
    assert explained > 0.9


def test_leaves_are_neither_too_small_nor_too_many():
    features, _, number = _planted()
    target = number.astype(float)[:, None]
    root, _ = grow(features, target, np.ones(len(target)), Limits(least=0.15, most=4), seed=1)
    each = list(leaves(root))
    assert 2 <= len(each) <= 4
    # least is a share of the rows that the tree was grown on: on all of them it may be a little less
    assert min(leaf.weight for leaf, _ in each) >= 0.13 * len(target)


def test_categories_as_target_are_told_apart():
    rng = np.random.default_rng(4)
    level = rng.integers(0, 3, 900)
    target = np.eye(3)[np.where(rng.random(900) < 0.85, level, rng.integers(0, 3, 900))]
    root, _ = grow([Feature(level, 3, ordered=False)], target, np.ones(900), Limits(), seed=1)
    assert sorted(int(np.argmax(leaf.mean)) for leaf, _ in leaves(root)) == [0, 1, 2]


def test_rare_behaviour_drawn_more_often_is_told_better_and_noise_is_not():
    often, rare, rng = np.ones(1_800), np.zeros(18_200), np.random.default_rng(7)
    target = np.concatenate([often, rare])[:, None]
    weights = np.where(target[:, 0] > 0, 0.1, 1.09)  # 1 % behave so, and 9 % of those drawn

    def told(share: float) -> int:
        found = 0
        for seed in range(20):
            codes = (rng.random(20_000) < np.where(target[:, 0] > 0, share, 0.5)).astype(np.int64)
            found += grow([Feature(codes, 2, ordered=True)], target, weights, Limits(), seed)[0].left is not None
        return found

    assert told(0.5) <= 2
    assert told(0.56) > 15
