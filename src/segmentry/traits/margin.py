"""The margin: what is left of sales less returns after the cost of the goods.

Lines whose cost nobody knows are left out of margin and margin rate alike; where they are many there is no margin at
all, because it would say which products have a cost on file rather than who is valuable.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import TRAITS, Trait
from segmentry.traits.known import Expression, Known, Part

_LEAST_COSTED = 0.8  # share of the sale lines with a known cost, from which on there is a margin


def traits(known: Known) -> Part:
    """Margin and margin rate of every customer, where costs are known."""
    if known.lines is None or not _enough(known):
        return Part()

    def margin(row: ir.Table) -> ir.Value:
        bought = row["goods_lines"].fill_null(0) > 0
        return bought.ifelse((row["costed_amount"] - row["goods_cost"]).cast("float64"), 0.0)

    def rate(row: ir.Table) -> ir.Value:
        money = row["costed_amount"]
        return engine.ratio(money - row["goods_cost"], (money > 0).ifelse(money, ibis.null("float64")))

    expressions: dict[Trait, Expression] = {TRAITS["margin"]: margin, TRAITS["margin_rate"]: rate}
    return Part({"goods_lines": engine.count_where(known.lines["is_goods"]), **_sums(known)}, traits=expressions)


def rate(known: Known) -> float | None:
    """Margin of all customers together as a share of what they paid; None where too few costs are known."""
    if known.lines is None or not _enough(known):
        return None
    row = known.lines.agg(**_sums(known)).to_pyarrow().to_pylist()[0]
    paid = row["costed_amount"] or 0.0
    return (paid - (row["goods_cost"] or 0.0)) / paid if paid > 0 else None


def _sums(known: Known) -> dict[str, ir.Scalar]:
    assert known.lines is not None
    costed = known.lines["is_goods"] & known.lines["cost"].notnull()
    return {"costed_amount": known.total("amount", costed), "goods_cost": known.total("cost", costed)}


def _enough(known: Known) -> bool:
    """Whether the cost of most sale lines is known, or a frozen segmentation needs the margin anyway."""
    if known.lines is None or "cost" not in known.lines.columns:
        return False
    costed = known.filled.get("transactions.cost", 0) + known.filled.get("products.unit_cost", 0)
    needed = bool(known.also & {"margin", "margin_rate"})
    return costed > 0 and (needed or costed >= _LEAST_COSTED * known.counts["sales"])
