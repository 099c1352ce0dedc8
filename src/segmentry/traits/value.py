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
from segmentry.catalogue import TRAITS
from segmentry.traits import costs, lifetime, margin
from segmentry.traits.known import Known, Part, combine

# ABC analysis (Dickie 1951): A are the best customers up to this share of all money, B the next, C the rest.
_CLASSES = {"A": 0.8, "B": 0.95}


def traits(known: Known, spent: Part | None = None) -> Part:
    """The value traits whose data are there; ``spent`` are those of costs where they are not those of customers."""
    earned, spent = margin.traits(known), costs.traits(known) if spent is None else spent
    cost = spent.traits.get(TRAITS["acquisition_cost"])
    made = (earned, spent, _net(known, earned, spent), _pareto(known), _stated(known))
    return combine(*made, lifetime.traits(known, cost))


def _net(known: Known, earned: Part, spent: Part) -> Part:
    """The margin less costs; the money received less costs where no margin is known."""
    value = earned.traits.get(TRAITS["margin"], lambda row: row["spent"])
    return Part() if known.lines is None else Part(traits=costs.net(value, spent))


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
