"""Recency, frequency, monetary value: scores 1 to 5 from frozen cut points, and eleven named segments.

After Hughes, Strategic Database Marketing (1994), with two repairs. Ties never split (see ``cuts``), so equal customers
score equal. And the names are ordered: with F and M averaged, a customer who is better in any of the three never gets
a worse name (``NAMES`` rises along both sides, which a test checks).
"""

from __future__ import annotations

from itertools import product

from segmentry.config import Rfm
from segmentry.placement import Band, Grid
from segmentry.segment.cuts import even_cuts, spread_scores
from segmentry.segment.fitting import Fitted, Learning
from segmentry.segmentation import Segment

# Best first: the order of worth that makes "never a worse name" checkable.
SEGMENTS = (
    "Champions",
    "Loyal",
    "Potential Loyalist",
    "New",
    "Promising",
    "Need Attention",
    "About To Sleep",
    "Cannot Lose Them",
    "At Risk",
    "Hibernating",
    "Lost",
)
# Rows: recency score 5 (just bought) down to 1; columns: mean of the F and M scores, 1 to 5.
NAMES = {
    5: ("New", "Potential Loyalist", "Potential Loyalist", "Champions", "Champions"),
    4: ("Promising", "Potential Loyalist", "Potential Loyalist", "Loyal", "Loyal"),
    3: ("About To Sleep", "About To Sleep", "Need Attention", "Loyal", "Loyal"),
    2: ("Hibernating", "Hibernating", "At Risk", "At Risk", "Cannot Lose Them"),
    1: ("Lost", "Lost", "At Risk", "At Risk", "Cannot Lose Them"),
}
TRAITS = ("recency_days", "frequency", "monetary")
BEST = 5


def fit(settings: Rfm, learning: Learning) -> Fitted:
    """Learn the cut points on the buyers of the sample (or take those set by hand) and name every cell."""
    if "recency_days" in learning.specs:  # who never bought has no scores and must not shift those of the others
        learning = learning.only(learning.sample["recency_days"].notna())
    bands = (
        _band(learning, "R", "recency_days", settings.cuts.recency_days, falling=True),
        _band(learning, "F", "frequency", settings.cuts.frequency),
        _band(learning, "M", "monetary", settings.cuts.monetary),
    )
    cells = tuple(SEGMENTS.index(name_of(r, f, m)) for r, f, m in product(*(band.scores for band in bands)))
    segments = tuple(_segment(name, settings) for name in SEGMENTS)
    cuts = {band.trait: list(band.cuts) for band in bands}
    return Fitted(
        Grid(bands, cells),
        segments,
        {"cuts": cuts, "verdict": "constructive", "because": "The segments are a fixed grid over the three scores."},
    )


def name_of(recency: int, frequency: int, monetary: int) -> str:
    """The segment of three scores.

    >>> name_of(5, 5, 5), name_of(1, 1, 1), name_of(5, 1, 1)
    ('Champions', 'Lost', 'New')
    """
    return NAMES[recency][(frequency + monetary + 1) // 2 - 1]


def _band(
    learning: Learning, label: str, trait: str, by_hand: tuple[float, ...] | None, *, falling: bool = False
) -> Band:
    values, weights = learning.numbers(trait)
    cuts = by_hand if by_hand is not None else even_cuts(values, BEST, weights)
    scores = spread_scores(len(cuts) + 1, BEST)
    if trait == "frequency" and not cuts and values.max() <= 1:
        scores = (1,)  # everybody bought once: that is the lowest frequency there is, not the middle
    return Band(label, trait, cuts, scores[::-1] if falling else scores, float(values.min()), float(values.max()))


def _segment(name: str, settings: Rfm) -> Segment:
    grid = [(r, fm + 1) for r, names in NAMES.items() for fm, n in enumerate(names) if n == name]
    recencies = sorted({r for r, _ in grid})
    others = sorted({fm for _, fm in grid})
    criteria = f"recency score {_span(recencies)}, mean of frequency and monetary score {_span(others)}"
    texts = settings.segments.get(name)
    return Segment(name=name, criteria=criteria, **(texts.model_dump() if texts else {}))


def _span(scores: list[int]) -> str:
    return str(scores[0]) if len(scores) == 1 else f"{scores[0]} to {scores[-1]}"
