"""What the simulated customers say and read: surveys, newsletters, consents, costs and market research. Data only.

Every number is an assumption about an ordinary retailer. The names of needs segments, attitudes and occupations are
those of ``plan_people.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# --- needs: the ten benefits of the MaxDiff exercise ------------------------------------------------------------------

BENEFITS = (
    "Low prices", "Long warranty", "Fast delivery", "Latest technology", "Easy set-up", "Personal advice",
    "Good design", "Sustainable products", "Simple returns", "Dependable quality",
)  # fmt: skip

# Utility of each benefit (in the order above) to the members of a needs segment, in logits of a MaxDiff choice.
UTILITIES: Mapping[str, tuple[float, ...]] = {
    "price first": (2.3, 0.3, 0.4, -0.7, -0.2, -1.0, -0.9, -0.8, 0.9, 0.1),
    "peace of mind": (0.3, 1.9, 0.1, -0.6, 0.3, 0.4, -1.0, -0.3, 0.0, 2.1),
    "latest and fastest": (-0.4, 0.0, 1.0, 2.3, -0.4, -0.7, 0.4, -0.9, -0.7, 0.7),
    "keep it simple": (0.2, 0.6, -0.1, -1.1, 2.1, 1.5, -0.7, -0.5, 0.4, 0.3),
    "style and conscience": (-0.6, -0.4, 0.1, 0.6, -0.2, -0.1, 2.1, 1.4, -0.2, 0.4),
}
UTILITY_SPREAD = 0.5  # standard deviation of a person's utility around that of the segment

# A MaxDiff design: version v shows the benefits (block + v) modulo 10. Every benefit is then shown 32 times in ten
# versions and four times at most in one, every pair ten or eleven times in all versions. Found by random search.
MAXDIFF_BLOCKS = (
    (0, 2, 6, 9), (0, 1, 3, 7), (4, 5, 6, 7), (2, 4, 5, 7), (1, 2, 6, 8), (3, 5, 8, 9), (0, 1, 3, 5), (0, 4, 8, 9),
)  # fmt: skip
MAXDIFF_VERSIONS = 10

# How well the shop serves each benefit, from -2 (badly) to 1: moves the satisfaction that people state.
SERVED = (0.2, -0.3, -1.4, 0.8, -0.9, -1.6, 0.3, -0.6, 0.6, 0.5)


# --- attitudes: four scales of four items -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """One statement of an attitude scale; ``loading`` is its correlation with the attitude behind it."""

    name: str
    scale: str
    text: str
    loading: float
    reverse: bool = False  # agreement speaks against the attitude


ITEMS = (
    Item("Q1_1", "innovativeness", "I am usually among the first to try new technology.", 0.80),
    Item("Q1_2", "innovativeness", "I like to find out about new devices before others do.", 0.74),
    Item("Q1_3", "innovativeness", "I wait until others have tried a new product.", 0.66, reverse=True),
    Item("Q1_4", "innovativeness", "New gadgets are a pleasure to me.", 0.72),
    Item("Q1_5", "price_consciousness", "I compare prices in several shops before I buy.", 0.78),
    Item("Q1_6", "price_consciousness", "I look out for offers and vouchers.", 0.74),
    Item("Q1_7", "price_consciousness", "What something costs hardly matters if I like it.", 0.66, reverse=True),
    Item("Q1_8", "price_consciousness", "Saving money on purchases makes me feel good.", 0.70),
    Item("Q1_9", "brand_loyalty", "When I have found a brand I like, I stay with it.", 0.80),
    Item("Q1_10", "brand_loyalty", "I often switch brands just to try something else.", 0.70, reverse=True),
    Item("Q1_11", "brand_loyalty", "I would pay more for a brand that I trust.", 0.70),
    Item("Q1_12", "brand_loyalty", "A shop can always win me over from the brand I know.", 0.62, reverse=True),
    Item("Q1_13", "privacy_concern", "I worry about what companies do with my data.", 0.80),
    Item("Q1_14", "privacy_concern", "I avoid giving personal details online.", 0.74),
    Item("Q1_15", "privacy_concern", "I do not mind being tracked if the offers get better.", 0.64, reverse=True),
    Item("Q1_16", "privacy_concern", "Shops should ask before they store anything about me.", 0.70),
)

AGREEMENT = (
    "Strongly disagree", "Disagree", "Somewhat disagree", "Neither agree nor disagree", "Somewhat agree", "Agree",
    "Strongly agree",
)  # fmt: skip
AGREEMENT_CUTS = (-1.7, -1.1, -0.5, 0.1, 0.7, 1.4)  # standard scores between neighbouring answers: people like to agree

SURVEY_QUIRKS: Mapping[str, float] = {
    "straight line": 0.03,  # the same answer to all statements
    "speeder": 0.03,  # random answers in a minute
    "partial": 0.05,  # gave up on the way
    "duplicate": 0.005,  # answered twice
}
RESPONDENTS_MOST = 50_000
SURVEYED_SHARE = {"attitudes": 0.20, "importance": 0.10, "recommendation": 0.10}


# --- why a tablet -----------------------------------------------------------------------------------------------------

REASONS = (
    "Taking notes in lectures", "Streaming films and series", "Its low price", "Light to carry",
    "Presenting in meetings", "Security features", "E-mail on the move", "It looks professional", "Reading at home",
    "Something else",
)  # fmt: skip

# Probability that an owner ticks each reason (in the order above), by occupation.
REASON_SHARES: Mapping[str, tuple[float, ...]] = {
    "student": (0.72, 0.66, 0.55, 0.50, 0.06, 0.05, 0.12, 0.05, 0.22, 0.04),
    "executive": (0.03, 0.14, 0.06, 0.24, 0.70, 0.56, 0.64, 0.42, 0.18, 0.05),
}
REASON_SHARES_ELSE = (0.06, 0.44, 0.30, 0.28, 0.14, 0.14, 0.26, 0.08, 0.46, 0.08)


# --- newsletter -------------------------------------------------------------------------------------------------------

# Subjects of the monthly newsletter, January first.
SUBJECTS = (
    "New year, tidy desk", "Five ways to work from anywhere", "Spring refresh for your home office",
    "Smart home made simple", "The sound of summer", "Travel light: our smallest chargers",
    "Summer reading, on every screen", "Back to school, back to savings", "Your autumn set-up guide",
    "What is new this October", "Black Friday is coming", "Gifts they will really use",
)  # fmt: skip
CAMPAIGN_SUBJECT = "A little something for you"
LINKS = ("/c/computers", "/c/audio", "/c/smart-home", "/offers", "/guides/set-up", "/c/office-supplies", "/stores")


@dataclass(frozen=True)
class Reading:
    """How a newsletter is read: opening in logits, leaving as probabilities per mail."""

    opened: float = -1.9  # by somebody who is not digital at all
    opened_digital: float = 1.7  # added for digital = 1
    opened_taste: float = 0.9  # standard deviation between people
    clicked: float = 0.13  # share of those who opened
    unsubscribed: float = 0.006
    bounced: float = 0.0012  # for good: the address is gone
    soft_bounced: float = 0.004  # the mailbox was full
    robots: float = 0.008  # share of addresses behind a security scanner that opens everything
    leads: float = 0.6  # share of the CRM's leads who subscribe
    strangers: float = 0.03  # subscribers whom no other system knows, per customer
    former: float = 0.3  # share of the customers who say no that once read it and left


READING = Reading()


@dataclass(frozen=True)
class SignUp:
    """What readers tell in the newsletter's form, as shares of them: name and postcode are asked for, because stores
    invite to events nearby; the birthday, without the year, is optional and promises a voucher.

    Assumed, not measured: a field that one need not fill is left empty by every tenth to every third person.
    """

    no_first_name: float = 0.12
    no_last_name: float = 0.2  # they give no first name either, or not the last name
    mistyped: float = 0.02  # last names, and as many postcodes
    no_postcode: float = 0.08
    former_postcode: float = 0.3  # of those who have moved: they signed up before, and nobody corrects a form
    no_birthday: float = 0.22
    exchanged: float = 0.02  # day and month: the form asks for MM/DD, which is not how people write it here
    invented: float = 0.02  # birthdays of people who want the voucher now


SIGN_UP = SignUp()
# Logits by which needs segments and behaviour groups read more than others.
OPENED_BY_NEED: Mapping[str, float] = {
    "price first": 0.35, "latest and fastest": 0.25, "keep it simple": -0.2, "style and conscience": 0.1,
}  # fmt: skip
OPENED_BY_GROUP: Mapping[str, float] = {
    "bargain hunters": 0.6, "tech enthusiasts": 0.3, "lapsed big spenders": -0.8, "one-time buyers": -0.6,
    "never ordered": -0.5, "new customers": 0.4,
}  # fmt: skip
CLICKED_BY_GROUP: Mapping[str, float] = {"bargain hunters": 2.0, "tech enthusiasts": 1.5, "never ordered": 0.6}


# --- consents ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Permission:
    """A consent that customers are asked for: who is asked, who grants it, who takes it back later (shares)."""

    channel: str
    purpose: str
    asked: float
    granted: float
    withdrawn: float
    proofs: tuple[str, ...]


EMAIL = ("email", "newsletter")  # granted and taken back as shop and newsletter tool have it
EMAIL_PROOFS = ("shop sign-up form", "double opt-in", "store tablet")
UNSUBSCRIBED_NOTED = 0.8  # share of those who unsubscribe whose consent is taken back in the register
PERMISSIONS = (
    Permission("phone", "offers", 0.25, 0.30, 0.04, ("call recording", "contract form")),
    Permission("post", "catalogue", 0.35, 0.55, 0.03, ("contract form", "store tablet", "letter")),
    Permission("ads", "personalised advertising", 0.45, 0.48, 0.06, ("cookie banner", "app settings")),
)
CONTRADICTED = 0.012  # share of statements that a second record of the same day contradicts
WITHDRAWN_BY = ("unsubscribe link", "account page", "phone call", "e-mail to support")


# --- service ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Service:
    """How often people write to support, and what that costs (pounds)."""

    tickets: float = 0.45  # per person with an average satisfaction, in the window
    ticket: float = 1.10  # for each ticket, system and telephone
    minute: float = 0.55  # of handling
    taken_back: float = 4.20  # for each order that comes back


SERVICE = Service()


@dataclass(frozen=True)
class AfterContact:
    """The survey that follows a ticket: who answers it, and how satisfied and at ease they are on average.

    On a scale from 0 to 10 people are as satisfied with the help as they are with the company, moved by the matter. How
    easy it was, from 1 to 7, is a thing of the matter and of what people look for.
    """

    answered: float = 0.35  # share of the tickets
    no_score: float = 0.04  # share of the answers that leave one question out
    content_spread: float = 1.2  # standard deviation between contacts
    ease: float = 5.2
    ease_spread: float = 0.9


AFTER_CONTACT = AfterContact()
EASE_BY_NEED: Mapping[str, float] = {"keep it simple": -1.0, "latest and fastest": 0.5}
CONTENT = ("Very dissatisfied", "Dissatisfied", "Neither satisfied nor dissatisfied", "Satisfied", "Very satisfied")


# --- acquisition costs ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Advertising:
    """What winning a customer costs on a channel: campaigns, and pounds per new customer."""

    channel: str
    campaigns: tuple[str, ...]
    per_customer: float
    fee: float = 0.0  # pounds to an affiliate for each customer, on top


ADVERTISING = (
    Advertising("search", ("brand keywords", "generic keywords", "shopping listings"), 21.0),
    Advertising("social", ("video", "carousel"), 17.0),
    Advertising("referral", ("bring a friend",), 4.0, fee=10.0),
    Advertising("email", ("partner newsletter",), 8.0),
    Advertising("store", ("local radio", "leaflets"), 27.0),
    Advertising("marketplace", ("sponsored listings",), 12.0, fee=6.5),
)


# --- market research --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AgeBand:
    """An age band of the adult population, and how it stands to electronics and office goods."""

    name: str
    share: float  # of the adults of an average region
    spend: float  # pounds a head and year
    propensity: float  # share who would buy from an online electronics shop


MARKET_AGES = (
    AgeBand("18-24", 0.106, 410, 0.71),
    AgeBand("25-34", 0.171, 560, 0.74),
    AgeBand("35-44", 0.168, 610, 0.69),
    AgeBand("45-54", 0.166, 590, 0.60),
    AgeBand("55-64", 0.158, 480, 0.47),
    AgeBand("65+", 0.231, 310, 0.29),
)


@dataclass(frozen=True)
class Region:
    """A region of the market: its share of the adults, spend relative to the average, and younger or older."""

    name: str
    share: float
    spend: float
    young: float  # exponent on the youth of the bands: above 0 a younger region


MARKET_REGIONS = (
    Region("Greater London", 0.131, 1.18, 0.35),
    Region("South East", 0.139, 1.10, -0.05),
    Region("East of England", 0.094, 1.04, -0.05),
    Region("North West", 0.111, 0.95, 0.02),
    Region("West Midlands", 0.088, 0.94, 0.04),
    Region("Yorkshire", 0.082, 0.92, 0.03),
    Region("East Midlands", 0.073, 0.95, 0.0),
    Region("South West", 0.086, 1.01, -0.15),
    Region("North East", 0.040, 0.88, -0.03),
    Region("Scotland", 0.082, 0.97, -0.02),
    Region("Wales", 0.046, 0.90, -0.08),
    Region("Northern Ireland", 0.028, 0.93, 0.08),
)


@dataclass(frozen=True)
class Study:
    """A published study: which measure it gives, in which unit, and how many months before the end it came out."""

    source: str
    measure: str
    unit: str
    months_old: int


STUDIES = (
    Study("Albion Census Digest", "population_share", "share of adults", 14),
    Study("Hartwell Household Panel", "spend_per_head", "GBP a year", 5),
    Study("Quillfeather Retail Monitor", "propensity", "share of adults", 3),
)
