"""Collect: files become immutable parts; every row is kept, a duplicate, or in quarantine with its reason.

A part is a Parquet file in the shape of its table (``tables.py``) plus the source's attributes, sorted by
``customer_key``. What was read is written down in a :class:`Manifest`, which the state database makes current.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.config import Source
from segmentry.data import files, quarantine
from segmentry.data.canonical import Canonical, canonical
from segmentry.data.connectors.landing import Landed, Pull
from segmentry.data.ids import id_of
from segmentry.data.layouts import arranged
from segmentry.engine import DuckDBSession, Progress, Session, exact_sum, md5
from segmentry.errors import DataError

KEYS_TABLE = "customer_keys"


@dataclass(frozen=True)
class Entry:
    """One version of one file as it was collected.

    ``rows`` = ``kept`` + ``duplicates`` + ``quarantined`` + ``reread`` + ``replaced``; ``reread`` are rows that an
    earlier version of the same file brought already, ``replaced`` those of a source with a key that a later record of
    the same key has replaced. ``kinds`` gives rows and amount of the kept rows by line kind and whether a customer
    stands behind them. ``made`` is how many rows of the table the kept rows became, where a row of the file
    is not one record (a respondent and the answers). ``unread`` counts values of a column that count as not known
    because they could not be read, ``repeated`` the lines that repeat another line of the file.

    A file of repaired records brings no new rows: what it brings into use leaves the quarantine, so its ``quarantined``
    is minus the sum of its ``kept`` and ``duplicates``. ``repaired`` is the part that names the records that have left,
    ``repairs`` counts them by the file and the reason of their quarantine.
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
    replaced: int = 0
    pull: Mapping[str, Any] | None = None  # of a feed: where the next pull goes on
    unread: Mapping[str, int] = field(default_factory=dict)
    repeated: int = 0
    repaired: str | None = None
    repairs: tuple[Mapping[str, Any], ...] = ()
    made: int | None = None

    @property
    def brought(self) -> int:
        """How many rows of the table it brought."""
        return self.kept if self.made is None else self.made


@dataclass(frozen=True)
class Input:
    """A file to be read: one that a person gave, or one that a feed has landed.

    ``file`` is what the lineage of its rows says.
    """

    source: str
    path: Path
    file: str
    landed: Landed | None = None


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

    def quarantine_parts(self, source: str | None = None) -> list[str]:
        return [e.quarantine for e in self.entries if e.quarantine and source in (None, e.source)]

    def repaired_parts(self) -> list[str]:
        """Names of the parts that name the records which have left the quarantine."""
        return [e.repaired for e in self.entries if e.repaired]

    def files(self) -> set[str]:
        """Names of every part file in use."""
        named = {*self.keys, *(p for e in self.entries for p in (e.part, e.quarantine, e.repaired))}
        return {name for name in named if name}

    def span(self) -> tuple[str | None, str | None]:
        """Time of the first and of the last record, as ISO text."""
        facts = [e for e in self.entries if e.kind != "customers" and e.first]
        dated = facts or self.entries  # sign-ups date the base only where nothing else does
        firsts = [e.first for e in dated if e.first]
        lasts = [e.last for e in dated if e.last]
        return min(firsts, default=None), max(lasts, default=None)

    def last_pull(self, source: str, place: str, mapping: str) -> Pull | None:
        """The last pull of a feed that was collected under this mapping."""
        mine = [e for e in self.entries if (e.source, e.file, e.mapping) == (source, place, mapping)]
        pulls = [e.pull for e in mine if e.pull]
        return Pull.from_json(pulls[-1]) if pulls else None

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
            Entry(**{**e, **{k: tuple(e.get(k, ())) for k in ("kinds", "caveats", "repairs")}})
            for e in data.get("entries", ())
        )
        return cls(entries, tuple(data.get("keys", ())), data.get("next_key", 1), data.get("collected_on", ""))


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
    todo = _inputs(sources, root, landed)
    total = sum(each.path.stat().st_size for each in todo)
    done = 0
    for each in todo:
        size = each.path.stat().st_size
        reader = _FileReader(session, each, sources[each.source], root, manifest, now)
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


def mapping_of(source: Source) -> str:
    """A digest of everything in a source's config that shapes its rows."""
    shaping = source.model_dump(mode="json", exclude={"path", "pii", "connector"})
    if source.key is None:
        shaping.pop("key")
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]


def _offset(progress: Progress | None, done: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda part, whole: progress(done + (part if whole else 0), max(total, 1))


@dataclass(frozen=True)
class _Stored:
    """What was written of one file: how many ``rows`` were usable, the entries of the files before
    it and its own so far, and the new keys."""

    stem: str
    rows: int
    entries: tuple[Entry, ...]
    entry: Entry
    keys: tuple[str, ...]
    next_key: int
    day: str

    def into(self, manifest: Manifest, entry: Entry) -> Manifest:
        """The manifest with the finished entry."""
        return Manifest(
            (*self.entries, entry),
            (*manifest.keys, *self.keys),
            self.next_key,
            self.day if entry.kept else manifest.collected_on,
        )


@dataclass(frozen=True)
class _FileReader:
    session: DuckDBSession
    input: Input
    source: Source
    root: Path
    manifest: Manifest
    now: datetime

    @property
    def name(self) -> str:
        return self.input.source

    @property
    def path(self) -> Path:
        return self.input.path

    @property
    def relative(self) -> str:
        return self.input.file

    @property
    def _is_repaired(self) -> bool:
        return self.path.parent == self.root / quarantine.FOLDER

    def read(self, progress: Progress | None) -> Manifest:
        """Collect the file if it is new or changed."""
        stat = self.path.stat()
        mine = [e for e in self.manifest.entries if e.source == self.name and e.file == self.relative]
        landed = self.input.landed
        if not landed and any(e.size == stat.st_size and e.modified == stat.st_mtime_ns for e in mine):
            return self.manifest
        scan = files.scan(self.path, progress)
        if any(e.sha256 == scan.sha256 for e in mine):
            touched = replace(mine[-1], size=stat.st_size, modified=stat.st_mtime_ns)
            entries = tuple(touched if e is mine[-1] else e for e in self.manifest.entries)
            return replace(self.manifest, entries=entries)
        shape = files.look(self.path, sheet=self.source.sheet)
        records = files.open_records(self.session.con, self.path, shape, scan, self.session.engine.scratch)
        if landed:
            records = self._numbered_on(records, landed, mine)
        given = records.table.drop(*quarantine.LABELS) if self._is_repaired else records.table
        table = arranged(self.name, self.source, self.relative, shape, given)
        if self.source.layout is not None:
            table = self.session.keep("arranged", table)
        made = canonical(self.name, self.source, self.relative, table, now=self.now)
        staged = self.session.keep("staged", made.judged())
        if self._is_repaired:
            return self._store_repaired(scan.sha256, made, staged, records)
        return self._store(scan.sha256, made, staged, records)

    def _store_repaired(self, sha256: str, made: Canonical, staged: ir.Table, records: files.Records) -> Manifest:
        """Records that a person has corrected leave the quarantine; those still wrong, or there no more, do not."""
        bad = self.manifest.quarantine_parts(self.name)
        open_records = quarantine.still_in(self.session, bad, self.manifest.repaired_parts())
        read = records.table.select(line="_line", quarantine_id=records.table[quarantine.ID])
        numbered, _ = self._identified(staged, made.record)
        usable = numbered.filter(numbered["reason"].isnull())
        if open_records is None:  # as when the mapping has changed, and now reads what it could not read before
            return self._store_nothing(sha256, _lines(staged, made.record))
        found = read.inner_join(open_records.select("quarantine_id", "file", "reason"), "quarantine_id")
        fixed = found.semi_join(usable, "line")
        # The same record twice in the file: its first line counts.
        first = fixed.group_by("quarantine_id").agg(first=fixed["line"].min())
        left = fixed.inner_join(first, "quarantine_id").filter(ibis._["line"] == ibis._["first"])
        left = self.session.keep("left", left.select("line", "quarantine_id", "file", "reason"))
        usable = self.session.keep("repaired", usable.semi_join(left, "line"))
        rows = _lines(staged, made.record)
        stored = self._store_rows(sha256, made, usable)
        name = f"repaired-{stored.stem}.parquet" if stored.rows else None
        if name:
            self.session.write_part(left.select("quarantine_id").order_by("quarantine_id"), name)
        by = left.group_by("file", "reason").agg(rows=ibis._.count()).order_by(["file", "reason"])
        entry = replace(
            stored.entry,
            rows=rows - stored.rows,
            duplicates=stored.rows - stored.entry.kept - stored.entry.replaced,
            reread=rows - stored.rows,
            quarantined=-stored.rows,
            repaired=name,
            repairs=tuple(by.to_pyarrow().to_pylist()),
            caveats=(*records.warnings, *made.caveats({})),
        )
        return stored.into(self.manifest, entry)

    def _store(self, sha256: str, made: Canonical, staged: ir.Table, records: files.Records) -> Manifest:
        numbered, repeated = self._identified(staged, made.record)
        unread = made.unread(staged)
        stored = self._store_rows(sha256, made, numbered.filter(numbered["reason"].isnull()))
        name = f"quarantine-{stored.stem}.parquet"
        bad, bad_reread, reasons, quarantined = self._quarantine(numbered, records, name)
        entry = replace(
            stored.entry,
            rows=stored.rows + bad + bad_reread,
            quarantined=bad,
            reread=stored.entry.reread + bad_reread,
            quarantine=quarantined,
            reasons=reasons,
            caveats=(*records.warnings, *made.caveats(unread), *made.repeats(staged)),
            unread=unread,
            repeated=repeated,
            pull=self.input.landed.pull.to_json() if self.input.landed else None,
        )
        return stored.into(self.manifest, entry)

    def _store_nothing(self, sha256: str, rows: int) -> Manifest:
        """Note that a file of repaired records was read and repairs nothing any more."""
        stat = self.path.stat()
        entry = Entry(
            source=self.name,
            kind=self.source.kind,
            file=self.relative,
            size=stat.st_size,
            modified=stat.st_mtime_ns,
            sha256=sha256,
            mapping=mapping_of(self.source),
            rows=rows,
            kept=0,
            duplicates=0,
            quarantined=0,
            reread=rows,
            part=None,
            quarantine=None,
        )
        return replace(self.manifest, entries=(*self.manifest.entries, entry))

    def _numbered_on(self, records: files.Records, landed: Landed, before: Sequence[Entry]) -> files.Records:
        """The records of a pull; with a cursor their numbers go on from the pulls before."""
        first = sum(e.rows for e in before) if landed.pull.mark else 0
        table = records.table.mutate(_line=records.table["_line"] + first)
        return replace(records, table=table, warnings=(*records.warnings, *landed.caveats))

    def _store_rows(self, sha256: str, made: Canonical, usable: ir.Table) -> _Stored:
        """Write the part of the usable rows that are new, and the keys of customers that are."""
        stat = self.path.stat()
        number = len(self.manifest.entries) + 1
        stem = f"{self.source.kind}-{sha256[:12]}-{mapping_of(self.source)[:8]}-{number}"
        fresh, rows, kept, reread, replaced = self._fresh(usable, made)
        keyed, next_key, key_part = self._keys(fresh, stem)
        earlier = self._earlier(fresh) if self.source.key else None
        part = f"{stem}.parquet" if kept else None
        if part:
            self.session.write_part(self._rows(keyed, made, earlier), part)
        entries = self._without(earlier, stem) if earlier is not None else self.manifest.entries
        entry = Entry(
            source=self.name,
            kind=self.source.kind,
            file=self.relative,
            size=stat.st_size,
            modified=stat.st_mtime_ns,
            sha256=sha256,
            mapping=mapping_of(self.source),
            rows=rows,
            kept=kept,
            duplicates=rows - kept - reread - replaced,
            quarantined=0,
            reread=reread,
            replaced=replaced,
            part=part,
            quarantine=None,
            made=_count(fresh) if len(made.record) > 1 else None,
            **self._found(part),
        )
        return _Stored(stem, rows, entries, entry, key_part, next_key, self.now.date().isoformat())

    def _identified(self, staged: ir.Table, record: tuple[str, ...]) -> tuple[ir.Table, int]:
        """Rows with their ``row_id``, and how many repeat another one."""
        return (self._keyed(staged), 0) if self.source.key else self._numbered(staged, record)

    def _numbered(self, staged: ir.Table, record: tuple[str, ...]) -> tuple[ir.Table, int]:
        """Rows with their ``row_id``, and how many repeat another one.

        The id is the content digest, for its n-th repeat a digest of content and n.
        """
        repeats = staged.group_by("content").agg(times=staged.count()).filter(ibis._.times > 1)
        again = staged.semi_join(repeats, "content").select(*record, "content")
        nth = ibis.row_number().over(group_by=again["content"], order_by=[again[c] for c in record])
        again = self.session.keep("nth", again.select(*record, nth=nth))
        repeated = _count(again.filter(again["nth"] > 0))
        if not repeated:
            return staged.rename(row_id="content"), 0
        joined = staged.left_join(again, list(record)).drop(*(f"{c}_right" for c in record))
        row_id = (joined["nth"].fill_null(0) > 0).ifelse(
            md5(joined["content"] + "#" + joined["nth"].cast("string")), joined["content"]
        )
        return joined.mutate(row_id=row_id).drop("nth", "content"), repeated

    def _keyed(self, staged: ir.Table) -> ir.Table:
        """Rows whose ``row_id`` is their key; ``later`` says that the file has a later record of the same key."""
        usable = staged["reason"].isnull()
        later = ibis.row_number().over(group_by=[staged["key"], usable], order_by=ibis.desc(staged["line"])) > 0
        # A record that cannot be used is known by its content: the next one of its key may be usable.
        row_id = usable.ifelse(staged["key"], md5(staged["key"] + staged["content"]))
        return self.session.keep("keyed", staged.mutate(row_id=row_id, later=later & usable))

    def _fresh(self, usable: ir.Table, made: Canonical) -> tuple[ir.Table, int, int, int, int]:
        """The rows that no part of the source holds yet; how many rows of the file are usable, fresh, from this file
        before, and replaced by a later one of this file.

        A row of the file that holds several records is fresh when one of them is.
        """
        record = made.record
        rows = _lines(usable, record)
        replaced = 0
        if self.source.key:
            replaced = _count(usable.filter(usable["later"]))
            usable = usable.filter(~usable["later"])
        parts = self.manifest.parts(self.source.kind, self.name)
        if not parts:
            return usable, rows, rows - replaced, 0, replaced
        known = self.session.facts(parts)
        same = ["row_id"]
        if self.source.key:
            known, same = known.mutate(content=made.content(known)), ["row_id", "content"]
        known = known.mutate(mine=(known["file"] == self.relative).ifelse(1, 0))
        seen = usable.select(*record, *same).inner_join(known.group_by(same).agg(mine=known["mine"].max()), same)
        seen = self.session.keep("seen", seen.select(*record, "mine"))
        fresh = usable.anti_join(seen, list(record))
        whole = seen
        if len(record) > 1:
            whole = seen.anti_join(fresh, "line").group_by("line").agg(mine=ibis._["mine"].min())
        mine = _count(whole.filter(whole["mine"] == 1))
        return fresh, rows, rows - replaced - _count(whole), mine, replaced

    def _earlier(self, fresh: ir.Table) -> ir.Table | None:
        """The rows of the source that new records of the same key replace."""
        parts = self.manifest.parts(self.source.kind, self.name)
        if not parts:
            return None
        known = self.session.facts(parts).select("row_id", "known_from")
        return self.session.keep("earlier", known.semi_join(fresh, "row_id"))

    def _without(self, gone: ir.Table, stem: str) -> tuple[Entry, ...]:
        """The entries so far, their parts written anew where they hold rows that are replaced."""
        entries = []
        for entry in self.manifest.entries:
            rows = self.session.facts([entry.part]) if entry.source == self.name and entry.part else None
            hit = _count(rows.semi_join(gone, "row_id")) if rows is not None else 0
            if rows is None or not hit:
                entries.append(entry)
                continue
            part = None
            if hit < entry.kept:
                head, tail = str(entry.part).rsplit("-", 3)[0], stem.rsplit("-", 3)[2:]
                name = hashlib.sha256(f"{entry.part} {stem}".encode()).hexdigest()[:12]
                part = f"{head}-{name}-{'-'.join(tail)}.parquet"
                left = rows.anti_join(gone, "row_id")
                self.session.write_part(left.order_by([ibis.asc("customer_key", nulls_first=False), "line"]), part)
            without = replace(entry, part=part, kept=entry.kept - hit, replaced=entry.replaced + hit)
            entries.append(replace(without, **{"first": None, "last": None, "kinds": (), **self._found(part)}))
        return tuple(entries)

    def _keys(self, fresh: ir.Table, stem: str) -> tuple[ir.Table, int, tuple[str, ...]]:
        """Customer keys for the ids of new rows: known ones looked up, new ones numbered in the order of the id."""
        spaces, source_id = id_of(fresh, self.source)
        if not spaces:
            return fresh.mutate(customer_key=ibis.null("int64")), self.manifest.next_key, ()
        # With one space, which is the rule, the id alone is looked up: ten million rows are joined by one text.
        space = (
            ibis.literal(next(iter(spaces))) if len(spaces) == 1 else ibis.cases(*((h, s) for s, h in spaces.items()))
        )
        known = fresh.mutate(own_space=space, own_id=source_id)
        on = ["own_id"] if len(spaces) == 1 else ["own_space", "own_id"]
        ids = known.filter(known["own_id"].notnull()).select("own_space", "own_id").distinct()
        start = self.manifest.next_key
        old = None
        if self.manifest.keys:
            every = self.session.facts(self.manifest.keys)
            old = every.filter(every["id_space"].isin(list(spaces))).rename(own_space="id_space", own_id="source_id")
            ids = ids.anti_join(old, on)
        numbers = ibis.row_number().over(order_by=["own_space", "own_id"]).cast("int64") + start
        new = self.session.keep("new_keys", ids.select("own_space", "own_id", customer_key=numbers))
        count = _count(new)
        names: tuple[str, ...] = ()
        if count:
            names = (f"{KEYS_TABLE}-{stem}.parquet",)
            part = new.select("customer_key", id_space="own_space", source_id="own_id")
            self.session.write_part(part.order_by("customer_key"), names[0])
        found = new.select(*on, "customer_key")
        found = found if old is None else found.union(old.select(*on, "customer_key"))
        return known.left_join(found, on).select(*fresh.columns, "customer_key"), start + count, names

    def _rows(self, keyed: ir.Table, made: Canonical, earlier: ir.Table | None) -> ir.Table:
        # What was repaired was there, if unread, when its file was collected.
        first_time = self._is_repaired or not any(e.source == self.name for e in self.manifest.entries)
        known_from = ibis.null("timestamp") if first_time else ibis.literal(self.now).cast("timestamp")
        if earlier is not None:  # a record is known since it first came, whatever it says now
            before = earlier.select(before="row_id", since="known_from")
            keyed = keyed.left_join(before, keyed["row_id"] == before["before"])
            known_from = keyed["before"].notnull().ifelse(keyed["since"], known_from)
        places = [name for name in made.record if name != "line"]
        ordered = keyed.order_by([ibis.asc("customer_key", nulls_first=False), "line", *places])
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
        # DuckDB's writer gives its type JSON, which would refuse the texts of records that could not be taken apart.
        text = _to_json(ibis.struct({c: raw[c] for c in raw.columns if c != "_line"})) + ""
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
    for name in dict.fromkeys(e.file for e in manifest.entries if e.pull is None):
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
