"""The work of the stage traits: which of the collected facts are read as of a day, and what is written of them.

Customers are described first; accounts, where resolve found any, after them and by the same models.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis.expr.types as ir

from segmentry import segment, traits
from segmentry.catalogue import declared_as
from segmentry.config import Config
from segmentry.data import identity, versions
from segmentry.data.manifest import Manifest
from segmentry.data.plan import Described
from segmentry.engine import Progress, Session, Writer
from segmentry.errors import FitError
from segmentry.state import Run
from segmentry.target import profiles
from segmentry.traits import Definition, Facts, Learned, Organisations, Settings, TraitTable
from segmentry.traits.penetration import penetration

_ORGANISED = ("account_contacts", "account_references")


@dataclass(frozen=True)
class Describing:
    """What the stage works with: ``resolve`` is the run whose tables say who is who, ``day`` the as-of date."""

    session: Session
    manifest: Manifest
    resolve: Run
    config: Config
    settings: Settings
    day: date
    progress: Progress

    def write(
        self,
        writer: Writer,
        needed: frozenset[str],
        own: Sequence[Definition],
        learned: Mapping[str, Learned],
        again: Collection[str],
    ) -> tuple[dict[str, Any], Mapping[str, Learned]]:
        """Write the tables of the stage; gives its facts, those about accounts under ``accounts``, and the models used.

        ``needed`` are traits that frozen segmentations read, ``own`` the declared ones; ``learned`` and ``again`` as
        :func:`traits.compute` takes them.
        """
        facts, settings = self.facts(), self.settings
        of_people, of_accounts = ([d for d in own if d.of == unit] for unit in ("customer", "account"))
        made = traits.compute(facts, self.day, settings, also=needed, own=of_people, learned=learned, again=again)
        people = writer.write("traits", made.table.order_by("customer_key"))
        found = {**_told(made, people), "notes": list(made.notes)}
        found["evidence"] = dict(made.evidence)
        if facts.accounts is not None:
            tables = (self.session.table("resolve", name) for name in _ORGANISED)
            deals = self.collected("opportunities")
            organised = Organisations(facts.accounts, *tables)
            of = traits.accounts.compute(
                organised, facts, deals, people, self.day, settings, also=needed, own=of_accounts
            )
            table = of.table.rename(account_key="customer_key", account_id="customer_id")
            found["accounts"] = _told(of, writer.write("account_traits", table.order_by("account_key")))
        market = self.collected("market")
        reached = penetration(market, people) if market is not None else None
        if reached is not None:
            writer.write("penetration", reached)
        return found, made.learned

    def facts(self) -> Facts:
        """What traits are made from, as it was known at the end of the day."""
        moment = self.manifest.moment(self.day)
        organised = "golden_accounts" in self.resolve.rows
        further = {kind: rows for kind in traits.FURTHER if (rows := self.collected(kind)) is not None}
        return Facts(
            golden_customers=versions.golden_at(self.session, moment),
            transactions=self.collected("transactions"),
            products=self.collected("products"),
            further=further,
            accounts=versions.golden_accounts_at(self.session, moment) if organised else None,
            stores=self.collected("stores"),
            places=self.collected("places"),
            attributes=self.config.attributes,
        )

    def collected(self, kind: str) -> ir.Table | None:
        """The records of a table as they were known at the end of the day, with their customers."""
        manifest = self.manifest
        parts, former, moment = manifest.parts(kind), manifest.former_parts(kind), manifest.moment(self.day)
        if not parts:
            return None
        rows = self.session.facts(parts, self.progress)
        if former and moment is not None:
            rows = versions.known_at(rows, self.session.facts(former, self.progress), moment)
        resolved: Mapping[str, Any] = self.resolve.facts
        if "customer_key" not in rows.columns or not (resolved["links"] or resolved["visitors"]):
            return rows
        nobody = self.session.table("resolve", "visitors") if resolved["visitors"] else None
        return identity.rekeyed(rows, self.session.table("resolve", "identities"), nobody)


def _told(made: TraitTable, table: ir.Table) -> dict[str, Any]:
    """Of one table of traits: the traits, the one that says what a unit is worth, and the figures of the base."""
    value = segment.value_trait_of([t.name for t in made.traits])
    return {
        "traits": [traits.to_json(t) for t in made.traits],
        "absent": dict(made.absent),
        "value_trait": value,
        **profiles.base(table, made.traits, value),
    }


def base_of(run: Run, unit: str) -> Mapping[str, Any]:
    """What a run of the stage says of one unit, customer or account: its traits and the figures of the base."""
    if unit == "customer":
        return run.facts
    if "accounts" not in run.facts:
        raise FitError(
            "There are no accounts here.",
            why="A segmentation of the unit account places organisations.",
            fix="Add a source of the kind accounts, then run `segmentry run`; or take out `unit: account`.",
        )
    found: Mapping[str, Any] = run.facts["accounts"]
    return found


def units_of(run: Run) -> tuple[str, ...]:
    """Who has traits by a run of the stage: customers, and accounts where resolve found any."""
    return ("customer", "account") if "accounts" in run.facts else ("customer",)


def described(run: Run) -> Described:
    """What a run of the stage says to the data plan; a trait that customers or accounts have is there."""
    bases = [run.facts, *([run.facts["accounts"]] if "accounts" in run.facts else [])]
    made = [trait for base in bases for trait in traits.from_json(base["traits"])]
    there = {declared_as(trait.name) for trait in made}
    absent = {name: why for base in bases for name, why in base.get("absent", {}).items() if name not in there}
    return Described(tuple(made), absent, run.facts.get("evidence", {}))
