"""Records that change or vanish: today counts what is known today, a day in the past what was known then."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.engines import on, on_every_engine
from tests.shops import opened

from segmentry.data import manifest as manifests
from segmentry.data.versions import golden_at
from segmentry.errors import ConfigError, DataError
from segmentry.workspace import Workspace

CONFIG = """\
name: Test versions
as_of: 2026-03-31
sources:
  people:
    kind: customers
    path: people*.csv
    key: id
    full_export: true
    columns: {customer: id, city: city, joined_at: joined}
  orders:
    kind: transactions
    path: orders*.csv
    key: order
    columns: {customer: customer, order: order, time: date, amount: amount}
segmentations:
  value: {method: value_tiers}
"""
PEOPLE = "id,city,joined\n"
ORDERS = "customer,order,date,amount\n"


def begun(root: Path, engine: str = "duckdb") -> Workspace:
    root.mkdir(parents=True, exist_ok=True)
    (root / "segmentry.yaml").write_text(on(engine, CONFIG))
    (root / "people-1.csv").write_text(PEOPLE + "A,Bonn,2026-01-01\nB,Kiel,2026-01-01\nC,Ulm,2026-01-01\n")
    (root / "orders-1.csv").write_text(ORDERS + "A,1,2026-01-05,10\nB,2,2026-01-06,20\n")
    return opened(root)


def changed(space: Workspace) -> None:
    """The next delivery: A has moved, C is gone, D is new; order 1 was worth more."""
    (space.root / "people-2.csv").write_text(PEOPLE + "A,Köln,2026-01-01\nB,Kiel,2026-01-01\nD,Hof,2026-01-20\n")
    (space.root / "orders-2.csv").write_text(ORDERS + "A,1,2026-01-05,11\nD,3,2026-03-01,30\n")
    space.collect()


def table(space: Workspace, name: str) -> list[dict[str, Any]]:
    with space.reading() as reading:
        return reading.find(name).to_pyarrow().to_pylist()


def known(space: Workspace, day: date) -> dict[str, tuple[Any, ...]]:
    """By customer town and money spent, as they were known at the end of a day."""
    space.resolve()
    space.traits(day)
    rows = table(space, "traits")
    return {r["customer_id"]: (r.get("city"), r["monetary"]) for r in rows}


def as_collected_on(monkeypatch: pytest.MonkeyPatch, space: Workspace, day: datetime) -> None:
    """Collect as if it were that day: the only clock is the workspace's."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return day.replace(tzinfo=tz)

    monkeypatch.setattr("segmentry.workspace.datetime", Clock)
    space.collect()
    monkeypatch.undo()


@on_every_engine
def test_day_in_the_past_sees_the_values_known_then_and_today_those_of_today(tmp_path: Path, engine: str) -> None:
    space = begun(tmp_path / "w", engine)
    space.collect()
    changed(space)
    with space.reading() as reading:
        assert {r["customer"] for r in reading.find("customers").to_pyarrow().to_pylist()} == {"A", "B", "D"}
    then = known(space, date(2026, 1, 31))
    now = known(space, date(2026, 3, 1))
    assert {c: v[1] for c, v in then.items()} == {"A": 10, "B": 20, "C": 0, "D": 0}
    assert {c: v[1] for c, v in now.items()} == {"A": 11, "B": 20, "D": 30}


def test_golden_record_of_the_past(tmp_path: Path) -> None:
    space = begun(tmp_path)
    space.collect()
    changed(space)
    space.resolve()
    assert {r["customer_id"]: r["city"] for r in table(space, "golden_customers")} == {
        "A": "Köln",
        "B": "Kiel",
        "D": "Hof",
    }
    versions = table(space, "golden_versions")
    assert [(r["customer_id"], r["city"]) for r in versions] == [("A", "Bonn"), ("C", "Ulm")]
    assert {r["known_until"] for r in versions} == {
        r["known_from"] for r in table(space, "customers") if r["known_from"]
    }


def test_every_row_is_accounted_for_and_nothing_is_written_twice(tmp_path: Path) -> None:
    space = begun(tmp_path)
    space.collect()
    changed(space)
    run = space.collect()
    one, two = (e for e in space.manifest().entries if e.source == "people")
    assert (one.rows, one.kept, one.replaced, one.closed) == (3, 1, 1, 1)
    assert (two.rows, two.kept, two.duplicates) == (3, 2, 1)
    assert space.collect().id == run.id
    space.resolve()
    with space.reading() as reading:
        steps = {s.label: s.rows for s in reading.reconciliations()[0].steps}
    assert steps["rows read"] == 6 == steps["kept"] + steps["the same record again, counted once"]
    assert (steps["replaced by a later record of the same key"], steps["gone at the source"]) == (1, 1)
    assert steps["known today"] == 3


def test_several_versions_and_a_record_that_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = begun(tmp_path)
    days = [datetime(2026, 2, d, 3) for d in (1, 5, 10, 15)]
    as_collected_on(monkeypatch, space, days[0])
    for n, (city, day) in enumerate(zip(["Köln", None, "Hof"], days[1:], strict=True), 2):
        rows = "B,Kiel,2026-01-01\n" + (f"A,{city},2026-01-01\n" if city else "")
        (tmp_path / f"people-{n}.csv").write_text(PEOPLE + rows)
        as_collected_on(monkeypatch, space, day)
    (tmp_path / "orders-9.csv").write_text(ORDERS + "B,9,2026-03-31,1\n")
    as_collected_on(monkeypatch, space, datetime(2026, 4, 1, 3))

    def city(day: int) -> Any:
        space.resolve()
        with space.engine.session({"resolve": space.state.current()["resolve"].id}) as session:
            rows = golden_at(session, space.manifest().moment(date(2026, 2, day))).to_pyarrow().to_pylist()
        return next((r["city"] for r in rows if r["customer_id"] == "A"), "not there")

    # Order 1 keeps A a customer while no record about A is there.
    assert [city(d) for d in (1, 4, 5, 9, 10, 14, 15)] == ["Bonn", "Bonn", "Köln", "Köln", None, None, "Hof"]


def test_two_old_exports_read_at_once_leave_no_versions(tmp_path: Path) -> None:
    space = begun(tmp_path)
    (tmp_path / "people-2.csv").write_text(PEOPLE + "A,Köln,2026-01-01\n")
    space.collect()
    assert not space.manifest().former_parts("customers")
    assert [(r["customer"], r["known_from"]) for r in table(space, "customers")] == [("A", None)]
    assert space.manifest().entries[0].closed == 2


def test_full_export_without_records_is_refused_and_the_former_result_stays(tmp_path: Path) -> None:
    space = begun(tmp_path)
    space.collect()
    (tmp_path / "people-2.csv").write_text(PEOPLE)
    with pytest.raises(
        DataError, match=r"people-2\.csv holds no record, so all 3 records of people would count as gone"
    ):
        space.collect()
    assert len(table(space, "customers")) == 3


def test_full_export_with_unreadable_lines_closes_nothing_and_says_so(tmp_path: Path) -> None:
    space = begun(tmp_path)
    space.collect()
    (tmp_path / "people-2.csv").write_text(PEOPLE + "A,Köln,2026-01-01\nB,Kiel,2026-01-01,x,y\n")
    space.collect()
    assert {r["customer"] for r in table(space, "customers")} == {"A", "B", "C"}
    assert any("nothing that the file lacks counts as gone" in c for c in space.manifest().entries[-1].caveats)


def test_record_that_cannot_be_used_today_is_not_gone(tmp_path: Path) -> None:
    space = begun(tmp_path)
    config = CONFIG.replace("key: order\n", "key: order\n    full_export: true\n")
    (tmp_path / "segmentry.yaml").write_text(config)
    space = opened(tmp_path)
    space.collect()
    (tmp_path / "orders-2.csv").write_text(ORDERS + "A,1,2026-01-05,not a number\n")
    space.collect()
    assert [r["order"] for r in table(space, "transactions")] == ["1"], "2 is gone, 1 is there and cannot be read"
    last = space.manifest().entries[-1]
    assert (last.rows, last.quarantined) == (1, 1)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("full_export: true", "full_export: needs a key"),
        ("keep: first", "keep: first needs a key"),
        ("{key: id, keep: first, full_export: true}", "full_export: needs a key, and keep: latest"),
    ],
)
def test_settings_that_cannot_be_are_explained(tmp_path: Path, written: str, said: str) -> None:
    lines = written.strip("{}").split(", ")
    text = "name: x\nsources:\n  s:\n    kind: customers\n    path: x.csv\n    columns: {customer: id}\n"
    (tmp_path / "segmentry.yaml").write_text(text + "".join(f"    {line}\n" for line in lines))
    with pytest.raises(ConfigError, match=said):
        opened(tmp_path)


def test_moment_is_now_from_the_day_of_the_last_record_on() -> None:
    made = manifests.Manifest(collected_on="2026-04-01")
    assert made.moment(date(2026, 4, 1)) is None
    assert made.moment(date(2026, 3, 31)) == datetime(2026, 4, 1)
