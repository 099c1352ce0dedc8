"""Opportunity scores: how important a need is to a group, plus what satisfaction with it falls short of that.

Ulwick (2002), "Turn customer input into innovation", Harvard Business Review 80(1): importance + max(importance -
satisfaction, 0), both from 0 to 10. Ulwick counts the share who rate high; here both are means over those who rated
both, so that small groups are not thrown about by one answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from segmentry.errors import FitError

_CONFIDENCE = 0.95
_MOST = 20.0  # importance 10, satisfaction 0


@dataclass(frozen=True)
class Opportunity:
    """Mean importance and satisfaction (0 to 10) of ``n`` people, the score (0 to 20) and its 95 % interval."""

    n: int
    importance: float
    satisfaction: float
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Sums:
    """Sums over the ``n`` people who rated both: of importance, of satisfaction, of their squares, of the products."""

    n: int
    importance: float
    satisfaction: float
    importance_squared: float
    satisfaction_squared: float
    product: float


def opportunity(sums: Sums) -> Opportunity:
    """The score of a group and its interval (delta method, Student's t).

    Raises:
        FitError: fewer than two people.

    >>> found = opportunity(Sums(4, 32, 16, 260, 72, 130))
    >>> found.importance, found.satisfaction, found.score, round(found.low, 2), round(found.high, 2)
    (8.0, 4.0, 12.0, 8.33, 15.67)
    """
    from scipy.special import stdtrit  # noqa: PLC0415

    n = sums.n
    if n < 2:
        raise FitError(f"An opportunity score of {n} people has no interval.", why="It needs two or more.")
    important, satisfied = sums.importance / n, sums.satisfaction / n
    # The score is 2 I - S where satisfaction falls short, else I.
    short = important > satisfied
    spread = _spread(sums.importance_squared, sums.importance, sums.importance, n)
    if short:
        spread = (
            4 * spread
            + _spread(sums.satisfaction_squared, sums.satisfaction, sums.satisfaction, n)
            - 4 * _spread(sums.product, sums.importance, sums.satisfaction, n)
        )
    score = important + max(important - satisfied, 0.0)
    half = float(stdtrit(n - 1, (1 + _CONFIDENCE) / 2)) * sqrt(max(spread, 0.0) / n)
    return Opportunity(n, important, satisfied, score, max(score - half, 0.0), min(score + half, _MOST))


def _spread(products: float, left: float, right: float, n: int) -> float:
    """The covariance from sums."""
    return (products - left * right / n) / (n - 1)
