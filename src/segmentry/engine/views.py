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
    """The statements that make the temporary views and the kept tables of a connection, by name, in their order.

    A kept table has its query as its comment.
    """
    if con.name == "postgres":
        with con.con.cursor() as cursor:
            cursor.execute(
                "SELECT relname, CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,"
                " CASE relkind WHEN 'v' THEN rtrim(pg_get_viewdef(oid), ';') ELSE obj_description(oid) END"
                " FROM pg_class WHERE relkind IN ('v', 'r') AND relnamespace = pg_my_temp_schema() ORDER BY oid"
            )
            made = cursor.fetchall()
    else:
        made = con.con.execute(
            "SELECT view_name, 'VIEW', regexp_replace(rtrim(sql, ';'), '^.*? AS ', ''), view_oid FROM duckdb_views()"
            " WHERE temporary AND NOT internal AND view_name NOT LIKE 'ibis%'"
            " UNION ALL SELECT table_name, 'TABLE', comment, table_oid FROM duckdb_tables() WHERE temporary"
            " ORDER BY view_oid"
        ).fetchall()
    return {name: f'CREATE TEMP {kind} "{name}" AS {sql}' for name, kind, sql, *_ in made if sql}


def spelt_out(con: Any, sql: str) -> str:
    """The SQL of a query after that of the views and kept tables it reads, as statements to be run one by one."""
    needed: list[str] = []
    text = sql
    for name, statement in reversed(definitions(con).items()):
        if re.search(rf"\b{name}\b", text):
            needed.insert(0, f"{statement};\n\n")
            text += statement
    return "".join(needed) + sql
