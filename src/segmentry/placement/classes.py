"""Classes: the most probable of some latent classes, given a customer's answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from segmentry import engine
from segmentry.placement.reasons import BEYOND, Move, Reason, Why, figure, weighed, words
from segmentry.placement.rule import NO_DATA, NO_GOOD_FIT, TIE, Rule, add, exact, number, placements, ranked

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NOT_ANSWERED = -1  # the code of an answer that is not there


@dataclass(frozen=True)
class Item:
    """One trait as answers that can be counted.

    A category has ``levels``; a yes/no trait has none and no cuts, its answers are no and yes; a number is cut at
    ``cuts``, ascending, where a value on a cut belongs to the upper band. Every other value counts as not answered.
    ``logs`` are the logarithms of the probability of each answer, a row per class.
    """

    trait: str
    logs: tuple[tuple[float, ...], ...]
    levels: tuple[str, ...] = ()
    cuts: tuple[float, ...] = ()

    def code(self, traits: ir.Table) -> ir.Value:
        """The answer, counted from 0, as an expression; null where there is none."""
        raw = traits[self.trait]
        if self.levels:
            cases = [(raw == level, code) for code, level in enumerate(self.levels)]
        elif self.cuts:
            value = number(raw)
            cases = [*((value < cut, code) for code, cut in enumerate(self.cuts)), (value.notnull(), len(self.cuts))]
        else:
            cases = [(raw, 1), (~raw, 0)]
        return ibis.cases(*cases, else_=ibis.null("int64")).cast("int64")

    def code_of(self, raw: Any) -> int:
        """The answer of one value: the same in Python, to explain one customer."""
        if self.levels:
            return self.levels.index(raw) if raw in self.levels else NOT_ANSWERED
        if raw is None or not abs(float(raw)) < BEYOND:
            return NOT_ANSWERED
        return sum(float(raw) >= cut for cut in self.cuts) if self.cuts else int(bool(raw))

    def answer(self, code: int) -> str:
        """An answer for people: ``is gold``, ``is yes``, ``from 30 to below 45``."""
        if self.levels:
            return f"is {self.levels[code]}"
        if not self.cuts:
            return "is yes" if code else "is no"
        if code == 0:
            return f"is below {figure(self.cuts[0])}"
        if code == len(self.cuts):
            return f"is at least {figure(self.cuts[-1])}"
        return f"is from {figure(self.cuts[code - 1])} to below {figure(self.cuts[code])}"

    def needed(self, code: int, now: int) -> object:
        """The value of the trait that gives another answer; of a band the end that is reached first."""
        if self.levels:
            return self.levels[code]
        if not self.cuts:
            return bool(code)
        return self.cuts[code] if 0 <= code < now else self.cuts[max(code - 1, 0)]

    def expected(self, index: int) -> float:
        """The mean of the log-probability of what the members of a class answer."""
        return exact(sum(math.exp(log) * log for log in self.logs[index]))

    def variance(self, index: int) -> float:
        """The variance of the log-probability of what the members of a class answer."""
        mean = self.expected(index)
        return exact(sum(math.exp(log) * (log - mean) ** 2 for log in self.logs[index]))


@dataclass(frozen=True)
class Classes(Rule):
    """The class that is most probable given the answers (Lazarsfeld & Henry 1968); what is not answered adds nothing.

    The fit is the posterior probability of the class, and the margin how much more probable it is than the runner-up.
    Whether somebody fits nowhere is another question: one may be far more probable in one class than in any other and
    still answer like nobody in it. That is judged by the person-fit index l_z of Drasgow, Levine & Williams (1985): the
    log-probability of the answers in the class, less what its members have on average for these items, in standard
    deviations. So it means the same whatever was answered. Below ``limit`` there is no good fit. A customer of whom
    less than half of the items are known has no data.

    ``priors`` are the logarithms of the shares of the classes.
    """

    unseen: ClassVar[str] = "counts as not known"

    priors: tuple[float, ...]
    items: tuple[Item, ...]
    limit: float

    @property
    def traits(self) -> tuple[str, ...]:
        return tuple(item.trait for item in self.items)

    def prepared(self, traits: ir.Table, keys: Sequence[str]) -> ir.Table:
        return traits.select(*keys, **{f"code_{j}": item.code(traits) for j, item in enumerate(self.items)})

    def scored(self, prepared: ir.Table, keys: Sequence[str]) -> ir.Table:
        """Of each class minus the logarithm of its share times the probability of the answers, and what l_z takes."""
        codes = [prepared[f"code_{j}"] for j in range(len(self.items))]
        given = [code.notnull().ifelse(1, 0).cast("float64") for code in codes]
        columns: dict[str, ir.Value] = {"known": add([code.notnull().ifelse(1, 0) for code in codes])}
        for k, prior in enumerate(self.priors):
            logs = [
                _looked_up(code, [exact(-log) for log in item.logs[k]]).fill_null(0.0)
                for code, item in zip(codes, self.items, strict=True)
            ]
            columns[f"loss_{k}"] = add([*logs, ibis.literal(exact(-prior))])
            columns[f"expected_{k}"] = add([g * item.expected(k) for g, item in zip(given, self.items, strict=True)])
            columns[f"variance_{k}"] = add([g * item.variance(k) for g, item in zip(given, self.items, strict=True)])
        return prepared.select(*keys, **columns)

    def placed(self, scored: ir.Table, keys: Sequence[str]) -> ir.Table:
        ks = range(len(self.priors))
        found = ranked(scored, [f"loss_{k}" for k in ks])

        def own(values: Sequence[ir.Value]) -> ir.Value:
            return _looked_up(found["first"], values)

        # sums of exponentials of differences to the best: none of them overflows, and one of them is 1
        likely = add([engine.exp(found["best"] - found[f"loss_{k}"]) for k in ks])
        second = engine.exp(found["best"] - found["next"]) if len(ks) > 1 else ibis.literal(0.0)
        log_probability = own([-found[f"loss_{k}"] - exact(self.priors[k]) for k in ks])
        spread = own([found[f"variance_{k}"] for k in ks]).sqrt()
        person_fit = engine.ratio(log_probability - own([found[f"expected_{k}"] for k in ks]), spread)
        return placements(
            found,
            keys,
            index=ibis.cases(
                (found["known"] * 2 < len(self.items), NO_DATA),
                (person_fit < exact(self.limit), NO_GOOD_FIT),
                else_=found["first"],
            ),
            fit=1.0 / likely,
            runner=found["runner"],
            margin=(1.0 - second) / likely if len(ks) > 1 else ibis.null("float64"),
            score=ibis.null("string"),
        )

    def why(self, row: Mapping[str, Any], index: int) -> Why:
        codes = np.array([item.code_of(row.get(item.trait)) for item in self.items], dtype=np.int64)
        if index == NO_DATA:
            gone = [item.trait for item, code in zip(self.items, codes, strict=True) if code == NOT_ANSWERED]
            return Why(tuple(Reason(t, row.get(t), _not_answered(t, row.get(t))) for t in gone), ())
        losses = self.losses(codes[None])
        best = int(first_of(losses)[0])
        moves = tuple(self._moves(row, codes, best, index))
        if index == NO_GOOD_FIT or len(self.priors) == 1:
            return Why(self._unlikely(row, codes, best), moves)
        other = next(k for k in losses[0].argsort(kind="stable").tolist() if k != best)
        pull = {j: self.items[j].logs[best][c] - self.items[j].logs[other][c] for j, c in _answered(codes)}

        def told(j: int, weight: float) -> Reason:
            beside = f"{_share(self.items[j].logs[other][codes[j]])} of the runner-up"
            return self._reason(row, j, f"{self._told(j, codes[j], best)}, {beside}", weight)

        return Why(weighed(pull, told), moves)

    def losses(self, codes: Ints) -> Floats:
        """(n, k) what :meth:`scored` computes of each class, for (n, p) codes of the items."""
        found = np.zeros((len(codes), len(self.priors)))
        for item, column in zip(self.items, codes.T, strict=True):
            table = np.array([[exact(-log) for log in row] for row in item.logs])
            found += np.where(column[:, None] == NOT_ANSWERED, 0.0, table.T[column])
        return found + [exact(-prior) for prior in self.priors]

    def person_fit(self, codes: Ints) -> Floats:
        """(n,) l_z of (n, p) codes in the most probable class; infinite where every answer is certain."""
        losses = self.losses(codes)
        best = first_of(losses)
        given = (codes != NOT_ANSWERED).astype(np.float64)
        classes = range(len(self.priors))
        expected = given @ np.array([[item.expected(k) for k in classes] for item in self.items])
        variance = given @ np.array([[item.variance(k) for k in classes] for item in self.items])
        of = np.arange(len(codes)), best
        less = -losses[of] - np.array([exact(prior) for prior in self.priors])[best] - expected[of]
        spread = np.sqrt(variance[of])
        return np.where(spread > 0, less / np.where(spread > 0, spread, 1.0), np.inf)

    def _unlikely(self, row: Mapping[str, Any], codes: Ints, best: int) -> tuple[Reason, ...]:
        """The answers that members of the class seldom give, the most surprising first."""
        surprise = {j: self.items[j].expected(best) - self.items[j].logs[best][c] for j, c in _answered(codes)}
        strange = {j: s for j, s in surprise.items() if s > 0}
        return weighed(strange, lambda j, weight: self._reason(row, j, self._told(j, codes[j], best), weight))

    def _reason(self, row: Mapping[str, Any], j: int, text: str, weight: float) -> Reason:
        trait = self.items[j].trait
        return Reason(trait, row.get(trait), text, weight)

    def _told(self, j: int, code: int, index: int) -> str:
        item = self.items[j]
        return f"{words(item.trait)} {item.answer(code)}: so is {_share(item.logs[index][code])} of the segment"

    def _moves(self, row: Mapping[str, Any], codes: Ints, best: int, index: int) -> list[Move]:
        """The other answers that, one alone, put the customer into another segment, the surest first."""
        changes = [(j, c) for j, item in enumerate(self.items) for c in range(len(item.logs[0])) if c != codes[j]]
        changed = np.repeat(codes[None], len(changes), axis=0)
        changed[np.arange(len(changes)), [j for j, _ in changes]] = [c for _, c in changes]
        losses = self.losses(changed)
        there, fits = first_of(losses), self.person_fit(changed) >= self.limit
        sure = 1 / np.exp(losses.min(axis=1, keepdims=True) - losses).sum(axis=1)
        found = []
        for i in np.argsort(-sure, kind="stable"):
            if fits[i] and (there[i] != best or index == NO_GOOD_FIT):
                j, code = changes[i]
                item = self.items[j]
                text = f"if {words(item.trait)} {item.answer(code)}"
                needed = item.needed(code, int(codes[j]))
                found.append(Move(item.trait, row.get(item.trait), needed, int(there[i]), text))
        return found[:5]

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Classes:
        items = tuple(
            Item(i["trait"], tuple(tuple(row) for row in i["logs"]), tuple(i["levels"]), tuple(i["cuts"]))
            for i in body["items"]
        )
        return cls(tuple(body["priors"]), items, body["limit"])


def _looked_up(index: ir.Value, values: Sequence[ir.Value | float]) -> ir.Value:
    """The value at an index; null where that is null. The null is what makes DuckDB read the others as floats."""
    return ibis.cases(*((index == i, value) for i, value in enumerate(values)), else_=ibis.null("float64"))


def first_of(losses: Floats) -> Ints:
    """(n,) the class of the least of (n, k) losses; of equals the first (law 9)."""
    return (losses <= losses.min(axis=1, keepdims=True) + TIE).argmax(axis=1).astype(np.int64)


def _answered(codes: Ints) -> list[tuple[int, int]]:
    """Position and code of every item that was answered."""
    return [(j, int(code)) for j, code in enumerate(codes) if code != NOT_ANSWERED]


def _share(log: float) -> str:
    return f"{100 * math.exp(log):.0f} %"


def _not_answered(trait: str, value: object) -> str:
    if value is None:
        return f"{words(trait)} is not known"
    return f"{words(trait)} is {value}, which nobody was when the segments were found; it counts as not known"
