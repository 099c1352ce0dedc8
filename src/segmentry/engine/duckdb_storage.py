"""DuckDB storage in a folder: a generation is one immutable file, attached read-only by its readers, so that nobody
waits for anybody. Collected facts are Parquet files beside them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from segmentry.engine import storage
from segmentry.engine.spelling import apart
from segmentry.engine.storage import GenerationGoneError, Progress
from segmentry.engine.views import spelt_out
from segmentry.errors import DataError

# Dictionaries of columns with more values than that, and the filters over them, take a fifth of the time of writing.
_PART = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, DICTIONARY_SIZE_LIMIT 2000, WRITE_BLOOM_FILTER false"


class DuckDB(storage.Engine):
    """``gN.duckdb`` per generation, ``parts/*.parquet`` for collected facts, ``scratch/`` per process."""

    identity = "duckdb"

    def __init__(self, folder: Path, *, memory_limit: str | None = None, threads: int | None = None) -> None:
        self.folder = folder
        self.parts = folder / "parts"
        # One for each time a workspace is opened; it cleans up after itself, and others after dead processes.
        self.scratch = folder / "scratch" / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._settings: dict[str, Any] = {"preserve_insertion_order": True}
        if memory_limit:
            self._settings["memory_limit"] = memory_limit
        if threads:
            self._settings["threads"] = threads
        for path in (folder, self.parts, self.scratch):
            path.mkdir(parents=True, exist_ok=True)

    @property
    def files(self) -> DuckDB:
        return self

    @contextlib.contextmanager
    def session(self, generations: Mapping[str, int] | None = None) -> Iterator[DuckDBSession]:
        con = ibis.duckdb.connect(temp_directory=str(self.scratch), **self._settings)
        con.raw_sql("SET TimeZone = 'UTC'")
        session = DuckDBSession(self, con)
        try:
            session.attach(generations or {})
            yield session
        except duckdb.Error as error:
            raise _readable(error) from error
        finally:
            con.disconnect()

    def reader(self, generations: Mapping[str, int]) -> contextlib.AbstractContextManager[DuckDBSession]:
        return self.session(generations)

    def publish(self, generation: int, progress: Progress | None = None) -> None:
        """Nothing to do: readers attach the file itself."""

    def close(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)

    def file_of(self, generation: int) -> Path:
        return self.folder / f"g{generation}.duckdb"

    def sweep(self, keep_generations: set[int], keep_parts: set[str]) -> None:
        for path in self.folder.glob("g*.duckdb*"):
            number = path.name[1:].split(".")[0]
            if not (number.isdigit() and int(number) in keep_generations and path.suffix == ".duckdb"):
                path.unlink()
        for path in self.parts.iterdir():
            if path.name not in keep_parts:
                path.unlink()
        for path in self.scratch.parent.iterdir():
            if not _alive(int(path.name.partition("-")[0])):
                shutil.rmtree(path, ignore_errors=True)


class DuckDBSession(storage.Session):
    """A DuckDB connection to chosen generations."""

    con: Backend

    def __init__(self, engine: DuckDB, con: Backend) -> None:
        self.engine = engine
        self.con = con
        self._attached: dict[str, str] = {}

    def attach(self, generations: Mapping[str, int]) -> None:
        """Make the tables of generations readable, each under its alias."""
        for alias, number in generations.items():
            catalog = f"g{number}"
            if catalog not in self._attached.values():
                if not self.engine.file_of(number).exists():
                    raise GenerationGoneError(str(number))
                self.con.attach(self.engine.file_of(number), name=catalog, read_only=True)
            self._attached[alias] = catalog

    def tables_of(self, alias: str) -> list[str]:
        """Names of the tables of an attached generation."""
        return list(self.con.list_tables(database=(self._attached[alias], "main")))

    def table(self, alias: str, name: str) -> ir.Table:
        return self.con.table(name, database=(self._attached[alias], "main"))

    def has(self, alias: str, name: str) -> bool:
        return alias in self._attached and name in self.tables_of(alias)

    def facts(self, parts: Sequence[str], progress: Progress | None = None) -> ir.Table:
        del progress  # the files are read in place
        paths = [str(self.engine.parts / name) for name in parts]
        return self.con.read_parquet(paths, union_by_name=True)

    def parts(self, parts: Sequence[str]) -> ir.Table:
        return self.facts(parts)

    def keep(self, name: str, rows: ir.Table, progress: Progress | None = None) -> ir.Table:
        with watched(self.con, progress):
            return keep(self.con, name, rows)

    def keep_numbered(self, name: str, rows: ir.Table, column: str, first: int) -> ir.Table:
        """The same with a column that numbers the rows in their order, counted from ``first``."""
        kept = self.keep(name, rows)
        return kept.mutate(**{column: kept.rowid() + first})

    @contextlib.contextmanager
    def new_generation(self, number: int, progress: Progress | None = None) -> Iterator[DuckDBWriter]:
        final = self.engine.file_of(number)
        beside = final.with_suffix(".duckdb.writing")
        beside.unlink(missing_ok=True)
        catalog = f"new{number}"
        self.con.attach(beside, name=catalog)
        try:
            yield DuckDBWriter(self.con, catalog, progress)
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
                self.con._run_pre_execute_hooks(rows)
                # Apart: what is constant is added to sorted rows, not sorted with them.
                self.con.raw_sql(f"COPY ({apart(rows, 'duckdb')}) TO '{_quoted(beside)}' ({_PART})")
            _sync(beside)
            beside.replace(final)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


class DuckDBWriter(storage.Writer):
    """Writes the tables of one new generation."""

    def __init__(self, con: Backend, catalog: str, progress: Progress | None) -> None:
        super().__init__()
        self._con = con
        self._catalog = catalog
        self._progress = progress

    def write(self, name: str, rows: ir.Table) -> ir.Table:
        self._con._run_pre_execute_hooks(rows)
        sql = apart(rows, "duckdb")  # compiled once: that takes longer than a small base takes to run
        self.sql[name] = spelt_out(self._con, sql)
        with watched(self._con, self._progress):
            table = self._con.create_table(name, schema=rows.schema(), database=(self._catalog, "main"))
            self._con.raw_sql(f'INSERT INTO "{self._catalog}".main."{name}" {sql}')
        self.rows[name] = int(table.count().execute())
        return table


def keep(con: Backend, name: str, rows: ir.Table) -> ir.Table:
    """Materialise rows as a table that lasts as long as the connection; an older one of the name goes."""
    # A temporary table takes a quarter of the time of one in a file; what exceeds the memory goes to scratch.
    con._run_pre_execute_hooks(rows)  # tables that live in Python are brought along
    sql = apart(rows, "duckdb")
    con.raw_sql(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {sql}')
    told = sql.replace("'", "''")  # as its comment, which does not take parameters
    con.raw_sql(f"COMMENT ON TABLE \"{name}\" IS '{told}'")
    return con.table(name, database=("temp", "main"))


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
        con.raw_sql("SET enable_progress_bar = false")


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


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


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
