"""Requests per minute of each key: a sliding window, and the headers and the 429 that tell about it."""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vqa_tui.embedded.errors import ApiError

WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where a key stands after one request. Times are seconds from now."""

    limit: int
    remaining: int
    full_after_s: float
    """Until the whole limit is free again, which is how OpenAI defines `x-ratelimit-reset-requests`."""
    retry_after_s: float = 0.0
    """Until the next request can pass; 0 when this one passed."""

    @property
    def headers(self) -> dict[str, str]:
        """The `x-ratelimit-*-requests` headers, and on a refusal `retry-after-ms` and `retry-after`."""
        told = {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(self.remaining),
            "x-ratelimit-reset-requests": duration(self.full_after_s),
        }
        if self.retry_after_s > 0:
            told["retry-after-ms"] = str(math.ceil(self.retry_after_s * 1000))
            told["retry-after"] = str(math.ceil(self.retry_after_s))
        return told

    def to_error(self) -> ApiError:
        """Return the 429 in OpenAI's shape."""
        message = (
            f"Rate limit reached: {self.limit} requests per minute. Please try again in {duration(self.retry_after_s)}."
        )
        return ApiError(429, message, error_type="requests", code="rate_limit_exceeded", headers=self.headers)


class RequestLimiter:
    """Sliding 60-second windows, one per key. A refused request does not count against its key."""

    def __init__(
        self,
        default: int | None,
        by_key: Mapping[str, int],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`default` is the limit of a key that `by_key` does not name; None is unlimited. `clock` is in seconds."""
        self._default = default
        self._by_key = dict(by_key)
        self._clock = clock
        self._passed: dict[str, deque[float]] = {}

    def take(self, key: str) -> Allowance | None:
        """Count one request of `key` and return where it stands; None when the key has no limit.

        The request is refused when `retry_after_s` of the result is above 0.
        """
        limit = self._by_key.get(key, self._default)
        if limit is None:
            return None
        now = self._clock()
        passed = self._passed.setdefault(key, deque())
        while passed and passed[0] <= now - WINDOW_S:
            passed.popleft()
        if len(passed) >= limit:
            return Allowance(limit, 0, passed[-1] + WINDOW_S - now, passed[0] + WINDOW_S - now)
        passed.append(now)
        return Allowance(limit, limit - len(passed), WINDOW_S)


def duration(seconds: float) -> str:
    """Return a duration as OpenAI's headers write it: `12ms`, `1.25s`, `6m0s`, rounded up to a millisecond."""
    milliseconds = max(math.ceil(round(seconds * 1000, 3)), 0)
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    shown = f"{rest / 1000:g}s"
    return f"{minutes}m{shown}" if minutes else shown
