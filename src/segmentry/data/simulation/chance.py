"""The demo company at work: its connection, its chance, and its plan and calendar as small tables.

Chance is arithmetic: every draw is a function of (seed, person, purpose), never of random(), so that the same seed
gives the same bytes however many threads work. ``draw(h, p)`` is the uniform variate of row hash ``h`` for purpose
``p``; the numbers of the purposes only have to differ within one table.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, pairwise
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmentry.data.simulation.plan import Plan
from segmentry.data.simulation.plan_crm import INDUSTRIES, STAGES
from segmentry.data.simulation.plan_groups import ACQUISITION, Group
from segmentry.data.simulation.plan_people import AGE_BANDS, Leanings
from segmentry.data.simulation.plan_shop import CHANNELS, Season

if TYPE_CHECKING:
    import duckdb

SLOTS = 1000  # resolution of a weighted choice; the SQL of the tables spells it out
DAY_UNITS = 45  # resolution of the calendar: slots of an average day


@dataclass(frozen=True)
class Company:
    """One simulation at work: what every table function is given."""

    connection: duckdb.DuckDBPyConnection
    plan: Plan
    size: int  # registered customers
    seed: int
    start: date
    until: date
    answer_noise: float = 1.0  # share of the usual chance that is in the answers to surveys

    def month(self, number: int) -> date:
        """The first day of a month of the window, which starts with month 1."""
        return months_later(self.start, number - 1)

    @property
    def prices_rose_on(self) -> date:
        """The first day of the new list prices."""
        return self.month(self.plan.price_rise.month)

    @property
    def mailed_on(self) -> date:
        """The day of the campaign's e-mail."""
        return self.month(self.plan.campaign.month) + timedelta(days=self.plan.campaign.day)

    @property
    def missing_week(self) -> tuple[date, date]:
        """Monday and Sunday of the week that the shop's export lacks: the second whole week of its month."""
        month = self.month(self.plan.missing_month)
        monday = month + timedelta(days=7 + (7 - month.weekday()) % 7)
        return monday, monday + timedelta(days=6)

    def run(self, sql: str, **values: object) -> Any:
        """Execute one statement with bound values; the result is its first row."""
        return self.connection.execute(sql, values or None).fetchone()

    def load(self, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
        """Create a small table from rows, one bound list per column."""
        lists = list(zip(*rows, strict=True))
        names = ", ".join(f"unnest(${name}::{kind}[]) AS {name}" for name, kind in columns.items())
        values = {name: list(values) for name, values in zip(columns, lists, strict=True)}
        self.run(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {names}", **values)

    def drop(self, *tables: str) -> None:
        """Drop temporary tables that nobody needs any more."""
        for table in tables:
            self.run(f"DROP TABLE temp.{table}")

    def export(self, query: str, path: Path, **values: object) -> int:
        """Write a query to a CSV file with a header, or to an .ndjson file, one object a line; returns its rows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        target = str(path).replace("'", "''")
        form = "FORMAT json" if path.suffix == ".ndjson" else "FORMAT csv, HEADER true"
        return int(self.run(f"COPY ({query}) TO '{target}' ({form})", **values)[0])

    def fault(self, what: str, file: str, first: date, last: date, rows: int) -> None:
        """Note a planted data fault for truth/faults.csv: what is wrong with which rows of a file, on which days."""
        self.run("INSERT INTO sim_faults VALUES ($what, $file, $first, $last, $rows)",
                 what=what, file=file, first=first, last=last, rows=rows)  # fmt: skip


def months_later(day: date, months: int) -> date:
    """The same day some months later (or earlier), or the last of a month that is too short.

    >>> months_later(date(2026, 7, 1), -24), months_later(date(2028, 3, 31), -1)
    (datetime.date(2024, 7, 1), datetime.date(2028, 2, 29))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


# --- chance -----------------------------------------------------------------------------------------------------------

# sim_mix is lowbias32, a bijection of 32-bit integers with next to no bias (Chris Wellons, hash-prospector, 2018), so
# different people get different hashes. hash() may change with the version of DuckDB, random() depends on threads, and
# md5 takes 30 times as long.
MACROS = """
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
-- an 18-character id as Salesforce writes it, of a kind of record (its first three characters) and a number: the number
-- in base 62, then three characters that say which letters are capitals (Salesforce, "How does Salesforce make IDs
-- case-insensitive"); the capital Q in front is the I of the first block, 8 in the alphabet A to Z, 0 to 5
CREATE OR REPLACE TEMP MACRO sim_digit(n, place) AS
    substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', 1 + ((n // place) % 62)::INTEGER, 1);
CREATE OR REPLACE TEMP MACRO sim_capital(n, place) AS ((n // place) % 62 BETWEEN 10 AND 35)::INTEGER;
CREATE OR REPLACE TEMP MACRO sim_salesforce(kind, n) AS kind || 'Qy0000'
    || sim_digit(n, 916132832) || sim_digit(n, 14776336) || sim_digit(n, 238328) || sim_digit(n, 3844)
    || sim_digit(n, 62) || sim_digit(n, 1) || 'I' || CASE sim_capital(n, 916132832) WHEN 1 THEN 'Q' ELSE 'A' END
    || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', 1 + sim_capital(n, 14776336) + 2 * sim_capital(n, 238328)
        + 4 * sim_capital(n, 3844) + 8 * sim_capital(n, 62) + 16 * sim_capital(n, 1), 1);
-- two letters swapped, one dropped or one doubled, after the first
CREATE OR REPLACE TEMP MACRO sim_typo_at(text, kind, i) AS left(text, i - 1) || CASE kind
    WHEN 0 THEN substr(text, i + 1, 1) || substr(text, i, 1) || substr(text, i + 2)
    WHEN 1 THEN substr(text, i + 1) ELSE substr(text, i, 1) || substr(text, i) END;
CREATE OR REPLACE TEMP MACRO sim_typo(text, h) AS sim_typo_at(text, draw_below(h, 401, 3),
    2 + draw_below(h, 402, greatest(1, len(text) - 2))::INTEGER);
-- a postcode of a country's form in this postal area
CREATE OR REPLACE TEMP MACRO sim_postcode(h, country, area) AS CASE country
    WHEN 'United Kingdom' THEN format('{}{} {}{}{}', area, 1 + draw_below(h, 1, 28), draw_below(h, 2, 10),
        chr(65 + draw_below(h, 3, 26)::INTEGER), chr(65 + draw_below(h, 4, 26)::INTEGER))
    WHEN 'Ireland' THEN format('{}{:02d} {}{:03d}', area, 1 + draw_below(h, 1, 24),
        chr(65 + draw_below(h, 3, 26)::INTEGER), draw_below(h, 2, 1000))
    WHEN 'Netherlands' THEN format('{}{:02d} {}{}', area, draw_below(h, 2, 100),
        chr(65 + draw_below(h, 3, 26)::INTEGER), chr(65 + draw_below(h, 4, 26)::INTEGER))
    ELSE format('{}{:03d}', area, draw_below(h, 2, 1000)) END;
-- the share of a standard normal below z, near enough (the logistic curve)
CREATE OR REPLACE TEMP MACRO sim_below(z) AS 1 / (1 + exp(-1.702 * (z)));
"""


def clean(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop every temporary table, view and macro of the simulation."""
    for sort, listed in _LEFT_BEHIND.items():
        for (name,) in connection.execute(listed).fetchall():
            connection.execute(f"DROP {sort} temp.{name}")


_LEFT_BEHIND = {
    "VIEW": "SELECT view_name FROM duckdb_views() WHERE temporary AND starts_with(view_name, 'sim_')",
    "TABLE": "SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, 'sim_')",
    "MACRO": """SELECT DISTINCT function_name FROM duckdb_functions()
        WHERE function_type = 'macro' AND database_name = 'temp' AND regexp_matches(function_name, '^(sim_|draw)')""",
}


def _slots(weights: Iterable[float]) -> list[tuple[int, int, int]]:
    """Share SLOTS equally likely slots out by weight: (choice, first slot, last slot), choices without slots left out.

    >>> _slots([3, 0, 1])
    [(0, 0, 749), (2, 750, 999)]
    """
    sums = list(accumulate(weights))
    ends = [round(SLOTS * total / sums[-1]) for total in sums]
    return [(choice, a, b - 1) for choice, (a, b) in enumerate(pairwise([0, *ends])) if b > a]


# --- the plan as tables -----------------------------------------------------------------------------------------------


def vocabulary(company: Company) -> None:
    """The macros, and the plan: ``sim_groups``, ``sim_occupations``, ``sim_leanings``, ``sim_choices``, ``sim_places``,
    ``sim_stores``, ``sim_days``, ``sim_calendar``; and ``sim_faults``, still empty."""
    company.connection.execute(MACROS)
    _group_table(company)
    _occupation_table(company)
    _leaning_table(company)
    _choice_table(company)
    _place_tables(company)
    _calendar_tables(company)
    company.run("""
        CREATE OR REPLACE TEMP TABLE sim_faults
        (what VARCHAR, file VARCHAR, first_day DATE, last_day DATE, rows BIGINT)
    """)


def _group_table(company: Company) -> None:
    """``sim_groups``: one row per group, guests last."""
    plan = company.plan
    seasons = [season.name for season in plan.seasons]
    numbers = (
        "orders_per_year", "lines", "price_shift", "discount_share", "discount_depth", "return_rate", "gift_wrap",
        "lapse_share", "age", "satisfaction", "business", "settled",
    )  # fmt: skip
    effects = {
        "rise_kept": (plan.price_rise.kept, 1.0), "rise_stopped": (plan.price_rise.stopped, 0.0),
        "mail_extra": (plan.campaign.extra, 0.0), "mail_spoiled": (plan.campaign.spoiled, 0.0),
    }  # fmt: skip
    columns = {
        "group_no": "INTEGER", "name": "VARCHAR", "season_no": "INTEGER", "orders_least": "INTEGER",
        "orders_most": "INTEGER", "pace_shape": "INTEGER", "even": "BOOLEAN", "tenure_least": "INTEGER",
        "tenure_most": "INTEGER", "active_days": "INTEGER", "quiet_least": "INTEGER", "quiet_most": "INTEGER",
        "basket": "DOUBLE", "online": "DOUBLE", **dict.fromkeys((*numbers, *effects), "DOUBLE"),
    }  # fmt: skip
    rows = [
        (
            no, group.name, seasons.index(group.season), group.orders_least, group.orders_most, group.pace_shape,
            group.even, *_tenure(company, group), group.active_days, *group.quiet_days, _typical_basket(plan, group),
            group.channels.get("web", 0.0) + group.channels.get("app", 0.0),
            *(float(getattr(group, name)) for name in numbers),
            *(by_group.get(group.name, usual) for by_group, usual in effects.values()),
        )
        for no, group in enumerate(plan.everyone)
    ]  # fmt: skip
    company.load("sim_groups", columns, rows)


def _tenure(company: Company, group: Group) -> tuple[int, int]:
    """Least and most days since signup; a group that is born in the window has nobody from before."""
    least, most = group.tenure_days
    if group.born_month is not None:
        most = min(most, (company.until - company.month(group.born_month)).days)
    return least, most


def _occupation_table(company: Company) -> None:
    """``sim_occupations``: one row per occupation."""
    columns = {"occupation_no": "INTEGER", "occupation": "VARCHAR", "works": "BOOLEAN", "tablet": "DOUBLE",
               "tablet_shift": "DOUBLE"}  # fmt: skip
    rows = [(no, o.name, o.works, o.tablet, o.tablet_shift) for no, o in enumerate(company.plan.occupations)]
    company.load("sim_occupations", columns, rows)


def _leaning_table(company: Company) -> None:
    """``sim_leanings``: per group, age band and occupation the upper ends of the segments' shares of (0, 1)."""
    plan = company.plan
    rows = [
        (group_no, band, occupation_no, _ends(plan.need_leanings, group.name, band, occupation.name),
         _ends(plan.attitude_leanings, group.name, band, occupation.name))
        for group_no, group in enumerate(plan.everyone)
        for band in range(len(AGE_BANDS) + 1)
        for occupation_no, occupation in enumerate(plan.occupations)
    ]  # fmt: skip
    keys = dict.fromkeys(("group_no", "age_band", "occupation_no"), "INTEGER")
    company.load("sim_leanings", {**keys, **dict.fromkeys(("need_ends", "attitude_ends"), "DOUBLE[]")}, rows)


def _ends(leanings: Leanings, group: str, band: int, occupation: str) -> list[float]:
    """Where the shares of the segments end on the way from 0 to 1, the last one's end left out."""
    weights = leanings.by_group[group]
    factors = leanings.by_occupation.get(occupation, (1.0,) * len(weights))
    products = [w * a * o for w, a, o in zip(weights, leanings.by_age[band], factors, strict=True)]
    return [total / sum(products) for total in accumulate(products)][:-1]


def _typical_basket(plan: Plan, group: Group) -> float:
    """What an order of the group's typical member is planned to be worth, discounts taken off, returns not."""
    line = sum(
        share * c.quantity * c.price * exp(c.spread * group.price_shift)
        for c in plan.categories
        if (share := group.categories.get(c.name))
    )
    return group.lines * line * (1 - group.discount_share * group.discount_depth)


def _choice_table(company: Company) -> None:
    """``sim_choices``: which choice a slot of a weighted choice stands for, per kind and group."""
    plan = company.plan
    categories = tuple(category.name for category in plan.categories)
    rows = [("group", 0, *slots) for slots in _slots(group.share for group in plan.groups)]
    rows += [("place", 0, *slots) for slots in _slots(place.weight for place in plan.places)]
    for band in range(len(AGE_BANDS) + 1):
        for no, group in enumerate(plan.everyone):  # band b of group g is the "group" 100 b + g
            weights = (o.by_age[band] * o.by_group.get(group.name, 1.0) for o in plan.occupations)
            rows += [("occupation", 100 * band + no, *slots) for slots in _slots(weights)]
    rows += [("industry", 0, *slots) for slots in _slots(industry.weight for industry in INDUSTRIES)]
    rows += [("stage", no, *slots) for no in (0, 1) for slots in _slots(shares[no] for shares in STAGES.values())]
    for no, group in enumerate(plan.everyone):
        mixes = (("category", categories, group.categories), ("channel", CHANNELS, group.channels),
                 ("acquired", ACQUISITION, group.acquired))  # fmt: skip
        for kind, names, mix in mixes:
            rows += [(kind, no, *slots) for slots in _slots(mix.get(name, 0.0) for name in names)]
    kinds = dict.fromkeys(("group_no", "choice", "first_slot", "last_slot"), "INTEGER")
    company.load("sim_mixes", {"kind": "VARCHAR", **kinds}, rows)
    company.run("""
        CREATE OR REPLACE TEMP TABLE sim_choices AS
        SELECT kind, group_no, choice, unnest(range(first_slot, last_slot + 1)) AS slot FROM sim_mixes
    """)


def _place_tables(company: Company) -> None:
    """``sim_places`` and ``sim_stores``; each place has its own stores or none."""
    plan = company.plan
    texts = dict.fromkeys(("city", "region", "country", "postcode", "spellings"), "VARCHAR")
    degrees = {"latitude": "DOUBLE", "longitude": "DOUBLE"}
    rows = [
        (no, p.city, p.region, p.country, p.postcode, "|".join(plan.spellings[p.country]), p.latitude, p.longitude)
        for no, p in enumerate(plan.places)
    ]
    company.load("sim_places", {"place_no": "INTEGER", **texts, **degrees}, rows)
    stores = [
        (no, f"ST{no + 1:02d}", s.name, s.place_no, place.latitude + s.north, place.longitude + s.east)
        for no, s in enumerate(plan.stores)
        for place in (plan.places[s.place_no],)
    ]
    columns = {"store_no": "INTEGER", "code": "VARCHAR", "name": "VARCHAR", "place_no": "INTEGER", **degrees}
    company.load("sim_stores", columns, stores)


def _calendar_tables(company: Company) -> None:
    """``sim_calendar``: the day of each slot of a season, busy days having more; ``sim_days``: the slots of each day.

    An order that falls on a uniformly drawn slot follows the calendar, and a span of days is a span of slots.
    """
    rows: list[tuple[int, date, int, int, bool]] = []
    for no, season in enumerate(company.plan.seasons):
        first = 0
        for offset in range((company.until - company.start).days + 1):
            day = company.start + timedelta(days=offset)
            units = day_slots(season, day)
            rows.append((no, day, first, first + units - 1, on_sale(day)))
            first += units
    kinds = {"season_no": "INTEGER", "day": "DATE", "first_slot": "INTEGER", "last_slot": "INTEGER", "sale": "BOOLEAN"}
    company.load("sim_days", kinds, rows)
    company.run("""
        CREATE OR REPLACE TEMP TABLE sim_calendar AS
        SELECT season_no, unnest(range(first_slot, last_slot + 1)) AS slot, day, sale FROM sim_days
    """)


def day_slots(season: Season, day: date) -> int:
    """The slots of a day: DAY_UNITS times how busy it is."""
    return max(1, round(DAY_UNITS * _demand(season, day)))


def on_sale(day: date) -> bool:
    """Whether the shop has its Black Friday week (from the fourth Monday of November) or its January sale."""
    monday = 22 + (7 - date(day.year, 11, 22).weekday()) % 7
    return (day.month == 11 and monday <= day.day < monday + 7) or (day.month == 1 and 2 <= day.day <= 14)


def _demand(season: Season, day: date) -> float:
    """How busy a day is, an average day being 1."""
    demand = season.weekdays[day.weekday()] * season.months[day.month - 1]
    if on_sale(day):
        demand *= season.sales
    if (day.month, day.day) in {(12, 25), (12, 26), (1, 1)}:  # shops are shut, the web shop is quiet
        demand *= 0.15
    return demand
