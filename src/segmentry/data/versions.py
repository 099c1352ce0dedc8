"""What was known when: the former versions of records that changed or vanished.

In a source with a ``key`` a record that comes again with other content ends its former version, and so does one that
is gone at the source (a full export without it, a deletion that a connector reports). What has ended lies in parts of
its own, with ``known_until``; the parts of a table hold what is known now, so nobody who asks for today reads more.

A record counts from its own time on, whenever it was collected (decision 0007): only a version that replaces another
one is not known before its ``known_from``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.data import hierarchy
from segmentry.data.golden import Record, Settings, golden_records
from segmentry.engine import DuckDBSession, Session

_ID = ("source", "row_id")


def known_at(current: ir.Table, former: ir.Table, moment: datetime) -> ir.Table:
    """The records of a table as they were known at a moment (UTC), from what is known now and what has ended."""
    end = ibis.literal(moment).cast("timestamp")
    columns = current.columns
    if "row_id" not in columns:  # no source with a key has any record left
        current = current.mutate(row_id=ibis.null("string"))
    versions = _versions(current, former)
    seen = _valid(versions, versions["known_until"].isnull() | (versions["known_until"] >= end), end, _ID)
    untouched = current.anti_join(former, list(_ID))
    return untouched.union(seen.select(*current.columns).cast(current.schema())).select(*columns)


def golden_at(session: Session, moment: datetime | None) -> ir.Table:
    """The golden customers as they were at a moment (UTC; None: today), from the tables of resolve."""
    golden = session.table("resolve", "golden_customers")
    if moment is None or not session.has("resolve", "golden_versions"):
        return golden
    return _as_they_were(golden, session.table("resolve", "golden_versions"), "customer_key", moment)


def golden_accounts_at(session: Session, moment: datetime | None) -> ir.Table:
    """The golden accounts as they were at a moment (UTC; None: today), in the groups that they formed then."""
    golden = session.table("resolve", "golden_accounts")
    if moment is None or not session.has("resolve", "golden_account_versions"):
        return golden
    versions = session.table("resolve", "golden_account_versions")
    seen = _as_they_were(golden, versions, "account_key", moment)
    then = session.keep("accounts_then", seen.filter(seen["ids"] > 0))  # 0: no record of it stood then
    heads = then.select(head_id="account_id", head_key="account_key")
    owned = then.join(heads, [("parent_id", "head_id")])
    above, _ = hierarchy.climbed(session, owned.select("account_key", parent_key="head_key"))
    above = above.select(below_key="account_key", own_level="level", head_key="top_key")
    rows = then.left_join(above, [("account_key", "below_key")])
    rows = rows.left_join(heads.rename(top_key="head_key", top_id="head_id"), [("head_key", "top_key")])
    placed = rows["own_level"].notnull()
    found = {
        "contacts": ibis.coalesce(rows["contacts"], 0),
        "parent_id": placed.ifelse(rows["parent_id"], ibis.null("string")),
        "ultimate_parent_id": placed.ifelse(rows["top_id"], rows["account_id"]),
        "level": ibis.coalesce(rows["own_level"], 0),
    }
    return rows.select(**{c: found.get(c, rows[c]) for c in golden.columns}).cast(golden.schema())


def _as_they_were(golden: ir.Table, versions: ir.Table, key: str, moment: datetime) -> ir.Table:
    """Golden records with the first version that ended after the moment in place of today's."""
    later = versions.filter(versions["known_until"] >= ibis.literal(moment).cast("timestamp"))
    first = later.mutate(nth=ibis.row_number().over(group_by=key, order_by="known_until"))
    first = first.filter(first["nth"] == 0)
    # What is not followed through time, as the account of a customer, is that of today.
    today = [c for c in golden.columns if c not in first.columns]
    if today:
        first = first.left_join(golden.select(key, *today), key)
    return golden.anti_join(first, key).union(first.select(*golden.columns).cast(golden.schema()))


@dataclass(frozen=True)
class Ended:
    """What has ended, by source: ``former`` versions, beside the ``current`` records of every source, and the customers
    (``unit``: or accounts) who are known under ``identities``."""

    session: DuckDBSession
    current: Mapping[str, ir.Table]
    former: Mapping[str, ir.Table]
    identities: ir.Table
    unit: str = "customer"

    def gone(self) -> ir.Table:
        """The customers (``customer_key``) of whom no record is left, and since when: ``known_until``."""
        left = [
            rows.anti_join(self.current[name], "row_id") if name in self.current else rows
            for name, rows in self.former.items()
            if "customer_key" in rows.columns
        ]
        closed = _together([rows.select("customer_key", "known_until") for rows in left])
        closed = closed.filter(closed["customer_key"].notnull())
        closed = closed.group_by("customer_key").agg(known_until=closed["known_until"].max())
        for rows in self.current.values():
            if "customer_key" in rows.columns:
                closed = closed.anti_join(rows, "customer_key")
        closed = self._kept("closed_ids", closed)
        ids = self.identities.left_join(closed, self.identities["record_key"] == closed["customer_key"])
        each = ids.group_by("customer_key").agg(left=ids["known_until"].isnull().sum(), until=ids["known_until"].max())
        return self._kept("gone", each.filter(each["left"] == 0).select("customer_key", known_until="until"))

    def _kept(self, name: str, rows: ir.Table) -> ir.Table:
        return self.session.keep(f"{self.unit}_{name}", rows)

    def golden_versions(self, records: Sequence[Record], settings: Settings) -> ir.Table:
        """The golden records that have ended: each as it was until ``known_until``."""
        changed = [_moments(r.rows, self.former[r.source]) for r in records if r.source in self.former]
        owners = self.identities.select(record_key="record_key", owner="customer_key")
        moments = self.gone().select(owner="customer_key", known_until="known_until")
        if changed:
            rows = _together(changed)
            on = rows.join(owners, rows["customer_key"] == owners["record_key"])
            moments = moments.union(on.select("owner", "known_until"))
        moments = moments.distinct()
        moments = moments.mutate(moment=ibis.row_number().over(order_by=["owner", "known_until"]))
        moments = self._kept("moments", moments)
        # Every id at every moment becomes an id of its own, so that the golden record is made as it is made today.
        ids = self.identities.join(moments, self.identities["customer_key"] == moments["owner"])
        ids = ids.mutate(at=ibis.row_number().over(order_by=["moment", "record_key"]))
        ids = self._kept("ids_then", ids.drop("owner"))
        then = [self._then(r, ids) if r.source in self.former else _as_now(r, ids) for r in records]
        made = golden_records(ids.drop("customer_key", "record_key").rename(customer_key="moment", record_key="at"),
                                then, settings)  # fmt: skip
        known = moments.select(moment="moment", own_customer="owner", until="known_until")
        joined = made.join(known, made["customer_key"] == known["moment"])
        columns = [c for c in made.columns if c != "customer_key"]
        values: dict[str, ir.Value] = {c: joined[c] for c in columns}
        if self.unit == "account":  # without a record it was not there; a customer may be, by what they did
            there = _together([r.rows.select(at="customer_key") for r in then]).distinct()
            stood = ids.join(there, "at").group_by(stood_at="moment").agg(standing=ibis._.count())
            joined = joined.left_join(stood, [("moment", "stood_at")])
            values = {c: joined[c] for c in columns}
            values["ids"] = ibis.coalesce(joined["standing"], 0)
        found = joined.select(**values, customer_key=joined["own_customer"], known_until=joined["until"])
        return found.select("customer_key", *columns, "known_until").order_by(["customer_key", "known_until"])

    def _then(self, record: Record, ids: ir.Table) -> Record:
        versions = _versions(record.rows, self.former[record.source], whole=True)
        own = ids.select(own_record="record_key", at="at", until="known_until")
        joined = versions.join(own, versions["customer_key"] == own["own_record"])
        usable = joined["known_until"].isnull() | (joined["known_until"] >= joined["until"])
        seen = _valid(joined, usable, joined["until"], (*_ID, "at"))
        columns = {c: seen[c] for c in record.rows.columns if c != "customer_key"}
        return replace(record, rows=seen.select(customer_key="at", **columns))


def _moments(current: ir.Table, former: ir.Table) -> ir.Table:
    """When something else began to be known of an id: a version has ended, or a record has come back."""
    versions = _versions(current, former)
    back = versions.filter(~versions["is_first"] & versions["known_from"].notnull())
    return former.select("customer_key", "known_until").union(
        back.select("customer_key", known_until="known_from"), distinct=True
    )


def _as_now(record: Record, ids: ir.Table) -> Record:
    own = ids.select(own_record="record_key", at="at")
    joined = record.rows.join(own, record.rows["customer_key"] == own["own_record"])
    columns = {c: joined[c] for c in record.rows.columns if c != "customer_key"}
    return replace(record, rows=joined.select(customer_key="at", **columns))


def _versions(current: ir.Table, former: ir.Table, *, whole: bool = False) -> ir.Table:
    """All versions of the records that have former ones (``whole``: of all), with ``is_first``."""
    there = current if whole else current.semi_join(former, list(_ID))
    now = there.mutate(known_until=ibis.null("timestamp"))
    columns: dict[str, Any] = {c: former[c] if c in former.columns else ibis.null(now[c].type()) for c in now.columns}
    every = now.union(former.select(**columns).cast(now.schema()))
    nth = ibis.row_number().over(group_by=list(_ID), order_by=ibis.asc("known_until", nulls_first=False))
    return every.mutate(is_first=nth == 0)


def _valid(versions: ir.Table, open_then: ir.BooleanValue, end: ir.Value, record: Sequence[str]) -> ir.Table:
    """Of every record the version that held at ``end``; none where it was not there then."""
    rows = versions.mutate(
        begun=versions["is_first"] | versions["known_from"].isnull() | (versions["known_from"] < end)
    )
    rows = rows.filter(open_then)
    nth = ibis.row_number().over(group_by=list(record), order_by=ibis.asc("known_until", nulls_first=False))
    rows = rows.mutate(nth=nth)
    return rows.filter((rows["nth"] == 0) & rows["begun"])


def _together(tables: Sequence[ir.Table]) -> ir.Table:
    return reduce(lambda a, b: a.union(b), tables)
