"""Attitude scales from survey items: how reliable they are, how many factors there are, which item belongs where.

Cronbach (1951), "Coefficient alpha and the internal structure of tests"; Feldt (1965) for its interval; McDonald
(1999), "Test Theory", for omega; Horn (1965) and Glorfeld (1995) for parallel analysis; Thurstone (1935) for factor
scores; Hair et al. (2019), "Multivariate Data Analysis", for what counts as a loading.

All of it follows from how the items vary together (:class:`Moments`), which an engine can add up: no answer of anybody
is needed here. Reverse-coded items are turned round before. Figures are of those who answered all the items.
"""

from __future__ import annotations

from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentry.errors import FitError

Floats = NDArray[np.float64]

FEWEST_RESPONDENTS = 30  # below, correlations of items are guesses
GOOD, FAIR = 0.8, 0.7  # Nunnally (1978), section 7: .70 for early research, .80 for basic research
LOADING, GAP = 0.4, 0.1  # an item belongs to a factor it loads on at least so much, and by so much more than on others


@dataclass(frozen=True)
class Moments:
    """How items vary, alone and together, among the respondents who answered all of them.

    Attributes:
        means: (p,) of the items.
        covariance: (p, p), with the divisor respondents - 1.
        respondents: who answered all items.
    """

    means: Floats
    covariance: Floats
    respondents: int

    @property
    def correlation(self) -> Floats:
        """(p, p) correlations of the items."""
        deviations = np.sqrt(self.covariance.diagonal())
        found: Floats = self.covariance / np.outer(deviations, deviations)
        return found


@dataclass(frozen=True)
class Reliability:
    """How well the items of one scale measure one thing.

    Attributes:
        alpha: Cronbach's alpha; at most 1, below 0 when items contradict each other.
        interval: of 95 % for alpha.
        omega: McDonald's omega (total) of a one-factor model; alpha's equal where all items load alike. Two items do
            not identify such a model: theirs is alpha.
        item_total: (p,) correlation of each item with the sum of the others. A negative one is an item that should be
            reverse-coded, or does not belong.
        alpha_without: (p,) alpha if the item were dropped; NaN with two items.
        respondents: who answered all items.
    """

    alpha: float
    interval: tuple[float, float]
    omega: float
    item_total: Floats
    alpha_without: Floats
    respondents: int

    @property
    def verdict(self) -> str:
        """ "good" (alpha at least .8), "fair" (.7), or "weak"."""
        return "good" if self.alpha >= GOOD else "fair" if self.alpha >= FAIR else "weak"


@dataclass(frozen=True)
class ParallelAnalysis:
    """How many factors items have: those with larger eigenvalues than random answers.

    Attributes:
        eigenvalues: (p,) of the correlation matrix of the items, the largest first.
        thresholds: (p,) the quantile of the eigenvalues of as many random, unrelated items.
        draws, quantile, seed: how the thresholds were drawn.
    """

    eigenvalues: Floats
    thresholds: Floats
    draws: int
    quantile: float
    seed: int

    @property
    def factors(self) -> int:
        """Eigenvalues above their threshold before the first that is not."""
        above = self.eigenvalues > self.thresholds
        return int(above.argmin()) if not above.all() else len(above)


@dataclass(frozen=True)
class Factors:
    """Factors behind items, rotated so that each item loads on few (varimax).

    Attributes:
        loadings: (p, f) correlation of each item with each factor; factors by the variance that they explain, each with
            its sign such that most of its items load positively.
        uniqueness: (p,) share of an item's variance that no factor explains.
        explained: (f,) share of the variance of all items.
        respondents: who answered all items.
    """

    loadings: Floats
    uniqueness: Floats
    explained: Floats
    respondents: int

    def members(self) -> tuple[tuple[tuple[int, bool], ...], ...]:
        """For each factor its items, the strongest first, as (item, whether it is reverse-coded).

        An item belongs where its loading is the largest, if that is at least .4 and .1 above its next; else nowhere.
        """
        size = np.abs(self.loadings)
        home = size.argmax(axis=1)
        rest = np.sort(size, axis=1)[:, -2] if size.shape[1] > 1 else np.zeros(len(size))
        clear = (size.max(axis=1) >= LOADING) & (size.max(axis=1) - rest >= GAP)
        found = []
        for factor in range(size.shape[1]):
            items = np.flatnonzero(clear & (home == factor))
            items = items[np.argsort(-size[items, factor], kind="stable")]
            found.append(tuple((int(item), bool(self.loadings[item, factor] < 0)) for item in items))
        return tuple(found)


def moments_of_sums(respondents: int, sums: ArrayLike, products: ArrayLike) -> Moments:
    """The moments from sums over the respondents who answered all items.

    Args:
        respondents: how many those are.
        sums: (p,) sum of each item.
        products: (p, p) sum of the products of each two items.

    Raises:
        FitError: fewer than two items, fewer than 30 respondents, or an item that all answered alike.
    """
    total, crossed = np.asarray(sums, dtype=np.float64), np.asarray(products, dtype=np.float64)
    if len(total) < 2:
        raise FitError(f"A scale of {len(total)} item.", why="How items go together takes at least two of them.")
    if respondents < FEWEST_RESPONDENTS:
        raise FitError(
            f"{respondents} respondents answered all {len(total)} items.",
            why=f"Fewer than {FEWEST_RESPONDENTS} say too little about how items go together.",
            fix="Ask more people, or leave out items that few answered.",
        )
    covariance = (crossed - np.outer(total, total) / respondents) / (respondents - 1)
    constant = np.flatnonzero(covariance.diagonal() <= 1e-12 * np.maximum(1.0, crossed.diagonal()))
    if len(constant):
        raise FitError(
            f"All respondents gave the same answer to item {constant[0] + 1}.",
            why="It tells nobody apart, so it goes with no other item.",
            fix="Leave it out.",
        )
    return Moments(total / respondents, covariance, respondents)


def reliability(of: Moments) -> Reliability:
    """Alpha, omega and how each item fits, of items that are meant to measure one thing."""
    covariance, n = of.covariance, of.respondents
    p = len(covariance)
    rest = covariance.sum(axis=0) - covariance.diagonal()
    variance_of_rest = covariance.sum() - 2 * rest - covariance.diagonal()
    item_total = rest / np.sqrt(covariance.diagonal() * variance_of_rest)
    without = [_alpha(np.delete(np.delete(covariance, i, 0), i, 1)) if p > 2 else np.nan for i in range(p)]
    alpha = _alpha(covariance)
    from scipy.special import fdtri  # noqa: PLC0415

    ends = [float(1 - (1 - alpha) * fdtri(n - 1, (n - 1) * (p - 1), q)) for q in (0.975, 0.025)]
    omega = alpha if p == 2 else _omega(of)
    return Reliability(alpha, (ends[0], ends[1]), omega, item_total, np.array(without), n)


def parallel_analysis(of: Moments, *, draws: int = 200, quantile: float = 0.95, seed: int = 0) -> ParallelAnalysis:
    """How many factors lie behind items, by the eigenvalues of random answers of as many people to as many items.

    The correlation matrices of random normal answers are drawn as Wishart matrices, which takes the same time for any
    number of respondents.
    """
    n, p = of.respondents, len(of.means)
    eigenvalues = np.linalg.eigvalsh(of.correlation)[::-1]
    # Fewer people than items have no Wishart density, but no pattern either: as many as items is the least drawn.
    from scipy.stats import wishart  # noqa: PLC0415  # a second of a command's start

    random = wishart(df=max(n - 1, p), scale=np.eye(p)).rvs(draws, random_state=np.random.default_rng([seed, p]))
    deviations = np.sqrt(np.diagonal(random, axis1=1, axis2=2))
    correlations = random / deviations[:, :, None] / deviations[:, None, :]
    drawn = np.linalg.eigvalsh(correlations)[:, ::-1]
    thresholds: Floats = np.quantile(drawn, quantile, axis=0)
    return ParallelAnalysis(eigenvalues.astype(np.float64), thresholds, draws, quantile, seed)


def explore(of: Moments, factors: int) -> Factors:
    """The factors behind items by maximum likelihood, rotated by varimax (Kaiser 1958).

    Args:
        of: the items; reverse-coded ones show as negative loadings.
        factors: from 1 to p / 2; see :func:`parallel_analysis`.

    Raises:
        FitError: too many factors for the items.
    """
    p = len(of.means)
    if not 1 <= factors <= p // 2:
        raise FitError(
            f"{factors} factors of {p} items.",
            why=f"A factor needs at least two items, so these have from 1 to {p // 2} factors.",
            fix="Ask for as many factors as parallel analysis finds.",
        )
    loadings, uniqueness = _fitted(of, factors)
    loadings = loadings * np.where(np.sum(loadings**3, axis=0) < 0, -1.0, 1.0)
    explained = (loadings**2).sum(axis=0) / p
    order = np.argsort(-explained.round(9), kind="stable")
    return Factors(loadings[:, order], uniqueness, explained[order], of.respondents)


def score_weights(of: Moments, factors: Factors) -> Floats:
    """(p, f) weights of the standardised items in the scores of the factors, by regression (Thurstone 1935).

    The scores have mean 0 and variance 1 among those that the factors were found in.
    """
    weights = np.linalg.solve(of.correlation, factors.loadings)
    spread = np.sqrt(np.einsum("if,ij,jf->f", weights, of.correlation, weights))
    scaled: Floats = weights / spread
    return scaled


def _alpha(covariance: Floats) -> float:
    p = len(covariance)
    return float(p / (p - 1) * (1 - covariance.trace() / covariance.sum()))


def _omega(of: Moments) -> float:
    """Share of the variance of the sum of standardised items that their common factor explains, times the variances."""
    deviations = np.sqrt(of.covariance.diagonal())
    loadings, uniqueness = _fitted(of, 1)
    common = float((loadings[:, 0] * deviations).sum()) ** 2
    return common / (common + float((uniqueness * deviations**2).sum()))


def _fitted(of: Moments, factors: int) -> tuple[Floats, Floats]:
    """(p, f) loadings and (p,) uniqueness of standardised items.

    scikit-learn wants rows: 2p of them have exactly these correlations, a root of the matrix and the same turned round.
    """
    values, vectors = np.linalg.eigh(of.correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0) * len(values)) @ vectors.T
    rotation = "varimax" if factors > 1 else None
    from sklearn.decomposition import FactorAnalysis  # noqa: PLC0415  # a second of a command's start
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415

    model = FactorAnalysis(factors, rotation=rotation, svd_method="lapack", tol=1e-10, max_iter=10_000)
    with catch_warnings():
        # Where an item is all factor (a Heywood case), the last digits take for ever and mean nothing.
        simplefilter("ignore", ConvergenceWarning)
        model.fit(np.vstack([root, -root]))
    return model.components_.T, model.noise_variance_
