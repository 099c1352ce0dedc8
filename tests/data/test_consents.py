"""Who may be contacted: consents as people export them, from the file to the criteria of segments, beside pandas."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.shops import opened

from segmentry import Workspace

GIVEN = ("Yes", "yes", "Opted in", "TRUE")
DAY = date(2026, 6, 30)
CONFIG = """
name: Consents
sources:
  people:
    kind: customers
    path: customers.csv
    columns: {customer: customer_id, email: email}
    attributes: {score: {from: score, model: behavioral, kind: number}}
  consents:
    kind: consents
    path: consents.csv
    columns:
      customer: customer_id
      channel: channel
      purpose: purpose
      time: consent_date
      status: "case when consent in ('Yes', 'yes', 'Opted in', 'TRUE') then 'granted' else 'denied' end"
segmentations:
  town:
    method: rules
    segments: [{name: North, where: "score >= 5"}]
    rest: South
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 customers of whom three quarters have an address; statements in words of forms, some of strangers."""
    folder = tmp_path_factory.mktemp("consents")
    rng = np.random.default_rng(3)
    ids = [f"C-{i:04d}" for i in range(160)]
    people = pd.DataFrame({"customer_id": ids, "email": [f"p{i}@mail.example" for i in range(160)]})
    people["score"] = rng.integers(0, 11, 160)
    people.loc[people.index % 4 == 0, "email"] = None
    people.to_csv(folder / "customers.csv", index=False)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.permutation(500) // 2, "D")
    said = pd.DataFrame(
        {
            "customer_id": rng.choice([*ids, "X-1", "X-2"], 500),
            "channel": rng.choice(["email", "post"], 500),
            "purpose": rng.choice(["marketing", "surveys"], 500),
            "consent": rng.choice([*GIVEN, "No", "Withdrawn", "opted out"], 500),
            "consent_date": [f"{d:%Y-%m-%d}" for d in days],
        }
    )
    said.to_csv(folder / "consents.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def space(files: Path) -> Workspace:
    (files / "segmentry.yaml").write_text(CONFIG, encoding="utf-8")
    return opened(files)


def expected(files: Path, day: date) -> dict[str, int]:
    """Members of each segment whose last statement on some channel and purpose grants it and who have the address that
    it takes; of one day's statements a denial counts."""
    people, said = pd.read_csv(files / "customers.csv"), pd.read_csv(files / "consents.csv")
    said = said[pd.to_datetime(said["consent_date"]).dt.date <= day].assign(granted=said["consent"].isin(GIVEN))
    by = ["customer_id", "channel", "purpose"]
    last = said[said["consent_date"] == said.groupby(by)["consent_date"].transform("max")]
    held = last.groupby(by)["granted"].all().reset_index()
    held = held[held["granted"]].merge(people, on="customer_id")
    held = held[(held["channel"] == "post") | held["email"].notna()].drop_duplicates("customer_id")
    return {"North": int((held["score"] >= 5).sum()), "South": int((held["score"] < 5).sum())}


@pytest.mark.parametrize("day", [DAY, date(2026, 3, 1), date(2025, 12, 31)])
def test_segments_are_accessible_by_the_consents_that_held_on_the_day(space: Workspace, files: Path, day: date) -> None:
    space.run(day)
    with space.reading() as reading:
        told = {c.segment: next(x for x in c.criteria if x.name == "accessible") for c in reading.criteria("town")}
        sizes = {s.name: s.customers for s in reading.summary("town").segments}
    for segment, allowed in expected(files, day).items():
        share = allowed / sizes[segment]
        assert told[segment].why.startswith(f"{100 * share:.0f} % can be contacted and consented to it"), told[segment]
        assert told[segment].holds is (share >= 0.5)
