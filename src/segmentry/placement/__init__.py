"""The rules that place a customer, and the preparation before them, as data.

Every method fits one of these: :class:`Cascade` (the first condition that holds), :class:`Grid` (cut points give a
cell, cells give segments), :class:`Nearest` (closest centre), :class:`Prototypes` (closest of numbers and categories),
:class:`Mixture` (most probable Gaussian component), :class:`Classes` (most probable given the answers) or
:class:`Crossing` (of two of them). A rule turns a table of traits into a table of placements in three named steps
(prepared, scored, placed), each a plain SELECT, so it runs on any engine (laws 9 and 10), and says for one customer
why, and what would have to change. A new kind of rule is a new file and a line in ``RULES``.

Placements have the columns of the traits' keys and ``segment_index`` (-1 no data, -2 no good fit), ``fit``,
``runner_up_index``, ``margin``, ``score``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from segmentry.errors import ArtefactError
from segmentry.placement.cascade import Cascade
from segmentry.placement.classes import NOT_ANSWERED, Classes, Item, first_of
from segmentry.placement.crossing import Crossing
from segmentry.placement.grid import Band, Grid
from segmentry.placement.mixture import Component, Mixture, component
from segmentry.placement.nearest import Nearest
from segmentry.placement.prep import Prep
from segmentry.placement.prototypes import NO, YES, Category, Prototypes
from segmentry.placement.reasons import BEYOND, Move, Reason, Why, figure, words
from segmentry.placement.rule import NO_DATA, NO_GOOD_FIT, Rule, exact

__all__ = [
    "BEYOND",
    "NO",
    "NOT_ANSWERED",
    "NO_DATA",
    "NO_GOOD_FIT",
    "RULES",
    "YES",
    "Band",
    "Cascade",
    "Category",
    "Classes",
    "Component",
    "Crossing",
    "Grid",
    "Item",
    "Mixture",
    "Move",
    "Nearest",
    "Prep",
    "Prototypes",
    "Reason",
    "Rule",
    "Why",
    "component",
    "exact",
    "figure",
    "first_of",
    "from_json",
    "to_json",
    "words",
]

_ALL: tuple[type[Rule], ...] = (Cascade, Classes, Crossing, Grid, Mixture, Nearest, Prototypes)
RULES: dict[str, type[Rule]] = {rule.__name__: rule for rule in _ALL}


def to_json(rule: Rule) -> dict[str, Any]:
    """The rule as plain JSON values; the rules that one is made of are its ``parts``."""
    made_of = {"parts": [to_json(part) for part in rule.parts]} if isinstance(rule, Crossing) else {}
    return {"kind": type(rule).__name__, **asdict(rule), **made_of}


def from_json(data: Mapping[str, Any]) -> Rule:
    """The rule back from :func:`to_json`; :class:`ArtefactError` when something is missing or not known."""
    kind = RULES.get(data.get("kind", ""))
    if kind is None:
        raise ArtefactError(
            f"The rule kind '{data.get('kind')}' is not known here.",
            why=f"Known: {', '.join(RULES)}.",
            fix="Update Segmentry, or fit the segmentation again.",
        )
    try:
        made_of = {"parts": [from_json(part) for part in data["parts"]]} if kind is Crossing else {}
        return kind.from_json({**{k: v for k, v in data.items() if k != "kind"}, **made_of})
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ArtefactError(
            f"The rule of the segmentation ({kind.__name__}) is damaged: {type(error).__name__} {error}.",
            why="A part of it is missing, or is not what a rule of this kind is made of.",
            fix="Put the file back from a backup, or fit the segmentation again.",
        ) from error
