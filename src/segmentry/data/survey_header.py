"""The headers of survey exports that have several rows: what is asked in each column, and a short code for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Qualtrics writes codes, wording and, in a third row, {"ImportId": ...} for every column.
_ZONE = re.compile(r'"timeZone"\s*:\s*"([A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)*)"')
_IMPORT_ID = re.compile(r"\s*\{\s*\"ImportId\"\s*:.*\}\s*", re.DOTALL)
# SurveyMonkey begins with the respondent's number, in the language of the account.
_RESPONDENT = re.compile(
    r"respondent[ _-]?id|befragten-?id|teilnehmer-?id|id du r[ée]pondant|id del encuestado|id rispondente",
    re.IGNORECASE,
)
# What SurveyMonkey writes below a question that has one column only.
_ONE_COLUMN = re.compile(r"(open-ended )?response|(offene )?antwort|r[ée]ponse( ouverte)?|respuesta( abierta)?", re.I)
SURVEYMONKEY_CODE = re.compile(r"Q\d+(_\d+)?")  # what questions_of makes
_CODE = re.compile(r"[A-Za-z_][\w.\-]{0,39}")
_ROW_OF_MATRIX = re.compile(r"(?P<stem>.+\S)\s*\[(?P<row>[^\[\]]+)\]\s*", re.DOTALL)


@dataclass(frozen=True)
class SurveyHeading:
    """What the header of a survey tool says: the tool, the wording of every column, the time zone where it is given."""

    tool: str
    wording: tuple[str, ...]
    timezone: str = ""


def zone_of(ids: Sequence[str]) -> str:
    """The time zone that Qualtrics writes into its third header row; empty where it names none."""
    return next((found[1] for cell in ids if (found := _ZONE.search(cell))), "")


def starts_qualtrics(rows: Sequence[Sequence[str]], start: int) -> bool:
    """Whether the three header rows of a Qualtrics export begin here."""
    if start + 2 >= len(rows):
        return False
    ids = [cell for cell in rows[start + 2] if cell.strip()]
    return bool(ids) and all(_IMPORT_ID.fullmatch(cell) for cell in ids)


def starts_surveymonkey(rows: Sequence[Sequence[str]], start: int) -> bool:
    """Whether the two header rows of a SurveyMonkey export begin here."""
    first, second = rows[start], rows[start + 1]
    if not first or not _RESPONDENT.fullmatch(first[0].replace("\ufeff", "").strip()):
        return False
    return bool(second) and not second[0].strip() and any(cell.strip() for cell in second)


def asked_in_two_rows(first: Sequence[str], second: Sequence[str]) -> list[tuple[str, str]]:
    """Question and item of every column; a question stands over the first of its columns only.

    The item is ``-`` for a column that is no question: nothing stands below its name.
    """
    asked: list[tuple[str, str]] = []
    question = ""
    for i, cell in enumerate(first):
        question = " ".join(cell.split()) or question
        item = " ".join(second[i].split()) if i < len(second) else ""
        asked.append((question, item or "-"))
    return asked


def questions_of(asked: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Codes (``Q1``, ``Q2_1``, ``Q2_2`` ...) and wording of columns; what is no question keeps its name.

    >>> questions_of([("Age", "-"), ("Rate us", "Price"), ("Rate us", "Speed"), ("Why?", "Open-Ended Response")])
    (('Age', 'Q1_1', 'Q1_2', 'Q2'), ('Age', 'Rate us - Price', 'Rate us - Speed', 'Why?'))
    """
    codes, wording = [], []
    number, part, before = 0, 0, ""
    for i, (question, item) in enumerate(asked):
        if item == "-":
            codes.append(question)
            wording.append(question)
            continue
        number, part = (number, part + 1) if question == before and number else (number + 1, 1)
        alone = (
            asked.count((question, item)) == 1 and sum(1 for q, below in asked if q == question and below != "-") == 1
        )
        codes.append(f"Q{number}" if alone else f"Q{number}_{part}")
        wording.append(question if alone and _ONE_COLUMN.fullmatch(item) else f"{question} - {item}")
        before = asked[i][0]
    return tuple(codes), tuple(wording)


def codes_of(names: Sequence[str]) -> tuple[str, ...]:
    """A short code for every column of answers: its own name where that is one, else its place.

    The rows of a matrix ('How good is ... [Price]', as Google Forms writes them) share a number.

    >>> codes_of(["Q1_1", "How likely are you to recommend us?", "How good is [Price]", "How good is [Speed]"])
    ('Q1_1', 'Q2', 'Q3_1', 'Q3_2')
    """
    codes = []
    taken = {name.casefold() for name in names}
    number, part, before = 0, 0, None
    for name in names:
        row = _ROW_OF_MATRIX.fullmatch(name)
        stem = row["stem"] if row else None
        number, part = (number, part + 1) if stem is not None and stem == before else (number + 1, 1)
        before = stem
        made = f"Q{number}_{part}" if stem is not None else f"Q{number}"
        while made.casefold() in taken and not _CODE.fullmatch(name):
            made += "_"
        codes.append(name if _CODE.fullmatch(name) else made)
    return tuple(codes)
