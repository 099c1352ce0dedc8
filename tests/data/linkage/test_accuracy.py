"""Accuracy with default settings, on data whose truth is known; the truth is never an input."""

from __future__ import annotations

from pathlib import Path

import duckdb
import ibis
import pytest
from tests.data.linkage.gathering import accuracy, connection, demo_records

from segmentry.beginnings import create_workspace
from segmentry.data.linkage import Linked, link_people
from segmentry.data.simulation import simulate


def test_febrl_4_through_the_product(real_data: Path, tmp_path: Path):
    """FEBRL 4a and 4b, 5,000 people and their corrupted records, as `init` proposes them and `run` links them; Splink's
    own tuned demo finds 4,959."""
    files = [real_data / "febrl" / name for name in ("dataset4a.csv", "dataset4b.csv")]
    space = create_workspace(tmp_path, files)
    try:
        space.collect()
        space.resolve()
        with space.reading() as reading:
            ids = reading.table("resolve", "identities").select("record_key", "source_id")
            links = reading.table("resolve", "links")
            named = links.filter(links["probability"] >= 0.99).join(ids, links["left_key"] == ids["record_key"])
            other = ids.select(right_key="record_key", other_id="source_id")
            rows = named.join(other, "right_key").select("source_id", "other_id").to_pyarrow().to_pylist()
            customers = reading.table("resolve", "golden_customers").count().to_pyarrow().as_py()
    finally:
        space.close()
    persons = [{row[c].split("-")[1] for c in ("source_id", "other_id")} for row in rows]
    assert all(len(person) == 1 for person in persons)
    assert len(persons) >= 4950
    assert customers == 10_000 - len(persons)


def test_fake_people(real_data: Path):
    """A thousand records with a great many typing errors, up to several in one record. How often fields agree (m) was
    set while looking at half of these people: what is held out is the other half."""
    con = connection()
    con.raw_sql(f"""
        CREATE TEMP TABLE fake AS
        SELECT unique_id::INT AS record_key, 'one' AS source, first_name, surname AS last_name, city, email,
            TRY_CAST(dob AS DATE) AS birth_date, "cluster" AS person
        FROM read_csv('{real_data / "fake_people" / "fake_1000.csv"}', all_varchar = true)
    """)
    records = con.table("fake", database=("temp", "main"))
    linked = link_people(con, records.drop("person"))
    truth = records.select("record_key", "person")
    precision, recall, _ = accuracy(con, linked, truth)
    assert precision >= 0.99
    assert recall >= 0.74
    held_out = truth["person"].cast("string").hexdigest("md5").right(1).isin(list("13579bdf"))
    precision, recall, _ = accuracy(con, linked, truth.filter(held_out))
    assert precision >= 0.99
    assert recall >= 0.68


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company") / "exports"
    with duckdb.connect() as connection_:
        simulate(folder, customers=20_000, seed=1, connection=connection_)
    return folder


def _linked(exports: Path, threads: int) -> tuple[Linked, ibis.BaseBackend, ibis.Table]:
    con = connection(threads)
    records = demo_records(con, exports)
    return link_people(con, records.drop("person")), con, records


def test_demo_company_on_one_thread_and_on_two(exports: Path):
    """Seven systems of the demo company. Answers without id and address are nobody's; of the rest, a pair in
    thirty has nothing in common but a name (a ticket from a private mailbox, a reader who left the form empty)."""
    one, con, records = _linked(exports, 1)
    precision, recall, _ = accuracy(con, one, records.select("record_key", "person"))
    assert precision >= 0.999
    assert recall >= 0.94
    told = records.filter(
        records["source"].isin(["shop", "crm", "newsletter"])
        | ibis.coalesce(records["person_id"], records["email"], records["phone"]).notnull()
    )
    precision, recall, _ = accuracy(con, one, told.select("record_key", "person"))
    assert precision >= 0.999
    assert recall >= 0.96
    two, _, _ = _linked(exports, 2)
    for name in ("pairs", "clusters"):
        assert getattr(one, name).to_pyarrow().equals(getattr(two, name).to_pyarrow())
    assert {**one.facts, "seconds": 0} == {**two.facts, "seconds": 0}
