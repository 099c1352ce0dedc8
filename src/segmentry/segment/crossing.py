"""Crossing: every combination of the segments of two segmentations, small ones merged."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import ibis
import numpy as np

from segmentry import engine
from segmentry.config import Crossing as Settings
from segmentry.errors import FitError
from segmentry.placement import NO_DATA, NO_GOOD_FIT, Crossing, exact
from segmentry.placement.rule import MOST_SEGMENTS
from segmentry.segment.fitting import Fitted, Learning, Numbers
from segmentry.segmentation import Segment, Segmentation
from segmentry.stats import association
from segmentry.wording import agree

_Cell = tuple[int, int]
_Counts = defaultdict[_Cell, float]  # weight of the customers in a combination


def fit(settings: Settings, learning: Learning) -> Fitted:
    """Count the combinations on the sample, merge the small ones and freeze both rules in one.

    A small combination joins the one that most of its customers are nearest to; where that is small as well, or no way
    leads there, the largest of the same first segment, then of the same second one. Raises :class:`FitError` when
    there are more segments than a rule holds.
    """
    if not learning.parts:
        raise FitError(
            f"{learning.where}: a crossing is made of fitted segmentations, which a sample alone does not hold.",
            fix="Fit it where the customers are.",
        )
    first, second = (learning.parts[name] for name in settings.of)
    sizes = (len(first.segments), len(second.segments))
    counts, nearest = _counted(first, second, learning)
    total = sum(counts.values())
    if not total:
        raise FitError(f"{learning.where}: nobody has a segment in both {settings.of[0]} and {settings.of[1]}.")
    every = [(i, j) for i in range(sizes[0]) for j in range(sizes[1])]
    large = [cell for cell in every if counts[cell] and counts[cell] >= settings.least * total]
    if len(large) >= MOST_SEGMENTS:
        raise FitError(
            f"{learning.where}: {len(large)} combinations are too many.",
            why=f"A crossing has at most {MOST_SEGMENTS} segments.",
            fix="Raise `least`, the share that a combination of its own needs.",
        )
    small = [cell for cell in every if cell not in large]
    to_rest = settings.small == "rest" or not large
    place = {cell: i for i, cell in enumerate(large)}
    for cell in small:
        place[cell] = len(large) if to_rest else place[_joined(cell, large, counts, nearest[cell])]
    names = [f"{first.segments[i].name} × {second.segments[j].name}" for i, j in large]
    joined = {n: [c for c in small if not to_rest and place[c] == n and counts[c]] for n in range(len(large))}
    segments = [
        _segment(names[n], _criteria([cell, *joined[n]], first, second), settings) for n, cell in enumerate(large)
    ]
    if to_rest and small:
        segments.append(_segment(settings.rest, "a combination with few customers", settings))
    kinds = dict((*first.traits, *second.traits))
    rule = Crossing((first.rule, second.rule), sizes, tuple(place[cell] for cell in every), tuple(kinds.items()))
    merged = [c for c in small if counts[c]]
    found = [sum(counts[cell] for cell in every if place[cell] == n) for n in range(len(segments))]
    related = _association(counts, sizes, learning.row_weights)
    report = {
        "k": len(segments),
        "verdict": "constructive",
        "because": f"Every combination of {settings.of[0]} and {settings.of[1]} with at least "
        f"{100 * settings.least:.0f} % of the customers"
        + (agree(len(merged), "; {n} smaller [one was|ones were] merged.") if merged else ".")
        + f" How far the two say the same: Cramér's V {related:.2f} (0: nothing to do with each other; 1: who knows one"
        " knows the other).",
        "sizes": [round(size) for size in found],
        "traits": list(kinds),
        "of": {s.name: s.version for s in (first, second)},
        "association": related,
        "warnings": _repeats(related, settings.of),
    }
    return Fitted(rule, tuple(segments), report)


def population(settings: Settings, parts: Mapping[str, Segmentation]) -> str | None:
    """Who can be in it: the populations of both parts, and its own."""
    texts = [settings.population, *(parts[name].population for name in settings.of if name in parts)]
    found = list(dict.fromkeys(text for text in texts if text))
    return " AND ".join(f"({text})" for text in found) if len(found) > 1 else (found[0] if found else None)


def _counted(first: Segmentation, second: Segmentation, learning: Learning) -> tuple[_Counts, Mapping[_Cell, _Counts]]:
    """How many of the sample are in each combination, and where else they would be: by the nearer runner-up."""
    columns = ["segment_index", "runner_up_index", "margin"]
    with engine.in_memory() as con:
        numbered = con.create_table("sample", learning.sample.reset_index(drop=True)).mutate(row=ibis.row_number())
        frames = [
            con.to_pandas(engine.in_steps(numbered, part.placing(["row"])).order_by("row")) for part in (first, second)
        ]
    placed = [frame[columns].to_numpy(dtype=np.float64, na_value=np.nan) for frame in frames]
    counts: _Counts = defaultdict(float)
    beside: defaultdict[_Cell, _Counts] = defaultdict(lambda: defaultdict(float))
    for (a, next_a, margin_a), (b, next_b, margin_b), weight in zip(*placed, learning.row_weights, strict=True):
        if {a, b} & {NO_DATA, NO_GOOD_FIT}:
            continue
        cell = (int(a), int(b))
        counts[cell] += weight
        ways = [(_gap(margin_a), 0, (next_a, b)), (_gap(margin_b), 1, (a, next_b))]
        known = [way for way in ways if all(index >= 0 for index in way[2])]
        if known:
            there = min(known)[2]
            beside[cell][int(there[0]), int(there[1])] += weight
    return counts, beside


def _gap(margin: float) -> float:
    return 2.0 if math.isnan(margin) else float(margin)  # margins are at most 1


def _joined(cell: _Cell, large: Sequence[_Cell], counts: _Counts, nearest: _Counts) -> _Cell:
    there = [c for c in large if nearest[c]]
    if there:
        return min(there, key=lambda c: (-nearest[c], c))
    for same in (
        [c for c in large if c[0] == cell[0]],
        [c for c in large if c[1] == cell[1]],
        large,
    ):
        if same:
            return min(same, key=lambda c: (-counts[c], c))
    raise AssertionError("asked only where there are large combinations")


def _criteria(cells: Sequence[_Cell], first: Segmentation, second: Segmentation) -> str:
    texts = [f"{first.name} {first.segments[i].name} and {second.name} {second.segments[j].name}" for i, j in cells]
    return texts[0] if len(texts) == 1 else f"{texts[0]}; also the few with {'; '.join(texts[1:])}"


def _segment(name: str, criteria: str, settings: Settings) -> Segment:
    texts = settings.segments.get(name)
    return Segment(name=name, criteria=criteria, **(texts.model_dump() if texts else {}))


def _association(counts: _Counts, sizes: tuple[int, int], weights: Numbers) -> float:
    """Cramér's V of the two segmentations: 0 where they have nothing to do with each other, 1 where they are one."""
    table = [[counts[i, j] for j in range(sizes[1])] for i in range(sizes[0])]
    return exact(association.cramers_v(table, float(weights.sum() ** 2 / (weights**2).sum())))


_ONE_AND_THE_SAME = 0.8  # Cramér's V from which a second segmentation adds hardly anything


def _repeats(related: float, of: Sequence[str]) -> list[str]:
    if related < _ONE_AND_THE_SAME:
        return []
    return [f"{of[0]} and {of[1]} say nearly the same (Cramér's V {related:.2f}): crossing them adds little."]
