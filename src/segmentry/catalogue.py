"""Every built-in trait: its model, kind, unit, description, how personal it is, and the data it needs.

Nothing is computed here: ``traits/<model>.py`` computes what is declared here. A trait whose data the workspace lacks
is absent, never a column of nulls.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from segmentry.tables import Pii


class Model(StrEnum):
    """The seven classic segmentation models and B2B firmographics."""

    DEMOGRAPHIC = "demographic"
    GEOGRAPHIC = "geographic"
    PSYCHOGRAPHIC = "psychographic"
    TECHNOGRAPHIC = "technographic"
    BEHAVIORAL = "behavioral"
    NEEDS = "needs"
    VALUE = "value"
    FIRMOGRAPHIC = "firmographic"


Kind = Literal["number", "category", "boolean"]


@dataclass(frozen=True)
class Trait:
    """One column about a customer.

    ``needs`` lists ``table.column`` of the data it is computed from. A name that ends in ``*`` is a family: one trait
    for each frequent value of a column, such as ``channel_share_web``.
    """

    name: str
    model: Model
    kind: Kind
    description: str
    unit: str = ""
    needs: tuple[str, ...] = ()
    pii: Pii = Pii.NONE
    null_means: str = "not known"

    @property
    def title(self) -> str:
        """The name for people: 'order frequency' rather than order_frequency."""
        return self.name.replace("_", " ")
