"""A proposal for a workspace, as data: its sources, what is left out, first segmentations, open questions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from segmentry.columns import Pii
from segmentry.data.defaults import SegmentationProposal, default_segmentations
from segmentry.data.known import Known
from segmentry.data.mapping import columns_of, needed
from segmentry.data.order_lines import Rhythm
from segmentry.data.recognise import DAY_FIRST, Question, SourceProposal, organisations_as_customers, understand
from segmentry.data.source_files import LeftOut
from segmentry.errors import UsageError, did_you_mean
from segmentry.tables import COLLECTABLE


@dataclass(frozen=True)
class Proposal:
    """What a workspace made of some files would be."""

    name: str
    sources: tuple[SourceProposal, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    currency: str = ""
    rhythm: Rhythm | None = None
    several_ids: str = ""  # what says that one system has the same people under several ids

    @property
    def questions(self) -> tuple[Question, ...]:
        """What a person can answer better than the files; :meth:`answer` works an answer in."""
        return tuple(question for source in self.sources for question in source.questions)

    @property
    def pii(self) -> dict[str, Mapping[str, Pii]]:
        """The personal columns of each source's files, and how personal they are."""
        return {source.name: source.pii for source in self.sources if source.pii}

    @cached_property
    def segmentations(self) -> tuple[SegmentationProposal, ...]:
        """The segmentations to start with."""
        return default_segmentations(self.sources)

    @property
    def why_no_segmentation(self) -> str:
        """Why nothing is proposed, where nothing is."""
        if any(source.kind in ("responses", "events") for source in self.sources):
            return (
                "what answers and events make traits of is yours to say, under `surveys` and `traits`; a file with one "
                "row per customer, or with orders, gives segmentations at once"
            )
        return "the files hold fewer than two usable traits"

    @property
    def primary(self) -> str | None:
        """The segmentation shown first."""
        names = [s.name for s in self.segmentations]
        return next((name for name in ("rfm", "value", "groups") if name in names), names[0] if names else None)

    def answer(self, question: Question, choice: str) -> Proposal:
        """The proposal with an answer worked in; no file is read again.

        ``choice`` is a column of the file, or a kind, or the order of day and month, where that was asked. Raises
        :class:`UsageError` for a choice that is none of them, or that leaves the source without a column it needs.
        """
        source = next((s for s in self.sources if s.name == question.source), None)
        if source is None:
            raise UsageError(f"There is no source '{question.source}'.", fix="Answer a question of this proposal.")
        if question.column == "day_first":
            return self._with_day_first(source, question, choice)
        if question.column != "kind" and question.column not in columns_of(source.kind or "customers"):
            return self  # an earlier answer made it another kind, of which this was not asked
        allowed = COLLECTABLE if question.column == "kind" else source.table.names
        if choice not in allowed:
            raise UsageError(f"'{choice}' is no answer to: {question.text}", fix=did_you_mean(choice, allowed))
        answered = _answered(source, {**source.answers, question.column: choice})
        sources = distinct_attributes([answered if s is source else s for s in self.sources])
        changed = any(_reads(source, c) != _reads(answered, c) for c in ("customer", "time", "amount"))
        orders = "transactions" in {source.kind, answered.kind}
        return replace(self, sources=sources, rhythm=None if changed and orders else self.rhythm)

    def _with_day_first(self, source: SourceProposal, question: Question, choice: str) -> Proposal:
        if choice not in DAY_FIRST:
            raise UsageError(f"'{choice}' is no answer to: {question.text}", fix=did_you_mean(choice, DAY_FIRST))
        day_first = choice == DAY_FIRST[0]
        answered = replace(source, day_first=day_first, day_doubt="")
        sources = tuple(answered if s is source else s for s in self.sources)
        same = day_first == source.day_first or source.kind != "transactions"
        return replace(self, sources=sources, rhythm=self.rhythm if same else None)


def distinct_attributes(sources: Sequence[SourceProposal]) -> tuple[SourceProposal, ...]:
    """The sources with each attribute's name used once: a trait is one column, of one table and one kind.

    Two sources of one table may both have an attribute: the better record of a customer wins.
    """
    owner: dict[str, tuple[str | None, str]] = {}
    made = []
    for source in sources:
        attributes = []
        for attribute in source.attributes:
            options = (attribute.name, *(f"{attribute.name[:36]}_{n}" for n in range(2, 1000)))
            mine = (source.kind, attribute.kind)
            name = next(o for o in options if owner.get(o, mine) == mine)
            owner[name] = mine
            attributes.append(replace(attribute, name=name))
        made.append(replace(source, attributes=tuple(attributes)))
    return tuple(made)


def _answered(source: SourceProposal, answers: Mapping[str, str]) -> SourceProposal:
    made = understand(source.table, name=source.name, paths=source.paths, sheet=source.sheet, answers=answers)
    missing = [c for c in needed(made.kind or "") if c not in made.columns] if made.kind else ["kind"]
    if missing:
        raise UsageError(
            f"{source.name} cannot be {made.kind}: it has no column for {', '.join(missing)}.",
            why=f"Its columns are: {listed(source.table.names)}.",
            fix="Give another answer, or leave the file out.",
        )
    if source.as_customers and made.kind == "accounts":
        made = organisations_as_customers(made)
    if "customer" not in answers:
        made = _as_found_with_others(source, made)
    same_ids = _reads(source, "customer") == _reads(made, "customer")
    note = source.id_space_note if same_ids or source.id_space is None else "not compared again after your answer"
    keep_charges = source.kind == made.kind == "transactions" and _reads(source, "product") == _reads(made, "product")
    keep_returns = source.kind == made.kind == "transactions" and _reads(source, "order") == _reads(made, "order")
    return replace(
        made,
        origin=source.origin,
        day_first=source.day_first,
        day_doubt=source.day_doubt,
        id_space=source.id_space,
        id_space_note=note,
        charges=source.charges if keep_charges else None,
        charge_note=source.charge_note if keep_charges else "",
        returns=source.returns if keep_returns else None,
        return_note=source.return_note if keep_returns else "",
        notes=source.notes,
        doubts=source.doubts,
    )


def _as_found_with_others(source: SourceProposal, made: SourceProposal) -> SourceProposal:
    """Whose records these are was found out together with the other files."""
    whose = ("customer", "known_as", "contact_email", "contact_phone", "contact_name")
    if source.kind != made.kind or not {"known_as", "contact_email"} & source.columns.keys():
        return made
    kept = {t: m for t, m in source.columns.items() if t in whose}
    return replace(made, columns={**{t: m for t, m in made.columns.items() if t not in whose}, **kept})


def _reads(source: SourceProposal, target: str) -> str | None:
    found = source.columns.get(target)
    return found.expression if found else None


def as_config(source: SourceProposal) -> dict[str, Any]:
    """The source as a section of segmentry.yaml."""
    made: dict[str, Any] = {"kind": source.kind}
    if source.origin is None:
        made["path"] = list(source.paths) if len(source.paths) > 1 else source.paths[0]
    else:
        made |= {"url": source.origin.url, "table": source.origin.table}
        made |= {"cursor": source.origin.cursor} if source.origin.cursor else {}
    if source.known is not None:
        made |= _layout(source.known)
    made["columns"] = {target: m.expression for target, m in source.columns.items()}
    if source.attributes:
        made["attributes"] = {
            a.name: {
                "from": a.expression,
                "model": a.model.value,
                "kind": a.kind,
                **({"unit": a.unit} if a.unit else {}),
                **({"pii": a.pii.value} if a.pii is not Pii.NONE else {}),
            }
            for a in source.attributes
        }
    optional = {
        "id_space": source.id_space,
        "day_first": source.day_first,
        "sheet": source.sheet,
        "returns": source.returns,
        "charges": source.charges,
    }
    made |= {key: value for key, value in optional.items() if value is not None}
    if source.pii:
        made["pii"] = {column: pii.value for column, pii in source.pii.items()}
    return made


def _layout(known: Known) -> dict[str, Any]:
    answers = known.answers.model_dump(mode="json", exclude_defaults=True) if known.answers else {}
    found: dict[str, Any] = {
        "layout": known.layout,
        "answers": answers,
        "measures": list(known.measures),
        "timezone": known.timezone,
        "key": list(known.key),
        "keep": "first" if known.key else "",
        "set_aside": dict(known.set_aside),
    }
    return {key: value for key, value in found.items() if value}


def listed(names: Sequence[str]) -> str:
    """Column names for a message, on one line."""
    shown = ", ".join(re.sub(r"\s+", " ", name) for name in names[:40])
    return f"{shown} and {len(names) - 40} more" if len(names) > 40 else shown
