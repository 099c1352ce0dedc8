"""Whose visits: the ids that browsers and devices give themselves, and the customers who logged in with them.

A record may say which ``visitor`` it is of (``anonymousId``, ``user_pseudo_id``). Where no customer is on it, the
visitor stands on it as an id of a space of its source. Resolve joins that id to the customer who is on other records
of the same visitor, so that what came before the login counts as well.

A visitor with records of several customers is a shared device, and belongs to nobody: only records that name their
customer count for one. (Segment's Unify lets a profile have one user id only and leaves the visitor out where a second
one comes; RudderStack's identity graph would make both customers one.) Customers that resolve knows to be one person
are one here. A visitor who never logs in is no customer, and is in no count of customers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir

from segmentry.data.ids import is_visitor, no_changes, visitor_space
from segmentry.engine import DuckDBSession

# Of the part.
_CHANGES = ("changed_at", "change", "id_space", "source_id", "customer_before", "customer_now", "reason")
_HOW = "exact: a customer logged in as this visitor"


@dataclass(frozen=True)
class Stitched:
    """What resolve knows of visitors: rows for ``identities``, ``links`` and ``identity_changes``, the visitors that
    belong to ``nobody``, and the parts that the next resolve reads."""

    identities: ir.Table
    links: ir.Table
    changes: ir.Table
    nobody: ir.Table
    parts: Mapping[str, str]


def known(ids: ir.Table) -> ir.Table:
    """The ids that are no visitor's."""
    return ids.filter(~is_visitor(ids["id_space"]))


def stitch(
    session: DuckDBSession,
    ids: ir.Table,
    facts: Mapping[str, ir.Table],
    identities: ir.Table,
    digest: str,
    before: Mapping[str, str],
    now: datetime,
) -> Stitched | None:
    """Join visitors to customers; None where no record is of a visitor alone.

    ``ids`` are all ids, ``facts`` the collected records by source, ``identities`` those of known customers. ``digest``
    stands for all of these; ``before`` are the parts of the last resolve.
    """
    visitors = ids.filter(is_visitor(ids["id_space"])).rename(visitor_key="customer_key")
    if not visitors.count().to_pyarrow().as_py():
        return None
    logins = session.keep("logins", _logins(visitors, facts, identities))
    left = visitors.left_join(logins, "visitor_key").drop("visitor_key_right")
    found = session.keep("visitors", left.mutate(customers=left["customers"].fill_null(0)))
    own = found.filter(found["customers"] == 1)
    names = identities.select("customer_key", "customer_id").distinct()
    owned = session.keep("owned_visitors", own.join(names, own["owner"] == names["customer_key"]))
    changes = _changes(session, found, identities, before, now)
    parts = {name: f"{name}-{digest}.parquet" for name in ("visitor_owners", "visitor_changes")}
    owners = owned.select("visitor_key", "customer_key", "customer_id").order_by("visitor_key")
    session.write_part(owners, parts["visitor_owners"])
    session.write_part(changes.order_by(["changed_at", "id_space", "source_id"]), parts["visitor_changes"])
    return Stitched(
        owned.select("customer_key", "customer_id", "id_space", "source_id", record_key="visitor_key"),
        owned.select(
            left_key=ibis.least(owned["visitor_key"], owned["login"]),
            right_key=ibis.greatest(owned["visitor_key"], owned["login"]),
            probability=ibis.literal(1.0),
            how=ibis.literal(_HOW),
            weights=ibis.null("string"),
        ),
        session.facts([parts["visitor_changes"]]).select(*_CHANGES),
        found.filter(found["customers"] != 1)
        .select("id_space", "source_id", "customers", record_key="visitor_key")
        .order_by("record_key"),
        parts,
    )


def _logins(visitors: ir.Table, facts: Mapping[str, ir.Table], identities: ir.Table) -> ir.Table:
    """By visitor how many customers logged in, and one of them: with its first id of those that were used."""
    pairs = [
        rows.filter(rows["visitor"].notnull() & rows["customer_key"].notnull())
        .select(own_space=ibis.literal(visitor_space(name)), own_id="visitor", login="customer_key")
        .distinct()
        for name, rows in facts.items()
        if "visitor" in rows.columns
    ]
    every = pairs[0].union(*pairs[1:]) if len(pairs) > 1 else pairs[0]
    seen = every.join(visitors, [every["own_space"] == visitors["id_space"], every["own_id"] == visitors["source_id"]])
    # A visitor's own key, on its records without a customer, is no key of an identity.
    owned = seen.join(identities.select("customer_key", login="record_key"), "login")
    return owned.group_by("visitor_key").agg(
        customers=owned["customer_key"].nunique(), owner=owned["customer_key"].min(), login=owned["login"].min()
    )


def _changes(
    session: DuckDBSession, found: ir.Table, identities: ir.Table, before: Mapping[str, str], now: datetime
) -> ir.Table:
    """All visitors so far that came to belong to another customer than before, or to nobody."""
    if not before:
        return no_changes(found)
    was = session.facts([before["visitor_owners"]])
    was = was.rename(key_before="customer_key", customer_before="customer_id")
    # Where a customer joined another, its visitors went with it: that is told of the customer.
    moved = identities.select("customer_key", key_before="record_key")
    followed = was.left_join(moved, "key_before").drop("key_before_right", "key_before")
    again = found.join(followed, "visitor_key")
    alone = again["customers"] == 1
    again = again.filter(~alone | (again["owner"] != again["customer_key"]).fill_null(False))
    names = identities.select(named_key="customer_key", named_id="customer_id").distinct()
    told = again.left_join(names, again["owner"] == names["named_key"])
    one = told["customers"] == 1
    fresh = told.select(
        changed_at=ibis.literal(now).cast("timestamp"),
        change=ibis.literal("split"),
        id_space="id_space",
        source_id="source_id",
        customer_before="customer_before",
        customer_now=one.ifelse(told["named_id"], ibis.null("string")),
        reason=ibis.cases(
            (one, ibis.literal(_HOW)),
            (told["customers"] == 0, ibis.literal("no customer's login is known any more")),
            else_=told["customers"].cast("string") + " customers logged in as this visitor",
        ),
    )
    past = session.facts([before["visitor_changes"]]).select(*_CHANGES)
    return past.union(fresh.select(*_CHANGES).cast(past.schema()))
