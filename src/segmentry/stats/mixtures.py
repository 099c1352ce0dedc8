"""Gaussian mixtures: segments of customers as overlapping clouds, each with a size, a place and a shape of its own.

McLachlan & Peel 2000, "Finite Mixture Models"; fitted by EM (Dempster, Laird & Rubin 1977) with weights per row, which
scikit-learn's GaussianMixture does not take. The likelihood of a mixture has no maximum, as a component may shrink onto
one row: no direction of a component may have a variance below ``FLOOR``. Cutting eigenvalues off there is the best step
under that condition (Ingrassia 2004), so the likelihood still rises from step to step.

Three shapes: ``full`` (each component its own covariances), ``tied`` (one for all), ``diagonal`` (no covariances).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from segmentry.errors import FitError
from segmentry.stats.descent import TIE, Distinct, Floats, Ints, compress, descend, nearest, plus_plus
from segmentry.stats.finding import Finder, require_distinct

Shape = Literal["full", "tied", "diagonal"]
SHAPES: tuple[Shape, ...] = ("full", "tied", "diagonal")

FLOOR = 0.01  # a standard deviation of a tenth of that of all rows
# Distinct rows on which starts are tried; the best is then followed on all.
SEARCH_ROWS = 3_000
_SHORT = 10  # steps of every start before the best go on (Biernacki, Celeux & Govaert 2003: em-EM)
_FOLLOWED = 4
_STEPS = 500
_DONE = 1e-6  # a step that brings less log-likelihood per row is the last
_ROUGH = 1e-3  # the same where only the segments matter
_QUICK = 4  # starts on a bootstrap sample
_SAME = 1e-3  # log-likelihoods per row that differ by less count as equally good


@dataclass(frozen=True)
class Components:
    """The k components of a mixture: (k,) proportions, (k, p) means, (k, p, p) covariances."""

    proportions: Floats
    means: Floats
    covariances: Floats

    def factors(self) -> tuple[Floats, Floats]:
        """(k, p, p) lower triangles W with W (x - mean) of unit covariance, and (k,) log-determinants."""
        cholesky = np.linalg.cholesky(self.covariances)
        logs = 2 * np.log(np.einsum("kii->ki", cholesky)).sum(axis=1)
        return np.linalg.inv(cholesky) * np.tri(self.means.shape[1]), logs


@dataclass(frozen=True)
class MixtureSolution:
    """One mixture; the largest segment comes first, equal sizes in the order of their means.

    Attributes:
        components: in the units of the input.
        shape: of the covariances.
        labels: (n,) most probable component of every row, the lowest index within 1e-9.
        distances: (n,) Mahalanobis distance of every row from the mean of that component.
        sizes: (k,) summed weights of the rows by their labels; a component that is nobody's most probable has none.
        log_likelihood: weighted, of the input.
        entropy: weighted, of the probabilities of all rows; 0 where everybody belongs clearly to one component.
        rows: summed weights.
        starts: how many independent starts were made, replications: how many of those that were followed came within
            .001 per row of the best log-likelihood.
        seed: the seed that gives this solution again.
    """

    components: Components
    shape: Shape
    labels: Ints
    distances: Floats
    sizes: Floats
    log_likelihood: float
    entropy: float
    rows: float
    starts: int
    replications: int
    seed: int

    @property
    def k(self) -> int:
        """Number of components."""
        return len(self.components.means)

    @property
    def parameters(self) -> int:
        """Number of free parameters."""
        k, p = self.components.means.shape
        shapes = {"full": k * p * (p + 1) // 2, "tied": p * (p + 1) // 2, "diagonal": k * p}
        return k - 1 + k * p + shapes[self.shape]

    @property
    def bic(self) -> float:
        """Schwarz 1978: lower is better."""
        return self.parameters * math.log(self.rows) - 2 * self.log_likelihood

    @property
    def icl(self) -> float:
        """BIC plus twice the entropy (Biernacki, Celeux & Govaert 2000): it asks for components that stand apart."""
        return self.bic + 2 * self.entropy

    @property
    def loss(self) -> float:
        """Minus the log-likelihood."""
        return -self.log_likelihood

    @property
    def overlap(self) -> float:
        """The entropy."""
        return self.entropy

    def classify(self, rows: Floats) -> Ints:
        """(m,) most probable component of other rows, the lowest index within 1e-9."""
        return _first(_scores(rows, self.components)[0])


@dataclass(frozen=True)
class MixtureFinder(Finder[MixtureSolution]):
    """Gaussian mixtures of one shape for the panel of evidence."""

    shape: Shape

    def solve(self, rows: Floats, weights: Floats, k: int, starts: int, seed: int) -> MixtureSolution:
        return mixture(rows, k, shape=self.shape, weights=weights, starts=starts, seed=seed)

    def again(self, data: Distinct, k: int, starts: int, rng: np.random.Generator) -> MixtureSolution:
        """The best of a few starts is followed until the segments, not the likelihood, have come to rest."""
        k, few = min(k, self.most(data)), min(starts, _QUICK)
        found, _ = _best_start(data, k, self.shape, few, _ROUGH, rng)
        return _settled(data, found, self.shape, few, 1, 0)

    def similarity(self, rows: Floats, solution: MixtureSolution) -> Floats:
        """The probabilities of the components."""
        return _posteriors(rows, solution.components)[1]


def mixture(
    x: ArrayLike, k: int, *, shape: Shape = "full", weights: ArrayLike | None = None, starts: int = 20, seed: int = 0
) -> MixtureSolution:
    """Fit a mixture of k Gaussian components.

    The same rows, weights and seed give the same answer whatever the order of the rows. A row of weight 3 counts as
    three rows. O((starts + steps) u k p^2) for u distinct rows.

    Args:
        x: (n, p) complete numbers, each column on a scale of about 1 (the caller standardises).
        k: number of components, at least 1.
        shape: of the covariances.
        weights: (n,) customers per row, at least 0, default 1.
        starts: independent starts, at least 1.
        seed: at least 0.

    Raises:
        FitError: missing values, or fewer distinct rows than components.

    >>> mixture([[0.0], [0.2], [9.0], [9.2], [9.4]], 2).sizes
    array([3., 2.])
    """
    if k < 1 or starts < 1:
        raise FitError(f"A mixture of {k} components and {starts} starts.", why="Both must be at least 1.")
    data = compress(x, weights)
    require_distinct(data, k)
    active = data.weighted(data.weights)
    found, replications = _search(active, k, shape, starts, np.random.default_rng([seed, k, SHAPES.index(shape)]))
    return _settled(data, found, shape, starts, replications, seed)


def best_shape(
    x: ArrayLike,
    k: int,
    *,
    shapes: Iterable[Shape] = SHAPES,
    weights: ArrayLike | None = None,
    starts: int = 20,
    seed: int = 0,
) -> MixtureSolution:
    """The mixture of k components with the lowest BIC over some shapes; of equal ones the first."""
    found = [mixture(x, k, shape=shape, weights=weights, starts=starts, seed=seed) for shape in shapes]
    return min(found, key=lambda solution: solution.bic)


# --------------------------------------------------------------------------------------------------------------------


def _search(data: Distinct, k: int, shape: Shape, starts: int, rng: np.random.Generator) -> tuple[Components, int]:
    """The best components found, and how many of the starts that were followed are as good."""
    part = data
    if len(data.values) > SEARCH_ROWS:
        weights = np.zeros(len(data.values))
        drawn = rng.choice(len(data.values), SEARCH_ROWS, replace=False)
        weights[drawn] = data.weights[drawn]
        part = data.weighted(weights)
    found, replications = _best_start(part, k, shape, starts, _DONE, rng)
    if part is data:
        return found, replications
    return _climb(data.values, data.weights, found, shape, _STEPS, _DONE)[0], replications


def _best_start(
    data: Distinct, k: int, shape: Shape, starts: int, done: float, rng: np.random.Generator
) -> tuple[Components, int]:
    x, w = data.values, data.weights
    firsts, _ = descend(data, plus_plus(data, k, starts, rng), tolerance=0.3, moves=False)
    tried = [_climb(x, w, _of_labels(x, w, nearest(x, c)[0], k, shape), shape, _SHORT, done) for c in firsts]
    tried.sort(key=lambda found: -found[1])
    leading = tried[: _FOLLOWED if done == _DONE else 1]
    followed = [_climb(x, w, found, shape, _STEPS, done) for found, _ in leading]
    likelihoods = np.array([likelihood for _, likelihood in followed])
    best = int(likelihoods.argmax())
    return followed[best][0], int((likelihoods >= likelihoods[best] - _SAME * w.sum()).sum())


def _of_labels(x: Floats, w: Floats, labels: Ints, k: int, shape: Shape) -> Components:
    return _components(x, (labels[:, None] == np.arange(k)) * w[:, None], shape)


def _climb(x: Floats, w: Floats, found: Components, shape: Shape, steps: int, done: float) -> tuple[Components, float]:
    """EM until a step brings less than ``done`` per row; the components and their log-likelihood."""
    before, least = -math.inf, done * w.sum()
    for _ in range(steps):
        logs, own = _posteriors(x, found)
        likelihood = float(w @ logs)
        if not likelihood > before + least:
            return found, likelihood
        before = likelihood
        found = _components(x, own * w[:, None], shape)
    return found, float(w @ _posteriors(x, found)[0])


def _scores(x: Floats, found: Components) -> tuple[Floats, Floats]:
    """(k, n) minus twice the log of proportion times density, less p log 2 pi, and (k, n) squared distances.

    Summed left to right, as the database does it.
    """
    factors, logs = found.factors()
    squares = np.empty((len(logs), len(x)))
    for k, factor in enumerate(factors):
        shifted = (x - found.means[k]) @ factor.T
        squares[k] = np.einsum("ij,ij->i", shifted, shifted)
    return squares + (logs - 2 * np.log(found.proportions))[:, None], squares


def _posteriors(x: Floats, found: Components) -> tuple[Floats, Floats]:
    """(n,) log density of every row, and (n, k) probability of every component."""
    scores = _scores(x, found)[0].T
    best = scores.min(axis=1, keepdims=True)
    shares = np.exp(-0.5 * (scores - best))
    total = shares.sum(axis=1, keepdims=True)
    logs = np.log(total[:, 0]) - 0.5 * (best[:, 0] + x.shape[1] * math.log(2 * math.pi))
    return logs, shares / total


def _components(x: Floats, own: Floats, shape: Shape) -> Components:
    """The best components for given (n, k) weights of the rows in them."""
    weight = np.maximum(
        own.sum(axis=0), 1e-10 * own.sum()
    )  # a component that lost everybody stays where it is: nowhere
    means = (own.T @ x) / weight[:, None]
    p = x.shape[1]
    if shape == "diagonal":
        spread = np.maximum((own.T @ (x * x)) / weight[:, None] - means**2, FLOOR)
        covariances = spread[:, :, None] * np.eye(p)
    else:
        covariances = np.stack([(x * column[:, None]).T @ x for column in own.T]) / weight[:, None, None]
        covariances -= means[:, :, None] * means[:, None, :]
        if shape == "tied":
            covariances = np.repeat(
                np.einsum("k,kij->ij", weight, covariances)[None] / weight.sum(), len(weight), axis=0
            )
        covariances = _floored(covariances)
    return Components(weight / weight.sum(), means, covariances)


def _floored(covariances: Floats) -> Floats:
    values, vectors = np.linalg.eigh((covariances + covariances.transpose(0, 2, 1)) / 2)
    raised = np.maximum(values, FLOOR)
    floored: Floats = (vectors * raised[:, None, :]) @ vectors.transpose(0, 2, 1)
    return floored


def _first(scores: Floats) -> Ints:
    labels: Ints = (scores <= scores.min(axis=0) + TIE).argmax(axis=0).astype(np.int64)
    return labels


def _settled(
    data: Distinct, found: Components, shape: Shape, starts: int, replications: int, seed: int
) -> MixtureSolution:
    """Order the components by the rows that are most probably theirs."""
    k = len(found.means)
    sizes = np.bincount(_first(_scores(data.values, found)[0]), data.weights, k)
    order = np.lexsort([*found.means.round(9).T[::-1], -sizes.round(9)])
    ordered = Components(found.proportions[order], found.means[order], found.covariances[order])
    scores, squares = _scores(data.values, ordered)
    labels = _first(scores)
    logs, own = _posteriors(data.values, ordered)
    entropy = -(own * np.log(np.where(own > 0, own, 1.0))).sum(axis=1)
    return MixtureSolution(
        components=Components(ordered.proportions, ordered.means + data.origin, ordered.covariances),
        shape=shape,
        labels=labels[data.inverse],
        distances=np.sqrt(squares[labels, np.arange(len(labels))])[data.inverse],
        sizes=np.bincount(labels, data.weights, k).astype(np.float64),
        log_likelihood=float(data.weights @ logs),
        entropy=float(data.weights @ entropy),
        rows=float(data.weights.sum()),
        starts=starts,
        replications=replications,
        seed=seed,
    )
