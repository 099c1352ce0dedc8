"""NBD: customers buy at random at a rate of their own, and nobody ever leaves.

Ehrenberg 1959, "The pattern of consumer purchases", Applied Statistics 8(1). Purchases are Poisson with rate
lambda ~ Gamma(r, alpha); the likelihood of x of them in T is

    Gamma(r+x)/Gamma(r) alpha^r (alpha+T)^-(r+x).

It is what BG/NBD and Pareto/NBD become when their likelihood goes on rising towards a dropout of nobody: a history is
too short, or a base too loyal, to show that customers leave. Its P(alive) is 1 by assumption, not by evidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.special import digamma, gammaln

from segmentry.stats.lifetime.beta_geo import require_repeaters
from segmentry.stats.lifetime.buying import RATES_RUN_AWAY, BuyingModel
from segmentry.stats.lifetime.cells import Cells, Floats
from segmentry.stats.lifetime.estimate import LogLikelihood


@dataclass(frozen=True)
class Nbd(BuyingModel):
    """NBD: nobody leaves.

    Attributes:
        r, alpha: shape and rate of the gamma distribution of purchase rates; alpha in units of time.
    """

    kind: ClassVar[str] = "NBD"

    r: float
    alpha: float

    @classmethod
    def fit_cells(cls, cells: Cells) -> Self:
        """Fit on cells."""
        require_repeaters(cells)
        rate = cells.purchases / cells.observed
        return cls._climbed(cells, [{"r": r, "alpha": r / rate} for r in (0.3, 1.0, 3.0)], RATES_RUN_AWAY)

    @classmethod
    def log_likelihood(cls, cells: Cells) -> LogLikelihood:
        """The log-likelihood of the parameters and its slope, both in their logarithms."""
        x, ages = cells.x.values, cells.T.values
        at_x, at_T = cells.x.total(cells.n), cells.T.total(cells.n)  # noqa: N806
        x_at_T = cells.T.total(cells.n * x[cells.x.index])  # noqa: N806

        def value(logs: Floats) -> tuple[float, Floats]:
            r, alpha = np.exp(logs)
            longer = np.log(alpha + ages)
            total = (at_x * (gammaln(r + x) - gammaln(r))).sum() + cells.customers * r * math.log(alpha)
            by_r = (at_x * (digamma(r + x) - digamma(r))).sum() + cells.customers * math.log(alpha)
            by_alpha = cells.customers * r / alpha - ((r * at_T + x_at_T) / (alpha + ages)).sum()
            slope = np.array([by_r - (at_T * longer).sum(), by_alpha]) * (r, alpha)
            return float(total - ((r * at_T + x_at_T) * longer).sum()), slope

        return value

    def _p_alive(self, x: Floats, t_x: Floats, observed: Floats) -> Floats:
        del t_x, observed
        return np.ones(len(x))

    def _new_customers(self, time: Floats) -> Floats:
        return self.r / self.alpha * time

    def _living_buy(self, time: float, x: Floats, observed: Floats) -> Floats:
        return -np.expm1(-(self.r + x) * np.log1p(time / (self.alpha + observed)))

    def _living(self, horizon: float, rate: float, x: Floats, observed: Floats) -> Floats:
        length = horizon if rate == 0 else -math.expm1(-rate * horizon) / rate
        return (self.r + x) / (self.alpha + observed) * length
