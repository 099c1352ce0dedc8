"""Answers to the rating questions of surveys: which questions share an answer scale, and what each customer last said.

A customer's response is what they answered up to a day before their last answer to the questions at hand: respondents
of long questionnaires come back after a break, and files in long form have a time for every answer. Of two answers to
one question the later one counts.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.stats.likert import Scale, is_no_opinion, scale_of
from segmentry.stats.scales import Moments, Reliability, moments_of_sums
from segmentry.traits.known import KEY, Known

_LONGEST = 80  # characters of an answer that may be a step of a scale
_MOST_ANSWERS = 50_000  # different answers that are looked at, the most frequent first
_ON_SCALE = 0.9  # of the answers to a question must stand on its scale
_BESIDE = "_"  # in front of codes that are no questions: _duration
_STEM = re.compile(r"(.+?)[ _.\-\[(]*[0-9]+[\])]?")  # what the items of one matrix have in common: q3_1, q3[2], Q3 (4)
STRAIGHT = 5  # so many equal answers are a pattern, fewer are not


@dataclass(frozen=True)
class Question:
    """A question of a survey with its short answers, the most frequent first, and how often each was given."""

    code: str
    wording: str
    answers: Mapping[str, int]


@dataclass(frozen=True)
class Block:
    """Questions of a survey that are answered on one scale, from ``low`` to ``high``; ``numbers`` are its steps."""

    survey: str
    items: tuple[str, ...]
    wordings: tuple[str, ...]
    family: str
    low: int
    high: int
    numbers: Mapping[str, int]


def rows_of(known: Known) -> ir.Table | None:
    """The answers of customers, with the columns that may be missing: survey (else its source), item, time."""
    rows = known.facts.get("responses")
    if rows is None:
        return None
    null = ibis.null("string")
    named = [rows[name] for name in ("survey", "source") if name in rows.columns]
    place = {name: rows[name] for name in ("file", "line") if name in rows.columns}
    return rows.select(
        KEY,
        "question",
        "answer",
        survey=ibis.coalesce(*named, "") if named else ibis.literal(""),
        item=rows["item"] if "item" in rows.columns else null,
        time=rows["time"] if "time" in rows.columns else ibis.null("timestamp"),
        **place,
    )


def codes(rows: ir.Table) -> dict[str, list[str]]:
    """The codes of all questions that anybody answered, by survey."""
    named = [rows[name] for name in ("survey", "source") if name in rows.columns]
    pairs = rows.select(survey=ibis.coalesce(*named, "") if named else ibis.literal(""), question=rows["question"])
    found: dict[str, list[str]] = {}
    for row in pairs.distinct().order_by(["survey", "question"]).to_pyarrow().to_pylist():
        found.setdefault(row["survey"], []).append(row["question"])
    return found


def questions(rows: ir.Table) -> dict[str, dict[str, Question]]:
    """The questions that have short answers, by survey and code, in the order of their numbers."""
    short = rows.filter(
        rows["answer"].notnull() & (rows["answer"].length() <= _LONGEST) & ~rows["question"].startswith(_BESIDE)
    )
    counted = short.group_by(["survey", "question", "answer"]).agg(n=ibis._.count(), item=ibis._["item"].min())
    top = counted.order_by([ibis.desc("n"), "survey", "question", "answer"]).limit(_MOST_ANSWERS)
    answers: dict[tuple[str, str], dict[str, int]] = {}
    wordings: dict[tuple[str, str], str] = {}
    for row in top.to_pyarrow().to_pylist():
        key = (row["survey"], row["question"])
        answers.setdefault(key, {})[row["answer"]] = row["n"]
        wordings.setdefault(key, row["item"] or row["question"])
    found: dict[str, dict[str, Question]] = {}
    for survey, code in sorted(answers, key=lambda key: (key[0], _in_order(key[1]))):
        found.setdefault(survey, {})[code] = Question(code, wordings[survey, code], answers[survey, code])
    return found


def blocks(survey: str, asked: Iterable[Question]) -> list[Block]:
    """The questions of a survey that share a matrix and an answer scale; those that stand alone are a block of one."""
    given = list(asked)
    matrices: dict[tuple[str, str], list[Question]] = {}
    for question in given:
        scale = scale_of(question.answers)
        if scale is not None:
            matrices.setdefault((_stem(question), scale.family), []).append(question)
    # Of the steps of some questions so few were chosen that they alone tell no scale: their neighbours do.
    placed = {question.code for items in matrices.values() for question in items}
    for question in given:
        for (stem, _), items in matrices.items():
            scale = _shared(items) if question.code not in placed and stem == _stem(question) else None
            if scale is not None and stands_on(question.answers, scale.numbers):
                items.append(question)
                placed.add(question.code)
    order = {question.code: place for place, question in enumerate(given)}
    for items in matrices.values():
        items.sort(key=lambda question: order[question.code])
    return [
        Block(
            survey,
            tuple(q.code for q in items),
            tuple(own_part([q.wording for q in items])),
            scale.family,
            scale.low,
            scale.low + scale.points - 1,
            scale.numbers,
        )
        for items in matrices.values()
        if (scale := _shared(items))
    ]


def _shared(items: Sequence[Question]) -> Scale | None:
    """The scale on which nearly all answers to some questions stand: steps that one of them lacks, others have."""
    together: dict[str, int] = {}
    for question in items:
        for answer, n in question.answers.items():
            together[answer] = together.get(answer, 0) + n
    scale = scale_of(together)
    return scale if scale is not None and stands_on(together, scale.numbers) else None


def _stem(question: Question) -> str:
    found = _STEM.fullmatch(question.code)
    return found[1] if found else question.code


def stands_on(answers: Mapping[str, int], steps: Container[str]) -> bool:
    """Whether nearly all answers are steps of a scale, those left aside that tell no opinion."""
    opinions = {a: n for a, n in answers.items() if not is_no_opinion(a)}
    return sum(n for a, n in opinions.items() if a in steps) >= _ON_SCALE * sum(opinions.values())


def own_part(wordings: Sequence[str]) -> list[str]:
    """Wordings without the question that they all begin with.

    >>> own_part(["Do you agree? - I like new things.", "Do you agree? - I wait."])
    ['I like new things.', 'I wait.']
    >>> own_part(["I like it.", "I like them."])
    ['I like it.', 'I like them.']
    """
    leads = {text.rpartition(" - ")[0] for text in wordings}
    if len(wordings) < 2 or len(leads) != 1:
        return list(wordings)
    return [text.rpartition(" - ")[2] for text in wordings]


def _in_order(code: str) -> list[tuple[int, int, str]]:
    """Q2 before Q10."""
    parts = re.findall(r"\d+|\D+", code)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


# What customers last said ---------------------------------------------------------------------------------------------


def latest(rows: ir.Table, survey: str, numbers: Mapping[str, Mapping[str, int]]) -> ir.Table:
    """Of each customer's last response to a survey: customer_key, question and number (null: not on the scale).

    ``numbers`` gives the number of every answer by question.
    """
    mine = rows.filter((rows["survey"] == survey) & rows["question"].isin(list(numbers)) & rows["answer"].notnull())
    place = [ibis.desc(name, nulls_first=False) for name in ("time", "file", "line") if name in rows.columns]
    ranked = mine.select(
        KEY,
        "question",
        "time",
        number=_number(mine, numbers),
        rank=ibis.row_number().over(group_by=[KEY, "question"], order_by=[*place, ibis.asc("answer")]),
    )
    last = ranked.filter(ranked["rank"] == 0).drop("rank")
    newest = last.mutate(newest=last["time"].max().over(group_by=KEY))
    same = (newest["time"] >= newest["newest"] - ibis.interval(days=1)) | newest["newest"].isnull()
    return newest.filter(same).select(KEY, "question", "number")


def _number(rows: ir.Table, numbers: Mapping[str, Mapping[str, int]]) -> ir.IntegerValue:
    """The number of an answer on the scale of its question."""
    alike: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for question, steps in numbers.items():
        alike.setdefault(tuple(sorted(steps.items())), []).append(question)
    null = ibis.null("int64")
    of_scale = [
        (
            rows["question"].isin(items),
            rows["answer"].cases(*((a, ibis.literal(n, "int64")) for a, n in steps), else_=null),
        )
        for steps, items in alike.items()
        if steps
    ]
    if not of_scale:
        return null
    return of_scale[0][1] if len(alike) == 1 else ibis.cases(*of_scale, else_=null)


def in_columns(answered: ir.Table, items: Sequence[str]) -> ir.Table:
    """One row per customer, a column :func:`column_of` for each item, and ``straight``: all alike, of five or more."""
    number = answered["number"]
    return answered.group_by(KEY).agg(
        **{column_of(i): (answered["question"] == item).ifelse(number, None).max() for i, item in enumerate(items)},
        straight=(number.count() >= STRAIGHT) & (number.min() == number.max()),
    )


def column_of(place: int) -> str:
    """The column of an item in :func:`in_columns`."""
    return f"item_{place}"


def answered_of(row: ir.Table, places: Iterable[int]) -> ir.IntegerValue:
    """How many of some items have an answer."""
    return reduce(add, (row[column_of(i)].notnull().cast("int32") for i in places))


def sums_of(people: ir.Table, scales: Mapping[str, Sequence[ir.NumericValue]]) -> dict[str, Sums]:
    """How the items of each scale go together, added up in the engine over whoever answered all of them.

    Who gave the same answer to everything counts nowhere. ``scales`` are values over a row of ``people``.
    """
    wanted: dict[str, Any] = {"straight": engine.count_where(people["straight"])}
    for k, items in enumerate(scales.values()):
        complete = ~people["straight"] & ibis.and_(*(item.notnull() for item in items))
        wanted[f"n_{k}"] = engine.count_where(complete)
        for i, left in enumerate(items):
            wanted[f"s_{k}_{i}"] = complete.ifelse(left, 0).sum()
            wanted |= {f"p_{k}_{i}_{j}": complete.ifelse(left * items[j], 0).sum() for j in range(i, len(items))}
    row = people.agg(**wanted).to_pyarrow().to_pylist()[0]
    found = {name: int(value or 0) for name, value in row.items()}
    made = {}
    for k, (name, items) in enumerate(scales.items()):
        p = range(len(items))
        products = [[found[f"p_{k}_{min(i, j)}_{max(i, j)}"] for j in p] for i in p]
        made[name] = Sums(found[f"n_{k}"], [found[f"s_{k}_{i}"] for i in p], products, found["straight"])
    return made


@dataclass(frozen=True)
class Sums:
    """Sums over the ``respondents`` who answered all items, without those who gave the same ``straight`` answer."""

    respondents: int
    sums: Sequence[int]
    products: Sequence[Sequence[int]]
    straight: int

    def moments(self) -> Moments:
        """Raises :class:`FitError` where they are too few, or an item tells nobody apart."""
        return moments_of_sums(self.respondents, self.sums, self.products)


def figures(of: Reliability, items: Sequence[str]) -> dict[str, Any]:
    """How reliable a scale is, as plain data; ``against`` are the items that contradict the others."""
    against = [item for item, r in zip(items, of.item_total, strict=True) if r < 0]
    return {
        "alpha": round(of.alpha, 4),
        "alpha_interval": [round(end, 4) for end in of.interval],
        "omega": round(of.omega, 4),
        "item_total": {item: round(float(r), 4) for item, r in zip(items, of.item_total, strict=True)},
        "verdict": of.verdict,
        "against": against,
    }
