"""From text to numbers: whichever way round points and commas are, with currencies, percent signs and odd minus signs.

A cell that can be read in one way only is read so: ``1.234,50`` and ``12,5`` have a decimal comma, ``1,234.50`` and
``12.5`` a decimal point, whatever the rest of the column does. Only a single mark with exactly three digits behind it
and one to three before (``1.234``) can be either; there the column decides (:func:`number_formats`):

* the other cells, if they show one kind of decimal mark (more often than the other);
* otherwise ``1,234`` groups thousands, unless whole numbers of four digits and more stand in the column without a mark;
* otherwise ``1.234`` is a decimal, unless the column also has whole numbers and none of them is longer than three
  digits: then longer ones are those with a point, so it groups thousands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

from segmentry.data.text_functions import SPACES, bytes_in, let, matches, tidy, translate, trimmed, unless

# ISO 4217, the currencies in use; a code may stand before or behind an amount.
_CODES = (
    "AED|AFN|ALL|AMD|ANG|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BGN|BHD|BIF|BMD|BND|BOB|BRL|BSD|BTN|BWP|BYN|BZD|CAD|CDF|"
    "CHF|CLP|CNY|COP|CRC|CUP|CVE|CZK|DJF|DKK|DOP|DZD|EGP|ERN|ETB|EUR|FJD|FKP|GBP|GEL|GHS|GIP|GMD|GNF|GTQ|GYD|HKD|"
    "HNL|HRK|HTG|HUF|IDR|ILS|INR|IQD|IRR|ISK|JMD|JOD|JPY|KES|KGS|KHR|KMF|KPW|KRW|KWD|KYD|KZT|LAK|LBP|LKR|LRD|LSL|"
    "LYD|MAD|MDL|MGA|MKD|MMK|MNT|MOP|MRU|MUR|MVR|MWK|MXN|MYR|MZN|NAD|NGN|NIO|NOK|NPR|NZD|OMR|PAB|PEN|PGK|PHP|PKR|"
    "PLN|PYG|QAR|RON|RSD|RUB|RWF|SAR|SBD|SCR|SDG|SEK|SGD|SHP|SLE|SOS|SRD|SSP|STN|SYP|SZL|THB|TJS|TMT|TND|TOP|TRY|"
    "TTD|TWD|TZS|UAH|UGX|USD|UYU|UZS|VES|VND|VUV|WST|XAF|XCD|XOF|XPF|YER|ZAR|ZMW|ZWL"
)
CURRENCY_CODES = frozenset(_CODES.split("|"))
CURRENCY_SIGNS = {"€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY", "₹": "INR"}
_NAMES = r"euros?|kr\.?|zł|kč|ft|s?fr\.?|rs\.?|rp\.?|tl|lei|rm|руб\.?"
_CURRENCY = rf"(?:[A-Z]{{0,3}}\p{{Sc}}|(?i:{_CODES}|{_NAMES}))"
_BODY = r"[0-9.,][0-9., ']*"
_WRITTEN = rf"^\(? *[+-]? *(?:{_CURRENCY} *)?[+-]? *{_BODY}(?:{_CURRENCY}|%)? *-{{0,2}} *(?:{_CURRENCY})? *\)?$"
_SIGN = rf"[A-Z]{{0,3}}\p{{Sc}}|(?i:{_CODES})"
# Apart from the one above: a pattern with groups is only fast while it is simple. The point of "Rs.500" is no mark.
_SPLIT = rf"^((?:[^0-9.,]*[A-Za-zа-я]\.)?[^0-9.,]*)({_BODY})(.*)$"
_PARTS = ("before", "body", "behind")

# Shapes of the digits and marks of a number; spaces may follow.
_EITHER = r"^[1-9]\d{0,2}[.,]\d{3} *$"
_ONE_MARK = r"^(?:\d+[.,]?\d*|[.,]\d+) *$"
_COMMA_GROUPS = r"^\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d*)? *$"  # groups of two: 12,34,567 in India
_POINT_GROUPS = r"^\d{1,3}(?:\.\d{3})+(?:,\d*)? *$"
_OTHER_GROUPS = r"^\d{1,3}(?:[ ']\d{3})+(?:[.,]\d*)? *$"

Mark = Literal[".", ","]


@dataclass(frozen=True)
class NumberFormat:
    """How a column writes numbers.

    ``share`` is the part of the filled cells that can be read; ``ambiguous``: some cells can be read either way and
    nothing in the column tells (or the column contradicts itself). ``currencies`` are those written beside the numbers.
    """

    decimal: Mark = "."
    thousands: str = ","
    share: float = 1.0
    ambiguous: bool = False
    currencies: tuple[str, ...] = ()


@ibis.udf.scalar.builtin(
    name="regexp_extract",
    signature=(("string", "string", "array<string>"), f"struct<{', '.join(f'{p}: string' for p in _PARTS)}>"),
)
def _parts(text: str, pattern: str, names: list[str]) -> dict[str, str]:
    """The groups of a pattern by name; all empty where it does not match."""
    raise AssertionError(text, pattern, names)  # Ibis calls the function of that name in the database


def number(column: ir.Value, fmt: NumberFormat) -> ir.Value:
    """A column as float64; null where it says nothing or cannot be read.

    ``12 %`` is 12; ``(12.50)`` and ``12-`` are negative; a currency before or behind is dropped.
    """
    given: Any = column
    kind = given.type()
    if not kind.is_string():
        value = given.cast("float64")
        return ibis.cases((value.isnan() | value.isinf(), ibis.null("float64")), else_=value)

    def slow(cell: Any) -> ir.Value:
        return ibis.coalesce(_plain(cell, fmt.decimal), _written(cell, fmt.decimal))

    if fmt.decimal == ",":
        return unless(given, r"-?\d{1,15}(?:,\d{1,15})?", slow, lambda cell: cell.replace(",", ".").try_cast("float64"))
    return unless(given, r"-?\d{1,15}(?:\.\d{1,15})?", slow, lambda cell: cell.try_cast("float64"))


def plain_number(column: ir.Value) -> ir.BooleanValue:
    """Whether a cell can be read in one way only, that of the default :class:`NumberFormat`; null for null."""
    # Three digits behind a point could be a group of thousands.
    return matches(column, r"-?\d{1,15}(?:\.(?:\d{1,2}|\d{4,15}))?")


def number_formats(table: ir.Table, columns: Sequence[str]) -> dict[str, NumberFormat]:
    """How text columns write numbers, found out over all their cells in one query."""
    texts = [c for c in columns if table[c].type().is_string()]
    formats = {c: NumberFormat() for c in columns}
    if not texts:
        return formats
    seen = []
    for i, name in enumerate(texts):
        # Each different cell once: prices and quantities repeat. The cleaned cell is a step of its own, so that the
        # tests on it do not each clean it again.
        cells = table.group_by(cell=table[name]).agg(n=table.count())
        cells = cells.select("n", cell=tidy(cells["cell"]))
        kinds = cells.select("n", kind=_kind(cells["cell"]))
        seen.append(kinds.group_by("kind").agg(n=kinds["n"].sum()).mutate(place=ibis.literal(i)))
    found: dict[int, Counter[str]] = {i: Counter() for i in range(len(texts))}
    for row in ibis.union(*seen).to_pyarrow().to_pylist() if len(seen) > 1 else seen[0].to_pyarrow().to_pylist():
        found[row["place"]][row["kind"]] = row["n"]
    beside = _currencies(table, texts)
    return formats | {name: replace(_judge(found[i]), currencies=beside[name]) for i, name in enumerate(texts)}


def _currencies(table: ir.Table, texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The currencies that text columns write beside numbers, as codes or as they are written."""
    seen = []
    for name in texts:
        cells = table.filter(table[name].notnull()).select(cell=table[name]).distinct()
        cells = cells.filter(cells["cell"].re_search(_WRITTEN))
        seen.append(cells.select(said=cells["cell"].re_extract(_SIGN, 0).upper(), of=ibis.literal(name)).distinct())
    rows = (ibis.union(*seen) if len(seen) > 1 else seen[0]).to_pyarrow().to_pylist()
    found: dict[str, set[str]] = {name: set() for name in texts}
    for row in rows:
        if row["said"]:
            found[row["of"]].add(CURRENCY_SIGNS.get(row["said"].removeprefix("US"), row["said"]))
    return {name: tuple(sorted(said)) for name, said in found.items()}


# Reading one cell -----------------------------------------------------------------------------------------------------


def _plain(text: Any, decimal: Mark) -> ir.Value:
    """What DuckDB itself reads as a number: the usual case, and many times faster than the other."""
    if decimal == ",":
        scientific = text.lower().contains("e")
        text = ibis.cases((~text.contains("."), text.replace(",", ".")), (scientific, text))

    def value(size: Any) -> ir.Value:
        # DuckDB also reads nan, inf and 1_000, which are no amounts.
        return ibis.cases((size.isnan() | size.isinf() | text.contains("_"), ibis.null("float64")), else_=size)

    return let(text.try_cast("float64"), value)


def _tidy(text: Any) -> ir.Value:
    """One kind of space, apostrophe and minus sign."""

    def value(cell: Any) -> ir.Value:
        odd = SPACES + "\u2019\u2018´ʼ" + "−–‒"
        tidy = translate(cell, odd, " " * len(SPACES) + "'" * 4 + "-" * 3)
        return ibis.cases((bytes_in(cell) > cell.length(), tidy), else_=cell)

    return let(trimmed(text), value)


def _split(text: Any, use: Callable[[Any], ir.Value]) -> ir.Value:
    """``use`` of what stands before, in and behind the digits and marks of a cell; null for no number."""

    def value(parts: Any) -> ir.Value:
        return ibis.cases((parts.before.contains("(") == parts.behind.contains(")"), use(parts)))

    cell: Any = _tidy(text)
    # The large pattern stands outside: inside DuckDB would compile it again for every two thousand cells.
    return ibis.cases((cell.re_search(_WRITTEN), let(_parts(cell, _SPLIT, ibis.array(list(_PARTS))), value)))


def _written(text: Any, decimal: Mark) -> ir.Value:
    def value(parts: Any) -> ir.Value:
        size = _digits(parts.body, decimal).try_cast("float64")
        # A dash behind a mark stands for no cents: "12,-" is 12; so do two dashes.
        cents = parts.behind.contains("--") | parts.body.re_search("[.,] *$")
        negative = parts.before.contains("(") | parts.before.contains("-") | (parts.behind.contains("-") & ~cents)
        return ibis.cases((negative, -size), else_=size)

    return _split(text, value)


def _digits(body: Any, decimal: Mark) -> ir.Value:
    other = "," if decimal == "." else "."
    unmarked = body.replace(other, "").replace(decimal, ".")
    return ibis.cases(
        (body.re_search(_EITHER), unmarked),
        (body.re_search(_ONE_MARK), body.replace(",", ".")),
        (body.re_search(_COMMA_GROUPS), body.replace(",", "")),
        (body.re_search(_POINT_GROUPS), body.replace(".", "").replace(",", ".")),
        (body.re_search(_OTHER_GROUPS), body.replace(" ", "").replace("'", "").replace(",", ".")),
    )


# Judging a column -----------------------------------------------------------------------------------------------------


def _kind(cell: Any) -> ir.Value:
    plain = _plain(cell, ".").notnull()
    # find() counts from 0, so three digits behind the point give four.
    clear = plain & (cell.length() - cell.find(".") != 4)
    split = ibis.coalesce(_split(cell, _kind_of_body), "other")
    return ibis.cases(
        (cell.isnull(), "none"),
        (cell.contains(".") | cell.contains(","), ibis.cases((clear, "point"), else_=split)),
        (cell.re_search(r"^[+-]?\d+$"), (cell.length() > 3).ifelse("long", "short")),
        (plain, "neutral"),
        else_=split,
    )


def _kind_of_body(parts: Any) -> ir.Value:
    body = parts.body
    return ibis.cases(
        (body.re_search(r"^\d+ *$"), (body.length() > 3).ifelse("long", "short")),
        (body.re_search(_EITHER), body.contains(".").ifelse("either_point", "either_comma")),
        (body.re_search(_ONE_MARK), body.contains(".").ifelse("point", "comma")),
        (body.re_search(_COMMA_GROUPS), "point"),
        (body.re_search(_POINT_GROUPS), "comma"),
        (body.re_search(_OTHER_GROUPS) & body.contains(","), "comma"),
        (body.re_search(_OTHER_GROUPS) & body.contains("."), "point"),
        (body.re_search(_OTHER_GROUPS), body.contains("'").ifelse("quote", "space")),
    )


def _judge(n: Mapping[str, int]) -> NumberFormat:
    given = sum(n.values()) - n["none"]
    share = (given - n["other"]) / given if given else 1.0
    point, comma = n["point"], n["comma"]
    either = n["either_point"] + n["either_comma"]
    if point or comma:
        decimal: Mark = "," if comma > point else "."
        ambiguous = point > 0 and comma > 0 and either > 0
    elif n["either_point"] and n["either_comma"]:
        decimal, ambiguous = ".", True
    elif n["either_comma"]:
        decimal, ambiguous = ("," if n["long"] else "."), not n["long"] and not n["short"]
    else:
        grouped = n["short"] > 0 and n["long"] == 0
        decimal, ambiguous = ("," if n["either_point"] and grouped else "."), n["either_point"] > 0 and not n["long"]
    spaced = "'" if n["quote"] > n["space"] else " " if n["space"] else ""
    return NumberFormat(decimal, spaced or ("." if decimal == "," else ","), share, ambiguous)
