"""How far what was found in the demo company is from what was planted in it.

Every figure is counted in the engine over all customers; :func:`compare` gives sentences with the numbers in them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
from ibis.backends.duckdb import Backend

from segmentry import engine
from segmentry.catalogue import member
from segmentry.data import ids
from segmentry.data.ids import DEFAULT_SPACE
from segmentry.data.simulation.plan_crm import ADOPTION_RIGHT, NOTED, TECHNOLOGIES
from segmentry.data.simulation.plan_people import ATTITUDES
from segmentry.placement import NO_DATA, NO_GOOD_FIT
from segmentry.stats.stability import adjusted_rand_of_counts

PERSONS = "truth/persons.csv"


@dataclass(frozen=True)
class _System:
    """A system that knows people: its export, the truth about whose each record is, and which columns say who.

    ``id_space`` is that of ``number``; a record without one is known by ``email``, then by ``phone`` and ``name``.
    """

    file: str
    truth: str
    record: str
    number: str = ""
    id_space: str = DEFAULT_SPACE
    email: str = ""
    phone: str = ""
    name: str = ""


_SURVEYS = "truth/records_survey.csv"
_SYSTEMS = (
    _System("shop/customers.csv", "truth/records_shop.csv", "customer_id", "customer_id"),
    _System("crm/contacts.csv", "truth/records_crm.csv", "Id", "Id", "crm"),
    _System("newsletter/subscribers.csv", "truth/records_newsletter.csv", "EUID", email="Email Address"),
    _System("support/tickets.csv", "truth/records_support.csv", "id", "customer_number", email="requester_email",
            phone="requester_phone", name="requester_name"),
    _System("surveys/attitudes_and_needs.csv", _SURVEYS, "ResponseId", "ExternalReference", email="RecipientEmail"),
    _System("surveys/importance_satisfaction.csv", _SURVEYS, "Respondent ID", "Custom Data 1", email="Email Address"),
    _System("surveys/nps.csv", _SURVEYS, "#", "customer_id", email="email"),
)  # fmt: skip
# Whose account a record is, by system; the ledger's own name for a firm says nothing of the account.
_ACCOUNT_RECORDS = "truth/records_accounts.csv"
_ACCOUNT_SPACES = {"crm": "crm", "ledger": "ledger"}
# Planted and in the exports, but no stage looks for it yet.
NOT_LOOKED_FOR = (
    "who answers which offer",
    "the effect of the e-mail, group by group",
    "the price rise and the segment born in month 15",
)
_FUTURE = "clv_365d"
_LARGEST = 1e6  # spend of a year that nobody reaches
_TOP = 0.2  # the share of customers that people usually call the best


@dataclass(frozen=True)
class Distance:
    """One thing that was planted, what was found of it, and what a perfect answer would be."""

    planted: str
    found: str
    score: float  # 1 is the truth
    perfect: float = 1.0
    figures: Mapping[str, float] = field(default_factory=dict)  # of the sentence, by name, where a program needs them


def records_of_people(con: Backend, exports: Path) -> ir.Table:
    """As whom people are known: ``person``, and each ``id_space`` and ``source_id`` that a system has of them.

    A record that says nothing of who it is from (an anonymous answer) is nobody's.
    """
    return ibis.union(*(_known_as(con, exports, system) for system in _SYSTEMS), distinct=True)


def _known_as(con: Backend, exports: Path, system: _System) -> ir.Table:
    truth = con.read_csv(exports / system.truth, all_varchar=True).select("person", record="record_id")
    rows = con.read_csv(exports / system.file, all_varchar=True)
    nothing = ibis.null("string")
    number, email, phone, name = (
        rows[column] if column else nothing for column in (system.number, system.email, system.phone, system.name)
    )
    address, called = ids.email_id(email), ids.phone_id(phone, name)
    known = rows.select(
        record=system.record,
        id_space=ibis.cases(
            (number.notnull(), system.id_space),
            (address.notnull(), ids.EMAIL_SPACE),
            (called.notnull(), ids.PHONE_SPACE),
        ),
        source_id=ibis.coalesce(number, address, called),
    )
    joined = truth.join(known.filter(known["source_id"].notnull()), "record")
    return joined.select("person", "id_space", "source_id")


def compare(
    persons: ir.Table,
    records: ir.Table,
    identities: ir.Table,
    traits: ir.Table,
    placed: Mapping[str, ir.Table],
    value_trait: str | None,
) -> tuple[Distance, ...]:
    """Hold customers and segments against the truth.

    ``persons`` is truth/persons.csv, ``records`` is :func:`records_of_people`; ``identities``, ``traits`` and
    ``placed`` (memberships by segmentation) are the current tables.
    """
    known = persons.inner_join(traits, "customer_id")
    found = [_people(records, identities)]
    if "lifecycle_stage" in traits.columns:
        found.append(_lapsed(known))
    if attitudes := {name: f"scale_{name}" for name in ATTITUDES if f"scale_{name}" in traits.columns}:
        found.append(_attitudes(known, attitudes))
    if "csat" in traits.columns:
        found.append(_content(known))
    ranked_by = _FUTURE if _FUTURE in traits.columns else value_trait
    if ranked_by is not None:
        found.append(_best(known, ranked_by))
    groups = persons.group_by("behaviour_group").agg(n=persons.count()).count().to_pyarrow().as_py()
    for name, members in placed.items():
        counts = (
            persons.inner_join(members, "customer_id").group_by(["behaviour_group", "segment"]).agg(n=ibis._.count())
        )
        table = counts.to_pandas().pivot_table(index="behaviour_group", columns="segment", values="n", fill_value=0)
        score = adjusted_rand_of_counts(table.to_numpy(dtype=np.float64))
        proper = [s for s in table.columns if s not in (NO_DATA, NO_GOOD_FIT)]
        others = "".join(f" and {s!r}" for s in table.columns if s not in proper)
        segments = f"{len(proper)} segments of {name}{others} against {groups} behaviour groups"
        found.append(Distance("who buys alike", f"{segments}: adjusted Rand index {score:.2f}", score))
    return tuple(found)


def compare_accounts(
    con: Backend, exports: Path, identities: ir.Table, accounts: ir.Table, customers: ir.Table
) -> tuple[Distance, ...]:
    """Hold organisations against the truth: their records, their parents, and the customers that belong to them.

    ``identities`` is the table account_identities; ``accounts`` and ``customers`` are the golden ones.
    """
    records, numbered = _account_records(con, exports, identities)
    keys = _keys(numbered)
    found = _joined_accounts(records, numbered)
    return (found, _parents(con, exports, keys, accounts), _contacts(con, exports, keys, customers))


def compare_stacks(con: Backend, exports: Path, identities: ir.Table, account_traits: ir.Table) -> tuple[Distance, ...]:
    """Hold the technologies of organisations against the truth, and how early they take up what is new."""
    _, numbered = _account_records(con, exports, identities)
    planted = con.read_csv(exports / "truth/accounts.csv").select(
        "account", "early", "technologies", true="adoption_stage"
    )
    known = planted.join(_keys(numbered), "account").join(account_traits, "account_key")
    return (_technologies(known), _adoption(known))


def _account_records(con: Backend, exports: Path, identities: ir.Table) -> tuple[ir.Table, ir.Table]:
    """Whose account each record is, and the same with the account that was found."""
    records = con.read_csv(exports / _ACCOUNT_RECORDS)
    records = records.mutate(id_space=records["system"].substitute(_ACCOUNT_SPACES), source_id="record_id")
    return records, records.join(identities, ["id_space", "source_id"])


def _keys(numbered: ir.Table) -> ir.Table:
    return numbered.filter(numbered["id_space"] == "crm").select("account", "account_key")


def _technologies(known: ir.Table) -> Distance:
    """What organisations were found to run, of the technologies that are traits, against what they run."""
    traits = {member("technology_*", t.name).name: t.name for t in TECHNOLOGIES}
    told = known.filter(known["stack_size"].notnull())
    runs = ibis.literal(";") + told["technologies"] + ";"
    counts: dict[str, ir.Value] = {"accounts": told.count()}
    for i, (trait, name) in enumerate((t, n) for t, n in traits.items() if t in told.columns):
        true, found = runs.contains(f";{name};"), told[trait]
        counts |= {f"true_{i}": true.sum(), f"found_{i}": found.sum(), f"both_{i}": (true & found).sum()}
    row = _row(told.agg(**counts))
    true, found, both = (sum(v or 0 for k, v in row.items() if k.startswith(p)) for p in ("true", "found", "both"))
    precision, recall = both / max(found, 1), both / max(true, 1)
    text = (
        f"of the technologies of {row['accounts']:,} organisations that sales people asked, {precision:.1%} of those "
        f"found are in use and {recall:.1%} of those in use were found, where {NOTED:.0%} were noted"
    )
    return Distance("what organisations run", text, _f1(precision, recall), _f1(1.0, NOTED))


def _adoption(known: ir.Table) -> Distance:
    """The adopter groups that sales people noted against the true ones, and what the number of technologies tells."""
    told = known["adoption_stage"].notnull()
    right = (known["adoption_stage"] == known["true"].lower()).sum()
    ranked = known.filter(known["stack_size"].notnull()).select("account_key", "early", "stack_size")
    ranked = ranked.mutate(a=_mean_rank(ranked, "early"), b=_mean_rank(ranked, "stack_size"))
    row = _row(known.agg(told=told.sum(), right=right)) | _row(
        ranked.agg(alike=ranked["a"].corr(ranked["b"], how="pop"))
    )
    score = (row["right"] or 0) / max(row["told"] or 0, 1)
    text = (
        f"{score:.0%} of the {row['told'] or 0:,} adopter groups that are noted are right, where {ADOPTION_RIGHT:.0%} "
        f"were planted so; rank correlation of how early organisations adopt with the technologies they are known to "
        f"run {row['alike'] or 0.0:.2f}"
    )
    return Distance("how early organisations adopt", text, score, ADOPTION_RIGHT)


def _joined_accounts(records: ir.Table, numbered: ir.Table) -> Distance:
    """Pairs of records that were joined against pairs that are one organisation."""
    both = _pairs(numbered, ["account", "account_key"])
    precision = both / max(_pairs(numbered, ["account_key"]), 1)
    true = max(_pairs(records, ["account"]), 1)
    most = _pairs(records.filter(records["same_name"]), ["account"]) / true
    recall = both / true
    text = (
        f"of the pairs of records in CRM and ledger that were joined {precision:.1%} are one firm; of those that are "
        f"one {recall:.1%} were joined, where {most:.1%} are written with the same name"
    )
    return Distance("which organisations are one", text, _f1(precision, recall), _f1(1.0, most))


def _parents(con: Backend, exports: Path, keys: ir.Table, accounts: ir.Table) -> Distance:
    """The parents that were found against those that were planted; all of them are in the CRM."""
    planted = (
        con.read_csv(exports / "truth/accounts.csv").filter(ibis._["parent"].notnull()).select("account", "parent")
    )
    planted = planted.join(keys, "account")
    above = keys.select(parent="account", true_parent="account_key")
    planted = planted.join(above, "parent").select("account_key", "true_parent").distinct()
    ids = accounts.select(parent_id="account_id", parent_key="account_key")
    found = accounts.filter(accounts["parent_id"].notnull()).select("account_key", "parent_id").join(ids, "parent_id")
    right = found.join(planted, "account_key").filter(ibis._["parent_key"] == ibis._["true_parent"])
    n, known, true = (int(t.count().to_pyarrow().as_py()) for t in (right, found, planted))
    precision, recall = n / max(known, 1), n / max(true, 1)
    text = f"{precision:.1%} of {known:,} parents that were found are right, {recall:.1%} of {true:,} were found"
    return Distance("who owns whom", text, _f1(precision, recall))


def _contacts(con: Backend, exports: Path, keys: ir.Table, customers: ir.Table) -> Distance:
    """The accounts of customers against the truth, and for how many of them any record gives it away."""
    persons = con.read_csv(exports / PERSONS).select("customer_id", "person", "account")
    working = persons.filter(persons["account"].notnull())
    found = persons.join(customers.filter(customers["account_key"].notnull()), "customer_id", rname="{name}_stated")
    right = found.join(keys.select(true_key="account_key", account="account"), "account")
    right = right.filter(right["account_key"] == right["true_key"])
    n, known, true = (int(t.count().to_pyarrow().as_py()) for t in (right, found, working))
    precision, recall, most = n / max(known, 1), n / max(true, 1), _given_away(con, exports, working) / max(true, 1)
    text = (
        f"{precision:.1%} of {known:,} customers are with the right organisation; {recall:.1%} of {true:,} who work "
        f"for one are, where a record gives {most:.1%} away"
    )
    return Distance("for which organisation a customer works", text, _f1(precision, recall), _f1(1.0, most))


def _given_away(con: Backend, exports: Path, working: ir.Table) -> int:
    """How many of those who work for an account have a contact in the CRM, or an address at the account's domain."""
    contacts = con.read_csv(exports / "truth/records_crm.csv").select("person").distinct()
    sites = con.read_csv(exports / "crm/accounts.csv").select(account="Id", host=ibis._["Website"].split("www.")[-1])
    shop = con.read_csv(exports / "shop/customers.csv").select("customer_id", "email")
    mailed = working.join(sites, "account").join(shop, "customer_id")
    mailed = mailed.filter(mailed["email"].lower().endswith(ibis.literal("@") + mailed["host"]))
    return int(working.semi_join(contacts, "person").select("person").union(
        mailed.select("person"), distinct=True
    ).count().to_pyarrow().as_py())  # fmt: skip


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / max(precision + recall, 1e-9)


def _people(records: ir.Table, identities: ir.Table) -> Distance:
    """Pairs of records that were joined against pairs that are one person (pairwise precision and recall)."""
    owned = records.join(identities, ["id_space", "source_id"])
    people, rows = (int(n.to_pyarrow().as_py()) for n in (records["person"].nunique(), records.count()))
    customers = int(owned["customer_key"].nunique().to_pyarrow().as_py())
    both = _pairs(owned, ["person", "customer_key"])
    precision = both / max(_pairs(owned, ["customer_key"]), 1)
    recall = both / max(_pairs(records, ["person"]), 1)
    text = (
        f"{customers:,} customers for {people:,} people known by {rows:,} ids; of the pairs of ids that were joined "
        f"{precision:.1%} are one person, of those that are one {recall:.1%} were joined"
    )
    return Distance("who the customers are", text, _f1(precision, recall))


def _pairs(rows: ir.Table, same: list[str]) -> int:
    sizes = rows.group_by(same).agg(n=rows.count())
    return int(sizes.agg(pairs=(sizes["n"] * (sizes["n"] - 1)).sum()).to_pyarrow()["pairs"][0].as_py() or 0) // 2


def _lapsed(known: ir.Table) -> Distance:
    """The stage 'lapsed' against who really has stopped buying; those who never bought are in neither."""
    bought = known.filter(known["activity"] != "never active")
    gone, called = bought["activity"] == "lapsed", bought["lifecycle_stage"] == "lapsed"
    row = _row(bought.agg(gone=gone.sum(), called=called.sum(), both=(gone & called).sum()))
    precision, recall = row["both"] / max(row["called"], 1), row["both"] / max(row["gone"], 1)
    text = f"{recall:.0%} of {row['gone']:,} who have left are called lapsed; {precision:.0%} of those so called have"
    return Distance("who has left", text, _f1(precision, recall))


def _attitudes(known: ir.Table, scales: Mapping[str, str]) -> Distance:
    """How far the scores of respondents go with the attitudes that their answers were drawn from."""
    row = _row(known.agg(**{name: known[name].corr(known[scale], how="pop") for name, scale in scales.items()}))
    found = {name: float(row[name] or 0.0) for name in scales}
    score = sum(found.values()) / len(found)
    told = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in found.items())
    answered = int(known[next(iter(scales.values()))].count().to_pyarrow().as_py())
    text = f"correlation of the scores of {answered:,} respondents with what they think: {told}"
    return Distance("what customers think", text, score)


def _content(known: ir.Table) -> Distance:
    """How far the satisfaction that customers state after a ticket goes with the one that was planted."""
    row = _row(known.agg(n=known["csat"].count(), alike=known["csat"].corr(known["satisfaction"], how="pop")))
    score = float(row["alike"] or 0.0)
    text = (
        f"correlation of the satisfaction (CSAT) that {row['n']:,} customers stated after a ticket with how satisfied "
        f"they are with the company: {score:.2f}"
    )
    return Distance("how satisfied customers are", text, score)


def _best(known: ir.Table, value_trait: str) -> Distance:
    """What the best fifth by a trait will spend next year, against the fifth that an oracle would choose.

    The oracle knows everybody's own pace and basket; errors are two standard errors over customers: of the ratio by the
    delta method, of the rank correlation (Spearman) as Bonett & Wright 2000 have it.
    """
    n = int(known.count().to_pyarrow().as_py())
    future = known["expected_spend_365d"].cast("float64")
    trait = ibis.coalesce(known[value_trait].cast("float64"), -_LARGEST)  # nothing known comes last
    rows = known.select("customer_id", future=future, trait=trait)
    orders = [[ibis.desc(c), ibis.asc("customer_id")] for c in ("trait", "future")]
    mine, oracle = ((ibis.row_number().over(order_by=by) < int(n * _TOP)).ifelse(1.0, 0.0) for by in orders)
    ranks = {f"rank_{c}": _mean_rank(rows, c) / n - 0.5 for c in ("trait", "future")}
    rows = rows.mutate(mine=mine, oracle=oracle, **ranks)
    parts = {name: rows[name] * rows["future"] for name in ("mine", "oracle")}
    sums = {name: engine.exact_sum(part, _LARGEST) for name, part in parts.items()}
    a, b = rows["rank_trait"], rows["rank_future"]
    products = {"ab": a * b, "aa": a * a, "bb": b * b}
    sums |= {name: engine.exact_sum(value, 1.0) for name, value in products.items()}
    row = _row(rows.agg(every=engine.exact_sum(rows["future"], _LARGEST), **sums))
    ratio = row["mine"] / row["oracle"]
    off = parts["mine"] - ratio * parts["oracle"]
    squares = _row(rows.agg(squares=engine.exact_sum(off * off, _LARGEST**2)))["squares"]
    error = 2 * math.sqrt(squares) / row["oracle"]
    alike = row["ab"] / math.sqrt(row["aa"] * row["bb"]) if row["aa"] * row["bb"] else 0.0
    spread = 2 * (1 - alike**2) * math.sqrt((1 + alike**2 / 2) / (n - 3))
    shares = [row[name] / row["every"] for name in ("mine", "oracle")]
    words = value_trait.replace("_", " ")
    text = (
        f"the best {_TOP:.0%} by {words} will bring {shares[0]:.0%} of next year's spend, {ratio:.1%} +- {error:.1%} "
        f"of what those chosen by an oracle will ({shares[1]:.0%}); rank correlation with that spend {alike:.2f} +- "
        f"{spread:.2f}"
    )
    return Distance("who will be worth most", text, ratio)


def _mean_rank(rows: ir.Table, column: str) -> ir.FloatingValue:
    """Rank from 0.5 up, the mean of their places for equals."""
    alike = rows.count().over(group_by=column)
    return ibis.rank().over(order_by=ibis.asc(column)).cast("float64") + alike.cast("float64") / 2


def _row(table: ir.Table) -> dict[str, Any]:
    return dict(table.to_pyarrow().to_pylist()[0])
