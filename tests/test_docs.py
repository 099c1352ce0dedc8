"""The documentation is executed: guides follow from the code, README's Python runs, its commands exist."""

from __future__ import annotations

import doctest
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import typer

import segmentry as sg
from segmentry.apps import cli
from segmentry.catalogue import Model
from tests.engines import on, on_every_engine


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_guides_are_what_the_code_says(project_root: Path) -> None:
    writer = _module(project_root / "scripts" / "write_docs.py")
    for name, text in writer.guides().items():
        assert (project_root / "docs" / "guides" / name).read_text(encoding="utf-8") == text, (
            f"docs/guides/{name} is outdated: run `python scripts/write_docs.py`"
        )
        assert "|  |\n" not in text.replace("| unit | personal |", ""), f"{name}: something is not described"


@pytest.mark.parametrize("page", ["README.md", "docs/guides/latent_classes.md"])
def test_python_of_a_page_runs(project_root: Path, page: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (project_root / page).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), {})


def _write_files(guide: str, folder: Path, csv: str) -> None:
    """The files that a guide shows, each after a line that ends in its name, or in what it is."""
    for file, kind in ((csv, "csv"), ("segmentry.yaml", "yaml")):
        block = re.search(rf"{file}[^\n]*:\n```{kind}\n(.*?)```", guide, re.DOTALL)
        assert block is not None
        (folder / file).write_text(block[1], encoding="utf-8")


def test_the_guide_to_segments_is_what_python_says(project_root: Path) -> None:
    done = doctest.testfile(str(project_root / "docs" / "guides" / "segments.md"), module_relative=False)
    assert done.attempted > 15
    assert done.failed == 0


def test_the_guide_to_declared_traits_is_what_a_run_gives(project_root: Path, tmp_path: Path) -> None:
    guide = (project_root / "docs" / "guides" / "declared_traits.md").read_text(encoding="utf-8")
    _write_files(guide, tmp_path, "events.csv")
    space = sg.open(tmp_path)
    assert space.run() == {}
    with space.reading() as reading:
        rows = {r["customer_id"]: r for r in reading.find("traits").to_pyarrow().to_pylist()}
        placed = {r["customer_id"]: r["segment"] for r in reading.find("memberships").to_pyarrow().to_pylist()}
    space.close()
    told = re.findall(r"^\| ([a-z0-9_]+) \| (\S+) \| (\S+) \|", guide, re.MULTILINE)[1:]
    words = {"true": True, "false": False}
    found = [(name, words.get(a, a), words.get(b, b)) for name, a, b in told]
    assert {n for n, _, _ in found} == set(space.config.traits)
    for name, ann, bob in found:
        values = [v if isinstance(v, bool) else str(v) for v in (rows["ann"][name], rows["bob"][name])]
        assert values == [ann, bob], name
    assert placed == {"ann": "Hot", "bob": "Lost"}


@pytest.mark.parametrize("model", ["firmographic", "geographic", "demographic"])
def test_the_guides_to_models_are_what_a_run_gives(project_root: Path, tmp_path: Path, model: str) -> None:
    guide = (project_root / "docs" / "guides" / f"{model}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^([a-z]+\.(?:csv|yaml)):\n```[a-z]+\n(.*?)```", guide, re.DOTALL | re.MULTILINE)
    for file, text in blocks:
        (tmp_path / file).write_text(text, encoding="utf-8")
    space = sg.open(tmp_path)
    assert space.run() == {}
    told = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*", guide, re.MULTILINE)]
    (table, *names), _, *rows = told
    key = "account_id" if table == "account_traits" else "customer_id"
    with space.reading() as reading:
        found = {r[key]: r for r in reading.find(table).to_pyarrow().to_pylist()}
        for name in reading.segmentations():
            for row in reading.find("memberships", name).to_pyarrow().to_pylist():
                found[row[key]][f"segment of {name}"] = row["segment"]
    space.close()
    assert len(rows) > 5
    for trait, *values in rows:
        assert [str(found[n][trait]) for n in names] == values, trait


def test_the_guide_to_needs_is_what_a_run_gives(project_root: Path, tmp_path: Path) -> None:
    guide = (project_root / "docs" / "guides" / "needs.md").read_text(encoding="utf-8")
    _write_files(guide, tmp_path, "survey.csv")
    space = sg.open(tmp_path)
    assert space.run() == {}
    with space.reading() as reading:
        rows = {r["customer_id"]: r for r in reading.find("traits").to_pyarrow().to_pylist()}
        needs = {n.need: n for n in reading.needs().needs if n.segment == "all customers"}
    space.close()
    words = {"–": None, "true": True, "false": False}
    told = re.findall(r"^\| ([a-z0-9_]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", guide, re.MULTILINE)[1:]
    assert len(told) == 8
    for name, *cells in told:
        found = [rows[who][name] for who in ("ann", "bob", "fay")]
        assert [v if v is None or isinstance(v, bool) else str(v) for v in found] == [words.get(c, c) for c in cells], (
            name
        )
    table = re.findall(r"^\| ([A-Z][a-z ]+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", guide, re.MULTILINE)
    assert {name for name, *_ in table} == set(needs)
    for name, people, *figures in table:
        n = needs[name]
        assert (people, figures) == (str(n.n), [f"{x:.1f}" for x in (n.importance, n.satisfaction, n.opportunity)]), (
            name
        )


@pytest.mark.parametrize("name", ["behavioral", "technographic"])
def test_the_guide_to_a_model_is_what_a_run_gives(project_root: Path, tmp_path: Path, name: str) -> None:
    guide = (project_root / "docs" / "guides" / f"{name}.md").read_text(encoding="utf-8")
    for file, block in re.findall(r"^(\S+\.(?:csv|yaml)):\n```\w+\n(.*?)```", guide, re.DOTALL | re.MULTILINE):
        (tmp_path / file).write_text(block, encoding="utf-8")
    space = sg.open(tmp_path)
    assert space.run() == {}
    with space.reading() as reading:
        rows = {r["customer_id"]: r for r in reading.find("traits").to_pyarrow().to_pylist()}
        placed = {r["customer_id"]: r["segment"] for r in reading.find("memberships").to_pyarrow().to_pylist()}
    space.close()

    def shown(value: object) -> str:
        return (
            f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value).replace("None", "null")
        )

    told = re.findall(r"^\| ([a-z0-9_]+) \| (\S+(?: \S+)?) \| (\S+(?: \S+)?) \|$", guide, re.MULTILINE)[1:]
    assert len(told) > 10
    for trait, ann, bob in told:
        assert [shown(rows["ann"][trait]), shown(rows["bob"][trait])] == [ann, bob], trait
    for customer, segment in placed.items():
        assert f"{customer} is in {segment}" in guide


def test_the_guide_to_samples_is_what_a_run_gives(project_root: Path, tmp_path: Path) -> None:
    guide = (project_root / "docs" / "guides" / "sample.md").read_text(encoding="utf-8")
    _write_files(guide, tmp_path, "people.csv")
    space = sg.open(tmp_path)
    assert space.run() == {}
    made = space.sample(out=tmp_path / "sample.parquet")
    told = re.findall(r"^\| ([a-z0-9_]+) \| ([^|]+) \| (\d+) % \| (yes|no) \|$", guide, re.MULTILINE)
    changes = [
        (c["trait"], c["done"], f"{c['lost']:.0%}"[:-1], "yes" if c["applies"] else "no")
        for c in made.facts["statement"]["changes"]
    ]
    assert changes == told
    report = space.segmentation("groups").report
    assert any("age" in w and "gender" in w for w in report["warnings"])
    analyst = tmp_path / "analyst"
    analyst.mkdir()
    config = (tmp_path / "segmentry.yaml").read_text(encoding="utf-8")
    more = re.findall(r"```yaml\n(  ages:.*?)```", guide, re.DOTALL)[0]
    (analyst / "segmentry.yaml").write_text(config + more, encoding="utf-8")
    other = sg.open(analyst)
    summary = other.fit_sample("value", tmp_path / "sample.parquet")
    other.close()
    assert sum(s.customers for s in summary.segments) == 40
    space.adopt("value", analyst / "segmentations/value/v1.json")
    space.assign("value")
    assert space.summary("value").version == 2
    space.close()


def test_commands_of_the_documentation_exist(project_root: Path) -> None:
    group: Any = typer.main.get_command(cli.app)
    pages = [project_root / "README.md", *(project_root / "docs").glob("*.md")]
    named = {m for page in pages for m in re.findall(r"`?segmentry ([a-z]+)", page.read_text(encoding="utf-8"))}
    assert named - {"run"}
    assert named - {"as"} <= set(group.commands)  # `import segmentry as sg`


def test_public_names_are_few_and_pinned() -> None:
    assert sorted(sg.__all__) == [
        "Bands",
        "KMeans",
        "KPrototypes",
        "LatentClasses",
        "Mixtures",
        "Rfm",
        "Rules",
        "Segmentation",
        "SegmentryError",
        "Trees",
        "ValueTiers",
        "Workspace",
        "create",
        "lifetime",
        "open",
    ]
    for name in sg.__all__:
        assert getattr(sg, name) is not None


@on_every_engine
def test_the_guide_to_themes_is_what_a_run_gives(
    engine: str, project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (project_root / "docs" / "guides" / "themes.md").read_text(encoding="utf-8")
    program, settings, shown = (
        re.search(rf"{before}\n```{kind}\n(.*?)```", guide, re.DOTALL)
        for before, kind in (("writes tickets.csv:", "python"), ("segmentry.yaml:", "yaml"), ("shows them:", ""))
    )
    assert program
    assert settings
    assert shown
    monkeypatch.chdir(tmp_path)
    exec(compile(program[1], "themes.md", "exec"), {})
    (tmp_path / "segmentry.yaml").write_text(on(engine, settings[1]), encoding="utf-8")
    space = sg.open(tmp_path)
    assert space.run() == {}
    with space.reading() as reading:
        rows = reading.find("traits").to_pyarrow().to_pylist()
        placed = [r["segment"] for r in reading.find("memberships").to_pyarrow().to_pylist()]
    assert sum(row["texts"] for row in rows) == 600
    shares = [name for name in rows[0] if name.startswith("theme_")]
    assert all(abs(sum(row[name] for name in shares) - 1) < 1e-9 for row in rows)
    waiting = [row for row in rows if row["theme_damaged_box_delivery"] > 0.6]
    assert (placed.count("Waiting for parcels"), len(placed)) == (len(waiting), 250)
    assert len(waiting) > 10
    run = space.state.current()["traits"]
    space.traits()
    assert space.state.current()["traits"].id == run.id  # nothing new was written, so nothing is learned or read anew
    space.close()
    monkeypatch.setenv("COLUMNS", "200")
    cli.app(["themes"], standalone_mode=False)
    assert capsys.readouterr().out == shown[1]


@pytest.mark.parametrize("model", list(Model))
def test_every_model_has_a_guide_with_a_picture(project_root: Path, model: str) -> None:
    guide = project_root / "docs" / "guides" / f"{model}.md"
    (alt, path), *_ = re.findall(r"!\[(.+?)\]\((.+?)\)", guide.read_text(encoding="utf-8"))
    picture = (guide.parent / path).read_bytes()
    assert alt
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 60_000
