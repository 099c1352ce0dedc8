"""What must be learned from all customers before traits can be made of it: parameters, themes, factors.

Learned once and then frozen, like a segmentation: another day's customers are described by the same model. It is
learned anew when its part of segmentry.yaml changes, or when somebody asks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from segmentry.catalogue import TRAITS
from segmentry.errors import FitError
from segmentry.traits import factors, lifetime, needs
from segmentry.traits.known import Known, Settings


@dataclass(frozen=True)
class Learner:
    """One kind of model.

    ``settings`` gives the settings that it depends on, as plain data; ``ready`` says whether there are data of the
    kind at all; ``learn`` gives the model as plain data without anything personal, by a seed, and raises
    :class:`FitError` where the data cannot support one. ``traits`` are those of the catalogue that take the model.
    """

    settings: Callable[[Settings], Any]
    ready: Callable[[Known], bool]
    learn: Callable[[Known, int], dict[str, Any]]
    traits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Learned:
    """A model as of the day when it was learned; ``refused`` says why there is none, and ``model`` is empty then."""

    version: int
    as_of: date
    settings: str
    model: Mapping[str, Any]
    refused: str = ""


LEARNERS: dict[str, Learner] = {
    lifetime.NAME: Learner(
        lambda settings: settings.lifetime.model_dump(mode="json"), lifetime.ready, lifetime.learn, lifetime.TRAITS
    ),
    "factors": Learner(factors.settings, factors.ready, factors.learn, ("factor_*",)),
    "benefits": Learner(needs.settings, needs.ready, needs.learn),
}


def learn(known: Known, before: Mapping[str, Learned], again: Collection[str] = ()) -> dict[str, Learned]:
    """By learner, the models that hold now: those of ``before``, and anew those that are due.

    Due is what was never learned or was refused, what has other settings now, and what is named in ``again``. A model
    whose data are gone stays for the day when they come back, and so does one whose traits nobody wants.
    """
    held = dict(before)
    for name, learner in LEARNERS.items():
        settings = json.dumps(learner.settings(known.settings), sort_keys=True, default=str)
        old = before.get(name)
        due = old is None or old.refused or old.settings != settings or name in again
        unwanted = learner.traits and not any(known.wants(TRAITS[name]) for name in learner.traits)
        if not due or unwanted or not learner.ready(known):
            continue
        version = (old.version if old else 0) + 1
        try:
            model, refused = learner.learn(known, known.settings.seed), ""
        except FitError as error:
            model, refused = {}, str(error)
        held[name] = Learned(version, known.as_of, settings, model, refused)
    return held
