"""Crossing: where two rules place a customer gives a cell, cells give segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import ibis
import ibis.expr.types as ir

from segmentry.placement.reasons import Reason, Why
from segmentry.placement.rule import FAR, NO_DATA, NO_GOOD_FIT, TIE, Rule, looked_up, one_row, placements

_PLACED = ("segment_index", "fit", "runner_up_index", "margin")
_NO_MARGIN = FAR / 10  # a runner-up that its rule gives no way to: after all that have one


@dataclass(frozen=True)
class Crossing(Rule):
    """Two rules; ``cells`` gives the segment of every pair of their segments, the second running fastest.

    Who has no data for one of them has none here, else who fits nowhere in one fits nowhere here. The fit is the lower
    of the two. The runner-up is where the nearer of the two runners-up leads, if that is another segment; the margin is
    the way there.
    """

    unseen: ClassVar[str] = "is treated as each of the two parts treats it"

    parts: tuple[Rule, ...]
    sizes: tuple[int, int]  # segments of each part
    cells: tuple[int, ...]
    kinds: tuple[tuple[str, str], ...]  # (trait, kind) of the traits read

    @property
    def traits(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.kinds)

    # The parts work one after the other on the same rows: what the second needs is carried through the first, as a key
    # is. That is one pass; placing by each and joining would be a join of the base with itself. The number in a carried
    # name grows with every crossing within a crossing, so that names never meet.

    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        first, second = self.parts
        carried = {self._carried(keys, i): traits[name] for i, name in enumerate(second.traits)}
        rows = traits.select(*keys, *first.traits, **carried)
        return self._placed_by(0, rows, keys, list(carried))

    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        done = self._columns(keys, 0)
        back = {name: prepared[self._carried(keys, i)] for i, name in enumerate(self.parts[1].traits)}
        return self._placed_by(1, prepared.select(*keys, *done, **back), keys, done)

    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        one, two = self._columns(keys, 0), self._columns(keys, 1)
        a, fit_a, next_a, margin_a = (scored[column] for column in one)
        b, fit_b, next_b, margin_b = (scored[column] for column in two)
        looked = scored.mutate(
            own=self._segment(a, b),
            beside_a=self._segment(next_a, b),
            beside_b=self._segment(a, next_b),
            way_a=margin_a.fill_null(_NO_MARGIN),
            way_b=margin_b.fill_null(_NO_MARGIN),
            lower_fit=ibis.least(fit_a, fit_b),
            no_data=(a == NO_DATA) | (b == NO_DATA),
            no_good_fit=(a == NO_GOOD_FIT) | (b == NO_GOOD_FIT),
        )
        ways = {
            f"gap_{x}": (looked[f"beside_{x}"] != looked["own"]).fill_null(False).ifelse(looked[f"way_{x}"], FAR)
            for x in "ab"
        }
        gaps = looked.mutate(**ways)
        nearer = gaps.mutate(nearest=ibis.least(gaps["gap_a"], gaps["gap_b"]))
        reached = nearer["nearest"] < FAR
        by_a = nearer["gap_a"] <= nearer["nearest"] + TIE
        return placements(
            nearer,
            keys,
            index=ibis.cases((nearer["no_data"], NO_DATA), (nearer["no_good_fit"], NO_GOOD_FIT), else_=nearer["own"]),
            fit=nearer["lower_fit"],
            runner=ibis.cases(
                (reached & by_a, nearer["beside_a"]), (reached, nearer["beside_b"]), else_=ibis.null("int64")
            ),
            margin=(nearer["nearest"] < _NO_MARGIN).ifelse(nearer["nearest"], ibis.null("float64")),
            score=ibis.null("string"),
        )

    def why(self, row: Mapping[str, Any], index: int) -> Why:
        found = [self._placement_of(row, part) for part in (0, 1)]
        whys = [rule.why(row, at) for rule, at in zip(self.parts, found, strict=True)]
        reasons: list[Reason] = []
        for part, why in enumerate(whys):
            if index in (NO_DATA, NO_GOOD_FIT) and found[part] != index:
                continue  # only what is to blame
            halved = [replace(r, weight=None if r.weight is None else r.weight / 2) for r in why.reasons]
            reasons += [r for r in halved if r not in reasons]
        moves = []
        for part, why in enumerate(whys):
            for move in why.moves:
                there = (move.segment_index, found[1]) if part == 0 else (found[0], move.segment_index)
                if min(there) >= 0 and (cell := self.cells[there[0] * self.sizes[1] + there[1]]) != index:
                    moves.append(replace(move, segment_index=cell))
        return Why(tuple(reasons), tuple(moves[:5]))

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Crossing:
        kinds = tuple((str(n), str(k)) for n, k in body["kinds"])
        first, second = body["sizes"]
        return cls(tuple(body["parts"]), (int(first), int(second)), tuple(body["cells"]), kinds)

    def _carried(self, keys: Sequence[str], place: int) -> str:
        return f"carried_{len(keys)}_{place}"

    def _columns(self, keys: Sequence[str], part: int) -> list[str]:
        return [f"{column}_{len(keys)}_{part}" for column in _PLACED]

    def _placed_by(self, part: int, rows: ir.Table, keys: Sequence[str], through: Sequence[str]) -> ir.Table:
        """All steps of one part, its placement under names of its own."""
        rule, carried = self.parts[part], [*keys, *through]
        found = rule.placed(rule.scored(rule.prepared(rows, carried), carried), carried)
        renamed = {new: found[old] for old, new in zip(_PLACED, self._columns(keys, part), strict=True)}
        return found.select(*carried, **renamed)

    def _segment(self, a: ir.Value, b: ir.Value) -> ir.Value:
        inside = (a >= 0) & (b >= 0)
        cell = inside.ifelse(a * self.sizes[1] + b, ibis.null("int64"))
        return looked_up(cell, self.cells)

    def _placement_of(self, row: Mapping[str, Any], part: int) -> int:
        rule = self.parts[part]
        kinds = {name: kind for name, kind in self.kinds if name in rule.traits}
        found = rule.placed(rule.scored(rule.prepared(one_row(row, kinds), []), []), [])
        return int(found.to_pyarrow()["segment_index"][0].as_py())
