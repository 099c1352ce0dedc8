"""Criteria of segments: each from what the data say, and 'not known' where they are silent."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from tests.apps import overviews

from segmentry import engine
from segmentry.placement import Band, Grid
from segmentry.segmentation import Segment, Segmentation
from segmentry.target.criteria import CRITERIA, check, reachable
from segmentry.target.profiles import SegmentationSummary


def needs() -> SegmentationSummary:
    return next(s for s in overviews.realistic().segmentations if s.name == "needs")


def found(summary: SegmentationSummary, **report: object) -> Segmentation:
    segments = tuple(Segment(s.name, action="Call them." if i == 0 else "") for i, s in enumerate(summary.segments))
    grid = Grid((Band("tier", "monetary", (10.0,), (1, 2), 0.0, 500.0),), (1, 0))
    return Segmentation("needs", 1, "kmeans", grid, segments, (("monetary", "number"),), report=report)


def by_name(summary: SegmentationSummary, reached: dict[str, int] | None, **report: object) -> list[dict[str, object]]:
    return [{c.name: c.holds for c in each.criteria} for each in check(found(summary, **report), summary, reached)]


def test_every_segment_is_checked_by_every_criterion() -> None:
    rows = by_name(needs(), None)
    assert len(rows) == 4
    assert all(tuple(row) == CRITERIA for row in rows)
    assert {row["accessible"] for row in rows} == {None}
    assert [row["actionable"] for row in rows] == [True, False, False, False]


def test_small_segment_is_not_substantial_and_the_limit_is_that_of_the_config() -> None:
    summary = needs()
    assert all(row["substantial"] for row in by_name(summary, None))
    limit = max(s.share for s in summary.segments)
    strict = by_name(summary, None, settings={"serve": {"share": limit, "count": 1}})
    assert sum(bool(row["substantial"]) for row in strict) == 1


def test_stability_is_that_of_the_fit_and_not_known_without_one() -> None:
    summary = needs()
    judged = [{"jaccard": value} for value in (0.9, 0.8, 0.74, 0.5)]
    rows = by_name(replace(summary, report={**summary.report, "judged": judged}), None)
    assert [row["stable"] for row in rows] == [True, True, False, False]
    assert {row["stable"] for row in by_name(replace(summary, report={}), None)} == {None}


def test_half_of_the_members_must_be_reached() -> None:
    summary = needs()
    reached = {s.name: s.customers if i else s.customers // 3 for i, s in enumerate(summary.segments)}
    assert [row["accessible"] for row in by_name(summary, reached)] == [False, True, True, True]
    assert check(found(summary), summary, reached)[0].knocked_out[0] == "accessible"


def test_who_has_an_address_or_a_number_is_reached() -> None:
    people = pd.DataFrame(
        {"customer_key": [1, 2, 3], "email": ["a@b.c", None, None], "phone": [None, None, "1"]}, dtype=object
    ).astype({"customer_key": "int64"})
    placed = pd.DataFrame({"customer_key": [1, 2, 3], "segment": ["A", "A", "B"]})
    with engine.in_memory() as con:
        tables = con.create_table("placed", placed), con.create_table("people", people)
        assert reachable(*tables) == {"A": 1, "B": 1}
        assert reachable(tables[0], tables[1].drop("email", "phone")) is None
        assert reachable(tables[0], None) is None
