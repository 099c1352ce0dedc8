"""Scores on scales, the way people answer, and what they are interested in."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from ibis.backends.duckdb import Backend
from survey_reference import ASKED, planted, random_answers, responses, scores, sheet
from tests.engines import on, on_every_engine
from tests.shops import opened
from trait_reference import PRODUCTS, Row, by_key, customers, table, transactions
from typer.testing import CliRunner

from segmentry.apps import cli
from segmentry.catalogue import Model
from segmentry.config import Scale, Survey
from segmentry.errors import ConfigError
from segmentry.stats.scales import moments_of_sums, reliability
from segmentry.traits import Facts, Settings, TraitTable, compute

AS_OF = date(2024, 6, 30)
AGREE = ("Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree")


def settings_of(**scales: dict[str, Any]) -> Settings:
    return Settings(surveys={"club": Survey(scales={name: Scale(**of) for name, of in scales.items()})})


def made(
    con: Backend, rows: Sequence[Row], settings: Settings | None = None, as_of: date = AS_OF, **more
) -> TraitTable:
    keys = sorted({row["customer_key"] for row in rows if row["customer_key"] is not None})
    facts = Facts(customers(con, keys), further={"responses": responses(con, rows)})
    return compute(facts, as_of, settings, **more)


THRIFT = {"items": ("Q1", "Q2", "Q3", "Q4"), "reverse": ("Q3",)}


def test_a_score_is_the_mean_of_the_items_with_reversed_ones_turned_round(con: Backend):
    rows = sheet(
        {
            1: {"Q1": "5", "Q2": "4", "Q3": "1", "Q4": "4"},
            2: {"Q1": "5", "Q3": "5"},  # half of them is enough
            3: {"Q1": "5"},
            4: {"Q1": "2", "Q2": "don't know", "Q3": "3", "Q4": "1"},
        }
    )
    table = made(con, rows, settings_of(thrift=THRIFT))
    found = by_key(table)
    assert {k: r["scale_thrift"] for k, r in found.items()} == {1: 4.5, 2: 3.0, 3: None, 4: 2.0}
    trait = next(t for t in table.traits if t.name == "scale_thrift")
    assert (trait.model, trait.unit, trait.pii) == (Model.PSYCHOGRAPHIC, "1 to 5", "sensitive")
    strict = by_key(made(con, rows, settings_of(thrift={**THRIFT, "least_answered": 1})))
    assert {k: r["scale_thrift"] for k, r in strict.items()} == {1: 4.5, 2: None, 3: None, 4: None}


def test_words_come_to_the_same_scale_as_numbers(con: Backend):
    rows = sheet({1: {"Q1": "Agree", "Q2": "Disagree"}, 2: {"Q1": "Stimme voll zu", "Q2": "Strongly disagree"}})
    rows += sheet({key: {"Q1": word, "Q2": word} for key, word in enumerate(AGREE, 10)})
    found = by_key(made(con, rows, settings_of(pride={"items": ("Q1", "Q2"), "reverse": ("Q2",)})))
    assert [found[k]["scale_pride"] for k in (1, 2, 10, 14)] == [4, 5, 3, 3]


def test_own_words_and_own_ranges_are_read_as_declared(con: Backend):
    rows = sheet({1: {"Q1": "very much like me", "S1": "80"}, 2: {"Q1": "Not like me", "S1": "20.0"}})
    scales = {
        "values": {"items": ("Q1",), "answers": ("Not like me", "Like me", "Very much like me")},
        "slide": {"items": ("S1",), "range": (0, 100), "reverse": ("S1",), "model": "technographic"},
    }
    table = made(con, rows, settings_of(**scales))
    found = by_key(table)
    assert [(found[k]["scale_values"], found[k]["scale_slide"]) for k in (1, 2)] == [(3, 20), (1, 80)]
    assert {t.name: (t.unit, t.model.value) for t in table.traits} == {
        "scale_values": ("1 to 3", "psychographic"), "scale_slide": ("0 to 100", "technographic"),
    }  # fmt: skip


def test_the_last_response_counts_and_the_past_stays_what_it_was(con: Backend):
    later = {"time": datetime(2024, 8, 1)}
    rows = sheet({1: {"Q1": "1", "Q2": "1", "Q3": "5", "Q4": "1"}})
    rows += sheet({1: {"Q1": "5", "Q2": "5"}}, **later)  # of the old response nothing is mixed in
    rows += sheet({1: {"Q4": "4"}}, time=datetime(2024, 8, 1, 20))  # the same sitting, after a break
    rows += sheet({2: {"Q1": "3", "Q2": "3", "Q3": "5", "Q4": "1"}})
    settings = settings_of(thrift=THRIFT)
    assert by_key(made(con, rows, settings))[1]["scale_thrift"] == 1
    assert by_key(made(con, rows, settings, date(2024, 8, 1)))[1]["scale_thrift"] == pytest.approx(14 / 3)


@pytest.mark.parametrize(("seed", "least"), [(1, 0.25), (2, 0.5), (3, 0.5), (4, 1)])
def test_scores_are_those_of_plain_python(con: Backend, seed: int, least: float):
    rows = random_answers(seed)
    as_of = (ASKED + timedelta(days=5)).date()
    settings = settings_of(thrift={**THRIFT, "range": (1, 5), "least_answered": least})
    found = {k: r["scale_thrift"] for k, r in by_key(made(con, rows, settings, as_of)).items()}
    expected = scores(rows, THRIFT["items"], THRIFT["reverse"], as_of, ends=(1, 5), least=least)
    assert {k: v for k, v in found.items() if v is not None} == pytest.approx(expected)


def test_what_is_answered_later_changes_no_trait(con: Backend):
    rows, settings = planted(120), settings_of(thrift={"items": ("Q1", "Q2")})
    later = [
        {
            "customer_key": key,
            "question": question,
            "answer": answer,
            "time": datetime(2024, 7, 1) + timedelta(hours=key),
        }
        for key in range(1, 60)
        for question, answer in (("Q1", "7"), ("Q3", "Strongly agree"), ("Q8", "1"), ("Q9", "blue"))
    ]
    before = made(con, rows, settings)
    known = by_key(before)
    after = made(con, [*rows, *later], settings)
    assert (after.traits, after.evidence) == (before.traits, before.evidence)
    assert after.learned["factors"] == before.learned["factors"]
    assert by_key(after) == known


# What the figures say ------------------------------------------------------------------------------------------------


def test_reliability_is_that_of_the_answers_without_straight_lines(con: Backend):
    rows = planted(300)
    straight = sheet({key: dict.fromkeys([f"Q{i}" for i in range(1, 9)], "4") for key in range(900, 930)})
    half = {"items": ("Q5", "Q6", "Q7", "Q8"), "reverse": ("Q7",)}
    told = made(con, [*rows, *straight], settings_of(thrift=THRIFT, pride=half)).evidence["scale_thrift"]
    answers = pd.DataFrame(rows).pivot_table(index="customer_key", columns="question", values="answer", aggfunc="first")
    items = answers[list(THRIFT["items"])].astype(float).to_numpy()
    items[:, 2] = 6 - items[:, 2]
    expected = reliability(moments_of_sums(len(items), items.sum(axis=0), items.T @ items))
    assert (told["respondents"], told["straight_lined"]) == (300, 30)
    assert told["alpha"] == pytest.approx(expected.alpha, abs=1e-4)
    assert told["omega"] == pytest.approx(expected.omega, abs=1e-4)
    assert told["alpha_interval"][0] < told["alpha"] < told["alpha_interval"][1]
    assert (told["verdict"], told["against"]) == ("good", [])


def test_an_item_that_should_be_reversed_is_named(con: Backend):
    told = made(con, planted(200), settings_of(thrift={"items": THRIFT["items"]})).evidence["scale_thrift"]
    assert told["against"] == ["Q3"]


def test_too_few_respondents_have_scores_but_no_reliability(con: Backend):
    table = made(con, planted(10), settings_of(thrift=THRIFT))
    assert all(row["scale_thrift"] is not None for row in by_key(table).values())
    assert "10 respondents answered all 4 items" in table.evidence["scale_thrift"]["refused"]


# What is not there ---------------------------------------------------------------------------------------------------


def test_an_item_that_nobody_was_asked_is_an_error_that_names_the_nearest(con: Backend):
    with pytest.raises(ConfigError, match=r"surveys\.club\.scales\.thrift\.items: .* no question 'Q11'. Did you mean"):
        made(con, planted(20), settings_of(thrift={"items": ("Q1", "Q11")}))


@pytest.mark.parametrize(
    ("survey", "answer", "as_of", "says"),
    [
        ("other", "4", AS_OF, "no answers to a survey 'club' by then; there are other"),
        ("club", "4", date(2024, 1, 1), "no answers to a survey 'club' by then"),
        ("club", "blue", AS_OF, "no scale that is known, such as 'blue'. Write its steps as `answers`"),
    ],
)
def test_a_scale_without_answers_is_absent_and_says_why(con: Backend, survey: str, answer: str, as_of: date, says: str):
    rows = sheet({1: {"Q1": answer}}, survey=survey)
    table = made(con, rows, settings_of(pride={"items": ("Q1",)}), as_of)
    assert "scale_pride" not in [t.name for t in table.traits]
    assert says in table.absent["scale_pride"]
    kept = made(con, rows, settings_of(pride={"items": ("Q1",)}), as_of, also=frozenset({"scale_pride"}))
    assert by_key(kept).get(1, {"scale_pride": None})["scale_pride"] is None


# Response style ------------------------------------------------------------------------------------------------------


def test_the_way_people_answer_is_told_apart_from_what_they_answer(con: Backend):
    codes = [f"A_{i}" for i in range(1, 7)]
    words = {
        1: [AGREE[3]] * 6,
        2: [AGREE[4], AGREE[0], AGREE[4], AGREE[0], AGREE[3], AGREE[2]],
        3: [AGREE[1], AGREE[2]],
        4: list(AGREE),
    }
    rows = sheet({key: dict(zip(codes, given, strict=False)) for key, given in words.items()})
    rows += sheet({1: {"nps": "9"}, 3: {"nps": "0"}})
    found = by_key(made(con, rows))
    style = {k: (r["acquiescence"], r["extreme_response"], r["straight_lining"]) for k, r in found.items()}
    assert style == {
        1: (1, 0, True),
        2: (0.5, pytest.approx(4 / 6), False),
        3: (None, None, None),
        4: (0.4, 0.4, False),
    }


def test_single_questions_tell_no_style(con: Backend):
    assert made(con, sheet({1: {"nps": "9", "csat": "4"}, 2: {"nps": "0", "csat": "1"}})).traits == ()


# Interests -----------------------------------------------------------------------------------------------------------


EVENTS = {"customer_key": pa.int64(), "time": pa.timestamp("us")}


def interests(
    con: Backend, events: Sequence[Row], bought: Sequence[tuple[int, str, int]] = (), **more
) -> dict[int, Row]:
    usual = {"time": datetime(2024, 3, 1, 9), "name": "page", "channel": "web", "page": None, "properties": None}
    seen = table(con, "events", [usual | row for row in events], EVENTS)
    lines = [{"customer_key": k, "category": c, "time": datetime(2024, 3, day)} for k, c, day in bought]
    keys = sorted({row["customer_key"] for row in (*events, *lines)})
    sold = transactions(con, lines) if lines else None
    found = by_key(compute(Facts(customers(con, keys), sold, further={"events": seen}), AS_OF, **more))
    return {
        k: {n.removeprefix("interest_"): v for n, v in r.items() if n.startswith("interest")} for k, r in found.items()
    }


def test_interests_are_shares_of_what_is_seen_shared_and_bought_by_days(con: Backend):
    tea, pots = '{"category": "Green tea"}', '{"topic": "Pots & pans", "wanted": true}'
    events = [
        {"customer_key": 1, "page": "/c/green-tea"},
        {"customer_key": 1, "page": "https://shop.example/c/green-tea?page=2"},  # the same day: once
        {"customer_key": 1, "page": "/help"},
        {"customer_key": 1, "properties": tea, "channel": "social"},  # another way to show it
        {"customer_key": 1, "properties": pots, "time": datetime(2024, 3, 2)},
        {"customer_key": 2, "properties": '{"topic": "Pots & pans", "wanted": false}'},
        {"customer_key": 2, "properties": tea},
        {"customer_key": 3, "page": "/help"},
    ]
    found = interests(con, events, [(1, "Green tea", 7), (1, "Green tea", 7), (2, "Cups", 9)])
    assert found[1] == {"green_tea": 0.75, "pots_pans": 0.25, "cups": 0}
    assert found[2] == {"green_tea": 0.5, "pots_pans": 0, "cups": 0.5}
    assert set(found[3].values()) == {None}


def test_pages_alone_tell_interests_where_a_category_names_them(con: Backend):
    events = [{"customer_key": 1, "page": "/c/tea/"}, {"customer_key": 1, "page": "/c/cups#best"}]
    assert interests(con, events, [(2, "Tea", 3), (2, "Cups", 4)])[1] == {"cups": 0.5, "tea": 0.5}
    assert interests(con, events, also=frozenset({"interest_tea"}))[1] == {}  # nothing is known of any topic


def test_purchases_alone_are_category_shares_and_no_interests(con: Backend):
    assert interests(con, [{"customer_key": 1, "page": "/help"}], [(1, "Tea", 3)])[1] == {}


# Everywhere the same -------------------------------------------------------------------------------------------------

CONFIG = """\
name: Club
sources:
  club:
    kind: responses
    path: club.csv
    columns: {customer: who, survey: "'club'", question: q, answer: a, time: at}
surveys:
  club:
    scales:
      thrift: {items: [Q1, Q2, Q3, Q4], reverse: [Q3], range: [1, 5]}
"""


def test_the_guide_is_what_a_run_gives(project_root: Path, tmp_path: Path):
    guide = (project_root / "docs" / "guides" / "psychographic.md").read_text(encoding="utf-8")
    for file, kind in (("club.csv", "csv"), ("segmentry.yaml", "yaml")):
        block = re.search(rf"{file}[^\n]*:\n```{kind}\n(.*?)```", guide, re.DOTALL)
        assert block is not None
        (tmp_path / file).write_text(block[1], encoding="utf-8")
    space = opened(tmp_path)
    assert space.run() == {}
    with space.reading() as reading:
        rows = {r["customer_id"]: r for r in reading.find("traits").to_pyarrow().to_pylist()}
        placed = {r["customer_id"]: r["segment"] for r in reading.find("memberships").to_pyarrow().to_pylist()}
    space.close()
    told = re.findall(r"^\| (scale_[a-z_]+) \| (\S+) \| (\S+) \| (\S+) \|", guide, re.MULTILINE)
    assert {name for name, *_ in told} == {n for row in rows.values() for n in row if n.startswith("scale_")}
    for name, *values in told:
        found = [rows[who][name] for who in ("ann", "bob", "cat")]
        assert [str(v and round(v, 2)) for v in found] == values, name
    assert placed == {"ann": "Bargain hunters", "bob": "Others", "cat": "No data"}


@on_every_engine
def test_scores_factors_and_styles_are_the_same_on_every_engine(engine: str, tmp_path: Path):
    rows = planted(160)
    frame = pd.DataFrame([{"who": r["customer_key"], "q": r["question"], "a": r["answer"], "at": ASKED} for r in rows])
    more = [{**r, "question": r["question"].replace("Q", "W")} for r in planted(160, seed=3)]
    other = pd.DataFrame([{"who": r["customer_key"], "q": r["question"], "a": r["answer"], "at": ASKED} for r in more])
    pd.concat([frame, other]).to_csv(tmp_path / "club.csv", index=False)
    (tmp_path / "segmentry.yaml").write_text(on(engine, CONFIG), encoding="utf-8")
    space = opened(tmp_path)
    assert space.run() == {}
    with space.reading() as reading:
        found = {int(r["customer_id"]): r for r in reading.find("traits").to_pyarrow().to_pylist()}
        covers = {c.trait.name: c for c in reading.trait_covers()}
        model = reading.models()["factors"].model
    space.close()
    rows = [{**r, "time": ASKED} for r in rows]
    expected = scores(rows, THRIFT["items"], THRIFT["reverse"], AS_OF, ends=(1, 5), least=0.5)
    assert {k: r["scale_thrift"] for k, r in found.items()} == expected
    assert covers["scale_thrift"].evidence["verdict"] == "good"
    assert covers["factor_club_1"].evidence["alpha"] > 0.7
    shown = CliRunner().invoke(cli.app, ["show", "traits", "-w", str(tmp_path)]).stdout
    alpha = covers["scale_thrift"].evidence["alpha"]
    assert re.search(rf"scale_thrift +4 +160 +{alpha:.2f} +\S+ to \S+ +\S+ +good", shown)
    assert "factor_club_2" in shown
    told = json.loads(CliRunner().invoke(cli.app, ["show", "traits", "--json", "-w", str(tmp_path)]).stdout)
    assert alpha in [cover["evidence"].get("alpha") for cover in told]
    (block,) = model["blocks"]
    assert block["items"] == [f"W{i}" for i in range(1, 9)]
    answers = pd.DataFrame(more).pivot_table(index="customer_key", columns="question", values="answer", aggfunc="first")
    standard = (answers[block["items"]].astype(float) - block["means"]) / block["deviations"]
    for factor in block["factors"]:
        by_hand = standard.to_numpy() @ np.array(factor["weights"])
        got = [found[key][factor["name"]] for key in answers.index]
        assert got == pytest.approx(by_hand, abs=1e-9)


def test_products_know_the_category_of_what_was_bought(con: Backend):
    events = table(
        con, "events", [{"customer_key": 1, "time": datetime(2024, 3, 1), "name": "page", "page": "/c/tea"}], EVENTS
    )
    sold = transactions(con, [{"customer_key": 2, "product": "T1"}])
    products = table(con, "products", [{"product": "T1", "category": "Tea"}], PRODUCTS)
    facts = Facts(customers(con, [1, 2]), sold, products, {"events": events})
    assert {k: r["interest_tea"] for k, r in by_key(compute(facts, AS_OF)).items()} == {1: 1, 2: 1}
