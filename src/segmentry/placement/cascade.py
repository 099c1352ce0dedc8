"""Cascade: the first condition that holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import ibis
import ibis.expr.types as ir

from segmentry import expressions
from segmentry.placement.reasons import Move, Reason, Why, words
from segmentry.placement.rule import NO_DATA, NO_GOOD_FIT, Rule, add, one_row, placements


@dataclass(frozen=True)
class Cascade(Rule):
    """Ordered conditions; the first that holds takes the customer, ``rest`` takes the others.

    Where nobody is left over ``rest`` is NO_GOOD_FIT: then at most one of the conditions holds for anybody, such as
    those of the leaves of a tree. The fit is always 1 (a condition holds or not) and there is no margin; the runner-up
    is the next condition that holds too, else the rest.
    """

    unseen: ClassVar[str] = "meets only conditions that do not ask for another category"

    conditions: tuple[str, ...]
    rest: int
    kinds: tuple[tuple[str, str], ...] = ()  # (trait, kind) of the traits read

    @property
    def traits(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.kinds)

    @property
    def exclusive(self) -> bool:
        """Whether no two of the conditions hold for one customer."""
        return self.rest == NO_GOOD_FIT

    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        known = [traits[name].notnull().ifelse(1, 0) for name in self.traits]
        held = {
            f"holds_{i}": expressions.parse(text, where=f"condition {i + 1}").condition(traits).fill_null(False)
            for i, text in enumerate(self.conditions)
        }
        return traits.select(*keys, known=add(known) if known else ibis.literal(1), **held)

    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        holds = [prepared[f"holds_{i}"] for i in range(len(self.conditions))]
        first = ibis.cases(*((h, i) for i, h in enumerate(holds)), else_=self.rest)
        return prepared.select(*keys, "known", *(f"holds_{i}" for i in range(len(holds))), first=first.cast("int64"))

    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        runner = ibis.null("int64")
        if not self.exclusive:
            later = [(scored[f"holds_{i}"] & (scored["first"] < i), i) for i in range(len(self.conditions))]
            runner = ibis.cases(*later, (scored["first"] != self.rest, self.rest), else_=runner)
        return placements(
            scored,
            keys,
            index=(scored["known"] > 0).ifelse(scored["first"], NO_DATA),
            fit=ibis.literal(1.0),
            runner=runner.cast("int64"),
            margin=ibis.null("float64"),
            score=ibis.null("string"),
        )

    def why(self, row: Mapping[str, Any], index: int) -> Why:
        table = one_row(row, dict(self.kinds))
        reasons: list[Reason] = []
        moves: list[Move] = []
        for i, text in enumerate(self.conditions):
            whole = expressions.parse(text, where=f"condition {i + 1}")
            pieces = expressions.pieces(whole)
            each = {f"p{j}": p.condition(table).fill_null(False) for j, p in enumerate(pieces)}
            held = table.select(**each).to_pyarrow()
            fails = [p for j, p in enumerate(pieces) if not held.column(f"p{j}")[0].as_py()]
            if i == index:
                reasons += [Reason(_first(p.columns), _shown(row, p), expressions.reads_as(p, words)) for p in pieces]
            elif fails and (index in (NO_DATA, self.rest) or i < index or self.exclusive):
                text_needed = " and ".join(_bracketed(expressions.reads_as(p, words)) for p in fails)
                moves.append(Move(_first(fails[0].columns), _shown(row, fails[0]), None, i, f"if {text_needed}"))
        if index == self.rest:
            reasons.append(Reason("", None, "none of the conditions of the other segments holds"))
        if index == NO_DATA:
            reasons.append(Reason("", None, "none of the traits that the conditions read is known"))
        moves.sort(key=lambda m: m.text.count(" and "))
        return Why(tuple(reasons), tuple(moves[:5]))

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Cascade:
        kinds = tuple((str(n), str(k)) for n, k in body["kinds"])
        return cls(tuple(body["conditions"]), int(body["rest"]), kinds)


def _bracketed(text: str) -> str:
    return f"({text})" if " or " in text else text


def _first(columns: Sequence[str] | frozenset[str]) -> str:
    return next(iter(columns), "")


def _shown(row: Mapping[str, Any], piece: expressions.Expression) -> object:
    return row.get(_first(piece.columns))
