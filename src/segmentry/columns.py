"""What a contract of a table is made of: columns, their types, and how personal they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Pii(StrEnum):
    """How personal a column is (ISO/IEC 20889 terms)."""

    DIRECT = "direct"  # names one person: name, e-mail, phone, id
    QUASI = "quasi"  # names a person in combination: birth date, postcode
    SENSITIVE = "sensitive"  # GDPR article 9 and what people expect to be kept: income, health, beliefs
    NONE = "none"


class Type(StrEnum):
    """The value types of the contracts."""

    ID = "id"  # normalised text key
    TEXT = "text"
    CATEGORY = "category"  # text of few distinct values
    NUMBER = "number"  # float64
    MONEY = "money"  # float64 in the workspace currency
    INTEGER = "integer"
    TIME = "time"  # UTC timestamp
    DATE = "date"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    type: Type
    description: str
    pii: Pii = Pii.NONE
    required: bool = False
    unit: str = ""
    null_means: str = "not known"


@dataclass(frozen=True)
class Table:
    """One table: what a row is, which columns it has, which stage writes it."""

    name: str
    grain: str
    stage: str
    columns: tuple[Column, ...]
    collectable: bool = False

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(column.name == name for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)
