"""Traits: one row per customer (or account) as of a date, one column per trait of the catalogue whose data are there.

Each model has a file; ``PIPELINE`` is their order. A model says which sums over the order lines it needs, and all of
them are made in one scan of the lines (law 11).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from segmentry.catalogue import TRAITS, from_json, to_json
from segmentry.declaration import tables_of
from segmentry.errors import DataError, FitError
from segmentry.traits import (
    absence,
    accounts,
    attributes,
    behavioral,
    declared,
    demographic,
    engagement,
    events,
    firmographic,
    geographic,
    needs,
    places,
    psychographic,
    rhythm,
    technographic,
    themes,
    value,
)
from segmentry.traits.accounts import Organisations
from segmentry.traits.declared import Definition, definitions
from segmentry.traits.known import Facts, Known, Part, Settings, combine, known
from segmentry.traits.learning import LEARNERS, Learned, learn
from segmentry.traits.needs import rated_needs
from segmentry.traits.table import TraitTable, joined
from segmentry.traits.themes import LEAST_CUSTOMERS, ThemeSummary

__all__ = [
    "FURTHER",
    "LEARNERS",
    "LEAST_CUSTOMERS",
    "PIPELINE",
    "Definition",
    "Facts",
    "Learned",
    "Organisations",
    "Settings",
    "ThemeSummary",
    "TraitTable",
    "accounts",
    "compute",
    "definitions",
    "from_json",
    "rated_needs",
    "theme_summaries",
    "to_json",
]


def _of_events(known: Known) -> Part:
    """The models that are made from events look at them together."""
    log = events.look(known)
    return Part() if log is None else combine(engagement.traits(known, log), technographic.traits(known, log))


PIPELINE: dict[str, Callable[[Known], Part]] = {
    "behavioral": behavioral.traits,
    "rhythm": rhythm.traits,
    "events": _of_events,
    "value": value.traits,
    "needs": needs.traits,
    "geographic": geographic.traits,
    "demographic": demographic.traits,
    "firmographic": firmographic.traits,
    "psychographic": psychographic.traits,
    "themes": themes.traits,
    "attributes": attributes.traits,
    "places": places.traits,
}
LEARNERS[themes.NAME] = themes.THEMES
# Facts about customers besides what they bought.
FURTHER = tuple(table for table in tables_of("customer") if table != "transactions")


def compute(
    facts: Facts,
    as_of: date,
    settings: Settings | None = None,
    *,
    also: frozenset[str] = frozenset(),
    own: Sequence[Definition] = (),
    learned: Mapping[str, Learned] | None = None,
    again: Collection[str] = (),
) -> TraitTable:
    """Every trait whose data are there, for every customer known at the end of the day ``as_of``.

    Nothing that happened later has any influence. ``also`` names traits that frozen segmentations need: members of
    a family (``channel_share_web``) stay even when their value is no longer frequent. ``own`` are the declared
    traits. ``learned`` are the models that were learned before; what is missing, outdated or named in ``again`` is
    learned now.
    """
    read = also | {name for definition in own for name in definition.traits}
    settings = settings or Settings()
    psychographic.check(facts.further.get("responses"), settings.surveys)
    now = known(facts, as_of, settings, read)
    models = learn(now, learned or {}, again)
    now = replace(now, learned={name: made.model for name, made in models.items() if not made.refused})
    part = combine(*(model(now) for model in PIPELINE.values()))
    made = joined(now, part)
    absence.require_known(settings.describe_by, part.traits)
    added = declared.add(made.table, now, own, needed=also)
    told = {**absence.refusals(models), **part.absent, **absence.unwanted(now, TRAITS.values())}
    return TraitTable(
        added.table,
        (*made.traits, *(d.trait for d in added.made)),
        {**absence.absent(now, TRAITS.values(), made.traits, told), **part.absent, **added.absent},
        models,
        part.evidence,
        part.notes,
    )


def theme_summaries(
    facts: Facts, as_of: date, settings: Settings, learned: Mapping[str, Learned]
) -> tuple[ThemeSummary, ...]:
    """The themes of what customers wrote until ``as_of``, with typical texts, masked.

    Raises :class:`FitError` when the texts made none, and :class:`DataError` where there were none.
    """
    made = learned.get(themes.NAME)
    if made is None:
        raise DataError(
            "There are no texts of customers in their own words.",
            fix="Add a survey with an open question, or tickets or reviews with their text, and run again.",
        )
    if made.refused:
        raise FitError(made.refused)
    now = replace(known(facts, as_of, settings, frozenset()), learned={themes.NAME: made.model})
    return themes.summaries(now, settings.seed)
