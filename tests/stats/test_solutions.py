"""Solutions beside each other: SLSA by hand, and contrasts against the textbook formula."""

from __future__ import annotations

import numpy as np
import pytest

from segmentry.stats.solutions import across, contrasts


def test_segment_that_stays_and_one_that_splits_are_stable_and_a_mix_is_not() -> None:
    before = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    after = np.array([0, 0, 0, 2, 1, 1, 2, 2])
    found = across(before, after, (2, 3), np.ones(8))
    assert found.flows.tolist() == [[3, 0, 1], [0, 2, 2]]
    thirds = np.array([1 / 3, 2 / 3])
    assert found.entropy_stability == pytest.approx([1, 1, 1 + (thirds * np.log(thirds)).sum() / np.log(2)])
    assert found.comes_back == pytest.approx([3 / 4, 1 / 2])


def test_weights_count_customers_and_an_empty_segment_is_no_error() -> None:
    found = across(np.array([0, 1]), np.array([0, 0]), (2, 3), np.array([3.0, 1.0]))
    assert found.flows[:, 0].tolist() == [3, 1]
    assert np.isfinite(found.entropy_stability).all()
    assert found.comes_back == pytest.approx([0.75, 0.25])


def test_contrast_is_cohens_d_of_every_pair() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], [30, 50, 40])
    values = rng.normal(size=(120, 3)) + labels[:, None] * [0, 1, 2]
    values[::9, 1] = np.nan
    found = contrasts(values, labels, np.ones(120), 3)
    for i, j in ((0, 1), (1, 2), (0, 2)):
        for t in range(3):
            a, b = (values[(labels == s) & np.isfinite(values[:, t]), t] for s in (i, j))
            pooled = (len(a) * a.var() + len(b) * b.var()) / (len(a) + len(b))
            assert found[i, j, t] == pytest.approx(abs(a.mean() - b.mean()) / pooled**0.5)
            assert found[j, i, t] == found[i, j, t]


def test_trait_that_is_the_same_for_all_or_known_for_nobody_tells_nothing_apart() -> None:
    values = np.array([[1.0, np.nan, 0.0], [1.0, np.nan, 0.0], [1.0, 5.0, 1.0], [1.0, 5.0, 1.0]])
    found = contrasts(values, np.array([0, 0, 1, 1]), np.ones(4), 2)
    assert found[0, 1].tolist() == [0, 0, 100]
