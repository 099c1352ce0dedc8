"""What every way of finding segments has in common, so that one panel of evidence judges them all.

A ``Finder`` finds k segments in a table; a ``Solution`` is what it found. The panel (``choosing``), the stability
(``stability``) and the gaps (``gaps``) ask for nothing else, so a new method is judged as soon as it has a finder.

Symbols: n rows, u distinct rows, p columns, k segments.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from segmentry.errors import FitError
from segmentry.stats.descent import Distinct, Floats, Ints, compress


class Classifier(Protocol):
    """Segments that a row can be placed in."""

    def classify(self, rows: Floats) -> Ints:
        """(n,) segment of each of (n, p) rows; of equally good ones the lowest index."""


class Solution(Classifier, Protocol):
    """Segments found in a table.

    Attributes:
        k: number of segments.
        labels: (n,) segment of every row of the table.
        sizes: (k,) summed weights of the segments; 0 is possible for a class that is nobody's most likely one.
        loss: what the search made as small as it could: a sum of squared errors, a cost, minus a log-likelihood.
        parameters: free parameters of the model, of which ``loss`` is then minus the log-likelihood; None without one.
        overlap: entropy of the memberships, minus the weighted sum of p log p; None without a model.
        starts: independent starts.
        replications: how many of them came to this solution.
    """

    @property
    def k(self) -> int: ...
    @property
    def labels(self) -> Ints: ...
    @property
    def sizes(self) -> Floats: ...
    @property
    def loss(self) -> float: ...
    @property
    def parameters(self) -> int | None: ...
    @property
    def overlap(self) -> float | None: ...
    @property
    def starts(self) -> int: ...
    @property
    def replications(self) -> int: ...


S = TypeVar("S", bound=Solution)


@dataclass(frozen=True)
class Partition:
    """What solutions without a model of the data have in common: a row is in one segment and no other.

    Attributes:
        labels: (n,) segment of every row.
        sizes: (k,) summed weights; numbers of rows if no weights were given.
        starts: how many independent starts were made.
        replications: how many of them ended within 0.1 % of the best result.
        seed: the seed that gives this solution again.
    """

    labels: Ints
    sizes: Floats
    starts: int
    replications: int
    seed: int

    @property
    def k(self) -> int:
        """Number of segments."""
        return len(self.sizes)

    @property
    def parameters(self) -> None:
        """None: there is no model, so there are no information criteria."""

    @property
    def overlap(self) -> None:
        """None: there are no probabilities of belonging."""


class Finder(ABC, Generic[S]):
    """A way of finding segments.

    A finder says only how it searches (``solve``); the rest follows, and is overridden where a method knows better or
    can be quicker.

    Attributes:
        starts: independent starts of a search, as many as this method needs to find its best solution mostly.
    """

    starts: ClassVar[int] = 25

    @abstractmethod
    def solve(self, rows: Floats, weights: Floats, k: int, starts: int, seed: int) -> S:
        """The best k segments that can be found.

        Args:
            rows: (n, p) the table. What its columns are is the finder's business.
            weights: (n,) customers per row.
            starts: independent starts, at least 1. seed: the same seed gives the same solution.
        """

    def table(self, rows: ArrayLike, weights: ArrayLike | None) -> Distinct:
        """The distinct rows of a table, checked. Raises FitError for what this finder cannot work on."""
        return compress(rows, weights, centred=False)

    def most(self, data: Distinct) -> int:
        """The largest number of segments that these rows can tell apart."""
        return int((data.weights > 0).sum())

    def again(self, data: Distinct, k: int, starts: int, rng: np.random.Generator) -> Classifier:
        """A search on a bootstrap sample: where there is something quicker than ``solve`` and about as good, that.

        Args:
            data: the distinct rows of the sample, as ``table`` made them. They may be fewer than k.
        """
        return self.solve(data.values, data.weights, min(k, self.most(data)), starts, int(rng.integers(2**31)))

    def loss(self, rows: Floats, weights: Floats, k: int, starts: int, seed: int) -> float:
        """How tight k segments can be made, to compare tables by: the loss of ``solve``, or of a search that stops
        sooner. On tables without structure a search may have no end in sight."""
        return self.solve(rows, weights, k, starts, seed).loss

    def space(self, rows: Floats) -> Floats:
        """(n, q) the rows as points whose Euclidean distance says how unlike customers are."""
        return rows

    def known(self, rows: Floats) -> npt.NDArray[np.bool_]:
        """(n, p) what of a table is known."""
        return ~np.isnan(rows)

    def ordered(self, rows: Floats) -> npt.NDArray[np.bool_]:
        """(p,) whether the values of a column have an order; by default they are numbers."""
        return np.ones(rows.shape[1], dtype=bool)

    def similarity(self, rows: Floats, solution: S) -> Floats:
        """(n, k) how much each row is like each segment, from 0 to 1 with the sum 1.

        By default exp(-d) in proportion, d the distance to the segment's mean (the gorge plot of Dolnicar, Grün &
        Leisch 2018, section 7.5.1); a model gives its probabilities.
        """
        points = self.space(rows)
        means = means_of(points, solution.labels, np.ones(len(rows)), solution.k)
        distances = np.sqrt(((points[:, None, :] - means) ** 2).sum(axis=2))
        likeness = np.exp(distances.min(axis=1, keepdims=True) - distances)
        shares: Floats = likeness / likeness.sum(axis=1, keepdims=True)
        return shares


def means_of(points: Floats, labels: Ints, weights: Floats, k: int) -> Floats:
    """(k, q) weighted means of the segments; of an empty one infinitely far away."""
    weight = np.bincount(labels, weights, k)
    sums = np.column_stack([np.bincount(labels, weights * column, k) for column in points.T])
    return np.where(weight[:, None] > 0, sums / np.where(weight > 0, weight, 1.0)[:, None], np.inf)


def require_distinct(data: Distinct, k: int) -> None:
    """Raise FitError if there are fewer distinct rows than segments."""
    distinct = int((data.weights > 0).sum())
    if distinct < k:
        raise FitError(
            f"{k} segments were asked for, but the {len(data.inverse)} rows hold only {distinct} different"
            f" {'combination' if distinct == 1 else 'combinations'} of values.",
            why="Equal rows cannot be told apart, so each segment needs at least one combination of its own.",
            fix=f"Ask for at most {distinct} segments, or add traits that tell these customers apart.",
        )
