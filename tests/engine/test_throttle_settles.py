"""The throttle before simulated endpoints: it settles near a limit that nobody tells, with few requests turned away."""

import pytest

from tests.engine.throttle_world import (
    Bucket,
    CalendarMinute,
    Careless,
    Chance,
    InFlight,
    Limit,
    SlidingMinute,
    World,
    lognormal,
)

LONG_S = 180.0


def workers(rate: float, latency_s: float) -> int:
    """Return twice as many as the rate needs, and never so few that they are the limit."""
    return max(64, int(2 * rate * latency_s))


@pytest.mark.parametrize("told", [False, True], ids=["no hint", "retry-after"])
@pytest.mark.parametrize("burst_s", [1.0, 10.0])
@pytest.mark.parametrize(
    ("rate", "latency_s"), [(r, s) for r in (2, 8, 20, 50, 200) for s in (0.2, 1.0, 3.0) if r * s <= 200]
)
def test_before_a_token_bucket_nine_tenths_of_its_rate_are_reached_and_few_requests_turned_away(
    rate: int, latency_s: float, burst_s: float, told: bool
) -> None:
    world = World(Bucket(rate, rate * burst_s), latency_s, workers(rate, latency_s), told)
    course = world.run(LONG_S)
    assert course.per_second(60, LONG_S) >= 0.9 * rate
    assert course.share_rejected(60) <= 0.02
    # The first round trips find the limit by passing it: what is turned away then weighs on a slow endpoint's share.
    assert len(course.rejected) <= 0.02 * (len(course.answered) + len(course.rejected)) + workers(rate, latency_s) // 2


@pytest.mark.parametrize("told", [False, True], ids=["no hint", "retry-after"])
@pytest.mark.parametrize("rate", [8, 20, 50, 200])
def test_at_a_usual_latency_two_per_cent_hold_from_the_first_request_on(rate: int, told: bool) -> None:
    course = World(Bucket(rate, rate), 0.2, 64 if rate < 100 else 256, told).run(LONG_S)
    assert course.share_rejected() <= 0.02
    assert course.per_second(60, LONG_S) >= 0.93 * rate


@pytest.mark.parametrize("latency_s", [0.2, 1.0])
def test_a_thousand_requests_a_second_are_found_too(latency_s: float) -> None:
    course = World(Bucket(1000, 1000), latency_s, int(2000 * latency_s)).run(100)
    assert course.per_second(60, 100) >= 900
    assert course.share_rejected() <= 0.02


@pytest.mark.parametrize("rate", [2, 20, 200])
def test_latencies_that_vary_a_lot_do_not_matter(rate: int) -> None:
    course = World(Bucket(rate, rate), lognormal, workers(rate, 1.5)).run(LONG_S)
    assert course.per_second(60, LONG_S) >= 0.9 * rate
    assert course.share_rejected() <= (0.03 if rate == 2 else 0.02)


class LongWaits(Bucket):
    """A token bucket that asks for ten seconds' rest whenever it turns a request away."""

    def ask(self, now: float, in_flight: int) -> float | None:
        return None if super().ask(now, in_flight) is None else 10.0


@pytest.mark.parametrize("rate", [8, 50])
def test_where_each_429_costs_ten_seconds_they_are_risked_more_rarely(rate: int) -> None:
    # Such a rest looks like a quota by the minute that is used up, and each try at the limit costs as much again.
    course = World(LongWaits(rate, rate), 0.2, 64, told=True).run(600)
    assert course.per_second(60, 600) >= 0.6 * rate
    assert course.share_rejected() <= 0.01


def test_at_thirty_a_minute_the_search_counts_in_requests_not_in_seconds() -> None:
    course = World(Bucket(0.5, 2), 1.0, 64).run(1200)
    assert course.per_second(300, 1200) >= 0.85 * 0.5
    assert course.share_rejected(300) <= 0.02


@pytest.mark.parametrize("rate", [8, 50])
def test_where_a_429_takes_as_long_as_an_answer_more_are_under_way_and_they_are_still_few(rate: int) -> None:
    course = World(Bucket(rate, rate), 1.0, workers(rate, 1.0), rejection_s=1.0).run(LONG_S)
    assert course.per_second(60, LONG_S) >= 0.9 * rate
    assert course.share_rejected() <= 0.05
    assert course.share_rejected(60) <= 0.02


@pytest.mark.parametrize("told", [False, True], ids=["no hint", "retry-after"])
@pytest.mark.parametrize("rate", [2, 8, 20, 50])
def test_a_leaky_bucket_that_forgives_no_two_requests_close_together_is_used_as_well_as_can_be(
    rate: int, told: bool
) -> None:
    # Requests sent evenly arrive up to 5 ms late here: at 50 a second that is a quarter of the distance between two.
    course = World(Bucket(rate, 1), 0.2, 64, told).run(LONG_S)
    assert course.per_second(60, LONG_S) >= (0.75 - 0.003 * rate) * rate
    assert course.share_rejected(60) <= 0.02


@pytest.mark.parametrize("told", [False, True], ids=["no hint", "retry-after"])
@pytest.mark.parametrize("kind", ["sliding", "calendar"])
@pytest.mark.parametrize("rate", [2, 8, 20, 50])
def test_a_quota_by_the_minute_is_used_up_nearly_and_mostly_evenly(rate: int, kind: str, told: bool) -> None:
    most = 60 * rate
    limit: Limit = SlidingMinute(most) if kind == "sliding" else CalendarMinute(most, 25)
    course = World(limit, 1.0, workers(rate, 1.5), told).run(300)
    assert course.per_second(0, 300) >= 0.85 * rate
    # At 2 a second one try in vain is already nearly one per cent of a minute.
    assert course.share_rejected() <= (0.04 if rate == 2 else 0.02)


@pytest.mark.parametrize("most", [3, 10, 40, 150])
@pytest.mark.parametrize("latency_s", [0.2, 1.0])
def test_a_limit_on_requests_in_flight_is_learned_as_such(most: int, latency_s: float) -> None:
    course = World(InFlight(most), latency_s).run(LONG_S)
    assert course.per_second(60, LONG_S) >= 0.88 * most / latency_s
    assert course.share_rejected() <= 0.02


@pytest.mark.parametrize("most", [10, 40])
def test_a_limit_on_requests_in_flight_is_learned_although_latencies_vary(most: int) -> None:
    mean_s = 1.256
    course = World(InFlight(most), lognormal).run(LONG_S)
    assert course.per_second(60, LONG_S) >= 0.8 * most / mean_s
    assert course.share_rejected() <= 0.02


@pytest.mark.parametrize("told", [False, True], ids=["no hint", "retry-after"])
@pytest.mark.parametrize(("before", "after"), [(10, 20), (50, 100), (20, 10), (100, 50)])
def test_a_limit_that_doubles_or_halves_is_followed_within_two_minutes(before: int, after: int, told: bool) -> None:
    bucket = Bucket(before, before)
    world = World(bucket, 0.5, 200, told, changes=((200.0, lambda: setattr(bucket, "rate", after)),))
    course = world.run(420)
    assert course.per_second(320, 420) >= 0.9 * after
    assert course.per_second(260, 320) >= 0.8 * after
    assert course.share_rejected() <= 0.02


def test_without_a_limit_the_slots_double_each_round_trip_until_all_workers_ask() -> None:
    course = World(Bucket(1e9, 1e9), 0.2, 256).run(10)
    assert course.most_in_flight == 256
    assert course.per_second(0, 2) * 2 >= 0.25 * 2 * 256 / 0.2
    assert course.per_second(2, 10) >= 0.97 * 256 / 0.21
    assert course.throttle.state(10).per_second is None


def test_server_errors_slow_the_start_and_leave_the_rest_alone() -> None:
    course = World(Bucket(1e9, 1e9), 0.2, 64, server_errors=0.05).run(20)
    assert course.throttle.state(20).slots == 64
    assert course.throttle.state(20).cuts == 0


def test_a_pause_of_ten_minutes_teaches_nothing() -> None:
    course = World(Bucket(20, 20), 0.2, 64, pause=(200.0, 800.0)).run(1000)
    assert 0.9 * 20 <= course.per_second(810, 1000) <= 1.05 * 20
    assert course.share_rejected(800) <= 0.02


@pytest.mark.parametrize("told", [False, True], ids=["no hint", "retry-after"])
@pytest.mark.parametrize("latency_s", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("share", [0.005, 0.01, 0.02, 0.05])
def test_429s_that_come_whatever_the_rate_do_not_choke_it(share: float, latency_s: float, told: bool) -> None:
    careless = World(Chance(share, 5), latency_s, 16, told, throttle=Careless).run(600, seed=2)
    course = World(Chance(share, 5), latency_s, 16, told).run(600, seed=2)
    assert course.per_second(240, 600) >= 0.7 * careless.per_second(240, 600)


@pytest.mark.parametrize("told", [False, True], ids=["no hint", "retry-after"])
@pytest.mark.parametrize("latency_s", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("share", [0.1, 0.2])
def test_where_chance_turns_many_away_a_quarter_is_left_in_all_but_unlucky_runs(
    share: float, latency_s: float, told: bool
) -> None:
    reached = []
    for seed in range(5):
        careless = World(Chance(share, seed), latency_s, 16, told, throttle=Careless).run(600, seed)
        course = World(Chance(share, seed), latency_s, 16, told).run(600, seed)
        reached.append(course.per_second(240, 600) / careless.per_second(240, 600))
    assert sorted(reached)[1] >= 0.25


@pytest.mark.parametrize("latency_s", [0.2, 1.0])
@pytest.mark.parametrize("rate", [8, 20, 50])
def test_a_limit_is_still_found_where_one_per_cent_is_turned_away_by_chance(rate: int, latency_s: float) -> None:
    course = World(Chance(0.01, 2, Bucket(rate, rate)), latency_s, workers(rate, latency_s)).run(400)
    assert course.per_second(120, 400) >= 0.85 * rate
    assert course.share_rejected(120) <= 0.01 + 0.03


def test_a_limit_that_appears_among_429s_by_chance_is_obeyed() -> None:
    bucket = Bucket(1e9, 1e9)
    world = World(Chance(0.02, 3, bucket), 0.2, 16, changes=((300.0, lambda: bucket.tighten(10)),))
    course = world.run(600)
    assert course.per_second(240, 300) >= 0.7 * 16 / 0.2
    assert course.per_second(420, 600) >= 0.7 * 10
    assert course.share_rejected(420) <= 0.1


def test_the_same_seed_gives_the_same_course() -> None:
    first = World(Bucket(20, 20), lognormal, 64).run(60, seed=7)
    second = World(Bucket(20, 20), lognormal, 64).run(60, seed=7)
    assert first.answered == second.answered
    assert first.rejected == second.rejected
