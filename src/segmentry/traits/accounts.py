"""Traits of accounts: one row per organisation as of a date, made by the same models as those of customers.

The number of an account stands in ``customer_key`` on the way, so that RFM, margin and country are computed by the one
implementation there is. What somebody does who is a contact of one account is that account's; who is a contact of
several acts for one of them at a time, and counts only where the record says for which (its column ``account``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import ibis
import ibis.expr.types as ir

from segmentry.catalogue import ACCOUNT_TRAITS
from segmentry.traits import (
    absence,
    attributes,
    behavioral,
    costs,
    declared,
    firmographic,
    geographic,
    rhythm,
    stack,
    value,
)
from segmentry.traits.declared import Definition
from segmentry.traits.known import KEY, Facts, Settings, combine, known
from segmentry.traits.table import TraitTable, joined


@dataclass(frozen=True)
class Organisations:
    """What resolve found about organisations: ``golden_accounts``, ``account_contacts`` and ``account_references``."""

    golden: ir.Table
    contacts: ir.Table
    references: ir.Table


def compute(
    organisations: Organisations,
    facts: Facts,
    opportunities: ir.Table | None,
    people: ir.Table,
    as_of: date,
    settings: Settings | None = None,
    *,
    also: frozenset[str] = frozenset(),
    own: Sequence[Definition] = (),
) -> TraitTable:
    """Every trait whose data are there, for every account known at the end of the day ``as_of``.

    ``facts`` are those of the customers, ``people`` the customers known by then (``customer_key``). ``also`` names
    traits that frozen segmentations need, ``own`` are the declared traits of accounts.
    """
    golden, settings = organisations.golden, settings or Settings()
    alone = _alone(organisations.contacts)
    further = dict(facts.further)
    if "costs" in further:
        spent = further["costs"]
        further["costs"] = spent.mutate(**{costs.OF_NOBODY: spent[KEY].isnull() & ~costs.of_account_alone(spent)})
    concerning = {name: _concerning(rows, alone, organisations.references) for name, rows in further.items()}
    if opportunities is not None:
        concerning["opportunities"] = _of_accounts(opportunities, organisations.references)
    bought = facts.transactions
    as_customers = Facts(
        golden.rename({KEY: "account_key", "customer_id": "account_id"}),
        None if bought is None else _concerning(bought, alone, organisations.references),
        facts.products,
        concerning,
        golden,
        None,
        tuple(("customers", name, a) for table, name, a in facts.attributes if table == "accounts")
        + tuple(each for each in facts.attributes if each[0] == "transactions"),
    )
    read = also | {name for definition in own for name in definition.traits}
    bearers = costs.Bearers(facts, as_of, settings, read, alone)
    now = known(as_customers, as_of, settings, read)
    now = replace(now, accounts=_of(golden, "account_key", now.customers))
    contacts = _of(organisations.contacts, KEY, people)
    part = combine(
        behavioral.traits(now),
        rhythm.traits(now),
        value.traits(now, costs.of_accounts(now, bearers)),
        geographic.traits(now),
        attributes.traits(now, "accounts"),
        firmographic.of_accounts(now, contacts),
        stack.of_accounts(now),
    )
    made, built_in = joined(now, part), ACCOUNT_TRAITS.values()
    stood = firmographic.as_stood(now)
    as_declared = now if stood is None else replace(now, facts={**now.facts, "opportunities": stood})
    added = declared.add(made.table, as_declared, own, needed=also)
    absent = absence.absent(now, built_in, made.traits, absence.unwanted(now, built_in))
    return TraitTable(added.table, (*made.traits, *(d.trait for d in added.made)), {**absent, **added.absent})


def _of(rows: ir.Table, key: str, units: ir.Table) -> ir.Table:
    """The rows of some units, which a table has once each. PostgreSQL has no semi join."""
    return rows.join(units.select(there=KEY), [(key, "there")]).drop("there")


def _alone(contacts: ir.Table) -> ir.Table:
    """``customer_key`` and ``only_account`` of the contacts of one account only."""
    counted = contacts.group_by(KEY).agg(
        accounts=contacts["account_key"].nunique(), only_account=ibis._.account_key.min()
    )
    return counted.filter(counted["accounts"] == 1).select(KEY, "only_account")


def _concerning(rows: ir.Table, alone: ir.Table, references: ir.Table) -> ir.Table:
    """Facts with the account that they concern as their ``customer_key``; null for those that concern none."""
    own = rows.left_join(alone, KEY, rname="{name}_alone")
    concerned = own["only_account"]
    if "account" in rows.columns:
        told = references.select(told_source="source", told_as="reference", told_account="account_key")
        own = own.left_join(told, [("source", "told_source"), ("account", "told_as")])
        concerned = own["account"].isnull().ifelse(own["only_account"], own["told_account"])
    return own.mutate(**{KEY: concerned}).select(*rows.columns)


def _of_accounts(opportunities: ir.Table, references: ir.Table) -> ir.Table:
    """Opportunities with their account, and when each became known: its beginning, else the day on which it closed."""
    rows = opportunities
    known_by = [rows[c].cast("timestamp") for c in ("created_at",) if c in rows.columns]
    told = references.select(told_source="source", told_as="reference", told_account="account_key")
    joined_up = rows.left_join(told, [("source", "told_source"), ("account", "told_as")])
    time = ibis.coalesce(*known_by, ibis.null("timestamp")) if known_by else ibis.null("timestamp")
    return joined_up.mutate(**{KEY: joined_up["told_account"]}, time=time).select(KEY, "time", *_others(rows))


def _others(rows: ir.Table) -> list[str]:
    return [name for name in rows.columns if name not in (KEY, "time")]
