"""Where customers are."""

from __future__ import annotations

from dataclasses import replace

from segmentry.catalogue.trait import Model, Trait, same
from segmentry.tables import customers

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
)
