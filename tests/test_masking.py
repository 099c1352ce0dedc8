"""Personal values are masked in every view unless asked for, and who asked is noted; errors and facts hold none."""

from __future__ import annotations

import json
import sqlite3
from datetime import date

import pytest

from segmentry.columns import Pii, Type
from segmentry.data.masking import masked
from segmentry.tables import TABLES
from segmentry.workspace import Workspace
from tests.processes import segmentry
from tests.shops import opened

CONFIG = """\
name: Masked
sources:
  people:
    kind: customers
    path: people.csv
    columns: {customer: id, name: name, email: mail, phone: phone, birth_date: born, city: city, income: income}
    attributes:
      faith: {from: faith, model: psychographic, pii: sensitive}
      tier: {from: tier, model: value}
  orders:
    kind: transactions
    path: orders.csv
    columns: {customer: id, time: day, amount: amount}
    pii: {memo: direct}
"""
SECRETS = ("Emma", "Brown", "mail.example", "7946", "05-12", "Ripon", "48250", "Quaker", "leave it")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("masked")
    (root / "segmentry.yaml").write_text(CONFIG, encoding="utf-8")
    people = [
        f"C{i},Emma Brown,emma{i}@mail.example,+44 20 7946 0{i:03},1984-05-12,Ripon,48250,Quaker,A{i % 2}"
        for i in range(30)
    ]
    (root / "people.csv").write_text("id,name,mail,phone,born,city,income,faith,tier\n" + "\n".join(people))
    orders = [f"C{i},2026-01-0{1 + i % 9},{10 + i},leave it with Emma Brown" for i in range(30)]
    bad = ["C3,2026-01-01,emma3@mail.example,leave it", "emma@mail.example,never,5,leave it"]
    (root / "orders.csv").write_text("id,day,amount,memo\n" + "\n".join([*orders, *bad]))
    made = opened(root)
    made.run(date(2026, 2, 1))
    return made


@pytest.mark.parametrize("table", ["customers", "golden_customers", "traits", "quarantine"])
def test_a_table_is_shown_without_personal_values(space: Workspace, table: str) -> None:
    with space.reading() as reading:
        shown = json.dumps(reading.first(table, None, 50), default=str)
        open_ = json.dumps(reading.first(table, None, 50, unmasked=True), default=str)
    assert not [secret for secret in SECRETS if secret in shown]
    assert [secret for secret in SECRETS if secret in open_]


def test_what_is_not_personal_and_the_codes_of_customers_stay(space: Workspace) -> None:
    with space.reading() as reading:
        first = reading.first("customers", None, 1)[0]
        bad = reading.first("quarantine", None, 5)
    assert (first["customer"], first["tier"], first["email"]) == ("C0", "A0", "e•••@•••")
    assert (first["birth_date"], first["phone"], first["income"], first["faith"]) == (
        "1984-••-••",
        "•••00",
        "•••",
        "•••",
    )
    records = [json.loads(row["record"]) for row in bad]
    assert {r["day"] for r in records} == {"2026-01-01", "never"}, "what is wrong with a record can still be seen"
    assert {r["memo"] for r in records} == {"l•••"}


def test_unmasked_shows_and_notes_who_looked_at_what(space: Workspace) -> None:
    hidden = segmentry("show", "customers", "-w", space.root)
    assert not [secret for secret in SECRETS if secret in hidden.stdout + hidden.stderr]
    before = len(space.state.looks())
    shown = segmentry("show", "customers", "--unmasked", "-w", space.root)
    assert "emma0@mail.example" in shown.stdout
    assert "noted" in shown.stderr
    look = space.state.looks()[-1]
    assert len(space.state.looks()) == before + 1
    assert look.what == "show customers"
    assert look.who
    assert look.at.year >= 2024


def test_state_and_errors_hold_no_personal_value(space: Workspace) -> None:
    con = sqlite3.connect(space.root / "warehouse" / "state.sqlite")
    stored = "".join(str(row) for row in con.execute("select rows, facts, error from runs"))
    con.close()
    # The largest income is there, for exact sums; it is nobody's by name.
    assert not [secret for secret in SECRETS if secret in stored and secret != "48250"]
    assert "amount cannot be read" in stored
    broken = CONFIG.replace("amount: amount", "amount: amuont")
    root = space.root.with_name("broken")
    root.mkdir()
    (root / "segmentry.yaml").write_text(broken, encoding="utf-8")
    for name in ("people.csv", "orders.csv"):
        (root / name).write_text((space.root / name).read_text())
    done = segmentry("run", "-w", root)
    assert done.returncode == 1
    assert "no column 'amuont'" in done.stderr
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]


def test_every_personal_column_of_every_table_is_masked() -> None:
    for table in TABLES.values():
        for column in table.columns:
            value = date(1984, 5, 12) if column.type in (Type.DATE, Type.TIME) else "Emma Brown"
            value = 1984 if column.type in (Type.INTEGER, Type.NUMBER, Type.MONEY) else value
            assert (masked(value, column.pii, column.type) == value) == (column.pii is Pii.NONE), column.name
