"""How far groups of people and segments go together: association, shares, and the four-fifths rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
FOUR_FIFTHS = 0.8  # Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR 1607.4 D
_LEAST_SHARE = 0.02  # the same, 1607.4 A: a group below 2 % is too small to compare


def cramers_v(table: ArrayLike, n: float) -> float:
    """Cramér's V of a table of summed weights, corrected for bias (Bergsma 2013), 0 to 1.

    ``n`` is the number of people that the table is worth: without weights their number, with weights sum(w)^2 /
    sum(w^2). Rows and columns that hold nobody do not count. O(cells).

    >>> cramers_v([[50, 0], [0, 50]], 100), cramers_v([[25, 25], [25, 25]], 100)
    (1.0, 0.0)
    """
    cells = np.asarray(table, dtype=np.float64)
    cells = cells[cells.sum(axis=1) > 0][:, cells.sum(axis=0) > 0]
    r, c = cells.shape
    if min(r, c) < 2 or n <= 1:
        return 0.0
    shares = cells / cells.sum()
    expected = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    phi2 = float(((shares - expected) ** 2 / expected).sum())
    phi2 = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    rows, columns = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    least = min(rows, columns) - 1
    return float(min(1.0, np.sqrt(phi2 / least))) if least > 0 else 0.0


def independence(table: ArrayLike) -> float:
    """The p value of Pearson's chi-square test that rows and columns of a table of counts are independent.

    Rows and columns that hold nobody do not count; of fewer than two it is 1.

    >>> round(independence([[10, 20], [20, 10]]), 4), independence([[5, 7], [0, 0]])
    (0.0098, 1.0)
    """
    from scipy.stats import chi2_contingency  # noqa: PLC0415 - most who ask for an association need no test

    cells = np.asarray(table, dtype=np.float64)
    cells = cells[cells.sum(axis=1) > 0][:, cells.sum(axis=0) > 0]
    if min(cells.shape) < 2:
        return 1.0
    return float(chi2_contingency(cells, correction=False).pvalue)


@dataclass(frozen=True)
class Rates:
    """How often the people of each group are in a segment.

    ``lowest`` and ``highest`` are indices of groups, ``low`` and ``high`` their rates. ``ratio`` is low over high.
    """

    lowest: int
    highest: int
    low: float
    high: float

    @property
    def ratio(self) -> float:
        return self.low / self.high

    @property
    def passes(self) -> bool:
        """The four-fifths rule: no group's rate is below four fifths of the highest."""
        return self.ratio >= FOUR_FIFTHS - 1e-9


def rates(table: ArrayLike, segment: int) -> Rates | None:
    """The rates of the groups (rows of the table) in a segment (a column); None with fewer than two groups to compare.

    Groups of under 2 % of all are left out.

    >>> rates([[30, 70], [18, 82]], 0).ratio
    0.6
    """
    cells = np.asarray(table, dtype=np.float64)
    people = cells.sum(axis=1)
    compared = np.flatnonzero(people >= max(_LEAST_SHARE * people.sum(), 1e-12))
    if len(compared) < 2 or not cells[compared, segment].any():
        return None
    found = cells[compared, segment] / people[compared]
    low, high = int(found.argmin()), int(found.argmax())
    return Rates(int(compared[low]), int(compared[high]), float(found[low]), float(found[high]))
