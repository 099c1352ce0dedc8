"""Which currency a workspace's money is in, where the files say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from segmentry.columns import Type
from segmentry.data.number_values import CURRENCY_SIGNS
from segmentry.data.recognise import SourceProposal
from segmentry.data.vocabulary import words_of
from segmentry.tables import TABLES

_BY_WORD = {
    "usd": "USD", "dollar": "USD", "dollars": "USD", "eur": "EUR", "euro": "EUR", "euros": "EUR", "gbp": "GBP",
    "pound": "GBP", "pounds": "GBP", "sterling": "GBP", "chf": "CHF", "cad": "CAD", "aud": "AUD", "sek": "SEK",
    "nok": "NOK", "dkk": "DKK", "pln": "PLN", "jpy": "JPY", "inr": "INR", "brl": "BRL",
}  # fmt: skip


def currency_of(sources: Sequence[SourceProposal]) -> str:
    """The ISO 4217 code that names or values of money columns agree on; empty where they are silent or disagree."""
    said: Counter[str] = Counter()
    for source in sources:
        money = {
            name
            for target, found in source.columns.items()
            if source.kind is not None and TABLES[source.kind][target].type is Type.MONEY
            for name in found.uses
        }
        money |= {a.source for a in source.attributes if a.unit.startswith("currency")}
        for name in money:
            for word in words_of(name):
                if word in _BY_WORD:
                    said[_BY_WORD[word]] += 1
            values = source.table[name].values
            for sign, code in CURRENCY_SIGNS.items():
                if values and sum(1 for v in values if sign in v) >= 0.5 * len(values):
                    said[code] += 1
    return next(iter(said)) if len(said) == 1 else ""
