"""What a buying model says of each purchase history: the figures that a database joins back to its customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from segmentry.stats.lifetime.buying import BuyingModel
from segmentry.stats.lifetime.cells import Floats


@dataclass(frozen=True)
class Outlook:
    """What is expected within one horizon, one figure per history.

    Attributes:
        purchases: expected. discounted: the same, each counted at its present value.
        variance: of the logarithm of ``discounted``, by what is not known about the parameters (delta method).
    """

    purchases: Floats
    discounted: Floats
    variance: Floats


@dataclass(frozen=True)
class Scores:
    """What a model says of histories, one figure per history.

    Attributes:
        p_alive: probability of still being a customer. returns: of at least one purchase within the first horizon.
        outlooks: by horizon.
    """

    p_alive: Floats
    returns: Floats
    outlooks: tuple[Outlook, ...]


def scores(
    model: BuyingModel,
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,  # noqa: N803
    horizons: Sequence[float],
    discount: float,
) -> Scores:
    """Score histories, in the order of the rows.

    Args:
        model: fitted. frequency, recency, T: as it knows them.
        horizons: how far ahead, in the unit of time of the model. discount: per unit of time.
    """
    return Scores(
        model.p_alive(frequency, recency, T),
        model.purchase_probability(horizons[0], frequency, recency, T),
        tuple(_outlook(model, frequency, recency, T, horizon, discount) for horizon in horizons),
    )


def _outlook(
    model: BuyingModel, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, horizon: float, discount: float
) -> Outlook:
    def discounted(of: BuyingModel) -> Floats:
        return of.discounted_purchases(horizon, discount, frequency, recency, age)

    value, slope = discounted(model), model.slopes(discounted)
    error = np.einsum("ik,ij,jk->k", slope, np.array(model.fitted.covariance), slope)
    variance = np.divide(error, value**2, out=np.zeros_like(value), where=value > 0)
    return Outlook(model.conditional_purchases(horizon, frequency, recency, age), value, variance)
