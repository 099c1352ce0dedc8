"""Typical texts of each theme, as they may be shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segmentry.catalogue import member
from segmentry.texts import HIDDEN, masked
from segmentry.traits.known import Known
from segmentry.traits.themes.learning import LEAST_CUSTOMERS, NAME, SAMPLE, Written, names_among, sample
from segmentry.traits.themes.model import Theme, ThemeModel
from segmentry.traits.themes.said import said

_QUOTES = 3
_SHORTEST, _LONGEST = 15, 240  # characters of a quote
_SHOWN = re.compile(r"[^\W\d_]+")
_MAINLY = 0.5  # of a text that must be about the theme


@dataclass(frozen=True)
class ThemeSummary:
    """A theme as people see it: ``share`` of the texts and how many ``customers`` of a sample of texts mostly write of
    it, and up to three typical texts with everything masked that could name somebody."""

    theme: Theme
    share: float
    customers: int
    quotes: tuple[str, ...]

    @property
    def trait(self) -> str:
        """The name of its trait."""
        return member("theme_*", self.theme.label).name

    def to_dict(self) -> dict[str, object]:
        return {
            "theme": self.theme.label,
            "trait": self.trait,
            "language": self.theme.language,
            "words": list(self.theme.words),
            "share": round(self.share, 4),
            "customers": self.customers,
            "quotes": list(self.quotes),
        }


def summaries(known: Known, seed: int) -> tuple[ThemeSummary, ...]:
    """The themes, those most written about first, on a sample of the texts that are known at ``as_of``."""
    texts = said(known)
    if NAME not in known.learned or texts is None:
        return ()
    model = ThemeModel.from_json(known.learned[NAME])
    written = sample(known, texts.filter(texts["kind"].isin(list(model.kinds))), SAMPLE, seed)
    amounts = model.amounts([w.text for w in written], [w.kind for w in written], [w.spoken for w in written])
    hidden = _hidden_words(known, written)
    times = np.array([w.times for w in written], dtype=np.float64)
    about = amounts.argmax(axis=1)
    some = amounts.sum(axis=1) > 0
    made = []
    for k, theme in enumerate(model.themes):
        of = np.flatnonzero(some & (about == k))
        customers = len({written[i].customer for i in of})
        mine = [written[i] for i in of if amounts[i, k] >= _MAINLY]
        quotes = _typical(mine, theme, hidden) if customers >= LEAST_CUSTOMERS else ()
        made.append(ThemeSummary(theme, float(times[of].sum() / max(times[some].sum(), 1)), customers, quotes))
    return tuple(sorted(made, key=lambda s: -s.share))


def _typical(written: Sequence[Written], theme: Theme, hidden: frozenset[str]) -> tuple[str, ...]:
    """Up to three texts of different people that hide the least and have the most words of the theme."""
    shown = []
    for each in written:
        quote = _SHOWN.sub(lambda m: HIDDEN if m[0].casefold() in hidden else m[0], masked(each.text, each.names))
        quote = " ".join(quote.split())
        if _SHORTEST <= len(quote) <= _LONGEST:
            told = len(set(theme.words).intersection(_words(each.text)))
            shown.append((quote.count(HIDDEN), -told, len(quote), quote, each.customer))
    chosen: dict[int, str] = {}
    for *_, quote, customer in sorted(shown):
        if customer not in chosen and quote not in chosen.values() and len(chosen) < _QUOTES:
            chosen[customer] = quote
    return tuple(chosen.values())


def _hidden_words(known: Known, written: Sequence[Written]) -> frozenset[str]:
    """Words that fewer than five customers use, and customers' names: nobody else's stand in what is shown."""
    users: dict[str, set[int]] = {}
    most: Counter[str] = Counter()
    for each in written:
        for word in _words(each.text):
            users.setdefault(word, set()).add(each.customer)
            most[word] = max(most[word], each.customers)
    rare = {word for word, who in users.items() if max(len(who), most[word]) < LEAST_CUSTOMERS}
    texts = {word: len(who) for word, who in users.items() if word not in rare}
    return frozenset(rare | names_among(known, {word: word for word in texts}, texts, len(written)))


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _SHOWN.findall(text)}
