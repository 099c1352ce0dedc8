"""Traits of events: against plain Python, and the laws; what an event is, and whose."""

from __future__ import annotations

from datetime import date, datetime

import ibis
import pytest
from event_reference import ROBOT, events, random_events, reference
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend
from trait_reference import by_key, customers

from segmentry import engine
from segmentry.traits import Facts, Settings, compute
from segmentry.traits.events import Kind, kind_of

AS_OF = date(2024, 1, 31)


@pytest.mark.parametrize(("seed", "zone"), [(1, "UTC"), (2, "America/New_York"), (3, "Asia/Kolkata")])
def test_traits_are_those_of_a_plain_computation(con: Backend, seed: int, zone: str):
    rows = random_events(seed)
    facts = Facts(customers(con, range(20)), further={"events": events(con, rows)})
    made = compute(facts, AS_OF, Settings(timezone=zone))
    found, expected = by_key(made), reference(rows, range(20), AS_OF, zone)
    assert {t.name for t in made.traits} == set(expected[0])
    assert found.keys() == expected.keys()
    for key, row in found.items():
        for name, value in expected[key].items():
            assert row[name] == (pytest.approx(value, abs=1e-12) if isinstance(value, float) else value), (key, name)


def test_what_can_be_added_up_is_added_up_in_one_scan(con: Backend):
    facts = Facts(customers(con, range(20)), further={"events": events(con, random_events(1))})
    sql = str(ibis.to_sql(compute(facts, AS_OF).table))
    # sums; days; features; times; devices; channels; versions
    assert sql.count('"events" AS') <= 7


later_events = st.lists(
    st.fixed_dictionaries({
        "customer_key": st.sampled_from([None, *range(20)]),
        "time": st.datetimes(datetime(2024, 2, 1), datetime(2025, 1, 1)),
        "name": st.sampled_from(["Email Opened", "Email Sent", "Product Viewed", "brand new"]),
        "channel": st.sampled_from(["web", "email", "fax"]),
        "user_agent": st.sampled_from([None, ROBOT, "Brand/1.0 (New)"]),
        "app_version": st.sampled_from([None, "99.0"]),
    }),
    min_size=1,
    max_size=20,
)  # fmt: skip


@settings(max_examples=2, deadline=None)
@given(later_events)
def test_what_happens_later_changes_no_trait(later: list[dict[str, object]]):
    rows = random_events(4, count=200)
    with engine.in_memory() as con:
        before = compute(Facts(customers(con, range(20)), further={"events": events(con, rows)}), AS_OF)
        known = by_key(before)
        everyone = [{"customer_key": key, "joined_at": datetime(2023, 1, 1)} for key in range(20)]
        after = compute(Facts(customers(con, everyone), further={"events": events(con, [*rows, *later])}), AS_OF)
        assert {t.name for t in after.traits} - {t.name for t in before.traits} == {"tenure_days"}
        assert {k: {n: row[n] for n in known[k]} for k, row in by_key(after).items()} == known


def test_robots_are_nobody(con: Backend):
    rows = [{"customer_key": 1, "user_agent": ROBOT, "channel": "web"}]
    assert compute(Facts(customers(con, [1]), further={"events": events(con, rows)}), AS_OF).traits == ()
    rows += [{"customer_key": 2, "user_agent": None, "channel": "web"}]
    found = by_key(compute(Facts(customers(con, [1, 2]), further={"events": events(con, rows)}), AS_OF))
    assert [(found[key]["visits_90d"], found[key]["channels_used"]) for key in (1, 2)] == [(0, 0), (1, 1)]


def test_traits_without_data_are_not_there(con: Backend):
    def named(name: str, channel: str | None = None) -> set[str]:
        row = {"customer_key": 1, "name": name, "channel": channel}
        return {
            t.name for t in compute(Facts(customers(con, [1]), further={"events": events(con, [row])}), AS_OF).traits
        }

    assert named("support ticket") == set()
    assert named("Email Delivered") == set()
    assert named("Email Opened") == {"mail_opens_30d", "mail_opens_90d"}
    assert {"visits_30d", "stickiness"} <= named("Signed Up")
    assert named("ticket", "web") == {"channels_used", "event_channel_share_web"}


@pytest.mark.parametrize(
    ("name", "channel", "kind"),
    [
        ("Product Viewed", "web", Kind.USE),
        ("page_view", None, Kind.USE),
        ("Application Opened", "ios", Kind.USE),
        ("Link Clicked", "web", Kind.USE),
        ("Support Chat Opened", "app", Kind.USE),
        ("Newsletter Subscribed", "web", Kind.USE),
        ("Email Opened", None, Kind.OPENED),
        ("Opened Email", "web", Kind.OPENED),
        ("emailLinkClicked", None, Kind.CLICKED),
        ("OPEN", "EMAIL", Kind.OPENED),
        ("newsletter click", "email", Kind.CLICKED),
        ("Received Email", None, Kind.DELIVERED),
        ("sent", "e-mail", Kind.SENT),
        ("newsletter unsub", "email", Kind.MESSAGE),
        ("Push Notification Received", "push", Kind.MESSAGE),
        ("support ticket", "chat", Kind.CONTACT),
        ("Call", "hotline", Kind.CONTACT),
        ("anything", "support", Kind.CONTACT),
        ("", "", Kind.USE),
    ],
)
def test_what_an_event_is(name: str, channel: str | None, kind: Kind):
    assert kind_of(name, channel) is kind


def test_a_name_can_mean_one_thing_by_mail_and_another_on_the_web(con: Backend):
    pairs = [("Click", "email"), ("Click", "web"), ("Click", None), ("Visit", "web")]
    rows = [{"customer_key": 1, "name": name, "channel": channel} for name, channel in pairs]
    rows = [row | {"time": datetime(2024, 1, 30)} for row in rows]
    found = by_key(compute(Facts(customers(con, [1]), further={"events": events(con, rows)}), AS_OF))[1]
    assert (found["mail_clicks_30d"], found["actions_per_active_day"], found["features_used"]) == (1, 3, 2)
