"""The aggregates of declared traits, one function each, and the passes over a fact table that they share (law 11).

==========  ==========================================================================================================
scan        one group-by over the rows for every sum, count, smallest, largest, first and last time, however many
ends        one more for all ``first`` and ``last``: the rows at the times that the scan found
levels      one group-by on customer and value for each column that ``mode`` and ``distinct`` look at
days        one group-by on customer and day for all ``regularly`` and ``restarted``
moments     one group-by on customer and time for all ``sequence``
==========  ==========================================================================================================

Where rows have the same time there is no first or last among them: the smaller value counts, on every engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.traits.behavioral import amount, whole
from segmentry.traits.declared.definitions import Definition
from segmentry.traits.declared.facts import DAY, TIME, Chosen, FactRows
from segmentry.traits.known import KEY, Expression

Made = Callable[[ir.Table], ir.Value]


@dataclass
class Passes:
    """What the traits of one fact table ask for; :meth:`tables` are the passes, one row per customer_key each."""

    facts: FactRows
    scan: dict[str, tuple[Chosen, Made]] = field(default_factory=dict)
    ends: dict[str, tuple[Chosen, str, str]] = field(default_factory=dict)  # rows, value, time in the scan
    levels: dict[str, dict[str, tuple[Chosen, str]]] = field(default_factory=dict)  # by value: rows, function
    days: dict[str, Chosen] = field(default_factory=dict)
    of_days: dict[str, Callable[[ir.Table, str], ir.Table]] = field(default_factory=dict)
    moments: dict[str, Chosen] = field(default_factory=dict)
    sequences: list[Callable[[ir.Table], ir.Table]] = field(default_factory=list)
    further: list[ir.Table] = field(default_factory=list)

    def add(self, definition: Definition) -> Expression:
        """Ask for a trait; gives its value over a row that the passes are joined to."""
        return _BUILD[definition.parts.function](self, definition)

    def count(self, name: str, chosen: Chosen) -> str:
        """A count of rows in the scan."""
        return self.summed(name, chosen, lambda t: chosen.flagged(t).count())

    def summed(self, name: str, chosen: Chosen, made: Made) -> str:
        """An aggregate in the scan."""
        self.scan[name] = (chosen, made)
        return name

    def time(self, name: str, chosen: Chosen, *, last: bool) -> str:
        """The first or the last time among the rows that count, in the scan."""
        chosen = chosen.also(TIME)

        def made(t: ir.Table) -> ir.Value:
            times = chosen.test(t).ifelse(t[TIME], ibis.null("timestamp"))
            return times.max() if last else times.min()

        return self.summed(name, chosen, made)

    def day_count(self, name: str, chosen: Chosen, made: Callable[[ir.Table, str], ir.Table]) -> None:
        """Ask for a table of the days on which rows count; ``made`` gets all days and the column of the numbers."""
        self.days[name] = chosen
        self.of_days[name] = made

    def tables(self) -> list[ir.Table]:
        """The passes that were asked for."""
        found = list(self.further)
        if self.scan:
            rows = self._rows(chosen for chosen, _ in self.scan.values())
            scanned = rows.group_by(KEY).agg(**{name: made(rows) for name, (_, made) in self.scan.items()})
            found.append(scanned)
            if self.ends:
                found.append(self._ends(scanned))
        found += [self._levels(value, asked) for value, asked in self.levels.items()]
        if self.days:
            days = self._grouped(DAY, self.days)
            found += [made(days, name) for name, made in self.of_days.items()]
        if self.sequences:
            moments = self._grouped(TIME, self.moments)
            found += [made(moments) for made in self.sequences]
        return found

    def _rows(self, chosen: Iterable[Chosen], *more: str) -> ir.Table:
        names = [name for one in chosen for name in one.names]
        return self.facts.prepared([*names, *more])

    def _ends(self, scanned: ir.Table) -> ir.Table:
        times = dict.fromkeys(time for _, _, time in self.ends.values())
        values = [value for _, value, _ in self.ends.values()]
        rows = self._rows((chosen for chosen, _, _ in self.ends.values()), TIME, *values)
        rows = rows.inner_join(scanned.select(KEY, *times), KEY)
        rows = rows.filter(ibis.or_(*(rows[TIME] == rows[time] for time in times)))
        last = {
            name: (chosen.test(rows) & (rows[TIME] == rows[time])).ifelse(rows[value], None).min()
            for name, (chosen, value, time) in self.ends.items()
        }
        return rows.group_by(KEY).agg(**last)

    def _levels(self, value: str, asked: dict[str, tuple[Chosen, str]]) -> ir.Table:
        rows = self._rows((chosen for chosen, _ in asked.values()), value)
        rows = rows.filter(ibis.or_(*(chosen.test(rows) for chosen, _ in asked.values())))
        counts = rows.group_by([KEY, value]).agg(
            **{n: chosen.flagged(rows).count() for n, (chosen, _) in asked.items()}
        )
        modes = [name for name, (_, function) in asked.items() if function == "mode"]
        if modes:
            most = {f"{name}_MOST": counts[name].max().over(ibis.window(group_by=KEY)) for name in modes}
            counts = counts.mutate(**most)
        made = {}
        for name, (_, function) in asked.items():
            there = counts[name] > 0
            if function == "mode":
                made[name] = (there & (counts[name] == counts[f"{name}_MOST"])).ifelse(counts[value], None).min()
            else:
                made[name] = there.ifelse(1, None).count()
        return counts.group_by(KEY).agg(**made)

    def _grouped(self, by: str, asked: dict[str, Chosen]) -> ir.Table:
        """customer_key, day or time, and for each name how many rows count; only where any does."""
        rows = self._rows(asked.values(), by)
        any_counts = ibis.or_(*(chosen.test(rows) for chosen in asked.values()))
        rows = rows.filter(any_counts & rows[by].notnull())
        return rows.group_by([KEY, by]).agg(**{name: chosen.flagged(rows).count() for name, chosen in asked.items()})


# Distributive aggregates ----------------------------------------------------------------------------------------------


def _count(passes: Passes, d: Definition) -> Expression:
    value = passes.facts.value(d) if d.argument is not None else None
    name = passes.count(f"{d.name}_ROWS", passes.facts.chosen(d, value))
    return lambda row: whole(row[name])


def _sum(passes: Passes, d: Definition) -> Expression:
    value, decimals = passes.facts.units(d), passes.facts.decimals[str(d.argument)]
    chosen = passes.facts.chosen(d, value)
    name = passes.summed(f"{d.name}_SUM", chosen, lambda t: engine.sum_of_units(t[value], decimals, chosen.test(t)))
    if d.parts.function == "sum":
        return lambda row: amount(row[name])
    rows = passes.count(f"{d.name}_ROWS", chosen)
    return lambda row: engine.ratio(row[name], row[rows])


def _extreme(passes: Passes, d: Definition) -> Expression:
    value = passes.facts.value(d)
    chosen = passes.facts.chosen(d, value)

    def made(t: ir.Table) -> ir.Value:
        values = chosen.test(t).ifelse(t[value].cast("float64"), ibis.null("float64"))
        return values.min() if d.parts.function == "min" else values.max()

    name = passes.summed(f"{d.name}_END", chosen, made)
    return lambda row: row[name]


def _days_since(passes: Passes, d: Definition) -> Expression:
    name = passes.time(f"{d.name}_TIME", passes.facts.chosen(d), last=d.parts.words == "last")
    as_of = ibis.literal(passes.facts.as_of)
    return lambda row: engine.days_between(as_of, row[name])


def _first_time(passes: Passes, d: Definition) -> Expression:
    name = passes.time(f"{d.name}_TIME", passes.facts.holds(d.where), last=False)
    window = d.declared.window
    assert window is not None
    first, last = (ibis.literal(end(passes.facts.as_of)) for end in (window.first, window.last))
    return lambda row: _true(row[name].cast("date").between(first, last))


def _stopped(passes: Passes, d: Definition) -> Expression:
    span = d.parts.span
    assert span is not None
    since = span.before(passes.facts.as_of) + timedelta(days=1)
    before = passes.count(f"{d.name}_BEFORE", passes.facts.chosen(d).also(TIME))
    lately = passes.count(f"{d.name}_LATELY", passes.facts.during(passes.facts.holds(d.where), since))
    return lambda row: _true((row[before] > 0) & (row[lately] == 0))


# Aggregates of several steps ------------------------------------------------------------------------------------------


def _end(passes: Passes, d: Definition) -> Expression:
    value = passes.facts.value(d)
    chosen = passes.facts.chosen(d, value)
    time = passes.time(f"{d.name}_TIME", chosen, last=d.parts.function == "last")
    name = f"{d.name}_VALUE"
    passes.ends[name] = (chosen, value, time)
    return lambda row: _as(d, row[name])


def _of_levels(passes: Passes, d: Definition) -> Expression:
    value, function = passes.facts.value(d), d.parts.function
    name = f"{d.name}_{function.upper()}"
    passes.levels.setdefault(value, {})[name] = (passes.facts.chosen(d, value), function)
    return (lambda row: whole(row[name])) if function == "distinct" else (lambda row: _as(d, row[name]))


def _regularly(passes: Passes, d: Definition) -> Expression:
    parts, as_of = d.parts, passes.facts.as_of
    assert parts.span is not None
    # The last day before each period, the nearest first: period 0 is after the first of them, period 1 after the next.
    ends = [parts.span.times(as_of, n + 1) for n in range(parts.periods)]
    made = f"{d.name}_PERIODS"

    def periods(days: ir.Table, name: str) -> ir.Table:
        rows = days.filter((days[name] > 0) & (days[DAY] > ibis.literal(ends[-1])))
        period = ibis.cases(*((rows[DAY] > ibis.literal(end), n) for n, end in enumerate(ends)))
        by_period = rows.group_by([KEY, period.name("PERIOD")]).agg(FOUND=rows[name].sum())
        enough = by_period.filter(by_period["FOUND"] >= parts.least)
        return enough.group_by(KEY).agg(**{made: enough.count()})

    passes.day_count(f"{d.name}_DAYS", passes.facts.holds(d.where), periods)
    return lambda row: _true(row[made] >= parts.times)


def _restarted(passes: Passes, d: Definition) -> Expression:
    span, window, as_of = d.parts.span, d.declared.window, passes.facts.as_of
    assert span is not None
    made = f"{d.name}_AGAIN"

    def again(days: ir.Table, name: str) -> ir.Table:
        rows = days.filter(days[name] > 0)
        before = rows[DAY].lag().over(ibis.window(group_by=KEY, order_by=DAY))
        rows = rows.mutate(PAUSE=engine.days_between(rows[DAY], before) - 1)
        back = rows.filter(rows["PAUSE"] >= span.number)
        if window is not None:
            back = back.filter(back[DAY].between(ibis.literal(window.first(as_of)), ibis.literal(window.last(as_of))))
        return back.group_by(KEY).agg(**{made: back.count()})

    passes.day_count(f"{d.name}_DAYS", passes.facts.holds(d.where), again)
    return lambda row: _true(row[made] > 0)


def _held_for(passes: Passes, d: Definition) -> Expression:
    value = passes.facts.value(d)
    chosen = passes.facts.chosen(d, value)
    rows = passes.facts.prepared([*chosen.names, TIME, value])
    rows = rows.filter(chosen.test(rows) & rows[TIME].notnull())
    moments = rows.group_by([KEY, TIME]).agg(HELD=rows[value].min())
    before = moments["HELD"].lag().over(ibis.window(group_by=KEY, order_by=TIME))
    moments = moments.mutate(BEFORE=before)
    starts = moments.filter(moments["BEFORE"].isnull() | (moments["BEFORE"] != moments["HELD"]))
    name = f"{d.name}_SINCE"
    passes.further.append(starts.group_by(KEY).agg(**{name: starts[TIME].max()}))
    as_of = ibis.literal(passes.facts.as_of)
    return lambda row: engine.days_between(as_of, row[name])


def _sequence(passes: Passes, d: Definition) -> Expression:
    """For every moment the latest begin of a chain that is complete up to a step there: the tightest one there is."""
    parts, end = d.parts, passes.facts.end()
    names = {step: f"{d.name}_{step.upper()}" for step in d.steps}
    base = passes.facts.chosen(d)
    for step, condition in d.steps.items():
        passes.moments[names[step]] = _both(base, passes.facts.holds(condition))
    made = f"{d.name}_DONE"

    def done(moments: ir.Table) -> ir.Table:
        earlier = ibis.window(group_by=KEY, order_by=TIME, preceding=(None, 1))
        later = ibis.window(group_by=KEY, order_by=TIME, following=(1, None))
        never = ibis.null("timestamp")
        rows = moments
        for i, step in enumerate(parts.steps):
            begun = rows[f"BEGAN_{i - 1}"].max().over(earlier) if i else rows[TIME]
            rows = rows.mutate(**{f"BEGAN_{i}": (rows[names[step]] > 0).ifelse(begun, never)})
        if parts.but_not:
            missed = (rows[names[parts.but_not]] > 0).ifelse(rows[TIME], never).min().over(later)
            rows = rows.mutate(MISSED=missed)
        began = rows[f"BEGAN_{len(parts.steps) - 1}"]
        complete = began.notnull()
        if parts.seconds is not None:
            limit = ibis.interval(seconds=parts.seconds)
            if parts.but_not:
                # Only once the time is over can nobody say any more that it may still follow.
                over = rows[TIME] + limit
                complete = complete & (over < end) & (rows["MISSED"].isnull() | (rows["MISSED"] > over))
            else:
                complete = complete & (rows[TIME] <= began + limit)
        rows = rows.filter(complete)
        return rows.group_by(KEY).agg(**{made: rows.count()})

    passes.sequences.append(done)
    return lambda row: _true(row[made] > 0)


def _both(first: Chosen, second: Chosen) -> Chosen:
    return Chosen((*first.names, *second.names), lambda t: first.test(t) & second.test(t))


def _true(condition: ir.BooleanValue) -> ir.BooleanValue:
    """False where a customer has no row at all."""
    return condition.fill_null(False)


def _as(d: Definition, value: ir.Value) -> ir.Value:
    """A value of the rows as the trait's kind; booleans were 1 and 0."""
    if d.trait.kind == "boolean":
        return value != 0
    return value.cast("float64") if d.trait.kind == "number" else value


_BUILD: dict[str, Callable[[Passes, Definition], Expression]] = {
    "count": _count,
    **dict.fromkeys(("sum", "avg"), _sum),
    **dict.fromkeys(("min", "max"), _extreme),
    **dict.fromkeys(("first", "last"), _end),
    **dict.fromkeys(("mode", "distinct"), _of_levels),
    "days_since": _days_since,
    "first_time": _first_time,
    "stopped": _stopped,
    "regularly": _regularly,
    "restarted": _restarted,
    "held_for": _held_for,
    "sequence": _sequence,
}
