"""Behavioral traits of events: visits, use of the product, mails opened and clicked, and when customers are there.

A **visit** is what a customer does without a pause of more than 30 minutes, the usual definition of web analytics. It
counts on the day on which it begins. Days are those of UTC, as in all traits; hours and weekdays are those that clocks
of the business show (``timezone`` of segmentry.yaml).
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.traits import clock
from segmentry.traits.behavioral import shift, whole
from segmentry.traits.events import EventLog, Kind
from segmentry.traits.known import KEY, Expression, Known, Part, combine

_PAUSE = 30  # minutes that end a visit
_LATE, _LATELY, _YEAR = 30, 90, 365


def traits(known: Known, log: EventLog) -> Part:
    """The traits of events that are there. What can be added up is added up in one scan."""
    sums, mails = _mails(known, log)
    use = Part()
    if log.has(Kind.USE):
        day = log.of(Kind.USE).ifelse(log.rows["day"], ibis.null("date"))
        sums |= {"first_use": day.min(), "last_use": day.max()}
        use = combine(_use(known, log), _times(known, log))
    scan = (log.rows.group_by(KEY).agg(**sums),) if sums else ()
    return combine(Part(passes=scan, traits=known.chosen(mails)), use)


# Use of web site, app, product ----------------------------------------------------------------------------------------


def _use(known: Known, log: EventLog) -> Part:
    lately = log.rows.filter(log.of(Kind.USE) & (log.rows["day"] > known.recent(_LATELY)))
    kinds = lately.select(KEY, "name").distinct()
    features = kinds.group_by(KEY).agg(features=kinds.count())
    as_of = ibis.literal(known.as_of)

    def trend(row: ir.Table) -> ir.Value:
        new = row["first_use"] > known.recent(_LATE)
        return new.ifelse(
            ibis.null("float64"), shift(row["actions_late"], _LATE, row["actions_before"], _LATELY - _LATE)
        )

    expressions: dict[str, Expression] = {
        "visits_30d": lambda row: whole(row["visits_late"]),
        "visits_90d": lambda row: whole(row["visits"]),
        "days_since_visit": lambda row: engine.days_between(as_of, row["last_use"]),
        "stickiness": lambda row: whole(row["days_late"]) / float(_LATE),
        "actions_per_active_day": lambda row: engine.ratio(row["actions"], row["days"]),
        "features_used": lambda row: whole(row["features"]),
        "engagement_trend": trend,
    }
    return Part(passes=(_days(known, lately), features), traits=known.chosen(expressions))


def _days(known: Known, lately: ir.Table) -> ir.Table:
    """What was done by customer in the last 90 days, by way of single days."""
    before = lately["time"].lag().over(ibis.window(group_by=KEY, order_by=lately["time"]))
    begun = before.isnull() | (lately["time"] > before + ibis.interval(minutes=_PAUSE))
    rows = lately.select(KEY, "day", begun=begun.cast("int32"))
    days = rows.group_by([KEY, "day"]).agg(actions=rows.count(), visits=rows["begun"].sum())
    late = days["day"] > known.recent(_LATE)
    return days.group_by(KEY).agg(
        days=days.count(),
        actions=days["actions"].sum(),
        visits=days["visits"].sum(),
        days_late=late.ifelse(1, None).count(),
        visits_late=late.ifelse(days["visits"], 0).sum(),
        actions_late=late.ifelse(days["actions"], 0).sum(),
        actions_before=late.ifelse(0, days["actions"]).sum(),
    )


def _times(known: Known, log: EventLog) -> Part:
    """On which weekday and at which hour they were there most in the last 365 days."""
    shown = log.clock(known.settings.timezone)
    lately = log.of(Kind.USE) & (log.rows["day"] > known.recent(_YEAR))
    used = log.rows.select(KEY, weekday=clock.weekday(shown), hour=clock.hour(shown), used=lately)
    used = used.filter(used["used"])
    moments = used.group_by([KEY, "weekday", "hour"]).agg(times=used.count())
    expressions: dict[str, Expression] = {
        "visit_weekday": lambda row: clock.weekday_name(row["visit_weekday"]),
        "visit_hour": lambda row: row["visit_hour"],
    }
    return Part(passes=clock.usual(moments, "visit"), traits=known.chosen(expressions))


# Mails ----------------------------------------------------------------------------------------------------------------


def _mails(known: Known, log: EventLog) -> tuple[dict[str, ir.Scalar], dict[str, Expression]]:
    """Sums, and traits of them: opens and clicks of mails that came, or were sent where no source says more."""
    came = next((kind for kind in (Kind.DELIVERED, Kind.SENT) if log.has(kind)), None)
    kinds = {"opens": Kind.OPENED, "clicks": Kind.CLICKED, **({"came": came} if came else {})}
    there = {name: kind for name, kind in kinds.items() if log.has(kind)}
    if not there.keys() & {"opens", "clicks"}:
        return {}, {}
    sums: dict[str, ir.Scalar] = {}
    for name, kind in there.items():
        for days in (_LATE, _LATELY, _YEAR):
            counted = log.of(kind) & (log.rows["day"] > known.recent(days))
            sums[f"{name}_{days}d"] = counted.ifelse(1, None).count()
    made = {f"mail_{name}_{n}d": _count(f"{name}_{n}d") for name in there if name != "came" for n in (_LATE, _LATELY)}
    rates = {
        "open_rate": ("opens", "came"),
        "click_rate": ("clicks", "came"),
        "click_to_open_rate": ("clicks", "opens"),
    }
    return sums, made | {rate: _rate(*parts) for rate, parts in rates.items() if there.keys() >= set(parts)}


def _count(name: str) -> Expression:
    return lambda row: whole(row[name])


def _rate(part: str, of: str) -> Expression:
    def rate(row: ir.Table) -> ir.Value:
        share = engine.ratio(row[f"{part}_{_YEAR}d"], row[f"{of}_{_YEAR}d"])
        return (share > 1).ifelse(1.0, share)  # a mail that is opened twice

    return rate
