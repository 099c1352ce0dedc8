"""How a stage runs: it looks at its fingerprint, works inside a session, and commits by one row of the state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from segmentry import config
from segmentry.artefacts import digest
from segmentry.data import integrate
from segmentry.data.manifest import Manifest
from segmentry.engine import DuckDB, Engine, Progress, Session, Writer, open_engine
from segmentry.errors import DataError, FitError, SegmentryError
from segmentry.state import Run, State


@dataclass(frozen=True)
class Event:
    """What a stage tells while it works: ``done`` of ``total`` (any unit; 0: nobody knows) and a ``note`` in words, or
    its finished ``run``, or that it was ``up_to_date``."""

    stage: str
    done: int = 0
    total: int = 0
    note: str = ""
    run: Run | None = None
    up_to_date: bool = False


Listener = Callable[[Event], None]


class Stages:
    """A folder with a segmentry.yaml, its warehouse, its state and its artefacts; runs stages and remembers them."""

    def __init__(self, root: Path, env: Mapping[str, str], listener: Listener | None = None) -> None:
        self.root = root
        self._env = env
        self.config = config.load(root / config.FILE_NAME, env)
        self.engine = open_engine(
            self.config.engine,
            root / "warehouse",
            self.config.name,
            memory_limit=env.get("SEGMENTRY_MEMORY_LIMIT"),
            threads=config.threads(env),
        )
        self.state = State(root / "warehouse")
        self._listener = listener or (lambda _: None)

    def close(self) -> None:
        self.state.close()
        self.engine.close()

    def _stage(
        self,
        stage: str,
        as_of: date | None,
        inputs: list[Any],
        reads: Mapping[str, Run],
        work: Callable[[Session, Writer], dict[str, Any]],
        *,
        force: bool = False,
        on: Engine | None = None,
    ) -> Run:
        """Run one stage on an engine (the workspace's own unless said), unless its current run had the same input."""
        fingerprint = self._fingerprint(stage, as_of, inputs)
        with self.state.writer():
            current = self.state.current().get(stage)
            if current and current.fingerprint == fingerprint and not force:
                return self._up_to_date(current)
            with self._recorded(stage, as_of, fingerprint) as (run, done):
                generations = {alias: r.id for alias, r in reads.items()}
                with (
                    (on or self.engine).session(generations) as session,
                    session.new_generation(run, self._progress(stage)) as writer,
                ):
                    facts = work(session, writer)
                self.engine.publish(run, self._progress(stage))
                done(writer.rows, {**facts, "sql": writer.sql, "engine": self.engine.identity})
            return self._finished(run)

    def _fingerprint(self, stage: str, as_of: date | None, inputs: list[Any]) -> str:
        return digest([stage.partition(":")[0], as_of, inputs, self.engine.identity])

    @contextmanager
    def _recorded(
        self, stage: str, as_of: date | None, fingerprint: str
    ) -> Iterator[tuple[int, Callable[[Mapping[str, int], Mapping[str, Any]], Run]]]:
        """Note the start of a run, and its failure if it fails; the function given commits it."""
        self._listener(Event(stage))
        run = self.state.begin(stage, as_of, fingerprint)
        try:
            yield run, lambda rows, facts: self.state.commit(run, rows, facts)
        except BaseException as error:
            # The message of an error of ours names no personal data; that of a stranger may.
            said = str(error) if isinstance(error, SegmentryError) else type(error).__name__
            self.state.fail(run, said, refused=isinstance(error, FitError))
            raise

    def _same_engine(self, before: Run | None) -> None:
        """The history of memberships moves from DuckDB to a server, not back."""
        there = before.facts["engine"] if before else DuckDB.identity
        if there not in (DuckDB.identity, self.engine.identity):
            raise DataError(
                f"The history of memberships is in {there}, and the engine is {self.engine.identity} now.",
                fix=f"Set `engine` in {config.FILE_NAME} back, or begin anew in another folder.",
            )

    def _finished(self, number: int) -> Run:
        run = next(r for r in self.state.current().values() if r.id == number)
        self._sweep()
        self._listener(Event(run.stage, run=run))
        return run

    def _up_to_date(self, run: Run) -> Run:
        self._listener(Event(run.stage, run=run, up_to_date=True))
        return run

    def _sweep(self) -> None:
        kept = self.state.kept()
        parts = {p for r in kept if r.stage == "collect" for p in Manifest.from_json(r.facts).files()}
        parts |= {p for r in kept if r.stage == "resolve" for p in integrate.parts_of(r.facts)}
        self.engine.sweep({r.id for r in kept}, parts)

    def _progress(self, stage: str) -> Progress:
        return lambda done, total: self._listener(Event(stage, done, total))

    def _current(self, stage: str) -> Run:
        run = self.state.current().get(stage)
        if run is None:
            raise DataError(f"There are no results of `{stage.replace(':', ' ')}` yet.", fix="Run `segmentry run`.")
        return run

    def _if_due(self, stage: str, fingerprint: str, learn: Callable[[], object]) -> None:
        """Learn what was never learned or whose part of the config changed; what was refused, on new traits only."""
        run = self.state.current().get(stage)
        if run and run.fingerprint == fingerprint:
            self._up_to_date(run)
            return
        failed = self.state.last_failure(stage)
        if (
            failed
            and failed.refused
            and failed.fingerprint == fingerprint
            and failed.started_at > self._current("traits").started_at
        ):
            raise FitError(failed.error)
        learn()
