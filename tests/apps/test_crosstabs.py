"""Who the members of segments are: descriptors by segment, tested, against scipy's own table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from tests.apps import overviews

from segmentry.apps.crosstabs import crosstabs
from segmentry.target.profiles import SegmentationSummary, TraitEffect

LEVELS = ("weekly", "monthly", "never")
COUNTS = np.array([[60, 30, 10], [20, 30, 50], [30, 40, 30], [10, 20, 70]])  # segments by levels


def counted(names: list[str], trait: str, counts: np.ndarray, levels: tuple[str, ...]) -> list[TraitEffect]:
    """The figures of a category by segment, as a profile has them."""
    known = counts.sum(axis=1)
    return [
        TraitEffect(name, trait, level, "category", "", int(n), counts[i, j] / n, 0.4, 0.3, 0.5)
        for i, (name, n) in enumerate(zip(names, known, strict=True))
        for j, level in enumerate(levels)
    ]


@pytest.fixture
def summary() -> SegmentationSummary:
    found = next(s for s in overviews.realistic().segmentations if s.name == "needs")
    names = [s.name for s in found.segments if s.customers and s.name not in ("No data", "No good fit")]
    effects = [
        *counted(names, "visits", COUNTS[: len(names)], LEVELS),
        *counted(names, "coin", np.full((len(names), 2), 50), ("heads", "tails")),
        *counted(names, found.variables[0], COUNTS[: len(names)], LEVELS),
    ]
    return replace(found, effects=tuple(effects), report={**found.report, "judged": [{}] * len(names)})


def test_descriptors_that_go_with_the_segments_are_tabulated_and_tested(summary: SegmentationSummary) -> None:
    (visits,) = crosstabs(summary)  # the coin says nothing, and what formed the segments is no descriptor
    counts = COUNTS[: len(visits.segments)]
    assert visits.p == pytest.approx(2 * chi2_contingency(counts).pvalue)  # two were looked at
    shares = dict(visits.rows)
    assert shares["weekly"][:2] == ("60 %", "20 %")
    assert shares["never"][-1] == f"{100 * counts[:, 2].sum() / counts.sum():.0f} %"
    assert visits.told.startswith("Visits and the segments go together clearly (Cramér's V 0.3")
    assert visits.told.endswith("p < 0.001)")


def test_levels_too_rare_to_be_profiled_are_one_row(summary: SegmentationSummary) -> None:
    (visits,) = crosstabs(replace(summary, effects=tuple(e for e in summary.effects if e.level != "monthly")))
    assert dict(visits.rows)["all other answers"][0] == "30 %"


def test_rules_of_people_have_no_descriptors(summary: SegmentationSummary) -> None:
    assert crosstabs(replace(summary, report={})) == ()
