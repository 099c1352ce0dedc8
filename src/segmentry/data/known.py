"""What a known export is: found by its headers and values, with its layout and mapping ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from segmentry.config import Answers
from segmentry.data.mapping import ColumnMap, Mapped, quoted
from segmentry.data.profiling import ColumnProfile, TableProfile
from segmentry.data.vocabulary import name_score


@dataclass(frozen=True)
class Known:
    """An export that is recognised as a whole.

    ``columns`` are all of its mapping where ``whole``, else the part that names alone would not give.
    """

    kind: str
    confidence: float
    reasons: tuple[str, ...]
    columns: ColumnMap
    whole: bool = True
    layout: str | None = None
    answers: Answers | None = None
    measures: tuple[str, ...] = ()
    set_aside: Mapping[str, str] = field(default_factory=dict)
    timezone: str = ""
    notes: tuple[str, ...] = ()
    key: tuple[str, ...] = ()  # names a record; of those that come again the first counts


def made(expression: str, reason: str, confidence: float = 0.95, uses: Sequence[str] = ()) -> Mapped:
    """A mapping that is not the name of one column."""
    return Mapped(expression, tuple(uses), confidence, reason)


def column(name: str, confidence: float = 0.98, reason: str = "by its name") -> Mapped:
    """A column of the file, as it is."""
    return Mapped(name, (name,), confidence, reason)


def first_of(columns: Sequence[ColumnProfile], confidence: float = 0.95) -> Mapped | None:
    """The first of several columns that a row has filled; None without columns."""
    filled = [c for c in columns if c.filled]
    if not filled:
        return None
    if len(filled) == 1:
        return column(filled[0].name, confidence)
    names = [c.name for c in filled]
    expression = f"coalesce({', '.join(quoted(n) for n in names)})"
    return made(expression, "the first of these that a row has", confidence, names)


def by_name(table: TableProfile, *names: str) -> ColumnProfile | None:
    """The first of the columns that the table has, whatever its case."""
    found = {c.name.casefold(): c for c in table.columns}
    return next((found[n.casefold()] for n in names if n.casefold() in found), None)


def customer_ids(columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """The columns whose name says that they hold the customer's id, the surest first."""
    scored = [(name_score(c.name, "customer"), c) for c in columns if c.filled and not c.is_time]
    return [c for score, c in sorted(scored, key=lambda item: -item[0]) if score >= 0.7]


def emails(columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """The columns that hold an e-mail address each."""
    return [c for c in columns if c.filled and c.shares["email"] >= 0.5 and c.max_length <= 254]  # RFC 5321


def quoted_text(text: str) -> str:
    """A text as a constant of an expression.

    >>> quoted_text("customers' voice")
    "'customers'' voice'"
    """
    return "'" + text.replace("'", "''") + "'"
