"""From cells of text to ids, texts, booleans, numbers and times: Ibis expressions that run in DuckDB.

Everything here also takes the typed columns of Parquet files. What cannot be read is null; the caller decides whether
that is an error of the row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.data.number_values import NumberFormat, number, number_formats, plain_number
from segmentry.data.text_functions import NOTHING, known, let, matches, tidy, trimmed, unless
from segmentry.data.time_values import (
    TimeFormat,
    by_the_clock,
    day_to_utc,
    format_notes,
    from_microseconds,
    local_to_utc,
    odd_hours,
    plain_time,
    seconds_between,
    time_formats,
    timestamp,
    utc_to_local,
)

__all__ = [
    "NumberFormat",
    "TimeFormat",
    "boolean",
    "by_the_clock",
    "day_to_utc",
    "format_notes",
    "from_microseconds",
    "identifier",
    "local_to_utc",
    "number",
    "number_formats",
    "odd_hours",
    "plain_formats",
    "seconds_between",
    "text",
    "time_formats",
    "timestamp",
    "utc_to_local",
]

_YES = ("yes", "y", "true", "t", "1", "1.0", "on", "ja", "j", "oui", "si", "sí", "sì", "wahr", "vrai")
_NO = ("no", "n", "false", "f", "0", "0.0", "off", "nein", "non", "nee", "falsch", "faux")
# An id with nothing to put right: no space, no point, no sign of a formula.
_PLAIN_ID = r"[!-\-/-<>-~]+"
_NO_ID = "(?i)" + "|".join(re.escape(word) for word in (*NOTHING, "na", "?"))
_INNER_SPACES = "[ \\t\\n\\r\\x{00a0}\\x{2007}\\x{2009}\\x{202f}]+"


def plain_formats(
    table: ir.Table, numbers: Sequence[str], times: Sequence[str]
) -> tuple[dict[str, NumberFormat], dict[str, TimeFormat]]:
    """The formats of those text columns whose cells leave no doubt at all, found in one pass over a table."""
    asked = {f"n{i}": plain_number(table[c]) for i, c in enumerate(numbers)}
    asked |= {f"t{i}": plain_time(table[c]) for i, c in enumerate(times)}
    if not asked:
        return {}, {}
    found = table.agg(**{name: plain.all() for name, plain in asked.items()}).to_pyarrow().to_pylist()[0]
    return (
        {c: NumberFormat() for i, c in enumerate(numbers) if found[f"n{i}"]},
        {c: TimeFormat() for i, c in enumerate(times) if found[f"t{i}"]},
    )


def text(column: ir.Value) -> ir.Value:
    """A column as text without spaces around it; null where it is empty or a word for nothing (``null``, ``-``)."""
    given: Any = column
    return tidy(given if given.type().is_string() else given.cast("string"))


def identifier(column: ir.Value) -> ir.Value:
    """A column as ids that are equal when they mean the same record.

    Spaces around are dropped, inner ones become one. A whole number that a program has written as ``12345.0`` or
    ``1.2345E4`` is ``12345``; leading zeros stay; ``="00123"``, as exports for Excel write it, is ``00123``. ``12E4``
    stays as it is: without a point it is a code. Case stays. Words for nothing are null, ``NA`` and ``?`` too.
    """
    given: Any = column
    kind = given.type()
    if kind.is_integer():
        return given.cast("string")
    if kind.is_floating():
        whole = given.try_cast("int64")
        return ibis.cases(
            (given.isnan() | given.isinf(), ibis.null("string")),
            # Beyond 2^53 neighbouring whole numbers are the same float64.
            ((whole.cast("float64") == given) & (given.abs() < 2**53), whole.cast("string")),
            else_=given.cast("string"),
        )
    if not kind.is_string():
        given = given.cast("string")

    def quick(cell: Any) -> ir.Value:
        return ibis.cases((matches(cell, _NO_ID), ibis.null("string")), else_=cell)

    return unless(given, _PLAIN_ID, _made_id, quick)


def _made_id(cell: Any) -> ir.Value:
    return known(let(let(trimmed(cell), _one_space), _undressed), "na", "?")


def _one_space(cell: Any) -> ir.Value:
    spaced = cell.contains(" ") | cell.contains("\u00a0") | cell.contains("\t") | cell.contains("\n")
    return ibis.cases((spaced, cell.re_replace(_INNER_SPACES, " ")), else_=cell)


def _undressed(cell: Any) -> ir.Value:
    """An id without what spreadsheets and floating point numbers have put around it."""
    exact = cell.try_cast("decimal(38, 6)")
    whole = exact.try_cast("decimal(38, 0)")
    # One test inside the other: DuckDB computes both sides of an "and" for every row.
    pointed = ibis.cases(
        (cell.re_search(r"^-?\d+\.0+$"), cell.re_extract(r"^(-?\d+)\.", 1)),
        (
            cell.re_search(r"^-?\d\.\d+[eE]\+?\d{1,2}$"),
            ibis.cases((exact == whole, whole.cast("string")), else_=cell),
        ),
        else_=cell,
    )
    return ibis.cases(
        (cell.contains("."), pointed),
        (cell.startswith('="') & cell.endswith('"'), cell.re_replace('^="(.*)"$', "\\1")),
        else_=cell,
    )


def boolean(column: ir.Value) -> ir.Value:
    """A column as boolean: yes/no, y/n, true/false, t/f, 1/0, on/off; also German, French, Spanish, Italian, Dutch."""
    given: Any = column
    if given.type().is_boolean():
        return given
    word = trimmed(given if given.type().is_string() else given.cast("string")).lower()
    return ibis.cases((word.isin(_YES), True), (word.isin(_NO), False), else_=ibis.null("boolean"))
