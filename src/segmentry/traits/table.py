"""The table of traits: what the models make, joined to one row per unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.operations as ops
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
    """The rows of all customers with the built-in traits that are wanted and the attributes."""
    sums = [] if known.lines is None or not part.sums else [known.lines.group_by(KEY).agg(**part.sums)]
    traits = tuple(sorted(filter(known.wants, part.traits), key=_place))
    tables = [*sums, *part.passes]
    row = _row(known.customers, tables)
    shared = {name: expression(row) for name, expression in part.shared.items()}
    if len(traits) < len(part.traits):
        whole = row.mutate(**shared)
        read = {name for trait in traits for name in _read(part.traits[trait](whole), whole)}
        read |= {name for given in read & set(shared) for name in _read(shared[given], row)}
        row = _row(known.customers, tables, read)
        shared = {name: expression(row) for name, expression in part.shared.items() if name in read}
    row = row.mutate(**shared)
    columns = {trait.name: part.traits[trait](row) for trait in traits}
    return TraitTable(row.select(KEY, "customer_id", **columns), traits)


def _row(customers: ir.Table, tables: Sequence[ir.Table], read: Collection[str] | None = None) -> ir.Table:
    """The customers with all tables joined; without the columns, and the tables, that nothing reads."""
    row = customers
    for i, table in enumerate(tables):
        kept = [c for c in table.columns if c != KEY and (read is None or c in read or f"{c}_{i}" in read)]
        if kept:
            row = row.left_join(table.select(KEY, *kept), KEY, rname=f"{{name}}_{i}")
    return row


def _read(value: ir.Value, row: ir.Table) -> set[str]:
    """The columns of a row that a value is made of."""
    return {field.name for field in value.op().find(ops.Field) if field.rel == row.op()}


_PLACES = {name: place for place, name in enumerate((*TRAITS, *ACCOUNT_TRAITS))}


def _place(trait: Trait) -> int:
    """Built-in traits stand in the order of the catalogue, then the attributes as they are declared."""
    return _PLACES.get(declared_as(trait.name), len(_PLACES))
