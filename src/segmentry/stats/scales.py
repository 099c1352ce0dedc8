"""Attitude scales from survey items: how reliable they are, how many factors there are, which item belongs where.

Cronbach (1951), "Coefficient alpha and the internal structure of tests"; McDonald (1999), "Test Theory", for omega;
Horn (1965) and Glorfeld (1995) for parallel analysis; Hair et al. (2019), "Multivariate Data Analysis", for what counts
as a loading.

Items are (n, p) numbers, NaN where a respondent gave no answer; reverse-coded items are turned round before
(:func:`reversed_items`). Every figure is of the respondents who answered all the items, and says how many those are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import wishart
from sklearn.decomposition import FactorAnalysis

from segmentry.errors import FitError

Floats = NDArray[np.float64]

FEWEST_RESPONDENTS = 30  # below, correlations of items are guesses
GOOD, FAIR = 0.8, 0.7  # Nunnally (1978), section 7: .70 for early research, .80 for basic research
LOADING, GAP = 0.4, 0.1  # an item belongs to a factor it loads on at least so much, and by so much more than on others


@dataclass(frozen=True)
class Reliability:
    """How well the items of one scale measure one thing.

    Attributes:
        alpha: Cronbach's alpha; at most 1, below 0 when items contradict each other.
        omega: McDonald's omega (total) of a one-factor model; alpha's equal where all items load alike.
        item_total: (p,) correlation of each item with the sum of the others. A negative one is an item that should be
            reverse-coded, or does not belong.
        alpha_without: (p,) alpha if the item were dropped; NaN with two items.
        respondents: who answered all items.
    """

    alpha: float
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


def reversed_items(items: ArrayLike, reverse: Sequence[bool], lowest: float, highest: float) -> Floats:
    """Items of one answer scale with those that speak against the attitude turned round: 1 becomes 7 on 1 to 7.

    >>> reversed_items([[1, 1], [7, 6]], [False, True], 1, 7).tolist()
    [[1.0, 7.0], [7.0, 2.0]]
    """
    answers = np.asarray(items, dtype=np.float64)
    return np.where(np.asarray(reverse, dtype=bool), lowest + highest - answers, answers)


def reliability(items: ArrayLike) -> Reliability:
    """Alpha, omega and how each item fits, of items that are meant to measure one thing.

    Args:
        items: (n, p) at least two items, NaN where unanswered; reverse-coded ones are turned round already.

    Raises:
        FitError: fewer than two items, fewer than 30 complete respondents, or an item that all answered alike.
    """
    complete = _complete(items, fewest_items=2)
    covariance = np.cov(complete, rowvar=False)
    p = len(covariance)
    rest = covariance.sum(axis=0) - covariance.diagonal()
    variance_of_rest = covariance.sum() - 2 * rest - covariance.diagonal()
    item_total = rest / np.sqrt(covariance.diagonal() * variance_of_rest)
    without = [_alpha(np.delete(np.delete(covariance, i, 0), i, 1)) if p > 2 else np.nan for i in range(p)]
    return Reliability(_alpha(covariance), _omega(complete), item_total, np.array(without), len(complete))


def parallel_analysis(items: ArrayLike, *, draws: int = 200, quantile: float = 0.95, seed: int = 0) -> ParallelAnalysis:
    """How many factors lie behind items, by the eigenvalues of random answers of as many people to as many items.

    The correlation matrices of random normal answers are drawn as Wishart matrices, which takes the same time for any
    number of respondents.
    """
    complete = _complete(items, fewest_items=2)
    n, p = complete.shape
    eigenvalues = np.linalg.eigvalsh(np.corrcoef(complete, rowvar=False))[::-1]
    random = wishart(df=n - 1, scale=np.eye(p)).rvs(draws, random_state=np.random.default_rng([seed, p]))
    deviations = np.sqrt(np.diagonal(random, axis1=1, axis2=2))
    correlations = random / deviations[:, :, None] / deviations[:, None, :]
    drawn = np.linalg.eigvalsh(correlations)[:, ::-1]
    thresholds: Floats = np.quantile(drawn, quantile, axis=0)
    return ParallelAnalysis(eigenvalues.astype(np.float64), thresholds, draws, quantile, seed)


def explore(items: ArrayLike, factors: int) -> Factors:
    """The factors behind items by maximum likelihood, rotated by varimax (Kaiser 1958).

    Args:
        items: (n, p), NaN where unanswered; reverse-coded items show as negative loadings.
        factors: from 1 to p / 2; see :func:`parallel_analysis`.

    Raises:
        FitError: too many factors for the items, or too few respondents.
    """
    complete = _complete(items, fewest_items=3)
    p = complete.shape[1]
    if not 1 <= factors <= p // 2:
        raise FitError(
            f"{factors} factors of {p} items.",
            why=f"A factor needs at least two items, so these have from 1 to {p // 2} factors.",
            fix="Ask for as many factors as parallel analysis finds.",
        )
    standard = _standardised(complete)
    rotation = "varimax" if factors > 1 else None
    model = FactorAnalysis(factors, rotation=rotation, svd_method="lapack", tol=1e-8, max_iter=10_000).fit(standard)
    loadings: Floats = model.components_.T
    loadings = loadings * np.where(np.sum(loadings**3, axis=0) < 0, -1.0, 1.0)
    explained = (loadings**2).sum(axis=0) / p
    order = np.argsort(-explained.round(9), kind="stable")
    return Factors(loadings[:, order], model.noise_variance_, explained[order], len(complete))


def _alpha(covariance: Floats) -> float:
    p = len(covariance)
    return float(p / (p - 1) * (1 - covariance.trace() / covariance.sum()))


def _omega(complete: Floats) -> float:
    """Share of the variance of the sum of standardised items that their common factor explains, times the variances."""
    deviations = complete.std(axis=0, ddof=1)
    model = FactorAnalysis(1, svd_method="lapack", tol=1e-8, max_iter=10_000).fit(_standardised(complete))
    common = float((model.components_[0] * deviations).sum()) ** 2
    return common / (common + float((model.noise_variance_ * deviations**2).sum()))


def _standardised(complete: Floats) -> Floats:
    standard: Floats = (complete - complete.mean(axis=0)) / complete.std(axis=0)
    return standard


def _complete(items: ArrayLike, *, fewest_items: int) -> Floats:
    """The rows without gaps."""
    answers = np.asarray(items, dtype=np.float64)
    if answers.ndim != 2 or answers.shape[1] < fewest_items:
        raise FitError(
            f"The table of items has the shape {answers.shape}.",
            why=f"This needs a column for each of at least {fewest_items} items.",
        )
    complete = answers[np.isfinite(answers).all(axis=1)]
    if len(complete) < FEWEST_RESPONDENTS:
        raise FitError(
            f"{len(complete)} of {len(answers)} respondents answered all {answers.shape[1]} items.",
            why=f"Fewer than {FEWEST_RESPONDENTS} say too little about how items go together.",
            fix="Ask more people, or leave out items that few answered.",
        )
    constant = np.flatnonzero(complete.std(axis=0) == 0)
    if len(constant):
        raise FitError(
            f"All respondents gave the same answer to item {constant[0] + 1}.",
            why="It tells nobody apart, so it goes with no other item.",
            fix="Leave it out.",
        )
    return complete
