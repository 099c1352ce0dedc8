"""The records of a CSV file.

A well-made file is read in place by DuckDB; that is right when DuckDB finds as many records as there are lines below
the header, for then every record is one line. Whenever that does not hold (text with line feeds, blank lines, a record
that cannot be read, another encoding) the file is gone through once more, line by line, exactly: what can be read is
written to a clean copy that carries the number of the line, what cannot is rejected with its reason, and DuckDB reads
the copy. Both ways give the same records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import IO

import duckdb
import ibis
import ibis.expr.types as ir

from segmentry.data.byte_pass import FileScan
from segmentry.data.clean_text import MAX_LINE, TOO_LONG, TOO_LONG_REASON, RejectWriter, clean_blocks, shown
from segmentry.data.csv_grammar import BAD_QUOTE, NEVER_CLOSED, Fields, Grammar
from segmentry.data.file_shape import FileShape
from segmentry.data.header import LINE
from segmentry.data.records import Bench, Counts, Records, filled, first_line
from segmentry.engine import Progress
from segmentry.errors import DataError

_PIECE = 64 << 10  # bytes that are numbered at once where nothing is unusual
_LONG = 1 << 20  # records longer than this need larger buffers than DuckDB's own (2 MB a line)
_BLANKS = b" \t\r\x1a"  # what may stand on a blank line; 1A ends files of old systems


def csv_records(
    bench: Bench,
    path: Path,
    shape: FileShape,
    scan: FileScan,
    progress: Progress | None = None,
    *,
    few_passes: bool = False,
) -> Records:
    """Read a CSV file: in place if it is well made, else exactly.

    ``few_passes``: it will be gone through two or three times, so that a copy that reads faster does not pay.
    """
    if _may_be_read_in_place(shape, scan):
        found = read_in_place(bench, path, shape, scan, few_passes=few_passes)
        if found is not None:
            return found
    return read_exactly(bench, path, shape, scan, progress)


def _may_be_read_in_place(shape: FileShape, scan: FileScan) -> bool:
    blank_between = not scan.quotes and scan.blank_lines - scan.blank_at_end > shape.header_lines
    return (
        scan.plain
        and shape.dialect.escape == shape.dialect.quote
        and not scan.spaced_quotes
        and scan.longest_line <= MAX_LINE
        and not blank_between
    )


def read_in_place(
    bench: Bench, path: Path, shape: FileShape, scan: FileScan, *, few_passes: bool = False
) -> Records | None:
    """Let DuckDB read the file as it is; nothing if records and lines do not match one to one."""
    newline = "\\r\\n" if scan.newline == "crlf" else "\\n"
    options = {"skip": shape.header_lines, "compression": scan.compression, "new_line": newline}
    below = scan.lines - shape.header_lines - scan.blank_at_end
    # The first column is read with the count: in a file of one column a blank line is a record of nothing for DuckDB.
    try:
        rows = _parsed(bench, bench.linked(path), shape, options, longest=scan.longest_line, numbered=False)
        if not few_passes:
            rows = _stored(bench, rows, file_row_number=True)
        seen = rows.agg(rows=rows.count(), first=rows["c0"].count()).to_pyarrow().to_pylist()[0]
    except duckdb.InvalidInputException:
        return None
    if seen["rows"] != below or (len(shape.columns) == 1 and seen["first"] != below):
        return None
    number = ibis.row_number() if few_passes else rows["file_row_number"].cast("int64")
    table = rows.mutate(**{LINE: number + (shape.header_lines + 1)})
    rejects = bench.file("rejected.parquet")
    with RejectWriter(rejects):
        pass
    return Records(
        table=_named(table, shape),
        rejected=bench.parquet(rejects),
        counts=Counts(
            unit="lines", total=scan.lines, records=below, header=shape.header_lines, blank=scan.blank_at_end
        ),
        in_order=_named(table, shape).drop(LINE) if few_passes else None,
        _bench=bench,
    )


def read_exactly(
    bench: Bench, path: Path, shape: FileShape, scan: FileScan, progress: Progress | None = None
) -> Records:
    """Go through the file line by line and let DuckDB read a clean copy."""
    clean, rejects = bench.file("clean.csv"), bench.file("rejected.parquet")
    with clean.open("wb") as out, RejectWriter(rejects) as rejected:
        splitter = _Splitter(Grammar(shape.dialect), len(shape.columns), shape.header_lines, out, rejected)
        splitter.split(clean_blocks(path, scan, progress))
    try:
        rows = _parsed(bench, clean, shape, {"new_line": "\\n"}, longest=splitter.longest, numbered=True)
        rows = _stored(bench, rows)
    except duckdb.InvalidInputException as error:
        raise DataError(
            f"{path.name} cannot be read.",
            why=f"DuckDB says: {first_line(error)}",
            fix="Export the file again, as CSV in UTF-8.",
        ) from error
    finally:
        clean.unlink()
    counts = Counts(
        unit="lines",
        total=scan.lines,
        header=splitter.header,
        records=int(rows.count().execute()),
        continued=splitter.continued,
        rejected=rejected.count,
        blank=splitter.blank,
    )
    return Records(table=_named(rows, shape), rejected=bench.parquet(rejects), counts=counts, _bench=bench)


def _parsed(
    bench: Bench, path: Path, shape: FileShape, options: Mapping[str, object], *, longest: int, numbered: bool
) -> ir.Table:
    names = {f"c{i}": "VARCHAR" for i in range(len(shape.columns))}
    if longest > _LONG:
        options = {**options, "max_line_size": longest + 1024}
    rows = bench.csv(
        path,
        {LINE: "BIGINT", **names} if numbered else names,
        delim=shape.delimiter,
        quote=shape.quote,
        escape=shape.quote,
        **options,
    )
    return rows.mutate(**{c: filled(rows[c]) for c in names})


def _stored(bench: Bench, rows: ir.Table, **options: object) -> ir.Table:
    """Parse once, into Parquet: later queries read only the columns that they need, and records have numbers."""
    return bench.parquet(bench.store(rows, "records.parquet"), **options)


def _named(rows: ir.Table, shape: FileShape) -> ir.Table:
    return rows.select(LINE, **{name: f"c{i}" for i, name in enumerate(shape.columns)})


@dataclass
class _Splitter:
    """Cuts clean text into records, line by line: readable ones to ``out``, numbered, the others to ``rejected``."""

    grammar: Grammar
    columns: int
    header_lines: int
    out: IO[bytes]
    rejected: RejectWriter
    line: int = 1
    header: int = 0
    continued: int = 0
    blank: int = 0
    longest: int = 0
    _pending: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        self._pattern = self.grammar.record(self.columns)

    def split(self, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            self._block(self._below_header(block), final=False)
        self._block(b"", final=True)

    def _below_header(self, block: bytes) -> bytes:
        place = 0
        while self.header < self.header_lines and place < len(block):
            place = block.index(b"\n", place) + 1
            self.header += 1
            self.line += 1
        return block[place:]

    def _block(self, block: bytes, *, final: bool) -> None:
        data = self._pending + block
        self._pending = b""
        done: list[bytes] = []
        place = 0
        while place < len(data):
            end = data.rfind(b"\n", place, place + _PIECE) + 1 or data.index(b"\n", place) + 1
            piece = data[place:end]
            after: int | None = end
            if self.columns > 1 and not any(mark in piece for mark in (self.grammar.quote, b"\r", TOO_LONG)):
                self._lines(piece[:-1].split(b"\n"), done)
            elif not self._plain_records(piece, done):
                after = self._one_by_one(data, place, end, done, final=final)
            if after is None:
                break
            place = after
        self.out.write(b"".join(done))

    def _lines(self, lines: list[bytes], done: list[bytes]) -> None:
        """Number lines without quotes: each is a record if it has its delimiters."""
        delimiter, wanted = self.grammar.delimiter, self.columns - 1
        numbered = b"%d" + delimiter + b"%b\n"
        if all(line.count(delimiter) == wanted for line in lines):
            done.extend([numbered % pair for pair in enumerate(lines, self.line)])
            self.line += len(lines)
            self.longest = max(self.longest, *map(len, lines))
            return
        for line in lines:
            if line.count(delimiter) == wanted:
                done.append(numbered % (self.line, line))
                self.line += 1
                self.longest = max(self.longest, len(line))
            else:
                self._odd(line + b"\n", 0, done, final=True)

    def _plain_records(self, piece: bytes, done: list[bytes]) -> bool:
        """Number the records of a piece at once, if all that it holds is whole and plain."""
        records = self._pattern.findall(piece)
        if sum(map(len, records)) != len(piece):
            return False
        numbered = b"%d" + self.grammar.delimiter + b"%b"
        lines = [record.count(b"\n") for record in records]
        starts = list(accumulate(lines, initial=self.line))
        done.extend([numbered % pair for pair in zip(starts, records, strict=False)])
        self.line = starts[-1]
        self.continued += sum(lines) - len(lines)
        self.longest = max(self.longest, *map(len, records))
        return True

    def _one_by_one(self, data: bytes, place: int, end: int, done: list[bytes], *, final: bool) -> int | None:
        """Read records until at least ``end``; gives where to go on, or nothing when the last one needs more data."""
        match = self._pattern.match
        while place < end:
            found = match(data, place)
            if found is not None:
                record = found[0]
                done.append(b"%d%b%b" % (self.line, self.grammar.delimiter, record))
                self._count(record)
                place = found.end()
                continue
            after = self._odd(data, place, done, final=final)
            if after is None:
                self._pending = data[place:]
                return None
            place = after
        return place

    def _count(self, record: bytes) -> None:
        lines = record.count(b"\n")
        self.line += lines
        self.continued += lines - 1
        self.longest = max(self.longest, len(record))

    def _odd(self, data: bytes, place: int, done: list[bytes], *, final: bool) -> int | None:
        """Deal with what is no plain record; gives where to go on, or nothing when more data are needed."""
        end = data.index(b"\n", place) + 1
        line = data[place : end - 1]
        if not line.strip(_BLANKS.replace(self.grammar.delimiter, b"")):
            self.blank += 1
            self.line += 1
            return end
        found = self.grammar.read(data, place)
        if found == "open" and not final and len(data) - place <= MAX_LINE:
            return None
        problem = self._problem(found)
        if problem or isinstance(found, str):
            # Only this line: when a stray quote has swallowed the lines below, they are read for themselves.
            self.rejected.add(self.line, TOO_LONG_REASON if line.startswith(TOO_LONG) else problem, shown(line))
            self.line += 1
            return end
        record = self.grammar.write(found.cells[: self.columns])
        done.append(b"%d%b%b\n" % (self.line, self.grammar.delimiter, record))
        self._count(data[place : found.end])
        return found.end

    def _problem(self, found: Fields | str) -> str:
        """Why what was read is no record; empty if it is one."""
        if not isinstance(found, Fields):
            return NEVER_CLOSED if found == "open" else BAD_QUOTE
        surplus = found.cells[self.columns :]
        if len(found.cells) < self.columns or any(surplus):
            return f"{len(found.cells)} fields instead of {self.columns}"
        return ""
