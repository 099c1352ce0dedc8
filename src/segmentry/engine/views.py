"""Expressions behind a name: what many others begin with is compiled once.

A run over a small base spends most of its time on compiling expressions to SQL, and that time grows faster than the
expressions. A view is as deep as a table.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import ibis.expr.operations as ops
import ibis.expr.types as ir

from segmentry.engine.spelling import apart, home_of

_NUMBERS = itertools.count(1)


def named(name: str, rows: ir.Table) -> ir.Table:
    """The same rows behind a temporary view that lasts as long as their connection; nothing is computed.

    The view is called ``name`` with a number. Rows that come from Python keep no longer than the expression that holds
    them: such an expression is given back as it is.
    """
    con = home_of(rows)
    if con is None or rows.op().find(ops.InMemoryTable):
        return rows
    view = f"{name}_{next(_NUMBERS)}"
    if con.name == "postgres":
        with con.con.cursor() as cursor:
            cursor.execute(f'CREATE TEMP VIEW "{view}" AS {con.typed(rows)}')
        where = ops.Namespace()
    else:
        con.raw_sql(f'CREATE TEMP VIEW "{view}" AS {apart(rows, "duckdb")}')
        where = ops.Namespace(catalog="temp", database="main")
    return ops.DatabaseTable(view, schema=rows.schema(), source=con, namespace=where).to_expr()


def definitions(con: Any) -> dict[str, str]:
    """The SQL of the temporary views of a connection by their names, in the order in which they were made."""
    if con.name == "postgres":
        with con.con.cursor() as cursor:
            cursor.execute(
                "SELECT relname, rtrim(pg_get_viewdef(oid), ';') FROM pg_class"
                " WHERE relkind = 'v' AND relnamespace = pg_my_temp_schema() ORDER BY oid"
            )
            return dict(cursor.fetchall())
    rows = con.con.execute(
        "SELECT view_name, sql FROM duckdb_views() WHERE temporary AND NOT internal AND view_name NOT LIKE 'ibis%'"
        " ORDER BY view_oid"
    ).fetchall()
    return {name: sql.partition(" AS ")[2].rstrip(";") for name, sql in rows}


def spelt_out(con: Any, sql: str) -> str:
    """The SQL of a query after that of the views it reads, as statements that can be run one after the other."""
    needed: dict[str, str] = {}
    text = sql
    for view, made in reversed(definitions(con).items()):
        if re.search(rf"\b{view}\b", text):
            needed[view] = made
            text += made
    return "".join(f"CREATE TEMP VIEW {view} AS {made};\n\n" for view, made in reversed(needed.items())) + sql
