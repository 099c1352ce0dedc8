"""k-anonymity and l-diversity: which generalisation of quasi-identifiers hides everybody among k - 1 others.

Generalisation is full-domain (Samarati 2001): a column is coarsened in the same way for everybody, so that a rule that
was learned on the coarse values can be applied to the base; local recoding (Mondrian) loses less, but what it makes of
a value depends on who else is there. Some rows may be suppressed instead (Sweeney 2002). The lattice of all choices is
too large to walk for dozens of columns; it is climbed greedily, by the rows hidden per information lost (bottom-up
generalisation, Wang, Yu & Chakraborty 2004), and walked down from the top (top-down specialisation, Fung, Wang & Yu
2005), and the way that loses less is taken. The result is minimal: no single column could be kept finer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentry.errors import FitError

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ladder:
    """One column in ever coarser forms: ``codes`` (steps, n); rows of equal code cannot be told apart. Step 0 is the
    column as it is, the last step has one code for everybody."""

    codes: Ints

    @property
    def top(self) -> int:
        """The last step."""
        return len(self.codes) - 1

    @property
    def losses(self) -> NDArray[np.float64]:
        """(steps,) share of the information that each step loses: 1 - H(coarse) / H(as it is) (de Waal & Willenborg
        1999; the entropy measure of Gionis & Tassa 2009, which speaks of full-domain generalisation the same)."""
        entropies = np.array([_entropy(step) for step in self.codes])
        return 1 - entropies / entropies[0] if entropies[0] > 0 else np.zeros(len(entropies))


@dataclass(frozen=True)
class Risk:
    """How easily somebody in the rows could be found by who knows all quasi-identifiers, and that they are in it.

    Attributes:
        highest: one over the smallest class (the prosecutor's risk, El Emam & Dankar 2008), 0 to 1.
        average: classes over rows: the mean of one over the size of everybody's class.
        unique: share of the rows that are alone in their class.
        smallest: rows of the smallest class.
    """

    highest: float
    average: float
    unique: float
    smallest: int


def classes(codes: Sequence[Ints]) -> Ints:
    """For every row the number of its class: rows that are equal in all columns are one class.

    >>> classes([np.array([1, 1, 2]), np.array([0, 0, 0])])
    array([0, 0, 1])
    """
    found = np.zeros(len(codes[0]) if codes else 0, dtype=np.int64)
    for column in codes:
        _, level = np.unique(column, return_inverse=True)
        _, found = np.unique(found * (int(level.max(initial=0)) + 1) + level, return_inverse=True)
    return found.astype(np.int64)


def risk(of: Ints) -> Risk:
    """The risk of rows whose classes are given; of no rows there is none."""
    sizes = np.bincount(of)
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return Risk(0.0, 0.0, 0.0, 0)
    n, least = int(sizes.sum()), int(sizes.min())
    return Risk(1 / least, len(sizes) / n, float((sizes == 1).sum()) / n, least)


def search(ladders: Sequence[Ladder], k: int, most_suppressed: float) -> tuple[int, ...]:
    """The step of every column at which at most a share of the rows is in classes of fewer than k.

    A ladder of one step is a column that has to stay as it is. O(steps columns n log n) for the sum of all steps;
    deterministic. Raises :class:`FitError` for fewer than k rows, or where columns that have to stay part too many.
    """
    if not ladders:
        return ()
    n = ladders[0].codes.shape[1]
    if n < k:
        raise FitError(
            f"A sample of {n} rows cannot hide anybody among {k}.",
            fix="Draw a larger sample (sample.size), or lower sample.k_anonymity.",
        )
    lattice = _Lattice(ladders, k)
    allowed = int(most_suppressed * n)
    steps = [0] * len(ladders)
    alone = lattice.alone(steps)
    while alone > allowed:
        steps, alone = lattice.climbed(steps, alone)
    # each way runs into dead ends that the other avoids: from the finest up, and from the coarsest down
    ways = [lattice.refined(steps, allowed), lattice.refined([ladder.top for ladder in ladders], allowed)]
    return tuple(min(ways, key=lattice.lost))


def lacking_diversity(of: Ints, values: Ints, least: int) -> NDArray[np.bool_]:
    """(n,) whether a row's class gives its sensitive value away: it has a known one and fewer than ``least`` distinct.

    Distinct l-diversity (Machanavajjhala et al. 2007). ``values`` are codes, -1 where not known; not to know is one of
    the values that are possible. A class in which nothing is known tells nothing.

    >>> lacking_diversity(np.array([0, 0, 1, 1]), np.array([3, 3, 3, 4]), 2)
    array([ True,  True, False, False])
    """
    pairs = np.unique(np.column_stack([of, values]), axis=0)
    count = int(of.max(initial=-1)) + 1
    distinct = np.bincount(pairs[:, 0], minlength=count)
    known = np.bincount(pairs[:, 0], pairs[:, 1] >= 0, minlength=count) > 0
    return np.asarray((known & (distinct < least))[of], dtype=np.bool_)


class _Lattice:
    """Counts, for a choice of steps, the rows in small classes.

    A class is told by the sum of one random 64-bit number per column and code, so that a choice that differs in one
    column costs one pass; two classes of a million agree by chance once in ten million times, and then a choice is
    taken for a little safer than it is: the caller suppresses by exact classes.
    """

    def __init__(self, ladders: Sequence[Ladder], k: int) -> None:
        chance = np.random.default_rng(len(ladders))
        self._k = k
        self._losses = [ladder.losses for ladder in ladders]
        self._tops = [ladder.top for ladder in ladders]
        self._hashes = [
            [chance.integers(0, 2**63, int(codes.max()) + 1, dtype=np.uint64)[codes] for codes in ladder.codes]
            for ladder in ladders
        ]

    def alone(self, steps: Sequence[int]) -> int:
        """Rows in classes of fewer than k."""
        return self._small(self._sum(steps))

    def climbed(self, steps: list[int], alone: int) -> tuple[list[int], int]:
        """One column a step up: the one that hides most rows per information lost, the first of equals."""
        total = self._sum(steps)
        best: tuple[float, int, int] | None = None
        for j in range(len(steps)):
            if steps[j] == self._tops[j]:
                continue
            there = self._small(total - self._hashes[j][steps[j]] + self._hashes[j][steps[j] + 1])
            lost = self._losses[j][steps[j] + 1] - self._losses[j][steps[j]]
            gain = (alone - there + 1) / (lost + 1e-3)  # + 1: where nothing helps yet, the cheapest step goes first
            if best is None or gain > best[0]:
                best = (gain, j, there)
        if best is None:
            raise FitError(
                f"{alone} rows of the sample are in groups of fewer than {self._k} that are drawn on their own.",
                why="A row tells the group that it was drawn from, so that it cannot be hidden among others.",
                fix="Name fewer traits in sample.by, or raise sample.size.",
            )
        _, j, there = best
        return [s + (i == j) for i, s in enumerate(steps)], there

    def refined(self, steps: list[int], allowed: int) -> list[int]:
        """The columns as fine as they can be kept: step by step the one that wins most information per row put at
        risk, the first of equals."""
        alone = self.alone(steps)
        while True:
            total = self._sum(steps)
            best: tuple[float, int, int] | None = None
            for j in range(len(steps)):
                if steps[j] == 0:
                    continue
                there = self._small(total - self._hashes[j][steps[j]] + self._hashes[j][steps[j] - 1])
                won = self._losses[j][steps[j]] - self._losses[j][steps[j] - 1]
                gain = won / (max(there - alone, 0) + 1)
                if there <= allowed and (best is None or gain > best[0]):
                    best = (gain, j, there)
            if best is None:
                return steps
            _, j, alone = best
            steps = [s - (i == j) for i, s in enumerate(steps)]

    def lost(self, steps: Iterable[int]) -> float:
        """The information lost, summed over the columns."""
        return float(sum(losses[step] for losses, step in zip(self._losses, steps, strict=True)))

    def _sum(self, steps: Sequence[int]) -> NDArray[np.uint64]:
        total = np.zeros(len(self._hashes[0][0]), dtype=np.uint64)
        for column, step in zip(self._hashes, steps, strict=True):
            total += column[step]
        return total

    def _small(self, total: NDArray[np.uint64]) -> int:
        _, sizes = np.unique(total, return_counts=True)
        return int(sizes[sizes < self._k].sum())


def _entropy(codes: Ints) -> float:
    shares = np.bincount(codes) / len(codes)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())
