"""Grid: cut points give a cell, cells give segments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.placement.reasons import Move, Reason, Why, figure, not_known, words
from segmentry.placement.rule import FAR, NO_DATA, TIE, Rule, add, exact, looked_up, number, placements

_WAYS = ("up", "down")


@dataclass(frozen=True)
class Band:
    """A trait cut into bands: a value on a cut belongs to the upper band.

    ``scores`` has one more entry than ``cuts``: the score of each band, from the lowest values up. ``low`` and ``high``
    are the ends that the outer bands are measured by.
    """

    label: str
    trait: str
    cuts: tuple[float, ...]
    scores: tuple[int, ...]
    low: float
    high: float

    def edges(self) -> tuple[tuple[float, float], ...]:
        """Lower and upper end of every band."""
        return tuple(pairwise((min(self.low, *self.cuts, self.low), *self.cuts, max(self.high, *self.cuts, self.high))))

    def position(self, value: float) -> int:
        return sum(value >= cut for cut in self.cuts)


@dataclass(frozen=True)
class Grid(Rule):
    """Bands of one or more traits; ``cells`` gives the segment of every combination, the last band running fastest.

    The fit is always 1; the runner-up is the segment across the nearest cut point, and the margin is the way to it as a
    share of the width of the customer's band (0 on the border, at most 1).
    """

    bands: tuple[Band, ...]
    cells: tuple[int, ...]

    @property
    def traits(self) -> tuple[str, ...]:
        return tuple(band.trait for band in self.bands)

    def strides(self) -> tuple[int, ...]:
        """How far apart in ``cells`` neighbours along each band are."""
        sizes = [len(band.cuts) + 1 for band in self.bands]
        return tuple(math.prod(sizes[i + 1 :]) for i in range(len(sizes)))

    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        columns: dict[str, ir.Value] = {}
        for i, band in enumerate(self.bands):
            value = number(traits[band.trait])
            columns[f"value_{i}"] = value
            columns[f"band_{i}"] = ibis.cases(
                *((value < cut, j) for j, cut in enumerate(band.cuts)), (value.notnull(), len(band.cuts))
            ).cast("int64")
        return traits.select(*keys, **columns)

    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        cell = add([prepared[f"band_{i}"] * stride for i, stride in enumerate(self.strides())])
        columns: dict[str, ir.Value] = {"cell": cell, "score": self._score(prepared)}
        for i, band in enumerate(self.bands):
            at, value = prepared[f"band_{i}"], prepared[f"value_{i}"]
            edges = band.edges()
            for way in _WAYS:
                cases = []
                for j, (low, high) in enumerate(edges):
                    beyond = j == len(edges) - 1 if way == "up" else j == 0
                    if not beyond:
                        gap = (exact(high) - value) if way == "up" else (value - exact(low))
                        # 1e-12: a band of one single value has no width
                        width = exact(max(high - low, 1e-12))
                        cases.append((at == j, ibis.least(ibis.greatest(gap / width, 0.0), 1.0)))
                columns[f"{way}_{i}"] = ibis.cases(*cases, else_=FAR) if cases else ibis.literal(FAR)
        return prepared.select(*keys, **columns)

    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        signed = [(f"{way}_{i}", stride, way) for i, stride in enumerate(self.strides()) for way in _WAYS]
        ways = [(name, stride if way == "up" else -stride) for name, stride, way in signed]
        there = {f"at_{way}": looked_up(scored["cell"] + step, self.cells) for way, step in ways}
        looked = scored.mutate(own=looked_up(scored["cell"], self.cells), **there)
        gaps = {
            f"gap_{way}": ((looked[way] < FAR) & (looked[f"at_{way}"] != looked["own"])).ifelse(looked[way], FAR)
            for way, _ in ways
        }
        reached = looked.mutate(**gaps)
        nearest = reached.mutate(nearest=ibis.least(*(reached[gap] for gap in gaps)))
        reachable = nearest["nearest"] < FAR
        border = nearest["nearest"] + TIE
        runner = ibis.cases(*((reachable & (nearest[f"gap_{way}"] <= border), nearest[f"at_{way}"]) for way, _ in ways))
        return placements(
            nearest,
            keys,
            index=nearest["cell"].isnull().ifelse(NO_DATA, nearest["own"]),
            fit=ibis.literal(1.0),
            runner=runner,
            margin=reachable.ifelse(nearest["nearest"], ibis.null("float64")),
            score=nearest["score"],
        )

    def _score(self, prepared: ir.Table) -> ir.Value:
        digits = [
            ibis.cases(*((prepared[f"band_{i}"] == j, str(s)) for j, s in enumerate(band.scores)))
            for i, band in enumerate(self.bands)
        ]
        joined = digits[0]
        for digit in digits[1:]:
            joined = joined + "-" + digit
        return joined

    def why(self, row: Mapping[str, Any], index: int) -> Why:
        if index == NO_DATA:
            return not_known(row, self.traits)
        values = [float(row[band.trait]) for band in self.bands]
        reasons = []
        moves: list[tuple[float, Move]] = []
        at = [band.position(v) for band, v in zip(self.bands, values, strict=True)]
        own = self.cells[sum(p * s for p, s in zip(at, self.strides(), strict=True))]
        for i, (band, value, position) in enumerate(zip(self.bands, values, at, strict=True)):
            reasons.append(Reason(band.trait, value, _band_text(band, value, position)))
            for there in range(len(band.cuts) + 1):
                cell = sum(
                    (there if k == i else p) * s for k, (p, s) in enumerate(zip(at, self.strides(), strict=True))
                )
                if there != position and self.cells[cell] != own:
                    up = there > position
                    needed = band.cuts[there - 1] if up else band.cuts[there]
                    text = f"{words(band.trait)} {'at least' if up else 'below'} {figure(needed)}"
                    low, high = band.edges()[position]
                    way = abs(needed - value) / max(high - low, 1e-12)
                    moves.append((way, Move(band.trait, value, needed, self.cells[cell], text)))
        nearest: dict[int, Move] = {}
        for _, move in sorted(moves, key=lambda m: m[0]):
            nearest.setdefault(move.segment_index, move)
        return Why(tuple(reasons), tuple(nearest.values())[:5])

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Grid:
        bands = tuple(Band(**{**b, "cuts": tuple(b["cuts"]), "scores": tuple(b["scores"])}) for b in body["bands"])
        return cls(bands, tuple(body["cells"]))


def _band_text(band: Band, value: Any, position: int) -> str:
    best = max(band.scores)
    name = f"{words(band.trait)} is {figure(float(value))}"
    if not band.cuts:
        return name
    if position == 0:
        span = f"below {figure(band.cuts[0])}"
    elif position == len(band.cuts):
        span = f"{figure(band.cuts[-1])} or more"
    else:
        span = f"{figure(band.cuts[position - 1])} to below {figure(band.cuts[position])}"
    return f"{name}: {band.label} {band.scores[position]} of {best} ({span})"
