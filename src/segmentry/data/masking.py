"""How a value looks that may be shown: its form without its content, where it is personal."""

from __future__ import annotations

import re

from segmentry.tables import Pii, Type

_LONGEST_EXAMPLE = 60


def mask(value: str | None, pii: Pii, kind: Type = Type.TEXT) -> str | None:
    """A value that may be shown: its letters and digits are hidden where it is personal, its form is not.

    Only numbers are shown that are no direct identifier: a check shows what no person has, such as an age of 126.

    >>> mask("ada@home.example", Pii.DIRECT), mask("N1 9GU", Pii.QUASI), mask("666666.0", Pii.SENSITIVE, Type.MONEY)
    ('xxx@xxxx.xxxxxxx', 'X9 9XX', '666666')
    """
    if value is None:
        return None
    short = value if len(value) <= _LONGEST_EXAMPLE else value[: _LONGEST_EXAMPLE - 1] + "…"
    number = kind in (Type.NUMBER, Type.MONEY, Type.INTEGER)
    if pii is Pii.NONE or (number and pii is not Pii.DIRECT):
        return short.removesuffix(".0") if number else short
    return re.sub(r"[^\W\d_]", lambda m: "X" if m[0].isupper() else "x", re.sub(r"\d", "9", short))
