"""Questions with several answers: which of them somebody ticked, in the latest completion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import Trait, lookup, member
from segmentry.config import Survey
from segmentry.traits.known import KEY, Expression, Known, Part, combine
from segmentry.traits.needs.answers import Question, latest_completion, levels_of

_FAMILY = "chooses_*"
_FREQUENT = 0.01  # of the ticks: rarer answers are mostly typed into 'other'
_MOST_MEMBERS = 30


def traits_of(known: Known, answers: ir.Table, questions: Sequence[Question], surveys: Mapping[str, Survey]) -> Part:
    """A trait for each frequent answer of every question that segmentry.yaml names under ``choices``."""
    parts: list[Part] = []
    by_key = {(q.survey, q.code): q for q in questions}
    for survey, settings in surveys.items():
        for name, choice in settings.choices.items():
            question = by_key.get((survey, choice.question))
            if question is None:
                continue
            levels = levels_of(answers, [question])[question.key]
            spelt = {a: (a, *own) for a, own in choice.answers.items()} or {a: (a,) for a in levels}
            parts.append(_ticked(answers, question, _members(known, name, spelt, levels), len(parts)))
    return combine(*parts)


def _members(
    known: Known, name: str, spelt: Mapping[str, Sequence[str]], levels: Mapping[str, int]
) -> dict[Trait, list[str]]:
    """The traits with the spellings of the answers that each stands for."""
    values: dict[str, list[str]] = {}
    traits: dict[str, Trait] = {}
    for answer, spellings in spelt.items():
        trait = member(_FAMILY, f"{name}: {answer}")
        traits.setdefault(trait.name, trait)
        values.setdefault(trait.name, []).extend(spellings)
    for needed in sorted(known.also):
        if needed.startswith(f"{_FAMILY.removesuffix('*')}{name}_") and (trait_there := lookup(needed)):
            traits.setdefault(needed, trait_there)
            values.setdefault(needed, [])
    ticks = {n: sum(levels.get(a, 0) for a in own) for n, own in values.items()}
    least = _FREQUENT * sum(levels.values())
    frequent = sorted((n for n in ticks if ticks[n] and ticks[n] >= least), key=lambda n: (-ticks[n], n))
    chosen = dict.fromkeys([*frequent[:_MOST_MEMBERS], *(n for n in values if n in known.also)])
    return {traits[n]: values[n] for n in chosen}


def _ticked(answers: ir.Table, question: Question, members: Mapping[Trait, list[str]], number: int) -> Part:
    rows = latest_completion(answers.filter(answers["asked"] == question.key))
    columns = {trait: f"ticked_{number}_{i}" for i, trait in enumerate(members)}
    ticks = {columns[t]: engine.count_where(rows["answer"].isin(own)) > 0 for t, own in members.items() if own}
    per = rows.group_by(KEY).agg(**{f"answered_{number}": rows.count()}, **ticks)
    return Part(passes=(per,), traits={t: _value(columns[t] if own else None, number) for t, own in members.items()})


def _value(column: str | None, number: int) -> Expression:
    """Null for who has not answered; false where nobody gives the answer any more."""
    return lambda row: row[f"answered_{number}"] < 0 if column is None else row[column]
