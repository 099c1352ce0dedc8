"""A rule is typed: how many customers meet it, before it is saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks import shop
from benchmarks.measure import Benchmark, Budget, Contender, NotEqualError, Work, main

COMPANY = "preview-company"
SEGMENTRY, SQL = "Segmentry", "DuckDB SQL by hand"
# As they are typed, and as somebody would write them by hand.
RULES = (
    "frequency >= 4",
    "frequency >= 4 and recency_days < 90",
    "lifecycle_stage = 'active' and (monetary > 500 or frequency >= 10)",
    "recency_days between 30 and 365 and monetary > 100 and frequency < 6",
    "monetary is null",
)
FIRST = "recency_days > 400"  # warms up: what comes after is what somebody waits for while typing


def inputs(data: Path) -> None:
    """A company with traits; nothing is segmented."""
    from segmentry.workspace import open_workspace

    if (data / COMPANY).exists():
        return
    beside = data / f"{COMPANY}.writing"
    shop.workspace(beside, shop.exports(data, shop.customers(), "parquet"), "duckdb")
    space = open_workspace(beside)
    space.collect()
    space.resolve()
    space.traits(shop.AS_OF)
    space.close()
    beside.rename(data / COMPANY)


def segmentry(data: Path, out: Path) -> Work:
    """What a page or `segmentry rules` asks: the count, who is known, the slips of the pen; the workspace is open."""
    from segmentry import rule_checks
    from segmentry.workspace import open_workspace

    space = open_workspace(data / COMPANY)

    def work() -> None:
        counts = []
        for rule in RULES:
            with space.reading() as reading:
                counts.append(rule_checks.typed(reading, rule).rules[0].meets)
        (out / "counts.json").write_text(json.dumps(counts), encoding="utf-8")

    with space.reading() as reading:
        rule_checks.typed(reading, FIRST)
    return work


def by_hand(data: Path, out: Path) -> Work:
    """Nothing but the count, in the file that Segmentry keeps the traits in."""
    import duckdb

    from segmentry.workspace import open_workspace

    space = open_workspace(data / COMPANY)
    with space.reading() as reading:
        run = reading.run("traits").id
    space.close()
    con = duckdb.connect(str(data / COMPANY / "warehouse" / f"g{run}.duckdb"), read_only=True)

    def work() -> None:
        counts = [con.sql(f"SELECT count(*) FROM traits WHERE {rule}").fetchone()[0] for rule in RULES]
        (out / "counts.json").write_text(json.dumps(counts), encoding="utf-8")

    con.sql(f"SELECT count(*) FROM traits WHERE {FIRST}").fetchone()
    return work


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """Both count the same customers."""
    del data
    counts = {name: json.loads((out / "counts.json").read_text("utf-8")) for name, out in outs.items()}
    if len({tuple(found) for found in counts.values()}) > 1:
        raise NotEqualError(f"Counts differ: {counts}.")


BENCHMARK = Benchmark(
    title="Preview of a rule",
    about=f"{len(RULES)} rules, one after the other, over {shop.customers():,} customers; workspace open and warm.",
    contenders=(Contender(SEGMENTRY, segmentry, "segmentry"), Contender(SQL, by_hand, "duckdb")),
    reference=SQL,
    inputs=inputs,
    agree=agree,
    budgets=(Budget(f"{SEGMENTRY}: a rule in 0.2 s", 0.2, lambda r: r[SEGMENTRY].seconds / len(RULES), (SEGMENTRY,)),),
)

if __name__ == "__main__":
    main(BENCHMARK)
