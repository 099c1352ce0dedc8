"""Assignment of 10M customers to six centroids of eight traits: segment, fit, runner-up and margin."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import shop
from benchmarks.measure import Benchmark, Contender, Work, main, memory, same, say, times

CUSTOMERS = 10_000_000
TRAITS = (
    *("recency_days", "frequency", "monetary", "tenure_days"),
    *("average_order_value", "items_per_order", "return_rate", "discount_share"),
)
RULE = "centroids.json"

_TABLE = """
SELECT i AS customer_key, printf('C-%08d', i) AS customer_id,
    (draw(i, 1) ** 2 * 730)::INT AS recency_days, 1 + floor(-ln(1 - draw(i, 2)) * 4)::INT AS frequency,
    exp(3 + 1.3 * sqrt(-2 * ln(1 - draw(i, 3))) * cos(2 * pi() * draw(i, 4))) AS monetary,
    (draw(i, 5) * 1500)::INT AS tenure_days,
    CASE WHEN draw(i, 6) > .02 THEN exp(3 + .8 * sqrt(-2 * ln(1 - draw(i, 7))) * cos(2 * pi() * draw(i, 8))) END
        AS average_order_value,
    1 + draw(i, 9) * 6 AS items_per_order, draw(i, 10) ** 6 AS return_rate, draw(i, 11) ** 2 * .3 AS discount_share
FROM range({customers}) AS people(i)
"""


def inputs(data: Path) -> None:
    """``traits.parquet``, and a k-means segmentation fitted on 20,000 of its rows."""
    from segmentry.segment.alone import KMeans

    table = data / "traits.parquet"
    if not table.exists():
        shop.write(table, _TABLE.format(customers=shop.customers(CUSTOMERS)))
    if not (data / RULE).exists():
        import duckdb

        say("fitting six segments")
        with duckdb.connect() as con:
            sample = con.sql(f"FROM '{table}' LIMIT 20000").df()
        fitted = KMeans(method="kmeans", traits=TRAITS, segments=6).fit(sample)
        (data / RULE).write_text(fitted.to_json(), encoding="utf-8")


def segmentry(data: Path, out: Path) -> Work:
    """The frozen segmentation over the table of traits."""
    from segmentry import engine
    from segmentry.segmentation import Segmentation

    shop.wake()
    frozen = Segmentation.from_json((data / RULE).read_text(encoding="utf-8"))

    def work() -> None:
        with engine.in_memory(out / "scratch") as con:
            placed = frozen.assign(con.read_parquet(data / "traits.parquet"))
            kept = placed.select("customer_key", "segment", "fit", "runner_up", "margin")
            con.to_parquet(kept, out / "result.parquet")

    return work


def duckdb_sql(data: Path, out: Path) -> Work:
    """Hand-written SQL with the same constants and the same output."""
    import duckdb

    made = json.loads((data / RULE).read_text(encoding="utf-8"))
    rule, names = made["rule"], [segment["name"] for segment in made["segments"]]
    ks = range(len(names))

    def prepared(p: Mapping[str, float]) -> str:
        value = f"least(greatest(coalesce({p['trait']}, {p['fill']!r}), {p['low']!r}), {p['high']!r})"
        logged = f"sign({value}) * ln(1 + abs({value}))" if p["log"] else value
        return f"({logged} - {p['centre']!r}) / {p['scale']!r}"

    z = ", ".join(f"{prepared(p)} AS z{j}" for j, p in enumerate(rule["prep"]))
    known = " + ".join(f"({trait} IS NOT NULL)::INT" for trait in TRAITS)
    distance = ", ".join(
        " + ".join(f"(z{j} - {c!r}) ** 2" for j, c in enumerate(centre)) + f" AS d{k}"
        for k, centre in enumerate(rule["centres"])
    )
    ds = ", ".join(f"d{k}" for k in ks)
    first = " ".join(f"WHEN d{k} = near THEN {k}" for k in ks)
    second = ", ".join(f"CASE WHEN first = {k} THEN NULL ELSE d{k} END" for k in ks)
    runner = " ".join(f"WHEN first != {k} AND d{k} = far THEN {k}" for k in ks)

    def by_segment(values: Sequence[float | str], of: str) -> str:
        return "CASE " + of + " " + " ".join(f"WHEN {k} THEN {v!r}" for k, v in enumerate(values)) + " END"

    typical = by_segment(rule["typical"], "first")
    query = f"""
        WITH numbers AS (SELECT customer_key, {known} AS known, {z} FROM '{data}/traits.parquet'),
        distances AS (SELECT customer_key, known, {distance} FROM numbers),
        nearest AS (SELECT *, least({ds}) AS near FROM distances),
        firsts AS (SELECT *, CASE {first} END AS first FROM nearest),
        seconds AS (SELECT *, least({second}) AS far FROM firsts),
        runners AS (SELECT *, CASE {runner} END AS runner FROM seconds)
        SELECT customer_key, CASE WHEN known * 2 < {len(TRAITS)} THEN 'No data'
                WHEN sqrt(near) > {by_segment(rule["limit"], "first")} THEN 'No good fit'
                ELSE {by_segment(names, "first")} END AS segment,
            {typical} / ({typical} + sqrt(near)) AS fit, {by_segment(names, "runner")} AS runner_up,
            (sqrt(far) - sqrt(near)) / sqrt(far) AS margin
        FROM runners
    """

    def work() -> None:
        with duckdb.connect() as con:
            con.execute(f"COPY ({query}) TO '{out}/result.parquet' (FORMAT parquet)")

    return work


def scikit_learn(data: Path, out: Path) -> Work:
    """pandas in and out, scikit-learn's distances in between."""
    import numpy as np
    import pandas as pd
    from sklearn.metrics.pairwise import euclidean_distances

    made = json.loads((data / RULE).read_text(encoding="utf-8"))
    rule, names = made["rule"], np.array([segment["name"] for segment in made["segments"]], dtype=object)

    def prepared(values: pd.Series, p: Mapping[str, float]) -> np.ndarray:
        filled = np.clip(values.fillna(p["fill"]).to_numpy(dtype=float), p["low"], p["high"])
        return ((np.sign(filled) * np.log1p(np.abs(filled)) if p["log"] else filled) - p["centre"]) / p["scale"]

    def work() -> None:
        frame = pd.read_parquet(data / "traits.parquet", columns=["customer_key", *TRAITS])
        numbers = np.column_stack([prepared(frame[p["trait"]], p) for p in rule["prep"]])
        distances = euclidean_distances(numbers, np.array(rule["centres"]))
        order = np.argsort(distances, axis=1)
        rows = np.arange(len(frame))
        near, far = distances[rows, order[:, 0]], distances[rows, order[:, 1]]
        typical, limit = np.array(rule["typical"])[order[:, 0]], np.array(rule["limit"])[order[:, 0]]
        unknown = frame[list(TRAITS)].notna().sum(axis=1) * 2 < len(TRAITS)
        segment = np.where(unknown, "No data", np.where(near > limit, "No good fit", names[order[:, 0]]))
        placed = {"segment": segment, "fit": typical / (typical + near), "runner_up": names[order[:, 1]]}
        pd.DataFrame({"customer_key": frame["customer_key"], **placed, "margin": (far - near) / far}).to_parquet(
            out / "result.parquet"
        )

    return work


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """Everybody places everybody alike; on a border (a margin of nothing) either side will do."""
    del data
    ours = outs["Segmentry"] / "result.parquet"
    for name, out in outs.items():
        if name != "Segmentry":
            theirs = out / "result.parquet"
            same(ours, theirs, "customer_key", ("fit", "margin"))
            same(ours, theirs, "customer_key", ("segment", "runner_up"), where="a.margin > 1e-6")


BENCHMARK = Benchmark(
    title="Assignment to six centroids",
    about=f"{shop.customers(CUSTOMERS):,} customers, eight traits; segment, fit, runner-up and margin; Parquet to "
    "Parquet.",
    contenders=(
        Contender("Segmentry", segmentry, "segmentry"),
        Contender("DuckDB SQL", duckdb_sql, "duckdb"),
        Contender("scikit-learn through pandas", scikit_learn, "scikit-learn"),
    ),
    reference="DuckDB SQL",
    inputs=inputs,
    agree=agree,
    budgets=(times("Segmentry", "DuckDB SQL", 1.3), memory("Segmentry", 1)),
)

if __name__ == "__main__":
    main(BENCHMARK)
