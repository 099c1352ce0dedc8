"""Themes of what customers write in their own words: answers to open questions, tickets, reviews.

``said.py`` collects the texts, ``learning.py`` finds the themes in a sample of them and freezes them, ``model.py`` says
how much of each theme is in a text, ``quotes.py`` shows typical ones. Here a customer's texts are put together.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import TRAITS, Trait, member
from segmentry.traits.known import KEY, Expression, Known, Part
from segmentry.traits.themes.learning import LEAST_CUSTOMERS, NAME, THEMES
from segmentry.traits.themes.model import ThemeModel
from segmentry.traits.themes.quotes import ThemeSummary, summaries
from segmentry.traits.themes.said import said

__all__ = ["LEAST_CUSTOMERS", "NAME", "THEMES", "ThemeSummary", "summaries", "traits"]

_COUNT, _ALL = "texts_written", "theme_units"


def traits(known: Known) -> Part:
    """The share of each theme in what a customer wrote, the main one, and how many texts there are."""
    texts = said(known)
    if NAME not in known.learned or texts is None:
        return Part()
    model = ThemeModel.from_json(known.learned[NAME])
    texts = texts.filter(texts["kind"].isin(model.kinds))
    different = texts.select("text_id", "kind", "language", "text").distinct()
    scored = engine.through_python(different, "text_themes", model.schema, model.scored)
    if not int(scored.count().to_pyarrow().as_py()):
        return Part()
    columns = [f"theme_{i}" for i in range(len(model.themes))]
    rows = texts.select(KEY, "text_id").inner_join(scored, "text_id")
    sums = {name: rows[name].sum().cast("int64") for name in columns}
    per_customer = rows.group_by(KEY).agg(**{_COUNT: rows.count()}, **sums)
    total = sum((per_customer[name] for name in columns[1:]), start=per_customer[columns[0]])
    made: dict[Trait, Expression] = {
        TRAITS["texts"]: lambda row: row[_COUNT].fill_null(0),
        TRAITS["main_theme"]: _main(columns, [theme.label for theme in model.themes]),
    }
    shares = {member("theme_*", theme.label): _share(name) for name, theme in zip(columns, model.themes, strict=True)}
    return Part(passes=(per_customer.mutate(**{_ALL: total}),), traits={**made, **shares})


def _share(column: str) -> Expression:
    return lambda row: engine.ratio(row[column], row[_ALL])


def _main(columns: list[str], labels: list[str]) -> Expression:
    """The label of the largest; of equal ones the theme that is more frequent among all texts, which comes first."""

    def value(row: ir.Table) -> ir.Value:
        largest = ibis.greatest(*(row[name] for name in columns)) if len(columns) > 1 else row[columns[0]]
        cases = [(row[name] == largest, label) for name, label in zip(columns, labels, strict=True)]
        return (row[_ALL] > 0).ifelse(ibis.cases(*cases), ibis.null("string"))

    return value
