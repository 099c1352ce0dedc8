"""What the collected data hold of every field: counted table by table in the engine; only counts come back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import Model
from segmentry.config import Source
from segmentry.data.manifest import Manifest
from segmentry.data.plan.fields import FIELDS, NAMED_TABLES
from segmentry.engine import Session

_MOST_NAMES = 2_000  # different questions, events or types of cost that are looked at, most frequent first
_APART = "\x1f"


@dataclass(frozen=True)
class Coverage:
    """What one table holds of one field.

    ``field`` is a field's id, or ``model.attribute`` for an attribute that is no field of the plan. ``records`` of
    ``rows`` have a value; ``customers`` distinct known ones (None: the table knows no customers). ``items`` are the
    different questions, events or columns that give it. ``newest`` is the day of its newest record, where dated.
    """

    field: str
    table: str
    by: tuple[str, ...]
    records: int
    rows: int
    customers: int | None
    items: int
    newest: date | None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "newest": self.newest.isoformat() if self.newest else None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Coverage:
        newest = date.fromisoformat(data["newest"]) if data["newest"] else None
        return cls(**{**data, "by": tuple(data["by"]), "newest": newest})


@dataclass(frozen=True)
class _Given:
    """A field in a table: the condition under which a row gives it, and by which columns or names."""

    field: str
    condition: ir.Value
    by: tuple[str, ...]
    items: int


def measure(sources: Mapping[str, Source], manifest: Manifest, session: Session) -> tuple[Coverage, ...]:
    """Measure every field that the collected tables give. Work: a scan and a group-by per table."""
    found: list[Coverage] = []
    for kind in dict.fromkeys(e.kind for e in manifest.entries):
        parts = manifest.parts(kind)
        if parts:
            rows = session.parts(parts)
            given = [*_by_column(kind, rows), *_by_name(kind, rows), *_by_attribute(kind, sources, rows)]
            found += _counted(kind, rows, given)
    return tuple(found)


def _by_column(kind: str, rows: ir.Table) -> Iterator[_Given]:
    for field in FIELDS:
        names = [c.partition(".")[2] for c in field.columns if c.startswith(f"{kind}.")]
        there = [name for name in names if name in rows.columns]
        if there:
            yield _Given(field.id, ibis.or_(*(rows[c].notnull() for c in there)), tuple(there), len(there))


def _by_name(kind: str, rows: ir.Table) -> Iterator[_Given]:
    """Fields told by questions, events or types of cost."""
    if kind not in NAMED_TABLES or NAMED_TABLES[kind][0] not in rows.columns:
        return
    key = rows[NAMED_TABLES[kind][0]]
    if kind == "responses" and "survey" in rows.columns:
        key = rows["survey"].fill_null("") + _APART + key
    texts = [rows[c].max() if c in rows.columns else ibis.null("string") for c in NAMED_TABLES[kind]]
    names = rows.group_by(key=key).agg(n=rows.count(), **{f"t{i}": t for i, t in enumerate(texts)})
    frequent = names.order_by(ibis.desc("n"), "key").limit(_MOST_NAMES).to_pyarrow().to_pylist()
    for field in (f for f in FIELDS if kind in f.needs):
        told = [row for row in frequent if any(field.is_told_by(row[f"t{i}"] or "") for i in range(len(texts)))]
        if told:
            condition = key.isin([row["key"] for row in told])
            if kind == "responses" and "answer" in rows.columns:
                condition = condition & rows["answer"].notnull()
            yield _Given(field.id, condition, tuple(str(row["t0"]) for row in told[:3]), len(told))


def _by_attribute(kind: str, sources: Mapping[str, Source], rows: ir.Table) -> Iterator[_Given]:
    mine: dict[str, list[str]] = {}
    for source in sources.values():
        for name, attribute in source.attributes.items():
            if source.kind == kind and name in rows.columns:
                names = mine.setdefault(field_of(name, attribute.model), [])
                names += [] if name in names else [name]
    for field, names in mine.items():
        yield _Given(field, ibis.or_(*(rows[c].notnull() for c in names)), tuple(names), len(names))


def field_of(attribute: str, model: Model) -> str:
    """The field that an attribute of a source gives; ``model.attribute`` where the plan has no such field."""
    told = (f.id for f in FIELDS if f.model is model and f.is_told_by(attribute))
    return next(told, f"{model.value}.{attribute}")


def _counted(kind: str, rows: ir.Table, given: list[_Given]) -> list[Coverage]:
    """One scan for records and the newest of them; one group-by for the customers of what is not on every row."""
    if not given:
        return []
    time = next((c for c in ("time", "updated_at", "joined_at", "published") if c in rows.columns), None)
    measures: dict[str, ir.Value] = {"rows": rows.count()}
    for i, each in enumerate(given):
        measures[f"n{i}"] = engine.count_where(each.condition)
        measures[f"t{i}"] = rows[time].max(where=each.condition) if time else ibis.null("timestamp")
    row: dict[str, Any] = rows.agg(**measures).to_pyarrow().to_pylist()[0]
    elsewhere = ("accounts", "products", "market", "places", "opportunities", "stores")
    knows = "customer_key" in rows.columns and kind not in elsewhere
    customers = _customers(rows, [e.condition if row[f"n{i}"] < row["rows"] else None for i, e in enumerate(given)])
    return [
        Coverage(
            field=each.field,
            table=kind,
            by=each.by,
            records=int(row[f"n{i}"] or 0),
            rows=int(row["rows"]),
            customers=customers[i] if knows else None,
            items=each.items,
            newest=date.fromisoformat(row[f"t{i}"].isoformat()[:10]) if row[f"t{i}"] is not None else None,
        )
        for i, each in enumerate(given)
        if row[f"n{i}"]
    ]


def _customers(rows: ir.Table, conditions: Sequence[ir.Value | None]) -> list[int]:
    """Distinct known customers with a row for which each condition holds; None holds on every row."""
    if "customer_key" not in rows.columns:
        return [0] * len(conditions)
    named = {f"c{i}": c.fill_null(False).max() for i, c in enumerate(conditions) if c is not None}
    per = rows.group_by("customer_key").agg(rows=rows.count(), **named)
    known = per["customer_key"].notnull()
    totals = {name: (known & per[name]).cast("int64").sum() for name in named}
    row: dict[str, Any] = per.agg(all=known.cast("int64").sum(), **totals).to_pyarrow().to_pylist()[0]
    return [int(row["all" if c is None else f"c{i}"] or 0) for i, c in enumerate(conditions)]
