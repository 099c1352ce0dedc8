"""Cells of text become numbers, times, ids and booleans: each form against a plain Python reading of it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmentry.data import values
from segmentry.data.number_values import _CODES
from segmentry.data.values import NumberFormat, TimeFormat

SOME = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def con() -> Iterator[Any]:
    backend = ibis.duckdb.connect()
    # A session in another zone must not change what is read.
    backend.raw_sql("SET TimeZone = 'America/New_York'")
    yield backend
    backend.disconnect()


@pytest.fixture
def column(con: Any) -> Callable[..., ir.Table]:
    """A table with these cells in column ``c``."""

    def make(cells: Any, kind: str = "string") -> ir.Table:
        numbered = {"i": range(len(cells)), "c": cells}
        return con.create_table("cells", ibis.memtable(numbered, schema={"i": "int64", "c": kind}), overwrite=True)

    return make


def got(table: ir.Table, value: ir.Value) -> list[Any]:
    """The values in the order of the cells."""
    return table.select("i", v=value).order_by("i").to_pyarrow().column("v").to_pylist()


# --- text, ids, booleans ----------------------------------------------------------------------------------------------


def test_text_is_trimmed_and_words_for_nothing_are_null(column: Any) -> None:
    cells = ["  a b ", "\u00a0x\u202f\t", "", " \n", "null", "NaN", "None", "N/A", "#N/A", "-", "\\N", None, "NA", "-1"]
    table = column(cells)
    assert got(table, values.text(table["c"])) == ["a b", "x", *[None] * 10, "NA", "-1"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (" 12345 ", "12345"),
        ("12345.0", "12345"),
        ("12345.00", "12345"),
        ("1.2345E4", "12345"),
        ("1.2345e+04", "12345"),
        ("-5.0", "-5"),
        ("00123", "00123"),
        ("00123.0", "00123"),
        ('="00123"', "00123"),
        ("12E4", "12E4"),
        ("1.25E1", "1.25E1"),
        ("1.5", "1.5"),
        ("9.87654321098765E14", "987654321098765"),
        ("A.0", "A.0"),
        ("ab\t \u00a0c", "ab c"),
        ("Zoë\ufeff", "Zoë"),
        ("", None),
        ("nan", None),
        ("NULL", None),
        ("n/a", None),
        ("NA", None),
        ("-", None),
        (None, None),
    ],
)
def test_an_id_is_the_same_whoever_wrote_it(column: Any, cell: str | None, expected: str | None) -> None:
    table = column([cell])
    assert got(table, values.identifier(table["c"])) == [expected]


def test_ids_stored_as_numbers_are_the_same_ids(column: Any) -> None:
    for kind, cells in (("int64", [12345, None]), ("float64", [12345.0, math.nan]), ("decimal(18, 2)", [12345, None])):
        table = column(cells, kind)
        assert got(table, values.identifier(table["c"])) == ["12345", None]
    table = column([1.5, 1e300, math.inf], "float64")
    assert got(table, values.identifier(table["c"])) == ["1.5", "1e+300", None]


def test_booleans_in_several_languages(column: Any) -> None:
    yes = ["yes", "Y", "TRUE", "t", "1", " ja ", "oui", "si", "sí"]
    no = ["no", "N", "false", "F", "0", "nein", "non"]
    table = column([*yes, *no, "2", "", "maybe", None])
    assert got(table, values.boolean(table["c"])) == [True] * len(yes) + [False] * len(no) + [None] * 4
    table = column([True, None], "boolean")
    assert got(table, values.boolean(table["c"])) == [True, None]


# --- numbers ----------------------------------------------------------------------------------------------------------

NUMBERS = {
    "1.234,56 €": 1234.56,
    "$1,234.56": 1234.56,
    "(12.50)": -12.5,
    "($1,234.50)": -1234.5,
    "12-": -12.0,
    "12.50 -": -12.5,
    "-12,5": -12.5,
    "−3": -3.0,
    "+3": 3.0,
    "$-3": -3.0,
    "-$3": -3.0,
    "1 234,5": 1234.5,
    "1\u00a0234,5": 1234.5,
    "1\u202f234\u202f567": 1234567.0,
    "1'234.50": 1234.5,
    "1’234’567": 1234567.0,
    "12 %": 12.0,
    "12.5%": 12.5,
    "£ 3": 3.0,
    "US$ 3": 3.0,
    "EUR 12": 12.0,
    "12,50 eur": 12.5,
    "12 zł": 12.0,
    "kr 1.000.000": 1000000.0,
    "Rs. 12,34,567.5": 1234567.5,
    "Rs.500": 500.0,
    "kr.1,5": 1.5,
    "5,-": 5.0,
    "5.-- CHF": 5.0,
    "1e3": 1000.0,
    "1.5E-3": 0.0015,
    "1,234,567": 1234567.0,
    "1.234.567": 1234567.0,
    "0,123": 0.123,
    "0.123": 0.123,
    "1234,567": 1234.567,
    ".5": 0.5,
    "5.": 5.0,
    " 7 ": 7.0,
    "007": 7.0,
}
NO_NUMBERS = [
    "", "-", "n/a", "nan", "inf", "1e999", "1_000", "abc", "12 Main St", "SKU 12", "2011-12-01", "01.12.2010", "12:30",
    "555-1234", "(5", "5)", "1 2 3", "1,23,45", "1.2.3", "1,2345.6", "3 Mar", ".", "€", "12a",
]  # fmt: skip


@pytest.mark.parametrize("decimal", [".", ","])
def test_numbers_that_can_be_read_in_one_way_are_read_so_in_every_column(column: Any, decimal: Any) -> None:
    table = column([*NUMBERS, *NO_NUMBERS])
    expected = [*NUMBERS.values(), *[None] * len(NO_NUMBERS)]
    assert dict(
        zip([*NUMBERS, *NO_NUMBERS], got(table, values.number(table["c"], NumberFormat(decimal))), strict=True)
    ) == dict(zip([*NUMBERS, *NO_NUMBERS], expected, strict=True))


@pytest.mark.parametrize(("decimal", "point", "comma"), [(".", 1.234, 1234.0), (",", 1234.0, 1.234)])
def test_the_column_decides_what_could_be_either(column: Any, decimal: Any, point: float, comma: float) -> None:
    table = column(["1.234", "1,234", "$1.234", "(1,234)"])
    assert got(table, values.number(table["c"], NumberFormat(decimal))) == [point, comma, point, -comma]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["12.5", "1.234", "3"], NumberFormat(".", ",")),
        (["12,5", "1,234", "3"], NumberFormat(",", ".")),
        (["1.234,50", "1.234"], NumberFormat(",", ".")),
        (["1,234.50", "1,234"], NumberFormat(".", ",")),
        (["1.234.567", "1.234"], NumberFormat(",", ".")),
        (["1,234", "999"], NumberFormat(".", ",")),
        (["1,234", "1234"], NumberFormat(",", ".")),
        (["1.234", "1234"], NumberFormat(".", ",")),
        (["1,234", "5,678"], NumberFormat(".", ",", ambiguous=True)),
        (["1.234", "5.678"], NumberFormat(".", ",", ambiguous=True)),
        (["1.234", "999"], NumberFormat(",", ".", ambiguous=True)),
        (["1.234", "1,234"], NumberFormat(".", ",", ambiguous=True)),
        (["1.5", "1,5", "1.5"], NumberFormat(".", ",")),
        (["1.5", "1,5", "1,5", "1.234"], NumberFormat(",", ".", ambiguous=True)),
        (["1 234", "7"], NumberFormat(".", " ")),
        (["1 234,5", "7"], NumberFormat(",", ".")),
        (["1'234.5", "1'234"], NumberFormat(".", "'")),
        (["1", "x", "n/a", None], NumberFormat(".", ",", share=0.5)),
        ([None, ""], NumberFormat()),
    ],
)
def test_the_format_of_a_column_is_found(column: Any, cells: list[str | None], expected: NumberFormat) -> None:
    table = column(cells)
    assert values.number_formats(table, ["c"]) == {"c": expected}


def test_formats_of_several_columns_are_found_in_one_query(con: Any) -> None:
    cells = {"a": ["1,5", "2"], "b": ["1.5", "x"], "n": [1, 2]}
    table = con.create_table("several", ibis.memtable(cells), overwrite=True)
    found = values.number_formats(table, ["a", "b", "n"])
    assert [found[c].decimal for c in "ab"] == [",", "."]
    assert (found["b"].share, found["n"]) == (0.5, NumberFormat())
    assert values.number_formats(table, []) == {}


def test_the_share_is_what_can_be_read(column: Any) -> None:
    table = column([*NUMBERS, *NO_NUMBERS])
    fmt = values.number_formats(table, ["c"])["c"]
    read = [n for n in got(table, values.number(table["c"], fmt)) if n is not None]
    filled = [t for t in got(table, values.text(table["c"])) if t is not None]
    assert fmt.share == pytest.approx(len(read) / len(filled))


def test_stored_numbers_stay_numbers(column: Any) -> None:
    table = column([1.5, math.nan, math.inf, None], "float64")
    assert got(table, values.number(table["c"], NumberFormat())) == [1.5, None, None, None]


def grouped(value: Decimal, decimal: str, thousands: str) -> str:
    return f"{value:,.2f}".replace(",", "\x00").replace(".", decimal).replace("\x00", thousands)


@given(
    amounts=st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=20),
    marks=st.sampled_from([(".", ","), (",", "."), (",", " "), (",", "\u00a0"), (".", "'"), (".", ""), (",", "")]),
    dress=st.sampled_from(["{}", "{} €", "$ {}", "EUR {}", " {} "]),
)
@SOME
def test_what_was_written_comes_back_in_every_format(
    column: Any, amounts: list[Decimal], marks: tuple[str, str], dress: str
) -> None:
    table = column([dress.format(grouped(a, *marks)) for a in amounts])
    fmt = values.number_formats(table, ["c"])["c"]
    assert (fmt.decimal, fmt.share, fmt.ambiguous) == (marks[0], 1.0, False)
    assert got(table, values.number(table["c"], fmt)) == [float(a) for a in amounts]


def test_currencies_are_those_of_iso_4217() -> None:
    pycountry = pytest.importorskip("pycountry")
    known = {c.alpha_3 for c in pycountry.currencies}
    assert len(set(_CODES.split("|")) & known) >= 150
    everyday = {"EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "SEK", "NOK", "DKK", "PLN", "CZK", "BRL", "ZAR"}
    assert everyday <= set(_CODES.split("|"))


# --- times ------------------------------------------------------------------------------------------------------------


def at(*parts: int) -> dt.datetime:
    return dt.datetime(*parts)  # type: ignore[arg-type]


MORNING = at(2010, 12, 1, 8, 26)
DAY = at(2010, 12, 1)


WAYS = {
    "ISO 8601": {
        "2010-12-01 08:26:00.000": MORNING,
        "2010-12-01T08:26:00Z": MORNING,
        "2010-12-01T08:26Z": MORNING,
        "2010-12-01T10:26:00+02:00": MORNING,
        "2010-12-01 10:26:00 +0200": MORNING,
        "2010-12-01T03:26-05:00": MORNING,
        "2010-12-01 08:26:00 UTC": MORNING,
        "2010-12-01 8:26": MORNING,
        "2010-12-01": DAY,
        "2010-12-1": DAY,
        "2207-01-01": at(2207, 1, 1),
        "2010-12-01 08:26:00.123456789": at(2010, 12, 1, 8, 26, 0, 123456),
        "2010-13-01": None,
    },
    "day first": {
        "13/12/2010 8:26": at(2010, 12, 13, 8, 26),
        "13-12-1969": at(1969, 12, 13),
        "13-12-69": at(1969, 12, 13),
        "13-12-68": at(2068, 12, 13),
        "01.12.2010": DAY,
        "1.12.10 08:26": MORNING,
        "31.02.2010": None,
    },
    "month first": {
        "12/13/2010 8:26": at(2010, 12, 13, 8, 26),
        "12/13/2010 8:26 AM": at(2010, 12, 13, 8, 26),
        "12/13/2010, 8:26:30 p.m.": at(2010, 12, 13, 20, 26, 30),
        "12/13/10": at(2010, 12, 13),
        "13/13/2010": None,
    },
    "year first and compact": {
        "2010/12/01 08:26:00": MORNING,
        "2010.12.01": DAY,
        "20101201": DAY,
        "201012010826": MORNING,
        "20101201082600": MORNING,
        "20101201T082600Z": MORNING,
        "2010-12": DAY,
        "12/2010": DAY,
    },
    "two digits of the year first": {"10-12-01": DAY, "99-12-31": at(1999, 12, 31)},
    "names of months": {
        "1 Dec 2010": DAY,
        "01-DEC-10": DAY,
        "1 December 2010 08:26": MORNING,
        "1st of December 2010": DAY,
        "Dec 1, 2010": DAY,
        "December 1 2010 8:26 am": MORNING,
        "Wed, 01 Dec 2010 08:26:00 GMT": MORNING,
        "2010-Dec-01": DAY,
        "Dec 2010": DAY,
        "1. Dezember 2010": DAY,
        "1 déc. 2010": DAY,
        "3 août 2010": at(2010, 8, 3),
        "14 juillet 2010": at(2010, 7, 14),
        "5 juin 2010": at(2010, 6, 5),
        "1 de enero de 2010": at(2010, 1, 1),
        "1 maart 2010": at(2010, 3, 1),
        "Mon 2010": None,
        "31 Feb 2010": None,
    },
    "counts": {
        "40513.35": at(2010, 12, 1, 8, 24),
        "40513": DAY,
        "1291191960": MORNING,
        "1291191960.0": MORNING,
        "1291191960000": MORNING,
    },
    "no times": {"epoch": None, "infinity": None, "tomorrow": None, "12.5": None, "": None, "12 Main St": None},
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_writing_a_time(column: Any, way: str) -> None:
    table = column(list(WAYS[way]))
    fmt = values.time_formats(table, ["c"])["c"]
    assert dict(zip(WAYS[way], got(table, values.timestamp(table["c"], fmt)), strict=True)) == WAYS[way]


def test_three_ways_in_one_column(column: Any) -> None:
    table = column(["12/1/2010 8:26", "1/13/2010", "01.12.2010", "2010-12-01T08:26:00Z", "1/2/10", "x"])
    fmt = values.time_formats(table, ["c"])["c"]
    assert (fmt.day_first, fmt.ambiguous, fmt.share) == (False, False, 5 / 6)
    assert set(fmt.formats) == {"%m/%d/%Y", "%m/%d/%y", "%d.%m.%Y", "%Y-%m-%d", "%z"}
    read = got(table, values.timestamp(table["c"], fmt))
    assert read == [MORNING, at(2010, 1, 13), DAY, MORNING, at(2010, 1, 2), None]


@pytest.mark.parametrize(
    ("cells", "preferred", "latest", "expected"),
    [
        (["1/2/2010", "13/2/2010"], None, None, (True, False, at(2010, 2, 1))),
        (["1/2/2010", "2/13/2010"], None, None, (False, False, at(2010, 1, 2))),
        (["1/2/2010", "2/13/2010"], True, None, (False, False, at(2010, 1, 2))),
        (["1/2/2010", "3/4/2010"], None, None, (True, True, at(2010, 2, 1))),
        (["1/2/2010", "3/4/2010"], False, None, (False, False, at(2010, 1, 2))),
        (["1/2/2010", "5/12/2010"], None, at(2010, 8, 1), (False, False, at(2010, 1, 2))),
        (["1/2/2010", "12/5/2010"], None, at(2010, 8, 1), (True, False, at(2010, 2, 1))),
        (["1/2/2010", "3/4/2010"], None, at(2010, 8, 1), (True, True, at(2010, 2, 1))),
        (["1/2/2010", "13/1/2010", "14/1/2010", "1/13/2010"], None, None, (True, True, at(2010, 2, 1))),
        (["1.2.2010"], None, None, (True, False, at(2010, 2, 1))),
    ],
)
def test_day_or_month_first_is_decided_by_evidence(
    column: Any, cells: list[str], preferred: bool | None, latest: dt.datetime | None, expected: tuple[Any, ...]
) -> None:
    table = column(cells)
    fmt = values.time_formats(table, ["c"], day_first=preferred, latest=latest)["c"]
    read = got(table, values.timestamp(table["c"], fmt))
    assert (fmt.day_first, fmt.ambiguous, read[0]) == expected
    assert None not in read
    assert bool(values.format_notes({"c": fmt})) is expected[1]


def test_notes_say_how_a_doubtful_column_was_read() -> None:
    notes = values.format_notes(
        {
            "bought": TimeFormat(("%d/%m/%Y",), day_first=True, ambiguous=True),
            "both": TimeFormat(("%m/%d/%Y", "%d/%m/%Y"), day_first=False, ambiguous=True),
            "price": NumberFormat(",", ".", ambiguous=True),
            "clear": TimeFormat(),
        }
    )
    assert notes == (
        "bought: 01/02/2024 is read as 1 February (day first); the column does not tell. `day_first` settles it.",
        "both: 01/02/2024 is read as 2 January (month first); the column holds both orders. `day_first` settles it.",
        "price: 1,234 is read as a bit more than one, 1.234 as a thousand; the column does not tell.",
    )


def python_utc(local: dt.datetime, zone: str) -> dt.datetime:
    """The rule of the docstring: the second of two hours, and no change yet in an hour that is skipped."""
    known = local.replace(tzinfo=ZoneInfo(zone))
    again = known.astimezone(dt.UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    fold = 0 if again != local else 1
    return known.replace(fold=fold).astimezone(dt.UTC).replace(tzinfo=None)


@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"])
def test_local_times_become_utc_through_every_change_of_clocks(column: Any, zone: str) -> None:
    hours = [at(2011, 3, 13) + dt.timedelta(minutes=30 * i) for i in range(48 * 20)]
    hours += [at(2011, 10, 29) + dt.timedelta(minutes=30 * i) for i in range(48 * 10)]
    table = column([h.isoformat(" ") for h in hours])
    assert got(table, values.timestamp(table["c"], TimeFormat(), zone)) == [python_utc(h, zone) for h in hours]


def test_an_offset_wins_over_the_zone(column: Any) -> None:
    table = column(["2011-07-01 00:00", "2011-07-01T00:00:00Z", "1309478400", "01/07/2011 1:00 AM"])
    fmt = values.time_formats(table, ["c"])["c"]
    expected = [at(2011, 6, 30, 23), at(2011, 7, 1), at(2011, 7, 1), at(2011, 7, 1)]
    assert got(table, values.timestamp(table["c"], fmt, "Europe/London")) == expected


@pytest.mark.parametrize(
    ("zone", "hour"), [("Pacific/Kiritimati", 0), ("Europe/Berlin", 0), ("UTC", 0), ("America/New_York", 5)]
)
def test_a_date_alone_is_of_that_day_in_utc_and_on_the_clocks_of_every_zone(column: Any, zone: str, hour: int) -> None:
    for cells in (["2010-12-01"], ["12/01/2010", "12/31/2010"], ["20101201"], ["40513", "40513.0"], ["1 Dec 2010"]):
        table = column(cells)
        read = values.timestamp(table["c"], values.time_formats(table, ["c"])["c"], zone)
        assert got(table, read)[0] == at(2010, 12, 1, hour), cells
        assert got(table, values.utc_to_local(read, zone))[0].date() == DAY.date(), cells


def test_stored_times_and_counts_are_read_too(column: Any) -> None:
    table = column([DAY.date(), None], "date")
    assert values.time_formats(table, ["c"]) == {"c": TimeFormat(formats=())}
    assert got(table, values.timestamp(table["c"], TimeFormat(()), "Europe/Berlin")) == [DAY, None]
    table = column([MORNING], "timestamp('UTC')")
    assert got(table, values.timestamp(table["c"], TimeFormat(()), "Europe/Berlin")) == [MORNING]
    for kind, cells in (("int64", [20101201, None]), ("float64", [40513.0, math.nan]), ("int64", [1291161600, None])):
        table = column(cells, kind)
        fmt = values.time_formats(table, ["c"])["c"]
        assert got(table, values.timestamp(table["c"], fmt)) == [DAY, None]


FORMS = [
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%d %b %Y %H:%M:%S",
    "%m-%d-%Y %I:%M:%S %p",
]


@given(
    times=st.lists(st.datetimes(at(1970, 1, 1), at(2068, 12, 31)).map(lambda t: t.replace(microsecond=0)), max_size=20),
    form=st.sampled_from(FORMS),
)
@SOME
def test_what_strftime_writes_comes_back(column: Any, times: list[dt.datetime], form: str) -> None:
    told = [*times, at(2010, 12, 31)]  # the 31st settles the order
    table = column([t.strftime(form) for t in told])
    fmt = values.time_formats(table, ["c"])["c"]
    assert (fmt.ambiguous, fmt.share) == (False, 1.0)
    assert got(table, values.timestamp(table["c"], fmt)) == told


# --- real data --------------------------------------------------------------------------------------------------------


def test_real_columns(con: Any, real_data: Path) -> None:
    shop = con.read_parquet(real_data / "online_retail" / "online_retail.parquet")
    ids = shop.agg(n=values.identifier(shop["CustomerID"]).nunique(), missing=shop["CustomerID"].isnull().sum())
    assert ids.to_pyarrow().to_pylist() == [{"n": 4372, "missing": 135_080}]
    text = con.read_csv(real_data / "customer_personality" / "marketing_campaign.csv", all_varchar=True)
    found = values.number_formats(text, ["Income", "Education"])
    assert (found["Income"].share, found["Education"].share) == (1.0, 0.0)
    when = values.time_formats(text, ["Dt_Customer", "Education", "ID"])
    assert (when["Dt_Customer"].share, when["Education"].share) == (1.0, 0.0)
    read = values.timestamp(text["Dt_Customer"], when["Dt_Customer"])
    assert text.agg(n=read.count()).to_pyarrow().to_pylist() == [{"n": 2240}]
