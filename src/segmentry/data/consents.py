"""Statements of consent by customer, as they were known on a day."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from segmentry.data import identity


def known_consents(collected: ir.Table, identities: ir.Table, day: date) -> ir.Table:
    """The statements made by the end of a day (or at no known time), with the key of the customer who made them."""
    said = identity.rekeyed(collected, identities)
    if "time" not in said.columns:
        return said
    return said.filter(said["time"].isnull() | (said["time"].cast("date") <= ibis.literal(day)))
