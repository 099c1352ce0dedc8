"""What customers leave behind."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import ibis
import pytest
from ibis.backends.duckdb import Backend
from trait_reference import PRODUCTS, by_key, customers, table, transactions

from segmentry.traits import Facts, compute

AS_OF = date(2024, 1, 31)


def made_of(con: Backend, rows: list[dict[str, Any]], products: list[dict[str, Any]] | None = None, **also: Any):
    listed = None if products is None else table(con, "products", products, PRODUCTS)
    return compute(Facts(customers(con, [1, 2]), transactions(con, rows), listed), AS_OF, **also)


def sale(amount: float, **more: Any) -> dict[str, Any]:
    return {"customer_key": 1, "amount": amount, **more}


def test_margin_is_money_less_the_cost_of_the_lines(con: Backend):
    rows = [sale(100.0, cost=60.0), sale(50.0, cost=40.0), sale(5.0, cost=1.0, line_kind="charge")]
    found = by_key(made_of(con, rows))
    assert (found[1]["margin"], found[1]["margin_rate"]) == (50, pytest.approx(1 / 3))
    assert (found[2]["margin"], found[2]["margin_rate"]) == (0, None)  # bought nothing


@pytest.mark.parametrize("cost", [30.0, -30.0])
def test_goods_that_come_back_bring_their_cost_back(con: Backend, cost: float):
    rows = [sale(100.0, cost=60.0), sale(-50.0, cost=cost, line_kind="return")]
    assert by_key(made_of(con, rows))[1]["margin"] == 20


@pytest.mark.parametrize("pieces", [1.0, -1.0])
def test_cost_comes_from_the_product_table_where_the_line_has_none(con: Backend, pieces: float):
    rows = [
        sale(100.0, product="a", quantity=2.0, cost=None),
        sale(100.0, product="a", quantity=2.0, cost=90.0),
        sale(-50.0, product="a", quantity=pieces, cost=None, line_kind="return"),
    ]
    assert by_key(made_of(con, rows, [{"product": "a", "unit_cost": 20.0}]))[1]["margin"] == 150 - (40 + 90 - 20)


def test_the_newest_listing_of_a_product_counts_and_gaps_are_filled_from_older_ones(con: Backend):
    listed = [
        {"product": "a", "category": "Tea", "unit_cost": 20.0, "known_from": None},
        {"product": "a", "category": None, "unit_cost": 30.0, "known_from": datetime(2024, 1, 1)},
    ]
    made = made_of(con, [sale(100.0, product="a", quantity=1.0)], listed)
    row = by_key(made)[1]
    assert (row["margin"], row["top_category"], row["category_share_tea"]) == (70, "Tea", 1)
    assert made.table.count().execute() == 2  # two listings make no second customer


def test_the_line_knows_its_category_better_than_the_product_table(con: Backend):
    rows = [sale(10.0, product="a", category="Cups"), sale(30.0, product="a", category=None)]
    row = by_key(made_of(con, rows, [{"product": "a", "category": "Tea"}]))[1]
    assert (row["category_share_cups"], row["category_share_tea"]) == (0.25, 0.75)


def test_lines_of_unknown_cost_are_left_out(con: Backend):
    rows = [sale(10.0, cost=4.0) for _ in range(9)] + [sale(1000.0, cost=None)]
    row = by_key(made_of(con, rows))[1]
    assert (row["margin"], row["margin_rate"]) == (54, 0.6)


def test_there_is_no_margin_where_few_costs_are_known_unless_it_is_needed(con: Backend):
    rows = [sale(10.0, cost=4.0), sale(10.0, cost=None)]
    assert not {"margin", "margin_rate"} & {t.name for t in made_of(con, rows).traits}
    assert by_key(made_of(con, rows, also=frozenset({"margin"})))[1]["margin"] == 6


def test_without_quantity_a_unit_cost_says_nothing(con: Backend):
    names = {t.name for t in made_of(con, [sale(9.0, product="a")], [{"product": "a", "unit_cost": 2.0}]).traits}
    assert "margin" not in names


def test_margin_rate_needs_money(con: Backend):
    rows = [sale(10.0, cost=4.0), sale(-10.0, cost=4.0, line_kind="return")]
    row = by_key(made_of(con, rows))[1]
    assert (row["margin"], row["margin_rate"]) == (0, None)


def test_the_value_that_a_source_states_is_a_trait(con: Backend):
    who = customers(con, [{"customer_key": 1, "value": 12.5}, {"customer_key": 2, "value": None}])
    made = compute(Facts(who), AS_OF)
    assert [t.name for t in made.traits] == ["value"]
    assert [row["value"] for row in by_key(made).values()] == [12.5, None]


def test_it_compiles_for_postgresql(con: Backend):
    rows = [sale(9.0, product="a", quantity=1.0)]
    made = made_of(con, rows, [{"product": "a", "unit_cost": 2.0, "category": "Tea", "known_from": None}])
    assert {"margin", "top_category"} <= {t.name for t in made.traits}
    assert '"margin"' in str(ibis.to_sql(made.table, dialect="postgres"))
