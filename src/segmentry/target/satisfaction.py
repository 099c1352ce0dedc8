"""How satisfied the customers of each segment say they are: NPS, CSAT and CES, with intervals."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.target.unmet_needs import EVERYBODY, FEWEST, IMPORTANT

_CONFIDENCE = 0.95
_DECIMALS = 6


@dataclass(frozen=True)
class Score:
    """One measure in one segment: ``value`` of ``n`` people with its 95 % interval; None for fewer than five.

    NPS is the share of promoters less that of detractors in points from -100 to 100 (Reichheld 2003), CSAT the share
    who give 7 or more of 10 in per cent, CES the mean from 0 to 10.
    """

    measure: str
    segment: str
    n: int | None
    value: float | None = None
    low: float | None = None
    high: float | None = None


def _nps(points: ir.Value) -> ir.Value:
    return ibis.cases((points >= 9, 100.0), (points >= 7, 0.0), (points.notnull(), -100.0))


def _csat(points: ir.Value) -> ir.Value:
    return ibis.cases((points >= IMPORTANT, 100.0), (points.notnull(), 0.0))


_MEASURES: Mapping[str, tuple[Any, float, float]] = {  # what is averaged, its least, its most
    "nps": (_nps, -100.0, 100.0),
    "csat": (_csat, 0.0, 100.0),
    "ces": (lambda points: points, 0.0, 10.0),
}


def scores(
    traits: ir.Table, placed: ir.Table | None, there: Collection[str], segments: Sequence[str] = ()
) -> tuple[Score, ...]:
    """NPS, CSAT and CES of everybody and of every segment; those of ``there``, the traits that there are."""
    measures = [name for name in _MEASURES if name in there]
    if not measures:
        return ()
    rows = traits.select("customer_key", **{name: _MEASURES[name][0](traits[name]) for name in measures})
    rows = rows.filter(ibis.or_(*(rows[name].notnull() for name in measures)))
    if placed is not None:
        rows = rows.left_join(placed.select("customer_key", "segment"), "customer_key", rname="{name}_placed")
    else:
        rows = rows.mutate(segment=ibis.null("string"))
    sums: dict[str, ir.Value] = {}
    for name in measures:
        sums[f"n_{name}"] = rows[name].count()
        sums[f"s_{name}"] = engine.units(rows[name], _DECIMALS).sum()
        sums[f"q_{name}"] = engine.units(rows[name] * rows[name], _DECIMALS).sum()
    groups = rows.group_by("segment").agg(**sums).to_pyarrow().to_pylist()
    total = {name: sum(int(row[name] or 0) for row in groups) for name in sums}
    by_segment = {row["segment"]: row for row in groups}
    return tuple(_each(measures, total, by_segment, segments if placed is not None else ()))


def _each(
    measures: Sequence[str], total: Mapping[str, Any], by_segment: Mapping[Any, Mapping[str, Any]], names: Sequence[str]
) -> Iterator[Score]:
    for measure in measures:
        yield _score(measure, EVERYBODY, total)
        for name in names:
            yield _score(measure, name, by_segment.get(name, {}))


def _score(measure: str, segment: str, sums: Mapping[str, Any]) -> Score:
    from scipy.special import stdtrit  # noqa: PLC0415

    n, total, squares = (int(sums.get(f"{key}_{measure}") or 0) for key in ("n", "s", "q"))
    if n < FEWEST:
        return Score(measure, segment, None)
    mean = total / 10**_DECIMALS / n
    variance = max(squares / 10**_DECIMALS - n * mean * mean, 0.0) / (n - 1)
    half = float(stdtrit(n - 1, (1 + _CONFIDENCE) / 2)) * (variance / n) ** 0.5
    _, least, most = _MEASURES[measure]
    return Score(measure, segment, n, mean, max(mean - half, least), min(mean + half, most))
