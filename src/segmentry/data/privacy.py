"""The bounded sample that segmentations are learned on: drawn in groups by a salted hash of the id, with weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import numpy as np

from segmentry import expressions
from segmentry.catalogue import Trait
from segmentry.config import FILE_NAME
from segmentry.engine import sample_order
from segmentry.errors import ConfigError, did_you_mean
from segmentry.placement import exact
from segmentry.segmentation import keys_of
from segmentry.stats import sampling
from segmentry.stats.sampling import Floats

if TYPE_CHECKING:
    import pandas as pd

EVERYBODY = "all"
_PILOT = 5_000  # units on which the groups of a trait are found
_SHARES = (0.5, 0.8, 0.95)  # of the units: where the groups of a number end; the best few are the smallest group
_LEVELS = 8  # of a category that are groups of their own
_MOST_STRATA = 300  # more would leave a handful in each
_UNKNOWN, _OTHER = "not known", "other"
_HEX = 12  # digits of a hash that are compared: 16^12 is beyond any base


@dataclass(frozen=True)
class Stratum:
    """A group that is drawn from on its own: what it is, how many there are and how many were drawn."""

    name: str
    base: int
    drawn: int


@dataclass(frozen=True)
class Drawn:
    """A sample. ``rows`` has a column per trait and neither keys nor ids, which are in ``ids``; ``weights`` say how
    many units of the base a row stands for, ``stratum`` which group of the traits ``by`` each was drawn from."""

    rows: pd.DataFrame
    ids: Sequence[str]
    weights: Floats
    stratum: Sequence[str]
    strata: tuple[Stratum, ...]
    by: tuple[str, ...] = ()

    @property
    def base(self) -> int:
        """Units that were drawn from."""
        return sum(s.base for s in self.strata)


def strata_of(by: Sequence[str], specs: Mapping[str, Trait], value_trait: str | None) -> tuple[str, ...]:
    """The traits whose groups are drawn from, as ``sample.by`` means them; ``auto`` is the value trait, if any.

    Raises :class:`ConfigError` for a trait that is not there.
    """
    found: list[str] = []
    for name in by:
        if name == "auto":
            found += [value_trait] if value_trait else []
        elif name in specs:
            found.append(name)
        else:
            raise ConfigError(
                f"{FILE_NAME} sample.by: there is no trait '{name}'.",
                why=did_you_mean(name, specs),
                fix="`segmentry show traits` lists them; `by: []` draws from all alike.",
            )
    return tuple(dict.fromkeys(found))


def draw(
    traits: ir.Table,
    specs: Mapping[str, Trait],
    *,
    by: Sequence[str] = (),
    size: int = 50_000,
    seed: int = 1,
    population: str | None = None,
    where: str = "population",
) -> Drawn:
    """About ``size`` units of the population, in an order that says nothing about them.

    Of every group of the traits ``by`` a number is drawn on its own, small groups more than in proportion (power
    allocation, :func:`sampling.allocate`). The same seed draws the same units on every engine: those of the lowest
    ``md5(salt || '|' || id)`` (law 6). Where there are no more than ``size``, all are taken.
    """
    rows = within(traits, population, where)
    key, name = keys_of(traits)
    place = sample_order(rows[name], f"sample {seed}")
    label = _label(rows, place, by, specs)
    marked = rows.select(key, sample_place=place, sample_stratum=label)
    counted = marked.group_by("sample_stratum").agg(units=marked.count()).to_pyarrow().to_pylist()
    sizes = {r["sample_stratum"]: int(r["units"]) for r in sorted(counted, key=lambda r: r["sample_stratum"])}
    if len(sizes) > _MOST_STRATA:
        raise ConfigError(
            f"{FILE_NAME} sample.by: {', '.join(by)} make {len(sizes)} groups.",
            why=f"At most {_MOST_STRATA} can be drawn from, so that each has enough.",
            fix="Name fewer traits.",
        )
    quotas = dict(zip(sizes, sampling.allocate(list(sizes.values()), size).tolist(), strict=True))
    chosen = _lowest(marked, sizes, quotas)
    found = rows.inner_join(chosen, key).order_by("sample_place").to_pandas()
    # by its own count, not the planned one: then the weights add up to the base whatever was drawn
    drawn = {s: int((found["sample_stratum"] == s).sum()) for s in sizes}
    strata = tuple(Stratum(s, sizes[s], drawn[s]) for s in sizes)
    each = found["sample_stratum"].map({s.name: s.base / max(s.drawn, 1) for s in strata})
    return Drawn(
        found.drop(columns=[key, name, "sample_place", "sample_stratum"]),
        found[name].astype(str).tolist(),
        each.to_numpy(np.float64),
        found["sample_stratum"].tolist(),
        strata,
        tuple(by),
    )


def within(traits: ir.Table, population: str | None, where: str = "population") -> ir.Table:
    """The units of a population, all of them where it is not limited; ``where`` it stands, for errors."""
    if not population:
        return traits
    return traits.filter(expressions.parse(population, where=where).condition(traits))


def _lowest(marked: ir.Table, sizes: Mapping[str, int], quotas: Mapping[str, int]) -> ir.Table:
    """The units of the lowest hash in every stratum.

    Only those below a hash that its number stays under with certainty for all purposes (six standard deviations) are
    sorted, not the base.
    """
    if all(quotas[s] == sizes[s] for s in sizes):
        return marked

    def below(stratum: str) -> str:
        wanted = quotas[stratum]
        share = (wanted + 6 * wanted**0.5 + 10) / sizes[stratum]
        return f"{int(share * 16**_HEX):0{_HEX}x}" if share < 1 else "g"  # after every hexadecimal digit

    limit = ibis.cases(*((marked["sample_stratum"] == s, below(s)) for s in sizes))
    near = marked.filter(marked["sample_place"] < limit)
    order = ibis.row_number().over(group_by="sample_stratum", order_by="sample_place")
    numbered = near.mutate(sample_number=order)
    quota = ibis.cases(*((numbered["sample_stratum"] == s, quotas[s]) for s in sizes))
    return numbered.filter(numbered["sample_number"] < quota).drop("sample_number")


def _label(rows: ir.Table, place: ir.StringValue, by: Sequence[str], specs: Mapping[str, Trait]) -> ir.StringValue:
    """The name of the group that a unit is in."""
    if not by:
        return ibis.literal(EVERYBODY)
    pilot = rows.select(*by, sample_place=place).order_by("sample_place").limit(_PILOT).to_pandas()
    parts = [_group(rows[name], specs[name], pilot[name]) for name in by]
    label = parts[0]
    for part in parts[1:]:
        label = label + ", " + part
    return label


def _group(column: Any, spec: Trait, pilot: pd.Series) -> ir.StringValue:
    """The group of one trait in words; groups are found on a pilot, so that the base need not be sorted."""
    if spec.kind == "boolean":
        yes, no = f"{spec.name}", f"not {spec.name}"
        return ibis.cases((column.isnull(), f"{spec.name} {_UNKNOWN}"), (column, yes), else_=no)
    if spec.kind == "category":
        counts = pilot.dropna().astype(str).value_counts().sort_index().sort_values(ascending=False, kind="stable")
        known = ibis.cases(
            *((column == level, f"{spec.name} {level}") for level in counts.index[:_LEVELS]),
            else_=f"{spec.name} {_OTHER}",
        )
        return column.isnull().ifelse(f"{spec.name} {_UNKNOWN}", known)
    number = column.cast("float64")
    values = pilot.to_numpy(dtype=np.float64, na_value=np.nan)
    values = values[np.isfinite(values)]
    cuts = sorted({exact(float(q)) for q in np.quantile(values, _SHARES, method="inverted_cdf")}) if len(values) else []
    ends = [(number > cut, f"{spec.name} above {cut:g}") for cut in reversed(cuts)]
    least = f"{spec.name} up to {cuts[0]:g}" if cuts else f"{spec.name} known"
    return ibis.cases((number.isnull() | number.isnan(), f"{spec.name} {_UNKNOWN}"), *ends, else_=least)
