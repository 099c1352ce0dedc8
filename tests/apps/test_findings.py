"""The sentences: only what the numbers say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.apps import overviews

from segmentry.apps import findings
from segmentry.target.profiles import TraitEffect


@pytest.fixture(scope="module")
def overview():
    return overviews.realistic()


@pytest.fixture
def primary(overview):
    return overview.segmentations[1]


def test_headline_is_one_sentence_with_the_finding(overview):
    expected = "4,372 customers; the best 36 % bring 80 % of the revenue; 11 segments, 2 need attention now."
    assert findings.headline(overview) == expected


def test_headline_of_odd_bases_says_what_is_missing():
    assert findings.headline(overviews.one_customer()) == "1 customer; 11 segments."
    assert findings.headline(overviews.without_segmentations()).endswith("not segmented yet.")
    assert findings.headline(overviews.nobody_placed()).endswith("nobody could be placed in RFM.")


def test_good_customers_who_stay_away_need_attention(overview, primary):
    why = {a.segment: a.why for a in findings.attention(primary, overview)}
    assert why["Cannot Lose Them"].startswith("good customers who stay away: £219k of revenue, last seen 153 days ago")
    assert "Hibernating" not in why, "they are worth less than their share"


def test_an_overdue_review_needs_attention_and_a_due_one_does_not(overview, primary):
    loyal = primary.segment("Loyal")
    for days, overdue in ((-1, True), (0, False), (1, False)):
        day = replace(loyal, review_by=overview.as_of + timedelta(days=days))
        found = findings.attention(replace(primary, segments=(day,)), overview)
        assert bool(found) is overdue


def test_a_valuable_segment_that_shrinks_needs_attention(overview, primary):
    shrunk = replace(primary.segment("Champions"), customers=90, change=-10)
    (found,) = findings.attention(replace(primary, segments=(shrunk,)), overview)
    assert found.why.startswith("10 of 100 customers left since the last run")
    steady = replace(shrunk, customers=98, change=-2)
    assert not findings.attention(replace(primary, segments=(steady,)), overview)


def test_many_unplaced_customers_need_attention(overview, primary):
    outside = replace(primary.segment("No data"), customers=1000, share=0.23)
    (found,) = findings.attention(replace(primary, segments=(outside,)), overview)
    assert found.why == "23 % of the customers could not be placed"


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        (
            TraitEffect("A", "recency_days", None, "number", "days", 9, 12.0, 1.0, 91.0, -1.2),
            "recency 12 days, 87 % below the average of 91",
        ),
        (
            TraitEffect("A", "monetary", None, "number", "currency", 9, 1900.0, 1.0, 860.0, 0.9),
            "monetary £1,900, 2.2 times the average of £860",
        ),
        (
            TraitEffect("A", "monetary", None, "number", "currency", 9, 790.0, 1.0, 860.0, 0.3),
            "monetary higher for most of them, although the mean, £790, is below the average of £860",
        ),
        (
            TraitEffect("A", "return_rate", None, "number", "share", 9, 0.12, 0.1, 0.05, 0.5),
            "return rate 12 %, against 5 % on average",
        ),
        (
            TraitEffect("A", "newsletter", None, "boolean", "", 9, 0.7, 0.4, 0.5, 0.4),
            "newsletter for 70 % of them (everybody: 50 %)",
        ),
        (
            TraitEffect("A", "margin", None, "number", "currency", 9, 20.0, 1.0, -5.0, 0.4),
            "margin £20.00, above the average of -£5.00",
        ),
        (
            TraitEffect("A", "order_days", None, "number", "days", 9, 8.0, 1.0, 4.0, 0.4),
            "order days 8, 2 times the average of 4",
        ),
        (
            TraitEffect("A", "basket", None, "number", "currency an order", 9, 63.8, 1.0, 258.0, -0.4),
            "basket £63.80 an order, 75 % below the average of £258",
        ),
        (TraitEffect("A", "returns", None, "number", "", 9, 2.0, 1.0, 0.0, 0.4), "returns 2, above the average of 0"),
        (TraitEffect("A", "returns", None, "number", "", 0, None, None, 0.0, None), "returns"),
    ],
)
def test_what_sets_apart_reads_as_a_sentence(effect: TraitEffect, told: str):
    assert findings.sets_apart(effect, "GBP") == told


def test_verdict_prefers_the_reason_that_the_fit_gave(overview, primary):
    assert findings.verdict(primary) == "The segments are a fixed grid over the three scores."
    assert findings.verdict(replace(primary, report={})) == findings.VERDICTS["constructive"]
    assert findings.verdict(replace(primary, report={}, verdict="Something else.")) == "Something else."


def test_the_primary_segmentation_comes_first(overview):
    assert [s.name for s in findings.in_reading_order(overview)] == ["rfm", "lifecycle", "value", "needs"]
    assert overview.as_of == date(2011, 12, 9)
