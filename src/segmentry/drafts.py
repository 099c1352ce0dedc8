"""A fit that is tried before it is made: who would move, and the value with them."""

from __future__ import annotations

from segmentry import segment
from segmentry.artefacts import load_segmentation
from segmentry.describing import base_of
from segmentry.errors import DataError
from segmentry.segmentation import KEYS, TRAIT_TABLES
from segmentry.target import assignment, trial
from segmentry.target.trial import Trial
from segmentry.workspace import Workspace


def try_fit(space: Workspace, name: str, segments: int | None = None) -> Trial:
    """What ``fit`` and ``assign`` of a segmentation would change. Nothing is written.

    Raises what ``Workspace.fit`` raises.
    """
    current = space.state.current()
    run, fit, placing = (current.get(stage) for stage in ("traits", f"fit:{name}", f"assign:{name}"))
    if run is None or name not in space.config.segmentations:
        space.segmentation(name)  # says what is missing
        raise DataError("There are no traits yet.", fix="Run `segmentry run`.")
    settings = space.config.segmentations[name]
    if segments is not None:
        settings = segment.with_number(settings, segments, where=f"segmentation {name}")
    base, now = base_of(run, settings.unit), load_segmentation(space.root, fit) if fit else None
    with space.engine.session({"traits": run.id, **({"before": placing.id} if placing else {})}) as session:
        fitted = space.learned(session, run, name, settings)
        table, moves = session.table("traits", TRAIT_TABLES[settings.unit]), []
        if placing is not None and placing.facts.get("unit", "customer") == settings.unit:
            placed = assignment.memberships(fitted, table).select(KEYS[fitted.unit][0], "segment")
            before = session.table("before", "memberships")
            moves = trial.moves(before, placed, table, base["value_trait"], base["largest"])
    changed = trial.settings_changed(now.report.get("settings") if now else None, fitted.report["settings"])
    return Trial(fitted, now.version if now else None, tuple(moves), base["value_trait"], changed)
