"""The main path: a workspace and its stages, in order. No arithmetic here.

A stage looks at its fingerprint, works inside a session, and commits by one row in the state database; see
docs/HOW_IT_WORKS.md. Everything a person sees (:class:`Overview` and its parts) is read from what the stages left.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

from segmentry import aiming, artefacts, config, due, rule_checks, sample_files, samples, segment, traits
from segmentry.artefacts import digest, load_segmentation
from segmentry.data import (
    collect,
    feeds,
    integrate,
    pseudonyms,
    quality,
    quarantine,
    survey_designs,
)
from segmentry.data.connectors import landing
from segmentry.data.connectors.landing import Landed
from segmentry.data.manifest import Manifest
from segmentry.data.plan import Plan, coverage
from segmentry.describing import Describing, base_of
from segmentry.engine import (
    DuckDBSession,
    GenerationGoneError,
    Session,
    Writer,
)
from segmentry.errors import DataError, FitError, SegmentryError, UsageError, did_you_mean
from segmentry.explanations import Explanation
from segmentry.overview import Overview
from segmentry.reading import Reading
from segmentry.sample_files import SampleFile
from segmentry.samples import Samples
from segmentry.segmentation import TRAIT_TABLES, Segmentation
from segmentry.stages import Event, Listener, Stages
from segmentry.state import Run
from segmentry.target import assignment, playbooks, profiles, unseen
from segmentry.target.profiles import SegmentationSummary
from segmentry.traits import Definition, Settings, ThemeSummary

# Stages that leave tables in the warehouse; others leave files.
_WRITE_TABLES = {"resolve", "check", "traits", "sample", "assign", "lookalikes"}


class Workspace(Stages):
    """The road, a method per stage."""

    _drawn: tuple[object, Any] = (None, None)  # during a run, what was drawn last and the sample

    # The road ---------------------------------------------------------------------------------------------------------

    def run(self, as_of: date | None = None) -> dict[str, FitError]:
        """Travel the whole road and do only what is due; gives the segmentations that could not be fitted, and why.

        ``as_of`` overrides the config. Segmentations are fitted when they never were or when their part of the config
        changed; otherwise they stay frozen. Raises :class:`DataError` before the traits when a finding of the check is
        blocking; what was made before stays.
        """
        self._own_traits()  # a mistake in them is told before hours of work
        with self.state.writer():
            self.collect()
            self.resolve()
            self.cover()
            self.check(as_of)
            self._pass_gate()
            return self._place(as_of)

    def replay(self, months: int, as_of: date | None = None) -> dict[str, FitError]:
        """Run as of so many past month ends and then as of today's date, so that the history tells who moved when.

        Everybody is placed by the segmentations of today, on what was known on each of the dates. Gives what
        :meth:`run` gives.
        """
        with self.state.writer():
            not_fitted = self.run(as_of)
            for day in assignment.month_ends(self._day(as_of, self.manifest()), months):
                self._place(day)
            self._place(as_of)
        return not_fitted

    def collect(self) -> Run:
        """Read what is new in the files, databases and CRM systems of all sources into immutable parts."""
        with self.state.writer():
            before = self.manifest()
            current = self.state.current().get("collect")
            now = datetime.now(UTC).replace(tzinfo=None)
            landed = self._land(before, now)
            if current and not collect.pending(self.config.sources, self.root, before, landed):
                return self._up_to_date(current)
            self._sweep()
            with self._recorded("collect", None, digest([before.digest(), datetime.now(UTC)])) as (run, done):
                with self.engine.files.session() as session:
                    manifest = collect.collect(
                        self.config.sources,
                        self.root,
                        before,
                        session,
                        now=now,
                        landed=landed,
                        progress=self._progress("collect"),
                    )
                done(manifest.rows(), manifest.to_json())
            landing.clear(landed)
            return self._finished(run)

    def _land(self, before: Manifest, now: datetime) -> list[Landed]:
        """Pull what is new in the sources that are no files."""
        folder = self.root / "warehouse" / "landed"
        landing.sweep(folder, list(self.config.sources))
        found: list[Landed] = []
        for name, source in self.config.sources.items():
            if source.path is None:
                try:
                    found += feeds.pull(name, source, self.root, folder / name, before, now, self._told(name))
                except BaseException as error:
                    run = self.state.begin("collect", None, "")
                    self.state.fail(run, str(error) if isinstance(error, SegmentryError) else type(error).__name__)
                    raise
        return found

    def repair(self, path: Path) -> int:
        """Take back a corrected export of the quarantine; gives how many records have left it.

        All of the file is taken, or nothing: when its collection fails, what was put into the workspace goes again.
        Records that are still wrong stay in quarantine.
        """
        with self.state.writer():
            self.collect()
            before = self.manifest().rows()["quarantine"]
            there = set((self.root / quarantine.FOLDER).glob("*"))
            written = quarantine.take_back(path, self.root, self.config)
            try:
                self.collect()
            except BaseException:
                for file in set(written) - there:
                    file.unlink(missing_ok=True)
                raise
            return before - self.manifest().rows()["quarantine"]

    def resolve(self) -> Run:
        """One row per customer, and per account, from the records of all sources."""
        manifest, settings, sources = self.something_collected(), self.config.identity, self.config.sources
        about = ("customers", "accounts")
        mapped = {n: s.model_dump(mode="json") for n, s in sources.items() if s.kind in about}
        before = self.state.current().get("resolve")

        def work(session: Session, writer: Writer) -> dict[str, Any]:
            return integrate.Integration(
                cast("DuckDBSession", session),  # what works on the files of the workspace
                manifest,
                sources,
                settings,
                before.facts if before else {},
                datetime.now(UTC).replace(tzinfo=None),
                self._progress("resolve"),
            ).write(writer)

        inputs = [manifest.digest(), mapped, settings.model_dump(mode="json")]
        return self._stage("resolve", None, inputs, {}, work, on=self.engine.files)

    def check(self, as_of: date | None = None) -> Run:
        """Hold the collected records of every source against the checks of data quality."""
        manifest = self.something_collected()
        day = self._day(as_of, manifest)
        shaping = {n: s.model_dump(mode="json", exclude={"path"}) for n, s in self.config.sources.items()}

        def work(session: Session, writer: Writer) -> dict[str, Any]:
            sources = [
                quality.Collected(name, source, session.parts(parts))
                for name, source in self.config.sources.items()
                if (parts := manifest.parts(source.kind, name))
            ]
            found = quality.check(session, sources, manifest, self.config.quality, day)
            writer.write("quality", quality.as_table(found))
            if (values := quality.impossible(sources, manifest, day)) is not None:
                writer.write("quarantined_values", values)
            return found.to_json()

        settings = self.config.quality.model_dump(mode="json")
        inputs = [quality.TABLES_MADE, manifest.digest(), manifest.collected_on, shaping, settings]
        return self._stage("check", day, inputs, {}, work, on=self.engine.files)

    def cover(self) -> Run:
        """Measure what the collected data hold of every field of the data plan."""
        manifest, current = self.manifest(), self.state.current().get("plan")
        fingerprint = self._fingerprint("plan", None, [manifest.digest()])
        if current and current.fingerprint == fingerprint:
            return self._up_to_date(current)
        with self.state.writer(), self._recorded("plan", None, fingerprint) as (run, done):
            done({}, {"coverages": [c.to_json() for c in self._coverages(manifest)]})
            return self._finished(run)

    def traits(self, as_of: date | None = None, *, again: Collection[str] = ()) -> Run:
        """One row per customer as of a date, one column per trait.

        ``again`` names models that are learned anew, such as that of the themes; the others stay frozen.
        """
        manifest = self.something_collected()
        day = self._day(as_of, manifest)
        needed, own = self._needed(), self._own_traits()
        current = self.state.current().get("traits")
        declared = {name: trait.model_dump(mode="json") for name, trait in self.config.traits.items()}
        settings = self._trait_settings()
        inputs = [manifest.digest(), self._current("resolve").fingerprint, settings.to_json(), declared]
        # What was declared once and is still read by a frozen segmentation: to tell it from data that went.
        once = needed & set(current.facts.get("declared", ()) if current else ())
        if current and not again and current.fingerprint == self._fingerprint("traits", day, inputs):
            told = (current.facts, current.facts.get("accounts", {"traits": []}))
            considered = {t["name"] for of in told for t in of["traits"]} | set(current.facts["needed"])
            if needed <= considered:
                return self._up_to_date(current)

        def work(session: Session, writer: Writer) -> dict[str, Any]:
            before = artefacts.load_learned(self.root, current)
            found, learned = self._describing(session, manifest, day).write(writer, needed, own, before, again)
            kept = artefacts.save_learned(self.root, learned, before)
            return {**found, "needed": sorted(needed), "declared": sorted({*declared, *once}), "learned": kept}

        return self._stage("traits", day, inputs, {"resolve": self._current("resolve")}, work, force=True)

    def fit(self, name: str, segments: int | None = None) -> Segmentation:
        """Learn a segmentation anew on the sample; its next version takes effect with the next assign.

        ``segments`` sets their number by hand (k-means). Raises :class:`FitError` when the data cannot support it.
        """
        try:
            return self._fit(name, segments)
        finally:
            self._drawn = (None, None)

    def _fit(self, name: str, segments: int | None = None) -> Segmentation:
        settings = self._settings(name)
        settings = segment.asked(settings, segments, where=f"segmentation {name}")
        run = self._current("traits")
        with self.state.writer():
            reads = self.learns_from(run, due.horizon(self.config, settings))
            with self._recorded(f"fit:{name}", run.as_of, self._fit_due(name)) as (_, done):
                with self.engine.session({alias: r.id for alias, r in reads.items()}) as session:
                    fitted = self.learned(session, reads, name, settings)
                done({}, artefacts.save_segmentation(self.root, fitted))
        self._listener(Event(f"fit:{name}", run=self.state.current()[f"fit:{name}"]))
        return fitted

    def learns_from(self, run: Run, horizon: int | None) -> dict[str, Run]:
        """The runs whose tables are learned from: the traits, and where there is a horizon those of so long ago."""
        return {"traits": run, **({"earlier": self._earlier(horizon, run)} if horizon else {})}

    def learned(self, session: Session, reads: Mapping[str, Run], name: str, settings: Any) -> Segmentation:
        """The next version of a segmentation, learned on a sample of the traits of a session that has the tables of
        :meth:`learns_from`; nothing is written."""
        run = reads["traits"]
        base = base_of(run, settings.unit)
        specs = {t.name: t for t in traits.from_json(base["traits"])}
        table, drawing = session.table("traits", TRAIT_TABLES[settings.unit]), Samples(session, run, self.config)
        variables, parts = (
            segment.variables_named(settings, specs),
            due.parts(self.root, self.config, name, self.state.current()),
        )
        population = segment.population_of(settings, parts)
        wanted = (run.id, settings.unit, population, variables * 100 > self.config.sample.size)
        if self._drawn[0] != wanted:  # the segmentations of one run mostly learn on the same sample
            self._drawn = (wanted, drawing.drawn(settings.unit, population, variables, of=name))
        tell = self._progress(f"fit:{name}")
        learning = drawing.learning(name, settings, self._drawn[1])
        learning = replace(learning, progress=tell, objectives=self.config.objectives, parts=parts)
        if "earlier" in reads:
            earlier = reads["earlier"]
            before = aiming.before(settings.objective, self.config, session, run, earlier, population)
            learning = replace(learning, before=before)
        fitted = segment.fit(name, settings, learning, version=self._next_version(name), as_of=run.as_of)
        book = playbooks.load(self.root / playbooks.FILE_NAME)
        kept = lambda rows: session.keep("placed", rows, tell)  # noqa: E731
        fitted = samples.with_names(fitted, table, specs, base["largest"], book, kept)
        fitted = segment.bias.with_report(fitted, learning)
        return replace(fitted, report={**fitted.report, "sources": self.config.sources_of(fitted.report["data"])})

    def aim(self, name: str) -> Run:
        """Learn anew, on the sample, what goes with the behaviour of an objective, and who else is like its customers.

        Raises :class:`FitError` when the data cannot say.
        """
        objective, run, stage = self._objective(name), self._current("traits"), f"aim:{name}"
        with self.state.writer():
            reads = self.learns_from(run, objective.horizon)
            with self._recorded(stage, run.as_of, due.aim(self.config, name)) as (number, done):
                with self.engine.session({alias: r.id for alias, r in reads.items()}) as session:
                    found = aiming.learn(name, self.config, session, run, reads.get("earlier"))
                done({}, {"aim": found.to_json()})
            return self._finished(number)

    def aim_at(self, name: str, *, again: bool = False) -> None:
        """Learn an objective where that is due, or ``again``, and score everybody by it."""
        self._objective(name)
        if again:
            self.aim(name)
        else:
            self._if_due(f"aim:{name}", due.aim(self.config, name), partial(self.aim, name))
        self.look_alike(name)

    def look_alike(self, name: str) -> Run:
        """Score everybody in the population of an objective by the model that :meth:`aim` froze."""
        run, learned = self._current("traits"), self._current(f"aim:{name}")

        def work(session: Session, writer: Writer) -> dict[str, Any]:
            return aiming.score(learned, session, writer)

        inputs = [learned.facts["aim"], run.fingerprint]
        return self._stage(f"lookalikes:{name}", run.as_of, inputs, {"traits": run}, work)

    def _earlier(self, horizon: int, now: Run) -> Run:
        """The traits of so many days ago, of what was known then, in a generation of their own."""
        manifest, day = self.something_collected(), (now.as_of or date.min) - timedelta(days=horizon)
        learned = artefacts.load_learned(self.root, now)

        def work(session: Session, writer: Writer) -> dict[str, Any]:
            same = frozenset(t["name"] for t in now.facts["traits"])
            return self._describing(session, manifest, day).write(writer, same, self._own_traits(), learned, ())[0]

        return self._stage(f"earlier:{horizon}", day, [now.fingerprint], {"resolve": self._current("resolve")}, work)

    def fit_sample(self, name: str, path: Path, segments: int | None = None) -> SegmentationSummary:
        """Learn a segmentation on an anonymous sample alone; gives the segments as the sample shows them.

        Nothing but segmentry.yaml is needed of the workspace; what the sample shows is kept, so that :meth:`summary`
        and :meth:`overview` tell of it until everybody is placed. Raises :class:`FitError` as :meth:`fit` does.
        """
        settings, file = self._settings(name), SampleFile.read(path)
        settings = segment.asked(settings, segments, where=f"segmentation {name}")
        with self.state.writer(), self._recorded(f"fit:{name}", file.as_of, self._fit_due(name)) as (_, done):
            book = playbooks.load(self.root / playbooks.FILE_NAME)
            parts = due.parts(self.root, self.config, name, self.state.current())
            fitted = file.fitted(name, settings, self.config, self._next_version(name), book, parts)
            study = file.study(fitted)
            done({}, {**artefacts.save_segmentation(self.root, fitted), "study": study.to_json()})
        return self.summary(name)

    def adopt(self, name: str, path: Path) -> Segmentation:
        """Take a segmentation that was fitted elsewhere, on a sample, as the next version of one of this workspace.

        Raises :class:`ArtefactError` when the file was changed by hand, :class:`DataError` when it does not fit here.
        """
        settings, run = self._settings(name), self._current("traits")
        if not path.is_file():
            raise DataError(f"{path}: there is no such file.", fix="`segmentry fit NAME --sample FILE` tells its name.")
        known = traits.from_json(base_of(run, settings.unit)["traits"])
        with self.state.writer(), self._recorded(f"fit:{name}", run.as_of, self._fit_due(name)) as (_, done):
            text = path.read_text(encoding="utf-8")
            found = samples.adopted(text, name, known, self._next_version(name), where=str(path))
            done({}, artefacts.save_segmentation(self.root, found))
        return found

    def sample(self, name: str | None = None, out: Path | None = None) -> Run:
        """Draw the anonymous sample of a segmentation's population (None: all customers) as the table ``sample``.

        ``out`` is a Parquet file for who may not see the customers: :meth:`fit_sample` learns from it. Raises
        :class:`FitError` when it cannot be made anonymous.
        """
        if name is not None:
            self._settings(name)
        run = self._current("traits")
        key = pseudonyms.key_of(self.root / "warehouse", self._env)

        def work(session: Session, writer: Writer) -> dict[str, Any]:
            return Samples(session, run, self.config).write(writer, name, key, self._progress("sample"))

        of = self._settings(name).model_dump(mode="json") if name else None
        keyed = pseudonyms.pseudonyms(["sample"], key)  # another key, another sample; the key itself is not kept
        inputs = [run.fingerprint, of, self.config.sample.model_dump(), self.config.bias.model_dump(), keyed]
        made = self._stage("sample", run.as_of, inputs, {"traits": run}, work)
        if out is not None:
            with self.reading("sample") as reading:
                table = reading.find("sample").to_pyarrow()
            sample_files.write_file(table, made.facts, run.as_of or date.min, out)
        return made

    def assign(self, name: str) -> Run:
        """Put every unit of the population into exactly one segment, with history and profiles."""
        self._settings(name)
        run, fitted = self._current("traits"), self._current(f"fit:{name}")
        segmentation = load_segmentation(self.root, fitted)
        assignment.refuse_removed(segmentation, run.facts.get("declared", ()), self.config.traits)
        stage = f"assign:{name}"
        before = self.state.current().get(stage)
        unit, day = segmentation.unit, run.as_of or date.min
        later = sorted(r.as_of for r in self.state.done(stage) if r.as_of and r.as_of > day)

        def work(session: Session, writer: Writer) -> dict[str, Any]:
            base, table = base_of(run, unit), session.table("traits", TRAIT_TABLES[unit])
            specs = traits.from_json(base["traits"])
            placed = session.keep("placed", assignment.memberships(segmentation, table), self._progress(stage))
            earlier = session.table("before", "membership_history") if before else None
            if before and before.facts.get("unit", "customer") != unit:
                earlier = None  # it placed others then: their history is no history of these
            next_day = later[0] if later else None
            stays = assignment.history(placed, segmentation.version, day, earlier, next_day)
            stays = writer.write("membership_history", stays)
            writer.write("memberships", assignment.with_since(placed, stays if earlier is not None else None, day))
            sizes, effects = profiles.profile(placed, table, specs, base["largest"], base["value_trait"])
            writer.write("profiles", profiles.as_table(effects))
            return {
                "version": segmentation.version,
                "unit": unit,
                "sizes": sizes,
                "cells": profiles.cells(placed, table, base["largest"], base["value_trait"]),
                "curve": profiles.curve(placed, table, segmentation.report.get("trait"), base["largest"]),
                "missing": assignment.missing(segmentation, table),
                "unseen": unseen.count(segmentation, placed, table),
            }

        inputs = [fitted.facts["checksum"], run.fingerprint, run.facts["needed"]]
        self._same_engine(before)
        reads = {"traits": run, **({"before": before} if before else {})}
        return self._stage(stage, day, inputs, reads, work)

    # Reading ----------------------------------------------------------------------------------------------------------

    def manifest(self) -> Manifest:
        """What has been collected."""
        run = self.state.current().get("collect")
        return Manifest.from_json(run.facts) if run else Manifest()

    def something_collected(self) -> Manifest:
        """What has been collected; :class:`DataError` before the first collection."""
        manifest = self.manifest()
        if not manifest.entries:
            raise DataError("Nothing has been collected yet.", fix="Run `segmentry run`.")
        return manifest

    @contextmanager
    def reading(self, only: str | None = None) -> Iterator[Reading]:
        """One moment of the workspace: its current tables (or those of one stage) and what people see of them."""
        for attempt in (1, 2, 3):
            current = self.state.current()
            generations = {s: r.id for s, r in current.items() if s.partition(":")[0] in _WRITE_TABLES}
            generations = {s: n for s, n in generations.items() if only in (None, s)}
            with ExitStack() as stack:
                try:
                    session = stack.enter_context(self.engine.reader(generations))
                except GenerationGoneError as error:
                    if attempt == 3:
                        raise DataError(
                            f"The tables of this workspace are not in its engine ({self.engine.identity}).",
                            fix="Run `segmentry run`: it brings them there.",
                        ) from error
                    continue  # two commits came between the look and the attach: look again
                yield Reading(
                    self.root,
                    self.config,
                    session,
                    current,
                    self._not_fitted(),
                    self._earlier_sizes(current),
                    self.state.done("check"),
                )
                return

    def segmentation(self, name: str) -> Segmentation:
        """The current version of a segmentation."""
        with self.reading() as reading:
            return reading.segmentation(name)

    def plan(self, *, b2b: bool = False) -> Plan:
        """The data plan: what each model needs, has and lacks; measured anew where collection brought something."""
        manifest, run = self.manifest(), self.state.current().get("plan")
        fresh = run is not None and run.fingerprint == self._fingerprint("plan", None, [manifest.digest()])
        coverages = self._coverages(manifest) if manifest.entries and not fresh else None
        with self.reading() as reading:
            return reading.plan(b2b=b2b, coverages=coverages)

    def overview(self) -> Overview:
        """Everything a report shows."""
        with self.reading() as reading:
            return replace(reading.overview(), rules=rule_checks.frozen(reading))

    def summary(self, name: str) -> SegmentationSummary:
        """One segmentation as people see it."""
        with self.reading() as reading:
            return reading.summary(name)

    def explain(self, customer: str, name: str) -> Explanation:
        """Why a customer is where it is, how close, and what would move it."""
        with self.reading() as reading:
            return reading.explain(customer, name)

    def themes(self) -> tuple[ThemeSummary, ...]:
        """The themes of what customers wrote, with typical texts, masked; of the texts that the traits were made of.

        Raises :class:`FitError` when the texts make none, and :class:`DataError` where there are none.
        """
        manifest, run = self.something_collected(), self._current("traits")
        with self.engine.session({"resolve": self._current("resolve").id}) as session:
            day = run.as_of or date.min
            facts = self._describing(session, manifest, day).facts()
            learned = artefacts.load_learned(self.root, run)
            return traits.theme_summaries(facts, day, self._trait_settings(), learned)

    def sql(self, name: str, dialect: str) -> str:
        """The placement of a segmentation as SQL over the traits table."""
        return self.segmentation(name).sql(dialect)

    # Machinery --------------------------------------------------------------------------------------------------------

    def _pass_gate(self) -> None:
        """Raise :class:`DataError` when a finding of the current check is blocking and nobody has accepted it."""
        with self.reading("check") as reading:  # the other tables may still be in another engine
            found = reading.checked().findings
        if quality.blocking(found):
            what, why, fix = quality.refusal(found, config.FILE_NAME)
            raise DataError(what, why=why, fix=fix)

    def _place(self, as_of: date | None) -> dict[str, FitError]:
        """Traits, fits that are due and assignments; gives the segmentations that could not be fitted, and why."""
        not_fitted: dict[str, FitError] = {}
        self.traits(as_of)
        for name in self.config.objectives:
            try:
                self.aim_at(name)
            except FitError as error:
                not_fitted[name] = error
        for name in self.config.in_order():
            try:
                self._if_due(f"fit:{name}", self._fit_due(name), partial(self._fit, name))
                self.assign(name)
            except FitError as error:
                not_fitted[name] = error
        self._drawn = (None, None)
        self._forget_removed()
        return not_fitted

    def _told(self, source: str) -> Callable[[int], None]:
        return lambda records: self._listener(Event("collect", records, note=f"{source}: {records:,} records"))

    def _settings(self, name: str) -> Any:
        if name not in self.config.segmentations:
            raise UsageError(
                f"There is no segmentation '{name}' in {config.FILE_NAME}.",
                why=did_you_mean(name, self.config.segmentations),
            )
        return self.config.segmentations[name]

    def _day(self, as_of: date | None, manifest: Manifest) -> date:
        if as_of is not None:
            return as_of
        if self.config.as_of != "latest":
            return self.config.as_of
        last = manifest.span()[1]
        return datetime.fromisoformat(last).date() if last else date.fromisoformat(manifest.collected_on)

    def _coverages(self, manifest: Manifest) -> tuple[coverage.Coverage, ...]:
        with self.engine.files.session() as session:
            return coverage.measure(self.config.sources, manifest, session)

    def _describing(self, session: Session, manifest: Manifest, day: date) -> Describing:
        resolve, settings = self._current("resolve"), self._trait_settings()
        return Describing(session, manifest, resolve, self.config, settings, day, self._progress("traits"))

    def _next_version(self, name: str) -> int:
        return max((int(r.facts["version"]) for r in self.state.done(f"fit:{name}")), default=0) + 1

    def _fit_due(self, name: str) -> str:
        return due.fit(self.config, name, self.state.current())

    def _objective(self, name: str) -> config.Objective:
        if name not in self.config.objectives:
            known = did_you_mean(name, self.config.objectives)
            raise UsageError(f"There is no objective '{name}' in {config.FILE_NAME}.", why=known)
        return self.config.objectives[name]

    def _trait_settings(self) -> Settings:
        return Settings.of(self.config, survey_designs.designs(self.root, self.config.surveys))

    def _own_traits(self) -> tuple[Definition, ...]:
        """The declared traits; :class:`ConfigError` where one is not well formed."""
        return traits.definitions(self.config.traits, self.config.attributes)

    def _needed(self) -> frozenset[str]:
        """Traits that the frozen segmentations read."""
        runs = [r for s, r in self.state.current().items() if s.startswith("fit:")]
        return frozenset(n for r in runs for n, _ in load_segmentation(self.root, r).traits)

    def _earlier_sizes(self, current: Mapping[str, Run]) -> dict[str, Mapping[str, Any]]:
        """By segmentation, the sizes at the as-of date before the current one."""
        found = {}
        for name in self.config.segmentations:
            run = current.get(f"assign:{name}")
            earlier = [
                r for r in self.state.done(f"assign:{name}") if run and r.as_of and run.as_of and r.as_of < run.as_of
            ]
            if earlier:
                found[name] = max(earlier, key=lambda r: (r.as_of or date.min, r.id)).facts["sizes"]
        return found

    def _not_fitted(self) -> dict[str, str]:
        """By segmentation and objective, why its last fit failed, where it is the config of today that failed."""
        current = self.state.current()
        wanted = {f"fit:{n}": due.fit(self.config, n, current) for n in self.config.segmentations}
        wanted |= {f"aim:{n}": due.aim(self.config, n) for n in self.config.objectives}
        failures = {stage: self.state.last_failure(stage) for stage in wanted}
        return {
            stage.partition(":")[2]: f.error
            for stage, f in failures.items()
            if f and (stage not in current or current[stage].id < f.id) and f.fingerprint == wanted[stage]
        }

    def _forget_removed(self) -> None:
        for stage in self.state.current():
            word, _, name = stage.partition(":")
            there = self.config.objectives if word in ("aim", "lookalikes") else self.config.segmentations
            if name and name not in there and word in ("fit", "assign", "aim", "lookalikes"):
                self.state.drop(stage)


def open_workspace(path: str | Path = ".", *, listener: Listener | None = None) -> Workspace:
    """Open the workspace in a folder; the environment gives the values of ``${NAME}`` in its config."""
    return Workspace(Path(path).resolve(), os.environ, listener)
