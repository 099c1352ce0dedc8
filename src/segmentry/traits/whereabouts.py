"""Where on earth: the time zone of a country or state, urban or rural, and the nearest store."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pycountry

from segmentry.stats.sphere import EARTH_KM, near_cells

# Time zones -----------------------------------------------------------------------------------------------------------

# Countries in which no zone is everybody's: there the state tells, or nothing does.
_WIDE = frozenset(("AQ", "AU", "BR", "CA", "CD", "FM", "GL", "ID", "KI", "KZ", "MN", "MX", "PF", "RU", "UM", "US"))
# The zone of nearly everybody, where it is not the first of the zone table.
_MAIN = {"UA": "Europe/Kyiv", "UZ": "Asia/Tashkent"}
# The zone of most people of a state (IANA; some states have two).
_BY_STATE = {
    "US": {
        "America/New_York": "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
        "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
        "America/Denver": "CO ID MT NM UT WY",
        "America/Phoenix": "AZ",
        "America/Los_Angeles": "CA NV OR WA",
        "America/Anchorage": "AK",
        "Pacific/Honolulu": "HI",
    },
    "CA": {
        "America/Toronto": "ON QC NU",
        "America/Winnipeg": "MB",
        "America/Regina": "SK",
        "America/Edmonton": "AB NT",
        "America/Vancouver": "BC",
        "America/Whitehorse": "YT",
        "America/Halifax": "NB NS PE",
        "America/St_Johns": "NL",
    },
    "AU": {
        "Australia/Sydney": "ACT NSW",
        "Australia/Melbourne": "VIC",
        "Australia/Brisbane": "QLD",
        "Australia/Adelaide": "SA",
        "Australia/Darwin": "NT",
        "Australia/Hobart": "TAS",
        "Australia/Perth": "WA",
    },
}


@cache
def zones() -> dict[str, str]:
    """The time zone of each country, as ISO code, in which nearly everybody has the same."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    first: dict[str, str] = {}
    for country, _, zone, *_ in rows:
        first.setdefault(country, zone)
    return {country: _MAIN.get(country, zone) for country, zone in first.items() if country not in _WIDE}


def zone_of_state(country: str, region: str) -> str | None:
    """The time zone of a state of a wide country, by its name or code; None where it is not known.

    >>> zone_of_state("US", "Texas"), zone_of_state("AU", "nsw"), zone_of_state("US", "Ruritania")
    ('America/Chicago', 'Australia/Sydney', None)
    """
    return _states().get((country, region.strip().casefold()))


@cache
def _states() -> dict[tuple[str, str], str]:
    states: dict[str, Any] = {state.code: state for state in pycountry.subdivisions}
    found: dict[tuple[str, str], str] = {}
    for country, by_zone in _BY_STATE.items():
        for zone, codes in by_zone.items():
            for code in codes.split():
                state = states[f"{country}-{code}"]
                found[country, code.casefold()] = found[country, state.name.casefold()] = zone
    return found


# Urban or rural -------------------------------------------------------------------------------------------------------

# Inhabitants per square kilometre: lower bounds of urban centres and of towns (Eurostat, degree of urbanisation 2021).
_URBAN, _TOWN = 1500, 300


def area_type_of(density: ir.NumericValue) -> ir.StringValue:
    """Urban, suburban or rural by the density of population."""
    unknown = (density.isnull() | (density < 0), ibis.null("string"))
    return ibis.cases(unknown, (density >= _URBAN, "urban"), (density >= _TOWN, "suburban"), else_="rural")


# Stores ---------------------------------------------------------------------------------------------------------------


def nearest(points: ir.Table, key: str, stores: Sequence[Mapping[str, Any]]) -> ir.Table:
    """For each of ``points`` (``key``, latitude, longitude) the nearest store and its distance.

    Columns: ``key``, ``nearest_store``, ``nearest_store_km`` (great circle, in kilometres, to the metre); of equally
    near stores the one of the smaller code. The earth is cut into cells of one degree; for each that has points, the
    stores that can be nearest to any place in it are found first, so that a customer is compared with a few stores.
    """
    cell = (points["latitude"].floor() + 90) * 1000 + points["longitude"].floor() + 180  # of a cell's south-west corner
    placed = points.mutate(cell=cell.cast("int64"))
    there = placed.select("cell").distinct().order_by("cell").to_pyarrow()["cell"].to_pylist()
    corners = [(code // 1000 - 90, code % 1000 - 180) for code in there]
    at = np.array([(s["latitude"], s["longitude"]) for s in stores], dtype=np.float64)
    pairs = near_cells(np.array(corners, dtype=np.float64).reshape(-1, 2), at)
    rows = [(there[i], stores[j]["store"], *map(float, at[j])) for i, j in pairs]
    types = {"near_cell": "int64", "store": "string", "store_latitude": "float64", "store_longitude": "float64"}
    close = placed.join(ibis.memtable(rows, schema=ibis.schema(types)), [("cell", "near_cell")])
    far = close.mutate(nearest_store_km=kilometres(
        close["latitude"], close["longitude"], close["store_latitude"], close["store_longitude"]
    ))  # fmt: skip
    rank = ibis.row_number().over(group_by=key, order_by=["nearest_store_km", "store"])
    ranked = far.select(key, "nearest_store_km", nearest_store="store", rank=rank)
    return ranked.filter(ranked["rank"] == 0).drop("rank")


def kilometres(lat: ir.NumericValue, lon: ir.NumericValue, lat2: ir.NumericValue, lon2: ir.NumericValue) -> ir.Value:
    """The distance of two places on the great circle by the haversine formula (Sinnott 1984), to the metre."""

    def radians(degrees: ir.NumericValue) -> ir.FloatingValue:
        return degrees.cast("float64") * (math.pi / 180.0)

    up, along = ((radians(lat2) - radians(lat)) / 2.0).sin(), ((radians(lon2) - radians(lon)) / 2.0).sin()
    half = up * up + radians(lat).cos() * radians(lat2).cos() * along * along
    bounded = ibis.least(half, 1.0)
    return (2.0 * EARTH_KM * bounded.sqrt().asin() * 1000.0 + 0.5).floor() / 1000.0
