"""The section ``objectives``: what an ideal customer does, of whom, about which product."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from segmentry.config.part import Part, TextList


class Objective(Part):
    """A behaviour that is wanted, and of whom."""

    behaviour: str = Field(description="Condition over traits that an ideal customer meets.")
    population: str | None = Field(None, description="Condition over traits: whose behaviour. Default: everybody's.")
    product: str = Field("", description="The product or offer that it is about, for people.")
    unit: Literal["customer", "account"] = Field("customer", description="Whose traits: customers' or accounts'.")
    horizon: int | None = Field(
        None,
        ge=7,
        le=1825,
        description="Days: traits of so long ago shall tell the behaviour of today. Default: those of the same day do, "
        "which shows what goes together, not what comes first.",
    )
    traits: TextList = Field(("auto",), description="Traits that may tell; patterns such as needs.*")
    except_traits: TextList = Field((), alias="except", description="Traits that may not: they give the answer away.")
    by: str = Field(
        "auto",
        description="The trait whose values ideal customers are told by, such as age_band; it may be protected.",
    )
    allow: dict[str, Annotated[str, Field(min_length=10)]] = Field(
        {}, description="Protected traits that may tell the behaviour, each with the reason in a sentence."
    )
    purpose: str = Field("", description="What the objective is for.")
    owner: str = Field("", description="Who answers for it.")
