"""Lifetime value: what a customer's history is, what the models give each customer, and what bad data get to hear."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ibis.backends.duckdb import Backend
from trait_reference import COSTS, by_key, customers, table, transactions

from segmentry.config import Attribute
from segmentry.config.lifetime import Lifetime
from segmentry.stats.lifetime import GammaGamma, GeometricNbd, ShiftedBetaGeo, Terms, lifetime_value
from segmentry.traits import Facts, Settings, TraitTable, compute
from segmentry.traits.known import known
from segmentry.traits.lifetime.histories import cells, histories
from segmentry.traits.lifetime.learned import LifetimeModels

AS_OF = date(2025, 12, 31)
Row = dict[str, Any]


def shop(people: int = 900, seed: int = 3, days: int = 600) -> list[Row]:
    """Orders of customers who buy at rates of their own and leave after some order, as order lines."""
    rng = np.random.default_rng(seed)
    rate, spend = rng.gamma(1.2, 1 / 60, people), 10 / rng.gamma(5, 1, people)
    chance, now = rng.beta(1.5, 9, people), rng.integers(0, days, people).astype(float)
    rows: list[Row] = []
    there = np.ones(people, dtype=bool)
    while there.any():
        for key in np.flatnonzero(there & (now < days)):
            when = datetime(2025, 12, 31, 12) - timedelta(days=int(days - 1 - now[key]))
            rows.append({"customer_key": int(key), "time": when, "amount": round(rng.gamma(6) * spend[key], 2)})
        there &= (rng.random(people) >= chance) & (now < days)
        now += rng.exponential(1 / rate)
    return rows


def made(
    con: Backend,
    rows: Sequence[Row],
    settings: Mapping[str, Any] | None = None,
    *,
    people: int = 900,
    as_of: date = AS_OF,
    **more: Any,
) -> TraitTable:
    facts = Facts(customers(con, range(people)), transactions(con, rows), **more)
    return compute(facts, as_of, Settings(lifetime=Lifetime.model_validate(settings or {})))


def models(found: TraitTable) -> LifetimeModels:
    """What was learned, as it is read back from its file."""
    return LifetimeModels.from_dict(json.loads(json.dumps(found.learned["lifetime"].model, allow_nan=False)))


def sold(day: int, amount: float = 10.0, kind: str = "sale", key: int = 1) -> Row:
    when = datetime(2025, 12, 31, 9) - timedelta(days=day)
    return {"customer_key": key, "time": when, "amount": amount, "line_kind": kind}


# Histories ------------------------------------------------------------------------------------------------------------


def history(con: Backend, rows: Sequence[Row], days: int = 1, **how: Any) -> dict[int, Row]:
    now = known(Facts(customers(con, range(9)), transactions(con, rows)), AS_OF, Settings(), frozenset())
    return {r["customer_key"]: r for r in histories(now, days, **how).table.to_pyarrow().to_pylist()}


def test_orders_of_one_day_are_one_purchase_and_returns_lower_the_spend(con: Backend):
    rows = [sold(100, 30.0), sold(100, 10.0), sold(40, 50.0), sold(10, 30.0), sold(5, -40.0, "return")]
    row = history(con, rows)[1]
    assert (row["x"], row["t_x"], row["age"], row["mean_spend"]) == (2, 90, 100, (120 - 40) / 3)


def test_what_is_cancelled_on_its_day_and_what_is_free_is_no_purchase(con: Backend):
    rows = [sold(50, 20.0), sold(30, 70.0), sold(30, -70.0, "return"), sold(20, 0.0), sold(9, 4.0, "charge")]
    row = history(con, rows)[1]
    assert (row["x"], row["t_x"], row["age"], row["mean_spend"]) == (0, 0, 50, 20)


def test_who_sends_back_more_than_was_bought_is_expected_to_spend_little(con: Backend):
    found = history(con, [sold(50, 20.0), sold(10, -90.0, "return"), sold(3, -5.0, "return", key=2)])
    assert found[1]["mean_spend"] == 0
    assert 2 not in found  # only sent things back: no purchase, no history


def test_an_amount_beyond_all_bounds_is_added_up(con: Backend):
    rows = [sold(30, 10.0), sold(20, 1e15), sold(30, 10.0, key=2), sold(20, 20.0, key=2)]
    now = known(Facts(customers(con, range(9)), transactions(con, rows)), AS_OF, Settings(), frozenset())
    found = cells(histories(now, 1).table)
    assert (found.mean_spend * found.customers).sum() == pytest.approx(5e14 + 5 + 15, rel=1e-12)


def test_weeks_end_on_the_day_of_the_picture(con: Backend):
    row = history(con, [sold(14), sold(13), sold(8), sold(7), sold(6), sold(0)], days=7)[1]
    assert (row["x"], row["t_x"], row["age"]) == (2, 2, 2)


def test_calibration_and_holdout_are_parted_by_their_days(con: Backend):
    rows = [sold(100), sold(70), sold(30), sold(12), sold(4), sold(20, key=2)]
    how = {"cut_day": AS_OF - timedelta(days=50), "over_day": AS_OF - timedelta(days=10)}
    found = history(con, rows, **how)
    before = [found[1][c] for c in ("x_before", "t_x_before", "age_before", "bought_after")]
    assert before == [1, 30, 50, 2]
    assert found[2]["x_before"] is None  # came after the calibration


# Traits ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return shop()


def test_values_are_those_of_the_models(con: Backend, rows: list[Row]):
    found = made(con, [*rows, sold(30, -20.0, "return", key=3)], {"horizon": [90, 365], "discount": 0.2})
    learned = models(found)
    group = learned.groups[0]
    frame = found.table.to_pandas()
    frame = frame[frame["p_alive"].notna()].sort_values("customer_key")
    now = known(Facts(con.table("golden_customers"), con.table("transactions")), AS_OF, Settings(), frozenset())
    own = histories(now, 1).table.to_pandas().set_index("customer_key").loc[frame["customer_key"]]
    h = (own["x"], own["t_x"], own["age"])
    assert frame["p_alive"].to_numpy() == pytest.approx(group.buying.p_alive(*h))
    assert frame["churn_risk"].to_numpy() == pytest.approx(1 - group.buying.purchase_probability(90, *h))
    assert frame["expected_orders_365d"].to_numpy() == pytest.approx(group.buying.conditional_purchases(365, *h))
    p, q, v = group.spending.parameters.values()
    n, m = own["x"].to_numpy() + 1, own["mean_spend"].to_numpy()
    assert m[0] > 0 == m[frame["customer_key"].to_numpy() == 3]  # customer 3 has sent back more than all
    spend = p * (v + n * m) / (p * n + q - 1)
    assert frame["expected_spend"].to_numpy() == pytest.approx(spend)
    bought = group.buying.discounted_purchases(90, 1.2 ** (1 / 365) - 1, *h)
    assert frame["clv_90d"].to_numpy() == pytest.approx(spend * bought)
    assert (frame["clv_365d"] > frame["clv_90d"]).all()
    assert frame["value_at_risk"].to_numpy() == pytest.approx((frame["clv_90d"] * frame["churn_risk"]).to_numpy())
    assert group.value == pytest.approx(frame["clv_90d"].sum())


def test_interval_is_that_of_the_delta_method(con: Backend, rows: list[Row]):
    found = made(con, rows, {"model": "geo_nbd"})
    group, frame = models(found).groups[0], found.table.to_pandas().set_index("customer_key")
    assert isinstance(group.buying, GeometricNbd)
    key = int(frame["frequency"].idxmax())
    now = known(Facts(con.table("golden_customers"), con.table("transactions")), AS_OF, Settings(), frozenset())
    row = histories(now, 1).table.to_pandas().set_index("customer_key").loc[[key]]

    class AllOrders(GammaGamma):
        def expected_spend(self, frequency: Any, monetary: Any) -> Any:
            return super().expected_spend(np.asarray(frequency) + 1, monetary)

    spending = AllOrders(*group.spending.parameters.values(), estimate=group.spending.estimate)
    terms = Terms(365, 1.1 ** (1 / 365) - 1)
    expected = lifetime_value(group.buying, spending, row["x"], row["t_x"], row["age"], row["mean_spend"], terms)
    own = frame.loc[key]
    assert own["clv_365d"] == pytest.approx(expected.value[0])
    assert own["clv_365d_low"] == pytest.approx(expected.interval.low[0], rel=1e-6)
    assert own["clv_365d_high"] == pytest.approx(expected.interval.high[0], rel=1e-6)
    assert own["clv_365d_low"] < own["clv_365d"] < own["clv_365d_high"]


def test_margin_counts_where_costs_are_known_and_acquisition_is_held_against_it(con: Backend, rows: list[Row]):
    plain = made(con, rows, {"model": "geo_nbd"}).table.to_pandas().set_index("customer_key")
    costed = [r | {"cost": 0.75 * r["amount"]} for r in rows]
    spent = table(con, "costs", [{"type": "acquisition", "amount": 9_000.0, "customer_key": None}], COSTS)
    found = made(con, costed, {"model": "geo_nbd"}, further={"costs": spent})
    assert models(found).margin == pytest.approx(0.25)
    frame = found.table.to_pandas().set_index("customer_key")
    assert frame["clv_365d"].to_numpy() == pytest.approx(plain["clv_365d"].to_numpy() * 0.25)
    assert frame["clv_to_cac"].to_numpy() == pytest.approx(frame["clv_365d"].to_numpy() / 10)


def test_goods_that_cost_more_than_they_bring_have_no_value(con: Backend, rows: list[Row]):
    found = made(con, [r | {"cost": 2 * r["amount"]} for r in rows], {"model": "geo_nbd"})
    assert "The goods cost more than they bring" in found.learned["lifetime"].refused
    assert not {t.name for t in found.traits} & {"p_alive", "clv_365d", "churn_risk"}


def test_large_groups_have_models_of_their_own_and_small_ones_those_of_all(con: Backend):
    first, second, few = shop(700, 1), shop(700, 2), shop(40, 4)
    parts = enumerate((first, second, few))
    rows = [r | {"customer_key": 1000 * i + r["customer_key"]} for i, part in parts for r in part]
    keys = sorted({r["customer_key"] for r in rows})
    people = [{"customer_key": k, "acquisition_channel": "abc"[k // 1000]} for k in keys]
    facts = Facts(customers(con, people), transactions(con, rows))
    found = compute(facts, AS_OF, Settings(lifetime=Lifetime(by="acquisition_channel", model="geo_nbd")))
    learned = models(found)
    assert sorted((g.name, g.members) for g in learned.groups if g.name) == [("a", 700), ("b", 700)]
    assert (learned.groups[0].name, learned.groups[0].members) == (None, len([k for k in keys if k >= 2000]))
    row = found.table.filter(found.table["customer_key"] == 5).to_pandas().iloc[0]
    now = known(facts, AS_OF, Settings(), frozenset())
    own = histories(now, 1).table.to_pandas().set_index("customer_key").loc[[5]]
    mine = next(g for g in learned.groups if g.name == "a").buying
    assert row["p_alive"] == pytest.approx(mine.p_alive(own["x"], own["t_x"], own["age"])[0])


def test_cohorts_are_the_years_of_the_first_order(con: Backend):
    found = models(made(con, shop(1300), {"by": "cohort", "model": "geo_nbd"}, people=1300))
    assert {g.name for g in found.groups} == {None, "2024", "2025"}


def test_nothing_later_than_the_picture_has_any_influence(con: Backend, rows: list[Row]):
    day = date(2025, 9, 30)
    end = datetime(2025, 10, 1)
    early = [r for r in rows if r["time"] < end]
    quick = {"model": "geo_nbd"}
    a = made(con, early, quick, as_of=day)
    before = by_key(a)
    b = made(con, [*rows, sold(-40, 999.0)], quick, as_of=day)
    assert a.learned == b.learned
    after = by_key(b)
    bought = {r["customer_key"] for r in early}
    assert {k: after[k] for k in bought} == {k: before[k] for k in bought}


def test_the_model_stays_when_the_day_moves_on(con: Backend, rows: list[Row]):
    facts = Facts(customers(con, range(900)), transactions(con, rows))
    settings = Settings(lifetime=Lifetime(model="geo_nbd"))
    first = compute(facts, date(2025, 10, 31), settings)
    second = compute(facts, AS_OF, settings, learned=first.learned)
    assert second.learned == first.learned
    a, b = (t.table.to_pandas().set_index("customer_key")["p_alive"] for t in (first, second))
    silent = set(b.index) - {r["customer_key"] for r in rows if r["time"] > datetime(2025, 10, 31)}
    both = [k for k in silent if not np.isnan(a.get(k, np.nan))]
    assert (b[both] <= a[both]).all()
    assert (b[both] < a[both]).mean() > 0.9


# Data that cannot tell ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([sold(i, key=i) for i in range(60)], "None of these 60 customers bought again"),
        ([sold(10 + 7 * i, key=k) for i in range(40) for k in range(50)], "do not determine the NBD model"),
        ([sold(3)], "None of these 1 customers bought again"),
        ([sold(0, key=k) for k in range(30)], "None of these 30 customers bought again"),  # T = 0
        ([sold(9, -5.0, "return"), sold(8, 3.0), sold(8, -3.0, "return")], "Nobody has bought anything"),
    ],
    ids=["nobody repeats", "everybody every week", "one customer", "all today", "only returns"],
)
def test_data_that_cannot_tell_give_a_verdict_and_no_traits(con: Backend, rows: list[Row], why: str):
    found = made(con, rows, people=60)
    assert why in found.learned["lifetime"].refused
    assert not [t.name for t in found.traits if t.name.startswith(("clv", "p_alive", "churn", "expected"))]
    assert len(by_key(found)) == 60  # everybody still has the other traits


def test_orders_without_money_have_a_future_but_no_value(con: Backend, rows: list[Row]):
    found = made(con, [r | {"amount": 0.0} for r in rows], {"model": "geo_nbd"})
    names = {t.name for t in found.traits}
    assert {"p_alive", "expected_orders_365d", "churn_risk"} <= names
    assert not names & {"clv_365d", "expected_spend", "value_at_risk"}
    assert any("no order has an amount above 0" in note for note in models(found).notes)


def test_the_same_price_for_all_gives_orders_but_no_spend_model(con: Backend, rows: list[Row]):
    found = made(con, [r | {"amount": 5.0} for r in rows], {"model": "geo_nbd"})
    assert "p_alive" in {t.name for t in found.traits}
    assert "clv_365d" not in {t.name for t in found.traits}
    assert any(note.startswith("No values:") for note in models(found).notes)
    assert found.absent["clv_*"] == found.absent["expected_spend"]
    assert found.absent["clv_*"].startswith("No values: ")  # what `plan` says of them


def test_ten_years_of_daily_history_are_counted_in_weeks_where_days_are_too_many(con: Backend, monkeypatch):
    monkeypatch.setattr("segmentry.traits.lifetime.fitting._MOST_DAILY_CELLS", 300)
    found = made(con, shop(700, days=3650), {"model": "geo_nbd"}, people=700)
    learned = models(found)
    assert (learned.period, learned.days) == ("week", 7)
    alive = found.table.to_pandas()["p_alive"].dropna()
    assert alive.between(0, 1).all()
    assert len(alive) == 700


def test_without_a_holdout_the_report_says_so(con: Backend, rows: list[Row]):
    learned = models(made(con, rows, {"calibration_until": AS_OF.isoformat(), "model": "geo_nbd"}))
    assert learned.validation is None
    assert any(note.startswith("No holdout") for note in learned.notes)


def test_model_none_is_no_model(con: Backend, rows: list[Row]):
    found = made(con, rows, {"model": "none"})
    assert found.learned == {}
    assert "p_alive" not in {t.name for t in found.traits}


# Contracts ------------------------------------------------------------------------------------------------------------


def subscribers(n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Months completed, and whether the customer left at the end of the last one."""
    rng = np.random.default_rng(8)
    left, due = rng.geometric(rng.beta(0.8, 4, n)), rng.integers(1, 40, n)
    return np.minimum(left, due), left <= due


def of_contracts(con: Backend, months: Any, gone: Any, **contract: Any) -> TraitTable:
    attributes = {
        "months": Attribute.model_validate({"from": "m", "kind": "number"}),
        "gone": Attribute.model_validate({"from": "g", "kind": "boolean"}),
        "fee": Attribute.model_validate({"from": "f", "kind": "number"}),
    }
    frame = pd.DataFrame({"customer_key": range(len(months)), "months": months, "gone": gone})
    frame = frame.assign(customer_id=frame["customer_key"].astype(str), fee=20.0 + frame["customer_key"] % 3)
    declared = tuple(("customers", name, attribute) for name, attribute in attributes.items())
    facts = Facts(con.create_table("golden_customers", frame), attributes=declared)
    settings = {"model": "sbg", "contract": {"periods": "months", "left": "gone", "payment": "fee", **contract}}
    return compute(facts, AS_OF, Settings(lifetime=Lifetime.model_validate(settings)))


def test_contracts_told_by_columns(con: Backend):
    months, gone = subscribers()
    found = of_contracts(con, months, gone)
    learned = models(found)
    model = learned.groups[0].buying
    assert isinstance(model, ShiftedBetaGeo)
    assert model.parameters == pytest.approx(ShiftedBetaGeo.fit(months, gone).parameters)
    frame = found.table.to_pandas().sort_values("customer_key")
    assert (frame["p_alive"] == 1 - gone).all()
    assert (frame["clv_365d"][gone] == 0).all()
    there = ~gone
    stays = model.survival(months[there] + 12) / model.survival(months[there])
    assert frame["churn_risk"][there].to_numpy() == pytest.approx(1 - stays)
    fee = 20.0 + np.flatnonzero(there) % 3
    value = fee * model.discounted_periods(1.1 ** (1 / 12) - 1, months[there], 12)
    assert frame["clv_365d"][there].to_numpy() == pytest.approx(value)
    assert (frame["clv_365d_low"][there] < value).all()
    assert learned.groups[0].value == pytest.approx(value.sum())
    held = learned.validation
    assert held["expected"] == pytest.approx(held["left"], rel=0.15)
    assert abs(held["expected"] - held["left"]) < abs(held["naive"] - held["left"])


def test_nobody_who_left_is_no_base_for_contracts(con: Backend):
    found = of_contracts(con, np.arange(1, 31), np.zeros(30, dtype=bool))
    assert "None of these 30 customers left" in found.learned["lifetime"].refused


def test_contracts_that_nobody_has_filled_in_are_told(con: Backend):
    found = of_contracts(con, np.full(30, np.nan), np.zeros(30, dtype=bool))
    assert "`lifetime.contract` of segmentry.yaml" in found.absent["p_alive"]


def test_contracts_told_by_events_end_with_the_first_end_after_the_last_start(con: Backend):
    def event(key: int, name: str, day: str) -> Row:
        return {"customer_key": key, "name": name, "time": datetime.fromisoformat(day)}

    people = [{"customer_key": k, "joined_at": datetime(2025, 1, 31)} for k in range(40)]
    events = [event(k, "closed", f"2025-{2 + k % 8:02d}-10") for k in range(20)]
    events += [event(30, "closed", "2026-02-01"), event(31, "opened", "2025-06-01")]
    facts = Facts(customers(con, people), further={"events": table(con, "events", events, COSTS)})
    settings = Settings(lifetime=Lifetime.model_validate({"model": "sbg", "contract": {"ended": "closed"}}))
    found = compute(facts, AS_OF, settings)
    frame = found.table.to_pandas().set_index("customer_key").sort_index()
    assert frame["p_alive"].tolist() == [0.0] * 20 + [1.0] * 20  # the end of customer 30 is still to come
    assert models(found).groups[0].returning == 20
    assert "clv_365d" not in frame.columns  # nothing says what a contract pays
