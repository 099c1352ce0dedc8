"""Lifetime models find the parameters that made the data, and their intervals hold what they promise.

Every model is fitted to the customers of fifty seeds. The bounds are those that chance crosses once in a thousand.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom
from tests.stats.lifetime_customers import customers_of

from segmentry.stats.lifetime import (
    BetaBinomialGeo,
    BetaGeo,
    GammaGamma,
    ModifiedBetaGeo,
    ParetoNbd,
    ShiftedBetaGeo,
    Terms,
    lifetime_value,
    validate,
)
from segmentry.stats.lifetime.cells import Floats
from segmentry.stats.lifetime.model import Model


def holding(models: list[Model], truth: tuple[float, ...]) -> list[int]:
    """For each parameter, how many of the intervals hold it."""
    intervals = [list(model.intervals().values()) for model in models]
    return [sum(row[i][0] <= value <= row[i][1] for row in intervals) for i, value in enumerate(truth)]


def assert_nominal(models: list[Model], truth: tuple[float, ...]) -> None:
    """About 95 % of the intervals hold the truth, for every parameter."""
    low, high = binom.ppf([0.001, 0.999], len(models), 0.95)
    assert all(low <= held <= high for held in holding(models, truth)), holding(models, truth)
    centre = np.exp(np.mean([np.log(list(model.parameters.values())) for model in models], axis=0))
    assert centre == pytest.approx(truth, rel=0.2)


SEEDS = 50
CONTINUOUS = [
    (BetaGeo, (0.8, 5.0), (0.9, 3.0)),
    (ModifiedBetaGeo, (0.8, 5.0), (0.9, 3.0)),
    (ParetoNbd, (0.9, 5.0), (0.8, 12.0)),
]


@pytest.mark.parametrize(("kind", "buying", "leaving"), CONTINUOUS)
def test_continuous_models_are_recovered(
    kind: type[BetaGeo], buying: tuple[float, float], leaving: tuple[float, float]
) -> None:
    models: list[Model] = []
    for seed in range(SEEDS):
        histories, _ = customers_of(np.random.default_rng(seed), 700, buying, leaving, kind)
        models.append(kind.fit(*histories))
    assert_nominal(models, (*buying, *leaving))


@pytest.mark.parametrize(("kind", "buying", "leaving"), CONTINUOUS)
def test_forecast_of_simulated_customers_is_calibrated(
    kind: type[BetaGeo], buying: tuple[float, float], leaving: tuple[float, float]
) -> None:
    histories, later = customers_of(np.random.default_rng(99), 60_000, buying, leaving, kind)
    truth = kind(*buying, *leaving)
    found = validate(truth, *histories, later, 26)
    assert found.model.total == pytest.approx(later.sum(), rel=0.02)
    for decile in found.deciles[:8]:
        assert decile.expected == pytest.approx(decile.actual, rel=0.06, abs=0.02)
    assert found.better_than_naive


def test_discrete_model_is_recovered() -> None:
    truth, models = (1.2, 0.9, 0.8, 4.0), []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        n = rng.integers(5, 13, 2000)
        buys, leaves = rng.beta(1.2, 0.9, 2000), rng.beta(0.8, 4.0, 2000)
        x, t_x, there = np.zeros(2000), np.zeros(2000), np.ones(2000, dtype=bool)
        for period in range(1, 13):
            there &= (rng.random(2000) >= leaves) & (period <= n)
            bought = there & (rng.random(2000) < buys)
            x[bought] += 1
            t_x[bought] = period
        models.append(BetaBinomialGeo.fit(x, t_x, n))
    assert_nominal(list(models), truth)


def test_contracts_are_recovered() -> None:
    models = []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        left, due = rng.geometric(rng.beta(0.7, 2.5, 3000)), rng.integers(3, 11, 3000)
        models.append(ShiftedBetaGeo.fit(np.minimum(left, due), left <= due))
    assert_nominal(list(models), (0.7, 2.5))


def spend_of(rng: np.random.Generator, x: Floats) -> Floats:
    """Mean spend on x purchases, from p 6, q 4, v 15."""
    again = x > 0
    mean = np.zeros(len(x))
    mean[again] = rng.gamma(6 * x[again], 1 / (rng.gamma(4, 1 / 15, again.sum()) * x[again]))
    return mean


def test_spend_is_recovered() -> None:
    models = []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        x = rng.geometric(0.4, 1500).astype(float)
        models.append(GammaGamma.fit(x, spend_of(rng, x)))
    assert_nominal(list(models), (6, 4, 15))


def test_intervals_of_lifetime_value_hold_the_value_under_the_truth() -> None:
    terms = Terms(horizon=52, discount=0.002, margin=0.4)
    true_models = BetaGeo(0.8, 5.0, 0.9, 3.0), GammaGamma(6, 4, 15)
    held_total, held = 0, []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        histories, _ = customers_of(rng, 1200, (0.8, 5.0), (0.9, 3.0), BetaGeo)
        mean = spend_of(rng, histories[0])
        fitted = BetaGeo.fit(*histories), GammaGamma.fit(histories[0], mean)
        found = lifetime_value(*fitted, *histories, mean, terms)
        truth = lifetime_value(*true_models, *histories, mean, Terms(52, 0.002, 0.4, level=None))
        assert found.interval is not None
        assert found.total_interval is not None
        held_total += found.total_interval[0] <= truth.total <= found.total_interval[1]
        held.append(np.mean((found.interval.low <= truth.value) & (truth.value <= found.interval.high)))
        assert found.total == pytest.approx(found.value.sum())
    assert held_total >= binom.ppf(0.001, 12, 0.95)
    assert np.mean(held) == pytest.approx(0.95, abs=0.05)
    assert math.isclose(found.value[0], 0.4 * found.spend[0] * found.purchases[0])
