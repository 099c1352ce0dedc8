"""No leakage from the future: whatever is added after the as-of date, no trait of the catalogue changes.

All families of customers and of accounts are there before and after; so are the models that traits are learned from.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from event_reference import ANDROID_APP, EVENTS, IPHONE, random_events
from ibis.backends.duckdb import Backend
from survey_reference import RESPONSES, planted, sheet
from test_catalogue import _SURVEY, FIRMS, _lifetime
from test_theme_traits import FRAMES, PLANTED
from trait_reference import COSTS, CUSTOMERS, PRODUCTS, TRANSACTIONS, Row, by_key, random_lines, table

from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS, declared_as
from segmentry.config import Attribute, Survey
from segmentry.declaration import DeclaredTrait
from segmentry.traits import Facts, Organisations, Settings, TraitTable, accounts, compute, definitions

AS_OF = date(2024, 1, 31)
END = datetime(2024, 1, 31, 23, 59, 59)
PEOPLE = range(1, 131)
SETTINGS = Settings(
    surveys={
        "voice": Survey.model_validate(_SURVEY),
        "values": Survey.model_validate({"scales": {"thrift": {"items": ["V1", "V2", "V3"], "reverse": ["V3"]}}}),
    }
)
ACCOUNTS = {
    **FIRMS,
    "level": pa.int64(),
    "founded": pa.int64(),
    "revenue": pa.float64(),
    "joined_at": pa.timestamp("us"),
}
DEALS = {
    "amount": pa.float64(),
    "probability": pa.float64(),
    "created_at": pa.timestamp("us"),
    "closes_at": pa.date32(),
}


def _golden() -> list[Row]:
    rng = random.Random(1)
    return [
        {
            "customer_key": key, "customer_id": f"C{key}", "joined_at": datetime(2022, 12, 1),
            "birth_date": date(1950 + key % 50, 3, 1), "gender": rng.choice(["F", "m"]),
            "income": rng.choice([20_000.0, 40_000.0, 90_000.0]), "education": "master", "marital_status": "single",
            "household_size": 2, "children": 1, "occupation": rng.choice(["Buyer", "Managing Director"]),
            "role": "user", "language": "en", "country": "GB", "region": "London", "city": "London",
            "postcode": "SE1 7AB", "latitude": 51.5 + key / 1000, "longitude": -0.1, "density": 2000.0,
            "area_type": "urban", "acquisition_channel": rng.choice(["web", "fair"]), "value": 1.0,
            "account_key": key % 5, "account": f"A{key % 5}",
        }
        for key in PEOPLE
    ]  # fmt: skip


def _answers(day: datetime, people: Sequence[int], seed: int) -> list[Row]:
    """Everything that surveys ask; of each customer something else."""
    rng = random.Random(seed)
    voice = {
        key: {
            "B1": rng.choice("AB"), "W1": "C", "I": str(rng.randint(0, 10)), "S": str(rng.randint(0, 10)),
            "N": str(rng.randint(0, 10)), "C": str(rng.randint(1, 5)), "E": str(rng.randint(1, 7)),
            "Q": rng.choice(["Habit", "Price"]),
        }
        for key in people
    }  # fmt: skip
    values = {key: {f"V{i}": str(rng.randint(1, 5)) for i in (1, 2, 3)} for key in people}
    agree = ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"]
    style = {key: {f"A{i}": rng.choice(agree) for i in range(1, 6)} for key in people}
    return [
        *sheet(voice, survey="voice", time=day),
        *sheet(values, survey="values", time=day),
        *sheet(style, survey="style", time=day),
    ]


def _tickets(day: datetime, people: Sequence[int], seed: int, words: Sequence[str]) -> list[Row]:
    rng = np.random.default_rng(seed)
    return [
        {"customer_key": key, "time": day, "name": "ticket", "channel": "web",
         "text": FRAMES["en"].format(*rng.choice(words[int(rng.integers(len(words)))].split(), 3, replace=False))}
        for key in people
    ]  # fmt: skip


def _lately(rows: Sequence[Row], until: datetime = END) -> list[Row]:
    return [row for row in rows if row["time"] <= until]


def _before() -> dict[str, list[Row]]:
    lines = [{**line, "customer_key": (line["customer_key"] or 0) + 1} for line in _lately(random_lines(5))]
    seen = [{**row, "properties": json.dumps({"category": "Tea"})} for row in _lately(random_events(5))]
    tickets = _tickets(datetime(2023, 9, 1), PEOPLE, 1, list(PLANTED["en"].values()))
    costs = [{"customer_key": key, "time": datetime(2023, 5, 1), "type": t, "amount": 3.0, "channel": "web"}
             for key in PEOPLE[:20] for t in ("acquisition", "service", "retention")]  # fmt: skip
    answers = [*_answers(datetime(2023, 8, 1), PEOPLE, 2), *({**r, "survey": "club"} for r in planted(120))]
    day = datetime(2023, 8, 1)
    return {
        "transactions": lines,
        "events": seen + tickets,
        "responses": [{"time": day, **row, "source": "s", "file": "f", "line": i} for i, row in enumerate(answers)],
        "costs": costs,
    }


def _later(seed: int) -> dict[str, list[Row]]:
    """Rows after the as-of date: the same people and nobody, usual and never seen values, a minute or a year later."""
    rng = random.Random(seed)

    def when() -> datetime:
        return END + rng.choice([timedelta(seconds=1), timedelta(days=3), timedelta(days=400)])

    keys = [rng.choice([None, *PEOPLE]) for _ in range(120)]
    lines = [
        {"customer_key": key, "order": f"N{i}", "time": when(), "amount": rng.choice([1e7, 3.0, -40.0]),
         "quantity": 9.0, "product": rng.choice(["P1", "new"]), "category": rng.choice(["Tea", "Zebras"]),
         "discount": 2.0, "cost": 0.5,
         "channel": rng.choice(["web", "kiosk"]), "country": "FR",
         "line_kind": rng.choice(["sale", "return", "charge"])}
        for i, key in enumerate(keys)
    ]  # fmt: skip
    names = ["Product Viewed", "Email Opened", "Email Clicked", "Email Delivered", "Zebra Seen"]
    seen = [
        {"customer_key": key, "time": when(), "name": rng.choice(names), "channel": rng.choice(["web", "app", "fax"]),
         "user_agent": rng.choice([IPHONE, ANDROID_APP]), "app_version": "99.0",
         "properties": json.dumps({"category": rng.choice(["Cups", "Zebras"])})}
        for key in keys
    ]  # fmt: skip
    tickets = _tickets(END + timedelta(days=1), PEOPLE, seed, ["zebra zebras stripes savanna grass hooves"])
    costs = [{"customer_key": key, "time": when(), "type": rng.choice(["acquisition", "service", "retention"]),
              "amount": 1e6, "channel": "web"} for key in keys]  # fmt: skip
    answers = [*_answers(when(), PEOPLE, seed), *({**r, "survey": "club", "time": when()} for r in planted(120, seed))]
    return {
        "transactions": lines,
        "events": seen + tickets,
        "responses": [{**row, "source": "s", "file": "g", "line": i} for i, row in enumerate(answers)],
        "costs": costs,
    }


def _facts(con: Backend, rows: dict[str, list[Row]]) -> Facts:
    types: dict[str, dict[str, Any]] = {"events": EVENTS, "responses": RESPONSES, "costs": COSTS}
    firms = [{"account_key": n, "industry": "Retail", "employees": 5 * n} for n in range(5)]
    stores = [{"store": "S1", "latitude": 51.0, "longitude": 0.0}]
    return Facts(
        table(con, "golden_customers", _golden(), {**CUSTOMERS, "account_key": pa.int64(), "density": pa.float64()}),
        table(con, "transactions", rows["transactions"], TRANSACTIONS),
        table(con, "products", [{"product": "P1", "category": "Tea", "unit_cost": 2.0}], PRODUCTS),
        {name: table(con, name, rows[name], of) for name, of in types.items()},
        table(con, "golden_accounts", firms, FIRMS),
        table(con, "stores", stores, {"latitude": pa.float64(), "longitude": pa.float64()}),
    )


def _families(made: TraitTable) -> set[str]:
    return {declared_as(t.name) for t in made.traits}


def _both(before: dict[str, list[Row]], later: dict[str, list[Row]]) -> dict[str, list[Row]]:
    return {name: [*later[name], *rows] for name, rows in before.items()}


def test_no_trait_of_a_customer_changes_by_what_comes_later(con: Backend):
    learned = {"lifetime": _lifetime()}
    made = compute(_facts(con, _before()), AS_OF, SETTINGS, learned=learned)
    first, models = by_key(made), {name: model.model for name, model in made.learned.items()}
    assert set(TRAITS) - _families(made) == set(), "every family of the catalogue is tried"
    assert models.keys() == {"lifetime", "factors", "benefits", "themes"}
    again = compute(_facts(con, _both(_before(), _later(1))), AS_OF, SETTINGS, learned=learned)
    assert {name: model.model for name, model in again.learned.items()} == models
    second = by_key(again)
    changed = {name for key, row in first.items() for name in row if second[key].get(name) != row[name]}
    assert (second.keys(), changed, again.traits) == (first.keys(), set(), made.traits)


# Accounts -------------------------------------------------------------------------------------------------------------

TIER = ("accounts", "tier", Attribute.model_validate({"from": "tier", "kind": "category"}))
DECLARED = definitions(
    {
        name: DeclaredTrait.model_validate({"of": "account", **written})
        for name, written in {
            "won_worth": {"from": "opportunities", "aggregate": "sum(amount)", "where": "stage = 'won'"},
            "last_stage": {"from": "opportunities", "aggregate": "last(stage)"},
            "answers": {"from": "responses", "aggregate": "count()", "within": "1 year"},
            "spent_on": {"from": "costs", "aggregate": "sum(amount)"},
            "usual": {"from": "events", "aggregate": "mode(name)"},
            "place": {"aggregate": "rank_within(won_worth by tier)"},
        }.items()
    },
    (TIER,),
)


def _firms() -> list[Row]:
    return [
        {"account_key": n, "account_id": f"A{n}", "account_name": f"Firm {n}", "industry": "Retail",
         "employees": 7 * n,
         "revenue": 1e6, "founded": 1990, "ownership": "Ltd", "stage": "MQL",
         "technologies": "SAP, CRM", "adoption_stage": "laggard",
         "parent_id": "A0" if n in (1, 2) else None, "level": 1 if n in (1, 2) else 0,
         "joined_at": datetime(2022, 12, 1), "tier": "gold" if n % 2 else "iron"}
        for n in range(5)
    ]  # fmt: skip


def _deals(seed: int, start: datetime, days: int) -> list[Row]:
    rng = random.Random(seed)
    found = []
    for i in range(60):
        begun = start + timedelta(days=rng.randrange(days))
        stage = rng.choice(["Closed Won", "Closed Lost", "Proposal"])
        closes = (begun + timedelta(days=rng.randrange(1, 20))).date() if stage != "Proposal" else None
        found.append({"opportunity": f"D{seed}{i}", "account": f"A{rng.randrange(5)}", "source": "crm", "stage": stage,
                      "amount": 1000.0 * i, "probability": 50.0, "created_at": begun, "closes_at": closes})  # fmt: skip
    return found


def _of_accounts(con: Backend, rows: dict[str, list[Row]], deals: list[Row]) -> TraitTable:
    facts = _facts(con, rows)
    people = facts.golden_customers
    firms = table(con, "firms", _firms(), ACCOUNTS)
    references = [{"source": "crm", "reference": f"A{n}", "account_key": n} for n in range(5)]
    organised = Organisations(
        firms,
        people.select("customer_key", "account_key", "occupation", "role"),
        table(con, "account_references", references, {"account_key": pa.int64()}),
    )
    facts = replace(facts, attributes=(TIER,))
    opportunities = table(con, "opportunities", deals, DEALS)
    return accounts.compute(organised, facts, opportunities, people, AS_OF, SETTINGS, own=DECLARED)


def test_no_trait_of_an_account_changes_by_what_comes_later(con: Backend):
    before, deals = _before(), _deals(1, datetime(2023, 3, 1), 250)
    made = _of_accounts(con, before, deals)
    first = by_key(made)
    assert set(ACCOUNT_TRAITS) - _families(made) == set(), "every family of the catalogue is tried"
    assert {"tier", *(d.name for d in DECLARED)} <= {t.name for t in made.traits}
    later = _deals(2, END + timedelta(seconds=1), 200)
    again = _of_accounts(con, _both(before, _later(3)), [*later, *deals])
    second = by_key(again)
    changed = {name for key, row in first.items() for name in row if second[key].get(name) != row[name]}
    assert (second.keys(), changed, again.traits) == (first.keys(), set(), made.traits)


@pytest.mark.parametrize("column", ["time", "created_at"])
def test_what_comes_later_would_show(column: str):
    """The rows that are added are not among those of before: the tests above compare two different things."""
    later = {"time": _later(1)["transactions"], "created_at": _deals(2, END + timedelta(seconds=1), 200)}[column]
    assert min(row[column] for row in later) > END
