"""Customers of whom it is known how they buy and leave."""

from __future__ import annotations

import numpy as np

from segmentry.stats.lifetime import ModifiedBetaGeo, ParetoNbd
from segmentry.stats.lifetime.cells import Floats
from segmentry.stats.lifetime.model import Model

Histories = tuple[Floats, Floats, Floats]


def customers_of(
    rng: np.random.Generator, n: int, buying: tuple[float, float], leaving: tuple[float, float], kind: type[Model]
) -> tuple[Histories, Floats]:
    """Purchases of n customers over 52 weeks, and how many each makes in the 26 weeks after."""
    rate = rng.gamma(buying[0], 1 / buying[1], n)
    observed = rng.integers(26, 53, n).astype(float)
    if kind is ParetoNbd:
        gone, chance = rng.exponential(1 / rng.gamma(leaving[0], 1 / leaving[1], n)), np.zeros(n)
    else:
        gone, chance = np.full(n, np.inf), rng.beta(*leaving, n)
    x, t_x, later, now = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    there = rng.random(n) >= chance if kind is ModifiedBetaGeo else np.ones(n, dtype=bool)
    while there.any():
        now += rng.exponential(1 / rate)
        there &= (now < observed + 26) & (now < gone)
        early = there & (now < observed)
        x[early] += 1
        t_x[early] = now[early]
        later[there & ~early] += 1
        there &= rng.random(n) >= chance
    return (x, t_x, observed), later
