"""The report: one file that opens anywhere, holds what was found, and nothing that a name could smuggle in."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.apps import overviews

from segmentry.apps.report import render, write_report
from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS
from segmentry.checks import Severity
from segmentry.data.quality import Example, Finding, SourceScore, TraitHealth
from segmentry.errors import UsageError
from segmentry.overview import Concern, QualityReport, TraitCover
from segmentry.target.needs_report import Benefit, NeedsReport
from segmentry.target.satisfaction import Score
from segmentry.target.unmet_needs import EVERYBODY, UnmetNeed

VOID = {"meta", "br", "img", "link", "input", "hr"}
MAKERS = {
    make.__name__: make
    for make in (
        overviews.realistic,
        overviews.hostile,
        overviews.one_customer,
        overviews.without_value,
        overviews.without_segmentations,
        overviews.nobody_placed,
    )
}


class Outline(HTMLParser):
    """Tags, ids, links and texts of a page; an end tag that closes nothing is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element, line {self.getpos()[0]}"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[str(self.tags[-1][1].get("id", "code"))] = data
        elif self.open and self.open[-1] != "style":
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: render(make()) for name, make in MAKERS.items()}


@pytest.fixture(scope="module")
def outlines(pages: dict[str, str]) -> dict[str, Outline]:
    found = {}
    for name, page in pages.items():
        outline = found[name] = Outline()
        outline.feed(page)
        outline.close()
    return found


def words_of(outline: Outline) -> str:
    return re.sub(r"\s+", " ", " ".join(outline.text).replace("\xa0", " "))


@pytest.mark.parametrize("name", MAKERS)
def test_page_is_well_formed(outlines: dict[str, Outline], name: str):
    outline = outlines[name]
    assert not outline.open
    ids = Counter(attributes["id"] for _, attributes in outline.tags if "id" in attributes)
    assert [i for i, n in ids.items() if n > 1] == []
    for link in outline.all("a"):
        assert str(link["href"]).removeprefix("#") in ids
    for _, attributes in outline.tags:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids


@pytest.mark.parametrize("name", MAKERS)
def test_page_loads_nothing_from_outside(pages: dict[str, str], outlines: dict[str, Outline], name: str):
    outline = outlines[name]
    assert not outline.all("link")
    assert not any("src" in attributes for _, attributes in outline.tags)
    assert all(str(link["href"]).startswith("#") for link in outline.all("a"))
    assert not re.search(r"https?://|@import|url\(", pages[name])
    policy = next(m["content"] for m in outline.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none';")
    assert "unsafe" not in str(policy).partition("script-src")[2]


@pytest.mark.parametrize("name", MAKERS)
def test_figures_are_json_that_the_page_can_read(outlines: dict[str, Outline], name: str):
    outline = outlines[name]
    drawn = [div["data-figure"] for div in outline.all("div") if "data-figure" in div]
    for figure in drawn:
        body = json.loads(outline.scripts[str(figure)])
        assert body["data"]
        assert "template" not in body["layout"], "the looks are in the page once"
    assert set(json.loads(outline.scripts["templates"])) == {"light", "dark"}


def test_a_name_stays_text_wherever_it_stands(pages: dict[str, str], outlines: dict[str, Outline]):
    page, outline = pages["hostile"], outlines["hostile"]
    assert "<script>alert" not in page
    assert "<img" not in page
    assert not outline.all("img")
    assert {attributes.get("type") for attributes in outline.all("script")} == {
        None,
        "application/json",
        "application/gzip",
    }
    assert words_of(outline).count("</script><script>alert(1)</script>") >= 6, "people read what was typed"


def test_the_same_overview_gives_the_same_page(pages: dict[str, str]):
    assert render(overviews.realistic()) == pages["realistic"]


def test_page_says_what_was_found_in_the_promised_order(outlines: dict[str, Outline]):
    text = words_of(outlines["realistic"])
    expected = [
        "Customer segments as of 9 December 2011",
        "Harbour & Finch Ltd",
        "4,372 customers; the best 36 % bring 80 % of the revenue; 11 segments, 2 need attention now.",
        "Needs attention now",
        "The base at a glance",
        "The best 36 % of the customers bring 80 % of the revenue",
        "RFM",
        "Decide whom to keep",
        "The segments are a fixed grid over the three scores.",
        "Champions",
        "What sets them apart",
        "What to do",
        "Owner: Mira (CRM). Review by 1 November 2011 (overdue)",
        "Lifecycle",
        "of the population",
        "Value",
        "High: 12 % of the customers bring 50 % of the revenue",
        "Needs",
        "Typical fit",
        "4 segments come out again on resampled customers",
        "4 (chosen)",
        "Where the numbers come from",
        "15 % of the revenue has no customer behind it",
        "Segmentations that could not be made",
        "hobbies",
        "rows read",
        "without a customer",
        "Traits",
        "GBP a year",
        "How to read this",
        "Margin",
        "Constructive",
    ]
    at = 0
    for phrase in expected:
        found = text.find(phrase, at)
        assert found >= 0, f"{phrase!r} is not there, or too early"
        at = found


def test_numbers_are_short_with_the_exact_one_behind(pages: dict[str, str]):
    overview = overviews.realistic()
    assert overview.revenue is not None
    assert f'title="£{overview.revenue:,.2f}">£4.4m<' in pages["realistic"]
    assert 'title="541,909">542k<' in pages["realistic"]


def test_without_value_there_is_no_money(outlines: dict[str, Outline]):
    text = words_of(outlines["without_value"])
    assert "Per customer" not in text
    assert "bring 80 %" not in text.partition("Where the numbers come from")[0]


def test_page_weighs_little_for_what_it_holds(pages: dict[str, str]):
    assert len(pages["realistic"].encode()) < 2_500_000
    assert len(pages["without_segmentations"].encode()) < 2_100_000


def test_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "report.html"
    write_report(overviews.one_customer(), path)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="no space"):
        write_report(overviews.realistic(), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_path_that_cannot_be_written_is_explained(tmp_path: Path):
    with pytest.raises(UsageError, match="That is a folder"):
        write_report(overviews.one_customer(), tmp_path)
    with pytest.raises(UsageError, match="There is no folder"):
        write_report(overviews.one_customer(), tmp_path / "gone" / "report.html")


# --- in a browser -----------------------------------------------------------------------------------------------------

DRAWN = "html[data-charts=drawn]"
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def overflow(page: Page) -> list[str]:
    """What sticks out of the page sideways, and chart texts that are cut off by the edge of their chart."""
    return page.evaluate("""() => {
        const wide = document.documentElement.scrollWidth > innerWidth ? ["page"] : [];
        const cut = [...document.querySelectorAll(".chart")].flatMap((chart) => {
            const box = chart.getBoundingClientRect();
            return [...chart.querySelectorAll("text")].filter((text) => {
                const own = text.getBoundingClientRect();
                return own.width > 0 && (own.left < box.left - 1 || own.right > box.right + 1
                    || own.top < box.top - 1 || own.bottom > box.bottom + 1);
            }).map((text) => chart.dataset.figure + ": " + text.textContent);
        });
        return [...wide, ...cut];
    }""")


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_report_is_drawn_offline_on_a_desk_and_on_a_phone(
    browser: Browser, pages: dict[str, str], tmp_path: Path, width: int, scheme: Literal["light", "dark"]
):
    report = tmp_path / "report.html"
    report.write_text(pages["hostile"], encoding="utf-8")
    said: list[str] = []
    asked: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    page.wait_for_selector(DRAWN, state="attached", timeout=60_000)
    assert page.locator(".chart").count() == 10
    assert page.locator(".chart .main-svg:first-child").count() == 10
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 24, 28)")
    assert overflow(page) == []
    bar = page.evaluate("document.querySelector('nav').offsetHeight")  # it stays on top, over what is scrolled below
    padding = page.evaluate("parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop)")
    assert bar < padding < bar + 20
    context.close()
    assert said == []
    assert set(asked) == {report.as_uri()}


@pytest.mark.browser
def test_report_prints_in_light_colours_at_the_width_of_the_paper(browser: Browser, tmp_path: Path):
    overview = overviews.realistic()
    report = tmp_path / "report.html"
    write_report(replace(overview, segmentations=overview.segmentations[2:3]), report)
    page = browser.new_page(color_scheme="dark", viewport={"width": 1000, "height": 700})
    page.goto(report.as_uri())
    page.wait_for_selector(DRAWN, state="attached", timeout=60_000)
    look = "charts => charts.map(c => c._fullLayout.width + c._fullLayout.font.color)"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert set(page.eval_on_selector_all(".chart", look)) == {"900#1c2127"}
    assert page.locator("details:not([open], .twin)").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert set(page.eval_on_selector_all(".chart", look)) == {"960#f2f3f4"}
    page.close()


def test_data_quality_says_what_where_and_how_many_and_shows_no_value() -> None:
    finding = Finding(
        check="missing_week",
        source="orders",
        table="transactions",
        column="",
        severity=Severity.WARNING,
        rows=494,
        of_rows=35_516,
        text="no records from 2025-11-10 to 2025-11-16 (7 days)",
        examples=(Example("orders.csv", 7, "ada@home.example"),),
    )
    accepted = replace(finding, check="stale", text="the last record is old", accepted="The shop <b>has closed</b>")
    concerns = tuple(Concern(f, f.share, "Export those days again.", (), ("rfm",)) for f in (finding, accepted))
    scores = (SourceScore("orders", "transactions", 35_516, 0.91),)
    found = QualityReport(
        overviews.AS_OF, concerns, scores, {"behavioral": 0.99}, {"orders": 0.95}, ((overviews.AS_OF, 0.91),),
        {"rfm": (TraitHealth("every segment", 0.875, overviews.AS_OF, 0, 0.9, (finding,), 1_234),)},
    )  # fmt: skip
    page = render(replace(overviews.realistic(), quality=found))
    assert "1 warning as of 9 December 2011." in page
    for text in (
        "no records from 2025-11-10",
        ">91<",
        ">95<",
        "494",
        "behavioral traits",
        "Export those days again.",
        "RFM: every segment",
        "87.5",
        "1,234",
        "missing_week",
    ):
        assert text in page
    assert "1 accepted finding" in page
    assert "The shop &lt;b&gt;has closed" in page
    assert "ada@home" not in page
    assert 'id="quality"' not in render(overviews.realistic())


def test_reliability_of_a_scale_and_loadings_of_a_factor_stand_beside_their_description() -> None:
    found = overviews.realistic()
    first, second, *others = found.traits
    figures = {"respondents": 940, "alpha": 0.81, "alpha_interval": [0.79, 0.83], "omega": 0.82, "verdict": "good"}
    scale = replace(first, evidence={**figures, "items": ["q1", "q2"]})
    factor = replace(
        second, evidence={**figures, "items": ["q3"], "explained": 0.2, "loading": {"q3": 0.5, "q4": -0.75}}
    )
    page = render(replace(found, traits=(scale, factor, *others))).replace("\u00a0", " ")
    assert "Reliability: alpha 0.81 (0.79 to 0.83), omega 0.82: good; 2 items, 940 respondents." in page
    assert "explains 20 % of the answers. Loadings: q4 -0.75, q3 0.50." in page


def test_sentences_about_accounts_say_accounts() -> None:
    found = overviews.realistic()
    rfm = replace(found.segmentations[1], unit="account")
    of_customers, of_accounts = (render(replace(found, segmentations=(s,))) for s in (found.segmentations[1], rfm))
    for said in ("per customer", "share of the customers", "how many customers are there"):
        assert said in of_customers
        assert said.replace("customer", "account") not in of_customers
        assert said.replace("customer", "account") in of_accounts


def test_needs_stand_by_product_and_segment_and_satisfaction_by_segment():
    rated = (30, 8.0, 5.0, 11.0, 10.1, 11.9, 0.25)
    needs = (
        UnmetNeed("Low prices", "", EVERYBODY, *rated, quotes=("too <i>dear</i>",)),
        UnmetNeed("Low prices", "Tea & milk", "High", *rated),
        UnmetNeed("Low prices", "Tea & milk", "Low", None),
    )
    scores = (Score("nps", EVERYBODY, 30, -9.0, -20.5, 2.5), Score("nps", "High", None),
              Score("ces", EVERYBODY, 40, 6.3, 6.0, 6.5), Score("ces", "High", 7, 5.7, 5.3, 6.2))  # fmt: skip
    benefits = (Benefit("voice", "Low prices", -0.001, 0.05, 0.1),)
    found = NeedsReport(date(2026, 6, 30), "value", benefits, "", needs, scores)
    page = render(replace(overviews.realistic(), needs=found))
    said = page[page.index('<h2 id="needs">') :]
    everybody, grouped, wanted, satisfaction = re.findall("<table.*?</table>", said, re.DOTALL)[:4]
    assert "“too &lt;i&gt;dear&lt;/i&gt;”" in everybody
    assert "Segment" not in everybody
    assert "In their words" not in grouped  # nobody said anything
    assert "<td>Tea &amp; milk</td><td>High</td>" in grouped
    assert "Low</td>" not in grouped  # fewer than five
    assert "+0.00" in wanted
    columns, *rows = (re.findall("<t[hd].*?>(.*?)</t[hd]>", row) for row in satisfaction.split("<tr>")[1:])
    assert columns == ["Segment", "NPS", "People", "CES", "People"]
    assert rows == [[EVERYBODY, "-9.0 (-20.5 to 2.5)", "30", "6.3 (6.0 to 6.5)", "40"],
                    ["High", "fewer than 5", "", "5.7 (5.3 to 6.2)", "7"]]  # fmt: skip


def test_traits_of_accounts_stand_beside_those_of_customers():
    found = overviews.realistic()
    own = TraitCover(ACCOUNT_TRAITS["size_band"], 0.4, of="account")
    shared = TraitCover(TRAITS["service_cost"], 0.9, of="account")
    page = render(replace(found, traits=(*found.traits, own, shared)))
    of_customers, _, of_accounts = page.partition('<h2 id="traits-of-accounts">')
    assert "What is known about the accounts" in of_accounts
    for name in ("size_band", "service_cost"):
        assert f"<code>{name}</code>" in of_accounts
        assert f"<code>{name}</code>" not in of_customers
    assert 'href="#traits-of-accounts"' in of_customers
    assert "Traits of accounts" not in render(found)
