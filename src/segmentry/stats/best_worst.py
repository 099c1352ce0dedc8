"""Best-worst scaling (MaxDiff): what people want most and least, from which of a few items they choose.

Finn & Louviere (1992) for the task; Marley & Louviere (2005), "Some probabilistic models of best, worst, and best-worst
choices", for the sequential model: the best of the items shown is chosen by a multinomial logit of their utilities,
then the worst of the others by one of the utilities' negatives. Lipovetsky & Conklin (2014), "Best-worst scaling in
analytical closed-form solution", for scores from counts.

Equal choices from equal sets are one cell with a count, so that a million respondents cost what the design costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentry.errors import FitError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STEPS = 100
# Keeps an item that was always, or never, chosen at a finite utility; with 200 choices others move by less than 1e-4.
_RIDGE = 1e-3


@dataclass(frozen=True)
class BestWorst:
    """Utilities of the items to a population.

    Attributes:
        utilities: (p,) in logits, their sum 0; an item 1 above another is chosen as best e times as often.
        standard_errors: (p,) of the utilities, as if every choice were independent of the others.
        best, worst, shown: (p,) how often each item was chosen and shown.
        log_likelihood: of the choices.
        random_log_likelihood: of choices at random, to hold it against.
        choices: number of best and worst choices.
    """

    utilities: Floats
    standard_errors: Floats
    best: Floats
    worst: Floats
    shown: Floats
    log_likelihood: float
    random_log_likelihood: float
    choices: float

    @property
    def shares(self) -> Floats:
        """(p,) share of preference: how often each would be chosen as best if all were shown; their sum is 1."""
        raised = np.exp(self.utilities - self.utilities.max())
        shares: Floats = raised / raised.sum()
        return shares

    @property
    def fit(self) -> float:
        """McFadden's pseudo R²: 0 for choices at random, 1 for certain ones; .2 to .4 is an excellent fit."""
        return 1 - self.log_likelihood / self.random_log_likelihood

    @property
    def scores(self) -> Floats:
        """(p,) (best - worst) / shown, from -1 to 1: the counts themselves."""
        return count_scores(self.best, self.worst, self.shown)


def count_scores(best: ArrayLike, worst: ArrayLike, shown: ArrayLike) -> Floats:
    """(best - worst) / shown, from -1 to 1; NaN where an item was never shown.

    >>> count_scores([4, 0, 1], [0, 4, 1], [4, 4, 4]).tolist()
    [1.0, -1.0, 0.0]
    """
    chosen = np.asarray(best, dtype=np.float64) - np.asarray(worst, dtype=np.float64)
    times = np.asarray(shown, dtype=np.float64)
    return np.divide(chosen, times, out=np.full(times.shape, np.nan), where=times > 0)


def best_worst(shown: ArrayLike, best: ArrayLike, worst: ArrayLike, counts: ArrayLike | None = None) -> BestWorst:
    """Utilities by maximum likelihood of the sequential best-worst model.

    Args:
        shown: (c, p) whether each item was in the set of each cell.
        best, worst: (c,) index of the item chosen as best, and as worst.
        counts: (c,) how often this was chosen from this set, default 1.

    Raises:
        FitError: a choice of what was not shown, one item as best and worst, sets of fewer than two items, or items
            that are never shown beside the others.

    >>> found = best_worst([[True, True, True]] * 3, [0, 0, 1], [2, 1, 2], [60, 20, 20])
    >>> found.scores.tolist(), found.shares.round(2).tolist()
    ([0.8, 0.0, -0.8], [0.81, 0.15, 0.04])
    """
    sets, best_of, worst_of, count = _checked(shown, best, worst, counts)
    left = sets.copy()
    left[np.arange(len(sets)), best_of] = False
    p = sets.shape[1]
    utilities = np.zeros(p)
    for _ in range(_STEPS):
        gradient, information = _curvature(utilities, sets, left, best_of, worst_of, count)
        # Utilities are fixed but for a constant; adding 1 / p to all of the matrix sets it so that their sum is 0.
        move = np.linalg.solve(information + 1 / p, gradient)
        utilities = utilities + move * min(1.0, 2 / max(np.abs(move).max(), 1e-300))
        utilities -= utilities.mean()
        if np.abs(move).max() < 1e-8:
            break
    else:
        raise FitError("The utilities of the items do not settle.", fix="Look for items that are never chosen.")
    # Of the size of the information, and taken off with its ridge: with millions of choices 1 / p drowns the variances.
    size = np.trace(information) / p
    covariance = np.linalg.inv(information + size / p) - 1 / (p * (size + _RIDGE))
    ones = np.eye(p)
    return BestWorst(
        utilities=utilities,
        standard_errors=np.sqrt(covariance.diagonal()),
        best=ones[best_of].T @ count,
        worst=ones[worst_of].T @ count,
        shown=sets.T.astype(np.float64) @ count,
        log_likelihood=_likelihood(utilities, sets, left, best_of, worst_of, count),
        random_log_likelihood=_likelihood(np.zeros(p), sets, left, best_of, worst_of, count),
        choices=2 * float(count.sum()),
    )


def _curvature(
    utilities: Floats, sets: NDArray[np.bool_], left: NDArray[np.bool_], best: Ints, worst: Ints, count: Floats
) -> tuple[Floats, Floats]:
    """(p,) gradient of the log-likelihood and (p, p) information, both less a trace of a ridge."""
    ones = np.eye(len(utilities))
    gradient = -_RIDGE * utilities
    information = _RIDGE * ones
    for sign, options, chosen in ((1.0, sets, best), (-1.0, left, worst)):
        chance = _chances(sign * utilities, options)
        gradient = gradient + sign * ((ones[chosen] - chance).T @ count)
        information = information + np.diag(chance.T @ count) - (chance * count[:, None]).T @ chance
    return gradient, information


def _chances(utilities: Floats, options: NDArray[np.bool_]) -> Floats:
    """(c, p) probability of each item of each set."""
    logs = np.where(options, utilities, -np.inf)
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    chances: Floats = raised / raised.sum(axis=1, keepdims=True)
    return chances


def _likelihood(
    utilities: Floats, sets: NDArray[np.bool_], left: NDArray[np.bool_], best: Ints, worst: Ints, count: Floats
) -> float:
    at = np.arange(len(sets))
    return float(count @ (np.log(_chances(utilities, sets)[at, best]) + np.log(_chances(-utilities, left)[at, worst])))


def _checked(
    shown: ArrayLike, best: ArrayLike, worst: ArrayLike, counts: ArrayLike | None
) -> tuple[NDArray[np.bool_], Ints, Ints, Floats]:
    sets = np.asarray(shown, dtype=bool)
    best_of, worst_of = np.asarray(best, dtype=np.int64), np.asarray(worst, dtype=np.int64)
    count = np.ones(len(sets)) if counts is None else np.asarray(counts, dtype=np.float64)
    if sets.ndim != 2 or 0 in sets.shape or not len(sets) == len(best_of) == len(worst_of) == len(count):
        raise FitError(
            f"{len(sets)} sets, {len(best_of)} best and {len(worst_of)} worst choices, and {len(count)} counts.",
            why="Each cell is one set with its best, its worst and its count.",
        )
    at = np.arange(len(sets))
    choice = np.stack([best_of, worst_of])
    inside = (choice >= 0) & (choice < sets.shape[1])
    bad = ~inside.all(axis=0)
    bad[~bad] = ~(sets[at[~bad], best_of[~bad]] & sets[at[~bad], worst_of[~bad]]) | (best_of == worst_of)[~bad]
    if bad.any():
        raise FitError(
            f"{int(count[bad].sum())} choices are impossible (first in cell {int(bad.argmax()) + 1}).",
            why="Best and worst are two different items of those that were shown.",
            fix="Check that the design belongs to these answers.",
        )
    _require_connected(sets[count > 0])
    return sets, best_of, worst_of, count


def _require_connected(sets: NDArray[np.bool_]) -> None:
    """Raise FitError for items that no chain of sets compares."""
    together = (sets.T.astype(np.int64) @ sets.astype(np.int64)) > 0
    reached = np.zeros(sets.shape[1], dtype=bool)
    reached[0] = True
    for _ in range(sets.shape[1]):
        reached = reached | (together & reached).any(axis=1)
    if not reached.all():
        raise FitError(
            f"Item {int(reached.argmin()) + 1} is never shown beside item 1, nor beside what was.",
            why="Only items that are compared, be it through others, have utilities on one scale.",
            fix="Leave it out, or complete the design.",
        )
