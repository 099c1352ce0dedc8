"""Collect: files become immutable parts; every row is kept, a duplicate, or in quarantine with its reason.

A part is a Parquet file in the shape of its table (``tables.py``) plus the source's attributes, sorted by
``customer_key``. What was read is written down in a :class:`Manifest`, which the state database makes current.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.config import Source
from segmentry.data import files
from segmentry.data.canonical import Canonical, canonical
from segmentry.data.layouts import arranged
from segmentry.engine import DuckDBSession, Progress, Session, exact_sum, md5
from segmentry.errors import DataError

KEYS_TABLE = "customer_keys"


@dataclass(frozen=True)
class Entry:
    """One version of one file as it was collected.

    ``rows`` = ``kept`` + ``duplicates`` + ``quarantined`` + ``reread``; ``reread`` are rows that an earlier version of
    the same file brought already. ``made`` is how many rows of the table the kept rows became, where a row of the file
    is not one record (a respondent and the answers). ``kinds`` gives rows and amount of the kept rows by line kind and
    whether a customer stands behind them.
    """

    source: str
    kind: str
    file: str
    size: int
    modified: int
    sha256: str
    mapping: str
    rows: int
    kept: int
    duplicates: int
    quarantined: int
    reread: int
    part: str | None
    quarantine: str | None
    first: str | None = None
    last: str | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)
    kinds: tuple[Mapping[str, Any], ...] = ()
    caveats: tuple[str, ...] = ()
    made: int | None = None

    @property
    def brought(self) -> int:
        """How many rows of the table it brought."""
        return self.kept if self.made is None else self.made


@dataclass(frozen=True)
class Manifest:
    """All that has been collected: files, parts, customer keys, and on which day collection last brought something."""

    entries: tuple[Entry, ...] = ()
    keys: tuple[str, ...] = ()
    next_key: int = 1
    collected_on: str = ""

    def parts(self, kind: str, source: str | None = None) -> list[str]:
        """Names of the parts of a table, in the order of collection."""
        wanted = [e for e in self.entries if e.kind == kind and source in (None, e.source)]
        return [e.part for e in wanted if e.part]

    def quarantine_parts(self) -> list[str]:
        return [e.quarantine for e in self.entries if e.quarantine]

    def files(self) -> set[str]:
        """Names of every part file in use."""
        named = {*self.keys, *(e.part for e in self.entries), *(e.quarantine for e in self.entries)}
        return {name for name in named if name}

    def span(self) -> tuple[str | None, str | None]:
        """Time of the first and of the last record, as ISO text."""
        facts = [e for e in self.entries if e.kind != "customers" and e.first]
        dated = facts or self.entries  # sign-ups date the base only where nothing else does
        firsts = [e.first for e in dated if e.first]
        lasts = [e.last for e in dated if e.last]
        return min(firsts, default=None), max(lasts, default=None)

    def digest(self) -> str:
        """Changes when, and only when, the collected rows or their keys change."""
        return hashlib.sha256(json.dumps([sorted(self.files())]).encode()).hexdigest()[:32]

    def rows(self) -> dict[str, int]:
        """Rows of each kind of table so far, and of the quarantine."""
        kinds = dict.fromkeys(e.kind for e in self.entries)
        counts = {kind: sum(e.brought for e in self.entries if e.kind == kind) for kind in kinds}
        return {**counts, "quarantine": sum(e.quarantined for e in self.entries)}

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manifest:
        entries = tuple(
            Entry(**{**e, "kinds": tuple(e["kinds"]), "caveats": tuple(e["caveats"])}) for e in data.get("entries", ())
        )
        return cls(entries, tuple(data.get("keys", ())), data.get("next_key", 1), data.get("collected_on", ""))


def collect(
    sources: Mapping[str, Source],
    root: Path,
    before: Manifest,
    session: DuckDBSession,
    *,
    now: datetime,
    progress: Progress | None = None,
) -> Manifest:
    """Read every file of every source that is new or has changed; gives the manifest that holds all.

    ``now`` (UTC) judges which times lie in the future. A source whose mapping changed is read again from its start; one
    that left the config leaves the manifest. Raises :class:`DataError` for a file that cannot be read at all.
    """
    kept = [e for e in before.entries if e.source in sources and e.mapping == mapping_of(sources[e.source])]
    manifest = Manifest(tuple(kept), before.keys, before.next_key, before.collected_on)
    todo = [(name, source, path) for name, source in sources.items() for path in files.expand(source.path, root)]
    total = sum(path.stat().st_size for _, _, path in todo)
    done = 0
    for name, source, path in todo:
        size = path.stat().st_size
        reader = _FileReader(session, name, source, path, root, manifest, now)
        manifest = reader.read(_offset(progress, done, total))
        done += size
    return manifest


def pending(sources: Mapping[str, Source], root: Path, manifest: Manifest) -> bool:
    """Whether there is anything that :func:`collect` would read: a new or touched file, another mapping."""
    known = {(e.source, e.file, e.size, e.modified) for e in manifest.entries}
    mappings = {(e.source, e.mapping) for e in manifest.entries}
    for name, source in sources.items():
        for path in files.expand(source.path, root):
            stat = path.stat()
            if (name, _relative(path, root), stat.st_size, stat.st_mtime_ns) not in known:
                return True
        if (name, mapping_of(source)) not in mappings:
            return True
    return not {e.source for e in manifest.entries} <= set(sources)


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def mapping_of(source: Source) -> str:
    """A digest of everything in a source's config that shapes its rows."""
    shaping = source.model_dump(mode="json", exclude={"path", "pii"})
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]


def _offset(progress: Progress | None, done: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda part, whole: progress(done + (part if whole else 0), max(total, 1))


@dataclass(frozen=True)
class _FileReader:
    session: DuckDBSession
    name: str
    source: Source
    path: Path
    root: Path
    manifest: Manifest
    now: datetime

    @property
    def relative(self) -> str:
        return _relative(self.path, self.root)

    def read(self, progress: Progress | None) -> Manifest:
        """Collect the file if it is new or changed."""
        stat = self.path.stat()
        mine = [e for e in self.manifest.entries if e.source == self.name and e.file == self.relative]
        if any(e.size == stat.st_size and e.modified == stat.st_mtime_ns for e in mine):
            return self.manifest
        scan = files.scan(self.path, progress)
        if any(e.sha256 == scan.sha256 for e in mine):
            touched = replace(mine[-1], size=stat.st_size, modified=stat.st_mtime_ns)
            entries = tuple(touched if e is mine[-1] else e for e in self.manifest.entries)
            return replace(self.manifest, entries=entries)
        shape = files.look(self.path, sheet=self.source.sheet)
        records = files.open_records(self.session.con, self.path, shape, scan, self.session.engine.scratch)
        table = arranged(self.name, self.source, self.relative, shape, records.table)
        if self.source.layout is not None:
            table = self.session.keep("arranged", table)
        made = canonical(self.name, self.source, self.relative, table, now=self.now)
        staged = self.session.keep("staged", made.judged())
        return self._store(scan.sha256, made, staged, records)

    def _store(self, sha256: str, made: Canonical, staged: ir.Table, records: files.Records) -> Manifest:
        stat = self.path.stat()
        number = len(self.manifest.entries) + 1
        stem = f"{self.source.kind}-{sha256[:12]}-{mapping_of(self.source)[:8]}-{number}"
        numbered = self._numbered(staged, made.record)
        usable = numbered.filter(numbered["reason"].isnull())
        fresh, usable_rows, kept, reread = self._fresh(usable, made.record)
        keys, next_key, key_part = self._keys(fresh, stem)
        part = f"{stem}.parquet"
        if kept:
            self.session.write_part(self._rows(fresh, keys, made), part)
        bad, bad_reread, reasons, quarantine = self._quarantine(numbered, records, f"quarantine-{stem}.parquet")
        entry = Entry(
            source=self.name,
            kind=self.source.kind,
            file=self.relative,
            size=stat.st_size,
            modified=stat.st_mtime_ns,
            sha256=sha256,
            mapping=mapping_of(self.source),
            rows=usable_rows + bad + bad_reread,
            kept=kept,
            duplicates=usable_rows - kept - reread,
            quarantined=bad,
            reread=reread + bad_reread,
            part=part if kept else None,
            quarantine=quarantine,
            reasons=reasons,
            caveats=(*records.warnings, *made.caveats(staged)),
            made=_count(fresh) if len(made.record) > 1 else None,
            **self._found(part if kept else None),
        )
        return Manifest(
            (*self.manifest.entries, entry),
            (*self.manifest.keys, *key_part),
            next_key,
            self.now.date().isoformat() if kept else self.manifest.collected_on,
        )

    def _numbered(self, staged: ir.Table, record: tuple[str, ...]) -> ir.Table:
        """Rows with their ``row_id``: the content digest, and for its n-th repeat a digest of content and n."""
        repeats = staged.group_by("content").agg(times=staged.count()).filter(ibis._.times > 1)
        again = staged.semi_join(repeats, "content").select(*record, "content")
        nth = ibis.row_number().over(group_by=again["content"], order_by=[again[c] for c in record])
        again = self.session.keep("nth", again.select(*record, nth=nth))
        if not _count(again):
            return staged.rename(row_id="content")
        joined = staged.left_join(again, list(record)).drop(*(f"{c}_right" for c in record))
        row_id = (joined["nth"].fill_null(0) > 0).ifelse(
            md5(joined["content"] + "#" + joined["nth"].cast("string")), joined["content"]
        )
        return joined.mutate(row_id=row_id).drop("nth", "content")

    def _fresh(self, usable: ir.Table, record: tuple[str, ...]) -> tuple[ir.Table, int, int, int]:
        """The rows that no part of the source holds yet; how many rows of the file are usable, fresh, and from this
        file before. A row of the file that holds several records is fresh when one of them is.
        """
        rows = _lines(usable, record)
        parts = self.manifest.parts(self.source.kind, self.name)
        if not parts:
            return usable, rows, rows, 0
        known = self.session.facts(parts).select("row_id", "file")
        mine = (known["file"] == self.relative).ifelse(1, 0).max()
        seen = usable.select(*record, "row_id").inner_join(known.group_by("row_id").agg(mine=mine), "row_id")
        seen = self.session.keep("seen", seen.select(*record, "mine"))
        fresh = usable.anti_join(seen, list(record))
        whole = (
            seen if len(record) == 1 else seen.anti_join(fresh, "line").group_by("line").agg(mine=seen["mine"].min())
        )
        return fresh, rows, rows - _count(whole), _count(whole.filter(whole["mine"] == 1))

    def _keys(self, fresh: ir.Table, stem: str) -> tuple[ir.Table | None, int, tuple[str, ...]]:
        """Customer keys for the ids of new rows: known ones looked up, new ones numbered in the order of the id."""
        if "customer" not in fresh.columns:
            return None, self.manifest.next_key, ()
        space = self.source.id_space
        ids = fresh.filter(fresh["customer"].notnull()).select(source_id="customer").distinct()
        start = self.manifest.next_key
        if self.manifest.keys:
            every = self.session.facts(self.manifest.keys)
            old = every.filter(every["id_space"] == space).select("source_id", "customer_key")
            ids = ids.anti_join(old, "source_id")
        numbers = ibis.row_number().over(order_by=ids["source_id"]).cast("int64") + start
        new = self.session.keep(
            "new_keys", ids.select(customer_key=numbers, id_space=ibis.literal(space), source_id="source_id")
        )
        count = _count(new)
        names: tuple[str, ...] = ()
        if count:
            names = (f"{KEYS_TABLE}-{stem}.parquet",)
            self.session.write_part(new.order_by("customer_key"), names[0])
        found = new.select("source_id", "customer_key")
        return (found.union(old) if self.manifest.keys else found), start + count, names

    def _rows(self, fresh: ir.Table, keys: ir.Table | None, made: Canonical) -> ir.Table:
        if keys is not None:
            joined = fresh.left_join(keys, fresh["customer"] == keys["source_id"]).drop("source_id")
        else:
            joined = fresh.mutate(customer_key=ibis.null("int64"))
        first_time = not any(e.source == self.name for e in self.manifest.entries)
        known_from = ibis.null("timestamp") if first_time else ibis.literal(self.now).cast("timestamp")
        places = [name for name in made.record if name != "line"]
        ordered = joined.order_by([ibis.asc("customer_key", nulls_first=False), "line", *places])
        return ordered.select(
            "customer_key",
            *made.columns,
            source=ibis.literal(self.name),
            file=ibis.literal(self.relative),
            line="line",
            row_id="row_id",
            known_from=known_from,
        )

    def _quarantine(
        self, numbered: ir.Table, records: files.Records, name: str
    ) -> tuple[int, int, dict[str, int], str | None]:
        """Write what cannot be used; gives new rows, rows known from an earlier version, reasons, and the part."""
        bad = numbered.filter(numbered["reason"].notnull()).select("line", "reason", "row_id")
        if "place" in numbered.columns:  # one record for the line, whatever it would have become
            bad = bad.group_by("line").agg(reason=bad["reason"].min(), row_id=bad["row_id"].min())
        raw = records.table
        text = _to_json(ibis.struct({c: raw[c] for c in raw.columns if c != "_line"}))
        read = raw.select(line="_line", record=text)
        rows = bad.inner_join(read, "line").select("line", "reason", "record", "row_id")
        cut = records.rejected.select(
            line="_line", reason="reason", record="text", row_id=md5(ibis._["text"].fill_null("") + "#rejected")
        )
        every = self.session.keep("bad", rows.union(cut))
        old = [e.quarantine for e in self.manifest.entries if e.source == self.name and e.quarantine]
        fresh = every.anti_join(self.session.facts(old).select("row_id"), "row_id") if old else every
        fresh = self.session.keep("fresh_bad", fresh)
        count = _count(fresh)
        again = _count(every) - count
        if not count:
            return 0, again, {}, None
        reasons = fresh.group_by("reason").agg(n=ibis._.count()).order_by("reason").to_pyarrow().to_pylist()
        table = fresh.select(
            source=ibis.literal(self.name), file=ibis.literal(self.relative), **{c: c for c in fresh.columns}
        )
        self.session.write_part(table.order_by("line"), name)
        return count, again, {r["reason"]: r["n"] for r in reasons}, name

    def _found(self, part: str | None) -> dict[str, Any]:
        """First and last time of the new rows, and their rows and amounts by kind."""
        if part is None:
            return {}
        rows = self.session.facts([part])
        time = next((c for c in ("time", "joined_at") if c in rows.columns), None)
        found: dict[str, Any] = {}
        if time is not None:
            span = rows.agg(first=rows[time].min(), last=rows[time].max()).to_pyarrow().to_pylist()[0]
            found = {k: v.isoformat() if v else None for k, v in span.items()}
        if self.source.kind == "transactions":
            groups = rows.group_by(kind=rows["line_kind"], anonymous=rows["customer_key"].isnull())
            largest = rows["amount"].abs().max().to_pyarrow().as_py()
            amount = exact_sum(rows["amount"], largest)
            kinds = groups.agg(rows=rows.count(), amount=amount).order_by(["kind", "anonymous"])
            found["kinds"] = tuple(kinds.to_pyarrow().to_pylist())
        return found


def _count(rows: ir.Table) -> int:
    return int(rows.count().execute())


def _lines(rows: ir.Table, record: tuple[str, ...]) -> int:
    """How many rows of the file stand behind records."""
    return _count(rows) if len(record) == 1 else int(rows["line"].nunique().execute())


@ibis.udf.scalar.builtin(name="to_json")
def _to_json(value) -> str:  # type: ignore[no-untyped-def]  # any type: Ibis reads the annotation
    """DuckDB's own JSON writer."""
    raise AssertionError(value)


def missing_files(manifest: Manifest, root: Path) -> Iterable[str]:
    """Files that were collected and are no longer there; their rows stay."""
    for name in dict.fromkeys(e.file for e in manifest.entries):
        if not (root / name).exists():
            yield name


def customer_ids(manifest: Manifest, session: Session) -> ir.Table:
    """All customer keys given so far; :class:`DataError` when not one record names a customer."""
    if not manifest.keys:
        raise DataError(
            "No record of any source names a customer.",
            why="A segmentation needs to know who the customers are.",
            fix="Map `customer` in the columns of a source.",
        )
    return session.parts(manifest.keys)
