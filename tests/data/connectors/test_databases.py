"""Sources that are databases: the same rows as from a file, read on from a cursor, and every failure said clearly."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import struct
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import psycopg
import pytest

from segmentry.beginnings import create_workspace
from segmentry.errors import ConfigError, DataError, SegmentryError
from segmentry.stages import Event
from segmentry.workspace import Workspace

CONFIG = """\
name: Test shop
sources:
  orders:
    kind: transactions
    url: "{url}"
    {what}
    columns: {{customer: customer, order: id, time: day, amount: amount}}
segmentations:
  value: {{method: value_tiers}}
"""
CREATE = "CREATE TABLE {0} (id integer primary key, customer text, day {1}, amount {2}, updated_at {1})"


@dataclass
class Shop:
    """A database with a table of orders, and the means to change it."""

    url: str
    run: Callable[[str], Any]
    table: str

    def add(self, first: int, last: int, *, month: int = 1) -> None:
        """Orders of seven customers, ten changed at each hour of a day."""
        for i in range(first, last + 1):
            at = f"2026-{month:02}-01 {i // 10 % 24:02}:00:00"
            self.run(f"INSERT INTO {self.table} VALUES ({i}, 'C{i % 7}', '2026-01-{i % 28 + 1:02}', {i}.5, '{at}')")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """The table of orders in SQLite and in PostgreSQL."""
    if request.param == "sqlite":
        con = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
        con.execute(CREATE.format("orders", "timestamp", "decimal(10, 2)"))
        yield Shop("sqlite:///shop.db", con.execute, "orders")
        con.close()
    else:
        with _schema(request.getfixturevalue("postgres_url")) as (url, pg, name):
            pg.execute(CREATE.format(f"{name}.orders", "timestamptz", "numeric(10, 2)"))
            yield Shop(url, pg.execute, f"{name}.orders")


@contextmanager
def _schema(url: str) -> Iterator[tuple[str, Any, str]]:
    """A schema of a test's own on the server: its URL, a connection, its name."""
    name = f"shop_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as con:
        con.execute(f"CREATE SCHEMA {name}")
        yield url, con, name
        con.execute(f"DROP SCHEMA {name} CASCADE")


def _space(root: Path, url: str, what: str, config: str = CONFIG) -> Workspace:
    """A workspace that takes the URL, with its password, from the environment."""
    (root / "segmentry.yaml").write_text(config.format(url="${SHOP}", what=what), encoding="utf-8")
    return Workspace(root, {**os.environ, "SHOP": url})


def _lines(space: Workspace, table: str = "transactions") -> pd.DataFrame:
    with space.reading() as reading:
        found = reading.find(table)
        return (found.order_by("line") if "line" in found.columns else found).to_pandas()


def _balanced(space: Workspace) -> bool:
    return all(e.rows == e.kept + e.duplicates + e.quarantined + e.reread for e in space.manifest().entries)


def _landed(root: Path) -> list[Path]:
    return [p for p in (root / "warehouse" / "landed").rglob("*") if p.is_file()]


# Reading --------------------------------------------------------------------------------------------------------------


def test_table_gives_the_rows_that_a_file_of_it_gives(tmp_path: Path, database: Shop) -> None:
    database.add(1, 100)
    space = _space(tmp_path, database.url, f"table: {database.table}")
    space.collect()
    space.resolve()
    lines = _lines(space)
    assert lines["amount"].sum() == sum(i + 0.5 for i in range(1, 101))
    assert lines["time"].dt.day.tolist() == [i % 28 + 1 for i in range(1, 101)]
    assert lines["order"].tolist() == [str(i) for i in range(1, 101)]
    assert set(lines["file"]) == {f"{database.url.split('?')[0].replace('postgres:@', '')} {database.table}"}
    assert len(_lines(space, "identities")) == 7
    assert _balanced(space)
    assert not _landed(tmp_path), "what is collected is not kept twice"


def test_query_is_read_like_a_table(tmp_path: Path, database: Shop) -> None:
    database.add(1, 30)
    query = f"select id, customer, day, amount * 2 as amount from {database.table} where id <= 10;"
    space = _space(tmp_path, database.url, f'query: "{query}"')
    space.collect()
    assert _lines(space)["amount"].sum() == sum(2 * i + 1 for i in range(1, 11))


def test_cursor_reads_on_and_takes_a_tie_once(tmp_path: Path, database: Shop) -> None:
    database.add(1, 25)
    space = _space(tmp_path, database.url, f"table: {database.table}\n    cursor: updated_at")
    first = space.collect()
    assert space.collect().id == first.id, "nothing is new"
    database.add(26, 29)  # of the hour that was read last
    database.add(30, 45)
    space.collect()
    lines = _lines(space)
    assert sorted(lines["order"].astype(int)) == list(range(1, 46))
    assert lines["line"].is_unique
    entry = space.manifest().entries[-1]
    assert (entry.rows, entry.kept, entry.reread) == (26, 20, 6)
    assert space.collect().id != first.id
    assert not _landed(tmp_path)


def test_the_record_that_was_read_last_is_read_again_when_it_changes(tmp_path: Path, database: Shop) -> None:
    database.add(1, 5)
    space = _space(tmp_path, database.url, f"table: {database.table}\n    cursor: updated_at\n    key: id")
    space.collect()
    # As many records as before are at the mark or beyond it.
    database.run(f"UPDATE {database.table} SET updated_at = '2026-05-01 00:00:00', amount = 777 WHERE id = 5")
    space.collect()
    assert 777 in set(_lines(space)["amount"])
    again = space.collect().id
    assert space.collect().id == again


def test_without_a_cursor_everything_is_read_and_only_what_is_new_is_kept(tmp_path: Path, database: Shop) -> None:
    database.add(1, 20)
    space = _space(tmp_path, database.url, f"table: {database.table}")
    first = space.collect()
    assert space.collect().id == first.id, "the same rows in any order are nothing new"
    database.add(21, 25)
    database.run(f"DELETE FROM {database.table} WHERE id = 1")
    space.collect()
    entry = space.manifest().entries[-1]
    assert (entry.rows, entry.kept, entry.reread) == (24, 5, 19)
    assert len(_lines(space)) == 25, "what is gone from the table stays"


def test_rows_without_a_cursor_value_are_not_lost(tmp_path: Path, database: Shop) -> None:
    database.add(1, 12)
    database.run(f"UPDATE {database.table} SET updated_at = NULL WHERE id <= 2")
    space = _space(tmp_path, database.url, f"table: {database.table}\n    cursor: UPDATED_AT")
    space.collect()
    database.run(f"INSERT INTO {database.table} VALUES (99, 'C1', '2026-01-05', 5, NULL)")
    space.collect()
    assert sorted(_lines(space)["order"].astype(int)) == [*range(1, 13), 99]


def test_cursor_that_was_set_into_the_future_by_mistake_does_not_stop_the_reading(
    tmp_path: Path, database: Shop
) -> None:
    database.add(1, 12)
    database.run(f"UPDATE {database.table} SET updated_at = '2999-01-01 00:00:00' WHERE id = 3")
    space = _space(tmp_path, database.url, f"table: {database.table}\n    cursor: updated_at")
    space.collect()
    database.add(20, 25, month=2)
    space.collect()
    assert len(_lines(space)) == 18


def test_unusable_rows_go_to_quarantine_with_their_record(tmp_path: Path, database: Shop) -> None:
    database.add(1, 5)
    database.run(f"UPDATE {database.table} SET amount = NULL WHERE id = 2")
    database.run(f"UPDATE {database.table} SET day = '2207-01-01' WHERE id = 4")
    space = _space(tmp_path, database.url, f"table: {database.table}\n    cursor: id")
    space.collect()
    found = _lines(space, "quarantine")
    assert found["reason"].tolist() == ["amount is missing", "time lies in the future"]
    assert [json.loads(record)["id"] for record in found["record"]] == [2, 4]
    assert _balanced(space)


def test_wider_table_is_no_reason_to_read_more(tmp_path: Path, database: Shop) -> None:
    database.add(1, 5)
    space = _space(tmp_path, database.url, f"table: {database.table}")
    first = space.collect()
    database.run(f"ALTER TABLE {database.table} ADD COLUMN secret_note text")
    assert space.collect().id == first.id


# What changes overnight -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE {0} RENAME COLUMN amount TO amount_eur", r"no column 'amount'\. Did you mean 'amount_eur'"),
        ("DROP TABLE {0}", "has no table"),
    ],
)
def test_schema_that_changed_is_named_and_the_former_result_stays(
    tmp_path: Path, database: Shop, change: str, said: str
) -> None:
    database.add(1, 20)
    space = _space(tmp_path, database.url, f"table: {database.table}")
    space.collect()
    before = _lines(space)
    database.run(change.format(database.table))
    with pytest.raises(DataError, match=said):
        space.collect()
    pd.testing.assert_frame_equal(_lines(space), before)
    assert space.state.last_failure("collect") is not None


def test_amount_that_becomes_text_is_still_read(tmp_path: Path, database: Shop) -> None:
    database.add(1, 10)
    space = _space(tmp_path, database.url, f"table: {database.table}\n    cursor: id")
    space.collect()
    if database.url.startswith("sqlite"):
        database.run("INSERT INTO orders VALUES (11, 'C1', '2026-01-05', '12.50 EUR', NULL)")
    else:
        database.run(f"ALTER TABLE {database.table} ALTER COLUMN amount TYPE text")
        database.run(f"INSERT INTO {database.table} VALUES (11, 'C1', '2026-01-05', '12.50 EUR', NULL)")
    space.collect()
    assert _lines(space)["amount"].tolist() == [*(i + 0.5 for i in range(1, 11)), 12.5]


def test_cursor_of_another_type_reads_everything_again_and_counts_nothing_twice(tmp_path: Path, database: Shop) -> None:
    database.add(1, 10)
    space = _space(tmp_path, database.url, f"table: {database.table}\n    cursor: updated_at")
    space.collect()
    if database.url.startswith("sqlite"):
        database.run("UPDATE orders SET updated_at = id")
    else:
        database.run(f"ALTER TABLE {database.table} ALTER COLUMN updated_at TYPE integer USING id")
    database.run(f"INSERT INTO {database.table} VALUES (11, 'C1', '2026-01-05', 1, 11)")
    space.collect()
    assert len(_lines(space)) == 11


# Types ----------------------------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_types_of_postgresql(tmp_path: Path, postgres_url: str) -> None:
    config = CONFIG.replace(
        "amount: amount}}", "amount: amount}}\n    timezone: Europe/Berlin\n    attributes: {attributes}"
    )
    attributes = (
        "{tags: {from: tags}, note: {from: note}, active: {from: active, kind: boolean}, mood: {from: mood},"
        " local: {from: local_day}, big: {from: big}, ratio: {from: ratio, kind: number}}"
    )
    with _schema(postgres_url) as (url, con, name):
        con.execute(f"CREATE TYPE {name}.mood AS ENUM ('sad', 'happy')")
        con.execute(
            f"CREATE TABLE {name}.t (id uuid, customer numeric(20, 0), day timestamptz, amount numeric, tags text[],"
            f" note jsonb, active boolean, mood {name}.mood, local_day timestamp, big bigint, ratio double precision)"
        )
        con.execute(
            f"""INSERT INTO {name}.t VALUES
            ('6f1c2d9e-0000-4000-8000-000000000001', 12345678901234567890, '2026-07-01 12:00:00+02', 12.345678,
             '{{a,b}}', '{{"x": 1}}', true, 'happy', '2026-07-01 12:00:00', 9007199254740993, 'NaN'),
            ('6f1c2d9e-0000-4000-8000-000000000002', 2, '2026-07-01 12:00:00+00', 'NaN', NULL, NULL, NULL, NULL,
             'infinity', NULL, 'Infinity'),
            ('6f1c2d9e-0000-4000-8000-000000000003', 3, 'infinity', 5, NULL, NULL, NULL, NULL, NULL, NULL, 0.5),
            ('6f1c2d9e-0000-4000-8000-000000000004', 4, '0044-03-15 BC', 5, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            ('6f1c2d9e-0000-4000-8000-000000000005', 5, '2026-07-02 00:30:00+02', -3, NULL, NULL, NULL, NULL, NULL,
             1, 0.5)
            """
        )
        space = _space(
            tmp_path,
            url,
            f"table: {name}.t",
            config.replace("{attributes}", attributes.replace("{", "{{").replace("}", "}}")),
        )
        space.collect()
        lines = _lines(space)
    assert lines["customer"].tolist() == ["12345678901234567890", "5"]
    assert lines["time"].astype(str).tolist() == ["2026-07-01 10:00:00", "2026-07-01 22:30:00"], "instants stay"
    assert lines["amount"].tolist() == [12.345678, -3]
    assert lines["order"][0] == "6f1c2d9e-0000-4000-8000-000000000001"
    assert lines[["tags", "note", "mood", "big"]].iloc[0].tolist() == ["{a,b}", '{"x": 1}', "happy", "9007199254740993"]
    assert lines["ratio"].isna().tolist() == [True, False]
    found = _lines(space, "quarantine")
    assert found["reason"].tolist() == ["amount cannot be read", "time is missing", "time is missing"]
    entry = space.manifest().entries[0]
    assert entry.rows == 5
    assert any("of day: infinite" in c for c in entry.caveats)


def test_values_of_any_type_in_a_column_of_sqlite(tmp_path: Path) -> None:
    con = sqlite3.connect(tmp_path / "shop.db")
    con.execute("CREATE TABLE orders (id integer, customer, day datetime, amount integer)")
    rows = [
        (1, 7, "2026-01-01", 5),
        (2, "C8", "2026-01-02 10:00:00", "12.5"),
        (3, 9.0, "0000-00-00", 1e3),
        (4, b"\xff10", "2026-01-04", "free"),
        (5, None, "2026-01-05", float("inf")),
        (6, True, "2026-01-06", 2),
    ]
    con.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    con.commit()
    space = _space(tmp_path, "sqlite:///shop.db", "table: orders")
    space.collect()
    lines = _lines(space)
    assert dict(zip(lines["order"], lines["amount"], strict=True)) == {"1": 5, "2": 12.5, "6": 2}
    assert lines["customer"].tolist() == ["7", "C8", "1"]
    assert space.manifest().entries[0].quarantined == 3


def test_database_of_duckdb(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        con.execute(
            "CREATE TABLE orders AS SELECT i AS id, 'C' || i % 7 AS customer, DATE '2026-01-01' + i::int AS day,"
            " i::decimal(9, 2) AS amount FROM range(30) t(i)"
        )
    space = _space(tmp_path, "duckdb:///shop.duckdb", "table: orders\n    cursor: day")
    first = space.collect()
    assert space.collect().id == first.id
    assert _lines(space)["amount"].sum() == sum(range(30))


# Failures -------------------------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_server_that_goes_away_in_mid_read_costs_nothing_with_a_cursor(tmp_path: Path, postgres_url: str) -> None:
    with _schema(postgres_url) as (url, con, name):
        con.execute(
            f"CREATE TABLE {name}.orders AS SELECT i AS id, 'C' || i % 700 AS customer, DATE '2026-01-01' AS day,"
            " i::numeric / 2 AS amount FROM generate_series(1, 120000) i"
        )
        kills = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'segmentry'"

        def cut(event: Event) -> None:
            if event.done >= 50_000 and event.note:
                con.execute(kills)

        for cursor, kept in (("", 0), ("\n    cursor: id", 50_000)):
            space = _space(tmp_path, url, f"table: {name}.orders{cursor}")
            space._listener = cut
            with pytest.raises(DataError, match="cannot be reached") as caught:
                space.collect()
            assert ("50,000 records that came before are kept" in str(caught.value)) == bool(kept)
            assert len(_landed(tmp_path)) == bool(kept)
        told: list[int] = []
        space._listener = lambda event: told.append(event.done) if event.note else None
        space.collect()
        assert told[-1] == 70_001, "it goes on where it stopped, the last record again"
        assert sum(e.kept for e in space.manifest().entries) == 120_000
        assert space.manifest().entries[-1].reread == 1
        assert not _landed(tmp_path)


@pytest.mark.postgres
def test_refusals_of_postgresql_are_clear_and_hold_no_password(tmp_path: Path, postgres_url: str) -> None:
    with _schema(postgres_url) as (url, con, name):
        con.execute(f"CREATE TABLE {name}.orders AS SELECT 1 AS id, 'C' AS customer, now() AS day, 1 AS amount")
        con.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'right'")
        con.execute(f"GRANT USAGE ON SCHEMA {name} TO {name}")
        host = url.partition("?")[2]
        for given, said in (
            (f"postgresql://{name}:right@/postgres?{host}", "does not let the user read this"),
            (f"postgresql://postgres:s3cret@/nowhere?{host}", "is not there"),
            ("postgresql://postgres:s3cret@127.0.0.1:1/postgres", "cannot be reached"),
            (f"{url}&options=-c%20statement_timeout%3D1", "stopped the query after its time limit"),
        ):
            what = f"table: {name}.orders"
            if "timeout" in given:
                what = 'query: "select 1 as id, customer, day, amount from (select pg_sleep(1)) s, ' + f'{name}.orders"'
            with pytest.raises(DataError, match=said) as caught:
                _space(tmp_path, given, what).collect()
            assert "s3cret" not in str(caught.value)
            assert "right" not in str(caught.value).partition("says")[0]
        con.execute(f"DROP OWNED BY {name}")
        con.execute(f"DROP ROLE {name}")


def _refuse(server: socket.socket) -> None:
    """What PostgreSQL answers to a wrong password (its message formats: AuthenticationCleartextPassword, E 28P01)."""
    con, _ = server.accept()
    with con:
        asked = con.recv(4096)
        if asked[4:8] == b"\x04\xd2\x16\x2f":  # SSLRequest
            con.sendall(b"N")
            asked = con.recv(4096)
        assert b"user\0anna\0" in asked
        con.sendall(b"R" + struct.pack("!ii", 8, 3))
        assert con.recv(4096)[5:] == b"s3cret\0"
        fields = b'SFATAL\0C28P01\0Mpassword authentication failed for user "anna"\0\0'
        con.sendall(b"E" + struct.pack("!i", 4 + len(fields)) + fields)


def test_wrong_password_is_said_without_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_refuse, args=(server,))
        thread.start()
        url = f"postgresql://anna:s3cret@127.0.0.1:{server.getsockname()[1]}/shop?gssencmode=disable"
        with pytest.raises(DataError, match=r"does not let the user in.*for user \"anna\"") as caught:
            _space(tmp_path, url, "table: orders").collect()
        thread.join()
    assert "s3cret" not in str(caught.value)
    assert "%40" in str(caught.value), "what a special character in a password needs"


def test_unknown_table_is_answered_with_the_nearest(tmp_path: Path, database: Shop) -> None:
    with pytest.raises(DataError, match=r"has no table '\S*order' that may be read\. Did you mean '\S*orders'\?"):
        _space(tmp_path, database.url, f"table: {database.table[:-1]}").collect()


@pytest.mark.parametrize(
    "query",
    [
        "delete from orders",
        "select 1; drop table orders",
        "with x as (delete from orders returning *) select * from x",
        "select * into copied from orders",
        "select * from orders for update",
        "pragma journal_mode",
        "selec * from",
    ],
)
def test_query_that_is_not_one_select_is_refused(tmp_path: Path, query: str) -> None:
    for url in ("sqlite:///shop.db", "postgresql://postgres@127.0.0.1:1/x"):
        with pytest.raises(ConfigError, match=r"sources\.orders\.query"):
            _space(tmp_path, url, f'query: "{query}"').collect()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///nowhere.db", "there is no database"),
        ("mysql://u:s3cret@localhost/shop", r"driver that is not installed.*ibis-framework\[mysql\]"),
        ("oracl://u:s3cret@localhost/shop", "'oracl' is no database that can be read"),
        ("shop.db", "is no URL"),
    ],
)
def test_url_that_leads_nowhere(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(SegmentryError, match=said) as caught:
        _space(tmp_path, url, "table: orders").collect()
    assert "s3cret" not in str(caught.value)
    assert not (tmp_path / "nowhere.db").exists()


def test_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "shop.db").write_text("not a database at all, but long enough to be looked at as one" * 20)
    with pytest.raises(DataError, match="cannot be read"):
        _space(tmp_path, "sqlite:///shop.db", "table: orders").collect()


def test_source_that_leaves_the_config_leaves_nothing_landed(tmp_path: Path) -> None:
    landed = tmp_path / "warehouse" / "landed" / "gone"
    landed.mkdir(parents=True)
    (landed / "000001.parquet").write_bytes(b"x")
    con = sqlite3.connect(tmp_path / "shop.db")
    con.execute("CREATE TABLE orders AS SELECT 1 AS id, 'C' AS customer, '2026-01-01' AS day, 5 AS amount")
    con.commit()
    _space(tmp_path, "sqlite:///shop.db", "table: orders").collect()
    assert not landed.exists()


# init -----------------------------------------------------------------------------------------------------------------


def test_init_proposes_sources_for_the_tables_of_a_database(
    tmp_path: Path, database: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.add(1, 200)
    url = database.url
    if not url.startswith("sqlite"):
        schema = database.table.partition(".")[0]
        url = f"{url}&options=-csearch_path%3D{schema}".replace("postgres:@", "postgres:s3cret@")
        monkeypatch.setenv("SEGMENTRY_DB_PASSWORD", "s3cret")
    space = create_workspace(tmp_path, [url])
    source = space.config.sources["orders"]
    assert (source.kind, source.table, source.cursor) == ("transactions", "orders", "updated_at")
    assert source.columns["customer"] == "customer"
    assert "s3cret" not in (tmp_path / "segmentry.yaml").read_text()
    space.collect()
    assert len(_lines(space)) == 200
    assert space.manifest().entries[0].quarantined == 0


def test_init_takes_the_password_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="NO_SUCH_PASSWORD is not set"):
        create_workspace(tmp_path, ["postgresql://anna:${NO_SUCH_PASSWORD}@127.0.0.1:1/shop"])
    monkeypatch.setenv("SUCH_PASSWORD", "s3cret")
    with pytest.raises(DataError, match="cannot be reached") as caught:
        create_workspace(tmp_path, ["postgresql://anna:${SUCH_PASSWORD}@127.0.0.1:1/shop"])
    assert "s3cret" not in str(caught.value)
