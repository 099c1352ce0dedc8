"""Law 6: the same input, seed and as_of give the same bytes on another day, in another time zone, on more threads."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.shops import arrow_tables, opened
from tests.test_engines import rich_shop

# What a child runs: a workspace from nothing, on a day that the test chooses.
SCRIPT = """
import sys
from datetime import datetime, timedelta
from pathlib import Path

import segmentry.workspace as workspace
from tests.shops import opened

root, days = Path(sys.argv[1]), int(sys.argv[2])


class Later(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(days=days)


workspace.datetime = Later
space = opened(root)
assert space.run() == {}
space.close()
"""


def results(root: Path) -> dict[str, str]:
    """A digest of everything that people and programs get from a workspace."""
    found = {name: _bytes(rows) for name, rows in arrow_tables(root).items()}
    found |= {str(p.relative_to(root)): p.read_bytes() for p in sorted((root / "segmentations").rglob("*.json"))}
    space = opened(root)
    found["overview"] = repr(space.overview()).encode()
    found["explained"] = repr([space.explain("K0005", name) for name in space.config.segmentations]).encode()
    space.close()
    return {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}


def _bytes(rows: pa.Table) -> bytes:
    """A table as one Parquet file: every value of every row in its order, and nothing of what lies behind a null."""
    buffer = pa.BufferOutputStream()
    pq.write_table(rows.combine_chunks(), buffer)
    return bytes(buffer.getvalue())


def _run(root: Path, days: int, **env: str) -> dict[str, str]:
    command = [sys.executable, "-c", SCRIPT, str(root), str(days)]
    subprocess.run(command, env={**os.environ, **env}, cwd=Path(__file__).parent.parent, check=True)
    return results(root)


@pytest.mark.timeout(600)
def test_other_day_zone_and_threads_change_no_byte(tmp_path: Path) -> None:
    threads = ("SEGMENTRY_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    # More order lines than a row group of DuckDB has (122,880), so that its threads share them.
    files = rich_shop(tmp_path / "files", customers=6_000, busiest=62)
    shutil.copytree(files, tmp_path / "plain")
    plain = _run(tmp_path / "plain", 0, **dict.fromkeys(threads, "1"))
    elsewhere = {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "77"}
    shutil.copytree(files, tmp_path / "other")
    other = _run(tmp_path / "other", 400, **dict.fromkeys(threads, "4"), **elsewhere)
    assert other == plain
