"""What people decided about each field: who gathers it, where, by when. Kept in plan.yaml, edited by hand or command.

A file of its own, because a plan exists before there is a segmentry.yaml, and other people own it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml.comments import CommentedMap

from segmentry.config_text import line_of
from segmentry.data import kept_yaml
from segmentry.data.plan.fields import BY_ID
from segmentry.errors import ConfigError, UsageError, did_you_mean

FILE_NAME = "plan.yaml"
Status = Literal["have", "to collect", "asked", "refused", "not needed"]
STATUSES: tuple[str, ...] = get_args(Status)
_HEADING = (
    "Who gathers which data, from where, by when. `segmentry plan` shows the fields; status is one of\n"
    "have, to collect, asked, refused, not needed. Edit freely, or with `segmentry plan --field NAME --status ...`."
)


class Decision(BaseModel):
    """What was decided about one field."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status | None = Field(None, description="have, to collect, asked, refused or not needed.")
    owner: str = Field("", description="Who answers for it.")
    source: str = Field("", description="System, or survey, that it is to come from.")
    due: date | None = Field(None, description="When it is to be there.")
    note: str = Field("", description="Anything to remember.")

    @property
    def is_out(self) -> bool:
        """Nobody waits for it any more."""
        return self.status in ("refused", "not needed")


def load(root: Path) -> dict[str, Decision]:
    """The decisions by field; :class:`ConfigError` names file, line and key of a mistake."""
    tree = kept_yaml.read(root / FILE_NAME, "fields")
    fields = tree.get("fields") or {}
    if not isinstance(fields, Mapping):
        raise ConfigError(f"{FILE_NAME}:1 fields: must map fields such as demographic.age to decisions.")
    found = {}
    for name, body in fields.items():
        key = ("fields", name)
        if name not in BY_ID:
            line = line_of(tree, key)
            raise ConfigError(f"{FILE_NAME}:{line} fields.{name}: there is no such field. {_near(name)}")
        found[name] = kept_yaml.entry(Decision, body, tree, key, FILE_NAME)
    return found


def decide(root: Path, field: str, changes: Mapping[str, Any]) -> Decision:
    """Write a decision into plan.yaml, comments kept; gives what stands there now.

    ``changes`` are keys of :class:`Decision`; those not named stay. Raises :class:`UsageError` for an unknown field or
    status.
    """
    check_field(field)
    status = changes.get("status")
    if status is not None and status not in STATUSES:
        raise UsageError(f"'{status}' is no status.", why=did_you_mean(status, STATUSES))
    load(root)  # a file with a mistake is not written over

    def edit(tree: CommentedMap) -> None:
        if tree.get("fields") is None:
            tree["fields"] = CommentedMap()
        entry = tree["fields"].setdefault(field, CommentedMap())
        entry.update(changes)

    kept_yaml.change(root / FILE_NAME, _HEADING, edit)
    return load(root)[field]


def check_field(field: str) -> None:
    """Raises :class:`UsageError` when the plan has no such field."""
    if field not in BY_ID:
        raise UsageError(f"There is no field '{field}'.", why=_near(field), fix="`segmentry plan MODEL` lists them.")


def _near(name: str) -> str:
    """The nearest fields: by the whole name, or by what stands behind the dot."""
    last = str(name).rpartition(".")[2]
    same = [field for field in BY_ID if field.endswith(f".{last}")]
    return f"Did you mean '{same[0]}'?" if len(same) == 1 else did_you_mean(str(name), BY_ID)
