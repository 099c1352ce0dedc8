"""The records of Excel sheets and of Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from segmentry.data.clean_text import SHOWN, RejectWriter
from segmentry.data.excel_rows import Workbook
from segmentry.data.file_shape import FileShape
from segmentry.data.header import LINE
from segmentry.data.records import Bench, Counts, Records
from segmentry.errors import DataError

_BATCH = 10_000


def excel_records(bench: Bench, path: Path, shape: FileShape) -> Records:
    """Read a sheet row by row. Rows that hold nothing count as blank, rows wider than the header are rejected."""
    width = len(shape.columns)
    stored, rejects = bench.file("records.parquet"), bench.file("rejected.parquet")
    schema = pa.schema([(LINE, pa.int64()), *((f"c{i}", pa.string()) for i in range(width))])
    total = blank = records = 0
    batch: list[list[Any]] = []
    out = pq.ParquetWriter(stored, schema, compression="lz4")
    with Workbook(path) as book, out, RejectWriter(rejects) as rejected:
        for total, row in enumerate(book.rows(shape.sheet or book.choose(None)), 1):
            if total <= shape.header_lines:
                continue
            cells = [cell if cell.strip() else None for cell in row]
            if not any(cells):
                blank += 1
            elif any(cells[width:]):
                text = " | ".join(cell or "" for cell in cells)
                rejected.add(total, f"a cell beyond the {width} columns of the header", text[:SHOWN])
            else:
                records += 1
                batch.append([total, *cells[:width], *[None] * (width - len(cells))])
            if len(batch) >= _BATCH:
                out.write_table(_arrow(batch, schema))
                batch = []
        out.write_table(_arrow(batch, schema))
    table = bench.parquet(stored)
    counts = Counts(
        unit="rows",
        total=total,
        header=min(shape.header_lines, total),
        records=records,
        rejected=rejected.count,
        blank=blank,
    )
    named = table.select(LINE, **{name: f"c{i}" for i, name in enumerate(shape.columns)})
    return Records(table=named, rejected=bench.parquet(rejects), counts=counts, _bench=bench)


def _arrow(rows: list[list[Any]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[] for _ in schema]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def parquet_records(bench: Bench, path: Path, shape: FileShape) -> Records:
    """A Parquet file as it is: nested columns become JSON text, other unusual types text."""
    try:
        rows = bench.parquet(bench.linked(path), file_row_number=True)
        count = int(rows.count().execute())
    except (duckdb.Error, NotImplementedError) as error:
        raise DataError(
            f"{path.name} cannot be read as a Parquet file.",
            why=f"DuckDB says: {str(error).splitlines()[0]}",
            fix="Export the file again, as Parquet or CSV.",
        ) from error
    given = [c for c in rows.columns if c != "file_row_number"]
    columns = {name: _simple(rows[c]) for c, name in zip(given, shape.columns, strict=True)}
    table = rows.select(**{LINE: rows["file_row_number"].cast("int64") + 1}, **columns)
    rejects = bench.file("rejected.parquet")
    with RejectWriter(rejects):
        pass
    counts = Counts(unit="rows", total=count, records=count)
    return Records(table=table, rejected=bench.parquet(rejects), counts=counts, _bench=bench)


@ibis.udf.scalar.builtin(name="to_json")
def _to_json(value) -> str:  # type: ignore[no-untyped-def]  # Ibis takes a parameter without a type for any value
    """DuckDB's own JSON writer."""
    raise AssertionError(value)  # Ibis calls the function of that name in the database


def _simple(column: ir.Value) -> ir.Value:
    kind = column.type()
    if kind.is_nested() or kind.is_json():
        text: Any = _to_json(column).cast("string")
        return column.isnull().ifelse(ibis.null("string"), text)
    if kind.is_numeric() or kind.is_temporal() or kind.is_boolean() or kind.is_string():
        return column if not isinstance(kind, dt.Time) else column.cast("string")
    return column.cast("string")
