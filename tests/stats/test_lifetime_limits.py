"""The models in which all customers leave equally readily, or nobody does: limits of the richer ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import binom
from tests.stats.lifetime_customers import customers_of

from segmentry.errors import FitError
from segmentry.stats.lifetime import (
    BetaGeo,
    GeometricNbd,
    ModifiedBetaGeo,
    Nbd,
    ParetoNbd,
    purchase_cells,
    scores,
    validate,
)

X, T_X, T = np.array([0.0, 3, 7]), np.array([0.0, 20, 31]), np.array([12.0, 26, 40])
LIMITS = [
    (GeometricNbd(0.7, 4.0, 0.3), ModifiedBetaGeo(0.7, 4.0, 0.3e7, 1e7)),
    (Nbd(0.7, 4.0), BetaGeo(0.7, 4.0, 1e-3, 1e7)),
]


@pytest.mark.parametrize(("simple", "rich"), LIMITS)
def test_figures_are_those_of_the_richer_model_in_the_limit(simple, rich):
    assert simple.p_alive(X, T_X, T) == pytest.approx(rich.p_alive(X, T_X, T), rel=1e-5)
    assert simple.expected_purchases([1, 30]) == pytest.approx(rich.expected_purchases([1, 30]), rel=1e-5)
    for horizon, discount in ((26, 0.0), (26, 0.002), (np.inf, 0.002)):
        found, expected = (m.discounted_purchases(horizon, discount, X, T_X, T) for m in (simple, rich))
        assert found == pytest.approx(expected, rel=1e-4)
    cells = purchase_cells(X, T_X, T, [5, 3, 2])
    logs = [np.log(list(m.parameters.values())) for m in (simple, rich)]
    values = [type(m).log_likelihood(cells)(at)[0] for m, at in zip((simple, rich), logs, strict=True)]
    assert values[0] == pytest.approx(values[1], rel=1e-4)


@pytest.mark.parametrize(("kind", "parameters"), [(GeometricNbd, 3), (Nbd, 2)])
def test_slopes_are_those_of_the_likelihood(kind, parameters):
    likelihood = kind.log_likelihood(purchase_cells(X, T_X, T, [5, 3, 2]))
    at = np.log([0.6, 5.0, 0.2][:parameters])
    assert likelihood(at)[1] == pytest.approx(approx_fprime(at, lambda x: likelihood(x)[0], 1e-7), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(("kind", "truth"), [(GeometricNbd, (0.8, 5.0, 0.2)), (Nbd, (0.8, 5.0))])
def test_parameters_are_recovered_over_fifty_seeds(kind, truth):
    held = np.zeros(len(truth))
    leaving = (2e5, 1e6) if kind is GeometricNbd else (1e-3, 1e7)  # everybody with p = 1/6, or nobody
    for seed in range(50):
        histories, _ = customers_of(np.random.default_rng(seed), 1000, (0.8, 5.0), leaving, ModifiedBetaGeo)
        intervals = kind.fit(*histories).intervals().values()
        held += [low <= value <= high for (low, high), value in zip(intervals, truth, strict=True)]
    low, high = binom.ppf([0.001, 0.999], 50, 0.95)
    assert all(low <= n <= high for n in held), held


def test_forecast_is_calibrated():
    histories, later = customers_of(np.random.default_rng(9), 60_000, (0.8, 5.0), (2e5, 1e6), ModifiedBetaGeo)
    truth = GeometricNbd(0.8, 5.0, 0.2)
    assert validate(truth, *histories, later, 26).model.total == pytest.approx(later.sum(), rel=0.02)
    assert truth.purchase_probability(26, *histories).mean() == pytest.approx((later > 0).mean(), rel=0.02)


def test_histories_in_which_nobody_is_seen_to_leave_have_no_odds_to_leave():
    rng = np.random.default_rng(4)
    histories, _ = customers_of(rng, 800, (3.0, 10.0), (1e-3, 1e7), BetaGeo)
    with pytest.raises(FitError, match="theta"):
        GeometricNbd.fit(*histories)
    assert Nbd.fit(*histories).r == pytest.approx(3.0, rel=0.3)


@pytest.mark.parametrize(
    ("time", "x", "t_x", "age"), [(52, 2, 30.4, 38.9), (365, 0, 0, 5), (1, 0, 0, 0), (90, 50, 300, 310)]
)
def test_purchase_probability_of_pareto_nbd(time: float, x: float, t_x: float, age: float):
    m = ParetoNbd(0.553, 10.58, 0.606, 11.67)

    def density(u: float) -> float:
        later = ((m.alpha + age) / (m.alpha + age + u)) ** (m.r + x) * ((m.beta + age) / (m.beta + age + u)) ** m.s
        return (m.r + x) / (m.alpha + age + u) * later

    expected = quad(density, 0, time, epsabs=1e-13, limit=200)[0] * m.p_alive([x], [t_x], [age])[0]
    assert m.purchase_probability(time, [x], [t_x], [age])[0] == pytest.approx(expected, rel=1e-9)


def test_purchase_probability_agrees_with_what_simulated_customers_do():
    for kind, leaving in ((BetaGeo, (0.9, 3.0)), (ModifiedBetaGeo, (0.9, 3.0)), (ParetoNbd, (0.8, 12.0))):
        histories, later = customers_of(np.random.default_rng(5), 60_000, (0.8, 5.0), leaving, kind)
        found = kind(0.8, 5.0, *leaving).purchase_probability(26, *histories)
        assert found.mean() == pytest.approx((later > 0).mean(), rel=0.02)


def test_scores_are_the_figures_of_the_model():
    histories, _ = customers_of(np.random.default_rng(2), 1500, (0.8, 5.0), (0.9, 3.0), BetaGeo)
    model = BetaGeo.fit(*histories)
    found = scores(model, X, T_X, T, [13, 52], 0.002)
    assert found.p_alive == pytest.approx(model.p_alive(X, T_X, T))
    assert found.returns == pytest.approx(model.purchase_probability(13, X, T_X, T))
    assert found.outlooks[1].purchases == pytest.approx(model.conditional_purchases(52, X, T_X, T))
    assert found.outlooks[1].discounted == pytest.approx(model.discounted_purchases(52, 0.002, X, T_X, T))
    assert (found.outlooks[1].variance > 0).all()
