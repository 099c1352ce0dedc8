"""What user agents tell: device, operating system, browser, and whether a robot came. Each is read once, in Python.

ua-parser (the rules of the uap-core project) knows systems, browsers and robots. It does not say what kind of device it
was; that is worked out here from what it finds and from what browsers promise: Chrome says "Mobile" on a phone and
leaves it out on a tablet (developer.chrome.com, "User-Agent strings"). Safari on an iPad has called itself a Mac since
iPadOS 13, unless the site is asked for in its mobile form: such a tablet counts as a desktop.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PHONE, TABLET, DESKTOP, OTHER = DEVICES = ("phone", "tablet", "desktop", "other")

_ROBOT = re.compile(
    r"\bbot\b|bot/\d|crawl|spider|slurp|headless|scrap|monitor|preview|phantomjs|selenium|lighthouse"
    r"|^(curl|wget|python|java|go-http|libwww|axios|node|postman|ruby|perl|php|apache-httpclient)\b",
    re.IGNORECASE,
)
_SCREENS = re.compile(r"\bTV\b|SmartTV|SMART-TV|AppleTV|PlayStation|Xbox|Nintendo|Watch", re.IGNORECASE)
# Models that their makers sell as tablets, and words for them: an app's agent has no "Mobile" to go by.
_TABLET = re.compile(r"iPad|Tablet|Kindle|\bKF[A-Z]{3,}|\bSM-[TXP]\d|\bTab\b|\bPad\b|\bMediaPad|Nexus (7|9|10)\b")
_SYSTEMS = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS"}
_LINUX = ("Linux", "Ubuntu", "Debian", "Fedora", "Red Hat", "SUSE", "Gentoo", "Arch Linux", "Linux Mint", "CentOS")
_DESKTOP = ("Windows", "macOS", "Linux", "ChromeOS", "FreeBSD", "OpenBSD", "NetBSD", "Solaris")
_BROWSERS = (
    *("Chrome", "Safari", "Firefox", "Edge", "Samsung Internet", "Opera", "IE", "Amazon Silk", "UC Browser", "Brave"),
    *("Vivaldi", "Yandex Browser", "DuckDuckGo", "MiuiBrowser", "Huawei Browser", "QQ Browser", "Whale", "Chromium"),
)
# What a browser is called on a small screen: Chrome Mobile, Mobile Safari, Firefox iOS.
_SMALL = re.compile(r" ?\b(Mobile|iOS|Mini|Touch)\b ?")


class Agent(NamedTuple):
    """What a user agent tells; null is what it does not tell. ``browser`` is null for an app."""

    device: str | None
    system: str | None
    browser: str | None
    robot: bool


_ROBOTS = Agent(None, None, None, robot=True)


def read(agent: str) -> Agent:
    """Read a user agent.

    >>> read("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    ...      "Version/17.5 Mobile/15E148 Safari/604.1")
    Agent(device='phone', system='iOS', browser='Safari', robot=False)
    >>> read("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)").robot
    True
    """
    import ua_parser  # noqa: PLC0415  # its rules take a third of a second to load

    found = ua_parser.parse(agent)
    family = found.user_agent.family if found.user_agent else ""
    model = found.device.family if found.device else ""
    if model == "Spider" or _ROBOT.search(agent):
        return _ROBOTS
    named = found.os.family if found.os else None
    system = _SYSTEMS.get(named, named) if named else None
    system = "Linux" if system in _LINUX else system
    brand = (found.device.brand or "") if found.device else ""
    browser = _SMALL.sub("", family).strip()
    return Agent(_device(agent, system, brand), system, browser if browser in _BROWSERS else None, robot=False)


def _device(agent: str, system: str | None, brand: str) -> str:
    """The kind of device."""
    if _SCREENS.search(agent):
        return OTHER
    if _TABLET.search(agent) or brand.endswith("Tablet"):
        return TABLET
    if system == "Android":
        # an app's agent (Dalvik, okhttp) says nothing of the screen: most are phones
        return PHONE if "Mobile" in agent or not agent.startswith("Mozilla/") else TABLET
    if system in _DESKTOP:
        return DESKTOP
    return PHONE if system == "iOS" or "Mobile" in agent or "Phone" in agent else OTHER
