"""Themes of texts: planted ones are found in two languages, nobody is named, and nothing later counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis.backends.duckdb import Backend
from trait_reference import CUSTOMERS, by_key, table

from segmentry import engine
from segmentry.errors import DataError, FitError
from segmentry.traits import Facts, Learned, Settings, TraitTable, compute, theme_summaries

AS_OF = date(2026, 6, 30)
EVENTS = {"customer_key": pa.int64(), "time": pa.timestamp("us")}
PLANTED = {
    "en": {
        "delivery": "parcel courier late delivery doorbell rain box waiting",
        "app": "app crash login screen update slow password freezes",
        "price": "price cheaper offer voucher expensive discount competitor sale",
    },
    "de": {
        "lieferung": "Paket Kurier verspätet Lieferung Klingel Regen Karton warten",
        "beratung": "Beratung Personal Filiale freundlich kompetent Telefon Auskunft erklärt",
    },
}
FRAMES = {
    "en": "I have to say that the {0} was with the {1} and then there was the {2}, please do something about it",
    "de": "Ich muss sagen, dass es mit {0} und auch mit {1} so war, und dann noch {2}, bitte ändern Sie das",
}
# Staff and customers, who must not come out: each name stands in many texts.
STAFF = {"en": "Mrs Kowalczyk knows.", "de": "Frau Kowalczyk weiß es."}
SURNAMES = ("Ogunbanjo", "Vanderbilt", "Papadakis", "Szymborska", "Achterberg", "Thistlewood")


def written(texts: int = 700, seed: int = 1) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[int, str]]:
    """Customers, one ticket of each, and its theme; four in seven English, and everybody signs with their name."""
    rng = np.random.default_rng(seed)
    people, tickets, truth = [], [], {}
    for key in range(1, texts + 1):
        language = "en" if key % 7 < 4 else "de"
        theme = list(PLANTED[language])[int(rng.integers(len(PLANTED[language])))]
        words = rng.choice(PLANTED[language][theme].split(), 3, replace=False)
        surname = SURNAMES[key % len(SURNAMES)]
        # The neighbour's name: no name of the writer, but one of a customer.
        neighbour = SURNAMES[(key + 1) % len(SURNAMES)]
        text = FRAMES[language].format(*words)
        text += f" {STAFF[language]}" if key % 3 == 0 else ""
        text += f" The {neighbour} family too." if key % 4 == 0 and language == "en" else ""
        text += f" Emma {surname}, emma{key}@mail.example, +44 20 7946 {key:04d}, order 77{key:05d}"
        people.append(
            {
                "customer_key": key,
                "customer_id": f"C{key}",
                "first_name": "Emma",
                "last_name": surname,
                "email": f"emma{key}@mail.example",
                "language": {"en": "English", "de": "de-DE"}[language],
            }
        )
        day = datetime(2026, 1 + key % 6, 1 + key % 28)
        tickets.append({"customer_key": key, "time": day, "name": "ticket", "text": text})
        truth[key] = theme
    return people, tickets, truth


PEOPLE, TICKETS, TRUTH = written()


@pytest.fixture(scope="module")
def con() -> Iterator[Backend]:
    with engine.in_memory() as backend:
        yield backend


def facts(con: Backend, people: Sequence[dict[str, Any]], tickets: Sequence[dict[str, Any]], **more: Any) -> Facts:
    events = {"events": table(con, "events", tickets, EVENTS)} if tickets else {}
    return Facts(table(con, "golden_customers", people, CUSTOMERS), further={**events, **more})


@pytest.fixture(scope="module")
def made(con: Backend) -> TraitTable:
    return compute(facts(con, PEOPLE, TICKETS), AS_OF)


def test_planted_themes_are_found_in_both_languages(made: TraitTable) -> None:
    model = made.learned["themes"].model
    assert [group["languages"] for group in model["groups"]] == [["en"], ["de"]]
    assert len(model["themes"]) == 5
    planted = {word.lower(): theme for by in PLANTED.values() for theme, words in by.items() for word in words.split()}
    meant = {}
    for theme in model["themes"]:
        of = {planted[word] for word in theme["label"].split(", ")}
        assert len(of) == 1, theme["label"]
        meant[theme["label"]] = of.pop()
    rows = by_key(made)
    assert np.mean([meant[rows[key]["main_theme"]] == theme for key, theme in TRUTH.items()]) > 0.97


def test_the_themes_of_a_customer_add_up(made: TraitTable) -> None:
    shares = [t.name for t in made.traits if t.name.startswith("theme_")]
    assert len(shares) == 5
    for row in by_key(made).values():
        assert row["texts"] == 1
        assert sum(row[name] for name in shares) == pytest.approx(1)


def test_nobody_is_named_in_what_is_learned(made: TraitTable) -> None:
    text = json.dumps(made.learned["themes"].model, ensure_ascii=False).lower()
    for word in ("emma", "kowal", "@", "mail", "7946", "770", *(name.lower()[:6] for name in SURNAMES)):
        assert word not in text, word


def test_neither_the_order_of_the_texts_nor_what_is_written_later_changes_anything(
    con: Backend, made: TraitTable
) -> None:
    later = [{**t, "time": datetime(2026, 7, 1), "text": "the parcel and the courier, zebra zebra"} for t in TICKETS]
    again = compute(facts(con, PEOPLE[::-1], [*later, *TICKETS[::-1]]), AS_OF)
    assert again.learned == made.learned
    assert by_key(again) == by_key(made)


def test_a_frozen_model_reads_new_texts(con: Backend, made: TraitTable) -> None:
    def ticket(key: int, text: str) -> dict[str, Any]:
        return {"customer_key": key, "time": datetime(2026, 6, 1), "name": "ticket", "text": text}

    new = [
        ticket(1, "Paket verspätet"),
        ticket(1, "Kurier verspätet"),
        ticket(1, "freundliche Beratung"),
        ticket(2, "zebra"),
        ticket(3, "the app crashes and the discount is small"),
    ]
    rows = by_key(compute(facts(con, PEOPLE[:4], new), AS_OF, learned=made.learned))
    labels = {label: label.split(", ") for label in (t["label"] for t in made.learned["themes"].model["themes"])}
    assert {"paket", "kurier", "lieferung", "verspätet"} & set(labels[rows[1]["main_theme"]])
    assert sorted(v for n, v in rows[1].items() if n.startswith("theme_") and v)[-1] == pytest.approx(2 / 3, abs=0.01)
    assert (rows[2]["texts"], rows[2]["main_theme"]) == (1, None)
    assert len([v for n, v in rows[3].items() if n.startswith("theme_") and v > 0.2]) == 2
    assert (rows[4]["texts"], rows[4]["main_theme"]) == (0, None)


def test_too_few_texts_are_refused_with_the_reason(con: Backend) -> None:
    few = compute(facts(con, PEOPLE, TICKETS[:40]), AS_OF)
    assert not [t for t in few.traits if t.name in ("texts", "main_theme")]
    assert "different texts" in few.learned["themes"].refused
    with pytest.raises(FitError, match="different texts"):
        theme_summaries(facts(con, PEOPLE, TICKETS[:40]), AS_OF, Settings(), few.learned)


def test_categories_and_numbers_are_no_texts(con: Backend) -> None:
    answers = [
        {"customer_key": p["customer_key"], "survey": "nps", "question": question, "answer": answer, "time": None}
        for i, p in enumerate(PEOPLE)
        for question, answer in (("Q1", str(i % 11)), ("Q2", f"very satisfied with it all {i % 5}"))
    ]
    asked = table(con, "responses", answers, {**EVENTS, "time": pa.timestamp("us")})
    made = compute(facts(con, PEOPLE, [], responses=asked), AS_OF)
    assert "No question and no event has texts" in made.learned["themes"].refused
    assert "'nps: Q1', has 11 different texts of 1.0 words" in made.learned["themes"].refused


def test_without_texts_nothing_is_learned(con: Backend) -> None:
    none = compute(facts(con, PEOPLE[:5], []), AS_OF)
    assert none.learned == {}
    with pytest.raises(DataError, match="no texts of customers"):
        theme_summaries(facts(con, PEOPLE[:5], []), AS_OF, Settings(), none.learned)


def test_quotes_are_typical_and_name_nobody(con: Backend, made: TraitTable) -> None:
    found = theme_summaries(facts(con, PEOPLE, TICKETS), AS_OF, Settings(), made.learned)
    assert [t.share for t in found] == sorted((t.share for t in found), reverse=True)
    assert sum(t.share for t in found) == pytest.approx(1)
    for each in found:
        assert 1 <= len(each.quotes) <= 3
        for quote in each.quotes:
            assert "•••" in quote
            assert set(each.theme.words) & set(quote.lower().replace(",", "").split())
            for name in ("Emma", "Kowalczyk", "@", "7946", *SURNAMES):
                assert name not in quote


def test_a_theme_of_few_customers_shows_no_quote(con: Backend, made: TraitTable) -> None:
    four = [t for t in TICKETS if TRUTH[t["customer_key"]] == "app"][:4]
    found = theme_summaries(facts(con, PEOPLE, four), AS_OF, Settings(), made.learned)
    assert [(t.customers, t.quotes) for t in found if t.customers] == [(4, ())]


def test_themes_of_real_reviews(con: Backend, real_data) -> None:
    reviews = pq.read_table(real_data / "amazon_app_reviews" / "amazon.parquet")["reviewText"].to_pylist()[:1000]
    tickets = [
        {"customer_key": 1 + i % 900, "time": datetime(2026, 1, 1 + i % 28), "name": "review", "text": text}
        for i, text in enumerate(reviews)
    ]
    people = [{"customer_key": k, "customer_id": f"C{k}"} for k in range(1, 901)]
    made = compute(facts(con, people, tickets), AS_OF)
    assert not made.learned["themes"].refused
    labels = [t["label"] for t in made.learned["themes"].model["themes"]]
    assert len(labels) >= 3
    assert any({"game", "play"} & set(label.split(", ")) for label in labels)
    known = [row["main_theme"] for row in by_key(made).values()]
    assert sum(theme is not None for theme in known) > 0.95 * len(known)


def test_a_model_is_plain_data(made: TraitTable) -> None:
    learned = made.learned["themes"]
    assert isinstance(learned, Learned)
    assert json.loads(json.dumps(learned.model)) == learned.model
