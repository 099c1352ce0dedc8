"""Which currency a workspace's money is in, where the files say so."""

from __future__ import annotations

import json
from collections.abc import Sequence

from segmentry.columns import Type
from segmentry.data.mapping import quoted
from segmentry.data.number_values import CURRENCY_CODES, CURRENCY_SIGNS
from segmentry.data.profiling import ColumnProfile
from segmentry.data.recognise import SourceProposal
from segmentry.data.vocabulary import words_of
from segmentry.tables import TABLES

_BY_WORD = {
    "usd": "USD", "dollar": "USD", "dollars": "USD", "eur": "EUR", "euro": "EUR", "euros": "EUR", "gbp": "GBP",
    "pound": "GBP", "pounds": "GBP", "sterling": "GBP", "chf": "CHF", "cad": "CAD", "aud": "AUD", "sek": "SEK",
    "nok": "NOK", "dkk": "DKK", "pln": "PLN", "jpy": "JPY", "inr": "INR", "brl": "BRL",
}  # fmt: skip


# What a column of codes beside the amounts is called.
_CALLED = frozenset(
    {"currency", "currencies", "curr", "ccy", "iso4217", "wahrung", "devise", "monnaie", "moneda", "divisa", "valuta"}
)


def currency_of(sources: Sequence[SourceProposal]) -> str:
    """The ISO 4217 code that names and values of money columns, and columns of codes beside them, agree on.

    Empty where they are silent or disagree.
    """
    said: set[str] = set()
    for source in sources:
        money = _money_of(source)
        for name in money:
            said |= {_BY_WORD[word] for word in words_of(name) if word in _BY_WORD}
            values = source.table[name].values
            for sign, code in CURRENCY_SIGNS.items():
                if values and sum(1 for v in values if sign in v) >= 0.5 * len(values):
                    said.add(code)
        if money:
            said |= {code for column in source.table.columns for code in _codes_in(column)}
    return next(iter(said)) if len(said) == 1 else ""


def mixed_currencies(source: SourceProposal) -> tuple[str, ...]:
    """What a person should know of a source whose amounts are in several currencies: they are added as they stand."""
    if not _money_of(source):
        return ()
    return tuple(
        f"{column.name} names {len(codes)} currencies ({', '.join(codes[:5])}{' ...' if len(codes) > 5 else ''}): "
        "amounts are not converted, so they would be added as if they were one. Export them in one currency, or keep "
        f"the rows of one with set_aside: {{in another currency: {condition}}}"
        for column in source.table.columns
        if len(codes := _codes_in(column)) > 1
        for condition in [json.dumps(f"{quoted(column.name)} <> '{codes[0]}'")]
    )


def _money_of(source: SourceProposal) -> set[str]:
    """The columns of a file that hold money."""
    mapped = {
        name
        for target, found in source.columns.items()
        if source.kind is not None and TABLES[source.kind][target].type is Type.MONEY
        for name in found.uses
    }
    return mapped | {a.source for a in source.attributes if a.unit.startswith("currency")}


def _codes_in(column: ColumnProfile) -> tuple[str, ...]:
    """The ISO 4217 codes of a column that is called a currency, the most frequent first; none where it holds others."""
    if not _CALLED & set(words_of(column.name)) or not column.levels:
        return ()
    codes = tuple(dict.fromkeys(value.strip().upper() for value in column.levels))
    return codes if CURRENCY_CODES.issuperset(codes) else ()
