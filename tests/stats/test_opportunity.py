"""Opportunity scores: the published formula, and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from segmentry.errors import FitError
from segmentry.stats.opportunity import Sums, opportunity


def sums(importance, satisfaction) -> Sums:
    i, s = np.asarray(importance, dtype=float), np.asarray(satisfaction, dtype=float)
    return Sums(len(i), i.sum(), s.sum(), i @ i, s @ s, i @ s)


def test_scores_are_those_of_the_published_example():
    # Ulwick 2002: importance 9.5 and satisfaction 3.2 make 15.8; what is met better than it matters has no extra.
    assert opportunity(sums([9.4, 9.6], [3.1, 3.3])).score == pytest.approx(15.8)
    assert opportunity(sums([4.0, 6.0], [8.0, 8.0])).score == pytest.approx(5.0)


def test_the_interval_holds_the_truth_19_times_of_20():
    rng = np.random.default_rng(1)
    truth, held = 7.5 + (7.5 - 5.0), 0
    for _ in range(1_000):
        shared = rng.normal(0, 1, 40)
        found = opportunity(sums(7.5 + shared + rng.normal(0, 1, 40), 5.0 + shared + rng.normal(0, 1.5, 40)))
        held += found.low <= truth <= found.high
    assert 0.93 <= held / 1_000 <= 0.97


def test_one_person_has_no_interval():
    with pytest.raises(FitError, match="two or more"):
        opportunity(sums([9], [1]))
