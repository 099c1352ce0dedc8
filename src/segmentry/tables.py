"""The contract of every table: grain, columns, types, units, what null means, and how personal a column is.

Data quality, the data plan, de-identification, masking, the documentation and test fixtures derive from these
declarations (law 5), so a column exists when it is declared here and nowhere else. Tables that later stages fill are
declared already, so that their place is kept.
"""

from __future__ import annotations

from segmentry.columns import Column, Pii, Table, Type

_KEY = Column(
    "customer_key",
    Type.INTEGER,
    "The workspace's own number of the customer; facts are sorted by it.",
    null_means="anonymous: no customer on the record",
)
_THE_CUSTOMER = (
    Column("customer_key", Type.INTEGER, "The workspace's own number of the customer.", required=True),
    Column("customer_id", Type.ID, "The customer's id in this workspace.", pii=Pii.DIRECT, required=True),
)
_CUSTOMER = Column(
    "customer", Type.ID, "The customer's id in the source.", pii=Pii.DIRECT, null_means="anonymous: no customer given"
)
# Who a record speaks of where the customer's id is not on it; identity resolution finds the customer.
_CONTACT = (
    Column("contact_email", Type.TEXT, "The person's e-mail address; its id where `customer` is null.", pii=Pii.DIRECT),
    Column("contact_phone", Type.TEXT, "The person's phone number; its id where both are null.", pii=Pii.DIRECT),
    Column("contact_name", Type.TEXT, "The person's full name.", pii=Pii.DIRECT),
)
# A contact of several accounts acts for one at a time.
_CONCERNS = Column(
    "account",
    Type.ID,
    "The organisation that it concerns: its id, or its name.",
    pii=Pii.QUASI,
    null_means="not stated: it concerns the customer's organisation, where that is one only",
)
# Where a collected row came from; every collected table carries these.
LINEAGE = (
    Column("source", Type.CATEGORY, "Name of the source in segmentry.yaml.", required=True),
    Column("file", Type.TEXT, "File the row was read from, relative to the workspace.", required=True),
    Column("line", Type.INTEGER, "Line of that file (record number for Parquet and Excel).", required=True),
    Column(
        "row_id",
        Type.TEXT,
        "md5 of what the source's key says: a later record of the same id replaces the row.",
        null_means="its source has no key: equal rows are known by their content",
    ),
    Column(
        "known_from",
        Type.TIME,
        "When the record became known here.",
        null_means="from the first collection of its source, so valid for any earlier date",
    ),
    Column(
        "known_until",
        Type.TIME,
        "When another version of the record replaced it, or it was gone at its source. Only former versions have it.",
        null_means="known today",
    ),
)


def _collected(name: str, grain: str, *columns: Column) -> Table:
    return Table(name, grain, "collect", (_KEY, *columns, *LINEAGE), collectable=True)


customers = _collected(
    "customers",
    "one record about a customer in one source",
    Column("customer", Type.ID, "The customer's id in the source.", pii=Pii.DIRECT, required=True),
    Column(
        "known_as",
        Type.ID,
        "The customer's id among `customers`, where another system states it.",
        pii=Pii.DIRECT,
        null_means="not stated",
    ),
    # Text, not an id: an id of the company's own may be shown, this number belongs to the person.
    Column(
        "person_id",
        Type.TEXT,
        "A number of the person that systems share: national id, social security, tax or loyalty number.",
        pii=Pii.DIRECT,
    ),
    Column("name", Type.TEXT, "Full name.", pii=Pii.DIRECT),
    Column("first_name", Type.TEXT, "Given name.", pii=Pii.DIRECT),
    Column("last_name", Type.TEXT, "Family name.", pii=Pii.DIRECT),
    Column("email", Type.TEXT, "E-mail address.", pii=Pii.DIRECT),
    Column("phone", Type.TEXT, "Phone number.", pii=Pii.DIRECT),
    Column("address", Type.TEXT, "Street address.", pii=Pii.DIRECT),
    Column("account", Type.ID, "The organisation the customer belongs to.", pii=Pii.QUASI),
    Column("joined_at", Type.TIME, "When the relation began (sign-up, first contract)."),
    Column("acquisition_channel", Type.CATEGORY, "How the customer was won: advertisement, search, referral ..."),
    Column("updated_at", Type.TIME, "When the source last changed the record."),
    Column("birth_date", Type.DATE, "Date of birth.", pii=Pii.QUASI),
    Column("birthday", Type.TEXT, "Day of birth without the year, month first: 07-09, 7/9.", pii=Pii.QUASI),
    Column("birth_year", Type.INTEGER, "Year of birth.", pii=Pii.QUASI, unit="year"),
    Column("age", Type.INTEGER, "Age as the source gives it.", pii=Pii.QUASI, unit="years"),
    Column("gender", Type.CATEGORY, "Gender as the source gives it.", pii=Pii.QUASI),
    Column("income", Type.MONEY, "Yearly income.", pii=Pii.SENSITIVE, unit="currency a year"),
    Column("education", Type.CATEGORY, "Highest education.", pii=Pii.QUASI),
    Column("marital_status", Type.CATEGORY, "Marital status.", pii=Pii.QUASI),
    Column("household_size", Type.INTEGER, "People in the household.", pii=Pii.QUASI, unit="persons"),
    Column("children", Type.INTEGER, "Children in the household.", pii=Pii.QUASI, unit="persons"),
    Column("occupation", Type.CATEGORY, "Occupation.", pii=Pii.QUASI),
    Column("role", Type.CATEGORY, "Role in buying for an organisation: decides, influences, uses ...", pii=Pii.QUASI),
    Column("language", Type.CATEGORY, "Preferred language."),
    Column("country", Type.CATEGORY, "Country."),
    Column("region", Type.CATEGORY, "State, county or province.", pii=Pii.QUASI),
    Column("city", Type.CATEGORY, "Town.", pii=Pii.QUASI),
    Column("postcode", Type.TEXT, "Postal code.", pii=Pii.QUASI),
    Column("latitude", Type.NUMBER, "Latitude.", pii=Pii.QUASI, unit="degrees"),
    Column("longitude", Type.NUMBER, "Longitude.", pii=Pii.QUASI, unit="degrees"),
    Column("area_type", Type.CATEGORY, "Urban, suburban or rural, as the source gives it."),
    Column("density", Type.NUMBER, "Inhabitants of the area per square kilometre.", unit="persons a km2"),
    Column("value", Type.MONEY, "Worth of the customer to date, where the source states it.", unit="currency"),
)
accounts = _collected(
    "accounts",
    "one record about an organisation in one source",
    Column("account", Type.ID, "The organisation's id in the source.", pii=Pii.QUASI, required=True),
    Column("account_name", Type.TEXT, "Name of the organisation.", pii=Pii.QUASI),
    Column("parent", Type.ID, "The organisation that owns this one: its id, or its name."),
    Column("industry", Type.CATEGORY, "Industry."),
    Column("employees", Type.INTEGER, "Number of employees.", unit="persons"),
    Column("revenue", Type.MONEY, "Yearly revenue of the organisation.", unit="currency a year"),
    Column("founded", Type.INTEGER, "Year of foundation.", unit="year"),
    Column("ownership", Type.CATEGORY, "Who owns it: public, private, state, a family ..."),
    Column("technologies", Type.TEXT, "Technologies in use, with commas, semicolons, bars or line ends between them."),
    Column("adoption_stage", Type.CATEGORY, "How early it takes up what is new: innovator, early adopter ..."),
    Column("stage", Type.CATEGORY, "Stage of the relationship, as the source gives it: prospect, customer ..."),
    Column("joined_at", Type.TIME, "When the relation began."),
    Column("country", Type.CATEGORY, "Country of the head office."),
    Column("domain", Type.TEXT, "Web domain.", pii=Pii.QUASI),
    Column("phone", Type.TEXT, "Phone number of the switchboard.", pii=Pii.QUASI),
    Column("address", Type.TEXT, "Street address of the head office.", pii=Pii.QUASI),
    Column("city", Type.CATEGORY, "Town of the head office."),
    Column("postcode", Type.TEXT, "Postal code of the head office.", pii=Pii.QUASI),
    Column("updated_at", Type.TIME, "When the source last changed the record."),
)
transactions = _collected(
    "transactions",
    "one order line (or one order, where the source has no lines)",
    _CUSTOMER,
    Column("order", Type.ID, "Order, invoice or receipt number.", null_means="every line is its own order"),
    Column("time", Type.TIME, "When it was bought.", required=True),
    Column("amount", Type.MONEY, "What was paid for the line, returns negative.", required=True, unit="currency"),
    Column("quantity", Type.NUMBER, "Pieces.", unit="pieces"),
    Column("product", Type.ID, "Product code."),
    Column("product_name", Type.TEXT, "Product name."),
    Column("category", Type.CATEGORY, "Product category."),
    Column("channel", Type.CATEGORY, "Where it was bought: web, store, app ..."),
    Column("store", Type.CATEGORY, "Store or branch."),
    Column("discount", Type.MONEY, "Discount given on the line.", unit="currency"),
    Column("cost", Type.MONEY, "Cost of the goods of the line.", unit="currency"),
    Column("country", Type.CATEGORY, "Country of the order."),
    _CONCERNS,
    *_CONTACT,
    Column(
        "line_kind",
        Type.CATEGORY,
        "sale, return (a refund or cancellation), charge (postage, fee, manual adjustment: not a product), or lead (a "
        "deal of nobody yet, without time and amount: no purchase).",
        required=True,
    ),
)
events = _collected(
    "events",
    "one thing a customer did: visit, click, mail opened, post",
    _CUSTOMER,
    Column("time", Type.TIME, "When it happened.", required=True),
    Column("name", Type.CATEGORY, "What happened.", required=True),
    Column("channel", Type.CATEGORY, "web, app, email, social ..."),
    Column("page", Type.TEXT, "Page or screen."),
    Column("text", Type.TEXT, "What the customer wrote: a ticket, a review, a post.", pii=Pii.SENSITIVE),
    Column("user_agent", Type.TEXT, "User-agent string.", pii=Pii.QUASI),
    Column("app_version", Type.CATEGORY, "Version of the app that it happened in, such as 6.2.0."),
    Column(
        "visitor",
        Type.ID,
        "The id that the browser or device gives itself; it tells whose a record without a customer is.",
        pii=Pii.DIRECT,
    ),
    Column("properties", Type.TEXT, "Further properties as JSON.", pii=Pii.QUASI),
    _CONCERNS,
    *_CONTACT,
)
responses = _collected(
    "responses",
    "one answer of one respondent to one question",
    _CUSTOMER,
    Column("survey", Type.ID, "Name of the survey."),
    Column("question", Type.ID, "Code of the question.", required=True),
    Column("item", Type.TEXT, "Wording of the question or item."),
    Column("answer", Type.TEXT, "The answer.", pii=Pii.SENSITIVE, null_means="not answered"),
    Column("time", Type.TIME, "When it was answered."),
    *_CONTACT,
)
costs = _collected(
    "costs",
    "one cost of a customer or an organisation, or of a channel to be allocated",
    _CUSTOMER,
    Column("time", Type.TIME, "When it was spent."),
    Column("type", Type.CATEGORY, "acquisition, service or retention.", required=True),
    Column("amount", Type.MONEY, "The cost.", required=True, unit="currency"),
    Column("channel", Type.CATEGORY, "Channel the cost belongs to."),
    _CONCERNS,
    *_CONTACT,
)
opportunities = _collected(
    "opportunities",
    "one opportunity (deal) with an organisation, won, lost or still open",
    Column("opportunity", Type.ID, "The opportunity's id in the source.", required=True),
    Column(
        "account",
        Type.ID,
        "The organisation: its id, or its name.",
        pii=Pii.QUASI,
        null_means="an opportunity of nobody yet",
    ),
    Column("stage", Type.CATEGORY, "won, lost, or the stage that an open one has reached.", required=True),
    Column("amount", Type.MONEY, "What it is worth; what it would be worth, while it is open.", unit="currency"),
    Column("probability", Type.NUMBER, "Probability of winning it, as the source gives it.", unit="per cent"),
    Column("created_at", Type.TIME, "When it began."),
    Column("closes_at", Type.DATE, "When it was won or lost; when that is expected, while it is open."),
    Column("product", Type.ID, "Product code."),
    Column("updated_at", Type.TIME, "When the source last changed the record."),
)
stores = _collected(
    "stores",
    "one store or branch",
    Column("store", Type.ID, "Code of the store.", required=True),
    Column("store_name", Type.TEXT, "Name of the store."),
    Column("country", Type.CATEGORY, "Country."),
    Column("region", Type.CATEGORY, "State, county or province."),
    Column("city", Type.CATEGORY, "Town."),
    Column("postcode", Type.TEXT, "Postal code."),
    Column("latitude", Type.NUMBER, "Latitude.", unit="degrees"),
    Column("longitude", Type.NUMBER, "Longitude.", unit="degrees"),
    Column("opened_on", Type.DATE, "First day of business.", null_means="it has always been there"),
    Column("closed_on", Type.DATE, "Last day of business.", null_means="still open"),
)
products = _collected(
    "products",
    "one product",
    Column("product", Type.ID, "Product code.", required=True),
    Column("product_name", Type.TEXT, "Product name."),
    Column("category", Type.CATEGORY, "Product category."),
    Column("unit_cost", Type.MONEY, "What one piece costs the company.", unit="currency"),
    Column("list_price", Type.MONEY, "Price without discount.", unit="currency"),
)
consents = _collected(
    "consents",
    "one statement of consent or objection",
    _CUSTOMER,
    Column("channel", Type.CATEGORY, "email, phone, post, ads ..."),
    Column("purpose", Type.CATEGORY, "What was consented to."),
    Column("status", Type.CATEGORY, "granted or denied.", required=True),
    Column("time", Type.TIME, "When it was stated."),
    Column("proof", Type.TEXT, "Where the statement is recorded.", pii=Pii.QUASI),
    *_CONTACT,
)
market = _collected(
    "market",
    "one cell of outside market research",
    Column("cell", Type.TEXT, "The cell, as conditions over traits.", required=True),
    Column("measure", Type.CATEGORY, "population share, spend, propensity ...", required=True),
    Column("value", Type.NUMBER, "The figure.", required=True),
    Column("source_name", Type.TEXT, "Who published it."),
    Column("published", Type.DATE, "When it was published."),
)
places = _collected(
    "places",
    "one place, by its postal code; its attributes are those of the customers who live there",
    Column("postcode", Type.TEXT, "Postal code.", required=True),
)
_WHERE_IT_STANDS = (
    Column("source", Type.CATEGORY, "Name of the source.", required=True),
    Column("file", Type.TEXT, "File of the record.", required=True),
    Column("line", Type.INTEGER, "Line of that file.", required=True),
)
quarantine = Table(
    "quarantine",
    "one record that could not be used",
    "collect",
    (
        *_WHERE_IT_STANDS,
        Column("reason", Type.CATEGORY, "Why it cannot be used.", required=True),
        Column("record", Type.TEXT, "The record as it was read.", pii=Pii.DIRECT, required=True),
        Column("row_id", Type.TEXT, "The record's id, so that a re-read does not count it twice.", required=True),
    ),
)
quarantined_values = Table(
    "quarantined_values",
    "one birth or age that nobody has, of a customer's record whose other values are used",
    "check",
    (
        *_WHERE_IT_STANDS,
        Column("column", Type.CATEGORY, "Column of the table customers.", required=True),
        Column("reason", Type.CATEGORY, "Why it cannot be used.", required=True),
        Column("value", Type.TEXT, "The value as it was read.", pii=Pii.QUASI, required=True),
    ),
)
quality = Table(
    "quality",
    "one example of one finding about one column of one source; a finding without examples has one row",
    "check",
    (
        Column("finding", Type.INTEGER, "Number of the finding in this run.", required=True),
        Column("check", Type.CATEGORY, "Name of the check.", required=True),
        Column("severity", Type.CATEGORY, "blocking, warning or note.", required=True),
        Column("source", Type.CATEGORY, "Name of the source.", required=True),
        Column("column", Type.CATEGORY, "Column of the table.", null_means="the finding is about whole records"),
        Column("rows", Type.INTEGER, "Rows concerned.", required=True, unit="rows"),
        Column("of_rows", Type.INTEGER, "Rows looked at.", required=True, unit="rows"),
        Column("finding_text", Type.TEXT, "What was found, in words.", required=True),
        Column("file", Type.TEXT, "File of the example.", null_means="no example"),
        Column("line", Type.INTEGER, "Line of that file.", null_means="no example"),
        Column(
            "value",
            Type.TEXT,
            "The value; letters and digits of personal texts and dates are masked, as are all of direct identifiers.",
            pii=Pii.QUASI,
            null_means="no example, or an empty cell",
        ),
    ),
)
identities = Table(
    "identities",
    "one id of a customer in one id space",
    "resolve",
    (
        _KEY,
        Column("customer_id", Type.ID, "The customer's id in this workspace.", pii=Pii.DIRECT, required=True),
        Column("id_space", Type.CATEGORY, "Sources of one id space share their ids.", required=True),
        Column("source_id", Type.ID, "The id in that space.", pii=Pii.DIRECT, required=True),
        Column("record_key", Type.INTEGER, "The number of this id, which collected rows carry.", required=True),
    ),
)
account_identities = Table(
    "account_identities",
    "one id of an account (organisation) in one id space",
    "resolve",
    (
        Column("account_key", Type.INTEGER, "The workspace's own number of the account.", required=True),
        Column("account_id", Type.ID, "The account's id in this workspace.", pii=Pii.QUASI, required=True),
        Column("id_space", Type.CATEGORY, "Sources of one id space share their ids.", required=True),
        Column("source_id", Type.ID, "The id in that space.", pii=Pii.QUASI, required=True),
        Column("record_key", Type.INTEGER, "The number of this id; those of customers are others.", required=True),
    ),
)
account_contacts = Table(
    "account_contacts",
    "one customer as a contact of one account; who works for several has a row for each",
    "resolve",
    (
        Column("account_key", Type.INTEGER, "The workspace's own number of the account.", required=True),
        Column("customer_key", Type.INTEGER, "The workspace's own number of the customer.", required=True),
        Column("role", Type.CATEGORY, "Role in buying there, as the source gives it.", pii=Pii.QUASI),
        Column("occupation", Type.CATEGORY, "Job title there.", pii=Pii.QUASI),
    ),
)
account_references = Table(
    "account_references",
    "one spelling by which the records of one source mean an account",
    "resolve",
    (
        Column("source", Type.CATEGORY, "Name of the source.", required=True),
        Column("reference", Type.ID, "What its column `account` says.", pii=Pii.QUASI, required=True),
        Column("account_key", Type.INTEGER, "The workspace's own number of the account.", required=True),
    ),
)
_UNIT = Column("unit", Type.CATEGORY, "Whose ids these are: customer or account.", required=True)
links = Table(
    "links",
    "two ids that are one customer, or one account, and why",
    "resolve",
    (
        _UNIT,
        Column("left_key", Type.INTEGER, "record_key of the one.", required=True),
        Column("right_key", Type.INTEGER, "record_key of the other, the larger of the two.", required=True),
        Column("probability", Type.NUMBER, "Probability that both are the same.", required=True, unit="0 to 1"),
        Column("how", Type.CATEGORY, "What joined them: an equal key, weighed evidence, by hand.", required=True),
        Column("weights", Type.TEXT, "Weight of evidence of each field, as JSON; log2 of the Bayes factor."),
    ),
)
identity_changes = Table(
    "identity_changes",
    "one id that came to belong to another customer, or another account",
    "resolve",
    (
        _UNIT,
        Column("changed_at", Type.TIME, "When.", required=True),
        Column("change", Type.CATEGORY, "merged or split.", required=True),
        Column("id_space", Type.CATEGORY, "Space of the id.", required=True),
        Column("source_id", Type.ID, "The id.", pii=Pii.DIRECT, required=True),
        Column("owner_before", Type.ID, "The customer or account it belonged to.", pii=Pii.DIRECT, required=True),
        Column(
            "owner_now",
            Type.ID,
            "The one it belongs to now.",
            pii=Pii.DIRECT,
            null_means="nobody: a visitor as whom several customers have logged in",
        ),
        Column("reason", Type.TEXT, "What joins it, or that nothing does any more.", required=True),
    ),
)
visitors = Table(
    "visitors",
    "one visitor that belongs to no customer: nobody has logged in there, or several customers have",
    "resolve",
    (
        Column("id_space", Type.CATEGORY, "The visitors of one source.", required=True),
        Column("source_id", Type.ID, "The id that the browser or device gives itself.", pii=Pii.DIRECT, required=True),
        Column("customers", Type.INTEGER, "Customers who logged in.", required=True, unit="customers"),
        Column("record_key", Type.INTEGER, "The number of this id, which collected rows carry.", required=True),
    ),
)
golden_customers = Table(
    "golden_customers",
    "one customer",
    "resolve",
    (
        *_THE_CUSTOMER,
        Column("ids", Type.INTEGER, "Ids that the customer has in all sources.", required=True, unit="ids"),
        *(
            c
            for c in customers.columns
            if c.name not in {"customer_key", "customer", "known_as", *(x.name for x in LINEAGE)}
        ),
        Column("account_key", Type.INTEGER, "Number of the account it belongs to.", null_means="no account is known"),
        Column(
            "account_id",
            Type.ID,
            "The account it belongs to, as in golden_accounts.",
            pii=Pii.QUASI,
            null_means="no account is known",
        ),
        Column(
            "account_found_by",
            Type.CATEGORY,
            "What says so: id or name (its records state the account), itself (its id is the account's: an "
            "organisation that buys), e-mail domain (no record states an account, and one account has this domain).",
            null_means="no account is known",
        ),
    ),
)
golden_accounts = Table(
    "golden_accounts",
    "one account (organisation)",
    "resolve",
    (
        Column("account_key", Type.INTEGER, "The workspace's own number of the account.", required=True),
        Column("account_id", Type.ID, "The account's id in this workspace.", pii=Pii.QUASI, required=True),
        Column("ids", Type.INTEGER, "Ids that the account has in all sources.", required=True, unit="ids"),
        Column("contacts", Type.INTEGER, "Customers that belong to it.", required=True, unit="customers"),
        Column(
            "parent_id",
            Type.ID,
            "account_id of the organisation that owns it.",
            pii=Pii.QUASI,
            null_means="none, or not known",
        ),
        Column(
            "ultimate_parent_id",
            Type.ID,
            "account_id at the top of its group; its own there.",
            pii=Pii.QUASI,
            required=True,
        ),
        Column("level", Type.INTEGER, "Steps below the top of its group, which is 0.", required=True, unit="steps"),
        Column(
            "parent_problem",
            Type.TEXT,
            "Why the parent that a source names is not taken.",
            null_means="it is, or none is named",
        ),
        *(
            c
            for c in accounts.columns
            if c.name not in {"customer_key", "account", "parent", *(x.name for x in LINEAGE)}
        ),
    ),
)
golden_versions = Table(
    "golden_versions",
    "one customer as it was known until its records changed or were gone",
    "resolve",
    (
        *golden_customers.columns,
        Column("known_until", Type.TIME, "Until when this was known of the customer.", required=True),
    ),
)
golden_account_versions = Table(
    "golden_account_versions",
    "one account as it was known until its records changed or were gone",
    "resolve",
    (
        *(c for c in golden_accounts.columns if c.name not in {"ids", "contacts", "ultimate_parent_id", "level"}),
        Column(
            "ids", Type.INTEGER, "Ids of it that had a record then; 0: it was not there.", required=True, unit="ids"
        ),
        Column("known_until", Type.TIME, "Until when this was known of the account.", required=True),
    ),
)
traits = Table(
    "traits",
    "one customer as of a date; one further column per trait of the catalogue",
    "traits",
    (*_THE_CUSTOMER,),
)
account_traits = Table(
    "account_traits",
    "one account as of a date; one further column per trait of accounts",
    "traits",
    (
        Column("account_key", Type.INTEGER, "The workspace's own number of the account.", required=True),
        Column("account_id", Type.ID, "The account's id in this workspace.", pii=Pii.QUASI, required=True),
    ),
)
penetration = Table(
    "penetration",
    "one cell of market research with its population, and how many of its people are customers",
    "traits",
    (
        Column("cell", Type.TEXT, "The cell, as conditions over traits.", required=True),
        Column("measure", Type.CATEGORY, "The measure of the research: people, or their share.", required=True),
        Column("population", Type.NUMBER, "Its figure: people, or their share of the population.", required=True),
        Column(
            "customers",
            Type.INTEGER,
            "Customers in the cell.",
            unit="customers",
            null_means="a trait that the cell names is not there",
        ),
        Column("penetration", Type.NUMBER, "Customers per person.", null_means="the figure is a share, or as above"),
        Column(
            "share_index",
            Type.NUMBER,
            "Its share of the customers over its share of the people, among all cells of the measure; 1 is par.",
            null_means="as of customers",
        ),
        Column("source_name", Type.TEXT, "Who published the figure."),
    ),
)
sample = Table(
    "sample",
    "one customer (or account) of the sample, anonymous; one further column per trait that was kept",
    "sample",
    (
        Column("pseudonym", Type.ID, "Keyed hash (HMAC-SHA-256) of the id.", required=True),
        Column("weight", Type.NUMBER, "How many units of the base the row stands for.", required=True),
        Column("market_weight", Type.NUMBER, "The same, raked to market margins.", null_means="there are none"),
        Column("stratum", Type.CATEGORY, "The group that the row was drawn from.", required=True),
    ),
)
_THE_UNIT = (
    Column(
        "customer_key",
        Type.INTEGER,
        "The workspace's own number of the customer; account_key, of a segmentation of accounts.",
        required=True,
    ),
    Column(
        "customer_id",
        Type.ID,
        "The customer's id in this workspace; account_id, of a segmentation of accounts.",
        pii=Pii.DIRECT,
        required=True,
    ),
)
memberships = Table(
    "memberships",
    "one customer (or account) in one segmentation, as of the last run",
    "assign",
    (
        *_THE_UNIT,
        Column("segment", Type.CATEGORY, "Name of the segment, 'No data' and 'No good fit' included.", required=True),
        Column("fit", Type.NUMBER, "How typical of the segment, 0 to 1.", null_means="no data", unit="0 to 1"),
        Column("runner_up", Type.CATEGORY, "The next closest segment.", null_means="there is none"),
        Column(
            "margin",
            Type.NUMBER,
            "How far from the runner-up, 0 (on the border) to 1.",
            unit="0 to 1",
            null_means="the rule has no distance",
        ),
        Column("score", Type.TEXT, "Scores such as 5-4-3 (R-F-M).", null_means="the rule has no scores"),
        Column("since", Type.DATE, "As of when the customer has been in this segment without a break.", required=True),
    ),
)
lookalikes = Table(
    "lookalikes",
    "one customer (or account) of the population of one objective, as of the last run",
    "aim",
    (
        *_THE_UNIT,
        Column("meets", Type.BOOLEAN, "Whether the behaviour of the objective is theirs already.", required=True),
        Column("score", Type.NUMBER, "How likely they behave so, by what they have in common with those who do.",
               required=True, unit="0 to 1"),
    ),
)  # fmt: skip
membership_history = Table(
    "membership_history",
    "one stay of a customer (or account) in a segment",
    "assign",
    (
        _THE_UNIT[0],
        Column("segment", Type.CATEGORY, "Name of the segment.", required=True),
        Column("version", Type.INTEGER, "Version of the segmentation when the stay began.", required=True),
        Column("since", Type.DATE, "First as-of date of the stay.", required=True),
        Column("until", Type.DATE, "First as-of date elsewhere.", null_means="still there"),
    ),
)
profiles = Table(
    "profiles",
    "one trait (or one level of a category) in one segment",
    "assign",
    (
        Column("segment", Type.CATEGORY, "Name of the segment; 'All customers' is the base.", required=True),
        Column("trait", Type.CATEGORY, "Name of the trait.", required=True),
        Column("level", Type.CATEGORY, "Level of a category.", null_means="a numeric or boolean trait"),
        Column("n", Type.INTEGER, "Customers with a value.", required=True, unit="customers"),
        Column("mean", Type.NUMBER, "Mean (share, for a level or a boolean).", null_means="no customer has a value"),
        Column("sd", Type.NUMBER, "Standard deviation.", null_means="fewer than two values"),
        Column("effect", Type.NUMBER, "Standardised difference from all other customers.", unit="sd"),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        customers,
        accounts,
        transactions,
        opportunities,
        events,
        responses,
        costs,
        products,
        stores,
        consents,
        market,
        places,
        quarantine,
        quarantined_values,
        quality,
        identities,
        account_identities,
        account_contacts,
        account_references,
        links,
        identity_changes,
        visitors,
        golden_customers,
        golden_versions,
        golden_accounts,
        golden_account_versions,
        traits,
        account_traits,
        penetration,
        sample,
        memberships,
        lookalikes,
        membership_history,
        profiles,
    )
}
COLLECTABLE: tuple[str, ...] = tuple(name for name, table in TABLES.items() if table.collectable)
