"""k-means: published optima, true optima of small tables, the same answer every time."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segmentry.errors import FitError
from segmentry.stats.clustering import kmeans
from segmentry.stats.descent import nearest

Floats = NDArray[np.float64]

# DESIGN section 7: the best sums of squared errors known for the McDonald's survey.
BEST = {2: 2145.504, 3: 1818.702, 4: 1602.900, 5: 1434.602, 6: 1325.13, 7: 1241.71, 8: 1163.85}

cells = st.integers(-3, 3).map(float)
tables = st.integers(1, 3).flatmap(
    lambda p: st.lists(st.lists(cells, min_size=p, max_size=p), min_size=5, max_size=8).map(np.array)
)


def distinct(table: Floats) -> int:
    return len(np.unique(table, axis=0))


def error_of(table: Floats, labels: NDArray[np.int64]) -> float:
    groups = [table[labels == label] for label in np.unique(labels)]
    return float(sum(((group - group.mean(axis=0)) ** 2).sum() for group in groups))


@pytest.mark.parametrize("k", BEST)
def test_mcdonalds_reaches_the_best_known_error(mcdonalds: Floats, k: int) -> None:
    solution = kmeans(mcdonalds, k)
    assert solution.sse <= BEST[k]
    assert solution.sse == pytest.approx(error_of(mcdonalds, solution.labels), rel=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mcdonalds_four_segments_have_the_published_sizes_from_any_seed(mcdonalds: Floats, seed: int) -> None:
    solution = kmeans(mcdonalds, 4, seed=seed)
    assert solution.sizes.tolist() == [580, 318, 315, 240]
    assert solution.sse == pytest.approx(1602.8995, abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(tables, st.integers(2, 3))
def test_small_tables_are_solved_to_the_true_optimum(table: Floats, k: int) -> None:
    k = min(k, distinct(table))
    member = np.array(list(itertools.product(range(k), repeat=len(table))))[:, None] == np.arange(k)[:, None]
    weight = member.sum(axis=2)  # (partitions, k)
    sums = member @ table
    between = (sums**2).sum(axis=2) / np.maximum(weight, 1)
    best = (table**2).sum() - between.sum(axis=1).max()
    assert kmeans(table, k, starts=10).sse == pytest.approx(best, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(tables)
def test_more_segments_never_have_a_larger_error(table: Floats) -> None:
    errors = [kmeans(table, k, starts=5).sse for k in range(1, distinct(table) + 1)]
    assert all(later <= earlier + 1e-9 for earlier, later in itertools.pairwise(errors))
    assert errors[-1] == pytest.approx(0, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(tables, st.data())
def test_weight_of_a_row_counts_as_so_many_rows(table: Floats, data: st.DataObject) -> None:
    times = data.draw(st.lists(st.integers(1, 4), min_size=len(table), max_size=len(table)))
    k = min(3, distinct(table))
    weighted = kmeans(table, k, weights=times, starts=5)
    repeated = kmeans(np.repeat(table, times, axis=0), k, starts=5)
    assert weighted.sse == pytest.approx(repeated.sse, abs=1e-9)
    assert weighted.sizes.tolist() == repeated.sizes.tolist()
    assert np.repeat(weighted.labels, times).tolist() == repeated.labels.tolist()
    np.testing.assert_allclose(weighted.centres, repeated.centres, atol=1e-9)


def test_row_of_weight_zero_gets_a_segment_but_shapes_none() -> None:
    table = np.array([[0.0], [1.0], [9.0], [10.0], [500.0]])
    solution = kmeans(table, 2, weights=[1, 1, 1, 1, 0])
    assert solution.centres.ravel().tolist() == [0.5, 9.5]
    assert solution.labels.tolist() == [0, 0, 1, 1, 1]
    assert solution.sse == pytest.approx(1.0)


def test_order_of_rows_does_not_matter(mcdonalds: Floats) -> None:
    order = np.random.default_rng(5).permutation(len(mcdonalds))
    straight, shuffled = kmeans(mcdonalds, 5, seed=3), kmeans(mcdonalds[order], 5, seed=3)
    assert np.array_equal(straight.labels[order], shuffled.labels)
    assert np.array_equal(straight.centres, shuffled.centres)


def test_seed_gives_the_same_answer_with_any_number_of_threads() -> None:
    program = (
        "import hashlib, numpy as np\n"
        "from segmentry.stats.clustering import kmeans\n"
        "from segmentry.stats.stability import global_stability\n"
        "x = np.random.default_rng(7).normal(size=(3000, 6))\n"
        "s = kmeans(x, 5, starts=4, seed=11)\n"
        "a = global_stability(x[:500], [3], pairs=2, starts=3, seed=11).ari[3]\n"
        "print(hashlib.md5(s.centres.tobytes() + s.labels.tobytes() + a.tobytes()).hexdigest(), repr(s.sse))"
    )

    def run(threads: str) -> str:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True).stdout

    assert run("1") == run("4")


@pytest.mark.parametrize("rows", [400, 3000])
def test_centres_are_means_and_labels_the_closest_centres(rows: int) -> None:
    table = np.random.default_rng(rows).normal(size=(rows, 4))
    solution = kmeans(table, 6, starts=5)
    squared = ((table[:, None] - solution.centres) ** 2).sum(axis=2)
    assert np.array_equal(solution.labels, squared.argmin(axis=1))
    for i in range(6):
        np.testing.assert_allclose(solution.centres[i], table[solution.labels == i].mean(axis=0), atol=1e-9)
    assert solution.sse == pytest.approx(squared.min(axis=1).sum(), rel=1e-12)
    assert solution.total == pytest.approx(((table - table.mean(axis=0)) ** 2).sum(), rel=1e-12)
    assert solution.between_share == pytest.approx(1 - solution.sse / solution.total)


def test_large_noise_is_no_worse_than_scikit_learn_with_as_many_starts() -> None:
    table = np.random.default_rng(0).normal(size=(2000, 8))
    assert kmeans(table, 6).sse <= 11628.7326  # KMeans(6, n_init=25, random_state=0).fit(table).inertia_, version 1.9.1


def test_far_away_data_lose_no_precision() -> None:
    table = np.random.default_rng(1).normal(size=(200, 3))
    here, far = kmeans(table, 4), kmeans(table + 1e7, 4)
    assert np.array_equal(here.labels, far.labels)
    assert far.sse == pytest.approx(here.sse, rel=1e-6)


def test_largest_segment_comes_first_and_equal_ones_by_centre() -> None:
    table = np.array([[5.0], [5.1], [1.0], [1.1], [9.0], [9.1], [9.2]])
    solution = kmeans(table, 3)
    assert solution.sizes.tolist() == [3, 2, 2]
    assert solution.centres.ravel() == pytest.approx([9.1, 1.05, 5.05])


def test_row_between_two_centres_belongs_to_the_first() -> None:
    labels, squared = nearest(np.array([[0.5], [0.5 + 1e-12], [0.6]]), np.array([[0.0], [1.0]]))
    assert labels.tolist() == [0, 0, 1]
    assert squared == pytest.approx([0.25, 0.25, 0.16])


def test_replications_tell_an_easy_optimum_from_a_hard_one(mcdonalds: Floats) -> None:
    rng = np.random.default_rng(2)
    clear = np.concatenate([rng.normal(centre, 0.1, size=(50, 2)) for centre in ((0, 0), (5, 0), (0, 5))])
    assert kmeans(clear, 3).replications == 25
    hard = kmeans(mcdonalds, 8)
    assert hard.starts == 25
    assert hard.replications < 5


def test_constant_column_changes_nothing() -> None:
    table = np.random.default_rng(3).normal(size=(100, 2))
    constant = np.column_stack([table, np.full(100, 7.0)])
    assert np.array_equal(kmeans(table, 3).labels, kmeans(constant, 3).labels)


def test_one_row_is_one_segment() -> None:
    solution = kmeans([[3.0, 4.0]], 1)
    assert (solution.centres.tolist(), solution.sse, solution.between_share) == ([[3.0, 4.0]], 0.0, 0.0)


def test_more_segments_than_different_rows_are_refused_with_the_number_that_works() -> None:
    with pytest.raises(FitError, match=r"3 segments .* 5 rows hold only 2 different combinations.*at most 2 segments"):
        kmeans([[0.0], [0.0], [-0.0], [1.0], [1.0]], 3)


def test_rows_that_count_as_equal_do_not_become_empty_segments() -> None:
    with pytest.raises(FitError, match=r"1 of 3 segments are empty.*scale of about 1"):
        kmeans([[0.0], [0.0], [1e-6], [1.0], [1.0]], 3)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[1.0], [float("nan")], [float("inf")]], "2 of 3 rows have a missing or infinite value"),
        (np.empty((0, 3)), "at least one row"),
        ([1.0, 2.0, 3.0], "shape"),
    ],
)
def test_table_that_cannot_be_clustered_is_refused(table: object, message: str) -> None:
    with pytest.raises(FitError, match=message):
        kmeans(table, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("weights", [[1.0, 2.0], [1.0, -1.0, 1.0], [0.0, 0.0, 0.0], [1.0, float("nan"), 1.0]])
def test_weights_that_mean_nothing_are_refused(weights: list[float]) -> None:
    with pytest.raises(FitError, match="weights"):
        kmeans([[1.0], [2.0], [3.0]], 2, weights=weights)


@pytest.mark.parametrize(("k", "starts"), [(0, 25), (2, 0)])
def test_no_segments_or_no_starts_are_refused(k: int, starts: int) -> None:
    with pytest.raises(FitError, match="at least 1"):
        kmeans([[1.0], [2.0]], k, starts=starts)
