"""Lifetime models reproduce what was published about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from segmentry.stats.lifetime import (
    BetaBinomialGeo,
    BetaGeo,
    GammaGamma,
    ModifiedBetaGeo,
    ParetoNbd,
    ShiftedBetaGeo,
    Summary,
    summarise,
    track,
    validate,
)
from segmentry.stats.lifetime.buying import BuyingModel
from segmentry.stats.lifetime.cells import Floats, purchase_cells

Histories = tuple[Floats, Floats, Floats]


@pytest.fixture(scope="module")
def cdnow(real_data: Path) -> Histories:
    """(x, t_x, T) of the 2,357 customers of the CDNOW sample, in weeks."""
    rows = np.genfromtxt(real_data / "cdnow" / "cdnow_customers_summary.csv", delimiter=",", skip_header=1)
    return rows[:, 1], rows[:, 2], rows[:, 3]


@pytest.fixture(scope="module")
def purchases(real_data: Path) -> Callable[..., Summary]:
    """The purchases of the sample, summarised; calibration to 1997-09-30."""
    table = pq.read_table(real_data / "cdnow" / "cdnow_sample.parquet")

    def summary(*, spend: bool, grain: str = "day") -> Summary:
        amount = table["dollar_value"] if spend else None
        return summarise(table["customer_id"], table["date"], amount, grain=grain, calibration_end="1997-09-30")

    return summary


@pytest.mark.parametrize(
    ("model", "parameters", "log_likelihood"),
    [
        # The optimum to more digits than were published: 4.4135316 and 2.4257534 for BG/NBD, 1.6139993 for MBG/NBD.
        (BetaGeo, (0.2425929, 4.4135319, 0.7928861, 2.4257537), -9582.425561),
        (ModifiedBetaGeo, (0.5248380, 6.1829922, 0.8913563, 1.6139997), -9582.132685),
        (ParetoNbd, (0.553275, 10.577612, 0.606214, 11.667912), -9594.973930),
    ],
)
def test_cdnow_sample(
    cdnow: Histories, model: type[BuyingModel], parameters: tuple[float, ...], log_likelihood: float
) -> None:
    fitted = model.fit(*cdnow)
    assert list(fitted.parameters.values()) == pytest.approx(parameters, rel=1e-6)
    assert fitted.fitted.log_likelihood == pytest.approx(log_likelihood, abs=6e-7)
    assert fitted.fitted.customers == 2357
    at_published = model.log_likelihood(purchase_cells(*cdnow))(np.log(parameters))
    assert fitted.fitted.log_likelihood >= at_published[0] - 1e-9


def test_expected_purchases_of_bg_nbd(cdnow: Histories) -> None:
    fitted = BetaGeo.fit(*cdnow)
    found = fitted.expected_purchases([0.1429, 1, 3, 31.8571, 32, 78])
    # 31.8571 weeks give 1.0405, 32 weeks 1.0437
    assert found == pytest.approx([0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8580], abs=5.1e-5)
    assert fitted.conditional_purchases(39, [2], [30.43], [38.86]) == pytest.approx(1.22591, abs=5e-6)


def test_holdout_of_the_sample(purchases: Callable[..., Summary]) -> None:
    summary = purchases(spend=False)
    weeks = summary.frequency, summary.recency / 7, summary.T / 7
    fitted = BetaGeo.fit(*weeks)
    assert summary.holdout is not None
    found = validate(fitted, *weeks, summary.holdout, summary.holdout_time / 7)
    assert (found.customers, found.time, found.actual) == (2357, 39, 1882)
    assert found.model.total == pytest.approx(1653.4, abs=0.05)
    assert found.model.mae == pytest.approx(0.7855, abs=5.1e-5)
    assert found.model.rmse == pytest.approx(1.608, abs=5e-4)
    assert found.nobody.mae == pytest.approx(1882 / 2357)
    assert found.better_than_naive
    assert sum(decile.customers for decile in found.deciles) == 2357
    # Fader, Hardie & Lee 2005, figure 5: the model tracks cumulative purchases within 5 %
    tracked = track(fitted, weeks[2], summary.repeats, step=1 / 7)
    seen = tracked.time <= weeks[2].max()
    assert tracked.actual[seen].sum() == summary.frequency.sum() == 2457
    assert tracked.expected[seen].sum() == pytest.approx(2457, rel=0.02)
    assert tracked.expected.sum() == pytest.approx(tracked.actual.sum(), rel=0.05)


def test_summary_of_the_sample_is_the_published_one(cdnow: Histories, purchases: Callable[..., Summary]) -> None:
    summary = purchases(spend=False)
    assert np.array_equal(summary.frequency, cdnow[0])
    assert summary.recency / 7 == pytest.approx(cdnow[1], abs=5.1e-3)  # published with two decimals
    assert pytest.approx(cdnow[2], abs=5.1e-3) == summary.T / 7
    assert str(summary) == (
        "2,357 customers, 946 of whom bought again, over 272 days until 1997-09-30, and 273 days of holdout with 1,882 "
        "purchases; 6,919 rows, dropped: no rows."
    )


def test_gamma_gamma_of_those_who_bought_again(purchases: Callable[..., Summary]) -> None:
    summary = purchases(spend=True)
    assert summary.monetary is not None
    cents = np.floor(summary.monetary * 100 + 0.5 + 1e-9) / 100  # the published means are rounded
    fitted = GammaGamma.fit(summary.frequency, cents)
    assert fitted.fitted.customers == 946
    assert list(fitted.parameters.values()) == pytest.approx((6.248803, 3.744588, 15.447746), rel=2e-7)
    assert fitted.fitted.log_likelihood == pytest.approx(-4055.923244, abs=6e-7)
    spend = [24.655, 18.911, 35.171, 35.171, 35.171, 71.464, 18.911, 35.171, 27.282, 35.171]
    assert fitted.expected_spend(summary.frequency[:10], summary.monetary[:10]) == pytest.approx(spend, abs=0.002)


@pytest.mark.parametrize(
    ("shares", "alpha", "beta", "log_likelihood"),
    [
        ((1, 0.631, 0.468, 0.382, 0.326, 0.289, 0.262, 0.241), 0.70408, 1.18204, -1680.2652),
        ((1, 0.869, 0.743, 0.653, 0.593, 0.551, 0.517, 0.491), 0.66809, 3.80610, -1611.1581),
    ],
    ids=["Regular", "High-end"],
)
def test_contracts_of_fader_and_hardie(
    shares: tuple[float, ...], alpha: float, beta: float, log_likelihood: float
) -> None:
    there = np.round(np.array(shares) * 1000)
    fitted = ShiftedBetaGeo.fit_survivors(there)
    # the optimum of High-end is 3.806095, on the border between two last digits
    assert (fitted.alpha, fitted.beta) == pytest.approx((alpha, beta), abs=6e-6)
    assert fitted.fitted.log_likelihood == pytest.approx(log_likelihood, abs=5.1e-5)
    one_by_one = ShiftedBetaGeo.fit([*range(1, 8), 7], [1] * 7 + [0], [*-np.diff(there), there[-1]])
    assert (one_by_one.alpha, one_by_one.beta) == pytest.approx((alpha, beta), abs=6e-6)


def test_donations_of_fader_hardie_and_shang() -> None:
    # Marketing Science 29(6), 2010, table 2: gifts of 11,104 people in 6 years after their first.
    histories = [
        *((0, 0, 3464), (1, 1, 1091), (1, 2, 277), (1, 3, 129), (1, 4, 78), (1, 5, 119), (1, 6, 129), (2, 2, 613)),
        *((2, 3, 255), (2, 4, 155), (2, 5, 173), (2, 6, 234), (3, 3, 322), (3, 4, 181), (3, 5, 225), (3, 6, 357)),
        *((4, 4, 240), (4, 5, 284), (4, 6, 512), (5, 5, 335), (5, 6, 728), (6, 6, 1203)),
    ]
    x, t_x, n = np.array(histories).T
    fitted = BetaBinomialGeo.fit(x, t_x, np.full(len(x), 6), n)
    assert list(fitted.parameters.values()) == pytest.approx((1.204, 0.750, 0.657, 2.783), abs=5.1e-4)
    assert fitted.fitted.log_likelihood == pytest.approx(-33225.6, abs=0.05)
    # table 4: expected gifts in the next five years, of those who gave in none and in all of the six
    assert fitted.conditional_purchases(5, [0, 6], [0, 6], [6, 6]) == pytest.approx([0.07, 3.75], abs=5.1e-3)
