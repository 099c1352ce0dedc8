"""What the numbers say, in sentences: the headline, what needs attention, what sets a segment apart.

Every sentence is derived from an :class:`~segmentry.overview.Overview`; nothing is made up where a number is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Any

from segmentry.apps import words
from segmentry.overview import Overview
from segmentry.segmentation import OUTSIDE
from segmentry.target.profiles import TICKED, SegmentationSummary, SegmentSummary, TraitEffect, distinct

NOT_SEGMENTS = frozenset(s.name for s in OUTSIDE)
MOST_OF_THE_MONEY = 0.8  # Juran 1951, the Pareto principle
GOOD = 1.25  # times the average value per customer from which customers are told as good ones
AWAY = 0.5  # sd: Cohen 1988, a medium effect
SHRUNK = 0.05  # share of a segment's customers lost since the last run that is worth a look
UNPLACED = 0.2  # share of customers without a segment that is worth a look
_FORMING, _DESCRIBING = 6, 4  # traits that are told of a segment, of those that formed it and of the others
_SIMILAR = 1.1  # ratios of means nearer to one are told as a small difference

VERDICTS = {
    "natural": "These groups exist in the data of themselves: resamples find them again, and gaps lie between them.",
    "reproducible": "Resamples find the same cut again, although no gaps lie between the groups.",
    "constructive": "The data do not fall into these groups of themselves: the cut is a choice, made for its use.",
}
_SHORT_TITLES = {"recency_days": "recency", "tenure_days": "tenure"}  # their unit follows the number
_FUTURE = re.compile(r"clv_(\d+)d")
_VALUE_WORDS = {"monetary": "revenue", "margin": "margin", "value": "value"}


@dataclass(frozen=True)
class Attention:
    """A segment that somebody should look at now, and why."""

    segment: str
    why: str


@dataclass(frozen=True)
class Worth:
    """How the values of one segmentation are told: what they are called, and their short and exact form."""

    word: str
    short: Callable[[float | None], str]
    exact: Callable[[float | None], str]


def worth(overview: Overview, trait: str | None) -> Worth:
    """The words for a value trait; amounts of money where the trait is not declared."""
    units = {cover.trait.name: cover.trait.unit for cover in overview.traits}
    unit = units.get(trait or "", "currency")
    return Worth(
        value_word(trait),
        partial(words.figure, unit=unit, currency=overview.currency),
        partial(words.exact_figure, unit=unit, currency=overview.currency),
    )


def value_word(trait: str | None) -> str:
    """What a value trait is called in a sentence.

    >>> value_word("monetary"), value_word("spend_90d"), value_word(None)
    ('revenue', 'spend 90d', 'value')
    >>> value_word("clv_365d")
    'value of the next 365 days'
    """
    if trait and (ahead := _FUTURE.fullmatch(trait)):
        return f"value of the next {ahead[1]} days"
    return "value" if trait is None else _VALUE_WORDS.get(trait, trait.replace("_", " "))


def segments_of(summary: SegmentationSummary) -> tuple[SegmentSummary, ...]:
    """The segments proper: without 'No data' and 'No good fit'."""
    return tuple(s for s in summary.segments if s.name not in NOT_SEGMENTS)


def in_reading_order(overview: Overview) -> tuple[SegmentationSummary, ...]:
    """The segmentations, the primary one first."""
    return tuple(sorted(overview.segmentations, key=lambda s: s.name != overview.primary))


def top_share(pareto: Sequence[tuple[float, float]], value: float = MOST_OF_THE_MONEY) -> float | None:
    """The least share of customers, best first, that brings a share of the value; None where there is no curve.

    >>> top_share([(0.1, 0.5), (0.3, 0.9), (1.0, 1.0)])
    0.25
    """
    if len(pareto) < 2:
        return None
    for (x0, y0), (x1, y1) in pairwise([(0.0, 0.0), *pareto]):
        if y0 < value <= y1:
            return x0 + (x1 - x0) * (value - y0) / (y1 - y0)
    return None


def headline(overview: Overview) -> str:
    """The report in one sentence."""
    parts = [words.counted(overview.customers, "customers")]
    top = top_share(overview.pareto)
    if top is not None:
        word = value_word(overview.value_trait)
        parts.append(f"the best {words.share(top)} bring {words.share(MOST_OF_THE_MONEY)} of the {word}")
    if not overview.segmentations:
        parts.append("not segmented yet")
        return f"{'; '.join(parts)}."
    primary = in_reading_order(overview)[0]
    segments = segments_of(primary)
    if not any(s.customers for s in segments):
        parts.append(f"nobody could be placed in {words.spoken(primary.name)}")
        return f"{'; '.join(parts)}."
    looked_at = len(attention(primary, overview))
    now = f", {looked_at} {'needs' if looked_at == 1 else 'need'} attention now" if looked_at else ""
    parts.append(f"{words.counted(len(segments), 'segments')}{now}")
    return f"{'; '.join(parts)}."


def attention(summary: SegmentationSummary, overview: Overview) -> tuple[Attention, ...]:
    """The segments of a segmentation that need somebody to look at them now, one reason each, in their own order.

    They do when many customers could not be placed; when they are worth clearly more than their share and their
    customers stay away or became fewer; or when the review that was promised is overdue.
    """
    found = []
    for segment in summary.segments:
        why = (
            _outside(segment, summary.units)
            or _slipping(segment, summary, overview)
            or _overdue(segment, overview.as_of)
        )
        if why and segment.customers:
            found.append(Attention(segment.name, why))
    return tuple(found)


def _outside(segment: SegmentSummary, units: str) -> str:
    if segment.name not in NOT_SEGMENTS or segment.share < UNPLACED:
        return ""
    return f"{words.share(segment.share)} of the {units} could not be placed"


def _slipping(segment: SegmentSummary, summary: SegmentationSummary, overview: Overview) -> str:
    """Why a segment of good customers is about to be lost, if it is."""
    if segment.name in NOT_SEGMENTS or segment.value_share is None or segment.value_share < GOOD * segment.share:
        return ""
    told = worth(overview, summary.value_trait)
    behind = f"{told.short(segment.value)} of {told.word}"
    for effect in (e for e in summary.effects if e.segment == segment.name and e.trait.startswith("recency")):
        if effect.effect is not None and effect.effect >= AWAY:
            stays = words.figure(effect.mean, effect.unit, overview.currency)
            others = words.figure(effect.base_mean, effect.unit, overview.currency)
            good = f"good {summary.units} {'who' if summary.unit == 'customer' else 'that'} stay away: {behind}"
            return f"{good}, last seen {stays} ago on average (everybody: {others})"
    before = segment.customers - (segment.change or 0)
    if before and (segment.change or 0) <= -SHRUNK * before:
        lost = -(segment.change or 0)
        return (
            f"{words.count(lost)} of {words.counted(before, summary.units)} left since the last run; {behind} remains"
        )
    return ""


def _overdue(segment: SegmentSummary, as_of: date) -> str:
    if segment.review_by is None or segment.review_by >= as_of:
        return ""
    return f"its review was due on {words.when(segment.review_by)}"


def verdict(summary: SegmentationSummary) -> str:
    """What the fit concluded about the structure, as a sentence."""
    because = str(summary.report.get("because") or "")
    return because or VERDICTS.get(summary.verdict.strip().lower().rstrip("."), summary.verdict)


def apart(summary: SegmentationSummary, segment: SegmentSummary) -> tuple[Sequence[TraitEffect], Sequence[TraitEffect]]:
    """What sets a segment apart: in the traits that formed it, and in the others.

    Segmentation variables form segments, descriptor variables say who else the members are. Where the segments were
    not found in the data there is only the first list, of both.
    """
    if not summary.report.get("judged") or segment.name in NOT_SEGMENTS:
        return segment.apart, ()
    own = [e for e in summary.effects if e.segment == segment.name]
    forming = distinct([e for e in own if e.trait in summary.variables])
    describing = distinct([e for e in own if e.trait not in summary.variables])
    return forming[:_FORMING], describing[:_DESCRIBING]


def verdict_word(summary: SegmentationSummary) -> str:
    """Natural, reproducible or constructive where the verdict says so; else nothing."""
    return next((word for word in VERDICTS if word in summary.verdict.lower()), "")


def reliability(evidence: Mapping[str, Any]) -> str:
    """How far the scores of a scale or factor can be trusted, without a full stop; empty where nothing is known of it.

    >>> reliability({"alpha": 0.81, "alpha_interval": [0.79, 0.83], "omega": 0.82, "verdict": "good",
    ...              "items": ["q1", "q2", "q3"], "respondents": 940, "explained": 0.24})
    'alpha 0.81 (0.79 to 0.83), omega 0.82: good; 3 items, 940 respondents; explains 24 % of the answers'
    """
    if "respondents" not in evidence:
        return ""
    of = f"{words.counted(len(evidence['items']), 'items')}, {words.counted(evidence['respondents'], 'respondents')}"
    if "alpha" not in evidence:
        return f"reliability not known: {str(evidence.get('refused', 'not enough answers')).rstrip('.')}; {of}"
    low, high = evidence["alpha_interval"]
    found = f"alpha {evidence['alpha']:.2f} ({low:.2f} to {high:.2f}), omega {evidence['omega']:.2f}"
    explains = f"; explains {words.share(evidence['explained'])} of the answers" if "explained" in evidence else ""
    against = f"; against the others: {', '.join(evidence['against'])}" if evidence.get("against") else ""
    return f"{found}: {evidence['verdict']}; {of}{explains}{against}"


def loadings(evidence: Mapping[str, Any]) -> str:
    """How far each item of a factor goes with it, from -1 to 1, the strongest first; empty for what is no factor.

    >>> loadings({"loading": {"q1": 0.4, "q2": -0.71}})
    'q2 -0.71, q1 0.40'
    """
    found: Mapping[str, float] = evidence.get("loading", {})
    return ", ".join(f"{item} {value:.2f}" for item, value in sorted(found.items(), key=lambda each: -abs(each[1])))


_ALL_BUT = 0.95  # from this share of the customers on, those of whom a trait is known stand for all of them


def sets_apart(effect: TraitEffect, currency: str, customers: int = 0) -> str:
    """One trait of a segment against everybody, in plain words; ``customers`` are how many the segment has.

    >>> e = TraitEffect("Loyal", "order_frequency", None, "number", "orders", 90, 12.4, 3.0, 4.0, 1.9)
    >>> sets_apart(e, "GBP")
    'order frequency 12.4 orders, 3.1 times the average of 4'
    >>> e = TraitEffect("Loyal", "channel", "web", "category", "", 90, 0.62, 0.4, 0.31, 0.7)
    >>> sets_apart(e, "GBP")
    'channel is web for 62 % of them (everybody: 31 %)'
    >>> sets_apart(TraitEffect("Fans", "chooses_tasty", None, "boolean", "", 90, 0.98, 0.1, 0.64, 1.4), "GBP")
    "'tasty' chosen by 98 % of them (everybody: 64 %)"
    >>> sets_apart(TraitEffect("Fans", "scale_liking", None, "number", "-5 to 5", 90, 2.7, 1.0, 0.78, 1.2), "GBP")
    'liking 2.7 on a scale of -5 to 5, above the average of 0.78'
    >>> sets_apart(e, "GBP", customers=300)
    'channel is web for 62 % of the 90 of whom it is known (everybody: 31 %)'
    """
    if effect.mean is None or effect.base_mean is None:
        return effect.title
    title = _SHORT_TITLES.get(effect.trait, effect.title)
    if effect.level is not None or effect.kind == "boolean":
        them = "them" if effect.n >= _ALL_BUT * customers else f"the {effect.n:,} of whom it is known"
        by = f"{words.share(effect.mean)} of {them} (everybody: {words.share(effect.base_mean)})"
        ticked = effect.trait.removeprefix(TICKED).replace("_", " ")
        return f"'{ticked}' chosen by {by}" if effect.trait.startswith(TICKED) else f"{title} for {by}"
    said = effect.unit in title.split() and not words.is_share(effect.unit)  # not: order days 9 days
    mine = words.figure(effect.mean, "" if said else effect.unit, currency)
    average = words.figure(effect.base_mean, _unit_if_marked(effect.unit), currency)
    if words.is_range(effect.unit):
        title, mine = title.removeprefix("scale "), f"{mine} on a scale of {effect.unit}"
    higher = (effect.effect or 0.0) > 0
    if (effect.mean > effect.base_mean) is not higher and effect.effect:
        # on the log scale most are lower although the mean is higher (or the reverse): a few giants
        sides = ("higher", "below") if higher else ("lower", "above")
        return f"{title} {sides[0]} for most of them, although the mean, {mine}, is {sides[1]} the average of {average}"
    return f"{title} {mine}, {_against(effect, average)}"


def unit_of(effect: TraitEffect) -> str:
    """The unit of a trait effect's mean: a share for levels and booleans."""
    return "share" if effect.level is not None or effect.kind == "boolean" else effect.unit


def _unit_if_marked(unit: str) -> str:
    """The unit for the second number of a sentence: only where the number would mislead without it."""
    if words.is_money(unit):
        return "currency"
    return unit if words.is_share(unit) or unit in ("year", "0 to 1") else ""


def _against(effect: TraitEffect, average: str) -> str:
    mean, base = effect.mean or 0.0, effect.base_mean or 0.0
    if words.is_share(effect.unit):
        return f"against {average} on average"
    # a score has no natural zero, so that twice as much means nothing
    if mean > 0 and base > 0 and effect.unit != "year" and not words.is_range(effect.unit):
        if mean / base >= _SIMILAR:
            return f"{words.compact(round(mean / base, 1))} times the average of {average}"
        if base / mean >= _SIMILAR:
            return f"{words.share(1 - mean / base)} below the average of {average}"
        return f"a little {'above' if mean > base else 'below'} the average of {average}"
    return f"{'above' if mean > base else 'below'} the average of {average}"
