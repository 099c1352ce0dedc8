"""The command line. Every command opens the workspace, calls one method of it, and shows the result.

Heavy modules are imported inside the commands, so that ``--help`` answers at once. Exit codes: 0 done, 1 the data or a
gate says no, 2 wrong use or config, 3 a defect of ours.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segmentry.apps import defining, notes
from segmentry.apps.options import HERE, AsOf, Json, Name, Quiet, Unmasked, Where
from segmentry.apps.options import located as _located
from segmentry.apps.options import name_of as _name
from segmentry.apps.options import note_look as _note_look
from segmentry.apps.options import opened as _opened
from segmentry.apps.options import print_json as _print_json
from segmentry.apps.options import without as _without
from segmentry.errors import SegmentryError, UsageError
from segmentry.wording import agree

if TYPE_CHECKING:
    from segmentry.data.plan import Plan

app = typer.Typer(
    name="segmentry",
    help="From scattered customer data to segments a whole company can act on.\n\n"
    "Start with `segmentry init FILES…`, then `segmentry run`, then `segmentry report`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

app.add_typer(notes.app, name="note")

_INTERRUPTED = 130  # what Typer exits with after Ctrl-C, as shells do
REPORT = "report.html"


# Start ----------------------------------------------------------------------------------------------------------------


@app.command()
def init(
    files: Annotated[
        list[str],
        typer.Argument(help="CSV, Parquet, JSON or Excel files, or their folder; * is allowed. Or a database's URL."),
    ],
    workspace: Where = HERE,
    name: Annotated[str | None, typer.Option(help="Name of the company; default: that of the folder.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the best guess instead of asking.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a segmentry.yaml that is there.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Print the segmentry.yaml instead of writing it.")] = False,
    quiet: Quiet = False,
) -> None:
    """Look at files and write a segmentry.yaml, so that `segmentry run` is next."""
    from segmentry import beginnings
    from segmentry.apps import terminal
    from segmentry.data import propose

    root = workspace.resolve()
    absolute = [f if "://" in f else str(Path.cwd() / f) for f in files]
    with terminal.Progress(quiet=quiet) as shown:
        proposal = beginnings.propose_config(root, absolute, name=name, progress=shown.bytes("looking"))
    if not yes and sys.stdin.isatty() and sys.stdout.isatty():
        while proposal.questions:  # an answer can change or settle the next questions
            question = proposal.questions[0]
            proposal = proposal.answer(question, terminal.ask(question))
    if preview:
        terminal.plain(propose.to_yaml(proposal))
        return
    path = beginnings.write_config(root, proposal, replace_config=force)
    if not quiet:
        terminal.proposal(proposal, path)


@app.command()
def demo(
    workspace: Where = Path("demo-company"),
    customers: Annotated[int, typer.Option(min=500, max=10_000_000, help="Customers of the company.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes another company.")] = 1,
    quiet: Quiet = False,
    *,
    json: Json = False,
) -> None:
    """Simulate a company, run all stages on it, and tell what was found and how far it is from the truth."""
    from segmentry.apps import story

    story.demo(workspace.resolve(), REPORT, customers=customers, seed=seed, quiet=quiet, json=json)


@app.command()
def plan(
    model: Annotated[str | None, typer.Argument(help="Model to show in depth, such as needs; default: all.")] = None,
    workspace: Where = HERE,
    *,
    b2b: Annotated[bool, typer.Option("--b2b", help="The customers are organisations.")] = False,
    field: Annotated[str | None, typer.Option(help="Field to decide about, such as demographic.income.")] = None,
    status: Annotated[str | None, typer.Option(help="have, to collect, asked, refused or not needed.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who gathers the field.")] = None,
    source: Annotated[str | None, typer.Option(help="System that it comes from, or survey.")] = None,
    due: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When it is to be there.")] = None,
    note: Annotated[str | None, typer.Option(help="Anything to remember about the field.")] = None,
    survey: Annotated[Path | None, typer.Option(help="Write a questionnaire of what is to collect: .md, .csv")] = None,
    json: Json = False,
) -> None:
    """Show which data each model needs, has and lacks, and how to gather it; keep who gathers what in plan.yaml.

    Works before there is any data: without a segmentry.yaml it shows the general checklist.
    """
    from segmentry.apps import planning, terminal
    from segmentry.data.plan import decisions, questionnaire

    root = workspace.resolve()
    given = {"status": status, "owner": owner, "source": source, "due": due.date() if due else None, "note": note}
    changes = {key: value for key, value in given.items() if value is not None}
    if changes and field is None:
        raise UsageError(f"--{next(iter(changes))} needs a field.", fix="Name it with --field, as in demographic.age.")
    if field is not None:
        decisions.check_field(field)
        if changes:
            decisions.decide(root, field, changes)
    found = _plan(root, b2b)
    if survey is not None:
        count = questionnaire.write(found, survey)
        terminal.plain(agree(count, "{n} [question|questions] written to ") + f"{survey}.")
    elif field is not None:
        one = found.field(field)
        _print_json(planning.field_json(one)) if json else planning.one_field(one)
    else:
        part = found.of(model) if model else None
        if json:
            _print_json(planning.as_json(found, part))
        elif part is not None:
            planning.model(part)
        else:
            planning.overview(found)


# Stages ---------------------------------------------------------------------------------------------------------------


@app.command()
def run(
    workspace: Where = HERE,
    as_of: AsOf = None,
    months: Annotated[
        int, typer.Option(min=0, max=120, help="Run as of so many past month ends first: fills the history.")
    ] = 0,
    quiet: Quiet = False,
) -> None:
    """Travel the whole road and do only what is due: collect, resolve, check, traits, fit, assign, report."""
    from segmentry.apps import report as reporting
    from segmentry.apps import terminal

    with _opened(workspace, quiet) as space:
        day = as_of.date() if as_of else None
        before = space.state.current()
        not_fitted = space.replay(months, day) if months else space.run(day)
        idle = space.state.current() == before
        overview = space.overview()
        path = space.root / REPORT
        reporting.write_report(overview, path)
    if not quiet:
        if idle:
            terminal.plain(
                "Nothing was due: files, definitions and date are those of the last run. This is what it gave."
            )
        terminal.overview(overview, path)
        for name, error in not_fitted.items():
            terminal.warn(f"{name} was not fitted. {_located(str(error), space)}")


@app.command()
def ingest(workspace: Where = HERE, quiet: Quiet = False) -> None:
    """Collect what is new in the files of all sources."""
    from segmentry.apps import terminal

    with _opened(workspace, quiet) as space:
        space.collect()
        space.resolve()
        with space.reading() as reading:
            reconciliations = reading.reconciliations()
    if not quiet:
        terminal.reconciliations(reconciliations, space.config.currency)


@app.command()
def resolve(workspace: Where = HERE, quiet: Quiet = False) -> None:
    """Find the customers and organisations behind the ids of all sources, and make one row of each."""
    from segmentry.apps import terminal

    with _opened(workspace, quiet) as space:
        run = space.resolve()
    if not quiet:
        terminal.resolved(run)


@app.command()
def check(
    workspace: Where = HERE,
    as_of: AsOf = None,
    every: Annotated[bool, typer.Option("--all", help="Show the notes too.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check the quality of the collected data; exit 1 when a finding is blocking."""
    from segmentry.apps import quality, terminal

    with _opened(workspace, quiet or json) as space:
        space.collect()
        space.check(as_of.date() if as_of else None)
        with space.reading() as reading:
            found = reading.quality()
    if json:
        terminal.json(found)
    elif not quiet:
        quality.show(found, every=every)
    if found.blocked:
        raise typer.Exit(1)


@app.command()
def quarantine(
    workspace: Where = HERE,
    export: Annotated[Path | None, typer.Option(help="Write the records to this CSV, to be corrected there.")] = None,
    repaired: Annotated[Path | None, typer.Option(help="Take back the corrected CSV.")] = None,
    values: Annotated[
        Path | None, typer.Option(help="Write the impossible values to this CSV, with file and line.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the records and values that could not be used, by reason; --export and --repaired bring records back."""
    from segmentry.apps import members, quality, terminal

    with _opened(workspace, True) as space:
        if repaired is not None:
            left = space.repair(repaired)
        space.something_collected()
        with space.reading() as reading:
            found = reading.quarantine()
            count = reading.export_quarantine(export) if export is not None else 0
            listed = members.write_csv(quality.impossible_values(reading), values) if values is not None else 0
    if json:
        terminal.json(found)
        return
    if repaired is not None:
        terminal.plain(agree(left, "{n} [record has|records have] left the quarantine. `segmentry run` is next."))
    if export is not None:
        terminal.plain(
            agree(count, "{n} [record|records] written to ") + f"{export}. It holds personal data: keep it safe."
        )
    if values is not None:
        terminal.plain(
            agree(listed, "{n} [value|values] written to ") + f"{values}. It holds personal data: keep it safe."
        )
    if export is None and values is None:
        quality.quarantine(found)


@app.command()
def traits(
    workspace: Where = HERE,
    as_of: AsOf = None,
    learn: Annotated[list[str] | None, typer.Option(help="Learn this model of traits anew, such as themes.")] = None,
    quiet: Quiet = False,
) -> None:
    """Compute the traits of every customer as of a date."""
    with _opened(workspace, quiet) as space:
        space.traits(as_of.date() if as_of else None, again=learn or ())


@app.command()
def fit(
    name: Name = None,
    workspace: Where = HERE,
    segments: Annotated[int | None, typer.Option(min=2, max=20, help="Number, for methods that find segments.")] = None,
    sample: Annotated[Path | None, typer.Option(help="Learn from this file of `segmentry sample` alone.")] = None,
    artefact: Annotated[Path | None, typer.Option(help="Place everybody by this one, fitted elsewhere.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show who would move; write nothing.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Learn a segmentation anew and place everybody by it; the version before stays on disk."""
    from segmentry.apps import definitions, terminal
    from segmentry.apps import report as reporting

    if (artefact is not None and (sample or segments)) or (dry_run and (artefact or sample)):
        raise UsageError("--artefact, --sample and --dry-run each go alone.", fix="Leave the others out.")
    with _opened(workspace, quiet or json) as space:
        chosen = _name(space, name)
        if dry_run:
            definitions.try_fit(space, chosen, segments, json=json)
            return
        if sample is not None:
            summary = space.fit_sample(chosen, sample, segments)
            reporting.write_report(space.overview(), space.root / REPORT)
        else:
            space.adopt(chosen, artefact) if artefact is not None else space.fit(chosen, segments)
            space.assign(chosen)
            summary = space.summary(chosen)
    if json:
        _print_json([_without(s, "apart") for s in summary.segments])
    elif not quiet:
        terminal.segments(summary, space.config.currency)
        if sample is not None:
            terminal.studied(summary, space.config.currency, space.root / REPORT)


@app.command()
def compare(
    name: Name = None,
    methods: Annotated[str, typer.Option("--with", help="The other methods, such as mixtures,latent_classes.")] = "all",
    segments: Annotated[int | None, typer.Option(min=2, max=20, help="Their number; default: each chooses.")] = None,
    workspace: Where = HERE,
    json: Json = False,
) -> None:
    """Fit other methods on the same customers and traits, say how far they agree and which to take; write nothing."""
    from segmentry import drafts
    from segmentry.apps import comparing

    with _opened(workspace, json) as space:
        found = drafts.compare(
            space, _name(space, name), tuple(filter(None, map(str.strip, methods.split(",")))), segments
        )
    if json:
        _print_json({"segmentation": found.name, "methods": found.report["compared"]})
    else:
        comparing.show(found.report)


@app.command()
def sample(
    name: Annotated[str | None, typer.Argument(help="Segmentation whose population is drawn; default: all.")] = None,
    workspace: Where = HERE,
    out: Annotated[Path | None, typer.Option(help="Write it to this Parquet file, for `fit --sample`.")] = None,
    json: Json = False,
) -> None:
    """Draw a sample that may leave the company: no ids, nobody alone; and say how safe and how near to all it is."""
    from segmentry.apps import sampling, terminal

    with _opened(workspace, json) as space:
        made = space.sample(name, out)
    if json:
        _print_json({k: v for k, v in made.facts.items() if k not in ("sql", "engine", "traits")})
    else:
        sampling.show(made)
        if out is not None:
            terminal.plain(f"Written to {out}.")


@app.command()
def assign(name: Name = None, workspace: Where = HERE, quiet: Quiet = False) -> None:
    """Place everybody by the frozen segmentation."""
    with _opened(workspace, quiet) as space:
        space.assign(_name(space, name))


# Reading --------------------------------------------------------------------------------------------------------------


@app.command()
def segments(name: Name = None, workspace: Where = HERE, json: Json = False) -> None:
    """Show the segments: size, share of value, change since the run before, next action."""
    from segmentry.apps import terminal

    with _opened(workspace, True) as space:
        summary = space.summary(_name(space, name))
    if json:
        _print_json([_without(s, "apart") for s in summary.segments])
    else:
        terminal.segments(summary, space.config.currency)


@app.command()
def describe(
    name: Name = None,
    workspace: Where = HERE,
    segment: Annotated[str | None, typer.Option(help="Only this segment.")] = None,
    json: Json = False,
) -> None:
    """Show what sets each segment apart from everybody else, with effect sizes, and what market research says."""
    from segmentry.apps import quality, terminal
    from segmentry.data import market

    with _opened(workspace, True) as space:
        summary = space.summary(_name(space, name))
        wanted = space.segmentation(summary.name).segment(segment).name if segment else None
        with space.reading() as reading:
            healths, rules = reading.health_of(summary.variables, summary.unit), reading.rules_of(summary.name)
            read = [c for c in reading.trait_covers(summary.unit) if c.trait.name in summary.variables]
            notes = reading.notes()
    shown = [s for s in summary.segments if wanted in (None, s.name)]
    if json:
        found = [(s, market.about(notes, f"{summary.name}.{s.name}")) for s in shown]
        _print_json([{**_without(s), "notes": [n.model_dump(mode="json") for n in about]} for s, about in found])
    else:
        terminal.describe(summary, shown, space.config.currency, notes)
        terminal.reliabilities(read)
        quality.healths(healths, rules)


app.command()(defining.rules)
app.command()(defining.versions)


@app.command()
def needs(
    name: Name = None,
    workspace: Where = HERE,
    product: Annotated[str | None, typer.Option(help="Only the needs of this product.")] = None,
    json: Json = False,
) -> None:
    """Show what customers look for and where it is not met, by product and segment, and NPS, CSAT and CES."""
    from dataclasses import replace

    from segmentry.apps import needs as showing
    from segmentry.errors import did_you_mean
    from segmentry.target import unmet_needs

    with _opened(workspace, True) as space, space.reading() as reading:
        found = reading.needs(name)
    if product is not None:
        products = sorted({n.product for n in found.needs if n.product})
        if product.casefold() not in {p.casefold() for p in products}:
            raise UsageError(f"No need was rated for a product '{product}'.", why=did_you_mean(product, products))
        found = replace(found, needs=tuple(unmet_needs.of_product(found.needs, product)))
    if json:
        _print_json(found)
    else:
        showing.show(found, product)


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="Id of the customer; with --identity also account:ID.")],
    name: Annotated[str | None, typer.Argument(help="Segmentation; default: all.")] = None,
    identity: Annotated[bool, typer.Option("--identity", help="Who it is: the ids that were joined, and why.")] = False,
    workspace: Where = HERE,
    json: Json = False,
) -> None:
    """Say why a customer is where it is, how close, and what would move it; or who it is."""
    from segmentry.apps import terminal

    with _opened(workspace, True) as space, space.reading() as reading:
        if identity:
            who = reading.identity(customer)
            _print_json(who) if json else terminal.identity(who)
            return
        found = [reading.explain(customer, n) for n in ([name] if name else reading.placed())]
    if json:
        _print_json(found)
    else:
        terminal.explanations(found)


@app.command()
def members(
    segment: Annotated[str, typer.Argument(help="Name of the segment.")],
    name: Annotated[str | None, typer.Option("--in", help="Segmentation; default: the first that has it.")] = None,
    workspace: Where = HERE,
    csv: Annotated[Path | None, typer.Option(help="Write all of them to this file.")] = None,
    unmasked: Unmasked = False,
    json: Json = False,
) -> None:
    """List the customers (or accounts) of a segment; --csv writes a file that a CRM can import."""
    from segmentry.apps import members as listing
    from segmentry.apps import terminal

    with _opened(workspace, True) as space, space.reading() as reading:
        scheme, found, table = reading.members(segment, name)
        unit = reading.segmentation(scheme).unit
        if csv is not None:
            count = listing.write_csv(table, csv)
            terminal.plain(agree(count, f"{{n}} [{unit}|{unit}s] of ") + f"{found} written to {csv}.")
        else:
            rows, total = listing.first(table, 10_000 if json else 20)
            if unmasked:
                _note_look(space, f"members of {found}")
            else:
                rows = reading.masked("members", rows)
            if json:
                _print_json(rows)
            else:
                terminal.rows(rows, f"{found}: " + agree(total, f"{{n}} [{unit}|{unit}s]"), more=total - len(rows))


@app.command()
def show(
    table: Annotated[str | None, typer.Argument(help="Table; without one, all are listed.")] = None,
    workspace: Where = HERE,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows to show.")] = 20,
    values: Annotated[bool, typer.Option("--values", help="For traits: the customers' values.")] = False,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL that makes the table.")] = False,
    name: Annotated[str | None, typer.Option("--in", help="Segmentation, for memberships and profiles.")] = None,
    unmasked: Unmasked = False,
    json: Json = False,
) -> None:
    """Show a table, personal values masked. `traits` lists the traits (of accounts, too) with unit and fill rate."""
    from segmentry.apps import terminal
    from segmentry.describing import units_of

    with _opened(workspace, True) as space, space.reading() as reading:
        if table is None:
            found = reading.tables()
            if json:
                _print_json(found)
            elif found:
                terminal.rows(found, "Tables")
            else:
                terminal.plain("There are no tables yet: `segmentry run` makes them.")
        elif sql:
            terminal.plain(reading.sql(table, name))
        elif table == "traits" and not values:
            covers = [c for unit in units_of(reading.run("traits")) for c in reading.trait_covers(unit)]
            covers += reading.absent_traits()
            _print_json(covers) if json else terminal.traits(covers, reading.models())
        else:
            if unmasked:
                _note_look(space, f"show {table}")
            first = reading.first(table, name, limit, unmasked=unmasked)
            _print_json(first) if json else terminal.rows(first, table)


@app.command()
def themes(workspace: Where = HERE, json: Json = False) -> None:
    """What customers write about in their own words: each theme with its words, its share and typical texts, masked."""
    from segmentry.apps import terminal

    with _opened(workspace, True) as space:
        found = space.themes()
        _print_json([theme.to_dict() for theme in found]) if json else terminal.themes(found)


@app.command()
def sql(
    name: Name = None,
    workspace: Where = HERE,
    dialect: Annotated[str, typer.Option(help="duckdb, postgres, snowflake, bigquery or spark.")] = "duckdb",
) -> None:
    """Print a segmentation as SQL over a table of traits, in another database's dialect."""
    from segmentry.apps import terminal

    with _opened(workspace, True) as space:
        terminal.plain(space.sql(_name(space, name), dialect))


@app.command()
def objectives(
    name: Annotated[str | None, typer.Argument(help="Name of the objective; default: all.", show_default=False)] = None,
    workspace: Where = HERE,
    again: Annotated[bool, typer.Option("--again", help="Learn it anew first.")] = False,
    dialect: Annotated[str | None, typer.Option("--sql", help="Print its score as SQL of this dialect.")] = None,
    json: Json = False,
) -> None:
    """Show what goes with the behaviour of an objective: favourable traits, ideal customers, the look-alike score."""
    from segmentry.apps import objectives as showing
    from segmentry.apps import terminal

    with _opened(workspace, json or dialect is not None) as space:
        for one in [name] if name else space.config.objectives:
            space.aim_at(one, again=again)
        with space.reading() as reading:
            found, notes = [aim for aim in reading.aims() if name in (None, aim.name)], reading.notes()
            texts = [reading.score_sql(aim, dialect) for aim in found] if dialect else []
    if dialect:
        terminal.plain("\n".join(texts))
    else:
        _print_json(showing.as_json(found, notes)) if json else showing.show(found, notes)


@app.command()
def lifetime(workspace: Where = HERE, json: Json = False) -> None:
    """Show lifetime value: the models, how well they forecast a holdout, and what the customers will bring."""
    from segmentry.apps import lifetime as showing
    from segmentry.apps import terminal

    with _opened(workspace, True) as space, space.reading() as reading:
        found = reading.lifetime()
    terminal.json(found) if json else showing.show(found)


@app.command()
def report(
    workspace: Where = HERE,
    to: Annotated[Path | None, typer.Option(help="File to write; default: report.html of the workspace.")] = None,
    quiet: Quiet = False,
) -> None:
    """Write the report: one HTML file that opens offline."""
    from segmentry.apps import report as reporting
    from segmentry.apps import terminal

    with _opened(workspace, True) as space:
        path = to or space.root / REPORT
        reporting.write_report(space.overview(), path)
    if not quiet:
        terminal.plain(f"Report: {path}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of segmentry.yaml, for editors."""
    from segmentry import config

    _print_json(config.json_schema())


# Machinery ------------------------------------------------------------------------------------------------------------


def _plan(root: Path, b2b: bool) -> Plan:
    """The data plan of the workspace in a folder; the general checklist where there is none yet."""
    from segmentry.config import FILE_NAME
    from segmentry.data.plan import decisions, make_plan

    if not (root / FILE_NAME).exists():
        return make_plan(None, None, decisions.load(root), b2b=b2b)
    with _opened(root, True) as space:
        return space.plan(b2b=b2b)


def _version(wanted: bool) -> None:
    if wanted:
        from segmentry.version import __version__

        typer.echo(f"segmentry {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the whole program."""


def main() -> None:
    """Run the command line; errors of ours become one clear message and an exit code."""
    try:
        app()
    except SystemExit as done:
        if done.code == _INTERRUPTED:
            typer.secho("Stopped. The results of the last finished stage stay; run again to go on.", err=True)
        raise
    except SegmentryError as error:
        typer.secho(str(error), err=True, fg=typer.colors.RED)
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get("SEGMENTRY_DEBUG"):
            raise
        typer.secho(
            f"This is a defect of Segmentry, not of your data: {type(error).__name__}. "
            "Run again with SEGMENTRY_DEBUG=1 for the details, and report them.",
            err=True,
            fg=typer.colors.RED,
        )
        sys.exit(3)
