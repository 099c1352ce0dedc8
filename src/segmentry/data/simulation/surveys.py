"""The surveys: attitudes and needs (with a MaxDiff exercise), and importance against satisfaction.

How likely people are to recommend the company, and why, is in ``recommendation.py``.
"""

from __future__ import annotations

import json
from math import sqrt
from pathlib import Path

from segmentry.data.simulation.chance import Company
from segmentry.data.simulation.plan_voice import (
    AGREEMENT,
    AGREEMENT_CUTS,
    BENEFITS,
    ITEMS,
    MAXDIFF_BLOCKS,
    MAXDIFF_VERSIONS,
    REASON_SHARES,
    REASON_SHARES_ELSE,
    REASONS,
    RESPONDENTS_MOST,
    SERVED,
    SURVEY_QUIRKS,
    SURVEYED_SHARE,
    UTILITIES,
    UTILITY_SPREAD,
    Item,
)
from segmentry.data.simulation.writing import export_headed

ITEMS_END, TASKS_END = 40, 90  # progress in per cent after the statements, and after the MaxDiff exercise
ATTITUDES_MONTH, IMPORTANCE_MONTH, FIELD_DAYS = 20, 22, 42


def export(company: Company, folder: Path) -> dict[str, int]:
    """attitudes_and_needs.csv as Qualtrics writes it, its MaxDiff design, importance_satisfaction.csv as SurveyMonkey
    does, and the truth behind them: benefits, items and reasons. ``sim_respondents`` says who answered what."""
    _vocabulary(company)
    company.run("""
        CREATE OR REPLACE TEMP TABLE sim_respondents (person UBIGINT, survey VARCHAR, record_id VARCHAR)
    """)
    answers = _attitudes_and_needs(company, folder / "surveys/attitudes_and_needs.csv")
    company.drop("sim_completions", "sim_choice_answers")
    design = company.export(_DESIGN, folder / "surveys/maxdiff_design.csv", benefits=list(BENEFITS))
    counts = {
        "surveys/attitudes_and_needs.csv": answers,
        "surveys/maxdiff_design.csv": design,
        "surveys/importance_satisfaction.csv": _importance(company, folder / "surveys/importance_satisfaction.csv"),
        **_truth(company, folder),
    }
    company.drop("sim_tasks", "sim_utilities", "sim_reason_shares")
    return counts


def respondents(company: Company, survey: str) -> int:
    """How many people answer a survey."""
    share = SURVEYED_SHARE[survey]
    return max(1, min(round(share * company.size), round(RESPONDENTS_MOST * share / max(SURVEYED_SHARE.values()))))


def _vocabulary(company: Company) -> None:
    """``sim_tasks`` (the MaxDiff design), ``sim_utilities`` by needs segment, ``sim_reason_shares`` by occupation."""
    tasks = [
        (version, task, *((benefit + version) % len(BENEFITS) + 1 for benefit in block))
        for version in range(MAXDIFF_VERSIONS)
        for task, block in enumerate(MAXDIFF_BLOCKS, start=1)
    ]
    kinds = dict.fromkeys(("version", "task", "b1", "b2", "b3", "b4"), "INTEGER")
    company.load("sim_tasks", kinds, tasks)
    utilities = [
        (need_no, no, utility)
        for need_no, need in enumerate(company.plan.needs)
        for no, utility in enumerate(UTILITIES[need.name], start=1)
    ]
    company.load("sim_utilities", {"need_no": "INTEGER", "benefit": "INTEGER", "utility": "DOUBLE"}, utilities)
    shares = [
        (occupation_no, no, share)
        for occupation_no, occupation in enumerate(company.plan.occupations)
        for no, share in enumerate(REASON_SHARES.get(occupation.name, REASON_SHARES_ELSE), start=1)
    ]
    company.load("sim_reason_shares", {"occupation_no": "INTEGER", "reason": "INTEGER", "share": "DOUBLE"}, shares)


# The more digital somebody is, the more likely they answer: a weighted sample without replacement takes those with the
# smallest exponential variates (Efraimidis and Spirakis 2006).
SAMPLE = """
SELECT person, customer_no, h, need_no, occupation_no, satisfaction, place_no, signup_date
FROM (SELECT *, row_number() OVER (ORDER BY -ln(draw(h, $stream)) / (0.4 + digital), person) AS place
      FROM sim_people WHERE customer_no IS NOT NULL AND signup_date <= $signed_up::DATE)
WHERE place <= $respondents
"""


# --- attitudes and needs ----------------------------------------------------------------------------------------------


def _attitudes_and_needs(company: Company, path: Path) -> int:
    """The answers row by row, then as Qualtrics exports them; returns the answers."""
    field = company.month(ATTITUDES_MONTH)
    company.run(
        _COMPLETIONS, respondents=respondents(company, "attitudes"), signed_up=field, stream=1400, field=field,
        days=FIELD_DAYS, straight=company.answer_noise * SURVEY_QUIRKS["straight line"],
        speeder=company.answer_noise * SURVEY_QUIRKS["speeder"],
        partial=SURVEY_QUIRKS["partial"], duplicate=SURVEY_QUIRKS["duplicate"], versions=MAXDIFF_VERSIONS,
    )  # fmt: skip
    company.run(
        _CHOICES, spread=UTILITY_SPREAD, noise=company.answer_noise, items_end=ITEMS_END, tasks_end=TASKS_END,
        tasks=len(MAXDIFF_BLOCKS),
    )  # fmt: skip
    rows = export_headed(
        company, _qualtrics_rows(), path, _qualtrics_headers(), agreement=list(AGREEMENT), benefits=list(BENEFITS),
        reasons=list(REASONS), items=len(ITEMS), items_end=ITEMS_END, tasks_end=TASKS_END, noise=company.answer_noise,
    )  # fmt: skip
    company.run("INSERT INTO sim_respondents SELECT person, 'attitudes_and_needs', response_id FROM sim_completions")
    return rows


_COMPLETIONS = f"""
CREATE OR REPLACE TEMP TABLE sim_completions AS
WITH sampled AS ({SAMPLE}
), streamed AS (
    SELECT * EXCLUDE h, sim_hash(h, 1401) AS h_person FROM sampled
), owners AS (
    SELECT DISTINCT customer_no FROM sim_bill JOIN sim_products USING (product_no)
    WHERE category = 'Tablets' AND NOT is_return AND billed_at < $field::DATE
), attempted AS (
    SELECT *, unnest(CASE WHEN draw(h_person, 1) < $duplicate THEN [1, 2] ELSE [1] END) AS attempt FROM streamed
), hashed AS (
    SELECT *, sim_hash(h_person, 900 + attempt) AS h, draw(h_person, 2) AS quirk FROM attempted
), timed AS (
    SELECT *, quirk < $straight AS straight, quirk BETWEEN $straight AND $straight + $speeder AS speeder,
        CASE WHEN draw(h, 3) < $partial THEN 5 * (1 + draw_below(h, 4, 19)) ELSE 100 END AS progress,
        -- most answer within days of the invitation, and in waking hours
        $field::DATE + floor($days * power(draw(h, 5), 2.5))::INTEGER
            + to_seconds(25200 + draw_below(h, 6, 54000)) + to_days((3 * (attempt - 1))::INTEGER) AS started_at,
        draw_below(h_person, 7, $versions)::INTEGER AS version
    FROM hashed
)
SELECT row_number() OVER (ORDER BY started_at, person, attempt) AS line, t.*, o.customer_no IS NOT NULL AS owner,
    greatest(20, floor(CASE WHEN speeder THEN 45 + 50 * draw(h, 8)
        ELSE 480 * exp(0.4 * draw_normal(h, 9)) END * progress / 100))::BIGINT AS seconds,
    format('R_{{:08X}}{{:07x}}', h, h_person % 268435456) AS response_id,
    format('C-{{:06d}}', customer_no) AS customer_id
FROM timed AS t LEFT JOIN owners AS o USING (customer_no)
"""

# Best and worst of four follow a multinomial logit on the person's utilities: the largest of utility plus Gumbel noise
# (McFadden 1974); the worst is drawn in the same way from the other three with the signs turned.
_CHOICES = """
CREATE OR REPLACE TEMP TABLE sim_choice_answers AS
WITH utilities AS (
    SELECT need_no, list(utility ORDER BY benefit) AS utility FROM sim_utilities GROUP BY need_no
), seen AS (
    SELECT line, task, h, h_person, straight, speeder, b1, b2, b3, b4, utility
    FROM sim_completions JOIN sim_tasks USING (version) JOIN utilities USING (need_no)
    WHERE task <= $tasks * (progress - $items_end) / ($tasks_end - $items_end)
), felt AS (
    SELECT *, sim_hash(h, 2000 + task) AS h_task,
        CASE WHEN speeder THEN 0 ELSE utility[b1] + $spread * draw_normal(h_person, 300 + b1) END AS u1,
        CASE WHEN speeder THEN 0 ELSE utility[b2] + $spread * draw_normal(h_person, 300 + b2) END AS u2,
        CASE WHEN speeder THEN 0 ELSE utility[b3] + $spread * draw_normal(h_person, 300 + b3) END AS u3,
        CASE WHEN speeder THEN 0 ELSE utility[b4] + $spread * draw_normal(h_person, 300 + b4) END AS u4
    FROM seen
), noisy AS (
    SELECT line, task, straight, b1, b2, b3, b4,
        u1 - $noise * ln(-ln(draw(h_task, 1))) AS g1, u2 - $noise * ln(-ln(draw(h_task, 2))) AS g2,
        u3 - $noise * ln(-ln(draw(h_task, 3))) AS g3, u4 - $noise * ln(-ln(draw(h_task, 4))) AS g4,
        -u1 - $noise * ln(-ln(draw(h_task, 5))) AS w1, -u2 - $noise * ln(-ln(draw(h_task, 6))) AS w2,
        -u3 - $noise * ln(-ln(draw(h_task, 7))) AS w3, -u4 - $noise * ln(-ln(draw(h_task, 8))) AS w4
    FROM felt
), best AS (
    SELECT *, CASE WHEN straight OR g1 >= greatest(g2, g3, g4) THEN 1 WHEN g2 >= greatest(g3, g4) THEN 2
        WHEN g3 >= g4 THEN 3 ELSE 4 END AS best_at
    FROM noisy
), left_over AS (
    SELECT line, task, straight, best_at, [b1, b2, b3, b4] AS shown,
        CASE WHEN best_at = 1 THEN -99 ELSE w1 END AS w1, CASE WHEN best_at = 2 THEN -99 ELSE w2 END AS w2,
        CASE WHEN best_at = 3 THEN -99 ELSE w3 END AS w3, CASE WHEN best_at = 4 THEN -99 ELSE w4 END AS w4
    FROM best
), chosen AS (
    SELECT line, task, shown[best_at] AS best, shown[CASE WHEN straight THEN 4 WHEN w1 >= greatest(w2, w3, w4) THEN 1
        WHEN w2 >= greatest(w3, w4) THEN 2 WHEN w3 >= w4 THEN 3 ELSE 4 END] AS worst
    FROM left_over
)
SELECT line, list(best ORDER BY task) AS bests, list(worst ORDER BY task) AS worsts FROM chosen GROUP BY line
"""

_DESIGN = """
SELECT version + 1 AS version, task, position, ($benefits::VARCHAR[])[[b1, b2, b3, b4][position]] AS benefit
FROM sim_tasks, (VALUES (1), (2), (3), (4)) AS p(position)
ORDER BY version, task, position
"""


def _graded(score: str) -> str:
    """SQL of the answer, 1 to 7, to a statement with a standard score."""
    return "1 + " + " + ".join(f"({score} > {cut})::INTEGER" for cut in AGREEMENT_CUTS)


def _answer(no: int, item: Item) -> str:
    """SQL of the answer to a statement: the attitude with the item's loading, and what is the item's alone."""
    sign = "-" if item.reverse else ""
    own = sqrt(1 - item.loading**2)
    return f"{sign}{item.loading} * {item.scale} + {own:.6f} * $noise * draw_normal(h, {100 + no}) AS item_{no}"


def _qualtrics_rows() -> str:
    """The query of one row per completion, all texts."""
    numbers = range(1, len(ITEMS) + 1)
    scores = ", ".join(_answer(no, item) for no, item in zip(numbers, ITEMS, strict=True))
    graded = ", ".join(_graded(f"item_{no}") for no in numbers)
    items = ", ".join(f"CASE WHEN {no} <= answered THEN ($agreement::VARCHAR[])[grades[{no}]] END" for no in numbers)
    tasks = ", ".join(
        f"($benefits::VARCHAR[])[bests[{task}]], ($benefits::VARCHAR[])[worsts[{task}]]"
        for task in range(1, len(MAXDIFF_BLOCKS) + 1)
    )
    return f"""
WITH scored AS (
    SELECT c.*, {scores} FROM sim_completions AS c JOIN sim_attitudes USING (person)
), graded AS (
    SELECT *,
        CASE WHEN straight THEN list_transform(range($items), lambda i: 3 + draw_below(h, 10, 4))
             WHEN speeder THEN list_transform(range($items), lambda i: 1 + draw_below(h, 40 + i, 7))
             ELSE [{graded}] END AS grades,
        floor(least(1, progress / $items_end) * $items) AS answered
    FROM scored
), reasons AS (
    -- one text of all reasons that apply; who ticks none has another one
    SELECT line, coalesce(string_agg(($reasons::VARCHAR[])[reason], ',' ORDER BY reason)
        FILTER (draw(h, 500 + reason) < CASE WHEN speeder THEN 0.3 ELSE share END), 'Something else') AS ticked
    FROM sim_completions JOIN sim_reason_shares USING (occupation_no)
    WHERE owner AND progress > $tasks_end GROUP BY line
), named AS (
    SELECT g.*, bests, worsts, ticked, n.first_name, n.last_name, n.email,
        CASE WHEN draw(h_person, 11) < 0.85 THEN 'email' WHEN draw(h_person, 11) < 0.95 THEN 'qr-code'
             ELSE 'anonymous' END AS reached,
        started_at + to_seconds(seconds) AS ended_at
    FROM graded AS g
    JOIN sim_names AS n USING (customer_no)
    LEFT JOIN sim_choice_answers USING (line)
    LEFT JOIN reasons USING (line)
)
SELECT line, strftime(started_at, '%Y-%m-%d %H:%M:%S'), strftime(ended_at, '%Y-%m-%d %H:%M:%S'), 'IP Address',
    progress::VARCHAR, seconds::VARCHAR, CASE WHEN progress = 100 THEN 'True' ELSE 'False' END,
    -- who gives up is recorded a week later
    strftime(ended_at + to_seconds(CASE WHEN progress = 100 THEN 1 ELSE 604800 END), '%Y-%m-%d %H:%M:%S'),
    response_id,
    CASE WHEN reached = 'email' THEN last_name END, CASE WHEN reached = 'email' THEN first_name END,
    CASE WHEN reached = 'email' THEN email END,
    CASE WHEN reached <> 'anonymous' AND draw(h_person, 12) < 0.7 THEN customer_id END, reached, 'EN',
    {items}, {tasks}, ticked, (version + 1)::VARCHAR
FROM named
"""


def _qualtrics_headers() -> list[list[str]]:
    """The three header rows: names of the columns, their texts, and where Qualtrics imports them from."""
    metadata = (
        ("StartDate", "Start Date", "startDate"), ("EndDate", "End Date", "endDate"),
        ("Status", "Response Type", "status"), ("Progress", "Progress", "progress"),
        ("Duration (in seconds)", "Duration (in seconds)", "duration"), ("Finished", "Finished", "finished"),
        ("RecordedDate", "Recorded Date", "recordedDate"), ("ResponseId", "Response ID", "_recordId"),
        ("RecipientLastName", "Recipient Last Name", "recipientLastName"),
        ("RecipientFirstName", "Recipient First Name", "recipientFirstName"),
        ("RecipientEmail", "Recipient Email", "recipientEmail"),
        ("ExternalReference", "External Data Reference", "externalDataReference"),
        ("DistributionChannel", "Distribution Channel", "distributionChannel"),
        ("UserLanguage", "User Language", "userLanguage"),
    )  # fmt: skip
    rows = [(name, text, _import_id(source)) for name, text, source in metadata]
    lead = "How much do you agree with these statements?"
    rows += [(item.name, f"{lead} - {item.text}", _import_id(f"QID1_{no}")) for no, item in enumerate(ITEMS, start=1)]
    for task in range(1, len(MAXDIFF_BLOCKS) + 1):
        for end, most in (("best", "most"), ("worst", "least")):
            text = f"Which of these is {most} important to you when you buy from us? (task {task})"
            rows.append((f"Q2_{task}_{end}", text, _import_id(f"QID{1 + task}_{end}")))
    rows.append(("Q3", "Which of these reasons apply to your tablet? (choose all that apply)", _import_id("QID10")))
    rows.append(("maxdiff_version", "maxdiff_version", _import_id("maxdiff_version")))
    return [list(row) for row in zip(*rows, strict=True)]


def _import_id(source: str) -> str:
    """The cell of Qualtrics' third header row.

    >>> _import_id("startDate")
    '{"ImportId":"startDate","timeZone":"Europe/London"}'
    """
    zone = {"timeZone": "Europe/London"} if source.endswith("Date") else {}
    return json.dumps({"ImportId": source, **zone}, separators=(",", ":"))


# --- importance and satisfaction --------------------------------------------------------------------------------------


def _importance(company: Company, path: Path) -> int:
    """importance_satisfaction.csv: two answers from 0 to 10 for each benefit; returns the answers."""
    field = company.month(IMPORTANCE_MONTH)
    company.run(
        _RATINGS, respondents=respondents(company, "importance"), signed_up=field, stream=1410, field=field,
        days=FIELD_DAYS, spread=UTILITY_SPREAD, noise=company.answer_noise, served=list(SERVED),
    )  # fmt: skip
    numbers = range(1, len(BENEFITS) + 1)
    answers = ", ".join(f"{kind}[{no}]::VARCHAR" for kind in ("importance", "content") for no in numbers)
    blanks: list[str | None] = [None] * (len(BENEFITS) - 1)
    headers = [
        ["Respondent ID", "Collector ID", "Start Date", "End Date", "Email Address", "First Name", "Last Name",
         "Custom Data 1", "How important is this to you? (0 = not at all, 10 = extremely)", *blanks,
         "How satisfied are you with us on this? (0 = not at all, 10 = completely)", *blanks],
        [*[None] * 8, *BENEFITS, *BENEFITS],
    ]  # fmt: skip
    query = f"""
        SELECT line, respondent_id::VARCHAR, '438201977', strftime(started_at, '%m/%d/%Y %I:%M:%S %p'),
            strftime(started_at + to_seconds(60 + draw_below(h, 9, 400)), '%m/%d/%Y %I:%M:%S %p'),
            CASE WHEN draw(h, 10) < 0.9 THEN email END, CASE WHEN draw(h, 10) < 0.5 THEN first_name END,
            CASE WHEN draw(h, 10) < 0.5 THEN last_name END,
            CASE WHEN draw(h, 11) < 0.6 THEN format('C-{{:06d}}', customer_no) END, {answers}
        FROM sim_ratings JOIN sim_names USING (customer_no)
    """
    rows = export_headed(company, query, path, headers)
    company.run("""
        INSERT INTO sim_respondents SELECT person, 'importance_satisfaction', respondent_id::VARCHAR FROM sim_ratings
    """)
    company.drop("sim_ratings")
    return rows


# A person's utilities are those of the MaxDiff exercise: the same hash and the same purposes.
_RATINGS = f"""
CREATE OR REPLACE TEMP TABLE sim_ratings AS
WITH sampled AS ({SAMPLE}
), hashed AS (
    SELECT *, sim_hash(h, 1401) AS h_person, sim_hash(h, 1411) AS h_answer FROM sampled
), rated AS (
    SELECT person, customer_no, h_answer AS h, benefit,
        utility + $spread * draw_normal(h_person, 300 + benefit) AS utility,
        satisfaction + ($served::DOUBLE[])[benefit] AS content
    FROM hashed JOIN sim_utilities USING (need_no)
), answered AS (
    SELECT person, customer_no, h,
        list(CASE WHEN draw(h, 100 + benefit) > 0.02  -- some skip a line
            THEN least(10, greatest(0,
                round(6 + 1.5 * utility + $noise * 1.2 * draw_normal(h, 200 + benefit))))::INTEGER END
            ORDER BY benefit) AS importance,
        list(CASE WHEN draw(h, 300 + benefit) > 0.04
            THEN least(10, greatest(0, round(content + $noise * 1.4 * draw_normal(h, 400 + benefit))))::INTEGER END
            ORDER BY benefit) AS content
    FROM rated GROUP BY person, customer_no, h
), timed AS (
    SELECT *, $field::DATE + floor($days * power(draw(h, 1), 2.5))::INTEGER
        + to_seconds(25200 + draw_below(h, 2, 54000)) AS started_at
    FROM answered
)
SELECT row_number() OVER (ORDER BY started_at, person) AS line, 118240000000 + 17 * line AS respondent_id, *
FROM timed
"""


# --- truth ------------------------------------------------------------------------------------------------------------


def _truth(company: Company, folder: Path) -> dict[str, int]:
    """truth/benefits.csv, truth/items.csv and truth/reasons.csv: what the answers were drawn from."""
    columns = {"no": "INTEGER", "item": "VARCHAR", "scale": "VARCHAR", "reversed": "BOOLEAN", "loading": "DOUBLE"}
    company.load("sim_items", columns, [(no, i.name, i.scale, i.reverse, i.loading) for no, i in enumerate(ITEMS)])
    counts = {
        "truth/benefits.csv": company.export(
            _BENEFITS, folder / "truth/benefits.csv", benefits=list(BENEFITS),
            needs=[need.name for need in company.plan.needs],
        ),
        "truth/reasons.csv": company.export(
            _REASONS, folder / "truth/reasons.csv", reasons=list(REASONS),
            occupations=[occupation.name for occupation in company.plan.occupations],
        ),
        "truth/items.csv": company.export("SELECT * EXCLUDE no FROM sim_items ORDER BY no", folder / "truth/items.csv"),
    }  # fmt: skip
    company.drop("sim_items")
    return counts


_BENEFITS = """
SELECT ($needs::VARCHAR[])[1 + need_no] AS needs_segment, ($benefits::VARCHAR[])[t.benefit] AS benefit, utility
FROM sim_utilities AS t ORDER BY need_no, t.benefit
"""

_REASONS = """
SELECT ($occupations::VARCHAR[])[1 + occupation_no] AS occupation, ($reasons::VARCHAR[])[t.reason] AS reason,
    share AS probability
FROM sim_reason_shares AS t ORDER BY occupation_no, t.reason
"""
