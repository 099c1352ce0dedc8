"""Which technologies the accounts of the demo company run and how early they adopt, and what sales people noted."""

from __future__ import annotations

from segmentry.data.simulation.chance import Company
from segmentry.data.simulation.plan_crm import (
    ADOPTION,
    ADOPTION_KNOWN,
    ADOPTION_RIGHT,
    ADOPTION_SPREAD,
    INDUSTRIES,
    NOTED,
    NOTED_TWICE,
    STACK_KNOWN,
    TECHNOLOGIES,
)


def make(company: Company) -> None:
    """``sim_stacks``: one row per account.

    The truth is ``early`` (standard scores), ``adoption`` (the group of Rogers) and ``technologies``; what the CRM says
    is ``noted_technologies`` and ``noted_adoption``, null where nobody asked.
    """
    rows = [(no, t.name, t.usual, t.early, t.size) for no, t in enumerate(TECHNOLOGIES)]
    columns = {"no": "INTEGER", "name": "VARCHAR", "usual": "DOUBLE", "earlier": "DOUBLE", "larger": "DOUBLE"}
    company.load("sim_technologies", columns, rows)
    company.run(
        _STACKS, industries=[i.name for i in INDUSTRIES], shifts=[i.early for i in INDUSTRIES], spread=ADOPTION_SPREAD,
        groups=list(ADOPTION), least=list(ADOPTION.values()), known=STACK_KNOWN, noted=NOTED, twice=NOTED_TWICE,
        adoption_known=ADOPTION_KNOWN, right=ADOPTION_RIGHT,
    )  # fmt: skip
    company.drop("sim_technologies")


# A technology is run with a logit that grows with how early the firm is, and with its size.
_STACKS = """
CREATE OR REPLACE TEMP TABLE sim_stacks AS
WITH hashed AS (
    SELECT account_no, employees, sim_hash(h, 60) AS h,
        ($shifts::DOUBLE[])[list_position($industries::VARCHAR[], industry)] AS shift
    FROM sim_accounts
), adopting AS (
    SELECT *, shift + $spread * draw_normal(h, 1) AS early,
        len(list_filter($least::DOUBLE[], lambda least: early >= least))::INTEGER AS place
    FROM hashed
), running AS (
    SELECT account_no, no, name, draw(h, 200 + no) < $noted AS is_noted, draw(h, 300 + no) < $twice AS again
    FROM adopting, sim_technologies
    WHERE draw(h, 100 + no)
        < 1 / (1 + exp(-(ln(usual / (1 - usual)) + earlier * early + larger * ln(employees / 20.0))))
), stacks AS (
    SELECT account_no, string_agg(name, ';' ORDER BY no) AS technologies,
        list_concat(list(name ORDER BY no) FILTER (is_noted), list(lower(name) ORDER BY no) FILTER (is_noted AND again))
            AS noted
    FROM running GROUP BY account_no
)
SELECT account_no, early, ($groups::VARCHAR[])[place] AS adoption, technologies,
    -- some write a list with commas, some with a field of the CRM that has several values
    CASE WHEN draw(h, 2) >= $known THEN NULL WHEN draw(h, 3) < 0.6 THEN array_to_string(noted, ';')
         ELSE array_to_string(noted, ', ') END AS noted_technologies,
    CASE WHEN draw(h, 4) < $adoption_known THEN ($groups::VARCHAR[])[CASE WHEN draw(h, 5) < $right THEN place
        ELSE least(len($groups::VARCHAR[]), greatest(1, place + CASE WHEN draw(h, 6) < 0.5 THEN 1 ELSE -1 END)) END] END
        AS noted_adoption
FROM adopting LEFT JOIN stacks USING (account_no)
"""
