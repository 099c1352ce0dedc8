"""What customers look for, and how well they get it."""

from __future__ import annotations

from segmentry.catalogue.trait import Model, Trait

_WRITTEN = ("responses.answer or events.text",)
_NO_THEME = "no text that is about any theme"

NEEDS: tuple[Trait, ...] = (
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
