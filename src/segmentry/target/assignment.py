"""Live segmentation: every unit in exactly one segment, and the history of who was where.

Everything here is one expression per table, run where the base lives.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from segmentry.errors import FitError
from segmentry.segmentation import Segmentation, keys_of


def memberships(segmentation: Segmentation, traits: ir.Table) -> ir.Table:
    """One row per unit of the population, placed; without ``since``, which :func:`with_since` adds."""
    return segmentation.assign(pad(segmentation, traits))


def pad(segmentation: Segmentation, traits: ir.Table) -> ir.Table:
    """The traits with a column of nulls for every segmentation variable that is not there any more.

    A source that left, or a date before its first record, leaves its traits without a single value; the customers
    then have no data rather than the run an error.
    """
    types = {"number": "float64", "category": "string", "boolean": "boolean"}
    gone = {n: ibis.null(types[k]) for n, k in segmentation.traits if n not in traits.columns}
    return traits.mutate(**gone) if gone else traits


def refuse_removed(segmentation: Segmentation, declared_once: Collection[str], declared: Collection[str]) -> None:
    """Raise :class:`FitError` when a segmentation reads a declared trait that segmentry.yaml has no more."""
    gone = [name for name, _ in segmentation.traits if name in declared_once and name not in declared]
    if gone:
        raise FitError(
            f"Segmentation {segmentation.name} (version {segmentation.version}) reads the trait {gone[0]}, which "
            "segmentry.yaml does not declare any more.",
            why="It is frozen: without the trait it would place customers by guesswork.",
            fix=f"Put {gone[0]} back under `traits`, or fit anew without it: `segmentry fit {segmentation.name}`.",
        )


def missing(segmentation: Segmentation, traits: ir.Table) -> list[str]:
    """Names of the segmentation variables that the traits do not have."""
    return [name for name, _ in segmentation.traits if name not in traits.columns]


def history(placed: ir.Table, version: int, as_of: date, before: ir.Table | None, next_as_of: date | None) -> ir.Table:
    """The stays of every unit, with what was observed at ``as_of`` written in.

    ``before`` is the history so far (``tables.membership_history``); ``next_as_of`` the first later date that a run has
    observed, when the past is run again: the observation then holds until that date and what came after stays.
    """
    day, key = ibis.literal(as_of), keys_of(placed)[0]
    now = placed.select(key, "segment", version=ibis.literal(version, type="int64"), since=day, until=_date(next_as_of))
    if before is None:
        return now.order_by(key)
    earlier = before.filter(before["since"] < day)
    earlier = earlier.mutate(until=(earlier["until"].isnull() | (earlier["until"] > day)).ifelse(day, earlier["until"]))
    stays = earlier.union(now)
    if next_as_of is not None:
        after = ibis.literal(next_as_of)
        later = before.filter(before["until"].isnull() | (before["until"] > after))
        stays = stays.union(later.mutate(since=(later["since"] < after).ifelse(after, later["since"])))
    return _joined_up(stays, key).order_by([key, "since"])


def _joined_up(stays: ir.Table, key: str) -> ir.Table:
    """Neighbouring stays in the same segment become one (gaps and islands)."""
    window = ibis.window(group_by=key, order_by="since")
    seen = stays.mutate(
        continues=(
            (stays["segment"].lag().over(window) == stays["segment"])
            & (stays["until"].lag().over(window) == stays["since"])
        ).fill_null(False)
    )
    so_far = ibis.cumulative_window(group_by=key, order_by="since")
    islands = seen.mutate(island=seen["continues"].ifelse(0, 1).sum().over(so_far))
    grouped = islands.group_by([key, "island"]).agg(
        segment=islands["segment"].min(),
        version=islands["version"].min(),
        since=islands["since"].min(),
        open=islands["until"].isnull().any(),
        last=islands["until"].max(),
    )
    return grouped.select(
        key,
        "segment",
        "version",
        "since",
        until=grouped["open"].ifelse(ibis.null("date"), grouped["last"]),
    )


def month_ends(before: date, months: int) -> list[date]:
    """The last days of so many months before a date, oldest first.

    >>> month_ends(date(2026, 3, 31), 2), month_ends(date(2026, 1, 15), 1)
    ([datetime.date(2026, 1, 31), datetime.date(2026, 2, 28)], [datetime.date(2025, 12, 31)])
    """
    ends: list[date] = []
    day = before
    for _ in range(months):
        day = day.replace(day=1) - timedelta(days=1)
        ends.append(day)
    return ends[::-1]


def with_since(placed: ir.Table, stays: ir.Table | None, as_of: date) -> ir.Table:
    """The memberships with ``since``: as of when the customer has been there without a break.

    ``stays`` is the history; None when it begins with ``as_of``.
    """
    day = ibis.literal(as_of)
    if stays is None:
        return _membership(placed.mutate(since=day))
    current = stays.filter((stays["since"] <= day) & (stays["until"].isnull() | (stays["until"] > day)))
    key = keys_of(placed)[0]
    joined = placed.left_join(current.select(key, "since"), key)
    return _membership(joined)


def _membership(placed: ir.Table) -> ir.Table:
    key, name = keys_of(placed)
    return placed.select(key, name, "segment", "fit", "runner_up", "margin", "score", "since").order_by(key)


def _date(day: date | None) -> ir.Value:
    return ibis.null("date") if day is None else ibis.literal(day)
