"""Distances on the sphere, on small arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
EARTH_KM = 6371.0088  # mean radius of the earth (IUGG 1980)
_MOST_AT_ONCE = 4_000_000  # distances in memory


def great_circle_km(first: Numbers, second: Numbers) -> Numbers:
    """Distances in kilometres, (n, m), of n and m places given as (latitude, longitude) in degrees.

    >>> round(float(great_circle_km(np.array([[0.0, 0.0]]), np.array([[0.0, 180.0]]))[0, 0]), 1)
    20015.1
    """
    a, b = np.radians(first)[:, None, :], np.radians(second)[None, :, :]
    up, along = np.sin((b[..., 0] - a[..., 0]) / 2), np.sin((b[..., 1] - a[..., 1]) / 2)
    half = up * up + np.cos(a[..., 0]) * np.cos(b[..., 0]) * along * along
    found: Numbers = 2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return found


def near_cells(corners: Numbers, places: Numbers) -> list[tuple[int, int]]:
    """Of each cell of one degree, given by its south-west corner, the places that can be nearest to a point in it.

    Gives (cell, place) by number. A place is left out when it is farther from the middle of the cell than the nearest
    one by more than twice the radius of the cell (triangle inequality).
    """
    middles = corners + 0.5
    # No point of a cell is farther from its middle than a corner; one per cent more for rounding.
    reach = np.maximum.reduce([_distance(middles, corners + np.array(at)) for at in ((0, 0), (0, 1), (1, 0), (1, 1))])
    step = max(1, _MOST_AT_ONCE // max(1, len(places)))
    found: list[tuple[int, int]] = []
    for start in range(0, len(corners), step):
        far = great_circle_km(middles[start : start + step], places)
        limit = far.min(axis=1) + 2.02 * reach[start : start + step]
        rows, columns = np.nonzero(far <= limit[:, None])
        found += [(start + int(i), int(j)) for i, j in zip(rows, columns, strict=True)]
    return found


def _distance(first: Numbers, second: Numbers) -> Numbers:
    return np.array([great_circle_km(a[None, :], b[None, :])[0, 0] for a, b in zip(first, second, strict=True)])
