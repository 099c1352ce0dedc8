"""BG/BB: customers who have a chance to buy in each of n periods, until they drop out.

Fader, Hardie & Shang 2010, "Customer-base analysis in a discrete-time noncontractual setting", Marketing Science 29(6).
A living customer buys in a period with probability p ~ Beta(alpha, beta), and drops out at the beginning of each period
with probability theta ~ Beta(gamma, delta). A history is x purchases in n periods, the last of them in period t_x:

    L = B(alpha+x, beta+n-x) B(gamma, delta+n) + sum_{j=t_x}^{n-1} B(alpha+x, beta+j-x) B(gamma+1, delta+j),

over B(alpha, beta) B(gamma, delta). The sum is a difference of two tails that depend on x and where they begin, so
that all histories with the same x share one running sum; the first term is never less than the tail it loses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, digamma

from segmentry.errors import UsageError
from segmentry.stats.lifetime.beta_geo import require_repeaters
from segmentry.stats.lifetime.buying import BuyingModel
from segmentry.stats.lifetime.cells import (
    Cells,
    Floats,
    checked_histories,
    refuse,
    whole_numbers,
)
from segmentry.stats.lifetime.ends import Ends, Pairs
from segmentry.stats.lifetime.estimate import LogLikelihood, Search, maximise

_RUNS_AWAY: Mapping[tuple[str, str], str] = {
    ("gamma", "0"): "Nobody is seen to drop out: everyone goes on buying.",
    ("gamma", "infinity"): "All customers drop out with the same probability.",
    ("alpha", "infinity"): "All customers buy with the same probability.",
    ("beta", "infinity"): "All customers buy with the same probability.",
    ("beta", "0"): "Customers buy in every period.",
    ("alpha", "0"): "Hardly anyone buys again.",
}


_RUNNING = 1 << 20  # numbers of running sums that are held at once
_NEGLIGIBLE = 40.0  # a period discounted by exp(-40) adds nothing
_MOST_PERIODS = 100_000


@dataclass(frozen=True)
class BetaBinomialGeo(BuyingModel):
    """BG/BB: time is counted in periods (weeks, campaigns, annual appeals), in each of which one may buy or not.

    ``frequency`` is the number of periods with a purchase, ``recency`` the last of them, ``T`` the number of periods
    (n), all after the period of the first purchase.

    Attributes:
        alpha, beta: of the beta distribution of the probability to buy in a period.
        gamma, delta: of the beta distribution of the probability to drop out before a period.
    """

    kind: ClassVar[str] = "BG/BB"

    alpha: float
    beta: float
    gamma: float
    delta: float

    @classmethod
    def fit_cells(cls, cells: Cells) -> Self:
        """Fit on cells of whole periods."""
        require_repeaters(cells)
        share = min(cells.purchases / cells.observed, 0.95)
        starts = [
            {"alpha": k * share, "beta": k * (1 - share), "gamma": c, "delta": d}
            for k, c, d in ((1.0, 0.7, 3.0), (3.0, 1.0, 10.0), (2.0, 0.3, 1.0))
        ]
        values, estimate = maximise(
            cls.log_likelihood(cells), Search(cls.kind, starts, _RUNS_AWAY), cells.customers, len(cells)
        )
        return cls(*values, estimate=estimate)

    @classmethod
    def _checked(cls, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> tuple[Floats, Floats, Floats]:
        x, t_x, n = checked_histories(frequency, recency, age)
        whole_numbers("recency", t_x, "the period of the last purchase")
        whole_numbers("T", n, "periods in which the customer could buy")
        refuse(x > t_x, "frequency", x, "There is at most one purchase in a period, so no more than recency says.")
        return x, t_x, n

    @classmethod
    def log_likelihood(cls, cells: Cells) -> LogLikelihood:
        """The log-likelihood of the parameters and its slope, both in their logarithms."""
        pairs = Pairs.of(*(level.values[level.index] for level in (cells.x, cells.t_x, cells.T)))
        x, n = pairs.x[pairs.right], pairs.y[pairs.right]

        def value(logs: Floats) -> tuple[float, Floats]:
            alpha, beta, gamma, delta = np.exp(logs)
            log_tail, by = _tails(pairs, alpha, beta, gamma, delta)
            log_alive = betaln(alpha + x, beta + n - x) + betaln(gamma, delta + n)
            ends = Ends.of(pairs, slice(None), log_alive, log_tail)
            total = (cells.n * ends.log_sum).sum() - cells.customers * (betaln(alpha, beta) + betaln(gamma, delta))
            bought, stayed = digamma(alpha + beta + n), digamma(gamma + delta + n)
            of_alive = [
                digamma(alpha + x) - bought,
                digamma(beta + n - x) - bought,
                digamma(gamma) - stayed,
                digamma(delta + n) - stayed,
            ]
            slope = (np.array(of_alive) * (cells.n * ends.alive)).sum(axis=1)
            slope += (by * pairs.net(slice(None), cells.n * ends.gone, cells.n * ends.late)).sum(axis=1)
            both, other = digamma(alpha + beta), digamma(gamma + delta)
            slope -= cells.customers * (digamma([alpha, beta, gamma, delta]) - [both, both, other, other])
            return float(total), slope * (alpha, beta, gamma, delta)

        return value

    def _p_alive(self, x: Floats, t_x: Floats, observed: Floats) -> Floats:
        pairs = Pairs.of(x, t_x, observed)
        log_tail, _ = _tails(pairs, self.alpha, self.beta, self.gamma, self.delta)
        log_alive = betaln(self.alpha + x, self.beta + observed - x) + betaln(self.gamma, self.delta + observed)
        now = Ends.of(pairs, slice(None), log_alive, log_tail).alive
        return now * (self.delta + observed) / (self.gamma + self.delta + observed)  # in the next period

    def _new_customers(self, time: Floats) -> Floats:
        whole_numbers("time", time, "periods after the first purchase")
        buys = self.alpha / (self.alpha + self.beta) * self.delta / (self.gamma + self.delta)
        later, row = np.unique(time, return_inverse=True)
        return buys * np.array([self._stays(np.zeros(1), t, 0.0)[0] for t in later])[row]

    def _living(self, horizon: float, rate: float, x: Floats, observed: Floats) -> Floats:
        ages, row = np.unique(observed, return_inverse=True)
        chance = (self.alpha + x) / (self.alpha + self.beta + observed)
        return chance * self._stays(ages, horizon, rate)[row]

    def _stays(self, ages: Floats, horizon: float, rate: float) -> Floats:
        """Periods that a customer alive in the next one is there, until a horizon, discounted."""
        last = min(horizon, math.ceil(_NEGLIGIBLE / rate)) if rate else horizon
        if last != math.floor(last) or last > _MOST_PERIODS:
            raise UsageError(
                f"{last:g} periods are to be added up.",
                why=f"It is a whole number, at most {_MOST_PERIODS:,}.",
                fix="Give a horizon in periods.",
            )
        k = np.arange(1, int(last) + 1)
        start = betaln(self.gamma, self.delta + ages + 1)
        return np.array(
            [
                np.exp(betaln(self.gamma, self.delta + n + k) - s - rate * k).sum()
                for n, s in zip(ages, start, strict=True)
            ]
        )


def _tails(pairs: Pairs, alpha: float, beta: float, gamma: float, delta: float) -> tuple[Floats, Floats]:
    """log tail(x, y) of all pairs, and (4, pairs) its derivatives in alpha, beta, gamma and delta.

    tail(x, y) adds up B(alpha+x, beta+j-x) B(gamma+1, delta+j) over j from y to the end: one running sum for each x,
    from the end down, in logarithms; its derivatives are weighted means.
    """
    log_tail, by = np.full(len(pairs.x), -np.inf), np.zeros((4, len(pairs.x)))
    end = int(pairs.end)
    j = np.arange(end)
    dropped = betaln(gamma + 1, delta + j)
    of_dropped = digamma([[gamma + 1], [delta]] + np.array([[0], [1]]) * j) - digamma(gamma + 1 + delta + j)
    bought_at, y = digamma(alpha + beta + j), pairs.y.astype(np.int64)
    values, of = np.unique(pairs.x, return_inverse=True)
    size = max(1, _RUNNING // (5 * max(end, 1)))
    for first in range(0, len(values), size):
        x = values[first : first + size]
        running, slopes = np.full((end + 1, len(x)), -np.inf), np.zeros((end + 1, 4, len(x)))
        of_x = digamma(alpha + x)
        for i in range(end - 1, -1, -1):
            rest = np.maximum(i - x, 0)  # j < x does not happen, and is not looked up
            term = betaln(alpha + x, beta + rest) + dropped[i]
            running[i] = np.logaddexp(running[i + 1], term)
            own = np.exp(term - running[i])
            of_i = np.stack(
                [
                    of_x - bought_at[i],
                    digamma(beta + rest) - bought_at[i],
                    *np.broadcast_to(of_dropped[:, i, None], (2, len(x))),
                ]
            )
            slopes[i] = slopes[i + 1] + own * (of_i - slopes[i + 1])
        here = (of >= first) & (of < first + size)
        log_tail[here] = running[y[here], of[here] - first]
        by[:, here] = slopes[y[here], :, of[here] - first].T
    return log_tail, by
