"""Unmet needs: what is important to whom, how well it is met, for every need, product and segment.

Everything is added up in the engine, from the traits of needs and the memberships. Groups of fewer than five people
are counted, not described.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.stats.opportunity import Sums, opportunity

EVERYBODY = "all customers"
FEWEST = 5  # people of whom figures are shown
# Of 0 to 10: the two upper of five steps are 7.5 and 10, the three upper of eleven 8, 9 and 10; 7 takes both in.
IMPORTANT = 7.0
SATISFIED = 5.0  # the middle of the scale: who is neither satisfied nor dissatisfied is not dissatisfied
_DECIMALS = 6
_UNITS = 10**_DECIMALS


@dataclass(frozen=True)
class Need:
    """A need and the traits that rate it; ``product`` where it was asked of one."""

    name: str
    product: str
    importance: str
    satisfaction: str


@dataclass(frozen=True)
class UnmetNeed:
    """One need of one product in one segment.

    ``n`` rated both importance and satisfaction (None: fewer than five, so that no figure is shown); both are means
    from 0 to 10, ``opportunity`` is from 0 to 20 with its 95 % interval. ``unmet_share`` of them find it important (7
    and more) and are dissatisfied (below 5).
    """

    need: str
    product: str
    segment: str
    n: int | None
    importance: float | None = None
    satisfaction: float | None = None
    opportunity: float | None = None
    low: float | None = None
    high: float | None = None
    unmet_share: float | None = None
    quotes: tuple[str, ...] = ()


def unmet_needs(
    traits: ir.Table,
    placed: ir.Table | None,
    needs: Sequence[Need],
    buyers: Mapping[str, str],
    segments: Sequence[str] = (),
) -> tuple[UnmetNeed, ...]:
    """Every need by product and segment, in the order of ``needs``, products and ``segments``.

    Args:
        traits: one row per customer. placed: memberships; None: no segments.
        buyers: by product, the trait that is above 0 for those who buy it; needs that were asked of no product are
            told for everybody and for the buyers of each.
    """
    if not needs:
        return ()
    segments = segments if placed is not None else ()
    rated = sorted({column for need in needs for column in (need.importance, need.satisfaction)})
    bought = {product: f"buys_{i}" for i, product in enumerate(buyers)}
    rows = traits.select(
        "customer_key",
        **{c: engine.units(traits[c], _DECIMALS) for c in rated},
        **{column: (traits[buyers[p]] > 0).fill_null(False) for p, column in bought.items()},
    )
    rows = rows.filter(ibis.or_(*(rows[n.importance].notnull() & rows[n.satisfaction].notnull() for n in needs)))
    if placed is not None:
        rows = rows.left_join(placed.select("customer_key", "segment"), "customer_key", rname="{name}_placed")
    else:
        rows = rows.mutate(segment=ibis.null("string"))
    found: list[UnmetNeed] = []
    for product in ("", *bought):
        of_product = [n for n in needs if not n.product] if product else list(needs)
        if of_product:
            mine = rows.filter(rows[bought[product]]) if product else rows
            found += _of_product(mine, of_product, product, segments)
    place = {need: i for i, need in enumerate(dict.fromkeys(n.name for n in needs))}
    return tuple(sorted(found, key=lambda row: place[row.need]))


def _of_product(rows: ir.Table, needs: Sequence[Need], product: str, segments: Sequence[str]) -> Iterator[UnmetNeed]:
    sums = {f"{name}_{i}": value for i, need in enumerate(needs) for name, value in _sums(rows, need).items()}
    groups = rows.group_by("segment").agg(**sums).to_pyarrow().to_pylist()
    by_segment = {row["segment"]: row for row in groups}
    total = {name: sum(row[name] or 0 for row in groups) for name in sums}
    for i, need in enumerate(needs):
        yield _row(need, product, EVERYBODY, total, i)
        for segment in segments:
            yield _row(need, product, segment, by_segment.get(segment, {}), i)


def _sums(rows: ir.Table, need: Need) -> dict[str, ir.Value]:
    """Of those who rated both; products are added up in units of 10^-6 as the ratings are."""
    importance, satisfaction = rows[need.importance], rows[need.satisfaction]
    both = importance.notnull() & satisfaction.notnull()
    unmet = both & (importance >= int(IMPORTANT * _UNITS)) & (satisfaction < int(SATISFIED * _UNITS))

    def product(left: ir.Value, right: ir.Value) -> ir.Value:
        points = left.cast("float64") / _UNITS * (right.cast("float64") / _UNITS)
        return both.ifelse(engine.units(points, _DECIMALS), None).sum()

    return {
        "n": engine.count_where(both),
        "unmet": engine.count_where(unmet),
        "i": both.ifelse(importance, None).sum(),
        "s": both.ifelse(satisfaction, None).sum(),
        "ii": product(importance, importance),
        "ss": product(satisfaction, satisfaction),
        "is": product(importance, satisfaction),
    }


def _row(need: Need, product: str, segment: str, sums: Mapping[str, Any], place: int) -> UnmetNeed:
    def added(name: str) -> int:
        return int(sums.get(f"{name}_{place}") or 0)

    n = added("n")
    if n < FEWEST:
        return UnmetNeed(need.name, need.product or product, segment, None)
    made = opportunity(Sums(n, *(added(name) / _UNITS for name in ("i", "s", "ii", "ss", "is"))))
    return UnmetNeed(
        need.name,
        need.product or product,
        segment,
        n,
        made.importance,
        made.satisfaction,
        made.score,
        made.low,
        made.high,
        added("unmet") / n,
    )


def of_product(needs: Sequence[UnmetNeed], product: str | None) -> list[UnmetNeed]:
    """The needs of one product; of every product where none is named."""
    return [n for n in needs if product is None or n.product.casefold() == product.casefold()]


def worst(needs: Sequence[UnmetNeed]) -> list[UnmetNeed]:
    """Groups with figures, those first whose opportunity is surely large: by the lower end of its interval."""
    told = [n for n in needs if n.low is not None]
    return sorted(told, key=lambda n: (-(n.low or 0.0), n.need, n.product, n.segment))
