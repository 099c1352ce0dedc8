"""What the columns of a file hold: one aggregate query for the counts, a spread sample of records for the forms.

The counts (filled, distinct, longest) are exact over the records profiled: all of them, or the first 200,000 of a very
large file. The forms (number, time, e-mail ...) are shares of a sample of those records, spread evenly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal, cast

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
from ibis.backends.duckdb import Backend

from segmentry.data.survey_header import SurveyHeading

PROFILED = 200_000  # records that are counted; enough for shares to a tenth of a per cent
SAMPLED = 3_000  # records whose values are looked at one by one
_LEVELS = 50  # a category of more levels than this is no category
_LONGEST = 1_000  # characters of a text that are looked at: 200,000 long reviews must fit into memory
_POSITION = "__position"
# What exports write for "nothing"; never a value.
EMPTY = ("", "na", "n/a", "nan", "null", "none", "nil", "-", "--", "?", "#n/a", "n.a.", "(null)", "\\n", "nat")
_BOOLEAN = (
    frozenset({"0", "1"}),
    frozenset({"yes", "no"}),
    frozenset({"true", "false"}),
    frozenset({"y", "n"}),
    frozenset({"t", "f"}),
    frozenset({"ja", "nein"}),
    frozenset({"j", "n"}),
    frozenset({"oui", "non"}),
    frozenset({"si", "no"}),
    frozenset({"sí", "no"}),
    frozenset({"sì", "no"}),
    frozenset({"ja", "nee"}),
    frozenset({"vrai", "faux"}),
    frozenset({"wahr", "falsch"}),
)

Form = Literal["number", "time", "email", "phone", "url", "ip", "iban", "card"]


@dataclass(frozen=True)
class ColumnProfile:
    """What one column of a file holds. Shares are of its filled values; the values themselves are never shown."""

    name: str
    stored: str  # as the file types it: text, number, time, boolean
    rows: int
    filled: int
    distinct: int
    max_length: int
    at_signs: int  # values with an @, over all records profiled
    row_number: bool  # counts the records of the file
    shares: dict[Form, float]
    sample: tuple[str | None, ...] = field(repr=False)

    @property
    def fill(self) -> float:
        """Share of records with a value."""
        return self.filled / self.rows if self.rows else 0.0

    @property
    def uniqueness(self) -> float:
        """Distinct values per filled value: 1 where no value repeats."""
        return self.distinct / self.filled if self.filled else 0.0

    @property
    def constant(self) -> bool:
        """One value in every record."""
        return self.distinct == 1 and self.filled == self.rows

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The filled values of the sample."""
        return tuple(v for v in self.sample if v is not None)

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """The sample's different values, the most frequent first."""
        return tuple(v for v, _ in sorted(Counter(self.values).items(), key=lambda item: (-item[1], item[0])))

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The sample's values that are numbers."""
        return tuple(n for v in self.values if (n := as_number(v)) is not None)

    @cached_property
    def vector(self) -> npt.NDArray[np.float64]:
        """The sample as numbers, record by record; NaN where there is none."""
        numbers = (None if v is None else as_number(v) for v in self.sample)
        return np.array([np.nan if n is None else n for n in numbers], dtype=np.float64)

    @property
    def is_number(self) -> bool:
        return self.stored == "number" or (self.shares["number"] >= 0.98 and not self.is_code)

    @property
    def is_time(self) -> bool:
        return self.stored == "time" or self.shares["time"] >= 0.95

    @cached_property
    def is_boolean(self) -> bool:
        given = frozenset(v.lower() for v in self.levels)
        return self.stored == "boolean" or (self.distinct == 2 and given in _BOOLEAN)

    @cached_property
    def is_code(self) -> bool:
        """Digits that are a code: leading zeros, which a number does not have."""
        if self.stored == "number" or not self.values:
            return False
        zeros = sum(1 for v in self.values if len(v) > 1 and v[0] == "0" and v.isdigit())
        return zeros / len(self.values) > 0.02

    @cached_property
    def is_integer(self) -> bool:
        return self.is_number and all(n == int(n) for n in self.numbers if abs(n) < 1e15)

    @property
    def is_category(self) -> bool:
        return 1 < self.distinct <= _LEVELS and self.distinct <= max(2, self.filled // 2)

    @cached_property
    def negative(self) -> float:
        """Share of the numbers that are below 0."""
        return sum(1 for n in self.numbers if n < 0) / len(self.numbers) if self.numbers else 0.0

    def within(self, low: float, high: float) -> float:
        """Share of the numbers between two bounds."""
        return sum(1 for n in self.numbers if low <= n <= high) / len(self.numbers) if self.numbers else 0.0


@dataclass(frozen=True)
class TableProfile:
    """The columns of a file, and how many of its records were profiled."""

    columns: tuple[ColumnProfile, ...]
    rows: int
    complete: bool  # all records, rather than the first PROFILED
    heading: SurveyHeading | None = None

    def __getitem__(self, name: str) -> ColumnProfile:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def profile(con: Backend, table: ir.Table, *, limit: int = PROFILED) -> TableProfile:
    """Profile every column of a table but ``_line``, from its first ``limit`` records.

    The records are read once, into a temporary table that is dropped again.
    """
    names = [name for name in table.columns if name != "_line"]
    stored = [_stored(table[name]) for name in names]
    head = table.limit(limit).select(
        **{f"c{i}": _clean(table[name]) for i, name in enumerate(names)}, **{_POSITION: ibis.row_number()}
    )
    records = con.create_table(ibis.util.gen_name("profile"), head, temp=True)
    try:
        rows, counts = _counts(records, len(names))
        step = max(1, rows // SAMPLED)
        spread = records.filter(records[_POSITION] % step == 0).order_by(_POSITION).limit(SAMPLED)
        sampled = spread.to_pyarrow()
    finally:
        con.drop_table(records.get_name(), force=True)
    complete = rows < limit or int(table.limit(limit + 1).count().to_pyarrow().as_py()) == limit
    positions = cast("list[int]", sampled.column(_POSITION).to_pylist())
    columns = []
    for i, name in enumerate(names):
        values = cast("list[str | None]", sampled.column(f"c{i}").to_pylist())
        given = tuple(v for v in values if v is not None)
        filled, distinct, longest, at_signs = counts[i]
        columns.append(
            ColumnProfile(
                name=name,
                stored=stored[i],
                rows=rows,
                filled=filled,
                distinct=distinct,
                max_length=longest,
                at_signs=at_signs,
                row_number=rows > 1 and distinct == filled == rows and _counts_up(values, positions),
                shares=_shares(given, stored[i]),
                sample=tuple(values),
            )
        )
    return TableProfile(tuple(columns), rows, complete)


def _stored(column: ir.Column) -> str:
    dtype = column.type()
    if dtype.is_boolean():
        return "boolean"
    if dtype.is_numeric():
        return "number"
    return "time" if dtype.is_temporal() and not dtype.is_time() else "text"


@ibis.udf.scalar.builtin(name="trim", signature=(("string",), "string"))
def _trim(text: str) -> str:  # type: ignore[empty-body]
    """Without blanks at the ends; Ibis's own strip takes a set of characters and is three times slower."""


def _clean(column: ir.Column) -> ir.StringValue:
    if _stored(column) != "text":
        text = cast(ir.StringValue, column.cast("string"))
        return text.nullif("nan") if column.type().is_floating() else text
    text = cast(ir.StringValue, _trim(cast(ir.StringValue, column.cast("string")).substr(0, _LONGEST)))
    return cast(ir.StringValue, text.lower().isin(EMPTY).ifelse(ibis.null("string"), text))


def _counts(records: ir.Table, columns: int) -> tuple[int, list[tuple[int, int, int, int]]]:
    """The records; and of every column the filled, distinct, longest, and those with an @. One query."""
    measures: dict[str, ir.Value] = {"rows": records.count()}
    for i in range(columns):
        text = cast(ir.StringColumn, records[f"c{i}"])
        measures |= {
            f"f{i}": text.count(),
            f"d{i}": text.nunique(),
            f"l{i}": text.length().max(),
            f"a{i}": text.contains("@").sum(),
        }
    row: dict[str, Any] = records.aggregate(**measures).to_pyarrow().to_pylist()[0]
    each = [(row[f"f{i}"], row[f"d{i}"], row[f"l{i}"] or 0, row[f"a{i}"] or 0) for i in range(columns)]
    return row["rows"], each


def _counts_up(values: Sequence[str | None], positions: Sequence[int]) -> bool:
    numbers = [as_number(v) if v is not None else None for v in values]
    offsets = {n - p if n is not None else None for n, p in zip(numbers, positions, strict=True)}
    return len(offsets) == 1 and next(iter(offsets)) in {0.0, 1.0}


def _shares(values: Sequence[str], stored: str) -> dict[Form, float]:
    different = Counter(values)
    shares: dict[Form, float] = {}
    for form, test in _FORMS.items():
        hits = sum(n for value, n in different.items() if test(value))
        shares[form] = hits / len(values) if values else 0.0
    if stored == "time":
        shares["number"] = 0.0
    if shares["time"] >= 0.5:
        shares["phone"] = 0.0
    return shares


# Forms of single values -----------------------------------------------------------------------------------------------

_CURRENCY = re.compile(r"[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|SEK|NOK|DKK|PLN)\b|[\s\u00a0\u202f'’]|%$")
_PLAIN_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_GROUPED_DOT = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+")
_GROUPED_COMMA = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")


def as_number(text: str) -> float | None:
    """The number that a text writes, whichever way round commas and points are; None where it is no number.

    >>> as_number("1,234.50"), as_number("1.234,50 €"), as_number("(12)"), as_number("12-03"), as_number("5,5")
    (1234.5, 1234.5, -12.0, None, 5.5)
    """
    if _PLAIN_NUMBER.fullmatch(text):
        return float(text)
    if not any(c.isdigit() for c in text):
        return None
    plain = _CURRENCY.sub("", text)
    if plain.startswith("(") and plain.endswith(")"):
        plain = "-" + plain[1:-1]
    elif plain.endswith("-"):
        plain = "-" + plain[:-1]
    if "," in plain:
        if "." in plain:
            thousands = "," if plain.rindex(".") > plain.rindex(",") else "."
            plain = plain.replace(thousands, "").replace(",", ".")
        elif _GROUPED_COMMA.fullmatch(plain):
            plain = plain.replace(",", "")
        else:
            plain = plain.replace(",", ".")
    elif plain.count(".") > 1 and _GROUPED_DOT.fullmatch(plain):
        plain = plain.replace(".", "")
    return float(plain) if _PLAIN_NUMBER.fullmatch(plain) else None


_CLOCK = r"(?:[T ,]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[AaPp][Mm])?\s?(?:Z|UTC|[+-]\d{2}:?\d{2})?)?"
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})" + _CLOCK)
_DAY_OR_MONTH_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})" + _CLOCK)
_MONTH = re.compile(r"((?:19|20)\d{2})-(\d{2})")
_COMPACT = re.compile(r"((?:18|19|20)\d{2})(\d{2})(\d{2})(?:T?\d{6}Z?)?")
_MONTH_WORD = re.compile(
    r"(?:\d{1,2}(?:st|nd|rd|th|\.)?[ -][^\W\d_]{3,9}\.?[ ,-]+\d{2,4}|[^\W\d_]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})"
    + _CLOCK
)
_MONTHS = re.compile(
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mrz|mai|okt|dez|fev|avr|jui|aou|ene|abr|ago|dic|mrt|mei|gen|mag|"
    "giu|lug|set|ott|mae|mär|fév|déc|aoû"
)


def is_time(text: str) -> bool:
    """Whether a text writes a date, with or without a time of day.

    >>> [is_time(t) for t in ("2024-02-30", "31.12.2024 10:15", "12/31/24", "20240131", "3 Mar 2024", "12.5", "10:15")]
    [False, True, True, True, True, False, False]
    """
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        return _valid(int(match[1]), int(match[2]), int(match[3]))
    if match := _DAY_OR_MONTH_FIRST.fullmatch(text):
        year = int(match[3]) if len(match[3]) == 4 else 2000 + int(match[3])
        return _valid(year, int(match[2]), int(match[1])) or _valid(year, int(match[1]), int(match[2]))
    if match := _MONTH.fullmatch(text):
        return _valid(int(match[1]), int(match[2]), 1)
    if _MONTH_WORD.fullmatch(text):
        return any(_MONTHS.match(word.lower()) for word in re.findall(r"[^\W\d_]{3,}", text))
    return False


def ambiguous_days(column: ColumnProfile) -> bool:
    """Whether a column's dates are like 01/02/2024, and none of the sample has a number above 12 that would tell."""
    if column.stored != "text":
        return False
    written = [match for value in column.values if (match := _DAY_OR_MONTH_FIRST.fullmatch(value))]
    slashed = [match for match in written if "." not in match[0][:6]]
    return bool(slashed) and all(int(match[1]) <= 12 and int(match[2]) <= 12 for match in slashed)


def _valid(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[A-Za-z]{2,}")
_PHONE = re.compile(r"(?:\+|00|\(?0)[\d\s().\-/]{6,18}\d|\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}(?:\s?x\d+)?")
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_IP = re.compile(
    r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)|(?:[0-9a-f]{0,4}:){4,7}[0-9a-f]{1,4}"
)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_CARD = re.compile(r"\d{13,19}")


def is_card(text: str) -> bool:
    """Whether a text is a payment card number: 13 to 19 digits that pass the Luhn check (ISO/IEC 7812-1).

    >>> is_card("4111 1111 1111 1111"), is_card("4111 1111 1111 1112")
    (True, False)
    """
    digits = text.replace(" ", "").replace("-", "")
    if not _CARD.fullmatch(digits):
        return False
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether a text is a bank account number that passes the check of ISO 13616 (modulo 97).

    >>> is_iban("DE89 3704 0044 0532 0130 00"), is_iban("DE88 3704 0044 0532 0130 00")
    (True, False)
    """
    plain = text.replace(" ", "").upper()
    if not _IBAN.fullmatch(plain):
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def contains_email(text: str) -> bool:
    """Whether an e-mail address stands somewhere in a text."""
    return "@" in text and _EMAIL.search(text) is not None


_FORMS: dict[Form, Callable[[str], bool]] = {
    "number": lambda text: as_number(text) is not None,
    "time": is_time,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "phone": lambda text: _PHONE.fullmatch(text) is not None and sum(c.isdigit() for c in text) >= 7,
    "url": lambda text: _URL.fullmatch(text) is not None,
    "ip": lambda text: _IP.fullmatch(text.lower()) is not None,
    "iban": is_iban,
    "card": is_card,
}


def same_meaning(one: ColumnProfile, other: ColumnProfile) -> bool:
    """Whether two columns of few values say the same: each value of one goes with one value of the other."""
    if one.distinct != other.distinct or not 2 <= one.distinct <= _LEVELS or len(one.sample) < 30:
        return False
    pairs = set(zip(one.sample, other.sample, strict=True))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) > 1


def looks_like_a_record(names: Sequence[str]) -> bool:
    """Whether the column names are the values of a record: the file has no header line."""
    plain = [re.sub(r"_\d+$", "", name.strip()) for name in names]
    values = sum(1 for n in plain if as_number(n) is not None or is_time(n))
    return any(_EMAIL.fullmatch(n) for n in plain) or values >= max(2, len(plain) // 3)
