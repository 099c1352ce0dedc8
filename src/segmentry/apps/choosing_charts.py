"""Charts of the evidence behind a number of segments, read from ``SegmentationSummary.report`` (``segment.choose``).

Each is None where a method gives no such evidence. After Dolnicar, Grün & Leisch (2018), chapter 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from segmentry.apps import findings, palette, words
from segmentry.apps.palette import figure_of, label, plain
from segmentry.target.profiles import SegmentationSummary

_VALID, _DOUBTFUL = 0.75, 0.60  # Hennig 2007: a Jaccard index from which a segment is valid, below which not trusted
_REPLICATED = 0.1  # of the starts: fewer, and the best solution may not be the best there is
_CRITERIA: tuple[tuple[str, str], ...] = (("bic", "BIC"), ("icl", "ICL"), ("aic", "AIC"))
_WITHIN_NOTE = (
    "A dot per segment: how much of it comes back when customers are resampled (Jaccard index: 1 all of it). "
    "Below the dashed lines a segment is weak (0.75) or not to be trusted (0.60)."
)
_ACROSS_NOTE = (
    "Each column is a number of segments, each circle a segment; lines are the customers who go from one to another. "
    "A filled circle is made of customers of one segment before (SLSA near 1); a pale one is a mix. "
    "A segment that runs straight through is there whatever the number."
)
_CRITERIA_NOTE = "How well the model describes the customers, less what its parameters cost: lower is better."
_SCREE_NOTE = "What is left unexplained within the segments. It always falls; an elbow would speak for a number."
_REPLICATIONS_NOTE = (
    "How many independent searches end at the best solution found. Few of many: more starts may find a better one."
)
_GORGE_NOTE = (
    "Customers by how much they are like a segment, from 0 to 1. Well separated segments have two peaks with a gorge "
    "in between: customers are either much like it or not at all."
)


def drawn(summary: SegmentationSummary) -> tuple[tuple[str, go.Figure | None, str], ...]:
    """All of it in reading order: a name, the figure, and how to read it."""
    modelled = any("bic" in row for row in _panel(summary))
    found = (
        ("within", within(summary), _WITHIN_NOTE),
        ("across", across(summary), _ACROSS_NOTE),
        ("criteria", criteria(summary), _CRITERIA_NOTE if modelled else _SCREE_NOTE),
        ("replications", replications(summary), _REPLICATIONS_NOTE),
        ("gorge", gorge(summary), _GORGE_NOTE),
    )
    return tuple((name, figure, note.replace("customers", summary.units)) for name, figure, note in found)


def within(summary: SegmentationSummary) -> go.Figure | None:
    """Segment level stability within solutions: the Jaccard index of every segment, by number of segments."""
    panel = [row for row in _panel(summary) if row.get("jaccard")]
    if not panel:
        return None
    chosen = len(findings.segments_of(summary))
    figure = figure_of(_within_title(panel, chosen), height=320)
    for row in panel:
        taken = row["k"] == chosen
        found = sorted(row["jaccard"])
        figure.add_scatter(
            x=[row["k"] + (i - (len(found) - 1) / 2) * 0.08 for i in range(len(found))],
            y=found,
            mode="markers",
            marker={"size": 9, "color": palette.ACCENT if taken else palette.QUIET},
            hovertemplate=f"one of {row['k']} segments: %{{y:.2f}}<extra></extra>",
        )
    for limit in (_VALID, _DOUBTFUL):
        figure.add_hline(y=limit, line=palette.dashed())
    _by_number(figure, [row["k"] for row in panel], chosen)
    lowest = min(min(row["jaccard"]) for row in panel)
    figure.update_yaxes(title="comes back (Jaccard)", range=[min(0.5, lowest) - 0.05, 1.03], tickformat=".1f")
    return figure


def _within_title(panel: Sequence[Mapping[str, Any]], chosen: int) -> str:
    found = next((row["jaccard"] for row in panel if row["k"] == chosen), None)
    if found is None:
        return "How well each segment comes back on resampled customers"
    weak = sum(value < _VALID for value in found)
    if not weak:
        return f"All {chosen} segments come back on resampled customers, the weakest by {min(found):.2f}"
    return f"{weak} of the {chosen} segments come back badly on resampled customers, the weakest by {min(found):.2f}"


def across(summary: SegmentationSummary) -> go.Figure | None:
    """Segment level stability across solutions: where the members of each segment come from (SLSA)."""
    steps = summary.report.get("across") or ()
    if not steps:
        return None
    places = _places(steps)
    figure = figure_of(_across_title(summary, steps), height=120 + 36 * (steps[-1]["k"] + 1))
    for step in steps:
        for i, row in enumerate(step["flows"]):
            for j, share in enumerate(row):
                if share >= 0.01:
                    figure.add_scatter(
                        x=[step["k"], step["k"] + 1],
                        y=[places[step["k"]][i], places[step["k"] + 1][j]],
                        mode="lines",
                        line={"color": palette.QUIET, "width": 1 + 24 * share},
                        opacity=0.55,
                        hoverinfo="skip",
                    )
    chosen = len(findings.segments_of(summary))
    for k, at in places.items():
        stable = next((s["slsa"] for s in steps if s["k"] + 1 == k), [1.0] * k)
        sizes = _sizes(steps, k)
        figure.add_scatter(
            x=[k] * k,
            y=at,
            mode="markers",
            marker={
                "size": [14 + 34 * size for size in sizes],
                "color": stable,
                "colorscale": [[0, "#FFFFFF"], [1, palette.ACCENT]],
                "cmin": 0,
                "cmax": 1,
                "line": {"color": palette.OUTLINE, "width": 2 if k == chosen else 1},
            },
            hovertext=[
                f"one of {k} segments<br>{words.share(size)} of the customers<br>SLSA {value:.2f}"
                for size, value in zip(sizes, stable, strict=True)
            ],
            hoverinfo="text",
        )
    _by_number(figure, list(places), chosen)
    figure.update_yaxes(visible=False)
    return figure


def _sizes(steps: Sequence[Mapping[str, Any]], k: int) -> list[float]:
    for step in steps:
        if step["k"] == k:
            return [sum(row) for row in step["flows"]]
        if step["k"] + 1 == k:
            return [sum(column) for column in zip(*step["flows"], strict=True)]
    return []


def _places(steps: Sequence[Mapping[str, Any]]) -> dict[int, list[float]]:
    """Heights of the segments: each near those that its members come from, evenly spread."""
    first = steps[0]["k"]
    places = {first: _spread([float(i) for i in range(first)])}
    for step in steps:
        before = places[step["k"]]
        wanted = []
        for column in zip(*step["flows"], strict=True):
            total = sum(column) or 1.0
            wanted.append(sum(y * share for y, share in zip(before, column, strict=True)) / total)
        places[step["k"] + 1] = _spread(wanted)
    return places


def _spread(wanted: Sequence[float]) -> list[float]:
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    at = {i: rank / max(len(wanted) - 1, 1) for rank, i in enumerate(order)}
    return [at[i] for i in range(len(wanted))]


def _across_title(summary: SegmentationSummary, steps: Sequence[Mapping[str, Any]]) -> str:
    chosen = len(findings.segments_of(summary))
    found = next((step["comes_back"] for step in steps if step["k"] == chosen), None)
    if found is None:
        return "What becomes of the segments when there are more of them"
    same = sum(value >= _VALID for value in found)
    return f"With one segment more, {same} of the {chosen} stay what they are"


def criteria(summary: SegmentationSummary) -> go.Figure | None:
    """Information criteria by number of segments, or, without a model, what is left unexplained."""
    panel = [row for row in _panel(summary) if "loss" in row]
    if len(panel) < 2:
        return None
    chosen = len(findings.segments_of(summary))
    ks = [row["k"] for row in panel]
    lines: list[tuple[str, str]] = [(key, name) for key, name in _CRITERIA if all(key in row for row in panel)]
    if lines:  # a model
        lowest = {key: min(panel, key=lambda row: float(row[key]))["k"] for key, _ in lines}
        told = ", ".join(f"{name} for {lowest[key]}" for key, name in lines)
        figure = figure_of(f"The criteria speak: {told} segments", height=340)
    else:
        lines = [("loss", "within segments")]
        figure = figure_of(_scree_title(panel, chosen), height=300)
    colours = (palette.ACCENT, "#D55E00", "#009E73")
    for (key, name), colour in zip(lines, colours, strict=False):
        figure.add_scatter(
            x=ks,
            y=[row[key] for row in panel],
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2},
            marker={"size": [12 if k == chosen else 7 for k in ks]},
            hovertemplate=f"{name}, %{{x}} segments: %{{y:,.0f}}<extra></extra>",
        )
    figure.update_layout(showlegend=len(lines) > 1, legend={"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0})
    _by_number(figure, ks, chosen)
    figure.update_yaxes(title="lower is better")
    return figure


def _scree_title(panel: Sequence[Mapping[str, Any]], chosen: int) -> str:
    losses = {row["k"]: float(row["loss"]) for row in panel}
    if chosen not in losses or chosen + 1 not in losses or not losses[chosen]:
        return "What is left unexplained within the segments"
    less = 1 - losses[chosen + 1] / losses[chosen]
    return f"One segment more than {chosen} explains {words.share(less)} of what is left within them"


def replications(summary: SegmentationSummary) -> go.Figure | None:
    """How many of the starts found the best solution, by number of segments."""
    panel = [row for row in _panel(summary) if row.get("starts")]
    if not panel:
        return None
    chosen = len(findings.segments_of(summary))
    found = next((row for row in panel if row["k"] == chosen), None)
    title = "How often the best solution was found"
    if found is not None:
        sure = found["replications"] >= _REPLICATED * found["starts"]
        title = f"{found['replications']} of {found['starts']} searches found these {chosen} segments" + (
            "" if sure else ": there may be better ones"
        )
    figure = figure_of(title, height=260)
    figure.add_bar(
        x=[row["k"] for row in panel],
        y=[row["replications"] / row["starts"] for row in panel],
        marker={"color": [palette.ACCENT if row["k"] == chosen else palette.QUIET for row in panel]},
        text=[f"{row['replications']} of {row['starts']}" for row in panel],
        textposition="outside",
        cliponaxis=False,
        hoverinfo="skip",
    )
    _by_number(figure, [row["k"] for row in panel], chosen)
    figure.update_yaxes(title="share of the searches", range=[0, 1.12], **palette.PERCENT)
    return figure


def gorge(summary: SegmentationSummary) -> go.Figure | None:
    """How similar all customers are to each segment: a histogram per segment (gorge plot)."""
    bins: Sequence[Sequence[float]] = summary.report.get("gorge") or ()
    counterpart: Sequence[int] = summary.report.get("counterpart") or ()
    segments = findings.segments_of(summary)
    if len(bins) != len(segments) or len(counterpart) != len(segments):
        return None
    colours = palette.segment_colours(summary)
    figure = figure_of("How clearly customers belong to one segment", height=110 + 85 * len(segments))
    step = 1 / len(bins[0])
    middles = [(i + 0.5) * step for i in range(len(bins[0]))]
    rows = len(segments)
    for i, segment in enumerate(segments):
        counts = bins[counterpart[i]]
        axis = "" if i == 0 else str(i + 1)
        figure.add_bar(
            x=middles,
            y=counts,
            width=step * 0.95,
            yaxis=f"y{axis}",
            marker={"color": colours[segment.name], "line": {"color": palette.OUTLINE, "width": 0.5}},
            hovertemplate=f"{plain(segment.name)}<br>similarity %{{x:.2f}}: %{{y:,.0f}} customers<extra></extra>",
        )
        top = 1 - i / rows
        figure.add_annotation(
            text=label(segment.name, 48, 1),
            x=0,
            y=top,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
            font={"size": 11},
        )
        figure.update_layout(
            {
                f"yaxis{axis}": {
                    "domain": [top - 0.82 / rows, top],
                    "showticklabels": False,
                    "showgrid": False,
                    "anchor": "x",
                }
            }
        )
    last = "y" if rows == 1 else f"y{rows}"
    figure.update_xaxes(title="similarity to the segment", range=[0, 1], tickformat=".1f", anchor=last)
    return figure


def _panel(summary: SegmentationSummary) -> list[Mapping[str, Any]]:
    return list(summary.report.get("panel") or ())


def _by_number(figure: go.Figure, ks: Sequence[int], chosen: int) -> None:
    texts = [f"<b>{k}<br>chosen</b>" if k == chosen else str(k) for k in ks]
    figure.update_xaxes(title="number of segments", tickvals=list(ks), ticktext=texts, showgrid=False, zeroline=False)
