"""Technographic traits of accounts: which technologies they run, how many, and how early they take up what is new.

A record lists technologies in one text. It is brought to one form, ";crm;web shop;", in which the engine looks for
each; the frequent ones are found among the different lists.
"""

from __future__ import annotations

from collections import Counter

import ibis.expr.types as ir

from segmentry.catalogue import ACCOUNT_TRAITS
from segmentry.traits.behavioral import FREQUENT, chosen_members
from segmentry.traits.firmographic import counts, normalised
from segmentry.traits.known import KEY, Known, Part, column, levels

_BETWEEN = ";"


def of_accounts(known: Known) -> Part:
    """The technographic traits of accounts; ``known`` has them as its customers."""
    accounts = known.accounts
    assert accounts is not None
    filled = counts(accounts, [name for name in ("technologies", "adoption_stage") if name in accounts.columns])
    columns: dict[str, ir.Value] = {}
    traits = {}
    if filled.get("technologies"):
        text = listed(accounts["technologies"])
        columns["firm_stack_size"] = _entries(text)
        traits[ACCOUNT_TRAITS["stack_size"]] = column("firm_stack_size")
        found = _frequent(levels(text))
        least = FREQUENT * filled["technologies"]
        for i, (trait, names) in enumerate(chosen_members(known, "technology_*", found, least=least).items()):
            columns[f"firm_technology_{i}"] = _lists(text, names)
            traits[trait] = column(f"firm_technology_{i}")
    if filled.get("adoption_stage"):
        columns["firm_adoption_stage"] = normalised(accounts, "adoption_stage", "adoption_stage")
        traits[ACCOUNT_TRAITS["adoption_stage"]] = column("firm_adoption_stage")
    one = accounts.select("account_key", **columns).rename({KEY: "account_key"})
    return Part(passes=(one,) if columns else (), traits=traits)


def listed(text: ir.StringValue) -> ir.StringValue:
    """A list of names in one form, in small letters with a semicolon before and behind each; null where it has none.

    Names that differ in more than case stay apart.
    """
    plain = text.cast("string").lower().re_replace(r"\s*[,;|\r\n][,;|\s]*", _BETWEEN).strip()
    inner = plain.re_replace("^;|;$", "")
    return (inner == "").ifelse(None, _BETWEEN + inner + _BETWEEN)


def _entries(text: ir.StringValue) -> ir.IntegerValue:
    """How many different names a list has; each stands between two marks."""
    return (text.split(_BETWEEN).unique().length() - 1).cast("int64")


def _frequent(lists: dict[str, int]) -> dict[str, int]:
    """How many accounts list each technology, the most frequent first."""
    counted: Counter[str] = Counter()
    for text, rows in lists.items():
        for name in set(text.strip(_BETWEEN).split(_BETWEEN)):
            counted[name] += rows
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _lists(text: ir.StringValue, names: list[str]) -> ir.BooleanValue:
    """Whether a list has one of the names; null where there is no list."""
    found = (text == "") if not names else text.contains(_BETWEEN + names[0] + _BETWEEN)
    for name in names[1:]:
        found = found | text.contains(_BETWEEN + name + _BETWEEN)
    return found
