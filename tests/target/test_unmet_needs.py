"""Unmet needs by product and segment: exact in small, nothing of groups of fewer than five, nobody named."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from ibis.backends.duckdb import Backend

from segmentry import engine
from segmentry.stats.opportunity import Sums, opportunity
from segmentry.target.need_quotes import Said, with_quotes
from segmentry.target.satisfaction import scores
from segmentry.target.unmet_needs import EVERYBODY, Need, UnmetNeed, of_product, unmet_needs, worst

NEEDS = [Need("Low prices", "", "i_1", "s_1"), Need("Easy set-up", "Phones", "i_2", "s_2")]


@pytest.fixture(scope="module")
def con() -> Iterator[Backend]:
    with engine.in_memory() as backend:
        yield backend


def customers(seed: int = 1, count: int = 120) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    scale = [None, 0.0, 1.666667, 2.5, 5.0, 7.5, 8.333333, 10.0]
    return [
        {
            "customer_key": key,
            **{name: rng.choice(scale) for name in ("i_1", "s_1", "i_2", "s_2", "nps", "csat")},
            "category_share_tea": rng.choice([None, 0.0, 0.4]),
            "segment": rng.choice(["High", "High", "Low", "Few"] if key < 30 else ["High", "Low", None]),
        }
        for key in range(count)
    ]


def tables(con: Backend, rows: list[dict[str, Any]]) -> tuple[Any, Any]:
    placed = [{"customer_key": r["customer_key"], "segment": r["segment"]} for r in rows if r["segment"]]
    base = [{k: v for k, v in r.items() if k != "segment"} for r in rows]
    return (
        con.create_table("traits", pa.Table.from_pylist(base), overwrite=True),
        con.create_table("memberships", pa.Table.from_pylist(placed), overwrite=True),
    )


def test_every_figure_is_that_of_the_people_who_rated_both(con: Backend) -> None:
    rows = customers()
    traits, placed = tables(con, rows)
    found = unmet_needs(traits, placed, NEEDS, {"Tea": "category_share_tea"}, ["High", "Low", "Few"])
    assert [(n.need, n.product, n.segment) for n in found if n.segment == EVERYBODY] == [
        ("Low prices", "", EVERYBODY), ("Low prices", "Tea", EVERYBODY), ("Easy set-up", "Phones", EVERYBODY),
    ]  # fmt: skip
    for row in found:
        need = NEEDS[0] if row.need == "Low prices" else NEEDS[1]
        mine = [
            (r[need.importance], r[need.satisfaction])
            for r in rows
            if row.segment in (EVERYBODY, r["segment"])
            and (row.product != "Tea" or (r["category_share_tea"] or 0) > 0)
            and None not in (r[need.importance], r[need.satisfaction])
        ]
        if len(mine) < 5:
            assert (row.n, row.importance, row.opportunity, row.unmet_share) == (None, None, None, None)
            continue
        i, s = (np.array(column) for column in zip(*mine, strict=True))
        want = opportunity(Sums(len(mine), i.sum(), s.sum(), i @ i, s @ s, i @ s))
        assert row.n == len(mine)
        assert (row.importance, row.satisfaction) == pytest.approx((i.mean(), s.mean()))
        assert (row.opportunity, row.low, row.high) == pytest.approx((want.score, want.low, want.high), abs=1e-5)
        assert row.unmet_share == pytest.approx(np.mean((i >= 7) & (s < 5)))
    assert any(n.n is None for n in found)


def test_without_segments_everybody_is_told(con: Backend) -> None:
    traits, _ = tables(con, customers())
    assert {n.segment for n in unmet_needs(traits, None, NEEDS, {}, ["High"])} == {EVERYBODY}
    assert unmet_needs(traits, None, [], {}) == ()


def test_groups_are_ordered_by_what_is_surely_large(con: Backend) -> None:
    few, many = (
        UnmetNeed("a", "", "x", 5, 9, 5, 13, 4, 20, 0.4),
        UnmetNeed("b", "P", "x", 500, 8, 6, 10, 9.5, 10.5, 0.2),
    )
    assert worst([few, many, UnmetNeed("c", "", "x", None)]) == [many, few]
    assert of_product([few, many], "p") == [many]


def test_nps_csat_by_segment(con: Backend) -> None:
    rows = customers(seed=2)
    traits, placed = tables(con, rows)
    found = {(s.measure, s.segment): s for s in scores(traits, placed, ["nps", "csat", "x"], ["High", "Low", "Few"])}
    for name, of in (("nps", lambda x: 100.0 * ((x >= 9) - (x < 7))), ("csat", lambda x: 100.0 * (x >= 7))):
        for segment in (EVERYBODY, "High", "Low"):
            given = [r[name] for r in rows if r[name] is not None and segment in (EVERYBODY, r["segment"])]
            values = [of(x) for x in given]
            assert found[name, segment].n == len(values)
            assert found[name, segment].value == pytest.approx(np.mean(values))
            half = 1.96 * np.std(values, ddof=1) / len(values) ** 0.5
            assert found[name, segment].high - found[name, segment].low == pytest.approx(2 * half, rel=0.1)
    assert scores(traits, placed, ["frequency"], ["High"]) == ()


# Quotes ---------------------------------------------------------------------------------------------------------------


def said(customer: int, text: str, segment: str = "High", nps: float | None = None) -> Said:
    return Said(customer, text, segment, frozenset({"Tea"}), frozenset({"kowalski"}), nps)


def test_quotes_are_about_the_need_and_name_nobody() -> None:
    usual = [said(i, "The delivery was late", nps=float(i)) for i in range(5, 10)]
    texts = [
        *usual,
        said(1, "The delivery was late, write to ann@mail.example", nps=0),
        said(2, "The delivery was late says Kowalski", nps=0),
        said(3, "Zzyzx delivery was late", nps=0),
        said(4, "The price was good", nps=0),
    ]
    (made,) = with_quotes([UnmetNeed("Fast delivery", "", EVERYBODY, 9, 8, 5, 11, 9, 13, 0.4)], texts)
    assert made.quotes[0] == "The delivery was late"
    shown = " ".join(made.quotes)
    assert "ann" not in shown
    assert "Kowalski" not in shown
    assert "Zzyzx" not in shown
    assert "price" not in shown


def test_few_people_are_not_quoted() -> None:
    group = UnmetNeed("Fast delivery", "", "High", 9, 8, 5, 11, 9, 13, 0.4)
    few = [said(i, "The delivery was late") for i in range(4)]
    assert with_quotes([group], [*few, said(9, "The delivery was late", "Low")])[0].quotes == ()
    late = [said(i, "late delivery") for i in range(9)]
    assert with_quotes([UnmetNeed("Fast delivery", "", "High", None)], late)[0].quotes == ()
    assert with_quotes([group], [said(i, f"The delivery was late {i}") for i in range(5)])[0].quotes
