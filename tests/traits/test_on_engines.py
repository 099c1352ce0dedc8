"""Traits of orders and events in a workspace, on every engine, against plain Python."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import event_reference
import pytest
import trait_reference
from tests.engines import on, on_every_engine
from tests.shops import opened

from segmentry.traits import table

CONFIG = """\
name: Shop
as_of: 2024-01-31
timezone: America/New_York
sources:
  orders:
    kind: transactions
    path: orders.csv
    columns: {customer: who, order: order, time: time, amount: amount, quantity: quantity, product: product,
              category: category, channel: channel, discount: discount}
  web:
    kind: events
    path: events.csv
    columns: {customer: who, time: time, name: name, channel: channel, user_agent: user_agent, app_version: app_version}
"""
# What these sources do not give, or what is the product of collecting rather than of the traits.
NOT_HERE = {"margin", "margin_rate", "return_rate"}


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Rows as CSV, of customers only; nulls are empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "time": row["time"].isoformat(" ")} for row in rows)


@pytest.mark.parametrize("at_once", [True, False])
@on_every_engine
def test_traits_are_those_of_a_plain_computation(
    engine: str, at_once: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_once:  # as of millions of customers, pass by pass
        monkeypatch.setattr(table, "AT_ONCE", 0)
    as_of = date(2024, 1, 31)
    orders = [
        {**line, "who": f"C{line['customer_key']:02}", "channel": line["channel"]}
        for line in trait_reference.random_lines(5, lines=300)
        if line["customer_key"] is not None and line["line_kind"] == "sale" and line["time"].date() <= as_of
    ]
    seen = [
        {**row, "who": f"C{row['customer_key']:02}"}
        for row in event_reference.random_events(5, count=400)
        if row["customer_key"] is not None
    ]
    write(tmp_path / "orders.csv", orders)
    write(tmp_path / "events.csv", seen)
    (tmp_path / "segmentry.yaml").write_text(on(engine, CONFIG), encoding="utf-8")
    space = opened(tmp_path)
    space.collect()
    space.resolve()
    space.traits()
    with space.reading() as reading:
        found = {int(r["customer_id"][1:]): r for r in reading.find("traits").to_pyarrow().to_pylist()}
    space.close()
    assert found.keys() == {row["customer_key"] for row in [*orders, *seen]}
    zone = "America/New_York"
    bought = trait_reference.reference(orders, found, as_of, zone)
    done = event_reference.reference(seen, found, as_of, zone)
    for key, row in found.items():
        for name, value in (bought[key] | done[key]).items():
            if name not in NOT_HERE:
                assert row[name] == (pytest.approx(value, abs=1e-9) if isinstance(value, float) else value), (key, name)


BERLIN = """\
name: Edge
sources:
  orders:
    kind: transactions
    path: orders.csv
    timezone: Europe/Berlin
    columns: {customer: who, order: order, time: time, amount: amount}
traits:
  days_quiet: {from: transactions, aggregate: days_since(last)}
  of_the_day: {from: transactions, aggregate: count(), within: 1 day}
  old_year: {from: transactions, aggregate: count(), between: 2025-01-01 and 2025-12-31}
  new_year: {from: transactions, aggregate: first_time(), between: 2026-01-01 and 2026-12-31}
"""


@on_every_engine
def test_declared_and_built_in_traits_agree_on_the_day_of_an_order_at_midnight(engine: str, tmp_path: Path) -> None:
    """Half past midnight on New Year's Day in Berlin is 23:31 of the old year in UTC, and days are days in UTC; a date
    alone (D) is of that day."""
    orders = "who,order,time,amount\nA,1,2026-01-01 00:31,10\nB,2,2026-01-01 01:31,10\nC,3,2025-10-26 02:31,10\n"
    orders += "D,4,2026-01-01,10\n"
    (tmp_path / "orders.csv").write_text(orders, encoding="utf-8")
    (tmp_path / "segmentry.yaml").write_text(on(engine, BERLIN), encoding="utf-8")
    space = opened(tmp_path)
    names = ("recency_days", "days_quiet", "of_the_day", "old_year", "new_year", "preferred_weekday", "preferred_hour")
    found = {}
    try:
        space.collect()
        space.resolve()
        for day in (date(2025, 12, 31), date(2026, 1, 1)):
            space.traits(day)
            with space.reading() as reading:
                rows = reading.find("traits").to_pyarrow().to_pylist()
            found[day] = {row["customer_id"]: tuple(row[name] for name in names) for row in rows}
    finally:
        space.close()
    # Hours and weekdays are those on the clocks of Berlin. The hour that clocks show twice is taken for the second.
    assert found == {
        date(2025, 12, 31): {
            "A": (0, 0, 1, 1, False, "Thursday", 0),
            "C": (66, 66, 0, 1, False, "Sunday", 2),
        },
        date(2026, 1, 1): {
            "A": (1, 1, 0, 1, False, "Thursday", 0),
            "B": (0, 0, 1, 0, True, "Thursday", 1),
            "C": (67, 67, 0, 1, False, "Sunday", 2),
            "D": (0, 0, 1, 0, True, "Thursday", 1),
        },
    }
