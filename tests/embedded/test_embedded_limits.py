"""The sliding window and what it tells, with a clock that stands until it is moved."""

import math
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.failure import FailureKind
from vqa_tui.embedded.limits import Allowance, MinuteLimiter, duration
from vqa_tui.endpoints.classify import classify_response


class Clock:
    """Seconds that move only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_window_slides() -> None:
    clock = Clock()
    limiter = MinuteLimiter(2, {}, clock=clock)
    first = limiter.take("a")
    assert first is not None and first.headers == {
        "x-ratelimit-limit-requests": "2",
        "x-ratelimit-remaining-requests": "1",
        "x-ratelimit-reset-requests": "1m0s",
    }
    clock.now += 20
    limiter.take("a")
    clock.now += 10.5
    refused = limiter.take("a")
    assert refused is not None and refused.retry_after_s == pytest.approx(29.5)
    assert refused.headers["retry-after"] == "30"
    assert refused.headers["retry-after-ms"] == "29500"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert refused.headers["x-ratelimit-reset-requests"] == "49.5s"
    clock.now += 29.5
    passed = limiter.take("a")
    assert passed is not None and passed.retry_after_s == 0 and passed.remaining == 0


def test_keys_have_their_own_windows_and_limits() -> None:
    limiter = MinuteLimiter(None, {"slow": 1}, clock=Clock())
    assert limiter.take("fast") is None
    first, second = limiter.take("slow"), limiter.take("slow")
    assert first is not None and first.retry_after_s == 0
    assert second is not None and second.retry_after_s == 60


@given(st.lists(st.floats(0, 40), max_size=200), st.integers(1, 20))
def test_no_window_ever_holds_more_than_the_limit(steps: list[float], limit: int) -> None:
    clock = Clock()
    limiter = MinuteLimiter(limit, {}, clock=clock)
    passed: list[float] = []
    for step in steps:
        clock.now += step
        allowance = limiter.take("k")
        assert allowance is not None
        if allowance.retry_after_s == 0:
            passed.append(clock.now)
            assert allowance.remaining == limit - sum(at > clock.now - 60 for at in passed)
        else:
            assert sum(at > clock.now - 60 for at in passed) == limit
        assert sum(at > clock.now - 60 for at in passed) <= limit


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.012, "12ms"), (0.0121, "13ms"), (1, "1s"), (1.25, "1.25s"), (59.9999, "1m0s"), (360, "6m0s")],
)
def test_durations_are_written_as_openai_writes_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_tokens_are_counted_by_what_each_request_takes() -> None:
    clock = Clock()
    limiter = MinuteLimiter(1000, {}, unit="tokens", clock=clock)
    first = limiter.take("a", 600)
    assert first is not None and first.headers == {
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "400",
        "x-ratelimit-reset-tokens": "1m0s",
    }
    clock.now += 10
    assert limiter.take("a", 300) is not None
    refused = limiter.take("a", 200)
    assert refused is not None and (refused.retry_after_s, refused.remaining) == (50, 100)
    assert "Limit 1000, Used 900, Requested 200. Please try again in 50s." in refused.to_error().message
    clock.now += 50
    passed = limiter.take("a", 200)
    assert passed is not None and (passed.retry_after_s, passed.remaining) == (0, 500)
    limiter.give_back("a")
    again = limiter.take("a", 700)
    assert again is not None and (again.retry_after_s, again.remaining) == (0, 0)


@given(st.lists(st.tuples(st.floats(0, 40), st.integers(1, 60)), max_size=100), st.integers(1, 100))
def test_no_window_ever_holds_more_tokens_than_the_limit(steps: list[tuple[float, int]], limit: int) -> None:
    clock = Clock()
    limiter = MinuteLimiter(limit, {}, unit="tokens", clock=clock)
    passed: list[tuple[float, int]] = []
    for step, amount in steps:
        clock.now += step
        allowance = limiter.take("k", amount)
        assert allowance is not None
        inside = sum(taken for at, taken in passed if at > clock.now - 60)
        if allowance.retry_after_s == 0:
            passed.append((clock.now, amount))
            assert inside + amount <= limit and allowance.remaining == limit - inside - amount
        elif allowance.retry_after_s == math.inf:
            assert amount > limit
        else:
            left = sum(taken for at, taken in passed if at > clock.now + allowance.retry_after_s - 60 + 1e-6)
            assert inside + amount > limit and left + amount <= limit


@pytest.mark.parametrize("told", ["openai", "gemini", "nothing"])
@pytest.mark.parametrize("unit", ["requests", "tokens"])
def test_a_429_is_read_by_our_own_client_as_the_vendor_means_it(
    told: Literal["openai", "gemini", "nothing"], unit: Literal["requests", "tokens"]
) -> None:
    response = Allowance(10, 0, 40.0, 12.3, unit, 3).to_error(told).to_response()
    failure = classify_response(429, response.headers, response.text or "", 0.0)
    assert failure.kind is FailureKind.RATE_LIMITED
    expected = {"openai": 12.3, "gemini": 13.0, "nothing": None}[told]
    assert failure.retry_after_s == expected
    assert any(name.lower().startswith("x-ratelimit") for name in response.headers) is (told == "openai")


def test_a_request_larger_than_a_whole_minute_is_rejected_and_not_asked_to_wait() -> None:
    refused = MinuteLimiter(100, {}, unit="tokens").take("a", 101)
    assert refused is not None
    response = refused.to_error().to_response()
    assert "retry-after" not in response.headers
    assert classify_response(429, response.headers, response.text or "", 0.0).kind is FailureKind.REJECTED
