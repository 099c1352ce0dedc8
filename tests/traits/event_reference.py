"""Traits of events computed once more, one customer after the other in plain Python, and events to try them on."""

from __future__ import annotations

import calendar
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend
from trait_reference import Row, local, most, table

EVENTS = {"customer_key": pa.int64(), "time": pa.timestamp("us")}

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1"
)
IPAD = IPHONE.replace("(iPhone; CPU iPhone OS", "(iPad; CPU OS")
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
ANDROID_APP = "Dalvik/2.1.0 (Linux; U; Android 15; SM-S911B Build/UP1A.231005.007)"
CONSOLE = "Mozilla/5.0 (PlayStation 4 3.11) AppleWebKit/537.73 (KHTML, like Gecko)"
ROBOT = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
# device, operating system, browser
TOLD: dict[str, tuple[str, str | None, str | None]] = {
    IPHONE: ("phone", "iOS", "Safari"),
    IPAD: ("tablet", "iOS", "Safari"),
    WINDOWS: ("desktop", "Windows", "Chrome"),
    ANDROID_APP: ("phone", "Android", None),
    CONSOLE: ("other", None, None),
}
# Releases of the app newer than each.
BEHIND = {"5.9": 3, "6.0.0": 2, "6.1.0-beta1": 2, "6.1": 1, "6.10.0": 0}

# What the names and channels of random_events are.
_USE = {("Product Viewed", "web"), ("Product Viewed", None), ("Cart", "app"), ("Application Opened", "app")}
_OPENED = {("newsletter open", "email"), ("Email Opened", None)}
_CLICKED = {("newsletter click", "email")}
_CAME = {("Email Delivered", "email")}
_FURTHER = {("support ticket", "web"), ("newsletter unsub", "email"), ("Sent", "sms")}


def events(con: Backend, rows: Sequence[Row]) -> ir.Table:
    """events from rows; what is left out is a product viewed on 2024-01-01."""
    usual = {"time": datetime(2024, 1, 1, 12), "name": "Product Viewed"}
    return table(con, "events", [usual | row for row in rows], EVENTS)


def random_events(seed: int, *, customers: int = 20, count: int = 900) -> list[Row]:
    """Events with ties, gaps of minutes and of months, robots, nobody's events, customers with few and with none."""
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        key = None if rng.random() < 0.05 else min(int(rng.expovariate(0.25)), customers - 2)
        name, channel = rng.choice(sorted(_USE | _OPENED | _CLICKED | _CAME | _FURTHER, key=str))
        if key == 1:  # a customer who only gets mails
            name, channel = "Email Delivered", "email"
        day = rng.choice([0, 0, 1, 7, 8, 28, 29, 30, 31, 60, 88, 89, 90, 91, 200, 364, 365, 400])
        seconds = rng.choice([0, 600, 2400, 4200, 4201, 30_000, 70_000, 86_399]) + rng.choice([0, 0, 1, 1800])
        mine = channel in ("web", "app")
        rows.append({
            "customer_key": key,
            "time": datetime(2024, 1, 31) - timedelta(days=day) + timedelta(seconds=min(seconds, 86_399)),
            "name": name,
            "channel": channel,
            "user_agent": rng.choice([None, None, ROBOT, *TOLD]) if mine else None,
            "app_version": rng.choice([None, "nightly", *BEHIND]) if channel == "app" else None,
        })  # fmt: skip
    return rows


def reference(rows: Sequence[Row], keys: Iterable[int], as_of: date, zone: str = "UTC") -> dict[int, Row]:
    """Traits of events by customer."""
    mine: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row["customer_key"] is not None and row["time"].date() <= as_of and row["user_agent"] != ROBOT:
            mine[row["customer_key"]].append(row)
    return {key: _use(mine[key], as_of, zone) | _mails(mine[key], as_of) | _devices(mine[key]) for key in keys}


def _of(rows: Sequence[Row], pairs: set[tuple[str, Any]]) -> list[Row]:
    return [row for row in rows if (row["name"], row["channel"]) in pairs]


def _within(rows: Sequence[Row], as_of: date, days: int, since: int = 0) -> list[Row]:
    return [row for row in rows if since <= (as_of - row["time"].date()).days < days]


def _use(rows: Sequence[Row], as_of: date, zone: str) -> Row:
    used = _of(rows, _USE)
    late, before, both = _within(used, as_of, 30), _within(used, as_of, 90, 30), _within(used, as_of, 90)
    times = sorted(row["time"] for row in both)
    visits = [time for place, time in enumerate(times) if not place or time - times[place - 1] > timedelta(minutes=30)]
    days = {row["time"].date() for row in both}
    shown = [local(row["time"], zone) for row in _within(used, as_of, 365)]
    weekday = most(time.weekday() for time in shown)
    now, then = len(late) / 30, len(before) / 60
    new = bool(used) and (as_of - min(row["time"].date() for row in used)).days < 30
    return {
        "visits_30d": sum((as_of - visit.date()).days < 30 for visit in visits),
        "visits_90d": len(visits),
        "days_since_visit": (as_of - max(row["time"].date() for row in used)).days if used else None,
        "stickiness": len({row["time"].date() for row in late}) / 30,
        "actions_per_active_day": len(both) / len(days) if days else None,
        "features_used": len({row["name"] for row in both}),
        "engagement_trend": None if new or not both else (now - then) / (now + then),
        "visit_weekday": None if weekday is None else calendar.day_name[weekday],
        "visit_hour": most(time.hour for time in shown),
    }


def _mails(rows: Sequence[Row], as_of: date) -> Row:
    opened, clicked, came = (_of(rows, pairs) for pairs in (_OPENED, _CLICKED, _CAME))
    opens, clicks, mails = (len(_within(found, as_of, 365)) for found in (opened, clicked, came))
    return {
        **{f"mail_opens_{n}d": len(_within(opened, as_of, n)) for n in (30, 90)},
        **{f"mail_clicks_{n}d": len(_within(clicked, as_of, n)) for n in (30, 90)},
        "open_rate": min(opens / mails, 1) if mails else None,
        "click_rate": min(clicks / mails, 1) if mails else None,
        "click_to_open_rate": min(clicks / opens, 1) if opens else None,
    }


def _devices(rows: Sequence[Row]) -> Row:
    told = [TOLD[row["user_agent"]] for row in rows if row["user_agent"] is not None]
    order = ("phone", "tablet", "desktop", "other")
    device = most(order.index(found[0]) for found in told)
    channels = Counter(row["channel"] for row in rows if row["channel"] is not None)
    versions = [row for row in rows if row["app_version"] in BEHIND]
    last = max((row["time"] for row in versions), default=None)
    return {
        "main_device": None if device is None else order[device],
        **{f"device_share_{d}": sum(x[0] == d for x in told) / len(told) if told else None for d in order},
        "operating_system": most(found[1] for found in told if found[1]),
        "browser": most(found[2] for found in told if found[2]),
        "app_version_lag": min((BEHIND[row["app_version"]] for row in versions if row["time"] == last), default=None),
        "channels_used": len(channels),
        **{
            f"event_channel_share_{name}": channels[name] / channels.total() if channels else None
            for name in ("web", "app", "email", "sms")
        },
    }
