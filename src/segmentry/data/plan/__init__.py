"""The data plan: which data each segmentation model needs, what the sources give, what is missing, what that costs.

:func:`make_plan` is a function of the config, of what was measured, and of what people decided; without a config it
gives the general checklist, so that a company can begin there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS, Model, Trait
from segmentry.config import Config
from segmentry.data.plan.coverage import Coverage, field_of
from segmentry.data.plan.decisions import Decision
from segmentry.data.plan.fields import BY_ID, FIELDS, Field
from segmentry.errors import UsageError, did_you_mean
from segmentry.tables import TABLES
from segmentry.wording import agree

# From here on a fact describes a segment rather than those who happened to tell it: more known than unknown, with room.
ENOUGH = 0.6
SEEN_ENOUGH = 0.05  # of events, costs and orders the absence tells too; below this they are not linked to customers
# Respondents per question for segments that repeat: Dolnicar, Gruen, Leisch and Schmidt 2014 (70 times the variables).
PER_QUESTION = 70
LEAST_RESPONDENTS = 100
READY = 5  # points: one strong field (3) and a useful one (2)
_FACTS_OF_ABSENCE = ("transactions", "events", "costs", "consents")
_SHOWN_TRAITS = 4


@dataclass(frozen=True)
class FieldPlan:
    """One field: what there is of it, what its lack costs, how to gather it, what was decided.

    ``fill`` is the share of customers (records, for tables without customers) with a value; ``newest`` its newest
    record and ``age_days`` how old that is. ``state``: good, thin, mapped (not measured yet) or missing; ``problem``
    says why thin. ``worth`` ranks what to gather first: strength over effort.
    """

    id: str
    title: str
    why: str
    strength: int
    state: str
    given_by: tuple[str, ...]
    customers: int | None
    fill: float | None
    newest: date | None
    age_days: int | None
    problem: str
    lack: str
    how: str
    worth: float
    decision: Decision = Decision()  # noqa: RUF009  # frozen

    @property
    def have(self) -> bool:
        return self.state != "missing"

    @property
    def wanted(self) -> bool:
        """Missing, and nobody has decided against it."""
        return not self.have and not self.decision.is_out


@dataclass(frozen=True)
class Absent:
    """Traits of the catalogue that are not there for one and the same reason; a family by its name: ``theme_*``."""

    reason: str
    traits: tuple[str, ...]


@dataclass(frozen=True)
class Described:
    """What the last run of the traits says: those that were made, why the others of the catalogue were not, and of
    scales and factors how far they can be trusted."""

    made: tuple[Trait, ...]
    absent: Mapping[str, str]
    evidence: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelPlan:
    """One model: ``verdict`` is ready, thin, not possible or not needed; ``because`` and ``first_step`` explain it.

    ``made`` are its traits that are there (None before they were computed), ``absent`` those of the catalogue that are
    not, by reason. ``evidence`` says of scales and factors how far they can be trusted.
    """

    model: Model
    verdict: str
    because: str
    first_step: str
    fields: tuple[FieldPlan, ...]
    also: tuple[str, ...] = field(default=())  # attributes that are no fields of the plan
    made: tuple[str, ...] | None = None
    absent: tuple[Absent, ...] = ()
    evidence: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[FieldPlan, ...]:
        """What to gather, the most valuable first."""
        return tuple(sorted((f for f in self.fields if f.wanted), key=lambda f: -f.worth))

    @property
    def known(self) -> int:
        return sum(1 for f in self.fields if f.have)


@dataclass(frozen=True)
class Plan:
    """The data plan of a workspace, or the general checklist (``name`` empty)."""

    name: str
    models: tuple[ModelPlan, ...]
    customers: int | None
    as_of: date | None
    measured: bool
    b2b: bool

    def of(self, model: str) -> ModelPlan:
        """The part of one model; ``needs-based`` is ``needs``. Raises :class:`UsageError` for an unknown one."""
        wanted = model.strip().lower().removesuffix("-based")
        wanted = "behavioral" if wanted == "behavioural" else wanted
        for part in self.models:
            if part.model.value == wanted:
                return part
        raise UsageError(f"There is no model '{model}'.", why=did_you_mean(model, [m.value for m in Model]))

    def field(self, name: str) -> FieldPlan:
        """One field of the plan; :class:`UsageError` for one that these customers do not have."""
        found = next((f for part in self.models for f in part.fields if f.id == name), None)
        if found is None:
            raise UsageError(f"{name} is not asked of these customers.", fix="See --b2b, for organisations.")
        return found


def make_plan(
    config: Config | None,
    coverages: Sequence[Coverage] | None,
    decisions: Mapping[str, Decision],
    *,
    as_of: date | None = None,
    customers: int | None = None,
    b2b: bool = False,
    own: Sequence[Trait] = (),
    described: Described | None = None,
) -> Plan:
    """The plan of a workspace; the general checklist where ``config`` is None.

    ``coverages`` is what :func:`segmentry.data.plan.coverage.measure` found, None before anything was collected: then
    the config alone says what there is. ``customers`` are all customers, ``as_of`` the day that ages are counted from.
    ``b2b`` adds what only organisations have; a source of accounts does so by itself. ``own`` are the declared traits:
    the lack of a field names those that it costs. ``described`` is what is known of the traits once they were computed.
    """
    kinds = {s.kind for s in config.sources.values()} if config else set()
    business = b2b or "accounts" in kinds
    found = list(coverages) if coverages is not None else list(_mapped(config)) if config else []
    available = {f"{c.table}.{name}" for c in found for name in c.by} | _required(kinds)
    judge = _Judge(found, available, kinds, decisions, as_of, customers, coverages is not None, own)
    models = []
    for model in Model:
        mine = [f for f in FIELDS if f.model is model and _applies(f, business, config is not None)]
        others = [c.field.partition(".") for c in found if c.field not in BY_ID]
        also = dict.fromkeys(name for of, _, name in others if of == model.value)
        part = _model(model, [judge.field(f) for f in mine], tuple(also))
        models.append(part if config is None else _with_traits(part, described, available, business))
    return Plan(config.name if config else "", tuple(models), customers, as_of, coverages is not None, business)


def _with_traits(part: ModelPlan, described: Described | None, available: set[str], business: bool) -> ModelPlan:
    """A model with its traits: those that are there, and why the others are not."""
    catalogue = [*TRAITS.values(), *(ACCOUNT_TRAITS.values() if business else ())]
    absent: Mapping[str, str]
    if described is None:
        lacking = {t.name: t.lacks(available) for t in catalogue}
        absent = {name: f"no source has {', nor '.join(lacks)}" for name, lacks in lacking.items() if lacks}
    else:
        absent = described.absent
    by_reason: dict[str, list[str]] = {}
    for trait in catalogue:
        if trait.model is part.model and trait.name in absent and part.verdict != "not needed":
            by_reason.setdefault(absent[trait.name], []).append(trait.name)
    lost = tuple(Absent(why, tuple(names)) for why, names in by_reason.items())
    if described is None:
        return replace(part, absent=lost)
    made = tuple(dict.fromkeys(t.name for t in described.made if t.model is part.model))  # of customers and accounts
    evidence = {name: described.evidence[name] for name in made if name in described.evidence}
    if not made and part.verdict == "ready":  # such as an age that only a survey asks for
        part = replace(part, verdict="thin", because=f"{part.because}; but no trait is made of it")
    beside = [name for name in made if name not in part.also]
    if beside and not part.known:  # such as of the yes/no items of a survey
        told = agree(len(beside), "{n} [trait is|traits are] made of what is no field of the plan")
        part = replace(part, verdict="thin", because=f"{part.because}; {told}" if part.verdict == "thin" else told)
    return replace(part, made=made, absent=lost, evidence=evidence)


def _applies(wanted: Field, business: bool, workspace: bool) -> bool:
    if wanted.of == "organisations":
        return business
    return wanted.of == "both" or workspace or not business


def _required(kinds: set[str]) -> set[str]:
    return {f"{kind}.{name}" for kind in kinds for name in TABLES[kind].required}


def _mapped(config: Config) -> Iterator[Coverage]:
    """What the config alone tells: columns that are mapped, attributes; nothing of answers and events."""
    for source in config.sources.values():
        for wanted in FIELDS:
            names = [c.partition(".")[2] for c in wanted.columns if c.startswith(f"{source.kind}.")]
            there = tuple(name for name in names if name in source.columns)
            if there:
                yield Coverage(wanted.id, source.kind, there, 0, 0, None, len(there), None)
        for name, attribute in source.attributes.items():
            yield Coverage(field_of(name, attribute.model), source.kind, (name,), 0, 0, None, 1, None)


@dataclass(frozen=True)
class _Judge:
    found: Sequence[Coverage]
    available: set[str]
    kinds: set[str]
    decisions: Mapping[str, Decision]
    as_of: date | None
    customers: int | None
    measured: bool
    own: Sequence[Trait]

    def field(self, wanted: Field) -> FieldPlan:
        mine = [c for c in self.found if c.field == wanted.id]
        decision = self.decisions.get(wanted.id, Decision())
        made = FieldPlan(
            id=wanted.id,
            title=wanted.title,
            why=wanted.why,
            strength=wanted.strength,
            state="missing",
            given_by=(),
            customers=None,
            fill=None,
            newest=None,
            age_days=None,
            problem="",
            lack=self._lack(wanted),
            how=how(wanted, self.kinds),
            worth=wanted.strength / _effort(wanted, self.kinds) + len(wanted.enables) / 100,
            decision=decision,
        )
        if not mine:
            said = "plan.yaml says that you have it: map it in segmentry.yaml" if decision.status == "have" else ""
            return replace(made, problem=said)
        by = tuple(f"{c.table} ({_names(c)})" for c in mine)
        if not self.measured:
            return replace(made, state="mapped", given_by=by)
        best = max(mine, key=lambda c: self._fill(c) or 0.0)
        newest = max((c.newest for c in mine if c.newest), default=None)
        age = (self.as_of - newest).days if self.as_of and newest else None
        problem = self._problem(wanted, best, age)
        state = "thin" if problem else "good"
        fill = self._fill(best)
        return replace(
            made,
            state=state,
            given_by=by,
            customers=best.customers,
            fill=fill,
            newest=newest,
            age_days=None if age is None else max(0, age),
            problem=problem,
        )

    def _fill(self, found: Coverage) -> float | None:
        if found.customers is None or not self.customers:
            return found.records / found.rows if found.rows else None
        return min(1.0, found.customers / self.customers)

    def _problem(self, wanted: Field, found: Coverage, age: int | None) -> str:
        fill = self._fill(found) or 0.0
        who = "customers" if found.customers is not None else found.table
        if found.table == "responses":
            need = max(LEAST_RESPONDENTS, PER_QUESTION * found.items)
            if (found.customers or 0) < need and fill < ENOUGH:
                return f"answered by {found.customers or 0:,} known customers; {need:,} are enough for segments"
        elif found.table in _FACTS_OF_ABSENCE:
            if fill < SEEN_ENOUGH:
                return f"there for {_percent(fill)} of the customers only"
        elif fill < ENOUGH:
            return f"known for {_percent(fill)} of the {who} only"
        if wanted.stale_after and age is not None and age > wanted.stale_after:
            return f"the newest record is {age:,} days old"
        return ""

    def _lack(self, wanted: Field) -> str:
        """What is not possible without the field, given all that there is besides."""
        own = set(wanted.columns)
        rest = self.available - own
        lost = [t.name for t in (*wanted.traits_of(self.own), *wanted.traits) if t.lacks(rest)]
        shown = [*wanted.enables, *(name.replace("_", " ").removesuffix(" *") for name in lost[:_SHOWN_TRAITS])]
        if len(lost) > _SHOWN_TRAITS:
            shown.append(f"{len(lost) - _SHOWN_TRAITS} more traits")
        return "no " + ", ".join(shown) if shown else ""


def _names(found: Coverage) -> str:
    more = f" and {found.items - 3} more" if found.items > 3 else ""
    return ", ".join(found.by[:3]) + more


def _percent(part: float) -> str:
    return "under 1 %" if 0 < part < 0.01 else f"{100 * part:.0f} %"


def _effort(wanted: Field, kinds: set[str]) -> float:
    """1: a column more of an export that is read already, 2: another system, 3: events or a question, 4: a battery."""
    if wanted.way == "survey":
        return 4 if wanted.question is not None and wanted.question.items else 3
    if any(c.partition(".")[0] in kinds for c in wanted.columns):
        return 1
    return 2 if wanted.way == "system" else 3


def how(wanted: Field, kinds: set[str]) -> str:
    """How to gather a field, the cheapest way first, in one line."""
    ways = []
    here = next((c for c in wanted.columns if c.partition(".")[0] in kinds), None)
    if wanted.columns:
        column = here or wanted.columns[0]
        ways.append(f"{'export' if here else 'get'} it from: {wanted.system}; map {column}")
    if wanted.event is not None:
        ways.append(f"log `{wanted.event.name}` ({', '.join(wanted.event.properties)})")
    if wanted.question is not None:
        items = len(wanted.question.items)
        ways.append(f"ask {f'{items} items' if items > 1 else '1 question'} (about {wanted.question.seconds} s)")
    if wanted.way == "survey":
        ways.reverse()
    return "; or ".join(ways) or f"get it from: {wanted.system}"


def _model(model: Model, fields: list[FieldPlan], also: tuple[str, ...]) -> ModelPlan:
    counted = [f for f in fields if f.decision.status != "not needed"]
    made = ModelPlan(model, "not needed", "", "", tuple(fields), also)
    if not counted:
        people = "the customers are people, not organisations (--b2b shows it)"
        return replace(made, because="plan.yaml says so for every field" if fields else people)
    good = [f for f in counted if f.state in ("good", "mapped")]
    thin = [f for f in counted if f.state == "thin"]
    points = sum(f.strength for f in good) + min(2, len(also))
    step = _first_step(made.missing)
    if not good and not thin and not also:
        return replace(made, verdict="not possible", because="nothing of it is collected", first_step=step)
    titles = [f.title.lower() for f in sorted(good, key=lambda f: -f.strength)]
    known = _listed(titles + [name.replace("_", " ") for name in also])
    if points >= READY and any(f.strength == 3 for f in good):
        unmeasured = any(f.state == "mapped" for f in good)
        tense = "mapped, not measured yet: `segmentry run`" if unmeasured else "known well enough"
        return replace(made, verdict="ready", because=f"{known}: {tense}", first_step=step)
    weak = "; ".join(f"{f.title.lower()}: {f.problem}" for f in thin[:2])
    reasons = [f"only {known}" if known else "", weak]
    return replace(made, verdict="thin", because="; ".join(r for r in reasons if r), first_step=step)


def _first_step(missing: Sequence[FieldPlan]) -> str:
    return f"{missing[0].title}: {missing[0].how.partition('; or ')[0]}." if missing else ""


def _listed(names: Sequence[str]) -> str:
    shown = names[:3]
    return ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
