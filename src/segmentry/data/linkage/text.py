"""Text as it is compared: DuckDB macros and look-up tables that the normalisation of both kinds uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb

from segmentry.data.linkage import words


def quoted(values: Iterable[str]) -> str:
    """Own constants as a SQL list of texts; what users give never passes here.

    >>> quoted(["a", "o'b"])
    "('a', 'o''b')"
    """
    return "(" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + ")"


def one_of(values: Iterable[str]) -> str:
    """A regular expression for one of a few words."""
    return "(?:" + "|".join(sorted(values, key=lambda word: (-len(word), word))) + ")"


def lookup(con: duckdb.DuckDBPyConnection, name: str, pairs: Mapping[str, str]) -> None:
    """A temporary table ``name`` (given, means)."""
    rows = ", ".join(quoted(pair) for pair in pairs.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM (VALUES {rows}) AS t(given, means)")


# strip_accents leaves the letters that are no accented ones.
_MACROS = rf"""
CREATE OR REPLACE TEMP MACRO link_given(t) AS CASE
    WHEN lower(trim(t)) IN {quoted(words.UNKNOWN)} OR trim(t) = '' THEN NULL ELSE t END;
CREATE OR REPLACE TEMP MACRO link_letters(t) AS replace(replace(replace(replace(replace(replace(
    strip_accents(lower(t)), 'ß', 'ss'), 'ø', 'o'), 'æ', 'ae'), 'ł', 'l'), 'đ', 'd'), 'œ', 'oe');
CREATE OR REPLACE TEMP MACRO link_plain(t) AS nullif(trim(regexp_replace(regexp_replace(
    link_letters(link_given(t)), '[''’`´]', '', 'g'), '[^\p{{L}}\p{{N}}]+', ' ', 'g')), '');
CREATE OR REPLACE TEMP MACRO link_plain_mail(t) AS regexp_extract(
    lower(trim(link_given(t))), '([^\s<>,;:@]+@(?:[\p{{L}}\p{{N}}-]+\.)+[\p{{L}}]{{2,}})>?$', 1);
CREATE OR REPLACE TEMP MACRO link_mailbox(mail) AS CASE
    WHEN split_part(mail, '@', 2) IN ('gmail.com', 'googlemail.com')
    THEN replace(split_part(split_part(mail, '@', 1), '+', 1), '.', '')
    ELSE split_part(split_part(mail, '@', 1), '+', 1) END;
CREATE OR REPLACE TEMP MACRO link_mail_domain(mail) AS
    replace(split_part(mail, '@', 2), 'googlemail.com', 'gmail.com');
-- The last nine digits: without prefix of the country, trunk zero and extension. Shorter than seven is no number.
CREATE OR REPLACE TEMP MACRO link_digits(t) AS right(ltrim(regexp_replace(regexp_replace(
    link_given(t), '(?i)(ext|x|#).*$', ''), '[^0-9]', '', 'g'), '0'), 9);
CREATE OR REPLACE TEMP MACRO link_phone(digits) AS CASE WHEN length(digits) < 7
    OR len(list_distinct(string_split(digits, ''))) <= 2
    OR contains('01234567890123456789', digits) OR contains('98765432109876543210', digits)
    THEN NULL ELSE digits END;
CREATE OR REPLACE TEMP MACRO link_code(t) AS
    nullif(upper(regexp_replace(link_given(t), '[^\p{{L}}\p{{N}}]+', '', 'g')), '');
-- A date of birth written the other way round, and one slip of the finger.
CREATE OR REPLACE TEMP MACRO link_turned(a, b) AS left(a, 4) = left(b, 4)
    AND substr(a, 6, 2) = substr(b, 9, 2) AND substr(a, 9, 2) = substr(b, 6, 2);
CREATE OR REPLACE TEMP MACRO link_date_slip(a, b) AS damerau_levenshtein(a, b) <= 1 OR link_turned(a, b);
"""


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Make the macros and look-up tables."""
    con.execute(_MACROS)
    lookup(con, "link_nicknames", words.NICKNAMES)
    lookup(con, "link_generations", words.GENERATIONS)


# Places are few: each is spelt once.
CITIES = """
CREATE OR REPLACE TEMP TABLE link_cities AS
SELECT city, link_plain(city) AS means FROM (SELECT DISTINCT city FROM link_given WHERE city IS NOT NULL)
"""

# An address has a dozen words at most that matter; each is looked up once, and all are put together again.
ADDRESSES = f"""
CREATE OR REPLACE TEMP TABLE link_addresses AS
WITH distinct_ones AS (
    SELECT DISTINCT address FROM link_given WHERE address IS NOT NULL
), plain AS (
    SELECT address, regexp_replace(regexp_replace(link_plain(address),
        '(\\p{{L}})(strasse|str)( |$)', '\\1 st\\3', 'g'), '\\b(p o box|postfach)\\b', 'pobox') AS text
    FROM distinct_ones
), spelt AS (
    SELECT address, list_aggregate(list_transform(string_split(text, ' '), word -> CASE word
        {" ".join(f"WHEN '{given}' THEN '{means}'" for given, means in words.STREET_WORDS.items())}
        ELSE word END), 'string_agg', ' ') AS text
    FROM plain
)
SELECT address, nullif(trim(regexp_replace(text, '\\b(flat|no|nr) \\w+\\b|^(the) ', '', 'g')), '') AS means FROM spelt
"""
