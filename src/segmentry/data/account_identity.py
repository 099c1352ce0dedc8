"""Resolve, for organisations: which ids are one account, who owns whom, and which customers belong to which account.

The same as for people (``identity.py``), whose functions do it: every id of an account gets a number once
(``record_key``), an account is called by the smallest among its ids, and what was joined stays joined. Accounts are
numbered here, not at collection: no fact carries the number, and a list of all accounts is short. The number stands in
``customer_key`` wherever a function of people is used.

A reference to an account, from a contact or from a subsidiary, holds within its space of ids: the account's id there,
or else the name that exactly one account of that space has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import config
from segmentry.config import Source
from segmentry.data import golden, hierarchy, identity, versions
from segmentry.data.golden import Record
from segmentry.data.identity import Before, Joining
from segmentry.data.ids import EMAIL_SPACE, email_id, plain_name
from segmentry.data.linkage import link_organisations
from segmentry.data.linkage.words import FREE_MAIL
from segmentry.engine import DuckDBSession, Progress

_COMPARED = ("account_name", "domain", "phone", "address", "city", "postcode", "country", "industry")
_TELLING = ("account_name", "domain", "phone")  # a record without any of these is compared with no other
UNKNOWN_PARENT = "no account has this id or name"
SEVERAL_PARENTS = "several accounts have this name"
OWN_PARENT = "it is its own parent"
CIRCLE = "its parents lead back to it"


@dataclass(frozen=True)
class Kept:
    """What the last resolve left about accounts: the part with their numbers, and what linking found (if it looked)."""

    keys: str
    links: Before | None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Kept | None:
        if not data:
            return None
        return cls(data["keys"], Before(**data["links"]) if data["links"] else None)

    def to_json(self) -> dict[str, Any]:
        return {"keys": self.keys, "links": asdict(self.links) if self.links else {}}

    @property
    def parts(self) -> set[str]:
        """Names of the parts that the next resolve reads."""
        return {self.keys, *(self.links.parts.values() if self.links else ())}


@dataclass(frozen=True)
class Accounts:
    """The accounts of a workspace: ``identities`` (customer_key, customer_id, id_space, source_id, record_key), their
    ``records`` with that key, the ``names`` that are only one's (id_space, name, customer_key), and what is kept."""

    identities: ir.Table
    records: tuple[Record, ...]
    names: ir.Table
    kept: Kept

    @property
    def links(self) -> Before | None:
        """What linking found; None where it was not looked for."""
        return self.kept.links


@dataclass(frozen=True)
class Collected:
    """The collected records of accounts by source: ``rows`` of today, ``former`` versions where any have ended."""

    rows: Mapping[str, ir.Table]
    former: Mapping[str, ir.Table]
    sources: Mapping[str, Source]


def resolve(
    session: DuckDBSession,
    collected: Collected,
    settings: config.AccountIdentity,
    digest: str,
    before: Kept | None,
    *,
    now: datetime,
    progress: Progress | None = None,
) -> Accounts:
    """Find the accounts behind all ids of the collected records.

    ``digest`` stands for everything that this reads: while it is that of before, what was found then is taken.
    """
    records = golden.in_line(collected.rows, collected.sources, settings)
    keys, part = _numbered(session, records, collected.former, digest, before)
    records = tuple(replace(r, rows=_with_key(r, keys)) for r in records)
    ids = keys.select("id_space", "source_id", customer_key="record_key")
    links = before.links if before else None
    if not identity.due(settings, ids):
        links, owned = None, identity.nobody_linked(ids)
    else:
        if links is None or links.digest != digest:
            told = _told_of(records, keys)
            joining = Joining(
                "account", "identity.accounts", ids, told, settings, link_organisations, identity.no_links()
            )
            links = identity.joined(session, joining, digest, links, now, progress)
        owners = session.facts([links.parts["owners"]]).select("record_key", "customer_key")
        owned = identity.identities(ids, owners)
    owned = session.keep("account_ids", owned)
    return Accounts(owned, records, session.keep("account_names", _names(records, owned)), Kept(part, links))


def ever(session: DuckDBSession, accounts: Accounts) -> Accounts:
    """The accounts with the ids of those that are gone at their sources beside those of today."""
    keys = session.facts([accounts.kept.keys])
    gone = keys.anti_join(accounts.identities, ["id_space", "source_id"]).rename(customer_key="record_key")
    ids = session.keep("account_ids_ever", identity.together(accounts.identities, identity.nobody_linked(gone)))
    return replace(accounts, identities=ids)


def keyed(records: Sequence[Record], identities: ir.Table) -> tuple[Record, ...]:
    """The records of accounts with their numbers, from the table ``account_identities``."""
    return tuple(replace(r, rows=_with_key(r, identities)) for r in records)


def _numbered(
    session: DuckDBSession, records: Sequence[Record], former: Mapping[str, ir.Table], digest: str, before: Kept | None
) -> tuple[ir.Table, str]:
    """id_space, source_id and record_key of every account that there is, and the part that holds all there ever was."""

    def ids(of: Mapping[str, ir.Table]) -> ir.Table:
        found = [
            of[r.source].select(
                id_space=ibis.literal(r.settings.id_space), source_id="account", place=ibis.literal(r.place)
            )
            for r in records
            if r.source in of
        ]
        every = identity.together(*found)
        return every.group_by("id_space", "source_id").agg(place=every["place"].min())

    there = session.keep("accounts_there", ids({r.source: r.rows for r in records}))
    seen = there
    if former:  # who was gone before anybody looked is somebody in the past
        gone = ids(former).anti_join(there, ["id_space", "source_id"])
        seen = session.keep("accounts_seen", identity.together(there, gone))
    known = session.facts([before.keys]) if before else None
    fresh = seen.anti_join(known, ["id_space", "source_id"]) if known is not None else seen
    part = before.keys if before else ""
    if known is None or int(fresh.count().to_pyarrow().as_py()):
        last = 0 if known is None else int(known["record_key"].max().to_pyarrow().as_py() or 0)
        order = ibis.row_number().over(order_by=["place", "id_space", "source_id"])
        numbered = fresh.select("id_space", "source_id", record_key=(order + last + 1).cast("int64"))
        part = f"account-keys-{digest}-{last}.parquet"
        session.write_part((numbered if known is None else known.union(numbered)).order_by("record_key"), part)
    return session.facts([part]).semi_join(there, ["id_space", "source_id"]), part


def _with_key(record: Record, keys: ir.Table) -> ir.Table:
    own = keys.filter(keys["id_space"] == record.settings.id_space)
    own = own.select(own_account="source_id", own_number="record_key")
    joined = record.rows.join(own, record.rows["account"] == own["own_account"])
    return joined.mutate(customer_key="own_number").drop("own_account", "own_number")


def _told_of(records: Sequence[Record], keys: ir.Table) -> ir.Table:
    """One row per id that tells which organisation it is: ``record_key``, ``source`` (its space), what is compared."""
    given = [[c for c in _COMPARED if c in r.columns] for r in records]
    columns = [c for c in _COMPARED if any(c in each for each in given)]
    parts = []
    for record, has in zip(records, given, strict=True):
        rows = golden.newest(record.rows)
        values = {c: rows[c].cast("string") if c in has else ibis.null("string") for c in columns}
        parts.append(rows.select(record_key="customer_key", part=ibis.literal(record.place), **values))
    every = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]
    told = every.group_by("record_key").agg(**{c: every[c].first(order_by=every["part"]) for c in columns})
    telling = [told[c].notnull() for c in columns if c in _TELLING]
    told = told.filter(ibis.or_(*telling) if telling else ibis.literal(False))
    return told.join(keys.select("record_key", source="id_space"), "record_key").order_by("record_key")


# References -----------------------------------------------------------------------------------------------------------


def _names(records: Sequence[Record], owned: ir.Table) -> ir.Table:
    """id_space, name, ``accounts`` that are called so, and the ``customer_key`` of one of them."""
    newest = [golden.newest(r.rows) for r in records if "account_name" in r.columns]
    parts = [rows.select(record_key="customer_key", name=plain_name(rows["account_name"])) for rows in newest]
    if not parts:
        return owned.filter(ibis.literal(False)).select(
            "id_space", "customer_key", name="source_id", accounts=ibis.literal(0, "int64")
        )
    every = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]
    own = every.filter(every["name"].notnull()).join(owned, "record_key")
    return own.group_by("id_space", "name").agg(
        accounts=own["customer_key"].nunique(), customer_key=ibis._.customer_key.min()
    )


def _referred(record: Record, column: str, accounts: Accounts) -> ir.Table:
    """The rows of a record with ``by_id`` and ``by_name``: the account that its column names; ``called_so``: how many
    have that name."""
    space = record.settings.id_space
    ids, names = accounts.identities, accounts.names
    ids = ids.filter(ids["id_space"] == space).select(own_id="source_id", by_id="customer_key")
    names = names.filter(names["id_space"] == space).select(own_name="name", called_so="accounts", named="customer_key")
    rows = record.rows.mutate(own_reference=plain_name(record.rows[column]))
    rows = rows.left_join(ids, rows[column] == ids["own_id"])
    rows = rows.left_join(names, rows["own_reference"] == names["own_name"])
    alone = (rows["called_so"] == 1).ifelse(rows["named"], ibis.null("int64"))
    return rows.mutate(by_name=alone).drop("own_id", "own_name", "own_reference", "named")


# Hierarchy ------------------------------------------------------------------------------------------------------------


def golden_accounts(
    session: DuckDBSession, accounts: Accounts, settings: config.AccountIdentity, customers: ir.Table
) -> ir.Table:
    """One row per account, with its parent, the top of its group, and how many ``customers`` belong to it."""
    owners = accounts.identities.select(customer_key="record_key", own_account="customer_key")
    records = [_with_parent(r, accounts, owners) for r in accounts.records]
    merged = session.keep("merged_accounts", golden.golden_records(accounts.identities, records, settings))
    if "parent_key" not in merged.columns:
        merged = merged.mutate(parent_key=ibis.null("int64"), parent_problem=ibis.null("string"))
    parents = merged.filter(merged["parent_key"].notnull()).select("parent_key", account_key="customer_key")
    above, circles = hierarchy.climbed(session, parents)
    belonging = customers.filter(customers["account_key"].notnull())
    contacts = belonging.group_by(contact_key="account_key").agg(contacts=belonging.count())
    own = {"customer_key", "customer_id", "ids", "parent_key", "parent_problem"}
    rows = merged
    for key, other, its in (
        ("customer_key", above.select("level", "top_key", up_key="parent_key", above_key="account_key"), "above_key"),
        ("customer_key", circles.select(circle_key="account_key"), "circle_key"),
        ("customer_key", contacts, "contact_key"),
        ("up_key", merged.select(parent_is="customer_key", parent_id="customer_id"), "parent_is"),
        ("top_key", merged.select(top_is="customer_key", top_id="customer_id"), "top_is"),
    ):
        rows = rows.left_join(other, rows[key] == other[its])
    stated = rows["parent_key"].isnull().ifelse(rows["parent_problem"], ibis.null("string"))
    return rows.select(
        account_key="customer_key",
        account_id="customer_id",
        ids="ids",
        contacts=ibis.coalesce(rows["contacts"], 0),
        parent_id="parent_id",
        ultimate_parent_id=ibis.coalesce(rows["top_id"], rows["customer_id"]),
        level=ibis.coalesce(rows["level"], 0),
        parent_problem=rows["circle_key"].notnull().ifelse(CIRCLE, stated),
        **{c: c for c in merged.columns if c not in own},
    ).order_by("account_key")


def golden_versions(
    session: DuckDBSession, accounts: Accounts, former: Mapping[str, ir.Table], settings: config.AccountIdentity
) -> ir.Table:
    """The table ``golden_account_versions``: accounts as they were until their records changed or were gone.

    ``accounts`` are those of :func:`ever`, ``former`` the versions of records that have ended, by source. Parents are
    found by the ids that there ever were and the names of today.
    """
    keys, ids = session.facts([accounts.kept.keys]), accounts.identities
    owners = ids.select(customer_key="record_key", own_account="customer_key")
    ended = [replace(r, rows=former[r.source]) for r in accounts.records if r.source in former]
    ended = [replace(r, rows=_with_key(r, keys)) for r in ended]
    was = {r.source: _with_parent(r, accounts, owners).rows for r in ended}
    records = [_with_parent(r, accounts, owners) for r in accounts.records]
    history = versions.Ended(session, {r.source: r.rows for r in records}, was, ids, "account")
    made = session.keep("account_versions", history.golden_versions(records, settings))
    if "parent_key" not in made.columns:
        made = made.mutate(parent_key=ibis.null("int64"), parent_problem=ibis.null("string"))
    heads = ids.select(parent_is="customer_key", parent_id="customer_id").distinct()
    made = made.left_join(heads, [("parent_key", "parent_is")])
    first = {"account_key": "customer_key", "account_id": "customer_id", "ids": "ids", "parent_id": "parent_id"}
    left_out = {*first.values(), "parent_key", "parent_is", "known_until"}
    further = {c: c for c in made.columns if c not in left_out}
    rows = made.select(**first, **further, known_until="known_until")
    return rows.order_by(["account_key", "known_until"])


def _with_parent(record: Record, accounts: Accounts, owners: ir.Table) -> Record:
    if "parent" not in record.settings.columns or "parent" not in record.rows.columns:
        return record
    rows = _referred(record, "parent", accounts).join(owners, "customer_key")
    found = ibis.coalesce(rows["by_id"], rows["by_name"])
    itself = found == rows["own_account"]
    problem = ibis.cases(
        (rows["parent"].isnull(), ibis.null("string")),
        (itself, ibis.literal(OWN_PARENT)),
        (found.notnull(), ibis.null("string")),
        (rows["called_so"] > 1, ibis.literal(SEVERAL_PARENTS)),
        else_=ibis.literal(UNKNOWN_PARENT),
    )
    rows = rows.mutate(parent_key=itself.ifelse(ibis.null("int64"), found), parent_problem=problem)
    rows = rows.drop("by_id", "by_name", "called_so", "own_account")
    return replace(record, rows=rows, derived={"parent_key": "parent", "parent_problem": "parent"})


# Contacts -------------------------------------------------------------------------------------------------------------


def with_account(records: Sequence[Record], accounts: Accounts) -> tuple[Record, ...]:
    """The records about customers with the account that they state (``account_key``) and how it was found."""
    made = []
    for record in records:
        if "account" not in record.columns:
            made.append(record)
            continue
        rows = _referred(record, "account", accounts)
        how = ibis.cases(
            (rows["by_id"].notnull(), ibis.literal("id")),
            (rows["by_name"].notnull(), ibis.literal("name")),
            else_=ibis.null("string"),
        )
        rows = rows.mutate(account_key=ibis.coalesce(rows["by_id"], rows["by_name"]), account_found_by=how)
        derived = {"account_key": "account", "account_found_by": "account"}
        made.append(replace(record, rows=rows.drop("by_id", "by_name", "called_so"), derived=derived))
    return tuple(made)


def golden_customers(
    session: DuckDBSession, customers: ir.Table, identities: ir.Table, records: Sequence[Record], accounts: Accounts
) -> ir.Table:
    """Golden ``customers`` with their account: stated by a record, else their own id, else by their e-mail domain."""
    rows = customers
    if "account_key" not in rows.columns:
        rows = rows.mutate(account_key=ibis.null("int64"), account_found_by=ibis.null("string"))
    own = session.keep("own_accounts", _itself(identities, records, accounts))
    mailed = session.keep("mailed_accounts", _by_domain(identities, records, accounts))
    called = accounts.identities.group_by("customer_key").agg(account_id=ibis._.customer_id.min())
    called = called.select("account_id", called_key="customer_key")
    rows = rows.left_join(own, "customer_key", rname="{name}_own")
    rows = rows.left_join(mailed, "customer_key", rname="{name}_mailed")
    unstated = rows["account"].isnull() if "account" in customers.columns else ibis.literal(True)
    by_mail = unstated.ifelse(rows["mailed_key"], ibis.null("int64"))
    how = ibis.cases(
        (rows["account_key"].notnull(), rows["account_found_by"]),
        (rows["own_account"].notnull(), ibis.literal("itself")),
        (by_mail.notnull(), ibis.literal("e-mail domain")),
        else_=ibis.null("string"),
    )
    rows = rows.mutate(
        account_key=ibis.coalesce(rows["account_key"], rows["own_account"], by_mail), account_found_by=how
    )
    rows = rows.left_join(called, rows["account_key"] == called["called_key"])
    columns = [c for c in customers.columns if c not in ("account_key", "account_found_by")]
    return rows.select(*columns, "account_key", "account_id", "account_found_by").order_by("customer_key")


def _itself(identities: ir.Table, records: Sequence[Record], accounts: Accounts) -> ir.Table:
    """Customers of whom there is only an id, and it is an account's: organisations that buy without a contact."""
    ids = accounts.identities.select("id_space", "source_id", own_account="customer_key")
    found = identities.join(ids, ["id_space", "source_id"]).select("customer_key", "record_key", "own_account")
    for record in records:
        found = found.anti_join(record.rows, found["record_key"] == record.rows["customer_key"])
    return found.group_by("customer_key").agg(own_account=found["own_account"].min())


def _by_domain(identities: ir.Table, records: Sequence[Record], accounts: Accounts) -> ir.Table:
    """Customers whose addresses are all at the domain of one and the same account."""
    hosts = [
        r.rows.select(record_key="customer_key", domain=host_of(r.rows["domain"]))
        for r in accounts.records
        if "domain" in r.columns
    ]
    if not hosts:
        return identities.filter(ibis.literal(False)).select("customer_key", mailed_key="customer_key")
    every = (hosts[0].union(*hosts[1:]) if len(hosts) > 1 else hosts[0]).filter(ibis._["domain"].notnull())
    owned = every.filter(every["domain"].notin(FREE_MAIL)).join(
        accounts.identities.select("record_key", account="customer_key"), "record_key"
    )
    counted = owned.group_by("domain").agg(accounts=owned["account"].nunique(), mailed_key=owned["account"].min())
    only = counted.filter(counted["accounts"] == 1).drop("accounts")
    mails = [r.rows.select(record_key="customer_key", email="email") for r in records if "email" in r.columns]
    ids = identities.filter(identities["id_space"] == EMAIL_SPACE).select("record_key", email="source_id")
    addresses = ids.union(*mails) if mails else ids
    at = addresses.select("record_key", domain=email_id(addresses["email"]).split("@")[1])
    found = at.join(only, "domain").join(identities.select("customer_key", "record_key"), "record_key")
    each = found.group_by("customer_key").agg(
        accounts=found["mailed_key"].nunique(), mailed_key=ibis._.mailed_key.min()
    )
    return each.filter(each["accounts"] == 1).drop("accounts")


def contacts(identities: ir.Table, records: Sequence[Record], customers: ir.Table) -> ir.Table:
    """The table ``account_contacts``: who works for which account, by every record that states one.

    ``records`` are those of :func:`with_account`. Of each id the newest records of a source count, all of them: an
    export of who works where has a line for each organisation. Golden ``customers`` bring what no record states.
    """
    owners = identities.select(own_record="record_key", own_key="customer_key")
    found = [
        customers.filter(customers["account_key"].notnull()).select(
            "account_key", "customer_key", role=ibis.null("string"), occupation=ibis.null("string")
        )
    ]
    for record in records:
        if "account_key" not in record.rows.columns:
            continue
        stated = golden.newest(record.rows, all_equal=True).join(owners, ibis._.customer_key == owners["own_record"])
        stated = stated.filter(stated["account_key"].notnull())
        told = {c: stated[c] if c in record.columns else ibis.null("string") for c in ("role", "occupation")}
        found.append(stated.select("account_key", customer_key="own_key", **told))
    every = (found[0].union(*found[1:]) if len(found) > 1 else found[0]).semi_join(customers, "customer_key")
    each = every.group_by("account_key", "customer_key").agg(
        role=every["role"].min(), occupation=ibis._.occupation.min()
    )
    return each.order_by(["account_key", "customer_key"])


def references(rows: Mapping[str, ir.Table], sources: Mapping[str, Source], accounts: Accounts) -> ir.Table:
    """The table ``account_references``: which account the records of each source mean by what they write.

    ``rows`` are the collected records by source, those of people and organisations left out.
    """
    found = []
    for name, table in rows.items():
        if "account" not in table.columns:
            continue
        said = table.filter(table["account"].notnull()).select("account").distinct()
        told = _referred(Record(name, sources[name], said, 0), "account", accounts)
        told = told.mutate(account_key=ibis.coalesce(told["by_id"], told["by_name"]))
        told = told.filter(told["account_key"].notnull())
        found.append(told.select(source=ibis.literal(name), reference="account", account_key="account_key"))
    if not found:
        none = accounts.identities.filter(ibis.literal(False))
        return none.select(source="id_space", reference="source_id", account_key="customer_key")
    return (found[0].union(*found[1:]) if len(found) > 1 else found[0]).order_by(["source", "reference"])


def host_of(domain: ir.StringValue) -> ir.StringValue:
    """The name of the host in a web address, a domain or a mailbox; null where there is none.

    As the comparison of organisations reads it.
    """
    host = domain.strip().lower().re_extract(r"^(?:[a-z]+://)?(?:[^/@]*@)?([^/:?#\s]+\.[^/:?#\s.]{2,})", 1)
    return host.re_replace(r"^www[0-9]?\.", "").nullif("")


# Facts ----------------------------------------------------------------------------------------------------------------


def counted(found: ir.Table, customers: ir.Table) -> dict[str, Any]:
    """Of golden accounts and customers: how many have a parent, how deep groups go, what is wrong with parents, and how
    customers came to their account."""
    levels = found.agg(owned=found["parent_id"].count(), deepest=found["level"].max(), ids=found["ids"].sum())
    problem = found.filter(found["parent_problem"].notnull()).group_by("parent_problem").agg(n=ibis._.count())
    how = customers.filter(customers["account_key"].notnull()).group_by("account_found_by").agg(n=ibis._.count())
    return {
        **levels.to_pyarrow().to_pylist()[0],
        "problems": {r["parent_problem"]: r["n"] for r in problem.order_by("parent_problem").to_pyarrow().to_pylist()},
        "contacts": {r["account_found_by"]: r["n"] for r in how.order_by("account_found_by").to_pyarrow().to_pylist()},
    }
