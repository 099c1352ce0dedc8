"""k-prototypes on 50,000 rows of four numbers and four categories, five segments, from the same first prototypes.

kmodes moves row after row, as Huang (1998) published it. Ours must end with the same or a lower cost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Benchmark, Contender, NotEqualError, Work, main, say, scale, times

if TYPE_CHECKING:
    import numpy as np

SEGMENTS, NUMBERS, CATEGORIES, LEVELS = 5, 4, 4, 4
GAMMA = 1.0


def inputs(data: Path) -> None:
    """Rows around five prototypes that overlap, and the rows that everybody starts from."""
    import numpy as np

    path = data / "mixed.npz"
    if path.exists():
        return
    say(f"making {path.name}")
    n = max(int(50_000 * scale()), 500)
    rng = np.random.default_rng(20260630)
    own = rng.integers(SEGMENTS, size=n)
    numbers = rng.normal(size=(SEGMENTS, NUMBERS))[own] * 2 + rng.normal(size=(n, NUMBERS))
    chances = rng.dirichlet(np.full(LEVELS, 0.6), size=(CATEGORIES, SEGMENTS)).cumsum(axis=2)
    codes = [(rng.random(n)[:, None] > chances[j][own]).sum(axis=1).clip(0, LEVELS - 1) for j in range(CATEGORIES)]
    np.savez(path, rows=np.column_stack([numbers, *codes]), first=rng.choice(n, SEGMENTS, replace=False))


def _load(data: Path) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    with np.load(data / "mixed.npz") as found:
        return found["rows"], found["rows"][found["first"]]


def segmentry(data: Path, out: Path) -> Work:
    from segmentry.stats.prototypes import Prototypes, kprototypes

    rows, first = _load(data)

    def work() -> Mapping[str, Any]:
        start = Prototypes(first[:, :NUMBERS], first[:, NUMBERS:].astype(int))
        found = kprototypes(rows, SEGMENTS, categories=CATEGORIES, gamma=GAMMA, starts=[start])
        (out / "cost.json").write_text(json.dumps(found.cost))
        return {"cost": round(found.cost)}

    return work


def kmodes(data: Path, out: Path) -> Work:
    from kmodes.kprototypes import KPrototypes

    rows, first = _load(data)

    def work() -> Mapping[str, Any]:
        start = [first[:, :NUMBERS], first[:, NUMBERS:]]
        model = KPrototypes(SEGMENTS, gamma=GAMMA, init=start, n_init=1)
        model.fit(rows.astype(object), categorical=list(range(NUMBERS, NUMBERS + CATEGORIES)))
        (out / "cost.json").write_text(json.dumps(float(model.cost_)))
        return {"cost": round(float(model.cost_))}

    return work


def agree(_: Path, outs: Mapping[str, Path]) -> None:
    """Our cost is the same or lower."""
    costs = {name: json.loads((out / "cost.json").read_text()) for name, out in outs.items()}
    if "kmodes" in costs and not costs["Segmentry"] <= costs["kmodes"] * (1 + 1e-9):
        raise NotEqualError(f"The cost of Segmentry is {costs['Segmentry']:.3f}, that of kmodes {costs['kmodes']:.3f}.")


BENCHMARK = Benchmark(
    title="k-prototypes",
    about=f"{int(50_000 * scale()):,} rows, {NUMBERS} numbers, {CATEGORIES} categories; the same start.",
    contenders=(Contender("Segmentry", segmentry, "segmentry"), Contender("kmodes", kmodes, "kmodes")),
    reference="Segmentry",
    inputs=inputs,
    agree=agree,
    budgets=(times("Segmentry", "kmodes", 1 / 100),),
)

if __name__ == "__main__":
    main(BENCHMARK)
