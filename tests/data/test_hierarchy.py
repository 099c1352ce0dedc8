"""The way up in a hierarchy of accounts: any depth, and circles that end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ibis
import pandas as pd
import pytest

from segmentry.data.hierarchy import climbed
from segmentry.engine import DuckDB, DuckDBSession

LONG = 100_000


@pytest.fixture
def session(tmp_path: Path) -> Iterator[DuckDBSession]:
    with DuckDB(tmp_path).session() as made:
        yield made


def _climbed(session: DuckDBSession, parents: dict[int, int]) -> tuple[dict[int, tuple[int, int, int]], set[int]]:
    rows = pd.DataFrame({"account_key": list(parents), "parent_key": list(parents.values())}, dtype="int64")
    ways, circles = climbed(session, ibis.memtable(rows))
    found = {r["account_key"]: (r["parent_key"], r["top_key"], r["level"]) for r in ways.to_pyarrow().to_pylist()}
    return found, set(circles.to_pyarrow()["account_key"].to_pylist())


def test_a_chain_of_a_hundred_thousand_has_one_top(session: DuckDBSession) -> None:
    found, circles = _climbed(session, {i: i - 1 for i in range(1, LONG)})
    assert not circles
    assert found[LONG - 1] == (LONG - 2, 0, LONG - 1)
    assert found[1] == (0, 0, 1)


def test_circles_of_any_length_end_and_who_hangs_on_them_stays(session: DuckDBSession) -> None:
    pair = {1: 2, 2: 1}
    ring = {10 + i: 10 + (i + 1) % 7 for i in range(7)}
    found, circles = _climbed(session, {**pair, **ring, 20: 13, 21: 20, 31: 30, 32: 31})
    assert circles == {*pair, *ring}
    assert found == {20: (13, 13, 1), 21: (20, 13, 2), 31: (30, 30, 1), 32: (31, 30, 2)}


def test_no_parents_at_all(session: DuckDBSession) -> None:
    assert _climbed(session, {}) == ({}, set())
