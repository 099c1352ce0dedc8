"""Expressions behind a name: the same rows, and SQL that can be run again."""

from __future__ import annotations

import ibis
import pyarrow as pa

from segmentry import engine
from segmentry.engine import views


def test_a_view_has_the_rows_it_stands_for_and_a_name_of_its_own() -> None:
    with engine.in_memory() as con:
        rows = con.create_table("numbers", pa.table({"n": [1, 2, 3]}))
        first, second = engine.named("large", rows.filter(rows["n"] > 1)), engine.named("large", rows)
        assert first.n.sum().execute() == 5
        assert second.n.sum().execute() == 6
        assert "numbers" not in str(ibis.to_sql(first))


def test_rows_from_python_stay_with_the_expression_that_holds_them() -> None:
    with engine.in_memory() as con:
        rows = con.create_table("numbers", pa.table({"n": [1, 2, 3]}))
        both = rows.inner_join(ibis.memtable({"n": [2]}), "n")
        assert engine.named("both", both) is both
        assert engine.named("alone", ibis.memtable({"n": [2]})).count().execute() == 1


def test_the_sql_of_a_query_names_the_views_and_kept_tables_it_reads() -> None:
    with engine.in_memory() as con:
        rows = con.create_table("numbers", pa.table({"n": [1, 2, 3]}))
        large = engine.named("large", rows.filter(rows["n"] > 1))
        engine.named("unread", rows)
        few = engine.kept("few", large.mutate(text=ibis.literal("it's")))
        larger = engine.named("larger", few.select("n", more=few["n"] + 1))
        script = views.spelt_out(con, str(ibis.to_sql(larger)))
        assert "unread" not in script
    with engine.in_memory() as con:
        con.create_table("numbers", pa.table({"n": [1, 2, 3]}))
        *made, query = script.split(";\n\n")
        for statement in made:
            con.raw_sql(statement)
        assert sorted(con.raw_sql(query).fetchall()) == [(2, 3), (3, 4)]
