"""Small tools for text columns in DuckDB, cheap on the many cells that need no work."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

# Spaces that exports contain: ASCII ones, no-break, figure, thin and narrow ones, zero width ones and the BOM.
SPACES = " \t\n\r\v\f\u00a0\u2007\u2009\u202f\u200b\ufeff"
# What exports write for "nothing" (besides the empty text). "NA" is not among them: it is Namibia and North America.
NOTHING = ("null", "nan", "none", "nil", "nat", "n/a", "#n/a", "n.a.", "<na>", "(null)", "\\n", "-", "--")
_LONGEST = max(len(word) for word in NOTHING)
_NOTHING = "(?i)" + "|".join(re.escape(word) for word in NOTHING)
_TIGHT = f"[^{SPACES}](?s:.*[^{SPACES}])?"  # a text that neither begins nor ends with a space


@ibis.udf.scalar.builtin(name="trim", signature=(("string", "string"), "string"))
def _trim(text: str, characters: str) -> str:
    """The text without these characters at its ends."""
    raise AssertionError(text, characters)  # Ibis calls the function of that name in the database; so with all below


@ibis.udf.scalar.builtin(name="strlen", signature=(("string",), "int64"))
def bytes_in(text: str) -> int:
    """The length of a text in bytes: more than in characters where it is not ASCII."""
    raise AssertionError(text)


@ibis.udf.scalar.builtin(name="translate", signature=(("string", "string", "string"), "string"))
def translate(text: str, given: str, wanted: str) -> str:
    """The text with characters replaced one by one."""
    raise AssertionError(text, given, wanted)


@ibis.udf.scalar.builtin(name="regexp_full_match", signature=(("string", "string"), "boolean"))
def matches(text: str, pattern: str) -> bool:
    """Whether all of a text is as the pattern says."""
    raise AssertionError(text, pattern)


def unless(text: ir.Value, pattern: str, slow: Callable[[Any], ir.Value], quick: Callable[[Any], ir.Value]) -> ir.Value:
    """``quick`` for texts that a pattern matches as a whole, ``slow`` for the others, null for null.

    One match costs 150 ns a cell, and next to nothing where DuckDB holds a column as the few values that occur in it.
    """

    def value(cell: Any) -> ir.Value:
        return ibis.cases((~matches(cell, pattern), slow(cell)), else_=quick(cell))

    return let(text, value)


def tidy(text: ir.Value) -> ir.Value:
    """The text without spaces around it; null where it is empty or a word for nothing: most cells are tidy already."""

    def quick(cell: Any) -> ir.Value:
        return ibis.cases((matches(cell, _NOTHING), ibis.null("string")), else_=cell)

    return unless(text, _TIGHT, lambda cell: known(trimmed(cell)), quick)


def trimmed(text: ir.Value) -> ir.Value:
    """The text without spaces of any kind around it."""

    def value(column: Any) -> ir.Value:
        # Trimming costs 200 ns a cell, seeing that there is nothing to trim much less.
        odd = (column < "!") | (column > "~")
        for space in SPACES:
            odd |= column.endswith(space)
        return ibis.cases((odd, _trim(column, SPACES)), else_=column)

    return let(text, value)


def known(text: ir.Value, *also: str) -> ir.Value:
    """The text, null where it is empty or a word for nothing, of :data:`NOTHING` or ``also``; case does not matter."""
    words = ["", *NOTHING, *also]

    def value(column: Any) -> ir.Value:
        short = ibis.cases((column.lower().isin(words), ibis.null("string")), else_=column)
        return ibis.cases((column.length() <= _LONGEST, short), else_=column)

    return let(text, value)


def let(value: ir.Value, use: Callable[[Any], ir.Value]) -> ir.Value:
    """``use(value)`` with the value computed once per row: DuckDB computes anew what a CASE names several times."""
    if isinstance(value.op(), ops.Field):  # a column is there already
        return use(value)
    bound: Any = ibis.array([value])
    result: ir.Value = bound.map(use)[0]
    return result
