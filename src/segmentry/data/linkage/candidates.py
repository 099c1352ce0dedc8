"""Which pairs are worth weighing: those that share a block, small blocks first, never more than the work allows."""

from __future__ import annotations

from typing import Any

import duckdb

from segmentry.data.linkage.kind import Kind

# Pairs that a rule may give, per record: what keeps the work linear however common its commonest values are.
PAIRS_PER_RECORD = 0.5
_FEWEST = 100_000  # pairs of a rule that are always affordable


def find(con: duckdb.DuckDBPyConnection, kind: Kind) -> list[dict[str, Any]]:
    """``link_candidates`` (l, r): pairs of different entities that share a block and do not contradict each other.

    Gives what each rule did: its pairs, the largest block it took, and how many values were too frequent for it.
    """
    records = con.execute("SELECT count(*) FROM link_reps").fetchall()[0][0]
    affordable = max(_FEWEST, int(PAIRS_PER_RECORD * records))
    con.execute("CREATE OR REPLACE TEMP TABLE link_found (l BIGINT, r BIGINT)")
    told = [_block(con, kind, words, affordable) for words in kind.blocks]
    # Both records of a pair are laid side by side first: as a condition between two tables, what is needed would make
    # the planner compare every record with every other.
    con.execute("""
        CREATE OR REPLACE TEMP TABLE link_beside AS
        WITH pairs(a, b) AS (SELECT DISTINCT l, r FROM link_found ANTI JOIN link_never USING (l, r))
        SELECT l, r FROM pairs JOIN link_reps AS l ON l.record_key = a JOIN link_reps AS r ON r.record_key = b
    """)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE link_candidates AS
        SELECT l.record_key AS l, r.record_key AS r FROM link_beside
        WHERE {kind.needed} AND NOT coalesce({kind.contradiction}, false)
    """)
    con.execute("DROP TABLE link_beside")
    con.execute("DROP TABLE link_found")
    return told


def _block(con: duckdb.DuckDBPyConnection, kind: Kind, words: str, affordable: int) -> dict[str, Any]:
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE link_keyed AS
        WITH keyed AS (SELECT record_key, entity, {kind.blocks[words]} AS block FROM link_reps)
        SELECT * FROM keyed SEMI JOIN (
            SELECT block FROM keyed WHERE block IS NOT NULL GROUP BY block HAVING min(entity) < max(entity)
        ) USING (block)
    """)
    if not con.execute("SELECT count(*) FROM link_keyed").fetchall()[0][0]:
        return {"rule": words, "pairs": 0, "largest_block": 0, "too_frequent": 0}
    con.execute("CREATE OR REPLACE TEMP TABLE link_sizes AS SELECT block, count(*) AS n FROM link_keyed GROUP BY block")
    taken, largest, refused = con.execute(
        """
        WITH sizes AS (SELECT n, count(*) AS blocks FROM link_sizes GROUP BY n
        ), summed AS (SELECT *, sum(blocks * n * (n - 1) // 2) OVER (ORDER BY n) AS pairs FROM sizes)
        SELECT coalesce(max(pairs) FILTER (pairs <= $1), 0)::BIGINT, coalesce(max(n) FILTER (pairs <= $1), 0),
            coalesce(sum(blocks) FILTER (pairs > $1), 0)::BIGINT FROM summed
        """,
        [affordable],
    ).fetchall()[0]
    con.execute(f"""
        INSERT INTO link_found
        WITH few AS (
            FROM link_keyed SEMI JOIN (SELECT block FROM link_sizes WHERE n <= {largest}) AS s USING (block)
        )
        SELECT l.record_key, r.record_key FROM few AS l JOIN few AS r ON l.block = r.block
            AND l.record_key < r.record_key AND l.entity <> r.entity
    """)
    return {"rule": words, "pairs": taken, "largest_block": largest, "too_frequent": refused}
