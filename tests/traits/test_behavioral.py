"""What customers bought, how often, when and where: against plain Python, real data, and the laws."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend
from trait_reference import by_key, customers, random_lines, reference, transactions

from segmentry import config, engine
from segmentry.catalogue import TRAITS
from segmentry.config import LifecycleDays, Lifetime
from segmentry.errors import ConfigError
from segmentry.traits import Facts, Settings, TraitTable, compute

AS_OF = date(2024, 1, 31)


@pytest.mark.parametrize(("seed", "zone"), [(1, "UTC"), (2, "America/New_York"), (3, "Asia/Kolkata")])
def test_traits_are_those_of_a_plain_computation(con: Backend, seed: int, zone: str):
    rows = random_lines(seed)
    without = Settings(timezone=zone, lifetime=Lifetime(model="none"))  # its models are learned, see test_lifetime
    made = compute(Facts(customers(con, range(30)), transactions(con, rows)), AS_OF, without)
    found = by_key(made)
    some_later = {r["customer_key"] for r in rows if r["time"].date() > AS_OF}
    some_before = {r["customer_key"] for r in rows if r["time"].date() <= AS_OF}
    assert found.keys() == set(range(30)) - (some_later - some_before)
    expected = reference(rows, found, AS_OF, zone)
    names = {t.name for t in made.traits}
    assert names - {"country", "time_zone"} == set(expected[0])
    for key, row in found.items():
        for name, value in expected[key].items():
            assert row[name] == (pytest.approx(value, abs=1e-9) if isinstance(value, float) else value), (key, name)


def test_the_table_says_what_its_columns_are(con: Backend):
    made = compute(Facts(customers(con, range(30)), transactions(con, random_lines(1))), AS_OF)
    assert made.table.columns == ("customer_key", "customer_id", *(t.name for t in made.traits))
    stored = con.create_table("traits", made.table)
    assert stored.schema() == made.table.schema()
    for trait in made.traits:
        dtype = stored.schema()[trait.name]
        assert {"number": dtype.is_numeric(), "category": dtype.is_string(), "boolean": dtype.is_boolean()}[trait.kind]
        assert not dtype.is_decimal()


def test_traits_that_are_left_out_change_nothing_in_the_others_and_cost_no_pass(con: Backend):
    facts = Facts(customers(con, range(30)), transactions(con, random_lines(1)))
    every = compute(facts, AS_OF)
    all_of_it = by_key(every)
    some = compute(facts, AS_OF, Settings(describe_by=("spend_*", "value.clv_365d", "regularity")))
    names = [t.name for t in some.traits]
    assert names == [t.name for t in every.traits if t.name in ("spend_90d", "spend_365d", "spend_trend", "regularity")]
    columns = ("customer_key", "customer_id", *names)
    assert by_key(some) == {key: {name: row[name] for name in columns} for key, row in all_of_it.items()}
    assert str(ibis.to_sql(some.table)).count("JOIN") < str(ibis.to_sql(every.table)).count("JOIN")
    assert some.absent["frequency"] == "segmentry.yaml leaves it out: describe_by does not name it"
    assert "describe_by" not in some.absent["clv_*"]  # asked for, and no model could be learned of so few
    few = compute(facts, AS_OF, Settings(describe_by=("regularity",)), also=frozenset({"frequency"}))
    assert [t.name for t in few.traits] == ["frequency", "regularity"]
    assert few.learned == {}


def test_what_segmentations_and_objectives_name_is_wanted():
    text = """
version: 1
name: shop
describe_by: [top_category]
sources: {orders: {kind: transactions, path: orders.csv, columns: {customer: who, time: at, amount: paid}}}
objectives: {loyal: {behaviour: orders_365d > 2 * 1}}
segmentations:
  rfm: {method: rfm}
  stages: {method: rules, segments: [{name: New, where: "lifecycle_stage = 'new'"}]}
  web: {method: kmeans, traits: [channel_share_web, technographic.*]}
"""
    wanted = Settings.of(config.parse(text, {}), {}).describe_by
    read = {"recency_days", "frequency", "monetary", "lifecycle_stage", "channel_share_web", "technographic.*"}
    assert set(wanted) == {"top_category", "orders_365d", *read}


def test_a_pattern_that_means_no_trait_is_refused(con: Backend):
    facts = Facts(customers(con, range(3)), transactions(con, random_lines(1)))
    with pytest.raises(ConfigError, match=r"'recensy_days' means no trait\. Did you mean 'recency_days'"):
        compute(facts, AS_OF, Settings(describe_by=("behavioral.*", "recensy_days")))


def test_without_order_numbers_every_line_is_an_order_and_order_days_merge_those_of_a_day(con: Backend):
    at = [datetime(2024, 1, 2, 9), datetime(2024, 1, 2, 18), datetime(2024, 1, 9)]
    rows = [{"customer_key": 1, "time": t} for t in at]
    row = by_key(compute(Facts(customers(con, [1]), transactions(con, rows)), AS_OF))[1]
    assert (row["frequency"], row["order_days"], row["average_order_value"]) == (3, 2, 10.0)
    assert row["days_between_orders"] == 7


def test_active_months_are_counted_over_any_span(con: Backend):
    months = [(1999, 12), (2000, 1), (2005, 2), (2005, 3), (2010, 4), (2024, 1)]
    at = [datetime(year, month, day) for year, month in months for day in (1, 28)]
    rows = [{"customer_key": 1, "time": t} for t in at] + [{"customer_key": 2, "time": at[-1]}]
    found = by_key(compute(Facts(customers(con, [1, 2]), transactions(con, rows)), AS_OF))
    assert [(found[k]["active_months"], found[k]["order_days"]) for k in (1, 2)] == [(6, 12), (1, 1)]


def test_amounts_too_large_for_sums_of_floats_add_up_exactly(con: Backend):
    rows = [{"customer_key": 1, "amount": amount} for amount in (9e15, 1.0, 1.0, -9e15)]
    rows += [{"customer_key": 2, "amount": 0.1}, {"customer_key": 2, "amount": 0.2}]
    found = by_key(compute(Facts(customers(con, [1, 2]), transactions(con, rows)), AS_OF))
    assert found[1]["monetary"] == 2.0
    few = by_key(compute(Facts(customers(con, [2]), transactions(con, rows[-2:])), AS_OF))
    assert few[2]["monetary"] == 0.3


def test_customers_without_orders_have_no_recency_and_spent_nothing(con: Backend):
    rows = [
        {"customer_key": 1},
        {"customer_key": 2, "line_kind": "return", "amount": -4.0},
        {"customer_key": 3, "line_kind": "charge", "amount": 3.0},
        {"customer_key": None},
    ]
    found = by_key(compute(Facts(customers(con, [1, 2, 3, 4]), transactions(con, rows)), AS_OF))
    assert [found[k]["lifecycle_stage"] for k in (1, 2, 3, 4)] == ["new", "no orders", "no orders", "no orders"]
    assert [found[k]["monetary"] for k in (1, 2, 3, 4)] == [10, -4, 0, 0]
    for key in (2, 3, 4):
        row = found[key]
        assert row["frequency"] == row["orders_90d"] == row["order_days"] == row["active_months"] == 0
        assert row["recency_days"] is row["tenure_days"] is row["average_order_value"] is row["return_rate"] is None


def test_the_last_second_of_the_day_counts_and_the_next_does_not(con: Backend):
    rows = [
        {"customer_key": 1, "time": datetime(2024, 1, 31, 23, 59, 59)},
        {"customer_key": 1, "time": datetime(2024, 2, 1)},
    ]
    row = by_key(compute(Facts(customers(con, [1]), transactions(con, rows)), AS_OF))[1]
    assert (row["recency_days"], row["frequency"]) == (0, 1)


@pytest.mark.parametrize(
    ("days_ago", "stage"),
    [
        ([0], "new"),
        ([30], "new"),
        ([31], "active"),
        ([30, 30], "active"),
        ([90, 400], "active"),
        ([91], "cooling"),
        ([365], "cooling"),
        ([366], "lapsed"),
    ],
)
def test_life_cycle_ends_where_the_config_says(con: Backend, days_ago: list[int], stage: str):
    rows = [{"customer_key": 1, "time": datetime(2024, 1, 31) - timedelta(days=n)} for n in days_ago]
    facts = Facts(customers(con, [1]), transactions(con, rows))
    assert by_key(compute(facts, AS_OF))[1]["lifecycle_stage"] == stage


def test_life_cycle_days_can_be_set(con: Backend):
    rows = [{"customer_key": 1, "time": datetime(2024, 1, 21)}, {"customer_key": 1, "time": datetime(2024, 1, 22)}]
    settings = Settings(LifecycleDays(new=3, active=5, lapsed=8))
    made = compute(Facts(customers(con, [1]), transactions(con, rows)), AS_OF, settings)
    assert by_key(made)[1]["lifecycle_stage"] == "lapsed"


def test_the_same_order_number_in_two_sources_is_two_orders(con: Backend):
    rows = [{"customer_key": 1, "order": "17", "source": s} for s in ("web", "web", "till")]
    assert by_key(compute(Facts(customers(con, [1]), transactions(con, rows)), AS_OF))[1]["frequency"] == 2


def test_products_are_told_apart_by_name_where_they_have_no_code(con: Backend):
    rows = [{"customer_key": 1, "product": None, "product_name": n} for n in ("Tea", "Tea", "Cup", None)]
    assert by_key(compute(Facts(customers(con, [1]), transactions(con, rows)), AS_OF))[1]["products_bought"] == 2


def test_tenure_begins_with_joining_when_that_was_before_the_first_order(con: Backend):
    joined = {1: datetime(2023, 12, 22), 2: datetime(2024, 1, 20), 3: datetime(2023, 12, 1), 4: datetime(2024, 3, 1)}
    who = customers(con, [{"customer_key": k, "joined_at": t} for k, t in joined.items()])
    rows = [{"customer_key": k} for k in (1, 2, 4)]  # on 1 January; 4 joined after as_of
    found = by_key(compute(Facts(who, transactions(con, rows)), AS_OF))
    assert {k: row["tenure_days"] for k, row in found.items()} == {1: 40, 2: 30, 3: 61, 4: 30}


def test_who_is_known_by_then(con: Backend):
    later, before = datetime(2024, 5, 1), datetime(2024, 1, 5)
    who = customers(
        con,
        [
            {"customer_key": 1, "joined_at": before},
            {"customer_key": 2, "joined_at": later},
            {"customer_key": 3, "joined_at": None},  # bought before
            {"customer_key": 4, "joined_at": None},  # bought only later
            {"customer_key": 5, "joined_at": None},  # nobody knows anything
            {"customer_key": 6, "joined_at": later},  # bought before joining
        ],
    )
    rows = [{"customer_key": k, "time": t} for k, t in ((3, before), (4, later), (6, before), (1, later))]
    assert by_key(compute(Facts(who, transactions(con, rows)), AS_OF)).keys() == {1, 3, 5, 6}
    assert by_key(compute(Facts(who), AS_OF)).keys() == {1, 3, 4, 5}


def test_customers_alone_have_a_tenure_and_no_orders(con: Backend):
    made = compute(Facts(customers(con, [{"customer_key": 1, "joined_at": datetime(2024, 1, 1)}])), AS_OF)
    assert [t.name for t in made.traits] == ["tenure_days"]
    assert by_key(made)[1]["tenure_days"] == 30


def test_traits_without_data_are_not_there(con: Backend):
    rows = [{"customer_key": 1, "channel": None, "quantity": None}, {"customer_key": None, "discount": 1.0}]
    names = {t.name for t in compute(Facts(customers(con, [1]), transactions(con, rows)), AS_OF).traits}
    assert {"frequency", "monetary", "lifecycle_stage"} <= names
    assert not names & {"top_channel", "items_per_order", "discount_share", "return_rate", "products_bought", "value"}
    assert not any(name.startswith("channel_share") for name in names)


# Shares of a column's values -----------------------------------------------------------------------------------------


def channels(con: Backend, counts: dict[str, int], also: frozenset[str] = frozenset(), amount: float = 10.0):
    rows = [{"customer_key": 1, "channel": c, "amount": amount} for c, n in counts.items() for _ in range(n)]
    made = compute(Facts(customers(con, [1, 2]), transactions(con, rows)), AS_OF, also=also)
    return [t.name for t in made.traits if t.name.startswith("channel_share_")], by_key(made)


def test_frequent_values_get_a_share_in_the_order_of_their_frequency(con: Backend):
    names, found = channels(con, {"fax": 1, "web": 120, "store": 80})
    assert names == ["channel_share_web", "channel_share_store"]  # fax has less than 1 % of the lines
    assert found[1]["channel_share_web"] == pytest.approx(120 / 201)
    assert found[2]["channel_share_web"] is None  # bought nothing


def test_at_most_eight_values_get_a_share(con: Backend):
    assert len(channels(con, {f"c{i}": 10 + i for i in range(12)})[0]) == 8


def test_spellings_of_one_value_are_one_share(con: Backend):
    names, found = channels(con, {"Web Shop": 2, "web-shop": 1, "STORE": 1})
    assert names == ["channel_share_web_shop", "channel_share_store"]
    assert found[1]["channel_share_web_shop"] == 0.75


@pytest.mark.parametrize("others", [0, 20])  # few values are counted in the common scan, many in a pass of their own
def test_of_equally_frequent_values_the_smaller_is_the_favourite(con: Backend, others: int):
    counts = {"web": 2, "store": 2, "app": 1, **{f"other {i}": 1 for i in range(others)}}
    found = channels(con, counts)[1]
    assert (found[1]["top_channel"], found[2]["top_channel"]) == ("store", None)


def test_what_a_frozen_segmentation_needs_stays(con: Backend):
    needed = frozenset({"channel_share_fax", "channel_share_telex", "frequency", "channel_share_"})
    names, found = channels(con, {"fax": 1, "web": 199}, also=needed)
    assert names == ["channel_share_web", "channel_share_fax", "channel_share_telex"]
    assert (found[1]["channel_share_fax"], found[1]["channel_share_telex"]) == (0.005, 0.0)
    assert found[2]["channel_share_telex"] is None


def test_shares_count_lines_where_nothing_has_an_amount(con: Backend):
    assert channels(con, {"web": 3, "store": 1}, amount=0.0)[1][1]["channel_share_web"] == 0.75


# Laws ----------------------------------------------------------------------------------------------------------------

later_rows = st.lists(
    st.fixed_dictionaries(
        {
            "customer_key": st.sampled_from([None, *range(31)]),
            "order": st.sampled_from(["O1", "O2", "new", None]),
            "time": st.datetimes(datetime(2024, 2, 1), datetime(2025, 1, 1)),
            "amount": st.sampled_from([-50.0, 0.0, 1000.0]),
            "quantity": st.sampled_from([None, 3.0]),
            "channel": st.sampled_from(["fax", "web", "brand new"]),
            "discount": st.sampled_from([None, 5.0]),
            "country": st.sampled_from(["Spain", None]),
            "line_kind": st.sampled_from(["sale", "return", "charge"]),
            "source": st.sampled_from(["shop", "till"]),
        }
    ),
    min_size=1,
    max_size=60,
)


@pytest.fixture(scope="module")
def before() -> tuple[list[dict[str, object]], TraitTable, dict[int, dict[str, object]]]:
    """Lines up to AS_OF, the traits that are made of them, and their values."""
    wanted = ("customer_key", "order", "time", "amount", "quantity", "discount", "country", "line_kind", "source")
    rows = [
        {c: r[c] for c in wanted} | {"channel": None} for r in random_lines(4, lines=120) if r["time"].date() <= AS_OF
    ]
    seen = sorted({r["customer_key"] for r in rows if r["customer_key"] is not None})
    with engine.in_memory() as con:
        made = compute(Facts(customers(con, seen), transactions(con, rows)), AS_OF)
        return rows, made, by_key(made)


@settings(max_examples=6, deadline=None)
@given(later=later_rows)
def test_what_happens_later_changes_no_trait(before: tuple[Any, ...], later: list[dict[str, object]]):
    rows, made, known = before
    everyone = sorted({r["customer_key"] for r in [*rows, *later] if r["customer_key"] is not None})
    with engine.in_memory() as con:
        after = compute(Facts(customers(con, everyone), transactions(con, [*rows, *later])), AS_OF)
        assert after.traits == made.traits
        assert by_key(after) == known


def test_all_sums_are_made_in_one_scan_and_the_rest_in_one_pass_each(con: Backend):
    made = compute(Facts(customers(con, range(30)), transactions(con, random_lines(1))), date(2024, 12, 31))
    scans = str(ibis.to_sql(made.table)).count('"transactions"')
    # sums; orders; products; categories; country
    assert scans <= 5
    assert len(made.traits) > 20


def test_it_compiles_for_postgresql(con: Backend):
    made = compute(Facts(customers(con, range(30)), transactions(con, random_lines(1))), AS_OF)
    sql = str(ibis.to_sql(made.table, dialect="postgres"))
    assert all(f'"{t.name}"' in sql for t in made.traits)


# Real data -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def online_retail(real_data: Path) -> pd.DataFrame:
    raw = pd.read_parquet(real_data / "online_retail" / "online_retail.parquet")
    kind = pd.Series("sale", index=raw.index)
    kind[raw["StockCode"].isin(["POST", "DOT", "M", "BANK CHARGES", "C2", "AMAZONFEE", "CRUK"])] = "charge"
    kind[(kind == "sale") & (raw["InvoiceNo"].str.startswith("C") | (raw["Quantity"] < 0))] = "return"
    return pd.DataFrame(
        {
            "customer_key": raw["CustomerID"].astype("Int64"),
            "order": raw["InvoiceNo"],
            "time": raw["InvoiceDate"],
            "amount": raw["Quantity"] * raw["UnitPrice"],
            "quantity": raw["Quantity"].astype(float),
            "product": raw["StockCode"],
            "country": raw["Country"],
            "line_kind": kind,
        }
    )


def test_online_retail_is_as_an_independent_computation_has_it(con: Backend, online_retail: pd.DataFrame):
    lines = online_retail.dropna(subset="customer_key")
    keys = sorted(int(k) for k in lines["customer_key"].unique())
    as_of = date(2011, 12, 9)
    facts = Facts(customers(con, keys), con.create_table("lines", online_retail))
    made = compute(facts, as_of).table.to_pandas().set_index("customer_key").sort_index()
    assert len(made) == 4372

    sales = lines[lines["line_kind"] == "sale"].groupby("customer_key")
    goods = lines[lines["line_kind"] != "charge"].groupby("customer_key")
    recency = (pd.Timestamp(as_of) - sales["time"].max().dt.normalize()).dt.days.reindex(made.index)
    assert made["recency_days"].fillna(-1).astype(int).tolist() == recency.fillna(-1).astype(int).tolist()
    assert made["frequency"].tolist() == sales["order"].nunique().reindex(made.index, fill_value=0).tolist()
    monetary = goods["amount"].sum().reindex(made.index, fill_value=0.0)
    assert made["monetary"].to_numpy() == pytest.approx(monetary.to_numpy(), abs=1e-6)
    products = sales["product"].nunique().reindex(made.index, fill_value=0)
    assert made["products_bought"].tolist() == products.tolist()
    hours = lines[lines["line_kind"] == "sale"].groupby("customer_key")["time"].max()
    once = made["frequency"] == 1
    assert made.loc[once, "preferred_hour"].tolist() == hours.dt.hour.reindex(made.index)[once].tolist()
    best = made["monetary"].clip(lower=0).sort_values(ascending=False)
    assert (made["pareto_class"] == "A").sum() == (best.cumsum() < 0.8 * best.sum()).sum() + 1
    assert set(made["country"]) >= {"GB", "IE", "DE", "FR", "ZA", "Channel Islands"}
    assert made["country"].isna().sum() == 4  # 'Unspecified' says nothing
    assert TRAITS["monetary"].unit == "currency"


def test_cdnow_days_with_an_order_are_the_published_purchases(con: Backend, real_data: Path):
    sample = pd.read_parquet(real_data / "cdnow" / "cdnow_sample.parquet")
    published = pd.read_csv(real_data / "cdnow" / "cdnow_customers_summary.csv")
    lines = pd.DataFrame(
        {
            "customer_key": sample["customer_id"].astype(int),
            "time": sample["date"],
            "amount": sample["dollar_value"],
            "line_kind": "sale",
        }
    )
    keys = sorted(int(k) for k in lines["customer_key"].unique())
    facts = Facts(customers(con, keys), con.create_table("lines", lines))
    made = compute(facts, date(1997, 9, 30)).table.to_pandas()
    assert len(made) == len(published) == 2357
    assert (made["order_days"] - 1).sum() == published["frequency"].sum()

    days = lines[lines["time"] <= "1997-09-30"].groupby("customer_key")["time"].unique()
    gaps = days[days.map(len) >= 4].map(lambda found: pd.Series(sorted(found)).diff().dt.days.dropna())
    regular = made.set_index("customer_key")["regularity"].dropna()
    expected = gaps.map(lambda g: 1 / (1 + (g.std() / g.mean()) ** 2))
    assert regular.sort_index().to_numpy() == pytest.approx(expected.sort_index().to_numpy(), abs=1e-9)
    assert len(regular) == 293
    assert "preferred_hour" not in made.columns  # the file has dates alone
    assert set(made["preferred_weekday"]) == set(calendar.day_name)
