"""A sliding window that never admits more than its limit in any span."""

from collections import deque
from contextlib import suppress
from dataclasses import dataclass

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class RequestSize:
    """Tokens that one request is expected to take; settled by what its reply reports."""

    input_tokens: int = 0
    output_tokens: int = 0


UNSIZED = RequestSize()


class SlidingWindow:
    """At most `limit` takings in any `span_s` seconds; exact, one time stamp each.

    Times are seconds of any clock that does not run backwards.
    """

    def __init__(self, limit: int, span_s: float = MINUTE_S) -> None:
        self.limit = limit
        self.span_s = span_s
        self._taken: deque[float] = deque()

    def wait_s(self, now: float) -> float:
        """Return the seconds until one may be taken; 0 when it may be taken now."""
        self._forget(now)
        excess = len(self._taken) - self.limit
        return max(self._taken[excess] + self.span_s - now, 0.0) if excess >= 0 else 0.0

    def take(self, now: float) -> None:
        """Count one taking at `now`; the caller has seen `wait_s(now) == 0`."""
        self._taken.append(now)

    def give_back(self, taken_at: float) -> None:
        """Undo the taking at `taken_at`: what it was for did not happen."""
        with suppress(ValueError):
            self._taken.remove(taken_at)

    def used(self, now: float) -> int:
        """Return how many takings fall into the span that ends at `now`."""
        self._forget(now)
        return len(self._taken)

    def _forget(self, now: float) -> None:
        while self._taken and now - self._taken[0] >= self.span_s:
            self._taken.popleft()
