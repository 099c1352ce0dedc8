"""Accounts that change or vanish: a day in the past describes them as they were known then, in the groups of then."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from test_versions import as_collected_on
from tests.engines import on, on_every_engine
from tests.shops import opened

from segmentry.data.versions import golden_accounts_at
from segmentry.workspace import Workspace

CONFIG = """\
name: Test versions
as_of: 2026-03-31
sources:
  firms:
    kind: accounts
    path: firms*.csv
    key: id
    full_export: true
    columns: {account: id, account_name: name, industry: sector, employees: staff, revenue: revenue, stage: stage,
              parent: parent}
    attributes: {tier: {from: tier, kind: category}}
  people: {kind: customers, path: people.csv, columns: {customer: id, account: firm}}
  orders:
    kind: transactions
    path: orders.csv
    columns: {customer: who, account: firm, time: date, amount: amount}
"""
HEAD = "id,name,sector,staff,revenue,stage,parent,tier\n"
THEN = "A,Aa,Retail,5,100,lead,,gold\nB,Bb,Bank,,200,customer,A,\nC,Cc,Retail,9,,,B,\nE,Ee,Bank,300,7,,,\n"
# A is a bank now and belongs to D, which is new; B is gone; C stands alone; of E nothing changed.
NOW = "A,Aa,Bank,50,100,customer,D,iron\nC,Cc,Retail,,5,,,\nD,Dd,Retail,2,,,,\nE,Ee,Bank,300,7,,,\n"
PAST = datetime(2026, 2, 1)
TOLD = ("industry", "employees", "annual_revenue", "stated_stage", "tier", "group_role", "group_accounts", "monetary")
RETAIL, BANK = "Wholesale and retail trade", "Financial and insurance activities"


def _begun(root: Path, engine: str = "duckdb") -> Workspace:
    root.mkdir(parents=True, exist_ok=True)
    (root / "segmentry.yaml").write_text(on(engine, CONFIG))
    (root / "firms-1.csv").write_text(HEAD + THEN)
    (root / "people.csv").write_text("id,firm\nP1,A\nP2,C\nP3,E\n")
    orders = "who,firm,date,amount\nP1,,2026-01-05,10\nP2,B,2026-01-06,20\nP2,,2026-01-07,7\nP3,,2026-03-20,1\n"
    (root / "orders.csv").write_text(orders)
    return opened(root)


def _traits(space: Workspace) -> dict[str, tuple[Any, ...]]:
    with space.reading() as reading:
        rows = reading.table("traits", "account_traits").to_pyarrow().to_pylist()
    return {row["account_id"]: tuple(row.get(name) for name in TOLD) for row in rows}


@on_every_engine
def test_traits_of_a_past_day_are_made_of_what_was_known_of_accounts_then(tmp_path: Path, engine: str) -> None:
    space = _begun(tmp_path / "w", engine)
    space.collect()
    (space.root / "firms-2.csv").write_text(HEAD + NOW)
    space.collect()
    space.resolve()
    space.traits(date(2026, 1, 31))
    then = _traits(space)
    with space.reading() as reading:
        kept = reading.find("golden_account_versions").to_pyarrow().to_pylist()
    space.traits(date(2026, 3, 31))
    now = _traits(space)
    space.close()
    # D came with the second delivery: nobody ever said since when it is one, so it always was (decision 0007). All that
    # E ever did came later: it was not there yet.
    assert then == {
        "A": (RETAIL, 5, 100.0, "lead", "gold", "group head", 3, 10.0),
        "B": (BANK, None, 200.0, "customer", None, "subsidiary", 2, 20.0),
        "C": (RETAIL, 9, None, None, None, "subsidiary", 1, 7.0),
        "D": (RETAIL, 2, None, None, None, "independent", 1, 0.0),
    }
    assert now == {
        "A": (BANK, 50, 100.0, "customer", "iron", "subsidiary", 1, 10.0),
        "C": (RETAIL, None, 5.0, None, None, "independent", 1, 7.0),
        "D": (RETAIL, 2, None, None, None, "group head", 2, 0.0),
        "E": (BANK, 300, 7.0, None, None, "independent", 1, 1.0),
    }
    assert [(r["account_id"], r["parent_id"], r["industry"], r["employees"]) for r in kept] == [
        ("A", None, "Retail", 5), ("B", "A", "Bank", None), ("C", "B", "Retail", 9),
    ]  # fmt: skip
    assert all(r["known_until"] for r in kept)


def test_a_circle_of_parents_in_the_past_is_no_group(tmp_path: Path) -> None:
    """A belonged to B and B to A: neither has a parent then, and what hangs below them keeps its own."""
    space = _begun(tmp_path)
    (tmp_path / "firms-1.csv").write_text(HEAD + "A,Aa,,1,,,B,\nB,Bb,,1,,,A,\nC,Cc,,1,,,B,\n")
    space.collect()
    (tmp_path / "firms-2.csv").write_text(HEAD + "A,Aa,,1,,,,\nB,Bb,,1,,,A,\nC,Cc,,1,,,B,\n")
    space.collect()
    space.resolve()
    with space.engine.session({"resolve": space.state.current()["resolve"].id}) as session:
        found = [golden_accounts_at(session, moment).to_pyarrow().to_pylist() for moment in (PAST, None)]
    space.close()
    then, now = ({r["account_id"]: (r["parent_id"], r["ultimate_parent_id"], r["level"]) for r in rows}
                 for rows in found)  # fmt: skip
    assert then == {"A": (None, "A", 0), "B": (None, "B", 0), "C": ("B", "B", 1)}
    assert now == {"A": (None, "A", 0), "B": ("A", "A", 1), "C": ("B", "A", 2)}


def test_accounts_of_a_past_moment_are_those_that_resolve_found_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is delivered later: values, parents (circles among them), firms that go and come back."""
    rng = random.Random(4)
    space = _begun(tmp_path)
    found: list[list[tuple[Any, ...]]] = []
    days = [datetime(2026, 2, d, 3) for d in (1, 5, 10)]
    for number, day in enumerate(days):
        rows = [
            f"F{i},Firm {i},{rng.choice(['Retail', 'Bank', ''])},{rng.choice(['', 5, 70])},,"
            f"{rng.choice(['lead', ''])},{rng.choice(['', *(f'F{n}' for n in range(7) if n != i)])},"
            for i in range(7)
            if not number or rng.random() < 0.75
        ]
        (tmp_path / f"firms-{number + 1}.csv").write_text(HEAD + "\n".join(rows) + "\n")
        as_collected_on(monkeypatch, space, day)
        space.resolve()
        found.append(_groups(space, None))
    then = [_groups(space, day + timedelta(days=1)) for day in days[:-1]]
    space.close()
    assert then == found[:-1]
    assert len({len(rows) for rows in found}) > 1
    assert max(row[-1] for rows in found for row in rows) > 1


def _groups(space: Workspace, moment: datetime | None) -> list[tuple[Any, ...]]:
    with space.engine.session({"resolve": space.state.current()["resolve"].id}) as session:
        rows = golden_accounts_at(session, moment).to_pyarrow().to_pylist()
    told = ("account_id", "industry", "employees", "stage", "parent_id", "ultimate_parent_id", "level")
    return sorted((tuple(row[name] for name in told) for row in rows), key=str)
