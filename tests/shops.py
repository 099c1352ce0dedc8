"""Small workspaces for tests, made from a few lines of text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from segmentry.workspace import Workspace

CONFIG = """\
name: Test shop
currency: EUR
primary: rfm
sources:
  orders:
    kind: transactions
    path: orders*.csv
    columns: {customer: customer, order: order, time: date, amount: amount}
segmentations:
  lifecycle:
    method: rules
    segments:
      - {name: New, where: "lifecycle_stage = 'new'"}
      - {name: Active, where: "lifecycle_stage = 'active'"}
    rest: Gone quiet
  rfm: {method: rfm}
  value: {method: value_tiers}
"""

# The same with the first of its segmentations and few traits, for tests that need a run and not what it finds.
ONE_SEGMENTATION = CONFIG.partition("  rfm:")[0].replace(
    "primary: rfm", "primary: lifecycle\ndescribe_by: [lifecycle_stage, recency_days, frequency, monetary]"
)


def orders(customers: int = 200, seed: int = 1, until: str = "2026-06-30", busiest: int = 12) -> pd.DataFrame:
    """Order lines of the two years before ``until``; one customer in three bought once, none ``busiest`` times."""
    rng = np.random.default_rng(seed)
    counts = np.where(rng.random(customers) < 0.33, 1, rng.integers(2, busiest, customers))
    who = np.repeat(np.arange(customers), counts)
    days = pd.Timestamp(until) - pd.to_timedelta(rng.integers(0, 700, len(who)), unit="D")
    return pd.DataFrame(
        {
            "customer": [f"C{i:05d}" for i in who],
            "order": [f"O{i:06d}" for i in range(len(who))],
            "date": days.strftime("%Y-%m-%d"),
            "amount": rng.lognormal(3, 1, len(who)).round(2),
        }
    )


def shop(root: Path, frame: pd.DataFrame | None = None, config: str = CONFIG) -> Path:
    """A folder with orders.csv and a segmentry.yaml."""
    root.mkdir(parents=True, exist_ok=True)
    (orders() if frame is None else frame).to_csv(root / "orders.csv", index=False)
    (root / "segmentry.yaml").write_text(config, encoding="utf-8")
    return root


def opened(root: Path) -> Workspace:
    """The workspace of a folder."""
    return Workspace(root, os.environ)


def by_key(space: Workspace, stage: str, table: str, key: str) -> dict[Any, dict[str, Any]]:
    """The rows of one table of a stage by one of its columns."""
    with space.reading() as reading:
        return {row[key]: row for row in reading.session.con.to_pyarrow(reading.table(stage, table)).to_pylist()}


def tables(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Every table of a workspace as rows, in their order: what a run has to leave, to the last bit."""
    return {name: table.to_pylist() for name, table in arrow_tables(root).items()}


def arrow_tables(root: Path) -> dict[str, pa.Table]:
    """The same as Arrow tables, for bases that are large."""
    space = opened(root)
    try:
        with space.reading() as reading:
            found = {}
            for table in reading.tables():
                name, of = table["table"], table["segmentation"]
                if table["rows"]:
                    found[f"{name} {of}".strip()] = reading.find(name, of or None).to_pyarrow()
            return found
    finally:
        space.close()
