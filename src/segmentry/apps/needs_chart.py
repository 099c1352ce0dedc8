"""The chart of needs: importance against satisfaction."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from segmentry.apps import palette, words
from segmentry.apps.palette import figure_of, label, plain
from segmentry.target.unmet_needs import EVERYBODY, UnmetNeed, worst

NOTE = (
    "Each dot: a need, as everybody who was asked rates it. Below the dashed line it is more important than it is met, "
    "the further the worse."
)


def needs(found: Sequence[UnmetNeed]) -> go.Figure | None:
    """Every need of everybody by its importance and its satisfaction; None where none was rated."""
    shown = [n for n in found if n.segment == EVERYBODY and n.importance is not None and n.satisfaction is not None]
    plainly = [n for n in shown if not n.product] or shown
    if not plainly:
        return None
    first = worst(plainly)[0]
    short = (first.importance or 0.0) > (first.satisfaction or 0.0)
    title = f"The need with the largest opportunity is {name_of(first)}"
    title += f": importance {first.importance:.1f}, satisfaction {first.satisfaction:.1f} of 10" if short else ""
    figure = figure_of(title, height=420)
    figure.add_scatter(x=[0, 10], y=[0, 10], mode="lines", line=palette.dashed(), hoverinfo="skip")
    unmet = [(n.importance or 0.0) > (n.satisfaction or 0.0) for n in plainly]
    figure.add_scatter(
        x=[n.importance for n in plainly],
        y=[n.satisfaction for n in plainly],
        mode="markers+text",
        marker={"size": 11, "color": [palette.ACCENT if u else palette.QUIET for u in unmet]},
        text=[label(name_of(n), 24, lines=1) for n in plainly],
        textposition="top center",
        customdata=[_told(n) for n in plainly],
        hovertemplate="%{customdata}<extra></extra>",
    )
    at = [value for n in plainly for value in (n.importance or 0.0, n.satisfaction or 0.0)]
    range_ = [max(0.0, min(at) - 1), min(10.0, max(at) + 1)]
    figure.update_xaxes(title="importance (0 to 10)", range=range_)
    figure.update_yaxes(title="satisfaction (0 to 10)", range=range_)
    return figure


def name_of(need: UnmetNeed) -> str:
    """A need, with its product where it was asked of one."""
    return f"{need.need} ({need.product})" if need.product else need.need


def _told(need: UnmetNeed) -> str:
    return (
        f"<b>{plain(name_of(need))}</b><br>importance {need.importance:.1f}, satisfaction {need.satisfaction:.1f}"
        f"<br>opportunity {need.opportunity:.1f} ({need.low:.1f} to {need.high:.1f})"
        f"<br>{words.counted(need.n or 0, 'people')}, {words.share(need.unmet_share)} of them unmet"
    )
