"""The e-mail experiment of the demo company: who was mailed, what it did to their orders, and its export."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path

from segmentry.data.simulation.chance import Company


def make(company: Company) -> None:
    """``sim_extra``: orders that people place only because of the mail, with the day. sim_people says who is mailed."""
    company.run(_EXTRA, mailed_on=company.mailed_on, days=company.plan.campaign.days)


# Whoever has fallen silent before the effect ends is not woken up.
_EXTRA = """
CREATE OR REPLACE TEMP TABLE sim_extra AS
SELECT person, h, group_no, season_no, place_no, $mailed_on::DATE + (1 + draw_below(h, 219, $days))::INTEGER AS day
FROM sim_people JOIN sim_groups USING (group_no)
WHERE mailed = 1 AND draw(h, 217) < mail_extra AND active_until >= $mailed_on::DATE + $days
"""


def effects(company: Company) -> None:
    """``sim_effects``: what the mail is expected to do to the readers of each group, by ``sim_placed`` and
    ``sim_value``; drops ``sim_extra`` and ``sim_placed``.

    ``orders`` and ``spend`` (net of discounts, before returns and fees) are expected differences per person over the
    days after the mail, between all readers mailed and none mailed. Only the chance of the mail itself is averaged
    over: orders that it can put off are those that were really planned.
    """
    company.run(_EFFECTS, mailed_on=company.mailed_on, days=company.plan.campaign.days)
    company.drop("sim_extra", "sim_placed")


_EFFECTS = """
CREATE OR REPLACE TEMP TABLE sim_effects AS
WITH planned AS (
    SELECT person, count(*) AS placed FROM sim_placed WHERE watched AND k > 0 GROUP BY person
), readers AS (
    SELECT p.group_no, mailed, v.basket,
        mail_extra * (active_until >= $mailed_on::DATE + $days)::INTEGER - mail_spoiled * coalesce(o.placed, 0) AS more
    FROM sim_people AS p
    JOIN sim_groups USING (group_no)
    JOIN sim_value AS v USING (customer_no)
    LEFT JOIN planned AS o USING (person)
    WHERE mailed IS NOT NULL
)
-- decimals, because their sum does not depend on the order in which threads add them up
SELECT group_no, (sum(more::DECIMAL(18, 6)) / count(*))::DOUBLE AS orders,
    (sum((more * basket)::DECIMAL(18, 6)) / count(*))::DOUBLE AS spend, count(*) FILTER (mailed = 1) AS n_mailed,
    count(*) FILTER (mailed = 0) AS n_control
FROM readers GROUP BY group_no
"""


def export(company: Company, folder: Path) -> dict[str, int]:
    """newsletter/campaign.csv: who of the newsletter's readers was mailed when, and who was held out."""
    sent_at = datetime.combine(company.mailed_on, time(company.plan.campaign.hour))
    rows = company.export(_CAMPAIGN, folder / "newsletter/campaign.csv", sent_at=sent_at)
    return {"newsletter/campaign.csv": rows}


_CAMPAIGN = """
SELECT email AS "Email Address", CASE mailed WHEN 1 THEN 'mailed' ELSE 'holdout' END AS "Arm",
    CASE mailed WHEN 1 THEN strftime($sent_at::TIMESTAMP, '%Y-%m-%d %H:%M:%S') END AS "Sent At"
FROM sim_readers JOIN sim_addresses USING (leid, person) WHERE mailed IS NOT NULL ORDER BY leid
"""
