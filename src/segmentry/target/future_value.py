"""What the customers are still going to bring: in all, segment by segment, and against what serving them costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.target.profiles import pareto

SERVING = ("service_cost", "retention_cost")
_AT_RISK, _CHURN = "value_at_risk", "churn_risk"


@dataclass(frozen=True)
class SegmentFuture:
    """The future value of a segment, the part of it at risk (value x churn risk), and the mean churn risk."""

    name: str
    customers: int
    value: float
    at_risk: float
    churn_risk: float | None


@dataclass(frozen=True)
class Quadrant:
    """Customers who are worth more (or less) and cost more (or less) to serve than the average customer."""

    valuable: bool
    costly: bool
    customers: int
    value: float
    cost: float


@dataclass(frozen=True)
class FutureValue:
    """Future value of all customers who have one: ``trait`` is the lifetime value, ``of`` the segmentation shown.

    ``pareto`` has (share of customers, share of the future value), best customers first. ``quadrants`` is empty
    where no cost of serving is on record.
    """

    trait: str
    customers: int
    value: float
    at_risk: float
    churn_risk: float | None
    pareto: tuple[tuple[float, float], ...]
    of: str | None = None
    segments: tuple[SegmentFuture, ...] = ()
    quadrants: tuple[Quadrant, ...] = ()


def future_value(
    traits: ir.Table, trait: str, largest: Mapping[str, float | None], placed: ir.Table | None, of: str | None
) -> FutureValue:
    """Add up the future value of all customers.

    Args:
        traits: the table of traits. trait: the lifetime value in it. largest: largest value of each number in it.
        placed, of: memberships of the segmentation to show, and its name; None: without segments.
    """
    own = traits.filter(traits[trait].notnull())
    row = _rows(own.agg(**_sums(own, trait, largest)))[0]
    return FutureValue(
        trait=trait,
        customers=row["customers"],
        value=row["value"] or 0.0,
        at_risk=row["at_risk"] or 0.0,
        churn_risk=row["churn"],
        pareto=tuple((a, b) for a, b in pareto(own, trait, largest[trait])),
        of=of if placed is not None else None,
        segments=() if placed is None else _segments(own, trait, largest, placed),
        quadrants=_quadrants(own, trait, largest),
    )


def _sums(rows: ir.Table, trait: str, largest: Mapping[str, float | None]) -> dict[str, Any]:
    return {
        "customers": rows.count(),
        "value": engine.exact_sum(rows[trait], largest[trait]),
        "at_risk": engine.exact_sum(rows[_AT_RISK], largest[_AT_RISK]),
        "churn": engine.ratio(engine.exact_sum(rows[_CHURN], 1.0), rows.count()),
    }


def _segments(
    own: ir.Table, trait: str, largest: Mapping[str, float | None], placed: ir.Table
) -> tuple[SegmentFuture, ...]:
    rows = own.inner_join(placed.select("customer_key", "segment"), "customer_key")
    found = _rows(rows.group_by("segment").agg(**_sums(rows, trait, largest)))
    found.sort(key=lambda r: (-(r["at_risk"] or 0.0), r["segment"]))
    return tuple(
        SegmentFuture(r["segment"], r["customers"], r["value"] or 0.0, r["at_risk"] or 0.0, r["churn"]) for r in found
    )


def _quadrants(own: ir.Table, trait: str, largest: Mapping[str, float | None]) -> tuple[Quadrant, ...]:
    serving = [name for name in SERVING if name in own.columns]
    if not serving:
        return ()
    cost: ir.FloatingValue = own[serving[0]].cast("float64").fill_null(0.0)
    for name in serving[1:]:
        cost = cost + own[name].cast("float64").fill_null(0.0)
    rows = own.select(value=own[trait], cost=cost)
    most = sum(largest[name] or 0.0 for name in serving)
    sums = {"value": engine.exact_sum(rows["value"], largest[trait]), "cost": engine.exact_sum(rows["cost"], most)}
    mean = _rows(rows.agg(n=rows.count(), **sums))[0]
    if not mean["n"] or not mean["cost"]:
        return ()
    parted = rows.mutate(
        valuable=rows["value"] > ibis.literal(mean["value"] / mean["n"]),
        costly=rows["cost"] > ibis.literal(mean["cost"] / mean["n"]),
    )
    counted = {
        "customers": parted.count(),
        "value": engine.exact_sum(parted["value"], largest[trait]),
        "cost": engine.exact_sum(parted["cost"], most),
    }
    found = {(r["valuable"], r["costly"]): r for r in _rows(parted.group_by(["valuable", "costly"]).agg(**counted))}
    nobody = {"customers": 0, "value": 0.0, "cost": 0.0}
    places = [(v, c) for v in (True, False) for c in (False, True)]
    rows_of = [(v, c, found.get((v, c), nobody)) for v, c in places]
    return tuple(Quadrant(v, c, r["customers"], r["value"], r["cost"]) for v, c, r in rows_of)


def _rows(table: ir.Table) -> list[dict[str, Any]]:
    return list(table.to_pyarrow().to_pylist())
