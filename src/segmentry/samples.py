"""What segmentations are learned on: the sample drawn from the traits, and the anonymous one that may leave.

:class:`Samples` works where the customers are; :class:`SampleFile` is all that an analyst needs who may not see them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from segmentry import config, engine, segment, traits
from segmentry.catalogue import Trait
from segmentry.config import FILE_NAME, Config
from segmentry.data import margins, privacy
from segmentry.data.deidentifying import Change, Deidentified, Demands, deidentify
from segmentry.data.privacy import Drawn
from segmentry.describing import base_of
from segmentry.engine import Session, Writer
from segmentry.errors import ConfigError, DataError, FitError, did_you_mean
from segmentry.placement import exact
from segmentry.segment import Learning, bias
from segmentry.segmentation import KEYS, TRAIT_TABLES, Segmentation, keys_of
from segmentry.state import Run
from segmentry.stats import raking, sampling, stability
from segmentry.stats.raking import Raked
from segmentry.stats.sampling import Floats
from segmentry.target import assignment, naming, profiles
from segmentry.target.profiles import SegmentationSummary

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
_METADATA = b"segmentry"
_OF_A_ROW = ("pseudonym", "weight", "market_weight", "stratum")
_ROWS_PER_VARIABLE = 100
_FAR = 0.1  # Austin 2009: standardised differences from here on are worth a look
_TOLD = 12
_COST_SEGMENTS = 4  # of the k-means that tells what anonymity costs, where segmentry.yaml names no number


@dataclass(frozen=True)
class Samples:
    """The samples of one run of the traits. ``progress`` is told of steps done and steps in all."""

    session: Session
    run: Run
    wanted: Config

    def drawn(self, unit: str, population: str | None, variables: int = 0) -> Drawn:
        """The sample of a population: as many rows as segmentry.yaml says, and 100 for each of so many variables."""
        found, specs = self._base(unit), self._specs(unit)
        settings = self.wanted.sample
        return privacy.draw(
            self._table(unit),
            specs,
            by=privacy.strata_of(settings.by, specs, found["value_trait"]),
            size=max(settings.size, _ROWS_PER_VARIABLE * variables),
            seed=settings.seed,
            population=population,
        )

    def learning(self, name: str, settings: config.Segmentation, drawn: Drawn) -> Learning:
        """What a segmentation is learned from where the customers are: exact values, no ids.

        Raises :class:`ConfigError` where the config asks for margins of the market and there are none.
        """
        specs = self._specs(settings.unit)
        weights = drawn.weights
        if self.wanted.sample.weights == "market":
            raked, notes = self._raked(drawn.rows, weights)
            if raked is None:
                raise ConfigError(
                    f"{FILE_NAME} sample.weights: market asks for margins of the population.",
                    why=" ".join(notes) or "There are no market data with a population by cell.",
                    fix="Add a source of the kind market, or take the line out: base.",
                )
            weights = raked.weights
        return _learning(name, settings, drawn.rows, specs, weights, self.wanted, {})

    def write(self, writer: Writer, of: str | None, key: bytes, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Write the table ``sample``, anonymous, of the population of a segmentation (None: all customers).

        Gives what is known of it: strata, comparison with the base, margins of the market, the statement of the risk
        and what anonymity costs a fit.
        """
        settings = self.wanted.segmentations[of] if of else None
        unit, population = (settings.unit, settings.population) if settings else ("customer", None)
        specs = self._specs(unit)
        drawn = self.drawn(unit, population, segment.variables_named(settings, specs) if settings else 0)
        if drawn.rows.empty:
            raise FitError("There is nobody to draw a sample from.", why=f"The population is: {population or 'all'}.")
        progress(1, 4)
        asked = self.wanted.sample
        demands = Demands(asked.k_anonymity, asked.l_diversity, asked.suppress)
        made = deidentify(drawn, list(specs.values()), demands, key)
        progress(2, 4)
        exactly = drawn.rows.iloc[made.kept].reset_index(drop=True)
        raked, notes = self._raked(exactly, made.weights)
        differences = self._differences(unit, population, exactly, made.weights)
        progress(3, 4)
        writer.write("sample", _as_table(made, None if raked is None else raked.weights))
        cost = self._cost(of, drawn, made, unit)
        progress(4, 4)
        far = [d for d in differences if d["smd"] is not None and abs(d["smd"]) >= _FAR]
        return {
            "unit": unit,
            "of": of or "",
            "population": population or "",
            "base": drawn.base,
            "rows_drawn": len(drawn.rows),
            "by": list(privacy.strata_of(asked.by, specs, self._base(unit)["value_trait"])),
            "strata": [asdict(s) for s in drawn.strata],
            "design_effect": exact(sampling.design_effect(made.weights)),
            "compared": len(differences),
            "far": len(far),
            "differences": differences[:_TOLD],
            "market": None if raked is None else _told(raked),
            "notes": notes,
            "statement": made.statement.to_json(),
            "cost": cost,
            "traits": [traits.to_json(s) for s in made.specs],
            "value_trait": self._base(unit)["value_trait"],
        }

    def _base(self, unit: str) -> Mapping[str, Any]:
        return base_of(self.run, unit)

    def _specs(self, unit: str) -> dict[str, Trait]:
        return {t.name: t for t in traits.from_json(self._base(unit)["traits"])}

    def _table(self, unit: str) -> ir.Table:
        return self.session.table("traits", TRAIT_TABLES[unit])

    def _raked(self, rows: pd.DataFrame, weights: Floats) -> tuple[Raked | None, list[str]]:
        """Weights that agree with the margins of the market, where it has some."""
        if not self.run.rows.get("penetration"):
            return None, []
        cells = self.session.table("traits", "penetration").to_pyarrow().to_pylist()
        found, notes = margins.margins(cells, rows)
        return (raking.rake(weights, found) if found else None), notes

    def _differences(
        self, unit: str, population: str | None, rows: pd.DataFrame, weights: Floats
    ) -> list[dict[str, Any]]:
        """Standardised mean differences of the sample from the base, the largest first."""
        table = self._table(unit)
        specs = [s for s in self._specs(unit).values() if s.name in rows.columns]
        everybody = privacy.within(table, population).select(keys_of(table)[0], segment=ibis.literal("all"))
        effects = profiles.effects(everybody, table, specs, self._base(unit)["largest"])
        found = []
        for e in effects:
            if e.segment != profiles.BASE or e.mean is None:
                continue
            column = rows[e.trait] if e.level is None else (rows[e.trait] == e.level).where(rows[e.trait].notna())
            values = column.to_numpy(dtype="float64", na_value=float("nan"))
            known = np.isfinite(values)
            smd = sampling.difference(values[known], weights[known], e.mean, e.sd or 0.0)
            if smd is not None:
                found.append({"trait": e.trait, "level": e.level, "base": exact(e.mean), "smd": exact(smd)})
        return sorted(found, key=lambda d: (-abs(d["smd"]), d["trait"], d["level"] or ""))

    def _cost(self, of: str | None, drawn: Drawn, made: Deidentified, unit: str) -> dict[str, Any]:
        """How differently k-means learned on the anonymous rows places customers: agreement (adjusted Rand index), by
        their exact values, with k-means learned on the rows as drawn."""
        schemes = self.wanted.segmentations
        candidates = [schemes[of]] if of else [s for s in schemes.values() if s.unit == unit]
        first = next((s for s in candidates if isinstance(s, config.KMeans)), None)
        settings = first or config.KMeans(method="kmeans", unit="account" if unit == "account" else "customer")
        number = _COST_SEGMENTS if settings.segments == "auto" else settings.segments
        settings = settings.model_copy(update={"segments": number, "population": None})
        specs = self._specs(unit)
        less = {s.name: s for s in made.specs}
        stuck = not_applicable(made.statement.changes)
        exactly = _learning("cost", settings, drawn.rows, specs, drawn.weights, self.wanted, {})
        coarse = _learning("cost", settings, made.rows, less, made.weights, self.wanted, stuck)
        try:
            rules = [segment.fit("cost", settings, one) for one in (exactly, coarse)]
        except FitError as error:
            return {"agreement": None, "why": str(error), "traits": list(settings.traits), "segments": number}
        a, b = (rule.assign(drawn.rows[[n for n, _ in rule.traits]])["segment"].to_numpy(str) for rule in rules)
        agreement = stability.adjusted_rand(_numbered(a), _numbered(b))
        return {
            "agreement": exact(float(agreement)),
            "traits": [n for n, _ in rules[0].traits],
            "traits_anonymous": [n for n, _ in rules[1].traits],
            "segments": number,
        }


@dataclass(frozen=True)
class SampleFile:
    """An anonymous sample as a file: its rows, and what is known of it (see :meth:`Samples.write`)."""

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

    def learning(self, name: str, settings: config.Segmentation, wanted: Config) -> Learning:
        """What a segmentation is learned from without the customers.

        Raises :class:`FitError` where the sample is of another unit or population.
        """
        theirs = (self.facts["unit"], self.facts["population"])
        if theirs != (settings.unit, settings.population or ""):
            raise FitError(
                f"{self.where} is a sample of {theirs[0]}s{f', where {theirs[1]}' if theirs[1] else ''}; {name} is of "
                f"{settings.unit}s{f', where {settings.population}' if settings.population else ''}.",
                fix=f"Ask for one of its population: `segmentry sample {name} --out FILE`.",
            )
        column = "market_weight" if wanted.sample.weights == "market" else "weight"
        weights = self.rows[column].to_numpy("float64")
        if not (weights > 0).all():
            raise ConfigError(
                f"{FILE_NAME} sample.weights: {self.where} has no weights of the market.", fix="Use base."
            )
        stuck = not_applicable([Change(**c) for c in self.facts["statement"]["changes"]])
        return _learning(name, settings, self.rows[list(self.specs)], self.specs, weights, wanted, stuck)

    def summary(self, fitted: Segmentation) -> SegmentationSummary:
        """The segments as the sample shows them: sizes are those of the base that the rows stand for."""
        with _studied(self, fitted.unit) as (table, specs, largest, scale):
            worth = self.facts["value_trait"] if self.facts["value_trait"] in specs else None
            placed = assignment.memberships(fitted, table)
            sizes, effects = profiles.profile(placed, table, list(specs.values()), largest, worth)
            cells = profiles.cells(placed, table, largest, worth)
        for size in [*sizes.values(), *cells]:
            size["customers"] = round(size["customers"] * scale)
            size["value"] = None if size["value"] is None else size["value"] * scale
        return profiles.summarise(
            fitted,
            {"sizes": sizes, "cells": cells, "missing": []},
            effects,
            as_of=self.as_of,
            total=sum(s["customers"] for s in sizes.values()),
            value_trait=worth,
            before=None,
        )

    def fitted(
        self, name: str, settings: config.Segmentation, wanted: Config, version: int, book: Mapping[str, Any]
    ) -> Segmentation:
        """Learn a segmentation on the sample alone."""
        learning = self.learning(name, settings, wanted)
        found = segment.fit(name, settings, learning, version=version, as_of=self.as_of)
        with _studied(self, found.unit) as (table, specs, largest, _):
            found = with_names(found, table, specs, largest, book)
        found = bias.with_report(found, learning)
        return replace(found, report={**found.report, "sample": self.where})


def write_file(table: pa.Table, facts: Mapping[str, Any], as_of: date, path: Path) -> None:
    """Write the table ``sample`` as Parquet, with what is known of it; :class:`DataError` for another ending."""
    if path.suffix != ".parquet":
        raise DataError(f"{path}: a sample is written as Parquet, which keeps types.", fix="End the name in .parquet.")
    kept = {k: v for k, v in facts.items() if k not in ("sql", "engine")}
    told = json.dumps({"format": FORMAT, "as_of": as_of.isoformat(), **kept}, sort_keys=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({_METADATA: told.encode()}), path)


def with_names(
    fitted: Segmentation,
    table: ir.Table,
    specs: Mapping[str, Trait],
    largest: Mapping[str, float | None],
    book: Mapping[str, Any],
    keep: Callable[[ir.Table], ir.Table] = lambda rows: rows,
) -> Segmentation:
    """The segmentation with names and texts for its segments, from what sets them apart in a table of traits.

    ``keep`` materialises the placement where that pays.
    """
    placed = keep(assignment.memberships(fitted, table).select(KEYS[fitted.unit][0], "segment"))
    worth = segment.value_trait_of(list(specs))
    told = [s for s in specs.values() if s.name in dict(fitted.traits) or s.name == worth]
    effects = profiles.effects(placed, table, told, largest)
    return naming.with_texts(fitted, effects, book, found=fitted.method in segment.FIND_SEGMENTS)


def adopted(text: str, name: str, known: Sequence[Trait], version: int, *, where: str) -> Segmentation:
    """A segmentation that was fitted elsewhere, as the next version of one of this workspace.

    Raises :class:`ArtefactError` when it was changed by hand, :class:`DataError` when it is another one or reads a
    trait that is not here.
    """
    found = Segmentation.from_json(text, where=where)
    if found.name != name:
        raise DataError(f"{where} is the segmentation {found.name}, not {name}.", fix=f"`segmentry fit {found.name}`.")
    kinds = {t.name: t.kind for t in known}
    for trait, kind in found.traits:
        if kinds.get(trait) != kind:
            raise DataError(
                f"{where} reads the trait {trait}, which is not here.",
                why=did_you_mean(trait, kinds),
                fix="`segmentry show traits` lists those there are.",
            )
    return replace(found, version=version)


def not_applicable(changes: Sequence[Change]) -> dict[str, str]:
    """By trait that was made coarser in a way that the base is not, why it may not form segments."""
    return {
        c.trait: f"was {c.done} in the sample, and a rule learned on that cannot be applied to the values of the base"
        for c in changes
        if not c.applies
    }


def _learning(
    name: str,
    settings: config.Segmentation,
    rows: pd.DataFrame,
    specs: Mapping[str, Trait],
    weights: Floats,
    wanted: Config,
    stuck: Mapping[str, str],
) -> Learning:
    where = f"{FILE_NAME} segmentations.{name}"
    seen = bias.watched(settings, bias.protected(wanted.bias, specs), where=where)
    return Learning(
        rows,
        specs,
        where=where,
        seed=wanted.sample.seed,
        weights=weights,
        barred={**stuck, **bias.barred(seen)},
        watched=seen,
    )


def _as_table(made: Deidentified, market: Floats | None) -> ir.Table:
    rows = made.rows.copy()
    taken = [c for c in _OF_A_ROW if c in rows.columns]
    if taken:
        raise ConfigError(
            f"{FILE_NAME} traits.{taken[0]}: the table sample has a column of this name.", fix="Rename it."
        )
    rows.insert(0, "pseudonym", list(made.pseudonyms))
    rows.insert(1, "weight", made.weights)
    rows.insert(2, "market_weight", None if market is None else market)
    rows.insert(3, "stratum", list(made.stratum))
    types = {"number": "float64", "category": "string", "boolean": "boolean"}
    schema = {"pseudonym": "string", "weight": "float64", "market_weight": "float64", "stratum": "string"}
    return ibis.memtable(rows, schema=ibis.schema(schema | {s.name: types[s.kind] for s in made.specs}))


@contextmanager
def _studied(
    file: SampleFile, unit: str
) -> Iterator[tuple[ir.Table, dict[str, Trait], dict[str, float | None], float]]:
    """The sample as a table of traits in which every row counts the same, the traits, the largest value of each number,
    and how many units of the base a row stands for."""
    weights = file.rows["weight"].to_numpy("float64")
    rows = file.table.take(pa.array(sampling.self_weighting(weights, len(weights))))
    key, name = KEYS[unit]
    columns = {key: pa.array(range(len(weights))), name: rows.column("pseudonym")}
    specs = file.specs
    with engine.in_memory() as con:
        table = con.create_table("traits", pa.table({**columns, **{n: rows.column(n) for n in specs}}))
        largest = profiles.largest_values(table, list(specs.values()))
        found = con.to_pyarrow(table.agg(**largest)).to_pylist()[0] if largest else {}
        yield table, specs, found, float(weights.sum()) / len(weights)


def _told(raked: Raked) -> dict[str, Any]:
    """What raking came to, as plain values."""
    found = asdict(raked)
    del found["weights"]
    return {**found, "verdict": raked.verdict}


def _numbered(labels: Any) -> Any:
    return np.unique(labels, return_inverse=True)[1]
