"""The profile of a segmentation: segments by traits, and how far each segment is from everybody else."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import plotly.graph_objects as go

from segmentry.apps import findings, palette, words
from segmentry.apps.palette import figure_of, label, plain
from segmentry.target.profiles import SegmentationSummary, TraitEffect

MOST_TRAITS = 20  # rows of a profile: more cannot be taken in
MOST_LEVELS = 3  # of one category, so that it does not crowd out the other traits
CLIP = 2.0  # sd: beyond, a difference is simply large


def profile(summary: SegmentationSummary, currency: str = "") -> go.Figure | None:
    """Segments by traits: how far each segment is from everybody else (after Dolnicar, Grün & Leisch 2018).

    Segmentation variables, which form the segments, stand above descriptors, which only describe them; within each the
    strongest come first.
    """
    segments = [s for s in findings.segments_of(summary) if s.customers]
    cells = {(e.segment, e.trait, e.level): e for e in summary.effects}
    traits = profile_traits(summary)
    if len(segments) < 2 or not traits:
        return None
    grid = [[cells.get((s.name, trait, level)) for s in segments] for trait, level in traits]
    own = sum(trait in summary.variables for trait, _ in traits)
    figure = figure_of(profile_title(summary, currency), height=150 + 30 * len(traits))
    figure.add_heatmap(
        x=list(range(len(segments))),
        y=list(range(len(traits))),
        z=[[_clipped(e) for e in row] for row in grid],
        zmin=-CLIP,
        zmax=CLIP,
        xgap=1.5,
        ygap=1.5,
        text=[[_shown_mean(e, currency) for e in row] for row in grid],
        texttemplate="%{text}",
        hovertext=[[_cell_words(e, summary, currency) for e in row] for row in grid],
        hoverinfo="text",
        hoverongaps=False,
        colorbar=_colour_bar(),
    )
    width = max(11, min(24, 120 // len(segments)))  # characters that fit over a column of a desk's screen
    names = [label(s.name, width, lines=3) for s in segments]
    figure.update_xaxes(side="top", tickvals=list(range(len(names))), ticktext=names, showgrid=False, zeroline=False)
    # by which the page sees that there is no room for words, and the names as they are then written upright
    figure.update_layout(meta={"columns": len(segments), "upright": [label(s.name, 34, lines=1) for s in segments]})
    ticks = [_row_words(trait, level, summary) for trait, level in traits]
    figure.update_yaxes(tickvals=list(range(len(traits))), ticktext=ticks, autorange="reversed", showgrid=False)
    figure.update_yaxes(zeroline=False, ticklen=0)
    if 0 < own < len(traits):
        figure.add_hline(y=own - 0.5, line={"color": palette.OUTLINE, "width": 2})
    return figure


def profile_traits(summary: SegmentationSummary) -> list[tuple[str, str | None]]:
    """The traits (with the level of a category) that the profile shows, in its order."""
    segments = {s.name for s in findings.segments_of(summary) if s.customers}
    squares: dict[tuple[str, str | None], list[float]] = defaultdict(list)
    for e in summary.effects:
        if e.segment in segments and e.effect is not None:
            squares[e.trait, e.level].append(min(abs(e.effect), CLIP) ** 2)
    mirrored = _mirrored(squares)
    strength = {key: math.sqrt(sum(found) / len(found)) for key, found in squares.items() if key not in mirrored}
    ranked = sorted(strength, key=lambda key: (key[0] not in summary.variables, -strength[key], key[0], key[1] or ""))
    told: Counter[str] = Counter()
    chosen = []
    for trait, level in ranked:
        told[trait] += 1
        if told[trait] <= MOST_LEVELS:
            chosen.append((trait, level))
    return chosen[:MOST_TRAITS]


def _mirrored(keys: Iterable[tuple[str, str | None]]) -> set[tuple[str, str | None]]:
    """The second level of categories that have two: it only says the first again."""
    levels: dict[str, list[str | None]] = defaultdict(list)
    for trait, level in keys:
        levels[trait].append(level)
    return {(trait, found[1]) for trait, found in levels.items() if len(found) == 2}


def profile_title(summary: SegmentationSummary, currency: str = "") -> str:
    """The strongest difference, in a sentence."""
    segments = {s.name: s.customers for s in findings.segments_of(summary) if s.customers}
    known = [e for e in summary.effects if e.segment in segments and e.effect is not None]
    if not known:
        return "What sets the segments apart"
    strongest = max(known, key=lambda e: (abs(e.effect or 0.0), e.trait))
    apart = findings.sets_apart(strongest, currency, segments[strongest.segment])
    return f"{words.sentence(strongest.segment)} stand out most: {apart}"


def _cell_words(effect: TraitEffect | None, summary: SegmentationSummary, currency: str) -> str:
    if effect is None:
        return ""
    unit = findings.unit_of(effect)
    if effect.effect is None:
        apart = "no spread to compare with"
    else:
        apart = f"{abs(effect.effect):.2f} sd {'below' if effect.effect < 0 else 'above'} everybody else"
    role = "forms the segments" if effect.trait in summary.variables else "describes the segments"
    return (
        f"<b>{plain(effect.segment)}</b><br>{plain(effect.title)}: {plain(words.figure(effect.mean, unit, currency))}"
        f"<br>average {plain(words.figure(effect.base_mean, unit, currency))}<br>{apart}"
        f"<br>known for {words.counted(effect.n, summary.units)}<br><i>{role}</i>"
    )


def _row_words(trait: str, level: str | None, summary: SegmentationSummary) -> str:
    words_of_it = trait.replace("_", " ")
    text = label(words_of_it if level is None else f"{words_of_it}: {level}", 24)
    return f"<b>{text}</b>" if trait in summary.variables else text


def _shown_mean(effect: TraitEffect | None, currency: str) -> str:
    """The mean inside a cell: short, without its unit, which the hover has."""
    if effect is None or effect.mean is None:
        return ""
    if words.is_share(findings.unit_of(effect)):
        return words.share(effect.mean).replace(" ", "\u00a0")
    return words.figure(effect.mean, "currency" if words.is_money(effect.unit) else "", currency)


def _clipped(effect: TraitEffect | None) -> float | None:
    if effect is None or effect.effect is None:
        return None
    return max(-CLIP, min(CLIP, effect.effect))


def _colour_bar() -> dict[str, Any]:
    return {
        "orientation": "h",
        "y": 0,
        "yanchor": "top",
        "thickness": 10,
        "len": 0.9,
        "ypad": 8,
        "outlinewidth": 0,
        "tickvals": [-2, -1, 0, 1, 2],
        "ticktext": ["-2 sd", "-1", "0", "+1", "+2 sd"],
        "tickangle": 0,
        "ticklabeloverflow": "allow",
    }
