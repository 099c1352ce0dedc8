"""Behavioral traits: what customers bought, for how much, and where; for when and how often see ``rhythm.py``.

An order counts when at least one product was sold in it; its date is that of its last sale line. Returns count in
money only; charges (postage, fees) count nowhere. Lines without an order number are an order each, as ``tables.py``
declares; ``order_days`` counts all orders of one day as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import TRAITS, Trait, lookup, member
from segmentry.traits.known import KEY, Expression, Known, Part, combine, levels

FREQUENT = 0.01  # a value in at least this share of the sale lines gets its own share trait
_MOST_MEMBERS = 8  # and so many of them at most
# Of so few values the most frequent is found by sums in the common scan. Over 10 million lines, nine such sums cost a
# fifth of the pass of its own that more values need.
_FEW = 12
_TREND = 90  # days that are compared with as many before


def traits(known: Known) -> Part:
    """The behavioral traits whose data are there."""
    return combine(
        _money(known),
        _products(known),
        _choices(known, "channel"),
        _choices(known, "category"),
        Part(traits=known.chosen({"acquisition_channel": lambda row: row["acquisition_channel"]})),
    )


def whole(value: ir.NumericValue) -> ir.IntegerValue:
    """A count as int64; 0 for customers who are not among those counted."""
    # by way of float64: DuckDB and PostgreSQL give wider types than int64 for sums of integers
    return value.cast("float64").cast("int64").fill_null(0)


def amount(value: ir.NumericValue) -> ir.FloatingValue:
    """A sum of money; 0 for customers who have nothing to sum."""
    return value.cast("float64").fill_null(0.0)


def shift(now: ir.NumericValue, now_days: int, before: ir.NumericValue, before_days: int) -> ir.FloatingValue:
    """How an amount per day has changed: (a - b) / (a + b), from -1 (it has stopped) over 0 to 1 (there was none).

    Unlike a quotient it is as far from 0 for twice as for half as much, and has no infinity. Null where both are 0.
    """
    a, b = amount(now) * before_days, amount(before) * now_days
    return engine.ratio(a - b, a + b)


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
    if known.counts["sales"] and known.span[0].date() <= known.as_of - timedelta(days=2 * _TREND):
        for n in (_TREND, 2 * _TREND):
            sums[f"sold_{n}d"] = known.total("amount", sale & (lines["day"] > known.recent(n)), nothing=0)
        expressions["spend_trend"] = lambda row: _spend_trend(known, row)
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


def _spend_trend(known: Known, row: ir.Table) -> ir.Value:
    """Null for those who are too new for a trend."""
    now, both = row[f"sold_{_TREND}d"], row[f"sold_{2 * _TREND}d"]
    old = row["first_order"] <= known.recent(2 * _TREND)
    return old.ifelse(shift(now, _TREND, both - now, _TREND), ibis.null("float64"))


def _return_rate(row: ir.Table) -> ir.Value:
    rate = engine.ratio(amount(row["returned"]).abs(), row["sold"])
    return (rate > 1).ifelse(1.0, rate)  # what was bought before the data begin can come back, too


def _products(known: Known) -> Part:
    if known.sales is None or not known.ready("products_bought"):
        return Part()
    pairs = known.sales.filter(known.sales["product"].notnull()).select(KEY, "product").distinct()
    counted = pairs.group_by(KEY).agg(products_bought=pairs.count())
    return Part(passes=(counted,), traits=known.chosen({"products_bought": lambda row: whole(row["products_bought"])}))


def _baskets(known: Known, found: Sequence[str]) -> Part:
    """How many of the categories ``found`` are in an order, and how mixed those of all their lines are."""
    rows = known.sold("category")
    rows = rows.filter(rows["category"].notnull())
    keys = [KEY, *(name for name in ("order", "source") if name in rows.columns)]
    few = len(found) <= _FEW
    passes = [] if few else [_mixed(rows)]
    if "order" in keys:
        passes.append(_in_orders(rows, keys, sorted(found) if few else None))

    def diversity(row: ir.Table) -> ir.Value:
        if not few:
            lines, same = row["categorised"], row["same"]
        else:
            counts = [whole(row[name]) for name in _line_counts("category", found).values()]
            lines, same = sum(counts[1:], counts[0]), sum((n * n for n in counts[1:]), counts[0] * counts[0])
        return 1.0 - engine.ratio(same, lines.cast("float64") * lines.cast("float64"))

    expressions: dict[str, Expression] = {
        "categories_per_order": lambda row: engine.ratio(row["basket_categories"], row["baskets"]),
        "category_diversity": diversity,
    }
    return Part(passes=tuple(passes), traits=known.chosen(expressions))


def _mixed(rows: ir.Table) -> ir.Table:
    """By customer the lines with a category, and the sum of their squares by category."""
    mixed = rows.group_by([KEY, "category"]).agg(lines=rows.count())
    return mixed.group_by(KEY).agg(categorised=mixed["lines"].sum(), same=(mixed["lines"] * mixed["lines"]).sum())


def _in_orders(rows: ir.Table, keys: Sequence[str], few: Sequence[str] | None) -> ir.Table:
    """By customer the orders, and the sum of their different categories: of a ``few`` they are bits of a number."""
    if few is not None:
        place = rows["category"].cases(*((value, i) for i, value in enumerate(few)))
        orders = rows.group_by(keys).agg(sets=engine.sets(place, len(few))[0], lines=rows.count())
        orders = orders.mutate(categories=engine.size_of([orders["sets"]], len(few)))
    else:
        pairs = rows.group_by([*keys, "category"]).agg(lines=rows.count())
        orders = pairs.group_by(keys).agg(categories=pairs.count(), lines=pairs["lines"].sum())
    alone = orders["order"].isnull()  # lines without an order number are an order each
    return orders.group_by(KEY).agg(
        basket_categories=alone.ifelse(orders["lines"], orders["categories"]).sum(),
        baskets=alone.ifelse(orders["lines"], 1).sum(),
    )


def _choices(known: Known, column: str) -> Part:
    """Which values of a column they buy from: the share of each frequent one, and the one of most lines."""
    if known.lines is None or not known.ready(f"top_{column}"):
        return Part()
    found = levels(known.sold(column)[column])
    parts = [_shares(known, known.lines, column, found), _favourite(known, known.lines, column, list(found))]
    if column == "category":
        parts.append(_baskets(known, list(found)))
    return combine(*parts)


def _shares(known: Known, lines: ir.Table, column: str, found: Mapping[str, int]) -> Part:
    """Shares of the sale amount by value of a column; shares of sale lines where no line has an amount."""

    def weight(where: ir.BooleanValue) -> ir.NumericScalar:
        sale = lines["is_sale"] & where
        return known.total("amount", sale, nothing=0) if known.counts["paid_sales"] else engine.count_where(sale)

    sums = {f"{column}_known": weight(lines[column].notnull())}
    expressions: dict[Trait, Expression] = {}
    least = FREQUENT * known.counts["sales"]
    for trait, values in chosen_members(known, f"{column}_share_*", found, least=least).items():
        if values:
            sums[trait.name] = weight(lines[column].isin(values))
        expressions[trait] = _share(trait.name if values else None, f"{column}_known")
    return Part(sums, traits=expressions)


def _share(part: str | None, total: str) -> Expression:
    def share(row: ir.Table) -> ir.Value:
        return engine.ratio(ibis.literal(0.0) if part is None else amount(row[part]), row[total])

    return share


def chosen_members(known: Known, family: str, found: Mapping[str, int], *, least: float) -> dict[Trait, list[str]]:
    """The traits of a family with the values each stands for: those with at least ``least`` rows, the most frequent
    first, and those that are needed anyway."""
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
    by_lines = sorted((name for name in lines if lines[name] >= least), key=lambda name: (-lines[name], name))
    chosen = dict.fromkeys([*by_lines[:_MOST_MEMBERS], *sorted(known.also & traits.keys())])
    return {traits[name]: values.get(name, []) for name in chosen}


def _line_counts(column: str, values: Sequence[str]) -> dict[str, str]:
    """By value of a column, of which there are few, the name of the sum that counts its sale lines."""
    return {value: f"{column}_lines_{i}" for i, value in enumerate(sorted(values))}


def _favourite(known: Known, lines: ir.Table, column: str, values: Sequence[str]) -> Part:
    """The value of a column with most sale lines; of equals the smaller one, as in :func:`engine.mode`."""
    trait = TRAITS[f"top_{column}"]
    if len(values) > _FEW:
        most = engine.mode(known.sold(column), KEY, column).rename({trait.name: column})
        return Part(passes=(most,), traits={trait: lambda row: row[trait.name]})
    names = _line_counts(column, values)
    sums = {name: engine.count_where(lines["is_sale"] & (lines[column] == value)) for value, name in names.items()}

    def favourite(row: ir.Table) -> ir.Value:
        counts = {value: row[name].fill_null(0) for value, name in names.items()}
        most = ibis.greatest(*counts.values(), 0)
        nothing = (most == 0, ibis.null("string"))
        return ibis.cases(nothing, *((count == most, value) for value, count in counts.items()))

    return Part(sums, traits={trait: favourite})
