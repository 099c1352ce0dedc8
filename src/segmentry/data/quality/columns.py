"""What one scan of a source tells about each of its columns: gaps, formats, ranges, placeholders.

A :class:`Test` is a condition that wrong rows fulfil. All tests of a source are counted in one aggregation (law 11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.ages import OLDEST, age_on
from segmentry.columns import Type
from segmentry.data.quality.findings import Collected, Found
from segmentry.wording import agree

_MASTER_DATA = ("customers", "accounts", "products", "places")  # typed by people; facts are counted by machines
_NUMERIC = (Type.NUMBER, Type.MONEY, Type.INTEGER)
# RFC 5321 allows more; what a form should take looks like this.
_EMAIL = r"^[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s.,;<>]{2,}$"
_PHONE = r"^[+(]?[0-9][0-9 ()./+-]{4,}( ?(x|ext\.?) ?[0-9]{1,5})?$"
_POSTCODE = r"^[A-Za-z0-9][A-Za-z0-9 .-]{1,9}$"
# Universal Postal Union, by the names under which exports give these countries.
_POSTCODES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("united kingdom", "uk", "gb", "great britain"), r"^[A-Za-z]{1,2}[0-9][A-Za-z0-9]? ?[0-9][A-Za-z]{2}$"),
    (("united states", "usa", "us", "united states of america"), r"^[0-9]{5}(-?[0-9]{4})?$"),
    (("germany", "deutschland", "de", "france", "fr", "italy", "italia", "it", "spain", "es"), r"^[0-9]{4,5}$"),
    (("netherlands", "nederland", "nl"), r"^[0-9]{4} ?[A-Za-z]{2}$"),
    (("canada", "ca"), r"^[A-Za-z][0-9][A-Za-z] ?[0-9][A-Za-z][0-9]$"),
)
_WORDS = ("test", "testing", "asdf", "asdfgh", "qwerty", "qwertz", "xxx", "xxxx", "dummy", "tbd", "abc", "foo", "na")
_ADDRESS_WORDS = r"^(test|asdf|qwerty|dummy|none|noreply|no-reply|nobody|a|x+)@"
_DIGITS = ("0000", "00000", "000000", "99999", "999999", "12345", "123456", "123456789", "1234567890")
_SAME_DIGIT = r"^\+?(0{5,}|1{5,}|2{5,}|3{5,}|4{5,}|5{5,}|6{5,}|7{5,}|8{5,}|9{5,})$"
_NUMBERS = (-999.0, -99.0, 999.0, 9999.0, 99999.0, 999999.0, 9999999.0, 99999999.0, 12345.0, 123456.0)
# The first days of Unix, of Excel, of SQL Server and of forms that ask for a date.
_DATES = tuple(date.fromisoformat(d) for d in ("1970-01-01", "1900-01-01", "1899-12-30", "1753-01-01", "1901-01-01"))
_LEAST_PLACEHOLDERS = 3  # one person may be born on 1 January 1970
_MORE_THAN_NEIGHBOURS = 5.0
_DAYS_BESIDE = 15


@dataclass(frozen=True)
class Test:
    """A condition on rows that are wrong.

    ``beside``: rows whose values are neighbours; a suspicious value is one that is far more frequent than they are.
    ``per`` is how many distinct values ``beside`` spans at most.
    """

    check: str
    column: str
    wrong: ir.BooleanValue
    text: str
    least: int = 1
    beside: ir.BooleanValue | None = None
    per: float = 1.0


@dataclass(frozen=True)
class Scan:
    """What one scan of a source found: rows, rows with a value by column, sums over tests."""

    rows: int
    known: Mapping[str, int]
    found: tuple[Found, ...]


def scan(collected: Collected, day: date, latest: date) -> Scan:
    """Count everything that one pass can count.

    ``day`` is the as-of date, which ages are measured at; what is later than ``latest`` lies in the future.
    """
    rows = collected.rows
    tests = list(tests_of(collected, day, latest))
    measures: dict[str, ir.Value] = {"rows": rows.count()}
    for i, column in enumerate(collected.columns):
        measures[f"known_{i}"] = rows[column].count()
    for i, test in enumerate(tests):
        measures[f"wrong_{i}"] = engine.count_where(test.wrong)
        if test.beside is not None:
            measures[f"beside_{i}"] = engine.count_where(test.beside)
    if "customer" in collected.columns:
        measures["nameless"] = engine.count_where(_nameless(rows))
    counted = rows.agg(**measures).to_pyarrow().to_pylist()[0]
    total = counted["rows"]
    known = {c: counted[f"known_{i}"] for i, c in enumerate(collected.columns)}
    found = [*_gaps(collected, known, total, counted.get("nameless", 0)), *_failed(tests, counted, known, total)]
    return Scan(total, known, tuple(found))


def _nameless(rows: ir.Table) -> ir.BooleanValue:
    """Whether a record says in no way whose it is: neither by an id nor by an address or a phone number."""
    return ibis.and_(*(rows[c].isnull() for c in ("customer", "contact_email", "contact_phone") if c in rows.columns))


def _gaps(collected: Collected, known: Mapping[str, int], total: int, nameless: int) -> Iterator[Found]:
    for column, filled in known.items():
        missing = total - filled
        if not missing:
            continue
        if column == "customer":
            if nameless:
                text = agree(nameless, "{n} [record names|records name] no customer")
                yield Found("no_customer", column, nameless, total, text, _nameless(collected.rows))
        elif not filled:
            yield Found("empty_column", column, missing, total, f"{column} is empty in all records")
        else:
            yield Found(
                "missing_values",
                column,
                missing,
                total,
                f"{column} is empty in " + agree(missing, "{n} [record|records]"),
            )


def _failed(tests: list[Test], counted: Mapping[str, Any], known: Mapping[str, int], total: int) -> Iterator[Found]:
    for i, test in enumerate(tests):
        count = counted[f"wrong_{i}"] or 0
        if count < test.least:
            continue
        if test.beside is not None and count < _MORE_THAN_NEIGHBOURS * (counted[f"beside_{i}"] or 0) / test.per:
            continue
        of = known.get(test.column, total)
        yield Found(test.check, test.column, count, of, agree(count, test.text), test.wrong)


def tests_of(collected: Collected, day: date, latest: date) -> Iterator[Test]:
    """What one scan of a source counts; see :func:`scan`."""
    rows = collected.rows
    yield from _signs(collected)
    for column in collected.columns:
        value, kind = rows[column], collected.type_of(column)
        if kind in (Type.TIME, Type.DATE):
            yield from _of_dates(collected, column, day, latest)
        elif kind in _NUMERIC:
            yield from _of_numbers(collected, column, value, day)
        elif kind is not Type.BOOLEAN and column != "properties":
            yield from _of_texts(collected, column, value)


def _of_dates(collected: Collected, column: str, day: date, latest: date) -> Iterator[Test]:
    on: Any = collected.rows[column].cast("date")
    later = f"{{n}} of {column} [is|are] later than {latest}"
    yield Test("future_dates", column, on > ibis.literal(latest + timedelta(days=1)), later)
    if column == "birth_date":
        text = f"{{n}} [person|people] born more than {OLDEST} years before {day}"
        yield Test("out_of_range", column, age_on(day, on) > OLDEST, text)
    # Facts from before 1901 are in quarantine.
    for suspicious in _DATES if collected.kind in _MASTER_DATA else _DATES[:1]:
        reach = timedelta(days=_DAYS_BESIDE)
        beside = on.between(ibis.literal(suspicious - reach), ibis.literal(suspicious + reach)) & (on != suspicious)
        text = f"{{n}} of {column} [is|are] {suspicious}, a date that programs put where they know none"
        yield Test("placeholders", column, on == suspicious, text, _LEAST_PLACEHOLDERS, beside, 2 * _DAYS_BESIDE)


def _ranges(column: str, day: date) -> tuple[float, float] | None:
    """What values of a column are possible at all, ends included."""
    inf = float("inf")
    known = {
        "age": (0, OLDEST),
        "birth_year": (day.year - OLDEST, day.year),
        "household_size": (1, 50),
        "children": (0, 30),
        "latitude": (-90, 90),
        "longitude": (-180, 180),
        "founded": (1000, day.year),
        "unit_cost": (0, inf),
        "list_price": (0, inf),
        "income": (0, inf),
        "employees": (0, inf),
        "revenue": (0, inf),
    }
    return known.get(column)


def _of_numbers(collected: Collected, column: str, value: Any, day: date) -> Iterator[Test]:
    allowed = _ranges(column, day)
    if allowed:
        low, high = allowed
        wrong = (value < low) if high == float("inf") else (value < low) | (value > high)
        limits = "negative" if high == float("inf") else f"outside of {low:g} to {high:g}"
        yield Test("out_of_range", column, wrong, f"{{n}} of {column} [is|are] {limits}")
    if column in ("birth_year", "founded", "latitude", "longitude"):
        return
    for suspicious in _NUMBERS if collected.kind in _MASTER_DATA else ():
        reach = abs(suspicious) / 10
        beside = value.between(suspicious - reach, suspicious + reach) & (value != suspicious)
        text = f"{{n}} of {column} [is|are] {suspicious:,.0f}, a number that people enter where they know none"
        yield Test("placeholders", column, value == suspicious, text, _LEAST_PLACEHOLDERS, beside)


def _of_texts(collected: Collected, column: str, value: Any) -> Iterator[Test]:
    if column == "email":
        yield Test(
            "invalid_format",
            column,
            ~value.re_search(_EMAIL),
            "{n} e-mail [address does|addresses do] not look like one",
        )
        yield Test(
            "placeholders",
            column,
            value.lower().re_search(_ADDRESS_WORDS),
            "{n} e-mail [address|addresses] such as test@",
        )
    elif column == "phone":
        digits = value.re_replace("[^0-9]", "")
        shaped = value.re_search(_PHONE) & digits.length().between(6, 15)  # ITU-T E.164: 15 digits at most
        yield Test("invalid_format", column, ~shaped, "{n} phone [number does|numbers do] not look like one")
        yield Test("placeholders", column, digits.re_search(_SAME_DIGIT) | digits.isin(_DIGITS),
                   "{n} phone [number|numbers] such as 00000 or 123456")  # fmt: skip
    elif column == "postcode":
        yield from _of_postcodes(collected, value)
    elif column == "status" and collected.kind == "consents":
        wrong = ~value.lower().isin(["granted", "denied"])
        yield Test("invalid_format", column, wrong, "{n} [statement is|statements are] neither granted nor denied")
    else:
        words = value.lower().isin(_WORDS)
        yield Test("placeholders", column, words, f"{{n}} of {column} [is a word|are words] such as test, asdf or xxx")


def _of_postcodes(collected: Collected, value: Any) -> Iterator[Test]:
    shaped = value.re_search(_POSTCODE) & value.re_search("[0-9]")
    if "country" in collected.columns:
        country = collected.rows["country"].lower()
        branches = [(country.isin(names), value.re_search(form)) for names, form in _POSTCODES]
        shaped = ibis.cases(*branches, else_=shaped)
    suspicious = value.isin(_DIGITS)
    yield Test(
        "invalid_format",
        "postcode",
        ~shaped & ~suspicious,
        "{n} [postcode does|postcodes do] not look like one of their country",
    )
    beside = (value[:2] == "12") & (value != "12345")  # other places of that region
    least = _LEAST_PLACEHOLDERS
    yield Test(
        "placeholders",
        "postcode",
        suspicious & (value != "12345"),
        "{n} [postcode|postcodes] such as 00000 or 99999",
        least,
    )
    yield Test("placeholders", "postcode", value == "12345", "{n} [postcode is|postcodes are] 12345", least, beside)


def _signs(collected: Collected) -> Iterator[Test]:
    """Quantities and amounts of transactions against each other and against the kind of their line."""
    rows = collected.rows
    if collected.kind == "costs" and "amount" in collected.columns:
        yield Test("out_of_range", "amount", rows["amount"] < 0, "{n} [cost is|costs are] negative")
    if collected.kind != "transactions" or "quantity" not in collected.columns:
        return
    negative, amount = rows["quantity"] < 0, rows["amount"]
    text = "{n} [line has|lines have] a negative quantity and [counts|count] as returns (or refunds), not as sales"
    yield Test("negative_quantities", "quantity", negative & (rows["line_kind"] != "sale"), text)
    free = (amount == 0) & (rows["line_kind"] != "charge")
    yield Test("zero_amounts", "amount", free, "{n} [line costs|lines cost] nothing")
    wrong = (negative & (amount > 0)) | ((rows["quantity"] > 0) & (amount < 0) & (rows["line_kind"] != "charge"))
    yield Test(
        "contradictions", "quantity", wrong, "{n} [line has|lines have] a quantity and an amount of opposite signs"
    )
