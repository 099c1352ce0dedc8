"""Law 9: the same workspace leaves the same tables on every engine. What goes wrong with a server is said clearly."""

from __future__ import annotations

import math
import os
import shutil
import time
import uuid
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import ibis
import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmentry import config as configs
from segmentry.engine import postgres_storage
from segmentry.errors import ConfigError, DataError, UsageError
from segmentry.workspace import Workspace
from tests.engines import on, on_postgres
from tests.shops import CONFIG, ONE_SEGMENTATION, opened, orders, shop, tables

RICH = """\
name: Rich shop
currency: EUR
sources:
  people:
    kind: customers
    path: people.csv
    columns: {customer: id, birth_year: born, country: land, joined_at: since}
    attributes:
      order: {from: segment, model: psychographic}
      opted_in: {from: mail, kind: boolean}
      score: {from: score, kind: number}
  orders:
    kind: transactions
    path: orders*.csv
    columns:
      {customer: who, order: no, time: at, amount: price * pieces - rebate, quantity: pieces, product: code,
       category: category, channel: channel, discount: rebate}
    attributes:
      weight: {from: weight, kind: number}
      gift: {from: gift, kind: boolean}
    returns: pieces < 0
    timezone: Europe/London
  products:
    kind: products
    path: products.csv
    columns: {product: code, category: range, unit_cost: cost}
segmentations:
  life:
    method: rules
    population: "country = 'DE' or frequency >= 1"
    segments:
      - {name: "Größte \\"Käufer\\"", where: "monetary > 300 and not coalesce(opted_in, false)"}
      - {name: "It's new", where: "lifecycle_stage in ('new', 'active') or order like '%ä%'"}
    rest: Quiet
  rfm: {method: rfm}
  tiers: {method: value_tiers}
  groups: {method: kmeans, traits: [frequency, monetary, recency_days, top_category, opted_in], segments: 3}
"""


def rich_shop(root: Path, engine: str = "duckdb", customers: int = 400, busiest: int = 12) -> Path:
    """A shop with everything that traits are made from, and texts of every kind; ``busiest`` as ``orders`` takes it."""
    rng = np.random.default_rng(7)
    texts = ["plain", "ä", 'a "quote"', "it's, so", "back\\slash", "new\nline", "日本", "%_", " ", "NULL", "Z", "a"]
    ids = [f"K{i:04d}" for i in range(customers)]
    people = pd.DataFrame(
        {
            "id": ids,
            "born": rng.integers(1940, 2008, customers),
            "land": rng.choice(["DE", "germany", "UK", "France", None], customers),
            "since": rng.choice(["2024-01-05", "2025-03-30 01:30:00", None], customers),
            "segment": rng.choice(np.array([*texts, None], dtype=object), customers),
            "mail": rng.choice(["yes", "no", None], customers),
            "score": rng.normal(50, 20, customers).round(3),
        }
    )
    frame = orders(customers, seed=3, busiest=busiest)
    n = len(frame)
    pieces = rng.choice([1, 2, 3, -1], n, p=[0.6, 0.2, 0.1, 0.1])
    lines = pd.DataFrame(
        {
            "who": frame["customer"].str.replace("C0", "K").where(rng.random(n) > 0.05),
            "no": frame["order"].where(rng.random(n) > 0.1),
            "at": frame["date"] + rng.choice([" 00:30:00", " 01:30:00", " 23:59:59.999"], n),
            "price": rng.lognormal(3, 1, n).round(2),
            "pieces": pieces,
            "rebate": rng.choice([0, 0.1, 1.05], n),
            "code": rng.choice([f"P{i}" for i in range(30)], n),
            "category": rng.choice(np.array(["Bücher", "bücher", "Audio", "Zubehör", None], dtype=object), n),
            "channel": rng.choice(["web", "store", "app"], n),
            "weight": rng.random(n).round(4),
            "gift": rng.choice(["true", "false"], n),
        }
    )
    products = pd.DataFrame(
        {"code": [f"P{i}" for i in range(30)], "range": "Sonstiges", "cost": rng.random(30).round(2)}
    )
    root.mkdir(parents=True, exist_ok=True)
    people.to_csv(root / "people.csv", index=False)
    lines.to_csv(root / "orders.csv", index=False)
    products.to_csv(root / "products.csv", index=False)
    (root / "segmentry.yaml").write_text(on(engine, RICH), encoding="utf-8")
    return root


def _run(root: Path, as_of: date | None = None) -> None:
    space = opened(root)
    try:
        assert space.run(as_of) == {}
    finally:
        space.close()


def _close(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return bool(left == right)


def assert_same_tables(left: Path, right: Path) -> None:
    """Every table equal to the last row: texts, keys and dates exactly, numbers within 1e-9."""
    one, other = tables(left), tables(right)
    assert one.keys() == other.keys()
    for name, rows in one.items():
        assert len(rows) == len(other[name]), name
        for mine, theirs in zip(rows, other[name], strict=True):
            assert mine.keys() == theirs.keys(), name
            different = {k: (v, theirs[k]) for k, v in mine.items() if not _close(v, theirs[k])}
            assert not different, (name, different)


@on_postgres
def test_the_same_tables_as_duckdb_to_the_last_row_and_the_same_words(tmp_path: Path, engine: str) -> None:
    here, there = rich_shop(tmp_path / "duckdb"), rich_shop(tmp_path / "server", engine)
    for day in (date(2025, 12, 31), date(2025, 3, 31), None):  # a look back, and forward
        _run(here, day)
        _run(there, day)
        assert_same_tables(here, there)
    artefacts = [sorted((root / "segmentations").rglob("*.json")) for root in (here, there)]
    assert [p.name for p in artefacts[0]] == [p.name for p in artefacts[1]]
    for mine, theirs in zip(*artefacts, strict=True):
        assert mine.read_bytes() == theirs.read_bytes()
    assert _what_people_read(here) == _what_people_read(there)


def _what_people_read(root: Path) -> tuple[Any, ...]:
    space = opened(root)
    try:
        why = [space.explain(f"K000{i}", name) for i in range(3) for name in ("life", "rfm", "groups")]
        with space.reading() as reading:
            return why, space.overview(), reading.members("Quiet")[2].to_pyarrow().to_pylist()
    finally:
        space.close()


@on_postgres
def test_more_parts_later_and_the_history_goes_on(tmp_path: Path, engine: str) -> None:
    """A workspace that began in files moves to the server with its history."""
    other = shop(tmp_path / "stays", config=ONE_SEGMENTATION)
    _run(other, date(2026, 3, 31))
    root = shutil.copytree(other, tmp_path / "moves")
    (root / "segmentry.yaml").write_text(on(engine, ONE_SEGMENTATION))
    with pytest.raises(DataError, match="Run `segmentry run`"):
        opened(root).overview()
    for folder in (root, other):
        orders(50, seed=4).to_csv(folder / "orders-2.csv", index=False)
        _run(folder, date(2026, 6, 30))
    here, there = tables(root), tables(other)
    for found in (here, there):  # when the new file was read differs
        found["transactions"] = [{k: v for k, v in r.items() if k != "known_from"} for r in found["transactions"]]
    assert here == there
    assert {r["since"] for r in here["membership_history lifecycle"]} == {date(2026, 3, 31), date(2026, 6, 30)}
    (root / "segmentry.yaml").write_text(ONE_SEGMENTATION)
    with pytest.raises(DataError, match="history of memberships is in postgresql"):
        _run(root, date(2026, 6, 30))


TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=12)


@on_postgres
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.none() | TEXTS, st.none() | st.floats(), st.none() | st.booleans(), st.dates()), min_size=1
    )
)
def test_copy_changes_no_value(tmp_path: Path, engine: str, rows: list[tuple[Any, ...]]) -> None:
    (tmp_path / "segmentry.yaml").write_text(on(engine, CONFIG))
    space = opened(tmp_path)
    number = uuid.uuid4().int % 10**6 + 10
    schema = {"text": "string", "number": "float64", "flag": "boolean", "day": "date", "place": "int64"}
    columns = zip(*((*row, i) for i, row in enumerate(rows)), strict=True)
    # As Arrow: on the way through pandas a number that is not a number would become null.
    table = ibis.memtable(
        pa.table(dict(zip(schema, map(list, columns), strict=True)), ibis.schema(schema).to_pyarrow())
    )
    with space.engine.files.session() as session, session.new_generation(number) as writer:
        writer.write("values", table)
    space.engine.publish(number)
    with space.engine.reader({"it": number}) as session:
        found = session.table("it", "values").order_by("place").to_pyarrow().to_pylist()
        ordered = session.table("it", "values").order_by(["text", "place"])["text"].to_pyarrow().to_pylist()
    space.close()
    assert repr([tuple(r.values()) for r in found]) == repr([(*row, i) for i, row in enumerate(rows)])
    texts = [t for t in ordered if t is not None]
    assert texts == sorted(texts, key=lambda t: t.encode())  # by bytes, as DuckDB compares them


# What goes wrong with a server ----------------------------------------------------------------------------------------


def _admin(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url.partition("&schema=")[0], autocommit=True)


@pytest.fixture
def stranger(postgres_url: str) -> str:
    """A user that may connect and nothing else: the URL of the server for it, its password asked for."""
    name = f"stranger_{uuid.uuid4().hex[:8]}"
    folder = Path(parse_qs(urlsplit(postgres_url).query)["host"][0])
    with _admin(postgres_url) as con:
        con.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'right-one'")
        (rules,) = con.execute("SHOW hba_file").fetchone() or ("",)
        path = Path(rules)
        path.write_text(f"local all {name} scram-sha-256\n" + path.read_text())
        con.execute("SELECT pg_reload_conf()")
    time.sleep(0.3)
    return f"postgresql://{name}:${{PASSWORD}}@/postgres?host={folder}&schema=s_{name}"


def _with_password(root: Path, password: str) -> Any:
    return Workspace(root, {**os.environ, "PASSWORD": password})


@pytest.mark.postgres
def test_wrong_password_is_said_without_the_password(tmp_path: Path, stranger: str) -> None:
    space = _with_password(shop(tmp_path / "w", config=on(stranger, CONFIG)), "wrong-s3cret")
    with pytest.raises(DataError, match=r"cannot be reached.*password authentication failed") as caught:
        space.run()
    space.close()
    assert "wrong-s3cret" not in str(caught.value)
    assert "wrong-s3cret" not in repr(space.config)
    for path in (tmp_path / "w").rglob("*"):
        assert not path.is_file() or b"wrong-s3cret" not in path.read_bytes(), path


@pytest.mark.postgres
def test_no_right_to_create_says_what_to_ask_for(tmp_path: Path, postgres_url: str, stranger: str) -> None:
    space = _with_password(shop(tmp_path / "w", config=on(stranger, ONE_SEGMENTATION)), "right-one")
    with pytest.raises(DataError, match=r"CREATE SCHEMA .* AUTHORIZATION"):
        space.run()
    name = urlsplit(stranger).username
    with _admin(postgres_url) as con:
        con.execute(f"CREATE SCHEMA s_{name}")
        con.execute(f"GRANT USAGE ON SCHEMA s_{name} TO {name}")
    with pytest.raises(DataError, match="GRANT USAGE, CREATE"):
        space.run()
    with _admin(postgres_url) as con:
        con.execute(f"GRANT USAGE, CREATE ON SCHEMA s_{name} TO {name}")
    assert space.run() == {}
    space.close()


@on_postgres
def test_server_that_goes_away_in_mid_run_leaves_the_former_result(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = shop(tmp_path / "w", config=on(engine, ONE_SEGMENTATION))
    _run(root)
    before = tables(root)
    orders(100, seed=9).to_csv(root / "orders-9.csv", index=False)
    create = postgres_storage._create

    def cut_off(con: Any, what: str, rows: Any, sql: str) -> int:
        with _admin(engine) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", [con.con.info.backend_pid])
        return create(con, what, rows, sql)

    monkeypatch.setattr(postgres_storage, "_create", cut_off)
    space = opened(root)
    with pytest.raises(DataError, match=r"went away during the work.*former result is untouched"):
        space.run()
    monkeypatch.undo()
    space.close()
    after = tables(root)
    assert {k: v for k, v in after.items() if k not in ("transactions", "identities", "golden_customers")} == {
        k: v for k, v in before.items() if k not in ("transactions", "identities", "golden_customers")
    }
    _run(root)
    assert len(tables(root)["transactions"]) > len(before["transactions"])


@on_postgres
def test_a_fit_that_the_server_cut_off_is_tried_again(tmp_path: Path, engine: str) -> None:
    space = opened(shop(tmp_path / "w", config=on(engine, ONE_SEGMENTATION)))
    space.collect()
    space.resolve()
    space.traits()
    run = space.state.begin("fit:lifecycle", None, space._fit_due("lifecycle"))
    space.state.fail(run, "The database went away during the work.")
    assert space.run() == {}
    assert "assign:lifecycle" in space.state.current()
    space.close()


@on_postgres
def test_names_that_are_reserved_or_too_long(tmp_path: Path, engine: str) -> None:
    reserved = ONE_SEGMENTATION.replace(
        "amount: amount}", "amount: amount}\n    attributes: {select: {from: order, kind: category}}"
    )
    root = shop(tmp_path / "w", config=on(engine.replace("schema=", "schema=select "), reserved))
    _run(root)
    assert "select" in tables(root)["traits"][0]
    long = "A" * 64
    with pytest.raises(ConfigError, match="cannot be the name of a schema"):
        opened(shop(tmp_path / "x", config=on(f"{engine}{long}", CONFIG)))


@on_postgres
def test_the_schema_of_another_workspace_is_left_alone(tmp_path: Path, engine: str) -> None:
    first, second = (shop(tmp_path / name, config=on(engine, ONE_SEGMENTATION)) for name in ("first", "second"))
    _run(first)
    before = tables(first)
    with pytest.raises(DataError, match=r"belongs to another workspace: .*first"):
        _run(second)
    assert tables(first) == before


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("postgresql://me:secret@host/db", "the password stands in the file"),
        ("postgresql://host/db?user=me&password=secret", "the password stands in the file"),
        ("mysql://host/db", "not an engine"),
        ("oracle", "not an engine"),
        ("postgresql://host/db?no_such_setting=1", "no URL of a PostgreSQL database"),
        ("postgresql://nowhere.invalid/db", "cannot be reached"),
    ],
)
def test_bad_engines(tmp_path: Path, engine: str, said: str) -> None:
    root = shop(tmp_path / "w", config=on(engine, CONFIG))
    with pytest.raises((ConfigError, DataError), match=said) as caught:
        opened(root).run()
    assert "secret" not in str(caught.value)


def test_a_secret_from_the_environment_is_not_shown() -> None:
    text = on("mysql://me:${PASSWORD}@host/db", CONFIG)
    with pytest.raises(ConfigError, match="not an engine") as caught:
        configs.parse(text, {"PASSWORD": "hush"})
    assert "hush" not in str(caught.value)


def test_the_folder_says_when_its_tables_were_removed(tmp_path: Path, ran_shop: Path) -> None:
    root = shutil.copytree(ran_shop, tmp_path / "w")
    for path in (root / "warehouse").glob("g*.duckdb"):
        path.unlink()
    with pytest.raises(DataError, match="Run `segmentry run`"):
        opened(root).overview()
    shutil.rmtree(root)


@pytest.mark.parametrize("given", ["many", "-1", "0", "1.5"])
def test_threads_that_are_no_number(tmp_path: Path, given: str) -> None:
    root = shop(tmp_path / "w")
    with pytest.raises(UsageError, match="SEGMENTRY_THREADS"):
        Workspace(root, {"SEGMENTRY_THREADS": given})
