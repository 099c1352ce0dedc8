"""What the command line prints: progress on stderr, results on stdout, plain when nobody watches."""

from __future__ import annotations

import dataclasses
import json as json_library
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rich import box
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.prompt import Prompt
from rich.table import Table
from rich.text import Text

from segmentry.apps import bias, findings, words
from segmentry.data import market
from segmentry.data.reconcile import Reconciliation
from segmentry.explanations import Explanation, IdentityExplanation
from segmentry.overview import Overview, TraitCover
from segmentry.state import Run
from segmentry.target.profiles import SegmentationSummary, SegmentSummary
from segmentry.traits import LEAST_CUSTOMERS, Learned, ThemeSummary
from segmentry.wording import agree

if TYPE_CHECKING:
    from segmentry.data.propose import Proposal
    from segmentry.data.recognise import Question
    from segmentry.stages import Event

_WIDE = 200  # where there is no terminal, tables are not squeezed
out = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
err = Console(stderr=True, highlight=False)


class Progress:
    """Progress of long work: moving bars at a terminal, one line a stage elsewhere, nothing when quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._moving = not quiet and err.is_terminal
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=err,
            transient=True,
        )
        self._tasks: dict[str, Any] = {}
        self._started: dict[str, float] = {}

    def __enter__(self) -> Self:
        if self._moving:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._moving:
            self._bars.stop()

    def event(self, event: Event) -> None:
        """A stage has begun, goes on, or is done."""
        if self._quiet:
            return
        if event.run is not None:
            self._end(event.stage)
            if not event.up_to_date:
                rows = ", ".join(f"{n:,} {words.singular(t) if n == 1 else t}" for t, n in event.run.rows.items() if n)
                err.print(f"  {event.stage:<20} {rows}  {event.run.seconds:.1f} s", style="dim", soft_wrap=True)
        elif self._moving:
            self._move(event.stage, event.done, event.total, event.note)

    def bytes(self, label: str) -> Callable[[int, int], None]:
        """A progress function for bytes read."""
        return lambda done, total: self._rate(label, done, total, "MB", 1e6)

    def counted(self, label: str) -> Callable[[int, int], None]:
        """A progress function for things made."""
        return lambda done, total: self._rate(label, done, total, "", 1.0)

    def _rate(self, label: str, done: int, total: int, unit: str, scale: float) -> None:
        if not self._moving:
            return
        started = self._started.setdefault(label, time.monotonic())
        rate = done / scale / max(time.monotonic() - started, 1e-3)
        self._move(label, done, total, f"{done / scale:,.0f} of {total / scale:,.0f} {unit} ({rate:,.0f} a second)")

    def _move(self, label: str, done: int, total: int, note: str) -> None:
        if label not in self._tasks:
            self._tasks[label] = self._bars.add_task(label, total=total or None, note="")
        self._bars.update(self._tasks[label], completed=done, total=total or None, note=note)

    def _end(self, label: str) -> None:
        if label in self._tasks:
            self._bars.remove_task(self._tasks.pop(label))


# Small things ---------------------------------------------------------------------------------------------------------


def plain(text: str) -> None:
    """Text as it is, without wrapping."""
    out.print(Text(text), soft_wrap=True)


def warn(text: str) -> None:
    """Something to look at, on stderr."""
    err.print(Text(text, style="yellow"), soft_wrap=True)


def json(value: object) -> None:
    """Any result as JSON."""
    out.file.write(json_library.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def ask(question: Question) -> str:
    """Ask at the terminal; return takes the best guess."""
    err.print(Text(question.text))
    for i, candidate in enumerate(question.candidates, 1):
        err.print(f"  {i}  {candidate}")
    numbers = [str(i) for i in range(1, len(question.candidates) + 1)]
    choice = Prompt.ask("Number", choices=numbers, default="1", console=err)
    return question.candidates[int(choice) - 1]


def table_of(*columns: str, title: str = "", right: Sequence[str] = ()) -> Table:
    """An empty table; the columns named in ``right`` are aligned right."""
    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def _filled(
    columns: Sequence[str], lines: Sequence[Sequence[str | Text]], *, title: str = "", right: Sequence[str] = ()
) -> Table:
    """A table without the columns in which no line says anything."""
    kept = [i for i, _ in enumerate(columns) if any(str(line[i]) not in ("", words.UNKNOWN) for line in lines)]
    table = table_of(*(columns[i] for i in kept), title=title, right=right)
    for line in lines:
        table.add_row(*(line[i] for i in kept))
    return table


def rows(found: Sequence[Mapping[str, Any]], title: str, *, more: int = 0) -> None:
    """Any rows as a table."""
    if not found:
        plain(f"{title}: no rows.")
        return
    numbers = [k for k, v in found[0].items() if isinstance(v, int | float) and not isinstance(v, bool)]
    table = table_of(*found[0], title=title, right=numbers)
    for row in found:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    out.print(table)
    if more > 0:
        plain(f"… and {more:,} more.")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


# Results --------------------------------------------------------------------------------------------------------------


def proposal(found: Proposal, path: Path) -> None:
    """What `init` recognised, what is unsure, and what comes next."""
    table = table_of("source", "kind", "sure", "mapped columns", right=["sure"])
    for source in found.sources:
        mapped = ", ".join(f"{to} ← {c.expression}" for to, c in source.columns.items())
        table.add_row(source.name, source.kind or "not used", f"{100 * source.confidence:.0f} %", Text(mapped))
    out.print(table)
    for name, columns in found.pii.items():
        plain(f"Personal data in {name}: {', '.join(columns)}.")
    for note in found.notes:
        plain(note)
    for source in found.sources:
        for doubt in source.doubts:
            warn(f"Please check {source.name}: {doubt}.")
    for left_out in found.left_out:
        warn(f"Left out: {left_out.path}: {left_out.reason.rstrip('.')}.")
    names = ", ".join(s.name for s in found.segmentations)
    if names:
        plain(f"Segmentations to begin with: {names}.")
    else:
        warn(f"No segmentation is proposed: {found.why_no_segmentation}.")
    for question in found.questions:
        warn(f"Please check in {path.name}: {question.text}")
    plain(f"{path} is written; look it over, then: {command('run', path.parent)}")


def overview(found: Overview, report: Path) -> None:
    """What a run ends with: the base, the primary segmentation, caveats, and where the report is."""
    for reconciliation in found.reconciliations:
        _reconciliation(reconciliation, found.currency)
    for summary in found.segmentations:
        if summary.name == found.primary:
            segments(summary, found.currency)
    others = [s for s in found.segmentations if s.name != found.primary]
    if others:
        plain(
            "Also: "
            + "; ".join(f"{s.name} ({words.counted(len(findings.segments_of(s)), 'segments')})" for s in others)
            + "."
        )
    for caveat in found.caveats[:8]:
        warn(f"Note: {caveat}")
    if len(found.caveats) > 8:
        warn(agree(len(found.caveats) - 8, "… and {n} more [note|notes] in the report."))
    if found.quality:
        worth_a_look = [c for c in found.quality.concerns if c.finding.severity != "note" and not c.finding.accepted]
        if worth_a_look:
            warn(f"Data quality: {words.counted(len(worth_a_look), 'warnings')}: `segmentry check` tells them.")
    plain(f"{findings.headline(found)}\nReport: {report}")


def reconciliations(found: Sequence[Reconciliation], currency: str) -> None:
    """From raw rows to customers, source by source."""
    for each in found:
        _reconciliation(each, currency)


def _reconciliation(found: Reconciliation, currency: str) -> None:
    files = words.counted(found.files, "files")
    right = ("rows", "customers", "amount", "share")
    plain(f"\n{found.source}: {found.kind} from {files}")  # a title would be wrapped to the width of the table
    lines = [
        (
            Text("  " * step.level + step.label),
            "" if step.rows is None else f"{step.rows:,}",
            "" if step.customers is None else f"{step.customers:,}",
            "" if step.amount is None else words.exact_money(step.amount, currency),
            "" if step.share is None else words.tenths(step.share),
        )
        for step in found.steps
        if step.rows != 0
    ]
    out.print(_filled(("", *right), lines, right=right))


def segments(summary: SegmentationSummary, currency: str) -> None:
    """The segments of one segmentation."""
    value = summary.value_trait or "value"
    right = (summary.units, "share", value, "of all", "change")
    lines = [
        (
            Text(s.name),
            f"{s.customers:,}",
            words.share(s.share),
            words.money(s.value, currency),
            words.share(s.value_share),
            "" if s.change is None else words.signed(s.change),
            Text(s.action),
        )
        for s in summary.segments
    ]
    out.print(_filled(("segment", *right, "next action"), lines, title=_title(summary), right=right))
    if summary.verdict.strip(": "):
        plain(findings.verdict(summary))
    for warning in summary.warnings:
        warn(f"Note: {warning}")


def _title(summary: SegmentationSummary) -> str:
    outside = f", {summary.outside_population:,} outside its population" if summary.outside_population else ""
    return f"{summary.name} ({summary.method}, version {summary.version}) as of {summary.as_of}{outside}"


def describe(
    summary: SegmentationSummary, shown: Sequence[SegmentSummary], currency: str, notes: tuple[market.Note, ...] = ()
) -> None:
    """What sets each segment apart, and what market research says of it."""
    plain(_title(summary))
    for line in _definition(summary.purpose, summary.owner, summary.review_by, summary.as_of):
        plain(f"  {line}")
    if summary.sources:
        plain(f"  Sources: {', '.join(summary.sources)}")
    for note in market.about(notes, summary.name):
        plain(f"  Market: {note}")
    for line in bias.sentences(summary.report):
        plain(f"  {line}")
    for s in shown:
        out.print(
            Text(f"\n{s.name}", style="bold"),
            Text(agree(s.customers, f"  {{n}} [{summary.unit}|{summary.units}], {words.share(s.share)}")),
        )
        for text in (
            s.meaning,
            f"Criteria: {s.criteria}" if s.criteria else "",
            *_definition(s.purpose, s.owner, s.review_by, summary.as_of),
            f"Next: {s.action}" if s.action else "",
            *(f"Market: {note}" for note in market.about(notes, f"{summary.name}.{s.name}")),
        ):
            if text:
                plain(f"  {text}")
        table = table_of("trait", "here", "everybody", "effect (sd)", right=("here", "everybody", "effect (sd)"))
        for e in s.apart:
            unit = findings.unit_of(e)
            table.add_row(
                Text(e.title),
                words.figure(e.mean, unit, currency),
                words.figure(e.base_mean, unit, currency),
                f"{e.effect:+.2f}",
            )
        if s.apart:
            out.print(table)
        else:
            plain("  Nothing sets it apart by a fifth of a standard deviation or more.")
        for note in market.about(notes, *(e.trait for e in s.apart)):
            plain(f"  Market, about {', '.join(note.about)}: {note}")


def _definition(purpose: str, owner: str, review_by: date | None, as_of: date) -> list[str]:
    """What a segment or a segmentation is for, who answers for it, and when it is to be looked at again."""
    overdue = " (overdue)" if review_by is not None and review_by < as_of else ""
    review = f"{words.when(review_by)}{overdue}" if review_by else ""
    told = (("Purpose", purpose), ("Owner", owner), ("Review by", review))
    return [f"{what}: {text}" for what, text in told if text]


def studied(summary: SegmentationSummary, currency: str, report: Path) -> None:
    """What a fit on a sample alone found, and how everybody comes to be placed by it."""
    describe(summary, summary.segments, currency)
    kept = f"segmentations/{summary.name}/v{summary.version}.json"
    plain(f"\nReport: {report}")
    plain(f"Kept as {kept}. Where the customers are: `segmentry fit {summary.name} --artefact {kept}`.")


def reliabilities(found: Sequence[TraitCover]) -> None:
    """How far the scales and factors that a segmentation reads can be trusted."""
    told = {cover.trait.name: text for cover in found if (text := findings.reliability(cover.evidence))}
    for name, text in told.items():
        plain(f"{name}: {text}.")


def explanations(found: Sequence[Explanation]) -> None:
    """Why a customer is where it is."""
    for e in found:
        out.print(Text(f"{e.segmentation}: {e.segment}", style="bold"), Text(f" since {e.since}" if e.since else ""))
        details = [f"scores {e.score}" if e.score else "", f"fit {e.fit:.2f}" if e.fit is not None else ""]
        if e.runner_up:
            far = "" if e.margin is None else f" (margin {e.margin:.2f}: 0 is the border)"
            details.append(f"runner-up {e.runner_up}{far}")
        plain("  " + ", ".join(d for d in details if d))
        for text, weight in e.reasons:
            share = "" if weight is None else f"  [{100 * weight:.0f} % of the decision]"
            plain(f"  because {text}{share}")
        for segment, text in e.moves:
            plain(f"  would move to {segment}: {text.removeprefix('if ')}")
        if e.action:
            plain(f"  next: {e.action}")
        if len(e.stays) > 1:
            plain("  before: " + ", ".join(f"{s} {since} to {until}" for s, since, until in e.stays[:-1]))


def resolved(run: Run) -> None:
    """How many customers and organisations stand behind how many ids, what joined them, and who belongs to whom."""
    plain(f"{words.counted(run.rows['golden_customers'], 'customers')} behind {run.rows['identities']:,} ids.")
    _links(run.facts["links"], "customers", "identity")
    if found := run.facts.get("accounts"):
        _organisations(found, run.rows)
    plain("`segmentry explain --identity ID` shows what joined one; `same` and `different` of identity overrule it.")


def _links(links: Mapping[str, Any], what: str, key: str) -> None:
    if not links:
        plain(
            f"No links of {what} were looked for: all sources share their ids. `link: always` of {key} looks for them."
        )
        return
    found = links["facts"]
    table = table_of("joined by", "pairs", title=f"Links of {what}", right=["pairs"])
    for how, pairs in sorted(found["pairs"].items(), key=lambda item: -item[1]):
        table.add_row(how, f"{pairs:,}")
    out.print(table)
    if found["merged"] or found["split"]:
        plain(
            agree(found["merged"], "Since the last time {n} [id was|ids were] merged and ")
            + f"{found['split']:,} split off."
        )


def _organisations(found: Mapping[str, Any], rows: Mapping[str, int]) -> None:
    accounts = rows["golden_accounts"]
    plain(f"\n{words.counted(accounts, 'organisations')} behind {rows['account_identities']:,} ids.")
    _links(found["kept"]["links"], "organisations", "identity.accounts")
    if found["owned"]:
        deep = words.counted(found["deepest"], "levels")
        plain(f"{found['owned']:,} of them belong to another one; the deepest group goes {deep} down.")
    for problem, n in found["problems"].items():
        warn(f"{words.counted(n, 'parents')} not taken: {problem}. `segmentry show golden_accounts` has it.")
    attached = sum(found["contacts"].values())
    how = ", ".join(f"{n:,} by {how}" for how, n in sorted(found["contacts"].items(), key=lambda item: -item[1]))
    plain(f"{attached:,} of {rows['golden_customers']:,} customers belong to one{': ' + how if how else ''}.")


def identity(found: IdentityExplanation) -> None:
    """Which ids are one customer or account, what joined them, and where each field is from."""
    what = "organisation, " if found.unit == "account" else ""
    plain(f"{found.customer_id}: {what}{words.counted(len(found.ids), 'ids')}.")
    for each in found.ids:
        plain(f"  {each}")
    for name, text in found.about:
        plain(f"{name}: {text}")
    for link in found.links:
        plain(f"{link.left} and {link.right}: {link.how}, probability {link.probability:.4f}")
        for field, level, weight in link.evidence:
            plain(f"  {field}: {level}, {weight:+.1f} ({_odds(weight)})")
    if found.fields:
        table = table_of("field", "value", "from", "id", "by", title="Golden record")
        for f in found.fields:
            table.add_row(f.name, Text(str(f.value)), f.source, Text(f.id), f.rule.replace("_", " "))
        out.print(table)
    for day, change, reason in found.changes:
        plain(f"{day}: {change} ({reason})")


def _odds(weight: float) -> str:
    """A weight of evidence as odds: +3 is 8 to 1 for the same person."""
    odds = float(2.0 ** min(abs(weight), 40))
    figure = f"{odds:,.0f}" if odds >= 10 else f"{odds:.1f}"
    return f"{figure} to 1" if weight >= 0 else f"1 to {figure}"


def traits(found: Sequence[TraitCover], models: Mapping[str, Learned]) -> None:
    """The traits with model, kind, unit, fill rate and description; and which models could not be learned."""
    for unit, title in (("customer", "Traits"), ("account", "Traits of accounts")):
        mine = sorted((c for c in found if c.of == unit), key=lambda c: (c.trait.model, c.trait.name))
        if unit == "account" and not mine:
            continue
        table = table_of("model", "trait", "kind", "unit", "known", "description", title=title, right=["known"])
        for cover in mine:
            t = cover.trait
            known = "absent" if cover.absent else words.share(cover.fill_rate)
            table.add_row(t.model, Text(t.name), t.kind, t.unit, known, Text(t.description))
        out.print(table)
    _reliabilities(found)
    for cover in found:
        if cover.absent:
            warn(f"{cover.trait.name} is absent: {cover.absent}.")
    for name, model in models.items():
        if model.refused:
            warn(f"No traits of {name}: {model.refused}")


def _reliabilities(found: Sequence[TraitCover]) -> None:
    """How reliable the scores of scales and factors are, and what is wrong with their items."""
    columns = ("trait", "items", "respondents", "alpha", "95 % interval", "omega", "verdict")
    table = table_of(*columns, title="Scales and factors", right=columns[1:6])
    told = {cover.trait.name: cover.evidence for cover in found if "respondents" in cover.evidence}
    for name, of in told.items():
        low, high = of.get("alpha_interval", (None, None))
        figures = (_decimals(of.get("alpha")), f"{low:.2f} to {high:.2f}" if low is not None else "")
        row = (f"{len(of['items'])}", f"{of['respondents']:,}", *figures, _decimals(of.get("omega")))
        table.add_row(Text(name), *row, of.get("verdict", ""))
    if told:
        out.print(table)
    for name, of in told.items():
        if of.get("refused"):
            warn(f"{name}: no reliability. {of['refused']}")
        if of.get("against"):
            warn(f"{name}: {', '.join(of['against'])} speaks against the other items. Does it belong under `reverse`?")


def _decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def themes(found: Sequence[ThemeSummary]) -> None:
    """The themes, most written about first, each with its words and its typical texts below."""
    plain(f"{len(found)} themes of what customers write, by their share of the texts that are about any")
    for each in found:
        theme = each.theme
        plain(f"\n{words.share(each.share)} {theme.label} ({theme.language}, trait {each.trait})")
        plain(f"  words: {', '.join(theme.words)}")
        for quote in each.quotes:
            plain(f"  “{quote}”")
        if not each.quotes:
            plain(f"  no typical texts: fewer than {LEAST_CUSTOMERS} customers mostly write about it")


def command(rest: str, root: Path | None = None) -> str:
    """A command to paste, as this program was started: perhaps from a folder of scripts that is not searched."""
    script, start, found = Path(sys.argv[0]), "segmentry", shutil.which("segmentry")
    if script.parts[-2:] == ("segmentry", "__main__.py"):
        start = "python -m segmentry"
    elif script.name == "segmentry" and (found is None or not script.exists() or not script.samefile(found)):
        start = shlex.quote(sys.argv[0])
    return f"{start} {rest}{option(root) if root else ''}"


def option(root: Path) -> str:
    """``-w`` and the workspace, from here where it is below; nothing where it is here."""
    whole = root.resolve()
    if whole == Path.cwd():
        return ""
    shown = whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else root
    return f" -w {shlex.quote(str(shown))}"
