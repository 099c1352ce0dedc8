"""Which traits the patterns of the config mean."""

from __future__ import annotations

import pandas as pd
import pytest

from segmentry.catalogue import TRAITS
from segmentry.segment.fitting import Learning
from segmentry.segment.variables import going_round, variables

NAMES = ("frequency", "preferred_hour", "visit_hour", "weekend_share", "margin")


def _learning() -> Learning:
    return Learning(pd.DataFrame({n: [1.0, 2.0] for n in NAMES}), {n: TRAITS[n] for n in NAMES}, "test")


@pytest.mark.parametrize(
    ("patterns", "meant", "said"),
    [
        (["behavioral.*"], ["frequency", "weekend_share"], ["preferred_hour, visit_hour: left out"]),
        (["frequency", "*_hour", "margin"], ["frequency", "margin"], ["preferred_hour, visit_hour: left out"]),
        (["behavioral.*", "visit_hour"], ["frequency", "weekend_share", "visit_hour"],
         ["preferred_hour: left out", "visit_hour: hours go round"]),
        (["behavioral.preferred_hour"], ["preferred_hour"], ["preferred_hour: hours go round"]),
        (["frequency", "value.*"], ["frequency", "margin"], []),
    ],
)  # fmt: skip
def test_hours_of_the_day_are_meant_by_their_name_only_and_something_is_said_of_them(
    patterns: list[str], meant: list[str], said: list[str]
) -> None:
    assert [t.name for t in variables(patterns, (), _learning())] == meant
    warnings = going_round(patterns, _learning())
    assert len(warnings) == len(said)
    assert all(warning.startswith(begins) for warning, begins in zip(warnings, said, strict=True))


def test_auto_takes_no_hours() -> None:
    assert [t.name for t in variables(["auto"], (), _learning())] == ["frequency", "weekend_share", "margin"]
