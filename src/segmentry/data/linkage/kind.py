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

    ``m`` is how often records of one entity agree so, where both have a value; ``u`` how often those of two entities
    do, where the data cannot tell. ``frequency`` names the column whose own frequency replaces u: agreement on a
    rare name is worth more than on a common one (Winkler 1989; Splink's term frequency adjustment).
    """

    words: str
    when: str
    m: float
    u: float
    frequency: str | None = None


@dataclass(frozen=True)
class Comparison:
    """One piece of evidence: the levels are tried in order; ``null`` says when there is nothing to compare."""

    field: str
    null: str
    levels: tuple[Level, ...]
    columns: tuple[str, ...]  # without any value in all of these there is no comparison


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
