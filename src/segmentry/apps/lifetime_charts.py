"""Figures of lifetime value: forecasts against what happened, and what is still to come."""

from __future__ import annotations

from itertools import accumulate

import plotly.graph_objects as go

from segmentry.apps import lifetime_findings as findings
from segmentry.apps import palette, words
from segmentry.apps.palette import figure_of, label, plain
from segmentry.target.future_value import FutureValue
from segmentry.traits.lifetime.learned import LifetimeModels

_EXPECTED = {"color": palette.ACCENT, "width": 2.5}
_ACTUAL = {"color": palette.OUTLINE, "width": 2.5, "dash": "dot"}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
_SHOWN = 14  # segments


def weekly(models: LifetimeModels, *, cumulative: bool) -> go.Figure | None:
    """Repeat purchases week by week, expected and actual; the holdout begins at the dashed line."""
    told = models.tracking
    if told is None:
        return None
    expected, actual = ([float(v) for v in told[name]] for name in ("expected", "actual"))
    if cumulative:
        expected, actual = list(accumulate(expected)), list(accumulate(actual))
    weeks = list(range(1, len(actual) + 1))
    begins = len(actual) - int(told["holdout"])
    figure = figure_of(_weekly_title(told["expected"], told["actual"], begins, cumulative=cumulative), height=340)
    for name, values, line in (("expected", expected, _EXPECTED), ("actual", actual, _ACTUAL)):
        figure.add_scatter(
            x=weeks,
            y=values,
            mode="lines",
            name=name,
            line=line,
            hovertemplate=f"week %{{x}}<br>{name}: %{{y:,.0f}}<extra></extra>",
        )
    figure.add_vline(x=begins + 0.5, line=palette.dashed(), annotation={"text": "holdout", "xanchor": "left"})
    figure.update_layout(showlegend=True, legend=_LEGEND, margin={"t": 76})
    figure.update_xaxes(title="weeks since the first customer came")
    what = "repeat purchases so far" if cumulative else "repeat purchases in the week"
    figure.update_yaxes(title=what, rangemode="tozero")
    return figure


def _weekly_title(expected: list[float], actual: list[float], begins: int, *, cumulative: bool) -> str:
    if cumulative:
        off = sum(expected) / sum(actual) - 1 if sum(actual) else 0.0
        side = "high" if off > 0 else "low"
        return f"Repeat purchases so far: at the end the forecast is {words.tenths(abs(off))} too {side}"
    told, bought = (sum(c[begins:]) / max(len(c) - begins, 1) for c in (expected, actual))
    return f"Repeat purchases by week: {bought:,.0f} a week in the holdout, {told:,.0f} were expected"


def deciles(models: LifetimeModels) -> go.Figure | None:
    """Purchases per customer by tenths of what was expected."""
    rows = findings.deciles(models)
    if not rows:
        return None
    _, _, expected, actual = rows[0]
    figure = figure_of(
        f"The tenth expected to buy most was expected to buy {expected:.1f} times and did {actual:.1f} times",
        height=320,
    )
    numbers = [str(number) for number, *_ in rows]
    for name, place, colour in (("expected", 2, palette.ACCENT), ("actual", 3, palette.QUIET)):
        figure.add_bar(
            x=numbers,
            y=[row[place] for row in rows],
            name=name,
            marker={"color": colour},
            hovertemplate=f"tenth %{{x}}<br>{name}: %{{y:.3f}} purchases a customer<extra></extra>",
        )
    figure.update_layout(showlegend=True, legend=_LEGEND, bargap=0.3, bargroupgap=0.05, margin={"t": 76})
    figure.update_xaxes(title="tenths of the customers, most expected first", type="category", showgrid=False)
    figure.update_yaxes(title="purchases a customer", rangemode="tozero")
    return figure


def retention(models: LifetimeModels) -> go.Figure | None:
    """Which share of the contracts that were due was renewed, period by period."""
    rows = findings.retention(models)
    if not rows or models.validation is None:
        return None
    first, last = rows[0], rows[-1]
    figure = figure_of(
        f"{words.share(first[2])} renew after the first {models.period}, {words.share(last[2])} in the last", height=340
    )
    periods = [number for number, *_ in rows]
    for name, place, line in (("expected", 3, _EXPECTED), ("actual", 2, _ACTUAL)):
        figure.add_scatter(
            x=periods,
            y=[row[place] for row in rows],
            mode="lines",
            name=name,
            line=line,
            hovertemplate=f"{models.period} %{{x}}<br>{name}: %{{y:.1%}}<extra></extra>",
        )
    begins = int(models.validation["calibration"]) + 0.5
    figure.add_vline(x=begins, line=palette.dashed(), annotation={"text": "holdout", "xanchor": "left"})
    figure.update_layout(showlegend=True, legend=_LEGEND, margin={"t": 76})
    figure.update_xaxes(title=f"{models.period}s under contract")
    figure.update_yaxes(title="share that renewed", **palette.PERCENT)
    return figure


def at_risk(future: FutureValue, currency: str) -> go.Figure | None:
    """Future value by segment, the part at risk in front."""
    shown = [s for s in future.segments if s.customers][:_SHOWN]
    if not shown or not future.at_risk:
        return None
    first = shown[0]
    share = words.share(first.at_risk / future.at_risk)
    figure = figure_of(f"{share} of the value at risk is with {first.name}", height=90 + 40 * len(shown))
    rows = list(range(len(shown)))
    parts = (
        ("at risk", [s.at_risk for s in shown], "#D55E00"),
        ("future value", [s.value for s in shown], palette.QUIET),
    )
    for name, values, colour in parts:
        figure.add_bar(
            x=values,
            y=rows,
            orientation="h",
            name=name,
            marker={"color": colour},
            text=[words.money(v, currency) for v in values],
            textposition="outside",
            cliponaxis=False,
            customdata=[f"<b>{plain(s.name)}</b><br>{name}: {words.exact_money(v, currency)}"
                        for s, v in zip(shown, values, strict=True)],
            hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(showlegend=True, legend=_LEGEND, bargap=0.25, bargroupgap=0.05, margin={"t": 76})
    most = max(s.value for s in shown)
    figure.update_xaxes(title=f"{currency or 'money'} in the horizon", range=[0, most * 1.18], nticks=6)
    ticks = [label(s.name, 22) for s in shown]
    figure.update_yaxes(tickvals=rows, ticktext=ticks, autorange="reversed", showgrid=False)
    return figure


def quadrants(future: FutureValue, currency: str) -> go.Figure | None:
    """Customers by what they will be worth and what serving them has cost, against the average customer."""
    if not future.quadrants:
        return None
    good = next(q for q in future.quadrants if q.valuable and not q.costly)
    share = words.share(good.value / future.value) if future.value else words.UNKNOWN
    people = words.counted(good.customers, "customers")
    figure = figure_of(f"{people} who cost less than the average to serve hold {share} of the future value", height=360)
    sides, levels = (
        ["costs less to serve than the average", "costs more"],
        ["worth less than the average", "worth more"],
    )
    shares = {(q.valuable, q.costly): q.value / future.value if future.value else 0.0 for q in future.quadrants}
    figure.add_heatmap(
        x=sides,
        y=levels,
        z=[[shares[v, c] for c in (False, True)] for v in (False, True)],
        zmin=-1,
        zmax=1,
        showscale=False,
        xgap=4,
        ygap=4,
        hoverinfo="skip",
    )
    figure.update_layout(
        annotations=[
            {
                "x": sides[q.costly],
                "y": levels[q.valuable],
                "text": f"<b>{words.counted(q.customers, 'customers')}</b><br>{words.money(q.value, currency)} to "
                f"come, {words.money(q.cost, currency)} spent on serving<br>{findings.ADVICE[q.valuable, q.costly]}",
                "showarrow": False,
                "font": {"size": 12},
            }
            for q in future.quadrants
        ]
    )
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False)
    return figure
