"""Web visits: what came before the login counts, a shared device belongs to nobody, and visitors are no customers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.engines import on_every_engine
from tests.shops import opened

from segmentry.errors import DataError
from segmentry.workspace import Workspace

CONFIG = """\
name: Test web
sources:
  web:
    kind: events
    path: web*.ndjson
    key: messageId
    keep: first
    columns: {customer: userId, visitor: anonymousId, time: timestamp, name: event}
segmentations:
  value: {method: value_tiers}
"""


def call(number: int, visitor: str, user: str | None = None, **more: str) -> dict[str, Any]:
    at = f"2026-03-01T10:{number:02}:00Z"
    return {"type": "track", "event": "Viewed", "messageId": f"m{number}", "anonymousId": visitor, "userId": user,
            "timestamp": at, **more}  # fmt: skip


def write(root: Path, rows: Sequence[Mapping[str, Any]], name: str = "web.ndjson") -> None:
    (root / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def space(root: Path, rows: Sequence[Mapping[str, Any]], config: str = CONFIG) -> Workspace:
    (root / "segmentry.yaml").write_text(config)
    write(root, rows)
    return opened(root)


def table(made: Workspace, name: str) -> list[dict[str, Any]]:
    with made.reading() as reading:
        return reading.find(name).to_pyarrow().to_pylist()


def owners(made: Workspace) -> dict[str, str]:
    return {row["source_id"]: row["customer_id"] for row in table(made, "identities")}


def customers_of_events(made: Workspace) -> int:
    made.resolve()
    return made.state.current()["resolve"].facts["customers"]["web"]["all"]


CALLS = [
    call(1, "a1"), call(2, "a1"), call(3, "a1", "U1", type="identify"),  # came before the login
    call(4, "shared"), call(5, "shared", "U1"), call(6, "shared", "U2"), call(7, "shared"),
    call(8, "lurker"), call(9, "lurker"),
]  # fmt: skip


def test_visits_before_the_login_are_the_customers_and_visitors_are_no_customers(tmp_path: Path) -> None:
    made = space(tmp_path, CALLS)
    made.collect()
    assert customers_of_events(made) == 2
    assert [r["customer_id"] for r in table(made, "golden_customers")] == ["U1", "U2"]
    assert owners(made) == {"U1": "U1", "U2": "U2", "a1": "U1"}
    (link,) = table(made, "links")
    assert (link["probability"], link["how"]) == (1.0, "exact: a customer logged in as this visitor")
    assert [(r["source_id"], r["customers"]) for r in table(made, "visitors")] == [("lurker", 0), ("shared", 2)]


def test_login_in_a_later_file_takes_the_visits_of_earlier_ones_and_a_second_customer_splits_them(
    tmp_path: Path,
) -> None:
    made = space(tmp_path, [*CALLS[:2], call(9, "z", "U0")])
    made.collect()
    assert customers_of_events(made) == 1
    write(tmp_path, [call(20, "a1", "U1")], "web-2.ndjson")
    made.collect()
    made.resolve()
    assert owners(made)["a1"] == "U1", "the visitor was there first, and the customer keeps the name of its login"
    write(tmp_path, [call(21, "a1", "U0")], "web-3.ndjson")
    made.collect()
    made.resolve()
    assert "a1" not in owners(made)
    (change,) = table(made, "identity_changes")
    assert (change["change"], change["source_id"], change["owner_before"], change["owner_now"]) == (
        "split",
        "a1",
        "U1",
        None,
    )
    assert change["reason"] == "2 customers logged in as this visitor"
    assert made.resolve().id == made.resolve().id, "nothing new, nothing written"


def test_one_person_with_two_logins_shares_no_device(tmp_path: Path) -> None:
    people = "  people: {kind: customers, path: people.csv, columns: {customer: id, name: name}}\n"
    config = CONFIG.replace("segmentations:", people + "segmentations:")
    made = space(tmp_path, CALLS, config + "identity: {link: always, same: [[U1, U2]]}\n")
    (tmp_path / "people.csv").write_text("id,name\nU1,Ann Lee\nU2,Ann Lee-Poe\n")
    made.collect()
    made.resolve()
    assert owners(made) == dict.fromkeys(("U1", "U2", "a1", "shared"), "U1")
    assert [r["source_id"] for r in table(made, "visitors")] == ["lurker"]


def test_visitors_of_two_sites_are_different_though_their_ids_are_equal(tmp_path: Path) -> None:
    other = CONFIG.partition("sources:\n")[2].partition("segmentations")[0].replace("web", "blog")
    made = space(tmp_path, CALLS[:3], CONFIG.replace("segmentations:", other + "segmentations:"))
    write(tmp_path, [call(1, "a1")], "blog.ndjson")
    made.collect()
    made.resolve()
    assert [(r["id_space"], r["source_id"]) for r in table(made, "visitors")] == [("visitor blog", "a1")]


def test_log_of_visitors_alone_says_that_nobody_is_a_customer(tmp_path: Path) -> None:
    made = space(tmp_path, [call(1, "a1")])
    made.collect()
    with pytest.raises(DataError, match="No record of any source names a customer"):
        made.resolve()


@on_every_engine
def test_traits_see_the_customers_alone(tmp_path: Path, engine: str) -> None:
    made = space(tmp_path, CALLS, CONFIG.replace("name: Test web", f"name: Test web\nengine: {engine}"))
    made.collect()
    made.resolve()
    made.traits()
    assert sorted(r["customer_id"] for r in table(made, "traits")) == ["U1", "U2"]


def test_message_that_was_delivered_again_counts_once(tmp_path: Path) -> None:
    again = {**CALLS[0], "timestamp": "2026-03-01T10:01:00.004Z"}  # retries are stamped anew
    made = space(tmp_path, [CALLS[0], CALLS[2], again])
    made.collect()
    write(tmp_path, [again, call(30, "a1", "U1")], "web-2.ndjson")
    made.collect()
    first, second = made.manifest().entries
    assert (first.rows, first.kept, first.duplicates) == (3, 2, 1)
    assert (second.rows, second.kept, second.duplicates) == (2, 1, 1)
    made.resolve()
    with made.reading() as reading:
        steps = {s.label: s.rows for s in reading.reconciliations()[0].steps}
    assert (steps["rows read"], steps["kept"]) == (5, 3)


def test_message_without_its_id_goes_to_quarantine(tmp_path: Path) -> None:
    made = space(tmp_path, [CALLS[0], {**CALLS[1], "messageId": None}, {**CALLS[2], "messageId": None}])
    made.collect()
    assert made.manifest().entries[0].reasons == {"the key (messageId) is missing": 2}


DECLARED = """\
traits:
  views: {from: events, aggregate: count()}
"""


@on_every_engine
def test_declared_trait_counts_the_visits_before_the_login_and_none_of_a_shared_device(
    tmp_path: Path, engine: str
) -> None:
    config = CONFIG.replace("name: Test web", f"name: Test web\nengine: {engine}")
    made = space(tmp_path, CALLS, config + DECLARED)
    made.collect()
    made.resolve()
    made.traits()
    assert {r["customer_id"]: r["views"] for r in table(made, "traits")} == {"U1": 4, "U2": 1}
