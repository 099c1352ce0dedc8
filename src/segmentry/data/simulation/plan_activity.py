"""What happens on the web site and in the app: devices, versions, pages and the courses of visits. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# --- browsers, phones and robots --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Browser:
    """A browser: how common among visits of its kind, and its user agents from the oldest version to the newest."""

    name: str
    kind: str  # desktop, mobile or robot
    share: float
    pattern: str  # of the user agent; {} is the version
    versions: tuple[str, ...]

    @property
    def agents(self) -> tuple[str, ...]:
        return tuple(self.pattern.replace("{}", version) for version in self.versions)


_CHROMIUM = ("126.0.0.0", "131.0.0.0", "137.0.0.0", "141.0.0.0")
_GECKO = ("127.0", "133.0", "140.0", "144.0")
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"

BROWSERS = (
    Browser("Chrome on Windows", "desktop", 0.36,
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/{{}} Safari/537.36", _CHROMIUM),
    Browser("Edge on Windows", "desktop", 0.22,
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/{{}} Safari/537.36 Edg/{{}}", _CHROMIUM),
    Browser("Firefox on Windows", "desktop", 0.08,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{}) Gecko/20100101 Firefox/{}", _GECKO),
    Browser("Safari on macOS", "desktop", 0.18,
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{} "
            "Safari/605.1.15", ("17.5", "18.1", "18.5", "26.0")),
    Browser("Chrome on macOS", "desktop", 0.10,
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Chrome/{{}} Safari/537.36", _CHROMIUM),
    Browser("Firefox on macOS", "desktop", 0.03,
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{}) Gecko/20100101 Firefox/{}", _GECKO),
    Browser("Firefox on Linux", "desktop", 0.03,
            "Mozilla/5.0 (X11; Linux x86_64; rv:{}) Gecko/20100101 Firefox/{}", _GECKO),
    Browser("Safari on iOS", "mobile", 0.46,
            "Mozilla/5.0 (iPhone; CPU iPhone OS {} Mobile/15E148 Safari/604.1",
            ("17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5",
             "18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1",
             "18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5",
             "18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0")),
    Browser("Chrome on iOS", "mobile", 0.06,
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/{} "
            "Mobile/15E148 Safari/604.1", ("126.0.6478.153", "131.0.6778.154", "137.0.7151.107", "141.0.7390.41")),
    Browser("Chrome on Android", "mobile", 0.34,
            f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/{{}} Mobile Safari/537.36", _CHROMIUM),
    Browser("Samsung Internet", "mobile", 0.09,
            f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} SamsungBrowser/{{}} Mobile Safari/537.36",
            ("25.0 Chrome/121.0.0.0", "26.0 Chrome/122.0.0.0", "27.0 Chrome/125.0.0.0", "28.0 Chrome/130.0.0.0")),
    Browser("Safari on iPad", "mobile", 0.05,
            "Mozilla/5.0 (iPad; CPU OS {} Mobile/15E148 Safari/604.1",
            ("17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5",
             "18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5")),
    Browser("Googlebot", "robot", 0.42,
            f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {_WEBKIT} Chrome/{{}} Mobile Safari/537.36 "
            "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)", ("126.0.6478.61", "141.0.7390.54")),
    Browser("Bingbot", "robot", 0.22,
            f"Mozilla/5.0 {_WEBKIT[:-1]}; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/{{}} "
            "Safari/537.36", ("116.0.1938.76", "136.0.0.0")),
    Browser("AhrefsBot", "robot", 0.16,
            "Mozilla/5.0 (compatible; AhrefsBot/{}; +http://ahrefs.com/robot/)", ("7.0",)),
    Browser("GPTBot", "robot", 0.12,
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/{}; +https://openai.com/gptbot)",
            ("1.1", "1.2")),
    Browser("HeadlessChrome", "robot", 0.08,
            f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} HeadlessChrome/{{}} Safari/537.36", ("126.0.0.0", "138.0.0.0")),
)  # fmt: skip


@dataclass(frozen=True)
class Phone:
    """A phone or tablet with the app: the manufacturer's name of the model, and what the app's library reports."""

    manufacturer: str
    model: str
    system: str
    system_versions: tuple[str, str]  # first half of the window, second half
    share: float
    agent: str  # {} is the version of the system


_IOS = "Mozilla/5.0 (iPhone; CPU iPhone OS {} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"

PHONES = (
    Phone("Apple", "iPhone14,5", "iOS", ("17.5.1", "18.5"), 0.17, _IOS),
    Phone("Apple", "iPhone15,2", "iOS", ("17.6.1", "18.6.2"), 0.15, _IOS),
    Phone("Apple", "iPhone16,1", "iOS", ("18.1", "26.0.1"), 0.14, _IOS),
    Phone("Apple", "iPhone17,3", "iOS", ("18.2", "26.1"), 0.08, _IOS),
    Phone("samsung", "SM-S911B", "Android", ("14", "15"), 0.15,
          "Dalvik/2.1.0 (Linux; U; Android {}; SM-S911B Build/UP1A.231005.007)"),
    Phone("samsung", "SM-A546B", "Android", ("14", "15"), 0.13,
          "Dalvik/2.1.0 (Linux; U; Android {}; SM-A546B Build/UP1A.231005.007)"),
    Phone("Google", "Pixel 8", "Android", ("14", "16"), 0.10,
          "Dalvik/2.1.0 (Linux; U; Android {}; Pixel 8 Build/AP2A.240805.005)"),
    Phone("Xiaomi", "23053RN02Y", "Android", ("13", "14"), 0.08,
          "Dalvik/2.1.0 (Linux; U; Android {}; 23053RN02Y Build/TP1A.220624.014)"),
)  # fmt: skip

# App releases in the order in which they come out, evenly over the window.
RELEASES = ("4.8.0", "4.9.1", "5.0.0", "5.0.2", "5.1.0", "5.2.0", "5.2.3", "5.3.0", "6.0.0", "6.0.1", "6.1.0", "6.2.0")
APP_NAME = "Company Shop"

# --- what can happen --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Happening:
    """One kind of event. ``name`` is that of Segment's e-commerce specification where it has one."""

    type: str  # page, screen, track, identify or group
    name: str
    path: str = ""  # of the page; {product} and {category} are filled in
    product: bool = False  # has a product's code, name, category and price among its properties


_WEB = {
    "home": Happening("page", "Home", "/"),
    "offers": Happening("page", "Offers", "/offers"),
    "category": Happening("page", "Category", "/c/{category}"),
    "product": Happening("page", "Product", "/p/{product}"),
    "basket": Happening("page", "Basket", "/basket"),
    "help": Happening("page", "Help", "/help"),
    "pricing": Happening("page", "Business pricing", "/business/pricing"),
    "account": Happening("page", "Account", "/account"),
    "found": Happening("track", "Products Searched", "/search"),
    "listed": Happening("track", "Product List Viewed", "/c/{category}"),
    "quoted": Happening("track", "Quote Requested", "/business/pricing"),
}
_BOTH = {
    "viewed": Happening("track", "Product Viewed", "/p/{product}", product=True),
    "added": Happening("track", "Product Added", "/p/{product}", product=True),
    "removed": Happening("track", "Product Removed", "/basket", product=True),
    "wished": Happening("track", "Product Added to Wishlist", "/p/{product}", product=True),
    "checkout": Happening("track", "Checkout Started", "/checkout"),
    "ordered": Happening("track", "Order Completed", "/checkout/done"),
    "identify": Happening("identify", "", "/login"),
    "group": Happening("group", "", "/account"),
}
_APP = {
    "opened": Happening("track", "Application Opened"),
    "start": Happening("screen", "Start"),
    "shown": Happening("screen", "Product"),
    "scanned": Happening("track", "Barcode Scanned"),
    "alerted": Happening("track", "Stock Alert Set", product=True),
    "located": Happening("track", "Store Finder Used"),
    "chatted": Happening("track", "Support Chat Opened"),
    "tracked": Happening("track", "Parcel Tracked"),
}
HAPPENINGS: Mapping[str, Happening] = {**_WEB, **_BOTH, **_APP}


@dataclass(frozen=True)
class Course:
    """How a visit runs: its events in order, each with the probability that it happens."""

    name: str
    app: bool
    steps: tuple[tuple[str, float], ...]


COURSES = (
    Course("order on the web", False, (
        ("home", 0.5), ("found", 0.4), ("category", 0.4), ("viewed", 1.0), ("added", 1.0), ("basket", 0.5),
        ("checkout", 1.0), ("identify", 0.5), ("ordered", 1.0),
    )),
    Course("order in the app", True, (
        ("opened", 1.0), ("identify", 0.3), ("start", 0.5), ("scanned", 0.15), ("viewed", 1.0), ("added", 1.0),
        ("checkout", 1.0), ("ordered", 1.0),
    )),
    Course("visit", False, (
        ("home", 0.55), ("offers", 0.2), ("identify", 0.12), ("listed", 0.4), ("viewed", 0.7), ("wished", 0.06),
        ("viewed", 0.3), ("added", 0.15), ("removed", 0.03), ("help", 0.08), ("account", 0.1),
    )),
    Course("app visit", True, (
        ("opened", 1.0), ("identify", 0.1), ("start", 0.6), ("scanned", 0.15), ("shown", 0.4), ("viewed", 0.4),
        ("alerted", 0.08), ("located", 0.1), ("chatted", 0.06), ("tracked", 0.2),
    )),
    Course("business visit", False, (
        ("home", 0.4), ("identify", 0.6), ("group", 0.8), ("pricing", 0.9), ("viewed", 0.4), ("quoted", 0.25),
    )),
    Course("robot", False, (
        ("home", 0.9), ("category", 0.9), ("product", 0.9), ("product", 0.9), ("pricing", 0.5), ("help", 0.6),
    )),
)  # fmt: skip

LOCALES: Mapping[str, tuple[str, str]] = {
    "United Kingdom": ("en-GB", "Europe/London"), "Ireland": ("en-IE", "Europe/Dublin"),
    "Germany": ("de-DE", "Europe/Berlin"), "France": ("fr-FR", "Europe/Paris"),
    "Netherlands": ("nl-NL", "Europe/Amsterdam"),
}  # fmt: skip

# Where visits come from, in the context of the event: (share, source, medium, name); most come by themselves.
SOURCES = (
    (0.10, "google", "cpc", "brand keywords"), (0.07, "newsletter", "email", "monthly newsletter"),
    (0.05, "facebook", "social", "carousel"), (0.03, "partner", "affiliate", "sponsored listings"),
)  # fmt: skip


@dataclass(frozen=True)
class Habits:
    """How often people visit, and what goes wrong on the way of an event."""

    orders_seen: float = 0.08  # web and app orders of which the visit is in the log
    visits: float = 1.2  # per person in the window, at digital = 1; personal paces differ a lot
    business_visits: float = 1.2
    robots: float = 0.012  # robot visits, per customer
    logged_in: float = 0.45  # visits of people who are still logged in
    new_cookie: float = 0.2  # devices whose anonymous id changes within the window
    late: float = 0.03  # arrive hours or days later
    twice: float = 0.007  # arrive a second time
    offset: float = 0.02  # write local time with its offset


HABITS = Habits()
