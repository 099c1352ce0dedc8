"""What every engine does for the workspace: keep generations of tables, and let sessions read and write them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir

if TYPE_CHECKING:
    from segmentry.engine.duckdb_storage import DuckDB

Progress = Callable[[int, int], None]  # work done, work in all (any unit)


class GenerationGoneError(Exception):
    """A generation that was asked for is not there any more: later ones have replaced it."""


class Engine(ABC):
    """Storage of a workspace.

    ``identity`` names the place where tables are kept, without secrets. ``files`` is the DuckDB storage in the
    workspace's folder, where collect and integrate work; for DuckDB it is the engine itself.
    """

    identity: str

    @property
    @abstractmethod
    def files(self) -> DuckDB: ...

    @abstractmethod
    def session(self, generations: Mapping[str, int] | None = None) -> AbstractContextManager[Session]:
        """A connection for a stage: it sees the tables of the given generations, each under its alias, and may write.

        Raises :class:`GenerationGoneError` when one is not there.
        """

    @abstractmethod
    def reader(self, generations: Mapping[str, int]) -> AbstractContextManager[Session]:
        """A connection that only reads; its generations stay readable until it is closed, whatever runs meanwhile.

        Raises :class:`GenerationGoneError` when one is not there.
        """

    @abstractmethod
    def publish(self, generation: int, progress: Progress | None = None) -> None:
        """Bring a generation that was written to ``files`` to where this engine reads it."""

    @abstractmethod
    def sweep(self, keep_generations: set[int], keep_parts: set[str]) -> None:
        """Remove generations and parts that nothing points to: leftovers and outdated ones."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything that this process holds."""


class Session(ABC):
    """A connection to chosen generations; see :meth:`Engine.session`."""

    con: Any  # the Ibis backend

    @abstractmethod
    def table(self, alias: str, name: str) -> ir.Table:
        """A table of an attached generation."""

    @abstractmethod
    def has(self, alias: str, name: str) -> bool:
        """Whether an attached generation holds the table."""

    @abstractmethod
    def facts(self, parts: Sequence[str], progress: Progress | None = None) -> ir.Table:
        """The rows of collected parts as one table in the engine; columns missing from a part are null."""

    @abstractmethod
    def parts(self, parts: Sequence[str]) -> ir.Table:
        """The rows of collected parts as one table, read from their files."""

    @abstractmethod
    def keep(self, name: str, rows: ir.Table, progress: Progress | None = None) -> ir.Table:
        """Materialise an intermediate table for the rest of the session; an older one of the name goes."""

    @abstractmethod
    def new_generation(self, number: int, progress: Progress | None = None) -> AbstractContextManager[Writer]:
        """Write the tables of a new generation; they appear together, when all are written, or not at all."""


class Writer(ABC):
    """Writes the tables of one new generation."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.sql: dict[str, str] = {}

    @abstractmethod
    def write(self, name: str, rows: ir.Table) -> ir.Table:
        """Write a table, in the order of ``rows``, and give it back for reading within the session."""
