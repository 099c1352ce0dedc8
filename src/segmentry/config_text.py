"""The text of a segmentry.yaml below its meaning: lines of keys, the environment, secrets that may not stand there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from segmentry.errors import ConfigError

# Keys that may hold a secret, and so are never repeated in a message.
SECRET = ("token", "password", "security_token", "refresh_token", "client_secret")
_IN_URL = re.compile(r"://[^/@]*:([^@]*)@|[?&](?:password|sslpassword|token|access_token)=([^&]*)", re.IGNORECASE)


def no_secret(tree: CommentedMap, file: str) -> None:
    """Passwords come from the environment, never from a file that is passed around and committed."""
    sources = tree.get("sources")
    named = sources.items() if isinstance(sources, Mapping) else ()
    parts = [(("sources", name), part) for name, part in named if isinstance(part, Mapping)]
    urls = [(("engine",), tree.get("engine")), *(((*at, "url"), part.get("url")) for at, part in parts)]
    found = [(at, m[1] or m[2] or "") for at, url in urls if isinstance(url, str) for m in _IN_URL.finditer(url)]
    found += [((*at, key), str(part[key])) for at, part in parts for key in SECRET if part.get(key)]
    for at, secret in found:
        if not re.fullmatch(r"\$\{\w+\}|", secret):
            word = "password" if at[-1] in ("engine", "url") else str(at[-1]).replace("_", " ")
            variable = "SEGMENTRY_DB_PASSWORD" if word == "password" else f"{at[1]}_{at[-1]}".upper()
            raise ConfigError(
                f"{file}:{line_of(tree, at)} {dotted(at)}: the {word} stands in the file.",
                why="Whoever reads the file could use it.",
                fix=f"Write ${{{variable}}} in its place and set that environment variable.",
            )


def line_of(tree: object, path: tuple[object, ...]) -> int:
    """The line (from 1) of a key path in a loaded YAML tree; of its nearest parent where it is missing."""
    line = 1
    for key in path:
        if isinstance(tree, CommentedMap) and key in tree:
            line = tree.lc.key(key)[0] + 1
        elif isinstance(tree, CommentedSeq) and isinstance(key, int) and key < len(tree):
            line = tree.lc.item(key)[0] + 1
        else:
            break
        tree = tree[key]
    return line


def substituted(node: object, env: Mapping[str, str], file: str, path: tuple[object, ...]) -> Any:
    """A tree with its ``${NAME}`` filled in; :class:`ConfigError` for one that is not set."""
    if isinstance(node, Mapping):
        return {str(k): substituted(v, env, file, (*path, k)) for k, v in node.items()}
    if isinstance(node, list):
        return [substituted(v, env, file, (*path, i)) for i, v in enumerate(node)]
    if isinstance(node, str):

        def value(match: re.Match[str]) -> str:
            if match[1] not in env:
                raise ConfigError(
                    f"{file} {dotted(path)}: the environment variable {match[1]} is not set.",
                    fix=f"Set it, for example `export {match[1]}=…`.",
                )
            return env[match[1]]

        return re.sub(r"\$\{(\w+)\}", value, str(node))
    return node


def dotted(path: tuple[object, ...]) -> str:
    """A key path as people write it."""
    return ".".join(str(p) for p in path)


def value_at(tree: object, path: tuple[object, ...]) -> Any:
    """What stands at a key path."""
    for key in path:
        tree = cast(Any, tree)[key]
    return tree
