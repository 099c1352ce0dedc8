"""Questions with several answers: which of them somebody ticked, in the latest completion.

Items that are answered by yes or no are such a question, too, put one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import Trait, lookup, member
from segmentry.catalogue.needs import NO, YES
from segmentry.config import Survey
from segmentry.traits.known import KEY, Expression, Known, Part, column, combine
from segmentry.traits.needs.answers import Question, latest_completion, levels_of

_FAMILY = "chooses_*"
_FREQUENT = 0.01  # of the ticks: rarer answers are mostly typed into 'other'
_MOST_MEMBERS = 30
_LEAST_ITEMS = 2  # answered by yes or no: one alone is a question like any other
_SURE = 0.9  # of the answers to an item are yes or no
_LONGEST_LABEL = 40  # characters: a longer wording is a sentence, and the code of the question is the better name


def traits_of(known: Known, answers: ir.Table, questions: Sequence[Question], surveys: Mapping[str, Survey]) -> Part:
    """A trait for each frequent answer of every question that segmentry.yaml names under ``choices``, and for each item
    that is answered by yes or no."""
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
    return combine(*parts, _yes_or_no(answers, questions, surveys))


def _yes_or_no(answers: ir.Table, questions: Sequence[Question], surveys: Mapping[str, Survey]) -> Part:
    """A trait for each item that is answered by yes or no; of items of one name the first survey's."""
    text = answers["answer"].strip().lower()
    rows = answers.mutate(ticked=ibis.cases((text.isin(YES), 1), (text.isin(NO), 0), else_=ibis.null("int64")))
    counts = rows.group_by("asked").agg(n=rows.count(), said=rows["ticked"].count(), yes=rows["ticked"].sum())
    told = counts.filter(
        (counts["said"] >= _SURE * counts["n"]) & (counts["yes"] > 0) & (counts["yes"] < counts["said"])
    )
    keys = set(told.select("asked").to_pyarrow()["asked"].to_pylist())
    passes: list[ir.Table] = []
    made: dict[Trait, Expression] = {}
    for survey in dict.fromkeys(q.survey for q in questions):
        named = {choice.question for choice in surveys[survey].choices.values()} if survey in surveys else set()
        items = [q for q in questions if q.survey == survey and q.key in keys and q.code not in named]
        if len(items) < _LEAST_ITEMS:
            continue
        chosen = {member(_FAMILY, _label(item)): item for item in reversed(items[:_MOST_MEMBERS])}
        columns = {trait: f"said_{len(passes)}_{i}" for i, trait in enumerate(chosen) if trait not in made}
        last = latest_completion(rows.filter(rows["asked"].isin([item.key for item in items])))
        ticks = {name: last["ticked"].max(where=last["asked"] == chosen[t].key) == 1 for t, name in columns.items()}
        passes.append(last.group_by(KEY).agg(**ticks))
        made |= {trait: column(name) for trait, name in columns.items()}
    return Part(passes=tuple(passes), traits=made)


def _label(item: Question) -> str:
    name = item.label or item.wording
    return name if name and len(name) <= _LONGEST_LABEL else item.code


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
