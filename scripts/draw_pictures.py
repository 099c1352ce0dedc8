"""Draw the pictures of the guides, one per model, from the workspace of a demo company: docs/pictures/MODEL.png.

    segmentry demo -w /somewhere/demo --customers 3000
    python scripts/draw_pictures.py /somewhere/demo [MODEL ...]

The figures are drawn in the look of the report, and photographed with a Chromium that is on PATH.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import ibis
import plotly.graph_objects as go
from playwright.sync_api import sync_playwright

from segmentry.apps import charts, findings, palette, words
from segmentry.catalogue import Model
from segmentry.reading import Reading
from segmentry.workspace import open_workspace

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
WIDTH, HEIGHT = 720, 300
AGES = ("under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
PACES = ("active", "slowing", "at risk", "gone", "no orders")
STAGES = ("lead", "prospect", "opportunity", "customer", "churned")
MOST = 8  # bars of regions


def bars(values: Mapping[str, float], title: str, axis: str, *, percent: bool = True) -> go.Figure:
    """Horizontal bars, the first on top, with their values behind them."""
    figure = palette.figure_of(title, HEIGHT)
    texts = [words.share(v) if percent else f"{v:+.2f}" for v in values.values()]
    figure.add_bar(
        x=list(values.values()), y=[palette.label(name, 24) for name in values], orientation="h", text=texts,
        textposition="outside", cliponaxis=False, marker={"color": palette.ACCENT},
    )  # fmt: skip
    figure.update_xaxes(title=axis, tickformat=".0%" if percent else "+.2f", range=_room(list(values.values())))
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def _room(values: list[float]) -> list[float]:
    low, high = min(0.0, *values), max(0.0, *values)
    return [low * 1.2, high * 1.2]


def shares(reading: Reading, table: str, trait: str, order: tuple[str, ...]) -> dict[str, float]:
    """By value of a trait, its share among all of whom it is known, in the order given."""
    counts = reading.find(table).group_by(trait).agg(n=ibis._.count()).to_pyarrow().to_pylist()
    known = {row[trait]: row["n"] for row in counts if row[trait] is not None}
    total = sum(known.values())
    return {name: known.get(name, 0) / total for name in order if name in known}


def demographic(reading: Reading) -> go.Figure:
    found = shares(reading, "traits", "age_band", AGES)
    most = max(found, key=lambda name: found[name])
    return bars(found, f"{words.share(found[most])} are {most} years old", "share of the customers whose age is known")


def geographic(reading: Reading) -> go.Figure:
    regions = reading.find("traits").group_by("region").agg(n=ibis._.count()).order_by([ibis.desc("n"), "region"])
    order = tuple(name for name in regions.to_pyarrow()["region"].to_pylist() if name is not None)
    found = shares(reading, "traits", "region", order)
    largest = dict(list(found.items())[:MOST])
    title = f"{order[0]} is the largest region, with {words.share(largest[order[0]])} of the customers"
    return bars(largest, title, "share of the customers whose region is known")


def psychographic(reading: Reading) -> go.Figure:
    of = "scale_"
    scales = {
        c.trait.title: c.evidence
        for c in reading.trait_covers()
        if "omega" in c.evidence and c.trait.name.startswith(of)
    }
    least = min(e["omega"] for e in scales.values())
    figure = palette.figure_of(f"All scales of the survey have an omega of {least:.2f} or more", HEIGHT)
    names = [palette.label(name.removeprefix("scale "), 24) for name in scales]
    alpha = [e["alpha"] for e in scales.values()]
    ends = [e["alpha_interval"] for e in scales.values()]
    figure.add_scatter(
        x=alpha, y=names, mode="markers", name="alpha", marker={"color": palette.ACCENT, "size": 11},
        error_x={"array": [high - a for (_, high), a in zip(ends, alpha, strict=True)],
                 "arrayminus": [a - low for (low, _), a in zip(ends, alpha, strict=True)]},
    )  # fmt: skip
    omega = [e["omega"] for e in scales.values()]
    figure.add_scatter(x=omega, y=names, mode="markers", name="omega",
                       marker={"color": palette.UNORDERED[1], "size": 11, "symbol": "diamond"})  # fmt: skip
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title="reliability; of alpha with its 95 % interval", range=[0.5, 1.0])
    figure.update_yaxes(autorange="reversed")
    return figure


def technographic(reading: Reading) -> go.Figure:
    found = shares(reading, "traits", "main_device", ("phone", "tablet", "desktop", "other"))
    most = max(found, key=lambda name: found[name])
    return bars(
        found, f"{words.share(found[most])} mostly use a {most}", "share of the customers whose device is known"
    )


def behavioral(reading: Reading) -> go.Figure:
    found = shares(reading, "traits", "own_pace_stage", PACES)
    title = f"By their own clock {words.share(found['active'])} are active, {words.share(found['at risk'])} at risk"
    return bars(found, title, "share of the customers")


def needs(reading: Reading) -> go.Figure:
    covers = [c.trait for c in reading.trait_covers() if c.trait.name.startswith("benefit_of_")]
    table = reading.find("traits")
    means = table.agg(**{t.name: table[t.name].mean() for t in covers}).to_pyarrow().to_pylist()[0]
    ranked = sorted(((t.value or t.title, means[t.name]) for t in covers), key=lambda each: -each[1])
    title = f"{ranked[0][0]} is wanted most, {ranked[-1][0].lower()} least"
    return bars(dict(ranked), title, "mean score: times best less times worst, over times shown", percent=False)


def value(reading: Reading) -> go.Figure:
    overview = reading.overview()
    figure = charts.pareto(overview.pareto, findings.value_word(overview.value_trait))
    assert figure is not None
    return figure.update_layout(height=HEIGHT + 40)


def firmographic(reading: Reading) -> go.Figure:
    found = shares(reading, "account_traits", "relationship_stage", STAGES)
    return bars(found, f"{words.share(found['customer'])} of the organisations are customers", "share of the accounts")


DRAWN: dict[str, Callable[[Reading], go.Figure]] = {
    each.__name__: each
    for each in (demographic, geographic, psychographic, technographic, behavioral, needs, value, firmographic)
}


def main(workspace: Path, *models: str) -> None:
    """Draw the pictures of some models; of all without names."""
    assert DRAWN.keys() == {model.value for model in Model}
    with closing(open_workspace(workspace)) as space, space.reading() as reading, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in models or DRAWN:
            figure = DRAWN[name](reading).update_layout(width=WIDTH, paper_bgcolor="white", plot_bgcolor="white")
            page = browser.new_page(viewport={"width": WIDTH, "height": int(figure.layout.height)})
            page.set_content(f"<body style='margin:0'>{figure.to_html(full_html=False, include_plotlyjs=True)}</body>")
            page.wait_for_selector(".main-svg")
            page.screenshot(path=PICTURES / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
