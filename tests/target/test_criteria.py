"""Criteria of segments: each from what the data say, and 'not known' where they are silent."""

from __future__ import annotations

from dataclasses import replace

import ibis
import pandas as pd
import psycopg
import pytest
from tests.apps import overviews

from segmentry import engine
from segmentry.placement import Band, Grid
from segmentry.segmentation import Segment, Segmentation
from segmentry.target.criteria import CRITERIA, Reach, check, reachable
from segmentry.target.profiles import SegmentationSummary


def needs() -> SegmentationSummary:
    return next(s for s in overviews.realistic().segmentations if s.name == "needs")


def found(summary: SegmentationSummary, **report: object) -> Segmentation:
    segments = tuple(Segment(s.name, action="Call them." if i == 0 else "") for i, s in enumerate(summary.segments))
    grid = Grid((Band("tier", "monetary", (10.0,), (1, 2), 0.0, 500.0),), (1, 0))
    return Segmentation("needs", 1, "kmeans", grid, segments, (("monetary", "number"),), report=report)


def by_name(summary: SegmentationSummary, reached: Reach | None, **report: object) -> list[dict[str, object]]:
    return [{c.name: c.holds for c in each.criteria} for each in check(found(summary, **report), summary, reached)]


def test_every_segment_is_checked_by_every_criterion() -> None:
    rows = by_name(needs(), None)
    assert len(rows) == 4
    assert all(tuple(row) == CRITERIA for row in rows)
    assert {row["accessible"] for row in rows} == {None}
    assert [row["actionable"] for row in rows] == [True, False, False, False]


def test_an_action_that_is_only_proposed_is_called_so() -> None:
    (told,) = {
        c.why for each in check(found(needs()), needs(), None)[1:] for c in each.criteria if c.name == "actionable"
    }
    assert told == (
        "the next action is a proposal that nobody has confirmed: write it under its name in playbooks.yaml"
    )


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


def test_half_of_the_members_must_be_reached_with_their_consent() -> None:
    summary = needs()
    few = {s.name: s.customers if i else s.customers // 3 for i, s in enumerate(summary.segments)}
    every = {s.name: s.customers for s in summary.segments}
    reach = Reach(every, {"email for marketing": few}, few)
    assert [row["accessible"] for row in by_name(summary, reach)] == [False, True, True, True]
    checked = check(found(summary), summary, reach)
    assert checked[0].knocked_out[0] == "accessible"
    why = next(c.why for c in checked[1].criteria if c.name == "accessible")
    assert why.startswith("100 % can be contacted and consented to it (email for marketing 100 %)")


def test_without_consents_an_address_is_not_enough_to_be_accessible() -> None:
    summary = needs()
    few = {s.name: s.customers if i else s.customers // 3 for i, s in enumerate(summary.segments)}
    assert [row["accessible"] for row in by_name(summary, Reach(few))] == [False, None, None, None]
    why = next(c.why for c in check(found(summary), summary, Reach(few))[1].criteria if c.name == "accessible")
    assert "no consents are collected" in why


PEOPLE = pd.DataFrame(
    {"customer_key": [1, 2, 3], "email": ["a@b.c", None, None], "phone": [None, None, "1"]}, dtype=object
).astype({"customer_key": "int64"})
PLACED = pd.DataFrame({"customer_key": [1, 2, 3], "segment": ["A", "A", "B"]})


def test_who_has_an_address_or_a_number_is_reached() -> None:
    with engine.in_memory() as con:
        tables = con.create_table("placed", PLACED), con.create_table("people", PEOPLE)
        assert reachable(*tables) == Reach({"A": 1, "B": 1})
        assert reachable(tables[0], tables[1].drop("email", "phone")) is None
        assert reachable(tables[0], None) is None


CONSENTS = pd.DataFrame(
    [
        (1, "Email", "marketing", "granted", "2026-01-01"),
        (1, "Email", "marketing", "denied", "2025-01-01"),  # the latest holds
        (1, "phone", "marketing", "granted", "2026-01-01"),  # no number
        (2, "email", "marketing", "granted", "2026-01-01"),  # no address
        (3, "phone", "surveys", "granted", "2026-01-01"),
        (3, "phone", "surveys", "denied", "2026-01-01"),  # of one moment the denial
        (3, "post", "marketing", "Granted", None),  # which needs neither
    ],
    columns=["customer_key", "channel", "purpose", "status", "time"],
).astype({"time": "datetime64[us]"})


@pytest.mark.parametrize("server", [False, pytest.param(True, marks=pytest.mark.postgres)])
def test_reached_is_who_consented_and_has_the_address_it_takes(server: bool, request: pytest.FixtureRequest) -> None:
    frames = {"reach_placed": PLACED, "reach_people": PEOPLE, "reach_consents": CONSENTS}
    uses = {"Email for marketing": {"A": 1}, "post for marketing": {"B": 1}}
    wanted = Reach({"A": 1, "B": 1}, uses, {"A": 1, "B": 1})
    if not server:
        with engine.in_memory() as con:
            assert reachable(*(con.create_table(name, frame) for name, frame in frames.items())) == wanted
        return
    with psycopg.connect(request.getfixturevalue("postgres_url")) as connection:
        there = ibis.postgres.from_connection(connection)
        tables = [there.create_table(name, frame, temp=True) for name, frame in frames.items()]
        assert reachable(*tables) == wanted
