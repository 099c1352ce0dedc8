"""What people wrote in answers to open questions: a bounded sample of it, with whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from segmentry import engine

_SAMPLE = 5_000  # texts
_SHORTEST, _LONGEST = 15, 300  # characters of a text
_MEAN_LENGTH, _DISTINCT = 20, 0.3  # of the answers to a question: shorter or more alike ones are no free text
_SALT = "feedback"


@dataclass(frozen=True)
class Text:
    """A text and the key of its record."""

    record_key: int
    text: str


def texts(responses: ir.Table, as_of: date) -> list[Text]:
    """A sample of the texts that were written by the end of the day ``as_of``, the same on every engine."""
    rows = responses.filter(responses["customer_key"].notnull() & responses["answer"].notnull())
    if "time" in rows.columns:
        rows = rows.filter(
            rows["time"].isnull() | (rows["time"] < ibis.timestamp((as_of + timedelta(days=1)).isoformat()))
        )
    survey = rows["survey"].fill_null("") if "survey" in rows.columns else ibis.literal("")
    asked = survey + "\x1f" + rows["question"]
    rows = rows.select("customer_key", "answer", asked=asked)
    each = rows.group_by("asked").agg(
        n=rows.count(), different=rows["answer"].nunique(), letters=rows["answer"].length().sum()
    )
    open_ = [
        row["asked"]
        for row in each.order_by("asked").to_pyarrow().to_pylist()
        if row["letters"] >= _MEAN_LENGTH * row["n"] and row["different"] >= _DISTINCT * row["n"]
    ]
    if not open_:
        return []
    written = rows.filter(rows["asked"].isin(open_) & rows["answer"].length().between(_SHORTEST, _LONGEST))
    order = engine.sample_order(written["customer_key"].cast("string") + "|" + written["answer"], _SALT)
    chosen = written.mutate(place=order).order_by(["place", "answer"]).limit(_SAMPLE)
    return [Text(row["customer_key"], row["answer"]) for row in chosen.to_pyarrow().to_pylist()]
