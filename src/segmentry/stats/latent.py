"""Latent class analysis: segments of people who answer alike, found by maximum likelihood on unique answer patterns.

Lazarsfeld & Henry (1968), "Latent Structure Analysis"; Goodman (1974), "Exploratory latent structure analysis using
both identifiable and unidentifiable models"; EM as in Dempster, Laird & Rubin (1977). Within a class the items are
independent. An item that was not answered adds nothing to the likelihood (missing at random).

Three ideas make it quick. Equal patterns are one pattern with a weight: 11 yes/no items have 2,048 at most, however
many people answered. All starts climb together, as two matrix products a step. And where there are very many patterns,
only the starts that lead after a few steps are followed to the end.

Symbols: n respondents, u unique patterns, p items, c categories over all items, k classes, s starts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentry.errors import FitError
from segmentry.stats.descent import Distinct, Floats, Ints, checked_weights
from segmentry.stats.finding import Finder

Progress = Callable[[int, int], None]

MISSING = -1  # the code of an item that was not answered
_TIE = 1e-9  # probabilities closer than this are equal, and the lowest class wins (DESIGN, law 9)
_SAME = 1e-3  # log-likelihoods closer than this are the same maximum
_FLOOR = (
    1e-12  # probabilities are kept off zero by this much, so that an answer never seen in a class is not impossible
)
_CLOSE = 1e-9  # a start has arrived when a step adds less than this to the log-likelihood per unit of weight
_ROUGH = 1e-6  # the same where only the classes matter
_FOLLOWED = 3  # leading starts on a bootstrap sample
_MILD = 1.0  # added to random numbers from 0 to 1 for the first probabilities; .05 to 3 end in the same maxima
_LEFT = 0.1  # a jump takes away at most nine tenths of a probability
_STEPS = 5_000
_SCREEN = 42  # steps after which the leading starts are chosen
_MORE = 10  # times as many starts, where one alone found the best
_CELLS = 4_000_000  # posterior probabilities that are held at once, for all starts together


@dataclass(frozen=True)
class LatentClasses:
    """A latent class model; the largest class comes first.

    Attributes:
        shares: (k,) share of the population in each class.
        probabilities: for each item (k, categories of the item), the probability of each answer in each class.
        log_likelihood: of the data the model was fitted to.
        respondents: summed weight of the respondents with at least one answer.
        entropy_loss: how much the classes overlap: minus the weighted sum of p log p over the posteriors.
        starts: independent starts.
        replications: how many of those that were followed to their end reached this log-likelihood to .001. One or two:
            more starts may find better.
        converged: whether the best start came to rest within the steps allowed.
        seed: the seed that gives this model again.
    """

    shares: Floats
    probabilities: tuple[Floats, ...]
    log_likelihood: float
    respondents: float
    entropy_loss: float
    starts: int
    replications: int
    converged: bool
    seed: int

    @property
    def k(self) -> int:
        """Number of classes."""
        return len(self.shares)

    @property
    def parameters(self) -> int:
        """Free parameters: k - 1 shares, and per class and item one less than its categories."""
        return self.k - 1 + self.k * sum(table.shape[1] - 1 for table in self.probabilities)

    @property
    def aic(self) -> float:
        """Akaike's information criterion; smaller is better."""
        return 2 * self.parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Bayesian information criterion (Schwarz 1978); smaller is better."""
        return self.parameters * math.log(self.respondents) - 2 * self.log_likelihood

    @property
    def icl(self) -> float:
        """Integrated completed likelihood (Biernacki et al. 2000): BIC that also asks for separate classes."""
        return self.bic + 2 * self.entropy_loss

    @property
    def relative_entropy(self) -> float:
        """How clearly people belong to one class, 0 to 1 (Ramaswamy et al. 1993); 1 for a single class."""
        return 1.0 if self.k == 1 else 1 - self.entropy_loss / (self.respondents * math.log(self.k))

    def posterior(self, codes: ArrayLike) -> Floats:
        """(n, k) probability of each class given the answers; of one who answered nothing: the shares.

        Args:
            codes: (n, p) category of each item, counted from 0, or ``MISSING``.
        """
        rows = _checked_codes(codes)
        if rows.shape[1] != len(self.probabilities):
            raise FitError(f"{rows.shape[1]} items were given; the model has {len(self.probabilities)}.")
        logs = np.tile(np.log(self.shares), (len(rows), 1))
        for column, table in zip(rows.T, self.probabilities, strict=True):
            if column.max(initial=MISSING) >= table.shape[1]:
                raise FitError(
                    f"There is a category {column.max()} where the model knows 0 to {table.shape[1] - 1}.",
                    fix=f"Give categories that the model has not seen as {MISSING}, not answered.",
                )
            logs += np.where(column[:, None] == MISSING, 0.0, np.log(table).T[column])
        return _normalised(logs)[0]

    def labels(self, codes: ArrayLike) -> Ints:
        """(n,) the most probable class of each respondent; of equals the first."""
        posterior = self.posterior(codes)
        found: Ints = (posterior >= posterior.max(axis=1, keepdims=True) - _TIE).argmax(axis=1)
        return found.astype(np.int64)


def latent_classes(
    codes: ArrayLike,
    k: int,
    *,
    weights: ArrayLike | None = None,
    categories: Sequence[int] | None = None,
    starts: int = 50,
    seed: int = 0,
    followed: int | None = None,
    progress: Progress | None = None,
) -> LatentClasses:
    """Fit k latent classes to categorical answers by maximum likelihood.

    The same table, weights and seed give the same answer whatever the order of the rows; a row of weight 3 counts as
    three. Who answered nothing is left out.

    Args:
        codes: (n, p) category of each item, counted from 0; ``MISSING`` (-1) where it was not answered.
        k: number of classes, at least 1.
        weights: (n,) respondents per row, at least 0, default 1.
        categories: categories of each item; by default one more than its largest code.
        starts: independent random starts, at least 1. The likelihood has many local maxima: see ``replications``.
        seed: at least 0.
        followed: so many leading starts, after 42 steps, go on to their end (em-EM, Biernacki, Celeux & Govaert 2003);
            by default all for which there is room.
        progress: called with steps done and steps in all, now and then.

    Raises:
        FitError: no answers, or more parameters than the answer patterns can tell apart.

    >>> model = latent_classes([[0, 0, 0], [0, 0, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1]], 2)
    >>> model.shares.round(2).tolist(), model.replications > 1
    ([0.6, 0.4], True)
    """
    if k < 1 or starts < 1:
        raise FitError(f"{k} latent classes with {starts} starts.", why="Both must be at least 1.")
    data = _Patterns.of(_checked_codes(codes), weights, categories)
    _require_identified(data, k)
    climbs = _first(data, k, starts, np.random.default_rng([seed, k]))
    return _settled(data, *_climbed(data, climbs, followed or starts, progress), starts, seed)


@dataclass(frozen=True)
class LatentSolution:
    """Latent classes of the rows of a table, as the panel of evidence sees them (``finding.Solution``).

    Attributes:
        model: the latent class model.
        labels: (n,) the most probable class of each row. sizes: (k,) summed weights of the rows by that class.
    """

    model: LatentClasses
    labels: Ints
    sizes: Floats

    @classmethod
    def of(cls, model: LatentClasses, rows: Floats, weights: Floats) -> LatentSolution:
        """The classes of the rows of a table."""
        labels = model.labels(rows)
        return cls(model, labels, np.bincount(labels, weights, model.k).astype(np.float64))

    @property
    def k(self) -> int:
        """Number of classes."""
        return self.model.k

    @property
    def loss(self) -> float:
        """Minus the log-likelihood."""
        return -self.model.log_likelihood

    @property
    def parameters(self) -> int:
        """Free parameters of the model."""
        return self.model.parameters

    @property
    def overlap(self) -> float:
        """Entropy of the posteriors."""
        return self.model.entropy_loss

    @property
    def starts(self) -> int:
        """Independent starts."""
        return self.model.starts

    @property
    def replications(self) -> int:
        """Starts that reached this log-likelihood."""
        return self.model.replications

    def classify(self, rows: Floats) -> Ints:
        """(n,) the most probable class of each row of codes."""
        return self.model.labels(rows)


@dataclass(frozen=True)
class LatentFinder(Finder[LatentSolution]):
    """Latent classes for the panel of evidence; rows are codes.

    Attributes:
        categories: categories of each item, fixed for all samples.
        steps: whether the categories of each item are steps of a number; those of a yes/no item are.
    """

    categories: tuple[int, ...]
    steps: tuple[bool, ...] = ()
    starts: ClassVar[int] = 10  # on the McDonald's survey all of 10 reach the best likelihood up to 4 classes

    def solve(self, rows: Floats, weights: Floats, k: int, starts: int, seed: int) -> LatentSolution:
        """With more starts where only one of them found the best likelihood; as many as before are followed."""
        for n in (starts, _MORE * starts):
            model = latent_classes(
                rows, k, weights=weights, categories=self.categories, starts=n, seed=seed, followed=starts
            )
            if model.replications > 1 or starts < self.starts:
                break
        return LatentSolution.of(model, rows, weights)

    def most(self, data: Distinct) -> int:
        """Classes that the answer patterns could identify, at most one per pattern that occurs."""
        per_class = sum(self.categories) - len(self.categories)
        identified = math.prod(self.categories) // (per_class + 1)
        return max(1, min(super().most(data), identified))

    def again(self, data: Distinct, k: int, starts: int, rng: np.random.Generator) -> LatentSolution:
        """The leading starts are followed until the classes, not the likelihood, have come to rest."""
        patterns = _Patterns.of(_checked_codes(data.values), data.weights, self.categories)
        climbs, likelihood, _ = _climb(patterns, _first(patterns, min(k, self.most(data)), starts, rng), _SCREEN)
        leading = climbs.at(np.argsort(-likelihood, kind="stable")[:_FOLLOWED])
        climbs, likelihood, resting = _climb(patterns, leading, _STEPS, close=_ROUGH)
        best = int(likelihood.argmax())
        model = _settled(patterns, climbs.at(np.array([best])), 1, bool(resting[best]), starts, 0)
        return LatentSolution.of(model, data.values, data.weights)

    def loss(self, rows: Floats, weights: Floats, k: int, starts: int, seed: int) -> float:
        """Of classes that came to rest: with independent answers the likelihood creeps on for thousands of steps."""
        found = self.again(self.table(rows, weights), k, starts, np.random.default_rng([seed, k]))
        return found.loss

    def known(self, rows: Floats) -> NDArray[np.bool_]:
        """What was answered."""
        return rows != MISSING

    def ordered(self, rows: Floats) -> NDArray[np.bool_]:  # noqa: ARG002
        """Items whose answers are steps, or only two."""
        found: NDArray[np.bool_] = np.array(self.categories) == 2
        return found | np.array(self.steps, dtype=bool) if self.steps else found

    def space(self, rows: Floats) -> Floats:
        """One yes/no column per category, of an item with two only the second; not answered is the mean."""
        columns = []
        for column, size in zip(rows.T, self.categories, strict=True):
            given = column != MISSING
            for category in range(1 if size == 2 else 0, size):
                has = column == category
                columns.append(np.where(given, has, has[given].mean() if given.any() else 0.0))
        return np.column_stack(columns).astype(np.float64)

    def similarity(self, rows: Floats, solution: LatentSolution) -> Floats:
        """The posterior probabilities of the classes."""
        return solution.model.posterior(rows)


def _first(data: _Patterns, k: int, starts: int, rng: np.random.Generator) -> _Climbs:
    """Equal shares and random probabilities."""
    theta = data.per_item(_MILD + rng.random((starts, k, len(data.item))))
    return _Climbs(np.full((starts, k), 1 / k), theta)


@dataclass(frozen=True)
class _Patterns:
    """Unique answer patterns, in lexical order.

    ``ones`` (u, c): 1 where a pattern has the category; ``weights`` (u,): respondents; ``item`` (c,): item of each
    category.
    """

    ones: Floats
    weights: Floats
    item: Ints

    @staticmethod
    def of(rows: Ints, weights: ArrayLike | None, categories: Sequence[int] | None) -> _Patterns:
        weight = checked_weights(weights, len(rows)) * (rows != MISSING).any(axis=1)
        if not weight.any():
            raise FitError("Nobody answered anything.", why="Latent classes are found from answers.")
        patterns, inverse = np.unique(rows, axis=0, return_inverse=True)
        summed = np.bincount(inverse.ravel(), weight, len(patterns)).astype(np.float64)
        patterns, summed = patterns[summed > 0], summed[summed > 0]
        sizes = [int(column.max()) + 1 for column in rows.T] if categories is None else list(categories)
        for j, (column, size) in enumerate(zip(rows.T, sizes, strict=True)):
            if size < 1 or column.max() >= size:
                raise FitError(
                    f"Item {j + 1} has codes up to {column.max()} and {size} categories.",
                    why="Codes count from 0, so the largest is one less than the number of categories.",
                    fix="Leave out items that nobody answered, and give the number of categories of the others.",
                )
        blocks = [patterns[:, [j]] == np.arange(size) for j, size in enumerate(sizes)]
        item = np.repeat(np.arange(len(sizes)), sizes)
        return _Patterns(np.concatenate(blocks, axis=1).astype(np.float64), summed, item)

    @cached_property
    def total(self) -> float:
        return float(self.weights.sum())

    @cached_property
    def first(self) -> Ints:
        """(p,) the first category of each item."""
        return np.flatnonzero(np.diff(self.item, prepend=-1)).astype(np.int64)

    def per_item(self, counts: Floats) -> Floats:
        """(..., c) counts as probabilities within each item; an item without a count gets equal ones."""
        sums = np.add.reduceat(counts, self.first, axis=-1)[..., self.item]
        sizes = np.bincount(self.item)[self.item]
        found = np.where(sums > 0, counts / np.where(sums > 0, sums, 1.0), 1 / sizes)
        return np.maximum(found, _FLOOR)


@dataclass(frozen=True)
class _Climbs:
    """Starts on their way up: ``shares`` (s, k), ``theta`` (s, k, c)."""

    shares: Floats
    theta: Floats

    def at(self, index: Ints | NDArray[np.bool_]) -> _Climbs:
        return _Climbs(self.shares[index], self.theta[index])


def _climbed(data: _Patterns, climbs: _Climbs, most: int, progress: Progress | None) -> tuple[_Climbs, int, bool]:
    """The best start at its maximum, how many others came to it, and whether it has come to rest."""
    room = max(1, _CELLS // (len(data.weights) * climbs.shares.shape[1]))
    screened, reached = zip(
        *(
            _climb(data, climbs.at(np.arange(i, min(i + room, len(climbs.shares)))), _SCREEN, progress)[:2]
            for i in range(0, len(climbs.shares), room)
        ),
        strict=True,
    )
    climbs = _Climbs(np.concatenate([c.shares for c in screened]), np.concatenate([c.theta for c in screened]))
    likelihood = np.concatenate(reached)
    followed = climbs.at(np.argsort(-likelihood, kind="stable")[: max(1, min(room, most))])
    followed, likelihood, resting = _climb(data, followed, _STEPS, progress)
    best = int((likelihood >= likelihood.max() - _SAME / 10).argmax())
    return followed.at(np.array([best])), int((likelihood >= likelihood[best] - _SAME).sum()), bool(resting[best])


def _climb(
    data: _Patterns, climbs: _Climbs, steps: int, progress: Progress | None = None, *, close: float = _CLOSE
) -> tuple[_Climbs, Floats, NDArray[np.bool_]]:
    """EM from every start until it rests or ``steps`` are done: where it is, its log-likelihood, whether it rests.

    Of every three steps the third begins where the first two point to (SQUAREM, scheme S3 of Varadhan & Roland 2008),
    unless that is a worse place: the likelihood never falls.
    """
    shares, theta = climbs.shares.copy(), climbs.theta.copy()
    likelihood = np.full(len(shares), -np.inf)
    moving = np.arange(len(shares))
    for step in range(0, steps, 3):
        here = _Climbs(shares[moving], theta[moving])
        first, start = _step(data, here)
        second, reached = _step(data, first)
        third, jumped = _step(data, _jump(data, here, first, second))
        better = jumped >= reached
        shares[moving] = np.where(better[:, None], third.shares, second.shares)
        theta[moving] = np.where(better[:, None, None], third.theta, second.theta)
        likelihood[moving] = np.where(better, jumped, reached)
        moving = moving[reached - start > close * data.total]
        if not len(moving):
            break
        if progress is not None and step % 30 == 0:
            progress(step, steps)
    resting = np.ones(len(shares), dtype=bool)
    resting[moving] = False
    return _Climbs(shares, theta), likelihood, resting


def _jump(data: _Patterns, here: _Climbs, first: _Climbs, second: _Climbs) -> _Climbs:
    """Where two steps of EM point to."""
    at, one, two = (np.column_stack([c.shares, c.theta.reshape(len(c.shares), -1)]) for c in (here, first, second))
    step, bend = one - at, (two - one) - (one - at)
    curved = np.linalg.norm(bend, axis=1)
    far = np.maximum(np.linalg.norm(step, axis=1) / np.where(curved > 0, curved, 1.0), 1.0)[:, None]
    there = at + 2 * far * step + far**2 * bend
    there = np.maximum(there, _LEFT * two)  # EM only slowly brings back a probability that went to zero
    k = here.shares.shape[1]
    shares = there[:, :k] / there[:, :k].sum(axis=1, keepdims=True)
    return _Climbs(shares, data.per_item(there[:, k:].reshape(here.theta.shape)))


def _step(data: _Patterns, climbs: _Climbs) -> tuple[_Climbs, Floats]:
    """One step of EM for all starts: where it leads, and the log-likelihood of where it began."""
    s, k = climbs.shares.shape
    logs = data.ones @ np.log(climbs.theta).reshape(s * k, -1).T
    posterior, evidence = _normalised(logs.reshape(-1, s, k) + np.log(climbs.shares))
    weighted = posterior.reshape(-1, s * k) * data.weights[:, None]
    counts = (weighted.T @ data.ones).reshape(s, k, -1)
    shares = np.maximum(weighted.sum(axis=0).reshape(s, k) / data.total, _FLOOR)
    return _Climbs(shares, data.per_item(counts)), data.weights @ evidence


def _normalised(logs: Floats) -> tuple[Floats, Floats]:
    """Probabilities over the last axis in proportion to exp(logs), and the logarithm of their sum before."""
    top = logs.max(axis=-1, keepdims=True)
    raised = np.exp(logs - top)
    sums = raised.sum(axis=-1, keepdims=True)
    return raised / sums, (top + np.log(sums))[..., 0]


def _settled(
    data: _Patterns, best: _Climbs, replications: int, converged: bool, starts: int, seed: int
) -> LatentClasses:
    """The model of one start, its classes ordered by size."""
    order = np.lexsort([*best.theta[0].round(9).T[::-1], -best.shares[0].round(9)])
    shares = best.shares[0][order] / best.shares[0].sum()
    theta = best.theta[0][order]
    theta = theta / np.add.reduceat(theta, data.first, axis=1)[:, data.item]
    posterior, evidence = _normalised(data.ones @ np.log(theta).T + np.log(shares))
    overlap = -np.where(posterior > 0, posterior * np.log(np.where(posterior > 0, posterior, 1.0)), 0.0).sum(axis=1)
    return LatentClasses(
        shares=shares,
        probabilities=tuple(np.split(theta, data.first[1:], axis=1)),
        log_likelihood=float(data.weights @ evidence),
        respondents=data.total,
        entropy_loss=float(data.weights @ overlap),
        starts=starts,
        replications=replications,
        converged=converged,
        seed=seed,
    )


def _checked_codes(codes: ArrayLike) -> Ints:
    rows = np.asarray(codes)
    if rows.ndim != 2 or 0 in rows.shape:
        raise FitError(
            f"The table of answers has the shape {rows.shape}.",
            why="Latent classes need at least one respondent and one item.",
        )
    whole = rows.astype(np.int64)
    if not np.array_equal(whole, rows) or whole.min() < MISSING:
        raise FitError(
            "The table of answers holds something else than codes.",
            why=f"A code is a whole number from 0, or {MISSING} where the item was not answered.",
            fix="Number the categories of each item from 0.",
        )
    return whole


def _require_identified(data: _Patterns, k: int) -> None:
    """Raise FitError where there are at least as many parameters as cells of the table of all patterns."""
    sizes = np.bincount(data.item)
    free = k - 1 + k * int((sizes - 1).sum())
    cells = math.prod(int(size) for size in sizes)
    if k > 1 and free > cells - 1:
        raise FitError(
            f"{k} latent classes of {len(sizes)} items have {free} parameters; the items have only {cells}"
            " different answer patterns.",
            why="Several sets of classes would fit equally well, so none can be told from the data.",
            fix="Ask for fewer classes, or add items.",
        )
