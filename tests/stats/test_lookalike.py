"""Contrasts and scores: what is planted shows on rows held out, and noise does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from segmentry.stats import lookalike


def test_a_contrast_is_what_pen_and_paper_give():
    inside = np.array([True] * 20 + [False] * 80)
    behaves = np.array([True] * 10 + [False] * 10 + [True] * 10 + [False] * 70)
    found = lookalike.contrast(inside, behaves, np.ones(100))
    assert found is not None
    assert (found.support, found.share, found.lift) == pytest.approx((0.2, 0.5, 2.5))
    assert found.effect == pytest.approx(2 * (np.arcsin(0.5**0.5) - np.arcsin(0.125**0.5)))
    # 4 expected in one cell, so Fisher's exact test: all tables of these margins that are no likelier than this one
    likely = [math.comb(20, k) * math.comb(80, 20 - k) / math.comb(100, 20) for k in range(21)]
    assert found.p == pytest.approx(sum(p for p in likely if p <= likely[10] * (1 + 1e-9)))


def test_the_score_finds_the_planted_columns_and_tells_strangers():
    rng = np.random.default_rng(1)
    data = rng.integers(0, 2, (4000, 6)).astype(bool)
    behaves = rng.random(4000) < 1 / (1 + np.exp(-(-2.5 + 2.0 * data[:, 1] + 1.0 * data[:, 4])))
    held = lookalike.split(behaves, 1)
    assert held.mean() == pytest.approx(0.3, abs=0.001)
    score = lookalike.choose(data[~held], behaves[~held], np.ones((~held).sum()), most=4, seed=1)
    assert score is not None
    assert set(score.columns) == {1, 4}
    assert dict(zip(score.columns, score.weights, strict=True)) == pytest.approx({1: 2.0, 4: 1.0}, abs=0.35)
    judged = lookalike.judge(lookalike.probabilities(score, data[held]), behaves[held], np.ones(held.sum()))
    assert judged.auc > 0.7
    assert judged.lift[0] > 2
    assert judged.slope == pytest.approx(1, abs=0.25)


def test_a_score_of_cells_is_that_of_rows():
    rng = np.random.default_rng(8)
    data, weights = rng.random((900, 1)) < 0.4, rng.choice([1.0, 7.0], 900)
    behaves = rng.random(900) < np.where(data[:, 0], 0.6, 0.2)
    score = lookalike.choose(data, behaves, weights, most=1, seed=1)
    assert score is not None
    rows = LogisticRegression(C=1.0, max_iter=500).fit(data, behaves, sample_weight=weights)
    assert score.weights == pytest.approx(rows.coef_[0].tolist(), abs=2e-3)
    assert score.intercept == pytest.approx(float(rows.intercept_[0]), abs=2e-3)


def test_noise_makes_no_score():
    rng = np.random.default_rng(2)
    made = 0
    for seed in range(10):
        data, behaves = rng.integers(0, 2, (600, 5)).astype(bool), rng.random(600) < 0.3
        made += lookalike.choose(data, behaves, np.ones(600), most=4, seed=seed) is not None
    assert made <= 2


def test_a_sample_of_cases_tells_of_the_base_by_its_weights():
    rng = np.random.default_rng(3)
    told = rng.beta(1, 30, 60_000).round(3)  # many are equal
    behaves = rng.random(60_000) < told
    whole = lookalike.judge(told, behaves, np.ones(60_000))
    kept = behaves | (rng.random(60_000) < 0.1)
    some = lookalike.judge(told[kept], behaves[kept], np.where(behaves[kept], 1.0, 10.0))
    assert some.lift == pytest.approx(whole.lift, rel=0.15, abs=0.05)
    assert some.expected == pytest.approx(whole.expected, rel=0.05, abs=5e-4)
    assert some.auc == pytest.approx(whole.auc, abs=0.01)
    assert some.slope == pytest.approx(1, abs=0.1)
    assert np.mean(whole.lift) == pytest.approx(1)
    assert whole.auc_low < whole.auc < whole.auc_low + 0.05


def test_rows_of_equal_score_share_their_tenths_whatever_their_order():
    told = np.repeat([0.5, 0.2], 10)
    behaves = np.array([True] * 5 + [False] * 5 + [True] * 2 + [False] * 8)
    judged = lookalike.judge(told, behaves, np.ones(20))
    assert judged.seen == pytest.approx([0.5] * 5 + [0.2] * 5)
    assert judged == lookalike.judge(told[::-1], behaves[::-1], np.ones(20))
    best = lookalike.best_tenth(told, np.ones(20))
    assert best.tolist() == [0.2] * 10 + [0.0] * 10


def test_a_random_behaviour_finds_nothing_in_about_19_of_20():
    """The whole study (100 seeds, 12 traits, with and without weights) is in decision 0043."""
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        behaves = rng.random(1000) < 0.2
        conditions = rng.random((12, 1000)) < rng.random((12, 1))
        contrasts = [lookalike.contrast(inside, behaves, np.where(behaves, 1.0, 5.0)) for inside in conditions]
        found += min(lookalike.corrected([c.p for c in contrasts if c is not None])) < 0.05
    assert found <= 5  # 2 are expected; 6 or more have a probability of 1 in 70
