"""Geographic traits: where customers live, or where their orders go when nobody says where they live."""

from __future__ import annotations

import gettext
import re
import unicodedata
from functools import cache

import ibis
import ibis.expr.types as ir
import pycountry

from segmentry import engine, postcodes
from segmentry.catalogue import TRAITS
from segmentry.traits.known import KEY, Expression, Known, Part, combine, levels, respelt

# Names in everyday use that ISO 3166 and its translations do not have.
_ALIASES = {
    "GB": "uk, great britain, britain, england, scotland, wales, northern ireland",
    "IE": "eire, republic of ireland",
    "NL": "holland",
    "US": "america, us of a, estados unidos, etats unis",
    "AE": "uae, emirates",
    "BA": "bosnia",
    "CD": "dr congo, drc",
    "CI": "ivory coast",
    "CV": "cape verde",
    "DE": "brd, west germany",
    "GR": "el, hellas",
    "KR": "korea, rok",
    "MK": "macedonia",
    "SZ": "swaziland",
    "TR": "turkey",
    "VA": "vatican",
    "XK": "kosovo",  # not in ISO 3166; XK is what the European Commission uses
    "ZA": "rsa",
}
# The languages whose names of countries are understood, beside English.
_LANGUAGES = (
    *("bg", "cs", "da", "de", "el", "es", "et", "fi", "fr", "hr", "hu", "is", "it", "lt", "lv", "nb_NO", "nl"),
    *("pl", "pt", "pt_BR", "ro", "ru", "sk", "sl", "sv", "tr", "uk", "ja", "ko", "zh_CN"),
)
_NOT_A_COUNTRY = {"", "unspecified", "unknown", "none", "null", "nil", "notspecified", "notavailable"}


def traits(known: Known) -> Part:
    """The geographic traits whose data are there."""
    places: dict[str, Expression] = {
        "region": lambda row: row["region"],
        "city": lambda row: row["city"],
    }
    return combine(_country(known), Part(traits=known.chosen(places)), _postal_area(known))


def _country(known: Known) -> Part:
    """The customers' own country, else that of most of their order lines."""
    if not known.ready("country"):
        return Part()
    columns: list[Expression] = []
    without = known.customers
    if known.has("customers.country"):
        codes = _codes_of(known.customers["country"])
        columns.append(lambda row: respelt(row["country"], codes))
        without = without.filter(respelt(without["country"], codes).isnull())
        if known.filled["customers.country"] == known.filled["customers.customer_key"] and all(codes.values()):
            return Part(traits={TRAITS["country"]: columns[0]})
    passes: list[ir.Table] = []
    if known.lines is not None and known.has("transactions.country"):
        lines = known.lines.semi_join(without, KEY) if columns else known.lines
        named = lines.select(KEY, order_country=respelt(lines["country"], _codes_of(known.lines["country"])))
        passes.append(engine.mode(named, KEY, "order_country"))
        columns.append(lambda row: row["order_country"])
    return Part(
        passes=tuple(passes),
        traits={TRAITS["country"]: lambda row: ibis.coalesce(*(column(row) for column in columns))},
    )


def _codes_of(column: ir.StringColumn) -> dict[str, str | None]:
    return {spelling: country_code(spelling) for spelling in levels(column)}


def country_code(spelling: str) -> str | None:
    """The ISO 3166 alpha-2 code of a country; None for words that mean none; other words as they are.

    >>> country_code("Deutschland"), country_code("U.K."), country_code("Unspecified"), country_code("Atlantis")
    ('DE', 'GB', None, 'Atlantis')
    """
    plain = _plain(spelling)
    if plain in _NOT_A_COUNTRY or spelling.strip().casefold() == "n/a":
        return None
    codes = _codes()
    return codes.get(plain) or codes.get(plain.removeprefix("the")) or spelling


@cache
def _codes() -> dict[str, str]:
    """Code by plain spelling: codes and English names first, then everyday names, then other languages."""
    found: dict[str, str] = {}
    countries = list(pycountry.countries)
    for one in countries:
        names = [one.alpha_2, one.alpha_3, one.name, getattr(one, "common_name", ""), getattr(one, "official_name", "")]
        names += [" ".join(reversed(name.split(", "))) for name in names if ", " in name]
        for name in names:
            found.setdefault(_plain(name), one.alpha_2)
    for code, names_of_it in _ALIASES.items():
        for name in names_of_it.split(", "):
            found.setdefault(_plain(name), code)
    for language in _LANGUAGES:
        translation = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True)
        for one in countries:
            found.setdefault(_plain(translation.gettext(one.name)), one.alpha_2)
    found.pop("", None)
    return found


def _plain(text: str) -> str:
    """Letters and digits alone, without case and accents."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKD", text.casefold()))


def _postal_area(known: Known) -> Part:
    """The outward code where postal codes begin with letters (SE1 7AB, K1A 0B1), else the first two digits."""
    if not known.ready("postal_area"):
        return Part()

    def area(row: ir.Table) -> ir.Value:
        code = row["postal_code"]
        space = code.find(" ")
        outward = ibis.cases(
            (space > 0, code.left(space)),
            (code.length() > 4, code.left(code.length() - 3)),  # SE17AB: the inward code always has three characters
            else_=code,
        )
        return code.ascii_str().between(ord("A"), ord("Z")).ifelse(outward, code.left(2))

    return Part(
        shared={"postal_code": lambda row: postcodes.plain(row["postcode"])}, traits={TRAITS["postal_area"]: area}
    )
