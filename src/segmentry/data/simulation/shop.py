"""The shop of the demo company: its range, stores, orders and returns, and the exports of the shop's system."""

from __future__ import annotations

from datetime import timedelta
from itertools import accumulate
from math import exp, log
from pathlib import Path

from segmentry.data.simulation.chance import Company
from segmentry.data.simulation.plan import PriceRise
from segmentry.data.simulation.plan_groups import ACQUISITION
from segmentry.data.simulation.plan_shop import CHANNELS, Category

PRICE_SCALE = 0.7  # share of the price spread that varies from line to line; a personal taste adds to it
TASTE_SCALE = 0.5
FAVOURITE = 0.33  # share of the lines that are of the person's favourite category
SALE_PULL = 0.2  # share of the lines at the full price that become discounted ones while a sale is on
SHIPPING, GIFT_WRAP = -1, -2  # product numbers of the fees
SHIPPING_PRICE, GIFT_WRAP_PRICE = 4.95, 3.50
FREE_SHIPPING = 50  # from this value of an order on
SAYS_WORK = 0.65  # share of the customers who say in their account what they do for a living

# --- the range --------------------------------------------------------------------------------------------------------


def products(company: Company) -> None:
    """``sim_products``: the range of every category, in order of price; fees have numbers below 0.

    ``list_price`` is the price on the last day, ``first_price`` the one before prices rose.
    """
    rows: list[tuple[object, ...]] = []
    for category_no, c in enumerate(company.plan.categories):
        for rank, (first, price) in enumerate(shelf_prices(c, company.plan.price_rise)):
            noun = c.nouns[(rank * 7) % len(c.nouns)]
            brand = company.plan.brands[(rank * 5 + category_no) % len(company.plan.brands)]
            code, name = f"{c.prefix}-{1001 + rank}", f"{brand} {noun} {100 + 10 * rank}"
            rows.append((len(rows), code, name, c.name, first, price, c.margin, c.returned))
    rows.append((SHIPPING, "SHIP", "Shipping", "Fees", SHIPPING_PRICE, SHIPPING_PRICE, 0.0, 0.0))
    rows.append((GIFT_WRAP, "GIFTWRAP", "Gift wrapping", "Fees", GIFT_WRAP_PRICE, GIFT_WRAP_PRICE, 0.0, 0.0))
    texts = dict.fromkeys(("code", "name", "category"), "VARCHAR")
    numbers = {**dict.fromkeys(("first_price", "list_price"), "DECIMAL(10, 2)"),
               **dict.fromkeys(("margin", "returned"), "DOUBLE")}  # fmt: skip
    company.load("sim_products", {"product_no": "INTEGER", **texts, **numbers}, rows)


def shelf_prices(category: Category, rise: PriceRise) -> list[tuple[float, float]]:
    """List prices of a category's products, ascending: before prices rose, and after."""
    prices = []
    for rank in range(category.products):
        odds = (rank + 0.5) / (category.products - rank - 0.5)
        first = _shelf_price(category.price * exp(category.spread * log(odds) / 1.702))  # 1.702: as in sim_below
        prices.append((first, round(first * rise.factor, 2) if category.name in rise.categories else first))
    return prices


def _shelf_price(price: float) -> float:
    """A price as it stands on the shelf.

    >>> _shelf_price(4.31), _shelf_price(31.2), _shelf_price(412.0)
    (4.49, 31.99, 409.0)
    """
    if price < 10:
        return max(0.49, round(price * 2) / 2 - 0.01)
    return round(price // 1 + 0.99, 2) if price < 100 else round(price / 10) * 10 - 1.0


# --- orders -----------------------------------------------------------------------------------------------------------


def orders(company: Company) -> None:
    """``sim_placed``: the orders people are up to, with those that the campaign will put off; ``sim_orders``: the rest,
    numbered by time."""
    mailed_on = company.mailed_on
    company.run(_PLACED, rise=company.prices_rose_on, mailed_on=mailed_on,
                works_until=mailed_on + timedelta(days=company.plan.campaign.days))  # fmt: skip
    company.run(_ORDERS)


_PLACED = """
CREATE OR REPLACE TEMP TABLE sim_placed AS
WITH single AS (
    SELECT person, h, group_no, place_no, mailed, orders, slot_from, slots, unnest(range(1, orders + 1)) AS k
    FROM sim_people
), hashed AS (
    SELECT * EXCLUDE (h), h AS h_person, sim_hash(h, 100 + k) AS h FROM single
), slotted AS (
    SELECT person, h_person, h, s.group_no, season_no, place_no, k, mailed, rise_kept, mail_spoiled,
        -- replenishment is spread evenly with some play, everything else falls where it may
        slot_from + CASE WHEN even THEN floor((k - 0.5 + 0.8 * (draw(h, 1) - 0.5)) / orders * slots)
                         ELSE draw_below(h, 1, slots) END::INTEGER AS slot
    FROM hashed AS s JOIN sim_groups USING (group_no)
), dated AS (
    SELECT o.* EXCLUDE (slot), day, sale
    FROM slotted AS o JOIN sim_calendar AS c ON c.season_no = o.season_no AND c.slot = o.slot
    -- who is driven away by higher prices; the first plan is carried out all the same
    WHERE rise_kept = 1 OR day < $rise::DATE OR k = 1 OR draw(h, 20) < rise_kept
    UNION ALL
    SELECT person, h, sim_hash(h, 100), group_no, season_no, place_no, 0, 1, 1, 0, d.day, sale
    FROM sim_extra AS e JOIN sim_days AS d USING (season_no, day)
), spoiled AS (
    SELECT *, mailed IS NOT NULL AND day > $mailed_on::DATE AND day <= $works_until::DATE AS watched,
        mailed = 1 AND watched AND draw(h, 21) < mail_spoiled AS lost,
        -- three orders in five go through the person's favourite channel
        floor(1000 * CASE WHEN draw(h, 2) < 0.6 THEN draw(h_person, 20) ELSE draw(h, 3) END)::INTEGER AS channel_slot
    FROM dated
)
SELECT person, h, o.group_no, k::TINYINT AS k, day, sale, place_no::TINYINT AS place_no, watched,
    coalesce(lost, false) AS lost,
    -- nobody answers the phone at the weekend
    CASE WHEN choice = 3 AND isodow(day) > 5 THEN 0 ELSE choice END::TINYINT AS channel_no
FROM spoiled AS o
JOIN sim_choices AS x ON kind = 'channel' AND x.group_no = o.group_no AND x.slot = channel_slot
"""

_ORDERS = """
CREATE OR REPLACE TEMP TABLE sim_orders AS
WITH timed AS (
    SELECT *, day + to_seconds(floor(3600 * CASE
        WHEN channel_no = 1 THEN 9 + 5 * (draw(h, 4) + draw(h, 5))  -- the store is open from 9 to 19
        WHEN channel_no = 3 THEN 8.5 + 4.5 * (draw(h, 4) + draw(h, 5))
        WHEN draw(h, 6) < 0.4 THEN 7 + 4.5 * (draw(h, 4) + draw(h, 5))  -- during the day
        ELSE 16.5 + 3.5 * (draw(h, 4) + draw(h, 5))  -- in the evening
    END)::BIGINT) AS ordered_at
    FROM sim_placed WHERE NOT lost
)
SELECT row_number() OVER (ORDER BY ordered_at, person, k)::INTEGER AS order_no, person, h, group_no, channel_no, sale,
    ordered_at, k, place_no
FROM timed
"""


def lines(company: Company) -> None:
    """``sim_lines``: one row per product of an order, in narrow numbers, with the pieces that will come back.

    Some people's first planned order has a tablet on top, depending on their occupation.
    """
    categories = company.plan.categories
    firsts = [0, *accumulate(c.products for c in categories)]
    tablets = [c.name for c in categories].index("Tablets")
    company.run(_LINES, products=[c.products for c in categories], quantities=[c.quantity for c in categories],
                firsts=firsts, tablets=tablets, price_scale=PRICE_SCALE, taste_scale=TASTE_SCALE,
                favourite=FAVOURITE, sale_pull=SALE_PULL, rise=company.prices_rose_on)  # fmt: skip


_LINES = """
CREATE OR REPLACE TEMP TABLE sim_lines AS
WITH counted AS (
    SELECT order_no, o.h AS h_order, p.h AS h_person, o.group_no, sale, ordered_at < $rise::DATE AS before, taste,
        tablet_shift, greatest(1, 1 + draw_count(o.h, 7, lines - 1)) AS usual,
        o.k = 1 AND draw(p.h, 214) < tablet AS wish
    FROM sim_orders AS o
    JOIN sim_groups USING (group_no)
    JOIN sim_people AS p USING (person)
    JOIN sim_occupations USING (occupation_no)
), single AS (
    SELECT *, unnest(range(1, 1 + usual + wish::INTEGER)) AS line FROM counted
), hashed AS (
    SELECT *, sim_hash(h_order, 100 + line) AS h, wish AND line > usual AS is_tablet FROM single
), chosen AS (
    SELECT l.*, CASE WHEN is_tablet THEN $tablets ELSE choice END + 1 AS category,
        sim_below(price_shift + CASE WHEN is_tablet THEN tablet_shift ELSE 0 END
            + $taste_scale * taste + $price_scale * draw_normal(h, 3)) AS price_quantile,
        -- a sale tempts everybody a little
        draw(h, 4) < discount_share + CASE WHEN sale THEN $sale_pull * (1 - discount_share) ELSE 0 END AS discounted,
        greatest(0.05, least(0.5, round(20 * discount_depth * (0.4 + 1.2 * draw(h, 5))) / 20)) AS depth, return_rate
    FROM hashed AS l
    JOIN sim_groups USING (group_no)
    JOIN sim_choices AS x ON kind = 'category' AND x.group_no = l.group_no
        AND x.slot = floor(1000 *
            CASE WHEN draw(h, 1) < $favourite THEN draw(h_person, 21) ELSE draw(h, 2) END)::INTEGER
), filled AS (
    SELECT order_no, line, h, before, discounted, depth, return_rate,
        ($firsts::INTEGER[])[category] + floor(price_quantile * ($products::INTEGER[])[category])::INTEGER
            AS product_no,
        CASE WHEN is_tablet THEN 1 ELSE
            greatest(1, least(50, round(($quantities::DOUBLE[])[category] * exp(0.5 * draw_normal(h, 6)))))
            END::INTEGER AS quantity
    FROM chosen
), priced AS (
    SELECT f.*, CASE WHEN before THEN first_price ELSE list_price END AS unit_price, returned
    FROM filled AS f JOIN sim_products USING (product_no)
)
SELECT order_no, line::TINYINT AS line, product_no::SMALLINT AS product_no, quantity::TINYINT AS quantity, unit_price,
    CASE WHEN discounted THEN round(quantity * unit_price * depth, 2) ELSE 0 END::DECIMAL(10, 2) AS discount,
    CASE WHEN draw(h, 8) < return_rate * returned
        THEN 1 + draw_below(h, 9, quantity) ELSE 0 END::TINYINT AS pieces_returned
FROM priced
"""


def bill(company: Company) -> None:
    """``sim_bill``: all lines that were ever billed, fees and returns included; replaces ``sim_lines``.

    A line is worth ``quantity * unit_price - discount``; a return has a negative quantity and discount.
    """
    first, last = company.missing_week
    company.run(_BILL, until=company.until, shipping=SHIPPING, shipping_price=SHIPPING_PRICE,
                free_shipping=FREE_SHIPPING, gift_wrap=GIFT_WRAP, gift_wrap_price=GIFT_WRAP_PRICE,
                stores=len(company.plan.stores))  # fmt: skip
    company.drop("sim_lines")
    (missing,) = company.run("SELECT count(*) FROM sim_bill WHERE billed_at::DATE BETWEEN $first AND $last",
                             first=first, last=last)  # fmt: skip
    company.fault("a week of orders is missing", "shop/orders.csv", first, last, missing)


_BILL = """
CREATE OR REPLACE TEMP TABLE sim_bill AS
WITH baskets AS (
    SELECT order_no, sum(quantity * unit_price - discount) AS value FROM sim_lines GROUP BY order_no
), local AS (
    SELECT place_no, list(store_no ORDER BY store_no) AS near FROM sim_stores GROUP BY place_no
), headed AS (
    SELECT order_no, o.h, ordered_at, channel_no, customer_no, value,
        -- six in seven go to a store of their town, if it has one
        CASE WHEN channel_no = 1 THEN CASE WHEN near IS NOT NULL AND draw(o.h, 13) < 0.86
            THEN near[1 + draw_below(o.h, 14, len(near))] ELSE draw_below(o.h, 15, $stores) END END::TINYINT
            AS store_no,
        gift_wrap * CASE WHEN month(ordered_at) >= 11 THEN 1 ELSE 0.2 END AS wrap_share,
        -- back within a month, at an hour when the store is open
        date_trunc('day', ordered_at) + to_days((2 + draw_below(o.h, 10, 27))::INTEGER)
            + to_seconds(32400 + draw_below(o.h, 11, 32400)) AS returned_at
    FROM sim_orders AS o JOIN baskets USING (order_no) JOIN sim_people USING (person)
    JOIN sim_groups AS g ON g.group_no = o.group_no
    LEFT JOIN local ON local.place_no = o.place_no
)
SELECT order_no, false AS is_return, line, ordered_at AS billed_at, product_no, quantity, unit_price, discount,
    customer_no, channel_no, store_no
FROM sim_lines JOIN headed USING (order_no)
UNION ALL
SELECT order_no, true, line, returned_at, product_no, -pieces_returned, unit_price,
    -round(discount * pieces_returned / quantity, 2)::DECIMAL(10, 2), customer_no, channel_no, store_no
FROM sim_lines JOIN headed USING (order_no)
WHERE pieces_returned > 0 AND returned_at < $until::DATE + 1  -- later ones are still to come
UNION ALL
SELECT order_no, false, 126, ordered_at, $gift_wrap, 1, $gift_wrap_price::DECIMAL(10, 2), 0, customer_no,
    channel_no, store_no
FROM headed WHERE draw(h, 12) < wrap_share
UNION ALL
SELECT order_no, false, 127, ordered_at, $shipping, 1, $shipping_price::DECIMAL(10, 2), 0, customer_no,
    channel_no, store_no
FROM headed WHERE channel_no <> 1 AND value < $free_shipping  -- and the store does not ship
"""

# --- exports ----------------------------------------------------------------------------------------------------------


def export(company: Company, folder: Path) -> dict[str, int]:
    """customers.csv, orders.csv, products.csv and stores.csv as a web shop writes them; rows per file.

    Beside the files it counts ``orders`` (numbers without returns), ``return_lines``, ``fee_lines``, ``guest_lines``.
    """
    first, last = company.missing_week
    customers = company.export(_CUSTOMERS, folder / "shop/customers.csv", until=company.until,
                               acquisition=list(ACQUISITION), says_work=SAYS_WORK)  # fmt: skip
    lines = _order_lines(company, folder / "shop/orders.csv")
    parts = company.run(_BILL_COUNTS, first=first, last=last)
    return {
        "shop/customers.csv": customers,
        "shop/orders.csv": lines,
        "shop/products.csv": company.export(_PRODUCTS, folder / "shop/products.csv", seed=company.seed),
        "shop/stores.csv": company.export(_STORES, folder / "shop/stores.csv", seed=company.seed),
        **dict(zip(("orders", "fee_lines", "return_lines", "guest_lines"), parts, strict=True)),
    }


_CUSTOMERS = """
WITH known AS (
    -- the shop still has the maiden name of half the married, and the old postcode of half of those who moved
    SELECT n.customer_no, p.h, first_name, email, telephone, woman, age, signup_date, newsletter, region, country, city,
        string_split(spellings, '|') AS spellings, choice AS acquired_no, p.satisfaction, occupation,
        CASE WHEN draw(p.h, 226) < 0.5 THEN coalesce(maiden_name, last_name) ELSE last_name END AS last_name,
        CASE WHEN draw(p.h, 227) < 0.5 THEN coalesce(former_postcode, n.postcode) ELSE n.postcode END AS postcode
    FROM sim_people AS p
    JOIN sim_names AS n USING (customer_no)
    JOIN sim_places USING (place_no)
    JOIN sim_occupations USING (occupation_no)
    JOIN sim_choices AS x ON kind = 'acquired' AND x.group_no = p.group_no AND x.slot = draw_below(p.h, 34, 1000)
)
SELECT
    format('C-{:06d}', customer_no) AS customer_id,
    first_name || CASE WHEN draw(h, 50) < 0.02 THEN ' ' ELSE '' END AS first_name,
    CASE WHEN draw(h, 51) < 0.02 THEN upper(last_name) WHEN draw(h, 228) < 0.01 THEN sim_typo(last_name, h)
         ELSE last_name END || CASE WHEN draw(h, 52) < 0.02 THEN '  ' ELSE '' END AS last_name,
    CASE WHEN draw(h, 53) < 0.03 THEN NULL WHEN draw(h, 54) < 0.04 THEN upper(email) ELSE email END AS email,
    CASE WHEN draw(h, 55) < 0.08 THEN NULL
         WHEN draw(h, 56) < 0.3 THEN '+44 ' || substr(telephone, 2, 4) || ' ' || substr(telephone, 6)
         WHEN draw(h, 57) < 0.3 THEN left(telephone, 5) || ' ' || substr(telephone, 6)
         ELSE telephone END AS phone,
    CASE WHEN draw(h, 58) < 0.06 THEN NULL
         WHEN draw(h, 59) < 0.004  -- what people type who do not want to tell
             THEN [DATE '1900-01-01', DATE '1871-05-17', DATE '2107-03-09'][1 + draw_below(h, 60, 3)]
         ELSE $until::DATE - round(365.25 * age)::INTEGER END AS birth_date,
    CASE WHEN draw(h, 62) < 0.05 THEN NULL WHEN draw(h, 63) < 0.01 THEN 'X' WHEN woman THEN 'F' ELSE 'M' END AS gender,
    CASE WHEN draw(h, 64) < 0.03 THEN NULL
         WHEN draw(h, 65) < 0.16 THEN spellings[1 + draw_below(h, 66, len(spellings))]
         ELSE country END AS country,
    CASE WHEN draw(h, 67) < 0.06 THEN NULL ELSE region END AS region,
    city || CASE WHEN draw(h, 68) < 0.03 THEN ' ' ELSE '' END AS city,
    CASE WHEN draw(h, 69) < 0.05 THEN NULL WHEN draw(h, 70) < 0.04 THEN lower(postcode) ELSE postcode END
        AS postcode,
    signup_date,
    CASE newsletter WHEN true THEN 'yes' WHEN false THEN 'no' END AS newsletter,
    CASE WHEN draw(h, 73) < 0.04 THEN NULL ELSE ($acquisition::VARCHAR[])[1 + acquired_no] END AS acquisition_channel,
    CASE WHEN draw(h, 74) < 0.55 THEN round(least(10, greatest(0, satisfaction + 1.2 * draw_normal(h, 75))))::INTEGER
        END AS satisfaction_score,
    CASE WHEN draw(h, 76) < $says_work THEN upper(left(occupation, 1)) || substr(occupation, 2) END AS occupation
FROM known ORDER BY customer_no
"""


def _order_lines(company: Company, path: Path) -> int:
    """orders.csv without the missing week, by time; returns its rows."""
    first, last = company.missing_week
    codes, names, categories, stores = company.run(_TEXTS)
    return company.export(_ORDER_LINES, path, first=first, last=last, channels=list(CHANNELS), codes=codes, names=names,
                          categories=categories, stores=stores, fees=-min(SHIPPING, GIFT_WRAP))  # fmt: skip


_TEXTS = """
SELECT list(code ORDER BY product_no), list(name ORDER BY product_no), list(category ORDER BY product_no),
    (SELECT list(code ORDER BY store_no) FROM sim_stores)
FROM sim_products
"""

# The narrow rows are sorted, then spelled out from lists: sorting the texts takes twice the memory, and a join after
# the sort would not keep its order.
_ORDER_LINES = """
SELECT CASE WHEN is_return THEN 'R-S' ELSE 'S' END || (1000000 + order_no) AS order_number,
    strftime(billed_at, '%Y-%m-%d %H:%M:%S') AS ordered_at,
    CASE WHEN customer_no IS NOT NULL THEN format('C-{:06d}', customer_no) END AS customer_id,
    ($codes::VARCHAR[])[1 + $fees + product_no] AS product_code,
    ($names::VARCHAR[])[1 + $fees + product_no] AS product_name,
    ($categories::VARCHAR[])[1 + $fees + product_no] AS category,
    quantity, unit_price, discount, ($channels::VARCHAR[])[1 + channel_no] AS channel,
    ($stores::VARCHAR[])[1 + store_no] AS store
FROM (
    FROM sim_bill WHERE billed_at::DATE NOT BETWEEN $first AND $last ORDER BY billed_at, order_no, is_return, line
)
"""

_BILL_COUNTS = """
SELECT count(*) FILTER (line = 1 AND NOT is_return), count(*) FILTER (product_no < 0), count(*) FILTER (is_return),
    count(*) FILTER (customer_no IS NULL)
FROM sim_bill WHERE billed_at::DATE NOT BETWEEN $first AND $last
"""

_PRODUCTS = """
SELECT code AS product_code, name AS product_name, category,
    round(first_price * (1 - margin * (0.85 + 0.3 * draw(sim_hash($seed, 11), product_no))), 2)::DECIMAL(10, 2)
        AS unit_cost,
    list_price
FROM sim_products WHERE product_no >= 0 ORDER BY product_no
"""

_STORES = """
WITH hashed AS (
    SELECT *, sim_hash(sim_mix(store_no::UBIGINT), $seed + 3) AS h FROM sim_stores
)
SELECT s.code AS store_code, s.name AS store_name, city, region, country,
    sim_postcode(h, country, postcode) AS postcode, round(s.latitude, 5) AS latitude, round(s.longitude, 5) AS longitude
FROM hashed AS s JOIN sim_places USING (place_no) ORDER BY store_no
"""
