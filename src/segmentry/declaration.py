"""One trait of the ``traits`` section of segmentry.yaml: what a person may write, read into its parts.

The conditions over columns (``where``, an argument such as ``amount * quantity``) are SQL and are read where traits are
made; what stands around them, ``regularly(3 of last 6 months)`` or ``within: 90 days``, is a few words, read here.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from segmentry.catalogue import ACCOUNT_TRAITS, Model, lookup
from segmentry.columns import Pii
from segmentry.errors import did_you_mean
from segmentry.tables import TABLES

# Inputs may hold what came from the environment: a password must not come out in a traceback.
STRICT = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)

# Fact tables that traits may be declared over, and what a row of each is called.
ROWS = {
    "transactions": "order line",
    "events": "event",
    "responses": "answer",
    "costs": "cost",
    "consents": "statement of consent",
    "opportunities": "opportunity",
}
OF_ACCOUNTS_ONLY = ("opportunities",)
_DAY = r"(\d{4}-\d\d-\d\d)"
_STEP = r"[a-z][a-z0-9_]*"
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}  # seconds


@dataclass(frozen=True)
class Span:
    """So many days, weeks, months or years that end with the day of ``as_of``."""

    number: int
    unit: str  # day, week, month or year

    def before(self, day: date) -> date:
        """The last day before the span that ends with ``day``.

        A month back is the same day of the month, or the last one of a shorter month.

        >>> Span(90, "day").before(date(2026, 6, 30)), Span(1, "month").before(date(2026, 3, 31))
        (datetime.date(2026, 4, 1), datetime.date(2026, 2, 28))
        """
        return self.times(day, 1)

    def times(self, day: date, count: int) -> date:
        """The last day before so many spans, one after the other, of which the last ends with ``day``."""
        many = self.number * count
        if self.unit in ("day", "week"):
            return day - timedelta(days=many * (7 if self.unit == "week" else 1))
        months = day.year * 12 + day.month - 1 - many * (12 if self.unit == "year" else 1)
        year, month = divmod(months, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))

    def __str__(self) -> str:
        return f"{self.unit if self.number == 1 else f'{self.number:,} {self.unit}s'}"


@dataclass(frozen=True)
class Window:
    """The days that count, by ``as_of``: from ``first`` to ``last``, both included; ``words`` say it in English."""

    words: str
    first: Callable[[date], date]
    last: Callable[[date], date]


@dataclass(frozen=True)
class Aggregate:
    """``function(argument)``, read: only the parts that belong to the function are filled.

    ``argument`` is SQL over the columns of the table. ``steps`` are names of conditions in their order; ``but_not`` is
    the one that must not follow. ``seconds``: at most so long a sequence takes.
    """

    function: str
    argument: str = ""
    times: int = 0
    periods: int = 0
    span: Span | None = None
    steps: tuple[str, ...] = ()
    but_not: str = ""
    seconds: int | None = None
    words: str = ""
    trait: str = ""
    by: tuple[str, ...] = ()
    least: int = 1


def _number_of(words: str, units: str) -> tuple[int, str] | None:
    found = re.fullmatch(rf"(\d{{1,6}}) ({units})s?", words.strip())
    return (int(found[1]), found[2]) if found and int(found[1]) > 0 else None


def _plain(function: str, text: str) -> Aggregate:
    if not text and function != "count":
        raise ValueError(f"aggregate: {function}() needs a column, or an expression over columns.")
    return Aggregate(function, argument=text)


def _of_time(function: str, text: str) -> Aggregate:
    allowed = ("", "last", "first") if function == "days_since" else ("",)
    if text not in allowed:
        said = "days_since(last) or days_since(first)" if function == "days_since" else "first_time()"
        raise ValueError(f"aggregate: write {said}; `where` says which rows count.")
    return Aggregate(function, words=text or "last")


def _regularly(function: str, text: str) -> Aggregate:
    found = re.fullmatch(
        r"(\d{1,3}) of (?:the )?last (\d{1,3}) (day|week|month)s(?:,? at least (\d{1,6})(?: times)?(?: each)?)?", text
    )
    if not found:
        raise ValueError(
            f"aggregate: '{text}' is not read. Write regularly(3 of last 6 months), with days, weeks or months; "
            "regularly(3 of last 6 months at least 2 each) asks for two rows in each."
        )
    times, periods, unit, least = int(found[1]), int(found[2]), found[3], int(found[4] or 1)
    if not 1 <= times <= periods or not least:
        raise ValueError(f"aggregate: {times} of {periods} {unit}s cannot be. Write the smaller number first, from 1.")
    return Aggregate(function, times=times, periods=periods, span=Span(1, unit), least=least)


def _sequence(function: str, text: str) -> Aggregate:
    chain, _, limit = text.partition(" within ")
    names = [part.strip() for part in re.split(r"\bthen\b", chain)]
    but_not = names.pop().removeprefix("not ").strip() if names[-1].startswith("not ") else ""
    length = _number_of(limit, "|".join(_UNITS)) if limit else None
    wrong = next((n for n in [*names, *([but_not] if but_not else [])] if not re.fullmatch(_STEP, n)), None)
    if wrong is not None or len(names) + bool(but_not) < 2 or (limit and length is None):
        raise ValueError(
            f"aggregate: '{text}' is not read. Write sequence(viewed then carted then bought within 5 days), with "
            "minutes, hours, days or weeks, and say under `steps` what viewed, carted and bought are."
        )
    if but_not and length is None:
        raise ValueError("aggregate: say how long nothing must follow: sequence(carted then not bought within 3 days).")
    seconds = length and length[0] * _UNITS[length[1]]
    words = f"{length[0]:,} {length[1]}{'' if length[0] == 1 else 's'}" if length else ""
    return Aggregate(function, steps=tuple(names), but_not=but_not, seconds=seconds, words=words)


def _pause(function: str, text: str) -> Aggregate:
    length = _number_of(text, "day|week")
    if length is None:
        raise ValueError(f"aggregate: '{text}' is not read. Write {function}(60 days), with days or weeks.")
    return Aggregate(function, span=Span(length[0] * (7 if length[1] == "week" else 1), "day"))


def _rank(function: str, text: str) -> Aggregate:
    found = re.fullmatch(rf"({_STEP}) by ({_STEP}(?:\s*,\s*{_STEP})*)", text)
    if not found:
        raise ValueError(f"aggregate: '{text}' is not read. Write rank_within(monetary by city), with names of traits.")
    return Aggregate(function, trait=found[1], by=tuple(re.split(r"\s*,\s*", found[2])))


# By function: how what stands in its brackets is read.
AGGREGATES: dict[str, Callable[[str, str], Aggregate]] = {
    **dict.fromkeys(("count", "sum", "avg", "min", "max", "first", "last", "mode", "distinct", "held_for"), _plain),
    **dict.fromkeys(("days_since", "first_time"), _of_time),
    "regularly": _regularly,
    "sequence": _sequence,
    **dict.fromkeys(("stopped", "restarted"), _pause),
    "rank_within": _rank,
}


def tables_of(unit: str) -> tuple[str, ...]:
    """The fact tables whose rows are about units, customer or account."""
    return tuple(table for table in ROWS if unit == "account" or table not in OF_ACCOUNTS_ONLY)


def owner_of_name(name: str, attributes: Mapping[str, str]) -> str:
    """Whose name it is already, in words; empty when it is free. ``attributes`` that become traits: their sources."""
    if name in TABLES["traits"] or name in TABLES["account_traits"]:
        return "a column of the table of traits"
    if lookup(name):
        return "a built-in trait"
    if name in ACCOUNT_TRAITS:
        return "a built-in trait of accounts"
    return f"an attribute of the source {attributes[name]}" if name in attributes else ""


class DeclaredTrait(BaseModel):
    """A trait of your own: rows of a table brought to one value per customer, or account, or computed from others.

    All rows of the table count unless `where` chooses; of transactions returns and charges too: `line_kind` tells them.
    """

    model_config = STRICT

    of: Literal["customer", "account"] = Field(
        "customer",
        description="Whom it is about: customer, or account; then the rows that concern the organisation count.",
    )
    table: str | None = Field(
        None,
        alias="from",
        description=f"Table that is looked at: {', '.join(ROWS)}; {' and '.join(OF_ACCOUNTS_ONLY)} of accounts only.",
        json_schema_extra={"enum": [*ROWS]},
    )
    aggregate: str | None = Field(
        None,
        description=f"What is made of the rows: {', '.join(AGGREGATES)}, each with brackets, such as sum(amount).",
    )
    where: str | None = Field(
        None,
        description="Condition over columns of the table, properties.x of events and traits of the customer as "
        "customer.x (of the account as account.x): only such rows count.",
    )
    within: str | None = Field(
        None, description="Only rows of the last days, weeks, months or years up to as_of, such as 90 days."
    )
    between: str | None = Field(
        None, description="Only rows of these days: 2026-03-01 and 2026-05-31, or 30 and 60 days ago."
    )
    steps: dict[str, str] = Field({}, description="Condition of each step of a sequence, by the step's name.")
    value: str | None = Field(None, description="Instead of an aggregate: an expression over other traits.")
    description: str = Field("", description="What it says about the customer; how it is computed is added.")
    unit: str = Field("", description="What a number is counted in, where it does not follow from the aggregate.")
    model: Model = Field(Model.BEHAVIORAL, description="The segmentation model that the trait belongs to.")
    pii: Pii | None = Field(None, description="How personal it is. Default: as the columns that it shows.")

    @model_validator(mode="after")
    def _in_its_form(self) -> DeclaredTrait:
        if self.unit in ("account", "customer"):
            raise ValueError(
                f"unit: is what a number is counted in. For a trait of each {self.unit} write of: {self.unit}"
            )
        if (self.aggregate is None) == (self.value is None):
            raise ValueError("needs either aggregate (of rows) or value (of other traits).")
        function = self.parts.function if self.aggregate is not None else "value"
        alone = function in ("value", "rank_within")
        rows_only = [("from", self.table), ("where", self.where), ("within", self.within), ("between", self.between)]
        present = [name for name, value in [*rows_only, ("steps", self.steps or None)] if value is not None]
        if alone and present:
            raise ValueError(f"{present[0]}: does not go with {function}, which is computed from traits.")
        if alone:
            return self
        if self.table not in ROWS:
            given = f"'{self.table}' is no table of facts." if self.table else "say which table."
            raise ValueError(f"from: {given} {did_you_mean(self.table or '', tables_of(self.of))}")
        if self.table not in tables_of(self.of):
            raise ValueError(f"from: {self.table} are those of organisations: add of: account.")
        self._check_steps()
        self._check_window(function)
        return self

    def _check_steps(self) -> None:
        named = {*self.parts.steps, *([self.parts.but_not] if self.parts.but_not else [])}
        if self.steps and not named:
            raise ValueError("steps: belong to a sequence.")
        for name in named - set(self.steps):
            raise ValueError(f"steps: say what '{name}' is, as in {name}: \"name = 'Product Viewed'\".")
        for name in set(self.steps) - named:
            raise ValueError(f"steps.{name}: is not in the sequence. {did_you_mean(name, named)}")

    def _check_window(self, function: str) -> None:
        if self.within is not None and self.between is not None:
            raise ValueError("write within or between, not both.")
        window = self.window
        if function == "first_time" and window is None:
            raise ValueError(
                "aggregate: first_time() asks whether the first row is of some days: add within or between."
            )
        if function == "regularly" and window is not None:
            raise ValueError("regularly names its own periods: leave out within and between.")
        stop = self.parts.span if function == "stopped" else None
        day = date(2000, 1, 1)
        if stop and self.within is not None and window and window.first(day) > stop.before(day):
            raise ValueError(f"within: nobody who did it in the last {self.within} can have stopped for {stop}.")

    @property
    def parts(self) -> Aggregate:
        """The aggregate, read. Raises ValueError where it cannot be."""
        found = re.fullmatch(r"\s*([A-Za-z_]+)\s*\((.*)\)\s*", self.aggregate or "", re.DOTALL)
        if not found:
            raise ValueError("aggregate: is not read. Write a function with brackets, such as count() or sum(amount).")
        function = found[1].lower()
        if function not in AGGREGATES:
            raise ValueError(f"aggregate: there is no {found[1]}(). {did_you_mean(function, AGGREGATES)}")
        return AGGREGATES[function](function, " ".join(found[2].split()) if function in _WORDS else found[2].strip())

    @property
    def window(self) -> Window | None:
        """The days that count; None for all up to as_of. Raises ValueError where they cannot be read."""
        if self.within is not None:
            return _within(self.within)
        return None if self.between is None else _between(self.between)


_WORDS = ("regularly", "sequence", "stopped", "restarted", "rank_within", "days_since", "first_time")


def _within(text: str) -> Window:
    length = _number_of(text, "day|week|month|year")
    if length is None or length[0] > 100_000:
        raise ValueError(f"within: '{text}' is not read. Write 90 days, with days, weeks, months or years.")
    span = Span(*length)
    return Window(f"in the last {span}", lambda as_of: span.before(as_of) + timedelta(days=1), lambda as_of: as_of)


def _between(text: str) -> Window:
    if days := re.fullmatch(rf"{_DAY} and {_DAY}", text.strip()):
        try:
            first, last = sorted(date.fromisoformat(day) for day in days.groups())
        except ValueError as error:
            raise ValueError(f"between: '{text}' names a day that does not exist.") from error
        return Window(f"from {first} to {last}", lambda _: first, lambda _: last)
    ago = re.fullmatch(r"(\d{1,5}) and (\d{1,5}) days ago", text.strip())
    if ago is None:
        raise ValueError(f"between: '{text}' is not read. Write 2026-03-01 and 2026-05-31, or 30 and 60 days ago.")
    near, far = sorted((int(ago[1]), int(ago[2])))
    return Window(
        f"{near:,} to {far:,} days ago",
        lambda as_of: as_of - timedelta(days=far),
        lambda as_of: as_of - timedelta(days=near),
    )
