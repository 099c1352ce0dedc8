"""The text of a file as clean UTF-8 in blocks of whole lines: what the exact readers of CSV and JSON work on."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from segmentry.data.byte_pass import FileScan, text_chunks
from segmentry.data.file_kinds import kind_of
from segmentry.engine import Progress

MAX_LINE = 8 << 20  # bytes; a longer line is no record of a customer but a damaged file
SHOWN = 500  # characters of a rejected line that are kept
# Stands before the beginning of a line that was too long. The text itself holds no zero byte any more.
TOO_LONG = b"\x00"
TOO_LONG_REASON = "longer than 8 MB"


def clean_chunks(path: Path, scan: FileScan, progress: Progress | None = None) -> Iterator[bytes]:
    """Chunks of whole characters: UTF-8, no byte order mark, no zero bytes, lines ended by line feeds only.

    Bytes that the encoding cannot read become U+FFFD.
    """
    kind = kind_of(path)
    chunks = text_chunks(path, kind, progress)
    return _one_newline(chunks if kind.wide else _to_utf8(chunks, scan.encoding), scan)


def clean_blocks(path: Path, scan: FileScan, progress: Progress | None = None) -> Iterator[bytes]:
    """The same in blocks of whole lines, each ended by a line feed.

    Of a line longer than :data:`MAX_LINE` only the beginning is left, marked by :data:`TOO_LONG`; the number of lines
    stays what it was.
    """
    return _whole_lines(clean_chunks(path, scan, progress))


def _to_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        if chunk.isascii() and not decoder.getstate()[0]:
            yield chunk
        else:
            yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")


def _one_newline(chunks: Iterator[bytes], scan: FileScan) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        data = held + chunk
        held = b""
        if scan.nuls:
            data = data.replace(b"\x00", b"")
        if scan.newline == "cr":
            data = data.replace(b"\r", b"\n")
        elif scan.newline != "lf":
            if data.endswith(b"\r"):
                data, held = data[:-1], b"\r"
            data = data.replace(b"\r\n", b"\n")
        yield data
    yield held


def _whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    skipping = False  # inside a line that is too long
    for chunk in chunks:
        data = held + chunk
        if skipping:
            end = data.find(b"\n")
            if end < 0:
                held = b""
                continue
            data, skipping = data[end + 1 :], False
        cut = data.rfind(b"\n") + 1
        block, held = data[:cut], data[cut:]
        if len(block) > MAX_LINE:
            block = b"".join(_shortened(line + b"\n") for line in block[:-1].split(b"\n"))
        if block:
            yield block
        if len(held) > MAX_LINE:
            yield _shortened(held)
            held, skipping = b"", True
    if held and not skipping:
        yield held + b"\n"


def _shortened(line: bytes) -> bytes:
    if len(line) <= MAX_LINE:
        return line
    return TOO_LONG + line[: 4 * SHOWN] + b"\n"


def shown(line: bytes) -> str:
    """The beginning of a line for people to read."""
    return line[: 4 * SHOWN].decode("utf-8", "replace").lstrip("\x00")[:SHOWN]


@dataclass
class RejectWriter:
    """Writes rejected lines to a Parquet file, a batch at a time, so that also millions of them take no memory."""

    path: Path
    count: int = 0

    _SCHEMA = pa.schema([("_line", pa.int64()), ("reason", pa.string()), ("text", pa.string())])
    _BATCH = 10_000

    def __post_init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._file = pq.ParquetWriter(self.path, self._SCHEMA)

    def __enter__(self) -> RejectWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._file.close()

    def add(self, line: int, reason: str, text: str) -> None:
        """Note one line that cannot be read, its number, and why."""
        self.count += 1
        self._rows.append({"_line": line, "reason": reason, "text": text})
        if len(self._rows) >= self._BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._file.write_table(pa.Table.from_pylist(self._rows, schema=self._SCHEMA))
            self._rows = []
