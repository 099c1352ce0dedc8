"""Value traits: what a customer leaves behind, and is expected to.

Money received is ``monetary`` (see ``behavioral.py``); ``margin.py`` has it less the cost of the goods, ``costs.py``
what the customer cost, ``lifetime/`` what is still to come.
"""

from __future__ import annotations

from segmentry.catalogue import TRAITS
from segmentry.traits import costs, lifetime, margin
from segmentry.traits.known import Known, Part, combine


def traits(known: Known) -> Part:
    """The value traits whose data are there."""
    earned, spent = margin.traits(known), costs.traits(known)
    cost = spent.traits.get(TRAITS["acquisition_cost"])
    return combine(earned, spent, _net(known, earned, spent), _stated(known), lifetime.traits(known, cost))


def _net(known: Known, earned: Part, spent: Part) -> Part:
    """The margin less costs; the money received less costs where no margin is known."""
    value = earned.traits.get(TRAITS["margin"], lambda row: row["spent"])
    return Part() if known.lines is None else Part(traits=costs.net(value, spent))


def _stated(known: Known) -> Part:
    return Part(traits=known.chosen({"value": lambda row: row["value"].cast("float64")}))
