"""Real exports through `init` and `run` alone: no YAML edited, every row accounted for, every customer in a segment."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segmentry import lifetime
from segmentry.beginnings import create_workspace
from segmentry.catalogue import TRAITS, declared_as
from segmentry.workspace import Workspace, open_workspace


def _ran(root: Path, *files: Path) -> Workspace:
    space = create_workspace(root, files, name="Real data")
    assert space.run() == {}
    return space


@pytest.fixture(scope="module")
def retail(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return _ran(tmp_path_factory.mktemp("retail"), real_data / "online_retail" / "online_retail.parquet")


@pytest.fixture(scope="module")
def cdnow(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return _ran(tmp_path_factory.mktemp("cdnow"), real_data / "cdnow" / "cdnow_master.parquet")


@pytest.fixture(scope="module")
def personality(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return _ran(tmp_path_factory.mktemp("people"), real_data / "customer_personality" / "marketing_campaign.csv")


@pytest.fixture(scope="module")
def telco(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return _ran(tmp_path_factory.mktemp("telco"), *sorted((real_data / "telco_churn").glob("*.parquet")))


@pytest.fixture(scope="module")
def crm(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return _ran(tmp_path_factory.mktemp("crm"), *sorted((real_data / "crm_sales_opportunities").glob("*.csv")))


@pytest.fixture(scope="module")
def mcdonalds(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return _ran(tmp_path_factory.mktemp("mcdonalds"), real_data / "mcdonalds" / "mcdonalds.csv")


@pytest.fixture(scope="module")
def reviews(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """2,000 of the reviews; the file does not say whose they are, so each is somebody's."""
    folder = tmp_path_factory.mktemp("reviews")
    frame = pd.read_parquet(real_data / "amazon_app_reviews" / "amazon.parquet").head(2_000)
    frame.insert(0, "customer_id", range(1, 2_001))
    frame.to_csv(folder / "reviews.csv", index=False)
    return _ran(folder / "w", folder / "reviews.csv")


def test_online_retail_reconciles_to_the_penny(retail: Workspace) -> None:
    overview = retail.overview()
    steps = {s.label: s for s in overview.reconciliations[0].steps}
    assert steps["rows read"].rows == 541_909
    assert steps["kept"].rows == 541_909
    assert steps["kept"].amount == pytest.approx(9_747_747.93, abs=0.01)
    assert steps["without a customer"].rows == 135_080
    assert round(100 * (steps["without a customer"].share or 0), 1) == 14.9
    assert round(100 * (overview.anonymous_share or 0), 1) == 14.9
    assert steps["of known customers"].customers == 4_372


def test_online_retail_postage_and_fees_are_no_products(retail: Workspace) -> None:
    with retail.reading() as reading:
        lines = reading.find("transactions")
        charges = lines.filter(lines["line_kind"] == "charge").select("product").distinct().to_pandas()["product"]
    assert {"POST", "DOT", "M", "C2", "D", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "B"} <= set(charges)
    assert not {c for c in charges if c[:1].isdigit() or c.startswith(("DCGS", "gift"))}


@pytest.mark.parametrize(("workspace", "customers"), [("retail", 4_372), ("cdnow", 23_570), ("personality", 2_240)])
def test_everybody_is_in_exactly_one_segment_of_every_segmentation(
    workspace: str, customers: int, request: pytest.FixtureRequest
) -> None:
    space: Workspace = request.getfixturevalue(workspace)
    assert space.config.segmentations
    with space.reading() as reading:
        for name in reading.segmentations():
            members = reading.find("memberships", name).to_pandas()
            assert len(members) == members["customer_key"].nunique() == customers
            assert members["segment"].notna().all()
            summary = reading.summary(name)
            assert sum(s.customers for s in summary.segments) == customers
            assert all(s.name and s.criteria for s in summary.segments)


@pytest.mark.parametrize("workspace", ["retail", "cdnow", "personality"])
def test_scoring_a_data_frame_equals_the_base_on_every_row(workspace: str, request: pytest.FixtureRequest) -> None:
    space: Workspace = request.getfixturevalue(workspace)
    with space.reading() as reading:
        traits = reading.find("traits").order_by("customer_key").to_pandas()
        for name in reading.segmentations():
            base = reading.find("memberships", name).order_by("customer_key").to_pandas()
            scored = reading.segmentation(name).assign(traits)
            assert (scored["segment"].to_numpy() == base["segment"].to_numpy()).all()
            for column in ("fit", "margin"):
                np.testing.assert_allclose(
                    scored[column].to_numpy(dtype=float), base[column].to_numpy(dtype=float), atol=1e-9
                )


def test_rfm_of_online_retail_ranks_worth(retail: Workspace) -> None:
    segments = {s.name: s for s in retail.summary("rfm").segments}
    assert segments["Champions"].value_share > 0.4
    assert segments["Champions"].value_share > segments["Loyal"].value_share > segments["Lost"].value_share
    worth = [segments[n].value / segments[n].customers for n in ("Champions", "Loyal", "Lost")]
    assert worth == sorted(worth, reverse=True)


def test_second_run_is_up_to_date_and_a_grown_file_adds_its_new_rows(real_data: Path, tmp_path: Path) -> None:
    whole = pd.read_parquet(real_data / "cdnow" / "cdnow_sample.parquet").drop(columns="master_customer_id")
    path = tmp_path / "sales.csv"
    whole.head(5_000).to_csv(path, index=False)
    create_workspace(tmp_path / "w", [path], name="Growing").close()
    settings = tmp_path / "w" / "segmentry.yaml"
    written = settings.read_text(encoding="utf-8").partition("segmentations:")[0]  # less what is slow
    few = "describe_by: [monetary]\nsegmentations: {value: {method: value_tiers}}"
    settings.write_text(f"{written.replace('primary: rfm', 'primary: value')}\n{few}\n", encoding="utf-8")
    space = open_workspace(tmp_path / "w")
    assert space.run() == {}
    assert space.manifest().rows()["transactions"] == 5_000
    whole.to_csv(path, index=False)
    os.utime(path)
    space.run()
    entries = space.manifest().entries
    assert [e.kept for e in entries] == [5_000, len(whole) - 5_000]
    assert entries[-1].reread == 5_000
    assert space.overview().customers == whole["customer_id"].nunique()


def test_no_personal_data_in_artefacts(personality: Workspace, real_data: Path) -> None:
    frame = pd.read_csv(real_data / "customer_personality" / "marketing_campaign.csv", sep=";")
    ids = {str(i) for i in frame["ID"] if i > 1_000}
    for path in (personality.root / "segmentations").rglob("*.json"):
        words = set(path.read_text(encoding="utf-8").replace('"', " ").replace(",", " ").split())
        assert not words & ids


def test_all_five_tables_of_telco_are_joined(telco: Workspace, real_data: Path) -> None:
    with telco.reading() as reading:
        made = reading.find("traits").to_pandas().set_index("customer_id")
    location = pd.read_parquet(real_data / "telco_churn" / "Telco_customer_churn_location.parquet")
    population = pd.read_parquet(real_data / "telco_churn" / "Telco_customer_churn_population.parquet")
    known = location.merge(population, on="Zip Code", how="left").set_index("Customer ID")["Population"]
    assert len(made) == len(known) == 7_043
    assert (made["population"].sort_index() == known.sort_index()).all()
    # One of each of the other four.
    assert made[["age", "city", "tenure_in_months", "churn_reason"]].notna().any().all()


def test_contracts_of_telco_are_valued_as_a_direct_fit_values_them(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "telco_churn"
    files = [folder / f"Telco_customer_churn_{name}.parquet" for name in ("services", "status")]
    create_workspace(tmp_path / "telco", files, name="Telco").close()
    path = tmp_path / "telco" / "segmentry.yaml"
    written = path.read_text(encoding="utf-8").partition("segmentations:")[0]  # what an editor adds, less what is slow
    contract = "{period: month, periods: tenure_in_months, left: churn_label, payment: monthly_charge}"
    tiers = "segmentations: {value: {method: value_tiers, trait: clv_365d}}"
    path.write_text(f"{written}\n{tiers}\nlifetime: {{model: sbg, contract: {contract}}}\n", encoding="utf-8")
    space = open_workspace(tmp_path / "telco")
    for stage in (space.collect, space.resolve, space.traits):
        stage()
    with space.reading() as reading:
        found = reading.lifetime()
        made = reading.find("traits").to_pandas().set_index("customer_id").sort_index()
    space.close()
    services, status = (pd.read_parquet(file).set_index("Customer ID").sort_index() for file in files)
    months, there = services["Tenure in Months"].to_numpy(float), (status["Churn Label"] == "No").to_numpy()
    model = lifetime.ShiftedBetaGeo.fit(months, ~there)
    value = services["Monthly Charge"].to_numpy() * model.discounted_periods(1.1 ** (1 / 12) - 1, months, 12) * there
    assert made["clv_365d"].to_numpy() == pytest.approx(value)
    assert found is not None
    assert found.models is not None
    assert found.models.groups[0].buying.parameters == pytest.approx(model.parameters)
    assert any("constant rate of leaving was nearer" in note for note in found.models.notes)


def test_crm_opportunities_are_a_workspace_of_accounts(crm: Workspace, real_data: Path) -> None:
    entries = {e.source: e for e in crm.manifest().entries}
    bought, deals = entries["sales_pipeline"], entries["opportunities"]
    assert (bought.rows, bought.kept + bought.quarantined) == (8_800, 8_800)
    assert bought.reasons["names no account: a lead"] == 1_425
    assert (deals.rows, deals.kept) == (8_800, 8_800)
    with crm.reading() as reading:
        made = reading.find("account_traits").to_pandas().set_index("account_id")
    pipeline = pd.read_csv(real_data / "crm_sales_opportunities" / "sales_pipeline.csv")
    closed = pipeline[pipeline["deal_stage"].isin(["Won", "Lost"])]
    won = (closed["deal_stage"] == "Won").groupby(closed["account"]).mean()
    assert len(made) == len(won) == 85
    assert made["win_rate"].sort_index().to_numpy() == pytest.approx(won.sort_index().to_numpy())
    assert sum(s.customers for s in crm.summary("accounts").segments) == 85


def test_answers_by_yes_or_no_form_segments_and_who_answered_describes_them(mcdonalds: Workspace) -> None:
    assert "11 traits are made of what is no field" in mcdonalds.plan().of("needs").because
    found = mcdonalds.overview().segmentations[0]
    assert (found.name, found.method) == ("answers", "latent_classes")
    assert sum(segment.customers for segment in found.segments) == 1_453


# By data set: the models that it fills, and of some traits that it does not, what the plan says.
FILLED = {
    "retail": (
        {"behavioral", "geographic", "value"},
        {"margin": "transactions.cost or products.unit_cost", "age": "customers.birth_date", "theme_*": "events.text"},
    ),
    "cdnow": (
        {"behavioral", "value"},
        {"preferred_hour": "all are dates", "channel_share_*": "transactions.channel", "nps": "responses.question"},
    ),
    "personality": (
        {"behavioral", "demographic", "value"},
        {"city": "customers.city", "recency_days": "transactions.time", "margin": "transactions.amount"},
    ),
    "telco": (
        {"behavioral", "demographic", "geographic", "needs", "technographic", "value"},
        {"nearest_store_km": "stores.latitude", "browser": "events.user_agent", "scale_*": "responses.question"},
    ),
    "crm": (
        {"behavioral", "firmographic", "geographic", "value"},
        {"touchpoints_90d": "events.time", "stated_stage": "accounts.stage", "return_rate": "no order that came back"},
    ),
    "mcdonalds": (
        {"behavioral", "demographic", "needs"},
        {"theme_*": "No question and no event has texts", "scale_*": "no scale that segmentry.yaml declares",
         "benefit_of_*": "no answered best-worst exercise", "p_alive": "transactions.time"},
    ),
    "reviews": ({"needs"}, {"nps": "no question that asks for a recommendation", "factor_*": "no matrix of six"}),
}  # fmt: skip


@pytest.mark.parametrize("workspace", FILLED)
def test_each_data_set_fills_the_models_it_can_and_the_plan_explains_the_rest(
    workspace: str, request: pytest.FixtureRequest
) -> None:
    space: Workspace = request.getfixturevalue(workspace)
    models, reasons = FILLED[workspace]
    plan = space.plan()
    assert {part.model.value for part in plan.models if part.made} == models
    told = {name: each.reason for part in plan.models for each in part.absent for name in each.traits}
    for name, why in reasons.items():
        assert why in told[name], (name, told[name])
    # A trait of the catalogue is there or explained, and never both.
    there = {declared_as(name) for part in plan.models for name in part.made or ()}
    asked_for = [t for t in TRAITS.values() if plan.of(t.model).verdict != "not needed"]
    assert {t.name for t in asked_for} == {t.name for t in asked_for if (t.name in there) != (t.name in told)}
    assert not [why for why in told.values() if "that tells it" in why]
    assert not [part.model for part in plan.models if part.verdict == "ready" and not part.made]
