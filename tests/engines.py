"""Run one test on every engine: ``@on_every_engine`` and an argument ``engine``, the setting for segmentry.yaml."""

from __future__ import annotations

import pytest

on_every_engine = pytest.mark.parametrize(
    "engine", ["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
on_postgres = pytest.mark.parametrize("engine", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)


def on(engine: str, config: str) -> str:
    """A segmentry.yaml with an engine."""
    return f"engine: {engine}\n{config}"
