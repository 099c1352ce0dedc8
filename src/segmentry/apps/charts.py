"""Plotly figures: what the report, the notebook and the web app draw.

Every function takes summaries and gives a figure whose title states what it shows; None where there is nothing to draw.
Whatever a person may have typed is escaped (``palette.label``, ``palette.plain``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import plotly.graph_objects as go

from segmentry.apps import findings, palette, words
from segmentry.apps.findings import Worth
from segmentry.apps.palette import figure_of, label, plain
from segmentry.target.profiles import SegmentationSummary, SegmentSummary

STABLE = 0.8  # adjusted Rand index from which a number of segments counts as reproducible
_Bars = tuple[str, Sequence[float | None], Mapping[str, Any]]
_SHARE = palette.PERCENT | {"dtick": 0.2, "rangemode": "tozero"}


def pareto(points: Sequence[tuple[float, float]], value: str = "value") -> go.Figure | None:
    """The share of the value that the best share of the customers brings; ``value`` is what the value is called."""
    if len(points) < 2:
        return None
    curve = _from_zero(points)
    top = findings.top_share(points)
    figure = figure_of(
        f"The best {words.share(top)} of the customers bring {words.share(findings.MOST_OF_THE_MONEY)} of the {value}"
        if top is not None
        else f"How the {value} is spread over the customers",
        height=340,
    )
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=palette.dashed(), hoverinfo="skip")
    figure.add_scatter(
        x=[x for x, _ in curve],
        y=[y for _, y in curve],
        mode="lines",
        line={"color": palette.ACCENT, "width": 3},
        fill="tozeroy",
        fillcolor="rgba(0,114,178,0.12)",
        hovertemplate=f"The best %{{x:.1%}} of the customers<br>bring %{{y:.1%}} of the {plain(value)}<extra></extra>",
    )
    if top is not None:
        figure.add_scatter(
            x=[top],
            y=[findings.MOST_OF_THE_MONEY],
            mode="markers+text",
            marker={"color": palette.ACCENT, "size": 11},
            text=[f" {words.share(top)} → {words.share(findings.MOST_OF_THE_MONEY)}"],
            textposition="bottom right",
            hoverinfo="skip",
        )
    _pareto_axes(figure, value)
    return figure


def tier_pareto(summary: SegmentationSummary, told: Worth) -> go.Figure | None:
    """The Pareto curve of what the tiers go by (``told``), in their colours, with the borders between them."""
    points = [(x, y) for x, y in summary.report.get("curve", ())]
    tiers = [s for s in findings.segments_of(summary) if s.customers]
    if len(points) < 2 or not tiers:
        return None
    curve = _from_zero(points)
    placed = sum(s.customers for s in tiers)
    ends = [n / placed for n in accumulate(s.customers for s in tiers)]
    colours = palette.segment_colours(summary)
    figure = figure_of(_tier_title(summary, tiers[0], (ends[0], _height(curve, ends[0])), told.word), height=360)
    for tier, start, end in zip(tiers, [0.0, *ends], ends, strict=False):
        within = [(start, _height(curve, start)), *(p for p in curve if start < p[0] < end), (end, _height(curve, end))]
        part = words.share(within[-1][1] - within[0][1])
        size = f"{words.share(end - start)} of the {summary.units}, {part} of the {told.word}"
        figure.add_scatter(
            x=[x for x, _ in within],
            y=[y for _, y in within],
            mode="lines",
            name=_tier_legend(summary, tier, told),
            line={"color": palette.OUTLINE, "width": 1.5},
            fill="tozeroy",
            fillcolor=colours[tier.name],
            text=[f"<b>{plain(tier.name)}</b><br>{plain(tier.criteria)}<br>{size}"] * len(within),
            hovertemplate="%{text}<br>the best %{x:.1%} bring %{y:.1%}<extra></extra>",
        )
    figure.update_layout(showlegend=True, legend=_legend_below())
    _pareto_axes(figure, told.word, summary.units)
    return figure


def _tier_legend(summary: SegmentationSummary, tier: SegmentSummary, told: Worth) -> str:
    """A tier with the value it starts from; the cuts of ``summary.report`` fall, one less than there are tiers."""
    at = [s.name for s in findings.segments_of(summary)].index(tier.name)
    cuts = list(summary.report.get("cuts") or ())
    return label(tier.name, 30) + (f": from {plain(told.short(cuts[at]))}" if at < len(cuts) else "")


def _tier_title(summary: SegmentationSummary, best: SegmentSummary, ends: tuple[float, float], word: str) -> str:
    customers, value = map(words.share, ends)
    return f"{words.sentence(best.name)}: {customers} of the {summary.units} bring {value} of the {word}"


def sizes(summary: SegmentationSummary, value: str = "value") -> go.Figure | None:
    """Every segment's share of the customers beside its share of the value."""
    shown = [s for s in summary.segments if s.customers]
    if not shown:
        return None
    colours = palette.segment_colours(summary)
    valued = any(s.value_share is not None for s in shown)
    rows = list(range(len(shown)))
    figure = figure_of(sizes_title(summary, value), height=90 + (40 if valued else 28) * len(shown))
    ring = {"line": {"color": palette.OUTLINE, "width": 1}}
    people = {"color": palette.QUIET} if valued else {"color": [colours[s.name] for s in shown], **ring}
    bars: list[_Bars] = [(f"share of {summary.units}", [s.share for s in shown], people)]
    if valued:
        own = {"color": [colours[s.name] for s in shown], **ring}
        bars.append((f"share of {value}", [s.value_share for s in shown], own))
    for name, shares, marker in bars:
        figure.add_bar(
            x=shares,
            y=rows,
            orientation="h",
            name=plain(name),
            marker=marker,
            text=[words.share(x) for x in shares],
            textposition="outside",
            cliponaxis=False,
            customdata=[f"<b>{plain(s.name)}</b><br>{plain(name)}" for s in shown],
            hovertemplate="%{customdata}: %{x:.2%}<extra></extra>",
        )
    figure.update_layout(bargap=0.25, bargroupgap=0.05)
    low, high = min(0.0, *_known(bars)), max(_known(bars))
    # room for the number behind the longest bar, and before one that goes to the left
    figure.update_xaxes(range=[low - 0.07 * (high - low) if low < 0 else 0.0, high * 1.18], nticks=6, **palette.PERCENT)
    figure.update_yaxes(
        tickvals=rows, ticktext=[label(s.name, 22) for s in shown], autorange="reversed", showgrid=False
    )
    return figure


def sizes_title(summary: SegmentationSummary, value: str = "value") -> str:
    """What the sizes show, in a sentence."""
    segments = [s for s in findings.segments_of(summary) if s.customers]
    if not segments:
        return "Nobody could be placed in a segment"
    valued = [s for s in segments if s.value_share is not None]
    if valued:
        best = max(valued, key=lambda s: s.value_share or 0.0)
        bring = f"they bring {words.share(best.value_share)} of the {value}"
        return f"{words.share(best.share)} of the {summary.units} are {best.name}; {bring}"
    largest = max(segments, key=lambda s: s.customers)
    return f"The largest segment is {largest.name}, with {words.share(largest.share)} of the {summary.units}"


def rfm_map(summary: SegmentationSummary) -> go.Figure | None:
    """Where the customers are on the grid of recency against frequency and monetary score, in the segments' colours.

    Read from ``summary.report["cells"]``: ``{"score": "5-4-3", "segment": .., "customers": .., "value": ..}`` each.
    """
    cells = _cells(summary.report.get("cells") or ())
    if not cells:
        return None
    names = [s.name for s in summary.segments]
    colours = palette.segment_colours(summary)
    best = max(max(place) for place in cells)
    scores = list(range(1, best + 1))
    shown = {place: max(sorted(found), key=lambda name: found[name]) for place, found in cells.items()}
    everybody = sum(sum(found.values()) for found in cells.values())
    figure = figure_of(_rfm_title(cells, everybody, best, summary.units), height=440)
    figure.add_heatmap(
        x=scores,
        y=scores,
        z=[[names.index(shown[r, fm]) if (r, fm) in shown else None for fm in scores] for r in scores],
        zmin=-0.5,
        zmax=len(names) - 0.5,
        colorscale=palette.stepped([colours[name] for name in names]),
        showscale=False,
        xgap=2,
        ygap=2,
        hovertext=[[_place_words((r, fm), cells, everybody, summary.units) for fm in scores] for r in scores],
        hoverinfo="text",
    )
    figure.update_layout(
        annotations=[
            {
                "x": fm,
                "y": r,
                "text": f"{label(name, 11, lines=3)}<br><b>{words.count(sum(cells[r, fm].values()))}</b>",
                "showarrow": False,
                "font": {"size": 10, "color": palette.readable_on(colours[name])},
            }
            for (r, fm), name in shown.items()
        ]
    )
    plain_axis = {"dtick": 1, "showgrid": False, "zeroline": False}
    figure.update_xaxes(title="frequency and monetary score (mean, rounded up)", **plain_axis)
    figure.update_yaxes(title=f"recency score ({best}: bought last)", **plain_axis)
    figure.update_layout(meta={"columns": best})
    return figure


def _cells(cells: Sequence[Mapping[str, Any]]) -> dict[tuple[int, int], dict[str, int]]:
    """Customers by place on the map and segment. The segments look at F and M together, and so does the map."""
    found: dict[tuple[int, int], dict[str, int]] = {}
    for cell in cells:
        scores = [int(digit) for digit in str(cell["score"]).split("-")]
        if len(scores) != 3:  # another grid, such as value tiers
            return {}
        r, f, m = scores
        place = found.setdefault((r, (f + m + 1) // 2), {})
        place[cell["segment"]] = place.get(cell["segment"], 0) + int(cell["customers"])
    return {place: names for place, names in found.items() if any(names.values())}


def _rfm_title(cells: Mapping[tuple[int, int], Mapping[str, int]], everybody: int, best: int, units: str) -> str:
    """How many bought lately and how many stay away: the two upper and the two lower of five recency scores."""
    band = max(best * 2 // 5, 1)
    lately = sum(sum(n.values()) for (r, _), n in cells.items() if r > best - band)
    away = sum(sum(n.values()) for (r, _), n in cells.items() if r <= band)
    return (
        f"{words.share(lately / everybody)} of the {units} bought lately (recency score {best - band + 1} or more), "
        f"{words.share(away / everybody)} have stayed away ({band} or less)"
    )


def _place_words(
    place: tuple[int, int], cells: Mapping[tuple[int, int], Mapping[str, int]], everybody: int, units: str
) -> str:
    found = cells.get(place, {})
    lines = [f"recency {place[0]}, frequency and monetary {place[1]}"]
    for name in sorted(found, key=lambda name: -found[name]):
        part = words.share(found[name] / everybody)
        lines.append(f"<b>{plain(name)}</b>: {words.counted(found[name], units)} ({part})")
    return "<br>".join(lines) if found else f"{lines[0]}<br>nobody"


def stability(summary: SegmentationSummary) -> go.Figure | None:
    """Which number of segments comes out again on resampled customers: adjusted Rand index by k.

    Read from ``summary.report["panel"]``: ``{"k": 2, "ari": [..], "mean_ari": .., "min_jaccard": ..,
    "smallest_share": ..}`` each.
    """
    panel = summary.report.get("panel") or ()
    if not panel:
        return None
    chosen = chosen_k(summary)
    figure = figure_of(_stability_title(panel, chosen, summary.units), height=340)
    for row in panel:
        runs = row.get("ari") or [row["mean_ari"]]
        taken = row["k"] == chosen
        colour = palette.ACCENT if taken else palette.QUIET
        figure.add_box(
            x=[row["k"]] * len(runs),
            y=list(runs),
            name=f"{row['k']}",
            width=0.6,
            boxpoints="outliers",
            marker={"color": colour, "size": 4},
            line={"color": colour, "width": 2 if taken else 1.5},
            hoverinfo="skip",
        )
    figure.add_hline(y=STABLE, line=palette.dashed())
    ks = [row["k"] for row in panel]
    figure.add_scatter(
        x=ks,
        y=[float(row["mean_ari"]) for row in panel],
        mode="markers",
        marker={"symbol": "diamond", "size": 8, "color": palette.OUTLINE},
        hovertext=[_panel_words(row, summary.units) for row in panel],
        hoverinfo="text",
    )
    texts = [f"<b>{k}<br>chosen</b>" if k == chosen else str(k) for k in ks]
    figure.update_xaxes(title="number of segments", tickvals=ks, ticktext=texts, showgrid=False)
    figure.update_yaxes(
        title="agreement of two re-fits (ARI)", range=[min(0.0, *_lowest(panel)), 1.02], tickformat=".1f"
    )
    return figure


def _panel_words(row: Mapping[str, Any], units: str) -> str:
    lines = [f"<b>{row['k']} segments</b>", f"mean agreement {float(row['mean_ari']):.2f}"]
    if row.get("min_jaccard") is not None:
        lines.append(f"least stable segment {float(row['min_jaccard']):.2f} (Jaccard)")
    if row.get("smallest_share") is not None:
        lines.append(f"smallest segment {words.share(row['smallest_share'])} of the {units}")
    return "<br>".join(lines)


def chosen_k(summary: SegmentationSummary) -> int:
    """The number of segments that the segmentation has."""
    return len(findings.segments_of(summary))


def _stability_title(panel: Sequence[Mapping[str, Any]], chosen: int, units: str) -> str:
    means = {row["k"]: float(row["mean_ari"]) for row in panel}
    segments = words.counted(chosen, "segments")
    mean = means.get(chosen)
    if mean is None:
        return f"{segments}, against the numbers that were tried"
    if mean >= STABLE:
        return f"{segments} come out again on resampled {units}: mean agreement {mean:.2f}, reproducible from {STABLE}"
    return f"{segments} do not come out again reliably: mean agreement {mean:.2f}, reproducible from {STABLE}"


def _lowest(panel: Sequence[Mapping[str, Any]]) -> list[float]:
    return [float(value) for row in panel for value in (row.get("ari") or [row["mean_ari"]])]


def _known(bars: Sequence[_Bars]) -> list[float]:
    return [value for _, shares, _ in bars for value in shares if value is not None] or [1.0]


def _from_zero(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return list(points) if tuple(points[0]) == (0.0, 0.0) else [(0.0, 0.0), *points]


def _height(curve: Sequence[tuple[float, float]], at: float) -> float:
    """The curve at a share of the customers, between its points."""
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x0 <= at <= x1 and x1 > x0:
            return y0 + (y1 - y0) * (at - x0) / (x1 - x0)
    return curve[-1][1]


def _pareto_axes(figure: go.Figure, value: str, units: str = "customers") -> None:
    figure.update_layout(hovermode="x")
    figure.update_xaxes(title=f"share of {units}, best first", range=[0, 1], **_SHARE)
    figure.update_yaxes(title=f"share of {plain(value)}", **_SHARE)


def _legend_below() -> dict[str, Any]:
    return {"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0}
