"""Attributes: columns that segmentry.yaml keeps beside the known ones; each becomes a trait of the same name.

An attribute of the customers is taken as it is, one of places by the postal code (``places.py``). One of the
transactions is summed up over the customer's sale lines: the most frequent category, the mean of a number, the share
of lines where a boolean is true.
"""

from __future__ import annotations

from segmentry import engine
from segmentry.catalogue import ACCOUNT_TRAITS, Kind, Trait, lookup
from segmentry.config import Attribute
from segmentry.errors import ConfigError
from segmentry.placement.rule import number
from segmentry.traits.known import ATTRIBUTE, KEY, Expression, Known, Part, combine


def traits(known: Known, of: str = "customers") -> Part:
    """A trait for each declared attribute that has a value; ``of`` accounts, where these are what is known.

    Raises :class:`ConfigError` when an attribute has the name of a built-in trait or of another one.
    """
    used: set[str] = set()
    parts = []
    for table, name, declared in known.attributes:
        if table not in ("customers", "transactions", "places"):
            continue
        _check(name, used, of)
        used.add(name)
        if table == "customers" and known.has(f"{table}.{name}"):
            parts.append(_of_unit(name, declared, of))
        elif table == "transactions" and known.has(f"{table}.{name}"):
            parts.append(_of_lines(known, name, declared))
    return combine(*parts)


def _check(name: str, used: set[str], of: str) -> None:
    own = {"account_key", "account_id", *ACCOUNT_TRAITS} if of == "accounts" else set()
    if lookup(name) or name in {KEY, "customer_id", *own, *used}:
        raise ConfigError(
            f"segmentry.yaml: the attribute '{name}' has the name of another trait.",
            why="Every trait is one column of one table.",
            fix="Give it another name under `attributes` of its source.",
        )


def _of_unit(name: str, declared: Attribute, of: str) -> Part:
    trait = Trait(
        name,
        declared.model,
        declared.kind,
        declared.description or f"{_words(name)}, as the {of.removesuffix('s')} records say.",
        declared.unit,
        (f"{of}.{name}",),
        declared.pii,
    )
    return Part(traits={trait: _typed(name, declared.kind)})


def _of_lines(known: Known, name: str, declared: Attribute) -> Part:
    lines, column = known.lines, ATTRIBUTE + name
    if lines is None:
        return Part()
    if declared.kind == "category":
        most = engine.mode(known.sold(name), KEY, column)
        return Part(
            passes=(most,),
            traits={_of_orders(name, declared, "category", "the most frequent"): _typed(name, "category")},
        )
    valued = lines["is_sale"] & lines[column].notnull()
    if declared.kind == "boolean":
        trait = _of_orders(name, declared, "number", "share of the order lines", unit="share")
        added = engine.count_where(valued & lines[column].cast("boolean"))
    else:
        trait = _of_orders(name, declared, "number", "mean of the order lines", unit=declared.unit)
        added = known.total(column, valued)
    sums = {f"{column}_sum": added, f"{column}_lines": engine.count_where(valued)}
    return Part(sums, traits={trait: lambda row: engine.ratio(row[f"{column}_sum"], row[f"{column}_lines"])})


def _of_orders(name: str, declared: Attribute, kind: Kind, how: str, unit: str = "") -> Trait:
    return Trait(
        name,
        declared.model,
        kind,
        f"{declared.description.removesuffix('.') or _words(name)}: {how}.",
        unit,
        (f"transactions.{name}",),
        declared.pii,
        "no order line with a value",
    )


def _typed(name: str, kind: str) -> Expression:
    if kind == "number":
        return lambda row: number(row[ATTRIBUTE + name])  # one that is nearly infinite would drown all others
    types = {"category": "string", "boolean": "boolean"}
    return lambda row: row[ATTRIBUTE + name].cast(types[kind])


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
