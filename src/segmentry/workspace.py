"""The main path: a workspace and its stages, in order. No arithmetic here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from segmentry.catalogue import Trait
from segmentry.data.reconcile import Reconciliation
from segmentry.target.profiles import SegmentationSummary


@dataclass(frozen=True)
class TraitCover:
    """A trait of the workspace and for how many customers it is known (share, 0 to 1)."""

    trait: Trait
    fill_rate: float


@dataclass(frozen=True)
class Overview:
    """Everything a report shows, read at one moment."""

    name: str
    currency: str
    as_of: date
    first_record: date | None
    last_record: date | None
    customers: int
    customers_with_orders: int | None
    orders: int | None
    revenue: float | None
    anonymous_share: float | None  # share of all money that no customer stands behind
    value_trait: str | None
    pareto: tuple[tuple[float, float], ...]  # (share of customers, share of value), best customers first
    reconciliations: tuple[Reconciliation, ...]
    caveats: tuple[str, ...]
    traits: tuple[TraitCover, ...]
    segmentations: tuple[SegmentationSummary, ...]
    primary: str | None
    not_fitted: tuple[tuple[str, str], ...] = ()  # (segmentation, why)
