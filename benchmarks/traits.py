"""All traits that the catalogue has for a shop, about fifty, of 1M customers and 10M order lines.

The peers compute the traits that come from order lines, as one would write them down at once: every aggregate in one
scan. The demographic ones are easy and not theirs. What a trait costs is told by making those of each part of the
pipeline alone: what several parts share is then paid by each of them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import shop
from benchmarks.measure import Benchmark, Contender, Work, main, memory, same, seconds

if TYPE_CHECKING:
    import ibis

    from segmentry.traits import Facts

SHARES = {"channel": shop.CHANNELS, "category": shop.CATEGORIES}
NUMBERS = (
    *("recency_days", "frequency", "monetary", "average_order_value", "days_between_orders", "order_days"),
    *("active_months", "spend_90d", "orders_90d", "spend_365d", "orders_365d", "return_rate", "items_per_order"),
    *("discount_share", "products_bought", "margin", "margin_rate"),
)


def inputs(data: Path) -> None:
    """Order lines and customers."""
    shop.order_lines(data)
    shop.golden_customers(data)


def segmentry(data: Path, out: Path) -> Work:
    """The functions of the stage: every trait whose data are there."""
    from segmentry import engine, traits

    shop.wake()

    def work() -> dict[str, int]:
        with engine.in_memory(out / "scratch") as con:
            made = traits.compute(_facts(con, data), shop.AS_OF)
            con.to_parquet(made.table.order_by("customer_key"), out / "result.parquet")
        return {"traits": len(made.traits)}

    return work


def part_by_part(data: Path, out: Path) -> Work:
    """The table of traits with those of one part of the pipeline only (DuckDB leaves out what no column needs).

    Tells the processor seconds per trait beyond what the table takes without any.
    """
    from segmentry import engine, traits
    from segmentry.traits.known import known

    shop.wake()

    def work() -> dict[str, float]:
        with engine.in_memory(out / "scratch") as con:
            facts = _facts(con, data)
            now = known(facts, shop.AS_OF, traits.Settings(), frozenset())
            parts = {name: [trait.name for trait in model(now).traits] for name, model in traits.PIPELINE.items()}
            table = traits.compute(facts, shop.AS_OF).table

            def cost(columns: list[str]) -> float:
                begin = time.process_time()
                con.to_parquet(table.select("customer_key", *columns).order_by("customer_key"), out / "part.parquet")
                return time.process_time() - begin

            nothing = cost([])
            each = {
                f"{name} ({len(of)} traits), each": round((cost(of) - nothing) / len(of), 2)
                for name, of in parts.items()
                if of
            }
        return {"without any trait": round(nothing, 2), **each}

    return work


def _facts(con: ibis.BaseBackend, data: Path) -> Facts:
    from segmentry import traits

    return traits.Facts(
        golden_customers=con.read_parquet(data / "customers.parquet"),
        transactions=con.read_parquet(data / "lines.parquet"),
    )


def duckdb_one_scan(data: Path, out: Path) -> Work:
    """Hand-written SQL: one scan, every aggregate in it, with FILTER, count(DISTINCT) and mode()."""
    import duckdb

    sale = "FILTER (line_kind = 'sale')"
    recent = {n: shop.AS_OF - timedelta(days=n) for n in (90, 365)}
    last = {n: f"FILTER (line_kind = 'sale' AND day > DATE '{day}')" for n, day in recent.items()}
    goods = {n: f"FILTER (day > DATE '{day}')" for n, day in recent.items()}
    parts = ",\n".join(
        f"sum(amount) FILTER (line_kind = 'sale' AND {column} = '{value}') AS {column}_{value}"
        for column, values in SHARES.items()
        for value in values
    )
    shares = ",\n".join(
        f"coalesce({column}_{value}, 0) / sold AS {column}_share_{value}"
        for column, values in SHARES.items()
        for value in values
    )
    query = f"""
        WITH lines AS (SELECT *, time::DATE AS day FROM '{data}/lines.parquet'),
        summed AS (
            SELECT customer_key, min(day) {sale} AS first_day, max(day) {sale} AS last_day,
                count(DISTINCT "order") {sale} AS frequency, sum(amount) AS monetary, sum(amount) {sale} AS sold,
                sum(amount) FILTER (line_kind = 'return') AS returned, count(DISTINCT day) {sale} AS order_days,
                count(DISTINCT date_trunc('month', day)) {sale} AS active_months,
                sum(amount) {goods[90]} AS spend_90d, count(DISTINCT "order") {last[90]} AS orders_90d,
                sum(amount) {goods[365]} AS spend_365d, count(DISTINCT "order") {last[365]} AS orders_365d,
                sum(quantity) {sale} AS pieces, sum(discount) {sale} AS discounts,
                count(DISTINCT product) {sale} AS products_bought,
                sum(CASE WHEN line_kind = 'sale' THEN cost ELSE -cost END) AS cost,
                mode(channel) {sale} AS top_channel, mode(category) {sale} AS top_category,
                {parts}
            FROM lines GROUP BY customer_key
        )
        SELECT customer_key, DATE '{shop.AS_OF}' - last_day AS recency_days, frequency, monetary,
            sold / nullif(frequency, 0) AS average_order_value,
            (last_day - first_day) / nullif(order_days - 1, 0) AS days_between_orders, order_days, active_months,
            coalesce(spend_90d, 0) AS spend_90d, orders_90d, coalesce(spend_365d, 0) AS spend_365d, orders_365d,
            CASE WHEN sold > 0 THEN least(-coalesce(returned, 0) / sold, 1) END AS return_rate,
            pieces / nullif(frequency, 0) AS items_per_order,
            discounts / (sold + discounts) AS discount_share, products_bought, monetary - cost AS margin,
            CASE WHEN monetary > 0 THEN (monetary - cost) / monetary END AS margin_rate, top_channel, top_category,
            {shares}
        FROM summed ORDER BY customer_key
    """

    def work() -> None:
        with duckdb.connect(config={"temp_directory": str(out / "scratch")}) as con:
            con.execute(f"COPY ({query}) TO '{out}/result.parquet' (FORMAT parquet)")

    return work


def polars(data: Path, out: Path) -> Work:
    """The same in polars, lazily, in one group_by."""
    import polars as pl

    sale = pl.col("line_kind") == "sale"
    since = {n: pl.col("day") > shop.AS_OF - timedelta(days=n) for n in (90, 365)}

    def of(column: str, condition: pl.Expr = sale) -> pl.Expr:
        return pl.col(column).filter(condition)

    def whole(expression: pl.Expr) -> pl.Expr:
        return expression.cast(pl.Int64)

    sums = {
        f"{column}_{value}": of("amount", sale & (pl.col(column) == value)).sum()
        for column, values in SHARES.items()
        for value in values
    }

    def work() -> None:
        lines = pl.scan_parquet(data / "lines.parquet").with_columns(day=pl.col("time").dt.date())
        summed = lines.group_by("customer_key").agg(
            first_day=of("day").min(),
            last_day=of("day").max(),
            frequency=whole(of("order").n_unique()),
            monetary=pl.col("amount").sum(),
            sold=of("amount").sum(),
            returned=of("amount", pl.col("line_kind") == "return").sum(),
            order_days=whole(of("day").n_unique()),
            active_months=whole(of("day").dt.truncate("1mo").n_unique()),
            **{f"spend_{n}d": of("amount", recent).sum() for n, recent in since.items()},
            **{f"orders_{n}d": whole(of("order", sale & recent).n_unique()) for n, recent in since.items()},
            pieces=of("quantity").sum(),
            discounts=of("discount").sum(),
            products_bought=whole(of("product").n_unique()),
            cost=pl.when(sale).then(pl.col("cost")).otherwise(-pl.col("cost")).sum(),
            top_channel=of("channel").mode().first(),
            top_category=of("category").mode().first(),
            **sums,
        )
        orders, sold = pl.col("frequency"), pl.col("sold")
        some = pl.when(orders > 0)
        margin = pl.col("monetary") - pl.col("cost")
        shares = {
            f"{column}_share_{value}": some.then(pl.col(f"{column}_{value}") / sold)
            for column, values in SHARES.items()
            for value in values
        }
        days = (pl.col("last_day") - pl.col("first_day")).dt.total_days()
        made = summed.with_columns(
            recency_days=(pl.lit(shop.AS_OF) - pl.col("last_day")).dt.total_days(),
            average_order_value=some.then(sold / orders),
            days_between_orders=pl.when(pl.col("order_days") > 1).then(days / (pl.col("order_days") - 1)),
            return_rate=some.then(pl.min_horizontal(-pl.col("returned") / sold, pl.lit(1.0))),
            items_per_order=some.then(pl.col("pieces") / orders),
            discount_share=some.then(pl.col("discounts") / (sold + pl.col("discounts"))),
            margin=margin,
            margin_rate=pl.when(pl.col("monetary") > 0).then(margin / pl.col("monetary")),
            **shares,
        )
        kept = ("customer_key", *NUMBERS, "top_channel", "top_category", *shares)
        made.select(kept).sort("customer_key").sink_parquet(out / "result.parquet")

    return work


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """The peers' traits are ours, of those with order lines; of equally frequent values a peer may name any."""
    ours = _with_lines(data, outs["Segmentry"])
    columns = [*NUMBERS, *_shares(ours)]
    for name, out in outs.items():
        if not name.startswith("Segmentry"):
            same(ours, out / "result.parquet", "customer_key", columns)
            for column in SHARES:
                same(ours, out / "result.parquet", "customer_key", (f"top_{column}",), where=f"a.{column}_clear")


def _shares(ours: Path) -> list[str]:
    """The shares that we have: of nine categories the rarest has none."""
    import duckdb

    named = {f"{column}_share_{value}" for column, values in SHARES.items() for value in values}
    with duckdb.connect() as con:
        return [column for column in con.sql(f"FROM '{ours}'").columns if column in named]


def _with_lines(data: Path, out: Path) -> Path:
    """Our traits of the customers with order lines, and whether one channel, one category is their clear favourite."""
    import duckdb

    path = out / "with-lines.parquet"
    clear = " ".join(
        f"""LEFT JOIN (SELECT customer_key, count(*) = 1 AS {column}_clear FROM (
                SELECT customer_key, rank() OVER (PARTITION BY customer_key ORDER BY count(*) DESC) AS place
                FROM '{data}/lines.parquet' WHERE line_kind = 'sale' GROUP BY customer_key, {column}
            ) WHERE place = 1 GROUP BY customer_key) USING (customer_key)"""
        for column in SHARES
    )
    with duckdb.connect() as con:
        con.execute(f"""
            COPY (FROM '{out}/result.parquet' SEMI JOIN '{data}/lines.parquet' USING (customer_key) {clear}) TO '{path}'
        """)
    return path


BENCHMARK = Benchmark(
    title="About fifty traits of all kinds",
    about=f"{shop.customers():,} customers, {shop.customers() * shop.LINES_EACH:,} order lines; Parquet to Parquet. "
    "The peers compute the thirty that come from order lines.",
    contenders=(
        Contender("Segmentry", segmentry, "segmentry"),
        Contender("Segmentry, part by part", part_by_part, "segmentry"),
        Contender("DuckDB SQL, one scan", duckdb_one_scan, "duckdb"),
        Contender("polars", polars, "polars"),
    ),
    reference="DuckDB SQL, one scan",
    inputs=inputs,
    agree=agree,
    budgets=(seconds("Segmentry", 30), memory("Segmentry", 4)),
)

if __name__ == "__main__":
    main(BENCHMARK)
