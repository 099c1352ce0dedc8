"""Commands about the definitions of segments: their rules, and their versions."""

from __future__ import annotations

from typing import Annotated

import typer

from segmentry.apps.options import HERE, Json, Name, Where, name_of, opened
from segmentry.errors import UsageError


def rules(
    name: Annotated[
        str | None, typer.Argument(help="Segmentation or objective; default: all.", show_default=False)
    ] = None,
    workspace: Where = HERE,
    where: Annotated[str | None, typer.Option(help='Only this condition, such as "orders_365d >= 2".')] = None,
    unit: Annotated[str, typer.Option(help="Whose traits --where is about: customer or account.")] = "customer",
    json: Json = False,
) -> None:
    """Check the rules of segmentry.yaml before they count: in English, how many meet each, and what looks wrong.

    Exit 1 when a rule cannot be meant as it is written: it never holds, or nobody can reach it.
    """
    from segmentry import rule_checks
    from segmentry.apps import definitions, terminal

    if unit not in ("customer", "account"):
        raise UsageError(f"--unit '{unit}' is not allowed.", why="Allowed: customer, account.")
    if where is not None and name is not None:
        raise UsageError("--where goes without a name.", fix="Leave one of them out.")
    with opened(workspace, True) as space, space.reading() as reading:
        found = (rule_checks.typed(reading, where, unit),) if where is not None else rule_checks.written(reading, name)
    terminal.json(found) if json else definitions.show_rules(found)
    if any(check.wrong for check in found):
        raise typer.Exit(1)


def versions(
    name: Name = None,
    workspace: Where = HERE,
    comment: Annotated[str, typer.Option(help="Say something of the current version.")] = "",
    sign: Annotated[bool, typer.Option("--sign", help="Sign the current version off, as its owner.")] = False,
    json: Json = False,
) -> None:
    """Show the versions of a segmentation: what changed in segmentry.yaml, what was said and who signed."""
    from segmentry.apps import definitions

    with opened(workspace, True) as space:
        definitions.versions(space, name_of(space, name), comment, sign=sign, json=json)
