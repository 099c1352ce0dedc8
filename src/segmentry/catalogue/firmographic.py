"""What kind of organisation an account is, how the business with it goes, and what of that its contacts share.

``FIRMOGRAPHIC`` are traits of customers, ``OF_ACCOUNTS`` those of accounts, which have the behavioral and value traits
beside them.
"""

from __future__ import annotations

from segmentry.catalogue.trait import Kind, Model, Trait
from segmentry.columns import Pii

_INDUSTRY = "Section of ISIC Rev. 4 and NACE Rev. 2; a spelling that is not known stays as it is."
_SIZE = "Size by employees: micro (under 10), small (under 50), medium (under 250), large (EU recommendation 2003/361)."
_NO_ACCOUNT = "no account, or not known of it"
_NEVER = "never null"
_NO_DEAL = "never null: 0 without opportunities"
_DEALS = ("opportunities.stage",)


def _trait(
    name: str, kind: Kind, description: str, *needs: str, unit: str = "", pii: Pii = Pii.NONE, null: str = "not known"
) -> Trait:
    return Trait(name, Model.FIRMOGRAPHIC, kind, description, unit, needs, pii, null)


def _deals(name: str, unit: str, description: str, *needs: str, null: str = _NO_DEAL) -> Trait:
    return _trait(name, "number", description, *_DEALS, *needs, unit=unit, null=null)


FIRMOGRAPHIC: tuple[Trait, ...] = (
    _trait(
        "account_industry", "category", f"Industry of the account. {_INDUSTRY}", "accounts.industry", null=_NO_ACCOUNT
    ),
    _trait("account_size_band", "category", f"{_SIZE[:-1]}, of the account.", "accounts.employees", null=_NO_ACCOUNT),
    _trait(
        "buying_role",
        "category",
        "Role in buying for the account: decider, buyer, influencer, user or gatekeeper (Webster & Wind 1972); by the "
        "job title where none is stated.",
        "customers.role or customers.occupation",
        pii=Pii.QUASI,
        null="no account, or neither a role nor a telling job title",
    ),
)

OF_ACCOUNTS: tuple[Trait, ...] = (
    _trait("industry", "category", _INDUSTRY, "accounts.industry"),
    _trait("employees", "number", "Number of employees.", "accounts.employees", unit="persons"),
    _trait("size_band", "category", _SIZE, "accounts.employees"),
    _trait(
        "annual_revenue", "number", "Yearly revenue of the organisation.", "accounts.revenue", unit="currency a year"
    ),
    _trait("company_age_years", "number", "Years since the year of foundation.", "accounts.founded", unit="years"),
    _trait(
        "ownership",
        "category",
        "public company, private company, state, non-profit or subsidiary; another spelling stays as it is.",
        "accounts.ownership",
    ),
    _trait(
        "stated_stage",
        "category",
        "Stage of the relationship as the source states it today: lead, prospect, opportunity, customer or churned; a "
        "spelling that is not known stays as it is.",
        "accounts.stage",
    ),
    _trait(
        "relationship_stage",
        "category",
        "lead, prospect (an opportunity was lost, or its people were seen), opportunity (one is open, none was won), "
        "customer (has ordered, or an opportunity was won) or churned (longer ago than lifecycle_days.lapsed).",
        "opportunities.stage or transactions.amount",
        null=_NEVER,
    ),
    _trait("group_role", "category", "independent, group head or subsidiary.", "accounts.parent", null=_NEVER),
    _trait(
        "group_accounts",
        "number",
        "Accounts of its group from it downwards, itself included (20 levels at most, as for all group figures).",
        "accounts.parent",
        unit="accounts",
        null=_NEVER,
    ),
    _trait(
        "group_monetary",
        "number",
        "Money spent so far by it and all accounts below it: sales less returns, without charges.",
        "accounts.parent",
        "transactions.amount",
        unit="currency",
        null="never null: 0 without orders",
    ),
    _trait(
        "group_pipeline_value",
        "number",
        "Amounts of the open opportunities of it and all accounts below it.",
        "accounts.parent",
        *_DEALS,
        "opportunities.amount",
        unit="currency",
        null=_NO_DEAL,
    ),
    _deals("opportunities", "opportunities", "Opportunities so far."),
    _deals("open_opportunities", "opportunities", "Opportunities that are still open."),
    _deals("won_opportunities", "opportunities", "Opportunities that were won."),
    _deals("lost_opportunities", "opportunities", "Opportunities that were lost."),
    _deals("win_rate", "share", "Won ones as a share of the opportunities won or lost.", null="none won or lost"),
    _deals(
        "pipeline_value",
        "currency",
        "Amounts of the open opportunities. What one was worth that has closed since is not known.",
        "opportunities.amount",
    ),
    _deals(
        "expected_pipeline_value",
        "currency",
        "Amounts of the open opportunities, each times its probability.",
        "opportunities.amount",
        "opportunities.probability",
    ),
    _deals(
        "average_deal_value",
        "currency an opportunity",
        "Amount of an average opportunity that was won.",
        "opportunities.amount",
        null="none won with an amount",
    ),
    _deals(
        "sales_cycle_days",
        "days",
        "Average days from the beginning of an opportunity to the day on which it was won.",
        "opportunities.created_at",
        "opportunities.closes_at",
        null="none won with both days",
    ),
    _trait(
        "contacts",
        "number",
        "Customers who are its contacts.",
        "customers.account",
        unit="contacts",
        pii=Pii.QUASI,
        null=_NEVER,
    ),
    _trait(
        "deciders",
        "number",
        "Contacts who decide, by their role or job title.",
        "customers.role or customers.occupation",
        unit="contacts",
        pii=Pii.QUASI,
        null=_NEVER,
    ),
    _trait(
        "buying_roles",
        "number",
        "Different roles in buying among the contacts, of five.",
        "customers.role or customers.occupation",
        unit="roles",
        pii=Pii.QUASI,
        null=_NEVER,
    ),
    _trait(
        "touchpoints_90d",
        "number",
        "Events of the last 90 days that concern it. Who is a contact of several accounts counts only where the event "
        "says which it concerns.",
        "events.time",
        unit="events",
        null="never null: 0 without events",
    ),
    _trait(
        "last_touchpoint_days", "number", "Days since the last such event.", "events.time", unit="days", null="no event"
    ),
)
