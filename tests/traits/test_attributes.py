"""Columns that segmentry.yaml keeps beside the known ones."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import ibis
import pyarrow as pa
import pytest
from ibis.backends.duckdb import Backend
from trait_reference import by_key, customers, transactions

from segmentry.catalogue import Model
from segmentry.config import Attribute
from segmentry.errors import ConfigError
from segmentry.traits import Facts, compute

AS_OF = date(2024, 1, 31)


def attribute(kind: str = "category", **more: Any) -> Attribute:
    return Attribute.model_validate({"from": "Column", "kind": kind, **more})


def test_attributes_of_customers_are_as_given_in_their_kind(con: Backend):
    golden = con.create_table(
        "golden",
        pa.table(
            {
                "customer_key": [1, 2],
                "customer_id": ["C1", "C2"],
                "plan": ["gold", None],
                "score": [1, 2],
                "vip": [True, False],
                "broken": [1e300, 5.0],
                "empty": pa.array([None, None], pa.string()),
            }
        ),
    )
    declared = (
        ("customers", "plan", attribute(model="needs", description="Contract.", pii="quasi")),
        ("customers", "score", attribute("number", unit="points")),
        ("customers", "vip", attribute("boolean")),
        ("customers", "broken", attribute("number")),
        ("customers", "empty", attribute()),
        ("customers", "not_collected", attribute()),
        ("customers", "plan", attribute(model="value")),  # in a second source: the first declaration counts
    )
    made = compute(Facts(golden, attributes=declared), AS_OF)
    one, two = by_key(made)[1], by_key(made)[2]
    assert (one.pop("broken"), two.pop("broken")) == (None, 5.0)  # no number of this world
    assert one == {"customer_key": 1, "customer_id": "C1", "plan": "gold", "score": 1.0, "vip": True}
    assert two == {"customer_key": 2, "customer_id": "C2", "plan": None, "score": 2.0, "vip": False}
    plan, score, vip, _ = made.traits
    assert (plan.model, plan.kind, plan.description, plan.pii.value) == (Model.NEEDS, "category", "Contract.", "quasi")
    assert (score.kind, score.unit, vip.kind) == ("number", "points", "boolean")
    assert made.table.schema()["score"].is_floating()


def test_attributes_of_order_lines_are_summed_up_over_sales(con: Backend):
    def line(key: int, colour: str | None, stars: float | None, gift: bool | None, **more: Any) -> dict[str, Any]:
        return {"customer_key": key, "colour": colour, "stars": stars, "gift": gift, **more}

    rows = [
        line(1, "red", 5.0, True),
        line(1, "red", None, False),
        line(1, "blue", 2.0, None),
        line(1, "blue", 0.0, True, line_kind="return"),
        line(1, "blue", 0.0, True, time=datetime(2024, 2, 1)),
        line(2, "blue", None, None),
        line(2, "amber", None, None),
        line(3, None, 1.0, True, line_kind="charge"),
    ]
    declared = (
        ("transactions", "colour", attribute(description="Colour of the product.")),
        ("transactions", "stars", attribute("number", unit="stars")),
        ("transactions", "gift", attribute("boolean")),
    )
    table = transactions(con, rows, {"stars": pa.float64(), "gift": pa.bool_()})
    made = compute(Facts(customers(con, [1, 2, 3, 4]), table, attributes=declared), AS_OF)
    found = {k: (row["colour"], row["stars"], row["gift"]) for k, row in by_key(made).items()}
    assert found == {1: ("red", 3.5, 0.5), 2: ("amber", None, None), 3: (None,) * 3, 4: (None,) * 3}
    colour, stars, gift = made.traits[-3:]
    assert colour.description == "Colour of the product: the most frequent."
    assert (stars.kind, stars.unit) == ("number", "stars")
    assert (gift.kind, gift.unit) == ("number", "share")
    assert '"gift"' in str(ibis.to_sql(made.table, dialect="postgres"))


def test_an_attribute_may_have_the_name_of_a_column_used_inside(con: Backend):
    names = ("day", "sold", "orders", "first_order", "is_sale", "years_old")
    who = customers(con, [{"customer_key": 1, **dict.fromkeys(names, "of the customer")}])
    rows = [{"customer_key": 1, "lines": "of the line", "month": "of the line"}]
    declared = tuple(("customers", n, attribute()) for n in names) + tuple(
        ("transactions", n, attribute()) for n in ("lines", "month")
    )
    row = by_key(compute(Facts(who, transactions(con, rows), attributes=declared), AS_OF))[1]
    assert (row["frequency"], row["monetary"]) == (1, 10.0)
    assert {row[n] for n in names} == {"of the customer"}
    assert row["lines"] == row["month"] == "of the line"


@pytest.mark.parametrize("name", ["frequency", "channel_share_web", "age"])
def test_the_name_of_a_built_in_trait_is_refused(con: Backend, name: str):
    facts = Facts(customers(con, [1]), attributes=(("customers", name, attribute()),))
    with pytest.raises(ConfigError, match=f"'{name}' has the name of another trait.*another name"):
        compute(facts, AS_OF)


def test_one_name_in_two_tables_is_refused(con: Backend):
    declared = (("customers", "plan", attribute()), ("transactions", "plan", attribute()))
    with pytest.raises(ConfigError, match="plan"):
        compute(Facts(customers(con, [1]), attributes=declared), AS_OF)
