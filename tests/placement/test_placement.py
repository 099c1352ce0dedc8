"""Placement: every row in exactly one segment, any dialect of SQL, reasons that hold."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentry.errors import ArtefactError
from segmentry.placement import (
    NO_DATA,
    Cascade,
    Crossing,
    Grid,
    Nearest,
    Prep,
    Rule,
    from_json,
    to_json,
)
from segmentry.placement.prep import within
from segmentry.segmentation import Segment, Segmentation

DIALECTS = ("duckdb", "postgres", "snowflake", "bigquery", "spark")


def _segmentation(rule: Rule, kinds: dict[str, str], names: str = "ABCDEFGH") -> Segmentation:
    count = {
        Cascade: lambda: max(rule.rest + 1, len(rule.conditions)),
        Grid: lambda: max(rule.cells) + 1,
        Nearest: lambda: len(rule.centres),
        Crossing: lambda: max(rule.cells) + 1,
    }[type(rule)]()
    return Segmentation(
        "s",
        1,
        "m",
        rule,
        tuple(Segment(n) for n in names[:count]),
        tuple((n, k) for n, k in kinds.items() if n in rule.traits),
    )


KINDS = reference.KINDS
NEAREST, GRID, LEAVES, NESTED = reference.NEAREST, reference.GRID, reference.LEAVES, reference.NESTED


def test_customer_with_less_than_half_of_the_traits_has_no_data() -> None:
    frame = pd.DataFrame({"spend": [None, None, 5.0], "visits": [None, 2.0, None], "plan": [None, "gold", None]})
    placed = _segmentation(NEAREST, KINDS).assign(frame.astype({"spend": float, "visits": float}))
    assert placed["segment"].tolist() == ["No data", *placed["segment"].tolist()[1:2], "No data"]
    assert placed["segment"].tolist()[1] != "No data"


def test_infinite_and_nan_values_count_as_not_known() -> None:
    frame = pd.DataFrame({"spend": [math.inf, math.nan, 10.0], "visits": [3.0] * 3, "plan": ["gold"] * 3})
    placed = _segmentation(NEAREST, KINDS).assign(frame)
    assert placed["segment"].nunique() == 1
    assert placed["fit"].nunique() == 1


def test_stranger_far_from_every_centre_has_no_good_fit() -> None:
    frame = pd.DataFrame({"spend": [10.0], "visits": [50.0], "plan": ["gold"]})
    assert _segmentation(NEAREST, KINDS).assign(frame)["segment"].tolist() == ["No good fit"]


def test_tie_goes_to_the_lower_index() -> None:
    rule = Nearest((Prep("x", 0, 0, 1, -10, 10),), ((1.0,), (-1.0,)), (1.0, 1.0), (9.0, 9.0))
    placed = _segmentation(rule, {"x": "number"}).assign(pd.DataFrame({"x": [0.0, 1e-11, -1e-11]}))
    assert placed["segment"].tolist() == ["A", "A", "A"]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.floats(-5, 150)), st.one_of(st.none(), st.floats(0, 60))),
        min_size=1,
        max_size=80,
    )
)
def test_grid_gives_everybody_the_cell_of_its_bands(rows: list[tuple[float | None, float | None]]) -> None:
    frame = pd.DataFrame(rows, columns=["recency", "visits"], dtype=float)
    placed = _segmentation(GRID, {"recency": "number", "visits": "number"}).assign(frame)
    for (recency, visits), got in zip(rows, placed.to_dict("records"), strict=True):
        if recency is None or visits is None:
            assert got["segment"] == "No data"
            continue
        r, f = GRID.bands[0].position(recency), GRID.bands[1].position(visits)
        assert got["segment"] == "ABC"[GRID.cells[r * 3 + f]]
        assert got["score"] == f"{3 - r}-{f + 1}"
        neighbours = {
            GRID.cells[(r + i) * 3 + f + j]
            for i, j in ((0, 1), (0, -1), (1, 0), (-1, 0))
            if 0 <= r + i < 3 > f + j >= 0
        }
        if neighbours == {GRID.cells[r * 3 + f]}:
            assert pd.isna(got["margin"])
        else:
            assert 0 <= got["margin"] <= 1
            assert got["runner_up"] in {"ABC"[n] for n in neighbours} - {got["segment"]}


def test_value_on_a_cut_is_in_the_upper_band() -> None:
    frame = pd.DataFrame({"recency": [9.999, 10.0], "visits": [5.0, 5.0]})
    placed = _segmentation(GRID, {"recency": "number", "visits": "number"}).assign(frame)
    assert placed["score"].tolist() == ["3-3", "2-3"]


def test_cascade_takes_the_first_condition_and_null_is_not_true() -> None:
    rule = Cascade(("x > 10", "x > 5 or y = 'a'"), 2, (("x", "number"), ("y", "category")))
    frame = pd.DataFrame({"x": [11.0, 7.0, 1.0, np.nan, np.nan], "y": ["a", "b", "a", "b", None]})
    placed = _segmentation(rule, dict(rule.kinds)).assign(frame)
    assert placed["segment"].tolist() == ["A", "B", "B", "C", "No data"]
    assert placed["runner_up"].tolist()[:3] == ["B", "C", "C"]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("rule", [NEAREST, GRID, Cascade(("spend > 3",), 1, (("spend", "number"),)), LEAVES, NESTED])
def test_sql_is_printed_for_every_dialect(rule: Rule, dialect: str) -> None:
    text = _segmentation(rule, {n: k for n, k in KINDS.items() if n in rule.traits}).sql(dialect)
    assert text.lstrip().upper().startswith(("SELECT", "WITH"))
    assert "No good fit" in text


def test_sql_of_twelve_segments_by_forty_traits_stays_short() -> None:
    prep = tuple(Prep(f"t{j}", 0.0, 0.1, 1.0, -5.0, 5.0, log=True) for j in range(40))
    centres = tuple(tuple(math.sin(k * 40 + j) for j in range(40)) for k in range(12))
    rule = Nearest(prep, centres, (1.0,) * 12, (9.0,) * 12)
    found = _segmentation(rule, {f"t{j}": "number" for j in range(40)}, "ABCDEFGHIJKL")
    assert len(found.sql("duckdb")) < 300_000
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(50, 40)), columns=[f"t{j}" for j in range(40)])
    assert len(found.assign(frame)) == 50


@pytest.mark.parametrize("rule", [NEAREST, GRID, Cascade(("x > 1",), 1, (("x", "number"),)), LEAVES, NESTED])
def test_rule_survives_json(rule: Rule) -> None:
    assert from_json(to_json(rule)) == rule


def test_crossing_explains_by_both_of_its_parts() -> None:
    row = {"spend": 40.0, "visits": 3.0, "plan": "basic"}
    found = _segmentation(reference.CROSSING, KINDS)
    placed, why = found.explain(row)
    assert any("band" in reason.text for reason in why.reasons)
    assert len({reason.trait for reason in why.reasons}) > 1
    assert why.moves
    assert all(move.segment_index != placed["segment_index"] for move in why.moves)
    nothing, why = found.explain({"spend": 40.0, "visits": None, "plan": "basic"})
    assert nothing["segment_index"] == NO_DATA
    assert [reason.text for reason in why.reasons] == ["visits is not known"]


def test_leaves_of_a_tree_take_everybody_and_explain_the_way_to_any_other() -> None:
    frame = pd.DataFrame({"spend": [9.0, 1.0, np.nan, np.nan, math.inf], "plan": ["new", "gold", "new", None, "gold"]})
    found = _segmentation(LEAVES, dict(LEAVES.kinds))
    placed = found.assign(frame)
    assert placed["segment"].tolist() == ["A", "B", "C", "No data", "A"]
    assert placed["runner_up"].isna().all()
    _, why = found.explain({"spend": 9.0, "plan": "gold"})
    assert [move.segment_index for move in why.moves] == [1, 2]


def test_unknown_rule_is_refused() -> None:
    with pytest.raises(ArtefactError, match="Magic"):
        from_json({"kind": "Magic"})


def test_nearest_explains_with_changes_that_really_move_the_customer() -> None:
    found = _segmentation(NEAREST, KINDS)
    row = {"spend": 40.0, "visits": 3.0, "plan": "basic"}
    placed, why = found.explain(row)
    assert why.reasons
    assert sum(r.weight or 0 for r in why.reasons) <= 1 + 1e-9
    assert why.moves
    for move in why.moves:
        step = 1.01 if float(move.needed) > float(move.value) else 0.99
        moved, _ = found.explain({**row, move.trait: float(move.needed) * step})
        assert moved["segment_index"] == move.segment_index != placed["segment_index"]


def test_step_that_no_logarithm_takes_is_no_move() -> None:
    prep = Prep("spend", fill=10.0, centre=2.0, scale=1.5, low=0.0, high=1e6, log=True)
    assert not within(prep, 1e4)
    assert within(prep, prep.of_value(500.0))


def test_grid_explains_with_the_cut_to_cross() -> None:
    found = _segmentation(GRID, {"recency": "number", "visits": "number"})
    placed, why = found.explain({"recency": 12.0, "visits": 3.0})
    assert placed["segment_index"] == 1
    targets = {(m.trait, m.segment_index, m.needed) for m in why.moves}
    assert ("recency", 0, 10.0) in targets


def test_cascade_explains_what_fails() -> None:
    rule = Cascade(("x > 10 and y = 'a'",), 1, (("x", "number"), ("y", "category")))
    _, why = _segmentation(rule, dict(rule.kinds)).explain({"x": 4.0, "y": "a"})
    assert "10" in why.moves[0].text
    assert "'a'" not in why.moves[0].text
