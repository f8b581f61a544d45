"""The sliding window and what it tells, with a clock that stands until it is moved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.embedded.limits import RequestLimiter, duration


class Clock:
    """Seconds that move only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_window_slides() -> None:
    clock = Clock()
    limiter = RequestLimiter(2, {}, clock=clock)
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
    limiter = RequestLimiter(None, {"slow": 1}, clock=Clock())
    assert limiter.take("fast") is None
    first, second = limiter.take("slow"), limiter.take("slow")
    assert first is not None and first.retry_after_s == 0
    assert second is not None and second.retry_after_s == 60


@given(st.lists(st.floats(0, 40), max_size=200), st.integers(1, 20))
def test_no_window_ever_holds_more_than_the_limit(steps: list[float], limit: int) -> None:
    clock = Clock()
    limiter = RequestLimiter(limit, {}, clock=clock)
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
