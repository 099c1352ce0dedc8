"""Recency, frequency and monetary value with scores and segment names, of 1M customers and 10M order lines.

The same cut points are given to everyone who scores; the libraries that only summarise, or score by a rule of their
own, are held against the traits they compute.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import shop
from benchmarks.measure import Benchmark, Contender, Work, main, same, times

if TYPE_CHECKING:
    import pandas as pd

    from segmentry import traits

TRAITS = ("recency_days", "frequency", "monetary")
RULE = "rfm.json"  # the frozen segmentation
TABLES = (
    "rfm-tables.json"  # the same rule for people who write SQL: cut points, scores, names by R and the mean of F and M
)


def inputs(data: Path) -> None:
    """Order lines, customers, and a segmentation fitted on a sample of them."""
    shop.order_lines(data)
    shop.golden_customers(data)
    if (data / RULE).exists():
        return
    from segmentry import config, engine, segment, traits
    from segmentry.data import privacy

    with engine.in_memory() as con:
        made = traits.compute(_facts(con, data), shop.AS_OF)
        specs = {trait.name: trait for trait in made.traits}
        drawn = privacy.draw(made.table, specs, size=50_000, seed=1)
    learning = segment.Learning(drawn.rows, specs, where="rfm", weights=drawn.weights)
    fitted = segment.fit("rfm", config.Rfm(method="rfm"), learning)
    bands = {band.trait: {"cuts": band.cuts, "scores": band.scores} for band in fitted.rule.bands}
    names = segment.rfm.NAMES  # by recency score, then by the mean of the other two, rounded up
    (data / TABLES).write_text(json.dumps({"bands": bands, "names": names}), encoding="utf-8")
    (data / RULE).write_text(fitted.to_json(), encoding="utf-8")


def _facts(con: Any, data: Path) -> traits.Facts:
    from segmentry import traits

    lines = con.read_parquet(data / "lines.parquet").select("customer_key", "order", "time", "amount", "line_kind")
    customers = con.read_parquet(data / "customers.parquet").select("customer_key", "customer_id")
    return traits.Facts(golden_customers=customers, transactions=lines)


# Segmentry ------------------------------------------------------------------------------------------------------------


def segmentry(data: Path, out: Path) -> Work:
    """The three traits (`describe_by`), then scores and segments by the frozen rule: the functions of the stages."""
    from segmentry import engine, traits
    from segmentry.segmentation import Segmentation

    shop.wake()
    frozen = Segmentation.from_json((data / RULE).read_text(encoding="utf-8"))

    def work() -> None:
        with engine.in_memory(out / "scratch") as con:
            made = traits.compute(_facts(con, data), shop.AS_OF, traits.Settings(describe_by=TRAITS)).table
            con.to_parquet(made, out / "traits.parquet")
            placed = frozen.assign(con.read_parquet(out / "traits.parquet"))
            con.to_parquet(placed.select("customer_key", "score", "segment"), out / "memberships.parquet")

    return work


def segmentry_run(data: Path, out: Path) -> Work:
    """All that a run makes of these columns: all their traits, a fit, and placements with runner-up and margin."""
    from segmentry import config, engine, segment, traits
    from segmentry.data import privacy

    shop.wake()

    def work() -> None:
        with engine.in_memory(out / "scratch") as con:
            made = traits.compute(_facts(con, data), shop.AS_OF)
            con.to_parquet(made.table, out / "traits.parquet")
            table = con.read_parquet(out / "traits.parquet")
            specs = {trait.name: trait for trait in made.traits}
            drawn = privacy.draw(table, specs, size=50_000, seed=1)
            learning = segment.Learning(drawn.rows, specs, where="rfm", weights=drawn.weights)
            fitted = segment.fit("rfm", config.Rfm(method="rfm"), learning)
            con.to_parquet(fitted.assign(table), out / "memberships.parquet")

    return work


# The same result, written by hand -------------------------------------------------------------------------------------


def duckdb_sql(data: Path, out: Path) -> Work:
    """Hand-written SQL: orders are counted in two steps, which is faster than count(DISTINCT)."""
    import duckdb

    tables = json.loads((data / TABLES).read_text(encoding="utf-8"))
    bands = tables["bands"]

    def score(trait: str) -> str:
        steps = " + ".join(f"({trait} >= {cut!r})::INT" for cut in bands[trait]["cuts"]) or "0"
        scores = bands[trait]["scores"]
        return f"CASE {steps} " + " ".join(f"WHEN {i} THEN {score}" for i, score in enumerate(scores)) + " END"

    def name(row: Sequence[str]) -> str:
        return "CASE (f + m + 1) // 2 " + " ".join(f"WHEN {i} THEN '{name}'" for i, name in enumerate(row, 1)) + " END"

    names = " ".join(f"WHEN {r} THEN {name(row)}" for r, row in tables["names"].items())

    query = f"""
        WITH orders AS (
            SELECT customer_key, "order", max(time) FILTER (line_kind = 'sale') AS last, sum(amount) AS amount
            FROM '{data}/lines.parquet' WHERE line_kind IN ('sale', 'return') GROUP BY ALL
        ), bought AS (
            SELECT customer_key, DATE '{shop.AS_OF}' - max(last)::DATE AS recency_days, count(last) AS frequency,
                sum(amount) AS monetary
            FROM orders GROUP BY ALL
        ), everybody AS (
            SELECT customer_key, recency_days, coalesce(frequency, 0) AS frequency, coalesce(monetary, 0) AS monetary
            FROM '{data}/customers.parquet' LEFT JOIN bought USING (customer_key)
        ), scored AS (
            SELECT *, {score("recency_days")} AS r, {score("frequency")} AS f, {score("monetary")} AS m FROM everybody
        )
        SELECT customer_key, recency_days, frequency, monetary,
            CASE WHEN recency_days IS NOT NULL THEN r || '-' || f || '-' || m END AS score,
            CASE WHEN recency_days IS NULL THEN 'No data' ELSE CASE r {names} END END AS segment
        FROM scored
    """

    def work() -> None:
        with duckdb.connect() as con:
            con.execute(f"COPY ({query}) TO '{out}/result.parquet' (FORMAT parquet)")

    return work


def polars(data: Path, out: Path) -> Work:
    """The same in polars, lazily."""
    import polars as pl

    tables = json.loads((data / TABLES).read_text(encoding="utf-8"))
    bands = tables["bands"]

    def score(trait: str) -> pl.Expr:
        position = sum((pl.col(trait) >= cut).cast(pl.Int64) for cut in bands[trait]["cuts"])
        return position.replace_strict(dict(enumerate(bands[trait]["scores"])), return_dtype=pl.Int64)

    names = {int(r) * 10 + fm: name for r, row in tables["names"].items() for fm, name in enumerate(row, 1)}

    def work() -> None:
        lines = pl.scan_parquet(data / "lines.parquet").filter(pl.col("line_kind").is_in(["sale", "return"]))
        sale = pl.col("line_kind") == "sale"
        orders = lines.group_by("customer_key", "order").agg(
            last=pl.col("time").filter(sale).max(), amount=pl.col("amount").sum()
        )
        bought = orders.group_by("customer_key").agg(
            last=pl.col("last").max(), frequency=pl.col("last").count().cast(pl.Int64), monetary=pl.col("amount").sum()
        )
        everybody = pl.scan_parquet(data / "customers.parquet").select("customer_key")
        row = everybody.join(bought, on="customer_key", how="left").with_columns(
            pl.col("frequency", "monetary").fill_null(0),
            recency_days=(pl.lit(shop.AS_OF) - pl.col("last").dt.date()).dt.total_days(),
        )
        known = pl.col("recency_days").is_not_null()
        scored = row.with_columns(r=score("recency_days"), f=score("frequency"), m=score("monetary"))
        cell = pl.col("r") * 10 + (pl.col("f") + pl.col("m") + 1) // 2
        named = cell.replace_strict(names, return_dtype=pl.String)
        scored.select(
            "customer_key",
            *TRAITS,
            score=pl.when(known).then(pl.format("{}-{}-{}", "r", "f", "m")),
            segment=pl.when(known).then(named).otherwise(pl.lit("No data")),
        ).sink_parquet(out / "result.parquet")

    return work


def pandas(data: Path, out: Path) -> Work:
    """The same in pandas."""
    import numpy as np
    import pandas as pd

    tables = json.loads((data / TABLES).read_text(encoding="utf-8"))
    bands = tables["bands"]

    def score(row: pd.DataFrame, trait: str) -> Any:
        return np.array(bands[trait]["scores"])[np.searchsorted(bands[trait]["cuts"], row[trait], side="right")]

    def work() -> None:
        lines = pd.read_parquet(
            data / "lines.parquet", columns=["customer_key", "order", "time", "amount", "line_kind"]
        )
        lines = lines[lines["line_kind"].isin(["sale", "return"])]
        sales = lines[lines["line_kind"] == "sale"]
        counted = sales.drop_duplicates(["customer_key", "order"]).groupby("customer_key").size()
        last = sales.groupby("customer_key")["time"].max()
        money = lines.groupby("customer_key")["amount"].sum()
        row = pd.read_parquet(data / "customers.parquet", columns=["customer_key"]).set_index("customer_key")
        row["recency_days"] = (pd.Timestamp(shop.AS_OF) - last.dt.normalize()).dt.days
        row["frequency"] = counted
        row["monetary"] = money
        row = row.fillna({"frequency": 0, "monetary": 0})
        r, f, m = (score(row, trait) for trait in TRAITS)
        known = row["recency_days"].notna()
        text = pd.Series(r, row.index).astype(str) + "-" + f.astype(str) + "-" + m.astype(str)
        row["score"] = text.where(known)
        names = np.array([tables["names"][str(r)] for r in range(1, 6)], dtype=object)
        row["segment"] = np.where(known, names[r - 1, (f + m + 1) // 2 - 1], "No data")
        row.reset_index().to_parquet(out / "result.parquet")

    return work


# Libraries: sale lines in, a summary by customer out ------------------------------------------------------------------


def _sales(data: Path) -> pd.DataFrame:
    import pandas as pd

    lines = pd.read_parquet(
        data / "lines.parquet",
        columns=["customer_key", "time", "amount"],
        filters=[("line_kind", "==", "sale")],
    )
    return lines.astype({"time": "datetime64[ns]"})


def lifetimes(data: Path, out: Path) -> Work:
    """Its summary: days with a purchase after the first, days from the first to the last, and to the end."""
    from lifetimes.utils import summary_data_from_transaction_data as summarise

    def work() -> None:
        end = str(shop.AS_OF)
        summarise(_sales(data), "customer_key", "time", "amount", observation_period_end=end).reset_index().to_parquet(
            out / "result.parquet"
        )

    return work


def pymc_marketing(data: Path, out: Path) -> Work:
    """Its RFM segments: the summary, quartile scores, six names of its own."""
    from pymc_marketing.clv.utils import rfm_segments

    def work() -> None:
        end = str(shop.AS_OF)
        made = rfm_segments(_sales(data), "customer_key", "time", "amount", observation_period_end=end)
        made.rename(columns={"customer_id": "customer_key"}).to_parquet(out / "result.parquet")

    return work


def clvkit(data: Path, out: Path) -> Work:
    """Its summary of a customer base."""
    from clvkit import CustomerBase

    def work() -> None:
        base = CustomerBase.from_transactions(
            _sales(data), "customer_key", "time", "amount", observation_period_end=f"{shop.AS_OF} 23:59:59"
        )
        base.to_pandas().reset_index().to_parquet(out / "result.parquet")

    return work


def rfm_package(data: Path, out: Path) -> Work:
    """Its table: days since the last line, quintile scores by rank, ten names of its own."""
    from rfm import RFM

    def work() -> None:
        table = RFM(_sales(data), "customer_key", "time", "amount").rfm_table
        kept = table[["customer_key", "recency", "monetary_value", "rfm_score", "segment"]]
        kept.astype({"customer_key": "int64"}).to_parquet(out / "result.parquet")

    return work


# --------------------------------------------------------------------------------------------------------------------


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """Traits, scores and names are those of Segmentry; of the libraries, what they compute too."""
    ours = outs["Segmentry"]
    bands = json.loads((data / TABLES).read_text(encoding="utf-8"))["bands"]
    for name in ("DuckDB SQL", "polars", "pandas"):
        if name in outs:
            result = outs[name] / "result.parquet"
            same(ours / "traits.parquet", result, "customer_key", TRAITS)
            # sums of money differ in the sixteenth digit; who lies on a cut point may fall on either side of it
            cuts = " AND ".join(f"abs(b.monetary - {cut!r}) > 1e-6" for cut in bands["monetary"]["cuts"])
            same(ours / "memberships.parquet", result, "customer_key", ("score", "segment"), where=cuts or "true")
    everything = outs["Segmentry, all a run makes"]
    same(ours / "traits.parquet", everything / "traits.parquet", "customer_key", TRAITS)
    buyers = _buyers(everything)
    days = {"a.recency_days": "b.T - b.recency", "a.order_days": "b.frequency + 1"}
    if "lifetimes" in outs:
        same(buyers, outs["lifetimes"] / "result.parquet", "customer_key", days)
    if "clvkit" in outs:
        same(buyers, outs["clvkit"] / "result.parquet", "customer_key", days)
    if "pymc-marketing" in outs:
        spent = {"a.average_order_value * a.frequency / a.order_days": "b.monetary_value"}
        theirs = {"a.recency_days": "b.recency", "a.order_days": "b.frequency", **spent}
        same(buyers, outs["pymc-marketing"] / "result.parquet", "customer_key", theirs)
    if "rfm" in outs:
        spent = {"a.average_order_value * a.frequency": "b.monetary_value"}
        same(buyers, outs["rfm"] / "result.parquet", "customer_key", spent)


def _buyers(out: Path) -> Path:
    """The traits of those who have bought: libraries know nobody else."""
    import duckdb

    path = out / "buyers.parquet"
    with duckdb.connect() as con:
        con.execute(f"COPY (FROM '{out}/traits.parquet' WHERE recency_days IS NOT NULL) TO '{path}'")
    return path


LIBRARIES = {
    "lifetimes": lifetimes,
    "pymc-marketing": pymc_marketing,
    "clvkit": clvkit,
    "rfm": rfm_package,
}

BENCHMARK = Benchmark(
    title="RFM with scores and names",
    about=f"{shop.customers():,} customers, {shop.customers() * shop.LINES_EACH:,} order lines; Parquet to Parquet.",
    contenders=(
        Contender("Segmentry", segmentry, "segmentry"),
        Contender("Segmentry, all a run makes", segmentry_run, "segmentry"),
        Contender("DuckDB SQL", duckdb_sql, "duckdb"),
        Contender("polars", polars, "polars"),
        Contender("pandas", pandas, "pandas"),
        *(Contender(name, prepare, name) for name, prepare in LIBRARIES.items()),
    ),
    reference="DuckDB SQL",
    inputs=inputs,
    agree=agree,
    budgets=(
        times("Segmentry", "DuckDB SQL", 1.3),
        *(times("Segmentry", library, 0.1) for library in LIBRARIES),
    ),
)

if __name__ == "__main__":
    main(BENCHMARK)
