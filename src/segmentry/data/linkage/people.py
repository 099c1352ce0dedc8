"""People: what is compared of them, and what two records of one person must have in common."""

from __future__ import annotations

import duckdb

from segmentry.data.linkage import text, words
from segmentry.data.linkage.kind import Comparison, ExactKey, Kind, Level, SharedKey

_GIVEN = {
    "name": "VARCHAR", "first_name": "VARCHAR", "last_name": "VARCHAR", "email": "VARCHAR", "phone": "VARCHAR",
    "address": "VARCHAR", "city": "VARCHAR", "region": "VARCHAR", "postcode": "VARCHAR", "country": "VARCHAR",
    "birth_date": "DATE", "birthday": "VARCHAR", "account": "VARCHAR", "person_id": "VARCHAR",
}  # fmt: skip

# A whole name is taken apart only where its parts are not given: "Last, First" where a comma says so (and what follows
# is no degree), otherwise the last word with its particles is the family name.
_NAMES = rf"""
CREATE OR REPLACE TEMP TABLE link_names AS
WITH distinct_ones AS (
    SELECT DISTINCT name, first_name, last_name FROM link_given
), parted AS (
    SELECT *, link_given(name) AS whole,
        link_given(first_name) IS NULL AND link_given(last_name) IS NULL AND link_given(name) IS NOT NULL AS only_whole
    FROM distinct_ones
), turned AS (
    SELECT *, CASE WHEN only_whole AND contains(whole, ',')
        AND NOT regexp_matches(link_plain(split_part(whole, ',', 2)),
            '^{text.one_of((*words.DEGREES, *words.GENERATIONS))}\b')
        THEN split_part(whole, ',', 2) || ' ' || split_part(whole, ',', 1) ELSE whole END AS ordered
    FROM parted
), spelt AS (
    SELECT name, first_name, last_name, only_whole,
        regexp_replace(regexp_replace(link_plain(CASE WHEN only_whole THEN ordered ELSE first_name END),
            '^(?:{text.one_of(words.TITLES)} )+', ''), ' {text.one_of(words.DEGREES)}$', '', 'g') AS front,
        regexp_replace(link_plain(CASE WHEN only_whole THEN ordered ELSE last_name END),
            '(?: {text.one_of(words.DEGREES)})+$', '') AS back
    FROM turned
), aged AS (
    SELECT *, regexp_extract(coalesce(back, front), ' ({text.one_of(words.GENERATIONS)})$', 1) AS ending FROM spelt
), cut AS (
    SELECT * EXCLUDE (front, back), CASE WHEN ending = '' THEN front ELSE
            regexp_replace(front, ' ' || ending || '$', '') END AS front,
        CASE WHEN ending = '' THEN back ELSE regexp_replace(back, ' ' || ending || '$', '') END AS back
    FROM aged
), placed AS (
    SELECT *, CASE WHEN only_whole THEN regexp_extract(back, '((?:\b{text.one_of(words.PARTICLES)} )*\S+)$', 1)
        ELSE back END AS family
    FROM cut
), split AS (
    SELECT *, CASE WHEN only_whole AND length(front) > length(family)
            THEN trim(left(front, length(front) - length(family)))
        WHEN NOT only_whole THEN front END AS given_names
    FROM placed
), named AS (
    SELECT name, first_name, last_name, nullif(split_part(given_names, ' ', 1), '') AS first,
        nullif(replace(family, ' ', ''), '') AS last, means AS generation
    FROM split LEFT JOIN link_generations ON ending = given
)
SELECT n.* EXCLUDE (first), n.first, coalesce(k.means, n.first) AS root
FROM named AS n LEFT JOIN link_nicknames AS k ON k.given = n.first
"""

# Dates that forms fill in by themselves: the first of the century always, others when far too many have them.
_DEFAULT_DATES = """
CREATE OR REPLACE TEMP TABLE link_default_dates AS
WITH counted AS (SELECT birth_date, count(*) AS n FROM link_given WHERE birth_date IS NOT NULL GROUP BY birth_date)
SELECT birth_date FROM counted
WHERE birth_date <= DATE '1900-01-01' OR n > greatest(20, 20 * (SELECT avg(n) FROM counted))
"""

_NORMAL = f"""
CREATE OR REPLACE TEMP TABLE link_normal AS
WITH mailed AS (
    SELECT *, link_plain_mail(link_given(email)) AS plain_mail, link_digits(phone) AS dialled FROM link_given
), boxed AS (
    SELECT *, link_mailbox(plain_mail) AS mailbox FROM mailed
)
SELECT g.record_key, n.first, n.root, n.last, n.generation,
    CASE WHEN mailbox NOT IN {text.quoted(words.ROLES)} AND split_part(plain_mail, '@', 2) NOT LIKE 'test.%'
        AND split_part(plain_mail, '@', 2) NOT IN ('example.com', 'example.org')
        THEN mailbox || '@' || link_mail_domain(plain_mail) END AS mail,
    CASE WHEN mailbox NOT IN {text.quoted(words.ROLES)} AND length(mailbox) >= 6 THEN mailbox END AS box,
    translate(mailbox, 'abcdefghijklmnopqrstuvwxyz._-+', '') AS digits,
    translate(mailbox, '0123456789.', '') AS letters,
    link_phone(dialled) AS phone, a.means AS address, link_code(postcode) AS postcode, c.means AS city,
    CASE WHEN d.birth_date IS NULL AND g.birth_date < DATE '2200-01-01'
        THEN strftime(g.birth_date, '%Y-%m-%d') END AS birth,
    CASE WHEN (SELECT count(birthday) FROM link_given) > 0 THEN coalesce(
        strftime(CASE WHEN d.birth_date IS NULL THEN g.birth_date END, '%m-%d'), link_day(birthday)) END AS day,
    link_code(person_id) AS person_id
FROM boxed AS g
LEFT JOIN link_names AS n ON g.name IS NOT DISTINCT FROM n.name AND g.first_name IS NOT DISTINCT FROM n.first_name
    AND g.last_name IS NOT DISTINCT FROM n.last_name
LEFT JOIN link_addresses AS a ON g.address = a.address
LEFT JOIN link_cities AS c ON g.city = c.city
LEFT JOIN link_default_dates AS d ON d.birth_date = g.birth_date
"""

# What is said here of given names holds of their roots (Bob is Robert), initials, and small slips of spelling.
# 0.88 and 0.75: Jaro-Winkler, above which names are hardly ever two, and below which they are hardly ever one
# (Winkler 2006; Anna and Hannah .89, Robert and Rboert .94, Oliver and Olivia .88, Mia and Noah .53).
_MACROS = """
-- A day of the year as mm-dd; the first number is the month where both may be it.
CREATE OR REPLACE TEMP MACRO link_two(a, b) AS CASE
    WHEN a BETWEEN 1 AND 12 AND b BETWEEN 1 AND 31 THEN printf('%02d-%02d', a, b)
    WHEN b BETWEEN 1 AND 12 AND a BETWEEN 1 AND 31 THEN printf('%02d-%02d', b, a) END;
CREATE OR REPLACE TEMP MACRO link_day(t) AS CASE WHEN regexp_matches(trim(t), '^[0-3]?[0-9][-/. ][0-3]?[0-9][.]?$')
    THEN link_two(regexp_extract(t, '([0-9]+)', 1)::INTEGER,
        regexp_extract(t, '[0-9]+[^0-9]+([0-9]+)', 1)::INTEGER) END;
CREATE OR REPLACE TEMP MACRO link_initials(a, b) AS
    left(a, 1) = left(b, 1) AND (length(a) = 1 OR length(b) = 1);
CREATE OR REPLACE TEMP MACRO link_first_agrees(a, a_root, b, b_root) AS a_root = b_root OR link_initials(a, b)
    OR jaro_winkler_similarity(a, b) >= 0.88 OR (length(a) >= 3 AND length(b) >= 3 AND (
        starts_with(a, b) OR starts_with(b, a)));
CREATE OR REPLACE TEMP MACRO link_last_agrees(a, b) AS jaro_winkler_similarity(a, b) >= 0.88
    OR (length(a) >= 4 AND length(b) >= 4 AND (contains(a, b) OR contains(b, a)));
-- Thirteen years younger, and that by no slip of one digit: a parent and a child who share a name.
CREATE OR REPLACE TEMP MACRO link_birth_contradicts(a, b) AS CASE
    WHEN abs(left(a, 4)::INTEGER - left(b, 4)::INTEGER) >= 13 THEN NOT link_date_slip(a, b) ELSE false END;
-- First and last name exchanged, one of them perhaps with a slip.
CREATE OR REPLACE TEMP MACRO link_exchanged(a_first, a_last, b_first, b_last) AS coalesce(a_first <> a_last, true) AND (
    (a_first = b_last AND coalesce(jaro_winkler_similarity(a_last, b_first) >= 0.75, true))
    OR (a_last = b_first AND coalesce(jaro_winkler_similarity(a_first, b_last) >= 0.75, true)));
"""


def _normalise(con: duckdb.DuckDBPyConnection) -> None:
    for step in (_MACROS, text.ADDRESSES, text.CITIES, _NAMES, _DEFAULT_DATES, _NORMAL):
        con.execute(step)


_AGREES = "link_first_agrees(l.first, l.root, r.first, r.root)"
_TURNED = "coalesce(link_exchanged(l.first, l.last, r.first, r.last), false)"
_SAME_AGE = "coalesce(NOT link_birth_contradicts(l.birth, r.birth), true)"
_NAMED = f"(({_TURNED}) OR coalesce({_AGREES} OR link_last_agrees(l.last, r.last), false))"
# Without a given name, of the one person who has the mailbox.
_NOBODY_ELSE = """((l.first IS NULL OR r.first IS NULL) AND coalesce(link_last_agrees(l.last, r.last), true)
    AND greatest(l.mail_names, r.mail_names) <= 1)"""
# A given name that is another one: not a nickname, an initial, a slip, nor given and family name exchanged.
_FIRST_CONTRADICTS = f"""(length(l.first) > 1 AND length(r.first) > 1 AND l.root <> r.root
    AND jaro_winkler_similarity(l.first, r.first) < 0.75 AND NOT coalesce({_AGREES}, false)
    AND NOT {_TURNED})"""

_FIRST = Comparison(
    "first_name", ("first",),
    levels=(
        Level("the same", "first_l = first_r", 0.57, 0.01, "first"),
        Level("a nickname of the same", "root_l = root_r", 0.05, 0.01, "root"),
        Level("exchanged with the last name", "link_exchanged(first_l, last_l, first_r, last_r)", 0.08, 0.0001),
        Level("the same initial", "link_initials(first_l, first_r)", 0.06, 0.06),
        Level("almost the same", "jaro_winkler_similarity(first_l, first_r) >= 0.88", 0.16, 0.008),
        Level("similar", "link_first_agrees(first_l, root_l, first_r, root_r) OR "
              "jaro_winkler_similarity(first_l, first_r) >= 0.75", 0.05, 0.03),
        Level("another", "ELSE", 0.04, 0.9),
    ),
)  # fmt: skip
_LAST = Comparison(
    "last_name", ("last",), unless="coalesce(link_exchanged(first_l, last_l, first_r, last_r), false)",
    levels=(
        Level("the same", "last_l = last_r", 0.66, 0.001, "last"),
        Level("almost the same", "jaro_winkler_similarity(last_l, last_r) >= 0.9", 0.2, 0.003),
        Level("part of the other", "link_last_agrees(last_l, last_r)", 0.03, 0.003),
        Level("similar", "jaro_winkler_similarity(last_l, last_r) >= 0.8", 0.04, 0.02),
        Level("another", "ELSE", 0.07, 0.97),
    ),
)  # fmt: skip
_BIRTH = Comparison(
    "birth_date", ("birth",),
    levels=(
        Level("the same", "birth_l = birth_r", 0.73, 0.00005, "birth"),
        Level("day and month exchanged", "link_turned(birth_l, birth_r)", 0.02, 0.00005),
        Level("one digit off", "link_one_slip(birth_l, birth_r)", 0.1, 0.001),
        Level("two digits off", "hamming(birth_l, birth_r) <= 2", 0.08, 0.02),
        Level("another", "ELSE", 0.07, 0.98),
    ),
)  # fmt: skip
# Where the year is not known on both sides: forms ask for the day, to send wishes.
_DAY = Comparison(
    "birthday", ("day",), unless="(birth_l IS NOT NULL AND birth_r IS NOT NULL)",
    levels=(
        Level("the same", "day_l = day_r", 0.92, 0.0027, "day"),
        Level("day and month exchanged", "day_l = right(day_r, 2) || '-' || left(day_r, 2)", 0.03, 0.001),
        Level("one digit off", "hamming(day_l, day_r) <= 1", 0.02, 0.03),
        Level("another", "ELSE", 0.03, 0.97),
    ),
)  # fmt: skip
_EMAIL = Comparison(
    "email", ("mail",),
    levels=(
        Level("the same", "mail_l = mail_r", 0.25, 0.00001, "mail"),
        # Of those who have the same mailbox elsewhere one in forty has it at a domain that is spelt almost the same.
        Level("the same mailbox, a slip elsewhere", "box_l = box_r AND levenshtein(mail_l, mail_r) <= 2",
              0.06, 0.0000005),
        Level("the same mailbox elsewhere", "box_l = box_r", 0.08, 0.00002, "box"),
        # Providers tell people of one name apart by a number: another number is another person.
        Level("the same but for the number", "letters_l = letters_r AND digits_l <> digits_r", 0.02, 0.01),
        Level("almost the same, the same number",
              "digits_l = digits_r AND digits_l <> '' AND levenshtein(mail_l, mail_r) <= 2", 0.06, 0.00005),
        Level("similar", "jaro_winkler_similarity(mail_l, mail_r) >= 0.95 OR jaro_winkler_similarity(box_l, box_r) >= "
              "0.92 OR contains(box_l, box_r) OR contains(box_r, box_l)", 0.05, 0.002),
        # Records that are not joined by their address are of people who have two, if they are of one.
        Level("another", "ELSE", 0.48, 0.99),
    ),
)  # fmt: skip
_PHONE = Comparison(
    "phone", ("phone",),
    levels=(
        Level("the same", "phone_l = phone_r", 0.65, 0.00001, "phone"),
        Level("one digit off", "link_one_slip(phone_l, phone_r)", 0.04, 0.00002),
        Level("another", "ELSE", 0.3, 0.99),
    ),
)  # fmt: skip
_ADDRESS = Comparison(
    "address", ("address",),
    levels=(
        Level("the same", "address_l = address_r", 0.5, 0.00005, "address"),
        Level("almost the same", "jaro_winkler_similarity(address_l, address_r) >= 0.9", 0.25, 0.001),
        Level("similar", "jaccard(address_l, address_r) >= 0.75 AND jaro_similarity(address_l, address_r) >= 0.75",
              0.06, 0.01),
        Level("another", "ELSE", 0.19, 0.99),
    ),
)  # fmt: skip
# Most people of one postcode live in one town, so the two are one piece of evidence.
_TOWN = Comparison(
    "town", ("postcode", "city"),
    levels=(
        Level("the same postcode", "postcode_l = postcode_r", 0.8, 0.0005, "postcode"),
        Level("the same town, postcode not known", "city_l = city_r AND (postcode_l IS NULL OR postcode_r IS NULL)",
              0.65, 0.05, "city"),
        Level("the postcode one character off", "damerau_levenshtein(postcode_l, postcode_r) <= 1", 0.08, 0.002),
        Level("the same town, another postcode", "city_l = city_r", 0.08, 0.05, "city"),
        Level("almost the same town", "jaro_winkler_similarity(city_l, city_r) >= 0.9", 0.2, 0.01),
        Level("another", "ELSE", 0.1, 0.9),
    ),
)  # fmt: skip
_PERSON_ID = Comparison(
    "person_id", ("person_id",),
    levels=(
        Level("the same", "person_id_l = person_id_r", 0.9, 0.000001, "person_id"),
        Level("almost the same", "damerau_levenshtein(person_id_l, person_id_r) <= 1", 0.06, 0.00001),
        Level("another", "ELSE", 0.04, 0.99),
    ),
)  # fmt: skip

PEOPLE = Kind(
    name="people",
    given=_GIVEN,
    normalise=_normalise,
    columns=(
        "first", "root", "last", "generation", "mail", "box", "digits", "letters", "phone", "address",
        "postcode", "city", "birth", "day", "person_id",
    ),
    telling="mail IS NOT NULL OR person_id IS NOT NULL OR (first IS NOT NULL AND last IS NOT NULL AND ("
    "phone IS NOT NULL OR (birth IS NOT NULL AND (postcode IS NOT NULL OR city IS NOT NULL))))",
    # A family shares a mailbox and a telephone; more names than that are a club, a shop or a default. Beginnings of
    # names are counted, because slips are not people.
    shared=(
        SharedKey("mail", "left(root, 1)", 5),
        SharedKey("phone", "left(root, 1) || left(last, 2)", 8),
        SharedKey("person_id", "left(root, 1) || left(last, 2)", 3),
    ),
    exact=(
        ExactKey("e-mail", "mail", f"{_SAME_AGE} AND ({_AGREES} OR {_TURNED} OR {_NOBODY_ELSE})"),
        ExactKey("person id", "person_id", f"{_NAMED} OR l.birth = r.birth OR l.mail = r.mail OR l.phone = r.phone OR "
                 "l.address = r.address OR l.postcode = r.postcode OR l.root IS NULL OR r.root IS NULL"),
        ExactKey("phone and name", "phone || root || last", _SAME_AGE),
        ExactKey("name, birth date and postcode", "root || last || birth || postcode", "true"),
    ),
    blocks={
        "e-mail": "mail", "mailbox": "box", "phone": "phone", "person id": "person_id",
        "birth date and first name": "birth || root", "birth date and last name": "birth || last",
        "birthday, first and last name": "day || ' ' || root || ' ' || last",
        "birthday and postcode": "day || ' ' || postcode",
        "first and last name": "root || ' ' || last",
        "first and last name, postcode": "root || ' ' || last || ' ' || postcode",
        "first and last name, town": "root || ' ' || last || ' ' || city",
        "first and last name exchanged": "greatest(first, last) || ' ' || least(first, last)",
        "last name and postcode": "last || postcode", "first name and postcode": "root || postcode",
        "address": "address", "birth date": "birth",
        "town, beginnings of the names and year of birth":
            "city || left(first, 1) || left(last, 3) || left(birth, 4)",
    },
    comparisons=(_FIRST, _LAST, _BIRTH, _DAY, _EMAIL, _PHONE, _ADDRESS, _TOWN, _PERSON_ID),
    # An id that a person has only one of settles it either way, unless it may be one that was mistyped.
    contradiction=f"""CASE WHEN l.person_id = r.person_id THEN false
        WHEN link_one_slip(l.person_id, r.person_id) AND ({_NAMED} OR l.birth = r.birth) THEN false
        WHEN damerau_levenshtein(l.person_id, r.person_id) > 2 AND NOT ({_NAMED} AND coalesce(
            link_date_slip(l.birth, r.birth), false)) THEN true
        ELSE {_FIRST_CONTRADICTS} OR link_birth_contradicts(l.birth, r.birth) OR l.generation <> r.generation END""",
    # Members of a household share all but these; a name alone is nobody's own.
    needed=f"""({_AGREES} OR {_TURNED} OR l.mail = r.mail OR l.person_id = r.person_id
        OR link_date_slip(l.birth, r.birth) OR (l.day = r.day AND l.postcode = r.postcode))
        AND (l.mail = r.mail OR l.box = r.box OR CASE WHEN l.digits = r.digits AND l.digits <> ''
                THEN levenshtein(l.mail, r.mail) <= 2 END
            OR link_one_slip(l.phone, r.phone) OR link_date_slip(l.birth, r.birth)
            OR l.day = r.day OR l.postcode = r.postcode OR jaro_winkler_similarity(l.city, r.city) >= 0.9
            OR jaro_winkler_similarity(l.address, r.address) >= 0.9
            OR l.person_id = r.person_id)""",
    conflicting=("first", "root", "last", "birth", "generation", "person_id"),
    typical={
        "first": 0.005, "root": 0.005, "last": 0.001, "birth": 0.00005, "day": 0.0027, "mail": 0.000001, "box": 0.00001,
        "phone": 0.000002, "address": 0.00001, "postcode": 0.0001, "city": 0.02, "person_id": 0.000001,
    },
)  # fmt: skip
