"""k-prototypes against Huang's published algorithm, written row by row, and against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from segmentry.errors import FitError
from segmentry.stats.prototypes import Prototypes, PrototypesFinder, balanced, distances, kprototypes

Table = NDArray[np.float64]


def huang(rows: Table, categories: int, first: Prototypes, gamma: float) -> float:
    """The cost that the sequential algorithm of Huang (1998, section 3.3) ends with, from given prototypes.

    Every row goes to its nearest prototype, which is brought up to date at once; then rows are moved, one at a time,
    until a whole round moves none.
    """
    p, k = rows.shape[1] - categories, len(first)
    numbers, modes = first.numbers.copy(), first.modes.copy()
    members: list[set[int]] = [set() for _ in range(k)]

    def nearest(i: int) -> int:
        away = ((rows[i, :p] - numbers) ** 2).sum(axis=1) + gamma * (rows[i, p:] != modes).sum(axis=1)
        return int(away.argmin())

    def update(s: int) -> None:
        if members[s]:
            own = rows[sorted(members[s])]
            numbers[s] = own[:, :p].mean(axis=0)
            modes[s] = [np.bincount(column.astype(int)).argmax() for column in own[:, p:].T]

    where = []
    for i in range(len(rows)):
        where.append(nearest(i))
        members[where[i]].add(i)
        update(where[i])
    moved = True
    while moved:
        moved = False
        for i in range(len(rows)):
            to = nearest(i)
            if to != where[i]:
                members[where[i]].discard(i)
                members[to].add(i)
                update(where[i])
                update(to)
                where[i], moved = to, True
    cost = 0.0
    for i, s in enumerate(where):
        cost += float(((rows[i, :p] - numbers[s]) ** 2).sum() + gamma * (rows[i, p:] != modes[s]).sum())
    return cost


def planted(n: int, k: int, seed: int, noise: float = 0.6) -> tuple[Table, NDArray[np.int64]]:
    """Rows of 3 numbers and 3 categories around k prototypes, and whose each is."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(k, size=n)
    numbers = rng.normal(size=(k, 3))[truth] * 2 + rng.normal(size=(n, 3)) * noise
    own = rng.integers(4, size=(k, 3))[truth]
    codes = np.where(rng.random((n, 3)) < noise / 2, rng.integers(4, size=(n, 3)), own)
    return np.hstack([numbers, codes]), truth


@pytest.mark.parametrize("seed", range(8))
def test_cost_is_at_most_that_of_the_published_algorithm_from_the_same_starts(seed: int) -> None:
    k = 3 + seed % 4
    rows, _ = planted(250, k, seed, noise=0.4 + 0.15 * seed)
    rng = np.random.default_rng(seed)
    starts = []
    for _ in range(3):
        at = rng.choice(len(rows), k, replace=False)
        starts.append(Prototypes(rows[at, :3], rows[at, 3:].astype(np.int64)))
    for start in starts:
        theirs = huang(rows, 3, start, 0.7)
        ours = kprototypes(rows, k, categories=3, gamma=0.7, starts=[start])
        assert ours.cost <= theirs * (1 + 1e-9)


def test_small_table_reaches_the_cost_of_the_best_of_all_partitions() -> None:
    rows = np.round(planted(8, 2, 5, noise=1.2)[0], 1)
    best = min(
        sum(_cost(rows[[i for i in range(8) if way[i] == s]], 0.9) for s in range(2))
        for way in itertools.product(range(2), repeat=8)
        if len(set(way)) == 2
    )
    assert kprototypes(rows, 2, categories=3, gamma=0.9).cost == pytest.approx(best, abs=1e-9)


def _cost(own: Table, gamma: float) -> float:
    apart = ((own[:, :3] - own[:, :3].mean(axis=0)) ** 2).sum()
    return float(apart + gamma * sum(len(own) - np.bincount(column.astype(int)).max() for column in own[:, 3:].T))


def test_planted_segments_are_found_with_a_fifth_of_the_values_missing() -> None:
    rows, truth = planted(1_500, 4, 2, noise=0.3)
    rng = np.random.default_rng(2)
    gaps = rng.random(rows.shape) < 0.2
    gaps[gaps.all(axis=1), 0] = False
    found = kprototypes(np.where(gaps, np.nan, rows), 4, categories=3)
    agreed = sum(np.bincount(truth[found.labels == s]).max() for s in range(4))
    assert agreed > 0.93 * len(rows)
    assert found.replications > 1


def test_a_gap_is_made_up_for_by_what_is_known() -> None:
    prototypes = Prototypes(np.array([[0.0, 0.0]]), np.array([[1]]))
    rows = [[1.0, 2.0, 1], [1.0, np.nan, 0], [np.nan, np.nan, 0]]
    assert distances(rows, prototypes, 0.5)[0].tolist() == [5.0, 1.5 * 3 / 2, 0.5 * 3]


def test_weights_are_numbers_of_equal_rows() -> None:
    rows, _ = planted(60, 3, 4)
    weights = np.random.default_rng(1).integers(0, 4, size=60).astype(float)
    weighed = kprototypes(rows, 3, categories=3, weights=weights, gamma=1.0)
    repeated = kprototypes(np.repeat(rows, weights.astype(int), axis=0), 3, categories=3, gamma=1.0)
    assert weighed.cost == pytest.approx(repeated.cost)
    assert weighed.sizes.tolist() == repeated.sizes.tolist()
    repeats = rows.repeat(weights.astype(int), axis=0)
    assert balanced(rows, 3, weights) == pytest.approx(balanced(repeats, 3))


def test_order_of_rows_changes_nothing() -> None:
    rows, _ = planted(400, 3, 6)
    order = np.random.default_rng(0).permutation(400)
    one, other = kprototypes(rows, 3, categories=3, seed=5), kprototypes(rows[order], 3, categories=3, seed=5)
    assert one.cost == other.cost
    assert one.labels[order].tolist() == other.labels.tolist()


def test_large_tables_are_searched_on_a_part_and_finished_on_all() -> None:
    rows, truth = planted(9_000, 3, 3, noise=0.3)
    found = kprototypes(rows, 3, categories=3, starts=4)
    again = kprototypes(rows, 3, categories=3, starts=[found.prototypes])
    assert again.cost == pytest.approx(found.cost)
    assert sum(np.bincount(truth[found.labels == s]).max() for s in range(3)) > 0.97 * 9_000


def test_categories_alone_are_k_modes_and_numbers_alone_k_means() -> None:
    rows, _ = planted(300, 3, 8)
    modes = kprototypes(rows[:, 3:], 3, categories=3)
    assert modes.gamma == 1.0
    assert modes.prototypes.numbers.shape == (3, 0)
    means = kprototypes(rows[:, :3], 3, categories=0)
    for s in range(3):
        assert means.prototypes.numbers[s] == pytest.approx(rows[means.labels == s, :3].mean(axis=0), abs=1e-3)


def test_more_segments_than_different_rows_is_refused() -> None:
    with pytest.raises(FitError, match="only 2 different combinations"):
        kprototypes([[0.0, 1], [0.0, 1], [1.0, np.nan]], 3, categories=1)


def test_row_of_which_nothing_is_known_is_refused() -> None:
    with pytest.raises(FitError, match="1 of 2 rows nothing is known"):
        kprototypes([[0.0, 1], [np.nan, np.nan]], 1, categories=1)


def test_infinite_numbers_are_refused() -> None:
    with pytest.raises(FitError, match="infinite"):
        kprototypes([[np.inf, 1], [0.0, 1]], 1, categories=1)


def test_points_of_the_finder_are_as_far_apart_as_its_distances() -> None:
    finder = PrototypesFinder(1, 0.8)
    points = finder.space(np.array([[0.0, 0], [0.0, 1], [np.nan, 2]]))
    assert ((points[0] - points[1]) ** 2).sum() == pytest.approx(0.8)
    assert np.isfinite(points).all()
