"""The section ``segmentations``: one model per method."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from segmentry.config.part import Part, TextList


class SegmentText(Part):
    """What people call a segment and do about it. What is left out comes from playbooks.yaml."""

    meaning: str = Field("", description="Who they are, in one line.")
    action: str = Field("", description="What to do next.")
    purpose: str = Field("", description="What the segment is for.")
    owner: str = Field("", description="Who answers for it.")
    review_by: date | None = Field(None, description="When to look at it again.")


class RuleSegment(SegmentText):
    """One segment of a rules segmentation."""

    name: str = Field(min_length=1, max_length=60, description="Name of the segment.")
    where: str = Field(description="Condition over traits. The first segment whose condition holds takes the customer.")


class _Segmentation(Part):
    unit: Literal["customer", "account"] = Field(
        "customer", description="What is placed: customers, by their traits, or accounts, by those of account_traits."
    )
    population: str | None = Field(None, description="Condition over traits: who is segmented. Default: everybody.")
    purpose: str = Field("", description="What the segmentation is for.")
    owner: str = Field("", description="Who answers for it.")
    review_by: date | None = Field(None, description="When to look at it again.")
    allow: dict[str, Annotated[str, Field(min_length=10)]] = Field(
        {}, description="Protected traits that may form these segments, each with the reason in a sentence."
    )


class Rules(_Segmentation):
    """Segments by conditions, in order; the first that holds takes the customer."""

    method: Literal["rules"] = Field(description="The method.")
    segments: tuple[RuleSegment, ...] = Field(min_length=1, max_length=30, description="The segments, in order.")
    rest: str = Field("Everyone else", description="Name of the segment of those whom no condition takes.")

    @model_validator(mode="after")
    def _unique(self) -> Rules:
        names = [s.name for s in self.segments] + [self.rest]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"segments: the name '{name}' is used twice. Segment names must differ.")
        return self


class RfmCuts(Part):
    """Cut points set by hand: ascending, four for five scores."""

    recency_days: tuple[float, ...] | None = Field(None, description="Days; fewer are better.")
    frequency: tuple[float, ...] | None = Field(None, description="Orders.")
    monetary: tuple[float, ...] | None = Field(None, description="Money spent.")

    @field_validator("recency_days", "frequency", "monetary")
    @classmethod
    def _four_ascending(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and (len(value) != 4 or list(value) != sorted(set(value))):  # 4 cuts make 5 scores
            raise ValueError("needs four different numbers in ascending order, such as [1, 2, 4, 9]")
        return value


class Rfm(_Segmentation):
    """Recency, frequency and monetary value scored 1 to 5 and named."""

    method: Literal["rfm"] = Field(description="The method.")
    cuts: RfmCuts = Field(RfmCuts(), description="Cut points; those left out are learned once and frozen.")
    segments: dict[str, SegmentText] = Field({}, description="Own texts for segments, by name.")


class Tier(Part):
    """One value tier."""

    name: str = Field(min_length=1, max_length=60, description="Name of the tier.")
    share: float = Field(gt=0, le=1, description="Share of all value that the tiers down to this one bring together.")


class ValueTiers(_Segmentation):
    """Tiers by the share of value they bring (Pareto, ABC analysis)."""

    method: Literal["value_tiers"] = Field(description="The method.")
    trait: str = Field("auto", description="The value trait; auto takes margin where known, else revenue or value.")
    # ABC analysis (Dickie 1951): A brings 80 % of the value, B the next 15 %, C the last 5 %.
    tiers: tuple[Tier, ...] = Field(
        (Tier(name="High", share=0.8), Tier(name="Medium", share=0.95), Tier(name="Low", share=1)),
        description="The tiers, best first.",
    )
    cuts: tuple[float, ...] | None = Field(None, description="Least value of each tier but the last, descending.")
    segments: dict[str, SegmentText] = Field({}, description="Own texts for segments, by name.")

    @model_validator(mode="after")
    def _in_order(self) -> ValueTiers:
        shares = [t.share for t in self.tiers]
        if len(self.tiers) < 2 or shares != sorted(set(shares)) or shares[-1] != 1:
            raise ValueError("tiers: needs two or more, with rising shares, the last of them 1.")
        if self.cuts is not None and (
            len(self.cuts) != len(self.tiers) - 1 or list(self.cuts) != sorted(set(self.cuts), reverse=True)
        ):
            raise ValueError(f"cuts: {len(self.tiers)} tiers need {len(self.tiers) - 1} falling values.")
        return self


class Serve(Part):
    """From when on a segment is large enough to be worth an own treatment, and how many of them a team can serve."""

    share: float = Field(0.05, ge=0, le=0.5, description="Least share of the customers of a segment.")
    # Below about 30 members a mean says little.
    count: int = Field(30, ge=1, description="Fewest customers of a segment, counted in the sample.")
    most: int | None = Field(None, ge=2, le=20, description="Most segments that can be served. Default: 8.")
    otherwise: Literal["fewer", "keep", "refuse"] | None = Field(
        None,
        description="Where a segment is not worth having: fewer segments, keep it with a warning, or refuse the fit."
        " Default: fewer where their number is chosen, keep where it is given.",
    )


FINDING = ("kmeans", "kprototypes", "latent_classes", "mixtures")  # methods that find segments


class _Finding(_Segmentation):
    traits: TextList = Field(("auto",), description="Traits that form the segments; patterns such as behavioral.*")
    segments: int | Literal["auto"] = Field("auto", description="How many, from 2 to 20; auto chooses.")
    serve: Serve = Field(Serve(), description="What a segment needs to be worth having.")
    compare: TextList = Field(
        (), description="Methods that find segments on the same traits, to compare at every fit; all for all four."
    )

    @property
    def others(self) -> tuple[str, ...]:
        """The methods to compare this one with."""
        names = FINDING if "all" in self.compare else self.compare
        return tuple(dict.fromkeys(name for name in names if name != getattr(self, "method", None)))

    @field_validator("compare")
    @classmethod
    def _methods(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in value if name not in (*FINDING, "all")]:
            raise ValueError(f"'{unknown[0]}' is no method that finds segments: {', '.join(FINDING)}, or all.")
        return value

    @field_validator("segments")
    @classmethod
    def _number(cls, value: object) -> object:
        if isinstance(value, int) and not 2 <= value <= 20:
            raise ValueError("needs a number from 2 to 20, or auto")
        return value


class KMeans(_Finding):
    """Groups of similar customers (k-means)."""

    method: Literal["kmeans"] = Field(description="The method.")


class KPrototypes(_Finding):
    """Groups of similar customers by numbers and categories together, gaps allowed (k-prototypes)."""

    method: Literal["kprototypes"] = Field(description="The method.")
    gamma: float | Literal["auto"] = Field(
        "auto", description="What a category that differs adds to a squared distance; auto: as much as a number does."
    )

    @field_validator("gamma")
    @classmethod
    def _above_zero(cls, value: object) -> object:
        if isinstance(value, float) and not 0 < value <= 1000:  # numbers are z-scores: 1,000 leaves only the categories
            raise ValueError("needs a number above 0, at most 1000, or auto")
        return value


class LatentClasses(_Finding):
    """Groups of people who answer alike (latent class analysis), for categories and yes/no answers."""

    method: Literal["latent_classes"] = Field(description="The method.")
    traits: TextList = Field(min_length=1, description="Traits that form the segments; patterns such as needs.*")


class Mixtures(_Finding):
    """Groups of customers as overlapping clouds of their own size and shape, by numbers (Gaussian mixture)."""

    method: Literal["mixtures"] = Field(description="The method.")
    shape: Literal["auto", "full", "tied", "diagonal"] = Field(
        "auto", description="Covariances: of each segment, one for all, none; auto takes the lowest BIC."
    )


class Bands(_Segmentation):
    """One trait cut into named bands, at points set beforehand."""

    method: Literal["bands"] = Field(description="The method.")
    trait: str = Field(description="The trait that is cut: a number.")
    cuts: tuple[float, ...] = Field(
        min_length=1,
        max_length=19,
        description="Where bands end, ascending; a value on a cut is in the upper band.",
    )
    names: TextList = Field((), description="Names of the bands, lowest first. Default: what their ends are.")
    segments: dict[str, SegmentText] = Field({}, description="Own texts for segments, by name.")

    @model_validator(mode="after")
    def _in_order(self) -> Bands:
        if list(self.cuts) != sorted(set(self.cuts)) or not all(math.isfinite(cut) for cut in self.cuts):
            raise ValueError("cuts: needs different numbers in ascending order, such as [18, 35, 60]")
        if self.names and (len(self.names) != len(self.cuts) + 1 or len(set(self.names)) < len(self.names)):
            raise ValueError(f"names: {len(self.cuts)} cuts make {len(self.cuts) + 1} bands, each with its own name.")
        return self


class Trees(_Segmentation):
    """Groups that differ in an objective or a trait as much as readable conditions can make them (a tree)."""

    method: Literal["trees"] = Field(description="The method.")
    objective: str | None = Field(None, description="The objective whose behaviour the segments shall tell apart.")
    target: str | None = Field(None, description="Instead of an objective: the trait that they shall tell apart.")
    traits: TextList = Field(("auto",), description="Traits that may form the conditions; patterns such as needs.*")
    least: float = Field(0.05, ge=0.005, le=0.4, description="Least share of the customers in a segment.")
    most: int = Field(8, ge=2, le=20, description="Segments at most.")
    depth: int = Field(4, ge=1, le=6, description="Conditions one after the other, at most.")

    @model_validator(mode="after")
    def _one_target(self) -> Trees:
        if (self.objective is None) == (self.target is None):
            raise ValueError("needs either objective, the name of one of the objectives, or target, a trait.")
        return self


class Crossing(_Segmentation):
    """Every combination of two segmentations."""

    method: Literal["crossing"] = Field(description="The method.")
    of: tuple[str, str] = Field(description="The two segmentations, such as [value, needs].")
    least: float = Field(0.02, ge=0, le=0.4, description="Least share of the customers in a combination of its own.")
    small: Literal["nearest", "rest"] = Field(
        "nearest", description="Smaller ones join the nearest combination, or make one segment together."
    )
    rest: str = Field("Other combinations", min_length=1, max_length=60, description="Its name where small is rest.")
    segments: dict[str, SegmentText] = Field({}, description="Own texts for segments, by name.")


Segmentation = Annotated[
    Rules | Rfm | ValueTiers | Bands | KMeans | KPrototypes | LatentClasses | Mixtures | Trees | Crossing,
    Field(discriminator="method"),
]
METHODS: dict[str, type[_Segmentation]] = {
    get_args(m.model_fields["method"].annotation)[0]: m
    for m in (Rules, Rfm, ValueTiers, Bands, KMeans, KPrototypes, LatentClasses, Mixtures, Trees, Crossing)
}
