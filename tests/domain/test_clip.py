"""Clips: the moments at which one is looked at, and how its place is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vqa_tui.domain.clip import Clip, address, frame_count, frame_times, placed_at


@pytest.mark.parametrize(
    ("length", "fps", "most", "count"),
    [(8, 1, 16, 8), (0.2, 1, 16, 1), (90, 1, 16, 16), (3, 2, 16, 6), (2.6, 1, 16, 3), (8, 1, 1, 1), (8, 0.1, 16, 1)],
)
def test_frames_are_counted_by_the_second_within_bounds(length: float, fps: float, most: int, count: int) -> None:
    assert frame_count(length, fps, most) == count


def test_each_part_of_a_clip_is_seen_in_its_middle() -> None:
    assert frame_times(Clip(start_s=10, end_s=14), 1, 16) == (10.5, 11.5, 12.5, 13.5)
    assert frame_times(Clip(start_s=10, end_s=14), 1, 2) == (11, 13)


@given(st.floats(0, 1e6), st.floats(0.01, 1e4), st.floats(0.1, 24), st.integers(1, 64))
def test_frames_lie_within_the_clip_and_rise(start: float, length: float, fps: float, most: int) -> None:
    clip = Clip(start_s=start, end_s=start + length)
    times = frame_times(clip, fps, most)
    assert 1 <= len(times) <= most
    assert clip.start_s <= times[0] and times[-1] <= clip.end_s
    assert list(times) == sorted(set(times))


@pytest.mark.parametrize(("start", "end"), [(5, 5), (5, 4), (-1, 4), (0, float("nan")), (float("inf"), 4)])
def test_a_clip_without_length_is_none(start: float, end: float) -> None:
    with pytest.raises(ValidationError):
        Clip(start_s=start, end_s=end)


def test_the_place_of_a_clip_is_read_as_it_is_written() -> None:
    assert address("/v/a.mp4", None) == address("/v/a.mp4", Clip(start_s=0, end_s=3, whole=True)) == "/v/a.mp4"
    written = address("/v/a.mp4", Clip(start_s=2, end_s=5.31))
    assert written == "/v/a.mp4#t=2,5.31"
    assert placed_at(written) == ("/v/a.mp4", (2.0, 5.31))
    assert placed_at("/v/a.mp4") == ("/v/a.mp4", None)
    # A still picture may be called anything.
    assert placed_at("/v/a.png#t=2,5") == ("/v/a.png#t=2,5", None)


@given(st.floats(0, 1e5), st.floats(0.001, 1e4))
def test_seconds_come_back(start: float, length: float) -> None:
    clip = Clip(start_s=start, end_s=start + length)
    _path, seconds = placed_at(address("a.mp4", clip))
    assert seconds == pytest.approx((clip.start_s, clip.end_s), abs=1e-6)
