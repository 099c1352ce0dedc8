"""Every built-in trait, by model.

Nothing is computed here: ``traits/<model>.py`` computes what ``catalogue/<model>.py`` declares. A trait whose data the
workspace lacks is absent, never a column of nulls.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain
from typing import Any

from segmentry.catalogue import firmographic, technographic
from segmentry.catalogue.behavioral import BEHAVIORAL
from segmentry.catalogue.demographic import DEMOGRAPHIC
from segmentry.catalogue.firmographic import FIRMOGRAPHIC
from segmentry.catalogue.geographic import GEOGRAPHIC
from segmentry.catalogue.needs import NEEDS
from segmentry.catalogue.psychographic import PSYCHOGRAPHIC
from segmentry.catalogue.technographic import TECHNOGRAPHIC
from segmentry.catalogue.trait import Kind, Model, Trait
from segmentry.catalogue.value import VALUE
from segmentry.columns import Pii

__all__ = [
    "ACCOUNT_TRAITS",
    "FAMILIES",
    "TRAITS",
    "Kind",
    "Model",
    "Trait",
    "declared_as",
    "family_of",
    "from_json",
    "lookup",
    "member",
    "to_json",
]

TRAITS: dict[str, Trait] = {
    t.name: t
    for t in chain(BEHAVIORAL, VALUE, NEEDS, PSYCHOGRAPHIC, TECHNOGRAPHIC, GEOGRAPHIC, DEMOGRAPHIC, FIRMOGRAPHIC)
}
# Traits of accounts; those that they share with customers (RFM, margin, country ...) are among TRAITS.
ACCOUNT_TRAITS: dict[str, Trait] = {t.name: t for t in (*firmographic.OF_ACCOUNTS, *technographic.OF_ACCOUNTS)}
FAMILIES: tuple[Trait, ...] = tuple(t for t in (*TRAITS.values(), *ACCOUNT_TRAITS.values()) if t.is_family)


# Families -------------------------------------------------------------------------------------------------------------

_LONGEST_NAME = 60  # PostgreSQL cuts identifiers at 63 bytes
_DIGEST = 8
_SEPARATORS = " \t\n_-./,;:&|()[]'\"’"


def lookup(name: str) -> Trait | None:
    """The built-in trait of that name, or the member of a family; None when there is none.

    >>> lookup("channel_share_web").description
    "Share of the sale amount in the channel 'web'."
    >>> lookup("frequency").unit, lookup("channel_share_"), lookup("shoe_size")
    ('orders', None, None)
    """
    if name in TRAITS and not TRAITS[name].is_family:
        return TRAITS[name]
    family = family_of(name)
    return family and _member(family, name, name.removeprefix(family.name.removesuffix("*")).replace("_", " "))


def family_of(name: str) -> Trait | None:
    """The family that a trait is a member of, if any.

    >>> family_of("channel_share_web").name, family_of("frequency")
    ('channel_share_*', None)
    """
    for family in FAMILIES:
        prefix = re.escape(family.name.removesuffix("*"))
        if len(name) <= _LONGEST_NAME and re.fullmatch(prefix + "[a-z0-9][a-z0-9_]*", name):
            return family
    return None


def declared_as(name: str) -> str:
    """The name under which the catalogue declares a trait: that of its family for a member, else its own.

    >>> declared_as("clv_365d"), declared_as("clv_to_cac"), declared_as("shoe_size")
    ('clv_*', 'clv_to_cac', 'shoe_size')
    """
    family = None if name in TRAITS or name in ACCOUNT_TRAITS else family_of(name)
    return family.name if family else name


def member(family: str, value: str) -> Trait:
    """The trait of a family for one value of its column.

    The name depends on the value alone, so it means the same next year. Values that differ only in case, accents or
    separators share a name: they are the same thing, spelt twice.

    >>> member("channel_share_*", "Web Shop").name, member("channel_share_*", "WEB-SHOP").name
    ('channel_share_web_shop', 'channel_share_web_shop')
    """
    declared = next(t for t in FAMILIES if t.name == family)
    prefix = family.removesuffix("*")
    return _member(declared, prefix + _slug(value, _LONGEST_NAME - len(prefix)), value)


def _member(family: Trait, name: str, value: str) -> Trait:
    return replace(family, name=name, description=family.member.format(value), member="", value=value)


def _slug(value: str, longest: int) -> str:
    """Letters a to z, digits and _; what cannot be written so, or is too long, gets a digest of the value."""
    plain = unicodedata.normalize("NFKD", value.strip().casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    words = "_".join(re.findall("[a-z0-9]+", plain))
    lost = any(c not in _SEPARATORS and not re.match("[a-z0-9]", c) for c in plain)
    if words and not lost and len(words) <= longest:
        return words
    digest = hashlib.md5(plain.encode(), usedforsecurity=False).hexdigest()[:_DIGEST]
    return f"{words[: longest - _DIGEST - 1]}_{digest}".lstrip("_")


# As data --------------------------------------------------------------------------------------------------------------


def to_json(trait: Trait) -> dict[str, Any]:
    """A trait as plain data; see :func:`from_json`."""
    return {**asdict(trait), "needs": list(trait.needs)}


def from_json(data: Sequence[Mapping[str, Any]]) -> list[Trait]:
    """Traits from what :func:`to_json` made of them.

    >>> from_json([to_json(TRAITS["age"])]) == [TRAITS["age"]]
    True
    """
    return [Trait(**{**d, "model": Model(d["model"]), "needs": tuple(d["needs"]), "pii": Pii(d["pii"])}) for d in data]
