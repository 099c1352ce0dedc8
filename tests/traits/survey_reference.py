"""Answers to surveys, and the scores of their scales computed once more in plain Python, one customer by one."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis.backends.duckdb import Backend
from trait_reference import Row, table

RESPONSES = {"customer_key": pa.int64(), "time": pa.timestamp("us"), "line": pa.int64()}
ASKED = datetime(2024, 3, 1, 12)


def responses(con: Backend, rows: Sequence[Row]) -> ir.Table:
    """responses from rows; what is left out is of the survey 'club' on 2024-03-01, in the order of the rows."""
    usual = {"survey": "club", "time": ASKED, "item": None, "source": "club", "file": "club.csv"}
    return table(con, "responses", [usual | {"line": i} | row for i, row in enumerate(rows, 2)], RESPONSES)


def sheet(answers: Mapping[int, Mapping[str, str]], **same: Any) -> list[Row]:
    """Rows from what each customer answered, by question."""
    return [
        {"customer_key": key, "question": question, "answer": answer, **same}
        for key, given in answers.items()
        for question, answer in given.items()
    ]


def planted(people: int = 400, seed: int = 1) -> list[Row]:
    """Statements from 1 to 5 about two attitudes, four items each; the third of each is reverse-coded."""
    rng = np.random.default_rng(seed)
    felt = rng.normal(size=(people, 2, 1)) * np.array([0.8, 0.75, -0.7, 0.8])
    said = np.clip(np.round(3 + 1.1 * (felt + 0.6 * rng.normal(size=felt.shape))), 1, 5).astype(int).reshape(people, 8)
    return sheet({key: {f"Q{i + 1}": str(row[i]) for i in range(8)} for key, row in enumerate(said, 1)})


def random_answers(seed: int, *, people: int = 40, rows: int = 500) -> list[Row]:
    """Answers with gaps, repeats within hours and after days, and words that stand on no scale."""
    rng = random.Random(seed)
    words = ["1", "2", "3", "4", "5", "5 - fully agree", "don't know", "4.0"]
    return [
        {
            "customer_key": rng.choice([None, *range(people)]),
            "question": rng.choice(["Q1", "Q2", "Q3", "Q4"]),
            "answer": rng.choice([None, *words]),
            "time": ASKED + timedelta(hours=rng.choice([0, 0, 1, 5, 23, 24, 25, 200, 900])),
        }
        for _ in range(rows)
    ]


def scores(
    rows: Sequence[Row],
    items: Sequence[str],
    reverse: Sequence[str],
    as_of: date,
    *,
    ends: tuple[int, int],
    least: float,
) -> dict[int, float]:
    """By customer, the mean of the items in the last response."""
    mine: dict[int, list[tuple[datetime, int, Row]]] = defaultdict(list)
    for place, row in enumerate(rows):
        known = row["time"].date() <= as_of and row["question"] in items and row["answer"] is not None
        if known and row["customer_key"] is not None:
            mine[row["customer_key"]].append((row["time"], place, row))
    found = {}
    for key, given in mine.items():
        newest = max(time for time, _, _ in given)
        last: dict[str, str] = {}
        for time, _, row in sorted(given, key=lambda g: g[:2]):
            last[row["question"]] = row["answer"] if newest - time <= timedelta(days=1) else "too old"
        numbers = {q: int(a[0]) for q, a in last.items() if a[0].isdigit()}
        values = [sum(ends) - n if q in reverse else n for q, n in numbers.items()]
        if len(values) >= math.ceil(least * len(items)):
            found[key] = sum(values) / len(values)
    return found
