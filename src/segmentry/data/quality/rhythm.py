"""The rhythm of a source: days and weeks without records, weeks with too few or too many, and the last record.

All of it is read from the number of records per day, on the calendar of the source.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from datetime import date

import ibis
import numpy as np
import numpy.typing as npt

from segmentry.data.quality.findings import Collected, Found
from segmentry.data.quality.levels import local_day

_LEAST_GAP = 5  # days; shops close over Easter
_LONGER = 1.8  # than the longest usual pause: a missing month among monthly records has 60 days against 30
_USUAL_PAUSE = 0.95  # quantile of the pauses between days with records
_LEAST_EXPECTED = 12.0  # records; that none of 12 come by chance happens once in 160,000 times (Poisson)
_AROUND = 28  # days on each side that say what is usual
_MOST_GAPS = 10
_HISTORY = 8  # weeks before that a week is held against
_TWICE = math.log(2)
_FAR = 5.0  # robust standard deviations of the source's own changes from week to week
_SURE = 5.0  # standard deviations of a Poisson count
_LEAST_WEEKS = 12

Counts = npt.NDArray[np.float64]


def rhythm(collected: Collected, as_of: date) -> Iterator[Found]:
    """What the number of records per day until ``as_of`` tells; surveys come in waves and have no rhythm."""
    if "time" not in collected.columns or collected.kind == "responses":
        return
    first, counts = daily(collected, as_of)
    if counts.sum() < _LEAST_EXPECTED:
        return
    pause = _usual_pause(counts)
    gaps = list(_gaps(counts, pause))
    total = int(counts.sum())
    for start, end, expected in gaps[:_MOST_GAPS]:
        since, until = _day(first, start), _day(first, end)
        text = f"no records from {since} to {until} ({end - start + 1} days); about {expected:,.0f} are usual"
        yield Found("missing_week", "", round(expected), total, text, period=(since, until))
    yield from _staleness(first, counts, pause, as_of)
    yield from _weeks(first, counts, gaps)


def daily(collected: Collected, as_of: date) -> tuple[date, Counts]:
    """Records per day from the first to the last day with records, days without any included."""
    rows = collected.rows.select(day=local_day(collected))
    rows = rows.filter(rows["day"] <= ibis.literal(as_of))
    cells = rows.group_by("day").agg(n=ibis._.count()).order_by("day").to_pyarrow().to_pydict()
    if not cells["day"]:
        return as_of, np.zeros(0)
    first = cells["day"][0]
    counts = np.zeros((cells["day"][-1] - first).days + 1)
    for day, n in zip(cells["day"], cells["n"], strict=True):
        counts[(day - first).days] = n
    return first, counts


def _day(first: date, place: int) -> date:
    return date.fromordinal(first.toordinal() + place)


def _usual_pause(counts: Counts) -> float:
    """Days without records between days with records: how many are usual."""
    active = np.flatnonzero(counts)
    return float(np.quantile(np.diff(active) - 1, _USUAL_PAUSE)) if len(active) > 1 else 0.0


def _gaps(counts: Counts, pause: float) -> Iterator[tuple[int, int, float]]:
    """First and last place of every stretch of empty days that is no usual pause, and the records usual in it."""
    active = np.flatnonzero(counts)
    for before, after in itertools.pairwise(active):
        length = int(after - before - 1)
        if length < max(_LEAST_GAP, _LONGER * pause):
            continue
        around = np.concatenate([counts[max(before + 1 - _AROUND, 0) : before + 1], counts[after : after + _AROUND]])
        expected = float(around.mean() * length)
        if expected >= _LEAST_EXPECTED:
            yield int(before) + 1, int(after) - 1, expected


def _staleness(first: date, counts: Counts, pause: float, as_of: date) -> Iterator[Found]:
    last = _day(first, len(counts) - 1)
    behind = (as_of - last).days
    expected = float(counts[-2 * _AROUND :].mean() * behind)
    if behind >= max(_LEAST_GAP, _LONGER * pause) and expected >= _LEAST_EXPECTED:
        text = f"the last record is of {last}, {behind} days before {as_of}; about {expected:,.0f} are usual since"
        yield Found("stale", "", round(expected), int(counts.sum()), text, period=(last, as_of))


def _weeks(first: date, counts: Counts, gaps: list[tuple[int, int, float]]) -> Iterator[Found]:
    """Whole weeks (Monday to Sunday) with less than half or more than twice the records of the weeks before."""
    start = -first.weekday() % 7
    whole = (len(counts) - start) // 7
    if whole < _LEAST_WEEKS:
        return
    weeks = counts[start : start + 7 * whole].reshape(whole, 7).sum(axis=1)
    broken = {(place - start) // 7 for a, b, _ in gaps for place in range(a, b + 1)}
    changes = np.full(whole, np.nan)
    usual = np.full(whole, np.nan)
    for i in range(_HISTORY, whole):
        before = [weeks[j] for j in range(i - _HISTORY, i) if j not in broken]
        if i not in broken and len(before) >= _HISTORY // 2 and np.median(before) >= _LEAST_EXPECTED:
            usual[i] = np.median(before)
            changes[i] = math.log(max(weeks[i], 0.5) / usual[i])
    known = changes[~np.isnan(changes)]
    if not len(known):
        return
    spread = 1.4826 * float(np.median(np.abs(known - np.median(known))))
    for sign, check, word in ((-1, "volume_drop", "less than half of"), (1, "volume_jump", "more than twice")):
        sure = np.abs(weeks - usual) > _SURE * np.sqrt(np.maximum(usual, 1.0))
        with np.errstate(invalid="ignore"):
            chosen = np.flatnonzero((sign * changes > max(_TWICE, _FAR * spread)) & sure)
        for run in np.split(chosen, np.flatnonzero(np.diff(chosen) > 1) + 1):
            if len(run):
                since, until = _day(first, start + 7 * int(run[0])), _day(first, start + 7 * int(run[-1]) + 6)
                seen, expected = weeks[run].sum(), usual[run].sum()
                text = f"{seen:,.0f} records from {since} to {until}, {word} the {expected:,.0f} that are usual"
                yield Found(check, "", int(abs(seen - expected)), int(counts.sum()), text, period=(since, until))
