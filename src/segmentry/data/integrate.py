"""The work of resolve: from collected records to who is who, customers and accounts, and their golden records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.config import Identity, Source
from segmentry.data import account_identity, collect, golden, identity, reconcile, versions, visitors
from segmentry.data.account_identity import Accounts, Kept
from segmentry.data.identity import Before
from segmentry.data.manifest import Manifest
from segmentry.engine import DuckDBSession, Progress, Writer


def parts_of(facts: Mapping[str, Any]) -> set[str]:
    """Names of the parts that a resolve with these facts has left for the next one."""
    kept = Kept.from_json(facts.get("accounts", {}).get("kept", {}))
    linked = {**facts["links"].get("parts", {}), **facts.get("visitors", {})}
    return {*linked.values(), *(kept.parts if kept else ())}


@dataclass(frozen=True)
class Integration:
    """What resolve works with; ``before`` are the facts of the last resolve, ``now`` dates what changed since."""

    session: DuckDBSession
    manifest: Manifest
    sources: Mapping[str, Source]
    settings: Identity
    before: Mapping[str, Any]
    now: datetime
    progress: Progress | None = None

    def write(self, writer: Writer) -> dict[str, Any]:
        """Write the tables of the stage; gives its facts."""
        every = collect.customer_ids(self.manifest, self.session)
        ids = self.session.keep("ids", visitors.known(every))
        records = golden.in_line(self._collected("customers"), self.sources, self.settings)
        facts = {
            n: self.session.parts(self.manifest.parts(s.kind, n))
            for n, s in self.sources.items()
            if s.kind != "customers" and self.manifest.parts(s.kind, n)
        }
        resolved = self._customers(ids, records, facts)
        accounts = self._accounts()
        who = resolved.identities if resolved else identity.nobody_linked(ids)
        seen = self._visitors(every, facts, who)
        self._write_links(writer, resolved, accounts, seen)
        owned = writer.write("identities", identity.together(who, *([seen.identities] if seen else [])))
        nobody = writer.write("visitors", seen.nobody) if seen else None
        told = account_identity.with_account(records, accounts) if accounts else records
        rows = {**{r.source: r.rows for r in records}, **facts}
        customers = golden.golden_records(self._standing(writer, owned, records, rows), told, self.settings)
        if accounts:
            customers = self.session.keep("golden", customers)
            customers = account_identity.golden_customers(self.session, customers, owned, records, accounts)
        customers = writer.write("golden_customers", customers)
        if accounts:
            writer.write("account_contacts", account_identity.contacts(owned, told, customers))
            others = {n: t for n, t in facts.items() if self.sources[n].kind != "accounts"}
            ever = account_identity.ever(self.session, accounts)
            writer.write("account_references", account_identity.references(others, self.sources, ever))
            self._write_account_versions(writer, ever)
        moved = resolved is not None or seen is not None
        rows = {n: identity.rekeyed(t, owned, nobody) if moved else t for n, t in rows.items()}
        owners = customers.filter(customers["account_key"].notnull()) if accounts else None
        return {
            "customers": reconcile.customers_by_source(rows, owners),
            "disagreements": golden.disagreements(owned, told, self.settings),
            "links": asdict(resolved.before) if resolved else {},
            "visitors": dict(seen.parts) if seen else {},
            "accounts": self._write_accounts(writer, accounts, customers) if accounts else {},
        }

    def _collected(self, kind: str) -> dict[str, ir.Table]:
        parts = {n: self.manifest.parts(kind, n) for n in self.sources}
        return {n: self.session.parts(of) for n, of in parts.items() if of}

    def _customers(
        self, ids: ir.Table, records: tuple[golden.Record, ...], facts: Mapping[str, ir.Table]
    ) -> identity.Resolved | None:
        """What linking says of the ids of customers; None where it is not looked for."""
        if not identity.due(self.settings, ids):
            return None
        before = self.before.get("links")
        return identity.resolve(
            self.session,
            identity.Collected(ids, records, identity.with_contacts(facts, self.sources)),
            self.settings,
            identity.digest_of(self._told_by(), self.settings, self.sources),
            Before(**before) if before else None,
            now=self.now,
            progress=self.progress,
        )

    def _visitors(self, ids: ir.Table, facts: Mapping[str, ir.Table], who: ir.Table) -> visitors.Stitched | None:
        """Whose visits; None where no record is of a visitor alone."""
        before = self.before.get("visitors", {})
        parts = sorted(self.manifest.files())
        digest = identity.digest_of([*parts, *sorted(before.values())], self.settings, self.sources)
        return visitors.stitch(self.session, ids, facts, who, digest, before, self.now)

    def _standing(
        self, writer: Writer, owned: ir.Table, records: tuple[golden.Record, ...], rows: Mapping[str, ir.Table]
    ) -> ir.Table:
        """The ids of customers of whom there still is a record; writes ``golden_versions`` where records have ended."""
        parts = {n: self.manifest.former_parts(s.kind, n) for n, s in self.sources.items()}
        former = {n: self.session.parts(names) for n, names in parts.items() if names}
        if not former:
            return owned
        ended = versions.Ended(self.session, rows, former, owned)
        standing = owned.anti_join(ended.gone(), "customer_key")
        writer.write("golden_versions", ended.golden_versions(records, self.settings))
        return standing

    def _told_by(self) -> list[str]:
        """The parts that say who a customer is."""
        telling = [n for n, s in self.sources.items() if s.kind == "customers" or identity.says_who(s)]
        parts = (p for n in telling for p in self.manifest.parts(self.sources[n].kind, n))
        return [*self.manifest.keys, *parts]

    def _accounts(self) -> Accounts | None:
        """The accounts; None where no source has any."""
        rows = self._collected("accounts")
        if not rows:
            return None
        own = {n: s for n, s in self.sources.items() if s.kind == "accounts"}
        former = {n: self.session.parts(of) for n in rows if (of := self.manifest.former_parts("accounts", n))}
        settings = self.settings.accounts
        return account_identity.resolve(
            self.session,
            account_identity.Collected(rows, former, own),
            settings,
            identity.digest_of(self.manifest.parts("accounts"), settings, own),
            Kept.from_json(self.before.get("accounts", {}).get("kept", {})),
            now=self.now,
            progress=self.progress,
        )

    def _write_links(
        self,
        writer: Writer,
        resolved: identity.Resolved | None,
        accounts: Accounts | None,
        seen: visitors.Stitched | None,
    ) -> None:
        """``links`` and ``identity_changes`` of customers and accounts, where any were looked for."""
        found = {
            "customer": resolved.before if resolved else None,
            "account": accounts.links if accounts else None,
        }
        for name in ("links", "identity_changes"):
            parts = [
                self.session.facts([b.parts[name]]).select(ibis.literal(unit).name("unit"), ibis.selectors.all())
                for unit, b in found.items()
                if b
            ]
            if seen:
                own = seen.links if name == "links" else seen.changes
                parts.append(own.select(ibis.literal("customer").name("unit"), ibis.selectors.all()))
            if parts:
                rows = identity.together(*parts)
                rows = (
                    rows.rename(owner_before="customer_before", owner_now="customer_now") if "change" in rows else rows
                )
                order = ["left_key", "right_key"] if name == "links" else ["changed_at", "id_space", "source_id"]
                writer.write(name, rows.order_by(["unit", *order]))

    def _write_account_versions(self, writer: Writer, ever: Accounts) -> None:
        parts = {r.source: self.manifest.former_parts("accounts", r.source) for r in ever.records}
        former = {name: self.session.parts(of) for name, of in parts.items() if of}
        if former:
            was = account_identity.golden_versions(self.session, ever, former, self.settings.accounts)
            writer.write("golden_account_versions", was)

    def _write_accounts(self, writer: Writer, accounts: Accounts, customers: ir.Table) -> dict[str, Any]:
        ids = accounts.identities.rename(account_key="customer_key", account_id="customer_id")
        writer.write("account_identities", ids.order_by(["account_key", "record_key"]))
        made = account_identity.golden_accounts(self.session, accounts, self.settings.accounts, customers)
        found = writer.write("golden_accounts", made)
        return {"kept": accounts.kept.to_json(), **account_identity.counted(found, customers)}
