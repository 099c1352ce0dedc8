"""The golden record: one row per customer, or account, from the records of all sources, field by field, by rules.

Of every source the newest record of an id counts. Among those of one entity a field takes the value of the source that
comes first (``priority``), of the record that was changed last (``newest``), or of the one that is filled most
(``most_complete``); a record that has nothing there is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.config import AccountIdentity, Identity, Source
from segmentry.tables import LINEAGE, TABLES

Settings = Identity | AccountIdentity
_NOT_GOLDEN = {"customer_key", "customer", "known_as", *(c.name for c in LINEAGE)}
_NOT_GOLDEN_OF = {"customers": _NOT_GOLDEN, "accounts": {*_NOT_GOLDEN, "account", "parent"}}
_RECENT = ("updated_at", "known_from")
RULES = ("priority", "newest", "most_complete")


@dataclass(frozen=True)
class Record:
    """The records of one source: ``rows`` as collected, what the config says of it, and its place in line (0 first).

    Those of accounts carry the account's number as ``customer_key``. ``derived`` are columns of the rows that were
    found out from one that the source gives, by name: the rule of that one chooses their record.
    """

    source: str
    settings: Source
    rows: ir.Table
    place: int
    derived: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The golden columns that it gives, its attributes included."""
        given = [*self.settings.columns, *self.settings.attributes, *self.derived]
        left_out = _NOT_GOLDEN_OF[self.settings.kind]
        return [c for c in given if c in self.rows.columns and c not in left_out]


def in_line(records: Mapping[str, ir.Table], sources: Mapping[str, Source], settings: Settings) -> tuple[Record, ...]:
    """The records by source, those of the priority first, the others in the order of the config."""
    names = [n for n in dict.fromkeys([*settings.priority, *sources]) if n in records]
    return tuple(Record(n, sources[n], records[n], i) for i, n in enumerate(names))


def newest(rows: ir.Table, *, all_equal: bool = False) -> ir.Table:
    """The newest row of every ``customer_key``: changed last there, else collected last, else last in its file.

    With ``all_equal`` every row of the same file that is as new as that one.
    """
    recent = [ibis.desc(c, nulls_first=False) for c in _RECENT if c in rows.columns]
    order = [*recent, ibis.desc("file"), *([] if all_equal else [ibis.desc("line")])]
    place = ibis.rank() if all_equal else ibis.row_number()
    ranked = rows.filter(rows["customer_key"].notnull()).mutate(nth=place.over(group_by="customer_key", order_by=order))
    return ranked.filter(ranked["nth"] == 0).drop("nth")


def golden_records(identities: ir.Table, records: Sequence[Record], settings: Settings) -> ir.Table:
    """One row per entity: ``customer_key``, ``customer_id``, ``ids``, and every column that a source gives."""
    ids = identities.group_by("customer_key").agg(customer_id=identities["customer_id"].min(), ids=identities.count())
    columns = _columns(records)
    if not columns:
        return ids.order_by("customer_key")
    found = _only(records, identities)
    if found is None:
        ranked = _ranked(records, identities, settings)
        ranks = {c: f"rank_{_rule(c, records, settings)}" for c in columns}
        # Of the filled ones: argmin would take the first record even where it has nothing to say.
        values = {c: ranked[c].first(order_by=ranked[rank]) for c, rank in ranks.items()}
        found = ranked.group_by("own_key").agg(**values)
    joined = ids.left_join(found, ids["customer_key"] == found["own_key"])
    return joined.select("customer_key", "customer_id", "ids", *columns).order_by("customer_key")


def _only(records: Sequence[Record], identities: ir.Table) -> ir.Table | None:
    """The records by ``own_key`` where one source has one record of each customer: nothing is to be chosen then, and
    ranking would take most of the time. None where there is a choice."""
    if len(records) > 1:
        return None
    (record,) = records
    owners = identities.select(own_key="customer_key", own_record="record_key")
    rows = record.rows.select(own_record="customer_key", **{c: record.rows[c] for c in record.columns})
    owned = rows.join(owners, "own_record")
    counted = owned.agg(rows=owned.count(), customers=owned["own_key"].nunique()).to_pyarrow().to_pylist()[0]
    return owned if counted["rows"] == counted["customers"] else None


def disagreements(identities: ir.Table, records: Sequence[Record], settings: Settings) -> dict[str, int]:
    """By column, of how many entities the records say different things; capital letters and outer blanks aside."""
    columns = _columns(records)
    if not columns or _only(records, identities) is not None:
        return {}
    ranked = _ranked(records, identities, settings)
    said = {c: ranked[c].strip().lower() if ranked[c].type().is_string() else ranked[c] for c in columns}
    differ = ranked.group_by("own_key").agg(**{c: value.max() > value.min() for c, value in said.items()})
    row = differ.agg(**{c: differ[c].sum() for c in columns}).to_pyarrow().to_pylist()[0]
    return {c: int(n) for c, n in row.items() if n}


def lineage(ids: Sequence[int], records: Sequence[Record], settings: Settings) -> list[dict[str, Any]]:
    """Of the entity with these record keys each field: name, value, the record key and source it is from, rule."""
    if not _columns(records):
        return []
    own = ibis.memtable({"customer_key": [0] * len(ids), "record_key": list(ids)})
    chosen = [replace(r, rows=r.rows.filter(r.rows["customer_key"].isin(ids))) for r in records]
    rows = _ranked(chosen, own, settings).to_pyarrow().to_pylist()
    found = []
    for name in _columns(records):
        rule = _rule(name, records, settings)
        filled = sorted((row for row in rows if row[name] is not None), key=lambda row: row[f"rank_{rule}"])
        for row in filled[:1]:
            found.append(
                {"name": name, "value": row[name], "id": row["own_record"], "source": row["own_source"], "rule": rule}
            )
    return found


def _columns(records: Sequence[Record]) -> list[str]:
    order: Sequence[str] = TABLES[records[0].settings.kind].names if records else ()
    given = dict.fromkeys(c for record in records for c in record.columns)
    return sorted(given, key=lambda c: (order.index(c) if c in order else len(order), c))


def _rule(column: str, records: Sequence[Record], settings: Settings) -> str:
    stated = next((r.derived[column] for r in records if column in r.derived), column)
    return settings.fields.get(stated, settings.survivor)


def _ranked(records: Sequence[Record], identities: ir.Table, settings: Settings) -> ir.Table:
    """The newest record of every id in every source, with its customer and its rank by each rule in use."""
    columns = _columns(records)
    owners = identities.select(own_key="customer_key", own_record="record_key")
    parts = []
    for record in records:
        rows = newest(record.rows)
        given = set(record.columns)
        types = {c: _type_of(records, c) for c in columns}
        filled = reduce(add, (rows[c].notnull().cast("int64") for c in sorted(given)), ibis.literal(0))
        recent = [rows[c].cast("timestamp") for c in _RECENT if c in rows.columns]
        parts.append(
            rows.select(
                own_record="customer_key",
                own_source=ibis.literal(record.source),
                own_place=ibis.literal(record.place),
                own_filled=filled,
                own_time=ibis.coalesce(*recent) if recent else ibis.null("timestamp"),
                **{c: rows[c].cast(types[c]) if c in given else ibis.null(types[c]) for c in columns},
            )
        )
    first, *others = parts
    every = (first.union(*others) if others else first).join(owners, "own_record")
    last = [ibis.asc("own_place"), ibis.asc("own_record")]
    time = ibis.desc("own_time", nulls_first=False)
    orders = {
        "priority": [ibis.asc("own_place"), time, ibis.asc("own_record")],
        "newest": [time, *last],
        "most_complete": [ibis.desc("own_filled"), *last],
    }
    used = {settings.survivor, *settings.fields.values()}
    return every.mutate(
        **{
            f"rank_{rule}": ibis.row_number().over(group_by="own_key", order_by=orders[rule])
            for rule in RULES
            if rule in used
        }
    )


def _type_of(records: Sequence[Record], column: str) -> Any:
    return next(r.rows[column].type() for r in records if column in r.columns)
