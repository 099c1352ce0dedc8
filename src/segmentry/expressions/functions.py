"""The functions that a person may call, each a line of ``FUNCTIONS``: its arguments, how Ibis builds it, how it reads.

Every function gives the same answer on every engine: where engines differ (rounding of halves, LEAST with nulls,
casts of text that is no number) it is spelled out of parts on which they agree. None fails on data: what cannot be
computed is null.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from segmentry.engine import days_between, ln, ratio

# Kinds of arguments. NUMBER to MOMENT are values; LIKE_KIND: all arguments are of one kind, whichever; COUNT and DIGITS
# must be written out, because engines differ on a length that is computed, negative or null.
NUMBER, TEXT, MOMENT, LIKE_KIND = "number", "text", "date", "value"
COUNT, DIGITS = "count", "digits"

_INT64 = 2.0**63
_LOG10_E = 0.434294481903252  # 1 / ln 10

# ISO 8601, each alternative a set of days that exist, so that the cast of what matches cannot fail. Years from 1000.
_MONTH_END = (
    "(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])",
    "(0[13-9]|1[0-2])-(29|30)",
    "(0[13578]|1[02])-31",
)
_LEAP_DAY = "([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)-02-29"
_DAY = f"([1-9][0-9]{{3}}-({'|'.join(_MONTH_END)})|{_LEAP_DAY})"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"
_DECIMAL = "[+-]?([0-9]{1,200}([.][0-9]{0,200})?|[.][0-9]{1,200})([eE][+-]?[0-9]{1,2})?"
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")


@dataclass(frozen=True)
class Function:
    """One function: the kinds of its arguments, its Ibis builder, and its reading in English with {0}, {1}, ….

    ``copies``: how often the SQL writes an argument out; None: as often as there are arguments.
    """

    takes: tuple[str, ...]
    build: Callable[..., ir.Value]
    reads: str
    optional: int = 0
    repeats: bool = False
    copies: int | None = 1

    @property
    def least(self) -> int:
        """How many arguments it needs."""
        return len(self.takes) - self.optional

    @property
    def most(self) -> int:
        """How many arguments it can take."""
        return 100 if self.repeats else len(self.takes)

    def kinds(self, given: int) -> tuple[str, ...]:
        """The kind of each of the arguments given."""
        return (*self.takes, *(self.takes[-1:] * (given - len(self.takes))))[:given]

    def signature(self, name: str) -> str:
        """How it is called, for error messages.

        >>> FUNCTIONS["round"].signature("round"), FUNCTIONS["coalesce"].signature("coalesce")
        ('round(number[, digits])', 'coalesce(value, value, …)')
        """
        needed, more = self.takes[: self.least], self.takes[self.least :]
        return f"{name}({', '.join(needed)}{''.join(f'[, {kind}]' for kind in more)}{', …' if self.repeats else ''})"


# Builders -------------------------------------------------------------------------------------------------------------


@ibis.udf.scalar.builtin(name="floor", signature=(("float64",), "float64"))
def _floor(number: float) -> float:
    """The engine's own FLOOR; Ibis's casts to BIGINT, which fails for what is larger."""
    raise AssertionError(number)  # Ibis calls the function of that name in the database


def floor(number: ir.NumericValue) -> ir.NumericValue:
    """The whole number below, as float64 unless it is an integer already."""
    return number if number.type().is_integer() else as_double(_floor(number))


def rounded(number: ir.NumericValue, digits: int = 0) -> ir.NumericValue:
    """Half away from zero. PostgreSQL rounds doubles half to even, Spark and DuckDB differ on round(1.005, 2)."""
    if number.type().is_integer():
        return number
    factor = double(10.0**digits)
    size = floor(number.abs() * factor + double(0.5))
    return number.sign() * (ratio(size, factor) if digits else size)


def double(value: float) -> ir.FloatingScalar:
    """A constant that is a DOUBLE on every engine; a bare 0.1 is DECIMAL on most."""
    return as_double(ibis.literal(value, type="float64"))


def as_double(value: ir.NumericValue) -> ir.FloatingValue:
    """A cast that stays in the SQL even where Ibis believes the value to be a double already."""
    return ops.Cast(value, to="float64").to_expr()


def _substring(text: ir.StringValue, start: int, length: int | None = None) -> ir.StringValue:
    return text.substr(start - 1) if length is None else text.substr(start - 1, length)


def _concat(*texts: ir.StringValue) -> ir.StringValue:
    """Unknown pieces count as empty, as in DuckDB and PostgreSQL (in Spark they would make all of it null)."""
    return functools.reduce(operator.add, (text.fill_null("") for text in texts))


def _extreme(pick: Callable[..., ir.Value]) -> Callable[..., ir.Value]:
    """LEAST or GREATEST of what is known: BigQuery and Snowflake would return null for one unknown value."""

    def build(*values: ir.Value) -> ir.Value:
        return pick(*(ibis.coalesce(value, *(v for v in values if v is not value)) for value in values))

    return build


def _log10(number: ir.NumericValue) -> ir.NumericValue:
    """To 12 digits, so that the logarithm of 1000 is 3 and not 2.9999999999999996."""
    return rounded(ln(number) * double(_LOG10_E), 12)


def _part(name: str) -> Callable[[ir.Value], ir.Value]:
    return lambda moment: getattr(moment, name)().cast("int64")


FUNCTIONS: dict[str, Function] = {
    # numbers
    "abs": Function((NUMBER,), lambda x: x.abs(), "the size of {0}"),
    "ceil": Function((NUMBER,), lambda x: -floor(-x), "{0} rounded up"),
    "floor": Function((NUMBER,), floor, "{0} rounded down"),
    "ln": Function((NUMBER,), ln, "the natural logarithm of {0}", copies=2),
    "log": Function((NUMBER,), _log10, "the logarithm of {0} to base 10", copies=4),
    "round": Function((NUMBER, DIGITS), rounded, "{0} rounded", optional=1, copies=2),
    # text
    "concat": Function((TEXT, TEXT), _concat, "{0} joined together", repeats=True, optional=1),
    "contains": Function((TEXT, TEXT), lambda s, p: s.contains(p), "{0} contains {1}"),
    "ends_with": Function((TEXT, TEXT), lambda s, p: s.endswith(p), "{0} ends with {1}"),
    "left": Function((TEXT, COUNT), lambda s, n: s.left(n), "the first {1} characters of {0}", copies=2),
    "length": Function((TEXT,), lambda s: s.length().cast("int64"), "the length of {0}"),
    "lower": Function((TEXT,), lambda s: s.lower(), "{0} in lower case"),
    "replace": Function((TEXT, TEXT, TEXT), lambda s, a, b: s.replace(a, b), "{0} with {1} replaced by {2}"),
    "right": Function((TEXT, COUNT), lambda s, n: s.right(n), "the last {1} characters of {0}", copies=2),
    "starts_with": Function((TEXT, TEXT), lambda s, p: s.startswith(p), "{0} starts with {1}"),
    "substring": Function((TEXT, COUNT, COUNT), _substring, "{0} from character {1}", optional=1, copies=2),
    "trim": Function((TEXT,), lambda s: s.strip(), "{0} without spaces around it"),
    "upper": Function((TEXT,), lambda s: s.upper(), "{0} in upper case"),
    # dates
    "day": Function((MOMENT,), _part("day"), "the day of the month of {0}"),
    "days_between": Function((MOMENT, MOMENT), days_between, "the days to {0} from {1}"),
    "month": Function((MOMENT,), _part("month"), "the month of {0}"),
    "year": Function((MOMENT,), _part("year"), "the year of {0}"),
    # any kind
    "coalesce": Function((LIKE_KIND, LIKE_KIND), ibis.coalesce, "{0} (or {1} where not known)", repeats=True),
    "greatest": Function(
        (LIKE_KIND, LIKE_KIND), _extreme(ibis.greatest), "the greatest of {0}", repeats=True, copies=None
    ),
    "least": Function((LIKE_KIND, LIKE_KIND), _extreme(ibis.least), "the least of {0}", repeats=True, copies=None),
    "nullif": Function((LIKE_KIND, LIKE_KIND), lambda a, b: a.nullif(b), "{0} unless it is {1}"),
}

_AGGREGATE = "It needs several rows, an expression sees one: name a column that holds the result."
_CLOCK_HINT = "There is no clock in an expression: name a column that counts days, such as recency_days."
INSTEAD: dict[str, str] = {
    **dict.fromkeys(("avg", "count", "max", "mean", "median", "min", "mode", "stddev", "sum"), _AGGREGATE),
    **dict.fromkeys(("getdate", "now", "today"), _CLOCK_HINT),
    **dict.fromkeys(("date_diff", "datediff", "date_sub", "datesub"), "Write days_between(later, earlier)."),
    **dict.fromkeys(("if", "iif", "iff", "decode"), "Write CASE WHEN condition THEN a ELSE b END."),
    **dict.fromkeys(("ifnull", "isnull", "nvl"), "Write coalesce(a, b), or x IS NULL."),
    **dict.fromkeys(("log10",), "Write log(x), which is to base 10."),
    **dict.fromkeys(("len", "char_length", "strlen"), "Write length(x)."),
    **dict.fromkeys(("mod",), "Write a % b."),
    **dict.fromkeys(("pow", "power", "sqrt", "exp"), "Write what it stands for with * and /, such as x * x."),
    **dict.fromkeys(("regexp_matches", "regexp_replace", "regexp_extract"), "Write LIKE, replace or substring."),
    **dict.fromkeys(("substr", "mid"), "Write substring(x, first, length); characters count from 1."),
    **dict.fromkeys(("ceiling",), "Write ceil(x)."),
    **dict.fromkeys(("date", "to_date", "strptime"), "Write CAST(x AS date), or DATE '2024-01-31'."),
    **dict.fromkeys(("int", "float", "number", "to_number"), "Write CAST(x AS number)."),
    **dict.fromkeys(("ltrim", "rtrim", "strip"), "Write trim(x)."),
}


# Casts: null where the value cannot be read, on every engine ----------------------------------------------------------


def _when(matches: ir.BooleanValue, text: ir.StringValue, to: str) -> ir.Value:
    return matches.ifelse(text, ibis.null("string")).cast(to)


def _text_to_number(text: ir.StringValue) -> ir.Value:
    text = text.strip()
    return _when(text.re_search(f"^{_DECIMAL}$"), text, "float64")


def _text_to_date(text: ir.StringValue) -> ir.Value:
    text = text.strip()
    return _when(text.re_search(f"^{_DAY}$"), text, "date")


def _text_to_timestamp(text: ir.StringValue) -> ir.Value:
    text = text.strip()
    return _when(text.re_search(f"^{_DAY}([ T]{_CLOCK})?$"), text, "timestamp")


def _text_to_boolean(text: ir.StringValue) -> ir.Value:
    word = text.strip().lower()
    return ibis.cases((word.isin(_TRUE), True), (word.isin(_FALSE), False))


def _to_integer(number: ir.NumericValue) -> ir.Value:
    if number.type().is_integer():
        return number
    return (number.abs() < _INT64).ifelse(rounded(number), ibis.null("float64")).cast("int64")


def _one_or_zero(condition: ir.BooleanValue) -> ir.Value:
    return ibis.cases((condition, 1), (~condition, 0)).cast("int64")


def _true_or_false(condition: ir.BooleanValue) -> ir.Value:
    return ibis.cases((condition, "true"), (~condition, "false"))


# (from, to); what is missing is refused. Decimals and times as text look different on each engine.
CASTS: dict[tuple[str, str], Callable[[Any], ir.Value]] = {
    ("number", "number"): lambda x: x.cast("float64"),
    ("text", "number"): _text_to_number,
    ("boolean", "number"): lambda x: _one_or_zero(x).cast("float64"),
    ("number", "integer"): _to_integer,
    ("text", "integer"): lambda x: _to_integer(_text_to_number(x)),
    ("boolean", "integer"): _one_or_zero,
    ("text", "text"): lambda x: x,
    ("integer", "text"): lambda x: x.cast("string"),
    ("date", "text"): lambda x: x.cast("string"),
    ("boolean", "text"): _true_or_false,
    ("text", "date"): _text_to_date,
    ("date", "date"): lambda x: x,
    ("timestamp", "date"): lambda x: x.cast("date"),
    ("text", "timestamp"): _text_to_timestamp,
    ("date", "timestamp"): lambda x: x.cast("timestamp"),
    ("timestamp", "timestamp"): lambda x: x,
    ("boolean", "boolean"): lambda x: x,
    ("number", "boolean"): lambda x: x != 0,
    ("text", "boolean"): _text_to_boolean,
}
