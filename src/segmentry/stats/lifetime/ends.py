"""How a history may have ended: the customer is alive, or dropped out somewhere between the last purchase and now.

A likelihood of that form is alive(x, T) + tail(x, t_x) - tail(x, T), where tail(x, y) adds up all drop-outs after y. So
the costly tail is needed for the distinct (x, y) alone, of which there are far fewer than cells. The difference costs
no digits: tail(x, T), dropping out later than now, is part of alive(x, T) and so never exceeds it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentry.stats.lifetime.cells import Floats, Ints, distinct_pairs, tally


@dataclass(frozen=True)
class Pairs:
    """The distinct (x, y) of which a tail is needed.

    Attributes:
        x, y: the pairs, ascending. end: the largest T; no tail need reach beyond it.
        left, right: for each history, where its (x, t_x) and its (x, T) are.
    """

    x: Floats
    y: Floats
    left: Ints
    right: Ints
    end: float

    @classmethod
    def of(cls, x: Floats, t_x: Floats, observed: Floats) -> Pairs:
        """The pairs of some histories."""
        pair_x, pair_y, row = distinct_pairs(np.concatenate([x, x]), np.concatenate([t_x, observed]))
        return cls(pair_x, pair_y, row[: len(x)], row[len(x) :], float(observed.max()))

    def net(self, block: slice, gone: Floats, late: Floats) -> Floats:
        """The weight of the tail of each pair, in the sum over a block of histories."""
        size = len(self.x)
        return tally(self.left[block], gone, size) - tally(self.right[block], late, size)


@dataclass(frozen=True)
class Ends:
    """What a likelihood consists of.

    Attributes:
        log_sum: its logarithm. alive, gone, late: alive(x, T), tail(x, t_x) and tail(x, T) as shares of it.
    """

    log_sum: Floats
    alive: Floats
    gone: Floats
    late: Floats

    @classmethod
    def of(cls, pairs: Pairs, block: slice, log_alive: Floats, log_tail: Floats) -> Ends:
        """Of a block of histories: ``log_alive`` has one value for each of them, ``log_tail`` one for each pair."""
        log_gone, log_late = log_tail[pairs.left[block]], log_tail[pairs.right[block]]
        largest = np.maximum(log_alive, log_gone)
        alive, gone, late = (np.exp(part - largest) for part in (log_alive, log_gone, log_late))
        total = alive + (gone - late)
        return cls(largest + np.log(total), alive / total, gone / total, late / total)
