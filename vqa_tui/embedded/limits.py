"""Requests and tokens per minute of each key: sliding windows, and what a reply or a 429 tells about them."""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vqa_tui.embedded.errors import ApiError

WINDOW_S = 60.0
Told = Literal["openai", "gemini", "nothing"]
"""How limits are told: OpenAI's headers, Gemini's body with details and no headers, or not at all."""
_GOOGLE_RPC = "type.googleapis.com/google.rpc"
_GOOGLE_QUOTAS = {
    "requests": "GenerateRequestsPerMinutePerProjectPerModel",
    "tokens": "GenerateContentTokensPerModelPerMinute",
}


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where a key stands after one request. Times are seconds from now."""

    limit: int
    remaining: int
    full_after_s: float
    """Until the whole limit is free again, which is how OpenAI defines `x-ratelimit-reset-requests`."""
    retry_after_s: float = 0.0
    """Until the next request can pass; 0 when this one passed, and infinite when it never can."""
    unit: Literal["requests", "tokens"] = "requests"
    asked: int = 1

    @property
    def headers(self) -> dict[str, str]:
        """The `x-ratelimit-*` headers of its unit, and on a refusal `retry-after-ms` and `retry-after`."""
        told = {
            f"x-ratelimit-limit-{self.unit}": str(self.limit),
            f"x-ratelimit-remaining-{self.unit}": str(self.remaining),
            f"x-ratelimit-reset-{self.unit}": duration(self.full_after_s),
        }
        if 0 < self.retry_after_s < math.inf:
            told["retry-after-ms"] = str(math.ceil(self.retry_after_s * 1000))
            told["retry-after"] = str(math.ceil(self.retry_after_s))
        return told

    def to_error(self, told: Told = "openai") -> ApiError:
        """Return the 429 as OpenAI or Gemini would send it, or one that says no more than that."""
        if told == "nothing":
            return ApiError(429, "Too many requests.", error_type=self.unit)
        if told == "gemini":
            return ApiError(429, self._google_words, body=self._google_body())
        return ApiError(429, self._words, error_type=self.unit, code="rate_limit_exceeded", headers=self.headers)

    @property
    def _words(self) -> str:
        if self.retry_after_s == math.inf:
            return (
                f"Request too large on tokens per min (TPM): Limit {self.limit}, Requested {self.asked}. "
                "The input or output tokens must be reduced."
            )
        again = f"Please try again in {duration(self.retry_after_s)}."
        if self.unit == "requests":
            return f"Rate limit reached: {self.limit} requests per minute. {again}"
        used = self.limit - self.remaining
        where = f"Limit {self.limit}, Used {used}, Requested {self.asked}"
        return f"Rate limit reached on tokens per min (TPM): {where}. {again}"

    @property
    def _google_words(self) -> str:
        return f"You exceeded your current quota. Please retry in {min(self.retry_after_s, WINDOW_S):.3f}s."

    def _google_body(self) -> list[dict[str, Any]]:
        """Return the list of one that Gemini's OpenAI-compatible address sends."""
        wait = f"{math.ceil(min(self.retry_after_s, WINDOW_S))}s"
        violation = {"quotaId": _GOOGLE_QUOTAS[self.unit], "quotaValue": str(self.limit)}
        details = [
            {"@type": f"{_GOOGLE_RPC}.QuotaFailure", "violations": [violation]},
            {"@type": f"{_GOOGLE_RPC}.RetryInfo", "retryDelay": wait},
        ]
        error = {"code": 429, "message": self._google_words, "status": "RESOURCE_EXHAUSTED", "details": details}
        return [{"error": error}]


class MinuteLimiter:
    """Sliding 60-second windows, one per key. A refused request does not count against its key."""

    def __init__(
        self,
        default: int | None,
        by_key: Mapping[str, int],
        *,
        unit: Literal["requests", "tokens"] = "requests",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`default` is the limit of a key that `by_key` does not name; None is unlimited. `clock` is in seconds."""
        self._default = default
        self._by_key = dict(by_key)
        self._unit: Literal["requests", "tokens"] = unit
        self._clock = clock
        self._passed: dict[str, deque[tuple[float, int]]] = {}
        self._sums: dict[str, int] = {}

    def take(self, key: str, amount: int = 1) -> Allowance | None:
        """Count one request of `key` that takes `amount`, and return where the key stands; None when it has no limit.

        The request is refused when `retry_after_s` of the result is above 0.
        """
        limit = self._by_key.get(key, self._default)
        if limit is None:
            return None
        now = self._clock()
        passed = self._passed.setdefault(key, deque())
        used = self._sums.get(key, 0)
        while passed and passed[0][0] <= now - WINDOW_S:
            used -= passed.popleft()[1]
        self._sums[key] = used
        if used + amount > limit:
            full_after = passed[-1][0] + WINDOW_S - now if passed else 0.0
            wait = _free_after(passed, used + amount - limit, now) if amount <= limit else math.inf
            return Allowance(limit, limit - used, full_after, wait, self._unit, amount)
        passed.append((now, amount))
        self._sums[key] = used + amount
        return Allowance(limit, limit - used - amount, WINDOW_S, 0.0, self._unit, amount)

    def give_back(self, key: str) -> None:
        """Undo the newest taking of `key`."""
        if passed := self._passed.get(key):
            self._sums[key] -= passed.pop()[1]


def _free_after(passed: deque[tuple[float, int]], needed: int, now: float) -> float:
    """Return the seconds until `needed` of what has passed has left the window."""
    for at, amount in passed:
        needed -= amount
        if needed <= 0:
            return at + WINDOW_S - now
    return WINDOW_S


def duration(seconds: float) -> str:
    """Return a duration as OpenAI's headers write it: `12ms`, `1.25s`, `6m0s`, rounded up to a millisecond."""
    milliseconds = max(math.ceil(round(seconds * 1000, 3)), 0)
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    shown = f"{rest / 1000:g}s"
    return f"{minutes}m{shown}" if minutes else shown
