"""What is known about the customers as of a date: the one place where ``as_of`` cuts the facts.

A model gets a :class:`Known` and gives a :class:`Part`: the sums over order lines that it wants (all models' sums are
made in one scan), further passes, and one expression per trait over the customer's row that these make up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS, Trait, declared_as
from segmentry.config import Attribute, Config, LifecycleDays, Lifetime, Survey
from segmentry.config.survey_needs import Design
from segmentry.tables import TABLES

KEY = "customer_key"
# In front of declared attributes, so that theirs are never the names of columns made here.
ATTRIBUTE = "attribute_"
_MOST_LEVELS = 10_000  # so many different values of a column are looked at, the most frequent first

Expression = Callable[[ir.Table], ir.Value]


@dataclass(frozen=True)
class Settings:
    """What segmentry.yaml says about the making of built-in traits."""

    lifecycle: LifecycleDays = field(default_factory=LifecycleDays)
    surveys: Mapping[str, Survey] = field(default_factory=dict)
    lifetime: Lifetime = field(default_factory=Lifetime)
    seed: int = 1
    timezone: str = "UTC"
    designs: Mapping[str, Design] = field(default_factory=dict)  # of best-worst exercises, by survey
    describe_by: tuple[str, ...] = ()  # patterns of the built-in traits that are made; none: all

    @classmethod
    def of(cls, config: Config, designs: Mapping[str, Design]) -> Settings:
        seed = config.sample.seed
        return cls(config.lifecycle_days, config.surveys, config.lifetime, seed, config.clock, designs, _wanted(config))

    def to_json(self) -> dict[str, Any]:
        """As plain data; the same settings give the same."""
        return {
            "lifecycle": self.lifecycle.model_dump(mode="json"),
            "surveys": {name: survey.model_dump(mode="json") for name, survey in self.surveys.items()},
            "lifetime": self.lifetime.model_dump(mode="json"),
            "seed": self.seed,
            "designs": dict(self.designs),
            "timezone": self.timezone,
            "describe_by": list(self.describe_by),
        }


def _wanted(config: Config) -> tuple[str, ...]:
    """``describe_by`` and the traits that segmentations and objectives name, in patterns and in conditions."""
    if not config.describe_by:
        return ()
    parts = [*config.segmentations.values(), *config.objectives.values()]
    named = re.findall(r"[a-z][\w.*]*", " ".join(part.model_dump_json() for part in parts))
    known = [*TRAITS.values(), *ACCOUNT_TRAITS.values()]
    read = {name for name in named if any(trait.is_meant_by(name) for trait in known)}
    return (*config.describe_by, *sorted(read.difference(config.describe_by)))


@dataclass(frozen=True)
class Facts:
    """The tables that traits are made from, all of one database.

    ``golden_customers`` has one row per customer. ``further`` are the other facts about customers by table: events,
    responses, costs, consents. ``accounts`` are the organisations that customers belong to, as golden_accounts has
    them, ``stores`` the company's own, ``places`` what is collected about places. ``attributes`` are those that
    segmentry.yaml declares, each as (table, name, declaration).
    """

    golden_customers: ir.Table
    transactions: ir.Table | None = None
    products: ir.Table | None = None
    further: Mapping[str, ir.Table] = field(default_factory=dict)
    accounts: ir.Table | None = None
    stores: ir.Table | None = None
    attributes: tuple[tuple[str, str, Attribute], ...] = ()
    places: ir.Table | None = None


def column(name: str) -> Expression:
    """The value of a trait that a pass has made already, under its name."""
    return lambda row: row[name]


def nothing(_: ir.Table) -> ir.Value:
    """The value of a number that is known of nobody."""
    return ibis.null("float64")


@dataclass(frozen=True)
class Part:
    """What a model adds to the table of traits.

    ``sums`` are distributive aggregates of :attr:`Known.lines`; ``passes`` tables with one row per customer_key. All of
    them are joined to the customers (one without order lines has nulls there); ``shared`` are values over such a row
    that several traits use, ``traits`` the value of each trait. ``absent`` says of traits that segmentry.yaml asks for
    or forbids why they are not there; ``evidence`` of a trait how far it can be trusted, as plain data; ``notes`` what
    of the data was not used.
    """

    sums: Mapping[str, ir.Scalar] = field(default_factory=dict)
    passes: tuple[ir.Table, ...] = ()
    shared: Mapping[str, Expression] = field(default_factory=dict)
    traits: Mapping[Trait, Expression] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def combine(*parts: Part) -> Part:
    """All parts as one, in their order."""
    return Part(
        {name: value for part in parts for name, value in part.sums.items()},
        tuple(table for part in parts for table in part.passes),
        {name: value for part in parts for name, value in part.shared.items()},
        {trait: expression for part in parts for trait, expression in part.traits.items()},
        {name: why for part in parts for name, why in part.absent.items()},
        {name: told for part in parts for name, told in part.evidence.items()},
        tuple(note for part in parts for note in part.notes),
    )


@dataclass(frozen=True)
class Known:
    """What is known at the end of the day ``as_of``.

    ``learned`` are the models that traits are made of, by the name of their learner. ``customers`` are those known by
    then, ``people`` of them; their declared attributes have ``attribute_`` in front of the name. ``facts`` are the
    rows of customers by table, as collected: those whose time had come, and of those without a time the ones that were
    collected.
    ``lines`` are the order lines of customers (None when there are none): customer_key, day, is_sale, is_return,
    is_goods (either), amount, and those of the optional columns and attributes that have values; numbers are in whole
    units of 10^-``decimals``, so that they add up exactly (see :meth:`total`). ``sales`` are the sale lines as
    collected, for passes that do without the product table; ``places`` the rows about places that were collected;
    ``first_month`` is that of the first line, as :func:`month_of` counts months. ``costs`` are all costs by then,
    those of no customer included. ``filled`` counts the rows with a value by ``table.column`` (of transactions: sale
    lines), ``counts`` the lines by what they are.
    """

    as_of: date
    settings: Settings
    also: frozenset[str]
    customers: ir.Table
    people: int
    filled: Mapping[str, int]
    facts: Mapping[str, ir.Table] = field(default_factory=dict)
    attributes: tuple[tuple[str, str, Attribute], ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    lines: ir.Table | None = None
    sales: ir.Table | None = None
    first_month: int = 0
    span: tuple[datetime, datetime] = (datetime.min, datetime.max)
    costs: ir.Table | None = None
    accounts: ir.Table | None = None
    stores: ir.Table | None = None
    places: ir.Table | None = None
    learned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _found: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # see found_once

    def found_once(self, name: str, find: Callable[[], Any]) -> Any:
        """What ``find`` gives, looked for once for all models; ``name`` is its own."""
        if name not in self._found:
            self._found[name] = find()
        return self._found[name]

    def has(self, column: str) -> bool:
        """Whether a ``table.column`` has any value."""
        return self.filled.get(column, 0) > 0

    def ready(self, trait: str) -> bool:
        """Whether the data are there that the catalogue says a trait needs."""
        return not TRAITS[trait].lacks({column for column, rows in self.filled.items() if rows})

    def wants(self, trait: Trait) -> bool:
        """Whether ``describe_by`` means a trait, or something reads it; what is not of the catalogue always is."""
        patterns, name = self.settings.describe_by, declared_as(trait.name)
        if not patterns or (name not in TRAITS and name not in ACCOUNT_TRAITS):
            return True
        return any(trait.is_meant_by(pattern) for pattern in (*patterns, *self.also))

    def chosen(self, expressions: Mapping[str, Expression]) -> dict[Trait, Expression]:
        """Those built-in traits whose data are there."""
        return {TRAITS[name]: value for name, value in expressions.items() if self.ready(name)}

    def sold(self, column: str) -> ir.Table:
        """The sale lines; with the product table behind them only where it is needed for the column."""
        if self.lines is not None and self.has(f"products.{column}"):
            return self.lines.filter(self.lines["is_sale"])
        return self.sales

    def total(self, column: str, where: ir.BooleanValue, *, nothing: int | None = None) -> ir.FloatingScalar:
        """The sum of a number of the lines that meet a condition, to the last bit; ``nothing`` when none does."""
        assert self.lines is not None
        return engine.sum_of_units(self.lines[column], self.decimals[column], where, nothing=nothing)

    def recent(self, days: int) -> ir.DateScalar:
        """The day after which the last ``days`` days begin, ``as_of`` being the last of them."""
        return ibis.literal(self.as_of - timedelta(days=days))

    def joined(self, row: ir.Table) -> ir.DateValue:
        """The day on which a customer joined; null when that is not known or after ``as_of``."""
        day = row["joined_at"].cast("date")
        return (day <= ibis.literal(self.as_of)).ifelse(day, ibis.null("date"))


def known(facts: Facts, as_of: date, settings: Settings, also: frozenset[str]) -> Known:
    """Look at the facts as they were known at the end of the day ``as_of``."""
    declared: dict[tuple[str, str], Attribute] = {}
    for table, name, attribute in facts.attributes:
        declared.setdefault((table, name), attribute)  # several sources may have it; the first one describes it
    attributes = tuple((table, name, attribute) for (table, name), attribute in declared.items())
    golden = facts.golden_customers
    own = [name for name in TABLES["golden_customers"].names if name in golden.columns]
    more = {ATTRIBUTE + n: golden[n] for t, n, _ in attributes if t == "customers" and n in golden.columns}
    customers = golden.select(*own, **more)
    end = ended(as_of)
    given = facts.further if facts.transactions is None else {"transactions": facts.transactions, **facts.further}
    of_somebody = {name: rows.filter(rows[KEY].notnull()) for name, rows in given.items()}
    by_then = {name: rows.filter(_is_known(name, rows, end)) for name, rows in of_somebody.items()}
    # A row without a time says nothing of when its customer came.
    later = [rows.filter(rows["time"] >= end) for rows in of_somebody.values() if "time" in rows.columns]
    # What so many expressions begin with is compiled once.
    by_then = {name: engine.named(f"known_{name}", rows) for name, rows in by_then.items()}
    customers = engine.named("known_customers", _population(customers, end, list(by_then.values()), later))
    counted = {f"customers.{n.removeprefix(ATTRIBUTE)}": customers[n].count() for n in [*own, *more]}
    filled = _one_row(customers, {"people": customers.count(), **counted})
    people = filled.pop("people")
    if "events" in by_then:
        seen = by_then["events"]
        filled |= _one_row(
            seen, {f"events.{name}": seen[name].count() for name in _EVENT_COLUMNS if name in seen.columns}
        )
    spent = given.get("costs")
    costs = None if spent is None else spent.filter(_is_known("costs", spent, end))
    base = Known(as_of, settings, also, customers, people, filled, by_then, attributes, costs=costs)
    base = replace(base, accounts=facts.accounts, stores=facts.stores, places=facts.places)
    return base if "transactions" not in by_then else _with_lines(base, by_then["transactions"], facts.products)


def ended(day: date) -> ir.TimestampScalar:
    """The moment at which a day is over."""
    return ibis.timestamp((day + timedelta(days=1)).isoformat())


def _is_known(table: str, rows: ir.Table, end: ir.TimestampScalar) -> ir.BooleanValue:
    """Whether a row's time had come; whether one without a time had been collected (null: from the start)."""
    if "time" in TABLES[table] and TABLES[table]["time"].required:
        return rows["time"] < end
    collected = ibis.literal(True)
    if "known_from" in rows.columns:
        collected = rows["known_from"].isnull() | (rows["known_from"] < end)
    return ibis.coalesce(rows["time"] < end, collected) if "time" in rows.columns else collected


def _population(
    customers: ir.Table, end: ir.TimestampScalar, before: Sequence[ir.Table] = (), after: Sequence[ir.Table] = ()
) -> ir.Table:
    """The customers known by then: who had joined, or did anything, or of whom nobody ever said when they came."""
    says_when = "joined_at" in customers.columns
    some_later = any(_any(rows) for rows in after)
    if not some_later and not (says_when and _any(customers.filter(customers["joined_at"] >= end))):
        return customers  # no record is later: everybody
    row = customers
    conditions: list[ir.BooleanValue] = []
    silent = ibis.literal(True)
    if before:
        row = row.left_join(_who(before).mutate(acted_before=True), KEY, rname="{name}_before")
        conditions.append(ibis._["acted_before"].notnull())
    if after:
        row = row.left_join(_who(after).mutate(acted_after=True), KEY, rname="{name}_after")
        silent = ibis._["acted_after"].isnull()
    if says_when:
        conditions.append(ibis._["joined_at"] < end)
        silent = silent & ibis._["joined_at"].isnull()
    return row.filter(ibis.or_(*conditions, silent)).select(*customers.columns)


def _who(tables: Sequence[ir.Table]) -> ir.Table:
    """The customers of some tables, each once."""
    who = [rows.select(KEY).distinct() for rows in tables]
    return who[0] if len(who) == 1 else ibis.union(*who, distinct=True)


def _any(table: ir.Table) -> bool:
    return bool(table.count().to_pyarrow().as_py())


def month_of(day: date) -> int:
    """Months since the year 0."""
    return day.year * 12 + day.month


def levels(column: ir.Column, most: int = _MOST_LEVELS) -> dict[Any, int]:
    """The different values of a column, the most frequent first, with their rows; no more than ``most``."""
    table = column.name("level").as_table()
    counted = table.filter(table["level"].notnull()).group_by("level").agg(rows=ibis._.count())
    rows = counted.order_by([ibis.desc("rows"), "level"]).limit(most).to_pyarrow().to_pylist()
    return {row["level"]: row["rows"] for row in rows}


def respelt(column: ir.StringValue, spellings: Mapping[str, str | None]) -> ir.StringValue:
    """The column with some of its values replaced; the rest as they are."""
    changes = [(given, meant) for given, meant in spellings.items() if given != meant]
    if not changes:
        return column
    null = ibis.null("string")
    return column.cases(*((given, null if meant is None else meant) for given, meant in changes), else_=column)


# Columns of events that traits are made from.
_EVENT_COLUMNS = ("time", "name", "channel", "user_agent", "app_version")
# Optional columns of transactions that traits are made from.
_NUMBERS = ("amount", "quantity", "discount", "cost")
_LINE_COLUMNS = ("order", "quantity", "product", "product_name", "category", "channel", "discount", "cost", "country")


def _with_lines(base: Known, rows: ir.Table, products: ir.Table | None) -> Known:
    declared = {name: a for table, name, a in base.attributes if table == "transactions" and name in rows.columns}
    optional = [name for name in (*_LINE_COLUMNS, *declared) if name in rows.columns]
    numbers = [*_NUMBERS, *(name for name, a in declared.items() if a.kind == "number")]
    counts, found, decimals, small, earliest = _line_counts(rows, optional, [n for n in numbers if n in rows.columns])
    if not counts["lines"]:
        return base
    useful = [name for name in optional if found[f"transactions.{name}"]]
    lines = _lines(rows, useful, decimals, small, keep_source=counts["sources"] > 1)
    lines = lines.rename({ATTRIBUTE + name: name for name in useful if name in declared})
    always = {f"transactions.{name}": counts["lines"] for name in ("time", "amount")}
    end = datetime.combine(base.as_of, time.max)
    completed, listed = _completed(lines, products, found, counts["sales"], decimals)
    completed = engine.named("known_lines", completed)
    return replace(
        base,
        filled={**base.filled, **found, **always, **listed},
        counts=counts,
        decimals={(ATTRIBUTE + n if n in declared else n): d for n, d in decimals.items()},
        lines=completed,
        sales=lines.filter(lines["is_sale"]),
        first_month=month_of(earliest) if earliest else 0,
        span=(earliest or end, end),
    )


def _line_counts(
    rows: ir.Table, optional: list[str], numbers: list[str]
) -> tuple[dict[str, int], dict[str, int], dict[str, int], set[str], datetime | None]:
    """Lines by what they are; by column how many sale lines have a value (country: how many lines); by number how many
    decimals it can be summed with, and which of them are small enough for sums of floats; the time of the first."""
    sale = rows["line_kind"] == "sale"
    counts = {
        "lines": rows.count(),
        "sales": sale.sum(),
        "returns": (rows["line_kind"] == "return").sum(),
        "paid_sales": (sale & (rows["amount"] > 0)).sum(),
        # Dates alone were midnight somewhere: on a quarter of an hour in every time zone.
        "timed_sales": (sale & ((rows["time"].minute() % 15 != 0) | (rows["time"].second() != 0))).sum(),
    }
    if "source" in rows.columns:
        counts["sources"] = (rows["source"].max() > rows["source"].min()).ifelse(2, 1)
    found = {n: rows[n].count() if n == "country" else rows[n].count(where=sale) for n in optional}
    values = {f"transactions.{name}": value for name, value in found.items()}
    largest = {f"largest.{name}": rows[name].cast("float64").abs().max() for name in numbers}
    together = {f"together.{name}": rows[name].cast("float64").abs().sum() for name in numbers}
    earliest = rows["time"].min()
    row = rows.agg(**counts, **values, **largest, **together, earliest=earliest).to_pyarrow().to_pylist()[0]
    decimals = {name: engine.decimals_for(row[f"largest.{name}"]) for name in numbers}
    # Half of what is exact: the sum itself is rounded, and so is every number in it.
    most = {
        name: engine.EXACT_FLOATS / 2 - 10.0 ** decimals[name] * (row[f"together.{name}"] or 0.0) for name in numbers
    }
    small = {name for name in numbers if most[name] > row["lines"]}
    by_column = {name: int(row[name] or 0) for name in values}
    return {"sources": 1, **{name: int(row[name] or 0) for name in counts}}, by_column, decimals, small, row["earliest"]


def _lines(
    rows: ir.Table, useful: list[str], decimals: Mapping[str, int], small: set[str], *, keep_source: bool
) -> ir.Table:
    """Order lines with what the models need of them; of the numbers, those in ``small`` in floats."""

    def units(name: str) -> ir.NumericValue:
        # the cost may be completed from the product table, in numbers of any size
        spelt = engine.float_units if name in small and name != "cost" else engine.units
        return spelt(rows[name], decimals[name])

    is_sale = rows["line_kind"] == "sale"
    is_return = rows["line_kind"] == "return"
    columns = {n: units(n) if n in decimals else rows[n] for n in useful}
    if "cost" in columns:
        # Goods that come back bring their cost back, whichever sign the source gives it.
        columns["cost"] = is_return.ifelse(-columns["cost"].abs(), columns["cost"])
    if "product" not in columns and "product_name" in columns:
        columns["product"] = columns["product_name"]
    columns.pop("product_name", None)
    if keep_source and "order" in columns:
        columns["source"] = rows["source"]  # order 17 of one source is not order 17 of another
    return rows.select(
        KEY,
        time=rows["time"],
        day=rows["time"].cast("date"),
        is_sale=is_sale,
        is_return=is_return,
        is_goods=is_sale | is_return,
        amount=units("amount"),
        **columns,
    )


def _completed(
    lines: ir.Table, products: ir.Table | None, found: Mapping[str, int], sales: int, decimals: dict[str, int]
) -> tuple[ir.Table, dict[str, int]]:
    """Lines with category and cost from the product table where they lack them, and how many sale lines that gave.

    The product table has no history here: what it says today is taken for the whole past.
    """
    if products is None or "product" not in lines.columns or not found.get("transactions.product"):
        return lines, {}
    made = lines
    given: dict[str, ir.Value] = {}
    for column, listed in (("category", "category"), ("cost", "unit_cost")):
        before = found.get(f"transactions.{column}", 0)
        if listed not in products.columns or before == sales or (column == "cost" and "quantity" not in lines.columns):
            continue
        made = made.left_join(_latest(products, listed), "product", rname="{name}_listed")
        value = made[f"listed_{listed}"]
        if column == "cost":
            # A piece's cost has few decimals, so the product in units of both is the same number on every engine.
            pieces = made["is_return"].ifelse(-made["quantity"].abs(), made["quantity"])
            value = value.cast("float64") * pieces.cast("float64") / 10.0 ** decimals["quantity"]
            value = engine.units(value, decimals.setdefault("cost", decimals["amount"]))
        made = made.mutate(**{column: ibis.coalesce(made[column], value) if before else value})
        given[f"products.{listed}"] = ibis._[column].count(where=ibis._["is_sale"]) - before
        made = made.drop("product_listed", f"listed_{listed}")
    return made, _one_row(made, given)


def _latest(products: ir.Table, column: str) -> ir.Table:
    """One row per product: the column's newest value."""
    rows = products.filter(products["product"].notnull() & products[column].notnull())
    newest = [ibis.desc(name, nulls_first=False) for name in ("known_from", "file", "line") if name in rows.columns]
    ranked = rows.select(
        "product",
        **{f"listed_{column}": column},
        rank=ibis.row_number().over(group_by="product", order_by=[*newest, ibis.asc(column)]),
    )
    return ranked.filter(ranked["rank"] == 0).drop("rank")


def _one_row(table: ir.Table, values: Mapping[str, ir.Value]) -> dict[str, int]:
    """Counts over a table, null as 0."""
    if not values:
        return {}
    row = table.agg(**values).to_pyarrow().to_pylist()[0]
    return {name: int(row[name] or 0) for name in values}
