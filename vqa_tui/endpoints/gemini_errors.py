"""Google's own words inside a 429: which quota is used up, and when to come back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vqa_tui.endpoints.durations import duration_s

_LONGEST_RATE_LIMIT_S = 300.0
"""A longer `retryDelay` is no rate limit: that quota is gone for today."""
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class GeminiQuota:
    """What `details` say about a quota."""

    exhausted: bool = False
    """Waiting a minute does not help: a quota by the day, whatever `retryDelay` says, or a long `retryDelay`."""
    by_day: bool = False
    """Whether a quota by the day is used up."""
    quota: str = ""
    """Its `quotaId`."""
    retry_delay_s: float | None = None
    """From `RetryInfo`."""
    per_minute: bool = False

    @property
    def fallback_wait_s(self) -> float | None:
        """What to wait when nobody says how long."""
        return _MINUTE_S if self.per_minute else None


def read_gemini_quota(details: Sequence[dict[str, Any]]) -> GeminiQuota:
    """Return what Google's `details` of an error say (google.rpc.QuotaFailure and RetryInfo)."""
    quotas = list(_quota_ids(details))
    by_day = next((quota for quota in quotas if "perday" in quota.lower() or "daily" in quota.lower()), "")
    delay = next(
        (
            wait
            for entry in details
            if _is(entry, "RetryInfo") and (wait := duration_s(str(entry.get("retryDelay", ""))[:40]))
        ),
        None,
    )
    return GeminiQuota(
        exhausted=bool(by_day) or (delay is not None and delay > _LONGEST_RATE_LIMIT_S),
        by_day=bool(by_day),
        quota=by_day or (quotas[0] if quotas else ""),
        retry_delay_s=delay,
        per_minute=any("perminute" in quota.lower() for quota in quotas),
    )


def _quota_ids(details: Sequence[dict[str, Any]]) -> Iterator[str]:
    for entry in details:
        violations = entry.get("violations") if _is(entry, "QuotaFailure") else None
        for violation in violations if isinstance(violations, list) else ():
            if isinstance(violation, dict) and isinstance(quota := violation.get("quotaId"), str):
                yield quota[:200]


def _is(entry: dict[str, Any], kind: str) -> bool:
    return str(entry.get("@type", "")).endswith(f"google.rpc.{kind}")
