"""``lifetime`` of segmentry.yaml: what customer lifetime value is the value of, and how its models are learned."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from segmentry.config.part import Part, TextList

CONTRACTS = "sbg"  # the model of contracts
COHORT = "cohort"  # of `by`: the calendar year of the first order
_LONGEST_HORIZON = 3650  # days


class Contract(Part):
    """How contracts are told: by columns of the customers as they are today, or by events of their end."""

    period: Literal["week", "month", "quarter", "year"] = Field("month", description="How often a contract is renewed.")
    periods: str | None = Field(None, description="Attribute of the customers: whole periods under contract so far.")
    left: str | None = Field(None, description="Attribute of the customers, yes or no: whether they have left.")
    started: TextList = Field((), description="Names of events that begin a contract. Default: the day of joining.")
    ended: TextList = Field((), description="Names of events that end a contract.")
    payment: str | None = Field(None, description="Attribute of the customers: what they pay each period.")

    @model_validator(mode="after")
    def _one_way(self) -> Contract:
        by_columns = self.periods is not None and self.left is not None
        if by_columns == bool(self.ended) or (self.periods is None) != (self.left is None):
            raise ValueError(
                "contract: it takes both `periods` and `left` (attributes of the customers), or `ended` (names of "
                "events), and not both ways."
            )
        return self


class Lifetime(Part):
    """How the value that customers will have is predicted."""

    model: Literal["auto", "bg_nbd", "mbg_nbd", "pareto_nbd", "geo_nbd", "nbd", "sbg", "none"] = Field(
        "auto",
        description="Model of buying; auto takes what forecasts a holdout best, in nbd nobody leaves, sbg is for "
        "contracts, none: no lifetime value.",
    )
    horizon: tuple[int, ...] = Field(
        (365,), min_length=1, description="Days ahead, one number or several; the first counts for churn risk."
    )
    discount: float = Field(0.1, ge=0, le=1, description="Interest a year: money in a year is worth 1/(1 + this).")
    grain: Literal["auto", "day", "week"] = Field(
        "auto", description="Orders within one count once. auto: days, weeks where histories are too many."
    )
    by: str | None = Field(
        None, description="Fit apart by `cohort` (year of the first order) or a column or attribute of the customers."
    )
    calibration_until: date | None = Field(
        None, description="Last day of what models are compared on. Default: the last third is the holdout."
    )
    holdout_until: date | None = Field(None, description="Last day of the holdout. Default: the as-of date.")
    contract: Contract | None = Field(None, description="For sbg: where the contracts are.")

    @field_validator("horizon", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, int) else value

    @field_validator("horizon")
    @classmethod
    def _days(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= days <= _LONGEST_HORIZON for days in value) or len(set(value)) < len(value):
            raise ValueError(f"needs different whole numbers of days from 1 to {_LONGEST_HORIZON}, such as 365")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Lifetime:
        if (self.model == "sbg") != (self.contract is not None):
            raise ValueError("model: sbg and `contract` go together: contracts are told by `contract`.")
        if self.calibration_until and self.holdout_until and self.holdout_until <= self.calibration_until:
            raise ValueError("holdout_until must be later than calibration_until.")
        return self
