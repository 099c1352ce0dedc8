"""One number for how far the data can be trusted: per source, per segmentation model, per trait.

The score of a column is the share of the source's rows that have a value which no warning is about, less the share of
records that a warning about whole records concerns (a week that is missing, records in quarantine). The score of a
source is the mean of its columns. A trait is as good as the weakest of the columns that it needs, a model as good as
its traits on average. Accepted findings count like others: to accept is no repair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from segmentry.catalogue import Trait
from segmentry.checks import Severity
from segmentry.data.quality.columns import Scan
from segmentry.data.quality.findings import Collected, Finding

_GAPS = ("missing_values", "empty_column", "no_customer")  # counted as empty cells already
_DECIMALS = 4


@dataclass(frozen=True)
class SourceScore:
    """How good the records of a source are: ``score`` and the score of each column, 0 to 1."""

    source: str
    table: str
    rows: int
    score: float
    columns: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class TraitHealth:
    """What stands behind a trait.

    ``fill_rate`` is the share of customers for whom it is known, ``last_record`` the day of the newest record of the
    tables it is computed from, ``days_behind`` how long that is before the as-of date; ``findings`` are the warnings
    about the columns it needs, ``score`` that of the weakest of them (None: its columns have not been checked);
    ``disagreements`` counts the customers whose records say different things in one of these columns.
    """

    trait: str
    fill_rate: float
    last_record: date | None
    days_behind: int | None
    score: float | None
    findings: tuple[Finding, ...] = ()
    disagreements: int = 0


def score(collected: Collected, counted: Scan, findings: Sequence[Finding]) -> SourceScore:
    """The score of a source and of its columns."""
    doubts = [f for f in findings if f.severity is not Severity.NOTE and f.check not in _GAPS]
    whole = min(sum(f.share for f in doubts if not f.column), 1.0)
    columns = {}
    for column, known in counted.known.items():
        doubted = max((f.rows for f in doubts if f.column == column), default=0)
        columns[column] = round(max(known - doubted, 0) / max(counted.rows, 1) * (1 - whole), _DECIMALS)
    mean = sum(columns.values()) / len(columns) if columns else 0.0
    return SourceScore(collected.name, collected.kind, counted.rows, round(mean, _DECIMALS), columns)


def column_scores(scores: Iterable[SourceScore]) -> dict[str, float]:
    """The score of every ``table.column``: the mean of its sources, by rows."""
    sums: dict[str, tuple[float, int]] = {}
    for each in scores:
        for column, value in each.columns.items():
            total, rows = sums.get(f"{each.table}.{column}", (0.0, 0))
            sums[f"{each.table}.{column}"] = (total + value * each.rows, rows + each.rows)
    return {name: total / rows if rows else 0.0 for name, (total, rows) in sums.items()}


def trait_score(trait: Trait, columns: Mapping[str, float]) -> float | None:
    """The score of the weakest of a trait's needs, each by the best column that meets it; None where one is missing."""
    needs = [max((columns[n] for n in need.split(" or ") if n in columns), default=None) for need in trait.needs]
    known = [n for n in needs if n is not None]
    return min(known) if known and len(known) == len(needs) else None


def model_scores(traits: Iterable[Trait], scores: Iterable[SourceScore]) -> dict[str, float]:
    """The mean score of the traits of every segmentation model that has data."""
    columns = column_scores(scores)
    found: dict[str, list[float]] = {}
    for trait in traits:
        value = trait_score(trait, columns)
        if value is not None:
            found.setdefault(str(trait.model), []).append(value)
    return {model: round(sum(v) / len(v), _DECIMALS) for model, v in sorted(found.items())}


def concerns(finding: Finding, trait: Trait) -> bool:
    """Whether a finding is about data that a trait is computed from."""
    about = f"{finding.table}.{finding.column}"
    named = [one for need in trait.needs for one in need.split(" or ")]
    return any(one == about if finding.column else one.startswith(about) for one in named)


def concerned(finding: Finding, traits: Iterable[Trait]) -> tuple[str, ...]:
    """Names of the traits that read what a finding is about; no customer on a record takes it from all of them."""
    everyone = finding.column == "customer"
    return tuple(
        t.name for t in traits if concerns(finding, t) or (everyone and any(finding.table in n for n in t.needs))
    )
