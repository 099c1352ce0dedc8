"""Traits of accounts: from files to account_traits and segments of accounts, held against plain Python."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.engines import on, on_every_engine

from segmentry.workspace import open_workspace

AS_OF = date(2026, 3, 31)
START = datetime(2025, 1, 1, 9)
CONFIG = """
version: 1
name: b2b
lifecycle_days: {new: 30, active: 90, lapsed: 200}
sources:
  companies:
    kind: accounts
    path: companies.csv
    id_space: crm
    columns: {account: id, account_name: name, parent: parent, industry: industry, employees: staff, founded: year,
              ownership: owner, stage: stage, technologies: runs, adoption_stage: adopts}
  people:
    kind: customers
    path: people.csv
    id_space: crm
    columns: {customer: id, email: mail, account: account, occupation: title}
  deals:
    kind: opportunities
    path: deals.csv
    id_space: crm
    columns: {opportunity: id, account: account, stage: stage, amount: amount, probability: chance,
              created_at: begun, closes_at: closes}
  orders:
    kind: transactions
    path: orders.csv
    id_space: crm
    columns: {customer: person, account: company, order: id, time: time, amount: amount}
  calls:
    kind: events
    path: calls.csv
    id_space: crm
    columns: {customer: person, account: company, time: time, name: "'call'"}
  spent:
    kind: costs
    path: spent.csv
    id_space: crm
    columns: {customer: person, account: company, time: time, type: type, amount: amount}
traits:
  won_lately: {of: account, from: opportunities, aggregate: sum(amount), where: "stage = 'won'", within: 200 days}
  open_deals: {of: account, from: opportunities, aggregate: count(), where: "stage not in ('won', 'lost')"}
  last_stage: {of: account, from: opportunities, aggregate: last(stage)}
  paid: {of: account, from: transactions, aggregate: sum(amount)}
  calls: {of: account, from: events, aggregate: count()}
  big_orders: {of: account, from: transactions, aggregate: count(), where: amount > account.average_order_value}
segmentations:
  kinds:
    method: rules
    unit: account
    segments: [{name: Big, where: "size_band in ('large', 'medium')"}, {name: Winning, where: "win_rate > 0.5"}]
    rest: Small
  worth: {method: rfm, unit: account}
  people: {method: rules, segments: [{name: Deciders, where: "buying_role = 'decider'"}], rest: Others}
"""
INDUSTRIES = {"technolgy": "Information and communication", "RETAIL": "Wholesale and retail trade",
              "Bank": "Financial and insurance activities", "Basket weaving": "Basket weaving", None: None}  # fmt: skip
TITLES = {"Managing Director": "decider", "Buyer": "buyer", "IT Manager": "influencer", "Poet": None, None: None}
RUNS = (None, "SAP, Shopify", "sap;Web Shop;", " Web Shop | SAP\nCRM, sap", ";", "Shopify")
STACKS = {None: None, ";": None, RUNS[1]: {"sap", "shopify"}, RUNS[2]: {"sap", "web shop"},
          RUNS[3]: {"sap", "web shop", "crm"}, "Shopify": {"shopify"}}  # fmt: skip
PARENTS = {2: 1, 3: 2, 4: 2, 6: 5, 8: 1}


def _crm(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Twelve firms, their people (P1 and P2 work for two of them), deals, orders and calls."""
    rng = random.Random(seed)
    firms = [
        {"id": f"A{i}", "name": f"Firm {i}", "parent": f"A{PARENTS[i]}" if i in PARENTS else None,
         "industry": rng.choice(list(INDUSTRIES)), "staff": rng.choice([None, 1, 9, 10, 49, 50, 249, 250, 9000]),
         "year": rng.choice([None, 1900, 2020, 2026]), "owner": rng.choice(["Ltd", "listed", None]),
         "stage": rng.choice(["Key account", "MQL", None]),
         "runs": RUNS[i % len(RUNS)], "adopts": ("Early Adopters", None, "nachzügler")[i % 3]}
        for i in range(1, 13)
    ]  # fmt: skip
    people = [
        {
            "id": f"P{i}",
            "mail": f"p{i}@example.com",
            "account": f"A{rng.randint(1, 11)}",
            "title": rng.choice(list(TITLES)),
        }
        for i in range(1, 25)
    ]
    for i in (0, 1):
        people[i]["account"] = "A1"
        people.append({**people[i], "account": "A7"})

    def moment() -> datetime:
        return START + timedelta(days=rng.randrange(520), minutes=rng.randrange(600))

    deals, orders, calls = [], [], []
    for i in range(140):
        begun = moment()
        stage = rng.choice(["Closed Won", "Closed Lost", "Proposal", "Prospecting"])
        closes = begun + timedelta(days=rng.randrange(1, 120)) if stage.startswith("Closed") or i % 3 else None
        deals.append({"id": f"D{i}", "account": rng.choice([None, *(f"A{n}" for n in range(1, 11))]), "stage": stage,
                      "amount": rng.choice([None, 1000.5, 20_000.0, 333.33]), "chance": rng.choice([None, 10, 50]),
                      "begun": begun, "closes": closes.date() if closes else None})  # fmt: skip
    for i in range(160):
        person = f"P{rng.randint(1, 24)}"
        said = rng.choice(["A1", "A7", None]) if person in ("P1", "P2") else None
        orders.append({"id": f"O{i}", "person": person, "company": said, "time": moment(),
                       "amount": rng.choice([5.0, 99.99, -20.0, 1250.0])})  # fmt: skip
        calls.append({"person": person, "company": said, "time": moment()})
    spent = []
    for _ in range(120):
        person = rng.choice([None, None, f"P{rng.randint(1, 24)}", "P1"])
        said = (
            rng.choice(["A1", "A7", None]) if person == "P1" else rng.choice([None, None, "A3"]) if not person else None
        )
        spent.append({"person": person, "company": said, "time": moment(), "amount": rng.choice([0.1, 20.0, 333.33]),
                      "type": rng.choice(["acquisition", "service", "retention"])})  # fmt: skip
    return {"companies": firms, "people": people, "deals": deals, "orders": orders, "calls": calls, "spent": spent}


def _written(folder: Path, crm: dict[str, list[dict[str, Any]]], engine: str = "duckdb") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in crm.items():
        pd.DataFrame(rows).astype(object).to_csv(folder / f"{name}.csv", index=False)
    (folder / "segmentry.yaml").write_text(on(engine, CONFIG), encoding="utf-8")
    return folder


def _reference(crm: dict[str, list[dict[str, Any]]], as_of: date) -> dict[str, dict[str, Any]]:
    works: dict[str, set[str]] = defaultdict(set)
    for person in crm["people"]:
        works[person["id"]].add(person["account"])

    def concerns(row: dict[str, Any]) -> str | None:
        return row["company"] or (next(iter(works[row["person"]])) if len(works[row["person"]]) == 1 else None)

    orders = [(concerns(o), o) for o in crm["orders"] if o["time"].date() <= as_of]
    calls = [(concerns(c), c["time"].date()) for c in crm["calls"] if c["time"].date() <= as_of]
    costs = _costs(crm, as_of, concerns, works)
    return {f["id"]: _of(f, crm, as_of, orders, calls, works) | costs[f["id"]] for f in crm["companies"]}


def _costs(crm: Any, as_of: date, concerns: Any, works: Any) -> dict[str, dict[str, float]]:
    """What each firm costs. Winning: a month's costs of nobody are shared by the people who bought first in it, else by
    all; serving and keeping: by order lines."""
    spent = [c for c in crm["spent"] if c["time"].date() <= as_of]
    sales = [o for o in crm["orders"] if o["time"].date() <= as_of and o["amount"] >= 0]
    begun: dict[str, Any] = {}
    for order in sorted(sales, key=lambda o: o["time"]):
        begun.setdefault(order["person"], (order["time"].year, order["time"].month))
    found = {
        f["id"]: dict.fromkeys(("acquisition_cost", "service_cost", "retention_cost"), 0.0) for f in crm["companies"]
    }
    for cost in spent:
        name = f"{cost['type']}_cost"
        if cost["person"] or cost["company"]:
            if (at := concerns(cost)) is not None:
                found[at][name] += cost["amount"]
            continue
        bearers = [concerns(o) for o in sales]
        if cost["type"] == "acquisition":
            won = [p for p, month in begun.items() if month == (cost["time"].year, cost["time"].month)] or list(works)
            bearers = [next(iter(works[p])) if len(works[p]) == 1 else None for p in won]
        for at in bearers:
            if at is not None:
                found[at][name] += cost["amount"] / len(bearers)
    return found


def _of(firm: dict[str, Any], crm: Any, as_of: date, orders: Any, calls: Any, works: Any) -> dict[str, Any]:
    name = firm["id"]
    below = {name}
    for _ in range(5):
        below |= {f["id"] for f in crm["companies"] if f["parent"] in below}
    deals = [d for d in crm["deals"] if d["begun"].date() <= as_of]
    mine = [d for d in deals if d["account"] == name]

    def over(deal: dict[str, Any]) -> bool:
        return deal["stage"].startswith("Closed") and deal["closes"] <= as_of

    def pipeline(of: Iterable[dict[str, Any]]) -> float:
        return sum(d["amount"] or 0 for d in of if not d["stage"].startswith("Closed"))

    won = [d for d in mine if over(d) and d["stage"] == "Closed Won"]
    lost = [d for d in mine if over(d) and d["stage"] == "Closed Lost"]
    worths = [d["amount"] for d in won if d["amount"] is not None]
    cycles = [(d["closes"] - d["begun"].date()).days for d in won]
    sales = [o for at, o in orders if at == name and o["amount"] >= 0]
    touched = [day for at, day in calls if at == name]
    last = max([o["time"].date() for o in sales] + [d["closes"] for d in won], default=None)
    roles = [TITLES[p["title"]] for p in crm["people"] if p["account"] == name]
    stage = "lead"
    if last:
        stage = "churned" if (as_of - last).days > 200 else "customer"
    elif len(mine) > len(won) + len(lost):
        stage = "opportunity"
    elif lost or touched:
        stage = "prospect"
    staff, stack = firm["staff"], STACKS[firm["runs"]]
    return {
        "industry": INDUSTRIES[firm["industry"]],
        "employees": staff,
        "size_band": None if staff is None else next(
            (n for end, n in ((10, "micro"), (50, "small"), (250, "medium")) if staff < end), "large"),
        "company_age_years": None if firm["year"] is None else as_of.year - firm["year"],
        "ownership": {"Ltd": "private company", "listed": "public company", None: None}[firm["owner"]],
        "stated_stage": {"Key account": "customer", "MQL": "lead", None: None}[firm["stage"]],
        "relationship_stage": stage,
        "group_role": "subsidiary" if firm["parent"] else "group head" if len(below) > 1 else "independent",
        "group_accounts": len(below),
        "group_monetary": sum(o["amount"] for at, o in orders if at in below),
        "group_pipeline_value": pipeline(d for d in deals if d["account"] in below),
        "opportunities": len(mine),
        "open_opportunities": len(mine) - len(won) - len(lost),
        "won_opportunities": len(won),
        "lost_opportunities": len(lost),
        "win_rate": len(won) / (len(won) + len(lost)) if won or lost else None,
        "pipeline_value": pipeline(mine),
        "expected_pipeline_value": sum(
            (d["amount"] or 0) * (d["chance"] or 0) / 100 for d in mine if not d["stage"].startswith("Closed")),
        "average_deal_value": sum(worths) / len(worths) if worths else None,
        "sales_cycle_days": sum(cycles) / len(cycles) if cycles else None,
        "contacts": len(roles),
        "deciders": roles.count("decider"),
        "buying_roles": len({r for r in roles if r}),
        "touchpoints_90d": sum((as_of - day).days < 90 for day in touched),
        "last_touchpoint_days": (as_of - max(touched)).days if touched else None,
        "stack_size": None if stack is None else len(stack),
        **{f"technology_{t.replace(' ', '_')}": stack and t in stack for t in ("sap", "web shop", "crm")},
        "adoption_stage": {"Early Adopters": "early adopter", "nachzügler": "laggard", None: None}[firm["adopts"]],
        "frequency": len(sales),
        "monetary": sum(o["amount"] for at, o in orders if at == name),
    }  # fmt: skip


def _rows(space: Any, table: str, key: str) -> dict[str, dict[str, Any]]:
    with space.reading() as reading:
        found = reading.session.con.to_pyarrow(reading.table("traits", table)).to_pylist()
    return {str(row[key]).removeprefix("crm:"): row for row in found}


@on_every_engine
def test_traits_of_accounts_are_those_of_a_plain_computation(tmp_path: Path, engine: str) -> None:
    crm = _crm(1)
    space = open_workspace(_written(tmp_path / "w", crm, engine))
    assert space.run(AS_OF) == {}
    found, expected = _rows(space, "account_traits", "account_id"), _reference(crm, AS_OF)
    assert found.keys() == expected.keys()
    for name, row in expected.items():
        for trait, value in row.items():
            got = found[name][trait]
            assert got == (pytest.approx(value, abs=1e-4) if isinstance(value, float) else value), (name, trait)
    with space.reading() as reading:
        kinds = reading.summary("kinds")
        big = {r["account_id"].removeprefix("crm:") for r in reading.members("Big")[2].to_pyarrow().to_pylist()}
        why = reading.explain("A1", "kinds")
        assert reading.members("Deciders")[2].count().execute() == sum(
            1 for p in {p["id"]: p for p in crm["people"]}.values() if TITLES[p["title"]] == "decider"
        )
    assert big == {name for name, row in expected.items() if row["size_band"] in ("large", "medium")}
    assert (kinds.unit, kinds.customers, why.customer_id) == ("account", 12, "crm:A1")
    assert '"account_traits"' in space.sql("kinds", "duckdb")
    space.run(AS_OF)  # nothing is due
    space.close()


def test_what_a_contact_of_two_accounts_does_reaches_only_the_account_that_it_concerns(tmp_path: Path) -> None:
    """Without a word on which account it concerns, it is neither's."""
    unknown = dict.fromkeys(("parent", "industry", "year", "owner", "stage", "runs", "adopts"))
    firms = [{"id": a, "name": a, "staff": 5, **unknown} for a in ("A1", "A7")]
    people = [{"id": "P1", "mail": "p1@example.com", "account": a, "title": "Buyer"} for a in ("A1", "A7")]
    said = [(datetime(2026, 1, 5), "A1"), (datetime(2026, 1, 6), "A7"), (datetime(2026, 1, 7), None)]
    orders = [{"id": f"O{i}", "person": "P1", "company": a, "time": t, "amount": 10.0 ** (i + 1)}
              for i, (t, a) in enumerate(said)]  # fmt: skip
    calls = [{"person": "P1", "company": a, "time": t} for t, a in said[:2] for _ in range(2 if a == "A7" else 1)]
    deal = {"id": "D", "account": "A7", "stage": "Won", "amount": 1, "chance": None, "begun": said[0][0],
            "closes": date(2026, 1, 9)}  # fmt: skip
    spent = [{"person": p, "company": a, "time": said[0][0], "type": "service", "amount": m}
             for p, a, m in (("P1", "A1", 1.0), ("P1", None, 2.0), (None, "A7", 4.0), (None, None, 9.0))]  # fmt: skip
    crm = {"companies": firms, "people": people, "orders": orders, "calls": calls, "deals": [deal], "spent": spent}
    space = open_workspace(_written(tmp_path / "w", crm))
    space.collect()
    space.resolve()
    space.traits(AS_OF)
    found = _rows(space, "account_traits", "account_id")
    told = ("monetary", "frequency", "touchpoints_90d", "won_opportunities", "contacts", "paid", "calls", "won_lately",
            "service_cost", "net_value", "cost_ratio")  # fmt: skip
    assert {a: tuple(row[t] for t in told) for a, row in found.items()} == {
        "A1": (10.0, 1, 1, 0, 1, 10.0, 1, 0.0, 1.0 + 3.0, 6.0, 0.4),
        "A7": (100.0, 1, 2, 1, 1, 100.0, 2, 1.0, 4.0 + 3.0, 93.0, 0.07),
    }
    person = _rows(space, "traits", "customer_id")["P1"]
    # Of the person it is all but what was spent on an organisation alone.
    assert (person["monetary"], person["service_cost"]) == (1110.0, 1.0 + 2.0 + 9.0)
    space.close()


def test_traits_of_accounts_do_not_depend_on_what_came_later(tmp_path: Path) -> None:
    crm = _crm(2)
    day = date(2025, 9, 30)
    earlier = dict(crm)
    earlier["orders"] = [o for o in crm["orders"] if o["time"].date() <= day]
    earlier["calls"] = [c for c in crm["calls"] if c["time"].date() <= day]
    # What the CRM said on that day: deals of today that had begun, those still open without their end.
    earlier["deals"] = [
        {**d, "stage": "open", "closes": None, "amount": None}
        if d["stage"].startswith("Closed") and d["closes"] > day else d
        for d in crm["deals"] if d["begun"].date() <= day
    ]  # fmt: skip
    found = []
    for name, files in (("all", crm), ("then", earlier)):
        space = open_workspace(_written(tmp_path / name, files))
        space.collect()
        space.resolve()
        space.traits(day)
        found.append(_rows(space, "account_traits", "account_id"))
        space.close()
    assert found[0] == found[1]
    assert {row["won_lately"] for row in found[0].values()} > {0.0}
