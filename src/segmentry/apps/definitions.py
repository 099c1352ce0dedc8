"""Definitions of segments in a terminal: what a change would do, and what became of the versions."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import date
from typing import Any

from rich.text import Text

from segmentry import artefacts, drafts
from segmentry.apps import terminal, words
from segmentry.artefacts import Version
from segmentry.segment.linter import POPULATION, RuleCheck
from segmentry.target.trial import Trial
from segmentry.workspace import Workspace


def try_fit(space: Workspace, name: str, segments: int | None, *, json: bool) -> None:
    """Try a fit and show what it would change."""
    tried = drafts.try_fit(space, name, segments)
    if json:
        terminal.json(as_json(tried))
    else:
        show_trial(tried, space.config.currency)


def versions(space: Workspace, name: str, said: str, *, sign: bool, json: bool) -> None:
    """Show the versions; first note what is said of the current one, or its sign-off, by the user of the system."""
    current = space.segmentation(name)
    if said or sign:
        space.state.note_statement(getpass.getuser(), name, current.version, said, signed=sign)
    found = artefacts.versions(space.root, space.state.done(f"fit:{name}"), space.state.statements(name))
    if json:
        terminal.json(found)
    else:
        show_versions(found, current.as_of or date.min)


def show_trial(tried: Trial, currency: str) -> None:
    """What a fit would change, segment by segment. Nothing has been written."""
    found = tried.segmentation
    units = f"{found.unit}s"
    for line in tried.settings:
        terminal.plain(f"segmentry.yaml: {line}")
    if not tried.moves:
        names = "; ".join(found.names)
        terminal.plain(f"{found.name} has placed nobody yet; it would have {len(found.names)} segments: {names}.")
    else:
        right = ("now", "come", "go", "then", "value moved")
        table = terminal.table_of("segment", *right, right=right, title=f"{found.name}: what a fit would change")
        for name in tried.names:
            now, come, go, value = tried.change(name)
            told = "" if tried.value_trait is None else words.money(value, currency)
            table.add_row(Text(name), f"{now:,}", f"+{come:,}", f"-{go:,}", f"{now + come - go:,}", told)
        terminal.out.print(table)
        terminal.plain(f"{words.counted(tried.moved, units)} would change their segment.")
    because = str(found.report.get("because", ""))
    for line in (because, *map(str, found.report.get("warnings", ()))):
        if line:
            terminal.plain(line)
    terminal.plain("Nothing was written.")


def as_json(tried: Trial) -> dict[str, Any]:
    """The same for a machine."""
    segments = []
    for name in tried.names:
        now, come, go, value = tried.change(name)
        moved = None if tried.value_trait is None else value
        segments.append({"segment": name, "now": now, "come": come, "go": go, "value_moved": moved})
    return {
        "segmentation": tried.segmentation.name,
        "version_now": tried.version_now,
        "settings": list(tried.settings),
        "segments": segments,
        "moves": [m for m in tried.moves if m.before != m.after],
        "moved": tried.moved,
        "verdict": tried.segmentation.report.get("verdict"),
        "warnings": list(tried.segmentation.report.get("warnings", ())),
    }


_LEVELS = {"wrong": "Wrong", "doubtful": "Look at", "note": "Note"}
_MOST_NOTES = 8  # of a segmentation; --json has all


def show_rules(found: Sequence[RuleCheck]) -> None:
    """Every rule in English with how many meet it, then what looks wrong and what to do."""
    if not found:
        terminal.plain("There are no rules in segmentry.yaml: no segmentation by rules, no population, no objective.")
    for check in found:
        units = f"{check.unit}s"
        right = ("meet it", "get in", "known for")
        of = f"objective {check.objective}" if check.objective else check.segmentation
        title = f"{of}: {words.counted(check.total, units)}" if of else units
        table = terminal.table_of("rule" if check.objective else "segment", "who", *right, right=right, title=title)
        for rule in check.rules:
            taken = "" if rule.name == POPULATION or check.objective else f"{rule.takes:,}"
            table.add_row(Text(rule.name), Text(rule.reads_as), f"{rule.meets:,}", taken, words.share(rule.known))
        if check.objective:
            table.add_row(Text("(the rest)"), Text("of the population, behave otherwise"), f"{check.rest:,}", "", "")
        elif len(check.rules) > 1 or check.no_data:
            table.add_row(Text("(the rest)"), Text("none of the rules"), "", f"{check.rest:,}", "")
        if check.no_data:
            table.add_row(Text("(no data)"), Text("nothing that the rules read is known"), "", f"{check.no_data:,}", "")
        terminal.out.print(table)
        notes = [f for f in check.findings if f.level == "note"]
        for finding in (*(f for f in check.findings if f.level != "note"), *notes[:_MOST_NOTES]):
            terminal.plain(f"{_LEVELS[finding.level]} ({', '.join(finding.rules)}): {finding.text}. {finding.fix}")
        if len(notes) > _MOST_NOTES:
            terminal.plain(f"{len(notes) - _MOST_NOTES} more notes: --json shows them.")
        if not check.findings:
            terminal.plain("Nothing looks wrong.")


def _review(day: date | None, today: date) -> str:
    """When to look at a version again, and whether that is past."""
    if day is None:
        return ""
    return f"Review by: {words.when(day)}{' (overdue)' if day < today else ''}"


def show_versions(found: Sequence[Version], today: date) -> None:
    """The versions, oldest first; what is overdue is so by that day."""
    for version in found:
        head = f"\nVersion {version.version}"
        method = f"{version.method.replace('_', ' ')}, " if version.method else ""
        fitted = f"  {method}fitted {words.when(version.fitted_at.date())}"
        other = f" (the owner is {version.owner})" if version.owner not in ("", version.signed_by) else ""
        signed = f", signed off by {version.signed_by}{other}" if version.signed_by else ", not signed off"
        terminal.out.print(Text(head, style="bold"), Text(fitted + signed))
        lines = [
            f"Cannot be read: {version.unread}" if version.unread else f"Segments: {'; '.join(version.segments)}",
            f"Purpose: {version.purpose}" if version.purpose else "",
            f"Owner: {version.owner}" if version.owner else "",
            _review(version.review_by, today),
            f"Structure: {version.verdict}" if version.verdict else "",
            f"Sources: {', '.join(version.sources)}" if version.sources else "",
            f"Data: {', '.join(version.data)}" if version.data else "",
            *(f"Changed: {line}" for line in version.changed),
            *(
                f"{words.when(s.at.date())} {s.who}{' (signed)' if s.signed else ''}: {s.text or 'signed off'}"
                for s in version.said
            ),
        ]
        for line in filter(None, lines):
            terminal.plain(f"  {line}")
