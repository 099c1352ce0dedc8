"""Designs of best-worst exercises: which items every task shows, as survey tools export them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from segmentry.config import FILE_NAME, Survey
from segmentry.config.survey_needs import Design
from segmentry.errors import DataError

_VERSION, _TASK = ("version", "block"), ("task", "set", "question")
_ITEM = ("item", "benefit", "attribute", "concept")
_POSITION = ("position", "order")
_MOST_ROWS = 200_000


def designs(root: Path, surveys: Mapping[str, Survey]) -> dict[str, Design]:
    """The designs that segmentry.yaml names, by survey; paths are those of the workspace's folder.

    Raises :class:`DataError` for a file that is not there or that is no design.
    """
    return {
        name: load(root / survey.best_worst.design, f"{FILE_NAME} surveys.{name}.best_worst.design")
        for name, survey in surveys.items()
        if survey.best_worst is not None and survey.best_worst.design is not None
    }


def load(path: Path, where: str) -> Design:
    """A design from a CSV: a row per item (version, task, item), or a row per task with an item in each column."""
    if not path.is_file():
        raise DataError(
            f"{where}: there is no file {path.name} in {path.parent}.",
            fix="Export the design from the survey tool, or correct the path.",
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        names = {(name or "").strip().casefold(): name for name in reader.fieldnames or ()}
        task = _named(names, _TASK)
        if task is None:
            raise DataError(
                f"{where}: {path.name} has no column task.",
                why=f"Its columns are: {', '.join(names) or 'none'}. A design has version (where there are several), "
                "task, and item: a row per item, or a column each.",
            )
        version, item = _named(names, _VERSION), _named(names, _ITEM)
        others = (version, task, *(names.get(n) for n in _POSITION))
        columns = [item] if item else [name for name in names.values() if name not in others]
        sets: dict[tuple[str, str], list[str]] = {}
        for number, row in enumerate(reader, start=2):
            if number > _MOST_ROWS:
                raise DataError(f"{where}: {path.name} has more than {_MOST_ROWS:,} rows: this is no design.")
            key = (_plain(row[version]) if version else "", _plain(row[task]))
            sets.setdefault(key, []).extend(found for c in columns if (found := (row[c] or "").strip()))
    return tuple(_checked(sets, f"{where}: {path.name}"))


def _named(names: Mapping[str, str], words: Iterable[str]) -> str | None:
    return next((names[word] for word in words if word in names), None)


def _plain(text: str | None) -> str:
    """A number as answers have it: 3 for 3.0."""
    return (text or "").strip().removesuffix(".0")


def _checked(sets: Mapping[tuple[str, str], list[str]], where: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if not sets:
        raise DataError(f"{where} is empty.")
    for (version, task), items in sets.items():
        of = f"task {task} of version {version}" if version else f"task {task}"
        if len(items) < 2 or len(set(items)) < len(items):
            shown = ", ".join(items) or "nothing"
            raise DataError(f"{where}: {of} shows {shown}.", why="A task shows two or more different items, each once.")
        yield version, task, tuple(items)
