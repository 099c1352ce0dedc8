"""What a check finds, how it is masked, and how severe it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

import ibis.expr.types as ir

from segmentry.checks import CHECKS, Severity
from segmentry.columns import Pii, Type
from segmentry.config import Quality, Source
from segmentry.data.masking import shape_of
from segmentry.tables import TABLES

EXAMPLES = 3  # of each finding
_KINDS = {"number": Type.NUMBER, "boolean": Type.BOOLEAN, "category": Type.CATEGORY}  # of attributes
_STRICTEST = (Pii.DIRECT, Pii.SENSITIVE, Pii.QUASI, Pii.NONE)


@dataclass(frozen=True)
class Collected:
    """The rows of one source as they were collected, with what its config says about them."""

    name: str
    source: Source
    rows: ir.Table

    @property
    def kind(self) -> str:
        return self.source.kind

    @property
    def columns(self) -> tuple[str, ...]:
        """The mapped columns and the attributes that the collected rows have."""
        named = [*self.source.columns, *self.source.attributes]
        return tuple(c for c in named if c in self.rows.columns)

    def type_of(self, column: str) -> Type:
        if column in self.source.attributes:
            return _KINDS[self.source.attributes[column].kind]
        return TABLES[self.kind][column].type

    def pii(self, column: str) -> Pii:
        """How personal a column is: the strictest of the contract and of the file's columns that it is made of."""
        attribute = self.source.attributes.get(column)
        declared = attribute.pii if attribute else TABLES[self.kind][column].pii
        text = attribute.expression if attribute else self.source.columns[column]
        # A name that occurs anywhere in the expression counts: rather one column masked too many.
        stated = [pii for name, pii in self.source.pii.items() if name.casefold() in text.casefold()]
        return min([declared, *stated], key=_STRICTEST.index)


@dataclass(frozen=True)
class Example:
    """One record of a finding; ``value`` is masked."""

    file: str
    line: int
    value: str | None


@dataclass(frozen=True)
class Found:
    """What a check found, before anybody judges how severe it is.

    ``column`` is empty for whole records; ``rows`` of ``of_rows`` are concerned; ``wrong`` tells the records concerned
    (None: there is nothing to show); ``period`` is the first and the last day concerned.
    """

    check: str
    column: str
    rows: int
    of_rows: int
    text: str
    wrong: ir.BooleanValue | None = None
    period: tuple[date, date] | None = None


@dataclass(frozen=True)
class Finding:
    """One finding about one source. Texts and numbers hold no personal data; only ``examples`` do, and masked."""

    check: str
    source: str
    table: str
    column: str
    severity: Severity
    rows: int
    of_rows: int
    text: str
    first_day: date | None = None
    last_day: date | None = None
    accepted: str = ""  # the reason of who accepted it
    acceptance_ended: date | None = None
    examples: tuple[Example, ...] = field(default=(), compare=False)

    @property
    def share(self) -> float:
        return self.rows / self.of_rows if self.of_rows else 0.0

    @property
    def fix(self) -> str:
        return CHECKS[self.check].fix

    @property
    def blocks(self) -> bool:
        return self.severity is Severity.BLOCKING and not self.accepted

    def to_json(self) -> dict[str, Any]:
        """The finding as plain data, without its examples."""
        data = asdict(replace(self, examples=()))
        del data["examples"]
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in data.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        days = {k: date.fromisoformat(data[k]) for k in ("first_day", "last_day", "acceptance_ended") if data[k]}
        return cls(**{**data, **days, "severity": Severity(data["severity"])})


def judged(found: Found, collected: Collected, settings: Quality, day: date) -> Finding:
    """A finding with its severity, and whether somebody has accepted it as of ``day``."""
    check = CHECKS[found.check]
    share = found.rows / found.of_rows if found.of_rows else 0.0
    usual = Severity.BLOCKING if check.blocks_from is not None and share >= check.blocks_from else check.severity
    first, last = found.period or (None, None)
    finding = Finding(
        check=found.check,
        source=collected.name,
        table=collected.kind,
        column=found.column,
        severity=settings.severity.get(found.check, usual),
        rows=found.rows,
        of_rows=found.of_rows,
        text=found.text,
        first_day=first,
        last_day=last,
    )
    for accepted in settings.accept:
        about = (accepted.check, accepted.source) == (finding.check, finding.source)
        here = accepted.column in (None, finding.column)
        then = accepted.day is None or (first is not None and last is not None and first <= accepted.day <= last)
        if about and here and then:
            if accepted.until is None or day <= accepted.until:
                return replace(finding, accepted=accepted.reason, acceptance_ended=None)
            finding = replace(finding, acceptance_ended=accepted.until)
    return finding


def examples(found: Found, collected: Collected) -> tuple[Example, ...]:
    """The first records of a finding, in the order of file and line, with the masked value."""
    if found.wrong is None:
        return ()
    chosen = collected.rows.filter(found.wrong)
    value = chosen[found.column].cast("string") if found.column else None
    shown = {"value": value} if value is not None else {}
    rows = chosen.select("file", "line", **shown).order_by(["file", "line"]).limit(EXAMPLES).to_pyarrow().to_pylist()
    return tuple(
        Example(
            r["file"],
            r["line"],
            shape_of(r.get("value"), collected.pii(found.column), collected.type_of(found.column))
            if found.column
            else None,
        )
        for r in rows
    )
