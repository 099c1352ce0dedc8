"""From the columns of a file to the columns of a table: the mapping of the config as one Ibis expression."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir

from segmentry import expressions
from segmentry.columns import Type
from segmentry.config import Source
from segmentry.data import values
from segmentry.data.layouts import PLACE, UNUSABLE
from segmentry.engine import md5, quick_hash
from segmentry.errors import DataError, did_you_mean
from segmentry.tables import TABLES
from segmentry.wording import agree

# Older records are typing errors or defaults such as 1900-01-01: retail systems did not keep time stamps before.
_EARLIEST = datetime(1901, 1, 1)
_ODD = "odd_"  # before the name of a column: whether its time is in an hour that clocks show twice or never
_BROKEN = "�"  # what a byte that is no text becomes
_NUMBER = "#number "  # in front of a column's name: its cells as numbers
_NUMERIC = {Type.NUMBER, Type.MONEY, Type.INTEGER}
_KINDS = {"number": Type.NUMBER, "boolean": Type.BOOLEAN, "category": Type.CATEGORY}  # of attributes


@dataclass(frozen=True)
class Canonical:
    """The mapping of one file: ``typed`` parses its cells, :meth:`judged` says which rows can be used."""

    kind: str
    # line (unless rows get it when they are kept), place, the mapped columns, raw_<column>: what was read where that
    # can fail, key: digest of what names a record, aside: why a row is not to be used
    typed: ir.Table
    columns: tuple[str, ...]  # of the part that is written
    now: datetime
    notes: tuple[str, ...]
    key: tuple[str, ...] = ()  # the columns of the file that name a record

    @property
    def record(self) -> tuple[str, ...]:
        """The columns that tell records apart: the line, and the place on it where a line holds several."""
        return ("line", "place") if "place" in self.typed.columns else ("line",)

    def judged(self) -> ir.Table:
        """The columns of the part, ``reason`` (null: usable), ``content`` (:meth:`content`), ``key`` if the source has
        one, ``unread_<column>``: whether there was something that could not be read, and ``odd_<column>``
        (:meth:`clocks`)."""
        rows = self.typed
        doubtful = {c: rows[f"raw_{c}"] for c in self.columns if f"raw_{c}" in rows.columns}
        rows = rows.mutate(**{f"unread_{c}": _lost(rows[c], raw) for c, raw in doubtful.items()})
        if self.kind == "transactions":
            # Nobody has bought anything yet: what a lead may bring, and when, is no purchase.
            for column in {"time", "amount"} & set(rows.columns):
                rows = rows.mutate(**{column: rows["is_lead"].ifelse(ibis.null(rows[column].type()), rows[column])})
            rows = rows.mutate(line_kind=self._line_kind(rows))
        reasons = [(test.fill_null(False), text) for test, text in self._reasons(rows)]
        aside = rows["aside"].notnull()
        if self.kind == "transactions":
            aside &= ~rows["is_lead"]
        reason = ibis.cases((aside, rows["aside"]), *reasons)
        if "place" in rows.columns:  # a line goes to quarantine as a whole
            reason = reason.min().over(group_by=rows["line"])
        kept = [
            *(c for c in self.record if c in rows.columns),
            *self.columns,
            *(["key"] if "key" in rows.columns else []),
        ]
        unread = [*(f"unread_{c}" for c in doubtful), *(c for c in rows.columns if c.startswith(_ODD))]
        return rows.select(*kept, *unread, reason=reason, content=self.content(rows))

    def content(self, rows: ir.Table) -> ir.Value:
        """A hash of a row's canonical content, of this file or of a part with the same columns; equal rows have equal
        ones in the same session."""
        return quick_hash(self._values(rows))

    def digest(self, rows: ir.Table) -> ir.Value:
        """The md5 of a row's canonical content, ten times as expensive: rows are equal when, and only when, it is."""
        return digest(self._values(rows))

    def _values(self, rows: ir.Table) -> list[ir.Value]:
        types = self.typed.schema()
        return [rows[c].cast(types[c]) if c in types else rows[c] for c in self.columns]

    def unread(self, rows: ir.Table) -> dict[str, int]:
        """By column, the values of usable rows that could not be read and count as not known."""
        lost = {c: rows[f"unread_{c}"].cast("int64").sum() for c in self.columns if f"unread_{c}" in rows.columns}
        if not lost:
            return {}
        counts = rows.filter(rows["reason"].isnull()).agg(**lost).to_pyarrow().to_pylist()[0]
        return {c: int(n) for c, n in counts.items() if n}

    def caveats(self, unread: Mapping[str, int]) -> tuple[str, ...]:
        """What is doubtful about the values, in words, with counts."""
        found = [
            f"{c} could not be read and counts as not known: " + agree(n, "{n} [row|rows]") for c, n in unread.items()
        ]
        return (*self.notes, *found)

    def clocks(self, rows: ir.Table) -> tuple[str, ...]:
        """What is to be said of times that the clocks of the source's zone show twice, or never."""
        odd = [c for c in rows.columns if c.startswith(_ODD)]
        if not odd:
            return ()
        counts = rows.agg(**{c: rows[c].fill_null(False).cast("int64").sum() for c in odd}).to_pyarrow().to_pylist()[0]
        told = (
            "lies in an hour that clocks show twice in autumn (the second counts) or skip in spring (read an hour on)"
        )
        return tuple(f"{c.removeprefix(_ODD)} {told}: " + agree(n, "{n} [row|rows]") for c, n in counts.items() if n)

    def repeats(self, rows: ir.Table) -> tuple[str, ...]:
        """What is to be said where customers answered a survey more than once."""
        if "customer" not in rows.columns or "place" not in rows.columns:
            return ()
        known = rows.filter(rows["reason"].isnull() & rows["customer"].notnull())
        again = known.agg(n=known["line"].nunique() - known["customer"].nunique()).to_pyarrow().to_pylist()[0]["n"]
        text = agree(
            again,
            "{n} [response comes|responses come] from customers who had answered before; each counts with its time",
        )
        return (text,) if again else ()

    def _reasons(self, rows: ir.Table) -> Iterator[tuple[ir.Value, str]]:
        if "key" in rows.columns:
            yield rows["key"].isnull(), f"the key ({', '.join(self.key)}) is missing"
        contract = TABLES[self.kind]
        for column in self.columns:
            if column not in contract:
                continue
            if contract[column].required and column != "line_kind":
                asked = ~rows["is_lead"] if "is_lead" in rows.columns else ibis.literal(True)
                if f"unread_{column}" in rows.columns:
                    yield asked & rows[f"unread_{column}"], f"{column} cannot be read"
                yield asked & rows[column].isnull(), f"{column} is missing"
            if column == "time":
                yield rows[column] > self.now + timedelta(days=1), "time lies in the future"
                yield rows[column] < _EARLIEST, "time is before 1901"
            if contract[column].type == Type.ID:
                yield rows[column].contains(_BROKEN), f"{column} has a broken character"

    def _line_kind(self, rows: ir.Table) -> ir.Value:
        returned = rows["is_return"] | (rows["amount"] < 0)
        if "quantity" in rows.columns:
            returned = returned | (rows["quantity"] < 0).fill_null(False)
        lead = (rows["is_lead"], "lead")
        return ibis.cases(lead, (rows["is_charge"], "charge"), (returned, "return"), else_="sale")


def _lost(value: ir.Value, raw: ir.Value) -> ir.Value:
    """Whether there was something, and nothing could be made of it."""
    there = values.text(raw).notnull() if raw.type().is_string() else raw.notnull()
    return ibis.cases((value.isnull(), there), else_=False)


def digest(values: Sequence[ir.Value]) -> ir.Value:
    """One md5 of several values."""
    # A unit separator keeps (a, bc) and (ab, c) apart; a null is not the empty text.
    parts = [value.cast("string").fill_null("\x1e") for value in values]
    return md5(ibis.literal("\x1f").join(parts))


def canonical(name: str, source: Source, file: str, table: ir.Table, *, now: datetime) -> Canonical:
    """Map, parse and judge the rows of a file.

    Raises :class:`DataError` when the file lacks a column that the config names.
    """
    return _Mapper(name, source, file, table, now).made()


class _Mapper:
    def __init__(self, name: str, source: Source, file: str, table: ir.Table, now: datetime) -> None:
        self.name = name
        self.source = source
        self.file = file
        self.table = table
        self.now = now
        self.contract = TABLES[source.kind]
        self.parsed = {column: self._parse(f"columns.{column}", text) for column, text in source.columns.items()} | {
            a: self._parse(f"attributes.{a}", spec.expression) for a, spec in source.attributes.items()
        }
        self.aside = {
            reason: self._parse(f"set_aside.{reason}", condition) for reason, condition in source.set_aside.items()
        }
        for key in ("returns", "charges", "leads"):
            text = getattr(source, key)
            if text:
                self.parsed[f"#{key}"] = self._parse(key, text)
        numbers, times = self._text_columns(self._numeric_names()), self._text_columns(self._time_names())
        self.number_formats, self.time_formats = values.plain_formats(table, numbers, times)
        self.number_formats |= values.number_formats(table, [c for c in numbers if c not in self.number_formats])
        others = [c for c in times if c not in self.time_formats]
        self.time_formats |= values.time_formats(table, others, day_first=source.day_first, latest=now)
        self.odd: dict[str, ir.Value] = {}

    def _read_numbers(self) -> None:
        """Give the table a column for each text that is read as a number: expressions may name it several times."""
        for parsed in [*self.parsed.values(), *self.aside.values()]:
            parsed.bind(self.table, number=self._number, time=self._time)
        names = [c for c in self.number_formats if c in self.table.columns]
        read = {_NUMBER + c: values.number(self.table[c], self.number_formats[c]) for c in names}
        self.table = self.table.mutate(**read)

    def made(self) -> Canonical:
        self._read_numbers()
        columns: dict[str, ir.Value] = {}
        raws: dict[str, ir.Value] = {}
        mapped = {c: self.contract[c].type for c in self.source.columns}
        attributes = {a: _KINDS[spec.kind] for a, spec in self.source.attributes.items()}
        for column, kind in {**mapped, **attributes}.items():
            raw = self._bound(column)
            columns[column] = self._value(column, kind, raw)
            required = column in mapped and self.contract[column].required
            if (required or kind != Type.ID) and _can_fail(kind, raw):
                raws[f"raw_{column}"] = raw
        names = tuple(columns)
        if self.source.kind == "transactions":
            names = (*names, "line_kind")
            columns["is_return"] = self._holds("#returns")
            columns["is_charge"] = self._holds("#charges")
            nobody = [columns[c].isnull() for c in ("customer", "contact_email", "contact_phone") if c in columns]
            columns["is_lead"] = ibis.and_(self._holds("#leads"), *nobody)
        cells = [self.table[c] for c in self._key_columns()]
        there = [c.notnull() for c in cells]
        key = {"key": ibis.or_(*there).ifelse(digest(cells), ibis.null("string"))} if cells else {}
        places = {"place": self.table[PLACE]} if PLACE in self.table.columns else {}
        lines = {"line": "_line"} if "_line" in self.table.columns else {}
        made = {**columns, **raws, **self.odd, **key}
        typed = self.table.select(**lines, **places, **made, aside=self._set_aside())
        notes = tuple(values.format_notes({**self.number_formats, **self.time_formats}))
        return Canonical(self.source.kind, typed, names, self.now, notes, self.source.key or ())

    def _key_columns(self) -> list[str]:
        names = {c.casefold(): c for c in self.table.columns if c != "_line"}
        for column in self.source.key or ():
            if column.casefold() not in names:
                raise DataError(
                    f"segmentry.yaml sources.{self.name}.key: the file {self.file} has no column '{column}'.",
                    why=did_you_mean(column, names.values()),
                )
        return [names[c.casefold()] for c in self.source.key or ()]

    def _set_aside(self) -> ir.Value:
        """Why a row is not used although it could be read; null where it is."""
        cases = [
            (parsed.bind(self.table, number=self._number, time=self._time).fill_null(False), reason)
            for reason, parsed in self.aside.items()
        ]
        if UNUSABLE in self.table.columns:
            cases.append((self.table[UNUSABLE].notnull(), self.table[UNUSABLE]))
        return ibis.cases(*cases) if cases else ibis.null("string")

    def _holds(self, key: str) -> ir.Value:
        return self._bound(key).fill_null(False) if key in self.parsed else ibis.literal(False)

    def _parse(self, key: str, text: str) -> expressions.Expression:
        where = f"segmentry.yaml sources.{self.name}.{key}"
        parsed = expressions.parse(text, where=where, names=self.table.columns)
        names = [c for c in self.table.columns if c not in ("_line", PLACE, UNUSABLE)]
        for column in parsed.columns:
            if column.casefold() not in {c.casefold() for c in names}:
                raise DataError(
                    f"{where}: the file {self.file} has no column '{column}'.",
                    why=did_you_mean(column, names),
                    fix="Correct the mapping, or remove the line if the file no longer has it.",
                )
        return parsed.resolve(names)

    def _numeric_names(self) -> list[str]:
        mapped = [c for c in self.source.columns if self.contract[c].type in _NUMERIC]
        numbers = [a for a, spec in self.source.attributes.items() if spec.kind == "number"]
        return [*mapped, *numbers]

    def _time_names(self) -> list[str]:
        return [c for c in self.source.columns if self.contract[c].type in (Type.TIME, Type.DATE)]

    def _text_columns(self, names: list[str]) -> list[str]:
        used = dict.fromkeys(c for name in names for c in self.parsed[name].columns)
        return [c for c in used if c in self.table.columns and self.table[c].type().is_string()]

    def _number(self, text: ir.StringValue) -> ir.Value:
        name = text.get_name()
        if name not in self.number_formats:  # a column that is read as a number only inside a condition
            self.number_formats[name] = values.number_formats(self.table, [name])[name]
        read = _NUMBER + name
        return self.table[read] if read in self.table.columns else values.number(text, self.number_formats[name])

    def _time(self, text: ir.StringValue) -> ir.Value:
        name = text.get_name()
        if name not in self.time_formats:
            self.time_formats[name] = values.time_formats(self.table, [name], day_first=self.source.day_first)[name]
        return values.timestamp(text, self.time_formats[name], self.source.timezone)

    def _bound(self, name: str) -> ir.Value:
        return self.parsed[name].bind(self.table, number=self._number, time=self._time)

    def _value(self, column: str, kind: Type, raw: ir.Value) -> ir.Value:
        """A mapped column in its type."""
        if kind == Type.ID:
            return values.identifier(raw)
        if kind in (Type.TIME, Type.DATE):
            zone = "UTC" if kind == Type.DATE else self.source.timezone
            if raw.type().is_string():
                formats = self.time_formats[next(iter(self.parsed[column].columns))]
                time = values.timestamp(raw, formats, zone)
                if kind == Type.TIME and values.odd_hours(zone):
                    self.odd[_ODD + column] = values.by_the_clock(raw, formats, zone)
            elif raw.type().is_date():
                time = values.day_to_utc(raw.cast("timestamp"), zone)
            else:
                instant = raw.type().is_timestamp() and raw.type().timezone is not None
                time = values.local_to_utc(raw.cast("timestamp"), "UTC" if instant else zone)
            return time.cast("date") if kind == Type.DATE else time
        if kind in _NUMERIC:
            number = self._number(raw) if raw.type().is_string() else _finite(raw.cast("float64"))
            return number.round().cast("int64") if kind == Type.INTEGER else number
        if kind == Type.BOOLEAN:
            return values.boolean(raw) if raw.type().is_string() else raw.cast("boolean")
        return values.text(raw.cast("string"))


def _can_fail(kind: Type, raw: ir.Value) -> bool:
    """Whether there may be values that cannot be read: no typed column of a Parquet file has any, but for NaN."""
    if kind in (Type.TEXT, Type.CATEGORY):
        return False
    typed = raw.type()
    if kind in (Type.TIME, Type.DATE):
        return not typed.is_temporal()
    return not (typed.is_integer() or typed.is_decimal() or typed.is_boolean())


def _finite(number: ir.FloatingValue) -> ir.FloatingValue:
    """The number; null where it is infinite or NaN, which no sum survives."""
    return (number.abs() <= sys.float_info.max).ifelse(number, ibis.null("float64"))
