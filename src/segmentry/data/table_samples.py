"""The first rows of every table of a database, as files that `init` can look at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from segmentry import config
from segmentry.data import files
from segmentry.data.connectors.databases import sample_tables
from segmentry.data.source_files import Group, Origin

_ROWS = 200_000  # of each table: what a first look takes
PASSWORD = "${SEGMENTRY_DB_PASSWORD}"
# Columns that say when a row was last changed, without anything but letters.
_CHANGED = re.compile(r"(date|time|last|row)?(updated|modified|changed)(at|on|date|time)?|systemmodstamp")


def is_url(given: str) -> bool:
    """Whether what was given to `init` is a database."""
    return "://" in given


def sampled(given: str, root: Path, env: Mapping[str, str], folder: Path) -> list[Group]:
    """The tables of a database as groups of one file each.

    ``given`` is a URL; ``${NAME}`` in it is taken from the environment, and a password that stands in it is not written
    down. Empty tables are left out. Raises what the database raises; see :func:`sample_tables`.
    """
    url = config.from_environment(given, env)
    found = []
    for table, batches in sample_tables(url, root, _ROWS):
        path = folder / f"{re.sub(r'[^A-Za-z0-9_]', '_', table)}.parquet"
        rows = _stored(batches, path)
        if rows.num_rows:
            origin = Origin(without_password(given), table, _cursor(rows))
            found.append(Group((path,), (files.look(path),), origin=origin))
    return found


def without_password(url: str) -> str:
    """The URL with a place for the password where one stands in it."""
    password = urlsplit(url).password
    if not password or re.fullmatch(r"\$\{\w+\}", password):
        return url
    return url.replace(f":{password}@", f":{PASSWORD}@", 1)


def _stored(batches: Iterator[pa.RecordBatch], path: Path) -> pa.Table:
    rows = pa.Table.from_batches(list(batches))
    pq.write_table(rows, path)
    return rows


def _cursor(rows: pa.Table) -> str | None:
    """The column by which a run can read on, where its name says so and every row has it."""
    named = [c for c in rows.column_names if _CHANGED.fullmatch(re.sub("[^a-z]", "", c.lower()))]
    return next((c for c in named if not rows[c].null_count), None)
