"""Methods beside each other (``segment.comparing``), as a table for a terminal and for the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from segmentry.apps import terminal, words

TITLE = "Methods on the same customers and traits"
_HEAD = ("method", "segments", "structure", "mean agreement (ARI)", "least stable (Jaccard)", "smallest")


@dataclass(frozen=True)
class Comparison:
    """A table, and what follows from it in sentences: what is advised and why, what each method leaves out."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Comparison | None:
        """The comparison in the report of a fit; None where there is none."""
        compared = report.get("compared") or ()
        if not compared:
            return None
        found = [each["method"] for each in compared if not each["problem"]]
        head = (*_HEAD, *(f"agrees with {words.spoken(method)}" for method in found))
        return cls(head, tuple(_row(each, found) for each in compared), tuple(_sentences(compared)))


def show(report: Mapping[str, Any]) -> None:
    """Print the comparison, if there is one."""
    found = Comparison.of(report)
    if found is None:
        return
    table = terminal.table_of(*found.head, right=[*found.head[1:2], *found.head[3:]], title=TITLE)
    for row in found.rows:
        table.add_row(*map(Text, row))
    terminal.out.print(table)
    for sentence in found.sentences:
        terminal.plain(sentence)


def _row(each: Mapping[str, Any], found: list[str]) -> tuple[str, ...]:
    name = words.spoken(each["method"]) + (" (advised)" if each["advised"] else "")
    if each["problem"]:
        return (name, *[words.UNKNOWN] * (len(_HEAD) - 1 + len(found)))
    agreement = [each["agreement"].get(method) for method in found]
    return (
        name,
        str(each["k"]),
        each["verdict"],
        f"{each['mean_ari']:.2f}",
        f"{each['min_jaccard']:.2f}",
        words.share(each["smallest"]),
        *("" if value is None else f"{value:.2f}" for value in agreement),
    )


def _sentences(compared: list[Mapping[str, Any]]) -> list[str]:
    lines = [
        f"Advised: {words.spoken(each['method'])}{each['why'].removeprefix(each['method'])}"
        for each in compared
        if each["advised"]
    ]
    taken = compared[0]
    if not taken["advised"]:
        lines.append(
            f"Taken was {words.spoken(taken['method'])}, as segmentry.yaml says; set its `method:` to change it."
        )
    for each in compared:
        if each["problem"]:
            lines.append(f"{words.spoken(each['method'])} found nothing: {each['problem']}")
        elif each["left_out"]:
            lines.append(f"{words.spoken(each['method'])} does not take {', '.join(each['left_out'])}.")
    return lines
