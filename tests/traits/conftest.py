"""What all tests of traits share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ibis.backends.duckdb import Backend

from segmentry import engine


@pytest.fixture
def con() -> Iterator[Backend]:
    with engine.in_memory() as backend:
        yield backend
