"""The table of traits: what the models make, joined to one row per unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.types as ir

from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS, Trait, declared_as
from segmentry.traits.known import KEY, Known, Part
from segmentry.traits.learning import Learned


@dataclass(frozen=True)
class TraitTable:
    """The table of traits: customer_key, customer_id, and one column for each of ``traits``, in that order.

    Those of an account stand in customer_key and customer_id, too. ``absent`` says why traits are not there: those of
    the catalogue (a family by its name) and those that segmentry.yaml asks for.
    """

    table: ir.Table
    traits: tuple[Trait, ...]
    absent: Mapping[str, str] = field(default_factory=dict)
    learned: Mapping[str, Learned] = field(default_factory=dict)
    evidence: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def joined(known: Known, part: Part) -> TraitTable:
    """The rows of all customers with the built-in traits and the attributes."""
    row = known.customers
    sums = [] if known.lines is None or not part.sums else [known.lines.group_by(KEY).agg(**part.sums)]
    for i, table in enumerate((*sums, *part.passes)):
        row = row.left_join(table, KEY, rname=f"{{name}}_{i}")
    row = row.mutate(**{name: expression(row) for name, expression in part.shared.items()})
    traits = tuple(sorted(part.traits, key=_place))
    columns = {trait.name: part.traits[trait](row) for trait in traits}
    return TraitTable(row.select(KEY, "customer_id", **columns), traits)


_PLACES = {name: place for place, name in enumerate((*TRAITS, *ACCOUNT_TRAITS))}


def _place(trait: Trait) -> int:
    """Built-in traits stand in the order of the catalogue, then the attributes as they are declared."""
    return _PLACES.get(declared_as(trait.name), len(_PLACES))
