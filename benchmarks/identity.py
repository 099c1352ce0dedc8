"""Record linkage: which of 1M records of several systems are the same person, with default settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import Benchmark, Contender, NotEqualError, Work, main, memory, scale, seconds

RECORDS = 1_000_000

# Four systems know a person on average: half by an e-mail address in another spelling, some with a slip in the name,
# a former postcode or a nickname, some by telephone only. Names are as common as names are: the square of chance.
_RECORDS = """
CREATE MACRO draw(i, salt) AS (hash(i * 1000 + salt) >> 11) / 9007199254740992.0;
COPY (
    WITH numbered AS (
        SELECT i AS record_key, (i * 7368787) % ({records} // 4) AS person FROM range(1, {records} + 1) AS t(i)
    ), named AS (
        SELECT *, chr(97 + floor(26 * draw(person, 1) ** 2)::INT) || chr(97 + floor(26 * draw(person, 2))::INT)
                || ['ara', 'ian', 'ert', 'ilda', 'ora', 'us'][1 + floor(6 * draw(person, 3) ** 2)::INT] AS given_name,
            ['mac', 'o', 'sten', 'brad', 'hol', 'wor'][1 + floor(6 * draw(person, 4))::INT]
                || chr(97 + floor(26 * draw(person, 5) ** 2)::INT) || chr(97 + floor(26 * draw(person, 6))::INT)
                || ['ley', 'ton', 'son', 'ford', 'ham', 'by'][1 + floor(6 * draw(person, 7) ** 2)::INT] AS family_name
        FROM numbered
    )
    SELECT record_key, person, 'system ' || (record_key % 4) AS source,
        given_name AS first_name,
        CASE WHEN draw(record_key, 8) < .05 THEN left(family_name, 3) || substr(family_name, 5) ELSE family_name END
            AS last_name,
        CASE WHEN draw(record_key, 9) < .7 THEN
            CASE WHEN draw(record_key, 10) < .5 THEN upper(given_name) ELSE given_name END
            || '.' || family_name || person || '@mail.example' END AS email,
        CASE WHEN draw(record_key, 11) < .5 THEN CASE WHEN draw(record_key, 12) < .5 THEN '+44 7' ELSE '07' END
            || lpad((100000000 + person * 387)::VARCHAR, 9, '1') END AS phone,
        CASE WHEN draw(record_key, 13) < .5 THEN 'AB' || floor(draw(person, 14) * 90)::INT || ' '
            || floor(draw(person, 15) * 10)::INT || chr(65 + floor(draw(person, 16) * 26)::INT) || 'X' END AS postcode,
        CASE WHEN draw(record_key, 17) < .4 THEN DATE '1940-01-01' + floor(draw(person, 18) * 24000)::INT END
            AS birth_date
    FROM named
) TO '{path}' (FORMAT parquet)
"""


def _records() -> int:
    return max(int(RECORDS * scale()), 400)


def _file(data: Path) -> Path:
    return data / f"records-{_records()}.parquet"


def inputs(data: Path) -> None:
    """The records of the size that is measured."""
    import duckdb

    path = _file(data)
    if not path.exists():
        beside = path.with_suffix(f".{os.getpid()}")
        with duckdb.connect() as con:
            con.execute(_RECORDS.format(records=_records(), path=beside))
        beside.rename(path)


def segmentry(data: Path, out: Path) -> Work:
    """Links and clusters of all records."""
    import ibis

    from segmentry.data.linkage import link_people

    def work() -> dict[str, float]:
        con = ibis.duckdb.connect(memory_limit="2GB", temp_directory=str(out / "spill"))
        linked = link_people(con, con.read_parquet(_file(data)).drop("person"))
        linked.clusters.to_parquet(out / "clusters.parquet")
        return {"candidate pairs": linked.facts["candidates"], "people": linked.facts["clusters"]}

    return work


def agree(data: Path, outs: Mapping[str, Path]) -> None:
    """Hardly two people are one, and most records of a person are together."""
    import duckdb

    both, ours, true = duckdb.sql(f"""
        WITH found AS (
            FROM '{outs["Segmentry"] / "clusters.parquet"}' JOIN '{_file(data)}' USING (record_key)
        )
        SELECT (SELECT sum(n * (n - 1)) FROM (SELECT count(*) AS n FROM found GROUP BY "cluster", person)),
            (SELECT sum(n * (n - 1)) FROM (SELECT count(*) AS n FROM found GROUP BY "cluster")),
            (SELECT sum(n * (n - 1)) FROM (SELECT count(*) AS n FROM found GROUP BY person))
    """).fetchall()[0]
    if both < 0.99 * ours or both < 0.7 * true:
        raise NotEqualError(f"Of {ours // 2:,} linked pairs {both // 2:,} are true, of {true // 2:,} there are.")


BENCHMARK = Benchmark(
    title="Record linkage",
    about=f"{_records():,} records of {_records() // 4:,} people in four systems.",
    contenders=(Contender("Segmentry", segmentry, "segmentry"),),
    reference="Segmentry",
    inputs=inputs,
    agree=agree,
    budgets=(seconds("Segmentry", 60), memory("Segmentry", 3)),
)

if __name__ == "__main__":
    main(BENCHMARK)
