"""Maximum likelihood: several starts, a quick search, Newton's last steps, standard errors, and a verdict.

Parameters are positive, so everything happens in their logarithms: no bounds, and errors that are relative. A model
whose likelihood has no maximum inside is not fitted, whatever an optimiser would return: the verdict says which
parameter runs away and what that means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from segmentry.errors import FitError, UsageError
from segmentry.stats.lifetime.cells import Floats

# (logarithms of the parameters) -> (log-likelihood, its gradient in those logarithms)
LogLikelihood = Callable[[Floats], tuple[float, Floats]]

MANY_CELLS = 4_000  # beyond, a search begins on so many customers
_FAR = 12.0  # of a logarithm: a search goes no further from what the data suggest
_RUN_AWAY = 11.5  # a parameter 100,000 times larger or smaller has run away
_FLAT = 4.0  # standard error of a logarithm: the 95 % interval spans a factor of six million
_STEP = 1e-5  # of a logarithm: differences of an exact gradient err by about as much, standard errors by half of it
_DECREMENT = 1e-9  # what one more Newton step would add to the log-likelihood, for each 1e6 of it at most
_TAKES_PART = 0.3  # of a direction of length 1
_CLOSE = 1e-4  # what a step would add to the log-likelihood when Newton's method takes over
_NEWTON = 25


@dataclass(frozen=True)
class Estimate:
    """What a fit tells beside the parameters.

    Attributes:
        log_likelihood: at its maximum, over all customers.
        covariance: of the logarithms of the parameters, in their order: the inverse of the observed information.
        customers: how many were fitted on. cells: in how many distinct histories.
    """

    log_likelihood: float
    covariance: tuple[tuple[float, ...], ...]
    customers: float
    cells: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return {
            "log_likelihood": self.log_likelihood,
            "covariance_of_logarithms": [list(row) for row in self.covariance],
            "customers": self.customers,
            "cells": self.cells,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Estimate:
        """What ``to_dict`` wrote."""
        covariance = tuple(tuple(float(v) for v in row) for row in given["covariance_of_logarithms"])
        return cls(float(given["log_likelihood"]), covariance, float(given["customers"]), int(given["cells"]))


@dataclass(frozen=True)
class Search:
    """Where to look for a maximum.

    Attributes:
        model: its name, for messages.
        starts: (parameter -> value) each; their medians say which magnitudes are usual.
        runs_away: (parameter, "0" or "infinity") -> what it means if it runs there.
        coarse: the likelihood of some of the customers, with which the search begins; None where there are few cells.
        part: share of the customers in it.
    """

    model: str
    starts: Sequence[Mapping[str, float]]
    runs_away: Mapping[tuple[str, str], str]
    coarse: LogLikelihood | None = None
    part: float = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters, in their order."""
        return tuple(self.starts[0])

    @property
    def centre(self) -> Floats:
        """Logarithms of usual magnitudes."""
        return np.median(self._logs, axis=0)

    def far(self, found: Floats) -> NDArray[np.bool_]:
        """Which parameters have run away."""
        return np.abs(found - self.centre) > _RUN_AWAY

    @property
    def _logs(self) -> Floats:
        return np.log([[start[name] for name in self.names] for start in self.starts])


def maximise(likelihood: LogLikelihood, search: Search, customers: float, cells: int) -> tuple[list[float], Estimate]:
    """The parameters of the largest likelihood, and how well they are known.

    Raises :class:`FitError` if the data do not determine them.
    """
    found = _best_start(search.coarse or likelihood, search)
    if search.coarse is not None:
        # some of the customers may not tell what all of them do
        lost = search.far(found).any()
        found = _best_start(likelihood, search) if lost else _approach(likelihood, search.coarse, search.part, found)
    _refuse_far(found, search, customers)
    found, value, information = _newton(likelihood, found, search, customers)
    _refuse_far(found, search, customers)
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    _refuse_flat(covariance, search, customers)
    rows = tuple(tuple(float(v) for v in row) for row in covariance)
    return [float(v) for v in np.exp(found)], Estimate(float(value), rows, float(customers), cells)


def _best_start(likelihood: LogLikelihood, search: Search) -> Floats:
    return max((_climb(likelihood, start, search.centre) for start in search._logs), key=lambda at: at[1])[0]


def _climb(likelihood: LogLikelihood, start: Floats, centre: Floats) -> tuple[Floats, float]:
    """Up from a start, to a maximum or to where a parameter has run away."""
    scale = max(1.0, abs(likelihood(start)[0]))

    def down(at: Floats) -> tuple[float, Floats]:
        inside = np.clip(at, centre - _FAR, centre + _FAR)
        value, slope = likelihood(inside)
        return -value / scale, np.where(at == inside, -slope / scale, 0.0)

    # Not L-BFGS-B: it wakes the threads of the linear algebra, which costs three times the work on few cells.
    result = minimize(down, start, jac=True, method="BFGS", options={"gtol": 1e-6})
    return np.clip(result.x, centre - _FAR, centre + _FAR), -float(result.fun) * scale


def _approach(likelihood: LogLikelihood, coarse: LogLikelihood, part: float, at: Floats) -> Floats:
    """From the maximum of some of the customers to that of all of them, one evaluation a step.

    Some have nearly the curvature of all, which is what costs most to measure. Newton's method then begins closer.
    """
    value, slope = likelihood(at)
    curvature = _information(coarse, at) / part
    for _ in range(_NEWTON):
        if np.linalg.eigvalsh(curvature)[0] <= 0:
            return at
        step = np.linalg.solve(curvature, slope)
        if slope @ step / 2 <= _CLOSE or np.abs(step).max() > 1:
            return at
        reached, there = likelihood(at + step)
        if reached < value:
            return at
        at, value, slope = at + step, reached, there
    return at


def _newton(likelihood: LogLikelihood, at: Floats, search: Search, customers: float) -> tuple[Floats, float, Floats]:
    """The maximum, its value, and the observed information there."""
    value, slope = likelihood(at)
    for _ in range(_NEWTON):
        information = _information(likelihood, at, slope)
        eigenvalues, axes = np.linalg.eigh(information)
        # where the likelihood is not concave yet, go up along the axis all the same
        step = axes @ ((axes.T @ slope) / np.maximum(np.abs(eigenvalues), 1e-8 * np.abs(eigenvalues).max()))
        step *= min(1.0, 2.0 / np.abs(step).max()) if step.any() else 1.0
        if slope @ step / 2 <= _DECREMENT * max(1.0, abs(value) / 1e6) and eigenvalues[0] > 0:
            return at + step, likelihood(at + step)[0], information  # the last step is worth a few more digits
        at, value, slope = _uphill(likelihood, at, step, value)
    along = " and ".join(n for n, part in zip(search.names, axes[:, 0], strict=True) if abs(part) > _TAKES_PART)
    raise _not_identified(search, customers, f"The likelihood goes on rising slowly with {along}: no values are best.")


def _uphill(likelihood: LogLikelihood, at: Floats, step: Floats, value: float) -> tuple[Floats, float, Floats]:
    """The step, or as much of it as does not lead down."""
    for share in (1.0, 0.5, 0.25, 0.1, 0.01):
        there = at + share * step
        reached, slope = likelihood(there)
        if reached >= value - 1e-12 * abs(value) - 1e-9:  # rounding is no descent
            return there, reached, slope
    return there, reached, slope


def _information(likelihood: LogLikelihood, at: Floats, slope: Floats | None = None) -> Floats:
    """Minus the second derivatives of the log-likelihood; ``slope`` is the first at the point, if it is known."""
    here = likelihood(at)[1] if slope is None else slope
    rows = np.array([here - likelihood(at + aside)[1] for aside in _STEP * np.eye(len(at))]) / _STEP
    return (rows + rows.T) / 2


# The verdict ----------------------------------------------------------------------------------------------------------


def _refuse_far(found: Floats, search: Search, customers: float) -> None:
    far = search.far(found)
    if far.any():
        ways = [
            (name, "infinity" if value > usual else "0")
            for name, value, usual, is_far in zip(search.names, found, search.centre, far, strict=True)
            if is_far
        ]
        told = ", ".join(f"{name} to {where}" for name, where in ways)
        meaning = "".join(dict.fromkeys(" " + search.runs_away[way] for way in ways if way in search.runs_away))
        raise _not_identified(search, customers, f"The likelihood has no maximum, it rises with {told}.{meaning}")


def _refuse_flat(covariance: Floats, search: Search, customers: float) -> None:
    errors = np.sqrt(np.diag(covariance))
    flat = [name for name, error in zip(search.names, errors, strict=True) if error > _FLAT]
    if flat:
        named = " and ".join(flat)
        raise _not_identified(search, customers, f"Any value of {named} over many orders of magnitude fits as well.")


def _not_identified(search: Search, customers: float, why: str) -> FitError:
    return FitError(
        f"The histories of {customers:,.0f} {'customer' if customers == 1 else 'customers'} do not determine the "
        f"{search.model} model.",
        why=why,
        fix="Use a longer history or more customers, or work without this model: no setting makes it trustworthy.",
    )


def normal_quantile(level: float) -> float:
    """How many standard errors an interval of this level reaches to either side."""
    if not 0 < level < 1:
        raise UsageError(f"level is {level}.", why="It is a share between 0 and 1, such as 0.95.")
    return NormalDist().inv_cdf((1 + level) / 2)
