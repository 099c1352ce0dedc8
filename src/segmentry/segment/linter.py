"""The linter of rules: what every rule means, how many meet it now, and what is probably not meant.

A rule is judged twice: by reasoning, whatever the data are (:mod:`segmentry.expressions.slips`), and by counting those
who meet it today. All rules of a segmentation are counted in one scan.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import config, expressions
from segmentry.catalogue import Trait
from segmentry.errors import did_you_mean
from segmentry.expressions import Column, Expression
from segmentry.placement import Cascade, figure, words
from segmentry.placement.rule import number
from segmentry.segmentation import Segmentation
from segmentry.wording import agree

POPULATION, BEHAVIOUR = "population", "behaviour"
_LOW_FILL = 0.5  # of whom a trait is known: below, a rule that reads it speaks of a minority
_LEVELS = 1000  # of a category, the most frequent, among which a misspelt one is looked for
_NAMED = 5  # of many missing categories
# Units of traits that count or measure something that cannot be negative.
_COUNTS = frozenset(
    {
        *("actions", "categories", "channels", "clicks", "days", "kinds of events", "km", "months", "opens", "orders"),
        *("persons", "persons a km2", "pieces", "products", "releases", "share", "texts", "usual intervals", "visits"),
        "years",
    }
)


@dataclass(frozen=True)
class Finding:
    """What is probably not meant in some rules, and what to do.

    ``kind``: never, always, mixed, unreachable, overlap, unknown value, low fill, gap, double bound; of an objective
    too few, earlier. ``level``: wrong (cannot be meant), doubtful, note.
    """

    kind: str
    level: str
    rules: tuple[str, ...]
    text: str
    fix: str


@dataclass(frozen=True)
class RuleCount:
    """One rule: in English, how many units meet it, how many of them it takes (no earlier rule does), and the least
    share of units for whom a trait that it reads is known."""

    name: str
    condition: str
    reads_as: str
    meets: int
    takes: int
    known: float


@dataclass(frozen=True)
class RuleCheck:
    """The rules of a segmentation in their order, those who are left for the rest, and the findings, worst first.

    Or those of an ``objective``: its population and its behaviour; the rest are those who do not behave so.
    """

    segmentation: str
    unit: str
    total: int  # units in the population
    rules: tuple[RuleCount, ...]
    rest: int
    no_data: int
    findings: tuple[Finding, ...]
    objective: str = ""  # its name, where the rules are those of an objective; then segmentation is empty

    @property
    def wrong(self) -> bool:
        """Whether a rule cannot be meant as it is written."""
        return any(f.level == "wrong" for f in self.findings)


Rule = tuple[str, Expression]  # the name of a segment, and its condition over columns spelled as the traits are


def columns_of(specs: Mapping[str, Trait]) -> dict[str, Column]:
    """What the traits can hold, by their kind and unit."""
    return {name: Column(spec.kind, *_bounds(spec)) for name, spec in specs.items()}


def _bounds(spec: Trait) -> tuple[float | None, float | None]:
    if span := re.search(r"(-?\d+) to (-?\d+)$", spec.unit):
        return float(span[1]), float(span[2])
    return (0.0 if spec.unit in _COUNTS else None), None


def of_settings(
    name: str, settings: config.Segmentation, table: ir.Table, specs: Mapping[str, Trait]
) -> RuleCheck | None:
    """Check the rules of a segmentation and its population as segmentry.yaml has them; None where it has neither.

    Raises :class:`ConfigError` for a condition that is none.
    """
    where = f"segmentry.yaml segmentations.{name}"
    texts = [(s.name, s.where) for s in settings.segments] if isinstance(settings, config.Rules) else []
    of = _population(settings.population, specs, where)
    if not texts and not of:
        return None
    places = [f"{where}.segments.{i}.where" for i in range(len(texts))]
    return check(name, parsed(texts, specs, where=places), table, specs, *of)


def of_objective(
    name: str, objective: config.Objective, table: ir.Table, specs: Mapping[str, Trait], *, fewest: int
) -> RuleCheck:
    """Check population and behaviour of an objective as segmentry.yaml has them.

    ``fewest`` are the units, with the behaviour and without, from which it can be learned. Raises
    :class:`ConfigError` for a condition that is none.
    """
    where = f"segmentry.yaml objectives.{name}"
    of = _population(objective.population, specs, where)
    found = check(
        "", parsed([(BEHAVIOUR, objective.behaviour)], specs, where=[f"{where}.behaviour"]), table, specs, *of
    )
    behaviour = replace(found.rules[-1], takes=found.rules[-1].meets)  # where nothing is known they behave otherwise
    others = found.total - behaviour.meets
    # Nobody comes first here, so nobody is taken before; that all or none behave so is told by how many do.
    order = ("unreachable", "always", "overlap")
    findings = [f for f in found.findings if BEHAVIOUR not in f.rules or f.kind not in order or f.level == "wrong"]
    if min(behaviour.meets, others) < fewest and not any(f.kind == "never" for f in findings):
        text = (
            f"{behaviour.meets:,} {found.unit}s behave so and {others:,} do not; at least {fewest} of each are needed"
        )
        findings.append(Finding("too few", "doubtful", (BEHAVIOUR,), text, "Ask for less, or of more people."))
    if objective.horizon is not None:
        text = (
            f"fit looks at who was in the population, and known, {objective.horizon} days before; counted are today's"
        )
        findings.append(Finding("earlier", "note", (BEHAVIOUR,), text, "`segmentry objectives` shows what it learned."))
    rules = (*found.rules[:-1], behaviour)
    return replace(found, objective=name, rules=rules, rest=others, no_data=0, findings=tuple(findings))


def frozen(found: Segmentation, table: ir.Table, specs: Mapping[str, Trait]) -> RuleCheck | None:
    """Check the rules that a fitted segmentation has; None where no person wrote them.

    ``table`` has all of its traits.
    """
    if found.method != "rules" or not isinstance(found.rule, Cascade):
        return None
    texts = list(zip(found.names, found.rule.conditions, strict=False))  # the rest has no condition
    there = [name for name in table.columns if name in specs or name in dict(found.traits)]
    of = _population(found.population, there, found.name)
    places = [f"{found.name} {name}" for name, _ in texts]
    return check(found.name, parsed(texts, there, where=places), table, specs, *of)


def _population(text: str | None, specs: Iterable[str], where: str) -> tuple[Rule, ...]:
    return parsed([(POPULATION, text)], specs, where=[f"{where}.population"]) if text else ()


def parsed(texts: Sequence[tuple[str, str]], specs: Iterable[str], *, where: Sequence[str]) -> tuple[Rule, ...]:
    """Conditions by name, checked against the traits there are; ``where`` each stands, for errors.

    Raises :class:`ConfigError` for one that is none.
    """
    listed, names = "`segmentry show traits` lists them.", tuple(specs)
    return tuple(
        (n, expressions.parse(t, where=at).resolve(names, listed=listed))
        for (n, t), at in zip(texts, where, strict=True)
    )


def without_data(rules: Sequence[Rule], specs: Mapping[str, Trait]) -> list[Finding]:
    """What reasoning finds: parts that never or always hold, AND beside OR, unreachable rules, seams between ranges."""
    columns = columns_of(specs)
    found = [f for rule in rules for f in _slips(rule, columns)]
    never = {f.rules[0] for f in found if f.kind == "never" and f.level == "wrong"}
    for i, (name, condition) in enumerate(rules):
        before = rules[:i]
        if name not in never and before and expressions.covered(condition, [c for _, c in before], columns):
            text = f"nobody can get into {name}: whoever meets its rule meets an earlier one"
            fix = f"Put {name} before the wider rules, or narrow those."
            found.append(Finding("unreachable", "wrong", (name,), text, fix))
    for seam in expressions.seams([c for _, c in rules], columns):
        pair = rules[seam.conditions[0]][0], rules[seam.conditions[1]][0]
        if seam.twice:
            text = f"{seam.text} meets both {pair[0]} and {pair[1]}; the one that comes first takes it"
            found.append(Finding("double bound", "doubtful", pair, text, "Leave the bound to one of them: < or <=."))
        else:
            text = f"{seam.text} is between {pair[0]} and {pair[1]}: no rule takes it"
            level = "doubtful" if seam.point else "note"
            found.append(Finding("gap", level, pair, text, "Let the ranges meet, with < in one and >= in the other."))
    return found


def _slips(rule: Rule, columns: Mapping[str, Column]) -> Iterator[Finding]:
    name, condition = rule
    for slip in expressions.slips(condition, columns):
        level = "wrong" if slip.whole or slip.kind == "never" else "doubtful"
        yield Finding(slip.kind, level, (name,), slip.text, slip.fix)


def check(
    name: str,
    rules: Sequence[Rule],
    table: ir.Table,
    specs: Mapping[str, Trait],
    population: Rule | None = None,
) -> RuleCheck:
    """Count the rules over a table of traits, one row per unit, and say what is probably not meant.

    Without rules (a method that finds its segments) the population alone is checked.
    """
    found: list[Finding] = []
    counted: list[RuleCount] = []
    if population is not None:
        counts, found = _judged([population], table, specs)
        counted = _told([population], counts)
        table = table.filter(population[1].condition(table))
    counts, more = _judged(rules, table, specs)
    order = ("wrong", "doubtful", "note")
    return RuleCheck(
        name,
        _unit(table),
        counts["total"],
        (*counted, *_told(rules, counts)),
        counts["total"] - counts["no_data"] - sum(counts[f"takes_{i}"] for i in range(len(rules))),
        counts["no_data"],
        tuple(sorted([*found, *more], key=lambda f: order.index(f.level))),
    )


def _judged(rules: Sequence[Rule], table: ir.Table, specs: Mapping[str, Trait]) -> tuple[_Counts, list[Finding]]:
    columns = columns_of(specs)
    others = {name: s.instead for name, c in rules for s in expressions.slips(c, columns) if s.instead}
    counts = _Counts.of(table, rules, {n: expressions.parse(text, where=n) for n, text in others.items()})
    reasoned = [_with_counts(f, rules, counts) for f in without_data(rules, specs)]
    decided = {f.rules[0] for f in reasoned if f.level == "wrong"}
    seen = [f for f in _by_counts(rules, counts, _unit(table)) if f.rules[0] not in decided or f.kind == "overlap"]
    return counts, [*reasoned, *seen, *_unknown_values(rules, table, specs)]


def _unit(table: ir.Table) -> str:
    return "account" if "account_key" in table.columns else "customer"


def _with_counts(finding: Finding, rules: Sequence[Rule], counts: _Counts) -> Finding:
    """Of AND beside OR: how many meet it as it is read, and how many the other way."""
    if finding.kind != "mixed":
        return finding
    i = [name for name, _ in rules].index(finding.rules[0])
    here, there = counts[f"meets_{i}"], counts[f"other_{i}"]
    text = f"{finding.text}, which {here:,} meet; the other way {there:,} would"
    return replace(finding, text=text, level="note" if here == there else finding.level)


def _told(rules: Sequence[Rule], counts: _Counts) -> list[RuleCount]:
    return [
        RuleCount(
            name,
            condition.sql(),
            expressions.reads_as(condition, words),
            counts[f"meets_{i}"],
            counts[f"takes_{i}"],
            min((counts.known(t) for t in condition.columns), default=1.0),
        )
        for i, (name, condition) in enumerate(rules)
    ]


# Counting -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Counts:
    """What one scan counted: a row of figures by name."""

    figures: Mapping[str, Any]

    def __getitem__(self, name: str) -> int:
        return int(self.figures.get(name) or 0)

    def known(self, trait: str) -> float:
        return self[f"known {trait}"] / self["total"] if self["total"] else 0.0

    def span(self, trait: str) -> str:
        """From where to where a number goes; empty where it is no number, or not known for anybody."""
        least, most = self.figures.get(f"least {trait}"), self.figures.get(f"most {trait}")
        return "" if least is None or most is None else f"{words(trait)} goes from {figure(least)} to {figure(most)}"

    @classmethod
    def of(cls, table: ir.Table, rules: Sequence[Rule], others: Mapping[str, Expression]) -> _Counts:
        """Count in two steps: the units by which rules they meet, then sums over those few groups."""
        asides: dict[str, ir.Value] = {}
        for i, (name, condition) in enumerate(rules):
            parts = expressions.pieces(condition)
            if len(parts) > 1:
                asides |= {f"piece_{i}_{j}": part.condition(table) for j, part in enumerate(parts)}
            if name in others:
                asides[f"other_{i}"] = others[name].condition(table)
        met = {f"h{i}": condition.condition(table).fill_null(False) for i, (_, condition) in enumerate(rules)}
        read = list(dict.fromkeys(t for _, condition in rules for t in condition.columns))
        numbers = [t for t in read if table[t].type().is_numeric()]
        sums: dict[str, ir.Value] = {name: _many(holds) for name, holds in asides.items()}
        sums |= {f"known {t}": table[t].count() for t in read}
        ends = {f"least {t}": number(table[t]).min() for t in numbers}
        ends |= {f"most {t}": number(table[t]).max() for t in numbers}
        anything = ibis.or_(*(table[t].notnull() for t in read)) if read else ibis.literal(True)
        grouped = table.group_by(told=anything, **met) if rules else table.group_by(told=anything)
        cells = grouped.agg(n=table.count(), **sums, **ends)
        holds = [cells[f"h{i}"] for i in range(len(rules))]
        figures = {
            "total": cells["n"].sum(),
            "no_data": _of(cells, ~cells["told"]),
            **{f"meets_{i}": _of(cells, h) for i, h in enumerate(holds)},
            **{f"takes_{i}": _of(cells, _first(cells["told"], holds, i)) for i in range(len(holds))},
            **{
                f"both_{i}_{j}": _of(cells, holds[i] & holds[j])
                for i, j in itertools.combinations(range(len(holds)), 2)
            },
            **{name: cells[name].sum() for name in sums},
            **{name: cells[name].min() if name.startswith("least") else cells[name].max() for name in ends},
        }
        return cls(cells.agg(**figures).to_pyarrow().to_pylist()[0])


def _many(holds: ir.Value) -> ir.Value:
    return holds.fill_null(False).ifelse(1, 0).sum()


def _of(cells: ir.Table, where: ir.Value) -> ir.Value:
    return where.ifelse(cells["n"], 0).sum()


def _first(told: ir.Value, holds: Sequence[ir.Value], i: int) -> ir.Value:
    """Whether a rule is the first that holds."""
    return ibis.and_(told, holds[i], *(~h for h in holds[:i]))


# What the counts say --------------------------------------------------------------------------------------------------


def _by_counts(rules: Sequence[Rule], counts: _Counts, unit: str) -> Iterator[Finding]:
    total = counts["total"]
    for i, (name, condition) in enumerate(rules):
        for_gaps = "is not known" in expressions.reads_as(condition, words)
        meets, takes = counts[f"meets_{i}"], counts[f"takes_{i}"]
        if total and not meets:
            yield Finding("never", "doubtful", (name,), _nobody(i, name, condition, counts), "Check values and units.")
        elif total and meets == total and name != POPULATION:
            text = f"every {unit} meets the rule of {name}: no later rule takes anybody"
            yield Finding("always", "doubtful", (name,), text, "Leave it to the rest, or put it last.")
        elif meets and not takes and name != POPULATION:
            earlier = [rules[j][0] for j in range(i) if counts[f"both_{j}_{i}"]]
            if earlier:
                text = f"all {meets:,} {unit}s who meet {name} are taken before by {_listed(earlier)}"
                fix = f"Put {name} before, or narrow what comes before."
            else:
                text = f"all {meets:,} {unit}s who meet {name} count as No data: nothing that the rules read is known"
                fix = "Add a trait to it that is known for everybody, or leave it out."
            yield Finding("unreachable", "doubtful", (name,), text, fix)
        for trait in condition.columns:
            if total and counts.known(trait) < _LOW_FILL and not for_gaps:
                share = f"{100 * counts.known(trait):.0f} %"
                text = f"{words(trait)} is known for {share} only; what {name} asks of it nobody else can meet"
                fix = f"`segmentry plan` says how to gather {trait}; or say with IS NULL what holds for the others."
                yield Finding("low fill", "doubtful", (name,), text, fix)
    for i, j in itertools.combinations(range(len(rules)), 2):
        shared, takes = counts[f"both_{i}_{j}"], counts[f"takes_{j}"]
        if shared and takes and counts[f"takes_{i}"]:
            (a, _), (b, _) = rules[i], rules[j]
            text = agree(
                shared, f"{{n}} {unit}[ meets|s meet] both {a} and {b}: {a} takes [it|them], as it comes first"
            )
            yield Finding("overlap", "note", (a, b), text, f"If they belong to {b}, put it before {a}.")


def _nobody(i: int, name: str, condition: Expression, counts: _Counts) -> str:
    parts = expressions.pieces(condition)
    alone = [p for j, p in enumerate(parts) if not counts[f"piece_{i}_{j}"]] if len(parts) > 1 else list(parts)
    if not alone:
        return f"nobody meets the rule of {name}: each of its parts is met, but not all at once"
    spans = list(filter(None, (counts.span(t) for p in alone for t in p.columns)))
    told = f"; {spans[0]}" if spans else ""
    return f"nobody meets the rule of {name}: nobody has {expressions.reads_as(alone[0], words)}{told}"


def _unknown_values(rules: Sequence[Rule], table: ir.Table, specs: Mapping[str, Trait]) -> Iterator[Finding]:
    """Categories that rules name and nobody has."""
    named: dict[str, dict[str, None]] = {}
    for _, condition in rules:
        for column, text in expressions.literals(condition):
            if column in specs and specs[column].kind == "category":
                named.setdefault(column, {})[text] = None
    for column, texts in named.items():
        there = table.filter(table[column].isin(list(texts))).select(column).distinct().to_pyarrow()[column].to_pylist()
        missing = [text for text in texts if text not in there]
        if not missing:
            continue
        counted = table.filter(table[column].notnull()).group_by(column).agg(n=ibis._.count())
        frequent = counted.order_by([ibis.desc("n"), column]).limit(_LEVELS).to_pyarrow()[column].to_pylist()
        for name, condition in rules:
            gone = [t for c, t in expressions.literals(condition) if c == column and t in missing]
            if gone:
                more = f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else ""
                text = f"nobody has the {words(column)} {_listed([repr(t) for t in gone[:_NAMED]])}{more} ({name})"
                yield Finding("unknown value", "doubtful", (name,), text, did_you_mean(gone[0], frequent))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
