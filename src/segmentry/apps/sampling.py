"""How a sample is told: how near it is to the base, and the risk that somebody is found again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from segmentry.apps import terminal, words
from segmentry.state import Run
from segmentry.wording import agree


def show(run: Run) -> None:
    """The sample of a run: how it was drawn, how near it is to the base, and the statement of the risk."""
    for line in sentences(run.rows["sample"], run.facts):
        terminal.plain(line)
    statement = run.facts["statement"]
    found = changes(statement)
    rest = len(statement["changes"]) - len(found)
    if rest:
        terminal.plain(agree(rest, "{n} sensitive [trait is|traits are] told to two digits."))
    if found:
        rows = [{"trait": c["trait"], "made anonymous": c["done"], "lost": words.share(c["lost"])} for c in found]
        terminal.rows(rows, "What was made coarser, and the share of its information that went")


def changes(statement: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """What was made coarser: the quasi-identifiers, and of the sensitive traits those that lost values."""
    return tuple(c for c in statement["changes"] if c["trait"] in statement["quasi"] or c["lost"])


def sentences(rows: int, facts: Mapping[str, Any]) -> Iterator[str]:
    """The sample in sentences."""
    by = f", drawn by {', '.join(facts['by'])} in {len(facts['strata'])} groups" if facts["by"] else ""
    unit, of = facts["unit"], f" of {facts['of']}" if facts["of"] else ""
    yield f"{rows:,} rows stand for {facts['base']:,} {unit}s{of}{by}; design effect {facts['design_effect']:.2f}."
    worst = facts["differences"][0] if facts["differences"] else None
    far = agree(facts["far"], "{n} [is|are] more than 0.1 sd away")
    yield f"Compared with the base in {facts['compared']:,} figures: {far}" + (
        f"; the farthest is {_figure(worst)}, by {worst['smd']:+.3f} sd." if worst else "."
    )
    if facts["market"]:
        yield facts["market"]["verdict"]
    yield from facts["notes"]
    yield from risk(facts["statement"])
    yield cost(facts["cost"])


def _figure(difference: Mapping[str, Any]) -> str:
    level = f" {difference['level']}" if difference["level"] is not None else ""
    return f"{difference['trait']}{level}"


def risk(statement: Mapping[str, Any]) -> Iterator[str]:
    """The statement of the risk of re-identification, after El Emam & Dankar 2008."""
    before, after = statement["before"], statement["after"]
    known = words.listing(statement["quasi"]) or "no quasi-identifier"
    yield (
        f"Risk of being found again, by who knows {known} and that somebody is in the sample: at most "
        f"{words.share(after['highest'])}, {words.share(after['average'])} on average (as drawn: "
        f"{words.share(before['highest'])} and {words.share(before['average'])}; {words.share(before['unique'])} of "
        "the rows were unique)."
    )
    yield (
        f"Everybody is alike with at least {statement['k'] - 1} others; {words.share(statement['suppressed'])} of the "
        f"rows and {words.share(statement['blanked'])} of the sensitive values were left out for it. The sample is "
        f"{words.share(statement['of_base'])} of the base."
    )
    if statement["dropped"]:
        yield f"Left out as they name a person, or most rows have their own value: {', '.join(statement['dropped'])}."


def cost(found: Mapping[str, Any]) -> str:
    """What anonymity costs a fit."""
    if found["agreement"] is None:
        return f"What that costs a fit was not measured: {found['why']}"
    return (
        f"K-means with {found['segments']} segments places customers as it would have without (adjusted Rand index "
        f"{found['agreement']:.2f}; 1 is the same)."
    )
