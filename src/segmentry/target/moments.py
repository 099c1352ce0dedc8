"""Number of values, mean and variance of every trait by segment, the same to the last bit in whatever order the engine
adds up.

What takes few different values is counted value by value, which costs a group-by of two columns: categories, and whole
numbers that are small (days, counts). Other numbers are added up in whole units, with their squares and logarithms;
over a million customers that takes ten times as long.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import Trait

_LEVELS = 6  # levels of a category that are profiled; the rarer ones say little
_SMALL = 10_000  # whole numbers up to here are counted one by one: 27 years of days


@dataclass(frozen=True)
class Column:
    """What is described: a trait, or one level of a category. ``log``: effects are measured on a logarithmic scale."""

    trait: Trait
    level: str | None = None
    log: bool = False


@dataclass(frozen=True)
class Moments:
    """n, mean and sample variance of a column in a segment; the latter two also as the effect is measured."""

    n: int
    mean: float | None
    variance: float | None
    scaled_mean: float | None
    scaled_variance: float | None


_NOTHING = Moments(0, None, None, None, None)
Found = tuple[Column, list[Moments]]


def by_segment(
    joined: ir.Table,
    segment: str,
    specs: Sequence[Trait],
    largest: Mapping[str, float | None],
    extra: Mapping[str, ir.Value],
) -> tuple[list[dict[str, Any]], list[Found]]:
    """The moments of every trait in every segment.

    ``joined`` has a row per customer with the column ``segment`` and the traits; ``largest`` is the largest absolute
    value of every number; ``extra`` are further aggregates. Gives a row per segment, in their order by name, with
    ``segment``, ``customers`` and what was asked for; and for every trait, or level of it, the moments in that order.
    """
    counted = [s for s in specs if s.kind == "category" or (s.kind == "number" and _small(joined, s, largest))]
    added = [
        _Sums(i, s, largest.get(s.name)) if s.kind == "number" else _Share(i, s)
        for i, s in enumerate(specs)
        if s not in counted
    ]
    numbers = joined.mutate(**{n: v for each in added for n, v in each.terms(joined).items()})
    aggregates = {n: v for each in added for n, v in each.aggregates(numbers).items()}
    table = numbers.group_by(segment=numbers[segment]).agg(customers=numbers.count(), **extra, **aggregates)
    rows = sorted(table.to_pyarrow().to_pylist(), key=lambda row: str(row["segment"]))
    names = [row["segment"] for row in rows]
    found: dict[str, list[Found]] = {
        each.trait.name: [(each.column, [each.moments(row) for row in rows])] for each in added
    }
    for spec, cells in zip(counted, _counts(joined, segment, counted), strict=True):
        described = _levels(spec, cells, names) if spec.kind == "category" else [_whole(spec, cells, names, largest)]
        found[spec.name] = list(described)
    return rows, [each for spec in specs for each in found[spec.name]]


def _small(joined: ir.Table, spec: Trait, largest: Mapping[str, float | None]) -> bool:
    return bool(joined[spec.name].type().is_integer()) and (largest.get(spec.name) or 0.0) <= _SMALL


def _logarithmic(spec: Trait) -> bool:
    return spec.unit not in {"share", "0 to 1"}


# Values that are counted ---------------------------------------------------------------------------------------------

Cell = tuple[str, Any, int]  # segment, value, customers


def _counts(joined: ir.Table, segment: str, counted: Sequence[Trait]) -> list[list[Cell]]:
    """By trait, how many customers of each segment have each value; null for all levels but the most frequent."""
    if not counted:
        return []
    rows = joined.select(segment, *(s.name for s in counted))
    tables = []
    for i, spec in enumerate(counted):
        part = ibis.literal(i, type="int64")
        # Few steps and two columns at a time: to compile this takes longer than to count a small base.
        cells = rows.group_by(segment=rows[segment], value=rows[spec.name]).agg(n=rows.count())
        if spec.kind == "category":
            known = cells.filter(cells["value"].notnull())
            counts = known.mutate(all=known["n"].sum().over(group_by="value"))
            place = ibis.dense_rank().over(order_by=[ibis.desc(counts["all"]), counts["value"]])
            frequent = counts.select("segment", "n", "value", place=place)
            level = (frequent["place"] < _LEVELS).ifelse(frequent["value"], ibis.null("string"))
            cells = frequent.group_by("segment", level=level).agg(n=frequent["n"].sum())
            values: dict[str, ir.Value] = {"level": cells["level"], "number": ibis.null("int64")}
        else:
            values = {"level": ibis.null("string"), "number": cells["value"].cast("int64")}
        tables.append(cells.select("segment", part=part, n=cells["n"].cast("int64"), **values))
    every = ibis.union(*tables) if len(tables) > 1 else tables[0]
    found: list[list[Cell]] = [[] for _ in counted]
    columns = every.select("part", "segment", "level", "number", "n").to_pyarrow().to_pydict()
    for part, name, level, number, n in zip(*columns.values(), strict=True):
        if counted[part].kind == "category":
            found[part].append((name, level, n))
        elif number is not None:
            found[part].append((name, number, n))
    return found


def _levels(spec: Trait, cells: Sequence[Cell], names: Sequence[str]) -> Iterator[Found]:
    """The most frequent levels of a category, most frequent first."""
    frequent: dict[str, int] = {}
    known = dict.fromkeys(names, 0)
    held: dict[tuple[str, str], int] = {}
    for name, level, n in cells:
        known[name] += n
        if level is not None:
            frequent[level] = frequent.get(level, 0) + n
            held[level, name] = n
    for level in sorted(frequent, key=lambda level: (-frequent[level], level)):
        yield Column(spec, level), [_share(known[name], held.get((level, name), 0)) for name in names]


def _whole(spec: Trait, cells: Sequence[Cell], names: Sequence[str], largest: Mapping[str, float | None]) -> Found:
    """A number that takes few different whole values."""
    log = _logarithmic(spec)
    decimals = _decimals(math.log1p(_most(largest.get(spec.name))))
    logs = {value: _logged(value, decimals) for _, value, _ in cells} if log else {}
    of: dict[str, list[tuple[int, int]]] = {name: [] for name in names}
    for name, value, n in cells:
        of[name].append((value, n))
    found = []
    for pairs in of.values():
        n = sum(m for _, m in pairs)
        mean, variance = _mean_and_variance(n, pairs, 0)
        scaled = _mean_and_variance(n, [(logs[v], m) for v, m in pairs], decimals) if log else (mean, variance)
        found.append(Moments(n, mean, variance, *scaled) if n else _NOTHING)
    return Column(spec, log=log), found


def _logged(value: int, decimals: int) -> int:
    size = math.copysign(math.log(abs(value) + 1.0), value)
    return math.floor(size * 10.0**decimals + 0.5)


def _mean_and_variance(n: int, pairs: Sequence[tuple[int, int]], decimals: int) -> tuple[float | None, float | None]:
    if not n:
        return None, None
    added, squares = sum(v * m for v, m in pairs), sum(v * v * m for v, m in pairs)
    return _mean(n, added, decimals), _variance(n, added, squares, decimals)


# Values that are added up --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Share:
    """What is added up for a boolean: how often it holds."""

    i: int
    trait: Trait

    @property
    def column(self) -> Column:
        return Column(self.trait)

    def terms(self, joined: ir.Table) -> dict[str, ir.Value]:
        value = joined[self.trait.name]
        return {f"holds{self.i}": ibis.cases((value, 1), (~value, 0))}  # PostgreSQL casts no boolean to a number

    def aggregates(self, numbers: ir.Table) -> dict[str, ir.Value]:
        holds = numbers[f"holds{self.i}"]
        return {f"n{self.i}": holds.count(), f"holds{self.i}": holds.sum()}

    def moments(self, row: Mapping[str, Any]) -> Moments:
        return _share(row[f"n{self.i}"], row[f"holds{self.i}"])


def _share(n: int, held: int) -> Moments:
    if not n:
        return _NOTHING
    mean, variance = _mean(n, held, 0), _variance(n, held, held, 0)
    return Moments(n, mean, variance, mean, variance)


@dataclass(frozen=True)
class _Sums:
    """The whole numbers that are added up for a number: its value, and coarser its value and square.

    Squares are of numbers up to 10^9, so that they fit an int64: means are exact to 15 digits of the largest value
    there is, standard deviations to 9.
    """

    i: int
    trait: Trait
    largest: float | None

    @property
    def column(self) -> Column:
        return Column(self.trait, log=_logarithmic(self.trait))

    @property
    def fine(self) -> int:
        return engine.decimals_for(_most(self.largest), 15)

    @property
    def coarse(self) -> int:
        return _decimals(_most(self.largest))

    @property
    def logged(self) -> int:
        return _decimals(math.log1p(_most(self.largest)))

    def terms(self, joined: ir.Table) -> dict[str, ir.Value]:
        """The whole numbers of a row."""
        i, number = self.i, joined[self.trait.name].cast("float64")
        found = {f"fine{i}": engine.units(number, self.fine), f"coarse{i}": engine.units(number, self.coarse)}
        if self.column.log:
            size = engine.ln(number.abs() + 1.0)
            found[f"logged{i}"] = engine.units((number < 0).ifelse(-size, size), self.logged)
        return found

    def aggregates(self, numbers: ir.Table) -> dict[str, ir.Value]:
        """Their sums; as text, because they outgrow an int64."""
        i = self.i
        coarse = numbers[f"coarse{i}"]
        found = {
            f"n{i}": coarse.count(),
            f"fine{i}": numbers[f"fine{i}"].sum().cast("string"),
            f"coarse{i}": coarse.sum().cast("string"),
            f"squares{i}": (coarse * coarse).sum().cast("string"),
        }
        if self.column.log:
            logged = numbers[f"logged{i}"]
            found[f"logged{i}"] = logged.sum().cast("string")
            found[f"logged_squares{i}"] = (logged * logged).sum().cast("string")
        return found

    def moments(self, row: Mapping[str, Any]) -> Moments:
        i = self.i
        n = row[f"n{i}"]
        if not n:
            return _NOTHING
        mean = _mean(n, row[f"fine{i}"], self.fine)
        variance = _variance(n, row[f"coarse{i}"], row[f"squares{i}"], self.coarse)
        if not self.column.log:
            return Moments(n, mean, variance, mean, variance)
        logged, squares = row[f"logged{i}"], row[f"logged_squares{i}"]
        return Moments(n, mean, variance, _mean(n, logged, self.logged), _variance(n, logged, squares, self.logged))


def _most(largest: float | None) -> float:
    return max(largest or 1.0, 1.0)


def _decimals(most: float) -> int:
    """Decimals of numbers that are squared."""
    return engine.decimals_for(most, 9, digits=10)


def _mean(n: int, added: str | int, decimals: int) -> float:
    return float(Fraction(int(added), n) / Fraction(10) ** decimals)


def _variance(n: int, added: str | int, squares: str | int, decimals: int) -> float | None:
    if n < 2:
        return None
    return float(Fraction(n * int(squares) - int(added) ** 2, n * (n - 1)) / Fraction(100) ** decimals)
