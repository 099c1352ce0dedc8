"""Who customers are."""

from __future__ import annotations

from segmentry.catalogue.trait import Kind, Model, Trait, same
from segmentry.tables import customers

_BIRTH = "customers.birth_date or customers.birth_year or customers.age"


def _of_age(name: str, kind: Kind, description: str, unit: str = "") -> Trait:
    pii, null_means = customers["birth_date"].pii, "not known, or not a human age"
    return Trait(name, Model.DEMOGRAPHIC, kind, description, unit, (_BIRTH,), pii, null_means)


DEMOGRAPHIC = (
    _of_age(
        "age",
        "number",
        "Age in completed years; the age reached that year where only the year of birth is known.",
        "years",
    ),
    _of_age("age_band", "category", "Age as under 18, 18-24, 25-34, 35-44, 45-54, 55-64, 65+."),
    _of_age("generation", "category", "Generation by year of birth (Pew Research Center 2019)."),
    same("gender", Model.DEMOGRAPHIC, "female, male or other; a spelling that is not known stays as it is."),
    same("income", Model.DEMOGRAPHIC),
    Trait(
        "income_band",
        Model.DEMOGRAPHIC,
        "category",
        "Income against the median of all whose income is known: low (under 75 % of it), middle (up to 200 %), high "
        "(OECD 2019).",
        needs=("customers.income",),
        pii=customers["income"].pii,
    ),
    same(
        "education",
        Model.DEMOGRAPHIC,
        "primary, secondary, vocational, bachelor, master or doctorate (ISCED 2011); another spelling stays as it is.",
    ),
    same(
        "marital_status",
        Model.DEMOGRAPHIC,
        "single, married, partner, separated, divorced or widowed; another spelling stays as it is.",
    ),
    same("household_size", Model.DEMOGRAPHIC),
    same("children", Model.DEMOGRAPHIC),
    same(
        "occupation",
        Model.DEMOGRAPHIC,
        "Occupation; employed, self-employed, student, retired, unemployed and homemaker in one spelling each.",
    ),
    same("language", Model.DEMOGRAPHIC, "ISO 639 code; a spelling that is not known stays as it is."),
)
