"""Was the model right about what came next? Expected against actual purchases, beside two naive forecasts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from segmentry.errors import DataError
from segmentry.stats.lifetime.buying import BuyingModel
from segmentry.stats.lifetime.cells import Floats, checked_counts, columns_of, refuse

_GROUPS = 10


@dataclass(frozen=True)
class Forecast:
    """One forecast of the holdout.

    Attributes:
        total: purchases of all customers. total_error: (total - actual) / actual; not a number if nobody bought.
        mae, rmse: mean absolute error and root mean squared error, in purchases per customer.
    """

    total: float
    total_error: float
    mae: float
    rmse: float


@dataclass(frozen=True)
class Decile:
    """A tenth of the customers, by what was expected of them; customers of whom the same is expected stay together.

    Attributes:
        customers: how many. expected, actual: purchases per customer.
    """

    customers: float
    expected: float
    actual: float


@dataclass(frozen=True)
class Validation:
    """How well a model forecast a holdout.

    Attributes:
        customers: how many. time: length of the holdout. actual: purchases in it.
        model: its forecast. rate: everyone goes on at x/T. nobody: no one buys again.
        deciles: expected and actual purchases, from the customers of whom most is expected to those of whom least is.
    """

    customers: float
    time: float
    actual: float
    model: Forecast
    rate: Forecast
    nobody: Forecast
    deciles: tuple[Decile, ...]

    @property
    def better_than_naive(self) -> bool:
        """True if the model's total and its RMSE are both nearer than those of either naive forecast."""
        naive = (self.rate, self.nobody)
        nearer = all(abs(self.model.total - self.actual) < abs(other.total - self.actual) for other in naive)
        return nearer and all(self.model.rmse < other.rmse for other in naive)


def validate(
    model: BuyingModel,
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,  # noqa: N803
    actual: ArrayLike,
    time: float,
    counts: ArrayLike | None = None,
) -> Validation:
    """Hold a model against purchases after the time that it was fitted on.

    Args:
        model: fitted on the calibration. frequency, recency, T: of it.
        actual: purchases of each customer in the holdout. time: length of the holdout, in the unit of T.
        counts: customers in each row; 1 each by default.
    """
    bought, x, observed = columns_of(actual=actual, frequency=frequency, T=T)
    refuse(bought < 0, "actual", bought, "Purchases of the holdout are 0 or more.")
    n = checked_counts(counts, len(bought))
    n = np.ones(len(bought)) if n is None else n
    expected = model.conditional_purchases(time, frequency, recency, T)
    rate = np.divide(x, observed, out=np.zeros(len(x)), where=observed > 0)
    forecasts = (_forecast(expected, bought, n), _forecast(rate * time, bought, n), _forecast(0 * x, bought, n))
    total = float((n * bought).sum())
    return Validation(float(n.sum()), float(time), total, *forecasts, _deciles(expected, bought, n))


def _forecast(expected: Floats, actual: Floats, n: Floats) -> Forecast:
    total, bought, customers = (n * expected).sum(), (n * actual).sum(), n.sum()
    off = expected - actual
    return Forecast(
        float(total),
        float((total - bought) / bought) if bought else float("nan"),
        float((n * np.abs(off)).sum() / customers),
        float(np.sqrt((n * off**2).sum() / customers)),
    )


def _deciles(expected: Floats, actual: Floats, n: Floats) -> tuple[Decile, ...]:
    values, row = np.unique(-expected, return_inverse=True)
    weight, bought = np.bincount(row, n), np.bincount(row, n * actual)
    middle = (np.cumsum(weight) - weight / 2) / weight.sum()
    group = np.minimum((middle * _GROUPS).astype(np.int64), _GROUPS - 1)
    made = []
    for g in range(_GROUPS):
        here = (group == g) & (weight > 0)
        if here.any():
            size = weight[here].sum()
            told = (weight[here] * -values[here]).sum() / size
            made.append(Decile(float(size), float(told), float(bought[here].sum() / size)))
    return tuple(made)


@dataclass(frozen=True)
class Tracking:
    """Repeat purchases of all customers, period by period, from the arrival of the first one on.

    Attributes:
        time: end of each period. expected, actual: purchases in it; their cumulative sums are the usual plot.
    """

    time: Floats
    expected: Floats
    actual: Floats


def track(
    model: BuyingModel,
    T: ArrayLike,  # noqa: N803
    repeats: ArrayLike,
    counts: ArrayLike | None = None,
    *,
    step: float = 1.0,
) -> Tracking:
    """Hold repeat purchases in each period against what the model expects of customers who came when these did.

    Args:
        T: time from the first purchase of each customer to the end of the calibration, a multiple of ``step``.
        repeats: repeat purchases in each period; the first period is that in which the first customer came.
        counts: customers in each row; 1 each by default.
        step: length of a period, in the unit of T: 1 / 7 if periods are days and T counts weeks.
    """
    ages, actual = columns_of(T=T)[0], columns_of(repeats=repeats)[0]
    n = checked_counts(counts, len(ages))
    came = np.rint((ages.max() - ages) / step).astype(np.int64)
    if not step > 0 or (ages < 0).any() or came.max() >= len(actual):
        raise DataError(
            f"There are {len(actual)} periods, but customers came over {came.max() + 1}.",
            fix="Give repeats from the first on.",
        )
    arrivals = np.bincount(came, n, len(actual)).astype(np.float64)
    until = model.expected_purchases(np.arange(len(actual)) * step)
    one = until - np.r_[0.0, until[:-1]]
    expected = np.convolve(arrivals, one)[: len(actual)].astype(np.float64)
    return Tracking(np.arange(len(actual), dtype=np.float64) * step, expected, actual)
