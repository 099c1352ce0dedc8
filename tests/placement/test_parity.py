"""Every kind of rule places every customer where plain numpy does, on every engine, to the last row.

SEGMENTRY_PARITY_ROWS sets how many customers there are on DuckDB; PostgreSQL gets a tenth of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
import reference
from tests.engines import on_every_engine

from segmentry import engine as engines
from segmentry.placement import NO_DATA, NO_GOOD_FIT
from segmentry.segmentation import Segment, Segmentation

ROWS = int(os.environ.get("SEGMENTRY_PARITY_ROWS", "20000"))
EVERYWHERE = {"rules", "trees", "rfm", "bands", "crossing of a crossing"}  # takes everybody of whom something is known


@on_every_engine
@pytest.mark.parametrize("method", reference.CASES)
def test_every_customer_is_where_numpy_has_it(method: str, engine: str, tmp_path: Path) -> None:
    rule, by_hand = reference.CASES[method]
    frame = reference.customers(ROWS if engine == "duckdb" else ROWS // 10, 7)[list(rule.traits)]
    traits = tuple((name, reference.KINDS[name]) for name in rule.traits)
    found = Segmentation("s", 1, "m", rule, tuple(Segment(n) for n in "ABCDEFGH"), traits)
    with engines.open_engine(engine, tmp_path, "parity").session() as session:
        rows = session.keep("traits", ibis.memtable(frame.assign(row=np.arange(len(frame)))))
        placed = engines.in_steps(rows, found.placing(["row"])).order_by("row").to_pandas()
    expected = by_hand(frame)
    wrong = reference.disagreements(placed, expected)
    assert wrong.empty, pd.concat([wrong.head(5), frame.loc[wrong["row"].head(5)]], axis=1).to_string()
    assert set(placed["segment_index"]) >= {NO_DATA, 0, 1}
    assert method in EVERYWHERE or NO_GOOD_FIT in set(placed["segment_index"])
