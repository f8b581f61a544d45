"""What a refusal says about when its quota comes back: at midnight, after a while, or never by itself."""

import json
from typing import Any

import pytest

from vqa_tui.domain.failure import FailureKind
from vqa_tui.endpoints.classify import classify_response

NOW = 1_790_000_000.0
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
RATE, GONE = FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED


def google(message: str, *quota_ids: str, delay: str = "", details: bool = True) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    if quota_ids:
        violations = [{"quotaId": quota, "quotaValue": "15"} for quota in quota_ids]
        said.append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations})
    if delay:
        said.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": message}
    return [{"error": {**error, "details": said} if details else error}]


@pytest.mark.parametrize("wrapped", [True, False], ids=["in a list", "bare"])
@pytest.mark.parametrize(
    ("body", "kind", "wait", "by_day"),
    [
        # A quota by the day is gone until midnight, whatever RetryInfo says.
        (google("x", PER_DAY, delay="1s"), GONE, None, True),
        (google("x", PER_MINUTE, PER_DAY, delay="37s"), GONE, None, True),
        (google("x", "SomethingDailyQuota"), GONE, None, True),
        (google("x", PER_MINUTE, delay="34.07s"), RATE, 34.07, False),
        (google("x", PER_MINUTE, delay="900ms"), RATE, 0.9, False),
        (google("x", PER_MINUTE, delay="300s"), RATE, 300.0, False),
        (google("x", PER_MINUTE, delay="301s"), GONE, 301.0, False),
        (google("Please retry in 37.6s.", PER_MINUTE), RATE, 37.6, False),
        (google("Please retry in 250.5ms."), RATE, 0.2505, False),
        (google("Please retry in 9s.", PER_MINUTE, delay="12s"), RATE, 12.0, False),
        (google("x", PER_MINUTE), RATE, 60.0, False),
        (google("x"), RATE, None, False),
        (google("Please retry in 5s", details=False), RATE, 5.0, False),
    ],
)
def test_google(body: list[dict[str, Any]], kind: FailureKind, wait: float | None, by_day: bool, wrapped: bool) -> None:
    failure = classify_response(429, {}, json.dumps(body if wrapped else body[0]), NOW)
    assert (failure.kind, failure.retry_after_s, failure.by_day) == (kind, wait, by_day)


def test_funds_that_are_used_up_do_not_come_back_at_midnight() -> None:
    body = json.dumps({"error": {"message": "You exceeded your quota.", "code": "insufficient_quota"}})
    failure = classify_response(429, {}, body, NOW)
    assert (failure.kind, failure.retry_after_s, failure.by_day) == (GONE, None, False)


BY_TOKENS = "Rate limit reached for model `x` on tokens per day (TPD): Limit 500000, Used 499000, Requested 4000."
BY_REQUESTS = "Rate limit reached for gpt-4o on requests per day (RPD): Limit 200, Used 200, Requested 1."


@pytest.mark.parametrize(
    ("message", "headers", "wait"),
    [
        (f"{BY_TOKENS} Please try again in 8m38s.", {}, 518.0),
        (f"{BY_TOKENS} Please try again in 8m38s.", {"retry-after": "500"}, 500.0),
        (BY_TOKENS, {"retry-after": "518"}, 518.0),
        (BY_REQUESTS, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "7m12s"}, 432.0),
        (f"{BY_REQUESTS} Please try again in 7m12s.", {}, 432.0),
        (BY_REQUESTS, {}, None),
        (BY_TOKENS, {"retry-after": "0"}, None),
    ],
)
def test_a_day_that_rolls_on_is_waited_for_as_long_as_the_refusal_states(
    message: str, headers: dict[str, str], wait: float | None
) -> None:
    body = json.dumps({"error": {"message": message, "type": "tokens", "code": "rate_limit_exceeded"}})
    failure = classify_response(429, headers, body, NOW)
    assert (failure.kind, failure.retry_after_s, failure.by_day) == (GONE, wait, wait is None)


@pytest.mark.parametrize("message", [f"Quota {PER_DAY} is used up. Please retry in 1s.", "Please retry in 1s."])
def test_what_google_states_beside_its_day_is_no_wait(message: str) -> None:
    body = google(message, *([] if PER_DAY in message else [PER_DAY]), delay="1s")
    failure = classify_response(429, {"retry-after": "1"}, json.dumps(body), NOW)
    assert (failure.kind, failure.retry_after_s, failure.by_day) == (GONE, None, True)
