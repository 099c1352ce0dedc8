"""Classes: answers of vanishing probability, strangers, unknown answers, and reasons that hold."""

from __future__ import annotations

import math
from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
import psycopg
import pytest
import reference

from segmentry import engine
from segmentry.placement import Classes, Item, exact, from_json, to_json
from segmentry.segmentation import Segment, Segmentation

NAMES = np.array([*"ABCD", "No good fit", "No data"], dtype=object)
DIALECTS = ("duckdb", "postgres", "snowflake", "bigquery", "spark")


RULE = reference.CLASSES


def _segmentation(rule: Classes) -> Segmentation:
    kinds = [(i.trait, "category" if i.levels else "number" if i.cuts else "boolean") for i in rule.items]
    segments = tuple(Segment(name) for name in "ABCDEFGHIJKL"[: len(rule.priors)])
    return Segmentation("needs", 1, "latent_classes", rule, segments, tuple(kinds))


def test_answers_of_vanishing_probability_neither_overflow_nor_vanish() -> None:
    sure = ((exact(math.log(1 - 1e-12)), exact(math.log(1e-12))), (exact(math.log(1e-12)), exact(math.log(1 - 1e-12))))
    rule = Classes((exact(math.log(0.5)),) * 2, tuple(Item(f"q{j}", sure) for j in range(30)), limit=-1e300)
    frame = pd.DataFrame({f"q{j}": [True, j == 0, j < 15] for j in range(30)})
    placed = _segmentation(rule).assign(frame)
    assert placed["segment"].tolist() == ["B", "A", "A"]  # the last is a tie
    assert placed["fit"].tolist() == pytest.approx([1, 1, 0.5])
    assert placed["margin"].tolist() == pytest.approx([1, 1, 0])


@pytest.mark.postgres
def test_postgresql_takes_probabilities_too_small_for_a_number(postgres_url: str) -> None:
    values = pd.DataFrame({"x": [-1000.0, -710.0, 0.0, 1000.0]})
    with psycopg.connect(postgres_url) as connection:
        con = ibis.postgres.from_connection(connection)
        found = con.to_pandas(con.create_table("small_ones", values, temp=True).select(e=engine.exp(ibis._.x)))
    assert sorted(found["e"]) == pytest.approx([math.exp(-700)] * 2 + [1.0, math.exp(700)])


def test_a_stranger_in_the_likeliest_class_has_no_good_fit_whatever_was_answered() -> None:
    mostly = tuple(tuple(exact(math.log(p)) for p in row) for row in ((0.1, 0.9), (0.9, 0.1)))
    rule = Classes((exact(math.log(0.5)),) * 2, tuple(Item(f"q{j}", mostly) for j in range(10)), limit=-3.0)
    one, half = {f"q{j}": j != 0 for j in range(10)}, {f"q{j}": j % 2 == 0 or j == 1 for j in range(10)}
    few = {f"q{j}": j % 2 == 0 if j < 5 else None for j in range(10)}
    placed = _segmentation(rule).assign(pd.DataFrame([one, half, few]).astype("boolean"))
    assert placed["segment"].tolist() == ["A", "No good fit", "A"]
    assert placed["fit"].tolist()[1] > 0.9  # far more probable than the other class, and still like nobody in it


def test_a_category_that_appears_only_later_counts_as_not_answered() -> None:
    row = {i.trait: i.levels[0] if i.levels else 30.0 if i.cuts else True for i in RULE.items}
    found = _segmentation(RULE)
    assert found.explain({**row, "plan": "platinum"})[0] == found.explain({**row, "plan": None})[0]
    placed, why = found.explain({"plan": "platinum", "age": 30.0})
    assert placed["segment_index"] == -1
    assert (
        why.reasons[0].text == "plan is platinum, which nobody was when the segments were found; it counts as not known"
    )


def test_explanation_names_answers_that_pull_and_changes_that_really_move() -> None:
    found, frame = _segmentation(RULE), reference.customers(300, 3)[list(RULE.traits)]
    index = reference.by_classes(frame).index
    changed, wanted = [], []
    for row, here in zip(frame.astype(object).to_dict("records"), index.tolist(), strict=True):
        known = {name: None if pd.isna(value) else value for name, value in row.items()}
        why = RULE.why(known, here)
        assert why.reasons
        assert sum(r.weight or 0 for r in why.reasons) <= 1 + 1e-9
        assert here != -1 or not why.moves
        for told in why.moves:
            move = told
            assert move.segment_index != here
            if isinstance(move.needed, float):  # a band below is entered from above, just under its upper end
                age = move.value if move.value is not None and abs(move.value) < 1e150 else -math.inf
                down = age >= move.needed or "is below" in move.text
                move = replace(move, needed=move.needed - 1e-6 if down else move.needed)
            changed.append({**known, move.trait: move.needed})
            wanted.append(NAMES[move.segment_index])
    placed = found.assign(pd.DataFrame(changed).astype(frame.dtypes.to_dict()))
    assert len(wanted) > 300
    assert placed["segment"].tolist() == wanted


def test_reasons_are_told_with_both_segments() -> None:
    row = {i.trait: i.levels[0] if i.levels else 30.0 if i.cuts else True for i in RULE.items}
    _, why = _segmentation(RULE).explain(row)
    texts = {r.trait: r.text for r in why.reasons}
    assert any("of the segment, " in text and text.endswith("of the runner-up") for text in texts.values())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_sql_is_printed_for_every_dialect(dialect: str) -> None:
    text = _segmentation(RULE).sql(dialect)
    assert text.lstrip().upper().startswith(("SELECT", "WITH"))
    assert "No good fit" in text


def test_sql_of_nine_classes_by_thirty_items_stays_short() -> None:
    items = tuple(Item(f"q{j}", reference.logs(5, j, classes=9), levels=("a", "b", "c", "d", "e")) for j in range(30))
    assert len(_segmentation(Classes((0.0,) * 9, items, -3.0)).sql("duckdb")) < 300_000


def test_rule_and_artefact_survive_json() -> None:
    assert from_json(to_json(RULE)) == RULE
    found = _segmentation(RULE)
    assert Segmentation.from_json(found.to_json()) == found
