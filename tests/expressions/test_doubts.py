"""Slips in rules are found by reasoning alone, and what is fine is left alone."""

from __future__ import annotations

import itertools

import duckdb
import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentry.expressions import Column, covered, parse, seams, slips
from segmentry.expressions.regions import TooManyError, region

COLUMNS = {
    "city": Column("category"),
    "spend": Column("number"),
    "orders": Column("number", 0.0),
    "web": Column("boolean"),
}


def kinds(text: str) -> list[str]:
    return [slip.kind for slip in slips(parse(text, where="test"), COLUMNS)]


@pytest.mark.parametrize(
    "text",
    [
        "city = 'A' and city = 'B'",
        "city in ('A', 'B') and city = 'C'",
        "spend > 5 and web and spend < 3",
        "5 < spend and 4 > spend",
        "orders < 0",
        "spend between 5 and 3",
        "spend is null and spend > 3",
        "web and not web",
        "lower(city) = 'a' and not lower(city) = 'a'",
        "(city = 'A' and city = 'B') or web",
    ],
)
def test_what_never_holds_is_told(text: str) -> None:
    assert kinds(text) == ["never"]


@pytest.mark.parametrize(
    "text", ["city <> 'A' or city <> 'B'", "orders >= 0", "web or not web", "spend < 5 or spend >= 5 or city = 'A'"]
)
def test_what_always_holds_is_told(text: str) -> None:
    assert kinds(text) == ["always"]


@pytest.mark.parametrize(
    "text",
    [
        "city = 'A' or city = 'B'",
        "city <> 'A' and city <> 'B'",
        "spend > 3 and spend < 5",
        "spend is null or spend > 3",
        "web and (spend > 1 or city = 'A')",
        "city like 'A%' and city <> 'A'",
        "spend > orders and spend < 5",
        "(web and spend > 1) or city = 'A'",
    ],
)
def test_what_may_well_be_meant_is_left_alone(text: str) -> None:
    assert kinds(text) == []


def test_and_beside_or_without_brackets_comes_with_its_other_reading() -> None:
    (slip,) = slips(parse("web or city = 'A' and spend > 1", where="test"), COLUMNS)
    assert slip.kind == "mixed"
    assert slip.instead == "(web OR city = 'A') AND spend > 1"
    (inside,) = slips(parse("orders > 2 and (web or city = 'A' and spend > 1)", where="test"), COLUMNS)
    assert inside.instead == "orders > 2 AND ((web OR city = 'A') AND spend > 1)"


def test_contradiction_says_what_to_write() -> None:
    (slip,) = slips(parse("city = 'A' and city = 'B'", where="test"), COLUMNS)
    assert slip.whole
    assert slip.fix == "If either will do: city IN ('A', 'B')."
    (part,) = slips(parse("web or city <> 'A' or city <> 'B'", where="test"), COLUMNS)
    assert part.fix == "If neither is meant: city NOT IN ('A', 'B')."


def test_rule_behind_wider_rules_is_covered_by_them_together() -> None:
    low, high, all_of = (parse(t, where="test") for t in ("spend < 5", "spend >= 5 and web", "spend > 1 and web"))
    assert covered(all_of, [low, high], COLUMNS)
    assert not covered(all_of, [low], COLUMNS)
    assert not covered(parse("web", where="test"), [low, high], COLUMNS)  # of some the spend is not known


def test_seams_between_ranges() -> None:
    def told(*texts: str) -> list[tuple[str, bool]]:
        return [(s.text, s.twice) for s in seams([parse(t, where="test") for t in texts], COLUMNS)]

    assert told("spend < 5", "spend > 5") == [("spend of exactly 5", False)]
    assert told("spend <= 5", "spend >= 5") == [("spend of exactly 5", True)]
    assert told("spend < 5", "spend >= 7") == [("spend from 5 to below 7", False)]
    assert told("spend < 5", "spend >= 5") == []
    assert told("spend < 5 and web", "spend > 5") == []  # they differ in more than the range
    assert told("spend < 5 and web", "spend > 5 and web", "web") == []  # another rule takes it
    assert told("spend < 5", "spend > 5", "spend = 5") == []
    assert told("spend is null") == told("spend is null", "spend < 5") == []  # gaps alone are no range


def test_a_rule_too_long_to_reason_about_says_nothing() -> None:
    text = " and ".join(f"(lower(city) = '{i}' or upper(city) = '{i}')" for i in range(12))
    with pytest.raises(TooManyError):
        region(parse(text, where="test")._tree, COLUMNS)
    assert kinds(text) == []


_ATOMS = st.sampled_from(
    [
        *("spend < 2", "spend >= 2", "spend = 1", "spend <> 1", "spend is null", "spend is not null", "3 > spend"),
        *("spend between 1 and 2", "city = 'A'", "city <> 'A'", "city in ('A', 'B')", "city is null"),
        *("web", "not web", "web is true"),
    ]
)
_RULES = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        inner.map(lambda t: f"not ({t})"),
    ),
    max_leaves=5,
)
_ROWS = list(itertools.product([None, 0.0, 1.0, 1.5, 2.0, 3.0], [None, "A", "B", "C"], [None, True, False]))


@pytest.fixture(scope="module")
def rows() -> ibis.expr.types.Table:
    con = ibis.duckdb.from_connection(duckdb.connect())
    columns = {name: [row[i] for row in _ROWS] for i, name in enumerate(("spend", "city", "web"))}
    return con.create_table("every", ibis.memtable(columns, schema={"spend": "float64", "city": "str", "web": "bool"}))


@settings(max_examples=60, deadline=None)
@given(text=_RULES)
def test_a_region_holds_the_rows_that_the_engine_finds(rows: ibis.expr.types.Table, text: str) -> None:
    rule = parse(text, where="test")
    for truth, strict in itertools.product((True, False), (True, False)):
        boxes = region(rule._tree, COLUMNS, truth=truth, strict=strict)
        wanted = rule.condition(rows) if truth else ~rule.condition(rows)
        found = rows.mutate(there=wanted.fill_null(not strict)).to_pyarrow().to_pylist()
        for row in found:
            inside = any(
                all(
                    values.null
                    if row[name] is None
                    else any(low < (1, row[name], 0.5) < high for low, high in values.spans)
                    for name, values in box.items()
                )
                for box in boxes
            )
            assert inside == row["there"], (text, truth, strict, row)
