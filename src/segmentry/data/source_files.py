"""Files that belong together: grouped into sources by their columns, named, opened, written as a path or pattern."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from segmentry.config import NAME
from segmentry.data import files
from segmentry.data.leftovers import snake
from segmentry.errors import DataError

Progress = Callable[[int, int], None]
_ENDINGS = re.compile(r"(\.(csv|tsv|txt|json|jsonl|ndjson|parquet|xlsx|xlsm|xls|gz|zst|zip|bz2))+$", re.IGNORECASE)


# Bytes of one source after which no further file is opened: a first look should take minutes at most.
ENOUGH = 2 << 30


@dataclass(frozen=True)
class LeftOut:
    """A file that is not read, and why; ``columns`` where it could be looked at."""

    path: str
    reason: str
    columns: tuple[str, ...] = ()
    error: DataError | None = None


@dataclass(frozen=True)
class Origin:
    """A table of a database, of which a file holds the first rows; ``url`` as it is written, without a password."""

    url: str
    table: str
    cursor: str | None = None


@dataclass(frozen=True)
class Group:
    """Files (or sheets) of the same columns: they make one source. A table of a database is a source of its own."""

    paths: tuple[Path, ...]
    shapes: tuple[files.FileShape, ...]
    sheet: str | None = None
    origin: Origin | None = None


@dataclass(frozen=True)
class Opened:
    """The records of a group's files."""

    records: tuple[files.Records, ...]
    not_opened: int = 0  # further files, left for the run

    @property
    def first(self) -> ir.Table:
        """The records of the first file."""
        return self.records[0].table

    def all(self, *columns: str) -> ir.Table:
        """Chosen columns of all files; as text where the files do not agree on a type."""
        parts = [r.table.select(*dict.fromkeys(columns)) for r in self.records]
        if any(p.schema() != parts[0].schema() for p in parts):
            parts = [p.mutate(**{c: p[c].cast("string") for c in p.columns}) for p in parts]
        first, *others = parts
        return first.union(*others) if others else first

    def close(self) -> None:
        """Remove what was unpacked; the records cannot be read any more."""
        for records in self.records:
            records.close()


def in_folders(given: Sequence[str], root: Path) -> list[str]:
    """The paths with a pattern for each ending of a data file in place of a folder that holds some.

    A pattern takes in the files that come later; folders inside the folder are named by the user. Raises
    :class:`DataError` for a folder without a data file.
    """
    made = []
    for pattern in given:
        folder = root / Path(pattern).expanduser()
        if not folder.is_dir():
            made.append(pattern)
            continue
        names = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
        ends = {end.group() for name in names if (end := _ENDINGS.search(name)) and (folder / name).is_file()}
        if not ends:
            raise DataError(
                f"{pattern} holds no data file.",
                why=f"It has: {', '.join(names[:10])}." if names else "The folder is empty.",
                fix=f"Name another, or {pattern.rstrip('/')}/**/*.csv for the folders in it.",
            )
        made += [f"{glob.escape(str(folder))}/*{end}" for end in sorted(ends)]
    return made


def grouped(paths: Sequence[Path], root: Path) -> tuple[list[Group], list[LeftOut]]:
    """The files by their columns, in the order given, and those that cannot be looked at."""
    found: dict[tuple[object, ...], list[tuple[Path, files.FileShape]]] = {}
    left_out = []
    for path in paths:
        try:
            for shape, sheet in _shapes(path):
                key = (shape.format, sheet, tuple(name.casefold() for name in shape.columns))
                found.setdefault(key, []).append((path, shape))
        except DataError as error:
            left_out.append(unusable(path, root, error))
    groups = [
        Group(tuple(p for p, _ in members), tuple(s for _, s in members), sheet)
        for (_, sheet, _), members in found.items()
        if sheet is None or isinstance(sheet, str)
    ]
    return groups, left_out


def _shapes(path: Path) -> Iterator[tuple[files.FileShape, str | None]]:
    """The shape of a file; of a workbook with several sheets, the shape of each that holds something."""
    first = files.look(path)
    if len(first.sheets) < 2:
        yield first, None
        return
    for sheet in first.sheets:
        try:
            shape = files.look(path, sheet=sheet)
        except DataError:
            continue  # an empty sheet, or a cover page
        if not shape.empty:
            yield shape, sheet


def unusable(path: Path, root: Path, error: DataError) -> LeftOut:
    """A file that an error keeps from being read."""
    shown = relative(path, root)
    reason = error.what
    for prefix in (f"{path}: ", f"{path} ", f"{shown}: ", f"{shown} ", f"{path.name}: ", f"{path.name} "):
        reason = reason.removeprefix(prefix)
    return LeftOut(shown, reason.rstrip("."), error=error)


def open_group(con: Backend, group: Group, scratch: Path, progress: Progress | None = None) -> Opened:
    """The records of a group's files, up to a few gigabytes; ``progress`` is told bytes read and bytes in all."""
    total, done = sum(path.stat().st_size for path in group.paths), 0
    opened = []
    for path, shape in zip(group.paths, group.shapes, strict=True):
        if done > ENOUGH:
            break
        if not shape.has_header:
            raise DataError(
                f"{path.name}: the first line seems to be a record, not the names of the columns.",
                why="Columns are recognised by their names.",
                fix="Add a first line with a name for each column, for example customer_id,date,amount.",
            )
        scan = files.scan(path, _from(progress, done, total))
        opened.append(files.open_records(con, path, shape, scan, scratch))
        done += path.stat().st_size
    if progress is not None:
        progress(total, total)
    return Opened(tuple(opened), len(group.paths) - len(opened))


def _from(progress: Progress | None, done: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda part, _: progress(done + part, total)


def relative(path: Path, root: Path) -> str:
    """The path as it is written in segmentry.yaml: from its folder, or from the disk's root if they share nothing."""
    whole, folder = Path(os.path.abspath(path)), Path(os.path.abspath(root))  # noqa: PTH100 - .. without following links
    if whole.parts[:2] != folder.parts[:2]:
        return whole.as_posix()
    return Path(os.path.relpath(whole, folder)).as_posix()


def written_paths(group: Group, given: Sequence[str], root: Path) -> tuple[str, ...]:
    """One path, or a pattern that takes in new files of the same kind, or a list."""
    if len(group.paths) == 1:
        return (relative(group.paths[0], root),)
    wanted = {path.resolve() for path in group.paths}
    for pattern in given:
        if "*" in pattern and {p.resolve() for p in files.expand([pattern], root)} == wanted:
            return (relative(root / pattern, root),)
    folders = {path.parent for path in group.paths}
    if len(folders) == 1:
        folder = folders.pop()
        start, end = _common([path.name for path in group.paths])
        pattern = f"{start}*{end}"
        if len(start) >= 3 and {p.resolve() for p in folder.glob(pattern)} == wanted:
            return (relative(folder / pattern, root),)
    return tuple(relative(path, root) for path in group.paths)


def _common(names: Sequence[str]) -> tuple[str, str]:
    """What names begin and end with in common; no number is cut in two."""
    first, last = min(names), max(names)
    start = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    turned = sorted(name[start:][::-1] for name in names)
    low, high = turned[0], turned[-1]
    end = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return re.sub(r"\d+$", "", first[:start]), re.sub(r"^\d+", "", low[:end][::-1])


def source_name(group: Group, taken: set[str]) -> str:
    """A free name for a group's source: from its file's name, its sheet's, or what several names share."""
    stems = [_ENDINGS.sub("", path.name) for path in group.paths]
    stem = group.sheet or (stems[0] if len(stems) == 1 else _common(stems)[0] or stems[0])
    plain = snake(stem).strip("_")
    plain = plain if NAME.fullmatch(plain) and re.search("[a-z0-9]", stem.lower()) else "source"
    options: Iterator[str] = (plain if n == 1 else f"{plain[:36]}_{n}" for n in range(1, 10_000))
    return next(o for o in options if o not in taken)
