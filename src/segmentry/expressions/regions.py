"""Which values meet a condition: reasoning without data, to find conditions that never or always hold.

A region is a union of boxes; a box gives for some columns the values allowed. A value set is a union of intervals and
says whether null is in it. SQL has three truth values, so a region is asked for by what the condition shall be. What
cannot be taken apart (a function, arithmetic, two columns compared, LIKE) counts as a column of its own that is true,
false or null: the reasoning then finds less, but never something that is not so.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from segmentry.expressions.grammar import Constant, constant, written

# A place between values: below all, just below a value (.., 0), just above it (.., 1), above all. As tuples they have
# the order of the places, so that every interval is half open, whatever its ends are.
Cut = tuple[Any, ...]
Spans = tuple[tuple[Cut, Cut], ...]
BELOW: Cut = (0,)
ABOVE: Cut = (2,)
ANY: Spans = ((BELOW, ABOVE),)
_MOST = 2000  # boxes of a region: more are not worth the time
_KINDS: dict[str, tuple[type, ...]] = {"number": (int, float), "category": (str,), "boolean": (bool,)}


class TooManyError(Exception):
    """A region has too many boxes to be worth the time: nothing is known of it."""


@dataclass(frozen=True)
class Values:
    """A set of values of one column; ``null`` says whether null is one of them."""

    spans: Spans
    null: bool

    @property
    def empty(self) -> bool:
        return not self.spans and not self.null

    def __and__(self, other: Values) -> Values:
        pairs = ((max(a, c), min(b, d)) for a, b in self.spans for c, d in other.spans)
        return Values(tuple(sorted((low, high) for low, high in pairs if low < high)), self.null and other.null)


@dataclass(frozen=True)
class Column:
    """What a column can hold: its kind (number, category, boolean) and, of a number, its least and greatest value."""

    kind: str
    least: float | None = None
    most: float | None = None

    @property
    def spans(self) -> Spans:
        if self.kind == "boolean":
            return (*_point(False), *_point(True))
        low = BELOW if self.least is None else _before(self.least)
        return ((low, ABOVE if self.most is None else _after(self.most)),)


Box = Mapping[str, Values]
Region = tuple[Box, ...]
EVERYTHING: Region = ({},)


def region(tree: exp.Expr, columns: Mapping[str, Column], *, truth: bool = True, strict: bool = True) -> Region:
    """Where a condition is true (or false, by ``truth``); not ``strict``: or unknown.

    Raises :class:`TooManyError`.
    """
    node = tree.unnest()
    if isinstance(node, exp.Not):
        return region(node.this, columns, truth=not truth, strict=strict)
    if isinstance(node, exp.And | exp.Or):
        parts = [region(part, columns, truth=truth, strict=strict) for part in node.flatten()]
        return both(parts) if isinstance(node, exp.And) is truth else _kept(itertools.chain(*parts))
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Boolean):  # never unknown
        inner = bool(node.expression.this)
        return region(node.this, columns, truth=inner if truth else not inner, strict=truth)
    if isinstance(node, exp.Boolean):
        return EVERYTHING if bool(node.this) is truth else ()
    return _atom(node, columns, truth, strict)


def both(parts: Iterable[Region]) -> Region:
    """Where all of some regions are."""
    found: Region = EVERYTHING
    for part in parts:
        found = _kept(_meet(a, b) for a in found for b in part)
    return found


def covered(tree: exp.Expr, others: Sequence[exp.Expr], columns: Mapping[str, Column]) -> bool:
    """Whether a condition is true only where one of the others is."""
    try:
        outside = [region(other, columns, truth=False, strict=False) for other in others]
        return not both([region(tree, columns), *outside])
    except TooManyError:
        return False


@dataclass(frozen=True)
class Seam:
    """Where the ranges of two conditions (their positions) meet: values that both take, or that none of all takes.

    ``point``: it is a single value, so one of two signs is probably wrong.
    """

    text: str
    conditions: tuple[int, int]
    twice: bool
    point: bool


def seams(trees: Sequence[exp.Expr], columns: Mapping[str, Column]) -> Iterator[Seam]:
    """The seams between conditions on a number that are otherwise the same."""
    ranges: dict[Any, list[tuple[Cut, Cut, int]]] = {}
    for i, tree in enumerate(trees):
        try:
            boxes = region(tree, columns)
        except TooManyError:
            continue
        for box in boxes:
            for name, values in box.items():
                if name in columns and columns[name].kind == "number":
                    others = tuple(sorted((n, v) for n, v in box.items() if n != name))
                    spans = [(*span, i) for span in values.spans]  # none where only the gaps are asked for: IS NULL
                    if spans:
                        ranges.setdefault((name, others), []).extend(spans)
    for (name, others), found in ranges.items():
        (_, reach, last), *more = sorted(found)
        for low, high, i in more:
            hole = Values(((reach, low),), null=False)
            if reach < low and i != last and not _taken({**dict(others), name: hole}, trees, columns):
                yield Seam(_span(name, reach, low), (last, i), twice=False, point=_one(reach, low))
            elif i != last and reach < high and _one(low, reach):
                yield Seam(_span(name, low, reach), (last, i), twice=True, point=True)
            if high > reach:
                reach, last = high, i


def _taken(box: Box, trees: Sequence[exp.Expr], columns: Mapping[str, Column]) -> bool:
    """Whether the conditions together take every value of a box."""
    try:
        return not both([(box,), *(region(tree, columns, truth=False, strict=False) for tree in trees)])
    except TooManyError:
        return True  # not known: nothing is said


def _one(low: Cut, high: Cut) -> bool:
    """Whether there is one single value between two cuts."""
    return low == (1, low[1], 0) and high == _after(low[1]) if len(low) == len(high) == 3 else False


def _span(name: str, low: Cut, high: Cut) -> str:
    if _one(low, high):
        return f"{name} of exactly {low[1]:g}"
    return f"{name} {'from' if low[2] == 0 else 'above'} {low[1]:g} {'to' if high[2] else 'to below'} {high[1]:g}"


def literals(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    """The texts that columns are compared with by = and IN, also negated: (column, text)."""
    for node in tree.find_all(exp.EQ, exp.NEQ, exp.In):
        for column, other in _sides(node):
            if isinstance(value := constant(other), str):
                yield column, value


def _sides(node: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    left = node.this.unnest()
    if isinstance(node, exp.In):
        if isinstance(left, exp.Column):
            yield from ((left.name, option) for option in node.expressions)
        return
    right = node.expression.unnest()
    if isinstance(left, exp.Column):
        yield left.name, right
    elif isinstance(right, exp.Column):
        yield right.name, left


def _kept(boxes: Iterable[Box]) -> Region:
    """The boxes that are not empty, each once."""
    found: dict[Any, Box] = {}
    for box in boxes:
        if not any(values.empty for values in box.values()):
            found[tuple(sorted(box.items(), key=lambda item: item[0]))] = box
        if len(found) > _MOST:
            raise TooManyError
    return tuple(found.values())


def _meet(a: Box, b: Box) -> Box:
    return {**a, **{name: (a[name] & values if name in a else values) for name, values in b.items()}}


# One comparison -------------------------------------------------------------------------------------------------------


def _before(value: Any) -> Cut:
    return (1, value, 0)


def _after(value: Any) -> Cut:
    return (1, value, 1)


def _point(value: Any) -> Spans:
    return ((_before(value), _after(value)),)


def _others(spans: Spans) -> Spans:
    """All values but those."""
    ends = [BELOW, *itertools.chain(*sorted(spans)), ABOVE]
    return tuple((a, b) for a, b in zip(ends[::2], ends[1::2], strict=True) if a < b)


def _atom(node: exp.Expr, columns: Mapping[str, Column], truth: bool, strict: bool) -> Region:
    """The region of one comparison: over its column, or over itself as a column that is true, false or null."""
    name, spans = _understood(node, columns)
    null = not strict
    if spans is None:
        name, whole = _itself(node), Column("boolean").spans
        spans = _point(not node.args.get("negate"))
    else:
        whole = columns[name].spans
        null = _NULL_IS.get(type(node), null is truth) is truth
    return _kept([{name: Values(whole, null) & Values(spans if truth else _others(spans), True)}])


# Of the comparisons that are never unknown, what they are where the column is null.
_NULL_IS: dict[type[exp.Expr], bool] = {exp.Is: True, exp.NullSafeEQ: False, exp.NullSafeNEQ: True}


def _itself(node: exp.Expr) -> str:
    plain = node.copy()
    plain.set("negate", None)
    return f"({written(plain)})"


def _understood(node: exp.Expr, columns: Mapping[str, Column]) -> tuple[str, Spans | None]:
    """The column of a comparison and the values for which it is true; None where it is not one column beside constants
    of its kind."""
    if isinstance(node, exp.Column):
        known = node.name in columns and columns[node.name].kind == "boolean"
        return node.name, _point(True) if known else None
    turned = _turned(node)
    left = turned.args.get("this")
    left = left.unnest() if isinstance(left, exp.Expr) else None
    if not isinstance(left, exp.Column) or left.name not in columns:
        return "", None
    if isinstance(turned, exp.Is):
        return left.name, () if isinstance(turned.expression, exp.Null) else None
    given = [constant(end) for end in _ends(turned)]
    fits = all(type(value) in _KINDS[columns[left.name].kind] for value in given)
    make = _SPANS.get(type(turned))
    return left.name, make(given) if make and given and fits else None


_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {exp.GT: exp.LT, exp.GTE: exp.LTE, exp.LT: exp.GT, exp.LTE: exp.GTE}


def _turned(node: exp.Expr) -> exp.Expr:
    """5 < x as x > 5."""
    same = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ)
    if not isinstance(node, (*_FLIPPED, *same)) or not isinstance(node.expression.unnest(), exp.Column):
        return node
    if isinstance(node.this.unnest(), exp.Column):
        return node
    return _FLIPPED.get(type(node), type(node))(this=node.expression, expression=node.this)


def _ends(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.In):
        return list(node.expressions)
    if isinstance(node, exp.Between):
        return [node.args["low"], node.args["high"]]
    other = node.args.get("expression")
    return [other] if isinstance(other, exp.Expr) else []


def _between(ends: Sequence[Constant | None]) -> Spans:
    low, high = _before(ends[0]), _after(ends[1])
    return ((low, high),) if low < high else ()


_SPANS: dict[type[exp.Expr], Callable[[Sequence[Constant | None]], Spans]] = {
    exp.EQ: lambda ends: _point(ends[0]),
    exp.NEQ: lambda ends: _others(_point(ends[0])),
    exp.NullSafeEQ: lambda ends: _point(ends[0]),
    exp.NullSafeNEQ: lambda ends: _others(_point(ends[0])),
    exp.GT: lambda ends: ((_after(ends[0]), ABOVE),),
    exp.GTE: lambda ends: ((_before(ends[0]), ABOVE),),
    exp.LT: lambda ends: ((BELOW, _before(ends[0])),),
    exp.LTE: lambda ends: ((BELOW, _after(ends[0])),),
    exp.Between: _between,
    exp.In: lambda ends: tuple(sorted({span for end in ends for span in _point(end)})),
}
