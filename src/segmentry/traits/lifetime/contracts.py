"""Lifetime value of contracts: how long customers stay, from who has left and after how many periods (sBG).

``contract`` of segmentry.yaml says where contracts are told. By columns, ``periods`` are those completed, and who has
``left`` did so at the end of the last one. By events, a contract runs from the last ``started`` (or the day of joining)
to the first ``ended`` after it; a customer without a start has no contract. Whoever has left is worth nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from segmentry import engine
from segmentry.config.lifetime import CONTRACTS, Contract, Lifetime
from segmentry.errors import FitError
from segmentry.stats.lifetime import ShiftedBetaGeo
from segmentry.stats.lifetime.cells import Floats
from segmentry.stats.lifetime.estimate import normal_quantile
from segmentry.traits.known import ATTRIBUTE, KEY, Known
from segmentry.traits.lifetime.learned import LEVEL, Group, LifetimeModels

PERIOD_DAYS = {"week": 7.0, "month": 365 / 12, "quarter": 365 / 4, "year": 365.0}
_OWN = "lifetime_"
_DECIMALS = 4  # of payments


def ready(known: Known, settings: Lifetime) -> bool:
    """Whether what ``contract`` names is there and has values."""
    contract = _contract(settings)
    columns = [c for c in (contract.periods, contract.left, contract.payment) if c is not None]
    if any(not known.has(f"customers.{column}") for column in columns):
        return False
    if not contract.ended:
        return True
    starts = bool(contract.started) or known.has("customers.joined_at")
    return "events" in known.facts and starts


def learn(known: Known, settings: Lifetime) -> LifetimeModels:
    """How long contracts last as of ``known.as_of``; :class:`FitError` where nobody has left yet."""
    contract = _contract(settings)
    rows = _contracts(known, contract)
    t, left, n, paid = _cells(rows)
    model = ShiftedBetaGeo.fit(t, left, n)
    days = PERIOD_DAYS[contract.period]
    held = _validation(t, left, n)
    learned = LifetimeModels(
        model=CONTRACTS,
        as_of=known.as_of,
        period=contract.period,
        days=days,
        horizons=settings.horizon,
        discount=settings.discount,
        groups=(),
        because="segmentry.yaml says that customers are under contract",
        validation=held,
        notes=("Values are payments: what serving a contract costs is not taken off.", *_holdout_notes(held)),
    )
    value = low = high = None
    if contract.payment is not None:
        value, low, high = _total(learned, model, t[left == 0], paid[left == 0])
    members, gone = int(n.sum()), int(n[left == 1].sum())
    group = Group(None, members, gone, members, model, value=value, low=low, high=high)
    return LifetimeModels(**{**learned.__dict__, "groups": (group,)})


def scored(known: Known, learned: LifetimeModels) -> ir.Table:
    """One row per customer who has or had a contract, with the figures of its history."""
    contract = _contract(known.settings.lifetime)
    rows = engine.once(_contracts(known, contract))
    t, left, _, _ = _cells(rows)
    model = learned.groups[0].buying
    assert isinstance(model, ShiftedBetaGeo)
    there = left == 0
    columns: dict[str, Any] = {"t": t.astype(np.int64), "left": left.astype(np.int64), f"{_OWN}p_alive": 1.0 - left}
    stays = model.survival(t + _periods(learned, learned.horizons[0])) / model.survival(t)
    columns[f"{_OWN}returns"] = np.where(there, stays, 0.0)
    for days in learned.horizons:
        payments, discounted, variance = _payments(learned, model, t, days)
        columns[f"{_OWN}orders_{days}"] = np.where(there, payments, 0.0)
        columns[f"{_OWN}discounted_{days}"] = np.where(there, discounted, 0.0)
        columns[f"{_OWN}variance_{days}"] = variance
    found = rows.inner_join(ibis.memtable(pa.table(columns)), ["t", "left"])
    own = {f"{_OWN}spend": found["payment"], f"{_OWN}spend_variance": (found["payment"] * 0.0)}
    return found.select(KEY, *(c for c in columns if c.startswith(_OWN)), **own)


def _contract(settings: Lifetime) -> Contract:
    assert settings.contract is not None  # config says so of sbg
    return settings.contract


def _contracts(known: Known, contract: Contract) -> ir.Table:
    """customer_key, ``t`` periods completed (by who left: the one it ended with), ``left`` 1 or 0, ``payment``."""
    people = known.customers
    payment = ibis.null("float64") if contract.payment is None else people[ATTRIBUTE + contract.payment].cast("float64")
    if contract.ended:
        rows = _by_events(known, contract)
        people = people.select(KEY, payment=payment)
        return rows.inner_join(people, KEY).select(KEY, "t", "left", "payment")
    gone = people[f"{ATTRIBUTE}{contract.left}"].ifelse(1, 0)
    done = people[f"{ATTRIBUTE}{contract.periods}"].cast("float64").floor()
    rows = people.select(KEY, payment=payment, done=done, left=gone.cast("int64"))
    rows = rows.filter((rows["done"] >= 0) & rows["left"].notnull())
    return _whole(rows.mutate(t=(rows["done"] < rows["left"]).ifelse(1.0, rows["done"])))


def _by_events(known: Known, contract: Contract) -> ir.Table:
    events = known.facts["events"]
    day = events["time"].cast("date")
    if contract.started:
        begun = events.filter(events["name"].isin(contract.started)).group_by(KEY).agg(began=day.max())
    else:
        begun = known.customers.select(KEY, began=known.joined(known.customers))
        begun = begun.filter(begun["began"].notnull())
    ends = events.filter(events["name"].isin(contract.ended)).select(KEY, ended=day)
    both = begun.left_join(ends, KEY)
    after = (both["ended"] >= both["began"]).ifelse(both["ended"], ibis.null("date"))
    once = both.group_by([KEY, "began"]).agg(ended=after.min())
    gone = once["ended"].notnull()
    lasted = engine.days_between(ibis.coalesce(once["ended"], ibis.literal(known.as_of)), once["began"])
    length = lasted.cast("float64") / PERIOD_DAYS[contract.period]
    whole = gone.ifelse((length <= 1.0).ifelse(1.0, length.ceil()), length.floor())
    return _whole(once.select(KEY, t=whole, left=gone.ifelse(1, 0)))


def _whole(rows: ir.Table) -> ir.Table:
    return rows.mutate(t=rows["t"].cast("int64"), left=rows["left"].cast("int64"))


def _cells(rows: ir.Table) -> tuple[Floats, Floats, Floats, Floats]:
    """Distinct (t, left), their customers and what these pay together each period."""
    paid = engine.sum_of_units(engine.units(rows["payment"], _DECIMALS), _DECIMALS)
    found = rows.group_by(["t", "left"]).agg(n=rows.count(), paid=paid.fill_null(0.0)).order_by(["t", "left"])
    table = found.to_pyarrow()
    if not table.num_rows:
        raise FitError("Nobody has a contract.", fix="Check `lifetime.contract` in segmentry.yaml.")
    t, left, n, total = (table[c].to_numpy().astype(np.float64) for c in ("t", "left", "n", "paid"))
    return t, left, n, total


def _periods(learned: LifetimeModels, days: int) -> int:
    return max(1, round(days / learned.days))


def _payments(learned: LifetimeModels, model: ShiftedBetaGeo, t: Floats, days: int) -> tuple[Floats, Floats, Floats]:
    """Payments expected within a horizon of who is there after t periods; discounted; variance of their logarithm."""
    ahead = _periods(learned, days)

    def discounted(of: ShiftedBetaGeo) -> Floats:
        return of.discounted_periods(learned.per_period, t, ahead)

    value, slope = discounted(model), model.slopes(discounted)
    error = np.einsum("ik,ij,jk->k", slope, np.array(model.fitted.covariance), slope)
    return model.discounted_periods(0.0, t, ahead), value, error / value**2


def _total(learned: LifetimeModels, model: ShiftedBetaGeo, t: Floats, paid: Floats) -> tuple[float, float, float]:
    """What all contracts will bring within the first horizon, and between which bounds."""
    ahead = _periods(learned, learned.horizons[0])

    def total(of: ShiftedBetaGeo) -> Floats:
        return np.atleast_1d((of.discounted_periods(learned.per_period, t, ahead) * paid).sum())

    if not len(t):
        return 0.0, 0.0, 0.0
    value, slope = float(total(model)[0]), model.slopes(total)[:, 0]
    error = float(np.sqrt(slope @ np.array(model.fitted.covariance) @ slope))
    reach = np.exp(normal_quantile(LEVEL) * error / value) if value > 0 else 1.0
    return value, value / float(reach), value * float(reach)


def _holdout_notes(held: Mapping[str, Any] | None) -> tuple[str, ...]:
    if held is None:
        return ("No holdout: there is no telling how well this forecasts. A longer history would have one.",)
    if abs(held["expected"] - held["left"]) <= abs(held["naive"] - held["left"]):
        return ()
    return (
        "In the holdout a constant rate of leaving was nearer to what happened than sBG: trust the order of the "
        "customers more than the sums.",
    )


def _validation(t: Floats, left: Floats, n: Floats) -> Mapping[str, Any] | None:
    """Fit on the first two thirds of the periods and forecast who leaves in the last third; None where it cannot be.

    ``retention`` has a row for each period: its number, customers due, share that stayed, and share expected to.
    """
    last = int(t.max())
    cut = 2 * last // 3
    if cut < 2:
        return None
    try:
        early = ShiftedBetaGeo.fit(np.minimum(t, cut), left * (t <= cut), n)
    except FitError:
        return None
    periods = np.arange(1, last + 1)
    due = np.array([n[t >= k].sum() for k in periods])
    lost = np.array([n[(t == k) & (left == 1)].sum() for k in periods])
    expected = due * (1 - early.retention(periods))
    churn = lost[:cut].sum() / due[:cut].sum()
    told = [
        [int(k), float(d), float(1 - gone / d), float(1 - e / d)]
        for k, d, gone, e in zip(periods, due, lost, expected, strict=True)
        if d
    ]
    return {
        "calibration": cut,
        "left": float(lost[cut:].sum()),
        "expected": float(expected[cut:].sum()),
        "naive": float(churn * due[cut:].sum()),
        "retention": told,
    }
