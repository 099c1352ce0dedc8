"""How the number of segments was chosen, in sentences: from ``SegmentationSummary.report`` (``segment.choose``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segmentry.apps import findings, words
from segmentry.target.profiles import SegmentationSummary
from segmentry.wording import agree


def story(summary: SegmentationSummary) -> list[str]:
    """What was tried and how, why not more segments, which segments to trust most and least, what was refused.

    Empty where a method gives no such evidence.
    """
    panel: Sequence[Mapping[str, Any]] = summary.report.get("panel") or ()
    judged: Sequence[Mapping[str, Any]] = summary.report.get("judged") or ()
    segments = findings.segments_of(summary)
    if not panel or len(judged) != len(segments):
        return []
    found = [_tried(summary, panel), _not_more(summary, panel), _trusted([s.name for s in segments], judged)]
    return [*filter(None, found), *_refusals(summary)]


def _tried(summary: SegmentationSummary, panel: Sequence[Mapping[str, Any]]) -> str:
    pairs = sorted({len(row["ari"]) for row in panel})
    often = f"{pairs[0]} pairs" if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]} pairs"
    rows = summary.report.get("panel_rows")
    of = f" of {rows:,} {summary.units}" if rows else ""
    how = f"on {often} of resamples{of}, with the best of {panel[0]['starts']} starts on each"
    k = len(findings.segments_of(summary))
    if summary.report.get("asked"):
        return f"{k} segments were asked for. How well they come back was measured {how}."
    return f"{panel[0]['k']} to {panel[-1]['k']} segments were tried, {how}."


def _not_more(summary: SegmentationSummary, panel: Sequence[Mapping[str, Any]]) -> str:
    """Why the numbers around the chosen one were not taken."""
    k = len(findings.segments_of(summary))
    passed: Sequence[int] = summary.report.get("passed") or ()
    if summary.report.get("asked") or k not in passed:
        return ""
    fewer, also = [str(p) for p in passed if p < k], ""
    if fewer:
        taken = "; the largest number that passes is taken" if k == max(passed) else ""
        also = f"{words.listing(fewer)} {'passes' if len(fewer) == 1 else 'pass'}, too{taken}. "
    failed = next((row for row in panel if row["k"] > k and row["failures"]), None)
    if failed is None:
        return also.strip()
    return f"{also}{failed['k']} do not pass: {'; '.join(failed['failures'])}."


def _trusted(names: Sequence[str], judged: Sequence[Mapping[str, Any]]) -> str:
    order = sorted(range(len(names)), key=lambda i: -float(judged[i]["jaccard"]))
    best, worst = order[0], order[-1]
    told = [f"{names[i]} ({judged[i]['jaccard']:.2f}, {judged[i]['trust']})" for i in (best, worst)]
    return f"The segment that comes back best is {told[0]}, the one that comes back least {told[1]}."


def _refusals(summary: SegmentationSummary) -> list[str]:
    """For each number of segments that was refused: why, and where these customers are now."""
    segments = findings.segments_of(summary)
    found = []
    for each in summary.report.get("refused") or ():
        reasons = []
        for why, went in zip(each["why"], each.get("went") or [None] * len(each["why"]), strict=True):
            moved = ""
            if went is not None and went["into"] < len(segments):
                of = agree(went["customers"], f"[this|these] {{n}} [{summary.unit}|{summary.units}]")
                moved = f" {words.share(went['share'])} of {of} are now in {segments[went['into']].name}."
            reasons.append(f"{why}{moved}")
        found.append(
            f"{each['k']} segments were refused, and fewer formed anew: {' And '.join(dict.fromkeys(reasons))}"
        )
    return found
