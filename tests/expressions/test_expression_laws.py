"""Laws that hold for any expression, tried on random ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pytest
from hypothesis import HealthCheck, example, given, reject, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from ibis.config import Config
from tests.expressions.written import values

from segmentry.errors import ConfigError
from segmentry.expressions import parse, pieces, reads_as

DIALECTS = ("duckdb", "postgres", "snowflake", "bigquery", "pyspark")
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)

Texts = SearchStrategy[str]


def joined(*parts: str | Texts) -> Texts:
    """Parts with blanks between them."""
    drawn = [st.just(part) if isinstance(part, str) else part for part in parts]
    return st.tuples(*drawn).map(" ".join)


def bracketed(text: Texts) -> Texts:
    return text.map("({})".format)


def one_of_kind(
    kind: str, deeper: dict[str, Texts], functions: Callable[[str, dict[str, Texts]], list[Texts]]
) -> Texts:
    number, text, rule, day = (deeper[k] for k in ("number", "text", "rule", "day"))
    any_rule = st.one_of(rule, bracketed(rule))
    signs = {
        "number": [
            joined(number, st.sampled_from(["+", "-", "*"]), number),
            bracketed(number),
            joined("-", number),
            joined("case when", any_rule, "then", number, "else", number, "end"),
            joined("case", bracketed(number), "when", number, "then", number, "end"),
            number.map("coalesce({}, 0)".format),
            number.map("abs({})".format),
            text.map("length({})".format),
        ],
        "text": [
            joined(text, "||", text),
            bracketed(text),
            joined("case when", any_rule, "then", text, "end"),
            text.map("lower({})".format),
            joined("nullif(", text, ",", text, ")"),
        ],
        "day": [joined("case when", any_rule, "then", day, "else", day, "end")],
        "rule": [
            joined(number, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), number),
            joined(text, st.sampled_from(["=", "<>", "<", ">="]), text),
            joined(day, st.sampled_from(["=", "<", ">="]), day),
            joined(bracketed(rule), st.sampled_from(["=", "<>"]), bracketed(rule)),
            joined(number, st.sampled_from(["is distinct from", "is not distinct from"]), number),
            joined(number, st.sampled_from(["in", "not in"]), "(", number, ",", number, ")"),
            joined(number, st.sampled_from(["between", "not between"]), number, "and", number),
            joined(
                text, st.sampled_from(["like", "not like", "ilike"]), st.sampled_from(["'%x%'", "'_'", "'x'", "''"])
            ),
            joined(st.one_of(number, text, day), st.sampled_from(["is null", "is not null"])),
            joined(bracketed(rule), st.sampled_from(["is null", "is not null", "is true", "is not false"])),
            joined("not", rule),
            joined(rule, "and", rule),
            joined(rule, "or", rule),
            bracketed(rule),
        ],
    }
    return st.one_of(deeper[kind], *signs[kind], *functions(kind, deeper))


def expressions(
    functions: Callable[[str, dict[str, Texts]], list[Texts]] = lambda kind, deeper: [], depth: int = 3
) -> dict[str, Texts]:
    """Random expressions of each kind over the columns of ``table``, with few brackets, so that precedence matters."""
    level: dict[str, Texts] = {
        "number": st.sampled_from(["n", "m", "x", "0", "1", "3", "0.5"]),
        "text": st.sampled_from(["s", "u", "'x'", "'it''s'", "''"]),
        "day": st.sampled_from(["d", "e", "date '2024-02-29'"]),
        "rule": st.sampled_from(["b", "c", "true", "b is null"]),
    }
    for _ in range(depth):
        level = {kind: one_of_kind(kind, level, functions) for kind in level}
    return level


def further(kind: str, deeper: dict[str, Texts]) -> list[Texts]:
    """What DuckDB reads otherwise than we do, and so is not compared with it."""
    number, text, rule, day = (deeper[k] for k in ("number", "text", "rule", "day"))
    return {
        "number": [
            joined(number, "/", number),
            joined("cast(", number, "as integer) % 3"),
            joined("round(", number, ", 2)"),
            number.map("floor({})".format),
            number.map("ceil({})".format),
            number.map("ln({})".format),
            number.map("log({})".format),
            day.map("year({})".format),
            joined("days_between(", day, ",", day, ")"),
            joined("greatest(", number, ",", number, ")"),
            text.map("cast({} as number)".format),
            rule.map("cast({} as integer)".format),
        ],
        "text": [
            joined("concat(", text, ",", text, ")"),
            joined("substring(", text, ", 2, 3)"),
            text.map("right({}, 2)".format),
            text.map("trim({})".format),
            joined("replace(", text, ",", text, ",", text, ")"),
            day.map("cast({} as text)".format),
            rule.map("cast({} as text)".format),
        ],
        "day": [text.map("cast({} as date)".format)],
        "rule": [
            joined("contains(", text, ",", text, ")"),
            joined("starts_with(", text, ",", text, ")"),
            text.map("cast({} as boolean)".format),
        ],
    }[kind]


PLAIN = expressions()
ALL = expressions(further, depth=2)
ANY = st.one_of(*ALL.values())


@pytest.fixture(scope="module")
def table() -> Iterator[ir.Table]:
    con = ibis.duckdb.connect()
    con.raw_sql(
        """
        create table t as select * from (values
            (1, 3, 2, 0.5::double, 'x', 'y', true, false, date '2024-02-29', date '2024-01-01'),
            (2, null, 1, -1.5, '', 'xx', false, null, date '2023-12-31', null),
            (3, 0, null, null, null, 'x', null, true, null, date '2024-02-29'),
            (4, -2, 3, 2.0, 'Xx', null, true, true, date '2025-01-01', date '2024-12-31')
        ) v(id, n, m, x, s, u, b, c, d, e)
        """
    )
    yield con.table("t")
    con.disconnect()


def accepted(table: ir.Table, text: str) -> ir.Value:
    """The expression; one that is refused, such as a = b is null, is no example of the law."""
    try:
        return values(text, table, where="test")
    except ConfigError:
        reject()


def outcome(table: ir.Table, text: str) -> list[Any]:
    """The values for all rows."""
    value = accepted(table, text)
    rows = ibis.to_sql(table.select("id", value=value).order_by("id"), dialect="duckdb")
    return [row[1] for row in table.get_backend().raw_sql(rows).fetchall()]


def close(found: Any, expected: Any) -> bool:
    if found is None or expected is None or isinstance(found, str | bool):
        return bool(found == expected)
    return math.isclose(found, expected, rel_tol=1e-9) if isinstance(found, int | float) else bool(found == expected)


@QUICK
@given(text=st.one_of(PLAIN["rule"], PLAIN["number"], PLAIN["text"]))
@example(text="n + m * n - m")
@example(text="b and c or not b and not c")
@example(text="(not b) is null")
@example(text="(n not in (1, 2)) = b")
def test_an_expression_means_what_it_means_to_duckdb(table: ir.Table, text: str):
    """What is accepted is read with the precedence, and the rules for null, of the database."""
    found = outcome(table, text)
    expected = [row[0] for row in table.get_backend().raw_sql(f"select {text} from t order by id").fetchall()]
    assert all(map(close, found, expected)), (found, expected)


OPERATORS = ["+", "-", "*", "%", "=", "<>", "<", "and", "or", "||", "like", "is distinct from"]
ENDINGS = ["", "is null", "is not true", "in (1, 2)", "not in ('x', 'y')", "between 1 and m", "::text", "::integer"]


@settings(max_examples=200, deadline=None)
@given(
    starts=st.tuples(*[st.sampled_from(["", "", "not ", "-"])] * 3),
    columns=st.tuples(*[st.sampled_from(["n", "m", "s", "b", "c"])] * 3),
    endings=st.tuples(*[st.sampled_from(ENDINGS)] * 3),
    signs=st.tuples(*[st.sampled_from(OPERATORS)] * 2),
)
def test_operators_in_a_row_are_read_as_duckdb_reads_them_or_refused(
    table: ir.Table, starts: tuple[str, ...], columns: tuple[str, ...], endings: tuple[str, ...], signs: tuple[str, ...]
):
    first, second, third = (
        f"{start}{column} {ending}".strip() for start, column, ending in zip(starts, columns, endings, strict=True)
    )
    text = f"{first} {signs[0]} {second} {signs[1]} {third}"
    try:
        values(text, table, where="test")
        expected = [row[0] for row in table.get_backend().raw_sql(f"select {text} from t order by id").fetchall()]
    except (ConfigError, duckdb.Error):  # one of us refuses it
        return
    assert all(map(close, outcome(table, text), expected))


@QUICK
@given(text=ANY)
def test_an_expression_survives_being_written_and_read_again(table: ir.Table, text: str):
    accepted(table, text)
    first = parse(text, where="test")
    again = parse(first.sql(), where="test")
    assert again.sql() == first.sql()
    assert again == first
    resolved = first.resolve(table.columns)
    assert parse(resolved.sql(), where="test") == resolved
    assert all(parse(piece.sql(), where="test") == piece for piece in pieces(first))
    assert reads_as(first, str.upper)


class SparkOptions(Config):
    """What Ibis reads when it compiles for Spark, and has only where pyspark is installed."""

    treat_nan_as_null: bool = False


@QUICK
@given(text=ANY)
def test_an_expression_compiles_for_every_engine(table: ir.Table, text: str):
    if ibis.options.pyspark is None:
        ibis.options.pyspark = SparkOptions()
    value = accepted(table, text)
    for dialect in DIALECTS:
        assert ibis.to_sql(table.select(value=value), dialect=dialect)


@QUICK
@given(text=ANY)
def test_no_value_in_the_data_makes_an_expression_fail(table: ir.Table, text: str):
    assert len(outcome(table, text)) == 4


SIGNS = "( ) ( ) , . + - * / % = <> < > :: || ; -- /* */ [ ] { } : ? $ @ # ~ ^ & | ! ' \" \\ ''"
WORDS = """a b 1 2.5 'x' "c" and or not in between like is null true case when then else end cast as integer date
coalesce abs round select from over distinct any all exists interval values with if for by on join union window set"""
TOKENS = st.sampled_from([*SIGNS.split(), *WORDS.split()])


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.lists(TOKENS, max_size=12).map(" ".join), st.text(max_size=30)))
@example("else = 1")
@example("²")
@example("order > 1")
@example("1e400")
@example("a = '\ud800'")
def test_whatever_is_written_is_read_or_refused_with_an_explanation(text: str):
    try:
        expression = parse(text, where="test")
    except ConfigError as refused:
        said = refused
    else:
        assert parse(expression.sql(), where="test") == expression
        return
    assert said.what.startswith("test: ")
    assert said.why
    assert said.fix
