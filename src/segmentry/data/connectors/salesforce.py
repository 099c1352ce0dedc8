"""Objects of Salesforce, through simple-salesforce: one SOQL query in the order of the date of change, page by page.

(Salesforce REST API Developer Guide: query, queryAll, sObject describe, status codes and error responses.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from segmentry.config import FILE_NAME, Source
from segmentry.data.connectors.crm import CrmFeed
from segmentry.data.connectors.feed import DELETED, Mark
from segmentry.data.connectors.patience import Patience, Refusal
from segmentry.errors import ConfigError

T = TypeVar("T")
_TYPES = {
    **dict.fromkeys(("double", "currency", "percent", "int", "long"), "number"),
    "datetime": "time",
    "boolean": "boolean",
}
_DAILY = "REQUEST_LIMIT_EXCEEDED"  # comes with 403, not 429
_DOMAIN = ".salesforce.com"


class SalesforceObject(CrmFeed):
    """One object of a Salesforce organisation."""

    def __init__(self, name: str, source: Source, patience: Patience) -> None:
        self.place = f"salesforce {source.object}"
        self._patience = patience
        self._wait: str | None = None  # what the last answer asked for
        self._client = self._ask(lambda: _client(name, source, self._heard))
        described = self._ask(lambda: getattr(self._client, str(source.object)).describe())
        super().__init__(name, source, {f["name"]: _TYPES.get(f["type"], "text") for f in described["fields"]})

    def count_from(self, mark: Mark) -> int:
        found = self._query(f"SELECT COUNT() FROM {self.object.name}{self._where(mark)}")
        return int(found["totalSize"])

    def count_after(self, mark: Mark) -> int:
        later = self._where(mark).replace(">=", ">")
        return int(self._query(f"SELECT COUNT() FROM {self.object.name}{later}")["totalSize"])

    def records(self, since: Mark | None) -> Iterator[Mapping[str, Any]]:
        """Records that do not count (``only``) come as deleted ones, since they may have counted before."""
        # The names are those of the description: no text of a person comes into the query.
        only = [self.object.only] if self.object.only else []
        fields = ", ".join(dict.fromkeys([*self.properties, self.cursor, self.object.key, "IsDeleted", *only]))
        order = f"{self.cursor}, {self.object.key}"
        page = self._query(f"SELECT {fields} FROM {self.object.name}{self._where(since)} ORDER BY {order}")
        while True:
            for record in page["records"]:
                counts = not record["IsDeleted"] and (not self.object.only or record[self.object.only])
                yield record if counts else {**record, DELETED: True}
            following = page.get("nextRecordsUrl")
            if page["done"] or not following:
                return
            page = self._next(following)

    def close(self) -> None:
        self._client.session.close()

    def _where(self, since: Mark | None) -> str:
        if since and isinstance(since.value, datetime):
            return f" WHERE {self.cursor} >= {since.value.isoformat(timespec='milliseconds')}Z"
        return ""

    def _query(self, soql: str) -> Any:
        return self._ask(lambda: self._client.query(soql, include_deleted=True))

    def _next(self, url: str) -> Any:
        return self._ask(lambda: self._client.query_more(url, identifier_is_url=True))

    def _ask(self, request: Callable[[], T]) -> T:
        return self._patience.ask(self.place, request, self._refusal)

    def _heard(self, response: Any, **_: object) -> None:
        """The client's errors do not carry the headers, so each answer is looked at as it comes."""
        self._wait = response.headers.get("Retry-After")

    def _refusal(self, error: Exception) -> Refusal | None:
        """What Salesforce, or the way to it, had against a request."""
        wait = float(self._wait) if self._wait and self._wait.isdecimal() else None
        if type(error).__name__ == "SalesforceAuthenticationFailed":
            code = getattr(error, "code", None)  # a status where the answer was no answer to a login
            return Refusal(code if isinstance(code, int) else 401, str(getattr(error, "auth_message", ""))[:300], wait)
        status = getattr(error, "status", None)
        if isinstance(status, int):
            content = getattr(error, "content", None)
            first = content[0] if isinstance(content, list) and content else {}
            code, message = str(first.get("errorCode", "")), str(first.get("message", "nothing"))
            return Refusal(status, f"{code} {message}".strip()[:300], wait, final=code == _DAILY)
        # requests' errors are OSErrors
        return Refusal(0, f"{type(error).__name__}: no answer") if isinstance(error, OSError) else None


def _client(name: str, source: Source, heard: Callable[..., None]) -> Any:
    """A client that is logged in; with user and password it logs in again by itself when its session has expired."""
    try:
        import requests  # noqa: PLC0415 - the client of a service is imported by those who use it
        from simple_salesforce.api import Salesforce  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ConfigError(
            f"{FILE_NAME} sources.{name}: salesforce needs its client, which is not installed.",
            fix="Install it with `pip install 'segmentry[salesforce]'`.",
        ) from error
    session = requests.Session()
    session.hooks["response"].append(heard)
    if source.token:
        return Salesforce(instance_url=source.url, session_id=source.token, session=session)
    host = urlsplit(source.url or "").hostname or ""
    return Salesforce(
        username=source.username,
        password=source.password,
        security_token=source.security_token or "",
        domain=host.removesuffix(_DOMAIN) or "login",
        session=session,
    )
