"""The help desk: tickets with what people write, the survey after them, and what serving customers costs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from segmentry.data.simulation.chance import Company
from segmentry.data.simulation.choosing import slot_list
from segmentry.data.simulation.plan_texts import FAREWELLS, GREETINGS, MATTERS, THINGS, Matter
from segmentry.data.simulation.plan_voice import AFTER_CONTACT, AGREEMENT, CONTENT, EASE_BY_NEED, SERVICE

PENCE_MONTH, PENCE_WEEKS = 20, 3
_MINUTES_BY_MATTER = [matter.minutes for matter in MATTERS]


def export(company: Company, folder: Path) -> dict[str, int]:
    """tickets.csv as Zendesk writes it, after_contact.csv, service_costs.csv with three weeks in pence;
    truth/records_support.csv and truth/ease.csv."""
    company.run(_MINUTES)
    company.run(_TICKETS, start=company.start, until=company.until, tickets=SERVICE.tickets,
                troubles=_troubles(company))  # fmt: skip
    _costs(company)
    counts = {
        "support/tickets.csv": company.export(_TICKET_ROWS, folder / "support/tickets.csv", **_texts()),
        **_after_contact(company, folder),
        "finance/service_costs.csv": company.export(_COST_ROWS, folder / "finance/service_costs.csv"),
        "truth/records_support.csv": company.export(_RECORDS, folder / "truth/records_support.csv"),
    }
    company.drop("sim_tickets", "sim_service_costs")
    return counts


def _texts() -> dict[str, object]:
    """What tickets are put together from: one text of alternatives per matter."""
    return {
        "tags": [matter.tags for matter in MATTERS],
        "subjects": ["|".join(matter.subjects) for matter in MATTERS],
        "bodies": ["|".join(matter.bodies) for matter in MATTERS],
        "minutes": _MINUTES_BY_MATTER,
        "things": list(THINGS),
        "greetings": list(GREETINGS),
        "farewells": list(FAREWELLS),
    }


def _troubles(company: Company) -> list[int]:
    """What people write about: 1000 slots per needs segment, the content and the unhappy in turn."""
    return [
        matter
        for need in company.plan.needs
        for unhappy in (False, True)
        for matter in slot_list(_weight(matter, need.name, unhappy=unhappy) for matter in MATTERS)
    ]


def _weight(matter: Matter, need: str, *, unhappy: bool) -> float:
    return matter.weight * matter.by_need.get(need, 1.0) * (matter.unhappy if unhappy else 1.0)


# The unhappy write more often, and so does who sends things back.
_TICKETS = """
CREATE OR REPLACE TEMP TABLE sim_tickets AS
WITH returned AS (
    SELECT customer_no, count(DISTINCT order_no) AS returns FROM sim_bill
    WHERE is_return AND customer_no IS NOT NULL GROUP BY customer_no
), people AS (
    SELECT person, customer_no, sim_hash(h, 1600) AS h_person, need_no, digital, satisfaction,
        satisfaction < 5 AS unhappy, greatest(signup_date, $start::DATE) AS since,
        least($until::DATE, active_until + 30) AS until,
        $tickets * (0.4 + 0.09 * sqrt(orders)) * exp(0.16 * (7.5 - satisfaction)) + 0.22 * coalesce(returns, 0) AS usual
    FROM sim_people LEFT JOIN returned USING (customer_no) WHERE customer_no IS NOT NULL
), written AS (
    SELECT *, unnest(range(1, 1 + least(25, draw_count(h_person, 1, usual * draw_pace(h_person, 2, 2))))) AS k
    FROM people
), hashed AS (
    SELECT *, sim_hash(h_person, 100 + k) AS h FROM written
), timed AS (
    SELECT person, customer_no, k, h, satisfaction, digital, unhappy,
        ($troubles::INTEGER[])[1 + 1000 * (2 * need_no + unhappy::INTEGER) + draw_below(h, 1, 1000)] AS matter,
        since + draw_below(h, 2, until - since + 1)::INTEGER
            + to_seconds(floor(3600 * (7 + 7.5 * (draw(h, 3) + draw(h, 4))))::BIGINT) AS created_at
    FROM hashed
)
SELECT row_number() OVER (ORDER BY created_at, person, k)::INTEGER AS ticket_no, person, customer_no, h,
    matter::TINYINT AS matter, unhappy, satisfaction::FLOAT AS satisfaction, created_at,
    CASE WHEN draw(h, 5) < 0.25 + 0.3 * (1 - digital) THEN 'phone' WHEN draw(h, 6) < 0.5 THEN 'email'
         WHEN draw(h, 6) < 0.8 THEN 'web' ELSE 'chat' END AS channel
FROM timed
"""


def _costs(company: Company) -> None:
    """``sim_service_costs``: what each ticket costs (pounds), and each order that is taken back."""
    first = company.month(PENCE_MONTH)
    last = first + timedelta(weeks=PENCE_WEEKS) - timedelta(days=1)
    company.run(
        _COSTS, minute=SERVICE.minute, ticket=SERVICE.ticket, taken_back=SERVICE.taken_back, first=first, last=last,
        minutes=_MINUTES_BY_MATTER,
    )  # fmt: skip
    (rows,) = company.run("SELECT count(*) FROM sim_service_costs WHERE in_pence")
    company.fault("amounts are in pence, not in pounds", "finance/service_costs.csv", first, last, rows)


_COSTS = """
CREATE OR REPLACE TEMP TABLE sim_service_costs AS
WITH spent AS (
    SELECT created_at::DATE AS day, 0 AS kind, ticket_no AS number, customer_no,
        round($ticket + $minute * sim_minutes(h, ($minutes::DOUBLE[])[matter + 1], unhappy), 2) AS pounds
    FROM sim_tickets
    UNION ALL
    SELECT billed_at::DATE, 1, order_no, customer_no, round($taken_back * (0.7 + 0.3 * count(*)), 2)
    FROM sim_bill WHERE is_return AND customer_no IS NOT NULL GROUP BY billed_at::DATE, order_no, customer_no
)
SELECT day, kind::TINYINT AS kind, number, customer_no, day BETWEEN $first AND $last AS in_pence,
    CASE WHEN day BETWEEN $first AND $last THEN 100 * pounds ELSE pounds END::DECIMAL(10, 2) AS amount
FROM spent
"""

# Handling times spread log-normally around the matter's; complaints of the unhappy take longer.
_MINUTES = """
CREATE OR REPLACE TEMP MACRO sim_minutes(h, usual, unhappy) AS
    greatest(1, round(usual * CASE WHEN unhappy THEN 1.25 ELSE 1 END * exp(0.5 * draw_normal(h, 20))));
-- when a ticket was worked on for the last time
CREATE OR REPLACE TEMP MACRO sim_closed(h, created_at, minutes) AS
    created_at + to_seconds(60 * minutes + floor(200000 * power(draw(h, 37), 3))::BIGINT)
"""


# --- the survey after a ticket ----------------------------------------------------------------------------------------


def _after_contact(company: Company, folder: Path) -> dict[str, int]:
    """surveys/after_contact.csv as Typeform writes it: satisfaction with the help (CSAT) and ease (CES), asked when a
    ticket is closed; truth/ease.csv: how easy getting a matter solved is on average, by what people look for."""
    ease = [
        (need_no, matter_no, need.name, matter.name,
         round(AFTER_CONTACT.ease + matter.ease + EASE_BY_NEED.get(need.name, 0.0), 2), matter.content)
        for need_no, need in enumerate(company.plan.needs)
        for matter_no, matter in enumerate(MATTERS)
    ]  # fmt: skip
    numbers, texts = dict.fromkeys(("need_no", "matter"), "INTEGER"), dict.fromkeys(("need", "name"), "VARCHAR")
    company.load("sim_ease", {**numbers, **texts, **dict.fromkeys(("ease", "content"), "DOUBLE")}, ease)
    answers = company.export(
        _AFTER_CONTACT, folder / "surveys/after_contact.csv", answered=AFTER_CONTACT.answered,
        no_score=AFTER_CONTACT.no_score, content_spread=AFTER_CONTACT.content_spread,
        ease_spread=AFTER_CONTACT.ease_spread, noise=company.answer_noise, until=company.until, words=list(CONTENT),
        agreement=list(AGREEMENT), minutes=_MINUTES_BY_MATTER,
    )  # fmt: skip
    truth = company.export(_EASE, folder / "truth/ease.csv")
    company.drop("sim_ease")
    return {"surveys/after_contact.csv": answers, "truth/ease.csv": truth}


# Asked at the address that the shop knows; one answer a ticket, most of them within a day.
_AFTER_CONTACT = """
WITH asked AS (
    SELECT t.*, need_no, email, sim_hash(t.h, 60) AS k,
        sim_closed(t.h, created_at, sim_minutes(t.h, ($minutes::DOUBLE[])[matter + 1], unhappy)::INTEGER) AS closed_at
    FROM sim_tickets AS t JOIN (SELECT person, need_no FROM sim_people) USING (person)
    JOIN (SELECT customer_no, email FROM sim_names) USING (customer_no)
), felt AS (
    SELECT a.*, closed_at + to_seconds(1800 + floor(60000 * -ln(draw(k, 2)))::BIGINT) AS answered_at,
        satisfaction + e.content + $noise * $content_spread * draw_normal(k, 3) AS content,
        e.ease + $noise * $ease_spread * draw_normal(k, 4) AS ease
    FROM asked AS a JOIN sim_ease AS e USING (need_no, matter) WHERE draw(k, 1) < $answered
)
SELECT format('{:08x}', k) || format('{:08x}', sim_hash(k, 7)) || format('{:08x}', sim_hash(k, 8)) AS "#",
    CASE WHEN draw(k, 5) >= $no_score
        THEN ($words::VARCHAR[])[1 + least(4, greatest(0, round(content / 2.5)))::INTEGER] END
        AS "Overall, how satisfied are you with the help that you got?",
    CASE WHEN draw(k, 6) >= $no_score
        THEN ($agreement::VARCHAR[])[least(7, greatest(1, round(ease)))::INTEGER] END
        AS "How much do you agree: you made it easy for me to get my issue solved.",
    email, 700000 + ticket_no AS ticket_id,
    strftime(answered_at - to_seconds(10 + draw_below(k, 9, 90)), '%Y-%m-%d %H:%M:%S') AS "Start Date (UTC)",
    strftime(answered_at, '%Y-%m-%d %H:%M:%S') AS "Submit Date (UTC)",
    left(format('{:08x}{:08x}', sim_hash(k, 10), sim_hash(k, 11)), 10) AS "Network ID", NULL AS "Tags"
FROM felt WHERE answered_at < $until::DATE + 1 ORDER BY answered_at, ticket_no
"""

_EASE = "SELECT need AS needs_segment, name AS matter, ease FROM sim_ease AS e ORDER BY need_no, e.matter"


# --- exports ----------------------------------------------------------------------------------------------------------

# One in twelve writes from another address than the shop's, and one in fifty is mistyped at the help desk.
_TICKET_ROWS = """
WITH named AS (
    SELECT t.*, first_name, coalesce(former_name, last_name) AS last_name, email, telephone, city,
        ($things::VARCHAR[])[1 + draw_below(h, 30, len($things::VARCHAR[]))] AS thing,
        (2 + draw_below(h, 31, 20))::VARCHAR AS days, string_split(($subjects::VARCHAR[])[matter + 1], '|') AS subjects,
        string_split(($bodies::VARCHAR[])[matter + 1], '|') AS bodies,
        sim_minutes(h, ($minutes::DOUBLE[])[matter + 1], unhappy)::INTEGER AS minutes
    FROM sim_tickets AS t
    JOIN (SELECT customer_no, first_name, last_name, CASE WHEN person % 2 = 0 THEN maiden_name END AS former_name,
              email, telephone FROM sim_names) USING (customer_no)
    JOIN (SELECT person, city FROM sim_people JOIN sim_places USING (place_no)) USING (person)
), worded AS (
    SELECT *, subjects[1 + draw_below(h, 32, len(subjects))] AS headed, CASE WHEN channel = 'phone' THEN 'Call: '
            ELSE ($greetings::VARCHAR[])[1 + draw_below(h, 33, len($greetings::VARCHAR[]))] END
        || bodies[1 + draw_below(h, 34, len(bodies))] || CASE WHEN channel = 'phone' THEN ''
            ELSE ($farewells::VARCHAR[])[1 + draw_below(h, 35, len($farewells::VARCHAR[]))] END AS body
    FROM named
), filled AS (
    SELECT *, replace(replace(headed, '{product}', thing), '{place}', city) AS subject,
        replace(replace(replace(body, '{product}', thing), '{days}', days), '{place}', city)
            || CASE WHEN draw(h, 36) < 0.01 THEN ' My number is ' || telephone ELSE '' END AS text
    FROM worded
)
SELECT 700000 + ticket_no AS id, strftime(created_at, '%Y-%m-%dT%H:%M:%SZ') AS created_at,
    strftime(sim_closed(h, created_at, minutes), '%Y-%m-%dT%H:%M:%SZ') AS updated_at,
    CASE WHEN draw(h, 38) < 0.96 THEN 'closed' WHEN draw(h, 39) < 0.5 THEN 'solved' ELSE 'open' END AS status,
    CASE WHEN matter = len($tags::VARCHAR[]) - 1 OR draw(h, 40) < 0.08 THEN 'high'
        WHEN draw(h, 40) < 0.3 THEN 'low' ELSE 'normal' END AS priority,
    channel, first_name || ' ' || CASE WHEN draw(h, 41) < 0.05 THEN sim_typo(last_name, h) ELSE last_name END
        AS requester_name,
    CASE WHEN channel = 'phone' AND draw(h, 42) < 0.7 THEN NULL
         WHEN draw(h, 43) < 0.08 THEN lower(regexp_replace(strip_accents(last_name), '[^A-Za-z]', '', 'g'))
            || draw_below(h, 44, 90) || customer_no || '@private.example'
         WHEN draw(h, 45) < 0.02 THEN sim_typo(email, h) ELSE email END AS requester_email,
    CASE WHEN channel = 'phone' OR draw(h, 46) < 0.15 THEN '+44' || substr(telephone, 2) END AS requester_phone,
    CASE WHEN draw(h, 47) < 0.3 THEN format('C-{:06d}', customer_no) END AS customer_number,
    subject, CASE WHEN draw(h, 48) < 0.06 THEN sim_typo(text, h) ELSE text END AS description,
    ($tags::VARCHAR[])[matter + 1] || CASE WHEN draw(h, 49) < 0.05 THEN ' vip' ELSE '' END AS tags,
    CASE WHEN draw(h, 50) < 0.55 THEN 'unoffered' WHEN draw(h, 51) < 0.5 THEN 'offered'
         WHEN draw(h, 52) < 0.1 + 0.09 * satisfaction THEN 'good' ELSE 'bad' END AS satisfaction_rating,
    minutes AS handling_minutes
FROM filled ORDER BY ticket_no
"""

_COST_ROWS = """
SELECT day AS date, CASE kind WHEN 0 THEN 700000 + number END AS ticket_id,
    CASE WHEN kind = 1 OR number % 10 < 2 THEN format('C-{:06d}', customer_no) END AS customer_number,
    ['ticket handling', 'return handling'][1 + kind] AS kind, amount, 'GBP' AS currency
FROM sim_service_costs ORDER BY day, sim_service_costs.kind, number, customer_no
"""

_RECORDS = """
SELECT person, 'support' AS system, 700000 + ticket_no AS record_id FROM sim_tickets ORDER BY ticket_no
"""
