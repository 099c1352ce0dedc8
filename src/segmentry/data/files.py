"""From a path to a table of records: find the files, look at one, read all of it.

::

    for path in expand("exports/**/*.csv", root):
        seen = scan(path)                       one pass over the bytes: hash, encoding, lines
        shape = look(path)                      delimiter, header, columns, from a sample
        records = open_records(con, path, shape, seen, scratch)
        records.table                           an Ibis table; records.rejected; records.counts

What is read, and how: texts are never guessed at by DuckDB. A well-made CSV or NDJSON file it reads in place (also
packed by gzip or zstd); any other is first turned into clean UTF-8, as a stream. Records are stored once as Parquet in
``scratch``, so that the queries that follow read only the columns they need; not where a well-made CSV is gone through
a few times only, as by collect.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from ibis.backends.duckdb import Backend

from segmentry.data.byte_pass import FileScan, scan
from segmentry.data.csv_grammar import Dialect
from segmentry.data.csv_records import csv_records
from segmentry.data.file_shape import FileShape, look
from segmentry.data.json_records import json_records
from segmentry.data.records import Bench, Counts, Records
from segmentry.data.sheet_records import excel_records, parquet_records
from segmentry.engine import Progress
from segmentry.errors import DataError, did_you_mean

__all__ = ["Counts", "Dialect", "FileScan", "FileShape", "Records", "expand", "look", "open_records", "scan"]

_MARKS = "*?["


def expand(patterns: str | Sequence[str], root: Path) -> list[Path]:
    """The files that patterns name, sorted, each once.

    ``*``, ``?``, ``[...]`` and ``**`` (any folders) are understood; relative patterns start at ``root``. Raises
    :class:`DataError` for a pattern that matches nothing, or names a folder.
    """
    found: dict[Path, None] = {}
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        for path in _matches(pattern, root):
            found[path] = None
    return sorted(found)


def _matches(pattern: str, root: Path) -> list[Path]:
    whole = root / Path(pattern).expanduser()
    if whole.is_dir():
        raise DataError(
            f"{pattern} is a folder.",
            why="A source reads files.",
            fix=f"Say which: {pattern.rstrip('/')}/*.csv, or {pattern.rstrip('/')}/**/*.csv with the folders in it.",
        )
    if whole.exists():  # also a name that looks like a pattern
        return [whole]
    files = [p for p in map(Path, glob.glob(str(whole), recursive=True)) if p.is_file()]  # noqa: PTH207 - absolute too
    if not files:
        is_pattern = any(mark in pattern for mark in _MARKS)
        raise DataError(
            f"{pattern} matches no file." if is_pattern else f"{whole} does not exist.",
            why=_nearby(whole),
            fix="Correct the path; a relative one starts at the folder of segmentry.yaml.",
        )
    return files


def _nearby(path: Path) -> str:
    """What there is instead: the nearest folder that exists, and the files in it."""
    folder = path.parent
    while not folder.is_dir() or any(mark in str(folder) for mark in _MARKS):
        folder = folder.parent
    names = [p.name + ("/" if p.is_dir() else "") for p in folder.iterdir() if not p.name.startswith(".")]
    if not names:
        return f"The folder {folder} is empty."
    wanted = path.relative_to(folder).parts[0]
    near = did_you_mean(wanted, names)
    return f"In {folder} there are: {near.removeprefix('Allowed: ')}" if near.startswith("Allowed: ") else near


def open_records(
    con: Backend,
    path: Path,
    shape: FileShape,
    scan: FileScan,
    scratch: Path,
    progress: Progress | None = None,
    *,
    few_passes: bool = False,
) -> Records:
    """Read a file: its records as a table, what could not be read, and the count of every line.

    ``con`` is a DuckDB backend of Ibis; ``scratch`` a folder on a disk with room for the file. ``progress`` is told
    bytes read and bytes in all when the file has to be gone through once more; ``few_passes`` says that the records
    will be read two or three times only, see :class:`Records`. Raises :class:`DataError` when the file
    has changed since ``scan`` or cannot be read at all.
    """
    size = path.stat().st_size
    if size != scan.size:
        raise DataError(
            f"{path.name} has changed while it was being read.",
            why=f"It had {scan.size:,} bytes and now has {size:,}.",
            fix="Wait until the export is finished, then run again.",
        )
    bench = Bench(con, scratch)
    try:
        records = _read(bench, path, shape, scan, progress, few_passes=few_passes)
    except BaseException:
        bench.clear()
        raise
    if not records.counts.balanced:
        bench.clear()
        raise DataError(
            f"{path.name} could not be read in full.",
            why=f"The lines do not add up: {records.counts}.",
            fix="This is a defect of Segmentry: please report it, with the file if it may be shown.",
        )
    return records


def _read(
    bench: Bench, path: Path, shape: FileShape, scan: FileScan, progress: Progress | None, *, few_passes: bool
) -> Records:
    if shape.format == "parquet":
        return parquet_records(bench, path, shape)
    if shape.format == "excel":
        return excel_records(bench, path, shape)
    if shape.format == "csv":
        return csv_records(bench, path, shape, scan, progress, few_passes=few_passes)
    return json_records(bench, path, scan, progress)
