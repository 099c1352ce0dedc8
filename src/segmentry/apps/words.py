"""Numbers and dates as people read them: ``12.4k``, ``£3.2m``, ``26 %``; each short form has an exact one.

The command line, the report and the web app all use these, so that a number looks the same wherever it is shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date

UNKNOWN = "–"
# Only symbols that name one currency where they are used; every other code is written out: CHF 12.4k.
SYMBOLS = {
    "GBP": "£",
    "EUR": "€",
    "USD": "$",
    "JPY": "¥",
    "INR": "₹",
    "KRW": "₩",
    "PLN": "zł",
    "ILS": "₪",
    "NGN": "₦",
    "TRY": "₺",
    "UAH": "₴",
    "VND": "₫",
    "AUD": "A$",
    "BRL": "R$",
    "CAD": "C$",
    "HKD": "HK$",
    "NZD": "NZ$",
    "SGD": "S$",
}
_SCALES = ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e3, "k"))
_WRITTEN_OUT = 10_000  # up to here a whole number is as easily read in full: 4,372
# not strftime: its month names depend on the locale of the process
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SINGULAR = {"people": "person"}


def compact(value: float) -> str:
    """A number in at most four characters and a scale.

    >>> compact(12_400), compact(999_600), compact(3_210_000), compact(-1_500)
    ('12.4k', '1m', '3.2m', '-1.5k')
    >>> compact(4), compact(4.04), compact(48.7), compact(0.123), compact(0)
    ('4', '4.0', '48.7', '0.12', '0')
    """
    size = abs(value)
    if size < 999.5:
        return _few(value)
    # 999,600 is 1m, not 1000k
    scale, letter = next(((s, letter) for s, letter in _SCALES if size >= s * 0.9995), _SCALES[-1])
    return f"{_one_decimal(value / scale)}{letter}"


def _few(value: float) -> str:
    """Up to 1,000: three digits, fewer where they say nothing."""
    size = abs(value)
    if value == int(value):
        return str(int(value))
    if size >= 99.95:
        return f"{value:.0f}"
    if size >= 0.995:
        return f"{value:.1f}"
    return f"{value:.2g}" if size >= 1e-4 else "0.0"


def _one_decimal(value: float) -> str:
    text = f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.1f}"
    return text.removesuffix(".0")


def exact(value: float) -> str:
    """A number in full, with thousands separated; at most two decimals, or four digits below one.

    >>> exact(12_400), exact(1234.5), exact(0.12345), exact(4.0)
    ('12,400', '1,234.50', '0.1235', '4')
    """
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}"


def count(number: int | None) -> str:
    """A number of things: in full up to 10,000, then short.

    >>> count(4372), count(12_400), count(None)
    ('4,372', '12.4k', '–')
    """
    if number is None:
        return UNKNOWN
    return f"{number:,}" if abs(number) < _WRITTEN_OUT else compact(number)


def counted(number: int, thing: str) -> str:
    """A number with its thing in singular or plural; ``thing`` is the plural.

    >>> counted(1, "customers"), counted(4372, "customers")
    ('1 customer', '4,372 customers')
    """
    return f"{count(number)} {singular(thing) if number == 1 else thing}"


def singular(thing: str) -> str:
    """One of many: enough for the units that traits have.

    >>> singular("customers"), singular("people"), singular("identities"), singular("traits")
    ('customer', 'person', 'identity', 'trait')
    """
    if thing.endswith("ies"):
        return f"{thing[:-3]}y"
    return _SINGULAR.get(thing) or (thing[:-1] if thing.endswith("s") and not thing.endswith("ss") else thing)


def signed(number: int | None) -> str:
    """A change: its sign is always there.

    >>> signed(12), signed(-40), signed(0), signed(None)
    ('+12', '-40', '0', '–')
    """
    if number is None:
        return UNKNOWN
    return f"+{count(number)}" if number > 0 else count(number)


def money(value: float | None, currency: str = "") -> str:
    """An amount with the symbol of its currency (ISO 4217 code), short from 10,000 on.

    >>> money(3_200_000, "GBP"), money(4372.4, "EUR"), money(12.5, "USD"), money(-12_400, "CHF"), money(99, "")
    ('£3.2m', '€4,372', '$12.50', '-CHF 12.4k', '99.00')
    """
    if value is None:
        return UNKNOWN
    size = abs(value)
    if size == 0:
        return _priced(0, "0", currency)
    text = compact(size) if round(size) >= _WRITTEN_OUT else f"{size:,.0f}" if size >= 99.995 else f"{size:,.2f}"
    return _priced(value, text, currency)


def exact_money(value: float | None, currency: str = "") -> str:
    """An amount to the penny.

    >>> exact_money(3_200_000, "GBP"), exact_money(-0.5, "")
    ('£3,200,000.00', '-0.50')
    """
    return UNKNOWN if value is None else _priced(value, f"{abs(value):,.2f}", currency)


def _priced(value: float, text: str, currency: str) -> str:
    code = currency.upper()
    symbol = SYMBOLS.get(code, f"{code} " if code else "")
    minus = "-" if value < 0 and text.strip("0.,") else ""
    return f"{minus}{symbol}{text}"


def share(part: float | None) -> str:
    """A share of one as a percentage; the last one in a hundred is never rounded away.

    >>> share(0.26), share(0.056), share(0.0004), share(0.9997), share(1), share(0), share(None)
    ('26 %', '5.6 %', '<0.1 %', '>99.9 %', '100 %', '0 %', '–')
    """
    if part is None:
        return UNKNOWN
    percent = abs(part) * 100
    minus = "-" if part < 0 else ""
    if percent in (0, 100):
        return f"{minus}{percent:.0f} %"
    if percent < 0.05:
        return f"{minus}<0.1 %" if not minus else "0 %"
    if percent < 9.95 or 99 < percent < 100:
        text = f"{percent:.1f}".removesuffix(".0")
        return ">99.9 %" if text == "100" else f"{minus}{text} %"
    return f"{minus}{percent:.0f} %"


def tenths(part: float | None) -> str:
    """A share of one to a tenth of a per cent, for tables that have to add up.

    >>> tenths(0.14851), tenths(-0.0487), tenths(None)
    ('14.9 %', '-4.9 %', '–')
    """
    return UNKNOWN if part is None else f"{100 * part:.1f} %"


def is_money(unit: str) -> bool:
    """Whether a trait's unit is the workspace currency (``currency``, ``currency a year``)."""
    return unit == "currency" or unit.startswith("currency ")


def is_share(unit: str) -> bool:
    """Whether a trait's numbers are shares of one."""
    return unit == "share"


def is_range(unit: str) -> bool:
    """Whether a trait is a score between two ends, which are its unit: ``0 to 1``, ``-5 to 5``."""
    return _RANGE.fullmatch(unit) is not None


_RANGE = re.compile(r"-?[0-9.]+ to -?[0-9.]+")


def figure(value: float | None, unit: str = "", currency: str = "") -> str:
    """A trait's value with its unit.

    >>> figure(12.4, "orders"), figure(1, "days"), figure(310_000, "currency", "GBP"), figure(0.62, "share")
    ('12.4 orders', '1 day', '£310k', '62 %')
    >>> figure(48_000, "currency a year", "EUR"), figure(1987.2, "year"), figure(0.8312, "0 to 1")
    ('€48k a year', '1987', '0.83')
    >>> figure(1003.4, "days"), figure(None, "days"), figure(-2.71, "-5 to 5")
    ('1,003 days', '–', '-2.7')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if is_money(unit):
        return money(value, currency) + unit.removeprefix("currency")
    if is_share(unit):
        return share(value)
    if unit == "year":
        return f"{value:.0f}"
    if is_range(unit):
        return f"{value:.2f}" if unit == "0 to 1" else compact(value)
    text = count(round(value)) if value == int(value) or abs(value) >= 999.5 else compact(value)
    return _with_unit(text, unit, one=value == 1)


def exact_figure(value: float | None, unit: str = "", currency: str = "") -> str:
    """A trait's value in full, for tooltips.

    >>> exact_figure(12_400.25, "orders"), exact_figure(310_000, "currency", "GBP"), exact_figure(0.0612, "share")
    ('12,400.25 orders', '£310,000.00', '6.12 %')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if is_money(unit):
        return exact_money(value, currency) + unit.removeprefix("currency")
    if is_share(unit):
        return f"{value * 100:.2f} %"
    return _with_unit(exact(value), "" if unit == "year" or is_range(unit) else unit, one=value == 1)


def _with_unit(text: str, unit: str, *, one: bool) -> str:
    if not unit:
        return text
    return f"{text} {singular(unit) if one else unit}"


_SPELLED = {word.lower(): word for word in ("RFM", "CLV", "CRM", "B2B", "B2C", "VIP", "UK", "USA", "EU")}
_SPELLED |= {"kmeans": "k-means", "kprototypes": "k-prototypes"}


def spoken(name: str) -> str:
    """A name of the config or the code for people.

    >>> spoken("rfm"), spoken("value_tiers"), spoken("kmeans")
    ('RFM', 'value tiers', 'k-means')
    """
    return " ".join(_SPELLED.get(word, word) for word in name.split("_"))


def sentence(text: str) -> str:
    """Text that begins with a capital letter, whatever follows.

    >>> sentence("frequent buyers of UK")
    'Frequent buyers of UK'
    """
    return text[:1].upper() + text[1:]


def when(day: date | None) -> str:
    """A date in words.

    >>> when(date(2026, 6, 30)), when(None)
    ('30 June 2026', '–')
    """
    return UNKNOWN if day is None else f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def listing(items: Sequence[str]) -> str:
    """Several things in one sentence.

    >>> listing(["A"]), listing(["A", "B"]), listing(["A", "B", "C"])
    ('A', 'A and B', 'A, B and C')
    """
    return " and ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)
