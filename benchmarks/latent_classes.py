"""Latent classes of 100,000 people who answered eleven yes/no questions.

From a Parquet file with a row per person to the classes. Both climb from as many random starts until a step adds less
than 1e-9 to the log-likelihood per person; who does not reach the same maximum is not compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Benchmark, Contender, NotEqualError, Work, main, scale, times

if TYPE_CHECKING:
    import numpy as np

PEOPLE, ITEMS, CLASSES = 100_000, 11, 4
STARTS = 10
CLOSE = 1e-9  # log-likelihood per person that a step must add
SAME = 1e-6  # of the log-likelihood


def inputs(data: Path) -> None:
    """Answers as four kinds of people give them, some of them like anybody."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = data / "answers.parquet"
    if path.exists():
        return
    rng, n = np.random.default_rng(20260630), max(int(PEOPLE * scale()), 2000)
    member = rng.choice(CLASSES, n, p=[0.4, 0.25, 0.2, 0.15])
    yes = rng.beta(0.8, 0.8, (CLASSES, ITEMS))[member]
    given = (rng.random((n, ITEMS)) < yes).astype(np.int8)
    pq.write_table(pa.table({f"item_{j}": given[:, j] for j in range(ITEMS)}), path)


def _answers(data: Path) -> np.ndarray:
    import pyarrow.parquet as pq

    return pq.read_table(data / "answers.parquet").to_pandas().to_numpy()


def _tell(out: Path, log_likelihood: float) -> Mapping[str, Any]:
    (out / "found.json").write_text(json.dumps({"log_likelihood": log_likelihood}))
    return {"log_likelihood": round(log_likelihood, 3)}


def prepare_segmentry(data: Path, out: Path) -> Work:
    """The best of ten starts, on unique patterns."""
    from threadpoolctl import threadpool_limits

    from segmentry.stats.latent import latent_classes

    def work() -> Mapping[str, Any]:
        with threadpool_limits(limits=1):  # as in a workspace: threads would change the last digits
            model = latent_classes(_answers(data), CLASSES, starts=STARTS, seed=1)
        return {**_tell(out, model.log_likelihood), "replications": model.replications}

    return work


def prepare_stepmix(data: Path, out: Path) -> Work:
    """The best of ten starts, on all rows."""
    from stepmix.stepmix import StepMix

    def work() -> Mapping[str, Any]:
        model = StepMix(
            n_components=CLASSES,
            measurement="binary",
            n_init=STARTS,
            max_iter=5_000,
            abs_tol=CLOSE,
            rel_tol=0.0,
            random_state=1,
            progress_bar=0,
        )
        rows = _answers(data)
        model.fit(rows)
        return _tell(out, float(model.score(rows)) * len(rows))

    return work


def agree(_: Path, outs: Mapping[str, Path]) -> None:
    """The same maximum of the likelihood."""
    found = {name: json.loads((out / "found.json").read_text())["log_likelihood"] for name, out in outs.items()}
    if max(found.values()) - min(found.values()) > SAME * abs(min(found.values())):
        raise NotEqualError(f"Not the same maximum: {found}.")


BENCHMARK = Benchmark(
    title=f"Latent classes, {PEOPLE // 1000},000 people x {ITEMS} yes/no answers",
    about=f"{CLASSES} classes, the best of {STARTS} starts.",
    contenders=(
        Contender("Segmentry", prepare_segmentry, "segmentry"),
        Contender("StepMix", prepare_stepmix, "stepmix"),
    ),
    reference="Segmentry",
    inputs=inputs,
    agree=agree,
    budgets=(times("Segmentry", "StepMix", 1 / 30),),
)

if __name__ == "__main__":
    main(BENCHMARK)
