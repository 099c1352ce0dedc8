"""Benefits sought: what people choose as best and as worst of the few items that each task shows (MaxDiff).

A customer's latest completion counts. A choice of what the task did not show is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import TRAITS, Trait
from segmentry.config.survey_needs import TASK, BestWorst, Design
from segmentry.errors import DataError, FitError
from segmentry.stats.best_worst import BestWorst as Utilities
from segmentry.stats.best_worst import best_worst
from segmentry.traits.known import KEY, Expression, Part
from segmentry.traits.needs.answers import Question, latest_completion
from segmentry.traits.needs.ratings import of_need

_MOST_CELLS = 200_000  # different choices from different sets
_LEAST_POSSIBLE = 0.5  # of the tasks answered: below, the design is that of another survey
_TIE = 1e-6  # of equal scores the benefit chosen as best more often comes first; scores differ by far more


@dataclass(frozen=True)
class Exercise:
    """A best-worst exercise that customers have answered: its survey, its benefits, and every task of each customer.

    ``tasks`` has customer_key, task, version, best, worst (places in ``benefits``), shown_0, shown_1 ... and ``valid``:
    whether both were shown and differ. ``usable`` counts them.
    """

    survey: str
    benefits: tuple[str, ...]
    tasks: ir.Table
    usable: Usable


@dataclass(frozen=True)
class Usable:
    """How many tasks were answered, how many of them have no set in the design, and how many are possible choices."""

    tasks: int
    without_set: int
    possible: int


def exercise(
    survey: str,
    settings: BestWorst,
    design: Design | None,
    answers: ir.Table,
    questions: Sequence[Question],
    number: int,
) -> Exercise | None:
    """The best-worst exercise of a survey; None when nobody has answered it yet. Its tasks are computed once; the table
    of them is called by ``number``."""
    codes = {q.code for q in questions if q.survey == survey}
    tasks = {role: _tasks(pattern, codes) for role, pattern in _patterns(settings).items()}
    both = [task for task in tasks["best"].values() if task in tasks["worst"].values()]
    if not both:
        return None
    names, spelt = _spellings(survey, settings, design)
    roles = [(code, role) for role, found in tasks.items() for code in found]
    numbers = [(code, task) for found in tasks.values() for code, task in found.items()]
    asked = [code for code, _ in roles] + ([settings.version] if settings.version else [])
    rows = latest_completion(answers.filter((answers["survey"] == survey) & answers["question"].isin(asked)))
    rows = rows.mutate(
        role=rows["question"].cases(*roles),
        task=rows["question"].cases(*numbers),
        item=rows["answer"].cases(*spelt.items()).cast("int64"),
    )
    chosen = {role: rows["item"].max(where=rows["role"] == role) for role in ("best", "worst")}
    told = {
        f"shown_{i}": engine.count_where((rows["role"] == "shown") & (rows["item"] == i)) > 0
        for i in range(len(names) if settings.shown else 0)
    }
    made = rows.filter(rows["task"].notnull()).group_by([KEY, "task"]).agg(**chosen, **told)
    made = made.filter(made["best"].notnull() & made["worst"].notnull())
    if settings.version:
        version = rows.filter(rows["question"] == settings.version).group_by(KEY).agg(version=rows["answer"].max())
        made = made.left_join(version, KEY, rname="{name}_of").drop(f"{KEY}_of")
    made = _with_sets(made, names, design, settings)
    made = made.mutate(valid=_valid(made, len(names)).fill_null(False))
    made = engine.kept(f"best_worst_{number}", made)
    return Exercise(survey, names, made, _usable(survey, made, settings, design))


def _patterns(settings: BestWorst) -> dict[str, str]:
    given = {"best": settings.best, "worst": settings.worst, "shown": settings.shown}
    return {role: pattern for role, pattern in given.items() if pattern is not None}


def _tasks(pattern: str, codes: set[str]) -> dict[str, str]:
    """By code of a question, the number of its task.

    >>> _tasks("Q2_{task}_best", {"Q2_1_best", "Q2_1_worst", "Q3"})
    {'Q2_1_best': '1'}
    """
    before, after = pattern.split(TASK)
    shape = re.compile(re.escape(before) + r"(\w+?)" + re.escape(after))
    return {code: found[1] for code in sorted(codes) if (found := shape.fullmatch(code))}


def _spellings(survey: str, settings: BestWorst, design: Design | None) -> tuple[tuple[str, ...], dict[str, int]]:
    """The benefits, and the place of each by every spelling of it.

    Raises :class:`DataError` when the design shows what segmentry.yaml names no benefit.
    """
    given = {name: (name, *spellings) for name, spellings in settings.benefits.items()}
    items = dict.fromkeys(item for _, _, shown in design or () for item in shown)
    if not given:
        given = {item: (item,) for item in items}
    spelt = {spelling: place for place, own in enumerate(given.values()) for spelling in own}
    strange = [item for item in items if item not in spelt]
    if strange:
        raise DataError(
            f"segmentry.yaml surveys.{survey}.best_worst: the design shows '{strange[0]}', which is no benefit.",
            why=f"The benefits are: {', '.join(given)}.",
            fix="Add it under benefits, as a name or as a spelling of one.",
        )
    return tuple(given), spelt


def _with_sets(made: ir.Table, names: Sequence[str], design: Design | None, settings: BestWorst) -> ir.Table:
    """The tasks with a column for each benefit that says whether it was shown."""
    if settings.shown:
        return made
    if design is None:
        return made.mutate(**{f"shown_{i}": ibis.literal(True) for i in range(len(names))})
    _, spelt = _spellings("", settings, design)
    sets = [(v, t, *(i in {spelt[item] for item in shown} for i in range(len(names)))) for v, t, shown in design]
    types = {"of_version": "string", "of_task": "string", **{f"shown_{i}": "boolean" for i in range(len(names))}}
    table = ibis.memtable(sets, schema=ibis.schema(types))
    on = [made["task"] == table["of_task"]]
    if settings.version:
        on.append(made["version"] == table["of_version"])
    return made.left_join(table, on)


def _valid(made: ir.Table, benefits: int) -> ir.BooleanValue:
    """Whether best and worst are two different items of those shown."""
    shown = {end: [(made[end] == i) & made[f"shown_{i}"] for i in range(benefits)] for end in ("best", "worst")}
    return (made["best"] != made["worst"]) & ibis.or_(*shown["best"]) & ibis.or_(*shown["worst"])


def _usable(survey: str, tasks: ir.Table, settings: BestWorst, design: Design | None) -> Usable:
    """How much of what was answered can be used.

    Raises :class:`DataError` when the design lacks a task of one of its versions, or belongs to other answers.
    """
    version = tasks["version"] if "version" in tasks.columns else ibis.literal("")
    unset = tasks["shown_0"].isnull()
    each = tasks.group_by(version=version, task=tasks["task"]).agg(
        tasks=tasks.count(), possible=engine.count_where(tasks["valid"]), without_set=engine.count_where(unset)
    )
    rows = each.order_by(["version", "task"]).to_pyarrow().to_pylist()
    where = f"segmentry.yaml surveys.{survey}.best_worst"
    versions = {v for v, _, _ in design or ()}
    for row in rows:
        if row["without_set"] and (not settings.version or row["version"] in versions):
            of = f" of version {row['version']}" if settings.version else ""
            raise DataError(
                f"{where}: the design {settings.design} has no task {row['task']}{of}, which {row['tasks']:,} "
                "customers answered.",
                why="Without what a task showed, a choice says nothing.",
                fix="Complete the file, or name that of these answers.",
            )
    made = Usable(*(sum(row[key] or 0 for row in rows) for key in ("tasks", "without_set", "possible")))
    if made.tasks and made.possible < _LEAST_POSSIBLE * made.tasks:
        raise DataError(
            f"{where}: {made.tasks - made.possible:,} of {made.tasks:,} choices are impossible.",
            why="Best and worst are two different items of those that the task showed, spelt as in the benefits.",
            fix="Check that the design belongs to these answers, and the spellings under benefits.",
        )
    return made


def traits_of(found: Sequence[Exercise]) -> Part:
    """Scores of the benefits from counts, and the benefit with the highest one.

    Of several exercises the first that a customer has answered counts.
    """
    passes: list[ir.Table] = []
    scores: dict[Trait, list[str]] = {}
    firsts: list[str] = []
    for number, each in enumerate(found):
        passes.append(_scores(each, number))
        for i, benefit in enumerate(each.benefits):
            scores.setdefault(of_need("benefit", benefit), []).append(f"benefit_{number}_{i}")
        firsts.append(f"first_{number}")
    made: dict[Trait, Expression] = {trait: _first_of(columns) for trait, columns in scores.items()}
    if firsts:
        made[TRAITS["main_benefit"]] = _first_of(firsts)
    return Part(passes=tuple(passes), traits=made, notes=tuple(_notes(found)))


def _notes(found: Sequence[Exercise]) -> Iterator[str]:
    for each in found:
        lost = each.usable.tasks - each.usable.possible
        if lost:
            yield (
                f"surveys.{each.survey}.best_worst: {lost:,} of {each.usable.tasks:,} tasks do not count: "
                f"{each.usable.without_set:,} are of no version of the design; in the others, best and worst are not "
                "two items that were shown."
            )


def _scores(found: Exercise, number: int) -> ir.Table:
    """One row per customer: (best - worst) / shown of each benefit (Finn & Louviere 1992), and which is the first."""
    tasks = found.tasks.filter(found.tasks["valid"])
    places = range(len(found.benefits))
    counts: dict[str, ir.Value] = {}
    for i in places:
        counts[f"best_{i}"] = engine.count_where(tasks["best"] == i)
        counts[f"worst_{i}"] = engine.count_where(tasks["worst"] == i)
        counts[f"times_{i}"] = engine.count_where(tasks[f"shown_{i}"])
    per = tasks.group_by(KEY).agg(**counts)
    net = {
        f"benefit_{number}_{i}": engine.ratio(per[f"best_{i}"] - per[f"worst_{i}"], per[f"times_{i}"]) for i in places
    }
    per = per.mutate(**net)
    ranks = [(per[f"benefit_{number}_{i}"] + _TIE * per[f"best_{i}"]).fill_null(-2.0) for i in places]
    per = per.mutate(**{f"rank_{i}": rank for i, rank in enumerate(ranks)})
    most = per.mutate(most=ibis.greatest(*(per[f"rank_{i}"] for i in places)))
    first = ibis.cases(*((most[f"rank_{i}"] == most["most"], name) for i, name in enumerate(found.benefits)))
    return most.select(KEY, *net, **{f"first_{number}": first})


def _first_of(columns: Sequence[str]) -> Expression:
    return lambda row: ibis.coalesce(*(row[c] for c in columns)) if len(columns) > 1 else row[columns[0]]


def utilities(found: Exercise) -> dict[str, Any]:
    """Utilities of the benefits to everybody who answered: a multinomial logit on the choices, by cell.

    Raises :class:`FitError` when the choices do not tell them.
    """
    tasks = found.tasks.filter(found.tasks["valid"])
    shown = [f"shown_{i}" for i in range(len(found.benefits))]
    cells = tasks.group_by([*shown, "best", "worst"]).agg(n=tasks.count()).order_by([*shown, "best", "worst"])
    rows = cells.limit(_MOST_CELLS + 1).to_pyarrow().to_pydict()
    if not rows["n"]:
        raise FitError(f"Nobody has answered the best-worst tasks of {found.survey}.")
    if len(rows["n"]) > _MOST_CELLS:
        raise FitError(
            f"{found.survey} shows more than {_MOST_CELLS:,} different sets.",
            why="Utilities are learned from equal choices, counted.",
            fix="Use a design with fewer versions.",
        )
    sets = [list(flags) for flags in zip(*(rows[name] for name in shown), strict=True)]
    made = best_worst(sets, rows["best"], rows["worst"], rows["n"])
    return {"benefits": _by_benefit(found.benefits, made), "fit": made.fit, "choices": int(made.choices)}


def _by_benefit(benefits: Sequence[str], made: Utilities) -> dict[str, Mapping[str, float]]:
    columns = {
        "utility": made.utilities,
        "standard_error": made.standard_errors,
        "share": made.shares,
        "score": made.scores,
        "shown": made.shown,
    }
    return {name: {k: float(v[i]) for k, v in columns.items()} for i, name in enumerate(benefits)}
