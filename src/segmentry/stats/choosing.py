"""How many segments: a panel of evidence for every number, and the default rule that reads it.

The words are those of Dolnicar & Leisch 2010. Segments are *natural* if customers form groups with gaps in between,
*reproducible* if the same segments come back in a new sample although there are no gaps, else *constructive*: a cut
that may be useful but is ours, not the customers'.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from segmentry.errors import FitError
from segmentry.stats.clustering import KMeansFinder
from segmentry.stats.descent import Floats, checked_weights
from segmentry.stats.finding import Finder, Solution, require_distinct
from segmentry.stats.gaps import Gaps, find_gaps
from segmentry.stats.stability import VALID, WORKERS, Progress, Resampling, measure, of_distinct, require_measurable

Structure = Literal["natural", "reproducible", "constructive"]

MIN_ARI = 0.8  # DESIGN section 7: the default rule
MIN_JACCARD = VALID
MIN_SHARE = 0.05
_AS_GOOD = 0.05  # two standard errors of a mean ARI over 20 pairs

INTERACTIVE = Resampling(pairs=20, more=30)
_KMEANS = KMeansFinder()


@dataclass(frozen=True)
class Option:
    """The evidence on one number of segments.

    Attributes:
        solution: the best solution on the rows of the panel, with its loss and replications.
        ari: (pairs,) adjusted Rand index of each pair of bootstrap solutions.
        jaccard: (k,) for each segment of the solution, the mean over the samples of the best Jaccard index.
        gaps: how empty the borders between the segments are.
        least_share: share of all customers from which a segment is large enough to serve.
    """

    solution: Solution
    ari: Floats
    jaccard: Floats
    gaps: Gaps
    least_share: float = MIN_SHARE

    @property
    def k(self) -> int:
        """Number of segments."""
        return self.solution.k

    @property
    def mean_ari(self) -> float:
        """Global stability: mean adjusted Rand index."""
        return float(self.ari.mean())

    @property
    def smallest_share(self) -> float:
        """Weight of the smallest segment as a share of all, 0 to 1."""
        return float(self.solution.sizes.min() / self.solution.sizes.sum())

    @property
    def min_jaccard(self) -> float:
        """Stability of the least stable segment."""
        return float(self.jaccard.min())

    @property
    def failures(self) -> tuple[str, ...]:
        """Why the default rule rejects this number; empty if it passes."""
        failed = []
        if self.mean_ari < MIN_ARI:
            found = math.floor(100 * self.mean_ari) / 100  # never rounded up to the limit
            failed.append(
                f"new samples give too different segments (mean agreement, ARI, {found:.2f}; {MIN_ARI} is the least)"
            )
        if self.min_jaccard < MIN_JACCARD:
            weak = int((self.jaccard < MIN_JACCARD).sum())
            found = math.floor(100 * self.min_jaccard) / 100
            least = f"lowest Jaccard index {found:.2f}; {MIN_JACCARD} is the least"
            verb = "does" if weak == 1 else "do"
            failed.append(f"{weak} of {self.k} segments {verb} not come back in new samples ({least})")
        if self.smallest_share < self.least_share:
            failed.append(f"the smallest segment is too small ({self.smallest_share:.1%} < {self.least_share:.0%})")
        return tuple(failed)


@dataclass(frozen=True)
class Panel:
    """The evidence on every number of segments, from the same rows and the same bootstrap samples.

    Attributes:
        options: one per number of segments, ascending.
        left_out: numbers of segments that the rows cannot fill: they hold fewer different combinations of values.
        rows: rows that were used, of_rows: rows that were given.
        how: pairs, starts and seed of the stability.
    """

    options: tuple[Option, ...]
    left_out: tuple[int, ...]
    rows: int
    of_rows: int
    how: Resampling


@dataclass(frozen=True)
class Verdict:
    """What the default rule makes of a panel.

    Attributes:
        k: the number of segments to take; with a constructive structure a mere proposal.
        structure: "natural", "reproducible" or "constructive".
        sentence: the same for a manager.
        passed: the numbers of segments that pass the rule. natural: those of them with gaps between all segments.
    """

    k: int
    structure: Structure
    sentence: str
    passed: tuple[int, ...]
    natural: tuple[int, ...]


def panel(
    x: ArrayLike,
    ks: Iterable[int] = range(2, 9),
    *,
    finder: Finder[Any] = _KMEANS,
    weights: ArrayLike | None = None,
    how: Resampling = INTERACTIVE,
    max_rows: int = 3_000,
    progress: Progress | None = None,
) -> Panel:
    """Collect the evidence on several numbers of segments.

    Args:
        x: (n, p) the table, n at least 10; for k-means complete numbers on comparable scales.
        ks: numbers of segments to consider, each at least 2.
        finder: how segments are found, by default k-means.
        weights: (n,) customers per row, default 1.
        how: pairs of bootstrap samples, starts and seed. The default of 20 pairs knows a mean ARI to
            about .03; where that is too little for the limit, 30 more are drawn.
        max_rows: of a larger table this many rows are drawn; the stability is then that of a sample of this size.
        progress: called with (steps done, steps in all).

    Raises:
        FitError: fewer than 10 rows, values that the finder cannot work on, or fewer distinct rows than the smallest k.

    For k-means O(pairs starts iterations u p sum(ks)) for u distinct rows.
    """
    wanted = sorted(set(ks))
    if not wanted or wanted[0] < 2:
        raise FitError(f"Numbers of segments to consider: {wanted}.", why="Give at least one, each at least 2.")
    of_rows = len(np.asarray(x))
    rows, weight = bounded(x, weights, max_rows, how.seed)
    data = finder.table(rows, weight)
    most = finder.most(data)
    if most < wanted[0]:
        require_distinct(data, wanted[0])
    used = [k for k in wanted if k <= most]
    require_measurable(data, used, how)
    steps, total = itertools.count(1), 2 * len(used) + 2 * (how.pairs + how.more)

    def tick(*_: int) -> None:
        if progress is not None:
            progress(next(steps), total)

    def solve(k: int) -> Solution:
        found: Solution = finder.solve(rows, weight, k, how.starts, how.seed)
        return found

    points = finder.space(rows)

    def gaps_of(k: int) -> Gaps:
        return find_gaps(points, solutions[k].labels, k, weight, np.random.default_rng([how.seed, k]))

    solutions: dict[int, Solution] = {}
    with ThreadPoolExecutor(WORKERS) as pool:  # every k has chance of its own, so threads change nothing
        for k, solution in zip(used, pool.map(solve, used), strict=True):
            solutions[k] = solution
            tick()
    labels = {k: of_distinct(data, solutions[k]) for k in used}
    ari, jaccard = measure(finder, data, used, labels, how, tick)
    close = [k for k in used if how.more and _too_close(ari[k])]
    if close:
        again = measure(finder, data, close, {k: labels[k] for k in close}, how, tick, further=True)
        for k in close:
            ari[k] = np.concatenate([ari[k], again[0][k]])
            jaccard[k] = (how.pairs * jaccard[k] + how.more * again[1][k]) / (how.pairs + how.more)
    options = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for k, gaps in zip(used, pool.map(gaps_of, used), strict=True):
            options.append(Option(solutions[k], ari[k], jaccard[k], gaps))
            tick()
    if progress is not None and next(steps) <= total:  # further pairs that were not needed
        progress(total, total)
    left_out = tuple(k for k in wanted if k > most)
    return Panel(tuple(options), left_out, len(rows), of_rows, how)


def _too_close(ari: Floats) -> bool:
    """Whether the mean is within two standard errors of the limit."""
    return abs(float(ari.mean()) - MIN_ARI) < 2 * float(ari.std()) / len(ari) ** 0.5


def bounded(x: ArrayLike, weights: ArrayLike | None, max_rows: int, seed: int) -> tuple[Floats, Floats]:
    """The rows and weights that a panel works on: all, or a draw of them."""
    rows = np.asarray(x, dtype=np.float64)
    weight = checked_weights(weights, len(rows))
    if len(rows) <= max_rows:
        return rows, weight
    drawn = np.sort(np.random.default_rng([seed, max_rows]).choice(len(rows), max_rows, replace=False))
    return rows[drawn], weight[drawn]


def decide(evidence: Panel) -> Verdict:
    """The default rule: the largest k with mean ARI at least .8, every Jaccard at least .75, no segment under 5 %.

    A k that passes is natural if there are also gaps between all of its segments. If none passes, the structure is
    constructive; among the ks without a segment under 5 % the proposal is the smallest whose mean ARI is within .05 of
    the highest.
    """
    options = {option.k: option for option in evidence.options}
    passed = tuple(k for k, option in options.items() if not option.failures)
    natural = tuple(k for k in passed if options[k].gaps.real)
    if not passed:
        k = _proposal(evidence)
        return Verdict(k, "constructive", _constructive(evidence, k), passed, natural)
    k = passed[-1]
    if k in natural:
        return Verdict(k, "natural", _natural(options[k]), passed, natural)
    return Verdict(k, "reproducible", _reproducible(k, natural), passed, natural)


def _proposal(evidence: Panel) -> int:
    useful = [option for option in evidence.options if option.smallest_share >= option.least_share] or evidence.options
    best = max(option.mean_ari for option in useful)
    return min(option.k for option in useful if option.mean_ari >= best - _AS_GOOD)


def _natural(option: Option) -> str:
    return (
        f"The {option.k} segments are natural: the same ones come back when customers are sampled anew, and there are"
        f" gaps between them (midway between the closest two live {100 * option.gaps.border:.0f} customers for every"
        " 100 around a centre)."
    )


def _reproducible(k: int, natural: tuple[int, ...]) -> str:
    sentence = (
        f"The {k} segments are reproducible: the same ones come back when customers are sampled anew. But there are no"
        " clear gaps between all of them, so customers on either side of a border can be much alike."
    )
    return sentence + (f" The coarser cut into {natural[-1]} has natural gaps." if natural else "")


def _constructive(evidence: Panel, k: int) -> str:
    considered = [option.k for option in evidence.options]
    alone = len(considered) == 1
    numbers = f"{k}" if alone else f"{considered[0]} to {considered[-1]}"
    proposal = "" if alone else f" {k} are proposed as a simple cut that is about as repeatable as any."
    return (
        f"Nothing better than a constructive cut is to be had with {numbers} segments: none of useful sizes comes back"
        f" reliably when customers are sampled anew.{proposal} Use the segments to divide the work, not as groups that"
        " customers form by themselves."
    )
