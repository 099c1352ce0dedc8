"""Prototypes and mixtures placed in plain numpy, from the definitions alone: an independent reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from segmentry.placement import NO_DATA, NO_GOOD_FIT, Category, Mixture, Prep, Prototypes, component

PREP = (
    Prep("spend", fill=10.0, centre=2.0, scale=1.5, low=0.0, high=1000.0, log=True),
    Prep("visits", fill=3.0, centre=3.0, scale=2.0, low=-50.0, high=50.0),
)
PROTOTYPES = Prototypes(
    PREP,
    (Category("plan", "category", ("gold", "basic", "gold")), Category("web", "boolean", ("yes", "no", "no"))),
    0.8,
    ((0.0, 0.0), (1.5, 1.0), (-1.0, 2.0)),
    (0.5, 0.8, 0.7),
    (3.0, 2.5, 3.5),
)
KINDS = {"spend": "number", "visits": "number", "plan": "category", "web": "boolean"}

# An ellipse, a long thin one across it, a wide round one.
PROPORTIONS = (0.5, 0.3, 0.2)
MEANS = ((0.0, 0.0), (1.0, 1.5), (-1.0, -0.5))
COVARIANCES = (((0.5, 0.2), (0.2, 0.4)), ((0.6, -0.45), (-0.45, 0.5)), ((2.0, 0.0), (0.0, 1.5)))
LIMIT = 4.0


def mixture() -> Mixture:
    """The rule of the mixture above."""
    found = []
    for share, mean, covariance in zip(PROPORTIONS, MEANS, COVARIANCES, strict=True):
        factor = np.linalg.inv(np.linalg.cholesky(np.array(covariance)))
        logs = float(np.linalg.slogdet(np.array(covariance))[1])
        found.append(component([list(map(float, row)) for row in factor], mean, logs, share, LIMIT))
    return Mixture(PREP, tuple(found))


def frame(n: int, seed: int) -> pd.DataFrame:
    """Customers with gaps, NaN and infinities, and a level that no prototype has."""
    rng = np.random.default_rng(seed)
    spend = rng.lognormal(2, 2, n)
    visits = rng.normal(3, 3, n).round(1)
    spend[rng.random(n) < 0.15] = np.nan
    visits[rng.random(n) < 0.15] = np.nan
    visits[rng.random(n) < 0.01] = np.inf
    plan = rng.choice(np.array(["gold", "basic", "new", None], dtype=object), n)
    web = rng.choice(np.array([True, False, None], dtype=object), n)
    return pd.DataFrame({"spend": spend, "visits": visits, "plan": plan, "web": web})


def _numbers(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) prepared numbers, gaps filled, and which of them are known."""
    raw = table[["spend", "visits"]].to_numpy(dtype=np.float64)
    known = np.isfinite(raw)
    spend, visits = np.where(known, raw, [10.0, 3.0]).T
    z = np.column_stack([(np.log1p(spend.clip(0, 1000)) - 2.0) / 1.5, (visits.clip(-50, 50) - 3.0) / 2.0])
    return z, known


def by_prototypes(table: pd.DataFrame) -> pd.DataFrame:
    """segment_index, fit, runner and margin of every row."""
    z, known = _numbers(table)
    told = table[["plan", "web"]].notna().to_numpy()
    many = known.sum(axis=1) + told.sum(axis=1)
    modes = ((("gold", True), (0.0, 0.0)), (("basic", False), (1.5, 1.0)), (("gold", False), (-1.0, 2.0)))
    squared = []
    for levels, centre in modes:
        other = np.column_stack(
            [(table[c] != level).to_numpy() for c, level in zip(("plan", "web"), levels, strict=True)]
        )
        apart = np.where(known, (z - centre) ** 2, 0).sum(axis=1) + 0.8 * (other & told).sum(axis=1)
        squared.append(apart * 4 / np.maximum(many, 1))
    first, second, near, far = _two_lowest(np.array(squared))
    near, far = np.sqrt(near), np.sqrt(far)
    typical, limit = np.array([0.5, 0.8, 0.7])[first], np.array([3.0, 2.5, 3.5])[first]
    index = np.where(near > limit, NO_GOOD_FIT, first)
    return _table(many * 2 < 4, index, typical / (typical + near), second, (far - near) / far)


def by_mixture(table: pd.DataFrame) -> pd.DataFrame:
    """The same by the densities of scipy."""
    z, known = _numbers(table)
    logs = [
        np.log(share) + multivariate_normal(mean, covariance).logpdf(z)
        for share, mean, covariance in zip(PROPORTIONS, MEANS, COVARIANCES, strict=True)
    ]
    away = [
        np.sqrt(np.einsum("ni,ij,nj->n", z - mean, np.linalg.inv(covariance), z - mean))
        for mean, covariance in zip(np.array(MEANS), np.array(COVARIANCES), strict=True)
    ]
    first, second, _, _ = _two_lowest(-2 * np.array(logs))
    rows = np.arange(len(z))
    shares = np.exp(np.array(logs) - logsumexp(logs, axis=0))
    beyond = np.array(away)[first, rows] > LIMIT
    fit, many = shares[first, rows], known.sum(axis=1)
    unknown = (many * 2 < 2) | (beyond & (many < 2))
    return _table(unknown, np.where(beyond, NO_GOOD_FIT, first), fit, second, fit - shares[second, rows])


def _two_lowest(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The lowest and the next, the lower index among those within 1e-9, and their values."""
    first = (scores <= scores.min(axis=0) + 1e-9).argmax(axis=0)
    rows = np.arange(scores.shape[1])
    rest = scores.copy()
    rest[first, rows] = np.inf
    second = (rest <= rest.min(axis=0) + 1e-9).argmax(axis=0)
    return first, second, scores.min(axis=0), rest.min(axis=0)


def _table(
    unknown: np.ndarray, index: np.ndarray, fit: np.ndarray, runner: np.ndarray, margin: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "segment_index": np.where(unknown, NO_DATA, index),
            "fit": np.where(unknown, np.nan, fit),
            "runner_up_index": np.where(unknown, np.nan, runner),
            "margin": np.where(unknown, np.nan, margin),
        }
    )


def disagreements(placed: pd.DataFrame, expected: pd.DataFrame, names: str = "ABC") -> int:
    """Rows of ``Segmentation.assign`` that differ: another segment or runner-up, or a figure by more than 1e-9."""
    name = {NO_DATA: "No data", NO_GOOD_FIT: "No good fit", **dict(enumerate(names))}
    wrong = placed["segment"].to_numpy() != expected["segment_index"].map(name).to_numpy()
    runner = expected["runner_up_index"].map(name)
    wrong |= placed["runner_up"].fillna("").to_numpy() != runner.fillna("").to_numpy()
    for column in ("fit", "margin"):
        ours, theirs = placed[column].to_numpy(dtype=np.float64), expected[column].to_numpy()
        wrong |= ~((np.abs(ours - theirs) <= 1e-9) | (np.isnan(ours) & np.isnan(theirs)))
    return int(wrong.sum())
