"""What customers cost, and how costs of nobody in particular are shared out."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest
from ibis.backends.duckdb import Backend
from trait_reference import COSTS, by_key, customers, table, transactions

from segmentry.traits import Facts, compute

AS_OF = date(2024, 6, 30)


def found(con: Backend, people: list[Any], costs: list[dict[str, Any]], lines: list[dict[str, Any]] | None = None):
    usual = {"customer_key": None, "time": datetime(2024, 3, 5), "type": "acquisition", "channel": None}
    spent = table(con, "costs", [usual | cost for cost in costs], COSTS)
    bought = transactions(con, lines) if lines else None
    return by_key(compute(Facts(customers(con, people), bought, further={"costs": spent}), AS_OF))


def won(key: int, channel: str | None, month: int | None) -> dict[str, Any]:
    joined = None if month is None else datetime(2024, month, 10)
    return {"customer_key": key, "acquisition_channel": channel, "joined_at": joined}


def test_a_customers_own_costs_are_added_up(con: Backend) -> None:
    given = (("service", 2.1), (" Service", 3.2), ("retention", 1))
    costs = [{"customer_key": 1, "type": type_, "amount": amount} for type_, amount in given]
    rows = found(con, [1, 2], costs)
    assert (rows[1]["service_cost"], rows[1]["retention_cost"]) == (5.3, 1)
    assert (rows[2]["service_cost"], rows[2]["retention_cost"]) == (0, 0)
    assert "acquisition_cost" not in rows[1]  # nobody ever said what winning costs


def test_advertising_is_shared_by_those_who_came_through_it_that_month(con: Backend) -> None:
    people = [won(1, "ads", 3), won(2, "ads", 3), won(3, "ads", 4), won(4, "search", 3)]
    costs = [{"channel": "ads", "amount": 30.0}, {"customer_key": 3, "channel": "ads", "amount": 7.0}]
    rows = found(con, people, costs)
    assert {k: r["acquisition_cost"] for k, r in rows.items()} == {1: 15, 2: 15, 3: 7, 4: 0}


def test_where_nobody_came_the_cost_goes_to_the_next_closest(con: Backend) -> None:
    people = [won(1, "ads", 4), won(2, "search", 3), won(3, None, None)]
    in_month = [{"channel": "ads", "amount": 10.0}]
    assert [r["acquisition_cost"] for _, r in sorted(found(con, people, in_month).items())] == [10, 0, 0]
    of_nobody = [{"channel": "radio", "amount": 10.0}]
    assert [r["acquisition_cost"] for _, r in sorted(found(con, people, of_nobody).items())] == [0, 10, 0]
    unknown = [{"channel": None, "time": None, "amount": 9.0}]
    assert [r["acquisition_cost"] for _, r in sorted(found(con, people, unknown).items())] == [3, 3, 3]


def test_who_has_no_day_of_joining_was_won_with_the_first_order(con: Backend) -> None:
    lines = [{"customer_key": 1, "time": datetime(2024, 3, 20)}, {"customer_key": 2, "time": datetime(2024, 4, 1)}]
    rows = found(con, [1, 2], [{"amount": 8.0}], lines)
    assert (rows[1]["acquisition_cost"], rows[2]["acquisition_cost"]) == (8, 0)


def test_service_of_nobody_in_particular_is_shared_by_order_lines(con: Backend) -> None:
    lines = [{"customer_key": k} for k in (1, 1, 1, 2)]
    rows = found(con, [1, 2, 3], [{"type": "service", "amount": 8.0}], lines)
    assert [rows[k]["service_cost"] for k in (1, 2, 3)] == [6, 2, 0]
    without = found(con, [1, 2], [{"type": "service", "amount": 8.0}])
    assert [without[k]["service_cost"] for k in (1, 2)] == [4, 4]


def test_net_value_is_what_is_left(con: Backend) -> None:
    lines = [{"customer_key": 1, "amount": 100.0, "cost": 60.0}, {"customer_key": 2, "amount": 10.0, "cost": 5.0}]
    costs = [{"customer_key": 1, "amount": 10.0}, {"customer_key": 2, "amount": 10.0}]
    rows = found(con, [1, 2, 3], costs, lines)
    assert [rows[k]["net_value"] for k in (1, 2, 3)] == [30, -5, 0]
    assert [rows[k]["paid_back"] for k in (1, 2, 3)] == [True, False, True]
    assert [rows[k]["cost_ratio"] for k in (1, 2, 3)] == [0.25, 2, None]


def test_costs_to_come_are_not_known_yet(con: Backend) -> None:
    later = {"customer_key": 1, "type": "service", "time": datetime(2024, 7, 1), "amount": 5.0}
    rows = found(con, [1], [later, {"customer_key": 1, "type": "service", "amount": 1.0}])
    assert rows[1]["service_cost"] == 1


def test_all_that_was_spent_comes_out_again(con: Backend) -> None:
    rng = np.random.default_rng(1)
    channels = ["ads", "search", "radio", None]
    people = [won(k, channels[rng.integers(4)], int(rng.integers(1, 7)) if k % 5 else None) for k in range(1, 200)]
    costs = [
        {
            "customer_key": int(rng.integers(1, 200)) if rng.random() < 0.3 else None,
            "channel": ["ads", "search", "television", None][rng.integers(4)],
            "time": datetime(2024, int(rng.integers(1, 7)), 3) if rng.random() < 0.9 else None,
            "type": str(rng.choice(["acquisition", "service", "retention"])),
            "amount": float(rng.integers(1, 10_000)) / 100,
        }
        for _ in range(400)
    ]
    rows = found(con, people, costs, [{"customer_key": int(k)} for k in rng.integers(1, 200, 500)])
    spent: Counter[str] = Counter()
    for cost in costs:
        spent[cost["type"]] += cost["amount"]
    for type_, amount in spent.items():
        assert sum(row[f"{type_}_cost"] for row in rows.values()) == pytest.approx(amount)
