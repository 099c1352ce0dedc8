"""The simulated shop at work: its connection, its chance, and its plan and calendar as small tables.

Chance is arithmetic: every draw is a function of (seed, person, purpose), never of random(), so that the same seed
gives the same bytes however many threads work. ``draw(h, p)`` is the uniform variate of row hash ``h`` for purpose
``p``; the numbers of the purposes only have to differ within one table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, pairwise
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentry.data.simulate_plan import ACQUISITION, CHANNELS, Group, Plan, Season

if TYPE_CHECKING:
    import duckdb

SLOTS = 1000  # resolution of a weighted choice; the SQL of simulate.py spells it out
DAY_UNITS = 45  # resolution of the calendar: slots of an average day


@dataclass(frozen=True)
class Shop:
    """One simulation at work: what every table function is given."""

    connection: duckdb.DuckDBPyConnection
    plan: Plan
    size: int
    seed: int
    start: date
    until: date

    def run(self, sql: str, **values: object) -> Any:
        """Execute one statement with bound values; the result is its first row."""
        return self.connection.execute(sql, values or None).fetchone()

    def load(self, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
        """Create a small table from rows, one bound list per column."""
        lists = list(zip(*rows, strict=True))
        names = ", ".join(f"unnest(${name}::{kind}[]) AS {name}" for name, kind in columns.items())
        values = {name: list(values) for name, values in zip(columns, lists, strict=True)}
        self.run(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {names}", **values)

    def export(self, query: str, path: Path, **values: object) -> int:
        """Write a query to a CSV file with a header; returns its rows."""
        target = str(path).replace("'", "''")
        return int(self.run(f"COPY ({query}) TO '{target}' (FORMAT csv, HEADER true)", **values)[0])


# --- chance -----------------------------------------------------------------------------------------------------------

# sim_mix is lowbias32, a bijection of 32-bit integers with next to no bias (Chris Wellons, hash-prospector, 2018), so
# different people get different hashes. hash() may change with the version of DuckDB, random() depends on threads, and
# md5 takes 30 times as long.
_MACROS = """
CREATE OR REPLACE TEMP MACRO sim_mix1(x) AS (xor(x, x >> 16) * 2146121005::UBIGINT) & 4294967295::UBIGINT;
CREATE OR REPLACE TEMP MACRO sim_mix2(x) AS (xor(x, x >> 15) * 2221713035::UBIGINT) & 4294967295::UBIGINT;
CREATE OR REPLACE TEMP MACRO sim_mix3(x) AS xor(x, x >> 16);
CREATE OR REPLACE TEMP MACRO sim_mix(x) AS sim_mix3(sim_mix2(sim_mix1(x)));
-- the hash of the p-th thing of a row with hash h; 2654435769 is 2^32 / golden ratio (Knuth)
CREATE OR REPLACE TEMP MACRO sim_hash(h, p) AS
    sim_mix(xor(h, (p::UBIGINT * 2654435769::UBIGINT) & 4294967295::UBIGINT));
-- uniform on (0, 1)
CREATE OR REPLACE TEMP MACRO draw(h, p) AS (sim_hash(h, p) + 0.5::DOUBLE) / 4294967296::DOUBLE;
-- a whole number from 0 to below n
CREATE OR REPLACE TEMP MACRO draw_below(h, p, n) AS floor(draw(h, p) * n)::BIGINT;
-- standard normal (Box and Muller 1958)
CREATE OR REPLACE TEMP MACRO draw_normal(h, p) AS sqrt(-2 * ln(draw(h, p))) * cos(2 * pi() * draw(h, p + 5000));
-- Poisson with this mean, through the square root that makes its variance constant (Anscombe 1948)
CREATE OR REPLACE TEMP MACRO draw_count(h, p, mean) AS
    round(power(greatest(0, sqrt(mean + 0.125) + draw_normal(h, p) / 2), 2) - 0.375)::BIGINT;
-- gamma with mean 1 and an integer shape from 1 to 4: the mean of exponentials
CREATE OR REPLACE TEMP MACRO draw_pace(h, p, shape) AS -(
    ln(draw(h, p)) + CASE WHEN shape > 1 THEN ln(draw(h, p + 1)) ELSE 0 END
    + CASE WHEN shape > 2 THEN ln(draw(h, p + 2)) ELSE 0 END + CASE WHEN shape > 3 THEN ln(draw(h, p + 3)) ELSE 0 END
) / shape;
-- the share of a standard normal below z, near enough (the logistic curve)
CREATE OR REPLACE TEMP MACRO sim_below(z) AS 1 / (1 + exp(-1.702 * (z)));
"""


_TABLES = (
    "groups", "mixes", "choices", "places", "days", "calendar", "products", "people", "orders", "lines", "bill",
)  # fmt: skip


def clean(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop every temporary table and macro of the simulation."""
    for table in _TABLES:
        connection.execute(f"DROP TABLE IF EXISTS temp.sim_{table}")
    for macro in re.findall(r"TEMP MACRO (\w+)", _MACROS):
        connection.execute(f"DROP MACRO IF EXISTS temp.{macro}")


def _slots(weights: Iterable[float]) -> list[tuple[int, int, int]]:
    """Share SLOTS equally likely slots out by weight: (choice, first slot, last slot), choices without slots left out.

    >>> _slots([3, 0, 1])
    [(0, 0, 749), (2, 750, 999)]
    """
    sums = list(accumulate(weights))
    ends = [round(SLOTS * total / sums[-1]) for total in sums]
    return [(choice, a, b - 1) for choice, (a, b) in enumerate(pairwise([0, *ends])) if b > a]


# --- the plan as tables -----------------------------------------------------------------------------------------------


def vocabulary(shop: Shop) -> None:
    """``sim_groups``, ``sim_choices``, ``sim_places``, ``sim_days``, ``sim_calendar``, and the macros."""
    shop.connection.execute(_MACROS)
    _group_table(shop)
    _choice_table(shop)
    kinds = dict.fromkeys(("city", "region", "country", "postcode", "spellings"), "VARCHAR")
    rows = [
        (no, place.city, place.region, place.country, place.postcode, "|".join(shop.plan.spellings[place.country]))
        for no, place in enumerate(shop.plan.places)
    ]
    shop.load("sim_places", {"place_no": "INTEGER", **kinds}, rows)
    _calendar_tables(shop)


def _group_table(shop: Shop) -> None:
    """``sim_groups``: one row per group, guests last."""
    seasons = [season.name for season in shop.plan.seasons]
    numbers = (
        "orders_per_year", "lines", "price_shift", "discount_share", "discount_depth", "return_rate", "gift_wrap",
        "lapse_share", "age", "satisfaction",
    )  # fmt: skip
    columns = {
        "group_no": "INTEGER", "name": "VARCHAR", "season_no": "INTEGER", "orders_least": "INTEGER",
        "orders_most": "INTEGER", "pace_shape": "INTEGER", "even": "BOOLEAN", "tenure_least": "INTEGER",
        "tenure_most": "INTEGER", "active_days": "INTEGER", "quiet_least": "INTEGER", "quiet_most": "INTEGER",
        "basket": "DOUBLE", **dict.fromkeys(numbers, "DOUBLE"),
    }  # fmt: skip
    rows = [
        (
            no, group.name, seasons.index(group.season), group.orders_least, group.orders_most, group.pace_shape,
            group.even, *group.tenure_days, group.active_days, *group.quiet_days, _typical_basket(shop.plan, group),
            *(float(getattr(group, name)) for name in numbers),
        )
        for no, group in enumerate(shop.plan.everyone)
    ]  # fmt: skip
    shop.load("sim_groups", columns, rows)


def _typical_basket(plan: Plan, group: Group) -> float:
    """What an order of the group's typical member is planned to be worth, discounts taken off, returns not."""
    line = sum(
        share * c.quantity * c.price * exp(c.spread * group.price_shift)
        for c in plan.categories
        if (share := group.categories.get(c.name))
    )
    return group.lines * line * (1 - group.discount_share * group.discount_depth)


def _choice_table(shop: Shop) -> None:
    """``sim_choices``: which choice a slot of a weighted choice stands for, per kind and group."""
    plan = shop.plan
    categories = tuple(category.name for category in plan.categories)
    rows = [("group", 0, *slots) for slots in _slots(group.share for group in plan.groups)]
    rows += [("place", 0, *slots) for slots in _slots(place.weight for place in plan.places)]
    for no, group in enumerate(plan.everyone):
        mixes = (("category", categories, group.categories), ("channel", CHANNELS, group.channels),
                 ("acquired", ACQUISITION, group.acquired))  # fmt: skip
        for kind, names, mix in mixes:
            rows += [(kind, no, *slots) for slots in _slots(mix.get(name, 0.0) for name in names)]
    kinds = dict.fromkeys(("group_no", "choice", "first_slot", "last_slot"), "INTEGER")
    shop.load("sim_mixes", {"kind": "VARCHAR", **kinds}, rows)
    shop.run("""
        CREATE OR REPLACE TEMP TABLE sim_choices AS
        SELECT kind, group_no, choice, unnest(range(first_slot, last_slot + 1)) AS slot FROM sim_mixes
    """)


def _calendar_tables(shop: Shop) -> None:
    """``sim_calendar``: the day of each slot of a season, busy days having more; ``sim_days``: the slots of each day.

    An order that falls on a uniformly drawn slot follows the calendar, and a span of days is a span of slots.
    """
    rows: list[tuple[int, date, int, int, bool]] = []
    for no, season in enumerate(shop.plan.seasons):
        first = 0
        for offset in range((shop.until - shop.start).days + 1):
            day = shop.start + timedelta(days=offset)
            units = max(1, round(DAY_UNITS * _demand(season, day)))
            rows.append((no, day, first, first + units - 1, _on_sale(day)))
            first += units
    kinds = {"season_no": "INTEGER", "day": "DATE", "first_slot": "INTEGER", "last_slot": "INTEGER", "sale": "BOOLEAN"}
    shop.load("sim_days", kinds, rows)
    shop.run("""
        CREATE OR REPLACE TEMP TABLE sim_calendar AS
        SELECT season_no, unnest(range(first_slot, last_slot + 1)) AS slot, day, sale FROM sim_days
    """)


def _on_sale(day: date) -> bool:
    """Whether the shop has its Black Friday week (from the fourth Monday of November) or its January sale."""
    monday = 22 + (7 - date(day.year, 11, 22).weekday()) % 7
    return (day.month == 11 and monday <= day.day < monday + 7) or (day.month == 1 and 2 <= day.day <= 14)


def _demand(season: Season, day: date) -> float:
    """How busy a day is, an average day being 1."""
    demand = season.weekdays[day.weekday()] * season.months[day.month - 1]
    if _on_sale(day):
        demand *= season.sales
    if (day.month, day.day) in {(12, 25), (12, 26), (1, 1)}:  # shops are shut, the web shop is quiet
        demand *= 0.15
    return demand
