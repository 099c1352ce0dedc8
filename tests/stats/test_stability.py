"""Stability: published figures, the indices against their definitions, the same answer every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from segmentry.errors import FitError
from segmentry.stats.clustering import KMeansFinder, kmeans
from segmentry.stats.stability import (
    adjusted_rand,
    best_jaccard,
    global_stability,
    segment_stability,
    trust,
)

Floats = NDArray[np.float64]

# DESIGN section 7: mean adjusted Rand index, 50 bootstrap pairs, 25 starts each, to within .06.
PUBLISHED = {2: 0.95, 3: 0.91, 4: 0.84, 5: 0.74, 6: 0.68, 7: 0.68, 8: 0.67}

two_groupings = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30)


def three_groups(n: int = 150, seed: int = 4) -> Floats:
    rng = np.random.default_rng(seed)
    return np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])[rng.integers(3, size=n)] + rng.normal(size=(n, 2))


def test_mcdonalds_stability_is_the_published_one(mcdonalds: Floats) -> None:
    found = global_stability(mcdonalds, PUBLISHED, pairs=50, starts=25)
    assert (found.how.pairs, found.how.starts) == (50, 25)
    for k, published in PUBLISHED.items():
        assert found.ari[k].shape == (50,)
        assert found.mean(k) == pytest.approx(published, abs=0.06), k
    assert found.median(2) == np.median(found.ari[2])
    low, high = found.quantiles(4, (0.25, 0.75))
    assert low < found.median(4) < high


def test_a_single_start_makes_mcdonalds_look_unstable(mcdonalds: Floats) -> None:
    assert global_stability(mcdonalds, [2], pairs=50, starts=1).mean(2) < 0.7


def test_thorough_search_takes_failures_of_the_search_out_of_the_measurement(mcdonalds: Floats) -> None:
    simple = global_stability(mcdonalds, [5], pairs=10)
    thorough = global_stability(mcdonalds, [5], pairs=10, finder=KMeansFinder("thorough"))
    assert thorough.mean(5) > simple.mean(5) + 0.08
    assert thorough.mean(5) > 0.85


@settings(max_examples=200)
@given(two_groupings)
@example([(0, 0), (0, 0)])
@example([(0, 1), (1, 0)])
@example([(0, 0), (0, 1), (0, 2)])
def test_adjusted_rand_equals_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    a, b = zip(*pairs, strict=True)
    assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)


@given(two_groupings, st.permutations(range(5)))
def test_adjusted_rand_does_not_depend_on_the_names_of_the_segments(
    pairs: list[tuple[int, int]], names: list[int]
) -> None:
    a, b = zip(*pairs, strict=True)
    assert adjusted_rand([names[i] for i in a], b) == pytest.approx(adjusted_rand(a, b), abs=1e-12)
    assert adjusted_rand(b, a) == pytest.approx(adjusted_rand(a, b), abs=1e-12)


@given(two_groupings)
def test_best_jaccard_is_the_largest_overlap_of_sets(pairs: list[tuple[int, int]]) -> None:
    a, b = (np.array(side) for side in zip(*pairs, strict=True))
    found = best_jaccard(a, b)
    for i in range(int(a.max()) + 1):
        mine = set(np.flatnonzero(a == i))
        others = [set(np.flatnonzero(b == j)) for j in range(5)]
        expected = max(len(mine & other) / len(mine | other) if mine | other else 0.0 for other in others)
        assert found[i] == pytest.approx(expected)


def test_well_separated_segments_come_back_and_halves_of_one_do_not() -> None:
    table = three_groups(300)
    assert segment_stability(table, kmeans(table, 3), pairs=10).jaccard.min() > 0.95
    split = segment_stability(table, kmeans(table, 4), pairs=10)
    assert sorted(split.jaccard)[1] < 0.75
    assert sorted(split.jaccard)[2] > 0.85
    assert split.how.pairs == 10


def test_mcdonalds_four_segments_all_come_back(mcdonalds: Floats) -> None:
    found = segment_stability(mcdonalds, kmeans(mcdonalds, 4), pairs=20)
    assert found.verdicts == ("high",) * 4


def test_words_for_jaccard_start_at_hennigs_thresholds() -> None:
    words = [trust(value) for value in (1.0, 0.85, 0.8499, 0.75, 0.7499, 0.60, 0.5999, 0.0)]
    assert words == ["high", "high", "valid", "valid", "weak", "weak", "do not trust", "do not trust"]


def test_seed_repeats_the_figures_and_another_seed_changes_them() -> None:
    table = np.random.default_rng(1).normal(size=(80, 3))
    first, again, other = (global_stability(table, [3], pairs=4, starts=3, seed=seed).ari[3] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_figures_of_one_k_do_not_depend_on_the_other_ks() -> None:
    table = np.random.default_rng(2).normal(size=(60, 3))
    alone = global_stability(table, [4], pairs=3, starts=2)
    among = global_stability(table, range(2, 6), pairs=3, starts=2)
    assert np.array_equal(alone.ari[4], among.ari[4])


def test_customers_per_row_in_another_unit_change_nothing() -> None:
    table = np.random.default_rng(3).normal(size=(60, 3))
    plain = global_stability(table, [3], pairs=3, starts=2).ari[3]
    assert np.array_equal(global_stability(table, [3], weights=np.full(60, 8.0), pairs=3, starts=2).ari[3], plain)


def test_weights_move_the_segments() -> None:
    table = np.random.default_rng(3).normal(size=(60, 3))
    weights = np.where(table[:, 0] > 0, 50.0, 1.0)
    plain = global_stability(table, [3], pairs=3, starts=2).ari[3]
    assert not np.array_equal(global_stability(table, [3], weights=weights, pairs=3, starts=2).ari[3], plain)


def test_progress_counts_every_sample_up_to_the_total() -> None:
    seen: list[tuple[int, int]] = []
    global_stability(three_groups(30), [2], pairs=3, starts=1, progress=lambda *step: seen.append(step))
    assert seen == [(done, 6) for done in range(1, 7)]


def test_as_many_segments_as_different_rows_still_have_a_stability() -> None:
    table = np.repeat(np.arange(5.0), 2)[:, None]  # most bootstrap samples miss one of the five values
    found = global_stability(table, [5], pairs=5, starts=2)
    assert np.isfinite(found.ari[5]).all()
    assert found.mean(5) < 1
    assert segment_stability(table, kmeans(table, 5), pairs=5, starts=2).jaccard.shape == (5,)


def test_fewer_than_ten_rows_are_refused() -> None:
    with pytest.raises(FitError, match=r"only 9 rows.*fewer than 10"):
        global_stability(np.arange(9.0)[:, None], [2])


def test_more_segments_than_different_rows_are_refused() -> None:
    with pytest.raises(FitError, match="4 segments"):
        global_stability(np.arange(12.0)[:, None] % 3, [2, 4])


@pytest.mark.parametrize(("ks", "pairs", "starts"), [([], 5, 5), ([0], 5, 5), ([2], 0, 5), ([2], 5, 0)])
def test_nothing_to_measure_is_refused(ks: list[int], pairs: int, starts: int) -> None:
    with pytest.raises(FitError, match="at least 1"):
        global_stability(three_groups(20), ks, pairs=pairs, starts=starts)


def test_solution_of_another_table_is_refused() -> None:
    table = three_groups(30)
    with pytest.raises(FitError, match="labels 30 rows, the table has 29"):
        segment_stability(table[1:], kmeans(table, 3))
