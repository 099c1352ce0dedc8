"""Identity resolution in a workspace: who is who across systems, and what stays when more becomes known."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.engines import on, on_every_engine
from tests.shops import by_key, opened

from segmentry.errors import ConfigError, DataError
from segmentry.workspace import Workspace

CONFIG = """\
name: Test shop
describe_by: [frequency, monetary]
sources:
  shop:
    kind: customers
    path: shop.csv
    columns:
      {{customer: id, first_name: first, last_name: last, email: mail, phone: phone, birth_date: born, city: city}}
  crm:
    kind: customers
    path: crm*.csv
    id_space: crm
    columns:
      {{customer: id, known_as: shop_id, first_name: first, last_name: last, email: mail, phone: phone,
       birth_date: born, updated_at: changed}}
  orders:
    kind: transactions
    path: orders.csv
    columns: {{customer: id, order: order, time: date, amount: amount}}
  tickets:
    kind: events
    path: tickets.csv
    columns:
      {{customer: id, contact_email: mail, contact_phone: phone, contact_name: name, time: date, name: "'ticket'"}}
  till:
    kind: transactions
    path: till.csv
    id_space: crm
    columns: {{customer: card, order: order, time: date, amount: amount}}
identity: {identity}
segmentations: {{}}
"""
SHOP = [
    ("S1", "Niamh", "Singh", "niamh@mail.example", "07726 489709", "1983-11-07", "London"),
    ("S2", "Oliver", "Brown", "oliver@mail.example", None, "1970-02-01", "Leeds"),
    ("S3", "Anna", "Morgan", "anna@mail.example", "07700 900123", "1991-05-05", "York"),
    ("S4", "Tom", "Morgan", None, "07700 900123", None, "York"),  # shares Anna's phone
    ("S5", "Wei", "Chen", None, None, "1964-08-19", "Hull"),
    ("S6", "G.", None, None, None, None, "Bath"),
]
CRM = [
    ("P1", None, "Niamh", "Singh", "Niamh@Mail.example ", "+44 7726 489709", "1983-11-07", "2026-01-05"),
    ("P2", None, "Oliver", "Browne", "oliver@mail.example", "01632 960001", "1970-02-01", "2026-03-01"),
    ("P3", "S5", "W.", "Chen", "wei@work.example", None, None, "2025-03-01"),
    ("P4", None, "Greta", "Lind", "greta@mail.example", None, "1999-12-31", "2025-03-01"),
]
PERSON = ["first", "last", "mail", "phone", "born"]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of all tests, as far as they have it in common."""
    folder = tmp_path_factory.mktemp("collected")
    pd.DataFrame(SHOP, columns=["id", *PERSON, "city"]).to_csv(folder / "shop.csv", index=False)
    _contacts(CRM).to_csv(folder / "crm.csv", index=False)
    lines = [("S1", "O1", "2026-01-02", 10.0), ("S2", "O2", "2026-02-02", 20.0), ("S5", "O3", "2026-03-02", 30.0)]
    pd.DataFrame(lines, columns=["id", "order", "date", "amount"]).to_csv(folder / "orders.csv", index=False)
    receipts = [("P1", "T1", "2026-04-02", 5.0), ("P4", "T2", "2026-04-03", 7.0)]
    pd.DataFrame(receipts, columns=["card", "order", "date", "amount"]).to_csv(folder / "till.csv", index=False)
    tickets = [
        ("S2", "oliver@mail.example", None, "Oliver Brown", "2026-05-01"),
        (None, "NIAMH@mail.example", None, "N. Singh", "2026-05-02"),
        (None, None, "07700 900 123", "Anna Morgan", "2026-05-03"),
        (None, None, None, "Nobody Known", "2026-05-04"),
    ]
    columns = ["id", "mail", "phone", "name", "date"]
    pd.DataFrame(tickets, columns=columns).to_csv(folder / "tickets.csv", index=False)
    space = opened(_configured(folder))
    space.collect()
    space.close()
    return folder


@pytest.fixture
def root(collected: Path, tmp_path: Path) -> Path:
    return shutil.copytree(collected, tmp_path / "w")


def _contacts(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "shop_id", *PERSON, "changed"])


def _configured(root: Path, identity: str = "{}", engine: str = "duckdb") -> Path:
    (root / "segmentry.yaml").write_text(on(engine, CONFIG.format(identity=identity)), encoding="utf-8")
    return root


def _resolved(space: Workspace) -> None:
    space.collect()
    space.resolve()


def _owners(space: Workspace) -> dict[str, str]:
    """Every id with the customer behind it."""
    with space.reading() as reading:
        rows = reading.session.con.to_pyarrow(reading.table("resolve", "identities")).to_pylist()
    return {f"{row['id_space']}:{row['source_id']}": row["customer_id"] for row in rows}


@on_every_engine
def test_ids_of_all_systems_become_customers_and_their_facts_go_with_them(root: Path, engine: str) -> None:
    space = opened(_configured(root, engine=engine))
    space.run()
    owners = _owners(space)
    assert owners == {
        "customers:S1": "S1",
        "customers:S2": "S2",
        "customers:S3": "S3",
        "customers:S4": "S4",
        "customers:S5": "S5",
        "customers:S6": "S6",
        "crm:P1": "S1",  # e-mail in another case, phone in another form
        "crm:P2": "S2",  # a typo in the last name, the same e-mail
        "crm:P3": "S5",  # says so itself
        "crm:P4": "crm:P4",
        "email:niamh@mail.example": "S1",
        "phone:07700900123 anna morgan": "S3",  # the phone of two, and the name of one
    }
    traits = by_key(space, "traits", "traits", "customer_id")
    assert traits["S1"]["frequency"] == 2  # one order in the shop, one at the till under the CRM's id
    assert traits["S1"]["monetary"] == pytest.approx(15)
    assert traits["crm:P4"]["monetary"] == pytest.approx(7)
    with space.reading() as reading:
        steps = {r.source: r.steps for r in reading.reconciliations()}
    assert next(s.rows for s in steps["tickets"] if s.level == 0) == 4
    space.close()


def test_a_golden_record_takes_each_field_by_its_rule(root: Path) -> None:
    space = opened(_configured(root, "{survivor: priority, fields: {phone: newest, last_name: most_complete}}"))
    _resolved(space)
    golden = by_key(space, "resolve", "golden_customers", "customer_id")
    assert golden["S1"]["phone"] == "+44 7726 489709"  # the CRM says when it was changed
    assert golden["S2"]["phone"] == "01632 960001"  # the shop has none
    assert golden["S2"]["last_name"] == "Browne"  # the CRM's record has one field more
    assert golden["S5"]["first_name"] == "Wei"
    assert golden["S1"]["ids"] == 3
    with space.reading() as reading:
        who = reading.identity("crm:P2")
        differ = reading.run("resolve").facts["disagreements"]
    space.close()
    assert differ == {"phone": 1, "last_name": 1, "first_name": 1}
    assert who.customer_id == "S2"
    assert set(who.ids) == {"customers:S2", "crm:P2"}
    fields = {f.name: (f.value, f.source, f.id) for f in who.fields}
    assert fields["last_name"] == ("Browne", "crm", "crm:P2")
    assert fields["city"] == ("Leeds", "shop", "customers:S2")
    assert [(link.left, link.right, link.how) for link in who.links] == [("customers:S2", "crm:P2", "exact: e-mail")]


def test_priority_puts_a_source_first(root: Path) -> None:
    space = opened(_configured(root, "{priority: crm}"))
    _resolved(space)
    golden = by_key(space, "resolve", "golden_customers", "customer_id")
    space.close()
    assert golden["S5"]["first_name"] == "W."
    assert golden["S5"]["city"] == "Hull"  # the CRM has no such column
    assert golden["S1"]["city"] == "London"
    assert golden["S2"]["phone"] == "01632 960001"


def test_a_field_that_the_first_source_lacks_is_taken_from_the_next(root: Path) -> None:
    space = opened(_configured(root, "{fields: {phone: priority}}"))
    _resolved(space)
    golden = by_key(space, "resolve", "golden_customers", "customer_id")
    space.close()
    assert golden["S2"]["phone"] == "01632 960001"  # the shop has none
    assert golden["S5"]["email"] == "wei@work.example"


def test_a_customer_keeps_its_id_and_merges_are_written_down(root: Path) -> None:
    space = opened(root)
    _resolved(space)
    before = _owners(space)
    late = [("P9", None, "Greta", "Lindt", "greta@mail.example", None, "1999-12-31", "2026-06-01")]
    _contacts(late).to_csv(root / "crm-2.csv", index=False)
    _resolved(space)
    after = _owners(space)
    assert {k: after[k] for k in before} == before
    assert after["crm:P9"] == "crm:P4"
    assert by_key(space, "resolve", "identity_changes", "source_id") == {}
    # The CRM learns which customer of the shop Greta is: two customers become one.
    _contacts([("P4", "S6", *CRM[3][2:7], "2026-06-20")]).to_csv(root / "crm-3.csv", index=False)
    _resolved(space)
    assert _owners(space)["crm:P9"] == "S6"
    changes = by_key(space, "resolve", "identity_changes", "source_id")
    assert {s: (c["change"], c["owner_before"], c["owner_now"]) for s, c in changes.items()} == {
        "P4": ("merged", "crm:P4", "S6"),
        "P9": ("merged", "crm:P4", "S6"),
    }
    with space.reading() as reading:
        assert reading.identity("P9").changes[0][1] == "merged"
    space.close()


def test_a_person_overrules_what_was_found_and_a_split_is_written_down(root: Path) -> None:
    space = opened(root)
    _resolved(space)
    space.close()
    hand = "{same: [[S3, S4]], different: [[S1, 'crm:P1'], [S1, 'email:niamh@mail.example']]}"
    space = opened(_configured(root, hand))
    _resolved(space)
    owners = _owners(space)
    assert owners["customers:S4"] == "S3"
    assert owners["customers:S1"] == "S1"
    assert owners["crm:P1"] == owners["email:niamh@mail.example"] == "crm:P1"
    changes = by_key(space, "resolve", "identity_changes", "source_id")
    assert changes["P1"]["change"] == "split"
    assert changes["S4"]["change"] == "merged"
    assert changes["S4"]["reason"] == "by hand"
    space.close()


def test_linking_again_needs_something_new_to_link(root: Path) -> None:
    space = opened(root)
    _resolved(space)
    first = space.state.current()["resolve"].facts["links"]
    more = pd.DataFrame([("S1", "O9", "2026-06-02", 1.0)], columns=["id", "order", "date", "amount"])
    pd.concat([pd.read_csv(root / "orders.csv"), more]).to_csv(root / "orders.csv", index=False)
    _resolved(space)
    second = space.state.current()["resolve"].facts["links"]
    assert second == first  # orders of known customers say nothing about who is who
    space.traits()
    assert by_key(space, "traits", "traits", "customer_id")["S1"]["frequency"] == 3
    space.close()


def test_an_id_that_nobody_has_is_an_error_and_the_former_result_stays(root: Path) -> None:
    space = opened(root)
    _resolved(space)
    before = _owners(space)
    space.close()
    space = opened(_configured(root, "{same: [[S1, 'crn:P1']]}"))
    with pytest.raises(DataError, match=r"identity.same: no record has the id number 2") as error:
        _resolved(space)
    assert "Did you mean 'crm'?" in str(error.value)
    assert _owners(space) == before
    space.close()


def test_settings_that_cannot_be_are_errors(root: Path) -> None:
    for text, said in (
        ("{link: maybe}", "link"),
        ("{threshold: 2}", "threshold"),
        ("{fields: {emial: newest}}", "Did you mean 'email'"),
        ("{priority: [crn]}", "Did you mean 'crm'"),
    ):
        with pytest.raises(ConfigError, match=said):
            opened(_configured(root, text))


def test_never_leaves_every_id_a_customer(root: Path) -> None:
    space = opened(_configured(root, "{link: never}"))
    _resolved(space)
    owners = _owners(space)
    assert len(set(owners.values())) == len(owners)
    space.close()
