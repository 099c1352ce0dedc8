"""The report: one HTML file that says who the customers are, and that opens anywhere, offline.

Everything is inside the file: texts, styles, the figures as JSON, and plotly.js once, compressed. A content security
policy with the hashes of its two scripts keeps it from loading or running anything else, so that whatever a name may
hold stays text. Charts are drawn when they come near the screen, and all of them before printing.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from segmentry.apps import (
    bias,
    charts,
    choosing_charts,
    choosing_findings,
    crosstabs,
    findings,
    lifetime_charts,
    lifetime_findings,
    needs_chart,
    objectives,
    palette,
    profile_chart,
    sampling,
    words,
)
from segmentry.apps.comparing import Comparison
from segmentry.apps.crosstabs import CrossTab
from segmentry.apps.findings import Worth
from segmentry.catalogue import Model
from segmentry.checks import Severity
from segmentry.data import market
from segmentry.data.quality import TraitHealth
from segmentry.errors import UsageError
from segmentry.overview import Concern, LifetimeReport, Overview, QualityReport, TraitCover
from segmentry.segment.linter import RuleCheck
from segmentry.target import unmet_needs
from segmentry.target.criteria import Checked
from segmentry.target.needs_report import NeedsReport
from segmentry.target.profiles import SegmentationSummary, SegmentSummary, TraitEffect
from segmentry.target.satisfaction import Score
from segmentry.target.unmet_needs import UnmetNeed

FILE_NAME = "report.html"


@dataclass(frozen=True)
class Chart:
    """One figure of the page: its title stands in the page, so that it wraps; ``note`` says how to read it."""

    id: str
    title: str
    note: str
    height: int
    body: Markup


@dataclass(frozen=True)
class Card:
    """One segment of one segmentation."""

    id: str
    segment: SegmentSummary
    colour: str
    apart: tuple[str, ...]
    attention: str
    overdue: bool
    notes: tuple[str, ...] = ()  # what market research says of it
    besides: tuple[str, ...] = ()  # what sets it apart in traits that did not form it


@dataclass(frozen=True)
class QualitySection:
    """What the page says about the quality of the data: no example values, only what, where and how many."""

    headline: str
    scores: tuple[tuple[str, int | None, float, float | None], ...]  # name, records, score, score before
    trend: str
    rules: tuple[tuple[str, TraitHealth], ...]  # segmentation, what one of its rules rests on
    groups: tuple[tuple[str, tuple[Concern, ...]], ...]  # findings by severity


@dataclass(frozen=True)
class LifetimeSection:
    """What the page says about lifetime value: why there is none, or models, forecasts and what is to come."""

    refused: str = ""
    lines: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    forecasts: tuple[lifetime_findings.Row, ...] = ()
    verdicts: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str, str, float, float, int], ...] = ()


@dataclass(frozen=True)
class Section:
    """One segmentation."""

    id: str
    title: str
    summary: SegmentationSummary
    told: Worth
    verdict: str
    verdict_word: str
    k: int
    charts: tuple[Chart, ...]
    cards: tuple[Card, ...]
    profile: tuple[tuple[str, str, bool, tuple[str, ...]], ...]  # (trait, level, forms segments, mean per segment)
    notes: tuple[str, ...] = ()
    criteria: tuple[Checked, ...] = ()  # whether each segment is worth having
    rules: RuleCheck | None = None  # where people wrote rules
    bias: tuple[str, ...] = ()  # how protected traits and the segments go together
    compared: Comparison | None = None  # with other methods
    story: tuple[str, ...] = ()  # how their number was chosen
    crosstabs: tuple[CrossTab, ...] = ()  # who else the members are


@dataclass(frozen=True)
class NeedsSection:
    """What the page says about needs: a chart, needs of everybody and of groups, benefits, satisfaction by segment.

    ``scores`` has each segment with its scores in the order of ``measures``; None where fewer than five answered.
    """

    report: NeedsReport
    chart: Chart | None
    everybody: tuple[UnmetNeed, ...]
    grouped: tuple[UnmetNeed, ...]
    segmentation: str
    measures: tuple[str, ...]
    scores: tuple[tuple[str, tuple[Score | None, ...]], ...]


def write_report(overview: Overview, path: Path) -> None:
    """Write the report to ``path``; an earlier one stays whole until the new one is.

    Raises :class:`~segmentry.errors.UsageError` when there is no such folder, or ``path`` is one.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(
            f"The report cannot be written to {path}.",
            why="That is a folder." if path.is_dir() else f"There is no folder {path.parent}.",
            fix="Name a file in a folder that exists, such as report.html.",
        )
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_text(render(overview), encoding="utf-8", newline="\n")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def render(overview: Overview) -> str:
    """The report as HTML. The same overview gives the same text."""
    environment = _environment(overview.currency)
    source = environment.loader.get_source  # type: ignore[union-attr]
    style, script = (source(environment, name)[0] for name in ("report.css", "report.js"))
    sections = tuple(_section(i, s, overview) for i, s in enumerate(findings.in_reading_order(overview), start=1))
    pareto = charts.pareto(overview.pareto, findings.value_word(overview.value_trait))
    note = "Customers in order of what they brought, best first. The dashed line: everybody brings the same."
    return environment.get_template("report.html.j2").render(
        overview=overview,
        headline=findings.headline(overview),
        attention=_attention(sections),
        tiles=_tiles(overview),
        pareto=_chart("pareto", pareto, note),
        sections=sections,
        trait_groups=[
            (unit, groups)
            for unit in ("customer", "account")
            if (groups := _by_model(cover for cover in overview.traits if cover.of == unit))
        ],
        needs=_needs(overview.needs) if overview.needs else None,
        quality=_quality(overview.quality) if overview.quality else None,
        lifetime=_lifetime(overview.lifetime) if overview.lifetime else None,
        objectives=tuple(
            (
                aim,
                objectives.summary(aim),
                objectives.shown(aim),
                market.about(overview.notes, aim.name),
                bias.of_score(aim.bias),
            )
            for aim in overview.aims
        ),
        trait_notes={c.trait.name: market.about(overview.notes, c.trait.name) for c in overview.traits},
        model_notes={m.value: market.about(overview.notes, m.value) for m in Model},
        verdicts=findings.VERDICTS,
        sample=tuple(sampling.sentences(overview.sample.rows, overview.sample.facts)) if overview.sample else (),
        changes=sampling.changes(overview.sample.facts["statement"]) if overview.sample else (),
        style=Markup(style),
        script=Markup(script),
        plotly=Markup(_plotly()[0]),
        templates=_script_json({"light": palette.LIGHT.to_plotly_json(), "dark": palette.DARK.to_plotly_json()}),
        policy=f"script-src '{_digest(script)}' '{_plotly()[1]}'",
    )


def _environment(currency: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("segmentry.apps"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value.replace(" %", "\u00a0%") if isinstance(value, str) else value,
    )
    environment.filters |= {
        "count": words.count,
        "exact": words.exact,
        "share": words.share,
        "tenths": words.tenths,
        "signed": words.signed,
        "when": words.when,
        "money": partial(words.money, currency=currency),
        "exact_money": partial(words.exact_money, currency=currency),
        "unit": lambda unit: unit.replace("currency", currency) if currency and words.is_money(unit) else unit,
        "figure": partial(words.figure, currency=currency),
        "two_digits": lambda number: words.UNKNOWN if number is None else f"{number:.2f}",
        "reliability": findings.reliability,
        "loadings": findings.loadings,
        "spoken": words.spoken,
        "sentence": words.sentence,
    }
    environment.globals |= {"counted": words.counted, "unknown": words.UNKNOWN, "outside": findings.NOT_SEGMENTS}
    return environment


@cache
def _plotly() -> tuple[str, str]:
    """plotly.js, compressed and as base64 (a third of its size), and the hash by which the page may run it."""
    code = get_plotlyjs()
    packed = gzip.compress(code.encode(), compresslevel=9, mtime=0)
    return base64.b64encode(packed).decode(), _digest(code)


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _script_json(value: object) -> Markup:
    """JSON that may stand inside a script element: no text in it can end the element."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _chart(chart_id: str, figure: go.Figure | None, note: str) -> Chart | None:
    if figure is None:
        return None
    body = json.loads(figure.to_json())  # its encoder knows numpy's numbers, and NaN
    title = html.unescape(body["layout"].pop("title")["text"])
    body["layout"].pop("template")
    body["layout"].pop("margin")
    return Chart(chart_id, title, note, int(body["layout"]["height"]), _script_json(body))


def _tiles(overview: Overview) -> list[tuple[str, str, str]]:
    """The base at a glance: what, the number, and the number in full or what it means."""
    currency = overview.currency
    tiles = [("Customers", words.count(overview.customers), words.exact(overview.customers))]
    for what, number in (("With orders", overview.customers_with_orders), ("Orders", overview.orders)):
        if number is not None:
            tiles.append((what, words.count(number), words.exact(number)))
    if overview.revenue is not None:
        tiles.append(
            ("Revenue", words.money(overview.revenue, currency), words.exact_money(overview.revenue, currency))
        )
    if overview.first_record and overview.last_record:
        period = f"{overview.first_record:%m/%Y}\u00a0– {overview.last_record:%m/%Y}"
        tiles.append(("Period", period, f"{words.when(overview.first_record)} to {words.when(overview.last_record)}"))
    each = _each(overview)
    if each is not None:
        tiles.append(each)
    top = findings.top_share(overview.pareto)
    if top is not None:
        bring = f"bring {words.share(findings.MOST_OF_THE_MONEY)} of the {findings.value_word(overview.value_trait)}"
        exact = f"The best {100 * top:.2f} % of the customers {bring}"
        tiles.append((f"Of the customers {bring}", words.share(top), exact))
    if overview.anonymous_share is not None:
        meaning = f"{100 * overview.anonymous_share:.2f} % of all money has no customer behind it"
        tiles.append(("Anonymous revenue", words.tenths(overview.anonymous_share), meaning))
    return tiles


def _each(overview: Overview) -> tuple[str, str, str] | None:
    """Value per customer, from a segmentation that places everybody; else revenue per customer with orders."""
    for summary in findings.in_reading_order(overview):
        values = [s.value for s in summary.segments if s.value is not None]
        if values and summary.customers and not summary.outside_population:
            told = findings.worth(overview, summary.value_trait)
            mean = sum(values) / summary.customers
            return f"{told.word.capitalize()} per {summary.unit}", told.short(mean), told.exact(mean)
    if overview.revenue is None or not overview.customers_with_orders:
        return None
    mean = overview.revenue / overview.customers_with_orders
    currency = overview.currency
    return "Revenue per customer with orders", words.money(mean, currency), words.exact_money(mean, currency)


def _attention(sections: Iterable[Section]) -> list[Card]:
    """The cards of the first segmentation that need somebody to look at them."""
    first = next(iter(sections), None)
    return [card for card in first.cards if card.attention] if first else []


def _section(number: int, summary: SegmentationSummary, overview: Overview) -> Section:
    told = findings.worth(overview, summary.value_trait)
    colours = palette.segment_colours(summary)
    urgent = {a.segment: a.why for a in findings.attention(summary, overview)}
    cards = tuple(
        Card(
            id=f"s{number}-{i}",
            segment=segment,
            colour=colours[segment.name],
            apart=tuple(findings.sets_apart(e, overview.currency, segment.customers) for e in forming),
            besides=tuple(findings.sets_apart(e, overview.currency, segment.customers) for e in describing),
            attention=urgent.get(segment.name, ""),
            overdue=segment.review_by is not None and segment.review_by < overview.as_of,
            notes=tuple(map(str, market.about(overview.notes, f"{summary.name}.{segment.name}"))),
        )
        for i, segment in enumerate(summary.segments, start=1)
        for forming, describing in [findings.apart(summary, segment)]
    )
    return Section(
        id=f"s{number}",
        title=words.spoken(summary.name),
        summary=summary,
        told=told,
        verdict=findings.verdict(summary),
        verdict_word=findings.verdict_word(summary),
        k=charts.chosen_k(summary),
        charts=_charts(f"s{number}", summary, overview, told),
        cards=cards,
        profile=_profile_rows(summary, overview.currency),
        notes=tuple(map(str, market.about(overview.notes, summary.name))),
        criteria=overview.criteria.get(summary.name, ()),
        rules=overview.rules.get(summary.name),
        bias=tuple(bias.sentences(summary.report)),
        compared=Comparison.of(summary.report),
        story=tuple(choosing_findings.story(summary)),
        crosstabs=crosstabs.crosstabs(summary),
    )


def _charts(prefix: str, summary: SegmentationSummary, overview: Overview, told: Worth) -> tuple[Chart, ...]:
    """What is drawn for a segmentation, in reading order; what has no data is left out."""
    tiered = findings.worth(overview, summary.report.get("trait")) if summary.method == "value_tiers" else None
    unit, units = summary.unit, summary.units
    drawn = (
        ("sizes", charts.sizes(summary, told.word), _sizes_note(summary, told.word)),
        ("tiers", charts.tier_pareto(summary, tiered) if tiered else None, _TIER_NOTE.format(units.capitalize())),
        ("map", charts.rfm_map(summary), _MAP_NOTE.format(unit, units)),
        ("panel", charts.stability(summary), _PANEL_NOTE.format(unit, units)),
        *choosing_charts.drawn(summary),
        ("profile", profile_chart.profile(summary, overview.currency), _PROFILE_NOTE.format(units)),
    )
    found = (_chart(f"{prefix}-{kind}", figure, note) for kind, figure, note in drawn)
    return tuple(chart for chart in found if chart is not None)


def _sizes_note(summary: SegmentationSummary, value: str) -> str:
    valued = any(s.value_share is not None for s in summary.segments)
    units = summary.units
    return f"Grey: share of the {units}; in colour: share of the {value}." if valued else f"Share of the {units}."


_TIER_NOTE = "{} in the order of what the tiers go by, best first; the colours show where each ends."
_MAP_NOTE = "Every {} has one place. Colour and name: the segment; the number: how many {} are there."
_PANEL_NOTE = (
    "Each box: pairs of re-fits on resampled {1}, and how far they agree (1: on every {0}; 0: as chance); "
    "the diamond: their mean. "
    "The dashed line: reproducible from here on."
)
_PROFILE_NOTE = (
    "Colour: how far a segment's {} are from everybody else; numbers: their means. Traits in bold, above the "
    "line, form the segments; the others only describe them."
)


def _profile_rows(summary: SegmentationSummary, currency: str) -> tuple[tuple[str, str, bool, tuple[str, ...]], ...]:
    """The profile as a table: the same rows as the chart, for readers who cannot see it."""
    cells: Mapping[Any, TraitEffect] = {(e.segment, e.trait, e.level): e for e in summary.effects}
    names = [s.name for s in findings.segments_of(summary) if s.customers]
    rows = []
    for trait, level in profile_chart.profile_traits(summary) if len(names) > 1 else ():
        found = [cells.get((name, trait, level)) for name in names]
        rows.append(
            (trait.replace("_", " "), level or "", trait in summary.variables, tuple(_mean(e, currency) for e in found))
        )
    return tuple(rows)


def _mean(effect: TraitEffect | None, currency: str) -> str:
    if effect is None:
        return words.UNKNOWN
    apart = "" if effect.effect is None else f" ({effect.effect:+.1f})"
    return words.figure(effect.mean, findings.unit_of(effect), currency) + apart


def _by_model(traits: Iterable[TraitCover]) -> list[tuple[str, list[TraitCover]]]:
    ordered = sorted(traits, key=lambda cover: cover.trait.model)
    return [(model, list(group)) for model, group in groupby(ordered, key=lambda cover: str(cover.trait.model))]


def _needs(found: NeedsReport) -> NeedsSection:
    everybody = unmet_needs.worst([n for n in found.needs if n.segment == unmet_needs.EVERYBODY and not n.product])
    grouped = unmet_needs.worst([n for n in found.needs if n.segment != unmet_needs.EVERYBODY])[:_GROUPS_SHOWN]
    by_place = {(s.segment, s.measure): s for s in found.scores if s.value is not None}
    measures = tuple(dict.fromkeys(measure for _, measure in by_place))
    return NeedsSection(
        found,
        _chart("needs-map", needs_chart.needs(found.needs), needs_chart.NOTE),
        tuple(everybody),
        tuple(grouped),
        words.spoken(found.segmentation),
        measures,
        tuple(
            (name, tuple(by_place.get((name, m)) for m in measures)) for name in dict.fromkeys(n for n, _ in by_place)
        ),
    )


_GROUPS_SHOWN = 20  # those with the most of an opportunity first; `segmentry needs --json` has all of them


def _quality(found: QualityReport) -> QualitySection:
    open_ = [c for c in found.concerns if not c.finding.accepted]
    groups = [(_GROUPS[severity], tuple(c for c in open_ if c.finding.severity is severity)) for severity in Severity]
    groups.append(("accepted findings", tuple(c for c in found.concerns if c.finding.accepted)))
    warnings = sum(c.finding.severity is Severity.WARNING for c in open_)
    scores = [(s.source, s.rows, s.score, found.before.get(s.source)) for s in found.scores]
    models = [(f"{model} traits", None, score, found.before.get(model)) for model, score in found.models.items()]
    return QualitySection(
        f"{words.counted(warnings, 'warnings')} as of {words.when(found.as_of)}.",
        (*scores, *models),
        ", ".join(f"{100 * score:.0f} ({words.when(day)})" for day, score in found.history) if found.before else "",
        tuple((name, rule) for name, rules in found.rules.items() for rule in rules),
        tuple((words.counted(len(same), title), same) for title, same in groups if same),
    )


_GROUPS = {
    Severity.BLOCKING: "blocking findings",
    Severity.WARNING: "warnings",
    Severity.NOTE: "notes",
}


def _lifetime(found: LifetimeReport) -> LifetimeSection:
    models, future = found.models, found.future
    if models is None:
        return LifetimeSection(found.refused)
    drawn = [
        ("lifetime-cumulative", lifetime_charts.weekly(models, cumulative=True), _TRACKING_NOTE),
        ("lifetime-weekly", lifetime_charts.weekly(models, cumulative=False), _TRACKING_NOTE),
        ("lifetime-deciles", lifetime_charts.deciles(models), _DECILES_NOTE),
        ("lifetime-retention", lifetime_charts.retention(models), _TRACKING_NOTE),
    ]
    if future is not None:
        drawn += [
            ("lifetime-pareto", charts.pareto(future.pareto, "future value"), _FUTURE_NOTE),
            ("lifetime-risk", lifetime_charts.at_risk(future, found.currency), _RISK_NOTE),
            ("lifetime-quadrants", lifetime_charts.quadrants(future, found.currency), _QUADRANTS_NOTE),
        ]
    shown = (_chart(*chart) for chart in drawn)
    return LifetimeSection(
        lines=tuple(lifetime_findings.summary(found)),
        charts=tuple(chart for chart in shown if chart is not None),
        forecasts=tuple(lifetime_findings.forecasts(models)),
        verdicts=tuple((c.title, c.verdict) for c in models.candidates if c.verdict),
        parameters=tuple(lifetime_findings.parameters(models)),
    )


_TRACKING_NOTE = "The model saw what is left of the dashed line only; right of it is forecast."
_DECILES_NOTE = "Customers in order of what the model expected of them in the holdout. Equal bars: it was right."
_FUTURE_NOTE = "Customers in order of what they will bring, best first. The dashed line: everybody will bring the same."
_RISK_NOTE = "At risk: the value of each customer times the probability of no order within the horizon."
_QUADRANTS_NOTE = "Costs of serving and keeping so far, against what is to come; each customer against the average one."
