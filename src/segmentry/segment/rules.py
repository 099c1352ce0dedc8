"""Segments by conditions that a person writes: ordered, exclusive, with an explicit rest."""

from __future__ import annotations

from segmentry import expressions
from segmentry.config import Rules
from segmentry.placement import Cascade
from segmentry.segment import linter
from segmentry.segment.fitting import Fitted, Learning, require_kinds
from segmentry.segmentation import Segment


def fit(settings: Rules, learning: Learning) -> Fitted:
    """Check the conditions against the traits there are.

    Raises :class:`ConfigError` for a trait that does not exist, for a condition that is none, and for one that compares
    what is of two kinds.
    """
    used: dict[str, str] = {}
    rules: list[tuple[str, expressions.Expression]] = []
    segments = []
    for i, item in enumerate(settings.segments):
        where = f"{learning.where}.segments.{i}.where"
        condition = expressions.parse(item.where, where=where)
        condition = condition.resolve(learning.specs, listed="`segmentry show traits` lists them.")
        require_kinds(condition, learning.specs)
        rules.append((item.name, condition))
        used |= {name: learning.specs[name].kind for name in condition.columns}
        criteria = expressions.reads_as(condition, lambda name: name.replace("_", " "))
        texts = item.model_dump(exclude={"name", "where"})
        segments.append(Segment(name=item.name, criteria=criteria, **texts))
    segments.append(Segment(name=settings.rest, criteria="none of the conditions above holds"))
    rule = Cascade(tuple(condition.sql() for _, condition in rules), len(rules), tuple(used.items()))
    doubts = [f for f in linter.without_data(rules, learning.specs) if f.level != "note"]
    report = {
        "verdict": "constructive",
        "because": "The segments were set by rule.",
        **({"warnings": [f"{' and '.join(f.rules)}: {f.text}. {f.fix}" for f in doubts]} if doubts else {}),
    }
    return Fitted(rule, tuple(segments), report)
