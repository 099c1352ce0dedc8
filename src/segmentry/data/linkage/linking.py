"""The road of linking: normalise, drop shared keys, exact keys, candidates, weighing, clusters, guards.

Every step is a temporary table ``link_*`` on the connection, made by DuckDB; nothing that grows with the records comes
into Python but the links of clusters that contradict themselves, in batches.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from segmentry.data.linkage import candidates, clusters, model, text
from segmentry.data.linkage.kind import Kind
from segmentry.engine import Progress
from segmentry.errors import DataError, UsageError

_STEPS = 8
_BLOCK_MOST = 200  # different records of one exact key; more is a default, not a person


@dataclass(frozen=True)
class Linked:
    """Which records are the same entity. The tables are temporary ones of the connection, until the next call on it.

    ``pairs``: left_key < right_key, ``probability``, ``how`` (``by hand``, ``exact: e-mail`` ..., ``weighed``) and,
    where weighed, ``weights``: JSON of the level of every field and its weight of evidence, the log2 Bayes factor.
    Pairs that a guard has cut are not among them. ``clusters``: every record_key once, with the smallest record_key of
    its cluster.
    ``facts``: counts, limits and rules as JSON can hold them; no personal data.
    """

    pairs: ir.Table
    clusters: ir.Table
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """What the caller wants of a linkage."""

    threshold: float
    seed: int
    join: ir.Table | None
    never: ir.Table | None
    progress: Progress | None


def link(con: Backend, kind: Kind, records: ir.Table, asked: Asked) -> Linked:
    """Link the records of a kind; raises :class:`DataError` for keys that are missing or not unique."""
    began = time.monotonic()
    if not 0.5 <= asked.threshold < 1:
        raise UsageError(
            f"The threshold {asked.threshold} is no probability of a link.",
            why="From 0.5 to below 1 is allowed: below a half, a pair is more likely two than one.",
            fix="Leave it at 0.99, or lower it a little to find more links at the price of false ones.",
        )
    road = _Road(con, kind, asked)
    facts = road.travel(records)
    facts["seconds"] = round(time.monotonic() - began, 2)
    temp = ("temp", "main")
    return Linked(
        con.table(f"linked_{kind.name}_pairs", database=temp),
        con.table(f"linked_{kind.name}_clusters", database=temp),
        facts,
    )


class _Road:
    """The steps of one linkage, in order."""

    def __init__(self, backend: Backend, kind: Kind, asked: Asked) -> None:
        self.backend = backend
        self.con: duckdb.DuckDBPyConnection = backend.con
        self.kind = kind
        self.asked = asked
        self.done = 0

    def travel(self, records: ir.Table) -> dict[str, Any]:
        try:
            self._take(records)
            self._step(lambda: self.kind.normalise(self.con))
            shared = self._step(self._unshare)
            self._step(self._collapse)
            self._step(self._exact)
            rules = self._step(lambda: candidates.find(self.con, self.kind))
            weighed = self._step(lambda: model.weigh(self.con, self.kind, self.asked.threshold, self.asked.seed))
            guarded = self._step(lambda: clusters.form(self.con, self.kind.conflicting, self.kind.contradiction))
            self._step(self._results)
            return self._facts() | {"shared_keys": shared, "rules": rules, **weighed, **guarded}
        finally:
            self._clean()

    def _step(self, work: Any) -> Any:
        result = work()
        self.done += 1
        if self.asked.progress:
            self.asked.progress(self.done, _STEPS)
        return result

    def _keep(self, name: str, rows: ir.Table) -> None:
        self.backend._run_pre_execute_hooks(rows)  # tables that live in Python are brought along
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {self.backend.compile(rows)}")

    def _take(self, records: ir.Table) -> None:
        """``link_given``: the columns of the kind, those that the records lack as nulls; the links by hand."""
        missing = [c for c in ("record_key", "source") if c not in records.columns]
        if missing or not any(c in records.columns for c in self.kind.given):
            raise UsageError(
                f"The records of {self.kind.name} lack {' and '.join(missing) or 'anything to compare'}.",
                why=f"They need record_key, source and any of {', '.join(self.kind.given)}.",
                fix="Rename the columns of the records so.",
            )
        known = [c for c in self.kind.given if c in records.columns]
        self._keep("link_raw", records.select("record_key", *known))
        columns = ", ".join(
            f"TRY_CAST({c} AS {t}) AS {c}" if c in known else f"NULL::{t} AS {c}" for c, t in self.kind.given.items()
        )
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE link_given AS SELECT record_key::BIGINT AS record_key, {columns} "
            "FROM link_raw"
        )
        self.con.execute("DROP TABLE link_raw")
        self._check_keys()
        self._pairs_by_hand("link_joined", self.asked.join)
        self._pairs_by_hand("link_never", self.asked.never)
        text.prepare(self.con)

    def _check_keys(self) -> None:
        rows, given, keys = self._one("SELECT count(*), count(record_key), count(DISTINCT record_key) FROM link_given")
        if not rows == given == keys:
            raise DataError(
                f"Of {rows:,} records of {self.kind.name}, {rows - given:,} have no record_key and "
                f"{given - keys:,} repeat the one of another.",
                why="A key stands for one record.",
                fix="Number the records before they are linked.",
            )

    def _pairs_by_hand(self, name: str, pairs: ir.Table | None) -> None:
        if pairs is None:
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} (l BIGINT, r BIGINT)")
            return
        self._keep(name, pairs.select(l=pairs["left_key"].cast("int64"), r=pairs["right_key"].cast("int64")))
        self.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE {name} AS
            SELECT DISTINCT least(l, r) AS l, greatest(l, r) AS r FROM {name} WHERE l <> r
                AND l IN (SELECT record_key FROM link_given) AND r IN (SELECT record_key FROM link_given) ORDER BY ALL
        """)

    def _unshare(self) -> dict[str, int]:
        """Take away keys that too many share; how many values of each column those were."""
        counts = {}
        for key in self.kind.shared:
            self.con.execute(f"""
                CREATE OR REPLACE TEMP TABLE link_shared AS
                SELECT {key.column}, count(DISTINCT {key.among})::INTEGER AS names FROM link_normal
                WHERE {key.column} IS NOT NULL GROUP BY ALL HAVING count(*) > 1
            """)
            repeated, counts[key.column] = self._one(
                f"SELECT count(*), count(*) FILTER (names > {key.most}) FROM link_shared"
            )
            if not repeated:
                self.con.execute(f"ALTER TABLE link_normal ADD COLUMN {key.column}_names INTEGER DEFAULT 0")
                continue
            self.con.execute(f"""
                CREATE OR REPLACE TEMP TABLE link_normal AS
                SELECT n.* REPLACE (CASE WHEN coalesce(names, 0) <= {key.most} THEN n.{key.column} END AS {key.column}),
                    coalesce(names, 0) AS {key.column}_names
                FROM link_normal AS n LEFT JOIN link_shared USING ({key.column})
            """)
        return counts

    def _collapse(self) -> None:
        """``link_copies``: record_key -> rep, of records equal in every column; ``link_reps``: one record of each."""
        digest = ", ".join(f"coalesce({c}, '')" for c in self.kind.columns)
        self.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE link_copies AS
            WITH apart AS (SELECT l AS record_key FROM link_never UNION SELECT r FROM link_never)
            SELECT record_key, CASE WHEN ({self.kind.telling}) AND record_key NOT IN (SELECT record_key FROM apart)
                THEN min(record_key) OVER (PARTITION BY md5(concat_ws(chr(31), {digest})),
                    record_key IN (SELECT record_key FROM apart)) ELSE record_key END AS rep
            FROM link_normal
        """)
        self.con.execute("""
            CREATE OR REPLACE TEMP TABLE link_reps AS
            SELECT n.* FROM link_normal AS n SEMI JOIN link_copies AS c ON c.rep = n.record_key
        """)
        self.con.execute("""
            CREATE OR REPLACE TEMP TABLE link_edges AS
            SELECT DISTINCT least(a.rep, b.rep) AS l, greatest(a.rep, b.rep) AS r, 0 AS rank, 'by hand' AS how,
                1.0::DOUBLE AS probability, 1000.0::DOUBLE AS weight, NULL::VARCHAR AS weights
            FROM link_joined AS j JOIN link_copies AS a ON a.record_key = j.l
            JOIN link_copies AS b ON b.record_key = j.r
            WHERE a.rep <> b.rep
        """)

    def _exact(self) -> None:
        """``link_edges`` by exact keys, strongest key first, and ``entity`` of each representative by them."""
        for rank, key in enumerate(self.kind.exact, start=1):
            self.con.execute(f"""
                INSERT INTO link_edges
                WITH keyed AS (
                    SELECT *, {key.key} AS block FROM link_reps WHERE {key.key} IS NOT NULL
                ), sized AS (
                    SELECT block FROM keyed GROUP BY block HAVING count(*) BETWEEN 2 AND {_BLOCK_MOST}
                ), few AS (SELECT keyed.* FROM keyed SEMI JOIN sized USING (block))
                SELECT l.record_key, r.record_key, {rank}, 'exact: {key.words}', 1.0, {1000 - rank}, NULL
                FROM few AS l JOIN few AS r ON l.block = r.block AND l.record_key < r.record_key
                ANTI JOIN link_edges AS e ON e.l = l.record_key AND e.r = r.record_key
                ANTI JOIN link_never AS v ON v.l = l.record_key AND v.r = r.record_key
                WHERE ({key.when}) AND NOT coalesce({self.kind.contradiction}, false)
            """)
        clusters.components(self.con, "link_edges", "link_entities")
        self.con.execute("""
            CREATE OR REPLACE TEMP TABLE link_reps AS
            SELECT r.*, coalesce(e.cluster, r.record_key) AS entity
            FROM link_reps AS r LEFT JOIN link_entities AS e USING (record_key)
        """)

    def _results(self) -> None:
        name = self.kind.name
        self.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE linked_{name}_clusters AS
            SELECT c.record_key, min(c.record_key) OVER (PARTITION BY coalesce(k.cluster, c.rep)) AS cluster
            FROM link_copies AS c LEFT JOIN link_clusters AS k ON k.record_key = c.rep ORDER BY c.record_key
        """)
        self.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE linked_{name}_pairs AS
            SELECT l AS left_key, r AS right_key, probability, how, weights FROM link_edges
            UNION ALL
            SELECT rep, record_key, 1.0, 'exact: the same in every field', NULL FROM link_copies WHERE rep < record_key
            ORDER BY left_key, right_key
        """)

    def _facts(self) -> dict[str, Any]:
        name = self.kind.name
        records, entities = self._one(f"SELECT count(*), count(DISTINCT cluster) FROM linked_{name}_clusters")
        how = self.con.execute(f"SELECT how, count(*) FROM linked_{name}_pairs GROUP BY how ORDER BY how").fetchall()
        return {"records": records, "clusters": entities, "pairs": dict(how), "threshold": self.asked.threshold}

    def _one(self, query: str) -> tuple[Any, ...]:
        row = self.con.execute(query).fetchone()
        if row is None:
            raise AssertionError(query)
        return tuple(row)

    def _clean(self) -> None:
        names = self.con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, 'link_')"
        ).fetchall()
        for (name,) in names:
            self.con.execute(f'DROP TABLE "{name}"')
