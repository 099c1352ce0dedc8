"""The list of a segment's customers, as a CSV that a spreadsheet or a CRM can take without harm."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import ibis.expr.types as ir

# A spreadsheet takes a cell that starts with one of these for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_csv(table: ir.Table, path: Path) -> int:
    """Write all rows, beside first and then swapped; gives their number.

    UTF-8 with a byte order mark, so that Excel reads it right; text that could be taken for a formula gets an
    apostrophe in front.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".writing")
    count = 0
    try:
        with beside.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(table.columns)
            for batch in table.to_pyarrow_batches(chunk_size=50_000):
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    writer.writerow([safe(cell) for cell in row])
                count += batch.num_rows
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return count


def safe(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula.

    >>> safe("=1+1"), safe("C-1042"), safe(-3.5), safe(None)
    ("'=1+1", 'C-1042', -3.5, '')
    """
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return "'" + cell
    return cell


def first(table: ir.Table, most: int) -> tuple[list[dict[str, Any]], int]:
    """The first rows, and how many there are in all."""
    return list(table.limit(most).to_pyarrow().to_pylist()), int(table.count().execute())
