"""Value tiers: the Pareto cut, equal values never parted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import segmentry as sg
from segmentry.errors import FitError


def _shares(values: list[float], **settings: object) -> pd.DataFrame:
    frame = pd.DataFrame({"monetary": values})
    placed = sg.ValueTiers(**settings).fit(frame).assign(frame)
    return frame.assign(segment=placed["segment"])


def test_top_tier_is_the_fewest_customers_that_bring_80_per_cent() -> None:
    rng = np.random.default_rng(3)
    frame = _shares(rng.lognormal(3, 1.5, 5_000).tolist())
    best = frame[frame["segment"] == "High"]["monetary"]
    total = frame["monetary"].sum()
    assert best.sum() >= 0.8 * total
    assert best.sum() - best.min() < 0.8 * total
    upper = frame[frame["segment"] != "Low"]["monetary"]
    assert upper.sum() >= 0.95 * total
    assert upper.sum() - upper.min() < 0.95 * total


def test_equal_customers_are_in_the_same_tier() -> None:
    frame = _shares([100.0, 50.0, 50.0, 50.0, 10.0, 10.0])
    assert (frame.groupby("monetary")["segment"].nunique() == 1).all()


def test_refunds_beyond_purchases_are_low_value() -> None:
    frame = _shares([100.0, 20.0, 0.0, -30.0])
    assert frame["segment"].tolist()[2:] == ["Low", "Low"]


def test_all_equal_gives_one_tier_with_everybody() -> None:
    assert _shares([5.0] * 10)["segment"].tolist() == ["High"] * 10


def test_cut_points_by_hand() -> None:
    assert _shares([5.0, 50.0, 500.0], cuts=(100.0, 10.0))["segment"].tolist() == ["Low", "Medium", "High"]


def test_nobody_worth_anything_is_refused() -> None:
    with pytest.raises(FitError, match="above zero"):
        _shares([0.0, -5.0])


def test_no_value_trait_says_what_to_map() -> None:
    with pytest.raises(FitError, match="margin, monetary, value"):
        sg.ValueTiers().fit(pd.DataFrame({"age": [1.0, 2.0]}))
