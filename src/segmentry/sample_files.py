"""An anonymous sample as a file: all that an analyst needs who may not see the customers.

A segmentation is learned on it, its segments are described as its weighted rows show them, and both are kept with the
fit (:class:`Study`), so that every command that tells of segments works without customers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from segmentry import config as configs
from segmentry import engine, segment, traits
from segmentry.catalogue import Trait
from segmentry.config import FILE_NAME, Config
from segmentry.data.deidentifying import Change
from segmentry.errors import ConfigError, DataError, FitError
from segmentry.samples import learning_of, not_applicable, with_names
from segmentry.segment import Learning, bias
from segmentry.segmentation import KEYS, Segmentation
from segmentry.stats import sampling
from segmentry.target import assignment, profiles
from segmentry.target.profiles import SegmentationSummary, TraitEffect

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
_METADATA = b"segmentry"
# What the file knows of itself that is told beside segments.
_OF_THE_SAMPLE = (
    "unit", "of", "population", "base", "rows_drawn", "by", "strata", "design_effect", "compared", "far",
    "differences", "market", "notes", "statement", "cost",
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """What a sample shows of a segmentation that was learned on it, as plain values that are kept with the fit.

    ``sizes`` and ``cells`` are scaled to the units of the base that the rows stand for; ``fills`` says for which share
    of them each trait is known. ``sample`` is what is known of the sample, ``rows`` of it were learned on.
    """

    file: str
    as_of: date
    rows: int
    sizes: Mapping[str, Any]
    cells: tuple[Mapping[str, Any], ...]
    effects: tuple[TraitEffect, ...]
    traits: tuple[Trait, ...]
    fills: Mapping[str, float]
    value_trait: str | None
    sample: Mapping[str, Any]

    def summary(self, fitted: Segmentation) -> SegmentationSummary:
        """The segmentation as people see it."""
        return profiles.summarise(
            fitted,
            {"sizes": self.sizes, "cells": list(self.cells), "missing": []},
            self.effects,
            as_of=self.as_of,
            total=self.customers,
            value_trait=self.value_trait,
            before=None,
        )

    @property
    def customers(self) -> int:
        """Units of the base that the rows stand for."""
        return sum(int(size["customers"]) for size in self.sizes.values())

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        effects, specs = [asdict(e) for e in self.effects], [traits.to_json(t) for t in self.traits]
        return {**vars(self), "as_of": self.as_of.isoformat(), "effects": effects, "traits": specs}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Study:
        """What :meth:`to_json` gave."""
        return cls(
            **{
                **data,
                "as_of": date.fromisoformat(data["as_of"]),
                "cells": tuple(data["cells"]),
                "effects": tuple(TraitEffect(**e) for e in data["effects"]),
                "traits": tuple(traits.from_json(data["traits"])),
            }
        )


@dataclass(frozen=True)
class SampleFile:
    """An anonymous sample as a file: its rows, and what is known of it (:meth:`segmentry.samples.Samples.write`)."""

    table: pa.Table
    facts: Mapping[str, Any]
    where: str

    @classmethod
    def read(cls, path: Path) -> SampleFile:
        """Read a file that :func:`write_file` wrote; :class:`DataError` for any other."""
        if not path.is_file():
            raise DataError(f"{path}: there is no such file.", fix="`segmentry sample --out FILE` writes one.")
        try:
            table = pq.read_table(path)
            facts = json.loads((table.schema.metadata or {})[_METADATA])
        except (pa.ArrowInvalid, KeyError, json.JSONDecodeError) as error:
            raise DataError(
                f"{path} is no sample of Segmentry.",
                why="A sample carries the description of its traits and of how it was made anonymous.",
                fix="`segmentry sample --out FILE` writes one; files with customers are read by `segmentry run`.",
            ) from error
        if facts["format"] != FORMAT:
            raise DataError(f"{path} has format {facts['format']}; this version reads {FORMAT}.", fix="Update.")
        return cls(table, facts, path.name)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows as a data frame."""
        return self.table.to_pandas()

    @property
    def as_of(self) -> date:
        return date.fromisoformat(self.facts["as_of"])

    @property
    def specs(self) -> dict[str, Trait]:
        return {t.name: t for t in traits.from_json(self.facts["traits"])}

    def learning(
        self, name: str, settings: configs.Segmentation, wanted: Config, parts: Mapping[str, Segmentation]
    ) -> Learning:
        """What a segmentation is learned from without the customers; ``parts`` are those that it is made of.

        Raises :class:`FitError` where the sample is of another unit or population.
        """
        theirs, population = (self.facts["unit"], self.facts["population"]), segment.population_of(settings, parts)
        if theirs != (settings.unit, population or ""):
            raise FitError(
                f"{self.where} is a sample of {theirs[0]}s{f', where {theirs[1]}' if theirs[1] else ''}; {name} is of "
                f"{settings.unit}s{f', where {population}' if population else ''}.",
                fix=f"Ask for one of its population: `segmentry sample {name} --out FILE`.",
            )
        column, notes = "weight", list[str]()
        if wanted.sample.weights == "market":
            column, market = "market_weight", self.facts["market"]
            notes = [*self.facts["notes"], *([] if market is None or market["converged"] else [market["verdict"]])]
        weights = self.rows[column].to_numpy("float64")
        if not (weights > 0).all():
            raise ConfigError(
                f"{FILE_NAME} sample.weights: {self.where} has no weights of the market.",
                why=" ".join(notes),
                fix="Use base.",
            )
        stuck = not_applicable([Change(**c) for c in self.facts["statement"]["changes"]])
        rows = self.rows[list(self.specs)]
        made = learning_of(name, settings, rows, self.specs, weights, wanted, stuck)
        return replace(made, objectives=wanted.objectives, parts=parts, notes=tuple(notes))

    def fitted(
        self,
        name: str,
        settings: configs.Segmentation,
        wanted: Config,
        version: int,
        book: Mapping[str, Any],
        parts: Mapping[str, Segmentation],
    ) -> Segmentation:
        """Learn a segmentation on the sample alone."""
        learning = self.learning(name, settings, wanted, parts)
        found = segment.fit(name, settings, learning, version=version, as_of=self.as_of)
        with self._studied(found.unit) as (table, specs, largest, _):
            named = with_names(replace(found, population=""), table, specs, largest, book)
        found = bias.with_report(replace(named, population=found.population), learning)
        return replace(found, report={**found.report, "sample": self.where})

    def study(self, fitted: Segmentation) -> Study:
        """The segments as the sample shows them: sizes are those of the base that the rows stand for."""
        with self._studied(fitted.unit) as (table, specs, largest, scale):
            worth = self.facts["value_trait"] if self.facts["value_trait"] in specs else None
            # all rows are of the population; what says so may have been left out of them
            placed = assignment.memberships(replace(fitted, population=""), table)
            sizes, effects = profiles.profile(placed, table, list(specs.values()), largest, worth)
            cells = profiles.cells(placed, table, largest, worth)
            known = table.agg(**{n: table[n].count() for n in specs}).to_pyarrow().to_pylist()[0]
        for size in [*sizes.values(), *cells]:
            size["customers"] = round(size["customers"] * scale)
            size["value"] = None if size["value"] is None else size["value"] * scale
        rows = self.table.num_rows
        return Study(
            self.where,
            self.as_of,
            rows,
            sizes,
            tuple(cells),
            effects,
            tuple(specs.values()),
            {name: count / rows for name, count in known.items()},
            worth,
            {key: self.facts[key] for key in _OF_THE_SAMPLE},
        )

    @contextmanager
    def _studied(self, unit: str) -> Iterator[tuple[ir.Table, dict[str, Trait], dict[str, float | None], float]]:
        """The sample as a table of traits in which every row counts the same, the traits, the largest value of each
        number, and how many units of the base a row stands for."""
        weights = self.rows["weight"].to_numpy("float64")
        rows = self.table.take(pa.array(sampling.self_weighting(weights, len(weights))))
        key, name = KEYS[unit]
        columns = {key: pa.array(range(len(weights))), name: rows.column("pseudonym")}
        specs = self.specs
        with engine.in_memory() as con:
            table = con.create_table("traits", pa.table({**columns, **{n: rows.column(n) for n in specs}}))
            largest = profiles.largest_values(table, list(specs.values()))
            found = con.to_pyarrow(table.agg(**largest)).to_pylist()[0] if largest else {}
            yield table, specs, found, float(weights.sum()) / len(weights)


def write_file(table: pa.Table, facts: Mapping[str, Any], as_of: date, path: Path) -> None:
    """Write the table ``sample`` as Parquet, with what is known of it; :class:`DataError` for another ending."""
    if path.suffix != ".parquet":
        raise DataError(f"{path}: a sample is written as Parquet, which keeps types.", fix="End the name in .parquet.")
    kept = {k: v for k, v in facts.items() if k not in ("sql", "engine")}
    told = json.dumps({"format": FORMAT, "as_of": as_of.isoformat(), **kept}, sort_keys=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({_METADATA: told.encode()}), path)
