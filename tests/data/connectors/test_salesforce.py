"""Salesforce: pages, sessions that expire, limits, deletions, and objects that need no mapping; over TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import trustme
from tests.data.connectors.fakes import Service, salesforce, salesforce_error, serving

from segmentry import config
from segmentry.data.connectors.patience import Patience
from segmentry.data.feeds import open_feed
from segmentry.errors import DataError
from segmentry.workspace import Workspace

HOST = "acme.my.salesforce.com"
CONFIG = """\
name: Test CRM
sources:
  people: {{connector: salesforce, object: Contact, {login}}}
  won: {{connector: salesforce, object: Opportunity, {login}}}
segmentations:
  value: {{method: value_tiers}}
"""
SESSION = 'url: "https://acme.my.salesforce.com", token: "${SF_TOKEN}"'
PASSWORD = (
    'url: "https://acme.my.salesforce.com", username: "${SF_USER}", password: "${SF_PASSWORD}", '
    'security_token: "${SF_SECURITY}"'
)
ENV = {"SF_TOKEN": "00D!first", "SF_USER": "anna@example.com", "SF_PASSWORD": "s3cret", "SF_SECURITY": "XYZ"}
TEXTS = ["Id", "FirstName", "LastName", "Email", "Phone", "MailingStreet", "MailingCity", "MailingState", "Title"]
CONTACTS = {
    **dict.fromkeys([*TEXTS, "MailingPostalCode", "MailingCountry", "AccountId"], "string"),
    "Birthdate": "date",
    "CreatedDate": "datetime",
    "SystemModstamp": "datetime",
    "IsDeleted": "boolean",
}
OPPORTUNITIES = {
    **dict.fromkeys(["Id", "ContactId", "Name", "Type"], "string"),
    "CloseDate": "date",
    "Amount": "currency",
    "IsWon": "boolean",
    "IsDeleted": "boolean",
    "SystemModstamp": "datetime",
}


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Salesforce on this machine, under its own name and with a certificate for it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(context)
    resolve = socket.getaddrinfo
    with serving(salesforce, context) as made:
        port = int(made.url.rpartition(":")[2])

        def here(host: Any, wanted: Any, *args: Any, **kwargs: Any) -> Any:
            return (
                resolve("127.0.0.1", port, *args, **kwargs) if host == HOST else resolve(host, wanted, *args, **kwargs)
            )

        monkeypatch.setattr(socket, "getaddrinfo", here)
        made.token = "00D!first"
        made.properties = {"Contact": CONTACTS, "Opportunity": OPPORTUNITIES}
        made.objects = {
            "Contact": [_contact(i) for i in range(1, 251)],
            "Opportunity": [_opportunity(i) for i in range(1, 21)],
        }
        made.page = 100
        yield made


def _at(minutes: int) -> str:
    return (datetime(2026, 1, 1) + timedelta(minutes=minutes)).isoformat() + ".000+0000"


def _contact(i: int) -> dict[str, Any]:
    return {
        "Id": f"003{i:012}AAA",
        "FirstName": f"Ann{i}",
        "Birthdate": "1980-05-17",
        "CreatedDate": _at(i),
        "SystemModstamp": _at(500 + i // 3),
    }


def _opportunity(i: int) -> dict[str, Any]:
    return {
        "Id": f"006{i:012}AAA",
        "ContactId": f"003{i:012}AAA",
        "CloseDate": "2026-01-31",
        "Amount": 1000.5,
        "IsWon": i % 2 == 0,
        "SystemModstamp": _at(i),
    }


def _space(root: Path, login: str) -> Workspace:
    (root / "segmentry.yaml").write_text(CONFIG.format(login=login))
    return Workspace(root, ENV)


def _table(space: Workspace, name: str) -> pd.DataFrame:
    with space.reading() as reading:
        return reading.find(name).to_pandas()


def _read(waits: list[float], **source: Any) -> list[dict[str, Any]]:
    given = {"connector": "salesforce", "object": "Contact", "url": f"https://{HOST}", "token": "00D!first", **source}
    feed = open_feed("people", config.Source.model_validate(given), Path(), Patience(waits.append))
    try:
        return [row for batch in feed.batches(None) for row in batch.to_pylist()]
    finally:
        feed.close()


def test_objects_need_no_mapping_and_the_next_run_reads_what_changed(tmp_path: Path, service: Service) -> None:
    space = _space(tmp_path, SESSION)
    first = space.collect()
    people = _table(space, "customers").set_index("customer")
    assert len(people) == 250
    assert people.loc["003000000000007AAA", "first_name"] == "Ann7"
    assert str(people["birth_date"].iloc[0])[:10] == "1980-05-17"
    won = _table(space, "transactions")
    assert won["amount"].tolist() == [1000.5] * 10, "an opportunity that is not won is no sale"
    assert set(won["customer"]) <= set(people.index)
    assert sum("/query/01g-" in a for a in service.asked) == 2, "the pages after the first"
    assert space.collect().id == first.id
    service.objects["Contact"][0] |= {"FirstName": "Anna", "SystemModstamp": _at(900)}
    service.objects["Contact"][1] |= {"IsDeleted": True, "SystemModstamp": _at(901)}
    space.collect()
    people = _table(space, "customers").set_index("customer")
    assert len(people) == 249, "a deleted record is gone"
    assert people.loc["003000000000001AAA", "first_name"] == "Anna"
    entry = space.manifest().entries[0]
    assert (entry.rows, entry.kept, entry.replaced, entry.closed) == (250, 248, 1, 1)


def test_opportunity_that_is_won_no_more_is_no_sale(tmp_path: Path, service: Service) -> None:
    space = _space(tmp_path, SESSION)
    space.collect()
    service.objects["Opportunity"][1] |= {"IsWon": False, "SystemModstamp": _at(900)}
    run = space.collect()
    assert len(_table(space, "transactions")) == 9
    assert space.collect().id == run.id


def test_session_that_expires_is_renewed_with_user_and_password(tmp_path: Path, service: Service) -> None:
    service.failures = [None, None, salesforce_error(401, "INVALID_SESSION_ID", "Session expired or invalid")]
    space = _space(tmp_path, PASSWORD)
    space.collect()
    assert len(_table(space, "customers")) == 250
    assert sum("/Soap/" in asked for asked in service.asked) == 3, "one for each source, and one again"


def test_session_that_expires_without_a_password_is_said(service: Service) -> None:
    service.failures = [None, None, salesforce_error(401, "INVALID_SESSION_ID", "Session expired or invalid")]
    with pytest.raises(DataError, match=r"does not accept the token or password.*INVALID_SESSION_ID") as caught:
        _read([])
    assert "00D!first" not in str(caught.value)


def test_wrong_password_is_said_without_it(service: Service) -> None:
    with pytest.raises(DataError, match=r"does not accept the token or password.*INVALID_LOGIN") as caught:
        _read([], token=None, username="anna@example.com", password="wr0ng", security_token="XYZ")
    assert "wr0ng" not in str(caught.value)


def test_server_that_is_busy_or_gone_is_asked_again(service: Service) -> None:
    waits: list[float] = []
    busy = salesforce_error(503, "SERVER_UNAVAILABLE", "Too many requests are waiting for connections")
    service.failures = [None, busy, (429, {"Retry-After": "9"}, [{"message": "x", "errorCode": "x"}]), (0, {}, "")]
    assert len(_read(waits)) == 250
    assert waits == [1, 9, 4]


def test_server_that_goes_away_in_mid_read_costs_nothing(tmp_path: Path, service: Service) -> None:
    refused = salesforce_error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    service.failures = [None, None, None, refused]
    space = _space(tmp_path, SESSION)
    with pytest.raises(DataError, match=r"INVALID_QUERY_LOCATOR.*The 200 records that came before are kept"):
        space.collect()
    space.collect()
    assert len(_table(space, "customers")) == 250
    assert next(e.rows for e in space.manifest().entries if e.kind == "customers") == 200


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (salesforce_error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), "all requests of today"),
        (salesforce_error(403, "INSUFFICIENT_ACCESS", "insufficient access rights"), "does not allow this"),
    ],
)
def test_refusal_that_does_not_pass_is_not_waited_for(service: Service, failure: Any, said: str) -> None:
    service.failures = [failure]
    waits: list[float] = []
    with pytest.raises(DataError, match=said):
        _read(waits)
    assert not waits
