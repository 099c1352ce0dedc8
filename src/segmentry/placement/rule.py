"""What every rule has in common: its steps, and the pieces of expressions they are made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import ibis
import ibis.expr.types as ir

from segmentry.placement.reasons import BEYOND, Why

NO_DATA = -1
NO_GOOD_FIT = -2
TIE = 1e-9  # distances closer than this are equal, and the lowest index wins (law 9)
FAR = 1e300  # stands for "no such candidate" in comparisons


@dataclass(frozen=True)
class Rule(ABC):
    """What places a customer: plain data with its steps as expressions and its reasons.

    ``unseen`` says in words what becomes of a category that nobody had when the rule was made.
    """

    unseen: ClassVar[str] = "counts as none of the categories that form the segments"

    @property
    @abstractmethod
    def traits(self) -> tuple[str, ...]:
        """Traits the rule reads."""

    @abstractmethod
    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        """Step 1: traits to numbers."""

    @abstractmethod
    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        """Step 2: numbers to one score per segment or candidate."""

    @abstractmethod
    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        """Step 3: scores to placements."""

    @abstractmethod
    def why(self, row: Mapping[str, Any], index: int) -> Why:
        """The reasons for one customer; ``row`` holds its traits, ``index`` is the segment index it was placed in."""

    @classmethod
    @abstractmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """The rule from its fields as plain JSON values; KeyError or TypeError when one is missing or not known."""


def exact(value: float) -> float:
    """A constant as it may stand in SQL: 15 significant digits (longer literals become DECIMAL in DuckDB)."""
    return float(f"{value:.15g}")


def ranked(scored: ir.Table, columns: Sequence[str]) -> ir.Table:
    """``scored`` with the lowest of some columns (one per segment, in order) and the next lowest.

    Adds ``best`` and ``next``, their values (FAR where there is no second), and ``first`` and ``runner``, their
    positions. Values within TIE are equal, and the first of them wins.
    """
    many = len(columns) > 1
    nearest = scored.mutate(best=ibis.least(*(scored[c] for c in columns)) if many else scored[columns[0]])
    first = nearest.mutate(
        first=ibis.cases(*((nearest[c] <= nearest["best"] + TIE, k) for k, c in enumerate(columns))).cast("int64")
    )
    others = [(first["first"] == k).ifelse(FAR, first[c]) for k, c in enumerate(columns)]
    second = first.mutate(next=ibis.least(*others) if many else ibis.literal(FAR))
    cases = (((second["first"] != k) & (second[c] <= second["next"] + TIE), k) for k, c in enumerate(columns))
    return second.mutate(runner=ibis.cases(*cases, else_=ibis.null("int64")).cast("int64"))


_FIRST_LETTER = 48  # "0"
MOST_SEGMENTS = 78  # from there to "~", so that all letters are ASCII


def looked_up(cell: ir.Value, segments: Sequence[int]) -> ir.Value:
    """The segment of a cell (a place in ``segments``): one letter of a text per cell, which takes half the time of
    comparing the cell with lists of cells. A cell beyond the end gives a number that means nothing."""
    letters = ibis.literal("".join(chr(_FIRST_LETTER + s) for s in segments))
    return letters.substr(cell.cast("int32"), 1).ascii_str().cast("int64") - _FIRST_LETTER


def placements(
    table: ir.Table,
    keys: Sequence[str],
    *,
    index: ir.Value,
    fit: ir.Value,
    runner: ir.Value,
    margin: ir.Value,
    score: ir.Value,
) -> ir.Table:
    """The last step: what is not known for people without data is null."""
    segment = index.cast("int64")
    unknown = segment == NO_DATA
    return table.select(
        *keys,
        segment_index=segment,
        fit=unknown.ifelse(ibis.null("float64"), fit.cast("float64")),
        runner_up_index=unknown.ifelse(ibis.null("int64"), runner),
        margin=unknown.ifelse(ibis.null("float64"), margin),
        score=score,
    )


def number(value: ir.Value) -> ir.Value:
    """A trait as a number: yes is 1, what is infinite or no number is null."""
    # PostgreSQL casts no boolean to a number
    known = ibis.cases((value, 1.0), (~value, 0.0)) if value.type().is_boolean() else value.cast("float64")
    return (known.abs() < BEYOND).ifelse(known, ibis.null("float64"))


def add(terms: Sequence[ir.Value]) -> ir.Value:
    """The sum from left to right (law 9: floating point sums depend on their order)."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def one_row(row: Mapping[str, Any], kinds: Mapping[str, str]) -> ir.Table:
    """A table of one customer's traits."""
    types = {"number": "float64", "category": "string", "boolean": "boolean"}
    literals = {n: ibis.literal(row.get(n), type=types[kind]) for n, kind in kinds.items()}
    anchor = ibis.memtable({"anchor": [1]})
    return anchor.select(**literals)
