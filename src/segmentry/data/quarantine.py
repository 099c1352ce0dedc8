"""The quarantine: what it holds, and how corrected records come back.

A record in quarantine is named by its file, its line and what stood there, so its id stays when the mapping changes.
It comes back in a CSV file under ``repaired/`` in the workspace, which is read like any further file of its source,
with the id of the record beside the corrected cells. When a corrected record is usable it leaves the quarantine: the
part files of the quarantine stay as they are, and a part beside them names those that have left.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.columns import Pii, Type
from segmentry.config import Config
from segmentry.data import files
from segmentry.data.masking import shape_of
from segmentry.data.quality.findings import Collected
from segmentry.engine import Session, md5
from segmentry.errors import DataError, UsageError, did_you_mean
from segmentry.tables import TABLES

FOLDER = "repaired"
ID = "quarantine_id"
LABELS = (ID, "quarantine_source", "quarantine_file", "quarantine_line", "quarantine_reason")
TEXT = "quarantine_text"  # of records that could not be taken apart into columns
# A spreadsheet takes a cell that starts with one of these for a formula (OWASP, CSV injection). The apostrophe is among
# them here because what was put in front has to be taken off again, and nothing else.
_QUOTED = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_EXAMPLES = 3
_CELLS_SHOWN = 6


@dataclass(frozen=True)
class Reason:
    """Records of one source that could not be used for one reason; ``examples`` are (file, line, masked record).

    With a ``column`` it is only the value there that could not be used; ``rows`` and ``examples`` are then of values.
    """

    source: str
    reason: str
    rows: int
    examples: tuple[tuple[str, int, str], ...]
    column: str = ""


def still_in(session: Session, parts: Sequence[str], left: Sequence[str]) -> ir.Table | None:
    """The records of quarantine parts without those that have left, each with its id; None where there is no part.

    ``left`` are the parts that name the records which have left.
    """
    if not parts:
        return None
    rows: Any = session.parts(parts)
    rows = rows.mutate(record=rows["record"].cast("string"))
    texts = (rows["source"], rows["file"], rows["line"].cast("string"), rows["record"].fill_null(""))
    rows = rows.mutate(**{ID: md5(ibis.literal("\x1f").join(texts))})
    return rows.anti_join(session.parts(left), ID) if left else rows


def reasons(rows: ir.Table | None, values: ir.Table | None, config: Config) -> tuple[Reason, ...]:
    """What is in quarantine, by source and reason, most frequent first, with masked examples.

    ``rows`` are the records (see :func:`still_in`), ``values`` the table ``quarantined_values``; None: there is none.
    """
    records = () if rows is None else _of_records(rows, config)
    return records if values is None else (*records, *_of_values(values, config))


def _of_records(rows: ir.Table, config: Config) -> tuple[Reason, ...]:
    counts = rows.group_by("source", "reason").agg(n=ibis._.count())
    found = counts.order_by([ibis.desc("n"), "source", "reason"]).to_pyarrow().to_pylist()
    return tuple(Reason(r["source"], r["reason"], r["n"], tuple(_examples(rows, r, config))) for r in found)


def _examples(rows: Any, group: Mapping[str, Any], config: Config) -> Iterator[tuple[str, int, str]]:
    same = rows.filter((rows["source"] == group["source"]) & (rows["reason"] == group["reason"]))
    chosen = same.order_by(["file", "line"]).limit(_EXAMPLES).to_pyarrow().to_pylist()
    for row in chosen:
        yield row["file"], row["line"], _masked(row["record"], group["source"], config)


def _of_values(rows: ir.Table, config: Config) -> tuple[Reason, ...]:
    keys = ("source", "column", "reason")
    counts = rows.group_by(keys).agg(n=ibis._.count()).order_by([ibis.desc("n"), *keys]).to_pyarrow().to_pylist()
    found = []
    for group in counts:
        same = rows.filter(ibis.and_(*(rows[key] == group[key] for key in keys)))
        shown = same.order_by(["file", "line"]).limit(_EXAMPLES).to_pyarrow().to_pylist()
        of = Collected(group["source"], config.sources[group["source"]], rows)
        masked = (shape_of(r["value"], of.pii(group["column"]), of.type_of(group["column"])) or "" for r in shown)
        examples = tuple((r["file"], r["line"], value) for r, value in zip(shown, masked, strict=True))
        found.append(Reason(group["source"], group["reason"], group["n"], examples, group["column"]))
    return tuple(found)


def _masked(record: str | None, name: str, config: Config) -> str:
    """A record with what is personal hidden: only the form of its letters and digits is left."""
    cells = _cells(record)
    if cells is None:
        return shape_of(record or "", Pii.DIRECT, Type.TEXT) or ""
    source = config.sources[name]
    table = TABLES[source.kind]
    personal = {c.casefold() for c, pii in source.pii.items() if pii is not Pii.NONE}
    texts = [text for c, text in source.columns.items() if table[c].pii is not Pii.NONE]
    texts += [a.expression for a in source.attributes.values() if a.pii is not Pii.NONE]
    shown = []
    for column, cell in list(cells.items())[:_CELLS_SHOWN]:
        hidden = column.casefold() in personal or any(column.casefold() in text.casefold() for text in texts)
        shown.append(f"{column}={shape_of(_text(cell), Pii.DIRECT if hidden else Pii.NONE, Type.TEXT)}")
    return ", ".join(shown) + (", …" if len(cells) > _CELLS_SHOWN else "")


def _cells(record: str | None) -> dict[str, Any] | None:
    """The cells of a record by column; None where it could not be taken apart."""
    if not record or not record.startswith("{"):
        return None
    try:
        found = json.loads(record)
    except json.JSONDecodeError:  # a line of a file that began so and was cut off
        return None
    return found if isinstance(found, dict) else None


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


# Out ------------------------------------------------------------------------------------------------------------------


def export(rows: ir.Table, path: Path, columns: Mapping[str, Sequence[str]]) -> int:
    """Write all records in quarantine as one CSV, with what tells them apart; gives how many.

    ``columns`` are those of each source, so that a record that could not be taken apart can be entered anew.

    Cells that a spreadsheet could take for a formula get an apostrophe in front, which :func:`take_back` takes off.
    """
    own = dict.fromkeys(c for each in columns.values() for c in each)
    names = [*LABELS, *own, TEXT]
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".writing")
    count = 0
    try:
        with beside.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, names, restval="", extrasaction="raise")
            writer.writeheader()
            for record in _records(rows):
                writer.writerow({c: _quoted(v) for c, v in record.items()})
                count += 1
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return count


def _records(rows: Any) -> Iterator[dict[str, str]]:
    """The records in quarantine as rows of the exported file."""
    for batch in rows.order_by(["source", "file", "line"]).to_pyarrow_batches(chunk_size=10_000):
        for row in batch.to_pylist():
            labels = (row[ID], row["source"], row["file"], str(row["line"]), row["reason"])
            cells = _cells(row["record"])
            own = {TEXT: row["record"] or ""} if cells is None else {c: _text(v) for c, v in cells.items()}
            yield {**dict(zip(LABELS, labels, strict=True)), **own}


def _quoted(cell: str) -> str:
    return "'" + cell if cell.startswith(_QUOTED) else cell


# Back -----------------------------------------------------------------------------------------------------------------


def take_back(path: Path, root: Path, config: Config) -> list[Path]:
    """Put the corrected records of an exported file where the next collection reads them; gives the files written.

    The same file again gives the same names, so nothing is read twice. Raises :class:`DataError` when the file is no
    export of the quarantine or names a source that is not there.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", fix="Name the CSV that `segmentry quarantine --export` wrote.")
    by_source: dict[str, list[dict[str, str]]] = {}
    for number, row in enumerate(_read(path), 2):
        name = row.get(LABELS[1], "").strip()
        if name not in config.sources:
            raise DataError(
                f"{path.name}: record {number} is of the source '{name}', which segmentry.yaml does not have.",
                why=did_you_mean(name, config.sources),
                fix="Leave the columns that start with quarantine_ as they were exported.",
            )
        by_source.setdefault(name, []).append(row)
    return [_write(root, name, rows, _own_columns(config, root, name)) for name, rows in by_source.items()]


def _read(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a corrected export, which a spreadsheet may have saved with semicolons or tabs."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")  # what Excel saves as plain CSV in western Europe
    head = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    missing = [c for c in LABELS[:2] if c not in (reader.fieldnames or ())]
    if missing:
        raise DataError(
            f"{path.name} has no column {' and no column '.join(missing)}.",
            why="They say which record in quarantine a row repairs.",
            fix="Correct the file that `segmentry quarantine --export FILE.csv` writes, and keep its first columns.",
        )
    for row in reader:
        yield {c: (v or "").removeprefix("'") for c, v in row.items() if c is not None}


def _write(root: Path, name: str, rows: Sequence[Mapping[str, str]], own: Sequence[str]) -> Path:
    """One file of repaired records of one source, beside first and then swapped."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    # A column of another source is empty here; its name may differ from one of this source in case only.
    filled = [c for c in rows[0] if c in own or any(row[c] for row in rows)]
    wanted = [c for c in filled if c not in LABELS and c != TEXT]
    writer.writerow([*wanted, ID])
    for row in rows:
        writer.writerow([*(row.get(c, "") for c in wanted), row[ID].strip()])
    digest = hashlib.sha256(out.getvalue().encode()).hexdigest()[:12]
    target = root / FOLDER / f"{name}-{digest}.csv"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(target.name + ".writing")
        beside.write_text(out.getvalue(), encoding="utf-8", newline="")
        beside.replace(target)
    return target


def columns_of(rows: ir.Table, config: Config, root: Path) -> dict[str, tuple[str, ...]]:
    """By source with records in quarantine, the columns of its files: those of its first file and of the records."""
    found: dict[str, dict[str, None]] = {}
    for name in sorted(rows.select("source").distinct().to_pyarrow().column(0).to_pylist()):
        found[name] = dict.fromkeys(_own_columns(config, root, name))
    for record in _records(rows):
        found[record[LABELS[1]]].update(dict.fromkeys(c for c in record if c not in LABELS and c != TEXT))
    return {name: tuple(columns) for name, columns in found.items()}


def _own_columns(config: Config, root: Path, name: str) -> tuple[str, ...]:
    """The columns of the first file of a source; those of a feed are in its records only."""
    source = config.sources[name]
    if source.path is None:
        return ()
    first = next(p for p in files.expand(source.path, root) if not p.is_relative_to(root / FOLDER))
    return files.look(first, sheet=source.sheet).columns
