"""A row of weight 3 counts as three rows, in every method that learns figures from the sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from segmentry import config, segment
from segmentry.catalogue import Model, Trait
from segmentry.segment import Learning
from segmentry.segment.variables import levels, number

SETTINGS: tuple[config.Segmentation, ...] = (
    config.Rfm(method="rfm"),
    config.ValueTiers(method="value_tiers"),
    config.KMeans(method="kmeans", traits=("frequency", "monetary"), segments=3),
)


def customers(rows: int = 400) -> tuple[pd.DataFrame, dict[str, Trait]]:
    chance = np.random.default_rng(7)
    frequency = chance.integers(1, 9, rows).astype(float)
    made = {
        "recency_days": chance.integers(0, 400, rows).astype(float),
        "frequency": frequency,
        "monetary": np.round(frequency * chance.lognormal(3, 0.8, rows), 2),
    }
    return pd.DataFrame(made), {n: Trait(n, Model.BEHAVIORAL, "number", n) for n in made}


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: s.method)
def test_weighted_rows_and_repeated_rows_give_the_same_rule(settings: Any) -> None:
    frame, specs = customers()
    times = np.random.default_rng(8).integers(1, 4, len(frame))
    repeated = frame.loc[frame.index.repeat(times)].reset_index(drop=True)
    weighted = segment.fit("w", settings, Learning(frame, specs, where="here", weights=times.astype(float)))
    spelt_out = segment.fit("w", settings, Learning(repeated, specs, where="here"))
    assert weighted.rule.traits == spelt_out.rule.traits
    placed, again = weighted.assign(frame), spelt_out.assign(frame)
    if settings.method == "kmeans":  # what is optimal is the same; its last digits are not
        assert (placed["segment"] == again["segment"]).mean() > 0.99
    else:
        assert weighted.rule == spelt_out.rule


def test_preparation_counts_the_weight_of_rows() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 9.0], "c": ["a", "b", "b"]})
    specs = {"x": Trait("x", Model.BEHAVIORAL, "number", "x"), "c": Trait("c", Model.BEHAVIORAL, "category", "c")}
    learning = Learning(frame, specs, where="here", weights=np.array([6.0, 1, 1]))
    assert number(specs["x"], learning)[0].fill == 1.0
    assert [(p.level, p.centre) for p in levels(specs["c"], learning)] == [("a", 0.75), ("b", 0.25)]


def test_equal_weights_change_nothing() -> None:
    frame, specs = customers()
    same = Learning(frame, specs, where="here", weights=np.full(len(frame), 4.0))
    for settings in SETTINGS:
        without = segment.fit("w", settings, Learning(frame, specs, where="here"))
        assert segment.fit("w", settings, same).rule == without.rule
