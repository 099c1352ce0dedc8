"""JSON documents as a stream of their elements, in bounded memory, and the columns that nested keys become."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from segmentry.data.clean_text import MAX_LINE, SHOWN

MAX_KEYS = 200  # an object with more keys than this has values for keys; it stays JSON text
MAX_DEPTH = 10
NOT_VALID = "not valid JSON"
CUT_SHORT = "the file ends inside this element"

_SPACE = re.compile(r"[ \t\n\r,]*")
_NEXT_OBJECT = re.compile(r"\}[ \t\n\r]*,[ \t\n\r]*(?=\{)")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Element:
    """One element of a document: its text, and why it cannot be read (empty: it can)."""

    text: str
    reason: str = ""


def elements(chunks: Iterable[str]) -> Iterator[Element]:
    """The elements of an array, or documents written one after the other.

    After an element that is no valid JSON, reading goes on at the next object that follows a comma.

    >>> [e.text for e in elements(['[{"a": 1}, {"a"', ': 2}]'])]
    ['{"a": 1}', '{"a": 2}']
    """
    reader = _Reader(iter(chunks))
    while (element := reader.next()) is not None:
        yield element


class _Reader:
    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self._text = ""
        self._place = 0
        self._in_array = False

    def next(self) -> Element | None:
        """The next element, or nothing at the end."""
        while True:
            space = _SPACE.match(self._text, self._place)
            self._place = space.end() if space else self._place
            mark = self._text[self._place : self._place + 1]
            if not mark:
                if not self._more():
                    return None
            elif (mark == "[" and not self._in_array) or (mark == "]" and self._in_array):
                self._in_array = mark == "["
                self._place += 1
            else:
                return self._element()

    def _more(self) -> bool:
        """Read on; what stands before the current place is forgotten."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._text = self._text[self._place :] + chunk
        self._place = 0
        return True

    def _element(self) -> Element:
        while True:
            try:
                _, end = _DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                # What only lacks its end is reported at the end of the text, or where its last string begins.
                unfinished = error.pos >= len(self._text) - 10 or error.msg.startswith("Unterminated")
                if unfinished and len(self._text) - self._place <= MAX_LINE and self._more():
                    continue
                return self._broken(error.pos, unfinished=unfinished)
            except RecursionError:
                return self._broken(self._place, unfinished=False)
            # What follows may still belong to it: 12 can go on as 123.
            if end == len(self._text) and self._more():
                continue
            element = Element(self._text[self._place : end])
            self._place = end
            return element

    def _broken(self, at: int, *, unfinished: bool) -> Element:
        element = Element(self._text[self._place : self._place + SHOWN], CUT_SHORT if unfinished else NOT_VALID)
        self._place = max(self._place, at - 1)
        while (found := _NEXT_OBJECT.search(self._text, self._place)) is None:
            # The mark looked for may lie across two chunks.
            self._place = max(self._place, len(self._text) - 100)
            if not self._more():
                self._place = len(self._text)
                return element
        self._place = found.end()
        return element


def key_paths(objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """The columns of objects as JSON pointers, nested objects taken apart, in the order of first appearance.

    >>> key_paths([{"id": 1, "place": {"city": "Rome"}}, {"id": 2, "tags": []}])
    ['/id', '/place/city', '/tags']
    """
    found: dict[str, None] = {}
    for item in objects:
        _collect(item, "", found, 1)
    return list(found)


def _collect(item: Mapping[str, Any], above: str, found: dict[str, None], depth: int) -> None:
    for key, value in item.items():
        path = pointer(above, key)
        if isinstance(value, dict) and value and depth < MAX_DEPTH and len(value) <= MAX_KEYS:
            _collect(value, path, found, depth + 1)
        else:
            found[path] = None


def pointer(above: str, key: str) -> str:
    """The JSON pointer (RFC 6901) of a key inside an object."""
    return f"{above}/{key.replace('~', '~0').replace('/', '~1')}"


def column_name(path: str) -> str:
    """The column that a JSON pointer becomes: ``/place/city`` -> ``place.city``."""
    return ".".join(part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])
