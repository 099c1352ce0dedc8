"""Objectives, trees, crossings and bands from end to end: what is planted is found, what gives it away is left out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.engines import on, on_every_engine
from tests.shops import opened, orders, shop, tables
from typer.testing import CliRunner

import segmentry as sg
from segmentry import config
from segmentry.apps import bias as bias_told
from segmentry.apps import objectives as showing
from segmentry.apps.cli import app
from segmentry.catalogue import TRAITS, Model, Trait
from segmentry.config import Bias, Objective
from segmentry.errors import ConfigError, FitError, UsageError
from segmentry.segment import Learning, bias, leakage, objectives, trees, variables
from segmentry.workspace import Workspace

SETTINGS = """\
name: Aims
currency: EUR
sources:
  orders:
    kind: transactions
    path: orders*.csv
    columns: {customer: customer, order: order, time: date, amount: amount}
objectives:
  again: {behaviour: "orders_90d >= 1", horizon: 90, product: anything}
segmentations:
  grid: {method: crossing, of: [spend, life], least: 0.05}
  spend: {method: bands, trait: monetary, cuts: [50, 200], names: [Small, Middle, Large]}
  life:
    method: rules
    segments: [{name: Fresh, where: recency_days <= 90}]
    rest: Stale
  tree: {method: trees, target: monetary, traits: [frequency, tenure_days], least: 0.1}
  back: {method: trees, objective: again, least: 0.1}
"""


def _people(n: int = 3000, seed: int = 1) -> pd.DataFrame:
    """The young who use the app want it more than others; who wants it has clicks."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, n).astype(float),
            "device": rng.choice(["app", "web", None], n, p=[0.4, 0.5, 0.1]),
            "noise": rng.normal(size=n),
            "age_band": "",
        }
    )
    wants = rng.random(n) < np.where((frame["age"] < 30) & (frame["device"] == "app"), 0.7, 0.1)
    frame["age_band"] = np.where(frame["age"] < 30, "young", "old")
    return frame.assign(wants=wants, clicks=wants * rng.integers(1, 5, n).astype(float), objective_met=wants)


def _specs(frame: pd.DataFrame) -> dict[str, Trait]:
    kinds = {"device": "category", "age_band": "category", "wants": "boolean"}
    needs = {"wants": ("events.name",), "clicks": ("events.time",)}
    return {
        c: Trait(c, Model.BEHAVIORAL, kinds.get(c, "number"), c, needs=needs.get(c, ("customers." + c,)))  # type: ignore[arg-type]
        for c in frame.columns
        if c != "objective_met"
    }


def test_planted_ideal_customers_are_found_and_leaks_are_named():
    frame = _people()
    learning = Learning(frame, _specs(frame), "objectives.o")
    found = objectives.aim("o", Objective(behaviour="wants"), learning, as_of=date(2026, 6, 30))
    assert {name for name, _ in found.left_out} == {"wants", "clicks"}
    assert {f.trait for f in found.favourable} == {"age", "age_band", "device"}
    assert all(f.lift > 1.5 and f.p < 0.05 for f in found.favourable)
    assert found.ideals[0].group == "young"
    assert any("device" in text for text in found.ideals[0].traits)
    assert found.judged is not None
    assert found.judged.lift[0] > 2.5
    assert 0.7 < found.judged.slope < 1.3
    assert objectives.Aim.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_trait_that_tells_everything_is_warned_of():
    frame = _people(1500).drop(columns="clicks")
    frame["told"] = frame["wants"] + np.random.default_rng(1).normal(0, 0.05, len(frame))
    found = objectives.aim(
        "o", Objective(behaviour="wants"), Learning(frame, _specs(frame), "o"), as_of=date(2026, 1, 1)
    )
    assert "told alone tells nearly everything" in found.warnings[0]
    excepted = Objective.model_validate({"behaviour": "wants", "except": ["told"]})
    again = objectives.aim("o", excepted, Learning(frame, _specs(frame), "o"), as_of=date(2026, 1, 1))
    assert ("told", "segmentry.yaml excepts it") in again.left_out
    assert not again.warnings


def test_a_rare_behaviour_drawn_more_often_is_told_as_it_is_in_the_base():
    frame = _people(40_000, seed=5)
    drawn = frame[frame["wants"] | (np.arange(len(frame)) % 8 == 0)].reset_index(drop=True)
    weights = np.where(drawn["wants"], 1.0, (~frame["wants"]).sum() / (~drawn["wants"]).sum())
    found = [
        objectives.aim("o", Objective(behaviour="wants"), learning, as_of=date(2026, 6, 30))
        for learning in (
            Learning(frame, _specs(frame), "o"),
            Learning(drawn, _specs(drawn), "o", weights=weights),
        )
    ]
    whole, some = found
    assert (some.customers, some.meets) == (whole.customers, whole.meets) == (40_000, frame["wants"].sum())
    assert (some.rows, some.met_rows) == (len(drawn), frame["wants"].sum())
    lifts = [{f.trait: f.lift for f in aim.favourable} for aim in found]
    assert lifts[1] == pytest.approx(lifts[0], rel=0.15)
    assert [i.share for i in some.ideals] == pytest.approx([i.share for i in whole.ideals], rel=0.1)
    assert whole.judged is not None
    assert some.judged is not None
    assert some.judged.lift[0] == pytest.approx(whole.judged.lift[0], rel=0.15)
    assert some.judged.slope == pytest.approx(1, abs=0.2)


def test_protected_traits_tell_no_behaviour_without_a_reason_and_what_carries_them_is_named():
    frame = _people()
    frame["grey"] = (frame["age"] + np.random.default_rng(2).normal(0, 6, len(frame))).round()
    specs = _specs(frame)
    objective = Objective(behaviour="wants")

    def found(objective: Objective) -> objectives.Aim:
        seen = bias.watched(objective, bias.protected(Bias(), specs), where="o")
        learning = Learning(frame, specs, "o", barred=bias.barred(seen), watched=seen)
        return objectives.aim("o", objective, learning, as_of=date(2026, 1, 1))

    told = found(objective)
    assert set(told.protected) == {"age", "age_band"}
    assert {"age", "age_band"}.isdisjoint({f.trait for f in told.favourable} | set(told.traits))
    assert "grey" in told.traits
    assert told.by == "age_band"  # ideal customers are still told by it: that decides nothing
    age = next(one for one in told.bias if one["trait"] == "age")
    assert age["v"] > 0.2
    assert age["proxies"][0]["trait"] == "grey"
    assert not age["segments"][0]["passes"]
    assert bias_told.of_score(told.bias)[0].startswith("age and being among the best tenth by the score go together")
    lines = showing.summary(told)
    assert "Protected, so without a say: age and age_band." in "\n".join(lines)
    assert "its AUC is" in lines[-1]  # the closing words of the demo say the first and the last
    with pytest.raises(FitError, match=r"age may not tell a behaviour: it is protected.*`allow: \{age:"):
        found(Objective(behaviour="wants", traits=["age"]))
    with pytest.raises(FitError, match="age may not tell a behaviour"):
        found(Objective(behaviour="wants and age < 30"))
    allowed = found(Objective(behaviour="wants", allow={"age": "The offer is for the young by law."}))
    assert "age" in {f.trait for f in allowed.favourable}
    assert next(one for one in allowed.bias if one["trait"] == "age")["allowed"].startswith("The offer")
    assert objectives.Aim.from_json(json.loads(json.dumps(told.to_json()))) == told


def test_what_cannot_be_told_is_refused():
    frame = _people(300)
    learning = Learning(frame.assign(objective_met=False), _specs(frame), "o")
    with pytest.raises(FitError, match="0 of 300 customers"):
        objectives.aim("o", Objective(behaviour="wants"), learning, as_of=date(2026, 1, 1))
    with pytest.raises(ConfigError, match="no column 'wonts'"):
        objectives.aim("o", Objective(behaviour="wonts"), Learning(frame, _specs(frame), "o"), as_of=date(2026, 1, 1))


def test_traits_of_the_same_deeds_give_a_behaviour_away_unless_they_came_before():
    specs = {t.name: t for t in TRAITS.values() if not t.is_family}
    same_day = leakage.leaks([specs["orders_365d"]], specs)
    assert {"orders_365d", "spend_365d", "frequency", "recency_days", "monetary"} <= set(same_day)
    assert not {"age", "gender"} & set(same_day)
    assert "same transactions as orders_365d" in same_day["spend_365d"].why
    assert not leakage.leaks([specs["orders_90d"]], specs, horizon=90)
    assert "frequency" in leakage.leaks([specs["orders_90d"]], specs, horizon=30)
    assert "frequency" in leakage.leaks([specs["monetary"]], specs, horizon=365)  # all time reaches before it
    assert "age_band" in leakage.leaks([specs["age"]], specs, horizon=365)


def test_a_tree_on_a_data_frame_finds_the_planted_conditions():
    frame = _people().drop(columns=["clicks", "objective_met", "age_band"])
    found = sg.Trees.model_validate({"method": "trees", "target": "wants"}).fit(frame)
    placed = found.assign(frame)["segment"]
    best = frame[placed == found.names[0]]
    assert best["age"].max() < 32
    assert set(best["device"]) == {"app"}
    assert placed.isin(found.names).all()
    with pytest.raises(FitError, match="nothing tells"):
        sg.Trees.model_validate({"method": "trees", "target": "wants", "traits": ["noise"]}).fit(frame)


def test_a_tree_follows_what_its_objective_excepts_and_whose_behaviour_it_is_about():
    frame = _people().drop(columns=["age_band"])
    frame["told"] = frame["wants"] + np.random.default_rng(1).normal(0, 0.05, len(frame))
    # who has no device is another business: all of them want it, and that must not count
    frame.loc[frame["device"].isna(), "wants"] = True
    specs = _specs(frame) | {"clicks": Trait("clicks", Model.BEHAVIORAL, "number", "clicks", needs=("customers.c",))}

    def grown(**of: object) -> tuple[set[str], dict[str, str], dict[str, Any]]:
        aims = {"o": Objective.model_validate({"behaviour": "wants", **of})}
        learning = Learning(frame, specs, "segmentations.tree", objectives=aims)
        found = trees.fit(config.Trees(method="trees", objective="o"), learning)
        report = found.report
        assert sum(report["sizes"]) == len(frame)  # everybody is placed, whoever had a say
        return set(report["traits"]), report["left_out"], report

    forming, left_out, _ = grown()
    assert forming & {"told", "clicks"}
    forming, left_out, report = grown(**{"except": ["told", "click*"]})
    assert {"told", "clicks"} & forming == set()
    assert left_out["told"] == left_out["clicks"] == "segmentry.yaml excepts it"
    assert not report["warnings"]
    some = frame[frame["device"].notna()]
    _, _, report = grown(**{"except": ["told", "click*"], "population": "device is not null"})
    assert report["overall"] == pytest.approx([some["wants"].mean()])
    assert max(report["means"])[0] == pytest.approx(0.7, abs=0.08)
    assert "10% of those placed are not in the population of the objective o" in report["warnings"][0]
    assert 0 < report["held_out_explained"] < 1
    assert f"explain {100 * report['held_out_explained']:.0f} %" in report["because"]
    with pytest.raises(FitError, match="nobody is in the population of the objective o"):
        grown(population="age > 200")
    with pytest.raises(FitError, match="has a horizon, and a sample does not tell"):
        grown(horizon=90)
    with pytest.raises(FitError, match=r"segmentry.yaml objectives.o.except: 'clikcs' matches no trait"):
        grown(**{"except": ["clikcs"]})


def test_what_a_tree_leaves_out_as_a_leak_is_told():
    frame = _people().drop(columns=["age_band"])
    specs = _specs(frame) | {
        n: Trait(n, Model.BEHAVIORAL, "number", n, needs=("transactions.amount",)) for n in ("clicks", "noise")
    }
    frame["often"] = frame["clicks"] > frame["clicks"].median()
    specs["often"] = Trait("often", Model.BEHAVIORAL, "boolean", "often", needs=("transactions.amount",))
    learning = Learning(frame, specs, "segmentations.tree")
    report = trees.fit(config.Trees(method="trees", target="often"), learning).report
    assert set(report["left_out"]) == {"often", "clicks", "noise"}
    assert report["warnings"][-1].startswith("Left out, because they would give it away: ")


def test_a_tree_that_tells_what_is_rare_is_not_said_to_tell_little():
    rng = np.random.default_rng(3)
    keen = rng.random(20_000) < 0.2
    table = pd.DataFrame({"keen": keen, "buys": rng.random(20_000) < np.where(keen, 0.03, 0.003)})
    report = sg.Trees(target="buys", traits=["keen"]).fit(table).report
    assert report["held_out_explained"] < 0.02  # of the variance of what is rare nobody can explain much
    assert not report["warnings"]
    often = table["buys"][keen].mean() / table["buys"].mean()
    assert f"In the first segment it is {often:.1f} times as frequent as among all." in report["because"]


def test_a_pattern_that_an_objective_excepts_means_hours_of_the_day_too():
    hours = next(t for t in TRAITS.values() if t.is_circular)
    learning = Learning(pd.DataFrame({hours.name: [1.0]}), {hours.name: hours}, "o")
    assert variables.excepted((f"{hours.model.value}.*",), learning) == {hours.name}


def test_bands_take_every_value_and_name_what_is_empty():
    settings = {"method": "bands", "trait": "x", "cuts": [1, 5, 50]}
    frame = pd.DataFrame({"x": [0.5, 1.0, 4.99, 5.0, None]})
    found = sg.Bands.model_validate(settings).fit(frame)
    assert found.assign(frame)["segment"].tolist() == [
        "Below 1",
        "1 to below 5",
        "1 to below 5",
        "5 to below 50",
        "No data",
    ]
    assert found.report["warnings"] == ["Nobody is in 50 or more: check the cuts."]


@pytest.fixture
def aimed(engine: str, tmp_path: Path) -> Iterator[tuple[Path, Workspace]]:
    root = shop(tmp_path / "aims", orders(300), on(engine, SETTINGS))
    space = opened(root)
    assert space.run() == {}
    yield root, space
    space.close()


@on_every_engine
def test_objectives_trees_crossings_and_bands_from_end_to_end(aimed: tuple[Path, Workspace]):
    root, space = aimed
    found = tables(root)
    segments = {
        n: {r["customer_key"]: r["segment"] for r in found[f"memberships {n}"]} for n in ("spend", "life", "grid")
    }
    assert len(segments["grid"]) == 300
    for key, segment in segments["grid"].items():  # none is small enough to be merged away, or it joined a neighbour
        first, second = segment.split(" × ")
        assert first == segments["spend"][key] or second == segments["life"][key]
    assert {r["segment"] for r in found["memberships tree"]} == set(space.segmentation("tree").names)

    with space.reading() as reading:
        (aim,) = reading.aims()
    assert aim.horizon == 90
    assert aim.customers < 300  # those who came later were not known then
    assert not aim.left_out  # what was bought before the horizon has no part in it
    tree = space.segmentation("back").report
    assert not tree["left_out"]
    assert "90 days later" in tree["target"]
    assert tree["overall"] == pytest.approx([aim.share])  # of those who were known then; all are placed
    assert sum(tree["sizes"]) == 300
    traits = {r["customer_key"]: r for r in found["traits"]}
    scores = found["lookalikes again"]
    assert len(scores) == 300
    assert [r["meets"] for r in scores] == [traits[r["customer_key"]]["orders_90d"] >= 1 for r in scores]
    if aim.refused:
        pytest.fail(aim.refused)
    assert all(0 < r["score"] < 1 for r in scores)
    assert len({round(r["score"], 9) for r in scores}) <= 2 ** len(aim.points)
    odds = {round(math.log(r["score"] / (1 - r["score"])) - aim.intercept, 6) for r in scores}
    sums = {round(sum(w for i, w in enumerate(ws) if bits >> i & 1), 6)
            for ws in [[p.weight for p in aim.points]] for bits in range(2 ** len(aim.points))}  # fmt: skip
    assert odds <= sums

    run = CliRunner().invoke
    rules = json.loads(run(app, ["rules", "again", "--json", "-w", str(root)]).output)
    assert [(r["objective"], r["rules"][0]["meets"], r["total"]) for r in rules] == [
        ("again", sum(r["meets"] for r in scores), 300)
    ]
    shown = run(app, ["rules", "-w", str(root)])
    assert "objective again: 300 customers" in shown.output
    assert "90 days before" in shown.output
    shown = run(app, ["objectives", "-w", str(root)])
    assert "again (anything)" in shown.output
    assert "Traits of 90 days before tell it" in shown.output
    assert json.loads(run(app, ["objectives", "again", "--json", "-w", str(root)]).output)[0]["name"] == "again"
    assert "EXP(" in run(app, ["objectives", "again", "--sql", "postgres", "-w", str(root)]).output
    assert "Fresh" in run(app, ["sql", "grid", "-w", str(root)]).output
    customer = found["memberships grid"][0]["customer_id"]
    assert "band" in run(app, ["explain", customer, "grid", "-w", str(root)]).output
    assert run(app, ["explain", customer, "tree", "-w", str(root)]).exit_code == 0
    assert run(app, ["describe", "tree", "-w", str(root)]).exit_code == 0
    assert run(app, ["report", "-w", str(root)]).exit_code == 0
    assert "What goes with it" in (root / "report.html").read_text(encoding="utf-8") or not aim.favourable
    assert isinstance(run(app, ["objectives", "agian", "-w", str(root)]).exception, UsageError)

    generation = space.state.current()["lookalikes:again"].id
    space.run()
    assert space.state.current()["lookalikes:again"].id == generation  # nothing new, nothing written
    _mistakes_are_told_with_their_line(root)


def _mistakes_are_told_with_their_line(root: Path) -> None:
    file = root / "segmentry.yaml"
    good = file.read_text(encoding="utf-8")
    wrong = {
        "where: recency_days <= 90": (
            "where: recency_dys <= 90",
            "life.segments.0.where: there is no column 'recency_dys'",
        ),
        "[{name: Fresh": ("[{name: Fresh, where: recency_days = }, {name: Old", "life.segments.0.where: syntax error"),
        "<= 90}": ("<= 'ninety'}", "life.segments.0.where: `recency_days <= 'ninety'` mixes"),
        "method: rules": ("method: rules\n    population: frequency > 'x'", "life.population: `frequency > 'x'` mixes"),
    }
    for given, (instead, told) in wrong.items():
        text = good.replace(given, instead)
        file.write_text(text, encoding="utf-8")
        line = 1 + text[: text.index(instead.rpartition("\n")[2].strip())].count("\n")
        error = CliRunner().invoke(app, ["fit", "life", "-w", str(root)]).exception
        assert str(error).startswith(f"segmentry.yaml:{line} segmentations.{told}")
    file.write_text(good.replace("orders_90d >= 1", "order_90d >= 1"), encoding="utf-8")
    for asked in (["fit", "back"], ["rules", "again"]):
        error = CliRunner().invoke(app, [*asked, "-w", str(root)]).exception
        assert re.match(r"segmentry.yaml:\d+ objectives.again.behaviour: there is no column", str(error))
    file.write_text(good, encoding="utf-8")
