"""Every error that Segmentry raises on purpose.

::

    SegmentryError            what came in, what is allowed or why, what to do next
    ├── UsageError            the call or the command line is wrong            exit 2
    ├── ConfigError           segmentry.yaml is wrong: file:line and key       exit 2
    ├── DataError             a source, file, column or row cannot be used     exit 1
    ├── FitError              the data cannot support what was asked for       exit 1
    ├── ArtefactError         a frozen segmentation is damaged or too new      exit 1
    └── BusyError             another process is writing to the workspace      exit 1

Anything else that reaches the command line is a defect of ours (exit 3).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SegmentryError(Exception):
    """The root of the tree: a message in three parts.

    ``what`` was given, ``why`` that is a problem or what is allowed, and the ``fix``: what to do next.
    """

    exit_code = 3

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.fix) if part)


class UsageError(SegmentryError):
    """The call or the command line is wrong."""

    exit_code = 2


class ConfigError(SegmentryError):
    """segmentry.yaml is wrong; the message starts with ``file:line key.path``."""

    exit_code = 2


class DataError(SegmentryError):
    """A source, file, column or row cannot be used as the workspace asks."""

    exit_code = 1


class FitError(SegmentryError):
    """The data cannot support the segmentation that was asked for."""

    exit_code = 1


class ArtefactError(SegmentryError):
    """A frozen segmentation is damaged, edited by hand, or written by a newer version."""

    exit_code = 1


class BusyError(SegmentryError):
    """Another process is writing to the workspace."""

    exit_code = 1


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """A sentence that proposes the nearest allowed names, or lists them when none is near.

    >>> did_you_mean("recency", ["recency_days", "tenure_days"])
    "Did you mean 'recency_days'?"
    >>> did_you_mean("zzz", ["a", "b"])
    'Allowed: a, b.'
    """
    names = sorted(set(allowed))
    lowered = {name.lower(): name for name in names}
    # A letter or two stand in any name.
    inside = [
        low for low in lowered if min(len(given), len(low)) > 2 and (given.lower() in low or low in given.lower())
    ]
    close = difflib.get_close_matches(given.lower(), list(lowered), n=2, cutoff=0.6)
    near = [lowered[low] for low in dict.fromkeys([*sorted(inside, key=len)[:1], *close])][:2]
    if near:
        return "Did you mean " + " or ".join(f"'{name}'" for name in near) + "?"
    if not names:
        return "There are none."
    shown = ", ".join(names[:12])
    return f"Allowed: {shown}{f' and {len(names) - 12} more' if len(names) > 12 else ''}."
