"""Is a segment worth having? Knock-out and attractiveness criteria, from what the data can say.

Kotler's criteria of effective segments: measurable, substantial, accessible, differentiable, actionable. Homogeneous
and stable come from the fit (Dolnicar, Grün & Leisch 2018, chapter 4). A criterion that the data are silent about is
"not known", never passed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.segmentation import OUTSIDE, Segmentation
from segmentry.target.profiles import SegmentationSummary, SegmentSummary

CRITERIA = ("measurable", "substantial", "accessible", "differentiable", "actionable", "stable")
_KNOWN = 0.8  # least share of members for whom a segmentation variable is known
_REACHED = 0.5  # least share of members who can be reached
_APART = 0.5  # sd from everybody else in some trait: Cohen 1988, a medium effect
_STABLE = 0.75  # Hennig 2007
_SHARE, _COUNT = 0.05, 30  # where the segmentation says nothing of what it takes to serve a segment


@dataclass(frozen=True)
class Criterion:
    """One criterion of one segment: whether it holds (None: the data do not say), and the figure behind it."""

    name: str
    holds: bool | None
    why: str


@dataclass(frozen=True)
class Checked:
    """The criteria of one segment, in the order of ``CRITERIA``."""

    segment: str
    criteria: tuple[Criterion, ...]

    @property
    def knocked_out(self) -> tuple[str, ...]:
        """Names of the criteria that do not hold."""
        return tuple(c.name for c in self.criteria if c.holds is False)


def check(found: Segmentation, summary: SegmentationSummary, reached: Mapping[str, int] | None) -> tuple[Checked, ...]:
    """Check every segment that has members.

    Args:
        found: the segmentation, with the texts that people wrote. summary: the same as people see it.
        reached: members who can be reached, by segment; None where nothing is known of it.
    """
    least = {"share": _SHARE, "count": _COUNT, **found.report.get("settings", {}).get("serve", {})}
    made_up = {name: texts.get("action") for name, texts in found.report.get("texts", {}).items()}
    written = {s.name for s in found.segments if s.action and s.action != made_up.get(s.name)}
    nowhere = {s.name for s in OUTSIDE}
    proper = [s for s in summary.segments if s.name not in nowhere]
    judged = list(summary.report.get("judged") or ())
    checked = []
    for i, segment in enumerate(proper):
        if not segment.customers:
            continue
        jaccard = judged[i]["jaccard"] if len(judged) == len(proper) else None
        checked.append(
            Checked(
                segment.name,
                (
                    _measurable(summary, segment),
                    _substantial(segment, least),
                    _accessible(segment, reached),
                    _differentiable(segment),
                    _actionable(segment, written),
                    _stable(jaccard, summary.method),
                ),
            )
        )
    return tuple(checked)


def _measurable(summary: SegmentationSummary, segment: SegmentSummary) -> Criterion:
    known: dict[str, int] = {}
    for effect in summary.effects:
        if effect.segment == segment.name and effect.trait in summary.variables:
            known[effect.trait] = max(known.get(effect.trait, 0), effect.n)
    if not known:
        return Criterion("measurable", None, "no segmentation variable was profiled")
    worst = min(known, key=lambda trait: (known[trait], trait))
    share = known[worst] / segment.customers
    return Criterion("measurable", share >= _KNOWN, f"{worst.replace('_', ' ')} is known for {100 * share:.0f} %")


def _substantial(segment: SegmentSummary, least: Mapping[str, Any]) -> Criterion:
    holds = segment.share >= least["share"] and segment.customers >= least["count"]
    worth = "" if segment.value_share is None else f", {100 * segment.value_share:.0f} % of the value"
    return Criterion("substantial", holds, f"{100 * segment.share:.0f} % of the customers{worth}")


def _accessible(segment: SegmentSummary, reached: Mapping[str, int] | None) -> Criterion:
    if reached is None:
        return Criterion("accessible", None, "no e-mail address or phone number in the data")
    share = reached.get(segment.name, 0) / segment.customers
    return Criterion("accessible", share >= _REACHED, f"{100 * share:.0f} % have an e-mail address or phone number")


def _differentiable(segment: SegmentSummary) -> Criterion:
    strongest = max((abs(e.effect or 0.0) for e in segment.apart), default=0.0)
    traits = sum(abs(e.effect or 0.0) >= _APART for e in segment.apart)
    told = f"{traits} {'trait' if traits == 1 else 'traits'} clearly apart, at most {strongest:.1f} sd"
    return Criterion("differentiable", strongest >= _APART, told)


def _actionable(segment: SegmentSummary, written: Collection[str]) -> Criterion:
    holds = segment.name in written
    return Criterion("actionable", holds, "a next action is written down" if holds else "nobody wrote a next action")


def _stable(jaccard: float | None, method: str) -> Criterion:
    if jaccard is None:
        return Criterion("stable", None, f"{method.replace('_', ' ')} gives no figure for it")
    return Criterion("stable", jaccard >= _STABLE, f"comes back by {jaccard:.2f} in new samples")


def reachable(placed: ir.Table, people: ir.Table | None) -> dict[str, int] | None:
    """Members by segment of whom an e-mail address or a phone number is known; None where they are for nobody.

    ``people`` has a row per customer with its contact columns.
    """
    if people is None:
        return None
    key = "customer_key"
    ways = [people[c].notnull() for c in ("email", "phone") if c in people.columns]
    if not ways or key not in placed.columns:
        return None
    known = people.select(key, reached=ibis.or_(*ways))
    joined = placed.select(key, "segment").inner_join(known, key)
    rows = joined.group_by("segment").agg(n=joined["reached"].sum()).to_pyarrow().to_pylist()
    counts = {r["segment"]: int(r["n"] or 0) for r in rows}
    return counts if any(counts.values()) else None
