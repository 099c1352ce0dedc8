"""Colours that the colour-blind can tell apart, and the look of every chart in light and dark.

A segment has one colour wherever it appears. Where segments are ordered from good to bad (RFM, value tiers) the
colours are ordered too.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from segmentry.segmentation import NO_DATA_NAME, NO_GOOD_FIT_NAME
from segmentry.target.profiles import SegmentationSummary

# Tol (2021), "Colour schemes", sunset: diverging, safe for all three kinds of colour blindness.
ORDERED = (
    *("#364B9A", "#4A7BB7", "#6EA6CD", "#98CAE1", "#C2E4EF", "#EAECCC"),
    *("#FEDA8B", "#FDB366", "#F67E4B", "#DD3D2D", "#A50026"),
)
# Few segments leave out the pale middle, which is hard to see on paper.
_FEW_ORDERED = {1: (0,), 2: (0, 8), 3: (0, 2, 8), 4: (0, 2, 7, 9), 5: (0, 2, 6, 8, 10)}
# Okabe & Ito (2008) without black and grey, then Tol's muted scheme.
UNORDERED = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"),
    *("#332288", "#882255", "#999933", "#661100", "#117733"),
)
OUTSIDE = {NO_DATA_NAME: "#A6A6A6", NO_GOOD_FIT_NAME: "#7A7A7A"}
METHODS_IN_ORDER = frozenset({"rfm", "value_tiers"})
ACCENT = "#0072B2"
QUIET = "#9AA3AD"
FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"
OUTLINE = "#6B7480"  # around fills, so that pale ones show on paper and dark ones at night

# An axis of shares; d3 writes 20%, which all other text writes 20 %.
PERCENT = {"tickformat": ".0%", "labelalias": {f"{n}%": f"{n}\u00a0%" for n in range(201)}}


def figure_of(title: str, height: int) -> go.Figure:
    """An empty figure with the house's look and a title that states what it shows; ``height`` in pixels."""
    figure = go.Figure(layout={"template": LIGHT, "height": height, "showlegend": False})
    figure.update_layout(title={"text": plain(title)}, margin={"t": 48})
    return figure


def dashed() -> dict[str, Any]:
    """A line to compare with."""
    return {"color": QUIET, "width": 1.5, "dash": "dash"}


def segment_colours(summary: SegmentationSummary) -> dict[str, str]:
    """The colour of every segment of a segmentation, by name."""
    names = [s.name for s in summary.segments if s.name not in OUTSIDE]
    colours = in_order(len(names)) if summary.method in METHODS_IN_ORDER else UNORDERED
    return {name: colours[i % len(colours)] for i, name in enumerate(names)} | OUTSIDE


def in_order(n: int) -> tuple[str, ...]:
    """``n`` colours from good to bad.

    >>> in_order(2)
    ('#364B9A', '#F67E4B')
    """
    if n in _FEW_ORDERED:
        return tuple(ORDERED[i] for i in _FEW_ORDERED[n])
    return tuple(_between(i * (len(ORDERED) - 1) / (n - 1)) for i in range(n))


def _between(at: float) -> str:
    """The colour at a position on the scale, mixed from its neighbours."""
    i = min(int(at), len(ORDERED) - 2)
    low, high = (tuple(int(c[j : j + 2], 16) for j in (1, 3, 5)) for c in ORDERED[i : i + 2])
    return "#" + "".join(f"{round(a + (b - a) * (at - i)):02X}" for a, b in zip(low, high, strict=True))


def readable_on(colour: str) -> str:
    """Black or white, whichever reads better on a colour (WCAG 2 relative luminance).

    >>> readable_on("#364B9A"), readable_on("#FEDA8B")
    ('#ffffff', '#111111')
    """
    linear = [(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in _channels(colour)]
    luminance = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#ffffff" if luminance < 0.179 else "#111111"  # 0.179: black and white contrast equally


def _channels(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def stepped(colours: Sequence[str]) -> list[list[Any]]:
    """A Plotly colour scale of flat steps: entry i colours the value i, with zmin -0.5 and zmax n - 0.5.

    >>> stepped(["#000000", "#FFFFFF"])
    [[0.0, '#000000'], [0.5, '#000000'], [0.5, '#FFFFFF'], [1.0, '#FFFFFF']]
    """
    ends = [i / len(colours) for i in range(len(colours) + 1)]
    return [[end, colour] for pair, colour in zip(pairwise(ends), colours, strict=True) for end in pair]


def label(text: str, width: int = 18, lines: int = 2) -> str:
    """Text for an axis or a cell: wrapped, cut where it would be too long, and safe inside a chart.

    Plotly reads a little HTML in its texts, so what a person typed must be escaped.

    >>> label("Customers of the early spring sale", 12), label("Big-spending buyers", 11), label("<b>x")
    ('Customers of<br>the early…', 'Big-<br>spending…', '&lt;b&gt;x')
    """
    long = any(len(word) > width for word in text.split())
    parts = textwrap.wrap(text, width, break_on_hyphens=long) or [""]
    if len(parts) > lines:
        parts = [*parts[: lines - 1], f"{parts[lines - 1][: width - 1].rstrip()}…"]
    return "<br>".join(html.escape(part, quote=False) for part in parts)


def plain(text: str) -> str:
    """Text of any length that is safe inside a chart."""
    return html.escape(text, quote=False)


def _theme(ink: str, faint: str, grid: str, hover: str, scale: tuple[str, str, str]) -> go.layout.Template:
    """A template: transparent, so that the page behind decides the ground; charts do not take over scrolling.

    ``scale`` colours what is below, like and above everybody else; its ink is readable on all of it.
    """
    axis = {
        "automargin": True,
        "fixedrange": True,
        "gridcolor": grid,
        "linecolor": faint,
        "zerolinecolor": faint,
        "tickcolor": faint,
        "ticklabelstandoff": 4,
        "title": {"standoff": 8, "font": {"size": 12}},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": ink},
            "title": {"font": {"size": 15}, "x": 0, "xanchor": "left"},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 8, "r": 28, "t": 12, "b": 8},
            "hoverlabel": {
                "bgcolor": hover,
                "bordercolor": faint,
                "font": {"color": ink, "family": FONT},
                "align": "left",
            },
            "colorway": list(UNORDERED),
            "dragmode": False,
            "xaxis": axis,
            "yaxis": axis,
        },
        data={"heatmap": [{"colorscale": list(zip((0, 0.5, 1), scale, strict=True)), "textfont": {"color": ink}}]},
    )


# Purple and orange, after ColorBrewer's PuOr (Brewer 2003): no kind of colour blindness confuses them.
LIGHT = _theme("#1c2127", "#8a929b", "#e4e7ea", "#ffffff", ("#9A86CC", "#f6f6f4", "#F2983A"))
DARK = _theme("#f2f3f4", "#868e97", "#343a41", "#23282e", ("#7C5CC0", "#2b3037", "#B8621A"))
