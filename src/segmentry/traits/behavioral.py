"""Behavioral traits: what customers bought, how often, when and where.

An order counts when at least one product was sold in it; its date is that of its last sale line. Returns count in
money only; charges (postage, fees) count nowhere. Lines without an order number are an order each, as ``tables.py``
declares; ``order_days`` counts all orders of one day as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import TRAITS, Trait, lookup, member
from segmentry.traits.known import KEY, Expression, Known, Part, combine, levels, month_of

_FREQUENT = 0.01  # a value in at least this share of the sale lines gets its own share trait
_MOST_MEMBERS = 8  # and so many of them at most
# Of so few values the most frequent is found by sums in the common scan. Over 10 million lines, nine such sums cost a
# fifth of the pass of its own that more values need.
_FEW = 12


def traits(known: Known) -> Part:
    """The behavioral traits whose data are there."""
    return combine(
        _rhythm(known),
        _money(known),
        _products(known),
        _choices(known, "channel"),
        _choices(known, "category"),
        _lifecycle(known),
        Part(traits=known.chosen({"acquisition_channel": lambda row: row["acquisition_channel"]})),
    )


def whole(value: ir.NumericValue) -> ir.IntegerValue:
    """A count as int64; 0 for customers who are not among those counted."""
    # by way of float64: DuckDB and PostgreSQL give wider types than int64 for sums of integers
    return value.cast("float64").cast("int64").fill_null(0)


def amount(value: ir.NumericValue) -> ir.FloatingValue:
    """A sum of money; 0 for customers who have nothing to sum."""
    return value.cast("float64").fill_null(0.0)


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
        "days_between_orders": lambda row: engine.ratio(
            engine.days_between(row["last_order"], row["first_order"]), row["order_days"] - 1
        ),
        "order_days": lambda row: whole(row["order_days"]),
        "active_months": lambda row: whole(row["active_months"]),
        "orders_90d": lambda row: whole(row["orders_90d"]),
        "orders_365d": lambda row: whole(row["orders_365d"]),
    }
    passes = () if known.sales is None else (_orders(known, known.sales),)
    return Part(passes=passes, traits=known.chosen(expressions))


def _orders(known: Known, sales: ir.Table) -> ir.Table:
    """Orders by customer, counted in steps that each shrink the table: lines, orders, days, customers."""
    days = _dated_orders(known, sales).group_by([KEY, "day"]).agg(orders=ibis._.orders.sum())
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
    return counted.mutate(active_months=engine.size_of([counted[name] for name in names], span)).drop(*names)


def _dated_orders(known: Known, sales: ir.Table) -> ir.Table:
    """Customer, day, and the number of orders: one row per order, or per day of lines without an order number."""
    if not known.has("transactions.order"):
        return sales.select(KEY, "day", orders=ibis.literal(1))
    keys = [KEY, "order", *(["source"] if "source" in sales.columns else [])]
    if known.filled["transactions.order"] == known.counts["sales"]:
        return sales.group_by(keys).agg(day=sales["day"].max()).mutate(orders=ibis.literal(1))
    alone = sales["order"].isnull()
    rows = sales.mutate(own_day=alone.ifelse(sales["day"], ibis.null("date")))
    placed = rows.group_by([*keys, "own_day"]).agg(day=rows["day"].max(), lines=rows.count())
    return placed.select(KEY, "day", orders=placed["order"].isnull().ifelse(placed["lines"], 1))


def _money(known: Known) -> Part:
    """What they spend, send back, and how they pay and pack it."""
    lines = known.lines
    if lines is None:
        return Part()
    sale, goods = lines["is_sale"], lines["is_goods"]
    sums: dict[str, ir.Scalar] = {
        "sold": known.total("amount", sale),
        "returned": known.total("amount", lines["is_return"], nothing=0),
        "spent": known.total("amount", goods, nothing=0),
        **{
            f"spend_{n}d": known.total("amount", goods & (lines["day"] > known.recent(n)), nothing=0) for n in (90, 365)
        },
    }
    expressions: dict[str, Expression] = {
        "monetary": lambda row: amount(row["spent"]),
        "average_order_value": lambda row: engine.ratio(row["sold"], row["orders"]),
        "spend_90d": lambda row: amount(row["spend_90d"]),
        "spend_365d": lambda row: amount(row["spend_365d"]),
    }
    if known.counts["returns"] or "return_rate" in known.also:
        expressions["return_rate"] = _return_rate
    if known.ready("items_per_order"):
        sums["pieces"] = known.total("quantity", sale)
        expressions["items_per_order"] = lambda row: engine.ratio(row["pieces"], row["orders"])
    if known.ready("discount_share"):
        sums["discounts"] = known.total("discount", sale, nothing=0)
        expressions["discount_share"] = lambda row: engine.ratio(
            amount(row["discounts"]), row["sold"] + amount(row["discounts"])
        )
    return Part(sums, traits=known.chosen(expressions))


def _return_rate(row: ir.Table) -> ir.Value:
    rate = engine.ratio(amount(row["returned"]).abs(), row["sold"])
    return (rate > 1).ifelse(1.0, rate)  # what was bought before the data begin can come back, too


def _products(known: Known) -> Part:
    if known.sales is None or not known.ready("products_bought"):
        return Part()
    pairs = known.sales.filter(known.sales["product"].notnull()).select(KEY, "product").distinct()
    counted = pairs.group_by(KEY).agg(products_bought=pairs.count())
    return Part(passes=(counted,), traits=known.chosen({"products_bought": lambda row: whole(row["products_bought"])}))


def _choices(known: Known, column: str) -> Part:
    """Which values of a column they buy from: the share of each frequent one, and the one of most lines."""
    if known.lines is None or not known.ready(f"top_{column}"):
        return Part()
    found = levels(known.sold(column)[column])
    return combine(_shares(known, known.lines, column, found), _favourite(known, known.lines, column, list(found)))


def _shares(known: Known, lines: ir.Table, column: str, found: Mapping[str, int]) -> Part:
    """Shares of the sale amount by value of a column; shares of sale lines where no line has an amount."""

    def weight(where: ir.BooleanValue) -> ir.NumericScalar:
        sale = lines["is_sale"] & where
        return known.total("amount", sale, nothing=0) if known.counts["paid_sales"] else engine.count_where(sale)

    sums = {f"{column}_known": weight(lines[column].notnull())}
    expressions: dict[Trait, Expression] = {}
    for trait, values in _members(known, f"{column}_share_*", found).items():
        if values:
            sums[trait.name] = weight(lines[column].isin(values))
        expressions[trait] = _share(trait.name if values else None, f"{column}_known")
    return Part(sums, traits=expressions)


def _share(part: str | None, total: str) -> Expression:
    def share(row: ir.Table) -> ir.Value:
        return engine.ratio(ibis.literal(0.0) if part is None else amount(row[part]), row[total])

    return share


def _members(known: Known, family: str, found: Mapping[str, int]) -> dict[Trait, list[str]]:
    """The traits of a family with the values each stands for: the frequent ones, and those that are needed anyway."""
    traits: dict[str, Trait] = {}
    values: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for value, count in found.items():
        trait = member(family, value)
        traits.setdefault(trait.name, trait)  # described by its most frequent spelling
        values.setdefault(trait.name, []).append(value)
        lines[trait.name] = lines.get(trait.name, 0) + count
    for name in known.also:
        if name.startswith(family.removesuffix("*")) and (needed := lookup(name)):
            traits.setdefault(name, needed)
    least = _FREQUENT * known.counts["sales"]
    by_lines = sorted((name for name in lines if lines[name] >= least), key=lambda name: (-lines[name], name))
    chosen = dict.fromkeys([*by_lines[:_MOST_MEMBERS], *sorted(known.also & traits.keys())])
    return {traits[name]: values.get(name, []) for name in chosen}


def _favourite(known: Known, lines: ir.Table, column: str, values: Sequence[str]) -> Part:
    """The value of a column with most sale lines; of equals the smaller one, as in :func:`engine.mode`."""
    trait = TRAITS[f"top_{column}"]
    if len(values) > _FEW:
        most = engine.mode(known.sold(column), KEY, column).rename({trait.name: column})
        return Part(passes=(most,), traits={trait: lambda row: row[trait.name]})
    names = {value: f"{column}_lines_{i}" for i, value in enumerate(sorted(values))}
    sums = {name: engine.count_where(lines["is_sale"] & (lines[column] == value)) for value, name in names.items()}

    def favourite(row: ir.Table) -> ir.Value:
        counts = {value: row[name].fill_null(0) for value, name in names.items()}
        most = ibis.greatest(*counts.values(), 0)
        nothing = (most == 0, ibis.null("string"))
        return ibis.cases(nothing, *((count == most, value) for value, count in counts.items()))

    return Part(sums, traits={trait: favourite})


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
