"""Objectives: who shows a wanted behaviour, what goes with it, and who among the others is like them.

The behaviour is a rule of segmentry.yaml. On the bounded sample the traits are held against it: conditions are found on
seven tenths of it and tested on the rest (:mod:`segmentry.stats.lookalike`). The look-alike score is a logistic model of
few traits, frozen as data, that runs as one expression on the base. Traits that give the behaviour away are left out
and named (:mod:`segmentry.segment.leakage`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from segmentry import engine, expressions
from segmentry.catalogue import Trait
from segmentry.config import Objective
from segmentry.errors import FitError, UsageError
from segmentry.placement import Prep, exact, words
from segmentry.placement.rule import add
from segmentry.segment import leakage, trees, variables
from segmentry.segment.fitting import Learning, holds, prepared
from segmentry.segmentation import KEYS, keys_of
from segmentry.stats import lookalike

FEWEST = 30  # customers with and without the behaviour: fewer tell nothing that would hold
_MOST_TRAITS = 6  # in a score: as many as a person can follow
_OFFERED = 15  # traits that a score may choose from, those that go with the behaviour most
_PERFECT = 0.95  # AUC of one trait alone from which it is likely to be the behaviour in other words
_SIGNIFICANT = 0.05
_PROFILED = ("age_band", "generation", "gender", "household_type", "region", "country", "size_band", "industry")
_SMALL_GROUP = 20  # customers of a group below which its favourable traits are not told
_MET = "objective_met"


@dataclass(frozen=True)
class Favourable:
    """A condition that goes with the behaviour (or against it: a lift below 1), as customers held out show it.

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
    """The ideal customers of one group: how many are in it, how many of them behave so, and what they have in common.

    ``lift`` is the group's share over everybody's.
    """

    group: str
    customers: int
    meets: int
    share: float
    lift: float
    traits: tuple[str, ...]


@dataclass(frozen=True)
class Aim:
    """What is known of one objective; plain data, without personal data.

    ``customers`` and ``meets`` are of the sample. ``preps``, ``weights`` and ``intercept`` are the score; they are
    empty, and ``judged`` None, where ``refused`` says why there is none.
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
    preps: tuple[Prep, ...] = ()
    weights: tuple[float, ...] = ()
    intercept: float = 0.0
    judged: lookalike.Judged | None = None
    refused: str = ""

    @property
    def share(self) -> float:
        return self.meets / self.customers

    @property
    def traits(self) -> tuple[str, ...]:
        """The traits that the score reads."""
        return tuple(dict.fromkeys(p.trait for p in self.preps))

    def score(self, traits: ir.Table) -> ir.FloatingValue:
        """How likely each row is to behave so, 0 to 1, as an expression: it runs where the base lives."""
        terms = [p.of(traits) * exact(w) for p, w in zip(self.preps, self.weights, strict=True)]
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
                "preps": tuple(Prep(**p) for p in data["preps"]),
                "weights": tuple(data["weights"]),
                "judged": judged and lookalike.Judged(**{k: _tuple(v) for k, v in judged.items()}),
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
    rows = now.mutate(**{_MET: met})
    if earlier is not None:
        key = keys_of(now)[0]
        rows = earlier.inner_join(rows.select(key, _MET), key)
    if objective.population:
        rows = rows.filter(_parsed(objective.population, name, "population").condition(rows))
    return rows


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

    ``defining`` are the traits that the behaviour may read where they are not those of the sample: with a horizon, those
    of today. ``windows`` are the days that declared traits look back. Raises :class:`FitError` where too few of the sample behave
    so, or too few do not, and :class:`ConfigError` for a rule that is none.
    """
    sample = learning.sample
    now = defining or learning.specs
    rule = _parsed(objective.behaviour, name, "behaviour").resolve(now, listed="`segmentry show traits` lists them.")
    met = sample[_MET].to_numpy(dtype=np.bool_)
    if min(met.sum(), (~met).sum()) < FEWEST:
        raise FitError(
            f"{learning.where}: {int(met.sum()):,} of {len(met):,} customers meet the behaviour.",
            why=f"At least {FEWEST} with and {FEWEST} without it are needed to tell them apart.",
            fix="Ask for less, or of more people: change behaviour or population.",
        )
    learning = replace(learning, sample=sample.drop(columns=_MET))
    chosen, left_out = _candidates(objective, learning, {n: now[n] for n in rule.columns}, windows or {})
    held = lookalike.split(met, learning.seed)
    found, tried = _favourable(chosen, learning, met, held)
    by = _by(objective, learning)
    ideals = _ideals(by, found, learning, met)
    warnings = _telling_too_much(chosen, learning, met, held)
    known = Aim(
        name, rule.sql(), objective.population or "", objective.product, objective.unit, as_of, objective.horizon,
        len(met), int(met.sum()), found, tried, by, ideals, left_out, warnings,
    )  # fmt: skip
    return _scored(known, chosen, learning, met, held)


def _candidates(
    objective: Objective, learning: Learning, read: Mapping[str, Trait], windows: Mapping[str, int]
) -> tuple[list[Trait], tuple[tuple[str, str], ...]]:
    every = tuple(learning.specs)
    patterns = every if tuple(objective.traits) == ("auto",) else objective.traits
    chosen = variables.variables(patterns, every, learning)
    gone = leakage.leaks(read.values(), learning.specs, horizon=objective.horizon, windows=windows)
    excepted = {t.name for p in objective.except_traits for t in variables.variables((p,), every, learning)}
    left_out = [(t.name, gone[t.name].why) for t in chosen if t.name in gone]
    left_out += [(t.name, "segmentry.yaml excepts it") for t in chosen if t.name in excepted and t.name not in gone]
    names = {name for name, _ in left_out}
    return [t for t in chosen if t.name not in names], tuple(left_out)


def _favourable(
    chosen: Sequence[Trait], learning: Learning, met: lookalike.Flags, held: lookalike.Flags
) -> tuple[tuple[Favourable, ...], int]:
    """The conditions that go with the behaviour or against it, what lifts most first; and how many were tried.

    The condition of a trait is the one that tells best on the training rows; its figures are of the rows held out.
    """
    weights = learning.row_weights
    rows: list[tuple[str, str, str, lookalike.Contrast]] = []
    for trait in chosen:
        variable = trees.variable(trait, learning)
        if variable is None:
            continue
        found = trees.telling(variable, met, weights, ~held)
        if found is None:
            continue
        condition, text, inside = found
        seen = lookalike.contrast(inside[held], met[held], weights[held])
        if seen is not None:
            rows.append((trait.name, condition, text, seen))
    ps = lookalike.corrected([seen.p for *_, seen in rows])
    favourable = [
        Favourable(name, condition, text, exact(c.support), exact(c.share), exact(c.lift), exact(c.effect), p)
        for (name, condition, text, c), p in zip(rows, ps, strict=True)
        if p < _SIGNIFICANT
    ]
    return tuple(sorted(favourable, key=lambda f: (-abs(f.effect), f.trait))), len(rows)


def _by(objective: Objective, learning: Learning) -> str:
    if objective.by != "auto":
        return variables.variables((objective.by,), (), learning)[0].name
    return next((name for name in _PROFILED if name in learning.specs), "")


def _ideals(by: str, found: Sequence[Favourable], learning: Learning, met: lookalike.Flags) -> tuple[Ideal, ...]:
    """By demographic group, how many behave so and which of the favourable conditions lift most there."""
    if not by:
        return ()
    groups, weights, overall = learning.sample[by], learning.row_weights, float(met.mean())
    conditions = [f for f in found if f.lift > 1 and f.trait != by]
    inside = {f.text: holds(f.condition, learning.sample, where=learning.where) for f in conditions}
    ideals = []
    for value in sorted(groups.dropna().unique(), key=str)[: trees.MOST_LEVELS]:
        here = (groups == value).fillna(False).to_numpy(dtype=np.bool_)
        lifts: list[tuple[float, str]] = []
        if here.sum() >= _SMALL_GROUP:
            for text, mask in inside.items():
                seen = lookalike.contrast(mask[here], met[here], weights[here])
                if seen is not None and seen.lift > 1 and seen.p < _SIGNIFICANT:
                    lifts.append((-seen.lift, text))
        share = float(met[here].mean())
        texts = tuple(text for _, text in sorted(lifts)[:3])
        ideals.append(
            Ideal(str(value), int(here.sum()), int(met[here].sum()), exact(share), exact(share / overall), texts)
        )
    return tuple(sorted(ideals, key=lambda i: -i.lift))


def _telling_too_much(
    chosen: Sequence[Trait], learning: Learning, met: lookalike.Flags, held: lookalike.Flags
) -> tuple[str, ...]:
    """A warning for every trait that alone tells nearly everything: more likely a leak than a finding."""
    found = []
    for trait in chosen:
        if (variable := trees.variable(trait, learning)) is None:
            continue
        codes, size = variable.feature.codes, variable.feature.levels + 1
        n = np.bincount(codes[~held], minlength=size)
        shares = (np.bincount(codes[~held], met[~held], size) + met.mean()) / (n + 1)
        auc = lookalike.judge(shares[codes[held]], met[held], np.ones(int(held.sum()))).auc
        if auc >= _PERFECT:
            found.append(
                f"{words(trait.name)} alone tells nearly everything (AUC {auc:.2f}): is it the behaviour in other words? "
                f"Then `except: [{trait.name}]`."
            )
    return tuple(found)


def _scored(
    known: Aim, chosen: Sequence[Trait], learning: Learning, met: lookalike.Flags, held: lookalike.Flags
) -> Aim:
    """The aim with its look-alike score, or with the reason why there is none."""
    strongest = list(dict.fromkeys(f.trait for f in known.favourable))[:_OFFERED]
    preps: list[Prep] = []
    groups: dict[str, list[int]] = {}
    for trait in (t for name in strongest for t in chosen if t.name == name):
        made = variables.levels(trait, learning) if trait.kind == "category" else variables.number(trait, learning)
        if made:
            groups[trait.name] = list(range(len(preps), len(preps) + len(made)))
            preps += made
    if not preps:
        return replace(known, refused="No trait goes with the behaviour on customers held out: nothing tells who will.")
    data = prepared(preps, learning.sample)
    weights = learning.row_weights
    score = lookalike.choose(data[~held], groups, met[~held], weights[~held], most=_MOST_TRAITS, seed=learning.seed)
    if score is None:
        return replace(known, refused="No trait made a score better than the same figure for everybody.")
    score = replace(score, weights=tuple(exact(w) for w in score.weights), intercept=exact(score.intercept))
    judged = lookalike.judge(lookalike.probabilities(score, data[held]), met[held], weights[held])
    return replace(
        known,
        preps=tuple(preps[c] for c in score.columns),
        weights=score.weights,
        intercept=score.intercept,
        judged=judged,
    )
