"""Geographic traits: where customers live, or where their orders go when nobody says where they live."""

from __future__ import annotations

import gettext
import re
import unicodedata
from functools import cache
from typing import Any

import ibis
import ibis.expr.types as ir
import pycountry

from segmentry import engine, postcodes
from segmentry.catalogue import TRAITS, Trait
from segmentry.texts import vocabularies
from segmentry.traits import whereabouts
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
    named: dict[str, Expression] = {
        "region": lambda row: row["region"],
        "city": lambda row: row["city"],
    }
    country = _country(known)
    return combine(
        country, _time_zone(known, country), Part(traits=known.chosen(named)), _postal_area(known), _area(known),
        _places(known),
    )  # fmt: skip


def _time_zone(known: Known, country: Part) -> Part:
    """The time zone of a country, or of a state where the country has several."""
    if TRAITS["country"] not in country.traits:
        return Part()
    code = country.traits[TRAITS["country"]]
    states = levels(known.customers["region"]) if known.has("customers.region") else {}

    def zone(row: ir.Table) -> ir.Value:
        at = code(row)
        cases = [(at == one, name) for one, name in whereabouts.zones().items()]
        for wide in ("US", "CA", "AU"):
            of_states = [(s, z) for s in states if (z := whereabouts.zone_of_state(wide, s))]
            if of_states:
                cases.append((at == wide, row["region"].cases(*of_states, else_=ibis.null("string"))))
        return ibis.cases(*cases, else_=ibis.null("string"))

    return Part(traits={TRAITS["time_zone"]: zone})


def _area(known: Known) -> Part:
    """City or country, as stated or by the density of population."""
    if not known.ready("area_type"):
        return Part()
    found: list[Expression] = []
    if known.has("customers.area_type"):
        said = vocabularies.meanings("area_type", levels(known.customers["area_type"]))
        found.append(lambda row: respelt(row["area_type"], said))
    if known.has("customers.density"):
        found.append(lambda row: whereabouts.area_type_of(row["density"]))
    expressions: dict[str, Expression] = {
        "area_type": lambda row: ibis.coalesce(*(one(row) for one in found)),
        "density": lambda row: row["density"].cast("float64"),
    }
    return Part(traits=known.chosen(expressions))


def _places(known: Known) -> Part:
    """Coordinates, and the store that is nearest to them."""
    if not (known.has("customers.latitude") and known.has("customers.longitude")):
        return Part()

    def right(row: ir.Table) -> ir.BooleanValue:
        lat, lon = row["latitude"].cast("float64"), row["longitude"].cast("float64")
        nowhere = (lat == 0) & (lon == 0)  # what a failed geocoding leaves
        return lat.between(-90, 90) & lon.between(-180, 180) & ~nowhere

    def degrees(name: str) -> Expression:
        return lambda row: right(row).ifelse(row[name].cast("float64"), None)

    expressions: dict[Trait, Expression] = {TRAITS[name]: degrees(name) for name in ("latitude", "longitude")}
    stores = _open_stores(known)
    if not stores:
        return Part(traits=expressions)
    row = known.customers
    points = row.filter(right(row)).select(KEY, **{n: row[n].cast("float64") for n in ("latitude", "longitude")})
    near = whereabouts.nearest(points, KEY, stores).rename(store_near="nearest_store", store_km="nearest_store_km")
    expressions |= {
        TRAITS["nearest_store"]: lambda row: row["store_near"],
        TRAITS["nearest_store_km"]: lambda row: row["store_km"],
    }
    return Part(passes=(near,), traits=expressions)


def _open_stores(known: Known) -> list[dict[str, Any]]:
    """Code and coordinates of the stores that are open on the day; of a code that comes twice the newest record."""
    rows = known.stores
    if rows is None or not {"latitude", "longitude"} <= set(rows.columns):
        return []
    day = ibis.literal(known.as_of)
    there = rows.filter(rows["latitude"].between(-90, 90) & rows["longitude"].between(-180, 180))
    if "opened_on" in rows.columns:
        there = there.filter(there["opened_on"].isnull() | (there["opened_on"] <= day))
    if "closed_on" in rows.columns:
        there = there.filter(there["closed_on"].isnull() | (there["closed_on"] >= day))
    order = [c for c in ("known_from", "file", "line") if c in rows.columns]
    wanted = there.select("store", *order, **{n: there[n].cast("float64") for n in ("latitude", "longitude")})
    found = {
        s["store"]: s for s in wanted.order_by([*order, "store", "latitude", "longitude"]).to_pyarrow().to_pylist()
    }
    return [found[code] for code in sorted(found)]


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
        # PostgreSQL has no semi join; who is without has one row.
        lines = known.lines.join(without.select(there=KEY), [(KEY, "there")]) if columns else known.lines
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
