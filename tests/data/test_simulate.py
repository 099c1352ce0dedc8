"""The simulated company: reproducible, reconciling with its truth, and behaving as planted."""

from __future__ import annotations

import csv
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import sqrt
from pathlib import Path

import duckdb
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from segmentry.data.simulation import FOLDERS, Simulation, simulate
from segmentry.data.simulation.chance import Company, clean, vocabulary
from segmentry.data.simulation.plan import PLAN
from segmentry.data.simulation.plan_people import OFFERS
from segmentry.errors import UsageError

UNTIL = date(2026, 6, 30)
START = date(2024, 7, 1)
RISE = date(2025, 4, 1)  # month 10
BORN = date(2025, 9, 1)  # month 15
MAILED = datetime(2026, 4, 14, 10)  # in month 22
MISSING = (date(2025, 11, 10), date(2025, 11, 16))  # in month 17
SIZE = 8_000


def company(folder: Path, size: int = 500, *, threads: int = 2, seed: int = 1, until: date = UNTIL) -> Simulation:
    with duckdb.connect(config={"threads": threads}) as connection:
        return simulate(folder, customers=size, seed=seed, until=until, connection=connection)


def contents(made: Simulation) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in made.files.items()}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@dataclass(frozen=True)
class Exports:
    """One simulated company, read by another parser than the one that wrote it."""

    made: Simulation
    customers: list[dict[str, str]]
    orders: list[dict[str, str]]
    products: list[dict[str, str]]
    truth: dict[str, dict[str, str]]

    def read(self, name: str) -> list[dict[str, str]]:
        return rows(self.made.files[name])


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    made = company(tmp_path_factory.mktemp("company"), SIZE, threads=4)
    truth = {row["customer_id"]: row for row in rows(made.files["truth/persons.csv"])}
    shop = (rows(made.files[f"shop/{name}.csv"]) for name in ("customers", "orders", "products"))
    return Exports(made, *shop, truth)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    return company(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def traits(exports: Exports) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with ``traits``: one row per customer who ordered, with the planted group."""
    files = {"orders": "shop/orders.csv", "truth": "truth/persons.csv"}
    with duckdb.connect() as connection:
        connection.execute(
            """
            CREATE TABLE lines AS SELECT o.*, behaviour_group, quantity * unit_price - discount AS amount,
                starts_with(order_number, 'R-') AS is_return, category = 'Fees' AS is_fee
            FROM read_csv($orders) AS o JOIN read_csv($truth) USING (customer_id)
            """,
            {name: str(exports.made.files[path]) for name, path in files.items()},
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
            FROM lines GROUP BY ALL HAVING count(*) FILTER (NOT is_return) > 0 ORDER BY customer_id
        """)
        yield connection


def by_group(connection: duckdb.DuckDBPyConnection, expression: str) -> dict[str, float]:
    query = f"SELECT behaviour_group, {expression} FROM traits GROUP BY 1"
    return {group: float(value) for group, value in connection.execute(query).fetchall()}


# --- the same again ---------------------------------------------------------------------------------------------------


def test_one_thread_in_tokyo_writes_the_same_bytes(exports, tmp_path, monkeypatch):
    # SIZE customers have several row groups of lines, so that the four threads of the fixture really share the work
    assert exports.made.counts["shop/orders.csv"] > 90_000
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET TimeZone = 'Asia/Tokyo'")
            there = simulate(tmp_path, customers=SIZE, connection=connection)
    finally:
        monkeypatch.undo()
        time.tzset()
    here = contents(exports.made)
    assert [name for name, data in contents(there).items() if here[name] != data] == []
    assert there.counts == exports.made.counts


def test_another_seed_makes_other_people_and_orders(small, tmp_path):
    one, two = contents(small), contents(company(tmp_path, seed=2))
    same = {name for name in one if one[name] == two[name]}
    assert not {name for name in same if name.startswith(("shop/customers", "shop/orders", "crm/", "newsletter/a"))}


def test_a_simulation_that_was_cut_off_can_be_run_again_and_leaves_nothing_behind(small, tmp_path):
    folder = tmp_path / "Anne's company"  # a quote is only a quote
    seen: list[tuple[int, int]] = []

    def cut(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    def catalogue(connection: duckdb.DuckDBPyConnection) -> list[tuple[str]]:
        return connection.execute("""
            SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views()
            UNION ALL SELECT function_name FROM duckdb_functions() ORDER BY ALL
        """).fetchall()

    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE sim_orders AS SELECT 1 AS mine")
        before = catalogue(connection)
        with pytest.raises(KeyboardInterrupt):
            simulate(folder, customers=500, connection=connection, progress=cut)
        assert catalogue(connection) == before
        whole = simulate(folder, customers=500, connection=connection, progress=lambda *done: seen.append(done))
        assert catalogue(connection) == before
        assert connection.execute("SELECT mine FROM sim_orders").fetchall() == [(1,)]
    assert contents(whole) == contents(small)
    assert seen == sorted(seen)
    assert seen[-1] == (500, 500)
    assert {total for _, total in seen} == {500}


def test_chance_is_lowbias32():
    def lowbias32(x: int) -> int:
        x = ((x ^ x >> 16) * 0x7FEB352D) & 0xFFFFFFFF
        x = ((x ^ x >> 15) * 0x846CA68B) & 0xFFFFFFFF
        return x ^ x >> 16

    numbers = [0, 1, 2, 12_345, 2**31, 2**32 - 1]
    with duckdb.connect() as connection:
        vocabulary(Company(connection, PLAN, 1, 1, START, UNTIL))
        found = connection.execute("SELECT sim_mix(unnest($n::UBIGINT[]))", {"n": numbers}).fetchall()
        clean(connection)
    assert [value for (value,) in found] == [lowbias32(n) for n in numbers]


# --- files that other programs can read -------------------------------------------------------------------------------


def test_500_customers_are_complete(small):
    for name in ("shop/customers.csv", "truth/persons.csv", "truth/records_shop.csv"):
        assert len(rows(small.files[name])) == small.counts[name] == 500
    assert {path for path in small.folder.rglob("*") if path.is_file()} == set(small.files.values())
    assert {name.partition("/")[0] for name in small.files} <= set(FOLDERS)  # those that are looked at before writing


def test_a_single_customer_is_a_company(tmp_path):
    made = company(tmp_path, 1, until=date(2024, 2, 29))
    assert made.counts["shop/customers.csv"] == 1
    assert made.counts["crm/accounts.csv"] == 3
    assert all(line["ordered_at"] <= "2024-03" for line in rows(made.files["shop/orders.csv"]))


COLUMNS = {
    "shop/customers.csv": "customer_id,first_name,last_name,email,phone,birth_date,gender,country,region,city,"
    "postcode,signup_date,newsletter,acquisition_channel,satisfaction_score,occupation",
    "shop/orders.csv": "order_number,ordered_at,customer_id,product_code,product_name,category,quantity,unit_price,"
    "discount,channel,store",
    "shop/products.csv": "product_code,product_name,category,unit_cost,list_price",
    "shop/stores.csv": "store_code,store_name,city,region,country,postcode,latitude,longitude",
    "crm/contacts.csv": "Id,AccountId,Salutation,FirstName,LastName,Title,Email,Phone,MobilePhone,Birthdate,"
    "MailingCity,MailingPostalCode,MailingCountry,LeadSource,HasOptedOutOfEmail,CreatedDate,Customer_Number__c",
    "crm/accounts.csv": "Id,Name,ParentId,Type,Industry,NumberOfEmployees,AnnualRevenue,Website,Phone,BillingCity,"
    "BillingPostalCode,BillingCountry,Relationship_Stage__c,CreatedDate,Technologies__c,Adoption_Stage__c",
    "crm/opportunities.csv": "Id,AccountId,Name,StageName,Amount,Probability,CloseDate,Type,LeadSource,"
    "ForecastCategoryName,IsClosed,IsWon,CreatedDate",
    "newsletter/campaign.csv": "Email Address,Arm,Sent At",
    "truth/persons.csv": "customer_id,person,behaviour_group,activity,value_level,orders,needs_segment,"
    "attitude_segment,innovativeness,price_consciousness,brand_loyalty,privacy_concern,occupation,age,digital,"
    "satisfaction,alive_probability,expected_orders_365d,expected_spend_365d,account,best_offer,experiment",
    "truth/accounts.csv": "account,parent,stage,customers,adoption_stage,early,technologies",
    "truth/offers.csv": "needs_segment,offer,response_probability",
    "truth/effects.csv": "behaviour_group,expected_effect_orders,expected_effect_spend,n_mailed,n_control",
    "truth/changes.csv": "what,from_date,behaviour_group,customers_concerned",
    "truth/faults.csv": "what,file,from,until,rows_concerned",
}


@pytest.mark.parametrize("name", COLUMNS)
def test_files_have_the_columns_of_real_exports(exports, name):
    with exports.made.files[name].open(encoding="utf-8") as file:
        assert file.readline().rstrip("\r\n") == COLUMNS[name]
    assert exports.made.counts[name] == len(exports.read(name)) > 0


def test_customer_ids_and_emails_are_unique_and_a_household_shares_its_telephone(exports):
    assert len({row["customer_id"] for row in exports.customers}) == SIZE
    emails = [row["email"].lower() for row in exports.customers if row["email"]]
    assert len(set(emails)) == len(emails)
    homes: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in exports.customers:
        if row["phone"]:
            homes[row["phone"].replace(" ", "").replace("+44", "0")].append(row)
    consumers = [home for number, home in homes.items() if number.startswith("07") and len(home) > 1]
    assert 0.02 < 2 * len(consumers) / SIZE < 0.2
    assert max(len(home) for home in consumers) == 2
    offices = [home for number, home in homes.items() if number.startswith("020")]
    assert max(len(home) for home in offices) > 2
    for home in offices:
        assert len({exports.truth[row["customer_id"]]["account"] for row in home}) == 1


def test_the_shop_has_its_usual_mess(exports):
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
    costs = {row["product_code"]: Decimal(row["unit_cost"]) for row in exports.products}
    assert len(costs) == exports.made.counts["shop/products.csv"]
    assert all(0 < costs[row["product_code"]] < Decimal(row["list_price"]) for row in exports.products)
    for line in exports.orders:
        price, discount = Decimal(line["unit_price"]), Decimal(line["discount"])
        assert price.as_tuple().exponent == discount.as_tuple().exponent == -2
        assert abs(discount) <= abs(int(line["quantity"]) * price) / 2
        assert (line["product_code"] in costs) == (line["category"] != "Fees")


def test_store_orders_and_only_those_name_a_store_usually_one_in_town(exports):
    towns = {row["store_code"]: row["city"] for row in exports.read("shop/stores.csv")}
    homes = {row["customer_id"]: row["city"].strip() for row in exports.customers}
    local = []
    for line in exports.orders:
        assert (line["channel"] == "store") == (line["store"] in towns) == bool(line["store"])
        if line["store"] and homes.get(line["customer_id"]) in towns.values():
            local.append(towns[line["store"]] == homes[line["customer_id"]])
    assert 0.8 < sum(local) / len(local) < 0.95
    for store in exports.read("shop/stores.csv"):
        assert 49 < float(store["latitude"]) < 61
        assert -11 < float(store["longitude"]) < 2


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
    missing = {customer: int(row["orders"]) - len(placed[customer]) for customer, row in exports.truth.items()}
    assert min(missing.values()) == 0
    assert 0 < sum(missing.values()) < 0.03 * exports.made.counts["orders"]  # the week that the export lacks
    counts = exports.made.counts
    lines = exports.orders
    assert counts["shop/orders.csv"] == len(lines)
    assert counts["orders"] == len({li["order_number"] for li in lines if not li["order_number"].startswith("R-")})
    assert counts["return_lines"] == sum(li["order_number"].startswith("R-") for li in lines)
    assert counts["fee_lines"] == sum(li["product_code"] in ("SHIP", "GIFTWRAP") for li in lines)
    assert counts["guest_lines"] == sum(not li["customer_id"] for li in lines)


def test_about_six_per_cent_of_lines_are_guests(exports):
    assert 0.04 < exports.made.counts["guest_lines"] / exports.made.counts["shop/orders.csv"] < 0.08


def test_returns_reference_earlier_orders_and_never_more_than_was_bought(exports):
    bought: dict[tuple[str, str], int] = {}
    when, who = {}, {}
    for line in exports.orders:
        number, back = line["order_number"].removeprefix("R-"), line["order_number"].startswith("R-")
        key = (number, line["product_code"])
        bought[key] = bought.get(key, 0) + int(line["quantity"])  # in the order of the file: sales come first
        assert (int(line["quantity"]) < 0) == back
        assert (Decimal(line["discount"]) <= 0) if back else (Decimal(line["discount"]) >= 0)
        if back and number not in when:  # it was bought in the missing week
            assert str(MISSING[0]) <= str(datetime.fromisoformat(line["ordered_at"]).date() - timedelta(days=2))
        elif back:
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
        assert (row["activity"] == "never active") == (row["orders"] == "0")
        if customer not in last:  # nothing, or nothing but orders in the missing week
            continue
        if row["behaviour_group"] == "lapsed big spenders":
            assert row["activity"] == "lapsed"
            assert (UNTIL - last[customer]).days >= 180
        if row["behaviour_group"] == "new customers":
            assert row["activity"] == "alive"
            assert (UNTIL - last[customer]).days < 60


def test_early_adopters_run_what_is_new_and_laggards_the_fax(exports):
    rows = exports.read("crm/accounts.csv")
    truth = {row["account"]: row for row in exports.read("truth/accounts.csv")}
    runs: dict[str, list[set[str]]] = defaultdict(list)
    for row in truth.values():
        runs["early" if float(row["early"]) > 0 else "late"].append(set(row["technologies"].split(";")))
    share = {(who, what): np.mean([what in stack for stack in runs[who]])
             for who in runs for what in ("AI assistant", "Cloud storage", "Fax")}  # fmt: skip
    for new in ("AI assistant", "Cloud storage"):
        assert share["early", new] > share["late", new] + 0.15
    assert share["late", "Fax"] > share["early", "Fax"] + 0.1
    noted = {row["Id"]: [t.strip().lower() for t in re.split("[;,]", row["Technologies__c"])]
             for row in rows if row["Technologies__c"]}  # fmt: skip
    assert 0.6 < len(noted) / len(rows) < 0.85
    assert any(len(set(names)) < len(names) for names in noted.values())  # noted twice
    for account, names in noted.items():
        assert set(names) <= set(truth[account]["technologies"].lower().split(";"))
    stated = [
        row["Adoption_Stage__c"] == truth[row["Id"]]["adoption_stage"] for row in rows if row["Adoption_Stage__c"]
    ]
    assert 0.7 < np.mean(stated) < 0.92


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
    found = KMeans(planted, n_init=5, random_state=0).fit_predict(x)
    agreement = adjusted_rand_score(table["behaviour_group"], found)
    assert 0.55 < agreement < 0.9, "groups should be there to find, but overlap as real ones do"


# --- needs, attitudes, value ------------------------------------------------------------------------------------------


def test_needs_lean_on_behaviour_without_following_from_it(exports):
    segments = [need.name for need in PLAN.needs]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in exports.truth.values():
        counts[row["behaviour_group"]][row["needs_segment"]] += 1
    everybody = sum(counts.values(), Counter())
    assert all(0.1 < everybody[segment] / SIZE < 0.4 for segment in segments)
    price = {group: count["price first"] / count.total() for group, count in counts.items()}
    assert max(price, key=price.__getitem__) == "bargain hunters"
    assert 0.5 < price["bargain hunters"] < 0.8
    assert all(count[segment] > 0 for count in counts.values() for segment in segments)


@pytest.mark.parametrize("segment", PLAN.attitudes, ids=lambda segment: segment.name)
def test_attitude_scores_scatter_around_the_means_of_their_segment(exports, segment):
    scores = np.array([
        [float(row[name]) for name in ("innovativeness", "price_consciousness", "brand_loyalty", "privacy_concern")]
        for row in exports.truth.values() if row["attitude_segment"] == segment.name
    ])  # fmt: skip
    assert scores.mean(axis=0) == pytest.approx(segment.means, abs=0.08)
    assert scores.std(axis=0) == pytest.approx(0.6, abs=0.05)


def test_the_best_offer_is_the_one_a_needs_segment_answers_most_often(exports):
    offers: dict[str, dict[str, float]] = defaultdict(dict)
    for row in exports.read("truth/offers.csv"):
        offers[row["needs_segment"]][row["offer"]] = float(row["response_probability"])
    best = {need: max(chances, key=chances.__getitem__) for need, chances in offers.items()}
    assert set(best.values()) == set(OFFERS)
    assert all(row["best_offer"] == best[row["needs_segment"]] for row in exports.truth.values())


def test_students_and_executives_buy_tablets_students_the_cheaper_ones(exports):
    paid: dict[str, list[float]] = defaultdict(list)
    buyers: dict[str, set[str]] = defaultdict(set)
    for line in exports.orders:
        if line["category"] == "Tablets" and line["customer_id"] and int(line["quantity"]) > 0:
            occupation = exports.truth[line["customer_id"]]["occupation"]
            paid[occupation].append(float(line["unit_price"]))
            buyers[occupation].add(line["customer_id"])
    customers = Counter(row["occupation"] for row in exports.truth.values() if int(row["orders"]))
    rate = {occupation: len(buyers[occupation]) / n for occupation, n in customers.items()}
    assert 0.35 < rate["student"] < 0.55
    assert 0.3 < rate["executive"] < 0.5
    assert all(share < 0.15 for occupation, share in rate.items() if occupation not in ("student", "executive"))
    assert np.median(paid["student"]) < 0.7 * np.median(paid["executive"])
    ages = [int(row["age"]) for row in exports.truth.values() if row["occupation"] == "student"]
    assert 18 <= min(ages) <= max(ages) < 25


def test_expected_value_continues_the_past_of_those_whose_habits_did_not_change(exports):
    year_ago = (UNTIL - timedelta(days=364)).isoformat()
    spend, orders = Counter[str](), defaultdict(set)
    for line in exports.orders:
        if line["ordered_at"] >= year_ago and line["category"] != "Fees" and not line["order_number"].startswith("R-"):
            worth = int(line["quantity"]) * Decimal(line["unit_price"]) - Decimal(line["discount"])
            spend[line["customer_id"]] += float(worth)
            orders[line["customer_id"]].add(line["order_number"])
    signup = {row["customer_id"]: row["signup_date"] for row in exports.customers}
    for group in ("office replenishers", "tech enthusiasts"):
        members = [
            (customer, row) for customer, row in exports.truth.items()
            if row["behaviour_group"] == group and row["activity"] == "alive" and signup[customer] < year_ago
        ]  # fmt: skip
        past = np.array([[len(orders[customer]), spend[customer]] for customer, _ in members])
        coming = np.array([
            [float(row["expected_orders_365d"]), float(row["expected_spend_365d"])] for _, row in members
        ])  # fmt: skip
        assert coming.mean(axis=0) == pytest.approx(past.mean(axis=0), rel=0.12)
        assert np.corrcoef(coming[:, 1], past[:, 1])[0, 1] > 0.6


def test_nothing_is_expected_of_those_who_are_gone(exports):
    for row in exports.truth.values():
        assert (float(row["expected_spend_365d"]) > 0) == (row["alive_probability"] == "1")
        if row["activity"] == "lapsed":
            assert row["alive_probability"] == "0"


# --- accounts and identities ------------------------------------------------------------------------------------------


def salesforce_suffix(identifier: str) -> str:
    """The last three characters of an 18-character id: which letters of each five are capitals, as bits."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    blocks = (identifier[start : start + 5] for start in (0, 5, 10))
    return "".join(letters[sum(1 << i for i, c in enumerate(block) if c.isupper())] for block in blocks)


def test_ids_of_the_crm_are_unique_and_have_their_check_letters(exports):
    for name, kind in (("accounts", "001"), ("contacts", "003"), ("opportunities", "006")):
        ids = [row["Id"] for row in exports.read(f"crm/{name}.csv")]
        assert len(set(ids)) == len(ids)
        assert all(i.startswith(kind) and len(i) == 18 and i[15:] == salesforce_suffix(i) for i in ids)


def test_accounts_are_a_hierarchy_of_at_most_three_levels(exports):
    parents = {row["Id"]: row["ParentId"] for row in exports.read("crm/accounts.csv")}
    assert {row["account"]: row["parent"] for row in exports.read("truth/accounts.csv")} == parents
    assert len(parents) == round(SIZE / 30)

    def level(account: str, seen: tuple[str, ...] = ()) -> int:
        assert account not in seen
        return 1 + level(parents[account], (*seen, account)) if parents[account] else 0

    levels = Counter(level(account) for account in parents)
    assert set(levels) == {0, 1, 2}
    assert 0.15 < (levels[1] + levels[2]) / len(parents) < 0.35


def test_business_contacts_belong_to_accounts_and_write_from_their_domain(exports):
    accounts = {row["Id"]: row for row in exports.read("crm/accounts.csv")}
    members = [row for row in exports.truth.values() if row["account"]]
    assert 0.06 < len(members) / SIZE < 0.10
    groups = Counter(row["behaviour_group"] for row in members)
    assert {group for group, _ in groups.most_common(2)} == {"office replenishers", "lapsed big spenders"}
    email = {row["customer_id"]: row["email"].lower() for row in exports.customers}
    for row in members:
        account = accounts[row["account"]]
        assert account["Type"] == "Customer - Direct"
        if email[row["customer_id"]] and account["Website"]:
            assert account["Website"].removeprefix("https://www.") == email[row["customer_id"]].split("@")[1]
    sizes = Counter(row["account"] for row in members)
    assert {row["account"]: int(row["customers"]) for row in exports.read("truth/accounts.csv")} == {
        account: sizes[account] for account in accounts
    }
    ordered = [row for row in exports.read("crm/contacts.csv") if row["Customer_Number__c"] and row["AccountId"]]
    assert all(exports.truth[row["Customer_Number__c"]]["account"] == row["AccountId"] for row in ordered)


def test_larger_accounts_win_larger_opportunities_and_prospects_none(exports):
    accounts = {row["Id"]: row for row in exports.read("crm/accounts.csv")}
    opportunities = exports.read("crm/opportunities.csv")
    won = [row for row in opportunities if row["IsWon"] == "true"]
    assert {row["StageName"] for row in won} == {"Closed Won"}
    assert all(accounts[row["AccountId"]]["Type"] == "Customer - Direct" for row in won)
    assert all((row["CloseDate"] <= UNTIL.isoformat()) == (row["IsClosed"] == "true") for row in opportunities)
    pairs = [
        (float(accounts[row["AccountId"]]["NumberOfEmployees"]), float(row["Amount"]))
        for row in won if accounts[row["AccountId"]]["NumberOfEmployees"]
    ]  # fmt: skip
    employees, amounts = np.log(np.array(pairs)).T
    assert np.corrcoef(employees, amounts)[0, 1] > 0.5


def test_records_say_which_contacts_are_which_customers(exports):
    person = {row["record_id"]: row["person"] for row in exports.read("truth/records_shop.csv")}
    assert person == {customer: row["person"] for customer, row in exports.truth.items()}
    behind = {row["record_id"]: row["person"] for row in exports.read("truth/records_crm.csv")}
    contacts, customers = exports.read("crm/contacts.csv"), set(person.values())
    assert list(behind) == [row["Id"] for row in contacts]
    registered = [row for row in contacts if behind[row["Id"]] in customers]
    numbered = [row for row in registered if row["Customer_Number__c"]]
    assert 0.77 < len(numbered) / len(registered) < 0.83
    assert all(person[row["Customer_Number__c"]] == behind[row["Id"]] for row in numbered)
    assert all(not row["Customer_Number__c"] for row in contacts if behind[row["Id"]] not in customers)
    assert 0.005 < 1 - len(set(behind.values())) / len(behind) < 0.04  # some people have two records


def test_the_same_person_is_written_differently_in_shop_and_crm(exports):
    shop = {row["customer_id"]: row for row in exports.customers}
    pairs = [(shop[row["Customer_Number__c"]], row) for row in exports.read("crm/contacts.csv")
             if row["Customer_Number__c"]]  # fmt: skip

    def differ(ours: str, theirs: str) -> float:
        both = [(a[ours].strip().lower(), b[theirs].lower()) for a, b in pairs if a[ours] and b[theirs]]
        return sum(a != b for a, b in both) / len(both)

    assert 0.05 < differ("first_name", "FirstName") < 0.3  # nicknames, initials
    assert 0.02 < differ("last_name", "LastName") < 0.12  # maiden names, typing errors
    assert 0.05 < differ("email", "Email") < 0.2  # second addresses
    assert 0.03 < differ("postcode", "MailingPostalCode") < 0.2  # who has moved
    assert ("Robert", "Bob") in {(a["first_name"].strip(), b["FirstName"]) for a, b in pairs}


# --- events and faults ------------------------------------------------------------------------------------------------


def test_one_week_is_missing_from_the_orders_and_noted_as_a_fault(exports):
    days = {line["ordered_at"][:10] for line in exports.orders}
    absent = [START + timedelta(days=n) for n in range(730) if (START + timedelta(days=n)).isoformat() not in days]
    assert (min(absent), max(absent), len(absent)) == (*MISSING, 7)
    (fault,) = [row for row in exports.read("truth/faults.csv") if row["file"] == "shop/orders.csv"]
    assert (fault["from"], fault["until"]) == tuple(day.isoformat() for day in MISSING)
    week_before = sum("2025-11-03" <= line["ordered_at"] < "2025-11-10" for line in exports.orders)
    assert int(fault["rows_concerned"]) == pytest.approx(week_before, rel=0.25)


def test_prices_rose_in_month_10_in_four_categories(exports):
    prices: dict[str, set[str]] = defaultdict(set)
    for line in exports.orders:
        if int(line["quantity"]) > 0:
            prices[line["product_code"], line["ordered_at"] >= RISE.isoformat()].add(line["unit_price"])
    assert all(len(each) == 1 for each in prices.values())
    now = {row["product_code"]: row["list_price"] for row in exports.products}
    category = {row["product_code"]: row["category"] for row in exports.products}
    for code, price in now.items():
        assert prices.get((code, True), {price}) == {price}
        for before in prices.get((code, False), ()):
            factor = 1.12 if category[code] in PLAN.price_rise.categories else 1
            assert float(price) == pytest.approx(float(before) * factor, abs=0.006)


def test_bargain_hunters_order_half_as_often_since_prices_rose(exports):
    early = {row["customer_id"] for row in exports.customers if row["signup_date"] < START.isoformat()}
    summers = {"bargain hunters": Counter[str](), "tech enthusiasts": Counter[str]()}
    for number, customer, when in {(li["order_number"], li["customer_id"], li["ordered_at"]) for li in exports.orders}:
        group = exports.truth[customer]["behaviour_group"] if customer in early else ""
        if group in summers and not number.startswith("R-") and when[5:7] in ("07", "08", "09"):
            summers[group][when[:4]] += 1
    ratio = {group: count["2025"] / count["2024"] for group, count in summers.items()}
    assert 0.35 < ratio["bargain hunters"] < 0.75
    assert ratio["tech enthusiasts"] > 0.85
    changes = {(row["behaviour_group"], row["from_date"]) for row in exports.read("truth/changes.csv")}
    assert ("bargain hunters", RISE.isoformat()) in changes
    assert ("", RISE.isoformat()) in changes


def test_content_creators_appear_in_month_15(exports):
    creators = {customer for customer, row in exports.truth.items() if row["behaviour_group"] == "content creators"}
    signups = [row["signup_date"] for row in exports.customers if row["customer_id"] in creators]
    assert BORN.isoformat() <= min(signups) < (BORN + timedelta(days=10)).isoformat()
    mine = [line for line in exports.orders if line["customer_id"] in creators]
    assert min(line["ordered_at"] for line in mine) >= BORN.isoformat()
    categories = Counter(line["category"] for line in mine if line["category"] != "Fees")
    assert categories.most_common(1)[0][0] == "Audio"
    changes = {row["behaviour_group"]: row for row in exports.read("truth/changes.csv")}
    assert changes["content creators"]["from_date"] == BORN.isoformat()
    assert int(changes["content creators"]["customers_concerned"]) == len(creators)


def test_the_campaign_went_to_a_random_half_of_the_newsletter_readers(exports):
    sent = exports.read("newsletter/campaign.csv")
    arms = Counter(row["Arm"] for row in sent)
    assert Counter(row["experiment"] for row in exports.truth.values() if row["experiment"]) == arms
    assert arms["mailed"] / arms.total() == pytest.approx(0.5, abs=0.03)
    assert {row["Sent At"] for row in sent if row["Arm"] == "mailed"} == {str(MAILED)}
    assert {row["Sent At"] for row in sent if row["Arm"] == "holdout"} == {""}
    arm = {row["Email Address"].lower(): row["Arm"] for row in sent}
    experiment = {
        row["customer_id"]: row for row in exports.customers if exports.truth[row["customer_id"]]["experiment"]
    }
    assert all(row["newsletter"] == "yes" for row in experiment.values())
    assert all(row["signup_date"] < str(MAILED) for row in experiment.values())
    known = [
        (customer, arm[row["email"].lower()]) for customer, row in experiment.items() if row["email"].lower() in arm
    ]
    assert len(known) > 0.8 * len(experiment)
    assert all(exports.truth[customer]["experiment"] == its for customer, its in known)


def test_the_campaign_works_as_the_truth_says(exports):
    within = (MAILED.isoformat(" "), (MAILED + timedelta(days=31)).strftime("%Y-%m-%d"))
    placed: dict[str, set[str]] = defaultdict(set)
    for line in exports.orders:
        if within[0] < line["ordered_at"] < within[1] and not line["order_number"].startswith("R-"):
            placed[line["customer_id"]].add(line["order_number"])
    for effect in exports.read("truth/effects.csv"):
        arms = {
            arm: np.array([
                len(placed[customer]) for customer, row in exports.truth.items()
                if (row["behaviour_group"], row["experiment"]) == (effect["behaviour_group"], arm)
            ])
            for arm in ("mailed", "holdout")
        }  # fmt: skip
        assert (len(arms["mailed"]), len(arms["holdout"])) == (int(effect["n_mailed"]), int(effect["n_control"]))
        error = sqrt(sum(orders.var() / len(orders) for orders in arms.values()))
        difference = arms["mailed"].mean() - arms["holdout"].mean()
        assert abs(difference - float(effect["expected_effect_orders"])) <= 3 * error
    found = {row["behaviour_group"]: float(row["expected_effect_orders"]) for row in exports.read("truth/effects.csv")}
    assert min(found, key=found.__getitem__) == "bargain hunters"
    assert found["bargain hunters"] < -0.03
    assert found["office replenishers"] == found["lapsed big spenders"] == 0
    assert found["tech enthusiasts"] > 0.05
    assert found["seasonal gift buyers"] > 0.08


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
        company(tmp_path, **wrong)
    assert list(tmp_path.iterdir()) == []


def test_exports_of_others_are_not_overwritten(tmp_path):
    mine = tmp_path / "shop" / "orders.csv"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="shop"):
        company(tmp_path)
    assert mine.read_text(encoding="utf-8") == "mine"


def test_plan_is_consistent():
    categories = {category.name for category in PLAN.categories}
    assert sum(group.share for group in PLAN.groups) == pytest.approx(1)
    for group in PLAN.everyone:
        assert set(group.categories) <= categories
        for mix in (group.categories, group.channels, group.acquired):
            assert sum(mix.values()) == pytest.approx(1), group.name
        assert group.tenure_days[0] <= group.tenure_days[1]
        assert 1 <= group.pace_shape <= 4
    for leanings, segments in ((PLAN.need_leanings, PLAN.needs), (PLAN.attitude_leanings, PLAN.attitudes)):
        assert set(leanings.by_group) == {group.name for group in PLAN.everyone}
        assert set(leanings.by_occupation) <= {occupation.name for occupation in PLAN.occupations}
        for weights in (*leanings.by_group.values(), *leanings.by_age, *leanings.by_occupation.values()):
            assert len(weights) == len(segments)
    assert all(set(need.offers) == set(OFFERS) for need in PLAN.needs)
    groups = {group.name for group in PLAN.groups}
    assert {*PLAN.campaign.extra, *PLAN.campaign.spoiled, *PLAN.price_rise.kept, *PLAN.price_rise.stopped} <= groups
    assert set(PLAN.price_rise.categories) <= categories
