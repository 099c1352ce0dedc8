"""The demo company held against its truth: perfect answers score 1, worthless ones about 0, and the sentences agree."""

from __future__ import annotations

import re
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

from segmentry import engine
from segmentry.beginnings import distances, simulate_company
from segmentry.data.simulation import comparison
from segmentry.data.simulation.comparison import Distance
from segmentry.segment.objectives import Aim
from segmentry.workspace import open_workspace

PEOPLE = 3000


def _world() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Persons with their truth, and traits that tell it exactly."""
    rng = np.random.default_rng(5)
    groups = rng.choice(["a", "b", "c"], PEOPLE)
    activity = rng.choice(["alive", "lapsed", "never active"], PEOPLE)
    future = rng.gamma(0.5, 200, PEOPLE).round(2)
    ids = [f"C-{i:06d}" for i in range(PEOPLE)]
    persons = pd.DataFrame(
        {"customer_id": ids, "behaviour_group": groups, "activity": activity, "expected_spend_365d": future}
    )
    stages = pd.Series(activity).replace({"alive": "active", "never active": "no orders"})
    return persons, pd.DataFrame({"customer_id": ids, "lifecycle_stage": stages, "margin": future})


def _compared(persons: pd.DataFrame, traits: pd.DataFrame, segments: np.ndarray) -> dict[str, Distance]:
    placed = pd.DataFrame({"customer_id": persons["customer_id"], "segment": segments})
    # Everybody has a record in the shop and one in the CRM; both are found in the identities of those with traits.
    crm = "P" + persons["customer_id"]
    number = np.tile(np.arange(len(persons)), 2)
    spaces = np.repeat(["customers", "crm"], len(persons))
    records = pd.DataFrame(
        {"person": number, "id_space": spaces, "source_id": pd.concat([persons["customer_id"], crm])}
    )
    identities = records.rename(columns={"person": "customer_key"})
    identities = identities[identities["customer_key"] < len(traits)]
    frames = {"p": persons, "r": records, "i": identities, "t": traits, "m": placed}
    with engine.in_memory() as con:
        p, r, i, t, m = (con.create_table(n, ibis.memtable(f)) for n, f in frames.items())
        found = comparison.compare(p, r, i, t, {"behaviour": m}, "margin")
    return {each.planted: each for each in found}


def test_the_truth_itself_scores_one() -> None:
    persons, traits = _world()
    found = _compared(persons, traits, persons["behaviour_group"].to_numpy())
    assert {name: each.score for name, each in found.items()} == pytest.approx(dict.fromkeys(found, 1.0))
    assert len(found) == 4
    assert "100.0% +- 0.0% of what those chosen by an oracle will" in found["who will be worth most"].found
    assert found["who will be worth most"].found.endswith("rank correlation with that spend 1.00 +- 0.00")


def test_scores_of_respondents_are_held_against_what_they_think() -> None:
    persons, traits = _world()
    rng = np.random.default_rng(7)
    persons["brand_loyalty"] = rng.normal(size=PEOPLE)
    traits["scale_brand_loyalty"] = persons["brand_loyalty"].where(rng.random(PEOPLE) < 0.1)
    found = _compared(persons, traits, persons["behaviour_group"].to_numpy())["what customers think"]
    assert found.score == pytest.approx(1.0)
    answered = int(traits["scale_brand_loyalty"].notna().sum())
    assert found.found.startswith(f"correlation of the scores of {answered} respondents")
    assert found.found.endswith("brand loyalty 1.00")


def test_chance_scores_next_to_nothing() -> None:
    persons, traits = _world()
    rng = np.random.default_rng(6)
    found = _compared(persons, traits.assign(margin=rng.random(PEOPLE)), rng.choice(["x", "y", "z"], PEOPLE))
    assert abs(found["who buys alike"].score) < 0.02
    share = persons["expected_spend_365d"].nlargest(PEOPLE // 5).sum() / persons["expected_spend_365d"].sum()
    assert found["who will be worth most"].score == pytest.approx(0.2 / share, abs=0.06)


def test_customers_that_are_missing_or_too_many_count() -> None:
    persons, traits = _world()
    found = _compared(persons, traits.head(PEOPLE // 2), persons["behaviour_group"].to_numpy())
    assert found["who the customers are"].score == pytest.approx(2 / 3)  # precision 1, recall one half
    assert found["who the customers are"].found == (
        "1,500 customers for 3,000 people known by 6,000 ids; of the pairs of ids that were joined 100.0% are one "
        "person, of those that are one 50.0% were joined"
    )


def test_the_demo_finds_most_of_what_was_planted(tmp_path: Path) -> None:
    simulate_company(tmp_path, customers=2000, seed=1)
    space = open_workspace(tmp_path)
    try:
        assert space.run() == {}
        every = distances(space)
        found = {each.planted: each.score for each in every}
        perfect = {each.planted: each.perfect for each in every}
        organisations = {each.planted: each.found for each in every[-3:]}  # their sentences begin with the precision
        with space.reading() as reading:
            firms = reading.find("account_traits").to_pandas()
            reached = reading.find("penetration").to_pandas()
            traits = reading.find("traits").to_pandas()
            (aim,) = reading.aims()
    finally:
        space.close()
    for name, text in organisations.items():
        precise = next(float(number) for number in re.findall(r"([\d.]+)%", text))
        assert precise >= 99, text
        assert found[name] > 0.93 * perfect[name], text
    assert found["who owns whom"] == 1
    assert found["who the customers are"] > 0.95
    assert found["who has left"] > 0.55
    # measured .82 +- .04 and .74 +- .02; by what they spent so far .58 and .45
    assert found["who will be worth most"] > 0.78
    ranking = next(each.found for each in every if each.planted == "who will be worth most")
    assert float(re.search(r"rank correlation with that spend ([\d.]+)", ranking)[1]) > 0.7
    assert found["who buys alike"] > 0.4
    assert found["what customers think"] > 0.75  # measured .84; with alphas near .75 no score can pass .87
    assert found["how satisfied customers are"] > 0.6
    assert found["what organisations run"] > 0.95 * perfect["what organisations run"]
    assert found["how early organisations adopt"] > 0.7  # .8 of what sales people note is right
    # of 20,000 customers 3,585 answered: .64 of the .68 that an oracle reaches; here a tenth of them
    assert found["what customers need"] > 0.5 * perfect["what customers need"]
    assert perfect["what customers need"] < 0.9
    _finds_the_planted_ideal_customers(aim, next(each for each in every if each.planted == "who buys tablets"))
    _holds_firms(firms, tmp_path / "exports/crm/accounts.csv")
    assert len(reached) == 72
    assert reached["customers"].sum() > 1000
    truth = pd.read_csv(next(tmp_path.rglob("truth/persons.csv")))
    known = traits.merge(truth, on="customer_id")
    stopped, goes_on = (known[known["activity"] == activity]["own_pace_stage"] for activity in ("lapsed", "alive"))
    # measured .84 and .82; by the same days for everybody, .52 of those who stopped are 'lapsed'
    assert stopped.isin(["gone", "at risk"]).mean() > 0.75
    assert goes_on.isin(["active", "slowing"]).mean() > 0.75
    opens = known.groupby("behaviour_group")["open_rate"].mean()
    assert opens["bargain hunters"] > opens["lapsed big spenders"] + 0.2
    assert (known["click_rate"].dropna() <= known["open_rate"].dropna()).all()
    ease = known.groupby("needs_segment")["ces"].mean()
    assert ease["keep it simple"] < ease["latest and fastest"] - 1.5  # of 0 to 10
    in_the_app = known[known["event_channel_share_app"] > 0.5]
    assert len(in_the_app) > 50
    assert set(in_the_app["main_device"]) == {"phone"}  # the app is for phones alone
    assert known["app_version_lag"].max() > known["app_version_lag"].min() == 0  # people update late, some never
    often = known["visits_90d"].groupby(known["digital"] > 0.5).mean()
    assert often[True] > often[False]


def _finds_the_planted_ideal_customers(aim: Aim, found: Distance) -> None:
    """Students and executives, by what two in three of them tell, on customers held out, near what an oracle does."""
    best = next(f for f in aim.favourable if f.trait == "occupation_group")
    assert set(re.findall("'(.*?)'", best.condition)) >= {"Student", "Executive"}
    assert best.p < 0.001  # corrected for all conditions that were tried
    assert best.lift > 2
    assert {i.group for i in aim.ideals[:2]} == {"Student", "Executive"}
    assert found.score > 0.5, found.found
    assert found.figures["lift_held_out"] > 2
    assert found.figures["ideal_share_of_best_tenth"] > 0.6
    assert found.figures["favourable_traits_planted"] >= found.figures["favourable_traits"] - 1  # chance finds few


def _holds_firms(firms: pd.DataFrame, export: Path) -> None:
    """Industry and size of every organisation are those of the CRM."""
    sections = {
        "Professional Services": "Professional, scientific and technical activities", "Education": "Education",
        "Retail": "Wholesale and retail trade", "Construction": "Construction", "Manufacturing": "Manufacturing",
        "Healthcare": "Human health and social work", "Technology": "Information and communication",
        "Hospitality": "Accommodation and food service",
    }  # fmt: skip
    ends = [-1, 9, 49, 249, 10**9]
    planted = pd.read_csv(export).set_index("Id")
    there = firms[firms["account_id"].str.startswith("crm:")]
    there = there.set_index(there["account_id"].str.removeprefix("crm:"))
    told = planted.loc[there.index]
    assert len(there) > 50
    industry = told["Industry"].map(sections)
    size = pd.cut(told["NumberOfEmployees"], ends, labels=["micro", "small", "medium", "large"]).astype(object)
    for mine, planted_one in ((there["industry"], industry), (there["size_band"], size)):
        known = planted_one.notna()
        assert (mine[known] == planted_one[known]).all()
        assert known.mean() > 0.8
