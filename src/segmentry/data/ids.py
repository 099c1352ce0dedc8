"""Whose record it is: ids of customers, each in a space of ids that mean the same wherever they stand.

A source names its space (``id_space``). Where a record has no customer id, its e-mail address is one, in the space
``email``; where it has none either, its phone number with the name, in the space ``phone``.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from segmentry.config import Source

DEFAULT_SPACE = "customers"
EMAIL_SPACE = "email"
PHONE_SPACE = "phone"


def id_of(rows: ir.Table, source: Source) -> tuple[dict[str, ir.BooleanValue], ir.StringValue]:
    """For every row its id (null: anonymous), and for each space that occurs in the source the rows that it is for."""
    ids: list[tuple[str, ir.StringValue]] = []
    if "customer" in rows.columns:
        customer = rows["customer"]
        ids.append((source.id_space, customer.lower() if source.id_space == EMAIL_SPACE else customer))
    if "contact_email" in rows.columns:
        ids.append((EMAIL_SPACE, email_id(rows["contact_email"])))
    if "contact_phone" in rows.columns:
        name = rows["contact_name"] if "contact_name" in rows.columns else ibis.null("string")
        ids.append((PHONE_SPACE, phone_id(rows["contact_phone"], name)))
    spaces: dict[str, ir.BooleanValue] = {}
    free: ir.BooleanValue = ibis.literal(True)
    for space, value in ids:
        spaces[space] = spaces.get(space, ibis.literal(False)) | (free & value.notnull())
        free = free & value.isnull()
    return spaces, ibis.coalesce(*(value for _, value in ids)) if ids else ibis.null("string")


def email_id(email: ir.StringValue) -> ir.StringValue:
    """An address as an id: in lower case; null where it is none."""
    plain = email.strip().lower()
    return plain.re_search(r"^[^@\s]+@[^@\s]+\.[^@\s]+$").ifelse(plain, ibis.null("string"))


def phone_id(phone: ir.StringValue, name: ir.StringValue) -> ir.StringValue:
    """A number as an id, with the name since families share phones; null where it has fewer than seven digits."""
    digits = phone.re_replace(r"[^0-9]", "")
    named = ibis.coalesce(" " + name.strip().lower(), "")
    return (digits.length() >= 7).ifelse(digits + named, ibis.null("string"))
