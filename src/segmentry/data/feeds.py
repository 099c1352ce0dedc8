"""Sources that are no files: from a section of segmentry.yaml to the files that its feed has landed."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

from segmentry.config import Source
from segmentry.data.connectors.databases import open_database
from segmentry.data.connectors.feed import Feed
from segmentry.data.connectors.hubspot import HubSpot
from segmentry.data.connectors.landing import Landed, Told, land
from segmentry.data.connectors.patience import Patience
from segmentry.data.connectors.salesforce import SalesforceObject
from segmentry.data.manifest import Manifest, mapping_of


def pull(
    name: str, source: Source, root: Path, folder: Path, before: Manifest, now: datetime, told: Told
) -> list[Landed]:
    """Land what is new of a source that is a database or a CRM system; see :func:`land`."""
    mapping = mapping_of(source)
    with closing(open_feed(name, source, root, Patience(time.sleep))) as feed:
        last = before.last_pull(name, feed.place, mapping)
        return land(feed, name, folder, f"{mapping} {feed.place}", last, now=now, told=told)


def open_feed(name: str, source: Source, root: Path, patience: Patience) -> Feed:
    """Connect to the system that a source names; see its module for the errors."""
    if source.connector == "hubspot":
        return HubSpot(name, source, patience)
    if source.connector == "salesforce":
        return SalesforceObject(name, source, patience)
    return open_database(name, source, root)
