"""What customers wrote, one row per text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.traits.known import KEY, Known

LONGEST = 2_000  # characters of a text that are read: whoever writes more has said it by then
# What is no category and no number: several words, and hardly ever the same ones twice.
_LEAST_DIFFERENT, _LEAST_DIFFERENT_SHARE, _LEAST_WORDS = 20, 0.02, 2.5
_MOST_KINDS = 1_000


@dataclass(frozen=True)
class Kind:
    """One kind of text, a question or an event, with how many customers' texts there are."""

    name: str
    texts: int
    different: int
    words: float  # of an average one

    @property
    def is_free(self) -> bool:
        """Whether people write what they like there."""
        different = self.different >= max(_LEAST_DIFFERENT, _LEAST_DIFFERENT_SHARE * self.texts)
        return different and self.words >= _LEAST_WORDS


def has_texts(known: Known) -> bool:
    """Whether there is any table with texts in it."""
    return any(True for _ in _sources(known))


def said(known: Known) -> ir.Table | None:
    """All answers and texts of customers: customer_key, kind, language (as their record has it), text_id, text.

    Equal texts of a kind from people of one language have one id. None where no table has any.
    """
    found = list(_sources(known))
    if not found:
        return None
    rows = ibis.union(*found) if len(found) > 1 else found[0]
    language = ibis.null("string")
    if known.has("customers.language"):
        spoken = known.customers.select(KEY, spoken="language")
        rows = rows.left_join(spoken, KEY).select(*rows.columns, "spoken")
        language = rows["spoken"]
    rows = rows.select(KEY, "kind", language=language.fill_null(""), text=rows["text"].strip().left(LONGEST))
    rows = rows.filter(rows["text"] != "")
    return rows.mutate(text_id=engine.md5(rows["kind"] + "\n" + rows["language"] + "\n" + rows["text"]))


def _sources(known: Known) -> Iterator[ir.Table]:
    answers = known.facts.get("responses")
    if answers is not None and "answer" in answers.columns:
        survey = answers["survey"] if "survey" in answers.columns else ibis.null("string")
        kind = survey.fill_null("answers") + ": " + answers["question"]
        yield _texts(answers, kind, answers["answer"])
    events = known.facts.get("events")
    if events is not None and "text" in events.columns:
        yield _texts(events, events["name"], events["text"])


def _texts(rows: ir.Table, kind: ir.StringValue, text: ir.StringValue) -> ir.Table:
    found = rows.select(KEY, kind=kind, text=text)
    return found.filter(found["text"].notnull() & found["kind"].notnull())


def kinds(texts: ir.Table) -> list[Kind]:
    """The kinds of texts, the most frequent first."""
    words = texts["text"].length() - texts["text"].replace(" ", "").length() + 1
    counted = texts.group_by("kind").agg(
        texts=texts.count(), different=texts["text"].nunique(), words=words.sum().cast("int64")
    )
    rows = counted.order_by([ibis.desc("texts"), "kind"]).limit(_MOST_KINDS).to_pyarrow().to_pylist()
    return [Kind(r["kind"], r["texts"], r["different"], r["words"] / r["texts"]) for r in rows]
