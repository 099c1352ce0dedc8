"""Declared traits, checked: names that exist, kinds that go together, an order in which each comes after what it reads.

No data are looked at: every expression is bound to the columns of the contracts, so that a mistake in segmentry.yaml
is told before anything is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir

from segmentry import expressions
from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS, Kind, Model, Trait, lookup
from segmentry.columns import Pii, Type
from segmentry.config import FILE_NAME, Attribute
from segmentry.declaration import ROWS, Aggregate, DeclaredTrait
from segmentry.errors import ConfigError, did_you_mean
from segmentry.expressions import Columns, Expression
from segmentry.expressions.binding import kind_of
from segmentry.expressions.functions import CASTS
from segmentry.tables import LINEAGE, TABLES
from segmentry.traits.declared import reading

OF_EVENT = "properties."  # in front of a name in the JSON of an event
_UNITS = ("customer", "account")
# Tables whose attributes are traits, by whom they describe.
_DESCRIBING = {"customer": ("customers", "transactions", "places"), "account": ("accounts", "transactions")}
# What organisations are described by as people are; see traits/accounts.py.
_SHARED = (Model.BEHAVIORAL, Model.VALUE, Model.GEOGRAPHIC)
_HIDDEN = {"customer_key", *(column.name for column in LINEAGE)} - {"source"}
_TYPES = {Type.NUMBER: "float64", Type.MONEY: "float64", Type.INTEGER: "int64", Type.TIME: "timestamp"} | {
    Type.DATE: "date",
    Type.BOOLEAN: "boolean",
}
_OF_KIND: dict[str, str] = {"number": "float64", "category": "string", "boolean": "boolean"}
_KINDS: dict[str, Kind] = {"number": "number", "text": "category", "boolean": "boolean"}
_LISTED = "`segmentry show traits` lists the traits there are."

# By function: kind and unit of the trait, and what null means. "": as the argument.
_COUNTED = {"count": "", "distinct": "values", "rank_within": "place"}
_ASKED = ("first_time", "regularly", "sequence", "stopped", "restarted")
_SHOWN = ("sum", "avg", "min", "max", "first", "last", "mode")  # these show values of their columns


@dataclass(frozen=True)
class Definition:
    """One declared trait that is known to be well formed.

    ``columns`` are those of its table that it reads, ``properties.x`` as written, with their Ibis types; ``traits`` the
    names of the traits that it reads. ``level``: above that of every declared trait among
    them, 0 without.
    """

    trait: Trait
    declared: DeclaredTrait
    level: int = 0
    where: Expression | None = None
    argument: Expression | None = None
    steps: Mapping[str, Expression] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    traits: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.trait.name

    @property
    def of(self) -> str:
        """Whom it is about: customer or account."""
        return self.declared.of

    @property
    def prefix(self) -> str:
        """What stands in front of a trait that rows are compared with, such as ``customer.``."""
        return f"{self.of}."

    @property
    def table(self) -> str:
        """The fact table; "" for one that is computed from traits."""
        return self.declared.table or ""

    @property
    def parts(self) -> Aggregate:
        """The aggregate; of function ``value`` for one without."""
        return self.declared.parts if self.declared.aggregate else Aggregate("value")


def definitions(
    declared: Mapping[str, DeclaredTrait], attributes: Iterable[tuple[str, str, Attribute]]
) -> tuple[Definition, ...]:
    """The declared traits, those of customers first, in an order in which each comes after those it reads.

    ``attributes`` are those of the sources as (table, name, declaration). Raises :class:`ConfigError` for a name that
    does not exist, kinds that do not go together, and traits that read each other in a circle.
    """
    found: list[Definition] = []
    given = tuple(attributes)
    for unit in _UNITS:
        known = _Known(unit, declared, given)
        written = {name: _parsed(name, trait, known) for name, trait in known.declared.items()}
        done: dict[str, Definition] = {}
        for name in written:
            _settle(name, written, done, known, ())
        found += sorted(done.values(), key=lambda d: (d.level, list(written).index(d.name)))
    return tuple(found)


class _Known:
    """The names and kinds that declared traits of one unit may read."""

    def __init__(
        self, unit: str, declared: Mapping[str, DeclaredTrait], attributes: tuple[tuple[str, str, Attribute], ...]
    ) -> None:
        self.unit, self.prefix = unit, f"{unit}."
        self.declared = {name: trait for name, trait in declared.items() if trait.of == unit}
        self.others = {name for name, trait in declared.items() if trait.of != unit}
        self.attributes = {(table, name): attribute for table, name, attribute in reversed(attributes)}

    def columns(self, table: str) -> dict[str, tuple[str, Pii]]:
        """The columns of a fact table that may be used: their Ibis type and how personal they are."""
        own = {c.name: (_TYPES.get(c.type, "string"), c.pii) for c in TABLES[table].columns if c.name not in _HIDDEN}
        own = {name: (type_, pii) for name, (type_, pii) in own.items() if pii is not Pii.DIRECT}
        more = {n: (_OF_KIND[a.kind], a.pii) for (of, n), a in self.attributes.items() if of == table}
        return {**more, **own}

    def trait_names(self) -> list[str]:
        of_attributes = [name for table, name in self.attributes if table in _DESCRIBING[self.unit]]
        own = ACCOUNT_TRAITS if self.unit == "account" else {}
        shared = [name for name in TRAITS if not name.endswith("*") and self.listed(name)]
        return [*shared, *own, *of_attributes, *self.declared]

    def listed(self, name: str) -> Trait | None:
        """A trait of the catalogue that such units can have."""
        if self.unit == "account" and name in ACCOUNT_TRAITS:
            return ACCOUNT_TRAITS[name]
        found = lookup(name)
        return found if found and (self.unit == "customer" or found.model in _SHARED) else None

    def is_of_others(self, name: str) -> bool:
        """Whether only the other unit has a trait of this name."""
        of_attributes = {n for table, n in self.attributes if table not in _DESCRIBING[self.unit]}
        return name in self.others or bool(lookup(name)) or name in ACCOUNT_TRAITS or name in of_attributes

    def built_in(self, name: str) -> Trait | None:
        """A trait that is not declared under ``traits``."""
        if found := self.listed(name):
            return found
        for table in _DESCRIBING[self.unit]:
            if attribute := self.attributes.get((table, name)):
                kind: Kind = attribute.kind
                if table == "transactions" and kind == "boolean":
                    kind = "number"
                return Trait(name, attribute.model, kind, "", needs=(f"{table}.{name}",), pii=attribute.pii)
        return None


@dataclass(frozen=True)
class _Written:
    """The expressions of one trait, their names resolved, and what they read."""

    where: Expression | None
    argument: Expression | None
    steps: Mapping[str, Expression]
    columns: tuple[str, ...]
    traits: tuple[str, ...]


def _at(name: str, key: str) -> str:
    return f"{FILE_NAME} traits.{name}.{key}"


def _parsed(name: str, declared: DeclaredTrait, known: _Known) -> _Written:
    if declared.value is not None:
        return _from_traits(name, declared.value, known)
    parts = declared.parts
    if parts.function == "rank_within":
        for read in (parts.trait, *parts.by):
            if read not in known.trait_names() and not known.listed(read):
                _refuse_of_others(name, "aggregate", read, known)
                raise ConfigError(
                    f"{_at(name, 'aggregate')}: there is no trait '{read}'.",
                    why=did_you_mean(read, known.trait_names()),
                    fix=_LISTED,
                )
        return _Written(None, None, {}, (), (parts.trait, *parts.by))
    texts = {"where": declared.where, "aggregate": parts.argument or None}
    texts |= {f"steps.{step}": text for step, text in declared.steps.items()}
    found = {
        key: _resolved(name, key, expressions.parse(text, where=_at(name, key)), known)
        for key, text in texts.items()
        if text is not None
    }
    steps = {key.removeprefix("steps."): e for key, e in found.items() if key.startswith("steps.")}
    names = dict.fromkeys(column for expression in found.values() for column in expression.columns)
    return _Written(
        found.get("where"),
        found.get("aggregate"),
        steps,
        tuple(n for n in names if not n.startswith(known.prefix)),
        tuple(n.removeprefix(known.prefix) for n in names if n.startswith(known.prefix)),
    )


def _from_traits(name: str, text: str, known: _Known) -> _Written:
    expression = expressions.parse(text, where=_at(name, "value"))
    members = [n for n in expression.columns if known.listed(n)]
    for read in expression.columns:
        if read not in (*members, *known.trait_names()):
            _refuse_of_others(name, "value", read, known)
    expression = expression.resolve([*dict.fromkeys([*known.trait_names(), *members])], listed=_LISTED)
    if not expression.columns:
        raise ConfigError(
            f"{_at(name, 'value')}: {text} names no trait.",
            why=f"It would be the same for every {known.unit}.",
            fix=_LISTED,
        )
    return _Written(None, expression, {}, (), expression.columns)


def _refuse_of_others(name: str, key: str, read: str, known: _Known) -> None:
    """Raise :class:`ConfigError` when only the other unit has the trait that is read."""
    if known.is_of_others(read):
        other = next(unit for unit in _UNITS if unit != known.unit)
        raise ConfigError(
            f"{_at(name, key)}: {read} is a trait of {other}s, and {name} is one of {known.unit}s.",
            why="A trait is computed from what is known of the same unit.",
            fix=f"Read a trait of {known.unit}s, or write of: {other} for {name}. {_LISTED}",
        )


def _resolved(name: str, key: str, expression: Expression, known: _Known) -> Expression:
    """The expression with its names spelt as they are: columns of the table, properties, traits of the unit."""
    table, prefix = known.declared[name].table or "", known.prefix
    columns = known.columns(table)
    for read in expression.columns:
        owner, _, trait = read.partition(".")
        if trait and owner in _UNITS and owner != known.unit:
            raise ConfigError(
                f"{_at(name, key)}: {read}: {name} is a trait of {known.unit}s.",
                why=f"Rows are compared with the traits of their {known.unit}.",
                fix=f"Write {prefix}{trait}, or of: {owner} for {name}.",
            )
        if owner == known.unit and trait not in known.trait_names() and not known.listed(trait):
            _refuse_of_others(name, key, trait, known)
    open_ended = [n for n in expression.columns if _is_property(n, table) or known.listed(n.removeprefix(prefix))]
    traits = [prefix + n for n in known.trait_names()]
    listed = f"Columns of {table}: {', '.join(columns)}{', properties.NAME' if table == 'events' else ''}."
    if any(n.startswith(prefix) for n in expression.columns):
        listed = f"{listed} {_LISTED}"
    named = [n for n in open_ended if n.startswith((prefix, OF_EVENT))]
    return expression.resolve([*dict.fromkeys([*columns, *named, *traits])], listed=listed)


def _is_property(name: str, table: str) -> bool:
    return table == "events" and name.startswith(OF_EVENT)


def _settle(
    name: str,
    written: Mapping[str, _Written],
    done: dict[str, Definition],
    known: _Known,
    above: tuple[str, ...],
) -> None:
    """Put a trait into ``done`` after those it reads."""
    if name in done:
        return
    if name in above:
        circle = " reads ".join([*above[above.index(name) :], name])
        raise ConfigError(
            f"{FILE_NAME} traits: {circle}.",
            why="No trait can be computed before itself.",
            fix="Leave one of them out of another's `value`, `where` or `aggregate`.",
        )
    own = written[name]
    for read in own.traits:
        if read in written:
            _settle(read, written, done, known, (*above, name))
    traits = {n: done[n].trait if n in done else known.built_in(n) for n in own.traits}
    levels = [done[n].level + 1 for n in own.traits if n in done]
    trait = _described(name, own, known, {n: t for n, t in traits.items() if t is not None})
    types = known.columns(trait_table) if (trait_table := known.declared[name].table) else {}
    done[name] = Definition(
        trait,
        known.declared[name],
        max(levels, default=0),
        own.where,
        own.argument,
        own.steps,
        {c: types[c][0] if c in types else "string" for c in own.columns},
        own.traits,
    )


def _described(name: str, own: _Written, known: _Known, traits: Mapping[str, Trait]) -> Trait:
    """The trait as the catalogue would declare it, after its expressions were tried on the columns of the contracts."""
    declared = known.declared[name]
    parts = declared.parts if declared.aggregate else Aggregate("value")
    table = declared.table or ""
    columns = known.columns(table) if table else {}
    rows = _empty(own, known, table, traits)
    for condition in (own.where, *own.steps.values()):
        if condition is not None:
            condition.condition(rows, number=CASTS["text", "number"], time=CASTS["text", "timestamp"])
    kind, type_ = _kind(name, parts, own, rows, traits)
    pii = {c: columns[c][1] if c in columns else Pii.QUASI for c in own.columns}
    needs = [f"{table}.{c.partition('.')[0] if _is_property(c, table) else c}" for c in own.columns]
    needs += [f"{table}.{c}" for c in TABLES[table].required if c in ("time", "name")] if table else []
    needs += [need for trait in traits.values() for need in trait.needs]
    return Trait(
        name,
        declared.model,
        kind,
        reading.sentence(declared, own.where, own.argument, own.steps),
        declared.unit or _unit(parts, own, table, type_),
        tuple(dict.fromkeys(needs)),
        declared.pii or _inherited(parts, own, pii, traits),
        _null_means(parts),
    )


def _empty(own: _Written, known: _Known, table: str, traits: Mapping[str, Trait]) -> Columns:
    columns = known.columns(table) if table else {}
    types = {c: columns[c][0] if c in columns else "string" for c in own.columns}
    of_unit = {(known.prefix if table else "") + n: _OF_KIND[t.kind] for n, t in traits.items()}
    unbound = ibis.table({**types, **of_unit, "anchor": "int64"}, name=table or "traits")
    return {c: unbound[c] for c in [*types, *of_unit]}


def bound(argument: Expression, rows: Columns, function: str) -> ir.Value:
    """The argument of a function over rows; text that is added up is read as numbers."""
    value = argument.bind(rows, number=CASTS["text", "number"], time=CASTS["text", "timestamp"])
    if function in ("sum", "avg", "min", "max") and kind_of(value) == "text":
        return CASTS["text", "number"](value)
    return value


def _kind(name: str, parts: Aggregate, own: _Written, rows: Columns, traits: Mapping[str, Trait]) -> tuple[Kind, str]:
    """The kind of the trait, and the kind of value that its argument is."""
    if parts.function == "rank_within" and traits[parts.trait].kind != "number":
        raise ConfigError(
            f"{_at(name, 'aggregate')}: {parts.trait} is a {traits[parts.trait].kind}; only a number has a rank.",
            fix="Name a trait that is a number. " + _LISTED,
        )
    given = "" if own.argument is None else kind_of(bound(own.argument, rows, parts.function))
    if parts.function in ("sum", "avg", "min", "max") and given != "number":
        raise ConfigError(
            f"{_at(name, 'aggregate')}: {own.argument} is a {given}; {parts.function} works on numbers.",
            fix="For times there is days_since(first) and days_since(last); count true and false with `where`.",
        )
    if parts.function in ("first", "last", "mode", "value") and given not in _KINDS:
        raise ConfigError(
            f"{_at(name, 'value' if parts.function == 'value' else 'aggregate')}: {own.argument} is a {given}.",
            why="A trait is a number, a category, or true or false.",
            fix="Count days instead: days_since(last), or days_between(a, b).",
        )
    if parts.function in _ASKED:
        return "boolean", given
    return (_KINDS[given] if parts.function in ("first", "last", "mode", "value") else "number"), given


def _unit(parts: Aggregate, own: _Written, table: str, kind: str) -> str:
    if parts.function in ("days_since", "held_for"):
        return "days"
    if parts.function in _COUNTED:
        return _COUNTED[parts.function] or (reading.several(ROWS[table]))
    alone = own.argument is not None and own.argument.columns == (str(own.argument),)
    if parts.function in _SHOWN and kind == "number" and alone and str(own.argument) in TABLES[table]:
        return TABLES[table][str(own.argument)].unit
    return ""


def _inherited(parts: Aggregate, own: _Written, pii: Mapping[str, Pii], traits: Mapping[str, Trait]) -> Pii:
    """As personal as the columns that it shows, and sensitive where it asks about sensitive ones."""
    shown = own.argument.columns if own.argument is not None and parts.function in _SHOWN else ()
    found = {pii[c] for c in shown if c in pii} | {p for p in pii.values() if p is Pii.SENSITIVE}
    found |= {t.pii for t in traits.values()}
    return next((p for p in (Pii.DIRECT, Pii.SENSITIVE, Pii.QUASI) if p in found), Pii.NONE)


def _null_means(parts: Aggregate) -> str:
    if parts.function in ("count", "sum", "distinct"):
        return "never null: 0 where no row counts"
    if parts.function in _ASKED:
        return "never null: false where no row counts"
    if parts.function == "rank_within":
        return "one of the traits is not known"
    return "a trait that it reads is not known" if parts.function == "value" else "no row with a value counts"
