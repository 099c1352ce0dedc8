"""Customer lifetime value: purchases to come, times what a purchase brings, discounted.

Fader, Hardie & Lee 2005, "RFM and CLV: using iso-value curves", J. of Marketing Research 42(4): buying and spending are
independent, so

    value = margin * E[spend per purchase | x, m] * sum of discounted purchases expected | x, t_x, T.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from segmentry.errors import UsageError
from segmentry.stats.lifetime.buying import BuyingModel
from segmentry.stats.lifetime.cells import Floats, checked_counts
from segmentry.stats.lifetime.estimate import normal_quantile
from segmentry.stats.lifetime.gamma_gamma import GammaGamma
from segmentry.stats.lifetime.model import Model


@dataclass(frozen=True)
class Terms:
    """What a value is the value of.

    Attributes:
        horizon: how far ahead, in the unit of time of the model; ``math.inf`` if there is a discount.
        discount: per unit of time: money in u units is worth (1 + discount)^-u as much. 10 % a year: 1.10 ** (1 / 52) -
            1 a week.
        margin: share of the spend that remains as profit.
        level: of the intervals; None: without them.
    """

    horizon: float
    discount: float = 0.0
    margin: float = 1.0
    level: float | None = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.margin <= 1:
            raise UsageError(f"margin is {self.margin}.", why="It is a share above 0, at most 1.")


@dataclass(frozen=True)
class Interval:
    """An interval around each figure."""

    low: Floats
    high: Floats


@dataclass(frozen=True)
class Values:
    """Lifetime values, one per row, in the money of the spend.

    The intervals cover what is not known about the parameters of the two models (delta method, symmetric in the
    logarithm). They
    are intervals of an expectation: of the mean of many customers with such a history. They do not cover the chance in
    what a single customer does, nor that the models may be wrong, for which see ``validate``.

    Attributes:
        value: of each customer. purchases: discounted purchases expected. spend: expected on a purchase.
        total: of all customers together.
        interval, total_interval: around value and total; None if none was asked for.
    """

    value: Floats
    purchases: Floats
    spend: Floats
    total: float
    interval: Interval | None
    total_interval: tuple[float, float] | None


def lifetime_value(
    buying: BuyingModel,
    spending: GammaGamma,
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,  # noqa: N803
    monetary: ArrayLike,
    terms: Terms,
    counts: ArrayLike | None = None,
) -> Values:
    """The value of the purchases still to come of each customer or cell.

    Args:
        buying, spending: fitted models.
        frequency, recency, T: as the buying model knows them. monetary: mean spend on repeat purchases, 0 without.
        terms: horizon, discount, margin, level.
        counts: customers in each row, for the total; 1 each by default.

    Raises :class:`UsageError` if intervals are asked for of models that were not fitted.
    """

    def purchases(model: BuyingModel) -> Floats:
        return model.discounted_purchases(terms.horizon, terms.discount, frequency, recency, T)

    def spend(model: GammaGamma) -> Floats:
        return model.expected_spend(frequency, monetary)

    bought, spent = purchases(buying), spend(spending)
    n = checked_counts(counts, len(bought))
    n = np.ones(len(bought)) if n is None else n
    value = terms.margin * spent * bought
    total = float((n * value).sum())
    interval, around_total = None, None
    if terms.level is not None:
        z = normal_quantile(terms.level)
        slopes = (
            (buying, terms.margin * spent * buying.slopes(purchases)),
            (spending, terms.margin * bought * spending.slopes(spend)),
        )
        error = np.sqrt(sum(_variance(model, slope) for model, slope in slopes))
        interval = Interval(*_around(value, z * error))
        of_total = np.sqrt(sum(_variance(model, (slope * n).sum(axis=1, keepdims=True)) for model, slope in slopes))
        low, high = _around(np.array([total]), z * of_total)
        around_total = (float(low[0]), float(high[0]))
    return Values(value, bought, spent, total, interval, around_total)


def _variance(model: Model, slope: Floats) -> Floats:
    return np.einsum("ik,ij,jk->k", slope, np.array(model.fitted.covariance), slope)


def _around(value: Floats, reach: Floats) -> tuple[Floats, Floats]:
    factor = np.exp(np.divide(reach, value, out=np.zeros_like(value), where=value > 0))
    return value / factor, value * factor
