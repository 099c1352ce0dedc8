"""Why one customer is where it is, and which ids are one customer: what a reader is told of a single one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Link:
    """Two ids of one customer, how likely, and the evidence: field, how far it agrees, log2 of its Bayes factor."""

    left: str
    right: str
    probability: float
    how: str
    evidence: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True)
class GoldenField:
    """One field of a customer: its value, the id and source whose record gave it, and the rule that chose it."""

    name: str
    value: Any
    id: str
    source: str
    rule: str


@dataclass(frozen=True)
class IdentityExplanation:
    """Which ids are one customer (or account: ``unit``), and why; ``about`` says where it belongs."""

    customer_id: str
    ids: tuple[str, ...]
    links: tuple[Link, ...]
    fields: tuple[GoldenField, ...]
    changes: tuple[tuple[date, str, str], ...]  # day, merged or split, reason
    unit: str = "customer"
    about: tuple[tuple[str, str], ...] = ()  # such as (account, its id and how it was found)


@dataclass(frozen=True)
class Explanation:
    """Why one customer is where it is, in one segmentation."""

    customer_id: str
    segmentation: str
    segment: str
    meaning: str
    action: str
    fit: float | None
    runner_up: str | None
    margin: float | None
    score: str | None
    since: date | None
    reasons: tuple[tuple[str, float | None], ...]  # text, weight
    moves: tuple[tuple[str, str], ...]  # segment, what would have to change
    stays: tuple[tuple[str, date, date | None], ...]  # segment, since, until
