"""Several methods beside each other: how far they agree, which is advised and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import segmentry as sg
from segmentry import config, segment
from segmentry.apps.comparing import Comparison
from segmentry.errors import UsageError
from segmentry.segment import choose as choosing
from segmentry.segment.comparing import advised
from segmentry.stats.stability import Resampling


def row(method: str, verdict: str = "reproducible", mean_ari: float = 0.9) -> dict[str, Any]:
    return {"method": method, "k": 3, "verdict": verdict, "mean_ari": mean_ari}


def test_method_that_the_traits_are_for_is_advised() -> None:
    rows = [row(m) for m in config.FINDING]
    assert advised(rows, "mixed")[0] == "kprototypes"
    assert advised(rows, "answers")[0] == "latent_classes"
    assert advised(rows, "numbers")[0] in ("kmeans", "mixtures")


def test_of_methods_that_suit_alike_the_stronger_verdict_then_the_more_stable_one_is_advised() -> None:
    assert advised([row("kmeans"), row("mixtures", "natural", 0.8)], "numbers")[0] == "mixtures"
    assert advised([row("kmeans", mean_ari=0.93), row("mixtures", mean_ari=0.9)], "numbers")[0] == "kmeans"


def test_last_resort_and_a_cut_that_is_only_ours_are_said_to_be_so() -> None:
    method, why = advised([row("kprototypes", "constructive", 0.5), row("kmeans", "natural")], "mixed")
    assert (method, "the last resort" in why) == ("kmeans", True)
    method, why = advised([row("kprototypes", "constructive", 0.5), row("kmeans", "constructive", 0.6)], "mixed")
    assert method == "kprototypes"
    assert "no method found segments that come back" in why


@pytest.fixture(scope="module")
def compared() -> sg.Segmentation:
    """Three groups by two numbers and a category, k-means beside the others; the panel with fewer samples."""
    rng = np.random.default_rng(1)
    group = rng.integers(3, size=200)
    frame = pd.DataFrame(
        {
            "spend": np.exp(0.3 * rng.normal(size=200) + np.array([1.0, 3.0, 5.0])[group]),
            "visits": rng.normal(size=200) + np.array([0.0, 6.0, 12.0])[group],
            "plan": np.where(rng.random(200) < 0.9, np.array(["basic", "gold", "silver"])[group], "basic"),
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing.choosing, "INTERACTIVE", Resampling(pairs=3))
        return sg.KMeans(traits=["*"], segments=3, compare=["kprototypes", "mixtures"]).fit(frame)


def test_methods_on_the_same_customers_are_set_beside_each_other(compared: sg.Segmentation) -> None:
    rows = {each["method"]: each for each in compared.report["compared"]}
    assert list(rows) == ["kmeans", "kprototypes", "mixtures"]
    assert [each["k"] for each in rows.values()] == [3, 3, 3]
    assert rows["kmeans"]["agreement"]["kprototypes"] == rows["kprototypes"]["agreement"]["kmeans"] > 0.8
    assert rows["mixtures"]["left_out"] == ["plan"]
    assert [each["advised"] for each in rows.values()] == [False, True, False]
    assert "made for numbers and categories together" in rows["kprototypes"]["why"]
    assert sg.Segmentation.from_json(compared.to_json()) == compared


def test_comparison_is_told_as_a_table_and_in_sentences(compared: sg.Segmentation) -> None:
    told = Comparison.of(compared.report)
    assert told is not None
    assert [line[0] for line in told.rows] == ["k-means", "k-prototypes (advised)", "mixtures"]
    assert {len(line) for line in told.rows} == {len(told.head)}
    assert told.sentences[0].startswith("Advised: k-prototypes is made for")
    assert "mixtures does not take plan." in told.sentences
    assert Comparison.of({}) is None


def test_method_that_cannot_work_on_the_traits_says_why() -> None:
    answers = pd.DataFrame(np.random.default_rng(0).random((120, 4)) < 0.5, columns=list("abcd"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing.choosing, "INTERACTIVE", Resampling(pairs=2))
        report = sg.LatentClasses(traits=["*"], segments=2, compare=["mixtures"]).fit(answers).report
    told = report["compared"][1]
    assert (told["method"], "mixtures are of numbers" in told["problem"]) == ("mixtures", True)
    assert report["compared"][0]["advised"]
    comparison = Comparison.of(report)
    assert comparison is not None
    assert any(line.startswith("mixtures found nothing: ") for line in comparison.sentences)


def test_what_cannot_be_compared_is_refused() -> None:
    kmeans = config.KMeans(method="kmeans")
    with pytest.raises(UsageError, match="'trees' is no method that finds segments"):
        segment.asked(kmeans, None, ["trees"], where="segmentation x")
    with pytest.raises(UsageError, match="this is bands"):
        segment.asked(config.Bands(method="bands", trait="age", cuts=(30,)), None, ["all"], where="segmentation x")
    assert segment.asked(kmeans, None, where="segmentation x") is kmeans
