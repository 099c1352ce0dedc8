"""The records of NDJSON and JSON files: one column per key, nested objects taken apart, lists as JSON text.

All records are asked for their keys, so one that appears only late has its column too. An object with more than
:data:`~segmentry.data.json_text.MAX_KEYS` different keys has values for keys (days, ids); it stays one column of JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import duckdb
import ibis
import ibis.expr.types as ir

from segmentry.data.byte_pass import FileScan
from segmentry.data.clean_text import (
    MAX_LINE,
    SHOWN,
    TOO_LONG,
    TOO_LONG_REASON,
    RejectWriter,
    clean_blocks,
    clean_chunks,
    shown,
)
from segmentry.data.header import LINE, usable_names
from segmentry.data.json_text import MAX_DEPTH, MAX_KEYS, NOT_VALID, column_name, elements, pointer
from segmentry.data.records import Bench, Counts, Records, filled
from segmentry.engine import Progress
from segmentry.errors import DataError

NOT_AN_OBJECT = "not a JSON object"
MAX_COLUMNS = 2_000
# JSON text never holds this character as such, so it can stand between the number of a line and the line.
_SEPARATOR = "\x01"
_TEXT = "json"


@ibis.udf.scalar.builtin(name="json_valid", signature=(("string",), "boolean"))
def _valid(text: str) -> bool:
    """Whether a text is JSON."""
    raise AssertionError(text)  # Ibis calls the function of that name in the database; so with all below


@ibis.udf.scalar.builtin(name="json_type", signature=(("string",), "string"))
def _type(text: str) -> str:
    """What a JSON text is: OBJECT, ARRAY, VARCHAR ..."""
    raise AssertionError(text)


@ibis.udf.scalar.builtin(name="json_type", signature=(("string", "array<string>"), "array<string>"))
def _types(text: str, paths: list[str]) -> list[str]:
    """What stands at several places of a JSON text."""
    raise AssertionError(text, paths)


@ibis.udf.scalar.builtin(name="json_keys", signature=(("string", "string"), "array<string>"))
def _keys(text: str, path: str) -> list[str]:
    """The keys of the object at a place of a JSON text."""
    raise AssertionError(text, path)


@ibis.udf.scalar.builtin(name="json_structure", signature=(("string",), "string"))
def _structure(text: str) -> str:
    """Keys and kinds of values of a JSON text, as JSON."""
    raise AssertionError(text)


@ibis.udf.scalar.builtin(name="json_extract_string", signature=(("string", "array<string>"), "array<string>"))
def _extract(text: str, paths: list[str]) -> list[str]:
    """What stands at several places of a JSON text, as text."""
    raise AssertionError(text, paths)


def json_records(bench: Bench, path: Path, scan: FileScan, progress: Progress | None = None) -> Records:
    """Read a JSON or NDJSON file."""
    rejects = bench.file("unread.parquet")
    with RejectWriter(rejects) as rejected:
        if scan.format == "json":
            lines, blank = _of_elements(bench, path, scan, rejected, progress), 0
        else:
            lines, blank = _of_lines(bench, path, scan, rejected, progress)
    good = lines.filter(_valid(lines[_TEXT]) & (_type(_checked(lines[_TEXT])) == "OBJECT"))
    bad = _not_objects(lines).select(LINE, "reason", "text").union(bench.parquet(rejects))
    bad = bench.parquet(bench.store(bad.order_by(LINE), "rejected.parquet"))
    paths, warnings = _columns(_one_of_each(bench, good), path)
    table = _extracted(bench, good, paths)
    records, rejected_lines = int(table.count().execute()), int(bad.count().execute())
    lines_are_records = scan.format == "ndjson"
    counts = Counts(
        unit="lines" if lines_are_records else "elements",
        total=scan.lines if lines_are_records else int(lines.count().execute()) + rejected.count,
        records=records,
        rejected=rejected_lines,
        blank=blank,
    )
    return Records(table=table, rejected=bad, counts=counts, warnings=warnings, _bench=bench)


# Lines ----------------------------------------------------------------------------------------------------------------


def _of_lines(
    bench: Bench, path: Path, scan: FileScan, rejected: RejectWriter, progress: Progress | None
) -> tuple[ir.Table, int]:
    """The lines that hold something, numbered, and how many hold nothing."""
    if scan.plain and scan.longest_line <= MAX_LINE and (found := _lines_in_place(bench, path, scan)) is not None:
        return found
    blank = 0

    def numbered() -> Iterator[bytes]:
        nonlocal blank
        line = 0
        for block in clean_blocks(path, scan, progress):
            for text in block[:-1].split(b"\n"):
                line += 1
                if not text.strip():
                    blank += 1
                elif text.startswith(TOO_LONG):
                    rejected.add(line, TOO_LONG_REASON, shown(text))
                elif b"\x01" in text or b"\r" in text:
                    rejected.add(line, NOT_VALID, shown(text))
                else:
                    yield b"%d\x01%b\n" % (line, text)

    return _load_numbered(bench, numbered(), longest=scan.longest_line), blank


def _lines_in_place(bench: Bench, path: Path, scan: FileScan) -> tuple[ir.Table, int] | None:
    columns = {_TEXT: "VARCHAR"}
    options = {"delim": _SEPARATOR, "quote": "", "escape": "", "compression": scan.compression}
    try:
        rows = bench.csv(bench.linked(path), columns, **options, **_buffers(scan.longest_line))
        rows = bench.parquet(bench.store(rows, "lines.parquet"), file_row_number=True)
    except duckdb.InvalidInputException:
        return None
    counted = rows.agg(lines=rows.count(), blank=rows[_TEXT].isnull().sum()).to_pyarrow().to_pylist()[0]
    # DuckDB gives a blank line as a record of nothing, except at the end of the file.
    if counted["lines"] + scan.blank_at_end < scan.lines or counted["lines"] > scan.lines:
        return None
    kept = rows.filter(rows[_TEXT].strip() != "")
    blank = scan.lines - int(kept.count().execute())
    return kept.select(_TEXT, **{LINE: kept["file_row_number"].cast("int64") + 1}), blank


def _of_elements(
    bench: Bench, path: Path, scan: FileScan, rejected: RejectWriter, progress: Progress | None
) -> ir.Table:
    def numbered() -> Iterator[bytes]:
        texts = (chunk.decode() for chunk in clean_chunks(path, scan, progress))
        for number, element in enumerate(elements(texts), 1):
            # A line feed outside of a string is a space, and none can stand inside.
            text = element.text.replace("\n", " ").replace("\r", " ").encode("utf-8", "replace")
            if element.reason or b"\x01" in text:
                rejected.add(number, element.reason or NOT_VALID, shown(text))
            else:
                yield b"%d\x01%b\n" % (number, text)

    return _load_numbered(bench, numbered(), longest=MAX_LINE)


def _load_numbered(bench: Bench, lines: Iterable[bytes], *, longest: int) -> ir.Table:
    clean = bench.file("clean.ndjson")
    with clean.open("wb", buffering=1 << 20) as out:
        out.writelines(lines)
    columns = {LINE: "BIGINT", _TEXT: "VARCHAR"}
    rows = bench.csv(clean, columns, delim=_SEPARATOR, quote="", escape="", **_buffers(longest))
    stored = bench.store(rows, "lines.parquet")
    clean.unlink()
    return bench.parquet(stored)


def _buffers(longest: int) -> dict[str, int]:
    return {"max_line_size": 2 * MAX_LINE} if longest > 1 << 20 else {}


# Records --------------------------------------------------------------------------------------------------------------


def _checked(text: ir.Value) -> ir.Value:
    """The text where it is JSON: DuckDB may look at both sides of an ``and``."""
    return _valid(text).ifelse(text, ibis.null("string"))


def _not_objects(lines: ir.Table) -> ir.Table:
    kind = _type(_checked(lines[_TEXT]))
    reason = ibis.cases((kind.isnull(), NOT_VALID), (kind != "OBJECT", NOT_AN_OBJECT))
    bad = lines.mutate(reason=reason, text=lines[_TEXT].left(SHOWN))
    return bad.filter(bad["reason"].notnull())


def _one_of_each(bench: Bench, lines: ir.Table) -> ir.Table:
    """The first line of every structure there is: which keys, in which order, with what kind of value.

    Files of millions of lines have some hundred structures.
    """
    structured = lines.select(LINE, structure=_structure(_checked(lines[_TEXT])))
    first = structured.group_by("structure").agg(line=structured[LINE].min())
    chosen = lines.semi_join(first, lines[LINE] == first["line"])
    return bench.parquet(bench.store(chosen, "structures.parquet"))


def _columns(lines: ir.Table, path: Path) -> tuple[list[str], tuple[str, ...]]:
    """The JSON pointers of all columns, in the order of first appearance."""
    warnings: list[str] = []
    paths = list(_expanded(lines, "", 1, warnings))
    if len(paths) > MAX_COLUMNS:
        raise DataError(
            f"{path.name} has {len(paths):,} different keys.",
            why=f"A record has at most {MAX_COLUMNS:,}; here values seem to stand where keys belong.",
            fix="Export a list of objects that all have the same keys.",
        )
    return paths, tuple(warnings)


def _expanded(lines: ir.Table, above: str, depth: int, warnings: list[str]) -> Iterator[str]:
    limit = MAX_KEYS if above else MAX_COLUMNS
    keys = _keys_at(lines, above, limit)
    if len(keys) > limit and above:
        warnings.append(f"{column_name(above)} has more than {limit} different keys and is kept as JSON text.")
        yield above
        return
    paths = [pointer(above, key) for key in keys]
    nested = _nested(lines, paths) if depth < MAX_DEPTH else {}
    for path in paths:
        objects, others = nested.get(path, (0, 0))
        inner = list(_expanded(lines, path, depth + 1, warnings)) if objects else []
        if others or not inner:
            yield path
        yield from (p for p in inner if p != path or not others)


def _keys_at(lines: ir.Table, path: str, limit: int) -> list[str]:
    """The keys of the objects at a place, in the order of first appearance."""
    every = lines.select(LINE, keys=_keys(lines[_TEXT], path))
    each = every.select(LINE, key=cast("ir.ArrayColumn", every["keys"]).unnest())
    found = each.group_by("key").agg(line=each[LINE].min()).order_by("line", "key").limit(limit + 1)
    first = {row["key"]: row["line"] for row in found.to_pyarrow().to_pylist()}
    # Several keys may come for the first time in one record: there they stand in its own order.
    records = every.filter(every[LINE].isin(sorted(set(first.values())))).order_by(LINE).to_pyarrow().to_pylist()
    return list(dict.fromkeys(key for row in records for key in row["keys"] if key in first))


def _nested(lines: ir.Table, paths: list[str]) -> dict[str, tuple[int, int]]:
    """How often an object stands at a place, and how often something else (null aside)."""
    # A record with an object in it has two opening braces; looking for them is much cheaper than parsing.
    suspects = lines.filter(lines[_TEXT].like("%{%{%"))
    if not paths or not int(suspects.count().execute()):
        return {}
    each: Any = lines.select(kinds=_types(lines[_TEXT], paths))
    counts: dict[str, Any] = {}
    for i in range(len(paths)):
        kind = each["kinds"][i]
        counts[f"objects{i}"] = (kind == "OBJECT").sum().fill_null(0)
        counts[f"others{i}"] = kind.notin(["OBJECT", "NULL"]).sum().fill_null(0)
    found = each.agg(**counts).to_pyarrow().to_pylist()[0]
    return {path: (found[f"objects{i}"], found[f"others{i}"]) for i, path in enumerate(paths)}


def _extracted(bench: Bench, lines: ir.Table, paths: list[str]) -> ir.Table:
    names, _ = usable_names(column_name(path) for path in paths)
    cells: Any = lines.mutate(cells=_extract(lines[_TEXT], paths)) if paths else lines
    kept = cells.select(LINE, **{f"c{i}": filled(cells["cells"][i]) for i in range(len(paths))})
    stored = bench.parquet(bench.store(kept, "records.parquet"))
    return stored.select(LINE, **{name: f"c{i}" for i, name in enumerate(names)})
