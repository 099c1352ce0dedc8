"""Resolve: which ids are one customer, across all sources.

Every id has a ``record_key``, given at collection. Ids that are the same person form a customer, whose key is the
smallest ``record_key`` among them: it was given first, so a customer keeps its key and its id while others join. What
was joined stays joined as long as the records stay as they are; merges and splits are written down.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import config
from segmentry.config import Source
from segmentry.data import golden
from segmentry.data.golden import Record
from segmentry.data.ids import DEFAULT_SPACE, EMAIL_SPACE, named, no_changes
from segmentry.data.linkage import Linked, link_people
from segmentry.engine import DuckDBSession, Progress, md5
from segmentry.errors import DataError, did_you_mean

_CONTACT = {"contact_name": "name", "contact_email": "email", "contact_phone": "phone"}
# What tells people apart: a record without any of these is compared with no other.
_TELLING = ("name", "first_name", "last_name", "email", "phone", "birth_date", "person_id")
_COMPARED = (*_TELLING, "birthday", "address", "city", "region", "postcode", "country", "account")
_BY_HAND = "by hand"
_CHANGES = ("changed_at", "change", "id_space", "source_id", "customer_before", "customer_now", "reason")  # of the part


@dataclass(frozen=True)
class Collected:
    """What resolve reads: all ids (``customer_key``, ``id_space``, ``source_id``), the records about customers, and by
    source the facts that say whose they are by name, e-mail address or phone number."""

    ids: ir.Table
    records: Sequence[Record]
    contacts: Mapping[str, ir.Table]


@dataclass(frozen=True)
class Joining:
    """What is to be joined: ``unit`` is customer or account, ``key`` where its settings stand in the config.

    ``ids`` are all ids (``customer_key``, ``id_space``, ``source_id``), ``records`` those that tell who they are
    (``record_key``, ``source``, and what ``link`` compares); ``stated`` are links that need no evidence.
    """

    unit: str
    key: str
    ids: ir.Table
    records: ir.Table
    settings: config.Identity | config.AccountIdentity
    link: Callable[..., Linked]
    stated: ir.Table

    @property
    def wanted(self) -> dict[str, Any]:
        """The settings as JSON, without those of another unit."""
        return self.settings.model_dump(mode="json", exclude={"accounts"})


@dataclass(frozen=True)
class Before:
    """What the last resolve left in parts, by table: ``owners``, ``links`` and ``identity_changes``."""

    digest: str
    settings: Mapping[str, Any]
    parts: Mapping[str, str]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Resolved:
    """The tables of the stage, the parts that the next resolve reads, and what was found, as JSON can hold it."""

    identities: ir.Table
    links: ir.Table
    changes: ir.Table
    before: Before


def says_who(source: Source) -> bool:
    """Whether its facts say by name, e-mail address or phone number whose they are."""
    return not set(_CONTACT).isdisjoint(source.columns)


def with_contacts(facts: Mapping[str, ir.Table], sources: Mapping[str, Source]) -> dict[str, ir.Table]:
    """Of the facts of each source those whose id is a contact: no customer id is on them."""
    found = {}
    for name, rows in facts.items():
        if says_who(sources[name]):
            found[name] = rows.filter(rows["customer"].isnull()) if "customer" in rows.columns else rows
    return found


def due(settings: config.Identity | config.AccountIdentity, ids: ir.Table) -> bool:
    """Whether the same one is looked for under different ids."""
    if settings.link == "auto":
        return int(ids["id_space"].nunique().to_pyarrow().as_py()) > 1
    return settings.link == "always"


def resolve(
    session: DuckDBSession,
    collected: Collected,
    settings: config.Identity,
    digest: str,
    before: Before | None,
    *,
    now: datetime,
    progress: Progress | None = None,
) -> Resolved:
    """Find the customers behind all ids.

    ``digest`` stands for everything that linking reads: while it is that of ``before``, what was found then is taken.
    """
    if before is None or before.digest != digest:
        joining = Joining(
            "customer", "identity", collected.ids, people(collected), settings, link_people, _stated(collected)
        )
        before = joined(session, joining, digest, before, now, progress)
    owners = session.facts([before.parts["owners"]]).select("record_key", "customer_key")
    changes = session.facts([before.parts["identity_changes"]])
    return Resolved(identities(collected.ids, owners), session.facts([before.parts["links"]]), changes, before)


def nobody_linked(ids: ir.Table) -> ir.Table:
    """Identities where every id is a customer."""
    return ids.select(
        "customer_key",
        customer_id=named(ids["id_space"], ids["source_id"]),
        id_space="id_space",
        source_id="source_id",
        record_key="customer_key",
    ).order_by("customer_key")


def identities(ids: ir.Table, owners: ir.Table) -> ir.Table:
    """One row per id with its customer: ``owners`` holds the ``customer_key`` of every ``record_key``.

    A customer is called by the id that was there first.
    """
    each = ids.select(
        record_key="customer_key",
        own_id=named(ids["id_space"], ids["source_id"]),
        id_space="id_space",
        source_id="source_id",
    )
    owned = each.left_join(owners, "record_key").mutate(
        customer_key=ibis.coalesce(ibis._["customer_key"], each["record_key"])
    )
    first = each.select(customer_key="record_key", customer_id="own_id")
    return (
        owned.join(first, "customer_key")
        .select("customer_key", "customer_id", "id_space", "source_id", "record_key")
        .order_by(["customer_key", "record_key"])
    )


def together(first: ir.Table, *others: ir.Table) -> ir.Table:
    """The rows of tables of the same columns."""
    return first.union(*(o.select(*first.columns).cast(first.schema()) for o in others)) if others else first


def rekeyed(facts: ir.Table, identities: ir.Table, nobody: ir.Table | None = None) -> ir.Table:
    """Facts with the key of the customer in place of the key of the id on the record; null where the id is that of a
    visitor who is ``nobody``."""
    moved = identities.filter(identities["customer_key"] != identities["record_key"]).select(
        own_record="record_key", own_customer="customer_key"
    )
    if nobody is not None and "visitor" in facts.columns:
        moved = moved.union(nobody.select(own_record="record_key", own_customer=ibis.null("int64")))
    joined = facts.left_join(moved, facts["customer_key"] == moved["own_record"])
    key = joined["own_record"].notnull().ifelse(joined["own_customer"], joined["customer_key"])
    return joined.mutate(customer_key=key).select(*facts.columns)


def people(collected: Collected) -> ir.Table:
    """One row per id that tells who it is: ``record_key``, ``source`` (its space), and what is compared."""
    columns = _compared(collected)
    parts = []
    for i, (rows, given) in enumerate(_telling(collected)):
        values = {c: rows[given[c]] if c in given else ibis.null(_type(c)) for c in columns}
        parts.append(rows.select(record_key="customer_key", part=ibis.literal(i), **values))
    every = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]
    told = every.group_by("record_key").agg(**{c: every[c].first(order_by=every["part"]) for c in columns})
    told = told.filter(ibis.or_(*(told[c].notnull() for c in columns if c in _TELLING)))
    spaces = collected.ids.select(record_key="customer_key", source="id_space")
    return told.join(spaces, "record_key").order_by("record_key")


def _telling(collected: Collected) -> list[tuple[ir.Table, dict[str, str]]]:
    """Rows, one per id, that tell who it is, the most trusted first; and which of their columns says what."""
    found = [
        (golden.newest(r.rows), {c: c for c in r.settings.columns if c in _COMPARED and c in r.rows.columns})
        for r in collected.records
    ]
    for rows in collected.contacts.values():
        found.append((golden.newest(rows), {c: t for t, c in _CONTACT.items() if t in rows.columns}))
    ids = collected.ids
    return [*found, (ids.filter(ids["id_space"] == EMAIL_SPACE), {"email": "source_id"})]


def _compared(collected: Collected) -> list[str]:
    given = {c for _, columns in _telling(collected) for c in columns}
    return [c for c in _COMPARED if c in given]


def _type(column: str) -> str:
    return "date" if column == "birth_date" else "string"


def joined(
    session: DuckDBSession,
    joining: Joining,
    digest: str,
    before: Before | None,
    now: datetime,
    progress: Progress | None,
) -> Before:
    """Look for links, and write what was found into parts."""
    settings, unit = joining.settings, joining.unit
    records = session.keep(f"{unit}_told_of", joining.records)
    told = session.keep(f"{unit}_told", _told(records))
    same, different = (_by_hand(joining, key) for key in ("same", "different"))
    kept = _kept(session, told, before) if before and before.settings == joining.wanted else no_links()
    sure = session.keep(f"{unit}_sure", kept.union(joining.stated))
    join = session.keep(f"{unit}_join", same.union(sure.select("left_key", "right_key"), distinct=True))
    found = joining.link(
        session.con, records, threshold=settings.threshold, join=join, never=different, progress=progress
    )
    links = session.keep(f"{unit}_links", _explained(found.pairs, same, sure))
    clusters = found.clusters.select("record_key", customer_key="cluster")
    owners = session.keep(f"{unit}_owners", clusters.join(told, "record_key"))
    changes = _changes(session, identities(joining.ids, owners.drop("told")), links, before, now)
    parts = {}
    for name, rows, order in (
        ("owners", owners, ["customer_key", "record_key"]),
        ("links", links, ["left_key", "right_key"]),
        ("identity_changes", changes, ["changed_at", "id_space", "source_id"]),
    ):
        parts[name] = f"{unit}-{name}-{digest}-{before.digest[:8] if before else 0}.parquet"
        session.write_part(rows.order_by(order), parts[name])
    counts = links.group_by("how").agg(n=links.count()).order_by("how").to_pyarrow().to_pylist()
    pairs = {row["how"]: row["n"] for row in counts}
    return Before(digest, joining.wanted, parts, {**found.facts, "pairs": pairs, **_counted(changes, now)})


def _told(records: ir.Table) -> ir.Table:
    """A digest of what every record tells."""
    columns = [c for c in records.columns if c != "record_key"]
    text = ibis.literal("\x1f").join([records[c].cast("string").fill_null("\x1e") for c in columns])
    return records.select("record_key", told=md5(text))


def _kept(session: DuckDBSession, told: ir.Table, before: Before) -> ir.Table:
    """The links of before between records that still tell the same: they do not come loose by a new estimate."""
    links = session.facts([before.parts["links"]])
    earlier = session.facts([before.parts["owners"]])
    unchanged = told.semi_join(earlier, ["record_key", "told"])
    left, right = unchanged.select(left_key="record_key"), unchanged.select(right_key="record_key")
    return links.filter(links["how"] != _BY_HAND).semi_join(left, "left_key").semi_join(right, "right_key")


def _stated(collected: Collected) -> ir.Table:
    """Links of records that state the customer's id among ``customers`` to that id."""
    ids = collected.ids.filter(collected.ids["id_space"] == DEFAULT_SPACE)
    ids = ids.select(known_as="source_id", stated_key="customer_key")
    found = no_links()
    for record in collected.records:
        if "known_as" in record.rows.columns:
            pairs = golden.newest(record.rows).select("customer_key", "known_as").join(ids, "known_as")
            pairs = pairs.filter(pairs["customer_key"] != pairs["stated_key"])
            found = found.union(
                pairs.select(
                    left_key=ibis.least(pairs["customer_key"], pairs["stated_key"]),
                    right_key=ibis.greatest(pairs["customer_key"], pairs["stated_key"]),
                    probability=ibis.literal(1.0),
                    how=ibis.literal("exact: the id that the record states"),
                    weights=ibis.null("string"),
                )
            )
    return found


def no_links() -> ir.Table:
    """No link at all."""
    schema = {"left_key": "int64", "right_key": "int64", "probability": "float64", "how": "string", "weights": "string"}
    return ibis.memtable({c: [] for c in schema}, schema=ibis.schema(schema))


def _explained(pairs: ir.Table, same: ir.Table, sure: ir.Table) -> ir.Table:
    """Links with the reason that was known for them; what a person joined stays joined by hand."""
    known = sure.anti_join(same, ["left_key", "right_key"]).distinct(on=["left_key", "right_key"], keep="first")
    reasons = known.rename(old_probability="probability", old_how="how", old_weights="weights")
    joined = pairs.left_join(reasons, ["left_key", "right_key"], rname="{name}_old")
    old = (joined["how"] == _BY_HAND) & joined["old_how"].notnull()
    return joined.select(
        "left_key",
        "right_key",
        **{c: old.ifelse(joined[f"old_{c}"], joined[c]) for c in ("probability", "how", "weights")},
    )


def _changes(
    session: DuckDBSession, now_there: ir.Table, links: ir.Table, before: Before | None, now: datetime
) -> ir.Table:
    """All merges and splits so far: ids whose customer is another than at the last resolve."""
    if before is None:
        return no_changes(now_there)
    earlier = session.facts([before.parts["owners"]]).select("record_key", key_before="customer_key")
    names = now_there.filter(now_there["record_key"].isin(earlier["key_before"])).select(
        key_before="record_key",
        customer_before=named(now_there["id_space"], now_there["source_id"]),
    )
    moved = now_there.join(earlier, "record_key")
    moved = moved.filter(moved["customer_key"] != moved["key_before"]).join(names, "key_before")
    merged = moved["customer_key"].isin(earlier["key_before"])
    strongest = (
        links.select(record_key="left_key", how="how", probability="probability")
        .union(links.select(record_key="right_key", how="how", probability="probability"))
        .group_by("record_key")
        .agg(how=ibis._["how"].argmax(ibis._["probability"]))
    )
    told = moved.left_join(strongest, "record_key")
    fresh = told.select(
        changed_at=ibis.literal(now).cast("timestamp"),
        change=merged.ifelse("merged", "split"),
        id_space="id_space",
        source_id="source_id",
        customer_before="customer_before",
        customer_now="customer_id",
        reason=ibis.coalesce(told["how"], ibis.literal("nothing joins it any more")),
    )
    past = session.facts([before.parts["identity_changes"]]).select(*_CHANGES)
    return past.union(fresh.select(*_CHANGES).cast(past.schema()))


def _counted(changes: ir.Table, now: datetime) -> dict[str, int]:
    latest = changes.filter(changes["changed_at"] == ibis.literal(now).cast("timestamp"))
    counts = latest.group_by("change").agg(n=latest.count()).to_pyarrow().to_pylist()
    return {"merged": 0, "split": 0} | {row["change"]: row["n"] for row in counts}


def _by_hand(joining: Joining, key: str) -> ir.Table:
    """Pairs of ids that a person has listed, as pairs of keys; :class:`DataError` for an id that nobody has."""
    ids, pairs = joining.ids, getattr(joining.settings, key)
    short, spelled = named(ids["id_space"], ids["source_id"]), ids["id_space"] + ":" + ids["source_id"]
    wanted = list(dict.fromkeys(text for pair in pairs for text in pair))
    listed = ids.filter(short.isin(wanted or [""]) | spelled.isin(wanted or [""]))
    rows = listed.select("customer_key", short=short, spelled=spelled).to_pyarrow().to_pylist()
    found = {row[form]: row["customer_key"] for row in rows for form in ("short", "spelled")}
    for text in wanted:
        if text not in found:
            spaces = sorted(ids.select("id_space").distinct().to_pyarrow()["id_space"].to_pylist())
            space = text.partition(":")[0]
            hint = "" if ":" not in text or space in spaces else did_you_mean(space, spaces)
            table = "identities" if joining.unit == "customer" else "account_identities"
            at, number = f"segmentry.yaml {joining.key}.{key}", wanted.index(text) + 1
            raise DataError(
                f"{at}: no record has the id number {number} of the list.",
                why=f"{hint} Ids are written space:id (spaces: {', '.join(spaces)}), those of {DEFAULT_SPACE} alone.",
                fix=f"`segmentry show {table}` lists the ids.",
            )
    keys = [sorted((found[a], found[b])) for a, b in pairs]
    schema = ibis.schema({"left_key": "int64", "right_key": "int64"})
    return ibis.memtable({"left_key": [a for a, _ in keys], "right_key": [b for _, b in keys]}, schema=schema)


def digest_of(
    parts: Iterable[str], settings: config.Identity | config.AccountIdentity, sources: Mapping[str, Source]
) -> str:
    """Stands for everything that linking reads."""
    mapped = {n: [s.id_space, dict(s.columns)] for n, s in sources.items()}
    wanted = settings.model_dump(mode="json", exclude={"accounts"})
    text = json.dumps([sorted(parts), wanted, mapped], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
