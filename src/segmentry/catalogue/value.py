"""What customers are worth."""

from __future__ import annotations

from segmentry.catalogue.behavioral import NEVER, SALES
from segmentry.catalogue.trait import Model, Trait, same

_COSTS = ("transactions.amount", "transactions.cost or products.unit_cost")
_NO_COST = "no line with a known cost"


def _cost(type_: str, description: str) -> Trait:
    return Trait(f"{type_}_cost", Model.VALUE, "number", description, "currency", ("costs.amount",), null_means=NEVER)


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
    same("value", Model.VALUE),
    _cost("acquisition", "Cost of winning the customer; costs of no single customer are shared by channel and month."),
    _cost("service", "Cost of serving the customer; costs of no single customer are shared by order lines."),
    _cost("retention", "Cost of keeping the customer; costs of no single customer are shared by order lines."),
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
)
