"""Placement: every row in exactly one segment, equal to plain Python, on any engine's SQL."""

from __future__ import annotations

import math
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentry import engine as engines
from segmentry.errors import ArtefactError
from segmentry.placement import (
    NO_DATA,
    NO_GOOD_FIT,
    Band,
    Cascade,
    Crossing,
    Grid,
    Nearest,
    Prep,
    Rule,
    from_json,
    to_json,
)
from segmentry.segmentation import Segment, Segmentation
from tests.engines import on_every_engine

DIALECTS = ("duckdb", "postgres", "snowflake", "bigquery", "spark")


def _segmentation(rule: Rule, kinds: dict[str, str], names: str = "ABCDEFGH") -> Segmentation:
    count = {
        Cascade: lambda: max(rule.rest + 1, len(rule.conditions)),
        Grid: lambda: max(rule.cells) + 1,
        Nearest: lambda: len(rule.centres),
        Crossing: lambda: max(rule.cells) + 1,
    }[type(rule)]()
    return Segmentation("s", 1, "m", rule, tuple(Segment(n) for n in names[:count]), tuple(kinds.items()))


NEAREST = Nearest(
    prep=(
        Prep("spend", fill=10.0, centre=2.0, scale=1.5, low=0.0, high=1000.0, log=True),
        Prep("visits", fill=3.0, centre=3.0, scale=2.0, low=-50.0, high=50.0),
        Prep("plan", fill=0.0, centre=0.4, scale=0.5, low=0.0, high=1.0, level="gold"),
    ),
    centres=((0.0, 0.0, 0.0), (1.5, 1.0, 1.0), (-1.0, 2.0, -0.5)),
    typical=(0.5, 0.8, 0.7),
    limit=(6.0, 6.0, 6.0),
)
KINDS = {"spend": "number", "visits": "number", "plan": "category"}
GRID = Grid(
    (
        Band("R", "recency", (10.0, 30.0), (3, 2, 1), 0.0, 100.0),
        Band("F", "frequency", (2.0, 5.0), (1, 2, 3), 1.0, 40.0),
    ),
    (1, 0, 0, 2, 1, 0, 2, 2, 1),
)

# The leaves of a tree: at most one condition holds for anybody.
LEAVES = Cascade(
    ("spend >= 8.0", "((spend < 8.0) OR spend IS NULL) AND plan IN ('gold')",
     "((spend < 8.0) OR spend IS NULL) AND (NOT plan IN ('gold') OR plan IS NULL)"),
    NO_GOOD_FIT,
    (("spend", "number"), ("plan", "category")),
)  # fmt: skip
VISITS = Grid((Band("band", "visits", (2.0, 5.0), (1, 2, 3), 0.0, 10.0),), (0, 1, 2))
# Three segments of the nearest centre by three bands; two of the nine cells are merged into others.
CROSSING = Crossing((NEAREST, VISITS), (3, 3), (0, 1, 2, 3, 4, 4, 5, 6, 6), tuple(KINDS.items()))
# A crossing of a crossing: names of columns that are carried along must not meet.
NESTED = Crossing((CROSSING, LEAVES), (7, 3), tuple(i % 8 for i in range(21)), tuple(KINDS.items()))


def _frame(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    spend = rng.lognormal(2, 2, n)
    spend[rng.random(n) < 0.1] = np.nan
    visits = rng.normal(3, 3, n).round(1)
    visits[rng.random(n) < 0.1] = np.nan
    plan = rng.choice(np.array(["gold", "basic", None], dtype=object), n)
    return pd.DataFrame({"spend": spend, "visits": visits, "plan": plan})


def _by_hand(row: dict[str, object]) -> tuple[int, float, int | None, float]:
    """The nearest centre in plain Python: an independent reference."""
    known = sum(pd.notna(v) for v in row.values())
    if known * 2 < 3:
        return NO_DATA, math.nan, None, math.nan
    spend = row["spend"] if pd.notna(row["spend"]) else 10.0
    visits = row["visits"] if pd.notna(row["visits"]) else 3.0
    z = (
        (math.log(1 + min(max(float(spend), 0.0), 1000.0)) - 2.0) / 1.5,
        (min(max(float(visits), -50.0), 50.0) - 3.0) / 2.0,
        ((1.0 if row["plan"] == "gold" else 0.0) - 0.4) / 0.5,
    )
    distances = [math.dist(z, c) for c in NEAREST.centres]
    order = sorted(range(3), key=lambda k: distances[k])
    first, second = order[0], order[1]
    index = first if distances[first] <= 6 else NO_GOOD_FIT
    fit = NEAREST.typical[first] / (NEAREST.typical[first] + distances[first])
    return index, fit, second, (distances[second] - distances[first]) / distances[second]


def test_nearest_equals_a_plain_python_reference_on_every_row() -> None:
    frame = _frame(5_000, 7)
    placed = _segmentation(NEAREST, KINDS).assign(frame)
    names = {NO_DATA: "No data", NO_GOOD_FIT: "No good fit", 0: "A", 1: "B", 2: "C"}
    assert len(placed) == len(frame)
    seen = set()
    for row, got in zip(frame.to_dict("records"), placed.to_dict("records"), strict=True):
        index, fit, runner, margin = _by_hand(row)
        seen.add(index)
        assert got["segment"] == names[index]
        if index != NO_DATA:
            assert got["fit"] == pytest.approx(fit, abs=1e-9)
            assert got["runner_up"] == names[runner]
            assert got["margin"] == pytest.approx(margin, abs=1e-9)
        else:
            assert pd.isna(got["fit"])
    assert {0, 1, 2} <= seen


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
    frame = pd.DataFrame(rows, columns=["recency", "frequency"], dtype=float)
    placed = _segmentation(GRID, {"recency": "number", "frequency": "number"}).assign(frame)
    for (recency, frequency), got in zip(rows, placed.to_dict("records"), strict=True):
        if recency is None or frequency is None:
            assert got["segment"] == "No data"
            continue
        r, f = GRID.bands[0].position(recency), GRID.bands[1].position(frequency)
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
    frame = pd.DataFrame({"recency": [9.999, 10.0], "frequency": [5.0, 5.0]})
    placed = _segmentation(GRID, {"recency": "number", "frequency": "number"}).assign(frame)
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
    kinds = {**KINDS, "recency": "number", "frequency": "number"}
    text = _segmentation(rule, {n: k for n, k in kinds.items() if n in rule.traits}).sql(dialect)
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


def _crossed(found: list[dict[str, object]], sizes: tuple[int, int], cells: tuple[int, ...]) -> tuple[object, ...]:
    """Index, fit, runner-up and margin of a crossing in plain Python, from the placements of its parts."""
    indices = [int(p["segment_index"]) for p in found]  # type: ignore[call-overload]
    for outside in (NO_DATA, NO_GOOD_FIT):
        if outside in indices:
            return outside, None, None, None
    own = cells[indices[0] * sizes[1] + indices[1]]
    ways = []
    for part in (0, 1):
        beside = found[part]["runner_up_index"]
        if pd.notna(beside) and beside >= 0:
            there = [*indices]
            there[part] = int(beside)
            cell, margin = cells[there[0] * sizes[1] + there[1]], found[part]["margin"]
            if cell != own:
                ways.append((math.inf if pd.isna(margin) else margin, part, cell))
    gap, _, runner = min(ways, default=(math.inf, 0, None))
    return own, min(p["fit"] for p in found), runner, None if math.isinf(gap) else gap  # type: ignore[type-var]


def _indices(rule: Rule, frame: pd.DataFrame) -> list[dict[str, object]]:
    with engines.in_memory() as con:
        rows = con.create_table("traits", frame).mutate(row=ibis.row_number())
        steps = _segmentation(rule, {n: KINDS[n] for n in rule.traits}).placing(["row"])
        return con.to_pandas(engines.in_steps(rows, steps).order_by("row")).to_dict("records")


@pytest.mark.parametrize("rule", [CROSSING, NESTED])
def test_crossing_equals_its_parts_in_plain_python(rule: Crossing) -> None:
    frame = _frame(3_000, 11)
    parts = [_indices(part, frame) for part in rule.parts]
    seen = set()
    for got, *found in zip(_indices(rule, frame), *parts, strict=True):
        index, fit, runner, margin = _crossed(found, rule.sizes, rule.cells)
        seen.add(index)
        assert got["segment_index"] == index
        if index not in (NO_DATA, NO_GOOD_FIT):
            assert got["fit"] == pytest.approx(fit, abs=1e-12)
            assert got["runner_up_index"] == runner if runner is not None else pd.isna(got["runner_up_index"])
            assert got["margin"] == pytest.approx(margin, abs=1e-12) if margin is not None else pd.isna(got["margin"])
    assert len(seen) > 6
    assert NO_DATA in seen


def test_crossing_explains_by_both_of_its_parts() -> None:
    row = {"spend": 40.0, "visits": 3.0, "plan": "basic"}
    found = _segmentation(CROSSING, KINDS)
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


@on_every_engine
def test_crossings_and_leaves_are_placed_alike_on_every_engine(engine: str, tmp_path: Path) -> None:
    frame = _frame(800, 5)
    with engines.open_engine(engine, tmp_path, "crossings").session() as session:
        rows = session.keep("traits", ibis.memtable(frame).mutate(row=ibis.row_number()))
        for rule in (CROSSING, NESTED, LEAVES):
            steps = _segmentation(rule, {n: KINDS[n] for n in rule.traits}).placing(["row"])
            there = engines.in_steps(rows, steps).order_by("row").to_pandas()
            here = pd.DataFrame(_indices(rule, frame))
            for column in ("segment_index", "runner_up_index", "fit", "margin"):
                got, expected = (f[column].astype("float64").to_numpy() for f in (there, here))
                np.testing.assert_allclose(got, expected, atol=1e-9, equal_nan=True)


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


def test_grid_explains_with_the_cut_to_cross() -> None:
    found = _segmentation(GRID, {"recency": "number", "frequency": "number"})
    placed, why = found.explain({"recency": 12.0, "frequency": 3.0})
    assert placed["segment_index"] == 1
    targets = {(m.trait, m.segment_index, m.needed) for m in why.moves}
    assert ("recency", 0, 10.0) in targets


def test_cascade_explains_what_fails() -> None:
    rule = Cascade(("x > 10 and y = 'a'",), 1, (("x", "number"), ("y", "category")))
    _, why = _segmentation(rule, dict(rule.kinds)).explain({"x": 4.0, "y": "a"})
    assert "10" in why.moves[0].text
    assert "'a'" not in why.moves[0].text
