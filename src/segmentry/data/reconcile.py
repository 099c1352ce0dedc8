"""From raw rows to customers in one table: where every row went and how much money it stood for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir

from segmentry.data.manifest import Entry, Manifest
from segmentry.tables import TABLES
from segmentry.wording import agree

LINE_KINDS = ("sale", "return", "charge")  # of customers
_LEAD = "lead"  # of nobody yet


@dataclass(frozen=True)
class Step:
    """One line of a reconciliation.

    ``level`` 0 is a total, 1 a part of the total above it, 2 and 3 parts of those. ``rows`` are rows of the source
    (of the table, for what they became where a row of the file holds several records),
    ``customers`` distinct customers, ``amount`` money; each None where it does not apply. ``share`` is the amount as a
    share of the source's total amount.
    """

    label: str
    level: int
    rows: int | None = None
    customers: int | None = None
    amount: float | None = None
    share: float | None = None


@dataclass(frozen=True)
class Reconciliation:
    """Where the rows of one source went."""

    source: str
    kind: str
    files: int
    steps: tuple[Step, ...]
    caveats: tuple[str, ...] = ()


def customers_by_source(rows: Mapping[str, ir.Table], owners: ir.Table | None = None) -> dict[str, dict[str, int]]:
    """Distinct customers of every source: in all, and by line kind for transactions.

    With ``owners``, the customers that belong to accounts, also how many accounts transactions have, on how many rows.
    """
    found: dict[str, dict[str, int]] = {}
    for name, table in rows.items():
        if "customer_key" not in table.columns:
            continue
        counts = {"all": table["customer_key"].nunique()}
        if "line_kind" in table.columns:
            for kind in LINE_KINDS:
                counts[kind] = table["customer_key"].nunique(where=table["line_kind"] == kind)
        found[name] = table.agg(**counts).to_pyarrow().to_pylist()[0]
        if owners is not None and "line_kind" in table.columns:
            own = table.join(owners.select("customer_key", own_account="account_key"), "customer_key")
            belonging = own.agg(accounts=own["own_account"].nunique(), account_rows=own.count())
            found[name] |= belonging.to_pyarrow().to_pylist()[0]
    return found


def reconcile(manifest: Manifest, customers: Mapping[str, Mapping[str, int]]) -> tuple[Reconciliation, ...]:
    """The table from raw rows to customers, source by source."""
    names = dict.fromkeys(e.source for e in manifest.entries)
    return tuple(
        _source(name, [e for e in manifest.entries if e.source == name], customers.get(name, {})) for name in names
    )


def anonymous_share(manifest: Manifest) -> float | None:
    """Share of the net amount of all transactions that no customer stands behind; None without transactions."""
    groups = [g for e in manifest.entries for g in e.kinds]
    total = sum(g["amount"] or 0.0 for g in groups)
    if not groups or total == 0:
        return None
    return sum(g["amount"] or 0.0 for g in groups if g["anonymous"]) / total


def caveats(manifest: Manifest, missing_files: Iterable[str]) -> list[str]:
    """What a reader of any figure should know about the data, in sentences."""
    found = [f"{e.file}: {text.rstrip('.')}." for e in manifest.entries for text in e.caveats]
    repaired = Counter[tuple[str, str, str]]()
    for entry in manifest.entries:
        for r in entry.repairs:
            repaired[entry.source, r["file"], r["reason"]] += r["rows"]
    for entry in manifest.entries:
        for reason, rows in entry.reasons.items():
            # Versions of one file: what was repaired is taken off the oldest first.
            fixed = min(rows, repaired[entry.source, entry.file, reason])
            repaired[entry.source, entry.file, reason] -= fixed
            if rows > fixed:
                told = agree(rows - fixed, "{n} [row is|rows are] in quarantine")
                found.append(f"{entry.file}: {told}: {reason}.")
        if entry.duplicates:
            told = agree(
                entry.duplicates, "{n} [row was there already and counts|rows were there already and count] once."
            )
            found.append(f"{entry.file}: {told}")
    found += [f"{name} is no longer there; the rows collected from it stay." for name in missing_files]
    return found


def reasons(entries: Iterable[Entry]) -> dict[str, int]:
    """Why records of these files are in quarantine, with how many; those that were repaired are taken off."""
    found = Counter[str]()
    for entry in entries:
        found.update(entry.reasons)
        for r in entry.repairs:
            found[r["reason"]] -= r["rows"]
    return {reason: n for reason, n in sorted(found.items()) if n > 0}


def share(part: int, whole: int) -> float:
    """``part`` of ``whole``, 0 where there is no whole."""
    return part / whole if whole else 0.0


def _source(name: str, entries: Sequence[Entry], customers: Mapping[str, int]) -> Reconciliation:
    current = sum(e.kept for e in entries)
    replaced, closed = sum(e.replaced for e in entries), sum(e.closed for e in entries)
    kept = current + replaced + closed
    duplicates = sum(e.duplicates for e in entries)
    quarantined = sum(e.quarantined for e in entries)
    groups = [g for e in entries for g in e.kinds]
    total = sum(g["amount"] or 0.0 for g in groups) if groups else None
    steps = [Step("rows read", 0, rows=kept + duplicates + quarantined)]
    steps.append(Step("the same record again, counted once", 1, rows=duplicates))
    steps.append(Step("in quarantine", 1, rows=quarantined))
    steps += [Step(reason, 2, rows=rows) for reason, rows in reasons(entries).items()]
    who = customers.get("all") if "customer" in TABLES[entries[0].kind] else None  # products and places are nobody's
    steps.append(Step("kept", 1, rows=kept, customers=who, amount=total, share=1.0 if total else None))
    if replaced or closed:
        steps.append(Step("replaced by a later record of the same key", 2, rows=replaced))
        steps.append(Step("gone at the source", 2, rows=closed))
        steps.append(Step("known today", 2, rows=current))
    if any(e.made is not None for e in entries):
        steps.append(Step(f"{entries[0].kind} that they became", 2, rows=sum(e.brought for e in entries)))
    if customers.get("accounts"):
        text = agree(customers["accounts"], "of {n} [account|accounts]")
        steps.append(Step(text, 2, rows=customers["account_rows"]))
    if groups:
        for anonymous in (False, True):
            steps += _side(groups, anonymous, total or 0.0, customers)
    return Reconciliation(name, entries[0].kind, len({e.file for e in entries}), tuple(steps))


def _side(
    groups: Sequence[Mapping[str, Any]], anonymous: bool, total: float, customers: Mapping[str, int]
) -> Iterator[Step]:
    mine = [g for g in groups if g["anonymous"] == anonymous]
    if not mine:
        return
    words = {
        "sale": "sales",
        "return": "returns and cancellations",
        "charge": "postage, fees and adjustments",
        _LEAD: "leads: no account yet, and no purchase",
    }
    label = "without a customer" if anonymous else "of known customers"
    yield _sum(label, 2, mine, total, None if anonymous else customers.get("all"))
    for kind in (*LINE_KINDS, _LEAD):
        same = [g for g in mine if g["kind"] == kind]
        if same:
            yield _sum(words[kind], 3, same, total, None if anonymous else customers.get(kind))


def _sum(label: str, level: int, groups: Sequence[Mapping[str, Any]], total: float, customers: int | None) -> Step:
    amount = sum(g["amount"] or 0.0 for g in groups)
    rows = sum(g["rows"] for g in groups)
    return Step(label, level, rows=rows, customers=customers, amount=amount, share=amount / total if total else None)
