"""The state of a workspace: what ran, when, with how many rows, and which generation is current.

One SQLite file (or any SQLAlchemy URL). A stage that works inserts a run, writes its tables elsewhere, and then
:meth:`State.commit` flips one row of ``current``: the only commit there is (law 2).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock, Timeout

from segmentry.errors import BusyError

_META = sa.MetaData()
_RUNS = sa.Table(
    "runs",
    _META,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("as_of", sa.Date),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),  # running, done, failed, refused
    sa.Column("started_at", sa.DateTime, nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("rows", sa.Text),  # JSON: table -> rows written
    sa.Column("facts", sa.Text),  # JSON: what the stage found out
    sa.Column("error", sa.Text),
    sqlite_autoincrement=True,  # a number is never used twice, so a leftover file can never be taken for a new one
)
_CURRENT = sa.Table(
    "current",
    _META,
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("run", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
)
_LOOKS = sa.Table(
    "looks",
    _META,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("what", sa.String, nullable=False),
)
_STATEMENTS = sa.Table(
    "statements",
    _META,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("segmentation", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("signed", sa.Boolean, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)


@dataclass(frozen=True)
class Statement:
    """A comment on a version of a segmentation, or its sign-off: when (UTC), who (user of the system), what."""

    at: datetime
    who: str
    version: int
    signed: bool
    text: str


@dataclass(frozen=True)
class Look:
    """Somebody looked at personal data: when (UTC), who (user of the system), at what."""

    at: datetime
    who: str
    what: str


@dataclass(frozen=True)
class Run:
    """One finished run of a stage: the description of a generation."""

    id: int
    stage: str
    as_of: date | None
    fingerprint: str
    started_at: datetime
    seconds: float
    rows: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """One run of a stage that did not finish."""

    id: int
    fingerprint: str
    started_at: datetime
    error: str
    refused: bool  # the data cannot support it, so that the same input fails again; anything else may pass by itself


class State:
    """The state database and the writer's lock of one workspace."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / "writer.lock")
        self._db = sa.create_engine(f"sqlite:///{folder / 'state.sqlite'}", connect_args={"timeout": 30})
        with FileLock(folder / "state.lock"):  # SQLite waits for nobody when it changes its journal mode
            with self._db.begin() as con:
                con.execute(sa.text("PRAGMA journal_mode = WAL"))
            _META.create_all(self._db, checkfirst=True)

    def close(self) -> None:
        self._db.dispose()

    @contextmanager
    def writer(self, wait_seconds: float = 600) -> Iterator[None]:
        """Hold the right to write; one process at a time, released by the system when the process dies.

        Raises :class:`BusyError` when another process has not finished after ``wait_seconds``.
        """
        try:
            self._lock.acquire(timeout=wait_seconds)
        except Timeout as error:
            raise BusyError(
                "Another process is writing to this workspace.",
                why=f"It has not finished after {wait_seconds:.0f} seconds.",
                fix="Wait for it, or stop it and run again: nothing is lost.",
            ) from error
        try:
            yield
        finally:
            self._lock.release()

    def begin(self, stage: str, as_of: date | None, fingerprint: str) -> int:
        """Note that a stage starts; the number given is that of its generation."""
        with self._db.begin() as con:
            result = con.execute(
                _RUNS.insert().values(
                    stage=stage, as_of=as_of, fingerprint=fingerprint, status="running", started_at=_now()
                )
            )
            return int((result.inserted_primary_key or (0,))[0])

    def commit(self, run: int, rows: Mapping[str, int], facts: Mapping[str, Any]) -> Run:
        """Make a finished run the current one of its stage: one transaction."""
        with self._db.begin() as con:
            row = con.execute(sa.select(_RUNS).where(_RUNS.c.id == run)).one()
            con.execute(
                _RUNS.update()
                .where(_RUNS.c.id == run)
                .values(
                    status="done",
                    seconds=(_now() - row.started_at).total_seconds(),
                    rows=json.dumps(rows),
                    facts=json.dumps(facts),
                )
            )
            con.execute(_CURRENT.delete().where(_CURRENT.c.stage == row.stage))
            con.execute(_CURRENT.insert().values(stage=row.stage, run=run))
            return _run(con.execute(sa.select(_RUNS).where(_RUNS.c.id == run)).one())

    def fail(self, run: int, error: str, *, refused: bool = False) -> None:
        """Note that a run did not finish, or that the data refuse it; the current generation stays."""
        status = "refused" if refused else "failed"
        with self._db.begin() as con:
            con.execute(_RUNS.update().where(_RUNS.c.id == run).values(status=status, error=error))

    def drop(self, stage: str) -> None:
        """Forget the current generation of a stage, as when its segmentation left the config."""
        with self._db.begin() as con:
            con.execute(_CURRENT.delete().where(_CURRENT.c.stage == stage))

    def current(self) -> dict[str, Run]:
        """The current run of every stage, read at one moment."""
        query = sa.select(_RUNS).join(_CURRENT, _CURRENT.c.run == _RUNS.c.id)
        with self._db.connect() as con:
            return {row.stage: _run(row) for row in con.execute(query)}

    def done(self, stage: str) -> list[Run]:
        """All finished runs of a stage, oldest first."""
        query = sa.select(_RUNS).where(_RUNS.c.stage == stage, _RUNS.c.status == "done").order_by(_RUNS.c.id)
        with self._db.connect() as con:
            return [_run(row) for row in con.execute(query)]

    def last_failure(self, stage: str) -> Failure | None:
        """The last run of a stage that failed with an error, if any."""
        failed = _RUNS.c.status.in_(["failed", "refused"])
        query = sa.select(_RUNS).where(_RUNS.c.stage == stage, failed).order_by(_RUNS.c.id.desc())
        with self._db.connect() as con:
            row = con.execute(query).first()
        if row is None:
            return None
        return Failure(row.id, row.fingerprint, row.started_at, row.error or "", row.status == "refused")

    def note_look(self, who: str, what: str) -> None:
        """Note that somebody looks at personal data, before it is shown."""
        with self._db.begin() as con:
            con.execute(_LOOKS.insert().values(at=_now(), who=who, what=what))

    def looks(self) -> list[Look]:
        """Who looked at personal data, oldest first."""
        with self._db.connect() as con:
            return [Look(row.at, row.who, row.what) for row in con.execute(sa.select(_LOOKS).order_by(_LOOKS.c.id))]

    def note_statement(self, who: str, segmentation: str, version: int, text: str, *, signed: bool) -> None:
        """Note a comment on a version of a segmentation, or its sign-off."""
        row = {"at": _now(), "who": who, "segmentation": segmentation, "version": version}
        with self._db.begin() as con:
            con.execute(_STATEMENTS.insert().values(**row, signed=signed, text=text))

    def statements(self, segmentation: str) -> list[Statement]:
        """What was said of a segmentation, oldest first."""
        query = sa.select(_STATEMENTS).where(_STATEMENTS.c.segmentation == segmentation).order_by(_STATEMENTS.c.id)
        with self._db.connect() as con:
            return [Statement(row.at, row.who, row.version, row.signed, row.text) for row in con.execute(query)]

    def kept(self) -> list[Run]:
        """The runs whose files stay: the current one of every stage and the one before it."""
        kept = []
        for stage, run in self.current().items():
            earlier = [r for r in self.done(stage) if r.id < run.id]
            kept += [run, *earlier[-1:]]
        return kept


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        stage=row.stage,
        as_of=row.as_of,
        fingerprint=row.fingerprint,
        started_at=row.started_at,
        seconds=row.seconds or 0.0,
        rows=json.loads(row.rows or "{}"),
        facts=json.loads(row.facts or "{}"),
    )
