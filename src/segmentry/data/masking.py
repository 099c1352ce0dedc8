"""How a value is shown to people who did not ask for personal data: the only place that decides it.

A masked value still tells whether a column was read right (an e-mail address stays one in shape, a date keeps its
year), and nobody is found by it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from segmentry.columns import Pii, Type
from segmentry.data.personal_values import contains_phone, is_full_name
from segmentry.data.profiling import contains_email

HIDDEN = "•••"
_LONGEST_EXAMPLE = 60
Classes = Mapping[str, tuple[Pii, Type]]


def masked(value: object, pii: Pii, kind: Type) -> object:
    """A value as it may be shown; what is not personal, and what is not known, stays as it is.

    A customer's own id stays readable where it is a code: it means nothing outside the company, and every look-up
    needs it. An id that is an e-mail address, a phone number or a name is masked as one.

    >>> masked("emma@mail.example", Pii.DIRECT, Type.TEXT), masked("+44 20 7946 0018", Pii.DIRECT, Type.TEXT)
    ('e•••@•••', '•••18')
    >>> masked("C-1042", Pii.DIRECT, Type.ID), masked("emma@mail.example", Pii.DIRECT, Type.ID)
    ('C-1042', 'e•••@•••')
    >>> masked(date(1984, 5, 12), Pii.QUASI, Type.DATE), masked("SW1A 1AA", Pii.QUASI, Type.TEXT)
    ('1984-••-••', 'S•••')
    >>> masked(41_250.0, Pii.SENSITIVE, Type.MONEY), masked(None, Pii.DIRECT, Type.TEXT), masked(3, Pii.NONE, Type.TEXT)
    ('•••', None, 3)
    """
    if value is None or pii is Pii.NONE:
        return value
    if pii is Pii.SENSITIVE:
        return HIDDEN
    if kind is Type.ID and _is_code(str(value)):
        return value
    if isinstance(value, date | datetime):
        return f"{value.year}-••-••"
    if pii is Pii.QUASI and isinstance(value, int | float):
        return HIDDEN
    return HIDDEN if pii is Pii.QUASI and kind is Type.CATEGORY else _hinted(str(value))


def _is_code(text: str) -> bool:
    return re.fullmatch(r"(?!\+|00\d{6})[\w./:#-]*\d[\w./:#-]*", text) is not None


def _hinted(text: str) -> str:
    """What kind of value it was: the first letter, the @, or the last two digits of a number."""
    if contains_email(text):
        return f"{text[0]}{HIDDEN}@{HIDDEN}"
    if sum(c.isdigit() for c in text) > len(text) / 2:
        return f"{HIDDEN}{''.join(c for c in text if c.isdigit())[-2:]}" if len(text) > 6 else HIDDEN
    return f"{text[:1]}{HIDDEN}"


def shape_of(value: str | None, pii: Pii, kind: Type) -> str | None:
    """An example of a wrong value: its letters and digits are hidden where it is personal, its form is not.

    Only numbers are shown that are no direct identifier: what is wrong with them is their size, as with an age of 126.

    >>> shape_of("ada@home.example", Pii.DIRECT, Type.TEXT), shape_of("N1 9GU", Pii.QUASI, Type.TEXT)
    ('xxx@xxxx.xxxxxxx', 'X9 9XX')
    >>> shape_of("666666.0", Pii.SENSITIVE, Type.MONEY)
    '666666'
    """
    if value is None:
        return None
    short = value if len(value) <= _LONGEST_EXAMPLE else value[: _LONGEST_EXAMPLE - 1] + "…"
    number = kind in (Type.NUMBER, Type.MONEY, Type.INTEGER)
    if pii is Pii.NONE or (number and pii is not Pii.DIRECT):
        return short.removesuffix(".0") if number else short
    return re.sub(r"[^\W\d_]", lambda m: "X" if m[0].isupper() else "x", re.sub(r"\d", "9", short))


def masked_rows(rows: Sequence[Mapping[str, Any]], classes: Classes) -> list[dict[str, Any]]:
    """Rows with every personal value masked; a column that nobody classed is not personal."""
    plain = (Pii.NONE, Type.TEXT)
    return [{name: masked(value, *classes.get(name, plain)) for name, value in row.items()} for row in rows]


def masked_record(record: str, shown: Mapping[str, Pii]) -> str:
    """A raw record as JSON with its personal values masked; what is no JSON object is hidden whole.

    ``shown`` classes the columns of the file that are known; a column that nobody classed is hidden, as it may hold
    anything.

    >>> masked_record('{"who": "Emma Brown", "amount": "12,x", "memo": "?"}', {"who": Pii.DIRECT, "amount": Pii.NONE})
    '{"who": "E•••", "amount": "12,x", "memo": "•••"}'
    >>> masked_record("Emma;Brown;12", {})
    '•••'
    """
    try:
        found = json.loads(record)
    except ValueError:
        return HIDDEN
    if not isinstance(found, dict):
        return HIDDEN
    values = {name: _field(value, shown.get(name)) for name, value in found.items()}
    return json.dumps(values, ensure_ascii=False, default=str)


def _field(value: object, pii: Pii | None) -> object:
    """A value of a raw record: one that is in the wrong column is personal wherever it stands."""
    if value is None or pii is None:
        return HIDDEN if value is not None else None
    astray = isinstance(value, str) and (contains_email(value) or contains_phone(value) or is_full_name(value))
    return _hinted(str(value)) if astray and pii is Pii.NONE else masked(value, pii, Type.TEXT)
