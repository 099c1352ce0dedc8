"""The table of traits: what the models make, joined to one row per unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.operations as ops
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS, Trait, declared_as
from segmentry.traits.known import KEY, Known, Part
from segmentry.traits.learning import Learned

# Of more customers every pass is made and kept on its own: at once, which is quicker by a tenth, those of 10 million do
# not fit into 6 GB.
AT_ONCE = 3_000_000


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
    tables = dict(enumerate([*sums, *part.passes]))
    row = _row(known.customers, tables)
    shared = dict(part.shared)
    if len(traits) < len(part.traits):
        whole = row.mutate(**{name: expression(row) for name, expression in shared.items()})
        read = {name for trait in traits for name in _read(part.traits[trait](whole), whole)}
        read |= {name for given in read & set(shared) for name in _read(shared[given](row), row)}
        shared = {name: expression for name, expression in shared.items() if name in read}
        tables = _pruned(tables, read)
    if known.people > AT_ONCE:
        tables = {i: engine.kept(f"pass_{i}", table) for i, table in tables.items()}
    row = _row(known.customers, tables)
    row = row.mutate(**{name: expression(row) for name, expression in shared.items()})
    columns = {trait.name: part.traits[trait](row) for trait in traits}
    return TraitTable(row.select(KEY, "customer_id", **columns), traits)


def _row(customers: ir.Table, tables: Mapping[int, ir.Table]) -> ir.Table:
    """The customers with all tables joined; a column whose name is taken gets the number of its table behind it."""
    row = customers
    for i, table in tables.items():
        row = row.left_join(table, KEY, rname=f"{{name}}_{i}").drop(f"{KEY}_{i}")
    return row


def _pruned(tables: Mapping[int, ir.Table], read: Collection[str]) -> dict[int, ir.Table]:
    """Without the columns, and the tables, that nothing reads."""
    kept = {i: [c for c in table.columns if c != KEY and {c, f"{c}_{i}"} & set(read)] for i, table in tables.items()}
    return {i: tables[i].select(KEY, *columns) for i, columns in kept.items() if columns}


def _read(value: ir.Value, row: ir.Table) -> set[str]:
    """The columns of a row that a value is made of."""
    return {field.name for field in value.op().find(ops.Field) if field.rel == row.op()}


_PLACES = {name: place for place, name in enumerate((*TRAITS, *ACCOUNT_TRAITS))}


def _place(trait: Trait) -> int:
    """Built-in traits stand in the order of the catalogue, then the attributes as they are declared."""
    return _PLACES.get(declared_as(trait.name), len(_PLACES))
