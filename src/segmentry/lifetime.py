"""Customer lifetime value without a workspace: ``sg.lifetime``.

The models take arrays, or columns of any data frame:

>>> import segmentry as sg
>>> weeks = sg.lifetime.BetaGeo(r=0.2426, alpha=4.4135, a=0.7929, b=2.4258)
>>> weeks.conditional_purchases(39, [2], [30.43], [38.86]).round(2)
array([1.23])

See :mod:`segmentry.stats.lifetime` for the models, their papers, and the road from purchases to values.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from segmentry.errors import UsageError, did_you_mean
from segmentry.stats.lifetime import *  # noqa: F403
from segmentry.stats.lifetime.summary import Grain, Summary, summarise


def summarise_table(
    purchases: Any,
    *,
    customer: str,
    time: str,
    amount: str | None = None,
    grain: Grain = "day",
    calibration_end: dt.date | str | None = None,
    observation_end: dt.date | str | None = None,
) -> Summary:
    """:func:`summarise` for a table of purchases: pandas, polars, Arrow or Ibis.

    Args:
        purchases: one row per purchase or line. customer, time, amount: names of its columns.
        grain, calibration_end, observation_end: as for :func:`summarise`; times with a zone count in UTC.
    """
    wanted = [name for name in (customer, time, amount) if name is not None]
    table = _arrow(purchases, wanted)
    names, codes = _coded(table[customer])
    times = table[time].combine_chunks()
    if pa.types.is_temporal(times.type):
        times = times.cast(pa.timestamp("us"), safe=False)
    paid = None if amount is None else table[amount].cast(pa.float64()).to_numpy()
    made = summarise(
        codes,
        times.to_numpy(zero_copy_only=False),
        paid,
        grain=grain,
        calibration_end=calibration_end,
        observation_end=observation_end,
    )
    return dataclasses.replace(made, customer=names[made.customer.astype(np.int64)])


def _arrow(purchases: Any, wanted: list[str]) -> pa.Table:
    """The columns as an Arrow table, whatever they came in."""
    columns = list(purchases.column_names if isinstance(purchases, pa.Table) else purchases.columns)
    for name in wanted:
        if name not in columns:
            raise UsageError(f"There is no column {name!r}.", fix=did_you_mean(name, map(str, columns)))
    if isinstance(purchases, pa.Table):
        return purchases.select(wanted)
    return pa.table(purchases[wanted])  # all of them speak Arrow's stream protocol


def _coded(ids: pa.ChunkedArray) -> tuple[Any, Any]:
    """The distinct ids, ascending, and for each row which it has, NaN if none. Texts are hashed, not sorted, by row."""
    if not (pa.types.is_integer(ids.type) or pa.types.is_floating(ids.type)):
        ids = ids.cast(pa.large_string())
    encoded = ids.combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order))
    if pa.types.is_large_string(ids.type):
        rank[np.asarray(pc.equal(encoded.dictionary, ""))] = np.nan
    place = encoded.indices.to_numpy(zero_copy_only=False).astype(np.float64)
    codes = np.full(len(place), np.nan)
    known = ~np.isnan(place)
    codes[known] = rank[place[known].astype(np.int64)]
    return encoded.dictionary.take(pa.array(order)).to_numpy(zero_copy_only=False), codes
