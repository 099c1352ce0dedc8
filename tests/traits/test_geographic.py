"""Where customers live."""

from __future__ import annotations

import math
import random
from datetime import date

import ibis
import numpy
import pyarrow as pa
import pytest
from ibis.backends.duckdb import Backend
from trait_reference import CUSTOMERS, by_key, customers, table, transactions

from segmentry.traits import Facts, compute
from segmentry.traits.geographic import country_code
from segmentry.traits.penetration import penetration

AS_OF = date(2024, 1, 31)


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("GB", "GB"),
        ("gbr", "GB"),
        (" united kingdom ", "GB"),
        ("U.K.", "GB"),
        ("England", "GB"),
        ("EIRE", "IE"),
        ("Republic of Ireland", "IE"),
        ("The Netherlands", "NL"),
        ("Holland", "NL"),
        ("USA", "US"),
        ("United States", "US"),
        ("Deutschland", "DE"),
        ("ALLEMAGNE", "DE"),
        ("España", "ES"),
        ("Espana", "ES"),
        ("Österreich", "AT"),
        ("Германия", "DE"),
        ("日本", "JP"),
        ("South Korea", "KR"),
        ("Korea, Republic of", "KR"),
        ("Czech Republic", "CZ"),
        ("Turkey", "TR"),
        ("RSA", "ZA"),
        ("Niger", "NE"),
        ("Nigeria", "NG"),
        ("Channel Islands", "Channel Islands"),
        ("Atlantis", "Atlantis"),
        ("Unspecified", None),
        ("n/a", None),
        ("-", None),
    ],
)
def test_spellings_of_countries(spelling: str, code: str | None):
    assert country_code(spelling) == code


def test_the_customer_record_says_the_country_before_the_orders_do(con: Backend):
    given = {1: "Germany", 2: None, 3: "Unspecified", 4: None, 5: "Atlantis"}
    who = customers(con, [{"customer_key": k, "country": c} for k, c in given.items()])
    bought = [(1, "France"), (2, "UK"), (2, "United Kingdom"), (2, "France"), (3, "Eire"), (4, "unknown")]
    rows = [{"customer_key": k, "country": c, "line_kind": "charge" if k == 3 else "sale"} for k, c in bought]
    found = by_key(compute(Facts(who, transactions(con, rows)), AS_OF))
    assert {k: row["country"] for k, row in found.items()} == {1: "DE", 2: "GB", 3: "IE", 4: None, 5: "Atlantis"}


def test_countries_of_all_customers_need_no_look_at_the_orders(con: Backend):
    who = customers(con, [{"customer_key": 1, "country": "Germany"}])
    made = compute(Facts(who, transactions(con, [{"customer_key": 1, "country": "France"}])), AS_OF)
    assert "France" not in str(ibis.to_sql(made.table))
    assert by_key(made)[1]["country"] == "DE"


@pytest.mark.parametrize(
    ("postcode", "area"),
    [
        ("SE1 7AB", "SE1"),
        ("se17ab", "SE1"),
        (" EC1A 1BB", "EC1A"),
        ("K1A 0B1", "K1A"),
        ("D02 X285", "D02"),
        ("SE1", "SE1"),
        ("10115", "10"),
        ("D-10115", "10"),
        ("1012 AB", "10"),
        ("94103-1234", "94"),
        (None, None),
    ],
)
def test_the_postal_area_is_the_outward_code_or_two_digits(con: Backend, postcode: str | None, area: str | None):
    who = customers(con, [{"customer_key": 1, "postcode": postcode}, {"customer_key": 2, "postcode": "1"}])
    assert by_key(compute(Facts(who), AS_OF))[1]["postal_area"] == area


def test_region_and_city_are_as_given_and_personal(con: Backend):
    made = compute(Facts(customers(con, [{"customer_key": 1, "region": "Kent", "city": "Dover"}])), AS_OF)
    assert [(t.name, t.pii.value) for t in made.traits] == [("region", "quasi"), ("city", "quasi")]
    assert by_key(made)[1] == {"customer_key": 1, "customer_id": "C1", "region": "Kent", "city": "Dover"}


def test_it_compiles_for_postgresql(con: Backend):
    who = customers(
        con, [{"customer_key": 1, "country": None, "postcode": "SE1 7AB"}, {"customer_key": 2, "country": "UK"}]
    )
    made = compute(Facts(who, transactions(con, [{"customer_key": 1, "country": "Eire"}])), AS_OF)
    sql = str(ibis.to_sql(made.table, dialect="postgres"))
    assert '"postal_area"' in sql
    assert "'GB'" in sql


def _km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The angle between two vectors: another formula than the one under test."""
    a, b = ([math.cos(math.radians(p[0])) * math.cos(math.radians(p[1])),
             math.cos(math.radians(p[0])) * math.sin(math.radians(p[1])), math.sin(math.radians(p[0]))]
            for p in (one, other))  # fmt: skip
    return 6371.0088 * math.atan2(math.hypot(*numpy.cross(a, b)), float(numpy.dot(a, b)))


def test_the_nearest_of_many_stores_is_found_anywhere_on_earth(con: Backend):
    rng = random.Random(3)

    def place() -> tuple[float, float]:
        return rng.choice([(rng.uniform(-90, 90), rng.uniform(-180, 180)), (rng.uniform(50, 53), rng.uniform(-1, 2))])

    at = {k: place() for k in range(200)} | {
        200: (89.9, 0.0),
        201: (0.5, 179.9),
        202: (90.0, 180.0),
        203: (-90.0, -180.0),
    }
    shops = {f"S{i:02d}": place() for i in range(60)} | {"S98": (89.5, 179.0), "S99": (0.5, -179.9)}
    who = customers(con, [{"customer_key": k, "latitude": lat, "longitude": lon} for k, (lat, lon) in at.items()])
    where = {"latitude": pa.float64(), "longitude": pa.float64(), "closed_on": pa.date32()}
    rows = [{"store": s, "latitude": lat, "longitude": lon, "closed_on": None} for s, (lat, lon) in shops.items()]
    rows.append({"store": "gone", "latitude": at[0][0], "longitude": at[0][1], "closed_on": date(2024, 1, 30)})
    found = by_key(compute(Facts(who, stores=table(con, "stores", rows, where)), AS_OF))
    for key, mine in at.items():
        far = {s: _km(mine, there) for s, there in shops.items()}
        assert found[key]["nearest_store_km"] == pytest.approx(min(far.values()), abs=0.002), mine
        assert far[found[key]["nearest_store"]] == pytest.approx(min(far.values()), abs=0.002), mine


def test_coordinates_that_are_none_are_not_known(con: Backend):
    given = [(0.0, 0.0), (91.0, 10.0), (10.0, -180.5), (None, 3.0), (51.5, -0.1)]
    who = customers(con, [{"customer_key": i, "latitude": a, "longitude": b} for i, (a, b) in enumerate(given)])
    found = by_key(compute(Facts(who), AS_OF))
    assert [(r["latitude"], r["longitude"]) for r in found.values()] == [(None, None)] * 4 + [(51.5, -0.1)]


@pytest.mark.parametrize(
    ("country", "region", "zone"),
    [
        ("Deutschland", None, "Europe/Berlin"),
        ("España", "Madrid", "Europe/Madrid"),
        ("Ukraine", None, "Europe/Kyiv"),
        ("USA", "California", "America/Los_Angeles"),
        ("Canada", "QC", "America/Toronto"),
        ("Australia", "queensland", "Australia/Brisbane"),
        ("USA", "Ruritania", None),
        ("Russia", "Moscow", None),
        ("Atlantis", None, None),
    ],
)
def test_the_time_zone_of_a_country_or_of_its_state(con: Backend, country: str, region: str | None, zone: str | None):
    who = customers(con, [{"customer_key": 1, "country": country, "region": region}])
    assert by_key(compute(Facts(who), AS_OF))[1]["time_zone"] == zone


def test_an_area_is_what_the_source_says_else_what_its_density_makes_it(con: Backend):
    given = [
        ("City", 10.0),
        ("Dorf", None),
        (None, 1500.0),
        (None, 300.0),
        (None, 299.0),
        ("Hill station", 1.0),
        (None, -1.0),
    ]
    types = CUSTOMERS | {"density": pa.float64()}
    rows = [{"customer_key": i, "customer_id": str(i), "area_type": a, "density": d} for i, (a, d) in enumerate(given)]
    found = by_key(compute(Facts(table(con, "golden_customers", rows, types)), AS_OF))
    wanted = ["urban", "rural", "urban", "suburban", "rural", "Hill station", None]
    assert [row["area_type"] for row in found.values()] == wanted


def test_penetration_holds_customers_against_the_people_of_a_cell(con: Backend):
    who = [{"customer_key": i, "region": r} for i, r in enumerate(["Kent"] * 6 + ["Essex"] * 3 + [None])]
    traits = con.create_table("made", compute(Facts(customers(con, who)), AS_OF).table)
    kent, essex, old, new = "region = 'Kent'", "region = 'Essex'", date(2020, 1, 1), date(2023, 1, 1)
    figures = [
        (kent, "population", 1000.0, old),
        (kent, "population", 3000.0, new),
        (essex, "population", 1500.0, new),
        ("shoe_size > 9", "population", 10.0, new),
        (kent, "population_share", 0.25, new),
        (essex, "population_share", 0.75, None),
        (essex, "propensity", 0.5, None),
    ]
    rows = [{"cell": c, "measure": m, "value": v, "published": d} for c, m, v, d in figures]
    research = table(con, "market", rows, {"value": pa.float64(), "published": pa.date32()})
    made = penetration(research, traits)
    assert made is not None
    found = {(r["cell"], r["measure"]): r for r in con.to_pyarrow(made).to_pylist()}
    told = {key: (r["customers"], r["penetration"], r["share_index"]) for key, r in found.items()}
    assert told == {
        (kent, "population"): (6, 0.002, pytest.approx(1.0)),
        (essex, "population"): (3, 0.002, pytest.approx(1.0)),
        ("shoe_size > 9", "population"): (None, None, None),
        (kent, "population_share"): (6, None, pytest.approx((6 / 9) / 0.25)),
        (essex, "population_share"): (3, None, pytest.approx((3 / 9) / 0.75)),
    }
