"""From links to clusters: connected components, and what keeps a cluster from holding two people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import duckdb
from splink import DuckDBAPI
from splink.clustering import cluster_pairwise_predictions_at_threshold

from segmentry.data.linkage.model import forget, quiet

# Different records (not copies) of one entity. In a larger cluster only links by exact keys and by hand are believed.
LARGEST = 100
_BATCH = 100_000  # links that come into Python at a time


def components(con: duckdb.DuckDBPyConnection, edges: str, into: str) -> None:
    """``into`` (record_key, cluster): the records that a link of ``edges`` touches; cluster is the smallest of them."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE {into} (record_key BIGINT, cluster BIGINT)")
    if not con.execute(f"SELECT count(*) FROM {edges}").fetchall()[0][0]:
        return
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE link_nodes AS
        SELECT l AS record_key FROM {edges} UNION SELECT r FROM {edges}
    """)
    con.execute(f"CREATE OR REPLACE TEMP TABLE link_lines AS SELECT l AS left_key, r AS right_key FROM {edges}")
    api = DuckDBAPI(con)
    with quiet():
        found = cluster_pairwise_predictions_at_threshold(
            api.register("link_nodes"), api.register("link_lines"), api, "record_key",
            edge_id_column_name_left="left_key", edge_id_column_name_right="right_key",
        )  # fmt: skip
    con.execute(f"INSERT INTO {into} SELECT record_key, cluster_id FROM {found.physical_name}")
    forget(api)


def form(con: duckdb.DuckDBPyConnection, columns: Sequence[str], contradiction: str) -> dict[str, Any]:
    """``link_clusters`` (record_key, cluster) of ``link_edges``; links that a guard cuts are taken out of them."""
    components(con, "link_edges", "link_clusters")
    large = _shrink(con)
    _conflicts(con, columns, contradiction)
    contradicting = con.execute("SELECT count(DISTINCT cluster) FROM link_conflicts WHERE NOT by_hand").fetchall()
    never = con.execute("SELECT count(DISTINCT cluster) FROM link_conflicts WHERE by_hand").fetchall()
    cut = _cut(con)
    if cut:
        components(con, "link_edges", "link_clusters")
    return {
        "refused_clusters": {
            "too_large": large, "contradicting": contradicting[0][0], "never_by_hand": never[0][0],
        },
        "cut_links": cut,
    }  # fmt: skip


def _shrink(con: duckdb.DuckDBPyConnection) -> int:
    """Take weighed links out of clusters that are too large; how many clusters those were."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE link_large AS
        SELECT cluster FROM link_clusters GROUP BY cluster HAVING count(*) > {LARGEST}
    """)
    large: int = con.execute("SELECT count(*) FROM link_large").fetchall()[0][0]
    if large:
        con.execute("""
            DELETE FROM link_edges WHERE rank = 100 AND l IN (
                SELECT record_key FROM link_clusters SEMI JOIN link_large USING (cluster))
        """)
        components(con, "link_edges", "link_clusters")
    return large


def _conflicts(con: duckdb.DuckDBPyConnection, columns: Sequence[str], contradiction: str) -> None:
    """``link_conflicts``: pairs of one cluster that cannot be one entity; by reason of their fields, or by hand."""
    named = ", ".join(columns)
    varied = " OR ".join(f"count(DISTINCT {c}) > 1" for c in columns)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE link_conflicts AS
        WITH members AS (
            SELECT c.cluster, p.record_key, {named} FROM link_clusters AS c JOIN link_reps AS p USING (record_key)
        ), doubtful AS (
            SELECT m.* FROM members AS m SEMI JOIN (
                SELECT cluster FROM members GROUP BY cluster HAVING {varied}) USING (cluster)
        )
        SELECT l.cluster, l.record_key AS l, r.record_key AS r, false AS by_hand
        FROM doubtful AS l JOIN doubtful AS r ON l.cluster = r.cluster AND l.record_key < r.record_key
        ANTI JOIN (FROM link_edges WHERE rank = 0) AS j ON j.l = l.record_key AND j.r = r.record_key
        WHERE coalesce({contradiction}, false)
        UNION ALL
        SELECT a.cluster, v.l, v.r, true FROM link_never AS v
        JOIN link_clusters AS a ON a.record_key = v.l JOIN link_clusters AS b ON b.record_key = v.r
        WHERE a.cluster = b.cluster
    """)


def _cut(con: duckdb.DuckDBPyConnection) -> int:
    """Take the weakest links out of clusters with conflicts until none is left; how many were taken."""
    con.execute("""
        SELECT cluster, l, r, true AS apart, 0 AS rank, 0.0 AS weight FROM link_conflicts
        UNION ALL
        SELECT c.cluster, e.l, e.r, false, rank, e.weight FROM link_edges AS e JOIN link_clusters AS c
            ON c.record_key = e.l SEMI JOIN link_conflicts AS x ON x.cluster = c.cluster
        ORDER BY cluster, apart DESC, rank, weight DESC, l, r
    """)
    cut: list[tuple[int, int]] = []
    for _, rows in groupby(_streamed(con), key=lambda row: row[0]):
        cut += _weakest(rows)
    con.execute("CREATE OR REPLACE TEMP TABLE link_cut AS SELECT unnest($1::BIGINT[]) AS l, unnest($2::BIGINT[]) AS r",
                [[left for left, _ in cut], [right for _, right in cut]])  # fmt: skip
    con.execute("DELETE FROM link_edges USING link_cut WHERE link_edges.l = link_cut.l AND link_edges.r = link_cut.r")
    return len(cut)


def _streamed(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := con.fetchmany(_BATCH):
        yield from rows


def _weakest(rows: Iterable[tuple[Any, ...]]) -> list[tuple[int, int]]:
    """The links of one cluster that have to go: conflicts come first, then links from the strongest to the weakest.

    Links are laid like Kruskal's spanning tree, strongest first; one that would bring a conflict together is refused.

    >>> _weakest([(1, 1, 3, True, 0, 0.0), (1, 1, 2, False, 1, 9.0), (1, 2, 3, False, 100, 5.0)])
    [(2, 3)]
    """
    home: dict[int, int] = {}
    members: dict[int, set[int]] = {}
    foes: dict[int, set[int]] = {}
    cut = []
    for _, left, right, apart, _, _ in rows:
        for key in (left, right):
            if key not in home:
                home[key], members[key], foes[key] = key, {key}, set()
        a, b = home[left], home[right]
        if apart:
            foes[a].add(right)
            foes[b].add(left)
        elif a != b and (foes[a] & members[b]):
            cut.append((left, right))
        elif a != b:
            small, large = sorted((a, b), key=lambda root: len(members[root]))
            home.update(dict.fromkeys(members[small], large))
            members[large] |= members.pop(small)
            foes[large] |= foes.pop(small)
    return cut
