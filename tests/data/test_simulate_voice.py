"""What the simulated people say and read: newsletter, web, surveys, support and books hold what was planted."""

from __future__ import annotations

import csv
import json
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_rand_score

from segmentry import engine
from segmentry.config import Survey
from segmentry.data import survey_designs
from segmentry.data.simulation import Simulation, simulate
from segmentry.data.simulation.plan_people import NEEDS, OCCUPATIONS
from segmentry.data.simulation.plan_texts import MATTERS
from segmentry.data.simulation.plan_voice import (
    AGREEMENT,
    BENEFITS,
    CONTENT,
    ITEMS,
    MARKET_AGES,
    MARKET_REGIONS,
    MAXDIFF_BLOCKS,
    MAXDIFF_VERSIONS,
    REASON_SHARES,
    REASONS,
    UTILITIES,
)
from segmentry.engine import in_memory
from segmentry.traits import Facts, Settings, compute
from segmentry.traits.needs.ratings import of_need
from segmentry.traits.themes.model import ThemeModel

SIZE = 6_000
START, UNTIL = date(2024, 7, 1), date(2026, 6, 30)
VOICE = ("newsletter", "web", "surveys", "support", "finance", "consents", "market")


def company(folder: Path, size: int, *, threads: int = 1) -> Simulation:
    with duckdb.connect(config={"threads": threads}) as connection:
        return simulate(folder, customers=size, until=UNTIL, connection=connection)


def rows(path: Path, *, header_rows: int = 1) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file, strict=True))
    assert {len(line) for line in lines} == {len(lines[0])}
    return [dict(zip(lines[0], line, strict=True)) for line in lines[header_rows:]]


@dataclass(frozen=True)
class Voice:
    made: Simulation
    persons: dict[str, dict[str, str]]  # truth by customer number
    person_of: dict[str, dict[str, str]]  # system -> record -> person
    answers: list[dict[str, str]]
    events: list[dict[str, object]]

    def table(self, name: str, *, header_rows: int = 1) -> list[dict[str, str]]:
        return rows(self.made.files[name], header_rows=header_rows)


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Voice:
    made = company(tmp_path_factory.mktemp("voice"), SIZE)
    person_of: dict[str, dict[str, str]] = defaultdict(dict)
    for system in ("shop", "newsletter", "support", "survey", "web"):
        for row in rows(made.files[f"truth/records_{system}.csv"]):
            person_of[row["system"]][row["record_id"]] = row["person"]
    persons = {row["customer_id"]: row for row in rows(made.files["truth/persons.csv"])}
    answers = rows(made.files["surveys/attitudes_and_needs.csv"], header_rows=3)
    with made.files["web/events.ndjson"].open(encoding="utf-8") as file:
        events = [json.loads(line) for line in file]
    return Voice(made, persons, dict(person_of), answers, events)


def truth_by_person(voice: Voice) -> dict[str, dict[str, str]]:
    return {row["person"]: row for row in voice.persons.values()}


# --- the same again ---------------------------------------------------------------------------------------------------


def test_threads_and_time_zones_do_not_change_a_byte(voice, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    again = company(tmp_path, SIZE, threads=4)
    monkeypatch.undo()
    time.tzset()
    assert again.counts == voice.made.counts
    assert [name for name in again.files if again.files[name].read_bytes() != voice.made.files[name].read_bytes()] == []


def test_a_small_company_has_every_file(tmp_path):
    made = company(tmp_path, 500)
    assert {name.partition("/")[0] for name in made.files} >= set(VOICE)
    headers = {"surveys/attitudes_and_needs.csv": 3, "surveys/importance_satisfaction.csv": 2}
    for name, path in made.files.items():
        if path.suffix == ".csv":
            assert len(rows(path, header_rows=headers.get(name, 1))) == made.counts[name], name
    events = made.files["web/events.ndjson"].read_text(encoding="utf-8").splitlines()
    assert len(events) == made.counts["web/events.ndjson"]


# --- newsletter -------------------------------------------------------------------------------------------------------


def test_only_subscribers_act_and_nobody_after_unsubscribing(voice):
    status = {row["Email Address"].lower(): row["STATUS"] for row in voice.table("newsletter/subscribers.csv")}
    assert len(status) == voice.made.counts["newsletter/subscribers.csv"]
    assert set(status.values()) == {"subscribed", "unsubscribed", "cleaned"}
    left: dict[str, str] = {}
    for row in voice.table("newsletter/activity.csv"):
        address = row["Email Address"]
        if row["Action"] in ("unsub", "hard_bounce"):
            assert status[address] == {"unsub": "unsubscribed", "hard_bounce": "cleaned"}[row["Action"]]
            left[address] = row["Timestamp"]
        elif row["Action"] == "soft_bounce":
            assert address not in left
    assert len(left) == sum(value != "subscribed" for value in status.values())


def test_campaigns_add_up_with_what_came_back(voice):
    actions = Counter((row["Campaign ID"], row["Action"]) for row in voice.table("newsletter/activity.csv"))
    campaigns = voice.table("newsletter/campaigns.csv")
    assert len(campaigns) == 25
    for row in campaigns:
        bounced = actions[row["Campaign ID"], "hard_bounce"] + actions[row["Campaign ID"], "soft_bounce"]
        assert int(row["Unique Opens"]) == actions[row["Campaign ID"], "open"]
        assert int(row["Unique Clicks"]) == actions[row["Campaign ID"], "click"]
        assert int(row["Total Recipients"]) - bounced == int(row["Successful Deliveries"])
    opens = sum(int(row["Unique Opens"]) for row in campaigns) / sum(int(row["Total Recipients"]) for row in campaigns)
    assert 0.2 < opens < 0.45


def test_deliveries_of_a_year_add_up_and_are_opened_as_planted(voice):
    sent: dict[str, dict[str, int]] = defaultdict(Counter)
    came: Counter[str] = Counter()
    for row in voice.table("newsletter/deliveries.csv"):
        sent[row["Campaign ID"]][row["Status"]] += 1
        came[row["Email Address"]] += row["Status"] == "sent"
    campaigns = {row["Campaign ID"]: row for row in voice.table("newsletter/campaigns.csv")}
    assert len(sent) == 13  # a year of newsletters, and the mail of the experiment
    for campaign, statuses in sent.items():
        assert sum(statuses.values()) == int(campaigns[campaign]["Total Recipients"])
        assert statuses["sent"] == int(campaigns[campaign]["Successful Deliveries"])
    opened = Counter(
        row["Email Address"]
        for row in voice.table("newsletter/activity.csv")
        if row["Action"] == "open" and row["Campaign ID"] in sent
    )
    address = {row["EUID"]: row["Email Address"].lower() for row in voice.table("newsletter/subscribers.csv")}
    readers = [
        r for r in voice.table("truth/readers.csv") if r["robot"] == "false" and came[address[r["record_id"]]] >= 6
    ]
    planted = np.array([float(r["opens"]) for r in readers])
    found = np.array([opened[who] / came[who] for who in (address[r["record_id"]] for r in readers)])
    assert len(readers) > 2_000
    # who leaves opens the mail that has the link to do so
    assert found.mean() == pytest.approx(planted.mean(), abs=0.01)
    assert spearmanr(planted, found).statistic > 0.6  # twelve mails tell a share to within .13


def test_one_in_ten_reads_under_another_address_than_the_shops(voice):
    truth = truth_by_person(voice)
    shop = {row["customer_id"]: row["email"].lower() for row in voice.table("shop/customers.csv")}
    number = {person: row["customer_id"] for person, row in truth.items()}
    same = [
        shop[number[person]] == row["Email Address"].lower()
        for row in voice.table("newsletter/subscribers.csv")
        if (person := voice.person_of["newsletter"][row["EUID"]]) in number and shop[number[person]]
    ]
    assert 0.07 < 1 - np.mean(same) < 0.13
    assert (
        0.02 < 1 - len(same) / voice.made.counts["newsletter/subscribers.csv"] < 0.2
    )  # leads, and unknown in the shop


# --- web and app ------------------------------------------------------------------------------------------------------


def test_events_follow_the_specification(voice):
    required = {"type", "messageId", "anonymousId", "timestamp", "originalTimestamp", "receivedAt", "context"}
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}")
    for event in voice.events:
        assert required <= set(event)
        assert uuid.fullmatch(event["messageId"])
        assert uuid.fullmatch(event["anonymousId"])
        assert ("event" in event) == (event["type"] == "track")
        assert ("userId" in event) or event["type"] not in ("identify", "group")
        datetime.fromisoformat(event["timestamp"])
    assert {event["type"] for event in voice.events} == {"page", "screen", "track", "identify", "group"}
    assert 4 < len(voice.events) / SIZE < 8
    received = [event["receivedAt"] for event in voice.events]
    assert received == sorted(received)


def test_some_events_are_late_some_come_twice_and_some_give_an_offset(voice):
    ids = Counter(event["messageId"] for event in voice.events)
    assert 0.003 < sum(count - 1 for count in ids.values()) / len(voice.events) < 0.012
    assert max(ids.values()) == 2
    assert 0.01 < np.mean([event["timestamp"].endswith("+01:00") for event in voice.events]) < 0.03
    waited = [
        datetime.fromisoformat(event["receivedAt"]) - datetime.fromisoformat(event["timestamp"])
        for event in voice.events
    ]
    assert min(waited) > timedelta(0)
    assert 0.02 < np.mean([wait > timedelta(minutes=10) for wait in waited]) < 0.05


def test_completed_orders_are_those_of_the_shop(voice):
    worth: dict[str, float] = defaultdict(float)
    bought_at = {}
    for line in voice.table("shop/orders.csv"):
        worth[line["order_number"]] += int(line["quantity"]) * float(line["unit_price"]) - float(line["discount"])
        bought_at[line["order_number"]] = datetime.fromisoformat(line["ordered_at"])
    completed = [event for event in voice.events if event.get("event") == "Order Completed"]
    known = [event for event in completed if event["properties"]["order_id"] in worth]
    assert len(known) > 0.95 * len(completed)  # the shop's export lacks a week
    for event in known:
        number = event["properties"]["order_id"]
        assert event["properties"]["total"] == pytest.approx(worth[number], abs=0.005)
        ahead = bought_at[number] - datetime.fromisoformat(event["timestamp"]).replace(tzinfo=None)
        if event["timestamp"].endswith("Z"):
            assert round(ahead / timedelta(hours=1)) == (1 if summer_time(bought_at[number]) else 0)


def summer_time(local: datetime) -> bool:
    """British summer time, from 2024 to 2026, looked up."""
    spans = {2024: ((3, 31), (10, 27)), 2025: ((3, 30), (10, 26)), 2026: ((3, 29), (10, 25))}
    first, last = spans[local.year]
    return datetime(local.year, *first, 2) <= local < datetime(local.year, *last, 2)


def test_web_identities_are_consistent_with_the_truth(voice):
    number_of = {person: row["customer_id"] for person, row in truth_by_person(voice).items()}
    robots = 0
    for event in voice.events:
        person = voice.person_of["web"].get(event["anonymousId"])
        robots += person is None
        if "userId" in event:
            assert number_of[person] == event["userId"]
    assert 0 < robots < 0.05 * len(voice.events)
    agents = {event["context"]["userAgent"] for event in voice.events}
    assert len(agents) >= 50
    assert any("Googlebot" in agent for agent in agents)


# --- surveys ----------------------------------------------------------------------------------------------------------


def test_qualtrics_has_three_header_rows(voice):
    with voice.made.files["surveys/attitudes_and_needs.csv"].open(encoding="utf-8", newline="") as file:
        names, texts, imports = (next(reader) for reader in [csv.reader(file)] for _ in range(3))
    assert names[:4] == ["StartDate", "EndDate", "Status", "Progress"]
    assert texts[names.index("Q1_1")].endswith(ITEMS[0].text)
    assert all("ImportId" in json.loads(cell) for cell in imports)
    assert len({row["ResponseId"] for row in voice.answers}) == len(voice.answers)


def test_scales_are_reliable_and_measure_the_attitudes(voice):
    code = {answer: number for number, answer in enumerate(AGREEMENT, start=1)}
    truth = truth_by_person(voice)
    for scale in dict.fromkeys(item.scale for item in ITEMS):
        items = [item for item in ITEMS if item.scale == scale]
        complete = [row for row in voice.answers if all(row[item.name] for item in items)]
        scores = np.array(
            [[8 - code[row[i.name]] if i.reverse else code[row[i.name]] for i in items] for row in complete]
        )
        k = len(items)
        alpha = k / (k - 1) * (1 - scores.var(axis=0, ddof=1).sum() / scores.sum(axis=1).var(ddof=1))  # Cronbach 1951
        assert 0.65 < alpha < 0.85, scale
        latent = [float(truth[voice.person_of["attitudes_and_needs"][row["ResponseId"]]][scale]) for row in complete]
        assert np.corrcoef(latent, scores.mean(axis=1))[0, 1] > 0.7, scale


def test_maxdiff_design_is_balanced():
    shown = Counter()
    pairs = Counter()
    for version in range(MAXDIFF_VERSIONS):
        for block in MAXDIFF_BLOCKS:
            benefits = sorted((benefit + version) % len(BENEFITS) for benefit in block)
            shown.update(benefits)
            pairs.update((a, b) for a in benefits for b in benefits if a < b)
    assert set(shown.values()) == {32}
    assert len(pairs) == 45
    assert set(pairs.values()) <= {10, 11}


def test_maxdiff_counts_order_the_benefits_as_planned_in_every_needs_segment(voice):
    truth = truth_by_person(voice)
    design = defaultdict(set)
    for row in voice.table("surveys/maxdiff_design.csv"):
        design[row["version"], row["task"]].add(row["benefit"])
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in voice.answers:
        need = truth[voice.person_of["attitudes_and_needs"][row["ResponseId"]]]["needs_segment"]
        for task in range(1, len(MAXDIFF_BLOCKS) + 1):
            best, worst = row[f"Q2_{task}_best"], row[f"Q2_{task}_worst"]
            if best:
                assert {best, worst} <= design[row["maxdiff_version"], str(task)]
                assert best != worst
                counts[need][best] += 1
                counts[need][worst] -= 1
    assert {need.name for need in NEEDS} == set(counts) == set(UTILITIES)
    for need, utilities in UTILITIES.items():
        found = [counts[need][benefit] for benefit in BENEFITS]
        assert np.corrcoef(np.argsort(np.argsort(found)), np.argsort(np.argsort(utilities)))[0, 1] > 0.8, need
        assert np.argmax(found) == np.argmax(utilities), need


def test_students_and_executives_have_tablets_for_different_reasons(voice):
    truth = truth_by_person(voice)
    ticked: dict[str, list[set[str]]] = defaultdict(list)
    for row in voice.answers:
        if row["Q3"]:
            occupation = truth[voice.person_of["attitudes_and_needs"][row["ResponseId"]]]["occupation"]
            ticked[occupation].append(set(row["Q3"].split(",")))
    assert set().union(*(reasons for answers in ticked.values() for reasons in answers)) <= set(REASONS)
    share = {
        (occupation, reason): np.mean([reason in reasons for reasons in ticked[occupation]])
        for occupation in REASON_SHARES
        for reason in REASONS
    }
    for reason in ("Taking notes in lectures", "Its low price"):
        assert share["student", reason] > share["executive", reason] + 0.2
    for reason in ("Presenting in meetings", "Security features", "E-mail on the move"):
        assert share["executive", reason] > share["student", reason] + 0.2


def test_careless_answers_are_there_to_find(voice):
    straight = [row for row in voice.answers if len({row[item.name] for item in ITEMS}) == 1 and row["Q1_1"]]
    hasty = [row for row in voice.answers if int(row["Duration (in seconds)"]) < 100 and row["Finished"] == "True"]
    people = Counter(voice.person_of["attitudes_and_needs"][row["ResponseId"]] for row in voice.answers)
    n = len(voice.answers)
    assert 0.01 < len(straight) / n < 0.06
    assert 0.01 < len(hasty) / n < 0.06
    assert 0.02 < sum(row["Finished"] == "False" for row in voice.answers) / n < 0.09
    assert max(people.values()) == 2


def test_importance_follows_the_utilities_and_satisfaction_the_service(voice):
    with voice.made.files["surveys/importance_satisfaction.csv"].open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file, strict=True))
    assert lines[1][8:] == [*BENEFITS, *BENEFITS]
    truth = truth_by_person(voice)
    importance: dict[str, list[list[float]]] = defaultdict(list)
    for line in lines[2:]:
        need = truth[voice.person_of["importance_satisfaction"][line[0]]]["needs_segment"]
        importance[need].append([float(cell) if cell else np.nan for cell in line[8:18]])
    for need, utilities in UTILITIES.items():
        assert np.corrcoef(np.nanmean(importance[need], axis=0), utilities)[0, 1] > 0.85, need
    content = np.nanmean([[float(c) if c else np.nan for c in line[18:]] for line in lines[2:]], axis=0)
    assert BENEFITS[int(np.argmin(content))] == "Personal advice"


def test_recommendation_scores_follow_satisfaction_and_texts_vary(voice):
    answers = voice.table("surveys/nps.csv")
    score, reason = list(answers[0])[1:3]
    assert {int(row[score]) for row in answers} <= set(range(11))
    texts = [row[reason] for row in answers if row[reason]]
    assert len(set(texts)) > 0.6 * len(texts)
    assert any("@" in text or re.search(r"\d{11}", text) for text in texts)
    themes = {row["record_id"]: row for row in voice.table("truth/themes.csv")}
    assert {themes[row["#"]]["language"] for row in answers} >= {"en", "de"}
    for row in answers:
        mood = "promoter" if int(row[score]) >= 9 else "passive" if int(row[score]) >= 7 else "detractor"
        assert themes[row["#"]]["mood"] == mood
    truth = truth_by_person(voice)
    by_group: dict[str, list[int]] = defaultdict(list)
    for row in answers:
        by_group[truth[voice.person_of["nps"][row["#"]]]["behaviour_group"]].append(int(row[score]))
    assert np.mean(by_group["office replenishers"]) > np.mean(by_group["lapsed big spenders"]) + 1.5


# --- support and books ------------------------------------------------------------------------------------------------


def test_tickets_name_the_people_who_wrote_them(voice):
    truth = truth_by_person(voice)
    tickets = voice.table("support/tickets.csv")
    for row in tickets:
        person = voice.person_of["support"][row["id"]]
        assert row["requester_email"] or row["requester_phone"]
        assert row["customer_number"] in ("", truth[person]["customer_id"])
        assert START.isoformat() <= row["created_at"][:10] <= UNTIL.isoformat()
        assert "{" not in row["subject"] + row["description"]
    counts = Counter(truth[voice.person_of["support"][row["id"]]]["behaviour_group"] for row in tickets)
    people = Counter(row["behaviour_group"] for row in truth.values())
    assert counts["bargain hunters"] / people["bargain hunters"] > counts["never ordered"] / people["never ordered"]
    set_up = Counter(
        truth[voice.person_of["support"][row["id"]]]["needs_segment"] for row in tickets if "setup" in row["tags"]
    )
    assert set_up["keep it simple"] > 2 * set_up["latest and fastest"]


def test_satisfaction_after_a_contact_follows_the_person_and_ease_what_they_need(voice):
    truth = truth_by_person(voice)
    tickets = {row["id"]: row for row in voice.table("support/tickets.csv")}
    answers = voice.table("surveys/after_contact.csv")
    csat, ces = list(answers[0])[1:3]
    assert 0.25 < len(answers) / len(tickets) < 0.4
    matter = {m.tags.split()[0]: m.name for m in MATTERS}
    planted = {(row["needs_segment"], row["matter"]): float(row["ease"]) for row in voice.table("truth/ease.csv")}
    content, ease = [], []
    for row in answers:
        assert row["Submit Date (UTC)"] > tickets[row["ticket_id"]]["created_at"].replace("T", " ")
        person = truth[voice.person_of["support"][row["ticket_id"]]]
        if row[csat]:
            content.append((CONTENT.index(row[csat]), float(person["satisfaction"])))
        if row[ces]:
            about = matter[tickets[row["ticket_id"]]["tags"].split()[0]]
            ease.append(
                (1 + AGREEMENT.index(row[ces]), planted[person["needs_segment"], about], person["needs_segment"])
            )
    assert np.corrcoef(np.array(content).T)[0, 1] > 0.7
    said, meant, needs = map(np.array, zip(*ease, strict=True))
    assert np.corrcoef(said, meant)[0, 1] > 0.6
    for need in ("keep it simple", "price first", "latest and fastest"):
        mine = needs == need
        assert said[mine].mean() == pytest.approx(meant[mine].mean(), abs=0.2), need
    assert said[needs == "keep it simple"].mean() < said[needs == "latest and fastest"].mean() - 1.2


def test_three_weeks_of_service_costs_are_in_pence(voice):
    median: dict[str, list[float]] = defaultdict(list)
    costs = voice.table("finance/service_costs.csv")
    fault = next(row for row in voice.table("truth/faults.csv") if row["file"] == "finance/service_costs.csv")
    first, last = date(2026, 2, 1), date(2026, 2, 21)
    within = 0
    for row in costs:
        pence = first.isoformat() <= row["date"] <= last.isoformat()
        within += pence
        median["pence" if pence else "pounds"].append(float(row["amount"]))
    assert 80 < np.median(median["pence"]) / np.median(median["pounds"]) < 120
    assert {first.isoformat(), last.isoformat(), str(within)} <= set(fault.values())


def test_affiliate_fees_are_for_customers_of_those_channels(voice):
    channel = {row["customer_id"]: row["acquisition_channel"] for row in voice.table("shop/customers.csv")}
    fees = [row for row in voice.table("finance/acquisition_costs.csv") if row["customer_number"]]
    assert {row["channel"] for row in fees} == {"referral", "marketplace"}
    assert all(channel[row["customer_number"]] in ("", row["channel"]) for row in fees)
    months = {row["month"] for row in voice.table("finance/acquisition_costs.csv")}
    assert len(months) == 24


def test_consents_know_somebody_and_a_few_contradict_themselves(voice):
    statements: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for row in voice.table("consents/consents.csv"):
        assert row["customer_number"] or row["email"]
        assert row["status"] in ("granted", "denied")
        assert {row["channel"]} <= {"email", "phone", "post", "ads"}
        who = row["customer_number"] or row["email"]
        statements[who, row["channel"], row["recorded_at"][:10]].add(row["status"])
    assert 0.002 < np.mean([len(statuses) > 1 for statuses in statements.values()]) < 0.03


def test_market_research_covers_every_cell_once(voice):
    research = voice.table("market/research.csv")
    cells = {(row["age_band"], row["region"], row["measure"]) for row in research}
    assert len(cells) == len(research) == 3 * len(MARKET_AGES) * len(MARKET_REGIONS)
    population = [float(row["value"]) for row in research if row["measure"] == "population_share"]
    assert sum(population) == pytest.approx(1, abs=0.001)
    assert all(date.fromisoformat(row["published"]) < UNTIL for row in research)


# --- the plan ---------------------------------------------------------------------------------------------------------


def test_plan_names_what_exists():
    assert set(UTILITIES) == {need.name for need in NEEDS}
    assert all(len(utilities) == len(BENEFITS) for utilities in UTILITIES.values())
    assert set(REASON_SHARES) <= {occupation.name for occupation in OCCUPATIONS}
    assert all(len(shares) == len(REASONS) for shares in REASON_SHARES.values())


# --- what they write about --------------------------------------------------------------------------------------------


def test_the_commonest_matters_of_the_tickets_are_found_as_themes(voice):
    """Tickets of seven matters are put together from phrases that mostly share no word: the four commonest matters are
    found, each by a theme of its own; those of the other three are counted to one of these."""
    tickets = [
        (f"{r['subject']}. {r['description']}", r["tags"].split()[0]) for r in voice.table("support/tickets.csv")
    ]
    texts = [text for text, _ in tickets]
    matters = np.array([matter for _, matter in tickets])
    usual = {"time": datetime(2026, 1, 1), "name": "ticket"}
    rows = [{"customer_key": i, "text": text, **usual} for i, text in enumerate(texts)]
    with in_memory() as con:
        events = con.create_table("events", pa.Table.from_pylist(rows))
        who = pa.table({"customer_key": range(len(rows)), "customer_id": [str(i) for i in range(len(rows))]})
        facts = Facts(con.create_table("people", who), further={"events": events})
        model = ThemeModel.from_json(compute(facts, UNTIL).learned["themes"].model)
    main = model.amounts(texts, ["ticket"] * len(texts), [""] * len(texts)).argmax(axis=1)
    assert adjusted_rand_score(matters, main) > 0.6
    commonest = [matter for matter, _ in Counter(matters).most_common(4)]
    theirs = [Counter(main[matters == matter]).most_common(1)[0] for matter in commonest]
    assert sorted(theme for theme, _ in theirs) == list(range(len(model.themes)))
    assert sum(n for _, n in theirs) > 0.95 * np.isin(matters, commonest).sum()


def test_planted_needs_are_found_again(voice):
    """By the traits of needs: whose main benefit is the one that their segment wants most, and how scores rank."""
    design = voice.made.files["surveys/maxdiff_design.csv"]
    exercise = {
        "best": "Q2_{task}_best",
        "worst": "Q2_{task}_worst",
        "version": "maxdiff_version",
        "design": design.name,
    }
    surveys = {"voice": Survey.model_validate({"best_worst": exercise})}
    planted = {person: row["needs_segment"] for person, row in truth_by_person(voice).items()}
    person_of = voice.person_of["attitudes_and_needs"]
    given = [
        (int(person_of[row["ResponseId"]]), line, code, answer, datetime.fromisoformat(row["RecordedDate"]))
        for line, row in enumerate(voice.answers, start=4)
        for code, answer in row.items()
        if answer and (code.startswith("Q2_") or code == "maxdiff_version")
    ]
    who, lines, codes, answers, times = map(list, zip(*given, strict=True))
    answered = {"customer_key": who, "line": lines, "question": codes, "answer": answers, "time": times}
    people = sorted(set(who))
    with engine.in_memory() as con:
        golden = pa.table({"customer_key": people, "customer_id": [str(p) for p in people]})
        rows = pa.table({**answered, "file": ["a"] * len(who), "survey": ["voice"] * len(who)})
        facts = Facts(con.create_table("golden", golden), further={"responses": con.create_table("responses", rows)})
        settings = Settings(surveys=surveys, designs=survey_designs.designs(design.parent, surveys))
        made = compute(facts, UNTIL, settings)
        found = made.table.to_pandas().dropna(subset="main_benefit")
    found["planted"] = found["customer_id"].map(planted)
    best = {name: BENEFITS[int(np.argmax(utilities))] for name, utilities in UTILITIES.items()}
    two = {name: {BENEFITS[i] for i in np.argsort(utilities)[-2:]} for name, utilities in UTILITIES.items()}
    hits = found["main_benefit"] == found["planted"].map(best)
    among = [benefit in two[name] for benefit, name in zip(found["main_benefit"], found["planted"], strict=True)]
    # By chance one in ten; people's own utilities differ from their segment's, so that 83 % could be reached.
    assert (len(found) > 1_000, hits.mean() > 0.52, np.mean(among) > 0.7) == (True, True, True)
    columns = [of_need("benefit", benefit).name for benefit in BENEFITS]
    for name, mine in found.groupby("planted"):
        assert spearmanr(mine[columns].mean(), UTILITIES[name]).statistic > 0.95
    utilities = made.learned["benefits"].model["voice"]["benefits"]
    assert {b["standard_error"] < 0.05 for b in utilities.values()} == {True}
