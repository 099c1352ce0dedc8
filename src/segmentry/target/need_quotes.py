"""What customers of a segment wrote about a need, as it may be shown.

A text is about a need when it has the last word of its name that says anything, whatever its ending: 'warranty' of
'Long warranty', 'sustainable' of 'Sustainable products'. Names, addresses and numbers are masked, and so is every word
that fewer than five customers use.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from segmentry.target.unmet_needs import EVERYBODY, FEWEST, UnmetNeed
from segmentry.texts import HIDDEN, masked

_QUOTES = 2
_MOST_HIDDEN = 3  # places; a text with more says little
_WORD = re.compile(r"[^\W\d_]+")
_LEAST_LETTERS = 4  # of a word that tells what a need is
_SAY_NOTHING = re.compile(
    "products?|services?|goods|things|shop|store|produkte?|dienste?|produits?|productos?|servicios?"
)


@dataclass(frozen=True)
class Said:
    """A text with its customer: segment, products bought, names, and how likely the customer is to recommend us."""

    customer: int
    text: str
    segment: str | None
    products: frozenset[str]
    names: frozenset[str]
    nps: float | None = None


def with_quotes(needs: Sequence[UnmetNeed], said: Sequence[Said]) -> tuple[UnmetNeed, ...]:
    """The needs with up to two texts about each, of different customers.

    Groups of which no figures are shown get no texts either.
    """
    words = {each: {w.casefold() for w in _WORD.findall(each.text)} for each in said}
    rare = _rare(words)
    about = {need: _about(need, words) for need in dict.fromkeys(n.need for n in needs)}
    made = []
    for need in needs:
        mine = [s for s in about[need.need] if _within(s, need)] if need.n is not None else []
        enough = len({s.customer for s in mine}) >= FEWEST
        made.append(replace(need, quotes=_shown(mine, rare) if enough else ()))
    return tuple(made)


def _within(said: Said, need: UnmetNeed) -> bool:
    return need.segment in (EVERYBODY, said.segment) and (not need.product or need.product in said.products)


def _about(need: str, words: Mapping[Said, Collection[str]]) -> list[Said]:
    told = [w for w in _WORD.findall(need.casefold()) if len(w) >= _LEAST_LETTERS and not _SAY_NOTHING.fullmatch(w)]
    if not told:
        return []
    stem = told[-1][:-1] if len(told[-1]) > _LEAST_LETTERS else told[-1]
    return [said for said, own in words.items() if any(word.startswith(stem) for word in own)]


def _rare(words: Mapping[Said, Iterable[str]]) -> frozenset[str]:
    users: dict[str, set[int]] = {}
    for said, own in words.items():
        for word in own:
            users.setdefault(word, set()).add(said.customer)
    return frozenset(word for word, who in users.items() if len(who) < FEWEST)


def _shown(said: Sequence[Said], rare: Collection[str]) -> tuple[str, ...]:
    """The texts as they may be shown: those that hide the least, the least content of them."""
    shown = []
    for each in said:
        text = _WORD.sub(lambda m: HIDDEN if m[0].casefold() in rare else m[0], masked(each.text, each.names))
        text = " ".join(text.split())
        if text.count(HIDDEN) <= _MOST_HIDDEN:
            content = 11.0 if each.nps is None else each.nps
            shown.append((text.count(HIDDEN), content, len(text), text, each.customer))
    chosen: dict[int, str] = {}
    for *_, text, customer in sorted(shown):
        if customer not in chosen and text not in chosen.values() and len(chosen) < _QUOTES:
            chosen[customer] = text
    return tuple(chosen.values())
