"""What segmentations are learned on, where the customers are: the sample drawn from the traits, and the anonymous one
that may leave. What is done with that elsewhere is :mod:`segmentry.sample_files`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import numpy as np

from segmentry import config, segment, traits
from segmentry.catalogue import Trait
from segmentry.columns import Pii
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

if TYPE_CHECKING:
    import pandas as pd

_OF_A_ROW = ("pseudonym", "weight", "market_weight", "stratum")
_ROWS_PER_VARIABLE = 100
_FAR = 0.1  # Austin 2009: standardised differences from here on are worth a look
_TOLD = 12
_TOLD_BY_WEIGHTS = frozenset({Pii.DIRECT, Pii.SENSITIVE})  # what rows of an anonymous sample must not tell
_COST_SEGMENTS = 4  # of the k-means that tells what anonymity costs, where segmentry.yaml names no number


@dataclass(frozen=True)
class Samples:
    """The samples of one run of the traits. ``progress`` is told of steps done and steps in all."""

    session: Session
    run: Run
    wanted: Config

    def drawn(
        self,
        unit: str,
        population: str | None,
        variables: int = 0,
        *,
        of: str | None = None,
        but: frozenset[Pii] = frozenset(),
    ) -> Drawn:
        """The sample of a population: as many rows as segmentry.yaml says, and 100 for each of so many variables.

        ``of`` is the segmentation whose population it is, for errors; ``but`` are classes of personal data by whose
        groups is not drawn, whatever segmentry.yaml says.
        """
        found, specs = self._base(unit), self._specs(unit)
        settings = self.wanted.sample
        by = privacy.strata_of(settings.by, specs, found["value_trait"])
        return privacy.draw(
            self._table(unit),
            specs,
            by=[name for name in by if specs[name].pii not in but],
            size=max(settings.size, _ROWS_PER_VARIABLE * variables),
            seed=settings.seed,
            population=population,
            where=f"{FILE_NAME} segmentations.{of}.population",
        )

    def learning(self, name: str, settings: config.Segmentation, drawn: Drawn) -> Learning:
        """What a segmentation is learned from where the customers are: exact values, no ids.

        Raises :class:`ConfigError` where the config asks for margins of the market and there are none.
        """
        specs = self._specs(settings.unit)
        weights, notes = drawn.weights, list[str]()
        if self.wanted.sample.weights == "market":
            raked, notes = self._raked(drawn.rows, weights)
            if raked is None:
                raise ConfigError(
                    f"{FILE_NAME} sample.weights: market asks for margins of the population.",
                    why=" ".join(notes) or "There are no market data with a population by cell.",
                    fix="Add a source of the kind market, or take the line out: base.",
                )
            weights, notes = raked.weights, [*notes, *([] if raked.converged else [raked.verdict])]
        made = learning_of(name, settings, drawn.rows, specs, weights, self.wanted, {})
        return replace(made, notes=tuple(notes))

    def write(self, writer: Writer, of: str | None, key: bytes, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Write the table ``sample``, anonymous, of the population of a segmentation (None: all customers).

        Gives what is known of it: strata, comparison with the base, margins of the market, the statement of the risk
        and what anonymity costs a fit.
        """
        settings = self.wanted.segmentations[of] if of else None
        unit, population = (settings.unit, settings.population) if settings else ("customer", None)
        specs = self._specs(unit)
        variables = segment.variables_named(settings, specs) if settings else 0
        drawn = self.drawn(unit, population, variables, of=of, but=_TOLD_BY_WEIGHTS)
        if drawn.rows.empty:
            raise FitError("There is nobody to draw a sample from.", why=f"The population is: {population or 'all'}.")
        progress(1, 4)
        asked = self.wanted.sample
        demands = Demands(asked.k_anonymity, asked.l_diversity, asked.suppress)
        made = deidentify(drawn, list(specs.values()), demands, key)
        progress(2, 4)
        exactly = drawn.rows.iloc[made.kept].reset_index(drop=True)
        changed = {c.trait: c.done for c in made.statement.changes} | dict.fromkeys(made.statement.dropped, "left out")
        raked, notes = self._raked(exactly, made.weights, changed)
        asked_by = privacy.strata_of(asked.by, specs, self._base(unit)["value_trait"])
        if unused := [name for name in asked_by if name not in drawn.by]:
            notes.append(f"Not drawn by {', '.join(unused)}: the weights of an anonymous sample would tell it.")
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
            "by": list(drawn.by),
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

    def _raked(
        self, rows: pd.DataFrame, weights: Floats, changed: Mapping[str, str] | None = None
    ) -> tuple[Raked | None, list[str]]:
        """Weights that agree with the margins of the market, where it has some, but those of traits ``changed``."""
        if not self.run.rows.get("penetration"):
            return None, []
        cells = self.session.table("traits", "penetration").to_pyarrow().to_pylist()
        found, notes = margins.margins(cells, rows, changed or {})
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
        exactly = learning_of("cost", settings, drawn.rows, specs, drawn.weights, self.wanted, {})
        coarse = learning_of("cost", settings, made.rows, less, made.weights, self.wanted, stuck)
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
        raise DataError(
            f"{where} is the segmentation {found.name}, not {name}.",
            fix=f"Take it by `segmentry fit {found.name} --artefact {where}`.",
        )
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


def learning_of(
    name: str,
    settings: config.Segmentation,
    rows: pd.DataFrame,
    specs: Mapping[str, Trait],
    weights: Floats,
    wanted: Config,
    stuck: Mapping[str, str],
) -> Learning:
    """What a segmentation is learned from; ``stuck`` are traits that may form no segments, each with the reason."""
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


def _told(raked: Raked) -> dict[str, Any]:
    """What raking came to, as plain values."""
    found = asdict(raked)
    del found["weights"]
    return {**found, "verdict": raked.verdict}


def _numbered(labels: Any) -> Any:
    return np.unique(labels, return_inverse=True)[1]
