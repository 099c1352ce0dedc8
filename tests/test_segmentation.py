"""The frozen artefact: JSON there and back, edits refused, frames and tables placed alike."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date

import ibis
import pandas as pd
import polars as pl
import psycopg
import pytest

from segmentry import engine, placement
from segmentry.errors import ArtefactError, DataError
from segmentry.placement import (
    Band,
    Cascade,
    Category,
    Classes,
    Crossing,
    Grid,
    Item,
    Mixture,
    Nearest,
    Prep,
    Prototypes,
    Rule,
    component,
)
from segmentry.segmentation import Segment, Segmentation

FOUND = Segmentation(
    name="value",
    version=3,
    method="value_tiers",
    rule=Grid((Band("tier", "monetary", (10.0, 100.0), (1, 2, 3), 0.0, 500.0),), (2, 1, 0)),
    segments=(Segment("High", review_by=date(2027, 1, 1)), Segment("Medium"), Segment("Low", owner="Ana")),
    traits=(("monetary", "number"),),
    as_of=date(2026, 6, 30),
    report={"cuts": [100.0, 10.0]},
)


def test_json_there_and_back_is_the_same() -> None:
    assert Segmentation.from_json(FOUND.to_json()) == FOUND


def test_edit_by_hand_is_refused() -> None:
    edited = FOUND.to_json().replace("100.0", "120.0")
    with pytest.raises(ArtefactError, match="changed by hand"):
        Segmentation.from_json(edited)


def test_newer_format_is_refused() -> None:
    body = json.loads(FOUND.to_json()) | {"format": 99}
    with pytest.raises(ArtefactError, match="format 99"):
        Segmentation.from_json(json.dumps(body))


@pytest.mark.parametrize("text", [FOUND.to_json()[:200], "", "[1]", '"text"', "{}", "null"])
def test_half_a_file_is_refused(text: str) -> None:
    with pytest.raises(ArtefactError, match=r"v1\.json is not a whole segmentation"):
        Segmentation.from_json(text, where="v1.json")


@pytest.mark.parametrize("change", [{"colour": "blue"}, {"segments": [{"name": "A"}]}, {"as_of": "June"}])
def test_file_of_another_version_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ArtefactError, match=r"v1\.json was written by another version of Segmentry"):
        Segmentation.from_json(_signed(json.loads(FOUND.to_json()) | change), where="v1.json")
    body = json.loads(FOUND.to_json())
    body["rule"]["kind"] = "Oracle"
    with pytest.raises(ArtefactError, match=r"v1\.json: The rule kind 'Oracle' is not known here.*Update Segmentry"):
        Segmentation.from_json(_signed(body), where="v1.json")


def _signed(body: dict[str, object]) -> str:
    """The artefact as a version that means it would write it."""
    body.pop("checksum")
    text = json.dumps(body, default=str, ensure_ascii=False, sort_keys=True)
    return json.dumps({**body, "checksum": hashlib.sha256(text.encode()).hexdigest()})


def test_frames_of_every_kind_are_placed_alike() -> None:
    data = {"monetary": [5.0, 50.0, 500.0, None]}
    expected = ["Low", "Medium", "High", "No data"]
    frame = pd.DataFrame(data)
    for table in (frame, pl.DataFrame(data), pl.DataFrame(data).to_arrow()):
        assert FOUND.assign(table)["segment"].tolist() == expected
    placed = FOUND.assign(ibis.memtable(frame.assign(customer_key=[1, 2, 3, 4]))).order_by("customer_key").to_pandas()
    assert placed["segment"].tolist() == expected


def test_population_leaves_the_others_out() -> None:
    only = replace(FOUND, population="monetary >= 50")
    assert only.assign(pd.DataFrame({"monetary": [5.0, 50.0, 500.0]}))["segment"].tolist() == ["Medium", "High"]


def test_missing_trait_is_named() -> None:
    with pytest.raises(DataError, match="monetary"):
        FOUND.assign(pd.DataFrame({"money": [1.0]}))


def test_unknown_segment_lists_the_names() -> None:
    with pytest.raises(DataError, match="Did you mean 'High'"):
        FOUND.segment("Hig")


PREP = Prep("spend", 1.0, 1.0, 1.0, -50.0, 50.0)
RULES: dict[str, Rule] = {
    "Grid": FOUND.rule,
    "Cascade": Cascade(("spend > 5",), 1, (("spend", "number"),)),
    "Nearest": Nearest((PREP,), ((0.0,), (2.0,)), (1.0, 1.0), (9.0, 9.0)),
    "Prototypes": Prototypes(
        (PREP,), (Category("plan", "category", ("a", "b")),), 1.0, ((0.0,), (2.0,)), (1.0, 1.0), (9.0, 9.0)
    ),
    "Mixture": Mixture((PREP,), (component([[1.0]], [0.0], 0.0, 0.5, 9.0), component([[1.0]], [2.0], 0.0, 0.5, 9.0))),
    "Classes": Classes((-0.7, -0.7), (Item("web", ((-0.1, -2.3), (-2.3, -0.1))),), -3.0),
}
RULES["Crossing"] = Crossing((RULES["Nearest"], RULES["Cascade"]), (2, 2), (0, 1, 1, 0), (("spend", "number"),))


def test_every_kind_of_rule_is_tried() -> None:
    assert set(RULES) == set(placement.RULES)


@pytest.mark.parametrize("kind", placement.RULES)
def test_rule_that_lacks_a_part_is_refused_with_what_to_do(kind: str) -> None:
    body = placement.to_json(RULES[kind])
    assert placement.from_json(body) == RULES[kind]
    for part in body:
        if part == "kind" or (kind, part) == ("Crossing", "kinds"):
            continue
        with pytest.raises(ArtefactError) as refused:
            placement.from_json({key: value for key, value in body.items() if key != part})
        assert "Fit" in refused.value.fix or "fit" in refused.value.fix


@pytest.mark.parametrize("kind", placement.RULES)
def test_edit_of_any_rule_by_hand_is_refused(kind: str) -> None:
    made = replace(FOUND, rule=RULES[kind], segments=(Segment("A"), Segment("B")))
    body = json.loads(made.to_json())
    assert Segmentation.from_json(json.dumps(body)) == made
    key = next(k for k in body["rule"] if k != "kind")
    body["rule"][key] = [*body["rule"][key], body["rule"][key][-1]]
    with pytest.raises(ArtefactError, match="changed by hand"):
        Segmentation.from_json(json.dumps(body))


ODD = pd.DataFrame(
    {
        "row": range(8),
        "spend": [1.0, float("inf"), float("-inf"), float("nan"), None, 1e300, 5.0, 0.0],
        "monetary": [10.0, float("inf"), float("-inf"), float("nan"), None, 1e300, 100.0, -5.0],
        "plan": ["a", "b", "new", None, None, "a", "", "b"],
        "web": pd.Series([True, False, None, True, None, False, True, True], dtype="boolean"),
    }
)


@pytest.mark.postgres
def test_infinities_gaps_ties_and_new_categories_are_placed_alike_on_both_engines(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        rows = ibis.postgres.from_connection(connection).create_table("odd_rows", ODD, temp=True)
        for kind, rule in RULES.items():
            kinds = tuple((n, {"plan": "category", "web": "boolean"}.get(n, "number")) for n in rule.traits)
            made = Segmentation("s", 1, "m", rule, tuple(Segment(n) for n in "ABC"), kinds)
            there = engine.in_steps(rows, made.placing(["row"])).order_by("row").to_pandas()
            with engine.in_memory() as con:
                here = engine.in_steps(con.create_table("odd", ODD), made.placing(["row"])).order_by("row").to_pandas()
            pd.testing.assert_frame_equal(there, here, check_dtype=False, atol=1e-9, obj=kind)
            if kind in ("Grid", "Nearest", "Mixture"):  # without end, or nearly so, is not known
                assert here["segment_index"].tolist()[1:6] == [-1] * 5
