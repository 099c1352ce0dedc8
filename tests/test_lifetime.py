"""Lifetime value through a workspace: the same on every engine, on real shops, in tiers, and at the terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import segmentry as sg
from segmentry import config
from segmentry.apps import charts, findings, words
from segmentry.apps.cli import app
from segmentry.errors import ConfigError
from segmentry.overview import LifetimeReport
from tests.engines import on, on_postgres
from tests.shops import opened, orders, shop, tables

CONFIG = """\
name: Test shop
currency: EUR
primary: future
sources:
  orders:
    kind: transactions
    path: orders*.csv
    columns: {customer: customer, order: order, time: date, amount: amount}
segmentations:
  future: {method: value_tiers, trait: clv_365d}
lifetime: {model: nbd, horizon: [90, 365]}
"""


def report_of(root: Path) -> LifetimeReport:
    space = opened(root)
    try:
        with space.reading() as reading:
            found = reading.lifetime()
            assert found is not None
            return found
    finally:
        space.close()


def ran(root: Path) -> Path:
    space = opened(root)
    try:
        assert space.run() == {}
    finally:
        space.close()
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ran(shop(tmp_path_factory.mktemp("shop"), config=CONFIG))


@on_postgres
def test_every_engine_gives_the_same_values_to_the_last_bit(engine: str, root: Path, tmp_path: Path):
    there = ran(shop(tmp_path, config=on(engine, CONFIG)))
    assert tables(there)["traits"] == tables(root)["traits"]
    assert report_of(there).future == report_of(root).future


def test_tiers_by_future_value_and_the_value_at_risk(root: Path):
    found = report_of(root)
    assert found.future is not None
    assert found.models is not None
    frame = pd.DataFrame(tables(root)["traits"])
    assert found.future.trait == "clv_90d"  # the first horizon
    assert found.future.value == pytest.approx(frame["clv_90d"].sum())
    assert found.future.at_risk == pytest.approx((frame["clv_90d"] * frame["churn_risk"]).sum())
    tiers = {s.name: s for s in found.future.segments}
    assert tiers["High"].value / tiers["High"].customers > tiers["Low"].value / tiers["Low"].customers
    assert sum(s.customers for s in tiers.values()) == found.future.customers == len(frame)
    placed = pd.DataFrame(tables(root)["memberships future"]).merge(frame, on="customer_id")
    high, low = (placed[placed["segment"] == name]["clv_365d"] for name in ("High", "Low"))
    assert high.min() > low.max()
    assert high.sum() / placed["clv_365d"].sum() == pytest.approx(0.8, abs=0.02)


def test_tiers_are_drawn_on_the_curve_of_what_they_go_by(root: Path):
    space = opened(root)
    summary = space.summary("future")
    space.close()
    values = np.sort(pd.DataFrame(tables(root)["traits"])["clv_365d"])[::-1]
    share = values.cumsum() / values.sum()
    curve = np.array(summary.report["curve"])
    expected = np.interp(curve[:, 0], np.arange(len(values) + 1) / len(values), np.r_[0, share])
    assert curve[:, 1] == pytest.approx(expected, abs=1e-6)
    best = next(s for s in summary.segments if s.name == "High").customers
    figure = charts.tier_pareto(summary, findings.Worth(findings.value_word("clv_365d"), str, str))
    sizes = (words.share(best / len(values)), words.share(share[best - 1]))
    assert figure.layout.title.text == "High: {} of the customers bring {} of the value of the next 365 days".format(
        *sizes
    )


def test_the_command_says_what_the_report_says(root: Path):
    shown = CliRunner().invoke(app, ["lifetime", "-w", str(root)])
    assert shown.exit_code == 0
    assert "NBD, learned as of" in shown.output
    assert "nobody buys again" in shown.output
    data = json.loads(CliRunner().invoke(app, ["lifetime", "--json", "-w", str(root)]).output)
    assert data["models"]["model"] == "nbd"
    assert data["future"]["trait"] == "clv_90d"
    CliRunner().invoke(app, ["report", "-w", str(root), "--quiet"])
    page = (root / "report.html").read_text(encoding="utf-8")
    for title in ("Lifetime value", "Repeat purchases so far", "value at risk", "of the future value"):
        assert title in page


def test_a_base_that_cannot_tell_says_so_everywhere(tmp_path: Path):
    once = orders().drop_duplicates("customer")
    root = shop(tmp_path, once, CONFIG.replace("trait: clv_365d", "trait: monetary"))
    ran(root)
    assert report_of(root).models is None
    shown = CliRunner().invoke(app, ["lifetime", "-w", str(root)])
    assert "None of these 200 customers bought again" in " ".join(shown.output.split())
    CliRunner().invoke(app, ["report", "-w", str(root), "--quiet"])
    assert "There is no lifetime value" in (root / "report.html").read_text(encoding="utf-8")


# Bad input, from the file to the values -------------------------------------------------------------------------------


def _messy() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders with all that goes wrong in files, and the purchases that are in them: customer, day, amount in euros."""
    good = orders()
    good = good.assign(cur=np.where(np.arange(len(good)) % 3, "EUR", "USD"))
    euros = good["amount"] * np.where(good["cur"] == "USD", 0.9, 1.0)
    today = [("T1", "X1", "2026-06-30", 20.0, "EUR"), ("T1", "X2", "2026-06-30", 5.0, "EUR")]  # T = 0
    other = [
        ("C00001", "X3", "2026-05-01", 0.0, "EUR"),  # free: no purchase
        ("C00002", "X4", "2026-05-02", -12.5, "EUR"),  # came back
        ("C00003", "X5", "2031-01-01", 99.0, "EUR"),  # still to come
        ("N1", "X6", "2026-05-03", -7.0, "EUR"),  # only ever sent something back
        ("N2", "X7", "2026-05-04", 0.0, "EUR"),
        ("D1", "X8", "2016-07-04", 30.0, "USD"),  # ten years ago, and again
        ("D1", "X9", "2026-01-05", 40.0, "USD"),
    ]
    bad = pd.DataFrame([*today, *other], columns=good.columns)
    bought = good.assign(amount=euros).drop(columns="cur")
    extra = [("T1", "X1", "2026-06-30", 25.0), ("D1", "X8", "2016-07-04", 27.0), ("D1", "X9", "2026-01-05", 36.0)]
    return pd.concat([good, bad]), pd.concat([bought, pd.DataFrame(extra, columns=bought.columns)])


def test_messy_orders_in_two_currencies_give_the_values_of_the_clean_ones(tmp_path: Path):
    given, bought = _messy()
    mapping = """amount: "amount * case cur when 'USD' then 0.9 else 1 end\""""
    text = CONFIG.replace("amount: amount", mapping).replace("currency: EUR", "currency: EUR\nas_of: 2026-06-30")
    root = ran(shop(tmp_path, given, text))
    frame = pd.DataFrame(tables(root)["traits"]).set_index("customer_id").sort_index()
    clean = sg.lifetime.summarise_table(bought, customer="customer", time="date", amount="amount")
    model = sg.lifetime.Nbd.fit(clean.frequency, clean.recency, clean.T)
    expected = pd.Series(model.conditional_purchases(365, clean.frequency, clean.recency, clean.T), clean.customer)
    own = frame["expected_orders_365d"].dropna()
    assert set(own.index) == set(expected.index)  # T1 and D1 are there, N1 and N2 are not
    assert own.to_numpy() == pytest.approx(expected[own.index].to_numpy(), rel=1e-5)
    assert frame.loc[["N1", "N2"], "clv_365d"].isna().all()
    assert (own > 0).all()
    assert frame.loc["T1", "expected_spend"] < frame["expected_spend"].median() * 2


def test_amounts_written_in_two_currencies_are_told(tmp_path: Path):
    frame = orders(40)
    signs = np.where(np.arange(len(frame)) % 4, "€", "$")
    frame = frame.assign(amount=signs + frame["amount"].astype(str).to_numpy())
    space = opened(shop(tmp_path, frame, CONFIG.partition("segmentations:")[0].replace("primary: future\n", "")))
    space.collect()
    with space.reading() as reading:
        told = [note for entry in reading.manifest().entries for note in entry.caveats]
    space.close()
    assert any("amount: amounts are written in EUR and USD; only the mapping converts them" in note for note in told)


# Real shops -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cdnow(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> LifetimeReport:
    frame = pd.read_parquet(real_data / "cdnow" / "cdnow_master.parquet")
    frame = frame.rename(columns={"customer_id": "customer", "dollar_value": "amount"})
    frame["order"] = [f"O{i}" for i in range(len(frame))]
    config = CONFIG.replace("{model: nbd, horizon: [90, 365]}", "{horizon: 365}")
    return report_of(ran(shop(tmp_path_factory.mktemp("cdnow"), frame, config)))


def test_cdnow_is_forecast_well(cdnow: LifetimeReport):
    models = cdnow.models
    assert models is not None
    assert models.validation is not None
    assert models.model == "pareto_nbd"
    held = models.validation
    assert (held["customers"], held["time"]) == (23_502, 181)  # 68 of 23,570 only ever took what was free
    assert abs(held["model"]["total_error"]) < 0.05
    assert held["better_than_naive"]
    assert held["nobody"]["mae"] < held["rate"]["mae"]  # why one figure is not enough
    assert all(abs(d["expected"] - d["actual"]) < 0.1 + 0.12 * d["actual"] for d in held["deciles"])
    assert sum(models.tracking["expected"]) == pytest.approx(sum(models.tracking["actual"]), rel=0.05)


def test_online_retail_shows_nobody_leaving_and_says_so(real_data: Path, tmp_path: Path):
    frame = pd.read_parquet(real_data / "online_retail" / "online_retail.parquet")
    frame = frame[frame["CustomerID"].notna()]
    frame["amount"] = frame["Quantity"] * frame["UnitPrice"]
    frame["date"] = frame["InvoiceDate"].dt.strftime("%Y-%m-%d")
    frame = frame.rename(columns={"CustomerID": "customer", "InvoiceNo": "order"})
    kept = frame[["customer", "order", "date", "amount"]].groupby(["customer", "order", "date"], as_index=False).sum()
    config = CONFIG.replace("{model: nbd, horizon: [90, 365]}", "{horizon: 180}").replace("clv_365d", "clv_180d")
    found = report_of(ran(shop(tmp_path, kept, config)))
    models = found.models
    assert models is not None
    assert models.validation is not None
    assert models.model == "nbd"
    assert {c.model for c in models.candidates if c.verdict} == {"bg_nbd", "mbg_nbd", "pareto_nbd", "geo_nbd"}
    assert models.validation["better_than_naive"]
    assert -0.25 < models.validation["model"]["total_error"] < -0.1  # the holdout has the Christmas trade in it


# The guide ------------------------------------------------------------------------------------------------------------


def test_the_guide_to_lifetime_value_runs(project_root: Path, tmp_path: Path):
    guide = (project_root / "docs" / "guides" / "lifetime.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "lifetime.md", "exec"), {})
    written, contract = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    ran(shop(tmp_path, config=written.replace("discount: 0.1", "model: nbd")))
    declared = "".join(f"      {name}: {{from: {name}, kind: {kind}}}\n" for name, kind in CONTRACT_COLUMNS.items())
    crm = "  crm:\n    kind: customers\n    path: crm.csv\n    columns: {customer: id}\n    attributes:\n"
    sources = f"sources:\n{crm}{declared}"
    found = config.parse(f"name: Guide\n{sources}{contract}", {})
    assert found.lifetime.contract is not None


CONTRACT_COLUMNS = {"tenure_months": "number", "churned": "boolean", "monthly_charge": "number"}


@pytest.mark.parametrize(
    ("lifetime", "why"),
    [
        ("{horizon: 0}", "different whole numbers of days from 1 to 3650"),
        ("{horizon: [90, 90]}", "different whole numbers of days"),
        ("{horizn: 90}", "Did you mean 'horizon'?"),
        ("{model: bgnbd}", "bg_nbd"),
        ("{model: sbg}", "contracts are told by `contract`"),
        ("{by: channl}", "neither cohort nor a column or attribute of the customers"),
        ("{calibration_until: 2026-02-01, holdout_until: 2026-01-01}", "holdout_until must be later"),
        ("{model: sbg, contract: {periods: tenure, left: gone}}", "no source of customers has an attribute 'tenure'"),
        ("{model: sbg, contract: {periods: tenure}}", "it takes both `periods` and `left`"),
    ],
)
def test_mistakes_in_the_settings_are_told_with_their_line(lifetime: str, why: str):
    text = CONFIG.replace("{model: nbd, horizon: [90, 365]}", lifetime)
    with pytest.raises(ConfigError) as told:
        config.parse(text, {})
    assert why in str(told.value)
    assert "segmentry.yaml" in str(told.value)
