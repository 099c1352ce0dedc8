"""BG/NBD and MBG/NBD: customers buy at random at a rate of their own until, after some purchase, they drop out.

Purchases of a living customer are Poisson with rate lambda ~ Gamma(r, alpha); after a purchase the customer drops out
with probability p ~ Beta(a, b).

- BG/NBD: Fader, Hardie & Lee 2005, "Counting your customers" the easy way, Marketing Science 24(2). A customer without
  a repeat purchase is alive for certain.
- MBG/NBD: Batislam, Denizel & Filiztekin 2007, Int. J. of Research in Marketing 24(3): the first purchase, too, may be
  the last one.

With m = x (BG) or x + 1 (MBG) chances to drop out that were survived, both have the likelihood

    Gamma(r+x)/Gamma(r) alpha^r (alpha+T)^-(r+x)  B(a, b+m)/B(a, b)  (1 + e^d),
    e^d = [m > 0]  a/(b+m-1)  ((alpha+T)/(alpha+t_x))^(r+x),

and P(alive) = 1/(1 + e^d). Only d needs all of (x, t_x, T); the rest is sums over the values of each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.special import betaln, digamma, expit, gammaln

from segmentry.errors import FitError
from segmentry.stats.lifetime.buying import RATES_RUN_AWAY, BuyingModel, softplus
from segmentry.stats.lifetime.cells import Cells, Floats
from segmentry.stats.lifetime.dropout import (
    beta_nodes,
    discounted_purchases_while_alive,
    purchases_while_alive,
)
from segmentry.stats.lifetime.estimate import LogLikelihood

_RUNS_AWAY: Mapping[tuple[str, str], str] = {
    ("a", "0"): "Nobody is seen to drop out: everyone goes on buying.",
    ("a", "infinity"): "All customers drop out with the same probability.",
    ("b", "0"): "Everyone is seen to drop out at once.",
    **RATES_RUN_AWAY,
}


@dataclass(frozen=True)
class _BetaGeo(BuyingModel):
    _first_may_be_last: ClassVar[int]  # 1: a customer can drop out right after the first purchase

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit_cells(cls, cells: Cells) -> Self:
        """Fit on cells."""
        require_repeaters(cells)
        rate = cells.purchases / cells.observed
        starts = [
            {"r": r, "alpha": r / rate, "a": a, "b": b}
            for r, a, b in ((0.3, 0.8, 2.5), (1.0, 0.5, 5.0), (3.0, 2.0, 20.0))
        ]
        return cls._climbed(cells, starts, _RUNS_AWAY)

    @classmethod
    def log_likelihood(cls, cells: Cells) -> LogLikelihood:
        """The log-likelihood of the parameters and its slope, both in their logarithms."""
        x = cells.x.values
        survived = x + cls._first_may_be_last
        may_be_gone = survived > 0
        at_x = cells.x.total(cells.n)
        at_T = cells.T.total(cells.n)  # noqa: N806
        x_at_T = cells.T.total(cells.n * x[cells.x.index])  # noqa: N806

        def value(logs: Floats) -> tuple[float, Floats]:
            r, alpha, a, b = np.exp(logs)
            log_T, by_T = np.log(alpha + cells.T.values), 1 / (alpha + cells.T.values)  # noqa: N806
            log_odds = np.full(len(x), -np.inf)
            log_odds[may_be_gone] = np.log(a / (b + survived[may_be_gone] - 1))
            gone = _gone(cells, r, alpha, log_odds)
            counts = gammaln(r + x) - gammaln(r) + betaln(a, b + survived) - betaln(a, b)
            total = (at_x * counts).sum() + cells.customers * r * math.log(alpha) - ((r * at_T + x_at_T) * log_T).sum()
            dropped = at_x * (digamma(a + b) - digamma(a + b + survived))
            slope = [
                (at_x * (digamma(r + x) - digamma(r))).sum() + cells.customers * math.log(alpha) - (at_T * log_T).sum(),
                cells.customers * r / alpha - ((r * at_T + x_at_T) * by_T).sum(),
                dropped.sum() + gone.by_x.sum() / a,
                (dropped + at_x * (digamma(b + survived) - digamma(b))).sum()
                - (gone.by_x[may_be_gone] / (b + survived[may_be_gone] - 1)).sum(),
            ]
            slope[0] += gone.by_r
            slope[1] += gone.by_alpha
            return float(total + gone.log_sum), np.array(slope) * (r, alpha, a, b)

        return value

    def _p_alive(self, x: Floats, t_x: Floats, observed: Floats) -> Floats:
        survived = x + self._first_may_be_last
        with np.errstate(divide="ignore"):
            odds = np.where(survived > 0, np.log(self.a) - np.log(self.b + np.maximum(survived, 1) - 1), -np.inf)
        d = odds + (self.r + x) * (np.log(self.alpha + observed) - np.log(self.alpha + t_x))
        return expit(-d)

    def _new_customers(self, time: Floats) -> Floats:
        chance = beta_nodes(self.a, np.array([self.b + self._first_may_be_last]))
        row = np.zeros(len(time), dtype=np.int64)
        bought = purchases_while_alive(chance, row, np.full(len(time), self.r), time / self.alpha)
        return bought * (self.b / (self.a + self.b)) ** self._first_may_be_last

    def _living_buy(self, time: float, x: Floats, observed: Floats) -> Floats:
        # Nobody drops out but after a purchase: the next one comes at the customer's rate.
        return -np.expm1(-(self.r + x) * np.log1p(time / (self.alpha + observed)))

    def _living(self, horizon: float, rate: float, x: Floats, observed: Floats) -> Floats:
        values, row = np.unique(x, return_inverse=True)
        chance = beta_nodes(self.a, self.b + values + self._first_may_be_last)
        scale = self.alpha + observed
        if rate == 0:
            return purchases_while_alive(chance, row, self.r + x, horizon / scale)
        return discounted_purchases_while_alive(chance, row, self.r + x, scale, horizon, rate)


@dataclass(frozen=True)
class BetaGeo(_BetaGeo):
    """BG/NBD: after each repeat purchase a customer may drop out.

    Attributes:
        r, alpha: shape and rate of the gamma distribution of purchase rates; alpha in units of time.
        a, b: of the beta distribution of the probability to drop out after a purchase.
    """

    kind: ClassVar[str] = "BG/NBD"
    _first_may_be_last: ClassVar[int] = 0


@dataclass(frozen=True)
class ModifiedBetaGeo(_BetaGeo):
    """MBG/NBD: a customer may drop out after each purchase, the first one included.

    Attributes:
        r, alpha: shape and rate of the gamma distribution of purchase rates; alpha in units of time.
        a, b: of the beta distribution of the probability to drop out after a purchase.
    """

    kind: ClassVar[str] = "MBG/NBD"
    _first_may_be_last: ClassVar[int] = 1


@dataclass(frozen=True)
class _Gone:
    """Sums over the cells of log(1 + e^d), and of their derivatives; ``by_x``: expected customers gone, at each x."""

    log_sum: float
    by_r: float
    by_alpha: float
    by_x: Floats


def _gone(cells: Cells, r: float, alpha: float, log_odds: Floats) -> _Gone:
    """The only part that depends on x, t_x and T at once. O(cells), one exponential and one logarithm each."""
    log_T, log_t = np.log(alpha + cells.T.values), np.log(alpha + cells.t_x.values)  # noqa: N806
    by_T, by_t = 1 / (alpha + cells.T.values), 1 / (alpha + cells.t_x.values)  # noqa: N806
    log_sum = by_r = by_alpha = 0.0
    by_x = np.zeros(len(log_odds))
    for block in cells.blocks():
        x, t_x, observed, n = (column[block] for column in (cells.x.index, cells.t_x.index, cells.T.index, cells.n))
        longer = log_T[observed] - log_t[t_x]
        shape = r + cells.x.values[x]
        grown, share = softplus(log_odds[x] + shape * longer)
        share *= n
        log_sum += (n * grown).sum()
        by_r += (share * longer).sum()
        by_alpha += (share * shape * (by_T[observed] - by_t[t_x])).sum()
        by_x += np.bincount(x, share, len(by_x))
    return _Gone(float(log_sum), float(by_r), float(by_alpha), by_x)


def require_repeaters(cells: Cells) -> None:
    """Refuse histories in which nobody ever bought again."""
    if not cells.purchases:
        raise FitError(
            f"None of these {cells.customers:,.0f} customers bought again.",
            why="Without a repeat purchase nothing is known about rates of purchases.",
            fix="Use a longer history; if purchases are contracts that are renewed, use ShiftedBetaGeo.",
        )
