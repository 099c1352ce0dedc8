"""The bounded sample that segmentations are learned on: drawn by a salted hash of the id, without identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis.expr.types as ir

from segmentry import expressions
from segmentry.engine import sample_order
from segmentry.segmentation import keys_of

if TYPE_CHECKING:
    import pandas as pd


def draw(traits: ir.Table, size: int, seed: int, *, population: str | None = None) -> pd.DataFrame:
    """At most ``size`` units of the population, one row each, in an order that says nothing about them.

    The same seed draws the same customers on every engine (``md5(salt || '|' || id)``, law 6). Keys and ids stay
    behind.
    """
    rows = traits
    if population:
        rows = rows.filter(expressions.parse(population, where="population").condition(rows))
    key, name = keys_of(traits)
    # two columns are sorted, not all traits of the base
    places = rows.select(key, sample_place=sample_order(rows[name], f"sample {seed}"))
    drawn = places.order_by("sample_place").limit(size)
    found = rows.inner_join(drawn, key).order_by("sample_place")
    return found.drop(key, name, "sample_place").to_pandas()
