"""The commands ``segmentry note``: claims of market research, beside what they speak of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from segmentry.apps.options import HERE, Json, Where, opened, print_json
from segmentry.errors import UsageError

app = typer.Typer(help="Claims of market research, beside what they speak of.", no_args_is_help=True)


@app.command("add")
def note_add(
    claim: Annotated[str, typer.Argument(help="What is claimed, in one sentence.")],
    about: Annotated[list[str], typer.Option(help="Model, trait, segmentation or segmentation.segment; repeatable.")],
    source: Annotated[str, typer.Option(help="Who says so, and where.")],
    date: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="When it was said or published.")],
    strength: Annotated[str | None, typer.Option(help="weak, moderate or strong.")] = None,
    quote: Annotated[str, typer.Option(help="The words of the source.")] = "",
    workspace: Where = HERE,
) -> None:
    """Keep a claim of market research in market_notes.yaml, beside the trait or segment it speaks of."""
    from segmentry.apps import terminal
    from segmentry.data import market

    allowed = {"weak": "weak", "moderate": "moderate", "strong": "strong"}
    if strength is not None and strength not in allowed:
        raise UsageError(f"--strength '{strength}' is not allowed.", why="Allowed: weak, moderate, strong.")
    fields = {"claim": claim, "about": about, "source": source, "date": date.date(), "strength": strength}
    made = market.Note.model_validate({**fields, "quote": quote})
    with opened(workspace, True) as space, space.reading() as reading:
        market.add(space.root, made, reading.known())
    terminal.plain(f"Noted about {', '.join(made.about)}: {made}")


@app.command("list")
def note_list(
    about: Annotated[str | None, typer.Option(help="Only what speaks of this.")] = None,
    workspace: Where = HERE,
    json: Json = False,
) -> None:
    """List the claims of market research, the latest first, and those whose segment is gone."""
    from segmentry.apps import terminal
    from segmentry.data import market

    with opened(workspace, True) as space, space.reading() as reading:
        notes, known = reading.notes(), reading.known()
    if about is not None and (doubt := known.doubt(about)):
        raise UsageError(f"--about {about}: {doubt}")
    every = sorted(notes, key=lambda n: n.date, reverse=True) if about is None else market.about(notes, about)
    if json:
        print_json([n.model_dump(mode="json") for n in every])
        return
    terminal.rows([{"about": ", ".join(n.about), "note": str(n)} for n in every], "Notes")
    for doubt in market.astray(notes, known):
        terminal.warn(doubt)
