"""What has been collected: every version of every file that was read, and where its rows went."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from segmentry.config import Source
from segmentry.data.connectors.landing import Pull


@dataclass(frozen=True)
class Entry:
    """One version of one file as it was collected.

    ``rows`` = ``kept`` + ``duplicates`` + ``quarantined`` + ``reread`` + ``replaced`` + ``closed``; ``reread`` are rows
    that an earlier version of the same file brought already, ``replaced`` those of a source with a key that a later
    record of the same key has replaced, ``closed`` those that are gone at the source. ``former`` is the part of the
    versions that ended when this file came. ``kinds`` gives rows and amount of the kept rows by line kind and whether
    a customer stands behind them. ``made`` is how many rows of the table the kept rows became, where a row of the file
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
    closed: int = 0
    former: str | None = None

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

    def former_parts(self, kind: str, source: str | None = None) -> list[str]:
        """Names of the parts of what a table held before."""
        wanted = [e for e in self.entries if e.kind == kind and source in (None, e.source)]
        return [e.former for e in wanted if e.former]

    def quarantine_parts(self, source: str | None = None) -> list[str]:
        return [e.quarantine for e in self.entries if e.quarantine and source in (None, e.source)]

    def repaired_parts(self) -> list[str]:
        """Names of the parts that name the records which have left the quarantine."""
        return [e.repaired for e in self.entries if e.repaired]

    def files(self) -> set[str]:
        """Names of every part file in use."""
        named = {*self.keys, *(p for e in self.entries for p in (e.part, e.former, e.quarantine, e.repaired))}
        return {name for name in named if name}

    def span(self) -> tuple[str | None, str | None]:
        """Time of the first and of the last record, as ISO text."""
        facts = [e for e in self.entries if e.kind != "customers" and e.first]
        dated = facts or self.entries  # sign-ups date the base only where nothing else does
        firsts = [e.first for e in dated if e.first]
        lasts = [e.last for e in dated if e.last]
        return min(firsts, default=None), max(lasts, default=None)

    def moment(self, day: date) -> datetime | None:
        """The end of a day, as a moment at which something else was known than today; None from the day of the last
        record on, for which all counts that is known today."""
        last = self.span()[1]
        latest = datetime.fromisoformat(last).date() if last else date.fromisoformat(self.collected_on)
        return datetime.combine(day + timedelta(days=1), time()) if day < latest else None

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


def mapping_of(source: Source) -> str:
    """A digest of everything in a source's config that shapes its rows."""
    shaping = source.model_dump(mode="json", exclude={"path", "pii", "connector"})
    for later in ("key", "keep", "full_export", "leads"):  # what sources have only had since: else they are as before
        if not shaping[later] or shaping[later] == "latest":
            shaping.pop(later)
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]
