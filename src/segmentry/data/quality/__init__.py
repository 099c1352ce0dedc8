"""Data quality: what is wrong with the collected records, how much it matters, and what to do about it.

=================  ====================================================================================
``findings.py``    a finding, its severity and acceptance, and how its examples are masked
``columns.py``     what one scan of a source counts: gaps, formats, ranges, placeholders
``impossible.py``  values that nobody can have and that traits leave out, each with its file and line
``levels.py``      numbers against their history: outliers, periods in another unit
``rhythm.py``      records per day: missing days, weeks with too few or too many, the last record
``relations.py``   records against each other: keys, references, contradictions, categories
``answers.py``     surveys: straight-lining and speeding
``scores.py``      one score per table and per segmentation model; the health of a trait
=================  ====================================================================================

The checks are declared in ``segmentry.checks``. Nothing here changes a record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.catalogue import Trait
from segmentry.checks import Severity
from segmentry.columns import Type
from segmentry.config import Quality
from segmentry.data.manifest import Entry, Manifest
from segmentry.data.quality.answers import answers
from segmentry.data.quality.columns import scan
from segmentry.data.quality.findings import Collected, Example, Finding, Found, examples, judged
from segmentry.data.quality.impossible import impossible_values
from segmentry.data.quality.levels import levels
from segmentry.data.quality.relations import categories, contradictions, keys, parents, references
from segmentry.data.quality.rhythm import rhythm
from segmentry.data.quality.scores import (
    SourceScore,
    TraitHealth,
    column_scores,
    concerned,
    model_scores,
    score,
    trait_score,
)
from segmentry.engine import Session
from segmentry.tables import TABLES
from segmentry.wording import agree

__all__ = [
    "TABLES_MADE",
    "Checked",
    "Collected",
    "Example",
    "Finding",
    "SourceScore",
    "TraitHealth",
    "as_table",
    "blocking",
    "check",
    "concerned",
    "health",
    "impossible",
    "model_scores",
    "refusal",
    "rule_health",
    "trait_score",
]

TABLES_MADE = ("quality", "quarantined_values")  # a version of the program that makes others checks anew
_ORDER = {Severity.BLOCKING: 0, Severity.WARNING: 1, Severity.NOTE: 2}
_TYPES = {Type.INTEGER: "int64"}
_NAMED = 5  # blocking findings in an error


@dataclass(frozen=True)
class Checked:
    """What a check of all sources found: findings, worst first, and a score per source."""

    findings: tuple[Finding, ...]
    scores: tuple[SourceScore, ...]

    def to_json(self) -> dict[str, Any]:
        """Without examples: nothing personal."""
        return {"findings": [f.to_json() for f in self.findings], "scores": [s.to_json() for s in self.scores]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Checked:
        return cls(
            tuple(Finding.from_json(f) for f in data["findings"]),
            tuple(SourceScore(**s) for s in data["scores"]),
        )

    @property
    def mean(self) -> float:
        """The mean score of the sources."""
        return sum(s.score for s in self.scores) / len(self.scores) if self.scores else 0.0

    def rows(self) -> list[dict[str, Any]]:
        """The rows of the table ``quality``."""
        found = []
        for number, f in enumerate(self.findings, 1):
            for example in f.examples or (Example("", 0, None),):
                found.append(
                    {
                        "finding": number,
                        "check": f.check,
                        "severity": str(f.severity),
                        "source": f.source,
                        "column": f.column or None,
                        "rows": f.rows,
                        "of_rows": f.of_rows,
                        "finding_text": f.text,
                        "file": example.file or None,
                        "line": example.line or None,
                        "value": example.value,
                    }
                )
        return found

    def with_examples(self, rows: Sequence[Mapping[str, Any]]) -> Checked:
        """The findings with the examples that the table ``quality`` holds."""
        held: dict[int, list[Example]] = {}
        for row in rows:
            if row["file"] is not None:
                held.setdefault(row["finding"], []).append(Example(row["file"], row["line"], row["value"]))
        found = [replace(f, examples=tuple(held.get(i, ()))) for i, f in enumerate(self.findings, 1)]
        return replace(self, findings=tuple(found))


_SCHEMA = {c.name: _TYPES.get(c.type, "string") for c in TABLES["quality"].columns}


def as_table(checked: Checked) -> ir.Table:
    """The table ``quality``, to be written."""
    return ibis.memtable(checked.rows(), schema=_SCHEMA)


def check(
    session: Session, sources: Sequence[Collected], manifest: Manifest, settings: Quality, as_of: date
) -> Checked:
    """Check the collected records of all sources.

    ``as_of`` is the day that ages, freshness and acceptances are measured at; records of later days count in the checks
    of columns but not in those of the rhythm. Dates are in the future when they are later than both ``as_of`` and the
    day of the last record.
    """
    latest = _latest(manifest, as_of)
    findings: list[Finding] = []
    scores = []
    for collected in sources:
        counted = scan(collected, as_of, latest)
        found = [
            *_of_collection(collected, manifest),
            *counted.found,
            *levels(collected),
            *rhythm(collected, as_of),
            *keys(collected),
            *references(collected, sources),
            *parents(session, collected, sources),
            *contradictions(collected, as_of),
            *categories(collected),
            *answers(collected),
        ]
        of_source = [
            replace(judged(each, collected, settings, as_of), examples=examples(each, collected)) for each in found
        ]
        findings += of_source
        scores.append(score(collected, counted, of_source))
    findings.sort(key=lambda f: (_ORDER[f.severity], bool(f.accepted)))  # stable: sources in the order of the config
    return Checked(tuple(findings), tuple(scores))


def impossible(sources: Sequence[Collected], manifest: Manifest, as_of: date) -> ir.Table | None:
    """The table ``quarantined_values``, to be written; None where no source says when customers were born."""
    return impossible_values(sources, as_of, _latest(manifest, as_of))


def _latest(manifest: Manifest, as_of: date) -> date:
    """The day after which dates lie in the future."""
    last = manifest.span()[1]
    return max(as_of, date.fromisoformat(last[:10])) if last else as_of


def _of_collection(collected: Collected, manifest: Manifest) -> Iterator[Found]:
    """What the collection of a source has noted already."""
    entries: list[Entry] = [e for e in manifest.entries if e.source == collected.name]
    kept = sum(e.kept for e in entries)
    repaired = [{r["reason"]: -r["rows"]} for e in entries for r in e.repairs]
    left = _summed([*(e.reasons for e in entries), *repaired])
    # What segmentry.yaml sets aside could be used, and is kept out on purpose.
    aside = sum(left.get(reason, 0) for reason in collected.source.set_aside)
    bad = sum(e.quarantined for e in entries) - aside
    if bad:
        unwanted = {r: n for r, n in left.items() if n and r not in collected.source.set_aside}
        reasons = ", ".join(f"{reason} ({n:,})" for reason, n in sorted(unwanted.items()))
        yield Found(
            "unusable_records", "", bad, kept + bad, agree(bad, "{n} [record is|records are] in quarantine: ") + reasons
        )
    for column, lost in _summed([e.unread for e in entries]).items():
        text = agree(lost, f"{{n}} [value|values] of {column} could not be read and [counts|count] as not known")
        yield Found("unreadable_values", column, lost, kept, text)
    repeats = sum(e.repeated for e in entries)
    if repeats:
        text = agree(
            repeats, "{n} [line repeats|lines repeat] another line of [its|their] file to the letter; all of them count"
        )
        yield Found("repeated_records", "", repeats, kept, text)


def _summed(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in counts:
        for name, n in each.items():
            total[name] = total.get(name, 0) + n
    return total


def health(
    trait: Trait,
    fill_rate: float,
    checked: Checked,
    last: Mapping[str, str],
    disagreements: Mapping[str, int],
    as_of: date,
) -> TraitHealth:
    """What stands behind a trait; ``last`` is the time of the newest record by table, as ISO text, ``disagreements``
    the customers whose records differ, by column of the customers."""
    columns = {one for need in trait.needs for one in need.split(" or ")}
    tables = {one.partition(".")[0] for one in columns}
    times = [last[t] for t in tables if last.get(t)]
    newest = datetime.fromisoformat(max(times)).date() if times else None
    about = [f for f in checked.findings if f.severity is not Severity.NOTE and concerned(f, [trait])]
    return TraitHealth(
        trait.name,
        fill_rate,
        newest,
        max((as_of - newest).days, 0) if newest else None,
        trait_score(trait, column_scores(checked.scores)),
        tuple(about),
        max((n for c, n in disagreements.items() if f"customers.{c}" in columns), default=0),
    )


def rule_health(rule: str, behind: Sequence[TraitHealth]) -> TraitHealth:
    """What stands behind a rule: the weakest of the traits that it reads, in each respect."""
    known = [h.last_record for h in behind if h.last_record]
    scores = [h.score for h in behind if h.score is not None]
    return TraitHealth(
        rule,
        min((h.fill_rate for h in behind), default=1.0),
        min(known, default=None),
        max((h.days_behind for h in behind if h.days_behind is not None), default=None),
        min(scores, default=None),
        tuple({f: None for h in behind for f in h.findings}),
        max((h.disagreements for h in behind), default=0),
    )


def blocking(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that stop a run."""
    return [f for f in findings if f.blocks]


def refusal(findings: Sequence[Finding], file: str) -> tuple[str, str, str]:
    """What stops a run, why, and what to do: the three parts of an error."""
    stopped = blocking(findings)
    lines = []
    for f in stopped[:_NAMED]:
        seen = ", ".join(f"{e.file}:{e.line}" + (f" ({e.value})" if e.value else "") for e in f.examples)
        about = f"{f.source}.{f.column}" if f.column else f.source
        lines.append(f"- {f.check} in {about}: {f.text} ({f.share:.1%}).{f' Such as {seen}.' if seen else ''} {f.fix}")
    rest = f"\n… and {len(stopped) - _NAMED} more." if len(stopped) > _NAMED else ""
    first = stopped[0]
    accept = f"{{check: {first.check}, source: {first.source}, reason: …}}"
    return (
        f"The data do not pass the quality gate:\n{chr(10).join(lines)}{rest}\n",
        "The results of the run before stay as they are.",
        f"Correct the data and run again; or accept it in {file} with `quality: {{accept: [{accept}]}}`; or make it a "
        f"warning with `quality: {{severity: {{{first.check}: warning}}}}`. `segmentry check` shows all findings.",
    )
