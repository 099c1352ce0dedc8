"""Who is in a segment: sizes, worth, and the traits that set it apart from everybody else.

:func:`profile` aggregates in the engine (one scan for all traits) and gives back sufficient statistics;
:func:`effects` turns them into standardised differences in Python. The results are what the command line, the report
and the web app show.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from segmentry import engine
from segmentry.catalogue import Kind, Trait
from segmentry.segmentation import NO_DATA_NAME, OUTSIDE, Segmentation, keys_of
from segmentry.target import unseen
from segmentry.target.moments import Column, Found, Moments, by_segment

BASE = "All customers"
# Traits that say the same in other words: one of them is enough for a reader.
_SAME_STORY = (
    {
        "recency_days", "lifecycle_stage", "own_pace_stage", "silence_ratio", "p_alive", "churn_risk", "orders_90d",
        "spend_90d",
    },
    {"monetary", "margin", "value", "net_value", "pareto_share", "pareto_class", "spend_365d"},
    {"frequency", "orders_365d", "order_days", "active_months", "days_between_orders"},
    {"category_diversity", "categories_per_order"},
    {"age", "age_band", "generation"},
)  # fmt: skip
TICKED = "chooses_"  # what the traits of ticked answers begin with; the answer follows
NOTABLE = 0.2  # Cohen 1988: from 0.2 sd a difference is small but there


@dataclass(frozen=True)
class TraitEffect:
    """One trait (or one level of a category) in one segment, against all other customers.

    ``mean`` is a share for levels and booleans. ``effect`` is the standardised mean difference (Cohen's d with pooled
    sd), taken on sign(x) ln(1 + |x|) for all but shares, so that a few giants do not hide the many.
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
    unit: str = "customer"
    owner: str = ""
    review_by: date | None = None

    @property
    def overdue(self) -> bool:
        """Whether it was to be looked at again before the day of its figures."""
        return self.review_by is not None and self.review_by < self.as_of

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources whose data formed the segments, where the fit knew them."""
        return tuple(self.report.get("sources", ()))

    @property
    def units(self) -> str:
        """What it places, for people: customers or accounts."""
        return f"{self.unit}s"

    def segment(self, name: str) -> SegmentSummary:
        return next(s for s in self.segments if s.name == name)


def profile(
    placed: ir.Table,
    traits: ir.Table,
    specs: Sequence[Trait],
    largest: Mapping[str, float | None],
    value_trait: str | None,
) -> tuple[dict[str, dict[str, Any]], tuple[TraitEffect, ...]]:
    """Sizes per segment and the effects of every trait.

    ``placed`` has the key of the units, ``segment``, ``fit``, ``margin``; ``traits`` one row per unit; ``largest`` the
    largest absolute value of every number among them (see :func:`largest_values`). Gives, by segment name,
    ``customers``, ``value``, ``mean_fit``, ``mean_margin``; and the effects, BASE included. All figures are the same to
    the last bit in whatever order the engine adds them up.
    """
    joined = _beside(placed, traits, ("fit", "margin"))
    extra: dict[str, ir.Value] = {
        "fit": engine.exact_sum(joined["placed_fit"], 1.0),
        "fits": joined["placed_fit"].count(),
        "margin": engine.exact_sum(joined["placed_margin"], 1.0),
        "margins": joined["placed_margin"].count(),
    }
    if value_trait is not None:
        extra["value"] = engine.exact_sum(joined[value_trait], largest[value_trait])
    rows, found = by_segment(joined, "placed_segment", specs, largest, extra)
    sizes = {
        row["segment"]: {
            "customers": row["customers"],
            "value": row.get("value"),
            "mean_fit": _quotient(row["fit"], row["fits"]),
            "mean_margin": _quotient(row["margin"], row["margins"]),
        }
        for row in rows
    }
    return sizes, _all_effects(found, rows)


def effects(
    placed: ir.Table, traits: ir.Table, specs: Sequence[Trait], largest: Mapping[str, float | None]
) -> tuple[TraitEffect, ...]:
    """The effects of :func:`profile` alone: of the placement nothing but the segment is computed."""
    rows, found = by_segment(_beside(placed, traits), "placed_segment", specs, largest, {})
    return _all_effects(found, rows)


def largest_values(traits: ir.Table, specs: Sequence[Trait]) -> dict[str, ir.Scalar]:
    """By trait that is a number, the expression of its largest absolute value."""
    return {s.name: traits[s.name].cast("float64").abs().max() for s in specs if s.kind == "number"}


def _quotient(total: float | None, n: int) -> float | None:
    return None if total is None or not n else total / n


def _beside(placed: ir.Table, traits: ir.Table, columns: Sequence[str] = ()) -> ir.Table:
    """Traits with the segment and such columns of the placement beside them; traits may be called so themselves."""
    key = keys_of(traits)[0]
    renamed = placed.select(key, **{f"placed_{c}": placed[c] for c in ("segment", *columns)})
    return renamed.inner_join(traits, key)


def _all_effects(found: Iterable[Found], rows: Iterable[Mapping[str, Any]]) -> tuple[TraitEffect, ...]:
    segments = [row["segment"] for row in rows]
    return tuple(e for column, moments in found for e in _effects(column, moments, segments))


def _effects(column: Column, moments: Sequence[Moments], segments: Sequence[str]) -> Iterable[TraitEffect]:
    base_n, base_mean, base_variance = _pool([(m.n, m.mean, m.variance) for m in moments])
    spec = column.trait
    common = (spec.name, column.level, spec.kind, spec.unit)
    yield TraitEffect(BASE, *common, base_n, base_mean, _root(base_variance), base_mean, None)
    for segment, m in zip(segments, moments, strict=True):
        others = _pool([(o.n, o.scaled_mean, o.scaled_variance) for o in moments if o is not m])
        effect = _standardised((m.n, m.scaled_mean, m.scaled_variance), others)
        yield TraitEffect(segment, *common, m.n, m.mean, _root(m.variance), base_mean, effect)


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
    """The traits that set a segment apart, strongest first, only those worth a word."""
    return distinct([e for e in effects if e.segment == segment])[:most]


def distinct(effects: Iterable[TraitEffect], first: Collection[str] = ()) -> tuple[TraitEffect, ...]:
    """Notable effects, strongest first (after those of the traits ``first``), each story told by one trait only."""
    notable = [e for e in effects if e.effect is not None and abs(e.effect) >= NOTABLE]
    chosen: list[TraitEffect] = []
    told: set[str] = set()
    for e in sorted(notable, key=lambda e: (e.trait not in first, -abs(e.effect or 0.0), e.trait, e.level or "")):
        story = _story(e.trait)
        if story not in told:
            chosen.append(e)
            told |= {story}.union(*(same for same in _SAME_STORY if story in same))
    return tuple(chosen)


def _story(trait: str) -> str:
    """What a trait tells of: what somebody buys and is interested in is one thing, and so are all lifetime values."""
    if trait.startswith("clv_"):
        return "clv"
    return trait.removeprefix("interest_").removeprefix("category_share_")


def as_table(effects: Sequence[TraitEffect]) -> ir.Table:
    """Effects as the table ``profiles``."""
    columns = ("segment", "trait", "level", "kind", "unit", "n", "mean", "sd", "base_mean", "effect")
    types = dict.fromkeys(columns[:5], "string") | {"n": "int64"} | dict.fromkeys(columns[6:], "float64")
    return ibis.memtable([tuple(getattr(e, c) for c in columns) for e in effects], schema=ibis.schema(types))


def from_table(table: pa.Table) -> tuple[TraitEffect, ...]:
    """Effects back from the table ``profiles``."""
    return tuple(TraitEffect(**row) for row in table.to_pylist())


def cells(
    placed: ir.Table, traits: ir.Table, largest: Mapping[str, float | None], value_trait: str | None
) -> list[dict[str, Any]]:
    """Customers and value by score and segment, for segmentations that score; empty for others."""
    joined = _beside(placed.filter(placed["score"].notnull()), traits, ("score",))
    value = engine.exact_sum(joined[value_trait], largest[value_trait]) if value_trait else ibis.null("float64")
    grouped = joined.group_by(score=joined["placed_score"], segment=joined["placed_segment"])
    return list(
        grouped.agg(customers=joined.count(), value=value).order_by(["score", "segment"]).to_pyarrow().to_pylist()
    )


def base(traits: ir.Table, specs: Sequence[Trait], value_trait: str | None) -> dict[str, Any]:
    """Figures of the whole base: for how many each trait is known, the largest absolute value of each number, orders,
    revenue, and the Pareto curve."""
    known = {f"known {s.name}": traits[s.name].count() for s in specs}
    most = {f"largest {name}": value for name, value in largest_values(traits, specs).items()}
    row = traits.agg(customers=traits.count(), **known, **most).to_pyarrow().to_pylist()[0]
    largest = {name.removeprefix("largest "): row[name] for name in most}
    sums = {
        name: engine.exact_sum(traits[trait], largest[trait])
        for name, trait in (("orders", "frequency"), ("revenue", "monetary"))
        if trait in largest
    }
    totals = traits.agg(**sums).to_pyarrow().to_pylist()[0] if sums else {}
    return {
        "known": {s.name: row[f"known {s.name}"] for s in specs},
        "largest": largest,
        "orders": None if totals.get("orders") is None else int(totals["orders"]),
        "revenue": totals.get("revenue"),
        "pareto": pareto(traits, value_trait, largest[value_trait]) if value_trait else [],
    }


def pareto(traits: ir.Table, value_trait: str, largest: float | None, points: int = 200) -> list[list[float]]:
    """(share of customers, share of value), best customers first; customers worth nothing or less bring nothing."""
    value = ibis.greatest(traits[value_trait].cast("float64").fill_null(0.0), 0.0)
    ranked = traits.select(value=value).mutate(bucket=ibis.ntile(points).over(order_by=ibis.desc("value")))
    value = engine.exact_sum(ranked["value"], largest)
    rows = ranked.group_by("bucket").agg(n=ranked.count(), value=value).order_by("bucket")
    found = rows.to_pyarrow().to_pylist()
    total, everybody = sum(r["value"] for r in found), sum(r["n"] for r in found)
    if not total:
        return []
    curve, n, so_far = [[0.0, 0.0]], 0, 0.0
    for row in found:
        n, so_far = n + row["n"], so_far + row["value"]
        curve.append([n / everybody, so_far / total])
    return curve


def curve(
    placed: ir.Table, traits: ir.Table, trait: str | None, largest: Mapping[str, float | None]
) -> list[list[float]]:
    """The Pareto curve of the trait that a segmentation goes by, over those whom it places; empty where it has none."""
    if trait is None or largest.get(trait) is None:
        return []
    own = _beside(placed, traits)
    return pareto(own.filter(own[trait].notnull()), trait, largest[trait])


def summarise(
    found: Segmentation,
    facts: Mapping[str, Any],
    effects: tuple[TraitEffect, ...],
    *,
    as_of: date,
    total: int,
    value_trait: str | None,
    before: Mapping[str, Any] | None,
) -> SegmentationSummary:
    """What people see of a segmentation: ``facts`` of its assign run, ``before`` the sizes of the run before."""
    sizes = facts["sizes"]
    placed = sum(s["customers"] for s in sizes.values())
    worth = sum(s["value"] or 0.0 for s in sizes.values())
    segments = []
    for segment in (*found.segments, *OUTSIDE):
        nobody = {"customers": 0, "value": 0.0 if value_trait else None, "mean_fit": None, "mean_margin": None}
        size = sizes.get(segment.name, nobody)
        if segment in OUTSIDE and not size["customers"]:
            continue
        earlier = (before or {}).get(segment.name, {"customers": 0})["customers"]
        segments.append(
            SegmentSummary(
                **{k: getattr(segment, k) for k in ("name", "meaning", "action", "criteria", "purpose", "owner")},
                review_by=segment.review_by,
                customers=size["customers"],
                share=size["customers"] / placed if placed else 0.0,
                value=size["value"],
                value_share=size["value"] / worth if size["value"] is not None and worth > 0 else None,
                mean_fit=size["mean_fit"],
                mean_margin=size["mean_margin"],
                change=None if before is None else size["customers"] - earlier,
                apart=apart(effects, segment.name),
            )
        )
    warnings = [str(w) for w in found.report.get("warnings", [])]
    warnings += _nothing_known(sizes.get(NO_DATA_NAME, {}).get("customers", 0), placed, found)
    warnings += [f"The trait {name} is no longer in the data; it counts as not known." for name in facts["missing"]]
    warnings += unseen.told(found, facts.get("unseen", []))
    return SegmentationSummary(
        name=found.name,
        method=found.method,
        version=found.version,
        as_of=as_of,
        unit=found.unit,
        purpose=found.purpose,
        owner=found.owner,
        review_by=found.review_by,
        population=found.population,
        customers=placed,
        outside_population=total - placed,
        value_trait=value_trait,
        verdict=f"{found.report.get('verdict', '')}: {found.report.get('because', '')}",
        warnings=tuple(warnings),
        segments=tuple(segments),
        effects=effects,
        variables=tuple(name for name, _ in found.traits),
        report={**found.report, "cells": facts["cells"], "curve": facts.get("curve", [])},
    )


_MANY = 0.5  # share of those placed who have no data, from which on segments tell little of the base


def _nothing_known(customers: int, placed: int, found: Segmentation) -> list[str]:
    if not placed or customers / placed < _MANY:
        return []
    return [
        f"{100 * customers / placed:.0f} % have no data: too few of the traits are known of them. Choose traits that "
        f"are known of more {found.unit}s (`segmentry show traits` tells how many), or leave them out by `population`."
    ]
