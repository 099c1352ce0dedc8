"""The ways of writing a date that :mod:`segmentry.data.time_values` reads, as patterns (RE2, DuckDB's dialect)."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.data.text_functions import let

ISO = "%Y-%m-%d"
OFFSET = "%z"
TWELVE_HOURS = "%p"
WORDS = "%d %b %Y"
YEAR_FIRST = "%y-%m-%d"
EXCEL = "days since 1899-12-30"
UNIX = "seconds since 1970"
UNIX_MS = "milliseconds since 1970"
OTHER = "other"
ORDERED = "?"  # kinds whose order of day and month the column decides: "?/Y", "?.y" ...

# Five digits before the point: 1927 to 2173. Nine or ten: 1973 to 2286. Thirteen: 2001 to 2286.
COUNTS = {EXCEL: r"^\d{5}(?:\.\d+)?$", UNIX: r"^\d{9,10}(?:\.\d+)?$", UNIX_MS: r"^\d{13}$"}
HAS_OFFSET = r"(?i):\d{2}(?:[.,]\d+)?\s*(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"
HAS_TWELVE = r"(?i)\d *[ap]\.? ?m\.?$"

# What DuckDB reads as it stands, and no other format could mean.
PLAIN_ISO = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)?"

_CLOCK = r",?([T ].*)?$"  # what follows a date, the space before it included
_NUMERIC = r"^(\d{1,4})([-/.])(\d{1,2})([-/.])(\d{1,4})(?:$|[T ,].*$)"
_ISO = r"^\d{4}-\d{1,2}-\d{1,2}(?:$|[T ])"
_YEAR = "(?:1[6-9]|2[0-3])"  # 1600 to 2399: other numbers of eight and more digits are no dates
_MONTH, _DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_COMPACT = {
    "%Y%m%d": rf"^{_YEAR}\d{{2}}{_MONTH}{_DAY}$",
    "%Y%m%d%H%M": rf"^{_YEAR}\d{{2}}{_MONTH}{_DAY}[T ]?[0-2]\d[0-5]\d$",
    "%Y%m%d%H%M%S": rf"^{_YEAR}\d{{2}}{_MONTH}{_DAY}[T ]?[0-2]\d[0-5]\d[0-5]\d(?:\.\d+)?Z?$",
    "%Y-%m": rf"^{_YEAR}\d{{2}}-(?:{_MONTH}|[1-9])$",
    "%m/%Y": rf"^(?:{_MONTH}|[1-9])/{_YEAR}\d{{2}}$",
}

# A word: anything but digits, spaces and marks. RE2 is several times slower with the class of all letters.
_NAME = r"([^0-9 ,./:()-]+)"
_WEEKDAY = r"^(?:[^0-9 ,./:()-]+[.,]* +)?"
_ORDINAL = r"(?:st|nd|rd|th|\.|º)?"
# The groups are d, m, y and what follows (r); a pattern without a day leaves it empty. The usual one comes first.
SPELLED = (
    ("dmyr", rf"^(\d{{1,2}})[ -]{_NAME}[ -](\d{{4}}|\d{{2}})((?:[T ].*)?)$"),
    ("mdyr", rf"{_WEEKDAY}{_NAME}[ .-]+(\d{{1,2}}){_ORDINAL}[, -]+(\d{{4}}){_CLOCK}"),
    (
        "dmyr",
        rf"{_WEEKDAY}(\d{{1,2}}){_ORDINAL}[ /.-]*(?:de |of )?{_NAME}[ /.,-]*(?:de |of )?(\d{{4}}|\d{{2}}){_CLOCK}",
    ),
    ("ymdr", rf"^(\d{{4}})[ /.-]{_NAME}[ /.-](\d{{1,2}}){_CLOCK}"),
    ("dmyr", rf"^(){_NAME}[ /.,-]*(?:de )?(\d{{4}})()$"),
)

_MONTHS = (
    ("jan", "ene", "gen"),
    ("feb", "fev"),
    ("mar", "mrz", "mrt", "maa"),
    ("apr", "avr", "abr"),
    ("may", "mai", "mag", "mei", "maj"),
    ("jun", "giu"),
    ("jul", "lug"),
    ("aug", "aou", "ago"),
    ("sep", "set"),
    ("oct", "okt", "ott", "out"),
    ("nov",),
    ("dec", "dez", "dic"),
)


def _rewrites() -> dict[str, tuple[tuple[str, str], ...]]:
    year, two = r"^(\d{4})", r"(\d{1,2})"
    century = {"20": r"([0-5]\d|6[0-8])", "19": r"(69|[7-9]\d)"}
    found: dict[str, tuple[tuple[str, str], ...]] = {
        "%Y/%m/%d": ((rf"{year}/{two}/{two}{_CLOCK}", r"\1-\2-\3\4"),),
        "%Y.%m.%d": ((rf"{year}\.{two}\.{two}{_CLOCK}", r"\1-\2-\3\4"),),
        "%Y%m%d": ((r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3"),),
        "%Y%m%d%H%M": ((r"^(\d{4})(\d{2})(\d{2})[T ]?(\d{2})(\d{2})$", r"\1-\2-\3 \4:\5"),),
        "%Y%m%d%H%M%S": ((r"^(\d{4})(\d{2})(\d{2})[T ]?(\d{2})(\d{2})(\d{2})(.*)$", r"\1-\2-\3 \4:\5:\6\7"),),
        "%Y-%m": ((rf"{year}-{two}$", r"\1-\2-01"),),
        "%m/%Y": ((rf"^{two}/(\d{{4}})$", r"\2-\1-01"),),
        YEAR_FIRST: tuple((rf"^{y}[-/]{two}[-/]{two}{_CLOCK}", rf"{c}\1-\2-\3\4") for c, y in century.items()),
    }
    for mark in "/-.":
        for form, order in ((f"%d{mark}%m{mark}", r"\2-\1"), (f"%m{mark}%d{mark}", r"\1-\2")):
            head = rf"^{two}\{mark}{two}\{mark}"
            found[f"{form}%Y"] = ((rf"{head}(\d{{4}}){_CLOCK}", rf"\3-{order}\4"),)
            found[f"{form}%y"] = tuple((rf"{head}{y}{_CLOCK}", rf"{c}\3-{order}\4") for c, y in century.items())
    return found


# Format -> patterns and what they become in ISO form.
REWRITES = _rewrites()


@ibis.udf.scalar.builtin(
    name="regexp_extract",
    signature=(
        ("string", "string", "array<string>"),
        "struct<a: string, mark: string, b: string, second_mark: string, c: string>",
    ),
)
def _numbers(text: str, pattern: str, names: list[str]) -> dict[str, str]:
    """The groups of a pattern by name; all empty where it does not match."""
    raise AssertionError(
        text, pattern, names
    )  # Ibis calls the function of that name in the database; so with all below


@ibis.udf.scalar.builtin(
    name="regexp_extract",
    signature=(("string", "string", "array<string>"), "struct<d: string, m: string, y: string, r: string>"),
)
def _groups(text: str, pattern: str, names: list[str]) -> dict[str, str]:
    """The same for dates with names of months."""
    raise AssertionError(text, pattern, names)


@ibis.udf.scalar.builtin(name="strip_accents", signature=(("string",), "string"))
def _strip_accents(text: str) -> str:
    """The text without accents."""
    raise AssertionError(text)


def numeric_parts(cell: ir.Value) -> ir.Value:
    """The three numbers of a date (a, b, c) and the marks between them; empty where there are none, null if ISO."""
    text: Any = cell
    return ibis.cases(
        (~text.re_search(_ISO), _numbers(cell, _NUMERIC, ibis.array(["a", "mark", "b", "second_mark", "c"])))
    )


def spelled_parts(cell: ir.Value, use: Any) -> ir.Value:
    """``use`` of the day, month, year and rest of a date with the name of a month, in the first pattern that fits."""
    return ibis.coalesce(*(let(_groups(cell, p, ibis.array(list(names))), use) for names, p in SPELLED))


def month_number(name: Any) -> ir.Value:
    """``December``, ``dez.`` or ``Déc`` -> ``12``; null for another word."""

    def number(word: Any) -> ir.Value:
        start = word.left(3)
        july = (word.startswith("juil"), "07")
        cases = [(start.isin(names), f"{place:02}") for place, names in enumerate(_MONTHS, 1)]
        return ibis.cases(july, (start == "jui", "06"), *cases)

    return let(_strip_accents(name.lower()), number)


def kind(cell: Any, parts: Any) -> ir.Value:
    """How a cell is written: a format, ``?/Y`` where day and month could change places, or :data:`OTHER`.

    ``parts`` are its :func:`numeric_parts`.
    """
    year_last = ibis.cases((parts.c.length() == 4, "Y"), (parts.c.length() == 2, "y"))
    marked = (parts.mark != "") & (parts.mark == parts.second_mark)
    ordered = marked & (parts.a.length() <= 2)
    year_first = marked & (parts.a.length() == 4) & (parts.c.length() <= 2)
    spelled = spelled_parts(cell, lambda p: month_number(p.m))
    found = ibis.coalesce(
        ibis.cases(
            (parts.isnull(), ISO),
            (year_first, ibis.literal("%Y") + parts.mark + "%m" + parts.mark + "%d"),
            (ordered, ibis.literal(ORDERED) + parts.mark + year_last),
            *((cell.re_search(p), form) for form, p in (*_COMPACT.items(), *COUNTS.items())),
            (cell.re_search(r"\p{L}{3}") & cell.re_search(r"\d"), spelled.notnull().ifelse(WORDS, OTHER)),
        ),
        OTHER,
    )
    return ibis.cases((cell.notnull(), found))


def formats_of(kind: str, *, day_first: bool, mixed: bool, year_first: bool) -> list[str]:
    """The formats that a kind ``?/Y`` stands for, given what the column says about the order."""
    mark, year = kind[1], kind[2]
    if year_first and year == "y":
        return [YEAR_FIRST]
    both = [f"%d{mark}%m{mark}%{year}", f"%m{mark}%d{mark}%{year}"]
    if not day_first:
        both.reverse()
    return both if mixed else both[:1]


def is_ordered(form: str) -> bool:
    """Whether a format has day and month in an order that could be the other way round."""
    return form[:2] in ("%d", "%m") and form[3:5] in ("%m", "%d")


def swapped(form: str) -> str:
    """The format with day and month in the other order."""
    return f"{form[3:5]}{form[2]}{form[:2]}{form[5:]}" if is_ordered(form) else form
