"""Allocation, raking, association and anonymity against direct computations and the laws they state."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentry.errors import FitError
from segmentry.stats import anonymity, association, sampling
from segmentry.stats.anonymity import Ladder
from segmentry.stats.raking import Margin, rake


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=12), st.integers(0, 6_000))
def test_an_allocation_draws_what_was_asked_and_never_more_than_there_is(sizes: list[int], total: int) -> None:
    drawn = sampling.allocate(sizes, total)
    assert drawn.sum() == min(total, sum(sizes))
    assert (drawn >= 0).all()
    assert (drawn <= np.array(sizes)).all()


def test_rows_come_as_often_as_their_weight_asks() -> None:
    weights = np.random.default_rng(1).gamma(1.0, 2.0, 50)
    times = np.bincount(sampling.self_weighting(weights, 400), minlength=50)
    assert (np.abs(times - 400 * weights / weights.sum()) <= 1).all()


def table_by_fitting(table: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Iterative proportional fitting of a two-way table, straight from Deming & Stephan 1940."""
    for _ in range(1_000):
        table = table * (rows / table.sum(axis=1))[:, None]
        table = table * (columns / table.sum(axis=0))
    return table


def test_raking_gives_the_margins_and_the_table_of_a_direct_computation() -> None:
    chance = np.random.default_rng(2)
    a, b = chance.integers(0, 3, 900), chance.integers(0, 4, 900)
    first, second = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.3, 0.4])
    raked = rake(np.ones(900), [Margin("a", a, first), Margin("b", b, second)])
    assert raked.converged
    assert raked.trimmed == 0
    assert np.bincount(a, raked.weights) / 900 == pytest.approx(first, abs=1e-6)
    assert np.bincount(b, raked.weights) / 900 == pytest.approx(second, abs=1e-6)
    counts = np.bincount(a * 4 + b, minlength=12).reshape(3, 4).astype(float)
    direct = table_by_fitting(counts, 900 * first, 900 * second)
    assert np.bincount(a * 4 + b, raked.weights, 12).reshape(3, 4) == pytest.approx(direct, rel=1e-5)
    assert raked.design_effect == pytest.approx(900 * (raked.weights**2).sum() / 900**2)


def test_raking_says_when_margins_cannot_hold() -> None:
    a = np.array([0] * 98 + [1] * 2)
    raked = rake(np.ones(100), [Margin("a", a, np.array([0.5, 0.5]))], trim=5.0)
    assert not raked.converged
    assert raked.trimmed == 2
    assert raked.gap > 0.3
    assert "missed by up to" in raked.verdict
    with pytest.raises(FitError, match="nobody in the sample is in 1 of its 3 levels"):
        rake(np.ones(100), [Margin("a", a, np.array([0.4, 0.4, 0.2]))])


def test_rows_of_unknown_level_keep_their_weight() -> None:
    codes = np.array([0, 0, 0, 1, -1, -1])
    raked = rake(np.ones(6), [Margin("a", codes, np.array([0.5, 0.5]))])
    assert raked.weights == pytest.approx([2 / 3] * 3 + [2, 1, 1])


def test_association_is_corrected_for_chance_and_known_for_tables_of_two() -> None:
    chance = np.random.default_rng(3)
    noise = [chance.multinomial(200, np.full(20, 0.05)).reshape(5, 4) for _ in range(200)]
    assert np.mean([association.cramers_v(t, 200) for t in noise]) < 0.06  # uncorrected: .14
    # Bergsma 2013, by hand for [[30, 10], [10, 30]]: phi^2 = .25, less 1/79, over 1 - 1/79
    assert association.cramers_v([[30, 10], [10, 30]], 80) == pytest.approx(((0.25 - 1 / 79) / (1 - 1 / 79)) ** 0.5)


def test_the_four_fifths_rule_leaves_out_groups_that_are_too_small() -> None:
    found = association.rates([[40, 60], [33, 67], [0, 1]], 0)
    assert found is not None
    assert (found.lowest, found.highest, found.ratio, found.passes) == (1, 0, 0.825, True)
    assert association.rates([[40, 60], [31, 69]], 0).passes is False  # type: ignore[union-attr]
    assert association.rates([[40, 60]], 0) is None


def ladders(seed: int, rows: int = 120) -> list[Ladder]:
    """Three columns of 8, 6 and 3 values, that are halved step by step."""
    chance = np.random.default_rng(seed)
    made = []
    for values in (8, 6, 3):
        column = chance.integers(0, values, rows)
        made.append(Ladder(np.stack([column // 2**s for s in range(4)] + [np.zeros(rows, dtype=np.int64)])))
    return made


def alone(found: list[Ladder], steps: tuple[int, ...], k: int) -> int:
    of = anonymity.classes([ladder.codes[s] for ladder, s in zip(found, steps, strict=True)])
    sizes = np.bincount(of)
    return int(sizes[sizes < k].sum())


@pytest.mark.parametrize("seed", range(5))
def test_a_generalisation_hides_enough_and_no_column_could_be_finer(seed: int) -> None:
    found, k, share = ladders(seed), 5, 0.05
    steps = anonymity.search(found, k, share)
    assert alone(found, steps, k) <= share * 120
    for j in range(3):
        if steps[j]:
            assert alone(found, tuple(s - (i == j) for i, s in enumerate(steps)), k) > share * 120
    # against the whole lattice: the greedy way loses little more than the best there is
    good = [c for c in itertools.product(*(range(x.top + 1) for x in found)) if alone(found, c, k) <= share * 120]
    lost = [sum(x.losses[s] for x, s in zip(found, c, strict=True)) for c in (steps, *good)]
    assert lost[0] <= min(lost) + 0.35


def test_too_few_rows_hide_nobody() -> None:
    with pytest.raises(FitError, match="3 rows cannot hide anybody among 5"):
        anonymity.search([Ladder(np.array([[0, 1, 2], [0, 0, 0]]))], 5, 0.0)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 3)), min_size=1, max_size=60), st.integers(2, 3))
def test_diversity_is_judged_class_by_class(rows: list[tuple[int, int]], least: int) -> None:
    of, values = (np.array(column) for column in zip(*rows, strict=True))
    found = anonymity.lacking_diversity(of, values, least)
    for c in set(of.tolist()):
        inside = values[of == c]
        assert found[of == c].all() == ((inside >= 0).any() and len(set(inside.tolist())) < least)
