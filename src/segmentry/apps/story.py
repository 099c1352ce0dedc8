"""The demo: a simulated company, all stages on it, and a story of what was found and how far it is from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segmentry import beginnings
from segmentry.apps import findings, objectives, terminal, words
from segmentry.apps import report as reporting
from segmentry.apps.options import opened
from segmentry.data.simulation.comparison import NOT_LOOKED_FOR, Distance
from segmentry.overview import Overview

_SHOWN = 3  # segments of each segmentation


def demo(root: Path, report: str, *, customers: int, seed: int, quiet: bool, json: bool) -> None:
    """Simulate, run, write the report, and tell the story, in words or as JSON."""
    with terminal.Progress(quiet=quiet or json) as shown:
        beginnings.simulate_company(root, customers=customers, seed=seed, progress=shown.counted("simulating"))
    with opened(root, quiet or json) as space:
        space.run()
        overview = space.overview()
        reporting.write_report(overview, root / report)
        distances = beginnings.distances(space)
    if json:
        terminal.json(as_json(overview, distances, root / report))
    elif not quiet:
        tell(overview, distances, root / report)


def as_json(found: Overview, distances: Sequence[Distance], report: Path) -> dict[str, object]:
    """The story as plain values; ``planted`` holds every distance with its score and the perfect one."""
    return {
        "headline": findings.headline(found),
        "segmentations": [
            {"name": s.name, "method": s.method, "verdict": findings.verdict(s), "segments": len(s.segments)}
            for s in found.segmentations
        ],
        "not_fitted": dict(found.not_fitted),
        "planted": list(distances),
        "not_looked_for": list(NOT_LOOKED_FOR),
        "report": str(report),
    }


def tell(found: Overview, distances: Sequence[Distance], report: Path) -> None:
    """The story in words."""
    terminal.plain(f"\n{findings.headline(found)}\n")
    for aim in found.aims:
        lines = objectives.summary(aim)
        terminal.plain(f"{lines[0]}\n  {lines[-1]}")
    folder = report.parent
    for summary in found.segmentations:
        terminal.plain(f"{summary.name} ({summary.method}): {findings.verdict(summary)}")
        best = sorted(findings.segments_of(summary), key=lambda s: -(s.value or 0.0))[:_SHOWN]
        for s in best:
            share = f", {words.share(s.value_share)} of the value" if s.value_share is not None else ""
            terminal.plain(f"  {s.name}: {words.counted(s.customers, summary.units)} ({words.share(s.share)}){share}.")
            terminal.plain(f"    {s.meaning}{f' Next: {s.action}' if s.action else ''}")
        if more := len(summary.segments) - len(best):
            terminal.plain(f"  and {more} more: {terminal.command(f'segments {summary.name}', folder)}")
    for name, why in found.not_fitted:
        terminal.warn(f"{name}: {why}")
    terminal.plain(
        "\nHeld against what was planted (1 is the truth, or as many times as usual with an x; in brackets what an "
        "oracle would reach, if that differs):"
    )
    for each in distances:
        unit = "x" if each.perfect > 1 else ""
        most = f" ({each.perfect:.2f}{unit})" if each.perfect != 1 else ""
        terminal.plain(f"  {each.score:.2f}{unit}{most}  {each.planted}: {each.found}.")
    terminal.plain(f"  Planted, and not looked for yet: {'; '.join(NOT_LOOKED_FOR)}.")
    terminal.plain(f"\nReport: {report}")
    tries = (terminal.command("segments", folder), terminal.command("describe", folder), terminal.command("--help"))
    terminal.plain(f"Try: {'   '.join(tries)}")
