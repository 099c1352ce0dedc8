"""What the records of a file look like, told by a sample: delimiter, header, names of the columns."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmentry.data.byte_pass import text_chunks
from segmentry.data.csv_grammar import RFC_4180, Dialect, rows_of, sniff
from segmentry.data.excel_rows import Workbook
from segmentry.data.file_kinds import Compression, Format, Kind, kind_of
from segmentry.data.header import find_header, usable_names
from segmentry.data.json_text import column_name, elements, key_paths
from segmentry.data.survey_header import SurveyHeading
from segmentry.errors import DataError

SAMPLE = 1 << 20  # bytes of text that are looked at
_SHEET_ROWS = 1_000  # rows of a sheet that are looked at
_WRAPPER_KEYS = 5  # an object around a list of records has few keys beside it: count, next, status


@dataclass(frozen=True, kw_only=True)
class FileShape:
    """What the records of a file look like.

    ``columns`` are usable names: stripped, none empty, no two alike in lower case, none ``_line``; ``renamed`` gives
    what was written and what it became. For JSON they are the keys of the sample: the records may have more.
    ``header_lines`` is how many lines (rows of a sheet) stand before the first record, titles and notes included.
    ``empty``: there is a header and nothing below it. ``heading`` is what a survey tool's header of several rows says.
    """

    format: Format
    columns: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...] = ()
    compression: Compression = "none"
    encoding: str = ""
    dialect: Dialect = RFC_4180
    has_header: bool = True
    header_lines: int = 0
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    empty: bool = False
    heading: SurveyHeading | None = None

    @property
    def delimiter(self) -> str:
        """What stands between the fields of a CSV file."""
        return self.dialect.delimiter

    @property
    def quote(self) -> str:
        """What stands around fields of a CSV file that hold a delimiter or a line feed."""
        return self.dialect.quote


def look(path: Path, sheet: str | None = None) -> FileShape:
    """Recognise the shape of a file.

    ``sheet`` names a sheet of an Excel file; without it the first visible one that holds something is taken. What is
    found can be corrected with :func:`dataclasses.replace`. Raises :class:`DataError` for a file that is missing,
    empty, damaged or no table.
    """
    kind = kind_of(path)
    if kind.format == "parquet":
        return _look_parquet(path)
    if kind.format == "excel":
        return _look_excel(path, sheet)
    text, whole, encoding = _sample(path, kind)
    if kind.format == "csv":
        return _look_csv(kind, text, whole, encoding)
    return _look_json(path, kind, text, whole, encoding)


# Text -----------------------------------------------------------------------------------------------------------------


def _sample(path: Path, kind: Kind) -> tuple[str, bool, str]:
    """The text at the beginning of the file with line feeds only; whether that is all of it; its encoding."""
    raw = b""
    for chunk in text_chunks(path, kind):
        raw += chunk
        if len(raw) > SAMPLE:
            break
    whole = len(raw) <= SAMPLE
    if not whole:
        end = raw.rfind(b"\n", 0, SAMPLE) + 1 or raw.rfind(b"\r", 0, SAMPLE) + 1
        raw = raw[: end or SAMPLE]
        if not end and kind.format != "json":
            raise DataError(
                f"The first line of {path.name} is longer than {SAMPLE >> 20} MB.",
                why="That is no table with one record per line.",
                fix="Export it again as CSV with one record per line.",
            )
    encoding = kind.wide or _encoding(raw, kind)
    text = raw.decode("utf-8" if kind.wide else encoding, "replace").replace("\x00", "").replace("\r\n", "\n")
    return (text if "\n" in text else text.replace("\r", "\n")), whole, encoding


def _encoding(raw: bytes, kind: Kind) -> str:
    text = raw.decode("utf-8", "replace")
    broken = text.count("\ufffd") - raw.count(b"\xef\xbf\xbd")
    valid = sum(1 for c in text if c > "\x7f") - broken
    return "utf-8" if kind.mark or broken <= valid else "cp1252"


def _look_csv(kind: Kind, text: str, whole: bool, encoding: str) -> FileShape:
    data = (text.removesuffix("\n") + "\n").encode()
    dialect, width, before = sniff(data)
    data = data.split(b"\n", before)[before]
    rows = list(rows_of(data, dialect))
    header = find_header([cells for cells, _ in rows], width)
    lines = before + sum(taken for _, taken in rows[: header.rows])
    below = any(any(cell.strip() for cell in cells) for cells, _ in rows[header.rows :])
    return FileShape(
        format="csv",
        columns=header.names,
        renamed=header.renamed,
        compression=kind.compression,
        encoding=encoding,
        dialect=dialect,
        has_header=header.found,
        header_lines=lines,
        empty=whole and not below,
        heading=header.heading,
    )


def _look_json(path: Path, kind: Kind, text: str, whole: bool, encoding: str) -> FileShape:
    objects = list(itertools.islice(_objects(text, kind), 1_000))
    if not text.lstrip("\ufeff \t\r\n").startswith("["):
        _refuse_wrapped(path, text, objects, whole)
    if not objects:
        raise DataError(
            f"{path.name} holds no JSON objects.",
            why='A record is an object such as {"id": 1}; a file is a list of them, or one per line.',
            fix="Export it again in one of these forms.",
        )
    columns, renamed = usable_names(column_name(p) for p in key_paths(objects))
    return FileShape(
        format=kind.format, columns=columns, renamed=renamed, compression=kind.compression, encoding=encoding
    )


def _objects(text: str, kind: Kind) -> Iterator[dict[str, Any]]:
    parts = text.splitlines() if kind.format == "ndjson" else [e.text for e in elements([text]) if not e.reason]
    for part in parts:
        try:
            value = json.loads(part)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def _refuse_wrapped(path: Path, text: str, objects: list[dict[str, Any]], whole: bool) -> None:
    """One object around the list of records is how web services answer; the list itself is wanted."""
    if len(objects) > 1 or (objects and not whole):
        return
    keys = re.findall(r'"([^"]+)"\s*:\s*\[\s*\{', text)[:1]
    if objects:
        # A record may hold a list of objects too, such as an order its items; then it has more to say beside it.
        keys = [k for k, v in objects[0].items() if _is_list_of_objects(v)] if len(objects[0]) <= _WRAPPER_KEYS else []
        if not keys:
            return
    raise DataError(
        f"{path.name} is one JSON object, not a list of records.",
        why=f"The records seem to stand under '{keys[0]}'."
        if keys
        else "Records are a list of objects, or one per line.",
        fix=f"Save the list under '{keys[0]}' as a file of its own." if keys else "Export it as a list of objects.",
    )


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


# Tables ---------------------------------------------------------------------------------------------------------------


def _look_parquet(path: Path) -> FileShape:
    import pyarrow as pa  # noqa: PLC0415 - only here, and slow to import
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            columns, renamed = usable_names(file.schema_arrow.names)
            rows = file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path.name} cannot be read as a Parquet file.",
            why=f"It is damaged or cut short ({str(error).splitlines()[0]}).",
            fix="Copy or export the file again.",
        ) from error
    return FileShape(format="parquet", columns=columns, renamed=renamed, empty=rows == 0)


def _look_excel(path: Path, wanted: str | None) -> FileShape:
    with Workbook(path) as book:
        sheet = book.choose(wanted)
        rows = list(itertools.islice(book.rows(sheet), _SHEET_ROWS))
        sheets = book.sheets
    width = max((_extent(row) for row in rows), default=0)
    if not width:
        raise DataError(
            f"Sheet '{sheet}' of {path.name} is empty.",
            why=f"Its first {_SHEET_ROWS:,} rows hold nothing.",
            fix=f"Name another sheet: {', '.join(sheets)}.",
        )
    header = find_header([(row + [""] * width)[:width] for row in rows], width)
    return FileShape(
        format="excel",
        columns=header.names,
        renamed=header.renamed,
        has_header=header.found,
        header_lines=header.rows,
        sheet=sheet,
        sheets=sheets,
        empty=len(rows) < _SHEET_ROWS and not any(_extent(row) for row in rows[header.rows :]),
        heading=header.heading,
    )


def _extent(row: list[str]) -> int:
    """How many cells there are up to the last one that is filled."""
    return next((i for i in range(len(row), 0, -1) if row[i - 1].strip()), 0)
