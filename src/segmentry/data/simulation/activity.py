"""The event log of web site and app, in Segment's format: visits of people (and robots), and what happens in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random

from segmentry.data.simulation.chance import SLOTS, Company
from segmentry.data.simulation.choosing import slot_list
from segmentry.data.simulation.plan_activity import (
    APP_NAME,
    BROWSERS,
    COURSES,
    HABITS,
    HAPPENINGS,
    LOCALES,
    PHONES,
    RELEASES,
    SOURCES,
    Happening,
)
from segmentry.data.simulation.writing import export_lines

SITE = "https://shop.company.example"
NEVER = 99  # the step at which somebody logs in who does not


def export(company: Company, folder: Path) -> dict[str, int]:
    """web/events.ndjson in order of arrival, and truth/records_web.csv: whose the anonymous ids are."""
    company.connection.execute(_UUID)
    _vocabulary(company)
    _visits(company)
    lines = export_lines(
        company, _LINES, folder / "web/events.ndjson", **_texts(company), rise=_milliseconds(company.prices_rose_on),
        until=_milliseconds(company.until + timedelta(days=1)), late=HABITS.late, twice=HABITS.twice,
        offset=HABITS.offset, **_numbers("identify", "group", "ordered", "viewed", "found"),
    )  # fmt: skip
    records = company.export(_RECORDS, folder / "truth/records_web.csv")
    company.drop("sim_visits", "sim_courses", "sim_steps", "sim_scenes")
    return {"web/events.ndjson": lines, "truth/records_web.csv": records}


def _milliseconds(day: date) -> int:
    """From the start of 1970 to the start of a day.

    >>> _milliseconds(date(1970, 1, 2))
    86400000
    """
    return (day - date(1970, 1, 1)).days * 86_400_000


# Three 32-bit words as a UUID in the form of version 4 (RFC 9562); different words give different UUIDs. A digit in
# front keeps the zeros; the factors are 2^120, 2^88, 2^56 and 2^24. It is a third of the work of format().
_UUID = """
CREATE OR REPLACE TEMP MACRO sim_hex(a, b, c) AS lower(hex(1329227995784915872903807060280344576::UHUGEINT
    + a::UHUGEINT * 309485009821345068724781056 + b::UHUGEINT * 72057594037927936
    + c::UHUGEINT * 16777216 + (xor(b, c) >> 8)));
CREATE OR REPLACE TEMP MACRO sim_dashed(x) AS concat(substr(x, 2, 8), '-', substr(x, 10, 4), '-4', substr(x, 14, 3),
    '-a', substr(x, 17, 3), '-', substr(x, 20, 12));
"""


# --- the plan as tables and texts -------------------------------------------------------------------------------------


def _vocabulary(company: Company) -> None:
    """``sim_courses``: SLOTS equally likely variants of every course; ``sim_steps``: their events; ``sim_scenes``:
    which locale belongs to a place.

    The variants are drawn here, so that a visit takes one draw and not one for every step that it may have.
    """
    numbers = _numbers(*HAPPENINGS)
    chance = Random(0)
    courses, steps = [], []
    for course, plan in enumerate(COURSES):
        for slot in range(SLOTS):
            taken = [numbers[name] for name, probability in plan.steps if chance.random() < probability]
            login = taken.index(numbers["identify"]) + 1 if numbers["identify"] in taken else NEVER
            courses.append((course, slot, course * SLOTS + slot, plan.app, len(taken), login))
            steps += [(course * SLOTS + slot, step, no) for step, no in enumerate(taken, start=1)]
    kinds = dict.fromkeys(("course", "slot", "variant", "app", "steps", "login"), "INTEGER")
    company.load("sim_courses", {**kinds, "app": "BOOLEAN"}, courses)
    company.load("sim_steps", dict.fromkeys(("variant", "step", "happening"), "INTEGER"), steps)
    countries = list(LOCALES)
    scenes = [(no, countries.index(place.country)) for no, place in enumerate(company.plan.places)]
    company.load("sim_scenes", {"place_no": "INTEGER", "locale": "INTEGER"}, scenes)


def _texts(company: Company) -> dict[str, object]:
    """The pieces of the lines, each list to be indexed by a number of the event."""
    products, codes, slugs = company.run(_PRODUCT_TEXTS)
    happenings = list(HAPPENINGS.values())
    return {
        "heads": [_head(h) for h in happenings],
        "paths": [h.path.partition("{")[0] for h in happenings],
        "fills": [1 if "{product}" in h.path else 2 if "{category}" in h.path else 0 for h in happenings],
        "with_product": [h.product for h in happenings],
        "contexts": _contexts(),
        "scenes": [scene + source for scene in _locales() for source in _sources()],
        "products": products,
        "codes": codes,
        "slugs": slugs,
        "site": SITE,
    }


def _numbers(*names: str) -> dict[str, int]:
    """The numbers of happenings, by name."""
    return {name: list(HAPPENINGS).index(name) for name in names}


def _head(happening: Happening) -> str:
    """How the line of an event starts.

    >>> _head(HAPPENINGS["viewed"])
    '{"type":"track","event":"Product Viewed"'
    """
    called = {"track": "event", "page": "name", "screen": "name"}.get(happening.type)
    values = {"type": happening.type, **({called: happening.name} if called else {})}
    return _members(values, opening="{")


def _members(values: Mapping[str, object], *, opening: str = "") -> str:
    """JSON members without the braces around them."""
    return opening + json.dumps(values, separators=(",", ":"), ensure_ascii=False)[1:-1]


def _contexts() -> list[str]:
    """What the library says about the device: the browsers' user agents, then phones by system version and release."""
    browsers = [_members({"userAgent": agent}) for browser in BROWSERS for agent in browser.agents]
    phones = [
        _members({
            "app": {"name": APP_NAME, "version": release, "build": str(400 + 7 * build)},
            "device": {"type": phone.system.lower(), "manufacturer": phone.manufacturer, "model": phone.model},
            "os": {"name": phone.system, "version": version},
            "userAgent": phone.agent.replace("{}", version.replace(".", "_") if phone.system == "iOS" else version),
        })
        for phone in PHONES for version in phone.system_versions for build, release in enumerate(RELEASES)
    ]  # fmt: skip
    return browsers + phones


def _locales() -> list[str]:
    return [_members({"locale": locale, "timezone": zone}) for locale, zone in LOCALES.values()]


def _sources() -> list[str]:
    """What the context says about where a visit came from: nothing, or a campaign."""
    named = [
        "," + _members({"campaign": {"source": source, "medium": medium, "name": name}})
        for _, source, medium, name in SOURCES
    ]
    return ["", *named]


# Products have one text with the old price, then one with the new.
_PRODUCT_TEXTS = """
WITH priced AS (
    SELECT 0 AS turn, product_no, code, name, category, first_price AS price FROM sim_products WHERE product_no >= 0
    UNION ALL
    SELECT 1, product_no, code, name, category, list_price FROM sim_products WHERE product_no >= 0
)
SELECT list('"product_id":"' || code || '","name":"' || name || '","category":"' || category || '","price":' || price
        || ',"currency":"GBP"' ORDER BY turn, product_no),
    list(code ORDER BY turn, product_no),
    list(lower(replace(replace(category, ' & ', '-'), ' ', '-')) ORDER BY turn, product_no)
FROM priced
"""


# --- visits -----------------------------------------------------------------------------------------------------------


def _visits(company: Company) -> None:
    """``sim_visits``: one row per visit: whose, when (UTC), with which device, from where, which course it runs.

    ``visitor`` is a hash of the person; ``number`` tells a person's visits apart. ``login`` is the step at which the
    visit becomes the customer's: 0 when they still were logged in.
    """
    products = [category.products for category in company.plan.categories]
    courses = {course.name: no for no, course in enumerate(COURSES)}
    sources = [1 - sum(share for share, *_ in SOURCES), *(share for share, *_ in SOURCES)]
    company.run(
        _VISITS, seed=company.seed, start=company.start, until=company.until, seen=HABITS.orders_seen,
        visits=HABITS.visits, business=HABITS.business_visits, logged_in=HABITS.logged_in, cookie=HABITS.new_cookie,
        robots=max(1, round(HABITS.robots * company.size)), visit=courses["visit"],
        business_visit=courses["business visit"], robot=courses["robot"], firsts=[0, *accumulate(products)][:-1],
        products=products, sources=slot_list(sources), source_count=len(sources), never=NEVER,
        places=len(company.plan.places), releases=len(RELEASES), **_device_choices(),
    )  # fmt: skip


def _device_choices() -> dict[str, list[int]]:
    """Per slot of desktop browsers, mobile browsers, robots and phones, in this order: the first context of the device,
    and how many versions it goes through. A phone has its releases with the older system, then with the newer one.
    """
    firsts = dict(zip(BROWSERS, [0, *accumulate(len(b.versions) for b in BROWSERS)], strict=False))
    phones_from = sum(len(browser.versions) for browser in BROWSERS)
    found: list[tuple[int, int]] = []
    for kind in ("desktop", "mobile", "robot"):
        browsers = [browser for browser in BROWSERS if browser.kind == kind]
        slots = slot_list(browser.share for browser in browsers)
        found += [(firsts[browsers[choice]], len(browsers[choice].versions)) for choice in slots]
    phones = slot_list(phone.share for phone in PHONES)
    found += [(phones_from + 2 * len(RELEASES) * choice, len(RELEASES)) for choice in phones]
    return {"first_contexts": [first for first, _ in found], "versions": [versions for _, versions in found]}


_VISITS = """
CREATE OR REPLACE TEMP TABLE sim_visits AS
WITH people AS (
    SELECT person, customer_no, account_no, group_no, place_no, digital, sim_hash(h, 1200) AS visitor,
        greatest(signup_date, $start::DATE) AS since,
        -- three in ten go on looking after they have bought for the last time
        CASE WHEN draw(h, 1201) < 0.3 THEN $until::DATE ELSE active_until END AS until
    FROM sim_people
), lined AS (
    SELECT order_no, min_by(product_no, line) FILTER (line < 126) AS product_no,
        '"order_id":"S' || (1000000 + order_no) || '","total":' || sum(quantity * unit_price - discount)
            || ',"revenue":' || coalesce(sum(quantity * unit_price - discount) FILTER (product_no >= 0), 0)
            || ',"shipping":' || coalesce(sum(unit_price) FILTER (line = 127), 0) || ',"currency":"GBP","products":['
            || string_agg('{"product_id":"' || code || '","quantity":' || quantity || ',"price":' || unit_price || '}',
                          ',' ORDER BY line) FILTER (product_no >= 0) || ']' AS basket
    FROM sim_bill JOIN sim_products USING (product_no)
    WHERE NOT is_return AND channel_no IN (0, 2)
        AND order_no IN (SELECT order_no FROM sim_orders WHERE draw(h, 1202) < $seen)
    GROUP BY order_no
), ordered AS (
    SELECT p.*, k::INTEGER AS number, CASE o.channel_no WHEN 0 THEN 0 ELSE 1 END AS course, ordered_at AS local,
        product_no, basket
    FROM lined JOIN sim_orders AS o USING (order_no) JOIN people AS p USING (person)
), counted AS (
    SELECT *, unnest(range(1000, 1000 + least(80, draw_count(visitor, 2,
            $visits * digital * exp(1.1 * draw_normal(visitor, 3) - 0.6))))) AS number, $visit AS course
    FROM people WHERE customer_no IS NOT NULL
    UNION ALL
    SELECT *, unnest(range(2000, 2000 + draw_count(visitor, 4, $business))), $business_visit
    FROM people WHERE customer_no IS NOT NULL AND account_no IS NOT NULL
    UNION ALL
    SELECT NULL, NULL, NULL, 0, draw_below(hashed, 5, $places), 0, hashed, $start::DATE, $until::DATE, 3000, $robot
    FROM (SELECT sim_hash(mixed, $seed + 4) AS hashed
          FROM (SELECT sim_mix(i::UBIGINT) AS mixed FROM range(1, $robots + 1) AS t(i)))
), hashed AS (
    SELECT *, sim_hash(visitor, 10000 + number) AS h FROM counted
), looked AS (
    SELECT c.* EXCLUDE (since, until), choice + 1 AS category,
        -- the more digital somebody is, the more likely they have the app
        CASE WHEN course = $visit AND draw(visitor, 5) < digital AND draw(h, 1) < 0.6 THEN course + 1 ELSE course END
            AS way,
        since + draw_below(h, 2, until - since + 1)::INTEGER + to_seconds(CASE WHEN course = $robot
            THEN draw_below(h, 3, 86400) ELSE floor(24000 + 29000 * (draw(h, 3) + draw(h, 4)))::BIGINT END) AS local
    FROM hashed AS c JOIN sim_choices AS x ON x.kind = 'category' AND x.group_no = c.group_no
        AND x.slot = draw_below(h, 5, 1000)
), visits AS (
    SELECT person, customer_no, account_no, place_no, visitor, number, course, local, product_no, basket,
        sim_hash(visitor, 10000 + number) AS h
    FROM ordered
    UNION ALL
    SELECT person, customer_no, account_no, place_no, visitor, number, way, local,
        ($firsts::INTEGER[])[category] + draw_below(h, 6, ($products::INTEGER[])[category])::INTEGER, NULL, h
    FROM looked
), clocked AS (
    -- the shop's clocks are on summer time from the last Sunday of March to that of October
    SELECT *, draw_below(h, 11, 1000) AS slot, make_date(year(local), 3, 31) AS march,
        make_date(year(local), 10, 31) AS october,
        (local >= march - (isodow(march) % 7)::INTEGER + INTERVAL 2 HOUR
         AND local < october - (isodow(october) % 7)::INTEGER + INTERVAL 2 HOUR)::INTEGER AS ahead
    FROM visits
), placed AS (
    SELECT v.* EXCLUDE (local, place_no, march, october, ahead, slot), variant, app, locale,
        -- seconds from step to step
        8 + 50 * draw(h, 7) AS gap,
        -- milliseconds since 1970; an order is completed in the minute before the shop has it
        epoch_ms(local) - 3600000 * ahead - CASE WHEN course < 2 THEN floor(1000 * gap * steps)::BIGINT ELSE 0 END
            AS started,
        CASE WHEN customer_no IS NULL THEN $never WHEN draw(h, 8) < $logged_in THEN 0 ELSE login END AS log_in,
        datediff('day', $start::DATE, local::DATE) / 731.0 AS passed,
        -- most stay with their favourite device
        CASE WHEN course = $robot THEN 0 WHEN app THEN 2
             WHEN draw(h, 9) < CASE WHEN draw(visitor, 6) < 0.45 THEN 0.85 ELSE 0.15 END THEN 1 ELSE 0 END AS device
    FROM clocked AS v JOIN sim_courses USING (course, slot) JOIN sim_scenes USING (place_no)
), equipped AS (
    SELECT *, 1 + draw_below(visitor, 10 + device, 1000)
            + 1000 * CASE WHEN course = $robot THEN 2 WHEN app THEN 3 ELSE device END AS model,
        -- people update late, some never
        greatest(0, least(0.999, passed - 0.25 * power(draw(visitor, 14), 3))) AS updated,
        device + CASE WHEN draw(visitor, 20 + device) < $cookie AND passed > draw(visitor, 30 + device)
            THEN 3 ELSE 0 END AS cookie
    FROM placed
), named AS (
    SELECT *, sim_hash(visitor, 90 + cookie) AS word_a, sim_hash(visitor, 80 + cookie) AS word_b,
        sim_hash(visitor, number) AS word_c,
        ($first_contexts::INTEGER[])[model] + CASE WHEN app AND updated > 0.5 THEN $releases ELSE 0 END
            + floor(updated * ($versions::INTEGER[])[model]) AS context
    FROM equipped
), identified AS (
    SELECT *, sim_hex(word_a, word_b, sim_hash(visitor, 70 + cookie)) AS digits,
        sim_hex(0, word_c, visitor) AS tail FROM named
)
SELECT person, v.customer_no, visitor, number, variant, product_no, h, started, gap, log_in AS login,
    sim_dashed(digits) AS anonymous,
    -- what follows the first eight digits of every message id of the visit
    concat(substr(sim_dashed(tail), 9), '","anonymousId":"', sim_dashed(digits)) AS ids, cookie % 3 = 2 AS app,
    context::SMALLINT AS context,
    -- most come by themselves
    locale * $source_count + CASE WHEN app OR course = $robot THEN 0
        ELSE ($sources::INTEGER[])[1 + draw_below(h, 10, 1000)] END AS scene,
    basket, '"email":"' || email || '"' AS traits,
    '"groupId":"' || a.domain || '","traits":{"name":"' || a.name || '"}' AS membership
FROM identified AS v
LEFT JOIN (SELECT customer_no, email FROM sim_names) AS n
    ON n.customer_no = CASE WHEN log_in > 0 AND log_in < $never THEN v.customer_no END
LEFT JOIN (SELECT account_no, domain, name FROM sim_accounts) AS a
    ON a.account_no = CASE WHEN course = $business_visit THEN v.account_no END
"""


# --- events -----------------------------------------------------------------------------------------------------------

# The rows are sorted while they are narrow; the texts are put together while they are written. A few events are
# late, a few are sent twice, a few give local time. The clock of one visitor in a hundred is 47 minutes slow.
_EVENTS = """
WITH stepped AS (
    SELECT v.* EXCLUDE (person, variant, anonymous, h, started, gap), step, happening, sim_hash(h, 400 + step) AS word,
        started + floor(1000 * gap * (step - 0.8 * draw(h, 500 + step)))::BIGINT AS happened
    FROM sim_visits AS v JOIN sim_steps USING (variant)
), sent AS (
    SELECT * REPLACE (
            -- who looks around looks at cheaper products, too
            CASE WHEN happening = $viewed AND basket IS NULL AND step > 3
                THEN greatest(0, product_no - 1 - (word % 3)::INTEGER) ELSE product_no END AS product_no,
            CASE WHEN step >= login THEN customer_no END AS customer_no),
        CASE happening WHEN $ordered THEN basket WHEN $identify THEN traits WHEN $group THEN membership END AS detail,
        draw(word, 1) AS mishap, visitor % 100 = 0 AS slow
    FROM stepped
    WHERE happening NOT IN ($identify, $group) OR (happening = $identify AND step = login)
        OR (happening = $group AND step >= login AND membership IS NOT NULL)
), arrived AS (
    SELECT *, happened + 200 + (word % 1500)::BIGINT
        -- a device without a connection keeps its events for hours or days
        + CASE WHEN mishap < $late THEN floor(3600000 * exp(5 * mishap / $late))::BIGINT ELSE 0 END AS arrived FROM sent
    UNION ALL
    SELECT *, happened + 3000 + (word % 7200000)::BIGINT FROM sent WHERE mishap > 1 - $twice
)
SELECT arrived, happened, ids, app, context, scene, happening, product_no, customer_no, word, slow, detail,
    mishap BETWEEN $late AND $late + $offset AS offset_given
FROM arrived
WHERE arrived < $until  -- others are still on their way
ORDER BY arrived, visitor, number, step
"""

_LINES = f"""
WITH events AS ({_EVENTS}
), spelled AS (
    SELECT *, lower(hex(4294967296 + word)) AS digits, make_timestamp(1000 * happened) AS happened_at,
        CASE WHEN happened >= $rise THEN len($codes::VARCHAR[]) // 2 ELSE 0 END + product_no + 1 AS product,
        CASE WHEN NOT app THEN concat(($paths::VARCHAR[])[happening + 1], CASE ($fills::INTEGER[])[happening + 1]
            WHEN 1 THEN ($codes::VARCHAR[])[product_no + 1] WHEN 2 THEN ($slugs::VARCHAR[])[product_no + 1] END)
            END AS path
    FROM events
), stamped AS (
    SELECT *, CASE WHEN offset_given THEN strftime(happened_at + INTERVAL 1 HOUR, '%Y-%m-%dT%H:%M:%S.%g+01:00')
        ELSE strftime(happened_at, '%Y-%m-%dT%H:%M:%S.%gZ') END AS stamp
    FROM spelled
)
SELECT concat(($heads::VARCHAR[])[happening + 1], ',"messageId":"', substr(digits, 2), ids,
    CASE WHEN customer_no IS NOT NULL THEN format('","userId":"C-{{:06d}}', customer_no) END,
    '","timestamp":"', stamp, '","originalTimestamp":"', CASE WHEN slow
        THEN strftime(happened_at - INTERVAL 47 MINUTE, '%Y-%m-%dT%H:%M:%S.%gZ') ELSE stamp END,
    '","receivedAt":"', strftime(make_timestamp(1000 * arrived), '%Y-%m-%dT%H:%M:%S.%gZ'), '","context":{{',
    ($contexts::VARCHAR[])[context + 1], ',', ($scenes::VARCHAR[])[scene + 1],
    CASE WHEN NOT app THEN concat(',"page":{{"path":"', path, '"}}') END,
    CASE WHEN happening = $identify THEN '}},"traits":{{' WHEN happening = $group THEN '}},'
        ELSE '}},"properties":{{' END,
    CASE WHEN happening IN ($identify, $group, $ordered) THEN detail
        WHEN ($with_product::BOOLEAN[])[happening + 1] THEN ($products::VARCHAR[])[product]
        WHEN happening = $found THEN concat('"query":"', replace(($slugs::VARCHAR[])[product_no + 1], '-', ' '), '"')
        WHEN NOT app THEN concat('"path":"', path, '","url":"', $site, path, '"') END,
    CASE WHEN happening = $group THEN '}}' ELSE '}}}}' END)
FROM stamped
"""

_RECORDS = """
SELECT DISTINCT person, 'web' AS system, anonymous AS record_id
FROM sim_visits WHERE person IS NOT NULL ORDER BY person, record_id
"""
