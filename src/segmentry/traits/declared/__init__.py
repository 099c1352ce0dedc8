"""Declared traits: the ``traits`` section of segmentry.yaml, computed for every customer, or account.

==================  ==================================================================================================
``definitions.py``  what is written, checked without data: names, kinds, order
``reading.py``      a declared trait in plain English
``facts.py``        rows of a fact table with the columns and conditions that traits ask for
``aggregates.py``   one function per aggregate, and the passes that they share
==================  ==================================================================================================

A trait whose data are not there is absent and says why; so are those that read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from segmentry.declaration import ROWS
from segmentry.expressions.functions import CASTS
from segmentry.placement.rule import number
from segmentry.traits.declared import reading
from segmentry.traits.declared.aggregates import Passes
from segmentry.traits.declared.definitions import Definition, definitions
from segmentry.traits.declared.facts import FactRows, survey
from segmentry.traits.known import KEY, Expression, Known

__all__ = ["Added", "Definition", "add", "definitions"]


@dataclass(frozen=True)
class Added:
    """A table of traits with the declared ones behind; ``absent`` says why those that are not there are not."""

    table: ir.Table
    made: tuple[Definition, ...]
    absent: Mapping[str, str]


def add(table: ir.Table, known: Known, declared: Sequence[Definition], *, needed: frozenset[str]) -> Added:
    """The table of traits with a column for each declared trait whose data are there.

    ``declared``, all of the unit that ``known`` is about, are in an order in which each comes after what it reads, as
    :func:`definitions` gives them. Those that are ``needed`` by a frozen segmentation are there as long as their table
    is.
    """
    made: list[Definition] = []
    absent: dict[str, str] = {}
    for level in sorted({d.level for d in declared}):
        of_level = [d for d in declared if d.level == level]
        absent |= {d.name: why for d in of_level if (why := _lacks_trait(d, table, absent))}
        asking = [d for d in of_level if d.name not in absent]
        passes, columns = _level(asking, table, known, needed, absent)
        row = table
        for i, further in enumerate(passes):
            row = row.left_join(further, KEY, rname=f"{{name}}_{i}")
        there = [d for d in asking if d.name in columns]
        table = row.select(*table.columns, **{d.name: _finite(columns[d.name](row)) for d in there})
        made += there
    return Added(table, tuple(made), absent)


def _finite(value: ir.Value) -> ir.Value:
    """What is nearly infinite is not known: it would drown the figures of all others."""
    return number(value) if value.type().is_floating() else value


def _lacks_trait(definition: Definition, table: ir.Table, absent: Mapping[str, str]) -> str:
    """Why a trait cannot be made for want of another; empty when it can."""
    lacking = next((name for name in definition.traits if name not in table.columns), None)
    if lacking is None:
        return ""
    return f"it reads {lacking}, " + (f"and {absent[lacking]}" if lacking in absent else "whose data are not there")


def _level(
    asking: Sequence[Definition], table: ir.Table, known: Known, needed: frozenset[str], absent: dict[str, str]
) -> tuple[list[ir.Table], dict[str, Expression]]:
    """The passes that one level of traits needs, and the value of each over a row that they are joined to.

    Writes into ``absent`` why the others are not there.
    """
    passes: list[ir.Table] = []
    found: dict[str, Expression] = {d.name: _of_traits(d) for d in asking if not d.table}
    for name in dict.fromkeys(d.table for d in asking if d.table):
        mine = [d for d in asking if d.table == name]
        if name not in known.facts:
            absent.update({d.name: f"no {name} of known {d.of}s are collected" for d in mine})
            continue
        facts = FactRows.of(known.facts[name], known.as_of, mine, table)
        filled = survey(facts, mine)
        gathered = Passes(facts)
        for d in mine:
            if d.name not in needed and (lack := _lack(d, filled)):
                absent[d.name] = lack
            else:
                found[d.name] = gathered.add(d)
        passes += gathered.tables()
    return passes, found


def _lack(definition: Definition, filled: Mapping[str, int]) -> str:
    """Which data a trait needs that the rows do not have."""
    rows = reading.several(ROWS[definition.table])
    if not filled[""]:
        return f"there are no {rows} of known {definition.of}s by then"
    lacking = next((name for name in definition.columns if not filled[name]), None)
    return f"none of the {rows} has {lacking}" if lacking else ""


def _of_traits(definition: Definition) -> Expression:
    if definition.parts.function == "rank_within":
        return lambda row: _place(definition, row)
    argument = definition.argument
    assert argument is not None

    def value(row: ir.Table) -> ir.Value:
        columns = {name: row[name] for name in argument.columns}
        made = argument.bind(columns, number=CASTS["text", "number"], time=CASTS["text", "timestamp"])
        types = {"category": "string", "boolean": "boolean", "number": "float64"}
        return made.cast(types[definition.trait.kind])

    return value


def _place(definition: Definition, row: ir.Table) -> ir.Value:
    """1 for the most; equals share a place, and the next one is as far behind as there are of them."""
    value, groups = row[definition.parts.trait], [row[name] for name in definition.parts.by]
    window = ibis.window(group_by=groups, order_by=ibis.desc(value, nulls_first=False))
    placed = ibis.rank().over(window) + 1
    known = ibis.and_(value.notnull(), *(group.notnull() for group in groups))
    return known.ifelse(placed, ibis.null("int64")).cast("int64")
