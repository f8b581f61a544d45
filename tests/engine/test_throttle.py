"""The throttle step by step: what makes it grow, what cuts it, what it must never do whatever happens."""

import math
from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqa_tui.engine.throttle import FIRST_SLOTS, Throttle

End = Literal["succeeded", "rate_limited", "failed", "cancelled"]


class Group:
    """A group of one throttle: starts what it may, and ends what it is told to."""

    def __init__(self, most: int) -> None:
        self.throttle = Throttle(most)
        self.most = most
        self.now = 100.0
        self.flights: list[float] = []
        self.held_up_at = -math.inf

    def start_all(self, wanted: int = 10_000) -> int:
        """Start up to `wanted` requests, as far as there is room at this moment; return how many."""
        started = 0
        while started < wanted:
            if self.throttle.wait_s(self.now, len(self.flights)) > 0:
                self.held_up_at = self.now
                break
            self.throttle.started(self.now)
            self.flights.append(self.now)
            self.now += 1e-6
            started += 1
        return started

    def end(self, how: End, started_at: float | None = None) -> None:
        """End a request, the oldest unless told."""
        started_at = self.flights[0] if started_at is None else started_at
        self.flights.remove(started_at)
        if how == "succeeded":
            self.throttle.succeeded(self.now, started_at, saturated=self.held_up_at >= started_at)
        elif how == "rate_limited":
            self.throttle.rate_limited(self.now, started_at)
        elif how == "failed":
            self.throttle.failed(self.now, started_at)
        else:
            self.throttle.cancelled(started_at)

    def round_trip(self, how: End = "succeeded", latency_s: float = 0.2) -> None:
        """Start what may start, and let all of it end in the same way after `latency_s`."""
        self.start_all()
        self.now += latency_s
        for started_at in list(self.flights):
            self.end(how, started_at)

    @property
    def slots(self) -> int:
        return self.throttle.state(self.now).slots

    @property
    def cuts(self) -> int:
        return self.throttle.state(self.now).cuts


def limited(trips: int = 5) -> Group:
    """Return a group that has met a rate limit and goes on at its pace."""
    group = Group(64)
    for _ in range(trips):
        group.round_trip()
    group.round_trip("rate_limited")
    for _ in range(20):
        group.now += 0.5
        group.start_all(1)
        group.now += 0.2
        for started_at in list(group.flights):
            group.end("succeeded", started_at)
    return group


def test_slow_start_doubles_each_round_trip_up_to_what_the_person_allows() -> None:
    group, seen = Group(20), []
    for _ in range(6):
        seen.append(group.slots)
        group.round_trip()
    assert seen == [FIRST_SLOTS, 4, 8, 16, 20, 20]
    assert group.throttle.state(group.now).per_second is None


def test_who_allows_one_gets_one() -> None:
    group = Group(1)
    for _ in range(5):
        assert group.start_all() == 1
        group.now += 0.2
        group.end("succeeded")


def test_more_and_fewer_slots_may_be_allowed_while_it_works() -> None:
    group = Group(4)
    for _ in range(5):
        group.round_trip()
    group.throttle.set_most(2)
    assert group.start_all() == 2
    group.throttle.set_most(8)
    assert group.start_all() == 2
    for _ in range(4):
        group.round_trip()
    assert group.slots == 8


def test_there_is_no_growth_while_nobody_waits() -> None:
    group = Group(64)
    for _ in range(50):
        assert group.start_all(1) == 1
        group.now += 0.2
        group.end("succeeded")
    assert group.slots == FIRST_SLOTS


def test_there_is_no_growth_where_only_a_look_found_the_slots_full() -> None:
    throttle = Throttle(64)
    for at in (1.0, 2.0):
        assert throttle.wait_s(at, int(at) - 1) == 0
        throttle.started(at)
    assert throttle.wait_s(2.0, 2) > 0
    throttle.succeeded(3.0, 1.0, saturated=False)
    assert throttle.state(3.0).slots == FIRST_SLOTS
    throttle.succeeded(3.0, 2.0, saturated=True)
    assert throttle.state(3.0).slots == FIRST_SLOTS + 1


def test_a_burst_of_rate_limits_is_one_cut() -> None:
    group = Group(64)
    for _ in range(4):
        group.round_trip()
    group.round_trip("rate_limited")
    assert group.cuts == 1
    after_one = group.throttle.state(group.now)
    assert after_one.per_second is not None and after_one.state == "cut back"


def test_rate_limits_that_arrive_late_from_before_the_cut_change_nothing() -> None:
    group = Group(64)
    for _ in range(4):
        group.round_trip()
    group.start_all()
    late = group.flights[-3:]
    group.now += 0.2
    group.end("rate_limited")
    pace = group.throttle.state(group.now).per_second
    for started_at in list(group.flights):
        if started_at not in late:
            group.end("succeeded", started_at)
    for started_at in late:
        group.now += 1
        group.end("rate_limited", started_at)
    assert (group.cuts, group.throttle.state(group.now).per_second) == (1, pace)


def test_after_a_cut_one_request_goes_ahead_alone_and_the_others_follow_when_it_is_not_turned_away() -> None:
    group = Group(64)
    for _ in range(4):
        group.round_trip()
    group.round_trip("rate_limited")
    group.now += 1
    assert group.start_all() == 1
    assert 0 < group.throttle.wait_s(group.now, 1) < math.inf
    group.now += 0.2
    group.end("succeeded")
    group.now += 1
    assert group.start_all() >= 1


def test_each_try_in_vain_doubles_the_rest_up_to_a_bound_and_is_no_further_cut() -> None:
    group = Group(64)
    for _ in range(4):
        group.round_trip()
    group.round_trip("rate_limited")
    rests = []
    for _ in range(7):
        rests.append(group.throttle.rest_s)
        group.now += group.throttle.rest_s
        assert group.start_all() == 1
        group.now += 0.05
        group.end("rate_limited")
    assert rests == [1, 2, 4, 8, 16, 20, 20]
    assert group.cuts == 1


def test_a_failure_that_is_no_rate_limit_stops_growth_for_a_round_trip_and_shrinks_nothing() -> None:
    group = Group(64)
    for _ in range(3):
        group.round_trip()
    assert group.slots == 16
    group.round_trip("failed")
    group.round_trip()
    assert group.slots == 16
    for _ in range(3):
        group.round_trip()
    assert group.slots > 16
    assert group.cuts == 0


def test_a_request_that_was_never_sent_leaves_no_trace() -> None:
    group = Group(64)
    group.start_all()
    for started_at in list(group.flights):
        group.end("cancelled", started_at)
    assert group.slots == FIRST_SLOTS
    assert group.start_all() == FIRST_SLOTS


def test_a_cancelled_scout_lets_another_one_go() -> None:
    group = Group(64)
    for _ in range(4):
        group.round_trip()
    group.round_trip("rate_limited")
    group.now += 1
    assert group.start_all() == 1
    group.end("cancelled")
    group.now += 0.1
    assert group.start_all() == 1


def test_a_gentle_restart_begins_with_few_and_keeps_the_pace_that_was_learned() -> None:
    group = limited()
    pace, slots = group.throttle.state(group.now).per_second, group.slots
    assert pace is not None and slots > FIRST_SLOTS
    group.throttle.restart_gently(group.now)
    state = group.throttle.state(group.now)
    assert (state.slots, state.state) == (FIRST_SLOTS, "slow start")
    assert state.per_second is not None and state.per_second <= pace


@pytest.mark.parametrize("meanwhile", [Throttle.restart_gently, lambda throttle, now: None], ids=["restart", "nothing"])
def test_hours_without_a_request_raise_no_pace(meanwhile: Callable[[Throttle, float], None]) -> None:
    group = limited()
    pace = group.throttle.state(group.now).per_second
    meanwhile(group.throttle, group.now)
    group.now += 7200
    group.start_all(1)
    group.now += 0.2
    for started_at in list(group.flights):
        group.end("succeeded", started_at)
    after = group.throttle.state(group.now).per_second
    assert pace is not None and after is not None and after <= pace * 1.05


def test_hours_without_a_request_do_not_count_as_a_slow_endpoint_either() -> None:
    group = limited()
    before = group.throttle.state(group.now).per_second
    group.now += 7200
    for _ in range(20):
        group.start_all(1)
        group.now += 0.2
        group.end("succeeded")
    group.start_all(1)
    group.now += 0.2
    group.end("rate_limited")
    after = group.throttle.state(group.now).per_second
    assert before is not None and after is not None and after >= 0.4 * before


def test_a_rate_limit_right_after_a_gentle_restart_is_survived() -> None:
    group = limited()
    group.now += 5
    group.start_all()
    group.throttle.restart_gently(group.now)
    group.now += 0.2
    for started_at in list(group.flights):
        group.end("rate_limited", started_at)
    assert group.throttle.wait_s(group.now + 30, 0) == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "succeeded", "succeeded", "rate_limited", "failed", "cancelled", "restart", "most"]),
        st.integers(0, 200),
        st.floats(0, 3),
    ),
    max_size=300,
)


@settings(max_examples=150, deadline=None)
@given(most=st.integers(1, 40), steps=STEPS)
def test_whatever_happens_the_throttle_keeps_its_promises(most: int, steps: list[tuple[Any, int, float]]) -> None:
    group = Group(most)
    newest_cut = -math.inf
    for what, number, seconds in steps:
        group.now += seconds
        before = group.throttle.state(group.now)
        if what == "start":
            group.start_all(number)
            assert len(group.flights) <= group.most
        elif what == "restart":
            group.throttle.restart_gently(group.now)
        elif what == "most":
            group.most = max(number % 40 + 1, len(group.flights))
            group.throttle.set_most(group.most)
        elif group.flights:
            started_at = group.flights[number % len(group.flights)]
            saturated = group.held_up_at >= started_at
            group.end(what, started_at)
            after = group.throttle.state(group.now)
            if what == "rate_limited":
                assert after.cuts - before.cuts <= (started_at > newest_cut)
                if after.cuts > before.cuts:
                    newest_cut = group.now
                    assert before.per_second is None or (after.per_second or 0) < before.per_second
            else:
                assert after.cuts == before.cuts
            if what in ("failed", "cancelled"):
                assert (after.slots, after.per_second) == (before.slots, before.per_second)
            if what == "succeeded":
                assert after.slots >= before.slots
                if not saturated:
                    assert after.slots == before.slots
                    assert before.per_second is None or (after.per_second or 0) <= before.per_second
        state = group.throttle.state(group.now)
        assert 1 <= state.slots <= group.most
        assert state.per_second is None or 0 < state.per_second < math.inf
        wait = group.throttle.wait_s(group.now, len(group.flights))
        assert wait >= 0
        assert wait < math.inf or group.flights
        if wait < math.inf:
            assert group.throttle.wait_s(group.now + wait + 1e-6, len(group.flights)) < math.inf


@settings(max_examples=50, deadline=None)
@given(steps=STEPS)
def test_an_idle_throttle_lets_the_next_request_go_within_two_minutes(steps: list[tuple[Any, int, float]]) -> None:
    group = Group(40)
    for what, number, seconds in steps:
        group.now += seconds
        if what in ("start", "restart", "most"):
            group.start_all(number % 5)
        elif group.flights:
            group.end(what, group.flights[number % len(group.flights)])
    for started_at in list(group.flights):
        group.end("succeeded", started_at)
    waited = 0.0
    while (wait := group.throttle.wait_s(group.now, 0)) > 0:
        group.now += wait + 1e-6
        waited += wait
        assert waited <= 120


def test_a_pause_right_after_the_first_rate_limit_is_not_taken_for_a_low_limit() -> None:
    throttle = Throttle(64)
    for number in range(20):
        at = number * 0.05
        throttle.wait_s(at, 0)
        throttle.started(at)
        throttle.succeeded(at + 0.04, at, saturated=True)
    throttle.started(1.0)
    throttle.rate_limited(1.02, 1.0)
    learned = throttle.state(1.02).per_second
    throttle.restart_gently(41.0)
    throttle.wait_s(41.0, 0)
    throttle.started(41.0)
    throttle.succeeded(41.2, 41.0, saturated=True)
    after = throttle.state(41.2).per_second
    assert learned is not None and after is not None and after >= 0.9 * learned
