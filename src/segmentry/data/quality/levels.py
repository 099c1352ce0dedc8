"""Numbers against their own history: single outliers, and periods in another unit.

Both read one histogram of a column: rows by day and by logarithmic class of the absolute value. It is a distributive
count, so one pass makes it, however many rows there are; what is reckoned here are its cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from segmentry import engine
from segmentry.columns import Type
from segmentry.data import values
from segmentry.data.quality.findings import Collected, Found

_CLASSES = 10  # to the factor e: a class is 10 % wide
_LEAST_ROWS = 30  # fewer tell nothing about what is usual
_MAD_TO_SD = 1.4826  # of a normal distribution
# Leys et al. 2013 call 3 very conservative for a sample; a base has millions of numbers, and they have longer tails.
_FAR = 8.0
_FAR_IN_LOGS = 5.0
_FEW = 5  # rows: may be outliers however small the source is
_RARE = 0.001
_MOST = 0.01  # of the rows: more are no outliers but a group of their own
_FACTORS = (100.0, 1000.0)
_SLIPPED = math.log(10.0)  # nearer to a hundred times the level than to the level
_TOLERANCE = math.log(2.5)  # how far the level of a slipped period may be from 100 or 1,000 times the usual
_LEAST_SLIPPED = 8  # rows
_LEAST_SHARE = 0.8  # of the rows of the period are at the other level
_MOST_SLIPS = 5  # of a column are told

Numbers = npt.NDArray[np.float64]


def levels(collected: Collected) -> Iterator[Found]:
    """Outliers and unit slips of every amount and number of a source."""
    for column in collected.columns:
        kind = collected.type_of(column)
        if kind not in (Type.MONEY, Type.NUMBER) or column in ("latitude", "longitude"):
            continue
        days, classes, counts = _histogram(collected, column)
        if counts.sum() >= _LEAST_ROWS:
            yield from _outliers(collected, column, classes, counts)
            if kind is Type.MONEY and days is not None:
                yield from _slips(collected, column, days, classes, counts)


def _histogram(collected: Collected, column: str) -> tuple[Numbers | None, Numbers, Numbers]:
    """Rows by day (as ordinal; None without times) and class of the absolute value; zeros are left out."""
    rows = collected.rows
    keys: dict[str, ir.Value] = {"size": _class(rows[column])}
    if "time" in collected.columns:
        keys["day"] = local_day(collected)
    wanted = rows[column] != 0
    if "line_kind" in rows.columns:
        wanted &= rows["line_kind"] != "charge"
    cells = rows.filter(wanted).group_by(**keys).agg(n=ibis._.count()).order_by(list(keys)).to_pyarrow().to_pydict()
    kept = [i for i in range(len(cells["n"])) if cells["size"][i] is not None and cells.get("day", cells["n"])[i]]
    days = np.array([cells["day"][i].toordinal() for i in kept], dtype=np.float64) if "day" in cells else None
    return days, np.array([cells["size"][i] for i in kept], float), np.array([cells["n"][i] for i in kept], float)


def _class(value: Any) -> ir.Value:
    return (engine.ln(value.abs()) * float(_CLASSES)).floor()


def local_day(collected: Collected) -> Any:
    """The day of a record on the calendar of its source."""
    rows: Any = collected.rows
    return values.utc_to_local(rows["time"], collected.source.timezone).cast("date")


def _quantiles(sizes: Numbers, counts: Numbers, shares: tuple[float, ...]) -> list[float]:
    """Quantiles of values that are given as a histogram."""
    order = np.argsort(sizes, kind="stable")
    reached = np.cumsum(counts[order]) / counts.sum()
    return [float(sizes[order][np.searchsorted(reached, share, side="left")]) for share in shares]


def _outliers(collected: Collected, column: str, classes: Numbers, counts: Numbers) -> Iterator[Found]:
    """Rows that are far above the median, by the median absolute deviation.

    On the linear scale first: an income of ten times the usual is told from a high one more sharply there. Where that
    calls more than one in a thousand an outlier the column has a long tail, and the logarithmic scale is used.
    """
    logs = (classes + 0.5) / _CLASSES
    limit = math.exp(min(_border(logs, counts, _FAR_IN_LOGS), 700.0))
    linear = _border(np.exp(logs), counts, _FAR)
    if counts[np.exp(logs) > linear].sum() <= _RARE * counts.sum():
        limit = min(linear, limit)
    rows: Any = collected.rows
    wrong = rows[column].abs() > limit
    if "line_kind" in rows.columns:
        wrong &= rows["line_kind"] != "charge"
    found = rows.filter(wrong).agg(n=ibis._.count()).to_pyarrow().to_pylist()[0]
    if 0 < found["n"] <= max(_MOST * counts.sum(), _FEW):
        middle = math.exp(_quantiles(logs, counts, (0.5,))[0])
        text = f"{found['n']:,} of {column} are above {limit:,.0f}; the median is about {middle:,.3g}"
        yield Found("outliers", column, int(found["n"]), int(counts.sum()), text, wrong)


def _border(scale: Numbers, counts: Numbers, far: float) -> float:
    """The median and so many robust standard deviations more."""
    centre = _quantiles(scale, counts, (0.5,))[0]
    spread = _MAD_TO_SD * _quantiles(np.abs(scale - centre), counts, (0.5,))[0]
    return centre + far * spread if spread > 0 else float("inf")


def _slips(collected: Collected, column: str, days: Numbers, classes: Numbers, counts: Numbers) -> Iterator[Found]:
    """Periods of days whose rows lie near 100 or 1,000 times (or a hundredth, a thousandth of) the usual level."""
    logs = (classes + 0.5) / _CLASSES
    usual = _quantiles(logs, counts, (0.5,))[0]
    known = np.unique(days)
    place = np.searchsorted(known, days)
    for sign in (1.0, -1.0):
        away = sign * (logs - usual) > _SLIPPED
        votes = np.bincount(place, weights=np.where(away, counts, -counts), minlength=len(known)).astype(np.float64)
        for first, last in _runs(votes):
            inside = (place >= first) & (place <= last)
            rows = counts[inside]
            level = _quantiles(logs[inside], rows, (0.5,))[0]
            factor = min(_FACTORS, key=lambda f: abs(sign * (level - usual) - math.log(f)))
            near = abs(sign * (level - usual) - math.log(factor)) <= _TOLERANCE
            if not near or rows[away[inside]].sum() < _LEAST_SHARE * rows.sum():
                continue
            since, until = date.fromordinal(int(known[first])), date.fromordinal(int(known[last]))
            ratio = f"{factor:,.0f} times" if sign > 0 else f"1/{factor:,.0f} of"
            text = f"from {since} to {until} {column} is about {ratio} its usual level ({math.exp(usual):,.2f})"
            on = local_day(collected)
            wrong = (on >= ibis.literal(since)) & (on <= ibis.literal(until))
            yield Found("unit_slip", column, int(rows.sum()), int(counts.sum()), text, wrong, (since, until))


def _runs(votes: Numbers) -> Iterator[tuple[int, int]]:
    """Stretches of days with the greatest sum of votes (Bentley 1984, Kadane's algorithm), best first."""
    left = votes.copy()
    for _ in range(_MOST_SLIPS):
        best, total, start, found = 0.0, 0.0, 0, (0, -1)
        for i, vote in enumerate(left):
            if total <= 0:
                total, start = 0.0, i
            total += vote
            if total > best:
                best, found = total, (start, i)
        if best < _LEAST_SLIPPED:
            return
        yield found
        left[found[0] : found[1] + 1] = -np.inf
