"""The history of memberships is the same however the dates were run: forwards, backwards, twice."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby

import ibis
import pandas as pd
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from segmentry import engine
from segmentry.target.assignment import history, with_since

DATES = [date(2026, 1, 31) + timedelta(days=30 * i) for i in range(5)]
Stay = tuple[int, str, date, date | None]


def _expected(seen: dict[date, dict[int, str]]) -> list[Stay]:
    """Stays from what was observed at each date, in plain Python."""
    stays: list[Stay] = []
    for customer in sorted({c for row in seen.values() for c in row}):
        observed = [(day, seen[day].get(customer)) for day in sorted(seen)]
        runs = [(segment, [d for d, _ in days]) for segment, days in groupby(observed, key=lambda o: o[1])]
        for i, (segment, days) in enumerate(runs):
            if segment is not None:
                until = runs[i + 1][1][0] if i + 1 < len(runs) else None
                stays.append((customer, segment, days[0], until))
    return stays


def _run(order: list[date], seen: dict[date, dict[int, str]]) -> list[Stay]:
    with engine.in_memory() as con:
        so_far = None
        done: set[date] = set()
        for i, day in enumerate(order):
            frame = pd.DataFrame(sorted(seen[day].items()), columns=["customer_key", "segment"])
            placed = con.create_table(f"placed_{i}", ibis.memtable(frame))
            later = sorted(d for d in done if d > day)
            so_far = con.create_table(f"history_{i}", history(placed, 1, day, so_far, later[0] if later else None))
            done.add(day)
        rows = con.to_pyarrow(so_far.order_by(["customer_key", "since"])).to_pylist()
    return [(r["customer_key"], r["segment"], r["since"], r["until"]) for r in rows]


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.data())
def test_history_does_not_depend_on_the_order_of_runs(data: st.DataObject) -> None:
    observed = st.fixed_dictionaries({c: st.sampled_from(["A", "B"]) for c in (1, 2, 3)})
    seen = {day: data.draw(observed) for day in DATES}
    order = data.draw(st.permutations(DATES))
    again = data.draw(st.sampled_from(DATES))
    assert _run([*order, again], seen) == _expected(seen)


def test_customer_that_appears_later_has_no_stay_before() -> None:
    seen = {DATES[0]: {1: "A"}, DATES[1]: {1: "A", 2: "B"}, DATES[2]: {1: "B", 2: "B"}}
    assert _run(DATES[:3], seen) == [
        (1, "A", DATES[0], DATES[2]),
        (1, "B", DATES[2], None),
        (2, "B", DATES[1], None),
    ]


def test_since_is_the_start_of_the_unbroken_stay() -> None:
    stays = ibis.memtable(
        pd.DataFrame(
            [(1, "A", 1, DATES[0], DATES[2]), (1, "B", 1, DATES[2], None)],
            columns=["customer_key", "segment", "version", "since", "until"],
        )
    ).cast({"since": "date", "until": "date"})
    row = {
        "customer_key": 1,
        "customer_id": "x",
        "segment": "B",
        "fit": 1.0,
        "runner_up": "A",
        "margin": 0.5,
        "score": "1",
    }
    found = with_since(ibis.memtable(pd.DataFrame([row])), stays, DATES[3]).to_pandas()
    assert found["since"].tolist() == [DATES[2]] or pd.Timestamp(found["since"].iloc[0]).date() == DATES[2]
