"""Why a customer is in its segment and what would move it, and what all rules tell alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

BEYOND = 1e150  # infinities and NaN (which all engines order last) count as not known
_MOST = 5  # reasons and changes that are told


@dataclass(frozen=True)
class Reason:
    """One reason why a customer is where it is.

    ``weight`` is the share of the decision it carries, 0 to 1, where the rule can tell.
    """

    trait: str
    value: object
    text: str
    weight: float | None = None


@dataclass(frozen=True)
class Move:
    """One change of one trait that would move the customer to another segment."""

    trait: str
    value: object
    needed: object
    segment_index: int
    text: str


@dataclass(frozen=True)
class Why:
    """Why a customer is in its segment, and the smallest single changes that would move it."""

    reasons: tuple[Reason, ...]
    moves: tuple[Move, ...]


def words(name: str) -> str:
    """The name of a trait for people."""
    return name.replace("_", " ")


def figure(value: float) -> str:
    """A number for people: no decimals above 100, two otherwise, none when whole."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.2f}"


def not_known(row: Mapping[str, Any], traits: Iterable[str]) -> Why:
    """Why a customer has no data: the traits of a rule that are not known."""
    return Why(tuple(no_value(t, row.get(t)) for t in traits if not is_known(row.get(t))), ())


def is_known(value: object) -> bool:
    """Whether a value counts as known: infinities and NaN do not, and what is nearly as large."""
    return value is not None and not (isinstance(value, float) and not abs(value) < BEYOND)


def no_value(trait: str, value: object, instead: str = "") -> Reason:
    """The reason for a trait that counts as not known; ``instead`` says as what it counts, where it does."""
    text = f"{words(trait)} is not known" if value is None else f"{words(trait)} is {value}, which counts as not known"
    return Reason(trait, value, f"{text}; {instead}" if instead else text)


def weighed(pull: Mapping[int, float], told: Callable[[int, float], Reason]) -> tuple[Reason, ...]:
    """The reasons that speak for a decision, the weightiest first.

    ``pull`` is what each piece of the decision adds to it (or takes from it, below 0); ``told`` makes the reason of a
    piece from its number and its share of all pulls.
    """
    total = sum(abs(p) for p in pull.values()) or 1.0
    speaking = sorted((j for j, p in pull.items() if p > 0), key=lambda j: -pull[j])
    return tuple(told(j, pull[j] / total) for j in speaking[:_MOST])


def by_score(
    scores: list[float],
    own: int | None,
    *,
    pull: Callable[[int, int], list[float]],
    reason: Callable[[int, float, int], Reason],
    moves: Callable[[int, int], list[Move]],
) -> Why:
    """Why a customer is in a segment, where the lowest of some scores decides.

    Args:
        scores: one per segment. own: the segment, or None where the customer fits nowhere: the closest is told of.
        pull: what each piece of the score takes off that of a segment (first) compared with another (second).
        reason: the reason of a piece, from its number, its weight and the segment.
        moves: the changes that lead from a segment (first) to another (second).
    """
    order = sorted(range(len(scores)), key=lambda k: scores[k])
    here = order[0] if own is None else own
    others = [k for k in order if k != here]
    if not others:
        return Why((), ())
    pulls = dict(enumerate(pull(here, others[0])))
    found = [move for other in others for move in moves(here, other)]
    return Why(weighed(pulls, lambda j, weight: reason(j, weight, here)), tuple(found[:_MOST]))
