"""How protected traits and segments go together, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from segmentry.apps import words
from segmentry.segment.bias import NOTABLE
from segmentry.wording import agree

# Cohen 1988: from where an association is weak, moderate, strong.
_ASSOCIATED = (
    (0.5, "go together strongly"),
    (0.3, "go together moderately"),
    (NOTABLE, "go together weakly"),
    (0.0, "hardly go together"),
)
_WORST = 3  # segments of a protected trait that are told


def sentences(report: Mapping[str, Any]) -> list[str]:
    """What a fit found about protected traits, in sentences."""
    found = [line for one in report.get("bias", ()) for line in _protected(one, "the segments", "It forms them")]
    if not found and "bias" in report:
        return ["No protected trait is known here: nothing can be said about bias."]
    return found


def of_score(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """How protected traits and the tenth with the highest look-alike scores go together, in sentences."""
    said = "being among the best tenth by the score"
    return [line for one in found for line in _protected(one, said, "The score reads it")]


def _protected(one: Mapping[str, Any], what: str, does: str) -> Iterator[str]:
    related = next(said for least, said in _ASSOCIATED if one["v"] >= least)
    allowed = f" {does}, allowed because: {one['allowed']}" if one["allowed"] else ""
    yield f"{one['trait'].replace('_', ' ')} and {what} {related} (Cramér's V {one['v']:.2f}).{allowed}"
    failing = sorted((s for s in one["segments"] if not s["passes"]), key=lambda s: s["ratio"])
    for s in failing[:_WORST]:
        yield (
            f"  {s['segment']}: {words.share(s['low'])} of {s['lowest']} against {words.share(s['high'])} of "
            f"{s['highest']}, less than four fifths."
        )
    if len(failing) > _WORST:
        yield f"  {agree(len(failing) - _WORST, '{n} more [segment|segments]')} below four fifths."
    if one["proxies"]:
        proxies = ", ".join(f"{p['trait']} ({p['v']:.2f})" for p in one["proxies"])
        yield f"  Variables that carry it: {proxies}."
