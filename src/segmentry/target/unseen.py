"""Categories that appear only after the fit: how many customers have them, and where they were placed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.placement import words
from segmentry.segmentation import Segmentation, keys_of

_MOST = 5  # categories of a trait that are told
_CHANCE = 3  # times as many as would be left out of a sample by rule: then hardly by chance


def count(segmentation: Segmentation, placed: ir.Table, traits: ir.Table) -> list[dict[str, Any]]:
    """The categories that the fit did not know, the most frequent of each trait first.

    ``placed`` has the key of the units and ``segment``; ``traits`` one row per unit. Gives per category ``trait``,
    ``level``, ``customers``, and how many of them are in which of ``segments``. What a sample of the base may well have
    missed is not told, nor what so few have that they could be recognised.
    """
    key, found, least = keys_of(placed)[0], [], 0.0
    if levels := segmentation.report.get("known_levels"):
        units, learned = int(placed.count().to_pyarrow().as_py()), int(segmentation.report["rows"])
        least = segmentation.report["least_level"] * (_CHANCE * units / learned if units > 2 * learned else 1)
    for trait, known in (levels or {}).items():
        if trait not in traits.columns:
            continue
        others = traits.filter(traits[trait].notnull() & ~traits[trait].isin(known)).select(key, level=traits[trait])
        cells = others.inner_join(placed.select(key, "segment"), key).group_by("level", "segment").agg(n=ibis._.count())
        totals = cells.group_by("level").agg(total=cells["n"].sum())
        most = totals.filter(totals["total"] >= least)
        most = most.order_by([ibis.desc("total"), "level"]).limit(_MOST)
        rows = cells.inner_join(most, "level").order_by([ibis.desc("total"), "level", "segment"]).to_pyarrow()
        by_level: dict[str, dict[str, int]] = {}
        for row in rows.to_pylist():
            by_level.setdefault(row["level"], {})[row["segment"]] = row["n"]
        found += [
            {"trait": trait, "level": level, "customers": sum(where.values()), "segments": where}
            for level, where in by_level.items()
        ]
    return found


def told(segmentation: Segmentation, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What was counted, as sentences."""
    for each in found:
        went = sorted(each["segments"].items(), key=lambda item: (-item[1], item[0]))
        where = ", ".join(f"{n:,} in {segment}" for segment, n in went)
        what = f"{words(each['trait'])} '{each['level']}'"
        yield (
            f"{each['customers']:,} {segmentation.unit}s have {what}, which was not there (or hardly) when the segments"
            f" were made: it {segmentation.rule.unseen}. They are placed so: {where}. Fit again when they grow many."
        )
