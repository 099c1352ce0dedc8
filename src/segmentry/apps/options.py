"""What commands have in common: their options, the workspace that they open, and JSON."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segmentry.errors import SegmentryError, UsageError

if TYPE_CHECKING:
    from segmentry.workspace import Workspace

Where = Annotated[Path, typer.Option("--workspace", "-w", help="Folder of the workspace.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Unmasked = Annotated[bool, typer.Option("--unmasked", help="Show personal values; who looked is kept in the state.")]
Name = Annotated[str | None, typer.Argument(help="Segmentation; default: the primary one.")]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="Date of the picture; default: as segmentry.yaml says."),
]
HERE = Path()


@contextmanager
def opened(path: Path, quiet: bool) -> Iterator[Workspace]:
    """A workspace, with progress unless quiet; closed afterwards."""
    from segmentry.apps import terminal
    from segmentry.workspace import open_workspace

    with terminal.Progress(quiet=quiet) as shown:
        space = open_workspace(path, listener=shown.event)
        try:
            yield space
        except SegmentryError as error:
            error.what = located(error.what, space)
            raise
        finally:
            space.close()


def located(message: str, space: Workspace) -> str:
    """A message that begins with a key of segmentry.yaml, with its line."""
    from segmentry.config import FILE_NAME, with_line

    return with_line(message, space.root / FILE_NAME)


def name_of(space: Workspace, name: str | None) -> str:
    """The segmentation that is meant: the primary one unless named."""
    chosen = name or space.config.first
    if chosen is None:
        raise UsageError(
            "There is no segmentation in segmentry.yaml.",
            fix="Add one under `segmentations:`, such as value: {method: value_tiers}.",
        )
    return chosen


def note_look(space: Workspace, what: str) -> None:
    """Note who looks at personal data, and say so."""
    from segmentry.apps import terminal

    who = getpass.getuser()
    space.state.note_look(who, what)
    terminal.warn(f"Personal values are shown; it is noted that {who} looked at: {what}.")


def without(value: Any, *names: str) -> dict[str, Any]:
    """The fields of a result but for some."""
    from dataclasses import asdict

    return {k: v for k, v in asdict(value).items() if k not in names}


def print_json(value: object) -> None:
    """A result as JSON."""
    from segmentry.apps import terminal

    terminal.json(value)
