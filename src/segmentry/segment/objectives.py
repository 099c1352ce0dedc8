"""Objectives: who shows a wanted behaviour, what goes with it, and who among the others is like them.

The behaviour is a rule of segmentry.yaml. On the bounded sample the traits are held against it: conditions are found
on seven tenths of it and tested on the rest (:mod:`segmentry.stats.lookalike`). The look-alike score is a
scorecard (a logistic model of few conditions), frozen as data, that runs as one expression on the base. Traits that
give the behaviour away are left out and named (:mod:`segmentry.segment.leakage`), and so are protected ones, unless
they are allowed with a reason (:mod:`segmentry.segment.bias`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
from threadpoolctl import threadpool_limits

from segmentry import engine, expressions
from segmentry.catalogue import Model, Trait
from segmentry.config import Objective
from segmentry.errors import FitError, UsageError
from segmentry.placement import exact, words
from segmentry.placement.rule import add
from segmentry.segment import bias, leakage, trees, variables
from segmentry.segment.fitting import Learning, Numbers, holds
from segmentry.segmentation import KEYS, keys_of
from segmentry.stats import lookalike

FEWEST = 30  # customers with and without the behaviour: fewer tell nothing that would hold
_MOST_TRAITS = 8  # in a score: as many as a person can follow
_OFFERED = 20  # traits that a score may choose from, those that go with the behaviour most
_PERFECT = 0.95  # AUC of one trait alone from which it is likely to be the behaviour in other words
_SIGNIFICANT = 0.05
_CHANCE = 0.5  # AUC of a coin: a score whose interval on rows held out reaches down to it tells nothing
_PROFILED = ("age_band", "generation", "gender", "household_type", "region", "country", "size_band", "industry")
_SMALL_GROUP = 20  # customers of a group below which its favourable traits are not told
MET = Trait("objective_met", Model.BEHAVIORAL, "boolean", "Whether the behaviour is theirs.")  # of the sample


@dataclass(frozen=True)
class Favourable:
    """A condition that goes with the behaviour, as customers held out show it.

    ``p`` is corrected for all conditions that were tried (Benjamini-Hochberg).
    """

    trait: str
    condition: str
    text: str
    support: float
    share: float
    lift: float
    effect: float
    p: float


@dataclass(frozen=True)
class Ideal:
    """The ideal customers of one group: how many of the base are in it and behave so, and what they have in common.

    ``lift`` is the group's share over everybody's. ``traits`` are favourable ones that lift within the group as well,
    on customers held out, corrected for all groups and conditions that were tried.
    """

    group: str
    customers: int
    meets: int
    share: float
    lift: float
    traits: tuple[str, ...]


@dataclass(frozen=True)
class Points:
    """What a condition adds to the score of whoever meets it: log odds."""

    trait: str
    condition: str
    text: str
    weight: float


@dataclass(frozen=True)
class Aim:
    """What is known of one objective; plain data, without personal data.

    ``customers`` and ``meets`` are of the base; ``rows`` of them, ``met_rows`` of whom behave so, were learned on: who
    behaves so is drawn more than in proportion where that is rare. ``points`` and ``intercept`` are the score; they are
    empty, and ``judged`` None, where ``refused`` says why there is none. ``protected`` traits had no say; ``bias`` is
    how the tenth with the highest scores and they go together (:func:`segmentry.segment.bias.of_best`).
    """

    name: str
    behaviour: str
    population: str
    product: str
    unit: str
    as_of: date
    horizon: int | None
    customers: int
    meets: int
    favourable: tuple[Favourable, ...]
    tried: int
    by: str
    ideals: tuple[Ideal, ...]
    left_out: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    points: tuple[Points, ...] = ()
    intercept: float = 0.0
    judged: lookalike.Judged | None = None
    refused: str = ""
    rows: int = 0
    met_rows: int = 0
    protected: tuple[str, ...] = ()
    bias: tuple[Mapping[str, Any], ...] = ()

    @property
    def share(self) -> float:
        return self.meets / self.customers

    @property
    def traits(self) -> tuple[str, ...]:
        """The traits that the score reads."""
        return tuple(p.trait for p in self.points)

    def score(self, traits: ir.Table) -> ir.FloatingValue:
        """How likely each row is to behave so, 0 to 1, as an expression: it runs where the base lives."""
        terms = [
            _parsed(p.condition, self.name, "score").condition(traits).fill_null(False).ifelse(exact(p.weight), 0.0)
            for p in self.points
        ]
        return 1.0 / (1.0 + engine.exp(-add([ibis.literal(exact(self.intercept)), *terms])))

    def lookalikes(self, traits: ir.Table) -> ir.Table:
        """The table ``lookalikes``: every unit of the population, whether it behaves so, and its score."""
        key, name = keys_of(traits)
        rows = traits
        if self.population:
            rows = rows.filter(_parsed(self.population, self.name, "population").condition(rows))
        met = _parsed(self.behaviour, self.name, "behaviour").condition(rows).fill_null(False)
        return rows.select(key, name, meets=met, score=self.score(rows)).order_by(key)

    def sql(self, dialect: str, kinds: Mapping[str, str]) -> str:
        """:meth:`lookalikes` as SQL over a table of traits; ``kinds`` are those of the traits read."""
        types = {"number": "float64", "category": "string", "boolean": "boolean"}
        key, name = KEYS[self.unit]
        if self.refused:
            raise UsageError(f"The objective {self.name} has no score.", why=self.refused)
        schema = {key: "int64", name: "string", **{n: types[kinds[n]] for n in self.reads()}}
        table = ibis.table(schema, name="traits" if self.unit == "customer" else "account_traits")
        return engine.to_sql(table, [("lookalikes", self.lookalikes)], dialect)

    def reads(self) -> tuple[str, ...]:
        """All traits that :meth:`lookalikes` reads."""
        rules = [_parsed(self.behaviour, self.name, "behaviour")]
        rules += [_parsed(self.population, self.name, "population")] if self.population else []
        return tuple(dict.fromkeys([*(c for rule in rules for c in rule.columns), *self.traits]))

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "as_of": self.as_of.isoformat()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Aim:
        judged = data["judged"]
        return cls(
            **{
                **data,
                "as_of": date.fromisoformat(data["as_of"]),
                "favourable": tuple(Favourable(**f) for f in data["favourable"]),
                "ideals": tuple(Ideal(**{**i, "traits": tuple(i["traits"])}) for i in data["ideals"]),
                "left_out": tuple((t, w) for t, w in data["left_out"]),
                "warnings": tuple(data["warnings"]),
                "points": tuple(Points(**p) for p in data["points"]),
                "judged": judged and lookalike.Judged(**{k: _tuple(v) for k, v in judged.items()}),
                "protected": tuple(data.get("protected", ())),
                "bias": tuple(data.get("bias", ())),
            }
        )


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _parsed(text: str, name: str, key: str) -> expressions.Expression:
    return expressions.parse(text, where=f"segmentry.yaml objectives.{name}.{key}")


def with_behaviour(now: ir.Table, name: str, objective: Objective, earlier: ir.Table | None) -> ir.Table:
    """Traits of the population with a column that says who behaves so.

    With ``earlier`` the traits, and the population, are of that date and the behaviour is of now: who was not known
    then is left out.
    """
    met = _parsed(objective.behaviour, name, "behaviour").condition(now).fill_null(False)
    rows = now.mutate(**{MET.name: met})
    if earlier is not None:
        key = keys_of(now)[0]
        rows = earlier.inner_join(rows.select(key, MET.name), key)
    if objective.population:
        rows = rows.filter(_parsed(objective.population, name, "population").condition(rows))
    return rows


# Threads share sums out, and then the last digits depend on their number.
@threadpool_limits.wrap(limits=1)
def aim(
    name: str,
    objective: Objective,
    learning: Learning,
    *,
    as_of: date,
    defining: Mapping[str, Trait] | None = None,
    windows: Mapping[str, int] | None = None,
) -> Aim:
    """What a sample made by :func:`with_behaviour` says about an objective.

    ``defining`` are the traits that the behaviour may read where they are not those of the sample: with a horizon,
    those of today. ``windows`` are the days that declared traits look back. The weights of the sample may differ only
    between those who behave so and the others. Raises :class:`FitError` where too few of the sample behave so, or too
    few do not, or a protected trait is named, and :class:`ConfigError` for a rule that is none.
    """
    sample = learning.sample
    now = defining or learning.specs
    rule = _parsed(objective.behaviour, name, "behaviour").resolve(now, listed="`segmentry show traits` lists them.")
    bias.refuse([*rule.columns, *_named(objective)], learning, "tell a behaviour")
    met = sample[MET.name].to_numpy(dtype=np.bool_)
    if min(met.sum(), (~met).sum()) < FEWEST:
        raise FitError(
            f"{learning.where}: {int(met.sum()):,} of {len(met):,} customers drawn meet the behaviour.",
            why=f"At least {FEWEST} with and {FEWEST} without it are needed to tell them apart.",
            fix="Ask for less, or of more people: change behaviour or population.",
        )
    learning = replace(learning, sample=sample.drop(columns=MET.name))
    chosen, left_out = _candidates(objective, learning, {n: now[n] for n in rule.columns}, windows or {})
    held = lookalike.split(met, learning.seed)
    told_by = [v for trait in chosen if (v := trees.variable(trait, learning)) is not None]
    tried = _tried(told_by, learning, met, held)
    found = _favourable(tried)
    by = _by(objective, learning)
    ideals = _ideals(by, found, learning, met, held)
    warnings = _telling_too_much(told_by, met, held)
    people = _people(learning)
    known = Aim(
        name, rule.sql(), objective.population or "", objective.product, objective.unit, as_of, objective.horizon,
        round(people.sum()), round(people[met].sum()), found, len(tried), by, ideals, left_out, warnings,
        rows=len(met), met_rows=int(met.sum()), protected=tuple(learning.barred),
    )  # fmt: skip
    return _scored(known, tried, learning, met, held)


def _named(objective: Objective) -> list[str]:
    """The traits that an objective names outright, without a pattern."""
    return [n.rpartition(".")[2] for n in objective.traits if not set("*?[") & set(n)]


def _people(learning: Learning) -> Numbers:
    """(n,) how many units of the base each row stands for."""
    return np.ones(len(learning.sample)) if learning.weights is None else learning.weights


def _candidates(
    objective: Objective, learning: Learning, read: Mapping[str, Trait], windows: Mapping[str, int]
) -> tuple[list[Trait], tuple[tuple[str, str], ...]]:
    every = tuple(learning.specs)
    patterns = every if tuple(objective.traits) == ("auto",) else objective.traits
    chosen = [t for t in variables.variables(patterns, every, learning) if t.name not in learning.barred]
    excepted = variables.excepted(objective.except_traits, learning)
    chosen, gone = leakage.parted(
        chosen, read.values(), learning.specs, excepted, horizon=objective.horizon, windows=windows
    )
    return chosen, tuple((leak.trait, leak.why) for leak in gone)


@dataclass(frozen=True, eq=False)
class _Tried:
    """The condition of one trait that tells best on the training rows, and the rows that meet it."""

    trait: str
    condition: str
    text: str
    inside: lookalike.Flags
    trained: lookalike.Contrast
    seen: lookalike.Contrast  # on the rows held out


def _tried(
    told_by: Sequence[trees.Variable], learning: Learning, met: lookalike.Flags, held: lookalike.Flags
) -> list[_Tried]:
    weights = learning.row_weights
    rows = []
    for one in told_by:
        found = trees.telling(one, met, weights, ~held)
        if found is None:
            continue
        condition, text, inside = found
        trained, seen = (lookalike.contrast(inside[of], met[of], weights[of]) for of in (~held, held))
        if trained is not None and seen is not None:
            rows.append(_Tried(one.trait.name, condition, text, inside, trained, seen))
    return rows


def _favourable(tried: Sequence[_Tried]) -> tuple[Favourable, ...]:
    """The conditions that go with the behaviour on the rows held out as well, the strongest first."""
    ps = lookalike.corrected([t.seen.p for t in tried])
    favourable = []
    for t, p in zip(tried, ps, strict=True):
        if p < _SIGNIFICANT and (c := t.seen).lift > 1:
            figures = (exact(c.support), exact(c.share), exact(c.lift), exact(c.effect))
            favourable.append(Favourable(t.trait, t.condition, t.text, *figures, p))
    return tuple(sorted(favourable, key=lambda f: (-abs(f.effect), f.trait)))


def _by(objective: Objective, learning: Learning) -> str:
    if objective.by != "auto":
        return variables.variables((objective.by,), (), learning)[0].name
    return next((name for name in _PROFILED if name in learning.specs), "")


def _ideals(
    by: str, found: Sequence[Favourable], learning: Learning, met: lookalike.Flags, held: lookalike.Flags
) -> tuple[Ideal, ...]:
    """By demographic group, how many behave so and which of the favourable conditions lift most there."""
    if not by:
        return ()
    groups, people = learning.sample[by], _people(learning)
    overall = float(np.average(met, weights=people))
    conditions = [f for f in found if f.trait != by]
    inside = {f.text: holds(f.condition, learning.sample, where=learning.where) for f in conditions}
    values = sorted(groups.dropna().unique(), key=str)[: trees.MOST_LEVELS]
    members = {str(v): (groups == v).fillna(False).to_numpy(dtype=np.bool_) for v in values}
    tried: list[tuple[str, str, lookalike.Contrast]] = []
    for group, here in members.items():
        rows = here & held
        if rows.sum() >= _SMALL_GROUP:
            for text, mask in inside.items():
                if (seen := lookalike.contrast(mask[rows], met[rows], people[rows])) is not None:
                    tried.append((group, text, seen))
    lifts: dict[str, list[tuple[float, str]]] = {group: [] for group in members}
    for (group, text, seen), p in zip(tried, lookalike.corrected([seen.p for *_, seen in tried]), strict=True):
        if seen.lift > 1 and p < _SIGNIFICANT:
            lifts[group].append((-seen.lift, text))
    ideals = []
    for group, here in members.items():
        share = float(np.average(met[here], weights=people[here]))
        counts = (round(people[here].sum()), round(people[here & met].sum()))
        texts = tuple(text for _, text in sorted(lifts[group])[:3])
        ideals.append(Ideal(group, *counts, exact(share), exact(share / overall), texts))
    return tuple(sorted(ideals, key=lambda i: -i.lift))


def _telling_too_much(
    told_by: Sequence[trees.Variable], met: lookalike.Flags, held: lookalike.Flags
) -> tuple[str, ...]:
    """A warning for every trait that alone tells nearly everything: more likely a leak than a finding."""
    found = []
    for one in told_by:
        codes, size, trait = one.feature.codes, one.feature.levels + 1, one.trait
        n = np.bincount(codes[~held], minlength=size)
        shares = (np.bincount(codes[~held], met[~held], size) + met.mean()) / (n + 1)
        auc = lookalike.auc(shares[codes[held]], met[held], np.ones(int(held.sum())))
        if auc >= _PERFECT:
            found.append(
                f"{words(trait.name)} alone tells nearly everything (AUC {auc:.2f}): is it the same in other words? "
                f"Then `except: [{trait.name}]`."
            )
    return tuple(found)


def _scored(
    known: Aim, tried: Sequence[_Tried], learning: Learning, met: lookalike.Flags, held: lookalike.Flags
) -> Aim:
    """The aim with its look-alike score, or with the reason why there is none.

    What the score may choose from is told by the training rows alone, so that the others judge it.
    """
    offered = sorted(tried, key=lambda t: (-t.trained.effect, t.trait))[:_OFFERED]
    if not offered:
        return replace(known, refused="No trait tells the behaviour apart.")
    data = np.column_stack([t.inside for t in offered])
    weights, train = learning.row_weights, ~held
    score = lookalike.choose(data[train], met[train], weights[train], most=_MOST_TRAITS, seed=learning.seed)
    if score is None:
        return replace(known, refused="No condition made a score better than the same figure for everybody.")
    score = replace(score, weights=tuple(exact(w) for w in score.weights), intercept=exact(score.intercept))
    judged = lookalike.judge(lookalike.probabilities(score, data[held]), met[held], weights[held])
    if judged.auc_low <= _CHANCE:
        told = f"AUC {judged.auc:.2f}, 95 % from {judged.auc_low:.2f}; a coin has 0.5"
        return replace(known, refused=f"The best score told nothing on customers held out ({told}).")
    points = tuple(
        Points(offered[c].trait, offered[c].condition, offered[c].text, w)
        for c, w in zip(score.columns, score.weights, strict=True)
    )
    best = lookalike.best_tenth(lookalike.probabilities(score, data), weights)
    followed = bias.of_best(best, list(dict.fromkeys(p.trait for p in points)), learning)
    return replace(known, points=points, intercept=score.intercept, judged=judged, bias=followed)
