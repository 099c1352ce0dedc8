"""Where customers live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import ibis
import pytest
from ibis.backends.duckdb import Backend
from trait_reference import by_key, customers, transactions

from segmentry import engine
from segmentry.traits import Facts, compute
from segmentry.traits.geographic import country_code

AS_OF = date(2024, 1, 31)


@pytest.fixture
def con() -> Iterator[Backend]:
    with engine.in_memory() as backend:
        yield backend


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
