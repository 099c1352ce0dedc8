"""Rules are told in English, counted, and what is probably not meant is told with what to do."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import numpy as np
import pandas as pd
import psycopg
import pytest

from segmentry import engine
from segmentry.catalogue import TRAITS, Model, Trait
from segmentry.config import Objective
from segmentry.errors import ConfigError
from segmentry.segment import linter
from segmentry.segment.linter import Finding, RuleCheck

SPECS = {
    "recency_days": TRAITS["recency_days"],
    "spend": Trait("spend", Model.VALUE, "number", "Spend.", "currency"),
    "city": Trait("city", Model.GEOGRAPHIC, "category", "City."),
    "web": Trait("web", Model.BEHAVIORAL, "boolean", "Web."),
}


def frame(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    made = pd.DataFrame(
        {
            "customer_key": np.arange(rows),
            "recency_days": rng.integers(0, 400, rows).astype(float),
            "spend": rng.lognormal(4, 1, rows).round(),
            "city": rng.choice(["London", "Leeds"], rows),
            "web": rng.random(rows) < 0.3,
        }
    )
    made["city"] = made["city"].where(rng.random(rows) < 0.4, None)
    return made


@pytest.fixture(scope="module")
def table() -> Iterator[ibis.expr.types.Table]:
    with engine.in_memory() as con:
        yield con.create_table("traits", frame())


def check(table: ibis.expr.types.Table, *texts: str, population: str = "") -> RuleCheck:
    named = list(zip("ABCDEF", texts, strict=False))
    rules = linter.parsed(named, SPECS, where=["test"] * len(named))
    of = linter.parsed([("population", population)], SPECS, where=["test"]) if population else ()
    return linter.check("s", rules, table, SPECS, *of)


def told(found: RuleCheck) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(f.kind, f.level, f.rules) for f in found.findings]


RULES = (
    "recency_days < 100",
    "recency_days < 200 and spend > 50",
    "spend > 50 and web or city = 'London'",
    "web is null",
)


def by_hand(rows: pd.DataFrame) -> list[tuple[int, int]]:
    holds = [
        rows["recency_days"] < 100,
        (rows["recency_days"] < 200) & (rows["spend"] > 50),
        ((rows["spend"] > 50) & rows["web"]) | (rows["city"] == "London"),
        rows["web"].isna(),
    ]
    taken = pd.Series(False, index=rows.index)
    counts = []
    for held in holds:
        counts.append((int(held.sum()), int((held & ~taken).sum())))
        taken |= held
    return counts


def test_every_rule_is_counted_alone_and_in_its_place(table: ibis.expr.types.Table) -> None:
    found = check(table, *RULES)
    assert [(r.meets, r.takes) for r in found.rules] == by_hand(frame())
    assert found.rest == 300 - sum(takes for _, takes in by_hand(frame()))
    assert (found.total, found.no_data) == (300, 0)
    assert found.rules[1].reads_as == "recency days is less than 200 and spend is more than 50"


@pytest.mark.postgres
def test_postgresql_counts_and_says_the_same(table: ibis.expr.types.Table, postgres_url: str) -> None:
    texts = (*RULES, "city = 'london'", "spend > 1e9")
    with psycopg.connect(postgres_url) as connection:
        con = ibis.postgres.from_connection(connection)
        there = con.create_table("traits_linted", frame(), temp=True)
        assert check(there, *texts, population="spend > 20") == check(table, *texts, population="spend > 20")


def test_nobody_can_get_behind_wider_rules(table: ibis.expr.types.Table) -> None:
    assert told(check(table, "recency_days < 100", "recency_days < 50 and web"))[0] == ("unreachable", "wrong", ("B",))
    # nothing in the rules says so, the data do
    assert told(check(table, "spend > 0", "web"))[-1] == ("unreachable", "doubtful", ("B",))


def test_category_that_nobody_has_comes_with_the_one_that_is_meant(table: ibis.expr.types.Table) -> None:
    found = [f for f in check(table, "city in ('london', 'Leeds')").findings if f.kind == "unknown value"]
    assert [(f.text, f.fix) for f in found] == [("nobody has the city 'london' (A)", "Did you mean 'London'?")]


def test_trait_that_is_seldom_known_is_told(table: ibis.expr.types.Table) -> None:
    (fill,) = [f for f in check(table, "city = 'Leeds'", "web and city is null").findings if f.kind == "low fill"]
    assert fill.rules == ("A",)
    assert "city is known for" in fill.text


def test_rule_for_those_of_whom_nothing_is_known_gets_nobody(table: ibis.expr.types.Table) -> None:
    (none,) = [f for f in check(table, "city = 'Leeds'", "city is null").findings if f.kind == "unreachable"]
    assert "count as No data" in none.text


def test_rule_that_nobody_meets_names_the_part_and_where_the_trait_goes(table: ibis.expr.types.Table) -> None:
    (never,) = check(table, "web and recency_days > 5000").findings
    assert never.level == "doubtful"
    assert "nobody has recency days is more than 5,000; recency days goes from 1 to 399" in never.text


def test_both_readings_of_and_beside_or_are_counted(table: ibis.expr.types.Table) -> None:
    (mixed,) = [f for f in check(table, "web or recency_days < 100 and spend > 50").findings if f.kind == "mixed"]
    rows = frame()
    here = rows["web"] | ((rows["recency_days"] < 100) & (rows["spend"] > 50))
    there = (rows["web"] | (rows["recency_days"] < 100)) & (rows["spend"] > 50)
    assert f"which {here.sum()} meet; the other way {there.sum()} would" in mixed.text


def test_overlaps_are_counted_and_say_who_takes_them(table: ibis.expr.types.Table) -> None:
    rows = frame()
    both = int(((rows["recency_days"] < 100) & rows["web"]).sum())
    (overlap,) = check(table, "recency_days < 100", "web").findings
    assert overlap.kind == "overlap"
    assert overlap.text == f"{both} customers meet both A and B: A takes them, as it comes first"


def test_population_is_checked_and_rules_are_counted_within_it(table: ibis.expr.types.Table) -> None:
    found = check(table, "web", population="city = 'Leeds' and city = 'London'")
    assert ("never", "wrong", ("population",)) in told(found)
    assert found.total == 0
    assert check(table, "web", population="spend > 50").total == int((frame()["spend"] > 50).sum())


def test_good_rules_have_no_findings(table: ibis.expr.types.Table) -> None:
    assert check(table, "recency_days < 100", "recency_days >= 100 and recency_days < 200").findings == ()


def test_no_rules_no_columns_and_nobody(table: ibis.expr.types.Table) -> None:
    assert check(table.filter(ibis.literal(False)), "web").rules[0].meets == 0
    found = check(table, "true")
    assert found.rules[0].meets == 300
    assert isinstance(found.findings[0], Finding)


def objective(table: ibis.expr.types.Table, **of: object) -> RuleCheck:
    return linter.of_objective("o", Objective.model_validate(of), table, SPECS, fewest=30)


def test_an_objective_is_read_back_and_counted_within_its_population(table: ibis.expr.types.Table) -> None:
    found = objective(table, behaviour="spend > 50 and city is null", population="recency_days < 200")
    rows = frame()[frame()["recency_days"] < 200]
    meets = int(((rows["spend"] > 50) & rows["city"].isna()).sum())
    assert [(r.name, r.meets) for r in found.rules] == [("population", len(rows)), ("behaviour", meets)]
    assert found.rules[1].reads_as == "spend is more than 50 and city is not known"
    assert (found.objective, found.segmentation, found.total, found.rest) == ("o", "", len(rows), len(rows) - meets)
    assert told(found) == []


def test_what_is_probably_not_meant_in_an_objective_is_told(table: ibis.expr.types.Table) -> None:
    never = objective(table, behaviour="recency_days < -3", population="web")
    assert told(never) == [("never", "wrong", ("behaviour",))]
    assert never.wrong
    everybody = objective(table, behaviour="spend >= 1")
    assert told(everybody) == [("too few", "doubtful", ("behaviour",))]
    assert "300 customers behave so and 0 do not; at least 30 of each" in everybody.findings[0].text
    misspelt = objective(table, behaviour="web and city = 'Londn'", population="web and spend > 10 or spend < 90")
    assert ("unknown value", "doubtful", ("behaviour",)) in told(misspelt)
    assert ("mixed", "doubtful", ("population",)) in told(misspelt)
    later = objective(table, behaviour="spend > 50", horizon=90)
    assert told(later) == [("earlier", "note", ("behaviour",))]
    with pytest.raises(ConfigError, match=r"objectives\.o\.behaviour.*no column 'spent'"):
        objective(table, behaviour="spent > 50")
