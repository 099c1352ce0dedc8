"""A table or a SELECT of a database, by URL, through Ibis: PostgreSQL, MySQL, SQLite, DuckDB and whatever it opens.

Only the columns that the mapping uses are read, in bounded batches: PostgreSQL's from a cursor on the server. Numbers,
booleans and times come in their types, anything else as text. SQLite stores values of any type in any column, so there
the values decide.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from ibis.common.exceptions import IbisError, TableNotFound
from sqlglot import exp

from segmentry.config import FILE_NAME, Source
from segmentry.data.connectors.feed import BATCH, Feed, Mark, Value, kind_of, naive, record_batch, used_columns
from segmentry.errors import ConfigError, DataError, SegmentryError, did_you_mean
from segmentry.wording import agree

_POSTGRES = ("postgresql", "postgres")
# Python's and Arrow's calendar; PostgreSQL's goes from 4713 BC to the year 294276, and to infinity.
_FIRST, _LAST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)
_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.DDL, exp.Into, exp.Lock, exp.Command)
_PASSWORD_IN_QUERY = re.compile(r"(password|token|secret)=[^&\s]*", re.IGNORECASE)


def open_database(name: str, source: Source, root: Path) -> Feed:
    """The feed of a source with a ``url``: connects, and finds the table and its columns.

    Raises :class:`ConfigError` for a URL or a query that cannot be meant, :class:`DataError` when the database or the
    table does not let itself be read.
    """
    where = f"{FILE_NAME} sources.{name}"
    url = source.url or ""
    scheme = urlsplit(url).scheme.partition("+")[0]
    if "://" not in url:
        raise ConfigError(
            f"{where}.url is no URL.",
            why="It must be such as postgresql://user:${PASSWORD}@host:5432/database or sqlite:///shop.db.",
        )
    place = place_of(url)
    if source.query:
        _check_query(source.query, scheme, where)
    with _readable(place, url):
        con = connect(url, root, where)
        try:
            relation = _relation(con, source, place, where)
            at = f"{place} {source.table or 'query'}"
            columns = used_columns(name, source, at, relation.columns)
            wanted = source.cursor or ""
            cursor = wanted if wanted in columns else next((c for c in columns if c.lower() == wanted.lower()), None)
            return _feed(con)(con, relation.select(columns), cursor, at, url)
        except BaseException:
            con.disconnect()
            raise


def sample_tables(url: str, root: Path, rows: int) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
    """Each table of a database, by name, with its first rows; a table is to be read before the next one comes.

    Raises what :func:`open_database` raises.
    """
    place = place_of(url)
    with _readable(place, url):
        con = connect(url, root, "init")
        try:
            for table in sorted(con.list_tables()):
                feed = _feed(con)(con, con.table(table).limit(rows), None, f"{place} {table}", url)
                yield table, feed.batches(None)
        finally:
            con.disconnect()


def _feed(con: Any) -> type[_Database]:
    return {"sqlite": _SQLite, "postgres": _Postgres, "mysql": _MySQL}.get(con.name, _Database)


def place_of(url: str) -> str:
    """Where a database is, without user, password and options."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def connect(url: str, root: Path, where: str) -> Any:
    """An Ibis backend for a URL; files of SQLite and DuckDB must be there, and are opened for reading only."""
    parts = urlsplit(url)
    if parts.scheme in ("sqlite", "duckdb"):
        path = root / unquote(parts.path.removeprefix("/") if not parts.path.startswith("//") else parts.path[1:])
        if not path.is_file():
            raise DataError(
                f"{where}: there is no database {path}.",
                fix="A relative path, as in sqlite:///shop.db, starts at the folder of segmentry.yaml; an absolute one "
                "has four slashes.",
            )
        return _sqlite(path) if parts.scheme == "sqlite" else ibis.duckdb.connect(path, read_only=True)
    try:
        if parts.scheme == "mysql":
            return _mysql(url)
        return _postgres(url) if parts.scheme in _POSTGRES else ibis.connect(url)
    except ImportError as error:
        extra = "segmentry[postgres]" if parts.scheme in _POSTGRES else f"ibis-framework[{parts.scheme}]"
        raise ConfigError(
            f"{where}.url: {parts.scheme} needs a driver that is not installed.",
            fix=f"Install it with `pip install '{extra}'`.",
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"{where}.url: '{parts.scheme}' is no database that can be read.",
            why=did_you_mean(parts.scheme, ["postgresql", "mysql", "sqlite", "duckdb", "mssql", "snowflake"]),
        ) from error


def _sqlite(path: Path) -> Any:
    import sqlite3  # noqa: PLC0415 - Python may have been built without it

    con = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    con.text_factory = lambda text: text.decode("utf-8", "replace")
    return ibis.sqlite.from_connection(con)


def _postgres(url: str) -> Any:
    import psycopg  # noqa: PLC0415 - the driver of a database is imported by those who have one

    con = psycopg.connect(url, autocommit=True, **_usual(url))
    con.execute("SET client_min_messages = warning")
    return ibis.postgres.from_connection(con)


def _mysql(url: str) -> Any:
    """MySQL or MariaDB, which Ibis's driver reads alike; texts in Unicode, times in UTC, nothing written."""
    usual = {key: value for key, value in {"charset": "utf8mb4", "connect_timeout": 10}.items() if f"{key}=" not in url}
    with warnings.catch_warnings():
        # A server whose tables of time zones are empty does not know UTC by its name.
        warnings.filterwarnings("ignore", "Unable to set session timezone")
        con = ibis.connect(url, **usual)
    for setting in ("time_zone = '+00:00'", "SESSION TRANSACTION READ ONLY"):
        con.raw_sql(f"SET {setting}").close()
    return con


def _usual(url: str) -> dict[str, Any]:
    usual = {"connect_timeout": 10, "application_name": "segmentry"}
    return {key: value for key, value in usual.items() if f"{key}=" not in url}


# What is read ---------------------------------------------------------------------------------------------------------


def _check_query(query: str, scheme: str, where: str) -> None:
    """One SELECT that writes nothing, in the database's own dialect."""
    dialect = {"postgresql": "postgres", "mssql": "tsql"}.get(scheme, scheme)
    try:
        statements = [s for s in sqlglot.parse(query, read=dialect) if s is not None]
    except (sqlglot.errors.SqlglotError, ValueError) as error:
        said = str(error).split("\n")[0]
        raise ConfigError(f"{where}.query is not SQL that can be read: {said}") from error
    writes = any(isinstance(node, _WRITES) for s in statements for node in s.walk())
    if len(statements) != 1 or not isinstance(statements[0], exp.Query) or writes:
        raise ConfigError(
            f"{where}.query must be one SELECT.",
            why="A source only reads: no second statement, nothing that writes or locks.",
        )


def _relation(con: Any, source: Source, place: str, where: str) -> ir.Table:
    if source.query:
        return con.sql(source.query.strip().rstrip(";"))
    schema, _, table = (source.table or "").rpartition(".")
    database = schema or None
    try:
        return con.table(table, database=database)
    except TableNotFound as error:
        # A table may have a point in its name.
        if database and source.table in con.list_tables():
            return con.table(source.table)
        with contextlib.suppress(IbisError):
            there = [f"{schema}.{t}" if schema else t for t in con.list_tables(database=database)]
            raise DataError(
                f"{where}.table: {place} has no table '{source.table}' that may be read.",
                why=did_you_mean(source.table or "", there),
                fix="Correct the name; one in another schema is written schema.table.",
            ) from error
        raise


class _Database(Feed):
    """A table of any database that Ibis opens."""

    def __init__(self, con: Any, relation: ir.Table, cursor: str | None, place: str, url: str) -> None:
        self.place = place
        self._con = con
        self._url = url
        self._table = self._typed(relation)
        self.cursor = cursor
        self._beyond: dict[str, int] = {}

    def kind(self) -> str | None:
        value = self._scalar(self._cursor().max())
        return None if value is None else kind_of(value)

    def count_from(self, mark: Mark) -> int:
        return int(str(self._scalar(self._since(mark).count())))

    def count_after(self, mark: Mark) -> int:
        value: Any = mark.value
        return int(str(self._scalar(self._table.filter(self._cursor() > value).count())))

    def batches(self, since: Mark | None) -> Iterator[pa.RecordBatch]:
        rows = self._since(since) if since else self._table
        rows = rows.order_by(ibis.asc(self.cursor, nulls_first=True)) if self.cursor else rows
        with _readable(self.place, self._url):
            for batch in self._stream(rows):
                yield self._within_the_calendar(batch)

    def caveats(self) -> tuple[str, ...]:
        return tuple(
            agree(n, "{n} [value|values] of ") + f"{column}: infinite or no date of the calendar, so not known"
            for column, n in self._beyond.items()
        )

    def close(self) -> None:
        self._con.disconnect()

    def _cursor(self) -> Any:
        return self._table[self.cursor or ""]

    def _since(self, mark: Mark) -> ir.Table:
        value: Any = mark.value
        return self._table.filter((self._cursor() >= value) | self._cursor().isnull())

    def _scalar(self, value: ir.Scalar) -> Value | None:
        with _readable(self.place, self._url):
            rows = list(self._rows(value.as_table()))
        found = rows[0][0]
        return naive(found) if isinstance(found, datetime) else found

    def _rows(self, expression: ir.Table) -> Iterator[tuple[Any, ...]]:
        for batch in expression.to_pyarrow_batches(chunk_size=BATCH):
            yield from zip(*(c.to_pylist() for c in batch.columns), strict=True)

    def _stream(self, rows: ir.Table) -> Iterator[pa.RecordBatch]:
        schema = rows.schema().to_pyarrow()
        yield pa.record_batch([pa.array([], f.type) for f in schema], schema=schema)
        for batch in rows.to_pyarrow_batches(chunk_size=BATCH):
            yield batch.cast(schema)

    def _typed(self, table: ir.Table) -> ir.Table:
        """The columns in the few types that files have: the rest as text, decimals with a fraction as numbers."""
        return table.select(**{name: _plain(table[name]) for name in table.columns})

    def _within_the_calendar(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Times beyond the calendar, which the query has made its last moment, become unknown, and are counted."""
        columns = []
        for field, column in zip(batch.schema, batch.columns, strict=True):
            if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
                last = pa.scalar(_LAST.date() if pa.types.is_date(field.type) else _LAST).cast(field.type)
                beyond = pc.fill_null(pc.equal(column, last), False)
                if found := pc.sum(beyond).as_py():
                    self._beyond[field.name] = self._beyond.get(field.name, 0) + found
                    column = pc.if_else(beyond, pa.scalar(None, field.type), column)  # noqa: PLW2901
            columns.append(column)
        return pa.record_batch(columns, schema=batch.schema)


class _Postgres(_Database):
    """PostgreSQL keeps the result on the server and sends it batch by batch."""

    def _rows(self, expression: ir.Table) -> Iterator[tuple[Any, ...]]:
        con = self._con.con
        con.execute("SET default_transaction_read_only = on")
        with con.transaction(), con.cursor(name="segmentry") as cursor:
            cursor.execute(self._con.compile(expression))
            while rows := cursor.fetchmany(BATCH):
                yield from rows

    def _stream(self, rows: ir.Table) -> Iterator[pa.RecordBatch]:
        schema = rows.schema().to_pyarrow()
        yield from _in_batches(self._rows(rows), schema, self.place)


class _MySQL(_Database):
    """MySQL keeps the result on the server and sends it row by row, where Ibis would take all of it into memory."""

    def _rows(self, expression: ir.Table) -> Iterator[tuple[Any, ...]]:
        from MySQLdb.cursors import SSCursor  # noqa: PLC0415 - the driver of a database is imported by who has one

        with contextlib.closing(self._con.con.cursor(SSCursor)) as cursor:
            cursor.execute(self._con.compile(expression))
            while rows := cursor.fetchmany(BATCH):
                yield from rows

    def _stream(self, rows: ir.Table) -> Iterator[pa.RecordBatch]:
        wide = [f.with_type(_wide(f.type)) for f in rows.schema().to_pyarrow()]
        read = [_text if pa.types.is_string(f.type) else _whole if pa.types.is_integer(f.type) else _same for f in wide]
        found = (tuple(as_(v) for v, as_ in zip(row, read, strict=True)) for row in self._rows(rows))
        yield from _in_batches(found, pa.schema(wide), self.place)


def _wide(kind: pa.DataType) -> pa.DataType:
    """A type that holds what comes: YEAR is an int8 to Ibis, and the last moment of the calendar has microseconds."""
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    return pa.int64() if pa.types.is_integer(kind) and kind != pa.uint64() else kind


def _whole(value: Any) -> Any:
    return int.from_bytes(value, "big") if isinstance(value, bytes) else value


def _same(value: Any) -> Any:
    return value


# What SQLite's typeof gives -> the type that holds such values and those below.
_KINDS = {"text": "string", "blob": "string", "real": "float64", "integer": "int64"}


class _SQLite(_Database):
    """SQLite's columns hold values of any type: those that are there say how a column is read."""

    def _typed(self, table: ir.Table) -> ir.Table:
        # As the file has it, without what Ibis makes of the declared types.
        query = str(ibis.to_sql(table, dialect="sqlite"))
        return self._con.sql(query, schema=self._seen(query, table.columns))

    def _seen(self, query: str, columns: tuple[str, ...]) -> dict[str, str]:
        """The type of each column that holds all of its values."""
        tests = [
            exp.func("MAX", exp.func("TYPEOF", exp.column(c, quoted=True)).eq(kind)) for c in columns for kind in _KINDS
        ]
        inner = sqlglot.parse_one(query, read="sqlite", into=exp.Select).subquery("t")
        found = self._con.raw_sql(exp.select(*tests).from_(inner).sql("sqlite")).fetchone()
        seen = {}
        for i, column in enumerate(columns):
            there = found[i * len(_KINDS) : (i + 1) * len(_KINDS)]
            seen[column] = next((t for t, has in zip(_KINDS.values(), there, strict=True) if has), "string")
        return seen

    def _rows(self, expression: ir.Table) -> Iterator[tuple[Any, ...]]:
        cursor = self._con.raw_sql(self._con.compile(expression))
        while rows := cursor.fetchmany(BATCH):
            yield from rows

    def _stream(self, rows: ir.Table) -> Iterator[pa.RecordBatch]:
        schema = rows.schema().to_pyarrow()
        texts = [pa.types.is_string(f.type) for f in schema]
        mixed = (tuple(_text(v) if text else v for v, text in zip(row, texts, strict=True)) for row in self._rows(rows))
        yield from _in_batches(mixed, schema, self.place)


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)


def _in_batches(rows: Iterator[tuple[Any, ...]], schema: pa.Schema, place: str) -> Iterator[pa.RecordBatch]:
    held: list[tuple[Any, ...]] = []
    yield record_batch(held, schema, place)
    for row in rows:
        held.append(row)
        if len(held) == BATCH:
            yield record_batch(held, schema, place)
            held = []
    yield record_batch(held, schema, place)


def _plain(column: Any) -> Any:
    kind = column.type()
    if kind.is_timestamp() or kind.is_date():
        first, last = (_FIRST.date(), _LAST.date()) if kind.is_date() else (_FIRST, _LAST)
        limits = [
            ibis.literal(v, dt.date if kind.is_date() else dt.Timestamp(timezone=kind.timezone)) for v in (first, last)
        ]
        inside = (column >= limits[0]) & (column <= limits[1])
        return ibis.cases((inside, column), (column.notnull(), limits[1]), else_=ibis.null(kind))
    if kind.is_boolean() or kind.is_integer() or kind.is_floating() or kind.is_string():
        return column
    if kind.is_decimal() and kind.scale != 0:
        return column.cast("float64")
    return column.cast("string")


# What databases say ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _readable(place: str, url: str) -> Iterator[None]:
    """Turn what a driver says into an error of ours, without the password."""
    try:
        yield
    except SegmentryError:
        raise
    except Exception as error:
        if not _of_a_database(error):
            raise
        said = _without_secrets(str(error).strip(), url)
        what, fix = _meaning(error, said)
        raise DataError(f"{place} {what}.", why=f"The database says: {said}", fix=fix) from None


def _of_a_database(error: Exception) -> bool:
    # Every driver's errors descend from one that is called Error (PEP 249).
    return isinstance(error, IbisError | OSError) or any(c.__name__ == "Error" for c in type(error).__mro__)


def _without_secrets(said: str, url: str) -> str:
    text = " ".join(said.split())[:300]
    password = urlsplit(url).password
    for secret in {password, unquote(password or "")} - {None, ""}:
        text = text.replace(str(secret), "…")
    return _PASSWORD_IN_QUERY.sub(r"\1=…", text)


def _meaning(error: Exception, said: str) -> tuple[str, str]:
    """What happened, and what to do next."""
    code = str(getattr(error, "sqlstate", "") or "")
    low = said.casefold()
    for codes, words, what, fix in _MEANINGS:
        if code.startswith(codes) if code and codes else any(word in low for word in words):
            return what, fix
    return "cannot be read", "Nothing is lost: the former result stays."


# SQLSTATE codes or their classes (PostgreSQL, appendix A), words where a driver gives none, what it means, what to do.
_MEANINGS: tuple[tuple[tuple[str, ...], tuple[str, ...], str, str], ...] = (
    (
        ("28",),
        ("authentication failed", "access denied", "no password supplied"),
        "does not let the user in",
        "Check user and password, and the environment variable that holds it; @ : / and % in a password are written "
        "%40 %3A %2F %25 in a URL.",
    ),
    (
        ("42501",),
        ("permission denied",),
        "does not let the user read this",
        "Ask for the right to SELECT from it.",
    ),
    (
        ("57014",),
        ("statement timeout",),
        "stopped the query after its time limit",
        "Give the user a longer statement_timeout, or name a `cursor` column that has an index.",
    ),
    (
        ("3D000",),
        ("does not exist",),
        "is not there",
        "Correct the name of the database at the end of the URL.",
    ),
    (
        ("42", "22"),
        ("no such column", "syntax error", "no such function"),
        "cannot run this query",
        "Correct table, query or columns, or ask who changed the table.",
    ),
    (
        ("57P", "08", "25P03"),
        ("connection", "server closed", "resolve", "lost", "terminating"),
        "cannot be reached",
        "Check host and port, and that the server runs, then run again: nothing is lost.",
    ),
)
