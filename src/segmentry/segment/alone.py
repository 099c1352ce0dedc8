"""The methods on a data frame, without a workspace: ``KMeans(segments="auto").fit(traits)``.

The settings are those of segmentry.yaml; the result is the same frozen segmentation.
"""

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir
import pandas as pd

from segmentry import config, engine, segment
from segmentry.catalogue import Model, Trait
from segmentry.segment.fitting import Learning
from segmentry.segmentation import KEYS, Segmentation

_MOST_ROWS = 500_000  # a sample, not a base: larger ones belong into a workspace


class _Alone:
    """Gives settings a ``fit``."""

    def fit(self, traits: Any, *, name: str = "segmentation", seed: int = 1) -> Segmentation:
        """Learn a segmentation on a table of traits, one row per customer.

        ``traits`` is a pandas or polars data frame, an Arrow table or an Ibis table; of more than 500,000 rows the
        first count. Columns customer_key and customer_id are no traits. Raises :class:`FitError`.
        """
        sample = _frame(traits).drop(columns=[k for keys in KEYS.values() for k in keys], errors="ignore")
        specs = {column: _spec(column, sample[column]) for column in sample.columns}
        settings: Any = self
        return segment.fit(name, settings, Learning(sample, specs, where=name, seed=seed))


class KMeans(config.KMeans, _Alone):
    """Groups of similar customers."""

    method: Any = "kmeans"


class KPrototypes(config.KPrototypes, _Alone):
    """Groups of similar customers by numbers and categories, gaps allowed."""

    method: Any = "kprototypes"


class Mixtures(config.Mixtures, _Alone):
    """Groups of customers as overlapping clouds."""

    method: Any = "mixtures"


class LatentClasses(config.LatentClasses, _Alone):
    """Groups of people who answer alike: categories and yes/no answers. ``traits=["*"]`` means all columns."""

    method: Any = "latent_classes"


class Rfm(config.Rfm, _Alone):
    """Recency, frequency and monetary value: needs recency_days, frequency, monetary."""

    method: Any = "rfm"


class ValueTiers(config.ValueTiers, _Alone):
    """Tiers by the share of value they bring."""

    method: Any = "value_tiers"


class Rules(config.Rules, _Alone):
    """Segments by conditions, in order."""

    method: Any = "rules"


class Bands(config.Bands, _Alone):
    """One trait cut at points set beforehand."""

    method: Any = "bands"


class Trees(config.Trees, _Alone):
    """Groups that differ in a trait as much as readable conditions can make them."""

    method: Any = "trees"


def _frame(traits: Any) -> pd.DataFrame:
    if isinstance(traits, pd.DataFrame):
        return traits.head(_MOST_ROWS)
    if isinstance(traits, ir.Table):
        return traits.limit(_MOST_ROWS).to_pandas()
    with engine.in_memory() as con:
        return con.to_pandas(con.create_table("traits", traits).limit(_MOST_ROWS))


def _spec(name: str, values: pd.Series) -> Trait:
    # a column of yes, no and gaps is an object to pandas
    if pd.api.types.is_bool_dtype(values) or pd.api.types.infer_dtype(values, skipna=True) == "boolean":
        return Trait(name, Model.BEHAVIORAL, "boolean", name)
    if pd.api.types.is_numeric_dtype(values):
        return Trait(name, Model.BEHAVIORAL, "number", name)
    return Trait(name, Model.BEHAVIORAL, "category", name)
