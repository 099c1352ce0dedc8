"""A declared trait read back in plain English, so that whoever wrote it sees what will be computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from segmentry.declaration import ROWS, Aggregate, DeclaredTrait
from segmentry.expressions import Expression, reads_as


def sentence(
    declared: DeclaredTrait, where: Expression | None, argument: Expression | None, steps: Mapping[str, Expression]
) -> str:
    """What the trait is, as one sentence; after the description that a person gave."""
    text = _read(declared, where, argument, steps)
    own = declared.description.strip()
    return f"{own.removesuffix('.')}. {_capital(text)}." if own else f"{_capital(text)}."


def several(noun: str) -> str:
    """The plural of what a row is called.

    >>> several("event"), several("statement of consent"), several("opportunity")
    ('events', 'statements of consent', 'opportunities')
    """
    first, _, rest = noun.partition(" of ")
    many = f"{first[:-1]}ies" if first.endswith("ty") else f"{first}s"
    return f"{many}{' of ' + rest if rest else ''}"


def _read(
    declared: DeclaredTrait, where: Expression | None, argument: Expression | None, steps: Mapping[str, Expression]
) -> str:
    value = _value(argument) if argument is not None else ""
    if declared.aggregate is None:
        return value
    parts = declared.parts
    if parts.function == "rank_within":
        groups = " and ".join(map(_name, parts.by))
        return f"place by {_name(parts.trait)} among those of the same {groups}, 1 for the most"
    row = ROWS[declared.table or ""]
    which = f" where {reads_as(where, _name)}" if where is not None else ""
    when = f", {declared.window.words}" if declared.window else ""
    read = _OF_FUNCTION.get(parts.function, _of_value)
    return read(parts, row, which, when, value, steps)


def _of_value(parts: Aggregate, row: str, which: str, when: str, value: str, _: Mapping[str, Expression]) -> str:
    words = {
        "sum": "sum of {v} over the {rows}",
        "avg": "average of {v} over the {rows}",
        "min": "smallest of {v} among the {rows}",
        "max": "largest of {v} among the {rows}",
        "first": "{v} of the first {row}",
        "last": "{v} of the last {row}",
        "mode": "most frequent value of {v} among the {rows}",
        "distinct": "number of different values of {v} among the {rows}",
        "held_for": "days that {v} has had its last value among the {rows}",
    }
    return words[parts.function].format(v=value, row=row, rows=several(row)) + which + when


def _count(_: Aggregate, row: str, which: str, when: str, value: str, __: Mapping[str, Expression]) -> str:
    return f"number of {several(row)}{f' with a value of {value}' if value else ''}{which}{when}"


def _days_since(parts: Aggregate, row: str, which: str, when: str, *_: object) -> str:
    return f"days since the {parts.words} {row}{which}{when}"


def _first_time(_: Aggregate, row: str, which: str, when: str, *__: object) -> str:
    return f"whether the first {row} ever{which} came{when.replace(',', '', 1)}"


def _regularly(parts: Aggregate, row: str, which: str, *_: object) -> str:
    least = f"at least {parts.least:,} {several(row)}" if parts.least > 1 else f"at least one {row}"
    unit = parts.span.unit if parts.span else ""
    return f"whether there was {least}{which} in each of {parts.times} or more of the last {parts.periods} {unit}s"


def _sequence(parts: Aggregate, row: str, which: str, when: str, _: str, steps: Mapping[str, Expression]) -> str:
    said = [f"{several(row)} where {reads_as(steps[s], _name)}" for s in parts.steps]
    chain = ", then ".join(said)
    if parts.but_not:
        chain += f", and then for {parts.words} none where {reads_as(steps[parts.but_not], _name)}"
    limit = f", all within {parts.words}" if parts.words and not parts.but_not else ""
    return f"whether there were {chain}{limit}{f' (only those{which})' if which else ''}{when}"


def _stopped(parts: Aggregate, row: str, which: str, when: str, *_: object) -> str:
    return f"whether there were {several(row)}{which}{when}, but none in the last {parts.span}"


def _restarted(parts: Aggregate, row: str, which: str, when: str, *_: object) -> str:
    return f"whether {several(row)}{which} came again, after {parts.span} or more without one{when}"


_OF_FUNCTION: dict[str, Callable[..., str]] = {
    "count": _count,
    "days_since": _days_since,
    "first_time": _first_time,
    "regularly": _regularly,
    "sequence": _sequence,
    "stopped": _stopped,
    "restarted": _restarted,
}


def _value(argument: Expression) -> str:
    """A column by its name; SQL would read it as a condition."""
    alone = argument.columns[0] if len(argument.columns) == 1 and _is_column(argument) else None
    return _name(alone) if alone else reads_as(argument, _name)


def _is_column(argument: Expression) -> bool:
    return str(argument).strip('"') == argument.columns[0]


def _name(column: str) -> str:
    owner, _, trait = column.partition(".")
    if trait and owner in ("customer", "account"):
        return f"the {owner}'s {trait.replace('_', ' ')}"
    if column.startswith("properties."):
        return f"the property {column.removeprefix('properties.')}"
    return column.replace("_", " ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
