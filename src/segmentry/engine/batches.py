"""Temporary tables: rows that Python looks at one by one, in batches and never all of them in memory, and rows that
are computed once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from pyarrow import parquet

BATCH_ROWS = 20_000

Work = Callable[[pa.RecordBatch], pa.RecordBatch]


def through_python(rows: ir.Table, name: str, schema: ibis.Schema, work: Work) -> ir.Table:
    """What ``work`` makes of rows, batch by batch, as a temporary table of their database.

    The results wait in a file until all rows are read: a connection can do one thing at a time. ``name`` is that of the
    table, which lasts as long as the connection; an older one of the name goes. ``work`` gives batches of ``schema``.
    """
    backend: Any = rows.get_backend()
    with tempfile.TemporaryDirectory(prefix="segmentry-") as folder:
        file = Path(folder) / "rows.parquet"
        with parquet.ParquetWriter(file, schema.to_pyarrow()) as writer:
            for batch in backend.to_pyarrow_batches(rows, chunk_size=BATCH_ROWS):
                writer.write_batch(work(batch))
        if backend.name == "postgres":
            batches = parquet.ParquetFile(file).iter_batches(BATCH_ROWS)
            return backend.filled_temporary(name, schema, batches)
        backend.raw_sql(f"""CREATE OR REPLACE TEMP TABLE "{name}" AS FROM read_parquet('{file}')""")
        return backend.table(name, database=("temp", "main"))
