"""What every test may lean on: UTC, the real data sets, and a browser."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure: tests are never judged by the clock.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# Segmentry's processes run in UTC; so do its tests and every process that they start.
os.environ["TZ"] = "UTC"
time.tzset()

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The directory of real data sets (CDNOW, Online Retail, McDonald's, ...), which is not part of the repository."""
    given = os.environ.get("SEGMENTRY_TEST_DATA")
    directory = Path(given) if given else ROOT.parent / "shared" / "data"
    if not directory.is_dir():
        if given:
            pytest.fail(f"SEGMENTRY_TEST_DATA={given} is not a directory. Correct it, or unset it to skip these tests.")
        pytest.skip(
            "the real data sets are not in ../shared/data. Set SEGMENTRY_TEST_DATA to the directory that holds them."
        )
    return directory


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser of tests marked ``browser``. Without one they fail: a page nobody looked at is not tested."""
    for name in BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    pytest.fail(
        f"no browser: none of {', '.join(BROWSERS)} is on PATH. `make test` installs Chromium when run as root with "
        "apt-get; elsewhere install it with your system's package manager, or leave these tests out: -m 'not browser'."
    )
