"""Sentences that say a number: one record is, two records are."""

from __future__ import annotations

import re

_CHOICE = re.compile(r"\[([^|\]]*)\|([^|\]]*)\]")


def agree(number: int, text: str) -> str:
    """The text with the number for ``{n}``, and of each ``[one|many]`` what goes with it.

    >>> agree(1, "{n} [record is|records are] in quarantine"), agree(1234, "{n} [line|lines]")
    ('1 record is in quarantine', '1,234 lines')
    """
    chosen = _CHOICE.sub(lambda m: m[1] if number == 1 else m[2], text)
    return chosen.replace("{n}", f"{number:,}")
