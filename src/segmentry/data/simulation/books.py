"""What lies beside the systems: acquisition costs, the register of consents, and bought market research."""

from __future__ import annotations

from math import exp
from pathlib import Path

from segmentry.data.simulation.chance import Company, months_later
from segmentry.data.simulation.plan_groups import ACQUISITION
from segmentry.data.simulation.plan_voice import (
    ADVERTISING,
    CONTRADICTED,
    EMAIL,
    EMAIL_PROOFS,
    MARKET_AGES,
    MARKET_REGIONS,
    PERMISSIONS,
    STUDIES,
    UNSUBSCRIBED_NOTED,
    WITHDRAWN_BY,
    AgeBand,
    Region,
)


def export(company: Company, folder: Path) -> dict[str, int]:
    """acquisition_costs.csv, consents.csv and market research; rows per file."""
    counts = {
        "finance/acquisition_costs.csv": _acquisition(company, folder / "finance/acquisition_costs.csv"),
        "consents/consents.csv": _consents(company, folder / "consents/consents.csv"),
        "market/research.csv": _research(company, folder / "market/research.csv"),
    }
    company.drop("sim_readers", "sim_addresses", "sim_mails")
    return counts


# --- acquisition costs ------------------------------------------------------------------------------------------------


def _acquisition(company: Company, path: Path) -> int:
    """What advertising cost per month, channel and campaign, and the fees to affiliates for single customers."""
    rows = [
        (ACQUISITION.index(a.channel), no, campaign, a.per_customer / len(a.campaigns), a.fee)
        for a in ADVERTISING
        for no, campaign in enumerate(a.campaigns)
    ]
    kinds = {"channel": "INTEGER", "no": "INTEGER", "campaign": "VARCHAR", "per_customer": "DOUBLE", "fee": "DOUBLE"}
    company.load("sim_advertising", kinds, rows)
    written = company.export(_SPENDING, path, channels=list(ACQUISITION), seed=company.seed, start=company.start)
    company.drop("sim_advertising")
    return written


# The channel a customer came by is drawn as for the shop's own export. Fifteen pounds a month are spent in any case.
_SPENDING = """
WITH won AS (
    SELECT customer_no, h, choice AS channel, date_trunc('month', signup_date)::DATE AS month
    FROM sim_people AS p
    JOIN sim_choices AS x ON kind = 'acquired' AND x.group_no = p.group_no AND x.slot = draw_below(p.h, 34, 1000)
    WHERE customer_no IS NOT NULL AND signup_date >= $start::DATE
), counted AS (
    SELECT month, channel, no, campaign, 15 + count(*) * per_customer AS usual,
        sim_mix((1000 * no + channel)::UBIGINT) AS mixed
    FROM won JOIN sim_advertising USING (channel) GROUP BY month, channel, no, campaign, per_customer
), hashed AS (
    SELECT *, sim_hash(mixed, $seed + datediff('month', $start::DATE, month)) AS h FROM counted
), spent AS (
    SELECT month, channel, no, campaign, NULL AS customer_no, usual * exp(0.15 * draw_normal(h, 1)) AS spend FROM hashed
    UNION ALL
    SELECT month, channel, 9, 'affiliate fee', customer_no, fee * (0.8 + 0.4 * draw(h, 1800))
    FROM won JOIN sim_advertising USING (channel) WHERE fee > 0 AND no = 0
)
SELECT strftime(month, '%Y-%m') AS month, ($channels::VARCHAR[])[1 + channel] AS channel, campaign,
    CASE WHEN customer_no IS NOT NULL THEN format('C-{:06d}', customer_no) END AS customer_number,
    round(spend, 2)::DECIMAL(12, 2) AS spend, 'GBP' AS currency
FROM spent ORDER BY spent.month, spent.channel, no, customer_no
"""


# --- consents ---------------------------------------------------------------------------------------------------------


def _consents(company: Company, path: Path) -> int:
    """One row per statement; the latest of a customer, channel and purpose is what holds, unless two contradict."""
    rows = [
        (no, p.channel, p.purpose, p.asked, p.granted, p.withdrawn, list(p.proofs))
        for no, p in enumerate(PERMISSIONS, start=1)
    ]
    kinds = {
        "permission": "INTEGER", "channel": "VARCHAR", "purpose": "VARCHAR", "asked": "DOUBLE", "granted": "DOUBLE",
        "withdrawn": "DOUBLE", "proofs": "VARCHAR[]",
    }  # fmt: skip
    company.load("sim_permissions", kinds, [(0, *EMAIL, 0.0, 0.0, 0.0, list(EMAIL_PROOFS)), *rows])
    written = company.export(
        _STATEMENTS, path, until=company.until, contradicted=CONTRADICTED, noted=UNSUBSCRIBED_NOTED,
        withdrawn_by=list(WITHDRAWN_BY),
    )  # fmt: skip
    company.drop("sim_permissions")
    return written


_STATEMENTS = """
WITH hashed AS (
    SELECT person, permission, sim_hash(p.h, 1810 + permission) AS h, signup_date AS day, asked, granted, withdrawn
    FROM sim_people AS p, sim_permissions WHERE customer_no IS NOT NULL AND permission > 0
), asked AS (
    SELECT person, permission, h, day, draw(h, 1) < granted AS granted, withdrawn FROM hashed WHERE draw(h, 2) < asked
), readers AS (
    SELECT person, sim_hash(h, 1810) AS h, opted, ended, last_mail FROM sim_readers
), stated AS (
    SELECT person, permission, h, day, granted, 0 AS turn FROM asked
    UNION ALL
    SELECT person, permission, h, day + 1 + draw_below(h, 4, greatest(1, $until::DATE - day))::INTEGER, false, 1
    FROM asked WHERE granted AND draw(h, 3) < withdrawn
    UNION ALL
    -- who never read the newsletter said no when they signed up
    SELECT person, 0, sim_hash(p.h, 1810), signup_date, false, 0
    FROM sim_people AS p ANTI JOIN sim_readers USING (person) WHERE newsletter = false
    UNION ALL
    SELECT person, 0, h, opted, true, 0 FROM readers
    UNION ALL
    SELECT person, 0, h, sent_at::DATE + 1, false, 1
    FROM readers JOIN sim_mails ON mail = last_mail WHERE ended = 'unsubscribed' AND draw(h, 5) < $noted
), doubled AS (
    SELECT *, 0 AS copy FROM stated
    UNION ALL
    SELECT person, permission, h, day, NOT granted, turn, 1 FROM stated WHERE draw(h, 6 + turn) < $contradicted
), named AS (
    SELECT s.*, channel, purpose, proofs, n.customer_no, coalesce(n.email, a.email) AS email,
        s.day + to_seconds(28800 + draw_below(s.h, 10 + 2 * turn + copy, 43200)) AS stated_at
    FROM doubled AS s
    JOIN sim_permissions USING (permission)
    LEFT JOIN (SELECT person, customer_no, email FROM sim_names) AS n USING (person)
    LEFT JOIN (SELECT person, email FROM sim_addresses) AS a USING (person)
    WHERE day <= $until::DATE
)
SELECT CASE WHEN draw(h, 20) < 0.75 THEN format('C-{:06d}', customer_no) END AS customer_number,
    CASE WHEN customer_no IS NULL OR draw(h, 20) >= 0.65 THEN email END AS email, channel, purpose,
    CASE WHEN granted THEN 'granted' ELSE 'denied' END AS status,
    strftime(stated_at, '%Y-%m-%d %H:%M:%S') AS recorded_at,
    CASE WHEN draw(h, 21 + turn) < 0.06 THEN NULL
         WHEN turn = 1 AND permission = 0 THEN ($withdrawn_by::VARCHAR[])[1]
         WHEN turn = 1 THEN ($withdrawn_by::VARCHAR[])[2 + draw_below(h, 23, len($withdrawn_by::VARCHAR[]) - 1)]
         ELSE proofs[1 + draw_below(h, 24 + copy, len(proofs))] END AS proof
FROM named ORDER BY stated_at, person, permission, turn, copy
"""


# --- market research --------------------------------------------------------------------------------------------------


def _research(company: Company, path: Path) -> int:
    """Published figures for every age band in every region: share of the adults, spend a head, propensity to buy."""
    cells = [(band, region) for band in MARKET_AGES for region in MARKET_REGIONS]
    people = {cell: cell[0].share * cell[1].share * _tilt(*cell) for cell in cells}
    figures = {
        "population_share": {cell: round(share / sum(people.values()), 5) for cell, share in people.items()},
        "spend_per_head": {cell: round(cell[0].spend * cell[1].spend, 0) for cell in cells},
        "propensity": {cell: round(min(0.95, cell[0].propensity * cell[1].spend ** 0.3), 3) for cell in cells},
    }
    rows = [
        (no, band.name, region.name, study.measure, figures[study.measure][band, region], study.unit, study.source,
         months_later(company.until, -study.months_old))
        for no, (study, (band, region)) in enumerate((study, cell) for study in STUDIES for cell in cells)
    ]  # fmt: skip
    kinds = {
        "no": "INTEGER", "age_band": "VARCHAR", "region": "VARCHAR", "measure": "VARCHAR", "value": "DOUBLE",
        "unit": "VARCHAR", "source": "VARCHAR", "published": "DATE",
    }  # fmt: skip
    company.load("sim_research", kinds, rows)
    written = company.export("SELECT * EXCLUDE no FROM sim_research ORDER BY no", path)
    company.drop("sim_research")
    return written


def _tilt(band: AgeBand, region: Region) -> float:
    """How much more of a region's adults are of this age than elsewhere: young regions have more in the first bands."""
    youth = 1 - MARKET_AGES.index(band) / (len(MARKET_AGES) - 1) * 2
    return exp(region.young * youth)
