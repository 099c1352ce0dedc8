"""Lifetime models are right to ten digits where series fail, and their slopes are the slopes of what they climb."""

from __future__ import annotations

import math

import numpy as np
import pytest

from segmentry.stats.lifetime import (
    BetaBinomialGeo,
    BetaGeo,
    ModifiedBetaGeo,
    ParetoNbd,
    ShiftedBetaGeo,
    gamma_gamma,
    shifted_beta,
)
from segmentry.stats.lifetime.cells import purchase_cells
from segmentry.stats.lifetime.dropout import beta_nodes, discounted_purchases_while_alive, purchases_while_alive
from segmentry.stats.lifetime.estimate import LogLikelihood


# (a + b - 1)/(a - 1) (1 - 2F1(r, a - 1; a + b - 1; -t/alpha)), computed with 60 digits.
@pytest.mark.parametrize(
    ("a", "b", "r", "time", "expected"),
    [
        (0.7928861, 2.4257537, 0.2425929, 78 / 4.4135319, 1.8579717854563230115),
        (0.79, 4.42, 2.24, 0.9, 1.6840842620046425497),
        (0.05, 0.3, 0.1, 1e4, 578.56608614905986008),
        (0.02, 500.3, 500.2, 10, 4841.047910190058381),  # many purchases: 2F1 overflows
        (30, 200, 50, 3, 7.8965416802124758347),
        (1000, 4000, 2, 50, 4.9625059984601650564),  # everyone drops out alike
        (0.8, 1.2, 0.3, 1e6, 46.172779663711058404),  # a series needs millions of terms
        (2.5, 0.05, 3, 0.001, 0.0029941272985774276523),
        (0.79, 302.4, 300.2, 20, 1284.65653015834477),
        (5, 1, 1, 1e-6, 9.999991666673809065e-7),  # the difference of nearly equal numbers
    ],
)
def test_purchases_while_alive(a: float, b: float, r: float, time: float, expected: float) -> None:
    chance, row = beta_nodes(a, np.array([b])), np.array([0])
    found = purchases_while_alive(chance, row, np.array([r]), np.array([time]))
    assert found == pytest.approx(expected, rel=1e-10)
    # without discount the second road leads to the same place
    other = discounted_purchases_while_alive(chance, row, np.array([r]), np.array([1.0]), time, 0.0)
    assert other == pytest.approx(expected, rel=1e-10)


def test_nothing_happens_at_a_equal_to_one() -> None:
    near = [BetaGeo(2, 30, a, 3).expected_purchases([150])[0] for a in (1 - 1e-9, 1, 1 + 1e-9)]
    assert near == pytest.approx([near[1]] * 3, rel=1e-8)
    assert near[1] == pytest.approx(4.2602672713741, rel=1e-11)


# The likelihood of Schmittlein, Morrison & Colombo, integrated with 40 digits.
@pytest.mark.parametrize(
    ("parameters", "history", "log_likelihood", "alive"),
    [
        ((0.553275, 10.577612, 0.606214, 11.667912), (2, 30.43, 38.86), -9.554334138859783295, None),
        ((0.553275, 10.577612, 0.606214, 11.667912), (0, 0, 38.86), -0.52120122053062099254, None),
        ((0.5, 0.01, 0.6, 50), (3, 0.2, 500), -3.1222761636438512999, None),  # alpha and beta far apart
        ((0.5, 200, 0.3, 0.001), (0, 0, 3650), -0.020589865329018486439, None),
        ((0.5, 200, 0.3, 0.001), (2, 1, 3650), -13.355488922267093186, None),
        ((2, 30, 0.7, 3), (2000, 3000, 3650), -2840.5263968283544726, None),  # ten years, thousands of purchases
        ((2, 30, 0.7, 300), (900, 900, 3650), -933.64202124851414041, 0.0),
        ((1, 10, 0.5, 0.5), (40, 1, 520), 11.150145912298900888, None),
        ((0.02, 1, 0.03, 10), (0, 0, 520), -0.1196888390554840064, None),
        ((50, 400, 1, 20), (300, 3000, 3650), -1003.5217130646042291, None),
        ((3, 0.02, 0.8, 5000), (1500, 12, 3650), 5725.7151635907624354, 0.0),
        ((1, 1, 1, 1), (1, 1, 2), -2.7126905806587122704, None),
    ],
)
def test_pareto_likelihood(
    parameters: tuple[float, ...], history: tuple[float, ...], log_likelihood: float, alive: float | None
) -> None:
    cells = purchase_cells(*([value] for value in history))
    value, slope = ParetoNbd.log_likelihood(cells)(np.log(parameters))
    assert value == pytest.approx(log_likelihood, rel=1e-12, abs=1e-12)
    assert np.isfinite(slope).all()
    # beside a customer who was observed for much longer, whose tails reach further
    x, t_x, observed = history
    longer = ParetoNbd.log_likelihood(purchase_cells([0], [0], [20 * observed]))(np.log(parameters))[0]
    both = ParetoNbd.log_likelihood(purchase_cells([x, 0], [t_x, 0], [observed, 20 * observed]))(np.log(parameters))[0]
    assert both - longer == pytest.approx(log_likelihood, rel=1e-11, abs=1e-11)
    if alive is not None:
        assert ParetoNbd(*parameters).p_alive([x], [t_x], [observed]) == pytest.approx(alive, abs=1e-12)


def test_discounted_purchases_without_end() -> None:
    rate = 1.15 ** (1 / 52) - 1  # integrals with 40 digits, of a living customer with x = 2, T = 38.86
    for model, expected in (
        (ParetoNbd(0.553275, 10.577612, 0.606214, 11.667912), 7.47906308608344519),
        (BetaGeo(0.2426, 4.4135, 0.7929, 2.4258), 7.11469912599614569),
    ):
        alive = model.p_alive([2], [30.43], [38.86])
        assert model.discounted_purchases(math.inf, rate, [2], [30.43], [38.86]) == pytest.approx(
            alive * expected, rel=1e-9
        )
        # discount of next to nothing
        without = model.conditional_purchases(39, [2], [30.43], [38.86])
        assert model.discounted_purchases(39, 1e-12, [2], [30.43], [38.86]) == pytest.approx(without, rel=1e-9)


def test_payments_still_to_come_under_contract() -> None:
    found = ShiftedBetaGeo(0.668, 3.806).discounted_periods(0.1, [4])
    assert found == pytest.approx(6.89705739774609085, rel=1e-10)
    assert ShiftedBetaGeo(0.668, 3.806).discounted_periods(0, [4], horizon=3) == pytest.approx(
        np.cumprod(ShiftedBetaGeo(0.668, 3.806).retention([5, 6, 7])).sum()
    )


def _likelihoods() -> dict[str, tuple[LogLikelihood, tuple[float, ...]]]:
    rng = np.random.default_rng(4)
    n = rng.integers(3, 30, 60).astype(float)
    t_x = np.floor(n * rng.random(60))
    x = np.minimum(rng.integers(1, 9, 60), t_x)
    cells = purchase_cells(x, t_x, n, rng.integers(1, 50, 60))
    spend = gamma_gamma.Spend.of(np.maximum(x, 1), rng.gamma(3, 20, 60), np.ones(60))
    lost, stayed = rng.integers(1, 40, (2, 8)).astype(float)
    return {
        "BG/NBD": (BetaGeo.log_likelihood(cells), (0.7, 4.0, 0.6, 2.0)),
        "MBG/NBD": (ModifiedBetaGeo.log_likelihood(cells), (0.7, 4.0, 0.6, 2.0)),
        "Pareto/NBD, alpha larger": (ParetoNbd.log_likelihood(cells), (0.7, 9.0, 0.6, 2.0)),
        "Pareto/NBD, beta larger": (ParetoNbd.log_likelihood(cells), (0.7, 2.0, 1.6, 20.0)),
        "BG/BB": (BetaBinomialGeo.log_likelihood(cells), (0.9, 3.0, 0.6, 4.0)),
        "Gamma-Gamma": (gamma_gamma.log_likelihood(spend), (3.0, 4.0, 50.0)),
        "sBG": (shifted_beta.log_likelihood(np.arange(1.0, 9), lost, stayed), (0.7, 2.0)),
    }


@pytest.mark.parametrize("name", _likelihoods())
def test_slopes_are_those_of_the_likelihood(name: str) -> None:
    likelihood, parameters = _likelihoods()[name]
    at = np.log(parameters)
    slope = likelihood(at)[1]
    for i, aside in enumerate(1e-5 * np.eye(len(at))):
        difference = (likelihood(at + aside)[0] - likelihood(at - aside)[0]) / 2e-5
        assert slope[i] == pytest.approx(difference, rel=1e-6, abs=1e-5 * np.abs(slope).max())


# What lifetimes 0.11.3 says of the same parameters: P(alive) and purchases in the next 20 of four customers, and
# those of a new one in 1 and in 30.
@pytest.mark.parametrize(
    ("model", "alive", "later", "new"),
    [
        (
            BetaGeo(0.3, 5, 0.8, 2.5),
            [1.0, 0.2486261535, 0.4003269968, 0.9302718791],
            [0.3393058123, 0.1318706082, 0.7108402015, 8.796207089],
            [0.05822086536, 1.115159601],
        ),
        (
            ModifiedBetaGeo(0.5, 6, 0.9, 1.6),
            [0.5212246173, 0.200006575, 0.3683523388, 0.9233127377],
            [0.2696572664, 0.118309551, 0.660263549, 8.530380335],
            [0.05171247961, 0.9600641943],
        ),
        (
            ParetoNbd(0.6, 10, 0.7, 12),
            [0.601323737, 0.1528054991, 0.422377375, 0.9626881644],
            [0.2832115558, 0.08691837093, 0.716539358, 8.615762566],
            [0.05832825958, 1.094875064],
        ),
    ],
)
def test_models_agree_with_lifetimes(
    model: BetaGeo | ModifiedBetaGeo | ParetoNbd, alive: list[float], later: list[float], new: list[float]
) -> None:
    x, t_x, observed = (np.array(column) for column in ([0, 1, 4, 30], [0, 3, 20, 50.0], [10, 40, 38, 52.0]))
    assert model.p_alive(x, t_x, observed) == pytest.approx(alive, rel=1e-7)
    assert model.conditional_purchases(20, x, t_x, observed) == pytest.approx(later, rel=1e-6)
    assert model.expected_purchases([1, 30]) == pytest.approx(new, rel=1e-7)
