"""Exports as they come: each file alone is recognised, mapped and collected without an edit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest
from tests.data.test_surveys import NOW, csv, last, made, quarantined
from tests.shops import opened

from segmentry import config
from segmentry.config import Source
from segmentry.data.propose import propose, to_yaml
from segmentry.data.simulation import simulate
from segmentry.engine import in_memory
from segmentry.errors import DataError
from segmentry.workspace import Workspace


def only(written: str) -> Source:
    (source,) = config.parse(written, {}).sources.values()
    return source


def table(space: Workspace, kind: str) -> pd.DataFrame:
    with space.reading() as reading:
        return reading.find(kind).order_by("line").to_pandas()


def ndjson(rows: Sequence[Mapping[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


# Behaviour ------------------------------------------------------------------------------------------------------------


def test_segment_calls_become_events(tmp_path: Path) -> None:
    page = {"context": {"page": {"path": "/p"}, "userAgent": "Mozilla/5.0"}}
    rows: list[dict[str, object]] = []
    for n in range(10):
        at = {"anonymousId": f"a{n}", "timestamp": f"2026-03-01T10:00:0{n}.250Z"}
        rows.append({"type": "page", "name": "Home", **at, **page})
        rows.append({"type": "identify", "userId": f"C-{n}", "traits": {"email": f"p{n}@mail.example"}, **at, **page})
        rows.append({"type": "track", "event": "Product Viewed", "userId": f"C-{n}", **at, **page})
    space, written = made(tmp_path, "events.ndjson", ndjson(rows))
    assert only(written).columns["customer"] == "userId"
    assert only(written).key is None, "calls without an id of their message are told apart by their content"
    found = table(space, "events")
    assert found["name"].tolist()[:3] == ["page", "identify", "Product Viewed"]
    assert found["channel"].unique().tolist() == ["web"]
    assert found["page"].unique().tolist() == ["/p"]
    assert found["customer"].isna().sum() == 10


def test_calls_are_proposed_with_their_visitor_and_count_once_however_often_they_are_delivered(tmp_path: Path) -> None:
    rows = [
        {"type": "track", "event": "Viewed", "anonymousId": f"a{n % 5}", "userId": f"C-{n % 5}" if n > 9 else None,
         "messageId": f"m{n}", "timestamp": f"2026-03-01T10:00:{n:02}.250Z"}
        for n in range(30)
    ]  # fmt: skip
    space, written = made(tmp_path, "events.ndjson", ndjson([*rows, *rows[20:]]))
    source = only(written)
    assert (source.key, source.keep, source.columns["visitor"]) == (("messageId",), "first", "anonymousId")
    entry = space.manifest().entries[0]
    assert (entry.rows, entry.kept, entry.duplicates) == (40, 30, 10)
    space.resolve()
    assert space.state.current()["resolve"].rows["golden_customers"] == 5


GA4 = [
    {
        "event_date": "20260301",
        "event_timestamp": str(1_772_359_200_000_000 + n * 1_500_000),
        "event_name": "page_view" if n % 2 else "purchase",
        "event_params": [
            {"key": "page_location", "value": {"string_value": f'https://shop.example/"{n}"'}},
            {"key": "ga_session_id", "value": {"int_value": str(7_000 + n)}},
            {"key": "score", "value": {"double_value": 1.5}},
        ],
        "user_id": f"C-{n % 3}" if n % 4 else None,
        "user_pseudo_id": f"p{n % 3}",
        "platform": "WEB",
    }
    for n in range(12)
]


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_ga4_events_from_ndjson_and_parquet(tmp_path: Path, form: str) -> None:
    data: str | bytes = ndjson(GA4)
    if form == "parquet":
        rows = [{**row, "event_timestamp": int(str(row["event_timestamp"]))} for row in GA4]
        pd.DataFrame(rows).to_parquet(tmp_path / "made.parquet")
        data = (tmp_path / "made.parquet").read_bytes()
    space, written = made(tmp_path / "w", f"events.{form}", data)
    assert only(written).layout == "ga4_events"
    found = table(space, "events")
    assert len(found) == 12
    assert str(found["time"][1]) == "2026-03-01 10:00:01.500000"
    assert (found["page"][3], found["channel"][3]) == ('https://shop.example/"3"', "web")
    assert json.loads(found["properties"][3]) == {
        "page_location": 'https://shop.example/"3"', "ga_session_id": "7003", "score": "1.5",
    }  # fmt: skip
    assert found["customer"].isna().sum() == 3


def test_a_ga4_layout_of_another_file_says_what_is_missing(tmp_path: Path) -> None:
    space, written = made(tmp_path, "events.ndjson", ndjson(GA4))
    (tmp_path / "events.ndjson").write_text(ndjson([{"event_name": "x", "user_id": "C-1"}]))
    with pytest.raises(DataError, match="has no column event_timestamp, event_params"):
        space.collect()
    assert len(table(opened(tmp_path), "events")) == 12
    assert "ga4_events" in written


@pytest.mark.parametrize(
    ("header", "arms"),
    [
        (["Email Address", "Arm", "Sent At"], ("mailed", "holdout")),
        (["customer_id", "test_group", "campaign", "sent_at"], ("A", "B", "control")),
        (["E-Mail", "Testgruppe", "Versendet am"], ("Mailing", "Kontrolle")),
    ],
    ids=["demo", "three arms", "german"],
)
def test_arms_of_an_experiment_are_campaigns_sent_and_no_customers(
    tmp_path: Path, header: list[str], arms: tuple[str, ...]
) -> None:
    rows = []
    for n in range(60):
        arm = arms[n % len(arms)]
        who = f"p{n}@mail.example" if "ail" in header[0] else f"C-{n}"
        sent = None if n % len(arms) == len(arms) - 1 else "2026-03-10 10:00:00"
        rows.append([who, arm, *(["spring"] if len(header) == 4 else []), sent])
    space, written = made(tmp_path, "arms.csv", csv([header, *rows]))
    assert only(written).kind == "events"
    found = table(space, "events")
    assert set(found["name"]) == {"campaign sent"}
    assert set(found["properties"]) == set(arms[:-1])
    assert space.manifest().entries[0].reasons == {"held out of the campaign: nothing was sent": 60 - len(found)}


@pytest.mark.parametrize(
    ("header", "acts"),
    [
        (["Email Address", "Campaign ID", "Action", "Timestamp", "URL"], ["sent", "open", "click", "hard_bounce"]),
        (["Recipient", "Campaign", "Event Type", "Created", "Link URL"], ["DELIVERED", "OPEN", "CLICK", "SPAMREPORT"]),
        (["Email", "Campaign Name", "Event", "Time", "URL"],
         ["Received Email", "Opened Email", "Clicked Email", "Unsubscribed"]),
    ],
    ids=["mailchimp", "hubspot", "klaviyo"],
)  # fmt: skip
def test_mailings_become_events_of_email(tmp_path: Path, header: list[str], acts: list[str]) -> None:
    rows = [
        [f"p{n % 9}@mail.example", f"news-{n % 4}", acts[n % 4], f"2026-03-{1 + n % 28:02} 10:00:00", None]
        for n in range(40)
    ]
    space, _ = made(tmp_path, "activity.csv", csv([header, *rows]))
    found = table(space, "events")
    assert found["channel"].unique().tolist() == ["email"]
    assert found["name"].tolist()[:4] == acts
    assert found["customer"].nunique() == 9
    assert found["properties"].tolist()[0] == "news-0"


def test_social_engagement_becomes_events(tmp_path: Path) -> None:
    header = ["Network", "Post URL", "Interaction", "Author Handle", "Date"]
    rows = [
        [("LinkedIn", "X")[n % 2], f"https://x.example/{n % 5}", ("like", "comment", "share")[n % 3], f"@ann{n % 9}",
         f"2026-03-{1 + n % 28:02}"]
        for n in range(40)
    ]  # fmt: skip
    space, _ = made(tmp_path, "engagement.csv", csv([header, *rows]))
    found = table(space, "events")
    assert (found["channel"][0], found["name"][0], found["customer"][0]) == ("social", "like", "@ann0")


# CRM ------------------------------------------------------------------------------------------------------------------


def test_salesforce_opportunities_that_were_won_are_purchases(tmp_path: Path) -> None:
    header = ["Id", "AccountId", "Name", "StageName", "Amount", "CloseDate", "IsClosed", "IsWon"]
    stages = ("Closed Won", "Closed Lost", "Prospecting", "Closed Won")
    accounts = [f"001Qy0000021s{n:02}IAY" for n in range(4)]
    rows = [
        [f"006Qy000003Nn{n:02}IAK", accounts[n % 4] if n % 5 else None, f"Deal {n}", stages[n % 4], 100 + n,
         f"2026-03-{1 + n % 28:02}", n % 4 != 2, n % 4 in (0, 3)]
        for n in range(40)
    ]  # fmt: skip
    space, written = made(tmp_path, "opportunities.csv", csv([header, *rows]))
    assert only(written).set_aside == {
        "names no account: a lead": "AccountId is null",
        "lost or still open: no purchase": "IsWon <> 'True' or IsWon is null",
    }
    entry = last(space)
    assert (entry.kept, entry.reasons) == (16, {"lost or still open: no purchase": 16, "names no account: a lead": 8})
    kept_leads = written.replace('      "names no account: a lead": AccountId is null\n', "")
    (tmp_path / "segmentry.yaml").write_text(kept_leads)
    again = opened(tmp_path)
    again.collect()
    assert last(again).kept == 20
    assert table(again, "transactions")["customer"].isna().sum() == 4


def test_the_pipeline_without_accounts_is_a_choice(real_data: Path, tmp_path: Path) -> None:
    text = (real_data / "crm_sales_opportunities" / "sales_pipeline.csv").read_bytes()
    space, written = made(tmp_path, "sales_pipeline.csv", text)
    entry = last(space)
    assert (entry.rows, entry.kept) == (8_800, 4_238)
    assert entry.reasons == {"names no account: a lead": 1_425, "lost or still open: no purchase": 3_137}
    assert "names no account: a lead" in written
    # The other choice: they stay, as leads, although they have neither a day nor an amount.
    (tmp_path / "segmentry.yaml").write_text(written.replace("    # leads: ", "    leads: "))
    again = opened(tmp_path)
    again.collect()
    again.resolve()
    again.check()
    with again.reading() as reading:
        (found,) = reading.reconciliations()
        assert not reading.quality().blocked  # what is set aside by choice is no fault of the data
    steps = {step.label: step.rows for step in found.steps}
    assert (steps["kept"], steps["leads: no account yet, and no purchase"]) == (4_238 + 1_425, 1_425)
    assert steps["lost or still open: no purchase"] == 3_137
    leads = table(again, "transactions").query("line_kind == 'lead'")
    assert (len(leads), leads["customer"].count(), leads["amount"].count()) == (1_425, 0, 0)
    again.close()


def test_hubspot_contacts_companies_and_deals(tmp_path: Path) -> None:
    people = [["Record ID", "First Name", "Last Name", "Email", "Associated Company", "Lifecycle Stage", "Create Date"]]
    people += [[str(500 + n), f"Ann{n}", f"Lee{n}", f"p{n}@mail.example", f"Firm {n % 4}", ("lead", "customer")[n % 2],
                "2026-01-02 10:00"] for n in range(20)]  # fmt: skip
    space, written = made(tmp_path / "contacts", "contacts.csv", csv(people))
    assert only(written).kind == "customers"
    found = table(space, "customers")
    assert (found["customer"][0], found["first_name"][0], found["account"][0]) == ("500", "Ann0", "Firm 0")
    deals = [["Record ID", "Deal Name", "Deal Stage", "Amount", "Close Date", "Associated Company"]]
    deals += [[str(n), f"D{n}", ("Closed won", "Closed lost")[n % 2], 10 + n, f"2026-02-{1 + n:02}", f"Firm {n % 4}"]
              for n in range(20)]  # fmt: skip
    space, written = made(tmp_path / "deals", "deals.csv", csv(deals))
    assert (only(written).kind, last(space).kept, last(space).quarantined) == ("transactions", 10, 10)
    assert set(quarantined(space).values()) == {"lost or still open: no purchase"}


# Costs, consents, market ----------------------------------------------------------------------------------------------


def test_advertising_spend_is_a_cost_of_acquisition(tmp_path: Path) -> None:
    rows = [
        [f"2026-{1 + n % 6:02}-01", ("search", "social")[n % 2], f"c{n % 4}", 1000 + n, 10.5 + n] for n in range(20)
    ]
    header = ["Date", "Channel", "Campaign", "Impressions", "Spend"]
    orders = "customer_id,order_id,order_date,amount\n" + "".join(
        f"C-{n % 9},{n},2026-01-{1 + n % 28:02},{n}.5\n" for n in range(60)
    )
    (tmp_path / "ads.csv").write_text(csv([header, *rows]))
    (tmp_path / "orders.csv").write_text(orders)
    with in_memory() as con:
        (tmp_path / "scratch").mkdir()
        written = to_yaml(propose(con, ["ads.csv", "orders.csv"], tmp_path, tmp_path / "scratch", now=NOW))
    ads = config.parse(written, {}).sources["ads"]
    assert (ads.kind, ads.columns["type"], ads.columns["amount"]) == ("costs", "'acquisition'", "Spend")
    assert ads.columns["channel"] == "Channel"


@pytest.mark.parametrize(
    ("yes", "no"),
    [("Subscribed", "Unsubscribed"), ("opt-in", "opt-out"), ("granted", "denied"), ("TRUE", "withdrawn")],
)
def test_words_of_consent_become_granted_or_denied(tmp_path: Path, yes: str, no: str) -> None:
    header = ["email", "channel", "purpose", "status", "recorded_at", "proof"]
    rows = [
        [f"p{n}@mail.example", "email", "newsletter", (yes, no)[n % 2], "2026-03-01 10:00:00", "form"]
        for n in range(20)
    ]
    space, _ = made(tmp_path, "consents.csv", csv([header, *rows]))
    found = table(space, "consents")
    assert found["status"].tolist()[:2] == ["granted", "denied"]
    assert str(found["time"][0]) == "2026-03-01 10:00:00"


def test_market_cells_long_and_wide_give_the_same_figures(tmp_path: Path) -> None:
    cells = [(age, region) for age in ("18-24", "25-34", "35-44") for region in ("Wales", "Land's End")]
    long = [["age_band", "region", "measure", "value", "source", "published"]]
    wide = [["age_band", "region", "population_share", "spend_per_head", "source", "published"]]
    for n, (age, region) in enumerate(cells):
        long += [
            [age, region, m, n + v, "Census", "2025-04-30"]
            for m, v in (("population_share", 0.5), ("spend_per_head", 9))
        ]
        wide.append([age, region, n + 0.5, n + 9, "Census", "2025-04-30"])
    found = {}
    for name, rows in (("long", long), ("wide", wide)):
        root = tmp_path / name
        root.mkdir()
        (root / "research.csv").write_text(csv(rows))
        (root / "people.csv").write_text("customer_id,age\n" + "".join(f"C-{n},{20 + n}\n" for n in range(30)))
        with in_memory() as con:
            (root / "scratch").mkdir()
            written = to_yaml(propose(con, ["research.csv", "people.csv"], root, root / "scratch", now=NOW))
        (root / "segmentry.yaml").write_text(written)
        space = opened(root)
        space.collect()
        found[name] = table(space, "market").sort_values(["cell", "measure"])[
            ["cell", "measure", "value", "source_name"]
        ]
    assert found["long"]["cell"].iloc[0] == "age_band = '18-24' and region = 'Land''s End'"
    assert found["long"].values.tolist() == found["wide"].values.tolist()


# Texts ----------------------------------------------------------------------------------------------------------------


def test_the_text_of_a_ticket_is_its_subject_and_its_body(tmp_path: Path) -> None:
    rows = [
        f"C-{n % 7},2026-03-{n % 28 + 1:02},open,high,Late parcel {n},It should have come on day {n}" for n in range(30)
    ]
    header = "customer_number,created_at,status,priority,subject,description"
    space, _ = made(tmp_path, "tickets.csv", "\n".join([header, *rows]))
    found = table(space, "events")
    assert found["text"][3] == "Late parcel 3. It should have come on day 3"


@pytest.mark.parametrize(("dated", "kind", "column"), [(True, "events", "text"), (False, "responses", "answer")])
def test_a_file_of_reviews_is_texts_of_customers(tmp_path: Path, dated: bool, kind: str, column: str) -> None:
    texts = [f"I used it for {n} days and it was a pleasure, mostly on the train" for n in range(60)]
    header = "user_id,review_date,review_text,stars" if dated else "user_id,review_text,stars"
    rows = [f'U{n % 9},{f"2026-03-{n % 28 + 1:02}," if dated else ""}"{text}",{n % 5}' for n, text in enumerate(texts)]
    space, written = made(tmp_path, "reviews.csv", "\n".join([header, *rows]))
    assert only(written).kind == kind
    assert sorted(table(space, kind)[column]) == sorted(texts)


# The demo company -----------------------------------------------------------------------------------------------------

DEMO = {
    "shop/customers": ("customers", None, "customer_id"),
    "shop/orders": ("transactions", None, "customer_id"),
    "shop/products": ("products", None, None),
    "crm/accounts": ("accounts", None, None),
    "crm/contacts": ("customers", None, "coalesce(Customer_Number__c, Id)"),
    "crm/opportunities": ("transactions", None, "AccountId"),
    "newsletter/subscribers": ("customers", None, "Email Address"),
    "newsletter/activity": ("events", None, None),
    "newsletter/deliveries": ("events", None, None),
    "support/tickets": ("events", None, "coalesce(customer_number, requester_email)"),
    "surveys/attitudes_and_needs": (
        "responses", "answers_in_columns", "coalesce(ExternalReference, RecipientEmail)"),
    "surveys/importance_satisfaction": (
        "responses", "answers_in_columns", 'coalesce("Custom Data 1", "Email Address")'),
    "surveys/nps": ("responses", "answers_in_columns", "coalesce(customer_id, email)"),
    "surveys/after_contact": ("responses", "answers_in_columns", "email"),
    "web/events": ("events", None, "userId"),
    "finance/acquisition_costs": ("costs", None, "customer_number"),
    "finance/service_costs": ("costs", None, "customer_number"),
    "consents/consents": ("consents", None, "coalesce(customer_number, email)"),
    "market/research": ("market", None, None),
}  # fmt: skip


def test_every_export_of_the_demo_company_is_recognised_and_reconciles(tmp_path: Path) -> None:
    with in_memory() as con:
        simulate(tmp_path / "exports", customers=500, seed=1, until=NOW.date(), connection=con.con)
    paths = [f"exports/{name}.{'ndjson' if name.startswith('web') else 'csv'}" for name in DEMO]
    (tmp_path / "scratch").mkdir()
    with in_memory() as con:
        written = to_yaml(propose(con, paths, tmp_path, tmp_path / "scratch", now=NOW))
    sources = config.parse(written, {}).sources
    found = {name: sources[name.split("/")[1]] for name in DEMO}
    assert {name: (s.kind, s.layout, s.columns.get("customer")) for name, s in found.items()} == DEMO
    assert found["newsletter/activity"].columns["contact_email"] == "Email Address"
    assert found["surveys/attitudes_and_needs"].timezone == "Europe/London"
    assert found["surveys/attitudes_and_needs"].answers.several == {"Q3": ","}
    assert found["finance/service_costs"].columns["type"] == "'service'"
    (tmp_path / "segmentry.yaml").write_text(written, encoding="utf-8")
    space = opened(tmp_path)
    space.collect()
    entries = {e.source: e for e in space.manifest().entries}
    assert set(entries) == {*(name.split("/")[1] for name in DEMO), "pipeline"}  # the deals are read twice
    for entry in entries.values():
        assert entry.rows == entry.kept + entry.duplicates + entry.quarantined + entry.reread
        assert set(entry.reasons) <= {"lost or still open: no purchase", "no question is answered"}
    respondents = pd.read_csv(tmp_path / "exports/surveys/attitudes_and_needs.csv", skiprows=[1, 2], dtype=str)
    assert entries["attitudes_and_needs"].rows == len(respondents)
    items = [c for c in respondents.columns if c.startswith(("Q1_", "Q2_"))]
    assert (
        len(table(space, "responses").query("survey == 'attitudes_and_needs' and question in @items"))
        == respondents[items].notna().sum().sum()
    )
