"""PostgreSQL storage: a generation is a set of tables ``name__N`` in a schema of the workspace's own.

Collect and integrate work in DuckDB; their results are loaded by COPY, every collected part once, as a table of its
own. A stage writes its tables in one transaction. A reader locks its tables against being dropped, and what is locked
is dropped by a later sweep, so nobody waits for anybody here either.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.postgres import Backend
from ibis.backends.sql.datatypes import PostgresType
from pyarrow import csv

from segmentry.engine import storage
from segmentry.engine.duckdb_storage import DuckDB, DuckDBSession
from segmentry.engine.storage import GenerationGoneError, Progress
from segmentry.engine.views import spelt_out
from segmentry.errors import ConfigError, DataError

try:
    import psycopg
    from psycopg import errors as pg
    from psycopg.conninfo import conninfo_to_dict
except ImportError as error:
    raise ConfigError(
        "segmentry.yaml engine: PostgreSQL needs a driver that is not installed.",
        fix="Install it with `pip install 'segmentry[postgres]'`.",
    ) from error

_NAME_BYTES = 63  # PostgreSQL cuts longer names off without an error
_BATCH_ROWS = 100_000
_WORK_MEMORY_MB = 128  # per sort or hash table, where the server grants less by default
_OWNER = "segmentry_workspace"  # the table that says whose schema it is
_NUMBERED = re.compile(r"(.+)__(\d+)")
_PART = re.compile(r"[a-z_]+(?:-[a-z_]+)?-[0-9a-f]{12}-[0-9a-f]{8}-\d+")


class _Backend(Backend):
    """Ibis's backend, with results in the types that their expressions declare.

    PostgreSQL gives numeric for a sum of bigint, for an average of whole numbers and for a constant with a point.
    """

    def typed(self, rows: ir.Table, **options: Any) -> str:
        """A SELECT of the rows, each column cast to its declared type, text compared by its bytes as DuckDB does."""
        _check_names(rows.columns)
        collation = _collation(self)
        columns = ", ".join(
            f"CAST({_quote(name)} AS {PostgresType.to_string(dtype)})"
            + (f" COLLATE {collation}" if dtype.is_string() else "")
            + f" AS {_quote(name)}"
            for name, dtype in rows.schema().items()
        )
        return f"SELECT {columns} FROM ({self.compile(rows, **options)}) AS made"

    def to_pyarrow_batches(
        self, expr: ir.Expr, /, *, chunk_size: int = 1_000_000, **options: Any
    ) -> pa.RecordBatchReader:
        # Ibis would parse the SELECT and write it anew, which takes as long as to compile it.
        rows = expr.as_table()
        self._run_pre_execute_hooks(rows)
        sql, schema = self.typed(rows, **options), rows.schema()
        struct = schema.as_struct().to_pyarrow()

        def batches() -> Iterator[pa.RecordBatch]:
            with self.con.cursor(name=f"rows_{uuid.uuid4().hex}") as cursor, self.con.transaction():
                cursor.execute(sql)
                while rows := cursor.fetchmany(chunk_size):
                    yield pa.RecordBatch.from_struct_array(pa.array(rows, type=struct))

        return pa.RecordBatchReader.from_batches(schema.to_pyarrow(), batches())

    def filled_temporary(self, name: str, schema: ibis.Schema, batches: Iterable[pa.RecordBatch]) -> ir.Table:
        """A temporary table of rows that come from elsewhere; an older one of the name goes."""
        _run(self, f"DROP TABLE IF EXISTS pg_temp.{_quote(name)}")
        _fill(self, f"TEMP TABLE {_quote(name)}", _quote(name), schema, batches)
        _finish(self, _quote(name), ())
        return self.table(name)

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        """A table that lives in Python, in the order of its rows (Ibis inserts them wherever a page has room)."""
        rows = op.data.to_pyarrow(op.schema)
        _fill(self, f"TEMP TABLE {_quote(op.name)}", _quote(op.name), op.schema, rows.to_batches())


class PostgreSQL(storage.Engine):
    """Tables in a schema of a PostgreSQL database.

    ``url`` is a libpq URL (``postgresql://user:password@host:5432/database?sslmode=require``) that may name the schema
    as ``schema=…``; otherwise it is called after the workspace. ``files`` is where collect and integrate work.
    """

    def __init__(self, url: str, files: DuckDB, workspace: str) -> None:
        self._files = files
        self.conninfo, schema = _split_schema(url)
        self.schema = schema or f"segmentry_{_slug(workspace)}"
        if len(self.schema.encode()) > _NAME_BYTES or self.schema.startswith("pg_"):
            raise ConfigError(
                f"segmentry.yaml engine: '{self.schema}' cannot be the name of a schema.",
                why=f"PostgreSQL allows {_NAME_BYTES} bytes, and pg_ is its own prefix.",
                fix="Name another one: `?schema=segmentry` at the end of the URL.",
            )
        self.place = f"{self.conninfo.get('host', 'localhost')}/{self.conninfo.get('dbname', '')}"
        self.identity = f"postgresql {self.place} {self.schema}"
        self._prepared = False

    @property
    def files(self) -> DuckDB:
        return self._files

    @contextlib.contextmanager
    def session(self, generations: Mapping[str, int] | None = None) -> Iterator[PostgresSession]:
        with self._connected() as con:
            self._prepare(con)
            for number in set((generations or {}).values()):
                self._load_generation(con, number, None)
            with PostgresSession(self, con, generations or {}) as session:
                yield session

    @contextlib.contextmanager
    def reader(self, generations: Mapping[str, int]) -> Iterator[PostgresSession]:
        with self._connected() as con, con.con.transaction():
            names = [n for number in set(generations.values()) for n in _tables_of(con, self.schema, number)]
            try:
                if names:
                    _run(con, f"LOCK TABLE {', '.join(self.quoted(n) for n in names)} IN ACCESS SHARE MODE")
            except pg.UndefinedTable as error:
                raise GenerationGoneError(str(error)) from error
            with PostgresSession(self, con, generations) as session:
                yield session

    def publish(self, generation: int, progress: Progress | None = None) -> None:
        """Load a generation that was written as a DuckDB file; the file goes."""
        with self._connected() as con:
            self._prepare(con)
            self._load_generation(con, generation, progress)

    def sweep(self, keep_generations: set[int], keep_parts: set[str]) -> None:
        self.files.sweep(keep_generations, keep_parts)
        kept_parts = {Path(name).stem for name in keep_parts}
        with self._connected() as con:
            self._prepare(con)
            for name in _tables(con, self.schema):
                numbered = _NUMBERED.fullmatch(name)
                outdated = numbered and int(numbered[2]) not in keep_generations
                if outdated or (_PART.fullmatch(name) and name not in kept_parts):
                    self._drop(con, name)

    def close(self) -> None:
        self.files.close()

    def quoted(self, name: str) -> str:
        """The name of a table as it stands in SQL."""
        return f"{_quote(self.schema)}.{_quote(name)}"

    def _drop(self, con: Any, name: str) -> None:
        """Remove a table, unless somebody reads it: a later sweep takes it then."""
        with contextlib.suppress(pg.LockNotAvailable, pg.UndefinedTable), con.con.transaction():
            _run(con, f"LOCK TABLE {self.quoted(name)} IN ACCESS EXCLUSIVE MODE NOWAIT")
            _run(con, f"DROP TABLE {self.quoted(name)}")

    # Connecting -------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        """A connection; errors of the database come out as ours."""
        try:
            con = _Backend.from_connection(self._connection())
            try:
                yield con
            finally:
                con.disconnect()
        except psycopg.Error as error:
            raise self._readable(error) from error

    def _connection(self) -> psycopg.Connection[Any]:
        options = {"connect_timeout": 10, "application_name": "segmentry", **self.conninfo}
        try:
            con = psycopg.connect(**options, autocommit=True)
        except psycopg.OperationalError as error:
            raise self._unreachable(error) from error
        encoding = con.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            con.close()
            raise DataError(
                f"The database {self.place} stores text as {encoding}.",
                why="Names of the whole world need UTF8.",
                fix="Use a database made with `ENCODING 'UTF8'`.",
            )
        for setting in ("TIME ZONE 'UTC'", "jit = off", "synchronize_seqscans = off", "client_min_messages = warning"):
            con.execute(f"SET {setting}")
        con.execute("SELECT set_config('search_path', %s, false)", (_quote(self.schema),))
        memory = con.execute("SELECT setting::bigint FROM pg_settings WHERE name = 'work_mem'").fetchone()
        if memory and memory[0] < _WORK_MEMORY_MB * 1024:
            con.execute(f"SET work_mem = '{_WORK_MEMORY_MB}MB'")
        return con

    def _prepare(self, con: Any) -> None:
        """Make the schema if it is not there, and see that it is this workspace's own."""
        if self._prepared:
            return
        with con.con.transaction():
            _run(con, "SELECT pg_advisory_xact_lock(hashtext(%s))", self.schema)  # two workspaces may want the same
            if not _run(con, "SELECT 1 FROM pg_namespace WHERE nspname = %s", self.schema):
                self._make_schema(con)
            if not _run(con, "SELECT 1 WHERE has_schema_privilege(%s, 'CREATE')", self.schema):
                raise self._not_allowed(f"GRANT USAGE, CREATE ON SCHEMA {_quote(self.schema)} TO {_user(con)}")
            _run(con, f"CREATE TABLE IF NOT EXISTS {self.quoted(_OWNER)} (id text PRIMARY KEY, folder text NOT NULL)")
            mine, folder = self._own_id(), str(self.files.folder.parent)
            _run(con, f"LOCK TABLE {self.quoted(_OWNER)}")
            owners = _run(con, f"SELECT id, folder FROM {self.quoted(_OWNER)}")
            if not owners:
                _run(con, f"INSERT INTO {self.quoted(_OWNER)} VALUES (%s, %s)", mine, folder)
            elif owners[0][0] != mine:
                raise DataError(
                    f"The schema {self.schema} in {self.place} belongs to another workspace: {owners[0][1]}.",
                    why="Two workspaces in one schema would remove each other's tables.",
                    fix=f"Name another schema (`?schema=…` in the URL), or give this one up: "
                    f"DROP SCHEMA {_quote(self.schema)} CASCADE.",
                )
        self._prepared = True

    def _make_schema(self, con: Any) -> None:
        try:
            _run(con, f"CREATE SCHEMA {_quote(self.schema)}")
        except pg.InsufficientPrivilege as error:
            wanted = f"CREATE SCHEMA {_quote(self.schema)} AUTHORIZATION {_user(con)}"
            raise self._not_allowed(wanted) from error

    def _not_allowed(self, statement: str) -> DataError:
        return DataError(
            f"The database user may not create tables in the schema {self.schema} of {self.place}.",
            fix=f"Ask its administrator for: {statement}; or name a schema of your own with `?schema=…` in the URL.",
        )

    def _own_id(self) -> str:
        path = self.files.folder / "workspace.id"
        if not path.exists():
            path.write_text(uuid.uuid4().hex, encoding="ascii")
        return path.read_text(encoding="ascii")

    # Loading ----------------------------------------------------------------------------------------------------------

    def load_parts(self, con: Any, parts: Sequence[str], progress: Progress | None) -> None:
        """Load the parts that are not there yet, each in one transaction."""
        there = set(_tables(con, self.schema))
        missing = [name for name in parts if Path(name).stem not in there]
        if not missing:
            return
        with self.files.session() as session:
            total = sum(int(session.facts([name]).count().execute()) for name in missing)
            done = 0
            for name in missing:
                with con.con.transaction():
                    done += self._copy(
                        con, session, session.facts([name]), Path(name).stem, _beyond(progress, done, total)
                    )

    def _load_generation(self, con: Any, number: int, progress: Progress | None) -> None:
        """Load a generation that is still a DuckDB file: integrate wrote it, or the engine was another one."""
        file = self.files.file_of(number)
        if not file.exists():
            return
        with self.files.session({"old": number}) as session, con.con.transaction():
            for name in session.tables_of("old"):
                rows = session.table("old", name)
                _run(con, f"DROP TABLE IF EXISTS {self.quoted(f'{name}__{number}')}")
                total = int(rows.count().execute())
                self._copy(con, session, rows, f"{name}__{number}", _beyond(progress, 0, total))
        file.unlink()

    def _copy(
        self, con: Any, session: DuckDBSession, rows: ir.Table, name: str, progress: Callable[[int], None]
    ) -> int:
        """Create a table from rows of DuckDB, streamed in batches; gives their number."""
        batches = session.con.to_pyarrow_batches(rows, chunk_size=_BATCH_ROWS)
        stored = self.quoted(name)
        copied = _fill(con, f"TABLE {stored}", stored, rows.schema(), batches, progress)
        _finish(con, stored, rows.columns)
        return copied

    # Errors -----------------------------------------------------------------------------------------------------------

    def _unreachable(self, error: psycopg.OperationalError) -> DataError:
        said = str(error).strip().split("\n")[-1]
        return DataError(
            f"The database {self.place} of segmentry.yaml `engine` cannot be reached.",
            why=f"It said: {said}",
            fix="Check host, port, database, user and password in the URL, and that the server runs.",
        )

    def _readable(self, error: psycopg.Error) -> Exception:
        said = (error.diag.message_primary or str(error)).split("\n")[0]
        untouched = "The former result is untouched; run again when that is mended."
        match error:
            case pg.InsufficientPrivilege():
                return DataError(
                    f"The database {self.place} refuses: {said}.", fix="Ask its administrator for the right."
                )
            case pg.DiskFull():
                return DataError(
                    f"The disk of the database {self.place} is full.", why=f"It said: {said}", fix=untouched
                )
            case pg.OutOfMemory():
                return DataError(f"The database {self.place} ran out of memory.", why=f"It said: {said}", fix=untouched)
            case pg.QueryCanceled() | pg.LockNotAvailable() | pg.IdleInTransactionSessionTimeout():
                return DataError(f"The database {self.place} stopped the work: {said}.", fix=untouched)
            case psycopg.OperationalError() | psycopg.InterfaceError():
                return DataError(f"The database {self.place} went away during the work.", why=f"{said}.", fix=untouched)
        return error


class PostgresSession(storage.Session):
    """A PostgreSQL connection to chosen generations."""

    def __init__(self, engine: PostgreSQL, con: Any, generations: Mapping[str, int]) -> None:
        self.engine = engine
        self.con = con
        self._numbers = dict(generations)
        self._tables = {n: set(_tables_of(con, engine.schema, n)) for n in set(generations.values())}
        gone = [str(n) for n, tables in self._tables.items() if not tables]
        if gone:
            raise GenerationGoneError(", ".join(gone))
        self._stack = contextlib.ExitStack()
        self._local: DuckDBSession | None = None

    def __enter__(self) -> PostgresSession:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def table(self, alias: str, name: str) -> ir.Table:
        return self.con.table(f"{name}__{self._numbers[alias]}", database=self.engine.schema)

    def has(self, alias: str, name: str) -> bool:
        number = self._numbers.get(alias)
        return number is not None and f"{name}__{number}" in self._tables[number]

    def facts(self, parts: Sequence[str], progress: Progress | None = None) -> ir.Table:
        self.engine.load_parts(self.con, parts, progress)
        tables = [self.con.table(Path(name).stem, database=self.engine.schema) for name in parts]
        types = {name: dtype for table in reversed(tables) for name, dtype in table.schema().items()}
        order = list(dict.fromkeys(name for table in tables for name in table.columns))
        whole = [t.select(**{n: t[n] if n in t.columns else ibis.null(types[n]) for n in order}) for t in tables]
        return ibis.union(*whole) if len(whole) > 1 else whole[0]

    def parts(self, parts: Sequence[str]) -> ir.Table:
        if self._local is None:
            self._local = self._stack.enter_context(self.engine.files.session())
        return self._local.facts(parts)

    def keep(self, name: str, rows: ir.Table, progress: Progress | None = None) -> ir.Table:
        del progress  # the server tells none of a query
        return keep(self.con, name, rows)

    @contextlib.contextmanager
    def new_generation(self, number: int, progress: Progress | None = None) -> Iterator[PostgresWriter]:
        del progress  # as above
        with self.con.con.transaction():
            for name in _tables_of(self.con, self.engine.schema, number):
                _run(self.con, f"DROP TABLE {self.engine.quoted(name)}")
            yield PostgresWriter(self, number)


class PostgresWriter(storage.Writer):
    """Writes the tables of one new generation."""

    def __init__(self, session: PostgresSession, number: int) -> None:
        super().__init__()
        self._session = session
        self._number = number

    def write(self, name: str, rows: ir.Table) -> ir.Table:
        con, engine = self._session.con, self._session.engine
        stored = f"{name}__{self._number}"
        sql = con.typed(rows)
        self.sql[name] = spelt_out(con, sql)
        self.rows[name] = _create(con, f"TABLE {engine.quoted(stored)}", rows, sql)
        _finish(con, engine.quoted(stored), rows.columns)
        return con.table(stored, database=engine.schema)


def _fill(
    con: Any,
    what: str,
    name: str,
    schema: ibis.Schema,
    batches: Iterable[pa.RecordBatch],
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """``CREATE what`` and fill it, in the order of the rows; gives their number.

    Created and filled in one transaction, so that PostgreSQL appends instead of looking for room.
    """
    _check_names(schema.names)
    collation = _collation(con)
    columns = ", ".join(
        f"{_quote(column)} {PostgresType.to_string(dtype)}" + (f" COLLATE {collation}" if dtype.is_string() else "")
        for column, dtype in schema.items()
    )
    copied = 0
    # Quotes tell an empty text from a null.
    options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
    with con.con.transaction(), con.con.cursor() as cursor:
        cursor.execute(f"CREATE {what} ({columns})")
        with cursor.copy(f"COPY {name} FROM STDIN (FORMAT csv)") as copy:
            for batch in batches:
                buffer = pa.BufferOutputStream()
                csv.write_csv(batch, buffer, options)
                copy.write(buffer.getvalue().to_pybytes())
                copied += batch.num_rows
                progress(copied)
    return copied


def keep(con: Any, name: str, rows: ir.Table) -> ir.Table:
    """Materialise rows as a table that lasts as long as the connection; an older one of the name goes."""
    making = _quote(f"{name}__making")  # the rows may be made from the older one
    sql = con.typed(rows)
    _create(con, f"TEMP TABLE {making}", rows, sql)
    _run(con, f"DROP TABLE IF EXISTS pg_temp.{_quote(name)}")
    _run(con, f"ALTER TABLE pg_temp.{making} RENAME TO {_quote(name)}")
    told = sql.replace("'", "''")  # as its comment, which does not take parameters
    _run(con, f"COMMENT ON TABLE pg_temp.{_quote(name)} IS '{told}'")
    _finish(con, _quote(name), ())
    return con.table(name)


def _create(con: Any, what: str, rows: ir.Table, sql: str) -> int:
    """``CREATE what AS rows``, of which ``sql`` is the text; gives the number of rows."""
    con._run_pre_execute_hooks(rows)  # tables that live in Python are brought along
    with con.con.cursor() as cursor:
        cursor.execute(f"CREATE {what} AS {sql}")
        return int(cursor.rowcount)


def _finish(con: Any, name: str, columns: Sequence[str]) -> None:
    """What makes a new table quick to read: statistics, and an index for looking one customer up."""
    if "customer_key" in columns and "__" in name:
        _run(con, f"CREATE INDEX ON {name} (customer_key)")
    _run(con, f"ANALYZE {name}")


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if len(name.encode()) > _NAME_BYTES:
            raise DataError(
                f"The column '{name}' has a name of {len(name.encode())} bytes.",
                why=f"PostgreSQL allows {_NAME_BYTES}; it would cut the rest off.",
                fix="Give the trait or attribute a shorter name in segmentry.yaml.",
            )


def _collation(con: Any) -> str:
    """A collation that compares bytes and still knows the letters of the world, as DuckDB does."""
    rows = _run(con, "SELECT collname FROM pg_collation WHERE collname IN ('pg_c_utf8', 'C.utf8', 'C.UTF-8')")
    found = {name for (name,) in rows}
    return _quote(next((n for n in ("pg_c_utf8", "C.utf8", "C.UTF-8") if n in found), "C"))


def _tables(con: Any, schema: str) -> list[str]:
    query = """
        SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = %s AND relkind = 'r' ORDER BY relname
    """
    return [name for (name,) in _run(con, query, schema)]


def _tables_of(con: Any, schema: str, number: int) -> list[str]:
    return [name for name in _tables(con, schema) if name.endswith(f"__{number}")]


def _run(con: Any, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Execute one statement; gives its rows."""
    with con.con.cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall()) if cursor.description else []


def _user(con: Any) -> str:
    return _quote(str(con.con.info.user))


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _beyond(progress: Progress | None, done: int, total: int) -> Callable[[int], None]:
    return (lambda _: None) if progress is None else (lambda rows: progress(done + rows, max(total, 1)))


def _slug(name: str) -> str:
    """The name in letters, digits and _, not too long.

    >>> _slug("Müller & Söhne GmbH")
    'muller_sohne_gmbh'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40] or "workspace"


def _split_schema(url: str) -> tuple[dict[str, Any], str]:
    """The connection settings of a URL, and the schema it names."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    schema = next((value for key, value in query if key == "schema"), "")
    rest = urlencode([(key, value) for key, value in query if key != "schema"])
    try:
        return dict(conninfo_to_dict(urlunsplit(parts._replace(query=rest)))), schema
    except psycopg.ProgrammingError:
        # What it says would repeat the URL, password included.
        raise ConfigError(
            "segmentry.yaml engine: this is no URL of a PostgreSQL database.",
            why="It looks like postgresql://user:${PASSWORD}@host:5432/database?sslmode=require&schema=acme.",
        ) from None
