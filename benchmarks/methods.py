"""Every method fitted on the sample that segmentations are learned on: 50,000 customers, eight traits.

From a Parquet file with a row per customer to the frozen segmentation; with ``segments: auto`` the whole panel of
evidence is made (bootstrap pairs, information criteria, starts, shuffled tables). Four kinds of customers are planted.
The methods that look for them have to find them again, or the row does not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Benchmark, Contender, NotEqualError, Work, main, scale, seconds

if TYPE_CHECKING:
    import pandas as pd

    from segmentry import Segmentation

CUSTOMERS, KINDS, SEED = 50_000, 4, 20260630
NUMBERS = [f"number_{j}" for j in range(8)]
ANSWERS = [f"answer_{j}" for j in range(8)]
MIXED = [*NUMBERS[:4], *ANSWERS[:4]]
MOST = 30.0  # seconds: what somebody waits for
AGREEMENT = 0.8  # adjusted Rand index with what was planted


def inputs(data: Path) -> None:
    """Customers of four kinds, with eight amounts, eight answers of three levels, and what RFM and tiers read."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = data / "methods.parquet"
    if path.exists():
        return
    n = max(int(CUSTOMERS * scale()), 800)
    rng = np.random.default_rng(SEED)
    kind = rng.choice(KINDS, n, p=[0.4, 0.3, 0.2, 0.1])
    centres = 2.5 * np.array([[(k >> (j % 2)) & 1 for j in range(8)] for k in range(KINDS)]) - 1.25
    told = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.45, 0.1, 0.45]])
    columns: dict[str, Any] = {"kind": kind}
    columns |= {NUMBERS[j]: centres[kind, j] + rng.normal(size=n) for j in range(8)}
    for j in range(8):  # every answer has its own level for each kind
        ends = np.roll(told, j, axis=0)[kind].cumsum(axis=1)
        columns[ANSWERS[j]] = np.array(["a", "b", "c"])[(rng.random(n)[:, None] > ends).sum(axis=1).clip(0, 2)]
    columns["recency_days"] = rng.integers(1, 700, n)
    columns["frequency"] = 1 + rng.poisson(1 + 3 * (kind == 0))
    columns["monetary"] = rng.lognormal(4, 1, n).round(2)
    columns["buys"] = rng.random(n) < np.array([0.05, 0.1, 0.2, 0.6])[kind]
    pq.write_table(pa.table(columns), path)


def _customers(data: Path, columns: list[str]) -> pd.DataFrame:
    import pyarrow.parquet as pq

    return pq.read_table(data / "methods.parquet", columns=columns).to_pandas()


def _fitting(data: Path, out: Path, method: str, columns: list[str], **settings: Any) -> Work:
    """The work of fitting one method on some columns; tells the number of segments and the verdict."""
    import segmentry as sg

    fitter = getattr(sg, method)(**settings)

    def work() -> Mapping[str, Any]:
        found: Segmentation = fitter.fit(_customers(data, columns))
        (out / "segmentation.json").write_text(found.to_json(), encoding="utf-8")
        return {"segments": len(found.segments), "verdict": found.report.get("verdict", "")}

    return work


def kmeans(data: Path, out: Path) -> Work:
    return _fitting(data, out, "KMeans", NUMBERS, segments=KINDS)


def kmeans_auto(data: Path, out: Path) -> Work:
    return _fitting(data, out, "KMeans", NUMBERS)


def mixtures(data: Path, out: Path) -> Work:
    return _fitting(data, out, "Mixtures", NUMBERS, segments=KINDS)


def mixtures_auto(data: Path, out: Path) -> Work:
    return _fitting(data, out, "Mixtures", NUMBERS)


def kprototypes(data: Path, out: Path) -> Work:
    return _fitting(data, out, "KPrototypes", MIXED, traits=["*"], segments=KINDS)


def kprototypes_auto(data: Path, out: Path) -> Work:
    return _fitting(data, out, "KPrototypes", MIXED, traits=["*"])


def latent_classes(data: Path, out: Path) -> Work:
    return _fitting(data, out, "LatentClasses", ANSWERS, traits=["*"], segments=KINDS)


def latent_classes_auto(data: Path, out: Path) -> Work:
    return _fitting(data, out, "LatentClasses", ANSWERS, traits=["*"])


def trees(data: Path, out: Path) -> Work:
    return _fitting(data, out, "Trees", [*MIXED, "buys"], target="buys", traits=["number_*", "answer_*"])


def bands(data: Path, out: Path) -> Work:
    return _fitting(data, out, "Bands", MIXED, trait=NUMBERS[0], cuts=(-1, 0, 1))


def rfm(data: Path, out: Path) -> Work:
    return _fitting(data, out, "Rfm", ["recency_days", "frequency", "monetary", *MIXED[:5]])


def value_tiers(data: Path, out: Path) -> Work:
    return _fitting(data, out, "ValueTiers", ["monetary", *MIXED[:7]])


def rules(data: Path, out: Path) -> Work:
    segments = [{"name": level.upper(), "where": f"{ANSWERS[0]} = '{level}' AND {NUMBERS[0]} > 0"} for level in "abc"]
    return _fitting(data, out, "Rules", MIXED, segments=segments)


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """Everybody is placed, and the methods that look for kinds of customers find those that were planted."""
    from sklearn.metrics import adjusted_rand_score

    from segmentry.segmentation import Segmentation

    for name, out in outs.items():
        path = out / "segmentation.json"
        found = Segmentation.from_json(path.read_text(encoding="utf-8"), where=str(path))
        people = _customers(data, ["kind", *(trait for trait, _ in found.traits)])
        segment = found.assign(people)["segment"]
        if segment.isna().any() or segment.nunique() < 2:
            raise NotEqualError(f"{name}: {segment.nunique()} segments, {segment.isna().sum()} customers without one.")
        alike = adjusted_rand_score(people["kind"], segment)
        if name.partition(",")[0] in _SEEK and alike < AGREEMENT:
            raise NotEqualError(f"{name}: agreement with the planted kinds {alike:.2f}, not {AGREEMENT}.")


_SEEK = {"k-means", "mixtures", "k-prototypes", "latent classes"}
_METHODS = {
    "k-means, 4 segments": kmeans,
    "k-means, auto": kmeans_auto,
    "mixtures, 4 segments": mixtures,
    "mixtures, auto": mixtures_auto,
    "k-prototypes, 4 segments": kprototypes,
    "k-prototypes, auto": kprototypes_auto,
    "latent classes, 4 segments": latent_classes,
    "latent classes, auto": latent_classes_auto,
    "trees": trees,
    "bands": bands,
    "rfm": rfm,
    "value tiers": value_tiers,
    "rules": rules,
}

BENCHMARK = Benchmark(
    title="Fitting every method, 50,000 customers x 8 traits",
    about="From the sample to the frozen segmentation; auto: the number of segments is chosen, with all the evidence.",
    contenders=tuple(Contender(name, prepare, "segmentry") for name, prepare in _METHODS.items()),
    reference="k-means, 4 segments",
    inputs=inputs,
    agree=agree,
    budgets=tuple(seconds(name, MOST) for name in _METHODS),
)

if __name__ == "__main__":
    main(BENCHMARK)
