"""Files that a workspace keeps beside its tables: what was learned, as text that a person can read and compare."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from segmentry.errors import ArtefactError, DataError
from segmentry.segmentation import Segmentation
from segmentry.state import Run, Statement
from segmentry.target import playbooks, trial
from segmentry.traits import Learned
from segmentry.version import __version__


def write_file(path: Path, text: str) -> None:
    """Write a text file of the workspace: beside the old one, then in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".writing")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def digest(parts: object) -> str:
    """A short text that is the same for the same parts, made by the same version of the program."""
    text = json.dumps([__version__, parts], default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def save_segmentation(root: Path, fitted: Segmentation) -> dict[str, Any]:
    """Write the artefact of a fit; gives what its run remembers."""
    text = fitted.to_json()
    path = f"segmentations/{fitted.name}/v{fitted.version}.json"
    write_file(root / path, text)
    return {"version": fitted.version, "file": path, "checksum": digest([text])}


def load_segmentation(root: Path, run: Run) -> Segmentation:
    """The artefact that a fit run left, with the texts of playbooks.yaml.

    Who says a text, first wins: segmentry.yaml, then playbooks.yaml, then what the fit made up.
    """
    name = run.stage.partition(":")[2]
    text = _read(root, run.facts["file"], f"Run `segmentry fit {name}` to make it anew.")
    found = Segmentation.from_json(text, where=run.facts["file"])
    written = playbooks.texts(playbooks.load(root / playbooks.FILE_NAME), found.names)
    made_up = found.report.get("texts", {})
    own = {s.name: {k: v for k, v in (("meaning", s.meaning), ("action", s.action)) if v} for s in found.segments}
    return found.with_texts({n: {**made_up.get(n, {}), **written.get(n, {}), **own[n]} for n in found.names})


@dataclass(frozen=True)
class Version:
    """One version of a segmentation: when it was fitted, on what, and what was said of it.

    ``changed`` are the lines of segmentry.yaml that differ from the version before; ``data`` the columns that it reads,
    ``sources`` where they came from. ``unread`` says why its file cannot be read; then only when it was fitted and what
    was said of it are known.
    """

    version: int
    fitted_at: datetime
    as_of: date | None
    method: str = ""
    segments: tuple[str, ...] = ()
    verdict: str = ""
    purpose: str = ""
    owner: str = ""
    review_by: date | None = None
    data: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    said: tuple[Statement, ...] = ()
    unread: str = ""

    @property
    def signed_by(self) -> str:
        """Who signed it off last; empty where nobody did."""
        return next((s.who for s in reversed(self.said) if s.signed), "")


def versions(root: Path, runs: Sequence[Run], said: Sequence[Statement]) -> tuple[Version, ...]:
    """The versions of a segmentation that its fits left, oldest first."""
    found: list[Version] = []
    before = None
    for run in runs:
        number = int(run.facts["version"])
        told = tuple(s for s in said if s.version == number)
        try:
            text = _read(root, run.facts["file"], "Put it back from a backup: what was fitted is never written again.")
            fitted = Segmentation.from_json(text, where=run.facts["file"])
        except (ArtefactError, DataError) as error:  # the others can be read all the same
            found.append(Version(number, run.started_at, run.as_of, said=told, unread=error.what))
            before = None
            continue
        settings = fitted.report.get("settings", {})
        found.append(
            Version(
                number,
                run.started_at,
                fitted.as_of,
                fitted.method,
                fitted.names,
                str(fitted.report.get("verdict", "")),
                fitted.purpose,
                fitted.owner,
                fitted.review_by,
                tuple(fitted.report.get("data", ())),
                tuple(fitted.report.get("sources", ())),
                trial.settings_changed(before, settings),
                told,
            )
        )
        before = settings
    return tuple(found)


def save_learned(root: Path, learned: Mapping[str, Learned], before: Mapping[str, Learned]) -> dict[str, str]:
    """Write the models that are new; gives the file of each, which the run of the traits remembers."""
    files = {}
    for name, made in learned.items():
        files[name] = f"learned/{name}/v{made.version}.json"
        if before.get(name) != made:
            text = json.dumps({**asdict(made), "as_of": made.as_of.isoformat()}, indent=1, ensure_ascii=False)
            write_file(root / files[name], text + "\n")
    return files


def load_learned(root: Path, run: Run | None) -> dict[str, Learned]:
    """The models that a run of the traits used, by name."""
    found = {}
    for name, file in run.facts.get("learned", {}).items() if run else ():
        anew = f"Run `segmentry traits --learn {name}` to make it anew."
        try:
            data = json.loads(_read(root, file, anew))
            found[name] = Learned(**{**data, "as_of": date.fromisoformat(data["as_of"])})
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{file} is no model that this version reads: {error}.",
                why="It was changed by hand, or another version of Segmentry wrote it.",
                fix=anew,
            ) from error
    return found


def _read(root: Path, file: str, fix: str) -> str:
    path = root / file
    if not path.exists():
        raise DataError(f"{file} is gone.", fix=fix)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is no text in UTF-8: {error}.", why="It was changed by hand.", fix=fix) from error
