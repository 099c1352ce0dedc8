"""A cloud like a table: the same values, gaps and correlations, but no groups."""

from __future__ import annotations

import numpy as np
import pytest

from segmentry.stats.cloud import Cloud, cloud_like, groups_like
from segmentry.stats.clustering import KMeansFinder
from segmentry.stats.descent import Floats


def like(rows: Floats, ordered: bool = True, blocks: list[int] | None = None) -> Cloud:
    columns = rows.shape[1]
    return cloud_like(rows, ~np.isnan(rows), blocks or list(range(columns)), np.full(columns, ordered), 1)


def answers(n: int = 1500) -> Floats:
    """Yes/no answers and amounts that go together."""
    rng = np.random.default_rng(2)
    common = rng.normal(size=(n, 1))
    yes = (common + rng.normal(size=(n, 2)) > np.array([0.0, 0.8])).astype(float)
    return np.column_stack([yes, np.exp(common[:, 0] + rng.normal(size=n)).round(1), rng.normal(size=n)])


def test_drawn_table_has_the_same_values_and_correlations() -> None:
    rows = answers()
    drawn = like(rows).draw(np.random.default_rng(0))
    assert (np.sort(drawn, axis=0) == np.sort(rows, axis=0)).all()
    assert np.corrcoef(drawn.T) == pytest.approx(np.corrcoef(rows.T), abs=0.08)
    assert (drawn != rows).any()


def test_gaps_stay_where_they_are() -> None:
    rows = answers(400)
    rows[np.random.default_rng(1).random(rows.shape) < 0.3] = np.nan
    drawn = like(rows).draw(np.random.default_rng(0))
    assert (np.isnan(drawn) == np.isnan(rows)).all()
    assert np.nanmean(drawn, axis=0) == pytest.approx(np.nanmean(rows, axis=0))


def test_without_an_order_columns_are_shuffled_and_those_of_one_trait_together() -> None:
    rows = answers()
    rows[:, 1] = 1 - rows[:, 0]
    drawn = like(rows, ordered=False, blocks=[0, 0, 1, 2]).draw(np.random.default_rng(0))
    assert (drawn[:, 0] + drawn[:, 1] == 1).all()
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 2])[0, 1]) < 0.1


def test_groups_are_tighter_than_their_cloud_and_a_cloud_is_not() -> None:
    rng = np.random.default_rng(3)
    groups = rng.normal(size=(300, 3)) + 5 * np.eye(3)[rng.integers(3, size=300)]
    one = rng.normal(size=(300, 3)) @ np.array([[1, 0.8, 0.8], [0, 0.6, 0.2], [0, 0, 0.5]])
    tighter = []
    for rows in (groups, one):
        found, weights = KMeansFinder(), np.ones(len(rows))
        loss = found.solve(rows, weights, 3, 3, 1).loss
        cloud = like(rows)
        draws = [cloud.draw(np.random.default_rng(draw)) for draw in range(9)]
        tighter.append(sum(found.solve(drawn, weights, 3, 3, 1).loss > loss for drawn in draws))
    assert tighter[0] == 9
    assert tighter[1] < 9


def test_columns_that_say_the_same_are_no_problem() -> None:
    rows = np.repeat(np.random.default_rng(0).normal(size=(200, 1)), 3, axis=1)
    drawn = like(rows).draw(np.random.default_rng(1))
    assert np.corrcoef(drawn.T).min() > 0.95


def test_groups_drawn_anew_keep_their_means_spread_and_gaps() -> None:
    rng = np.random.default_rng(5)
    group = rng.integers(2, size=800)
    rows = np.column_stack([rng.normal(size=(800, 2)) + 6 * group[:, None], (rng.random(800) < 0.2 + 0.6 * group)])
    rows[rng.random(rows.shape) < 0.2] = np.nan
    drawn = groups_like(rows, ~np.isnan(rows), [0, 1, 2], group, np.random.default_rng(0))
    assert (np.isnan(drawn) == np.isnan(rows)).all()
    for each in (0, 1):
        now, before = drawn[group == each], rows[group == each]
        assert np.nanmean(now, axis=0) == pytest.approx(np.nanmean(before, axis=0), abs=0.15)
        assert np.nanstd(now, axis=0) == pytest.approx(np.nanstd(before, axis=0), abs=0.15)
        assert np.nanmean(now[:, 2]) == np.nanmean(before[:, 2])
    assert (drawn[~np.isnan(drawn)] != rows[~np.isnan(rows)]).any()
