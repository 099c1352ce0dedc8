"""HubSpot: pages, windows, rate limits, expired tokens, and objects that need no mapping."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from tests.data.connectors.fakes import TOKEN, Service, hubspot, rate_limited, serving

from segmentry import config
from segmentry.data.connectors import hubspot as connector
from segmentry.data.connectors.patience import Patience
from segmentry.data.feeds import open_feed
from segmentry.errors import DataError, SegmentryError
from segmentry.workspace import Workspace

CONFIG = """\
name: Test CRM
sources:
  crm: {connector: hubspot, url: "${URL}", token: "${HUBSPOT_TOKEN}", object: contacts}
  deals: {connector: hubspot, url: "${URL}", token: "${HUBSPOT_TOKEN}", object: deals}
segmentations:
  value: {method: value_tiers}
"""
TEXTS = ["firstname", "lastname", "email", "phone", "address", "city", "state", "zip", "country", "hs_language"]
CONTACTS = {
    **dict.fromkeys([*TEXTS, "jobtitle", "hs_persona"], "string"),
    **dict.fromkeys(["hs_object_id", "associatedcompanyid"], "number"),
    **dict.fromkeys(["createdate", "lastmodifieddate"], "datetime"),
}
DEALS = {
    "hs_object_id": "number",
    "closedate": "datetime",
    "amount": "number",
    "dealname": "string",
    "dealtype": "enumeration",
    "hs_is_closed_won": "bool",
    "hs_lastmodifieddate": "datetime",
}


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(hubspot) as made:
        made.properties = {"contacts": CONTACTS, "deals": DEALS}
        made.objects = {"contacts": [_contact(i) for i in range(1, 451)], "deals": [_deal(i) for i in range(1, 31)]}
        made.contacts = {str(i): [str(500 + i), str(i)] for i in range(1, 30)}
        yield made


def _at(minutes: int) -> str:
    return (datetime(2026, 1, 1) + timedelta(minutes=minutes)).isoformat() + ".000Z"


def _contact(i: int) -> dict[str, str | None]:
    return {
        "hs_object_id": str(i),
        "firstname": f"Ann{i}",
        "lastname": None,
        "email": f"ann{i}@example.com",
        "country": "Denmark",
        "createdate": _at(i),
        "lastmodifieddate": _at(1000 + i // 3),  # three change at once
    }


def _deal(i: int) -> dict[str, str | None]:
    return {
        "hs_object_id": str(i),
        "amount": "1.234",  # HubSpot writes a decimal point
        "closedate": _at(i),
        "dealname": f"Deal {i}",
        "hs_is_closed_won": "true" if i % 2 else "false",
        "hs_lastmodifieddate": _at(2000 + i),
    }


def _space(root: Path, service: Service, token: str = TOKEN) -> Workspace:
    (root / "segmentry.yaml").write_text(CONFIG)
    return Workspace(root, {"URL": service.url, "HUBSPOT_TOKEN": token})


def _table(space: Workspace, name: str) -> pd.DataFrame:
    with space.reading() as reading:
        return reading.find(name).to_pandas()


def _read(service: Service, waits: list[float] | None = None, **source: str) -> list[dict[str, object]]:
    """All contacts, through the feed alone."""
    given = {"connector": "hubspot", "url": service.url, "token": TOKEN, "object": "contacts", **source}
    patience = Patience((waits if waits is not None else []).append)
    feed = open_feed("crm", config.Source.model_validate(given), Path(), patience)
    return [row for batch in feed.batches(None) for row in batch.to_pylist()]


def test_objects_need_no_mapping_and_the_next_run_reads_what_changed(tmp_path: Path, service: Service) -> None:
    space = _space(tmp_path, service)
    first = space.collect()
    contacts, deals = _table(space, "customers"), _table(space, "transactions")
    assert len(contacts) == 450
    assert contacts.set_index("customer").loc["7", ["first_name", "email", "country"]].tolist() == [
        "Ann7",
        "ann7@example.com",
        "Denmark",
    ]
    assert contacts["joined_at"].min() == datetime(2026, 1, 1, 0, 1)
    assert len(deals) == 15, "deals that are not won are no sales"
    assert deals["amount"].tolist() == [1.234] * 15
    assert sorted(deals["customer"].dropna(), key=int) == [str(i) for i in range(1, 30, 2)], "the first contact"
    assert space.collect().id == first.id
    service.objects["deals"][0] |= {"amount": "99", "hs_lastmodifieddate": _at(3000)}
    service.objects["contacts"].append(_contact(451) | {"lastmodifieddate": _at(3000)})
    space.collect()
    assert len(_table(space, "customers")) == 451
    assert _table(space, "transactions").set_index("order")["amount"]["1"] == 99, "a deal that changed counts once"
    assert set(_table(space, "transactions")["file"]) == {"hubspot deals"}


def test_records_that_are_deleted_or_count_no_more_are_gone(tmp_path: Path, service: Service) -> None:
    space = _space(tmp_path, service)
    space.collect()
    service.archived = {"contacts": [str(i) for i in range(1, 121)]}  # more than a page
    service.objects["contacts"] = [_contact(i) for i in range(121, 451)]
    service.objects["deals"][0] |= {"hs_is_closed_won": "false", "hs_lastmodifieddate": _at(3000)}
    run = space.collect()
    assert len(_table(space, "customers")) == 330
    assert "1" not in set(_table(space, "transactions")["order"]), "won no more"
    closed = {e.kind: e.closed for e in space.manifest().entries if e.closed}
    assert closed == {"customers": 120, "transactions": 1}
    assert space.collect().id == run.id, "what is deleted is told again, and changes nothing"
    service.archived = {}
    service.objects["contacts"].append(_contact(1) | {"lastmodifieddate": _at(4000)})
    space.collect()
    assert len(_table(space, "customers")) == 331, "restored"


def test_the_recycling_bin_is_looked_into_from_the_second_read_on_for_what_is_new_there(
    tmp_path: Path, service: Service
) -> None:
    space = _space(tmp_path, service)
    service.archived = {"contacts": ["1", "2"]}
    space.collect()
    assert not [asked for asked in service.asked if "archived=" in asked]
    service.archived_at = "2025-12-01T00:00:00.000Z"  # before the first read, which found these two restored
    space.collect()
    assert [asked for asked in service.asked if "archived=" in asked]
    assert len(_table(space, "customers")) == 450


OAUTH = CONFIG.replace(
    'token: "${HUBSPOT_TOKEN}"', 'refresh_token: "${REFRESH}", client_id: app-1, client_secret: "${CLIENT_SECRET}"'
)


def _app(root: Path, service: Service, refresh: str) -> Workspace:
    (root / "segmentry.yaml").write_text(OAUTH)
    return Workspace(root, {"URL": service.url, "REFRESH": refresh, "CLIENT_SECRET": "cl13nt"})


def test_access_token_of_an_app_is_made_anew_when_it_expires_in_mid_read(tmp_path: Path, service: Service) -> None:
    expired = (401, {}, {"status": "error", "message": "the token expired", "category": "EXPIRED_AUTHENTICATION"})
    service.failures = [None, None, None, None, None, expired]
    space = _app(tmp_path, service, service.refresh)
    space.collect()
    assert len(_table(space, "customers")) == 450
    assert service.tokens == 3, "one for each source, and one again"


def test_refresh_token_that_is_not_accepted_is_said_without_it(tmp_path: Path, service: Service) -> None:
    space = _app(tmp_path, service, "r3voked")
    with pytest.raises(DataError, match=r"no new access token.*missing or invalid refresh token") as caught:
        space.collect()
    assert "r3voked" not in str(caught.value)
    assert "cl13nt" not in str(caught.value)


def test_more_records_than_a_search_gives_are_read_window_by_window(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "_WINDOW", 400)
    service.window = 400
    service.objects["contacts"] = [_contact(i) for i in range(1, 1501)]
    for record in service.objects["contacts"][200:1150]:  # an import: more than a window at one moment
        record["lastmodifieddate"] = _at(1200)
    found = _read(service)
    assert sorted(int(str(r["hs_object_id"])) for r in found) == list(range(1, 1501))
    changed = [r["lastmodifieddate"] for r in found]
    assert changed == sorted(changed), "in the order of the cursor, so that a broken pull can go on"


def test_busy_service_is_asked_again_as_it_wishes(service: Service) -> None:
    service.failures = [
        None,
        None,
        rate_limited("7"),
        rate_limited(None),
        (502, {}, "<html>Bad gateway</html>"),
        (0, {}, ""),
    ]
    waits: list[float] = []
    assert len(_read(service, waits)) == 450
    assert waits == [7, 2, 4, 8], "Retry-After where it is given, else growing pauses"


def test_storm_of_429_ends_with_a_clear_error_and_what_came_is_kept(tmp_path: Path, service: Service) -> None:
    space = _space(tmp_path, service)
    service.failures = [None, None, None, *[rate_limited("0")] * 700]
    with pytest.raises(DataError, match=r"hubspot contacts is asked too often \(HTTP 429\), 600 seconds") as caught:
        space.collect()
    assert "The 400 records that came before are kept" in str(caught.value)
    service.failures = []
    service.asked.clear()
    space.collect()
    assert len(_table(space, "customers")) == 450
    assert space.manifest().entries[0].rows == 400
    assert space.manifest().entries[1].rows < 60


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (rate_limited(None, "DAILY"), "has answered all requests of today"),
        (
            (
                403,
                {},
                {"status": "error", "message": "This app hasn't been granted all required scopes", "category": "X"},
            ),
            "does not allow this.*scope",
        ),
        ((400, {}, {"status": "error", "message": "There was a problem with the request."}), "refuses the request"),
    ],
)
def test_refusal_that_does_not_pass_is_not_waited_for(service: Service, failure: object, said: str) -> None:
    service.failures = [failure]  # type: ignore[list-item]
    with pytest.raises(DataError, match=said):
        _read(service)


def test_token_that_expires_in_mid_read_is_said_without_it(tmp_path: Path, service: Service) -> None:
    space = _space(tmp_path, service, token="pat-eu1-0ld")
    with pytest.raises(DataError, match=r"does not accept the token.*Authentication credentials not found") as caught:
        space.collect()
    assert "0ld" not in str(caught.value)
    assert not (tmp_path / "warehouse" / "landed" / "crm").exists()


def test_property_of_the_mapping_that_the_account_lacks_is_named(service: Service) -> None:
    with pytest.raises(DataError, match=r"sources\.crm\.columns\.occupation.*no column 'hs_person'.*'hs_persona'"):
        _read(service, columns={"occupation": "hs_person"})  # type: ignore[arg-type]
    del service.properties["contacts"]["hs_language"]
    service.properties["contacts"] = {k: v for k, v in CONTACTS.items() if k != "hs_language"}
    assert {r["hs_language"] for r in _read(service)} == {None}, "a usual one that is not there is not known"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{connector: hubspot, object: contact, token: '${T}'}", "Did you mean 'contacts'"),
        ("{connector: hubspot, object: contacts}", "needs the access token"),
        ("{connector: hubspot, object: contacts, refresh_token: '${T}'}", "client_id and client_secret"),
        ("{connector: hubspott, object: contacts, token: '${T}'}", "connector"),
        ("{connector: hubspot, object: contacts, token: pat-eu1-s3cret}", "the token stands in the file"),
        ("{connector: hubspot, object: contacts, token: '${T}', path: x.csv}", "needs one of path"),
        ("{kind: customers, path: x.csv, token: '${T}', columns: {customer: id}}", "token: does not go with path"),
        ("{kind: customers, url: 'sqlite:///x.db', columns: {customer: id}}", "a database needs table, or query"),
        (
            "{kind: customers, url: 'postgresql://u:s3cret@h/d', table: t, columns: {customer: id}}",
            "the password stands",
        ),
        ("{kind: customers, columns: {customer: id}}", "needs one of path"),
    ],
)
def test_source_that_cannot_be_meant_is_explained(source: str, said: str) -> None:
    with pytest.raises(SegmentryError, match=said) as caught:
        config.parse(f"name: x\nsources:\n  crm: {source}\n", {"T": "t0ken"})
    assert "segmentry.yaml:3" in str(caught.value)
    for told in (str(caught.value), str(caught.value.__cause__)):
        assert "s3cret" not in told
        assert "t0ken" not in told
