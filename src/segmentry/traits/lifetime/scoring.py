"""Traits of lifetime value from learned models: a history is scored once, and the scores are joined back in the engine.

What a customer is expected to spend on an order depends on its own mean, so that is arithmetic in the engine:

    expected_spend = p (v + n m) / (p n + q - 1),  n orders so far, m their mean net of returns   (Gamma-Gamma)
    clv            = margin * expected_spend * discounted orders expected
    low, high      = clv / e^s, clv * e^s,  s = 1.96 standard errors of log clv (delta method)

The interval is that of the expectation: the mean of many customers with such a history.
"""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from segmentry import engine
from segmentry.catalogue import Trait, lookup
from segmentry.config.lifetime import CONTRACTS
from segmentry.stats.lifetime import scores
from segmentry.stats.lifetime.buying import BuyingModel
from segmentry.stats.lifetime.estimate import normal_quantile
from segmentry.traits.known import KEY, Expression, Known, Part
from segmentry.traits.lifetime import contracts, histories
from segmentry.traits.lifetime.histories import GROUP, HISTORY
from segmentry.traits.lifetime.learned import LEVEL, Group, LifetimeModels

_BLOCK = 200_000  # histories that are scored at once
_OWN = "lifetime_"  # in front of columns made here


def traits(known: Known, learned: LifetimeModels, acquisition_cost: Expression | None) -> Part:
    """The traits that the models give every customer."""
    if learned.model == CONTRACTS:
        passed, has_value = contracts.scored(known, learned), learned.groups[0].value is not None
    else:
        passed, has_value = _scored(known, learned), any(g.spending for g in learned.groups)
    expressions = _buying(learned)
    if has_value:
        expressions |= _value(learned, acquisition_cost)
    return Part(passes=(passed,), traits={_trait(name): value for name, value in expressions.items()})


def _trait(name: str) -> Trait:
    trait = lookup(name)
    assert trait is not None
    return trait


def _own(name: str) -> Expression:
    return lambda row: row[_OWN + name]


def _buying(learned: LifetimeModels) -> dict[str, Expression]:
    orders = {f"expected_orders_{days}d": _own(f"orders_{days}") for days in learned.horizons}
    return {"p_alive": _own("p_alive"), "churn_risk": lambda row: 1.0 - row[f"{_OWN}returns"], **orders}


def _value(learned: LifetimeModels, acquisition_cost: Expression | None) -> dict[str, Expression]:
    margin, z = learned.margin or 1.0, normal_quantile(LEVEL)

    def clv(days: int) -> Expression:
        return lambda row: row[f"{_OWN}spend"] * row[f"{_OWN}discounted_{days}"] * margin

    def bound(days: int, sign: int) -> Expression:
        def made(row: ir.Table) -> ir.Value:
            variance = row[f"{_OWN}spend_variance"] + row[f"{_OWN}variance_{days}"]
            return clv(days)(row) * engine.exp(sign * z * variance.sqrt())

        return made

    first = clv(learned.horizons[0])
    found: dict[str, Expression] = {"expected_spend": _own("spend")}
    for days in learned.horizons:
        found |= {f"clv_{days}d": clv(days), f"clv_{days}d_low": bound(days, -1), f"clv_{days}d_high": bound(days, 1)}
    found["value_at_risk"] = lambda row: first(row) * (1.0 - row[f"{_OWN}returns"])
    if acquisition_cost is not None:
        found["clv_to_cac"] = lambda row: engine.ratio(first(row), acquisition_cost(row))
    return found


# Scores ---------------------------------------------------------------------------------------------------------------


def _scored(known: Known, learned: LifetimeModels) -> ir.Table:
    """One row per customer who has bought, with the figures of the history and the spend of the customer's own."""
    made = histories.histories(known, round(learned.days), by=learned.by).table
    names = [g.name for g in learned.groups[1:]]
    cases = [(made[GROUP] == name, i) for i, name in enumerate(names, start=1)] if names else []
    number = ibis.cases(*cases, else_=0).cast("int64") if cases else ibis.literal(0, type="int64")
    made = engine.once(made.select(KEY, "mean_spend", *HISTORY, group_number=number))
    distinct = made.select("group_number", *HISTORY).distinct().to_pyarrow()
    scored = ibis.memtable(_score(learned, distinct))
    on = ["group_number", *HISTORY]
    rows = made.inner_join(scored, on)
    if any(g.spending for g in learned.groups):
        rows = rows.left_join(ibis.memtable(_spending(learned)), "group_number", rname="{name}_of_spending")
        rows = rows.mutate(**_spend(rows))
    kept = [c for c in rows.columns if c.startswith(_OWN)]
    return rows.select(KEY, *kept)


def _score(learned: LifetimeModels, distinct: pa.Table) -> pa.Table:
    """The figures of each distinct history, a block of them at a time."""
    keys = [distinct[name].to_numpy() for name in ("group_number", *HISTORY)]
    order = np.lexsort(keys[::-1])
    number, x, t_x, age = (column[order] for column in keys)
    blocks = []
    for i, group in enumerate(learned.groups):
        where = np.flatnonzero(number == i)
        for start in range(0, len(where), _BLOCK):
            here = where[start : start + _BLOCK]
            columns = {"group_number": number[here], "x": x[here], "t_x": t_x[here], "age": age[here]}
            blocks.append(pa.table({**columns, **_figures(learned, group, x[here], t_x[here], age[here])}))
    return pa.concat_tables(blocks)


def _figures(learned: LifetimeModels, group: Group, x: Any, t_x: Any, age: Any) -> dict[str, Any]:
    model = group.buying
    assert isinstance(model, BuyingModel)
    ahead = [days / learned.days for days in learned.horizons]
    found = scores(model, x, t_x, age, ahead, learned.per_period)
    columns = {f"{_OWN}p_alive": found.p_alive, f"{_OWN}returns": found.returns}
    for days, outlook in zip(learned.horizons, found.outlooks, strict=True):
        columns[f"{_OWN}orders_{days}"] = outlook.purchases
        columns[f"{_OWN}discounted_{days}"] = outlook.discounted
        columns[f"{_OWN}variance_{days}"] = outlook.variance
    return columns


_SPENDING = ("p", "q", "v")


def _spending(learned: LifetimeModels) -> pa.Table:
    """The spend model of each group that has one, the covariance of the logarithms of its parameters included."""
    rows = []
    for i, group in enumerate(learned.groups):
        if group.spending is not None:
            known = group.spending.fitted.covariance
            spread = {f"{a}{b}": known[j][k] for j, a in enumerate(_SPENDING) for k, b in enumerate(_SPENDING)}
            rows.append({"group_number": i, **group.spending.parameters, **spread})
    return pa.Table.from_pylist(rows)


def _spend(row: ir.Table) -> dict[str, ir.Value]:
    """E[spend on an order | n orders of mean m], and the variance of its logarithm."""
    n, m = row["x"] + 1.0, row["mean_spend"]
    p, q, v = (row[name] for name in _SPENDING)
    weight = p * n + q - 1.0
    slopes = {"p": (q - 1.0) / weight, "q": -q / weight, "v": v / (v + n * m)}
    variance: Any = ibis.literal(0.0)
    for a in _SPENDING:
        for b in _SPENDING:
            variance = variance + slopes[a] * slopes[b] * row[a + b]
    return {
        f"{_OWN}spend": p * (v + n * m) / weight,
        f"{_OWN}spend_variance": (variance > 0.0).ifelse(variance, 0.0),
    }
