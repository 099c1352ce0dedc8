"""Profiles: exact against pandas, also when traits are called like the columns of a placement."""

from __future__ import annotations

import math
from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

import segmentry as sg
from segmentry import engine
from segmentry.catalogue import Model, Trait
from segmentry.target import naming, profiles

SPECS = (
    Trait("margin", Model.VALUE, "number", "Margin.", unit="currency"),
    Trait("segment", Model.BEHAVIORAL, "category", "A column that is called segment in the source."),
    Trait("orders", Model.BEHAVIORAL, "number", "A small whole number.", unit="orders"),
    Trait("opted_in", Model.BEHAVIORAL, "boolean", "Opted in."),
)


@pytest.fixture
def base() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(5)
    n = 400
    placed = pd.DataFrame(
        {
            "customer_key": range(n),
            "segment": rng.choice(["A", "B", "C"], n, p=[0.5, 0.3, 0.2]),
            "fit": rng.random(n),
            "margin": rng.random(n),
            "score": None,
        }
    ).astype({"score": object})
    lift = placed["segment"].map({"A": 1.0, "B": 3.0, "C": 9.0})
    traits = pd.DataFrame(
        {
            "customer_key": range(n),
            "margin": (rng.lognormal(3, 1, n) * lift).round(2),
            "segment": rng.choice(["old", "new"], n),
            "opted_in": rng.random(n) < 0.3,
            "orders": rng.poisson(2, n),
        }
    )
    traits.loc[::7, "margin"] = np.nan
    return placed, traits


def _profile(base: tuple[pd.DataFrame, pd.DataFrame]) -> tuple[dict, tuple[profiles.TraitEffect, ...]]:
    with engine.in_memory() as con:
        placed = con.create_table("placed", ibis.memtable(base[0]).cast({"score": "string"}))
        traits = con.create_table("traits", ibis.memtable(base[1]))
        largest = traits.agg(**profiles.largest_values(traits, SPECS)).to_pyarrow().to_pylist()[0]
        return profiles.profile(placed, traits, SPECS, largest, "margin")


def test_sizes_and_values_are_those_of_pandas(base: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    sizes, _ = _profile(base)
    joined = base[0][["customer_key", "segment"]].merge(base[1][["customer_key", "margin"]])
    for name, rows in joined.groupby("segment"):
        assert sizes[name]["customers"] == len(rows)
        assert sizes[name]["value"] == pytest.approx(rows["margin"].sum())
    assert sizes["A"]["mean_margin"] == pytest.approx(base[0].loc[base[0]["segment"] == "A", "margin"].mean())


def test_effect_is_cohens_d_on_the_log_scale_against_all_others(base: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    _, effects = _profile(base)
    found = next(e for e in effects if e.segment == "C" and e.trait == "margin")
    logs = np.log1p(base[1]["margin"])
    inside, outside = logs[base[0]["segment"] == "C"].dropna(), logs[base[0]["segment"] != "C"].dropna()
    n, m = len(inside), len(outside)
    pooled = ((n - 1) * inside.var() + (m - 1) * outside.var()) / (n + m - 2)
    assert found.effect == pytest.approx((inside.mean() - outside.mean()) / math.sqrt(pooled))
    assert found.n == n
    assert found.base_mean == pytest.approx(base[1]["margin"].mean())


def test_small_whole_numbers_are_described_like_all_numbers(base: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    counted = [e for e in _profile(base)[1] if e.trait == "orders"]
    added = [e for e in _profile((base[0], base[1].astype({"orders": float})))[1] if e.trait == "orders"]
    assert counted == added
    inside = base[1].loc[base[0]["segment"] == "B", "orders"]
    assert (counted[2].n, counted[2].mean) == (len(inside), pytest.approx(inside.mean()))
    assert counted[2].sd == pytest.approx(inside.std())


def test_levels_and_booleans_are_shares(base: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    _, effects = _profile(base)
    shares = [e.mean for e in effects if e.segment == "B" and e.trait == "segment"]
    assert sum(shares) == pytest.approx(1)
    opted = next(e for e in effects if e.segment == profiles.BASE and e.trait == "opted_in")
    assert opted.mean == pytest.approx(base[1]["opted_in"].mean())


def test_names_are_distinct_and_say_what_sets_apart(base: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    _, effects = _profile(base)
    names = naming.names_for(effects, ["A", "B", "C"])
    assert len(set(names.values())) == 3
    assert "profitable" in names["C"].lower()


def test_pareto_reaches_everything_and_never_falls() -> None:
    frame = pd.DataFrame({"customer_key": range(1000), "value": np.random.default_rng(1).normal(10, 20, 1000)})
    with engine.in_memory() as con:
        curve = profiles.pareto(con.create_table("t", ibis.memtable(frame)), "value", 100.0)
    xs, ys = zip(*curve, strict=True)
    assert (xs[0], ys[0]) == (0, 0)
    assert xs[-1] == pytest.approx(1)
    assert ys[-1] == pytest.approx(1)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys)
    best = np.sort(frame["value"].clip(lower=0))[::-1].cumsum()
    assert ys[100] == pytest.approx(best[499] / best[-1])


def test_groups_that_answer_differently_are_named_by_their_answers() -> None:
    def effect(segment: str, trait: str, level: str, shares: tuple[float, float], size: float) -> profiles.TraitEffect:
        mean, base = shares
        return profiles.TraitEffect(segment, trait, level, "category", "", 90, mean, 0.4, base, size)

    effects = [
        effect("A", "expensive", "Yes", (0.0, 0.36), -1.6),
        effect("A", "cheap", "No", (0.06, 0.4), -1.5),
        effect("B", "expensive", "No", (0.12, 0.64), -1.9),
        effect("B", "cheap", "No", (0.87, 0.4), 1.6),
    ]
    assert naming.names_for(effects, ["A", "B"]) == {"A": "Not expensive, cheap", "B": "Expensive, not cheap"}
    assert "not expensive (100 % against 64 %), cheap (94 % against 60 %)" in naming.meaning_for(effects, "A")


def test_names_of_counts_read_well_and_value_is_what_it_is_on_average() -> None:
    def effect(trait: str, mean: float, base: float, size: float) -> profiles.TraitEffect:
        return profiles.TraitEffect("A", trait, None, "number", "", 90, mean, 1.0, base, size)

    counts = [effect("num_web_purchases", 5.7, 4.1, 1.2), effect("num_deals_purchases", 4.4, 2.3, 1.0)]
    assert naming.names_for(counts, ["A"]) == {"A": "Customers with high web purchases and high deals purchases"}
    wants = [effect("benefit_of_low_prices", 0.7, 0.1, 2.0), effect("benefit_of_simple_returns", 0.3, 0.0, 1.0)]
    assert naming.names_for(wants, ["A"]) == {"A": "Customers who want low prices and simple returns"}
    few_giants = [effect("value", 584.0, 606.0, 0.6), *counts]  # more than most bring, less than the mean
    assert "aluable" not in naming.names_for(few_giants, ["A"])["A"]
    assert "value" not in naming.meaning_for(few_giants, "A")
    on_the_logarithm = [effect("monetary", 1354.0, 1243.0, 1.5), *counts]  # a tenth more, on average
    assert "pending" not in naming.names_for(on_the_logarithm, ["A"])["A"]
    assert naming.names_for([effect("value", 900.0, 606.0, 0.6), counts[0]], ["A"]) == {
        "A": "Valuable customers with high web purchases"
    }


def test_ticked_answers_name_segments_by_what_was_ticked() -> None:
    effects = [
        profiles.TraitEffect("A", "chooses_expensive", None, "boolean", "", 90, 0.02, 0.1, 0.36, -1.4),
        profiles.TraitEffect("A", "chooses_tasty", None, "boolean", "", 90, 0.98, 0.1, 0.64, 1.3),
    ]
    assert naming.names_for(effects, ["A"]) == {"A": "Not expensive, tasty"}


def test_most_customers_without_data_are_told() -> None:
    tiers = sg.ValueTiers().fit(pd.DataFrame({"margin": [9.0, 5.0, 1.0, 0.5]}))
    nothing = {"value": None, "mean_fit": None, "mean_margin": None}

    def warnings(known: int) -> tuple[str, ...]:
        sizes = {"High": {"customers": known, **nothing}, "No data": {"customers": 60, **nothing}}
        facts = {"sizes": sizes, "missing": [], "cells": []}
        day = date(2026, 1, 1)
        return profiles.summarise(tiers, facts, (), as_of=day, total=90, value_trait=None, before=None).warnings

    assert warnings(30)[-1].startswith("67 % have no data: too few of the traits are known of them.")
    assert not any("no data" in w for w in warnings(90))
