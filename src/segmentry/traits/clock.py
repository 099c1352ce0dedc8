"""Hours and days of the week on the clocks of the business. Times are stored in UTC.

When clocks of a zone change is asked of Python, once, and written into the expression: databases carry rules of their
own and do not agree on summer time (law 9).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from segmentry.traits.known import KEY

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SATURDAY, HOURS = 5, 24
_FIRST = datetime(1970, 1, 1)  # before, the first offset counts


def on_clocks(time: ir.TimestampValue, zone: str, since: datetime, until: datetime) -> ir.TimestampValue:
    """What clocks of a zone show at times in UTC that lie between ``since`` and ``until``."""
    (_, first), *changes = offsets(zone, max(since, _FIRST), until)
    if not changes:
        return time + ibis.interval(seconds=first) if first else time
    ends = [moment for moment, _ in changes]
    shifts = [first, *(shift for _, shift in changes)]
    *before, last = (time + ibis.interval(seconds=shift) for shift in shifts)
    return ibis.cases(
        *((time < ibis.timestamp(end.isoformat()), shown) for end, shown in zip(ends, before, strict=True)), else_=last
    )


def offsets(zone: str, since: datetime, until: datetime) -> list[tuple[datetime, int]]:
    """From when on clocks are how many seconds ahead of UTC, between two moments; the first entry holds at ``since``.

    >>> offsets("Europe/London", datetime(2026, 1, 1), datetime(2026, 6, 30))
    [(datetime.datetime(2026, 1, 1, 0, 0), 0), (datetime.datetime(2026, 3, 29, 1, 0), 3600)]
    """
    found = [(since, _offset(zone, since))]
    day = since
    while day < until:
        after = min(day + timedelta(days=1), until)
        if _offset(zone, after) != found[-1][1]:
            moment = _change(zone, day, after)
            found.append((moment, _offset(zone, moment)))
        day = after
    return found


def _change(zone: str, before: datetime, after: datetime) -> datetime:
    """The first moment, to the second, at which clocks show what they show at ``after``."""
    before, after = before.replace(microsecond=0), after.replace(microsecond=0)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if _offset(zone, middle) == _offset(zone, after):
            after = middle
        else:
            before = middle
    return after


def _offset(zone: str, moment: datetime) -> int:
    ahead = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()
    assert ahead is not None
    return round(ahead.total_seconds())


def weekday(time: ir.TimestampValue) -> ir.IntegerValue:
    """0 for Monday to 6 for Sunday."""
    return time.day_of_week.index().cast("int64")


def hour(time: ir.TimestampValue) -> ir.IntegerValue:
    """0 to 23."""
    return time.hour().cast("int64")


def weekday_name(number: ir.IntegerValue) -> ir.StringValue:
    """The name of :func:`weekday`."""
    return number.cases(*enumerate(WEEKDAYS))


def usual(moments: ir.Table, prefix: str) -> tuple[ir.Table, ...]:
    """By customer the weekday and the hour of most ``times``, of equals the first; beside the weekday all times and
    those of the weekend. ``moments`` has customer_key, weekday, times, and hour where hours are known.
    """
    by_day = moments.group_by([KEY, "weekday"]).agg(times=moments["times"].sum().cast("int64"))
    weekend = (by_day["weekday"] >= SATURDAY).ifelse(by_day["times"], 0).sum()
    most = {f"{prefix}_weekday": _most(by_day, "weekday")}
    days = by_day.group_by(KEY).agg(
        **most, **{f"{prefix}_times": by_day["times"].sum(), f"{prefix}_weekend_times": weekend}
    )
    if "hour" not in moments.columns:
        return (days,)
    by_hour = moments.group_by([KEY, "hour"]).agg(times=moments["times"].sum().cast("int64"))
    return days, by_hour.group_by(KEY).agg(**{f"{prefix}_hour": _most(by_hour, "hour")})


def _most(rows: ir.Table, number: str) -> ir.IntegerValue:
    """The number with most times, of equals the smaller one: times and number in one, of which the largest is it."""
    packed = (rows["times"] * HOURS + (HOURS - 1 - rows[number])).max()
    return (HOURS - 1 - packed % HOURS).cast("int64")
