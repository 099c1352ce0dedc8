"""The section ``surveys``: which question of a survey asks what."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator, model_validator

from segmentry.config.part import NAME, Part, TextList

AUTO, NONE = "auto", "none"
TASK = "{task}"  # in a pattern of question codes: the number of the task
MEASURES = ("importance", "satisfaction", "nps", "csat", "ces")

Questions = Annotated[
    str | dict[str, str | dict[str, str]],
    Field(description="A pattern of question codes such as Q1_*, or need: question, or need: {product: question}."),
]


class BestWorst(Part):
    """A best-worst exercise (MaxDiff): in every task people choose the most and the least important of a few items."""

    best: str = Field(description="Code of the questions for the best item; {task} stands for the number of the task.")
    worst: str = Field(description="The same for the worst item.")
    design: str | None = Field(
        None, description="CSV with the items of every task: columns version, task and item (or an item a column)."
    )
    version: str | None = Field(None, description="Question whose answer is the version of the design. Default: one.")
    shown: str | None = Field(
        None, description="In place of a design: code of the questions whose answers are the items shown in a task."
    )
    benefits: dict[str, TextList] = Field(
        {}, description="Name of a benefit: how answers and design spell it. Default: the names of the design."
    )

    @model_validator(mode="after")
    def _complete(self) -> BestWorst:
        for key in ("best", "worst", "shown"):
            pattern = getattr(self, key)
            if pattern is not None and pattern.count(TASK) != 1:
                raise ValueError(f"{key}: '{pattern}' needs {TASK} once, such as Q2_{TASK}_best.")
        if self.design is not None and self.shown is not None:
            raise ValueError("design and shown both say which items a task showed. Keep one.")
        if self.design is None and self.version is not None:
            raise ValueError("version: versions are those of a design. Name its file under design.")
        if self.design is None and len(self.benefits) < 3:
            raise ValueError(
                "benefits: without a design they have to be named, three or more; then every task shows all of them, "
                "or those that the questions under shown tell."
            )
        return self


class Choice(Part):
    """A question with several answers, and how they are grouped."""

    question: str = Field(description="Code of the question.")
    answers: dict[str, TextList] = Field(
        {}, description="Name of an answer: its spellings, in every language. Default: each answer as it is."
    )


def _choice(value: object) -> object:
    return {"question": value} if isinstance(value, str) else value


class Survey(Part):
    """What the questions of one survey ask. What is left out is recognised by the wording where that is safe."""

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

    @field_validator("choices")
    @classmethod
    def _names(cls, value: dict[str, Choice]) -> dict[str, Choice]:
        for name in value:
            if not NAME.fullmatch(name):
                raise ValueError(f"{name}: a name starts with a lower-case letter; at most 40 letters, digits, _.")
        return value


# Of every task of every version of a best-worst exercise: version, task, the items shown.
Design = tuple[tuple[str, str, tuple[str, ...]], ...]
