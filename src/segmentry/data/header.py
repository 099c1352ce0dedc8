"""Which row of a file names its columns, and how the names become usable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from segmentry.data.survey_header import (
    SurveyHeading,
    asked_in_two_rows,
    questions_of,
    starts_qualtrics,
    starts_surveymonkey,
    zone_of,
)

LINE = "_line"  # the column that every table of records has; a column of the file never gets this name
_PREAMBLE = 30  # rows among which the header is looked for
# What stands in a record and hardly ever in a header: numbers, dates, e-mail addresses, long hexadecimal ids.
_VALUE = re.compile(
    r"[-+(]?\s?(?:[^\w\s]{1,2}\s?)?\d[\d.,'\u00a0\u202f ]*\s?(?:%|[^\w\s]|[A-Z]{3})?\)?-?"
    r"|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*"
    r"|\S+@\S+\.\S+"
    r"|[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"
    r"|true|false|True|False|TRUE|FALSE"
)
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True)
class Header:
    """The names of the columns and where the records begin.

    ``rows`` is how many rows stand before the first record; ``found`` whether the last of them names the columns.
    ``renamed`` gives, for every name that had to change, what was written and what it became. ``heading`` is what
    the several rows of a survey tool's header say.
    """

    names: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    rows: int
    found: bool
    heading: SurveyHeading | None = None


def find_header(rows: Sequence[Sequence[str]], width: int) -> Header:
    """Find the header among the first rows of a table ``width`` cells wide (as most of its rows are).

    Rows before it that are narrower, or all but empty, are titles and notes: the preamble. A row is the header when its
    cells look like names (no numbers, dates, addresses) and do not come again as values below.
    """
    survey = find_survey_header(rows[:_PREAMBLE])
    if survey is not None:
        return survey
    start = next((i for i, row in enumerate(rows[:_PREAMBLE]) if _may_begin(row, width)), 0)
    if start >= len(rows):
        return Header((), (), 0, False)
    first = list(rows[start])
    body = [row for row in rows[start + 1 :] if any(cell.strip() for cell in row)]
    if not _names_columns(first, body):
        names, renamed = usable_names([""] * max(width, len(first)))
        return Header(names, (), start, False)
    names, renamed = usable_names(_fitted(first, body, width))
    return Header(names, renamed, start + 1, True)


def find_survey_header(rows: Sequence[Sequence[str]]) -> Header | None:
    """The header of a survey tool that has two or three rows; None where there is none."""
    for start in range(len(rows) - 1):
        if starts_qualtrics(rows, start):
            names, renamed = usable_names(rows[start])
            wording = tuple(" ".join(cell.split()) for cell in rows[start + 1])
            heading = SurveyHeading("Qualtrics", wording, zone_of(rows[start + 2]))
            return Header(names, renamed, start + 3, True, heading)
        if starts_surveymonkey(rows, start):
            codes, wording = questions_of(asked_in_two_rows(rows[start], rows[start + 1]))
            names, renamed = usable_names(codes)
            return Header(names, renamed, start + 2, True, SurveyHeading("SurveyMonkey", wording))
    return None


def usable_names(written: Iterable[str]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Names without spaces around them, none empty, no two alike in lower case; and which of them had to change.

    >>> usable_names([" id", "Total", "total", ""])
    (('id', 'Total', 'total_2', 'column_4'), (('total', 'total_2'), ('', 'column_4')))
    """
    plain = [" ".join(name.replace("\ufeff", "").split()) for name in written]
    taken = {LINE}
    names: list[str] = []
    renamed: list[tuple[str, str]] = []
    reserved = {name.casefold() for name in plain}
    for place, name in enumerate(plain, 1):
        usable, n = name or f"column_{place}", 1
        while usable.casefold() in taken or (n > 1 and usable.casefold() in reserved):
            n += 1
            usable = f"{name or f'column_{place}'}_{n}"
        if usable != name:
            renamed.append((name, usable))
        taken.add(usable.casefold())
        names.append(usable)
    return tuple(names), tuple(renamed)


def is_value(cell: str) -> bool:
    """Whether a cell looks like a value of a record rather than the name of a column.

    >>> [is_value(c) for c in ("12.50", "$3", "2024-01-31 10:00", "a@b.org", "Amount 2", "Q1", "")]
    [True, True, True, True, False, False, False]
    """
    return _VALUE.fullmatch(cell.strip()) is not None


def _may_begin(row: Sequence[str], width: int) -> bool:
    filled = sum(1 for cell in row if cell.strip())
    if width <= 2:
        return filled >= 1 and len(row) >= width
    # One short: a header may lack the name of its first column (R) or its last (rows that end with a delimiter).
    return filled >= 2 and filled * 2 >= width and len(row) >= width - 1


def _names_columns(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    filled = [(i, cell.strip()) for i, cell in enumerate(first) if cell.strip()]
    below = {i: [row[i].strip() for row in body if i < len(row) and row[i].strip()] for i, _ in filled}
    values = [i for i, cell in filled if is_value(cell) and not _is_year_name(cell, below[i])]
    if values:
        return False
    if any(is_value(cell) for i, _ in filled for cell in below[i][:20]):
        return True
    # All text: a record's value tends to come again further down, the name of a column does not.
    again = sum(1 for i, cell in filled if cell in below[i])
    return again == 0


def _is_year_name(cell: str, below: Sequence[str]) -> bool:
    """Whether a number in the header is the name of a year's column: its values are no years."""
    return _YEAR.fullmatch(cell) is not None and not any(_YEAR.fullmatch(value) for value in below)


def _fitted(first: list[str], body: Sequence[Sequence[str]], width: int) -> list[str]:
    """The header in the width of the records."""
    while len(first) > width and not first[-1].strip() and body:
        first.pop()
    wider = [row for row in body if len(row) == len(first) + 1]
    if len(first) == width - 1 and len(wider) * 2 > len(body):
        # Rows that all end with a delimiter have an empty cell too many, which the readers let pass; otherwise the
        # header lacks the first name, as R's write.table leaves it out for row names.
        return first if all(not row[-1].strip() for row in wider) else ["", *first]
    return first
