"""Margins of a population from market research: cells such as ``age_band = '18-24'`` that part everybody, with people.

The cells come from the table ``penetration``, which tells what of the market data is a population.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from segmentry import engine, expressions
from segmentry.errors import SegmentryError
from segmentry.stats.raking import Margin
from segmentry.wording import agree

if TYPE_CHECKING:
    import pandas as pd


_NONE: Mapping[str, str] = {}


def margins(
    cells: Sequence[Mapping[str, Any]], rows: pd.DataFrame, changed: Mapping[str, str] = _NONE
) -> tuple[list[Margin], list[str]]:
    """The margins that cells make for the rows of a sample, and notes about those that make none.

    The cells of one measure and the same traits are one margin. It needs two or more with people in the sample that do
    not overlap; the rows of no cell count as not known. ``changed`` are traits that were made anonymous, each with what
    was done to it: a margin of one of them is not used, because weights by it would tell what was taken away.
    """
    groups: dict[tuple[str, tuple[str, ...]], list[Mapping[str, Any]]] = {}
    notes: list[str] = []
    for cell in cells:
        try:
            parsed = expressions.parse(cell["cell"], where="market.cell")
            if lost := [name for name in map(str.lower, parsed.columns) if name in changed]:
                why = f"{lost[0]} was {changed[lost[0]]} in the sample, and weights by it would tell what was taken out"
                note = f"{cell['measure']} by {', '.join(sorted(parsed.columns))} is not used: {why}."
                notes += [note] if note not in notes else []
                continue
            read = parsed.resolve(list(rows.columns)).columns
        except SegmentryError as error:
            notes.append(f"The cell {cell['cell']} of the market data is not used: {error}")
            continue
        groups.setdefault((cell["measure"], tuple(sorted(read))), []).append(cell)
    found = []
    for (measure, read), alike in groups.items():
        name = f"{measure} by {', '.join(read)}"
        inside = _inside([c["cell"] for c in alike], rows[list(read)])
        there = np.asarray(inside.any(axis=0), dtype=bool)
        missing = [c["cell"] for c, t in zip(alike, there.tolist(), strict=True) if not t]
        if (inside.sum(axis=1) > 1).any():
            notes.append(f"{name} is no margin: its cells overlap.")
        elif there.sum() < 2:
            notes.append(f"{name} is no margin: fewer than two of its cells have people in the sample.")
        else:
            if missing:
                notes.append(f"{name}: nobody in the sample is in {', '.join(missing)}; the other cells are used.")
            shares = np.array([float(c["population"]) for c in alike])[there]
            kept = inside[:, there]
            if outside := int((~kept.any(axis=1)).sum()):
                share = f"{100 * outside / len(rows):.1f} %"
                told = agree(
                    outside, f"{{n}} [row|rows] ({share}) [is|are] in none of its cells and [keeps its|keep their]"
                )
                notes.append(f"{name}: {told} weight.")
            codes = np.where(kept.any(axis=1), kept.argmax(axis=1), -1).astype(np.int64)
            found.append(Margin(name, codes, shares / shares.sum()))
    return found, notes


def _inside(conditions: Sequence[str], rows: pd.DataFrame) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """(rows, conditions) whether a row is in a cell, by the same expressions as in the engine."""
    with engine.in_memory() as con:
        table = con.create_table("sample", rows.reset_index(drop=True)).mutate(row_number=ibis.row_number())
        tests = [expressions.parse(text, where="market.cell").condition(table).fill_null(False) for text in conditions]
        told = table.select("row_number", **{f"c{i}": test for i, test in enumerate(tests)}).order_by("row_number")
        return con.to_pandas(told).drop(columns="row_number").to_numpy(dtype=bool)
