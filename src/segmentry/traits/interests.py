"""Interests: which topics a customer looks at, clicks, shares and buys.

A topic is a product category, or what an event says it is about (its property category, topic, interest or section);
a page is about the topic that its address names: ``/c/office-supplies``. Buying, looking, and social engagement count
alike, each once per topic and day, so that an afternoon of clicks is no passion. Where no event tells a topic there are
no interests: what was bought is in ``category_share_*``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import Trait, lookup, member
from segmentry.traits.known import KEY, Expression, Known, Part, column, levels

_FAMILY = "interest_*"
_PROPERTIES = ("category", "topic", "interest", "section", "content_category")
_WANTED = "wanted"  # false: a topic that somebody took out of their preferences is none of their interests
_FREQUENT = 0.01  # a topic with at least this share of what tells a topic gets its own trait
_MOST = 12  # and so many of them at most
_OTHER = -1  # the place of all other topics


@dataclass
class _Topic:
    """A topic by its most frequent spelling, and what is about it."""

    title: str
    values: list[str] = field(default_factory=list)  # categories and properties
    pages: list[str] = field(default_factory=list)
    weight: int = 0
    told: int = 0  # of the weight, by events


def traits(known: Known) -> Part:
    """A trait for each frequent topic; none where events tell no topic."""
    if "events" not in known.facts:
        return Part()
    events = _told(known.facts["events"])
    topics = _topics(
        levels(known.sold("category")["category"]) if known.ready("top_category") else {},
        levels(events["said"]) if "said" in events.columns else {},
        levels(events["page"]) if "page" in events.columns else {},
    )
    if not any(topic.told for topic in topics.values()):
        return Part()
    least = _FREQUENT * sum(topic.weight for topic in topics.values())
    frequent = sorted((n for n, t in topics.items() if t.weight >= least), key=lambda n: (-topics[n].weight, n))
    needed = sorted(name for name in known.also if name.startswith(_FAMILY.removesuffix("*")))
    chosen = list(dict.fromkeys([*frequent[:_MOST], *needed]))
    return _shares(_signals(known, events, topics, chosen), topics, chosen)


def _told(events: ir.Table) -> ir.Table:
    """Events with what tells their topic: ``said`` in their properties, the ``page``."""
    columns: dict[str, ir.Value] = {"day": events["time"].cast("date")}
    social = events["channel"].lower() == "social" if "channel" in events.columns else ibis.literal(False)
    columns["how"] = social.fill_null(False).ifelse("shared", "looked")
    there = _properties(events)
    if said := [engine.json_text(events["properties"], (name,)) for name in _PROPERTIES if name in there]:
        columns["said"] = ibis.coalesce(*said)
        if _WANTED in there:
            unwanted = engine.json_text(events["properties"], (_WANTED,)).lower() == "false"
            columns["said"] = unwanted.fill_null(False).ifelse(ibis.null("string"), columns["said"])
    if "page" in events.columns:
        columns["page"] = events["page"]
    return events.select(KEY, **columns)


def _properties(events: ir.Table) -> set[str]:
    """Those properties that any event may have: to look for a word is a tenth of the work of reading JSON."""
    if "properties" not in events.columns:
        return set()
    found = {name: engine.count_where(events["properties"].contains(f'"{name}"')) for name in (*_PROPERTIES, _WANTED)}
    row = events.agg(**found).to_pyarrow().to_pylist()[0]
    return {name for name, count in row.items() if count}


def _topics(bought: Mapping[str, int], said: Mapping[str, int], seen: Mapping[str, int]) -> dict[str, _Topic]:
    """The topics by the name of their trait."""
    found: dict[str, _Topic] = {}
    for values, by_event in ((bought, False), (said, True)):
        for value, n in values.items():
            if value.strip():
                topic = found.setdefault(member(_FAMILY, value).name, _Topic(value))
                topic.values.append(value)
                topic.weight += n
                topic.told += n if by_event else 0
    for page, n in seen.items():
        path = re.sub(r"^[a-z]+://[^/]*|[?#].*$", "", page)
        names = [member(_FAMILY, part).name for part in path.split("/") if part.strip()]
        about = next((name for name in reversed(names) if name in found), None)
        if about is not None:
            found[about].pages.append(page)
            found[about].weight += n
            found[about].told += n
    return found


def _signals(known: Known, events: ir.Table, topics: Mapping[str, _Topic], chosen: Sequence[str]) -> ir.Table:
    """Customer, the place of a topic among the ``chosen``, how it showed, and the day: each once."""
    told = events.mutate(topic=_topic(events, topics, chosen, [n for n in ("said", "page") if n in events.columns]))
    signals = told.filter(told["topic"].notnull()).select(KEY, "topic", "how", "day")
    if known.ready("top_category"):
        lines = known.sold("category")
        bought = lines.mutate(topic=_topic(lines, topics, chosen, ["category"]), how=ibis.literal("bought"))
        signals = signals.union(bought.filter(bought["topic"].notnull()).select(KEY, "topic", "how", "day"))
    return signals.distinct()


def _topic(
    rows: ir.Table, topics: Mapping[str, _Topic], chosen: Sequence[str], columns: Sequence[str]
) -> ir.IntegerValue:
    """The place of the topic that the first of some columns tells; null where none does."""
    places: list[ir.IntegerValue] = []
    for name_of in columns:
        of = {name: topic.pages if name_of == "page" else topic.values for name, topic in topics.items()}
        found = [(place, of[name]) for place, name in enumerate(chosen) if of.get(name)]
        rest = [value for name, values in of.items() if name not in chosen for value in values]
        cases = [
            (rows[name_of].isin(values), ibis.literal(place)) for place, values in [*found, (_OTHER, rest)] if values
        ]
        if cases:
            places.append(ibis.cases(*cases, else_=ibis.null("int64")))
    return ibis.coalesce(*places) if places else ibis.null("int64")


def _shares(signals: ir.Table, topics: Mapping[str, _Topic], chosen: Sequence[str]) -> Part:
    counts = {f"topic_{place}": engine.count_where(signals["topic"] == place) for place in range(len(chosen))}
    per = signals.group_by(KEY).agg(signals=signals.count(), **counts)
    table = per.select(
        KEY, **{name: engine.ratio(per[f"topic_{place}"], per["signals"]) for place, name in enumerate(chosen)}
    )
    made: dict[Trait, Expression] = {}
    for name in chosen:
        trait = member(_FAMILY, topics[name].title) if name in topics else lookup(name)
        assert trait is not None
        made[trait] = column(name)
    return Part(passes=(table,), traits=made)
