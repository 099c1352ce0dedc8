"""Processes of tests. They fork from one that has imported everything and opened nothing: to import takes seconds."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "segmentry.workspace",
        "segmentry.beginnings",
        "segmentry.drafts",
        "segmentry.stats.lifetime",
        "segmentry.apps.cli",
        "segmentry.apps.findings",
        "segmentry.apps.report",
        "segmentry.apps.terminal",
        "tests.shops",
    ]
)


def segmentry(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command line as a user meets it: a process of its own, its exit code and what it prints."""
    arguments = [str(word) for word in words]
    with tempfile.TemporaryDirectory() as folder:
        child = FORKS.Process(target=_command, args=(arguments, cwd or Path.cwd(), dict(os.environ), Path(folder)))
        child.start()
        child.join()
        out, err = (Path(folder, name).read_text(encoding="utf-8") for name in ("out", "err"))
    return subprocess.CompletedProcess(["segmentry", *arguments], child.exitcode or 0, out, err)


def _command(words: list[str], cwd: Path, env: Mapping[str, str], said: Path) -> None:
    from segmentry.apps.cli import main  # noqa: PLC0415, a fork has it already

    opened = os.open("/dev/null", os.O_RDONLY), *(os.open(said / n, os.O_CREAT | os.O_WRONLY) for n in ("out", "err"))
    for number, file in enumerate(opened):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["segmentry", *words]
    main()
