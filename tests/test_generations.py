"""Law 2: readers never wait, nobody sees half a stage, a killed or failed stage leaves the former result."""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import signal
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from segmentry.engine.postgres_storage import PostgreSQL
from segmentry.errors import DataError
from tests.engines import on, on_every_engine
from tests.processes import FORKS
from tests.shops import ONE_SEGMENTATION, opened, orders, shop, tables


def _run(root: Path) -> None:
    space = opened(root)
    space.run()
    space.close()


def _run_with_little_disk(root: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as a full disk: an error, no signal
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))  # less than the part of the new file has
    space = opened(root)
    try:
        space.run()
    except DataError as error:
        (root / "said.txt").write_text(str(error))
        os._exit(1)
    os._exit(0)


def _stored(root: Path) -> dict[str, object]:
    """Everything that is stored: files with their size and time, tables of a server with their number."""
    kept = [p for p in (root / "warehouse").rglob("*") if p.is_file() and "state.sqlite-" not in p.name]
    found: dict[str, object] = {str(p): (p.stat().st_size, p.stat().st_mtime_ns) for p in kept}
    space = opened(root)
    if isinstance(space.engine, PostgreSQL):
        with psycopg.connect(**space.engine.conninfo) as con:
            query = "SELECT relname, oid FROM pg_class WHERE relnamespace = to_regnamespace(%s)"
            found |= dict(con.execute(query, [space.engine.schema]).fetchall())
    space.close()
    return found


def _begin_again(root: Path) -> None:
    """Forget everything but the sources."""
    space = opened(root)
    if isinstance(space.engine, PostgreSQL):
        with psycopg.connect(**space.engine.conninfo) as con:
            con.execute(f"DROP SCHEMA IF EXISTS {space.engine.schema} CASCADE")
    space.close()
    shutil.rmtree(root / "warehouse")
    shutil.rmtree(root / "segmentations")


def _ran(root: Path, ran_shop: Path, engine: str = "duckdb") -> Path:
    """A workspace in a new folder that has been run on an engine."""
    if engine == "duckdb":
        return shutil.copytree(ran_shop, root)
    _run(shop(root, config=on(engine, ONE_SEGMENTATION)))
    return root


@on_every_engine
def test_run_twice_writes_nothing_new(tmp_path: Path, ran_shop: Path, engine: str) -> None:
    root = _ran(tmp_path / "w", ran_shop, engine)
    before, rows = _stored(root), tables(root)
    _run(root)
    assert _stored(root) == before
    assert tables(root) == rows


@pytest.mark.timeout(900)
@on_every_engine
def test_killed_at_random_moments_it_ends_with_the_tables_of_a_clean_run(tmp_path: Path, engine: str) -> None:
    clean = shop(tmp_path / "clean", config=ONE_SEGMENTATION)
    killed = shop(tmp_path / "killed", config=on(engine, ONE_SEGMENTATION))
    _in_child(tmp_path, print)  # starts the server of the children
    started = time.monotonic()
    _in_child(clean)
    whole = time.monotonic() - started
    moments = random.Random(20)
    deaths, wanted = 0, 10 if engine == "duckdb" else 4  # a run on the server takes three times as long
    while deaths < wanted:
        child = FORKS.Process(target=_run, args=(killed,))
        child.start()
        child.join(timeout=moments.uniform(0.05, 0.6) * whole)
        if child.is_alive():
            os.kill(child.pid or 0, signal.SIGKILL)
            deaths += 1
        else:  # it got through: from the start again, else there would be nothing left to interrupt
            _begin_again(killed)
        child.join()
    _in_child(killed)
    assert tables(killed) == tables(clean)
    orders(10, seed=5).to_csv(killed / "orders-5.csv", index=False)
    _in_child(killed)  # a writer sweeps what the dead have left
    assert not list((killed / "warehouse").rglob("*.writing"))
    kept = {str(r.id) for r in opened(killed).state.kept()}
    assert {str(n).rpartition("__")[2] for n in _stored(killed) if re.search(r"__\d+$", str(n))} <= kept


def _in_child(root: Path, work: Callable[[Path], None] = _run) -> None:
    child = FORKS.Process(target=work, args=(root,))
    child.start()
    child.join()
    assert child.exitcode == 0


@on_every_engine
def test_reader_keeps_its_moment_while_runs_go_on(tmp_path: Path, ran_shop: Path, engine: str) -> None:
    root = _ran(tmp_path / "w", ran_shop, engine)
    space = opened(root)
    with space.reading() as reading:
        before = reading.table("traits", "traits").order_by("customer_key").to_pandas()
        for seed in (2, 3):  # two new generations: the reader's own file is swept away meanwhile
            orders(20, seed=seed).to_csv(root / f"orders-{seed}.csv", index=False)
            _run(root)
        again = reading.table("traits", "traits").order_by("customer_key").to_pandas()
        pd.testing.assert_frame_equal(before, again)
    with space.reading() as reading:
        after = reading.table("traits", "traits").order_by("customer_key").to_pandas()
    assert after["monetary"].sum() > before["monetary"].sum()
    space.close()


@on_every_engine
def test_two_processes_at_once_do_the_work_once(tmp_path: Path, engine: str) -> None:
    root = shop(tmp_path / "w", config=on(engine, ONE_SEGMENTATION))
    children = [FORKS.Process(target=_run, args=(root,)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [c.exitcode for c in children] == [0, 0]
    space = opened(root)
    assert len(space.state.done("traits")) == 1
    assert len(space.state.done("assign:lifecycle")) == 1
    space.close()


def test_only_the_last_two_generations_are_kept(tmp_path: Path, ran_shop: Path) -> None:
    root = _ran(tmp_path / "w", ran_shop)
    for month in (4, 5):
        space = opened(root)
        space.run(as_of=date(2026, month, 28))
        space.close()
    kept = {p.name for p in (root / "warehouse").glob("g*.duckdb")}
    space = opened(root)
    expected = {space.engine.file_of(r.id).name for r in space.state.kept() if r.stage.split(":")[0] != "fit"}
    assert kept <= expected
    assert len([r for r in space.state.kept() if r.stage == "traits"]) == 2
    space.close()


def test_full_disk_leaves_the_former_result(tmp_path: Path, ran_shop: Path) -> None:
    root = _ran(tmp_path / "w", ran_shop)
    before = tables(root)
    orders(3_000, seed=9).to_csv(root / "orders-9.csv", index=False)
    child = FORKS.Process(target=_run_with_little_disk, args=(root,))
    child.start()
    child.join()
    assert child.exitcode == 1
    assert "no room" in (root / "said.txt").read_text()
    assert tables(root) == before
    _run(root)
    assert len(tables(root)["traits"]) == 3_000


@on_every_engine
def test_interrupt_leaves_the_former_result(tmp_path: Path, ran_shop: Path, engine: str) -> None:
    root = _ran(tmp_path / "w", ran_shop, engine)
    before = tables(root)
    orders(1_000, seed=9).to_csv(root / "orders-9.csv", index=False)
    space = opened(root)

    def interrupt(event: object) -> None:
        if getattr(event, "stage", "") == "traits":
            raise KeyboardInterrupt

    space._listener = interrupt
    with pytest.raises(KeyboardInterrupt):
        space.run()
    space.close()
    after = tables(root)
    assert after["traits"] == before["traits"]
    assert after["memberships lifecycle"] == before["memberships lifecycle"]


def test_failed_stage_is_noted_and_leaves_no_file(tmp_path: Path, ran_shop: Path) -> None:
    root = _ran(tmp_path / "w", ran_shop)
    (root / "orders-2.csv").write_text("customer,order,date\nC1,O1,2026-01-01\n")  # no amount
    space = opened(root)
    with pytest.raises(DataError, match="amount"):
        space.run()
    assert space.state.last_failure("collect") is not None
    assert not list((root / "warehouse").rglob("*.writing"))
    space.close()


@pytest.mark.timeout(600)
def test_past_month_ends_fill_the_history(tmp_path: Path, ran_shop: Path) -> None:
    root = _ran(tmp_path / "w", ran_shop)
    space = opened(root)
    space.run(date(2026, 6, 30))
    artefacts = {p: p.read_bytes() for p in (root / "segmentations").rglob("*.json")}
    assert space.replay(8, date(2026, 6, 30)) == {}
    assert {p: p.read_bytes() for p in (root / "segmentations").rglob("*.json")} == artefacts  # nothing was refitted
    history = pd.DataFrame(tables(root)["membership_history lifecycle"])
    current = pd.DataFrame(tables(root)["memberships lifecycle"])
    for _, stays in history.sort_values("since").groupby("customer_key"):  # one stay after the other, the last open
        assert list(stays["until"][:-1]) == list(stays["since"][1:])
        assert stays["until"].isna().tolist() == [False] * (len(stays) - 1) + [True]
        assert (stays["segment"] != stays["segment"].shift()).all()
    for day in (date(2025, 10, 31), date(2026, 2, 28), date(2026, 6, 30)):
        space.run(as_of=day)
        there = pd.DataFrame(tables(root)["memberships lifecycle"]).set_index("customer_key")["segment"]
        then = history[(history["since"] <= day) & (history["until"].isna() | (history["until"] > day))]
        pd.testing.assert_series_equal(then.set_index("customer_key")["segment"].sort_index(), there.sort_index())
    space.close()
    # To look at the past again has changed nothing.
    pd.testing.assert_frame_equal(pd.DataFrame(tables(root)["membership_history lifecycle"]), history)
    pd.testing.assert_frame_equal(pd.DataFrame(tables(root)["memberships lifecycle"]), current)
