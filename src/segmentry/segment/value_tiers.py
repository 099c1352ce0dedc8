"""Value tiers: which share of the customers brings which share of the value (Pareto; ABC analysis, Dickie 1951)."""

from __future__ import annotations

import numpy as np

from segmentry.config import Tier, ValueTiers
from segmentry.errors import FitError
from segmentry.placement import Band, Grid, exact, figure
from segmentry.segment.fitting import Fitted, Learning, Numbers
from segmentry.segmentation import Segment

# What "auto" takes, best first: what a customer leaves behind, what it paid, what the source says it is worth.
CANDIDATES = ("margin", "monetary", "value")
_ONE, _FEW = 0.5, 20  # of more than so few customers one that brings half of the value is told


def fit(settings: ValueTiers, learning: Learning) -> Fitted:
    """Cut the customers, best first, where their running total reaches the share of each tier.

    Raises :class:`FitError` when there is no value trait or no customer has a value above zero.
    """
    trait = value_trait(settings.trait, learning)
    values, weights = learning.numbers(trait)
    if settings.cuts is not None:
        cuts = list(settings.cuts)
    else:
        shares = [t.share for t in settings.tiers[:-1]]
        cuts = pareto_cuts(values, shares, weights, where=learning.where, trait=trait)
    tiers = list(settings.tiers)
    # Equal cuts (everybody is worth the same): the tiers between them stay empty, the better one takes the customers.
    rising = sorted(set(cuts))
    order = [next(i for i, cut in enumerate(cuts) if cut == c) for c in reversed(rising)]
    kept = [tiers[i] for i in order] + [tiers[-1]]
    position_to_segment = tuple(range(len(kept) - 1, -1, -1))
    band = Band("tier", trait, tuple(rising), tuple(range(1, len(kept) + 1)), float(values.min()), float(values.max()))
    segments = tuple(_segment(kept, i, rising, trait, settings) for i in range(len(kept)))
    because = "Value falls off smoothly; where the tiers end is a choice."
    report = {"cuts": list(reversed(rising)), "trait": trait, "verdict": "constructive", "because": because}
    if (share := float(values.max() / np.maximum(values, 0).sum())) >= _ONE and len(values) > _FEW:
        told = f"One customer brings {100 * share:.0f} % of all {trait} ({figure(float(values.max()))}): "
        report["warnings"] = [told + "an error in the data, or somebody for the population to leave out?"]
    return Fitted(Grid((band,), position_to_segment), segments, report)


def value_trait(wanted: str, learning: Learning) -> str:
    """The trait that ``auto`` means here, or the one asked for."""
    if wanted != "auto":
        return wanted
    for name in CANDIDATES:
        if name in learning.specs:
            return name
    raise FitError(
        f"{learning.where}: there is no trait that says what a customer is worth.",
        why=f"auto takes the first there is of {', '.join(CANDIDATES)}.",
        fix="Map transactions with amounts, map the customers' value column, or name a trait with `trait:`.",
    )


def pareto_cuts(
    values: Numbers, shares: list[float], weights: Numbers | None = None, *, where: str, trait: str
) -> list[float]:
    """The least value of each tier: customers best first, until the running total reaches the share.

    Customers of equal value are never parted: the tier takes all of them. Values of zero and below bring nothing and
    count as such. A customer of weight 3 counts as three.

    >>> pareto_cuts(np.array([50.0, 30, 10, 5, 5]), [0.8, 0.95], where="", trait="")
    [30.0, 5.0]
    """
    best_first, inverse = np.unique(-values, return_inverse=True)
    best_first = -best_first
    total = (np.clip(best_first, 0, None) * np.bincount(inverse, weights)).cumsum()
    if total[-1] <= 0:
        raise FitError(f"{where}: nobody has a {trait} above zero.", fix="Check the amounts in `segmentry report`.")
    # 1e-12: a running total of floats may miss a share by rounding alone
    return [exact(float(best_first[int(np.argmax(total >= share * total[-1] * (1 - 1e-12)))])) for share in shares]


def _segment(kept: list[Tier], i: int, rising: list[float], trait: str, settings: ValueTiers) -> Segment:
    tier = kept[i]
    words = trait.replace("_", " ")
    falling = list(reversed(rising))
    lower = f"at least {falling[i]:,.2f}" if i < len(falling) else ""
    upper = f"below {falling[i - 1]:,.2f}" if i > 0 else ""
    criteria = f"{words} " + " and ".join(p for p in (lower, upper) if p)
    texts = settings.segments.get(tier.name)
    return Segment(name=tier.name, criteria=criteria.strip(), **(texts.model_dump() if texts else {}))
