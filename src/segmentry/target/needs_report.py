"""What people see of needs: benefits sought, needs by product and segment, satisfaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from segmentry.target.satisfaction import Score
from segmentry.target.unmet_needs import UnmetNeed


@dataclass(frozen=True)
class Benefit:
    """A benefit of a best-worst exercise: its utility to everybody in logits with the standard error, and its share of
    preference (how often it would be chosen as best if all were shown)."""

    survey: str
    name: str
    utility: float
    standard_error: float
    share: float


@dataclass(frozen=True)
class NeedsReport:
    """What customers look for and how well they get it.

    ``segmentation`` is whose segments they are, empty before there are any; ``refused`` why no utilities were learned;
    ``notes`` say which answers do not count.
    """

    as_of: date
    segmentation: str
    benefits: tuple[Benefit, ...]
    refused: str
    needs: tuple[UnmetNeed, ...]
    scores: tuple[Score, ...]
    notes: tuple[str, ...] = ()

    @property
    def tells(self) -> bool:
        """Whether a survey asked for any of it."""
        return bool(self.benefits or self.needs or self.scores)


def benefits(model: Mapping[str, Any]) -> tuple[Benefit, ...]:
    """The benefits of every exercise of a learned model, the most wanted first."""
    found = [
        Benefit(survey, name, b["utility"], b["standard_error"], b["share"])
        for survey, made in model.items()
        for name, b in made["benefits"].items()
    ]
    return tuple(sorted(found, key=lambda b: (b.survey, -b.utility, b.name)))
