"""What the feeds of CRM systems share: typed columns from a description of the object, batches from pages."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from segmentry.config import Source
from segmentry.crm_objects import CRM_OBJECTS
from segmentry.data.connectors.feed import DELETED, Feed, Mark, record_batch, used_columns
from segmentry.errors import DataError

_BATCH = 2_000  # records: what a service that goes away in mid-read costs at most is one page of it
_TYPES = {"number": pa.float64(), "time": pa.timestamp("us", "UTC"), "boolean": pa.bool_(), "text": pa.string()}


class CrmFeed(Feed):
    """One object of a CRM system, in the order of its date of change."""

    def __init__(self, name: str, source: Source, types: Mapping[str, str]) -> None:
        """``types`` says what the object's properties are: number, time, boolean or text."""
        self.object = source.crm_object
        self.cursor: str = self.object.modified
        usual = CRM_OBJECTS[source.connector or ""][self.object.name].columns.values()
        columns = used_columns(name, source, self.place, dict.fromkeys([*types, *usual]))
        self.properties = [c for c in columns if c in types]
        self._lacking = [c for c in columns if c not in types]
        # A key is a name, even where the system calls it a number.
        kinds = {c: "text" if c == self.object.key else types.get(c, "text") for c in columns}
        self._kinds = {**kinds, DELETED: "boolean"}
        self.schema = pa.schema([(c, _TYPES[kind]) for c, kind in self._kinds.items()])

    def kind(self) -> str:
        return "time"

    def batches(self, since: Mark | None) -> Iterator[pa.RecordBatch]:
        held: list[tuple[Any, ...]] = []
        yield record_batch([], self.schema, self.place)
        try:
            for record in self.records(since):
                held.append(tuple(_value(record.get(c), kind) for c, kind in self._kinds.items()))
                if len(held) == _BATCH:
                    yield record_batch(held, self.schema, self.place)
                    held = []
        except DataError:
            yield record_batch(held, self.schema, self.place)
            raise
        yield record_batch(held, self.schema, self.place)

    def caveats(self) -> tuple[str, ...]:
        return tuple(f"{self.object.name} have no property {c} in this account: not known" for c in self._lacking)

    @abstractmethod
    def records(self, since: Mark | None) -> Iterator[Mapping[str, Any]]:
        """The records from a mark on, by property, in the order of the cursor; with ``_deleted`` what is gone there."""


def _value(value: Any, kind: str) -> Any:
    if value is None or value == "":
        return None
    if kind == "time":
        return moment(value)
    if kind == "number":
        return float(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    return value if isinstance(value, str) else str(value)


def moment(text: str) -> datetime:
    """A time as these systems write it: ISO 8601 with a zone, or a day."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def contact_of(associated: Sequence[str]) -> str | None:
    """The contact that an object belongs to: of several the first that was made, so that it is always the same."""
    return min(associated, key=int) if associated else None
