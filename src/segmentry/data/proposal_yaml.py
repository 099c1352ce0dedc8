"""A proposal as the text of a segmentry.yaml, with comments that say how sure each guess is and what was left out.

The text is written by hand rather than dumped: people read it before they run it. Comments name columns, never values
of personal columns.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from segmentry.columns import Type
from segmentry.data.defaults import SegmentationProposal, lifecycle_days
from segmentry.data.known_exports import NO_ACCOUNT
from segmentry.data.mapping import Mapped
from segmentry.data.proposal import Proposal, as_config
from segmentry.data.recognise import SourceProposal
from segmentry.tables import TABLES

_WIDTH = 116
_PLAIN = re.compile(r"(?:\.{0,2}/)*[A-Za-z_][A-Za-z0-9_./*+()-]*(?: [A-Za-z0-9_./*+()-]+)*")
# What YAML 1.1 or 1.2 would read as something other than text.
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"))


def to_yaml(proposal: Proposal) -> str:
    """The text of segmentry.yaml for a proposal; :func:`segmentry.config.parse` reads it."""
    lines = [*_head(proposal)]
    if proposal.several_ids:
        lines += ["", "identity:", f"  link: always    # {proposal.several_ids}"]
    lines += ["", "sources:"]
    for source in proposal.sources:
        lines += [*_source(source), ""]
    if not any(source.kind == "transactions" for source in proposal.sources):
        lines.pop()
    days = lifecycle_days(proposal.rhythm) if any(s.kind == "transactions" for s in proposal.sources) else None
    if days is not None:
        lines += _comment(f"Where the stages of the customer life cycle end, in days: {days.comment}.", 0)
        lines += [f"lifecycle_days: {{new: {days.new}, active: {days.active}, lapsed: {days.lapsed}}}"]
    found = proposal.segmentations
    if found:
        lines += ["", "segmentations:"]
        for i, segmentation in enumerate(found):
            lines += ([""] if i else []) + list(_segmentation(segmentation))
    else:
        lines += ["", *_comment(f"No segmentation is proposed: {proposal.why_no_segmentation}.", 0)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _head(proposal: Proposal) -> Iterator[str]:
    yield from _comment(
        "Written by `segmentry init`. Change what you like; `segmentry run` is the next command. The numbers from 0 to "
        "1 say how sure a guess is.",
        0,
    )
    checks = sum(1 for s in proposal.sources for m in s.columns.values() if m.check)
    checks += sum(1 for s in proposal.sources if s.day_doubt)
    if checks:
        yield from _comment(f"Search for 'please check': {checks} guess{'es' if checks > 1 else ''} may be wrong.", 0)
    for note in proposal.notes:
        yield from _comment(note, 0)
    for left_out in proposal.left_out:
        yield from _comment(f"Left out: {left_out.path} ({left_out.reason.rstrip('.')}).", 0)
    yield "version: 1"
    yield f"name: {_scalar(proposal.name)}"
    yield "as_of: latest    # the day of the last record; or a date such as 2024-12-31"
    if proposal.currency:
        yield f"currency: {proposal.currency}    # as a column says; amounts are shown in it, not converted"
    else:
        yield "# currency: EUR    # amounts are shown in it, not converted"
    if proposal.primary:
        yield f"primary: {proposal.primary}    # the segmentation shown first"


# Sources --------------------------------------------------------------------------------------------------------------


def _source(source: SourceProposal) -> Iterator[str]:
    config = as_config(source)
    yield f"  {source.name}:"
    reasons = "; ".join(source.reasons)
    yield from _comment(f"{source.kind} ({source.confidence:.2f}): {reasons}{_check(source.confidence < 0.6)}.", 4)
    if not source.table.complete:
        yield from _comment(f"Recognised from the first {source.table.rows:,} records.", 4)
    for note in (*source.notes, *(f"Please check: {doubt}." for doubt in source.doubts)):
        yield from _comment(note, 4)
    yield f"    kind: {source.kind}"
    if source.origin is None:
        yield from _path(config["path"])
    else:
        yield from _table(config)
    if source.sheet is not None:
        yield f"    sheet: {_scalar(source.sheet)}"
    yield from _layout(config)
    if "key" in config:
        yield f"    key: {_scalar(config['key'][0])}    # a record that is delivered again counts once"
        yield f"    keep: {config['keep']}"
    yield from _columns(source)
    yield from _times(source)
    yield from _set_aside(config)
    if source.id_space is not None:
        yield from _commented(f"    id_space: {source.id_space}", source.id_space_note, 4)
    for key, note in (("returns", source.return_note), ("charges", source.charge_note)):
        if key in config:
            yield from _comment(f"{note}.", 4)
            yield f"    {key}: {_scalar(config[key])}"
    yield from _attributes(source)
    if source.left_out:
        what = ", ".join(f"{_clean(name)} ({reason})" for name, reason in source.left_out)
        yield from _comment(f"Left out: {what}.", 4)
    if source.pii:
        meaning = "direct names one person, quasi does in combination, sensitive is what people expect to be kept."
        yield from _comment(f"Personal columns of the file, masked when shown: {meaning}", 4)
        yield "    pii:"
        lines = {column: f"      {_scalar(column)}: {pii.value}" for column, pii in source.pii.items()}
        beside = max((len(line) for line in lines.values() if len(line) <= 48), default=0) + 2
        for column, line in lines.items():
            yield from _commented(line, source.pii_why.get(column, "a fact about the person"), 6, beside)


def _path(path: str | list[str]) -> Iterator[str]:
    if isinstance(path, str):
        yield f"    path: {_scalar(path)}" + ("    # new files that fit are read, too" if "*" in path else "")
        return
    yield "    path:"
    for one in path:
        yield f"      - {_scalar(one)}"


def _table(config: dict[str, Any]) -> Iterator[str]:
    yield f"    url: {_scalar(config['url'])}"
    yield f"    table: {_scalar(config['table'])}"
    if "cursor" in config:
        yield f"    cursor: {_scalar(config['cursor'])}    # a run reads on from its last value"
    else:
        yield "    # cursor: updated_at    # a column that only grows: without one, everything is read in every run"
    yield "    # key: id    # what names a record: its next version replaces the former"


_LAYOUTS = {
    "answers_in_columns": "a row is a respondent; every filled cell that is an answer becomes a row",
    "measures_in_columns": "a row is a cell of the market; every figure of it becomes a row",
    "customers_in_rows": "no column names the customer: _row is an id made of what the row holds",
    "ga4_events": "the parameters of an event stand in a list; they become columns",
}


def _layout(config: Mapping[str, Any]) -> Iterator[str]:
    """How the rows of the file become records, where they are not."""
    if "layout" not in config:
        return
    yield from _commented(f"    layout: {config['layout']}", _LAYOUTS[config["layout"]], 4)
    answers = config.get("answers", {})
    if answers:
        yield "    answers:"
    if "leave_out" in answers:
        yield from _texts("leave_out", answers["leave_out"], "about the response, no answers", 6)
    if "several" in answers:
        yield "      several:    # cells with several answers, and what separates them"
        for column, mark in answers["several"].items():
            yield f"        {_scalar(column)}: {_scalar(mark, flow=True)}"
    if "codes" in answers:
        yield "      codes:    # columns whose question has another name"
        for column, code in answers["codes"].items():
            yield f"        {_scalar(column)}: {code}"
    if "duration" in answers:
        yield from _texts("duration", answers["duration"], "the seconds between become the answer to _duration", 6)
    if "measures" in config:
        yield from _texts("measures", config["measures"], "the columns of figures", 4)


def _texts(key: str, texts: Sequence[str], comment: str, indent: int) -> Iterator[str]:
    """A list on one line where it fits, else one line each."""
    space = " " * indent
    line = f"{space}{key}: [{', '.join(_scalar(text, flow=True) for text in texts)}]"
    if len(line) <= _WIDTH:
        yield from _commented(line, comment, indent)
        return
    yield from _comment(comment, indent)
    written = ", ".join(_scalar(text, flow=True).replace(" ", "\0") for text in texts)
    wrapped = textwrap.wrap(f"[{written}]", _WIDTH - indent - len(key) - 2, break_long_words=False)
    for i, part in enumerate(wrapped):
        start = f"{space}{key}: " if i == 0 else f"{space}{' ' * (len(key) + 3)}"
        yield start + part.replace("\0", " ")


def _set_aside(config: Mapping[str, Any]) -> Iterator[str]:
    if "set_aside" not in config:
        return
    yield "    set_aside:    # rows that go to quarantine, with the reason; remove a line to keep them"
    for reason, condition in config["set_aside"].items():
        yield f"      {_scalar(reason)}: {_scalar(condition)}"
    if NO_ACCOUNT in config["set_aside"]:
        yield from _comment(
            "Deals that name no account are leads. Take the # off the next line to keep them, counted apart and as no "
            "purchase, rather than in quarantine.",
            4,
        )
        yield f"    # leads: {_scalar(config['set_aside'][NO_ACCOUNT])}"


def _columns(source: SourceProposal) -> Iterator[str]:
    yield "    columns:"
    written = {target: f"      {target}: {_scalar(m.expression)}" for target, m in source.columns.items()}
    short = [len(text) for text in written.values() if len(text) <= 48]
    column = max(short, default=0) + 2
    for target, found in source.columns.items():
        yield from _commented(written[target], _why(source, target, found), 6, column)


def _why(source: SourceProposal, target: str, found: Mapped) -> str:
    text = f"{found.confidence:.2f}"
    if found.reason != "by its name":
        text += f" {found.reason}"
    filled = _filled(source, found)
    if filled < 0.995:
        missing = f"missing in {max(1.0, 100 * (1 - filled)):.0f} % of the rows"
        contract = TABLES[source.kind or "customers"][target]
        if target == "customer" and not contract.required:
            missing += ": anonymous"
        elif contract.required:
            missing += ": these rows go to quarantine"
        text += f"; {missing}"
    if found.rivals:
        text += f"; or {', '.join(_clean(name) for name in found.rivals[:4])}?"
    return text + _check(found.check)


def _filled(source: SourceProposal, found: Mapped) -> float:
    """Share of the rows that have a value: all of its columns, or any where the first filled one is taken."""
    columns = [source.table[name] for name in found.uses]
    if found.expression.startswith(("coalesce(", "concat(")) and columns:
        rows = list(zip(*(column.sample for column in columns), strict=True))
        return sum(1 for row in rows if any(row)) / max(1, len(rows))
    return min((column.fill for column in columns), default=1.0)


def _check(doubtful: bool) -> str:
    return "; please check" if doubtful else ""


def _times(source: SourceProposal) -> Iterator[str]:
    if source.day_first is not None:
        meaning = "1 February" if source.day_first else "2 January"
        doubt = f"; {_clean(source.day_doubt)} does not tell: please check" if source.day_doubt else ""
        yield from _commented(f"    day_first: {_scalar(source.day_first)}", f"01/02/2024 is {meaning}{doubt}", 4)
    contract = TABLES[source.kind or "customers"]
    if source.known is not None and source.known.timezone:
        yield f"    timezone: {source.known.timezone}    # as the file says"
    elif any(contract[target].type is Type.TIME for target in source.columns) and source.kind != "customers":
        yield "    # timezone: Europe/London    # of times that name none; without this line they count as UTC"


def _attributes(source: SourceProposal) -> Iterator[str]:
    if not source.attributes:
        return
    yield from _comment("Further columns that become traits.", 4)
    yield "    attributes:"
    for attribute, body in zip(source.attributes, as_config(source)["attributes"].values(), strict=True):
        fields = ", ".join(f"{key}: {_scalar(value, flow=True)}" for key, value in body.items())
        yield f"      {attribute.name}: {{{fields}}}"


# Segmentations --------------------------------------------------------------------------------------------------------


def _segmentation(segmentation: SegmentationProposal) -> Iterator[str]:
    yield from _comment(segmentation.comment, 2)
    yield f"  {segmentation.name}:"
    for key, value in segmentation.body.items():
        if key == "segments":
            yield "    segments:"
            for rule in value:
                fields = ", ".join(f"{k}: {_scalar(v, flow=True)}" for k, v in rule.items())
                yield f"      - {{{fields}}}"
        elif isinstance(value, list):
            yield from _list(key, value)
        elif isinstance(value, dict):
            yield f"    {key}:"
            yield from (f"      {name}: {_scalar(text)}" for name, text in value.items())
        else:
            yield f"    {key}: {_scalar(value)}"


def _list(key: str, values: Sequence[Any]) -> Iterator[str]:
    line = f"    {key}: [{', '.join(_scalar(v, flow=True) for v in values)}]"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"    {key}:"
    for value in values:
        yield f"      - {_scalar(value)}"


# Text -----------------------------------------------------------------------------------------------------------------


def _scalar(value: object, *, flow: bool = False) -> str:
    """A value as YAML: plain where that is safe, else quoted.

    >>> _scalar("MntWines + MntFruits"), _scalar("StockCode in ('M')"), _scalar('"Unit Price" * Qty'), _scalar("No")
    ('MntWines + MntFruits', '"StockCode in (\\'M\\')"', '\\'"Unit Price" * Qty\\'', '"No"')
    """
    if isinstance(value, bool | int | float):
        return str(value).lower()
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if text.isprintable() and '"' in text and not flow:
        return "'" + text.replace("'", "''") + "'"
    escaped = "".join(
        c if c.isprintable() else f"\\U{ord(c):08x}" for c in text.replace("\\", "\\\\").replace('"', '\\"')
    )
    return f'"{escaped}"'


def _clean(text: str) -> str:
    """A text that stays within its comment: no line break of any kind."""
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in text)).strip()


def _comment(text: str, indent: int) -> list[str]:
    room = _WIDTH - indent - 2
    return [f"{' ' * indent}# {line}" for line in textwrap.wrap(_clean(text), room, break_long_words=False)]


def _commented(line: str, comment: str, indent: int, column: int = 0) -> Iterator[str]:
    """A line with its comment behind it, or above where it would be too long."""
    gap = "    " if column == 0 else "  " if len(line) > column - 2 else ""
    beside = f"{line.ljust(column)}{gap}# {_clean(comment)}"
    if not comment:
        yield line
    elif len(beside) <= _WIDTH:
        yield beside
    else:
        yield from _comment(comment, indent)
        yield line
