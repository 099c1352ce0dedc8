"""YAML files that people and commands both edit: read with the place of every mistake, changed with comments kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from segmentry.config_text import line_of
from segmentry.errors import ConfigError, did_you_mean

Entry = TypeVar("Entry", bound=BaseModel)


def read(path: Path, top: str) -> CommentedMap:
    """The file as a tree with line numbers; an empty one where there is no file.

    ``top`` is its only key. Raises :class:`ConfigError` naming the line.
    """
    if not path.exists():
        return CommentedMap()
    try:
        tree = _yaml().load(path.read_text(encoding="utf-8-sig"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{path.name}:{mark.line + 1 if mark else 1} is not YAML: {error.problem}.") from error
    if tree is None:
        return CommentedMap()
    if not isinstance(tree, CommentedMap):
        raise ConfigError(f"{path.name}:1 must be a mapping with the key {top}.")
    for key in tree:
        if key != top:
            raise ConfigError(f"{path.name}:{line_of(tree, (key,))} {key}: this key is not known. Allowed: {top}.")
    return tree


def entry(made: type[Entry], body: object, tree: CommentedMap, key: tuple[object, ...], file: str) -> Entry:
    """One entry of the file, validated; raises :class:`ConfigError` with every mistake in it, one a line."""
    at = f"{file}:{line_of(tree, key)} {dotted(key)}"
    if not isinstance(body, Mapping):
        raise ConfigError(f"{at}: must be a mapping with keys such as {', '.join(list(made.model_fields)[:3])}.")
    try:
        return made.model_validate(dict(body))
    except ValidationError as error:
        lines = (_explain(dict(item), made, tree, key, file) for item in error.errors())
        raise ConfigError("\n".join(dict.fromkeys(lines))) from error


def _explain(
    item: dict[str, Any], made: type[BaseModel], tree: CommentedMap, key: tuple[object, ...], file: str
) -> str:
    path = (*key, *item["loc"][:1])
    at = f"{file}:{line_of(tree, path)} {dotted(path)}"
    if item["type"] == "extra_forbidden":
        return f"{at}: this key is not known. {did_you_mean(str(path[-1]), made.model_fields)}"
    if item["type"] == "missing":
        return f"{at}: this key is needed and missing."
    given = str(item.get("input"))[:60]
    if item["type"] == "literal_error":
        allowed = made.model_fields[str(item["loc"][0])].annotation
        names = [a for a in _literals(allowed) if isinstance(a, str)]
        return f"{at}: {given!r} is not allowed. {did_you_mean(given, names)}"
    if str(item["type"]).startswith("date"):
        return f"{at}: {given!r} is no date. Write it as 2027-01-31."
    return f"{at}: {given!r}: {str(item['msg']).removeprefix('Value error, ')}"


def _literals(annotation: object) -> Iterable[object]:
    inner = getattr(annotation, "__args__", ())
    return [value for each in inner for value in (_literals(each) if hasattr(each, "__args__") else [each])]


def dotted(path: Iterable[object]) -> str:
    """A key path for people."""
    return ".".join(str(p) for p in path)


def change(path: Path, heading: str, edit: Callable[[CommentedMap], None]) -> None:
    """Edit the file in place, comments and order kept; a new file begins with ``heading`` as a comment."""
    yaml = _yaml()
    if path.exists():
        tree = yaml.load(path.read_text(encoding="utf-8-sig")) or CommentedMap()
    else:
        tree = CommentedMap()
        tree.yaml_set_start_comment(heading)
    edit(tree)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            yaml.dump(tree, file)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.width = 116
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
