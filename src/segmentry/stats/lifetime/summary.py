"""From purchases to (x, t_x, T) and mean spend, with a calibration period and, if there is one, a holdout after it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from math import isnan
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentry.errors import DataError, UsageError
from segmentry.stats.lifetime.cells import Floats, Ints

Grain = Literal["day", "week"]
_DAYS: dict[str, int] = {"day": 1, "week": 7}


@dataclass(frozen=True)
class Summary:
    """Purchase histories of customers, one row each, in ascending order of their ids. Time is in ``grain``.

    Purchases in one grain (of one day, say) are one purchase, and its amount is their sum. Weeks end on the weekday of
    the end of the calibration, so that the last one is whole.

    Attributes:
        customer: ids.
        frequency: x, repeat purchases until the end of the calibration. recency: t_x, time from the first purchase to
            the last.
        T: time from the first purchase to the end of the calibration.
        monetary: mean amount of the repeat purchases, 0 without any; None where no amounts were given.
        holdout: purchases after the calibration until the end of the observation; None without a holdout.
        holdout_time: length of the holdout.
        repeats: repeat purchases of all these customers in each grain from the first purchase of anyone on, holdout
            included.
        grain, calibration_end, observation_end: what was asked for; both ends are days that belong to their period.
        rows, dropped: lines given, and how many were dropped, by reason.
    """

    customer: NDArray[Any]
    frequency: Floats
    recency: Floats
    T: Floats
    monetary: Floats | None
    holdout: Floats | None
    holdout_time: float
    repeats: Floats
    grain: Grain
    calibration_end: dt.date
    observation_end: dt.date
    rows: int
    dropped: dict[str, int]

    def __str__(self) -> str:
        again, lost = int((self.frequency > 0).sum()), _told(self.dropped)
        told = (
            f"{len(self.customer):,} customers, {again:,} of whom bought again, over {self.T.max():g} {self.grain}s "
            f"until {self.calibration_end}"
        )
        if self.holdout is not None:
            told += f", and {self.holdout_time:g} {self.grain}s of holdout with {self.holdout.sum():,.0f} purchases"
        return f"{told}; {self.rows:,} rows, dropped: {lost}."


def summarise(
    customer: ArrayLike,
    time: ArrayLike,
    amount: ArrayLike | None = None,
    *,
    grain: Grain = "day",
    calibration_end: dt.date | str | None = None,
    observation_end: dt.date | str | None = None,
) -> Summary:
    """Summarise purchases.

    Args:
        customer: who bought, of any one kind: numbers or text.
        time: when, as datetime64 or what numpy makes one of; time zones are the caller's.
        amount: what was paid, if spend is to be known. Rows with none, or none above 0, are dropped: returns are no
            purchases.
        grain: "day" or "week": purchases within one count once, and time is counted in it.
        calibration_end: last day of what models are fitted on; by default the day of the last purchase.
        observation_end: last day of the holdout; by default the day of the last purchase.

    Rows are dropped, and counted, without a customer, without a time, without an amount above 0, after the end of the
    observation, and of customers who came after the calibration. Raises :class:`DataError` if none is left.
    """
    if grain not in _DAYS:
        raise UsageError(f"grain is {grain!r}.", why="Allowed: 'day' and 'week'.")
    lines = _Lines.of(customer, time, amount)
    rows = len(lines.day)
    dropped: dict[str, int] = {}
    lines = lines.without(_unknown(lines.customer), "without customer", dropped)
    lines = lines.without(np.isnat(lines.day), "without time", dropped)
    if lines.amount is not None:
        lines = lines.without(~(np.isfinite(lines.amount) & (lines.amount > 0)), "without an amount above 0", dropped)
    if not len(lines.day):
        raise DataError(f"None of {rows:,} rows is a purchase: {_told(dropped)}.", fix="Check the columns given.")
    end, over = (
        _day(name, given, lines.day.max())
        for name, given in (("calibration_end", calibration_end), ("observation_end", observation_end))
    )
    if end > over:
        raise UsageError(f"The calibration ends on {end}, after the observation on {over}.", fix="Let it end earlier.")
    lines = lines.without(lines.day > over, "after the observation", dropped)
    names, code = _ids(lines.customer)
    first = np.full(len(names), np.datetime64("9999-12-31", "D"))
    np.minimum.at(first, code, lines.day)
    lines = lines.without(first[code] > end, "of customers who came after the calibration", dropped)
    if not len(lines.day):
        raise DataError(f"Nobody bought until {end}: {_told(dropped)}.", fix="Give a later calibration_end.")
    holdout_days = int((over - end).astype(np.int64))
    return Summary(
        **_histories(lines, end, _DAYS[grain], holdout_days > 0),
        holdout_time=holdout_days / _DAYS[grain],
        grain=grain,
        calibration_end=end.astype(object),
        observation_end=over.astype(object),
        rows=rows,
        dropped=dropped,
    )


@dataclass(frozen=True)
class _Lines:
    """Purchases, one row each."""

    customer: NDArray[Any]
    day: NDArray[np.datetime64]
    amount: Floats | None

    @classmethod
    def of(cls, customer: ArrayLike, time: ArrayLike, amount: ArrayLike | None) -> _Lines:
        who = np.atleast_1d(np.asarray(customer))
        try:
            day = np.atleast_1d(np.asarray(time, dtype="datetime64[D]"))
        except (TypeError, ValueError) as error:
            raise DataError(
                f"time has values that are no dates: {error}.", fix="Give datetime64 or ISO dates."
            ) from None
        try:
            paid = None if amount is None else np.atleast_1d(np.asarray(amount, dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise DataError(f"amount has values that are no numbers: {error}.") from None
        lengths = {len(column) for column in (who, day, paid) if column is not None}
        if len(lengths) > 1 or who.ndim > 1:
            raise DataError(
                f"The columns differ in length: {sorted(lengths)}.", fix="Give one row per purchase in each."
            )
        return cls(who, day, paid)

    def without(self, wrong: NDArray[np.bool_], reason: str, dropped: dict[str, int]) -> _Lines:
        """The lines that are not wrong; the others are counted."""
        dropped[reason] = int(wrong.sum())
        if not dropped[reason]:
            return self
        kept = ~wrong
        return _Lines(self.customer[kept], self.day[kept], None if self.amount is None else self.amount[kept])


def _unknown(customer: NDArray[Any]) -> NDArray[np.bool_]:
    if customer.dtype.kind == "f":
        return np.isnan(customer)
    if customer.dtype.kind == "O":  # None, NaN, and what pandas calls missing
        missing = ("NoneType", "NAType", "NaTType")
        names = customer.tolist()
        return np.array([type(n).__name__ in missing or n == "" or (isinstance(n, float) and isnan(n)) for n in names])
    if customer.dtype.kind in "US":
        return customer == np.asarray("", dtype=customer.dtype)
    return np.zeros(len(customer), dtype=bool)


def _ids(customer: NDArray[Any]) -> tuple[NDArray[Any], Ints]:
    """The distinct ids, ascending, and for each line which it has."""
    try:
        return np.unique(customer, return_inverse=True)
    except TypeError as error:
        raise DataError(f"Customers are of several kinds: {error}.", fix="Give numbers alone, or text alone.") from None


def _told(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in dropped.items() if count) or "no rows"


def _day(name: str, given: dt.date | str | None, otherwise: np.datetime64) -> np.datetime64:
    if given is None:
        return otherwise
    try:
        return np.datetime64(given, "D")
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} is {given!r}.", why="It is a date such as 2026-06-30.") from error


def _histories(lines: _Lines, end: np.datetime64, days: int, with_holdout: bool) -> dict[str, Any]:
    """The columns of a summary, of customers who all came until ``end``."""
    period = -((end - lines.day).astype(np.int64) // days)  # 0 is the last one of the calibration
    names, code = _ids(lines.customer)
    start, size = int(period.min()), int(period.max() - period.min()) + 1
    visits, visit = np.unique(code * size + (period - start), return_inverse=True)
    who, when = visits // size, visits % size + start
    first = np.r_[True, who[1:] != who[:-1]]
    begin = when[first]
    again, late = ~first & (when <= 0), when > 0
    frequency = np.bincount(who, again, len(names))
    last = begin.copy()
    np.maximum.at(last, who[again], when[again])
    monetary = None
    if lines.amount is not None:
        spent = np.bincount(who, np.bincount(visit, lines.amount, len(visits)) * again, len(names))
        monetary = spent / np.maximum(frequency, 1)
    return {
        "customer": names,
        "frequency": frequency,
        "recency": (last - begin).astype(np.float64),
        "T": -begin.astype(np.float64),
        "monetary": monetary,
        "holdout": np.bincount(who, late, len(names)) if with_holdout else None,
        "repeats": np.bincount(when[~first] - start, minlength=size).astype(np.float64),
    }
