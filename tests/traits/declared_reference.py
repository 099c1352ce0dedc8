"""Declared traits computed once more, one customer after the other in plain Python, beside how each is written."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

AS_OF = date(2026, 3, 31)
Row = dict[str, Any]
Of = Callable[[list[Row]], Any]


@dataclass(frozen=True)
class Case:
    """A trait as it is written, and the same in Python over one customer's events up to the end of ``AS_OF``."""

    written: str
    of: Of


def day(row: Row) -> date:
    return row["time"].date()


def ago(row: Row) -> int:
    return (AS_OF - day(row)).days


def named(rows: Sequence[Row], *names: str) -> list[Row]:
    return [r for r in rows if r["name"] in names]


def known(rows: Sequence[Row], column: str) -> list[Row]:
    return [r for r in rows if r[column] is not None]


def end(rows: Sequence[Row], column: str, *, last: bool) -> Any:
    """The value at the first or last time; the smaller one of equal times."""
    rows = known(rows, column)
    if not rows:
        return None
    time = (max if last else min)(r["time"] for r in rows)
    return min(r[column] for r in rows if r["time"] == time)


def mode(rows: Sequence[Row], column: str) -> Any:
    counts = Counter(r[column] for r in known(rows, column))
    return min(counts, key=lambda v: (-counts[v], v)) if counts else None


def months_back(number: int) -> date:
    month = AS_OF.year * 12 + AS_OF.month - 1 - number
    for last in (31, 30, 29, 28):
        try:
            return date(month // 12, month % 12 + 1, min(AS_OF.day, last))
        except ValueError:
            continue
    raise AssertionError


def regular(rows: Sequence[Row], ends: Sequence[date], times: int, least: int = 1) -> bool:
    """``ends``: the last day of each period, the newest first, and the day before the oldest."""
    found = sum(sum(before < day(r) <= last for r in rows) >= least for last, before in itertools.pairwise(ends))
    return found >= times


def follows(rows: Sequence[Row], names: Sequence[str], limit: timedelta | None) -> bool:
    """Every way to choose one row for each step is tried."""
    for chain in itertools.product(*(named(rows, n) for n in names)):
        times = [r["time"] for r in chain]
        rising = all(a < b for a, b in itertools.pairwise(times))
        if rising and (limit is None or times[-1] - times[0] <= limit):
            return True
    return False


def left_alone(rows: Sequence[Row], name: str, but_not: str, limit: timedelta) -> bool:
    over = datetime.combine(AS_OF + timedelta(days=1), datetime.min.time())
    return any(
        r["time"] + limit < over and not any(r["time"] < o["time"] <= r["time"] + limit for o in named(rows, but_not))
        for r in named(rows, name)
    )


def days_of(rows: Sequence[Row]) -> list[date]:
    return sorted({day(r) for r in rows})


def returns(rows: Sequence[Row], pause: int) -> list[date]:
    return [b for a, b in itertools.pairwise(days_of(rows)) if (b - a).days - 1 >= pause]


def held(rows: Sequence[Row], column: str) -> int | None:
    moments: dict[datetime, Any] = {}
    for r in known(rows, column):
        moments[r["time"]] = min(r[column], moments.get(r["time"], r[column]))
    since = None
    for before, time in itertools.pairwise([None, *sorted(moments)]):
        if before is None or moments[before] != moments[time]:
            since = time
    return None if since is None else (AS_OF - since.date()).days


def total(rows: Sequence[Row], column: str) -> float:
    return round(sum(r[column] for r in known(rows, column)), 6)


def mean(rows: Sequence[Row], column: str) -> float | None:
    return total(rows, column) / len(known(rows, column)) if known(rows, column) else None


_WEEKS = [AS_OF - timedelta(days=7 * n) for n in range(9)]
_MONTHS = [months_back(n) for n in range(7)]
_DAYS = [AS_OF - timedelta(days=n) for n in range(31)]
_FUNNEL = "steps: {viewed: \"name = 'view'\", carted: \"name = 'cart'\", bought: \"name = 'buy'\"}"
_PAIR = "steps: {carted: \"name = 'cart'\", bought: \"name = 'buy'\"}"

CASES: dict[str, Case] = {
    "count_all": Case("aggregate: count()", len),
    "count_where": Case("aggregate: count(), where: \"name = 'view' and channel = 'web'\"",
                        lambda rows: sum(r["channel"] == "web" for r in named(rows, "view"))),
    "count_known": Case("aggregate: count(channel)", lambda rows: len(known(rows, "channel"))),
    "count_days": Case("aggregate: count(), within: 30 days", lambda rows: sum(ago(r) < 30 for r in rows)),
    "count_weeks": Case("aggregate: count(), within: 2 weeks", lambda rows: sum(ago(r) < 14 for r in rows)),
    "count_month": Case("aggregate: count(), within: 1 month", lambda rows: sum(day(r) > _MONTHS[1] for r in rows)),
    "count_year": Case("aggregate: count(), within: 1 year", lambda rows: sum(day(r) > months_back(12) for r in rows)),
    "count_between": Case("aggregate: count(), between: 2025-11-02 and 2026-03-08",
                          lambda rows: sum(date(2025, 11, 2) <= day(r) <= date(2026, 3, 8) for r in rows)),
    "count_ago": Case("aggregate: count(), between: 10 and 60 days ago",
                      lambda rows: sum(10 <= ago(r) <= 60 for r in rows)),
    "count_property": Case("aggregate: count(), where: \"properties.price > 10 or properties.plan = 'gold'\"",
                           lambda rows: sum((r["price"] or 0) > 10 or r["plan"] == "gold" for r in rows)),
    "sum_price": Case("aggregate: sum(properties.price)", lambda rows: total(rows, "price")),
    "sum_twice": Case("aggregate: sum(properties.price * 2), where: \"name <> 'buy'\"",
                      lambda rows: 2 * total([r for r in rows if r["name"] != "buy"], "price")),
    "avg_price": Case("aggregate: avg(properties.price), within: 90 days",
                      lambda rows: mean([r for r in rows if ago(r) < 90], "price")),
    "min_price": Case("aggregate: min(properties.price)",
                      lambda rows: min((r["price"] for r in known(rows, "price")), default=None)),
    "max_price": Case("aggregate: max(properties.price), where: \"channel = 'web'\"",
                      lambda rows: max((r["price"] for r in known(rows, "price") if r["channel"] == "web"),
                                       default=None)),
    "first_channel": Case("aggregate: first(channel)", lambda rows: end(rows, "channel", last=False)),
    "last_channel": Case("aggregate: last(channel)", lambda rows: end(rows, "channel", last=True)),
    "last_plan": Case("aggregate: last(properties.plan), where: \"name = 'view'\"",
                      lambda rows: end(named(rows, "view"), "plan", last=True)),
    "last_was_web": Case("aggregate: last(channel = 'web')",
                         lambda rows: end([{**r, "web": None if r["channel"] is None else r["channel"] == "web"}
                                           for r in rows], "web", last=True)),
    "mode_channel": Case("aggregate: mode(channel)", lambda rows: mode(rows, "channel")),
    "mode_lately": Case("aggregate: mode(channel), within: 60 days",
                        lambda rows: mode([r for r in rows if ago(r) < 60], "channel")),
    "mode_price": Case("aggregate: mode(CAST(properties.price AS number))", lambda rows: mode(rows, "price")),
    "distinct_channel": Case("aggregate: distinct(channel)",
                             lambda rows: len({r["channel"] for r in known(rows, "channel")})),
    "distinct_plan": Case("aggregate: distinct(properties.plan), where: \"name = 'cart'\"",
                          lambda rows: len({r["plan"] for r in known(named(rows, "cart"), "plan")})),
    "since_last": Case("aggregate: days_since()", lambda rows: min(map(ago, rows), default=None)),
    "since_first": Case("aggregate: days_since(first), where: \"name = 'buy'\"",
                        lambda rows: max(map(ago, named(rows, "buy")), default=None)),
    "new_buyer": Case("aggregate: first_time(), where: \"name = 'buy'\", within: 90 days",
                      lambda rows: 0 <= max(map(ago, named(rows, "buy")), default=-1) < 90),
    "regular_months": Case("aggregate: regularly(3 of last 6 months), where: \"name = 'view'\"",
                           lambda rows: regular(named(rows, "view"), _MONTHS, 3)),
    "regular_weeks": Case("aggregate: regularly(3 of last 8 weeks at least 2 each)",
                          lambda rows: regular(rows, _WEEKS, 3, 2)),
    "regular_days": Case("aggregate: regularly(4 of last 30 days)", lambda rows: regular(rows, _DAYS, 4)),
    "sequence_two": Case(f"aggregate: sequence(carted then bought), {_PAIR}",
                         lambda rows: follows(rows, ["cart", "buy"], None)),
    "sequence_three": Case(f"aggregate: sequence(viewed then carted then bought within 5 days), {_FUNNEL}",
                           lambda rows: follows(rows, ["view", "cart", "buy"], timedelta(days=5))),
    "sequence_hours": Case(f"aggregate: sequence(carted then bought within 12 hours), {_PAIR}, within: 180 days",
                           lambda rows: follows([r for r in rows if ago(r) < 180], ["cart", "buy"],
                                                timedelta(hours=12))),
    "left_cart": Case(f"aggregate: sequence(carted then not bought within 3 days), {_PAIR}",
                      lambda rows: left_alone(rows, "cart", "buy", timedelta(days=3))),
    "stopped_view": Case("aggregate: stopped(60 days), where: \"name = 'view'\"",
                         lambda rows: min(map(ago, named(rows, "view")), default=-1) >= 60),
    "stopped_lately": Case("aggregate: stopped(2 weeks), within: 90 days",
                           lambda rows: 14 <= min(map(ago, rows), default=-1) < 90),
    "came_back": Case("aggregate: restarted(30 days)", lambda rows: bool(returns(rows, 30))),
    "back_lately": Case("aggregate: restarted(30 days), where: \"name = 'buy'\", within: 60 days",
                        lambda rows: any((AS_OF - d).days < 60 for d in returns(named(rows, "buy"), 30))),
    "held_channel": Case("aggregate: held_for(channel)", lambda rows: held(rows, "channel")),
    "held_plan": Case("aggregate: held_for(properties.plan), where: \"name = 'view'\"",
                      lambda rows: held(named(rows, "view"), "plan")),
}  # fmt: skip


def config_of(cases: dict[str, Case]) -> str:
    """The ``traits`` section."""
    return "traits:\n" + "".join(f"  {name}: {{from: events, {case.written}}}\n" for name, case in cases.items())


def random_events(seed: int, *, customers: int = 60, events: int = 900) -> list[Row]:
    """Events with equal times, gaps, days on both sides of ``AS_OF``; customers with none, one and many."""
    rng = random.Random(seed)
    clock = [timedelta(0), timedelta(hours=9), timedelta(hours=21), timedelta(days=1, microseconds=-1)]
    days = [*range(-20, 45), *range(45, 430, 3)]  # before AS_OF
    rows = []
    for _ in range(events):
        who = min(int(rng.expovariate(0.06)), customers - 2)  # the last one has none
        at = datetime.combine(AS_OF - timedelta(days=rng.choice(days)), datetime.min.time()) + rng.choice(clock)
        rows.append(
            {
                "customer": f"C{who:03d}",
                "time": at,
                "name": rng.choice(["view", "view", "cart", "buy"]),
                "channel": rng.choice([None, "web", "web", "app", "email"]),
                "plan": rng.choice([None, "gold", "Gold", "free"]),
                "price": rng.choice([None, 2.5, 10.0, 19.99, 12.5]),
            }
        )
    # One event in the last moment of as_of, and one in the first moment after it.
    for who, at in (("C057", datetime(2026, 3, 31, 23, 59, 59, 999_999)), ("C056", datetime(2026, 4, 1))):
        rows.append({"customer": who, "time": at, "name": "buy", "channel": "web", "plan": "gold", "price": 10.0})
    return rows


def reference(rows: Sequence[Row], customers: Sequence[str]) -> dict[str, Row]:
    """Every case for every customer, from the rows up to the end of ``AS_OF``."""
    mine: dict[str, list[Row]] = {c: [] for c in customers}
    for row in rows:
        if day(row) <= AS_OF and row["customer"] in mine:
            mine[row["customer"]].append(row)
    return {c: {name: case.of(own) for name, case in CASES.items()} for c, own in mine.items()}
