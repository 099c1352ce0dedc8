"""Answers that were not thought about: the same answer to a whole matrix, and surveys filled in too fast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis

from segmentry import engine
from segmentry.data.quality.findings import Collected, Found
from segmentry.stats.likert import languages_of

DURATION = "_duration"  # the question whose answer is the time that a respondent took, in seconds
_LEAST_ITEMS = 5  # of a matrix: the same answer to two or three questions is no pattern
_LEAST_RESPONDENTS = 10
_LONGEST_LABEL = 60  # characters of an answer that may be a step of a scale
_MOST_ANSWERS = 20_000  # different answers that are looked at, the most frequent first
_FAST = 1 / 3  # of the median duration
_NUMBERED = r"[ _.\-\[(]*[0-9]+[\])]?$"  # what tells the items of one matrix apart: q3_1, q3[2], Q3 (4)


def answers(collected: Collected) -> Iterator[Found]:
    """Straight-lining and speeding respondents of a source of responses."""
    if collected.kind == "responses" and "customer" in collected.columns:
        yield from _straight_lining(collected)
        yield from _speeders(collected)
    if collected.kind == "responses":
        yield from _languages(collected)


def _straight_lining(collected: Collected) -> Iterator[Found]:
    rows: Any = collected.rows
    survey = rows["survey"] if "survey" in collected.columns else ibis.literal("")
    given = rows.filter(rows["answer"].notnull() & rows["customer"].notnull() & (rows["question"] != DURATION))
    matrices = given.group_by(
        survey=survey, matrix=given["question"].re_replace(_NUMBERED, ""), customer=given["customer"]
    ).agg(items=ibis._.count(), least=ibis._["answer"].min(), most=ibis._["answer"].max())
    whole = matrices.filter(matrices["items"] >= _LEAST_ITEMS)
    straight = (whole["least"] == whole["most"]).ifelse(1, 0)
    people = whole.group_by("survey", "customer").agg(straight=straight.min())  # in every matrix of the survey
    found = people.agg(n=ibis._.count(), straight=ibis._["straight"].sum()).to_pyarrow().to_pylist()[0]
    if found["n"] >= _LEAST_RESPONDENTS and found["straight"]:
        text = f"{found['straight']:,} of {found['n']:,} respondents give the same answer to all items of every matrix"
        bad = people.filter(people["straight"] == 1)
        wrong = rows["customer"].isin(bad["customer"])
        yield Found("straight_lining", "answer", int(found["straight"]), int(found["n"]), text, wrong)


def _languages(collected: Collected) -> Iterator[Found]:
    """Questions whose answers are words of several languages: they come to one scale, if they are on any."""
    rows: Any = collected.rows
    short = rows.filter(rows["answer"].notnull() & (rows["answer"].length() <= _LONGEST_LABEL))
    counts = short.group_by("question", "answer").agg(n=ibis._.count())
    top = counts.order_by([ibis.desc("n"), "question", "answer"]).limit(_MOST_ANSWERS).to_pyarrow().to_pylist()
    given: dict[str, dict[str, int]] = {}
    for row in top:
        given.setdefault(row["question"], {})[row["answer"]] = row["n"]
    mixed = {q: found for q, answers in given.items() if len(found := languages_of(answers)) > 1}
    if mixed:
        languages = sorted({name for found in mixed.values() for name in found})
        n = sum(sum(given[q].values()) for q in mixed)
        text = (
            f"{len(mixed):,} questions are answered in {', '.join(languages)}: equal steps of the scales count as one"
        )
        yield Found(
            "several_languages", "answer", n, sum(r["n"] for r in top), text, rows["question"].isin(list(mixed))
        )


def _speeders(collected: Collected) -> Iterator[Found]:
    rows: Any = collected.rows
    seconds = rows["answer"].try_cast("float64")
    taken = rows.filter((rows["question"] == DURATION) & seconds.notnull())
    count, median = taken.agg(n=ibis._.count(), median=engine.median(seconds)).to_pyarrow().to_pylist()[0].values()
    if count < _LEAST_RESPONDENTS or not median:
        return
    limit = median * _FAST
    wrong = (rows["question"] == DURATION) & (seconds < limit)
    fast = rows.filter(wrong).count().to_pyarrow().as_py()
    if fast:
        text = f"{fast:,} of {count:,} respondents took less than {limit:,.0f} s; the median is {median:,.0f} s"
        yield Found("speeders", "answer", int(fast), int(count), text, wrong)
