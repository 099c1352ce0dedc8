"""One file becomes a part: its rows identified, compared with what is known, given customer keys, and written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.config import Source
from segmentry.data import files, quarantine
from segmentry.data.canonical import Canonical, canonical, digest
from segmentry.data.connectors.feed import DELETED
from segmentry.data.connectors.landing import Landed
from segmentry.data.ids import id_of
from segmentry.data.layouts import arranged
from segmentry.data.manifest import Entry, Manifest, mapping_of
from segmentry.engine import DuckDBSession, Progress, exact_sum, md5
from segmentry.errors import DataError

KEYS_TABLE = "customer_keys"


@dataclass(frozen=True)
class Input:
    """A file to be read: one that a person gave, or one that a feed has landed.

    ``file`` is what the lineage of its rows says. ``first`` when nothing of the source was collected before this run.
    """

    source: str
    path: Path
    file: str
    landed: Landed | None = None
    first: bool = True


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
            self.day if entry.kept or entry.former else manifest.collected_on,
        )


@dataclass(frozen=True)
class FileReader:
    """Reads one file of a source into the manifest."""

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
        landed, deleted = self.input.landed, None
        if not landed and any(e.size == stat.st_size and e.modified == stat.st_mtime_ns for e in mine):
            return self.manifest
        scan = files.scan(self.path, progress)
        if any(e.sha256 == scan.sha256 for e in mine):
            touched = replace(mine[-1], size=stat.st_size, modified=stat.st_mtime_ns)
            entries = tuple(touched if e is mine[-1] else e for e in self.manifest.entries)
            return replace(self.manifest, entries=entries)
        shape = files.look(self.path, sheet=self.source.sheet)
        few = self.source.layout is None
        records = files.open_records(
            self.session.con, self.path, shape, scan, self.session.engine.scratch, few_passes=few
        )
        if landed:
            records = self._numbered_on(records, landed, mine)
            if DELETED in records.table.columns:
                gone = records.table[DELETED].fill_null(False)
                deleted = records.table.filter(gone)
                records = replace(records, table=records.table.filter(~gone).drop(DELETED))
        rows = records.table if records.in_order is None else records.in_order
        given = rows.select([c for c in rows.columns if c not in quarantine.LABELS])
        table = arranged(self.name, self.source, self.relative, shape, given)
        if self.source.layout is not None:
            table = self.session.keep("arranged", table)
        made = canonical(self.name, self.source, self.relative, table, now=self.now)
        if records.in_order is None:
            staged = self.session.keep("staged", made.judged())
        else:
            staged = self.session.keep_numbered("staged", made.judged(), "line", records.counts.header + 1)
        if self._is_repaired:
            stored = self._store_repaired(scan.sha256, made, staged, records)
        else:
            ended = self._vanished(staged, records) if deleted is None else self._deleted(deleted)
            stored = self._store(scan.sha256, made, staged, records, ended)
        now = self.path.stat()
        if (now.st_size, now.st_mtime_ns) != (stat.st_size, stat.st_mtime_ns):
            raise DataError(
                f"{self.path.name} has changed while it was being read.",
                why=f"It had {stat.st_size:,} bytes and now has {now.st_size:,}.",
                fix="Wait until the export is finished, then run again.",
            )
        return stored

    def _store_repaired(self, sha256: str, made: Canonical, staged: ir.Table, records: files.Records) -> Manifest:
        """Records that a person has corrected leave the quarantine; those still wrong, or there no more, do not."""
        bad = self.manifest.quarantine_parts(self.name)
        open_records = quarantine.still_in(self.session, bad, self.manifest.repaired_parts())
        read = records.table.select(line="_line", quarantine_id=records.table[quarantine.ID])
        usable = staged.filter(staged["reason"].isnull())
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

    def _store(
        self, sha256: str, made: Canonical, staged: ir.Table, records: files.Records, gone: ir.Table | None
    ) -> Manifest:
        unread = made.unread(staged)
        stored = self._store_rows(sha256, made, staged.filter(staged["reason"].isnull()), gone)
        name = f"quarantine-{stored.stem}.parquet"
        bad, bad_reread, reasons, quarantined = self._quarantine(staged, made, records, name)
        entry = replace(
            stored.entry,
            rows=stored.rows + bad + bad_reread,
            quarantined=bad,
            reread=stored.entry.reread + bad_reread,
            quarantine=quarantined,
            reasons=reasons,
            caveats=(
                *records.warnings,
                *made.caveats(unread),
                *made.clocks(staged),
                *made.repeats(staged),
                *self._not_closed(records),
            ),
            unread=unread,
            repeated=0 if self.source.key else self._repeated(staged, made),
            pull=self.input.landed.pull.to_json() if self.input.landed else None,
        )
        return stored.into(self.manifest, entry)

    def _store_nothing(self, sha256: str, rows: int) -> Manifest:
        """Note that a file of repaired records was read and repairs nothing any more."""
        entry = self._entry(sha256, rows=rows, kept=0, duplicates=0, reread=rows, part=None)
        return replace(self.manifest, entries=(*self.manifest.entries, entry))

    def _numbered_on(self, records: files.Records, landed: Landed, before: Sequence[Entry]) -> files.Records:
        """The records of a pull; with a cursor their numbers go on from the pulls before."""
        first = sum(e.rows for e in before) if landed.pull.mark else 0
        table = records.table.mutate(_line=records.table["_line"] + first)
        return replace(records, table=table, warnings=(*records.warnings, *landed.caveats))

    def _store_rows(self, sha256: str, made: Canonical, usable: ir.Table, gone: ir.Table | None = None) -> _Stored:
        """Write the part of the usable rows that are new, and the keys of customers that are.

        What they replace, and what is ``gone`` (``row_id``), ends.
        """
        number = len(self.manifest.entries) + 1
        stem = f"{self.source.kind}-{sha256[:12]}-{mapping_of(self.source)[:8]}-{number}"
        fresh, rows, kept, reread, replaced = self._fresh(usable, made)
        keyed, next_key, key_part = self._keys(fresh, stem)
        ended = self._ended(fresh, gone)
        part = f"{stem}.parquet" if kept else None
        if part:
            self.session.write_part(self._rows(keyed, made), part)
        entries, former = self.manifest.entries, None
        if ended is not None:
            entries, former = self._without(ended, stem), self._write_former(ended, stem)
        entry = self._entry(
            sha256,
            rows=rows,
            kept=kept,
            duplicates=rows - kept - reread - replaced,
            reread=reread,
            replaced=replaced,
            part=part,
            former=former,
            made=_count(fresh) if len(made.record) > 1 else None,
            **self._found(part),
        )
        return _Stored(stem, rows, entries, entry, key_part, next_key, self.now.date().isoformat())

    def _entry(self, sha256: str, **counts: Any) -> Entry:
        """What the manifest says of this version of the file; nothing of it is in quarantine yet."""
        stat = self.path.stat()
        return Entry(
            source=self.name,
            kind=self.source.kind,
            file=self.relative,
            size=stat.st_size,
            modified=stat.st_mtime_ns,
            sha256=sha256,
            mapping=mapping_of(self.source),
            quarantined=0,
            quarantine=None,
            **counts,
        )

    def _repeated(self, staged: ir.Table, made: Canonical) -> int:
        """How many rows repeat another one of the file."""
        times = staged.group_by("content").agg(times=staged.count()).filter(ibis._.times > 1)
        again = staged.semi_join(self.session.keep("repeats", times), "content")
        counts = again.agg(rows=again.count(), different=made.digest(again).nunique()).to_pyarrow().to_pylist()[0]
        return int(counts["rows"] - counts["different"])

    def _fresh(self, usable: ir.Table, made: Canonical) -> tuple[ir.Table, int, int, int, int]:
        """The rows that no part of the source holds yet; how many rows of the file are usable, fresh, from this file
        before, and replaced by a later one of this file.

        A row of the file that holds several records is fresh when one of them is.
        """
        record = made.record
        rows = _lines(usable, record)
        replaced = 0
        if self.source.key:
            usable, replaced = self._one_each(usable)
        left = rows - replaced if self.source.keep == "latest" else _lines(usable, record)
        parts = self.manifest.parts(self.source.kind, self.name)
        if not parts:
            return usable, rows, left, 0, replaced
        known = self.session.facts(parts)
        known = known.mutate(content=made.content(known), mine=(known["file"] == self.relative).ifelse(1, 0))
        seen = self._seen_keys(usable, known, made) if self.source.key else self._seen(usable, known, made)
        fresh = usable.anti_join(seen, list(record))
        whole = seen
        if len(record) > 1:
            whole = seen.anti_join(fresh, "line").group_by("line").agg(mine=ibis._["mine"].min())
        mine = _count(whole.filter(whole["mine"] == 1))
        return fresh, rows, left - _count(whole), mine, replaced

    def _one_each(self, usable: ir.Table) -> tuple[ir.Table, int]:
        """One record of each key, and how many others it replaces: the last, or the first of an event's deliveries."""
        first = self.source.keep == "first"
        line = usable["line"].min() if first else usable["line"].max()
        chosen = usable.group_by("key").agg(times=usable.count(), chosen=line)
        chosen = self.session.keep("chosen", chosen.filter(chosen["times"] > 1).select("key", "chosen"))
        others = usable.inner_join(chosen, "key").filter(ibis._["line"] != ibis._["chosen"]).select("line")
        others = self.session.keep("others", others)
        return usable.anti_join(others, "line"), 0 if first else _count(others)

    def _seen_keys(self, usable: ir.Table, known: ir.Table, made: Canonical) -> ir.Table:
        """The rows of which the parts hold the same content under the same key; the same key, of an event."""
        same = ["key"] if self.source.keep == "first" else ["key", "content"]
        known = known.select("mine", "content", key="row_id")
        seen = usable.select(*made.record, *same).inner_join(known.group_by(same).agg(mine=known["mine"].max()), same)
        return self.session.keep("seen", seen.select(*made.record, "mine"))

    def _seen(self, usable: ir.Table, known: ir.Table, made: Canonical) -> ir.Table:
        """The rows that the parts hold: the n-th of equal rows where they hold n of them.

        Hashes choose the rows that are compared at all, digests compare them.
        """
        record = list(made.record)
        hashes = self.session.keep("hashes", usable.select("content").distinct())
        alike = known.semi_join(hashes, "content")
        alike = alike.select("mine", "file", "line", "content", digest=made.digest(alike))
        before = self.session.keep("before", alike)
        again = usable.semi_join(before, "content")
        now = _nth(again.select(*record, digest=made.digest(again)), record)
        # What an earlier version of this file has brought comes first.
        before = _nth(before, [ibis.desc("mine"), "file", "line"]).select("digest", "nth", "mine")
        return self.session.keep("seen", now.inner_join(before, ["digest", "nth"]).select(*record, "mine"))

    def _vanished(self, staged: ir.Table, records: files.Records) -> ir.Table | None:
        """The records (``row_id``) of a source of full exports that this one has no more."""
        parts = self.manifest.parts(self.source.kind, self.name)
        if not self.source.full_export or not parts or records.counts.rejected:
            return None
        if not records.counts.records:
            rows = _count(self.session.facts(parts))
            raise DataError(
                f"{self.relative} holds no record, so all {rows:,} records of {self.name} would count as gone.",
                why=f"sources.{self.name} says full_export: every file is the whole table.",
                fix="Export the table again, or remove the file.",
            )
        return self.session.facts(parts).select("row_id").anti_join(staged.select(row_id="key"), "row_id")

    def _not_closed(self, records: files.Records) -> tuple[str, ...]:
        cut = records.counts.rejected if self.source.full_export else 0
        text = f"nothing that the file lacks counts as gone, since {cut:,} of its lines could not be read"
        return (text,) if cut else ()

    def _deleted(self, deleted: ir.Table) -> ir.Table:
        """The records (``row_id``) that the other system has deleted."""
        return deleted.select(row_id=digest([deleted[c] for c in self.source.key or ()]))

    def _ended(self, fresh: ir.Table, gone: ir.Table | None) -> ir.Table | None:
        """The rows of the source (``row_id``) that end: replaced by a fresh one of their key, or gone (``closed``)."""
        parts = self.manifest.parts(self.source.kind, self.name)
        if not self.source.key or self.source.keep == "first" or not parts:
            return None
        known, again = self.session.facts(parts).select("row_id"), fresh.select(row_id="key")
        ended = known.semi_join(again, "row_id").mutate(closed=False)
        if gone is not None:
            ended = ended.union(known.semi_join(gone, "row_id").anti_join(again, "row_id").mutate(closed=True))
        ended = self.session.keep("ended", ended)
        return ended if _count(ended) else None

    def _write_former(self, ended: ir.Table, stem: str) -> str | None:
        """Write the versions that have ended, but those that came in this run: nobody has known them."""
        rows = self.session.facts(self.manifest.parts(self.source.kind, self.name)).semi_join(ended, "row_id")
        now = ibis.literal(self.now).cast("timestamp")
        came_now = (rows["known_from"] == now).fill_null(self.input.first)
        rows = rows.filter(~came_now).mutate(known_until=now)
        if not _count(rows):
            return None
        name = f"former-{stem}.parquet"
        places = ["place"] if "place" in rows.columns else []
        order = [ibis.asc("customer_key", nulls_first=False), "file", "line", *places]
        self.session.write_part(rows.order_by(order), name)
        return name

    def _without(self, ended: ir.Table, stem: str) -> tuple[Entry, ...]:
        """The entries so far, their parts written anew where they hold rows that have ended."""
        entries = []
        for entry in self.manifest.entries:
            rows = self.session.facts([entry.part]) if entry.source == self.name and entry.part else None
            hit, closed = self._hits(rows, ended) if rows is not None else (0, 0)
            if rows is None or not hit:
                entries.append(entry)
                continue
            part = None
            if hit < entry.kept:
                head, tail = str(entry.part).rsplit("-", 3)[0], stem.rsplit("-", 3)[2:]
                name = hashlib.sha256(f"{entry.part} {stem}".encode()).hexdigest()[:12]
                part = f"{head}-{name}-{'-'.join(tail)}.parquet"
                left = rows.anti_join(ended, "row_id")
                self.session.write_part(left.order_by([ibis.asc("customer_key", nulls_first=False), "line"]), part)
            without = replace(
                entry,
                part=part,
                kept=entry.kept - hit,
                replaced=entry.replaced + hit - closed,
                closed=entry.closed + closed,
            )
            entries.append(replace(without, **{"first": None, "last": None, "kinds": (), **self._found(part)}))
        return tuple(entries)

    def _hits(self, rows: ir.Table, ended: ir.Table) -> tuple[int, int]:
        """How many rows have ended, and how many of them are closed."""
        found = rows.select("row_id").join(ended, "row_id")
        row = found.agg(hit=found.count(), closed=found["closed"].sum().fill_null(0)).to_pyarrow().to_pylist()[0]
        return int(row["hit"]), int(row["closed"])

    def _keys(self, fresh: ir.Table, stem: str) -> tuple[ir.Table, int, tuple[str, ...]]:
        """Customer keys for the ids of new rows: known ones looked up, new ones numbered in the order of the id."""
        spaces, source_id = id_of(self.name, fresh, self.source)
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

    def _rows(self, keyed: ir.Table, made: Canonical) -> ir.Table:
        # What was repaired was there, if unread, when its file was collected.
        first_time = self._is_repaired or self.input.first
        known_from = ibis.null("timestamp") if first_time else ibis.literal(self.now).cast("timestamp")
        own = {"row_id": keyed["key"]} if self.source.key else {}
        # Only what differs is sorted; the constants come after.
        rows = keyed.select("customer_key", *made.columns, *made.record, **own)
        ordered = rows.order_by([ibis.asc("customer_key", nulls_first=False), *made.record])
        return ordered.select(
            "customer_key",
            *made.columns,
            source=ibis.literal(self.name),
            file=ibis.literal(self.relative),
            line="line",
            known_from=known_from,
            **{c: c for c in own},
        )

    def _quarantine(
        self, staged: ir.Table, made: Canonical, records: files.Records, name: str
    ) -> tuple[int, int, dict[str, int], str | None]:
        """Write what cannot be used; gives new rows, rows known from an earlier version, reasons, and the part."""
        unusable = self.session.keep("unusable", staged.filter(staged["reason"].notnull()))
        bad = self._named(unusable, made)
        if "place" in staged.columns:  # one record for the line, whatever it would have become
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

    def _named(self, unusable: ir.Table, made: Canonical) -> ir.Table:
        """Records that cannot be used with the id by which a re-read knows them."""
        rows = unusable.select(
            *made.record, "reason", *(["key"] if self.source.key else []), digest=made.digest(unusable)
        )
        if self.source.key:  # not by its key alone: the next record of that key may be usable
            return rows.select("line", "reason", row_id=md5(rows["key"].fill_null("") + rows["digest"]))
        rows = _nth(rows, list(made.record))
        again = md5(rows["digest"] + "#" + rows["nth"].cast("string"))
        return rows.select("line", "reason", row_id=(rows["nth"] > 0).ifelse(again, rows["digest"]))

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


def _nth(rows: ir.Table, order: Sequence[Any]) -> ir.Table:
    """Rows with ``nth``: how many of the same ``digest`` come before them."""
    return rows.mutate(
        nth=ibis.row_number().over(
            group_by=rows["digest"], order_by=[rows[c] if isinstance(c, str) else c for c in order]
        )
    )


def _lines(rows: ir.Table, record: tuple[str, ...]) -> int:
    """How many rows of the file stand behind records."""
    return _count(rows) if len(record) == 1 else int(rows["line"].nunique().execute())


@ibis.udf.scalar.builtin(name="to_json")
def _to_json(value) -> str:  # type: ignore[no-untyped-def]  # any type: Ibis reads the annotation
    """DuckDB's own JSON writer."""
    raise AssertionError(value)
