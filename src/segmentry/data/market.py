"""What a company read or heard about its market: claims with their source and date, beside the segment they speak of.

Kept in market_notes.yaml, edited by hand or by command. A claim is evidence to judge by, never an input to a figure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml.comments import CommentedMap

from segmentry.catalogue import Model
from segmentry.config import TextList, line_of
from segmentry.data import kept_yaml
from segmentry.errors import ConfigError, UsageError, did_you_mean

FILE_NAME = "market_notes.yaml"
_HEADING = (
    "What market research says, claim by claim: claim, about (model, trait, objective, segmentation or\n"
    "segmentation.segment), source, date;\n"
    "strength (weak, moderate, strong) and quote if you like. Edit freely, or `segmentry note add`."
)


class Note(BaseModel):
    """One claim of market research."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim: str = Field(min_length=1, description="What is claimed, in one sentence.")
    about: TextList = Field(
        min_length=1, description="Models, traits, objectives, segmentations, segmentation.segment."
    )
    source: str = Field(min_length=1, description="Who says so, and where.")
    date: dt.date = Field(description="When it was said or published.")
    strength: Literal["weak", "moderate", "strong"] | None = Field(None, description="How well it is founded.")
    quote: str = Field("", description="The words of the source.")

    def is_about(self, name: str) -> bool:
        return name.casefold() in {a.casefold() for a in self.about}

    def __str__(self) -> str:
        founded = f", {self.strength} evidence" if self.strength else ""
        quote = f" “{self.quote}”" if self.quote else ""
        return f"{self.claim}{quote} ({self.source}, {self.date}{founded})"


@dataclass(frozen=True)
class Known:
    """What a note may speak of: traits, and the segments of every segmentation (None: not fitted yet)."""

    traits: frozenset[str]
    segments: Mapping[str, tuple[str, ...] | None]
    objectives: frozenset[str] = frozenset()

    def doubt(self, about: str) -> str:
        """Why nothing is called that; empty where something is."""
        name, dot, segment = about.partition(".")
        if dot and name in self.segments:
            names = self.segments[name]
            if names is None or segment.casefold() in {n.casefold() for n in names}:
                return ""
            return f"{name} has no segment '{segment}'. {did_you_mean(segment, names)}"
        single = {*self.traits, *self.segments, *self.objectives, *(m.value for m in Model)}
        if about in single:
            return ""
        every = {*single, *(f"{n}.{s}" for n, found in self.segments.items() for s in found or ())}
        return f"there is no model, trait, objective, segmentation or segment '{about}'. {did_you_mean(about, every)}"


def load(root: Path, known: Known) -> tuple[Note, ...]:
    """The notes of a workspace, as they stand in the file.

    Raises :class:`ConfigError` with file, line and key for what is no note, or speaks of what does not exist. A segment
    that a later fit took away is no mistake: see :func:`astray`.
    """
    tree = kept_yaml.read(root / FILE_NAME, "notes")
    bodies = tree.get("notes") or []
    if not isinstance(bodies, list):
        raise ConfigError(f"{FILE_NAME}:1 notes: must be a list of notes, each with claim, about, source and date.")
    found = []
    for i, body in enumerate(bodies):
        key = ("notes", i)
        note = kept_yaml.entry(Note, body, tree, key, FILE_NAME)
        for about in note.about:
            doubt = "" if about.partition(".")[0] in known.segments else known.doubt(about)
            if doubt:
                path = (*key, "about")
                raise ConfigError(f"{FILE_NAME}:{line_of(tree, path)} {kept_yaml.dotted(path)}: {doubt}")
        found.append(note)
    return tuple(found)


def astray(notes: tuple[Note, ...], known: Known) -> tuple[str, ...]:
    """Sentences about notes whose segment is not there any more."""
    doubts = ((note, known.doubt(about)) for note in notes for about in note.about)
    return tuple(f"{FILE_NAME}: {note.claim!r}: {doubt}" for note, doubt in doubts if doubt)


def add(root: Path, note: Note, known: Known) -> None:
    """Write a note behind the others, comments kept; :class:`UsageError` when it speaks of what does not exist."""
    for about in note.about:
        if doubt := known.doubt(about):
            raise UsageError(f"--about {about}: {doubt}")
    load(root, known)  # a file with a mistake is not written over
    body = note.model_dump(exclude_defaults=True)
    body["about"] = note.about[0] if len(note.about) == 1 else list(note.about)

    def edit(tree: CommentedMap) -> None:
        if tree.get("notes") is None:
            tree["notes"] = []
        tree["notes"].append(body)

    kept_yaml.change(root / FILE_NAME, _HEADING, edit)


def about(notes: tuple[Note, ...], *names: str) -> tuple[Note, ...]:
    """The notes that speak of any of these, the latest first."""
    found = [note for note in notes if any(note.is_about(name) for name in names)]
    return tuple(sorted(found, key=lambda note: note.date, reverse=True))
