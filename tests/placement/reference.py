"""Every kind of rule placed in plain numpy, from the definitions alone: an independent reference for all engines.

``CASES`` has a rule of every method: rules and trees (:class:`Cascade`), RFM, bands and value tiers (:class:`Grid`),
k-means (:class:`Nearest`), k-prototypes, mixtures, latent classes, and crossings. ``customers`` are full of gaps, NaN,
infinities, values on cut points, ties and levels that no rule knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from segmentry.placement import (
    NO_DATA,
    NO_GOOD_FIT,
    Band,
    Cascade,
    Category,
    Classes,
    Crossing,
    Grid,
    Item,
    Mixture,
    Nearest,
    Prep,
    Prototypes,
    Rule,
    component,
    exact,
)

KINDS = {
    **dict.fromkeys(("spend", "visits", "recency", "age"), "number"),
    **dict.fromkeys(("plan", "use_0", "use_1", "use_2"), "category"),
    **dict.fromkeys(("web", "likes_0", "likes_1", "likes_2"), "boolean"),
}


def customers(n: int, seed: int) -> pd.DataFrame:
    """``n`` customers with the traits of KINDS; the more of a customer is missing, the more is."""
    rng = np.random.default_rng(seed)
    gone = rng.random(n) * 0.6
    columns: dict[str, pd.Series] = {
        "spend": pd.Series(rng.lognormal(2, 2, n)),
        "visits": pd.Series(rng.normal(3, 3, n).round(1)),
        "recency": pd.Series(rng.integers(0, 120, n).astype(float)),
        "age": pd.Series(rng.choice(np.array([*rng.normal(40, 20, 60), 25.0, 40.5, 60.0]), n)),
        "plan": pd.Series(rng.choice(np.array(["gold", "basic", "it's ü", "new"], dtype=object), n)),
        "web": pd.Series((rng.random(n) < 0.5).astype(object)),
    }
    for j in range(3):
        columns[f"likes_{j}"] = pd.Series((rng.random(n) < 0.4).astype(object))
        columns[f"use_{j}"] = pd.Series(rng.choice(np.array([*"wxyz", "never seen"], dtype=object), n))
    for name, column in columns.items():
        if KINDS[name] == "number":
            odd = rng.choice(np.array([math.inf, -math.inf, 1e200]), n)
            columns[name] = column.where(rng.random(n) > 0.01, pd.Series(odd))
        columns[name] = columns[name].where(rng.random(n) > gone)
    frame = pd.DataFrame(columns)
    return frame.astype({name: "boolean" for name, kind in KINDS.items() if kind == "boolean"})


@dataclass(frozen=True)
class Placed:
    """What a reference gives: arrays of (n,); ``runner`` is -1 where there is none, figures are NaN there."""

    index: np.ndarray
    fit: np.ndarray
    runner: np.ndarray
    margin: np.ndarray

    def without(self, unknown: np.ndarray) -> Placed:
        """The same, and no data for some."""
        nothing = np.where(unknown, np.nan, 1.0)
        return Placed(
            np.where(unknown, NO_DATA, self.index),
            self.fit * nothing,
            np.where(unknown, -1, self.runner),
            self.margin * nothing,
        )


def finite(frame: pd.DataFrame, trait: str) -> np.ndarray:
    """A number, NaN where it is not known: infinities and what is beyond 1e150 are not."""
    values = frame[trait].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.abs(values) < 1e150, values, np.nan)


# Rules and the leaves of a tree ---------------------------------------------------------------------------------------

RULES = Cascade(
    ("spend > 20 and plan = 'gold'", "visits > 5 or (web and plan in ('basic', 'new'))", "not web"),
    3,
    tuple((name, KINDS[name]) for name in ("spend", "plan", "visits", "web")),
)
LEAVES = Cascade(
    (
        "spend >= 8.0",
        "((spend < 8.0) OR spend IS NULL) AND plan IN ('gold')",
        "((spend < 8.0) OR spend IS NULL) AND (NOT plan IN ('gold') OR plan IS NULL)",
    ),
    NO_GOOD_FIT,
    (("spend", "number"), ("plan", "category")),
)


def _raw(frame: pd.DataFrame, *names: str) -> list[np.ndarray]:
    return [frame[name].astype(object).where(frame[name].notna(), None).to_numpy() for name in names]


def by_rules(frame: pd.DataFrame) -> Placed:
    """A comparison with null is not true, nor is its opposite; infinity compares as it does anywhere."""
    spend, visits = (frame[name].to_numpy(dtype=np.float64) for name in ("spend", "visits"))
    plan, web = _raw(frame, "plan", "web")
    yes, no = web == True, web == False  # noqa: E712 - null is neither
    held = np.array(
        [
            (spend > 20) & (plan == "gold"),
            (visits > 5) | (yes & ((plan == "basic") | (plan == "new"))),
            no,
            np.ones(len(frame), dtype=bool),
        ]
    ).astype(bool)
    first = held.argmax(axis=0)
    later = held & (np.arange(4)[:, None] > first)
    runner = np.where(later.any(axis=0), later.argmax(axis=0), -1)
    known = frame[["spend", "plan", "visits", "web"]].notna().any(axis=1).to_numpy()
    return Placed(first, np.ones(len(frame)), runner, np.full(len(frame), np.nan)).without(~known)


def by_leaves(frame: pd.DataFrame) -> Placed:
    spend, plan = frame["spend"].to_numpy(dtype=np.float64), _raw(frame, "plan")[0]
    first = np.where(spend >= 8, 0, np.where(plan == "gold", 1, 2))
    known = frame[["spend", "plan"]].notna().any(axis=1).to_numpy()
    nobody = np.full(len(frame), -1)
    return Placed(first, np.ones(len(frame)), nobody, np.full(len(frame), np.nan)).without(~known)


# Grids ----------------------------------------------------------------------------------------------------------------

GRID = Grid(
    (
        Band("R", "recency", (10.0, 30.0), (3, 2, 1), 0.0, 100.0),
        Band("F", "visits", (2.0, 5.0), (1, 2, 3), 0.0, 12.0),
    ),
    (1, 0, 0, 2, 1, 0, 2, 2, 1),
)
BANDS = Grid((Band("age", "age", (25.0, 40.5, 60.0), (1, 2, 3, 4), 0.0, 100.0),), (0, 1, 2, 3))


def by_grid(rule: Grid) -> Callable[[pd.DataFrame], Placed]:
    """The cell of the bands; the runner-up is across the nearest cut that leads to another segment."""

    def place(frame: pd.DataFrame) -> Placed:
        values = [finite(frame, band.trait) for band in rule.bands]
        unknown = np.isnan(values).any(axis=0)
        shape = [len(band.cuts) + 1 for band in rule.bands]
        cells = np.array(rule.cells).reshape(shape)
        at = [np.searchsorted(b.cuts, np.nan_to_num(v), side="right") for b, v in zip(rule.bands, values, strict=True)]
        own = cells[tuple(at)]
        gap, runner = np.full(len(frame), np.inf), np.full(len(frame), -1)
        for i, band in enumerate(rule.bands):
            inner = np.array(band.cuts)
            edges = np.array([min(band.low, inner[0]), *inner, max(band.high, inner[-1])])
            low, high = edges[at[i]], edges[at[i] + 1]
            for step in (1, -1):
                there = [a + step if j == i else a for j, a in enumerate(at)]
                inside = (there[i] >= 0) & (there[i] < shape[i])
                there[i] = there[i].clip(0, shape[i] - 1)
                beyond = cells[tuple(there)]
                way = ((high - values[i]) if step > 0 else (values[i] - low)) / (high - low)
                way = way.clip(0, 1)
                nearer = inside & (beyond != own) & (way < gap - 1e-9)
                gap, runner = np.where(nearer, way, gap), np.where(nearer, beyond, runner)
        return Placed(own, np.ones(len(frame)), runner, np.where(runner < 0, np.nan, gap)).without(unknown)

    return place


# The closest of centres and prototypes --------------------------------------------------------------------------------

PREP = (
    Prep("spend", fill=10.0, centre=2.0, scale=1.5, low=0.0, high=1000.0, log=True),
    Prep("visits", fill=3.0, centre=3.0, scale=2.0, low=-50.0, high=50.0),
)
NEAREST = Nearest(
    (*PREP, Prep("plan", fill=0.0, centre=0.4, scale=0.5, low=0.0, high=1.0, level="gold")),
    ((0.0, 0.0, 0.0), (1.5, 1.0, 1.0), (-1.0, 2.0, -0.5)),
    (0.5, 0.8, 0.7),
    (3.5, 2.5, 3.0),
)
PROTOTYPES = Prototypes(
    PREP,
    (Category("plan", "category", ("gold", "basic", "gold")), Category("web", "boolean", ("yes", "no", "no"))),
    0.8,
    ((0.0, 0.0), (1.5, 1.0), (-1.0, 2.0)),
    (0.5, 0.8, 0.7),
    (3.0, 2.5, 3.5),
)


def _numbers(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) the prepared numbers of PREP, gaps filled, and which of them are known."""
    raw = np.column_stack([finite(frame, "spend"), finite(frame, "visits")])
    known = np.isfinite(raw)
    spend, visits = np.where(known, raw, [10.0, 3.0]).T
    return np.column_stack([(np.log1p(spend.clip(0, 1000)) - 2) / 1.5, (visits.clip(-50, 50) - 3) / 2]), known


def _closest(squared: np.ndarray, typical: tuple[float, ...], limit: tuple[float, ...]) -> Placed:
    first, second, near, far = _two_lowest(squared)
    near, far = np.sqrt(near), np.sqrt(far)
    far = np.maximum(far, 1e-300)  # of nobody known is nothing; that is no data
    typical_, limit_ = np.array(typical)[first], np.array(limit)[first]
    index = np.where(near > limit_, NO_GOOD_FIT, first)
    return Placed(index, typical_ / (typical_ + near), second, (far - near) / far)


def by_centres(frame: pd.DataFrame) -> Placed:
    z, known = _numbers(frame)
    plan = frame["plan"]
    z = np.column_stack([z, ((plan == "gold").to_numpy(dtype=float) - 0.4) / 0.5])
    squared = np.array([((z - np.array(centre)) ** 2).sum(axis=1) for centre in NEAREST.centres])
    many = known.sum(axis=1) + plan.notna().to_numpy()
    return _closest(squared, NEAREST.typical, NEAREST.limit).without(many * 2 < 3)


def by_prototypes(frame: pd.DataFrame) -> Placed:
    z, known = _numbers(frame)
    told = frame[["plan", "web"]].notna().to_numpy()
    many = known.sum(axis=1) + told.sum(axis=1)
    plan, web = _raw(frame, "plan", "web")
    squared = []
    for level, online, centre in (("gold", True, (0, 0)), ("basic", False, (1.5, 1)), ("gold", False, (-1, 2))):
        other = np.column_stack([plan != level, web != online]) & told
        apart = np.where(known, (z - centre) ** 2, 0).sum(axis=1) + 0.8 * other.sum(axis=1)
        squared.append(apart * 4 / np.maximum(many, 1))
    return _closest(np.array(squared), PROTOTYPES.typical, PROTOTYPES.limit).without(many * 2 < 4)


# Mixtures and latent classes ------------------------------------------------------------------------------------------

# An ellipse, a long thin one across it, a wide round one.
PROPORTIONS = (0.5, 0.3, 0.2)
MEANS = ((0.0, 0.0), (1.0, 1.5), (-1.0, -0.5))
COVARIANCES = (((0.5, 0.2), (0.2, 0.4)), ((0.6, -0.45), (-0.45, 0.5)), ((2.0, 0.0), (0.0, 1.5)))
_LIMIT = 4.0


def _mixture() -> Mixture:
    found = []
    for share, mean, covariance in zip(PROPORTIONS, MEANS, COVARIANCES, strict=True):
        factor = np.linalg.inv(np.linalg.cholesky(np.array(covariance)))
        logs = float(np.linalg.slogdet(np.array(covariance))[1])
        found.append(component([list(map(float, row)) for row in factor], mean, logs, share, _LIMIT))
    return Mixture(PREP, tuple(found))


MIXTURE = _mixture()


def by_mixture(frame: pd.DataFrame) -> Placed:
    """By the densities of scipy."""
    z, known = _numbers(frame)
    logs = np.array(
        [
            np.log(share) + multivariate_normal(mean, covariance).logpdf(z)
            for share, mean, covariance in zip(PROPORTIONS, MEANS, COVARIANCES, strict=True)
        ]
    )
    away = [
        np.sqrt(np.einsum("ni,ij,nj->n", z - mean, np.linalg.inv(covariance), z - mean))
        for mean, covariance in zip(np.array(MEANS), np.array(COVARIANCES), strict=True)
    ]
    first, second, _, _ = _two_lowest(-2 * logs)
    rows = np.arange(len(z))
    shares = np.exp(logs - logsumexp(logs, axis=0))
    index = np.where(np.array(away)[first, rows] > _LIMIT, NO_GOOD_FIT, first)
    fit = shares[first, rows]
    return Placed(index, fit, second, fit - shares[second, rows]).without(known.sum(axis=1) * 2 < 2)


def logs(answers: int, seed: int, classes: int = 4) -> tuple[tuple[float, ...], ...]:
    """Logarithms of the chances of each answer in each class."""
    drawn = np.random.default_rng(seed).dirichlet(np.full(answers, 0.6), classes).clip(1e-12)
    return tuple(tuple(exact(float(v)) for v in row) for row in np.log(drawn / drawn.sum(axis=1, keepdims=True)))


CLASSES = Classes(
    priors=tuple(exact(math.log(share)) for share in (0.4, 0.3, 0.2, 0.1)),
    items=(
        Item("plan", logs(3, 1), levels=("gold", "basic", "it's ü")),
        Item("web", logs(2, 2)),
        Item("age", logs(4, 3), cuts=(25.0, 40.5, 60.0)),
        *(Item(f"likes_{j}", logs(2, 10 + j)) for j in range(3)),
        *(Item(f"use_{j}", logs(4, 20 + j), levels=("w", "x", "y", "z")) for j in range(3)),
    ),
    limit=-2.5,
)


def by_classes(frame: pd.DataFrame) -> Placed:
    """By the chances themselves; the person fit is lz (Drasgow, Levine & Williams 1985)."""
    n = len(frame)
    joint = np.exp(np.array(CLASSES.priors)) * np.ones((n, 1))
    known, given, expected, variance = np.zeros(n, dtype=int), np.zeros((n, 4)), np.zeros((n, 4)), np.zeros((n, 4))
    for item in CLASSES.items:
        if item.levels:
            codes = frame[item.trait].map({level: code for code, level in enumerate(item.levels)})
        elif item.cuts:
            values = finite(frame, item.trait)
            codes = pd.Series(np.searchsorted(item.cuts, values, side="right")).where(~np.isnan(values))
        else:
            codes = frame[item.trait].map({True: 1, False: 0})
        code = codes.astype("float64").fillna(-1).to_numpy(dtype=int)
        chance, here = np.exp(np.array(item.logs)), (code >= 0)[:, None]
        known += code >= 0
        joint *= np.where(here, chance.T[code], 1.0)
        given += np.where(here, np.log(chance).T[code], 0.0)
        mean = (chance * np.log(chance)).sum(axis=1)
        expected += here * mean
        variance += here * ((chance * np.log(chance) ** 2).sum(axis=1) - mean**2)
    posterior = joint / joint.sum(axis=1, keepdims=True)
    order, rows = np.argsort(-posterior, axis=1, kind="stable"), np.arange(n)
    first, second = order[:, 0], order[:, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        person_fit = ((given - expected) / np.sqrt(variance))[rows, first]
    index = np.where(person_fit < CLASSES.limit, NO_GOOD_FIT, first)
    fit = posterior[rows, first]
    return Placed(index, fit, second, fit - posterior[rows, second]).without(known * 2 < len(CLASSES.items))


# Crossings ------------------------------------------------------------------------------------------------------------

VISITS = Grid((Band("band", "visits", (2.0, 5.0), (1, 2, 3), 0.0, 10.0),), (0, 1, 2))
# Three segments of the nearest centre by three bands; two of the nine cells are merged into others.
CROSSING = Crossing(
    (NEAREST, VISITS), (3, 3), (0, 1, 2, 3, 4, 4, 5, 6, 6), tuple((n, KINDS[n]) for n in ("spend", "visits", "plan"))
)
# A crossing of a crossing: names of columns that are carried along must not meet.
NESTED = Crossing((CROSSING, LEAVES), (7, 3), tuple(i % 8 for i in range(21)), CROSSING.kinds)


def by_crossing(
    rule: Crossing, first: Callable[[pd.DataFrame], Placed], second: Callable[[pd.DataFrame], Placed]
) -> Callable[[pd.DataFrame], Placed]:
    """The cell of both; the runner-up by the part whose own runner-up is nearer, the first where they are as near."""

    def place(frame: pd.DataFrame) -> Placed:
        a, b = first(frame), second(frame)
        cells = np.array(rule.cells).reshape(rule.sizes)
        own = cells[np.maximum(a.index, 0), np.maximum(b.index, 0)]
        ways = []
        for one, there in (
            (a, cells[np.maximum(a.runner, 0), np.maximum(b.index, 0)]),
            (b, cells[np.maximum(a.index, 0), np.maximum(b.runner, 0)]),
        ):
            leads = (one.runner >= 0) & (there != own)
            ways.append((np.where(leads, np.where(np.isnan(one.margin), 1e9, one.margin), np.inf), there))
        (gap_a, there_a), (gap_b, there_b) = ways
        by_a = gap_a <= gap_b + 1e-9
        gap, there = np.where(by_a, gap_a, gap_b), np.where(by_a, there_a, there_b)
        runner, margin = np.where(np.isinf(gap), -1, there), np.where(gap < 1e9, gap, np.nan)
        misfit = (a.index == NO_GOOD_FIT) | (b.index == NO_GOOD_FIT)  # in no cell, so beside none
        runner, margin = np.where(misfit, -1, runner), np.where(misfit, np.nan, margin)
        placed = Placed(np.where(misfit, NO_GOOD_FIT, own), np.minimum(a.fit, b.fit), runner, margin)
        return placed.without((a.index == NO_DATA) | (b.index == NO_DATA))

    return place


_by_crossing = by_crossing(CROSSING, by_centres, by_grid(VISITS))

CASES: dict[str, tuple[Rule, Callable[[pd.DataFrame], Placed]]] = {
    "rules": (RULES, by_rules),
    "trees": (LEAVES, by_leaves),
    "rfm": (GRID, by_grid(GRID)),
    "bands": (BANDS, by_grid(BANDS)),
    "kmeans": (NEAREST, by_centres),
    "kprototypes": (PROTOTYPES, by_prototypes),
    "mixtures": (MIXTURE, by_mixture),
    "latent_classes": (CLASSES, by_classes),
    "crossing": (CROSSING, _by_crossing),
    "crossing of a crossing": (NESTED, by_crossing(NESTED, _by_crossing, by_leaves)),
}


def _two_lowest(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The lowest and the next, the lower index among those within 1e-9, and their values."""
    first = (scores <= scores.min(axis=0) + 1e-9).argmax(axis=0)
    rows = np.arange(scores.shape[1])
    rest = scores.copy()
    rest[first, rows] = np.inf
    second = (rest <= rest.min(axis=0) + 1e-9).argmax(axis=0)
    return first, second, scores.min(axis=0), rest.min(axis=0)


def disagreements(placed: pd.DataFrame, expected: Placed) -> pd.DataFrame:
    """The rows that differ: another segment or runner-up, or a figure by more than 1e-9.

    ``placed`` has segment_index, fit, runner_up_index and margin, in the order of the customers.
    """
    wrong = placed["segment_index"].to_numpy() != expected.index
    wrong |= placed["runner_up_index"].to_numpy(dtype=np.float64, na_value=-1.0) != expected.runner
    for column, theirs in (("fit", expected.fit), ("margin", expected.margin)):
        ours = placed[column].to_numpy(dtype=np.float64, na_value=np.nan)
        wrong |= ~((np.abs(ours - theirs) <= 1e-9) | (np.isnan(ours) & np.isnan(theirs)))
    return placed[wrong]
