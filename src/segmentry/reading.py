"""What people see of a workspace, read at one moment from what the stages left.

A :class:`Reading` holds the current runs and a session on their tables. It never writes, and nobody waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir

from segmentry import aiming, artefacts, traits
from segmentry.catalogue import TRAITS, Trait, lookup
from segmentry.columns import Pii, Type
from segmentry.config import FILE_NAME, Config
from segmentry.data import account_identity, collect, feedback, golden, market, masking, quality, quarantine, reconcile
from segmentry.data.consents import known_consents
from segmentry.data.manifest import Manifest
from segmentry.data.plan import Plan, decisions, make_plan
from segmentry.data.plan.coverage import Coverage
from segmentry.data.quality import Checked, TraitHealth
from segmentry.data.reconcile import Reconciliation
from segmentry.describing import base_of, described, units_of
from segmentry.engine import Session
from segmentry.errors import DataError, UsageError, did_you_mean
from segmentry.explanations import Explanation, GoldenField, IdentityExplanation, Link
from segmentry.overview import Concern, DrawnSample, LifetimeReport, Overview, QualityReport, TraitCover
from segmentry.sample_files import Study
from segmentry.segment.objectives import Aim
from segmentry.segmentation import KEYS, TRAIT_TABLES, Segmentation
from segmentry.state import Run
from segmentry.tables import COLLECTABLE, TABLES
from segmentry.target import criteria, future_value, need_quotes, needs_report, profiles, satisfaction, unmet_needs
from segmentry.target.need_quotes import Said
from segmentry.target.needs_report import NeedsReport
from segmentry.target.profiles import SegmentationSummary
from segmentry.target.unmet_needs import Need
from segmentry.texts import names_in
from segmentry.traits import lifetime

if TYPE_CHECKING:
    pass

_CHECKS_SHOWN = 12  # of the past, in the trend


@dataclass(frozen=True)
class Reading:
    """One moment of a workspace: config, current runs by stage, failures to fit, and a session on the tables."""

    root: Path
    config: Config
    session: Session
    current: Mapping[str, Run]
    not_fitted: Mapping[str, str]
    earlier_sizes: Mapping[str, Mapping[str, Any]]  # by segmentation: the sizes of the run at the as-of date before
    checks: Sequence[Run] = ()  # all finished checks, oldest first

    # Tables -----------------------------------------------------------------------------------------------------------

    def run(self, stage: str) -> Run:
        """The current run of a stage; :class:`DataError` says what to do when there is none."""
        found = self.current.get(stage)
        if found is None:
            word, _, name = stage.partition(":")
            why = self.not_fitted.get(name, "")
            raise DataError(
                f"There are no results of `{f'{word} {name}'.strip()}` yet.", why=why, fix="Run `segmentry run`."
            )
        return found

    def table(self, stage: str, name: str) -> ir.Table:
        """A table of a stage."""
        self.run(stage)
        return self.session.table(stage, name)

    def manifest(self) -> Manifest:
        """What has been collected."""
        run = self.current.get("collect")
        return Manifest.from_json(run.facts) if run else Manifest()

    def tables(self) -> list[dict[str, Any]]:
        """Every table there is: name, segmentation where it belongs to one, rows, as-of date."""
        found: list[dict[str, Any]] = []
        for stage, run in self.current.items():
            word, _, name = stage.partition(":")
            for table, rows in run.rows.items():
                if word == "collect" and not rows:
                    continue
                found.append({"table": table, "segmentation": name, "rows": rows, "as_of": run.as_of})
        return found

    def find(self, name: str, segmentation: str | None = None) -> ir.Table:
        """A table by its name; of the given or the primary segmentation where every one has such a table."""
        manifest = self.manifest()
        if name == "quarantine" and (rows := self.quarantined()) is not None:
            return rows.drop(quarantine.ID)
        if name in COLLECTABLE and manifest.parts(name):
            return self.session.parts(manifest.parts(name))
        stages = [s for s, run in self.current.items() if name in run.rows and not s.startswith("collect")]
        chosen = segmentation or self.config.first
        for stage in stages:
            if ":" not in stage or stage.partition(":")[2] == chosen:
                return self.session.table(stage, name)
        allowed = [t["table"] for t in self.tables()]
        raise UsageError(f"There is no table '{name}'.", why=did_you_mean(name, allowed))

    def first(self, name: str, segmentation: str | None, rows: int, *, unmasked: bool = False) -> list[dict[str, Any]]:
        """The first rows of a table, personal values masked unless ``unmasked``."""
        found = list(self.find(name, segmentation).limit(rows).to_pyarrow().to_pylist())
        return found if unmasked else self.masked(name, found)

    def masked(self, name: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Rows of a table as they may be shown to anybody."""
        made = masking.masked_rows(rows, self._classes(name))
        if name != "quarantine":
            return made
        records = [self._masked_record(row) for row in rows]
        return [{**row, "record": record} for row, record in zip(made, records, strict=True)]

    def _classes(self, name: str) -> dict[str, tuple[Pii, Type]]:
        """How personal each column of a table is: by its contract, its attributes, and the traits."""
        kinds = {"number": Type.NUMBER, "boolean": Type.BOOLEAN, "category": Type.CATEGORY}
        classes = {c.name: (c.pii, c.type) for c in TABLES[name].columns} if name in TABLES else {}
        for source in self.config.sources.values():
            if name in (source.kind, "golden_customers"):
                for attribute, spec in source.attributes.items():
                    classes.setdefault(attribute, (spec.pii, kinds[spec.kind]))
        if name in ("traits", "account_traits", "members") and "traits" in self.current:
            base = self.run("traits").facts
            listed = {"account_traits": base.get("accounts", {"traits": []})}.get(name, base)["traits"]
            for trait in traits.from_json(listed):
                classes.setdefault(trait.name, (trait.pii, kinds[trait.kind]))
                classes[f"trait_{trait.name}"] = (trait.pii, kinds[trait.kind])
        if name == "members":
            classes["customer_id"] = (TABLES["memberships"]["customer_id"].pii, Type.ID)
            classes["account_id"] = (TABLES["account_traits"]["account_id"].pii, Type.ID)
        return classes

    def _masked_record(self, row: Mapping[str, Any]) -> str:
        source = self.config.sources.get(row["source"])
        if source is None:
            return masking.HIDDEN
        contract = TABLES[source.kind]
        shown = {column: contract[target].pii for target, column in source.columns.items()}
        shown |= {spec.expression: spec.pii for spec in source.attributes.values()}
        return masking.masked_record(str(row["record"]), {**shown, **source.pii})

    def sql(self, name: str, segmentation: str | None = None) -> str:
        """The SQL that made a table, as it ran."""
        chosen = segmentation or self.config.first
        if name == "memberships" and chosen:
            return self.segmentation(chosen).sql("duckdb")
        for stage, run in self.current.items():
            if name in run.facts.get("sql", {}) and (":" not in stage or stage.partition(":")[2] == chosen):
                return str(run.facts["sql"][name])
        allowed = sorted({t for run in self.current.values() for t in run.facts.get("sql", {})})
        raise UsageError(f"No SQL made a table '{name}'.", why=did_you_mean(name, allowed))

    def _key(self, unit: str, text: str) -> int:
        """The key of a customer or an account by its id."""
        table = _IDENTITIES[unit]
        ids = self.table("resolve", table)
        wanted = text.strip()
        key = f"{unit}_key"
        spelled = ids["id_space"] + ":" + ids["source_id"]
        same = ids.filter((ids[f"{unit}_id"] == wanted) | (ids["source_id"] == wanted) | (spelled == wanted))
        each = same.group_by(key).agg(id_space=same["id_space"].min()).order_by(key)
        rows = self.session.con.to_pyarrow(each.limit(5))
        if rows.num_rows == 0:
            raise DataError(f"There is no {unit} '{text}'.", fix=f"`segmentry show {table}` lists the ids.")
        if rows.num_rows > 1:
            spaces = ", ".join(f"{s}:{wanted}" for s in rows.column("id_space").to_pylist())
            raise DataError(f"Several {unit}s have the id '{text}'.", fix=f"Say which: {spaces}.")
        return int(rows.column(key)[0].as_py())

    def _of(self, unit: str, stage: str, name: str, key: int) -> list[dict[str, Any]]:
        table = self.table(stage, name)
        return list(self.session.con.to_pyarrow(table.filter(table[f"{unit}_key"] == key)).to_pylist())

    # What people see --------------------------------------------------------------------------------------------------

    def segmentation(self, name: str) -> Segmentation:
        """The current version of a segmentation."""
        if name not in self.config.segmentations:
            raise UsageError(
                f"There is no segmentation '{name}' in {FILE_NAME}.",
                why=did_you_mean(name, self.config.segmentations),
            )
        return artefacts.load_segmentation(self.root, self.run(f"fit:{name}"))

    def segmentations(self) -> tuple[str, ...]:
        """Names of the segmentations that have placed everybody, in the order of the config."""
        return tuple(n for n in self.config.segmentations if f"assign:{n}" in self.current)

    def placed(self) -> tuple[str, ...]:
        """Like :meth:`segmentations`; :class:`DataError` when nobody has been placed yet."""
        if not self.segmentations():
            missing = "" if self.config.segmentations else "add a segmentation to segmentry.yaml, then "
            raise DataError("Nobody has been placed in a segment yet.", fix=f"Next: {missing}`segmentry run`.")
        return self.segmentations()

    def summary(self, name: str) -> SegmentationSummary:
        """One segmentation as people see it; by the sample that it was learned on while nobody was placed by it."""
        found, study = self.segmentation(name), self.study(name)
        if study is not None:
            return study.summary(found)
        run, base = self.run(f"assign:{name}"), base_of(self.run("traits"), found.unit)
        return profiles.summarise(
            found,
            run.facts,
            profiles.from_table(self.session.con.to_pyarrow(self.session.table(f"assign:{name}", "profiles"))),
            as_of=run.as_of or date.min,
            total=self.run("traits").rows[TRAIT_TABLES[found.unit]],
            value_trait=base["value_trait"],
            before=self.earlier_sizes.get(name),
        )

    def study(self, name: str) -> Study | None:
        """What a sample shows of a segmentation that was learned on it alone and that has placed nobody yet."""
        fit, placing = self.run(f"fit:{name}"), self.current.get(f"assign:{name}")
        if "study" not in fit.facts or (placing is not None and placing.facts["version"] == fit.facts["version"]):
            return None
        return Study.from_json(fit.facts["study"])

    def criteria(self, name: str) -> tuple[criteria.Checked, ...]:
        """Which segments of a segmentation are worth having, by criteria that the data can answer."""
        found, summary = self.segmentation(name), self.summary(name)
        if self.study(name) is not None:
            return criteria.check(found, summary, None)
        placed = self.table(f"assign:{name}", "memberships")
        people = self.table("resolve", "golden_customers") if "resolve" in self.current else None
        parts, said = self.manifest().parts("consents"), None
        if parts:
            day = self.run("traits").as_of or date.max
            said = known_consents(self.session.parts(parts), self.table("resolve", "identities"), day)
        return criteria.check(found, summary, criteria.reachable(placed, people, said))

    def traits_of(self, unit: str) -> tuple[ir.Table, dict[str, Trait]]:
        """The traits of customers or accounts: the table, and what each is."""
        specs = traits.from_json(base_of(self.run("traits"), unit)["traits"])
        return self.table("traits", TRAIT_TABLES[unit]), {spec.name: spec for spec in specs}

    def quarantined(self) -> ir.Table | None:
        """The records in quarantine with their ids; None where none has ever been there."""
        manifest = self.manifest()
        return quarantine.still_in(self.session, manifest.quarantine_parts(), manifest.repaired_parts())

    def quarantine(self) -> tuple[quarantine.Reason, ...]:
        """What is in quarantine, by source and reason, with masked examples: records, then single values."""
        return quarantine.reasons(self.quarantined(), self.quarantined_values(), self.config)

    def quarantined_values(self) -> ir.Table | None:
        """Births and ages that nobody has; None where no check has looked at any."""
        checked = "check" in self.current and "quarantined_values" in self.run("check").rows
        return self.session.table("check", "quarantined_values") if checked else None

    def export_quarantine(self, path: Path) -> int:
        """Write the records in quarantine to a CSV for correction; gives how many. The file holds personal data."""
        rows = self.quarantined()
        return 0 if rows is None else quarantine.export(rows, path, quarantine.columns_of(rows, self.config, self.root))

    def checked(self) -> Checked:
        """What the current check found, examples included."""
        run = self.run("check")
        rows = self.session.con.to_pyarrow(self.session.table("check", "quality").order_by(["finding", "file", "line"]))
        return Checked.from_json(run.facts).with_examples(rows.to_pylist())

    def quality(self) -> QualityReport:
        """What the current check found, what it means, and how it was before."""
        run, checked, known = self.run("check"), self.checked(), self._declared()
        reads = {n: {t for t, _ in self.segmentation(n).traits} for n in self.segmentations()}
        concerns = []
        for finding in checked.findings:
            named = quality.concerned(finding, known)
            used = tuple(n for n, wanted in reads.items() if wanted & set(named))
            concerns.append(Concern(finding, finding.share, finding.fix, named, used))
        earlier = [Checked.from_json(r.facts) for r in self.checks if r.id < run.id]
        before = {
            **{s.source: s.score for e in earlier[-1:] for s in e.scores},
            **{m: s for e in earlier[-1:] for m, s in quality.model_scores(known, e.scores).items()},
        }
        past = [(r.as_of or date.min, Checked.from_json(r.facts).mean) for r in self.checks if r.id <= run.id]
        return QualityReport(
            run.as_of or date.min,
            tuple(concerns),
            checked.scores,
            quality.model_scores(known, checked.scores),
            before,
            tuple(past[-_CHECKS_SHOWN:]),
            {name: self.rules_of(name) for name in reads},
        )

    def health_of(self, names: Iterable[str], unit: str = "customer") -> tuple[TraitHealth, ...]:
        """What stands behind traits, as :func:`quality.health` tells; nothing where there are no customers."""
        if "traits" not in self.current:
            return ()
        run, manifest, checked = self.run("traits"), self.manifest(), self.checked()
        covers = self.trait_covers(unit)
        specs, rates = {c.trait.name: c.trait for c in covers}, {c.trait.name: c.fill_rate for c in covers}
        last = {e.kind: max(x.last or "" for x in manifest.entries if x.kind == e.kind) for e in manifest.entries}
        differ, day = self.run("resolve").facts.get("disagreements", {}), run.as_of or date.min
        return tuple(quality.health(specs[n], rates[n], checked, last, differ, day) for n in names if n in specs)

    def rules_of(self, name: str) -> tuple[TraitHealth, ...]:
        """What stands behind the rules of a segmentation: of each, the weakest of the traits that it reads."""
        if "traits" not in self.current:
            return ()
        found = self.segmentation(name)
        rules, read = found.rules, dict.fromkeys(t for each in found.rules.values() for t in each)
        behind = {h.trait: h for h in self.health_of(read, found.unit)}
        return tuple(
            quality.rule_health(segment, [behind[t] for t in read if t in behind]) for segment, read in rules.items()
        )

    def _declared(self) -> list[Trait]:
        """The traits that the data allow: those computed, or before that those of the catalogue and the attributes."""
        if "traits" in self.current:
            return traits.from_json(self.current["traits"].facts["traits"])
        return [t for t in TRAITS.values() if not t.is_family]

    def trait_covers(self, unit: str = "customer") -> tuple[TraitCover, ...]:
        """Every trait of customers, or accounts, and its fill rate; of the sample where there are no customers."""
        if "traits" not in self.current and (studies := self._studies()):
            study = next(iter(studies.values()))
            return tuple(TraitCover(t, study.fills[t.name]) for t in study.traits)
        run = self.run("traits")
        base, rows = base_of(run, unit), run.rows[TRAIT_TABLES[unit]]
        specs, evidence = traits.from_json(base["traits"]), base.get("evidence", {})
        fills = {t.name: reconcile.share(base["known"][t.name], rows) for t in specs}
        return tuple(TraitCover(t, fills[t.name], evidence=evidence.get(t.name, {}), of=unit) for t in specs)

    def absent_traits(self) -> tuple[TraitCover, ...]:
        """The traits that segmentry.yaml asks for and that are not there, and why."""
        run, found = self.run("traits"), []
        specs = {d.name: d.trait for d in traits.definitions(self.config.traits, self.config.attributes)}
        for unit in units_of(run):
            told = base_of(run, unit).get("absent", {}).items()
            found += [
                TraitCover(t, 0, w, of=unit) for n, w in told if n not in TRAITS and (t := specs.get(n) or lookup(n))
            ]
        if "accounts" not in run.facts:
            own, why = self.config.traits, "there are no accounts: no source is of the kind accounts"
            found += [TraitCover(specs[n], 0.0, why, of="account") for n in own if own[n].of == "account"]
        return tuple(found)

    def models(self) -> dict[str, traits.Learned]:
        """The models that traits are made of, by name; also those that the data could not support, with the reason."""
        return artefacts.load_learned(self.root, self.run("traits"))

    def lifetime(self) -> LifetimeReport | None:
        """What is known of lifetime value; None where there is nothing to learn it from."""
        run, held = self.run("traits"), self.models().get(lifetime.NAME)
        if held is None:
            return None
        base = LifetimeReport(self.config.currency, run.as_of or date.min, None, held.refused)
        if held.refused:
            return base
        from segmentry.traits.lifetime.learned import LifetimeModels  # noqa: PLC0415  # see traits/lifetime

        models = LifetimeModels.from_dict(held.model)
        trait = f"clv_{models.horizons[0]}d"
        if trait not in run.facts["largest"]:
            return replace(base, models=models)
        placed_in = self.segmentations()
        shown = next((n for n in (self.config.first, *placed_in) if n in placed_in), None)
        placed = self.table(f"assign:{shown}", "memberships") if shown else None
        found = future_value.future_value(self.table("traits", "traits"), trait, run.facts["largest"], placed, shown)
        return replace(base, models=models, future=found)

    def needs(self, name: str | None = None) -> NeedsReport:
        """Benefits, unmet needs and satisfaction, by the segments of a segmentation (the primary one).

        Raises :class:`DataError` when no survey asked for any of it.
        """
        found = self._needs(name)
        if not found.tells:
            raise DataError(
                "No survey says what customers need.",
                why="There are no answers about importance and satisfaction, best and worst, or recommendation.",
                fix="`segmentry plan needs` says what to ask; `surveys` in segmentry.yaml says which question asks it.",
            )
        return found

    def _needs(self, name: str | None = None) -> NeedsReport:
        chosen = name or next((n for n in (self.config.first,) if n in self.segmentations()), None)
        segments = self.segmentation(chosen).names if chosen else ()
        placed = self.table(f"assign:{chosen}", "memberships") if chosen else None
        run, base = self.run("traits"), self.table("traits", "traits")
        specs = traits.from_json(run.facts["traits"])
        rated = [Need(**vars(need)) for need in traits.rated_needs(specs, self.config.surveys)]
        model = self.models().get("benefits")
        needs = unmet_needs.unmet_needs(base, placed, rated, _buyers(specs), segments)
        return NeedsReport(
            run.as_of or date.min,
            chosen or "",
            needs_report.benefits(model.model if model else {}),
            model.refused if model else "",
            need_quotes.with_quotes(needs, self._said(base, placed, specs) if needs else ()),
            satisfaction.scores(base, placed, [spec.name for spec in specs], segments),
            tuple(run.facts.get("notes", ())),
        )

    def _said(self, base: ir.Table, placed: ir.Table | None, specs: Sequence[Trait]) -> list[Said]:
        """A bounded sample of what customers wrote, with their segments, products and names."""
        parts, buyers = self.manifest().parts("responses"), _buyers(specs)
        texts = feedback.texts(self.session.parts(parts), self.run("traits").as_of or date.max) if parts else []
        records = sorted({t.record_key for t in texts})
        ids = self.table("resolve", "identities")
        who = ids.filter(ids["record_key"].isin(records)).select("record_key", "customer_key").distinct()
        person = {row["record_key"]: row["customer_key"] for row in who.to_pyarrow().to_pylist()}
        traits_of = _by_key(base, person.values(), ["nps", *buyers.values()])
        names = _by_key(self.table("resolve", "golden_customers"), person.values(), _NAMES)
        there = _by_key(placed, person.values(), ["segment"]) if placed is not None else {}
        found = []
        for each in texts:
            key = person.get(each.record_key)
            if key in traits_of:
                row, known = traits_of[key], names.get(key, {})
                bought = frozenset(product for product, column in buyers.items() if (row[column] or 0) > 0)
                own = names_in(*(str(value) for value in known.values() if value))
                found.append(Said(key, each.text, there.get(key, {}).get("segment"), bought, own, row.get("nps")))
        return found

    def reconciliations(self) -> tuple[Reconciliation, ...]:
        """Where the rows of every source went."""
        return reconcile.reconcile(self.manifest(), self.run("resolve").facts["customers"])

    def plan(self, *, b2b: bool = False, coverages: Sequence[Coverage] | None = None) -> Plan:
        """The data plan: from ``coverages``, else from what was measured last, else from the config alone."""
        manifest, measured, base = self.manifest(), self.current.get("plan"), self.current.get("traits")
        if coverages is None and measured is not None:
            coverages = [Coverage.from_json(c) for c in measured.facts["coverages"]]
        last = manifest.span()[1]
        resolved = self.current.get("resolve")
        return make_plan(
            self.config,
            coverages,
            decisions.load(self.root),
            as_of=base.as_of if base else datetime.fromisoformat(last).date() if last else None,
            customers=resolved.rows.get("golden_customers") if resolved else manifest.next_key - 1 or None,
            b2b=b2b,
            own=[d.trait for d in traits.definitions(self.config.traits, self.config.attributes)],
            described=described(base) if base else None,
        )

    def known(self) -> market.Known:
        """What a note of market research may speak of."""
        attributes = {name for source in self.config.sources.values() for name in source.attributes}
        made = traits.from_json(self.run("traits").facts["traits"]) if "traits" in self.current else []
        fitted = {n for n in self.config.segmentations if f"fit:{n}" in self.current}
        return market.Known(
            frozenset({*TRAITS, *attributes, *(t.name for t in made)}),
            {n: self.segmentation(n).names if n in fitted else None for n in self.config.segmentations},
            frozenset(self.config.objectives),
        )

    def notes(self) -> tuple[market.Note, ...]:
        """The notes of market research."""
        return market.load(self.root, self.known())

    def aims(self) -> tuple[Aim, ...]:
        """What was learned of the objectives, in the order of segmentry.yaml."""
        return tuple(aiming.of(run) for n in self.config.objectives if (run := self.current.get(f"aim:{n}")))

    def score_sql(self, aim: Aim, dialect: str) -> str:
        """The look-alike score of an objective as SQL over the table of traits."""
        told = base_of(self.run("traits"), aim.unit)["traits"]
        return aim.sql(dialect, {t.name: t.kind for t in traits.from_json(told)})

    def overview(self) -> Overview:
        """Everything a report shows; where there are no customers, what samples show."""
        if "traits" not in self.current and (studies := self._studies()):
            return self._of_samples(studies)
        run, manifest, needs = self.run("traits"), self.manifest(), self._needs()
        first, last = manifest.span()
        base = run.facts
        return Overview(
            name=self.config.name,
            currency=self.config.currency,
            as_of=run.as_of or date.min,
            first_record=datetime.fromisoformat(first).date() if first else None,
            last_record=datetime.fromisoformat(last).date() if last else None,
            customers=run.rows["traits"],
            customers_with_orders=base["known"].get("recency_days"),
            orders=base["orders"],
            revenue=base["revenue"],
            anonymous_share=reconcile.anonymous_share(manifest),
            value_trait=base["value_trait"],
            pareto=tuple((a, b) for a, b in base["pareto"]),
            reconciliations=self.reconciliations(),
            caveats=(
                *reconcile.caveats(manifest, collect.missing_files(manifest, self.root)),
                *market.astray(self.notes(), self.known()),
            ),
            traits=tuple(cover for unit in units_of(run) for cover in self.trait_covers(unit)),
            segmentations=tuple(self.summary(n) for n in self.segmentations()),
            primary=self.config.first,
            not_fitted=tuple(self.not_fitted.items()),
            quality=self.quality() if "check" in self.current else None,
            plan=self.plan(),
            notes=self.notes(),
            lifetime=self.lifetime(),
            needs=needs if needs.tells else None,
            aims=self.aims(),
            criteria={n: self.criteria(n) for n in self.segmentations()},
            sample=DrawnSample(drawn.rows["sample"], drawn.facts) if (drawn := self.current.get("sample")) else None,
        )

    def _studies(self) -> dict[str, Study]:
        """By segmentation, what samples show of those that were learned on them."""
        fitted = (n for n in self.config.segmentations if f"fit:{n}" in self.current)
        return {n: study for n in fitted if (study := self.study(n)) is not None}

    def _of_samples(self, studies: Mapping[str, Study]) -> Overview:
        """What samples show, where nothing else is known."""
        first = studies.get(self.config.first or "", next(iter(studies.values())))
        return Overview(
            name=self.config.name,
            currency=self.config.currency,
            as_of=first.as_of,
            first_record=None,
            last_record=None,
            customers=first.customers,
            customers_with_orders=None,
            orders=None,
            revenue=None,
            anonymous_share=None,
            value_trait=first.value_trait,
            pareto=(),
            reconciliations=(),
            caveats=(),
            traits=self.trait_covers(),
            segmentations=tuple(self.summary(n) for n in studies),
            primary=self.config.first,
            not_fitted=tuple(self.not_fitted.items()),
            notes=self.notes(),
            criteria={n: self.criteria(n) for n in studies},
            sample=DrawnSample(first.rows, first.sample),
            studied=first.file,
        )

    def explain(self, customer: str, name: str) -> Explanation:
        """Why a customer (or an account) is where it is, how close, and what would move it."""
        found = self.segmentation(name)
        unit = found.unit
        key = self._key(unit, customer.removeprefix("account:") if unit == "account" else customer)
        row = next(iter(self._of(unit, "traits", TRAIT_TABLES[unit], key)), None)
        member = next(iter(self._of(unit, f"assign:{name}", "memberships", key)), None)
        if row is None or member is None:
            raise DataError(
                f"{unit.capitalize()} {customer} is not in the population of {name} as of {self.run('traits').as_of}.",
                why=f"Its population is: {found.population or 'everybody known by then'}.",
            )
        _, why = found.explain(row)
        there = found.segment(str(member["segment"]))
        stays = self._of(unit, f"assign:{name}", "membership_history", key)
        return Explanation(
            customer_id=str(row[f"{unit}_id"]),
            segmentation=name,
            segment=there.name,
            meaning=there.meaning,
            action=there.action,
            fit=member["fit"],
            runner_up=member["runner_up"],
            margin=member["margin"],
            score=member["score"],
            since=member["since"],
            reasons=tuple((r.text, r.weight) for r in why.reasons),
            moves=tuple((found.segment_name(m.segment_index), m.text) for m in why.moves),
            stays=tuple((s["segment"], s["since"], s["until"]) for s in sorted(stays, key=lambda s: s["since"])),
        )

    def identity(self, text: str) -> IdentityExplanation:
        """Which ids are a customer or an account, what joined them, and which record each of its fields is from.

        ``text`` is an id; where a customer and an account have it, the customer is meant, unless it begins with
        ``account:``.
        """
        unit, key = self._meant(text)
        ids = self._of(unit, "resolve", _IDENTITIES[unit], key)
        named = {row["record_key"]: _named(row) for row in ids}
        links, changes = [], []
        if "links" in self.current["resolve"].rows:
            found = self.table("resolve", "links")
            own = found.filter(found["left_key"].isin(list(named)) & found["right_key"].isin(list(named)))
            strongest = [ibis.desc("probability"), "left_key", "right_key"]
            links = self.session.con.to_pyarrow(own.filter(own["unit"] == unit).order_by(strongest)).to_pylist()
            moved = self.table("resolve", "identity_changes")
            mine = ibis.or_(
                *((moved["id_space"] == i["id_space"]) & (moved["source_id"] == i["source_id"]) for i in ids)
            )
            mine &= moved["unit"] == unit
            changes = self.session.con.to_pyarrow(moved.filter(mine).order_by("changed_at")).to_pylist()
        return IdentityExplanation(
            customer_id=str(ids[0][f"{unit}_id"]),
            ids=tuple(named.values()),
            links=tuple(
                Link(named[x["left_key"]], named[x["right_key"]], x["probability"], x["how"], _evidence(x["weights"]))
                for x in links
            ),
            fields=tuple(GoldenField(**{**f, "id": named[f["id"]]}) for f in self._lineage(unit, list(named))),
            changes=tuple((c["changed_at"].date(), c["change"], c["reason"]) for c in changes),
            unit=unit,
            about=_about(unit, self._of(unit, "resolve", f"golden_{unit}s", key)[0]),
        )

    def _meant(self, text: str) -> tuple[str, int]:
        """Whether an id is a customer's or an account's, and the key."""
        if "account_identities" not in self.run("resolve").rows:
            return "customer", self._key("customer", text)
        if text.startswith("account:"):
            return "account", self._key("account", text.removeprefix("account:"))
        try:
            return "customer", self._key("customer", text)
        except DataError as error:
            try:
                return "account", self._key("account", text)
            except DataError:
                raise error from None

    def _lineage(self, unit: str, ids: Sequence[int]) -> list[dict[str, Any]]:
        manifest, joining = self.manifest(), self.config.identity
        parts = {n: manifest.parts(f"{unit}s", n) for n in self.config.sources}
        rows = {n: self.session.parts(of) for n, of in parts.items() if of}
        if unit == "customer":
            return golden.lineage(ids, golden.in_line(rows, self.config.sources, joining), joining)
        records = golden.in_line(rows, self.config.sources, joining.accounts)
        numbered = account_identity.keyed(records, self.session.parts([self._account_keys()]))
        return golden.lineage(ids, numbered, joining.accounts)

    def _account_keys(self) -> str:
        return str(self.run("resolve").facts["accounts"]["kept"]["keys"])

    def members(self, segment_name: str, name: str | None = None) -> tuple[str, str, ir.Table]:
        """The customers of a segment: its segmentation, its name as written there, and their memberships with traits.

        Without ``name`` the primary segmentation is asked first, then the others in their order.
        """
        first = [n for n in (self.config.first,) if n in self.segmentations()]
        for candidate in [name] if name else dict.fromkeys([*first, *self.segmentations()]):
            found = self.segmentation(candidate)
            if name is None and segment_name.casefold() not in {n.casefold() for n in found.names}:
                continue
            there = found.segment(segment_name)
            placed = self.table(f"assign:{candidate}", "memberships")
            key, called = KEYS[found.unit]
            base = self.table("traits", TRAIT_TABLES[found.unit])
            columns = (called, "segment", "since", "fit", "runner_up", "margin", "score")
            # A trait may be called margin or segment too.
            shown = {f"trait_{t}" if t in columns else t: base[t] for t, _ in found.traits if t in base.columns}
            joined = placed.filter(placed["segment"] == there.name).left_join(base.select(key, **shown), key)
            best_first = [ibis.desc("margin", nulls_first=False), ibis.asc(called)]
            return candidate, there.name, joined.order_by(best_first).select(*columns, *shown)
        everything = [n for s in self.placed() for n in self.segmentation(s).names]
        raise UsageError(f"No segmentation has a segment '{segment_name}'.", why=did_you_mean(segment_name, everything))


_NAMES = ("first_name", "last_name", "name", "email")


def _by_key(table: ir.Table, keys: Iterable[int], columns: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Some columns of some customers, those that the table has."""
    there = [column for column in columns if column in table.columns]
    rows = table.filter(table["customer_key"].isin(sorted(set(keys)))).select("customer_key", *there)
    return {row["customer_key"]: row for row in rows.to_pyarrow().to_pylist()}


def _buyers(specs: Sequence[Trait]) -> dict[str, str]:
    """By product category, the trait that tells its buyers."""
    return {spec.value: spec.name for spec in specs if spec.name.startswith("category_share_")}


_IDENTITIES = {"customer": "identities", "account": "account_identities"}


def _about(unit: str, row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Where a customer or an account belongs, by its golden record."""
    if unit == "customer":
        found = f"{row.get('account_id')}, found by {row.get('account_found_by')}"
        return (("account", found),) if row.get("account_id") else ()
    told = [("customers", f"{row['contacts']:,}"), ("parent", row["parent_id"] or row["parent_problem"])]
    if row["level"]:
        told.append(("ultimate parent", f"{row['ultimate_parent_id']}, {row['level']} above"))
    return tuple((name, text) for name, text in told if text)


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['id_space']}:{row['source_id']}"


def _evidence(weights: str | None) -> tuple[tuple[str, str, float], ...]:
    found = json.loads(weights) if weights else {}
    return tuple((field, piece["level"], piece["weight"]) for field, piece in found.items())
