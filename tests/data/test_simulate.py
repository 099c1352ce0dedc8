"""The simulated shop: reproducible, reconciling with its truth, and behaving as planted."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from segmentry.data.simulate import Simulation, simulate
from segmentry.data.simulate_plan import PLAN
from segmentry.data.simulate_shop import Shop, clean, vocabulary
from segmentry.errors import UsageError

UNTIL = date(2026, 6, 30)
START = date(2024, 7, 1)
SIZE = 5_000


def shop(folder: Path, size: int = 500, *, threads: int = 2, seed: int = 1, until: date = UNTIL) -> Simulation:
    with duckdb.connect(config={"threads": threads}) as connection:
        return simulate(folder, customers=size, seed=seed, until=until, connection=connection)


def contents(made: Simulation) -> dict[str, bytes]:
    paths = (made.customers, made.orders, made.products, made.truth)
    return {path.relative_to(made.folder).as_posix(): path.read_bytes() for path in paths}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@dataclass(frozen=True)
class Exports:
    """One simulated shop, read by another parser than the one that wrote it."""

    made: Simulation
    customers: list[dict[str, str]]
    orders: list[dict[str, str]]
    products: list[dict[str, str]]
    truth: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    made = shop(tmp_path_factory.mktemp("shop"), SIZE)
    truth = {row["customer_id"]: row for row in rows(made.truth)}
    return Exports(made, rows(made.customers), rows(made.orders), rows(made.products), truth)


@pytest.fixture(scope="module")
def traits(exports: Exports) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with ``traits``: one row per customer who ordered, with the planted group."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            CREATE TABLE lines AS SELECT o.*, behaviour_group, quantity * unit_price - discount AS amount,
                starts_with(order_number, 'R-') AS is_return, category = 'Fees' AS is_fee
            FROM read_csv($orders) AS o JOIN read_csv($truth) USING (customer_id)
            """,
            {"orders": str(exports.made.orders), "truth": str(exports.made.truth)},
        )
        categories = ", ".join(
            f"avg((category = '{c.name}')::INT) FILTER (NOT is_return AND NOT is_fee) AS category_{c.prefix}"
            for c in PLAN.categories
        )
        connection.execute(f"""
            CREATE TABLE traits AS
            SELECT customer_id, behaviour_group,
                DATE '{UNTIL}' - (max(ordered_at) FILTER (NOT is_return))::DATE AS recency_days,
                count(DISTINCT order_number) FILTER (NOT is_return) AS orders,
                sum(amount) AS spend,
                sum(amount) FILTER (NOT is_return) / orders AS order_value,
                count(*) FILTER (is_return) / count(*) FILTER (NOT is_return AND NOT is_fee) AS return_rate,
                avg((discount > 0)::INT) FILTER (NOT is_return AND NOT is_fee) AS discount_share,
                avg((month(ordered_at) >= 11)::INT) FILTER (NOT is_return) AS november_december_share,
                {categories},
                avg((channel = 'web')::INT) FILTER (NOT is_return) AS channel_web,
                avg((channel = 'store')::INT) FILTER (NOT is_return) AS channel_store,
                avg((channel = 'app')::INT) FILTER (NOT is_return) AS channel_app,
                avg((channel = 'phone')::INT) FILTER (NOT is_return) AS channel_phone
            FROM lines GROUP BY ALL ORDER BY customer_id
        """)
        yield connection


def by_group(connection: duckdb.DuckDBPyConnection, expression: str) -> dict[str, float]:
    query = f"SELECT behaviour_group, {expression} FROM traits GROUP BY 1"
    return {group: float(value) for group, value in connection.execute(query).fetchall()}


# --- the same again ---------------------------------------------------------------------------------------------------


def test_one_thread_and_two_write_the_same_bytes(tmp_path):
    # 10,000 customers have more lines than DuckDB keeps in one row group, so that two threads really share the work
    one = shop(tmp_path / "one", 10_000, threads=1)
    two = shop(tmp_path / "two", 10_000, threads=2)
    assert one.counts["order_lines"] > 122_880
    assert contents(one) == contents(two)
    assert one.counts == two.counts


def test_a_second_run_over_the_first_writes_the_same_bytes(tmp_path):
    first = contents(shop(tmp_path))
    assert contents(shop(tmp_path)) == first


def test_another_seed_makes_other_customers_and_orders(tmp_path):
    one, two = contents(shop(tmp_path / "one", seed=1)), contents(shop(tmp_path / "two", seed=2))
    assert [name for name in one if one[name] == two[name]] == []


def test_the_connection_is_left_as_it_was(tmp_path):
    def catalog(connection: duckdb.DuckDBPyConnection) -> list[tuple[str]]:
        return connection.execute(
            "SELECT table_name FROM duckdb_tables() UNION ALL SELECT function_name FROM duckdb_functions() ORDER BY ALL"
        ).fetchall()

    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE sim_orders AS SELECT 1 AS mine")
        before = catalog(connection)
        simulate(tmp_path, customers=10, connection=connection)
        assert catalog(connection) == before
        assert connection.execute("SELECT mine FROM sim_orders").fetchall() == [(1,)]


def test_chance_is_lowbias32():
    def lowbias32(x: int) -> int:
        x = ((x ^ x >> 16) * 0x7FEB352D) & 0xFFFFFFFF
        x = ((x ^ x >> 15) * 0x846CA68B) & 0xFFFFFFFF
        return x ^ x >> 16

    numbers = [0, 1, 2, 12_345, 2**31, 2**32 - 1]
    with duckdb.connect() as connection:
        vocabulary(Shop(connection, PLAN, 1, 1, START, UNTIL))
        found = connection.execute("SELECT sim_mix(unnest($n::UBIGINT[]))", {"n": numbers}).fetchall()
        clean(connection)
    assert [value for (value,) in found] == [lowbias32(n) for n in numbers]


# --- files that other programs can read -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 500])
def test_small_shops_are_complete(tmp_path, size):
    made = shop(tmp_path, size)
    assert len(rows(made.customers)) == len(rows(made.truth)) == made.counts["customers"] == size
    assert len(rows(made.orders)) == made.counts["order_lines"]


def test_files_have_the_columns_of_real_exports(exports):
    assert ",".join(exports.customers[0]) == (
        "customer_id,first_name,last_name,email,phone,birth_date,gender,country,region,city,postcode,signup_date,"
        "newsletter,acquisition_channel,satisfaction_score"
    )
    assert ",".join(exports.orders[0]) == (
        "order_number,ordered_at,customer_id,product_code,product_name,category,quantity,unit_price,discount,channel"
    )
    assert ",".join(exports.products[0]) == "product_code,product_name,category,unit_cost,list_price"


def test_customer_ids_emails_and_telephones_are_unique(exports):
    assert len({row["customer_id"] for row in exports.customers}) == SIZE
    for column in ("email", "phone"):
        given = [row[column].lower().replace(" ", "").replace("+447", "07") for row in exports.customers if row[column]]
        assert len(set(given)) == len(given)


def test_the_crm_has_its_usual_mess(exports):
    missing = {name: sum(not row[name] for row in exports.customers) / SIZE for name in exports.customers[0]}
    for name in ("email", "phone", "birth_date", "gender", "country", "region", "postcode", "newsletter"):
        assert 0.02 < missing[name] < 0.1, name
    assert 0.4 < missing["satisfaction_score"] < 0.5
    assert missing["customer_id"] == missing["last_name"] == missing["signup_date"] == 0
    assert any(row["last_name"].endswith(" ") for row in exports.customers)
    assert {"United Kingdom", "UK", "GB", "England"} <= {row["country"] for row in exports.customers}
    births = [date.fromisoformat(row["birth_date"]) for row in exports.customers if row["birth_date"]]
    impossible = [born for born in births if born > UNTIL or born < date(1905, 1, 1)]
    assert 0 < len(impossible) < 0.01 * SIZE


def test_money_has_pennies_and_lines_are_worth_what_they_say(exports):
    prices = {row["product_code"]: Decimal(row["list_price"]) for row in exports.products}
    costs = {row["product_code"]: Decimal(row["unit_cost"]) for row in exports.products}
    assert len(prices) == exports.made.counts["products"] == len(exports.products)
    assert all(0 < costs[code] < price for code, price in prices.items())
    for line in exports.orders:
        price, discount = Decimal(line["unit_price"]), Decimal(line["discount"])
        assert price.as_tuple().exponent == discount.as_tuple().exponent == -2
        assert price == prices.get(line["product_code"], price)
        assert abs(discount) <= abs(int(line["quantity"]) * price) / 2
        assert (line["product_code"] in prices) == (line["category"] != "Fees")


def test_orders_are_numbered_and_written_by_time(exports):
    times = [line["ordered_at"] for line in exports.orders]
    assert times == sorted(times)
    sales = [line["order_number"] for line in exports.orders if not line["order_number"].startswith("R-")]
    assert sales == sorted(sales)


# --- reconciling ------------------------------------------------------------------------------------------------------


def test_counts_reconcile_with_the_truth(exports):
    assert [row["customer_id"] for row in exports.customers] == list(exports.truth)
    placed: dict[str, set[str]] = {customer: set() for customer in exports.truth}
    for line in exports.orders:
        if line["customer_id"] and not line["order_number"].startswith("R-"):
            placed[line["customer_id"]].add(line["order_number"])
    assert {customer: len(numbers) for customer, numbers in placed.items()} == {
        customer: int(row["orders"]) for customer, row in exports.truth.items()
    }
    counts = exports.made.counts
    lines = exports.orders
    assert counts["order_lines"] == len(lines)
    assert counts["orders"] == len({li["order_number"] for li in lines if not li["order_number"].startswith("R-")})
    assert counts["return_lines"] == sum(li["order_number"].startswith("R-") for li in lines)
    assert counts["fee_lines"] == sum(li["product_code"] in ("SHIP", "GIFTWRAP") for li in lines)
    assert counts["guest_lines"] == sum(not li["customer_id"] for li in lines)


def test_about_six_per_cent_of_lines_are_guests(exports):
    assert 0.04 < exports.made.counts["guest_lines"] / exports.made.counts["order_lines"] < 0.08


def test_returns_reference_earlier_orders_and_never_more_than_was_bought(exports):
    bought: dict[tuple[str, str], int] = {}
    when, who = {}, {}
    for line in exports.orders:
        number, back = line["order_number"].removeprefix("R-"), line["order_number"].startswith("R-")
        key = (number, line["product_code"])
        bought[key] = bought.get(key, 0) + int(line["quantity"])  # in the order of the file: sales come first
        assert (int(line["quantity"]) < 0) == back
        assert (Decimal(line["discount"]) <= 0) if back else (Decimal(line["discount"]) >= 0)
        if back:
            assert when[number] < line["ordered_at"]
            assert who[number] == line["customer_id"]
            assert bought[key] >= 0
        else:
            when[number], who[number] = line["ordered_at"], line["customer_id"]


def test_nobody_orders_before_signup_or_outside_the_window(exports):
    signup = {row["customer_id"]: row["signup_date"] for row in exports.customers}
    assert max(signup.values()) <= UNTIL.isoformat()
    for line in exports.orders:
        day = line["ordered_at"][:10]
        assert START.isoformat() <= day <= UNTIL.isoformat()
        assert day >= signup.get(line["customer_id"], day)


@pytest.mark.parametrize("until", [date(2024, 2, 29), date(2025, 12, 24)])
def test_the_window_is_24_months_up_to_any_day(tmp_path, until):
    days = {line["ordered_at"][:10] for line in rows(shop(tmp_path, until=until).orders)}
    assert max(days) <= until.isoformat()
    assert min(days) >= (until - timedelta(days=731)).isoformat()
    assert len(days) > 600


# --- planted as planned -----------------------------------------------------------------------------------------------


def test_group_sizes_are_those_of_the_plan(exports):
    groups = [row["behaviour_group"] for row in exports.truth.values()]
    for group in PLAN.groups:
        assert groups.count(group.name) / SIZE == pytest.approx(group.share, abs=0.02)


def test_every_group_behaves_as_planted(traits):
    orders, recency = by_group(traits, "avg(orders)"), by_group(traits, "median(recency_days)")
    value, discounts = by_group(traits, "median(order_value)"), by_group(traits, "avg(discount_share)")
    returns, store = by_group(traits, "avg(return_rate)"), by_group(traits, "avg(channel_store)")
    app, season = by_group(traits, "avg(channel_app)"), by_group(traits, "avg(november_december_share)")
    office = by_group(traits, "avg(category_OF + category_PA)")
    assert "never ordered" not in orders
    assert max(orders, key=orders.__getitem__) == max(office, key=office.__getitem__) == "office replenishers"
    assert max(value, key=value.__getitem__) == "lapsed big spenders"
    assert max(app, key=app.__getitem__) == "tech enthusiasts"
    for trait in (discounts, returns):
        assert max(trait, key=trait.__getitem__) == "bargain hunters"
    for trait in (store, season):
        assert max(trait, key=trait.__getitem__) == "seasonal gift buyers"
        assert trait["seasonal gift buyers"] > 0.6
    assert orders["one-time buyers"] == 1
    assert recency["new customers"] < 30
    assert recency["lapsed big spenders"] > 180


def test_members_of_a_group_differ(traits):
    spread = by_group(traits, "quantile_cont(spend, 0.9) / quantile_cont(spend, 0.1)")
    assert all(ratio > 2 for ratio in spread.values()), spread


def test_replenishers_order_more_regularly_than_others(traits):
    gaps = """
        WITH days AS (SELECT DISTINCT customer_id, behaviour_group, ordered_at::DATE AS day
                      FROM lines WHERE NOT is_return),
        gaps AS (SELECT *, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap FROM days),
        spreads AS (SELECT behaviour_group, stddev(gap) / avg(gap) AS spread FROM gaps
                    GROUP BY behaviour_group, customer_id HAVING count(gap) >= 5)
        SELECT median(spread) FILTER (behaviour_group = 'office replenishers'),
               median(spread) FILTER (behaviour_group = 'tech enthusiasts') FROM spreads
    """
    replenishers, enthusiasts = traits.execute(gaps).fetchone()
    assert replenishers < 0.75 * enthusiasts


def test_activity_says_who_is_still_buying(exports):
    last: dict[str, date] = {}
    for line in exports.orders:
        if not line["order_number"].startswith("R-"):
            last[line["customer_id"]] = datetime.fromisoformat(line["ordered_at"]).date()
    for customer, row in exports.truth.items():
        assert (row["activity"] == "never active") == (customer not in last)
        if row["behaviour_group"] == "lapsed big spenders":
            assert row["activity"] == "lapsed"
            assert (UNTIL - last[customer]).days >= 180
        if row["behaviour_group"] == "new customers":
            assert row["activity"] == "alive"
            assert (UNTIL - last[customer]).days < 60


def test_value_levels_rise_with_what_customers_spend(exports, traits):
    spend = dict(traits.execute("SELECT customer_id, spend FROM traits").fetchall())
    medians = [
        np.median([float(spend.get(c, 0)) for c, row in exports.truth.items() if row["value_level"] == level])
        for level in PLAN.value_levels
    ]
    assert medians == sorted(medians)
    assert medians[2] > 5 * medians[1] > 5 * medians[0]


def test_orders_follow_the_calendar(exports):
    times = [
        datetime.fromisoformat(li["ordered_at"])
        for li in exports.orders
        if li["product_code"] not in ("SHIP", "GIFTWRAP") and not li["order_number"].startswith("R-")
    ]
    per_month = np.bincount([t.month for t in times], minlength=13)
    assert per_month.argmax() in (11, 12)
    assert {t.hour for t in times} <= set(range(7, 24))
    store = [
        li["ordered_at"][11:13] for li in exports.orders if li["channel"] == "store" and "R-" not in li["order_number"]
    ]
    assert {int(hour) for hour in store} <= set(range(9, 19))


def test_k_means_finds_groups_close_to_the_planted_ones(traits):
    table = traits.execute("SELECT * FROM traits").fetchnumpy()
    logs = [
        np.log1p(np.maximum(table[name].astype(float), 0))
        for name in ("recency_days", "orders", "spend", "order_value")
    ]
    shares = [table[name].astype(float) for name in table if name.startswith(("category_", "channel_"))]
    # a rate of a single order says little: shrink it towards 0 (one order's worth of doubt)
    sure = table["orders"] / (table["orders"] + 1)
    rates = [table[name].astype(float) * sure for name in ("return_rate", "discount_share")]
    x = StandardScaler().fit_transform(np.column_stack([*logs, *rates, *shares]))
    planted = sum(group.orders_most > 0 for group in PLAN.groups)
    found = KMeans(planted, n_init=10, random_state=0).fit_predict(x)
    agreement = adjusted_rand_score(table["behaviour_group"], found)
    assert 0.55 < agreement < 0.9, "groups should be there to find, but overlap as real ones do"


# --- wrong use --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"size": 0}, "customers"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"until": date(1970, 1, 1)}, "until"),
    ],
)
def test_impossible_arguments_are_refused(tmp_path, wrong, named):
    with pytest.raises(UsageError, match=named):
        shop(tmp_path, **wrong)
    assert list(tmp_path.iterdir()) == []


def test_exports_of_others_are_not_overwritten(tmp_path):
    (tmp_path / "orders.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"orders\.csv"):
        shop(tmp_path)
    assert (tmp_path / "orders.csv").read_text(encoding="utf-8") == "mine"


def test_a_simulation_that_was_cut_off_can_be_run_again_and_leaves_nothing_behind(tmp_path):
    def cut(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with duckdb.connect() as connection:
        with pytest.raises(KeyboardInterrupt):
            simulate(tmp_path, customers=200, connection=connection, progress=cut)
        assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)
        whole = simulate(tmp_path, customers=200, connection=connection)
    assert len(rows(whole.orders)) == whole.counts["order_lines"]


def test_a_quote_in_the_folder_name_is_only_a_quote(tmp_path):
    made = shop(tmp_path / "Anne's shop", 10)
    assert made.orders.exists()


def test_progress_counts_up_to_all_customers(tmp_path):
    seen: list[tuple[int, int]] = []
    with duckdb.connect() as connection:
        simulate(
            tmp_path, customers=300, connection=connection, progress=lambda done, total: seen.append((done, total))
        )
    assert seen == sorted(seen)
    assert seen[-1] == (300, 300)
    assert {total for _, total in seen} == {300}


def test_plan_is_consistent():
    categories = {category.name for category in PLAN.categories}
    assert sum(group.share for group in PLAN.groups) == pytest.approx(1)
    for group in PLAN.everyone:
        assert set(group.categories) <= categories
        for mix in (group.categories, group.channels, group.acquired):
            assert sum(mix.values()) == pytest.approx(1), group.name
        assert group.tenure_days[0] <= group.tenure_days[1]
        assert 1 <= group.pace_shape <= 4
