"""What people see of a workspace, as values: :class:`Overview` is all that a report shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from segmentry.catalogue import Trait
from segmentry.data import market, quality
from segmentry.data.plan import Plan
from segmentry.data.quality import Finding, SourceScore, TraitHealth
from segmentry.data.reconcile import Reconciliation
from segmentry.segment.linter import RuleCheck
from segmentry.segment.objectives import Aim
from segmentry.target import criteria
from segmentry.target.future_value import FutureValue
from segmentry.target.needs_report import NeedsReport
from segmentry.target.profiles import SegmentationSummary

if TYPE_CHECKING:
    from segmentry.traits.lifetime.learned import LifetimeModels


@dataclass(frozen=True)
class TraitCover:
    """A trait of the workspace, and for how many customers (``of``: or accounts) it is known (share, 0 to 1)."""

    trait: Trait
    fill_rate: float
    absent: str = ""  # why a declared trait is not there
    evidence: Mapping[str, Any] = field(default_factory=dict)  # how far it can be trusted, of scales and factors
    of: str = "customer"


@dataclass(frozen=True)
class Concern:
    """A finding of data quality and what it means: the traits and the segmentations that read what it is about."""

    finding: Finding
    share: float
    fix: str
    traits: tuple[str, ...]
    segmentations: tuple[str, ...]


@dataclass(frozen=True)
class QualityReport:
    """What the last check found: concerns, worst first, and scores (0 to 1) now and in the check before."""

    as_of: date
    concerns: tuple[Concern, ...]
    scores: tuple[SourceScore, ...]
    models: Mapping[str, float]  # by segmentation model
    before: Mapping[str, float]  # by source and by model, where there was a check before
    history: tuple[tuple[date, float], ...]  # as-of date and mean score of the sources, oldest first
    rules: Mapping[str, tuple[TraitHealth, ...]]  # by segmentation, what each of its rules rests on

    @property
    def blocked(self) -> bool:
        """Whether something stops a run."""
        return bool(quality.blocking([c.finding for c in self.concerns]))


@dataclass(frozen=True)
class LifetimeReport:
    """Lifetime value: the models and how well they forecast, or why there are none (``refused``), and what follows.

    ``future`` is None where there are no values, only orders to come.
    """

    currency: str
    as_of: date
    models: LifetimeModels | None
    refused: str = ""
    future: FutureValue | None = None


@dataclass(frozen=True)
class DrawnSample:
    """The anonymous sample: its rows, and what is known of it (:meth:`segmentry.samples.Samples.write`)."""

    rows: int
    facts: Mapping[str, Any]


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
    revenue: float | None  # of known customers, returns taken off, without charges
    anonymous_share: float | None  # share of all money that no customer stands behind
    value_trait: str | None
    pareto: tuple[tuple[float, float], ...]  # (share of customers, share of value), best customers first
    reconciliations: tuple[Reconciliation, ...]
    caveats: tuple[str, ...]
    traits: tuple[TraitCover, ...]
    segmentations: tuple[SegmentationSummary, ...]
    primary: str | None
    not_fitted: tuple[tuple[str, str], ...] = ()  # (segmentation, why)
    quality: QualityReport | None = None
    plan: Plan | None = None
    notes: tuple[market.Note, ...] = ()
    lifetime: LifetimeReport | None = None
    needs: NeedsReport | None = None
    aims: tuple[Aim, ...] = ()  # of the objectives
    criteria: Mapping[str, tuple[criteria.Checked, ...]] = field(default_factory=dict)  # by segmentation
    rules: Mapping[str, RuleCheck] = field(default_factory=dict)  # by segmentation, where people wrote rules
    sample: DrawnSample | None = None
    studied: str = ""  # the file of the anonymous sample that is all there is, where there are no customers
