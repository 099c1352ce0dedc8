"""What is declared of a trait: its model, kind, unit, description, how personal it is, and the data it needs."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Literal

from segmentry.columns import Pii, Type
from segmentry.tables import customers


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
HOUR = "hour of the day"
_CIRCULAR = (HOUR,)  # units that go round: hour 23 is next to hour 0


@dataclass(frozen=True)
class Trait:
    """One column about a customer.

    ``needs`` lists ``table.column`` of the data it is computed from; ``a.x or b.y`` when either will do. A name that
    ends in ``*`` is a family: one trait for each frequent value of a column, such as ``channel_share_web``; ``member``
    then describes such a one, with ``{}`` for the value.
    """

    name: str
    model: Model
    kind: Kind
    description: str
    unit: str = ""
    needs: tuple[str, ...] = ()
    pii: Pii = Pii.NONE
    null_means: str = "not known"
    member: str = ""
    value: str = ""  # what a member of a family stands for, as it is written

    @property
    def title(self) -> str:
        """The name for people: 'order frequency' rather than order_frequency."""
        return self.name.replace("_", " ")

    @property
    def is_family(self) -> bool:
        return self.name.endswith("*")

    @property
    def is_circular(self) -> bool:
        """Whether its values go round, so that differences of them say nothing of how far they are apart."""
        return self.unit in _CIRCULAR

    def is_meant_by(self, pattern: str) -> bool:
        """Whether a pattern such as ``behavioral.*``, ``spend_*`` or ``value.monetary`` means it; of a family also
        whether it means one of its members.
        """
        model, _, rest = pattern.rpartition(".")
        hit = fnmatchcase(self.name, rest) or (self.is_family and fnmatchcase(rest, self.name))
        return hit and model in ("", self.model)

    def lacks(self, available: Container[str]) -> tuple[str, ...]:
        """The needs that the available ``table.column`` names do not meet.

        >>> age = Trait("age", Model.DEMOGRAPHIC, "number", "Age.", needs=("customers.birth_year or customers.age",))
        >>> age.lacks({"customers.age"}), age.lacks(set())
        ((), ('customers.birth_year or customers.age',))
        """
        return tuple(need for need in self.needs if not any(one in available for one in need.split(" or ")))


def same(column: str, model: Model, description: str = "") -> Trait:
    """A trait that is a column of the customers table as it stands."""
    declared = customers[column]
    numeric = declared.type in (Type.NUMBER, Type.MONEY, Type.INTEGER)
    return Trait(
        column,
        model,
        "number" if numeric else "category",
        description or declared.description,
        declared.unit,
        (f"customers.{column}",),
        declared.pii,
    )
