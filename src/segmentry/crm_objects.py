"""The objects of CRM systems: what a record of each is here, and which of its properties fill which column.

A source that names a ``connector`` and an ``object`` needs no columns: it gets these; what segmentry.yaml says wins.
Property names are the vendors' own (HubSpot CRM API v3, Salesforce REST API).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CrmObject:
    """One kind of record of a CRM system.

    ``modified`` is the property by which a pull goes on from the one before; ``key`` the one that names a record. Where
    ``only`` is given, records in which that property is not true count as deleted.
    """

    name: str
    kind: str
    modified: str
    key: str
    columns: Mapping[str, str]
    only: str = ""


# No properties of HubSpot, but what the connector adds: the associated contact of the lowest id, and the object's name.
CONTACT = "associated_contact"
OBJECT = "object_name"

_HUBSPOT = (
    CrmObject(
        "contacts",
        "customers",
        "lastmodifieddate",  # every other object has hs_lastmodifieddate
        "hs_object_id",
        {
            "customer": "hs_object_id",
            "first_name": "firstname",
            "last_name": "lastname",
            "email": "email",
            "phone": "phone",
            "address": "address",
            "city": "city",
            "region": "state",
            "postcode": "zip",
            "country": "country",
            "language": "hs_language",
            "occupation": "jobtitle",
            "account": "associatedcompanyid",
            "joined_at": "createdate",
            "updated_at": "lastmodifieddate",
        },
    ),
    CrmObject(
        "companies",
        "accounts",
        "hs_lastmodifieddate",
        "hs_object_id",
        {
            "account": "hs_object_id",
            "account_name": "name",
            "parent": "hs_parent_company_id",
            "industry": "industry",
            "employees": "numberofemployees",
            "revenue": "annualrevenue",
            "founded": "founded_year",
            "country": "country",
            "domain": "domain",
            "phone": "phone",
            "address": "address",
            "city": "city",
            "postcode": "zip",
            "updated_at": "hs_lastmodifieddate",
        },
    ),
    CrmObject(
        "deals",
        "transactions",
        "hs_lastmodifieddate",
        "hs_object_id",
        {
            "customer": CONTACT,
            "order": "hs_object_id",
            "time": "closedate",
            "amount": "amount",
            "product_name": "dealname",
            "category": "dealtype",
        },
        only="hs_is_closed_won",
    ),
    # What HubSpot calls engagements are objects of their own.
    *(
        CrmObject(
            name,
            "events",
            "hs_lastmodifieddate",
            "hs_object_id",
            {"customer": CONTACT, "time": "hs_timestamp", "name": OBJECT},
        )
        for name in ("calls", "emails", "meetings", "notes", "tasks")
    ),
)
_SALESFORCE = (
    CrmObject(
        "Contact",
        "customers",
        "SystemModstamp",
        "Id",
        {
            "customer": "Id",
            "first_name": "FirstName",
            "last_name": "LastName",
            "email": "Email",
            "phone": "Phone",
            "address": "MailingStreet",
            "city": "MailingCity",
            "region": "MailingState",
            "postcode": "MailingPostalCode",
            "country": "MailingCountry",
            "birth_date": "Birthdate",
            "occupation": "Title",
            "account": "AccountId",
            "joined_at": "CreatedDate",
            "updated_at": "SystemModstamp",
        },
    ),
    CrmObject(
        "Account",
        "accounts",
        "SystemModstamp",
        "Id",
        {
            "account": "Id",
            "account_name": "Name",
            "parent": "ParentId",
            "industry": "Industry",
            "employees": "NumberOfEmployees",
            "revenue": "AnnualRevenue",
            "country": "BillingCountry",
            "domain": "Website",
            "phone": "Phone",
            "address": "BillingStreet",
            "city": "BillingCity",
            "postcode": "BillingPostalCode",
            "updated_at": "SystemModstamp",
        },
    ),
    CrmObject(
        "Opportunity",
        "transactions",
        "SystemModstamp",
        "Id",
        {
            "customer": "ContactId",
            "order": "Id",
            "time": "CloseDate",
            "amount": "Amount",
            "product_name": "Name",
            "category": "Type",
        },
        only="IsWon",
    ),
    CrmObject(
        "CampaignMember",
        "events",
        "SystemModstamp",
        "Id",
        {"customer": "ContactId", "time": "CreatedDate", "name": "Status", "page": "CampaignId"},
    ),
)
CRM_OBJECTS: dict[str, dict[str, CrmObject]] = {
    "hubspot": {o.name: o for o in _HUBSPOT},
    "salesforce": {o.name: o for o in _SALESFORCE},
}
# What lets a source into a CRM system.
OAUTH = ("refresh_token", "client_id", "client_secret")
ACCESS = ("url", "token", "username", "password", *OAUTH)


def lacking_access(connector: str, given: set[str]) -> str:
    """What a source that gives these keys still needs to be let into a CRM system, in words; empty: nothing."""
    app = given & set(OAUTH)
    if connector == "hubspot" and len(app) < len(OAUTH) and (app or "token" not in given):
        return (
            "token: hubspot needs the access token of a private app, as ${HUBSPOT_TOKEN}, or refresh_token, client_id "
            "and client_secret of an OAuth app."
        )
    if connector == "salesforce" and not ({"token", "url"} <= given or {"username", "password"} <= given):
        return "salesforce needs url and token, or username, password and security_token."
    return ""


def completed(given: Any) -> Any:
    """A section of a source as it stands in a config, with what the object that it names is by itself."""
    if not isinstance(given, Mapping) or given.get("connector") not in CRM_OBJECTS:
        return given
    there = CRM_OBJECTS[given["connector"]].get(str(given.get("object")))
    if there is None:
        return {"kind": "customers", "columns": {}, **given}
    columns = given.get("columns", {})
    own = {**there.columns, **columns} if isinstance(columns, Mapping) else columns
    usual = {"kind": there.kind, "cursor": there.modified, "key": [there.key]}
    return {**usual, **given, "columns": own}
