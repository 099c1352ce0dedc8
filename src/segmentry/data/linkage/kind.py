"""What people and organisations differ in: their columns, exact keys, blocks and comparisons, as data.

Texts of SQL name the records of a pair ``l`` and ``r``; those of a comparison their columns ``x_l`` and ``x_r``, as
Splink does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import duckdb


@dataclass(frozen=True)
class Level:
    """How far two values agree.

    ``m`` is how often records of one entity agree so, where both have a value: set by hand while looking at FEBRL 4,
    fake_1000 and the demo company, so that what is measured on these is in-sample. ``u`` is how often those of two
    entities do, where the data cannot tell.
    ``frequency`` names the column whose own frequency replaces u: agreement on a
    rare name is worth more than on a common one (Winkler 1989; Splink's term frequency adjustment).
    """

    words: str
    when: str
    m: float
    u: float
    frequency: str | None = None


@dataclass(frozen=True)
class Comparison:
    """One piece of evidence, of columns that stand for each other: the levels are tried in order.

    There is nothing to compare where no column has a value on both sides, nor where ``unless`` holds.
    """

    field: str
    columns: tuple[str, ...]
    levels: tuple[Level, ...]
    unless: str = "false"

    @property
    def null(self) -> str:
        """When there is nothing to compare."""
        missing = " AND ".join(f"({c}_l IS NULL OR {c}_r IS NULL)" for c in self.columns)
        return f"({missing}) OR {self.unless}"


@dataclass(frozen=True)
class ExactKey:
    """Records with the same ``key`` are one entity where ``when`` holds: no probability needed."""

    words: str
    key: str
    when: str


@dataclass(frozen=True)
class SharedKey:
    """A value of ``column`` that more than ``most`` different ``among`` have is evidence of nothing."""

    column: str
    among: str
    most: int


@dataclass(frozen=True)
class Kind:
    """All that linking needs to know of a kind of entity."""

    name: str
    given: Mapping[str, str]  # column of the records -> SQL type
    normalise: Callable[[duckdb.DuckDBPyConnection], None]  # link_given -> link_normal
    columns: tuple[str, ...]  # of link_normal, without record_key
    telling: str  # when records that are equal in every column are one entity
    shared: tuple[SharedKey, ...]
    exact: tuple[ExactKey, ...]
    blocks: Mapping[str, str]  # words -> key
    comparisons: tuple[Comparison, ...]
    contradiction: str  # a pair that cannot be one entity, whatever else agrees
    needed: str  # evidence without which a pair is not believed, however probable
    conflicting: tuple[str, ...]  # the columns that the contradiction is about
    # The frequency of a value nobody has seen yet, per column; stands for a thousand records beside those there are.
    typical: Mapping[str, float] = field(default_factory=dict)
