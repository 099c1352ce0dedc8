"""A dry run: who would move between segments and with what value, and nothing is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import ibis
import pytest
from tests import shops
from typer.testing import CliRunner

from segmentry import artefacts, drafts, engine, rule_checks
from segmentry.apps import cli
from segmentry.target.trial import OUTSIDE_POPULATION, Trial, moves, settings_changed
from segmentry.workspace import Workspace


def test_moves_count_customers_and_their_value() -> None:
    traits = ibis.memtable({"customer_key": [1, 2, 3, 4, 5], "monetary": [10.0, 20.0, None, 40.5, 1.0]})
    before = ibis.memtable({"customer_key": [1, 2, 3, 4], "segment": ["A", "A", "B", "B"]})
    after = ibis.memtable({"customer_key": [1, 2, 3, 5], "segment": ["A", "B", "B", "A"]})
    with engine.in_memory() as con:
        tables = [con.create_table(n, t.to_pandas()) for n, t in (("t", traits), ("b", before), ("a", after))]
        found = moves(tables[1], tables[2], tables[0], "monetary", {"monetary": 40.5})
        rows = {(m.before, m.after): (m.customers, m.value) for m in found}
    assert rows == {
        ("A", "A"): (1, 10.0),
        ("A", "B"): (1, 20.0),
        ("B", "B"): (1, None),
        ("B", OUTSIDE_POPULATION): (1, 40.5),
        (OUTSIDE_POPULATION, "A"): (1, 1.0),
    }


def test_settings_that_differ_are_told_by_key() -> None:
    before = {"traits": ["a"], "segments": "auto", "serve": {"share": 0.05}}
    assert settings_changed(before, {**before, "traits": ["a", "b"], "serve": {"share": 0.1}}) == (
        "serve: share 0.05 -> share 0.1",
        "traits: a -> a, b",
    )
    assert settings_changed(None, before) == ()


def test_of_rules_only_those_that_differ_are_told() -> None:
    def rules(**where: str) -> dict[str, object]:
        return {"segments": [{"name": n.replace("_", " "), "owner": "", "where": w} for n, w in where.items()]}

    before = rules(New="tenure_days < 30", Cooling="recency_days > 90", Lapsed="recency_days > 200")
    assert settings_changed(
        before, rules(New="tenure_days < 30", Cooling_down="recency_days > 90", Lapsed="recency_days > 200")
    ) == ("segments: Cooling is now called Cooling down",)
    assert settings_changed(before, rules(Cooling="recency_days > 60", New="tenure_days < 30", Big="monetary > 9")) == (
        "segments: without Lapsed",
        "segments: new Big (where monetary > 9)",
        "segments.Cooling.where: recency_days > 90 -> recency_days > 60",
        "segments: in the order New, Cooling -> Cooling, New",
    )


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop whose config has changed since it was fitted."""
    root = shops.shop(tmp_path_factory.mktemp("trial"), shops.orders(80))
    first = shops.opened(root)
    first.run()
    first.close()
    text = (root / "segmentry.yaml").read_text(encoding="utf-8")
    (root / "segmentry.yaml").write_text(
        text.replace("value: {method: value_tiers}", "value: {method: value_tiers, cuts: [300, 50], owner: Ana}"),
        encoding="utf-8",
    )
    return shops.opened(root)


def _files(root: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in root.rglob("*") if p.is_file() and "state" not in p.name}


def test_dry_run_says_what_fit_then_does(space: Workspace) -> None:
    files, runs = _files(space.root), space.state.current()
    tried = drafts.try_fit(space, "value")
    assert isinstance(tried, Trial)
    assert _files(space.root) == files
    assert space.state.current() == runs
    assert "owner: none -> Ana" in tried.settings
    then = {name: now + come - go for name in tried.names for now, come, go, _ in [tried.change(name)]}
    value = {name: tried.change(name)[3] for name in tried.names}
    before = {s.name: s for s in space.summary("value").segments}
    space.fit("value")
    space.assign("value")
    for segment in space.summary("value").segments:
        assert then[segment.name] == segment.customers
        assert value[segment.name] == pytest.approx((segment.value or 0) - (before[segment.name].value or 0))
    assert tried.moved > 0
    assert drafts.try_fit(space, "value").moved == 0


def test_versions_tell_what_changed_what_was_said_and_who_signed(space: Workspace) -> None:
    if space.segmentation("value").version == 1:
        space.fit("value")
    space.state.note_statement("ana", "value", 2, "The new limits are those of finance.", signed=True)
    found = artefacts.versions(space.root, space.state.done("fit:value"), space.state.statements("value"))
    assert [v.version for v in found] == [1, 2]
    assert (found[0].signed_by, found[1].signed_by, found[1].owner) == ("", "ana", "Ana")
    assert any(line.startswith("cuts: none -> 300") for line in found[1].changed)
    assert "transactions.amount" in " ".join(found[1].data)
    assert [s.text for s in found[1].said] == ["The new limits are those of finance."]
    first = space.root / "segmentations" / "value" / "v1.json"
    text = first.read_text(encoding="utf-8")
    first.write_text(text.replace('"High"', '"Best"'), encoding="utf-8")
    shown = CliRunner().invoke(cli.app, ["versions", "value", "-w", str(space.root)]).output
    first.write_text(text, encoding="utf-8")
    assert "Cannot be read: segmentations/value/v1.json was changed by hand" in " ".join(shown.split())
    assert "The new limits are those of finance." in shown  # of the other version


def test_trial_before_anybody_was_placed_has_no_moves(space: Workspace) -> None:
    tried = replace(drafts.try_fit(space, "rfm"), moves=())
    assert tried.moved == 0
    assert tried.change(tried.names[0]) == (0, 0, 0, 0.0)


def test_rules_are_counted_as_written_now_and_in_the_report(space: Workspace) -> None:
    with space.reading() as reading:
        (found,) = rule_checks.written(reading, "lifecycle")
        placed = {s.name: s.customers for s in reading.summary("lifecycle").segments}
        assert {r.name: r.takes for r in found.rules} == {n: placed.get(n, 0) for n in ("New", "Active")}
        assert found.rest == placed["Gone quiet"]
        assert rule_checks.frozen(reading) == {"lifecycle": found}
        typed = rule_checks.typed(reading, "recency_days < 0")
    assert [(f.kind, f.level) for f in typed.findings] == [("never", "wrong")]


def test_rules_command_tells_english_counts_and_what_is_wrong(space: Workspace) -> None:
    runner = CliRunner()
    shown = runner.invoke(cli.app, ["rules", "lifecycle", "-w", str(space.root)])
    assert shown.exit_code == 0, shown.output
    assert "lifecycle stage is 'new'" in shown.output
    wrong = runner.invoke(cli.app, ["rules", "--where", "recency_days < 0", "--json", "-w", str(space.root)])
    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)[0]["findings"][0]["text"].startswith("`recency_days < 0` is never true")


def test_definitions_name_their_sources(space: Workspace) -> None:
    assert space.segmentation("value").report["sources"] == ["orders"]
    (version,) = artefacts.versions(space.root, space.state.done("fit:rfm"), ())
    assert version.sources == ("orders",)
