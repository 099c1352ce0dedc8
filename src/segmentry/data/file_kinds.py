"""What a file is, told by its first bytes: never by its name alone."""

from __future__ import annotations

import codecs
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import zstandard

from segmentry.errors import DataError, did_you_mean

Format = Literal["csv", "json", "ndjson", "parquet", "excel"]
Compression = Literal["none", "gzip", "zstd"]

HEAD = 64 << 10
_MARKS = (
    # The mark of UTF-32-LE begins with that of UTF-16-LE, so it comes first.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_READABLE = "CSV (comma, semicolon, tab, | or :), JSON, NDJSON, Parquet and Excel (.xlsx); texts also as .gz or .zst"
# First bytes of what people give by mistake -> what it is, what to do.
_FOREIGN = (
    (b"%PDF", "a PDF", "Export the table behind it as CSV or Excel."),
    (b"SQLite format 3\x00", "a SQLite database", "Export its tables as CSV."),
    (b"BZh", "packed with bzip2", "Unpack it, or pack it as .gz or .zst."),
    (b"\xfd7zXZ\x00", "packed with xz", "Unpack it, or pack it as .gz or .zst."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it and give the files inside."),
    (b"Rar!", "a RAR archive", "Unpack it and give the files inside."),
    (b"Obj\x01", "an Avro file", "Export it as Parquet or CSV."),
    (b"ORC", "an ORC file", "Export it as Parquet or CSV."),
    (b"ARROW1\x00\x00", "an Arrow file", "Export it as Parquet or CSV."),
    (b"{\\rtf", "a text document (RTF)", "Export the table in it as CSV or Excel."),
)
_MARKUP = (b"<!doctype", b"<html", b"<table", b"<?xml", b"<workbook", b"<meta", b"<head")
_ALLOWED_CONTROLS = frozenset(b"\t\n\r\f\v\x1a\x1b\x1c\x1d\x1e\x1f\x00\x01")


@dataclass(frozen=True)
class Kind:
    """What the first bytes of a file say.

    ``wide`` names UTF-16 or UTF-32 and is empty for texts of one-byte units. ``head`` holds the first unpacked bytes of
    a text, as they are stored.
    """

    format: Format
    compression: Compression
    size: int
    wide: str = ""
    mark: bytes = b""
    head: bytes = b""

    @property
    def is_text(self) -> bool:
        return self.format not in ("parquet", "excel")


def kind_of(path: Path) -> Kind:
    """Recognise a file.

    Raises :class:`DataError` when it is missing, unreadable, empty, or no table that can be read.
    """
    size, raw = _first_bytes(path)
    compression = _compression(raw)
    head = _unpack_head(raw, compression, path)
    if compression != "none" and head.startswith((b"PAR1", b"PK\x03\x04")):
        raise DataError(
            f"{path.name} is a packed {'Parquet' if head.startswith(b'PAR1') else 'zip or Excel'} file.",
            why="Such files are compressed inside already.",
            fix="Unpack it and give the file inside.",
        )
    if head.startswith(b"PAR1"):
        return Kind("parquet", "none", size)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        _check_workbook(path)
        return Kind("excel", "none", size)
    _refuse_foreign(path, head)
    mark, wide = _wide(head)
    text = head[len(mark) :].decode(wide or "latin-1", "replace")
    if not text.strip("\x00 \t\r\n\v\f\ufeff\x1a"):
        raise DataError(f"{path.name} is empty.", why="It holds no record.", fix="Export it again, or leave it out.")
    if not wide:
        _refuse_binary(path, head)
    return Kind(_text_format(text), compression, size, wide, mark, head)


def _first_bytes(path: Path) -> tuple[int, bytes]:
    if path.is_dir():
        raise DataError(
            f"{path} is a folder.",
            why="A source reads files.",
            fix=f"Say which: {path.name}/*.csv, or {path.name}/**/*.csv with the folders inside it.",
        )
    try:
        with path.open("rb") as file:
            return path.stat().st_size, file.read(HEAD)
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob("*")) if path.parent.is_dir() else []
        raise DataError(f"{path} does not exist.", why=did_you_mean(path.name, near), fix="Correct the path.") from None
    except OSError as error:
        raise DataError(
            f"{path} cannot be opened.",
            why=f"The system says: {error.strerror}.",
            fix="Check the permissions of the file, and that no other program holds it.",
        ) from error


def _compression(raw: bytes) -> Compression:
    if raw.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if raw.startswith(b"\x28\xb5\x2f\xfd") else "none"


def _unpack_head(raw: bytes, compression: Compression, path: Path) -> bytes:
    try:
        if compression == "gzip":
            return zlib.decompressobj(wbits=31).decompress(raw, HEAD)
        if compression == "zstd":
            return zstandard.ZstdDecompressor().stream_reader(raw).read(HEAD)
    except (zlib.error, zstandard.ZstdError) as error:
        raise DataError(
            f"{path.name} cannot be unpacked.",
            why=f"It begins like {compression} data and is damaged ({error}).",
            fix="Copy or download the file again.",
        ) from error
    return raw


def _check_workbook(path: Path) -> None:
    """Let .xlsx and .xlsm pass; say what any other zip file is."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        raise DataError(
            f"{path.name} is damaged or cut short.",
            why="It begins like an Excel or zip file and has no end.",
            fix="Copy or download the file again.",
        ) from None
    if "xl/workbook.xml" in names:
        return
    if "xl/workbook.bin" in names:
        what, fix = "a binary Excel file (.xlsb)", "Open it and save it as .xlsx or CSV."
    elif "content.xml" in names:
        what, fix = "an OpenDocument file", "Open it and save it as .xlsx or CSV."
    elif "word/document.xml" in names:
        what, fix = "a Word document", "Save the table in it as .xlsx or CSV."
    else:
        shown = ", ".join(names[:5])
        what, fix = f"a zip archive ({len(names)} files: {shown})", "Unpack it and give the files inside."
    raise DataError(f"{path.name} is {what}.", why=f"Segmentry reads {_READABLE}.", fix=fix)


def _refuse_foreign(path: Path, head: bytes) -> None:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        _refuse_old_office(path)
    for magic, what, fix in _FOREIGN:
        if head.startswith(magic):
            raise DataError(f"{path.name} is {what}.", why=f"Segmentry reads {_READABLE}.", fix=fix)
    if head[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        raise DataError(
            f"{path.name} is a web page or XML, whatever its name says.",
            why=f"Some programs export such files under the name .xls. Segmentry reads {_READABLE}.",
            fix="Open it in Excel and save it as .xlsx or CSV.",
        )


def _refuse_old_office(path: Path) -> None:
    # Excel encrypts a workbook by putting it, as a stream of this name, into the container of the old format.
    with path.open("rb") as file:
        data = file.read(4 << 20)
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise DataError(
            f"{path.name} is protected by a password.",
            why="It cannot be read without it.",
            fix="Open it in Excel, remove the password (File > Info > Protect Workbook) and save it again.",
        )
    raise DataError(
        f"{path.name} is a file of an old Office version (.xls).",
        why=f"Segmentry reads {_READABLE}.",
        fix="Open it in Excel and save it as .xlsx or CSV.",
    )


def _wide(head: bytes) -> tuple[bytes, str]:
    """The byte order mark, and the encoding if it is one of two or four bytes a unit."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return mark, "" if encoding == "utf-8" else encoding
    sample = head[:4096]
    even, odd = sample[0::2], sample[1::2]
    # Western text in UTF-16 has a zero byte in nearly every unit, always on the same side.
    if len(odd) >= 4:
        left, right = even.count(0) / len(even), odd.count(0) / len(odd)
        if right > 0.4 and left < 0.1:
            return b"", "utf-16-le"
        if left > 0.4 and right < 0.1:
            return b"", "utf-16-be"
    return b"", ""


def _refuse_binary(path: Path, head: bytes) -> None:
    sample = head[:8192]
    odd = sum(1 for byte in sample if byte < 32 and byte not in _ALLOWED_CONTROLS)
    if odd > 0.02 * len(sample) or sample.count(0) > 0.3 * len(sample):
        raise DataError(
            f"{path.name} is not a text file.",
            why=f"Its bytes are no characters. Segmentry reads {_READABLE}.",
            fix="Export the data again in one of these forms.",
        )


def _text_format(text: str) -> Format:
    """CSV, one JSON document, or one JSON object per line."""
    body = text.lstrip("\ufeff\x00 \t\r\n")
    if body.startswith("["):
        inside = body[1:].lstrip()[:1]
        return "json" if inside in ("{", "]", "[") else "csv"
    if body.startswith("{"):
        lines = [line for line in body.splitlines() if line.strip()][:5]
        return "ndjson" if len(lines[0]) > HEAD // 2 or any(_is_object(line) for line in lines) else "json"
    return "csv"


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
