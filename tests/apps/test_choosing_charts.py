"""Charts of the evidence: they read what ``choose`` writes, state what they show, and stay away where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.apps import overviews

from segmentry.apps import choosing_charts as drawn
from segmentry.target.profiles import SegmentationSummary

ALL = (drawn.within, drawn.across, drawn.criteria, drawn.replications, drawn.gorge)


def evidence(k: int = 4, *, model: bool) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    panel = []
    for n in range(2, 7):
        row = {"k": n, "mean_ari": 0.9 - n / 20, "jaccard": list(rng.uniform(0.5, 1, n)), "loss": 900.0 / n}
        row |= {"starts": 25, "replications": 30 - 5 * n, "smallest_share": 0.1}
        panel.append(row | ({"bic": 2000 + (n - 4) ** 2, "icl": 2100 + (n - 3) ** 2, "aic": 1900} if model else {}))
    flows = [rng.dirichlet(np.ones(n * (n + 1))).reshape(n, n + 1).tolist() for n in range(2, 6)]
    across = [
        {"k": n, "flows": flow, "slsa": list(rng.random(n + 1)), "comes_back": [0.9] * (n - 1) + [0.4]}
        for n, flow in zip(range(2, 6), flows, strict=True)
    ]
    return {
        "k": k,
        "panel": panel,
        "across": across,
        "gorge": rng.integers(0, 50, (k, 20)).tolist(),
        "counterpart": list(range(k)),
    }


@pytest.fixture
def summary() -> SegmentationSummary:
    found = next(s for s in overviews.realistic().segmentations if s.name == "needs")
    return replace(found, report={**found.report, **evidence(model=False)})


def test_every_chart_states_what_it_shows(summary: SegmentationSummary) -> None:
    titles = [figure.layout.title.text for chart in ALL if (figure := chart(summary)) is not None]
    assert len(titles) == len(ALL)
    assert "With one segment more, 3 of the 4 stay what they are" in titles
    assert "10 of 25 searches found these 4 segments" in titles
    assert "One segment more than 4 explains 20 % of what is left within them" in titles


def test_model_speaks_through_its_criteria(summary: SegmentationSummary) -> None:
    modelled = replace(summary, report={**summary.report, **evidence(model=True)})
    figure = drawn.criteria(modelled)
    assert figure is not None
    assert figure.layout.title.text == "The criteria speak: BIC for 4, ICL for 3, AIC for 2 segments"
    notes = [{name: note for name, _, note in drawn.drawn(each)} for each in (modelled, summary)]
    assert notes[0]["criteria"] != notes[1]["criteria"]


def test_all_flows_of_customers_are_drawn_between_circles(summary: SegmentationSummary) -> None:
    figure = drawn.across(summary)
    assert figure is not None
    circles = [len(trace.x) for trace in figure.data if trace.mode == "markers"]
    assert circles == [2, 3, 4, 5, 6]
    assert all(0 <= y <= 1 for trace in figure.data for y in trace.y)


def test_segmentation_without_evidence_has_no_such_charts() -> None:
    for summary in overviews.realistic().segmentations:
        if summary.method != "kmeans":
            assert [chart(summary) for chart in ALL] == [None] * len(ALL)
