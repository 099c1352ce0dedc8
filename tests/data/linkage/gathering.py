"""Records for the tests of linkage: a few by hand, or everything that the demo company's systems know of people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from segmentry.data.linkage import Linked, link_people

TEXTS = ("name", "first_name", "last_name", "email", "phone", "address", "city", "postcode", "person_id",
         "account_name", "domain")  # fmt: skip


def connection(threads: int = 2) -> Backend:
    con = ibis.duckdb.connect(threads=threads)
    con.raw_sql("SET TimeZone = 'UTC'")
    return con


def table(rows: list[dict[str, Any]]) -> ir.Table:
    """Records by hand, numbered from 1; ``birth_date`` as 1990-12-31."""
    columns = sorted({c for row in rows for c in row} - {"source"})
    made = {c: [row.get(c) for row in rows] for c in columns}
    made |= {"record_key": list(range(1, len(rows) + 1)), "source": [row.get("source", "shop") for row in rows]}
    records = ibis.memtable(
        made, schema={**dict.fromkeys(columns, "string"), "record_key": "int64", "source": "string"}
    )
    if "birth_date" in columns:
        records = records.mutate(birth_date=records["birth_date"].cast("date"))
    return records


def clusters(linked: Linked) -> list[list[int]]:
    """The clusters of more than one record."""
    found: dict[int, list[int]] = {}
    for row in linked.clusters.order_by("record_key").to_pyarrow().to_pylist():
        found.setdefault(row["cluster"], []).append(row["record_key"])
    assert all(key == min(members) for key, members in found.items())
    return [members for members in found.values() if len(members) > 1]


def linked_people(rows: list[dict[str, Any]], **asked: Any) -> list[list[int]]:
    return clusters(link_people(connection(), table(rows), **asked))


def accuracy(con: Backend, linked: Linked, truth: ir.Table) -> tuple[float, float, int]:
    """Pairwise precision and recall, and false pairs; ``truth`` has record_key and person."""
    joined = linked.clusters.join(con.create_table("link_truth", truth, temp=True, overwrite=True), "record_key")

    def pairs(*by: str) -> int:
        sizes = joined.group_by(by).agg(n=ibis._.count())
        return int((sizes["n"] * (sizes["n"] - 1) / 2).sum().execute())

    both, ours, true = pairs("cluster", "person"), pairs("cluster"), pairs("person")
    return both / ours, both / true, ours - both


def demo_records(con: Backend, exports: Path) -> ir.Table:
    """What the exports of the demo company say about people, and the person who is meant."""

    def read(name: str) -> str:
        return f"read_csv('{exports / name}', all_varchar = true, header = true)"

    def known(name: str) -> str:
        return f"SELECT * FROM {read(f'truth/records_{name}.csv')}"

    con.raw_sql(f"""
        CREATE OR REPLACE TEMP TABLE gathered AS
        WITH said AS (
            SELECT 'shop' AS source, customer_id AS id, customer_id AS person_id, NULL AS name, first_name, last_name,
                email, phone, city, postcode, TRY_CAST(birth_date AS DATE) AS birth_date, NULL AS birthday
            FROM {read("shop/customers.csv")}
            UNION ALL
            SELECT 'crm', Id, Customer_Number__c, NULL, FirstName, LastName, Email, coalesce(MobilePhone, Phone),
                MailingCity, MailingPostalCode, TRY_CAST(Birthdate AS DATE), NULL FROM {read("crm/contacts.csv")}
            UNION ALL
            SELECT 'newsletter', EUID, NULL, NULL, "First Name", "Last Name", "Email Address", NULL, NULL,
                "Postcode", NULL, "Birthday"
            FROM {read("newsletter/subscribers.csv")}
            UNION ALL
            SELECT 'support', id, customer_number, requester_name, NULL, NULL, requester_email, requester_phone, NULL,
                NULL, NULL, NULL FROM {read("support/tickets.csv")}
            UNION ALL
            SELECT 'nps', "#", customer_id, NULL, NULL, NULL, email, NULL, NULL, NULL, NULL, NULL
            FROM {read("surveys/nps.csv")}
            UNION ALL
            SELECT 'attitudes_and_needs', ResponseId, ExternalReference, NULL, RecipientFirstName, RecipientLastName,
                RecipientEmail, NULL, NULL, NULL, NULL, NULL FROM {read("surveys/attitudes_and_needs.csv")}
            UNION ALL
            SELECT 'importance_satisfaction', "Respondent ID", "Custom Data 1", NULL, "First Name", "Last Name",
                "Email Address", NULL, NULL, NULL, NULL, NULL FROM {read("surveys/importance_satisfaction.csv")}
        ), truth AS (
            {" UNION ALL ".join(known(name) for name in ("shop", "crm", "newsletter", "support", "survey"))}
        )
        SELECT row_number() OVER (ORDER BY source, id) AS record_key, said.*, person
        FROM said JOIN truth ON truth.system = said.source AND truth.record_id = said.id
    """)
    return con.table("gathered", database=("temp", "main"))
