"""What customers look for, and how well they get it."""

from __future__ import annotations

from segmentry.catalogue.trait import Kind, Model, Trait
from segmentry.tables import responses

# English, German, French, Spanish, as answers are compared: without case.
YES, NO = ("yes", "ja", "oui", "sí", "si"), ("no", "nein", "non")
_NOT_ASKED = "not asked, or not answered"
_POINTS = "points from 0 to 10"
_WRITTEN = ("responses.answer or events.text",)
_NO_THEME = "no text that is about any theme"


def _asked(
    name: str, kind: Kind, description: str, unit: str = "", *, null_means: str = _NOT_ASKED, member: str = ""
) -> Trait:
    pii = responses["answer"].pii
    return Trait(name, Model.NEEDS, kind, description, unit, ("responses.question",), pii, null_means, member)


NEEDS: tuple[Trait, ...] = (
    _asked(
        "benefit_of_*",
        "number",
        "How much a benefit is wanted (MaxDiff): times chosen as best less times as worst, over times shown.",
        "share from -1 to 1",
        member="How much '{}' is wanted (MaxDiff): times chosen as best less times as worst, over times shown.",
    ),
    _asked("main_benefit", "category", "The benefit that is wanted most (MaxDiff)."),
    _asked(
        "importance_of_*",
        "number",
        "How important a need is, by the latest answer; every scale is brought to 0 to 10.",
        _POINTS,
        member="How important '{}' is, from 0 to 10.",
    ),
    _asked(
        "satisfaction_with_*",
        "number",
        "How satisfied somebody is with how a need is met; every scale is brought to 0 to 10.",
        _POINTS,
        member="How satisfied somebody is with '{}', from 0 to 10.",
    ),
    _asked(
        "opportunity_in_*",
        "number",
        "Importance of a need, plus what satisfaction with it falls short of that (Ulwick 2002).",
        "points from 0 to 20",
        member="Importance of '{}', plus what satisfaction with it falls short of that (Ulwick 2002).",
    ),
    _asked("nps", "number", "How likely somebody is to recommend us (Reichheld 2003).", _POINTS),
    _asked("nps_group", "category", "promoter (9 and 10), passive (7 and 8) or detractor (0 to 6)."),
    _asked("csat", "number", "How satisfied somebody is over all (CSAT); every scale is brought to 0 to 10.", _POINTS),
    _asked(
        "ces",
        "number",
        "How easy it was, 10 being the easiest (customer effort); every scale is brought to 0 to 10.",
        _POINTS,
    ),
    _asked(
        "chooses_*",
        "boolean",
        "Whether somebody ticked an answer of a question with several, or said yes to an item; a trait for each "
        "frequent answer.",
        member="Whether somebody ticked '{}'.",
    ),
    Trait(
        "texts",
        Model.NEEDS,
        "number",
        "Texts in their own words: answers to open questions, tickets, reviews.",
        "texts",
        _WRITTEN,
        null_means="never null: 0 without texts",
    ),
    Trait(
        "main_theme",
        Model.NEEDS,
        "category",
        "Theme that most of what they wrote is about, by its leading words.",
        needs=_WRITTEN,
        null_means=_NO_THEME,
    ),
    Trait(
        "theme_*",
        Model.NEEDS,
        "number",
        "Share of one theme in what they wrote; a trait for each theme that was found.",
        "share",
        _WRITTEN,
        null_means=_NO_THEME,
        member="Share of the theme '{}' in what they wrote.",
    ),
)
