"""Lifetime models fitted on 100,000 and 1,000,000 customers, with histories of six and of 24 months by day.

From a Parquet file with a row per customer to parameters. Who fits on the same histories must reach the same likelihood
to 1e-6 of it. A weekly grain is coarser data: its forecast must be that of the daily grain within 5 %.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Benchmark, Contender, NotEqualError, Prepare, Work, main, say, scale, times

if TYPE_CHECKING:
    import numpy as np

SIZES = {"1M": 1_000_000, "100k": 100_000}
LENGTHS = {"24 months": 730, "6 months": 182}
LEAST = 2_000  # customers, at any scale
CASES = [("1M", "24 months"), ("1M", "6 months")]
if SIZES["1M"] * scale() > LEAST:  # else both sizes are the least
    CASES += [("100k", "24 months"), ("100k", "6 months")]
SAME = 1e-6  # of a likelihood
WEEKLY_NEAR = 0.05


def inputs(data: Path) -> None:
    """Customers who buy and leave as BG/NBD says, in whole days, with what they spend."""
    for size, length in CASES:
        path = _file(data, size, length)
        if not path.exists():
            say(f"making {path.name}")
            _write(path, max(int(SIZES[size] * scale()), LEAST), LENGTHS[length])


def _file(data: Path, size: str, length: str) -> Path:
    return data / f"histories-{size}-{length.replace(' ', '-')}.parquet"


def _write(path: Path, n: int, days: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(20260630)
    rate, chance = rng.gamma(0.8, 1 / 60, n), rng.beta(0.6, 4, n)
    observed = rng.integers(1, days + 1, n)
    x, t_x, now = np.zeros(n), np.zeros(n), np.zeros(n)
    there = np.arange(n)
    while len(there):
        now[there] += rng.exponential(1 / rate[there])
        there = there[now[there] < observed[there]]
        day = np.ceil(now[there])
        x[there] += day > t_x[there]  # purchases of one day are one
        t_x[there] = day
        there = there[rng.random(len(there)) >= chance[there]]
    again = x > 0
    spend = np.zeros(n)
    spend[again] = np.round(rng.gamma(6 * x[again], 1 / (rng.gamma(4, 1 / 15, again.sum()) * x[again])), 2) + 0.01
    columns = {"frequency": x.astype(np.int64), "recency": t_x.astype(np.int64), "T": observed, "monetary": spend}
    pq.write_table(pa.table(columns), path)


def _columns(path: Path, *names: str) -> list[np.ndarray]:
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=list(names))
    return [table[name].to_numpy() for name in names]


def _tell(out: Path, parameters: Mapping[str, float]) -> None:
    (out / "parameters.json").write_text(json.dumps({name: float(value) for name, value in parameters.items()}))


# Contenders, one of each for each case --------------------------------------------------------------------------------


def _segmentry(path: Path, out: Path, days: int) -> Work:
    from segmentry.stats.lifetime import BetaGeo

    def work() -> Mapping[str, Any]:
        x, t_x, observed = _columns(path, "frequency", "recency", "T")
        if days > 1:  # the end of the week in which the customer bought, so that weeks are whole
            t_x, observed = -(-t_x // days), -(-observed // days)
            x = x.clip(max=t_x)
        fitted = BetaGeo.fit(x, t_x, observed)
        _tell(out, fitted.parameters)
        return {"cells": fitted.fitted.cells}

    return work


def _lifetimes(path: Path, out: Path, _: int) -> Work:
    from lifetimes import BetaGeoFitter

    def work() -> None:
        fitter = BetaGeoFitter()
        fitter.fit(*_columns(path, "frequency", "recency", "T"))
        _tell(out, fitter.params_)

    return work


def _segmentry_spend(path: Path, out: Path, _: int) -> Work:
    from segmentry.stats.lifetime import GammaGamma

    def work() -> Mapping[str, Any]:
        fitted = GammaGamma.fit(*_columns(path, "frequency", "monetary"))
        _tell(out, fitted.parameters)
        return {"cells": fitted.fitted.cells}

    return work


def _lifetimes_spend(path: Path, out: Path, _: int) -> Work:
    from lifetimes import GammaGammaFitter

    def work() -> None:
        x, mean = _columns(path, "frequency", "monetary")
        fitter = GammaGammaFitter()
        fitter.fit(x[x > 0], mean[x > 0])
        _tell(out, fitter.params_)

    return work


# what is told -> (who does it, days in a grain, distribution)
WAYS = {
    "Segmentry, BG/NBD by day": (_segmentry, 1, "segmentry"),
    "Segmentry, BG/NBD by week": (_segmentry, 7, "segmentry"),
    "lifetimes, BG/NBD by day": (_lifetimes, 1, "lifetimes"),
    "Segmentry, Gamma-Gamma": (_segmentry_spend, 1, "segmentry"),
    "lifetimes, Gamma-Gamma": (_lifetimes_spend, 1, "lifetimes"),
}


def _prepared(way: str, size: str, length: str) -> Prepare:
    work, days, _ = WAYS[way]

    def prepare(data: Path, out: Path) -> Work:
        import pyarrow.dataset  # noqa: F401, what reading imports at first; nobody's imports are timed

        return work(_file(data, size, length), out, days)

    # the process of a run finds it by name
    prepare.__name__ = "_".join("".join(c if c.isalnum() else " " for c in f"{way} {size} {length}").split())
    globals()[prepare.__name__] = prepare
    return prepare


def _name(way: str, size: str, length: str) -> str:
    return f"{way}, {size} customers, {length}"


# --------------------------------------------------------------------------------------------------------------------


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """The same likelihood on the same histories; by week, the same forecast within 5 %."""
    for size, length in CASES:
        found = {
            way: json.loads((outs[name] / "parameters.json").read_text())
            for way in WAYS
            if (name := _name(way, size, length)) in outs
        }
        day, week = (found[f"Segmentry, BG/NBD by {grain}"] for grain in ("day", "week"))
        _same_forecast(day, week)
        path = _file(data, size, length)
        for ours, theirs in (("BG/NBD by day", "BG/NBD by day"), ("Gamma-Gamma", "Gamma-Gamma")):
            if f"lifetimes, {theirs}" in found:
                pair = [found[f"Segmentry, {ours}"], found[f"lifetimes, {theirs}"]]
                _same_likelihood(path, ours, pair)


def _same_forecast(day: Mapping[str, float], week: Mapping[str, float]) -> None:
    from segmentry.stats.lifetime import BetaGeo

    by_day, by_week = BetaGeo(**day).expected_purchases([182])[0], BetaGeo(**week).expected_purchases([26])[0]
    if not abs(by_week / by_day - 1) <= WEEKLY_NEAR:
        raise NotEqualError(f"By week {by_week:.4f} purchases in 26 weeks are expected, by day {by_day:.4f}.")


def _same_likelihood(path: Path, model: str, parameters: list[Mapping[str, float]]) -> None:
    import numpy as np

    from segmentry.stats.lifetime import BetaGeo, gamma_gamma, purchase_cells

    if model == "Gamma-Gamma":
        x, mean = _columns(path, "frequency", "monetary")
        again = x > 0
        spend = gamma_gamma.Spend.of(x[again].astype(float), mean[again], np.ones(again.sum()))
        likelihood = gamma_gamma.log_likelihood(spend)
    else:
        likelihood = BetaGeo.log_likelihood(purchase_cells(*_columns(path, "frequency", "recency", "T")))
    ours, theirs = (likelihood(np.log(list(values.values())))[0] for values in parameters)
    if not abs(ours - theirs) <= SAME * abs(ours):
        raise NotEqualError(f"{path.name}, {model}: log-likelihoods {ours:.6f} and {theirs:.6f}.")


def _faster(ours: str, theirs: str, most: float) -> tuple[Any, ...]:
    return tuple(times(_name(ours, *case), _name(theirs, *case), most) for case in CASES if case[0] == "1M")


BENCHMARK = Benchmark(
    title="Lifetime models",
    about=f"{int(SIZES['1M'] * scale()):,} and {int(SIZES['100k'] * scale()):,} customers; Parquet to parameters.",
    contenders=tuple(
        Contender(_name(way, *case), _prepared(way, *case), package)
        for case in CASES
        for way, (_, _, package) in WAYS.items()
    ),
    reference=_name("Segmentry, BG/NBD by day", "1M", "24 months"),
    inputs=inputs,
    agree=agree,
    budgets=(
        *_faster("Segmentry, BG/NBD by day", "lifetimes, BG/NBD by day", 1 / 5),
        *_faster("Segmentry, BG/NBD by week", "lifetimes, BG/NBD by day", 1 / 40),
        *_faster("Segmentry, Gamma-Gamma", "lifetimes, Gamma-Gamma", 1 / 10),
    ),
)

if __name__ == "__main__":
    main(BENCHMARK)
