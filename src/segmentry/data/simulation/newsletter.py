"""The newsletter tool: who subscribes, and what they do with each mail. It knows people by their e-mail address."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from pathlib import Path

from segmentry.data.simulation.chance import Company
from segmentry.data.simulation.plan_voice import (
    CAMPAIGN_SUBJECT,
    CLICKED_BY_GROUP,
    LINKS,
    OPENED_BY_GROUP,
    OPENED_BY_NEED,
    READING,
    SIGN_UP,
    SUBJECTS,
)

FIRST_STRANGER = 3 * 2**30  # the number of the first subscriber who is known to no other system
SENT_AT = time(9, 30)
DELIVERIES_KEPT = 365  # days


def make(company: Company) -> None:
    """``sim_readers``: who subscribes, under which address and how long; ``sim_mails``: what was sent when.

    ``sim_addresses`` has their e-mail and name by ``leid``, the tool's number. Who is no customer has no
    ``customer_no``; ``first_mail`` to ``last_mail`` are the newsletters that are sent to somebody; ``ended`` says why
    they end: null (they do not), unsubscribed or bounced.
    """
    _mails(company)
    _habits(company)
    company.run(
        _READERS, seed=company.seed, start=company.start, until=company.until, first=FIRST_STRANGER,
        strangers=round(READING.strangers * company.size), leads=READING.leads,
        opened=READING.opened, opened_digital=READING.opened_digital,
        opened_taste=READING.opened_taste, clicked=READING.clicked, robots=READING.robots, former=READING.former,
        unsubscribed=READING.unsubscribed, bounced=READING.bounced, mailed_on=company.mailed_on,
        mailed_in=company.plan.campaign.month,
    )  # fmt: skip
    names = company.plan.first_names
    company.run(_ADDRESSES, women=list(names["F"]), men=list(names["M"]), surnames=list(company.plan.last_names))


def _mails(company: Company) -> None:
    """``sim_mails``: the newsletter on the first Tuesday of every month, and the mail of the experiment."""
    rows: list[tuple[int, str, str, datetime, bool]] = []
    for number in range(1, company.plan.months + 1):
        day = _first_tuesday(company.month(number))
        if day <= company.until:
            subject = SUBJECTS[day.month - 1]
            rows.append((number, f"news-{day}", subject, datetime.combine(day, SENT_AT), False))
    mailed_at = datetime.combine(company.mailed_on, time(company.plan.campaign.hour))
    rows.append((company.plan.months + 1, f"offer-{company.mailed_on}", CAMPAIGN_SUBJECT, mailed_at, True))
    columns = {
        "mail": "INTEGER", "campaign_id": "VARCHAR", "subject": "VARCHAR", "sent_at": "TIMESTAMP",
        "experiment": "BOOLEAN",
    }  # fmt: skip
    company.load("sim_mails", columns, rows)


def _first_tuesday(first: date) -> date:
    """The first Tuesday on or after a day.

    >>> _first_tuesday(date(2026, 6, 1)), _first_tuesday(date(2026, 9, 2))
    (datetime.date(2026, 6, 2), datetime.date(2026, 9, 8))
    """
    return first + timedelta(days=(1 - first.weekday()) % 7)


def _habits(company: Company) -> None:
    """``sim_reading``: how needs segments and behaviour groups read, relative to everybody."""
    rows = [
        (need_no, group_no, OPENED_BY_NEED.get(need.name, 0.0) + OPENED_BY_GROUP.get(group.name, 0.0),
         CLICKED_BY_GROUP.get(group.name, 1.0))
        for need_no, need in enumerate(company.plan.needs)
        for group_no, group in enumerate(company.plan.groups)
    ]  # fmt: skip
    kinds = {"need_no": "INTEGER", "group_no": "INTEGER", "opening": "DOUBLE", "clicking": "DOUBLE"}
    company.load("sim_reading", kinds, rows)


# Leaving is a constant hazard per mail, so the number of mails until somebody leaves is geometric. Whoever is in the
# experiment is still there on its day. The shop knows who has left: those are among the people who now say no.
_READERS = """
CREATE OR REPLACE TEMP TABLE sim_readers AS
WITH mails AS (
    SELECT count(*) AS mails, list(sent_at::DATE ORDER BY mail) AS days FROM sim_mails WHERE NOT experiment
), readers AS (
    SELECT person, customer_no, sim_hash(h, 1000) AS h, mailed, opening, clicking, digital, NOT newsletter AS former,
        -- some say yes only later
        CASE WHEN newsletter AND draw(h, 1001) < 0.15
            THEN signup_date + draw_below(h, 1002, greatest(1, $until::DATE - signup_date))::INTEGER
            ELSE signup_date END AS opted
    FROM sim_people JOIN sim_reading USING (need_no, group_no)
    WHERE newsletter OR (NOT newsletter AND draw(h, 1003) < $former)
    UNION ALL
    SELECT person, NULL, hashed, NULL, -0.3, 0.7, draw(hashed, 3), false,
        $start::DATE + draw_below(hashed, 4, 700)::INTEGER
    FROM (SELECT person, sim_hash(h, 1000) AS hashed FROM sim_prospects WHERE draw(h, 1004) < $leads
          UNION ALL
          SELECT i::UBIGINT, sim_hash(sim_mix(i::UBIGINT), $seed + 3) FROM range($first, $first + $strangers) AS t(i))
), arrived AS (
    SELECT * REPLACE (CASE WHEN mailed IS NOT NULL THEN least(opted, $mailed_on::DATE - 1) ELSE opted END AS opted),
        draw(h, 5) < $robots AS robot, 1 + floor(ln(draw(h, 6)) / ln(1 - $unsubscribed)) AS mails_kept,
        1 + floor(ln(draw(h, 7)) / ln(1 - $bounced)) AS mails_delivered
    FROM readers
), first AS (
    SELECT a.*, m.mails, len(list_filter(m.days, lambda day: day <= a.opted)) + 1 AS first_mail,
        greatest(first_mail - 1, CASE WHEN mailed IS NOT NULL THEN $mailed_in ELSE 0 END) AS sure
    FROM arrived AS a, mails AS m
), ended AS (
    SELECT *, CASE WHEN former THEN first_mail + draw_below(h, 8, greatest(1, mails - first_mail + 1))
            ELSE sure + least(mails_kept, mails_delivered) END AS end_mail
    FROM first WHERE NOT former OR first_mail <= mails
)
SELECT row_number() OVER (ORDER BY opted, person) AS leid, person, customer_no, h, mailed, opted, robot,
    first_mail::TINYINT AS first_mail, least(mails, end_mail)::TINYINT AS last_mail,
    CASE WHEN end_mail > mails THEN NULL WHEN former AND draw(h, 9) < 0.15 THEN 'bounced'
         WHEN former OR mails_kept <= mails_delivered THEN 'unsubscribed' ELSE 'bounced' END AS ended,
    (1 / (1 + exp(-($opened + $opened_digital * digital + opening + $opened_taste * draw_normal(h, 10)))))::FLOAT
        AS opening,
    ($clicked * clicking)::FLOAT AS clicking
FROM ended
"""

# One in ten customers reads the newsletter under another address than the shop's.
_ADDRESSES = """
CREATE OR REPLACE TEMP TABLE sim_addresses AS
WITH named AS (
    SELECT leid, person, h, email,
        coalesce(first_name, CASE WHEN draw(h, 20) < 0.51
            THEN ($women::VARCHAR[])[1 + draw_below(h, 21, len($women::VARCHAR[]))]
            ELSE ($men::VARCHAR[])[1 + draw_below(h, 21, len($men::VARCHAR[]))] END) AS first_name,
        coalesce(last_name, ($surnames::VARCHAR[])[1 + draw_below(h, 22, len($surnames::VARCHAR[]))]) AS last_name
    FROM sim_readers LEFT JOIN sim_named USING (person)
)
SELECT leid, person, first_name, last_name,
    CASE WHEN email IS NOT NULL AND draw(h, 23) < 0.9 THEN email
         ELSE regexp_replace(strip_accents(lower(last_name || CASE WHEN draw(h, 24) < 0.5 THEN '.' ELSE '' END
            || CASE WHEN draw(h, 25) < 0.5 THEN first_name ELSE left(first_name, 1) END)), '[^a-z.]', '', 'g') || leid
            || ['@private.example', '@webmail.example'][1 + draw_below(h, 26, 2)] END AS email
FROM named
"""


# --- exports ----------------------------------------------------------------------------------------------------------


def export(company: Company, folder: Path) -> dict[str, int]:
    """subscribers.csv, activity.csv (what came back), campaigns.csv (what was sent), deliveries.csv (to whom: the tool
    keeps that for a year); truth/records_newsletter.csv and truth/readers.csv."""
    company.run(_RESULTS, soft=READING.soft_bounced)
    company.run(_ACTIVITY, until=company.until, links=len(LINKS))
    deliveries = company.export(
        _DELIVERIES, folder / "newsletter/deliveries.csv", since=company.until - timedelta(days=DELIVERIES_KEPT),
        until=company.until,
    )  # fmt: skip
    company.drop("sim_mail_results")
    counts = {
        "newsletter/subscribers.csv": company.export(
            _SUBSCRIBERS, folder / "newsletter/subscribers.csv", until=company.until, **asdict(SIGN_UP)
        ),
        "newsletter/activity.csv": company.export(
            _ACTIVITY_ROWS, folder / "newsletter/activity.csv", actions=list(ACTIONS), links=list(LINKS)
        ),
        "newsletter/campaigns.csv": company.export(_CAMPAIGNS, folder / "newsletter/campaigns.csv"),
        "newsletter/deliveries.csv": deliveries,
        "truth/records_newsletter.csv": company.export(_RECORDS, folder / "truth/records_newsletter.csv"),
        "truth/readers.csv": company.export(_TRUTH, folder / "truth/readers.csv"),
    }
    company.drop("sim_mail_activity", "sim_reading")
    return counts


ACTIONS = ("open", "click", "unsub", "hard_bounce", "soft_bounce")

# Every mail to every reader: each newsletter while they subscribe, and the mail of the experiment.
_SENT = """
    SELECT leid, h, robot, last_mail, ended, opening, clicking, unnest(range(first_mail, last_mail + 1)) AS mail
    FROM sim_readers
    UNION ALL
    SELECT leid, r.h, robot, last_mail, NULL, opening, clicking, m.mail
    FROM sim_readers AS r, sim_mails AS m WHERE mailed = 1 AND experiment
"""

# A mail is opened within hours, and by robots within seconds, who also follow the links. Most mails come to nothing:
# only the others are kept.
_RESULTS = f"""
CREATE OR REPLACE TEMP TABLE sim_mail_results AS
WITH sent AS ({_SENT}
), hashed AS (
    SELECT leid, mail, sim_hash(h, 100 + mail) AS h, robot, opening, clicking,
        CASE WHEN mail = last_mail THEN ended END AS ending
    FROM sent
), judged AS (
    SELECT *, draw(h, 2) AS luck FROM hashed
), met AS (
    SELECT *, CASE WHEN ending = 'bounced' THEN 3 WHEN ending = 'unsubscribed' THEN 2
        WHEN luck > 1 - $soft AND NOT robot THEN 4 WHEN robot OR luck < opening THEN 0 END AS result
    FROM judged
)
SELECT leid::INTEGER AS leid, m.mail::TINYINT AS mail, h, robot, clicking, result::TINYINT AS result, sent_at,
    sent_at + to_seconds(CASE WHEN result >= 3 THEN 1 + draw_below(h, 7, 120) WHEN robot THEN 1 + draw_below(h, 3, 9)
        ELSE least(1700000, floor(25000 * power(-ln(draw(h, 3)), 1.6)))::BIGINT + 20 END) AS acted_at
FROM met AS m JOIN sim_mails USING (mail) WHERE result IS NOT NULL
"""

_ACTIVITY = """
CREATE OR REPLACE TEMP TABLE sim_mail_activity AS
WITH acted AS (
    SELECT leid, mail, h, CASE WHEN result = 2 THEN 0 ELSE result END AS action, acted_at FROM sim_mail_results
    UNION ALL
    SELECT leid, mail, h, 1, acted_at + to_seconds(CASE WHEN robot THEN 1 ELSE 4 + draw_below(h, 4, 90) END)
    FROM sim_mail_results WHERE result IN (0, 2) AND (robot OR draw(h, 5) < clicking)
    UNION ALL
    SELECT leid, mail, h, 2, acted_at + to_seconds(100 + draw_below(h, 6, 100)) FROM sim_mail_results WHERE result = 2
)
SELECT leid, mail, action::TINYINT AS action, acted_at,
    CASE WHEN action = 1 THEN 1 + draw_below(h, 8, $links) END::TINYINT AS link
FROM acted WHERE action IN (2, 3) OR acted_at < $until::DATE + 1
"""

_SUBSCRIBERS = """
WITH left_at AS (
    SELECT leid, max(acted_at) AS ended_at FROM sim_mail_activity WHERE action IN (2, 3) GROUP BY leid
), living AS (
    SELECT person, postcode, former_postcode, age FROM sim_named LEFT JOIN sim_people USING (person)
), strange AS (
    SELECT leid, sim_postcode(sim_hash(h, 27), country, postcode) AS strange_postcode
    FROM sim_readers JOIN sim_choices ON kind = 'place' AND slot = draw_below(h, 28, 1000)
    JOIN sim_places ON place_no = choice
), timed AS (
    SELECT * EXCLUDE (postcode, former_postcode, strange_postcode, age),
        opted + to_seconds(25200 + draw_below(h, 11, 54000)) AS opted_at,
        CASE WHEN draw(h, 29) < $former_postcode THEN coalesce(former_postcode, postcode, strange_postcode)
            ELSE coalesce(postcode, strange_postcode) END AS postcode,
        -- the form fills in the first of January for those who do not care
        CASE WHEN draw(h, 30) < $invented THEN DATE '2000-01-01'
            ELSE $until::DATE - round(365.25 * coalesce(age, 18 + 50 * draw(h, 31)))::INTEGER END AS born
    FROM sim_readers JOIN sim_addresses USING (leid, person) LEFT JOIN left_at USING (leid)
    LEFT JOIN living USING (person) JOIN strange USING (leid)
)
SELECT CASE WHEN draw(h, 12) < 0.03 THEN upper(left(email, 1)) || substr(email, 2) ELSE email END AS "Email Address",
    CASE WHEN draw(h, 13) < $no_first_name THEN NULL ELSE first_name END AS "First Name",
    CASE WHEN draw(h, 13) < $no_last_name THEN NULL WHEN draw(h, 14) < $mistyped THEN sim_typo(last_name, h)
         ELSE last_name END AS "Last Name",
    CASE WHEN draw(h, 33) < $no_postcode THEN NULL WHEN draw(h, 34) < $mistyped THEN sim_typo(postcode, h)
         WHEN draw(h, 35) < 0.2 THEN lower(replace(postcode, ' ', '')) ELSE postcode END AS "Postcode",
    CASE WHEN draw(h, 36) < $no_birthday THEN NULL
         WHEN draw(h, 37) < $exchanged AND day(born) <= 12 THEN strftime(born, '%d/%m')
         ELSE strftime(born, '%m/%d') END AS "Birthday",
    CASE WHEN ended IS NOT NULL THEN 1 ELSE least(5, greatest(2, round(2 + 5 * opening)))::INTEGER END
        AS "MEMBER_RATING",
    strftime(opted_at, '%Y-%m-%d %H:%M:%S') AS "OPTIN_TIME",
    strftime(opted_at + to_seconds(30 + draw_below(h, 15, 4000)), '%Y-%m-%d %H:%M:%S') AS "CONFIRM_TIME",
    strftime(coalesce(ended_at, opted_at), '%Y-%m-%d %H:%M:%S') AS "LAST_CHANGED",
    40000000 + 7 * leid AS "LEID", format('{:08x}', h) || right(format('{:08x}', sim_hash(h, 16)), 2) AS "EUID",
    CASE ended WHEN 'unsubscribed' THEN 'unsubscribed' WHEN 'bounced' THEN 'cleaned' ELSE 'subscribed' END AS "STATUS",
    CASE WHEN customer_no IS NULL THEN 'web form' WHEN draw(h, 17) < 0.1 THEN 'shop,vip' ELSE 'shop' END AS "TAGS"
FROM timed ORDER BY leid
"""

_ACTIVITY_ROWS = """
SELECT email AS "Email Address", campaign_id AS "Campaign ID", ($actions::VARCHAR[])[1 + action] AS "Action",
    strftime(acted_at, '%Y-%m-%d %H:%M:%S') AS "Timestamp",
    CASE WHEN action = 1 THEN 'https://shop.company.example' || ($links::VARCHAR[])[link] END AS "URL"
FROM sim_mail_activity JOIN sim_addresses USING (leid) JOIN sim_mails USING (mail)
ORDER BY acted_at, leid, mail, action
"""

_CAMPAIGNS = """
WITH sent AS (
    SELECT mail, count(*) AS recipients FROM sim_mails AS m JOIN sim_readers AS r
        ON CASE WHEN experiment THEN mailed = 1 ELSE mail BETWEEN first_mail AND last_mail END
    GROUP BY mail
), acted AS (
    SELECT mail, count(*) FILTER (action = 0) AS opens, count(*) FILTER (action = 1) AS clicks,
        count(*) FILTER (action = 2) AS unsubscribes, count(*) FILTER (action >= 3) AS bounces
    FROM sim_mail_activity GROUP BY mail
)
SELECT campaign_id AS "Campaign ID", subject AS "Subject", strftime(sent_at, '%Y-%m-%d %H:%M:%S') AS "Send Time",
    coalesce(recipients, 0) AS "Total Recipients", coalesce(recipients - bounces, 0) AS "Successful Deliveries",
    coalesce(opens, 0) AS "Unique Opens", coalesce(clicks, 0) AS "Unique Clicks",
    coalesce(unsubscribes, 0) AS "Unsubscribes", coalesce(bounces, 0) AS "Total Bounces"
FROM sim_mails LEFT JOIN sent USING (mail) LEFT JOIN acted USING (mail) ORDER BY sent_at, mail
"""

_DELIVERIES = f"""
WITH sent AS ({_SENT}
)
SELECT email AS "Email Address", campaign_id AS "Campaign ID",
    CASE result WHEN 3 THEN 'hard' WHEN 4 THEN 'soft' ELSE 'sent' END AS "Status",
    strftime(m.sent_at, '%Y-%m-%d %H:%M:%S') AS "Send Time"
FROM sent JOIN sim_mails AS m USING (mail) JOIN sim_addresses USING (leid)
LEFT JOIN sim_mail_results USING (leid, mail)
WHERE m.sent_at >= $since::DATE AND m.sent_at < $until::DATE + 1 ORDER BY m.sent_at, leid, mail
"""

_EUID = "format('{:08x}', h) || right(format('{:08x}', sim_hash(h, 16)), 2)"
_RECORDS = f"""
SELECT person, 'newsletter' AS system, {_EUID} AS record_id FROM sim_readers ORDER BY leid
"""

_TRUTH = f"""
SELECT {_EUID} AS record_id, robot, round(opening, 4) AS opens, round(clicking, 4) AS clicks_of_opened
FROM sim_readers ORDER BY leid
"""
