"""Declared traits of accounts: every aggregate beside the plain reference, deals as they stood, and mistakes."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from declared_reference import AS_OF, CASES, Row, config_of, random_events
from tests.engines import on, on_every_engine
from tests.shops import opened
from typer.testing import CliRunner

from segmentry import config
from segmentry.apps import cli
from segmentry.errors import ConfigError
from segmentry.traits import definitions
from segmentry.workspace import Workspace

# One case of each aggregate, and those that count days.
OF_EVENTS = {
    name: CASES[name] for name in {case.written.partition("(")[0]: name for name, case in CASES.items()}.values()
} | {name: CASES[name] for name in ("count_days", "sequence_three", "first_channel")}
SOURCES = """\
name: Test
as_of: 2026-03-31
sources:
  firms:
    kind: accounts
    path: firms.csv
    id_space: crm
    columns: {account: id, account_name: name, industry: sector}
    attributes: {tier: {from: tier, kind: category}}
  crm: {kind: customers, path: people.csv, id_space: crm, columns: {customer: id, account: firm}}
  web:
    kind: events
    path: events.csv
    id_space: crm
    columns: {customer: who, account: firm, time: at, name: name, channel: channel, properties: props}
  deals:
    kind: opportunities
    path: deals.csv
    id_space: crm
    columns: {opportunity: id, account: firm, stage: stage, amount: amount, created_at: begun, closes_at: closes}
"""
WORKSPACE = f"""\
{SOURCES}{config_of(OF_EVENTS).replace("{from", "{of: account, from")}\
  people_events: {{from: events, aggregate: count()}}
  won_90d: {{of: account, from: opportunities, aggregate: count(), where: "stage = 'won'", within: 90 days}}
  open_worth: {{of: account, from: opportunities, aggregate: sum(amount), where: "stage not in ('won', 'lost')"}}
  largest: {{of: account, from: opportunities, aggregate: max(amount)}}
  last_stage: {{of: account, from: opportunities, aggregate: last(stage)}}
  days_open: {{of: account, from: opportunities, aggregate: "max(days_between(closes_at, created_at))"}}
  above: {{of: account, from: opportunities, aggregate: count(), where: amount > account.average_deal_value}}
  place: {{of: account, aggregate: rank_within(count_property by industry)}}
  per_person: {{of: account, value: count_property / contacts}}
  gold: {{of: account, value: "CASE WHEN tier = 'gold' THEN won_90d ELSE 0 END"}}
  spent: {{of: account, from: transactions, aggregate: sum(amount)}}
segmentations:
  busy: {{method: rules, unit: account, segments: [{{name: Busy, where: per_person > 4 and place < 6}}]}}
"""
FIRMS = 30


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, fieldnames=list(rows[0]))
        out.writeheader()
        out.writerows(rows)


def _written(root: Path, engine: str) -> tuple[list[Row], list[Row], list[Row]]:
    """A workspace of firms with two contacts each, of whom C000 and C001 also work for A29; its files as rows."""
    root.mkdir()
    rng = random.Random(3)
    firms = [{"id": f"A{i}", "name": f"Firm {i}", "sector": ("Retail", "Bank", "")[i % 3], "tier": ("gold", "")[i % 2]}
             for i in range(FIRMS)]  # fmt: skip
    people = [{"id": f"C{i:03d}", "firm": f"A{i // 2}"} for i in range(2 * FIRMS)]
    people += [{"id": f"C{i:03d}", "firm": "A29"} for i in (0, 1)]
    seen = []
    for row in random_events(7):
        who = int(row["customer"][1:])
        # Of the contacts of two firms most events say for which they acted; what says nothing is neither's.
        said = rng.choice(["A0", "A29", None]) if who in (0, 1) else None
        seen.append({**row, "said": said, "account": said if who in (0, 1) else f"A{who // 2}"})
    deals = []
    for i in range(120):
        begun = datetime(2025, 3, 1, 9) + timedelta(days=rng.randrange(480))
        stage = rng.choice(["Closed Won", "closed lost", "Proposal", "Demo"])
        closes = (begun + timedelta(days=rng.randrange(1, 150))).date() if stage[0] in "Cc" else None
        deals.append({"id": f"D{i}", "firm": f"A{rng.randrange(20)}", "stage": stage, "begun": begun, "closes": closes,
                      "amount": rng.choice([None, 100.25, 2000.0, 30_000.0])})  # fmt: skip
    _write(root / "firms.csv", firms)
    _write(root / "people.csv", people)
    props = [json.dumps({n: row[n] for n in ("plan", "price") if row[n] is not None}) for row in seen]
    _write(root / "events.csv", [
        {"who": r["customer"], "firm": r["said"], "at": r["time"].isoformat(" ", "microseconds"), "name": r["name"],
         "channel": r["channel"], "props": p} for r, p in zip(seen, props, strict=True)])  # fmt: skip
    _write(root / "deals.csv", deals)
    (root / "segmentry.yaml").write_text(on(engine, WORKSPACE))
    return firms, seen, deals


def _rows(space: Workspace, table: str, key: str) -> dict[str, Row]:
    with space.reading() as reading:
        return {r[key].removeprefix("crm:"): r for r in reading.table("traits", table).to_pyarrow().to_pylist()}


def _deals_of(name: str, deals: Sequence[Row], as_of: date) -> list[Row]:
    """The deals of an account as they stood, each with the day by which it counts."""
    found = []
    for deal in (d for d in deals if d["firm"] == name and d["begun"].date() <= as_of):
        kind = {"Closed Won": "won", "closed lost": "lost"}.get(deal["stage"])
        if kind and deal["closes"] <= as_of:
            at = datetime.combine(deal["closes"], datetime.min.time())
            found.append({**deal, "stage": kind, "day": deal["closes"], "time": at})
        else:
            since = {"stage": "open", "amount": None, "closes": None} if kind else {}
            found.append({**deal, **since, "day": deal["begun"].date(), "time": deal["begun"]})
    return found


def _of_deals(mine: Sequence[Row], average: float | None) -> Row:
    latest = max((d["time"] for d in mine), default=None)
    return {
        "won_90d": sum(d["stage"] == "won" and (AS_OF - d["day"]).days < 90 for d in mine),
        "open_worth": sum(d["amount"] or 0 for d in mine if d["stage"] not in ("won", "lost")),
        "largest": max((d["amount"] for d in mine if d["amount"] is not None), default=None),
        "last_stage": min((d["stage"] for d in mine if d["time"] == latest), default=None),
        "days_open": max(((d["closes"] - d["begun"].date()).days for d in mine if d["closes"]), default=None),
        "above": sum(d["amount"] > average for d in mine if d["amount"] is not None) if average is not None else 0,
    }


def _shown(root: Path) -> None:
    """What the command line says of them."""
    told = json.loads(CliRunner().invoke(cli.app, ["show", "traits", "--json", "-w", str(root)]).stdout)
    assert {c["of"] for c in told if c["trait"]["name"] == "place"} == {"account"}
    assert "Traits of accounts" in CliRunner().invoke(cli.app, ["show", "traits", "-w", str(root)]).stdout
    described = CliRunner().invoke(cli.app, ["describe", "busy", "-w", str(root)]).stdout
    assert "per_person" in described.replace(" ", "_")


@on_every_engine
def test_every_aggregate_over_the_rows_of_accounts_is_as_a_plain_reference_computes_it(tmp_path: Path, engine: str):
    firms, seen, deals = _written(tmp_path / "w", engine)
    space = opened(tmp_path / "w")
    try:
        assert space.run() == {}
        found = _rows(space, "account_traits", "account_id")
        people = _rows(space, "traits", "customer_id")
        with space.reading() as reading:
            (absent,) = reading.absent_traits()
            busy = {r["account_id"].removeprefix("crm:") for r in reading.members("Busy")[2].to_pyarrow().to_pylist()}
            assert {"spent", "won_90d"}.isdisjoint(c.trait.name for c in reading.trait_covers())
            assert "won_90d" in {c.trait.name for c in reading.trait_covers("account")}
            assert reading.explain("A0", "busy").customer_id == "crm:A0"
            assert "won_90d" in {name for model in reading.plan().models for name in model.made}
            assert reading.health_of(["place"], "account")
    finally:
        space.close()
    if engine == "duckdb":
        _shown(tmp_path / "w")
    assert (absent.trait.name, absent.of, absent.absent) == (
        "spent", "account", "no transactions of known accounts are collected")  # fmt: skip
    assert found.keys() == {f["id"] for f in firms}
    by_then = [r for r in seen if r["time"].date() <= AS_OF]
    for name in OF_EVENTS:
        expected = {a: OF_EVENTS[name].of([r for r in by_then if r["account"] == a]) for a in found}
        for account, value in expected.items():
            got = found[account][name]
            assert got == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value), (account, name)
        assert len(set(expected.values())) > 1, f"{name} is the same for everybody: that tests nothing"
    for firm in firms:
        row = found[firm["id"]]
        mine = _of_deals(_deals_of(firm["id"], deals, AS_OF), row["average_deal_value"])
        assert {name: row[name] for name in mine} == mine, firm["id"]
        peers = [o["count_property"] for o in found.values() if o["industry"] == row["industry"]]
        assert row["place"] == (None if row["industry"] is None else 1 + sum(o > row["count_property"] for o in peers))
        assert row["per_person"] == row["count_property"] / row["contacts"]
        assert row["gold"] == (row["won_90d"] if firm["tier"] else 0)
    assert busy == {a for a, r in found.items() if r["place"] is not None and r["per_person"] > 4 and r["place"] < 6}
    assert busy
    assert people["C000"]["people_events"] == sum(r["customer"] == "C000" for r in by_then)
    assert "count_property" not in people["C000"]


@pytest.mark.parametrize(
    ("trait", "said"),
    [
        ("{from: opportunities, aggregate: count()}", "opportunities are those of organisations: add of: account"),
        ("{unit: account, from: events, aggregate: count()}", "For a trait of each account write of: account"),
        ("{of: acount, from: events, aggregate: count()}", "traits.t.of"),
    ],
)
def test_a_mistake_in_the_form_says_what_to_write(trait: str, said: str):
    with pytest.raises(ConfigError, match=said):
        config.parse(f"{SOURCES}traits:\n  t: {trait}\n", {})


@pytest.mark.parametrize(
    ("trait", "said"),
    [
        ("{of: account, from: opportunities, aggregate: sum(amont)}", "there is no column 'amont'.*'amount'"),
        ("{of: account, from: events, aggregate: count(), where: channel = customer.city}",
         "customer.city: t is a trait of accounts.*Write account.city, or of: customer for t"),
        ("{from: events, aggregate: count(), where: channel = account.industry}", "t is a trait of customers"),
        ("{of: account, from: events, aggregate: count(), where: '1 > account.age'}", "age is a trait of customers"),
        ("{of: account, value: age / 2}", "age is a trait of customers, and t is one of accounts.*of: customer for t"),
        ("{value: win_rate * 2}", "win_rate is a trait of accounts, and t is one of customers.*of: account for t"),
        ("{value: u}\n  u: {of: account, value: win_rate}", "u is a trait of accounts, and t is one of customers"),
        ("{value: tier}", "tier is a trait of accounts"),
        ("{of: account, value: win_rat}", "Did you mean.*'win_rate'"),
        ("{of: account, aggregate: rank_within(nps by industry)}", "nps is a trait of customers"),
    ],
)  # fmt: skip
def test_a_trait_of_the_other_unit_is_refused_by_name(trait: str, said: str):
    read = config.parse(f"{SOURCES}traits:\n  t: {trait}\n", {})
    with pytest.raises(ConfigError, match=f"traits.t.*{said}"):
        definitions(read.traits, read.attributes)


@pytest.mark.parametrize(
    ("name", "whose"),
    [("win_rate", "a built-in trait of accounts"), ("tier", "an attribute of the source firms"),
     ("account_id", "a column of the table of traits")],
)  # fmt: skip
@pytest.mark.parametrize("unit", ["customer", "account"])
def test_a_name_is_one_trait_whichever_unit_it_is_of(name: str, whose: str, unit: str):
    with pytest.raises(ConfigError, match=f"traits.{name}: this is the name of {whose}"):
        config.parse(f"{SOURCES}traits:\n  {name}: {{of: {unit}, from: events, aggregate: count()}}\n", {})


def test_a_trait_of_accounts_reads_back_in_plain_english():
    read = config.parse(
        SOURCES + "traits:\n  t: {of: account, from: opportunities, aggregate: count(), "
        "where: \"stage = 'won' and amount > account.average_deal_value\", within: 90 days}\n", {}
    )  # fmt: skip
    (found,) = definitions(read.traits, read.attributes)
    assert (found.trait.description, found.trait.unit) == (
        "Number of opportunities where stage is 'won' and amount is more than the account's average deal value, in the "
        "last 90 days.",
        "opportunities",
    )


def test_what_the_guide_declares_can_be_declared(project_root: Path):
    guide = (project_root / "docs" / "guides" / "declared_traits.md").read_text(encoding="utf-8")
    section = guide[guide.index("## Of organisations") :].split("```yaml\n")[1].split("```")[0]
    read = config.parse(SOURCES + section, {})
    assert [d.of for d in definitions(read.traits, read.attributes)] == ["account"] * 5


def test_without_accounts_their_traits_are_absent_and_say_so(tmp_path: Path):
    (tmp_path / "e.csv").write_text("who,at,name\nC1,2026-03-01,visit\n")
    (tmp_path / "segmentry.yaml").write_text(
        "name: Test\nas_of: 2026-03-31\n"
        "sources: {web: {kind: events, path: e.csv, columns: {customer: who, time: at, name: name}}}\n"
        "traits: {calls: {of: account, from: events, aggregate: count()}}\n"
    )
    space = opened(tmp_path)
    space.run()
    with space.reading() as reading:
        (absent,) = reading.absent_traits()
    space.close()
    assert (absent.trait.name, absent.absent) == ("calls", "there are no accounts: no source is of the kind accounts")
