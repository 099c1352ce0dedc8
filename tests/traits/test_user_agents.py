"""What user agents tell, on agents as browsers, apps and robots send them."""

from __future__ import annotations

import pytest

from segmentry.data.simulation.plan_activity import BROWSERS, PHONES
from segmentry.traits.user_agents import DEVICES, read

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"


@pytest.mark.parametrize(
    ("agent", "device", "system", "browser"),
    [
        (f"Mozilla/5.0 (Linux; Android 13; SM-T870) {CHROME} Safari/537.36", "tablet", "Android", "Chrome"),
        (f"Mozilla/5.0 (Linux; Android 13; Pixel 7) {CHROME} Mobile Safari/537.36", "phone", "Android", "Chrome"),
        (f"Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 20) {CHROME} Mobile Safari/537.36", "phone", "Android", "Chrome"),
        ("Dalvik/2.1.0 (Linux; U; Android 13; SM-X700 Build/TP1A)", "tablet", "Android", None),
        (
            f"Mozilla/5.0 (Linux; Android 9; KFMAWI) {CHROME} Silk/120.1 like Chrome/120.0",
            "tablet",
            "Android",
            "Amazon Silk",
        ),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36", "desktop", "ChromeOS", "Chrome"),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "desktop",
            "Linux",
            "Firefox",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "desktop", "Windows", "IE"),
        ("Shop/6.2.0 (iPhone; iOS 18.1; Scale/3.00)", "phone", "iOS", None),
        ("Shop/621 CFNetwork/1410.0.3 Darwin/22.6.0", "phone", "iOS", None),
        ("Mozilla/5.0 (PlayStation 4 3.11) AppleWebKit/537.73 (KHTML, like Gecko)", "other", None, None),
        ("okhttp/4.12.0", "other", None, None),
        ("no agent at all", "other", None, None),
        ("", "other", None, None),
    ],
)
def test_device_system_and_browser(agent: str, device: str, system: str | None, browser: str | None):
    found = read(agent)
    assert not found.robot
    assert found.device == device
    assert found.system == system
    assert found.browser == browser


def test_agents_of_the_demo_company_are_what_it_meant():
    for browser in BROWSERS:
        for agent in browser.agents:
            found = read(agent)
            assert found.robot == (browser.kind == "robot"), agent
            if not found.robot:
                name, system = browser.name.split(" on ") if " on " in browser.name else (browser.name, "Android")
                assert found.browser == name
                assert found.system == system.replace("iPad", "iOS")
                mobile = "tablet" if system == "iPad" else "phone"
                assert found.device == (mobile if browser.kind == "mobile" else "desktop")
    for phone in PHONES:
        found = read(phone.agent.replace("{}", "18_5" if phone.system == "iOS" else "15"))
        assert (found.device, found.system, found.browser) == ("phone", phone.system, None)


@pytest.mark.parametrize(
    "agent", ["curl/8.1", "python-requests/2.31.0", "Slurp", "Mozilla/5.0 (compatible; MyBot/1.0)"]
)
def test_robots_and_programs_are_told(agent: str):
    assert read(agent).robot


def test_devices_have_an_order_for_ties():
    assert DEVICES == ("phone", "tablet", "desktop", "other")
