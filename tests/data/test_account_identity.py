"""Organisations in a workspace: which records are one account, who owns whom, and whose contact a customer is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.engines import on, on_every_engine
from tests.shops import by_key, opened

from segmentry.beginnings import propose_config
from segmentry.errors import ConfigError, DataError
from segmentry.workspace import Workspace

CONFIG = """\
name: Test firm
sources:
  contacts:
    kind: customers
    path: contacts.csv
    id_space: crm
    columns: {{customer: id, first_name: first, last_name: last, email: mail, account: account}}
  companies:
    kind: accounts
    path: companies*.csv
    id_space: crm
    columns:
      {{account: id, account_name: name, parent: parent, industry: industry, employees: staff, domain: web,
       phone: phone, postcode: code}}
  debtors:
    kind: accounts
    path: debtors*.csv
    id_space: ledger
    columns: {{account: no, account_name: name, phone: phone, postcode: code, revenue: turnover}}
  deals:
    kind: transactions
    path: deals.csv
    id_space: crm
    columns: {{customer: company, order: deal, time: date, amount: amount}}
identity: {identity}
segmentations: {{}}
"""
COMPANIES = [
    ("A1", "Weber & Sons Ltd", None, "Retail", 900, "https://www.weber.example", "020 7946 0100", "N1 9GU"),
    ("A2", "Weber Logistics", "A1", None, 40, "weber-logistics.example", "020 7946 0200", "LS1 4AB"),
    ("A3", "Weber Parcels", "weber  logistics", "Post", 5, None, None, None),  # names its parent
    ("A4", "Ring One", "A5", None, None, None, None, None),
    ("A5", "Ring Two", "A4", None, None, None, None, None),
    ("A6", "Below the ring", "A5", None, None, None, None, None),
    ("A7", "Selfish plc", "A7", None, None, "mail.example", None, None),
    ("A8", "Orphan Ltd", "A99", None, None, "shared.example", None, None),
    ("A9", "Sharing Ltd", None, None, None, "shared.example", None, None),
    ("A10", "Free riders", None, None, None, "gmail.com", None, None),
]
DEBTORS = [
    ("D1", "WEBER AND SONS LIMITED", "+44 20 7946 0100", "N19GU", 5e6),
    ("D2", "Quite Another GmbH", "030 1234567", "10115", 1e5),
]
CONTACTS = [
    ("P1", "Niamh", "Singh", "niamh@weber.example", "A2"),  # her record says where she works
    ("P2", "Oliver", "Brown", "oliver@WEBER.example", None),
    ("P3", "Greta", "Lind", "greta@gmail.com", None),
    ("P4", "Tom", "Morgan", "tom@shared.example", None),  # a domain of two
    ("P5", "Wei", "Chen", "wei@mail.example", "Orphan ltd"),  # by name
    ("P6", "Ann", "Hall", "ann@weber.example", "A404"),  # an account that nobody knows
]
DEALS = [("A2", "1", "2026-01-02", 10.0), ("P1", "2", "2026-02-02", 20.0), (None, "3", "2026-02-03", 5.0)]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of all tests, as far as they have it in common."""
    folder = tmp_path_factory.mktemp("collected")
    _companies(COMPANIES).to_csv(folder / "companies.csv", index=False)
    debtors = pd.DataFrame(DEBTORS, columns=["no", "name", "phone", "code", "turnover"])
    debtors.to_csv(folder / "debtors.csv", index=False)
    contacts = pd.DataFrame(CONTACTS, columns=["id", "first", "last", "mail", "account"])
    contacts.to_csv(folder / "contacts.csv", index=False)
    deals = pd.DataFrame(DEALS, columns=["company", "deal", "date", "amount"])
    deals.to_csv(folder / "deals.csv", index=False)
    space = opened(_configured(folder))
    space.collect()
    space.close()
    return folder


@pytest.fixture
def root(collected: Path, tmp_path: Path) -> Path:
    return shutil.copytree(collected, tmp_path / "w")


def _companies(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "name", "parent", "industry", "staff", "web", "phone", "code"])


def _configured(root: Path, identity: str = "{}", engine: str = "duckdb") -> Path:
    (root / "segmentry.yaml").write_text(on(engine, CONFIG.format(identity=identity)), encoding="utf-8")
    return root


def _resolved(space: Workspace) -> None:
    space.collect()
    space.resolve()


def _owners(space: Workspace) -> dict[str, str]:
    return {
        source: row["account_id"] for source, row in by_key(space, "resolve", "account_identities", "source_id").items()
    }


@on_every_engine
def test_records_of_several_systems_become_accounts_with_hierarchy_and_contacts(root: Path, engine: str) -> None:
    space = opened(_configured(root, engine=engine))
    space.run()
    found = by_key(space, "resolve", "golden_accounts", "account_id")
    customers = by_key(space, "resolve", "golden_customers", "customer_id")
    facts = space.state.current()["resolve"].facts["accounts"]
    space.close()
    assert len(found) == 11
    weber = found["crm:A1"]
    assert (weber["ids"], weber["account_name"], weber["revenue"]) == (2, "Weber & Sons Ltd", 5e6)
    assert found["ledger:D2"]["industry"] is None
    up = {name: (row["parent_id"], row["ultimate_parent_id"], row["level"]) for name, row in found.items()}
    assert up["crm:A1"] == (None, "crm:A1", 0)
    assert up["crm:A2"] == ("crm:A1", "crm:A1", 1)
    assert up["crm:A3"] == ("crm:A2", "crm:A1", 2)
    assert up["crm:A4"] == (None, "crm:A4", 0)
    assert up["crm:A6"] == ("crm:A5", "crm:A5", 1)  # who stands below a circle keeps its parent
    assert {n: r["parent_problem"] for n, r in found.items() if r["parent_problem"]} == {
        "crm:A4": "its parents lead back to it",
        "crm:A5": "its parents lead back to it",
        "crm:A7": "it is its own parent",
        "crm:A8": "no account has this id or name",
    }
    belongs = {name: (row["account_id"], row["account_found_by"]) for name, row in customers.items()}
    assert belongs == {
        "crm:P1": ("crm:A2", "id"),
        "crm:P2": ("crm:A1", "e-mail domain"),
        "crm:P3": (None, None),
        "crm:P4": (None, None),
        "crm:P5": ("crm:A8", "name"),
        "crm:P6": (None, None),  # what a record states is not overruled by a guess
        "crm:A2": ("crm:A2", "itself"),  # a deal of the organisation, without a contact
    }
    assert {n: r["contacts"] for n, r in found.items() if r["contacts"]} == {"crm:A1": 1, "crm:A2": 2, "crm:A8": 1}
    assert facts["deepest"] == 2
    assert facts["contacts"] == {"e-mail domain": 1, "id": 1, "itself": 1, "name": 1}


def test_an_account_is_explained_with_its_links_fields_and_group(root: Path) -> None:
    space = opened(root)
    _resolved(space)
    with space.reading() as reading:
        who = reading.identity("ledger:D1")
        same = reading.identity("account:crm:A1")
        contact = reading.identity("crm:P2")
    space.close()
    assert who == same
    assert (who.unit, who.customer_id, set(who.ids)) == ("account", "crm:A1", {"crm:A1", "ledger:D1"})
    (link,) = who.links
    assert link.how.startswith("exact: name and")
    fields = {f.name: (f.value, f.source) for f in who.fields}
    assert fields["account_name"] == ("Weber & Sons Ltd", "companies")
    assert fields["revenue"] == (5e6, "debtors")
    assert ("customers", "1") in who.about
    assert ("account", "crm:A1, found by e-mail domain") in contact.about


def test_an_account_keeps_its_id_and_merges_and_splits_are_written_down(root: Path) -> None:
    space = opened(root)
    _resolved(space)
    before = _owners(space)
    # A second file: another record of A2, and an account whose id sorts before all.
    late = [("A02", "Weber Logistics Ltd.", None, None, None, "weber-logistics.example", None, None)]
    _companies([*late, ("0", "Brand new", None, None, None, None, None, None)]).to_csv(
        root / "companies-2.csv", index=False
    )
    _resolved(space)
    after = _owners(space)
    assert {k: after[k] for k in before} == before
    assert after["A02"] == "crm:A2"
    assert after["0"] == "crm:0"
    assert by_key(space, "resolve", "identity_changes", "source_id") == {}
    space.close()
    space = opened(
        _configured(root, "{accounts: {same: [['crm:A9', 'ledger:D2']], different: [['crm:A1', 'ledger:D1']]}}")
    )
    _resolved(space)
    owners = _owners(space)
    assert (owners["D1"], owners["D2"]) == ("ledger:D1", "crm:A9")
    changes = by_key(space, "resolve", "identity_changes", "source_id")
    assert {s: (c["unit"], c["change"], c["owner_before"], c["owner_now"]) for s, c in changes.items()} == {
        "D1": ("account", "split", "crm:A1", "ledger:D1"),
        "D2": ("account", "merged", "ledger:D2", "crm:A9"),
    }
    space.close()


def test_accounts_are_linked_again_only_when_something_about_accounts_changed(root: Path) -> None:
    space = opened(root)
    _resolved(space)
    first = space.state.current()["resolve"]
    more = [*CONTACTS, ("P7", "Lee", "Fox", "lee@weber.example", None)]
    contacts = pd.DataFrame(more, columns=["id", "first", "last", "mail", "account"])
    contacts.to_csv(root / "contacts.csv", index=False)
    _resolved(space)
    second = space.state.current()["resolve"]
    assert second.id != first.id
    assert second.facts["accounts"]["kept"] == first.facts["accounts"]["kept"]
    assert by_key(space, "resolve", "golden_customers", "customer_id")["crm:P7"]["account_id"] == "crm:A1"
    space.close()


def test_parents_that_cannot_be_are_findings(root: Path) -> None:
    space = opened(root)
    space.collect()
    space.check()
    with space.reading() as reading:
        found = {f.check: (f.rows, f.text, [e.line for e in f.examples]) for f in reading.checked().findings}
    space.close()
    assert found["parent_loops"] == (
        3,
        "1 accounts are their own parent, the parents of 2 lead back to them: none is taken",
        [5, 6, 8],
    )
    assert (found["unknown_accounts"][0], found["unknown_accounts"][2]) == (1, [9])


def test_settings_of_accounts_that_cannot_be_are_errors(root: Path) -> None:
    for text, said in (
        ("{accounts: {thresold: 0.9}}", "Did you mean 'threshold'"),
        ("{acounts: {}}", "Did you mean 'accounts'"),
        ("{accounts: {threshold: 2}}", "identity.accounts.threshold"),
        ("{accounts: {fields: {employes: newest}}}", "accounts have no such column. Did you mean 'employees'"),
        ("{accounts: {priority: [companys]}}", "Did you mean 'companies'"),
    ):
        with pytest.raises(ConfigError, match=said):
            opened(_configured(root, text))
    space = opened(_configured(root, "{accounts: {same: [['crm:A1', 'ledgr:D1']]}}"))
    with pytest.raises(DataError, match=r"identity\.accounts\.same: no record has the id number 2"):
        _resolved(space)
    space.close()


def test_init_gives_accounts_their_contacts_and_what_they_bought_one_space_of_ids(tmp_path: Path) -> None:
    firms = [(f"F-{n}", f"Firm {n} Ltd", ("Retail", "Post")[n % 2], 10 + n) for n in range(30)]
    pd.DataFrame(firms, columns=["account_id", "account_name", "industry", "employees"]).to_csv(
        tmp_path / "firms.csv", index=False
    )
    people = [(f"C-{n}", f"Ann{n}", f"Lee{n}", f"a{n}@mail.example", f"F-{n % 30}") for n in range(60)]
    pd.DataFrame(people, columns=["customer_id", "first_name", "last_name", "email", "account_id"]).to_csv(
        tmp_path / "people.csv", index=False
    )
    bought = [(n, f"F-{n % 30}", f"2026-01-{1 + n % 28:02}", 10.5 + n) for n in range(90)]
    pd.DataFrame(bought, columns=["order_id", "account_id", "order_date", "amount"]).to_csv(
        tmp_path / "orders.csv", index=False
    )
    files = [tmp_path / f"{name}.csv" for name in ("firms", "people", "orders")]
    found = {s.name: s for s in propose_config(tmp_path, files).sources}
    assert {name: s.kind for name, s in found.items()} == {
        "firms": "accounts",
        "people": "customers",
        "orders": "transactions",
    }
    assert {s.id_space for s in found.values()} == {"customers"}
