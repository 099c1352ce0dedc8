"""What `segmentry demo` ends with."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.apps import overviews

from segmentry.apps import story
from segmentry.data.simulation.comparison import Distance

FOUND = (
    Distance("who owns whom", "all parents are right", 1.0),
    Distance("what customers need", "5 segments of needs against 5 planted", 0.64, 0.68),
    Distance("who buys tablets", "the best tenth buys more", 2.57, 4.11),
)


def test_story_tells_what_was_found_beside_what_an_oracle_reaches(capsys: pytest.CaptureFixture[str]) -> None:
    story.tell(overviews.realistic(), FOUND, Path("demo-company/report.html"))
    told = capsys.readouterr().out
    assert "  1.00  who owns whom: all parents are right.\n" in told
    assert "  0.64 (0.68)  what customers need: 5 segments of needs against 5 planted.\n" in told
    assert "  2.57x (4.11x)  who buys tablets: the best tenth buys more.\n" in told  # how many times as often
    assert "  and 10 more: segmentry segments rfm -w demo-company\n" in told
    assert "Planted, and not looked for yet: who answers which offer" in told


def test_commands_to_paste_are_called_as_this_program_was(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", [".venv/bin/segmentry", "demo"])
    story.tell(overviews.realistic(), FOUND, Path("demo-company/report.html").resolve())
    told = capsys.readouterr().out
    assert "  and 10 more: .venv/bin/segmentry segments rfm -w demo-company\n" in told
    assert "Try: .venv/bin/segmentry segments -w demo-company   .venv/bin/segmentry describe" in told


def test_story_as_json_has_scores_and_what_is_perfect() -> None:
    found = story.as_json(overviews.realistic(), FOUND, Path("report.html"))
    assert list(FOUND) == found["planted"]
    assert {"headline", "segmentations", "not_fitted", "not_looked_for", "report"} < set(found)
