"""What every model of buying in continuous time tells, once it knows P(alive) and what the living buy.

Purchases to come are P(alive) times the purchases of a living customer, and the latter depend on (x, T) alone. So they
are computed for the distinct (x, T), of which there are far fewer than cells.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from segmentry.errors import UsageError
from segmentry.stats.lifetime.cells import Cells, Floats, checked_histories, columns_of, distinct_pairs, purchase_cells
from segmentry.stats.lifetime.estimate import MANY_CELLS, LogLikelihood, Search, maximise
from segmentry.stats.lifetime.model import Model

UNENDING = math.inf
# What it means when the gamma distribution of purchase rates degenerates.
RATES_RUN_AWAY: Mapping[tuple[str, str], str] = {
    ("r", "infinity"): "All customers buy at the same rate.",
    ("alpha", "infinity"): "All customers buy at the same rate.",
    ("r", "0"): "Hardly anyone buys again.",
    ("alpha", "0"): "The rate of purchases has no scale.",
}


@dataclass(frozen=True)
class BuyingModel(Model):
    """A model of repeat purchases in continuous time, of customers who may drop out unseen.

    Time is in the unit of the data that it was fitted on. Customers are given as ``frequency`` (x, repeat purchases),
    ``recency`` (t_x, time of the last one since the first purchase) and ``T`` (time observed since the first
    purchase), one row per customer or per cell; results come in the order of the rows.
    """

    @classmethod
    def fit(
        cls,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,  # noqa: N803
        counts: ArrayLike | None = None,
    ) -> Self:
        """Fit by maximum likelihood.

        Args:
            frequency: x, repeat purchases of each customer or cell; purchases at one time (a day, say) are one.
            recency: t_x, time of the last purchase since the first; 0 without a repeat purchase.
            T: time observed since the first purchase, in the unit of ``recency``: any, all results are in it.
            counts: customers in each cell; 1 each by default.

        Raises :class:`DataError` for impossible histories, :class:`FitError` if they do not determine the model.
        """
        return cls.fit_cells(purchase_cells(*cls._checked(frequency, recency, T), counts))

    @classmethod
    @abstractmethod
    def fit_cells(cls, cells: Cells) -> Self:
        """Fit on cells."""

    @classmethod
    @abstractmethod
    def log_likelihood(cls, cells: Cells) -> LogLikelihood:
        """The log-likelihood of the parameters and its slope, both in their logarithms."""

    @classmethod
    def _climbed(
        cls, cells: Cells, starts: Sequence[Mapping[str, float]], runs_away: Mapping[tuple[str, str], str]
    ) -> Self:
        """The model at the best maximum reached from ``starts``: first on a part of many cells, then on all."""
        part = cells.thinned(MANY_CELLS)
        coarse = None if part is cells else cls.log_likelihood(part)
        search = Search(cls.kind, starts, runs_away, coarse, part.customers / cells.customers)
        values, estimate = maximise(cls.log_likelihood(cells), search, cells.customers, len(cells))
        return cls(*values, estimate=estimate)

    def p_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:  # noqa: N803
        """Probability that a customer is still one at the end of the observation."""
        return self._p_alive(*self._checked(frequency, recency, T))

    def expected_purchases(self, time: ArrayLike) -> Floats:
        """E[X(t)]: repeat purchases of a customer of whom nothing is known, in a time from the first purchase on."""
        (t,) = columns_of(time=time)
        if (t < 0).any():
            raise UsageError(f"time is {t.min():g}.", why="It is 0 or more, in the unit of the data.")
        return self._new_customers(t)

    def conditional_purchases(
        self,
        time: float,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,  # noqa: N803
    ) -> Floats:
        """E[Y(t) | x, t_x, T]: purchases expected in a time after the observation."""
        _check_time("time", time)
        if math.isinf(time):
            raise UsageError("time is infinite.", why="Purchases without discount need an end.")
        return self._after(time, 0.0, frequency, recency, T)

    def purchase_probability(
        self,
        time: float,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,  # noqa: N803
    ) -> Floats:
        """P(Y(t) > 0 | x, t_x, T): whether a customer buys at all in a time after the observation.

        The rate of a living customer is Gamma(r + x, alpha + T), whatever ended the customers who are gone, so this is
        P(alive) times an expectation over that rate and, for Pareto/NBD, over the moment of dropping out.
        """
        _check_time("time", time)
        x, t_x, observed = self._checked(frequency, recency, T)
        pair_x, pair_T, pair = distinct_pairs(x, observed)  # noqa: N806
        return self._p_alive(x, t_x, observed) * self._living_buy(time, pair_x, pair_T)[pair]

    def discounted_purchases(
        self,
        horizon: float,
        discount: float,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,  # noqa: N803
    ) -> Floats:
        """Purchases expected until a horizon, each counted as (1 + discount)^-u if it is at time u.

        Args:
            horizon: after the observation, in the unit of the data; ``math.inf`` if there is a discount: the
                "discounted expected residual transactions" of Fader, Hardie & Lee 2005.
            discount: per unit of time; 10 % a year are 1.10 ** (1 / 52) - 1 a week.
        """
        _check_time("horizon", horizon)
        if not (discount >= 0 and math.isfinite(discount)):
            raise UsageError(f"discount is {discount}.", why="It is 0 or more, per unit of time: 0.002 a week.")
        if math.isinf(horizon) and discount == 0:
            raise UsageError("The horizon is infinite and there is no discount.", fix="Give one of the two.")
        return self._after(horizon, math.log1p(discount), frequency, recency, T)

    def _after(self, horizon: float, rate: float, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
        x, t_x, observed = self._checked(frequency, recency, age)
        pair_x, pair_T, pair = distinct_pairs(x, observed)  # noqa: N806
        return self._p_alive(x, t_x, observed) * self._living(horizon, rate, pair_x, pair_T)[pair]

    @classmethod
    def _checked(cls, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> tuple[Floats, Floats, Floats]:
        return checked_histories(frequency, recency, age)

    @abstractmethod
    def _p_alive(self, x: Floats, t_x: Floats, observed: Floats) -> Floats:
        """P(alive), on checked histories."""

    @abstractmethod
    def _new_customers(self, time: Floats) -> Floats:
        """E[X(t)]."""

    @abstractmethod
    def _living_buy(self, time: float, x: Floats, observed: Floats) -> Floats:
        """Probability that a customer alive at T buys within a time."""

    @abstractmethod
    def _living(self, horizon: float, rate: float, x: Floats, observed: Floats) -> Floats:
        """Purchases until a horizon of a customer alive at T, discounted continuously at a rate (0: not)."""


def _check_time(name: str, time: float) -> None:
    if not time >= 0:
        raise UsageError(f"{name} is {time}.", why="It is 0 or more, in the unit of the data.")


def softplus(d: Floats) -> tuple[Floats, Floats]:
    """log(1 + exp(d)) and its derivative, without overflow; several times quicker than numpy's logaddexp."""
    small = np.exp(-np.abs(d))
    share = 1 / (1 + small)
    return np.maximum(d, 0) + np.log1p(small), np.where(d >= 0, share, small * share)
