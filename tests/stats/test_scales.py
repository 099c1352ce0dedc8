"""Scales: textbook formulas by hand, planted factors, and how many there are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from segmentry.errors import FitError
from segmentry.stats import scales
from segmentry.stats.scales import Moments, explore, moments_of_sums, parallel_analysis, score_weights

Floats = NDArray[np.float64]
TURNED = np.array([1, 1, -1, 1])
LOADINGS = np.array([0.8, 0.7, -0.65, 0.75])


def moments(answers: Floats) -> Moments:
    """As an engine adds them up: of those who answered all items."""
    complete = answers[np.isfinite(answers).all(axis=1)]
    return moments_of_sums(len(complete), complete.sum(axis=0), complete.T @ complete)


def reliability(answers: Floats) -> scales.Reliability:
    return scales.reliability(moments(answers))


def planted(n: int, scales: int = 3, seed: int = 1) -> Floats:
    """Answers of n people to four items of each of several unrelated attitudes; the third item is reverse-coded."""
    rng = np.random.default_rng(seed)
    attitudes = rng.normal(size=(n, scales, 1))
    return (attitudes * LOADINGS + rng.normal(size=(n, scales, 4)) * np.sqrt(1 - LOADINGS**2)).reshape(n, -1)


def test_alpha_is_that_of_the_textbook() -> None:
    rng = np.random.default_rng(2)
    answers = rng.integers(1, 6, (200, 1)) + rng.integers(0, 3, (200, 4)).astype(float)
    found = reliability(answers)
    by_hand = 4 / 3 * (1 - answers.var(axis=0, ddof=1).sum() / answers.sum(axis=1).var(ddof=1))
    assert found.alpha == pytest.approx(by_hand)
    rest = answers[:, 1:].sum(axis=1)
    assert found.item_total[0] == pytest.approx(np.corrcoef(answers[:, 0], rest)[0, 1])
    three = answers[:, 1:]
    assert found.alpha_without[0] == pytest.approx(
        3 / 2 * (1 - three.var(axis=0, ddof=1).sum() / three.sum(axis=1).var(ddof=1))
    )


def test_omega_is_that_of_the_planted_loadings_and_equals_alpha_where_items_load_alike() -> None:
    answers = planted(20_000, scales=1) * TURNED
    size = np.abs(LOADINGS).sum() ** 2
    assert reliability(answers).omega == pytest.approx(size / (size + (1 - LOADINGS**2).sum()), abs=0.01)
    rng = np.random.default_rng(3)
    alike = rng.normal(size=(20_000, 1)) * 0.7 + rng.normal(size=(20_000, 5)) * np.sqrt(0.51)
    found = reliability(alike)
    assert found.omega == pytest.approx(found.alpha, abs=0.002)


def test_an_item_that_was_not_turned_round_shows() -> None:
    found = reliability(planted(2_000, scales=1))
    assert found.item_total[2] < 0
    assert found.alpha_without[2] > found.alpha
    assert found.verdict == "weak"


@pytest.mark.parametrize("scales", [1, 2, 3, 4])
def test_parallel_analysis_finds_the_planted_number_of_factors(scales: int) -> None:
    assert parallel_analysis(moments(planted(800, scales))).factors == scales


def test_parallel_analysis_finds_nothing_in_noise() -> None:
    noise = np.random.default_rng(4)
    found = [parallel_analysis(moments(noise.normal(size=(300, 10))), draws=100).factors for _ in range(40)]
    assert sum(found) <= 6  # 5 % of the tables are allowed one each; P(more than 6 of 40) is under 1 %


def test_exploring_gives_the_planted_scales_and_which_items_are_reversed() -> None:
    factors = explore(moments(planted(2_000)), 3)
    found = {tuple(sorted(members)) for members in factors.members()}
    assert found == {tuple((4 * s + i, i == 2) for i in range(4)) for s in range(3)}
    assert np.abs(factors.loadings).max(axis=1) == pytest.approx(np.tile(np.abs(LOADINGS), 3), abs=0.06)
    assert factors.uniqueness == pytest.approx(np.tile(1 - LOADINGS**2, 3), abs=0.08)


def test_the_interval_of_alpha_holds_the_true_one_nineteen_times_in_twenty() -> None:
    true = 4 / 3 * (1 - 4 / (4 + 12 * 0.5))  # four items of variance 1 that correlate .5
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        answers = rng.normal(size=(80, 1)) * np.sqrt(0.5) + rng.normal(size=(80, 4)) * np.sqrt(0.5)
        low, high = reliability(answers).interval
        held += low <= true <= high
    assert 273 <= held <= 296  # 285 expected; beyond these is 1 in 500


def test_scores_of_factors_follow_the_planted_attitudes_and_have_variance_one() -> None:
    rng = np.random.default_rng(6)
    attitudes = rng.normal(size=(3_000, 2, 1))
    answers = (attitudes * LOADINGS + rng.normal(size=(3_000, 2, 4)) * np.sqrt(1 - LOADINGS**2)).reshape(3_000, 8)
    of = moments(answers)
    factors = explore(of, 2)
    scores = (answers - of.means) / np.sqrt(of.covariance.diagonal()) @ score_weights(of, factors)
    assert scores.std(axis=0, ddof=1) == pytest.approx([1, 1])
    found = np.corrcoef(scores.T, attitudes[:, :, 0].T)[:2, 2:]
    # The best that these items can do: the square root of the reliability of the regression scores.
    best = np.sqrt(1 - 1 / (1 + (LOADINGS**2 / (1 - LOADINGS**2)).sum()))
    assert np.abs(found).max(axis=1) == pytest.approx([best, best], abs=0.02)
    assert np.abs(found).min(axis=1) == pytest.approx([0, 0], abs=0.08)


def test_gaps_leave_out_respondents_and_say_so() -> None:
    answers = planted(500, scales=1)
    answers[::5, 1] = np.nan
    assert reliability(answers).respondents == 400


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (np.zeros((50, 1)), "at least two"),
        (np.full((50, 3), np.nan), "0 respondents"),
        (np.column_stack([np.ones(50), np.arange(50)]), "same answer to item 1"),
    ],
)
def test_what_is_no_scale_is_refused(answers: Floats, says: str) -> None:
    with pytest.raises(FitError, match=says):
        reliability(answers)


def test_too_many_factors_are_refused() -> None:
    with pytest.raises(FitError, match="from 1 to 2 factors"):
        explore(moments(planted(100, scales=1)), 3)
