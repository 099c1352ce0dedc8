"""The frozen artefact: JSON there and back, edits refused, frames and tables placed alike."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import ibis
import pandas as pd
import polars as pl
import pytest

from segmentry.errors import ArtefactError, DataError
from segmentry.placement import Band, Grid
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


def test_half_a_file_is_refused() -> None:
    with pytest.raises(ArtefactError, match="not a whole segmentation"):
        Segmentation.from_json(FOUND.to_json()[:200])


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
