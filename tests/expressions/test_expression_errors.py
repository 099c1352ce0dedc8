"""What a person is told: each message names the place, what was given, what is allowed, and what to do next."""

from __future__ import annotations

import ibis
import pytest
from tests.expressions.written import condition, values

from segmentry.errors import ConfigError
from segmentry.expressions import parse
from segmentry.expressions.grammar import MAX_DEPTH, MAX_LENGTH, MAX_NESTING

PLACE = "segmentry.yaml:14 segmentations.lifecycle.segments.0.where"
LISTED = "`segmentry show traits` lists all 11."
TRAITS = ibis.table(
    {
        "orders": "int64",
        "spend": "float64",
        "country": "string",
        "name": "string",
        "is_member": "boolean",
        "signup": "date",
        "last_order": "timestamp",
        "tags": "array<string>",
        "A": "int64",
        "a": "int64",
        "Unit Price": "float64",
    },
    name="traits",
)


def error(text: str, *, rule: bool = False) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        (condition if rule else values)(text, TRAITS, where=PLACE, listed=LISTED)
    return caught.value


def assert_helps(found: ConfigError, *said: str) -> None:
    assert found.what.startswith(f"{PLACE}: ")
    assert found.why
    assert found.fix
    for words in said:
        assert words in str(found), str(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # columns
        ("orderz > 3", ["no column 'orderz'", "Did you mean 'orders'", LISTED]),
        ("zzz > 3", ["no column 'zzz'", "Allowed: A, Unit Price, a, country", LISTED]),
        ('country = "GB"', ["no column 'GB'", "Text is written in single quotes: 'GB'"]),
        ("tags = 'x'", ["'tags' holds values of type array<string>", "Expressions work on numbers, text"]),
        ("country = ‘GB’", ["typographic quote ‘", "straight quotes"]),
        # kinds
        ("'abc' > 3", ["`'abc' > 3` mixes a number, `3`, with text, `'abc'`", "one kind", "without quotes"]),
        ("orders = '3'", ["text, `'3'`", "Write the number without quotes."]),
        ("country > 3", ["text, `country`", "Convert it: `CAST(country AS number)`."]),
        ("country + 1", ["`country` in `country + 1` is text", "+ works on a number", "CAST(country AS number)"]),
        ("country + name", ["is text", "+ works on a number"]),
        ("-country", ["is text", "- works on a number"]),
        ("orders || 'x'", ["`orders`", "|| works on text", "CAST(orders AS text)"]),
        ("orders and is_member", ["`orders` in `orders AND is_member` is a number", "true or false", "`orders = 1`"]),
        ("not country", ["is text", "NOT works on true or false", "`country IS NOT NULL`"]),
        ("is_member = 1", ["true or false, `is_member`", "Write `is_member` or `NOT is_member` on its own."]),
        ("orders = true", ["Write a number instead of `TRUE`."]),
        ("signup > 3", ["Write a date instead of `3`, such as DATE '2024-01-31'."]),
        ("signup > '31/01/2024'", ["'31/01/2024' is no date", "year-month-day", "'2024-01-31'"]),
        ("last_order > 'soon'", ["'soon' is no timestamp", "'2024-01-31 18:30:00'"]),
        ("orders like '1%'", ["`orders`", "LIKE works on text", "CAST(orders AS text)"]),
        ("orders is true", ["IS TRUE or FALSE works on true or false"]),
        ("is_member > false", ["asks which of true and false is more", "a < b AND b < c"]),
        ("orders in (1, 'x')", ["mixes a number, `orders`, with text, `'x'`"]),
        ("orders between 1 and 'x'", ["mixes a number", "text, `'x'`"]),
        ("case when orders then 1 end", ["WHEN works on true or false"]),
        ("case when is_member then 1 else 'x' end", ["mixes a number, `1`, with text, `'x'`"]),
        ("coalesce(orders, 'none')", ["mixes a number, `orders`, with text, `'none'`"]),
        ("abs(country)", ["abs works on a number"]),
        ("lower(orders)", ["lower works on text"]),
        ("year(country)", ["year works on a date or a timestamp", "CAST(country AS timestamp)"]),
        ("last_order - signup", ["subtracts times", "days_between(last_order, signup)"]),
        ("spend % 2", ["remainder of a decimal number", "whole numbers", "CAST(x AS integer) % 7"]),
        ("cast(spend as text)", ["makes text of a number", "CAST(CAST(spend AS integer) AS text)"]),
        ("cast(orders as date)", ["From a number one gets number, integer, boolean", "another column"]),
        ("round(spend, orders)", ["`orders` in `round(spend, orders)` is no digits", "from 0 to 9"]),
        ("substring(name, 0)", ["`0`", "from 1 to 10,000", "characters count from 1"]),
        ("left(name, -1)", ["`-1`", "from 1 to 10,000"]),
        # null
        ("orders = null", ["`orders = NULL` is never true", "Write `orders IS NULL`."]),
        ("null <> orders", ["never true", "Write `orders IS NOT NULL`."]),
        ("orders > (null)", ["NULL has no place", "IS NULL"]),
        ("orders + null", ["NULL has no place in `orders + NULL`", "coalesce(x, 0)"]),
        ("orders in (1, null)", ["NULL has no place"]),
        ("coalesce(orders, null)", ["NULL has no place"]),
        ("null", ["NULL has no place", "may follow IS"]),
        # what is not in the language
        ("roun(spend)", ["roun(…) is no function", "Functions are abs, ceil", "Did you mean 'round'?"]),
        ("sum(spend)", ["sum(…) is no function", "needs several rows", "column that holds the result"]),
        ("now()", ["There is no clock", "recency_days"]),
        ("current_date > signup", ["the clock of the computer", "recency_days"]),
        ("datediff('day', signup, last_order)", ["Write days_between(later, earlier)."]),
        ("if(is_member, 1, 2)", ["Write CASE WHEN"]),
        ("round(spend, 1, 2)", ["round is given 3 values", "round(number[, digits])"]),
        ("coalesce(spend)", ["coalesce is given 1 value.", "coalesce(value, value, …)"]),
        ("orders ** 2", ["a power", "x * x"]),
        ("orders // 2", ["a whole-number division", "floor(a / b)"]),
        ("country ~ 'x'", ["a regular expression", "Use LIKE"]),
        ("country similar to 'x'", ["a regular expression"]),
        ("country like name", ["`name` is no pattern for LIKE", "% stands for any characters"]),
        (r"country like 'a\_b'", ["is no pattern for LIKE", "a backslash differs"]),
        ("country like 'a!_b' escape '!'", ["ESCAPE, which is not read here"]),
        ("orders in country", ["a form of IN", "IN (1, 2)"]),
        ("orders in ()", ["is empty", "IN (1, 2)"]),
        ("orders between symmetric 1 and 2", ["a form of BETWEEN"]),
        ("(orders, spend)", ["a list outside IN"]),
        ("orders is 3", ["`orders IS 3` is not read", "IS may be followed by"]),
        ("cast(orders as uuid)", ["type that is not known", "number, integer, text, date, timestamp, boolean"]),
        ("cast(orders as decimal(10, 2))", ["without a size", "round(x, 2)"]),
        ("date '2024-02-31'", ["'2024-02-31' is no date"]),
        ("date '20240131'", ["'20240131' is no date"]),
        ("99999999999999999999", ["is no number that can be used", "9,223,372,036,854,775,807"]),
        ("1e400", ["is no number that can be used"]),
        ("orders < 3 < 4", ["can be read in two ways", "a < b AND b < c"]),
        ("is_member = orders is null", ["can be read in two ways", "Put brackets"]),
        ("orders in (1) is null", ["can be read in two ways"]),
        # syntax
        ("", ["is empty"]),
        ("  ", ["is empty"]),
        ("orders = = 3", ["syntax error at character 10, near '='", "A side of an operator is missing"]),
        ("orders >\n3 and\n= 4", ["syntax error at line 3, character 3, near '4'"]),
        ("(orders", ["syntax error at character 2", "bracket"]),
        ("orders)", ["syntax error at character 7, near ')'"]),
        ("orders > 3 limit 3", ["syntax error at character 12, near 'limit'"]),
        ("Unit Price * 2", ["syntax error at character 6, near 'Price'", "a column name with spaces"]),
        ("orders as o", ["syntax error at character 8, near 'as'"]),
        ("orders, spend", ["syntax error at character 7, near ','"]),
        ("case when orders > 1 then 2", ["syntax error", "A CASE ends with END"]),
        ("cast(orders)", ["A cast is written CAST(x AS number)"]),
        ("else = 1", ["syntax error", "a word of SQL"]),
        ("name = 'abc", ["syntax error at character 8", "never closed", "'it''s'"]),
        ('"Unit Price * 2', ["syntax error at character 1", "never closed"]),
        ("orders > 3\u200b", ["character 11", "U+200B", "Delete it"]),
        ("orders\x00 > 3", ["character 7", "U+0000"]),
    ],
)
def test_a_mistake_is_explained(text: str, said: list[str]):
    assert_helps(error(text), *said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("orders * 2", ["`orders * 2` is a number, not a condition", "true or false", "`orders * 2 > 0`"]),
        ("lower(country)", ["`lower(country)` is text, not a condition", "`lower(country) = 'x'`"]),
        ("signup", ["is a date, not a condition"]),
    ],
)
def test_a_rule_must_be_a_condition(text: str, said: list[str]):
    assert_helps(error(text, rule=True), *said)


@pytest.mark.parametrize(
    "text",
    [
        "1; drop table traits",
        "orders > 1; select 1",
        ";",
        "drop table traits",
        "select 1",
        "with t as (select 1) select * from t",
        "(select 1)",
        "orders > (select max(orders) from traits)",
        "orders in (select 1)",
        "exists (select 1)",
        "orders = any (select 1)",
        "from traits",
        "values (1)",
        "pragma database_list",
        "attach 'x.db'",
        "copy traits to 'x.csv'",
        "create table x as select 1",
        "set memory_limit = '1GB'",
        "pg_sleep(1)",
        "read_csv('/etc/passwd')",
        "read_text('/etc/passwd')",
        "getenv('HOME')",
        "current_setting('x')",
        "current_user",
        "session_user",
        "main.getenv('HOME')",
        "\"getenv\"('HOME')",
        "query('select 1')",
        "sql_auto_complete('x')",
        "nextval('s')",
        "random()",
        "uuid()",
        "count(*)",
        "sum(orders) over ()",
        "row_number() over (order by orders)",
        "sum(orders) filter (where orders > 1)",
        "max(distinct orders)",
        "lower(name order by name)",
        "coalesce(orders, 0) over ()",
        "lower(name := 'x')",
        "*",
        "traits.*",
        "columns('o.*')",
        "* exclude (orders)",
        "unnest([1])",
        "orders > 1 -- and is_member",
        "orders /* > 1 */ > 2",
        "orders > 1 /*+ hint */",
        "coalesce /* sqlglot.anonymous */ (orders, 0)",
        "/* */ orders",
        "orders > 1 /*",
        "?",
        "$1",
        ":name",
        "@name",
        "#1",
        "{{ orders }}",
        "[1, 2]",
        "{'a': orders}",
        "map {'a': 1}",
        "orders[1]",
        "name -> '$.x'",
        "name ->> '$.x'",
        "x -> x + 1",
        "lambda x: x",
        "interval 3 day",
        "signup + interval 1 day",
        "time '10:00'",
        "name collate nocase",
        "last_order at time zone 'UTC'",
        "orders & 1",
        "orders << 62",
        "~orders",
        "name glob '*'",
        "name regexp 'x'",
        "name ^@ 'x'",
        "$$text$$ = name",
        "e'\\x41' = name",
        "x'41' = name",
        "N'x' = name",
        "'a' 'b' = name",
        "try(orders)",
        "orders := 1",
        "orders limit 1",
        "orders union select 1",
        "orders from traits",
        "pivot",
    ],
)
def test_what_is_no_plain_expression_is_refused_before_it_reaches_a_database(text: str):
    assert_helps(error(text))


def test_text_with_sql_in_it_stays_text():
    for text in ("'; drop table traits --'", "'/* x */'", "'$1 ? (select 1)'", "'it''s'"):
        value = values(f"name = {text}", TRAITS, where=PLACE)
        assert text in ibis.to_sql(value.as_table(), dialect="duckdb")


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [MAX_NESTING + 1, 500, 5_000])
@pytest.mark.parametrize(
    ("start", "end"),
    [("(", ")"), ("abs(", ")"), ("case when is_member then ", " end"), ("cast(", " as integer)"), ("1 in (", ")")],
)
def test_deep_nesting_is_refused_with_an_explanation(depth: int, start: str, end: str):
    text = start * depth + "orders" + end * depth
    assert_helps(error(text[: MAX_LENGTH - 1]), "nested too deep" if len(text) < MAX_LENGTH else "", "column")


@pytest.mark.parametrize(
    "text",
    [
        "- " * 900 + "orders",
        "not " * 900 + "is_member",
        "orders" + " + orders" * 900,
        "orders" + "::integer" * 900,
        "name" + " || name" * 900,
        "is_member" + " is true" * 900,
        "(" * 900,
        "case when " * 900,
    ],
)
def test_long_chains_are_refused_with_an_explanation(text: str):
    assert_helps(error(text))


def test_calls_that_would_grow_in_the_database_are_refused():
    text = "spend"
    for _ in range(MAX_NESTING - 1):
        text = f"round({text}, 2)"
    assert_helps(error(text), "grows to", "column")
    text = "least(" * 8 + "orders" + ", 1, 2, 3)" * 8
    assert_helps(error(text), "grows to")


def test_an_overlong_text_is_refused():
    assert_helps(error("orders > 1 and " * 2_000 + "orders > 1"), "30,010 characters", "At most 20,000")


def test_what_is_just_within_the_limits_is_bound_and_compiled():
    texts = [
        "(" * MAX_NESTING + "orders" + ")" * MAX_NESTING,
        "abs(" * MAX_NESTING + "orders" + ")" * MAX_NESTING,
        "case when is_member then " * MAX_NESTING + "orders" + " end" * MAX_NESTING,
        "orders" + " + orders" * (MAX_DEPTH - 3),
        "not " * (MAX_DEPTH - 3) + "is_member",
        " or ".join(f"orders = {i}" for i in range(500)),
        f"country in ({', '.join(repr(f'P{i:05}') for i in range(1_800))})",
    ]
    for text in texts:
        assert ibis.to_sql(TRAITS.select(v=values(text, TRAITS, where=PLACE)), dialect="postgres")


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_name_fits_in_any_case_unless_that_is_unclear():
    assert parse("ORDERS + Spend", where=PLACE).resolve(TRAITS.columns).columns == ("orders", "spend")
    assert parse("A + a", where=PLACE).resolve(TRAITS.columns).columns == ("A", "a")
    with pytest.raises(ConfigError, match="'ab' may be AB or Ab"):
        parse("ab > 1", where=PLACE).resolve(["AB", "Ab"])


def test_a_name_with_points_is_one_name():
    rule = parse("properties.url = '/pricing' and properties.\"page id\" > 1", where=PLACE)
    assert rule.columns == ("properties.url", "properties.page id")
    table = ibis.table({"properties.url": "string", "properties.page id": "int64"}, name="events")
    assert "properties.page id" in ibis.to_sql(table.filter(rule.condition(table)))
    again = parse(rule.resolve(table.columns).sql(), where=PLACE)
    assert again.columns == rule.columns


def test_a_column_may_be_named_as_it_is():
    assert values("Unit Price", TRAITS, where=PLACE).equals(TRAITS["Unit Price"])
    assert values(' "unit price" ', TRAITS, where=PLACE).equals(TRAITS["Unit Price"])
    assert parse("a-b * c", where=PLACE, names=["a-b * c"]).columns == ("a-b * c",)


def test_a_word_of_sql_may_be_a_column_name():
    names = ["order", "group", "date", "year", "left", "user", "comment", "segment", "desc", "count", "value", "end"]
    table = ibis.table(dict.fromkeys(names, "int64"), name="t")
    for name in names:
        rule = parse(f"{name} >= 2", where=PLACE)
        assert rule.columns == (name,)
        assert parse(rule.resolve(names).sql(), where=PLACE).columns == (name,)
        assert rule.condition(table).equals(table[name] >= ibis.literal(2, type="int64"))


def test_an_expression_is_a_value():
    one, same = parse("orders>1", where="here"), parse("orders  > 1", where="there")
    assert one == same
    assert hash(one) == hash(same)
    assert str(one) == one.sql() == "orders > 1"
    assert one != parse("orders > 2", where="here")
