"""Factors behind rating items: the planted ones come out, noise gives none, and what was found is frozen."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from ibis.backends.duckdb import Backend
from survey_reference import planted, responses, sheet
from test_psychographic import AS_OF, made
from tests.shops import opened
from trait_reference import by_key, customers

from segmentry.config import Scale, Survey
from segmentry.data.simulation import simulate
from segmentry.data.simulation.plan_voice import ITEMS
from segmentry.traits import Facts, Settings, compute

ATTITUDES = ("innovativeness", "price_consciousness", "brand_loyalty", "privacy_concern")


# The demo company ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    with duckdb.connect() as connection:
        simulate(folder, customers=3_000, until=date(2026, 6, 30), connection=connection)
    return folder


def surveyed(exports: Path, root: Path, scales: str) -> pd.DataFrame:
    """The traits of those who answered the attitude survey of the demo company, with the truth about them."""
    root.mkdir(exist_ok=True)
    path = json.dumps(str(exports / "surveys" / "attitudes_and_needs.csv"))
    (root / "segmentry.yaml").write_text(
        f"""
name: Attitudes
sources:
  attitudes:
    kind: responses
    path: {path}
    layout: answers_in_columns
    answers:
      leave_out: [StartDate, EndDate, Status, Finished, ResponseId, DistributionChannel, UserLanguage, RecordedDate]
    columns:
      {{customer: ExternalReference, survey: "'attitudes'", question: _question, item: _item, answer: _answer,
        time: EndDate}}
{scales}
""",
        encoding="utf-8",
    )
    space = opened(root)
    space.run()
    with space.reading() as reading:
        found = reading.find("traits").to_pandas()
    space.close()
    return found.merge(pd.read_csv(exports / "truth" / "persons.csv"), on="customer_id", suffixes=("", "_true"))


def test_the_planted_attitudes_are_recovered_by_scales(exports: Path, tmp_path: Path):
    lines = "surveys:\n  attitudes:\n    scales:\n"
    for attitude in ATTITUDES:
        items = [item for item in ITEMS if item.scale == attitude]
        reverse = ", ".join(item.name for item in items if item.reverse)
        lines += f"      {attitude}: {{items: [{', '.join(i.name for i in items)}], reverse: [{reverse}]}}\n"
    found = surveyed(exports, tmp_path, lines)
    assert len(found) > 300
    for attitude in ATTITUDES:
        # Items that load .7 on average tell an attitude to .86 at best; one respondent in sixteen answers at random or
        # in a straight line.
        assert found[f"scale_{attitude}"].corr(found[attitude]) > 0.77, attitude
        careful = found[found["straight_lining"] == False]  # noqa: E712
        assert careful[f"scale_{attitude}"].corr(careful[attitude]) > 0.8, attitude
    assert not [name for name in found if name.startswith("factor_")]  # nothing is left to explore


def test_the_planted_attitudes_are_found_without_being_told(exports: Path, tmp_path: Path):
    found = surveyed(exports, tmp_path, "")
    names = [name for name in found if name.startswith("factor_")]
    assert len(names) == len(ATTITUDES)
    strength = found[[*names, *ATTITUDES]].corr().loc[names, list(ATTITUDES)].abs()
    assert set(strength.idxmax()) == set(names)
    assert strength.max().min() > 0.75
    model = json.loads((tmp_path / "learned" / "factors" / "v1.json").read_text())["model"]
    (block,) = model["blocks"]
    turned = {i.name for i in ITEMS if i.reverse}
    for factor in block["factors"]:
        signs = {item: loading > 0 for item, loading in factor["items"].items()}
        assert {signs[item] for item in signs if item in turned} == {False}
        assert {signs[item] for item in signs if item not in turned} == {True}
        assert not any(word in json.dumps(model) for word in ("C-0", "@"))


# What makes a factor -------------------------------------------------------------------------------------------------


def test_a_factor_is_described_by_its_strongest_items(con: Backend):
    rows = [{**row, "item": f"Agree? - Statement {row['question'][1:]}"} for row in planted(200)]
    table = made(con, rows)
    told = {t.name: t.description for t in table.traits if t.name.startswith("factor_")}
    assert list(told) == ["factor_club_1", "factor_club_2"]
    assert all(text.startswith("rates high: 'Statement ") for text in told.values())
    of = table.evidence["factor_club_1"]
    assert of["respondents"] == 200
    assert of["alpha"] > 0.7
    assert [item for item in of["items"] if of["loading"][item] < 0] in (["Q3"], ["Q7"])


def test_noise_has_no_factors_and_says_so(con: Backend):
    said = np.random.default_rng(11).integers(1, 6, (300, 8))
    rows = sheet({key: {f"Q{i}": str(n) for i, n in enumerate(row)} for key, row in enumerate(said, 1)})
    table = made(con, rows)
    assert not [t for t in table.traits if t.name.startswith("factor_")]
    assert "no structure" in table.learned["factors"].refused


def test_few_respondents_have_no_factors(con: Backend):
    assert "60 respondents answered all 8 items" in made(con, planted(60)).learned["factors"].refused


def test_what_segmentry_yaml_names_is_not_explored(con: Backend):
    rows = planted(150)
    half = Settings(surveys={"club": Survey(scales={"thrift": Scale(items=("Q1", "Q2", "Q3"))})})
    facts = Facts(customers(con, range(1, 151)), further={"responses": responses(con, rows)})
    assert "factors" not in compute(facts, AS_OF, half).learned  # five items are left
    free = compute(facts, AS_OF, Settings())
    both = compute(facts, AS_OF, half, learned=free.learned)
    assert [t.name for t in both.traits if t.name.startswith(("scale_", "factor_"))] == ["scale_thrift"]
    kept = compute(facts, AS_OF, half, learned=free.learned, also=frozenset({"factor_club_1"}))
    assert "factor_club_1" in [t.name for t in kept.traits]  # a segmentation that was fitted before reads it


def test_a_factor_stays_what_it_was_for_those_who_come_later(con: Backend):
    rows = planted(150)
    before = made(con, rows)
    scored = by_key(before)
    more = [{**row, "customer_key": 1_000 + row["customer_key"]} for row in planted(60, seed=9)]
    few = sheet({5_000: {f"Q{i}": "4" for i in range(1, 5)}, 5_001: {"Q1": "4", "Q2": "4", "Q3": "2"}})
    after = made(con, [*rows, *more, *few], learned=before.learned)
    later = by_key(after)
    assert after.learned["factors"] == before.learned["factors"]
    assert {key: later[key]["factor_club_1"] for key in scored} == {k: r["factor_club_1"] for k, r in scored.items()}
    values = np.array([row["factor_club_1"] for row in scored.values()])
    assert (values.mean(), values.std(ddof=1)) == pytest.approx((0, 1), abs=1e-6)
    assert later[5_000]["factor_club_1"] is not None  # half of the items
    assert later[5_001]["factor_club_1"] is None
    again = made(con, [*rows, *more], learned=before.learned, again=["factors"])
    assert again.learned["factors"].version == 2


# Real answers --------------------------------------------------------------------------------------------------------


def test_yes_and_no_make_a_scale_when_declared(real_data: Path, tmp_path: Path):
    raw = pd.read_csv(real_data / "mcdonalds" / "mcdonalds.csv")
    raw.assign(who=range(len(raw))).to_csv(tmp_path / "mcdonalds.csv", index=False)
    (tmp_path / "segmentry.yaml").write_text(
        """
name: Brand image
sources:
  image:
    kind: responses
    path: mcdonalds.csv
    layout: answers_in_columns
    columns: {customer: who, survey: "'image'", question: _question, item: _item, answer: _answer}
surveys:
  image:
    scales:
      health: {items: [healthy, fattening, greasy], reverse: [fattening, greasy], answers: ["No", "Yes"]}
""",
        encoding="utf-8",
    )
    space = opened(tmp_path)
    space.run()
    with space.reading() as reading:
        found = reading.find("traits").to_pandas().set_index("customer_id")["scale_health"]
        told = {c.trait.name: c.evidence for c in reading.trait_covers()}["scale_health"]
        assert "factors" not in reading.models()  # yes and no are no ratings
    space.close()
    yes = raw[["healthy", "fattening", "greasy"]].eq("Yes").to_numpy()
    expected = 1 + (yes ^ np.array([False, True, True])).mean(axis=1)
    assert found[[str(i) for i in range(len(raw))]].to_numpy() == pytest.approx(expected)
    items = (yes ^ np.array([False, True, True])).astype(float)
    covariance = np.cov(items, rowvar=False)
    assert told["alpha"] == pytest.approx(1.5 * (1 - covariance.trace() / covariance.sum()), abs=1e-4)
