"""Record linkage: which of 1M records of several systems are the same person, with default settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import Benchmark, Contender, NotEqualError, Work, main, memory, scale, seconds

RECORDS = 1_000_000

# Four systems know a person on average. Easy: half by an e-mail address in another spelling, some with a slip in the
# name, some by telephone only. Names are as common as names are: the square of chance.
# Hard: two people are a household, with one family name, one telephone and one postcode; a third have an address, a
# second one of their own is in every fourth record; names, dates and postcodes have slips four times as often.
_RECORDS = """
CREATE MACRO draw(i, salt) AS (hash(i * 1000 + salt) >> 11) / 9007199254740992.0;
COPY (
    WITH numbered AS (
        SELECT i AS record_key, (i * 7368787) % ({records} // 4) AS person,
            CASE WHEN {hard} THEN person // 2 ELSE person END AS home
        FROM range(1, {records} + 1) AS t(i)
    ), named AS (
        SELECT *, chr(97 + floor(26 * draw(person, 1) ** 2)::INT) || chr(97 + floor(26 * draw(person, 2))::INT)
                || ['ara', 'ian', 'ert', 'ilda', 'ora', 'us'][1 + floor(6 * draw(person, 3) ** 2)::INT] AS given_name,
            ['mac', 'o', 'sten', 'brad', 'hol', 'wor'][1 + floor(6 * draw(home, 4))::INT]
                || chr(97 + floor(26 * draw(home, 5) ** 2)::INT) || chr(97 + floor(26 * draw(home, 6))::INT)
                || ['ley', 'ton', 'son', 'ford', 'ham', 'by'][1 + floor(6 * draw(home, 7) ** 2)::INT] AS family_name,
            DATE '1940-01-01' + floor(draw(person, 18) * 24000)::INT AS born
        FROM numbered
    )
    SELECT record_key, person, 'system ' || (record_key % 4) AS source,
        CASE WHEN {hard} AND draw(record_key, 19) < .1 THEN left(given_name, 1)
            WHEN {hard} AND draw(record_key, 20) < .1 THEN left(given_name, 2) || substr(given_name, 4)
            ELSE given_name END AS first_name,
        CASE WHEN draw(record_key, 8) < CASE WHEN {hard} THEN .2 ELSE .05 END
            THEN left(family_name, 3) || substr(family_name, 5) ELSE family_name END AS last_name,
        CASE WHEN draw(record_key, 9) < CASE WHEN {hard} THEN .35 ELSE .7 END THEN
            CASE WHEN draw(record_key, 10) < .5 THEN upper(given_name) ELSE given_name END || '.' || family_name
            || person || CASE WHEN {hard} AND draw(record_key, 21) < .25 THEN '@work.example' ELSE '@mail.example' END
            END AS email,
        CASE WHEN draw(record_key, 11) < .5 THEN CASE WHEN draw(record_key, 12) < .5 THEN '+44 7' ELSE '07' END
            || lpad((100000000 + home * 387)::VARCHAR, 9, '1') END AS phone,
        CASE WHEN draw(record_key, 13) < .5 THEN 'AB' || floor(draw(home, 14) * 90)::INT || ' '
            || floor(draw(home, 15) * 10)::INT || chr(65 + floor(draw(home, 16) * 26)::INT)
            || CASE WHEN {hard} AND draw(record_key, 22) < .05 THEN 'Y' ELSE 'X' END END AS postcode,
        CASE WHEN draw(record_key, 17) < .4 THEN CASE WHEN {hard} AND draw(record_key, 23) < .05
            THEN born + 1 ELSE born END END AS birth_date
    FROM named
) TO '{path}' (FORMAT parquet)
"""


def _records() -> int:
    return max(int(RECORDS * scale()), 400)


def _file(data: Path, *, hard: bool) -> Path:
    return data / f"{'hard' if hard else 'easy'}-records-{_records()}.parquet"


def inputs(data: Path) -> None:
    """The records of the size that is measured."""
    import duckdb

    for is_hard in (False, True):
        path = _file(data, hard=is_hard)
        if not path.exists():
            beside = path.with_suffix(f".{os.getpid()}")
            with duckdb.connect() as con:
                con.execute(_RECORDS.format(records=_records(), path=beside, hard=is_hard))
            beside.rename(path)


def easy(data: Path, out: Path) -> Work:
    """Links and clusters of all easy records."""
    return _linking(_file(data, hard=False), out)


def hard(data: Path, out: Path) -> Work:
    """Links and clusters of all hard records."""
    return _linking(_file(data, hard=True), out)


def _linking(records: Path, out: Path) -> Work:
    import ibis

    from segmentry.data.linkage import link_people

    def work() -> dict[str, float]:
        con = ibis.duckdb.connect(memory_limit="2GB", temp_directory=str(out / "spill"))
        linked = link_people(con, con.read_parquet(records).drop("person"))
        linked.clusters.to_parquet(out / "clusters.parquet")
        precision, recall = _accuracy(records, out)
        candidates, people = linked.facts["candidates"], linked.facts["clusters"]
        return {"candidate pairs": candidates, "people": people, "precision": precision, "recall": recall}

    return work


def _accuracy(records: Path, out: Path) -> tuple[float, float]:
    """Of the pairs of records that were joined the share that is one person, and of those that are the share joined."""
    import duckdb

    both, ours, true = duckdb.sql(f"""
        WITH found AS (FROM '{out / "clusters.parquet"}' JOIN '{records}' USING (record_key))
        SELECT (SELECT sum(n * (n - 1)) FROM (SELECT count(*) AS n FROM found GROUP BY "cluster", person)),
            (SELECT sum(n * (n - 1)) FROM (SELECT count(*) AS n FROM found GROUP BY "cluster")),
            (SELECT sum(n * (n - 1)) FROM (SELECT count(*) AS n FROM found GROUP BY person))
    """).fetchall()[0]
    return round(both / max(ours, 1), 5), round(both / max(true, 1), 5)


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """Hardly two people are one, and most records of a person are together."""
    for name, (precise, found) in LEAST.items():
        if name in outs:
            precision, recall = _accuracy(_file(data, hard=name == HARD), outs[name])
            if precision < precise or recall < found:
                raise NotEqualError(f"{name}: precision {precision}, recall {recall}.")


EASY, HARD = "Segmentry", "Segmentry, hard records"
# Precision and recall. Of the hard records an initial, the family name and the telephone are a spouse's as well.
LEAST = {EASY: (0.99, 0.7), HARD: (0.97, 0.5)}
BENCHMARK = Benchmark(
    title="Record linkage",
    about=f"{_records():,} records of {_records() // 4:,} people in four systems, easy and hard.",
    contenders=(Contender(EASY, easy, "segmentry"), Contender(HARD, hard, "segmentry")),
    reference=EASY,
    inputs=inputs,
    agree=agree,
    budgets=(seconds(EASY, 60), memory(EASY, 3)),
)

if __name__ == "__main__":
    main(BENCHMARK)
