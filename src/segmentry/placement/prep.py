"""Preparation: how one trait becomes one number, as data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.placement.reasons import BEYOND, Move, figure, words
from segmentry.placement.rule import exact, number

PAST = 1.001  # a border is crossed a little beyond it
_LOG_OF_MOST = 709.0  # e to the power of 710 is no float any more


@dataclass(frozen=True)
class Prep:
    """How one trait becomes one number: fill, cut off, log, scale.

    ``level`` makes it 1 where a category has that level. ``log`` is sign(x) ln(1 + abs(x)). Values beyond ``low`` and
    ``high`` (on the scale of the trait) count as those. The result is ``(x - centre) / scale``.
    """

    trait: str
    fill: float
    centre: float
    scale: float
    low: float
    high: float
    log: bool = False
    level: str | None = None

    def of(self, traits: ir.Table) -> ir.Value:
        """The prepared number as an expression."""
        raw = traits[self.trait]
        known = (raw == self.level).ifelse(1.0, 0.0) if self.level is not None else number(raw)
        value = ibis.least(ibis.greatest(known.fill_null(exact(self.fill)), exact(self.low)), exact(self.high))
        if self.log:
            size = engine.ln(value.abs() + 1.0)
            value = (value < 0).ifelse(-size, size)
        return (value - exact(self.centre)) / exact(self.scale)

    def of_value(self, raw: Any) -> float:
        """The prepared number of one value: the same arithmetic in Python, to explain one customer."""
        if self.level is not None:
            number = 1.0 if raw == self.level else (self.fill if raw is None else 0.0)
        else:
            known = known_number(raw)
            number = self.fill if known is None else known
        value = min(max(number, self.low), self.high)
        if self.log:
            value = math.copysign(math.log1p(abs(value)), value)
        return (value - self.centre) / self.scale

    def back(self, prepared: float) -> float:
        """The value of the trait that has this prepared number."""
        value = prepared * self.scale + self.centre
        return math.copysign(math.expm1(min(abs(value), _LOG_OF_MOST)), value) if self.log else value


def known_number(raw: Any) -> float | None:
    """One value as :func:`~segmentry.placement.rule.number` sees it: None where it is not known or no finite number."""
    return None if raw is None or not abs(float(raw)) < BEYOND else float(raw)


def within(prep: Prep, prepared: float) -> bool:
    """Whether a prepared number is that of a value that a trait can have."""
    return prep.low <= prep.back(prepared) <= prep.high


def moves_along(
    row: Mapping[str, Any], prep: Sequence[Prep], z: Sequence[float | None], steps: Mapping[int, float], other: int
) -> list[Move]:
    """The two smallest of some steps along prepared numbers, each of which alone leads to the segment ``other``."""
    moves = []
    for j in sorted(steps, key=lambda j: abs(steps[j]))[:2]:
        trait, needed = prep[j].trait, prep[j].back((z[j] or 0.0) + steps[j])
        text = f"{words(trait)} {'above' if steps[j] > 0 else 'below'} {figure(needed)}"
        moves.append(Move(trait, row.get(trait), needed, other, text))
    return moves
