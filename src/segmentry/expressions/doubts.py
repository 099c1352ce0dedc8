"""Slips in one condition: parts that never or always hold, and AND beside OR without brackets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from segmentry.expressions.grammar import constant, shown, written
from segmentry.expressions.regions import Column, TooManyError, both, region


@dataclass(frozen=True)
class Slip:
    """What is probably not meant: ``kind`` (never, always, mixed), in words, and what to do.

    ``whole``: the condition as a whole never (always) holds, not only a part of it. ``instead`` is, of AND beside OR,
    the condition as it may have been meant, as SQL.
    """

    kind: str
    text: str
    fix: str
    whole: bool = False
    instead: str = ""


def slips(tree: exp.Expr, columns: Mapping[str, Column]) -> tuple[Slip, ...]:
    """The slips of a condition over columns, the innermost first."""
    found = list(_undecided(tree, columns))
    return (*found, *_mixed(tree, columns))


def _undecided(tree: exp.Expr, columns: Mapping[str, Column]) -> Iterator[Slip]:
    """The smallest parts that never hold, or always do where their columns are known."""
    root, told = tree.unnest(), set[int]()
    for node in reversed(list(tree.find_all(*_TRUE_OR_FALSE, bfs=True))):
        if isinstance(node.parent, exp.Column | exp.Cast | exp.Anonymous):
            continue
        if any(id(inner) in told for inner in node.find_all(*_TRUE_OR_FALSE)):
            told.add(id(node))  # what is inside says it
            continue
        for truth, make in ((True, _never), (False, _always)):
            if _is_empty(node, columns, truth):
                told.add(id(node))
                yield make(node, columns, node is root)


_TRUE_OR_FALSE: tuple[type[exp.Expr], ...] = (
    *(exp.And, exp.Or, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Is),
)


def _is_empty(node: exp.Expr, columns: Mapping[str, Column], truth: bool) -> bool:
    try:
        return not region(node, columns, truth=truth)
    except TooManyError:
        return False


def _never(node: exp.Expr, columns: Mapping[str, Column], whole: bool) -> Slip:
    a, b = _pair(node, columns, truth=True)
    text = f"{shown(node)} is never true"
    if a is None or b is None:
        if isinstance(node, exp.Between):
            return Slip("never", f"{text}: its lower end is above the upper one", "Write the lower end first.", whole)
        return Slip("never", text + _bounds(node, columns), "Correct the number, or leave the part out.", whole)
    fix = "Write OR between them if one is enough; else leave one out."
    if isinstance(a, exp.EQ) and isinstance(b, exp.EQ) and (options := _options(a, b)):
        fix = f"If either will do: {options[0]} IN ({options[1]})."
    if len(list(node.flatten())) > 2:
        text += f", as {shown(a)} and {shown(b)} exclude each other"
    else:
        text += ": the two exclude each other"
    return Slip("never", text, fix, whole)


def _always(node: exp.Expr, columns: Mapping[str, Column], whole: bool) -> Slip:
    a, b = _pair(node, columns, truth=False)
    text = f"{shown(node)} is true for everybody of whom it is known"
    if a is None or b is None:
        return Slip("always", text + _bounds(node, columns), "Correct the number, or leave the part out.", whole)
    fix = "Write AND between them if both are meant; else leave one out."
    if isinstance(a, exp.NEQ) and isinstance(b, exp.NEQ) and (options := _options(a, b)):
        fix = f"If neither is meant: {options[0]} NOT IN ({options[1]})."
    return Slip("always", f"{text}: who fails one of them meets the other", fix, whole)


def _pair(node: exp.Expr, columns: Mapping[str, Column], *, truth: bool) -> tuple[exp.Expr | None, exp.Expr | None]:
    """Two of the parts joined in a node that are never true (false) together."""
    if isinstance(node, exp.And | exp.Or):
        for a, b in itertools.combinations([part.unnest() for part in node.flatten()], 2):
            try:
                if not both(region(each, columns, truth=truth) for each in (a, b)):
                    return a, b
            except TooManyError:
                continue
    return None, None


def _options(a: exp.Expr, b: exp.Expr) -> tuple[str, str] | None:
    """The column that two comparisons share, and their constants."""
    if (
        isinstance(a.this, exp.Column)
        and a.this == b.this
        and None not in (constant(a.expression), constant(b.expression))
    ):
        return written(a.this), f"{written(a.expression)}, {written(b.expression)}"
    return None


def _bounds(node: exp.Expr, columns: Mapping[str, Column]) -> str:
    """What the column of a comparison can hold, where it has ends."""
    for column in node.find_all(exp.Column):
        held = columns.get(column.name)
        if held and held.most is not None:
            return f": {column.name} goes from {held.least:g} to {held.most:g}"
        if held and held.least is not None:
            return f": {column.name} is never below {held.least:g}"
    return ""


# AND beside OR --------------------------------------------------------------------------------------------------------


def _mixed(tree: exp.Expr, columns: Mapping[str, Column]) -> Iterator[Slip]:
    """Chains of OR with an AND among them that no brackets close, where the other reading means something else."""
    for node in tree.find_all(exp.Or):
        if isinstance(node.parent, exp.Or):
            continue
        operands = list(node.flatten(unnest=False))
        if not any(isinstance(part, exp.And) for part in operands):
            continue
        other = _other_reading(operands)
        if _same(node, other, columns):
            continue
        meant = other if node is tree else tree.transform(lambda n, old=node, new=other: new if n == old else n)
        yield Slip(
            "mixed",
            f"AND binds closer than OR: {shown(node)} is read as "
            + " OR ".join(f"({written(p)})" if isinstance(p, exp.And) else written(p) for p in operands),
            f"Write the brackets that are meant; the other reading is {written(other)}.",
            instead=written(meant),
        )


def _other_reading(operands: list[exp.Expr]) -> exp.Expr:
    """The same with OR binding closer than AND."""
    groups: list[list[exp.Expr]] = [[]]
    for operand in operands:
        first, *others = operand.flatten(unnest=False) if isinstance(operand, exp.And) else [operand]
        groups[-1].append(first)
        groups += [[other] for other in others]
    return exp.and_(*(exp.paren(exp.or_(*group)) if len(group) > 1 else group[0] for group in groups), copy=True)


def _same(a: exp.Expr, b: exp.Expr, columns: Mapping[str, Column]) -> bool:
    try:
        return not any(
            both([region(x, columns), region(y, columns, truth=False, strict=False)]) for x, y in ((a, b), (b, a))
        )
    except TooManyError:
        return False
