"""From purchases to histories: what counts as one purchase, what is dropped and why, what was bought later."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import segmentry as sg
from segmentry.errors import DataError, UsageError
from segmentry.stats.lifetime import BetaGeo, summarise, track, validate

PURCHASES = [
    ("ann", "2026-01-01T09:00", 10.0),
    ("ann", "2026-01-01T17:30", 5.0),  # the same day: one purchase of 15
    ("ann", "2026-01-05", 20.0),
    ("ann", "2026-01-05", 2.0),
    ("ann", "2026-01-12", 30.0),
    ("bob", "2026-01-03", 7.0),
    ("bob", "2026-01-20", 9.0),  # in the holdout
    ("cem", "2026-01-10", 4.0),
    ("cem", "2026-01-11", -4.0),  # a return is no purchase
    ("dee", "2026-01-16", 8.0),  # came after the calibration
    ("", "2026-01-02", 1.0),
    ("eve", "NaT", 1.0),
    ("fay", "2026-01-02", float("nan")),
    ("gus", "2026-02-01", 3.0),  # after the observation
]
COLUMNS = [np.array(column) for column in zip(*PURCHASES, strict=True)]
ENDS = {"calibration_end": "2026-01-14", "observation_end": "2026-01-21"}


def test_histories_by_hand() -> None:
    found = summarise(*COLUMNS, **ENDS)
    assert list(found.customer) == ["ann", "bob", "cem"]
    assert list(found.frequency) == [2, 0, 0]
    assert list(found.recency) == [11, 0, 0]
    assert list(found.T) == [13, 11, 4]
    assert found.monetary is not None
    assert list(found.monetary) == [26, 0, 0]
    assert found.holdout is not None
    assert list(found.holdout) == [0, 1, 0]
    assert found.holdout_time == 7
    assert found.repeats.sum() == 3
    assert found.repeats[[4, 11, 19]].tolist() == [1, 1, 1]
    assert str(found) == (
        "3 customers, 1 of whom bought again, over 13 days until 2026-01-14, and 7 days of holdout with 1 purchases; "
        "14 rows, dropped: 1 without customer, 1 without time, 2 without an amount above 0, 1 after the observation, "
        "1 of customers who came after the calibration."
    )


def test_weeks_end_with_the_calibration() -> None:
    found = summarise(*COLUMNS, grain="week", **ENDS)
    # to the 14th: ann's first two days are in the week of 1 to 7 January, the third in the next
    assert list(found.frequency) == [1, 0, 0]
    assert list(found.T) == [1, 1, 0]
    assert found.monetary is not None
    assert found.monetary[0] == 30
    assert found.holdout_time == 1


def test_without_amounts_every_row_counts_and_without_ends_all_is_calibration() -> None:
    found = summarise(COLUMNS[0], COLUMNS[1])
    assert found.monetary is None
    assert found.holdout is None
    assert found.calibration_end == dt.date(2026, 2, 1)
    assert list(found.customer) == ["ann", "bob", "cem", "dee", "fay", "gus"]
    assert found.repeats.sum() == found.frequency.sum()


@pytest.mark.parametrize(
    ("arguments", "options", "error", "why"),
    [
        (([], [], []), {}, DataError, "None of 0 rows"),
        ((["a"], ["2026-01-01"], [-1]), {}, DataError, "1 without an amount above 0"),
        ((["a", "b"], ["2026-01-01"]), {}, DataError, "differ in length"),
        ((["a"], ["soon"]), {}, DataError, "no dates"),
        ((["a"], ["2026-01-01"], ["much"]), {}, DataError, "no numbers"),
        ((np.array(["a", 1], dtype=object), ["2026-01-01"] * 2), {}, DataError, "several kinds"),
        ((["a"], ["2026-01-01"]), {"grain": "fortnight"}, UsageError, "'day' and 'week'"),
        ((["a"], ["2026-01-01"]), {"calibration_end": "soon"}, UsageError, "calibration_end"),
        ((["a"], ["2026-01-01"]), {"calibration_end": "2026-02-01"}, UsageError, "after the observation"),
        ((["a"], ["2026-03-01"]), {"calibration_end": "2026-02-01"}, DataError, "Nobody bought until"),
    ],
)
def test_purchases_that_cannot_be_summarised(arguments: Any, options: Any, error: Any, why: str) -> None:
    with pytest.raises(error, match=why):
        summarise(*arguments, **options)


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "ibis"])
def test_any_table_gives_the_same_summary(kind: str) -> None:
    rows = {"who": [w or None for w in COLUMNS[0]], "at": COLUMNS[1].astype("datetime64[us]"), "paid": COLUMNS[2]}
    table: Any = {
        "pandas": pd.DataFrame,
        "polars": pl.DataFrame,
        "arrow": lambda columns: pa.table({**columns, "at": pa.array(columns["at"])}),
        "ibis": lambda columns: ibis.memtable(pd.DataFrame(columns)),
    }[kind](rows)
    found = sg.lifetime.summarise_table(table, customer="who", time="at", amount="paid", **ENDS)
    expected = summarise(*COLUMNS, **ENDS)
    assert str(found) == str(expected)
    for name in ("customer", "frequency", "recency", "T", "monetary", "holdout", "repeats"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()
    with pytest.raises(UsageError, match="Did you mean 'who'"):
        sg.lifetime.summarise_table(table, customer="whom", time="at")


def test_ids_may_be_numbers_and_missing() -> None:
    table = pl.DataFrame({"id": [7, None, 3, 7], "day": [dt.date(2026, 1, d) for d in (1, 1, 2, 5)]})
    found = sg.lifetime.summarise_table(table, customer="id", time="day")
    assert found.customer.tolist() == [3, 7]
    assert found.frequency.tolist() == [0, 1]
    assert found.dropped["without customer"] == 1


# Validation -----------------------------------------------------------------------------------------------------------


def test_validation_by_hand() -> None:
    model = BetaGeo(0.3, 5, 0.8, 2.5)
    x, t_x, observed, bought = [0, 2, 2], [0, 5, 9], [10, 10, 0 + 10], [0, 1, 4]
    found = validate(model, x, t_x, observed, bought, 5, [8, 1, 1])
    expected = model.conditional_purchases(5, x, t_x, observed)
    assert found.model.total == pytest.approx(8 * expected[0] + expected[1] + expected[2])
    assert found.actual == 5
    assert found.rate.total == 2
    assert found.rate.mae == pytest.approx((0 + 0 + 3) / 10)
    assert found.rate.rmse == pytest.approx((9 / 10) ** 0.5)
    assert found.nobody.total_error == -1
    assert [decile.customers for decile in found.deciles] == [1, 1, 8]
    assert [decile.actual for decile in found.deciles] == [4, 1, 0]
    with pytest.raises(DataError, match=r"actual\[0\] is -1"):
        validate(model, [1], [3], [9], [-1], 5)


def test_customers_of_no_age_have_no_rate() -> None:
    found = validate(BetaGeo(0.3, 5, 0.8, 2.5), [0], [0], [0], [0], 5)
    assert found.rate.total == 0
    assert np.isnan(found.rate.total_error)


def test_tracking_counts_everyone_from_their_arrival() -> None:
    model = BetaGeo(0.3, 5, 0.8, 2.5)
    found = track(model, [3, 1], [0, 1, 0, 2, 5], [10, 4])
    one = model.expected_purchases([1, 2, 3, 4])
    assert np.cumsum(found.expected) == pytest.approx(
        [0, 10 * one[0], 10 * one[1], 10 * one[2] + 4 * one[0], 10 * one[3] + 4 * one[1]]
    )
    assert found.actual.tolist() == [0, 1, 0, 2, 5]
    with pytest.raises(DataError, match="customers came over 4"):
        track(model, [3, 0], [0, 1])
