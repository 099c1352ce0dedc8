"""Ages: how old who was born on a day is, and which ages nobody has. Traits and checks of quality agree on both."""

from __future__ import annotations

from datetime import date

import ibis.expr.types as ir

OLDEST = 110  # years; a handful of people worldwide are older, placeholders such as 1900-01-01 are common


def age_on(day: date, birth: ir.DateValue) -> ir.IntegerValue:
    """Completed years of life on a day; who is born on 29 February grows older on 1 March of other years."""
    to_come = birth.month() * 100 + birth.day() > day.month * 100 + day.day
    return day.year - birth.year() - to_come.ifelse(1, 0)


def is_human(age: ir.IntegerValue) -> ir.BooleanValue:
    """Whether an age in years is one that people have, from birth to :data:`OLDEST`."""
    return (age >= 0) & (age <= OLDEST)
