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
CREATE OR REPLACE TEMP MACRO link_bare_mail(t) AS lower(trim(replace(
    CASE WHEN contains(t, '<') THEN rtrim(split_part(t, '<', 2), '> ') ELSE t END, 'mailto:', '')));
-- One anchored pattern: looking for an address anywhere in the text takes ten times as long.
CREATE OR REPLACE TEMP MACRO link_plain_mail(t) AS CASE WHEN regexp_matches(link_bare_mail(t),
    '^[^\s<>,;:@]+@([^\s<>,;:@.]+\.)+[^\s<>,;:@.0-9]{{2,}}$') THEN link_bare_mail(t) END;
CREATE OR REPLACE TEMP MACRO link_mailbox(mail) AS CASE
    WHEN split_part(mail, '@', 2) IN ('gmail.com', 'googlemail.com')
    THEN replace(split_part(split_part(mail, '@', 1), '+', 1), '.', '')
    ELSE split_part(split_part(mail, '@', 1), '+', 1) END;
CREATE OR REPLACE TEMP MACRO link_mail_domain(mail) AS
    replace(split_part(mail, '@', 2), 'googlemail.com', 'gmail.com');
-- The last nine digits: without prefix of the country, trunk zero and extension. Shorter than seven is no number.
CREATE OR REPLACE TEMP MACRO link_digits(t) AS right(ltrim(regexp_replace(regexp_replace(
    link_given(t), '(?i)(ext|x|#).*$', ''), '[^0-9]', '', 'g'), '0'), 9);
CREATE OR REPLACE TEMP MACRO link_without_first(t) AS replace(t, left(t, 1), '');
CREATE OR REPLACE TEMP MACRO link_phone(digits) AS CASE WHEN length(digits) < 7
    OR link_without_first(link_without_first(digits)) = ''
    OR contains('01234567890123456789', digits) OR contains('98765432109876543210', digits)
    THEN NULL ELSE digits END;
CREATE OR REPLACE TEMP MACRO link_code(t) AS
    nullif(upper(regexp_replace(link_given(t), '[^\p{{L}}\p{{N}}]+', '', 'g')), '');
-- A date of birth written the other way round, and one slip of the finger.
CREATE OR REPLACE TEMP MACRO link_turned(a, b) AS left(a, 4) = left(b, 4)
    AND substr(a, 6, 2) = substr(b, 9, 2) AND substr(a, 9, 2) = substr(b, 6, 2);
-- (Of dates and telephone numbers one slip leaves the first three characters or the last, which is quicker to see.)
-- CASE, because DuckDB computes both sides of AND where it stands inside OR.
CREATE OR REPLACE TEMP MACRO link_one_slip(a, b) AS CASE
    WHEN left(a, 3) = left(b, 3) OR right(a, 3) = right(b, 3) THEN damerau_levenshtein(a, b) <= 1 ELSE false END;
CREATE OR REPLACE TEMP MACRO link_date_slip(a, b) AS link_one_slip(a, b) OR link_turned(a, b);
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
