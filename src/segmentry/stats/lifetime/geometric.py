"""Geometric/NBD: customers buy at random at a rate of their own until, after some purchase, they drop out; all of them
with the same probability p.

It is what MBG/NBD (Batislam, Denizel & Filiztekin 2007) becomes when its likelihood goes on rising with a and b: the
data show that customers leave, but not that some do so more readily than others. With theta = p/(1-p) the likelihood is

    Gamma(r+x)/Gamma(r) alpha^r (alpha+T)^-(r+x)  (1+theta)^-(x+1)  (1 + e^d),
    e^d = theta ((alpha+T)/(alpha+t_x))^(r+x),

P(alive) = 1/(1 + e^d), and a customer with rate lambda who is there buys (1 - e^(-lambda p t))/p times in a time t.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.special import digamma, expit, gammaln

from segmentry.stats.lifetime.beta_geo import require_repeaters
from segmentry.stats.lifetime.buying import RATES_RUN_AWAY, BuyingModel, softplus
from segmentry.stats.lifetime.cells import Cells, Floats
from segmentry.stats.lifetime.estimate import LogLikelihood

_RUNS_AWAY: Mapping[tuple[str, str], str] = {
    ("theta", "0"): "Nobody is seen to drop out: everyone goes on buying.",
    ("theta", "infinity"): "Everyone is seen to drop out at once.",
    **RATES_RUN_AWAY,
}
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
_VANISHED = 45.0  # e^-45 is less than the rounding of what it is added to


@dataclass(frozen=True)
class GeometricNbd(BuyingModel):
    """Geometric/NBD: a customer may drop out after each purchase, the first one included; all are alike in that.

    Attributes:
        r, alpha: shape and rate of the gamma distribution of purchase rates; alpha in units of time.
        theta: odds to drop out after a purchase, p/(1-p).
    """

    kind: ClassVar[str] = "Geometric/NBD"

    r: float
    alpha: float
    theta: float

    @classmethod
    def fit_cells(cls, cells: Cells) -> Self:
        """Fit on cells."""
        require_repeaters(cells)
        rate = cells.purchases / cells.observed
        starts = [{"r": r, "alpha": r / rate, "theta": odds} for r, odds in ((0.3, 0.3), (1.0, 0.1), (3.0, 0.03))]
        return cls._climbed(cells, starts, _RUNS_AWAY)

    @classmethod
    def log_likelihood(cls, cells: Cells) -> LogLikelihood:
        """The log-likelihood of the parameters and its slope, both in their logarithms."""
        x = cells.x.values
        at_x, at_T = cells.x.total(cells.n), cells.T.total(cells.n)  # noqa: N806
        x_at_T = cells.T.total(cells.n * x[cells.x.index])  # noqa: N806
        survived = (at_x * (x + 1)).sum()

        def value(logs: Floats) -> tuple[float, Floats]:
            r, alpha, theta = np.exp(logs)
            log_T, log_t = np.log(alpha + cells.T.values), np.log(alpha + cells.t_x.values)  # noqa: N806
            by_T, by_t = 1 / (alpha + cells.T.values), 1 / (alpha + cells.t_x.values)  # noqa: N806
            total = (at_x * (gammaln(r + x) - gammaln(r))).sum() + cells.customers * r * math.log(alpha)
            total -= ((r * at_T + x_at_T) * log_T).sum() + survived * math.log1p(theta)
            by_r = (at_x * (digamma(r + x) - digamma(r))).sum() + cells.customers * math.log(alpha)
            by_r -= (at_T * log_T).sum()
            by_alpha = cells.customers * r / alpha - ((r * at_T + x_at_T) * by_T).sum()
            by_theta = -survived / (1 + theta)
            for block in cells.blocks():
                i, t, T, n = (c[block] for c in (cells.x.index, cells.t_x.index, cells.T.index, cells.n))  # noqa: N806
                longer, shape = log_T[T] - log_t[t], r + x[i]
                grown, share = softplus(math.log(theta) + shape * longer)
                share *= n
                total += (n * grown).sum()
                by_r += (share * longer).sum()
                by_alpha += (share * shape * (by_T[T] - by_t[t])).sum()
                by_theta += share.sum() / theta
            return float(total), np.array([by_r, by_alpha, by_theta]) * (r, alpha, theta)

        return value

    @property
    def dropout(self) -> float:
        """p: probability to drop out after a purchase."""
        return self.theta / (1 + self.theta)

    def _p_alive(self, x: Floats, t_x: Floats, observed: Floats) -> Floats:
        longer = np.log(self.alpha + observed) - np.log(self.alpha + t_x)
        return expit(-(math.log(self.theta) + (self.r + x) * longer))

    def _new_customers(self, time: Floats) -> Floats:
        return self._while_alive(np.full(len(time), self.r), time / self.alpha) * (1 - self.dropout)

    def _living_buy(self, time: float, x: Floats, observed: Floats) -> Floats:
        # Nobody drops out but after a purchase: the next one comes at the customer's rate.
        return -np.expm1(-(self.r + x) * np.log1p(time / (self.alpha + observed)))

    def _living(self, horizon: float, rate: float, x: Floats, observed: Floats) -> Floats:
        shape, scale = self.r + x, self.alpha + observed
        if rate == 0:
            return self._while_alive(shape, horizon / scale)
        # The integral of e^(-rate u) E[lambda e^(-lambda p u)], over v = log(1 + p u/scale), as far as it matters.
        p = self.dropout
        longest = np.minimum(np.log1p(p * min(horizon, _VANISHED / rate) / scale), _VANISHED / shape)
        v = longest[:, None] * _NODES
        powers = np.exp(-shape[:, None] * v - rate / p * scale[:, None] * np.expm1(v))
        return shape / p * longest * np.einsum("ij,j->i", powers, _WEIGHTS)

    def _while_alive(self, shape: Floats, relative: Floats) -> Floats:
        p = self.dropout
        return -np.expm1(-shape * np.log1p(p * relative)) / p
