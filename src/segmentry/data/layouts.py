"""Layouts: how the rows of a file become records where a row is not one record.

::

    answers_in_columns     one row per respondent   ->  one record per answer: _question, _item, _answer
    measures_in_columns    one row per market cell  ->  one record per figure: _measure, _value
    ga4_events             parameters as a list     ->  a column per parameter: _page, _session ...; _time, _properties
    customers_in_rows      one row per customer     ->  the same, with an id that is made of the row: _row

The other columns of the file stay beside the new ones, so that a mapping can use both. A row of the file that holds
several records keeps its line; ``_place`` tells the records of a line apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import expressions
from segmentry.config import Answers, Source
from segmentry.data import values
from segmentry.data.file_shape import FileShape
from segmentry.data.ga4_events import flattened
from segmentry.data.header import LINE
from segmentry.data.survey_header import codes_of
from segmentry.engine import md5
from segmentry.errors import DataError, did_you_mean

PLACE = "_place"  # which of the records of a line
UNUSABLE = "_unusable"  # why a row holds no record
RESPONDENT = "_respondent"
ROW = "_row"
NOT_ANSWERED = "no question is answered"
DURATION = "_duration"
_PARTS = 1_000  # answers that one cell may hold


def arranged(name: str, source: Source, file: str, shape: FileShape, table: ir.Table) -> ir.Table:
    """The records of a file as its source's ``layout`` says, for the mapping of its columns.

    Raises :class:`DataError` when the file lacks a column that the layout's settings name.
    """
    if source.layout is None:
        return table
    where = f"segmentry.yaml sources.{name}"
    if source.layout == "answers_in_columns":
        return _Respondents(where, source, file, shape, table).answers()
    if source.layout == "measures_in_columns":
        names = [_spelled(f"{where}.measures", file, table, column) for column in source.measures]
        rest = [c for c in table.columns if c not in names]
        return _unpivoted(table, rest, _cells(table, names), {"_measure": names}, "_value", "no figure is given")
    if source.layout == "customers_in_rows":
        return table.mutate(**{ROW: _id_of_row(table, [c for c in table.columns if c != LINE])})
    return flattened(table, file)


def answer_columns(columns: Sequence[str], used: set[str], answers: Answers) -> list[str]:
    """The columns of a survey that hold answers: all but those left out, and those that the mapping uses."""
    apart = {c.casefold() for c in (*answers.leave_out, *used)}
    return [c for c in columns if c.casefold() not in apart]


class _Respondents:
    def __init__(self, where: str, source: Source, file: str, shape: FileShape, table: ir.Table) -> None:
        self.where = where
        self.file = file
        self.table = table
        self.source = source
        self.columns = [c for c in table.columns if c != LINE]
        asked = shape.heading.wording if shape.heading else ()
        self.wording = {name: name for name in self.columns} | dict(zip(shape.columns, asked, strict=False))

    def answers(self) -> ir.Table:
        given = self.source.answers
        for column in given.leave_out:
            self._find("answers.leave_out", column)
        several = {self._find("answers.several", column): mark for column, mark in given.several.items()}
        own = {self._find("answers.codes", column): code for column, code in given.codes.items()}
        used = set(self._used())
        asked = [c for c in answer_columns(self.columns, used, given) if c not in own]
        if not asked:
            raise DataError(
                f"{self.where}: no column of {self.file} is left that could hold answers.",
                why=f"Its columns are: {', '.join(self.columns[:20])}.",
                fix="Shorten answers.leave_out.",
            )
        names = [*asked, *own]
        codes = [*codes_of(asked), *own.values()]
        items = [self.wording[c] for c in names]
        made: dict[str, ir.Value] = {}
        if RESPONDENT in self._mapped():
            made[RESPONDENT] = _id_of_row(self.table, self.columns)
        if given.duration is not None:
            made[DURATION] = self._seconds(given.duration)
            names, codes, items = [*names, DURATION], [*codes, DURATION], [*items, "Seconds from start to end"]
        table = self.table.mutate(**made)
        answered = ibis.or_(*(table[c].notnull() for c in asked))
        cells = _cells(table, names, several)
        kept = [LINE, *(c for c in (*self.columns, *made) if c in {*used, RESPONDENT})]
        labels = {"_question": codes, "_item": items}
        return _unpivoted(table, kept, cells, labels, "_answer", NOT_ANSWERED, answered)

    def _find(self, key: str, column: str) -> str:
        return _spelled(f"{self.where}.{key}", self.file, self.table, column)

    def _mapped(self) -> set[str]:
        texts = (*self.source.columns.values(), *self.source.set_aside.values())
        texts = (*texts, *(a.expression for a in self.source.attributes.values()))
        return {c for text in texts for c in expressions.parse(text, where=self.where, names=self.columns).columns}

    def _used(self) -> Iterator[str]:
        """The columns that the mapping reads: whose answer it is, and when it was given."""
        named = {c.casefold() for c in (*self._mapped(), *(self.source.answers.duration or ()))}
        yield from (c for c in self.columns if c.casefold() in named)

    def _seconds(self, columns: tuple[str, str]) -> ir.Value:
        names = [self._find("answers.duration", c) for c in columns]
        formats = values.time_formats(self.table, names, day_first=self.source.day_first)
        start, end = (values.timestamp(self.table[n], formats[n], self.source.timezone) for n in names)
        seconds: Any = values.seconds_between(end, start)
        return ibis.cases((seconds >= 0, seconds.cast("string")))


def _id_of_row(table: ir.Table, columns: Sequence[str]) -> ir.Value:
    """An id for every row of a file that names nobody: equal rows are different people, in their order."""
    cells = [table[c].cast("string").fill_null("\x1e") for c in columns]
    content = md5(ibis.literal("\x1f").join(cells))
    return md5(content + "#" + ibis.row_number().over(group_by=content, order_by=table[LINE]).cast("string"))


def _spelled(where: str, file: str, table: ir.Table, column: str) -> str:
    """A column as the file spells it; :class:`DataError` when it has none of that name."""
    names = {c.casefold(): c for c in table.columns if c != LINE}
    if column.casefold() not in names:
        raise DataError(
            f"{where}: the file {file} has no column '{column}'.",
            why=did_you_mean(column, names.values()),
            fix="Correct the name, or remove it if the file no longer has the column.",
        )
    return names[column.casefold()]


def _cells(table: ir.Table, names: Sequence[str], several: Mapping[str, str] | None = None) -> ir.ArrayValue:
    """What stands in the columns, with places: one text per cell, or the different parts of one that holds several."""
    single, parted = [], []
    for number, name in enumerate(names):
        text: Any = values.text(table[name].cast("string"))
        mark = (several or {}).get(name)
        if mark is None:
            single.append(_placed(ibis.literal(number * _PARTS, "int64"), text))
        else:
            parts = (
                text.fill_null("")
                .split(mark)
                .map(lambda part: part.strip())
                .filter(lambda part: part != "")
                .unique()
                .sort()
            )
            parted.append(_parts(number, parts))
    whole: Any = ibis.array(single) if single else parted.pop()
    return whole.concat(*parted) if parted else whole


def _placed(place: ir.IntegerValue, text: ir.Value) -> ir.StructValue:
    return ibis.struct({"place": place, "text": text})


def _parts(number: int, parts: Any) -> ir.ArrayValue:
    pairs = parts.zip(ibis.range(parts.length()))
    first = ibis.literal(number * _PARTS, "int64")
    return pairs.map(lambda pair: _placed(first + pair["f2"].cast("int64"), pair["f1"]))


def _unpivoted(
    table: ir.Table,
    kept: Sequence[str],
    cells: Any,
    labels: Mapping[str, Sequence[str]],
    answer: str,
    nothing: str,
    usable: ir.BooleanValue | None = None,
) -> ir.Table:
    """One row per filled cell: its place, its labels, what stands in it. A row without any stays, as unusable."""
    filled = cells.filter(lambda cell: cell["text"].notnull())
    none = ibis.array([_placed(ibis.literal(-1, "int64"), ibis.null("string"))])
    holds = (filled.length() > 0) if usable is None else (filled.length() > 0) & usable
    rows = table.select(*kept, _cell=holds.ifelse(filled, none).unnest())
    rows = rows.select(*kept, **{PLACE: rows["_cell"]["place"], answer: rows["_cell"]["text"]})
    given = rows[PLACE] >= 0
    number = (rows[PLACE] // _PARTS).cast("int64")
    named = {
        label: ibis.cases((given, ibis.literal(list(texts), type="array<string>")[number]))
        for label, texts in labels.items()
    }
    return rows.mutate(**named, **{UNUSABLE: ibis.cases((~given, ibis.literal(nothing)))})
