"""One streaming pass over the bytes of a file: its hash, how its text is written, what is wrong with it.

The encoding of a text is decided over all of it:

* a byte order mark decides; without one, zero bytes at every second place mean UTF-16;
* otherwise bytes are UTF-8 unless more of them break its rules than keep them, then they are Windows-1252. Text of one
  encoding is next to never valid in the other, so even a few well-formed characters are strong evidence.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, cast

import numpy as np
import numpy.typing as npt
import zstandard

from segmentry.data.file_kinds import Compression, Format, Kind, kind_of
from segmentry.engine import Progress
from segmentry.errors import DataError

Newline = Literal["lf", "crlf", "cr", "mixed"]

CHUNK = 4 << 20
# zstd packs zeros up to 40,000 : 1, so what is unpacked at a time stays bounded only when what goes in is small.
_ZSTD_CHUNK = 16 << 10
_LF, _CR = 10, 13
_SHOWN = 10  # line numbers of broken bytes that are kept
_HOPELESS = 10_000  # broken bytes after which a text without UTF-8 in it is no longer tried as UTF-8
# The five bytes that Windows-1252 leaves undefined.
_UNDEFINED = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
_REPLACEMENT = "\ufffd"
_BEFORE_FIELDS = (b"", b"\n", b"\r", b",", b";", b"\t", b"|", b":")


@dataclass(frozen=True, kw_only=True)
class FileScan:
    """What one pass over all bytes found. For Parquet and Excel only the first four fields say something.

    ``lines`` are physical lines, an unfinished last one included; ``blank_lines`` those without any character (quoted
    text may hold such lines), ``blank_at_end`` those that nothing follows. ``longest_line`` is in bytes of the text as
    it is stored, of UTF-8 for UTF-16 and UTF-32. ``broken_bytes`` counts what the encoding cannot read; the numbers of
    the first lines with such bytes are in ``broken_lines``. ``lone_returns`` are carriage returns that end no line;
    ``spaced_quotes``: somewhere nothing but spaces may stand between a delimiter and a quote.
    """

    sha256: str
    size: int
    format: Format
    compression: Compression
    encoding: str = ""
    lines: int = 0
    blank_lines: int = 0
    blank_at_end: int = 0
    longest_line: int = 0
    newline: Newline = "lf"
    lone_returns: int = 0
    quotes: bool = False
    spaced_quotes: bool = False
    nuls: int = 0
    broken_bytes: int = 0
    broken_lines: tuple[int, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether the text is UTF-8 in lines as DuckDB's reader takes them."""
        odd = self.broken_bytes or self.nuls or self.newline in ("mixed", "cr") or self.lone_returns
        return self.encoding == "utf-8" and not odd


def scan(path: Path, progress: Progress | None = None) -> FileScan:
    """Read a file once, from beginning to end, in bounded memory.

    ``progress`` is told bytes read and bytes in all. Raises :class:`DataError` for a file that is missing, empty, not a
    table, or cut short.
    """
    kind = kind_of(path)
    with path.open("rb", buffering=0) as file:
        source = _Source(file, kind.size, progress)
        if not kind.is_text:
            while source.read(CHUNK):
                pass
            return FileScan(sha256=source.sha256, size=source.done, format=kind.format, compression=kind.compression)
        tally = _Tally(wide=bool(kind.wide))
        for chunk in _text_chunks(source, kind, path):
            tally.add(chunk)
        return tally.result(source, kind)


def text_chunks(path: Path, kind: Kind, progress: Progress | None = None) -> Iterator[bytes]:
    """The unpacked bytes of a text file without their byte order mark; UTF-16 and UTF-32 come as UTF-8."""
    with path.open("rb", buffering=0) as file:
        yield from _text_chunks(_Source(file, kind.size, progress), kind, path)


# Reading --------------------------------------------------------------------------------------------------------------


class _Source:
    """A file that is hashed and counted while it is read."""

    def __init__(self, file: IO[bytes], size: int, progress: Progress | None) -> None:
        self._file = file
        self._size = size
        self._progress = progress
        self._hash = hashlib.sha256()
        self.done = 0

    def read(self, size: int = CHUNK) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        self.done += len(data)
        if self._progress is not None and data:
            self._progress(self.done, self._size)
        return data

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _text_chunks(source: _Source, kind: Kind, path: Path) -> Iterator[bytes]:
    chunks = _without(kind.mark, _unpacked(source, kind.compression, path))
    if not kind.wide:
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(kind.wide)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")


def _without(mark: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = b""
    for chunk in chunks:
        first += chunk
        if len(first) >= len(mark):
            yield first.removeprefix(mark)
            break
    yield from chunks


def _unpacked(source: _Source, compression: Compression, path: Path) -> Iterator[bytes]:
    try:
        if compression == "gzip":
            with gzip.GzipFile(fileobj=cast("Any", source)) as stream:
                while data := stream.read(CHUNK):
                    yield data
        elif compression == "zstd":
            yield from _zstd_frames(source)
        else:
            while data := source.read(CHUNK):
                yield data
    except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise DataError(
            f"{path.name} cannot be unpacked to its end.",
            why=f"The {compression} data are damaged or cut short ({error}).",
            fix="Copy or download the file again.",
        ) from error


def _zstd_frames(source: _Source) -> Iterator[bytes]:
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    fresh = True
    while packed := source.read(_ZSTD_CHUNK):
        while packed:
            if unpacker.eof:
                unpacker = zstandard.ZstdDecompressor().decompressobj()
            data = unpacker.decompress(packed)
            packed, fresh = unpacker.unused_data if unpacker.eof else b"", False
            if data:
                yield data
    if not fresh and not unpacker.eof:
        raise EOFError("the last frame is incomplete")


# Counting -------------------------------------------------------------------------------------------------------------


class _Tally:
    """Counts over the bytes of a text, chunk by chunk."""

    def __init__(self, *, wide: bool) -> None:
        self.wide = wide
        self.offset = 0
        self.last_end = -1  # position of the last line feed
        self.last_byte = b""
        self.newlines = self.crlf = self.returns = self.blank = self.blank_at_end = self.longest = self.nuls = 0
        self.quotes = self.spaced_quotes = False
        self.sequences = self.broken = self.undefined = 0
        self.broken_lines: list[int] = []
        self.cut = b""  # the beginning of a character that the next chunk ends

    def add(self, chunk: bytes) -> None:
        if not chunk:
            return
        self.quotes = self.quotes or b'"' in chunk
        self.spaced_quotes = self.spaced_quotes or _spaced_quotes(chunk)
        if b"\x00" in chunk:
            self.nuls += chunk.count(b"\x00")
        if not (chunk.isascii() and not self.cut):
            self._characters(chunk)
        self._lines(chunk)
        self.offset += len(chunk)
        # Zero bytes are no text: some systems pad the end of a file with them.
        self.last_byte = chunk.rstrip(b"\x00")[-1:] or self.last_byte

    def _lines(self, chunk: bytes) -> None:
        units = np.frombuffer(chunk, np.uint8)
        ends = np.flatnonzero(units == _LF)
        returned = np.zeros(len(ends), bool)
        if b"\r" in chunk or self.last_byte == b"\r":
            self.returns += chunk.count(b"\r")
            returned = units[ends - 1] == _CR
            if len(ends) and ends[0] == 0:
                returned[0] = self.last_byte == b"\r"
            self.crlf += int(returned.sum())
        if not len(ends):
            return
        self.newlines += len(ends)
        places = ends + self.offset
        lengths = np.diff(places, prepend=self.last_end) - 1
        self.last_end = int(places[-1])
        self.longest = max(self.longest, int(lengths.max()))
        self._blanks(lengths - returned == 0)

    def _blanks(self, blank: npt.NDArray[np.bool_]) -> None:
        count = int(blank.sum())
        self.blank += count
        if count == len(blank):
            self.blank_at_end += count
        else:
            self.blank_at_end = int(np.argmin(blank[::-1]))

    def _characters(self, chunk: bytes) -> None:
        """Count characters beyond ASCII, and bytes that are none."""
        if self.wide:
            self.broken += chunk.count(_REPLACEMENT.encode())
            return
        self.undefined += sum(chunk.count(byte) for byte in _UNDEFINED)
        if self.broken > _HOPELESS and not self.sequences:
            return
        data, self.cut = _whole_characters(self.cut + chunk)
        text = data.decode("utf-8", "replace")
        written = data.count(_REPLACEMENT.encode())
        broken = text.count(_REPLACEMENT) - written
        ascii_only = int(np.count_nonzero(np.frombuffer(data, np.uint8) < 128))
        self.sequences += len(text) - ascii_only - broken
        self.broken += broken
        if broken and len(self.broken_lines) < _SHOWN:
            self._note_broken(data)

    def _note_broken(self, data: bytes) -> None:
        place, line, counted = 0, self.newlines + 1, 0
        while len(self.broken_lines) < _SHOWN:
            try:
                data[place:].decode("utf-8")
                return
            except UnicodeDecodeError as error:
                at = place + error.start
                line += data.count(b"\n", counted, at)
                counted, place = at, place + error.end
                if line not in self.broken_lines:
                    self.broken_lines.append(line)

    def result(self, source: _Source, kind: Kind) -> FileScan:
        self.broken += bool(self.cut)
        encoding = kind.wide or ("utf-8" if kind.mark or self.broken <= self.sequences else "cp1252")
        single = encoding == "cp1252"
        mac = self.newlines == 0 and self.returns > 0
        ends = self.returns if mac else self.newlines
        unfinished = self.last_byte not in (b"", b"\r" if mac else b"\n")
        mixed = 0 < self.crlf < self.newlines
        return FileScan(
            sha256=source.sha256,
            size=source.done,
            format=kind.format,
            compression=kind.compression,
            encoding=encoding,
            lines=ends + unfinished,
            blank_lines=self.blank,
            blank_at_end=0 if unfinished else self.blank_at_end,
            longest_line=max(self.longest, self.offset - self.last_end - 1),
            newline="cr" if mac else "mixed" if mixed else "crlf" if self.crlf else "lf",
            lone_returns=0 if mac else self.returns - self.crlf,
            quotes=self.quotes,
            spaced_quotes=self.spaced_quotes,
            nuls=self.nuls,
            broken_bytes=self.undefined if single else self.broken,
            broken_lines=() if single else tuple(self.broken_lines),
        )


def _spaced_quotes(chunk: bytes) -> bool:
    place = chunk.find(b' "')
    while place >= 0:
        if chunk[max(0, place - 100) : place].rstrip(b" ")[-1:] in _BEFORE_FIELDS:
            return True
        place = chunk.find(b' "', place + 1)
    return False


def _whole_characters(data: bytes) -> tuple[bytes, bytes]:
    """Split off an unfinished UTF-8 character at the end."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return (data[:-back], data[-back:]) if back < needed else (data, b"")
        if byte < 0x80:
            break
    return data, b""
