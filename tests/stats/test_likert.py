"""Answers in words on one ordered scale, in four languages; what is not known gets no number."""

from __future__ import annotations

import pytest

from segmentry.stats.likert import scale_of

FIVE = {
    "en": ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"],
    "de": ["Stimme überhaupt nicht zu", "Stimme eher nicht zu", "Teils/teils", "Stimme eher zu",
           "Stimme voll und ganz zu"],
    "fr": ["Pas du tout d’accord", "Plutôt pas d'accord", "Ni d'accord ni pas d'accord", "Plutôt d'accord",
           "Tout à fait d'accord"],
    "es": ["Totalmente en desacuerdo", "En desacuerdo", "Ni de acuerdo ni en desacuerdo", "De acuerdo",
           "Totalmente de acuerdo"],
    "satisfied": ["Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied", "Very satisfied"],
    "zufrieden": ["Sehr unzufrieden", "Eher unzufrieden", "Weder noch", "Eher zufrieden", "Sehr zufrieden"],
    "likely": ["Extremely unlikely", "Somewhat unlikely", "Neither likely nor unlikely", "Somewhat likely",
               "Extremely likely"],
    "important": ["Not at all important", "Slightly important", "Moderately important", "Very important",
                  "Extremely important"],
    "often": ["Nie", "Selten", "Manchmal", "Oft", "Immer"],
}  # fmt: skip
SEVEN = ["Strongly disagree", "Disagree", "Somewhat disagree", "Neither agree nor disagree", "Somewhat agree", "Agree",
         "Strongly agree"]  # fmt: skip


@pytest.mark.parametrize("name", FIVE)
def test_five_points_in_words(name: str) -> None:
    found = scale_of(reversed(FIVE[name]))
    assert found is not None
    assert (found.points, found.low) == (5, 1)
    assert [found.numbers[answer] for answer in FIVE[name]] == [1, 2, 3, 4, 5]


def test_four_six_and_seven_points() -> None:
    four = [a for a in FIVE["en"] if "Neither" not in a]
    six = [a for a in SEVEN if "Neither" not in a]
    for answers in (four, six, SEVEN):
        found = scale_of(answers)
        assert found is not None
        assert [found.numbers[a] for a in answers] == list(range(1, len(answers) + 1))


def test_two_languages_come_to_one_scale() -> None:
    found = scale_of([*FIVE["en"], *FIVE["fr"], *FIVE["de"]])
    assert found is not None
    assert found.points == 5
    assert found.numbers["Agree"] == found.numbers["Plutôt d'accord"] == found.numbers["Stimme eher zu"] == 4


def test_numbers_with_words_and_numbers_alone() -> None:
    assert scale_of(["5 - Strongly agree", "4", "3", "2", "1 - Strongly disagree"]).numbers["4"] == 4  # type: ignore[union-attr]
    turned = scale_of(["1 - Strongly agree", "2", "3", "4", "5 - Strongly disagree"])
    assert turned is not None
    assert (turned.numbers["1 - Strongly agree"], turned.numbers["2"]) == (5, 4)
    recommend = scale_of(["0 (Not at all likely)", "7", "10 (Extremely likely)"])
    assert recommend is not None
    assert (recommend.low, recommend.points, recommend.numbers["7"]) == (0, 11, 7)
    like = scale_of(["I hate it!-5", "-4", "0", "+3", "I love it!+5"])  # as in the McDonald's survey
    assert like is not None
    assert (like.low, like.numbers["I love it!+5"]) == (-5, 5)


def test_unknown_words_get_no_number() -> None:
    found = scale_of([*FIVE["en"], "Don't know", "It depends"])
    assert found is not None
    assert set(found.numbers) == set(FIVE["en"])


@pytest.mark.parametrize(
    "answers",
    [
        ["Blue", "Green"],
        ["Agree", "Strongly agree"],  # of four, five, six or seven points: not told
        ["Agree", "Very satisfied"],
        ["Agree"],
        ["18", "25", "61"],
        ["Don't know", "n/a"],
        [],
    ],
)
def test_what_is_no_scale_is_none(answers: list[str]) -> None:
    assert scale_of(answers) is None
