"""Lifetime models say what is wrong with the data, or are right about it; they never make something up."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.stats.lifetime_customers import customers_of

from segmentry.errors import ArtefactError, DataError, FitError, UsageError
from segmentry.stats.lifetime import (
    BetaBinomialGeo,
    BetaGeo,
    GammaGamma,
    ModifiedBetaGeo,
    ParetoNbd,
    ShiftedBetaGeo,
    Terms,
    correlation,
    lifetime_value,
    purchase_cells,
)

BUYING: list[Any] = [BetaGeo, ModifiedBetaGeo, ParetoNbd, BetaBinomialGeo]
FIXED: list[Any] = [
    BetaGeo(0.3, 5, 0.8, 2.5),
    ModifiedBetaGeo(0.3, 5, 0.8, 2.5),
    ParetoNbd(0.3, 5, 0.8, 12),
    BetaBinomialGeo(0.9, 3, 0.7, 4),
]


@pytest.mark.parametrize("model", [*BUYING, *FIXED])
@pytest.mark.parametrize(
    ("x", "t_x", "observed", "why"),
    [
        ([], [], [], "empty"),
        ([1, 2], [3, 4], [9], "differ in length"),
        ([1.5], [3], [9], r"frequency\[0\] is 1.5.*whole number"),
        ([2, -1], [3, 3], [9, 9], r"frequency\[1\] is -1"),
        ([1], [10], [9], r"recency\[0\] is 10.*between 0 and T"),
        ([1], [-1], [9], r"recency\[0\] is -1"),
        ([0], [3], [9], "Frequency is 0 there"),
        ([2], [0], [9], "Merge those of one day"),
        ([0], [0], [-1], r"T\[0\] is -1"),
        ([1, math.nan], [3, 3], [9, 9], r"frequency\[1\] is nan"),
        ([1], [3], [math.inf], r"T\[0\] is inf"),
        (["often"], [3], [9], "no numbers"),
        ([[1]], [[3]], [[9]], "2 dimensions"),
    ],
)
def test_impossible_histories_are_refused(model: Any, x: Any, t_x: Any, observed: Any, why: str) -> None:
    work = model.fit if isinstance(model, type) else model.p_alive
    with pytest.raises(DataError, match=why):
        work(x, t_x, observed)


@pytest.mark.parametrize("model", BUYING)
def test_counts_are_checked(model: Any) -> None:
    for counts, why in (([1], "1 counts for 2 rows"), ([1, -1], "counts"), ([0, 0], "All counts are 0")):
        with pytest.raises(DataError, match=why):
            model.fit([1, 2], [3, 4], [9, 9], counts)


@pytest.mark.parametrize("model", BUYING)
@pytest.mark.parametrize(
    ("histories", "why"),
    [
        (([0] * 50, [0] * 50, [30] * 50), "None of these 50 customers bought again"),
        (([0], [0], [0]), "None of these 1 customers bought again"),
        (([52] * 200, [52] * 200, [52] * 200), "Nobody is seen to drop out"),
        (([3], [20], [40]), "The histories of 1 customer do not determine"),
        (([1] * 99, [2, 3, 4] * 33, [80] * 99), "has no maximum|rising slowly|orders of magnitude"),
    ],
    ids=["nobody repeats", "nobody has time", "everybody repeats weekly", "one customer", "once and gone"],
)
def test_data_that_cannot_tell_get_a_verdict(model: Any, histories: Any, why: str) -> None:
    with pytest.raises(FitError, match=why) as refused:
        model.fit(*histories)
    assert refused.value.fix


def test_customers_who_never_leave_are_not_given_a_probability_to_leave() -> None:
    rng = np.random.default_rng(2)
    x = rng.poisson(rng.gamma(1, 3, 2000))
    t_x = np.where(x > 0, 50 * (1 - rng.random(2000) ** np.maximum(x, 1)), 0)
    with pytest.raises(FitError, match="BG/NBD"):
        BetaGeo.fit(x, np.where(x > 0, np.maximum(t_x, 1e-6), 0), np.full(2000, 50))


def test_cells_and_customers_give_the_same_model() -> None:
    rng = np.random.default_rng(1)
    (x, t_x, observed), _ = customers_of(rng, 3000, (0.8, 5), (0.9, 3), BetaGeo)
    t_x = np.ceil(t_x)
    one_by_one = BetaGeo.fit(x, t_x, observed)
    cells, counts = np.unique(np.column_stack([x, t_x, observed]), axis=0, return_counts=True)
    grouped = BetaGeo.fit(*cells.T, counts)
    assert grouped == one_by_one
    shuffled = rng.permutation(3000)
    assert BetaGeo.fit(x[shuffled], t_x[shuffled], observed[shuffled]) == one_by_one
    empty = BetaGeo.fit(*np.vstack([cells, [[900, 30, 39]]]).T, [*counts, 0])
    assert empty == one_by_one
    doubled = BetaGeo.fit(*cells.T, 2 * counts)
    assert list(doubled.parameters.values()) == pytest.approx(list(one_by_one.parameters.values()), rel=1e-6)
    ratio = np.array(list(one_by_one.standard_errors.values())) / list(doubled.standard_errors.values())
    assert ratio == pytest.approx(math.sqrt(2), rel=1e-3)


def test_unit_of_time_does_not_matter() -> None:
    (x, t_x, observed), _ = customers_of(np.random.default_rng(1), 2000, (0.8, 5), (0.9, 3), BetaGeo)
    weeks = BetaGeo.fit(x, t_x, observed)
    days = BetaGeo.fit(x, 7 * t_x, 7 * observed)
    assert days.alpha == pytest.approx(7 * weeks.alpha, rel=1e-6)
    assert days.a == pytest.approx(weeks.a, rel=1e-6)
    later = days.conditional_purchases(70, x, 7 * t_x, 7 * observed)
    assert later == pytest.approx(weeks.conditional_purchases(10, x, t_x, observed), rel=1e-6)


@pytest.mark.parametrize("model", FIXED, ids=lambda model: model.kind)
def test_scores_are_sensible_at_the_edges(model: Any) -> None:
    x = np.array([0, 0, 1, 400, 400, 3000])
    t_x = np.array([0, 0, 1, 400, 500, 3650])
    observed = np.array([0, 3650, 3650, 3650, 500, 3650])
    alive = model.p_alive(x, t_x, observed)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert alive[3] < 1e-6  # bought daily, then was silent for 3,250 days
    assert alive[5] > 0.9  # still buys daily
    soon, later = (model.conditional_purchases(time, x, t_x, observed) for time in (30, 3650))
    assert ((soon >= 0) & (soon <= later) & np.isfinite(later)).all()
    assert (model.conditional_purchases(0, x, t_x, observed) == 0).all()
    assert model.expected_purchases([0, 10])[0] == 0
    discounted = model.discounted_purchases(math.inf, 0.001, x, t_x, observed)
    assert np.isfinite(discounted).all()
    assert (model.discounted_purchases(3650, 0.001, x, t_x, observed) <= later + 1e-12).all()
    # a row does not depend on the rows beside it
    assert [model.p_alive([a], [b], [c])[0] for a, b, c in zip(x, t_x, observed, strict=True)] == pytest.approx(
        list(alive), rel=1e-9, abs=1e-12
    )


def test_a_new_customer_buys_what_a_random_one_does() -> None:
    for model in FIXED:
        if not isinstance(model, ModifiedBetaGeo):  # there, being alive at time 0 is news
            new = model.conditional_purchases(20, [0], [0], [0])
            assert new == pytest.approx(model.expected_purchases([20]), rel=1e-10)


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.conditional_purchases(-1, [1], [3], [9]),
        lambda model: model.conditional_purchases(math.inf, [1], [3], [9]),
        lambda model: model.conditional_purchases(math.nan, [1], [3], [9]),
        lambda model: model.discounted_purchases(math.inf, 0, [1], [3], [9]),
        lambda model: model.discounted_purchases(9, -0.1, [1], [3], [9]),
        lambda model: model.expected_purchases([-1]),
        lambda model: model.intervals(),
        lambda model: type(model)(*[-1.0] * 4),
        lambda model: type(model)(*[math.nan] * 4),
    ],
)
@pytest.mark.parametrize("model", FIXED, ids=lambda model: model.kind)
def test_wrong_questions_are_refused(model: Any, call: Any) -> None:
    with pytest.raises(UsageError):
        call(model)


def test_periods_are_whole() -> None:
    with pytest.raises(DataError, match="recency"):
        BetaBinomialGeo.fit([1], [2.5], [6])
    with pytest.raises(DataError, match="at most one purchase in a period"):
        BetaBinomialGeo.fit([3], [2], [6])
    with pytest.raises(UsageError, match="periods"):
        FIXED[3].conditional_purchases(2.5, [1], [3], [9])


@pytest.mark.parametrize(
    ("x", "m", "error", "why"),
    [
        ([1, 2], [5, -3], DataError, r"monetary\[1\] is -3"),
        ([1, 2], [5, 0], DataError, r"monetary\[1\] is 0.*free orders"),
        ([0, 2], [5, 3], DataError, "Frequency is 0 there"),
        ([1, 2], [5, math.nan], DataError, "nan"),
        ([1.5], [5], DataError, "whole number"),
        ([], [], DataError, "empty"),
        ([0, 0], [0, 0], FitError, "bought again"),
        ([4], [12], FitError, "1 customer"),
        ([1, 2, 3] * 20, [12] * 60, FitError, "spend"),
    ],
)
def test_spend_that_cannot_be_learned_from(x: Any, m: Any, error: Any, why: str) -> None:
    with pytest.raises(error, match=why):
        GammaGamma.fit(x, m)


def test_infinite_mean_spend_is_refused_where_it_matters() -> None:
    wild = GammaGamma(2, 0.9, 10)
    assert wild.expected_spend([1], [20]) == pytest.approx(2 * 30 / 1.9)
    with pytest.raises(FitError, match="infinite"):
        wild.expected_spend([1, 0], [20, 0])


def test_correlation_of_frequency_and_spend() -> None:
    assert correlation([0, 1, 2, 3], [0, 10, 20, 30]) == pytest.approx(1)
    assert correlation([1, 2, 1, 2], [10, 10, 20, 20]) == pytest.approx(0)
    assert correlation([1, 2, 3], [10, 20, 15], [5, 5, 0]) == pytest.approx(1)
    assert math.isnan(correlation([0, 1], [0, 10]))


@pytest.mark.parametrize(
    ("there", "error", "why"),
    [
        ([], DataError, "empty"),
        ([100], DataError, "says nothing"),
        ([100, 120], DataError, "never become more"),
        ([0, 0], DataError, "start above 0"),
        ([100, 100], FitError, "None of these 100 customers left"),
        ([100, 0], FitError, "after the first period"),
        ([100, 50], FitError, "alpha and beta"),
        ([1000, 900, 810, 729, 656], FitError, "alpha and beta|same probability"),
    ],
)
def test_cohorts_that_cannot_tell(there: Any, error: Any, why: str) -> None:
    with pytest.raises(error, match=why):
        ShiftedBetaGeo.fit_survivors(there)


def test_contracts_are_checked() -> None:
    with pytest.raises(DataError, match="Nobody leaves before"):
        ShiftedBetaGeo.fit([0, 2], [True, False])
    with pytest.raises(DataError, match="True or False"):
        ShiftedBetaGeo.fit([1, 2], [2, 0])
    with pytest.raises(UsageError, match="period 0"):
        ShiftedBetaGeo(1, 2).retention([0])
    with pytest.raises(UsageError, match="infinite"):
        ShiftedBetaGeo(1, 2).discounted_periods(0, [1])
    assert ShiftedBetaGeo(1, 2).survival([0, 1]) == pytest.approx([1, 2 / 3])


def test_models_are_json_in_and_out() -> None:
    fitted = ShiftedBetaGeo.fit_survivors([1000, 631, 468, 382])
    for model in (*FIXED, fitted, GammaGamma(2, 3, 4)):
        assert type(model).from_json(model.to_json()) == model
    for text, why in (
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"kind": "sBG"}', "not a 'BG/NBD'"),
        ('{"kind": "BG/NBD", "parameters": {"r": 1}, "estimate": null}', "damaged"),
        ('{"kind": "BG/NBD", "parameters": {"r": -1, "alpha": 1, "a": 1, "b": 1}, "estimate": null}', "damaged"),
        ('{"kind": "BG/NBD", "parameters": null, "estimate": null}', "damaged"),
    ):
        with pytest.raises(ArtefactError, match=why):
            BetaGeo.from_json(text)


def test_value_without_fit_has_no_interval() -> None:
    histories, spend = ([0, 2], [0, 9], [20, 20]), [0, 25]
    with pytest.raises(UsageError, match="given parameters"):
        lifetime_value(FIXED[0], GammaGamma(6, 4, 15), *histories, spend, Terms(52))
    found = lifetime_value(FIXED[0], GammaGamma(6, 4, 15), *histories, spend, Terms(52, level=None), [10, 1])
    assert found.interval is None
    assert found.total == pytest.approx(10 * found.value[0] + found.value[1])
    assert found.value == pytest.approx(found.spend * FIXED[0].conditional_purchases(52, *histories))
    with pytest.raises(DataError, match="frequency 2, monetary 1"):
        lifetime_value(FIXED[0], GammaGamma(6, 4, 15), *histories, [0][:1], Terms(52, level=None))
    with pytest.raises(UsageError, match="margin"):
        Terms(52, margin=1.2)


def test_millions_of_cells_take_bounded_memory() -> None:
    # a likelihood works on blocks: its peak beyond the cells themselves does not grow with their number
    import tracemalloc  # noqa: PLC0415

    rng = np.random.default_rng(0)
    observed = rng.integers(1, 3651, 1_500_000)
    t_x = np.ceil(observed * rng.random(1_500_000))
    x = np.minimum(rng.geometric(0.2, 1_500_000), t_x)
    cells = purchase_cells(x, t_x, observed)
    assert len(cells) > 1_000_000
    likelihood = BetaGeo.log_likelihood(cells)
    tracemalloc.start()
    value, slope = likelihood(np.log([0.5, 60, 0.8, 3]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6
    assert np.isfinite([value, *slope]).all()
