"""Cross-tabulations: who the members of segments are in what did not form them.

Dolnicar, Grün & Leisch (2018), chapter 9.
Read from the figures by segment that the report has; nothing is counted anew.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from segmentry.apps import findings, words
from segmentry.stats.association import cramers_v, independence
from segmentry.stats.lookalike import corrected
from segmentry.target.profiles import SegmentationSummary, TraitEffect

_MOST = 5  # descriptors that are shown: those that go with the segments most
_SMALLEST = 0.05  # Cramér's V: below, a descriptor says next to nothing of the segments
_RARE = "all other answers"


@dataclass(frozen=True)
class CrossTab:
    """One descriptor by segment: a row per level with its share in every segment and among all.

    ``association`` is Cramér's V, 0 to 1; ``p`` of a chi-square test, corrected for the descriptors that were looked
    at (Benjamini & Hochberg 1995).
    """

    trait: str
    association: float
    p: float
    segments: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def told(self) -> str:
        """The finding in a sentence."""
        how = next(word for least, word in _STRENGTHS if self.association >= least)
        chance = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        figures = f"Cramér's V {self.association:.2f}, {chance}"
        return f"{words.sentence(self.trait)} and the segments go together {how} ({figures})"


_STRENGTHS = (
    (0.5, "strongly"),
    (0.3, "clearly"),
    (0.1, "weakly"),
    (0.0, "hardly"),
)  # Cohen 1988, one degree of freedom


def crosstabs(summary: SegmentationSummary) -> tuple[CrossTab, ...]:
    """The categories and yes/no traits that did not form the segments, those that go with them most first.

    Empty where people set the segments themselves: then nothing is a descriptor by construction.
    """
    if not summary.report.get("judged"):
        return ()
    names = [s.name for s in findings.segments_of(summary) if s.customers]
    by_trait: dict[str, dict[str | None, dict[str, TraitEffect]]] = defaultdict(lambda: defaultdict(dict))
    for effect in summary.effects:
        if effect.trait not in summary.variables and effect.kind in ("category", "boolean") and effect.segment in names:
            by_trait[effect.trait][effect.level][effect.segment] = effect
    if len(names) < 2:
        return ()
    tested = [found for trait, levels in by_trait.items() if (found := _tested(trait, levels, names))]
    ps = corrected([each.p for each in tested])
    told = [replace(each, p=p) for each, p in zip(tested, ps, strict=True) if each.association >= _SMALLEST]
    return tuple(sorted(told, key=lambda each: (-each.association, each.trait))[:_MOST])


def _tested(trait: str, levels: dict[str | None, dict[str, TraitEffect]], names: list[str]) -> CrossTab | None:
    counts: dict[str, list[float]] = {}
    known = [max((found[name].n for found in levels.values() if name in found), default=0) for name in names]
    for level, found in levels.items():
        mine = [(found[name].mean or 0.0) * found[name].n if name in found else 0.0 for name in names]
        counts["yes" if level is None else level] = mine
    rest = [max(0.0, n - sum(mine[i] for mine in counts.values())) for i, n in enumerate(known)]
    if sum(rest) >= 0.5:  # levels too rare to be profiled, or who said no
        counts["no" if list(levels) == [None] else _RARE] = rest
    everybody = sum(known)
    if len(counts) < 2 or not everybody:
        return None
    cells = list(counts.values())
    rows = [
        (level, (*(words.share(c / n if n else None) for c, n in zip(mine, known, strict=True)),
                 words.share(sum(mine) / everybody)))
        for level, mine in counts.items()
    ]  # fmt: skip
    title = trait.replace("_", " ")
    return CrossTab(title, cramers_v(cells, everybody), independence(cells), tuple(names), tuple(rows))
