"""What a table of places says of the customers who live there."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from tests.engines import on, on_every_engine
from tests.shops import opened

from segmentry.workspace import Workspace

CONFIG = """\
name: Test places
as_of: 2026-03-31
sources:
  people:
    kind: customers
    path: people*.csv
    key: id
    columns: {customer: id, postcode: zip, joined_at: joined}
  areas:
    kind: places
    path: areas*.csv
    key: code
    columns: {postcode: code}
    attributes:
      population: {from: people, model: geographic, kind: number}
      urban: {from: urban, model: geographic, kind: boolean}
      zone: {from: zone, model: geographic}
      unused: {from: nobody, model: geographic, kind: number}
segmentations:
  towns:
    method: rules
    segments: [{name: Big, where: population > 1000}]
    rest: Others
"""
PEOPLE = "id,zip,joined\n"
AREAS = "code,people,urban,zone,nobody\n"


def begun(root: Path, engine: str) -> Workspace:
    root.mkdir()
    (root / "segmentry.yaml").write_text(on(engine, CONFIG))
    people = ["A,02134,2026-01-01", "B,90001-1234,2026-01-01", "C,D-10115,2026-01-01", "D,se1 7ab,2026-03-30"]
    people += ["E,99999,2026-01-01", "F,,2026-01-01"]
    (root / "people-1.csv").write_text(PEOPLE + "\n".join(people) + "\n")
    areas = ["02134,500,yes,a,", "90001,54492,no,b,", "10115,70,,c,", "SE17AB,900,yes,d,", "10115,80,no,,"]
    (root / "areas-1.csv").write_text(AREAS + "\n".join(areas) + "\n")
    return opened(root)


def by_customer(space: Workspace, day: date) -> dict[str, tuple[Any, ...]]:
    space.resolve()
    space.traits(day)
    with space.reading() as reading:
        rows = reading.find("traits").to_pyarrow().to_pylist()
    assert all("unused" not in row for row in rows)
    return {r["customer_id"]: (r["population"], r["urban"], r["zone"]) for r in rows}


@on_every_engine
def test_a_customer_has_what_its_place_has_and_the_past_what_was_known_then(tmp_path: Path, engine: str) -> None:
    space = begun(tmp_path / "w", engine)
    space.collect()
    today = date(2026, 3, 31)
    assert by_customer(space, today) == {
        "A": (500.0, True, "a"),
        "B": (54492.0, False, "b"),
        "C": (80.0, False, None),  # the later row of its key replaces the former
        "D": (900.0, True, "d"),
        "E": (None, None, None),
        "F": (None, None, None),
    }
    (space.root / "people-2.csv").write_text(PEOPLE + "A,10115,2026-01-01\n")
    (space.root / "areas-2.csv").write_text(AREAS + "90001,55000,no,b,\n")
    space.collect()
    now, then = by_customer(space, today), by_customer(space, date(2026, 2, 1))
    assert (now["A"][0], now["B"][0]) == (80.0, 55000.0)
    assert (then["A"][0], then["B"][0]) == (500.0, 54492.0)


def test_customers_of_unknown_places_are_counted(tmp_path: Path) -> None:
    space = begun(tmp_path / "w", "duckdb")
    space.run()
    found = {f["check"]: f for f in space.state.current()["check"].facts["findings"]}
    told = found["unknown_places"]
    assert (told["rows"], told["of_rows"]) == (1, 5)
    assert "postcode that is not in areas" in told["text"]
    assert {s.name: s.customers for s in space.summary("towns").segments}["Big"] == 1
