"""Traits of the place where a customer lives: the attributes of tables of places, found by the postal code.

Of several rows of one postal code the newest counts that has a value: collected last, else last in its file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import ibis
import ibis.expr.types as ir

from segmentry import postcodes
from segmentry.catalogue import Trait
from segmentry.config import Attribute
from segmentry.traits.known import ATTRIBUTE, KEY, Expression, Known, Part

_CODE = "postal_code"
_TYPES = {"number": "float64", "category": "string", "boolean": "boolean"}


def traits(known: Known) -> Part:
    """A trait for each attribute of a place that some customer lives in."""
    places, declared = known.places, {n: a for table, n, a in known.attributes if table == "places"}
    given = [name for name in declared if places is not None and name in places.columns]
    if places is None or not given or not known.has("customers.postcode"):
        return Part()
    found = _described(places, given)
    homes = known.customers.select(KEY, home=postcodes.comparable(known.customers["postcode"]))
    homes = homes.join(found, homes["home"] == found[_CODE]).drop("home", _CODE)
    filled = homes.agg(**{name: homes[ATTRIBUTE + name].count() for name in given}).to_pyarrow().to_pylist()[0]
    ready = [name for name in given if filled[name]]
    if not ready:
        return Part()
    homes = homes.select(KEY, *(ATTRIBUTE + name for name in ready))
    return Part(passes=(homes,), traits={_trait(n, declared[n]): _typed(n, declared[n].kind) for n in ready})


def _described(places: ir.Table, names: Sequence[str]) -> ir.Table:
    """One row per postal code: the newest value of each attribute."""
    rows = places.mutate(**{_CODE: postcodes.comparable(places["postcode"])})
    newest = [ibis.desc(name, nulls_first=False) for name in ("known_from", "file", "line") if name in rows.columns]
    tables = [rows.select(_CODE).distinct()]
    for name in names:
        filled = rows.filter(rows[name].notnull())
        rank = ibis.row_number().over(group_by=_CODE, order_by=[*newest, ibis.asc(name)])
        ranked = filled.select(_CODE, **{ATTRIBUTE + name: name}, rank=rank)
        tables.append(ranked.filter(ranked["rank"] == 0).drop("rank"))
    return reduce(lambda left, right: left.left_join(right, _CODE).drop(f"{_CODE}_right"), tables)


def _trait(name: str, declared: Attribute) -> Trait:
    return Trait(
        name,
        declared.model,
        declared.kind,
        declared.description or f"{name.replace('_', ' ').capitalize()}, of the place where the customer lives.",
        declared.unit,
        ("customers.postcode", f"places.{name}"),
        declared.pii,
        "no postal code, or none of the table of places",
    )


def _typed(name: str, kind: str) -> Expression:
    return lambda row: row[ATTRIBUTE + name].cast(_TYPES[kind])
