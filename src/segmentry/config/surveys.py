"""What a person may write about a survey: which questions make which scores."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from segmentry.config.part import NAME, Part
from segmentry.config.scales import Scale
from segmentry.config.survey_needs import AUTO, MEASURES, BestWorst, Choice, Questions


def _choice(value: object) -> object:
    return {"question": value} if isinstance(value, str) else value


class Survey(Part):
    """How the answers of one survey become traits.

    Ratings that are left out are recognised by the wording of the questions, where that is safe; ``none`` turns that
    off.
    """

    scales: dict[str, Scale] = Field({}, description="Scales of several items, by the name of what each measures.")
    best_worst: BestWorst | None = Field(None, description="A best-worst exercise (MaxDiff) about benefits.")
    importance: Questions = Field(AUTO, description="How important needs are: questions by need; or none.")
    satisfaction: Questions = Field(AUTO, description="How satisfied people are with each need; or none.")
    nps: str = Field(AUTO, description="How likely they are to recommend, 0 to 10: code of the question; or none.")
    csat: str = Field(AUTO, description="How satisfied they are over all: code of the question; or none.")
    ces: str = Field(AUTO, description="How easy it was: code of the question; or none.")
    ranges: dict[str, tuple[int, int]] = Field(
        {}, description="Worst and best answer of a measure, such as {importance: [1, 5]}, where nothing tells."
    )
    choices: dict[str, Annotated[Choice, BeforeValidator(_choice)]] = Field(
        {}, description="Questions with several answers, by name."
    )

    @field_validator("ranges")
    @classmethod
    def _known_ranges(cls, value: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
        for name, (worst, best) in value.items():
            if name not in MEASURES or name == "nps":
                raise ValueError(f"'{name}' has no range to set. Allowed: importance, satisfaction, csat, ces.")
            if worst == best:
                raise ValueError(f"{name}: worst and best answer are both {worst}.")
        return value

    @field_validator("scales", "choices")
    @classmethod
    def _names(cls, value: dict[str, Scale | Choice]) -> dict[str, Scale | Choice]:
        for name in value:
            if not NAME.fullmatch(name):
                raise ValueError(f"{name}: a name starts with a lower-case letter; at most 40 letters, digits, _.")
        return value
