"""Data quality: what is planted is found and nothing else, what is personal is masked, what is blocking stops a run."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.shops import CONFIG, ONE_SEGMENTATION, opened, orders, shop, tables

from segmentry.beginnings import EXPORTS, simulate_company
from segmentry.checks import CHECKS, Severity
from segmentry.config import Config, parse
from segmentry.data.quality import Finding
from segmentry.errors import ConfigError, DataError
from segmentry.workspace import Workspace

PEOPLE = """\
name: People
sources:
  people:
    kind: customers
    path: people.csv
    columns: {customer: id, email: email, phone: phone, postcode: postcode, country: country, birth_date: born,
              joined_at: joined, income: income, age: age, gender: gender, education: school, latitude: lat}
    pii: {id: direct, email: direct}
  orders:
    kind: transactions
    path: orders.csv
    columns: {customer: customer, order: order, time: date, amount: amount}
"""


def found_in(space: Workspace) -> dict[tuple[str, str, str], Finding]:
    """The current findings by check, source and column."""
    with space.reading() as reading:
        return {(f.check, f.source, f.column): f for f in reading.checked().findings}


def checked(root: Path) -> dict[tuple[str, str, str], Finding]:
    space = opened(root)
    try:
        space.collect()
        space.check()
        return found_in(space)
    finally:
        space.close()


def people(root: Path) -> Path:
    """Two hundred good records, and one or a few of every fault."""
    n = 200
    frame = pd.DataFrame(
        {
            "id": [f"P{i:04d}" for i in range(n)],
            "email": [f"person{i}@home.example" for i in range(n)],
            "phone": [f"+44 7700 900{i:03d}" for i in range(n)],
            "postcode": [f"N{1 + i % 9} {i % 9}AB" for i in range(n)],
            "country": ["United Kingdom"] * n,
            "born": pd.Timestamp("1960-03-01") + pd.to_timedelta(np.arange(n) * 60, unit="D"),
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(n), unit="D"),
            "income": 30_000 + 100 * np.arange(n),
            "age": 20 + np.arange(n) % 60,
            "gender": ["f", "m"] * (n // 2),
            "school": ["BSc", "Master's degree", "A levels", "PhD"] * (n // 4),
            "lat": 51.5,
        }
    )
    frame.loc[0, "email"] = "no address at all"
    frame.loc[1, "phone"] = "00000000"
    frame.loc[2, "postcode"] = "QQQ"
    frame.loc[[3, 4, 5], "born"] = pd.Timestamp("1900-01-01")
    frame.loc[6, "born"] = pd.Timestamp("2031-01-01")
    frame.loc[[7, 8, 9], "income"] = 99_999
    frame.loc[10, "income"] = 9_000_000
    frame.loc[11, "age"] = 126
    frame.loc[12, "gender"] = "F"
    frame.loc[13, "lat"] = 151.5
    frame.loc[range(14, 20), "school"] = "Hogwarts"
    frame.loc[20, "school"] = "Mrs Smith at home"
    frame = pd.concat([frame, frame.iloc[[20]].assign(income=1.0)])
    bought = orders(195)
    bought["customer"] = "P" + bought["customer"].str[-4:]
    shop(root, pd.concat([bought, bought.iloc[:3].assign(customer="X9")]), PEOPLE)
    frame.to_csv(root / "people.csv", index=False)
    return root


@pytest.fixture(scope="module")
def folk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return people(tmp_path_factory.mktemp("quality") / "people")


def test_every_planted_fault_is_found_with_its_count(folk: Path) -> None:
    found = checked(folk)
    counts = {key: f.rows for key, f in found.items() if key[1] == "people" or key[0] == "unknown_customers"}
    assert counts == {
        ("invalid_format", "people", "email"): 1,
        ("placeholders", "people", "phone"): 1,
        ("invalid_format", "people", "postcode"): 1,
        ("out_of_range", "people", "birth_date"): 3,
        ("placeholders", "people", "birth_date"): 3,
        ("future_dates", "people", "birth_date"): 1,
        ("contradictions", "people", "joined_at"): 1,
        ("placeholders", "people", "income"): 3,
        ("outliers", "people", "income"): 4,
        ("out_of_range", "people", "age"): 1,
        ("spelling_variants", "people", "gender"): 1,
        ("unknown_spellings", "people", "education"): 8,
        ("out_of_range", "people", "latitude"): 1,
        ("repeated_keys", "people", "customer"): 1,
        ("unknown_customers", "orders", "customer"): 3,
    }
    email = found["invalid_format", "people", "email"]
    assert [(e.file, e.line, e.value) for e in email.examples] == [("people.csv", 2, "xx xxxxxxx xx xxx")]
    assert email.of_rows == 201
    assert [e.value for e in found["out_of_range", "people", "age"].examples] == ["126"]
    # What few write is somebody's own: it is counted and not named.
    told = found["unknown_spellings", "people", "education"].text
    assert told == "2 spellings of education are not known and stay as written: 'Hogwarts' (6)"


def test_state_and_findings_hold_no_personal_data(folk: Path) -> None:
    checked(folk)
    space = opened(folk)
    facts = json.dumps(space.state.current()["check"].facts)
    space.close()
    assert "home.example" not in facts
    assert "P00" not in facts
    for row in tables(folk)["quality"]:
        assert "no address" not in str(row)
        assert row["column"] != "customer" or row["value"] in (None, "X9999", "X9")


def test_a_second_check_writes_nothing_and_the_same_data_give_the_same_findings(folk: Path, tmp_path: Path) -> None:
    first = checked(folk)
    space = opened(folk)
    run = space.state.current()["check"].id
    assert space.check().id == run
    space.close()
    assert list(checked(people(tmp_path / "again"))) == list(first)


def test_demo_faults_are_found_to_the_day_and_nothing_like_them_elsewhere(tmp_path: Path) -> None:
    simulate_company(tmp_path, customers=3000, seed=1)
    path = tmp_path / "segmentry.yaml"
    text = path.read_text(encoding="utf-8")
    kept = text[: text.index("  products:\n")] + text[text.index("  service_costs:\n") : text.index("  market:\n")]
    path.write_text(kept.replace("primary: behaviour\n", ""), encoding="utf-8")
    found = checked(tmp_path)
    with (tmp_path / EXPORTS / "truth" / "faults.csv").open(encoding="utf-8") as file:
        truth = {row["file"]: row for row in csv.DictReader(file)}
    kinds = ("missing_week", "unit_slip", "volume_drop", "volume_jump", "stale")
    periods = {(c, s): (str(f.first_day), str(f.last_day)) for (c, s, _), f in found.items() if c in kinds}
    week, pence = truth["shop/orders.csv"], truth["finance/service_costs.csv"]
    assert periods == {
        ("missing_week", "orders"): (week["from"], week["until"]),
        ("unit_slip", "service_costs"): (pence["from"], pence["until"]),
    }
    assert found["unit_slip", "service_costs", "amount"].rows == int(pence["rows_concerned"])
    assert "100 times" in found["unit_slip", "service_costs", "amount"].text


def test_online_retail_has_lines_without_customer_and_returns(real_data: Path, tmp_path: Path) -> None:
    file = real_data / "online_retail" / "online_retail.parquet"
    (tmp_path / "segmentry.yaml").write_text(
        f"name: Retail\nsources:\n  lines:\n    kind: transactions\n    path: {file}\n"
        "    columns: {customer: CustomerID, "
        "order: InvoiceNo, time: InvoiceDate, amount: Quantity * UnitPrice, quantity: Quantity, product: StockCode, "
        "product_name: Description, country: Country}\n    returns: \"InvoiceNo like 'C%'\"\n",
        encoding="utf-8",
    )
    found = {f.check: f for f in checked(tmp_path).values() if f.check != "missing_values"}
    assert (found["no_customer"].rows, round(100 * found["no_customer"].share, 1)) == (135_080, 24.9)
    assert found["repeated_records"].rows == 5_268
    assert found["negative_quantities"].rows == 10_624
    assert "count as returns" in found["negative_quantities"].text
    assert found["missing_week"].first_day == date(2010, 12, 24)
    assert not [f for f in found.values() if f.blocks]


def test_customer_personality_has_ancient_people_and_one_odd_income(real_data: Path, tmp_path: Path) -> None:
    file = real_data / "customer_personality" / "marketing_campaign.csv"
    (tmp_path / "segmentry.yaml").write_text(
        f"name: People\nsources:\n  people:\n    kind: customers\n    path: {file}\n"
        "    columns: {customer: ID, birth_year: Year_Birth, income: Income, joined_at: Dt_Customer}\n",
        encoding="utf-8",
    )
    found = {(check, column): f for (check, _, column), f in checked(tmp_path).items()}
    assert found["out_of_range", "birth_year"].rows == 3
    assert found["missing_values", "income"].rows == 24
    assert [e.value for e in found["outliers", "income"].examples] == ["666666"]
    assert not [f for f in found.values() if f.blocks]


# Volume and units -----------------------------------------------------------------------------------------------------


def _daily(per_day: int = 8, days: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    when = pd.Timestamp("2026-06-30") - pd.to_timedelta(np.repeat(np.arange(days), per_day), unit="D")
    return pd.DataFrame(
        {
            "customer": [f"C{i % 90}" for i in range(len(when))],
            "order": np.arange(len(when)),
            "date": when.strftime("%Y-%m-%d"),
            "amount": rng.lognormal(3, 0.7, len(when)).round(2),
        }
    )


def test_rows_of_a_week_twice_and_of_a_week_lost_are_told(tmp_path: Path) -> None:
    frame = _daily()
    doubled = frame[frame["date"].between("2026-03-02", "2026-03-08")].assign(order=lambda f: f["order"] + 10_000)
    kept = frame[~frame["date"].between("2026-04-06", "2026-04-12") | (frame["order"] % 4 == 0)]
    found = checked(shop(tmp_path / "w", pd.concat([kept, doubled, doubled.assign(order=doubled["order"] + 20_000)])))
    assert (found["volume_jump", "orders", ""].first_day, found["volume_jump", "orders", ""].last_day) == (
        date(2026, 3, 2),
        date(2026, 3, 8),
    )
    assert found["volume_drop", "orders", ""].first_day == date(2026, 4, 6)


def test_a_shop_that_closes_on_weekends_misses_nothing(tmp_path: Path) -> None:
    frame = _daily()
    found = checked(shop(tmp_path / "w", frame[pd.to_datetime(frame["date"]).dt.day_of_week < 5]))
    assert not [f for f in found if f[0] in ("missing_week", "volume_drop", "volume_jump", "stale", "unit_slip")]


def test_a_source_that_has_stopped_is_stale(tmp_path: Path) -> None:
    root = shop(tmp_path / "w", _daily(), CONFIG + "as_of: 2026-07-31\n")
    found = checked(root)["stale", "orders", ""]
    assert "31 days before 2026-07-31" in found.text


def test_thousands_are_told_from_units_and_real_growth_is_not(tmp_path: Path) -> None:
    frame = _daily()
    grown = frame.assign(amount=frame["amount"] * np.where(frame["date"] > "2026-01-01", 3, 1))
    assert ("unit_slip", "orders", "amount") not in checked(shop(tmp_path / "grown", grown))
    slipped = frame["date"].between("2026-05-01", "2026-05-20")
    frame["amount"] = (frame["amount"] / np.where(slipped, 1000, 1)).round(5)
    found = checked(shop(tmp_path / "slipped", frame))["unit_slip", "orders", "amount"]
    assert (found.first_day, found.last_day) == (date(2026, 5, 1), date(2026, 5, 20))
    assert "1/1,000" in found.text


# Consents and surveys -------------------------------------------------------------------------------------------------


def test_a_consent_granted_and_denied_at_once_is_denied_and_told(tmp_path: Path) -> None:
    config = CONFIG.replace(
        "segmentations:",
        "  consents:\n    kind: consents\n    path: consents.csv\n"
        "    columns: {customer: who, channel: channel, status: status, time: at}\nsegmentations:",
    )
    root = shop(tmp_path / "w", config=config)
    rows = [("C00001", "granted"), ("C00001", "denied"), ("C00002", "granted"), ("C00003", "maybe")]
    lines = "".join(f"{who},email,{status},2026-01-01\n" for who, status in rows)
    (root / "consents.csv").write_text("who,channel,status,at\n" + lines, encoding="utf-8")
    found = checked(root)
    assert found["contradictions", "consents", "status"].rows == 2
    assert "the denial counts" in found["contradictions", "consents", "status"].text
    assert found["invalid_format", "consents", "status"].rows == 1


def test_straight_liners_and_speeders_are_counted(tmp_path: Path) -> None:
    config = CONFIG.replace(
        "segmentations:",
        "  survey:\n    kind: responses\n    path: survey.csv\n"
        "    columns: {customer: who, survey: survey, question: question, answer: answer}\nsegmentations:",
    )
    root = shop(tmp_path / "w", config=config)
    lines = ["who,survey,question,answer"]
    for person in range(40):
        for item in range(6):
            answer = 4 if person < 5 else 1 + (person + item) % 5
            lines.append(f"C{person:05d},nps,q1_{item},{answer}")
        lines.append(f"C{person:05d},nps,_duration,{20 if person in (0, 7, 8) else 180 + person}")
    (root / "survey.csv").write_text("\n".join(lines), encoding="utf-8")
    found = checked(root)
    assert (
        found["straight_lining", "survey", "answer"].rows,
        found["straight_lining", "survey", "answer"].of_rows,
    ) == (
        5,
        40,
    )
    assert found["speeders", "survey", "answer"].rows == 3


# The gate -------------------------------------------------------------------------------------------------------------

BLOCKED = ONE_SEGMENTATION + "quality: {severity: {no_customer: blocking}}\n"


def _with_anonymous(root: Path, config: str) -> Path:
    frame = orders()
    frame.loc[:9, "customer"] = None
    return shop(root, frame, config)


def test_a_blocking_finding_stops_before_the_traits_and_the_former_result_stays(tmp_path: Path) -> None:
    root = _with_anonymous(tmp_path / "w", ONE_SEGMENTATION)
    space = opened(root)
    space.run()
    before = space.state.current()
    space.close()
    (root / "segmentry.yaml").write_text(BLOCKED, encoding="utf-8")
    space = opened(root)
    with pytest.raises(DataError) as error:
        space.run()
    after = space.state.current()
    space.close()
    for part in ("no_customer in orders.customer: 10 records name no customer", "orders.csv:2", "quality: {accept:"):
        assert part in str(error.value)
    assert "Such as" in error.value.what
    assert {s: r.id for s, r in after.items() if s != "check"} == {s: r.id for s, r in before.items() if s != "check"}
    accepted = BLOCKED.replace(
        "}}\n", "}, accept: [{check: no_customer, source: orders, reason: Till sales, until: 2026-12-31}]}\n"
    )
    (root / "segmentry.yaml").write_text(accepted, encoding="utf-8")
    space = opened(root)
    assert space.run() == {}
    assert found_in(space)["no_customer", "orders", "customer"].accepted == "Till sales"
    space.close()


def test_what_is_set_aside_on_purpose_is_no_fault_of_the_data(tmp_path: Path) -> None:
    frame = orders()
    frame.loc[frame.index[frame["amount"] >= 20][0], "date"] = "someday"
    kept_out = CONFIG.replace("    path: orders*.csv\n", "    path: orders*.csv\n    set_aside: {small: amount < 20}\n")
    found = checked(shop(tmp_path / "w", frame, kept_out))["unusable_records", "orders", ""]
    assert (frame["amount"] < 20).mean() > 0.4
    assert found.rows == 1
    assert "small" not in found.text
    assert not found.blocks


def test_an_acceptance_ends_and_says_so(tmp_path: Path) -> None:
    accepted = "quality: {accept: [{check: no_customer, source: orders, reason: Till, until: 2026-01-31}]}\n"
    found = checked(_with_anonymous(tmp_path / "w", CONFIG + accepted))["no_customer", "orders", "customer"]
    assert (found.accepted, found.acceptance_ended) == ("", date(2026, 1, 31))


def test_a_source_that_names_other_customers_is_blocked_by_default(tmp_path: Path) -> None:
    root = people(tmp_path / "w")
    frame = orders(100)
    frame["customer"] = "Z" + frame["customer"]
    frame.to_csv(root / "orders.csv", index=False)
    assert checked(root)["unknown_customers", "orders", "customer"].severity is Severity.BLOCKING


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "quality: {severity: {future_date: warning}}",
            "there is no check 'future_date'. Did you mean 'future_dates'?",
        ),
        ("quality: {severity: {stale: grave}}", "quality.severity.stale"),
        ("quality: {acept: []}", "this key is not known. Did you mean 'accept'?"),
        ("quality: {accept: [{check: stale, source: orders}]}", "quality.accept.0.reason: this key is needed"),
        ("quality: {accept: [{check: stale, source: order, reason: x}]}", "no source is called 'order'. Did you mean"),
        ("quality: {accept: [{check: stale, source: orders, reason: x, till: 2026-01-01}]}", "this key is not known"),
    ],
)
def test_a_wrong_quality_section_is_explained(written: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"segmentry\.yaml:\d+") as error:
        parse(CONFIG + written + "\n", {})
    assert said in str(error.value)


def test_every_check_says_what_to_do() -> None:
    assert all(c.description.endswith(".") and c.fix.endswith(".") and c.dimension for c in CHECKS.values())
    assert Config.model_fields["quality"].default.severity == {}


# What it means --------------------------------------------------------------------------------------------------------


def test_scores_health_and_who_reads_what(tmp_path: Path) -> None:
    root = _with_anonymous(tmp_path / "w", CONFIG)
    space = opened(root)
    space.run()
    with space.reading() as reading:
        report = reading.quality()
        healths = {h.trait: h for h in reading.health_of(["recency_days", "monetary", "nosuch"])}
    concern = next(c for c in report.concerns if c.finding.check == "no_customer")
    assert "monetary" in concern.traits
    assert set(concern.segmentations) == {"lifecycle", "rfm", "value"}
    rows = concern.finding.of_rows
    assert report.scores[0].columns["customer"] == round((rows - 10) / rows, 4)
    assert report.models["behavioral"] > 0.99
    assert (report.before, len(report.history)) == ({}, 1)
    assert set(healths) == {"recency_days", "monetary"}
    assert (healths["monetary"].last_record, healths["monetary"].days_behind) == (space.traits().as_of, 0)
    assert [f.check for f in healths["monetary"].findings] == ["no_customer"]
    assert set(report.rules) == {"lifecycle", "rfm", "value"}
    (rfm,) = report.rules["rfm"]
    assert rfm.trait == "every segment"
    assert (rfm.last_record, [f.check for f in rfm.findings]) == (space.traits().as_of, ["no_customer"])
    assert rfm.fill_rate == healths["recency_days"].fill_rate
    frame = orders()
    frame.to_csv(root / "more_orders.csv", index=False)
    path = root / "segmentry.yaml"
    path.write_text(path.read_text().replace("orders*.csv", "'*orders.csv'"), encoding="utf-8")
    space.close()
    space = opened(root)
    space.run()
    with space.reading() as reading:
        assert reading.quality().before["orders"] == report.scores[0].score
    space.close()


MAILS = """\
name: Mails
sources:
  newsletter:
    kind: events
    path: mails.csv
    columns: {customer: id, contact_email: email, time: date, name: "'mail'"}
"""


def test_a_record_with_an_address_names_its_customer_and_a_monthly_burst_is_no_jump(tmp_path: Path) -> None:
    sent = pd.date_range("2024-07-02", "2026-06-02", freq="MS") + pd.Timedelta(days=1)
    mails = pd.DataFrame({"date": np.repeat(sent.strftime("%Y-%m-%d"), 100)})
    mails["id"] = [f"P{i:03d}" if i % 2 else None for i in range(len(mails))]
    mails["email"] = [None if i % 2 else f"p{i}@home.example" for i in range(len(mails))]
    mails.loc[0, "email"] = None
    tmp_path.joinpath("segmentry.yaml").write_text(MAILS, encoding="utf-8")
    mails.to_csv(tmp_path / "mails.csv", index=False)
    found = checked(tmp_path)
    assert found["no_customer", "newsletter", "customer"].rows == 1
    assert not {"volume_jump", "volume_drop", "missing_week", "stale"} & {check for check, _, _ in found}
