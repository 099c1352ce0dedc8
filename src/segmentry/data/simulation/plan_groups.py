"""The behaviour groups of the demo company: how often they buy, what, where and at which price. Data only.

The averages are assumptions, chosen so that groups overlap the way real ones do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ACQUISITION = ("search", "social", "referral", "email", "store", "marketplace")


@dataclass(frozen=True)
class Group:
    """One planted behaviour group: the averages of its members, who differ around them.

    Orders come at a personal pace: the group's yearly rate times a gamma variate of integer ``pace_shape`` (mean 1, so
    variance 1/shape). Log prices move with ``price_shift`` in standard deviations of the category's log price.
    """

    name: str
    share: float  # of the registered customers; for guests: of one guest per customer
    season: str
    orders_per_year: float
    orders_least: int
    orders_most: int
    pace_shape: int  # 1 to 4
    even: bool  # orders evenly spaced (replenishment) instead of at random
    tenure_days: tuple[int, int]  # since signup, least and most
    active_days: int | None  # orders only this long after signup
    lapse_share: float  # members that went silent
    quiet_days: tuple[int, int]  # how long those have been silent
    lines: float  # products per order
    price_shift: float
    discount_share: float  # lines sold at a discount
    discount_depth: float  # typical discount, share of the price
    return_rate: float  # lines that come back
    gift_wrap: float  # orders wrapped in November and December
    age: float  # mean, years
    satisfaction: float  # mean, from 0 to 10
    business: float  # those of working age who buy for a business account
    categories: Mapping[str, float]
    channels: Mapping[str, float]
    acquired: Mapping[str, float]
    born_month: int | None = None  # of the window; nobody of the group signed up before
    settled: float = 1.0  # pace once the first weeks are over, relative to the pace in the window


_ONLINE = {"search": 0.42, "social": 0.2, "referral": 0.14, "email": 0.1, "store": 0.06, "marketplace": 0.08}
_PERSONAL = {"search": 0.2, "social": 0.08, "referral": 0.24, "email": 0.12, "store": 0.32, "marketplace": 0.04}
_THRIFTY = {"search": 0.26, "social": 0.24, "referral": 0.08, "email": 0.12, "store": 0.06, "marketplace": 0.24}

GROUPS = (
    Group(
        name="office replenishers",
        share=0.12, season="office", orders_per_year=6, orders_least=3, orders_most=90, pace_shape=4, even=True,
        tenure_days=(200, 1460), active_days=None, lapse_share=0.05, quiet_days=(60, 300),
        lines=2.6, price_shift=-0.1, discount_share=0.10, discount_depth=0.10, return_rate=0.02, gift_wrap=0.0,
        age=46, satisfaction=8.6, business=0.32,
        categories={
            "Office supplies": 0.5, "Paper & ink": 0.32, "Accessories": 0.1, "Furniture": 0.04, "Computers": 0.04,
        },
        channels={"web": 0.8, "phone": 0.1, "store": 0.06, "app": 0.04}, acquired=_ONLINE,
    ),
    Group(
        name="tech enthusiasts",
        share=0.10, season="leisure", orders_per_year=4.6, orders_least=2, orders_most=60, pace_shape=4, even=False,
        tenure_days=(150, 1460), active_days=None, lapse_share=0.06, quiet_days=(60, 300),
        lines=1.7, price_shift=0.15, discount_share=0.14, discount_depth=0.12, return_rate=0.06, gift_wrap=0.05,
        age=34, satisfaction=8.0, business=0.05,
        categories={
            "Phones": 0.28, "Smart home": 0.32, "Audio": 0.22, "Accessories": 0.12, "Computers": 0.06,
        },
        channels={"app": 0.8, "web": 0.14, "store": 0.06}, acquired=_ONLINE,
    ),
    Group(
        name="bargain hunters",
        share=0.15, season="sales", orders_per_year=3.4, orders_least=2, orders_most=50, pace_shape=3, even=False,
        tenure_days=(150, 1300), active_days=None, lapse_share=0.12, quiet_days=(60, 300),
        lines=2.1, price_shift=-0.45, discount_share=0.72, discount_depth=0.25, return_rate=0.18, gift_wrap=0.05,
        age=37, satisfaction=6.4, business=0.02,
        categories={
            "Accessories": 0.3, "Audio": 0.22, "Smart home": 0.18, "Gifts & games": 0.12, "Office supplies": 0.1,
            "Phones": 0.08,
        },
        channels={"web": 0.62, "app": 0.28, "store": 0.1}, acquired=_THRIFTY,
    ),
    Group(
        name="seasonal gift buyers",
        share=0.16, season="gifts", orders_per_year=1.9, orders_least=2, orders_most=20, pace_shape=4, even=False,
        tenure_days=(380, 1460), active_days=None, lapse_share=0.08, quiet_days=(250, 400),
        lines=2.4, price_shift=0.0, discount_share=0.15, discount_depth=0.15, return_rate=0.04, gift_wrap=0.4,
        age=52, satisfaction=7.6, business=0.02,
        categories={
            "Gifts & games": 0.55, "Audio": 0.15, "Smart home": 0.14, "Accessories": 0.11, "Phones": 0.05,
        },
        channels={"store": 0.75, "web": 0.2, "app": 0.05}, acquired=_PERSONAL,
    ),
    Group(
        name="one-time buyers",
        share=0.18, season="leisure", orders_per_year=1, orders_least=1, orders_most=1, pace_shape=1, even=False,
        tenure_days=(100, 729), active_days=7, lapse_share=0.0, quiet_days=(0, 0),
        lines=1.5, price_shift=0.0, discount_share=0.12, discount_depth=0.15, return_rate=0.02, gift_wrap=0.05,
        age=41, satisfaction=6.6, business=0.05,
        categories={"Accessories": 0.5, "Audio": 0.2, "Smart home": 0.18, "Office supplies": 0.12},
        channels={"web": 0.84, "store": 0.12, "app": 0.04}, acquired=_ONLINE,
    ),
    Group(
        name="lapsed big spenders",
        share=0.09, season="leisure", orders_per_year=6.5, orders_least=3, orders_most=60, pace_shape=4, even=False,
        tenure_days=(620, 1460), active_days=None, lapse_share=1.0, quiet_days=(190, 400),
        lines=2.2, price_shift=0.5, discount_share=0.1, discount_depth=0.12, return_rate=0.04, gift_wrap=0.02,
        age=48, satisfaction=5.2, business=0.24,
        categories={
            "Computers": 0.32, "Furniture": 0.3, "Office supplies": 0.12, "Paper & ink": 0.1, "Phones": 0.08,
            "Accessories": 0.08,
        },
        channels={"web": 0.44, "phone": 0.36, "store": 0.2}, acquired=_PERSONAL,
    ),
    Group(
        name="new customers",
        share=0.09, season="leisure", orders_per_year=11, orders_least=1, orders_most=4, pace_shape=2, even=False,
        tenure_days=(1, 59), active_days=None, lapse_share=0.0, quiet_days=(0, 0),
        lines=1.6, price_shift=0.05, discount_share=0.15, discount_depth=0.12, return_rate=0.03, gift_wrap=0.05,
        age=33, satisfaction=7.7, business=0.07,
        categories={
            "Accessories": 0.3, "Phones": 0.2, "Smart home": 0.2, "Audio": 0.16, "Office supplies": 0.07,
            "Gifts & games": 0.07,
        },
        channels={"app": 0.66, "web": 0.28, "store": 0.06}, acquired=_ONLINE, settled=0.3,
    ),
    Group(
        name="never ordered",
        share=0.07, season="leisure", orders_per_year=0, orders_least=0, orders_most=0, pace_shape=1, even=False,
        tenure_days=(1, 1460), active_days=None, lapse_share=0.0, quiet_days=(0, 0),
        lines=1, price_shift=0.0, discount_share=0.0, discount_depth=0.0, return_rate=0.0, gift_wrap=0.0,
        age=40, satisfaction=6.0, business=0.08,
        categories={"Accessories": 1.0}, channels={"web": 1.0}, acquired=_THRIFTY,
    ),
    Group(
        name="content creators",
        share=0.04, season="leisure", orders_per_year=7, orders_least=2, orders_most=40, pace_shape=4, even=False,
        tenure_days=(20, 730), active_days=None, lapse_share=0.03, quiet_days=(30, 100),
        lines=2.0, price_shift=0.35, discount_share=0.12, discount_depth=0.12, return_rate=0.07, gift_wrap=0.02,
        age=27, satisfaction=8.1, business=0.08,
        categories={"Audio": 0.46, "Accessories": 0.28, "Phones": 0.16, "Computers": 0.1},
        channels={"web": 0.5, "app": 0.46, "store": 0.04},
        acquired={"search": 0.14, "social": 0.6, "referral": 0.16, "email": 0.02, "store": 0.02, "marketplace": 0.06},
        born_month=15,
    ),
)  # fmt: skip

GUESTS = Group(
    name="guests",
    share=0.38, season="leisure", orders_per_year=1, orders_least=1, orders_most=1, pace_shape=1, even=False,
    tenure_days=(729, 729), active_days=None, lapse_share=0.0, quiet_days=(0, 0),
    lines=1.5, price_shift=-0.1, discount_share=0.22, discount_depth=0.15, return_rate=0.05, gift_wrap=0.1,
    age=40, satisfaction=7.0, business=0.0,
    categories={
        "Accessories": 0.3, "Gifts & games": 0.18, "Audio": 0.16, "Office supplies": 0.14, "Smart home": 0.12,
        "Paper & ink": 0.1,
    },
    channels={"store": 0.55, "web": 0.4, "phone": 0.05}, acquired=_ONLINE,
)  # fmt: skip
