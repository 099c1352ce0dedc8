"""Data quality at the terminal: findings, scores, and what stands behind the traits of a segmentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import ibis.expr.types as ir
from rich.text import Text

from segmentry.apps import terminal, words
from segmentry.checks import Severity
from segmentry.data.quality import Example, Finding, TraitHealth
from segmentry.data.quarantine import Reason
from segmentry.errors import UsageError
from segmentry.overview import Concern, QualityReport
from segmentry.reading import Reading

_NAMED = 4  # traits or segmentations in a row


def show(found: QualityReport, *, every: bool) -> None:
    """Findings worst first (notes only with ``every``), scores, and what to do next."""
    shown = [c for c in found.concerns if every or c.finding.severity is not Severity.NOTE]
    table = terminal.table_of(
        "severity", "check", "where", "rows", "share", "what was found", "read by", right=("rows", "share")
    )
    for concern in shown:
        f = concern.finding
        severity = f"{f.severity} (accepted)" if f.accepted else str(f.severity)
        table.add_row(
            severity,
            f.check,
            Text(where(f)),
            f"{f.rows:,}",
            words.tenths(concern.share),
            _told(concern),
            _read_by(concern),
        )
    if shown:
        terminal.out.print(table)
    _scores(found)
    notes = sum(c.finding.severity is Severity.NOTE for c in found.concerns)
    if notes and not every:
        terminal.plain(f"{words.counted(notes, 'notes')} more: `segmentry check --all`.")
    if not shown:
        terminal.plain(f"Nothing to worry about as of {found.as_of}.")
    for check, fix in {c.finding.check: c.fix for c in shown}.items():
        terminal.plain(f"{check}: {fix}")
    if found.blocked:
        terminal.warn("`segmentry run` stops here. Correct the data, or accept a finding with its reason in "
                      "segmentry.yaml: quality: {accept: [{check: …, source: …, reason: …}]}.")  # fmt: skip


def where(finding: Finding) -> str:
    """Source and column of a finding."""
    return f"{finding.source}.{finding.column}" if finding.column else finding.source


def _told(concern: Concern) -> Text:
    f = concern.finding
    said = [f.text]
    if f.examples:
        said.append("e.g. " + ", ".join(_example(e) for e in f.examples))
    if f.accepted:
        said.append(f"accepted: {f.accepted}")
    if f.acceptance_ended:
        said.append(f"the acceptance ended on {f.acceptance_ended}")
    return Text("; ".join(said))


def _example(example: Example) -> str:
    value = f" {example.value!r}" if example.value is not None else ""
    return f"{example.file}:{example.line}{value}"


def _read_by(concern: Concern) -> Text:
    return Text(_few(concern.segmentations) or _few(concern.traits) or "–")


def _few(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _scores(found: QualityReport) -> None:
    title = "Scores: 100 is complete and without a warning"
    table = terminal.table_of("", "records", "score", "before", title=title, right=("records", "score", "before"))
    for each in found.scores:
        table.add_row(Text(each.source), f"{each.rows:,}", _points(each.score), _before(found.before, each.source))
    for model, score in found.models.items():
        table.add_row(f"traits: {model}", "", _points(score), _before(found.before, model))
    terminal.out.print(table)


def _points(score: float) -> str:
    return f"{100 * score:.0f}"


def _before(before: Mapping[str, float], name: str) -> str:
    return _points(before[name]) if name in before else ""


def healths(traits: Iterable[TraitHealth], rules: Iterable[TraitHealth]) -> None:
    """What stands behind the traits that form segments, and behind the rules that read them: the weakest of each."""
    table = terminal.table_of(
        "trait or rule", "known for", "newest record", "records disagree", "score", "warnings about its data",
        title="What the segments rest on", right=("known for", "records disagree", "score"),
    )  # fmt: skip
    for each in traits:
        table.add_row(Text(each.trait), *_health(each))
    table.add_section()
    for each in rules:
        table.add_row(Text(f"rule of {each.trait}"), *_health(each))
    terminal.out.print(table)


def _health(found: TraitHealth) -> tuple[str | Text, ...]:
    behind = f" ({words.counted(found.days_behind, 'days')} behind)" if found.days_behind else ""
    return (
        words.share(found.fill_rate),
        f"{found.last_record}{behind}" if found.last_record else "–",
        words.count(found.disagreements) if found.disagreements else "none",
        "–" if found.score is None else _points(found.score),
        Text(", ".join(dict.fromkeys(f"{f.check} ({where(f)})" for f in found.findings)) or "none"),
    )


def impossible_values(reading: Reading) -> ir.Table:
    """The table ``quarantined_values``, in order; :class:`UsageError` where no check has looked at births and ages."""
    rows = reading.quarantined_values()
    if rows is None:
        raise UsageError(
            "No check has looked at births and ages.",
            why="Whether an age is possible depends on the day of the check; or no source gives any.",
            fix="Run `segmentry check`, with `birth_date`, `birth_year` or `age` mapped in a source of customers.",
        )
    return rows.order_by(["source", "file", "line", "column"])


def quarantine(found: Sequence[Reason]) -> None:
    """What is in quarantine, and how to get it out."""
    if not found:
        terminal.plain("The quarantine is empty: every record could be used.")
        return
    values = [each for each in found if each.column]
    if records := [each for each in found if not each.column]:
        _reasons("Quarantine", "records", records)
        terminal.plain("segmentry quarantine --export FILE.csv writes them; correct the cells there and bring them "
                       "back by segmentry quarantine --repaired FILE.csv.")  # fmt: skip
    if values:
        _reasons("Values in quarantine: no age is made of them, the rest of their record counts", "values", values)
        terminal.plain("segmentry quarantine --values FILE.csv writes them with file and line; correct them in "
                       "the source and collect it again.")  # fmt: skip
    terminal.plain("Of personal values only the form is shown: a 9 stands for any digit, an x for any letter.")


def _reasons(title: str, what: str, found: Sequence[Reason]) -> None:
    table = terminal.table_of("source", "reason", what, "such as", title=title, right=(what,))
    for each in found:
        examples = "\n".join(f"{file}:{line}  {shown}" for file, line, shown in each.examples)
        reason = f"{each.column}: {each.reason}" if each.column else each.reason
        table.add_row(Text(each.source), Text(reason), f"{each.rows:,}", Text(examples))
    terminal.out.print(table)
