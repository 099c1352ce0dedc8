"""What registered people will be worth: what somebody who knows the process would expect of the next 365 days.

The expectation uses the same personal pace, season and basket that made the past. Nobody who has fallen silent comes
back, and nobody who is active is expected to leave.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from statistics import NormalDist

import numpy as np

from segmentry.data.simulation.chance import DAY_UNITS, Company, day_slots, on_sale
from segmentry.data.simulation.plan_groups import Group
from segmentry.data.simulation.plan_shop import Category, Season
from segmentry.data.simulation.shop import FAVOURITE, PRICE_SCALE, SALE_PULL, TASTE_SCALE, shelf_prices

HORIZON = 365  # days
TASTES = [step / 4 for step in range(-16, 17)]  # where the expectation is computed; a taste is standard normal
_NORMALS = np.array([NormalDist().inv_cdf((i + 0.5) / 1000) for i in range(1000)])  # equally likely values


def make(company: Company) -> None:
    """``sim_value``, by customer_no: alive (has not fallen silent), expected orders and spend in the next year, basket.

    ``spend`` is net of discounts, before returns and without fees; ``basket`` is the spend per order.
    """
    _basket_table(company)
    _season_table(company)
    company.run(_VALUE, until=company.until, step=TASTES[1] - TASTES[0], least=TASTES[0], most=TASTES[-1])
    company.drop("sim_baskets", "sim_coming")


_VALUE = """
CREATE OR REPLACE TEMP TABLE sim_value AS
WITH paced AS (
    SELECT customer_no, group_no, season_no, active_until = $until::DATE AND orders_per_year > 0 AS alive,
        orders_per_year * draw_pace(h, 6, pace_shape) * settled * rise_kept AS yearly,
        round((greatest($least, least($most, taste)) - $least) / $step)::INTEGER AS taste_no,
        floor(1000 * draw(h, 21))::INTEGER AS favourite_slot
    FROM sim_people JOIN sim_groups USING (group_no) WHERE customer_no IS NOT NULL
)
SELECT customer_no, alive, CASE WHEN alive THEN yearly * years ELSE 0 END AS orders, basket, orders * basket AS spend
FROM paced AS p
JOIN sim_coming USING (season_no)
JOIN sim_choices AS x ON kind = 'category' AND x.group_no = p.group_no AND x.slot = favourite_slot
JOIN sim_baskets AS b ON b.group_no = p.group_no AND b.category = x.choice AND b.taste_no = p.taste_no
"""


def _season_table(company: Company) -> None:
    """``sim_coming``: how many average years of demand the next 365 days bring, by season."""
    rows = [
        (no, sum(day_slots(season, day) for day in _days_ahead(company)) / (DAY_UNITS * 365.0))
        for no, season in enumerate(company.plan.seasons)
    ]
    company.load("sim_coming", {"season_no": "INTEGER", "years": "DOUBLE"}, rows)


def _days_ahead(company: Company) -> list[date]:
    return [company.until + timedelta(days=1 + offset) for offset in range(HORIZON)]


def _basket_table(company: Company) -> None:
    """``sim_baskets``: expected spend of an order, by group, favourite category and taste."""
    plan = company.plan
    prices = [np.array([now for _, now in shelf_prices(c, plan.price_rise)]) for c in plan.categories]
    seasons = {season.name: season for season in plan.seasons}
    rows = []
    for group_no, group in enumerate(plan.groups):
        paid = _lines(group) * (1 - _discount(group, seasons[group.season], _days_ahead(company)))
        shares = {no: group.categories[c.name] for no, c in enumerate(plan.categories) if c.name in group.categories}
        for taste_no, taste in enumerate(TASTES):
            shift = group.price_shift + TASTE_SCALE * taste
            line = {no: _pieces(plan.categories[no]) * _price(prices[no], shift) for no in shares}
            usual = sum(share * line[no] for no, share in shares.items())
            rows += [(group_no, no, taste_no, paid * (FAVOURITE * line[no] + (1 - FAVOURITE) * usual)) for no in shares]
    keys = dict.fromkeys(("group_no", "category", "taste_no"), "INTEGER")
    company.load("sim_baskets", {**keys, "basket": "DOUBLE"}, rows)


# The expectations below average over equally likely values of the normal and uniform variates of shop.py's SQL.


def _lines(group: Group) -> float:
    """Expected products of an order: one, and a count as draw_count makes it."""
    counts = np.maximum(0, np.round(np.maximum(0, np.sqrt(group.lines - 0.875) + _NORMALS / 2) ** 2 - 0.375))
    return 1 + float(counts.mean())


def _pieces(category: Category) -> float:
    """Expected pieces of an order line."""
    return float(np.clip(np.floor(category.quantity * np.exp(0.5 * _NORMALS) + 0.5), 1, 50).mean())


def _price(prices: np.ndarray, shift: float) -> float:
    """Expected list price of an order line, when the person's log prices are shifted so many standard deviations."""
    below = 1 / (1 + np.exp(-1.702 * (shift + PRICE_SCALE * _NORMALS)))
    return float(prices[(below * len(prices)).astype(int)].mean())


def _discount(group: Group, season: Season, days: Iterable[date]) -> float:
    """Expected share of the price that is taken off, a sale's days included."""
    slots = [(day_slots(season, day), on_sale(day)) for day in days]
    sale = sum(count for count, reduced in slots if reduced) / sum(count for count, _ in slots)
    discounted = group.discount_share + sale * SALE_PULL * (1 - group.discount_share)
    depths = np.round(20 * group.discount_depth * (0.4 + 1.2 * (np.arange(1000) + 0.5) / 1000)) / 20
    return float(discounted * np.clip(depths, 0.05, 0.5).mean())
