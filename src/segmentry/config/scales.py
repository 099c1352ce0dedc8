"""A scale of a survey: which items measure one attitude, and how they are read."""

from __future__ import annotations

from collections import Counter
from typing import Literal, Self

from pydantic import Field, model_validator

from segmentry.config.part import Part
from segmentry.errors import did_you_mean

Measures = Literal["psychographic", "technographic", "needs"]


class Scale(Part):
    """Items of a survey that measure one attitude, value, interest or trait of personality.

    It becomes a trait of that name: the mean of the items answered in the latest response, after those in `reverse` are
    turned round, on the numbers of the answers (1 to 7 for seven steps of agreement).
    """

    items: tuple[str, ...] = Field(min_length=1, description="Codes of its questions, as in `responses`.")
    reverse: tuple[str, ...] = Field((), description="Items where agreement speaks against it: 7 becomes 1 on 1 to 7.")
    range: tuple[int, int] | None = Field(
        None, description="Lowest and highest number of the answers. Default: that of the answer scale found."
    )
    answers: tuple[str, ...] = Field(
        (), description="The answers in words, the lowest first, where they stand on no scale that is known."
    )
    least_answered: float = Field(
        0.5, gt=0, le=1, description="Share of the items that must be answered for a score; fewer give none."
    )
    model: Measures = Field("psychographic", description="Segmentation model that the trait belongs to.")
    description: str = Field("", description="What it measures, in words.")

    @model_validator(mode="after")
    def _items_once(self) -> Self:
        twice = next((item for item, n in Counter(self.items).items() if n > 1), None)
        if twice is not None:
            raise ValueError(f"items: '{twice}' stands there twice.")
        for item in self.reverse:
            if item not in self.items:
                raise ValueError(f"reverse: '{item}' is none of the items. {did_you_mean(item, self.items)}")
        return self

    @model_validator(mode="after")
    def _one_way_to_read(self) -> Self:
        if self.range is not None and self.answers:
            raise ValueError("range and answers both say how answers are read. Keep one of them.")
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError(f"range: {self.range[0]} is not below {self.range[1]}.")
        if self.answers and (len(self.answers) < 2 or len({a.casefold() for a in self.answers}) < len(self.answers)):
            raise ValueError("answers: at least two steps, each in words of its own.")
        return self
