"""Traits of order lines computed once more, one customer after the other in plain Python, and tables to try them on."""

from __future__ import annotations

import calendar
import math
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from segmentry.traits import TraitTable

Row = dict[str, Any]

TRANSACTIONS = {
    "customer_key": pa.int64(),
    "order": pa.string(),
    "time": pa.timestamp("us"),
    "amount": pa.float64(),
    "quantity": pa.float64(),
    "product": pa.string(),
    "product_name": pa.string(),
    "category": pa.string(),
    "channel": pa.string(),
    "discount": pa.float64(),
    "cost": pa.float64(),
    "country": pa.string(),
    "line_kind": pa.string(),
    "source": pa.string(),
}
CUSTOMERS = {
    "customer_key": pa.int64(),
    "customer_id": pa.string(),
    "ids": pa.int64(),
    "joined_at": pa.timestamp("us"),
    "acquisition_channel": pa.string(),
    "birth_date": pa.date32(),
    "birth_year": pa.int64(),
    "age": pa.int64(),
    "income": pa.float64(),
    "household_size": pa.int64(),
    "children": pa.int64(),
    "value": pa.float64(),
    "latitude": pa.float64(),
    "longitude": pa.float64(),
}
PRODUCTS = {
    "product": pa.string(),
    "category": pa.string(),
    "unit_cost": pa.float64(),
    "known_from": pa.timestamp("us"),
}

COSTS = {
    "customer_key": pa.int64(),
    "time": pa.timestamp("us"),
    "type": pa.string(),
    "amount": pa.float64(),
    "channel": pa.string(),
}


def table(con: Backend, name: str, rows: Sequence[Row], types: Mapping[str, pa.DataType]) -> ir.Table:
    """A table with the columns that the rows have; a column of another name than those in ``types`` is text."""
    columns = list(dict.fromkeys(c for row in rows for c in row))
    schema = pa.schema([(c, types.get(c, pa.string())) for c in columns])
    return con.create_table(name, pa.Table.from_pylist(list(rows), schema=schema), overwrite=True)


def customers(con: Backend, rows: Iterable[Row | int]) -> ir.Table:
    """golden_customers from keys, or from rows with a customer_key."""
    full = [{"customer_key": r} if isinstance(r, int) else r for r in rows]
    return table(con, "golden_customers", [{"customer_id": f"C{r['customer_key']}", **r} for r in full], CUSTOMERS)


def transactions(con: Backend, rows: Sequence[Row], types: Mapping[str, pa.DataType] | None = None) -> ir.Table:
    """transactions from rows; what is left out is a sale of 10 on 2024-01-01."""
    usual = {"time": datetime(2024, 1, 1, 12), "amount": 10.0, "line_kind": "sale"}
    return table(con, "transactions", [usual | r for r in rows], {**TRANSACTIONS, **(types or {})})


def by_key(made: TraitTable) -> dict[int, Row]:
    """The rows of a table of traits."""
    return {row["customer_key"]: row for row in made.table.to_pyarrow().to_pylist()}


def random_lines(seed: int, *, customers: int = 30, lines: int = 500) -> list[Row]:
    """Order lines with ties, gaps, one-order customers, days with several orders, and lines of nobody."""
    rng = random.Random(seed)
    start = datetime(2023, 1, 1)
    rows = []
    for i in range(lines):
        key = None if rng.random() < 0.05 else min(int(rng.expovariate(0.15)), customers - 1)
        placed = start + timedelta(days=rng.choice([*range(0, 420, 7), 3, 3, 4]), seconds=rng.randrange(86_400))
        kind = rng.choices(["sale", "return", "charge"], [0.8, 0.12, 0.08])[0]
        if key in (1, 2):  # a customer who only sends things back, and one who only pays fees
            kind = {1: "return", 2: "charge"}[key]
        price = rng.choice([0.0, 2.5, 10.0, 19.99, 120.0])
        pieces = rng.choice([None, 1.0, 1.0, 2.0, 5.0])
        rows.append(
            {
                "customer_key": key,
                "order": rng.choice([None, f"O{i // 3}", f"O{i // 3}", f"O{i // 3}"]),
                "time": placed,
                "amount": -price if kind == "return" else price,
                "quantity": pieces if kind != "return" or pieces is None else -pieces,
                "product": rng.choice([None, *(f"P{n}" for n in range(8))]),
                "category": rng.choice([None, "Tea", "Cups", "Cups", "Pots"]),
                "channel": rng.choice([None, "web", "store", "store"]),
                "discount": rng.choice([None, None, 0.0, 1.5]),
                "cost": rng.choice([1.0, 2.0, 8.0, None]) if rng.random() < 0.3 else 3.0,
                "country": rng.choice([None, "France", "Germany", "UK", "United Kingdom"]),
                "line_kind": kind,
                "source": "shop",
            }
        )
    return rows


def reference(rows: Sequence[Row], keys: Iterable[int], as_of: date, zone: str = "UTC") -> dict[int, Row]:
    """Behavioral and value traits by customer."""
    mine: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row["customer_key"] is not None and row["time"].date() <= as_of:
            mine[row["customer_key"]].append(row)
    found = {key: _traits(mine[key], as_of) | _times(mine[key], zone) for key in keys}
    means = [row["days_between_orders"] for row in found.values() if row["days_between_orders"] is not None]
    typical = round(statistics.median(means), 6) if means else 90.0
    money = {key: max(round(row["monetary"], 2), 0.0) for key, row in found.items()}
    return {key: row | _silence(row, typical) | _pareto(money[key], list(money.values())) for key, row in found.items()}


def _pareto(own: float, everybody: Sequence[float]) -> Row:
    total = sum(everybody)
    if not total:
        return {"pareto_share": None, "pareto_class": "C"}
    better = sum(other for other in everybody if other > own) / total
    return {
        "pareto_share": sum(other for other in everybody if other >= own) / total,
        "pareto_class": "A" if better < 0.8 else "B" if better < 0.95 else "C",
    }


def _silence(row: Row, typical: float) -> Row:
    if row["recency_days"] is None:
        return {"silence_ratio": None, "own_pace_stage": "no orders"}
    ratio = row["recency_days"] / (row["days_between_orders"] if row["order_days"] >= 3 else typical)
    longer = math.exp(-ratio)  # the chance that a Poisson buyer is silent for longer
    stage = "active" if longer >= 0.2 else "slowing" if longer >= 0.05 else "at risk" if longer >= 0.01 else "gone"
    return {"silence_ratio": ratio, "own_pace_stage": stage}


def _times(lines: Sequence[Row], zone: str) -> Row:
    """Of the orders: when they are usually placed."""
    moments = [local(moment, zone) for moment in _orders([line for line in lines if line["line_kind"] == "sale"])]
    day = most(m.weekday() for m in moments)
    return {
        "preferred_weekday": None if day is None else calendar.day_name[day],
        "preferred_hour": most(m.hour for m in moments),
        "weekend_share": sum(m.weekday() > 4 for m in moments) / len(moments) if moments else None,
    }


def local(moment: datetime, zone: str) -> datetime:
    """What clocks of a zone show at a time in UTC."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))


def most(values: Iterable[Any]) -> Any:
    """The most frequent value, of equals the smaller one."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value)) if counts else None


def _orders(sales: Sequence[Row]) -> list[datetime]:
    """The time of every order."""
    numbered: dict[str, datetime] = {}
    alone = []
    for line in sales:
        if line.get("order") is None:
            alone.append(line["time"])
        else:
            numbered[line["order"]] = max(line["time"], numbered.get(line["order"], line["time"]))
    return sorted([*numbered.values(), *alone])


def _regularity(days: Sequence[date]) -> float | None:
    if len(days) < 4:
        return None
    gaps = [(b - a).days for a, b in pairwise(days)]
    return 1 / (1 + statistics.variance(gaps) / statistics.mean(gaps) ** 2)


def _trend(sales: Sequence[Row], orders: Sequence[date], as_of: date) -> float | None:
    if not orders or (as_of - orders[0]).days < 180:
        return None
    ages = [((as_of - line["time"].date()).days, line["amount"]) for line in sales]
    now = sum(amount for age, amount in ages if age < 90)
    before = sum(amount for age, amount in ages if 90 <= age < 180)
    return (now - before) / (now + before) if now + before else None


def _baskets(sales: Sequence[Row]) -> Row:
    known = [line for line in sales if line["category"] is not None]
    baskets: dict[Any, set[str]] = defaultdict(set)
    for place, line in enumerate(known):
        baskets[line["order"] or place].add(line["category"])
    counts = Counter(line["category"] for line in known)
    same = sum((n / len(known)) ** 2 for n in counts.values())
    return {
        "categories_per_order": statistics.mean(len(found) for found in baskets.values()) if baskets else None,
        "category_diversity": 1 - same if known else None,
    }


def _traits(lines: Sequence[Row], as_of: date) -> Row:
    sales = [line for line in lines if line["line_kind"] == "sale"]
    goods = [line for line in lines if line["line_kind"] != "charge"]
    orders = [moment.date() for moment in _orders(sales)]
    days = sorted(set(orders))
    sold = sum(line["amount"] for line in sales)
    returned = sum(line["amount"] for line in goods) - sold
    discount = sum(line["discount"] or 0 for line in sales)
    pieces = [line["quantity"] for line in sales if line["quantity"] is not None]
    costed = [line for line in goods if line["cost"] is not None]
    kept = sum(line["amount"] for line in costed)
    margin = kept - sum(-abs(x["cost"]) if x["line_kind"] == "return" else x["cost"] for x in costed)

    def days_ago(day: date) -> int:
        return (as_of - day).days

    return {
        "recency_days": days_ago(orders[-1]) if orders else None,
        "frequency": len(orders),
        "monetary": sold + returned,
        "tenure_days": days_ago(orders[0]) if orders else None,
        "average_order_value": sold / len(orders) if orders else None,
        "days_between_orders": (days[-1] - days[0]).days / (len(days) - 1) if len(days) > 1 else None,
        "order_days": len(days),
        "active_months": len({(d.year, d.month) for d in days}),
        "spend_90d": sum(x["amount"] for x in goods if days_ago(x["time"].date()) < 90),
        "spend_365d": sum(x["amount"] for x in goods if days_ago(x["time"].date()) < 365),
        "orders_90d": sum(days_ago(d) < 90 for d in orders),
        "orders_365d": sum(days_ago(d) < 365 for d in orders),
        "return_rate": min(abs(returned) / sold, 1) if sold else None,
        "items_per_order": sum(pieces) / len(orders) if pieces else None,
        "discount_share": discount / (sold + discount) if sold + discount else None,
        "products_bought": len({x["product"] for x in sales if x["product"] is not None}),
        "spend_trend": _trend(sales, orders, as_of),
        "regularity": _regularity(days),
        **_baskets(sales),
        "top_channel": _most(sales, "channel"),
        "top_category": _most(sales, "category"),
        **_shares(sales, "channel"),
        **_shares(sales, "category"),
        "lifecycle_stage": _stage(orders, as_of),
        "margin": margin if costed else (None if goods else 0.0),
        "margin_rate": margin / kept if kept > 0 else None,
    }


def _most(sales: Sequence[Row], column: str) -> str | None:
    found: str | None = most(line[column] for line in sales if line[column] is not None)
    return found


def _shares(sales: Sequence[Row], column: str) -> Row:
    values = {"channel": ("web", "store"), "category": ("tea", "cups", "pots")}[column]
    known = sum(line["amount"] for line in sales if line[column] is not None)
    part = {v: sum(line["amount"] for line in sales if (line[column] or "").lower() == v) for v in values}
    return {f"{column}_share_{v}": part[v] / known if known else None for v in values}


def _stage(orders: Sequence[date], as_of: date) -> str:
    if not orders:
        return "no orders"
    first, last = (as_of - orders[0]).days, (as_of - orders[-1]).days
    if len(orders) == 1 and first <= 30:
        return "new"
    return "active" if last <= 90 else "lapsed" if last > 365 else "cooling"
