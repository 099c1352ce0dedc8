"""Organisations: what is compared of them, and what two records of one organisation must have in common."""

from __future__ import annotations

import duckdb

from segmentry.data.linkage import text, words
from segmentry.data.linkage.kind import Comparison, ExactKey, Kind, Level, SharedKey

_GIVEN = {
    "account_name": "VARCHAR", "domain": "VARCHAR", "phone": "VARCHAR", "address": "VARCHAR", "city": "VARCHAR",
    "postcode": "VARCHAR", "country": "VARCHAR", "industry": "VARCHAR",
}  # fmt: skip

# A place in brackets tells branches of one company apart and stays in the name.
_NORMAL = f"""
CREATE OR REPLACE TEMP TABLE link_normal AS
WITH plain AS (
    SELECT *, regexp_replace(regexp_replace(regexp_replace(
            link_plain(regexp_replace(account_name, '[&+]', ' and ', 'g')), '\\bund\\b|\\bet\\b|\\by\\b', 'and', 'g'),
            '^the ', ''), '(?: {text.one_of(words.LEGAL_FORMS)})+$', '') AS full_name,
        -- of an address of a page or of a mailbox, the name of the host
        regexp_replace(regexp_extract(lower(trim(link_given(domain))),
            '^(?:[a-z]+://)?(?:[^/@]*@)?([^/:?#\\s]+\\.[^/:?#\\s.]{{2,}})', 1), '^www[0-9]?\\.', '') AS host,
        link_digits(phone) AS dialled
    FROM (SELECT * REPLACE (regexp_replace(account_name, '([A-Za-z])\\.', '\\1', 'g') AS account_name) FROM link_given)
)
SELECT g.record_key, full_name AS name, nullif(split_part(full_name, ' ', 1), '') AS start,
    CASE WHEN host <> '' AND host NOT IN {text.quoted(words.FREE_MAIL)} THEN host END AS domain,
    link_phone(dialled) AS phone, a.means AS address, link_code(postcode) AS postcode, c.means AS city
FROM plain AS g LEFT JOIN link_addresses AS a ON g.address = a.address
LEFT JOIN link_cities AS c ON g.city = c.city
"""


def _normalise(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(text.ADDRESSES)
    con.execute(text.CITIES)
    con.execute(_NORMAL)


_ALIKE = "coalesce(jaro_winkler_similarity(l.name, r.name) >= 0.9, false)"

_NAME = Comparison(
    "name", ("name",),
    levels=(
        Level("the same", "name_l = name_r", 0.75, 0.0001, "name"),
        Level("almost the same", "damerau_levenshtein(name_l, name_r) <= 2 AND length(name_l) >= 8", 0.1, 0.0002),
        Level("beginning of the other", "starts_with(name_l, name_r || ' ') OR starts_with(name_r, name_l || ' ')",
              0.08, 0.001),
        Level("similar", "jaro_winkler_similarity(name_l, name_r) >= 0.9", 0.04, 0.005),
        Level("another", "ELSE", 0.03, 0.99),
    ),
)  # fmt: skip
_DOMAIN = Comparison(
    "domain", ("domain",),
    levels=(
        Level("the same", "domain_l = domain_r", 0.8, 0.00002, "domain"),
        Level("the same name elsewhere", "split_part(domain_l, '.', 1) = split_part(domain_r, '.', 1)", 0.08, 0.00005),
        Level("another", "ELSE", 0.12, 0.99),
    ),
)  # fmt: skip
_PHONE = Comparison(
    "phone", ("phone",),
    levels=(
        Level("the same", "phone_l = phone_r", 0.6, 0.00002, "phone"),
        Level("another", "ELSE", 0.4, 0.99),
    ),
)  # fmt: skip
_ADDRESS = Comparison(
    "address", ("address",),
    levels=(
        Level("the same", "address_l = address_r", 0.6, 0.0001, "address"),
        Level("almost the same", "jaro_winkler_similarity(address_l, address_r) >= 0.9", 0.15, 0.001),
        Level("another", "ELSE", 0.25, 0.99),
    ),
)  # fmt: skip
_TOWN = Comparison(
    "town", ("postcode", "city"),
    levels=(
        Level("the same postcode", "postcode_l = postcode_r", 0.65, 0.0005, "postcode"),
        Level("the same town, postcode not known", "city_l = city_r AND (postcode_l IS NULL OR postcode_r IS NULL)",
              0.8, 0.05, "city"),
        Level("the same town, another postcode", "city_l = city_r", 0.15, 0.05, "city"),
        Level("another", "ELSE", 0.15, 0.9),
    ),
)  # fmt: skip

ORGANISATIONS = Kind(
    name="organisations",
    given=_GIVEN,
    normalise=_normalise,
    columns=("name", "start", "domain", "phone", "address", "postcode", "city"),
    telling="name IS NOT NULL AND coalesce(domain, phone, postcode, city) IS NOT NULL",
    # Of a group, several companies share a web site or a switchboard; of a directory or an agency, very many.
    shared=(SharedKey("domain", "name", 10), SharedKey("phone", "name", 10)),
    exact=(
        ExactKey("name and domain", "name || ' ' || domain", "true"),
        ExactKey("name and phone", "name || ' ' || phone", "true"),
        ExactKey("name and postcode", "name || ' ' || postcode", "true"),
    ),
    blocks={
        "domain": "domain", "name": "name", "phone": "phone", "address": "address",
        "first word of the name and town": "start || ' ' || city",
        "first word of the name and postcode": "start || ' ' || postcode",
        "beginning of the name and town": "left(name, 5) || ' ' || city",
    },
    comparisons=(_NAME, _DOMAIN, _PHONE, _ADDRESS, _TOWN),
    # Companies of one group share what is asked for here, and not their names.
    contradiction="jaro_winkler_similarity(l.name, r.name) < 0.75 AND NOT starts_with(l.name, r.name) "
    "AND NOT starts_with(r.name, l.name)",
    needed=f"""({_ALIKE} OR starts_with(l.name, r.name) OR starts_with(r.name, l.name) OR l.domain = r.domain)
        AND (l.domain = r.domain OR l.phone = r.phone OR l.postcode = r.postcode OR l.city = r.city
            OR split_part(l.domain, '.', 1) = split_part(r.domain, '.', 1)
            OR jaro_winkler_similarity(l.address, r.address) >= 0.9)""",
    conflicting=("name",),
    typical={
        "name": 0.00001, "domain": 0.00001, "phone": 0.00001, "address": 0.0001, "postcode": 0.0003, "city": 0.03,
    },
)  # fmt: skip
