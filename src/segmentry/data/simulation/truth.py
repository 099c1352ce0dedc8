"""What was planted in the demo company, under truth/: for tests and benchmarks, never an input."""

from __future__ import annotations

from pathlib import Path

from segmentry.data.simulation.chance import Company
from segmentry.data.simulation.crm import FIRST_ACCOUNT
from segmentry.data.simulation.plan_people import ATTITUDES, OFFERS
from segmentry.data.simulation.shop import TASTE_SCALE

MARK = "truth/simulation.csv"  # says that a folder was written by this simulation
TYPICAL_SPREAD = 0.55  # of the log list prices, averaged over the categories


def mark(company: Company, folder: Path) -> dict[str, int]:
    """truth/simulation.csv: the arguments."""
    query = "SELECT $customers AS customers, $seed AS seed, $first::DATE AS first_day, $last::DATE AS last_day"
    rows = company.export(query, folder / MARK, customers=company.size, seed=company.seed, first=company.start,
                          last=company.until)  # fmt: skip
    return {MARK: rows}


def export(company: Company, folder: Path) -> dict[str, int]:
    """persons.csv, records_shop.csv, accounts.csv, offers.csv, effects.csv, changes.csv, faults.csv; rows per file."""
    _offers(company)
    _changes(company)
    levels = sorted(company.plan.value_levels.items(), key=lambda level: level[1])
    names, least = (list(column) for column in zip(*levels, strict=True))
    persons = {
        "until": company.until, "names": names, "least": least, "scale": TASTE_SCALE * TYPICAL_SPREAD,
        "account": FIRST_ACCOUNT, "needs": [need.name for need in company.plan.needs],
        "attitudes": [attitude.name for attitude in company.plan.attitudes],
    }  # fmt: skip
    tables: tuple[tuple[str, str, dict[str, object]], ...] = (
        ("persons", _PERSONS, persons),
        ("records_shop", _RECORDS, {}),
        ("accounts", _ACCOUNTS, {"account": FIRST_ACCOUNT}),
        ("offers", _OFFERS, {}),
        ("effects", _EFFECTS, {}),
        ("changes", _CHANGES, {}),
        ("faults", _FAULTS, {}),
    )
    return {f"truth/{name}.csv": company.export(sql, folder / f"truth/{name}.csv", **values)
            for name, sql, values in tables}  # fmt: skip


_PERSONS = f"""
WITH placed AS (
    SELECT person, count(*) AS orders FROM sim_orders GROUP BY person
), summed AS (
    SELECT p.*, name AS behaviour_group, coalesce(o.orders, 0) AS placed,
        placed * g.basket * exp($scale * taste) AS past_spend
    FROM sim_people AS p
    JOIN sim_groups AS g USING (group_no)
    LEFT JOIN placed AS o USING (person)
    WHERE customer_no IS NOT NULL
), best AS (
    SELECT need_no, arg_max(offer, probability) AS best_offer FROM sim_offers GROUP BY need_no
)
SELECT format('C-{{:06d}}', s.customer_no) AS customer_id, s.person, behaviour_group,
    CASE WHEN placed = 0 THEN 'never active' WHEN active_until < $until::DATE THEN 'lapsed' ELSE 'alive' END
        AS activity,
    ($names::VARCHAR[])[len(list_filter($least::DOUBLE[], lambda level: level <= past_spend))] AS value_level,
    placed AS orders, ($needs::VARCHAR[])[1 + need_no] AS needs_segment,
    ($attitudes::VARCHAR[])[1 + attitude_no] AS attitude_segment,
    {", ".join(f"round({name}, 3) AS {name}" for name in ATTITUDES)},
    occupation, floor(age)::INTEGER AS age, round(digital, 3) AS digital, round(s.satisfaction, 2) AS satisfaction,
    v.alive::INTEGER AS alive_probability, round(v.orders, 4) AS expected_orders_365d,
    round(v.spend, 2) AS expected_spend_365d,
    CASE WHEN account_no IS NOT NULL THEN sim_salesforce('001', $account + account_no) END AS account, best_offer,
    CASE mailed WHEN 1 THEN 'mailed' WHEN 0 THEN 'holdout' END AS experiment
FROM summed AS s
JOIN sim_value AS v USING (customer_no)
JOIN sim_attitudes AS a USING (customer_no)
JOIN sim_occupations USING (occupation_no)
JOIN best USING (need_no)
ORDER BY s.customer_no
"""

_RECORDS = """
SELECT person, 'shop' AS system, format('C-{:06d}', customer_no) AS record_id
FROM sim_people WHERE customer_no IS NOT NULL ORDER BY customer_no
"""

_ACCOUNTS = """
WITH people AS (
    SELECT account_no, count(*) AS people FROM sim_people WHERE account_no IS NOT NULL GROUP BY account_no
)
SELECT sim_salesforce('001', $account + account_no) AS account,
    CASE WHEN parent_no IS NOT NULL THEN sim_salesforce('001', $account + parent_no) END AS parent, stage,
    coalesce(people, 0) AS customers, adoption AS adoption_stage, round(early, 3) AS early, technologies
FROM sim_accounts JOIN sim_stacks USING (account_no) LEFT JOIN people USING (account_no) ORDER BY account_no
"""


def _offers(company: Company) -> None:
    """``sim_offers``: how likely a needs segment answers an offer."""
    rows = [
        (need_no, need.name, offer_no, offer, need.offers[offer])
        for need_no, need in enumerate(company.plan.needs)
        for offer_no, offer in enumerate(OFFERS)
    ]
    columns = {"need_no": "INTEGER", "need": "VARCHAR", "offer_no": "INTEGER", "offer": "VARCHAR",
               "probability": "DOUBLE"}  # fmt: skip
    company.load("sim_offers", columns, rows)


_OFFERS = """
SELECT need AS needs_segment, offer, probability AS response_probability FROM sim_offers ORDER BY need_no, offer_no
"""

_EFFECTS = """
SELECT name AS behaviour_group, round(orders, 5) AS expected_effect_orders, round(spend, 3) AS expected_effect_spend,
    n_mailed, n_control
FROM sim_effects JOIN sim_groups USING (group_no) ORDER BY group_no
"""

_FAULTS = """
SELECT what, file, first_day AS "from", last_day AS until, rows AS rows_concerned FROM sim_faults ORDER BY ALL
"""


def _changes(company: Company) -> None:
    """``sim_changes``: what changed when, by behaviour group (null: for everybody)."""
    rise = company.plan.price_rise
    prices = f"list prices {rise.factor - 1:+.0%}: {', '.join(rise.categories)}"
    rows: list[tuple[object, ...]] = [(prices, company.prices_rose_on, None, 1.0, "active")]
    for name, kept in rise.kept.items():
        rows.append((f"{kept:.0%} of the orders are still placed", company.prices_rose_on, name, kept, "active"))
    for name, share in rise.stopped.items():
        rows.append(("stop ordering within two months", company.prices_rose_on, name, share, "stopped"))
    for group in company.plan.groups:
        if group.born_month is not None:
            rows.append(("a new segment", company.month(group.born_month), group.name, 1.0, "members"))
    columns = {"what": "VARCHAR", "day": "DATE", "name": "VARCHAR", "share": "DOUBLE", "concerned": "VARCHAR"}
    company.load("sim_changes", columns, rows)


_CHANGES = """
SELECT what, day AS from_date, c.name AS behaviour_group, count(customer_no) FILTER (CASE concerned
    WHEN 'active' THEN signup_date < day AND active_until >= day
    WHEN 'stopped' THEN signup_date < day AND draw(h, 216) < rise_stopped
    ELSE true END) AS customers_concerned
FROM sim_changes AS c
LEFT JOIN (FROM sim_people JOIN sim_groups USING (group_no) WHERE customer_no IS NOT NULL) AS p
    ON c.name IS NULL OR c.name = p.name
GROUP BY ALL ORDER BY ALL
"""
