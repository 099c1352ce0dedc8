"""Collect: files become immutable parts; every row is kept, a duplicate, or in quarantine with its reason.

A part is a Parquet file in the shape of its table (``tables.py``) plus the source's attributes, sorted by
``customer_key``. What was read is written down in a :class:`Manifest`, which the state database makes current.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import ibis.expr.types as ir

from segmentry.config import Source
from segmentry.data import files, quarantine
from segmentry.data.connectors.landing import Landed
from segmentry.data.file_reader import FileReader, Input
from segmentry.data.ids import is_visitor
from segmentry.data.manifest import Manifest, mapping_of
from segmentry.engine import DuckDBSession, Progress, Session
from segmentry.errors import DataError


def collect(
    sources: Mapping[str, Source],
    root: Path,
    before: Manifest,
    session: DuckDBSession,
    *,
    now: datetime,
    landed: Sequence[Landed] = (),
    progress: Progress | None = None,
) -> Manifest:
    """Read every file of every source that is new or has changed; gives the manifest that holds all.

    ``landed`` are the files that feeds have brought. ``now`` (UTC) judges which times lie in the future. A source whose
    mapping changed is read again from its start; one that left the config leaves the manifest. Raises
    :class:`DataError` for a file that cannot be read at all.
    """
    kept = [e for e in before.entries if e.source in sources and e.mapping == mapping_of(sources[e.source])]
    manifest = Manifest(tuple(kept), before.keys, before.next_key, before.collected_on)
    there = {e.source for e in kept}
    todo = [replace(each, first=each.source not in there) for each in _inputs(sources, root, landed)]
    total = sum(each.path.stat().st_size for each in todo)
    done = 0
    for each in todo:
        size = each.path.stat().st_size
        reader = FileReader(session, each, sources[each.source], root, manifest, now)
        manifest = reader.read(_offset(progress, done, total))
        done += size
    return manifest


def _inputs(sources: Mapping[str, Source], root: Path, landed: Sequence[Landed]) -> list[Input]:
    found = []
    for name, source in sources.items():
        found += [Input(name, path, _relative(path, root)) for path in files_of(name, source, root)]
        found += [Input(name, each.path, each.place, each) for each in landed if each.source == name]
    return found


def files_of(name: str, source: Source, root: Path) -> list[Path]:
    """The files of a source in the order in which they are read: its own, then those of repaired records."""
    folder = root / quarantine.FOLDER
    given = files.expand(source.path, root) if source.path is not None else []
    return [path for path in given if not path.is_relative_to(folder)] + sorted(folder.glob(f"{name}-*.csv"))


def pending(sources: Mapping[str, Source], root: Path, manifest: Manifest, landed: Sequence[Landed] = ()) -> bool:
    """Whether there is anything that :func:`collect` would read: a new, touched or landed file, another mapping."""
    if landed:
        return True
    known = {(e.source, e.file, e.size, e.modified) for e in manifest.entries}
    mappings = {(e.source, e.mapping) for e in manifest.entries}
    for name, source in sources.items():
        for path in files_of(name, source, root):
            stat = path.stat()
            if (name, _relative(path, root), stat.st_size, stat.st_mtime_ns) not in known:
                return True
        if (name, mapping_of(source)) not in mappings:
            return True
    return not {e.source for e in manifest.entries} <= set(sources)


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _offset(progress: Progress | None, done: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda part, whole: progress(done + (part if whole else 0), max(total, 1))


def missing_files(manifest: Manifest, root: Path) -> Iterable[str]:
    """Files that were collected and are no longer there; their rows stay."""
    for name in dict.fromkeys(e.file for e in manifest.entries if e.pull is None):
        if not (root / name).exists():
            yield name


def customer_ids(manifest: Manifest, session: Session) -> ir.Table:
    """All customer keys given so far; :class:`DataError` when not one record names a customer."""
    ids = session.parts(manifest.keys) if manifest.keys else None
    if ids is None or not ids.filter(~is_visitor(ids["id_space"])).limit(1).count().to_pyarrow().as_py():
        raise DataError(
            "No record of any source names a customer.",
            why="A segmentation needs to know who the customers are.",
            fix="Map `customer` in the columns of a source.",
        )
    return ids
