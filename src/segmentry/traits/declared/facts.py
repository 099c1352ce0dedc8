"""The rows of one fact table as declared traits see them: their columns, conditions and windows as expressions.

A trait asks for named columns; each pass then reads those that it needs, straight from the collected rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.expressions import Expression
from segmentry.expressions.binding import kind_of
from segmentry.expressions.functions import CASTS
from segmentry.traits.declared.definitions import OF_EVENT, Definition, bound
from segmentry.traits.known import KEY

TIME, DAY = "TIME", "DAY"  # in capitals as all columns made here are: traits and collected columns are not
Test = Callable[[ir.Table], ir.BooleanValue]


@dataclass(frozen=True)
class Chosen:
    """Which rows count for a trait: the columns that the test needs, and the test over a table that has them."""

    names: tuple[str, ...]
    test: Test

    def also(self, name: str) -> Chosen:
        """Those of the rows that have a value in a column."""
        return Chosen((*self.names, name), lambda t: self.test(t) & t[name].notnull())

    def flagged(self, table: ir.Table) -> ir.Value:
        """1 for a row that counts, else null."""
        return self.test(table).ifelse(1, None)


@dataclass
class FactRows:
    """The rows of a fact table as known at the end of ``as_of``, and the columns that were asked for so far.

    ``base`` has the traits that rows are compared with. ``missing`` are columns that the table does not have: their
    values are not known.
    """

    rows: ir.Table
    as_of: date
    columns: Mapping[str, ir.Value]
    made: dict[str, ir.Value] = field(default_factory=dict)
    decimals: dict[str, int] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: ir.Table, as_of: date, asking: Sequence[Definition], base: ir.Table) -> FactRows:
        """The rows, beside each the traits of its customer, or account, that anybody asks for."""
        types = {name: type_ for definition in asking for name, type_ in definition.columns.items()}
        traits = {definition.prefix + name: name for definition in asking for name in definition.traits}
        if traits:
            rows = rows.inner_join(base.select(KEY, **{written: base[name] for written, name in traits.items()}), KEY)
        columns = {name: _column(rows, name, type_) for name, type_ in types.items()}
        if any(name.startswith(OF_EVENT) for name in columns):
            # JSON is read once, for all passes, and the SQL stays short where a property is used many times.
            kept = [name for name in ("time", *traits) if name in rows.columns]
            rows = engine.once(rows.select(KEY, *(n for n in kept if n not in columns), **columns))
            columns = {name: rows[name] for name in columns}
        columns |= {written: rows[written] for written in traits}
        day = rows["time"].cast("date") if "time" in rows.columns else ibis.null("date")
        time = rows["time"] if "time" in rows.columns else ibis.null("timestamp")
        return cls(rows, as_of, columns, {TIME: time, DAY: day})

    def prepared(self, names: Iterable[str]) -> ir.Table:
        """customer_key and the named columns of all rows."""
        return self.rows.select(KEY, **{name: self.made[name] for name in dict.fromkeys(names)})

    def value(self, definition: Definition) -> str:
        """The name of the column with a definition's argument; true and false as 1 and 0, which can be ordered."""
        assert definition.argument is not None
        value = bound(definition.argument, self.columns, definition.parts.function)
        if kind_of(value) == "boolean":
            value = CASTS["boolean", "integer"](value)
        return self._named(f"value {definition.argument}", value)

    def units(self, definition: Definition) -> str:
        """The name of the column with an argument in whole units, for sums; see ``decimals``."""
        assert definition.argument is not None
        value = bound(definition.argument, self.columns, "sum")
        name = self._named(f"units {definition.argument}", value)
        self.made[name] = engine.units(value, self.decimals[str(definition.argument)])
        return name

    def chosen(self, definition: Definition, value: str | None = None) -> Chosen:
        """The rows that count: by condition and window, and those with a value where one is named."""
        found = self.holds(definition.where)
        window = definition.declared.window
        if window is not None:
            found = self._during(found, window.first(self.as_of), window.last(self.as_of))
        return found if value is None else found.also(value)

    def holds(self, condition: Expression | None) -> Chosen:
        """The rows that meet a condition; all without one."""
        if condition is None:
            return Chosen((), lambda t: t[KEY].notnull())
        value = condition.condition(self.columns, number=CASTS["text", "number"], time=CASTS["text", "timestamp"])
        name = self._named(f"where {condition}", value)
        return Chosen((name,), lambda t: t[name])

    def during(self, found: Chosen, first: date) -> Chosen:
        """Those of the rows from a day on."""
        return self._during(found, first, self.as_of)

    def _during(self, found: Chosen, first: date, last: date) -> Chosen:
        def test(t: ir.Table) -> ir.BooleanValue:
            late_enough = found.test(t) & (t[DAY] >= ibis.literal(first))
            return late_enough & (t[DAY] <= ibis.literal(last)) if last < self.as_of else late_enough

        return Chosen((*found.names, DAY), test)

    def _named(self, key: str, value: ir.Value) -> str:
        """A column for a value; the same one for the same text."""
        name = self._names.setdefault(key, f"COLUMN_{len(self._names)}")
        self.made.setdefault(name, value)
        return name

    def end(self) -> ir.TimestampScalar:
        """The moment at which the day ``as_of`` is over."""
        return ibis.timestamp((self.as_of + timedelta(days=1)).isoformat())


def survey(facts: FactRows, asking: Sequence[Definition]) -> dict[str, int]:
    """How many rows have a value in each column; and with how many decimals arguments can be added up exactly."""
    added = {
        str(d.argument): bound(d.argument, facts.columns, "sum")
        for d in asking
        if d.argument is not None and d.parts.function in ("sum", "avg")
    }
    filled = {f"FILLED_{i}": value for i, value in enumerate(facts.columns.values())}
    largest = {f"LARGEST_{i}": value.cast("float64").abs() for i, value in enumerate(added.values())}
    rows = facts.rows.select(KEY, **filled, **largest)
    values: dict[str, Any] = {"ROWS": rows.count(), **{name: rows[name].count() for name in filled}}
    row = rows.agg(**values, **{name: rows[name].max() for name in largest}).to_pyarrow().to_pylist()[0]
    facts.decimals.update({text: engine.decimals_for(row[f"LARGEST_{i}"]) for i, text in enumerate(added)})
    return {"": int(row["ROWS"]), **{name: int(row[f"FILLED_{i}"]) for i, name in enumerate(facts.columns)}}


def _column(rows: ir.Table, name: str, type_: str) -> ir.Value:
    if name.startswith(OF_EVENT) and "properties" in rows.columns:
        return engine.json_text(rows["properties"], name.removeprefix(OF_EVENT).split("."))
    if name not in rows.columns:
        return ibis.null(type_)
    return rows[name] if kind_of(rows[name]) == kind_of(ibis.null(type_)) else rows[name].cast(type_)
