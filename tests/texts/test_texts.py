"""Free text: its language, its terms, and what in it names somebody."""

from __future__ import annotations

import pytest

from segmentry.texts import Languages, code_of, masked, names_in, terms_of, without_personal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Call me on 0171 2345678 or mail ada.l@home.example", "Call me on ••• or mail •••"),
        ("Emma Brown was great", "••• was great"),
        ("my friend emma was great", "my friend ••• was great"),
        ("The mark on the jack stays", "The mark on the jack stays"),
        ("Herr Müller-Lüdenscheidt war freundlich", "••• war freundlich"),
        ("My name is Olusegun Adeyemi and I wait", "••• and I wait"),
        ("It took 12 days. Kind regards, Zbigniew", "It took 12 days. Kind •••"),
        ("Order 4711023 to SW1A 1AA, see https://shop.example/o/1", "Order ••• to •••, see •••"),
        ("IBAN DE89370400440532013000, card 4111 1111 1111 1111", "IBAN •••, card •••"),
    ],
)  # fmt: skip
def test_what_names_somebody_is_hidden(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_the_names_of_the_writer_are_hidden_wherever_they_stand() -> None:
    own = names_in("Siobhán", "Ní Dhomhnaill", "s.nidhomhnaill@post.example")
    assert masked("parcel for SIOBHÁN late, says dhomhnaill", own) == "parcel for ••• late, says •••"
    assert "siobh" not in without_personal("siobhán's parcel", own)


@pytest.mark.parametrize(
    ("text", "likely", "code"),
    [
        ("Die Lieferung kam viel zu spät", (), "de"),
        ("the courier never rang the bell", (), "en"),
        ("ok", ("de", "en"), "de"),
        ("ok", (None, "en"), "en"),
        ("12345", (None, "de"), "de"),
    ],
)
def test_a_short_text_takes_the_language_of_its_writer(text: str, likely: tuple[str | None, ...], code: str) -> None:
    assert Languages(["en", "de"]).of(text, *likely) == code


def test_languages_are_those_of_many_texts() -> None:
    english = ["The courier never rang the bell at all", "I would like to return this product to the shop"] * 20
    german = ["Die Lieferung kam leider viel zu spät an", "Ich möchte das Produkt gerne zurückgeben"] * 10
    stray = ["La livraison était vraiment trop lente pour moi"] * 3
    assert Languages.among([*english, *german, *stray]).codes == ("en", "de")
    assert Languages.among(["12", "?"]).codes  # something is said of nothing


def test_languages_are_spelt_in_many_ways() -> None:
    assert [code_of(text) for text in ("de_DE", "German", "fra", "EN", "", None, "x")] == [
        "de", "de", "fr", "en", None, None, None,
    ]  # fmt: skip


def test_terms_are_stems_and_keep_the_word_that_stood_there() -> None:
    assert terms_of("Returning the printers: don't print the order's label!", "en") == [
        ("return", "returning"), ("printer", "printers"), ("print", "print"), ("order", "order"), ("label", "label"),
    ]  # fmt: skip
    assert terms_of("Die Lieferungen waren verspätet", "de") == [("liefer", "lieferungen"), ("verspat", "verspätet")]
    assert terms_of("快递太慢", "zh")[0] == ("快递", "快递")
