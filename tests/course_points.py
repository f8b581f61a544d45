"""Recorded points of a run, made up."""

from typing import Any

from vqa_tui.domain.course import CoursePoint


def point(at: int, done: int = 0, **changes: Any) -> CoursePoint:
    """A point of a run at work: each picture done has cost 0.001 dollar and sent 1,000 bytes."""
    made = CoursePoint(
        at=at, session_id=1, done=done, failed=0, in_flight=8, slots=16, rate_limited=0, input_tokens=900 * done,
        output_tokens=30 * done, spent_nano=1_000_000 * done, p50_ms=800.0, p95_ms=1_900.0, sent_bytes=1_000 * done,
        throttle_slots=12, throttle_per_s=None,
    )  # fmt: skip
    return made._replace(**changes)


def steady(start: int, seconds: int, per_second: int = 5, every: int = 1) -> list[CoursePoint]:
    """Points of a run that finishes `per_second` pictures a second."""
    return [point(at, (at - start) * per_second) for at in range(start, start + seconds + 1, every)]
