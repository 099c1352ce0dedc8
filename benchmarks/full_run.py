"""A run of a whole workspace, collect to assign, of 1M customers and 10M order lines; without identity resolution.

There is nobody to compare with: a row is the same shop exported as CSV or as Parquet.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import shop
from benchmarks.measure import Benchmark, Contender, NotEqualError, Work, main, memory, say, seconds

if TYPE_CHECKING:
    from segmentry.stages import Event

KINDS = {"CSV": "csv", "Parquet": "parquet"}


def inputs(data: Path) -> None:
    """The exports of the shop, in both forms."""
    for kind in KINDS.values():
        shop.exports(data, shop.customers(), kind)


def csv(data: Path, out: Path) -> Work:
    """A run over CSV exports."""
    return run(out, shop.exports(data, shop.customers(), "csv"))


def parquet(data: Path, out: Path) -> Work:
    """A run over Parquet exports."""
    return run(out, shop.exports(data, shop.customers(), "parquet"))


def run(out: Path, exports: Path, engine: str = "duckdb") -> Work:
    """The first run of a workspace that reads these exports; tells the seconds of every stage."""
    from segmentry.workspace import open_workspace

    shop.wake()
    shop.workspace(out, exports, engine)

    def work() -> dict[str, float]:
        ended: dict[str, float] = {}

        def listener(event: Event) -> None:
            if event.run:
                ended[event.stage] = time.perf_counter()
                say(f"  {event.stage}")

        begin = time.perf_counter()
        space = open_workspace(out, listener=listener)
        failed = space.run(shop.AS_OF)
        space.close()
        if failed:
            raise RuntimeError(f"not fitted: {failed}")
        return {stage: round(end - begin_, 2) for stage, begin_, end in _spans(ended, begin)}

    return work


def _spans(ended: Mapping[str, float], begin: float) -> list[tuple[str, float, float]]:
    spans = []
    for stage, end in sorted(ended.items(), key=lambda item: item[1]):
        spans.append((stage, begin, end))
        begin = end
    return spans


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """Every customer has a segment, and both forms give the same sizes."""
    del data
    found = {name: sizes(out) for name, out in outs.items()}
    for name, of in found.items():
        for segmentation, by_segment in of.items():
            if sum(by_segment.values()) != shop.customers():
                raise NotEqualError(f"{name}: {segmentation} places {sum(by_segment.values())} customers.")
    if len({repr(of) for of in found.values()}) > 1:
        raise NotEqualError(f"The sizes of the segments differ: {found}")


def sizes(root: Path) -> dict[str, dict[str, int]]:
    """Customers by segmentation and segment."""
    from segmentry.workspace import Workspace

    space = Workspace(root, os.environ)
    try:
        with space.reading() as reading:
            tables = {name: reading.find("memberships", name) for name in space.config.segmentations}
            counts = {name: table.group_by("segment").agg(n=table.count()) for name, table in tables.items()}
            rows = {name: reading.session.con.to_pyarrow(count).to_pylist() for name, count in counts.items()}
    finally:
        space.close()
    return {name: dict(sorted((row["segment"], row["n"]) for row in of)) for name, of in rows.items()}


BENCHMARK = Benchmark(
    title="A full run, collect to assign",
    about=f"{shop.customers():,} customers, {shop.customers() * shop.LINES_EACH:,} order lines; rules, RFM, value "
    "tiers and k-means; the first run of a workspace.",
    contenders=tuple(
        Contender(f"Segmentry, from {k}", f, "segmentry") for k, f in (("CSV", csv), ("Parquet", parquet))
    ),
    reference="Segmentry, from CSV",
    inputs=inputs,
    agree=agree,
    budgets=tuple(b(f"Segmentry, from {k}", most) for k in KINDS for b, most in ((seconds, 60), (memory, 4))),
)

if __name__ == "__main__":
    main(BENCHMARK)
