"""Google Analytics 4 events in the shape of its BigQuery export: parameters as a list, times in microseconds."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from segmentry.data import values
from segmentry.errors import DataError

NEEDED = ("event_timestamp", "event_name", "event_params")
_KINDS = ("string_value", "int_value", "float_value", "double_value")  # of a parameter's value; one of them is filled
_SHAPE = '[{"key":"VARCHAR","value":{' + ",".join(f'"{kind}":"VARCHAR"' for kind in _KINDS) + "}}]"
_TYPE = "array<struct<key: string, value: struct<" + ", ".join(f"{kind}: string" for kind in _KINDS) + ">>>"


@ibis.udf.scalar.builtin(name="from_json", signature=(("string", "string"), _TYPE))
def _parameters(text, shape):  # type: ignore[no-untyped-def]  # the signature stands above
    """A JSON list of keys and values as a list of structs."""
    raise AssertionError(text, shape)  # Ibis calls the function of that name in the database; so below


@ibis.udf.scalar.builtin(name="to_json", signature=(("string",), "string"))
def _json_text(text: str) -> str:
    """A text as JSON writes it."""
    raise AssertionError(text)


def flattened(table: ir.Table, file: str) -> ir.Table:
    """The events with ``_time``, ``_page``, ``_session`` and all parameters as one JSON object, ``_properties``.

    Raises :class:`DataError` where the columns of such an export are missing.
    """
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise DataError(
            f"{file} has no column {', '.join(missing)}.",
            why="The layout ga4_events is for events as Google Analytics 4 exports them to BigQuery.",
            fix="Export the table events_* with all its columns, or remove the layout and map the columns yourself.",
        )
    given: Any = _parameters(table["event_params"], _SHAPE)
    listed = given.map(
        lambda p: ibis.struct({"key": p["key"], "text": ibis.coalesce(*(p["value"][k] for k in _KINDS))})
    )
    events = table.mutate(_parameters=listed)
    parameters: Any = events["_parameters"]
    pairs = parameters.filter(lambda p: p["text"].notnull()).map(
        lambda p: _json_text(p["key"]) + ": " + _json_text(p["text"])
    )
    count: Any = table["event_timestamp"]
    return events.mutate(
        _time=values.from_microseconds(count if count.type().is_integer() else count.try_cast("int64")),
        _page=_named(parameters, "page_location"),
        _session=_named(parameters, "ga_session_id"),
        _properties=ibis.literal("{") + pairs.join(", ") + "}",
    ).drop("_parameters")


def _named(parameters: Any, key: str) -> ir.Value:
    return parameters.filter(lambda p: p["key"] == key)[0]["text"]
