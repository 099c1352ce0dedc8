"""Is a segment worth having? Knock-out and attractiveness criteria, from what the data can say.

Kotler's criteria of effective segments: measurable, substantial, accessible, differentiable, actionable. Homogeneous
and stable come from the fit (Dolnicar, Grün & Leisch 2018, chapter 4). A criterion that the data are silent about is
"not known", never passed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
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


# By the column that holds the address, the names of the channels that need it.
_CHANNELS = {"email": ("email", "e-mail", "mail", "newsletter"), "phone": ("phone", "sms", "call", "whatsapp")}
_ADDRESSED = [name for names in _CHANNELS.values() for name in names]
_USES = 3  # channels and purposes that are named


@dataclass(frozen=True)
class Reach:
    """How many members of each segment can be reached.

    ``address`` have an e-mail address or a phone number. ``consented`` have granted their consent to a use (a channel
    and a purpose) and have the address it takes; ``anyhow`` to any use. None where no consents are collected.
    """

    address: Mapping[str, int]
    consented: Mapping[str, Mapping[str, int]] | None = None
    anyhow: Mapping[str, int] = field(default_factory=dict)


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


def check(found: Segmentation, summary: SegmentationSummary, reached: Reach | None) -> tuple[Checked, ...]:
    """Check every segment that has members.

    Args:
        found: the segmentation, with the texts that people wrote. summary: the same as people see it.
        reached: members who can be reached; None where no address is known of anybody.
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
    few = segment.customers < least["count"]
    worth = "" if segment.value_share is None else f", {_percent(segment.value_share)} of the value"
    told = f"{_percent(segment.share)} of the customers{worth}"
    if few or segment.share < least["share"]:
        told += f"; {least['count']} customers are the least" if few else f"; {_percent(least['share'])} are the least"
        return Criterion("substantial", False, told)
    return Criterion("substantial", True, told)


def _percent(share: float) -> str:
    """A share as a percentage, small ones with a decimal: 4.9 % is less than 5 %.

    >>> _percent(0.049), _percent(0.05), _percent(0.26)
    ('4.9 %', '5 %', '26 %')
    """
    return f"{100 * share:.{0 if share >= 0.0995 else 1}f}".removesuffix(".0") + " %"


def _accessible(segment: SegmentSummary, reached: Reach | None) -> Criterion:
    if reached is None:
        return Criterion("accessible", None, "no e-mail address or phone number in the data")
    share = reached.address.get(segment.name, 0) / segment.customers
    told = f"{100 * share:.0f} % have an e-mail address or phone number"
    if reached.consented is None:
        fix = "whether they may be contacted is not known: no consents are collected"
        return Criterion("accessible", None if share >= _REACHED else False, f"{told}; {fix}")
    allowed = reached.anyhow.get(segment.name, 0) / segment.customers
    each = sorted(((n.get(segment.name, 0), use) for use, n in reached.consented.items()), key=lambda e: (-e[0], e[1]))
    uses = "; ".join(f"{use} {100 * n / segment.customers:.0f} %" for n, use in each[:_USES])
    why = f"{100 * allowed:.0f} % can be contacted and consented to it ({uses}); {told}"
    return Criterion("accessible", allowed >= _REACHED, why)


def _differentiable(segment: SegmentSummary) -> Criterion:
    strongest = max((abs(e.effect or 0.0) for e in segment.apart), default=0.0)
    traits = sum(abs(e.effect or 0.0) >= _APART for e in segment.apart)
    told = f"{traits} {'trait' if traits == 1 else 'traits'} clearly apart, at most {strongest:.1f} sd"
    return Criterion("differentiable", strongest >= _APART, told)


def _actionable(segment: SegmentSummary, written: Collection[str]) -> Criterion:
    if segment.name in written:
        return Criterion("actionable", True, "a next action is written down")
    proposed = "the next action is a proposal that nobody has confirmed" if segment.action else "it has no next action"
    return Criterion("actionable", False, f"{proposed}: write it under its name in playbooks.yaml")


def _stable(jaccard: float | None, method: str) -> Criterion:
    if jaccard is None:
        return Criterion("stable", None, f"{method.replace('_', ' ')} gives no figure for it")
    return Criterion("stable", jaccard >= _STABLE, f"comes back by {jaccard:.2f} in new samples")


def reachable(placed: ir.Table, people: ir.Table | None, consents: ir.Table | None = None) -> Reach | None:
    """Members by segment who can be reached; None where no e-mail address or phone number is known of anybody.

    ``people`` has a row per customer with its contact columns; ``consents`` are the statements known by now, by
    customer_key. Of a customer, channel and purpose the latest statement holds; of those of one moment a denial.
    """
    if people is None:
        return None
    key = "customer_key"
    columns = [c for c in ("email", "phone") if c in people.columns]
    if not columns or key not in placed.columns:
        return None
    ways = {c: people[c].notnull() for c in columns}
    known = people.select(key, reached=ibis.or_(*ways.values()), **{f"has_{c}": v for c, v in ways.items()})
    address = _by_segment(placed.select(key, "segment").inner_join(known.filter(known["reached"]), key))
    if not any(address.values()):
        return None
    if consents is None:
        return Reach(address)
    allowed = _granted(consents).inner_join(known, key).inner_join(placed.select(key, "segment"), key)
    channel = allowed["channel"].lower()
    on = [(channel.isin(words), allowed[f"has_{c}"]) for c, words in _CHANNELS.items() if c in columns]
    # Of a channel that is none of these (post, ads) the address is not looked at.
    there = allowed.filter(ibis.cases(*on, else_=~channel.isin(_ADDRESSED)))
    rows = there.group_by("segment", "channel", "purpose").agg(n=there[key].nunique()).to_pyarrow().to_pylist()
    uses: dict[str, dict[str, int]] = {}
    for row in rows:
        use = " for ".join(filter(None, (row["channel"], row["purpose"])))
        uses.setdefault(use, {})[row["segment"]] = int(row["n"])
    return Reach(address, uses, _by_segment(there.select(key, "segment").distinct()))


def _by_segment(members: ir.Table) -> dict[str, int]:
    rows = members.group_by("segment").agg(n=ibis._.count()).to_pyarrow().to_pylist()
    return {row["segment"]: int(row["n"]) for row in rows}


def _granted(consents: ir.Table) -> ir.Table:
    """Customer, channel and purpose of the consents that hold."""
    by = ["customer_key", "channel", "purpose"]
    absent = {c: ibis.null(t) for c, t in (("channel", "string"), ("purpose", "string"), ("time", "timestamp"))}
    told = consents.mutate(**{c: v for c, v in absent.items() if c not in consents.columns})
    told = told.mutate(**{c: told[c].fill_null("") for c in ("channel", "purpose")})
    told = told.mutate(granted=(told["status"].lower() == "granted").fill_null(False).ifelse(1, 0))
    last = told.group_by(by).agg(last=told["time"].max())
    held = told.inner_join(last, by)
    held = held.filter((held["time"] == held["last"]) | held["last"].isnull())
    decided = held.group_by(by).agg(granted=held["granted"].min())
    return decided.filter(decided["granted"] == 1).select(*by)
