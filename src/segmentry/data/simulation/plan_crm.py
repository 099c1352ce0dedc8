"""Business accounts of the demo company: their industries, size, stages, opportunities and technologies. Data only,
assumptions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Industry:
    """A line of business, how its firms are called, and what they turn over per employee (pounds a year)."""

    name: str
    trades: tuple[str, ...]
    weight: float
    revenue: float
    early: float = 0.0  # how much earlier than others it takes up what is new, in standard deviations


INDUSTRIES = (
    Industry("Professional Services", ("Accountants", "Consulting", "Solicitors", "Recruitment"), 22, 95_000, 0.2),
    Industry("Retail", ("Stores", "Trading", "Supplies"), 15, 140_000),
    Industry("Construction", ("Builders", "Joinery", "Roofing"), 14, 120_000, -0.6),
    Industry("Healthcare", ("Dental", "Care Homes", "Physiotherapy"), 11, 70_000, -0.3),
    Industry("Education", ("Nurseries", "Tutors", "Training"), 9, 55_000),
    Industry("Technology", ("Software", "Systems", "Digital"), 11, 130_000, 1.2),
    Industry("Manufacturing", ("Engineering", "Plastics", "Packaging"), 9, 160_000, -0.1),
    Industry("Hospitality", ("Hotels", "Catering", "Taverns"), 9, 60_000, -0.5),
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


# How early a firm takes up what is new: a standard normal variate, and where the groups of Rogers (2003) begin.
ADOPTION = {"Laggard": -9.0, "Late Majority": -1.0, "Early Majority": 0.0, "Early Adopter": 1.0, "Innovator": 2.0}
ADOPTION_SPREAD = 0.85  # standard deviation within an industry


@dataclass(frozen=True)
class Technology:
    """What firms may run: the share of ordinary firms of 20 people that do, and who more than those (in logits)."""

    name: str
    usual: float
    early: float = 0.0  # for each standard deviation that a firm is earlier
    size: float = 0.0  # for each e-fold of employees


TECHNOLOGIES = (
    Technology("Office suite", 0.90),
    Technology("Accounting software", 0.80, 0.3, 0.2),
    Technology("Video calls", 0.65, 0.8, 0.2),
    Technology("Own server", 0.35, -0.9, 0.6),
    Technology("Fax", 0.20, -1.3, 0.2),
    Technology("Cloud storage", 0.55, 1.0),
    Technology("CRM", 0.35, 0.6, 0.6),
    Technology("Web shop", 0.25, 0.6),
    Technology("ERP", 0.15, 0.2, 1.1),
    Technology("Cloud telephony", 0.25, 1.1, 0.2),
    Technology("Business intelligence", 0.15, 0.9, 0.7),
    Technology("AI assistant", 0.15, 1.6),
    Technology("Process automation", 0.06, 1.4, 0.5),
)
STACK_KNOWN = 0.75  # share of the accounts whose technologies sales people have noted
NOTED = 0.85  # share of the technologies of those that they heard of
NOTED_TWICE = 0.03  # share of the noted that a second hand has noted again
ADOPTION_KNOWN = 0.65  # share of the accounts whose place among adopters is noted
ADOPTION_RIGHT = 0.8  # share of those notes that are right; the others are one group off
