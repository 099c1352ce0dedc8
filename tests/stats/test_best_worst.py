"""Best-worst scaling: planted utilities, counts, and choices that cannot be."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from segmentry.errors import FitError
from segmentry.stats.best_worst import best_worst

PLANTED = np.array([1.5, 0.8, 0.2, -0.3, -0.9, -1.3])


def choices(n: int, seed: int = 1, utilities: Any = PLANTED) -> tuple[Any, Any, Any]:
    """n choices from sets of four of six items."""
    rng = np.random.default_rng(seed)
    blocks = np.array(list(itertools.combinations(range(len(utilities)), 4)))
    sets = blocks[rng.integers(0, len(blocks), n)]
    best = np.array([rng.choice(s, p=np.exp(utilities[s]) / np.exp(utilities[s]).sum()) for s in sets])
    rest = [s[s != b] for s, b in zip(sets, best, strict=True)]
    worst = np.array([rng.choice(s, p=np.exp(-utilities[s]) / np.exp(-utilities[s]).sum()) for s in rest])
    shown = np.zeros((n, len(utilities)), dtype=bool)
    np.put_along_axis(shown, sets, True, axis=1)
    return shown, best, worst


def test_planted_utilities_are_found_within_their_errors() -> None:
    found = best_worst(*choices(6_000))
    assert np.abs((found.utilities - PLANTED) / found.standard_errors).max() < 3
    assert found.standard_errors.max() < 0.03
    assert found.utilities.sum() == pytest.approx(0, abs=1e-9)
    assert 0.1 < found.fit < 0.4


def test_the_maximum_is_that_of_a_plain_optimiser() -> None:
    shown, best, worst = choices(200, seed=2)

    def loss(free: Any) -> float:
        utilities = np.append(free, -free.sum())
        total = 0.0
        for options, b, w in zip(shown, best, worst, strict=True):
            left = options.copy()
            left[b] = False
            total += utilities[b] - np.log(np.exp(utilities[options]).sum())
            total += -utilities[w] - np.log(np.exp(-utilities[left]).sum())
        return -total

    plain = minimize(loss, np.zeros(5), tol=1e-10)
    found = best_worst(shown, best, worst)
    assert found.log_likelihood == pytest.approx(-plain.fun, abs=1e-6)
    assert found.utilities[:5] == pytest.approx(plain.x, abs=1e-4)


def test_standard_errors_cover_the_truth_about_as_often_as_they_say() -> None:
    inside = [
        np.abs(found.utilities - PLANTED) < 1.96 * found.standard_errors
        for found in (best_worst(*choices(150, seed)) for seed in range(40))
    ]
    assert 0.90 < np.mean(inside) < 0.99


def test_standard_errors_shrink_with_the_root_of_the_choices_however_many() -> None:
    sets, best, worst, counts = [[True] * 3] * 4, [0, 0, 1, 2], [2, 1, 2, 0], np.array([60.0, 20.0, 20.0, 10.0])
    few = best_worst(sets, best, worst, counts).standard_errors
    many = best_worst(sets, best, worst, 1e6 * counts).standard_errors
    assert many * 1e3 == pytest.approx(few, rel=1e-4)


def test_cells_with_counts_are_repeated_choices() -> None:
    shown, best, worst = choices(300, seed=3)
    cells, counts = np.unique(np.column_stack([shown, best, worst]), axis=0, return_counts=True)
    found = best_worst(cells[:, :6], cells[:, 6], cells[:, 7], counts)
    every = best_worst(shown, best, worst)
    assert found.utilities == pytest.approx(every.utilities, abs=1e-9)
    assert found.shown.sum() == 1200
    assert found.best.tolist() == np.bincount(best, minlength=6).tolist()


def test_an_item_that_is_always_best_has_a_finite_utility() -> None:
    found = best_worst([[True] * 3] * 2, [0, 0], [1, 2], [50, 50])
    assert np.isfinite(found.utilities).all()
    assert found.shares[0] > 0.99


@pytest.mark.parametrize(
    ("shown", "best", "worst", "says"),
    [
        ([[True, True, False]], [0], [2], "impossible"),
        ([[True, True, True]], [1], [1], "impossible"),
        ([[True, True, True]], [0], [3], "impossible"),
        ([[True, True, False, False], [False, False, True, True]], [0, 2], [1, 3], "Item 3 is never shown"),
        ([[True, True]], [0, 1], [1, 0], "1 sets, 2 best"),
    ],
)
def test_choices_that_cannot_be_are_refused(shown: Any, best: Any, worst: Any, says: str) -> None:
    with pytest.raises(FitError, match=says):
        best_worst(shown, best, worst)
