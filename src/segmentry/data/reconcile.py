"""From raw rows to customers in one table: where every row went and how much money it stood for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One line of a reconciliation.

    ``level`` 0 is a total, 1 a part of the total above it, 2 a part of that part. ``rows`` are rows of the source,
    ``customers`` distinct customers, ``amount`` money; each None where it does not apply. ``share`` is the amount as a
    share of the source's total amount.
    """

    label: str
    level: int
    rows: int | None = None
    customers: int | None = None
    amount: float | None = None
    share: float | None = None


@dataclass(frozen=True)
class Reconciliation:
    """Where the rows of one source went."""

    source: str
    kind: str
    files: int
    steps: tuple[Step, ...]
    caveats: tuple[str, ...] = ()
