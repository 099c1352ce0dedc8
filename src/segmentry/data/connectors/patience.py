"""Ask a service again when it is busy, and know when to stop: rate limits, server errors, broken connections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from segmentry.errors import DataError

T = TypeVar("T")
_LONGEST_PAUSE = 60.0  # seconds, where the service does not say how long


@dataclass(frozen=True)
class Refusal:
    """Why a service did not answer: the HTTP ``status`` (0: no answer at all) and what it said.

    ``wait`` are the seconds that it asks for; ``final`` refusals do not pass by waiting.
    """

    status: int
    said: str
    wait: float | None = None
    final: bool = False

    @property
    def passes(self) -> bool:
        """Whether the same request may be answered later."""
        return not self.final and (self.status in (0, 429) or self.status >= 500)


@dataclass(frozen=True)
class Patience:
    """How long a pull waits for a service in all, without an answer in between."""

    sleep: Callable[[float], None]
    longest: float = 600.0  # seconds

    def ask(self, place: str, request: Callable[[], T], refusal: Callable[[Exception], Refusal | None]) -> T:
        """The answer to a request, asked again with growing pauses, or the pauses that the service asks for.

        ``refusal`` reads an exception of the client, None for one that is none of the service's. Raises
        :class:`DataError` for a refusal that does not pass, or that has not passed in time.
        """
        waited, pause = 0.0, 1.0
        while True:
            try:
                return request()
            except Exception as error:
                refused = refusal(error)
                if refused is None:
                    raise
                if not refused.passes:
                    raise _refused(place, refused) from None
                seconds = refused.wait if refused.wait is not None else pause
                # A pause of nothing counts as a second: a service that asks for one cannot keep us for ever.
                if waited + max(seconds, 1.0) > self.longest:
                    raise _waited_in_vain(place, refused, waited) from None
            self.sleep(seconds)
            waited += max(seconds, 1.0)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _refused(place: str, refused: Refusal) -> DataError:
    if refused.status == 401:
        what, fix = "does not accept the token or password", "Make a new one and set the environment variable to it."
    elif refused.status == 403 and not refused.final:
        what, fix = "does not allow this", "Give the app or user the right (scope) to read these records."
    elif refused.final:
        what, fix = "has answered all requests of today", "Run again tomorrow, or have the limit raised."
    else:
        what, fix = "refuses the request", "Correct the source in segmentry.yaml, or ask who changed the object."
    return DataError(f"{place} {what} (HTTP {refused.status}).", why=f"It says: {refused.said}", fix=fix)


def _waited_in_vain(place: str, refused: Refusal, waited: float) -> DataError:
    what = {0: "cannot be reached", 429: "is asked too often"}.get(refused.status, "is out of order")
    status = f" (HTTP {refused.status})" if refused.status else ""
    return DataError(
        f"{place} {what}{status}, {waited:.0f} seconds of waiting included.",
        why=f"It says: {refused.said}",
        fix="Run again later.",
    )
