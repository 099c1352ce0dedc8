"""The CRM of the demo company: accounts and their hierarchy, contacts, opportunities, as Salesforce exports them; and
the same accounts in the debtors' ledger. What accounts run is in ``technologies.py``."""

from __future__ import annotations

from pathlib import Path

from segmentry.data.simulation.chance import Company
from segmentry.data.simulation.people import FIRST_LEAD, accounts, buying_accounts
from segmentry.data.simulation.plan_crm import (
    AMOUNT,
    BILLED,
    FORMS,
    IN_CRM,
    INDUSTRIES,
    LEAD_SOURCES,
    LEADS,
    LEADS_AT_ACCOUNTS,
    LOST,
    NUMBERED,
    OPPORTUNITIES,
    OPPORTUNITY_STAGES,
    OTHER_NAME,
    STAGES,
    SUBSIDIARIES,
    TITLES,
    TWICE,
    WIN_RATE,
    WON,
)
from segmentry.data.simulation.plan_people import NICKNAMES

FIRST_ACCOUNT, FIRST_CONTACT, FIRST_OPPORTUNITY = 30_000_000, 40_000_000, 50_000_000  # in the ids of records


def make(company: Company) -> None:
    """``sim_accounts``: business customers and those that may become one; a lower number is a larger account.
    ``sim_prospects``: people in the CRM who never were customers.

    An account has h, parent_no (null at the head of a group; always a lower number), is_new (none of its people has
    ever ordered), stage, industry, employees,
    revenue (pounds a year), place_no, name, domain and telephone.
    """
    texts = {"industry": "VARCHAR", "trades": "VARCHAR"}
    rows = [(no, i.name, "|".join(i.trades), i.revenue) for no, i in enumerate(INDUSTRIES)]
    company.load("sim_industries", {"industry_no": "INTEGER", **texts, "revenue": "DOUBLE"}, rows)
    known, buying = accounts(company.size), buying_accounts(company.size)
    company.run(_ACCOUNTS, seed=company.seed, accounts=known, buying=buying,
                surnames=list(company.plan.last_names), forms=list(FORMS), stages=list(STAGES),
                second=SUBSIDIARIES[1], first=sum(SUBSIDIARIES))  # fmt: skip
    company.drop("sim_industries")
    company.run(_PROSPECTS, seed=company.seed, leads=max(1, round(LEADS * company.size)), first_lead=FIRST_LEAD,
                at_accounts=LEADS_AT_ACCOUNTS, buying=buying, new=known - buying)  # fmt: skip


_ACCOUNTS = """
CREATE OR REPLACE TEMP TABLE sim_accounts AS
WITH drawn AS (
    SELECT i::INTEGER AS account_no, sim_hash(sim_mix(i::UBIGINT), $seed + 2) AS h, (i > $buying)::INTEGER AS new
    FROM range(1, $accounts + 1) AS t(i)
), levelled AS (
    SELECT *, CASE WHEN account_no = 1 OR draw(h, 1) >= $first THEN 0 WHEN draw(h, 1) < $second THEN 2 ELSE 1 END
        AS level FROM drawn
), placed AS (
    -- a subsidiary belongs to the nearest larger account of the level above
    SELECT *, max(CASE WHEN level = 0 THEN account_no END) OVER larger AS head,
        max(CASE WHEN level = 1 THEN account_no END) OVER larger AS middle
    FROM levelled
    WINDOW larger AS (ORDER BY account_no ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), sized AS (
    SELECT p.*, CASE level WHEN 0 THEN NULL WHEN 1 THEN head ELSE coalesce(middle, head) END AS parent_no,
        -- the size follows the rank among the accounts (Zipf's law, flattened), and so do the people in it
        greatest(2, round(6 * power($accounts::DOUBLE / CASE WHEN new = 1
            THEN 1 + draw_below(h, 2, $accounts) ELSE account_no END, 0.7) * exp(0.35 * draw_normal(h, 3))))::INTEGER
            AS employees,
        i.choice AS industry_no, s.choice AS stage_no, c.choice AS place_no
    FROM placed AS p
    JOIN sim_choices AS i ON i.kind = 'industry' AND i.slot = draw_below(h, 4, 1000)
    JOIN sim_choices AS s ON s.kind = 'stage' AND s.group_no = new AND s.slot = draw_below(h, 5, 1000)
    JOIN sim_choices AS c ON c.kind = 'place' AND c.slot = draw_below(h, 6, 1000)
), named AS (
    SELECT z.*, ($surnames::VARCHAR[])[1 + draw_below(h, 7, len($surnames::VARCHAR[]))]
            || CASE WHEN draw(h, 8) < 0.45 THEN ' & ' ||
                ($surnames::VARCHAR[])[1 + draw_below(h, 9, len($surnames::VARCHAR[]))] ELSE '' END AS founders,
        string_split(trades, '|')[1 + draw_below(h, 10, len(string_split(trades, '|')))] AS trade,
        ($forms::VARCHAR[])[1 + draw_below(h, 11, len($forms::VARCHAR[]))] AS form,
        ($stages::VARCHAR[])[1 + stage_no] AS stage, industry,
        round(employees * i.revenue * exp(0.3 * draw_normal(h, 12)), -3)::BIGINT AS revenue
    FROM sized AS z JOIN sim_industries AS i USING (industry_no)
)
SELECT n.account_no, n.h, n.parent_no, n.new = 1 AS is_new, n.stage, n.industry, n.employees, n.revenue, n.place_no,
    coalesce(m.founders, n.founders) || ' ' || n.trade || CASE WHEN n.parent_no IS NOT NULL
        THEN ' (' || city || ')' ELSE '' END || ' ' || n.form AS name,
    regexp_replace(strip_accents(lower(coalesce(m.founders, n.founders) || n.trade)), '[^a-z]', '', 'g') || n.account_no
        || '.example' AS domain,
    -- a bijection, as for people; 020 is never a mobile
    format('020{:08d}', (n.account_no::BIGINT * 38742049) % 100000000) AS telephone
FROM named AS n LEFT JOIN named AS m ON m.account_no = n.parent_no JOIN sim_places AS p ON p.place_no = n.place_no
"""

_PROSPECTS = """
CREATE OR REPLACE TEMP TABLE sim_prospects AS
WITH drawn AS (
    SELECT i::INTEGER AS lead_no, ($first_lead + i)::UBIGINT AS person,
        sim_hash(sim_mix(($first_lead + i)::UBIGINT), $seed + 1) AS h
    FROM range(1, $leads + 1) AS t(i)
)
SELECT lead_no, person, h, choice AS place_no, draw(h, 30) < 0.47 AS woman,
    CASE WHEN draw(h, 204) < $at_accounts THEN 1 + $buying + draw_below(h, 205, $new) END::INTEGER AS account_no
FROM drawn JOIN sim_choices ON kind = 'place' AND slot = draw_below(h, 32, 1000)
"""

# --- exports ----------------------------------------------------------------------------------------------------------


def export(company: Company, folder: Path) -> dict[str, int]:
    """accounts.csv, contacts.csv, opportunities.csv, debtors.csv, truth/records_crm.csv and records_accounts.csv; rows
    per file."""
    _contacts(company)
    company.run(_DEBTORS, billed=BILLED, other=OTHER_NAME, surnames=list(company.plan.last_names))
    stages = {"names": [s.name for s in OPPORTUNITY_STAGES], "chances": [s.probability for s in OPPORTUNITY_STAGES],
              "forecasts": [s.forecast for s in OPPORTUNITY_STAGES], "won": WON, "lost": LOST}  # fmt: skip
    rows = {
        "crm/accounts.csv": company.export(_ACCOUNTS_CSV, folder / "crm/accounts.csv", account=FIRST_ACCOUNT,
                                           start=company.start),
        "crm/contacts.csv": company.export(_CONTACTS_CSV, folder / "crm/contacts.csv", account=FIRST_ACCOUNT,
                                           contact=FIRST_CONTACT, until=company.until, sources=list(LEAD_SOURCES),
                                           titles=list(TITLES)),
        "crm/opportunities.csv": company.export(_OPPORTUNITIES_CSV, folder / "crm/opportunities.csv", **stages,
                                                account=FIRST_ACCOUNT, opportunity=FIRST_OPPORTUNITY,
                                                start=company.start, until=company.until, usual=OPPORTUNITIES,
                                                win_rate=WIN_RATE, amount=AMOUNT, sources=list(LEAD_SOURCES)),
        "finance/debtors.csv": company.export(_DEBTORS_CSV, folder / "finance/debtors.csv"),
        "truth/records_accounts.csv": company.export(_ACCOUNT_RECORDS_CSV, folder / "truth/records_accounts.csv",
                                                     account=FIRST_ACCOUNT),
        "truth/records_crm.csv": company.export(_RECORDS_CSV, folder / "truth/records_crm.csv", contact=FIRST_CONTACT),
    }  # fmt: skip
    company.drop("sim_contacts", "sim_nicknames", "sim_debtors")
    return rows


def _contacts(company: Company) -> None:
    """``sim_contacts``: one row per contact record, numbered by creation; some people have two. ``sim_nicknames``."""
    company.load("sim_nicknames", {"first_name": "VARCHAR", "nickname": "VARCHAR"}, list(NICKNAMES.items()))
    consumers, business = IN_CRM
    company.run(_CONTACTS, start=company.start, until=company.until, consumers=consumers, business=business,
                numbered=NUMBERED, twice=TWICE)  # fmt: skip


_CONTACTS = """
CREATE OR REPLACE TEMP TABLE sim_contacts AS
WITH known AS (
    SELECT person, h, account_no, place_no, woman, age, customer_no, signup_date,
        draw(h, 300) < CASE WHEN account_no IS NULL THEN $consumers ELSE $business END AS in_crm
    FROM sim_people WHERE customer_no IS NOT NULL
    UNION ALL
    SELECT person, h, account_no, place_no, woman, NULL, NULL,
        $start::DATE + draw_below(h, 301, $until::DATE - $start::DATE)::INTEGER, true
    FROM sim_prospects
), entered AS (
    SELECT *, unnest(range(CASE WHEN draw(h, 302) < $twice THEN 2 ELSE 1 END)) AS copy FROM known WHERE in_crm
), hashed AS (
    SELECT * EXCLUDE (h), sim_hash(h, 303 + copy) AS h FROM entered
)
SELECT row_number() OVER (ORDER BY created_on, person, copy)::INTEGER AS contact_no,
    * EXCLUDE (copy, signup_date, in_crm)
FROM (
    SELECT *, CASE WHEN draw(h, 1) < $numbered THEN customer_no END AS noted_no,
        least($until::DATE, signup_date + CASE WHEN draw(h, 2) < 0.5 THEN 0
            ELSE draw_below(h, 3, 60)::INTEGER END + 90 * copy::INTEGER) AS created_on
    FROM hashed
)
"""

_ACCOUNTS_CSV = """
SELECT sim_salesforce('001', $account + account_no) AS Id, name AS Name,
    CASE WHEN parent_no IS NOT NULL THEN sim_salesforce('001', $account + parent_no) END AS ParentId,
    CASE WHEN is_new THEN 'Prospect' ELSE 'Customer - Direct' END AS Type,
    CASE WHEN draw(h, 20) < 0.06 THEN NULL ELSE industry END AS Industry,
    CASE WHEN draw(h, 21) < 0.10 THEN NULL ELSE employees END AS NumberOfEmployees,
    CASE WHEN draw(h, 22) < 0.25 THEN NULL ELSE revenue END AS AnnualRevenue,
    CASE WHEN draw(h, 23) < 0.06 THEN NULL WHEN draw(h, 24) < 0.5 THEN 'https://www.' || domain ELSE domain END
        AS Website,
    left(telephone, 3) || ' ' || substr(telephone, 4, 4) || ' ' || substr(telephone, 8) AS Phone,
    city AS BillingCity, sim_postcode(h, country, postcode) AS BillingPostalCode, country AS BillingCountry,
    CASE WHEN draw(h, 25) < 0.04 THEN NULL ELSE stage END AS Relationship_Stage__c,
    strftime($start::DATE - draw_below(h, 26, 900)::INTEGER + to_seconds(28800 + draw_below(h, 27, 32400)),
             '%Y-%m-%dT%H:%M:%S.000Z') AS CreatedDate, noted_technologies AS Technologies__c,
    noted_adoption AS Adoption_Stage__c
FROM sim_accounts JOIN sim_places USING (place_no) JOIN sim_stacks USING (account_no) ORDER BY account_no
"""

# Sales people write nicknames, married names and what they hear on the telephone.
_CONTACTS_CSV = """
WITH filled AS (
    SELECT c.*, n.* EXCLUDE (person, customer_no, first_name, last_name), city, country,
        CASE WHEN draw(h, 10) < 0.35 THEN coalesce(nickname, n.first_name) WHEN draw(h, 11) < 0.04
             THEN left(n.first_name, 1) || '.' ELSE n.first_name END AS first_name,
        CASE WHEN draw(h, 12) < 0.2 THEN coalesce(maiden_name, last_name) WHEN draw(h, 13) < 0.03
             THEN sim_typo(last_name, h) ELSE last_name END AS last_name,
        split_part(n.email, '@', 1) AS mailbox
    FROM sim_contacts AS c
    JOIN sim_named AS n USING (person)
    JOIN sim_places USING (place_no)
    LEFT JOIN sim_nicknames AS k ON k.first_name = n.first_name
)
SELECT sim_salesforce('003', $contact + contact_no) AS Id,
    CASE WHEN account_no IS NOT NULL THEN sim_salesforce('001', $account + account_no) END AS AccountId,
    CASE WHEN draw(h, 14) < 0.4 THEN NULL WHEN woman THEN CASE WHEN draw(h, 15) < 0.5 THEN 'Ms.' ELSE 'Mrs.' END
         ELSE 'Mr.' END AS Salutation,
    first_name AS FirstName, last_name AS LastName,
    CASE WHEN account_no IS NOT NULL AND draw(h, 16) < 0.85
        THEN ($titles::VARCHAR[])[1 + draw_below(h, 17, len($titles::VARCHAR[]))] END AS Title,
    CASE WHEN draw(h, 18) < 0.07 THEN NULL
         WHEN account_no IS NULL AND draw(h, 19) < 0.12 THEN 'hello.' || mailbox || '@second.example'
         WHEN draw(h, 20) < 0.01 THEN sim_typo(mailbox, h) || '@' || split_part(email, '@', 2)
         ELSE email END AS Email,
    CASE WHEN left(telephone, 2) = '02' THEN telephone END AS Phone,
    CASE WHEN left(telephone, 2) = '07' AND draw(h, 21) > 0.15 THEN CASE WHEN draw(h, 22) < 0.5
        THEN '+44' || substr(telephone, 2) ELSE '(' || left(telephone, 5) || ') ' || substr(telephone, 6) END END
        AS MobilePhone,
    CASE WHEN draw(h, 23) < 0.35 THEN $until::DATE - round(365.25 * age)::INTEGER END AS Birthdate,
    CASE WHEN draw(h, 24) < 0.15 THEN NULL ELSE city END AS MailingCity,
    CASE WHEN draw(h, 25) < 0.15 THEN NULL WHEN draw(h, 26) < 0.3 THEN coalesce(former_postcode, postcode)
         WHEN draw(h, 27) < 0.1 THEN replace(postcode, ' ', '') ELSE postcode END AS MailingPostalCode,
    CASE WHEN draw(h, 28) < 0.1 THEN NULL ELSE country END AS MailingCountry,
    CASE WHEN draw(h, 29) < 0.2 THEN NULL
         ELSE ($sources::VARCHAR[])[1 + draw_below(h, 30, len($sources::VARCHAR[]))] END AS LeadSource,
    draw(h, 31) < 0.08 AS HasOptedOutOfEmail,
    strftime(created_on + to_seconds(28800 + draw_below(h, 32, 32400)), '%Y-%m-%dT%H:%M:%S.000Z') AS CreatedDate,
    CASE WHEN noted_no IS NOT NULL THEN format('C-{:06d}', noted_no) END AS Customer_Number__c
FROM filled ORDER BY contact_no
"""

# Three in four opportunities that are old enough have closed; those with accounts that have no customer were lost.
_OPPORTUNITIES_CSV = """
WITH counted AS (
    SELECT *, unnest(range(1, 1 + draw_count(h, 13, $usual))) AS k FROM sim_accounts
), hashed AS (
    SELECT account_no, name, employees, is_new, k,
        sim_hash(h, 100 + k) AS h
    FROM counted
), dated AS (
    SELECT *, $start::DATE + draw_below(h, 1, $until::DATE - $start::DATE - 10)::INTEGER AS created_on,
        (14 + draw_below(h, 2, 150))::INTEGER AS days
    FROM hashed
), staged AS (
    SELECT *, created_on + days AS close_date, CASE
        WHEN created_on + days > $until::DATE THEN floor(4.0 * ($until::DATE - created_on) / days)
        WHEN NOT is_new AND draw(h, 3) < $win_rate THEN $won ELSE $lost END::INTEGER AS stage_no
    FROM dated
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY created_on, account_no, k) AS opportunity_no FROM staged
)
SELECT sim_salesforce('006', $opportunity + opportunity_no) AS Id, sim_salesforce('001', $account + account_no)
        AS AccountId,
    name || ' - ' || ['Laptops', 'Desks and chairs', 'Print contract', 'Office supplies', 'Phones', 'Tablets'
        ][1 + draw_below(h, 4, 6)] AS Name,
    ($names::VARCHAR[])[1 + stage_no] AS StageName,
    -- larger firms buy more, with diminishing returns
    CASE WHEN draw(h, 5) < 0.05 AND stage_no < $won THEN NULL
         ELSE round($amount * power(employees, 0.7) * exp(0.5 * draw_normal(h, 6)), 2)::DECIMAL(14, 2) END AS Amount,
    ($chances::INTEGER[])[1 + stage_no] AS Probability, close_date AS CloseDate,
    CASE WHEN is_new THEN 'New Business' ELSE 'Existing Business' END AS Type,
    CASE WHEN draw(h, 7) < 0.3 THEN NULL
         ELSE ($sources::VARCHAR[])[1 + draw_below(h, 8, len($sources::VARCHAR[]))] END AS LeadSource,
    ($forecasts::VARCHAR[])[1 + stage_no] AS ForecastCategoryName,
    stage_no >= $won AS IsClosed, stage_no = $won AS IsWon,
    strftime(created_on + to_seconds(28800 + draw_below(h, 9, 32400)), '%Y-%m-%dT%H:%M:%S.000Z') AS CreatedDate
FROM numbered ORDER BY opportunity_no
"""

# One number per firm, the name as it stands on the invoice, and now and then another telephone or postcode.
_DEBTORS = """
CREATE OR REPLACE TEMP TABLE sim_debtors AS
WITH billed AS (
    SELECT *, sim_hash(h, 40) AS k FROM sim_accounts WHERE NOT is_new AND draw(h, 28) < $billed
), called AS (
    SELECT *, row_number() OVER (ORDER BY k) AS debtor_no, draw(k, 1) >= $other AS same_name,
        CASE WHEN draw(k, 2) < 0.4 THEN replace(name, ' & ', ' and ') ELSE name END AS joined
    FROM billed
), formed AS (
    SELECT *, CASE WHEN draw(k, 3) < 0.4 THEN replace(joined, ' Ltd', ' Limited')
        WHEN draw(k, 3) < 0.6 THEN regexp_replace(joined, ' (Ltd|LLP|plc|Limited)$', '') ELSE joined END AS formal
    FROM called
)
SELECT account_no, debtor_no, same_name, place_no, telephone, h, k,
    CASE WHEN NOT same_name THEN ($surnames::VARCHAR[])[1 + draw_below(k, 4, len($surnames::VARCHAR[]))] || ' Holdings'
        WHEN draw(k, 5) < 0.3 THEN upper(formal) WHEN draw(k, 5) < 0.35 THEN sim_typo(formal, k) ELSE formal END AS name
FROM formed
"""

_DEBTORS_CSV = """
SELECT format('D{:05d}', 10000 + debtor_no) AS "Debtor No", name AS "Name",
    CASE WHEN draw(k, 6) < 0.1 THEN NULL WHEN draw(k, 7) < 0.08 THEN format('020{:08d}', draw_below(k, 8, 100000000))
        ELSE '+44 ' || substr(telephone, 2) END AS "Telephone",
    city AS "Town", CASE WHEN draw(k, 9) < 0.08 THEN NULL
        ELSE sim_postcode(CASE WHEN draw(k, 10) < 0.07 THEN k ELSE h END, country, postcode) END AS "Postcode",
    country AS "Country", 1000 * (1 + draw_below(k, 11, 50)) AS "Credit Limit"
FROM sim_debtors JOIN sim_places USING (place_no) ORDER BY debtor_no
"""

_ACCOUNT_RECORDS_CSV = """
SELECT sim_salesforce('001', $account + account_no) AS account, 'crm' AS system,
    sim_salesforce('001', $account + account_no) AS record_id, true AS same_name
FROM sim_accounts
UNION ALL
SELECT sim_salesforce('001', $account + account_no), 'ledger', format('D{:05d}', 10000 + debtor_no), same_name
FROM sim_debtors ORDER BY ALL
"""

_RECORDS_CSV = """
SELECT person, 'crm' AS system, sim_salesforce('003', $contact + contact_no) AS record_id
FROM sim_contacts ORDER BY contact_no
"""
