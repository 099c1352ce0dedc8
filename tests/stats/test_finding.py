"""One panel for all methods: what a finder must say, and what the panel makes of latent classes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from segmentry.stats.choosing import Resampling, decide, panel
from segmentry.stats.clustering import KMeansFinder, kmeans
from segmentry.stats.finding import means_of
from segmentry.stats.latent import MISSING, LatentFinder, latent_classes

Floats = NDArray[np.float64]
QUICK = Resampling(pairs=6, starts=6)


def answers(groups: int, n: int = 600, items: int = 8, seed: int = 1) -> Floats:
    """Yes/no answers of groups that are clearly of different opinions."""
    rng = np.random.default_rng(seed)
    likely = np.where(rng.random((groups, items)) < 0.5, 0.9, 0.1)
    while min(np.abs(likely[i] - likely[j]).sum() for i in range(groups) for j in range(i)) < items * 0.35:
        likely = np.where(rng.random((groups, items)) < 0.5, 0.9, 0.1)
    return (rng.random((n, items)) < likely[rng.integers(groups, size=n)]).astype(float)


def test_planted_classes_are_found_by_the_same_panel_as_k_means() -> None:
    table = answers(3)
    found = panel(table, range(2, 6), finder=LatentFinder((2,) * 8), how=QUICK)
    assert decide(found).k == 3
    three = found.options[1].solution
    direct = latent_classes(table, 3, starts=QUICK.starts, seed=QUICK.seed)
    assert three.loss == pytest.approx(-direct.log_likelihood)
    assert three.parameters == 2 + 3 * 8
    assert np.array_equal(three.labels, direct.labels(table))


def test_independent_answers_have_no_classes() -> None:
    noise = (np.random.default_rng(2).random((300, 6)) < 0.4).astype(float)
    verdict = decide(panel(noise, [2, 3], finder=LatentFinder((2,) * 6), how=QUICK))
    assert (verdict.structure, verdict.passed) == ("constructive", ())


def test_more_classes_than_the_answers_identify_are_left_out() -> None:
    table = answers(2, items=4)  # 16 patterns: three classes have 14 parameters, four have 19
    found = panel(table, range(2, 6), finder=LatentFinder((2,) * 4), how=Resampling(2, 2))
    assert [option.k for option in found.options] == [2, 3]
    assert found.left_out == (4, 5)


def test_panel_is_the_same_again_and_missing_answers_do_not_stop_it() -> None:
    table = answers(2, 200)
    table[::7, 3] = MISSING
    finder = LatentFinder((2,) * 8)
    first, again = (panel(table, [2], finder=finder, how=Resampling(3, 3)).options[0] for _ in range(2))
    assert np.array_equal(first.ari, again.ari)
    assert first.jaccard.min() > 0.9


def test_similarity_adds_up_to_one_and_is_highest_in_the_own_segment() -> None:
    table = answers(3)
    for finder in (KMeansFinder(), LatentFinder((2,) * 8)):
        solution = finder.solve(table, np.ones(len(table)), 3, 5, 1)
        similarity = finder.similarity(table, solution)
        np.testing.assert_allclose(similarity.sum(axis=1), 1)
        assert (similarity.argmax(axis=1) == solution.labels).mean() > 0.98


def test_k_means_has_no_model_and_classifies_as_it_labels() -> None:
    table = answers(3)
    solution = kmeans(table, 3)
    assert (solution.parameters, solution.overlap, solution.loss) == (None, None, solution.sse)
    assert np.array_equal(solution.classify(table), solution.labels)


def test_mean_of_an_empty_segment_is_infinitely_far_away() -> None:
    means = means_of(np.array([[1.0], [3.0]]), np.array([0, 0]), np.array([1.0, 3.0]), 2)
    assert means.tolist() == [[2.5], [np.inf]]
