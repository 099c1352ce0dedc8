"""Purchase histories of all customers, counted in the engine, and what of them comes into Python.

**A purchase** is a day (or week) on which goods were sold for more than came back on it: orders of one day are one
purchase, and one that was cancelled on the day is none. What comes back later is no purchase and takes none away, but
lowers what the customer is known to spend: ``mean_spend`` is all sales less all returns, per purchase, not below 0.
Money that comes back without ever having been spent here (it was before the data begin) does so too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from segmentry import engine
from segmentry.config.lifetime import COHORT
from segmentry.stats.lifetime.cells import Floats
from segmentry.traits.known import ATTRIBUTE, KEY, Known

DAYS = {"day": 1, "week": 7}
HISTORY = ("x", "t_x", "age")  # x, t_x and T, in periods
GROUP = "group_name"
_MONEY_DECIMALS = 4  # of mean spend added up over customers
_HEX = 16**8


@dataclass(frozen=True)
class Histories:
    """Histories of the customers who have bought, one row each, in periods of ``days`` days that end on the as-of date.

    ``purchases`` has customer_key, ``ago`` (periods before the last one) and ``spent``; ``table`` has customer_key,
    group_name where customers are in groups, x, t_x, age (T), mean_spend, and as of the end of the calibration
    ``cut`` periods ago (x is null for who came later) x_before, t_x_before, age_before and bought_after.
    """

    purchases: ir.Table
    table: ir.Table
    days: int
    cut: int

    @property
    def customers(self) -> int:
        """How many have bought."""
        return int(self.table.count().to_pyarrow().as_py())


def purchases(known: Known, days: int) -> ir.Table:
    """One row per customer and period with a sale or a return: ``ago``, ``spent`` (net, in units) and ``bought``."""
    assert known.lines is not None
    goods = known.lines.filter(known.lines["is_goods"])
    ago = engine.days_between(ibis.literal(known.as_of), goods["day"])
    if days > 1:
        ago = (ago.cast("float64") / days).floor()
    lines = goods.select(KEY, "amount", ago=ago.cast("int32"), sold=goods["is_sale"].cast("int32"))
    rows = lines.group_by([KEY, "ago"]).agg(spent=lines["amount"].sum(), sold=lines["sold"].max())
    rows = rows.mutate(ago=rows["ago"].cast("int64"))
    paid = (rows["spent"] > 0) if known.counts["paid_sales"] else ibis.literal(True)
    return rows.select(KEY, "ago", "spent", bought=(rows["sold"] == 1) & paid)


def histories(
    known: Known, days: int, *, cut_day: date | None = None, over_day: date | None = None, by: str | None = None
) -> Histories:
    """Count the histories; calibration and holdout end with the whole periods in which cut_day and over_day are.

    Without days, or with later ones than the as-of date, they end on that.
    """
    cut, over = (0 if d is None else max(0, (known.as_of - d).days // days) for d in (cut_day, over_day))
    name = f"{days}d_{known.as_of:%Y%m%d}"  # another day's may be read in the same session
    rows = purchases(known, days)
    if cut_day is not None:  # they are read again, period by period
        rows = engine.kept(f"lifetime_purchases_{name}", rows)
    ago, bought = rows["ago"], rows["bought"]

    def of(where: ir.BooleanValue, value: ir.IntegerValue) -> ir.IntegerValue:
        return where.ifelse(value, ibis.null("int64"))

    counted = rows.group_by(KEY).agg(
        n=_whole(bought),
        first=of(bought, ago).max(),
        last=of(bought, ago).min(),
        n_before=_whole(bought & (ago >= cut)),
        n_over=_whole(bought & (ago < over)),
        last_before=of(bought & (ago >= cut), ago).min(),
        spent=rows["spent"].sum(),
    )
    counted = counted.filter(counted["n"] > 0)
    came = counted["first"] >= cut
    net = counted["spent"].cast("float64") / 10.0 ** known.decimals["amount"]
    made = counted.select(
        KEY,
        x=counted["n"] - 1,
        t_x=counted["first"] - counted["last"],
        age=counted["first"],
        mean_spend=engine.ratio((net > 0).ifelse(net, 0.0), counted["n"]),
        x_before=of(came, counted["n_before"] - 1),
        t_x_before=of(came, counted["first"] - counted["last_before"]),
        age_before=of(came, counted["first"] - cut),
        bought_after=of(came, counted["n"] - counted["n_before"] - counted["n_over"]),
    )
    if by is not None:
        made = _grouped(known, made, days, by)
    return Histories(rows.filter(rows["bought"]), engine.kept(f"lifetime_histories_{name}", made), days, cut)


def _whole(where: ir.BooleanValue) -> ir.IntegerValue:
    # by way of float64: DuckDB and PostgreSQL give wider types than int64 for sums of integers
    return engine.count_where(where).cast("float64").cast("int64")


def _grouped(known: Known, made: ir.Table, days: int, by: str) -> ir.Table:
    """The histories with the customer's group as text; null where it is not known."""
    if by == COHORT:
        years = range(known.as_of.year, (known.first_month - 1) // 12 - 1, -1)
        since = [(str(year), (known.as_of - date(year, 1, 1)).days) for year in years]
        cases = [(made["age"] * days <= ago, year) for year, ago in since]
        return made.mutate(**{GROUP: ibis.cases(*cases, else_=since[-1][0])})
    column = by if by in known.customers.columns else ATTRIBUTE + by
    people = known.customers.select(KEY, **{GROUP: known.customers[column].cast("string")})
    return made.left_join(people, KEY, rname="{name}_of_group").select(*made.columns, GROUP)


def sampled(rows: ir.Table, most: int, of: int, seed: int) -> ir.Table:
    """About ``most`` of so many customers, chosen by a hash of the key: the same ones on every engine."""
    if of <= most:
        return rows
    limit = f"{int(_HEX * most / of):08x}"
    return rows.filter(engine.sample_order(rows[KEY], f"lifetime {seed}") < limit)


@dataclass(frozen=True)
class Counted:
    """Distinct histories: x, t_x, T, the customers with each, and their mean spend."""

    x: Floats
    t_x: Floats
    age: Floats
    customers: Floats
    mean_spend: Floats

    def __len__(self) -> int:
        return len(self.x)


def cells(table: ir.Table, group: str | None = None) -> Counted:
    """The distinct histories of all customers, or of those in a group."""
    rows = table if group is None else table.filter(table[GROUP] == group)
    largest = rows["mean_spend"].abs().max().to_pyarrow().as_py()
    decimals = engine.decimals_for(largest, _MONEY_DECIMALS)
    spent = engine.sum_of_units(engine.units(rows["mean_spend"], decimals), decimals)
    found = rows.group_by(list(HISTORY)).agg(customers=rows.count(), spent=spent).to_pyarrow()
    x, t_x, age, n, total = (_numbers(found, c) for c in (*HISTORY, "customers", "spent"))
    order = np.lexsort((age, t_x, x))
    return Counted(x[order], t_x[order], age[order], n[order], (total / n)[order])


def distinct_cells(table: ir.Table) -> int:
    """How many distinct histories there are."""
    return int(table.select(*HISTORY).distinct().count().to_pyarrow().as_py())


def before(table: ir.Table) -> tuple[Floats, ...]:
    """Distinct (x, t_x, T) at the end of the calibration with the purchases after it, and the customers of each."""
    rows = table.filter(table["x_before"].notnull())
    names = ["x_before", "t_x_before", "age_before", "bought_after"]
    found = rows.group_by(names).agg(customers=rows.count()).to_pyarrow()
    columns = [_numbers(found, c) for c in (*names, "customers")]
    order = np.lexsort(columns[:4])
    return tuple(column[order] for column in columns)


def repeats(made: Histories, sample: ir.Table) -> Floats:
    """Repeat purchases in each period, the oldest first, of the customers of a sample who came in the calibration."""
    who = sample.filter(sample["x_before"].notnull()).select(KEY, came="age")
    bought = made.purchases.inner_join(who, KEY)
    again = bought.filter(bought["ago"] < bought["came"])
    found = again.group_by("ago").agg(purchases=again.count()).to_pyarrow()
    oldest = int(who["came"].max().to_pyarrow().as_py())
    counts = np.bincount(_numbers(found, "ago").astype(np.int64), _numbers(found, "purchases"), oldest + 1)
    return counts[::-1].astype(np.float64)


def spends(table: ir.Table) -> tuple[Floats, Floats]:
    """Purchases and mean spend of each of the (few) customers of a table who spent anything, in the order of keys."""
    found = table.filter(table["mean_spend"] > 0).select(KEY, "x", "mean_spend").order_by(KEY).to_pyarrow()
    return _numbers(found, "x") + 1, _numbers(found, "mean_spend")


def _numbers(table: pa.Table, column: str) -> Floats:
    return table[column].to_numpy().astype(np.float64)
