"""Demographic traits: who the customers are, as their records say.

Age on the day asked for comes from the date of birth, else from the year of birth, else it is the age that the source
states. What no human being is (below 0, above 110 years) is not known.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.ages import age_on, is_human
from segmentry.texts import vocabularies
from segmentry.traits.known import Expression, Known, Part, levels, respelt

_LOW, _HIGH = 0.75, 2.0  # of the median income
_BANDS = ((18, "under 18"), (25, "18-24"), (35, "25-34"), (45, "35-44"), (55, "45-54"), (65, "55-64"))
# Last year of birth of each. Dimock, "Defining generations", Pew Research Center 2019; Pew names none after Z.
_GENERATIONS = (
    (1927, "Greatest"),
    (1945, "Silent"),
    (1964, "Boomer"),
    (1980, "Generation X"),
    (1996, "Millennial"),
    (2012, "Generation Z"),
)
# English, German, French, Spanish, Italian, Portuguese, Dutch, Scandinavian, Finnish, Polish, Czech.
_GENDERS = {
    "female": """f female w woman women girl ms mrs miss lady weiblich frau femme feminin feminine mujer femenino
        femenina femmina femminile donna mulher feminino v vrouw vrouwelijk k kvinna kvinde kvinne nainen kobieta
        zena""",
    "male": """m male man men boy mr sir mannlich maennlich herr h homme masculin masculine hombre masculino uomo
        maschio maschile homem heer mannelijk mand mann mies mezczyzna muz""",
    "other": """o x d other divers diverse nonbinary nb enby genderqueer genderfluid inter intersex autre otro outro
        altro anders""",
    "": """u na unknown unspecified none null notspecified notstated notdisclosed undisclosed prefernottosay
        prefernottoanswer unbekannt keineangabe inconnu desconocido""",
}
_ISO_5218 = {"0": None, "1": "male", "2": "female", "9": None}


def traits(known: Known) -> Part:
    """The demographic traits whose data are there."""
    expressions: dict[str, Expression] = {
        "age": lambda row: row["years_old"],
        "age_band": lambda row: age_band(row["years_old"]),
        "generation": lambda row: generation(row["born_in"]),
        "gender": _gender(known),
        "income": lambda row: row["income"].cast("float64"),
        "income_band": _income_band(known),
        **{name: _normalised(known, name) for name in ("education", "marital_status", "occupation", "language")},
        **{name: _count(name) for name in ("household_size", "children")},
    }
    ages: dict[str, Expression] = {
        "years_old": lambda row: _ages(known, row)[0],
        "born_in": lambda row: _ages(known, row)[1],
    }
    return Part(shared=ages if known.ready("age") else {}, traits=known.chosen(expressions))


def _normalised(known: Known, column: str) -> Expression:
    """A category in the words of its vocabulary, or a language as its code; other spellings as they are."""
    if not known.ready(column):
        return lambda row: row[column]
    found = levels(known.customers[column].cast("string"))
    meant = vocabularies.languages(found) if column == "language" else vocabularies.meanings(column, found)
    return lambda row: respelt(row[column].cast("string"), meant)


def _income_band(known: Known) -> Expression:
    """Income against the median of the customers. OECD 2019, "Under Pressure: The Squeezed Middle Class"."""
    if not known.ready("income"):
        return lambda row: row["income"].cast("string")
    income = known.customers["income"].cast("float64")
    middle = known.customers.agg(middle=engine.median(income.name("income"))).to_pyarrow()["middle"][0].as_py()

    def band(row: ir.Table) -> ir.Value:
        mine = row["income"].cast("float64")
        unknown = (mine.isnull(), ibis.null("string"))
        return ibis.cases(unknown, (mine < _LOW * middle, "low"), (mine <= _HIGH * middle, "middle"), else_="high")

    return band


def _count(column: str) -> Expression:
    return lambda row: row[column].cast("int64")


def _ages(known: Known, row: ir.Table) -> tuple[ir.IntegerValue, ir.IntegerValue]:
    """Age and year of birth, from the best source that gives a human age."""
    year = known.as_of.year
    given: list[tuple[ir.IntegerValue, ir.IntegerValue]] = []
    if known.has("customers.birth_date"):
        given.append((age_on(known.as_of, row["birth_date"].cast("date")), row["birth_date"].cast("date").year()))
    if known.has("customers.birth_year"):
        given.append((year - row["birth_year"], row["birth_year"]))
    if known.has("customers.age"):
        given.append((row["age"], year - row["age"]))
    human = [is_human(age) for age, _ in given]
    ages = (ok.ifelse(age, None).cast("int64") for ok, (age, _) in zip(human, given, strict=True))
    years = (ok.ifelse(born, None).cast("int64") for ok, (_, born) in zip(human, given, strict=True))
    return ibis.coalesce(*ages), ibis.coalesce(*years)


def age_band(age: ir.IntegerValue) -> ir.StringValue:
    """The age bands that surveys and statistics offices use."""
    return ibis.cases((age.isnull(), ibis.null("string")), *((age < end, name) for end, name in _BANDS), else_="65+")


def generation(birth_year: ir.IntegerValue) -> ir.StringValue:
    """The generation of a year of birth."""
    unknown = (birth_year.isnull(), ibis.null("string"))
    return ibis.cases(unknown, *((birth_year <= last, name) for last, name in _GENERATIONS), else_="Generation Alpha")


def _gender(known: Known) -> Expression:
    meanings = genders(levels(known.customers["gender"].cast("string"))) if known.ready("gender") else {}
    return lambda row: respelt(row["gender"].cast("string"), meanings)


def genders(spellings: Iterable[str]) -> dict[str, str | None]:
    """What each spelling of a gender means: female, male, other, or None for not known.

    They are looked at together, because M is mujer where the others are H (hombre), and 1 and 2 are codes of ISO 5218.
    A spelling that is not understood stays as it is.

    >>> genders(["F", "Herr"]), genders(["H", "M"])
    ({'F': 'female', 'Herr': 'male'}, {'H': 'male', 'M': 'female'})
    """
    plain = {spelling: _plain(spelling) for spelling in spellings}
    said = set(plain.values()) - {""}
    meanings: dict[str, str | None] = {word: name or None for name, words in _GENDERS.items() for word in words.split()}
    meanings[""] = None
    if {"h", "m"} <= said and not said & {"f", "w", "v", "k"}:
        meanings["m"] = "female"
    if {"1", "2"} <= said <= _ISO_5218.keys():
        meanings |= _ISO_5218
    return {spelling: meanings.get(word, spelling) for spelling, word in plain.items()}


def _plain(text: str) -> str:
    """Letters and digits alone, without case and accents."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKD", text.casefold()))
