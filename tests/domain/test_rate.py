"""Rates over a window of working time."""

from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.rate import Progress, eta_s, history_per_second, rate_per_second


def test_steady_work_has_its_rate() -> None:
    assert rate_per_second([Progress(at, at * 5, 3) for at in range(100)]) == 5.0


def test_only_the_window_counts() -> None:
    slow = [Progress(at, at, 1) for at in range(100)]
    quick = [Progress(99 + at, 99 + at * 10, 1) for at in range(1, 61)]
    assert rate_per_second(slow + quick) == 10.0


def test_a_pause_does_not_lower_the_rate() -> None:
    before = [Progress(at, at * 4, 2) for at in range(20)]
    # Nothing is recorded while a run is paused.
    after = [Progress(40 + at, 76 + at * 4, 2) for at in range(1, 10)]
    rate = rate_per_second([*before, *after])
    assert rate is not None and 3.5 <= rate <= 4.2


def test_waiting_for_a_quota_does_lower_the_rate() -> None:
    burst = [Progress(at, at * 20, 16) for at in range(4)]
    waiting = [Progress(4 + at, 60, 0) for at in range(57)]
    rate = rate_per_second([*burst, *waiting])
    assert rate == 1.0
    assert eta_s(600, rate) == 600.0


def test_waiting_for_approval_does_not_lower_the_rate() -> None:
    pilot = [Progress(at, at * 4, 2) for at in range(4)]
    # Nothing is recorded while a person makes up their mind.
    after = [Progress(60 + at, 12 + at * 4, 2) for at in range(1, 10)]
    rate = rate_per_second([*pilot, *after])
    assert rate is not None and 3.3 <= rate <= 4.5


def test_nothing_can_be_said_of_one_point_or_of_idleness() -> None:
    assert rate_per_second([]) is None
    assert rate_per_second([Progress(1, 5, 1)]) is None
    assert rate_per_second([Progress(at, 5, 0) for at in range(10)]) is None


def test_eta() -> None:
    assert eta_s(0, None) == 0.0
    assert eta_s(10, None) is None
    assert eta_s(10, 0.0) is None
    assert eta_s(10, 2.5) == 4.0


def test_no_rate_promises_more_than_the_quotas_allow() -> None:
    assert eta_s(540, 22.8, 540.0) == 540.0
    assert eta_s(540, 0.5, 540.0) == 1_080.0
    assert eta_s(540, None, 540.0) == eta_s(540, 0.0, 540.0) == 540.0
    assert eta_s(540, None, 0.0) is None and eta_s(0, None, 60.0) == 0.0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 50), st.integers(0, 9)), max_size=80))
def test_any_history_gives_a_rate_that_is_not_negative(steps: list[tuple[int, int, int]]) -> None:
    at, finished, points = 0, 0, []
    for gap, gained, in_flight in steps:
        at, finished = at + gap, max(finished + gained, 0)
        points.append(Progress(at, finished, in_flight))
    rate = rate_per_second(points)
    assert rate is None or rate >= 0
    assert all(value >= 0 for value in history_per_second(points))
