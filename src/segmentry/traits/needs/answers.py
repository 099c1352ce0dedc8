"""Answers of customers: which questions there are, and which answer of a customer is the latest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from segmentry.traits.known import KEY, Known

ASKED = "asked"  # survey and question in one column
_APART = "\x1f"
_MOST_QUESTIONS = 5_000
_MOST_ANSWERS = 20_000  # different answers to rating questions, the most frequent first


@dataclass(frozen=True)
class Question:
    """A question that customers have answered: its survey, its code and its wording."""

    survey: str
    code: str
    wording: str

    @property
    def key(self) -> str:
        return key_of(self.survey, self.code)

    @property
    def stem(self) -> str:
        """What the items of one matrix share; empty for a question that stands alone."""
        found = _ITEM.fullmatch(self.wording)
        return (found["stem"] or found["above"]).strip() if found else ""

    @property
    def label(self) -> str:
        """What tells an item of a matrix from the others: 'Low prices' of 'How important is this? - Low prices'."""
        found = _ITEM.fullmatch(self.wording)
        return (found["label"] or found["row"]).strip() if found else ""


# As Qualtrics and SurveyMonkey write the items of a matrix, and as Google Forms does.
_ITEM = re.compile(r"(?P<stem>.*\S)\s+-\s+(?P<label>\S.*)|(?P<above>.*\S)\s*\[(?P<row>[^\[\]]+)\]\s*", re.DOTALL)


def key_of(survey: str, code: str) -> str:
    """Survey and question as one text, as in the column ``asked``."""
    return survey + _APART + code


def answers_of(known: Known) -> ir.Table | None:
    """What customers have answered: customer_key, asked, survey, question, wording, answer, time, file and line.

    Answers without the name of a survey are those of their source.
    """
    rows = known.facts.get("responses")
    if rows is None:
        return None
    types = {"item": "string", "time": "timestamp", "file": "string", "line": "int64"}
    column = {n: rows[n] if n in rows.columns else ibis.null(t) for n, t in types.items()}
    named = [rows[name] for name in ("survey", "source") if name in rows.columns]
    survey = ibis.coalesce(*named, "")
    given = rows.select(
        KEY,
        "question",
        "answer",
        survey=survey,
        wording=column["item"],
        time=column["time"],
        file=column["file"],
        line=column["line"],
        **{ASKED: survey + _APART + rows["question"]},
    )
    return given.filter(given["answer"].notnull())


def questions_of(answers: ir.Table) -> list[Question]:
    """Every question that somebody has answered, in the order of surveys and codes."""
    each = answers.group_by(["survey", "question"]).agg(wording=answers["wording"].min(), n=answers.count())
    rows = each.order_by([ibis.desc("n"), "survey", "question"]).limit(_MOST_QUESTIONS).to_pyarrow().to_pylist()
    found = [Question(r["survey"], r["question"], " ".join((r["wording"] or "").split())) for r in rows]
    return sorted(found, key=lambda q: (q.survey, _natural(q.code)))


def _natural(code: str) -> list[tuple[int, str]]:
    """Q2 before Q10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", code)]


def levels_of(answers: ir.Table, questions: Iterable[Question]) -> dict[str, dict[str, int]]:
    """By key of the question: its different answers, the most frequent first, with how many gave it."""
    keys = [q.key for q in questions]
    if not keys:
        return {}
    of = answers.filter(answers[ASKED].isin(keys)).group_by([ASKED, "answer"]).agg(n=ibis._.count())
    rows = of.order_by([ibis.desc("n"), ASKED, "answer"]).limit(_MOST_ANSWERS).to_pyarrow().to_pylist()
    found: dict[str, dict[str, int]] = {key: {} for key in keys}
    for row in rows:
        found[row[ASKED]][row["answer"]] = row["n"]
    return found


def latest(rows: ir.Table, *by: str) -> ir.Table:
    """The latest row of each customer, and of each value of ``by``; of several at one time the last in its file."""
    newest = [ibis.desc(name, nulls_first=False) for name in ("time", "file", "line")]
    order = [*newest, ibis.asc("answer")]
    ranked = rows.mutate(rank=ibis.row_number().over(group_by=[KEY, *by], order_by=order))
    return ranked.filter(ranked["rank"] == 0).drop("rank")


def latest_completion(rows: ir.Table) -> ir.Table:
    """All rows of each customer's latest completion: what was answered at one time and, where the file has a line per
    respondent, in one line."""
    lines = rows.group_by([KEY, "file", "line"]).agg(n=rows.count())
    widest = lines.agg(n=lines["n"].max()).to_pyarrow().to_pylist()[0]["n"]
    parts: Sequence[str] = ("time", "file", "line") if (widest or 0) > 1 else ("time",)
    order = [ibis.desc(name, nulls_first=False) for name in parts]
    ranked = rows.mutate(rank=ibis.dense_rank().over(group_by=KEY, order_by=order))
    return ranked.filter(ranked["rank"] == 0).drop("rank")
