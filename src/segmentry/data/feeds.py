"""Sources that are no files: from a section of segmentry.yaml to the files that its feed has landed."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path

from segmentry.config import Source
from segmentry.data.collect import Manifest, mapping_of
from segmentry.data.connectors.databases import open_database
from segmentry.data.connectors.feed import Feed
from segmentry.data.connectors.landing import Landed, Told, land


def pull(
    name: str, source: Source, root: Path, folder: Path, before: Manifest, now: datetime, told: Told
) -> list[Landed]:
    """Land what is new of a source that is a database or a CRM system; see :func:`land`."""
    mapping = mapping_of(source)
    with closing(_opened(name, source, root)) as feed:
        last = before.last_pull(name, feed.place, mapping)
        return land(feed, name, folder, f"{mapping} {feed.place}", last, now=now, told=told)


def _opened(name: str, source: Source, root: Path) -> Feed:
    return open_database(name, source, root)
