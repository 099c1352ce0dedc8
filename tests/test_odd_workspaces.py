"""What data and files may look like in a whole workspace: each is placed, with what was left out told, or refused with
the key, the reason and what to do; what was there before stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from segmentry.apps.cli import app
from segmentry.errors import ArtefactError, DataError, FitError
from segmentry.workspace import Workspace
from tests.shops import opened

ROWS = 120
CONFIG = """\
name: Odd
primary: sizes
describe_by: [tenure_days]
identity: {link: never}
sources:
  people:
    kind: customers
    path: people*.csv
    columns: {customer: id, joined_at: signup}
    attributes:
      spend: {from: spend, kind: number}
      twice: {from: twice, kind: number}
      same: {from: same, kind: number}
      pair: {from: pair, kind: number}
      gaps: {from: gaps, kind: number}
      huge: {from: huge, kind: number}
      plan: {from: plan, kind: category}
      only: {from: only, kind: category}
segmentations:
  sizes: {method: bands, trait: spend, cuts: [150]}
  plans:
    method: rules
    segments: [{name: Gold, where: "plan = 'gold'"}]
  constant: {method: kmeans, segments: 2, traits: [same]}
  pairs: {method: kmeans, segments: 3, traits: [pair]}
  one_category: {method: latent_classes, segments: 2, traits: [only]}
  some: {method: kmeans, segments: 2, traits: [spend, twice, same]}
  gaps: {method: kprototypes, segments: 2, traits: [gaps, plan, only]}
  outliers: {method: value_tiers, trait: huge}
  told: {method: trees, target: same}
  grid: {method: crossing, of: [sizes, outliers]}
  of_nothing: {method: crossing, of: [sizes, constant]}
"""


def people(plans: tuple[str, ...] = ("basic", "gold"), first: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    group = np.arange(ROWS) % 2
    spend = rng.normal(50 + 200 * group, 15).round()
    huge = spend.copy()
    huge[:2] = 1e12, 1e300
    return pd.DataFrame(
        {
            "id": [f"C{first + i:04d}" for i in range(ROWS)],
            "signup": [f"2025-01-{i % 28 + 1:02d}" for i in range(ROWS)],
            "spend": spend,
            "twice": 2 * spend,
            "same": 7,
            "pair": 1 + group,
            "gaps": pd.Series(spend).where(rng.random(ROWS) > 0.4),
            "huge": huge,
            "plan": [plans[i % len(plans)] for i in range(ROWS)],
            "only": "yes",
        }
    )


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, dict[str, FitError]]]:
    root = tmp_path_factory.mktemp("odd")
    people().to_csv(root / "people.csv", index=False)
    (root / "segmentry.yaml").write_text(CONFIG, encoding="utf-8")
    space = opened(root)
    yield space, space.run()
    space.close()


REFUSED = {
    "constant": "all customers are the same in same",
    "pairs": "hold only 2 different combinations of values",
    "one_category": "no trait has two different answers. Looked at: only",
    "told": "same is the same for everybody",
    "of_nothing": "it is made of constant, which is not fitted",
}


def test_what_cannot_be_formed_is_refused_by_its_key_with_what_to_do(
    odd: tuple[Workspace, dict[str, FitError]],
) -> None:
    _, refused = odd
    assert set(refused) == set(REFUSED)
    for name, error in refused.items():
        assert f"segmentations.{name}" in error.what, error
        assert REFUSED[name] in str(error), error
        assert error.fix, error


def test_what_can_be_formed_says_what_was_left_out(odd: tuple[Workspace, dict[str, FitError]]) -> None:
    space, _ = odd
    warned = {n: " ".join(space.segmentation(n).report["warnings"]) for n in ("some", "gaps", "outliers")}
    assert "same is the same for everybody" in warned["some"]
    assert "only is the same for everybody" in warned["gaps"]
    assert "One customer brings 100 % of all huge" in warned["outliers"]
    for name in ("some", "gaps", "outliers", "grid", "sizes"):
        summary = space.summary(name)
        assert summary.customers == ROWS
        assert sum(s.customers for s in summary.segments) == ROWS  # "no data" and "no good fit" included
        assert all(np.isfinite(e.mean) for e in summary.effects if e.mean is not None)
    # whose value has no end counts as not known: nobody else is drowned by it
    assert {s.name: s.customers for s in space.summary("outliers").segments}["No data"] == 1


def test_a_fit_that_fails_leaves_the_former_one(odd: tuple[Workspace, dict[str, FitError]]) -> None:
    space, _ = odd
    path = space.root / "segmentry.yaml"
    before = [r.customers for r in space.summary("some").segments]
    path.write_text(CONFIG.replace("traits: [spend, twice, same]", "traits: [same]"), encoding="utf-8")
    try:
        shown = CliRunner().invoke(app, ["fit", "some", "-w", str(space.root)])
        assert isinstance(shown.exception, FitError)
        assert "segmentations.some" in str(shown.exception)
        again = opened(space.root)
        assert again.segmentation("some").version == 1
        assert [r.customers for r in again.summary("some").segments] == before
        again.close()
    finally:
        path.write_text(CONFIG, encoding="utf-8")


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda text: text.replace("150.0", "160.0"), "was changed by hand"),
        (lambda text: text[:300], "is not a whole segmentation"),
        (lambda text: "[]", "is not a whole segmentation"),
        (lambda text: json.dumps(json.loads(text) | {"format": 99}), "has format 99"),
        (None, "is gone"),
    ],
)
def test_an_artefact_that_was_touched_is_refused_by_its_file(
    odd: tuple[Workspace, dict[str, FitError]], edit: object, why: str
) -> None:
    space, _ = odd
    path: Path = space.root / "segmentations/sizes/v1.json"
    text = path.read_text(encoding="utf-8")
    try:
        if callable(edit):
            path.write_text(edit(text), encoding="utf-8")
        else:
            path.unlink()
        for command in (["segments", "sizes"], ["assign", "sizes"]):
            shown = CliRunner().invoke(app, [*command, "-w", str(space.root)])
            assert isinstance(shown.exception, ArtefactError | DataError), command
            assert f"segmentations/sizes/v1.json {why}" in str(shown.exception)
            assert shown.exception.fix
    finally:
        path.write_text(text, encoding="utf-8")
    assert space.summary("sizes").customers == ROWS


def test_a_category_that_appears_only_live_is_placed_and_told(odd: tuple[Workspace, dict[str, FitError]]) -> None:
    space, refused = odd
    people(("platinum",), first=ROWS).to_csv(space.root / "people_2.csv", index=False)
    assert set(space.run()) == set(refused)
    for name in ("gaps", "plans"):
        assert space.segmentation(name).version == 1  # nothing is fitted anew for it
        assert space.summary(name).customers == 2 * ROWS
    told = CliRunner().invoke(app, ["assign", "gaps", "-w", str(space.root)]).output
    told += CliRunner().invoke(app, ["describe", "gaps", "-w", str(space.root)]).output
    assert "platinum" in told
