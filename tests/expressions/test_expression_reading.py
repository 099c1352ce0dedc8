"""Rules read back in plain English."""

from __future__ import annotations

import pytest

from segmentry.expressions import parse, pieces, reads_as

NAMES = {"orders_365d": "orders in 365 days", "is_member": "member", "n": "n"}


def read(text: str) -> str:
    return reads_as(parse(text, where="test"), lambda name: NAMES.get(name, name.replace("_", " ")))


@pytest.mark.parametrize(
    ("text", "english"),
    [
        (
            "orders_365d >= 2 and age_band = '18-24'",
            "orders in 365 days is at least 2 and age band is '18-24'",
        ),
        ("n > 1000", "n is more than 1,000"),
        ("n < 1.50", "n is less than 1.5"),
        ("n <= -2", "n is at most -2"),
        ("n <> 3", "n is not 3"),
        ("not n = 3", "n is not 3"),
        ("not n <> 3", "n is 3"),
        ("not n >= 3", "n is not at least 3"),
        ("first_order >= date '2024-01-31'", "first order is on or after 2024-01-31"),
        ("first_order < '2024-01-31'", "first order is before '2024-01-31'"),
        ("t > timestamp '2024-01-31 18:30:00'", "t is after 2024-01-31 18:30:00"),
        ("country in ('GB', 'IE', 'FR')", "country is one of 'GB', 'IE' or 'FR'"),
        ("country not in ('GB', 'IE')", "country is not one of 'GB' or 'IE'"),
        ("country in ('GB')", "country is 'GB'"),
        ("n between 1 and 3", "n is between 1 and 3"),
        ("n not between 1 and 3", "n is not between 1 and 3"),
        ("spend is null", "spend is not known"),
        ("spend is not null", "spend is known"),
        ("is_member", "member is true"),
        ("not is_member", "member is false"),
        ("is_member is not true", "member is not true"),
        ("is_member = true", "member is true"),
        ("country is distinct from 'GB'", "country is not 'GB'"),
        ("sku like 'C%'", "sku starts with 'C'"),
        ("sku not like '%C'", "sku does not end with 'C'"),
        ("not sku like '%C%'", "sku does not contain 'C'"),
        ("sku like 'C'", "sku is 'C'"),
        ("sku like 'C_%'", "sku matches the pattern 'C_%'"),
        ("sku like '%'", "sku matches the pattern '%'"),
        ("sku ilike 'c%'", "sku starts with 'c' in upper or lower case"),
        ("starts_with(sku, 'C')", "sku starts with 'C'"),
        ("not contains(sku, 'C')", "sku does not contain 'C'"),
        ("n > 1 and (a = 1 or b = 2)", "n is more than 1 and (a is 1 or b is 2)"),
        ("n > 1 and a = 1 or b = 2", "(n is more than 1 and a is 1) or b is 2"),
        ("(n > 1 and a = 1) and b = 2", "n is more than 1 and a is 1 and b is 2"),
        ("not (a = 1 or b = 2)", "not (a is 1 or b is 2)"),
        ("revenue - cost > 100", "revenue minus cost is more than 100"),
        ("(revenue - cost) / orders > -n", "(revenue minus cost) divided by orders is more than minus n"),
        ("round(spend / n, 2) = 1", "spend divided by n rounded is 1"),
        ("coalesce(spend, 0) > 1", "spend (or 0 where not known) is more than 1"),
        ("coalesce(a, b, 0) > 1", "a (or b, 0 where not known) is more than 1"),
        ("greatest(a, b, 3) > 1", "the greatest of a, b, 3 is more than 1"),
        ("days_between(last, first) > 30", "the days to last from first is more than 30"),
        ("lower(city) = 'york'", "city in lower case is 'york'"),
        ("cast(a as number) > 1", "a as number is more than 1"),
        ("case when a > 1 then 'x' else 'y' end", "('x' if a is more than 1; otherwise 'y')"),
        ("case a when 1 then 2 end > 1", "(2 if a is 1; otherwise not known) is more than 1"),
        ("(a > 1) = (b > 1)", "whether a is more than 1 is whether b is more than 1"),
        ("first || ' ' || last", "first joined with ' ' joined with last"),
        ("true", "always"),
        ("not true", "never"),
    ],
)
def test_a_rule_reads_like_english(text: str, english: str):
    assert read(text) == english


def test_pieces_are_the_conditions_that_must_all_hold():
    rule = parse("a > 1 and ((b = 2 and c is null) and (d or e)) and not (f and g)", where="test")
    assert [piece.sql() for piece in pieces(rule)] == ["a > 1", "b = 2", "c IS NULL", "d OR e", "NOT (f AND g)"]
    assert [piece.sql() for piece in pieces(parse("((a > 1))", where="test"))] == ["a > 1"]
    assert all(piece.where == "test" for piece in pieces(rule))
