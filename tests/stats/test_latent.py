"""Latent classes: published maxima, planted classes, missing answers, the same answer every time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segmentry.errors import FitError
from segmentry.stats.latent import MISSING, LatentClasses, latent_classes

Ints = NDArray[np.int64]

# DESIGN section 7: the best log-likelihoods known for the McDonald's survey.
BEST = {2: -7610.836, 3: -7311.478, 4: -7111.108, 5: -7011.167, 6: -6956.019}


@pytest.fixture(scope="module")
def answers(mcdonalds: NDArray[np.float64]) -> Ints:
    return mcdonalds.astype(np.int64)


def planted(n: int, seed: int) -> tuple[Ints, Ints]:
    """Answers of n people of three classes to six items of three categories, and their classes."""
    rng = np.random.default_rng(seed)
    member = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    likely = np.array([[0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 2, 2], [2, 0, 2, 1, 1, 1]])[member]
    return np.where(rng.random((n, 6)) < 0.8, likely, rng.integers(0, 3, (n, 6))), member


def likelihood(model: LatentClasses, rows: Ints) -> float:
    """Straight from the definition, one respondent after the other."""
    total = 0.0
    for row in rows:
        given_class = [
            np.prod([table[c, a] for a, table in zip(row, model.probabilities, strict=True) if a != MISSING])
            for c in range(model.k)
        ]
        total += float(np.log(model.shares @ np.array(given_class)))
    return total


@pytest.mark.parametrize("k", BEST)
def test_mcdonalds_reaches_the_best_known_likelihood(answers: Ints, k: int) -> None:
    model = latent_classes(answers, k)
    assert model.log_likelihood == pytest.approx(BEST[k], abs=6e-4)
    assert model.replications > 1
    assert model.converged


def test_mcdonalds_four_classes_have_the_published_bic(answers: Ints) -> None:
    model = latent_classes(answers, 4, seed=5)
    assert model.parameters == 47
    assert model.bic == pytest.approx(14564.44, abs=0.005)
    assert model.icl > model.bic


def test_one_class_is_the_marginal_shares(answers: Ints) -> None:
    model = latent_classes(answers, 1)
    assert [table[0, 1] for table in model.probabilities] == pytest.approx(list(answers.mean(axis=0)), abs=1e-9)
    assert model.relative_entropy == 1


def test_planted_classes_are_recovered() -> None:
    rows, member = planted(3_000, seed=1)
    model = latent_classes(rows, 3, starts=10)
    assert model.shares == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert (model.labels(rows) == member).mean() > 0.97
    assert model.probabilities[0][0] == pytest.approx([0.867, 0.067, 0.067], abs=0.03)


def test_likelihood_is_that_of_the_definition() -> None:
    rows, _ = planted(60, seed=2)
    rows[::7, 2] = MISSING
    model = latent_classes(rows, 2, starts=5)
    assert model.log_likelihood == pytest.approx(likelihood(model, rows), abs=1e-8)


def test_answers_missing_at_random_do_not_move_the_classes() -> None:
    rows, member = planted(6_000, seed=3)
    holes = np.random.default_rng(4).random(rows.shape) < 0.3
    model = latent_classes(np.where(holes, MISSING, rows), 3, starts=10)
    assert model.shares == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert (model.labels(np.where(holes, MISSING, rows)) == member).mean() > 0.9


def test_holes_and_three_categories_agree_with_stepmix() -> None:
    rows, _ = planted(600, seed=11)
    rows = np.where(np.random.default_rng(12).random(rows.shape) < 0.2, MISSING, rows)
    model = latent_classes(rows, 3, starts=20)
    # StepMix 3.0.0, measurement="categorical_nan", the best of 10 starts, abs_tol=1e-11
    assert model.log_likelihood == pytest.approx(-1937.993216722, abs=1e-6)
    assert model.shares == pytest.approx([0.5238818, 0.2818804, 0.1942378], abs=1e-6)
    assert model.replications > 1


def test_who_answers_nothing_shapes_nothing_and_gets_the_shares() -> None:
    rows, _ = planted(300, seed=5)
    empty = np.full((40, 6), MISSING)
    model = latent_classes(np.concatenate([rows, empty]), 2, starts=5)
    same = latent_classes(rows, 2, starts=5)
    assert model.log_likelihood == same.log_likelihood
    assert model.respondents == 300
    assert model.posterior(empty[:1])[0] == pytest.approx(model.shares)


def test_weights_stand_for_repeated_rows_and_order_does_not_matter() -> None:
    rows, _ = planted(200, seed=6)
    weights = np.random.default_rng(7).integers(1, 4, len(rows))
    model = latent_classes(rows, 3, weights=weights, starts=5, seed=2)
    repeated = np.repeat(rows, weights, axis=0)[::-1]
    again = latent_classes(repeated, 3, starts=5, seed=2)
    assert again.log_likelihood == model.log_likelihood
    assert all((a == b).all() for a, b in zip(again.probabilities, model.probabilities, strict=True))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_posteriors_are_probabilities_and_more_classes_never_fit_worse(seed: int, k: int) -> None:
    rows, _ = planted(80, seed)
    model = latent_classes(rows, k, starts=8)
    assert model.posterior(rows).sum(axis=1) == pytest.approx(np.ones(len(rows)))
    assert model.shares.sum() == pytest.approx(1)
    assert sorted(model.shares, reverse=True) == pytest.approx(list(model.shares))
    assert model.log_likelihood >= latent_classes(rows, 1).log_likelihood - 1e-6


def test_bic_of_noise_asks_for_one_class() -> None:
    noise = np.random.default_rng(8).integers(0, 2, (1_000, 6))
    assert min((1, 2, 3), key=lambda k: latent_classes(noise, k, starts=5).bic) == 1


def test_what_cannot_be_identified_is_refused() -> None:
    rows = np.array(list(itertools.product([0, 1], repeat=3)))
    with pytest.raises(FitError, match="3 latent classes of 3 items have 11 parameters"):
        latent_classes(rows, 3)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[0.5, 1.0]], "something else than codes"),
        ([[0, -2]], "something else than codes"),
        ([[-1, -1]], "Nobody answered"),
        ([[0, -1], [1, -1]], "Item 2"),
        ([], "shape"),
    ],
)
def test_tables_that_are_no_answers_are_refused(rows: list[list[float]], says: str) -> None:
    with pytest.raises(FitError, match=says):
        latent_classes(rows, 1)


def test_a_category_the_model_does_not_know_is_named() -> None:
    rows, _ = planted(100, seed=9)
    model = latent_classes(rows, 2, starts=3)
    with pytest.raises(FitError, match="category 7 where the model knows 0 to 2"):
        model.posterior([[7, 0, 0, 0, 0, 0]])
