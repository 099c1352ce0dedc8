"""The only file that opens a warehouse database, and the only one that spells what engines spell differently.

An :class:`Engine` stores **generations**: sets of tables that are written once and then only read. On DuckDB a
generation is one immutable file, attached read-only by its readers, so that nobody waits for anybody. A
:class:`Session` is a short-lived connection that sees chosen generations and can write one new one.

The functions at the top (:func:`days_between`, :func:`ratio`, :func:`ln`, :func:`md5`, :func:`median`, :func:`mode`)
give the same answer on DuckDB, PostgreSQL and Spark (law 9); their raw forms are not allowed elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from segmentry.errors import DataError, UsageError, did_you_mean

Progress = Callable[[int, int], None]  # work done, work in all (any unit)


# Spelling: one expression, one answer on every engine -----------------------------------------------------------------


def days_between(later: ir.Value, earlier: ir.Value) -> ir.IntegerValue:
    """Whole days from one date (or time: its UTC date) to another."""
    return later.cast("date").delta(earlier.cast("date"), unit="day").cast("int64")


def ratio(numerator: ir.NumericValue, denominator: ir.NumericValue) -> ir.FloatingValue:
    """The quotient as float64; null where the denominator is 0 or null."""
    return numerator.cast("float64") / denominator.cast("float64").nullif(0.0)


def ln(value: ir.NumericValue) -> ir.FloatingValue:
    """The natural logarithm; null where the value is not above 0 (engines differ: error, null or NaN)."""
    number = value.cast("float64")
    return (number > 0).ifelse(number, ibis.null("float64")).ln()


@ibis.udf.scalar.builtin(name="md5", signature=(("string",), "string"))
def _md5(text: str) -> str:
    """The engine's own md5: 32 hexadecimal digits, the same everywhere."""
    raise AssertionError(text)  # Ibis calls the function of that name in the database


def md5(text: ir.StringValue) -> ir.StringValue:
    """md5 of UTF-8 text as 32 lower-case hexadecimal digits (RFC 1321)."""
    return _md5(text)


def sample_order(key: ir.Value, salt: str) -> ir.StringValue:
    """A pseudo-random sort key that every engine agrees on: ``md5(salt || '|' || key)`` (law 6)."""
    return md5(ibis.literal(f"{salt}|") + key.cast("string"))


def median(value: ir.NumericColumn) -> ir.NumericScalar:
    """The median, halfway between the middle two for an even number of values."""
    return value.cast("float64").quantile(0.5)


def mode(table: ir.Table, by: str, value: str, *, where: ir.BooleanValue | None = None) -> ir.Table:
    """The most frequent value of each group, ties broken by the smaller value; columns ``by`` and ``value``.

    Two steps (count, then rank) because one-step modes are slow and break ties at random.
    """
    rows = table.filter(table[value].notnull()) if where is None else table.filter(table[value].notnull() & where)
    counts = rows.group_by([by, value]).agg(rows_counted=rows.count())
    ranked = counts.mutate(
        rank=ibis.row_number().over(group_by=by, order_by=[ibis.desc("rows_counted"), ibis.asc(value)])
    )
    return ranked.filter(ranked["rank"] == 0).select(by, value)


# Names that people use -> Ibis compilers. Ibis compiles for pyspark only where Spark is installed; Databricks speaks
# Spark's SQL.
DIALECTS = {
    "duckdb": "duckdb",
    "postgres": "postgres",
    "postgresql": "postgres",
    "snowflake": "snowflake",
    "bigquery": "bigquery",
    "spark": "databricks",
    "databricks": "databricks",
}


def to_sql(expression: ir.Expr, dialect: str) -> str:
    """The SQL of an expression, with its named steps kept as subqueries (law 10).

    Raises :class:`UsageError` for a dialect that is none of ``DIALECTS``.
    """
    if dialect.lower() not in DIALECTS:
        raise UsageError(f"There is no SQL dialect '{dialect}' here.", why=did_you_mean(dialect, DIALECTS))
    with _steps_kept():
        return str(ibis.to_sql(expression, dialect=DIALECTS[dialect.lower()]))


@contextlib.contextmanager
def _steps_kept() -> Iterator[None]:
    """Every step stays a SELECT of its own: inlined into one, a placement grows to megabytes (law 10)."""
    before = ibis.options.sql.fuse_selects
    ibis.options.sql.fuse_selects = False
    try:
        yield
    finally:
        ibis.options.sql.fuse_selects = before


# Storage --------------------------------------------------------------------------------------------------------------


class Engine:
    """DuckDB storage in a folder: ``gN.duckdb`` per generation, ``parts/*.parquet`` for collected facts."""

    def __init__(self, folder: Path, *, memory_limit: str | None = None, threads: int | None = None) -> None:
        self.folder = folder
        self.parts = folder / "parts"
        self.scratch = folder / "scratch" / str(os.getpid())  # every process cleans up after itself
        self._settings: dict[str, Any] = {"preserve_insertion_order": True}
        if memory_limit:
            self._settings["memory_limit"] = memory_limit
        if threads:
            self._settings["threads"] = threads
        for path in (folder, self.parts, self.scratch):
            path.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def session(self, generations: Mapping[str, int] | None = None) -> Iterator[Session]:
        """A connection that sees the tables of the given generations, each under its alias."""
        con = ibis.duckdb.connect(temp_directory=str(self.scratch), **self._settings)
        con.raw_sql("SET TimeZone = 'UTC'")
        session = Session(self, con)
        try:
            session.attach(generations or {})
            yield session
        except duckdb.Error as error:
            raise _readable(error) from error
        finally:
            con.disconnect()
            session.clear()

    def close(self) -> None:
        """Remove this process's scratch files."""
        shutil.rmtree(self.scratch, ignore_errors=True)

    def file_of(self, generation: int) -> Path:
        return self.folder / f"g{generation}.duckdb"

    def sweep(self, keep_generations: set[int], keep_parts: set[str]) -> None:
        """Remove files of generations and parts that nothing points to: leftovers and outdated ones."""
        for path in self.folder.glob("g*.duckdb*"):
            number = path.name[1:].split(".")[0]
            if not (number.isdigit() and int(number) in keep_generations and path.suffix == ".duckdb"):
                path.unlink()
        for path in self.parts.iterdir():
            if path.name not in keep_parts:
                path.unlink()
        for path in self.scratch.parent.iterdir():
            if not _alive(int(path.name)):
                shutil.rmtree(path, ignore_errors=True)


class Session:
    """A connection to chosen generations; see :meth:`Engine.session`."""

    def __init__(self, engine: Engine, con: Backend) -> None:
        self.engine = engine
        self.con = con
        self._attached: dict[str, str] = {}
        self._bench: Path | None = None

    def attach(self, generations: Mapping[str, int]) -> None:
        """Make the tables of generations readable, each under its alias."""
        for alias, number in generations.items():
            catalog = f"g{number}"
            if catalog not in self._attached.values():
                if not self.engine.file_of(number).exists():
                    raise FileNotFoundError(self.engine.file_of(number))
                self.con.attach(self.engine.file_of(number), name=catalog, read_only=True)
            self._attached[alias] = catalog

    def keep(self, name: str, rows: ir.Table, progress: Progress | None = None) -> ir.Table:
        """Materialise an intermediate table on disk for the rest of the session; an older one of the name goes."""
        if self._bench is None:
            self._bench = self.engine.scratch / f"bench-{uuid.uuid4().hex}.duckdb"
            self.con.attach(self._bench, name="bench")
        with watched(self.con, progress):
            return self.con.create_table(name, rows, database=("bench", "main"), overwrite=True)

    def clear(self) -> None:
        """Remove the intermediate tables; the connection is closed."""
        if self._bench is not None:
            _remove(self._bench)

    def table(self, alias: str, name: str) -> ir.Table:
        """A table of an attached generation."""
        return self.con.table(name, database=(self._attached[alias], "main"))

    def has(self, alias: str, name: str) -> bool:
        """Whether an attached generation holds the table."""
        return alias in self._attached and name in self.con.list_tables(database=(self._attached[alias], "main"))

    def facts(self, parts: Sequence[str]) -> ir.Table:
        """The rows of Parquet parts as one table; columns missing from a part are null."""
        paths = [str(self.engine.parts / name) for name in parts]
        return self.con.read_parquet(paths, union_by_name=True)

    @contextlib.contextmanager
    def new_generation(self, number: int, progress: Progress | None = None) -> Iterator[Writer]:
        """Write the tables of a new generation; the file appears under its name only when all are written."""
        final = self.engine.file_of(number)
        beside = final.with_suffix(".duckdb.writing")
        beside.unlink(missing_ok=True)
        catalog = f"new{number}"
        self.con.attach(beside, name=catalog)
        try:
            yield Writer(self.con, catalog, progress)
            self.con.raw_sql(f"CHECKPOINT {catalog}")
        except BaseException:
            self.con.detach(catalog)
            _remove(beside)
            raise
        self.con.detach(catalog)
        _sync(beside)
        beside.replace(final)

    def write_part(self, rows: ir.Table, name: str, progress: Progress | None = None) -> None:
        """Write rows as an immutable Parquet part; the file appears under its name only when it is whole."""
        final = self.engine.parts / name
        beside = final.with_suffix(".writing")
        try:
            with watched(self.con, progress):
                self.con.to_parquet(rows, beside, compression="zstd", row_group_size=122_880)
            _sync(beside)
            beside.replace(final)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


class Writer:
    """Writes the tables of one new generation."""

    def __init__(self, con: Backend, catalog: str, progress: Progress | None) -> None:
        self._con = con
        self._catalog = catalog
        self._progress = progress
        self.rows: dict[str, int] = {}
        self.sql: dict[str, str] = {}

    def write(self, name: str, rows: ir.Table) -> ir.Table:
        """Write a table, in the order of ``rows``, and give it back for reading within the session."""
        with watched(self._con, self._progress):
            table = self._con.create_table(name, rows, database=(self._catalog, "main"))
        self.sql[name] = str(ibis.to_sql(rows, dialect="duckdb"))
        self.rows[name] = int(table.count().execute())
        return table


@contextlib.contextmanager
def watched(con: Backend, progress: Progress | None) -> Iterator[None]:
    """Report the progress of the queries run inside, in per cent, about five times a second."""
    if progress is None:
        yield
        return
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            percent = con.con.query_progress()
            if percent >= 0:
                progress(int(percent), 100)

    con.raw_sql("SET enable_progress_bar = true")
    con.raw_sql("SET enable_progress_bar_print = false")
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@contextlib.contextmanager
def in_memory(scratch: Path | None = None) -> Iterator[Backend]:
    """An empty DuckDB in memory, for data frames and files outside a workspace.

    What does not fit into memory goes to ``scratch``, a folder that is removed afterwards.
    """
    con = ibis.duckdb.connect(**({"temp_directory": str(scratch)} if scratch else {}))
    try:
        con.raw_sql("SET TimeZone = 'UTC'")
        yield con
    finally:
        con.disconnect()
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's process: alive
        return True
    return True


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    for file in path.parent.glob(path.name + "*"):
        file.unlink()


def _readable(error: duckdb.Error) -> Exception:
    text = str(error).split("\n")[0]
    if "No space left" in text or "File too large" in text or "Could not write" in text:
        return DataError(
            "The disk has no room for the result of this stage.",
            why=f"The database said: {text}",
            fix="Free some space and run again; the former result is untouched.",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return DataError(
            "The database ran out of memory.",
            why=f"It said: {text}",
            fix="Close other programs, or set SEGMENTRY_MEMORY_LIMIT to what may be used, such as 8GB.",
        )
    return error
