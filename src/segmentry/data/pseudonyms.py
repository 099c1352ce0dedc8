"""Pseudonyms of customers: keyed, so that only who holds the key can make them again from the ids."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from segmentry.errors import DataError, UsageError

VARIABLE = "SEGMENTRY_PSEUDONYM_KEY"
FILE_NAME = "pseudonym.key"
_SHORTEST = 16  # characters: 128 bits, if they are random
_DIGITS = 24  # of the pseudonym: 96 bits, so that a billion customers share none


def key_of(folder: Path, env: Mapping[str, str]) -> bytes:
    """The key: of the environment, else of a file that only its owner may read; made on first use.

    Raises :class:`UsageError` for a key that can be guessed and :class:`DataError` for a file that others can read.
    """
    given = env.get(VARIABLE)
    if given is not None:
        return _strong(given, VARIABLE)
    path = folder / FILE_NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
    if os.name == "posix" and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        raise DataError(
            f"{path} can be read by others (its mode is {mode:o}).",
            why="Whoever has the key can find the customers behind the pseudonyms.",
            fix=f"`chmod 600 {path}`; delete it instead if somebody may have read it: the next sample makes another.",
        )
    return _strong(path.read_text(encoding="utf-8").strip(), str(path))


def pseudonyms(ids: Sequence[str], key: bytes) -> list[str]:
    """HMAC-SHA-256 of every id (RFC 2104), 24 hexadecimal digits.

    >>> pseudonyms(["C-1"], b"0123456789abcdef") == pseudonyms(["C-1"], b"0123456789abcdeX")
    False
    """
    return [hmac.new(key, i.encode(), hashlib.sha256).hexdigest()[:_DIGITS] for i in ids]


def _strong(key: str, where: str) -> bytes:
    if len(key) < _SHORTEST:
        raise UsageError(
            f"The key in {where} has {len(key)} characters.",
            why=f"At least {_SHORTEST} are needed, or it can be guessed and the pseudonyms undone.",
            fix="Make one with `openssl rand -hex 32`.",
        )
    return key.encode()
