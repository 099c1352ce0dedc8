"""kprototypes and mixtures from data frames to segments: what is planted, what is bad, what is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from segmentry.errors import FitError
from segmentry.segment.alone import KPrototypes, Mixtures
from segmentry.segmentation import Segmentation


def customers(n: int = 400, seed: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    """Three groups by two numbers, a category and a yes/no trait."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=n)
    own = np.array(["basic", "gold", "basic"], dtype=object)[truth]
    frame = pd.DataFrame(
        {
            "spend": np.exp(rng.normal(size=n) * 0.3 + np.array([1.0, 3.0, 5.0])[truth]),
            "visits": rng.normal(size=n) + np.array([0.0, 6.0, 12.0])[truth],
            "plan": np.where(rng.random(n) < 0.9, own, "silver"),
            "web": rng.random(n) < np.array([0.1, 0.9, 0.1])[truth],
        }
    )
    return frame, truth


def agreement(placed: pd.DataFrame, truth: np.ndarray) -> float:
    return float(
        sum(np.bincount(truth[rows]).max() for rows in placed.groupby("segment").indices.values()) / len(truth)
    )


@pytest.fixture(scope="module")
def both() -> tuple[Segmentation, Segmentation]:
    frame, _ = customers()
    mixed = KPrototypes(segments=3).fit(frame)
    return mixed, Mixtures(segments=3, traits=("spend", "visits")).fit(frame)


def test_planted_groups_come_back(both: tuple[Segmentation, Segmentation]) -> None:
    frame, truth = customers(600, seed=9)
    for found in both:
        assert agreement(found.assign(frame), truth) > 0.95
        assert found.report["k"] == found.report["asked"] == 3
        assert found.report["verdict"] in ("natural", "reproducible")
        assert sum(found.report["sizes"]) == 400
        assert Segmentation.from_json(found.to_json()) == found


def test_both_kinds_of_traits_form_segments_with_gaps(both: tuple[Segmentation, Segmentation]) -> None:
    assert both[0].traits == (("spend", "number"), ("visits", "number"), ("plan", "category"), ("web", "boolean"))
    frame, truth = customers(600, seed=10)
    rng = np.random.default_rng(0)
    for name in frame:
        frame[name] = frame[name].astype(object).where(rng.random(600) >= 0.4, None)
    frame = frame.astype({"spend": float, "visits": float})
    placed = both[0].assign(frame)
    known = frame.notna().sum(axis=1).to_numpy() * 2 >= 4
    assert (placed["segment"] == "No data").to_numpy().tolist() == (~known).tolist()
    assert agreement(placed[known].reset_index(drop=True), truth[known]) > 0.85
    again = KPrototypes(segments=3).fit(frame)  # 40 % missing where it learns
    assert agreement(again.assign(frame)[known].reset_index(drop=True), truth[known]) > 0.85


def test_fit_is_the_same_twice() -> None:
    frame, _ = customers(200)
    for method in (KPrototypes(segments=2), Mixtures(segments=2, shape="diagonal", traits=("spend", "visits"))):
        assert method.fit(frame).to_json() == method.fit(frame).to_json()


def told(found: Segmentation) -> str:
    return " | ".join(found.report["warnings"])


def test_bad_traits_are_left_out_and_told() -> None:
    frame, truth = customers(300)
    frame = frame.assign(
        one="only", same=7.0, twice=frame["spend"] * 2 + 1, sum=frame["visits"] + 0.2 * np.arange(300) % 3
    )
    frame.loc[5, "visits"] = 1e12  # an outlier, and what is no number
    frame.loc[6, "visits"] = np.inf
    mixed = KPrototypes(segments=3, traits=("spend", "twice", "visits", "plan", "one", "same")).fit(frame)
    for text in ("one is the same for everybody", "same is the same", "twice says the same as spend"):
        assert text in told(mixed)
    assert [name for name, _ in mixed.traits] == ["spend", "visits", "plan"]
    assert agreement(mixed.assign(frame), truth) > 0.9
    cloud = Mixtures(segments=3, shape="full", traits=("spend", "twice", "visits", "plan", "same")).fit(frame)
    for text in ("plan: no numbers, and left out", "twice says the same", "same is the same"):
        assert text in told(cloud)
    assert agreement(cloud.assign(frame), truth) > 0.9


def test_value_that_most_have_is_told() -> None:
    frame, _ = customers(200)
    frame.loc[frame.index[:150], "visits"] = 0.0
    found = Mixtures(segments=2, shape="diagonal", traits=("spend", "visits")).fit(frame)
    assert "visits is 0 for 75 % of the customers learned from, and clouds picture values that spread. Bands" in told(
        found
    )
    assert "population: visits <> 0" in told(found)


def test_those_who_never_bought_as_a_segment_of_their_own_are_told() -> None:
    frame = pd.DataFrame({"spend": np.random.default_rng(5).lognormal(4, 0.5, 400), "visits": 0.0})
    frame["visits"] = np.random.default_rng(6).normal(8, 1, 400)
    frame.loc[:129, ["spend", "visits"]] = 0.0
    found = Mixtures(segments=2, traits=("spend", "visits")).fit(frame)
    assert "spend is 0 for 32 %, visits is 0 for 32 % of the customers learned from" in told(found)
    assert "A segment is hardly anybody but who has this spend or visits" in told(found)


def test_mixture_learns_from_those_without_gaps() -> None:
    frame, truth = customers(400)
    frame.loc[np.random.default_rng(1).random(400) < 0.3, "spend"] = np.nan
    found = Mixtures(segments=3, shape="tied", traits=("spend", "visits")).fit(frame)
    assert "Learned from the 68 % of the customers of whom all traits are known." in told(found)
    assert "18 % of the customers have no spend and are placed as if theirs were the median" in told(found)
    whole = frame["spend"].notna().to_numpy()
    assert agreement(found.assign(frame[whole].reset_index(drop=True)), truth[whole]) > 0.95


def test_who_never_bought_has_no_data_in_a_mixture_and_the_report_says_so() -> None:
    frame, _ = customers(400)
    frame = frame[["spend", "visits"]].assign(recency_days=np.random.default_rng(2).lognormal(3, 0.3, 400))
    never = np.arange(400) < 80
    frame.loc[never, ["spend", "visits", "recency_days"]] = [0.0, 0.0, np.nan]
    found = Mixtures(segments=3, shape="diagonal", traits=("spend", "visits", "recency_days")).fit(frame)
    placed = found.assign(frame)["segment"]
    assert (placed[never] == "No data").all()
    assert (placed[~never] != "No data").all()
    assert "20 % of the customers have no recency_days and are unlike every cloud" in told(found)
    strange = frame.tail(1).assign(spend=1e9, visits=-40.0)
    assert found.assign(strange)["segment"].tolist() == ["No good fit"]


@pytest.mark.parametrize(
    ("method", "frame", "why"),
    [
        (KPrototypes(segments=2), {"x": [1.0] * 20, "c": ["a"] * 20}, "all customers are the same in x, c"),
        (KPrototypes(segments=4), {"c": ["a", "b"] * 20}, "only 2 different combinations"),
        (KPrototypes(segments=2), {"x": [None, np.nan] * 20}, "no customer has half"),
        (Mixtures(segments=2, traits="c"), {"c": ["a", "b"] * 20}, "mixtures are of numbers; c are none"),
        (Mixtures(segments=4), {"x": [1.0, 2.0] * 20}, "only 2 different combinations"),
        (Mixtures(segments=2), {"x": [1.0] * 20}, "all customers are the same in x"),
    ],
)
def test_what_cannot_be_segmented_is_refused_with_the_reason(method: Any, frame: dict[str, Any], why: str) -> None:
    table = pd.DataFrame(frame)
    if "x" in table:
        table["x"] = table["x"].astype(float)
    with pytest.raises(FitError, match=why):
        method.fit(table)


def test_gamma_says_how_much_a_category_counts() -> None:
    frame, _ = customers(200)
    found = KPrototypes(segments=2, gamma=50.0, traits=("spend", "visits", "web")).fit(frame)
    assert found.report["gamma"] == 50.0
    placed = found.assign(frame)
    assert placed.groupby("segment")["fit"].count().min() > 0
    assert (pd.crosstab(placed["segment"], frame["web"]).min(axis=1) == 0).all()
