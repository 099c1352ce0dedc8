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
    return tuple(
        f"{key}: {_told(before.get(key))} -> {_told(after.get(key))}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    )


def _told(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_told, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_told(v)}" for k, v in value.items()) or "none"
    return "none" if value in (None, "") else str(value)
