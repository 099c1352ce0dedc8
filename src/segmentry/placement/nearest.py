"""Nearest: the closest of some centres."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.placement.prep import PAST, Prep, moves_along, within
from segmentry.placement.reasons import Move, Reason, Why, by_score, figure, is_known, no_value, not_known, words
from segmentry.placement.rule import NO_DATA, NO_GOOD_FIT, TIE, Rule, add, exact, number, placements, ranked


def closest(
    scored: ir.Table, keys: Sequence[str], typical: Sequence[float], limit: Sequence[float], *, traits: int
) -> ir.Table:
    """The placements by squared distances ``d0``, ``d1`` ... and the number of the ``traits`` that are ``known``.

    ``typical`` and ``limit`` are distances per segment, see :class:`Nearest`.
    """
    ks = range(len(typical))
    second = ranked(scored, [f"d{k}" for k in ks])
    near, far = second["best"].sqrt(), second["next"].sqrt()
    median = ibis.cases(*((second["first"] == k, exact(typical[k])) for k in ks))
    most = ibis.cases(*((second["first"] == k, exact(limit[k])) for k in ks))
    unknown = second["known"] * 2 < traits
    return placements(
        second,
        keys,
        index=ibis.cases((unknown, NO_DATA), (near > most, NO_GOOD_FIT), else_=second["first"]),
        fit=engine.ratio(median, median + near).fill_null(1.0),
        runner=second["runner"],
        margin=engine.ratio(far - near, far).fill_null(0.0) if len(ks) > 1 else ibis.null("float64"),
        score=ibis.null("string"),
    )


def steps_between(
    prep: Sequence[Prep], own: Sequence[float], other: Sequence[float], gap: float
) -> Iterator[tuple[int, float]]:
    """How far along each prepared number the squared distances from two centres become equal: ``gap``, which is that
    from the other less that from the own, is linear in each."""
    for j, (c, d) in enumerate(zip(own, other, strict=False)):
        if prep[j].level is None and abs(c - d) * 2 >= TIE:
            yield j, -gap / (2 * (c - d))


@dataclass(frozen=True)
class Nearest(Rule):
    """The closest of some centres, by Euclidean distance over prepared numbers.

    ``typical`` is the median distance of a segment's own members when it was fitted: the fit is typical / (typical +
    distance), so 0.5 is a typical member. Beyond ``limit`` there is no good fit. The margin is how much farther the
    runner-up is, as a share of its distance. A customer of whom less than half of the traits are known has no data.
    """

    prep: tuple[Prep, ...]
    centres: tuple[tuple[float, ...], ...]
    typical: tuple[float, ...]
    limit: tuple[float, ...]

    @property
    def traits(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(p.trait for p in self.prep))

    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        level = {p.trait for p in self.prep if p.level is not None}
        values = [traits[name] if name in level else number(traits[name]) for name in self.traits]
        known = add([value.notnull().ifelse(1, 0) for value in values])
        return traits.select(*keys, known=known, **{f"z{j}": p.of(traits) for j, p in enumerate(self.prep)})

    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        distances = {}
        for k, centre in enumerate(self.centres):
            gaps = [prepared[f"z{j}"] - exact(c) for j, c in enumerate(centre)]
            distances[f"d{k}"] = add([gap * gap for gap in gaps])
        return prepared.select(*keys, "known", **distances)

    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        return closest(scored, keys, self.typical, self.limit, traits=len(self.traits))

    def why(self, row: Mapping[str, Any], index: int) -> Why:
        if index == NO_DATA:
            return not_known(row, self.traits)
        z = [p.of_value(row.get(p.trait)) for p in self.prep]
        apart = [[(a - c) ** 2 for a, c in zip(z, centre, strict=True)] for centre in self.centres]
        return by_score(
            [sum(parts) for parts in apart],
            None if index == NO_GOOD_FIT else index,
            pull=lambda own, other: [d - c for c, d in zip(apart[own], apart[other], strict=True)],
            reason=lambda j, weight, own: self._reason(j, row, weight, own),
            moves=lambda own, other: self._moves(row, z, own, other),
        )

    def _reason(self, j: int, row: Mapping[str, Any], weight: float, own: int) -> Reason:
        prep = self.prep[j]
        value = row.get(prep.trait)
        centre = prep.back(self.centres[own][j])
        if prep.level is not None:
            text = (
                f"{words(prep.trait)} is {value}; {100 * min(max(centre, 0), 1):.0f} % of the segment are {prep.level}"
            )
        elif value is None or not is_known(value):
            return replace(no_value(prep.trait, value, f"counted as {figure(prep.fill)}"), weight=weight)
        else:
            text = f"{words(prep.trait)} is {figure(float(value))}; the segment's centre is {figure(centre)}"
        return Reason(prep.trait, value, text, weight)

    def _moves(self, row: Mapping[str, Any], z: Sequence[float], own: int, other: int) -> list[Move]:
        """The changes of single numbers that make ``other`` as close as ``own``."""
        gap = sum(
            (a - d) ** 2 - (a - c) ** 2 for a, c, d in zip(z, self.centres[own], self.centres[other], strict=True)
        )
        steps = {
            j: step
            for j, step in steps_between(self.prep, self.centres[own], self.centres[other], gap)
            if within(self.prep[j], z[j] + step) and self._lands(z, j, z[j] + step * PAST, other)
        }
        return moves_along(row, self.prep, z, steps, other)

    def _lands(self, z: Sequence[float], j: int, value: float, other: int) -> bool:
        there = [value if i == j else a for i, a in enumerate(z)]
        gaps = [sum((a - c) ** 2 for a, c in zip(there, centre, strict=True)) for centre in self.centres]
        return min(range(len(gaps)), key=lambda k: gaps[k]) == other

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Nearest:
        return cls(
            tuple(Prep(**p) for p in body["prep"]),
            tuple(tuple(c) for c in body["centres"]),
            tuple(body["typical"]),
            tuple(body["limit"]),
        )
