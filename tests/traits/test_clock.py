"""Hours and weekdays on the clocks of a zone: on both sides of every change, and as databases count days."""

from __future__ import annotations

from datetime import datetime, timedelta

import ibis
import pytest
from trait_reference import local

from segmentry import engine
from segmentry.traits import clock

ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca")


@pytest.mark.parametrize("zone", ZONES)
def test_clocks_show_what_python_says_they_show(zone: str):
    since, until = datetime(2022, 12, 30), datetime(2026, 1, 2)
    changes = [moment for moment, _ in clock.offsets(zone, since, until)]
    steps = [timedelta(seconds=s) for s in (-1, 0, 1, 1800, 3600)]
    times = [since + timedelta(hours=17 * n) for n in range(1000)] + [c + s for c in changes[1:] for s in steps]
    with engine.in_memory() as con:
        rows = con.create_table("times", ibis.memtable({"time": times}))
        shown = clock.on_clocks(rows["time"], zone, since, until)
        made = rows.select("time", weekday=clock.weekday(shown), hour=clock.hour(shown)).to_pyarrow().to_pylist()
    for row in made:
        expected = local(row["time"], zone)
        assert (row["weekday"], row["hour"]) == (expected.weekday(), expected.hour), row["time"]


def test_changes_are_found_to_the_second():
    assert clock.offsets("America/New_York", datetime(2024, 1, 1), datetime(2025, 1, 1)) == [
        (datetime(2024, 1, 1), -18_000),
        (datetime(2024, 3, 10, 7), -14_400),
        (datetime(2024, 11, 3, 6), -18_000),
    ]
