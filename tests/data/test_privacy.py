"""The sample: drawn the same everywhere, weighted, near the base; and, made anonymous, nobody in it stands alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from tests.engines import on_every_engine

from segmentry import engine as engines
from segmentry.catalogue import Model, Trait
from segmentry.columns import Pii
from segmentry.data import generalising, margins, privacy, pseudonyms
from segmentry.data.deidentifying import Deidentified, Demands, deidentify
from segmentry.errors import ConfigError, DataError, FitError, UsageError
from segmentry.stats import raking

KEY = b"not a secret: a test"
TOWNS = ["Leeds", "York", "Hull", "Ripon", "Selby", "Thirsk"]
SPECS = {
    t.name: t
    for t in (
        Trait("monetary", Model.VALUE, "number", "Spend."),
        Trait("plan", Model.BEHAVIORAL, "category", "Plan."),
        Trait("age", Model.DEMOGRAPHIC, "number", "Age.", "years", pii=Pii.QUASI),
        Trait("city", Model.GEOGRAPHIC, "category", "Town.", pii=Pii.QUASI),
        Trait("postcode", Model.GEOGRAPHIC, "category", "Code.", pii=Pii.QUASI),
        Trait("first_visit", Model.BEHAVIORAL, "category", "Day.", pii=Pii.QUASI),
        Trait("subscribed", Model.BEHAVIORAL, "boolean", "Gets the letter.", pii=Pii.QUASI),
        Trait("income", Model.DEMOGRAPHIC, "number", "Income.", pii=Pii.SENSITIVE),
        Trait("religion", Model.DEMOGRAPHIC, "category", "Religion.", pii=Pii.SENSITIVE),
        Trait("nickname", Model.DEMOGRAPHIC, "category", "Name.", pii=Pii.DIRECT),
    )
}


def customers(rows: int = 3_000, seed: int = 5) -> pd.DataFrame:
    """Customers of whom many are unique by age, town, postcode and day."""
    chance = np.random.default_rng(seed)
    town = chance.choice(TOWNS, rows, p=[0.5, 0.3, 0.15, 0.03, 0.015, 0.005])
    frame = pd.DataFrame(
        {
            "customer_key": np.arange(rows),
            "customer_id": [f"C{i:06d}" for i in range(rows)],
            "monetary": chance.lognormal(3, 1.2, rows).round(2),
            "plan": chance.choice(["basic", "plus", None], rows, p=[0.6, 0.3, 0.1]),
            "age": chance.integers(18, 90, rows).astype(float),
            "city": town,
            "postcode": [f"{t[:2].upper()}{chance.integers(1, 30)} {chance.integers(1, 9)}AA" for t in town],
            "first_visit": [f"2026-0{chance.integers(1, 7)}-{chance.integers(1, 29):02d}" for _ in range(rows)],
            "subscribed": chance.random(rows) < 0.7,
            "income": chance.lognormal(10, 0.5, rows).round(),
            "religion": chance.choice(["a", "b", "c", None], rows, p=[0.55, 0.3, 0.05, 0.1]),
            "nickname": [f"nick {i}" for i in range(rows)],
        }
    )
    frame.loc[chance.random(rows) < 0.1, "age"] = np.nan
    return frame


@pytest.fixture(scope="module")
def drawn() -> privacy.Drawn:
    with engines.in_memory() as con:
        table = con.create_table("traits", customers())
        return privacy.draw(table, SPECS, by=["monetary", "plan"], size=1_000, seed=3)


@pytest.fixture(scope="module")
def made(drawn: privacy.Drawn) -> Deidentified:
    return deidentify(drawn, list(SPECS.values()), Demands(), KEY)


def test_weights_add_up_to_the_base_and_the_best_are_drawn_more_often(drawn: privacy.Drawn) -> None:
    frame = customers()
    assert len(drawn.rows) == 1_000
    assert drawn.weights.sum() == pytest.approx(3_000)
    best = frame["monetary"] > frame["monetary"].quantile(0.95)
    inside = drawn.rows["monetary"] > frame["monetary"].quantile(0.95)
    assert inside.mean() > 2 * best.mean()
    assert drawn.weights[inside].sum() == pytest.approx(best.sum(), rel=0.05)
    assert np.average(drawn.rows["age"].fillna(50), weights=drawn.weights) == pytest.approx(
        frame["age"].fillna(50).mean(), abs=2
    )
    for stratum in drawn.strata:
        weight = drawn.weights[[s == stratum.name for s in drawn.stratum]]
        assert weight.sum() == pytest.approx(stratum.base)


@on_every_engine
def test_every_engine_draws_the_same(engine: str, drawn: privacy.Drawn, tmp_path: Path) -> None:
    with engines.open_engine(engine, tmp_path, "shop").session() as session:
        rows = session.keep("base", ibis.memtable(customers()))
        found = privacy.draw(rows, SPECS, by=["monetary", "plan"], size=1_000, seed=3)
    assert list(found.ids) == list(drawn.ids)
    assert found.strata == drawn.strata
    assert (found.weights == drawn.weights).all()


def test_a_base_that_is_no_larger_is_taken_whole(drawn: privacy.Drawn) -> None:
    with engines.in_memory() as con:
        table = con.create_table("traits", customers(300))
        found = privacy.draw(table, SPECS, by=["monetary"], size=1_000, population="subscribed")
    assert len(found.rows) == customers(300)["subscribed"].sum() == found.base
    assert (found.weights == 1).all()


def test_a_group_that_is_no_trait_is_refused_with_the_key() -> None:
    with pytest.raises(ConfigError, match=r"sample\.by: there is no trait 'monetry'.*monetary"):
        privacy.strata_of(["monetry"], SPECS, None)
    assert privacy.strata_of(["auto", "plan"], SPECS, "monetary") == ("monetary", "plan")


def test_nobody_in_the_anonymous_sample_stands_alone(made: Deidentified) -> None:
    quasi = [s.name for s in made.specs if s.pii is Pii.QUASI]
    assert quasi
    alike = Counter(tuple(None if pd.isna(v) else v for v in row) for row in made.rows[quasi].astype(object).to_numpy())
    assert min(alike.values()) >= 5
    statement = made.statement
    assert statement.after.smallest == min(alike.values())
    assert statement.after.highest == 1 / min(alike.values())
    assert statement.after.average == pytest.approx(len(alike) / len(made.rows))
    assert statement.before.unique > 0.9
    assert statement.suppressed <= 0.05
    assert statement.suppressed == pytest.approx(1 - len(made.rows) / 1_000)


def test_no_class_gives_a_sensitive_value_away(made: Deidentified) -> None:
    quasi = [s.name for s in made.specs if s.pii is Pii.QUASI]
    for _, rows in made.rows.groupby(quasi, dropna=False):
        values = rows["religion"].fillna("?")
        assert (values == "?").all() or values.nunique() >= 2
        known = rows["income"].dropna()
        assert known.empty or known.nunique() >= 2 or rows["income"].isna().any()
    income = made.rows["income"].dropna()
    assert (income == [float(f"{v:.1e}") for v in income]).all()


def test_what_is_made_of_the_same_data_is_blanked_together(drawn: privacy.Drawn) -> None:
    income = Trait("income", Model.DEMOGRAPHIC, "number", "Income.", needs=("customers.income",), pii=Pii.SENSITIVE)
    band = Trait("band", Model.DEMOGRAPHIC, "category", "Band.", needs=("customers.income",), pii=Pii.SENSITIVE)
    subscribed = SPECS["subscribed"]
    rows = pd.DataFrame(
        {
            "subscribed": [True] * 6 + [False] * 6,
            "income": [41_400.0, 41_450, 41_010, 12_000, 52_000, 53_000, 1_000, 9_000, 30_000, 47_000, 88_000, 2_000],
            "band": ["middle"] * 6 + ["low", "low", "middle", "middle", "high", "low"],
        }
    )
    ids, ones = [f"C{i}" for i in range(12)], np.ones(12)
    given = privacy.Drawn(rows, ids, ones, ["all"] * 12, (privacy.Stratum("all", 12, 12),))
    made = deidentify(given, [subscribed, income, band], Demands(k=5, diversity=2), KEY)
    assert made.rows.loc[made.rows["subscribed"], ["income", "band"]].isna().all().all()  # the band would be told
    assert made.rows.loc[~made.rows["subscribed"], ["income", "band"]].notna().all().all()
    assert made.statement.blanked == 0.5
    given.rows["income"] = np.where(given.rows["subscribed"], [41_400, 41_450] * 6, given.rows["income"])
    alike = deidentify(given, [subscribed, income], Demands(k=5, diversity=2), KEY)
    assert alike.rows.loc[alike.rows["subscribed"], "income"].isna().all()  # told to two digits they are one value


def test_the_group_that_was_drawn_from_tells_nobody_apart() -> None:
    with engines.in_memory() as con:
        table = con.create_table("traits", customers())
        found = privacy.draw(table, SPECS, by=["monetary", "city"], size=1_000, seed=3)
        secret = privacy.draw(table, SPECS, by=["religion"], size=1_000, seed=3)
    made = deidentify(found, list(SPECS.values()), Demands(), KEY)
    quasi = [s.name for s in made.specs if s.pii is Pii.QUASI]
    frame = made.rows[quasi].assign(stratum=list(made.stratum), weight=made.weights)
    assert frame.groupby([*quasi, "stratum"], dropna=False).size().min() >= 5
    assert frame.groupby([*quasi, "weight"], dropna=False).size().min() >= 5
    assert made.weights.sum() == pytest.approx(3_000)
    with pytest.raises(FitError, match="drawn by religion cannot be made anonymous"):
        deidentify(secret, list(SPECS.values()), Demands(), KEY)
    with pytest.raises(FitError, match=r"groups of fewer than 60 that are drawn on their own.*sample\.by"):
        deidentify(found, list(SPECS.values()), Demands(k=60, suppress=0), KEY)


def test_a_category_with_an_own_value_for_most_is_left_out_though_nobody_called_it_personal() -> None:
    card = Trait("card", Model.BEHAVIORAL, "category", "Card.")
    with engines.in_memory() as con:
        frame = customers(400).assign(card=[f"4000-{i:05d}" for i in range(400)])
        drawn = privacy.draw(con.create_table("traits", frame), {**SPECS, "card": card}, size=200)
    made = deidentify(drawn, [*SPECS.values(), card], Demands(), KEY)
    assert "card" not in made.rows
    assert set(made.statement.dropped) == {"card", "nickname"}


def test_margins_tell_what_they_leave_out() -> None:
    rows = pd.DataFrame({"city": ["Leeds"] * 6 + ["York"] * 3 + ["Hull"], "plan": ["basic", "plus"] * 5})
    cells = [
        {"measure": "population", "cell": f"{trait} = '{level}'", "population": people}
        for trait, level, people in (
            ("city", "Leeds", 10), ("city", "York", 30), ("city", "Ripon", 5), ("plan", "basic", 1), ("plan", "plus", 1)
        )
    ]  # fmt: skip
    found, notes = margins.margins(cells, rows, {"plan": "left out"})
    assert [m.name for m in found] == ["population by city"]
    assert notes == [
        "population by plan is not used: plan was left out in the sample, and weights by it would tell what was taken "
        "out.",
        "population by city: nobody in the sample is in city = 'Ripon'; the other cells are used.",
        "population by city: 1 row (10.0 %) is in none of its cells and keeps its weight.",
    ]
    raked = raking.rake(np.ones(10), found)
    assert raked.converged
    assert raked.weights[:6].sum() / raked.weights[:9].sum() == pytest.approx(0.25)
    assert raked.weights[9] == pytest.approx(1)
    contradicting = [*found, raking.Margin("the same", found[0].codes, np.array([0.9, 0.1]))]
    missed = raking.rake(np.ones(10), contradicting)
    assert not missed.converged
    assert "missed by up to" in missed.verdict


def test_nothing_tells_who_somebody_is(made: Deidentified) -> None:
    assert "nickname" not in made.rows
    assert made.statement.dropped == ("nickname",)
    assert sorted(made.pseudonyms) == list(made.pseudonyms)  # not in the order of the draw, which the id gives away
    assert len(set(made.pseudonyms)) == len(made.rows)
    again = pseudonyms.pseudonyms([f"C{i:06d}" for i in range(3_000)], KEY)
    assert set(made.pseudonyms) <= set(again)
    assert not set(made.pseudonyms) & set(pseudonyms.pseudonyms([f"C{i:06d}" for i in range(3_000)], b"another"))


def test_what_was_left_out_is_stood_for_by_the_others_of_its_group(drawn: privacy.Drawn, made: Deidentified) -> None:
    for stratum in drawn.strata:
        weight = made.weights[[s == stratum.name for s in made.stratum]]
        assert weight.sum() == pytest.approx(stratum.base)


def test_more_is_lost_the_more_is_asked(drawn: privacy.Drawn, made: Deidentified) -> None:
    strict = deidentify(drawn, list(SPECS.values()), Demands(k=50), KEY)
    assert strict.statement.after.smallest >= 50

    def lost(found: Deidentified) -> float:
        return sum(c.lost for c in found.statement.changes if SPECS[c.trait].pii is Pii.QUASI)

    assert lost(strict) > lost(made) > 0
    with pytest.raises(FitError, match="cannot hide anybody among 5000"):
        deidentify(drawn, list(SPECS.values()), Demands(k=5_000), KEY)


def test_columns_become_coarser_in_words_that_people_know() -> None:
    rows = customers()

    def steps(name: str) -> list[tuple[str, object]]:
        found = generalising.forms(rows[name], SPECS[name])
        return [(f.words, None if f.values is None else f.values.dropna().iloc[0]) for f in found]

    rows.loc[0, ["age", "postcode", "first_visit"]] = [42.0, "LE7 3AA", "2026-03-09"]
    assert [w for w, _ in steps("age")][2:] == [
        "in bands of 5 years", "in bands of 10 years", "in bands of 20 years", "left out"
    ]  # fmt: skip
    assert [v for _, v in steps("age")][:5] == [42.0, 42.0, 42.0, 44.5, 49.5]
    assert steps("postcode")[1:] == [
        ("by the first three characters", "LE7"),
        ("by area", "LE"),
        ("by the first character", "L"),
        ("left out", None),
    ]
    assert steps("first_visit")[1:] == [("by month", "2026-03"), ("by year", "2026"), ("left out", None)]
    joined = generalising.forms(rows["city"], SPECS["city"])[1]
    assert joined.values is not None
    assert set(joined.values) == {*TOWNS[:5], "other"}
    for name in ("age", "city", "postcode", "first_visit"):
        ladder = generalising.ladder(generalising.forms(rows[name], SPECS[name]))
        assert (np.diff(ladder.losses) >= -1e-12).all()
        assert ladder.losses[-1] == 1
        for finer, coarser in zip(ladder.codes, ladder.codes[1:], strict=False):
            assert len(np.unique(np.stack([finer, coarser]), axis=1).T) == len(np.unique(finer))


def test_the_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    key = pseudonyms.key_of(tmp_path, {})
    file = tmp_path / pseudonyms.FILE_NAME
    assert file.stat().st_mode & 0o777 == 0o600
    assert pseudonyms.key_of(tmp_path, {}) == key
    assert len(key) == 64
    assert pseudonyms.key_of(tmp_path, {pseudonyms.VARIABLE: "k" * 20}) == b"k" * 20
    with pytest.raises(UsageError, match="SEGMENTRY_PSEUDONYM_KEY has 5 characters"):
        pseudonyms.key_of(tmp_path, {pseudonyms.VARIABLE: "short"})
    file.chmod(0o644)
    with pytest.raises(DataError, match=r"can be read by others.*chmod 600"):
        pseudonyms.key_of(tmp_path, {})
