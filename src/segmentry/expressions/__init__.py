"""SQL text that a person wrote becomes a validated Ibis expression, here and nowhere else.

Rules over traits (``age_band = '18-24' AND (orders_365d >= 2 OR spend IS NULL)``) and mapped columns over the columns
of a source (``Quantity * "Unit Price"``) are one language: a scalar expression in SQL. Text is never pasted into SQL:

=================  =====================================================
``grammar.py``     which SQL may be written: text to checked syntax tree
``functions.py``   which functions may be called, and casts
``binding.py``     kinds and operators: checked tree to Ibis
``reading.py``     checked tree to plain English
``regions.py``     which values meet a condition, without data
``doubts.py``      what is probably not meant: never, always, AND beside OR
=================  =====================================================

The same expression gives the same answer on every engine, and no value in the data makes it fail: a division by zero,
the logarithm of a negative number, a cast of text that is no number are null. ``LIKE`` minds upper and lower case.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import ibis.expr.types as ir
from sqlglot import exp

from segmentry.errors import ConfigError, did_you_mean
from segmentry.expressions import doubts, regions
from segmentry.expressions.binding import Binder, Reader, any_kind, kind_of, true_or_false
from segmentry.expressions.doubts import Slip
from segmentry.expressions.grammar import checked, written
from segmentry.expressions.reading import phrase
from segmentry.expressions.regions import Column, Seam

__all__ = [
    "Column",
    "Columns",
    "Expression",
    "Reader",
    "Seam",
    "Slip",
    "covered",
    "literals",
    "parse",
    "pieces",
    "reads_as",
    "seams",
    "slips",
]

Columns: TypeAlias = ir.Table | Mapping[str, ir.Value]


@dataclass(frozen=True, eq=False, repr=False)
class Expression:
    """One expression that is known to be well formed: see :func:`parse`.

    ``where`` is the place that errors name. Two expressions are equal when their SQL is.
    """

    where: str
    _tree: exp.Expr

    def __str__(self) -> str:
        return self.sql()

    def __repr__(self) -> str:
        return f"Expression({self.sql()!r}, where={self.where!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.sql() == other.sql()

    def __hash__(self) -> int:
        return hash(self.sql())

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns used, as written, each once.

        >>> parse('Quantity * "Unit Price" + quantity', where="demo").columns
        ('Quantity', 'Unit Price', 'quantity')
        """
        return tuple(dict.fromkeys(_name(node) for node in _columns_of(self._tree)))

    def sql(self) -> str:
        """The expression as one line of DuckDB's SQL, for people and for storing; parsing it gives an equal one.

        What an engine runs is ``ibis.to_sql`` of :meth:`bind`.

        >>> parse("a  is not NULL and b<>'x'", where="demo").sql()
        "NOT a IS NULL AND b <> 'x'"
        """
        return written(self._tree)

    def resolve(self, names: Iterable[str], *, listed: str = "") -> Expression:
        """The same expression with each column spelled as in ``names``.

        A name fits exactly, or as the only one that differs just in upper and lower case. ``listed`` tells where to
        find the list of names; errors repeat it. Raises :class:`ConfigError` for a name that does not fit.

        >>> parse("Orders_365D > 1", where="demo").resolve(["orders_365d"]).columns
        ('orders_365d',)
        """
        known = tuple(names)
        tree = self._tree.copy()
        with _at(self.where):
            for node in _columns_of(tree):
                found = _find(_name(node), known, listed, quoted=node.this.quoted)
                plain = re.fullmatch("[a-z_][a-z0-9_]*", found) and not node.this.quoted
                node.set("this", exp.to_identifier(found, quoted=not plain))
                for part in ("table", "db", "catalog"):
                    node.set(part, None)
        return Expression(self.where, tree)

    def bind(
        self, columns: Columns, *, number: Reader | None = None, time: Reader | None = None, listed: str = ""
    ) -> ir.Value:
        """The Ibis value over these columns.

        Where a text column stands in arithmetic or beside a number, ``number`` turns it into a number; where it
        stands beside a date or in a date function, ``time`` turns it into a timestamp; a cast of it does either. They
        get columns only, never text that was computed. Without them such an expression is refused, and a cast reads
        plain decimals and ISO dates.

        Raises :class:`ConfigError` for an unknown column and for kinds that do not go together.
        """
        return self._bound(columns, number, time, listed, any_kind)

    def condition(
        self, columns: Columns, *, number: Reader | None = None, time: Reader | None = None, listed: str = ""
    ) -> ir.BooleanValue:
        """Like :meth:`bind`, for an expression that must be true or false (null where that is unknown)."""
        return self._bound(columns, number, time, listed, true_or_false)

    def _bound(
        self,
        columns: Columns,
        number: Reader | None,
        time: Reader | None,
        listed: str,
        build: Callable[[Binder, exp.Expr], ir.Value],
    ) -> ir.Value:
        resolved = self.resolve(_names(columns), listed=listed)
        with _at(self.where):
            return build(Binder(lambda name: _column(columns, name), number, time), resolved._tree)


def parse(text: str, *, where: str, names: Iterable[str] = ()) -> Expression:
    """Read and check one expression; its columns are looked up when it is bound.

    ``where`` names the place for errors, such as ``segmentry.yaml:14 segmentations.lifecycle.segments.0.where``. A text
    that is exactly one of ``names`` is that column, even where SQL would read it otherwise (``Customer ID``,
    ``E-Mail``). Raises :class:`ConfigError`.

    >>> parse("orders_365d >= 2", where="demo").columns
    ('orders_365d',)
    >>> parse("Customer ID", where="demo", names=["Customer ID", "Country"]).columns
    ('Customer ID',)
    """
    if text.strip() in names:
        return Expression(where, exp.column(exp.to_identifier(text.strip(), quoted=True)))
    with _at(where):
        return Expression(where, checked(text))


def pieces(expression: Expression) -> tuple[Expression, ...]:
    """The conditions that must all hold: what AND joins at the top.

    >>> [piece.sql() for piece in pieces(parse("a > 1 and (b = 2 and (c or d))", where="demo"))]
    ['a > 1', 'b = 2', 'c OR d']
    """
    tree = expression._tree.unnest()
    if not isinstance(tree, exp.And):
        return (Expression(expression.where, tree),)
    return tuple(piece for part in tree.flatten() for piece in pieces(Expression(expression.where, part)))


def reads_as(expression: Expression, describe: Callable[[str], str]) -> str:
    """The expression in plain English; ``describe`` gives the name for people of each column.

    ``describe`` gets names as they are written: :meth:`Expression.resolve` first to get those of the table.

    >>> rule = parse("orders_365d >= 2 and age_band = '18-24'", where="demo")
    >>> reads_as(rule, {"orders_365d": "orders in 365 days", "age_band": "age band"}.__getitem__)
    "orders in 365 days is at least 2 and age band is '18-24'"
    """
    return phrase(expression._tree, describe)


def slips(expression: Expression, columns: Mapping[str, Column]) -> tuple[Slip, ...]:
    """What is probably not meant in a condition: parts that never or always hold, AND beside OR without brackets.

    ``columns`` says what each column can hold.

    >>> [s.fix for s in slips(parse("a = 'x' and a = 'y'", where="demo"), {"a": Column("category")})]
    ["If either will do: a IN ('x', 'y')."]
    """
    return doubts.slips(expression._tree, columns)


def covered(expression: Expression, others: Iterable[Expression], columns: Mapping[str, Column]) -> bool:
    """Whether whatever meets a condition meets one of some others too; no where that cannot be told.

    >>> rules = [parse(text, where="demo") for text in ("a > 5", "a <= 5", "a between 1 and 9")]
    >>> covered(rules[2], rules[:2], {"a": Column("number")}), covered(rules[0], rules[2:], {"a": Column("number")})
    (True, False)
    """
    return regions.covered(expression._tree, [other._tree for other in others], columns)


def seams(expressions: Iterable[Expression], columns: Mapping[str, Column]) -> tuple[Seam, ...]:
    """Where the ranges of conditions nearly meet: values that none takes, or that two do.

    >>> rules = [parse(text, where="demo") for text in ("a < 100", "a > 100")]
    >>> [seam.text for seam in seams(rules, {"a": Column("number")})]
    ['a of exactly 100']
    """
    return tuple(regions.seams([each._tree for each in expressions], columns))


def literals(expression: Expression) -> tuple[tuple[str, str], ...]:
    """The texts that columns are compared with by = and IN, also where that is negated: (column, text).

    >>> literals(parse("a = 'x' or b not in ('y', 'z')", where="demo"))
    (('a', 'x'), ('b', 'y'), ('b', 'z'))
    """
    return tuple(dict.fromkeys(regions.literals(expression._tree)))


@contextlib.contextmanager
def _at(where: str) -> Iterator[None]:
    """Errors raised inside name the place."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.what}", why=error.why, fix=error.fix) from error.__cause__


def _columns_of(tree: exp.Expr) -> list[exp.Column]:
    """Its columns in the order in which they are written."""
    return list(tree.find_all(exp.Column, bfs=False))


def _name(node: exp.Column) -> str:
    """A name with points in it, such as properties.url, is one name."""
    return ".".join(part.name for part in node.parts)


def _names(columns: Columns) -> tuple[str, ...]:
    return tuple(columns.columns) if isinstance(columns, ir.Table) else tuple(columns)


def _find(name: str, known: tuple[str, ...], listed: str, *, quoted: bool) -> str:
    if name in known:
        return name
    alike = [candidate for candidate in known if candidate.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise ConfigError(
            f"'{name}' may be {' or '.join(alike)}.",
            why="They differ in upper and lower case only.",
            fix="Write the one that is meant exactly so.",
        )
    near = did_you_mean(name, known)
    text = f" Text is written in single quotes: '{name}'." if quoted and not near.startswith("Did") else ""
    raise ConfigError(f"there is no column '{name}'.", why=near, fix=f"{listed}{text}".strip() or "Check the spelling.")


def _column(columns: Columns, name: str) -> ir.Value:
    value = columns[name]
    if not kind_of(value):
        raise ConfigError(
            f"column '{name}' holds values of type {value.type()}.",
            why="Expressions work on numbers, text, true or false, dates and timestamps.",
            fix="Name another column, or convert it in the source.",
        )
    return value
