"""Data that several tests of the mathematics share."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def mcdonalds(real_data: Path) -> NDArray[np.float64]:
    """(1453, 11) the yes/no items of the McDonald's survey as 1 and 0."""
    with (real_data / "mcdonalds" / "mcdonalds.csv").open(newline="", encoding="utf-8") as file:
        return np.array([[answer == "Yes" for answer in row[:11]] for row in list(csv.reader(file))[1:]], dtype=float)
