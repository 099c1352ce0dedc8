"""How far what was found in the demo company is from what was planted in it.

Every figure is counted in the engine over all customers; :func:`compare` gives sentences with the numbers in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
from ibis.backends.duckdb import Backend

from segmentry import engine
from segmentry.stats.stability import adjusted_rand_of_counts

PERSONS = "truth/persons.csv"
# Whose record it is, by the space of its id; a subscriber's id is the address, which the truth does not repeat.
_RECORDS = {"customers": "truth/records_shop.csv", "crm": "truth/records_crm.csv"}
_SUBSCRIBERS = ("truth/records_newsletter.csv", "newsletter/subscribers.csv")
# Planted and in the exports, but no stage looks for it yet.
NOT_LOOKED_FOR = (
    "needs segments and attitudes",
    "who answers which offer",
    "the effect of the e-mail, group by group",
    "the price rise and the segment born in month 15",
)
_TOP = 0.2  # the share of customers that people usually call the best


@dataclass(frozen=True)
class Distance:
    """One thing that was planted, what was found of it, and what a perfect answer would be."""

    planted: str
    found: str
    score: float  # 1 is the truth
    perfect: float = 1.0


def records_of_people(con: Backend, exports: Path) -> ir.Table:
    """Whose a record is: ``person``, and its ``id_space`` and ``source_id`` in the shop, the CRM or the newsletter."""
    parts = [
        con.read_csv(exports / file).select("person", id_space=ibis.literal(space), source_id="record_id")
        for space, file in _RECORDS.items()
    ]
    whose, subscribers = (con.read_csv(exports / file) for file in _SUBSCRIBERS)
    address = subscribers.select(record_id="EUID", source_id=subscribers["Email Address"].lower())
    mailed = whose.join(address, "record_id").select("person", id_space=ibis.literal("email"), source_id="source_id")
    return ibis.union(*parts, mailed)


def compare(
    persons: ir.Table,
    records: ir.Table,
    identities: ir.Table,
    traits: ir.Table,
    placed: Mapping[str, ir.Table],
    value_trait: str | None,
) -> tuple[Distance, ...]:
    """Hold customers and segments against the truth.

    ``persons`` is truth/persons.csv, ``records`` is :func:`records_of_people`; ``identities``, ``traits`` and
    ``placed`` (memberships by segmentation) are the current tables.
    """
    known = persons.inner_join(traits, "customer_id")
    found = [_people(records, identities)]
    if "lifecycle_stage" in traits.columns:
        found.append(_lapsed(known))
    if value_trait is not None:
        found.append(_best(known, value_trait))
    groups = persons.group_by("behaviour_group").agg(n=persons.count()).count().to_pyarrow().as_py()
    for name, members in placed.items():
        counts = (
            persons.inner_join(members, "customer_id").group_by(["behaviour_group", "segment"]).agg(n=ibis._.count())
        )
        table = counts.to_pandas().pivot_table(index="behaviour_group", columns="segment", values="n", fill_value=0)
        score = adjusted_rand_of_counts(table.to_numpy(dtype=np.float64))
        segments = f"{table.shape[1]} segments of {name} against {groups} behaviour groups"
        found.append(Distance("who buys alike", f"{segments}: adjusted Rand index {score:.2f}", score))
    return tuple(found)


def _people(records: ir.Table, identities: ir.Table) -> Distance:
    """Pairs of records that were joined against pairs that are one person (pairwise precision and recall)."""
    owned = records.join(identities, ["id_space", "source_id"])
    people, rows = (int(n.to_pyarrow().as_py()) for n in (records["person"].nunique(), records.count()))
    customers = int(owned["customer_key"].nunique().to_pyarrow().as_py())
    both = _pairs(owned, ["person", "customer_key"])
    precision = both / max(_pairs(owned, ["customer_key"]), 1)
    recall = both / max(_pairs(records, ["person"]), 1)
    text = (
        f"{customers:,} customers for {people:,} people with {rows:,} records in three systems; of the pairs of "
        f"records that were joined {precision:.1%} are one person, of those that are one {recall:.0%} were joined"
    )
    return Distance("who the customers are", text, 2 * precision * recall / max(precision + recall, 1e-9))


def _pairs(rows: ir.Table, same: list[str]) -> int:
    sizes = rows.group_by(same).agg(n=rows.count())
    return int(sizes.agg(pairs=(sizes["n"] * (sizes["n"] - 1)).sum()).to_pyarrow()["pairs"][0].as_py() or 0) // 2


def _lapsed(known: ir.Table) -> Distance:
    """The stage 'lapsed' against who really has stopped buying; those who never bought are in neither."""
    bought = known.filter(known["activity"] != "never active")
    gone, called = bought["activity"] == "lapsed", bought["lifecycle_stage"] == "lapsed"
    row = _row(bought.agg(gone=gone.sum(), called=called.sum(), both=(gone & called).sum()))
    precision, recall = row["both"] / max(row["called"], 1), row["both"] / max(row["gone"], 1)
    text = f"{recall:.0%} of {row['gone']:,} who have left are called lapsed; {precision:.0%} of those so called have"
    return Distance("who has left", text, 2 * precision * recall / max(precision + recall, 1e-9))


def _best(known: ir.Table, value_trait: str) -> Distance:
    """What the best fifth so far is expected to spend next year, against the fifth that an oracle would choose."""
    size = int(int(known.count().to_pyarrow().as_py()) * _TOP)
    future = known["expected_spend_365d"]
    row = _row(known.agg(every=engine.exact_sum(future, 1e6)))
    shares = []
    for column in (value_trait, "expected_spend_365d"):
        first = known.order_by([ibis.desc(column, nulls_first=False), "customer_id"]).limit(size)
        shares.append(_row(first.agg(part=engine.exact_sum(first["expected_spend_365d"], 1e6)))["part"] / row["every"])
    mine, oracle = shares
    text = f"the best {_TOP:.0%} by {value_trait} will bring {mine:.0%} of next year's spend; an oracle's {oracle:.0%}"
    return Distance("who will be worth most", text, mine / oracle)


def _row(table: ir.Table) -> dict[str, Any]:
    return dict(table.to_pyarrow().to_pylist()[0])
