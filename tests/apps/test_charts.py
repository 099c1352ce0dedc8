"""The figures: they state what they show, keep a segment's colour, and survive whatever they are given."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from tests.apps import overviews

from segmentry.apps import charts, findings, palette, profile_chart
from segmentry.overview import Overview
from segmentry.segment import rfm
from segmentry.segmentation import NO_DATA_NAME, NO_GOOD_FIT_NAME
from segmentry.target.profiles import SegmentationSummary


@pytest.fixture(scope="module")
def overview() -> Overview:
    return overviews.realistic()


@pytest.fixture(scope="module")
def by_name(overview: Overview) -> dict[str, SegmentationSummary]:
    return {s.name: s for s in overview.segmentations}


# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB
EYES = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def seen(colour: str, eye: str) -> np.ndarray:
    """CIE Lab (D65) of a colour as an eye sees it."""
    srgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(EYES[eye] @ linear, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", EYES)
def test_neighbouring_segments_can_be_told_apart_by_every_eye(eye: str):
    for n in range(2, 12):
        for one, other in pairwise(palette.in_order(n)):
            assert np.linalg.norm(seen(one, eye) - seen(other, eye)) > 10, (n, one, other)
    for one, other in combinations(palette.UNORDERED[:7], 2):
        assert np.linalg.norm(seen(one, eye) - seen(other, eye)) > 15, (one, other)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 11, 20])
def test_ordered_colours_are_as_many_as_segments_and_all_different(n: int):
    colours = palette.in_order(n)
    assert len(set(colours)) == n
    assert colours[0] == palette.ORDERED[0], "the best segment is always the same blue"


def test_customers_without_a_segment_are_grey_in_every_segmentation(by_name: dict[str, SegmentationSummary]):
    for name in ("rfm", "needs"):
        colours = palette.segment_colours(by_name[name])
        for outside in (NO_DATA_NAME, NO_GOOD_FIT_NAME):
            red, green, blue = (colours[outside][i : i + 2] for i in (1, 3, 5))
            assert red == green == blue


def test_a_segment_has_the_same_colour_in_the_bars_and_on_the_map(by_name: dict[str, SegmentationSummary]):
    summary = by_name["rfm"]
    colours = palette.segment_colours(summary)
    bars = charts.sizes(summary)
    assert list(bars.data[1].marker.color) == [colours[s.name] for s in summary.segments if s.customers]
    chart = charts.rfm_map(summary).data[0]
    names = [s.name for s in summary.segments]
    steps = dict(enumerate(chart.colorscale[::2]))
    assert {name: steps[i][1] for i, name in enumerate(names)} == {name: colours[name] for name in names}


def test_pareto_title_says_how_few_bring_most(overview: Overview):
    top = findings.top_share(overview.pareto)
    figure = charts.pareto(overview.pareto, "revenue")
    assert top is not None
    assert figure.layout.title.text == f"The best {100 * top:.0f} % of the customers bring 80 % of the revenue"
    assert figure.data[2].x == (top,)
    assert figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text


def test_pareto_of_losses_has_no_top_share():
    points = [(0.5, 0.3), (1.0, -0.2)]
    assert findings.top_share(points) is None
    assert charts.pareto(points).layout.title.text == "How the value is spread over the customers"


def test_sizes_title_names_the_segment_that_brings_most(by_name: dict[str, SegmentationSummary]):
    assert (
        charts.sizes_title(by_name["value"], "revenue")
        == "12 % of the customers are High; they bring 50 % of the revenue"
    )


def test_rfm_map_counts_every_customer_once(by_name: dict[str, SegmentationSummary]):
    summary = by_name["rfm"]
    figure = charts.rfm_map(summary)
    numbers = [int(a.text.partition("<b>")[2].removesuffix("</b>").replace(",", "")) for a in figure.layout.annotations]
    assert sum(numbers) == sum(s.customers for s in findings.segments_of(summary))


def test_rfm_map_puts_every_segment_where_the_method_names_it():
    cells = [
        {"score": f"{r}-{f}-{m}", "segment": rfm.name_of(r, f, m), "customers": 1, "value": 1.0}
        for r in range(1, 6)
        for f in range(1, 6)
        for m in range(1, 6)
    ]
    summary = overviews.realistic().segmentations[1]
    figure = charts.rfm_map(replace(summary, report={"cells": cells}))
    names = [s.name for s in summary.segments]
    for r, row in enumerate(figure.data[0].z, start=1):
        assert [names[i] for i in row] == list(rfm.NAMES[r])


def test_tiers_end_where_their_customers_do(by_name: dict[str, SegmentationSummary]):
    summary = by_name["value"]
    figure = charts.tier_pareto(summary, findings.worth(overviews.realistic(), "monetary"))
    ends = np.cumsum([s.share for s in summary.segments])
    assert [trace.x[-1] for trace in figure.data] == pytest.approx(ends)
    assert figure.data[0].y[-1] == pytest.approx(0.5, abs=0.01)
    assert figure.data[0].name.startswith("High: from £")
    assert figure.data[-1].name == "Low"


def test_stability_marks_the_chosen_number_and_the_line(by_name: dict[str, SegmentationSummary]):
    figure = charts.stability(by_name["needs"])
    colours = {box.name: box.line.color for box in figure.data if box.type == "box"}
    assert [k for k, colour in colours.items() if colour == palette.ACCENT] == ["4"]
    assert [shape.y0 for shape in figure.layout.shapes] == [charts.STABLE]
    assert figure.layout.title.text.startswith("4 segments come out again")


def test_profile_shows_variables_first_and_clips(by_name: dict[str, SegmentationSummary]):
    summary = by_name["needs"]
    rows = profile_chart.profile_traits(summary)
    forms = [trait in summary.variables for trait, _ in rows]
    assert forms == sorted(forms, reverse=True)
    assert len(rows) <= profile_chart.MOST_TRAITS
    figure = profile_chart.profile(summary, "GBP")
    values = [z for row in figure.data[0].z for z in row if z is not None]
    assert max(map(abs, values)) <= profile_chart.CLIP
    assert figure.layout.shapes[0].y0 == sum(forms) - 0.5


def test_profile_tells_a_category_of_two_levels_once(by_name: dict[str, SegmentationSummary]):
    rows = profile_chart.profile_traits(by_name["rfm"])
    assert [trait for trait, _ in rows].count("channel") == 1
    assert [trait for trait, _ in rows].count("country") == 3


def test_names_that_a_person_typed_are_escaped_in_every_figure():
    overview = overviews.hostile()
    summary = overview.segmentations[0]
    told = findings.worth(overview, summary.value_trait)
    tiers = replace(summary, method="value_tiers", report={**summary.report, "curve": overview.pareto})
    figures = (
        charts.sizes(summary, "revenue"),
        charts.rfm_map(summary),
        profile_chart.profile(summary, "GBP"),
        charts.tier_pareto(tiers, told),
    )
    for figure in figures:
        assert "<script" not in figure.to_json().replace("\\u003c", "<")
        assert "<img" not in figure.to_json().replace("\\u003c", "<")


@pytest.mark.parametrize(
    "make", [overviews.one_customer, overviews.without_value, overviews.nobody_placed], ids=lambda make: make.__name__
)
def test_odd_bases_give_figures_with_something_in_them_or_none(make):
    overview = make()
    for summary in overview.segmentations:
        told = findings.worth(overview, summary.value_trait)
        for figure in (
            charts.sizes(summary, told.word),
            charts.rfm_map(summary),
            charts.stability(summary),
            charts.tier_pareto(summary, told),
            profile_chart.profile(summary, overview.currency),
        ):
            assert figure is None or (figure.data and figure.layout.title.text)
