"""sBG: customers under contract, who renew or leave at the end of each period.

Fader & Hardie 2007, "How to project customer retention", J. of Interactive Marketing 21(1). A customer leaves at the
end of each period with a probability of its own theta ~ Beta(alpha, beta). Those who are likely to leave leave first,
so that the retention rate rises with tenure although nobody changes:

    S(t) = B(alpha, beta+t)/B(alpha, beta),  retention(t) = S(t)/S(t-1) = (beta+t-1)/(alpha+beta+t-1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, digamma

from segmentry.errors import DataError, FitError, UsageError
from segmentry.stats.lifetime.cells import Floats, checked_counts, columns_of, refuse, tally, whole_numbers
from segmentry.stats.lifetime.estimate import LogLikelihood, Search, maximise
from segmentry.stats.lifetime.model import Model

_RUNS_AWAY: Mapping[tuple[str, str], str] = {
    ("alpha", "infinity"): "All customers leave with the same probability.",
    ("beta", "infinity"): "All customers leave with the same probability.",
    ("alpha", "0"): "Hardly anyone leaves.",
    ("beta", "0"): "Customers leave at once or never.",
}


@dataclass(frozen=True)
class ShiftedBetaGeo(Model):
    """sBG: how long customers stay under contract, in periods.

    Attributes:
        alpha, beta: of the beta distribution of the probability to leave at the end of a period.
    """

    kind: ClassVar[str] = "sBG"

    alpha: float
    beta: float

    @classmethod
    def fit(cls, periods: ArrayLike, left: ArrayLike, counts: ArrayLike | None = None) -> Self:
        """Fit by maximum likelihood; cohorts of different ages may be mixed.

        Args:
            periods: for who left, the period at the end of which (1, 2, ...); for who is there, how many were renewed.
            left: True for who left.
            counts: customers in each row; 1 each by default.

        Raises :class:`DataError` for impossible rows, :class:`FitError` if the data do not determine the model.
        """
        t, gone = columns_of(periods=periods, left=left)
        whole_numbers("periods", t, "periods under contract")
        refuse((gone != 0) & (gone != 1), "left", gone, "It is True or False, 1 or 0.")
        refuse((gone == 1) & (t == 0), "periods", t, "Nobody leaves before the end of the first period, which is 1.")
        n = checked_counts(counts, len(t))
        n = np.ones(len(t)) if n is None else n
        values, cell = np.unique(t, return_inverse=True)
        lost, stayed = (tally(cell, n * (gone == which), len(values)) for which in (1, 0))
        return cls._fit(values, lost, stayed)

    @classmethod
    def fit_survivors(cls, survivors: Sequence[float]) -> Self:
        """Fit on one cohort: how many customers there were at its beginning and after each period.

        >>> regular = ShiftedBetaGeo.fit_survivors([1000, 631, 468, 382, 326, 289, 262, 241])
        >>> round(regular.alpha, 5), round(regular.beta, 5)
        (0.70408, 1.18204)
        """
        (there,) = columns_of(survivors=survivors)
        if len(there) < 2:
            raise DataError("One number of survivors says nothing.", fix="Give the number after each period as well.")
        rising = np.r_[there[0] <= 0, np.diff(there) > 0] | (there < 0)
        refuse(rising, "survivors", there, "Survivors start above 0 and never become more.")
        values = np.arange(1, len(there), dtype=np.float64)
        stayed = np.zeros(len(values))
        stayed[-1] = there[-1]
        return cls._fit(values, -np.diff(there), stayed)

    @classmethod
    def _fit(cls, t: Floats, lost: Floats, stayed: Floats) -> Self:
        customers = float((lost + stayed).sum())
        if not lost.any():
            raise FitError(
                f"None of these {customers:,.0f} customers left.", why="Leaving cannot be learned.", fix="Wait longer."
            )
        if (t[lost > 0] <= 1).all() and not (stayed * t).any():
            raise FitError(
                f"All of these {customers:,.0f} customers left after the first period or were never due.",
                why="How retention changes with tenure cannot be learned.",
                fix="Observe more periods.",
            )
        at_risk = (lost * t).sum() + (stayed * t).sum()
        churn = lost.sum() / at_risk
        starts = [{"alpha": k * churn, "beta": k * (1 - churn)} for k in (1.0, 3.0, 10.0)]
        search = Search(cls.kind, starts, _RUNS_AWAY)
        values, estimate = maximise(
            log_likelihood(t, lost, stayed), search, customers, int(np.count_nonzero([lost, stayed]))
        )
        return cls(*values, estimate=estimate)

    def survival(self, periods: ArrayLike) -> Floats:
        """S(t): share of a new cohort that is left after each of these numbers of periods."""
        return np.exp(betaln(self.alpha, self.beta + _whole(periods)) - betaln(self.alpha, self.beta))

    def retention(self, period: ArrayLike) -> Floats:
        """Share of those there in period t (1, 2, ...) who renew at its end."""
        t = _whole(period)
        if (t < 1).any():
            raise UsageError("There is no period 0.", why="The first period is 1.")
        return (self.beta + t - 1) / (self.alpha + self.beta + t - 1)

    def discounted_periods(self, discount: float, renewals: ArrayLike, horizon: float = math.inf) -> Floats:
        """Payments still expected of customers who have renewed so many times, the next renewal being due.

        Fader & Hardie 2010, "Customer-base valuation in a contractual setting", Marketing Science 29(1), "discounted
        expected residual lifetime": payment k from now, k = 0, 1, ..., is made by those who renew k + 1 more times, and
        counts as (1 + discount)^-k. ``horizon``: payments at most.

        Raises :class:`UsageError` if both the horizon is infinite and the discount 0.
        """
        if not (discount >= 0 and math.isfinite(discount)) or not horizon >= 0:
            raise UsageError(f"discount is {discount}, horizon is {horizon}.", why="Both are 0 or more, per period.")
        if math.isinf(horizon) and discount == 0:
            raise UsageError("The horizon is infinite and there is no discount.", fix="Give one of the two.")
        rate = math.log1p(discount)
        last = int(min(horizon, math.ceil(_NEGLIGIBLE / rate) if rate else horizon))
        if last > _MOST_PERIODS:
            raise UsageError(f"{last:,} periods are to be added up.", fix="Give a horizon, or a discount per period.")
        done, row = np.unique(_whole(renewals), return_inverse=True)
        k = np.arange(last)
        start = betaln(self.alpha, self.beta + done)
        total = [
            np.exp(betaln(self.alpha, self.beta + n + 1 + k) - s - rate * k).sum()
            for n, s in zip(done, start, strict=True)
        ]
        return np.array(total)[row]


_NEGLIGIBLE = 40.0
_MOST_PERIODS = 5_000_000


def _whole(periods: ArrayLike) -> Floats:
    (t,) = columns_of(periods=periods)
    whole_numbers("periods", t, "periods under contract")
    return t


def log_likelihood(t: Floats, lost: Floats, stayed: Floats) -> LogLikelihood:
    """The log-likelihood of (alpha, beta) and its slope, of so many lost and staying at each t."""

    def value(logs: Floats) -> tuple[float, Floats]:
        alpha, beta = np.exp(logs)
        both, begin = digamma(alpha + beta), betaln(alpha, beta)
        total = (lost * (betaln(alpha + 1, beta + t - 1) - begin)).sum() + (
            stayed * (betaln(alpha, beta + t) - begin)
        ).sum()
        together = (lost + stayed) * (both - digamma(alpha + beta + t))
        by_alpha = together.sum() + (lost * (digamma(alpha + 1) - digamma(alpha))).sum()
        there = lost * digamma(beta + t - 1) + stayed * digamma(beta + t) - (lost + stayed) * digamma(beta)
        return float(total), np.array([by_alpha, together.sum() + there.sum()]) * (alpha, beta)

    return value
