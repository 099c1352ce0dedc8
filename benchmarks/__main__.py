"""Run all benchmarks and write their tables: ``python -m benchmarks [--out FILE] [NAME ...]``.

Every benchmark prints JSON lines, which are passed on and kept in results/; the tables of all that are kept go into
README.md beside this file. So the rows of some can be measured anew, and each says of which day it is. Settings:
SEGMENTRY_BENCH_SCALE (1: the full size), SEGMENTRY_BENCH_ROUNDS (5), SEGMENTRY_BENCH_LARGE=1 (the out of core run too).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NOT_BENCHMARKS = {"__init__", "__main__", "measure", "shop", "structure"}
NAMES = tuple(sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHMARKS))

Line = dict[str, Any]

_TOP = """\
# Benchmarks

Written by `make bench`, which runs one file per claim. In each, the outputs of all contenders are first checked to be
equal; then they take turns, every run in a process of its own. What is timed is the work, not the start of Python and
its imports. Seconds are the median of the runs; memory is the largest peak of any of them.

`python -m benchmarks.rfm` runs one and prints JSON lines; SEGMENTRY_BENCH_SCALE=.01 makes it small,
SEGMENTRY_BENCH_LARGE=1 has the out of core run done as well. The sizes, the data and the peers are in the files.
Why a budget is missed: [misses.md](misses.md).
"""


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks named, or all, and write the page; gives 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run benchmarks and write their tables.")
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help="default: all")
    parser.add_argument("--out", type=Path, default=HERE / "README.md", help="file of the tables")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="segmentry-bench-data-") as data:
        shared = {"SEGMENTRY_BENCH_DATA": os.environ.get("SEGMENTRY_BENCH_DATA", data)}
        failed = [_run(name, shared, chosen.out.parent / "results") for name in chosen.names or NAMES]
    chosen.out.write_text(page(kept(chosen.out.parent / "results")), encoding="utf-8")
    print(f"wrote {chosen.out}", file=sys.stderr)
    return int(any(failed))


def kept(folder: Path) -> list[Line]:
    """The lines of the last run of every benchmark there is."""
    files = (folder / f"{name}.jsonl" for name in NAMES)
    return [json.loads(text) for file in files if file.exists() for text in file.read_text("utf-8").splitlines()]


def _run(name: str, shared: dict[str, str], folder: Path) -> bool:
    """Run one benchmark and keep its lines; gives whether it failed. A failure is a line, too."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{name}"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE.parent,
        env={**os.environ, **shared},
    )
    lines: list[Line] = []
    for text in process.stdout or ():
        print(text, end="", flush=True)
        lines.append(json.loads(text))
    if process.wait():
        lines.append({"kind": "failure", "benchmark": name, "text": f"It stopped with exit code {process.returncode}."})
    folder.mkdir(exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return bool(process.returncode)


def page(lines: Iterable[Line]) -> str:
    """The tables of all benchmarks, in Markdown."""
    by_benchmark: dict[str, list[Line]] = {}
    for line in lines:
        by_benchmark.setdefault(line["benchmark"], []).append(line)
    return _TOP + "".join(section(name, of) for name, of in by_benchmark.items())


def section(name: str, lines: Sequence[Line]) -> str:
    """The table of one benchmark, and how it stands to its budget."""
    parts = []
    for line in lines:
        if line["kind"] == "claim":
            parts.append(_heading(line))
        if line["kind"] == "failure":
            parts += [] if len(lines) > 1 else [f"\n## {name}\n"]
            parts.append(f"\nFAILED: {line['text']}\n")
    rows = [line for line in lines if line["kind"] == "contender"]
    if rows:
        reference = next(line["reference"] for line in lines if line["kind"] == "claim")
        parts.append(f"\n| | version | seconds | runs | processor seconds | against {reference} | peak memory |\n")
        parts.append("|---|---|---:|---:|---:|---:|---:|\n")
        parts += [_row(row) for row in rows]
        parts += [_told(row) for row in rows if row["told"]]
    budgets = [line for line in lines if line["kind"] == "budget"]
    if budgets:
        parts.append("\n| budget | measured | |\n|---|---:|---|\n")
        parts += [_budget(line) for line in budgets]
    return "".join(parts)


def _heading(claim: Line) -> str:
    at = "" if claim["scale"] == 1 else f" Scale {claim['scale']:g}: too small to judge the budgets."
    where = (
        f"{claim['date']}, {claim['cores']} cores, {claim['memory_gb']:g} GB of memory, Python {claim['python']}, "
        f"DuckDB {claim['duckdb']}, Segmentry {claim['segmentry']}."
    )
    skipped = f"\nNot run: {claim['skipped']}.\n" if claim["skipped"] else ""
    return f"\n## {claim['title']}\n\n`benchmarks/{claim['benchmark']}.py`. {claim['about']}{at}\n\n{where}\n{skipped}"


def _row(row: Line) -> str:
    if not row["runs"]:
        return f"| {row['name']} | {row['version']} | not run: {_cell(row['problem'])} | 0 | | | |\n"
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    return (
        f"| {row['name']} | {row['version']} | {row['seconds']:.2f} | {len(row['runs'])} | "
        f"{row['processor_seconds']:.2f} | {ratio} | {row['peak_gb']:.2f} GB |\n"
    )


def _told(row: Line) -> str:
    told = (f"{name} {value if isinstance(value, str) else f'{value:g}'}" for name, value in row["told"].items())
    return f"\n{row['name']}: " + ", ".join(told) + ".\n"


def _budget(line: Line) -> str:
    verdict = {True: "hit", False: "MISS", None: "not judged"}[line["hit"]]
    measured = "" if line["measured"] is None else f"{line['measured']:.2f}"
    return f"| {line['text']} | {measured} | {verdict} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
