"""Mixtures: groups of customers as overlapping Gaussian clouds, each with a size and a shape of its own.

Numbers are prepared as ``variables`` says. Gaps are filled with the median where customers are placed; the clouds are
learned from customers without gaps, since the filled ones would be a cloud of their own. Whom no cloud fits then,
because of a gap (never having bought leaves no recency), has no data, and how many these are is told. The shape is told
by BIC; how many there are is chosen by the panel of evidence (``choose``), with BIC and ICL beside it. Everybody
belongs to every cloud with a probability, which is the fit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentry.catalogue import Trait
from segmentry.config import Mixtures
from segmentry.errors import FitError
from segmentry.placement import Mixture, Prep, component, exact
from segmentry.segment.choose import choose
from segmentry.segment.fitting import Fitted, Learning, Numbers, prepared, stranger
from segmentry.segment.redundant import redundant
from segmentry.segment.variables import (
    going_round,
    known,
    number,
    placeable,
    require_difference,
    same_for_everybody,
    too_many,
    variables,
)
from segmentry.segmentation import Segment
from segmentry.stats import mixtures

# Without a list: what describes how somebody buys, in few traits without many equal values.
DEFAULT = ("recency_days", "monetary", "average_order_value", "frequency")
_SHAPE_ROWS = 1_500  # customers on which the shapes are compared
_SHAPE_KS = (3, 5)
_FEW = 0.01  # share of the customers from which it is told that they are placed nowhere
_ENOUGH = 300  # customers without gaps to learn from; of fewer, half of all
_MOSTLY = 0.5  # share of those with gaps who lack a trait, from which on it is named
_PILE = 0.5  # share of the customers with the very same value, from which a cloud is no picture of a trait
_NEARLY_ALL = 0.95  # of a segment


def fit(settings: Mixtures, learning: Learning) -> Fitted:
    """Choose the shape and the number of segments (or take those given), fit the mixture, freeze its densities.

    Raises :class:`FitError` when no number is among the traits, none varies, or fewer different customers than segments
    are there.
    """
    warnings = going_round(settings.traits, learning)
    chosen = _variables(settings, learning, warnings)
    learning = everybody = placeable(chosen, learning)
    prep = _preparation(chosen, learning, warnings)
    learning = _whole([learning.specs[p.trait] for p in prep], learning)
    rows = prepared(prep, learning.sample)
    weights = learning.row_weights
    asked = None if settings.segments == "auto" else settings.segments
    shape = _shape(rows, learning, asked) if settings.shape == "auto" else settings.shape
    used = [p.trait for p in prep]
    selected = choose(mixtures.MixtureFinder(shape), rows, learning, settings, forming=used)
    solution = selected.solution
    if not solution.sizes.all():
        raise FitError(
            f"{learning.where}: of {solution.k} segments {int((solution.sizes == 0).sum())} would be nobody's most"
            " probable one.",
            why="The clouds overlap too much to part so many.",
            fix="Ask for fewer segments.",
        )
    factors, logs = solution.components.factors()
    rule = Mixture(
        prep,
        tuple(
            component(
                factors[i],
                solution.components.means[i],
                float(logs[i]),
                float(solution.components.proportions[i]),
                stranger(solution.distances[solution.labels == i], weights[solution.labels == i]),
            )
            for i in range(solution.k)
        ),
    )
    warnings += [*_with_gaps(rule, solution, everybody), *_piles(used, solution, learning)]
    segments = tuple(Segment(name=f"Group {i + 1}", criteria="the most probable cloud") for i in range(solution.k))
    own = {
        "shape": shape,
        "log_likelihood": exact(solution.log_likelihood),
        "bic": exact(solution.bic),
        "icl": exact(solution.icl),
        "replications": solution.replications,
        "starts": solution.starts,
    }
    return Fitted(
        rule, segments, {**selected.report, **own, "traits": used, "warnings": [*warnings, *selected.warnings]}
    )


def _variables(settings: Mixtures, learning: Learning, warnings: list[str]) -> list[Trait]:
    chosen = variables(settings.traits, DEFAULT, learning)
    other = [t.name for t in chosen if t.kind != "number"]
    chosen = [t for t in chosen if t.kind == "number"]
    if not chosen:
        raise FitError(
            f"{learning.where}: mixtures are of numbers; {', '.join(other)} are none.",
            fix="Use method kprototypes for categories, or choose numbers.",
        )
    if other and settings.traits != ("auto",):
        warnings.append(f"{', '.join(other)}: no numbers, and left out. kprototypes takes categories, too.")
    warnings += too_many(chosen, "a mixture", "3 to 12")
    return chosen


def _whole(used: Sequence[Trait], learning: Learning) -> Learning:
    """Only those of whom all is known. Raises :class:`FitError` when they are too few to learn from."""
    whole = np.all([known(trait, learning) for trait in used], axis=0)
    if whole.sum() < min(_ENOUGH, len(whole) / 2):
        raise FitError(
            f"{learning.where}: of only {whole.sum():,} of {len(whole):,} customers all of these traits are known:"
            f" {', '.join(trait.name for trait in used)}.",
            why="A mixture learns from customers without gaps, since filled ones would be clouds of their own.",
            fix="Use method kprototypes, which leaves gaps out, or traits that are known of more customers.",
        )
    return learning.only(whole)


def _with_gaps(rule: Mixture, solution: mixtures.MixtureSolution, everybody: Learning) -> list[str]:
    """What becomes of those who have a gap, of whom the clouds were not learned."""
    there = np.array([known(everybody.specs[name], everybody) for name in rule.traits])
    gaps = ~there.all(axis=0)
    if not gaps.any():
        return []
    z = prepared(rule.prep, everybody.only(gaps).sample)
    factors, logs = solution.components.factors()
    away = (np.einsum("kij,nkj->nki", factors, z[:, None, :] - solution.components.means) ** 2).sum(axis=2)
    first = (away + logs - 2 * np.log(solution.components.proportions)).argmin(axis=1)
    limits = np.array([c.limit for c in rule.components])
    outside = np.sqrt(away[np.arange(len(z)), first]) > limits[first]
    weights = everybody.row_weights
    whole = 100 * weights[~gaps].sum() / weights.sum()
    told = [f"Learned from the {whole:.0f} % of the customers of whom all traits are known."]
    for rows, what in (
        (outside, "are unlike every cloud in the rest: they are placed as 'No data'."),
        (~outside, "are placed as if theirs were the median of the others."),
    ):
        share = weights[gaps][rows].sum() / weights.sum()
        if share >= _FEW:
            lacking = (~there[:, gaps][:, rows]).mean(axis=1)
            mostly = [name for name, of in zip(rule.traits, lacking, strict=True) if of >= _MOSTLY]
            named = " or ".join(mostly) or "value of some trait"
            told.append(f"{100 * share:.0f} % of the customers have no {named} and {what}")
    if len(told) > 1:
        name = rule.traits[int((~there).sum(axis=1).argmax())]
        told.append(
            f"Where a gap says something, as that nobody has bought yet, leave them out by `population: {name} is not"
            " null` and give them a segment of their own by rules."
        )
    return [" ".join(told)]


def _piles(traits: Sequence[str], solution: mixtures.MixtureSolution, learning: Learning) -> list[str]:
    """Values that so many customers share that a cloud is no picture of them, or of nobody else."""
    shared, alone, advice = list[str](), list[str](), ""
    mine = solution.labels == np.arange(solution.k)[:, None]
    for name in traits:
        values, weights = learning.numbers(name)
        levels, inverse = np.unique(values, return_inverse=True)
        held = np.bincount(inverse, weights)
        most = int(held.argmax())
        value, share, pile = repr(float(levels[most])).removesuffix(".0"), held[most] / weights.sum(), inverse == most
        within = max(weights[pile & of].sum() / weights[of].sum() for of in mine)
        if within >= _NEARLY_ALL > share:
            alone.append(name)
        if name in alone or share >= _PILE:
            shared.append(f"{name} is {value} for {100 * share:.0f} %")
            advice = advice or f"population: {name} <> {value}"
    if not shared:
        return []
    said = f" A segment is hardly anybody but who has this {' or '.join(alone)}, and says little more." if alone else ""
    return [
        f"{', '.join(shared)} of the customers learned from, and clouds picture values that spread.{said} Bands or "
        f"kprototypes may serve better; or leave them out by `{advice}` and give them a segment of their own by rules."
    ]


def _preparation(chosen: Sequence[Trait], learning: Learning, warnings: list[str]) -> tuple[Prep, ...]:
    prep: list[Prep] = []
    for trait in chosen:
        made = number(trait, learning)
        prep += made
        if not made:
            warnings.append(same_for_everybody(trait.name))
    require_difference(prep, chosen, learning)
    kept = redundant(prepared(prep, learning.sample), [p.trait for p in prep], learning.row_weights, warnings)
    return tuple(p for p, keep in zip(prep, kept, strict=True) if keep)


def _shape(rows: Numbers, learning: Learning, asked: int | None) -> mixtures.Shape:
    """The shape with the lowest BIC, on a part of the sample."""
    weights = learning.row_weights
    if len(rows) > _SHAPE_ROWS:
        rng = np.random.default_rng([learning.seed, _SHAPE_ROWS])
        drawn = np.sort(rng.choice(len(rows), _SHAPE_ROWS, replace=False))
        rows, weights = rows[drawn], weights[drawn]
    distinct = len(np.unique(rows, axis=0))
    ks = [k for k in ([asked] if asked else _SHAPE_KS) if k <= distinct]
    found = [mixtures.best_shape(rows, k, weights=weights, starts=10, seed=learning.seed) for k in ks]
    return min(found, key=lambda solution: solution.bic).shape if found else "diagonal"
