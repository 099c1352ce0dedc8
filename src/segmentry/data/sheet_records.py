"""The records of Excel sheets and of Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from segmentry.data.clean_text import SHOWN, RejectWriter
from segmentry.data.excel_rows import Workbook
from segmentry.data.file_shape import FileShape
from segmentry.data.header import LINE
from segmentry.data.records import Bench, Counts, Records, first_line
from segmentry.errors import DataError

_BATCH = 10_000
_NESTED = {"array", "list", "map", "struct", "union"}
_PLAIN = {"boolean", "date", "decimal", "double", "float", "varchar"} | {
    *("tinyint", "smallint", "integer", "bigint", "hugeint"),
    *("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
    *("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone"),
}


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
        rows = bench.view(_plain(bench.con.con.read_parquet(str(bench.linked(path)), file_row_number=True)))
        count = int(rows.count().execute())
    except duckdb.Error as error:
        raise DataError(
            f"{path.name} cannot be read as a Parquet file.",
            why=f"DuckDB says: {first_line(error)}",
            fix="Export the file again, as Parquet or CSV.",
        ) from error
    given = [c for c in rows.columns if c != "file_row_number"]
    columns = {name: rows[c] for c, name in zip(given, shape.columns, strict=True)}
    table = rows.select(**{LINE: rows["file_row_number"].cast("int64") + 1}, **columns)
    rejects = bench.file("rejected.parquet")
    with RejectWriter(rejects):
        pass
    counts = Counts(unit="rows", total=count, records=count)
    return Records(table=table, rejected=bench.parquet(rejects), counts=counts, _bench=bench)


def _plain(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The same columns, those that are no plain values as text."""
    plain = []
    for name, kind in zip(rows.columns, rows.types, strict=True):
        column = duckdb.ColumnExpression(name)
        if kind.id in _NESTED:
            text = duckdb.FunctionExpression("to_json", column).cast("VARCHAR")
            column = duckdb.CaseExpression(column.isnotnull(), text)
        elif kind.id not in _PLAIN or str(kind) == "JSON":
            column = column.cast("VARCHAR")
        plain.append(column.alias(name))
    return rows.select(*plain)
