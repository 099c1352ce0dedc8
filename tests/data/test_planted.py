"""Segments of needs and ideal customers held against what was planted, and found on answers without chance."""

from __future__ import annotations

import io
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from segmentry import engine
from segmentry.beginnings import simulate_company
from segmentry.data.simulation import planted, workspace_file
from segmentry.data.simulation.comparison import Distance
from segmentry.data.simulation.plan_people import OCCUPATIONS
from segmentry.workspace import open_workspace

PEOPLE = 900
SEGMENTS = ("price", "peace", "latest")


def _people() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Persons with a need and an occupation each, and traits that tell the need with some noise, the age exactly."""
    rng = np.random.default_rng(3)
    need, work = rng.integers(0, 3, PEOPLE), rng.integers(0, len(OCCUPATIONS), PEOPLE)
    ids = [f"C-{i:06d}" for i in range(PEOPLE)]
    persons = pd.DataFrame({"customer_id": ids, "needs_segment": np.array(SEGMENTS)[need]})
    persons["occupation"] = np.array([o.name for o in OCCUPATIONS])[work]
    wants = np.eye(3)[need] * 2 + rng.normal(0, 1, (PEOPLE, 3))
    traits = pd.DataFrame(wants, columns=["a", "b", "c"]).assign(customer_id=ids)
    return persons, traits.assign(age=np.where(persons["occupation"] == "student", 20.0, 40.0))


def _needs(segments: np.ndarray) -> Distance:
    persons, traits = _people()
    members = pd.DataFrame({"customer_id": persons["customer_id"], "segment": segments})
    with engine.in_memory() as con:
        p, t, m = (con.create_table(n, ibis.memtable(f)) for n, f in {"p": persons, "t": traits, "m": members}.items())
        return planted.needs(p, t, m, SEGMENTS, ["a", "b", "c"])


def _tablets(score: np.ndarray) -> Distance:
    persons, traits = _people()
    scores = pd.DataFrame({"customer_id": persons["customer_id"], "meets": score > 0.3, "score": score})
    favourable = {"age is below 25": "age < 25", "a is above 0": "a > 0"}
    with engine.in_memory() as con:
        p, t, s = (con.create_table(n, ibis.memtable(f)) for n, f in {"p": persons, "t": traits, "s": scores}.items())
        return planted.ideal_customers(p, t, s, favourable, 4.2)


def test_the_planted_needs_themselves_score_one_and_the_oracle_less() -> None:
    persons, _ = _people()
    found = _needs(persons["needs_segment"].to_numpy())
    assert found.score == 1
    assert 0.5 < found.perfect < 0.9  # two standard deviations apart: some cannot be told by their answers
    assert found.found.startswith("3 segments of needs against 3 planted: adjusted Rand index 1.00 for all 900 who")


def test_customers_in_no_segment_of_needs_count() -> None:
    persons, _ = _people()
    segments = persons["needs_segment"].to_numpy().copy()
    segments[::3] = "No good fit"
    found = _needs(segments)
    assert 0.2 < found.score < 0.8
    assert "1.00 for the 67% who are in one of them" in found.found
    assert abs(_needs(np.random.default_rng(4).choice(SEGMENTS, PEOPLE)).score) < 0.02


def test_a_score_that_knows_what_was_planted_is_as_good_as_the_oracle() -> None:
    persons, _ = _people()
    likely = persons["occupation"].map({o.name: o.tablet for o in OCCUPATIONS}).to_numpy()
    found = _tablets(likely)
    assert found.score == pytest.approx(found.perfect)
    figures = found.figures
    assert figures["lift_planted"] == pytest.approx(figures["lift_oracle"])
    assert figures["lift_oracle"] > 2
    assert figures["ideal_share_of_best_tenth"] == 1  # two occupations of nine are more than a tenth
    assert "planted are executives and students" in found.found
    assert "buys a tablet 4.2 times as often as everybody among customers held out" in found.found
    assert "Of 2 favourable traits 1 go with what was planted: age is below 25" in found.found


def test_a_score_without_sense_lifts_nothing() -> None:
    # of equals on the border each counts in part, so that their order says nothing
    found = _tablets(np.full(PEOPLE, 0.1))
    assert found.score == pytest.approx(0.0)
    assert found.figures["lift_planted"] == pytest.approx(1.0)


def test_fit_finds_the_planted_needs_where_answers_have_no_chance(tmp_path: Path) -> None:
    simulate_company(tmp_path, customers=2000, seed=1, answer_noise=0.0)
    _only_the_survey(tmp_path / "segmentry.yaml")
    space = open_workspace(tmp_path)
    try:
        for stage in (space.collect, space.resolve, space.traits):
            stage()
        space.fit(planted.NEEDS)
        space.assign(planted.NEEDS)
        with space.reading() as reading:
            fitted = reading.segmentation(planted.NEEDS)
            tables = reading.table("traits", "traits"), reading.table(f"assign:{planted.NEEDS}", "memberships")
            persons = reading.session.con.read_csv(tmp_path / "exports/truth/persons.csv")
            forming = [name for name, _ in fitted.traits]
            found = planted.needs(persons, *tables, fitted.names, forming)
    finally:
        space.close()
    assert len(fitted.names) == 5, fitted.report["because"]
    assert found.score >= 0.9, found.found


def _only_the_survey(path: Path) -> None:
    """The demo's own config with its customers, its survey and its segmentation of needs: all that this needs."""
    yaml = YAML()
    config = yaml.load(workspace_file())
    config["sources"] = {name: config["sources"][name] for name in ("customers", "attitudes_and_needs")}
    config["segmentations"] = {planted.NEEDS: config["segmentations"][planted.NEEDS]}
    config["identity"] = {"link": "never"}
    config["primary"] = planted.NEEDS
    for gone in ("lifetime", "objectives", "traits"):
        del config[gone]
    with io.StringIO() as text:
        yaml.dump(config, text)
        path.write_text(text.getvalue(), encoding="utf-8")
