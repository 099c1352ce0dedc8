"""An expression as text, and what it is over columns."""

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir

from segmentry.expressions import Columns, parse


def values(text: str, columns: Columns, *, where: str, **readers: Any) -> ir.Value:
    """The value that a text is over these columns."""
    names = columns.columns if isinstance(columns, ir.Table) else columns
    return parse(text, where=where, names=names).bind(columns, **readers)


def condition(text: str, columns: Columns, *, where: str, **readers: Any) -> ir.BooleanValue:
    """The condition that a text is over these columns."""
    names = columns.columns if isinstance(columns, ir.Table) else columns
    return parse(text, where=where, names=names).condition(columns, **readers)
