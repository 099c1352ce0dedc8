"""How one CSV dialect writes records: RFC 4180, and the deviations that DuckDB's reader lets pass too.

Tolerated: spaces around a quoted field; quotes inside a field that does not begin with one (``5" pipe``); empty fields
too many at the end of a record; backslash escapes, where the sample shows them. Everything else is rejected.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

DELIMITERS = (",", ";", "\t", "|", ":")
_SEPARATOR_LINE = re.compile(rb'"?sep=(.)"?[ \t]*\n', re.IGNORECASE)  # Excel's own hint, on a line of its own
_ROWS = 500

NEVER_CLOSED = "a quote is opened and never closed"
BAD_QUOTE = "text follows a closing quote"


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote and escape of a CSV file; ``escape`` is the quote itself or a backslash."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'


RFC_4180 = Dialect()


@dataclass(frozen=True)
class Fields:
    """One record as it was read: its fields without their quotes, and where the next record begins."""

    cells: list[bytes]
    end: int


class Grammar:
    """Reads records of one dialect from clean text: UTF-8, lines ended by line feeds, no zero bytes."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.delimiter, self.quote = dialect.delimiter.encode(), dialect.quote.encode()
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        doubled = rb"[^%b\x00]*+(?:%b%b[^%b\x00]*+)*+" % (q, q, q, q)
        escaped = rb"(?:[^%b\\\x00]++|\\[^\x00]|%b%b)*+" % (q, q, q)
        without_escapes = rb"[^%b\\\x00]*+(?:%b%b[^%b\\\x00]*+)*+" % (q, q, q, q)
        by_doubling = dialect.escape == dialect.quote
        inner, strict = (doubled, doubled) if by_doubling else (escaped, without_escapes)
        # A quoted field ends before the next delimiter; an unquoted one may hold quotes, not begin with one.
        self._field = re.compile(rb" *+%b(%b)%b *+(?=[%b\n])|(?! *%b)([^%b\n\x00]*+)" % (q, inner, q, d, q, d))
        self._open = re.compile(rb" *+%b%b\Z" % (q, inner))
        self._strict_quoted = rb"%b%b%b" % (q, strict, q)
        self._strict_bare = rb"[^%b%b\n\r\x00]*+" % (q, d)

    def record(self, columns: int) -> re.Pattern[bytes]:
        """A pattern for a record that RFC 4180 allows, of so many columns, its line feed included; no blank line."""
        field = rb"(?:%b|%b)" % (self._strict_quoted, self._strict_bare)
        d = re.escape(self.delimiter)
        filled = rb"(?![ \t]*+\n)" if columns == 1 else b""
        return re.compile(rb"%b%b(?:%b%b){%d}(?:%b)*+\n" % (filled, field, d, field, columns - 1, d))

    def read(self, data: bytes, start: int) -> Fields | Literal["open", "broken"]:
        """The record at a place; ``open`` when it goes on after the end of the data, ``broken`` when no rule fits."""
        cells: list[bytes] = []
        place = start
        while True:
            found = self._field.match(data, place)
            if found is None:
                return "open" if self._open.match(data, place) else "broken"
            quoted, bare = found.groups()
            cells.append(self._plain(quoted) if quoted is not None else bare)
            place = found.end()
            after = data[place : place + 1]
            if after == self.delimiter:
                place += 1
            elif after == b"\n":
                return Fields(cells, place + 1)
            else:
                return "broken"

    def write(self, cells: list[bytes]) -> bytes:
        """Cells as a record that RFC 4180 allows, without its line feed."""
        q = self.quote
        risky = (q, b"\r", b"\n", self.delimiter)
        return self.delimiter.join(
            q + cell.replace(q, q + q) + q if any(mark in cell for mark in risky) else cell for cell in cells
        )

    def _plain(self, quoted: bytes) -> bytes:
        q = self.quote
        if self.dialect.escape == self.dialect.quote:
            return quoted.replace(q + q, q)
        return re.sub(rb"\\([\\%b])|%b%b" % (re.escape(q), q, q), lambda m: m[1] or q, quoted)


def rows_of(data: bytes, dialect: Dialect, limit: int = _ROWS) -> Iterator[tuple[list[str], int]]:
    """The first records of clean text as cells, each with the number of lines it takes.

    A blank line is a record of one empty cell; a line that cannot be read is taken apart at its delimiters.
    """
    grammar = Grammar(dialect)
    place = 0
    for _ in range(limit):
        if place >= len(data):
            return
        found = grammar.read(data, place)
        if not isinstance(found, Fields):
            end = data.find(b"\n", place) + 1 or len(data)
            found = Fields(data[place : end - 1].split(grammar.delimiter), end)
        yield [cell.decode("utf-8", "replace") for cell in found.cells], data.count(b"\n", place, found.end)
        place = found.end


def sniff(data: bytes) -> tuple[Dialect, int, int]:
    """The dialect of clean text, told by its first records; the width of most of them; lines before the table.

    The delimiter is the one that cuts most records into equally many cells, at least two; of equals the one that gives
    more cells. A first line ``sep=;`` decides at once; it is the only line before the table that is found here.
    """
    quote = _quote(data)
    escape = "\\" if _backslashes(data, quote.encode()) else quote
    if hint := _SEPARATOR_LINE.match(data):
        dialect = Dialect(hint[1].decode("utf-8", "replace"), quote, escape)
        return dialect, _width(data[hint.end() :], dialect)[0], 1
    best = (0.0, 1, Dialect(",", quote, escape))
    for delimiter in DELIMITERS:
        dialect = Dialect(delimiter, quote, escape)
        width, share = _width(data, dialect)
        # A colon stands in every time of day: it counts only where nothing else cuts records evenly.
        weight = round(share, 2) * (0.6 if delimiter == ":" else 1.0)
        if width >= 2 and share >= 0.5 and (weight, width) > best[:2]:
            best = (weight, width, dialect)
    return best[2], best[1], 0


def _width(data: bytes, dialect: Dialect) -> tuple[int, float]:
    widths = [len(cells) for cells, _ in rows_of(data, dialect) if any(cell.strip() for cell in cells)]
    if not widths:
        return 1, 0.0
    counts = Counter(widths)
    width = max(counts, key=lambda w: (counts[w], w))
    return width, counts[width] / len(widths)


def _quote(data: bytes) -> str:
    """``'`` where fields begin and end with it and none with ``"``."""
    if b"'" not in data or re.search(rb'(?:^|[,;\t|])"', data, re.MULTILINE):
        return '"'
    single = len(re.findall(rb"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\n])", data, re.MULTILINE))
    return "'" if single > 2 else '"'


def _backslashes(data: bytes, quote: bytes) -> bool:
    """Whether a backslash before a quote stands inside text, so that it cannot end the field."""
    return b"\\" in data and re.search(rb"[^\\]\\%b(?![,;\t|:\n\r%b])" % (quote, quote), data) is not None
