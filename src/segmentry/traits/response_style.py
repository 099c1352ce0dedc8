"""How customers fill in questionnaires, whatever these ask: Baumgartner and Steenkamp (2001), "Response styles".

Only matrices of rating items tell a style; a single question tells an opinion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from segmentry import engine
from segmentry.catalogue import TRAITS
from segmentry.traits import answers
from segmentry.traits.answers import STRAIGHT, Block, Question
from segmentry.traits.known import KEY, Part, column

_AGREEMENT = "agreement"


def traits(rows: ir.Table, asked: Mapping[str, Mapping[str, Question]]) -> Part:
    """The traits of response style, where there is a matrix long enough."""
    found = {survey: answers.blocks(survey, of.values()) for survey, of in asked.items()}
    long = {survey: [b for b in of if len(b.items) >= STRAIGHT] for survey, of in found.items()}
    matrices = [block for of in long.values() for block in of]
    if not matrices:
        return Part()
    every = ibis.union(*(_by_matrix(rows, survey, of) for survey, of in long.items() if of))
    per = every.group_by(KEY).agg(**{name: every[name].sum() for name in every.columns if name != KEY})
    enough, null = per["rated"] >= STRAIGHT, ibis.null("float64")
    made = {
        "acquiescence": (per["statements"] >= STRAIGHT).ifelse(engine.ratio(per["agreed"], per["statements"]), null),
        "extreme_response": enough.ifelse(engine.ratio(per["ends"], per["rated"]), null),
        "straight_lining": (per["long"] > 0).ifelse(per["varied"] == 0, ibis.null("boolean")),
    }
    if all(block.family != _AGREEMENT for block in matrices):
        del made["acquiescence"]
    return Part(passes=(per.select(KEY, **made),), traits={TRAITS[name]: column(name) for name in made})


def _by_matrix(rows: ir.Table, survey: str, matrices: Sequence[Block]) -> ir.Table:
    """Customer by matrix: items rated, among them statements, those agreed with, ends of the scale, any variation."""
    numbers = {item: block.numbers for block in matrices for item in block.items}
    last = answers.latest(rows, survey, numbers)
    question, number = last["question"], last["number"]
    of_block = [(question.isin(block.items), place) for place, block in enumerate(matrices)]
    statement = [question.isin(block.items) for block in matrices if block.family == _AGREEMENT]
    said = ibis.or_(*statement) if statement else ibis.literal(False)
    end = [question.isin(b.items) & ((number == b.low) | (number == b.high)) for b in matrices]
    above = [question.isin(b.items) & (number * 2 > b.low + b.high) for b in matrices]
    each = last.filter(number.notnull()).select(
        KEY,
        "number",
        matrix=ibis.cases(*of_block),
        statement=said,
        agreed=said & ibis.or_(*above),
        end=ibis.or_(*end),
    )
    found = each.group_by([KEY, "matrix"]).agg(
        rated=each.count(),
        statements=engine.count_where(each["statement"]),
        agreed=engine.count_where(each["agreed"]),
        ends=engine.count_where(each["end"]),
        least=each["number"].min(),
        most=each["number"].max(),
    )
    long = found["rated"] >= STRAIGHT
    varied = long & (found["least"] < found["most"])
    return found.select(
        KEY, "rated", "statements", "agreed", "ends", long=long.cast("int32"), varied=varied.cast("int32")
    )
