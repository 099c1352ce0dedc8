"""How long a person waits for the command line: a whole process each, from its start to its end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks import shop
from benchmarks.measure import Benchmark, Contender, NotEqualError, Work, main, seconds, times

COMPANY = "start-company"
CUSTOMERS = 2_000


def inputs(data: Path) -> None:
    """A small company that has been run, for `segmentry segments` to show."""
    from segmentry.workspace import open_workspace

    if (data / COMPANY).exists():
        return
    beside = data / f"{COMPANY}.writing"
    shop.workspace(beside, shop.exports(data, CUSTOMERS, "parquet"), "duckdb")
    space = open_workspace(beside)
    space.run(shop.AS_OF)
    space.close()
    beside.rename(data / COMPANY)


def python(data: Path, out: Path) -> Work:
    """The interpreter alone."""
    del data
    return _process(out, "-c", "pass")


def typer(data: Path, out: Path) -> Work:
    """The command line library that Segmentry is built with."""
    del data
    return _process(out, "-c", "import typer")


def segmentry_help(data: Path, out: Path) -> Work:
    """`segmentry --help`."""
    del data
    return _process(out, "-m", "segmentry", "--help")


def segmentry_segments(data: Path, out: Path) -> Work:
    """`segmentry segments rfm`: reads the database."""
    return _process(out, "-m", "segmentry", "segments", "rfm", "--workspace", str(data / COMPANY))


def _process(out: Path, *arguments: str) -> Work:
    def work() -> None:
        with (out / "said.txt").open("w", encoding="utf-8") as said:
            subprocess.run([sys.executable, *arguments], stdout=said, check=True)

    return work


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """The commands answered."""
    del data
    for name, word in (("segmentry --help", "Usage"), ("segmentry segments", "Champions")):
        if word not in (outs[name] / "said.txt").read_text(encoding="utf-8"):
            raise NotEqualError(f"{name} does not say {word}.")


BENCHMARK = Benchmark(
    title="Start of the command line",
    about=f"Whole processes; `segments` shows a company of {CUSTOMERS:,} customers.",
    contenders=(
        Contender("python -c pass", python),
        Contender("import typer", typer, "typer"),
        Contender("segmentry --help", segmentry_help, "segmentry"),
        Contender("segmentry segments", segmentry_segments, "segmentry"),
    ),
    reference="import typer",
    inputs=inputs,
    agree=agree,
    # "about the time of importing typer": half as much again
    budgets=(times("segmentry --help", "import typer", 1.5), seconds("segmentry segments", 3)),
)

if __name__ == "__main__":
    main(BENCHMARK)
