"""A ready questionnaire for the fields that are to be collected by survey: Markdown to read, CSV to load."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from segmentry.data.plan import Plan
from segmentry.data.plan.fields import BY_ID, Field
from segmentry.data.plan.questions import Question
from segmentry.errors import UsageError

COLUMNS = ("code", "field", "form", "question", "item", "options", "reverse", "private")


def write(plan: Plan, path: Path) -> int:
    """Write the questionnaire, as Markdown or CSV by the name of the file; gives the number of questions.

    Raises :class:`UsageError` for another kind of file, a missing folder, or when there is nothing to ask.
    """
    fields = chosen(plan)
    texts = {".md": lambda: markdown(plan, fields), ".csv": lambda: table(fields)}
    if path.suffix.lower() not in texts:
        raise UsageError(f"A questionnaire cannot be written to {path.name}.", why="Allowed: FILE.md or FILE.csv.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}.", fix="Make it first, or name another file.")
    path.write_text(texts[path.suffix.lower()](), encoding="utf-8", newline="\n")
    return len(fields)


def chosen(plan: Plan) -> tuple[Field, ...]:
    """The missing fields that were decided to be collected by survey: status 'to collect', and a source that is a
    survey or not named. What is private comes last.

    Raises :class:`UsageError` when there is none.
    """
    waiting = [f for part in plan.models for f in part.fields if f.decision.status == "to collect" and not f.have]
    by_survey = [f for f in waiting if not f.decision.source or "survey" in f.decision.source.lower()]
    asked = [BY_ID[f.id] for f in by_survey if BY_ID[f.id].question is not None]
    if not asked:
        raise UsageError(
            "No missing field is decided to be collected by survey.",
            why="A questionnaire asks what has the status 'to collect' and the source survey (or none) in plan.yaml.",
            fix='For example: segmentry plan --field needs.benefits --status "to collect" --source survey.',
        )
    return tuple(sorted(asked, key=lambda f: f.question is not None and f.question.private))


def markdown(plan: Plan, fields: Sequence[Field]) -> str:
    """The questionnaire for people: wording, scale, how to score."""
    return "\n".join(_markdown(plan, fields)) + "\n"


def _markdown(plan: Plan, fields: Sequence[Field]) -> Iterator[str]:
    seconds = sum(f.question.seconds for f in fields if f.question)
    yield f"# Questionnaire{f': {plan.name}' if plan.name else ''}"
    yield ""
    yield f"{len(fields)} questions, about {max(1, round(seconds / 60))} minutes. Keep the codes as question codes and "
    yield "pass the customer's id along (hidden field), so that the answers find their fields and their customers."
    yield ""
    yield "> Thank you for taking part. Your answers help us to serve you better; they are kept with your customer "
    yield "> record and not passed on. Every question is voluntary."
    for number, field in enumerate(fields, 1):
        if field.question is not None:
            yield from ("", f"## {number}. {field.title} (`{field.code}`)", "")
            yield from _asked(field.question)


def _asked(question: Question) -> Iterator[str]:
    yield f"**{question.wording}**"
    yield ""
    if question.form in ("matrix", "best and worst"):
        kind = "One answer for each line" if question.form == "matrix" else "Four at a time, several screens"
        yield f"{kind}: {' | '.join(question.options)}"
        yield ""
        for i, item in enumerate(question.items, 1):
            yield f"{i}. {item}{' (reverse)' if i in question.reverse else ''}"
    elif question.form == "scale":
        yield " ".join(question.options)
    elif question.options:
        yield "One answer:" if question.form == "one" else "All that apply:"
        yield ""
        yield from (f"- {option}" for option in question.options)
    else:
        yield "Answer in a number." if question.form == "number" else "Answer in words."
    if question.scoring:
        yield ""
        yield f"*Scoring (not shown): {question.scoring}*"


def table(fields: Sequence[Field]) -> str:
    """The questionnaire as CSV, one row an item; options are separated by ``|``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for field in fields:
        question = field.question
        if question is None:
            continue
        for i, item in enumerate(question.items or ("",), 1):
            code = f"{field.code}_{i}" if question.items else field.code
            reverse = "yes" if i in question.reverse else ""
            private = "yes" if question.private else ""
            options = "|".join(question.options)
            writer.writerow((code, field.id, question.form, question.wording, item, options, reverse, private))
    return out.getvalue()
