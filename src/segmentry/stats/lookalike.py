"""What goes with a behaviour: conditions that are tested on rows held out, and a logistic score of few of them.

Everything is chosen on the training rows and measured on the others, so that what is reported is what a stranger shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
HELD_OUT = 0.3  # share of the rows
DECILES = 10
_FOLDS = 3
_NOTHING = 1e-9  # weight that is left of a cell after subtraction by rounding alone
_FEW = 5.0  # expected number in a cell below which Fisher's exact test is taken (Cochran 1954)


@dataclass(frozen=True)
class Contrast:
    """Who meets a condition against who does not, on rows held out.

    ``support`` is the share of rows that meet the condition, ``share`` that of those who behave so among them, ``lift``
    that share over everybody's; ``effect`` is Cohen's h (2 asin sqrt p); ``p`` is two-sided, not corrected.

    Shares are weighted, the test counts rows: weights may differ between those who behave so and the others, of whom
    different shares were drawn (the odds ratio of a case-control sample is that of the base, Prentice & Pyke 1979).
    """

    support: float
    share: float
    lift: float
    effect: float
    p: float


def split(behaves: Flags, seed: int) -> Flags:
    """The rows to hold out: the same share of those who behave so and of the others."""
    rng, held = np.random.default_rng(seed), np.zeros(len(behaves), dtype=bool)
    for value in (False, True):
        rows = np.flatnonzero(behaves == value)
        held[rng.permutation(rows)[: round(HELD_OUT * len(rows))]] = True
    return held


def contrast(inside: Flags, behaves: Flags, weights: Floats) -> Contrast | None:
    """The contrast of a condition; None where everybody or nobody meets it, or nobody behaves so."""
    from scipy.stats import chi2_contingency, fisher_exact  # noqa: PLC0415  # a second that others do without

    total, met = weights.sum(), weights[inside].sum()
    overall = float(weights[behaves].sum() / total)
    if met <= 0 or met >= total or overall <= 0:
        return None
    share = float(weights[inside & behaves].sum() / met)
    other = float(weights[~inside & behaves].sum() / (total - met))
    table = np.array([[int(((inside == i) & (behaves == b)).sum()) for b in (True, False)] for i in (True, False)])
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    if not expected.all():
        p = 1.0
    elif expected.min() < _FEW:
        p = float(fisher_exact(table)[1])
    else:
        p = float(chi2_contingency(table, correction=False)[1])
    effect = 2 * (np.arcsin(share**0.5) - np.arcsin(other**0.5))
    return Contrast(float(met / total), share, share / overall, float(effect), p)


def corrected(ps: Sequence[float]) -> list[float]:
    """p-values after Benjamini and Hochberg (1995): of what is called a finding at 0.05, one in twenty is none."""
    from scipy.stats import false_discovery_control  # noqa: PLC0415

    return [float(p) for p in false_discovery_control(ps)] if len(ps) else []


@dataclass(frozen=True)
class Score:
    """A logistic model of some columns: their numbers and their coefficients."""

    columns: tuple[int, ...]
    weights: tuple[float, ...]
    intercept: float


def choose(data: Flags, behaves: Flags, weights: Floats, *, most: int, seed: int) -> Score | None:
    """The score that tells best with at most ``most`` columns of ``data`` (n, columns), each met or not; None where
    none tells anything.

    Columns are added one by one: the one that takes most off the log loss of three-fold cross-validation, as long as
    it takes off one part in two hundred. Rows are counted by the combination of columns that they meet, so that a model
    is fitted to at most 2^most cells, not to n rows.
    """
    fold = _folds(behaves, seed)
    best = _loss(_cells(data[:, :0], behaves, weights, fold))
    chosen: list[int] = []
    while len(chosen) < most:
        left = [c for c in range(data.shape[1]) if c not in chosen]
        losses = [_loss(_cells(data[:, [*chosen, c]], behaves, weights, fold)) for c in left]
        if not losses or min(losses) > best * 0.995:
            break
        best = min(losses)
        chosen.append(left[losses.index(best)])
    if not chosen:
        return None
    found, intercept = _fitted(_cells(data[:, chosen], behaves, weights, fold).sum(axis=0))
    return Score(tuple(chosen), tuple(float(c) for c in found), float(intercept))


def _folds(behaves: Flags, seed: int) -> npt.NDArray[np.int64]:
    """(n,) the fold of every row, with the same share of those who behave so in each."""
    rng, fold = np.random.default_rng(seed), np.zeros(len(behaves), dtype=np.int64)
    for value in (False, True):
        rows = np.flatnonzero(behaves == value)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % _FOLDS
    return fold


def _cells(part: Flags, behaves: Flags, weights: Floats, fold: npt.NDArray[np.int64]) -> Floats:
    """(folds, 2^columns, 2) the weight of the rows by fold, combination of columns (the first is the last bit), and
    whether they behave so."""
    cells = 1 << part.shape[1]
    code = part.astype(np.int64) @ (1 << np.arange(part.shape[1], dtype=np.int64))
    place = (fold * cells + code) * 2 + behaves
    return np.bincount(place, weights, _FOLDS * cells * 2).astype(np.float64).reshape(_FOLDS, cells, 2)


def _bits(cells: int) -> Floats:
    """(cells, columns) which columns each combination meets."""
    columns = cells.bit_length() - 1
    return ((np.arange(cells)[:, None] >> np.arange(columns)) & 1).astype(np.float64)


def _loss(cells: Floats) -> float:
    """Mean log loss of cross-validation."""
    total, bits = 0.0, _bits(cells.shape[1])
    for test in cells:
        found, intercept = _fitted(cells.sum(axis=0) - test)
        logit = bits @ found + intercept
        # log(1 + e^x) without overflow: what who behaves so loses is that of -logit
        losses = np.logaddexp(0, -logit) * test[:, 1] + np.logaddexp(0, logit) * test[:, 0]
        total += float(losses.sum() / test.sum())
    return total / len(cells)


def _fitted(cells: Floats) -> tuple[Floats, float]:
    """Coefficients and intercept of the logistic model of (combinations, 2) cells; a ridge of 1 keeps them finite."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    bits, behaves = _bits(len(cells)), np.tile([False, True], len(cells))
    if not bits.shape[1]:
        return np.zeros(0), float(np.log(cells[0, 1] / cells[0, 0]))
    there = cells.ravel() > _NOTHING
    rows, weights = np.repeat(bits, 2, axis=0)[there], cells.ravel()[there]
    model = LogisticRegression(C=1.0, max_iter=500).fit(rows, behaves[there], sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def probabilities(score: Score, data: Flags) -> Floats:
    """The probability that the score gives to every row."""
    told: Floats = 1 / (1 + np.exp(-(data[:, list(score.columns)] @ np.array(score.weights) + score.intercept)))
    return told


@dataclass(frozen=True)
class Judged:
    """How right a score was on rows that it had not seen.

    ``auc_low`` is the lower end of the 95 % interval of ``auc`` (Hanley & McNeil 1982). ``lift`` and the two shares are
    by tenth of the weight, the highest scores first: share of those who behave so over everybody's, what the score
    expected and what was. ``slope`` is 1 where the probabilities mean what they say (Cox 1958); below, they are too
    bold.
    """

    auc: float
    auc_low: float
    brier: float
    slope: float
    lift: tuple[float, ...]
    expected: tuple[float, ...]
    seen: tuple[float, ...]


def judge(told: Floats, behaves: Flags, weights: Floats) -> Judged:
    """Hold probabilities against what was; rows of equal probability share their tenths evenly."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.metrics import brier_score_loss  # noqa: PLC0415

    overall = float(np.average(behaves, weights=weights))
    expected, seen = _by_tenth(told, told, weights), _by_tenth(told, behaves.astype(np.float64), weights)
    clipped = np.clip(told, 1e-9, 1 - 1e-9)
    logits, level = np.unique(np.log(clipped / (1 - clipped)), return_inverse=True)
    slope = 0.0
    if len(logits) > 1:  # a cell per score and outcome: the order of rows does not matter to the last digit
        cells = np.bincount(2 * level + behaves, weights, 2 * len(logits))
        outcomes = np.arange(len(cells)) % 2
        model = LogisticRegression(C=1e9, max_iter=500)
        slope = float(model.fit(logits.repeat(2)[:, None], outcomes, sample_weight=cells).coef_[0][0])
    area = auc(told, behaves, weights)
    return Judged(
        area,
        area - 1.96 * _auc_error(area, int(behaves.sum()), int((~behaves).sum())),
        float(brier_score_loss(behaves, told, sample_weight=weights)),
        slope,
        tuple(s / overall for s in seen),
        tuple(expected),
        tuple(seen),
    )


def auc(told: Floats, behaves: Flags, weights: Floats) -> float:
    """The probability that who behaves so has the higher score of two; ties count half."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    return float(roc_auc_score(behaves, told, sample_weight=weights))


def _by_tenth(told: Floats, values: Floats, weights: Floats) -> list[float]:
    """The mean of values in each tenth of the weight, the highest scores first."""
    weight, value = _by_level(told, weights), _by_level(told, weights * values)
    ends = np.linspace(0, weight[-1], DECILES + 1)
    return [float(mean) for mean in np.diff(np.interp(ends, weight, value)) / np.diff(ends)]


def _by_level(told: Floats, amounts: Floats) -> Floats:
    """The running sum of amounts over the different scores, the highest first, from 0."""
    _, level = np.unique(-told, return_inverse=True)
    return np.concatenate([[0.0], np.bincount(level, amounts).cumsum()])


def best_tenth(told: Floats, weights: Floats) -> Floats:
    """(n,) the share of each row that is in the tenth of the weight with the highest scores: 1, 0, or in between for
    the rows of the score at which that tenth ends.

    >>> best_tenth(np.array([0.9, 0.5, 0.5, 0.1]), np.array([1.0, 4.0, 4.0, 11.0]))
    array([1.   , 0.125, 0.125, 0.   ])
    """
    _, level = np.unique(-told, return_inverse=True)
    ends = _by_level(told, weights)
    share: Floats = np.clip((ends[-1] / DECILES - ends[:-1]) / np.diff(ends), 0.0, 1.0)
    return share[level]


def _auc_error(area: float, cases: int, others: int) -> float:
    """The standard error of an AUC (Hanley & McNeil 1982)."""
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (cases - 1) * (one - area**2) + (others - 1) * (two - area**2)
    return float(max(variance, 0.0) / (cases * others)) ** 0.5
