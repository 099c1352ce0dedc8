"""Where customers are."""

from __future__ import annotations

from dataclasses import replace

from segmentry.catalogue.trait import Model, Trait, same
from segmentry.tables import customers

_TO_STORES = ("customers.latitude", "customers.longitude", "stores.latitude", "stores.longitude")

GEOGRAPHIC = (
    replace(
        same(
            "country",
            Model.GEOGRAPHIC,
            "Country, as ISO 3166 code where the spelling is known; else that of most orders.",
        ),
        needs=("customers.country or transactions.country",),
    ),
    same("region", Model.GEOGRAPHIC),
    same("city", Model.GEOGRAPHIC),
    Trait(
        "postal_area",
        Model.GEOGRAPHIC,
        "category",
        "First part of the postal code: outward code (SE1), or the first two digits.",
        needs=("customers.postcode",),
        pii=customers["postcode"].pii,
    ),
    same("latitude", Model.GEOGRAPHIC, "Latitude; null where it is none (over 90 degrees, or 0 with longitude 0)."),
    same("longitude", Model.GEOGRAPHIC, "Longitude; like latitude."),
    Trait(
        "time_zone",
        Model.GEOGRAPHIC,
        "category",
        "IANA time zone of nearly everybody in the country; of the USA, Canada and Australia that of the state.",
        needs=("customers.country or transactions.country",),
        pii=customers["region"].pii,
        null_means="no country, or one of several zones in which the state does not tell",
    ),
    Trait(
        "area_type",
        Model.GEOGRAPHIC,
        "category",
        "urban, suburban or rural: as the source says, else by density (Eurostat, degree of urbanisation: from 1,500 "
        "and from 300 inhabitants a square kilometre).",
        needs=("customers.area_type or customers.density",),
    ),
    same("density", Model.GEOGRAPHIC),
    Trait(
        "nearest_store",
        Model.GEOGRAPHIC,
        "category",
        "Code of the nearest store that is open on that day.",
        needs=_TO_STORES,
        pii=customers["latitude"].pii,
    ),
    Trait(
        "nearest_store_km",
        Model.GEOGRAPHIC,
        "number",
        "Distance to the nearest store that is open on that day, as the crow flies.",
        "km",
        _TO_STORES,
        customers["latitude"].pii,
    ),
)
