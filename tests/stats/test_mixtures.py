"""Gaussian mixtures against scikit-learn, with weights, and where they have nothing to hold on to."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture

from segmentry.errors import FitError
from segmentry.stats.mixtures import FLOOR, SHAPES, MixtureFinder, best_shape, mixture


def clouds(n: int, seed: int = 1) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Three tilted clouds of different size and shape, on a scale of about 1."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, size=n, p=[0.5, 0.3, 0.2])
    turn = np.array([[[0.5, 0.0], [0.3, 0.3]], [[0.4, 0.0], [-0.3, 0.2]], [[0.3, 0.0], [0.0, 0.6]]])
    means = np.array([[-1.0, -0.5], [1.0, -0.6], [0.3, 1.6]])
    return means[truth] + np.einsum("nij,nj->ni", turn[truth], rng.normal(size=(n, 2))), truth


@pytest.mark.parametrize(("shape", "theirs"), [("full", "full"), ("tied", "tied"), ("diagonal", "diag")])
def test_likelihood_and_bic_are_those_of_scikit_learn(shape: str, theirs: str) -> None:
    x, _ = clouds(1_200)
    peer = GaussianMixture(3, covariance_type=theirs, n_init=10, tol=1e-7, max_iter=500, random_state=0).fit(x)
    ours = mixture(x, 3, shape=shape)  # type: ignore[arg-type]
    assert ours.log_likelihood == pytest.approx(peer.score(x) * len(x), rel=1e-4)
    assert ours.log_likelihood >= peer.score(x) * len(x) - 0.05
    assert ours.bic == pytest.approx(peer.bic(x), rel=1e-4)
    assert ours.replications > 1


def test_planted_clouds_shape_and_number_are_found() -> None:
    x, truth = clouds(800)
    found = {k: best_shape(x, k, starts=6) for k in range(2, 5)}
    k = min(found, key=lambda k: found[k].bic)
    assert k == 3
    assert found[3].shape == "full"
    assert min(found, key=lambda k: found[k].icl) == 3
    assert sum(np.bincount(truth[found[3].labels == s]).max() for s in range(3)) > 0.97 * len(x)


def test_noise_without_clouds_is_one_component() -> None:
    x = np.random.default_rng(4).normal(size=(300, 2))
    found = {k: best_shape(x, k, starts=3) for k in range(1, 3)}
    assert min(found, key=lambda k: found[k].icl) == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_weights_are_numbers_of_equal_rows(shape: str) -> None:
    x, _ = clouds(200, 3)
    weights = np.random.default_rng(1).integers(0, 4, size=200).astype(float)
    weighed = mixture(x, 2, shape=shape, weights=weights)  # type: ignore[arg-type]
    repeated = mixture(np.repeat(x, weights.astype(int), axis=0), 2, shape=shape)  # type: ignore[arg-type]
    assert weighed.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-6)
    assert weighed.bic == pytest.approx(repeated.bic, rel=1e-6)
    assert weighed.components.means == pytest.approx(repeated.components.means, abs=1e-3)


def test_spike_cannot_swallow_a_component() -> None:
    x = np.random.default_rng(0).normal(size=(600, 2))
    x[:200] = 0.25  # a third of all are exactly the same
    found = mixture(x, 2)
    smallest = np.linalg.eigvalsh(found.components.covariances).min()
    assert smallest == pytest.approx(FLOOR)
    assert np.isfinite(found.log_likelihood)


def test_perfectly_collinear_columns_do_not_break_the_fit() -> None:
    x, _ = clouds(500)
    found = mixture(np.column_stack([x, x[:, 0] + x[:, 1]]), 3)
    assert np.isfinite(found.log_likelihood)
    assert found.sizes.sum() == 500


def test_order_of_rows_changes_nothing_and_large_tables_are_finished_on_all_rows() -> None:
    x, truth = clouds(5_000, 2)
    order = np.random.default_rng(0).permutation(5_000)
    one, other = mixture(x, 3, starts=5), mixture(x[order], 3, starts=5)
    assert one.log_likelihood == other.log_likelihood
    assert one.labels[order].tolist() == other.labels.tolist()
    assert sum(np.bincount(truth[one.labels == s]).max() for s in range(3)) > 0.97 * 5_000


def test_labels_distances_and_other_rows_agree() -> None:
    x, _ = clouds(400)
    found = mixture(x, 3)
    assert found.classify(x).tolist() == found.labels.tolist()
    mean, covariance = found.components.means[found.labels[0]], found.components.covariances[found.labels[0]]
    expected = np.sqrt((x[0] - mean) @ np.linalg.inv(covariance) @ (x[0] - mean))
    assert found.distances[0] == pytest.approx(expected)
    shares = MixtureFinder("full").similarity(x, found)
    assert shares.argmax(axis=1).tolist() == found.labels.tolist()
    assert found.overlap == pytest.approx(-(shares * np.log(np.maximum(shares, 1e-300))).sum(), abs=1e-6)


def test_more_components_than_different_rows_is_refused() -> None:
    with pytest.raises(FitError, match="only 2 different combinations"):
        mixture([[0.0], [0.0], [1.0]], 3)


def test_missing_values_are_refused() -> None:
    with pytest.raises(FitError, match="missing or infinite"):
        mixture([[0.0], [np.nan]], 1)
