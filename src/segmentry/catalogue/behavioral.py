"""What customers do: buying, and everything else they are seen doing."""

from __future__ import annotations

from segmentry.catalogue.trait import Model, Trait, same

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
    _chosen(
        "lifecycle_stage",
        "no orders, new, active, cooling or lapsed, by the days since the first and the last order.",
        null_means="never null",
    ),
    same("acquisition_channel", Model.BEHAVIORAL),
)
