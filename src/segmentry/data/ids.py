"""Whose record it is: ids of customers, each in a space of ids that mean the same wherever they stand.

A source names its space (``id_space``). An e-mail address is an id of the space ``email`` wherever it stands: as the
customer's id, or on a record that has none. Where that is missing too, the phone number with the name is one, in the
space ``phone``. Last comes the visitor, in a space of its source (``visitors.py``).
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from segmentry.config import Source

DEFAULT_SPACE = "customers"
EMAIL_SPACE = "email"
PHONE_SPACE = "phone"
_VISITORS = "visitor "  # no id_space of a config begins so


def visitor_space(source: str) -> str:
    """The space of the ids that visitors have in a source."""
    return _VISITORS + source


def is_visitor(space: ir.StringValue) -> ir.BooleanValue:
    """Whether ids of a space are visitors'."""
    return space.startswith(_VISITORS)


def id_of(name: str, rows: ir.Table, source: Source) -> tuple[dict[str, ir.BooleanValue], ir.StringValue]:
    """For every row its id (null: anonymous), and for each space that occurs in the source the rows that it is for."""
    ids: list[tuple[str, ir.StringValue]] = []
    if "customer" in rows.columns:
        customer = rows["customer"]
        if _any_address(customer):
            address = email_id(customer)
            ids += [(EMAIL_SPACE, address), (source.id_space, address.isnull().ifelse(customer, ibis.null("string")))]
        else:
            ids.append((source.id_space, customer))
    if "contact_email" in rows.columns:
        ids.append((EMAIL_SPACE, email_id(rows["contact_email"])))
    if "contact_phone" in rows.columns:
        name = rows["contact_name"] if "contact_name" in rows.columns else ibis.null("string")
        ids.append((PHONE_SPACE, phone_id(rows["contact_phone"], name)))
    if "visitor" in rows.columns:
        ids.append((visitor_space(name), rows["visitor"]))
    spaces: dict[str, ir.BooleanValue] = {}
    free: ir.BooleanValue = ibis.literal(True)
    for space, value in ids:
        spaces[space] = spaces.get(space, ibis.literal(False)) | (free & value.notnull())
        free = free & value.isnull()
    return spaces, ibis.coalesce(*(value for _, value in ids)) if ids else ibis.null("string")


def _any_address(customer: ir.StringColumn) -> bool:
    """Whether there is any e-mail address among ids: seldom, and then ten million of them need not be taken apart."""
    return bool(customer.contains("@").any().to_pyarrow().as_py())


def named(space: ir.StringValue, source_id: ir.StringValue) -> ir.StringValue:
    """An id as people write it: with its space in front, unless it is of the default space or an address."""
    return space.isin([DEFAULT_SPACE, EMAIL_SPACE]).ifelse(source_id, space + ":" + source_id)


def plain_name(name: ir.StringValue) -> ir.StringValue:
    """The name of an organisation as a reference to it: case and runs of spaces do not matter."""
    return name.strip().lower().re_replace(r"\s+", " ")


def email_id(email: ir.StringValue) -> ir.StringValue:
    """An address as an id: in lower case; null where it is none."""
    plain = email.strip().lower()
    return plain.re_search(r"^[^@\s]+@[^@\s]+\.[^@\s]+$").ifelse(plain, ibis.null("string"))


def phone_id(phone: ir.StringValue, name: ir.StringValue) -> ir.StringValue:
    """A number as an id, with the name since families share phones; null where it has fewer than seven digits."""
    digits = phone.re_replace(r"[^0-9]", "")
    named = ibis.coalesce(" " + name.strip().lower(), "")
    return (digits.length() >= 7).ifelse(digits + named, ibis.null("string"))


def no_changes(ids: ir.Table) -> ir.Table:
    """The table of ids that came to belong to another customer, without a row; ``ids`` have id_space and source_id."""
    return ids.filter(ibis.literal(False)).select(
        changed_at=ibis.null("timestamp"),
        change=ibis.literal(""),
        id_space="id_space",
        source_id="source_id",
        customer_before="source_id",
        customer_now="source_id",
        reason=ibis.literal(""),
    )
