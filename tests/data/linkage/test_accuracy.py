"""Accuracy with default settings, on data whose truth is known; the truth is never an input."""

from __future__ import annotations

from pathlib import Path

import duckdb
import ibis
import pytest
from tests.data.linkage.gathering import accuracy, connection, demo_records

from segmentry.data.linkage import Linked, link_people
from segmentry.data.simulation import simulate


def test_febrl_4(real_data: Path):
    """FEBRL 4a and 4b: 5,000 people and their corrupted records; Splink's own tuned demo finds 4,959."""
    con = connection()
    files = [f"read_csv('{real_data / 'febrl' / name}', all_varchar = true, normalize_names = true)"
             for name in ("dataset4a.csv", "dataset4b.csv")]  # fmt: skip
    con.raw_sql(f"""
        CREATE TEMP TABLE febrl AS
        SELECT row_number() OVER (ORDER BY rec_id) AS record_key, split_part(rec_id, '-', 3) AS source,
            trim(given_name) AS first_name, trim(surname) AS last_name, trim(suburb) AS city,
            trim(postcode) AS postcode, concat_ws(' ', trim(street_number), trim(address_1)) AS address,
            trim(soc_sec_id) AS person_id,
            try_strptime(trim(date_of_birth), '%Y%m%d')::DATE AS birth_date, split_part(rec_id, '-', 2)::INT AS person
        FROM (FROM {files[0]} UNION ALL FROM {files[1]})
    """)
    records = con.table("febrl", database=("temp", "main"))
    linked = link_people(con, records.drop("person"))
    _, recall, false = accuracy(con, linked, records.select("record_key", "person"))
    assert false == 0
    assert round(recall * 5000) >= 4950


def test_fake_people(real_data: Path):
    """A thousand records with a great many typing errors, up to several in one record."""
    con = connection()
    con.raw_sql(f"""
        CREATE TEMP TABLE fake AS
        SELECT unique_id::INT AS record_key, 'one' AS source, first_name, surname AS last_name, city, email,
            TRY_CAST(dob AS DATE) AS birth_date, "cluster" AS person
        FROM read_csv('{real_data / "fake_people" / "fake_1000.csv"}', all_varchar = true)
    """)
    records = con.table("fake", database=("temp", "main"))
    precision, recall, _ = accuracy(
        con, link_people(con, records.drop("person")), records.select("record_key", "person")
    )
    assert precision >= 0.99
    assert recall >= 0.65


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company") / "exports"
    with duckdb.connect() as connection_:
        simulate(folder, customers=3000, seed=1, connection=connection_)
    return folder


def _linked(exports: Path, threads: int) -> tuple[Linked, ibis.BaseBackend, ibis.Table]:
    con = connection(threads)
    records = demo_records(con, exports)
    return link_people(con, records.drop("person")), con, records


def test_demo_company_on_one_thread_and_on_two(exports: Path):
    """Seven systems of the demo company. A tenth of the true pairs have nothing in common but a name, or not even that
    (private mailboxes of newsletter readers, anonymous answers): 0.909 is the most that can be found."""
    one, con, records = _linked(exports, 1)
    precision, recall, _ = accuracy(con, one, records.select("record_key", "person"))
    assert precision >= 0.999
    assert recall >= 0.90
    two, _, _ = _linked(exports, 2)
    for name in ("pairs", "clusters"):
        assert getattr(one, name).to_pyarrow().equals(getattr(two, name).to_pyarrow())
    assert {**one.facts, "seconds": 0} == {**two.facts, "seconds": 0}
