"""Market penetration: how many of the people of a cell of market research are customers.

A cell is a condition over traits, such as ``age_band = '18-24' and region = 'Kent'``. A figure counts as the cell's
population when its measure speaks of people: heads (``population``), or a share of the population.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine, expressions
from segmentry.errors import SegmentryError

_MOST_CELLS = 2_000  # cells of research are groups of people, not people
_AT_ONCE = 100  # conditions counted in one scan
_SHARES = ("share", "percent", "proportion")
_PEOPLE = ("population", "people", "inhabitants", "adults", "households")
COLUMNS = {
    "cell": "string",
    "measure": "string",
    "population": "float64",
    "customers": "int64",
    "penetration": "float64",
    "share_index": "float64",
    "source_name": "string",
}


def penetration(market: ir.Table, traits: ir.Table) -> ir.Table | None:
    """One row per cell with a population: the table ``penetration``; None where market research has none.

    A cell whose condition reads a trait that is not there has no customers counted (null).
    """
    cells = _cells(market)
    if not cells:
        return None
    counted: dict[str, int] = {}
    conditions = _conditions([c["cell"] for c in cells], traits)
    names = list(conditions)
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        sums = {f"c{i}": engine.count_where(conditions[cell].fill_null(False)) for i, cell in enumerate(some)}
        row = traits.agg(**sums).to_pyarrow().to_pylist()[0]
        counted |= {cell: int(row[f"c{i}"] or 0) for i, cell in enumerate(some)}
    rows = [_row(cell, counted, cells) for cell in cells]
    return ibis.memtable([tuple(row[c] for c in COLUMNS) for row in rows], schema=ibis.schema(COLUMNS))


def _cells(market: ir.Table) -> list[dict[str, Any]]:
    """Cell, measure, value and source of what is a population; of a cell that comes twice the newest figure."""
    measure = market["measure"].lower()
    people = ibis.or_(*(measure.contains(word) for word in _PEOPLE))
    order = [c for c in ("published", "known_from", "file", "line") if c in market.columns]
    source = market["source_name"] if "source_name" in market.columns else ibis.null("string")
    rows = market.filter(people & (market["value"] > 0))
    wanted = rows.select("cell", "measure", "value", *order, source_name=source)
    found = wanted.order_by([*order, "cell", "measure", "value"]).limit(10 * _MOST_CELLS).to_pyarrow().to_pylist()
    newest = {(row["cell"], row["measure"]): row for row in found}
    return [newest[key] for key in sorted(newest)][:_MOST_CELLS]


def _conditions(cells: Sequence[str], traits: ir.Table) -> dict[str, ir.BooleanValue]:
    made: dict[str, ir.BooleanValue] = {}
    for cell in dict.fromkeys(cells):
        try:
            made[cell] = expressions.parse(cell, where="market.cell").condition(traits)
        except SegmentryError:
            continue  # the table says so: its customers are not counted
    return made


def _row(cell: dict[str, Any], counted: dict[str, int], cells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    share = any(word in cell["measure"].lower() for word in _SHARES)
    mine = counted.get(cell["cell"])
    peers = [c for c in cells if c["measure"] == cell["measure"] and c["cell"] in counted]
    everybody, people = sum(counted[c["cell"]] for c in peers), sum(c["value"] for c in peers)
    index = None if mine is None or not everybody else (mine / everybody) / (cell["value"] / people)
    return {
        "cell": cell["cell"],
        "measure": cell["measure"],
        "population": cell["value"],
        "customers": mine,
        "penetration": None if mine is None or share else mine / cell["value"],
        "share_index": index,
        "source_name": cell["source_name"],
    }
