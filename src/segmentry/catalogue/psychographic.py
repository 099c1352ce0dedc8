"""What customers think, value and are interested in, and how they fill in questionnaires."""

from __future__ import annotations

from segmentry.catalogue.trait import Kind, Model, Trait
from segmentry.columns import Pii

_ANSWERS = ("responses.question",)
_FEW = "fewer than five such items answered"


def _style(name: str, kind: Kind, unit: str, description: str) -> Trait:
    return Trait(name, Model.PSYCHOGRAPHIC, kind, description, unit, _ANSWERS, null_means=_FEW)


PSYCHOGRAPHIC: tuple[Trait, ...] = (
    Trait(
        "scale_*",
        Model.PSYCHOGRAPHIC,
        "number",
        "Score on a scale of a survey: the mean of its items, reverse-coded ones turned round; a trait for each scale "
        "under `surveys`.",
        "number of the answer",
        _ANSWERS,
        Pii.SENSITIVE,
        "too few of its items answered",
        "Score on the scale '{}' of a survey.",
    ),
    Trait(
        "factor_*",
        Model.PSYCHOGRAPHIC,
        "number",
        "Score on a factor that was found behind the rating items of a survey without scales; the respondents it was "
        "found in have mean 0 and standard deviation 1.",
        "standard deviations",
        _ANSWERS,
        Pii.SENSITIVE,
        "fewer than half of its items answered",
        "Score on the factor '{}' found in a survey.",
    ),
    _style(
        "acquiescence",
        "number",
        "share",
        "Share of agreeing answers among all statements that were put with steps of agreement, whatever they say: high "
        "where somebody agrees with everything.",
    ),
    _style(
        "extreme_response",
        "number",
        "share",
        "Share of answers at either end of the scale, of all items of rating matrices.",
    ),
    _style(
        "straight_lining",
        "boolean",
        "",
        "Gave the same answer to all items of every rating matrix: the scores of such a respondent say little.",
    ),
    Trait(
        "interest_*",
        Model.PSYCHOGRAPHIC,
        "number",
        "Share of one topic in what a customer looks at, clicks, shares and buys, by days; a trait for each frequent "
        "topic.",
        "share",
        ("events.name",),
        null_means="nothing seen, clicked, shared or bought of a known topic",
        member="Share of '{}' in what a customer looks at, clicks, shares and buys, by days.",
    ),
)
