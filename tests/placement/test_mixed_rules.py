"""Prototypes and mixtures: gaps, ties and levels that nobody had, short SQL, reasons that hold."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import reference

from segmentry.placement import Category, Mixture, Prep, Prototypes, Rule, component, from_json, to_json
from segmentry.segmentation import Segment, Segmentation

RULES = {"prototypes": reference.PROTOTYPES, "mixture": reference.MIXTURE}
both = pytest.mark.parametrize("kind", RULES)


def segmentation(rule: Rule, count: int = 3) -> Segmentation:
    traits = tuple((name, reference.KINDS.get(name, "number")) for name in rule.traits)
    return Segmentation("s", 1, "m", rule, tuple(Segment(n) for n in "ABCDEFGHIJKLMNOPQRST"[:count]), traits)


@both
@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "snowflake", "bigquery", "spark"])
def test_sql_is_printed_for_every_dialect(kind: str, dialect: str) -> None:
    text = segmentation(RULES[kind]).sql(dialect)
    assert text.lstrip().upper().startswith(("SELECT", "WITH"))
    assert "No good fit" in text


@both
def test_rule_survives_json(kind: str) -> None:
    rule = RULES[kind]
    assert from_json(to_json(rule)) == rule


def test_sql_of_twelve_segments_by_twenty_traits_stays_short() -> None:
    rng = np.random.default_rng(3)
    prep = tuple(Prep(f"t{j}", 0.0, 0.1, 1.0, -5.0, 5.0, log=True) for j in range(20))
    centres = tuple(tuple(float(c) for c in row) for row in rng.normal(size=(12, 20)))
    categories = tuple(Category(f"c{j}", "category", tuple(f"level {k % 5}" for k in range(12))) for j in range(5))
    near = Prototypes(prep, categories, 0.7, centres, (1.0,) * 12, (9.0,) * 12)
    full = np.tril(rng.normal(size=(20, 20))) + 3 * np.eye(20)
    clouds = Mixture(prep, tuple(component(full.tolist(), c, 1.0, 1 / 12, 50.0) for c in centres))
    table = pd.DataFrame(rng.normal(size=(30, 20)), columns=[f"t{j}" for j in range(20)])
    for j in range(5):
        table[f"c{j}"] = "level 1"
    kinds = {f"c{j}": "category" for j in range(5)}
    for rule in (near, clouds):
        traits = tuple((name, kinds.get(name, "number")) for name in rule.traits)
        found = Segmentation("s", 1, "m", rule, tuple(Segment(n) for n in "ABCDEFGHIJKL"), traits)
        assert len(found.sql("duckdb")) < 500_000
        assert len(found.sql("postgres")) < 500_000
        assert len(found.assign(table)) == 30


def test_level_that_appears_only_live_differs_from_every_prototype() -> None:
    table = pd.DataFrame({"spend": [7.0] * 2, "visits": [3.0] * 2, "plan": ["platinum", "gold"], "web": [True] * 2})
    placed = segmentation(reference.PROTOTYPES).assign(table)
    assert placed["segment"].tolist() == ["A", "A"]
    assert placed["fit"][0] < placed["fit"][1]


def test_gap_is_left_out_of_the_distance_and_the_rest_counts_for_it() -> None:
    rule = Prototypes(
        tuple(Prep(n, 0, 0, 1, -10, 10) for n in ("x", "y")), (), 1.0, ((0.0, 0.0), (4.0, 0.0)), (1.0, 1.0), (9.0, 9.0)
    )
    table = pd.DataFrame({"x": [1.0, 1.0], "y": [1.0, math.nan]})
    placed = segmentation(rule, 2).assign(table)
    # both are sqrt(2) away from the first: sqrt(1 + 1), and sqrt(1 * 2 / 1)
    assert placed["fit"].tolist() == pytest.approx([1 / (1 + math.sqrt(2))] * 2, abs=1e-12)


def test_tie_goes_to_the_lower_index() -> None:
    prep = (Prep("x", 0, 0, 1, -10, 10),)
    near = Prototypes(prep, (), 1.0, ((1.0,), (-1.0,)), (1.0, 1.0), (9.0, 9.0))
    clouds = Mixture(prep, tuple(component([[1.0]], [mean], 0.0, 0.5, 9.0) for mean in (1.0, -1.0)))
    for rule in (near, clouds):
        placed = segmentation(rule, 2).assign(pd.DataFrame({"x": [0.0, 1e-11, -1e-11]}))
        assert placed["segment"].tolist() == ["A", "A", "A"]
        assert placed["margin"].tolist() == pytest.approx([0, 0, 0], abs=1e-9)


def test_one_segment_is_certain() -> None:
    clouds = Mixture((Prep("x", 0, 0, 1, -10, 10),), (component([[1.0]], [0.0], 0.0, 1.0, 9.0),))
    placed = segmentation(clouds, 1).assign(pd.DataFrame({"x": [0.5]}))
    assert placed["fit"].tolist() == [1.0]
    assert placed["runner_up"].isna().all()


@both
def test_reasons_come_with_changes_that_really_move_the_customer(kind: str) -> None:
    found = segmentation(RULES[kind])
    row: dict[str, object] = {"spend": 40.0, "visits": 3.0, "plan": "gold", "web": False}
    placed, why = found.explain(row)
    assert why.reasons
    assert sum(r.weight or 0 for r in why.reasons) <= 1 + 1e-9
    assert why.moves
    for move in why.moves:
        needed = move.needed
        if isinstance(needed, float):
            needed *= 1.01 if needed > float(str(move.value)) else 0.99
        moved, _ = found.explain({**row, move.trait: needed})
        assert moved["segment_index"] == move.segment_index != placed["segment_index"]


@both
def test_customer_of_whom_nothing_is_known_is_told_what_is_missing(kind: str) -> None:
    placed, why = segmentation(RULES[kind]).explain({})
    assert placed["segment_index"] == -1
    assert "spend is not known" in [r.text for r in why.reasons]
