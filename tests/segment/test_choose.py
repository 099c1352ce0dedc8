"""Choosing segments: what is taken, what is refused and why, and what is said when there is nothing to find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks import structure

import segmentry as sg
from segmentry.errors import FitError
from segmentry.segment import choose as choosing
from segmentry.stats.stability import Resampling


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The panel with fewer samples: these tests ask what is made of it, not how sure it is."""
    monkeypatch.setattr(choosing.choosing, "INTERACTIVE", Resampling(pairs=8))
    monkeypatch.setattr(choosing, "KS", range(2, 6))


def groups(sizes: list[int], seed: int = 1, distance: float = 8.0) -> pd.DataFrame:
    """Round groups of standard deviation 1, all as far from each other."""
    rng, columns = np.random.default_rng(seed), len(sizes)
    centres = distance * np.eye(columns)
    rows = [centre + rng.normal(size=(n, columns)) for centre, n in zip(centres, sizes, strict=True)]
    return pd.DataFrame(np.concatenate(rows), columns=[f"t{j}" for j in range(columns)])


def fitted(table: pd.DataFrame, **settings: Any) -> sg.Segmentation:
    traits = [c for c in table.columns if c.startswith("t")]
    return sg.KMeans(traits=traits, **settings).fit(table)


def test_planted_groups_are_found_and_every_segment_is_judged() -> None:
    report = fitted(groups([100, 80, 60])).report
    assert (report["k"], report["verdict"], report["asked"]) == (3, "natural", None)
    assert [row["trust"] for row in report["judged"]] == ["high"] * 3
    assert sorted(row["customers"] for row in report["judged"]) == [60, 80, 100]
    assert [row["k"] for row in report["across"]] == [2, 3, 4]
    for step in report["across"]:
        assert np.sum(step["flows"]) == pytest.approx(1)
    assert min(report["across"][1]["comes_back"]) >= 0  # three segments beside four of them
    assert all(sum(bins) == pytest.approx(240) for bins in report["gorge"])


@pytest.mark.parametrize("draw", [lambda rng: rng.normal(size=(300, 4)), lambda rng: rng.random((300, 2))])
def test_noise_is_said_to_have_no_structure(draw: Callable[[np.random.Generator], Any]) -> None:
    values = draw(np.random.default_rng(3))
    report = fitted(pd.DataFrame(values, columns=[f"t{j}" for j in range(values.shape[1])])).report
    assert report["verdict"] == "constructive"
    assert "no structure" in report["because"].lower() or "Nothing better" in report["because"]


def test_reproducible_cut_of_traits_that_have_nothing_to_do_with_each_other_is_no_structure() -> None:
    rng = np.random.default_rng(5)
    square = pd.DataFrame(rng.random((1500, 2)), columns=["t0", "t1"])
    report = fitted(square).report
    assert 4 in report["passed"]  # the four corners of a square come back every time
    assert report["verdict"] == "constructive"
    assert "There is no structure in these traits" in report["because"]


def test_groups_cut_along_a_trait_that_has_nothing_to_do_with_them_are_no_more_groups() -> None:
    rng = np.random.default_rng(5)
    table = groups([400, 400]).assign(t2=rng.random(800))
    report = fitted(table, serve={"most": 4}).report
    assert {2, 4} <= set(report["passed"])  # both groups in halves come back every time
    assert (report["k"], report["verdict"]) == (2, "natural")
    assert "customers in 2 groups and no more, drawn like these" in report["refused"][0]["why"][0]


def test_reproducible_number_that_is_a_worse_model_than_fewer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "KS", (4, 8))
    rng = np.random.default_rng([68, 8])
    report = sg.Mixtures(traits=["t*"]).fit(structure.measures(rng, rng.choice(4, 600), 4)).report
    assert (report["k"], report["passed"]) == (4, [4, 8])
    assert report["refused"][0]["why"] == [
        "as a model of these customers 4 segments do better than 8, by BIC and by ICL."
    ]


def test_segment_too_small_to_serve_is_refused_with_the_reason() -> None:
    table = groups([150, 120, 24])
    report = fitted(table).report  # 24 of 294 are 8 %, and fewer than 30
    refused = {each["k"]: each["why"][0] for each in report["refused"]}
    assert report["k"] == 2
    assert "holds only 24 customers of the sample, fewer than the 30" in refused[3]
    assert any("segments were taken down to 2: one segment holds only 24" in w for w in report["warnings"])
    assert fitted(table, serve={"count": 20}).report["k"] >= 3


def test_customers_of_a_refused_segment_are_told_where_they_are_now() -> None:
    report = fitted(groups([150, 120, 24]), segments=3, serve={"otherwise": "fewer"}).report
    assert (report["k"], report["asked"]) == (2, 3)
    (refused,) = report["refused"]
    (went,) = refused["went"]
    assert (refused["k"], went["segments"], went["customers"]) == (3, [2], 24)
    assert went["into"] in (0, 1)
    assert went["share"] > 0.5
    assert any("Formed anew as 2, " in w for w in report["warnings"])


def test_segment_not_worth_having_can_be_kept_or_end_the_fit() -> None:
    table = groups([150, 120, 24])
    with pytest.raises(FitError, match=r"of 3 segments not all are worth having: one segment holds only 24"):
        fitted(table, segments=3, serve={"otherwise": "refuse"})
    kept = fitted(table, serve={"otherwise": "keep", "most": 3}).report
    assert (kept["k"], kept["refused"]) == (3, [])
    assert any("holds only 24" in w for w in kept["warnings"])


def test_share_and_number_that_a_team_can_serve_are_its_own() -> None:
    table = groups([100, 80, 60])
    assert fitted(table, serve={"share": 0.3}).report["k"] < 3
    report = fitted(table, serve={"most": 2}).report
    assert [row["k"] for row in report["panel"]] == [2]


def test_number_that_was_asked_for_is_taken_with_its_doubts() -> None:
    noise = pd.DataFrame(np.random.default_rng(1).normal(size=(200, 4)), columns=list("abcd")).add_prefix("t")
    report = fitted(noise, segments=5).report
    assert (report["k"], report["asked"], report["refused"]) == (5, 5, [])
    assert any("do not trust it" in w for w in report["warnings"])


def test_segment_that_only_its_own_traits_tell_apart_is_hard_to_address() -> None:
    table = groups([100, 100, 100])
    named = np.repeat([1.0, 1.0, 9.0], 100)
    table["age"] = named + np.tile(np.random.default_rng(2).normal(size=100), 3)
    report = fitted(table).report
    assert sorted(bool(row["doubt"]) for row in report["judged"]) == [False, True, True]
    assert sum("hard to address" in w for w in report["warnings"]) == 2


def test_nearly_equal_segments_are_not_materially_different() -> None:
    rng = np.random.default_rng(4)
    wide = pd.DataFrame(rng.normal(size=(400, 30)), columns=[f"t{j}" for j in range(30)])
    report = fitted(wide, segments=2).report
    difference = report["judged"][0]["difference"]
    assert (difference < choosing.DIFFERENT) == any("not materially different" in w for w in report["warnings"])


def test_fewer_different_customers_than_segments_is_refused() -> None:
    with pytest.raises(FitError, match="different combinations"):
        fitted(pd.DataFrame({"t0": [1.0, 2.0] * 20}), segments=4)
