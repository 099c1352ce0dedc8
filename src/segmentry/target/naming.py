"""Readable names and one-line meanings for segments that were found in the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from segmentry.placement import figure
from segmentry.segmentation import Segmentation
from segmentry.target import playbooks
from segmentry.target.profiles import TICKED, TraitEffect, distinct

_CLEAR = 0.5  # Cohen 1988: a medium effect
_WORTH_TELLING = 0.2  # of the average: nobody would call a segment big-spending for a tenth more

# (adjective, noun) by trait and side; the first strong trait gives the noun, further ones adjectives.
_WORDS: Mapping[tuple[str, bool], tuple[str, str]] = {
    ("recency_days", False): ("recent", "recent buyers"),
    ("recency_days", True): ("silent", "silent customers"),
    ("frequency", True): ("frequent", "frequent buyers"),
    ("frequency", False): ("occasional", "occasional buyers"),
    ("monetary", True): ("big-spending", "big spenders"),
    ("monetary", False): ("small-spending", "small spenders"),
    ("revenue", True): ("big-spending", "big spenders"),
    ("revenue", False): ("small-spending", "small spenders"),
    ("margin", True): ("profitable", "profitable customers"),
    ("margin", False): ("low-margin", "low-margin customers"),
    ("tenure_days", True): ("long-standing", "long-standing customers"),
    ("tenure_days", False): ("new", "new customers"),
    ("average_order_value", True): ("large-basket", "large-basket buyers"),
    ("average_order_value", False): ("small-basket", "small-basket buyers"),
    ("items_per_order", True): ("bulk-buying", "bulk buyers"),
    ("items_per_order", False): ("few-item", "few-item buyers"),
    ("days_between_orders", True): ("slow-rhythm", "slow-rhythm buyers"),
    ("days_between_orders", False): ("fast-rhythm", "fast-rhythm buyers"),
    ("return_rate", True): ("returning-goods", "customers who return goods"),
    ("return_rate", False): ("keeping-goods", "customers who keep goods"),
    ("discount_share", True): ("discount-seeking", "bargain hunters"),
    ("discount_share", False): ("full-price", "full-price buyers"),
    ("products_bought", True): ("broad-range", "broad-range buyers"),
    ("products_bought", False): ("narrow-range", "narrow-range buyers"),
    ("income", True): ("high-income", "high-income customers"),
    ("income", False): ("low-income", "low-income customers"),
    ("age", True): ("older", "older customers"),
    ("age", False): ("younger", "younger customers"),
    ("children", True): ("family", "families"),
    ("children", False): ("childless", "households without children"),
    ("value", True): ("valuable", "valuable customers"),
    ("value", False): ("low-value", "low-value customers"),
}
_YES, _NO = {"yes", "true", "y", "1"}, {"no", "false", "n", "0"}  # answers to a question that the trait names
_WITH, _WANT, _BENEFIT = "customers with ", "customers who want ", "benefit_of_"
_VALUE = {"monetary", "margin", "value"}
# Parts of column names that say "amount of" or "number of" and nothing about the customer.
_EMPTY_WORDS = {"mnt", "amt", "amount", "num", "number", "nbr", "cnt", "count", "qty", "of", "total", "pct"}


def names_for(effects: Sequence[TraitEffect], segments: Sequence[str], units: str = "customers") -> dict[str, str]:
    """A distinct readable name for each segment (given by its provisional name), from what sets it apart most.

    ``units`` are what the segments are made of: customers or accounts.
    """
    names: dict[str, str] = {}
    for segment in segments:
        ranked = _ranked(effects, segment)
        candidates = [_name([*ranked[:1], e]) for e in ranked[1:]] or [_name(ranked)]
        candidates = [name.replace("customers", units).replace("Customers", units.capitalize()) for name in candidates]
        free = [name for name in candidates if name not in names.values()]
        name, number = (free or candidates)[0], 2
        while name in names.values():
            name, number = f"{(free or candidates)[0]} ({number})", number + 1
        names[segment] = name
    return names


def meaning_for(effects: Sequence[TraitEffect], segment: str) -> str:
    """One line about who they are: the traits that set the segment apart, with figures."""
    ranked = _ranked(effects, segment)[:3]
    if not ranked:
        return "They are close to the average in everything that was looked at."
    return "They stand out by " + ", ".join(_told(e) for e in ranked) + "."


def _ranked(effects: Sequence[TraitEffect], segment: str) -> list[TraitEffect]:
    """Notable effects, strongest first, what they are worth before all; no second trait that tells the same story."""
    mine = [e for e in effects if e.segment == segment and not _hardly_worth_more(e)]
    clear = {e.trait for e in mine if e.trait in _VALUE and abs(e.effect or 0.0) >= _CLEAR}
    return list(distinct(mine, first=clear))


def with_texts(
    fitted: Segmentation, effects: Sequence[TraitEffect], book: Mapping[str, Any], *, found: bool
) -> Segmentation:
    """Readable names for segments that were ``found`` in the data, and for all a meaning and a next action.

    What is made up here comes last: segmentry.yaml and playbooks.yaml say it better.
    """
    names = names_for(effects, fitted.names, f"{fitted.unit}s") if found else {n: n for n in fitted.names}
    texts = {
        names[s.name]: {
            "meaning": meaning_for(effects, s.name) if found else f"By rule: {s.criteria}.",
            "action": playbooks.action_for(
                book, [e for e in effects if e.segment == s.name and not _hardly_worth_more(e)]
            ),
        }
        for s in fitted.segments
    }
    named = tuple(replace(s, name=names[s.name]) for s in fitted.segments)
    return replace(fitted, segments=named, report={**fitted.report, "texts": texts})


def _name(ranked: Sequence[TraitEffect]) -> str:
    if not ranked:
        return "Average customers"
    answers = [answer for e in ranked[:2] if (answer := _answer(e))]
    if len(answers) == len(ranked[:2]):
        name = ", ".join(answers)
    elif len(ranked) == 1:
        name = _words(ranked[0])[1]
    else:
        first, second = (_words(e) for e in ranked[:2])
        known = (ranked[0].trait, (ranked[0].effect or 0.0) > 0) in _WORDS
        same = [p for p in (_WITH, _WANT) if first[1].startswith(p) and second[1].startswith(p)]
        if same:
            name = f"{first[1]} and {second[1].removeprefix(same[0])}"
        else:
            name = f"{first[0]} {second[1]}" if known else f"{second[0]} {first[1]}"
    return name[:1].upper() + name[1:]


def _hardly_worth_more(effect: TraitEffect) -> bool:
    """Whether a segment differs in value on the scale of effects, and hardly on average: money adds up."""
    if effect.trait not in _VALUE or effect.mean is None or not effect.base_mean:
        return False
    return _turned(effect) or abs(effect.mean / effect.base_mean - 1) < _WORTH_TELLING


def _turned(effect: TraitEffect) -> bool:
    """Whether the mean lies on the other side than most members: a few giants turn it around."""
    if effect.mean is None or effect.base_mean is None:
        return False
    return (effect.mean > effect.base_mean) != ((effect.effect or 0.0) > 0)


def _answer(effect: TraitEffect) -> str:
    """What a segment says more often than others, such as "not cheap"; nothing where it is no yes or no."""
    level = (effect.level or ("yes" if effect.kind == "boolean" else "")).casefold()
    if level not in _YES | _NO:
        return ""
    said = (level in _YES) == ((effect.effect or 0.0) > 0)
    return _plain(effect.trait) if said else f"not {_plain(effect.trait)}"


def _words(effect: TraitEffect) -> tuple[str, str]:
    """An adjective and a noun for one effect."""
    high = (effect.effect or 0.0) > 0
    if (effect.trait, high) in _WORDS:
        return _WORDS[effect.trait, high]
    if answer := _answer(effect):
        return answer.replace(" ", "-"), f"customers: {answer}"
    if "_share_" in effect.trait:
        share = effect.trait.split("_share_", 1)[1].replace("_", " ")
        return (f"{share}-leaning", f"{share} buyers") if high else (f"{share}-avoiding", f"buyers without {share}")
    if effect.level is not None:
        return (f"{effect.level}", f"{effect.level} customers") if high else (f"non-{effect.level}", "other customers")
    if effect.trait.startswith(_BENEFIT):
        what = effect.trait.removeprefix(_BENEFIT).replace("_", " ")
        return (
            (f"{what}-seeking", _WANT + what) if high else (f"{what}-indifferent", f"customers indifferent to {what}")
        )
    trait = _plain(effect.trait)
    side = "high" if high else "low"
    return f"{side}-{trait}", f"{_WITH}{side} {trait}"


def _plain(trait: str) -> str:
    """A trait's name without the words that say only that it counts something, or that somebody ticked it."""
    words = [w for w in trait.removeprefix(TICKED).split("_") if w not in _EMPTY_WORDS]
    return " ".join(words) or trait.replace("_", " ")


def _told(effect: TraitEffect) -> str:
    if (answer := _answer(effect)) and effect.mean is not None and effect.base_mean is not None:
        mean, base = effect.mean, effect.base_mean
        if (effect.effect or 0.0) < 0:  # told of those who say the other thing
            mean, base = 1 - mean, 1 - base
        return f"{answer} ({100 * mean:.0f} % against {100 * base:.0f} %)"
    side = "high" if (effect.effect or 0.0) > 0 else "low"
    what = f"{_plain(effect.trait)} ({effect.level})" if effect.level is not None else _plain(effect.trait)
    if effect.mean is None or effect.base_mean is None:
        return f"{side} {what}"
    if _turned(effect):
        return f"mostly {side} {what}"
    if effect.level is not None or effect.kind == "boolean" or effect.unit == "share":
        return f"{side} {what} ({100 * effect.mean:.0f} % against {100 * effect.base_mean:.0f} %)"
    return f"{side} {what} ({figure(effect.mean)} against {figure(effect.base_mean)} on average)"
