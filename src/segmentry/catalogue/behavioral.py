"""What customers do: buying, and everything else they are seen doing."""

from __future__ import annotations

from segmentry.catalogue.trait import HOUR, Model, Trait, same

SALES = ("transactions.time", "transactions.amount")
_NO_ORDER = "no order"
NEVER = "never null: 0 without orders"


def _bought(
    name: str, unit: str, description: str, *needs: str, null_means: str = _NO_ORDER, member: str = ""
) -> Trait:
    needs = (*SALES, *needs)
    return Trait(name, Model.BEHAVIORAL, "number", description, unit, needs, null_means=null_means, member=member)


def _chosen(name: str, description: str, *needs: str, null_means: str) -> Trait:
    return Trait(name, Model.BEHAVIORAL, "category", description, "", (*SALES, *needs), null_means=null_means)


_NO_EVENT = "never null: 0 without events"
_NEVER_SEEN = "never seen on the web site, in the app or with the product"
_NOT_LATELY = "not seen in the last 365 days"


def _done(name: str, unit: str, description: str, null_means: str = _NO_EVENT) -> Trait:
    needs = ("events.time", "events.name")
    return Trait(name, Model.BEHAVIORAL, "number", description, unit, needs, null_means=null_means)


BEHAVIORAL = (
    _bought("recency_days", "days", "Days since the last order; 0: bought on that day."),
    _bought("frequency", "orders", "Orders so far with at least one product sold.", null_means=NEVER),
    _bought("monetary", "currency", "Money spent so far: sales less returns, without charges.", null_means=NEVER),
    Trait(
        "tenure_days",
        Model.BEHAVIORAL,
        "number",
        "Days since the first order, or since joining if that was earlier.",
        "days",
        ("transactions.time or customers.joined_at",),
        null_means="neither an order nor a date of joining",
    ),
    _bought("average_order_value", "currency an order", "Sale amount of an average order, returns not deducted."),
    _bought(
        "days_between_orders",
        "days",
        "Average days from one day with an order to the next.",
        null_means="fewer than two days with an order",
    ),
    _bought("order_days", "days", "Days with an order: orders of one day count once.", null_means=NEVER),
    _bought("active_months", "months", "Calendar months with an order.", null_means=NEVER),
    _bought("spend_90d", "currency", "Sales less returns of the last 90 days.", null_means=NEVER),
    _bought("orders_90d", "orders", "Orders of the last 90 days.", null_means=NEVER),
    _bought("spend_365d", "currency", "Sales less returns of the last 365 days.", null_means=NEVER),
    _bought("orders_365d", "orders", "Orders of the last 365 days.", null_means=NEVER),
    _bought(
        "return_rate",
        "share",
        "Share of the sale amount that came back; at most 1.",
        null_means="nothing bought",
    ),
    _bought(
        "items_per_order",
        "pieces",
        "Pieces in an average order.",
        "transactions.quantity",
        null_means="no order with a quantity",
    ),
    _bought(
        "discount_share",
        "share",
        "Discount as a share of the price before it; a line without one counts as full price.",
        "transactions.discount",
        null_means="nothing bought",
    ),
    _bought(
        "spend_trend",
        "-1 to 1",
        "Sales of the last 90 days against the 90 before, (a - b) / (a + b): 0 as before, 1/3 twice, -1 none any more.",
        null_means="first order less than 180 days ago, or nothing bought since",
    ),
    _bought(
        "categories_per_order",
        "categories",
        "Different product categories in an average order.",
        "transactions.order",
        "transactions.category or products.category",
        null_means="nothing bought of a known category",
    ),
    _bought(
        "category_diversity",
        "0 to 1",
        "Chance that two order lines drawn from theirs are of different categories (Gini-Simpson index).",
        "transactions.category or products.category",
        null_means="nothing bought of a known category",
    ),
    _bought(
        "products_bought",
        "products",
        "Different products bought.",
        "transactions.product or transactions.product_name",
        null_means=NEVER,
    ),
    _bought(
        "channel_share_*",
        "share",
        "Share of the sale amount in one channel; a trait for each frequent channel.",
        "transactions.channel",
        null_means="nothing bought in a known channel",
        member="Share of the sale amount in the channel '{}'.",
    ),
    _bought(
        "category_share_*",
        "share",
        "Share of the sale amount in one product category; a trait for each frequent category.",
        "transactions.category or products.category",
        null_means="nothing bought of a known category",
        member="Share of the sale amount in the category '{}'.",
    ),
    _chosen(
        "top_channel",
        "Channel of most order lines.",
        "transactions.channel",
        null_means="nothing bought in a known channel",
    ),
    _chosen(
        "top_category",
        "Product category of most order lines.",
        "transactions.category or products.category",
        null_means="nothing bought of a known category",
    ),
    _bought(
        "regularity",
        "0 to 1",
        "Regularity of the intervals between days with an order: 0.5 by chance, near 1 a clockwork, below come bursts.",
        null_means="fewer than four days with an order",
    ),
    _chosen("preferred_weekday", "Weekday of most orders, of equals the first.", null_means=_NO_ORDER),
    _bought("preferred_hour", HOUR, "Hour (0 to 23) of most orders, of equals the first."),
    _bought("weekend_share", "share", "Share of the orders that were placed on a Saturday or Sunday."),
    _bought(
        "silence_ratio",
        "usual intervals",
        "Days since the last order in units of the customer's usual interval; with fewer than three days with an "
        "order, of the typical customer's.",
    ),
    _chosen(
        "own_pace_stage",
        "no orders, active, slowing, at risk or gone, by the customer's own clock: where a silence as long has a "
        "chance of 20, 5 and 1 %.",
        null_means="never null",
    ),
    _chosen(
        "lifecycle_stage",
        "no orders, new, active, cooling or lapsed, by the days since the first and the last order.",
        null_means="never null",
    ),
    same("acquisition_channel", Model.BEHAVIORAL),
    _done("visits_30d", "visits", "Visits of the last 30 days; half an hour of silence ends a visit."),
    _done("visits_90d", "visits", "Visits of the last 90 days; half an hour of silence ends a visit."),
    _done("days_since_visit", "days", "Days since they were last seen, mails apart.", _NEVER_SEEN),
    _done("stickiness", "share", "Share of the last 30 days on which they were seen (DAU/MAU of one customer)."),
    _done(
        "actions_per_active_day",
        "actions",
        "Events of an average day on which they were seen, of the last 90 days.",
        "not seen in the last 90 days",
    ),
    _done(
        "features_used", "kinds of events", "Different things done in the last 90 days: names of events, mails apart."
    ),
    _done(
        "engagement_trend",
        "-1 to 1",
        "Events a day of the last 30 days against the 60 before, (a - b) / (a + b): 0 as before, -1 none any more.",
        "first seen in the last 30 days, or not seen in the last 90",
    ),
    Trait(
        "visit_weekday",
        Model.BEHAVIORAL,
        "category",
        "Weekday of most events of the last 365 days, mails apart; of equals the first.",
        needs=("events.time", "events.name"),
        null_means=_NOT_LATELY,
    ),
    _done(
        "visit_hour",
        HOUR,
        "Hour (0 to 23) of most events of the last 365 days, mails apart; of equals the first.",
        _NOT_LATELY,
    ),
    _done("mail_opens_30d", "opens", "E-mails opened in the last 30 days."),
    _done("mail_opens_90d", "opens", "E-mails opened in the last 90 days."),
    _done("mail_clicks_30d", "clicks", "Clicks in e-mails in the last 30 days."),
    _done("mail_clicks_90d", "clicks", "Clicks in e-mails in the last 90 days."),
    _done("open_rate", "share", "E-mails opened of those that came in the last 365 days; at most 1.", "no e-mail came"),
    _done("click_rate", "share", "Clicks by e-mail that came in the last 365 days; at most 1.", "no e-mail came"),
    _done(
        "click_to_open_rate", "share", "Clicks by e-mail opened in the last 365 days; at most 1.", "no e-mail opened"
    ),
)
