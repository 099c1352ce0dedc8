"""The rules of a workspace, checked on its traits: as written now, while they are typed, and as they place people."""

from __future__ import annotations

from segmentry.config import FILE_NAME
from segmentry.errors import UsageError, did_you_mean
from segmentry.reading import Reading
from segmentry.segment import linter, objectives
from segmentry.segment.linter import RuleCheck
from segmentry.target import assignment


def written(reading: Reading, name: str | None = None) -> tuple[RuleCheck, ...]:
    """The rules of a segmentation or an objective (all) as segmentry.yaml has them now: counted, and what is probably
    not meant."""
    segmentations, aims = reading.config.segmentations, reading.config.objectives
    if name is not None and name not in segmentations and name not in aims:
        known = [*segmentations, *aims]
        raise UsageError(
            f"There is no segmentation or objective '{name}' in {FILE_NAME}.", why=did_you_mean(name, known)
        )
    found = [
        linter.of_settings(n, settings, *reading.traits_of(settings.unit))
        for n, settings in segmentations.items()
        if name in (None, n)
    ]
    found += [
        linter.of_objective(n, aim, *reading.traits_of(aim.unit), fewest=objectives.FEWEST)
        for n, aim in aims.items()
        if name in (None, n)
    ]
    return tuple(check for check in found if check)


def typed(reading: Reading, condition: str, unit: str = "customer") -> RuleCheck:
    """One condition that is only being written: counted, and what is probably not meant."""
    table, specs = reading.traits_of(unit)
    return linter.check("", linter.parsed([("rule", condition)], specs, where=["the condition"]), table, specs)


def frozen(reading: Reading) -> dict[str, RuleCheck]:
    """The rules that people are placed by, checked, by segmentation."""
    found = {}
    for name in reading.segmentations():
        fitted = reading.segmentation(name)
        table, specs = reading.traits_of(fitted.unit)
        if check := linter.frozen(fitted, assignment.pad(fitted, table), specs):
            found[name] = check
    return found
