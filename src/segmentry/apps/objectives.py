"""Objectives at the terminal: who behaves so, what goes with it, ideal customers, and how good the score is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from segmentry.apps import bias, terminal, words
from segmentry.data import market
from segmentry.data.market import Note
from segmentry.segment.objectives import Aim, Favourable
from segmentry.wording import agree

NOTHING = "There are no objectives: add `objectives` to segmentry.yaml, then run `segmentry run`."
_SHOWN = 10


def as_json(found: Sequence[Aim], notes: tuple[Note, ...]) -> list[dict[str, Any]]:
    """Every objective with the market evidence about it, as plain values."""
    said = ([note.model_dump(mode="json") for note in market.about(notes, aim.name)] for aim in found)
    return [{**aim.to_json(), "notes": about} for aim, about in zip(found, said, strict=True)]


def show(found: Sequence[Aim], notes: tuple[Note, ...]) -> None:
    """Every objective with the market evidence about it, as the report tells it."""
    if not found:
        terminal.plain(NOTHING)
    for aim in found:
        for line in (*summary(aim), *bias.of_score(aim.bias)):
            terminal.plain(line)
        for note in market.about(notes, aim.name):
            terminal.plain(f"Market: {note}")
        for warning in aim.warnings:
            terminal.warn(warning)
        _favourable(aim)
        _ideals(aim)
        _deciles(aim)


def summary(aim: Aim) -> list[str]:
    """An objective in sentences: how many meet it, on what the rest stands, how good the score is."""
    product = f" ({aim.product})" if aim.product else ""
    who = f"{aim.customers:,} {aim.unit}s" + (f" with {aim.population}" if aim.population else "")
    meet = f"{aim.meets:,} of {who} meet {aim.behaviour} ({words.share(aim.share)})."
    if aim.rows < aim.customers:
        meet += f" Learned on {aim.rows:,} of them, {aim.met_rows:,} of whom meet it; shares and lifts are of all."
    lines = [
        f"{words.spoken(aim.name)}{product}: {meet}",
        f"Traits of {aim.horizon:,} days before tell it: they came first."
        if aim.horizon
        else "Traits and behaviour are of the same day: they go together, which is no proof of what comes first.",
        f"{aim.tried:,} conditions were tried on customers held out; {len(aim.favourable):,} hold after correction for "
        f"their number (Benjamini-Hochberg, 5 %). "
        + agree(len(aim.left_out), "{n} [trait|traits] would give the behaviour away and [was|were] left out.")
        + (f" Protected, so without a say: {words.listing(aim.protected)}." if aim.protected else ""),
    ]
    if aim.judged is None:
        lines.append(f"There is no look-alike score. {aim.refused}")
    else:
        judged, read = aim.judged, ", ".join(t.replace("_", " ") for t in aim.traits)
        lines.append(
            f"The look-alike score reads {read}. On customers held out its AUC is {judged.auc:.2f} (95 % from "
            f"{judged.auc_low:.2f}), and the best tenth by it behaves so {judged.lift[0]:.1f} times as often as "
            f"everybody; its calibration slope is {judged.slope:.2f} (1: it means what it says)."
        )
    return lines


def shown(aim: Aim) -> tuple[Favourable, ...]:
    """The conditions that go with the behaviour, strongest first, as many as are for reading."""
    return tuple(f for f in aim.favourable if round(f.lift, 1) > 1)[:_SHOWN]


def _favourable(aim: Aim) -> None:
    if not shown(aim):
        return
    right = ("support", "behave so", "lift", "effect", "p")
    table = terminal.table_of("favourable trait", *right, title="What goes with it, on customers held out", right=right)
    for f in shown(aim):
        table.add_row(
            Text(f.text),
            words.share(f.support),
            words.share(f.share),
            f"{f.lift:.1f}",
            f"{f.effect:.2f}",
            f"{f.p:.2g}",
        )
    terminal.out.print(table)


def _ideals(aim: Aim) -> None:
    if not aim.ideals:
        return
    right = ("customers", "behave so", "lift")
    by = aim.by.replace("_", " ")
    table = terminal.table_of(by, *right, "what they have in common", title=f"Ideal customers by {by}", right=right)
    for i in aim.ideals:
        common = "; ".join(i.traits)
        table.add_row(Text(i.group), f"{i.customers:,}", words.share(i.share), f"{i.lift:.1f}", Text(common))
    terminal.out.print(table)


def _deciles(aim: Aim) -> None:
    if aim.judged is None:
        return
    right = ("expected", "seen", "lift")
    table = terminal.table_of("tenth by score", *right, title="The score on customers held out", right=right)
    rows = zip(aim.judged.expected, aim.judged.seen, aim.judged.lift, strict=True)
    for place, (expected, seen, lift) in enumerate(rows, start=1):
        table.add_row(str(place), words.share(expected), words.share(seen), f"{lift:.1f}")
    terminal.out.print(table)
