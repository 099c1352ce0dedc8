"""Parts of a survey that ask for needs: best-worst exercises, ratings of needs, questions with several answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from segmentry.config.part import Part, TextList

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


# Of every task of every version of a best-worst exercise: version, task, the items shown.
Design = tuple[tuple[str, str, tuple[str, ...]], ...]
