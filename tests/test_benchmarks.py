"""The benchmarks at a thousandth of their size: the contenders agree, and the page of tables is written.

What is too slow or too large is judged by nobody here: small sizes and busy machines say nothing about speed.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from benchmarks import __main__ as runner
from benchmarks import methods, start
from benchmarks.measure import NotEqualError, same

from tests.shops import ONE_SEGMENTATION, opened

# Peers of the dependency group `bench`, which the environment of the tests does not have.
ONLY_IN_BENCH = {"kmodes", "lifetimes", "pymc-marketing", "clvkit", "rfm", "StepMix"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, ran_shop: Path) -> Path:
    """Where the contenders find their inputs; the company that `start` looks at is one that ran already."""
    folder = tmp_path_factory.mktemp("bench-data")
    company = shutil.copytree(ran_shop, folder / start.COMPANY)
    (company / "segmentry.yaml").write_text(f"{ONE_SEGMENTATION}  rfm: {{method: rfm}}\n", encoding="utf-8")
    space = opened(company)
    assert space.run() == {}
    space.close()
    return folder


# Runs of whole workspaces, which cost minutes here and are what test_engines.py and full_run do, too; and thirteen
# processes, of which the test below does the work in one.
ONLY_READ = ("engines", "out_of_core", "methods")


@pytest.mark.parametrize("name", ONLY_READ)
def test_the_reference_is_a_contender(name: str):
    benchmark = importlib.import_module(f"benchmarks.{name}").BENCHMARK
    assert benchmark.reference in {contender.name for contender in benchmark.contenders}


@pytest.mark.parametrize("name", [name for name in runner.NAMES if name not in ONLY_READ])
def test_contenders_agree_and_the_table_is_written(name: str, data: Path, tmp_path: Path, project_root: Path):
    tiny = {"SEGMENTRY_BENCH_SCALE": ".001", "SEGMENTRY_BENCH_ROUNDS": "0"}
    page = tmp_path / "README.md"
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--out", str(page)],
        cwd=project_root,
        env={**os.environ, **tiny, "SEGMENTRY_BENCH_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    lines: list[dict[str, Any]] = [json.loads(line) for line in ran.stdout.splitlines()]
    contenders = [line for line in lines if line["kind"] == "contender"]
    assert contenders
    for line in contenders:
        if line["name"].partition(",")[0] not in ONLY_IN_BENCH:
            assert not line["problem"], line
            assert line["seconds"] > 0
            assert line["peak_gb"] > 0
    text = page.read_text(encoding="utf-8")
    for line in contenders:
        assert f"| {line['name']} |" in text
    for line in (line for line in lines if line["kind"] == "budget"):
        assert line["hit"] is None, "a small size must not be judged"
        assert f"| {line['text']} |" in text


def test_every_method_is_fitted_and_finds_what_was_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEGMENTRY_BENCH_SCALE", ".001")
    methods.inputs(tmp_path)
    chosen = [c for c in methods.BENCHMARK.contenders if not c.name.endswith("auto")]
    assert {c.name.partition(",")[0] for c in chosen} >= {"k-means", "mixtures", "trees", "rules", "rfm"}
    outs = {contender.name: tmp_path / contender.prepare.__name__ for contender in chosen}
    for contender in chosen:
        outs[contender.name].mkdir()
        assert contender.prepare(tmp_path, outs[contender.name])()["segments"] > 1
    methods.agree(tmp_path, outs)
    outs["k-means, 4 segments"] = outs["bands"]
    with pytest.raises(NotEqualError, match="agreement with the planted kinds"):
        methods.agree(tmp_path, outs)


def test_a_peer_that_cannot_run_is_a_row_with_the_reason():
    claim = {"kind": "claim", "benchmark": "rfm", "title": "RFM", "about": "", "reference": "SQL", "skipped": ""}
    where = {
        "date": "2026-01-01",
        "cores": 2,
        "memory_gb": 8,
        "python": "3",
        "duckdb": "1",
        "segmentry": "0",
        "scale": 1,
    }
    absent = {
        "kind": "contender",
        "benchmark": "rfm",
        "name": "peer",
        "version": "not installed",
        "runs": [],
        "told": {},
    }
    page = runner.page([{**claim, **where}, {**absent, "problem": "No module named 'peer'"}])
    assert "| peer | not installed | not run: No module named 'peer' |" in page


def test_a_skipped_benchmark_says_why():
    where = {
        "date": "2026-01-01",
        "cores": 2,
        "memory_gb": 8,
        "python": "3",
        "duckdb": "1",
        "segmentry": "0",
        "scale": 1,
    }
    claim = {
        "kind": "claim",
        "benchmark": "large",
        "title": "Large",
        "about": "",
        "reference": "",
        "skipped": "too long",
    }
    assert "Not run: too long." in runner.page([{**claim, **where}])


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        ("SELECT 1 AS k, 2.0 AS x, 'a' AS t", "no partner"),
        ("SELECT * FROM (VALUES (1, 2.0::DOUBLE, 'a'), (2, 3.001::DOUBLE, 'b')) v(k, x, t)", "x"),
        ("SELECT * FROM (VALUES (1, 2.0::DOUBLE, 'a'), (2, NULL, 'b')) v(k, x, t)", "x"),
        ("SELECT * FROM (VALUES (1, 2.0::DOUBLE, 'a'), (2, 3.0::DOUBLE, 'c')) v(k, x, t)", "t"),
        ("SELECT * FROM (VALUES (1, 2.0::DOUBLE, 'a'), (2, 3.0000000001::DOUBLE, 'b')) v(k, x, t)", None),
    ],
)
def test_different_outputs_are_found(theirs: str, why: str | None, tmp_path: Path):
    ours = "SELECT * FROM (VALUES (1, 2.0::DOUBLE, 'a'), (2, 3.0::DOUBLE, 'b')) v(k, x, t)"
    for name, query in (("ours", ours), ("theirs", theirs)):
        duckdb.sql(f"COPY ({query}) TO '{tmp_path}/{name}.parquet'")
    a, b = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    if why is None:
        same(a, b, "k", ("x", "t"))
    else:
        with pytest.raises(NotEqualError, match=why):
            same(a, b, "k", ("x", "t"))


def test_the_page_is_made_of_the_results_that_are_kept(project_root: Path):
    folder = project_root / "benchmarks"
    assert (folder / "README.md").read_text("utf-8") == runner.page(runner.kept(folder / "results"))
