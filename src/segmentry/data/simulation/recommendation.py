"""How likely people are to recommend the company, and why: a Typeform export with free text in four languages."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

from segmentry.data.simulation.chance import Company
from segmentry.data.simulation.plan_shop import Place
from segmentry.data.simulation.plan_texts import (
    ENDINGS,
    LANGUAGE_ELSE,
    LANGUAGE_SHARES,
    OPENINGS,
    OTHER_LANGUAGES,
    THEMES,
    THINGS,
)
from segmentry.data.simulation.surveys import SAMPLE, respondents
from segmentry.data.simulation.writing import export_headed

FIRST_MONTH = 13  # people are asked throughout the second year

QUESTIONS = (
    "How likely are you to recommend us to a friend or colleague?",
    "What is the main reason for your score?",
)


def export(company: Company, folder: Path) -> dict[str, int]:
    """nps.csv, truth/themes.csv with what each answer is about, and truth/records_survey.csv of all surveys."""
    _vocabulary(company)
    first = company.month(FIRST_MONTH)
    company.run(
        _SCORES, respondents=respondents(company, "recommendation"), signed_up=company.until, stream=1420, first=first,
        until=company.until,
    )  # fmt: skip
    header = ["#", *QUESTIONS, "email", "customer_id", "Start Date (UTC)", "Submit Date (UTC)", "Network ID", "Tags"]
    rows = export_headed(company, _ANSWERS, folder / "surveys/nps.csv", [header], things=list(THINGS),
                         openings=list(OPENINGS), endings=list(ENDINGS), english=len(OTHER_LANGUAGES))  # fmt: skip
    themes = company.export(_THEMES, folder / "truth/themes.csv", themes=[theme.name for theme in THEMES],
                            languages=[*OTHER_LANGUAGES, "en"])  # fmt: skip
    company.run("INSERT INTO sim_respondents SELECT person, 'nps', token FROM sim_scores")
    records = company.export(_RECORDS, folder / "truth/records_survey.csv")
    company.drop("sim_scores", "sim_moods", "sim_phrases", "sim_tongues", "sim_respondents")
    return {"surveys/nps.csv": rows, "truth/themes.csv": themes, "truth/records_survey.csv": records}


def _vocabulary(company: Company) -> None:
    """``sim_moods``: where the themes' shares end, for promoters (0), passives (1) and detractors (2);
    ``sim_phrases``: what is said by language (the last is English), theme and mood; ``sim_tongues``: who speaks what.
    """
    moods = range(3)
    ends = [list(accumulate(theme.weight[mood] for theme in THEMES)) for mood in moods]
    company.load("sim_moods", {"mood": "INTEGER", "ends": "DOUBLE[]"}, list(zip(moods, ends, strict=True)))
    phrases: list[tuple[int, int, int, list[str]]] = [
        (tongue, theme, mood, [texts[mood]])
        for tongue, themes in enumerate(OTHER_LANGUAGES.values())
        for theme, texts in enumerate(themes)
        for mood in moods
    ]
    phrases += [
        (len(OTHER_LANGUAGES), no, mood, list((theme.promoters, theme.passives, theme.detractors)[mood]))
        for no, theme in enumerate(THEMES)
        for mood in moods
    ]
    kinds = {"tongue": "INTEGER", "theme": "INTEGER", "mood": "INTEGER", "texts": "VARCHAR[]"}
    company.load("sim_phrases", kinds, phrases)
    tongues = [(no, list(accumulate(_shares(place)))) for no, place in enumerate(company.plan.places)]
    company.load("sim_tongues", {"place_no": "INTEGER", "ends": "DOUBLE[]"}, tongues)


def _shares(place: Place) -> list[float]:
    """How many people of a place answer in each language other than English."""
    return [
        LANGUAGE_SHARES[language].get(place.region, LANGUAGE_SHARES[language].get(place.country, LANGUAGE_ELSE))
        for language in OTHER_LANGUAGES
    ]


_SCORES = f"""
CREATE OR REPLACE TEMP TABLE sim_scores AS
WITH sampled AS ({SAMPLE}
), scored AS (
    SELECT person, customer_no, place_no, sim_hash(s.h, 1421) AS h, signup_date,
        least(10, greatest(0, round(satisfaction + 0.4 + 1.3 * draw_normal(sim_hash(s.h, 1421), 1))))::INTEGER AS score,
        CASE WHEN score >= 9 THEN 0 WHEN score >= 7 THEN 1 ELSE 2 END AS mood
    FROM sampled AS s
), themed AS (
    SELECT s.* EXCLUDE place_no, len(list_filter(m.ends, lambda e: e <= draw(h, 2))) AS theme,
        len(list_filter(t.ends, lambda e: e <= draw(h, 3))) AS tongue,
        greatest($first::DATE, signup_date) AS asked_from
    FROM scored AS s JOIN sim_moods AS m USING (mood) JOIN sim_tongues AS t USING (place_no)
)
SELECT * EXCLUDE (asked_from, signup_date), row_number() OVER (ORDER BY started_at, person) AS line,
    format('{{:08x}}', h) || format('{{:08x}}', sim_hash(h, 5)) || format('{{:08x}}', sim_hash(h, 6)) AS token
FROM (SELECT *, asked_from + draw_below(h, 4, $until::DATE - asked_from + 1)::INTEGER
          + to_seconds(21600 + draw_below(h, 7, 61200)) AS started_at
      FROM themed)
"""

_ANSWERS = """
WITH worded AS (
    SELECT s.*, n.email, n.telephone, city,
        texts[1 + draw_below(s.h, 10, len(texts))] AS body, s.tongue = $english AS english
    FROM sim_scores AS s
    JOIN sim_phrases USING (tongue, theme, mood)
    JOIN sim_names AS n USING (customer_no)
    JOIN sim_people AS p ON p.person = s.person
    JOIN sim_places USING (place_no)
), filled AS (
    SELECT *, CASE WHEN english THEN ($openings::VARCHAR[])[1 + draw_below(h, 11, len($openings::VARCHAR[]))]
            ELSE '' END
        || replace(replace(replace(body, '{days}', (2 + draw_below(h, 13, 12))::VARCHAR), '{place}', city),
            '{product}', ($things::VARCHAR[])[1 + draw_below(h, 12, len($things::VARCHAR[]))])
        || CASE WHEN english THEN ($endings::VARCHAR[])[1 + draw_below(h, 14, len($endings::VARCHAR[]))]
            ELSE '' END AS said
    FROM worded
), reached AS (
    SELECT *, CASE WHEN draw(h, 15) < 0.35 THEN upper(left(said, 1)) || substr(said, 2)
            WHEN draw(h, 15) < 0.38 THEN upper(said) ELSE said END
        || CASE WHEN draw(h, 16) < 0.008 THEN ' Call me on ' || telephone
                WHEN draw(h, 16) < 0.016 THEN ' Please write to ' || email ELSE '' END AS text
    FROM filled
)
SELECT line, token, score::VARCHAR,
    CASE WHEN draw(h, 17) < 0.22 THEN NULL WHEN draw(h, 18) < 0.09 THEN sim_typo(text, h) ELSE text END,
    CASE WHEN draw(h, 19) < 0.8 THEN email END,
    CASE WHEN draw(h, 20) < 0.5 THEN format('C-{:06d}', customer_no) END,
    strftime(started_at, '%Y-%m-%d %H:%M:%S'),
    strftime(started_at + to_seconds(15 + draw_below(h, 21, 160)), '%Y-%m-%d %H:%M:%S'),
    left(format('{:08x}{:08x}', sim_hash(h, 22), sim_hash(h, 23)), 10), NULL
FROM reached
"""

_THEMES = """
SELECT token AS record_id, ($themes::VARCHAR[])[1 + theme] AS theme,
    ['promoter', 'passive', 'detractor'][1 + mood] AS mood, ($languages::VARCHAR[])[1 + tongue] AS language
FROM sim_scores ORDER BY line
"""

_RECORDS = "SELECT person, survey AS system, record_id FROM sim_respondents ORDER BY survey, person, record_id"
