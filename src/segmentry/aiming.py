"""The work of the stage aim: what goes with the behaviour of an objective, and who else is like its customers.

An aim is learned once and stays frozen, as a fit does; the score is computed anew on every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from segmentry import segment, traits
from segmentry.catalogue import Trait
from segmentry.config import FILE_NAME, Config
from segmentry.data import privacy
from segmentry.data.privacy import Drawn
from segmentry.describing import base_of
from segmentry.engine import Session, Writer
from segmentry.segment import bias, objectives
from segmentry.segment.fitting import Before
from segmentry.segment.objectives import Aim
from segmentry.segmentation import TRAIT_TABLES
from segmentry.state import Run

_EVER = 1_000_000  # days: a trait that looks back at all time


def learn(name: str, config: Config, session: Session, now: Run, earlier: Run | None) -> Aim:
    """What the sample says about an objective; ``session`` has the tables of both runs under ``traits``, ``earlier``.

    Raises :class:`FitError` when it cannot say.
    """
    objective = config.objectives[name]
    drawn, specs = _drawn(name, config, session, now, earlier)
    current = {t.name: t for t in traits.from_json(base_of(now, objective.unit)["traits"])}
    where = f"{FILE_NAME} objectives.{name}"
    seen = bias.watched(objective, bias.protected(config.bias, specs), where=where)
    seed = config.sample.seed
    learning = segment.Learning(
        drawn.rows, specs, where, seed=seed, weights=drawn.weights, barred=bias.barred(seen), watched=seen
    )
    day = now.as_of or date.min
    return objectives.aim(name, objective, learning, as_of=day, defining=current, windows=_windows(config, day))


def before(name: str, config: Config, session: Session, now: Run, earlier: Run, population: str | None) -> Before:
    """What a tree of an objective with a horizon learns from: whom ``population`` held then; else as :func:`learn`."""
    drawn, _ = _drawn(name, config, session, now, earlier, population)
    met = drawn.rows[objectives.MET.name].to_numpy(dtype=bool)
    rows = drawn.rows.drop(columns=objectives.MET.name)
    return Before(rows, drawn.weights, met, _windows(config, now.as_of or date.min))


def _drawn(
    name: str, config: Config, session: Session, now: Run, earlier: Run | None, population: str | None = None
) -> tuple[Drawn, dict[str, Trait]]:
    """A sample of the population of an objective, with a column that says who behaves so; and what its columns are."""
    objective = config.objectives[name]
    table, base = TRAIT_TABLES[objective.unit], base_of(earlier or now, objective.unit)
    specs = {t.name: t for t in traits.from_json(base["traits"])}
    past = session.table("earlier", table) if earlier else None
    rows = objectives.with_behaviour(session.table("traits", table), name, objective, past)
    met = objectives.MET  # who behaves so is drawn apart, so that rare behaviour is seen often enough (decision 0043)
    wanted = config.sample
    known = {**specs, met.name: met}
    found = privacy.draw(rows, known, by=(met.name,), size=wanted.size, seed=wanted.seed, population=population)
    return found, specs


def score(learned: Run, session: Session, writer: Writer) -> dict[str, Any]:
    """Write the table ``lookalikes`` from the table of traits that the session has under ``traits``."""
    aim = of(learned)
    if not aim.refused:
        writer.write("lookalikes", aim.lookalikes(session.table("traits", TRAIT_TABLES[aim.unit])))
    return {"unit": aim.unit}


def of(learned: Run) -> Aim:
    """The aim that a run of the stage left."""
    return Aim.from_json(learned.facts["aim"])


def _windows(config: Config, day: date) -> Mapping[str, int]:
    """How many days each declared trait looks back, whatever its name says."""
    found = {}
    for name, trait in config.traits.items():
        window = trait.window if trait.within is not None else None
        found[name] = (day - window.first(day)).days + 1 if window is not None else _EVER
    return found
