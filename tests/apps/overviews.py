"""Overviews to draw: a company whose numbers fit together, and the odd ones that must not break a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np

from segmentry.catalogue import Model, Trait
from segmentry.data.reconcile import Reconciliation, Step
from segmentry.overview import Overview, TraitCover
from segmentry.segment import rfm
from segmentry.segment.cuts import even_cuts
from segmentry.segmentation import NO_DATA_NAME, NO_GOOD_FIT_NAME
from segmentry.target.profiles import BASE, SegmentationSummary, SegmentSummary, TraitEffect, apart

AS_OF = date(2011, 12, 9)
N = 4_372
TRAITS = (
    Trait("recency_days", Model.BEHAVIORAL, "number", "Days since the last order.", "days"),
    Trait("frequency", Model.BEHAVIORAL, "number", "Orders.", "orders"),
    Trait("monetary", Model.VALUE, "number", "Paid for orders, returns taken off.", "currency"),
    Trait("average_order_value", Model.BEHAVIORAL, "number", "Paid for an order on average.", "currency"),
    Trait("items_per_order", Model.BEHAVIORAL, "number", "Pieces in an order on average.", "pieces"),
    Trait("return_rate", Model.BEHAVIORAL, "number", "Returned pieces of all pieces.", "share"),
    Trait("newsletter", Model.BEHAVIORAL, "boolean", "Reads the newsletter."),
    Trait("country", Model.GEOGRAPHIC, "category", "Country of residence."),
    Trait("channel", Model.BEHAVIORAL, "category", "The channel used most."),
    Trait("income", Model.DEMOGRAPHIC, "number", "Yearly income.", "currency a year"),
)
MEANINGS = {
    "Champions": ("They bought just now, buy often and spend the most.", "Reward them, ask for referrals."),
    "At Risk": ("They used to buy a lot and stay away now.", "Ask what went wrong, offer help."),
    "Lost": ("They bought little, long ago.", "Leave them alone unless it costs nothing."),
}

Numbers = np.ndarray[Any, np.dtype[Any]]


@cache
def realistic() -> Overview:
    """An online shop with an RFM grid, value tiers, k-means groups and a life cycle by rule."""
    data = _customers()
    return Overview(
        name="Harbour & Finch Ltd",
        currency="GBP",
        as_of=AS_OF,
        first_record=date(2010, 12, 1),
        last_record=AS_OF,
        customers=N,
        customers_with_orders=4_339,
        orders=int(data["frequency"].sum()),
        revenue=float(data["monetary"].sum()) / 0.85,
        anonymous_share=0.15,
        value_trait="monetary",
        pareto=_curve(data["monetary"]),
        reconciliations=(_orders(float(data["monetary"].sum()) / 0.85), _crm()),
        caveats=(
            "15 % of the revenue has no customer behind it: segments speak of the other 85 %.",
            "The last month holds 9 days only.",
        ),
        traits=tuple(
            TraitCover(t, rate)
            for t, rate in zip(TRAITS, (0.99, 0.99, 0.99, 0.99, 0.97, 0.97, 0.4, 1.0, 0.99, 0.08), strict=True)
        ),
        segmentations=(_lifecycle(data), _rfm(data), _tiers(data), _needs(data)),
        primary="rfm",
        not_fitted=(("hobbies", "No customer answered the survey that it needs."),),
    )


def hostile() -> Overview:
    """The same company, with names and texts that try to get out of where they stand."""
    attack = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;%{x}"
    found = realistic()
    primary = found.segmentations[1]
    first = replace(primary.segments[0], name=attack, meaning=attack, action=attack, criteria=attack, owner=attack)
    renamed = replace(
        primary,
        purpose=attack,
        warnings=(attack,),
        segments=(first, *primary.segments[1:]),
        effects=tuple(replace(e, segment=attack) if e.segment == "Champions" else e for e in primary.effects),
        report={
            **primary.report,
            "cells": [{**c, "segment": c["segment"].replace("Champions", attack)} for c in primary.report["cells"]],
        },
    )
    return replace(found, name=attack, caveats=(attack,), segmentations=(renamed, *found.segmentations[2:]))


def one_customer() -> Overview:
    """A base of one, nothing worth a comparison."""
    found = realistic()
    primary = found.segmentations[1]
    segments = tuple(
        replace(
            s,
            customers=int(s.name == "New"),
            share=float(s.name == "New"),
            value=None,
            value_share=None,
            change=None,
            apart=(),
        )
        for s in primary.segments
    )
    report = {"cells": [{"score": "5-1-1", "segment": "New", "customers": 1, "value": None}]}
    only = replace(primary, customers=1, segments=segments, effects=(), report=report, value_trait=None)
    return replace(found, customers=1, customers_with_orders=1, orders=1, pareto=((1.0, 1.0),), segmentations=(only,))


def without_value() -> Overview:
    """No orders at all: nothing about money is known."""
    found = realistic()
    return replace(
        found,
        currency="",
        customers_with_orders=None,
        orders=None,
        revenue=None,
        anonymous_share=None,
        value_trait=None,
        pareto=(),
        first_record=None,
        last_record=None,
        segmentations=tuple(
            replace(s, value_trait=None, segments=tuple(replace(x, value=None, value_share=None) for x in s.segments))
            for s in found.segmentations
        ),
    )


def without_segmentations() -> Overview:
    """Nothing fitted, nothing collected."""
    found = realistic()
    return replace(found, segmentations=(), primary=None, traits=(), reconciliations=(), caveats=())


def nobody_placed() -> Overview:
    """Everybody is in 'No data'."""
    found = realistic()
    primary = found.segmentations[1]
    segments = tuple(
        replace(
            s,
            customers=N * (s.name == NO_DATA_NAME),
            share=float(s.name == NO_DATA_NAME),
            value=None,
            value_share=None,
            apart=(),
        )
        for s in primary.segments
    )
    return replace(found, segmentations=(replace(primary, segments=segments, effects=(), report={}),))


def _customers() -> dict[str, Numbers]:
    rng = np.random.default_rng(7)
    loyalty = rng.normal(size=N)
    frequency = 1 + rng.poisson(np.exp(0.4 + 0.9 * loyalty))
    basket = np.exp(rng.normal(5.2, 0.6, N) + 0.3 * loyalty)
    return {
        "recency_days": np.clip(rng.exponential(95, N) * np.exp(-0.7 * loyalty), 0, 373).round(),
        "frequency": frequency.astype(float),
        "monetary": frequency * basket,
        "average_order_value": basket,
        "items_per_order": basket / rng.uniform(1.2, 3, N),
        "return_rate": np.clip(rng.beta(1, 20, N) + 0.02 * (loyalty < -1), 0, 1),
        "newsletter": (rng.uniform(size=N) < 1 / (1 + np.exp(-loyalty))).astype(float),
        "country": rng.choice(["United Kingdom", "Germany", "France"], N, p=[0.9, 0.06, 0.04]),
        "channel": np.where(rng.uniform(size=N) < 0.5 + 0.1 * loyalty, "web", "telephone"),
        "income": rng.normal(38_000, 9_000, N),
    }


def _score(values: Numbers, falling: bool = False) -> Numbers:
    score = 1 + np.searchsorted(even_cuts(values, 5), values, side="right")
    return 6 - score if falling else score


def _rfm(data: Mapping[str, Numbers]) -> SegmentationSummary:
    r, f, m = _score(data["recency_days"], falling=True), _score(data["frequency"]), _score(data["monetary"])
    labels = np.array([rfm.name_of(*scores) for scores in zip(r, f, m, strict=True)], dtype=object)
    labels[:33] = NO_DATA_NAME
    cells: dict[tuple[str, str], list[float]] = {}
    for name, value, *score in zip(labels, data["monetary"], r, f, m, strict=True):
        if name != NO_DATA_NAME:
            cells.setdefault(("-".join(map(str, score)), name), []).append(float(value))
    report = {
        "verdict": "constructive",
        "because": "The segments are a fixed grid over the three scores.",
        "cells": [
            {"score": score, "segment": name, "customers": len(values), "value": sum(values)}
            for (score, name), values in sorted(cells.items())
        ],
    }
    names = [*rfm.SEGMENTS, NO_DATA_NAME, NO_GOOD_FIT_NAME]
    found = _summary("rfm", labels, names, data, ("recency_days", "frequency", "monetary"), report)
    overdue = replace(found.segments[1], owner="Mira (CRM)", review_by=date(2011, 11, 1), purpose="keep them close")
    changed = tuple(
        replace(s, change=c)
        for s, c in zip(found.segments, (12, -7, 0, 41, -3, 5, -80, -2, 9, 4, 21, 0, 0), strict=True)
    )
    return replace(found, segments=(changed[0], replace(overdue, change=-7), *changed[2:]), method="rfm")


def _curve(values: Numbers) -> tuple[tuple[float, float], ...]:
    steps = np.linspace(0, 1, 101)
    heights = np.interp(steps, np.arange(1, N + 1) / N, np.cumsum(np.sort(values)[::-1]) / values.sum())
    return tuple(zip(steps.tolist(), heights.tolist(), strict=True))


def _tiers(data: Mapping[str, Numbers]) -> SegmentationSummary:
    order = np.argsort(-data["monetary"])
    running = np.cumsum(data["monetary"][order]) / data["monetary"].sum()
    labels = np.empty(N, dtype=object)
    labels[order] = np.select([running <= 0.5, running <= 0.8], ["High", "Medium"], "Low")
    cuts = [float(data["monetary"][labels == name].min()) for name in ("High", "Medium")]
    report = {
        "cuts": cuts,
        "trait": "monetary",
        "because": "Value falls off smoothly; where the tiers end is a choice.",
        "curve": _curve(data["monetary"]),
    }
    return replace(
        _summary("value", labels, ["High", "Medium", "Low"], data, ("monetary",), report), method="value_tiers"
    )


def _needs(data: Mapping[str, Numbers]) -> SegmentationSummary:
    frequent, large = data["frequency"] >= 4, data["average_order_value"] >= 260
    names = [
        "frequent buyers with large baskets",
        "frequent buyers",
        "large-basket, silent customers",
        "occasional buyers",
    ]
    labels = np.select([frequent & large, frequent, large], names[:3], names[3]).astype(object)
    labels[data["monetary"] > 40_000] = NO_GOOD_FIT_NAME
    rng = np.random.default_rng(3)
    panel = []
    for k, mean in zip(range(2, 9), (0.93, 0.88, 0.86, 0.71, 0.66, 0.6, 0.58), strict=True):
        runs = np.clip(rng.normal(mean, 0.04 + 0.01 * k, 50), 0, 1)
        evidence = {"mean_ari": float(runs.mean()), "min_jaccard": mean - 0.05, "smallest_share": 0.5 / k}
        panel.append({"k": k, "ari": runs.tolist(), **evidence})
    report = {
        "panel": panel,
        "k": 4,
        "because": "Four segments come out again on resampled customers, though no gaps lie between them.",
    }
    variables = ("recency_days", "frequency", "average_order_value", "return_rate")
    found = _summary("needs", labels, [*names, NO_DATA_NAME, NO_GOOD_FIT_NAME], data, variables, report)
    typical = tuple(
        replace(s, mean_fit=fit) for s, fit in zip(found.segments, (0.71, 0.64, 0.69, 0.77, None, 0.12), strict=True)
    )
    warned = ("channel is a category: it counts as yes/no columns. Read the result with care.",)
    return replace(found, segments=typical, method="kmeans", verdict="reproducible", warnings=warned)


def _lifecycle(data: Mapping[str, Numbers]) -> SegmentationSummary:
    away = data["recency_days"]
    labels = np.select([away <= 30, away <= 120, away <= 240], ["Active", "Cooling", "Quiet"], "Gone").astype(object)
    names = ["Active", "Cooling", "Quiet", "Gone"]
    found = _summary("lifecycle", labels, names, data, ("recency_days",), {"because": "The segments were set by rule."})
    return replace(found, method="rules", population="frequency > 0", outside_population=33)


def _summary(
    name: str,
    labels: Numbers,
    names: Sequence[str],
    data: Mapping[str, Numbers],
    variables: tuple[str, ...],
    report: Mapping[str, Any],
) -> SegmentationSummary:
    effects = tuple(e for trait in TRAITS for e in _effects(trait, data[trait.name], labels, names))
    total = float(data["monetary"].sum())
    segments = []
    for segment in names:
        inside = labels == segment
        value = float(data["monetary"][inside].sum())
        meaning, action = MEANINGS.get(segment, (f"They are {segment.lower()}.", "Talk to them."))
        segments.append(
            SegmentSummary(
                name=segment,
                meaning=meaning,
                action=action,
                criteria="recency score 4 to 5, mean of frequency and monetary score 2",
                purpose="",
                owner="",
                review_by=None,
                customers=int(inside.sum()),
                share=float(inside.mean()),
                value=value,
                value_share=value / total,
                mean_fit=1.0,
                mean_margin=0.4,
                change=None,
                apart=apart(effects, segment),
            )
        )
    return SegmentationSummary(
        name=name,
        method="rules",
        version=1,
        as_of=AS_OF,
        purpose="Decide whom to keep, whom to win back and whom to leave alone.",
        population="",
        customers=N,
        outside_population=0,
        value_trait="monetary",
        verdict="constructive",
        warnings=(),
        segments=tuple(segments),
        effects=effects,
        variables=variables,
        report=report,
    )


def _effects(trait: Trait, values: Numbers, labels: Numbers, names: Sequence[str]) -> list[TraitEffect]:
    levels = list(dict.fromkeys(values.tolist())) if trait.kind == "category" else [None]
    found = []
    for level in levels:
        numbers = (values == level).astype(float) if level is not None else values
        scaled = np.log1p(numbers) if trait.kind == "number" and trait.unit != "share" else numbers
        common = (trait.name, level, trait.kind, trait.unit)
        base = float(numbers.mean())
        found.append(TraitEffect(BASE, *common, len(numbers), base, float(numbers.std()), base, None))
        for name in names:
            inside = labels == name
            n = int(inside.sum())
            if not n:
                continue
            effect = (
                float((scaled[inside].mean() - scaled[~inside].mean()) / scaled.std()) if 1 < n < len(scaled) else None
            )
            found.append(
                TraitEffect(name, *common, n, float(numbers[inside].mean()), float(numbers[inside].std()), base, effect)
            )
    return found


def _orders(revenue: float) -> Reconciliation:
    return Reconciliation(
        "shop",
        "transactions",
        1,
        (
            Step("rows read", 0, 541_909, None, revenue, 1.0),
            Step("quarantined", 1, 2_517, None, 0.0, 0.0),
            Step("no price", 2, 2_515, None, 0.0, 0.0),
            Step("date cannot be read", 2, 2, None, 0.0, 0.0),
            Step("duplicates of rows read before", 1, 0, None, 0.0, 0.0),
            Step("kept", 1, 539_392, None, revenue, 1.0),
            Step("without a customer", 2, 135_080, None, revenue * 0.15, 0.15),
            Step("of a customer", 2, 404_312, 4_372, revenue * 0.85, 0.85),
        ),
        ("8,905 rows are returns: their amounts are negative and count.",),
    )


def _crm() -> Reconciliation:
    return Reconciliation("crm", "customers", 2, (Step("rows read", 0, 4_372, 4_372), Step("kept", 1, 4_372, 4_372)))
