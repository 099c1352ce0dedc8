"""Surveys with one row per respondent: whose export a file is, which columns are answers, whose answers they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from segmentry.config import Answers
from segmentry.data.known import Known, by_name, column, customer_ids, emails, first_of, made, quoted_text
from segmentry.data.mapping import Mapped, quoted
from segmentry.data.profiling import ColumnProfile, TableProfile
from segmentry.data.survey_header import SURVEYMONKEY_CODE
from segmentry.data.vocabulary import fold, words_in
from segmentry.stats.likert import scale_of

# What Qualtrics writes beside the answers.
_QUALTRICS = words_in(
    """startdate enddate status ipaddress progress finished recordeddate responseid recipientlastname recipientfirstname
    recipientemail externalreference externaldatareference locationlatitude locationlongitude distributionchannel
    userlanguage responseset durationinseconds duration"""
)
# Response types of Qualtrics that are no responses: previews, tests and spam, as words and as numbers.
_NO_RESPONSE = (
    "Survey Preview",
    "Survey Test",
    "Spam",
    "Spam Preview",
    "Offline Survey Preview",
    "1",
    "2",
    "8",
    "9",
    "17",
)
_TYPEFORM = words_in(
    """startdateutc submitdateutc stagedateutc startdate submitdate stagedate networkid tags ending responsetype
    responseid"""
)
_FORMS_TIME = words_in("timestamp zeitstempel horodateur marcatemporal informazionicronologiche tijdstempel")
_FORMS = words_in("score username emailaddress email emailadresse nutzername punktzahl adresseemail")
_START, _END = (
    words_in("startdate startdateutc starttime started"),
    words_in("enddate enddateutc submitdate submitdateutc submittedat endtime datemodified completed"),
)
LEAST_ITEMS = 5  # fewer columns of the same answers are no questionnaire
_MOST_CHOICES = 30
_LONGEST_CHOICE = 80  # characters


@dataclass(frozen=True)
class _Tool:
    name: str
    apart: tuple[str, ...]  # columns that are no answers
    time: str | None


def find_survey(table: TableProfile, name: str) -> Known | None:
    """The survey that a file holds, one respondent a row; None where it holds none that is recognised."""
    for judge in (_qualtrics, _surveymonkey, _typeform, _google_forms, _scales):
        tool = judge(table)
        if tool is not None:
            return _survey(table, name, tool)
    return None


def find_anonymous_survey(table: TableProfile, name: str) -> Known | None:
    """A survey of people without any id: most columns have the same few answers."""
    items = len(alike(table))
    if items < LEAST_ITEMS or items * 2 < len(table.columns):
        return None
    found = _survey(table, name, _Tool("", (), None), confidence=0.6)
    reason = f"{items} of {len(table.columns)} columns have the same few answers, and no column names a person"
    return Known(**{**found.__dict__, "reasons": (reason,)})


def alike(table: TableProfile) -> list[ColumnProfile]:
    """The most columns that have the same few answers: the items of a questionnaire, where there are enough."""
    groups: dict[frozenset[str], list[ColumnProfile]] = {}
    for each in table.columns:
        if 2 <= each.distinct <= 11:
            groups.setdefault(frozenset(v.casefold() for v in each.levels), []).append(each)
    return max(groups.values(), key=len, default=[])


# Tools ----------------------------------------------------------------------------------------------------------------


def _folded(table: TableProfile, words: frozenset[str]) -> list[ColumnProfile]:
    return [c for c in table.columns if fold(c.name) in words]


def _qualtrics(table: TableProfile) -> _Tool | None:
    known = _folded(table, _QUALTRICS)
    headed = table.heading is not None and table.heading.tool == "Qualtrics"
    if not headed and not {"responseid", "recordeddate", "finished"} <= {fold(c.name) for c in known}:
        return None
    apart = [c.name for c in table.columns if c in known or c.name.startswith(("Q_", "RecipientFirst"))]
    time = by_name(table, "RecordedDate", "EndDate", "StartDate")
    return _Tool("Qualtrics", tuple(apart), time.name if time else None)


def _surveymonkey(table: TableProfile) -> _Tool | None:
    if table.heading is None or table.heading.tool != "SurveyMonkey":
        return None
    apart = [c for c in table.columns if not SURVEYMONKEY_CODE.fullmatch(c.name)]
    times = [c for c in apart if c.is_time]
    ends = [c for c in times if fold(c.name) in _END]
    time = (ends or times[1:] or times)[:1]
    return _Tool("SurveyMonkey", tuple(c.name for c in apart), time[0].name if time else None)


def _typeform(table: TableProfile) -> _Tool | None:
    known = _folded(table, _TYPEFORM)
    ended = [c for c in known if fold(c.name) in {"submitdateutc", "submitdate"}]
    if not ended or not ({"networkid", "startdateutc"} & {fold(c.name) for c in known}):
        return None
    number = [c.name for c in table.columns[:1] if c.name == "#"]
    return _Tool("Typeform", (*number, *(c.name for c in known)), ended[0].name)


def _google_forms(table: TableProfile) -> _Tool | None:
    first, *others = table.columns
    if fold(first.name) not in _FORMS_TIME or not first.is_time:
        return None
    known = [c for c in others if fold(c.name) in _FORMS]
    asked = [c for c in others if c not in known]
    if not asked or sum(1 for c in asked if _asks(c.name)) * 2 < len(asked):
        return None
    return _Tool("Google Forms", (first.name, *(c.name for c in known)), first.name)


def _scales(table: TableProfile) -> _Tool | None:
    """Whoever wrote it: most columns hold steps of an answer scale in words, or are called Q1, Q2 ..."""
    items = [c for c in table.columns if _on_scale(c) or re.fullmatch(r"(?i)q(uestion)?_?\d+\w{0,8}", c.name)]
    if len(items) < 3 or len(items) * 2 < len(table.columns):
        return None
    times = [c for c in table.columns if c.is_time]
    ends = [c for c in times if fold(c.name) in _END]
    apart = [c.name for c in table.columns if c.is_time or c.row_number]
    time = (ends or times)[:1]
    return _Tool("", tuple(apart), time[0].name if time else None)


def _asks(name: str) -> bool:
    return "?" in name or len(name.split()) >= 4 or name.rstrip().endswith("]")


def _on_scale(of: ColumnProfile) -> bool:
    if of.is_number or not 2 <= of.distinct <= 11:
        return False
    scale = scale_of(of.levels)
    return scale is not None and len(scale.numbers) >= 0.6 * len(of.levels)


# Proposal -------------------------------------------------------------------------------------------------------------


def _survey(table: TableProfile, name: str, tool: _Tool, confidence: float = 0.97) -> Known:
    apart = [c for c in table.columns if c.name in tool.apart]
    customer, ids = _respondent(table, apart)
    used = {*ids, *([tool.time] if tool.time else [])}
    duration = [c.name for c in _folded(table, words_in("durationinseconds duration")) if c.is_number]
    progress = [c.name for c in apart if fold(c.name) == "progress" and tool.name == "Qualtrics"]
    codes = dict.fromkeys(duration[:1], "_duration") | dict.fromkeys(progress, "_progress")
    started = [c.name for c in apart if fold(c.name) in _START and c.is_time and c.filled]
    seconds = (started[0], tool.time) if started and tool.time and not duration and started[0] != tool.time else None
    personal = [c.name for c in emails(table.columns) if c.name not in tool.apart]
    leave_out = [n for n in (*tool.apart, *personal) if n not in used and n not in codes]
    if seconds:
        leave_out = [n for n in leave_out if n not in seconds]
    asked = [c for c in table.columns if c.name not in {*tool.apart, *used, *codes, *leave_out, *(seconds or ())}]
    answers = Answers(
        leave_out=tuple(dict.fromkeys(leave_out)),
        several={c.name: mark for c in asked if (mark := _mark(c))},
        codes=codes,
        duration=seconds,
    )
    columns: dict[str, Mapped] = {"customer": customer, "survey": made(quoted_text(name), "the file's name", 0.9)}
    columns |= {target: made(f"_{target}", "made by the layout", 1.0) for target in ("question", "item", "answer")}
    if tool.time:
        columns["time"] = column(tool.time)
    what = f"a survey as {tool.name} exports it" if tool.name else "a survey"
    return Known(
        kind="responses",
        confidence=confidence,
        reasons=(f"{what}: a row is a respondent, {len(asked)} columns are answers",),
        columns=columns,
        layout="answers_in_columns",
        answers=answers,
        set_aside=_previews(table) if tool.name == "Qualtrics" else {},
        timezone=_timezone(table, tool),
    )


def _timezone(table: TableProfile, tool: _Tool) -> str:
    if table.heading is not None and table.heading.timezone:
        return table.heading.timezone
    return "UTC" if tool.time and tool.time.endswith("(UTC)") else ""


def _respondent(table: TableProfile, apart: Sequence[ColumnProfile]) -> tuple[Mapped, list[str]]:
    """Whose answers a row holds: an id that was handed to the survey, else an e-mail address, else the row itself."""
    handed = [c for c in apart if c.filled and fold(c.name).startswith(("externalref", "externaldata", "customdata1"))]
    named = [c for c in customer_ids(table.columns) if fold(c.name) not in _OWN_IDS and c not in handed]
    addresses = [c for c in emails(table.columns) if c not in handed and c not in named]
    every = [*handed, *named[:1], *addresses[:1]]
    found = first_of(every, 0.95 if handed or named else 0.75)
    if found is not None:
        return found, list(found.uses)
    responses = [c for c in apart if fold(c.name) == "responseid" and c.uniqueness == 1]
    if responses:
        one = column(responses[0].name, 0.7, "no customer is named: each response is a respondent of its own")
        return one, [responses[0].name]
    return made("_respondent", "no customer is named: each row is a respondent of its own", 0.7), []


_OWN_IDS = words_in("respondentid collectorid responseid networkid respondent")  # of the survey, not of the company


def _previews(table: TableProfile) -> dict[str, str]:
    status = by_name(table, "Status")
    if status is None or status.stored != "text":
        return {}
    words = ", ".join(quoted_text(w) for w in _NO_RESPONSE)
    return {"a preview or a test, no response": f"{quoted(status.name)} in ({words})"}


def _mark(of: ColumnProfile) -> str | None:
    """What separates several answers in a cell; None where a cell holds one.

    Choices come again in other cells, alone or in other company; the parts of a sentence do not.
    """
    for mark in (";", ","):
        cells = [v for v in of.values if mark in v]
        if len(cells) < max(2, 0.05 * len(of.values)):
            continue
        parts = Counter(p.strip() for v in of.values for p in v.split(mark) if p.strip())
        again = sum(n for n in parts.values() if n >= 2) / sum(parts.values())
        # In a sentence a space follows the comma; tools write none, so that fewer repeats are proof enough.
        wanted = 0.65 if any(f"{mark} " in v for v in cells) else 0.4
        distinct = {frozenset(p.strip() for p in v.split(mark)) for v in cells}
        several = len(distinct) > 1 or any(p in of.values for p in parts)
        if 2 <= len(parts) <= _MOST_CHOICES and again >= wanted and several and max(map(len, parts)) <= _LONGEST_CHOICE:
            return mark
    return None
