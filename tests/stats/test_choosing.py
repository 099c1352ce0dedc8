"""How many segments: the default rule on paper, on planted groups, on noise and on real answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from segmentry.errors import FitError
from segmentry.stats.choosing import INTERACTIVE, Option, Panel, Resampling, decide, panel
from segmentry.stats.clustering import KMeansSolution
from segmentry.stats.gaps import Gaps

Floats = NDArray[np.float64]

QUICK = Resampling(pairs=10, starts=10)
OPEN, NONE = Gaps(0.1, 0.7), Gaps(1.1, None)


def option(k: int, ari: float = 0.9, jaccard: float = 0.9, share: float = 0.2, gaps: Gaps = NONE) -> Option:
    """An option with the given figures; its worst segment has ``jaccard`` and its smallest ``share``."""
    sizes = np.full(k, (1 - share) / (k - 1))
    sizes[-1] = share
    solution = KMeansSolution(np.zeros(1, dtype=np.int64), sizes, 25, 25, 0, centres=np.zeros((k, 1)), sse=1, total=2)
    return Option(solution, np.array([ari, ari]), np.array([1.0] * (k - 1) + [jaccard]), gaps)


def panel_of(*options: Option) -> Panel:
    return Panel(options, (), 100, 100, INTERACTIVE)


def planted(groups: int, seed: int, distance: float = 6, n: int = 400, columns: int = 5) -> Floats:
    """Normal groups of standard deviation 1, no two centres closer than ``distance``."""
    rng = np.random.default_rng(seed)
    while True:
        centres = rng.normal(size=(groups, columns)) * distance
        apart = np.sqrt(((centres[:, None] - centres) ** 2).sum(axis=2)) + 1e9 * np.eye(groups)
        if apart.min() >= distance:
            return centres[rng.integers(groups, size=n)] + rng.normal(size=(n, columns))


def test_largest_number_that_passes_all_three_tests_is_chosen() -> None:
    found = decide(panel_of(option(2), option(3, ari=0.7), option(4), option(5, jaccard=0.7), option(6, share=0.04)))
    assert (found.k, found.structure, found.passed) == (4, "reproducible", (2, 4))


def test_limits_of_the_rule_themselves_pass() -> None:
    assert decide(panel_of(option(3, ari=0.8, jaccard=0.75, share=0.05))).passed == (3,)


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"ari": 0.799}, "mean agreement, ARI, 0.79; 0.8 is the least"),
        ({"jaccard": 0.749}, "1 of 3 segments does not come back"),
        ({"share": 0.049}, "4.9% < 5%"),
    ],
)
def test_just_below_a_limit_fails_and_says_why(figures: dict[str, float], reason: str) -> None:
    failing = option(3, **figures)
    assert len(failing.failures) == 1
    assert reason in failing.failures[0]
    found = decide(panel_of(failing))
    assert (found.k, found.structure, found.passed) == (3, "constructive", ())


def test_natural_needs_stability_and_gaps() -> None:
    assert decide(panel_of(option(3, gaps=OPEN))).structure == "natural"
    assert decide(panel_of(option(3, gaps=NONE))).structure == "reproducible"
    assert decide(panel_of(option(3, gaps=Gaps(0.3, 0.2)))).structure == "reproducible"
    unstable = decide(panel_of(option(3, ari=0.5, gaps=OPEN)))
    assert (unstable.structure, unstable.natural) == ("constructive", ())


def test_verdict_tells_of_a_coarser_natural_cut() -> None:
    found = decide(panel_of(option(2, gaps=OPEN), option(3, gaps=OPEN), option(5)))
    assert (found.k, found.structure, found.natural) == (5, "reproducible", (2, 3))
    assert "The coarser cut into 3 has natural gaps." in found.sentence


def test_constructive_proposal_is_simple_useful_and_flagged() -> None:
    found = decide(panel_of(option(2, 0.3), option(3, 0.56), option(4, 0.6), option(5, 0.9, share=0.01)))
    assert (found.k, found.structure) == (3, "constructive")
    assert found.sentence.startswith("Nothing better than a constructive cut is to be had with 2 to 5 segments")
    assert "3 are proposed" in found.sentence


def test_single_number_that_fails_is_not_called_a_proposal() -> None:
    found = decide(panel_of(option(4, 0.3)))
    assert "cut is to be had with 4 segments" in found.sentence
    assert "proposed" not in found.sentence


def test_constructive_proposal_without_any_useful_size_still_names_a_number() -> None:
    assert decide(panel_of(option(2, 0.7, share=0.01), option(3, 0.9, share=0.01))).k == 3


def test_mcdonalds_has_four_reproducible_segments(mcdonalds: Floats) -> None:
    evidence = panel(mcdonalds)
    found = decide(evidence)
    assert (found.k, found.structure, found.natural) == (4, "reproducible", ())
    assert [option.k for option in evidence.options] == list(range(2, 9))
    four = evidence.options[2]
    assert four.solution.sizes.tolist() == [580, 318, 315, 240]
    np.testing.assert_allclose(four.solution.centres[0], mcdonalds[four.solution.labels == 0].mean(axis=0))
    assert (four.ari.shape, four.jaccard.shape) == ((20,), (4,))
    assert (evidence.rows, evidence.of_rows, evidence.how.starts) == (1453, 1453, 25)


@pytest.mark.parametrize("groups", [3, 4, 5])
@pytest.mark.parametrize("seed", [1, 2])
def test_planted_groups_are_found_and_natural(groups: int, seed: int) -> None:
    found = decide(panel(planted(groups, seed), range(2, 8), how=replace(QUICK, starts=25)))
    assert (found.k, found.structure) == (groups, "natural")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", ["normal", "uniform"])
def test_noise_is_constructive(shape: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(300, 5)) if shape == "normal" else rng.random((300, 5))
    found = decide(panel(table, range(2, 6), how=QUICK))
    assert (found.structure, found.passed) == ("constructive", ())


@pytest.mark.parametrize("seed", range(3))
def test_one_long_cloud_can_be_cut_reproducibly_but_not_naturally(seed: int) -> None:
    table = np.random.default_rng(seed).normal(size=(600, 3)) * [6, 1, 1]
    found = decide(panel(table, [2], how=QUICK))
    assert (found.k, found.structure) == (2, "reproducible")
    assert "no clear gaps" in found.sentence


def test_numbers_that_the_rows_cannot_fill_are_left_out_and_named() -> None:
    evidence = panel(np.arange(30.0)[:, None] % 3, range(2, 6), how=QUICK)
    assert [option.k for option in evidence.options] == [2, 3]
    assert evidence.left_out == (4, 5)


def test_constant_columns_do_not_disturb() -> None:
    table = planted(3, 1, n=200)
    plain = panel(table, [2, 3], how=QUICK)
    padded = panel(np.column_stack([table, np.ones(200)]), [2, 3], how=QUICK)
    assert decide(plain) == decide(padded)
    assert [option.mean_ari for option in plain.options] == [option.mean_ari for option in padded.options]


def test_large_table_is_sampled_repeatably_and_says_so() -> None:
    table = planted(3, 2, n=5000)
    first, again = (panel(table, [3], how=QUICK, max_rows=200) for _ in range(2))
    assert (first.rows, first.of_rows) == (200, 5000)
    assert np.array_equal(first.options[0].ari, again.options[0].ari)
    np.testing.assert_allclose(first.options[0].solution.centres.mean(), table.mean(), atol=1)


def test_smallest_segment_is_measured_in_customers() -> None:
    table = np.repeat([0.0, 1.0], [10, 10])[:, None]
    weights = np.repeat([1.0, 99.0], [10, 10])
    assert panel(table, [2], weights=weights, how=QUICK).options[0].smallest_share == pytest.approx(0.01)


def test_progress_counts_every_step_up_to_the_total() -> None:
    seen: list[tuple[int, int]] = []
    panel(planted(2, 1, n=40), [2, 3], how=Resampling(3, 2), progress=lambda *step: seen.append(step))
    assert seen == [(done, 10) for done in range(1, 11)]


@pytest.mark.parametrize(
    ("table", "ks", "message"),
    [
        (np.zeros((50, 3)), range(2, 5), "1 different combination of values"),
        (np.ones((1, 3)), range(2, 5), "1 different combination of values"),
        (np.arange(9.0)[:, None], [2], "fewer than 10"),
        (np.arange(20.0)[:, None], [], "at least 2"),
        (np.arange(20.0)[:, None], [1, 2], "at least 2"),
    ],
)
def test_table_without_an_answer_is_refused_in_words(table: Floats, ks: list[int], message: str) -> None:
    with pytest.raises(FitError, match=message):
        panel(table, ks)
