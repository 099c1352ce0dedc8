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
