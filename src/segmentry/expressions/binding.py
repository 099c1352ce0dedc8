"""Checked syntax tree in, Ibis expression out: columns are found, kinds are checked, operators are built.

A value is of one of five kinds: number, text, boolean, date, timestamp. Two different kinds meet only where nothing
can go wrong: a date beside a timestamp, ISO text written beside a date, and a text column where the caller has said
how to read it (``number=``, ``time=``).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
from sqlglot import exp

from segmentry.engine import days_between, ratio
from segmentry.errors import ConfigError
from segmentry.expressions.functions import CASTS, COUNT, DIGITS, FUNCTIONS, LIKE_KIND, MOMENT
from segmentry.expressions.grammar import Constant, cast_kind, constant, moment, shown, written

Reader = Callable[[ir.Value], ir.Value]  # from a text column, as it is looked up, to numbers or to timestamps

KINDS = {
    "number": "a number",
    "text": "text",
    "boolean": "true or false",
    "date": "a date",
    "timestamp": "a timestamp",
    "null": "nothing",
}
_IBIS_TYPE = {"number": "float64", "text": "string", "boolean": "boolean", "date": "date", "timestamp": "timestamp"}


def kind_of(value: ir.Value) -> str:
    """The kind of a value: a key of ``KINDS``; "" for types that expressions do not know."""
    type_ = value.type()
    tests: dict[str, bool] = {
        "number": type_.is_numeric() and not type_.is_boolean(),
        "text": type_.is_string(),
        "boolean": type_.is_boolean(),
        "date": type_.is_date(),
        "timestamp": type_.is_timestamp(),
        "null": type_.is_null(),
    }
    return next((kind for kind, holds in tests.items() if holds), "")


@dataclass(frozen=True)
class Binder:
    """Builds the nodes of one expression over given columns."""

    lookup: Callable[[str], ir.Value]
    number: Reader | None = None
    time: Reader | None = None

    def value(self, node: exp.Expr) -> ir.Value:
        """The Ibis expression of a node."""
        return _BUILD[type(node)](self, node)

    def needs(self, kind: str, node: exp.Expr, user: exp.Expr) -> ir.Value:
        """The value of a node where ``user`` works on one kind only."""
        value = self.value(node)
        if kind == MOMENT:
            found = kind_of(value)
            kind = found if found in {"date", "timestamp"} else "timestamp"
            if found == "text" and isinstance(text := constant(node), str):
                return _literal(moment(text, "date"))
        value = self.read(kind, value, node)
        if kind_of(value) != kind:
            raise ConfigError(
                f"{shown(node)} in {shown(user)} is {KINDS[kind_of(value)]}.",
                why=f"{_label(user)} works on {KINDS[kind] if kind != 'timestamp' else 'a date or a timestamp'}.",
                fix=_conversion(node, kind_of(value), kind),
            )
        return typed(value) if kind == "number" else value

    def alike(self, user: exp.Expr, nodes: Sequence[exp.Expr]) -> list[ir.Value]:
        """The values of nodes that stand beside each other, brought to one kind."""
        values = [self.value(node) for node in nodes]
        target = _common_kind(kind_of(value) for value in values)
        values = [self._beside(target, value, node) for value, node in zip(values, nodes, strict=True)]
        kinds = [kind_of(value) for value in values]
        if "timestamp" in kinds:
            target = "timestamp"
            values = [v.cast("timestamp") if k == "date" else v for v, k in zip(values, kinds, strict=True)]
            kinds = ["timestamp" if k == "date" else k for k in kinds]
        odd = next((i for i, kind in enumerate(kinds) if kind not in {target, "null"}), None)
        if odd is not None:
            even = kinds.index(target)
            raise ConfigError(
                f"{shown(user)} mixes {KINDS[target]}, {shown(nodes[even])}, "
                f"with {KINDS[kinds[odd]]}, {shown(nodes[odd])}.",
                why="Only values of one kind go together.",
                fix=_conversion(nodes[odd], kinds[odd], target),
            )
        return values

    def results(self, user: exp.Expr, nodes: Sequence[exp.Expr]) -> list[ir.Value]:
        """Like :meth:`alike`, for values of which one becomes the result: its type must not depend on the engine."""
        values = self.alike(user, nodes)
        numbers = [value.type() for value in values if kind_of(value) == "number"]
        if not numbers:
            return values
        wanted = dt.int64 if all(type_.is_integer() for type_ in numbers) else dt.float64
        return [typed(value, wanted) if kind_of(value) == "number" else value for value in values]

    def _beside(self, kind: str, value: ir.Value, node: exp.Expr) -> ir.Value:
        if kind in {"date", "timestamp"} and isinstance(text := constant(node), str):
            return _literal(moment(text, kind))
        return self.read(kind, value, node)

    def read(self, kind: str, value: ir.Value, node: exp.Expr) -> ir.Value:
        """A text column read as a number or a time where the caller has said how; a null of the kind wanted."""
        if kind_of(value) == "null" and kind in _IBIS_TYPE and not isinstance(node.unnest(), exp.Null):
            return value.cast(_IBIS_TYPE[kind])
        reader = {"number": self.number, "integer": self.number, "date": self.time, "timestamp": self.time}.get(kind)
        is_column = isinstance(node.unnest(), exp.Column)
        return reader(value) if reader is not None and is_column and kind_of(value) == "text" else value


def typed(number: ir.NumericValue, wanted: dt.DataType | None = None) -> ir.NumericValue:
    """A number as int64 or float64, whatever it was stored as; constants too, so that no engine makes them DECIMAL."""
    wanted = wanted or (dt.int64 if number.type().is_integer() else dt.float64)
    if isinstance(number.op(), ops.Literal):
        return ops.Cast(number, to=wanted).to_expr()
    return number.cast(wanted)


def any_kind(binder: Binder, tree: exp.Expr) -> ir.Value:
    """The value of a tree."""
    value = binder.value(tree)
    return typed(value) if isinstance(value.op(), ops.Literal) and kind_of(value) == "number" else value


def true_or_false(binder: Binder, tree: exp.Expr) -> ir.BooleanValue:
    """The value of a tree that must be a condition."""
    value = binder.value(tree)
    if kind_of(value) == "null":
        return value.cast("boolean")
    if kind_of(value) != "boolean":
        raise ConfigError(
            f"{shown(tree)} is {KINDS[kind_of(value)]}, not a condition.",
            why="A condition is true or false for each row.",
            fix=f"Compare it with something, as in `{written(tree)[:60]} "
            + {"number": "> 0`.", "text": "= 'x'`."}.get(kind_of(value), ">= DATE '2024-01-31'`."),
        )
    return value


# What goes wrong, in words --------------------------------------------------------------------------------------------


_LABELS: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.Neg: "-",
    exp.DPipe: "||",
    exp.If: "WHEN",
    exp.Is: "IS TRUE or FALSE",
}


def _label(user: exp.Expr) -> str:
    return user.name.lower() if isinstance(user, exp.Anonymous) else _LABELS.get(type(user), user.key.upper())


def _conversion(node: exp.Expr, given: str, wanted: str) -> str:
    """What to write instead where a value of one kind stands in the place of another."""
    value = constant(node)
    return _other_constant(node, value, wanted) if value is not None else _other_value(node, given, wanted)


def _other_constant(node: exp.Expr, value: Constant, wanted: str) -> str:
    if isinstance(value, str) and wanted == "number":
        return "Write the number without quotes."
    if isinstance(value, int | float) and wanted == "text":
        return f"Write it in quotes, '{node.sql()}', if the text is meant."
    example = ", such as DATE '2024-01-31'" if wanted in {"date", "timestamp"} else ""
    return f"Write {KINDS[wanted]} instead of {shown(node)}{example}."


def _other_value(node: exp.Expr, given: str, wanted: str) -> str:
    text = written(node)[:60]
    if given == "boolean":
        return f"Write `{text}` or `NOT {text}` on its own."
    if wanted == "boolean":
        return f"Compare it with something, as in `{text} {'= 1' if given == 'number' else 'IS NOT NULL'}`."
    if (given, wanted) in {*CASTS, ("number", "text")}:
        return f"Convert it: `CAST({text} AS {wanted})`."
    return f"Name a column that holds {KINDS[wanted]}."


def _common_kind(kinds: Iterable[str]) -> str:
    """The kind to aim at: whatever is not text, because text may be read as it."""
    found = set(kinds)
    return next((kind for kind in ("timestamp", "date", "number", "boolean", "text") if kind in found), "null")


# Operators ------------------------------------------------------------------------------------------------------------


def _literal(value: Constant) -> ir.Scalar:
    types: dict[type, str] = {
        bool: "boolean",
        int: "int64",
        float: "float64",
        str: "string",
        date: "date",
        datetime: "timestamp",
    }
    return ibis.literal(value, type=types[type(value)])


def _constant(_: Binder, node: exp.Literal | exp.Boolean) -> ir.Value:
    value = constant(node)
    assert value is not None
    return _literal(value)


def _connect(binder: Binder, node: exp.And | exp.Or) -> ir.Value:
    """A chain of AND or OR as a balanced tree: hundreds of conditions stay shallow."""
    parts = [binder.needs("boolean", part, node) for part in node.flatten()]
    join = operator.and_ if isinstance(node, exp.And) else operator.or_
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        parts = [join(a, b) for a, b in pairs] + (parts[-1:] if len(parts) % 2 else [])
    return parts[0]


def _not(binder: Binder, node: exp.Not) -> ir.Value:
    inner = node.this.unnest()
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        return _side(binder.value(inner.this)).notnull()
    return ~binder.needs("boolean", node.this, node)


def _is(binder: Binder, node: exp.Is) -> ir.Value:
    if isinstance(node.expression, exp.Null):
        return _side(binder.value(node.this)).isnull()
    value = binder.needs("boolean", node.this, node)
    return ibis.coalesce(value if node.expression.this else ~value, ibis.literal(False))


def _compare(compare: Callable[[Any, Any], Any], *, order: bool = False) -> Callable[[Binder, exp.Expr], ir.Value]:
    def build(binder: Binder, node: exp.Expr) -> ir.Value:
        left, right = binder.alike(node, (node.this, node.expression))
        if order:
            _refuse_order(node, left)
        return compare(_side(left), _side(right))

    return build


def _refuse_order(node: exp.Expr, value: ir.Value) -> None:
    if kind_of(value) == "boolean":
        raise ConfigError(
            f"{shown(node)} asks which of true and false is more.",
            why="They have no order; a chain such as a < b < c is read as (a < b) < c.",
            fix="Compare with =, or write a < b AND b < c.",
        )


def _side(value: ir.Value) -> ir.Value:
    """A value as it may stand beside a sign.

    A float32 becomes a float64, for engines compare it with 0.1 at different widths. A condition is closed with a cast,
    for Ibis writes (NOT x) IS NULL as NOT x IS NULL, which means the opposite.
    """
    if kind_of(value) == "boolean" and not isinstance(value.op(), ops.Field | ops.Literal):
        return ops.Cast(value, to=dt.boolean).to_expr()
    return value.cast("float64") if value.type().is_floating() else value


def _between(binder: Binder, node: exp.Between) -> ir.Value:
    value, low, high = binder.alike(node, (node.this, node.args["low"], node.args["high"]))
    _refuse_order(node, value)
    return _side(value).between(low, high)


def _in(binder: Binder, node: exp.In) -> ir.Value:
    value, *options = binder.alike(node, (node.this, *node.expressions))
    return _side(value).isin(options)


def _like(binder: Binder, node: exp.Like | exp.ILike) -> ir.Value:
    text = binder.needs("text", node.this, node)
    pattern = str(constant(node.expression))
    found = text.ilike(pattern) if isinstance(node, exp.ILike) else text.like(pattern)
    return ~found if node.args.get("negate") else found


def _arithmetic(calculate: Callable[[Any, Any], Any]) -> Callable[[Binder, exp.Expr], ir.Value]:
    def build(binder: Binder, node: exp.Expr) -> ir.Value:
        left, right = (binder.needs("number", side, node) for side in (node.this, node.expression))
        return calculate(left, right)

    return build


def _subtract(binder: Binder, node: exp.Sub) -> ir.Value:
    left, right = binder.value(node.this), binder.value(node.expression)
    kinds = {kind_of(left), kind_of(right)}
    if kinds == {"date"}:
        return days_between(left, right)
    if kinds <= {"date", "timestamp"}:
        raise ConfigError(
            f"{shown(node)} subtracts times.",
            why="Databases differ on what that is: days, hours or an interval.",
            fix=f"Write `days_between({written(node.this)[:60]}, {written(node.expression)[:60]})`.",
        )
    return _arithmetic(operator.sub)(binder, node)


def _remainder(binder: Binder, node: exp.Mod) -> ir.Value:
    left, right = (binder.needs("number", side, node) for side in (node.this, node.expression))
    if not (left.type().is_integer() and right.type().is_integer()):
        raise ConfigError(
            f"{shown(node)} takes the remainder of a decimal number.",
            why="% works on whole numbers; databases differ on the others.",
            fix="Convert both sides: `CAST(x AS integer) % 7`.",
        )
    return left % right.nullif(0)  # PostgreSQL fails on x % 0, DuckDB and Spark return null


def _negate(binder: Binder, node: exp.Neg) -> ir.Value:
    value = constant(node)
    return _literal(value) if value is not None else -binder.needs("number", node.this, node)


def _join(binder: Binder, node: exp.DPipe) -> ir.Value:
    return binder.needs("text", node.this, node) + binder.needs("text", node.expression, node)


def _case(binder: Binder, node: exp.Case) -> ir.Value:
    branches = node.args["ifs"]
    if node.this:
        subject, *options = binder.alike(node, [node.this, *(branch.this for branch in branches)])
        tests = [_side(subject) == _side(option) for option in options]
    else:
        tests = [binder.needs("boolean", branch.this, branch) for branch in branches]
    default = node.args.get("default") or exp.Null()
    *values, otherwise = binder.results(node, [*(branch.args["true"] for branch in branches), default])
    return ibis.cases(*zip(tests, values, strict=True), else_=otherwise)


def _cast(binder: Binder, node: exp.Cast) -> ir.Value:
    if (constant_ := constant(node)) is not None:
        return _literal(constant_)
    to, value = cast_kind(node), binder.value(node.this)
    if kind_of(value) == "null":
        return value.cast({**_IBIS_TYPE, "integer": "int64"}[to])
    value = binder.read(to, value, node.this)
    given = kind_of(value)
    value = typed(value) if given == "number" else value
    cast = CASTS.get(("integer" if to == "text" and value.type().is_integer() else given, to))
    if cast is None:
        raise ConfigError(
            f"{shown(node)} makes {to} of {KINDS[given]}.",
            why=f"From {KINDS[given]} one gets {', '.join(t for g, t in CASTS if g == given)}.",
            fix=f"Make a whole number of it first: `CAST(CAST({written(node.this)[:60]} AS integer) AS text)`."
            if (given, to) == ("number", "text")
            else "Name another column, or leave out the cast.",
        )
    return cast(value)


def _call(binder: Binder, node: exp.Anonymous) -> ir.Value:
    name = node.name.lower()
    function = FUNCTIONS[name]
    if LIKE_KIND in function.takes:
        return function.build(*binder.results(node, node.expressions))
    kinds = function.kinds(len(node.expressions))
    return function.build(
        *(_argument(binder, kind, arg, node) for kind, arg in zip(kinds, node.expressions, strict=True))
    )


def _argument(binder: Binder, kind: str, node: exp.Expr, call: exp.Anonymous) -> ir.Value | int:
    if kind not in {COUNT, DIGITS}:
        return binder.needs(kind, node, call)
    number = constant(node)
    least, most = (1, 10_000) if kind == COUNT else (0, 9)
    if isinstance(number, int) and not isinstance(number, bool) and least <= number <= most:
        return number
    raise ConfigError(
        f"{shown(node)} in {shown(call)} is no {kind}.",
        why=f"A whole number from {least:,} to {most:,} stands there; databases differ on others and on computed ones.",
        fix="Write the number; characters count from 1." if kind == COUNT else "Write the number of decimals.",
    )


_BUILD: dict[type[exp.Expr], Callable[[Binder, Any], ir.Value]] = {
    exp.And: _connect,
    exp.Or: _connect,
    exp.Not: _not,
    exp.Is: _is,
    exp.EQ: _compare(operator.eq),
    exp.NEQ: _compare(operator.ne),
    exp.GT: _compare(operator.gt, order=True),
    exp.GTE: _compare(operator.ge, order=True),
    exp.LT: _compare(operator.lt, order=True),
    exp.LTE: _compare(operator.le, order=True),
    exp.NullSafeEQ: _compare(lambda a, b: a.identical_to(b)),
    exp.NullSafeNEQ: _compare(lambda a, b: ~a.identical_to(b)),
    exp.Between: _between,
    exp.In: _in,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Add: _arithmetic(operator.add),
    exp.Sub: _subtract,
    exp.Mul: _arithmetic(operator.mul),
    exp.Div: _arithmetic(ratio),
    exp.Mod: _remainder,
    exp.Neg: _negate,
    exp.DPipe: _join,
    exp.Case: _case,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Anonymous: _call,
    exp.Paren: lambda binder, node: binder.value(node.this),
    exp.Column: lambda binder, node: binder.lookup(node.name),
    exp.Literal: _constant,
    exp.Boolean: _constant,
    exp.Null: lambda *_: ibis.null(),
}
