"""The data plan in the terminal: models and their readiness, one model in depth, one field, and its JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.text import Text

from segmentry.apps import findings, terminal, words
from segmentry.data.plan import FieldPlan, ModelPlan, Plan
from segmentry.data.plan.fields import BY_ID
from segmentry.data.plan.questions import Question
from segmentry.wording import agree

_STYLES = {"ready": "green", "thin": "yellow", "not possible": "red", "not needed": "dim"}
_MARKS = {"good": "yes", "thin": "thin", "mapped": "mapped", "missing": "no"}


def overview(plan: Plan) -> None:
    """Models x readiness, with the three most valuable missing fields of each."""
    title = f"Data plan: {plan.name}" if plan.name else "Data plan: what to collect for each model, before there is any"
    table = terminal.table_of(
        "model", "verdict", "fields", "most valuable missing fields", title=title, right=["fields"]
    )
    for part in plan.models:
        missing = "; ".join(f.id.partition(".")[2] for f in part.missing[:3])
        fields = f"{part.known} of {len(part.fields)}" if part.fields else ""
        table.add_row(part.model.value, Text(part.verdict, style=_STYLES[part.verdict]), fields, missing)
    terminal.out.print(table)
    for part in plan.models:
        terminal.plain(
            f"{part.model.value}: {_verdict(part, with_step=part.verdict == 'not possible')}{_counted(part)}"
        )
    if plan.name and not plan.measured:
        terminal.warn("From segmentry.yaml alone: nothing has been collected yet. `segmentry run` measures it.")
    terminal.plain(
        "\n`segmentry plan MODEL` shows a model in depth: what the lack costs, what to log, what to ask, and why "
        "a trait is not there."
    )


def _verdict(part: ModelPlan, *, with_step: bool) -> str:
    said = f"{part.verdict}: {part.because}."
    return f"{said} Cheapest first step: {part.first_step}" if with_step and part.first_step else said


def _counted(part: ModelPlan) -> str:
    """How many traits a model has, once they were computed."""
    if part.made is None or part.verdict == "not needed":
        return ""
    lost = sum(len(each.traits) for each in part.absent)
    made = agree(len(part.made), "{n} [trait|traits]")
    return f" {made}; {lost} of the catalogue are not there." if lost else f" {made}."


def model(part: ModelPlan) -> None:
    """One model in depth."""
    right = ("strength", "known for", "age (days)")
    table = terminal.table_of(
        "field", "have?", "strength", "known for", "age (days)", "decided", "cost of lack", "from, or how", right=right,
        title=f"{part.model.value}: {part.verdict}",
    )  # fmt: skip
    for f in sorted(part.fields, key=lambda f: (-f.strength, not f.have)):
        table.add_row(
            Text(f.id),
            _MARKS[f.state],
            "*" * f.strength,
            words.share(f.fill) if f.fill is not None else "",
            "" if f.age_days is None else f"{f.age_days:,}",
            Text(_decided(f)),
            Text(f.lack),
            Text(", ".join(f.given_by) if f.have else f.how),
        )
    if part.fields:
        terminal.out.print(table)
    terminal.plain(f"{part.model.value}: {_verdict(part, with_step=part.verdict != 'ready')}")
    if part.also:
        terminal.plain(f"Also known: {', '.join(part.also)}.")
    if part.made:
        terminal.plain(f"Traits: {', '.join(part.made)}.")
    for name, evidence in part.evidence.items():
        if said := findings.reliability(evidence):
            terminal.plain(f"  {name}: {said}.")
    if part.absent:
        terminal.plain("Not there:")
    for each in part.absent:
        terminal.plain(f"  {', '.join(each.traits)}: {each.reason}.")
    for f in part.missing:
        _in_depth(f)


def one_field(found: FieldPlan) -> None:
    """One field: what there is, what was decided, how to gather it."""
    terminal.plain(f"{found.id}: {found.title}. {found.why}")
    have = ", ".join(found.given_by) or "nothing"
    known = f", known for {words.share(found.fill)}" if found.fill is not None else ""
    terminal.plain(f"  have: {have}{known}{f'; {found.problem}' if found.problem else ''}")
    if _decided(found):
        terminal.plain(f"  decided: {_decided(found)}")
    _in_depth(found)


def _decided(found: FieldPlan) -> str:
    d = found.decision
    parts = (d.status or "", d.owner, d.source, f"by {d.due}" if d.due else "", d.note)
    return ", ".join(p for p in parts if p)


def _in_depth(found: FieldPlan) -> None:
    declared = BY_ID[found.id]
    terminal.out.print(Text(f"\n{found.id}", style="bold"), Text(f" {found.title}. {found.why}"), soft_wrap=True)
    if found.problem:
        terminal.plain(f"  {found.problem}.")
    terminal.plain(f"  usually in: {declared.system}")
    for column in declared.columns:
        terminal.plain(f"  column: {column}")
    if declared.event is not None:
        event = declared.event
        terminal.plain(f"  event: {event.call} `{event.name}` with {', '.join(event.properties)}")
    if declared.question is not None:
        _question(declared.question, declared.code)


def _question(question: Question, code: str) -> None:
    terminal.plain(f"  question ({code}): {question.wording}")
    for i, item in enumerate(question.items, 1):
        terminal.plain(f"    {i}. {item}{' (reverse)' if i in question.reverse else ''}")
    if question.options:
        terminal.plain(f"    answers: {' | '.join(question.options)}")
    if question.scoring:
        terminal.plain(f"    scoring: {question.scoring}")


def as_json(plan: Plan, part: ModelPlan | None = None) -> dict[str, Any]:
    """The plan, or one model of it, as plain data: with events and questions for what is missing."""
    about = {"name": plan.name, "measured": plan.measured, "as_of": plan.as_of, "customers": plan.customers}
    return {**about, "models": [_model_json(m) for m in plan.models if part is None or m.model is part.model]}


def _model_json(part: ModelPlan) -> dict[str, Any]:
    told = {k: getattr(part, k) for k in ("verdict", "because", "first_step", "also")}
    missing = [f.id for f in part.missing]
    told |= {"traits": part.made, "absent": [asdict(each) for each in part.absent], "evidence": part.evidence}
    return {"model": part.model.value, **told, "missing": missing, "fields": [field_json(f) for f in part.fields]}


def field_json(found: FieldPlan) -> dict[str, Any]:
    """One field as plain data, with its event and question."""
    declared = BY_ID[found.id]
    return {
        **{k: v for k, v in asdict(found).items() if k != "decision"},
        "have": found.have,
        "decision": found.decision.model_dump(mode="json", exclude_defaults=True),
        "columns": list(declared.columns),
        "system": declared.system,
        "event": asdict(declared.event) if declared.event else None,
        "question": asdict(declared.question) | {"code": declared.code} if declared.question else None,
    }
