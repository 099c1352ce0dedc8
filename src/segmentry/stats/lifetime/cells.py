"""Purchase histories as cells: customers with the same frequency, recency and age are one row with a count.

Everything that a model knows about a customer is (x, t_x, T), so a likelihood over a million customers is one over
their distinct cells, and a customer's score is the score of the cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentry.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEW = 1 << 23  # numbers that are counted in a table rather than sorted
BLOCK = 1 << 15  # cells that are worked on at once: their arrays stay in the processor's cache, and memory is bounded


@dataclass(frozen=True)
class Levels:
    """A column of the cells as its distinct values, ascending, and for each cell which of them it has."""

    values: Floats
    index: Ints

    def total(self, weights: Floats) -> Floats:
        """The sum of weights at each of the values."""
        return tally(self.index, weights, len(self.values))


@dataclass(frozen=True)
class Cells:
    """Distinct purchase histories, in ascending order of (x, t_x, T).

    Attributes:
        x: repeat purchases. t_x: time of the last one, T: time observed, both since the first purchase.
        n: how many customers have this history.
    """

    x: Levels
    t_x: Levels
    T: Levels
    n: Floats

    def __len__(self) -> int:
        return len(self.n)

    @cached_property
    def customers(self) -> float:
        """How many customers there are."""
        return float(self.n.sum())

    @cached_property
    def purchases(self) -> float:
        """How many repeat purchases they have made."""
        return float((self.n * self.x.values[self.x.index]).sum())

    @cached_property
    def observed(self) -> float:
        """For how long they were observed, all together."""
        return float((self.n * self.T.values[self.T.index]).sum())

    def blocks(self) -> Iterator[slice]:
        """Slices over all cells."""
        return (slice(first, first + BLOCK) for first in range(0, len(self), BLOCK))

    def thinned(self, most: int) -> Cells:
        """The histories of so many customers, where there are more cells than that."""
        if len(self) <= most:
            return self
        kept, n = evenly(self.n, most)
        x, t_x, observed = (Levels(level.values, level.index[kept]) for level in (self.x, self.t_x, self.T))
        return Cells(x, t_x, observed, n)


def evenly(counts: Floats, customers: int) -> tuple[Ints, Floats]:
    """So many customers, evenly spread over the order of the cells: the cells they are in, and how many are in each."""
    until = np.cumsum(counts)
    place = np.searchsorted(until, (np.arange(customers) + 0.5) / customers * until[-1])
    kept, n = np.unique(place, return_counts=True)
    return kept, n.astype(np.float64)


def purchase_cells(frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, counts: ArrayLike | None = None) -> Cells:
    """Check purchase histories and put equal ones together.

    Args:
        frequency: x, repeat purchases: whole numbers.
        recency: t_x, time of the last purchase since the first; 0 without a repeat purchase.
        age: T, time observed since the first purchase, in the unit of ``recency``.
        counts: customers with this history, 1 each by default.

    Raises :class:`DataError` with the first row that cannot be.
    """
    x, t_x, observed = checked_histories(frequency, recency, age)
    n = checked_counts(counts, len(x))
    if n is not None and not n.all():
        x, t_x, observed, n = (column[n > 0] for column in (x, t_x, observed, n))
    columns = [_levels(column) for column in (x, t_x, observed)]
    sizes = [len(level.values) for level in columns]
    code = (columns[0].index * sizes[1] + columns[1].index) * sizes[2] + columns[2].index
    codes, total = summed(code, n)
    indexes = (codes // (sizes[1] * sizes[2]), codes // sizes[2] % sizes[1], codes % sizes[2])
    made = (Levels(level.values, index) for level, index in zip(columns, indexes, strict=True))
    x_level, t_level, T_level = made  # noqa: N806
    return Cells(x_level, t_level, T_level, total)


def summed(code: Ints, counts: Floats | None) -> tuple[Ints, Floats]:
    """The distinct codes, ascending, with the sum of their counts."""
    largest = int(code.max())
    if largest < _FEW:
        total = np.bincount(code, counts)
        codes = np.flatnonzero(np.bincount(code) if counts is not None else total)
        return codes, total[codes].astype(np.float64)
    if counts is None:
        codes, total = np.unique(code, return_counts=True)
        return codes, total.astype(np.float64)
    order = np.argsort(code, kind="stable")
    ordered = code[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return ordered[first], np.add.reduceat(counts[order], first)


def tally(index: Ints, weights: Floats, size: int) -> Floats:
    """The sum of the weights at each index."""
    return np.bincount(index, weights, size).astype(np.float64, copy=False)


def _levels(column: Floats) -> Levels:
    if column.max() < _FEW and column.min() >= 0:
        whole = column.astype(np.int64)
        if (whole == column).all():  # counts, days, weeks: no need to sort
            there = np.bincount(whole) > 0
            return Levels(np.flatnonzero(there).astype(np.float64), (np.cumsum(there) - 1)[whole])
    values = np.unique(column)
    return Levels(values, np.searchsorted(values, column))  # quicker than return_inverse, which sorts positions


def distinct_pairs(first: Floats, second: Floats) -> tuple[Floats, Floats, Ints]:
    """The distinct pairs of two columns, and for each row which pair it has."""
    one, two = _levels(first), _levels(second)
    pairs = _levels((one.index * len(two.values) + two.index).astype(np.float64))
    code = pairs.values.astype(np.int64)
    return one.values[code // len(two.values)], two.values[code % len(two.values)], pairs.index


# Checks ---------------------------------------------------------------------------------------------------------------


def checked_histories(frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Purchase histories as arrays of one length; raises :class:`DataError` with the first row that cannot be."""
    x, t_x, observed = columns_of(frequency=frequency, recency=recency, T=age)
    whole_numbers("frequency", x, "how many times the customer bought again")
    refuse(observed < 0, "T", observed, "T is the time since the first purchase, 0 or more.")
    refuse(
        (t_x < 0) | (t_x > observed),
        "recency",
        t_x,
        "A last purchase lies between 0 and T. Recency is the time from the first purchase to the last, not from the "
        "last until now, in the unit of T.",
    )
    refuse(
        (x == 0) & (t_x > 0),
        "recency",
        t_x,
        "Frequency is 0 there, and without a repeat purchase the last is the first, at time 0. Frequency counts the "
        "purchases after the first.",
    )
    refuse(
        (x > 0) & (t_x == 0),
        "recency",
        t_x,
        "There were repeat purchases, so the last was later than the first. Merge those of one day, say.",
    )
    return x, t_x, observed


def columns_of(**given: ArrayLike) -> list[Floats]:
    """The columns as arrays of one length, not empty, without gaps."""
    arrays = {}
    for name, values in given.items():
        try:
            array = np.atleast_1d(np.asarray(values, dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise DataError(f"{name} has values that are no numbers: {error}.") from None
        if array.ndim != 1:
            raise DataError(f"{name} has {array.ndim} dimensions.", fix="Give one number per customer.")
        arrays[name] = array
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(f"The columns differ in length: {told}.", fix="Give one row per customer or cell in each.")
    for name, array in arrays.items():
        if not len(array):
            raise DataError(f"{name} is empty.", fix="Give at least one customer who has bought.")
        refuse(
            ~np.isfinite(array),
            name,
            array,
            "Every value must be a finite number. Leave out rows that are not known.",
        )
    return list(arrays.values())


def checked_counts(counts: ArrayLike | None, rows: int) -> Floats | None:
    """Customers per row; None where each row is one."""
    if counts is None:
        return None
    (n,) = columns_of(counts=counts)
    if len(n) != rows:
        raise DataError(f"There are {len(n)} counts for {rows} rows.", fix="Give one count per row, or none.")
    refuse(n < 0, "counts", n, "A count of customers is 0 or more.")
    if not n.any():
        raise DataError("All counts are 0.", fix="Give at least one customer who has bought.")
    return n


def whole_numbers(name: str, values: Floats, meaning: str) -> None:
    """Refuse negative numbers and fractions."""
    wrong = (values < 0) | (values != np.floor(values))
    refuse(wrong, name, values, f"It is a whole number from 0 on: {meaning}.")


def refuse(wrong: NDArray[np.bool_], name: str, values: Floats, why: str) -> None:
    """Raise :class:`DataError` about the first row that is wrong, if there is one."""
    if wrong.any():
        row = int(np.argmax(wrong))
        told = f"{name}[{row}] is {values[row]:g}."
        raise DataError(told, why=why, fix=f"Correct or leave out the rows like it: {wrong.sum()} of {len(wrong)}.")
