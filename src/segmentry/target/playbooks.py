"""Texts of segments from a template file that a person can edit: meaning and next action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from segmentry.errors import ConfigError
from segmentry.target.profiles import TraitEffect

FILE_NAME = "playbooks.yaml"
# A third of a standard deviation: clearly more than Cohen's "small" 0.2, reached by one in three segments.
_CLEAR = 1 / 3


def template() -> str:
    """The text of the playbooks.yaml that a new workspace gets."""
    return resources.files("segmentry.target").joinpath(FILE_NAME).read_text(encoding="utf-8")


def load(path: Path) -> dict[str, Any]:
    """The playbooks of a workspace; the template where the file is gone.

    Raises :class:`ConfigError` naming the line when the file is not what it should be.
    """
    return _checked(path.read_text(encoding="utf-8-sig") if path.exists() else template(), path.name)


@lru_cache(maxsize=8)  # a run reads the file for every segmentation
def _checked(text: str, name: str) -> dict[str, Any]:
    try:
        data = YAML(typ="safe").load(text) or {}
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{name}:{line} is not YAML: {error.problem}.") from error
    found, segments = data.get("found", []), data.get("segments", {})
    good = isinstance(segments, Mapping) and all(isinstance(v, Mapping) for v in segments.values())
    good = (
        good and isinstance(found, list) and all(isinstance(f, Mapping) and {"when", "action"} <= set(f) for f in found)
    )
    if not good:
        raise ConfigError(
            f"{name}: `segments` maps names to meaning and action; `found` lists entries with when and action.",
            fix="Compare it with a fresh one: delete the file and run `segmentry init` in an empty folder.",
        )
    return dict(data)


def texts(playbooks: Mapping[str, Any], names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Meaning and action of the segments that the playbooks know by name."""
    known = playbooks.get("segments", {})
    return {n: {k: str(v) for k, v in known[n].items() if k in ("meaning", "action")} for n in names if n in known}


def action_for(playbooks: Mapping[str, Any], effects: Iterable[TraitEffect]) -> str:
    """The next action for a segment that was found in the data, by what sets it apart."""
    effect = {e.trait: e.effect or 0.0 for e in effects if e.level is None}
    for entry in playbooks.get("found", []):
        wanted = entry["when"]
        if all((effect.get(t, 0.0) if side == "high" else -effect.get(t, 0.0)) >= _CLEAR for t, side in wanted.items()):
            return str(entry["action"])
    return ""
