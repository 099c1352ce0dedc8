"""Sources that repeat another one: a sample beside the whole, the same export in two forms. Together they count twice.

What says so are rows: the same customer, time and amount (of events: name) stand in the other source, too. The customer
may be known there by another column than the one that is mapped: a sample that numbers its customers anew often keeps
their numbers in the whole beside its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

import ibis.expr.types as ir

from segmentry.data import values
from segmentry.data.known import customer_ids
from segmentry.data.recognise import SourceProposal
from segmentry.data.source_files import Opened

# What tells two rows of one customer apart, by kind; customers themselves are joined by their ids, and count once.
_WHAT = {"transactions": "amount", "events": "name", "costs": "amount"}
_REPEATED = 0.95  # of the rows; an export of another day may have a few that the other has not
_LEAST = 20  # rows
_LOOKED_AT = 100_000  # rows of the smaller one
_IDS = 2  # columns that may hold the customer's id

Found = tuple[SourceProposal, Opened]


def repeated(found: Sequence[Found]) -> dict[str, str]:
    """The sources that repeat a larger one, by name, and what says so."""
    # Of tables of databases only the first rows are here.
    files = [(s, o) for s, o in found if s.kind in _WHAT and s.origin is None]
    rows = {s.name: sum(r.counts.records for r in o.records) for s, o in files}
    order = {s.name: i for i, (s, _) in enumerate(files)}
    told: dict[str, str] = {}
    for one, other in permutations(files, 2):
        mine, whole = one[0].name, other[0].name
        if one[0].kind != other[0].kind or told.keys() & {mine, whole}:
            continue
        smaller = (rows[mine], -order[mine]) < (rows[whole], -order[whole])
        if smaller and (reason := _in(one, other)):
            told[mine] = reason
    return told


def _in(one: Found, other: Found) -> str:
    """What says that the rows of a source stand in another one, too; empty where they do not."""
    what = _WHAT[one[0].kind or ""]
    both = [_single(source, target) for source, _ in (one, other) for target in ("time", what)]
    if any(column is None for column in both):
        return ""
    for mine, theirs in product(_ids(one[0]), _ids(other[0])):
        part = _rows(one, what, mine).limit(_LOOKED_AT)
        seen = part.semi_join(_rows(other, what, theirs).distinct(), part.columns)
        total, again = (int(t.count().to_pyarrow().as_py()) for t in (part, seen))
        if total >= _LEAST and again >= _REPEATED * total:
            share = f"{100 * again / total:.0f} %"
            by = mine if mine == theirs else f"{mine} as {theirs}"
            return (
                f"repeats {other[0].name}: {share} of its rows are there, too, with the same {by}, {both[0]} and "
                f"{both[1]}, and would count twice. To have both all the same, add it under `sources` by hand"
            )
    return ""


def _single(source: SourceProposal, target: str) -> str | None:
    mapped = source.columns.get(target)
    return mapped.uses[0] if mapped and len(mapped.uses) == 1 and mapped.uses[0] == mapped.expression else None


def _ids(source: SourceProposal) -> list[str]:
    own = _single(source, "customer")
    others = [c.name for c in customer_ids(source.table.columns)]
    return list(dict.fromkeys([*([own] if own else []), *others]))[:_IDS]


def _rows(found: Found, what: str, customer: str) -> ir.Table:
    """The rows as they are compared: ids, times and amounts are equal however the files write them."""
    source, opened = found
    when, which = _single(source, "time") or "", _single(source, what) or ""
    rows = opened.all(customer, when, which)
    form = values.time_formats(rows, [when])[when]
    if what == "amount":
        amount = values.number(rows[which], values.number_formats(rows, [which])[which])
        compared = amount.round(2).cast("string")
    else:
        compared = rows[which].cast("string")
    return rows.select(
        id=values.identifier(rows[customer]), time=values.timestamp(rows[when], form), compared=compared
    ).drop_null()
