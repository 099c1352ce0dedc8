"""The only package that opens a warehouse database, and the only one that spells what engines spell differently.

An :class:`Engine` stores **generations**: sets of tables that are written once and then only read. A :class:`Session`
is a short-lived connection that sees chosen generations and can write one new one. ``DuckDB`` keeps them as files
(``duckdb_storage.py``), ``PostgreSQL`` as tables of a schema (``postgres_storage.py``); ``spelling.py`` has the
functions that give the same answer everywhere (law 9).
"""

from __future__ import annotations

from pathlib import Path

import ibis.expr.types as ir

from segmentry.engine import duckdb_storage
from segmentry.engine.batches import through_python
from segmentry.engine.duckdb_storage import DuckDB, DuckDBSession, in_memory
from segmentry.engine.spelling import (
    DIALECTS,
    EXACT_FLOATS,
    Step,
    count_where,
    days_between,
    decimals_for,
    exact_sum,
    exp,
    float_units,
    home_of,
    in_steps,
    json_text,
    ln,
    md5,
    median,
    mode,
    once,
    quick_hash,
    ratio,
    sample_order,
    sets,
    size_of,
    sum_of_units,
    to_sql,
    units,
)
from segmentry.engine.storage import Engine, GenerationGoneError, Progress, Session, Writer
from segmentry.engine.views import named

__all__ = [
    "DIALECTS",
    "EXACT_FLOATS",
    "DuckDB",
    "DuckDBSession",
    "Engine",
    "GenerationGoneError",
    "Progress",
    "Session",
    "Step",
    "Writer",
    "count_where",
    "days_between",
    "decimals_for",
    "exact_sum",
    "exp",
    "float_units",
    "in_memory",
    "in_steps",
    "json_text",
    "kept",
    "ln",
    "md5",
    "median",
    "mode",
    "named",
    "once",
    "open_engine",
    "quick_hash",
    "ratio",
    "sample_order",
    "sets",
    "size_of",
    "sum_of_units",
    "through_python",
    "to_sql",
    "units",
]


def open_engine(
    setting: str, folder: Path, workspace: str, *, memory_limit: str | None = None, threads: int | None = None
) -> Engine:
    """The engine of a workspace: ``setting`` is ``duckdb`` or the URL of a PostgreSQL database.

    ``folder`` is the warehouse folder, ``workspace`` the name that tells workspaces of one database apart.
    """
    files = DuckDB(folder, memory_limit=memory_limit, threads=threads)
    if setting == "duckdb":
        return files
    from segmentry.engine.postgres_storage import PostgreSQL

    return PostgreSQL(setting, files, workspace)


def kept(name: str, rows: ir.Table) -> ir.Table:
    """Materialise an intermediate table where its rows live, until that session ends; an older one of the name goes.

    For those who have expressions and no :class:`Session`. Small tables need none of it: ``ibis.memtable`` brings rows
    from Python to either engine.
    """
    con = home_of(rows)
    if con is None:
        return rows
    if con.name == "postgres":
        from segmentry.engine import postgres_storage

        return postgres_storage.keep(con, name, rows)
    return duckdb_storage.keep(con, name, rows)
