"""Resolve: one row per customer from the records of all sources.

In this version ids of one id space are one customer when they are equal after normalisation; linking people across
systems without a common id is the next step of this file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from segmentry.config import Source
from segmentry.tables import LINEAGE, TABLES

DEFAULT_SPACE = "customers"
_NOT_GOLDEN = {"customer_key", "customer", *(c.name for c in LINEAGE)}


def identities(keys: ir.Table) -> ir.Table:
    """One row per id: ``keys`` holds customer_key, id_space, source_id.

    The customer's id is the source's own; outside the default id space it carries the space in front.
    """
    own = keys["id_space"] == DEFAULT_SPACE
    return keys.select(
        "customer_key",
        customer_id=own.ifelse(keys["source_id"], keys["id_space"] + ":" + keys["source_id"]),
        id_space="id_space",
        source_id="source_id",
    ).order_by("customer_key")


def golden_customers(ids: ir.Table, records: Mapping[str, ir.Table], sources: Mapping[str, Source]) -> ir.Table:
    """One row per customer: for every column the value of the first source that has one, sources in their order.

    ``records`` holds the collected customer records of each source. Within a source the newest record counts (last
    changed there, else last collected, else last in the file).
    """
    golden = ids.select("customer_key", "customer_id").distinct(on="customer_key", keep="first")
    newest = {name: _newest(rows) for name, rows in records.items()}
    columns: dict[str, list[ir.Value]] = {}
    joined = golden
    for i, (name, rows) in enumerate(newest.items()):
        mapped = [*sources[name].columns, *sources[name].attributes]
        useful = [c for c in mapped if c in rows.columns and c not in _NOT_GOLDEN]
        renamed = rows.select(**{f"key_{i}": rows["customer_key"], **{f"{c}__{i}": rows[c] for c in useful}})
        joined = joined.left_join(renamed, joined["customer_key"] == renamed[f"key_{i}"])
        for column in useful:
            columns.setdefault(column, []).append(ibis._[f"{column}__{i}"])
    ordered = sorted(columns, key=_contract_order)
    chosen = {c: ibis.coalesce(*columns[c]) if len(columns[c]) > 1 else columns[c][0] for c in ordered}
    return joined.select("customer_key", "customer_id", **chosen).order_by("customer_key")


def _newest(rows: ir.Table) -> ir.Table:
    order: list[ir.Value] = []
    if "updated_at" in rows.columns:
        order.append(ibis.desc("updated_at", nulls_first=False))
    order += [ibis.desc("known_from", nulls_first=False), ibis.desc("file"), ibis.desc("line")]
    ranked = rows.filter(rows["customer_key"].notnull()).mutate(
        rank=ibis.row_number().over(group_by="customer_key", order_by=order)
    )
    return ranked.filter(ranked["rank"] == 0)


def _contract_order(column: str) -> tuple[int, str]:
    names: Sequence[str] = TABLES["customers"].names
    return (names.index(column) if column in names else len(names), column)
