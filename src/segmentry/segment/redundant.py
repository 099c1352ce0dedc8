"""Traits that say the same twice: left out where they are copies, told where they are nearly so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from segmentry.segment.fitting import Numbers

COPY = 0.999  # correlation from which one trait is the other on another scale
NEAR = 0.9  # from here on both together count nearly double
_FLAT = 1e-6  # of the smallest eigenvalue of the correlations: one of the traits follows from the others


def redundant(data: Numbers, names: Sequence[str], weights: Numbers, warnings: list[str]) -> npt.NDArray[np.bool_]:
    """(p,) which columns of the prepared numbers (n, p) to keep: of copies the first.

    What is left out, and what nearly is a copy, is added to ``warnings``.
    """
    kept = np.ones(data.shape[1], dtype=bool)
    if data.shape[1] < 2:
        return kept
    correlations = _correlations(data, weights)
    for j in range(1, data.shape[1]):
        strength, twin = max((abs(correlations[i, j]), -i) for i in range(j) if kept[i])
        if strength >= COPY:
            kept[j] = False
            warnings.append(
                f"{names[j]} says the same as {names[-twin]} (they rise and fall together) and was left out."
            )
        elif strength >= NEAR:
            warnings.append(
                f"{names[j]} and {names[-twin]} are much alike (correlation {correlations[-twin, j]:.2f}): what they"
                " have in common counts double. Consider leaving one out."
            )
    left = correlations[np.ix_(kept, kept)]
    if len(left) > 2 and np.linalg.eigvalsh(left)[0] < _FLAT:
        warnings.append("One of the traits follows from the others, such as a sum from its parts: leave one out.")
    return kept


def _correlations(data: Numbers, weights: Numbers) -> Numbers:
    centred = data - np.average(data, axis=0, weights=weights)
    covariances = (centred * weights[:, None]).T @ centred
    spread = np.sqrt(np.diag(covariances))
    found: Numbers = covariances / np.outer(spread, spread)
    return found
