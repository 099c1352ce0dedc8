"""Prototypes: the closest of some prototypes of numbers and categories, by what is known of a customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.placement.nearest import closest, steps_between
from segmentry.placement.prep import PAST, Prep, known_number, moves_along, within
from segmentry.placement.reasons import Move, Reason, Why, by_score, figure, not_known, words
from segmentry.placement.rule import NO_DATA, NO_GOOD_FIT, Rule, add, exact, number

_UNSEEN = -1  # the code of a level that no segment has as its own
YES, NO = "yes", "no"  # the levels of a trait that is true or false


@dataclass(frozen=True)
class Category:
    """A category and its most frequent level in every segment; yes and no of a trait that is true or false."""

    trait: str
    kind: str
    modes: tuple[str, ...]

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that matter: those that are the most frequent one somewhere."""
        return tuple(dict.fromkeys(self.modes))

    def code(self, traits: ir.Table) -> ir.Value:
        """The position of the level among ``levels``, -1 for every other, null where not known."""
        raw = traits[self.trait]
        if self.kind == "boolean":
            held = [(raw if level == YES else ~raw, i) for i, level in enumerate(self.levels)]
        else:
            held = [(raw == level, i) for i, level in enumerate(self.levels)]
        return ibis.cases(*held, (raw.notnull(), _UNSEEN)).cast("int64")

    def level(self, raw: Any) -> str | None:
        """The level of one value; None where it is not known."""
        if raw is None or self.kind != "boolean":
            return raw
        return YES if raw else NO


@dataclass(frozen=True)
class Prototypes(Rule):
    """The closest of some prototypes (k-prototypes, Huang 1998).

    The squared distance is the sum of (z - c)^2 over the numbers and ``gamma`` for every category whose level is not
    the prototype's, over what is known of a customer, times (traits / known traits). A level that nobody had at the fit
    differs from every prototype. ``fill`` of the preparation is not used. Fit, limit and margin are those of
    :class:`~segmentry.placement.nearest.Nearest`.
    """

    unseen: ClassVar[str] = "differs from every prototype"

    prep: tuple[Prep, ...]
    categories: tuple[Category, ...]
    gamma: float
    centres: tuple[tuple[float, ...], ...]
    typical: tuple[float, ...]
    limit: tuple[float, ...]

    @property
    def traits(self) -> tuple[str, ...]:
        return (*(p.trait for p in self.prep), *(c.trait for c in self.categories))

    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        numbers = {
            f"z{j}": number(traits[p.trait]).notnull().ifelse(p.of(traits), ibis.null("float64"))
            for j, p in enumerate(self.prep)
        }
        codes = {f"c{j}": category.code(traits) for j, category in enumerate(self.categories)}
        known = [number(traits[p.trait]) for p in self.prep] + [traits[c.trait] for c in self.categories]
        return traits.select(*keys, known=add([k.notnull().ifelse(1, 0) for k in known]), **numbers, **codes)

    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        scale = engine.ratio(ibis.literal(float(len(self.traits))), prepared["known"])
        found = {}
        for k, centre in enumerate(self.centres):
            gaps = [prepared[f"z{j}"] - exact(c) for j, c in enumerate(centre)]
            terms = [(gap * gap).fill_null(0.0) for gap in gaps]
            for j, category in enumerate(self.categories):
                other = prepared[f"c{j}"] != category.levels.index(category.modes[k])
                terms.append(ibis.cases((other, exact(self.gamma)), else_=0.0))
            found[f"d{k}"] = add(terms) * scale.fill_null(1.0)
        return prepared.select(*keys, "known", **found)

    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        return closest(scored, keys, self.typical, self.limit, traits=len(self.traits))

    def why(self, row: Mapping[str, Any], index: int) -> Why:
        if index == NO_DATA:
            return not_known(row, self.traits)
        apart = self._apart(row)
        return by_score(
            [sum(parts) for parts in apart],
            None if index == NO_GOOD_FIT else index,
            pull=lambda own, other: [d - c for c, d in zip(apart[own], apart[other], strict=True)],
            reason=lambda j, weight, own: self._reason(j, row, weight, own),
            moves=lambda own, other: self._moves(row, own, other),
        )

    def _numbers(self, row: Mapping[str, Any]) -> list[float | None]:
        """The prepared numbers; None where not known."""
        values = [known_number(row.get(p.trait)) for p in self.prep]
        return [None if v is None else p.of_value(v) for p, v in zip(self.prep, values, strict=True)]

    def _apart(self, row: Mapping[str, Any]) -> list[list[float]]:
        """What every trait adds to the distance from every prototype; 0 where it is not known."""
        z = self._numbers(row)
        levels = [c.level(row.get(c.trait)) for c in self.categories]
        return [
            [0.0 if a is None else (a - c) ** 2 for a, c in zip(z, centre, strict=True)]
            + [
                0.0 if level is None or level == category.modes[k] else self.gamma
                for level, category in zip(levels, self.categories, strict=True)
            ]
            for k, centre in enumerate(self.centres)
        ]

    def _reason(self, j: int, row: Mapping[str, Any], weight: float, own: int) -> Reason:
        trait = self.traits[j]
        value = row.get(trait)
        if j < len(self.prep):
            centre = figure(self.prep[j].back(self.centres[own][j]))
            text = f"{words(trait)} is {figure(float(value or 0))}; the segment's centre is {centre}"
        else:
            category = self.categories[j - len(self.prep)]
            text = f"{words(trait)} is {category.level(value)}, the most frequent in the segment"
        return Reason(trait, value, text, weight)

    def _moves(self, row: Mapping[str, Any], own: int, other: int) -> list[Move]:
        """The change of each single trait, numbers first, that brings the customer into ``other``."""
        apart = self._apart(row)
        gap = sum(apart[other]) - sum(apart[own])
        z = self._numbers(row)

        def leads(j: int, to: float) -> bool:
            past = {**row, self.prep[j].trait: self.prep[j].back(to)}
            return self._nearest(past) == other

        steps = {
            j: step
            for j, step in steps_between(self.prep, self.centres[own], self.centres[other], gap)
            if (here := z[j]) is not None and within(self.prep[j], here + step) and leads(j, here + step * PAST)
        }
        moves = moves_along(row, self.prep, z, steps, other)
        for category in self.categories:
            level = category.modes[other]
            needed_value = level == YES if category.kind == "boolean" else level
            known = row.get(category.trait) is not None and category.level(row[category.trait]) != level
            if known and self._nearest({**row, category.trait: needed_value}) == other:
                text = f"{words(category.trait)} {level}"
                moves.append(Move(category.trait, row[category.trait], needed_value, other, text))
        return moves[:3]

    def _nearest(self, row: Mapping[str, Any]) -> int:
        apart = [sum(parts) for parts in self._apart(row)]
        return min(range(len(apart)), key=lambda k: apart[k])

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Prototypes:
        return cls(
            tuple(Prep(**p) for p in body["prep"]),
            tuple(Category(**{**c, "modes": tuple(c["modes"])}) for c in body["categories"]),
            float(body["gamma"]),
            tuple(tuple(c) for c in body["centres"]),
            tuple(body["typical"]),
            tuple(body["limit"]),
        )
