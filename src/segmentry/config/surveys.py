"""What a person may write about a survey: which questions make which scores."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from segmentry.config.part import NAME, Part
from segmentry.config.scales import Scale


class Survey(Part):
    """How the answers of one survey become traits."""

    scales: dict[str, Scale] = Field({}, description="Scales of several items, by the name of what each measures.")

    @model_validator(mode="after")
    def _scales_have_names(self) -> Self:
        for name in self.scales:
            if not NAME.fullmatch(name):
                raise ValueError(
                    f"scales.{name}: a name starts with a lower-case letter; at most 40 letters, digits, _."
                )
        return self
