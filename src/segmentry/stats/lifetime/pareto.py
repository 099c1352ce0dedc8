"""Pareto/NBD: customers buy at random at a rate of their own until, at some moment of their own, they drop out.

Schmittlein, Morrison & Colombo 1987, "Counting your customers", Management Science 33(1); symbols as in Fader & Hardie
2005, "A note on deriving the Pareto/NBD model". Purchases of a living customer are Poisson with rate lambda ~ Gamma(r,
alpha), its lifetime is exponential with rate mu ~ Gamma(s, beta). The likelihood of a history is

    Gamma(r+x)/Gamma(r) alpha^r beta^s [ (alpha+T)^-(r+x) (beta+T)^-s + s (J(t_x) - J(T)) ],
    J(y) = int_y^end (alpha+u)^-(r+x) (beta+u)^-(s+1) du,

with any end after T. Papers write J with end = infinity as a 2F1, whose series fails for many purchases or unlike alpha
and beta. We integrate: over v = log(u + min(alpha, beta)) the integrand is log-concave and analytic, so 48
Gauss-Legendre nodes on the stretch where it has not vanished give eleven digits or more; tests hold it against 30-digit
values. The derivatives are integrals over the same nodes. J depends on (x, t_x) or (x, T) alone, so it is computed for
far fewer pairs than there are cells. Nothing cancels in J(t_x) - J(T): s J(T) never exceeds the term before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.special import digamma, gammaln

from segmentry.stats.lifetime.beta_geo import require_repeaters
from segmentry.stats.lifetime.buying import RATES_RUN_AWAY, BuyingModel
from segmentry.stats.lifetime.cells import Cells, Floats
from segmentry.stats.lifetime.ends import Ends, Pairs
from segmentry.stats.lifetime.estimate import LogLikelihood

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
_VANISHED = 42.0  # exp(-42) is below the last digit
_PAIRS = 4096  # that are worked on at once, with all nodes

_RUNS_AWAY: Mapping[tuple[str, str], str] = {
    ("s", "0"): "Nobody is seen to drop out: everyone goes on buying.",
    ("s", "infinity"): "All customers drop out at the same rate.",
    ("beta", "0"): "Nearly everyone who drops out does so at once.",
    **RATES_RUN_AWAY,
}


@dataclass(frozen=True)
class ParetoNbd(BuyingModel):
    """Pareto/NBD: a customer may drop out at any moment.

    Attributes:
        r, alpha: shape and rate of the gamma distribution of purchase rates; alpha in units of time.
        s, beta: shape and rate of the gamma distribution of drop-out rates; beta in units of time.
    """

    kind: ClassVar[str] = "Pareto/NBD"

    r: float
    alpha: float
    s: float
    beta: float

    @classmethod
    def fit_cells(cls, cells: Cells) -> Self:
        """Fit on cells."""
        require_repeaters(cells)
        rate, typical = cells.purchases / cells.observed, cells.observed / cells.customers
        starts = [
            {"r": r, "alpha": r / rate, "s": s, "beta": b * typical}
            for r, s, b in ((0.5, 0.5, 0.4), (1.0, 1.0, 1.0), (3.0, 0.3, 0.3))
        ]
        return cls._climbed(cells, starts, _RUNS_AWAY)

    @classmethod
    def log_likelihood(cls, cells: Cells) -> LogLikelihood:
        """The log-likelihood of the parameters and its slope, both in their logarithms."""
        pairs = Pairs.of(*(level.values[level.index] for level in (cells.x, cells.t_x, cells.T)))
        x = cells.x.values
        at_x = cells.x.total(cells.n)

        def value(logs: Floats) -> tuple[float, Floats]:
            r, alpha, s, beta = np.exp(logs)
            total = (at_x * (gammaln(r + x) - gammaln(r))).sum() + cells.customers * (r * logs[1] + s * logs[3])
            slope = cells.customers * np.array([logs[1], r / alpha, logs[3], s / beta])
            slope[0] += (at_x * (digamma(r + x) - digamma(r))).sum()
            log_j, by = _log_tail(pairs, r, alpha, s, beta)
            for block in cells.blocks():
                n, shape, observed = cells.n[block], r + pairs.x[pairs.right[block]], pairs.y[pairs.right[block]]
                log_alive = -shape * np.log(alpha + observed) - s * np.log(beta + observed)
                ends = Ends.of(pairs, block, log_alive, logs[2] + log_j)
                total += (n * ends.log_sum).sum()
                seen, gone, late = n * ends.alive, n * ends.gone, n * ends.late
                slope[0] -= (seen * np.log(alpha + observed)).sum()
                slope[1] -= (seen * shape / (alpha + observed)).sum()
                slope[2] += ((gone - late) / s - seen * np.log(beta + observed)).sum()
                slope[3] -= (seen * s / (beta + observed)).sum()
                slope += (by * pairs.net(block, gone, late)).sum(axis=1)
            return float(total), slope * (r, alpha, s, beta)

        return value

    def _p_alive(self, x: Floats, t_x: Floats, observed: Floats) -> Floats:
        pairs = Pairs.of(x, t_x, observed)
        log_j, _ = _log_tail(pairs, self.r, self.alpha, self.s, self.beta)
        log_alive = -(self.r + x) * np.log(self.alpha + observed) - self.s * np.log(self.beta + observed)
        return Ends.of(pairs, slice(None), log_alive, math.log(self.s) + log_j).alive

    def _new_customers(self, time: Floats) -> Floats:
        return self.r / self.alpha * _lifetime(self.s, self.beta, time)

    def _living_buy(self, time: float, x: Floats, observed: Floats) -> Floats:
        # The integral of the density of the next purchase times the chance to be there still, over
        # w = (r+x) log(1 + u/(alpha+T)), in which the density is e^-w.
        shape, scale = self.r + x, self.alpha + observed
        longest = np.minimum(shape * np.log1p(time / scale), _VANISHED)
        w = longest[:, None] * _NODES
        grown = np.expm1(w / shape[:, None]) * (scale / (self.beta + observed))[:, None]
        return longest * np.einsum("ij,j->i", np.exp(-w - self.s * np.log1p(grown)), _WEIGHTS)

    def _living(self, horizon: float, rate: float, x: Floats, observed: Floats) -> Floats:
        ages, index = np.unique(observed, return_inverse=True)
        if rate == 0:
            alive_for = _lifetime(self.s, self.beta + ages, horizon)
        else:
            alive_for = _discounted_lifetime(self.s, self.beta + ages, horizon, rate)
        return (self.r + x) / (self.alpha + observed) * alive_for[index]


def _lifetime(s: float, beta: Floats | float, time: Floats | float) -> Floats:
    """Expected time alive within a time: the integral of (beta/(beta+u))^s, also at s = 1."""
    grown = np.log1p(np.asarray(time) / beta)
    if s == 1:
        return beta * grown
    return -beta * np.expm1((1 - s) * grown) / (s - 1)


def _discounted_lifetime(s: float, beta: Floats, horizon: float, rate: float) -> Floats:
    """The integral of exp(-rate u) (beta/(beta+u))^s, over v = log(1 + u/beta)."""
    longest = np.log1p(min(horizon, _VANISHED / rate) / beta)
    v = longest[:, None] * _NODES
    return beta * longest * np.einsum("ij,j->i", np.exp((1 - s) * v - rate * beta[:, None] * np.expm1(v)), _WEIGHTS)


# The integral J -------------------------------------------------------------------------------------------------------


def _log_tail(pairs: Pairs, r: float, alpha: float, s: float, beta: float) -> tuple[Floats, Floats]:
    """log J(y) of all pairs, -inf at the end, and (4, pairs) its derivatives in r, alpha, s and beta."""
    log_j = np.full(len(pairs.x), -np.inf)
    by = np.zeros((4, len(pairs.x)))
    inside = np.flatnonzero(pairs.y < pairs.end)
    for first in range(0, len(inside), _PAIRS):
        here = inside[first : first + _PAIRS]
        shape, y = r + pairs.x[here], pairs.y[here]
        near = min(alpha, beta) + y
        relative = near / (alpha + y), near / (beta + y)
        length = _stretch(np.log1p((pairs.end - y) / near), relative, shape, s + 1)
        v = length[:, None] * _NODES
        grown = [share[:, None] * np.expm1(v) for share in relative]
        log_a, log_b = (np.log1p(part) for part in grown)
        part = np.exp(v - shape[:, None] * log_a - (s + 1) * log_b) * _WEIGHTS
        total = part.sum(axis=1)
        at_a, at_b = np.log(alpha + y), np.log(beta + y)
        log_j[here] = np.log(total * near * length) - shape * at_a - (s + 1) * at_b
        part /= total[:, None]
        by[0, here] = -at_a - (part * log_a).sum(axis=1)
        by[1, here] = -shape * (part / (1 + grown[0])).sum(axis=1) / (alpha + y)
        by[2, here] = -at_b - (part * log_b).sum(axis=1)
        by[3, here] = -(s + 1) * (part / (1 + grown[1])).sum(axis=1) / (beta + y)
    return log_j, by


def _stretch(longest: Floats, relative: tuple[Floats, Floats], of_a: Floats, of_b: float) -> Floats:
    """How far v reaches: to the end, or to where the integrand has vanished.

    Its logarithm g is concave with g(0) = 0, so Newton's method from the right comes down to the point and never passes
    it.
    """
    v = longest.copy()
    for _ in range(8):
        height = v - of_a * np.log1p(relative[0] * np.expm1(v)) - of_b * np.log1p(relative[1] * np.expm1(v))
        if (height >= -_VANISHED).all():
            break
        shares = [share * np.exp(v) / (1 + share * np.expm1(v)) for share in relative]
        slope = 1 - of_a * shares[0] - of_b * shares[1]
        v = np.where(height < -_VANISHED, v - (height + _VANISHED) / np.minimum(slope, -1e-12), v)
    return v
