"""What customers are worth."""

from __future__ import annotations

from segmentry.catalogue.behavioral import NEVER, SALES
from segmentry.catalogue.trait import Model, Trait, same

_COSTS = ("transactions.amount", "transactions.cost or products.unit_cost")
_NO_COST = "no line with a known cost"


def _cost(type_: str, description: str) -> Trait:
    return Trait(f"{type_}_cost", Model.VALUE, "number", description, "currency", ("costs.amount",), null_means=NEVER)


_BUYS = ("transactions.time or customers.joined_at",)
_PAYS = ("transactions.amount or customers.joined_at",)
_NO_HISTORY = "no order, or no contract"


def _ahead(
    name: str, unit: str, description: str, *needs: str, null_means: str = _NO_HISTORY, member: str = ""
) -> Trait:
    return Trait(name, Model.VALUE, "number", description, unit, needs, null_means=null_means, member=member)


_LIFETIME = (
    _ahead("p_alive", "0 to 1", "Probability of still being a customer (contracts: 1 until they end).", *_BUYS),
    _ahead(
        "churn_risk",
        "0 to 1",
        "Probability of no order within the first horizon (contracts: of having left by then).",
        *_BUYS,
    ),
    _ahead(
        "expected_orders_*",
        "orders",
        "Orders expected within a horizon, orders of one day (or week) counted once; contracts: payments.",
        *_BUYS,
        member="Orders expected within the next {}, orders of one day (or week) counted once; contracts: payments.",
    ),
    _ahead(
        "expected_spend",
        "currency an order",
        "Money expected from an order, less what comes back (contracts: the payment of a period).",
        *_PAYS,
    ),
    _ahead(
        "clv_*",
        "currency",
        "Lifetime value: present value of the margin (revenue, where costs are not known) of the orders expected "
        "within a horizon; with _low and _high the bounds of its 95 % interval, as the mean of many such customers.",
        *_PAYS,
        member="Lifetime value ({}): present value of the margin (revenue, where costs are not known) of the orders "
        "expected; low and high are bounds of its 95 % interval, as the mean of many such customers.",
    ),
    _ahead(
        "clv_to_cac",
        "ratio",
        "Lifetime value within the first horizon for each unit of money that winning the customer cost.",
        *_PAYS,
        "costs.amount",
        null_means=_NO_HISTORY + ", or winning the customer cost nothing",
    ),
    _ahead(
        "value_at_risk",
        "currency",
        "Lifetime value within the first horizon times the risk of churn: what is lost first if nothing is done.",
        *_PAYS,
    ),
)

VALUE = (
    Trait(
        "margin",
        Model.VALUE,
        "number",
        "Sales less returns less the cost of the goods, of the lines with a known cost.",
        "currency",
        _COSTS,
        null_means=_NO_COST,
    ),
    Trait(
        "margin_rate",
        Model.VALUE,
        "number",
        "Margin as a share of sales less returns, of the lines with a known cost.",
        "share",
        _COSTS,
        null_means=_NO_COST + ", or no money left after returns",
    ),
    Trait(
        "pareto_share",
        Model.VALUE,
        "number",
        "Share of all money that comes from customers who brought as much or more: small for the best ones.",
        "share",
        SALES,
        null_means="nobody has brought money",
    ),
    Trait(
        "pareto_class",
        Model.VALUE,
        "category",
        "A: the best customers, who bring 80 % of all money, B: the next, up to 95 %, C: the rest (ABC analysis).",
        needs=SALES,
        null_means="never null",
    ),
    same("value", Model.VALUE),
    _cost(
        "acquisition",
        "Cost of winning the customer, or contacts of the account; what is nobody's is shared by channel and month.",
    ),
    _cost("service", "Cost of serving the customer, or account; costs of nobody are shared by order lines."),
    _cost("retention", "Cost of keeping the customer, or account; costs of nobody are shared by order lines."),
    Trait(
        "net_value",
        Model.VALUE,
        "number",
        "Margin (money received, where no margin is known) less the costs on record.",
        "currency",
        (*SALES, "costs.amount"),
        null_means="never null",
    ),
    Trait(
        "cost_ratio",
        Model.VALUE,
        "number",
        "Costs on record as a share of the margin (of the money received, where no margin is known).",
        "share",
        (*SALES, "costs.amount"),
        null_means="nothing left to hold the costs against",
    ),
    Trait(
        "paid_back",
        Model.VALUE,
        "boolean",
        "Whether the customer has brought in what winning, serving and keeping them cost.",
        "",
        (*SALES, "costs.amount"),
        null_means="never null",
    ),
    *_LIFETIME,
)
