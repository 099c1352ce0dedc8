"""Answers in words on an ordered numeric scale: 'Strongly agree', '5 - Stimme voll zu', 'Plutôt satisfait', '+3'.

A ladder is a scale as questionnaires print it: its steps in order, each with the words for it in English, German,
French and Spanish, so that a survey answered in two languages comes to one scale. The wordings are those of the
standard scales of Qualtrics and SurveyMonkey and the usual translations (agreement: Likert 1932; the others: Vagias
2006). Words that stand on no ladder get no number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_ENOUGH = 0.6  # of a ladder's steps must occur, where longer ladders would give other numbers
_NUMBERED = re.compile(r"([+-]?\d{1,2})(?:[.,]0+)?(?:\s*[-–—:=.)(/]+\s*|\s+)?(?P<label>\D.*)?")
_NUMBER_BEHIND = re.compile(r"(?P<label>.*[^\d\s+-])\s*[-–(]?\s*([+-]\d{1,2}|(?<=\()\d{1,2}(?=\)))\)?")
_MOST_POINTS = 11  # 0 to 10, or -5 to +5


@dataclass(frozen=True)
class Scale:
    """The scale of a question.

    ``family`` is agreement, satisfaction, likelihood, importance, frequency, or number where the answers carry their
    numbers without words. ``points`` is how many steps it has, ``low`` the number of its lowest. ``numbers`` gives the
    number of each answer as it was written, higher meaning more; an answer that stands on no step is not in it.
    """

    family: str
    points: int
    low: int
    numbers: Mapping[str, int]


def scale_of(answers: Iterable[str]) -> Scale | None:
    """The scale on which the different answers to a question stand; None where there is none, or two would fit.

    >>> scale_of(["Strongly agree", "agree", "Neither agree nor disagree", "Disagree", "Stimme voll zu"]).numbers
    {'Strongly agree': 5, 'agree': 4, 'Neither agree nor disagree': 3, 'Disagree': 2, 'Stimme voll zu': 5}
    >>> scale_of(["5 - Very likely", "3", "1 - Very unlikely"]).numbers
    {'5 - Very likely': 5, '3': 3, '1 - Very unlikely': 1}
    >>> scale_of(["Blue", "Green"]) is None
    True
    """
    given = [a for a in dict.fromkeys(answers) if _folded(a) and _folded(a) not in _NO_OPINION]
    numbered = {a: found for a in given if (found := _number_in(a)) is not None}
    if numbered and len(numbered) == len(given):
        return _by_number(numbered)
    return _by_words(given)


def is_no_opinion(answer: str) -> bool:
    """Whether an answer says that there is none: it has no step, and does not speak against a scale either.

    >>> is_no_opinion("Don't know"), is_no_opinion("Never")
    (True, False)
    """
    return _folded(answer) in _NO_OPINION or not _folded(answer)


def languages_of(answers: Iterable[str]) -> tuple[str, ...]:
    """The languages that it takes to know all words among the answers that stand on a ladder.

    >>> languages_of(["Agree", "Disagree", "Stimme voll zu", "blue"])
    ('English', 'German')
    """
    words = {word for a in answers if (word := _folded(a)) in _ALL_WORDS}
    found: dict[str, int] = {}
    while words:
        known = [len(words & own) for own in _WORDS_OF]
        best = known.index(max(known))
        found[_NAMES[best]] = known[best]
        words -= _WORDS_OF[best]
    return tuple(sorted(found))


def _by_words(given: list[str], *, enough: float = _ENOUGH) -> Scale | None:
    words = {answer: word for answer in given if (word := _folded(answer)) in _ALL_WORDS}
    if len(set(words.values())) < 2:
        return None
    fitting = [(ladder, steps) for ladder in _LADDERS if (steps := _on(ladder, set(words.values())))]
    if not fitting:
        return None
    ladder, steps = min(fitting, key=lambda found: found[0].points)
    several = len({found.points for found, _ in fitting}) > 1
    if several and len(set(steps.values())) < enough * ladder.points:
        return None
    return Scale(ladder.family, ladder.points, 1, {answer: steps[word] for answer, word in words.items()})


def _on(ladder: _Ladder, words: set[str]) -> dict[str, int]:
    """The steps of words on a ladder, language by language: the one that has most of them first; empty if any is not.

    In one language a step of a scale has one wording: 'agree' and 'somewhat agree' are two steps, while 'agree' and
    'plutôt d'accord' may be the same one.
    """
    found: dict[str, int] = {}
    for languages in sorted(ladder.languages, key=lambda each: -max(len(words & steps.keys()) for steps in each)):
        known = {word for steps in languages for word in steps}
        left = (words - found.keys()) & known
        if left:
            fit = next((steps for steps in languages if left <= steps.keys()), None)
            if fit is None:
                return {}
            found |= {word: fit[word] for word in left}
    return found if words == found.keys() else {}


def _by_number(numbered: Mapping[str, tuple[int, str]]) -> Scale | None:
    values = sorted({number for number, _ in numbered.values()})
    if len(values) < 2 or values[0] < -5 or values[-1] > 10 or values[-1] - values[0] >= _MOST_POINTS:
        return None
    labelled = {label: number for number, label in numbered.values() if label}
    words = _by_words(list(labelled), enough=0) if len(labelled) >= 2 else None
    low, high = _ends(values[0], values[-1], words)
    family = words.family if words else "number"
    if words is None or not _turned(labelled, words.numbers):
        return Scale(family, high - low + 1, low, {a: number for a, (number, _) in numbered.items()})
    # '1 - Strongly agree ... 5 - Strongly disagree': turned round, so that more means more.
    return Scale(family, high - low + 1, low, {a: low + high - number for a, (number, _) in numbered.items()})


def _ends(lowest: int, highest: int, words: Scale | None) -> tuple[int, int]:
    """First and last number of the scale: what nobody chose belongs to it, too."""
    if words is not None and lowest >= 1 and highest <= words.points:
        return 1, words.points
    if lowest < 0:
        end = max(-lowest, highest)
        return -end, end
    if highest > 7:
        return (0 if lowest == 0 else 1), 10
    return (0, highest) if lowest == 0 else (1, max(highest, 4))


def _turned(labelled: Mapping[str, int], numbers: Mapping[str, int]) -> bool:
    pairs = sorted((labelled[label], step) for label, step in numbers.items())
    return pairs[0][1] > pairs[-1][1]


def _number_in(answer: str) -> tuple[int, str] | None:
    """The number that an answer carries, and the words beside it."""
    text = answer.strip()
    if found := _NUMBERED.fullmatch(text):
        return int(found[1]), (found["label"] or "").strip(" )")
    if found := _NUMBER_BEHIND.fullmatch(text):
        return int(found[2]), found["label"].strip()
    return None


def _folded(text: str) -> str:
    """Lower case without accents and signs.

    >>> _folded("  Plutôt d’accord! "), _folded("Weder/noch")
    ('plutot d accord', 'weder noch')
    """
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).lower()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", plain))


# What is no answer on the scale: it gets no number, and does not speak against a ladder.
_NO_OPINION_WORDS = """don't know, do not know, I don't know, not sure, unsure, not applicable, n/a, no opinion,
    prefer not to say, prefer not to answer, weiß nicht, weiss ich nicht, keine Angabe, k. A., keine Meinung,
    trifft nicht auf mich zu, ne sait pas, je ne sais pas, sans opinion, non concerné, sans objet, no sé, no sabe,
    no aplica, no procede, sin opinión, prefiero no contestar"""
_NO_OPINION = frozenset(_folded(word) for word in _NO_OPINION_WORDS.split(","))

# Steps ----------------------------------------------------------------------------------------------------------------
# The words of each step in English | German | French | Spanish, the lowest step first.
_STEPS: dict[str, dict[str, str]] = {
    "agreement": {
        "---": """strongly disagree, disagree strongly, completely disagree, totally disagree | stimme überhaupt nicht
            zu, stimme gar nicht zu, stimme absolut nicht zu, lehne stark ab, trifft überhaupt nicht zu, trifft
            gar nicht zu | pas du tout d'accord, tout à fait en désaccord, fortement en désaccord, totalement en
            désaccord | totalmente en desacuerdo, muy en desacuerdo, completamente en desacuerdo""",
        "--": "disagree | stimme nicht zu, lehne ab, trifft nicht zu | pas d'accord, en désaccord | en desacuerdo",
        "-": """somewhat disagree, slightly disagree, mostly disagree, tend to disagree, disagree somewhat | stimme
            eher nicht zu, lehne eher ab, trifft eher nicht zu | plutôt pas d'accord, plutôt en désaccord | algo
            en desacuerdo, más bien en desacuerdo, parcialmente en desacuerdo""",
        "0": """neither agree nor disagree, neutral, neither, undecided | neutral, weder noch, teils teils,
            unentschieden, stimme weder zu noch nicht zu, weder zustimmung noch ablehnung, stimme weder zu noch
            lehne ich ab, stimme teilweise zu | ni d'accord ni pas d'accord, ni d'accord ni en désaccord, neutre
            | ni de acuerdo ni en desacuerdo, neutro, neutral, indiferente""",
        "+": """somewhat agree, slightly agree, mostly agree, tend to agree, agree somewhat | stimme eher zu, trifft
            eher zu | plutôt d'accord | algo de acuerdo, más bien de acuerdo, parcialmente de acuerdo""",
        "++": "agree | stimme zu, trifft zu | d'accord | de acuerdo",
        "+++": """strongly agree, agree strongly, completely agree, totally agree | stimme voll und ganz zu, stimme
            voll zu, stimme völlig zu, stimme vollkommen zu, stimme stark zu, trifft voll und ganz zu, trifft
            voll zu | tout à fait d'accord, fortement d'accord, totalement d'accord | totalmente de acuerdo, muy
            de acuerdo, completamente de acuerdo""",
    },
    "satisfaction": {
        "---": """very dissatisfied, extremely dissatisfied, completely dissatisfied, very unsatisfied | sehr
            unzufrieden, äußerst unzufrieden, überhaupt nicht zufrieden | très insatisfait, très insatisfaite,
            pas du tout satisfait, pas du tout satisfaite | muy insatisfecho, muy insatisfecha, nada satisfecho,
            nada satisfecha""",
        "--": """dissatisfied, unsatisfied, moderately dissatisfied | unzufrieden | insatisfait, insatisfaite, pas
            satisfait, pas satisfaite | insatisfecho, insatisfecha""",
        "-": """somewhat dissatisfied, slightly dissatisfied | eher unzufrieden | plutôt insatisfait, plutôt
            insatisfaite, plutôt pas satisfait | algo insatisfecho, algo insatisfecha""",
        "0": """neither satisfied nor dissatisfied, neutral | neutral, weder zufrieden noch unzufrieden, teils
            teils, weder noch | ni satisfait ni insatisfait, ni satisfaite ni insatisfaite, neutre | ni
            satisfecho ni insatisfecho, ni satisfecha ni insatisfecha, neutro, neutral""",
        "+": """somewhat satisfied, slightly satisfied | eher zufrieden | plutôt satisfait, plutôt satisfaite | algo
            satisfecho, algo satisfecha""",
        "++": "satisfied, moderately satisfied | zufrieden | satisfait, satisfaite | satisfecho, satisfecha",
        "+++": """very satisfied, extremely satisfied, completely satisfied | sehr zufrieden, äußerst zufrieden | très
            satisfait, très satisfaite, tout à fait satisfait | muy satisfecho, muy satisfecha""",
    },
    "likelihood": {
        "---": """very unlikely, extremely unlikely, not at all likely | sehr unwahrscheinlich, äußerst
            unwahrscheinlich, überhaupt nicht wahrscheinlich | très improbable, très peu probable, pas du tout
            probable | muy improbable, nada probable""",
        "--": """unlikely, moderately unlikely | unwahrscheinlich | improbable, peu probable | improbable, poco
            probable""",
        "-": """somewhat unlikely, slightly unlikely | eher unwahrscheinlich | plutôt improbable, plutôt peu
            probable | algo improbable""",
        "0": """neither likely nor unlikely, neutral, undecided | neutral, weder wahrscheinlich noch
            unwahrscheinlich, weder noch, teils teils | ni probable ni improbable, neutre | neutro, neutral""",
        "+": "somewhat likely, slightly likely | eher wahrscheinlich | plutôt probable | algo probable",
        "++": "likely, moderately likely | wahrscheinlich | probable | probable",
        "+++": """very likely, extremely likely | sehr wahrscheinlich, äußerst wahrscheinlich | très probable,
            extrêmement probable | muy probable""",
    },
    "importance": {
        "---": """very unimportant, extremely unimportant, not at all important, not important at all | überhaupt
            nicht wichtig, gar nicht wichtig, sehr unwichtig, völlig unwichtig | pas du tout important, pas du
            tout importante | nada importante, sin importancia""",
        "--": """unimportant, not important | unwichtig, nicht wichtig | pas important, pas importante | no
            importante""",
        "-": """somewhat unimportant, not very important, not so important | eher unwichtig, weniger wichtig |
            plutôt pas important, peu important, peu importante | poco importante""",
        "0": """neither important nor unimportant, neutral | neutral, teils teils, weder noch, weder wichtig noch
            unwichtig | ni important ni pas important, neutre | ni importante ni no importante, neutro, neutral""",
        "+": "somewhat important | eher wichtig | plutôt important, plutôt importante | algo importante",
        "++": "important | wichtig | important, importante | importante",
        "+++": """very important, extremely important | sehr wichtig, äußerst wichtig | très important, très
            importante | muy importante""",
    },
    "importance, rising": {
        "1": """not at all important | überhaupt nicht wichtig, gar nicht wichtig | pas du tout important | nada
            importante""",
        "2": "slightly important | etwas wichtig | légèrement important, un peu important | ligeramente importante",
        "3": """moderately important | mäßig wichtig, mittelmäßig wichtig | moyennement important | moderadamente
            importante""",
        "4": "very important | sehr wichtig | très important | muy importante",
        "5": "extremely important | äußerst wichtig | extrêmement important | sumamente importante",
    },
    "satisfaction, rising": {
        "1": "not at all satisfied | überhaupt nicht zufrieden | pas du tout satisfait | nada satisfecho",
        "2": """slightly satisfied | etwas zufrieden | légèrement satisfait, un peu satisfait | ligeramente
            satisfecho""",
        "3": "moderately satisfied | mäßig zufrieden | moyennement satisfait | moderadamente satisfecho",
        "4": "very satisfied | sehr zufrieden | très satisfait | muy satisfecho",
        "5": "extremely satisfied | äußerst zufrieden | extrêmement satisfait | sumamente satisfecho",
    },
    "likelihood, rising": {
        "1": "not at all likely | überhaupt nicht wahrscheinlich | pas du tout probable | nada probable",
        "2": "slightly likely | etwas wahrscheinlich | légèrement probable | ligeramente probable",
        "3": "moderately likely | mäßig wahrscheinlich | moyennement probable | moderadamente probable",
        "4": "very likely | sehr wahrscheinlich | très probable | muy probable",
        "5": "extremely likely | äußerst wahrscheinlich | extrêmement probable | sumamente probable",
    },
    "frequency, rising": {
        "1": "never | nie, niemals | jamais | nunca",
        "2": "rarely, seldom | selten | rarement | raramente, rara vez",
        "3": "sometimes, occasionally | manchmal, gelegentlich | parfois, quelquefois | a veces, algunas veces",
        "4": """often, frequently, usually | oft, häufig, meistens | souvent | a menudo, frecuentemente, con
            frecuencia""",
        "5": "always | immer | toujours | siempre",
    },
}
# The ladders that the steps of a two-sided family make: 4, 5 (with plain or with weakened steps), 6 and 7 points.
_TWO_SIDED = (
    ("---", "--", "++", "+++"),
    ("---", "-", "+", "+++"),
    ("---", "--", "0", "++", "+++"),
    ("---", "-", "0", "+", "+++"),
    ("---", "-", "0", "++", "+++"),
    ("--", "-", "0", "+", "++"),
    ("---", "--", "-", "+", "++", "+++"),
    ("---", "--", "-", "0", "+", "++", "+++"),
)
_LANGUAGES = 4
# 'Not very' stands one step below 'somewhat' on scales without a middle.
_FOUR_STEPS = ("---", "-", "++", "+++")


@dataclass(frozen=True)
class _Ladder:
    """A scale of so many points: of every language, the forms that it is worded in, each word with its step."""

    family: str
    points: int
    languages: tuple[tuple[Mapping[str, int], ...], ...]


def _ladders() -> Iterator[_Ladder]:
    for name, steps in _STEPS.items():
        orders = [tuple(steps)] if name.endswith("rising") else [*_TWO_SIDED, _FOUR_STEPS]
        words = {step: [_listed(part) for part in text.split("|")] for step, text in steps.items()}
        for points in sorted({len(order) for order in orders}):
            forms = [order for order in orders if len(order) == points]
            languages = tuple(
                tuple({w: n for n, step in enumerate(form, 1) for w in words[step][language]} for form in forms)
                for language in range(_LANGUAGES)
            )
            yield _Ladder(name.partition(",")[0], points, languages)


def _listed(text: str) -> list[str]:
    return [_folded(word) for word in text.split(",")]


_LADDERS = tuple(_ladders())
_ALL_WORDS = frozenset(w for ladder in _LADDERS for forms in ladder.languages for form in forms for w in form)
_NAMES = ("English", "German", "French", "Spanish")
_WORDS_OF = tuple(
    frozenset(w for ladder in _LADDERS for form in ladder.languages[i] for w in form) for i in range(_LANGUAGES)
)
