"""Customer lifetime value: models learned from purchase histories, and the traits that they give every customer.

``histories.py`` counts (x, t_x, T) in the engine, ``fitting.py`` learns the models and chooses one, ``contracts.py``
does both for contracts that are renewed, ``learned.py`` is what stays of it, ``scoring.py`` makes traits of that. They
are imported where they are needed: the mathematics behind them takes a second of a command's start.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from segmentry.config.lifetime import CONTRACTS
from segmentry.traits.known import Expression, Known, Part

__all__ = ["NAME", "TRAITS", "learn", "ready", "traits"]

NAME = "lifetime"
NO_VALUES = "No values"  # begins the note that says why there are only orders to come
_OF_VALUE = ("expected_spend", "clv_*", "clv_to_cac", "value_at_risk")
TRAITS = ("p_alive", "churn_risk", "expected_orders_*", *_OF_VALUE)


def ready(known: Known) -> bool:
    """Whether there is anything to learn from."""
    settings = known.settings.lifetime
    if settings.model == CONTRACTS:
        from segmentry.traits.lifetime import contracts  # noqa: PLC0415

        return contracts.ready(known, settings)
    return settings.model != "none" and known.lines is not None and known.counts["sales"] > 0


def learn(known: Known, seed: int) -> dict[str, Any]:
    """Learn the models as of ``known.as_of``; raises :class:`FitError` where the data do not determine one."""
    from segmentry.traits.lifetime import contracts, fitting  # noqa: PLC0415

    settings = known.settings.lifetime
    found = contracts.learn(known, settings) if settings.model == CONTRACTS else fitting.learn(known, settings, seed)
    return found.to_dict()


def traits(known: Known, acquisition_cost: Expression | None = None) -> Part:
    """The traits of lifetime value, where models have been learned."""
    given = known.learned.get(NAME)
    if known.settings.lifetime.model == "none":
        return Part(absent=dict.fromkeys(TRAITS, "segmentry.yaml says `lifetime: {model: none}`"))
    if not ready(known):
        unfilled = "what `lifetime.contract` of segmentry.yaml names is not in the data, or has no values"
        return Part(absent=dict.fromkeys(TRAITS, unfilled) if known.settings.lifetime.model == CONTRACTS else {})
    if given is None:
        return Part()
    from segmentry.traits.lifetime import scoring  # noqa: PLC0415
    from segmentry.traits.lifetime.learned import LifetimeModels  # noqa: PLC0415

    learned = LifetimeModels.from_dict(given)
    found = scoring.traits(known, learned, acquisition_cost)
    why = next((note for note in learned.notes if note.startswith(NO_VALUES)), "")
    if any(trait.name == "expected_spend" for trait in found.traits):
        return found
    return replace(found, absent=dict.fromkeys(_OF_VALUE, why.rstrip(".") or "no contract says what it pays"))
