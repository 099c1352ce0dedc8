"""Segment: from the traits of a sample to a frozen segmentation, by one of the methods below.

Adding a method is adding one file with its ``fit``, one line to ``METHODS``, and its settings in ``config``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from pydantic import ValidationError
from threadpoolctl import threadpool_limits

from segmentry import config, expressions
from segmentry.catalogue import Trait
from segmentry.errors import FitError, UsageError
from segmentry.segment import (
    bands,
    bias,
    comparing,
    crossing,
    kmeans,
    kprototypes,
    latent_classes,
    mixtures,
    rfm,
    rules,
    trees,
    value_tiers,
)
from segmentry.segment.fitting import Fitted, Learning
from segmentry.segmentation import Segmentation

__all__ = [
    "FIND_SEGMENTS",
    "METHODS",
    "Learning",
    "asked",
    "bias",
    "fit",
    "population_of",
    "value_trait_of",
    "variables_named",
]

METHODS: dict[str, Callable[[Any, Learning], Fitted]] = {
    "rules": rules.fit,
    "rfm": rfm.fit,
    "value_tiers": value_tiers.fit,
    "bands": bands.fit,
    "kmeans": kmeans.fit,
    "trees": trees.fit,
    "crossing": crossing.fit,
    "kprototypes": kprototypes.fit,
    "latent_classes": latent_classes.fit,
    "mixtures": mixtures.fit,
}
# Methods whose segments are found in the data and get their names from what sets them apart.
FIND_SEGMENTS = frozenset(config.FINDING)


def _by_method(settings: config.Segmentation, learning: Learning) -> Fitted:
    """What the method finds; its refusal names the segmentation, of which the mathematics does not know."""
    try:
        return METHODS[settings.method](settings, learning)
    except FitError as error:
        if error.what.startswith(learning.where):
            raise
        raise FitError(f"{learning.where}: {error.what}", why=error.why, fix=error.fix) from error


def fit(
    name: str, settings: config.Segmentation, learning: Learning, *, version: int = 1, as_of: date | None = None
) -> Segmentation:
    """Learn a segmentation on a sample.

    Raises :class:`FitError` when the sample cannot support it: nobody in it, a trait not known for anyone.
    """
    if learning.sample.empty:
        raise FitError(
            f"{learning.where}: there is nobody to learn from.",
            why=f"The population is: {settings.population}." if settings.population else "There are no customers.",
            fix="Check the population and the data in `segmentry report`.",
        )
    population = population_of(settings, learning.parts)
    if population:
        expressions.parse(population, where=f"{learning.where}.population")
    bias.refuse([*bias.named(settings, learning.where), *bias.defining(settings, learning)], learning)
    specs = {n: s for n, s in learning.specs.items() if n not in learning.barred}
    with threadpool_limits(limits=1):  # threads share sums out, and then the last digits depend on their number
        found = _by_method(bias.open_to(settings, learning), replace(learning, specs=specs))
    bias.refuse(found.rule.traits, learning)
    report = dict(found.report)
    if learning.notes:
        report["warnings"] = [*report.get("warnings", ()), *learning.notes]
    if missed := bias.left_out(settings, learning):
        note = f"Left out, as they may not form segments: {', '.join(missed)}."
        report["warnings"] = [*report.get("warnings", ()), note]
    kinds = {t: learning.specs[t].kind for t in found.rule.traits}
    fitted = Segmentation(
        name=name,
        version=version,
        method=settings.method,
        rule=found.rule,
        segments=found.segments,
        traits=tuple(kinds.items()),
        unit=settings.unit,
        population=population or "",
        purpose=settings.purpose,
        owner=settings.owner,
        review_by=settings.review_by,
        as_of=as_of,
        report={
            "rows": len(learning.sample),
            "seed": learning.seed,
            "settings": settings.model_dump(mode="json"),
            "data": sorted({need for t in kinds for need in learning.specs[t].needs}),
            **_levels([t for t, kind in kinds.items() if kind == "category"], learning),
            **report,
        },
    )
    if not getattr(settings, "others", ()):
        return fitted
    return replace(fitted, report={**fitted.report, "compared": comparing.compared(fitted, settings, learning, fit)})


_LEAST_LEVEL = 5  # who is one of fewer could be recognised by it
_MOST_LEVELS = 200  # with more of them new ones come every day


def _levels(names: Sequence[str], learning: Learning) -> dict[str, Any]:
    """The categories that the sample has, by trait: what appears later can then be told from them."""
    counted = {name: learning.sample[name].dropna().astype(str).value_counts() for name in names}
    kept = {name: sorted(n.index[n >= _LEAST_LEVEL]) for name, n in counted.items() if len(n) <= _MOST_LEVELS}
    return {"known_levels": kept, "least_level": _LEAST_LEVEL} if kept else {}


def population_of(settings: config.Segmentation, parts: Mapping[str, Segmentation]) -> str | None:
    """The condition on who is placed; None: everybody. ``parts`` are the segmentations that it is made of."""
    return crossing.population(settings, parts) if isinstance(settings, config.Crossing) else settings.population


def variables_named(settings: config.Segmentation, specs: Mapping[str, Trait]) -> int:
    """How many traits the patterns of the settings mean: so many segmentation variables there may be."""
    patterns = [p for p in getattr(settings, "traits", ()) if p != "auto"]
    return sum(any(s.is_meant_by(pattern) for pattern in patterns) for s in specs.values())


def value_trait_of(traits: Sequence[str]) -> str | None:
    """The trait that says what a customer is worth, the best there is."""
    return next((name for name in value_tiers.CANDIDATES if name in traits), None)


def asked(
    settings: config.Segmentation, segments: int | None, compare: Sequence[str] = (), *, where: str
) -> config.Segmentation:
    """The settings with what was asked for by hand: the number of segments, methods to compare.

    Raises :class:`UsageError` where the method does not find its segments, or a method is not known.
    """
    wanted = {"segments": segments, "compare": compare or None}
    changes = {key: value for key, value in wanted.items() if value is not None}
    if not changes:
        return settings
    if settings.method not in FIND_SEGMENTS:
        raise UsageError(
            f"{where}: the number of segments can be set, and methods compared, for"
            f" {', '.join(sorted(FIND_SEGMENTS))}; this is {settings.method}.",
            fix="Change its segments, tiers or cuts in segmentry.yaml.",
        )
    try:
        return type(settings).model_validate({**settings.model_dump(), **changes})
    except ValidationError as error:
        raise UsageError(f"{where}: {error.errors()[0]['msg']}", fix="`segmentry fit --help` shows how.") from error
