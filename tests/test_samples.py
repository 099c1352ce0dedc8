"""A sample on its way: drawn and made anonymous where the customers are, learned from where they are not, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from segmentry.apps import report
from segmentry.apps.cli import app
from segmentry.data import pseudonyms
from segmentry.errors import ConfigError, DataError, FitError
from segmentry.sample_files import SampleFile
from segmentry.samples import Samples
from segmentry.segmentation import Segmentation
from segmentry.workspace import Workspace
from tests.shops import orders, shop

CONFIG = """\
name: Sampled shop
sources:
  orders:
    kind: transactions
    path: orders*.csv
    columns: {customer: customer, order: order, time: date, amount: amount}
  people:
    kind: customers
    path: people.csv
    columns: {customer: customer, age: age, gender: gender, city: town, income: income}
    attributes: {size: {from: size, kind: number, model: demographic}}
  research:
    kind: market
    path: market.csv
    columns: {cell: cell, measure: measure, value: value, source_name: by}
sample: {size: 400, by: [auto], suppress: 0}
segmentations:
  value: {method: value_tiers}
  groups: {method: kmeans, traits: [frequency, size, "demographic.*"], segments: 2}
  ages:
    method: rules
    segments: [{name: Young, where: "Age < 40"}]
    allow: {age: "The young are written to by app, the others by letter."}
"""
KEY = "5e3f0c1d9b7a42668d"


def people(rows: int = 700) -> pd.DataFrame:
    """Customers whose size in clothes goes with their gender."""
    chance = np.random.default_rng(4)
    gender = chance.choice(["female", "male"], rows)
    return pd.DataFrame(
        {
            "customer": [f"C{i:05d}" for i in range(rows)],
            "age": chance.integers(18, 80, rows),
            "gender": gender,
            "town": chance.choice(["Leeds", "York", "Hull", "Ripon"], rows, p=[0.6, 0.3, 0.095, 0.005]),
            "income": chance.lognormal(10, 0.4, rows).round(),
            "size": np.where(gender == "female", 38.0, 50.0) + chance.integers(-3, 4, rows),
        }
    )


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A shop whose customers have all been placed."""
    root = shop(tmp_path_factory.mktemp("sampled"), orders(700), CONFIG)
    people().to_csv(root / "people.csv", index=False)
    cells = [f"gender = '{g}',population,{n},Office" for g, n in (("female", 30_000), ("male", 10_000))]
    (root / "market.csv").write_text("\n".join(["cell,measure,value,by", *cells]))
    opened = Workspace(root, {pseudonyms.VARIABLE: KEY})
    assert opened.run() == {}
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def fitted(space: Workspace) -> dict[str, Segmentation]:
    """What was fitted where the customers are."""
    return {name: space.segmentation(name) for name in ("groups", "ages")}


@pytest.fixture(scope="module")
def file(space: Workspace, fitted: dict[str, Segmentation], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("analyst") / "sample.parquet"
    space.sample("groups", path)
    return path


def elsewhere(folder: Path, text: str = CONFIG) -> Workspace:
    """A workspace that has a segmentry.yaml and nothing else."""
    (folder / "segmentry.yaml").write_text(text, encoding="utf-8")
    return Workspace(folder, {})


def test_the_sample_says_how_near_and_how_safe_it_is(space: Workspace, file: Path) -> None:
    facts = space.state.current()["sample"].facts
    rows = SampleFile.read(file).rows
    assert rows["weight"].sum() == pytest.approx(700)
    assert facts["base"] == 700
    assert facts["rows_drawn"] == 700  # seven segmentation variables or more ask for 100 rows each
    assert facts["statement"]["after"]["smallest"] >= 5
    assert facts["compared"] > 20
    assert abs(facts["differences"][0]["smd"]) < 0.3
    assert facts["market"] is None  # weights by gender would tell the gender of every row
    assert rows["market_weight"].isna().all()
    assert "population by gender is not used: gender was left out in the sample" in facts["notes"][0]
    big = rows["size"] > 44
    assert rows.loc[big, "weight"].sum() / 700 == pytest.approx(0.5, abs=0.05)
    assert facts["cost"]["agreement"] > 0.9
    assert space.sample("groups").id == space.state.current()["sample"].id  # nothing changed, nothing is drawn anew


def test_where_the_customers_are_weights_agree_with_the_market(space: Workspace) -> None:
    run = space.state.current()["traits"]
    settings = space.config.sample.model_copy(update={"weights": "market"})
    wanted = space.config.model_copy(update={"sample": settings})
    with space.engine.session({"traits": run.id}) as session:
        samples = Samples(session, run, wanted)
        learning = samples.learning("groups", space.config.segmentations["groups"], samples.drawn("customer", None, 7))
    men = (learning.sample["gender"] == "male").to_numpy()
    assert men.mean() == pytest.approx(0.5, abs=0.05)
    assert learning.row_weights[men].sum() / 700 == pytest.approx(0.25, abs=1e-6)
    assert learning.notes == ()


def test_neither_key_nor_ids_are_in_what_leaves(space: Workspace, file: Path) -> None:
    table = pq.read_table(file)
    assert not {"customer_id", "customer_key"} & set(table.column_names)
    text = str(table.to_pydict()) + str(table.schema.metadata)
    assert not re.search(r"C\d{5}\b", text)
    for kept in (*space.root.rglob("*.json"), *space.root.rglob("*.duckdb"), *space.root.rglob("*.sqlite*"), file):
        assert KEY.encode() not in kept.read_bytes(), kept


def test_the_written_file_keeps_its_word(file: Path) -> None:
    rows = pd.read_parquet(file)
    statement = json.loads(pq.read_schema(file).metadata[b"segmentry"])["statement"]
    quasi = [name for name in statement["quasi"] if name in rows]
    alike = rows.groupby(quasi, dropna=False) if quasi else rows.groupby(lambda _: 0)
    assert alike.size().min() >= statement["k"] == 5
    assert 1 / alike.size().min() == pytest.approx(statement["after"]["highest"])
    assert statement["sensitive"]
    for name in statement["sensitive"]:
        values = alike[name].agg(["nunique", "count"])
        assert ((values["nunique"] >= 2) | (values["count"] == 0)).all(), name
    assert 1 - len(rows) / statement["rows"] == pytest.approx(statement["suppressed"])
    assert not set(statement["dropped"]) & set(rows.columns)
    kept = {c["trait"] for c in statement["changes"] if c["done"] == "left out"}
    assert not kept & set(rows.columns)


def test_an_analyst_fits_on_the_sample_alone_and_everybody_is_placed_by_it(
    space: Workspace, file: Path, tmp_path: Path
) -> None:
    more = """\
  crossed: {method: crossing, of: [groups, spend]}
  spend: {method: bands, trait: monetary, cuts: [100]}
  tree: {method: trees, objective: spenders, traits: [frequency]}
objectives: {spenders: {behaviour: monetary > 100}}
"""
    elsewhere(tmp_path, CONFIG + more).close()
    run, where = CliRunner().invoke, ["-w", str(tmp_path)]
    for name in ("spend", "tree", "crossed", "groups"):
        if name == "crossed":
            early = run(app, ["fit", name, "--sample", str(file), *where])
            assert "made of groups, which is not fitted" in str(early.exception)
            continue
        done = run(app, ["fit", name, "--sample", str(file), *where])
        assert done.exit_code == 0, done.output
    assert run(app, ["fit", "crossed", "--sample", str(file), *where]).exit_code == 0
    assert "Report: " in done.output
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "learned on the anonymous sample sample.parquet" in page
    assert "Everybody is alike with at least 4 others" in page
    assert "No source has been collected" not in page
    pseudonyms_ = SampleFile.read(file).rows["pseudonym"]
    assert not any(one in page for one in pseudonyms_)
    described = run(app, ["describe", "groups", *where])
    assert described.exit_code == 0, described.output
    assert run(app, ["segments", "tree", *where]).exit_code == 0
    assert run(app, ["sql", "crossed", *where]).exit_code == 0
    assert run(app, ["report", *where]).exit_code == 0

    analyst = Workspace(tmp_path, {})
    summary = analyst.summary("groups")
    analyst.close()
    assert sum(s.customers for s in summary.segments) == pytest.approx(700, abs=3)
    assert set(summary.variables) == {"frequency", "size"}
    assert all(s.meaning for s in summary.segments[:2])
    artefact = tmp_path / "segmentations/groups/v1.json"
    assert not re.search(r"C\d{5}\b", artefact.read_text())
    before = {s.name: s.customers for s in space.summary("groups").segments}
    space.adopt("groups", artefact)
    space.assign("groups")
    after = space.summary("groups")
    assert after.version == 2
    assert sorted(s.customers for s in after.segments) == pytest.approx(sorted(before.values()), abs=25)


def test_what_the_base_cannot_follow_forms_no_segments(file: Path, tmp_path: Path) -> None:
    done = {c["trait"]: c for c in SampleFile.read(file).facts["statement"]["changes"]}
    stuck = next(name for name, change in done.items() if not change["applies"] and name != "age")
    text = CONFIG.replace('"demographic.*"', stuck) + "bias: {protected: []}\n"
    analyst = elsewhere(tmp_path, text)
    with pytest.raises(
        FitError, match=rf"{stuck} may not form segments: was .* cannot be applied to the values of the base"
    ):
        analyst.fit_sample("groups", file)
    other = elsewhere(tmp_path, CONFIG + '  young: {method: rfm, population: "age < 40"}\n')
    with pytest.raises(FitError, match=r"sample of customers.*`segmentry sample young --out FILE`"):
        other.fit_sample("young", file)
    other.close()
    plain = tmp_path / "plain.parquet"
    people().to_parquet(plain)
    with pytest.raises(DataError, match=r"plain.parquet is no sample of Segmentry.*segmentry sample --out FILE"):
        analyst.fit_sample("groups", plain)
    analyst.close()


def test_protected_traits_form_no_segments_without_a_reason(space: Workspace, fitted: dict[str, Segmentation]) -> None:
    groups = fitted["groups"]
    assert {"age", "gender", "income"}.isdisjoint(n for n, _ in groups.traits)
    assert any("may not form segments" in w and "gender" in w for w in groups.report["warnings"])
    refused = CONFIG.replace('    allow: {age: "The young are written to by app, the others by letter."}\n', "")
    for text, match in (
        (refused, r"segmentations.ages: age may not form segments: it is protected.*`allow: \{age:"),
        (CONFIG.replace("allow: {age:", "allow: {recency_days:"), r"ages\.allow\.recency_days: this trait is not"),
        (CONFIG + "bias: {protected: [auto, siez]}\n", r"bias\.protected: 'siez' matches no trait.*size"),
    ):
        (space.root / "segmentry.yaml").write_text(text, encoding="utf-8")
        other = Workspace(space.root, {})
        with pytest.raises((FitError, ConfigError), match=match):
            other.fit("ages")
        other.close()
    (space.root / "segmentry.yaml").write_text(CONFIG, encoding="utf-8")


def test_segments_that_follow_a_protected_trait_are_told_with_the_proxy(fitted: dict[str, Segmentation]) -> None:
    found = {one["trait"]: one for one in fitted["groups"].report["bias"]}
    gender = found["gender"]
    assert gender["v"] > 0.9
    assert gender["proxies"][0]["trait"] == "size"
    assert all(not s["passes"] and s["ratio"] < 0.2 for s in gender["segments"])
    ages = {one["trait"]: one for one in fitted["ages"].report["bias"]}
    assert ages["age"]["allowed"].startswith("The young are written to")
    assert ages["gender"]["v"] < 0.1
    assert json.dumps(found)  # plain JSON


def test_describe_and_the_report_tell_of_protected_traits(space: Workspace, tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["describe", "ages", "-w", str(space.root)])
    assert told.exit_code == 0, told.output
    assert "age and the segments go together strongly" in told.output
    assert "allowed because: The young are written to by app" in told.output
    assert "less than four fifths" in told.output
    report.write_report(space.overview(), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Protected traits and these segments" in page
    assert "age and the segments go together strongly" in page
    shown = CliRunner().invoke(app, ["sample", "-w", str(space.root)])
    assert shown.exit_code == 0, shown.output
    assert "Everybody is alike with at least 4 others" in shown.output
