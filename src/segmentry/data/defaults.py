"""The segmentations that a workspace starts with: those that suit what the files hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segmentry.catalogue import Model
from segmentry.catalogue.needs import NO, YES
from segmentry.columns import Pii
from segmentry.data.known_surveys import LEAST_ITEMS
from segmentry.data.leftovers import AttributeProposal
from segmentry.data.order_lines import Rhythm, friendly
from segmentry.data.profiling import ColumnProfile
from segmentry.data.recognise import SourceProposal
from segmentry.data.vocabulary import has_word

_MOST_TRAITS = 12  # distances over more traits than this say little, and nobody reads the profile
# Groups are formed by what customers do, want and bring; who they are describes them (law: never mix the two).
_FORMING = (Model.BEHAVIORAL, Model.VALUE, Model.NEEDS, Model.PSYCHOGRAPHIC, Model.TECHNOGRAPHIC)
_YES_OR_NO = [{yes, no} for yes in YES for no in NO]
# Forecasts and outcomes: grouping by them would explain a prediction with itself.
_FORECASTS = ("churn", "cltv", "clv", "ltv", "propensity", "predicted", "forecast", "risk score")


@dataclass(frozen=True)
class SegmentationProposal:
    """One segmentation of segmentry.yaml, and what it is for."""

    name: str
    comment: str
    body: dict[str, Any]


@dataclass(frozen=True)
class LifecycleProposal:
    """Where the stages of the life cycle end, in days, and how that was found."""

    new: int
    active: int
    lapsed: int
    comment: str


def lifecycle_days(rhythm: Rhythm | None) -> LifecycleProposal | None:
    """Active is about twice the usual gap between orders (30 to 365 days), lapsed three times that."""
    if rhythm is None:
        return None
    if rhythm.gap is None:
        return LifecycleProposal(30, 90, 365, "no customer has ordered on two days yet, so these are the usual lengths")
    active = friendly(2 * rhythm.gap, 30, 365)
    lapsed = friendly(3 * active, 90, 1095)
    new = 30 if active <= 120 else 60 if active <= 270 else 90
    comment = (
        f"the median repeat customer orders every {rhythm.gap:,} days ({rhythm.repeaters:,} of {rhythm.customers:,} "
        "customers ordered on more than one day); active is about twice that, lapsed three times active"
    )
    return LifecycleProposal(new, active, lapsed, comment)


def default_segmentations(sources: Sequence[SourceProposal]) -> tuple[SegmentationProposal, ...]:
    """The segmentations that suit the sources."""
    found: list[SegmentationProposal] = []
    orders = [s for s in sources if s.kind == "transactions"]
    people = [s for s in sources if s.kind == "customers"]
    if orders:
        found += _of_orders(orders)
    else:
        found += _of_answers(sources)
        found += _of_people(people)
    found += _life_stage(people)
    found += _of_accounts(sources)
    return tuple(found or _by_level(people))


def _of_orders(orders: Sequence[SourceProposal]) -> Iterator[SegmentationProposal]:
    stages = [
        ("New", "lifecycle_stage = 'new'"),
        ("Active regulars", "lifecycle_stage = 'active' and frequency >= 4"),
        ("Active", "lifecycle_stage = 'active'"),
        ("Cooling", "lifecycle_stage = 'cooling'"),
        ("Lapsed", "lifecycle_stage = 'lapsed'"),
    ]
    yield SegmentationProposal(
        "lifecycle",
        "Where customers stand: new, active, cooling down, lapsed. The days are in lifecycle_days; the first condition "
        "that holds takes the customer.",
        {"method": "rules", "segments": [{"name": n, "where": w} for n, w in stages], "rest": "No orders"},
    )
    yield SegmentationProposal(
        "value",
        "Who brings the money: High brings 80 % of it, Medium the next 15 %, Low the rest (ABC analysis).",
        {"method": "value_tiers"},
    )
    yield SegmentationProposal(
        "rfm",
        "Recency, frequency and monetary value, each scored 1 to 5 and read together: champions, at risk, lost ...",
        {"method": "rfm"},
    )
    traits = ["recency_days", "frequency", "monetary", "average_order_value"]
    if any("quantity" in s.columns for s in orders):
        traits.append("items_per_order")
    yield SegmentationProposal(
        "behaviour",
        "Groups of customers that buy alike, found by k-means; how many is chosen from the data.",
        {"method": "kmeans", "traits": traits},
    )


def _of_accounts(sources: Sequence[SourceProposal]) -> Iterator[SegmentationProposal]:
    """Organisations by how the business with them goes; by their size where no opportunities tell."""
    accounts = {target for s in sources if s.kind == "accounts" for target in s.columns}
    deals = {target for s in sources if s.kind == "opportunities" for target in s.columns}
    traits = ["win_rate", "opportunities"] if deals else []
    traits += ["average_deal_value"] if "amount" in deals else []
    traits += ["sales_cycle_days"] if {"created_at", "closes_at"} <= deals else []
    if len(traits) > 2:
        yield SegmentationProposal(
            "accounts",
            "Groups of organisations with which business goes alike, found by k-means; how many the data say.",
            {"method": "kmeans", "unit": "account", "traits": traits},
        )
    elif "employees" in accounts:
        sizes = [(name.capitalize(), f"size_band = '{name}'") for name in ("large", "medium", "small", "micro")]
        yield SegmentationProposal(
            "accounts",
            "Organisations by size: micro under 10 employees, small under 50, medium under 250, large.",
            {
                "method": "rules",
                "unit": "account",
                "segments": [{"name": n, "where": w} for n, w in sizes],
                "rest": "Size not known",
            },
        )


def _of_answers(sources: Sequence[SourceProposal]) -> Iterator[SegmentationProposal]:
    """People who answer alike, where a survey has enough items that are answered by yes or no."""
    for source in sources:
        if source.known is None or source.known.layout != "answers_in_columns":
            continue
        items = [c for c in source.table.columns if {v.casefold() for v in c.levels} in _YES_OR_NO]
        if len(items) >= LEAST_ITEMS:
            yield SegmentationProposal(
                "answers",
                "People who answer alike: latent classes over the items answered by yes or no; how many is chosen from "
                "the data.",
                {"method": "latent_classes", "traits": ["chooses_*"]},
            )
            return


def _of_people(people: Sequence[SourceProposal]) -> Iterator[SegmentationProposal]:
    if any("value" in s.columns for s in people):
        yield SegmentationProposal(
            "value",
            "Who brings the money: High brings 80 % of it, Medium the next 15 %, Low the rest (ABC analysis).",
            {"method": "value_tiers"},
        )
    traits = _forming_traits(people)
    if len(traits) < 2:
        traits = _describing_traits(people)
    if len(traits) >= 2:
        yield SegmentationProposal(
            "groups",
            "Groups of similar customers, found by k-means over these traits; how many is chosen from the data.",
            {"method": "kmeans", "traits": traits, **_allowing(*traits)},
        )


def _allowing(*traits: str) -> dict[str, Any]:
    """Protected traits among these, with the reason that a person may confirm or replace."""
    asked = {t: _REASON for t in traits if t in ("age", "income")}
    return {"allow": asked} if asked else {}


def _forming_traits(people: Sequence[SourceProposal]) -> list[str]:
    """Numbers about what customers do and bring, without forecasts, near constants and near copies of one another."""
    chosen: list[tuple[SourceProposal, str, ColumnProfile]] = []
    firms = any(s.as_customers for s in people)
    models = (*_FORMING, Model.FIRMOGRAPHIC) if firms else _FORMING
    for source in people:
        value = source.columns.get("value")
        rivals = [source.table[value.uses[0]]] if value is not None and len(value.uses) == 1 else []
        for attribute in source.attributes:
            column = source.table[attribute.source]
            if attribute.model not in models or not _usable(attribute, column) or len(chosen) == _MOST_TRAITS:
                continue
            mine = [c for s, _, c in chosen if s is source]
            if any(_alike(column, other) for other in (*rivals, *mine)):
                continue
            chosen.append((source, attribute.name, column))
    return [name for _, name, _ in chosen]


def _usable(attribute: AttributeProposal, column: ColumnProfile) -> bool:
    if attribute.kind != "number" or attribute.fill < 0.5 or attribute.pii in {Pii.DIRECT, Pii.SENSITIVE}:
        return False
    if any(has_word(attribute.source, word) for word in _FORECASTS) or not column.numbers:
        return False
    most = Counter(column.numbers).most_common(1)[0][1] / len(column.numbers)
    return most <= 0.8


def _alike(one: ColumnProfile, other: ColumnProfile) -> bool:
    """Whether two columns are nearly one: a correlation above 0.9 in the sample."""
    known = ~(np.isnan(one.vector) | np.isnan(other.vector))
    if known.sum() < 30:
        return False
    first, second = one.vector[known], other.vector[known]
    if first.std() == 0 or second.std() == 0:
        return False
    return bool(abs(np.corrcoef(first, second)[0, 1]) > 0.9)


def _describing_traits(people: Sequence[SourceProposal]) -> list[str]:
    known = {target for s in people for target in s.columns}
    traits = ["age"] if known & {"age", "birth_date", "birth_year"} else []
    traits += [t for t in ("income", "household_size", "children", "value") if t in known]
    for source in people:
        numbers = [a.name for a in source.attributes if _usable(a, source.table[a.source])]
        traits += [name for name in numbers if name not in traits]
    return traits[:_MOST_TRAITS]


def _life_stage(people: Sequence[SourceProposal]) -> Iterator[SegmentationProposal]:
    known = {target for s in people for target in s.columns}
    if not known & {"age", "birth_date", "birth_year"}:
        return
    if "children" in known:
        stages = [
            ("Young without children", "age < 35 and children = 0"),
            ("Young families", "age < 35 and children >= 1"),
            ("Midlife without children", "age < 60 and children = 0"),
            ("Midlife families", "age < 60 and children >= 1"),
            ("Sixty and over", "age >= 60"),
        ]
        yield SegmentationProposal(
            "life_stage",
            "The stage of life, by age and children. Move the borders to suit your market.",
            {
                "method": "rules",
                "segments": [{"name": n, "where": w} for n, w in stages],
                "rest": "Age or children not known",
                **_allowing("age"),
            },
        )
        return
    # Whose age is not known has no data; so the last group is everybody else, and no condition of its own.
    ages = [("Under 35", "age < 35"), ("35 to 59", "age < 60")]
    yield SegmentationProposal(
        "age_groups",
        "Three generations, by age. Move the borders to suit your market.",
        {
            "method": "rules",
            "segments": [{"name": n, "where": w} for n, w in ages],
            "rest": "60 and over",
            **_allowing("age"),
        },
    )


# Why a proposal may use a protected trait: nothing else there tells these customers apart.
_REASON = "Says how somebody is spoken to, refuses nobody anything. Proposed: confirm or replace this reason."
_NAME_LIKE = re.compile(r"[A-ZÀ-Ý][^\W\d_]+ [A-ZÀ-Ý][^\W\d_]+")


def _by_level(people: Sequence[SourceProposal]) -> Iterator[SegmentationProposal]:
    """The last resort: the levels of one category that is not personal, most frequent first."""
    for source in people:
        for attribute in source.attributes:
            levels = source.table[attribute.source].levels
            if attribute.kind != "category" or attribute.pii is not Pii.NONE or not 2 <= len(levels) <= 20:
                continue
            if sum(1 for level in levels if _NAME_LIKE.fullmatch(level)) > len(levels) / 2:
                continue  # perhaps the names of people, which are not written down
            rules = [
                {"name": level[:60], "where": f"{attribute.name} = '{level.replace(chr(39), chr(39) * 2)}'"}
                for level in levels[:8]
            ]
            if len({rule["name"].casefold() for rule in rules} | {"others"}) == len(rules) + 1:
                yield SegmentationProposal(
                    f"by_{attribute.name}"[:40],
                    f"One segment for each {attribute.source}: the only thing by which the customers differ here.",
                    {"method": "rules", "segments": rules, "rest": "Others"},
                )
                return
