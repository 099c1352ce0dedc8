"""Business accounts of the demo company: their industries, size, stages and opportunities. Data only, assumptions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Industry:
    """A line of business, how its firms are called, and what they turn over per employee (pounds a year)."""

    name: str
    trades: tuple[str, ...]
    weight: float
    revenue: float


INDUSTRIES = (
    Industry("Professional Services", ("Accountants", "Consulting", "Solicitors", "Recruitment"), 22, 95_000),
    Industry("Retail", ("Stores", "Trading", "Supplies"), 15, 140_000),
    Industry("Construction", ("Builders", "Joinery", "Roofing"), 14, 120_000),
    Industry("Healthcare", ("Dental", "Care Homes", "Physiotherapy"), 11, 70_000),
    Industry("Education", ("Nurseries", "Tutors", "Training"), 9, 55_000),
    Industry("Technology", ("Software", "Systems", "Digital"), 11, 130_000),
    Industry("Manufacturing", ("Engineering", "Plastics", "Packaging"), 9, 160_000),
    Industry("Hospitality", ("Hotels", "Catering", "Taverns"), 9, 60_000),
)

# Share of the accounts with a customer, and of those without one yet.
STAGES = {
    "Prospect": (0.0, 0.45),
    "Qualified": (0.0, 0.35),
    "In negotiation": (0.0, 0.20),
    "New customer": (0.18, 0.0),
    "Established customer": (0.52, 0.0),
    "Key account": (0.14, 0.0),
    "At risk": (0.16, 0.0),
}
FORMS = ("Ltd", "Ltd", "Ltd", "LLP", "plc", "Limited")
# The debtors' ledger of accounting, which writes firms as they stand on the invoice.
BILLED = 0.9  # share of the accounts with customers that are debtors
OTHER_NAME = 0.03  # share of the debtors that are billed under a name of their own: no record says who they are
CUSTOMERS_PER_ACCOUNT = 30
ACCOUNTS_LEAST = 3
BUYING = 0.75  # share of the accounts that have a customer among their people
CROWDING = 1.6  # people crowd into the large accounts: account number ~ uniform variate to this power
SUBSIDIARIES = (0.18, 0.06)  # share of the accounts below a group's head, and below those
LEADS = 0.06  # people in the CRM who never were customers, for each customer
LEADS_AT_ACCOUNTS = 0.5  # share of the leads who work for an account that has no customer yet
IN_CRM = (0.40, 0.95)  # share of the consumers and of the business contacts who have a contact record
NUMBERED = 0.8  # share of those whose record carries the shop's customer number
TWICE = 0.02  # share with a second record
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Trade Show", "Word of mouth", "Other")
TITLES = (
    "Office Manager", "Managing Director", "Buyer", "IT Manager", "Finance Director", "Head of Facilities", "Owner",
    "Personal Assistant", "Operations Manager", "Bursar",
)  # fmt: skip


@dataclass(frozen=True)
class OpportunityStage:
    """A step on the way to a sale, with the CRM's usual probability of winning and forecast category."""

    name: str
    probability: int  # per cent
    forecast: str


OPPORTUNITY_STAGES = (
    OpportunityStage("Prospecting", 10, "Pipeline"),
    OpportunityStage("Qualification", 20, "Pipeline"),
    OpportunityStage("Proposal/Price Quote", 60, "Best Case"),
    OpportunityStage("Negotiation/Review", 80, "Commit"),
    OpportunityStage("Closed Won", 100, "Closed"),
    OpportunityStage("Closed Lost", 0, "Omitted"),
)
WON, LOST = 4, 5  # their places in this list
OPPORTUNITIES = 1.8  # per account in the window, on average
WIN_RATE = 0.48  # of closed opportunities with accounts that have customers; the others have never won one
AMOUNT = 420.0  # pounds, of a typical opportunity with one employee; it grows with employees ** 0.7
