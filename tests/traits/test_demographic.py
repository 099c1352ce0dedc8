"""Who the customers are."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

import ibis
import pytest
from ibis.backends.duckdb import Backend
from trait_reference import by_key, customers, transactions

from segmentry.columns import Pii
from segmentry.traits import Facts, compute
from segmentry.traits.demographic import genders


def one(con: Backend, as_of: date, **columns: Any) -> dict[str, Any]:
    return by_key(compute(Facts(customers(con, [{"customer_key": 1, **columns}])), as_of))[1]


def test_age_in_completed_years_is_that_of_the_calendar(con: Backend):
    rng = random.Random(1)
    as_of = date(2023, 2, 28)
    born = {k: date(1940, 1, 1) + timedelta(days=rng.randrange(30_300)) for k in range(300)}
    born |= {900: date(2000, 2, 29), 901: date(2000, 2, 28), 902: as_of, 903: date(1912, 2, 28)}
    made = compute(Facts(customers(con, [{"customer_key": k, "birth_date": d} for k, d in born.items()])), as_of)
    for key, row in by_key(made).items():
        day = born[key]
        years = as_of.year - day.year - ((as_of.month, as_of.day) < (day.month, day.day))
        assert row["age"] == (years if 0 <= years <= 110 else None), day
    assert by_key(made)[900]["age"] == 22  # 29 February: not 23 before 1 March


@pytest.mark.parametrize(
    ("given", "age", "generation"),
    [
        ({"birth_date": date(1990, 6, 1), "birth_year": 1980, "age": 20}, 33, "Millennial"),
        ({"birth_date": None, "birth_year": 1980, "age": 20}, 44, "Generation X"),
        ({"birth_date": date(1899, 1, 1), "birth_year": 1980, "age": None}, 44, "Generation X"),
        ({"birth_date": None, "birth_year": 1893, "age": 20}, 20, "Generation Z"),
        ({"birth_date": None, "birth_year": 2030, "age": -4}, None, None),
        ({"birth_year": 2024, "age": 7}, 0, "Generation Alpha"),
        ({"age": 111}, None, None),
    ],
)
def test_the_best_source_with_a_human_age_counts(con: Backend, given: dict[str, Any], age: int, generation: str):
    row = one(con, date(2024, 1, 31), **given)
    assert (row["age"], row["generation"]) == (age, generation)


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "under 18"), (17, "under 18"), (18, "18-24"), (24, "18-24"), (25, "25-34"), (35, "35-44"),
        (45, "45-54"), (55, "55-64"), (64, "55-64"), (65, "65+"), (110, "65+"),
    ],
)  # fmt: skip
def test_age_bands(con: Backend, age: int, band: str):
    assert one(con, date(2024, 1, 31), age=age)["age_band"] == band


@pytest.mark.parametrize(
    ("year", "name"),
    [
        (1927, "Greatest"), (1928, "Silent"), (1945, "Silent"), (1946, "Boomer"), (1965, "Generation X"),
        (1980, "Generation X"), (1981, "Millennial"), (1996, "Millennial"), (1997, "Generation Z"),
        (2012, "Generation Z"),
    ],
)  # fmt: skip
def test_generations_are_those_of_pew(con: Backend, year: int, name: str):
    assert one(con, date(2024, 1, 31), birth_year=year)["generation"] == name


@pytest.mark.parametrize(
    ("spellings", "meanings"),
    [
        (["F", "M"], ["female", "male"]),
        (["Female", "MALE", "Non-binary", "prefer not to say"], ["female", "male", "other", None]),
        (["w", "m", "d"], ["female", "male", "other"]),
        (["weiblich", "männlich", "Divers"], ["female", "male", "other"]),
        (["H", "F"], ["male", "female"]),  # homme, femme
        (["H", "M"], ["male", "female"]),  # hombre, mujer
        (["M", "V"], ["male", "female"]),  # man, vrouw
        (["Mrs.", "Mr", "Ms"], ["female", "male", "female"]),
        (["0", "1", "2", "9"], [None, "male", "female", None]),
        (["0", "1"], ["0", "1"]),  # either may be which
        (["F", "helicopter"], ["female", "helicopter"]),
    ],
)
def test_genders_are_understood_together(spellings: list[str], meanings: list[str | None]):
    assert list(genders(spellings).values()) == meanings


def test_gender_of_customers(con: Backend):
    given = {1: "F", 2: "herr", 3: None, 4: "unknown", 5: "X"}
    made = compute(
        Facts(customers(con, [{"customer_key": k, "gender": g} for k, g in given.items()])), date(2024, 1, 1)
    )
    found = {k: row["gender"] for k, row in by_key(made).items()}
    assert found == {1: "female", 2: "male", 3: None, 4: None, 5: "other"}


def test_a_later_customer_does_not_change_what_a_gender_means(con: Backend):
    rows = [{"customer_key": 1, "gender": "H"}, {"customer_key": 2, "gender": "M"}, {"customer_key": 3, "gender": "F"}]
    joined = {1: datetime(2023, 1, 1), 2: datetime(2023, 1, 1), 3: datetime(2025, 1, 1)}
    who = customers(con, [{**r, "joined_at": joined[r["customer_key"]]} for r in rows])
    made = by_key(compute(Facts(who), date(2024, 1, 1)))
    assert {k: row["gender"] for k, row in made.items()} == {1: "male", 2: "female"}


def test_the_other_columns_are_as_given_with_their_unit_and_sensitivity(con: Backend):
    given = {
        "income": 30_000.0, "education": "PhD", "marital_status": "single", "household_size": 3, "children": 1,
        "occupation": "nurse", "language": "English",
    }  # fmt: skip
    spelt = {"education": "doctorate", "language": "en", "income_band": "middle"}
    made = compute(Facts(customers(con, [{"customer_key": 1, **given}])), date(2024, 1, 1))
    assert by_key(made)[1] == {"customer_key": 1, "customer_id": "C1", **given, **spelt}
    specs = {t.name: t for t in made.traits}
    assert specs.keys() == {*given, "income_band"}
    assert (specs["income"].pii, specs["income"].unit) == (Pii.SENSITIVE, "currency a year")
    assert specs["children"].kind == "number"
    assert specs["occupation"].kind == "category"


def test_a_column_without_a_value_is_no_trait(con: Backend):
    assert (
        compute(Facts(customers(con, [{"customer_key": 1, "income": None, "age": None}])), date(2024, 1, 1)).traits
        == ()
    )


def test_a_column_known_only_of_later_customers_is_no_trait(con: Backend):
    who = customers(con, [{"customer_key": 1, "income": None}, {"customer_key": 2, "income": 3.0}])
    later = transactions(con, [{"customer_key": 1}, {"customer_key": 2, "time": datetime(2024, 6, 1)}])
    made = compute(Facts(who, later), date(2024, 1, 31))
    assert "income" not in {t.name for t in made.traits}
    assert by_key(made).keys() == {1}


def test_it_compiles_for_postgresql(con: Backend):
    who = customers(con, [{"customer_key": 1, "birth_date": date(1990, 1, 1), "birth_year": 1990, "gender": "F"}])
    sql = str(ibis.to_sql(compute(Facts(who), date(2024, 1, 1)).table, dialect="postgres"))
    assert all(f'"{name}"' in sql for name in ("age", "age_band", "generation", "gender"))


def test_categories_are_written_in_one_spelling_each(con: Backend):
    given = [
        ("PhD", "Verheiratet", "self-employed", "German"), ("Graduation", "Alone", "Rentner", "fr_FR"),
        ("2n Cycle", "Together", "astronaut", "Castilian"), ("n/a", "YOLO", "-", "unknown"),
    ]  # fmt: skip
    names = ("education", "marital_status", "occupation", "language")
    who = customers(con, [{"customer_key": i, **dict(zip(names, row, strict=True))} for i, row in enumerate(given)])
    found = by_key(compute(Facts(who), date(2024, 1, 1)))
    assert [tuple(row[n] for n in names) for row in found.values()] == [
        ("doctorate", "married", "self-employed", "de"),
        ("bachelor", "single", "retired", "fr"),
        ("master", "partner", "astronaut", "es"),
        (None, "YOLO", None, None),
    ]


def test_income_is_low_middle_or_high_against_the_median(con: Backend):
    given = [10_000.0, 29_999.0, 30_000.0, 40_000.0, 80_000.0, 80_001.0, None]  # median 35,000 without the last
    who = customers(con, [{"customer_key": i, "income": x} for i, x in enumerate([*given, 40_000.0])])
    found = by_key(compute(Facts(who), date(2024, 1, 1)))  # with it 40,000: low below 30,000, high above 80,000
    bands = [found[i]["income_band"] for i in range(len(given))]
    assert bands == ["low", "low", "middle", "middle", "middle", "high", None]
