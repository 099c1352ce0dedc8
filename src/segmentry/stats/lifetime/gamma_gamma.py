"""Gamma-Gamma: what customers spend on an average purchase.

Fader, Hardie & Lee 2005, "RFM and CLV: using iso-value curves", J. of Marketing Research 42(4); symbols as in Fader &
Hardie 2013, "The gamma-gamma model of monetary value". What a customer spends on a purchase is gamma with shape p and a
rate of its own nu ~ Gamma(q, gamma). The mean m of x purchases then has the density

    Gamma(px+q)/(Gamma(px) Gamma(q)) gamma^q m^(px-1) x^(px) / (gamma + x m)^(px+q),

and a customer is expected to spend p (gamma + x m)/(px + q - 1) on a purchase: a weighted average of what it spent and
of what all do. The model holds if those who buy often do not spend more or less on each purchase: see ``correlation``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln

from segmentry.errors import FitError
from segmentry.stats.lifetime.cells import (
    BLOCK,
    Floats,
    checked_counts,
    columns_of,
    distinct_pairs,
    evenly,
    refuse,
    tally,
    whole_numbers,
)
from segmentry.stats.lifetime.estimate import MANY_CELLS, LogLikelihood, Search, maximise
from segmentry.stats.lifetime.model import Model

_RUNS_AWAY: Mapping[tuple[str, str], str] = {
    ("p", "infinity"): "A customer spends the same on every purchase.",
    ("q", "infinity"): "All customers spend alike.",
    ("v", "infinity"): "All customers spend alike.",
    ("p", "0"): "Purchases of one customer differ without bounds.",
    ("q", "0"): "Customers differ without bounds.",
}


@dataclass(frozen=True)
class GammaGamma(Model):
    """The spend of customers on an average purchase.

    Attributes:
        p: shape of the spend of one customer. q, v: shape and scale (gamma in the papers) of its rate; v in money.
    """

    kind: ClassVar[str] = "Gamma-Gamma"

    p: float
    q: float
    v: float

    @classmethod
    def fit(cls, frequency: ArrayLike, monetary: ArrayLike, counts: ArrayLike | None = None) -> Self:
        """Fit by maximum likelihood on customers who bought again.

        Args:
            frequency: x, how many purchases ``monetary`` is the mean of: by custom the repeat purchases.
            monetary: m, mean spend on them, above 0; 0 where x is 0. Such rows tell nothing and are passed over.
            counts: customers in each row; 1 each by default.

        Raises :class:`DataError` for spend that cannot be, :class:`FitError` if the data do not determine the model.
        """
        x, m = _checked_spend(frequency, monetary)
        n = checked_counts(counts, len(x))
        n = np.ones(len(x)) if n is None else n
        kept = (x > 0) & (n > 0)
        if not kept.any():
            raise FitError(
                "None of these customers bought again.",
                why="What they spend is learned from repeat purchases.",
                fix="Use a longer history.",
            )
        spend = Spend.of(x[kept], m[kept], n[kept])
        search = _search(spend)
        values, estimate = maximise(log_likelihood(spend), search, float(spend.n.sum()), len(spend.x))
        return cls(*values, estimate=estimate)

    def expected_spend(self, frequency: ArrayLike, monetary: ArrayLike) -> Floats:
        """E[M | m, x]: what each customer will spend on a purchase, on average, in the money of the data.

        A customer without repeat purchases (x = 0, m = 0) is expected to spend what an average one does. Raises
        :class:`FitError` where the model has no finite mean (p x + q <= 1).
        """
        x, m = _checked_spend(frequency, monetary)
        weight = self.p * x + self.q - 1
        if (weight <= 0).any():
            raise FitError(
                f"With p x + q = {weight.min() + 1:g} the expected spend is infinite.",
                why="A few customers spend so much more than the rest that their mean does not settle.",
                fix="Look for wrong amounts, or fit again with the largest amounts capped.",
            )
        return self.p * (self.v + x * m) / weight


def correlation(frequency: ArrayLike, monetary: ArrayLike, counts: ArrayLike | None = None) -> float:
    """Pearson correlation of x and mean spend among those who bought again; the Gamma-Gamma model takes it for 0.

    Not a number if there is nothing to correlate: fewer than two customers, or all alike.
    """
    x, m = _checked_spend(frequency, monetary)
    n = checked_counts(counts, len(x))
    n = np.ones(len(x)) if n is None else n
    n = np.where(x > 0, n, 0.0)
    if not n.any():
        return math.nan
    dx, dm = (column - (n * column).sum() / n.sum() for column in (x, m))
    spread = float((n * dx**2).sum() * (n * dm**2).sum())
    return float((n * dx * dm).sum()) / math.sqrt(spread) if spread > 0 else math.nan


def _checked_spend(frequency: ArrayLike, monetary: ArrayLike) -> tuple[Floats, Floats]:
    x, m = columns_of(frequency=frequency, monetary=monetary)
    whole_numbers("frequency", x, "how many purchases the mean spend is of")
    refuse(
        (x > 0) & (m <= 0),
        "monetary",
        m,
        "The mean spend of a customer who bought again is above 0. Leave out free orders and returns before averaging.",
    )
    refuse(
        (x == 0) & (m != 0),
        "monetary",
        m,
        "Frequency is 0 there: monetary is the mean of repeat purchases, so it is 0 without one.",
    )
    return x, m


@dataclass(frozen=True)
class Spend:
    """Distinct (x, m), x above 0, and how many customers have them."""

    x: Floats
    m: Floats
    n: Floats

    @classmethod
    def of(cls, x: Floats, m: Floats, n: Floats) -> Spend:
        """Put equal rows together."""
        pair_x, pair_m, row = distinct_pairs(x, m)
        return cls(pair_x, pair_m, tally(row, n, len(pair_x)))

    def thinned(self) -> Spend:
        """The spend of some of the customers, where there are many."""
        if len(self.x) <= MANY_CELLS:
            return self
        kept, n = evenly(self.n, MANY_CELLS)
        return Spend(self.x[kept], self.m[kept], n)


def _search(spend: Spend) -> Search:
    mean = float((spend.n * spend.m).sum() / spend.n.sum())
    starts = [{"p": p, "q": q, "v": mean * (q - 1) / p} for p, q in ((1.0, 2.0), (6.0, 4.0), (2.0, 12.0))]
    part = spend.thinned()
    coarse = None if part is spend else log_likelihood(part)
    return Search(GammaGamma.kind, starts, _RUNS_AWAY, coarse, float(part.n.sum() / spend.n.sum()))


def log_likelihood(spend: Spend) -> LogLikelihood:
    """The log-likelihood of (p, q, v) and its slope, both in their logarithms."""
    x, index = np.unique(spend.x, return_inverse=True)
    at_x = tally(index, spend.n, len(x))
    customers = spend.n.sum()
    log_spent = (spend.n * spend.x * (np.log(spend.m) + np.log(spend.x))).sum()
    log_m = (spend.n * np.log(spend.m)).sum()
    spent, nx = spend.x * spend.m, spend.n * spend.x

    def value(logs: Floats) -> tuple[float, Floats]:
        p, q, v = np.exp(logs)
        log_all = log_again = inverse_all = inverse_again = 0.0
        for first in range(0, len(spent), BLOCK):
            block = slice(first, first + BLOCK)
            scale = v + spent[block]
            log_scale, inverse = np.log(scale), 1 / scale
            log_all += (spend.n[block] * log_scale).sum()
            log_again += (nx[block] * log_scale).sum()
            inverse_all += (spend.n[block] * inverse).sum()
            inverse_again += (nx[block] * inverse).sum()
        shape = p * x
        total = (at_x * (gammaln(shape + q) - gammaln(shape))).sum() - customers * (gammaln(q) - q * logs[2])
        total += p * log_spent - log_m - p * log_again - q * log_all
        slope = [
            (at_x * x * (digamma(shape + q) - digamma(shape))).sum() + log_spent - log_again,
            (at_x * digamma(shape + q)).sum() - customers * (digamma(q) - logs[2]) - log_all,
            customers * q / v - p * inverse_again - q * inverse_all,
        ]
        return float(total), np.array(slope) * (p, q, v)

    return value
