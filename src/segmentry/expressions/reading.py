"""A checked rule read back in plain English: ``orders >= 2`` as "orders is at least 2"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlglot import exp

from segmentry.expressions.functions import FUNCTIONS
from segmentry.expressions.grammar import Constant, cast_kind, constant

Describe = Callable[[str], str]  # from the name of a column to what people call it

_ORDER: dict[type[exp.Expr], tuple[str, str]] = {  # of numbers and text, of dates
    exp.GT: ("more than", "after"),
    exp.GTE: ("at least", "on or after"),
    exp.LT: ("less than", "before"),
    exp.LTE: ("at most", "on or before"),
}
_SIGNS: dict[type[exp.Expr], str] = {
    exp.Add: "plus",
    exp.Sub: "minus",
    exp.Mul: "times",
    exp.Div: "divided by",
    exp.Mod: "modulo",
    exp.DPipe: "joined with",
}
_VERBS = {
    "starts_with": ("starts with", "does not start with"),
    "ends_with": ("ends with", "does not end with"),
    "contains": ("contains", "does not contain"),
}
_COMPARISONS: tuple[type[exp.Expr], ...] = (
    exp.EQ,
    exp.NEQ,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    *_ORDER,
    exp.Between,
    exp.In,
)
_CONDITIONS: tuple[type[exp.Expr], ...] = (
    *_COMPARISONS,
    exp.And,
    exp.Or,
    exp.Not,
    exp.Is,
    exp.Like,
    exp.ILike,
    exp.Boolean,
)


def phrase(tree: exp.Expr, describe: Describe) -> str:
    """The tree in English; ``describe`` names the columns. A column on its own is taken for a condition."""
    inner = tree.unnest()
    is_condition = isinstance(inner, exp.Column) or _is_condition(inner)
    return _condition(inner, describe) if is_condition else _value(inner, describe)


def _is_condition(node: exp.Expr) -> bool:
    return isinstance(node, _CONDITIONS) or (isinstance(node, exp.Anonymous) and node.name.lower() in _VERBS)


# Conditions -----------------------------------------------------------------------------------------------------------


def _condition(node: exp.Expr, describe: Describe, *, negated: bool = False) -> str:
    node = node.unnest()
    if isinstance(node, exp.Not):
        return _condition(node.this, describe, negated=not negated)
    if isinstance(node, exp.And | exp.Or):
        text = _connected(node, describe)
        return f"not ({text})" if negated else text
    if isinstance(node, exp.Boolean):
        return "never" if bool(node.this) is negated else "always"
    if isinstance(node, exp.Like | exp.ILike):
        return _pattern(node, describe, negated=negated is not bool(node.args.get("negate")))
    if isinstance(node, _COMPARISONS):
        return _comparison(node, describe, negated=negated)
    return _state(node, describe, negated=negated)


def _state(node: exp.Expr, describe: Describe, *, negated: bool) -> str:
    """IS, a function that is true or false, or a column that is."""
    if isinstance(node, exp.Anonymous) and (verbs := _VERBS.get(node.name.lower())):
        subject, other = (_value(arg, describe) for arg in node.expressions)
        return f"{subject} {verbs[negated]} {other}"
    if not isinstance(node, exp.Is):
        return f"{_value(node, describe)} is {'false' if negated else 'true'}"
    if isinstance(node.expression, exp.Null):
        return f"{_value(node.this, describe)} is {'known' if negated else 'not known'}"
    return f"{_value(node.this, describe)} is {'not ' if negated else ''}{str(bool(node.expression.this)).lower()}"


def _connected(node: exp.And | exp.Or, describe: Describe) -> str:
    """Conditions joined with one word; those joined with the other word in brackets, so that nobody has to guess."""
    parts = []
    for part in node.flatten():
        text = _condition(part, describe)
        other = isinstance(part.unnest(), exp.And | exp.Or) and type(part.unnest()) is not type(node)
        parts.append(f"({text})" if other else text)
    return (" and " if isinstance(node, exp.And) else " or ").join(parts)


def _comparison(node: exp.Expr, describe: Describe, *, negated: bool) -> str:
    subject = _value(node.this, describe)
    if isinstance(node, exp.In):
        options = [_value(option, describe) for option in node.expressions]
        if len(options) == 1:
            return f"{subject} is {'not ' if negated else ''}{options[0]}"
        return f"{subject} is {'not ' if negated else ''}one of {', '.join(options[:-1])} or {options[-1]}"
    if isinstance(node, exp.Between):
        low, high = (_value(node.args[end], describe) for end in ("low", "high"))
        return f"{subject} is {'not ' if negated else ''}between {low} and {high}"
    if isinstance(node, exp.NEQ | exp.NullSafeNEQ):
        negated = not negated
    words = _ORDER.get(type(node), ("", ""))[_is_day(node.expression)]
    parts = [subject, "is", "not" if negated else "", words, _value(node.expression, describe)]
    return " ".join(part for part in parts if part)


def _is_day(node: exp.Expr) -> bool:
    value = constant(node)
    return isinstance(value, date) or (isinstance(value, str) and bool(re.match(r"\d{4}-\d{2}-\d{2}\b", value)))


def _pattern(node: exp.Like | exp.ILike, describe: Describe, *, negated: bool) -> str:
    pattern = str(constant(node.expression))
    core = pattern.strip("%")
    verbs = {
        core: ("is", "is not"),
        f"{core}%": _VERBS["starts_with"],
        f"%{core}": _VERBS["ends_with"],
        f"%{core}%": _VERBS["contains"],
    }.get(pattern)
    if verbs is None or not core or "%" in core or "_" in core:
        verbs, core = ("matches the pattern", "does not match the pattern"), pattern
    ending = " in upper or lower case" if isinstance(node, exp.ILike) else ""
    return f"{_value(node.this, describe)} {verbs[negated]} {_written(core)}{ending}"


# Values ---------------------------------------------------------------------------------------------------------------


def _value(node: exp.Expr, describe: Describe) -> str:
    written = constant(node)
    if written is not None:
        return _written(written)
    if _is_condition(node.unnest()):
        return f"whether {_condition(node, describe)}"
    return _READ.get(type(node), _calculation)(node, describe)


def _calculation(node: exp.Expr, describe: Describe) -> str:
    return f"{_value(node.this, describe)} {_SIGNS[type(node)]} {_value(node.expression, describe)}"


def _bracket(node: exp.Paren, describe: Describe) -> str:
    inner = node.unnest()
    return f"({_value(inner, describe)})" if type(inner) in _SIGNS else _value(inner, describe)


def _cast(node: exp.Cast, describe: Describe) -> str:
    return f"{_value(node.this, describe)} as {cast_kind(node)}"


def _call(node: exp.Anonymous, describe: Describe) -> str:
    """The reading of a function; further arguments than it names follow the last one, separated by commas."""
    function = FUNCTIONS[node.name.lower()]
    slots = function.reads.count("{")
    arguments = [_value(arg, describe) for arg in node.expressions]
    arguments[slots - 1 :] = [", ".join(arguments[slots - 1 :])] if function.repeats else arguments[slots - 1 :]
    return function.reads.format(*arguments, *[""] * (slots - len(arguments)))


def _case(node: exp.Case, describe: Describe) -> str:
    subject = f"{_value(node.this, describe)} is " if node.this else ""
    read = _value if node.this else _condition
    parts = [
        f"{_value(branch.args['true'], describe)} if {subject}{read(branch.this, describe)}"
        for branch in node.args["ifs"]
    ]
    default = node.args.get("default")
    parts.append(f"otherwise {_value(default, describe) if default else 'not known'}")
    return f"({'; '.join(parts)})"


def _written(value: Constant) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.15g}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "auto")
    return value.isoformat() if isinstance(value, date) else f"'{value}'"


_READ: dict[type[exp.Expr], Callable[[Any, Describe], str]] = {
    exp.Paren: _bracket,
    exp.Column: lambda node, describe: describe(".".join(part.name for part in node.parts)),
    exp.Null: lambda *_: "not known",
    exp.Neg: lambda node, describe: f"minus {_value(node.this, describe)}",
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Case: _case,
    exp.Anonymous: _call,
}
