"""Weighted choices as lists: one entry per slot, so that a draw is looked up instead of compared.

``($slots::INTEGER[])[1 + draw_below(h, p, 1000)]`` is a choice with the weights of ``slot_list(weights)``. Several such
lists are laid end to end, and the number of the list times 1000 is added.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise

from segmentry.data.simulation.chance import SLOTS


def slot_list(weights: Iterable[float]) -> list[int]:
    """The choice, from 0, that each of SLOTS equally likely slots stands for.

    >>> [slot_list([3, 0, 1]).count(choice) for choice in range(3)]
    [750, 0, 250]
    """
    sums = list(accumulate(weights))
    ends = [0, *(round(SLOTS * total / sums[-1]) for total in sums)]
    return [choice for choice, (first, end) in enumerate(pairwise(ends)) for _ in range(first, end)]
