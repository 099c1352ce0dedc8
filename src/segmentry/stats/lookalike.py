"""What goes with a behaviour: conditions that are tested on rows held out, and a logistic score of few of them.

Everything is chosen on the training rows and measured on the others, so that what is reported is what a stranger shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
HELD_OUT = 0.3  # share of the rows
DECILES = 10
_FEW = 5.0  # expected number in a cell below which Fisher's exact test is taken (Cochran 1954)


@dataclass(frozen=True)
class Contrast:
    """Who meets a condition against who does not, on rows held out.

    ``support`` is the share of rows that meet the condition, ``share`` that of those who behave so among them, ``lift``
    that share over everybody's; ``effect`` is Cohen's h (2 asin sqrt p); ``p`` is two-sided, not corrected.
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


def choose(data: Floats, behaves: Flags, weights: Floats, *, most: int, seed: int) -> Score | None:
    """The score that tells best with at most ``most`` columns of ``data`` (n, columns); None where none tells anything.

    Columns are added one by one: the one that takes most off the log loss of three-fold cross-validation, as long as
    it takes off one part in two hundred.
    """
    from sklearn.metrics import log_loss  # noqa: PLC0415
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415

    folds = list(StratifiedKFold(3, shuffle=True, random_state=seed).split(data, behaves))
    best = sum(
        log_loss(
            behaves[test],
            np.full(len(test), np.average(behaves[train], weights=weights[train])),
            sample_weight=weights[test],
            labels=[False, True],
        )
        for train, test in folds
    ) / len(folds)
    chosen: list[int] = []
    while len(chosen) < most:
        left = [c for c in range(data.shape[1]) if c not in chosen]
        losses = [_loss(data[:, [*chosen, c]], behaves, weights, folds) for c in left]
        if not losses or min(losses) > best * 0.995:
            break
        best = min(losses)
        chosen.append(left[losses.index(best)])
    if not chosen:
        return None
    model = _fitted(data[:, chosen], behaves, weights)
    return Score(tuple(chosen), tuple(float(c) for c in model.coef_[0]), float(model.intercept_[0]))


def _loss(
    part: Floats,
    behaves: Flags,
    weights: Floats,
    folds: Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]],
) -> float:
    from sklearn.metrics import log_loss  # noqa: PLC0415

    total = 0.0
    for train, test in folds:
        model = _fitted(part[train], behaves[train], weights[train])
        told = model.predict_proba(part[test])[:, 1]
        total += log_loss(behaves[test], told, sample_weight=weights[test], labels=[False, True])
    return total / len(folds)


def _fitted(data: Floats, behaves: Flags, weights: Floats) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    return LogisticRegression(C=1.0, max_iter=500).fit(data, behaves, sample_weight=weights)


def probabilities(score: Score, data: Floats) -> Floats:
    """The probability that the score gives to every row."""
    told: Floats = 1 / (1 + np.exp(-(data[:, list(score.columns)] @ np.array(score.weights) + score.intercept)))
    return told


@dataclass(frozen=True)
class Judged:
    """How right a score was on rows that it had not seen.

    ``lift`` and the two shares are by tenth of the rows, those with the highest scores first: share of those who behave
    so over everybody's, what the score expected and what was. ``slope`` is 1 where the probabilities mean what they
    say (Cox 1958); below, they are too bold.
    """

    auc: float
    brier: float
    slope: float
    lift: tuple[float, ...]
    expected: tuple[float, ...]
    seen: tuple[float, ...]


def judge(told: Floats, behaves: Flags, weights: Floats) -> Judged:
    """Hold probabilities against what was; ties share their tenth evenly by their order."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.metrics import brier_score_loss, roc_auc_score  # noqa: PLC0415

    order = np.argsort(-told, kind="stable")
    tenths = [part for part in np.array_split(order, DECILES) if len(part)]
    overall = float(np.average(behaves, weights=weights))
    seen = [float(np.average(behaves[part], weights=weights[part])) for part in tenths]
    expected = [float(np.average(told[part], weights=weights[part])) for part in tenths]
    clipped = np.clip(told, 1e-9, 1 - 1e-9)
    logit = np.log(clipped / (1 - clipped))[:, None]
    slope = 0.0
    if logit.std() > 0:
        slope = float(LogisticRegression(C=1e9, max_iter=500).fit(logit, behaves, sample_weight=weights).coef_[0][0])
    return Judged(
        float(roc_auc_score(behaves, told, sample_weight=weights)),
        float(brier_score_loss(behaves, told, sample_weight=weights)),
        slope,
        tuple(s / overall for s in seen),
        tuple(expected),
        tuple(seen),
    )
