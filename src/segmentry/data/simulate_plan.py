"""The plan of the simulated shop: who its customers are, what it sells, where and when. Data only.

`simulate.py` turns this plan into tables. Every number here is an assumption about an ordinary European electronics and
office retailer, chosen so that groups overlap the way real ones do; none is an estimate from a real company.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CHANNELS = ("web", "store", "app", "phone")
ACQUISITION = ("search", "social", "referral", "email", "store", "marketplace")


@dataclass(frozen=True)
class Category:
    """A product range. List prices spread log-normally around ``price``."""

    name: str
    prefix: str  # of the product code
    products: int
    price: float  # median list price, in the shop's currency
    spread: float  # standard deviation of the log list price
    quantity: float  # typical pieces per order line
    margin: float  # mean share of the list price that is not cost
    returned: float  # how often a line comes back, relative to the group's return rate
    nouns: tuple[str, ...]


@dataclass(frozen=True)
class Season:
    """How demand moves through the week (Monday first) and the year (January first), relative to an even year."""

    name: str
    weekdays: tuple[float, ...]
    months: tuple[float, ...]
    sales: float  # multiplies the days of Black Friday week and of the January sale


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
    satisfaction: float  # mean answer from 0 to 10
    categories: Mapping[str, float]
    channels: Mapping[str, float]
    acquired: Mapping[str, float]


@dataclass(frozen=True)
class Place:
    """A city, how its post codes begin, and its share of the customers."""

    city: str
    region: str
    country: str
    postcode: str
    weight: float


@dataclass(frozen=True)
class Plan:
    """All that the simulation needs to know about the shop, beside its size and its seed."""

    months: int
    groups: tuple[Group, ...]
    guests: Group
    categories: tuple[Category, ...]
    seasons: tuple[Season, ...]
    places: tuple[Place, ...]
    spellings: Mapping[str, tuple[str, ...]]  # the ways in which a country is mistyped
    brands: tuple[str, ...]
    first_names: Mapping[str, tuple[str, ...]]  # by gender code
    last_names: tuple[str, ...]
    value_levels: Mapping[str, float]  # name -> least planned spend over the window, ascending

    @property
    def everyone(self) -> tuple[Group, ...]:
        """The groups of registered customers, then the guests."""
        return (*self.groups, self.guests)


CATEGORIES = (
    Category("Computers", "CO", 36, 560, 0.50, 0.6, 0.14, 1.0, ("Laptop", "Desktop PC", "Mini PC", "Monitor")),
    Category("Phones & tablets", "PH", 36, 380, 0.50, 0.6, 0.16, 1.1, ("Smartphone", "Tablet", "E-reader")),
    Category("Smart home", "SM", 40, 85, 0.60, 0.8, 0.27, 1.2, ("Smart lamp", "Smartwatch", "Thermostat", "Camera")),
    Category("Audio", "AU", 40, 70, 0.65, 0.8, 0.30, 1.4, ("Headphones", "Earbuds", "Soundbar", "Speaker")),
    Category("Accessories", "AC", 60, 18, 0.55, 1.0, 0.45, 1.0, ("USB cable", "Charger", "Case", "Mouse", "Hub")),
    Category(
        "Office supplies", "OF", 70, 6.5, 0.55, 3.0, 0.42, 0.5, ("Pens", "Binder", "Notebook", "Labels", "Stapler")
    ),
    Category("Paper & ink", "PA", 40, 22, 0.45, 2.0, 0.30, 0.4, ("Copy paper", "Ink cartridge", "Toner")),
    Category("Furniture", "FU", 24, 140, 0.50, 0.8, 0.38, 0.9, ("Desk", "Office chair", "Shelf", "Desk lamp")),
    Category("Gifts & games", "GI", 48, 27, 0.50, 1.0, 0.40, 0.8, ("Board game", "Puzzle", "Controller", "Gift set")),
)

SEASONS = (
    Season(
        "office",
        (1.25, 1.3, 1.3, 1.25, 1.1, 0.35, 0.25),
        (1.15, 1.0, 1.05, 0.95, 1.0, 0.95, 0.8, 0.75, 1.2, 1.1, 1.1, 0.85),
        1.1,
    ),
    Season(
        "leisure",
        (0.9, 0.85, 0.9, 0.95, 1.05, 1.25, 1.15),
        (0.9, 0.85, 0.9, 0.9, 0.95, 0.9, 0.9, 0.9, 1.1, 1.0, 1.3, 1.4),
        1.6,
    ),
    Season(
        "sales",
        (0.9, 0.9, 0.9, 1.0, 1.15, 1.1, 1.2),
        (1.5, 0.9, 0.8, 0.85, 0.9, 1.0, 1.2, 0.9, 0.8, 0.8, 1.4, 1.0),
        2.2,
    ),
    Season(
        "gifts",
        (0.8, 0.8, 0.85, 0.95, 1.2, 1.6, 0.9),
        (0.25, 0.3, 0.35, 0.3, 0.35, 0.3, 0.2, 0.2, 0.25, 0.45, 3.4, 6.0),
        1.3,
    ),
)

_ONLINE = {"search": 0.42, "social": 0.2, "referral": 0.14, "email": 0.1, "store": 0.06, "marketplace": 0.08}
_PERSONAL = {"search": 0.2, "social": 0.08, "referral": 0.24, "email": 0.12, "store": 0.32, "marketplace": 0.04}
_THRIFTY = {"search": 0.26, "social": 0.24, "referral": 0.08, "email": 0.12, "store": 0.06, "marketplace": 0.24}

GROUPS = (
    Group(
        name="office replenishers",
        share=0.12, season="office", orders_per_year=6, orders_least=3, orders_most=90, pace_shape=4, even=True,
        tenure_days=(200, 1460), active_days=None, lapse_share=0.05, quiet_days=(60, 300),
        lines=2.6, price_shift=-0.1, discount_share=0.10, discount_depth=0.10, return_rate=0.02, gift_wrap=0.0,
        age=46, satisfaction=8.6,
        categories={
            "Office supplies": 0.5, "Paper & ink": 0.32, "Accessories": 0.1, "Furniture": 0.04, "Computers": 0.04,
        },
        channels={"web": 0.8, "phone": 0.1, "store": 0.06, "app": 0.04}, acquired=_ONLINE,
    ),
    Group(
        name="tech enthusiasts",
        share=0.11, season="leisure", orders_per_year=4.6, orders_least=2, orders_most=60, pace_shape=4, even=False,
        tenure_days=(150, 1460), active_days=None, lapse_share=0.06, quiet_days=(60, 300),
        lines=1.7, price_shift=0.15, discount_share=0.14, discount_depth=0.12, return_rate=0.06, gift_wrap=0.05,
        age=34, satisfaction=8.0,
        categories={
            "Phones & tablets": 0.28, "Smart home": 0.32, "Audio": 0.22, "Accessories": 0.12, "Computers": 0.06,
        },
        channels={"app": 0.8, "web": 0.14, "store": 0.06}, acquired=_ONLINE,
    ),
    Group(
        name="bargain hunters",
        share=0.15, season="sales", orders_per_year=3.4, orders_least=2, orders_most=50, pace_shape=3, even=False,
        tenure_days=(150, 1300), active_days=None, lapse_share=0.12, quiet_days=(60, 300),
        lines=2.1, price_shift=-0.45, discount_share=0.72, discount_depth=0.25, return_rate=0.18, gift_wrap=0.05,
        age=37, satisfaction=6.4,
        categories={
            "Accessories": 0.3, "Audio": 0.22, "Smart home": 0.18, "Gifts & games": 0.12, "Office supplies": 0.1,
            "Phones & tablets": 0.08,
        },
        channels={"web": 0.62, "app": 0.28, "store": 0.1}, acquired=_THRIFTY,
    ),
    Group(
        name="seasonal gift buyers",
        share=0.17, season="gifts", orders_per_year=1.9, orders_least=2, orders_most=20, pace_shape=4, even=False,
        tenure_days=(380, 1460), active_days=None, lapse_share=0.08, quiet_days=(250, 400),
        lines=2.4, price_shift=0.0, discount_share=0.15, discount_depth=0.15, return_rate=0.04, gift_wrap=0.4,
        age=52, satisfaction=7.6,
        categories={
            "Gifts & games": 0.55, "Audio": 0.15, "Smart home": 0.14, "Accessories": 0.11, "Phones & tablets": 0.05,
        },
        channels={"store": 0.75, "web": 0.2, "app": 0.05}, acquired=_PERSONAL,
    ),
    Group(
        name="one-time buyers",
        share=0.19, season="leisure", orders_per_year=1, orders_least=1, orders_most=1, pace_shape=1, even=False,
        tenure_days=(100, 729), active_days=7, lapse_share=0.0, quiet_days=(0, 0),
        lines=1.5, price_shift=0.0, discount_share=0.12, discount_depth=0.15, return_rate=0.02, gift_wrap=0.05,
        age=41, satisfaction=6.6,
        categories={"Accessories": 0.5, "Audio": 0.2, "Smart home": 0.18, "Office supplies": 0.12},
        channels={"web": 0.84, "store": 0.12, "app": 0.04}, acquired=_ONLINE,
    ),
    Group(
        name="lapsed big spenders",
        share=0.09, season="leisure", orders_per_year=6.5, orders_least=3, orders_most=60, pace_shape=4, even=False,
        tenure_days=(620, 1460), active_days=None, lapse_share=1.0, quiet_days=(190, 400),
        lines=2.2, price_shift=0.5, discount_share=0.1, discount_depth=0.12, return_rate=0.04, gift_wrap=0.02,
        age=48, satisfaction=5.2,
        categories={
            "Computers": 0.32, "Furniture": 0.3, "Office supplies": 0.12, "Paper & ink": 0.1, "Phones & tablets": 0.08,
            "Accessories": 0.08,
        },
        channels={"web": 0.44, "phone": 0.36, "store": 0.2}, acquired=_PERSONAL,
    ),
    Group(
        name="new customers",
        share=0.09, season="leisure", orders_per_year=11, orders_least=1, orders_most=4, pace_shape=2, even=False,
        tenure_days=(1, 59), active_days=None, lapse_share=0.0, quiet_days=(0, 0),
        lines=1.6, price_shift=0.05, discount_share=0.15, discount_depth=0.12, return_rate=0.03, gift_wrap=0.05,
        age=33, satisfaction=7.7,
        categories={
            "Accessories": 0.3, "Phones & tablets": 0.2, "Smart home": 0.2, "Audio": 0.16, "Office supplies": 0.07,
            "Gifts & games": 0.07,
        },
        channels={"app": 0.66, "web": 0.28, "store": 0.06}, acquired=_ONLINE,
    ),
    Group(
        name="never ordered",
        share=0.08, season="leisure", orders_per_year=0, orders_least=0, orders_most=0, pace_shape=1, even=False,
        tenure_days=(1, 1460), active_days=None, lapse_share=0.0, quiet_days=(0, 0),
        lines=1, price_shift=0.0, discount_share=0.0, discount_depth=0.0, return_rate=0.0, gift_wrap=0.0,
        age=40, satisfaction=6.0,
        categories={"Accessories": 1.0}, channels={"web": 1.0}, acquired=_THRIFTY,
    ),
)  # fmt: skip

GUESTS = Group(
    name="guests",
    share=0.38, season="leisure", orders_per_year=1, orders_least=1, orders_most=1, pace_shape=1, even=False,
    tenure_days=(729, 729), active_days=None, lapse_share=0.0, quiet_days=(0, 0),
    lines=1.5, price_shift=-0.1, discount_share=0.22, discount_depth=0.15, return_rate=0.05, gift_wrap=0.1,
    age=40, satisfaction=7.0,
    categories={
        "Accessories": 0.3, "Gifts & games": 0.18, "Audio": 0.16, "Office supplies": 0.14, "Smart home": 0.12,
        "Paper & ink": 0.1,
    },
    channels={"store": 0.55, "web": 0.4, "phone": 0.05}, acquired=_ONLINE,
)  # fmt: skip

_UK = "United Kingdom"

PLACES = (
    Place("London", "Greater London", _UK, "SE", 15),
    Place("London", "Greater London", _UK, "N", 9),
    Place("Birmingham", "West Midlands", _UK, "B", 7),
    Place("Leeds", "Yorkshire", _UK, "LS", 5),
    Place("Sheffield", "Yorkshire", _UK, "S", 4),
    Place("Manchester", "North West", _UK, "M", 6),
    Place("Liverpool", "North West", _UK, "L", 5),
    Place("Bristol", "South West", _UK, "BS", 5),
    Place("Exeter", "South West", _UK, "EX", 2),
    Place("Newcastle", "North East", _UK, "NE", 3),
    Place("Nottingham", "East Midlands", _UK, "NG", 4),
    Place("Norwich", "East of England", _UK, "NR", 3),
    Place("Brighton", "South East", _UK, "BN", 4),
    Place("Oxford", "South East", _UK, "OX", 3),
    Place("Glasgow", "Scotland", _UK, "G", 5),
    Place("Edinburgh", "Scotland", _UK, "EH", 4),
    Place("Cardiff", "Wales", _UK, "CF", 3),
    Place("Belfast", "Northern Ireland", _UK, "BT", 2),
    Place("Dublin", "Leinster", "Ireland", "D", 4),
    Place("Cork", "Munster", "Ireland", "T", 2),
    Place("Berlin", "Berlin", "Germany", "10", 2),
    Place("München", "Bayern", "Germany", "80", 1),
    Place("Paris", "Île-de-France", "France", "75", 1),
    Place("Amsterdam", "Noord-Holland", "Netherlands", "10", 1),
)

SPELLINGS = {
    _UK: ("UK", "U.K.", "GB", "Great Britain", "united kingdom", "England"),
    "Ireland": ("IE", "Eire", "Republic of Ireland", "ireland"),
    "Germany": ("DE", "Deutschland", "GERMANY"),
    "France": ("FR", "france"),
    "Netherlands": ("NL", "Holland", "The Netherlands"),
}

BRANDS = (
    "Aldren", "Brenn", "Corvane", "Delmar", "Ektora", "Fenwyr", "Gravo", "Halden", "Ilmen", "Jorvik", "Kestrel",
    "Lumo",
)  # fmt: skip

FIRST_NAMES = {
    "F": (
        "Olivia", "Amelia", "Isla", "Ava", "Mia", "Grace", "Freya", "Emily", "Sophie", "Chloe", "Zoë", "Siân",
        "Hannah", "Laura", "Sarah", "Emma", "Charlotte", "Lucy", "Rachel", "Rebecca", "Claire", "Nicola", "Helen",
        "Susan", "Karen", "Julie", "Fatima", "Aisha", "Priya", "Mei", "Aoife", "Niamh", "Katarzyna", "Anna", "Marie",
        "Ingrid", "Renée",
    ),
    "M": (
        "Oliver", "George", "Harry", "Noah", "Jack", "Leo", "Arthur", "Muhammad", "Oscar", "Charlie", "James",
        "Thomas", "William", "Daniel", "Matthew", "Andrew", "David", "Paul", "Mark", "Stephen", "Robert", "Peter",
        "Ian", "Gareth", "Callum", "Rhys", "Seán", "Ciarán", "Ahmed", "Raj", "Wei", "Piotr", "Jürgen", "François",
        "Lars", "Sanjay", "Kofi",
    ),
}  # fmt: skip

LAST_NAMES = (
    "Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Johnson", "Davies", "Patel", "Robinson", "Wright",
    "Thompson", "Evans", "Walker", "White", "Roberts", "Green", "Hall", "Wood", "Jackson", "Clarke", "Khan", "Harris",
    "Lewis", "Turner", "Hill", "Scott", "Cooper", "Morris", "Ward", "Moore", "King", "Watson", "Baker", "Morgan",
    "Bell", "Murphy", "Kelly", "O'Brien", "Walsh", "Ryan", "Byrne", "MacDonald", "Campbell", "Stewart", "Begum",
    "Singh", "Ali", "Ahmed", "Hussain", "Kowalski", "Nowak", "Müller", "Schmidt", "Weber", "Martin", "Bernard",
    "Dubois", "de Vries", "van Dijk", "Jansen", "García", "Silva", "Okafor", "Mensah", "Chen", "Wang", "Nguyen",
    "Cole-Hughes", "Fraser",
)  # fmt: skip

PLAN = Plan(
    months=24,
    groups=GROUPS,
    guests=GUESTS,
    categories=CATEGORIES,
    seasons=SEASONS,
    places=PLACES,
    spellings=SPELLINGS,
    brands=BRANDS,
    first_names=FIRST_NAMES,
    last_names=LAST_NAMES,
    value_levels={"low": 0.0, "middle": 250.0, "high": 1500.0},
)
