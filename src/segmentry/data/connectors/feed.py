"""What a feed is: a table of records somewhere else, read in batches, in the order of a cursor where it has one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from segmentry import expressions
from segmentry.config import FILE_NAME, Source
from segmentry.errors import DataError, did_you_mean

DELETED = "_deleted"  # of a record of a feed: whether the other system has deleted it
BATCH = 50_000  # records; what a feed holds in memory at once

Value = int | float | str | date | datetime


@dataclass(frozen=True)
class Mark:
    """How far a feed has been read: the last value of its cursor, how many records had it, a later one (in the future
    by mistake) or none at all, and how many of them a later one (``beyond``)."""

    cursor: str
    kind: str
    text: str
    records: int
    beyond: int = 0

    @property
    def value(self) -> Value:
        """The value in its type."""
        if self.kind == "time":
            return datetime.fromisoformat(self.text)
        if self.kind == "date":
            return date.fromisoformat(self.text)
        return {"integer": int, "number": float}.get(self.kind, str)(self.text)

    @classmethod
    def of(cls, cursor: str, value: Value, records: int, beyond: int = 0) -> Mark:
        text = value.isoformat() if isinstance(value, date) else str(value)
        return cls(cursor, kind_of(value), text, records, beyond)


def kind_of(value: Value) -> str:
    """The kind of a cursor's value; a mark of another kind means that the column has changed."""
    kinds = {int: "integer", float: "number", date: "date", datetime: "time"}
    return kinds.get(type(value), "text")


def naive(value: datetime) -> datetime:
    """A time in UTC without its zone."""
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


class Feed(ABC):
    """One table of records of another system.

    ``place`` says where it is, without secrets: the ``file`` of its rows' lineage. ``cursor`` is the column that it is
    ordered by, if any.
    """

    place: str
    cursor: str | None

    @abstractmethod
    def kind(self) -> str | None:
        """The kind of the cursor's values now; None where it has none."""

    @abstractmethod
    def count_from(self, mark: Mark) -> int:
        """How many records there are from a mark on, those without a cursor's value included."""

    @abstractmethod
    def count_after(self, mark: Mark) -> int:
        """How many records lie beyond a mark: one that was at it and has changed leaves :meth:`count_from` as it was.

        The mark itself knows of those that lay beyond when it was set, in the future by mistake.
        """

    @abstractmethod
    def batches(self, since: Mark | None) -> Iterator[pa.RecordBatch]:
        """The records from a mark on, those without a cursor's value first, then in the order of the cursor.

        All batches have one schema; the first comes even when it is empty. Raises :class:`DataError` when the other
        side fails; what came before is complete.
        """

    @abstractmethod
    def caveats(self) -> tuple[str, ...]:
        """What was odd about the records that were read, in words."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection."""


def used_columns(name: str, source: Source, place: str, there: Iterable[str]) -> list[str]:
    """The columns of a feed that the source uses, as they are spelled there, each once: no other is pulled.

    Raises :class:`DataError` for a column that is not there.
    """
    columns = list(there)
    spelled = {c.casefold(): c for c in columns}
    found: dict[str, None] = {}
    for key, text in _expressions(source):
        where = f"{FILE_NAME} sources.{name}.{key}"
        for column in expressions.parse(text, where=where, names=columns).columns:
            _find(column, columns, spelled, where, place, found)
    plain = [("cursor", source.cursor), *((f"key[{i}]", k) for i, k in enumerate(source.key or ()))]
    for key, text_or_none in plain:
        if text_or_none:
            _find(text_or_none, columns, spelled, f"{FILE_NAME} sources.{name}.{key}", place, found)
    return list(found)


def _find(
    column: str, columns: list[str], spelled: Mapping[str, str], where: str, place: str, found: dict[str, None]
) -> None:
    match = column if column in columns else spelled.get(column.casefold())
    if match is None:
        raise DataError(
            f"{where}: {place} has no column '{column}'.",
            why=did_you_mean(column, columns),
            fix="Correct the mapping, or ask who changed the table. What was collected before stays.",
        )
    found[match] = None


def _expressions(source: Source) -> Iterator[tuple[str, str]]:
    yield from ((f"columns.{c}", text) for c, text in source.columns.items())
    yield from ((f"attributes.{a}", spec.expression) for a, spec in source.attributes.items())
    yield from ((key, text) for key in ("returns", "charges") if (text := getattr(source, key)))


def record_batch(rows: Iterable[tuple[Any, ...]], schema: pa.Schema, place: str) -> pa.RecordBatch:
    """Rows of a driver as a batch; :class:`DataError` for a value that is not of its column's type."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = []
    for field, cells in zip(schema, columns, strict=True):
        try:
            arrays.append(pa.array(cells, field.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise DataError(
                f"{place}: column '{field.name}' holds a value that is no {field.type}.",
                fix="Cast it in a query: `query: select cast(… as text) …` reads whatever it holds.",
            ) from error
    return pa.record_batch(arrays, schema=schema)
