"""Bands: one trait cut at points that somebody set, with names of their own."""

from __future__ import annotations

import numpy as np

from segmentry.config import Bands
from segmentry.placement import Band, Grid, exact, figure
from segmentry.segment.fitting import Fitted, Learning
from segmentry.segmentation import Segment


def fit(settings: Bands, learning: Learning) -> Fitted:
    """Freeze the cuts; the lowest band is the first segment.

    Raises :class:`FitError` when the trait is not there, is no number, or is known for nobody.
    """
    values, weights = learning.numbers(settings.trait)
    cuts = tuple(exact(cut) for cut in settings.cuts)
    scores = tuple(range(1, len(cuts) + 2))
    band = Band("band", settings.trait, cuts, scores, float(values.min()), float(values.max()))
    sizes = np.bincount(np.searchsorted(np.array(cuts), values, "right"), weights, len(scores))
    spans = [_span(cuts, i) for i in range(len(scores))]
    names = settings.names or tuple(span[0].upper() + span[1:] for span in spans)
    words = settings.trait.replace("_", " ")
    segments = []
    for name, span in zip(names, spans, strict=True):
        texts = settings.segments.get(name)
        segments.append(Segment(name=name, criteria=f"{words} {span}", **(texts.model_dump() if texts else {})))
    empty = [name for name, size in zip(names, sizes, strict=True) if not size]
    report = {
        "k": len(scores),
        "verdict": "constructive",
        "because": f"Where {words} is cut was set beforehand.",
        "sizes": [round(size) for size in sizes],
        "traits": [settings.trait],
        "warnings": [f"Nobody is in {name}: check the cuts." for name in empty],
    }
    return Fitted(Grid((band,), tuple(range(len(scores)))), tuple(segments), report)


def _span(cuts: tuple[float, ...], place: int) -> str:
    if place == 0:
        return f"below {figure(cuts[0])}"
    if place == len(cuts):
        return f"{figure(cuts[-1])} or more"
    return f"{figure(cuts[place - 1])} to below {figure(cuts[place])}"
