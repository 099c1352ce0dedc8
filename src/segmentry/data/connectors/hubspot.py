"""Objects of HubSpot, through its own client: searched in the order of their date of change.

A search answers with at most 10,000 records in pages of 200, so a longer one is a row of searches, each from where the
one before ended. (HubSpot developers' documentation: CRM search, associations v4, usage guidelines.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from segmentry.config import FILE_NAME, Source
from segmentry.crm_objects import CONTACT, OBJECT
from segmentry.data.connectors.crm import CrmFeed, contact_of, moment
from segmentry.data.connectors.feed import DELETED, Mark
from segmentry.data.connectors.patience import Patience, Refusal
from segmentry.errors import ConfigError, DataError

T = TypeVar("T")
_PAGE, _WINDOW = 200, 10_000  # records of one answer, and of one search
_ARCHIVED_PAGE = 100
_TYPES = {"number": "number", "datetime": "time", "bool": "boolean"}
_EPOCH = datetime(1970, 1, 1)
_LATE = timedelta(days=1)  # the mark is a date of change: what was deleted during a read may lie before it


class HubSpot(CrmFeed):
    """One object of a HubSpot account."""

    def __init__(self, name: str, source: Source, patience: Patience) -> None:
        self.place = f"hubspot {source.object}"
        self._patience = patience
        own = {k: getattr(source, k) for k in ("client_id", "client_secret", "refresh_token")}
        self._oauth = own if source.refresh_token else None
        self._client = _client(name, source)
        found = self._ask(lambda: self._client.crm.properties.core_api.get_all(source.object))
        types = {p.name: _TYPES.get(p.type, "text") for p in found.results}
        super().__init__(name, source, {**types, CONTACT: "text", OBJECT: "text"})

    def count_from(self, mark: Mark) -> int:
        found = self._search([self._from(_milliseconds(mark.value))], self.cursor, 1, None)
        return int(found.total) + sum(1 for _ in self._archived(mark))

    def count_after(self, mark: Mark) -> int:
        later = _filter(self.cursor, "GT", str(_milliseconds(mark.value)))
        return int(self._search([later], self.cursor, 1, None).total)

    def records(self, since: Mark | None) -> Iterator[Mapping[str, Any]]:
        """What has been deleted, and then what is there, in the order of its date of change."""
        if since is not None:  # at first there is nothing here that could be gone
            yield from self._archived(since)
        for record in self._there(since):
            yield record if self._counts(record) else {**record, DELETED: True}

    def _counts(self, record: Mapping[str, Any]) -> bool:
        return not self.object.only or str(record.get(self.object.only)).lower() == "true"

    def _archived(self, since: Mark) -> Iterator[dict[str, Any]]:
        """The records that have been deleted since the last read, of those of the last 90 days: so long HubSpot keeps
        them.

        The list cannot be asked for by date, nor sorted by it, and the search knows no deleted records: so its pages
        are read whole, and what was told before is left out here.
        """
        read: Any = since.value
        earliest = _milliseconds(read - _LATE)
        after: str | None = None
        while True:
            page = self._ask(partial(self._archived_page, after))
            recent = (r for r in page.results if r.archived_at is None or _milliseconds(r.archived_at) >= earliest)
            yield from ({self.object.key: r.id, DELETED: True} for r in recent)
            following = page.paging.next if page.paging else None
            if following is None:
                return
            after = following.after

    def _archived_page(self, after: str | None) -> Any:
        api = self._client.crm.objects.basic_api  # made for each request: with the token of now
        return api.get_page(self.object.name, archived=True, limit=_ARCHIVED_PAGE, after=after)

    def _there(self, since: Mark | None) -> Iterator[Mapping[str, Any]]:
        """Window after window: the next one begins with the last date of change of the one before."""
        start = _milliseconds(since.value) if since else 0
        seen: set[str] = set()  # records of the date at which the window before ended
        while True:
            count, last, at_last = 0, start, set(seen)
            for record in self._window([self._from(start)], self.cursor):
                count += 1
                changed = _milliseconds(moment(record[self.cursor]))
                if changed != last:
                    last, at_last = changed, set()
                at_last.add(record[self.object.key])
                if record[self.object.key] not in seen:
                    yield record
            if count < _WINDOW:
                return
            if last == start:  # more records than a window holds changed at once: an import
                yield from self._changed_at(start, seen | at_last)
                start, seen = start + 1, set()
            else:
                start, seen = last, at_last

    def close(self) -> None:
        """The client holds no connection that needs an end."""

    def _changed_at(self, time: int, seen: set[str]) -> Iterator[Mapping[str, Any]]:
        """All records of one date of change but those seen, by their number."""
        key, last = self.object.key, "0"
        while True:
            count = 0
            filters = [_filter(self.cursor, "EQ", str(time)), _filter(key, "GT", last)]
            for record in self._window(filters, key):
                count, last = count + 1, record[key]
                if last not in seen:
                    yield record
            if count < _WINDOW:
                return

    def _window(self, filters: list[dict[str, str]], by: str) -> Iterator[dict[str, Any]]:
        """The records of one search, page by page."""
        after: str | None = None
        for _ in range(_WINDOW // _PAGE):
            page = self._search(filters, by, _PAGE, after)
            contacts = self._contacts([r.id for r in page.results]) if CONTACT in self.properties else {}
            for result in page.results:
                own = {self.object.key: result.id, CONTACT: contacts.get(result.id), OBJECT: self.object.name}
                yield {**result.properties, **own}
            following = page.paging.next if page.paging else None
            if following is None:
                return
            after = following.after

    def _search(self, filters: list[dict[str, str]], by: str, limit: int, after: str | None) -> Any:
        only = [self.object.only] if self.object.only else []
        request = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": by, "direction": "ASCENDING"}],
            "properties": sorted({*self.properties, self.cursor, self.object.key, *only} - {CONTACT, OBJECT}),
            "limit": limit,
            **({"after": after} if after else {}),
        }
        return self._ask(lambda: self._client.crm.objects.search_api.do_search(self.object.name, request))

    def _contacts(self, ids: list[str]) -> dict[str, str | None]:
        if not ids:
            return {}
        request = {"inputs": [{"id": each} for each in ids]}
        found = self._ask(
            lambda: self._client.crm.associations.v4.batch_api.get_page(self.object.name, "contacts", request)
        )
        return {f._from.id: contact_of([str(to.to_object_id) for to in f.to]) for f in found.results}

    def _from(self, time: int) -> dict[str, str]:
        return _filter(self.cursor, "GTE", str(time))

    def _ask(self, request: Callable[[], T]) -> T:
        def renewing() -> T:
            try:
                return request()
            except Exception as error:
                if self._oauth is None or getattr(error, "status", None) != 401:
                    raise
            self._renew()
            return request()

        return self._patience.ask(self.place, renewing, _refusal)

    def _renew(self) -> None:
        """A new access token for the refresh token: HubSpot's live for 30 minutes."""
        try:
            made = self._client.oauth.tokens_api.create(grant_type="refresh_token", **(self._oauth or {}))
        except Exception as error:
            refused = _refusal(error)
            if refused is None or refused.status not in (400, 401, 403):
                raise
            raise DataError(
                f"{self.place} gives no new access token for the refresh token (HTTP {refused.status}).",
                why=f"It says: {refused.said}",
                fix="Connect the app with the account again, and set the environment variables to what it gives.",
            ) from None
        self._client.access_token = made.access_token


def _client(name: str, source: Source) -> Any:
    try:
        import hubspot  # noqa: PLC0415 - the client of a service is imported by those who use it
        from urllib3.util.retry import Retry  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ConfigError(
            f"{FILE_NAME} sources.{name}: hubspot needs its client, which is not installed.",
            fix="Install it with `pip install 'segmentry[hubspot]'`.",
        ) from error
    # Patience asks again; the client would do so by itself, for some requests only.
    own = {"access_token": source.token or "none yet", "retry": Retry(0)}
    return hubspot.HubSpot(**own, **({"host": source.url.rstrip("/")} if source.url else {}))


def _filter(name: str, operator: str, value: str) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": value}


def _milliseconds(time: Any) -> int:
    """Milliseconds since 1970, as HubSpot counts."""
    naive = time.replace(tzinfo=None)  # these times are in UTC
    return (naive - _EPOCH) // timedelta(milliseconds=1)


def _refusal(error: Exception) -> Refusal | None:
    """What HubSpot, or the way to it, had against a request."""
    status = getattr(error, "status", None)
    if isinstance(status, int) and hasattr(error, "body"):
        try:
            body = json.loads(error.body or "{}")
        except ValueError:
            body = {}
        said = str(body.get("message") or getattr(error, "reason", "") or "nothing")[:300]
        headers = getattr(error, "headers", None) or {}
        wait = headers.get("Retry-After")
        daily = status == 429 and str(body.get("policyName", "")).startswith("DAILY")
        return Refusal(status, said, float(wait) if wait and wait.isdecimal() else None, final=daily)
    if type(error).__module__.startswith("urllib3") or isinstance(error, OSError):
        return Refusal(0, f"{type(error).__name__}: no answer")
    return None
