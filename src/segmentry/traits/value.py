"""Value traits: what a customer leaves behind.

Money received is ``monetary`` (see ``behavioral.py``); here it is less the cost of the goods, and less what the
customer cost (see ``costs.py``). Lines whose cost nobody
knows are left out of margin and margin rate alike; where they are many there is no margin at all, because it would say
which products have a cost on file rather than who is valuable.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import TRAITS, Trait
from segmentry.traits import costs
from segmentry.traits.known import Expression, Known, Part, combine

# ABC analysis (Dickie 1951): A are the best customers up to this share of all money, B the next, C the rest.
_CLASSES = {"A": 0.8, "B": 0.95}
_LEAST_COSTED = 0.8  # share of the sale lines with a known cost, from which on there is a margin


def traits(known: Known) -> Part:
    """The value traits whose data are there."""
    margin, spent = _margin(known), costs.traits(known)
    return combine(margin, spent, _net(known, margin, spent), _pareto(known), _stated(known))


def _net(known: Known, margin: Part, spent: Part) -> Part:
    """The margin less costs; the money received less costs where no margin is known."""
    value = margin.traits.get(TRAITS["margin"], lambda row: row["spent"])
    return Part() if known.lines is None else Part(traits=costs.net(value, spent))


def _margin(known: Known) -> Part:
    lines = known.lines
    if lines is None or "cost" not in lines.columns or not _enough(known):
        return Part()
    costed = lines["is_goods"] & lines["cost"].notnull()
    sums = {
        "goods_lines": engine.count_where(lines["is_goods"]),
        "costed_amount": known.total("amount", costed),
        "goods_cost": known.total("cost", costed),
    }

    def margin(row: ir.Table) -> ir.Value:
        bought = row["goods_lines"].fill_null(0) > 0
        return bought.ifelse((row["costed_amount"] - row["goods_cost"]).cast("float64"), 0.0)

    def rate(row: ir.Table) -> ir.Value:
        money = row["costed_amount"]
        return engine.ratio(money - row["goods_cost"], (money > 0).ifelse(money, ibis.null("float64")))

    expressions: dict[Trait, Expression] = {TRAITS["margin"]: margin, TRAITS["margin_rate"]: rate}
    return Part(sums, traits=expressions)


def _enough(known: Known) -> bool:
    """Whether the cost of most sale lines is known, or a frozen segmentation needs the margin anyway."""
    costed = known.filled.get("transactions.cost", 0) + known.filled.get("products.unit_cost", 0)
    needed = bool(known.also & {"margin", "margin_rate"})
    return costed > 0 and (needed or costed >= _LEAST_COSTED * known.counts["sales"])


def _pareto(known: Known) -> Part:
    """Where they stand among all customers by the money they brought, as :mod:`segmentry.segment.value_tiers` counts:
    best first, customers of equal money together, who brought none last. Money is counted in hundredths.
    """
    if known.lines is None:
        return Part()

    def money(row: ir.Table) -> ir.IntegerValue:
        return ibis.greatest(engine.units(row["spent"].fill_null(0.0), 2), 0)

    def share(row: ir.Table, until: int) -> ir.Value:
        """The share of all money that is of customers with more than theirs, or (0) as much."""
        best_first = ibis.range_window(preceding=(None, until), order_by=ibis.desc(money(row)))
        if not until:
            best_first = ibis.range_window(preceding=None, following=0, order_by=ibis.desc(money(row)))
        return engine.ratio(money(row).sum().over(best_first), money(row).sum().over(ibis.window()))

    def tier(row: ir.Table) -> ir.Value:
        better = row["of_better"].fill_null(0.0)
        return ibis.cases(*((better < end, name) for name, end in _CLASSES.items()), else_="C")

    return Part(
        shared={"of_better": lambda row: share(row, 1), "of_as_good": lambda row: share(row, 0)},
        traits={TRAITS["pareto_share"]: lambda row: row["of_as_good"], TRAITS["pareto_class"]: tier},
    )


def _stated(known: Known) -> Part:
    return Part(traits=known.chosen({"value": lambda row: row["value"].cast("float64")}))
