"""Which SQL a person may write: text in, checked syntax tree out.

sqlglot reads the text; here every node of its tree, and every switch on a node, is compared with a short list.
What is not on the list is refused: queries, statements, windows, parameters, comments, functions we do not know.
Errors carry no place: :func:`segmentry.expressions.parse` adds it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import Token, TokenType

from segmentry.errors import ConfigError, did_you_mean
from segmentry.expressions.functions import FUNCTIONS, INSTEAD

Constant = int | float | str | bool | date | datetime

MAX_LENGTH = 20_000  # characters: a list of some 2,000 postcodes
MAX_NESTING = 20  # brackets and CASE; sqlglot takes about 25 Python frames a level, of 1,000
MAX_DEPTH = 60  # operators upon operators, a chain of AND or OR counting once
MAX_SIZE = 20_000  # nodes of the SQL, roughly

_DUCKDB = sqlglot.Dialect.get_or_raise("duckdb")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# A cast goes to one of six kinds. The first type of each is the one that it is written with.
TYPES: dict[str, tuple[exp.DType, ...]] = {
    "number": (exp.DType.DOUBLE, exp.DType.FLOAT, exp.DType.DECIMAL),
    "integer": (exp.DType.BIGINT, exp.DType.INT, exp.DType.SMALLINT, exp.DType.TINYINT),
    "text": (exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.CHAR),
    "date": (exp.DType.DATE,),
    "timestamp": (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ),
    "boolean": (exp.DType.BOOLEAN,),
}
_KIND_OF_TYPE = {type_: kind for kind, types in TYPES.items() for type_ in types}

# Every node that may appear, with the switches that may be set on it.
_TWO = frozenset({"this", "expression"})
_ONE = frozenset({"this"})
SHAPES: dict[type[exp.Expr], frozenset[str]] = {
    **dict.fromkeys((exp.And, exp.Or, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Is), _TWO),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ), _TWO),
    **dict.fromkeys((exp.Not, exp.Neg, exp.Paren, exp.Boolean), _ONE),
    **dict.fromkeys((exp.Like, exp.ILike), _TWO | {"negate"}),
    exp.DPipe: _TWO | {"safe"},
    exp.Between: frozenset({"this", "low", "high"}),
    exp.In: frozenset({"this", "expressions"}),
    exp.Case: frozenset({"this", "ifs", "default"}),
    exp.If: frozenset({"this", "true"}),
    exp.Cast: frozenset({"this", "to"}),
    exp.TryCast: frozenset({"this", "to", "safe"}),
    exp.Anonymous: frozenset({"this", "expressions"}),
    exp.Column: frozenset({"this", "table", "db", "catalog"}),
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Null: frozenset(),
}

_ALLOWED = (
    "An expression is made of columns, 'text', numbers, TRUE, FALSE, DATE '2024-01-31', + - * / %, ||, = <> < <= > >=, "
    "AND, OR, NOT, IN, BETWEEN, LIKE, ILIKE, IS NULL, CASE, CAST and functions such as coalesce, round and lower."
)
_WRITE_PLAIN = "Write it with what is allowed, or make a column that holds the result."

# What people try, what it is called, and what to do instead. The first class that fits is taken.
_REFUSED: tuple[tuple[tuple[type[exp.Expr], ...], str, str], ...] = (
    ((exp.Query, exp.Exists, exp.Values), "a query", "Make a column that holds what you look up, and name it here."),
    ((exp.Window, exp.Filter), "a calculation over several rows", "Make a column that holds its result."),
    ((exp.Star,), "*, which stands for all columns", "Name the columns."),
    ((exp.Placeholder, exp.Parameter), "a parameter", "Write the value itself."),
    (
        (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.Localtime, exp.Localtimestamp),
        "the clock of the computer",
        "Use a column that counts days up to the date of the run, such as recency_days, or write a date.",
    ),
    ((exp.Pow,), "a power", "Multiply: x * x."),
    ((exp.IntDiv,), "a whole-number division", "Write floor(a / b)."),
    (
        (exp.RegexpLike, exp.RegexpFullMatch, exp.SimilarTo, exp.Glob),
        "a regular expression",
        "Use LIKE with % and _, or starts_with, ends_with, contains.",
    ),
    ((exp.Tuple,), "a list outside IN", "Write x IN (1, 2)."),
    ((exp.RawString, exp.ByteString, exp.National), "a special form of text", "Write text in single quotes."),
)


class _Parser(DuckDBParser):
    """DuckDB's grammar, with each function call left as it was written: what is checked is what was typed.

    % stands with * and /, as in every database: sqlglot has it with + and -, and reads a + b % c as (a + b) % c.
    """

    TERM: ClassVar[dict[TokenType, Any]] = {k: v for k, v in DuckDBParser.TERM.items() if k != TokenType.MOD}
    FACTOR: ClassVar[dict[TokenType, Any]] = {**DuckDBParser.FACTOR, TokenType.MOD: exp.Mod}

    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        name: DuckDBParser.FUNCTION_PARSERS[name] for name in ("CAST", "TRY_CAST")
    }
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        "CASE": DuckDBParser.NO_PAREN_FUNCTION_PARSERS["CASE"]
    }


def checked(text: str) -> exp.Expr:
    """The syntax tree of one scalar expression in which everything is allowed.

    Raises :class:`ConfigError` that says what is wrong, where in the text, and what to write instead.

    >>> checked("Quantity * UnitPrice").sql()
    'Quantity * UnitPrice'
    """
    tree = _tree(_tokens(text), text)
    _refuse_deep(tree)
    for node in list(tree.walk(prune=lambda n: isinstance(n, exp.DataType))):
        if isinstance(node, exp.DataType):
            continue
        _check_shape(node)
        if check := _CHECKS.get(type(node)):
            check(node)
    if (size := _size(tree)) > MAX_SIZE:
        raise ConfigError(
            f"the expression grows to {size:,} parts in the database.",
            why=f"At most {MAX_SIZE:,} are sent: a function inside a function writes its argument out several times.",
            fix="Make a column that holds a part of it.",
        )
    return tree


def constant(node: exp.Expr) -> Constant | None:
    """The Python value of a literal, a negated number or a date literal; None for anything else.

    >>> constant(checked("-1.50")), constant(checked("date '2024-01-31'")), constant(checked("a + 1"))
    (-1.5, datetime.date(2024, 1, 31), None)
    """
    if isinstance(node, exp.Paren):
        return constant(node.this)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Literal):
        return str(node.this) if node.is_string else _number(node.this)
    if isinstance(node, exp.Neg):
        value = constant(node.this)
        return -value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string:
        kind = cast_kind(node)
        return moment(node.this.this, kind) if kind in {"date", "timestamp"} else None
    return None


def cast_kind(node: exp.Cast) -> str:
    """What a cast makes of its operand: a key of ``TYPES``."""
    return _KIND_OF_TYPE[node.to.this]


def moment(text: str, kind: str) -> date | datetime:
    """A date (or a timestamp, in UTC) from ISO 8601 text."""
    try:
        if not (_ISO_DAY.fullmatch(text) if kind == "date" else _ISO_DAY.match(text)):
            raise ValueError(text)
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"'{text}' is no {kind}.",
            why="Dates are written year-month-day, with an hour for a timestamp.",
            fix="Write it like " + ("'2024-01-31'." if kind == "date" else "'2024-01-31 18:30:00'."),
        ) from error
    if kind == "date":
        return value.date()
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def written(node: exp.Expr) -> str:
    """A tree as text: on one line, words of SQL in upper case, functions in lower case."""
    return node.sql(dialect="duckdb", normalize_functions="lower")


def shown(node: exp.Expr) -> str:
    """A part of an expression in an error: short, in backquotes."""
    return f"`{_short(written(node))}`"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "…"


def _number(text: str) -> int | float:
    """15 digits, as in a fitted rule: DuckDB reads longer literals as DECIMAL (law 9)."""
    if text.isdigit() and text.isascii() and len(text) < 20:
        return int(text)
    return float(f"{float(text):.15g}")


# Text to tokens to tree -----------------------------------------------------------------------------------------------


def _tokens(text: str) -> list[Token]:
    if not text.strip():
        raise ConfigError("the expression is empty.", why="A column or a condition is needed.", fix="Write one.")
    if len(text) > MAX_LENGTH:
        raise ConfigError(
            f"the expression has {len(text):,} characters.",
            why=f"At most {MAX_LENGTH:,} are read.",
            fix="Make a column that holds a part of it.",
        )
    if odd := _INVISIBLE.search(_outside_text(text)):
        raise ConfigError(
            f"character {odd.start() + 1} of the expression is the invisible U+{ord(odd[0]):04X}.",
            why="Only ordinary spaces and line breaks may stand between the parts.",
            fix="Delete it and type a space.",
        )
    try:
        tokens = _DUCKDB.tokenize(text)
    except TokenError as error:
        at, quote = _open_quote(text)
        raise ConfigError(
            f"syntax error at {_position(text, at)}: {quote} is opened there and never closed.",
            why="Text stands in single quotes, a column name with spaces in double quotes.",
            fix="Close it; a quote inside text is written twice, as in 'it''s'.",
        ) from error
    _refuse_tricks(tokens, text)
    return tokens


def _refuse_tricks(tokens: list[Token], text: str) -> None:
    nesting = 0
    for token in tokens:
        if token.comments:
            raise ConfigError(
                f"the expression has a comment at {_position(text, _comment(text))}.",
                why="Comments are not read inside an expression.",
                fix="Put the comment on a line of its own with # in the YAML file.",
            )
        if token.token_type == TokenType.SEMICOLON:
            raise ConfigError(
                f"the expression has a semicolon at {_position(text, token.start)}.",
                why="It is one expression, not a series of statements.",
                fix="Delete the semicolon and what does not belong to the expression.",
            )
        nesting += {TokenType.L_PAREN: 1, TokenType.CASE: 1, TokenType.R_PAREN: -1, TokenType.END: -1}.get(
            token.token_type, 0
        )
        if nesting > MAX_NESTING:
            raise _too_deep(f"more than {MAX_NESTING} brackets or CASE inside each other")


def _tree(tokens: list[Token], text: str) -> exp.Expr:
    try:
        # As a condition, so that statements and aliases are not even read.
        trees = _Parser(dialect=_DUCKDB).parse_into(exp.Condition, tokens, text)
    except RecursionError as error:
        raise _too_deep("too many parts inside each other") from error
    except ParseError as error:
        found = error.errors[0]
        near = str(found["highlight"])
        line, column = int(found["line"]), int(found["col"]) - len(near) + 1  # sqlglot names the last character
        offset = sum(len(part) for part in text.splitlines(keepends=True)[: line - 1]) + column - 1
        reason = next((why for start, why in _REASONS.items() if str(found["description"]).startswith(start)), "")
        raise _syntax(f"at {_position(text, offset)}, near '{_short(near)}'", reason) from error
    except Exception as error:  # sqlglot has slips, such as IndexError for "else = 1": the text cannot be read
        raise _syntax("in it") from error
    if len(trees) != 1 or trees[0] is None:
        raise _syntax("in it")
    return trees[0]


# What sqlglot says, and what people understand.
_REASONS = {
    "Expecting )": "A bracket is opened and not closed.",
    "Expected END": "A CASE ends with END.",
    "Expected AS": "A cast is written CAST(x AS number).",
    "Required keyword": "A side of an operator is missing.",
    "Invalid expression": "What stands there does not continue what stands before.",
}


def _syntax(at: str, reason: str = "") -> ConfigError:
    return ConfigError(
        f"syntax error {at}.",
        why=reason or "It is read like SQL: one condition or calculation.",
        fix='Check the spelling; a column name with spaces or signs, or one that is a word of SQL, is written "so".',
    )


def _too_deep(what: str) -> ConfigError:
    return ConfigError(
        f"the expression is nested too deep: {what}.",
        why="Such an expression can hardly be read or explained.",
        fix="Remove needless brackets, or make a column that holds a part of it.",
    )


def _refuse_deep(tree: exp.Expr) -> None:
    stack: list[tuple[exp.Expr, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise _too_deep(f"more than {MAX_DEPTH} operators upon each other")
        for child in node.iter_expressions():
            chained = type(child) is type(node) and isinstance(node, exp.And | exp.Or)
            stack.append((child, depth + (not chained)))


def _size(node: exp.Expr) -> int:
    """About how many nodes of SQL a tree becomes: some functions and casts write their argument out several times."""
    copies = 1
    if isinstance(node, exp.Anonymous):
        function = FUNCTIONS[node.name.lower()]
        copies = len(node.expressions) if function.copies is None else function.copies
    elif isinstance(node, exp.Cast):
        copies = 6 if cast_kind(node) == "integer" else 2
    elif isinstance(node, exp.Case) and node.this:
        copies = len(node.args["ifs"])
    children = node.flatten() if isinstance(node, exp.And | exp.Or) else node.iter_expressions()
    return 1 + copies * sum(_size(child) for child in children if not isinstance(child, exp.DataType))


def _position(text: str, offset: int) -> str:
    """'character 7', or 'line 2, character 3' in a text of several lines.

    >>> _position("a = b", 4), _position("a\\n= b", 4)
    ('character 5', 'line 2, character 3')
    """
    before = text[:offset]
    column = offset - (before.rfind("\n") + 1) + 1
    return f"line {before.count(chr(10)) + 1}, character {column}" if "\n" in text else f"character {column}"


def _quoted_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each piece in quotes; the end of one that is never closed is the end of the text."""
    at = 0
    while match := re.search(r"""['"]""", text[at:]):
        start = at + match.start()
        end = text.find(match[0], start + 1)
        at = len(text) if end < 0 else end + 1
        yield start, at


def _outside_text(text: str) -> str:
    """The text with what stands in quotes blanked out."""
    for start, end in _quoted_spans(text):
        text = text[:start] + "." * (end - start) + text[end:]
    return text


def _comment(text: str) -> int:
    found = re.search(r"--|/\*", _outside_text(text))
    return found.start() if found else 0


def _open_quote(text: str) -> tuple[int, str]:
    for start, _ in _quoted_spans(text):
        if text.find(text[start], start + 1) < 0:
            return start, f"the quote {text[start]}"
    at = max(text.rfind("/*"), 0)
    return at, f"'{text[at : at + 2]}'"


# Tree to checked tree -------------------------------------------------------------------------------------------------


def _check_shape(node: exp.Expr) -> None:
    allowed = SHAPES.get(type(node))
    if allowed is None:
        for classes, name, fix in _REFUSED:
            if isinstance(node, classes):
                raise ConfigError(f"the expression uses {name}.", why=_ALLOWED, fix=fix)
        raise ConfigError(
            f"the expression uses {node.key.upper()}, which is not read here.", why=_ALLOWED, fix=_WRITE_PLAIN
        )
    for switch, value in node.args.items():
        if not value or switch in allowed:
            continue
        if isinstance(value, exp.Query):
            _check_shape(value)
        raise ConfigError(
            f"the expression uses a form of {node.key.upper()} that is not read here.",
            why=_ALLOWED,
            fix="Write x IN (1, 2) with the values in brackets." if isinstance(node, exp.In) else _WRITE_PLAIN,
        )


def _check_name(node: exp.Identifier) -> None:
    if not node.args.get("quoted") and (curly := re.search("[‘’‚“”„«»`´]", node.name)):
        raise ConfigError(
            f"{node.name} is written with the typographic quote {curly[0]}.",
            why="SQL knows straight quotes only: 'text' and \"column name\".",
            fix="Type the quotes again, without the help of a word processor.",
        )


def _check_literal(node: exp.Literal) -> None:
    if node.is_string:
        return
    text = str(node.this)
    try:
        value = _number(text)
    except ValueError:  # the tokenizer takes every digit of Unicode, such as ² or ٣
        value = math.inf
    if value >= 2**63 if text.isdigit() else not math.isfinite(value):
        raise ConfigError(
            f"{_short(text)} is no number that can be used.",
            why="Whole numbers go to 9,223,372,036,854,775,807, others to about 1e308, in the digits 0 to 9.",
            fix="Write a smaller number, or its digits plainly.",
        )


def _check_null(node: exp.Null) -> None:
    child: exp.Expr = node
    while isinstance(child.parent, exp.Paren):
        child = child.parent
    place = (type(child.parent), child.arg_key)
    if place in {(exp.Is, "expression"), (exp.If, "true"), (exp.Case, "default")}:
        return
    parent = child.parent
    if isinstance(parent, exp.EQ | exp.NEQ):
        other = parent.expression if child.arg_key == "this" else parent.this
        word = "IS NULL" if isinstance(parent, exp.EQ) else "IS NOT NULL"
        raise ConfigError(
            f"{shown(parent)} is never true, not even where {shown(other)} is unknown.",
            why="NULL means unknown, and nothing equals the unknown.",
            fix=f"Write `{_short(written(other))} {word}`.",
        )
    raise ConfigError(
        f"NULL has no place in {shown(parent or node)}.",
        why="NULL means unknown: it may follow IS, IS NOT, THEN and ELSE only.",
        fix="Ask for unknown values with IS NULL, replace them with coalesce(x, 0).",
    )


def _check_is(node: exp.Is) -> None:
    _check_brackets(node)
    if not isinstance(node.expression, exp.Null | exp.Boolean):
        raise ConfigError(
            f"{shown(node)} is not read.",
            why="IS may be followed by NULL, NOT NULL, TRUE, NOT TRUE, FALSE and NOT FALSE.",
            fix="Compare other values with =.",
        )


def _check_brackets(node: exp.Expr) -> None:
    """Refuse what sqlglot and databases read differently: a = b IS NULL is (a = b) IS NULL to them alone."""
    if isinstance(node.this, _CONDITIONS) or isinstance(node.args.get("expression"), _CONDITIONS):
        raise ConfigError(
            f"{shown(node)} can be read in two ways.",
            why="It is not clear which of its conditions comes first; databases differ.",
            fix="Put brackets around the one that comes first; for a < b < c write a < b AND b < c.",
        )


def _check_list(node: exp.In) -> None:
    _check_brackets(node)
    if not node.expressions:
        raise ConfigError(
            f"the list of {shown(node)} is empty.",
            why="IN compares with a list of values.",
            fix="Write the values in brackets, as in x IN (1, 2).",
        )


def _check_pattern(node: exp.Like | exp.ILike) -> None:
    pattern = constant(node.expression)
    if not isinstance(pattern, str) or "\\" in pattern:
        raise ConfigError(
            f"{shown(node.expression)} is no pattern for LIKE.",
            why="A pattern is text in quotes: % stands for any characters, _ for one; a backslash differs by database.",
            fix="Write one like 'C%', or use starts_with, ends_with or contains.",
        )


def _check_cast(node: exp.Cast) -> None:
    kind = _KIND_OF_TYPE.get(node.to.this)
    sizes = [part.name for part in node.to.expressions]
    if kind is None or (sizes and sizes != ["18", "3"]):  # DuckDB's plain DECIMAL is (18, 3): taken as a number
        raise ConfigError(
            f"{shown(node)} casts to a type that is not known here.",
            why=f"Types are {', '.join(TYPES)}, without a size.",
            fix="Use number for all kinds of decimal numbers, and round(x, 2) for the digits.",
        )
    node.set("to", exp.DataType(this=TYPES[kind][0], nested=False))
    constant(node)  # refuses DATE '2024-02-31'


def _check_call(node: exp.Anonymous) -> None:
    name = node.name.lower()
    function = FUNCTIONS.get(name)
    if function is None:
        near = did_you_mean(name, FUNCTIONS)
        raise ConfigError(
            f"{node.name}(…) is no function that may be used.",
            why=f"Functions are {', '.join(FUNCTIONS)}.",
            fix=INSTEAD.get(name) or (near if near.startswith("Did") else _WRITE_PLAIN),
        )
    given = len(node.expressions)
    if not function.least <= given <= function.most:
        raise ConfigError(
            f"{name} is given {given} {'value' if given == 1 else 'values'}.",
            why=f"It takes {function.signature(name)}.",
            fix="Add or remove values; they are separated by commas.",
        )


_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_CONDITIONS = (*_COMPARISONS, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.Not)
_CHECKS: dict[type[exp.Expr], Callable[[Any], None]] = {
    **dict.fromkeys(_COMPARISONS, _check_brackets),
    exp.Identifier: _check_name,
    exp.Literal: _check_literal,
    exp.Null: _check_null,
    exp.Is: _check_is,
    exp.In: _check_list,
    exp.Like: _check_pattern,
    exp.ILike: _check_pattern,
    exp.Cast: _check_cast,
    exp.TryCast: _check_cast,
    exp.Anonymous: _check_call,
}
