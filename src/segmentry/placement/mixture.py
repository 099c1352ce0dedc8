"""Mixture: the most probable of some Gaussian components."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.placement.prep import Prep, known_number, moves_along
from segmentry.placement.reasons import Move, Reason, Why, by_score, figure, no_value, not_known, words
from segmentry.placement.rule import FAR, NO_DATA, NO_GOOD_FIT, Rule, add, exact, number, placements, ranked

_MOST = 1400.0  # half of it is as far as e to the power of a number goes on every engine
_STEPS = 400  # places that are looked at between the ends of a trait, to find what would move a customer


@dataclass(frozen=True)
class Component:
    """One Gaussian component, of prepared numbers z.

    ``factor`` holds the rows of a lower triangle W with W (z - mean) of unit covariance (the inverse of the Cholesky
    factor): row i has i + 1 numbers. ``shift`` is W mean. ``offset`` is the log-determinant of the covariances less
    twice the log of the proportion, so that the sum of (W z - shift)^2 and it is, but for a constant, minus twice the
    log of the probability. ``limit`` is the Mahalanobis distance beyond which there is no good fit.
    """

    factor: tuple[tuple[float, ...], ...]
    shift: tuple[float, ...]
    offset: float
    limit: float

    def squared(self, z: Sequence[float]) -> float:
        """The squared Mahalanobis distance of one customer."""
        rows = zip(self.factor, self.shift, strict=True)
        return sum((sum(w * a for w, a in zip(row, z, strict=False)) - b) ** 2 for row, b in rows)

    def score(self, z: Sequence[float]) -> float:
        return self.squared(z) + self.offset


@dataclass(frozen=True)
class Mixture(Rule):
    """The most probable component of a Gaussian mixture.

    The fit is the probability of the component, the margin how much larger it is than that of the runner-up. Beyond the
    component's limit there is no good fit. Unknown numbers are filled in by the preparation; a customer of whom less
    than half of the traits are known has no data.
    """

    prep: tuple[Prep, ...]
    components: tuple[Component, ...]

    @property
    def traits(self) -> tuple[str, ...]:
        return tuple(p.trait for p in self.prep)

    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        known = add([number(traits[name]).notnull().ifelse(1, 0) for name in self.traits])
        return traits.select(*keys, known=known, **{f"z{j}": p.of(traits) for j, p in enumerate(self.prep)})

    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        shifted, distances = {}, {}
        for k, component in enumerate(self.components):
            for i, (row, shift) in enumerate(zip(component.factor, component.shift, strict=True)):
                terms = [prepared[f"z{j}"] * exact(w) for j, w in enumerate(row) if w]
                shifted[f"y{k}_{i}"] = add(terms) - exact(shift)
        turned = engine.once(prepared.select(*keys, "known", **shifted))
        for k, component in enumerate(self.components):
            parts = [turned[f"y{k}_{i}"] for i in range(len(component.shift))]
            distances[f"m{k}"] = add([part * part for part in parts])
        apart = engine.once(turned.select(*keys, "known", **distances))
        scores = {f"s{k}": apart[f"m{k}"] + exact(c.offset) for k, c in enumerate(self.components)}
        return apart.select(*keys, "known", *distances, **scores)

    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        ks = range(len(self.components))
        second = engine.once(ranked(scored, [f"s{k}" for k in ks]))
        beyond = ibis.cases(
            *((second["first"] == k, second[f"m{k}"].sqrt() > exact(c.limit)) for k, c in enumerate(self.components))
        )
        shares = [_share(second[f"s{k}"] - second["best"]) for k in ks]
        total = engine.once(second.mutate(beyond=beyond, total=add(shares)))
        # values within 1e-9 count as equal, so the first may be a little above the best
        fit = ibis.least(engine.ratio(ibis.literal(1.0), total["total"]), 1.0)
        after = (total["next"] < FAR).ifelse(engine.ratio(_share(total["next"] - total["best"]), total["total"]), 0.0)
        unknown = total["known"] * 2 < len(self.traits)
        return placements(
            total,
            keys,
            index=ibis.cases((unknown, NO_DATA), (total["beyond"], NO_GOOD_FIT), else_=total["first"]),
            fit=fit,
            runner=total["runner"],
            margin=ibis.greatest(fit - after, 0.0) if len(ks) > 1 else ibis.null("float64"),
            score=ibis.null("string"),
        )

    def why(self, row: Mapping[str, Any], index: int) -> Why:
        if index == NO_DATA:
            return not_known(row, self.traits)
        z = [p.of_value(row.get(p.trait)) for p in self.prep]
        return by_score(
            [c.score(z) for c in self.components],
            None if index == NO_GOOD_FIT else index,
            pull=lambda own, other: [self._pull(z, j, own, other) for j in range(len(z))],
            reason=lambda j, weight, own: self._reason(j, row, weight, own),
            moves=lambda _, other: self._moves(row, z, other),
        )

    def means(self) -> list[list[float]]:
        """The mean of every component in prepared numbers: W mean = shift, solved from the top."""
        found = []
        for component in self.components:
            mean: list[float] = []
            for row, shift in zip(component.factor, component.shift, strict=True):
                mean.append((shift - sum(w * m for w, m in zip(row, mean, strict=False))) / row[-1])
            found.append(mean)
        return found

    def _pull(self, z: Sequence[float], j: int, own: int, other: int) -> float:
        """How much of the lead over the runner-up hangs on a trait: what is lost if it were the runner-up's mean."""
        there = [self.means()[other][j] if i == j else a for i, a in enumerate(z)]
        a, b = self.components[own], self.components[other]
        return (b.score(z) - a.score(z)) - (b.score(there) - a.score(there))

    def _reason(self, j: int, row: Mapping[str, Any], weight: float, own: int) -> Reason:
        prep = self.prep[j]
        value = known_number(row.get(prep.trait))
        if value is None:
            gone = no_value(prep.trait, row.get(prep.trait), f"counted as {figure(prep.fill)}")
            return replace(gone, weight=weight)
        mean = figure(prep.back(self.means()[own][j]))
        text = f"{words(prep.trait)} is {figure(value)}; the segment's centre is {mean}"
        return Reason(prep.trait, row.get(prep.trait), text, weight)

    def _moves(self, row: Mapping[str, Any], z: Sequence[float], other: int) -> list[Move]:
        """The smallest change of each single trait that makes ``other`` the most probable."""
        steps = {j: step for j in range(len(z)) if (step := self._step(z, j, other)) is not None}
        return moves_along(row, self.prep, z, steps, other)

    def _step(self, z: Sequence[float], j: int, other: int) -> float | None:
        """How far the customer must go along one prepared number to be in ``other``; None where no way leads there.

        Borders between components are curved, and a third may lie in between: places from here to both ends are tried.
        """
        prep = self.prep[j]
        ends = (prep.of_value(prep.low) - z[j], prep.of_value(prep.high) - z[j])
        tried = sorted((end * i / _STEPS for end in ends for i in range(1, _STEPS + 1)), key=abs)
        return next((step for step in tried if self._best(z, j, step) == other), None)

    def _best(self, z: Sequence[float], j: int, step: float) -> int:
        there = [a + step if i == j else a for i, a in enumerate(z)]
        scores = [c.score(there) for c in self.components]
        return min(range(len(scores)), key=lambda k: scores[k])

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Mixture:
        return cls(
            tuple(Prep(**p) for p in body["prep"]),
            tuple(
                Component(**{**c, "factor": tuple(tuple(row) for row in c["factor"]), "shift": tuple(c["shift"])})
                for c in body["components"]
            ),
        )


def component(
    factor: Sequence[Sequence[float]], mean: Sequence[float], log_determinant: float, proportion: float, limit: float
) -> Component:
    """A component from the inverse of its Cholesky factor (p x p), its mean and its proportion."""
    rows = tuple(tuple(exact(float(w)) for w in row[: i + 1]) for i, row in enumerate(factor))
    shift = tuple(exact(float(sum(w * m for w, m in zip(row, mean, strict=False)))) for row in rows)
    return Component(rows, shift, exact(float(log_determinant - 2 * math.log(proportion))), exact(float(limit)))


def _share(gap: ir.Value) -> ir.Value:
    """The probability that belongs to a score, as a share of the best one's."""
    return engine.exp(ibis.least(gap, _MOST) * -0.5)
