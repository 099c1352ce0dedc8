"""Gaps: groups with nobody between them are told from a crowd that was cut up."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from segmentry.stats.clustering import kmeans
from segmentry.stats.gaps import Gaps, border_density, find_gaps

Floats = NDArray[np.float64]


def gaps_of(table: Floats, k: int) -> Gaps:
    return find_gaps(table, kmeans(table, k, starts=10).labels, k, np.ones(len(table)), np.random.default_rng(0))


def two_groups(distance: float, n: int = 2000) -> Floats:
    rng = np.random.default_rng(8)
    table = rng.normal(size=(n, 3))
    table[: n // 2, 0] += distance
    return table


def test_border_density_by_hand() -> None:
    # Around each centre 4 and 2 rows, one midway: the thinner centre counts.
    rows = np.array([[0.0], [0.1], [-0.1], [0.0], [0.5], [1.0], [1.05], [0.3]])
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 0])
    found = border_density(rows, labels, np.array([[0.0], [1.0]]), np.ones(8))
    assert found == pytest.approx(1 / 2)
    weights = np.array([1, 1, 1, 1, 3, 1, 1, 1.0])
    assert border_density(rows, labels, np.array([[0.0], [1.0]]), weights) == pytest.approx(3 / 2)


def test_centre_where_nobody_lives_is_no_evidence_of_a_gap() -> None:
    ends = np.array([[-1.0], [1.0], [9.0], [11.0]])
    assert border_density(ends, np.array([0, 0, 1, 1]), np.array([[0.0], [10.0]]), np.ones(4)) == pytest.approx(0)
    ring = np.array([[-4.0], [4.0], [6.0], [14.0]])  # nobody within 1.5 of the centres 0 and 10
    assert border_density(ring, np.array([0, 0, 1, 1]), np.array([[0.0], [10.0]]), np.ones(4)) == 1.0
    assert border_density(ends, np.array([0, 0, 1, 1]), np.array([[5.0], [5.0]]), np.ones(4)) == 1.0


# The figures that the head of gaps.py states.
@pytest.mark.parametrize(("distance", "expected"), [(3, 0.67), (4, 0.33), (5, 0.13), (6, 0.05)])
def test_border_empties_with_the_distance_of_two_normal_groups(distance: float, expected: float) -> None:
    table = two_groups(distance, 20_000)
    solution = kmeans(table, 2, starts=5)
    found = border_density(table, solution.labels, solution.centres, np.ones(len(table)))
    assert found == pytest.approx(expected, abs=0.02)


def test_distant_groups_have_a_real_gap_and_close_ones_none() -> None:
    assert gaps_of(two_groups(5), 2).real
    assert not gaps_of(two_groups(2), 2).real


def test_one_touching_pair_among_distant_groups_is_enough_to_deny_gaps() -> None:
    rng = np.random.default_rng(1)
    centres = np.array([[0, 0], [2.0, 0], [20, 0]])
    table = centres[rng.integers(3, size=900)] + rng.normal(size=(900, 2))
    assert not gaps_of(table, 3).real
    assert gaps_of(table, 2).real


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("shape", ["uniform", "long", "skewed", "ring", "heavy zero"])
def test_cloud_of_one_piece_has_no_gap(shape: str, k: int) -> None:
    rng = np.random.default_rng(12)
    turn = rng.uniform(0, 2 * np.pi, 600)
    table = {
        "uniform": rng.random((600, 4)),
        "long": rng.normal(size=(600, 4)) * [4, 1, 1, 1],
        "skewed": np.exp(rng.normal(size=(600, 4))),
        "ring": np.column_stack([3 * np.cos(turn), np.sin(turn)]),
        "heavy zero": np.where(rng.random((600, 4)) < 0.5, 0, rng.exponential(size=(600, 4))),
    }[shape]
    assert not gaps_of(table, k).real


def test_steps_of_an_answer_are_no_gaps() -> None:
    answers = (np.random.default_rng(3).random((500, 4)) < [0.5, 0.1, 0.1, 0.1]).astype(float)
    assert not gaps_of(answers, 2).real  # the halves differ in the first item only: nobody can be in between


def test_groups_of_yes_no_answers_do_have_a_gap() -> None:
    rng = np.random.default_rng(4)
    likely = np.where(rng.random(600)[:, None] < 0.5, 0.92, 0.08)
    assert gaps_of((rng.random((600, 12)) < likely).astype(float), 2).real


def test_mcdonalds_segments_have_no_gaps(mcdonalds: Floats) -> None:
    assert not gaps_of(mcdonalds, 4).real


def test_chance_gaps_of_few_rows_in_many_columns_are_not_real() -> None:
    found = [gaps_of(np.random.default_rng(seed).normal(size=(24, 30)), 2) for seed in range(10)]
    assert any(gaps.border <= 0.5 for gaps in found)  # that is what the clouds are for
    assert sum(gaps.real for gaps in found) <= 2
