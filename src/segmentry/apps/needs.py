"""Needs at the terminal: benefits, unmet needs by product and segment, NPS, CSAT and CES."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from segmentry.apps import terminal, words
from segmentry.target.needs_report import NeedsReport
from segmentry.target.satisfaction import Score
from segmentry.target.unmet_needs import EVERYBODY, FEWEST, UnmetNeed, of_product, worst

_SHOWN = 15  # groups, those with the most of an opportunity first
_ANY = "any"


def show(found: NeedsReport, product: str | None = None) -> None:
    """Benefits, needs of everybody, the groups whose needs are met worst, satisfaction by segment."""
    if found.benefits:
        _benefits(found)
    if found.refused:
        terminal.warn(f"No utilities of benefits: {found.refused}")
    needs = of_product(found.needs, product)
    if needs:
        _needs([n for n in needs if n.segment == EVERYBODY and n.product == (product or "")], "Needs of everybody")
        grouped = [n for n in needs if n.segment != EVERYBODY]
        _needs(worst(grouped)[:_SHOWN], f"Where needs are met worst, by segment of {found.segmentation}")
        few = sum(n.n is None for n in grouped)
        if few:
            terminal.plain(f"{few:,} groups of fewer than {FEWEST} people are not shown.")
    if found.scores:
        _scores(found.scores)
    for note in found.notes:
        terminal.warn(note)


def _benefits(found: NeedsReport) -> None:
    table = terminal.table_of(
        "benefit", "utility", "standard error", "share of preference", title="Benefits sought (MaxDiff)",
        right=("utility", "standard error", "share of preference"),
    )  # fmt: skip
    for b in found.benefits:
        table.add_row(Text(b.name), f"{b.utility:+z.2f}", f"{b.standard_error:.2f}", words.share(b.share))
    terminal.out.print(table)


def _needs(needs: Sequence[UnmetNeed], title: str) -> None:
    if not needs:
        return
    numbers = ("people", "importance", "satisfaction", "opportunity", "unmet")
    table = terminal.table_of("need", "product", "segment", *numbers, title=title, right=numbers)
    for n in needs if needs[0].segment != EVERYBODY else worst(needs):
        if n.opportunity is None:
            continue
        table.add_row(
            Text(n.need),
            Text(n.product or _ANY),
            Text(n.segment),
            f"{n.n:,}",
            f"{n.importance:.1f}",
            f"{n.satisfaction:.1f}",
            f"{n.opportunity:.1f} ({n.low:.1f} to {n.high:.1f})",
            words.share(n.unmet_share),
        )
    terminal.out.print(table)
    for n in needs:
        for quote in n.quotes[:1]:
            terminal.plain(f"{n.need}, {n.segment}: “{quote}”")


def _scores(scores: Sequence[Score]) -> None:
    numbers = ("people", "score", "95 % interval")
    table = terminal.table_of("measure", "segment", *numbers, title="Satisfaction", right=numbers)
    for s in scores:
        if s.value is not None:
            table.add_row(
                s.measure.upper(), Text(s.segment), f"{s.n:,}", f"{s.value:.1f}", f"{s.low:.1f} to {s.high:.1f}"
            )
    terminal.out.print(table)
