"""Pull what is new of a feed into the workspace: one immutable Parquet file a pull, in ``warehouse/landed/NAME/``.

A landed file waits for the next collect, which reads it as it reads any file, and goes when the manifest that holds its
rows is committed. So nothing is lost between the other system and the manifest: when a server goes away in mid-read,
what came in the order of a cursor is kept and the next run goes on from there; without a cursor nobody could tell where
to go on, so nothing is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from segmentry.data.connectors.feed import Feed, Mark, Value
from segmentry.errors import DataError

Told = Callable[[int], None]  # records read so far
_ABOUT = b"segmentry"
_PULL = re.compile(r"\d{6}\.parquet")
_ISO = r"^\d{4}-\d\d-\d\d"


@dataclass(frozen=True)
class Pull:
    """What one pull of a feed brought.

    ``mark`` is where the next one goes on. Without a cursor ``content`` is a digest of all records in any order.
    """

    mark: Mark | None = None
    content: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"mark": asdict(self.mark) if self.mark else None, "content": self.content}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Pull:
        return cls(Mark(**data["mark"]) if data["mark"] else None, data["content"])


@dataclass(frozen=True)
class Landed:
    """A landed file: the records of one pull, waiting to be collected."""

    source: str
    path: Path
    place: str
    pull: Pull
    caveats: tuple[str, ...] = ()


def waiting(folder: Path, source: str, digest: str) -> list[Landed]:
    """The files of earlier pulls that no manifest holds yet; those of another mapping are removed."""
    found = []
    for path in sorted(p for p in folder.glob("*.parquet") if _PULL.fullmatch(p.name)):
        about = json.loads(pq.read_schema(path).metadata[_ABOUT])
        if about["digest"] != digest or not about["cursor"]:
            path.unlink()  # without a cursor everything is read again anyway
            continue
        # The footer is written last, so the file is whole; how far it goes is in its rows.
        pull = Pull(_mark(path, about["cursor"], datetime.fromisoformat(about["now"])))
        found.append(Landed(source, path, about["place"], pull))
    return found


def land(
    feed: Feed, source: str, folder: Path, digest: str, before: Pull | None, *, now: datetime, told: Told
) -> list[Landed]:
    """Pull what is new; gives every file that waits to be collected, oldest first, and none where nothing is new.

    ``before`` is the last pull that was collected; ``digest`` names the mapping, so that a changed one begins anew.
    Raises :class:`DataError` when the other system fails; see the module for what is kept then.
    """
    found = waiting(folder, source, digest)
    last = found[-1].pull if found else before
    since = last.mark if last and last.mark and feed.cursor == last.mark.cursor else None
    if since and feed.kind() not in (since.kind, None):
        since = None  # the column holds values of another kind now: nothing can be compared
    if since and feed.count_from(since) == since.records and feed.count_after(since) == since.beyond:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{int(found[-1].path.stem) + 1 if found else 1:06}.parquet"
    about = {"digest": digest, "place": feed.place, "cursor": feed.cursor, "now": now.isoformat()}
    _write(feed, since, path, about, told)
    mark = _mark(path, feed.cursor, now) if feed.cursor else None
    pull = Pull(mark, "" if mark else _content(path))
    if before and not found and pull.content and pull.content == before.content:
        path.unlink()
        return []
    return [*found, Landed(source, path, feed.place, pull, feed.caveats())]


def clear(landed: Sequence[Landed]) -> None:
    """Remove landed files whose rows a committed manifest holds."""
    for each in landed:
        each.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # another pull waits there
            each.path.parent.rmdir()


def sweep(folder: Path, sources: Sequence[str]) -> None:
    """Remove what sources that left the config had landed, and what a killed pull left half-written."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in sources:
            shutil.rmtree(path)
            continue
        for half in path.glob("*.writing"):
            half.unlink()


def _write(feed: Feed, since: Mark | None, path: Path, about: Mapping[str, Any], told: Told) -> None:
    beside = path.with_suffix(".writing")
    batches = feed.batches(since)
    count = 0
    try:
        first = next(batches)
        schema = first.schema.with_metadata({_ABOUT: json.dumps(about)})
        with (
            pq.ParquetWriter(beside, schema, compression="zstd") as out,
            _what_came_is_kept(feed, lambda: count),
        ):
            for batch in _chained(first, batches):
                out.write_batch(batch.replace_schema_metadata(schema.metadata))
                count += batch.num_rows
                told(count)
        failed = None
    except _InterruptedError as error:
        failed = error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)
    if failed:
        raise failed.told from failed


class _InterruptedError(Exception):
    def __init__(self, told: DataError) -> None:
        super().__init__(str(told))
        self.told = told


@contextlib.contextmanager
def _what_came_is_kept(feed: Feed, count: Callable[[], int]) -> Iterator[None]:
    """Turn the failure of a feed with a cursor into one after which the records that came may be used."""
    try:
        yield
    except DataError as error:
        if not feed.cursor or not count():
            raise
        kept = f"The {count():,} records that came before are kept; the next run goes on from there."
        raise _InterruptedError(DataError(error.what, why=error.why, fix=f"{kept} {error.fix}".strip())) from error


def _chained(first: pa.RecordBatch, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from others


def _mark(path: Path, cursor: str, now: datetime) -> Mark | None:
    """The last value of the cursor in a landed file; None where there is none.

    A time that lies in the future is a typing error: reading on from it would never read anything again.
    """
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        rows = con.read_parquet(str(path), file_row_number=True)
        kind = str(rows.types[rows.columns.index(cursor)])
        column = duckdb.ColumnExpression(cursor)
        if kind.startswith("TIMESTAMP"):
            column = column.cast("TIMESTAMP")  # of UTC, whatever the zone
        usable = rows.filter(column.isnotnull() & _not_later(column, kind, now + timedelta(days=1)))
        ordered = usable.sort(duckdb.ColumnExpression("file_row_number").desc()).limit(1).select(column)
        found = ordered.fetchone()
        if found is None:
            return None
        value: Value = found[0]
        last = duckdb.ConstantExpression(value)
        counted = [rows.filter(c).count("*").fetchone() for c in (column.isnull() | (column >= last), column > last)]
        return Mark.of(cursor, value, *(row[0] if row else 0 for row in counted))


def _not_later(column: duckdb.Expression, kind: str, limit: datetime) -> duckdb.Expression:
    """Whether a value of the cursor does not lie in the future."""
    if kind.startswith("TIMESTAMP"):
        return column <= duckdb.ConstantExpression(limit)
    if kind == "DATE":
        return column <= duckdb.ConstantExpression(limit.date())
    if kind == "VARCHAR":
        # A text that is a date sorts as one; any other text is let through.
        dated = duckdb.FunctionExpression("regexp_matches", column, duckdb.ConstantExpression(_ISO))
        return ~dated | (column <= duckdb.ConstantExpression(limit.isoformat(" ")))
    return duckdb.ConstantExpression(True)


def _content(path: Path) -> str:
    """A digest of all records that does not mind their order."""
    with duckdb.connect() as con:
        rows = con.read_parquet(str(path))
        cells = [duckdb.ColumnExpression(c).cast("VARCHAR") for c in rows.columns]
        row = duckdb.FunctionExpression("to_json", duckdb.FunctionExpression("list_value", *cells)).cast("VARCHAR")
        number = duckdb.FunctionExpression("md5_number_lower", row).cast("HUGEINT").alias("n")
        found = rows.select(number).aggregate("count(*), sum(n)").fetchone()
    return hashlib.sha256(json.dumps([rows.columns, str(found)]).encode()).hexdigest()[:32]
