"""Categories that appear only after the fit are counted, and it is told where they were placed."""

from __future__ import annotations

import numpy as np
import pandas as pd

import segmentry as sg
from segmentry import engine
from segmentry.target import unseen


def customers(plans: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({"customer_key": np.arange(len(plans)), "plan": pd.Series(plans, dtype=object)})


def test_category_that_nobody_had_at_the_fit_is_counted_with_its_segments() -> None:
    rules = sg.Rules(segments=[{"name": "Gold", "where": "plan = 'gold'"}], rest="Others")
    found = rules.fit(customers(["gold"] * 20 + ["basic"] * 20 + ["rare"] * 2))
    assert found.report["known_levels"] == {"plan": ["basic", "gold"]}  # two people could be recognised
    live = customers(["gold"] * 20 + ["platinum"] * 9 + ["basic"] * 10 + ["unique"] + [None] * 3)
    with engine.in_memory() as con:
        traits = con.create_table("traits", live)
        counted = unseen.count(found, con.create_table("placed", found.assign(traits).to_pandas()), traits)
    assert counted == [{"trait": "plan", "level": "platinum", "customers": 9, "segments": {"Others": 9}}]
    (line,) = unseen.told(found, counted)
    assert line.startswith("9 customers have plan 'platinum', which was not there (or hardly)")
    assert "meets only conditions that do not ask for another category. They are placed so: 9 in Others" in line
