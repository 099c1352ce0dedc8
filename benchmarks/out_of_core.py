"""A full run of 10M customers and 100M order lines in 8 GB, against one of a tenth of that.

It takes half an hour a round and about 30 GB of disk: it is run where SEGMENTRY_BENCH_LARGE=1.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from benchmarks import full_run, shop
from benchmarks.measure import Benchmark, Budget, Contender, NotEqualError, Results, Work, main, memory

SIZES = {"small": shop.customers(1_000_000), "large": shop.customers(10_000_000)}
# What DuckDB may hold; Python, the sample and Arrow come on top.
MEMORY_LIMIT = "6GB"


def inputs(data: Path) -> None:
    """The exports of both sizes."""
    for people in SIZES.values():
        shop.exports(data, people, "parquet")


def small(data: Path, out: Path) -> Work:
    """A run of the tenth."""
    return _limited(data, out, SIZES["small"])


def large(data: Path, out: Path) -> Work:
    """A run of the whole."""
    return _limited(data, out, SIZES["large"])


def _limited(data: Path, out: Path, people: int) -> Work:
    os.environ["SEGMENTRY_MEMORY_LIMIT"] = MEMORY_LIMIT
    run = full_run.run(out, shop.exports(data, people, "parquet"))

    def work() -> dict[str, float]:
        stages = run() or {}
        million_lines = people * shop.LINES_EACH / 1e6
        each = {f"{stage}, s per million lines": round(s / million_lines, 3) for stage, s in stages.items()}
        return {"s per million lines": round(sum(stages.values()) / million_lines, 3), **each}

    return work


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """Every customer has a segment in every segmentation."""
    del data
    expected = dict(zip((SMALL, LARGE), SIZES.values(), strict=True))
    for name, out in outs.items():
        people = expected[name]
        for segmentation, by_segment in full_run.sizes(out).items():
            if sum(by_segment.values()) != people:
                raise NotEqualError(f"{name}: {segmentation} places {sum(by_segment.values())} of {people} customers.")


def _growth(results: Results) -> float:
    """Seconds per line of the whole against those of the tenth."""
    share = SIZES["large"] / SIZES["small"]
    return results[LARGE].seconds / results[SMALL].seconds / share


SMALL, LARGE = (f"Segmentry, {people * shop.LINES_EACH / 1e6:g}M lines" for people in SIZES.values())

BENCHMARK = Benchmark(
    title="Out of core",
    about=f"Full runs of {SIZES['small']:,} and {SIZES['large']:,} customers with ten order lines each, from Parquet; "
    f"SEGMENTRY_MEMORY_LIMIT={MEMORY_LIMIT}.",
    contenders=(Contender(SMALL, small, "segmentry"), Contender(LARGE, large, "segmentry")),
    reference=SMALL,
    inputs=inputs,
    agree=agree,
    budgets=(
        memory(LARGE, 8),
        # linear: a line of many costs what a line of few costs, give or take a fifth
        Budget("a line costs at most 1.2 times what it costs at a tenth of the size", 1.2, _growth, (SMALL, LARGE)),
    ),
    skipped="" if shop.LARGE else "set SEGMENTRY_BENCH_LARGE=1 to run it; a round takes half an hour and 30 GB of disk",
)

if __name__ == "__main__":
    main(BENCHMARK)
