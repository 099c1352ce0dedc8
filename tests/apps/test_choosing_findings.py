"""How the number was chosen, in sentences: what was tried, why not more, whom to trust, where refused ones went."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.apps import overviews

from segmentry.apps import choosing_findings, findings
from segmentry.target.profiles import SegmentationSummary

MORE = "new samples give too different segments (mean ARI 0.70 < 0.8)"


def row(k: int, pairs: int = 20, failures: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"k": k, "ari": [0.9] * pairs, "starts": 10, "failures": list(failures)}


def judged(*jaccard: float) -> list[dict[str, Any]]:
    return [{"jaccard": value, "trust": "high" if value >= 0.85 else "valid"} for value in jaccard]


@pytest.fixture
def summary() -> SegmentationSummary:
    """Four segments that were found."""
    found = next(s for s in overviews.realistic().segmentations if s.name == "needs")
    report = {
        "panel": [row(2), row(3), row(4, pairs=50), row(5, failures=(MORE,))],
        "panel_rows": 1453,
        "passed": [2, 4],
        "asked": None,
        "judged": judged(0.97, 0.9, 0.8, 0.86),
    }
    return replace(found, report=report)


def test_story_says_what_was_tried_why_not_more_and_whom_to_trust(summary: SegmentationSummary) -> None:
    tried, not_more, trusted = choosing_findings.story(summary)
    assert tried == (
        "2 to 5 segments were tried, on 20 to 50 pairs of resamples of 1,453 customers, with the best of 10 starts on"
        " each."
    )
    assert not_more == f"2 passes, too; the largest number that passes is taken. 5 do not pass: {MORE}."
    assert trusted == (
        "The segment that comes back best is frequent buyers with large baskets (0.97, high), the one that comes back"
        " least large-basket, silent customers (0.80, valid)."
    )


def test_number_that_was_asked_for_is_not_defended(summary: SegmentationSummary) -> None:
    asked = replace(summary, report={**summary.report, "asked": 4})
    told = choosing_findings.story(asked)
    assert told[0].startswith("4 segments were asked for. How well they come back was measured on 20 to 50 pairs")
    assert not any("pass" in sentence for sentence in told)


def test_refused_number_says_where_its_customers_are_now(summary: SegmentationSummary) -> None:
    went = [{"segments": [4], "customers": 24, "into": 1, "share": 0.92}]
    refused = [{"k": 5, "why": ["one segment holds only 24 customers."], "went": went}]
    told = choosing_findings.story(replace(summary, report={**summary.report, "refused": refused}))
    assert told[-1] == (
        "5 segments were refused, and fewer formed anew: one segment holds only 24 customers."
        " 92 % of these 24 customers are now in frequent buyers."
    )


def test_segments_that_people_set_have_no_story(summary: SegmentationSummary) -> None:
    assert choosing_findings.story(replace(summary, report={})) == []


def test_descriptors_are_told_apart_from_what_formed_a_segment(summary: SegmentationSummary) -> None:
    segment = summary.segments[0]
    forming, describing = findings.apart(summary, segment)
    assert {e.trait for e in forming} <= set(summary.variables)
    assert describing
    assert not {e.trait for e in describing} & set(summary.variables)
    by_people = replace(summary, report={})
    assert findings.apart(by_people, segment) == (segment.apart, ())
