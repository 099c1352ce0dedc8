"""Latent classes on data frames: planted classes found, mess named, the same answer every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import segmentry as sg
from segmentry import segment
from segmentry.catalogue import Model, Trait
from segmentry.errors import FitError


def answers(n: int, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Yes/no answers and categories of n people of three classes, and their classes."""
    rng = np.random.default_rng(seed)
    member = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    yes = np.array([[0.9, 0.9, 0.1, 0.1, 0.5], [0.1, 0.9, 0.9, 0.1, 0.1], [0.1, 0.1, 0.1, 0.9, 0.9]])[member]
    frame = pd.DataFrame({f"wants_{j}": rng.random(n) < yes[:, j] for j in range(5)})
    plans = np.array([["gold", "basic", "free"], ["basic", "free", "gold"], ["free", "gold", "basic"]])
    frame["plan"] = np.where(rng.random(n) < 0.8, plans[member, 0], plans[member, rng.integers(0, 3, n)])
    return frame, member


@pytest.fixture(scope="module")
def planted() -> tuple[pd.DataFrame, np.ndarray, sg.Segmentation]:
    frame, member = answers(600)
    return frame, member, sg.LatentClasses(traits=["*"], segments="auto", serve={"most": 4}).fit(frame)


def _share_right(placed: pd.DataFrame, member: np.ndarray) -> float:
    table = pd.crosstab(placed["segment"].to_numpy(), member)
    return float(table.max(axis=1).sum() / len(member))


def test_planted_classes_are_found_and_their_number(planted: tuple[pd.DataFrame, np.ndarray, sg.Segmentation]) -> None:
    frame, member, found = planted
    assert found.report["k"] == 3
    assert found.report["replications"] > 1
    assert found.report["verdict"] in ("natural", "reproducible")
    assert "By BIC alone it would be 3 classes (of 2 to 4)." in found.report["because"]
    assert "tell the classes apart well" in found.report["because"]
    assert [row["k"] for row in found.report["panel"]] == [2, 3, 4]
    assert 3 in found.report["passed"]
    placed = found.assign(frame)
    assert _share_right(placed, member) > 0.9
    assert placed["fit"].between(0, 1).all()
    assert (placed["segment"] == "No good fit").mean() < 0.01


def test_classes_that_answers_hardly_tell_apart_are_warned_of() -> None:
    noise = pd.DataFrame(np.random.default_rng(7).random((400, 4)) < 0.5, columns=list("abcd"))
    found = sg.LatentClasses(traits=["*"], segments=2).fit(noise)
    assert found.report["entropy"] < 0.6
    assert "tell the classes apart badly" in found.report["because"]
    assert any(w.startswith("Many people could as well be in another class") for w in found.report["warnings"])


def test_members_of_the_report_are_those_that_the_rule_places(
    planted: tuple[pd.DataFrame, np.ndarray, sg.Segmentation],
) -> None:
    frame, _, found = planted
    placed = found.assign(frame)["segment"].value_counts()
    told = dict(zip(found.names, found.report["sizes"], strict=True))
    assert sum(told.values()) == len(frame)
    assert all(0 <= told[name] - placed[name] < 0.01 * len(frame) for name in found.names)  # less who fits nowhere


def test_mcdonalds_four_classes_are_those_of_the_literature(real_data: Path) -> None:
    frame = pd.read_csv(real_data / "mcdonalds" / "mcdonalds.csv").iloc[:, :11]
    found = sg.LatentClasses(traits=["*"], segments=4).fit(frame)
    assert found.report["log_likelihood"] == pytest.approx(-7111.108, abs=6e-4)
    assert found.report["bic"] == pytest.approx(14564.44, abs=0.005)
    assert found.report["replications"] > 1
    assert found.report["warnings"] == []
    placed = found.assign(frame)
    assert (placed["segment"] == "No good fit").sum() <= 0.003 * len(frame)


def test_same_seed_gives_the_same_artefact_and_the_same_classes_whatever_the_order_of_the_rows() -> None:
    frame, _ = answers(200)
    one = sg.LatentClasses(traits=["*"], segments=3).fit(frame, seed=4)
    again = sg.LatentClasses(traits=["*"], segments=3).fit(frame, seed=4)
    assert one.to_json() == again.to_json()
    other = sg.LatentClasses(traits=["*"], segments=3).fit(frame.sample(frac=1, random_state=1), seed=4)
    assert one.rule == other.rule


def test_two_in_five_answers_missing_still_find_the_classes() -> None:
    frame, member = answers(500, seed=2)
    holes = np.random.default_rng(3).random(frame.shape) < 0.4
    found = sg.LatentClasses(traits=["*"], segments=3).fit(frame.astype(object).mask(holes).convert_dtypes())
    placed = found.assign(frame.astype(object).mask(holes).convert_dtypes())
    has = (placed["segment"] != "No data").to_numpy()
    assert 0.7 < has.mean() < 0.95
    assert _share_right(placed[has], member[has]) > 0.75
    assert _share_right(found.assign(frame), member) > 0.9


def test_items_that_say_nothing_or_nothing_new_are_left_out_and_named() -> None:
    frame, _ = answers(600)
    messy = frame.assign(always=True, one="the same", empty=pd.Series([None] * 600, dtype="boolean"))
    messy["copy"] = messy["plan"].map({"gold": "G", "basic": "B", "free": "F"})
    messy["turned"] = ~messy["wants_0"]
    found = sg.LatentClasses(traits=["*"], segments=2).fit(messy)
    assert found.report["traits"] == [f"wants_{j}" for j in range(5)] + ["plan"]
    told = "\n".join(found.report["warnings"])
    for name in ("always", "one", "empty"):
        assert f"{name} is the same for everybody (or not known) and was left out" in told
    assert "copy is left out: it says the same as plan" in told
    assert "turned is left out: it says the same as wants_0" in told


def test_numbers_enter_as_bands_and_say_so() -> None:
    frame, _ = answers(600)
    rng = np.random.default_rng(5)
    found = sg.LatentClasses(traits=["*"], segments=2).fit(
        frame.assign(spend=rng.lognormal(3, 1, 600), stars=rng.integers(1, 6, 600), rare=rng.random(600) < 0)
    )
    items = {item.trait: item for item in found.rule.items}  # type: ignore[attr-defined]
    assert len(items["spend"].cuts) == 4
    assert items["stars"].cuts == (2.0, 3.0, 4.0, 5.0)
    assert [w for w in found.report["warnings"] if w.startswith("spend is a number and enters as 5 bands")]
    assert not [w for w in found.report["warnings"] if w.startswith("stars")]
    assert found.assign(frame.assign(spend=[np.inf] * 600, stars=3))["segment"].ne("No data").all()


def test_rare_answers_of_a_long_list_count_as_not_known() -> None:
    frame, _ = answers(600)
    town = np.random.default_rng(6).zipf(1.5, 600).clip(max=300).astype(str)
    found = sg.LatentClasses(traits=["*"], segments=2).fit(frame.assign(town=town))
    assert "the 20 most frequent count" in found.report["warnings"][0]
    assert found.assign(frame.assign(town="elsewhere"))["segment"].ne("No data").all()


@pytest.mark.parametrize(
    ("columns", "settings", "says"),
    [
        (["wants_0"], {"segments": 2}, "2 latent classes were asked for; the answers to 1 trait can tell only 1 apart"),
        (["wants_0", "wants_1", "plan"], {"segments": 7}, "7 latent classes were asked for.*only 2 apart"),
        (["always"], {}, "no trait has two different answers"),
        (["wants_0", "plan"], {"traits": ["want"]}, "matches no trait.*Did you mean"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(columns: list[str], settings: dict[str, Any], says: str) -> None:
    frame, _ = answers(100)
    chosen = frame.assign(always="x")[columns]
    with pytest.raises(FitError, match=f"(?s){says}"):
        sg.LatentClasses(**{"traits": ["*"], **settings}).fit(chosen)


def test_progress_is_told_and_may_stop_the_search() -> None:
    class StoppedError(Exception):
        pass

    frame, _ = answers(300)
    specs = {c: Trait(c, Model.NEEDS, "category" if c == "plan" else "boolean", c) for c in frame}
    told: list[tuple[int, int]] = []

    def stop(done: int, of: int) -> None:
        told.append((done, of))
        if done >= 20:
            raise StoppedError

    learning = segment.Learning(frame, specs, where="here", progress=stop)
    with pytest.raises(StoppedError):
        segment.fit("needs", sg.LatentClasses(traits=["*"], segments=2), learning)
    assert [done for done, _ in told] == list(range(1, 21))


def test_a_likelihood_found_once_asks_for_more_starts_and_is_doubted() -> None:
    noise = pd.DataFrame(np.random.default_rng(8).random((150, 7)) < 0.5).add_prefix("q")
    report = sg.LatentClasses(traits=["*"], segments=6).fit(noise).report
    assert report["verdict"] == "constructive"
    assert report["starts"] == (100 if report["replications"] == 1 else report["starts"])
    assert (report["replications"] == 1) == any("Only 1 of 100 starts" in w for w in report["warnings"])


def test_weights_stand_for_repeated_people() -> None:
    frame, _ = answers(200)
    weights = np.random.default_rng(3).integers(1, 4, len(frame)).astype(float)
    one = _learned(frame, weights)
    other = _learned(frame.loc[frame.index.repeat(weights.astype(int))], None)
    assert one.report["log_likelihood"] / len(frame) == pytest.approx(
        other.report["log_likelihood"] / weights.sum(), rel=1e-9
    )


def _learned(frame: pd.DataFrame, weights: np.ndarray | None) -> sg.Segmentation:
    specs = {c: Trait(c, Model.NEEDS, "category" if c == "plan" else "boolean", c) for c in frame}
    learning = segment.Learning(frame.reset_index(drop=True), specs, where="here", weights=weights)
    return segment.fit("needs", sg.LatentClasses(traits=["*"], segments=3), learning)
