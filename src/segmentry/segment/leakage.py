"""Which traits would give a behaviour away, because they are made from what it is made from.

A trait that the rule of a behaviour reads defines it. One that is computed from the same facts over the same time says
it in other words: whoever has orders in the last year spent in the last year. Neither tells who will behave so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from segmentry.catalogue import Trait

# Tables of which every row is a deed: traits made of the same table look at the same deeds. Answers are no deeds (one
# question does not give away another), and of what is known about a customer only the same column is the same thing.
_DEEDS = ("transactions", "events", "costs", "opportunities")
EXCEPTED = "segmentry.yaml excepts it"  # why a trait that an objective excepts may not tell
_WINDOW = re.compile(r"_(\d+)d(?:_|$)")


@dataclass(frozen=True)
class Leak:
    """A trait that may not tell a behaviour, and why."""

    trait: str
    why: str


def leaks(
    read: Collection[Trait],
    specs: Mapping[str, Trait],
    *,
    horizon: int | None = None,
    windows: Mapping[str, int] | None = None,
) -> dict[str, Leak]:
    """The traits among ``specs`` that would give away a rule that reads the traits ``read``, by name.

    With a ``horizon`` (days) the traits are those of so long ago. Then only a behaviour that looks back further than
    the horizon, or at all time, shares facts with them. ``windows`` are days that declared traits look back; of others
    the name says it (orders_365d).
    """
    found: dict[str, Leak] = {}
    for name in specs:
        for defining in read:
            why = _why(specs[name], defining, horizon, windows or {})
            if why:
                found.setdefault(name, Leak(name, why))
    return found


def parted(
    chosen: Sequence[Trait],
    read: Collection[Trait],
    specs: Mapping[str, Trait],
    excepted: Collection[str],
    *,
    trusted: Collection[str] = (),
    horizon: int | None = None,
    windows: Mapping[str, int] | None = None,
) -> tuple[list[Trait], tuple[Leak, ...]]:
    """The traits chosen that may tell a behaviour, and those that may not: leaks, but for those ``trusted``, and those
    ``excepted``. The others are as :func:`leaks` takes them.
    """
    found = leaks(read, specs, horizon=horizon, windows=windows)
    gone = {name: Leak(name, EXCEPTED) for name in excepted}
    gone |= {name: leak for name, leak in found.items() if name not in trusted}
    return [t for t in chosen if t.name not in gone], tuple(gone[t.name] for t in chosen if t.name in gone)


def _why(trait: Trait, defining: Trait, horizon: int | None, windows: Mapping[str, int]) -> str:
    span = windows.get(defining.name) or _named_days(defining.name)
    if horizon is not None and span is not None and span <= horizon:
        return ""  # what happened before the horizon has no part in the behaviour
    if trait.name == defining.name:
        return "the behaviour is defined by it"
    mine, its = _sources(trait), _sources(defining)
    deeds = sorted({table for table, _ in mine} & {table for table, _ in its} & set(_DEEDS))
    if deeds:
        return f"it is made of the same {deeds[0]} as {defining.name}"
    columns = sorted(f"{table}.{column}" for table, column in mine & its if table != "responses")
    return f"it is made of {columns[0]}, as {defining.name} is" if columns else ""


def _sources(trait: Trait) -> set[tuple[str, str]]:
    pairs = (one.partition(".") for need in trait.needs for one in need.split(" or "))
    return {(table, column) for table, _, column in pairs}


def _named_days(name: str) -> int | None:
    found = _WINDOW.search(name)
    return int(found[1]) if found else None
