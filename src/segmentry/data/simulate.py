"""A simulated shop: the exports of an electronics and office retailer, and the truth that was planted in them.

:func:`simulate` writes what a CRM, a web shop and a product system would export, with the usual mess, and apart from
them the behaviour group of every customer, so that a segmentation can be held against what is really there. Who buys
what is data in ``simulate_plan.py``; chance and the calendar are in ``simulate_shop.py``; here is one function per
table, each a named SQL step that DuckDB runs.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING

from segmentry.data.simulate_plan import ACQUISITION, CHANNELS, PLAN
from segmentry.data.simulate_shop import DAY_UNITS, Shop, clean, vocabulary
from segmentry.errors import UsageError

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[int, int], None]  # customers' worth of work done, customers in all

CUSTOMERS_MOST = 50_000_000
SEED_MOST = 2**32 - 1
PRICE_SCALE = 0.7  # share of the price spread that varies from line to line; a personal taste adds to it
TASTE_SCALE = 0.5
SHIPPING, GIFT_WRAP = -1, -2  # product numbers of the fees


@dataclass(frozen=True)
class Simulation:
    """The files of a simulated shop.

    ``counts`` has the rows of every file and of their parts: ``customers``, ``products``, ``order_lines`` (all lines),
    ``orders`` (numbers without returns), ``return_lines``, ``fee_lines``, ``guest_lines``.
    """

    folder: Path
    customers: Path  # the CRM's export
    orders: Path  # the shop's export, one line per order line
    products: Path  # codes, costs and list prices
    truth: Path  # customer -> planted group, activity and value level; never an input
    counts: Mapping[str, int]


def simulate(
    folder: Path,
    *,
    customers: int = 20_000,
    seed: int = 1,
    until: date = date(2026, 6, 30),
    connection: duckdb.DuckDBPyConnection,
    progress: Progress | None = None,
) -> Simulation:
    """Write the exports of a simulated retailer for the 24 months that end with ``until`` (included).

    ``customers`` are registered in the CRM, some of whom never ordered; guests without a customer id come on top. A
    line of orders.csv is worth ``quantity * unit_price - discount``; on a return both the quantity and the discount are
    negative. Times are the shop's local ones. Same arguments, same bytes. The work is done on ``connection``, in
    temporary tables and macros (``sim_*``, ``draw*``) that are gone afterwards.

    Raises UsageError for impossible arguments, and when ``folder`` holds exports that this function has not written.
    """
    _check_arguments(customers, seed, until)
    files = _files(folder)
    shop = Shop(connection, PLAN, customers, seed, _months_before(until, PLAN.months), until)
    counts: dict[str, int] = {}
    # (share of the work, measured at 1,000,000 customers; what to do). The truth goes first: it marks the folder as
    # ours, so that a simulation that was cut off can be run again.
    steps: tuple[tuple[float, Callable[[], object]], ...] = (
        (0.01, lambda: vocabulary(shop)),
        (0.05, lambda: _people(shop)),
        (0.01, lambda: _truth_export(shop, files.truth)),
        (0.01, lambda: counts.update(_products(shop, files.products))),
        (0.10, lambda: counts.update(_customers_export(shop, files.customers))),
        (0.15, lambda: _orders(shop)),
        (0.27, lambda: _lines(shop)),
        (0.15, lambda: counts.update(_bill(shop))),
        (0.25, lambda: _orders_export(shop, files.orders)),
    )
    try:
        for share, (_, step) in zip(accumulate(share for share, _ in steps), steps, strict=True):
            step()
            if progress is not None:
                progress(round(customers * share), customers)
    finally:
        clean(connection)
    return Simulation(folder, files.customers, files.orders, files.products, files.truth, counts)


@dataclass(frozen=True)
class _Files:
    customers: Path
    orders: Path
    products: Path
    truth: Path


def _check_arguments(customers: int, seed: int, until: date) -> None:
    if not 1 <= customers <= CUSTOMERS_MOST:
        raise UsageError(
            f"customers is {customers}.",
            why=f"A simulated shop has 1 to {CUSTOMERS_MOST:,} customers.",
            fix="Choose a number in between; 20,000 is a good start.",
        )
    if not 0 <= seed <= SEED_MOST:
        raise UsageError(f"seed is {seed}.", why=f"Allowed: 0 to {SEED_MOST}.", fix="Choose a number in between.")
    if not 2000 <= until.year <= 2100:
        raise UsageError(f"until is {until}.", why="Allowed: a day from 2000 to 2100.", fix="Choose such a day.")


def _files(folder: Path) -> _Files:
    """The files to write, in existing folders; somebody else's exports are not overwritten."""
    files = _Files(
        folder / "customers.csv", folder / "orders.csv", folder / "products.csv", folder / "truth" / "customers.csv"
    )
    foreign = [path.name for path in (files.customers, files.orders, files.products) if path.exists()]
    if foreign and not files.truth.exists():
        raise UsageError(
            f"{folder} already holds {' and '.join(foreign)}.",
            why="No truth/customers.csv is beside them, so no simulation wrote them; they would be overwritten.",
            fix="Choose an empty folder.",
        )
    files.truth.parent.mkdir(parents=True, exist_ok=True)
    return files


def _months_before(until: date, months: int) -> date:
    """The first day of the window of whole months that ends with ``until``.

    >>> _months_before(date(2026, 6, 30), 24), _months_before(date(2028, 2, 28), 24)
    (datetime.date(2024, 7, 1), datetime.date(2026, 2, 28))
    """
    after = until + timedelta(days=1)
    month = after.year * 12 + after.month - 1 - months
    year, month = divmod(month, 12)
    return date(year, month + 1, min(after.day, calendar.monthrange(year, month + 1)[1]))


# --- one function per table -------------------------------------------------------------------------------------------


def _products(shop: Shop, path: Path) -> dict[str, int]:
    """``sim_products`` and products.csv: the range of every category, in order of price; fees have numbers below 0."""
    rows: list[tuple[object, ...]] = []
    for category_no, c in enumerate(shop.plan.categories):
        for rank in range(c.products):
            odds = (rank + 0.5) / (c.products - rank - 0.5)
            price = _shelf_price(c.price * exp(c.spread * log(odds) / 1.702))  # 1.702: as in sim_below
            noun = c.nouns[(rank * 7) % len(c.nouns)]
            brand = shop.plan.brands[(rank * 5 + category_no) % len(shop.plan.brands)]
            code, name = f"{c.prefix}-{1001 + rank}", f"{brand} {noun} {100 + 10 * rank}"
            rows.append((len(rows), code, name, c.name, price, c.margin, c.returned))
    rows.append((SHIPPING, "SHIP", "Shipping", "Fees", 4.95, 0.0, 0.0))
    rows.append((GIFT_WRAP, "GIFTWRAP", "Gift wrapping", "Fees", 3.50, 0.0, 0.0))
    texts = dict.fromkeys(("code", "name", "category"), "VARCHAR")
    numbers = {"list_price": "DECIMAL(10, 2)", "margin": "DOUBLE", "returned": "DOUBLE"}
    shop.load("sim_products", {"product_no": "INTEGER", **texts, **numbers}, rows)
    return {"products": shop.export(_PRODUCTS, path, seed=shop.seed)}


def _shelf_price(price: float) -> float:
    """A price as it stands on the shelf.

    >>> _shelf_price(4.31), _shelf_price(31.2), _shelf_price(412.0)
    (4.49, 31.99, 409.0)
    """
    if price < 10:
        return max(0.49, round(price * 2) / 2 - 0.01)
    return round(price // 1 + 0.99, 2) if price < 100 else round(price / 10) * 10 - 1.0


_PRODUCTS = """
SELECT code AS product_code, name AS product_name, category,
    round(list_price * (1 - margin * (0.85 + 0.3 * draw(sim_hash($seed, 11), product_no))), 2)::DECIMAL(10, 2)
        AS unit_cost,
    list_price
FROM sim_products WHERE product_no >= 0 ORDER BY product_no
"""


def _people(shop: Shop) -> None:
    """``sim_people``: registered customers, numbered by signup, and guests: their group, span, pace and tastes."""
    guests = round(shop.size * shop.plan.guests.share)
    shop.run(_PEOPLE, seed=shop.seed, size=shop.size, guests=guests, guest_group=len(shop.plan.groups),
             first_guest=2**31, start=shop.start, until=shop.until, day_units=DAY_UNITS)  # fmt: skip


_PEOPLE = """
CREATE OR REPLACE TEMP TABLE sim_people AS
WITH registered AS (
    SELECT i::UBIGINT AS person, sim_hash(sim_mix(i::UBIGINT), $seed + 1) AS h
    FROM range(1, $size + 1) AS t(i)
), grouped AS (
    SELECT person, h, choice AS group_no
    FROM registered JOIN sim_choices ON kind = 'group' AND slot = draw_below(h, 1, 1000)
    UNION ALL
    SELECT i::UBIGINT, sim_hash(sim_mix(i::UBIGINT), $seed + 1), $guest_group
    FROM range($first_guest, $first_guest + $guests) AS t(i)
), joined AS (
    SELECT person, h, g.*, draw_normal(h, 2) AS taste,
        $until::DATE - (tenure_least + draw_below(h, 3, tenure_most - tenure_least + 1))::INTEGER AS signup_date,
        -- nobody falls silent before two months are over
        CASE WHEN draw(h, 4) < lapse_share
            THEN greatest(signup_date + 60,
                          $until::DATE - (quiet_least + draw_below(h, 5, quiet_most - quiet_least + 1))::INTEGER)
            WHEN active_days IS NOT NULL THEN least($until::DATE, signup_date + active_days)
            ELSE $until::DATE END AS last_day
    FROM grouped JOIN sim_groups AS g USING (group_no)
), spanned AS (
    SELECT *, greatest(signup_date, $start::DATE) AS active_from,
        greatest(last_day, $start::DATE) AS active_until
    FROM joined
), slotted AS (
    SELECT s.*, f.first_slot AS slot_from, u.last_slot - f.first_slot + 1 AS slots
    FROM spanned AS s
    JOIN sim_days AS f ON f.season_no = s.season_no AND f.day = active_from
    JOIN sim_days AS u ON u.season_no = s.season_no AND u.day = active_until
), paced AS (
    SELECT *, orders_per_year * draw_pace(h, 6, pace_shape) * slots / ($day_units * 365.0) AS orders_expected
    FROM slotted
)
SELECT person, h, group_no, season_no, even, taste, signup_date, active_until, slot_from, slots,
    basket,
    least(orders_most, greatest(orders_least,
        CASE WHEN even THEN round(orders_expected + 0.3 * draw_normal(h, 12))
             ELSE draw_count(h, 12, orders_expected) END))::INTEGER AS orders,
    CASE WHEN group_no <> $guest_group THEN row_number() OVER (
        PARTITION BY group_no = $guest_group ORDER BY signup_date, person)::INTEGER END AS customer_no
FROM paced
"""


def _orders(shop: Shop) -> None:
    """``sim_orders``: one row per order, numbered by time."""
    shop.run(_ORDERS)


_ORDERS = """
CREATE OR REPLACE TEMP TABLE sim_orders AS
WITH single AS (
    SELECT *, unnest(range(1, orders + 1)) AS k FROM sim_people
), hashed AS (
    SELECT person, h AS h_person, sim_hash(h, 100 + k) AS h, group_no, season_no, k, orders, even, slot_from, slots
    FROM single
), placed AS (
    -- replenishment is spread evenly with some play, everything else falls where it may
    SELECT *, slot_from + CASE WHEN even THEN floor((k - 0.5 + 0.8 * (draw(h, 1) - 0.5)) / orders * slots)
                               ELSE draw_below(h, 1, slots) END::INTEGER AS slot,
        -- three orders in five go through the person's favourite channel
        floor(1000 * CASE WHEN draw(h, 2) < 0.6 THEN draw(h_person, 20) ELSE draw(h, 3) END)::INTEGER AS channel_slot
    FROM hashed
), dated AS (
    SELECT person, h, o.group_no, k, day, sale,
        -- nobody answers the phone at the weekend
        CASE WHEN choice = 3 AND isodow(day) > 5 THEN 0 ELSE choice END AS channel_no
    FROM placed AS o
    JOIN sim_calendar AS c ON c.season_no = o.season_no AND c.slot = o.slot
    JOIN sim_choices AS x ON kind = 'channel' AND x.group_no = o.group_no AND x.slot = channel_slot
), timed AS (
    SELECT *, day + to_seconds(floor(3600 * CASE
        WHEN channel_no = 1 THEN 9 + 5 * (draw(h, 4) + draw(h, 5))  -- the store is open from 9 to 19
        WHEN channel_no = 3 THEN 8.5 + 4.5 * (draw(h, 4) + draw(h, 5))
        WHEN draw(h, 6) < 0.4 THEN 7 + 4.5 * (draw(h, 4) + draw(h, 5))  -- during the day
        ELSE 16.5 + 3.5 * (draw(h, 4) + draw(h, 5))  -- in the evening
    END)::BIGINT) AS ordered_at
    FROM dated
)
SELECT row_number() OVER (ORDER BY ordered_at, person, k)::INTEGER AS order_no, person, h, group_no, channel_no, sale,
    ordered_at
FROM timed
"""


def _lines(shop: Shop) -> None:
    """``sim_lines``: one row per product of an order, in narrow numbers, with the pieces that will come back."""
    per_category = [(c.products, c.quantity) for c in shop.plan.categories]
    firsts = [0, *accumulate(products for products, _ in per_category)]
    shop.run(_LINES, products=[n for n, _ in per_category], quantities=[q for _, q in per_category], firsts=firsts,
             price_scale=PRICE_SCALE, taste_scale=TASTE_SCALE)  # fmt: skip


_LINES = """
CREATE OR REPLACE TEMP TABLE sim_lines AS
WITH single AS (
    SELECT order_no, person, o.h AS h_order, group_no, sale,
        unnest(range(1, 2 + greatest(0, draw_count(o.h, 7, lines - 1)))) AS line
    FROM sim_orders AS o JOIN sim_groups USING (group_no)
), hashed AS (
    SELECT order_no, line, sim_hash(h_order, 100 + line) AS h, p.h AS h_person, p.group_no, sale, taste
    FROM single JOIN sim_people AS p USING (person)
), chosen AS (
    -- one line in three is of the person's favourite category
    SELECT l.*, choice + 1 AS category,
        sim_below(price_shift + $taste_scale * taste + $price_scale * draw_normal(h, 3)) AS price_quantile,
        -- a sale tempts everybody a little
        draw(h, 4) < discount_share + CASE WHEN sale THEN 0.2 * (1 - discount_share) ELSE 0 END AS discounted,
        greatest(0.05, least(0.5, round(20 * discount_depth * (0.4 + 1.2 * draw(h, 5))) / 20)) AS depth, return_rate
    FROM hashed AS l
    JOIN sim_groups USING (group_no)
    JOIN sim_choices AS x ON kind = 'category' AND x.group_no = l.group_no
        AND x.slot = floor(1000 * CASE WHEN draw(h, 1) < 0.33 THEN draw(h_person, 21) ELSE draw(h, 2) END)::INTEGER
), filled AS (
    SELECT order_no, line, h, discounted, depth, return_rate,
        ($firsts::INTEGER[])[category] + floor(price_quantile * ($products::INTEGER[])[category])::INTEGER
            AS product_no,
        greatest(1, least(50, round(($quantities::DOUBLE[])[category] * exp(0.5 * draw_normal(h, 6)))))::INTEGER
            AS quantity
    FROM chosen
)
SELECT order_no, line::TINYINT AS line, product_no::SMALLINT AS product_no, quantity::TINYINT AS quantity, list_price,
    CASE WHEN discounted THEN round(quantity * list_price * depth, 2) ELSE 0 END::DECIMAL(10, 2) AS discount,
    CASE WHEN draw(h, 8) < return_rate * returned
        THEN 1 + draw_below(h, 9, quantity) ELSE 0 END::TINYINT AS pieces_returned
FROM filled JOIN sim_products USING (product_no)
"""


def _customers_export(shop: Shop, path: Path) -> dict[str, int]:
    """customers.csv as a CRM writes it, with its mess."""
    names = shop.plan.first_names
    rows = shop.export(_CUSTOMERS, path, until=shop.until, women=list(names["F"]), men=list(names["M"]),
                       surnames=list(shop.plan.last_names), acquisition=list(ACQUISITION))  # fmt: skip
    return {"customers": rows}


_CUSTOMERS = """
WITH drawn AS (
    SELECT customer_no, p.h, signup_date, satisfaction, choice AS acquired_no, draw(p.h, 30) < 0.51 AS woman,
        draw_below(p.h, 33, len($surnames::VARCHAR[])) + 1 AS surname_no,
        least(92, greatest(21, age + 12 * draw_normal(p.h, 31))) AS years,
        draw_below(p.h, 32, 1000)::INTEGER AS place_slot
    FROM sim_people AS p
    JOIN sim_groups USING (group_no)
    JOIN sim_choices AS x ON kind = 'acquired' AND x.group_no = p.group_no AND x.slot = draw_below(p.h, 34, 1000)
    WHERE customer_no IS NOT NULL
), named AS (
    SELECT d.*, city, region, country, postcode AS area, string_split(spellings, '|') AS spellings,
        ($surnames::VARCHAR[])[surname_no] AS last_name,
        CASE WHEN woman THEN ($women::VARCHAR[])[1 + draw_below(h, 35, len($women::VARCHAR[]))]
             ELSE ($men::VARCHAR[])[1 + draw_below(h, 35, len($men::VARCHAR[]))] END AS first_name
    FROM drawn AS d
    JOIN sim_choices AS x ON kind = 'place' AND x.slot = place_slot
    JOIN sim_places ON place_no = x.choice
), addressed AS (
    -- RFC 2606 keeps .example free: no mail to a simulated customer can arrive anywhere
    SELECT *, regexp_replace(strip_accents(lower(
            CASE WHEN draw(h, 40) < 0.6 THEN first_name || '.' || last_name ELSE left(first_name, 1) || last_name END
        )), '[^a-z.]', '', 'g') || customer_no
        || ['@mail.example', '@inbox.example', '@post.example'][1 + draw_below(h, 41, 3)] AS email,
        -- a bijection of the number (the factor is prime to 2^29): no two customers share a telephone
        format('{:09d}', 400000000 + (customer_no::BIGINT * 387420489) % 536870912) AS telephone,
        CASE country
            WHEN 'United Kingdom' THEN format('{}{} {}{}{}', area, 1 + draw_below(h, 42, 28), draw_below(h, 43, 10),
                chr(65 + draw_below(h, 44, 26)::INTEGER), chr(65 + draw_below(h, 45, 26)::INTEGER))
            WHEN 'Ireland' THEN format('{}{:02d} {}{:03d}', area, 1 + draw_below(h, 42, 24),
                chr(65 + draw_below(h, 44, 26)::INTEGER), draw_below(h, 43, 1000))
            WHEN 'Netherlands' THEN format('{}{:02d} {}{}', area, draw_below(h, 43, 100),
                chr(65 + draw_below(h, 44, 26)::INTEGER), chr(65 + draw_below(h, 45, 26)::INTEGER))
            ELSE format('{}{:03d}', area, draw_below(h, 43, 1000))
        END AS full_postcode
    FROM named
)
SELECT
    format('C-{:06d}', customer_no) AS customer_id,
    first_name || CASE WHEN draw(h, 50) < 0.02 THEN ' ' ELSE '' END AS first_name,
    CASE WHEN draw(h, 51) < 0.02 THEN upper(last_name) ELSE last_name END
        || CASE WHEN draw(h, 52) < 0.02 THEN '  ' ELSE '' END AS last_name,
    CASE WHEN draw(h, 53) < 0.03 THEN NULL WHEN draw(h, 54) < 0.04 THEN upper(email) ELSE email END AS email,
    CASE WHEN draw(h, 55) < 0.08 THEN NULL
         WHEN draw(h, 56) < 0.3 THEN '+44 7' || left(telephone, 3) || ' ' || right(telephone, 6)
         WHEN draw(h, 57) < 0.3 THEN '07' || left(telephone, 3) || ' ' || right(telephone, 6)
         ELSE '07' || telephone END AS phone,
    CASE WHEN draw(h, 58) < 0.06 THEN NULL
         WHEN draw(h, 59) < 0.004  -- what people type who do not want to tell
             THEN [DATE '1900-01-01', DATE '1871-05-17', DATE '2107-03-09'][1 + draw_below(h, 60, 3)]
         ELSE $until::DATE - (365.25 * years + draw_below(h, 61, 365))::INTEGER END AS birth_date,
    CASE WHEN draw(h, 62) < 0.05 THEN NULL WHEN draw(h, 63) < 0.01 THEN 'X' WHEN woman THEN 'F' ELSE 'M' END AS gender,
    CASE WHEN draw(h, 64) < 0.03 THEN NULL
         WHEN draw(h, 65) < 0.16 THEN spellings[1 + draw_below(h, 66, len(spellings))]
         ELSE country END AS country,
    CASE WHEN draw(h, 67) < 0.06 THEN NULL ELSE region END AS region,
    city || CASE WHEN draw(h, 68) < 0.03 THEN ' ' ELSE '' END AS city,
    CASE WHEN draw(h, 69) < 0.05 THEN NULL WHEN draw(h, 70) < 0.04 THEN lower(full_postcode) ELSE full_postcode END
        AS postcode,
    signup_date,
    CASE WHEN draw(h, 71) < 0.03 THEN NULL WHEN draw(h, 72) < 0.3 + 0.05 * satisfaction THEN 'yes' ELSE 'no' END
        AS newsletter,
    CASE WHEN draw(h, 73) < 0.04 THEN NULL ELSE ($acquisition::VARCHAR[])[1 + acquired_no] END AS acquisition_channel,
    CASE WHEN draw(h, 74) < 0.55 THEN round(least(10, greatest(0, satisfaction + 1.8 * draw_normal(h, 75))))::INTEGER
        END AS satisfaction_score
FROM addressed ORDER BY customer_no
"""


def _bill(shop: Shop) -> dict[str, int]:
    """``sim_bill``: the lines of orders.csv in narrow numbers; replaces ``sim_lines``."""
    shop.run(_BILL, until=shop.until, shipping=SHIPPING, gift_wrap=GIFT_WRAP)
    shop.run("DROP TABLE sim_lines")
    names = ("orders", "order_lines", "fee_lines", "return_lines", "guest_lines")
    return dict(zip(names, shop.run(_BILL_COUNTS), strict=True))


_BILL = """
CREATE OR REPLACE TEMP TABLE sim_bill AS
WITH baskets AS (
    SELECT order_no, sum(quantity * list_price - discount) AS value FROM sim_lines GROUP BY order_no
), headed AS (
    SELECT order_no, o.h, ordered_at, channel_no, customer_no, value,
        gift_wrap * CASE WHEN month(ordered_at) >= 11 THEN 1 ELSE 0.2 END AS wrap_share,
        -- back within a month, at an hour when the store is open
        date_trunc('day', ordered_at) + to_days((2 + draw_below(o.h, 10, 27))::INTEGER)
            + to_seconds(32400 + draw_below(o.h, 11, 32400)) AS returned_at
    FROM sim_orders AS o JOIN baskets USING (order_no) JOIN sim_people USING (person)
    JOIN sim_groups AS g ON g.group_no = o.group_no
)
SELECT order_no, false AS is_return, line, ordered_at AS billed_at, product_no, quantity, discount, customer_no,
    channel_no
FROM sim_lines JOIN headed USING (order_no)
UNION ALL
SELECT order_no, true, line, returned_at, product_no, -pieces_returned,
    -round(discount * pieces_returned / quantity, 2)::DECIMAL(10, 2), customer_no, channel_no
FROM sim_lines JOIN headed USING (order_no)
WHERE pieces_returned > 0 AND returned_at < $until::DATE + 1  -- later ones are still to come
UNION ALL
SELECT order_no, false, 126, ordered_at, $gift_wrap, 1, 0, customer_no, channel_no
FROM headed WHERE draw(h, 12) < wrap_share
UNION ALL
SELECT order_no, false, 127, ordered_at, $shipping, 1, 0, customer_no, channel_no
FROM headed WHERE channel_no <> 1 AND value < 50  -- the store does not ship, and from 50 on shipping is free
"""

_BILL_COUNTS = """
SELECT count(*) FILTER (line = 1 AND NOT is_return), count(*), count(*) FILTER (product_no < 0),
    count(*) FILTER (is_return), count(*) FILTER (customer_no IS NULL)
FROM sim_bill
"""


def _orders_export(shop: Shop, path: Path) -> None:
    """orders.csv as a web shop writes it: products, gift wrapping, shipping, and returns as negative lines."""
    shop.export(_ORDER_LINES, path, channels=list(CHANNELS))


_ORDER_LINES = """
SELECT CASE WHEN is_return THEN 'R-S' ELSE 'S' END || (1000000 + order_no) AS order_number,
    strftime(billed_at, '%Y-%m-%d %H:%M:%S') AS ordered_at,
    CASE WHEN customer_no IS NOT NULL THEN format('C-{:06d}', customer_no) END AS customer_id,
    code AS product_code, name AS product_name, category, quantity, list_price AS unit_price, discount,
    ($channels::VARCHAR[])[1 + channel_no] AS channel
FROM sim_bill JOIN sim_products USING (product_no)
ORDER BY billed_at, order_no, is_return, line
"""


def _truth_export(shop: Shop, path: Path) -> None:
    """truth/customers.csv: what was planted."""
    levels = sorted(shop.plan.value_levels.items(), key=lambda level: level[1])
    names, least = zip(*levels, strict=True)
    shop.export(_TRUTH, path, until=shop.until, names=list(names), least=list(least), scale=TASTE_SCALE * 0.55)


# A member's taste moves log prices by TASTE_SCALE spreads, and the average spread of the categories is 0.55.
_TRUTH = """
WITH planned AS (
    SELECT *, orders * basket * exp($scale * taste) AS spend FROM sim_people WHERE customer_no IS NOT NULL
)
SELECT format('C-{:06d}', customer_no) AS customer_id, name AS behaviour_group,
    CASE WHEN orders = 0 THEN 'never active' WHEN active_until < $until::DATE THEN 'lapsed' ELSE 'alive' END
        AS activity,
    ($names::VARCHAR[])[len(list_filter($least::DOUBLE[], lambda level: level <= spend))] AS value_level,
    orders
FROM planned JOIN sim_groups USING (group_no)
ORDER BY customer_no
"""
