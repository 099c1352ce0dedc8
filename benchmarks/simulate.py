"""The demo company at 1M customers: what `segmentry demo --customers 1000000` makes before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks import shop
from benchmarks.measure import Benchmark, Contender, NotEqualError, Work, main, memory, seconds


def inputs(data: Path) -> None:
    """None: the simulation makes everything."""
    del data


def segmentry(data: Path, out: Path) -> Work:
    """The simulated exports, their truth and the workspace file."""
    from segmentry.beginnings import simulate_company

    del data
    shop.wake()

    def work() -> dict[str, float]:
        simulate_company(out / "company", customers=_customers(), seed=1)
        exported = sum(path.stat().st_size for path in (out / "company").rglob("*") if path.is_file())
        return {"GB of exports": round(exported / 1e9, 2)}

    return work


def _customers() -> int:
    return max(shop.customers(), 500)  # the fewest that a demo company has


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """The config of the company can be read, and its exports have the customers asked for."""
    import duckdb

    from segmentry.workspace import open_workspace

    del data
    space = open_workspace(outs["Segmentry"] / "company")
    try:
        paths = [str(space.root / p) for s in space.config.sources.values() if s.kind == "customers" for p in s.path]
    finally:
        space.close()
    with duckdb.connect() as con:
        most = max(
            con.execute("SELECT count(*) FROM read_csv(?, all_varchar = true)", [p]).fetchone()[0] for p in paths
        )
    if most < _customers():
        raise NotEqualError(f"{most} customers were simulated, not {_customers()}.")


BENCHMARK = Benchmark(
    title="The demo company",
    about=f"{_customers():,} customers: exports and truth.",
    contenders=(Contender("Segmentry", segmentry, "segmentry"),),
    reference="Segmentry",
    inputs=inputs,
    agree=agree,
    budgets=(seconds("Segmentry", 120), memory("Segmentry", 4)),
)

if __name__ == "__main__":
    main(BENCHMARK)
