"""What was learned about lifetime value: models, what they were learned on, how well they forecast; JSON in and out.

There are no customers in it, only parameters, counts and sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from segmentry.config.lifetime import CONTRACTS
from segmentry.stats.lifetime import BetaGeo, GammaGamma, GeometricNbd, ModifiedBetaGeo, Nbd, ParetoNbd, ShiftedBetaGeo
from segmentry.stats.lifetime.buying import BuyingModel

BUYING: dict[str, type[BuyingModel]] = {
    "bg_nbd": BetaGeo,
    "mbg_nbd": ModifiedBetaGeo,
    "pareto_nbd": ParetoNbd,
    "geo_nbd": GeometricNbd,
    "nbd": Nbd,
}
LEVEL = 0.95  # of the intervals


@dataclass(frozen=True)
class Candidate:
    """A model that was tried: its forecast of the holdout (total, total_error, mae, rmse), or why it was not fitted."""

    model: str
    forecast: Mapping[str, float] | None = None
    verdict: str = ""

    @property
    def title(self) -> str:
        return title_of(self.model)


@dataclass(frozen=True)
class Group:
    """The models of a group of customers, or of all who are in no other (``name`` is None).

    ``customers`` it was fitted on, ``returning`` of them bought again (contracts: have left). ``members`` are those it
    is for; ``value`` is what all of them are expected to bring within the first horizon, between ``low`` and ``high``.
    ``correlation`` is that of purchases and mean spend, which the spend model takes for 0.
    """

    name: str | None
    customers: int
    returning: int
    members: int
    buying: BuyingModel | ShiftedBetaGeo
    spending: GammaGamma | None = None
    correlation: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None

    def to_dict(self) -> dict[str, Any]:
        own = {k: v for k, v in self.__dict__.items() if k not in ("buying", "spending")}
        spending = None if self.spending is None else self.spending.to_dict()
        return {**own, "buying": self.buying.to_dict(), "spending": spending}

    @classmethod
    def from_dict(cls, model: str, given: Mapping[str, Any]) -> Group:
        kind: Any = ShiftedBetaGeo if model == CONTRACTS else BUYING[model]
        spending = None if given["spending"] is None else GammaGamma.from_dict(given["spending"])
        return cls(**{**given, "buying": kind.from_dict(given["buying"]), "spending": spending})


@dataclass(frozen=True)
class LifetimeModels:
    """Everything that was learned as of a date.

    ``period`` is what time is counted in, ``days`` its length. ``margin`` is the share of the spend that is left after
    the cost of the goods; None where costs are not known, and values are revenue. ``because`` says why ``model`` was
    chosen; ``validation`` is its holdout (see ``stats.lifetime.Validation``; of contracts: ``left``, ``expected``,
    ``naive`` and the ``retention`` by period), ``tracking`` the repeat purchases expected and actual by period, of
    which the last ``holdout`` belong to the holdout. ``notes`` are what a reader should know.
    """

    model: str
    as_of: date
    period: str
    days: float
    horizons: tuple[int, ...]
    discount: float
    groups: tuple[Group, ...]
    margin: float | None = None
    by: str | None = None
    candidates: tuple[Candidate, ...] = ()
    because: str = ""
    validation: Mapping[str, Any] | None = None
    tracking: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        """The model's name in the papers."""
        return title_of(self.model)

    @property
    def per_period(self) -> float:
        """Interest for one period."""
        return float((1 + self.discount) ** (self.days / 365) - 1)

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        own = dict(self.__dict__)
        return {
            **own,
            "as_of": self.as_of.isoformat(),
            "horizons": list(self.horizons),
            "groups": [g.to_dict() for g in self.groups],
            "candidates": [asdict(c) for c in self.candidates],
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> LifetimeModels:
        """What ``to_dict`` wrote."""
        return cls(
            **{
                **given,
                "as_of": date.fromisoformat(given["as_of"]),
                "horizons": tuple(given["horizons"]),
                "groups": tuple(Group.from_dict(given["model"], g) for g in given["groups"]),
                "candidates": tuple(Candidate(**c) for c in given["candidates"]),
                "notes": tuple(given["notes"]),
            }
        )


def title_of(model: str) -> str:
    """A model's name in the papers."""
    return ShiftedBetaGeo.kind if model == CONTRACTS else BUYING[model].kind
