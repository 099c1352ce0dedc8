"""RFM: ties never split, better never gets a worse name, one-time buyers do not spoil the scores."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segmentry as sg
from segmentry.errors import ConfigError, FitError
from segmentry.segment.cuts import even_cuts
from segmentry.segment.rfm import SEGMENTS, name_of


def _base(n: int, seed: int = 1, once: float = 0.65) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frequency = np.where(rng.random(n) < once, 1, 2 + rng.geometric(0.4, n))
    return pd.DataFrame(
        {
            "recency_days": rng.integers(0, 700, n).astype(float),
            "frequency": frequency.astype(float),
            "monetary": (frequency * rng.lognormal(3, 0.8, n)).round(2),
        }
    )


def test_better_customer_never_gets_a_worse_name() -> None:
    for r, f, m in product(range(1, 6), repeat=3):
        here = SEGMENTS.index(name_of(r, f, m))
        for better in ((r + 1, f, m), (r, f + 1, m), (r, f, m + 1)):
            if max(better) <= 5:
                assert SEGMENTS.index(name_of(*better)) <= here, (r, f, m, better)


def test_all_eleven_names_are_used() -> None:
    assert {name_of(*scores) for scores in product(range(1, 6), repeat=3)} == set(SEGMENTS)


def test_two_of_three_bought_once_still_gets_five_scores() -> None:
    base = _base(20_000)
    found = sg.Rfm().fit(base)
    frequency = found.rule.bands[1]
    assert frequency.cuts[0] == 2.0 or frequency.cuts[0] == 3.0
    assert len(frequency.cuts) == 4
    scores = found.assign(base)["score"].str.split("-", expand=True).astype(int)
    assert (scores.loc[base["frequency"] == 1, 1] == 1).all()
    assert set(scores[1]) == {1, 2, 3, 4, 5}
    recency = scores[0].value_counts(normalize=True)
    assert recency.between(0.18, 0.22).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=60))
def test_equal_values_are_in_one_band_and_bands_are_not_empty(values: list[int]) -> None:
    data = np.array(values, dtype=float)
    cuts = even_cuts(data, 5)
    assert list(cuts) == sorted(set(cuts))
    bands = np.searchsorted(cuts, data, side="right")
    assert set(bands) == set(range(len(cuts) + 1))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_scores_rise_with_every_measure(seed: int) -> None:
    base = _base(300, seed)
    found = sg.Rfm().fit(base)
    scores = found.assign(base)["score"].str.split("-", expand=True).astype(int)
    for column, trait, sign in ((0, "recency_days", -1), (1, "frequency", 1), (2, "monetary", 1)):
        order = np.argsort(sign * base[trait].to_numpy(), kind="stable")
        assert (np.diff(scores[column].to_numpy()[order]) >= 0).all()


def test_everybody_bought_once_is_low_frequency_not_middle() -> None:
    base = _base(500, once=1.1)
    scores = sg.Rfm().fit(base).assign(base)["score"].str.split("-", expand=True).astype(int)
    assert set(scores[1]) == {1}
    assert set(scores[0]) == {1, 2, 3, 4, 5}


def test_all_customers_identical_get_one_segment() -> None:
    base = pd.DataFrame({"recency_days": [10.0] * 50, "frequency": [3.0] * 50, "monetary": [99.0] * 50})
    assert sg.Rfm().fit(base).assign(base)["segment"].nunique() == 1


def test_one_customer() -> None:
    base = pd.DataFrame({"recency_days": [10.0], "frequency": [3.0], "monetary": [99.0]})
    assert len(sg.Rfm().fit(base).assign(base)) == 1


def test_cut_points_by_hand_are_taken() -> None:
    found = sg.Rfm(cuts={"frequency": [2, 3, 5, 9]}).fit(_base(500))
    assert found.rule.bands[1].cuts == (2.0, 3.0, 5.0, 9.0)


def test_missing_trait_says_what_to_do() -> None:
    with pytest.raises(FitError, match=r"monetary.*segmentry show traits"):
        sg.Rfm().fit(_base(50).drop(columns="monetary"))


def test_trait_that_is_all_null_says_so() -> None:
    with pytest.raises(FitError, match="not known for any customer"):
        sg.Rfm().fit(_base(50).assign(monetary=np.nan))


def test_rule_with_unknown_trait_proposes_the_right_one() -> None:
    with pytest.raises((FitError, ConfigError), match="recency_days"):
        sg.Rules(segments=[{"name": "New", "where": "recency < 30"}]).fit(_base(50))
