"""A change tried before it is made: who would move between segments, and how much money with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.segmentation import Segmentation, keys_of

OUTSIDE_POPULATION = "(not in the population)"


@dataclass(frozen=True)
class Move:
    """Units that would go from one segment to another, and their summed value; None without a value trait."""

    before: str
    after: str
    customers: int
    value: float | None


@dataclass(frozen=True)
class Trial:
    """What a fit would change. Nothing of it has been written.

    ``moves`` has a row per pair of segments, those who stay included; empty ``moves`` before the first assign.
    """

    segmentation: Segmentation
    version_now: int | None
    moves: tuple[Move, ...]
    value_trait: str | None
    settings: tuple[str, ...] = ()  # how the config differs from that of the version in force

    @property
    def names(self) -> tuple[str, ...]:
        """All segments before or after, those of the new version first."""
        return tuple(
            dict.fromkeys(
                [*self.segmentation.names, *(m.after for m in self.moves), *(m.before for m in self.moves)],
            )
        )

    def change(self, name: str) -> tuple[int, int, int, float]:
        """Of a segment: members now, units that would come, units that would go, value that would come less gone."""
        now = sum(m.customers for m in self.moves if m.before == name)
        come = [m for m in self.moves if m.after == name and m.before != name]
        go = [m for m in self.moves if m.before == name and m.after != name]
        value = sum(m.value or 0.0 for m in come) - sum(m.value or 0.0 for m in go)
        return now, sum(m.customers for m in come), sum(m.customers for m in go), value

    @property
    def moved(self) -> int:
        """Units whose segment would change."""
        return sum(m.customers for m in self.moves if m.before != m.after)


def moves(
    before: ir.Table, after: ir.Table, traits: ir.Table, value_trait: str | None, largest: Mapping[str, float | None]
) -> list[Move]:
    """Count the units by segment before and after, and add up their value, in the engine.

    ``before`` and ``after`` have the key of the units and ``segment``; ``traits`` one row per unit.
    """
    key = keys_of(traits)[0]
    old = before.select(key, was=before["segment"])
    new = after.select(key, becomes=after["segment"])
    units = traits.select(key, **({"worth": traits[value_trait].cast("float64")} if value_trait else {}))
    beside = units.left_join(old, key).drop(f"{key}_right").left_join(new, key).drop(f"{key}_right")
    beside = beside.filter(beside["was"].notnull() | beside["becomes"].notnull())
    named = beside.mutate(**{c: beside[c].fill_null(OUTSIDE_POPULATION) for c in ("was", "becomes")})
    total = engine.exact_sum(named["worth"], largest[value_trait]) if value_trait else ibis.null("float64")
    rows = named.group_by("was", "becomes").agg(customers=named.count(), value=total).order_by(["was", "becomes"])
    return [Move(r["was"], r["becomes"], r["customers"], r["value"]) for r in rows.to_pyarrow().to_pylist()]


def settings_changed(before: Mapping[str, object] | None, after: Mapping[str, object]) -> tuple[str, ...]:
    """The keys of a segmentation's config that differ, each as a line.

    >>> settings_changed({"segments": 3, "owner": ""}, {"segments": "auto", "owner": ""})
    ('segments: 3 -> auto',)
    """
    if before is None:
        return ()
    lines: list[str] = []
    for key in sorted({*before, *after}):
        was, becomes = before.get(key), after.get(key)
        if was == becomes:
            continue
        if (named := (_by_name(was), _by_name(becomes))) != ({}, {}):
            lines += _entries_changed(key, *named)
        else:
            lines.append(f"{key}: {_told(was)} -> {_told(becomes)}")
    return tuple(lines)


_Entries = dict[str, Mapping[str, object]]


def _by_name(value: object) -> _Entries:
    """The entries of a list such as the segments of a rule, by their names; empty for whatever else."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        return {}
    entries = [entry for entry in value if isinstance(entry, Mapping) and "name" in entry]
    return {str(entry["name"]): entry for entry in entries} if len(entries) == len(value) else {}


def _entries_changed(key: str, before: _Entries, after: _Entries) -> list[str]:
    """Only what differs of two lists of named entries, a line each: of twenty rules one may have changed."""
    gone, come = [n for n in before if n not in after], [n for n in after if n not in before]
    renamed = {
        old: new
        for old in gone
        for new in come
        if {**before[old], "name": ""} == {**after[new], "name": ""}
        and list(before).index(old) == list(after).index(new)
    }
    lines = [f"{key}: {old} is now called {new}" for old, new in renamed.items()]
    lines += [f"{key}: without {name}" for name in gone if name not in renamed]
    lines += [f"{key}: new {name} ({_said(after[name])})" for name in come if name not in renamed.values()]
    for name in before:
        if name in after:
            lines += [f"{key}.{name}.{line}" for line in settings_changed(before[name], after[name])]
    order = [name for name in before if name in after]
    if order != (now := [name for name in after if name in before]):
        lines.append(f"{key}: in the order {', '.join(order)} -> {', '.join(now)}")
    return lines


def _said(entry: Mapping[str, object]) -> str:
    return ", ".join(f"{k} {_told(v)}" for k, v in entry.items() if k != "name" and v not in (None, "", []))


def _told(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_told, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_told(v)}" for k, v in value.items()) or "none"
    return "none" if value in (None, "") else str(value)
