"""The sections ``sample`` and ``bias``: what is learned on, how it is made anonymous, what forms no segments."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from segmentry.config.part import Part, TextList


class Sample(Part):
    """The bounded sample that segmentations are learned on, and how `segmentry sample` makes it anonymous."""

    size: int = Field(
        50_000,
        ge=100,
        le=500_000,
        description="Customers in the sample; at least 100 for each segmentation variable are drawn in any case.",
    )
    seed: int = Field(1, ge=0, description="Another seed draws another sample.")
    by: TextList = Field(
        ("auto",),
        description="Traits whose groups are drawn one by one, so that small ones are seen too; auto is the trait that "
        "says what a customer is worth. [] draws from all alike.",
    )
    weights: Literal["base", "market"] = Field(
        "base",
        description="What the rows stand for when a segmentation is learned: the customers, or the people of the "
        "population that market research gives margins of.",
    )
    k_anonymity: int = Field(
        5, ge=2, le=1_000, description="Rows that must be alike in all that could tell who somebody is."
    )
    l_diversity: int = Field(
        2, ge=1, le=20, description="Different values of a sensitive trait that such rows must have among them."
    )
    suppress: float = Field(
        0.05, ge=0, le=0.5, description="Largest share of rows left out rather than made still coarser."
    )


class Bias(Part):
    """Traits that must not decide who is in which segment."""

    protected: TextList = Field(
        ("auto",),
        description="Traits that form no segments unless a segmentation allows them with a reason; patterns such as "
        "declared.* work. auto: gender, age, family, language, and traits classed as sensitive but for survey answers.",
    )
