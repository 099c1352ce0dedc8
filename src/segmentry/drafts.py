"""A fit that is tried before it is made: who would move, and the value with them."""

from __future__ import annotations

from collections.abc import Sequence

from segmentry import config, due, segment
from segmentry.artefacts import load_segmentation
from segmentry.describing import base_of
from segmentry.errors import DataError
from segmentry.segmentation import KEYS, TRAIT_TABLES, Segmentation
from segmentry.state import Run
from segmentry.target import assignment, trial
from segmentry.target.trial import Trial
from segmentry.workspace import Workspace


def compare(space: Workspace, name: str, methods: Sequence[str], segments: int | None = None) -> Segmentation:
    """A segmentation as ``fit`` would learn it, with other methods beside it: ``report["compared"]``. Nothing is kept.

    Raises what ``Workspace.fit`` raises, and :class:`UsageError` where a method does not find its segments.
    """
    run, settings = _settled(space, name)
    settings = segment.asked(settings, segments, methods, where=f"segmentation {name}")
    reads = space.learns_from(run, due.horizon(space.config, settings))
    with space.engine.session({alias: r.id for alias, r in reads.items()}) as session:
        return space.learned(session, reads, name, settings)


def _settled(space: Workspace, name: str) -> tuple[Run, config.Segmentation]:
    """The traits there are, and the settings of a segmentation."""
    run = space.state.current().get("traits")
    if run is None or name not in space.config.segmentations:
        space.segmentation(name)  # says what is missing
        raise DataError("There are no traits yet.", fix="Run `segmentry run`.")
    return run, space.config.segmentations[name]


def try_fit(space: Workspace, name: str, segments: int | None = None) -> Trial:
    """What ``fit`` and ``assign`` of a segmentation would change. No fit is written.

    The traits of so long ago as the objective of a tree asks for are made where they are not there yet.
    Raises what ``Workspace.fit`` raises.
    """
    run, settings = _settled(space, name)
    settings = segment.asked(settings, segments, where=f"segmentation {name}")
    current = space.state.current()
    fit, placing = (current.get(stage) for stage in (f"fit:{name}", f"assign:{name}"))
    base, now = base_of(run, settings.unit), load_segmentation(space.root, fit) if fit else None
    reads = space.learns_from(run, due.horizon(space.config, settings))
    ids = {alias: r.id for alias, r in reads.items()} | ({"before": placing.id} if placing else {})
    with space.engine.session(ids) as session:
        fitted = space.learned(session, reads, name, settings)
        table, moves = session.table("traits", TRAIT_TABLES[settings.unit]), []
        if placing is not None and placing.facts.get("unit", "customer") == settings.unit:
            placed = assignment.memberships(fitted, table).select(KEYS[fitted.unit][0], "segment")
            before = session.table("before", "memberships")
            moves = trial.moves(before, placed, table, base["value_trait"], base["largest"])
    changed = trial.settings_changed(now.report.get("settings") if now else None, fitted.report["settings"])
    return Trial(fitted, now.version if now else None, tuple(moves), base["value_trait"], changed)
