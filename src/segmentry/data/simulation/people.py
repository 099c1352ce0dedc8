"""Who the people of the demo company are: behaviour, needs, attitudes, work, account; and what they are called."""

from __future__ import annotations

from segmentry.data.simulation.chance import DAY_UNITS, Company
from segmentry.data.simulation.plan_crm import ACCOUNTS_LEAST, BUYING, CROWDING, CUSTOMERS_PER_ACCOUNT
from segmentry.data.simulation.plan_people import AGE_BANDS, ATTITUDE_SPREAD, ATTITUDES

FIRST_LEAD = 3 * 2**29  # the person before the first lead: somebody in the CRM who never was a customer
FIRST_GUEST = 2**31  # the first guest: somebody who ordered without registering


def make(company: Company) -> None:
    """``sim_people``: registered customers, numbered by signup, and guests; ``sim_attitudes``: their latent scores."""
    plan = company.plan
    company.run(
        _PEOPLE,
        seed=company.seed, size=company.size, guests=round(company.size * plan.guests.share),
        guest_group=len(plan.groups), first_guest=FIRST_GUEST, start=company.start, until=company.until,
        day_units=DAY_UNITS, rise=company.prices_rose_on, bands=list(AGE_BANDS),
        buying=buying_accounts(company.size), crowding=CROWDING,
        mailed_on=company.mailed_on, treated=plan.campaign.treated,
    )  # fmt: skip
    _attitudes(company)


def accounts(customers: int) -> int:
    """How many accounts the company knows."""
    return max(ACCOUNTS_LEAST, round(customers / CUSTOMERS_PER_ACCOUNT))


def buying_accounts(customers: int) -> int:
    """How many of them have people who order; they come first, the largest at the front."""
    return max(1, round(BUYING * accounts(customers)))


_PEOPLE = """
CREATE OR REPLACE TEMP TABLE sim_people AS
WITH registered AS (
    SELECT i::UBIGINT AS person, sim_hash(sim_mix(i::UBIGINT), $seed + 1) AS h
    FROM range(1, $size + 1) AS t(i)
), grouped AS (
    SELECT person, h, choice AS group_no
    FROM registered JOIN sim_choices ON kind = 'group' AND slot = draw_below(h, 1, 1000)
    UNION ALL
    SELECT i::UBIGINT, sim_hash(sim_mix(i::UBIGINT), $seed + 1), $guest_group
    FROM range($first_guest, $first_guest + $guests) AS t(i)
), joined AS (
    SELECT person, h, g.*, draw_normal(h, 2) AS taste,
        $until::DATE - (tenure_least + draw_below(h, 3, tenure_most - tenure_least + 1))::INTEGER AS signup_date,
        least(92, 18 + abs(g.age + 12 * draw_normal(h, 31) - 18)) AS years,
        least(10, greatest(0, g.satisfaction + 1.3 * draw_normal(h, 207))) AS content
    FROM grouped JOIN sim_groups AS g USING (group_no)
), leaving AS (
    SELECT *, list_sum(list_transform($bands::INTEGER[], lambda first: (years >= first)::INTEGER)) AS age_band,
        -- nobody falls silent before two months are over
        least($until::DATE,
            CASE WHEN draw(h, 4) < lapse_share
                THEN greatest(signup_date + 60,
                              $until::DATE - (quiet_least + draw_below(h, 5, quiet_most - quiet_least + 1))::INTEGER)
                WHEN active_days IS NOT NULL THEN least($until::DATE, signup_date + active_days)
                ELSE $until::DATE END,
            CASE WHEN draw(h, 216) < rise_stopped AND signup_date < $rise::DATE
                THEN greatest(signup_date + 60, $rise::DATE + draw_below(h, 218, 60)::INTEGER) END
        ) AS last_day,
        -- the contented say yes to the newsletter more often
        CASE WHEN group_no = $guest_group OR draw(h, 71) < 0.03 THEN NULL
             ELSE draw(h, 72) < 0.3 + 0.05 * content END AS newsletter
    FROM joined
), spanned AS (
    SELECT *, greatest(signup_date, $start::DATE) AS active_from, greatest(last_day, $start::DATE) AS active_until
    FROM leaving
), slotted AS (
    SELECT s.*, f.first_slot AS slot_from, u.last_slot - f.first_slot + 1 AS slots, x.choice AS occupation_no
    FROM spanned AS s
    JOIN sim_days AS f ON f.season_no = s.season_no AND f.day = active_from
    JOIN sim_days AS u ON u.season_no = s.season_no AND u.day = active_until
    JOIN sim_choices AS x ON x.kind = 'occupation' AND x.group_no = 100 * s.age_band + s.group_no
        AND x.slot = draw_below(h, 201, 1000)
), settled AS (
    SELECT s.*, draw(h, 202) AS need, draw(h, 203) AS attitude, l.*, y.choice AS place_no,
        group_no <> $guest_group AND works AND draw(h, 204) < business AS for_business,
        orders_per_year * draw_pace(h, 6, pace_shape) * slots / ($day_units * 365.0) AS orders_expected
    FROM slotted AS s
    JOIN sim_leanings AS l USING (group_no, age_band, occupation_no)
    JOIN sim_occupations USING (occupation_no)
    JOIN sim_choices AS y ON y.kind = 'place' AND y.slot = draw_below(h, 32, 1000)
)
SELECT person, h,
    CASE WHEN group_no <> $guest_group THEN row_number() OVER (
        PARTITION BY group_no = $guest_group ORDER BY signup_date, person)::INTEGER END AS customer_no,
    group_no,
    len(list_filter(need_ends, lambda share: share < need))::INTEGER AS need_no,
    len(list_filter(attitude_ends, lambda share: share < attitude))::INTEGER AS attitude_no,
    place_no, occupation_no, draw(h, 30) < 0.51 AS woman, years AS age, signup_date, active_until,
    least(orders_most, greatest(orders_least,
        CASE WHEN even THEN round(orders_expected + 0.3 * draw_normal(h, 12))
             ELSE draw_count(h, 12, orders_expected) END))::INTEGER AS orders,
    CASE WHEN for_business THEN 1 + floor($buying * power(draw(h, 205), $crowding))::INTEGER END AS account_no,
    sim_below(1.5 * (online - 0.6) - 0.02 * (years - 42) + 0.6 * draw_normal(h, 206)) AS digital,
    content AS satisfaction,
    CASE WHEN newsletter AND signup_date < $mailed_on::DATE THEN (draw(h, 209) < $treated)::INTEGER END AS mailed,
    newsletter, taste::FLOAT AS taste, slot_from, slots
FROM settled
"""


def _attitudes(company: Company) -> None:
    """``sim_attitudes``: person, customer_no and the four latent scores, computed when somebody asks."""
    columns = {"attitude_no": "INTEGER", **dict.fromkeys(ATTITUDES, "DOUBLE")}
    rows = [(no, *segment.means) for no, segment in enumerate(company.plan.attitudes)]
    company.load("sim_attitude_means", columns, rows)
    scores = ", ".join(
        f"m.{name} + {ATTITUDE_SPREAD} * draw_normal(h, {210 + no}) AS {name}" for no, name in enumerate(ATTITUDES)
    )
    company.run(f"""
        CREATE OR REPLACE TEMP VIEW sim_attitudes AS
        SELECT person, customer_no, {scores} FROM sim_people JOIN sim_attitude_means AS m USING (attitude_no)
    """)


def names(company: Company) -> None:
    """What people are really called and where they are reached, before any system's mess.

    ``sim_names``: registered people; ``sim_leads``: those of ``sim_prospects``, without a customer number.
    ``maiden_name`` and ``former_postcode`` are null for most. A telephone may be a household's or an office's.
    """
    names = company.plan.first_names
    women, men = list(names["F"]), list(names["M"])
    company.run(_NAMES, women=women, men=men, surnames=list(company.plan.last_names), customers=company.size)
    company.run("CREATE OR REPLACE TEMP VIEW sim_names AS FROM sim_named WHERE customer_no IS NOT NULL")
    company.run("CREATE OR REPLACE TEMP VIEW sim_leads AS FROM sim_named WHERE customer_no IS NULL")


# Every second person may live with the one before: same surname, same telephone, and same postcode where the place is
# the same. RFC 2606 keeps .example free: no mail to a simulated customer can arrive anywhere.
_NAMES = """
CREATE OR REPLACE TEMP TABLE sim_named AS
WITH homes AS (
    SELECT customer_no, customer_no AS number, person, h, woman, place_no, account_no,
        CASE WHEN person % 2 = 0 AND account_no IS NULL AND draw(h, 220) < 0.12 THEN person - 1 END AS head
    FROM sim_people WHERE customer_no IS NOT NULL
    UNION ALL
    SELECT NULL, $customers + lead_no, person, h, woman, place_no, account_no, NULL FROM sim_prospects
), housed AS (
    SELECT p.*, coalesce(q.h, p.h) AS h_home, coalesce(q.place_no, p.place_no) = p.place_no AS same_place,
        coalesce(q.customer_no, p.number) AS line_number
    FROM homes AS p LEFT JOIN sim_people AS q ON q.person = p.head
), drawn AS (
    SELECT n.*, sim_hash(CASE WHEN same_place THEN h_home ELSE h END, 42) AS h_code, sim_hash(h, 223) AS h_former,
        1 + draw_below(h_home, 33, len($surnames::VARCHAR[])) AS surname_no,
        1 + draw_below(h, 35, CASE WHEN woman THEN len($women::VARCHAR[]) ELSE len($men::VARCHAR[]) END) AS first_no,
        CASE WHEN woman AND draw(h, 221) < 0.07 THEN 1 + draw_below(h, 222, len($surnames::VARCHAR[])) END AS born_no
    FROM housed AS n
), named AS (
    SELECT *, ($surnames::VARCHAR[])[surname_no] AS last_name,
        CASE WHEN born_no <> surname_no THEN ($surnames::VARCHAR[])[born_no] END AS maiden_name,
        CASE WHEN woman THEN ($women::VARCHAR[])[first_no] ELSE ($men::VARCHAR[])[first_no] END AS first_name
    FROM drawn
)
SELECT customer_no, person, first_name, last_name, maiden_name,
    regexp_replace(strip_accents(lower(
        CASE WHEN draw(h, 40) < 0.6 THEN first_name || '.' || last_name ELSE left(first_name, 1) || last_name END
    )), '[^a-z.]', '', 'g') || number || '@'
        || coalesce(domain, ['mail.example', 'inbox.example', 'post.example'][1 + draw_below(h, 41, 3)]) AS email,
    CASE WHEN account_no IS NOT NULL AND draw(h, 224) < 0.3 THEN a.telephone
        -- a bijection of the number (the factor is prime to 2^29): no two homes share a telephone
        ELSE format('07{:09d}', 400000000 + (line_number::BIGINT * 387420489) % 536870912) END AS telephone,
    sim_postcode(h_code, country, area) AS postcode,
    CASE WHEN draw(h, 225) < 0.07 THEN sim_postcode(h_former, country, area) END AS former_postcode
FROM named
JOIN (SELECT place_no, country, postcode AS area FROM sim_places) USING (place_no)
LEFT JOIN (SELECT account_no, domain, telephone FROM sim_accounts) AS a USING (account_no)
"""
