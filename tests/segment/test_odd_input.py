"""What no method may stumble over: each case is placed sanely, or refused with what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

import segmentry as sg
from segmentry.errors import SegmentryError
from segmentry.segment import alone
from segmentry.segmentation import Segmentation

ROWS = 100


def good(rows: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    group = rng.integers(0, 2, rows)
    return pd.DataFrame(
        {
            "recency_days": rng.normal(50 + group * 200, 20).round(),
            "frequency": rng.poisson(2 + 10 * group).astype(float),
            "monetary": rng.lognormal(3 + 2 * group, 0.4),
            "plan": np.where(group == 1, "gold", rng.choice(["basic", "free"], rows)),
            "web": rng.random(rows) < 0.2 + 0.6 * group,
        }
    )


def constant() -> pd.DataFrame:
    return pd.concat([good(1)] * ROWS, ignore_index=True)


def one_category() -> pd.DataFrame:
    return good().assign(plan="gold", web=True)


def collinear() -> pd.DataFrame:
    frame = good()
    return frame.assign(frequency=frame["recency_days"] * 2, monetary=1000 - frame["recency_days"] * 3)


def two_rows_repeated() -> pd.DataFrame:
    return pd.concat([good(2)] * (ROWS // 2), ignore_index=True)


def two_in_five_missing() -> pd.DataFrame:
    frame = good()
    types = {"recency_days": float, "frequency": float, "monetary": float, "web": "boolean"}
    return frame.astype(object).mask(np.random.default_rng(2).random(frame.shape) < 0.4).astype(types)


def outliers() -> pd.DataFrame:
    frame = good()
    frame.loc[0, "monetary"], frame.loc[1, "monetary"] = 1e12, 1e300
    frame.loc[2, "recency_days"], frame.loc[3, "frequency"] = np.inf, -np.inf
    return frame


def nothing_known() -> pd.DataFrame:
    gone = {"plan": pd.Series([None] * ROWS, dtype=object), "web": pd.Series([None] * ROWS, dtype="boolean")}
    return good().assign(recency_days=np.nan, frequency=np.nan, monetary=np.nan, **gone)


NUMBERS = ["recency_days", "frequency", "monetary"]
CASES = [constant, one_category, collinear, two_rows_repeated, two_in_five_missing, outliers, nothing_known]
METHODS: dict[str, Callable[[], Any]] = {
    "kmeans": lambda: sg.KMeans(segments=3, traits=NUMBERS),
    "kprototypes": lambda: alone.KPrototypes(segments=3, traits=["*"]),
    "latent_classes": lambda: sg.LatentClasses(segments=3, traits=["plan", "web", "frequency"]),
    "mixtures": lambda: alone.Mixtures(segments=3, traits=NUMBERS, shape="diagonal"),
    "trees": lambda: alone.Trees(target="frequency", traits=["recency_days", "plan", "web"]),
    "bands": lambda: alone.Bands(trait="monetary", cuts=[20, 100]),
    "rfm": sg.Rfm,
    "value_tiers": sg.ValueTiers,
    "rules": lambda: sg.Rules(
        segments=[{"name": "A", "where": "monetary > 50 and plan = 'gold'"}, {"name": "B", "where": "web"}]
    ),
}
FINDERS = ("kmeans", "kprototypes", "latent_classes", "mixtures")
READ_NUMBERS = ("kmeans", "mixtures", "bands", "rfm", "value_tiers")
# What must be refused; all else must be placed.
REFUSED = {
    *((method, case) for method in FINDERS for case in ("constant", "two_rows_repeated", "nothing_known")),
    *((method, "nothing_known") for method in ("trees", "bands", "rfm", "value_tiers")),
    ("trees", "constant"),
    ("latent_classes", "one_category"),
    ("mixtures", "two_in_five_missing"),  # too few without a gap
}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    ("method", "case"),
    [(m, c) for m in METHODS for c in CASES if c is not one_category or m not in READ_NUMBERS],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_bad_input_is_placed_sanely_or_refused_with_what_to_do(method: str, case: Callable[[], pd.DataFrame]) -> None:
    frame = case()
    if (method, case.__name__) in REFUSED:
        with pytest.raises(SegmentryError) as refused:
            METHODS[method]().fit(frame)
        assert refused.value.what
        assert refused.value.fix
        return
    found = METHODS[method]().fit(frame)
    placed = found.assign(frame)
    assert len(placed) == len(frame)
    assert set(placed["segment"]) <= {*found.names, "No data", "No good fit"}
    assert placed["fit"].dropna().between(0, 1).all()
    assert np.isfinite(placed["margin"].dropna().astype(float)).all()
    assert Segmentation.from_json(found.to_json()) == found
    for i in (0, 2):
        row = {name: None if pd.isna(value) else value for name, value in frame.iloc[i].items()}
        index, why = found.explain(row)
        assert found.segment_name(index["segment_index"]) == placed["segment"][i]
        assert all("nan" not in reason.text for reason in why.reasons)


def test_one_customer_who_brings_nearly_everything_is_told_and_what_has_no_end_counts_as_not_known() -> None:
    found = sg.ValueTiers().fit(outliers())
    assert found.report["warnings"][0].startswith("One customer brings 100 % of all monetary (1,000,000,000,000)")
    assert found.assign(outliers())["segment"].tolist()[:2] == ["High", "No data"]


def test_threads_and_order_of_fits_change_no_byte() -> None:
    frame, made = good(80), {}
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            for method in ("mixtures", "trees", "value_tiers"):
                made.setdefault(method, set()).add(METHODS[method]().fit(frame, seed=5).to_json())
    assert {method: len(texts) for method, texts in made.items()} == dict.fromkeys(made, 1)
