"""Models that traits are made of are learned once, frozen, and learned anew when that is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from segmentry.config import LifecycleDays
from segmentry.errors import FitError
from segmentry.traits import Settings, learning
from segmentry.traits.learning import Learned, Learner, learn

DAY = date(2024, 1, 31)


class _Known:
    """What a learner looks at."""

    def __init__(self, settings: Settings, as_of: date = DAY) -> None:
        self.settings, self.as_of = settings, as_of


@pytest.fixture
def calls(monkeypatch):
    made: list[tuple[date, int]] = []

    def work(known, seed):
        made.append((known.as_of, seed))
        if known.settings.lifecycle.new == 13:
            raise FitError("Nobody ever came back.")
        return {"active": known.settings.lifecycle.active}

    learner = Learner(lambda s: s.lifecycle.model_dump(), lambda known: known.settings.seed > 0, work)
    monkeypatch.setattr(learning, "LEARNERS", {"rhythm": learner})
    return made


def test_a_model_stays_frozen_until_its_settings_change_or_somebody_asks(calls):
    settings = Settings(seed=7)
    first = learn(_Known(settings), {})
    assert (first["rhythm"].version, first["rhythm"].model, calls) == (1, {"active": 90}, [(DAY, 7)])
    assert learn(_Known(settings, date(2024, 2, 29)), first) == first
    assert len(calls) == 1
    asked = learn(_Known(settings, date(2024, 2, 29)), first, again=["rhythm"])
    assert (asked["rhythm"].version, asked["rhythm"].as_of) == (2, date(2024, 2, 29))
    other = learn(_Known(replace(settings, lifecycle=LifecycleDays(active=60))), asked)
    assert (other["rhythm"].version, other["rhythm"].model) == (3, {"active": 60})


def test_a_refusal_is_remembered_with_its_reason_and_tried_again_on_other_data(calls):
    refused = learn(_Known(Settings(LifecycleDays(new=13))), {})
    assert (refused["rhythm"].refused, refused["rhythm"].model) == ("Nobody ever came back.", {})
    again = learn(_Known(Settings()), refused)
    assert (again["rhythm"].version, again["rhythm"].refused) == (2, "")


def test_a_model_whose_data_are_gone_waits_for_them(calls):
    before = {"rhythm": Learned(4, DAY, "{}", {"active": 1})}
    assert learn(_Known(Settings(seed=0)), before) == before
    assert learn(_Known(Settings(seed=0)), {}) == {}
    assert calls == []
