"""What the demo company sells, where and when. Data only.

Every number is an assumption about an ordinary electronics and office retailer; none is an estimate from a real one.
"""

from __future__ import annotations

from dataclasses import dataclass

CHANNELS = ("web", "store", "app", "phone")
STORE = CHANNELS.index("store")


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
class Place:
    """A city, how its post codes begin, its share of the customers, and where it is (degrees)."""

    city: str
    region: str
    country: str
    postcode: str
    weight: float
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Store:
    """A shop in the street, in the place with this number, so many degrees away from its centre."""

    name: str
    place_no: int
    north: float = 0.0
    east: float = 0.0


CATEGORIES = (
    Category("Computers", "CO", 36, 560, 0.50, 0.6, 0.14, 1.0, ("Laptop", "Desktop PC", "Mini PC", "Monitor")),
    Category("Phones", "PH", 36, 380, 0.50, 0.6, 0.16, 1.1, ("Smartphone", "Mobile phone", "E-reader")),
    Category("Tablets", "TA", 10, 340, 0.45, 0.6, 0.18, 0.8, ("Tablet",)),
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

_UK = "United Kingdom"

PLACES = (
    Place("London", "Greater London", _UK, "SE", 15, 51.480, -0.060),
    Place("London", "Greater London", _UK, "N", 9, 51.565, -0.110),
    Place("Birmingham", "West Midlands", _UK, "B", 7, 52.480, -1.900),
    Place("Leeds", "Yorkshire", _UK, "LS", 5, 53.800, -1.549),
    Place("Sheffield", "Yorkshire", _UK, "S", 4, 53.381, -1.470),
    Place("Manchester", "North West", _UK, "M", 6, 53.480, -2.243),
    Place("Liverpool", "North West", _UK, "L", 5, 53.408, -2.992),
    Place("Bristol", "South West", _UK, "BS", 5, 51.455, -2.588),
    Place("Exeter", "South West", _UK, "EX", 2, 50.726, -3.528),
    Place("Newcastle", "North East", _UK, "NE", 3, 54.978, -1.618),
    Place("Nottingham", "East Midlands", _UK, "NG", 4, 52.954, -1.158),
    Place("Norwich", "East of England", _UK, "NR", 3, 52.630, 1.297),
    Place("Brighton", "South East", _UK, "BN", 4, 50.823, -0.138),
    Place("Oxford", "South East", _UK, "OX", 3, 51.752, -1.258),
    Place("Glasgow", "Scotland", _UK, "G", 5, 55.864, -4.252),
    Place("Edinburgh", "Scotland", _UK, "EH", 4, 55.953, -3.188),
    Place("Cardiff", "Wales", _UK, "CF", 3, 51.482, -3.179),
    Place("Belfast", "Northern Ireland", _UK, "BT", 2, 54.597, -5.930),
    Place("Dublin", "Leinster", "Ireland", "D", 4, 53.350, -6.260),
    Place("Cork", "Munster", "Ireland", "T", 2, 51.897, -8.470),
    Place("Berlin", "Berlin", "Germany", "10", 2, 52.520, 13.405),
    Place("München", "Bayern", "Germany", "80", 1, 48.137, 11.575),
    Place("Paris", "Île-de-France", "France", "75", 1, 48.857, 2.352),
    Place("Amsterdam", "Noord-Holland", "Netherlands", "10", 1, 52.370, 4.895),
)

STORES = (
    Store("London Peckham", 0, -0.011, -0.009), Store("London Greenwich", 0, 0.002, 0.055),
    Store("London Islington", 1, -0.029, 0.007), Store("Birmingham Bullring", 2), Store("Leeds Briggate", 3),
    Store("Sheffield Moor", 4), Store("Manchester Arndale", 5), Store("Liverpool One", 6),
    Store("Bristol Broadmead", 7),
    Store("Exeter Guildhall", 8), Store("Newcastle Eldon", 9), Store("Nottingham Victoria", 10),
    Store("Norwich Castle", 11), Store("Brighton Lanes", 12), Store("Oxford Westgate", 13),
    Store("Glasgow Buchanan", 14), Store("Edinburgh Waverley", 15), Store("Cardiff Queen Street", 16),
    Store("Belfast Victoria", 17), Store("Dublin Liffey", 18), Store("Cork Patrick Street", 19),
)  # fmt: skip

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
