"""Segmentation variables: which traits the config means, and how each becomes numbers that can be compared.

Amounts and counts are skewed: they are cut off at their 0.5 and 99.5 % quantiles and put on a log scale when that takes
skewness away, then every trait counts the same (z-scores).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from segmentry.catalogue import Trait
from segmentry.errors import FitError, did_you_mean
from segmentry.placement import BEYOND, Prep, exact
from segmentry.segment.fitting import Learning, Numbers, quantile

FEW_VALUES = 7  # a number with so few different values is an answer on a scale
MOST = 20  # traits; with more of them distances blur
_CUT_OFF = 0.005
_MOST_LEVELS = 8


def variables(
    patterns: Sequence[str], default: Sequence[str], learning: Learning, *, categories: bool = False
) -> list[Trait]:
    """The traits that the patterns of the config mean; ``default`` are those that ``auto`` means where they exist.

    Where none of these exists, ``auto`` means all, with or without ``categories``.
    No pattern means a trait that goes round (see :func:`going_round`); one that is named is taken.

    Raises :class:`FitError` when a pattern matches no trait, or nothing is left.
    """
    if tuple(patterns) == ("auto",):
        names = [n for n in default if n in learning.specs]
        usable = [n for n, s in learning.specs.items() if (categories or s.kind != "category") and not s.is_circular]
        names = names or usable[:MOST]
    else:
        names = [n for pattern in patterns for n in _straight(pattern, learning)]
    found = [learning.specs[n] for n in dict.fromkeys(names)]
    if not found:
        raise FitError(f"{learning.where}: there is no numeric trait to form segments from.")
    return found


def excepted(patterns: Sequence[str], learning: Learning) -> set[str]:
    """The traits that an objective excepts, those that go round included.

    Raises :class:`FitError` when a pattern matches no trait.
    """
    return {name for pattern in patterns for name in _meant(pattern, learning, key="except")}


def too_many(chosen: Sequence[Trait], what: str, enough: str) -> list[str]:
    """A warning where there are more traits than a method can weigh: ``what`` suffers, ``enough`` would do."""
    return [f"{len(chosen)} traits are many for {what}. Choose the {enough} that matter."] if len(chosen) > MOST else []


def same_for_everybody(name: str) -> str:
    """The warning about a trait that cannot form segments."""
    return f"{name} is the same for everybody (or not known) and was left out."


def require_difference(left: Sequence[object], chosen: Sequence[Trait], learning: Learning) -> None:
    """Raise FitError when nothing is left of the chosen traits."""
    if not left:
        raise FitError(
            f"{learning.where}: all customers are the same in {', '.join(t.name for t in chosen)}.",
            why="There is nothing to form segments from.",
            fix="Choose traits that differ between customers; `segmentry show traits` lists them.",
        )


def known(trait: Trait, learning: Learning) -> npt.NDArray[np.bool_]:
    """(n,) of whom a trait is known; a number without end, or nearly so, is not."""
    column = learning.sample[trait.name]
    if trait.kind == "number":
        found: npt.NDArray[np.bool_] = np.abs(column.to_numpy(dtype=np.float64, na_value=np.nan)) < BEYOND
        return found
    return column.notna().to_numpy(dtype=bool)


def known_by_half(
    columns: Sequence[npt.NDArray[np.bool_]], traits: Sequence[str], learning: Learning
) -> npt.NDArray[np.bool_]:
    """(n,) of whom at least half of the traits are known, by the (n,) masks of each trait.

    The others will be placed as "no data", so they must not form segments. Raises :class:`FitError` when all are.
    """
    found: npt.NDArray[np.bool_] = np.sum(columns, axis=0) * 2 >= len(columns)
    if not found.any():
        raise FitError(
            f"{learning.where}: no customer has half of these traits: {', '.join(traits)}.",
            why="Who has fewer of them is placed as 'No data', so there is nobody to learn from.",
            fix="Choose traits that are known for more customers; `segmentry show traits` shows the fill rates.",
        )
    return found


def placeable(traits: Sequence[Trait], learning: Learning) -> Learning:
    """The sample without those who will be placed as "no data", see :func:`known_by_half`."""
    return learning.only(known_by_half([known(t, learning) for t in traits], [t.name for t in traits], learning))


def going_round(patterns: Sequence[str], learning: Learning) -> list[str]:
    """Warnings about hours of the day: left out where a pattern would mean them, doubtful where they are named."""
    circular = [n for n, s in learning.specs.items() if s.is_circular]
    meant = [n for n in circular if any(learning.specs[n].is_meant_by(p) for p in patterns)]
    named = [n for n in meant if any(p.rpartition(".")[2] == n for p in patterns)]
    left_out = [n for n in meant if n not in named]
    warnings = []
    if left_out:
        warnings.append(f"{', '.join(left_out)}: left out, because hours go round and 23 is not far from 0.")
    if named:
        warnings.append(
            f"{', '.join(named)}: hours go round, but here 23 is as far from 0 as can be. "
            "Use a share instead, such as weekend_share or a declared trait of orders at night."
        )
    return warnings


def _straight(pattern: str, learning: Learning) -> list[str]:
    """Names of the traits that a pattern means, without those that go round unless it is the name of one."""
    meant = _meant(pattern, learning, key="traits")
    return [n for n in meant if not learning.specs[n].is_circular or pattern.rpartition(".")[2] == n]


def _meant(pattern: str, learning: Learning, *, key: str) -> list[str]:
    """Names of the traits that a pattern means; :class:`FitError` when it matches none."""
    hits = [n for n, spec in learning.specs.items() if spec.is_meant_by(pattern)]
    if not hits:
        allowed = [*learning.specs, *(f"{m}.*" for m in {s.model.value for s in learning.specs.values()})]
        raise FitError(
            f"{learning.where}.{key}: '{pattern}' matches no trait.",
            why=did_you_mean(pattern, allowed),
            fix=f"`segmentry show traits` lists all {len(learning.specs)}.",
        )
    return hits


def number(trait: Trait, learning: Learning) -> list[Prep]:
    """A number cut off at its outer quantiles, on a log scale if that takes skewness away, as a z-score.

    Empty when it is the same for everybody, or not known.
    """
    values = learning.sample[trait.name].to_numpy(dtype=np.float64, na_value=np.nan)
    finite = np.abs(values) < BEYOND
    known, weights = values[finite], learning.row_weights[finite]
    if known.size == 0 or known.min() == known.max():
        return []
    low, high = (quantile(known, q, weights) for q in (_CUT_OFF, 1 - _CUT_OFF))
    if low == high:  # one value nearly everywhere: the cut-off would leave nothing
        low, high = float(known.min()), float(known.max())
    clipped = np.clip(known, low, high)
    logged = np.sign(clipped) * np.log1p(np.abs(clipped))
    log = trait.kind == "number" and abs(_skewness(logged, weights)) < abs(_skewness(clipped, weights))
    scaled = logged if log else clipped
    centre, spread = _moments(scaled, weights)
    return [
        Prep(
            trait.name,
            fill=exact(quantile(known, 0.5, weights)),
            centre=exact(centre),
            scale=exact(spread),
            low=exact(low),
            high=exact(high),
            log=bool(log),
        )
    ]


def levels(trait: Trait, learning: Learning) -> list[Prep]:
    """One yes/no column per frequent level, scaled so that the trait as a whole weighs like one number."""
    weights = learning.row_weights
    found, inverse = np.unique(learning.sample[trait.name].dropna().astype(str).to_numpy(str), return_inverse=True)
    if len(found) < 2:
        return []
    held = np.bincount(inverse, weights[learning.sample[trait.name].notna().to_numpy()])
    most = np.lexsort([found, -held])[:_MOST_LEVELS]
    shares = {str(found[i]): float(held[i] / weights.sum()) for i in most}
    spread = sum(p * (1 - p) for p in shares.values()) ** 0.5
    return [
        Prep(trait.name, fill=0.0, centre=exact(p), scale=exact(spread), low=0.0, high=1.0, level=level)
        for level, p in shares.items()
    ]


def _moments(values: Numbers, weights: Numbers) -> tuple[float, float]:
    """Mean and standard deviation."""
    mean = float(np.average(values, weights=weights))
    return mean, float(np.average((values - mean) ** 2, weights=weights)) ** 0.5


def _skewness(values: Numbers, weights: Numbers) -> float:
    mean, spread = _moments(values, weights)
    return float(np.average(((values - mean) / spread) ** 3, weights=weights)) if spread > 0 else 0.0
