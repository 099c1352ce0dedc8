"""Where nothing is, nothing is found, whatever the method: the quick part of ``benchmarks/structure.py``."""

from __future__ import annotations

import pytest
from benchmarks import structure

from segmentry.segment import choose as choosing
from segmentry.stats.stability import Resampling


@pytest.mark.parametrize("method", structure.FOR)
def test_noise_gives_no_segments(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing.choosing, "INTERACTIVE", Resampling(pairs=3, more=12))
    monkeypatch.setattr(choosing, "KS", range(2, 4))
    found = [structure.noise(method, seed, 200) for seed in range(3)]
    assert [each for each in found if not each["right"]] == []
    assert len({each["kind"] for each in found}) > 1


def test_a_behaviour_that_nothing_tells_has_no_favourable_traits() -> None:
    """The whole study is in decision 0046: ``python -m benchmarks.structure objectives``."""
    found = [structure.behaviour("objective", seed, 500) for seed in range(6)]
    assert {each["kind"] for each in found} == set(structure.BEHAVIOURS)
    assert all(each["tried"] > 12 for each in found)
    assert sum(each["right"] for each in found) >= 5  # of 20 fits one may find something
    assert all(each["found"] > each["false"] for each in found if each["kind"] == "one trait tells")
