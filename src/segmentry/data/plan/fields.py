"""What each segmentation model needs to know of a customer: the fields, which data give them, and how to gather them.

A field is met by any of its ``needs``: a ``table.column`` of the contracts, or ``responses``, ``events`` and ``costs``
whose question, name or type has one of the field's ``words``. Which traits a field carries follows from the catalogue;
``enables`` adds what is more than a trait.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS, Model, Trait
from segmentry.data.plan import questions as q
from segmentry.data.plan.questions import Question
from segmentry.data.vocabulary import has_word

Of = Literal["people", "organisations", "both"]
Way = Literal["system", "event", "survey"]
NAMED_TABLES = {"responses": ("question", "item"), "events": ("name",), "costs": ("type",)}  # columns with the words


@dataclass(frozen=True)
class LoggedEvent:
    """One call of the Segment specification that an application makes when something happens."""

    name: str
    properties: tuple[str, ...]
    call: Literal["track", "page", "identify", "group"] = "track"


@dataclass(frozen=True)
class Field:
    """One thing to know about a customer.

    ``strength`` for segmentation: 3 strong, 2 useful, 1 additional. ``system`` usually has it. ``stale_after`` days
    without a newer record make it doubtful; 0: it does not age.
    """

    name: str
    model: Model
    title: str
    why: str
    strength: Literal[1, 2, 3]
    needs: tuple[str, ...]
    system: str
    words: str = ""
    enables: tuple[str, ...] = ()
    event: LoggedEvent | None = None
    question: Question | None = None
    of: Of = "both"
    stale_after: int = 0

    @property
    def id(self) -> str:
        """Its name in plan.yaml and on the command line: ``demographic.income``."""
        return f"{self.model.value}.{self.name}"

    @property
    def code(self) -> str:
        """The code of its question in a questionnaire; answers under this code meet the field."""
        return self.id.replace(".", "_")

    @property
    def traits(self) -> tuple[Trait, ...]:
        """The traits of the catalogue that are computed from its columns, this model's first."""
        every = [*TRAITS.values(), *(ACCOUNT_TRAITS.values() if self.of == "organisations" else ())]
        return tuple(sorted(self.traits_of(every), key=lambda t: t.model is not self.model))

    def traits_of(self, traits: Iterable[Trait]) -> list[Trait]:
        """Those of the traits that are computed from its columns."""
        mine = set(self.needs)
        return [t for t in traits if any(mine & set(need.split(" or ")) for need in t.needs)]

    @property
    def columns(self) -> tuple[str, ...]:
        """The ``table.column`` that give it."""
        return tuple(need for need in self.needs if "." in need)

    @property
    def way(self) -> Way:
        """The usual way to gather it, the cheapest one that there is."""
        if self.question is not None and self.system.startswith(_SURVEY):
            return "survey"
        if any(not c.startswith("events.") for c in self.columns):
            return "system"
        return "event" if self.event is not None else "survey" if self.question is not None else "system"

    def is_told_by(self, text: str) -> bool:
        """Whether a question, an event, a type of cost or an attribute of that name tells it.

        >>> BY_ID["needs.nps"].is_told_by("How likely are you to recommend us to a friend?")
        True
        >>> BY_ID["behavioral.visits"].is_told_by("Product Viewed"), BY_ID["needs.nps"].is_told_by("Product Viewed")
        (True, False)
        >>> BY_ID["needs.csat"].is_told_by("Overall, how satisfied are you with the help that you got?")
        True
        """
        if has_word(text, self.code) or has_word(text, self.name):
            return True
        return any(has_word(text, phrase) for phrase in self.words.split(",") if phrase.strip())


def _track(name: str, *properties: str) -> LoggedEvent:
    return LoggedEvent(name, properties)


_SURVEY = "survey"
_DEMOGRAPHIC = (
    Field(
        "age", Model.DEMOGRAPHIC, "Age", "Life stage decides on needs, media and prices more than any other fact.", 3,
        ("customers.birth_date", "customers.birth_year", "customers.age", "responses"),
        "CRM, loyalty card or sign-up form (year of birth is enough)", "age, how old, year of birth, birth year",
        ("age groups", "weighting to the population"), question=q.AGE, of="people",
    ),
    Field(
        "gender", Model.DEMOGRAPHIC, "Gender", "Describes segments; forms them where the range is gendered.", 2,
        ("customers.gender", "responses"), "CRM, loyalty card or sign-up form (salutation)",
        "gender, sex, describe yourself", question=q.GENDER, of="people",
    ),
    Field(
        "income", Model.DEMOGRAPHIC, "Household income", "What people can spend, which their orders do not show.", 3,
        ("customers.income", "responses"), "survey; a data provider by postcode; the credit check of a bank",
        "income, yearly income, salary", ("headroom: spend against income",), question=q.INCOME, of="people",
    ),
    Field(
        "household_size", Model.DEMOGRAPHIC, "Household size", "Quantities and pack sizes follow from it.", 2,
        ("customers.household_size", "responses"), "loyalty card or survey",
        "household size, people in your household, live in your household", question=q.HOUSEHOLD, of="people",
    ),
    Field(
        "children", Model.DEMOGRAPHIC, "Children", "The strongest single sign of a life stage.", 2,
        ("customers.children", "responses"), "loyalty card or survey", "children, kids, kidhome, teenhome",
        question=q.CHILDREN, of="people",
    ),
    Field(
        "education", Model.DEMOGRAPHIC, "Education", "Goes with media use and complex products.", 1,
        ("customers.education", "responses"), _SURVEY, "education, qualification", question=q.EDUCATION, of="people",
    ),
    Field(
        "marital_status", Model.DEMOGRAPHIC, "Family status", "Completes the life stage.", 1,
        ("customers.marital_status", "responses"), "CRM or survey", "marital status, family status, married",
        question=q.MARITAL, of="people",
    ),
    Field(
        "occupation", Model.DEMOGRAPHIC, "Occupation or job title", "Time, income and, in business, the role.", 2,
        ("customers.occupation", "responses"), "CRM (job title) or survey",
        "occupation, job title, profession, mainly do", question=q.OCCUPATION,
    ),
    Field(
        "role", Model.DEMOGRAPHIC, "Role in buying", "Who decides hears another message than who uses.", 3,
        ("customers.role", "responses"), "CRM (contact role) or survey",
        "role, contact role, buying role, decisions to buy, seniority",
        ("messages by role",), question=q.ROLE, of="organisations", stale_after=730,
    ),
    Field(
        "language", Model.DEMOGRAPHIC, "Language", "A message that is not understood cannot work.", 2,
        ("customers.language", "responses"), "web analytics (browser locale), account settings",
        "language, preferred language", event=LoggedEvent("identify", ("locale",), "identify"), question=q.LANGUAGE,
    ),
)  # fmt: skip
_GEOGRAPHIC = (
    Field(
        "country", Model.GEOGRAPHIC, "Country", "Law, price level, season and language.", 3,
        ("customers.country", "transactions.country"), "shipping address of the shop's orders",
        "country", question=q.COUNTRY,
    ),
    Field(
        "postcode", Model.GEOGRAPHIC, "Postcode", "The key to every outside figure about an area.", 3,
        ("customers.postcode",), "shipping or billing address", "postcode, postal code, zip",
        ("areas joined to census and market figures", "distance to a store"), question=q.POSTCODE, of="people",
    ),
    Field(
        "region", Model.GEOGRAPHIC, "Region", "Sales areas, weather, local competition.", 2,
        ("customers.region",), "shipping or billing address", "region, state, county",
    ),
    Field(
        "city", Model.GEOGRAPHIC, "Town", "City or country life; local campaigns.", 2, ("customers.city",),
        "shipping or billing address", "city, town",
    ),
    Field(
        "area_type", Model.GEOGRAPHIC, "City or country", "Delivery, store visits and needs differ with it.", 2,
        ("customers.area_type", "customers.density", "responses"), "derived from the postcode, or survey",
        "area type, urban, rural, where do you live, urbanity",
        question=q.AREA, of="people",
    ),
    Field(
        "store", Model.GEOGRAPHIC, "Store or branch", "Catchment areas of the stores.", 2, ("transactions.store",),
        "till or shop orders", "store, branch", ("catchment areas",), of="people", stale_after=365,
        event=_track("Order Completed", "order_id", "store_id"),
    ),
    Field(
        "coordinates", Model.GEOGRAPHIC, "Coordinates", "Distances; a postcode is usually enough.", 1,
        ("customers.latitude", "customers.longitude"), "geocoding of the address", "latitude, longitude, coordinates",
        ("distance to a store",),
    ),
    Field(
        "stores", Model.GEOGRAPHIC, "Places of the stores", "How far somebody lives from the next one.", 1,
        ("stores.latitude", "stores.longitude"), "list of branches with coordinates", "", ("distance to a store",),
    ),
)  # fmt: skip
_PSYCHOGRAPHIC = (
    Field(
        "attitudes", Model.PSYCHOGRAPHIC, "Attitudes to buying", "Why people with the same orders want other things.",
        3, ("responses",), _SURVEY,
        "attitude, attitudes, agree, compare prices, offers and vouchers, brand i like, switch brands, brand that i "
        "trust, enjoy shopping, bargain, impulse", ("attitude segments (latent classes, k-means on scales)",),
        question=q.ATTITUDES, stale_after=730,
    ),
    Field(
        "values", Model.PSYCHOGRAPHIC, "Personal values", "What a message should appeal to; stable over years.", 2,
        ("responses",), _SURVEY, "values, important to this person, schwartz", ("value types (Schwartz)",),
        question=q.VALUES, of="people", stale_after=1825,
    ),
    Field(
        "interests", Model.PSYCHOGRAPHIC, "Interests and lifestyle", "Themes of content and of partner offers.", 2,
        ("responses", "events"), "survey, newsletter preferences, social media topics",
        "interests, interest, hobby, hobbies, lifestyle, free time, topic, preference updated",
        ("lifestyle segments",), event=_track("Preference Updated", "topic", "wanted"), question=q.INTERESTS,
        of="people", stale_after=730,
    ),
    Field(
        "personality", Model.PSYCHOGRAPHIC, "Personality", "Tone of a message; weak for what is bought.", 1,
        ("responses",), _SURVEY, "personality, see myself as, big five", question=q.PERSONALITY, of="people",
        stale_after=1825,
    ),
    Field(
        "engagement", Model.PSYCHOGRAPHIC, "Social engagement", "What people say and share when nobody asks.", 1,
        ("events",), "social media exports (network, interaction, author)",
        "post, comment, share, like, mention, review, product reviewed, product shared",
        event=_track("Product Shared", "share_via", "product_id"), of="people", stale_after=365,
    ),
)  # fmt: skip
_TECHNOGRAPHIC = (
    Field(
        "devices", Model.TECHNOGRAPHIC, "Devices and systems", "Which device, system and browser is in use.", 3,
        ("events.user_agent",), "web and app analytics (user agent)", "device, devices, operating system, browser",
        ("device segments",), event=LoggedEvent("page", ("context.userAgent", "context.device.type"), "page"),
        question=q.DEVICES, stale_after=365,
    ),
    Field(
        "app_version", Model.TECHNOGRAPHIC, "Version of the app", "Who updates late misses what is new.", 1,
        ("events.app_version",), "app analytics (version of the app)", "app version",
        event=_track("Application Updated", "previous_version", "version"), stale_after=90,
    ),
    Field(
        "channels", Model.TECHNOGRAPHIC, "Channels in use", "Web, app, e-mail, store: where people can be met.", 2,
        ("events.channel",), "web and app analytics, e-mail tool", "channel, hear from us",
        event=_track("Application Opened", "version", "from_background"), question=q.CONTACT_CHANNELS, stale_after=365,
    ),
    Field(
        "adoption", Model.TECHNOGRAPHIC, "Adoption of technology", "Innovators and laggards buy another product.", 3,
        ("responses", "accounts.adoption_stage"), _SURVEY,
        "adoption, new technology, new devices, gadgets, have tried a new product, innovativeness, technology",
        ("adopter groups (Rogers)",), question=q.ADOPTION, stale_after=730,
    ),
    Field(
        "privacy_concern", Model.TECHNOGRAPHIC, "Concern about data", "Who wants to be addressed personally, and not.",
        2, ("responses",), _SURVEY, "privacy, privacy concern, companies do with my data, personal details, tracked",
        question=q.PRIVACY, stale_after=730,
    ),
    Field(
        "stack", Model.TECHNOGRAPHIC, "Software in use", "What a company runs decides what fits, and who competes.", 3,
        ("accounts.technologies", "responses"), "sales notes in the CRM, a technographic data provider, survey",
        "stack, tech stack, software, technology, technologies, tools, systems, company use",
        ("fit by technology",), question=q.STACK, of="organisations", stale_after=365,
    ),
)  # fmt: skip
_BEHAVIORAL = (
    Field(
        "purchases", Model.BEHAVIORAL, "Purchases", "What people did is the best forecast of what they will do.", 3,
        ("transactions.amount",), "shop, till or billing: one row an order line, with customer, time and amount",
        "purchase, order, monetary, spend, recency, frequency, deals purchases",
        ("RFM", "life cycle", "value tiers", "behavioural groups (k-means)", "customer lifetime value"),
        event=_track("Order Completed", "order_id", "total", "revenue", "currency", "discount", "products"),
        stale_after=180,
    ),
    Field(
        "products", Model.BEHAVIORAL, "Products", "What somebody buys says what for.", 3,
        ("transactions.product", "transactions.product_name"), "order lines", "product, item",
        ("next best product", "baskets"), event=_track("Order Completed", "products.product_id", "products.name"),
        stale_after=180,
    ),
    Field(
        "orders", Model.BEHAVIORAL, "Order numbers", "They tell which products were bought together.", 1,
        ("transactions.order",), "shop or till: the number of the order, on each of its lines", "order number, invoice",
        ("baskets",), event=_track("Order Completed", "order_id"), stale_after=180,
    ),
    Field(
        "categories", Model.BEHAVIORAL, "Product categories", "Products in groups that are large enough to compare.", 3,
        ("transactions.category", "products.category"), "product catalogue", "category, mnt",
        event=_track("Order Completed", "products.category"), stale_after=180,
    ),
    Field(
        "visits", Model.BEHAVIORAL, "Visits and views", "Interest before, and instead of, an order.", 3,
        ("events",), "web and app analytics", "page, product viewed, product list viewed, visit, session, screen, "
        "page view, web visits", ("interest without purchase", "event traits in rules"),
        event=_track("Product Viewed", "product_id", "category", "price"), stale_after=180,
    ),
    Field(
        "basket", Model.BEHAVIORAL, "Baskets and drop-outs", "Who wanted to buy and did not.", 2, ("events",),
        "web and app analytics", "product added, cart, basket, checkout, checkout started",
        ("abandoned baskets",), event=_track("Product Added", "cart_id", "product_id", "price", "quantity"),
        stale_after=180,
    ),
    Field(
        "mail", Model.BEHAVIORAL, "Reaction to e-mail", "Who can be reached by mail, and who is tired of it.", 2,
        ("events",), "e-mail or marketing automation tool",
        "email opened, opened, clicked, email link clicked, delivered, unsubscribed, bounced, newsletter, accepted cmp",
        ("engagement segments",), event=_track("Email Opened", "campaign_id", "campaign_name"), stale_after=180,
    ),
    Field(
        "channel", Model.BEHAVIORAL, "Channel of purchase", "Web, store, telephone: service and cost differ.", 2,
        ("transactions.channel",), "shop or till orders", "channel", ("channel segments",), stale_after=365,
        event=_track("Order Completed", "order_id", "channel"),
    ),
    Field(
        "discount", Model.BEHAVIORAL, "Discounts used", "Who pays the full price, who waits for the sale.", 2,
        ("transactions.discount",), "shop or till orders", "discount, coupon, voucher",
        ("price-sensitive buyers",), event=_track("Coupon Applied", "order_id", "coupon_id", "discount"),
        stale_after=365,
    ),
    Field(
        "quantity", Model.BEHAVIORAL, "Quantities", "Bulk buyers and resellers.", 1, ("transactions.quantity",),
        "order lines", "quantity", stale_after=365,
    ),
    Field(
        "support", Model.BEHAVIORAL, "Contacts with support", "Complaints come before leaving.", 2, ("events",),
        "help desk", "ticket, support, complaint, case, call", ("customers at risk through service",),
        event=_track("Support Ticket Opened", "ticket_id", "topic", "channel"), stale_after=365,
    ),
    Field(
        "usage", Model.BEHAVIORAL, "Use of the product", "For subscriptions and software: use is the value.", 2,
        ("events", "responses"), "product or app analytics",
        "usage, feature used, use our product, signed in, login, logged in, app opened, application opened",
        ("usage segments",), event=_track("Feature Used", "feature", "duration_seconds"), question=q.USAGE,
        stale_after=90,
    ),
    Field(
        "joined", Model.BEHAVIORAL, "Start of the relation", "New or loyal, before there is any order.", 2,
        ("customers.joined_at",), "CRM or shop account", "joined, signup, customer since",
        event=_track("Signed Up", "type", "first_name"),
    ),
    Field(
        "origin", Model.BEHAVIORAL, "How they found us", "Channels bring customers of other worth.", 1,
        ("customers.acquisition_channel", "responses"), "web analytics (campaign of the first visit), CRM lead source",
        "acquisition channel, lead source, hear of us, first source, campaign source", question=q.HEARD,
    ),
    Field(
        "occasion", Model.BEHAVIORAL, "Occasion", "Gift, household, work: the same person buys differently.", 1,
        ("responses",), "gift option in the checkout, or survey", "occasion, for whom did you buy, gift",
        question=q.OCCASION, stale_after=365,
    ),
    Field(
        "consent", Model.BEHAVIORAL, "Permission to contact", "A segment nobody may write to cannot be acted on.", 2,
        ("consents.status",), "consent platform, e-mail tool, CRM", "consent, opt in, newsletter permission",
        ("audiences by consent",), event=_track("Consent Updated", "channel", "purpose", "status"), stale_after=730,
    ),
)  # fmt: skip
_NEEDS = (
    Field(
        "benefits", Model.NEEDS, "Benefits sought", "The purest basis: segments by what people want of a product.", 3,
        ("responses",), _SURVEY,
        "benefits, benefit, most important to you, least important to you, maxdiff, reasons apply",
        ("benefit segments (MaxDiff, latent classes)", "messages by benefit"), question=q.BENEFITS, stale_after=730,
    ),
    Field(
        "importance", Model.NEEDS, "Importance of needs", "With satisfaction: which needs are not met.", 3,
        ("responses",), _SURVEY, "importance, how important",
        ("needs segments", "opportunity scores"), question=q.IMPORTANCE, stale_after=730,
    ),
    Field(
        "satisfaction", Model.NEEDS, "Satisfaction with each need", "With importance: where to improve first.", 3,
        ("responses",), "survey, or a rating in the help desk",
        "satisfaction, satisfied, csat by item, satisfaction score", ("opportunity scores",),
        question=q.SATISFACTION, stale_after=365,
    ),
    Field(
        "nps", Model.NEEDS, "Recommendation (NPS)", "Loyalty in words, before it shows in orders.", 2,
        ("responses",), "survey tool", "nps, recommend, promoter score", ("promoters and detractors",),
        question=q.NPS, stale_after=365,
    ),
    Field(
        "nps_reason", Model.NEEDS, "Reason for the NPS answer", "Needs in the customers' own words.", 1,
        ("responses",), "survey tool", "main reason, reason for your", question=q.REASON, stale_after=365,
    ),
    Field(
        "feedback", Model.NEEDS, "Feedback in their own words", "What customers talk about when nobody suggests it.", 2,
        ("events.text", "responses"), "help desk (subject and text of tickets), reviews, open questions of surveys",
        "comment, comments, feedback, in your own words, tell us, review, verbatim, main reason, reason for your",
        ("themes, with a share of each for every customer",),
        event=_track("Support Ticket Opened", "ticket_id", "subject", "text"), question=q.COMMENT, stale_after=365,
    ),
    Field(
        "csat", Model.NEEDS, "Satisfaction with a purchase (CSAT)", "Finds the step that went wrong.", 2,
        ("responses",), "survey after an order or a ticket",
        "csat, last purchase, satisfied overall, overall how satisfied, satisfied with the help, with our support",
        question=q.CSAT, stale_after=365,
    ),
    Field(
        "ces", Model.NEEDS, "Effort (CES)", "Effort drives people away more than delight keeps them.", 1,
        ("responses",), "survey after a ticket", "ces, easy for me, effort", question=q.CES, stale_after=365,
    ),
    Field(
        "jobs", Model.NEEDS, "Job to be done", "The task behind the purchase.", 2, ("responses",),
        "interviews, then survey", "jobs, get done, job to be done", ("segments by job",), question=q.JOB,
        stale_after=730,
    ),
    Field(
        "barriers", Model.NEEDS, "Barriers", "Why people do not buy more: the cheapest growth.", 2, ("responses",),
        _SURVEY, "barriers, kept you from, barrier", question=q.BARRIERS, stale_after=730,
    ),
)  # fmt: skip
_VALUE = (
    Field(
        "revenue", Model.VALUE, "Revenue", "Who brings the money.", 3,
        ("transactions.amount", "customers.value"), "shop, till or billing",
        "revenue, cltv, lifetime value, spend, mnt, total charges",
        ("value tiers", "customer lifetime value"),
        event=_track("Order Completed", "order_id", "total", "currency"), stale_after=365,
    ),
    Field(
        "margin", Model.VALUE, "Margin", "Revenue without its cost ranks customers wrongly.", 3,
        ("transactions.cost", "products.unit_cost"), "ERP or product catalogue: cost of goods of each product",
        "margin, profit, cost of goods", ("tiers by margin", "offers that pay"), stale_after=365,
    ),
    Field(
        "acquisition_cost", Model.VALUE, "Cost of acquisition", "Which channels win customers that pay back.", 2,
        ("costs",), "ad platforms and finance: spend by channel", "acquisition, advertising, ad spend",
        ("payback by channel",), stale_after=365,
    ),
    Field(
        "service_cost", Model.VALUE, "Cost to serve", "Some large customers cost more than they bring.", 2,
        ("costs",), "finance, help desk, logistics", "service, support cost, retention, returns cost",
        ("customers that cost more than they bring",), stale_after=365,
    ),
    Field(
        "share_of_wallet", Model.VALUE, "Share of wallet", "Potential: small with us, large elsewhere.", 2,
        ("responses",), _SURVEY, "share of wallet, purchases of this kind, wallet", ("growth potential",),
        question=q.WALLET, stale_after=730,
    ),
    Field(
        "contract_value", Model.VALUE, "Contract value or budget", "What a customer could bring in a year.", 2,
        ("responses",), "CRM opportunities, contracts", "contract value, budget, acv, arr, monthly charges",
        ("tiers by contract value",), question=q.CONTRACT, of="organisations", stale_after=730,
    ),
    Field(
        "market", Model.VALUE, "Size of the market", "How much of each segment is not a customer yet.", 1,
        ("market.value",), "statistics offices, market research", "", ("penetration by segment",), stale_after=1095,
    ),
)  # fmt: skip
_FIRMOGRAPHIC = (
    Field(
        "industry", Model.FIRMOGRAPHIC, "Industry", "Needs, cycles and rules differ most by industry.", 3,
        ("accounts.industry",), "CRM accounts, company register", "industry, sector, branch of trade",
        ("industry segments",), event=LoggedEvent("group", ("industry",), "group"), question=q.INDUSTRY,
        of="organisations",
    ),
    Field(
        "employees", Model.FIRMOGRAPHIC, "Employees", "Size decides on product, price and who buys.", 3,
        ("accounts.employees",), "CRM accounts, company register, data provider", "employees, company size, headcount",
        ("size classes",), event=LoggedEvent("group", ("employees",), "group"), question=q.EMPLOYEES,
        of="organisations",
    ),
    Field(
        "account_revenue", Model.FIRMOGRAPHIC, "Turnover of the company", "What it can spend.", 2,
        ("accounts.revenue",), "company register, data provider", "turnover, annual revenue, company revenue",
        ("size classes",), question=q.REVENUE, of="organisations",
    ),
    Field(
        "contact_link", Model.FIRMOGRAPHIC, "Contacts linked to accounts", "Without it people and firms stay apart.",
        3, ("customers.account",), "CRM: the account id on every contact", "account, company id",
        ("account-based segments",), of="organisations",
    ),
    Field(
        "head_office", Model.FIRMOGRAPHIC, "Country of the head office", "Law, language, sales area.", 2,
        ("accounts.country",), "CRM accounts", "head office, office location", of="organisations",
    ),
    Field(
        "parent", Model.FIRMOGRAPHIC, "Parent company", "A group negotiates once.", 2, ("accounts.parent",),
        "CRM accounts, company register", "parent, subsidiary of, ownership", ("groups of companies",),
        of="organisations",
    ),
    Field(
        "founded", Model.FIRMOGRAPHIC, "Year of foundation", "Start-ups buy otherwise.", 1, ("accounts.founded",),
        "company register", "founded, year established", of="organisations",
    ),
    Field(
        "ownership", Model.FIRMOGRAPHIC, "Ownership", "Who owns a firm decides how it buys.", 1,
        ("accounts.ownership",), "company register, data provider", "ownership, ownership type", of="organisations",
    ),
    Field(
        "stage", Model.FIRMOGRAPHIC, "Stage of the relationship", "A prospect needs other words than a customer.", 2,
        ("accounts.stage",), "CRM accounts", "relationship stage, account stage", of="organisations",
    ),
    Field(
        "opportunities", Model.FIRMOGRAPHIC, "Opportunities, won, lost and open",
        "What is coming, and how business with them goes.", 3, ("opportunities.stage",), "CRM opportunities (deals)",
        "", ("account segments by win rate and sales cycle",), of="organisations", stale_after=180,
    ),
    Field(
        "opportunity_value", Model.FIRMOGRAPHIC, "Value and dates of opportunities", "The worth of the pipeline.", 2,
        ("opportunities.amount", "opportunities.created_at", "opportunities.closes_at"), "CRM opportunities (deals)",
        "", of="organisations", stale_after=180,
    ),
    Field(
        "opportunity_probability", Model.FIRMOGRAPHIC, "Probability of winning", "What of the pipeline to expect.", 1,
        ("opportunities.probability",), "CRM opportunities (deals)", "", of="organisations", stale_after=180,
    ),
    Field(
        "domain", Model.FIRMOGRAPHIC, "Web domain", "The key to outside data, and to who visits the site.", 1,
        ("accounts.domain",), "CRM accounts, e-mail addresses of contacts", "domain, website", of="organisations",
    ),
)  # fmt: skip

FIELDS: tuple[Field, ...] = (
    *_DEMOGRAPHIC,
    *_GEOGRAPHIC,
    *_PSYCHOGRAPHIC,
    *_TECHNOGRAPHIC,
    *_BEHAVIORAL,
    *_NEEDS,
    *_VALUE,
    *_FIRMOGRAPHIC,
)
BY_ID: dict[str, Field] = {field.id: field for field in FIELDS}
