"""The data of the benchmarks: a shop over 24 months, made by DuckDB, the same for the same size.

Ten order lines a customer on average, in orders of one to five lines. Who orders is heavy-tailed: most buy a few times,
some hundreds of times, one in eight never. 500 products in nine categories, four channels, 4 % returns, a discount on
three lines of ten.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from benchmarks.measure import say, scale

AS_OF = date(2026, 6, 30)
CUSTOMERS = 1_000_000
LINES_EACH = 10

CATEGORIES = ("audio", "books", "camera", "garden", "kitchen", "office", "phones", "sport", "toys")
CHANNELS = ("web", "store", "app", "phone")

# draw(i, salt): a number from 0 to 1 that depends on i and salt alone, whatever thread computes it.
_CHANCE = """
CREATE MACRO draw(i, salt) AS (hash(i * 1000 + salt) >> 11) / 9007199254740992.0;
CREATE MACRO one_of(names, u) AS names[1 + least(floor(u * len(names))::INT, len(names) - 1)];
"""

# Ten lines make four orders of 1, 1, 3 and 5 lines. Who places an order: u ** 1.8 makes few customers order much, and
# the multiplication with a prime scatters them over the keys. Orders lie between the customer's first day and the end.
_LINES = """
WITH numbered AS (
    SELECT i, i // 10 * 4 + [0, 1, 2, 2, 2, 3, 3, 3, 3, 3][1 + i % 10] AS order_number
    FROM range({first}, {last}) AS lines(i)
), ordered AS (
    SELECT i, order_number,
        1 + (floor({customers} * draw(order_number, 1) ** 1.8)::BIGINT * 7368787) % {customers} AS customer_key
    FROM numbered
), dated AS (
    SELECT *, greatest(0, draw(customer_key, 2) * 1.6 - .6) * 700 AS first_day,
        least(499, floor(500 * draw(i, 3) ** 1.5))::INT AS product_number, draw(i, 4) < .04 AS is_return,
        1 + floor(-ln(1 - draw(i, 5)) * .8)::INT AS pieces
    FROM ordered
), priced AS (
    SELECT *,
        TIMESTAMP '2024-07-01' + to_seconds(((first_day + (729 - first_day) * draw(order_number, 6)) * 86400)::BIGINT)
            AS bought_at,
        round(.49 + exp(2.5 + 1.1 * sqrt(-2 * ln(1 - draw(product_number, 7)))
            * cos(2 * pi() * draw(product_number, 8))), 2) AS unit_price
    FROM dated
)
SELECT customer_key, order_number, bought_at, product_number, pieces, is_return, unit_price,
    CASE WHEN draw(i, 9) < .3 THEN round(unit_price * pieces * .1, 2) ELSE 0 END AS off,
    one_of({categories}, (product_number % 9 + .5) / 9) AS category,
    one_of({channels}, draw(order_number, 10) ** 1.5) AS channel
FROM priced
"""

# As Segmentry keeps collected order lines: in the shape of tables.py, sorted by customer_key.
_KEPT_LINES = """
SELECT customer_key::BIGINT AS customer_key, 'O' || order_number AS "order", bought_at AS time,
    round(CASE WHEN is_return THEN -1 ELSE 1 END * (unit_price * pieces - off), 2) AS amount,
    CASE WHEN is_return THEN -1 ELSE 1 END * pieces::DOUBLE AS quantity, 'P' || (1000 + product_number) AS product,
    category, channel, off AS discount, round(unit_price * pieces * .55, 2) AS cost,
    CASE WHEN is_return THEN 'return' ELSE 'sale' END AS line_kind
FROM made ORDER BY customer_key
"""

# As a shop exports them: in the order of time.
_EXPORTED_LINES = """
SELECT 'O' || order_number AS order_number, bought_at AS ordered_at, printf('C-%08d', customer_key) AS customer_id,
    'P' || (1000 + product_number) AS product_code, category,
    CASE WHEN is_return THEN -1 ELSE 1 END * pieces AS quantity, unit_price,
    CASE WHEN is_return THEN -1 ELSE 1 END * off AS discount, channel
FROM made ORDER BY {order}
"""

_CUSTOMERS = """
SELECT k AS customer_key, printf('C-%08d', k) AS customer_id,
    CASE WHEN draw(k, 2) < .375 THEN TIMESTAMP '2024-07-01' - to_days((draw(k, 20) * 900)::INT)
        ELSE TIMESTAMP '2024-07-01' + to_seconds(((draw(k, 2) * 1.6 - .6) * 700 * 86400)::BIGINT) END AS joined_at,
    DATE '1940-01-01' + (draw(k, 21) * 24800)::INT AS birth_date,
    one_of(['F', 'M', 'female', 'male', 'X'], draw(k, 22) ** 1.3) AS gender,
    one_of(['United Kingdom', 'Germany', 'France', 'Spain', 'NL'], draw(k, 23) ** 2) AS country,
    one_of(['North', 'South', 'East', 'West', 'Centre'], draw(k, 24)) AS region,
    'Town ' || (draw(k, 25) ** 2 * 300)::INT AS city,
    (10000 + draw(k, 26) * 89999)::INT::VARCHAR AS postcode,
    one_of(['primary', 'secondary', 'bachelor', 'master'], draw(k, 27)) AS education,
    one_of(['single', 'married', 'divorced', 'widowed'], draw(k, 28) ** 1.5) AS marital_status,
    (1 + draw(k, 29) ** 2 * 5)::INT AS household_size, (draw(k, 30) ** 2 * 4)::INT AS children,
    one_of(['student', 'clerk', 'nurse', 'engineer', 'teacher', 'driver', 'retired'], draw(k, 31)) AS occupation,
    one_of(['en', 'de', 'fr', 'es'], draw(k, 32) ** 2) AS language,
    round(15000 + 30000 * -ln(1 - draw(k, 33))) AS income
FROM range(1, {customers} + 1) AS people(k)
"""

CONFIG = """\
engine: {engine}
name: Benchmark shop
primary: rfm
sources:
  customers:
    kind: customers
    path: {exports}/customers.{kind}
    columns: {{customer: customer_id, joined_at: joined_at, birth_date: birth_date, gender: gender, country: country,
      region: region, city: city, postcode: postcode}}
  orders:
    kind: transactions
    path: {exports}/orders*.{kind}
    columns: {{customer: customer_id, order: order_number, time: ordered_at, amount: quantity * unit_price - discount,
      quantity: quantity, product: product_code, category: category, channel: channel, discount: discount}}
segmentations:
  lifecycle:
    method: rules
    segments:
      - {{name: New, where: "lifecycle_stage = 'new'"}}
      - {{name: Active regulars, where: "lifecycle_stage = 'active' and frequency >= 4"}}
      - {{name: Active, where: "lifecycle_stage = 'active'"}}
      - {{name: Cooling, where: "lifecycle_stage = 'cooling'"}}
      - {{name: Lapsed, where: "lifecycle_stage = 'lapsed'"}}
    rest: No orders
  rfm: {{method: rfm}}
  value: {{method: value_tiers}}
  behaviour: {{method: kmeans}}
"""


def customers(of: int = CUSTOMERS) -> int:
    """How many customers are measured, of ``of`` at full size."""
    return max(int(of * scale()), 200)


def order_lines(data: Path) -> Path:
    """``lines.parquet``: order lines as Segmentry keeps them after collecting."""
    path = data / "lines.parquet"
    return path if path.exists() else write(path, _KEPT_LINES, customers())


def golden_customers(data: Path) -> Path:
    """``customers.parquet``: one row per customer, with everything that a customer record may say."""
    path = data / "customers.parquet"
    return path if path.exists() else write(path, _CUSTOMERS.format(customers=customers()))


def exports(data: Path, people: int, kind: str) -> Path:
    """A folder of exports for so many people: customers and orders as ``csv`` or ``parquet``.

    Orders of more than a million people come in several files, a million people's worth of lines each.
    """
    folder = data / f"exports-{people}-{kind}"
    if folder.exists():
        return folder
    beside = data / f"{folder.name}.writing"
    beside.mkdir(parents=True, exist_ok=True)
    own = (
        "education",
        "marital_status",
        "household_size",
        "children",
        "occupation",
        "language",
        "income",
        "customer_key",
    )
    listed = f"SELECT * EXCLUDE ({', '.join(own)}) FROM ({_CUSTOMERS.format(customers=people)})"
    write(beside / f"customers.{kind}", listed)
    pieces = max(1, people // CUSTOMERS)
    for i in range(pieces):
        # sorting 100 million lines by time would only cost time here: each file is in order
        query = _EXPORTED_LINES.format(order="bought_at, order_number, product_code")
        write(beside / f"orders-{i:03d}.{kind}", query, people, (i / pieces, (i + 1) / pieces))
    return beside.rename(folder)


def workspace(root: Path, exported: Path, engine: str) -> None:
    """A workspace folder that reads an export folder."""
    kind = exported.name.rpartition("-")[2]
    root.mkdir(parents=True, exist_ok=True)
    (root / "segmentry.yaml").write_text(CONFIG.format(engine=engine, exports=exported, kind=kind), encoding="utf-8")


def wake() -> None:
    """Import what Ibis imports at its first query: nobody's imports are timed, so ours are not either."""
    import ibis

    from segmentry import engine

    with engine.in_memory() as con:
        awake = con.create_table("awake", ibis.memtable({"here": [1]}))
        awake.group_by("here").agg(rows=awake.count()).to_pandas()


def write(path: Path, query: str, people: int | None = None, part: tuple[float, float] = (0, 1)) -> Path:
    """Run a query into a Parquet or CSV file; ``made`` in it are the order lines of so many people, or part of them."""
    import duckdb

    say(f"making {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".writing")
    with duckdb.connect() as con:
        con.execute(f"SET temp_directory = '{path.parent / 'temp'}'; SET memory_limit = '4GB'; SET TimeZone = 'UTC'")
        con.execute(_CHANCE)
        if people is not None:
            first, last = (int(people * share) * LINES_EACH for share in part)
            sizes = {"first": first, "last": last, "customers": people}
            made = _LINES.format(**sizes, categories=list(CATEGORIES), channels=list(CHANNELS))
            con.execute(f"CREATE VIEW made AS {made}")
        form = "FORMAT csv, HEADER" if path.suffix == ".csv" else "FORMAT parquet, COMPRESSION zstd"
        con.execute(f"COPY ({query}) TO '{beside}' ({form})")
    beside.rename(path)
    return path


LARGE = os.environ.get("SEGMENTRY_BENCH_LARGE") == "1"
