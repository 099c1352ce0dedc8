"""Market research notes: validated, kept with comments, shown beside the segment or trait they speak of."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from tests.processes import segmentry
from tests.shops import CONFIG, opened, orders, shop

from segmentry.apps.report import render
from segmentry.data import market
from segmentry.data.market import Known, Note
from segmentry.errors import ConfigError, UsageError

KNOWN = Known(frozenset({"age", "monetary"}), {"value": ("High", "Low"), "needs_groups": None})
CLAIM = Note(claim="Few bring most.", about=("value.High",), source="Trade body", date=date(2026, 3, 1))


def test_notes_are_kept_with_the_comments_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "market_notes.yaml"
    path.write_text(
        "# from the library\nnotes:\n  - claim: Older people spend more.  # check\n    about: [age, monetary]\n"
        "    source: Census\n    date: 2025-01-31\n    strength: weak\n"
    )
    market.add(tmp_path, CLAIM, KNOWN)
    text = path.read_text()
    assert "# from the library" in text
    assert "# check" in text
    first, second = market.load(tmp_path, KNOWN)
    assert second == CLAIM
    assert first.about == ("age", "monetary")
    assert market.about((first, second), "value.high", "age") == (second, first), "the latest first"
    assert str(first) == "Older people spend more. (Census, 2025-01-31, weak evidence)"


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ("value.Hihg", "value has no segment 'Hihg'. Did you mean 'High'?"),
        ("aeg", "there is no model, trait, objective, segmentation or segment 'aeg'. Did you mean 'age'?"),
        ("valeu.High", "Did you mean 'value.High'"),
        ("demografic", "Did you mean 'demographic'"),
    ],
)
def test_a_note_about_nothing_is_refused_and_nothing_written(tmp_path: Path, about: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        market.add(tmp_path, CLAIM.model_copy(update={"about": (about,)}), KNOWN)
    assert said in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("about", ["demographic", "age", "value", "value.high", "needs_groups.Anything"])
def test_models_traits_segmentations_and_segments_can_be_spoken_of(tmp_path: Path, about: str) -> None:
    market.add(tmp_path, CLAIM.model_copy(update={"about": (about,)}), KNOWN)
    assert market.load(tmp_path, KNOWN)[0].about == (about,)


GOOD = "notes:\n  - claim: a\n    about: age\n    source: s\n    date: 2026-01-01\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("age", "aeg"), "market_notes.yaml:3 notes.0.about: there is no model, trait"),
        (GOOD.replace("source", "soruce"), ":4 notes.0.soruce: this key is not known. Did you mean 'source'"),
        (GOOD.replace("    source: s\n", ""), "notes.0.source: this key is needed and missing"),
        (GOOD.replace("2026-01-01", "yesterday"), "market_notes.yaml:5 notes.0.date: 'yesterday' is no date"),
        (GOOD + "    strength: huge\n", ":6 notes.0.strength: 'huge' is not allowed. Allowed: moderate"),
        ("notes: {a: b}\n", "notes: must be a list"),
        ("notes:\n  - a claim\n", "market_notes.yaml:2 notes.0: must be a mapping"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_told_with_its_line_and_the_file_stays(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "market_notes.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        market.load(tmp_path, KNOWN)
    assert said in str(caught.value)
    with pytest.raises(ConfigError):
        market.add(tmp_path, CLAIM, KNOWN)
    assert path.read_text() == text


def test_a_segment_that_is_gone_is_told_and_stops_nothing(tmp_path: Path) -> None:
    market.add(tmp_path, CLAIM, KNOWN)
    later = Known(KNOWN.traits, {"value": ("Top", "Rest")})
    notes = market.load(tmp_path, later)
    assert market.astray(notes, later) == (
        "market_notes.yaml: 'Few bring most.': value has no segment 'High'. Allowed: Rest, Top.",
    )


def test_notes_stand_in_describe_and_in_the_report(tmp_path: Path) -> None:
    config = CONFIG.replace("  rfm: {method: rfm}\n", "").replace(
        "primary: rfm", "primary: value\ndescribe_by: [lifecycle_stage, monetary]"
    )
    root = shop(tmp_path / "w", orders(60), config)
    space = opened(root)
    space.run()
    for about, claim in (
        ("value.High", "A fifth brings <most>."),
        ("monetary", "Spending grows."),
        ("value", "ABC holds."),
    ):
        done = segmentry(
            "note", "add", claim, "--about", about, "--source", "Trade body", "--date", "2026-03-01", "-w", root
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    described = segmentry("describe", "value", "-w", root).stdout
    assert "Market: A fifth brings <most>. (Trade body, 2026-03-01)" in described
    assert "Market: ABC holds." in described
    assert "Spending grows." in described
    high = json.loads(segmentry("describe", "value", "--segment", "High", "--json", "-w", root).stdout)[0]
    assert [n["claim"] for n in high["notes"]] == ["A fifth brings <most>."]
    page = render(space.overview())
    for text in ("A fifth brings &lt;most&gt;.", "Spending grows.", "ABC holds."):
        assert text in page
    wrong = segmentry("note", "list", "--about", "value.Hig", "-w", root)
    assert wrong.returncode == 2
    assert "Did you mean 'High'" in wrong.stderr
    assert len(json.loads(segmentry("note", "list", "--json", "-w", root).stdout)) == 3
