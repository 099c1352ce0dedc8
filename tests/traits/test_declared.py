"""Declared traits: every aggregate beside a plain reference on every engine, and what mistakes in them are answered."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest
from declared_reference import AS_OF, CASES, Row, config_of, random_events, reference
from ibis.backends.duckdb import Backend
from tests.engines import on, on_every_engine
from tests.shops import opened
from trait_reference import by_key, customers, table, transactions

from segmentry import config
from segmentry.catalogue import lookup
from segmentry.columns import Pii
from segmentry.config import Attribute
from segmentry.errors import ConfigError, FitError
from segmentry.traits import Facts, TraitTable, compute, definitions

EVENTS = {"customer_key": pa.int64(), "time": pa.timestamp("us"), "known_from": pa.timestamp("us")}
HEAD = "name: x\nsources: {shop: {kind: transactions, path: x.csv, columns: {customer: c, time: t, amount: a}}}\n"


def own(section: str, *attributes: tuple[str, str, Attribute]) -> Any:
    return definitions(config.parse(HEAD + section, {}).traits, attributes)


def events(con: Backend, rows: Sequence[Row]) -> Any:
    """events from rows; what is left out is a visit on 2026-03-01."""
    usual = {"time": datetime(2026, 3, 1), "name": "visit"}
    return table(con, "events", [usual | row for row in rows], EVENTS)


def made(con: Backend, section: str, rows: Sequence[Row], **more: Any) -> TraitTable:
    facts = Facts(customers(con, [1, 2, 3]), further={"events": events(con, rows)})
    return compute(facts, AS_OF, own=own(section), **more)


def names_of(found: TraitTable) -> list[str]:
    """The declared traits among those that were made."""
    return [t.name for t in found.traits if lookup(t.name) is None]


def as_collected(row: Row) -> Row:
    found = {"customer_key": int(row["customer"][1:]), "time": row["time"], "name": row["name"]}
    return {**found, "channel": row["channel"], "properties": properties(row)}


def properties(row: Row) -> str:
    return json.dumps({name: row[name] for name in ("plan", "price") if row[name] is not None})


# Every aggregate ------------------------------------------------------------------------------------------------------

NEW_YORK = ZoneInfo("America/New_York")  # its clocks change within the data, on 2025-11-02 and 2026-03-08
WORKSPACE = f"""\
name: Test
as_of: {AS_OF}
sources:
  crm: {{kind: customers, path: customers.csv, columns: {{customer: id, city: city}}}}
  web:
    kind: events
    path: events.csv
    timezone: America/New_York
    columns: {{customer: who, time: at, name: name, channel: channel, properties: props}}
{config_of(CASES)}\
  share_web: {{value: count_where / count_all}}
  much: {{value: "CASE WHEN sum_price > 100 THEN 'much' ELSE 'little' END"}}
  place: {{aggregate: rank_within(count_all by city)}}
  above_mean: {{from: events, aggregate: count(), where: "properties.price > customer.avg_price"}}
  of_favourite: {{from: events, aggregate: count(), where: channel = customer.mode_channel}}
segmentations:
  buyers: {{method: rules, segments: [{{name: Web, where: count_where > 3 and much = 'much'}}]}}
"""


def written(root: Path, engine_: str, rows: Sequence[Row], people: Sequence[str]) -> Path:
    root.mkdir()
    with (root / "events.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["who", "at", "name", "channel", "props"])
        for row in rows:
            local = row["time"].replace(tzinfo=ZoneInfo("UTC")).astimezone(NEW_YORK).replace(tzinfo=None)
            at = local.isoformat(" ", "microseconds")
            out.writerow([row["customer"], at, row["name"], row["channel"], properties(row)])
    lines = ["id,city", *(f"{c},{('Rome', 'Oslo', '')[i % 3]}" for i, c in enumerate(people))]
    (root / "customers.csv").write_text("\n".join(lines) + "\n")
    (root / "segmentry.yaml").write_text(on(engine_, WORKSPACE))
    return root


# One case of each aggregate, for what holds of all.
ONE_OF_EACH = {
    name: CASES[name] for name in {case.written.partition("(")[0]: name for name, case in CASES.items()}.values()
}


def same(value: Any, expected: Any) -> bool:
    return value == (pytest.approx(expected, rel=1e-12) if isinstance(expected, float) else expected)


@on_every_engine
def test_every_aggregate_is_as_a_plain_reference_computes_it(tmp_path: Path, engine: str):
    people = [f"C{i:03d}" for i in range(60)]
    rows = random_events(7)
    space = opened(written(tmp_path / "w", engine, rows, people))
    try:
        assert space.run() == {}
        with space.reading() as reading:
            found = {r["customer_id"]: r for r in reading.find("traits").to_pyarrow().to_pylist()}
            assert not reading.absent_traits()
            assert "of_favourite" in {c.trait.name for c in reading.trait_covers()}
    finally:
        space.close()
    # Who did nothing by then but something later was not known then.
    expected = reference(rows, people)
    assert set(found) == {c for c in people if expected[c]["count_all"] or not any(r["customer"] == c for r in rows)}
    for name in CASES:
        values = {c: found[c][name] for c in found}
        assert all(same(values[c], expected[c][name]) for c in found), name
        assert len(set(values.values())) > 1, f"{name} is the same for everybody: that tests nothing"
    for c, row in found.items():
        whole = row["count_all"]
        assert row["share_web"] == (row["count_where"] / whole if whole else None)
        assert row["much"] == ("much" if row["sum_price"] > 100 else "little")
        peers = [o["count_all"] for o in found.values() if o["city"] == row["city"]]
        assert row["place"] == (None if row["city"] is None else 1 + sum(o > whole for o in peers))
        mine = [r for r in rows if r["customer"] == c and r["time"].date() <= AS_OF]
        high = [r for r in mine if r["price"] is not None and r["price"] > (row["avg_price"] or 1e9)]
        assert row["above_mean"] == len(high)
        assert row["of_favourite"] == sum(r["channel"] == row["mode_channel"] for r in mine if r["channel"])


def test_neither_later_rows_nor_threads_nor_the_order_of_rows_change_a_trait(con: Backend):
    """As of any date: what comes after it has no influence."""
    rng = random.Random(5)
    rows = [as_collected(r) for r in random_events(5, customers=20, events=300) if r["time"].date() <= AS_OF]
    later = [
        {**rng.choice(rows), "time": datetime(2026, 4, 1) + timedelta(hours=h), "channel": "new", "properties": text}
        for h, text in enumerate(['{"price": 1e12, "plan": "new"}', "no JSON", "{}"] * 10)
    ]
    section, keys = own(config_of(ONE_OF_EACH)), customers(con, sorted({r["customer_key"] for r in rows}))

    def traits(name: str, collected: Sequence[Row]) -> dict[int, Row]:
        facts = Facts(keys, further={"events": table(con, name, collected, EVENTS)})
        return by_key(compute(facts, AS_OF, own=section))

    con.raw_sql("SET threads = 1")
    first = traits("in_order", rows)
    con.raw_sql("SET threads = 4")
    assert traits("in_another_order", rng.sample(rows, len(rows))) == first
    assert traits("with_later_rows", rows + later) == first


def test_all_distributive_aggregates_share_one_scan(con: Backend):
    names = ["count_where", "count_days", "count_between", "since_last", "new_buyer", "stopped_view", "count_known"]
    cases = {n: CASES[n] for n in names}
    many = {f"{n}_{i}": case for n, case in cases.items() for i in range(5)}
    scans, groups = [], []
    for section in ({}, cases, many):
        sql = str(
            ibis.to_sql(made(con, config_of(section) if section else "", [{"customer_key": 1, "channel": "web"}]).table)
        )
        scans.append(sql.count('"known_events_'))
        groups.append(sql.count("GROUP BY"))
    assert scans[1] == scans[2] == scans[0] + 1
    assert groups[1] == groups[2] == groups[0] + 1


# What rows count ------------------------------------------------------------------------------------------------------


def test_order_lines_of_every_kind_count_and_line_kind_tells_them(con: Backend):
    lines = [
        {"customer_key": 1, "amount": 30.0},
        {"customer_key": 1, "amount": -10.0, "line_kind": "return"},
        {"customer_key": 1, "amount": 5.0, "line_kind": "charge"},
        {"customer_key": 2, "amount": 100.0},
        {"customer_key": 2, "amount": 1.0},
    ]
    section = own("""
traits:
  everything: {from: transactions, aggregate: sum(amount)}
  sold: {from: transactions, aggregate: sum(amount), where: line_kind = 'sale'}
  big: {from: transactions, aggregate: count(), where: amount > 1.5 * customer.average_order_value}
""")
    row = by_key(compute(Facts(customers(con, [1, 2]), transactions(con, lines)), AS_OF, own=section))
    assert [row[1][n] for n in ("everything", "sold", "big")] == [25.0, 30.0, 0]
    assert [row[2][n] for n in ("everything", "sold", "big")] == [101.0, 101.0, 1]


def test_rows_without_a_time_count_where_no_time_is_asked_for(con: Backend):
    rows = [
        {"customer_key": 1, "question": "nps", "answer": "9", "time": None, "known_from": None},
        {"customer_key": 1, "question": "nps", "answer": "4", "time": datetime(2026, 3, 30), "known_from": None},
        {"customer_key": 1, "question": "nps", "answer": "x", "time": None, "known_from": datetime(2026, 4, 2)},
        {"customer_key": 2, "question": "why", "answer": "price", "time": None, "known_from": None},
    ]
    section = own("""
traits:
  score: {from: responses, aggregate: avg(answer), where: question = 'nps', model: needs}
  answers: {from: responses, aggregate: count()}
  lately: {from: responses, aggregate: count(), within: 30 days}
  newest: {from: responses, aggregate: last(answer)}
""")
    facts = Facts(customers(con, [1, 2]), further={"responses": table(con, "responses", rows, EVENTS)})
    found = compute(facts, AS_OF, own=section)
    row = by_key(found)
    assert [row[1][n] for n in ("score", "answers", "lately", "newest")] == [6.5, 2, 1, "4"]
    assert [row[2][n] for n in ("score", "answers", "lately", "newest")] == [None, 1, 0, None]
    assert {t.name: t.pii for t in found.traits}["newest"] is Pii.SENSITIVE


def test_values_that_are_no_json_or_no_number_are_not_known(con: Backend):
    texts = ['{"a": {"b": 3.0}, "tags": ["x", "y"]}', '{"a": {"b": "many"}}', "{", None, "[1]", '{"a": {"b": null}}']
    rows = [{"customer_key": 1, "properties": text} for text in texts]
    section = """
traits:
  added: {from: events, aggregate: sum(properties.a.b)}
  known: {from: events, aggregate: count(properties.a.b)}
  tagged: {from: events, aggregate: count(), where: "contains(properties.tags, '\\"y\\"')"}
"""
    row = by_key(made(con, section, rows))[1]
    assert [row[n] for n in ("added", "known", "tagged")] == [3.0, 2, 1]


def test_declared_attributes_of_events_can_be_used(con: Backend):
    stars = Attribute.model_validate({"from": "Stars", "kind": "number", "unit": "stars"})
    section = own("traits:\n  best: {from: events, aggregate: max(stars)}\n", ("events", "stars", stars))
    rows = table(con, "e", [{"customer_key": 1, "time": datetime(2026, 1, 1), "name": "x", "stars": "4"}], EVENTS)
    assert by_key(compute(Facts(customers(con, [1]), further={"events": rows}), AS_OF, own=section))[1]["best"] == 4.0


# What is absent -------------------------------------------------------------------------------------------------------

ABSENT = """
traits:
  opened: {from: events, aggregate: count(), where: properties.subject = 'x'}
  ratio: {value: opened / bought}
  bought: {from: costs, aggregate: count()}
  visits: {from: events, aggregate: count()}
"""


def test_a_trait_without_its_data_is_absent_and_says_why(con: Backend):
    found = made(con, ABSENT, [{"customer_key": 1}])
    assert names_of(found) == ["visits"]
    asked = ("opened", "ratio", "bought", "visits")  # those of the catalogue are explained beside them
    assert {name: why for name, why in found.absent.items() if name in asked} == {
        "opened": "none of the events has properties.subject",
        "bought": "no costs of known customers are collected",
        "ratio": "it reads opened, and none of the events has properties.subject",
    }


def test_what_a_frozen_segmentation_reads_stays_when_its_column_is_empty(con: Backend):
    found = made(con, ABSENT, [{"customer_key": 1}], also=frozenset({"opened"}))
    assert names_of(found) == ["opened", "visits"]
    assert by_key(found)[1]["opened"] == 0


def test_before_the_first_event_traits_are_absent(con: Backend):
    found = made(con, ABSENT, [{"customer_key": 1, "time": datetime(2027, 1, 1)}])
    assert found.absent["visits"] == "there are no events of known customers by then"


def test_a_removed_trait_stops_the_segmentation_that_is_frozen_on_it(tmp_path: Path):
    text = """\
name: Test
as_of: 2026-03-31
sources: {web: {kind: events, path: e.csv, columns: {customer: who, time: at, name: name}}}
traits:
  visits: {from: events, aggregate: count()}
  quiet: {from: events, aggregate: days_since()}
  spent: {from: transactions, aggregate: sum(amount)}
segmentations:
  groups: {method: kmeans, traits: [visits], segments: 2}
  calm: {method: rules, segments: [{name: Calm, where: quiet > 30}]}
"""
    lines = [f"C{i},2026-0{1 + i % 3}-1{j},visit" for i in range(40) for j in range(1 + i % 7)]
    (tmp_path / "e.csv").write_text("\n".join(["who,at,name", *lines]) + "\n")
    (tmp_path / "segmentry.yaml").write_text(text)
    space = opened(tmp_path)
    assert space.run() == {}
    first = space.state.current()["traits"]
    assert space.traits().id == first.id  # nothing changed: nothing is written
    with space.reading() as reading:
        (absent,) = reading.absent_traits()
        assert absent.trait.description == "Sum of amount over the order lines."
        assert absent.absent == "no transactions of known customers are collected"
    space.close()

    (tmp_path / "segmentry.yaml").write_text(text.replace("  visits: {from: events, aggregate: count()}\n", ""))
    space = opened(tmp_path)
    not_placed = space.run()
    assert space.state.current()["traits"].id > first.id
    assert list(not_placed) == ["groups"]
    assert "groups (version 1) reads the trait visits, which segmentry.yaml does not declare" in str(
        not_placed["groups"]
    )
    with pytest.raises(FitError, match="Put visits back under `traits`"):
        space.assign("groups")
    with space.reading() as reading:  # what was placed before stays
        assert reading.summary("groups").segments
    space.close()


# Mistakes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trait", "said"),
    [
        ("{aggregate: count()}", "from: say which table. Allowed: consents, costs, events"),
        ("{from: event, aggregate: count()}", "'event' is no table of facts. Did you mean 'events'"),
        ("{from: events}", "needs either aggregate .* or value"),
        ("{from: events, agregate: count()}", "agregate: this key is not known. Did you mean 'aggregate'"),
        ("{from: events, aggregate: cout()}", "there is no cout.*Did you mean 'count'"),
        ("{from: events, aggregate: sum}", "Write a function with brackets"),
        ("{from: events, aggregate: sum()}", "needs a column"),
        ("{from: events, aggregate: count(), within: soon}", "within: 'soon' is not read. Write 90 days"),
        ("{from: events, aggregate: count(), between: 2026-02-30 and 2026-03-01}", "a day that does not exist"),
        ("{from: events, aggregate: count(), between: May}", "30 and 60 days ago"),
        ("{from: events, aggregate: count(), within: 1 day, between: 1 and 2 days ago}", "not both"),
        ("{from: events, aggregate: first_time()}", "add within or between"),
        ("{from: events, aggregate: regularly(7 of last 6 months)}", "7 of 6 months cannot be"),
        ("{from: events, aggregate: regularly(often)}", r"Write regularly\(3 of last 6 months\)"),
        ("{from: events, aggregate: regularly(3 of last 6 months), within: 1 day}", "names its own periods"),
        ("{from: events, aggregate: sequence(a then b)}", "steps: say what '[ab]' is"),
        ("{from: events, aggregate: sequence(a), steps: {a: name = 'x'}}", "is not read. Write sequence"),
        ("{from: events, aggregate: sequence(a then not b), steps: {a: name = 'x', b: name = 'y'}}", "say how long"),
        ("{from: events, aggregate: count(), steps: {a: name = 'x'}}", "belong to a sequence"),
        ("{from: events, aggregate: stopped(90 days), within: 30 days}", "nobody .* can have stopped for 90 days"),
        ("{from: events, aggregate: restarted(2 months)}", "with days or weeks"),
        ("{from: events, aggregate: rank_within(monetary by city)}", "from: does not go with rank_within"),
        ("{value: monetary, within: 1 day}", "within: does not go with value"),
        ("{aggregate: rank_within(monetary)}", r"Write rank_within\(monetary by city\)"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_form_is_told_with_its_line(trait: str, said: str):
    with pytest.raises(ConfigError, match=rf"segmentry.yaml:4 traits\.t.*{said}"):
        config.parse(f"{HEAD}traits:\n  t: {trait}\n", {})


@pytest.mark.parametrize(
    ("trait", "said"),
    [
        ("{from: events, aggregate: count(), where: chanel = 'x'}", "traits.t.where: .*'chanel'.*you mean 'channel'"),
        ("{from: events, aggregate: sum(pric)}", "traits.t.aggregate: there is no column 'pric'"),
        ("{from: events, aggregate: count(), where: contact_email = 'x'}", "no column 'contact_email'"),
        ("{from: transactions, aggregate: count(), where: amount > customer.monetry}", "mean 'customer.monetary'"),
        ("{from: transactions, aggregate: count(), where: properties.x = '1'}", "no column 'properties.x'"),
        ("{from: events, aggregate: sum(time)}", "time is a timestamp; sum works on numbers.*days_since"),
        ("{from: events, aggregate: last(time)}", "A trait is a number, a category, or true or false"),
        ("{from: events, aggregate: count(), where: channel}", "not a condition"),
        ("{aggregate: rank_within(monetery by city)}", "there is no trait 'monetery'.*Did you mean .*'monetary'"),
        ("{aggregate: rank_within(city by country)}", "city is a category; only a number has a rank"),
        ("{value: spend_90 / 2}", "traits.t.value: .*'spend_90'.*Did you mean 'spend_90d'"),
        ("{value: 1 + 1}", "names no trait"),
        ("{value: u + 1}\n  u: {value: w}\n  w: {value: t}", "t reads u reads w reads t"),
        ("{from: events, aggregate: count(), where: 'customer.t > 1'}", "t reads t"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_expression_names_the_trait_and_suggests(trait: str, said: str):
    with pytest.raises(ConfigError, match=said):
        own(f"traits:\n  t: {trait}\n")


@pytest.mark.parametrize("name", ["frequency", "channel_share_web", "customer_id", "Big"])
def test_names_of_other_traits_are_refused(name: str):
    with pytest.raises(ConfigError, match=name):
        config.parse(f"{HEAD}traits:\n  {name}: {{from: events, aggregate: count()}}\n", {})


# Words ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trait", "words"),
    [
        ("{from: transactions, aggregate: sum(amount), where: channel = 'web', within: 90 days}",
         "Sum of amount over the order lines where channel is 'web', in the last 90 days."),
        ("{from: events, aggregate: regularly(3 of last 6 months), where: name = 'Email Opened', description: Reader}",
         "Reader. Whether there was at least one event where name is 'Email Opened' in each of 3 or more of the last 6 "
         "months."),
        ("{from: events, aggregate: sequence(a then not b within 3 days), steps: {a: name = 'x', b: name = 'y'}}",
         "Whether there were events where name is 'x', and then for 3 days none where name is 'y'."),
        ("{from: events, aggregate: first_time(), between: 2026-01-01 and 2026-01-31}",
         "Whether the first event ever came from 2026-01-01 to 2026-01-31."),
        ("{from: events, aggregate: held_for(properties.plan)}",
         "Days that the property plan has had its last value among the events."),
        ("{from: transactions, aggregate: count(), where: amount > 2 * customer.average_order_value}",
         "Number of order lines where amount is more than 2 times the customer's average order value."),
        ("{aggregate: rank_within(monetary by city)}",
         "Place by monetary among those of the same city, 1 for the most."),
    ],
)  # fmt: skip
def test_a_trait_reads_back_in_plain_english(trait: str, words: str):
    assert own(f"traits:\n  t: {trait}\n")[0].trait.description == words
