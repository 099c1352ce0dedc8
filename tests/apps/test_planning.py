"""The data plan as people read it: which traits there are, how reliable scales are, why the others are not there."""

from __future__ import annotations

import pytest

from segmentry.apps import planning
from segmentry.catalogue import Model
from segmentry.data.plan import Absent, ModelPlan, Plan

SCALE = {
    "items": ["q1", "q2", "q3"], "respondents": 940, "alpha": 0.81, "alpha_interval": [0.79, 0.83], "omega": 0.82,
    "verdict": "good", "against": [],
}  # fmt: skip
PART = ModelPlan(
    Model.PSYCHOGRAPHIC, "thin", "only attitudes to buying", "", (),
    made=("scale_thrift", "straight_lining"),
    absent=(Absent("nothing is known of events.name", ("interest_*",)), Absent("it was refused", ("factor_*", "x"))),
    evidence={"scale_thrift": SCALE},
)  # fmt: skip


def test_a_model_shows_its_traits_their_reliability_and_why_others_are_not_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    planning.model(PART)
    said = capsys.readouterr().out
    assert "Traits: scale_thrift, straight_lining." in said
    assert "scale_thrift: alpha 0.81 (0.79 to 0.83), omega 0.82: good; 3 items, 940 respondents." in said
    assert "Not there:\n  interest_*: nothing is known of events.name.\n  factor_*, x: it was refused." in said


def test_the_overview_counts_traits_and_json_holds_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan("Acme", (PART,), 100, None, True, False)
    planning.overview(plan)
    assert "2 traits; 3 of the catalogue are not there." in capsys.readouterr().out
    told = planning.as_json(plan)["models"][0]
    assert told["traits"] == PART.made
    assert told["absent"][1] == {"reason": "it was refused", "traits": ("factor_*", "x")}
    assert told["evidence"]["scale_thrift"]["omega"] == 0.82
