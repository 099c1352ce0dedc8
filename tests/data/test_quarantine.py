"""The quarantine: nothing personal is shown, what is exported is harmless, and what is repaired counts once."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from tests.shops import opened

from segmentry.apps import members, quality
from segmentry.data import reconcile
from segmentry.errors import DataError, UsageError
from segmentry.workspace import Workspace

CONFIG = """\
name: Quarantine
sources:
  orders:
    kind: transactions
    path: orders*.csv
    columns: {customer: Customer, order: Order, time: Date, amount: "Amount"}
    pii: {Customer: direct}
"""
ORDERS = """\
Customer,Order,Date,Amount,Remark
ada@home.example,O1,2026-01-05,10.00,
bob@home.example,O2,someday,20.00,=HYPERLINK("x")
cy@home.example,O3,2026-01-07,many,'quoted
dee@home.example,O4,2026-01-08,40.00,
eve@home.example,O5,,50.00,
"""


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    (tmp_path / "segmentry.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    return _collected(tmp_path)


def _collected(root: Path) -> Workspace:
    space = opened(root)
    space.collect()
    space.resolve()
    return space


def _steps(space: Workspace) -> dict[str, int | None]:
    space.resolve()
    with space.reading() as reading:
        steps = reading.reconciliations()[0].steps
    return {s.label: s.rows for s in steps if s.level < 2}


def _exported(space: Workspace, path: Path) -> list[dict[str, str]]:
    with space.reading() as reading:
        reading.export_quarantine(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: list[dict[str, str]]) -> Path:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8-sig", newline="")
    return path


def _repaired(rows: list[dict[str, str]], **cells: dict[str, str]) -> list[dict[str, str]]:
    """The exported rows with cells corrected, by order."""
    return [{**row, **cells.get(row["Order"], {})} for row in rows]


GOOD = {"O2": {"Date": "2026-01-06"}, "O3": {"Amount": "30.00"}, "O5": {"Date": "2026-01-09"}}


def test_reasons_are_counted_and_examples_masked(space: Workspace) -> None:
    with space.reading() as reading:
        found = reading.quarantine()
    assert {r.reason: r.rows for r in found} == {
        "time cannot be read": 1,
        "amount cannot be read": 1,
        "time is missing": 1,
    }
    shown = {r.reason: r.examples for r in found}["time cannot be read"]
    assert [(file, line) for file, line, _ in shown] == [("orders.csv", 3)]
    assert "Customer=xxx@xxxx.xxxxxxx" in shown[0][2]
    assert "Date=someday" in shown[0][2]


def test_the_export_is_harmless_and_comes_back_as_it_was(space: Workspace, tmp_path: Path) -> None:
    rows = _exported(space, tmp_path / "bad.csv")
    assert [(r["quarantine_file"], r["quarantine_line"], r["Order"]) for r in rows] == [
        ("orders.csv", "3", "O2"),
        ("orders.csv", "4", "O3"),
        ("orders.csv", "6", "O5"),
    ]
    assert [r["Remark"] for r in rows] == ['\'=HYPERLINK("x")', "''quoted", ""]
    space.repair(_write(tmp_path / "good.csv", _repaired(rows, **GOOD)))
    (kept,) = (tmp_path / "repaired").glob("orders-*.csv")
    with kept.open(encoding="utf-8", newline="") as file:
        assert [r["Remark"] for r in csv.DictReader(file)] == ['=HYPERLINK("x")', "'quoted", ""]


def test_repaired_records_leave_and_the_counts_reconcile(space: Workspace, tmp_path: Path) -> None:
    assert list(_steps(space).values()) == [5, 0, 3, 2]
    rows = _exported(space, tmp_path / "bad.csv")
    part = _repaired(rows, O2=GOOD["O2"], O3=GOOD["O3"])  # O5 is still without a date
    assert space.repair(_write(tmp_path / "good.csv", part)) == 2
    assert _steps(space) == {
        "rows read": 5,
        "the same record again, counted once": 0,
        "in quarantine": 1,
        "kept": 4,
    }
    with space.reading() as reading:
        assert [(r.reason, r.rows) for r in reading.quarantine()] == [("time is missing", 1)]
        assert reading.find("quarantine").count().to_pyarrow().as_py() == 1
        amounts = reading.find("transactions").to_pyarrow().to_pydict()
    assert sum(amounts["amount"]) == 100
    assert amounts["known_from"] == [None] * 4
    assert space.repair(_write(tmp_path / "rest.csv", _repaired(rows, **GOOD))) == 1  # two of them a second time
    assert list(_steps(space).values()) == [5, 0, 0, 5]
    assert not [c for c in space_caveats(space) if "quarantine" in c]


def space_caveats(space: Workspace) -> tuple[str, ...]:
    return tuple(reconcile.caveats(space.manifest(), ()))


def test_a_row_repaired_twice_counts_once(space: Workspace, tmp_path: Path) -> None:
    rows = _exported(space, tmp_path / "bad.csv")
    path = _write(tmp_path / "good.csv", [*_repaired(rows, **GOOD), *_repaired(rows, **GOOD)])
    assert space.repair(path) == 3
    assert space.repair(path) == 0
    other = {**GOOD, "O2": {"Date": "2026-02-02"}}
    assert space.repair(_write(tmp_path / "other.csv", _repaired(rows, **other))) == 0
    assert list(_steps(space).values()) == [5, 0, 0, 5]


def test_a_repaired_row_that_is_there_already_is_a_duplicate(space: Workspace, tmp_path: Path) -> None:
    rows = _exported(space, tmp_path / "bad.csv")
    same = {"Customer": "ada@home.example", "Order": "O1", "Date": "2026-01-05", "Amount": "10.00"}
    assert space.repair(_write(tmp_path / "good.csv", _repaired(rows, O2=same))) == 1
    assert list(_steps(space).values()) == [5, 1, 2, 2]


def test_repairs_survive_a_new_mapping_and_a_grown_file(space: Workspace, tmp_path: Path) -> None:
    rows = _exported(space, tmp_path / "bad.csv")
    space.repair(_write(tmp_path / "good.csv", _repaired(rows, **GOOD)))
    space.close()
    (tmp_path / "segmentry.yaml").write_text(CONFIG.replace('"Amount"', '"Amount * 2"'), encoding="utf-8")
    (tmp_path / "orders.csv").write_text(ORDERS + "flo@home.example,O6,2026-01-10,never,\n", encoding="utf-8")
    space = _collected(tmp_path)
    assert list(_steps(space).values()) == [6, 0, 1, 5]
    with space.reading() as reading:
        assert sum(reading.find("transactions").to_pyarrow().to_pydict()["amount"]) == 300
    space.close()


def test_a_line_that_could_not_be_taken_apart_can_be_entered_anew(tmp_path: Path) -> None:
    (tmp_path / "segmentry.yaml").write_text(CONFIG, encoding="utf-8")
    broken = ORDERS + 'gus@home.example,O7,2026-01-11,70.00,a,b,c,d,"e\n'
    (tmp_path / "orders.csv").write_text(broken, encoding="utf-8")
    space = _collected(tmp_path)
    rows = _exported(space, tmp_path / "bad.csv")
    cut = [r for r in rows if r["quarantine_text"]]
    assert len(cut) == 1
    assert "gus@home.example" not in str([r.examples for r in _reasons(space)])
    cells = {"Customer": "gus@home.example", "Order": "O7", "Date": "2026-01-11", "Amount": "70.00"}
    assert space.repair(_write(tmp_path / "good.csv", [{**cut[0], **cells}])) == 1
    assert list(_steps(space).values()) == [6, 0, 3, 3]
    space.close()


def _reasons(space: Workspace) -> tuple[object, ...]:
    with space.reading() as reading:
        return reading.quarantine()


def test_what_is_no_corrected_export_is_refused_and_nothing_changes(space: Workspace, tmp_path: Path) -> None:
    rows = _exported(space, tmp_path / "bad.csv")
    with pytest.raises(UsageError, match="no file"):
        space.repair(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="no column quarantine_id and no column quarantine_source"):
        space.repair(_write(tmp_path / "other.csv", [{"a": "1"}]))
    renamed = [{**row, "quarantine_source": "order"} for row in rows]
    with pytest.raises(DataError, match=r"source 'order', which segmentry\.yaml does not have\. Did you mean 'orders'"):
        space.repair(_write(tmp_path / "renamed.csv", renamed))
    assert not (tmp_path / "repaired").exists()
    assert list(_steps(space).values()) == [5, 0, 3, 2]


# Values ---------------------------------------------------------------------------------------------------------------

PEOPLE = """\
Id,Born,Year,Age,Town
1,1980-02-29,,,Leeds
2,1790-01-01,1971,,Leeds
3,2031-05-05,,,York
4,,1890,40,York
5,,,126,York
6,1915-06-30,,,York
7,1915-07-01,,,York
"""


def test_ages_that_nobody_has_are_named_one_by_one_and_the_rest_of_their_record_counts(tmp_path: Path) -> None:
    (tmp_path / "segmentry.yaml").write_text(
        "name: Ages\nas_of: 2026-06-30\nsources:\n  people:\n    kind: customers\n    path: people.csv\n"
        "    columns: {customer: Id, birth_date: Born, birth_year: Year, age: Age, city: Town}\n",
        encoding="utf-8",
    )
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    space = _collected(tmp_path)
    with space.reading() as reading, pytest.raises(UsageError, match="Run `segmentry check`"):
        quality.impossible_values(reading)
    space.check()
    space.traits()
    with space.reading() as reading:
        found = reading.quarantine()
        checked = reading.checked()
        ages = {r["customer_id"]: (r["age"], r["city"]) for r in reading.find("traits").to_pyarrow().to_pylist()}
        assert members.write_csv(quality.impossible_values(reading), tmp_path / "values.csv") == 5
    assert {(r.column, r.reason): [line for _, line, _ in r.examples] for r in found} == {
        ("birth_date", "born more than 110 years before 2026-06-30"): [3, 7],
        ("birth_date", "born after 2026-06-30"): [4],
        ("birth_year", "born after 2026-06-30, or more than 110 years before"): [5],
        ("age", "not from 0 to 110 years"): [6],
    }
    # The values are shown to nobody who does not ask for them; the findings of the check count the same ones.
    assert {shown for r in found if r.column == "birth_date" for _, _, shown in r.examples} == {"9999-99-99"}
    births = [f for f in checked.findings if f.column in ("birth_date", "birth_year", "age")]
    counted = [f.rows for f in births if f.check in ("out_of_range", "future_dates")]
    assert sum(counted) == sum(r.rows for r in found) == 5
    # What else is known of the birth counts, and so does the rest of the record.
    assert {key: age for key, (age, _) in ages.items()} == {
        "1": 46, "2": 55, "3": None, "4": 40, "5": None, "6": None, "7": 110,
    }  # fmt: skip
    assert {town for _, town in ages.values()} == {"Leeds", "York"}
    rows = list(csv.DictReader((tmp_path / "values.csv").open(encoding="utf-8-sig", newline="")))
    assert [(r["file"], r["line"], r["value"]) for r in rows][:2] == [
        ("people.csv", "3", "1790-01-01"),
        ("people.csv", "4", "2031-05-05"),
    ]
