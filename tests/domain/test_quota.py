"""Sliding windows and days: never above a limit, on our clock or the endpoint's, and hardly ever below it."""

import heapq
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.domain.quota import (
    MINUTE_S,
    UNITS,
    Amounts,
    ArrivalMargin,
    DayCount,
    RequestSize,
    SlidingWindow,
    last_midnight,
    next_midnight,
)

ONE = RequestSize().amounts
PACIFIC = ZoneInfo("America/Los_Angeles")


@dataclass
class Load:
    """Requests that start as soon as a window lets them, and arrive and end later. Times are seconds."""

    window: SlidingWindow
    margin: ArrivalMargin
    now: float = 1000.0
    started: list[tuple[float, Amounts]] = field(default_factory=list)
    arrived: list[tuple[float, Amounts]] = field(default_factory=list)
    _ends: list[tuple[float, float]] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        while self._ends and self._ends[0][0] <= self.now:
            ended, started = heapq.heappop(self._ends)
            self.margin.note(ended, ended - started)

    def start(self, amounts: Amounts, delay: float, work: float, *, sent: bool = True) -> None:
        while not self.window.has_room(amounts, self.now):
            wait, _unit = self.window.wait_s(amounts, self.now)
            assert wait > 0, "no room, and yet nothing to wait for"
            self.wait(wait + 1e-6)
        taken = self.window.take(amounts, self.now)
        if not sent:
            self.window.give_back(taken, amounts)
            return
        self.started.append((self.now, amounts))
        self.arrived.append((self.now + delay, amounts))
        heapq.heappush(self._ends, (self.now + delay + work, self.now))


def most_in_any_minute(counted: list[tuple[float, Amounts]], unit: int) -> int:
    """Return the largest sum over any 60 s, both ends included; what stands alone in its minute is left out."""
    events, most, total, oldest = sorted(counted), 0, 0, 0
    for newest, (at, amounts) in enumerate(events):
        total += amounts[unit]
        while at - events[oldest][0] > MINUTE_S:
            total -= events[oldest][1][unit]
            oldest += 1
        if newest > oldest:
            most = max(most, total)
    return most


delays = st.floats(0, ArrivalMargin.MOST_S - ArrivalMargin.LEAST_S)
requests = st.tuples(
    st.one_of(st.just(0.0), st.floats(0, 0.02), st.floats(0, 90)),
    delays,
    st.one_of(st.floats(0, 0.2), st.floats(0, 30)),
    st.booleans() | st.just(True),
    st.integers(0, 300),
    st.integers(0, 300),
)


@given(st.integers(1, 12), st.lists(requests, min_size=1, max_size=120))
def test_no_minute_of_the_endpoints_clock_sees_more_than_the_limit(
    limit: int, wanted: list[tuple[float, float, float, bool, int, int]]
) -> None:
    margin = ArrivalMargin()
    load = Load(SlidingWindow(margin), margin)
    load.window.limit((limit, None, None, None))
    for gap, delay, work, sent, _inputs, _outputs in wanted:
        load.wait(gap)
        load.start(ONE, delay, work, sent=sent)
    assert most_in_any_minute(load.started, 0) <= limit
    assert most_in_any_minute(load.arrived, 0) <= limit


@given(
    st.tuples(*(st.none() | st.integers(1, 1000) for _ in UNITS)),
    st.lists(requests, min_size=1, max_size=80),
)
def test_no_unit_passes_its_limit_but_for_one_request_alone(
    limits: tuple[int | None, ...], wanted: list[tuple[float, float, float, bool, int, int]]
) -> None:
    margin = ArrivalMargin()
    load = Load(SlidingWindow(margin), margin)
    load.window.limit(limits)
    for gap, delay, work, sent, inputs, outputs in wanted:
        load.wait(gap)
        load.start(RequestSize(inputs, outputs).amounts, delay, work, sent=sent)
    for unit, limit in enumerate(limits):
        if limit is not None:
            # Requests that take none of a unit may go beside one that takes more than all of it.
            counted = [(at, amounts) for at, amounts in load.arrived if amounts[unit]]
            assert most_in_any_minute(counted, unit) <= limit


@given(
    st.integers(1, 30),
    st.lists(st.tuples(st.floats(0, 20), st.none() | st.integers(1, 30), st.booleans()), min_size=1, max_size=120),
)
def test_a_limit_that_changes_counts_what_was_taken_before(
    limit: int, wanted: list[tuple[float, int | None, bool]]
) -> None:
    margin = ArrivalMargin()
    load = Load(SlidingWindow(margin), margin)
    for gap, changed, sent in wanted:
        load.wait(gap)
        limit = changed or limit
        load.window.limit((limit, None, None, None))
        load.start(ONE, 0.0, 0.1, sent=sent)
        in_the_minute = [at for at, _amounts in load.started if load.now - at <= MINUTE_S]
        assert len(in_the_minute) <= limit


@pytest.mark.parametrize("limit", [1, 7, 60, 500])
@pytest.mark.parametrize(("delay", "work"), [(0.0, 0.05), (0.3, 0.7), (1.4, 20.0)])
def test_under_load_at_least_97_percent_of_the_limit_is_used(limit: int, delay: float, work: float) -> None:
    margin, minutes = ArrivalMargin(), 30
    load = Load(SlidingWindow(margin), margin)
    load.window.limit((limit, None, None, None))
    began = load.now
    while load.now - began < minutes * MINUTE_S:
        load.start(ONE, delay, work)
        load.wait(MINUTE_S / limit / 3)
    used = sum(at - began < minutes * MINUTE_S for at, _amounts in load.arrived)
    assert used >= 0.97 * limit * minutes
    assert most_in_any_minute(load.arrived, 0) <= limit


def test_tokens_that_were_expected_wrongly_are_corrected_both_ways() -> None:
    window = SlidingWindow()
    window.limit((None, 1000, None, None))
    expected = RequestSize(400, 100).amounts
    first, second = window.take(expected, 0.0), window.take(expected, 0.0)
    assert not window.has_room(RequestSize(1, 0).amounts, 0.0)
    window.settle(first, expected, RequestSize(100, 10).amounts)
    assert window.used == [2, 610, 500, 110] and window.has_room(RequestSize(390, 0).amounts, 0.0)
    window.settle(second, expected, RequestSize(900, 100).amounts)
    assert window.used == [2, 1110, 1000, 110] and not window.has_room(RequestSize(0, 1).amounts, 1.0)
    window.forget(MINUTE_S + ArrivalMargin.MOST_S)
    assert window.used == [0, 0, 0, 0]
    # Whatever comes after its slice has left the window changes nothing in it.
    window.settle(second, expected, RequestSize(5, 5).amounts)
    window.give_back(first, expected)
    assert window.used == [0, 0, 0, 0]


def test_a_request_larger_than_the_whole_limit_passes_alone() -> None:
    window = SlidingWindow()
    window.limit((None, 1000, None, None))
    small, huge = RequestSize(10, 0).amounts, RequestSize(5000, 0).amounts
    assert window.has_room(huge, 0.0)
    window.take(small, 0.0)
    assert not window.has_room(huge, 1.0)
    wait, unit = window.wait_s(huge, 1.0)
    assert UNITS[unit] == "tokens" and wait == pytest.approx(60.5)
    assert window.has_room(huge, 1.0 + wait)
    window.take(huge, 1.0 + wait)
    assert not window.has_room(small, 2.0 + wait) and window.has_room(small, 2.0 + 2 * wait + 1)


def test_requests_of_other_engines_count_as_late_as_our_newest() -> None:
    window = SlidingWindow()
    window.limit((3, None, None, None))
    window.count(ONE, -10.0, 0.0)
    window.take(ONE, 5.0)
    window.count(ONE, 1.0, 6.0)
    assert window.used[0] == 3
    assert window.wait_s(ONE, 6.0)[0] == pytest.approx(-10 + 61.5 - 6)
    window.forget(52.0)
    assert window.used[0] == 2


def test_the_margin_follows_the_longest_latency_of_the_last_minute_and_never_passes_its_bound() -> None:
    margin = ArrivalMargin()
    assert margin.seconds == ArrivalMargin.MOST_S
    for at in range(0, 140, 2):
        margin.note(float(at), 0.2)
    assert margin.seconds == pytest.approx(0.3)
    margin.note(140.0, 0.9)
    for at in range(141, 141 + 62):
        margin.note(float(at), 0.2)
        assert margin.seconds == pytest.approx(1.0)
    margin.note(210.0, 30.0)
    assert margin.seconds == ArrivalMargin.MOST_S


@pytest.mark.parametrize(
    ("zone", "now", "before", "after"),
    [
        ("UTC", "2026-11-21T12:00:00", "2026-11-21T00:00:00+00:00", "2026-11-22T00:00:00+00:00"),
        # The day of the change to winter time has 25 hours in Los Angeles, that to summer time 23.
        ("America/Los_Angeles", "2026-11-01T12:00:00", "2026-11-01T00:00:00-07:00", "2026-11-02T00:00:00-08:00"),
        ("America/Los_Angeles", "2026-03-08T12:00:00", "2026-03-08T00:00:00-08:00", "2026-03-09T00:00:00-07:00"),
        ("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"),
        # In Beirut summer time skips midnight: that day begins at one o'clock.
        ("Asia/Beirut", "2026-03-28T12:00:00", "2026-03-28T00:00:00+02:00", "2026-03-29T01:00:00+03:00"),
        ("Asia/Beirut", "2026-03-29T12:00:00", "2026-03-29T01:00:00+03:00", "2026-03-30T00:00:00+03:00"),
    ],
)
def test_days_begin_at_midnight_where_the_endpoint_is(zone: str, now: str, before: str, after: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone)).timestamp()
    assert last_midnight(at, ZoneInfo(zone)) == datetime.fromisoformat(before).timestamp()
    assert next_midnight(at, ZoneInfo(zone)) == datetime.fromisoformat(after).timestamp()


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31)).map(lambda at: at.timestamp()),
    st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Beirut", "America/Havana", "Pacific/Apia", "Asia/Kathmandu"]),
)
def test_a_moment_lies_between_its_two_midnights(at: float, zone: str) -> None:
    begins, ends = last_midnight(at, ZoneInfo(zone)), next_midnight(at, ZoneInfo(zone))
    assert begins <= at < ends and 3600 < ends - begins <= 26 * 3600
    assert next_midnight(begins, ZoneInfo(zone)) == ends


def test_a_day_counts_anew_from_midnight_but_for_what_is_in_flight() -> None:
    day, noon = DayCount(PACIFIC), datetime(2026, 11, 21, 12, tzinfo=PACIFIC).timestamp()
    day.limit = 3
    for _ in range(3):
        assert day.has_room(noon, 0)
        today = day.take()
    assert not day.has_room(noon, 0) and not day.has_room(day.resets_at - 0.001, 0)
    day.give_back(today)
    assert day.has_room(noon, 0)
    day.take()
    assert day.has_room(today, in_flight=2) and day.used == 2
    # Of another day: what came back late does not make room today.
    day.give_back(today)
    assert day.used == 2
