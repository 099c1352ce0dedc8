"""Weighing: Splink's Fellegi-Sunter model, its u from random pairs, its m from what is known of such data.

The frequencies of values are counted here, over entities that exact keys have found, so that five records of one
person do not make a name common; Splink takes them from the columns ``tf_*``.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator

from segmentry.data.linkage.kind import Comparison, Kind

_KNOWN = 1000  # a typical frequency weighs as much as so many records
_RANDOM_PAIRS = 100_000
_DOUBTFUL = 0.0001  # pairs that are less probable at first never become links
_PRIOR_MOVES = 20  # times up or down from where it starts, at most
_EXACT_SHARE = 0.7  # of all links of entities, what exact keys find: the rest is for the prior


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Splink tells how training goes by its logger; nobody asked."""
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def forget(api: DuckDBAPI) -> None:
    """Drop the tables that Splink made."""
    api.delete_tables_created_by_splink_from_db()  # type: ignore[no-untyped-call]


def weigh(con: duckdb.DuckDBPyConnection, kind: Kind, threshold: float, seed: int) -> dict[str, Any]:
    """Add the candidates with a probability of at least ``threshold`` to ``link_edges``; gives facts."""
    present = _present(con, kind)
    comparisons = [c for c in kind.comparisons if any(column in present for column in c.columns)]
    counted = con.execute("SELECT count(*) FROM link_candidates").fetchall()[0][0]
    prior = _prior(con)
    facts: dict[str, Any] = {"prior": prior, "candidates": counted, "compared": [c.field for c in comparisons]}
    if not counted or not comparisons:
        return facts
    with quiet():
        chances = _random_agreement(con, comparisons, seed)
        _frequencies(con, kind, present, _variety(comparisons, chances))
        facts["prior"] = _score(con, comparisons, chances, prior, threshold)
    return facts


def _present(con: duckdb.DuckDBPyConnection, kind: Kind) -> set[str]:
    """The columns that have any value."""
    counts = ", ".join(f"count({c})" for c in kind.columns)
    row = con.execute(f"SELECT {counts} FROM link_reps").fetchall()[0]
    return {column for column, n in zip(kind.columns, row, strict=True) if n}


def _prior(con: duckdb.DuckDBPyConnection) -> float:
    """How likely two random records are one entity: from the links of exact keys, and at least one in ten records."""
    records, entities, linked = con.execute("""
        SELECT count(*), count(DISTINCT entity), (SELECT count(*) FROM link_edges) FROM link_reps
    """).fetchall()[0]
    every = max(records * (records - 1) / 2, 1)
    expected = max(linked * (1 - _EXACT_SHARE) / _EXACT_SHARE, 0.1 * entities, 1)
    return float(f"{min(expected / every, 0.1):.4g}")


def _settings(comparisons: list[Comparison], chances: dict[str, list[float]] | None, prior: float) -> SettingsCreator:
    """The model as Splink reads it; without ``chances`` for training: no frequencies, starting values."""
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_key",
        probability_two_random_records_match=prior,
        comparisons=[_comparison(c, chances) for c in comparisons],
        blocking_rules_to_generate_predictions=[],
        retain_matching_columns=True,  # the levels come with them
        retain_intermediate_calculation_columns=True,
    )


def _comparison(comparison: Comparison, chances: dict[str, list[float]] | None) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [
        {"sql_condition": comparison.null, "label_for_charts": "not known", "is_null_level": True}
    ]
    for i, level in enumerate(comparison.levels):
        made: dict[str, Any] = {"sql_condition": level.when, "label_for_charts": level.words, "m_probability": level.m}
        if chances is not None:
            made["u_probability"] = chances[comparison.field][i]
            if level.frequency:
                made |= {"tf_adjustment_column": level.frequency, "disable_tf_exact_match_detection": True}
        levels.append(made)
    return {"output_column_name": comparison.field, "comparison_levels": levels}


def _random_agreement(
    con: duckdb.DuckDBPyConnection, comparisons: list[Comparison], seed: int
) -> dict[str, list[float]]:
    """u of every level: Splink's estimate from random pairs of different entities, or what is typical where unseen."""
    con.execute("CREATE OR REPLACE TEMP TABLE link_sample AS FROM link_reps WHERE record_key = entity")
    people = con.execute("SELECT count(*) FROM link_sample").fetchall()[0][0]
    pairs = min(_RANDOM_PAIRS, max(people * (people - 1) // 2, 1))
    trained: dict[str, Any] = {"comparisons": []}
    if pairs >= _KNOWN:  # fewer say less than what is typical
        api = DuckDBAPI(con)
        linker = Linker(
            api.register("link_sample"), _settings(comparisons, None, 0.001), log_level=None, validate_settings=False
        )
        linker.training.estimate_u_using_random_sampling(
            max_pairs=_RANDOM_PAIRS, seed=seed, min_count_per_level=None, num_chunks=1
        )
        trained = linker.misc.save_model_to_json()
        forget(api)
    seen = {c["output_column_name"]: c["comparison_levels"][1:] for c in trained["comparisons"]}
    chances = {
        c.field: [
            _chance(found.get("u_probability"), level.u, pairs)
            for level, found in zip(c.levels, seen.get(c.field, [{}] * len(c.levels)), strict=True)
        ]
        for c in comparisons
    }
    for c in comparisons:
        first = c.levels[0]
        if first.frequency:
            chances[c.field][0] = _chance(*_equal(con, first.frequency, first.u))
    return chances


def _equal(con: duckdb.DuckDBPyConnection, column: str, typical: float) -> tuple[float, float, int]:
    """How often two entities have the same value of a column, counted over all pairs: what few share, a sample of pairs
    seldom shows. With it the typical chance, and how many pairs there are."""
    equal, pairs = con.execute(f"""
        WITH counted AS (
            SELECT count(DISTINCT entity) AS n FROM link_reps WHERE {column} IS NOT NULL GROUP BY {column}
        )
        SELECT coalesce(sum(n * (n - 1)), 0) / 2, coalesce(sum(n) * (sum(n) - 1), 0) / 2 FROM counted
    """).fetchall()[0]
    return equal / max(pairs, 1), typical, int(pairs)


def _chance(estimated: float | None, typical: float, pairs: int) -> float:
    """The estimate from ``pairs`` random pairs, drawn to the typical value as if a thousand pairs had shown that."""
    if estimated is None:
        return min(typical, 3 / pairs) if pairs >= _KNOWN else typical  # the rule of three: not seen in n pairs
    return float(f"{(estimated * pairs + typical * _KNOWN) / (pairs + _KNOWN):.6g}")


def _variety(comparisons: list[Comparison], chances: dict[str, list[float]]) -> dict[str, float]:
    """How many values a column might have, were all as frequent: the inverse of the chance that two agree."""
    return {
        level.frequency: 1 / chance
        for c in comparisons
        for level, chance in zip(c.levels, chances[c.field], strict=True)
        if level.frequency
    }


def _frequencies(con: duckdb.DuckDBPyConnection, kind: Kind, present: set[str], variety: dict[str, float]) -> None:
    """``link_weighed``: the candidates with ``tf_*``, the share of entities that have their value.

    Of few records every value seems frequent: what nobody has been seen with yet is a share of ``variety`` to
    ``variety`` and the records (Ewens 1972), which the others have to leave.
    """
    con.execute("""
        CREATE OR REPLACE TEMP TABLE link_weighed AS FROM link_reps
        SEMI JOIN (SELECT l AS record_key FROM link_candidates UNION SELECT r FROM link_candidates) USING (record_key)
    """)
    joined, added = "", ""
    for column, typical in kind.typical.items():
        if column not in present:
            added += f", NULL::DOUBLE AS tf_{column}"
            continue
        con.execute(f"""
            CREATE OR REPLACE TEMP TABLE link_tf_{column} AS
            WITH counted AS (
                SELECT {column}, count(DISTINCT entity) AS n FROM link_reps SEMI JOIN link_weighed USING ({column})
                GROUP BY {column}
            ), every AS (SELECT count(DISTINCT entity) AS n FROM link_reps WHERE {column} IS NOT NULL)
            SELECT {column}, (n - 1 + {_KNOWN} * {typical})
                / ((SELECT n FROM every) - 1 + {max(_KNOWN, round(variety.get(column, 0)))})::DOUBLE AS tf_{column}
            FROM counted
        """)
        joined += f" LEFT JOIN link_tf_{column} USING ({column})"
        added += f", tf_{column}"
    con.execute(f"CREATE OR REPLACE TEMP TABLE link_weighed AS SELECT w.*{added} FROM link_weighed AS w{joined}")


def _score(
    con: duckdb.DuckDBPyConnection, comparisons: list[Comparison], chances: dict[str, list[float]], prior: float,
    threshold: float,
) -> float:  # fmt: skip
    """Weigh the candidates into ``link_edges``; gives the prior that they were weighed with."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE link_blocked AS
        SELECT l AS join_key_l, r AS join_key_r, '0' AS match_key FROM link_candidates
    """)
    api = DuckDBAPI(con)
    linker = Linker(
        api.register("link_weighed"), _settings(comparisons, chances, prior), log_level=None, validate_settings=False
    )
    linker.table_management.register_blocked_pairs_for_predict(api.register("link_blocked"))
    found = linker.inference.predict(threshold_match_probability=_DOUBTFUL, warning_mode="never")
    better = _settled_prior(con, found.physical_name, prior)
    more = math.log2(better / (1 - better)) - math.log2(prior / (1 - prior))
    fields = ", ".join(f"'{c.field}', {_evidence(c)}" for c in comparisons)
    con.execute(f"""
        INSERT INTO link_edges
        SELECT least(record_key_l, record_key_r), greatest(record_key_l, record_key_r), 100, 'weighed',
            round(1 / (1 + pow(2.0::DOUBLE, -(match_weight + {more}))), 9), round(match_weight + {more}, 4),
            json_merge_patch('{{}}', json_object({fields}))::VARCHAR
        FROM {found.physical_name} WHERE match_weight + {more} >= {math.log2(threshold / (1 - threshold))}
    """)
    forget(api)
    return better


def _settled_prior(con: duckdb.DuckDBPyConnection, weighed: str, prior: float) -> float:
    """The prior at which the probabilities of all pairs add up to as many links as it expects, from that of exact keys.

    The step of expectation maximisation that Splink's own training does not take when m is not trained. Weights are
    counted in tenths, so that the sum does not depend on the order of the rows.
    """
    records = con.execute("SELECT count(*) FROM link_reps").fetchall()[0][0]
    rows = con.execute(f"""
        SELECT round(match_weight * 10)::BIGINT AS tenths, count(*) FROM {weighed} GROUP BY tenths ORDER BY tenths
    """).fetchall()
    start = math.log2(prior / (1 - prior))
    settled = prior
    for _ in range(20):
        now = math.log2(settled / (1 - settled))
        links = sum(n / (1 + 2.0 ** -(max(tenths / 10 - start + now, -500))) for tenths, n in rows)
        settled = min(max(links / (records * (records - 1) / 2), prior / _PRIOR_MOVES), prior * _PRIOR_MOVES, 0.1)
    return float(f"{settled:.4g}")


def _evidence(comparison: Comparison) -> str:
    """SQL of the level and the weight of one field, null where there was nothing to compare."""
    gamma = f"gamma_{comparison.field}"
    last = len(comparison.levels) - 1
    words = " ".join(f"WHEN {last - i} THEN '{level.words}'" for i, level in enumerate(comparison.levels))
    weight = f"mw_{comparison.field}"
    if any(level.frequency for level in comparison.levels):
        weight += f" + mw_tf_adj_{comparison.field}"
    return f"""CASE WHEN {gamma} >= 0 THEN json_object('level', CASE {gamma} {words} END,
        'weight', round({weight}, 2)) END"""
