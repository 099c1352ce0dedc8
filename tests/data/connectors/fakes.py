"""Local servers that answer as HubSpot and Salesforce document it, and refuse whatever those would refuse."""

from __future__ import annotations

import json
import operator
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "pat-eu1-s3cret"
Answer = tuple[int, dict[str, str], Any]


@dataclass
class Service:
    """What a fake holds and has been asked; ``failures`` are answered before anything else, one a request."""

    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    properties: dict[str, dict[str, str]] = field(default_factory=dict)
    contacts: dict[str, list[str]] = field(default_factory=dict)
    archived: dict[str, list[str]] = field(default_factory=dict)
    archived_at: str = "2026-01-01T00:00:00.000Z"
    failures: list[Answer | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    token: str = TOKEN
    window: int = 10_000
    page: int = 2_000
    locators: dict[str, tuple[str, bool, int]] = field(default_factory=dict)
    url: str = ""
    refresh: str = "r3fresh"
    tokens: int = 0  # access tokens given for it


def _handler(service: Service, answer: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            service.asked.append(f"{self.command} {self.path}")
            failure = service.failures.pop(0) if service.failures else None
            if failure is not None and failure[0] == 0:  # the connection breaks
                self.close_connection = True
                return
            status, headers, content = failure or answer(service, self, body)
            data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _reply  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    return Handler


@contextmanager
def serving(answer: Any, context: Any = None, host: str = "127.0.0.1") -> Iterator[Service]:
    """A fake on a free port of this machine, over TLS where a context is given."""
    service = Service()
    with ThreadingHTTPServer((host, 0), _handler(service, answer)) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        service.url = f"{'https' if context else 'http'}://{host}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


# HubSpot --------------------------------------------------------------------------------------------------------------


def _wrong(status: int, message: str, category: str = "VALIDATION_ERROR") -> Answer:
    body = {"status": "error", "message": message, "correlationId": "a43683b0", "category": category}
    return status, {}, body


def rate_limited(wait: str | None = "0", policy: str = "TEN_SECONDLY_ROLLING") -> Answer:
    """HubSpot's answer to too many requests."""
    body = {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": "c033cdaa",
        "policyName": policy,
    }
    return 429, {"Retry-After": wait} if wait is not None else {}, body


def hubspot(service: Service, request: Any, body: bytes) -> Answer:  # noqa: PLR0911 - a return per endpoint
    """CRM properties v3, objects v3, search v3, associations v4, and OAuth tokens v1."""
    if request.command == "POST" and request.path == "/oauth/v1/token":
        return _token(service, request, body.decode())
    if request.headers.get("Authorization") != f"Bearer {service.token}":
        return _wrong(401, "Authentication credentials not found.", "INVALID_AUTHENTICATION")
    parts = urlsplit(request.path)
    match [request.command, *parts.path.strip("/").split("/")]:
        case ["GET", "crm", "v3", "properties", name] if name in service.objects:
            results = [
                {
                    "name": n,
                    "label": n,
                    "type": t,
                    "fieldType": "text",
                    "groupName": "g",
                    "description": "",
                    "options": [],
                }
                for n, t in service.properties[name].items()
            ]
            return 200, {}, {"results": results}
        case ["POST", "crm", "v3", "objects", name, "search"] if name in service.objects and not parts.query:
            return _searched(service, name, json.loads(body))
        case ["GET", "crm", "v3", "objects", name] if name in service.objects:
            return _archived(service, name, parse_qs(parts.query))
        case ["POST", "crm", "v4", "associations", _, "contacts", "batch", "read"]:
            return _associated(service, json.loads(body))
    return _wrong(404, "resource not found", "OBJECT_NOT_FOUND")


def _token(service: Service, request: Any, body: str) -> Answer:
    """A new access token for the refresh token; the former ones end."""
    if request.headers.get("Content-Type") != "application/x-www-form-urlencoded":
        return _wrong(415, "unsupported media type")
    given = {k: v for k, (v,) in parse_qs(body).items()}
    wanted = {
        "grant_type": "refresh_token",
        "client_id": "app-1",
        "client_secret": "cl13nt",
        "refresh_token": service.refresh,
    }
    if given != wanted:
        return 400, {}, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}
    service.tokens += 1
    service.token = f"CJ{service.tokens}"
    made = {"access_token": service.token, "refresh_token": service.refresh, "expires_in": 1800, "token_type": "bearer"}
    return 200, {}, made


def _archived(service: Service, name: str, asked: dict[str, list[str]]) -> Answer:
    """The records in the recycling bin, page by page."""
    if set(asked) - {"archived", "limit", "after"} or not 1 <= int(asked["limit"][0]) <= 100:
        return _wrong(400, "There was a problem with the request.")
    if asked["archived"][0].lower() != "true":
        return _wrong(400, "only what is archived is listed here")
    found = sorted(service.archived.get(name, []), key=int)
    first = int(asked.get("after", ["0"])[0])
    page = found[first : first + int(asked["limit"][0])]
    at = service.archived_at
    results = [
        {"id": i, "properties": {}, "createdAt": at, "updatedAt": at, "archived": True, "archivedAt": at} for i in page
    ]
    following = first + len(page)
    paging = {"paging": {"next": {"after": str(following)}}} if following < len(found) else {}
    return 200, {}, {"results": results, **paging}


def _searched(service: Service, name: str, asked: dict[str, Any]) -> Answer:
    known = service.properties[name]
    if set(asked) - {"filterGroups", "sorts", "properties", "limit", "after"}:
        return _wrong(400, "Invalid input JSON: unknown key")
    if not 1 <= asked["limit"] <= 200 or len(asked["sorts"]) != 1 or len(asked["filterGroups"]) > 5:
        return _wrong(400, "There was a problem with the request.")
    if not set(asked["properties"]) <= set(known):
        return _wrong(400, f"unknown properties {set(asked['properties']) - set(known)}")
    first = int(asked.get("after", "0"))
    if first + asked["limit"] > service.window and first >= service.window:
        return _wrong(400, "Paging through results is limited to 10,000 records")
    found = [r for r in service.objects[name] if all(_holds(r, f) for f in asked["filterGroups"][0]["filters"])]
    by, direction = asked["sorts"][0]["propertyName"], asked["sorts"][0]["direction"]
    assert direction == "ASCENDING"
    found.sort(key=lambda r: _comparable(r[by]))
    page = found[first : first + asked["limit"]]
    results = [
        {
            "id": r["hs_object_id"],
            "properties": {p: r.get(p) for p in asked["properties"]},
            "createdAt": "2026-01-01T00:00:00.000Z",
            "updatedAt": "2026-01-01T00:00:00.000Z",
            "archived": False,
        }
        for r in page
    ]
    following = first + len(page)
    paging = {"paging": {"next": {"after": str(following)}}} if following < len(found) else {}
    return 200, {}, {"total": len(found), "results": results, **paging}


def _holds(record: dict[str, Any], given: dict[str, str]) -> bool:
    assert set(given) == {"propertyName", "operator", "value"}
    mine, wanted = record.get(given["propertyName"]), _comparable(given["value"])
    if mine is None:
        return False
    mine = _comparable(mine)
    return {"GTE": mine >= wanted, "GT": mine > wanted, "EQ": mine == wanted}[given["operator"]]


def _comparable(value: str) -> float | str:
    """Dates count in milliseconds, numbers by their value."""
    if value[:4].isdecimal() and value[4:5] == "-":
        return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp() * 1000
    return float(value) if value.isdecimal() else value


def _associated(service: Service, asked: dict[str, Any]) -> Answer:
    ids = [each["id"] for each in asked["inputs"]]
    if not 1 <= len(ids) <= 1000 or any(set(each) != {"id"} for each in asked["inputs"]):
        return _wrong(400, "Invalid input JSON")
    kind = {"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None}
    results = [
        {"from": {"id": i}, "to": [{"toObjectId": int(c), "associationTypes": [kind]} for c in service.contacts[i]]}
        for i in ids
        if i in service.contacts
    ]
    at = "2026-01-01T00:00:00.000Z"
    return 200, {}, {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}


# Salesforce -----------------------------------------------------------------------------------------------------------


def salesforce_error(status: int, code: str, message: str) -> Answer:
    """An error in Salesforce's shape."""
    return status, {}, [{"message": message, "errorCode": code}]


_SOQL = re.compile(
    r"SELECT (?P<fields>COUNT\(\)|[A-Za-z, ]+) FROM (?P<object>\w+)(?: WHERE (?P<where>.+?))?"
    r"(?: ORDER BY SystemModstamp, Id)?"
)
_AFTER = re.compile(r"SystemModstamp (>=?) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z")


def salesforce(service: Service, request: Any, body: bytes) -> Answer:
    """SOAP login, describe, query, queryAll and their next pages, of version 59.0."""
    parts = urlsplit(request.path)
    steps = parts.path.strip("/").split("/")
    if steps[:3] == ["services", "Soap", "u"] and request.command == "POST":
        return _login(service, request, body.decode())
    if request.headers.get("Authorization") != f"Bearer {service.token}":
        return salesforce_error(401, "INVALID_SESSION_ID", "Session expired or invalid")
    match [request.command, *steps]:
        case ["GET", "services", "data", "v59.0", "sobjects", name, "describe"] if name in service.objects:
            fields = [{"name": n, "type": t} for n, t in service.properties[name].items()]
            return 200, {}, {"name": name, "fields": fields}
        case ["GET", "services", "data", "v59.0", ("query" | "queryAll") as how]:
            return _queried(service, parse_qs(parts.query)["q"][0], how == "queryAll", 0)
        case ["GET", "services", "data", "v59.0", "query", locator]:
            return _queried(service, *service.locators[locator])
    return salesforce_error(404, "NOT_FOUND", "The requested resource does not exist")


def _login(service: Service, request: Any, body: str) -> Answer:
    right = "<n1:username>anna@example.com</n1:username>" in body and "<n1:password>s3cretXYZ</n1:password>" in body
    if request.headers.get("SOAPAction") != "login" or not right:
        fault = (
            "<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode><sf:exceptionMessage>INVALID_LOGIN: Invalid username, "
            "password, security token; or user locked out.</sf:exceptionMessage>"
        )
        return 500, {"Content-Type": "text/xml"}, f'<e xmlns:sf="urn:fault.partner.soap.sforce.com">{fault}</e>'
    service.token = f"00D!{len(service.asked)}"
    answer = f"<sessionId>{service.token}</sessionId><serverUrl>https://{request.headers['Host']}/services</serverUrl>"
    return 200, {"Content-Type": "text/xml"}, f"<e>{answer}</e>"


def _field(record: dict[str, Any], name: str, known: dict[str, str]) -> Any:
    """A value; a checkbox is never null."""
    return record.get(name, False if known[name] == "boolean" else None)


def _queried(service: Service, soql: str, deleted: bool, first: int) -> Answer:
    asked = _SOQL.fullmatch(soql)
    if asked is None or asked["object"] not in service.objects:
        return salesforce_error(400, "MALFORMED_QUERY", f"unexpected token in {soql}")
    known = service.properties[asked["object"]]
    rows = [r for r in service.objects[asked["object"]] if deleted or not r.get("IsDeleted")]
    for condition in asked["where"].split(" AND ") if asked["where"] else ():
        after = _AFTER.fullmatch(condition)
        name, _, value = condition.partition(" = ")
        if after is None and not (known.get(name) == "boolean" and value == "true"):
            return salesforce_error(400, "MALFORMED_QUERY", f"unexpected token: {condition}")
        least = {">=": operator.ge, ">": operator.gt}[after[1]] if after else None
        rows = [r for r in rows if (least(r["SystemModstamp"][:23], after[2]) if least and after else r.get(name))]
    if asked["fields"] == "COUNT()":
        return 200, {}, {"totalSize": len(rows), "done": True, "records": []}
    fields = asked["fields"].split(", ")
    if unknown := set(fields) - set(known):
        return salesforce_error(400, "INVALID_FIELD", f"No such column '{unknown.pop()}' on entity '{asked['object']}'")
    rows.sort(key=lambda r: (r["SystemModstamp"], r["Id"]))
    last = min(first + service.page, len(rows))
    kind = {"type": asked["object"], "url": f"/services/data/v59.0/sobjects/{asked['object']}/x"}
    records = [{"attributes": kind, **{f: _field(r, f, known) for f in fields}} for r in rows[first:last]]
    locator = f"01g-{last}"
    service.locators[locator] = (soql, deleted, last)
    more = {"nextRecordsUrl": f"/services/data/v59.0/query/{locator}"} if last < len(rows) else {}
    return 200, {}, {"totalSize": len(rows), "done": not more, "records": records, **more}
