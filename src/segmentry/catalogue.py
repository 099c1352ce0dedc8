"""Every built-in trait: its model, kind, unit, description, how personal it is, and the data it needs.

Nothing is computed here: ``traits/<model>.py`` computes what is declared here. A trait whose data the workspace lacks
is absent, never a column of nulls.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from segmentry.tables import Pii, Type, customers


class Model(StrEnum):
    """The seven classic segmentation models and B2B firmographics."""

    DEMOGRAPHIC = "demographic"
    GEOGRAPHIC = "geographic"
    PSYCHOGRAPHIC = "psychographic"
    TECHNOGRAPHIC = "technographic"
    BEHAVIORAL = "behavioral"
    NEEDS = "needs"
    VALUE = "value"
    FIRMOGRAPHIC = "firmographic"


Kind = Literal["number", "category", "boolean"]


@dataclass(frozen=True)
class Trait:
    """One column about a customer.

    ``needs`` lists ``table.column`` of the data it is computed from; ``a.x or b.y`` when either will do. A name that
    ends in ``*`` is a family: one trait for each frequent value of a column, such as ``channel_share_web``.
    """

    name: str
    model: Model
    kind: Kind
    description: str
    unit: str = ""
    needs: tuple[str, ...] = ()
    pii: Pii = Pii.NONE
    null_means: str = "not known"

    @property
    def title(self) -> str:
        """The name for people: 'order frequency' rather than order_frequency."""
        return self.name.replace("_", " ")

    @property
    def is_family(self) -> bool:
        return self.name.endswith("*")

    def lacks(self, available: Container[str]) -> tuple[str, ...]:
        """The needs that the available ``table.column`` names do not meet.

        >>> TRAITS["age"].lacks({"customers.birth_year"}), TRAITS["age"].lacks(set())
        ((), ('customers.birth_date or customers.birth_year or customers.age',))
        """
        return tuple(need for need in self.needs if not any(one in available for one in need.split(" or ")))


def _same(column: str, model: Model, description: str = "") -> Trait:
    """A trait that is a column of the customers table as it stands."""
    declared = customers[column]
    numeric = declared.type in (Type.NUMBER, Type.MONEY, Type.INTEGER)
    return Trait(
        column,
        model,
        "number" if numeric else "category",
        description or declared.description,
        declared.unit,
        (f"customers.{column}",),
        declared.pii,
    )


_SALES = ("transactions.time", "transactions.amount")
_NO_ORDER = "no order"
_NEVER = "never null: 0 without orders"


def _bought(name: str, unit: str, description: str, *needs: str, null_means: str = _NO_ORDER) -> Trait:
    return Trait(name, Model.BEHAVIORAL, "number", description, unit, (*_SALES, *needs), null_means=null_means)


def _chosen(name: str, description: str, *needs: str, null_means: str) -> Trait:
    return Trait(name, Model.BEHAVIORAL, "category", description, "", (*_SALES, *needs), null_means=null_means)


_BEHAVIORAL = (
    _bought("recency_days", "days", "Days since the last order; 0: bought on that day."),
    _bought("frequency", "orders", "Orders so far with at least one product sold.", null_means=_NEVER),
    _bought("monetary", "currency", "Money spent so far: sales less returns, without charges.", null_means=_NEVER),
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
    _bought("order_days", "days", "Days with an order: orders of one day count once.", null_means=_NEVER),
    _bought("active_months", "months", "Calendar months with an order.", null_means=_NEVER),
    _bought("spend_90d", "currency", "Sales less returns of the last 90 days.", null_means=_NEVER),
    _bought("orders_90d", "orders", "Orders of the last 90 days.", null_means=_NEVER),
    _bought("spend_365d", "currency", "Sales less returns of the last 365 days.", null_means=_NEVER),
    _bought("orders_365d", "orders", "Orders of the last 365 days.", null_means=_NEVER),
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
        null_means=_NEVER,
    ),
    _bought(
        "channel_share_*",
        "share",
        "Share of the sale amount in one channel; a trait for each frequent channel.",
        "transactions.channel",
        null_means="nothing bought in a known channel",
    ),
    _bought(
        "category_share_*",
        "share",
        "Share of the sale amount in one product category; a trait for each frequent category.",
        "transactions.category or products.category",
        null_means="nothing bought of a known category",
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
    _same("acquisition_channel", Model.BEHAVIORAL),
)

_COSTS = ("transactions.amount", "transactions.cost or products.unit_cost")
_NO_COST = "no line with a known cost"


def _cost(type_: str, description: str) -> Trait:
    return Trait(f"{type_}_cost", Model.VALUE, "number", description, "currency", ("costs.amount",), null_means=_NEVER)


_VALUE = (
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
    _same("value", Model.VALUE),
    _cost("acquisition", "Cost of winning the customer; costs of no single customer are shared by channel and month."),
    _cost("service", "Cost of serving the customer; costs of no single customer are shared by order lines."),
    _cost("retention", "Cost of keeping the customer; costs of no single customer are shared by order lines."),
    Trait(
        "net_value",
        Model.VALUE,
        "number",
        "Margin (money received, where no margin is known) less the costs on record.",
        "currency",
        (*_SALES, "costs.amount"),
        null_means="never null",
    ),
    Trait(
        "cost_ratio",
        Model.VALUE,
        "number",
        "Costs on record as a share of the margin (of the money received, where no margin is known).",
        "share",
        (*_SALES, "costs.amount"),
        null_means="nothing left to hold the costs against",
    ),
    Trait(
        "paid_back",
        Model.VALUE,
        "boolean",
        "Whether the customer has brought in what winning, serving and keeping them cost.",
        "",
        (*_SALES, "costs.amount"),
        null_means="never null",
    ),
)

_GEOGRAPHIC = (
    replace(
        _same(
            "country",
            Model.GEOGRAPHIC,
            "Country, as ISO 3166 code where the spelling is known; else that of most orders.",
        ),
        needs=("customers.country or transactions.country",),
    ),
    _same("region", Model.GEOGRAPHIC),
    _same("city", Model.GEOGRAPHIC),
    Trait(
        "postal_area",
        Model.GEOGRAPHIC,
        "category",
        "First part of the postal code: outward code (SE1), or the first two digits.",
        needs=("customers.postcode",),
        pii=customers["postcode"].pii,
    ),
)

_BIRTH = "customers.birth_date or customers.birth_year or customers.age"


def _of_age(name: str, kind: Kind, description: str, unit: str = "") -> Trait:
    pii, null_means = customers["birth_date"].pii, "not known, or not a human age"
    return Trait(name, Model.DEMOGRAPHIC, kind, description, unit, (_BIRTH,), pii, null_means)


_DEMOGRAPHIC = (
    _of_age(
        "age",
        "number",
        "Age in completed years; the age reached that year where only the year of birth is known.",
        "years",
    ),
    _of_age("age_band", "category", "Age as under 18, 18-24, 25-34, 35-44, 45-54, 55-64, 65+."),
    _of_age("generation", "category", "Generation by year of birth (Pew Research Center 2019)."),
    _same("gender", Model.DEMOGRAPHIC, "female, male or other; a spelling that is not known stays as it is."),
    _same("income", Model.DEMOGRAPHIC),
    _same("education", Model.DEMOGRAPHIC),
    _same("marital_status", Model.DEMOGRAPHIC),
    _same("household_size", Model.DEMOGRAPHIC),
    _same("children", Model.DEMOGRAPHIC),
    _same("occupation", Model.DEMOGRAPHIC),
    _same("language", Model.DEMOGRAPHIC),
)

TRAITS: dict[str, Trait] = {t.name: t for t in (*_BEHAVIORAL, *_VALUE, *_GEOGRAPHIC, *_DEMOGRAPHIC)}
FAMILIES: tuple[Trait, ...] = tuple(t for t in TRAITS.values() if t.is_family)


# Families -------------------------------------------------------------------------------------------------------------

_LONGEST_NAME = 60  # PostgreSQL cuts identifiers at 63 bytes
_DIGEST = 8
_SEPARATORS = " \t\n_-./,;:&|()[]'\"’"


def lookup(name: str) -> Trait | None:
    """The built-in trait of that name, or the member of a family; None when there is none.

    >>> lookup("channel_share_web").description
    "Share of the sale amount in the channel 'web'."
    >>> lookup("frequency").unit, lookup("channel_share_"), lookup("shoe_size")
    ('orders', None, None)
    """
    if name in TRAITS and not TRAITS[name].is_family:
        return TRAITS[name]
    family = family_of(name)
    return family and _member(family, name, name.removeprefix(family.name.removesuffix("*")).replace("_", " "))


def family_of(name: str) -> Trait | None:
    """The family that a trait is a member of, if any.

    >>> family_of("channel_share_web").name, family_of("frequency")
    ('channel_share_*', None)
    """
    for family in FAMILIES:
        prefix = re.escape(family.name.removesuffix("*"))
        if len(name) <= _LONGEST_NAME and re.fullmatch(prefix + "[a-z0-9][a-z0-9_]*", name):
            return family
    return None


def member(family: str, value: str) -> Trait:
    """The trait of a family for one value of its column.

    The name depends on the value alone, so it means the same next year. Values that differ only in case, accents or
    separators share a name: they are the same thing, spelt twice.

    >>> member("channel_share_*", "Web Shop").name, member("channel_share_*", "WEB-SHOP").name
    ('channel_share_web_shop', 'channel_share_web_shop')
    """
    declared = TRAITS[family]
    prefix = family.removesuffix("*")
    return _member(declared, prefix + _slug(value, _LONGEST_NAME - len(prefix)), value)


def _member(family: Trait, name: str, value: str) -> Trait:
    column = family.name.removesuffix("_share_*")
    return replace(family, name=name, description=f"Share of the sale amount in the {column} '{value}'.")


def _slug(value: str, longest: int) -> str:
    """Letters a to z, digits and _; what cannot be written so, or is too long, gets a digest of the value."""
    plain = unicodedata.normalize("NFKD", value.strip().casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    words = "_".join(re.findall("[a-z0-9]+", plain))
    lost = any(c not in _SEPARATORS and not re.match("[a-z0-9]", c) for c in plain)
    if words and not lost and len(words) <= longest:
        return words
    digest = hashlib.md5(plain.encode(), usedforsecurity=False).hexdigest()[:_DIGEST]
    return f"{words[: longest - _DIGEST - 1]}_{digest}".lstrip("_")


# As data --------------------------------------------------------------------------------------------------------------


def to_json(trait: Trait) -> dict[str, Any]:
    """A trait as plain data; see :func:`from_json`."""
    return {**asdict(trait), "needs": list(trait.needs)}


def from_json(data: Sequence[Mapping[str, Any]]) -> list[Trait]:
    """Traits from what :func:`to_json` made of them.

    >>> from_json([to_json(TRAITS["age"])]) == [TRAITS["age"]]
    True
    """
    return [Trait(**{**d, "model": Model(d["model"]), "needs": tuple(d["needs"]), "pii": Pii(d["pii"])}) for d in data]
