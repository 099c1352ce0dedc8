"""Who is in a segment: sizes, worth, and the traits that set it apart from everybody else.

:func:`profile` aggregates in the engine (one scan for all traits) and gives back sufficient statistics;
:func:`effects` turns them into standardised differences in Python. The results are what the command line, the report
and the web app show.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import Kind, Trait

BASE = "All customers"
_LEVELS = 6  # levels of a category that are profiled; the rarer ones say little and cost width
NOTABLE = 0.2  # Cohen 1988: from 0.2 sd a difference is small but there


@dataclass(frozen=True)
class TraitEffect:
    """One trait (or one level of a category) in one segment, against all other customers.

    ``mean`` is a share for levels and booleans. ``effect`` is the standardised mean difference (Cohen's d with pooled
    sd), taken on ln(1 + x) for skewed amounts and counts, so that a few giants do not hide the many.
    """

    segment: str
    trait: str
    level: str | None
    kind: Kind
    unit: str
    n: int
    mean: float | None
    sd: float | None
    base_mean: float | None
    effect: float | None

    @property
    def title(self) -> str:
        """The trait for people, with the level of a category."""
        words = self.trait.replace("_", " ")
        return f"{words} is {self.level}" if self.level is not None else words


@dataclass(frozen=True)
class SegmentSummary:
    """One segment as people see it. ``value`` is the sum of the value trait; ``change`` is in customers since the run
    before (None on the first)."""

    name: str
    meaning: str
    action: str
    criteria: str
    purpose: str
    owner: str
    review_by: date | None
    customers: int
    share: float
    value: float | None
    value_share: float | None
    mean_fit: float | None
    mean_margin: float | None
    change: int | None
    apart: tuple[TraitEffect, ...] = ()


@dataclass(frozen=True)
class SegmentationSummary:
    """One segmentation as people see it, with its segments in their own order and everything the report draws."""

    name: str
    method: str
    version: int
    as_of: date
    purpose: str
    population: str
    customers: int
    outside_population: int
    value_trait: str | None
    verdict: str
    warnings: tuple[str, ...]
    segments: tuple[SegmentSummary, ...]
    effects: tuple[TraitEffect, ...]
    variables: tuple[str, ...]
    report: Mapping[str, Any]

    def segment(self, name: str) -> SegmentSummary:
        return next(s for s in self.segments if s.name == name)


@dataclass(frozen=True)
class _Column:
    """One aggregated column: a trait, or one level of it."""

    trait: Trait
    level: str | None = None
    log: bool = False


def profile(
    placed: ir.Table, traits: ir.Table, specs: Sequence[Trait], value_trait: str | None
) -> tuple[dict[str, dict[str, Any]], tuple[TraitEffect, ...]]:
    """Sizes per segment and the effects of every trait.

    ``placed`` has ``customer_key``, ``segment``, ``fit``, ``margin``; ``traits`` one row per customer. Gives, by
    segment name, ``customers``, ``value``, ``mean_fit``, ``mean_margin``; and the effects, BASE included.
    """
    joined = placed.select("customer_key", "segment", "fit", "margin").inner_join(traits, "customer_key")
    columns = list(_columns(joined, specs))
    aggregates: dict[str, ir.Value] = {
        "customers": joined.count(),
        "fit": joined["fit"].mean(),
        "margin": joined["margin"].mean(),
    }
    if value_trait is not None:
        aggregates["value"] = joined[value_trait].cast("float64").sum()
    for i, column in enumerate(columns):
        number = _as_number(joined, column)
        scaled = engine.ln(number + 1.0) if column.log else number
        aggregates |= {
            f"n{i}": number.count(),
            f"m{i}": number.mean(),
            f"v{i}": number.var(how="sample"),
            f"lm{i}": scaled.mean(),
            f"lv{i}": scaled.var(how="sample"),
        }
    rows = joined.group_by("segment").agg(**aggregates).to_pyarrow().to_pylist()
    sizes = {
        row["segment"]: {
            "customers": row["customers"],
            "value": row.get("value"),
            "mean_fit": row["fit"],
            "mean_margin": row["margin"],
        }
        for row in sorted(rows, key=lambda r: str(r["segment"]))
    }
    found = tuple(e for i, c in enumerate(columns) for e in _effects(i, c, rows))
    return sizes, found


def _columns(joined: ir.Table, specs: Sequence[Trait]) -> Iterable[_Column]:
    numbers = [s for s in specs if s.kind == "number"]
    lowest = (
        joined.agg(**{s.name: joined[s.name].cast("float64").min() for s in numbers}).to_pyarrow().to_pylist()[0]
        if numbers
        else {}
    )
    for spec in specs:
        if spec.kind == "category":
            counts = joined.filter(joined[spec.name].notnull()).group_by(spec.name).agg(n=ibis._.count())
            top = counts.order_by(ibis.desc("n"), ibis.asc(spec.name)).limit(_LEVELS).to_pyarrow()
            yield from (_Column(spec, level) for level in top.column(spec.name).to_pylist())
        else:
            low = lowest.get(spec.name)
            skewed = spec.kind == "number" and spec.unit not in {"share", "0 to 1"} and low is not None and low >= 0
            yield _Column(spec, log=skewed)


def _as_number(joined: ir.Table, column: _Column) -> ir.Value:
    value = joined[column.trait.name]
    if column.level is not None:
        return (value == column.level).cast("int64").cast("float64")
    if column.trait.kind == "boolean":
        return value.cast("int64").cast("float64")
    return value.cast("float64")


def _effects(i: int, column: _Column, rows: Sequence[Mapping[str, Any]]) -> Iterable[TraitEffect]:
    base_n, base_mean, base_var = _pool([(r[f"n{i}"], r[f"m{i}"], r[f"v{i}"]) for r in rows])
    spec = column.trait
    common = (spec.name, column.level, spec.kind, spec.unit)
    yield TraitEffect(BASE, *common, base_n, base_mean, _root(base_var), base_mean, None)
    for row in rows:
        others = _pool([(r[f"n{i}"], r[f"lm{i}"], r[f"lv{i}"]) for r in rows if r is not row])
        effect = _standardised((row[f"n{i}"], row[f"lm{i}"], row[f"lv{i}"]), others)
        yield TraitEffect(row["segment"], *common, row[f"n{i}"], row[f"m{i}"], _root(row[f"v{i}"]), base_mean, effect)


def _pool(groups: Iterable[tuple[int, float | None, float | None]]) -> tuple[int, float | None, float | None]:
    """n, mean and sample variance of several groups together (Chan, Golub & LeVeque 1979)."""
    n, mean, spread = 0, 0.0, 0.0
    for m, other, variance in groups:
        if not m or other is None:
            continue
        gap = other - mean
        spread += (variance or 0.0) * (m - 1) + gap * gap * n * m / (n + m)
        mean += gap * m / (n + m)
        n += m
    if n == 0:
        return 0, None, None
    return n, mean, spread / (n - 1) if n > 1 else None


def _standardised(
    segment: tuple[int, float | None, float | None], others: tuple[int, float | None, float | None]
) -> float | None:
    """Cohen's d: the difference of the means over the pooled standard deviation."""
    n, mean, variance = segment
    m, other, other_variance = others
    if mean is None or other is None or n + m < 3:
        return None
    pooled = ((variance or 0.0) * (n - 1) + (other_variance or 0.0) * (m - 1)) / (n + m - 2)
    if pooled <= 0:
        return None
    return (mean - other) / math.sqrt(pooled)


def _root(variance: float | None) -> float | None:
    return None if variance is None else math.sqrt(max(variance, 0.0))


def apart(effects: Iterable[TraitEffect], segment: str, most: int = 6) -> tuple[TraitEffect, ...]:
    """The traits that set a segment apart, strongest first, each trait once, only those worth a word."""
    mine = [e for e in effects if e.segment == segment and e.effect is not None and abs(e.effect) >= NOTABLE]
    chosen: dict[str, TraitEffect] = {}
    for e in sorted(mine, key=lambda e: (-abs(e.effect or 0.0), e.trait, e.level or "")):
        chosen.setdefault(e.trait, e)
    return tuple(chosen.values())[:most]
