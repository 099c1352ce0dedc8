"""What reading a file gives: its records as a table, what could not be read, and the count of every line."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from segmentry.data.header import LINE


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Where every line of a file went (law: nothing is lost silently).

    ``total`` lines (elements of a JSON list, rows of a sheet or of a Parquet file: ``unit``) are ``header`` lines, one
    line per record, ``continued`` lines of records that go over several, ``rejected`` lines and ``blank`` ones.
    """

    unit: Literal["lines", "elements", "rows"]
    total: int
    records: int
    header: int = 0
    continued: int = 0
    rejected: int = 0
    blank: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every line is accounted for."""
        return self.total == self.header + self.records + self.continued + self.rejected + self.blank


@dataclass(frozen=True, kw_only=True)
class Records:
    """The records of a file.

    ``table`` has ``_line`` (int64, unique: the physical line on which a record begins; its number in the file for JSON
    lists and Parquet; the row of the sheet for Excel) and the columns of the file: text as it stands there, null where
    there is nothing but spaces; Parquet columns keep their types. ``rejected`` has ``_line``, ``reason`` and the first
    500 characters of the ``text``. Both read files in the scratch folder until :meth:`close`.

    ``in_order`` is there when ``table`` is read in place by one thread, which numbers the lines: the same records
    without ``_line``, for many. Kept in their order they begin with line ``counts.header`` + 1.
    """

    table: ir.Table
    rejected: ir.Table
    counts: Counts
    in_order: ir.Table | None = None
    warnings: tuple[str, ...] = ()
    _bench: Bench = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file."""
        return tuple(c for c in self.table.columns if c != LINE)

    def close(self) -> None:
        """Remove the scratch files; the tables cannot be read any more."""
        self._bench.clear()


@dataclass
class Bench:
    """Scratch files of one file that is read, and the views over them."""

    con: Backend
    folder: Path
    _views: list[str] = field(default_factory=list)
    _files: list[Path] = field(default_factory=list)
    _name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def file(self, name: str) -> Path:
        """A scratch file of that name, not there yet."""
        path = self.folder.resolve() / f"{self._name}-{name}"
        self._files.append(path)
        return path

    def linked(self, path: Path) -> Path:
        """The file under a name in which DuckDB sees no pattern."""
        path = path.resolve()
        if not any(mark in str(path) for mark in "*?["):
            return path
        link = self.file(f"link{path.suffix}")
        link.symlink_to(path)
        return link

    def csv(self, path: Path, columns: Mapping[str, str], **options: Any) -> ir.Table:
        """A CSV file as a table; nothing is guessed."""
        table = self.con.read_csv(
            str(path), columns=columns, header=False, strict_mode=True, nullstr="", hive_partitioning=False, **options
        )
        self._views.append(table.get_name())
        return table

    def parquet(self, path: Path, **options: Any) -> ir.Table:
        """A Parquet file as a table."""
        table = self.con.read_parquet(str(path), hive_partitioning=False, **options)
        self._views.append(table.get_name())
        return table

    def view(self, rows: duckdb.DuckDBPyRelation) -> ir.Table:
        """Rows of DuckDB's own as a table."""
        name = f"{self._name}_{len(self._views)}"
        rows.create_view(name)
        self._views.append(name)
        return self.con.table(name)

    def store(self, rows: ir.Table, name: str) -> Path:
        """Write rows to a scratch Parquet file, in their order."""
        path = self.file(name)
        keeps_order = self.con.raw_sql("SELECT current_setting('preserve_insertion_order')").fetchone()[0]
        self.con.raw_sql("SET preserve_insertion_order = true")
        try:
            # LZ4 costs the least time of all codecs, none included: less is written.
            self.con.to_parquet(rows, path, compression="lz4_raw")
        finally:
            self.con.raw_sql(f"SET preserve_insertion_order = {keeps_order}")
        return path

    def clear(self) -> None:
        for view in self._views:
            self.con.drop_view(view, force=True)
        for path in self._files:
            path.unlink(missing_ok=True)
        self._views.clear()
        self._files.clear()


def filled(column: ir.Value) -> ir.Value:
    """A text, null where it is nothing but spaces."""
    # All ASCII spaces sort before "!", so that only texts that begin with one are looked at more closely.
    text: Any = column
    return ibis.cases(((text < "!") & (text.strip() == ""), ibis.null("string")), else_=text)


def first_line(error: duckdb.Error) -> str:
    """The gist of a message of DuckDB."""
    lines: Iterable[str] = str(error).splitlines()
    return next((line.strip() for line in lines if line.strip()), "")
