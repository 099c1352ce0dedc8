"""Whose a record is where no id of the customers says so: e-mail addresses, phone numbers, ids of another system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from segmentry.data.mapping import Mapped
from segmentry.data.profiling import ColumnProfile
from segmentry.data.recognise import SourceProposal
from segmentry.data.vocabulary import name_score
from segmentry.tables import TABLES

_ADDRESSES = 0.8  # of the values are e-mail addresses


def by_contact(source: SourceProposal, whose: str) -> SourceProposal:
    """A source of facts with the columns by which identity finds the customers, who have ids in ``whose``.

    An address that stands for the customer's id is a contact: as an id it would be a customer beside the one who has
    it. Beside ids, contacts count for the records that have none.
    """
    if "contact_email" not in TABLES.get(source.kind or "", ()) or (source.known and source.known.layout):
        return source
    customer = source.columns.get("customer")
    if customer is None or len(customer.uses) != 1:
        return source
    own = source.table[customer.uses[0]]
    used = {name for m in source.columns.values() for name in m.uses} - {own.name}
    address = own if _is_address(own) else next((c for c in _free(source, used) if _is_address(c)), None)
    if address is None or (address is not own and own.fill == 1):
        return source
    reason = f"by its values; finds the customer in {whose}"
    found = {"contact_email": Mapped(address.name, (address.name,), 0.9, reason)}
    for target, concept in (("contact_phone", "phone"), ("contact_name", "customers.name")):
        called = [c for c in _free(source, {*used, address.name}) if name_score(c.name, concept) >= 0.8]
        if called and not called[0].is_time and "product" not in called[0].name.casefold():
            found[target] = Mapped(called[0].name, (called[0].name,), 0.8, "by its name")
    columns = {t: m for t, m in source.columns.items() if t != "customer" or address is not own}
    names = {m.uses[0] for m in found.values()}
    return replace(
        source,
        columns={**columns, **found},
        attributes=tuple(a for a in source.attributes if a.source not in names),
        left_out=tuple((n, why) for n, why in source.left_out if n not in names),
        id_space=source.id_space if "customer" in columns else None,
    )


def _is_address(column: ColumnProfile) -> bool:
    return column.shares["email"] >= _ADDRESSES


def _free(source: SourceProposal, used: set[str]) -> Sequence[ColumnProfile]:
    return [c for c in source.table.columns if c.name not in used and c.filled]


def with_own_id(source: SourceProposal) -> SourceProposal | None:
    """A source of customers by an id of its own, the partly filled id of another system as ``known_as``.

    None where there is no such pair: every record has the id, or nothing else names each record.
    """
    customer = source.columns.get("customer")
    if source.kind != "customers" or customer is None or len(customer.uses) != 1 or "customer" in source.answers:
        return None
    stated = source.table[customer.uses[0]]
    used = {name for m in source.columns.values() for name in m.uses}
    own = next((c for c in _free(source, used) if _names_each_record(c)), None)
    if stated.fill == 1 or own is None or _is_address(stated):
        return None
    columns = {
        **source.columns,
        "customer": Mapped(own.name, (own.name,), 0.85, f"names every record, which {stated.name} does not"),
        "known_as": customer,
    }
    order = [t for t in TABLES["customers"].names if t in columns]
    return replace(
        source,
        columns={t: columns[t] for t in order},
        left_out=tuple((n, why) for n, why in source.left_out if n != own.name),
        attributes=tuple(a for a in source.attributes if a.source != own.name),
    )


def _names_each_record(column: ColumnProfile) -> bool:
    called = max(name_score(column.name, concept) for concept in ("generic_id", "customer", "person_id")) >= 0.8
    words = column.name.casefold()
    own = called or words.endswith(("id", "id__c", "number", "no"))
    return own and column.uniqueness == 1 and column.fill == 1 and not column.is_time and not _is_address(column)
