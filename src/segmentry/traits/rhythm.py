"""Behavioral traits of time: how often and how regularly customers order, when, and what their silence means.

**Regularity** is 1 / (1 + cv²) with cv the coefficient of variation (of the sample) of the intervals between days with
an order. Where intervals follow a gamma distribution its shape is 1/cv², the regularity of Platzer and Reutterer
("Ticking Away the Moments", Marketing Science 35(5), 2016): 0.5 is the chance of a Poisson process, near 1 a clockwork,
below 0.5 come bursts. It takes three intervals.

**Silence** is measured on the customer's own clock: days since the last order in units of the usual interval, which is
the mean of their own from two intervals on, and else the median of the means of all customers who came back (where
nobody did: ``active`` of ``lifecycle_days``). Waits of a Poisson buyer (Ehrenberg 1959; Schmittlein, Morrison and
Colombo 1987) are exponential: one in five is longer than 1.61 intervals, one in twenty than 3.00, one in a hundred than
4.61. There the stages of ``own_pace_stage`` end.
"""

from __future__ import annotations

import math

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import TRAITS, Trait
from segmentry.traits import clock
from segmentry.traits.behavioral import whole
from segmentry.traits.known import KEY, Expression, Known, Part, combine, month_of

# How likely a longer wait is of somebody who goes on buying, where a stage ends.
_PACES = {"active": 0.20, "slowing": 0.05, "at risk": 0.01}
_OWN_CLOCK = 3  # days with an order from which on their own intervals count
_REGULAR = 4  # and those from which on regularity is told
_PLACES = 6  # decimals of the typical interval: engines differ in the last bit of a median


def traits(known: Known) -> Part:
    """The traits of time whose data are there."""
    return combine(_rhythm(known), _silence(known), _times(known), _lifecycle(known))


def _rhythm(known: Known) -> Part:
    """When and how often they order."""
    as_of = ibis.literal(known.as_of)

    def tenure(row: ir.Table) -> ir.Value:
        days = [row["first_order"]] if known.sales is not None else []
        days += [known.joined(row)] if known.has("customers.joined_at") else []
        since = ibis.least(days[0].fill_null(days[-1]), days[-1].fill_null(days[0]))
        return engine.days_between(as_of, since)

    expressions: dict[str, Expression] = {
        "recency_days": lambda row: engine.days_between(as_of, row["last_order"]),
        "frequency": lambda row: whole(row["orders"]),
        "tenure_days": tenure,
        "days_between_orders": _interval,
        "order_days": lambda row: whole(row["order_days"]),
        "active_months": lambda row: whole(row["active_months"]),
        "orders_90d": lambda row: whole(row["orders_90d"]),
        "orders_365d": lambda row: whole(row["orders_365d"]),
        "regularity": _regularity,
    }
    passes = () if known.sales is None else _orders(known, known.sales)
    return Part(passes=passes, traits=known.chosen(expressions))


def _orders(known: Known, sales: ir.Table) -> tuple[ir.Table, ir.Table]:
    """Orders by customer, counted in steps that each shrink the table: lines, orders, days, customers; intervals."""
    orders = _dated_orders(known, sales)
    days = orders.group_by([KEY, orders["time"].cast("date").name("day")]).agg(orders=orders["orders"].sum())
    days = engine.kept("order_days", days)
    day = days["day"]
    month = (day.year() * 12 + day.month()).cast("int64") - known.first_month
    span = month_of(known.as_of) - known.first_month + 1
    months = engine.sets(month, span)
    counted = days.group_by(KEY).agg(
        orders=days["orders"].sum(),
        order_days=days.count(),
        first_order=day.min(),
        last_order=day.max(),
        **{f"orders_{n}d": (day > known.recent(n)).ifelse(days["orders"], None).sum() for n in (90, 365)},
        **{f"months_{i}": found for i, found in enumerate(months)},
    )
    names = [f"months_{i}" for i in range(len(months))]
    counted = counted.mutate(active_months=engine.size_of([counted[name] for name in names], span)).drop(*names)
    gap = engine.days_between(day, day.lag().over(ibis.window(group_by=KEY, order_by=day)))
    gaps = days.select(KEY, gap=gap)
    squared = gaps.group_by(KEY).agg(squared_gaps=(gaps["gap"] * gaps["gap"]).sum().cast("float64"))
    return counted, squared.cross_join(_typical(counted))


def _typical(counted: ir.Table) -> ir.Table:
    """One row: the median of the customers' mean intervals, null where nobody came back."""
    back = counted.filter(counted["order_days"] > 1)
    middle = back.agg(middle=engine.median(_interval(back)))["middle"]
    return middle.as_table().select(typical_interval=engine.units(middle, _PLACES).cast("float64") / 10**_PLACES)


def _interval(row: ir.Table) -> ir.FloatingValue:
    """Mean days from one day with an order to the next; null with fewer than two."""
    return engine.ratio(engine.days_between(row["last_order"], row["first_order"]), row["order_days"] - 1)


def _regularity(row: ir.Table) -> ir.Value:
    intervals = (row["order_days"] - 1).cast("float64")
    days = engine.days_between(row["last_order"], row["first_order"]).cast("float64")
    # The variance of the intervals by the square of their mean, all parts of it whole numbers.
    varied = engine.ratio(
        intervals * (intervals * row["squared_gaps"] - days * days), (intervals - 1.0) * (days * days)
    )
    return (row["order_days"] >= _REGULAR).ifelse(1.0 / (1.0 + varied), ibis.null("float64"))


def _dated_orders(known: Known, sales: ir.Table) -> ir.Table:
    """Customer, time, and the number of orders: one row per order, or per moment of lines without an order number."""
    if not known.has("transactions.order"):
        return sales.select(KEY, "time", orders=ibis.literal(1))
    keys = [KEY, "order", *(["source"] if "source" in sales.columns else [])]
    if known.filled["transactions.order"] == known.counts["sales"]:
        return sales.group_by(keys).agg(time=sales["time"].max()).mutate(orders=ibis.literal(1))
    alone = sales["order"].isnull()
    rows = sales.mutate(own_time=alone.ifelse(sales["time"], ibis.null("timestamp")))
    placed = rows.group_by([*keys, "own_time"]).agg(time=rows["time"].max(), lines=rows.count())
    return placed.select(KEY, "time", orders=placed["order"].isnull().ifelse(placed["lines"], 1))


def _silence(known: Known) -> Part:
    """How long they have been silent, by their own usual interval."""
    if known.sales is None:
        return Part()
    as_of, fallback = ibis.literal(known.as_of), float(known.settings.lifecycle.active)

    def ratio(row: ir.Table) -> ir.FloatingValue:
        own = (row["order_days"] >= _OWN_CLOCK).ifelse(_interval(row), ibis.null("float64"))
        usual = ibis.coalesce(own, row["typical_interval"], ibis.literal(fallback))
        return engine.ratio(engine.days_between(as_of, row["last_order"]), usual)

    def stage(row: ir.Table) -> ir.Value:
        silence = row["silence"]
        ends = ((silence <= -math.log(longer), name) for name, longer in _PACES.items())
        return ibis.cases((row["orders"].isnull(), "no orders"), *ends, else_="gone")

    expressions: dict[str, Expression] = {"silence_ratio": lambda row: row["silence"], "own_pace_stage": stage}
    return Part(shared={"silence": ratio}, traits=known.chosen(expressions))


def _times(known: Known) -> Part:
    """Which weekday and hour they order at most, and how much on weekends; hours only where the data tell them."""
    if known.sales is None:
        return Part()
    orders = _dated_orders(known, known.sales)
    shown = clock.on_clocks(orders["time"], known.settings.timezone, *known.span)
    hours = {"hour": clock.hour(shown)} if known.counts["timed_sales"] else {}
    moments = orders.select(KEY, weekday=clock.weekday(shown), times="orders", **hours)
    made: dict[Trait, Expression] = {
        TRAITS["preferred_weekday"]: lambda row: clock.weekday_name(row["order_weekday"]),
        TRAITS["weekend_share"]: lambda row: engine.ratio(row["order_weekend_times"], row["order_times"]),
    }
    if hours:
        made[TRAITS["preferred_hour"]] = lambda row: row["order_hour"]
    return Part(passes=clock.usual(moments, "order"), traits=made)


def _lifecycle(known: Known) -> Part:
    """Where they are in the customer life cycle; its days are set in segmentry.yaml."""
    as_of, limits = ibis.literal(known.as_of), known.settings.lifecycle

    def stage(row: ir.Table) -> ir.Value:
        since_first = engine.days_between(as_of, row["first_order"])
        since_last = engine.days_between(as_of, row["last_order"])
        return ibis.cases(
            (row["orders"].isnull(), "no orders"),
            ((row["orders"] == 1) & (since_first <= limits.new), "new"),
            (since_last <= limits.active, "active"),
            (since_last > limits.lapsed, "lapsed"),
            else_="cooling",
        )

    return Part(traits=known.chosen({"lifecycle_stage": stage}))
