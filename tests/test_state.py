"""The state database of a workspace."""

from __future__ import annotations

from multiprocessing.synchronize import Barrier
from pathlib import Path

from segmentry.state import State
from tests.processes import FORKS


def _opens(folders: list[Path], together: Barrier) -> None:
    for folder in folders:
        together.wait()
        state = State(folder)
        state.begin("collect", None, "f")
        state.close()


def test_many_processes_open_a_new_workspace_at_once(tmp_path: Path) -> None:
    folders = [tmp_path / str(n) for n in range(20)]
    together = FORKS.Barrier(4)
    children = [FORKS.Process(target=_opens, args=(folders, together)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
        if child.is_alive():  # waits for one that has failed
            child.kill()
    assert [child.exitcode for child in children] == [0] * 4
