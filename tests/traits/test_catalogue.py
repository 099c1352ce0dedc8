"""The catalogue says what there is, and what is computed is what it says."""

from __future__ import annotations

import json
import re
from datetime import date, datetime

import pyarrow as pa
import pytest
from event_reference import IPHONE, events
from hypothesis import given
from hypothesis import strategies as st
from trait_reference import COSTS, CUSTOMERS, PRODUCTS, by_key, table, transactions

from segmentry import engine
from segmentry.catalogue import ACCOUNT_TRAITS, FAMILIES, TRAITS, from_json, lookup, member, to_json
from segmentry.columns import Type
from segmentry.config import Lifetime, Survey
from segmentry.stats.lifetime import Estimate, GammaGamma, Nbd
from segmentry.tables import TABLES, golden_customers
from segmentry.traits import Facts, Learned, Settings, compute
from segmentry.traits.costs import TYPES as COST_TYPES
from segmentry.traits.lifetime.learned import Group, LifetimeModels

FIRMS = {"account_key": pa.int64(), "employees": pa.int64()}
PLACES = {"latitude": pa.float64(), "longitude": pa.float64()}
EVERY = (*TRAITS.values(), *ACCOUNT_TRAITS.values())


@pytest.mark.parametrize("trait", EVERY, ids=lambda t: f"{t.model}.{t.name}")
def test_every_trait_says_what_it_is(trait):
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,58}\*?", trait.name)
    assert trait.description.endswith(".")
    assert trait.null_means
    assert trait.needs
    if trait.kind == "number":
        assert trait.unit
    for need in trait.needs:
        for one in need.split(" or "):
            name, column = one.split(".")
            assert column in TABLES[name], one


# Of a text only how much of it is about each theme remains, and nothing is a theme that fewer than five customers say.
NOT_PERSONAL_ANY_MORE = {"texts", "main_theme", "theme_*"}


def test_a_trait_is_as_personal_as_its_most_personal_source():
    rank = ["none", "quasi", "sensitive", "direct"]
    for trait in (t for t in EVERY if t.name not in NOT_PERSONAL_ANY_MORE):
        for need in trait.needs:
            for one in need.split(" or "):
                name, column = one.split(".")
                source = TABLES[name][column].pii
                assert rank.index(trait.pii) >= rank.index(source), (trait.name, one)


def test_complete_data_give_every_trait_of_the_catalogue():
    samples = {
        Type.TEXT: "SE1 7AB", Type.CATEGORY: "x", Type.ID: "x", Type.NUMBER: 1.0, Type.MONEY: 1.0, Type.INTEGER: 1,
        Type.TIME: datetime(2024, 1, 1), Type.DATE: date(1990, 1, 1),
    }  # fmt: skip
    who = {c.name: samples[c.type] for c in golden_customers.columns} | {
        "customer_key": 1,
        "birth_year": 1990,
        "account_key": 1,
    }
    who |= {"occupation": "Buyer"}
    line = {
        "customer_key": 1, "order": "1", "amount": 10.0, "quantity": 1.0, "product": "a", "channel": "web",
        "discount": 1.0, "country": "France",
    }  # fmt: skip
    like = {Type.NUMBER: "value", Type.MONEY: "value", Type.TIME: "joined_at", Type.INTEGER: "ids"}
    types = {c.name: CUSTOMERS[like[c.type]] for c in golden_customers.columns if c.type in like}
    seen = ("Product Viewed", "Email Delivered", "Email Opened", "Email Clicked")
    came = {"channel": "web", "user_agent": IPHONE, "app_version": "6.2.0"}
    with engine.in_memory() as con:
        long_ago = {**line, "order": "0", "time": datetime(2023, 6, 1, 12, 7)}
        facts = Facts(
            table(con, "golden_customers", [who], {**types, **CUSTOMERS}),
            transactions(con, [line, long_ago, {**line, "line_kind": "return", "amount": -1.0}]),
            table(con, "products", [{"product": "a", "category": "Tea", "unit_cost": 2.0}], PRODUCTS),
            {
                "costs": table(
                    con, "costs", [{"customer_key": 1, "type": t, "amount": 1.0} for t in COST_TYPES], COSTS
                ),
                "responses": table(con, "responses", _ANSWERS, {"customer_key": COSTS["customer_key"]}),
                "events": events(con, [{"customer_key": 1, "name": name, **came} for name in seen]),
            },
            table(con, "golden_accounts", [{"account_key": 1, "industry": "Retail", "employees": 5}], FIRMS),
            table(con, "stores", [{"store": "S1", "latitude": 1.0, "longitude": 2.0}], PLACES),
        )
        settings = Settings(surveys={"voice": Survey.model_validate(_SURVEY)})
        made = compute(facts, date(2024, 1, 31), settings, learned={"lifetime": _lifetime()})
        names = [t.name for t in made.traits]
        assert len(by_key(made)) == 1
    members = {
        "channel_share_*": "channel_share_web", "category_share_*": "category_share_tea",
        "importance_of_*": "importance_of_price", "satisfaction_with_*": "satisfaction_with_price",
        "opportunity_in_*": "opportunity_in_price", "chooses_*": "chooses_why_habit",
        "expected_orders_*": "expected_orders_365d", "device_share_*": "device_share_phone",
        "event_channel_share_*": "event_channel_share_web",
    }  # fmt: skip
    several = {
        "benefit_of_*": ["benefit_of_a", "benefit_of_b", "benefit_of_c"],
        "clv_*": ["clv_365d", "clv_365d_low", "clv_365d_high"],
    }
    there = [name for name in TRAITS if name not in _OF_MANY]
    assert names == [n for name in there for n in several.get(name, [members.get(name, name)])]
    own = {*members.values(), *several["benefit_of_*"]}
    assert made.traits == tuple(lookup(t.name) if t.name not in own else t for t in made.traits)


def _lifetime() -> Learned:
    """Models as many customers would have given them: one customer is not enough to learn from."""
    buying = Nbd(1.0, 30.0, estimate=Estimate(-1.0, ((0.01, 0.0), (0.0, 0.01)), 500, 40))
    around = ((0.01, 0.0, 0.0), (0.0, 0.01, 0.0), (0.0, 0.0, 0.01))
    spending = GammaGamma(6.0, 4.0, 15.0, estimate=Estimate(-1.0, around, 500, 40))
    group = Group(None, 500, 400, 500, buying, spending)
    day = date(2024, 1, 31)
    model = LifetimeModels("nbd", day, "day", 1, (365,), 0.1, (group,)).to_dict()
    return Learned(1, day, json.dumps(Lifetime().model_dump(mode="json"), sort_keys=True), model)


# What many answers or texts make; see the tests of their models.
_OF_MANY = {"scale_*", "factor_*", "acquiescence", "extreme_response", "straight_lining", "interest_*", "texts",
            "main_theme", "theme_*"}  # fmt: skip
_SURVEY = {
    "best_worst": {"best": "B{task}", "worst": "W{task}", "benefits": {"A": [], "B": [], "C": []}},
    "importance": {"Price": "I"},
    "satisfaction": {"Price": "S"},
    "nps": "N",
    "csat": "C",
    "ces": "E",
    "ranges": {"importance": [0, 10], "satisfaction": [0, 10], "csat": [1, 5], "ces": [1, 7]},
    "choices": {"why": "Q"},
}
_ANSWERS = [
    {"customer_key": 1, "survey": "voice", "question": code, "answer": answer}
    for code, answer in {"B1": "A", "W1": "B", "I": "9", "S": "3", "N": "9", "C": "5", "E": "7", "Q": "Habit"}.items()
]


def test_families_have_their_members_looked_up():
    assert {f.name for f in FAMILIES} > {"channel_share_*", "category_share_*"}
    found = lookup("category_share_green_tea")
    assert found is not None
    assert (found.name, found.unit, found.is_family) == ("category_share_green_tea", "share", False)
    assert found.needs == TRAITS["category_share_*"].needs
    for name in ("channel_share_*", "channel_share_", "channel_share_Web", "channel_share_a-b", "share", ""):
        assert lookup(name) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("Web Shop", "web-shop"), ("Café", "CAFE"), ("  app ", "App"), ("Home & Garden", "home/garden"), ("B2B", "b2b")],
)
def test_spellings_of_one_value_make_one_name(one: str, other: str):
    assert member("channel_share_*", one).name == member("channel_share_*", other).name


@pytest.mark.parametrize(
    ("one", "other"),
    [("C", "C++"), ("C++", "C#"), ("<50 %", ">50 %"), ("日本", "中国"), ("a" * 80, "a" * 81), ("A1", "A 1"), ("", "-")],
)
def test_different_values_make_different_names(one: str, other: str):
    assert member("channel_share_*", one).name != member("channel_share_*", other).name or not (one and other)


@given(st.text())
def test_every_value_makes_a_name_that_a_database_takes_and_that_is_found_again(value: str):
    for family in FAMILIES:
        trait = member(family.name, value)
        assert re.fullmatch(r"[a-z][a-z0-9_]*", trait.name)
        assert len(trait.name) <= 60
        found = lookup(trait.name)
        assert found is not None
        assert (found.name, found.unit, found.needs) == (trait.name, trait.unit, trait.needs)


def test_traits_survive_json():
    every = [*TRAITS.values(), member("channel_share_*", "Web")]
    assert from_json(json.loads(json.dumps([to_json(t) for t in every]))) == every


def test_what_data_a_trait_lacks():
    margin = TRAITS["margin"]
    assert margin.lacks({"transactions.amount"}) == ("transactions.cost or products.unit_cost",)
    assert margin.lacks({"transactions.amount", "products.unit_cost"}) == ()
    assert TRAITS["monetary"].lacks(set()) == ("transactions.time", "transactions.amount")
